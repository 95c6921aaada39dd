//! A strict stand-in for LeadDesk: its Original API, its REST API and its recording host, on loopback.
//!
//! Deliberately absent: writes. The account is somebody's running call centre, so every request that would change it is
//! refused and written down as a violation. Also absent: logs; keys travel in LeadDesk's query strings, and the account
//! is full of people.

mod answer;
mod audio;
mod clock;
mod commands;
mod config;
mod control;
mod extended;
mod fault;
mod ledger;
mod lists;
mod original;
mod parameters;
mod records;
mod rest;
mod serve;
mod throttle;
mod tokens;

pub use clock::Clock;
pub use config::{Config, Features, Knobs, OddRecording, PageShift, Profile, RateLimit};
pub use fault::{Fault, FaultAction, FaultPlan, FaultRule, RequestSummary, ScheduledFaults, When};
pub use ledger::{Ledgers, Violation, ViolationKind};
pub use serve::{Running, Twin, start};
