//! A world in memory for the tests of this crate: Gorgias, a store, a clock, and a crash after any outside effect.
//!
//! Deliberately absent: HTTP and pacing; the twins stand in for those.

pub(crate) mod account;
pub(crate) mod bug;
pub(crate) mod chance;
#[cfg(test)]
pub(crate) mod chatbot;
pub(crate) mod fake_gorgias;
pub(crate) mod fake_source;
pub(crate) mod memory_store;
#[cfg(test)]
pub(crate) mod migrated;
pub(crate) mod told;
pub(crate) mod wants;
pub(crate) mod world;

pub(crate) use account::{Account, Fault};
pub(crate) use fake_gorgias::FakeGorgias;
pub(crate) use memory_store::MemoryStore;
pub(crate) use wants::Wants;
pub(crate) use world::World;
