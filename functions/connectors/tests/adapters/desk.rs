//! A Gorgias twin with a client beside it, and one time for both that passes by waiting alone.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connectors::clock::VirtualClock;
use connectors::gorgias::{Access, Client};
use connectors::http::log::NoLog;
use jiff::Timestamp;
use migration::gorgias::{
    ChannelKind, CustomerChannel, CustomerId, FieldDraft, FieldId, FieldKind, FieldObject, TicketStatus,
    UserId,
};
use migration::keys::{ExternalId, FieldKey};
use migration::pacer::Bucket;
use pipeline::ports::clock::Clock;
use pipeline::ports::gorgias::{Gorgias, NewCustomer, NewDelivery, NewMessage, NewTicket};
use secrecy::SecretString;
use twins::gorgias::{
    Action, Bucket as TwinBucket, Clock as TwinClock, Config, Fault, ManualClock, Preexisting, Running,
    Switches, When, start,
};

/// When every test begins.
pub(crate) const START: &str = "2026-11-22T10:00:00Z";

/// The client's clock; the twin's moves along.
pub(crate) struct OneTime {
    ours: VirtualClock,
    theirs: ManualClock,
}

impl OneTime {
    pub(crate) fn advance(&self, duration: Duration) {
        self.ours.advance(duration);
        self.theirs.advance(duration);
    }

    pub(crate) fn seconds(&self) -> f64 {
        Duration::from_nanos(self.ours.elapsed_nanoseconds()).as_secs_f64()
    }
}

#[async_trait]
impl Clock for OneTime {
    fn now(&self) -> Timestamp {
        self.ours.now()
    }

    fn elapsed_nanoseconds(&self) -> u64 {
        self.ours.elapsed_nanoseconds()
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        tokio::task::yield_now().await;
    }
}

/// A running twin and everything around it.
pub(crate) struct Desk {
    pub(crate) running: Running,
    pub(crate) client: Client,
    pub(crate) time: Arc<OneTime>,
}

/// An account with a bucket so wide that it never matters, and nothing that runs by itself.
pub(crate) fn quiet() -> Config {
    Config {
        bucket: TwinBucket { capacity: 1_000_000, window_seconds: 1.0 },
        preexisting: Preexisting { rules: false, surveys: false, webhook: false, ..Preexisting::default() },
        ..Config::default()
    }
}

/// A quiet account with changed switches.
pub(crate) fn with(change: impl FnOnce(&mut Switches)) -> Config {
    let mut config = quiet();
    change(&mut config.switches);
    config
}

impl Desk {
    pub(crate) async fn quiet() -> Self {
        Self::open(quiet(), "1000000/1").await
    }

    /// The client believes in `bucket` until it is told better.
    pub(crate) async fn open(mut config: Config, bucket: &str) -> Self {
        let theirs = ManualClock::at(START).unwrap();
        config.clock = TwinClock::Manual(theirs.clone());
        let (email, api_key) = (config.email.clone(), SecretString::from(config.api_key.as_str()));
        let running = start(config).await.unwrap();
        let access = Access {
            base_url: running.base_url().parse().unwrap(),
            email,
            api_key,
            bucket: Bucket::parse(bucket, 0.0).unwrap(),
        };
        let time = Arc::new(OneTime { ours: VirtualClock::new(START.parse().unwrap()), theirs });
        let clock: Arc<dyn Clock> = time.clone();
        Self { client: Client::new(access, clock, Arc::new(NoLog)).unwrap(), running, time }
    }

    /// Requests of this method and route meet the fault from the `nth` on, so many of them.
    pub(crate) fn strike(&self, method: &str, route: &str, times: u64, action: Action) {
        let when = When {
            method: Some(method.to_owned()),
            route: Some(format!("/api{route}")),
            nth: Some(1),
            times: Some(times),
        };
        self.running.set_faults(vec![Fault { when, action }]);
    }

    /// How often this was asked, whatever the answer.
    pub(crate) fn asked(&self, request: &str) -> u64 {
        let counts = self.running.requests();
        counts.iter().filter(|((name, _), _)| name == request).map(|(_, count)| count).sum()
    }

    /// Nobody outside has noticed anything, and nothing was done that should not be.
    pub(crate) fn nothing_left_the_account(&self) {
        assert!(self.running.ledgers().is_empty(), "{:#?}", self.running.ledgers());
    }

    pub(crate) async fn service_user(&self) -> UserId {
        self.client.service_user().await.unwrap().id
    }

    pub(crate) async fn customer(&self, number: u64) -> CustomerId {
        self.client.create_customer(&customer(number)).await.unwrap()
    }

    pub(crate) async fn field(&self, object: FieldObject, key: &str, kind: FieldKind) -> FieldId {
        let draft = FieldDraft {
            key: FieldKey(key.to_owned()),
            object,
            label: format!("Label of {key}"),
            kind,
            description: "From LeadDesk".to_owned(),
        };
        self.client.create_field(&draft).await.unwrap()
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn customer(number: u64) -> NewCustomer {
    let channel = |kind, address: String| CustomerChannel { kind, address, is_preferred: true };
    NewCustomer {
        external_id: ExternalId::from_stored(format!("leaddesk:contact:{number}")),
        name: Some(format!("Contact Number {number}")),
        email: Some(format!("contact-{number}@example.com")),
        channels: vec![
            channel(ChannelKind::Email, format!("contact-{number}@example.com")),
            channel(ChannelKind::Phone, format!("+3584570{number:05}")),
        ],
        language: Some("fi".to_owned()),
        timezone: Some("Europe/Helsinki".to_owned()),
    }
}

pub(crate) fn note(id: &str, author: UserId, when: &str) -> NewMessage {
    NewMessage {
        external_id: ExternalId::from_stored(format!("leaddesk:call:{id}")),
        delivery: NewDelivery::InternalNote { author, at: at(when) },
        body_text: format!("Call {id}"),
        body_html: format!("<p>Call <b>{id}</b></p>"),
        attachments: Vec::new(),
    }
}

pub(crate) fn ticket(number: u64, customer: CustomerId, messages: Vec<NewMessage>) -> NewTicket {
    NewTicket {
        external_id: ExternalId::from_stored(format!("leaddesk:lead:1:{number}")),
        customer,
        subject: format!("Lead {number}"),
        status: TicketStatus::Open,
        channel: "phone".to_owned(),
        assignee_user: None,
        assignee_team: None,
        tags: Vec::new(),
        values: Vec::new(),
        created_at: at("2025-01-01T08:00:00Z"),
        closed_at: None,
        last_message_at: at("2025-01-02T08:00:00Z"),
        meta: std::collections::BTreeMap::from([("attempt".to_owned(), "1".to_owned())]),
        messages,
    }
}
