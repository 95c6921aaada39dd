//! Strict stand-ins for LeadDesk and Gorgias, served over HTTP on loopback.
//!
//! Deliberately depends on none of the other crates of this workspace, so that it cannot share their mistakes.
pub mod generate;
pub mod gorgias;
pub mod http;
pub mod leaddesk;
