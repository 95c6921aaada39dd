//! The port over an [`Account`]: pages, faults, late effects, a count of every request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use migration::gorgias::{
    CustomerId, FieldDraft, FieldId, FieldObject, IntegrationId, MessageId, RuleId, TagDraft, TagId, TeamId,
    TicketId, UserId,
};
use migration::keys::ExternalId;

use super::account::{Account, Fault, No};
use super::bug::Bug;
use super::chance::Weather;
use super::told::Told;
use super::world::{Effects, TestClock};
use crate::ledger::timing::later;
use crate::ports::clock::Clock;
use crate::ports::gorgias::{
    AuditEvent, Cursor, Customer, CustomerChange, Field, FoundValue, Gorgias, Integration, Message,
    NewCustomer, NewMessage, NewTeam, NewTicket, PAGE_RECORDS_MAX, Page, Raw, ReadError, Rule, Setting, Tag,
    Team, Ticket, Usage, User, WriteError,
};
use crate::stop::Stop;

type Effect = Box<dyn FnOnce(&mut Account, Timestamp) + Send>;

/// A leaky bucket, and how long an answer takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) capacity: u32,
    pub(crate) interval: Duration,
    pub(crate) latency: Duration,
}

struct Inside {
    weather: Weather,
    bug: Option<Bug>,
    pace: Option<Pace>,
    /// When the bucket is empty again, in the clock's nanoseconds.
    empty_at: u64,
    account: Account,
    requests: BTreeMap<String, u64>,
    /// By route and its number from 1.
    faults: BTreeMap<(String, u64), Fault>,
    late: Vec<(Timestamp, Effect)>,
    told: Told,
    /// Every page and record of people, tickets and messages that was asked for, in order.
    reads: Vec<String>,
    /// Asks to stop when so many requests have come in all.
    stop_at: Option<(u64, Stop)>,
}

impl Inside {
    fn of(account: Account) -> Self {
        Self {
            weather: Weather::fair(),
            bug: None,
            pace: None,
            empty_at: 0,
            account,
            requests: BTreeMap::new(),
            faults: BTreeMap::new(),
            late: Vec::new(),
            told: Told::default(),
            reads: Vec::new(),
            stop_at: None,
        }
    }
}

/// One connection to an account; others may share it.
pub(crate) struct FakeGorgias {
    inside: Arc<Mutex<Inside>>,
    clock: Arc<TestClock>,
    effects: Arc<Effects>,
}

impl FakeGorgias {
    pub(crate) fn new(account: Account, clock: Arc<TestClock>, effects: Arc<Effects>) -> Self {
        Self { inside: Arc::new(Mutex::new(Inside::of(account))), clock, effects }
    }

    /// Another process' connection to the same account.
    pub(crate) fn beside(&self, effects: Arc<Effects>) -> Self {
        Self { inside: Arc::clone(&self.inside), clock: Arc::clone(&self.clock), effects }
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.with(|inside| inside.weather = weather);
    }

    pub(crate) fn weather<T>(&self, look: impl FnOnce(&mut Weather) -> T) -> T {
        self.with(|inside| look(&mut inside.weather))
    }

    pub(crate) fn set_bug(&self, bug: Option<Bug>) {
        self.with(|inside| inside.bug = bug);
    }

    /// Whether a record that took effect at `since` shows in a look-up by its key.
    fn shows(inside: &Inside, now: Timestamp, id: u64, since: Option<Timestamp>) -> bool {
        since.is_none_or(|since| later(since, inside.weather.lag_of(id)) <= now)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inside) -> T) -> T {
        let now = self.clock.now();
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, late) = std::mem::take(&mut inside.late).into_iter().partition(|(at, _)| *at <= now);
        inside.late = late;
        let due: Vec<(Timestamp, Effect)> = due;
        for (at, effect) in due {
            effect(&mut inside.account, at);
        }
        look(&mut inside)
    }

    /// The `nth` request (from 1) on this route goes wrong.
    pub(crate) fn fail(&self, route: &str, nth: u64, fault: Fault) {
        self.with(|inside| inside.faults.insert((route.to_owned(), nth), fault));
    }

    /// Asks to stop when so many more requests have come.
    pub(crate) fn stop_after(&self, requests: u64, stop: &Stop) {
        let at = self.all_requests() + requests;
        self.with(|inside| inside.stop_at = Some((at, stop.clone())));
    }

    /// Pages and records that were asked for since the last look.
    pub(crate) fn take_reads(&self) -> Vec<String> {
        self.with(|inside| std::mem::take(&mut inside.reads))
    }

    fn note(&self, route: &str, what: &str) {
        self.with(|inside| inside.reads.push(format!("{route} {what}")));
    }

    /// A record with a text from which it can be understood again.
    fn raw<T: Clone + std::fmt::Debug + Send + 'static>(&self, record: &T) -> Raw<T> {
        self.with(|inside| inside.told.tell(record))
    }

    fn again<T: Clone + 'static>(&self, json: &str) -> Result<Raw<T>, ReadError> {
        let unusable =
            || ReadError::Unusable { request: "a kept answer".to_owned(), why: "never told".to_owned() };
        self.with(|inside| inside.told.again(json)).ok_or_else(unusable)
    }

    pub(crate) fn account<T>(&self, look: impl FnOnce(&mut Account) -> T) -> T {
        self.with(|inside| look(&mut inside.account))
    }

    pub(crate) fn requests(&self, route: &str) -> u64 {
        self.with(|inside| inside.requests.get(route).copied().unwrap_or(0))
    }

    pub(crate) fn usage_by_route(&self) -> BTreeMap<String, u64> {
        self.with(|inside| inside.requests.clone())
    }

    pub(crate) fn all_requests(&self) -> u64 {
        self.with(|inside| inside.requests.values().sum())
    }

    pub(crate) fn set_pace(&self, pace: Pace) {
        self.with(|inside| inside.pace = Some(pace));
    }

    /// Waits for room in the bucket, and for the way there and back.
    async fn travel(&self) {
        let now = self.clock.elapsed_nanoseconds();
        let wait = self.with(|inside| {
            let pace = inside.pace?;
            let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).expect("short");
            let interval = nanoseconds(pace.interval);
            inside.empty_at = inside.empty_at.max(now) + interval;
            let room = u64::from(pace.capacity) * interval;
            let send_at = inside.empty_at.saturating_sub(room).max(now);
            Some(Duration::from_nanos(send_at - now) + pace.latency)
        });
        if let Some(wait) = wait {
            self.clock.sleep(wait).await;
        }
    }

    /// Counts a request and tells what goes wrong with it.
    fn arrive(&self, route: &str) -> Option<Fault> {
        self.with(|inside| {
            let count = inside.requests.entry(route.to_owned()).or_default();
            *count += 1;
            let nth = *count;
            let all: u64 = inside.requests.values().sum();
            if let Some((_, stop)) = inside.stop_at.take_if(|(at, _)| *at == all) {
                stop.request();
            }
            inside.faults.get(&(route.to_owned(), nth)).copied()
        })
    }

    /// As [`FakeGorgias::arrive`] for a write, which the weather may meet too.
    fn arrive_write(&self, route: &str) -> Option<Fault> {
        let planned = self.arrive(route);
        self.with(|inside| planned.or_else(|| inside.weather.write_fault(route == "POST /tickets")))
    }

    fn read<T>(&self, route: &str, look: impl FnOnce(&Account) -> T) -> Result<T, ReadError> {
        match self.arrive(route) {
            None => Ok(self.with(|inside| look(&inside.account))),
            Some(Fault::Credentials) => Err(ReadError::Credentials { request: route.to_owned() }),
            Some(_) => {
                Err(ReadError::NoAnswer { request: route.to_owned(), source: "connection reset".into() })
            }
        }
    }

    fn page<T: Clone + std::fmt::Debug + Send + 'static>(
        &self,
        route: &str,
        cursor: Option<&Cursor>,
        look: impl FnOnce(&Account) -> Vec<T>,
    ) -> Result<Page<T>, ReadError> {
        let from: usize = cursor.map_or(Ok(0), |cursor| cursor.0.parse()).expect("own cursor");
        self.note(route, &format!("from {from}"));
        let all = self.read(route, look)?;
        let until = all.len().min(from + PAGE_RECORDS_MAX);
        let next = (until < all.len()).then(|| Cursor(until.to_string()));
        Ok(Page { records: all[from..until].iter().map(|record| self.raw(record)).collect(), next })
    }

    async fn write<T: Send + 'static>(
        &self,
        route: &str,
        partial: Option<Effect>,
        apply: impl FnOnce(&mut Account, Timestamp) -> Result<T, No> + Send + 'static,
    ) -> Result<T, WriteError> {
        self.travel().await;
        self.effects.begins().await;
        let request = route.to_owned();
        let now = self.clock.now();
        let bug = self.with(|inside| inside.bug);
        let in_doubt = |request| match bug {
            Some(Bug::DoubtIsNotSent) => WriteError::NotSent { request, source: None },
            Some(Bug::DoubtIsRefused) => {
                WriteError::Refused { request, status: 500, message: "server error".to_owned() }
            }
            _ => WriteError::InDoubt { request, source: None },
        };
        let answer = match self.arrive_write(route) {
            Some(Fault::NotSent) => return Err(WriteError::NotSent { request, source: None }),
            Some(Fault::Credentials) => return Err(WriteError::Credentials { request }),
            Some(Fault::Refused) => {
                return Err(WriteError::Refused { request, status: 400, message: "invalid".to_owned() });
            }
            Some(Fault::Vanished) => return Err(in_doubt(request)),
            Some(Fault::Late(seconds)) => {
                let at = later(now, Duration::from_secs(seconds));
                let effect: Effect = Box::new(move |account, at| drop(apply(account, at)));
                self.with(|inside| inside.late.push((at, effect)));
                return Err(in_doubt(request));
            }
            Some(Fault::Partial) => {
                let effect = partial.expect("only tickets can arrive in part");
                self.with(|inside| effect(&mut inside.account, now));
                self.effects.happened().await;
                return Err(in_doubt(request));
            }
            Some(Fault::AnswerLost) => {
                self.with(|inside| drop(apply(&mut inside.account, now)));
                self.effects.happened().await;
                return Err(in_doubt(request));
            }
            None => self.with(|inside| apply(&mut inside.account, now)),
        };
        self.effects.happened().await;
        answer.map_err(|no| match no {
            No::Refused(why) => WriteError::Refused { request, status: 400, message: why.to_owned() },
            No::Conflict => WriteError::Conflict { request },
            No::Gone => WriteError::Gone { request },
        })
    }
}

/// A record whose text nobody keeps.
fn untold<T>(record: T) -> Raw<T> {
    Raw { record, json: "{}".to_owned() }
}

/// Lists of customers show neither channels nor values.
fn listed(customer: &Customer) -> Customer {
    Customer { channels: None, values: None, ..customer.clone() }
}

#[async_trait]
impl Gorgias for FakeGorgias {
    async fn account(&self) -> Result<crate::ports::gorgias::Account, ReadError> {
        self.read("GET /account", |_| crate::ports::gorgias::Account {
            domain: "acme".to_owned(),
            status: Some("active".to_owned()),
            plan: None,
        })
    }
    async fn service_user(&self) -> Result<User, ReadError> {
        self.read("GET /users/0", |account| account.users[0].clone())
    }
    async fn settings(&self) -> Result<Vec<Setting>, ReadError> {
        self.read("GET /account/settings", |account| account.settings.clone())
    }
    async fn users(&self, cursor: Option<&Cursor>) -> Result<Page<User>, ReadError> {
        self.page("GET /users", cursor, |account| account.users.clone())
    }
    async fn teams(&self, cursor: Option<&Cursor>) -> Result<Page<Team>, ReadError> {
        self.page("GET /teams", cursor, |account| account.teams.clone())
    }
    async fn tags(&self, cursor: Option<&Cursor>) -> Result<Page<Tag>, ReadError> {
        self.page("GET /tags", cursor, |account| account.tags.clone())
    }
    async fn fields(&self, object: FieldObject, cursor: Option<&Cursor>) -> Result<Page<Field>, ReadError> {
        self.page("GET /custom-fields", cursor, |account| {
            account.fields.iter().filter(|field| field.object == object).cloned().collect()
        })
    }
    async fn rules(&self, cursor: Option<&Cursor>) -> Result<Page<Rule>, ReadError> {
        self.page("GET /rules", cursor, |account| account.rules.clone())
    }
    async fn integrations(&self, cursor: Option<&Cursor>) -> Result<Page<Integration>, ReadError> {
        self.page("GET /integrations", cursor, |account| account.integrations.clone())
    }
    async fn customers(&self, cursor: Option<&Cursor>) -> Result<Page<Customer>, ReadError> {
        self.page("GET /customers", cursor, |account| account.customers.values().map(listed).collect())
    }
    async fn customer(&self, id: CustomerId) -> Result<Raw<Customer>, ReadError> {
        let request = "GET /customers/{id}".to_owned();
        self.note(&request, &id.to_string());
        let found = self.read(&request, |account| account.customers.get(&id).cloned())?;
        found.map(|found| self.raw(&found)).ok_or(ReadError::NotFound { request })
    }
    async fn customers_by_external_id(&self, id: &ExternalId) -> Result<Vec<Raw<Customer>>, ReadError> {
        let now = self.clock.now();
        self.read("GET /customers?external_id", |_| ())?;
        Ok(self.with(|inside| {
            let same = |customer: &&Customer| customer.external_id.as_deref() == Some(id.as_str());
            let shows = |found: &&Customer| Self::shows(inside, now, found.id.0, found.created_at);
            let found = inside.account.customers.values().filter(same).filter(shows);
            found.map(|found| untold(listed(found))).collect()
        }))
    }
    async fn customers_by_email(&self, email: &str) -> Result<Vec<Raw<Customer>>, ReadError> {
        self.by_channel("GET /customers?email", "email", email)
    }
    async fn customers_by_phone(&self, address: &str) -> Result<Vec<Raw<Customer>>, ReadError> {
        self.by_channel("GET /customers?channel", "phone", address)
    }
    async fn tickets(&self, cursor: Option<&Cursor>) -> Result<Page<Ticket>, ReadError> {
        self.page("GET /tickets", cursor, |account| account.tickets.values().cloned().collect())
    }
    async fn ticket(&self, id: TicketId) -> Result<Raw<Ticket>, ReadError> {
        let request = "GET /tickets/{id}".to_owned();
        self.read(&request, |account| account.tickets.get(&id).cloned().map(untold))?
            .ok_or(ReadError::NotFound { request })
    }
    async fn tickets_by_external_id(&self, id: &ExternalId) -> Result<Vec<Raw<Ticket>>, ReadError> {
        let now = self.clock.now();
        self.read("GET /tickets?external_id", |_| ())?;
        Ok(self.with(|inside| {
            let bug = inside.bug;
            let same = |ticket: &&Ticket| match bug {
                Some(Bug::BlindLookUp) => false,
                Some(Bug::PrefixLookUp) => {
                    ticket.external_id.as_deref().is_some_and(|found| found[..17] == id.as_str()[..17])
                }
                _ => ticket.external_id.as_deref() == Some(id.as_str()),
            };
            let shows = |found: &&Ticket| Self::shows(inside, now, found.id.0, found.updated_at);
            let told = |found: &Ticket| {
                let message_count =
                    (bug == Some(Bug::MessagesUnchecked)).then_some(2).or(found.message_count);
                untold(Ticket { message_count, external_id: Some(id.to_string()), ..found.clone() })
            };
            inside.account.tickets.values().filter(same).filter(shows).map(told).collect()
        }))
    }
    async fn messages(&self, cursor: Option<&Cursor>) -> Result<Page<Message>, ReadError> {
        self.page("GET /messages", cursor, |account| account.messages.values().cloned().collect())
    }
    fn customer_from(&self, json: &str) -> Result<Raw<Customer>, ReadError> {
        self.again(json)
    }
    fn ticket_from(&self, json: &str) -> Result<Raw<Ticket>, ReadError> {
        self.again(json)
    }
    fn message_from(&self, json: &str) -> Result<Raw<Message>, ReadError> {
        self.again(json)
    }
    async fn newest_messages(&self) -> Result<Vec<Message>, ReadError> {
        self.read("GET /messages?newest", |account| {
            let mut messages: Vec<Message> = account.messages.values().cloned().collect();
            messages.sort_by_key(|message| std::cmp::Reverse((message.created_at, message.id)));
            messages.truncate(PAGE_RECORDS_MAX);
            messages
        })
    }
    async fn ticket_messages(
        &self,
        id: TicketId,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Message>, ReadError> {
        self.note("GET /messages?ticket_id", &id.to_string());
        self.page("GET /messages?ticket_id", cursor, |account| {
            account.messages.values().filter(|message| message.ticket == id).cloned().collect()
        })
    }

    async fn events(
        &self,
        since: Timestamp,
        user: Option<UserId>,
        cursor: Option<&Cursor>,
    ) -> Result<Page<AuditEvent>, ReadError> {
        self.page("GET /events", cursor, |account| {
            let wanted = |event: &&AuditEvent| event.at >= since && (user.is_none() || event.user == user);
            account.events.iter().filter(wanted).cloned().collect()
        })
    }

    async fn create_tag(&self, draft: &TagDraft) -> Result<TagId, WriteError> {
        let draft = draft.clone();
        self.write("POST /tags", None, move |account, _| account.add_tag(&draft)).await
    }
    async fn create_field(&self, draft: &FieldDraft) -> Result<FieldId, WriteError> {
        let draft = draft.clone();
        self.write("POST /custom-fields", None, move |account, _| account.add_field(&draft)).await
    }
    async fn set_field_archived(&self, id: FieldId, at: Option<Timestamp>) -> Result<(), WriteError> {
        self.write("PUT /custom-fields/{id}", None, move |account, _| {
            let field = account.fields.iter_mut().find(|field| field.id == id).ok_or(No::Gone)?;
            field.is_active = at.is_none();
            Ok(())
        })
        .await
    }
    async fn create_team(&self, team: &NewTeam) -> Result<TeamId, WriteError> {
        let team = team.clone();
        self.write("POST /teams", None, move |account, now| account.add_team(&team, now)).await
    }
    async fn set_rule_paused(&self, id: RuleId, at: Option<Timestamp>) -> Result<(), WriteError> {
        self.write("PUT /rules/{id}", None, move |account, _| {
            let rule = account.rules.iter_mut().find(|rule| rule.id == id).ok_or(No::Gone)?;
            rule.is_active = at.is_none();
            Ok(())
        })
        .await
    }
    async fn set_integration_paused(
        &self,
        id: IntegrationId,
        at: Option<Timestamp>,
    ) -> Result<(), WriteError> {
        self.write("PUT /integrations/{id}", None, move |account, _| {
            let held = account.integrations.iter_mut().find(|held| held.id == id).ok_or(No::Gone)?;
            held.is_active = at.is_none();
            Ok(())
        })
        .await
    }
    async fn put_setting(&self, setting: &Setting) -> Result<(), WriteError> {
        let setting = setting.clone();
        self.write("PUT /account/settings/{id}", None, move |account, _| {
            let held = account.settings.iter_mut().find(|held| held.id == setting.id).ok_or(No::Gone)?;
            held.json = setting.json;
            Ok(())
        })
        .await
    }
    async fn create_customer(&self, customer: &NewCustomer) -> Result<CustomerId, WriteError> {
        let customer = customer.clone();
        self.write("POST /customers", None, move |account, now| account.add_customer(&customer, now)).await
    }
    async fn update_customer(&self, id: CustomerId, change: &CustomerChange) -> Result<(), WriteError> {
        let change = change.clone();
        self.write("PUT /customers/{id}", None, move |account, _| account.change_customer(id, &change)).await
    }
    async fn set_customer_values(&self, id: CustomerId, values: &[FoundValue]) -> Result<(), WriteError> {
        let values = values.to_vec();
        self.write("PUT /customers/{id}/custom-fields", None, move |account, _| {
            account.set_values(id, &values)
        })
        .await
    }
    async fn create_ticket(&self, ticket: &NewTicket) -> Result<TicketId, WriteError> {
        let (whole, part) = (ticket.clone(), ticket.clone());
        let partial: Effect = Box::new(move |account, now| drop(account.add_ticket(&part, 1, now)));
        self.write("POST /tickets", Some(partial), move |account, now| {
            account.add_ticket(&whole, usize::MAX, now)
        })
        .await
    }
    async fn append_message(&self, ticket: TicketId, message: &NewMessage) -> Result<MessageId, WriteError> {
        let message = message.clone();
        self.write("POST /tickets/{id}/messages", None, move |account, _| {
            account.add_message(ticket, &message)
        })
        .await
    }
    async fn set_ticket_trashed(&self, id: TicketId, at: Option<Timestamp>) -> Result<(), WriteError> {
        self.write("PUT /tickets/{id}", None, move |account, _| {
            account.tickets.get_mut(&id).ok_or(No::Gone)?.trashed_at = at;
            Ok(())
        })
        .await
    }
    async fn delete_ticket(&self, id: TicketId) -> Result<(), WriteError> {
        self.write("DELETE /tickets/{id}", None, move |account, _| {
            account.messages.retain(|_, message| message.ticket != id);
            account.tickets.remove(&id).map(drop).ok_or(No::Gone)
        })
        .await
    }
    async fn delete_message(&self, ticket: TicketId, id: MessageId) -> Result<(), WriteError> {
        self.write("DELETE /tickets/{id}/messages/{id}", None, move |account, _| {
            let held = account.messages.get(&id).filter(|message| message.ticket == ticket);
            held.is_some().then(|| account.messages.remove(&id)).map(drop).ok_or(No::Gone)
        })
        .await
    }
    async fn delete_customer(&self, id: CustomerId) -> Result<(), WriteError> {
        self.write("DELETE /customers/{id}", None, move |account, _| {
            // As the strict stand-in: the tickets of a deleted customer go with it.
            account.tickets.retain(|_, ticket| ticket.customer != Some(id));
            let tickets = &account.tickets;
            account.messages.retain(|_, message| tickets.contains_key(&message.ticket));
            account.customers.remove(&id).map(drop).ok_or(No::Gone)
        })
        .await
    }
    async fn delete_tag(&self, id: TagId) -> Result<(), WriteError> {
        self.write("DELETE /tags/{id}", None, move |account, _| {
            account.tags.retain(|tag| tag.id != id);
            Ok(())
        })
        .await
    }
    async fn delete_team(&self, id: TeamId) -> Result<(), WriteError> {
        self.write("DELETE /teams/{id}", None, move |account, _| {
            account.teams.retain(|team| team.id != id);
            Ok(())
        })
        .await
    }
    fn usage(&self) -> Usage {
        self.with(|inside| Usage { requests: inside.requests.clone(), ..Usage::default() })
    }
    fn ticket_url(&self, id: TicketId) -> String {
        format!("https://acme.gorgias.com/app/ticket/{id}")
    }
    fn customer_url(&self, id: CustomerId) -> String {
        format!("https://acme.gorgias.com/app/customer/{id}")
    }
}

impl FakeGorgias {
    fn by_channel(&self, route: &str, kind: &str, address: &str) -> Result<Vec<Raw<Customer>>, ReadError> {
        let folded = address.to_lowercase();
        self.read(route, |account| {
            let holds = |customer: &&Customer| {
                let mut channels = customer.channels.iter().flatten();
                channels.any(|channel| channel.kind == kind && channel.address.to_lowercase() == folded)
            };
            account.customers.values().filter(holds).map(|found| untold(listed(found))).collect()
        })
    }
}
