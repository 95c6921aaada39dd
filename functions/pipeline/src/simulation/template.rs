//! A migration that is prepared and planned, from which every history starts, and what it must come to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::load;
use crate::plan;
use crate::prepare;
use crate::reconcile;
use crate::testing::bug::Bug;
use crate::testing::chance::Weather;
use crate::testing::fake_gorgias::Pace;
use crate::testing::wants::lead;
use crate::testing::{Account, Wants, World};
use crate::wave::Wave;

/// Messages of every ticket.
const MESSAGES: u64 = 2;
/// A connection as it is: 80 requests in 20 seconds, a third of a second for an answer.
const PACE: Pace =
    Pace { capacity: 80, interval: Duration::from_millis(250), latency: Duration::from_millis(300) };
/// The time that a store takes to create an object.
const STORE_LATENCY: Duration = Duration::from_millis(60);

/// A planned migration whose customers are loaded.
pub struct Template {
    pub(super) world: World,
    /// Tickets that a history writes.
    pub(super) records: u64,
}

impl Template {
    /// Prepares, plans and loads the customers of a migration with so many leads.
    #[must_use]
    pub fn new(records: u64) -> Self {
        let world = World::new(Account::fresh());
        super::in_virtual_time(async {
            Wants::people(records, MESSAGES).seal(&world).await;
            let ctx = world.context();
            prepare::prepare(&ctx, &Wants::schema()).await.expect("prepared");
            plan::run(&ctx).await.expect("planned");
            load::run(&ctx, Wave::Customers).await.expect("customers");
            reconcile::run(&ctx, Wave::Customers).await.expect("compared");
        });
        Self { world, records }
    }

    /// A world of its own; to be called in virtual time.
    pub(super) fn world(&self, weather: &Weather, bug: Option<Bug>) -> World {
        self.world.copied(PACE, STORE_LATENCY, weather, bug)
    }

    pub(crate) fn pace() -> Pace {
        PACE
    }

    pub(super) fn store_latency() -> Duration {
        STORE_LATENCY
    }

    /// Keys of all tickets and messages.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = (1..=self.records).map(lead).collect();
        let messages: Vec<String> = keys.iter().flat_map(|key| messages_of(key)).collect();
        keys.extend(messages);
        keys
    }

    /// Tickets beyond the first with one key, those in the trash included.
    pub(super) fn written_twice(world: &World) -> u64 {
        world.gorgias.account(|account| {
            let keys: BTreeSet<_> =
                account.tickets.values().map(|ticket| ticket.external_id.as_deref()).collect();
            (account.tickets.len() - keys.len()) as u64
        })
    }

    /// Tickets and messages that are there twice, and that are missing. `refused` are the ones that may be missing.
    pub(super) fn judge(&self, world: &World, refused: &BTreeSet<String>) -> (u64, u64) {
        world.gorgias.account(|account| {
            let mut tickets: BTreeMap<&str, u64> = BTreeMap::new();
            let mut live = BTreeSet::new();
            for ticket in account.tickets.values().filter(|ticket| ticket.trashed_at.is_none()) {
                *tickets.entry(ticket.external_id.as_deref().unwrap_or_default()).or_default() += 1;
                live.insert(ticket.id);
            }
            let mut messages: BTreeMap<&str, u64> = BTreeMap::new();
            for message in account.messages.values().filter(|message| live.contains(&message.ticket)) {
                *messages.entry(message.external_id.as_deref().unwrap_or_default()).or_default() += 1;
            }
            let (mut twice, mut missing) = (0, 0);
            let mut look = |count: Option<&u64>| match count {
                None => missing += 1,
                Some(count) => twice += count - 1,
            };
            for number in 1..=self.records {
                let key = lead(number);
                if refused.contains(&key) {
                    continue;
                }
                look(tickets.get(key.as_str()));
                for message in messages_of(&key).filter(|message| !refused.contains(message)) {
                    look(messages.get(message.as_str()));
                }
            }
            (twice, missing)
        })
    }
}

fn messages_of(ticket: &str) -> impl Iterator<Item = String> {
    (1..=MESSAGES).map(move |position| format!("{ticket}:message:{position}"))
}
