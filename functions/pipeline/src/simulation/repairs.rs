//! Histories of a repair: records are damaged and lost, people act before and while it runs, processes die.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use migration::gorgias::{CustomerId, MessageId, TicketId};

use super::histories::LAG_COVERED;
use super::rollbacks::{Edit, Migrated, STARTS_MAX, same};
use super::{Sum, in_virtual_time};
use crate::ports::gorgias::Ticket;
use crate::reconcile;
use crate::repair::{self, Planned, codes};
use crate::repairs;
use crate::testing::chance::{Chance, Weather};
use crate::testing::wants::{contact, lead};
use crate::testing::world::{Effects, Stroke};
use crate::testing::{Account, World};

/// Kinds of damage.
const DAMAGES: u64 = 9;

impl Migrated {
    /// Points at which a repair of every kind of damage can be killed.
    #[must_use]
    pub fn repair_points(&self) -> u64 {
        in_virtual_time(async {
            let world = self.broken();
            plan_it(&world).await;
            let process = world.beside(Effects::struck([], Duration::ZERO));
            repair::apply(&process.context()).await.ok();
            process.effects.points()
        })
    }

    /// A repair of every kind of damage that is killed at this point and started again.
    #[must_use]
    pub fn mended_at(&self, point: u64) -> Sum {
        in_virtual_time(async {
            let world = self.broken();
            let mut sum = Sum { records: self.people, ..Sum::default() };
            plan_it(&world).await;
            let is_done = apply_it(&world, Some(point), &mut sum).await;
            sum.stuck = u64::from(!is_done);
            self.judge_repair(&world, &People::default(), &mut sum);
            sum.judged(point)
        })
    }

    /// A history with damage, people, storms and deaths, drawn by a seed.
    #[must_use]
    pub fn repair_history(&self, seed: u64) -> Sum {
        in_virtual_time(async {
            let mut chance = Chance::new(seed ^ 0x0e_5a1e);
            let weather =
                if chance.happens(500) { Weather::of(seed).without("refused") } else { Weather::fair() };
            let world = self.world(&weather);
            let mut sum = Sum { records: self.people, ..Sum::default() };
            let mut people = People::default();
            for _ in 0..chance.below(3) {
                people.act(self, &world, &mut chance);
            }
            for _ in 0..1 + chance.below(4) {
                let (number, kind) = (1 + chance.below(self.people), chance.below(DAMAGES));
                world.gorgias.account(|account| damage(account, number, kind, &people));
            }
            if !plan_it(&world).await {
                sum.stuck = 1;
                return sum.judged(seed);
            }
            let kill = chance.happens(500).then(|| 1 + chance.below(8 * self.people));
            let pause = Duration::from_millis(chance.below(250 * self.people));
            let meanwhile = chance.below(3);
            let (is_done, ()) = tokio::join!(apply_it(&world, kill, &mut sum), async {
                for _ in 0..meanwhile {
                    tokio::time::sleep(pause).await;
                    people.act(self, &world, &mut chance);
                }
            });
            sum.stuck = u64::from(!is_done);
            sum.edits = people.edits.len() as u64;
            // Whatever may still come has come.
            tokio::time::sleep(Duration::from_secs(1_000)).await;
            let is_covered = weather.lag.longest() <= LAG_COVERED;
            let mut clear = |weather: &mut Weather| {
                for (kind, count) in &weather.fired {
                    *sum.faults.entry((*kind).to_owned()).or_default() += count;
                }
                *weather = Weather::fair();
            };
            world.gorgias.weather(&mut clear);
            world.store.weather(&mut clear);
            sum.requests = world.gorgias.all_requests();
            clear_seconds(&world, is_covered, &mut sum).await;
            people.overtaken = overtaken(&world).await;
            self.judge_repair(&world, &people, &mut sum);
            sum.judged(seed)
        })
    }

    /// Every kind of damage once, each at records of its own as far as there are enough.
    fn broken(&self) -> World {
        let world = self.world(&Weather::fair());
        world.gorgias.account(|account| {
            for kind in 0..DAMAGES {
                damage(account, 1 + kind % self.people, kind, &People::default());
            }
        });
        world
    }

    /// What of people's work is gone or brought back, and what nobody touched and is not as it was loaded.
    fn judge_repair(&self, world: &World, people: &People, sum: &mut Sum) {
        let (edits, touched) = (&people.edits, people.tickets());
        world.gorgias.account(|account| {
            let gone = edits.iter().filter(|edit| !edit.is_there(account));
            let (named, silent): (Vec<&Edit>, Vec<&Edit>) = gone.partition(|edit| people.is_overtaken(edit));
            sum.edits_overtaken = named.len() as u64;
            sum.edits_lost = silent.len() as u64;
            for (id, loaded) in &self.loaded.tickets {
                let key = &loaded.external_id;
                let live: Vec<&Ticket> = account
                    .tickets
                    .values()
                    .filter(|ticket| ticket.external_id == *key && ticket.trashed_at.is_none())
                    .collect();
                // One that was made again and that a person took away then, under another id.
                let is_taken = key.as_ref().is_some_and(|key| people.taken.contains(key));
                if is_taken && !touched.contains(id) {
                    sum.edits_lost += u64::from(!live.is_empty());
                    continue;
                }
                // Some of them are touched after they were made again, under another id.
                if touched.contains(id) || live.iter().any(|ticket| touched.contains(&ticket.id)) {
                    // What people took away is not made again.
                    sum.duplicates += live.len().saturating_sub(1) as u64;
                    let is_gone = edits.iter().any(|edit| {
                        edit.ticket() == Some(*id) && matches!(edit, Edit::Deleted(_) | Edit::Trashed(_))
                    });
                    sum.edits_lost += u64::from(is_gone && !live.is_empty());
                    continue;
                }
                let is_right = live.len() == 1
                    && same(&Ticket { id: *id, ..live[0].clone() }, loaded)
                    && texts(account, live[0].id) == texts(&self.loaded, *id);
                sum.not_restored += u64::from(!is_right);
            }
            for (id, loaded) in self.loaded.customers.iter().filter(|(id, _)| !people.renamed(**id)) {
                sum.not_restored += u64::from(account.customers.get(id) != Some(loaded));
            }
            sum.duplicates += twice(account);
        });
    }
}

/// What people did.
#[derive(Default)]
struct People {
    edits: Vec<Edit>,
    /// Keys of tickets that they deleted or put into the trash.
    taken: BTreeSet<String>,
    /// Records that the repair names because they acted between its look and its write: object and id.
    overtaken: BTreeSet<(String, String)>,
}

impl People {
    fn act(&mut self, migrated: &Migrated, world: &World, chance: &mut Chance) {
        let keys: BTreeMap<TicketId, String> = world.gorgias.account(|account| {
            let named = account.tickets.values();
            named.filter_map(|ticket| Some((ticket.id, ticket.external_id.clone()?))).collect()
        });
        let count = self.edits.len();
        migrated.act(world, chance, &mut self.edits, true);
        if let Some(Edit::Deleted(id) | Edit::Trashed(id)) = self.edits.get(count..).and_then(<[_]>::last) {
            self.taken.extend(keys.get(id).cloned());
        }
    }

    fn tickets(&self) -> BTreeSet<TicketId> {
        self.edits.iter().filter_map(Edit::ticket).collect()
    }

    /// A field that the repair wrote over and named. What is taken away or answered can never be written over.
    fn is_overtaken(&self, edit: &Edit) -> bool {
        let record = match edit {
            Edit::Renamed(id, _) | Edit::Tagged(id) | Edit::Assigned(id) => ("ticket", id.0),
            Edit::CustomerRenamed(id, _) => ("customer", id.0),
            Edit::Answered(..) | Edit::Trashed(_) | Edit::Deleted(_) | Edit::NewTicket(..) => return false,
        };
        self.overtaken.contains(&(record.0.to_owned(), record.1.to_string()))
    }

    fn renamed(&self, id: CustomerId) -> bool {
        self.edits.iter().any(|edit| matches!(edit, Edit::CustomerRenamed(held, _) if *held == id))
    }
}

/// Records that the repairs name because somebody acted while they were written.
async fn overtaken(world: &World) -> BTreeSet<(String, String)> {
    let repairs = repairs::all(&world.context()).await.unwrap_or_default();
    let left = repairs.into_iter().filter_map(|repair| repair.done).flat_map(|done| done.residue);
    left.filter(|left| left.code == codes::OVERTAKEN).map(|left| (left.object, left.gorgias_id)).collect()
}

/// Records of ours that are there more than once, without what lies in the trash.
fn twice(account: &Account) -> u64 {
    let mut account = account.clone();
    account.tickets.retain(|_, ticket| ticket.trashed_at.is_none());
    let live = account.tickets.clone();
    account.messages.retain(|_, message| live.contains_key(&message.ticket));
    account.duplicates().len() as u64
}

/// What was written twice is counted, and cleared by the comparison that follows every repair.
async fn clear_seconds(world: &World, is_covered: bool, sum: &mut Sum) {
    let before = world.gorgias.account(|account| twice(account));
    if before == 0 {
        return;
    }
    // A look-up that lags longer than is waited for breaks an assumption on purpose.
    let counted = if is_covered { &mut sum.written_twice } else { &mut sum.written_twice_uncovered };
    *counted += before;
    let ctx = world.context();
    for wave in reconcile::covering(&ctx).await.unwrap_or_default() {
        // A comparison that finds differences is no error: the judge looks for itself.
        reconcile::after_writes(&ctx, wave).await.ok();
    }
    sum.swept += before.saturating_sub(world.gorgias.account(|account| twice(account)));
}

/// Keys and texts of a ticket's messages of ours.
fn texts(account: &Account, ticket: TicketId) -> BTreeSet<(String, Option<String>)> {
    let messages = account.messages.values().filter(|message| message.ticket == ticket);
    messages.filter_map(|message| Some((message.external_id.clone()?, message.body_text.clone()))).collect()
}

/// Something goes wrong with a record of ours; what people touched is left alone, since damage would be their loss.
fn damage(account: &mut Account, number: u64, kind: u64, people: &People) {
    let touched = people.tickets();
    let key = lead(number);
    let ticket = account.tickets.values().find(|found| found.external_id.as_deref() == Some(&key));
    let ticket = ticket.map(|found| found.id).filter(|id| !touched.contains(id));
    let key = contact(number);
    let customer = account.customers.values_mut().find(|found| found.external_id.as_deref() == Some(&key));
    if let (6..=8, Some(customer)) = (kind, customer) {
        match kind {
            _ if people.renamed(customer.id) => {}
            // What the second one held before us is not ours to mend.
            6 if number == 2 => {}
            6 => customer.name = Some(format!("damaged {number}")),
            7 => customer.values = Some(Vec::new()),
            _ => customer.external_id = None,
        }
        return;
    }
    let Some(id) = ticket else { return };
    let first: Option<MessageId> =
        account.messages.values().find(|message| message.ticket == id).map(|message| message.id);
    match (kind, account.tickets.get_mut(&id), first) {
        (0, Some(ticket), _) => ticket.subject = Some("damaged".to_owned()),
        (1, Some(ticket), _) => ticket.tags.clear(),
        (2, Some(ticket), _) => ticket.values.clear(),
        (3, _, Some(message)) => {
            account.messages.entry(message).and_modify(|held| held.body_text = Some("damaged".to_owned()));
        }
        (4, _, Some(message)) => drop(account.messages.remove(&message)),
        (5, Some(_), _) => {
            account.tickets.remove(&id);
            account.messages.retain(|_, message| message.ticket != id);
        }
        _ => {}
    }
}

async fn plan_it(world: &World) -> bool {
    for _ in 0..STARTS_MAX {
        match repair::plan(&world.context()).await {
            Ok(Planned::New(_)) => return true,
            Ok(_) => return false,
            Err(_) => {}
        }
    }
    false
}

/// Carries the plan out to its end; the first start is killed at a point.
async fn apply_it(world: &World, kill: Option<u64>, sum: &mut Sum) -> bool {
    let mut kill = kill;
    for _ in 0..STARTS_MAX {
        let strokes = kill.take().map(|point| (point, Stroke::Kill));
        let process = world.beside(Effects::struck(strokes, Duration::ZERO));
        let mut ctx = process.context();
        ctx.limits.ledger.is_exclusive = true;
        ctx.limits.refused_percent_max = 100.0;
        ctx.limits.refused_in_a_row_max = usize::MAX;
        let ended = tokio::select! {
            biased;
            () = process.effects.killed() => None,
            ended = repair::apply(&ctx) => Some(ended),
        };
        match ended {
            None => sum.kills += 1,
            Some(Ok(_)) => return true,
            Some(Err(_)) => {}
        }
    }
    false
}
