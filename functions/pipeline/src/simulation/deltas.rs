//! Histories of deltas: agents go on working in LeadDesk, people at Gorgias, processes die, and some runs are taken back.
//!
//! The judge knows the rules of the mapping by itself: who is one person, which tickets and calls there must be, and that
//! people win. It asks no code of the product for them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use migration::gorgias::TicketId;
use migration::settings::{AnonymisedChat, ConflictRule, VanishedPolicy};

use super::desk::{Books, Desk};
use super::rollbacks::{Edit, Migrated};
use super::{Bug, Sum, in_virtual_time};
use crate::conduct::Step;
use crate::context::Context;
use crate::delta;
use crate::deltas::{self, DoneV1};
use crate::ports::leaddesk::LeadDesk;
use crate::ports::store::Key;
use crate::propose::{self, Confirmation, LeaveOut};
use crate::repair;
use crate::rollback;
use crate::testing::account::essence;
use crate::testing::chance::{Chance, Weather};
use crate::testing::world::{Effects, Stroke};
use crate::testing::{Account, World};
use crate::wave::Wave;
use crate::worker::run_step;

#[cfg(test)]
mod chats;
mod events;
#[cfg(test)]
mod hours;
mod judge;
#[cfg(test)]
mod named;
#[cfg(test)]
mod overtaken;
#[cfg(test)]
mod sameness;

pub use events::FIRED;
pub(super) use events::change;
use events::{CHANGES, People};

/// Starts that a delta may take before it counts as stuck.
pub(super) const STARTS_MAX: usize = 16;
/// Deltas of a history at most.
const DELTAS_MAX: u64 = 4;
/// Steps of the run that deltas go on from.
const STEPS: [Step; 10] = [
    Step::Extract,
    Step::Transform,
    Step::Plan,
    Step::Load(Wave::Customers),
    Step::Reconcile(Wave::Customers),
    Step::Load(Wave::Leads),
    Step::Reconcile(Wave::Leads),
    Step::Load(Wave::Chats),
    Step::Reconcile(Wave::Chats),
    Step::Finish,
];

/// A finished migration of an account whose people go on working.
pub struct Ongoing {
    world: World,
    books: Books,
    people: u64,
}

fn at_desk(world: &World, desk: &Arc<Desk>, files: &Path) -> Context {
    let mut ctx = world.context();
    ctx.source = Arc::clone(desk) as Arc<dyn LeadDesk>;
    ctx.files = files.to_path_buf();
    ctx
}

async fn confirm(ctx: &Context) {
    let conflicts = propose::proposal(ctx).await.expect("a proposal").conflicts();
    let leave_out = conflicts
        .into_iter()
        .map(|conflict| LeaveOut { id: conflict.id, reason: "proof".to_owned() })
        .collect();
    let at = ctx.clock.now();
    let confirmation = Confirmation { reviewer: "Proof".to_owned(), at, leave_out, proposal_digest: None };
    propose::confirm(ctx, &confirmation).await.expect("a confirmation");
}

impl Ongoing {
    /// Migrates so many people, with one lead and one call each.
    #[must_use]
    pub fn new(people: u64) -> Self {
        Self::with(people, AnonymisedChat::Placeholder, |_| ())
    }

    /// The same with more files of the operator, and with what becomes of conversations of nobody.
    fn with(people: u64, anonymised: AnonymisedChat, put: impl FnOnce(&Path)) -> Self {
        let world = World::new(Account::fresh());
        let books = Books::of(people);
        let desk = Arc::new(Desk::of(books.clone()));
        let files = tempfile::tempdir().expect("a temporary folder");
        books.write_log(1, files.path());
        put(files.path());
        in_virtual_time(async {
            let mut ctx = at_desk(&world, &desk, files.path());
            ctx.mapping.anonymised_chat = anonymised;
            run_step(&ctx, Step::Discover).await.expect("discovered");
            run_step(&ctx, Step::Propose).await.expect("proposed");
            confirm(&ctx).await;
            run_step(&ctx, Step::Prepare).await.expect("prepared");
            for step in STEPS {
                let report = run_step(&ctx, step).await.expect("every step comes to its end");
                assert!(!matches!(step, Step::Reconcile(_)) || report.findings.is_empty(), "{report:?}");
            }
        });
        Self { world, books, people }
    }

    /// A history drawn by a seed.
    #[must_use]
    pub fn history(&self, seed: u64) -> Sum {
        in_virtual_time(async { Play::of(self, seed, None).play().await })
    }

    /// Whether the history of this seed ends wrong when the protocol is broken in this way.
    #[must_use]
    pub fn shows(&self, seed: u64, bug: Bug) -> bool {
        in_virtual_time(async { Play::of(self, seed, Some(bug)).play().await }).wrong > 0
    }

    /// Points at which a delta with every kind of change can be killed.
    #[must_use]
    pub fn delta_points(&self) -> u64 {
        in_virtual_time(async {
            let mut play = Play::of(self, 0, None);
            play.every_change();
            let process = play.world.beside(Effects::struck([], Duration::ZERO));
            delta::run(&play.ctx(&process)).await.ok();
            process.effects.points()
        })
    }

    /// The same delta killed at this point and started again.
    #[must_use]
    pub fn killed_at(&self, point: u64) -> Sum {
        in_virtual_time(async {
            let mut play = Play::of(self, 0, None);
            play.every_change();
            if play.delta(Some(point), People::default()).await {
                play.end().await;
            }
            play.judge().await;
            play.sum.judged(point)
        })
    }
}

/// One history under way.
pub(super) struct Play {
    pub(super) seed: u64,
    bug: Option<Bug>,
    /// What becomes of tickets whose lead vanished.
    vanished: VanishedPolicy,
    pub(super) world: World,
    pub(super) desk: Arc<Desk>,
    files: tempfile::TempDir,
    chance: Chance,
    /// People of Gorgias, who act by the same hands as in the histories of rollbacks.
    hands: Migrated,
    pub(super) edits: Vec<Edit>,
    /// Keys of tickets that people took away.
    taken: BTreeSet<String>,
    /// Leads that were read.
    leads: BTreeSet<(u32, u64)>,
    /// Calls that were read, with their contacts.
    calls: BTreeMap<u64, u64>,
    /// Addresses of contacts as they were last read: what changes on a card right before it is deleted, nobody sees.
    emails: BTreeMap<u64, String>,
    /// The first call that the log tells.
    log_from: u64,
    pub(super) sum: Sum,
}

impl Play {
    pub(super) fn of(ongoing: &Ongoing, seed: u64, bug: Option<Bug>) -> Self {
        let weather = Weather::fair();
        let world = ongoing.world.copied(super::Template::pace(), Duration::ZERO, &weather, bug);
        let loaded = world.gorgias.account(|account| account.clone());
        let hands = Migrated::of(
            world.copied(super::Template::pace(), Duration::ZERO, &weather, None),
            loaded,
            ongoing.people,
        );
        let books = ongoing.books.clone();
        let is_by_lists = bug == Some(Bug::ListAlone);
        let desk = if is_by_lists { Desk::by_lists_alone(books) } else { Desk::of(books) };
        let mut chance = Chance::new(seed ^ 0xde17a);
        let vanished = match chance.below(4) {
            0 | 1 => VanishedPolicy::Keep,
            2 => VanishedPolicy::Tag,
            _ => VanishedPolicy::Close,
        };
        let mut play = Self {
            seed,
            bug,
            vanished,
            world,
            desk: Arc::new(desk),
            files: tempfile::tempdir().expect("a temporary folder"),
            chance,
            hands,
            edits: Vec::new(),
            taken: BTreeSet::new(),
            leads: BTreeSet::new(),
            calls: BTreeMap::new(),
            emails: BTreeMap::new(),
            log_from: 1,
            sum: Sum { records: ongoing.people, ..Sum::default() },
        };
        play.is_read();
        play
    }

    pub(super) fn ctx(&self, process: &World) -> Context {
        let mut ctx = at_desk(process, &self.desk, self.files.path());
        ctx.limits.ledger.is_exclusive = true;
        ctx.limits.refused_percent_max = 100.0;
        ctx.limits.refused_in_a_row_max = usize::MAX;
        ctx.limits.vanished = self.vanished;
        if self.bug == Some(Bug::ConflictsDropped) {
            ctx.mapping.conflict_default = ConflictRule::SourceWins;
        }
        ctx
    }

    /// Something happened that histories are there for.
    fn fired(&mut self, kind: &str) {
        *self.sum.faults.entry(kind.to_owned()).or_default() += 1;
    }

    /// What a reading sees from now on, until something changes.
    pub(super) fn is_read(&mut self) {
        let from = self.log_from;
        let (emails, leads, calls, log) = self.desk.with(|books| {
            let alive = books.cards.iter().filter(|(_, card)| card.is_alive);
            let emails: Vec<(u64, String)> =
                alive.clone().map(|(id, card)| (*id, card.email.clone())).collect();
            let leads: Vec<(u32, u64)> =
                alive.flat_map(|(id, card)| card.lists.iter().map(|list| (*list, *id))).collect();
            let calls: Vec<(u64, u64)> =
                books.calls.range(from..).map(|(id, call)| (*id, call.contact)).collect();
            (emails, leads, calls, books.call_log(from))
        });
        self.emails.extend(emails);
        self.leads.extend(leads);
        self.calls.extend(calls);
        std::fs::write(self.files.path().join("calls.csv"), log).expect("a folder of ours");
    }

    async fn play(mut self) -> Sum {
        for _ in 0..1 + self.chance.below(DELTAS_MAX) {
            for _ in 0..self.chance.below(4) {
                self.change();
            }
            self.world.gorgias.go_stale();
            for _ in 0..self.chance.below(3) {
                self.person("person_between");
            }
            if self.chance.happens(300) {
                self.fired("log_in_part");
                // Only what is new is exported.
                self.log_from = 1 + self.desk.with(|books| books.calls.len() as u64).saturating_sub(3);
            }
            self.is_read();
            let kill = self.chance.happens(400).then(|| 1 + self.chance.below(300));
            let people = People {
                while_dead: self.chance.happens(300),
                while_writing: self.chance.below(3),
                pause: Duration::from_millis(10 + self.chance.below(1_500)),
            };
            if !self.delta(kill, people).await {
                return self.judged();
            }
        }
        self.is_read();
        self.end().await;
        self.judge().await;
        Box::pin(self.cut_over()).await;
        if self.chance.happens(250) && self.sum.stuck == 0 {
            self.take_back().await;
            Box::pin(self.is_not_cut_over_again()).await;
        }
        self.judged()
    }

    fn judged(self) -> Sum {
        let (mut sum, seed) = (self.sum, self.seed);
        sum.edits = self.edits.len() as u64;
        sum.requests = self.world.gorgias.all_requests();
        sum.judged(seed)
    }

    /// Something changes at LeadDesk.
    fn change(&mut self) {
        let count = self.desk.with(|books| books.cards.len() as u64);
        let (contact, other) = (1 + self.chance.below(count), 1 + self.chance.below(count));
        let (kind, text) = (self.chance.below(10), self.chance.below(1_000));
        self.fired(CHANGES[usize::try_from(kind).expect("a kind is below ten")]);
        self.desk.with(|books| change(books, kind, contact, other, text));
    }

    /// Every kind of change once.
    pub(super) fn every_change(&mut self) {
        self.desk.with(|books| {
            for kind in 0..10 {
                change(books, kind, 1 + kind % 6, 1 + (kind + 1) % 6, kind);
            }
        });
        self.is_read();
    }

    /// Somebody does something at Gorgias.
    fn person(&mut self, when: &str) {
        let keys: BTreeMap<TicketId, String> = self.world.gorgias.account(|account| {
            let tickets = account.tickets.values();
            tickets.filter_map(|ticket| Some((ticket.id, ticket.external_id.clone()?))).collect()
        });
        let count = self.edits.len();
        self.hands.act(&self.world, &mut self.chance, &mut self.edits, true);
        if let Some(Edit::Deleted(id) | Edit::Trashed(id)) = self.edits.get(count..).and_then(<[_]>::last) {
            self.taken.extend(keys.get(id).cloned());
        }
        if self.edits.len() > count {
            self.fired(when);
        }
    }

    /// A delta to its end; the first start is killed at a point, and people may act before the next one.
    async fn delta(&mut self, kill: Option<u64>, people: People) -> bool {
        if self.bug == Some(Bug::WatermarkFirst) && kill.is_some() {
            return self.marked_and_dead().await;
        }
        let (mut kill, mut people) = (kill, people);
        for _ in 0..STARTS_MAX {
            let strokes = kill.take().map(|point| (point, Stroke::Kill));
            let process = self.world.beside(Effects::struck(strokes, Duration::ZERO));
            let ctx = self.ctx(&process);
            let is_writing = Cell::new(true);
            let run = async {
                let ended = tokio::select! {
                    biased;
                    () = process.effects.killed() => None,
                    ended = delta::run(&ctx) => Some(ended),
                };
                is_writing.set(false);
                ended
            };
            let count = std::mem::take(&mut people.while_writing);
            let acting = async {
                for _ in 0..count {
                    tokio::time::sleep(people.pause).await;
                    let is_writing = is_writing.get();
                    self.person(if is_writing { "person_while_writing" } else { "person_between" });
                    if is_writing && self.chance.happens(300) {
                        self.change();
                        self.fired("desk_while_writing");
                    }
                }
            };
            let (ended, ()) = tokio::join!(run, acting);
            match ended {
                None => {
                    self.sum.kills += 1;
                    self.fired("killed");
                    self.forget(Bug::DecisionsForgotten, &["/customers.json", "/tickets.json"]);
                    if people.while_dead {
                        self.person("person_while_dead");
                    }
                }
                Some(Ok(_)) => {
                    self.forget(Bug::WatermarkForgotten, &["/watermark.json"]);
                    return true;
                }
                Some(Err(error)) => {
                    let (mut causes, mut cause) = (vec![error.to_string()], error.source());
                    while let Some(error) = cause {
                        causes.push(error.to_string());
                        cause = error.source();
                    }
                    self.fired(&format!("{} {}", error.code(), causes.join(": ")));
                }
            }
        }
        self.sum.stuck = 1;
        false
    }

    /// It dies behind its watermark and before its writes.
    async fn marked_and_dead(&mut self) -> bool {
        let ctx = self.ctx(&self.world);
        let Ok(begun) = delta::read(&ctx).await else { return false };
        let Ok(plan) = delta::make(&ctx, &begun).await else { return false };
        let done = DoneV1 {
            number: begun.number,
            read_from: ctx.clock.now(),
            is_unchanged: plan.wished.is_empty(),
            ..DoneV1::default()
        };
        self.sum.kills += 1;
        deltas::keep_plan(&ctx, begun.number, &plan).await.is_ok() && deltas::finish(&ctx, done).await.is_ok()
    }

    /// Documents of deltas with one of these names are not there any more, where the protocol is broken in this way.
    fn forget(&self, bug: Bug, names: &[&str]) {
        if self.bug == Some(bug) {
            let is_one = |key: &Key| {
                key.as_str().contains("/delta/") && names.iter().any(|name| key.as_str().ends_with(name))
            };
            let keys = self.world.store.keys().into_iter().filter(is_one);
            keys.for_each(|key| self.world.store.remove(&key));
        }
    }

    /// What was left open is looked at once more, and then nothing is left to write.
    async fn end(&mut self) {
        if !self.delta(None, People::default()).await {
            return;
        }
        let before = self.world.gorgias.account(|account| account.clone());
        let ctx = self.ctx(&self.world);
        match delta::run(&ctx).await {
            Ok(delta) => {
                let is_quiet = delta.done.is_some_and(|done| done.is_unchanged);
                let after = self.world.gorgias.account(|account| account.clone());
                let (before, after) = (essence(&before), essence(&after));
                let is_same = before.tickets == after.tickets
                    && before.customers == after.customers
                    && before.messages == after.messages;
                self.sum.not_restored += u64::from(!is_quiet || !is_same);
            }
            Err(_) => self.sum.stuck = 1,
        }
        // Nothing was damaged, so nothing is mended.
        if let Ok(repair::Planned::New(plan)) = repair::plan(&self.ctx(&self.world)).await {
            if plan.writes() > 0 {
                *self.sum.faults.entry(format!("repair {:?}", plan.objects)).or_default() += 1;
            }
            self.sum.not_restored += plan.writes();
        }
    }

    /// The whole run is taken back: what people touched stays, and nothing else of ours does.
    async fn take_back(&mut self) {
        self.fired("taken_back");
        let ctx = self.ctx(&self.world);
        let is_applied = match rollback::plan(&ctx).await {
            Ok(rollback::Planned::New(_)) => rollback::apply(&ctx).await.is_ok(),
            _ => false,
        };
        if !is_applied {
            self.sum.stuck = 1;
            return;
        }
        let touched: BTreeSet<TicketId> = self.edits.iter().filter_map(Edit::ticket).collect();
        let edits = &self.edits;
        let sum = &mut self.sum;
        self.world.gorgias.account(|account| {
            sum.edits_lost += edits.iter().filter(|edit| !edit.is_there(account)).count() as u64;
            sum.edits_lost -= sum.edits_overtaken.min(sum.edits_lost);
            let ours = account.tickets.values().filter(|ticket| ticket.external_id.is_some());
            let left = ours.filter(|ticket| ticket.trashed_at.is_none() && !touched.contains(&ticket.id));
            let left = left.count() as u64;
            if left > 0 {
                *sum.faults.entry("ticket not taken back".to_owned()).or_default() += left;
            }
            sum.not_restored += left;
        });
    }
}
