//! The demonstration: both systems stood in for on loopback, and the same steps as for real accounts.
//!
//! Deliberately absent: any short cut. It reads `migration.toml`, speaks HTTP, approves a mapping, writes through the
//! ledger and reads back; only the clock of the rate limit runs faster, and the screen says so.

pub(crate) mod afterwards;
pub(crate) mod folder;
