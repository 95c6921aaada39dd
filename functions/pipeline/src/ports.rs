//! What the steps need from outside, and no more. Every adapter keeps every promise made here.
//!
//! Deliberately absent: optional methods, replacing of stored objects, wire shapes.

pub mod clock;
pub mod gorgias;
pub mod leaddesk;
pub mod queue;
pub mod store;
pub mod suggester;
