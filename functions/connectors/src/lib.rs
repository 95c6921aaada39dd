//! Speaks to the outside: LeadDesk, Gorgias, stores and queues, each behind a port of `pipeline`.
//!
//! Deliberately absent: decisions about records, and the order of steps.

#[cfg(feature = "aws")]
pub mod aws;
mod cause;
pub mod clock;
pub mod config;
pub mod connect;
pub mod gorgias;
pub mod http;
pub mod leaddesk;
pub mod place;
pub mod queue;
pub mod store;
pub mod suggester;
