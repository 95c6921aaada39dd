//! The Gorgias twin over real HTTP: what it refuses, how it answers, and what it books.

#[cfg(test)]
mod copies;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod edits;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod ledgers;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod rates;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod strictness;
#[cfg(test)]
mod switches;
#[cfg(test)]
mod uniqueness;
#[cfg(test)]
mod values;
