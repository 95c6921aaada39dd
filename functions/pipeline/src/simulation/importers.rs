//! Importers as they are usually written, in the same world and the same storms, to see what the protocol is for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use migration::gorgias::{CustomerId, TicketStatus, UserId};
use migration::keys::ExternalId;

use super::{Sum, Template, in_virtual_time};
use crate::ports::gorgias::{Gorgias as _, NewDelivery, NewMessage, NewTicket, WriteError};
use crate::testing::World;
use crate::testing::chance::{Chance, Weather};
use crate::testing::wants::{contact, lead};
use crate::testing::world::{Effects, Stroke};

/// Tries of one record.
const TRIES: usize = 5;

/// How an importer knows what it has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Importer {
    /// It begins from the start, and tries again after every error.
    Neither,
    /// It notes what was created, and tries again after every error.
    SaveAfterCreate,
    /// It asks for the key before every creation, and tries again after every error.
    LookUpFirst,
}

impl Importer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Neither, Self::SaveAfterCreate, Self::LookUpFirst];

    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Neither => "neither",
            Self::SaveAfterCreate => "save_after_create",
            Self::LookUpFirst => "look_up_first",
        }
    }
}

impl Template {
    /// The storm of this seed, met by another importer.
    #[must_use]
    pub fn naive(&self, seed: u64, importer: Importer) -> Sum {
        let mut chance = Chance::new(seed);
        let points = 2 * (self.records + self.records / 10);
        let kills: Vec<u64> = (0..chance.below(4)).map(|_| 1 + chance.below(points)).collect();
        in_virtual_time(async {
            let world = self.world(&Weather::of(seed), None);
            let mut sum = Sum { records: self.records, ..Sum::default() };
            // Its notes are in a file that a crash leaves alone.
            let mut saved = BTreeSet::new();
            for kill in kills.iter().map(|kill| Some(*kill)).chain([None]) {
                let strokes = kill.map(|point| (point, Stroke::Kill));
                let process = world.beside(Effects::struck(strokes, Duration::ZERO));
                let is_done = tokio::select! {
                    biased;
                    () = process.effects.killed() => false,
                    () = self.import(&process, importer, &mut saved) => true,
                };
                sum.kills += u64::from(!is_done);
                if is_done {
                    break;
                }
            }
            tokio::time::sleep(Duration::from_secs(1_000)).await;
            (sum.duplicates, sum.lost) = self.judge(&world, &BTreeSet::new());
            sum.requests = world.gorgias.all_requests();
            sum.look_ups = world.gorgias.requests("GET /tickets?external_id");
            sum.judged(seed)
        })
    }

    async fn import(&self, world: &World, importer: Importer, saved: &mut BTreeSet<u64>) {
        for number in 1..=self.records {
            if importer == Importer::SaveAfterCreate && saved.contains(&number) {
                continue;
            }
            let ticket = ticket_of(world, number);
            for _ in 0..TRIES {
                if importer == Importer::LookUpFirst {
                    let found = world.gorgias.tickets_by_external_id(&ticket.external_id).await;
                    if found.is_ok_and(|found| !found.is_empty()) {
                        break;
                    }
                }
                match world.gorgias.create_ticket(&ticket).await {
                    Ok(_) => {
                        saved.insert(number);
                        break;
                    }
                    Err(WriteError::Refused { .. }) => break,
                    Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
                }
            }
        }
    }
}

fn ticket_of(world: &World, number: u64) -> NewTicket {
    let key = lead(number);
    let owner = contact(number);
    let customer = world.gorgias.account(|account| {
        let mut customers = account.customers.values();
        customers.find(|found| found.external_id.as_deref() == Some(&owner)).map(|found| found.id)
    });
    let at = Timestamp::from_second(1_700_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
    let message = |position: u64| NewMessage {
        external_id: ExternalId::from_stored(format!("{key}:message:{position}")),
        delivery: NewDelivery::InternalNote { author: UserId(2), at },
        body_text: "text".to_owned(),
        body_html: "<div>text</div>".to_owned(),
        attachments: Vec::new(),
    };
    NewTicket {
        external_id: ExternalId::from_stored(key.clone()),
        customer: customer.unwrap_or(CustomerId(0)),
        subject: "Subject".to_owned(),
        status: TicketStatus::Closed,
        channel: "internal-note".to_owned(),
        assignee_user: None,
        assignee_team: None,
        tags: Vec::new(),
        values: Vec::new(),
        created_at: at,
        closed_at: Some(at),
        last_message_at: at,
        meta: BTreeMap::new(),
        messages: vec![message(1), message(2)],
    }
}
