//! How long functions and messages live: the numbers that the ledger's safety rests on.
//!
//! They stand here and in `infra/template.yaml`; `infra/checks` holds the two together. Seconds, unless a name says
//! otherwise.

/// Hard end of `conduct`: it looks at the store and sends one message.
pub const CONDUCT_TIMEOUT_SECONDS: u64 = 60;
/// Hard end of `extract`. Short, so that a function that hangs is noticed; the next message goes on.
pub const EXTRACT_TIMEOUT_SECONDS: u64 = 300;
/// Hard end of `transform`: persons are resolved over all contacts in one go, which cannot be cut into turns.
pub const TRANSFORM_TIMEOUT_SECONDS: u64 = 900;
/// Hard end of `load`. A killed loader can send nothing any more, which fencing alone could not promise.
pub const LOAD_TIMEOUT_SECONDS: u64 = 300;
/// Hard end of `reconcile`.
pub const RECONCILE_TIMEOUT_SECONDS: u64 = 300;

/// A message comes back after so many times the timeout of its function (AWS asks for six), so that no two functions
/// ever hold one message.
pub const VISIBILITY_TIMEOUTS: u64 = 6;
/// Deliveries of a message before it is put aside as a dead letter.
pub const RECEIVES_MAX: u64 = 5;
/// Messages of one invocation: one, because a turn takes all the time that there is.
pub const BATCH_MESSAGES: u64 = 1;
/// Before its hard end a function asks its step to stop: longer than any answer takes that is not lost, and the
/// store's last objects behind it.
pub const STOP_MARGIN_SECONDS: u64 = 45;
/// A step that failed for a reason that may pass is tried again after this; long enough for everything that it had sent
/// to have taken effect or not (hold, life of a request and visibility of the ledger's time rules).
pub const RETRY_SECONDS: u64 = 240;
/// A message that nobody takes is kept so many days.
pub const RETENTION_DAYS: u64 = 4;
/// Dead letters stay longer than the messages did, because their time counts from the first send.
pub const DEAD_RETENTION_DAYS: u64 = 14;
