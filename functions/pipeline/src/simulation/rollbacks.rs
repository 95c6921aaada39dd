//! Histories of a rollback: people act before, while and after it runs, processes die, and some are undone.

use std::collections::BTreeSet;
use std::time::Duration;

use migration::gorgias::{CustomerId, MessageId, TicketId, UserId};

use super::{Sum, Template, in_virtual_time};
use crate::ports::clock::Clock as _;
use crate::ports::gorgias::{AuditEvent, Customer, Message, Ticket};
use crate::rollback::{self, Planned, RollbackError};
use crate::testing::chance::{Chance, Weather};
use crate::testing::wants::{self, Wants, contact, lead};
use crate::testing::world::{Effects, Stroke};
use crate::testing::{Account, World};
use crate::wave::Wave;
use crate::{finish, load, plan, prepare, reconcile};

/// Starts that a phase may take before it counts as stuck.
pub(super) const STARTS_MAX: usize = 12;
/// The hold of these histories.
const HOLD: Duration = Duration::from_secs(3_600);
/// The other user of the account.
const PERSON: UserId = UserId(2);

/// A finished migration, from which every history of a rollback starts.
pub struct Migrated {
    world: World,
    before: Account,
    pub(super) loaded: Account,
    pub(super) people: u64,
}

/// What a person did, and how to see that it is still there.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    Renamed(TicketId, String),
    Tagged(TicketId),
    Answered(TicketId, MessageId),
    Assigned(TicketId),
    Trashed(TicketId),
    Deleted(TicketId),
    CustomerRenamed(CustomerId, String),
    NewTicket(CustomerId, TicketId),
}

impl Edit {
    /// The ticket or customer that it is about.
    pub(super) fn ticket(&self) -> Option<TicketId> {
        match self {
            Self::Renamed(id, _)
            | Self::Tagged(id)
            | Self::Answered(id, _)
            | Self::Assigned(id)
            | Self::Trashed(id)
            | Self::Deleted(id) => Some(*id),
            Self::CustomerRenamed(..) | Self::NewTicket(..) => None,
        }
    }

    pub(super) fn is_there(&self, account: &Account) -> bool {
        let live = |id: &TicketId| account.tickets.get(id).filter(|ticket| ticket.trashed_at.is_none());
        match self {
            Self::Renamed(id, subject) => {
                live(id).is_some_and(|ticket| ticket.subject.as_ref() == Some(subject))
            }
            Self::Tagged(id) => live(id).is_some_and(|ticket| ticket.tags.iter().any(|tag| tag == "VIP")),
            Self::Answered(id, message) => live(id).is_some() && account.messages.contains_key(message),
            Self::Assigned(id) => live(id).is_some_and(|ticket| ticket.assignee_user.is_none()),
            Self::Trashed(id) => live(id).is_none(),
            Self::Deleted(id) => !account.tickets.contains_key(id),
            Self::CustomerRenamed(id, name) => {
                account.customers.get(id).is_some_and(|customer| customer.name.as_ref() == Some(name))
            }
            Self::NewTicket(customer, id) => account.customers.contains_key(customer) && live(id).is_some(),
        }
    }
}

impl Migrated {
    /// Migrates so many people, of whom one was there before.
    #[must_use]
    pub fn new(people: u64) -> Self {
        let mut before = Account::fresh();
        let old = wants::there_before(2);
        before.customers.insert(old.id, old);
        let mut world = World::new(before.clone());
        world.limits.rollback_hold = HOLD;
        in_virtual_time(async {
            Wants::people(people, 2).seal(&world).await;
            let ctx = world.context();
            prepare::prepare(&ctx, &Wants::schema()).await.expect("prepared");
            plan::run(&ctx).await.expect("planned");
            for wave in Wave::ALL {
                load::run(&ctx, wave).await.expect("loaded");
                reconcile::run(&ctx, wave).await.expect("compared");
            }
            finish::run(&ctx).await.expect("finished");
        });
        let loaded = world.gorgias.account(|account| account.clone());
        Self { world, before, loaded, people }
    }

    /// A migration that others have made.
    pub(super) fn of(world: World, loaded: Account, people: u64) -> Self {
        Self { before: loaded.clone(), world, loaded, people }
    }

    /// Points at which the first phase can be killed.
    #[must_use]
    pub fn kill_points(&self) -> u64 {
        in_virtual_time(async {
            let world = self.world(&Weather::fair());
            plan_it(&world).await;
            let process = world.beside(Effects::struck([], Duration::ZERO));
            rollback::apply(&process.context()).await.ok();
            process.effects.points()
        })
    }

    /// A rollback that is killed at this point and started again, then purged.
    #[must_use]
    pub fn killed_at(&self, point: u64) -> Sum {
        in_virtual_time(async {
            let world = self.world(&Weather::fair());
            let mut sum = Sum { records: self.people, ..Sum::default() };
            plan_it(&world).await;
            let is_done = phase(&world, Some(point), STARTS_MAX, &mut sum, Phase::Apply).await
                && phase(&world, None, STARTS_MAX, &mut sum, Phase::Purge).await;
            sum.stuck = u64::from(!is_done);
            self.judge(&world, &[], true, &mut sum);
            sum.judged(point)
        })
    }

    /// A history with people, storms and deaths, drawn by a seed; every third is undone instead of purged.
    #[must_use]
    pub fn history(&self, seed: u64) -> Sum {
        in_virtual_time(async {
            let mut chance = Chance::new(seed ^ 0x0b5e_55ed);
            let weather =
                if chance.happens(500) { Weather::of(seed).without("refused") } else { Weather::fair() };
            let world = self.world(&weather);
            let mut sum = Sum { records: self.people, ..Sum::default() };
            let mut edits = Vec::new();
            let some = |chance: &mut Chance| chance.below(3);
            for _ in 0..some(&mut chance) {
                // What is changed before the plan shows even where the log does not tell of it.
                let is_logged = chance.happens(500);
                self.act(&world, &mut chance, &mut edits, is_logged);
            }
            if !plan_it(&world).await {
                sum.stuck = 1;
                return sum.judged(seed);
            }
            let kill = chance.happens(500).then(|| 1 + chance.below(8 * self.people));
            let pause = Duration::from_millis(chance.below(250 * self.people));
            let meanwhile = some(&mut chance);
            let is_undone = chance.happens(333);
            // Some are given up half way, and undone at once.
            let starts = if is_undone && chance.happens(500) { 1 } else { STARTS_MAX };
            // People go on working while it runs.
            let (mut is_done, ()) =
                tokio::join!(phase(&world, kill, starts, &mut sum, Phase::Apply), async {
                    for _ in 0..meanwhile {
                        tokio::time::sleep(pause).await;
                        self.act(&world, &mut chance, &mut edits, true);
                    }
                });
            for _ in 0..some(&mut chance) {
                self.act(&world, &mut chance, &mut edits, true);
            }
            let kill = chance.happens(500).then(|| 1 + chance.below(8 * self.people));
            let last = if is_undone { Phase::Undo } else { Phase::Purge };
            // One that did not even begin has nothing to undo.
            let newest = rollback::newest(&world.context()).await.ok().flatten();
            let has_begun = newest.is_none_or(|newest| newest.phase != rollback::Phase::Planned);
            is_done = !has_begun
                || (is_done || starts == 1) && phase(&world, kill, STARTS_MAX, &mut sum, last).await;
            sum.stuck = u64::from(!is_done);
            sum.edits = edits.len() as u64;
            self.judge(&world, &edits, !is_undone, &mut sum);
            let mut clear = |weather: &mut Weather| {
                for (kind, count) in &weather.fired {
                    *sum.faults.entry((*kind).to_owned()).or_default() += count;
                }
            };
            world.gorgias.weather(&mut clear);
            world.store.weather(&mut clear);
            sum.requests = world.gorgias.all_requests();
            sum.judged(seed)
        })
    }

    pub(super) fn world(&self, weather: &Weather) -> World {
        self.world.copied(Template::pace(), Duration::ZERO, weather, None)
    }

    /// A person does something to a record of ours that nobody has touched yet.
    pub(super) fn act(&self, world: &World, chance: &mut Chance, edits: &mut Vec<Edit>, is_logged: bool) {
        let now = world.clock.now();
        let number = 1 + chance.below(self.people);
        let kind = chance.below(8);
        let text = format!("written by a person {}", chance.below(1_000));
        let touched: BTreeSet<TicketId> = edits.iter().filter_map(Edit::ticket).collect();
        let edit = world.gorgias.account(|account| {
            let key = lead(number);
            let is_ours = |found: &&Ticket| found.external_id.as_deref() == Some(&key);
            let ticket = account.tickets.values().find(is_ours).map(|found| found.id);
            let key = contact(number);
            let is_ours = |found: &&Customer| found.external_id.as_deref() == Some(&key);
            let customer = account.customers.values().find(is_ours).map(|found| found.id);
            let ticket = ticket.filter(|id| !touched.contains(id));
            let edit = match (kind, ticket, customer) {
                (0, Some(id), _) => {
                    account.tickets.get_mut(&id)?.subject = Some(text.clone());
                    Edit::Renamed(id, text)
                }
                (1, Some(id), _) => {
                    account.tickets.get_mut(&id)?.tags.push("VIP".to_owned());
                    Edit::Tagged(id)
                }
                (2, Some(id), _) => {
                    let message = MessageId(1_000_000 + account.messages.len() as u64);
                    let template = account.messages.values().next()?.clone();
                    let answer = Message { id: message, ticket: id, external_id: None, ..template };
                    account.messages.insert(message, answer);
                    Edit::Answered(id, message)
                }
                (3, Some(id), _) => {
                    account.tickets.get_mut(&id)?.assignee_user = None;
                    Edit::Assigned(id)
                }
                (4, Some(id), _) if account.tickets.get(&id)?.trashed_at.is_none() => {
                    account.tickets.get_mut(&id)?.trashed_at = Some(now);
                    Edit::Trashed(id)
                }
                (5, Some(id), _) => {
                    account.tickets.remove(&id);
                    account.messages.retain(|_, message| message.ticket != id);
                    Edit::Deleted(id)
                }
                (6, _, Some(id)) => {
                    account.customers.get_mut(&id)?.name = Some(text.clone());
                    edits.retain(|edit| !matches!(edit, Edit::CustomerRenamed(held, _) if *held == id));
                    Edit::CustomerRenamed(id, text)
                }
                (7, _, Some(customer)) => {
                    let id = TicketId(2_000_000 + account.tickets.len() as u64 + edits.len() as u64);
                    let template = account.tickets.values().next()?.clone();
                    let ticket = ticket_of_theirs(id, customer, template);
                    account.tickets.insert(id, ticket);
                    Edit::NewTicket(customer, id)
                }
                _ => return None,
            };
            if is_logged {
                log(account, &edit, now);
            }
            Some(edit)
        });
        edits.extend(edit);
    }

    /// What of people's work is gone, and what nobody touched and is not as it should be.
    fn judge(&self, world: &World, edits: &[Edit], is_purged: bool, sum: &mut Sum) {
        let touched: BTreeSet<TicketId> = edits.iter().filter_map(Edit::ticket).collect();
        let renamed = |id: &CustomerId| {
            edits.iter().any(|edit| matches!(edit, Edit::CustomerRenamed(held, _) if held == id))
        };
        world.gorgias.account(|account| {
            sum.edits_lost = edits.iter().filter(|edit| !edit.is_there(account)).count() as u64;
            let kept: BTreeSet<CustomerId> =
                account.tickets.values().filter_map(|ticket| ticket.customer).collect();
            for (id, loaded) in self.loaded.tickets.iter().filter(|(id, _)| !touched.contains(*id)) {
                let found = account.tickets.get(id);
                let is_right =
                    if is_purged { found.is_none() } else { found.is_some_and(|it| same(it, loaded)) };
                sum.not_restored += u64::from(!is_right);
            }
            for (id, loaded) in &self.loaded.customers {
                let found = account.customers.get(id);
                let is_right = match self.before.customers.get(id) {
                    _ if renamed(id) => true,
                    _ if !is_purged => found == Some(loaded),
                    Some(before) => found == Some(before),
                    None => found.is_none() || kept.contains(id),
                };
                sum.not_restored += u64::from(!is_right);
            }
            sum.duplicates = account.duplicates().len() as u64;
        });
    }
}

/// A ticket that a person opens for a customer of ours.
fn ticket_of_theirs(id: TicketId, customer: CustomerId, template: Ticket) -> Ticket {
    Ticket {
        id,
        external_id: None,
        customer: Some(customer),
        trashed_at: None,
        tags: Vec::new(),
        values: Vec::new(),
        assignee_team: None,
        ..template
    }
}

/// Everything but what moves by itself.
pub(super) fn same(found: &Ticket, loaded: &Ticket) -> bool {
    Ticket { updated_at: None, ..found.clone() } == Ticket { updated_at: None, ..loaded.clone() }
}

fn log(account: &mut Account, edit: &Edit, at: jiff::Timestamp) {
    let (kind, object_type, object) = match edit {
        Edit::Renamed(id, _) => ("ticket-subject-updated", "Ticket", id.0),
        Edit::CustomerRenamed(id, _) => ("customer-updated", "Customer", id.0),
        Edit::NewTicket(_, id) => ("ticket-created", "Ticket", id.0),
        Edit::Tagged(id) => ("ticket-tags-added", "Ticket", id.0),
        Edit::Answered(id, _) => ("ticket-message-created", "Ticket", id.0),
        Edit::Assigned(id) => ("ticket-assigned", "Ticket", id.0),
        Edit::Trashed(id) => ("ticket-trashed", "Ticket", id.0),
        Edit::Deleted(id) => ("ticket-deleted", "Ticket", id.0),
    };
    let id = account.events.len() as u64 + 1;
    let event = AuditEvent {
        id,
        kind: kind.to_owned(),
        object_type: object_type.to_owned(),
        object,
        user: Some(PERSON),
        at,
    };
    account.events.push(event);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Apply,
    Undo,
    Purge,
}

async fn plan_it(world: &World) -> bool {
    for _ in 0..STARTS_MAX {
        match rollback::plan_for(&world.context(), &Wants::schema()).await {
            Ok(Planned::New(_)) => return true,
            Ok(_) => return false,
            Err(_) => {}
        }
    }
    false
}

/// Runs a phase to its end; the first start is killed at a point.
async fn phase(world: &World, kill: Option<u64>, starts: usize, sum: &mut Sum, phase: Phase) -> bool {
    let mut kill = kill;
    if phase == Phase::Purge {
        tokio::time::sleep(HOLD + Duration::from_secs(1)).await;
    }
    for _ in 0..starts {
        let strokes = kill.take().map(|point| (point, Stroke::Kill));
        let process = world.beside(Effects::struck(strokes, Duration::ZERO));
        let mut ctx = process.context();
        ctx.limits.ledger.is_exclusive = true;
        ctx.limits.refused_percent_max = 100.0;
        ctx.limits.refused_in_a_row_max = usize::MAX;
        let run = async {
            match phase {
                Phase::Apply => rollback::apply(&ctx).await,
                Phase::Undo => rollback::undo(&ctx).await,
                Phase::Purge => {
                    let plan = rollback::newest(&ctx).await.ok().flatten();
                    let count = plan.map_or(0, |newest| newest.plan.count("remove"));
                    rollback::purge(&ctx, count).await
                }
            }
        };
        let ended = tokio::select! {
            biased;
            () = process.effects.killed() => None,
            ended = run => Some(ended),
        };
        match ended {
            None => sum.kills += 1,
            Some(Ok(_)) => return true,
            Some(Err(RollbackError::OutOfOrder { .. })) => return false,
            Some(Err(_)) => {}
        }
    }
    false
}
