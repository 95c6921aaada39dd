//! The steps as functions of AWS: woken by SQS, one turn per message.
//!
//! A message names a step of a run, and nothing else; what is to be done is what the store shows unfinished. `conduct`
//! sends the message for the next step, a worker does as much of it as fits into its time, stores how it ended, and wakes
//! `conduct`. Deliberately absent: what the steps do (see `pipeline`), and the adapters (see `connectors`).

pub mod batch;
mod conductor;
pub mod home;
pub mod logs;
mod metrics;
pub mod role;
pub mod settings;
mod turn;
