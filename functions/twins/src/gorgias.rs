//! Gorgias on loopback: a strict, in-memory account behind the real wire protocol.
//!
//! It refuses whatever is not documented, decides every unknown by a switch, and keeps ledgers of what a careful
//! migration must never cause: mails, invitations, fees, harm. Deliberately absent: storage (an account lives as long
//! as its process), TLS, and OAuth's own endpoints; a bearer token is configured.
//!
//! Below `/__twin/` are control endpoints: `GET state`, `GET ledgers`, `GET requests`, `GET|PUT|DELETE faults`,
//! `POST edit`. Every answer carries `x-twin-time-scale: K`; `Retry-after` counts account seconds, of which K pass in
//! one second of the client.

mod account;
mod answer;
mod bucket;
mod clock;
mod config;
mod control;
mod copied;
mod customer_values;
mod customers;
mod customers_merge;
mod edit;
mod effects;
mod events;
mod expression;
mod fault;
mod fields;
mod integrations;
mod jobs;
mod ledger;
mod macros;
mod message_draft;
mod messages;
mod model;
mod persons;
mod query;
mod reading;
mod reporting;
mod route;
mod rules;
mod search;
mod seed;
mod serving;
mod shapes;
mod shelves;
mod state;
mod surveys;
mod tables;
mod tags;
mod teams;
mod ticket_draft;
mod ticket_parts;
mod ticket_shapes;
mod tickets;
mod tickets_create;
mod twin;
mod uploads;
mod users;
mod values;
mod views;
mod voice;
mod words;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;

pub use bucket::Bucket;
pub use clock::{Clock, ManualClock};
pub use config::{
    Config, CustomerDelete, DuplicateChannel, DuplicateEmail, ErrorBody, FieldCap, Preexisting,
    PreexistingCustomer, PreexistingUser, RetryAfter, SingleValue, StatusCodes, Switches, UnknownKeys,
    UnknownTag, ValuesAnswer, ValuesPut,
};
pub use copied::AccountCopy;
pub use edit::{Edit, EditError, Editor, RecordKind, Which};
pub use fault::{Action, Fault, PlannedFault, When};
pub use ledger::{Entry, LedgerCounts, Ledgers, codes};
pub use twin::RequestCounts;

use twin::Twin;

/// A twin that is being served. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    /// The bound address.
    pub addr: SocketAddr,
    server: crate::http::Running,
    twin: Arc<Twin>,
}

impl Running {
    /// `http://127.0.0.1:PORT`, without a closing slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The whole account as JSON: every table, in the order of ids.
    #[must_use]
    pub fn dump(&self) -> Value {
        self.twin.dump()
    }

    /// The ledgers as they stand.
    #[must_use]
    pub fn ledgers(&self) -> Ledgers {
        self.twin.ledgers()
    }

    /// How often each route, such as `POST /api/tickets`, answered with each status. Control requests do not count.
    #[must_use]
    pub fn requests(&self) -> RequestCounts {
        self.twin.requests()
    }

    /// Routes of requests other than reads in the order in which they came, whatever became of them; the first 10,000.
    #[must_use]
    pub fn writes(&self) -> Vec<String> {
        self.twin.writes()
    }

    /// How many answers were 429.
    #[must_use]
    pub fn responses_429(&self) -> u64 {
        self.twin.responses_429()
    }

    /// Replaces the plan of faults; their counts begin anew.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.twin.set_faults(faults);
    }

    /// The plan of faults and how often each was met.
    #[must_use]
    pub fn faults(&self) -> Vec<PlannedFault> {
        self.twin.faults()
    }

    /// Changes the account from outside of the client under test, in one step.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Editor<'_>) -> T) -> T {
        self.twin.edit(change)
    }

    /// Stops serving, and waits until all connections are closed.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Starts a twin.
///
/// # Errors
/// `InvalidInput` when the address is not loopback; otherwise what binding the address reports.
pub async fn start(config: Config) -> io::Result<Running> {
    let twin = Arc::new(Twin::new(&config));
    let server = crate::http::serve(serving::router(Arc::clone(&twin)), config.listen).await?;
    Ok(Running { addr: server.addr, server, twin })
}

/// Starts a twin of an account that was put together from another one's answers; what the configuration says about
/// contents does not count.
///
/// # Errors
/// As [`start`].
pub async fn start_copy(config: Config, copy: AccountCopy) -> io::Result<Running> {
    let twin = Arc::new(Twin::with(&config, |now| copy.into_state(now)));
    let server = crate::http::serve(serving::router(Arc::clone(&twin)), config.listen).await?;
    Ok(Running { addr: server.addr, server, twin })
}
