//! A gate before everything that changes Gorgias, so that a stop falls between two writes and not into one.
//!
//! Once it closes, writes that have not begun wait for ever and the ones under way come to their end; then the work can be
//! dropped, and no request is left whose answer nobody has read. Deliberately absent: stopping reads, which change nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use migration::gorgias::{
    CustomerId, FieldDraft, FieldId, FieldObject, IntegrationId, MessageId, RuleId, TagDraft, TagId, TeamId,
    TicketId,
};
use migration::keys::ExternalId;
use pipeline::ports::gorgias::{
    Account, Cursor, Customer, CustomerChange, Field, FoundValue, Gorgias, Integration, Message, NewCustomer,
    NewMessage, NewTeam, NewTicket, Page, Raw, ReadError, Rule, Setting, Tag, Team, Ticket, Usage, User,
    WriteError,
};
use tokio::sync::watch;

/// Time that the writes under way get; longer than any answer takes that is not lost.
const DRAIN_MAX: Duration = Duration::from_secs(35);

/// How many writes are under way, and whether more may begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Traffic {
    under_way: usize,
    closed: bool,
}

/// The handle of the gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<watch::Sender<Traffic>>);

impl Gate {
    /// An open gate.
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Traffic::default())))
    }

    /// The destination behind the gate.
    pub(crate) fn guard(&self, destination: Arc<dyn Gorgias>) -> Arc<dyn Gorgias> {
        Arc::new(Guarded { gate: self.clone(), inner: destination })
    }

    /// Closes the gate and waits for the writes under way; whether all of them ended in time.
    pub(crate) async fn close(&self) -> bool {
        self.0.send_modify(|traffic| traffic.closed = true);
        let mut traffic = self.0.subscribe();
        let drained = traffic.wait_for(|traffic| traffic.under_way == 0);
        tokio::time::timeout(DRAIN_MAX, drained).await.is_ok_and(|outcome| outcome.is_ok())
    }

    async fn enter(&self) -> Passing<'_> {
        let mut entered = false;
        self.0.send_if_modified(|traffic| {
            entered = !traffic.closed;
            traffic.under_way += usize::from(entered);
            entered
        });
        if !entered {
            std::future::pending::<()>().await;
        }
        Passing(self)
    }
}

/// One write on its way.
struct Passing<'g>(&'g Gate);

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|traffic| traffic.under_way -= 1);
    }
}

struct Guarded {
    gate: Gate,
    inner: Arc<dyn Gorgias>,
}

/// Hands every read on as it is, and every write through the gate. Signatures are plain tokens, so that lifetimes in them
/// are seen.
macro_rules! guarded {
    (
        reads { $(fn $read:ident($($read_argument:ident),*) [$($read_signature:tt)*] -> $found:ty;)+ }
        writes { $(fn $write:ident($($write_argument:ident),*) [$($write_signature:tt)*] -> $done:ty;)+ }
    ) => {
        #[async_trait]
        impl Gorgias for Guarded {
            $(async fn $read(&self, $($read_signature)*) -> Result<$found, ReadError> {
                self.inner.$read($($read_argument),*).await
            })+
            $(async fn $write(&self, $($write_signature)*) -> Result<$done, WriteError> {
                let _passing = self.gate.enter().await;
                self.inner.$write($($write_argument),*).await
            })+
            fn usage(&self) -> Usage {
                self.inner.usage()
            }
            fn ticket_url(&self, id: TicketId) -> String {
                self.inner.ticket_url(id)
            }
            fn customer_url(&self, id: CustomerId) -> String {
                self.inner.customer_url(id)
            }
        }
    };
}

guarded! {
    reads {
        fn account() [] -> Account;
        fn service_user() [] -> User;
        fn settings() [] -> Vec<Setting>;
        fn users(cursor) [cursor: Option<&Cursor>] -> Page<User>;
        fn teams(cursor) [cursor: Option<&Cursor>] -> Page<Team>;
        fn tags(cursor) [cursor: Option<&Cursor>] -> Page<Tag>;
        fn fields(object, cursor) [object: FieldObject, cursor: Option<&Cursor>] -> Page<Field>;
        fn rules(cursor) [cursor: Option<&Cursor>] -> Page<Rule>;
        fn integrations(cursor) [cursor: Option<&Cursor>] -> Page<Integration>;
        fn customers(cursor) [cursor: Option<&Cursor>] -> Page<Customer>;
        fn customer(id) [id: CustomerId] -> Raw<Customer>;
        fn customers_by_external_id(id) [id: &ExternalId] -> Vec<Raw<Customer>>;
        fn customers_by_email(email) [email: &str] -> Vec<Raw<Customer>>;
        fn customers_by_phone(address) [address: &str] -> Vec<Raw<Customer>>;
        fn tickets(cursor) [cursor: Option<&Cursor>] -> Page<Ticket>;
        fn ticket(id) [id: TicketId] -> Raw<Ticket>;
        fn tickets_by_external_id(id) [id: &ExternalId] -> Vec<Raw<Ticket>>;
        fn messages(cursor) [cursor: Option<&Cursor>] -> Page<Message>;
        fn ticket_messages(id, cursor) [id: TicketId, cursor: Option<&Cursor>] -> Page<Message>;
    }
    writes {
        fn create_tag(draft) [draft: &TagDraft] -> TagId;
        fn create_field(draft) [draft: &FieldDraft] -> FieldId;
        fn set_field_archived(id, at) [id: FieldId, at: Option<Timestamp>] -> ();
        fn create_team(team) [team: &NewTeam] -> TeamId;
        fn set_rule_paused(id, at) [id: RuleId, at: Option<Timestamp>] -> ();
        fn set_integration_paused(id, at) [id: IntegrationId, at: Option<Timestamp>] -> ();
        fn put_setting(setting) [setting: &Setting] -> ();
        fn create_customer(customer) [customer: &NewCustomer] -> CustomerId;
        fn update_customer(id, change) [id: CustomerId, change: &CustomerChange] -> ();
        fn set_customer_values(id, values) [id: CustomerId, values: &[FoundValue]] -> ();
        fn create_ticket(ticket) [ticket: &NewTicket] -> TicketId;
        fn append_message(ticket, message) [ticket: TicketId, message: &NewMessage] -> MessageId;
        fn set_ticket_trashed(id, at) [id: TicketId, at: Option<Timestamp>] -> ();
        fn delete_ticket(id) [id: TicketId] -> ();
        fn delete_customer(id) [id: CustomerId] -> ();
        fn delete_tag(id) [id: TagId] -> ();
        fn delete_team(id) [id: TeamId] -> ();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn writes_under_way_end_and_no_other_begins() {
        let gate = Gate::new();
        let first = gate.enter().await;
        let closing = tokio::spawn({
            let gate = gate.clone();
            async move { gate.close().await }
        });
        while !gate.0.borrow().closed {
            tokio::task::yield_now().await;
        }
        let late = tokio::time::timeout(Duration::ZERO, gate.enter()).await;
        assert!(late.is_err());
        assert!(!closing.is_finished());
        drop(first);
        assert!(closing.await.unwrap());
        assert_eq!(*gate.0.borrow(), Traffic { under_way: 0, closed: true });
    }
}
