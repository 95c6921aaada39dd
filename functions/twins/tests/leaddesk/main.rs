//! The LeadDesk twin and its generated account, seen from outside.
//!
//! Deliberately absent: any client of this workspace. These tests speak HTTP and read files by themselves.
//!
//! The modules are marked as tests so that lints treat their helpers as such.

#[cfg(test)]
mod account;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod original;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod support;
#[cfg(test)]
mod writes;
