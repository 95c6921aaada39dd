//! Cut-overs at the end of histories: refused when not ready, forced by name, disturbed after the freeze, killed anywhere.
//!
//! The judge knows by itself what has to come of each: what it changed, and whether it gave a name.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use migration::cutover::Step;
use migration::gorgias::TicketId;

use super::deltas::{Ongoing, Play, STARTS_MAX, change};
use super::desk::Books;
use super::rollbacks::Edit;
use super::{Sum, in_virtual_time};
use crate::cutover::{self, Asked, CutoverError, Outcome};
use crate::cutovers;
use crate::testing::account::essence;
use crate::testing::chance::Chance;
use crate::testing::world::{Effects, Stroke};
use crate::testing::{Account, FakeGorgias, World};

/// Codes of the points that these histories never settle: nobody compares records by hand, and time stands still.
const ACCEPTED: [&str; 12] = [
    "CUT102", "CUT103", "CUT104", "CUT105", "CUT106", "CUT107", "CUT108", "CUT109", "CUT110", "CUT111",
    "CUT112", "CUT113",
];

/// What somebody does while a cut-over runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Late {
    Nothing,
    /// An agent goes on working in LeadDesk after everything was compared.
    Agent(u64),
    /// A subject is damaged right before everything is compared, and nobody did it.
    Damage(TicketId),
}

impl Late {
    /// Whether this is what has to come of it: signed or not, the code of a refusal, how often a force was used.
    fn is_as_it_must(self, is_forced: bool, told: (bool, Option<&str>, usize)) -> bool {
        match (self, told) {
            (Self::Agent(_), (false, Some("CUT201"), _)) => true,
            (Self::Damage(_), (false, Some("CUT202"), 0)) => !is_forced,
            (Self::Damage(_), (true, None, forces)) => is_forced && forces == 2,
            (Self::Nothing, (true, None, forces)) => forces == usize::from(is_forced),
            _ => false,
        }
    }
}

impl Ongoing {
    /// Points at which a cut-over with something to bring over can be killed.
    #[must_use]
    pub fn cutover_points(&self) -> u64 {
        in_virtual_time(async {
            let mut play = Play::of(self, 0, None);
            play.every_change();
            let process = play.world.beside(Effects::struck([], Duration::ZERO));
            play.start(&process, &forced(), Late::Nothing).await.ok();
            process.effects.points()
        })
    }

    /// The same cut-over killed at this point and started again: the end is that of one that nobody killed.
    #[must_use]
    pub fn cutover_killed_at(&self, point: u64) -> Sum {
        in_virtual_time(async {
            let mut undisturbed = Play::of(self, 0, None);
            undisturbed.every_change();
            undisturbed.cut_over_to_end(None, &forced(), Late::Nothing).await;
            let mut play = Play::of(self, 0, None);
            play.every_change();
            let outcome = play.cut_over_to_end(Some(point), &forced(), Late::Nothing).await;
            play.expect(matches!(outcome, Some(Ok(Outcome::Signed(_) | Outcome::Nothing(_)))), "not signed");
            play.judge().await;
            let wanted = undisturbed.world.gorgias.account(|account| account.clone());
            let found = play.world.gorgias.account(|account| account.clone());
            play.expect(alike(&wanted, &found), "another end");
            play.sum.judged(point)
        })
    }
}

fn forced() -> Asked {
    let force = Some(("Judge".to_owned(), "a proof has no people who compare by hand".to_owned()));
    Asked { by: Some("Judge".to_owned()), force, ..Asked::default() }
}

/// Equal in everything but the ids that the order of writes gives.
fn alike(left: &Account, right: &Account) -> bool {
    let (left, right) = (essence(left), essence(right));
    let keys = |account: &Account| {
        let mut tickets: Vec<_> = account
            .tickets
            .values()
            .map(|ticket| (ticket.external_id.clone(), ticket.subject.clone(), ticket.trashed_at.is_some()))
            .collect();
        let mut customers: Vec<_> = account
            .customers
            .values()
            .map(|customer| (customer.external_id.clone(), customer.name.clone(), customer.email.clone()))
            .collect();
        let mut messages: Vec<_> = account
            .messages
            .values()
            .map(|message| (message.external_id.clone(), message.body_text.clone()))
            .collect();
        tickets.sort();
        customers.sort();
        messages.sort();
        (tickets, customers, messages)
    };
    keys(&left) == keys(&right) && left.rules == right.rules && left.settings == right.settings
}

/// Cards as they can be seen.
fn shown(books: &Books) -> Vec<(u64, super::desk::Card)> {
    let listed = books.cards.iter().filter(|(_, card)| card.is_alive && !card.lists.is_empty());
    listed.map(|(id, card)| (*id, card.clone())).collect()
}

impl Play {
    fn expect(&mut self, is_so: bool, what: &str) {
        if !is_so {
            self.sum.not_restored += 1;
            *self.sum.faults.entry(format!("cut-over: {what}")).or_default() += 1;
        }
    }

    /// One start of a cut-over in a process of its own.
    async fn start(&self, process: &World, asked: &Asked, late: Late) -> Result<Outcome, CutoverError> {
        let mut ctx = self.ctx(process);
        if asked.force.is_none() {
            ctx.limits.accepted_findings.extend(ACCEPTED.map(str::to_owned));
        }
        let (desk, gorgias) = (Arc::clone(&self.desk), Arc::clone(&self.world.gorgias));
        let mut tell = move |step: Step, _: &cutovers::Cutover| match (step, late) {
            (Step::Reconcile, Late::Agent(contact)) => {
                desk.with(|books| change(books, 0, contact, contact, 77));
            }
            (Step::Delta, Late::Damage(id)) => set_subject(&gorgias, id, Some("damaged".to_owned())),
            _ => {}
        };
        Box::pin(cutover::run(&ctx, asked, &mut tell)).await
    }

    /// Starts until one ends; the first may be killed. Nothing when none did.
    async fn cut_over_to_end(
        &mut self,
        kill: Option<u64>,
        asked: &Asked,
        late: Late,
    ) -> Option<Result<Outcome, CutoverError>> {
        let mut kill = kill;
        for _ in 0..STARTS_MAX {
            let strokes = kill.take().map(|point| (point, Stroke::Kill));
            let process = self.world.beside(Effects::struck(strokes, Duration::ZERO));
            let ended = tokio::select! {
                biased;
                () = process.effects.killed() => None,
                ended = self.start(&process, asked, late) => Some(ended),
            };
            match ended {
                None => self.sum.kills += 1,
                // What lies in doubt after a kill is waited for by the next start.
                Some(Err(error)) if !matches!(error, CutoverError::NotReady { .. }) => {
                    *self.sum.faults.entry(format!("{} {error}", error.code())).or_default() += 1;
                }
                Some(ended) => return Some(ended),
            }
        }
        self.sum.stuck = 1;
        None
    }

    /// A history may end in a cut-over, before it is taken back or not. Chance of its own: histories of deltas stay as
    /// they are.
    pub(super) async fn cut_over(&mut self) {
        let mut chance = Chance::new(self.seed ^ 0xc07_0e4);
        if !chance.happens(400) {
            return;
        }
        self.is_read();
        let before = self.world.gorgias.account(|account| account.clone());
        let refused = {
            let process = self.world.beside(Effects::struck([], Duration::ZERO));
            let ctx = self.ctx(&process);
            Box::pin(cutover::run(&ctx, &Asked::default(), &mut |_, _| ())).await
        };
        self.expect(matches!(refused, Err(CutoverError::NotReady { .. })), "not refused although not ready");
        self.expect(self.unchanged_since(&before), "a refusal wrote");
        let is_forced = chance.happens(500);
        let asked =
            if is_forced { forced() } else { Asked { by: Some("Judge".to_owned()), ..Asked::default() } };
        let contacts = self.desk.with(|books| shown(books));
        let pick = |count: usize, draw: u64| usize::try_from(draw % count.max(1) as u64).unwrap_or(0);
        let late = match (chance.below(4), chance.below(1_000)) {
            (0 | 1, _) => Late::Nothing,
            (2, draw) => match contacts.get(pick(contacts.len(), draw)) {
                Some((contact, card)) if card.lname != "Name77" => Late::Agent(*contact),
                _ => Late::Nothing,
            },
            (_, draw) => {
                let tickets = self.untouched();
                tickets.get(pick(tickets.len(), draw)).map_or(Late::Nothing, |id| Late::Damage(*id))
            }
        };
        let held = match late {
            Late::Damage(id) => self.world.gorgias.account(|account| account.tickets[&id].subject.clone()),
            _ => None,
        };
        let kill = (late == Late::Nothing && chance.happens(500)).then(|| 1 + chance.below(400));
        let Some(Ok(outcome)) = self.cut_over_to_end(kill, &asked, late).await else {
            self.expect(false, "no outcome");
            return;
        };
        let told = match &outcome {
            Outcome::Signed(cutover) => (true, None, cutover.forced().count()),
            Outcome::Refused(cutover) => (
                false,
                cutover.refused.as_ref().map(|refused| refused.code.as_str()),
                cutover.forced().count(),
            ),
            Outcome::Nothing(_) => (true, Some("nothing"), 0),
        };
        if !late.is_as_it_must(is_forced, told) {
            self.expect(false, &format!("{late:?}, forced {is_forced}, came to {told:?}"));
        }
        self.expect(self.is_loud(), "rules or surveys are still off");
        if let Late::Damage(id) = late {
            set_subject(&self.world.gorgias, id, held);
        }
        self.is_read();
        if matches!(outcome, Outcome::Refused(_)) {
            let again = self.cut_over_to_end(None, &asked, Late::Nothing).await;
            self.expect(
                matches!(again, Some(Ok(Outcome::Signed(_)))),
                "not signed after LeadDesk stood still",
            );
        }
        self.rests().await;
        self.judge().await;
    }

    /// One more start of what is signed does nothing.
    async fn rests(&mut self) {
        let before = self.world.gorgias.account(|account| account.clone());
        let process = self.world.beside(Effects::struck([], Duration::ZERO));
        let again = self.start(&process, &forced(), Late::Nothing).await;
        self.expect(matches!(again, Ok(Outcome::Nothing(_))), "something to do at the end");
        let is_quiet = process.effects.points() == 0 && self.unchanged_since(&before) && self.is_loud();
        self.expect(is_quiet, "a finished cut-over wrote");
    }

    /// What was taken back is not cut over.
    pub(super) async fn is_not_cut_over_again(&mut self) {
        let process = self.world.beside(Effects::struck([], Duration::ZERO));
        let again = self.start(&process, &forced(), Late::Nothing).await;
        self.expect(matches!(again, Err(CutoverError::NotReady { .. })), "cut over although taken back");
    }

    fn unchanged_since(&self, before: &Account) -> bool {
        self.world.gorgias.account(|account| {
            let (before, after) = (essence(before), essence(account));
            before.tickets == after.tickets
                && before.customers == after.customers
                && before.messages == after.messages
                && before.rules == after.rules
                && before.settings == after.settings
        })
    }

    /// Rules run and surveys are sent, as before the migration.
    fn is_loud(&self) -> bool {
        let fresh = Account::fresh();
        self.world.gorgias.account(|account| {
            let active = |account: &Account| account.rules.iter().filter(|rule| rule.is_active).count();
            let read = |account: &Account| -> Vec<Option<serde_json::Value>> {
                account.settings.iter().map(|setting| serde_json::from_str(&setting.json).ok()).collect()
            };
            active(account) == active(&fresh) && read(account) == read(&fresh)
        })
    }

    /// Tickets of ours that nobody touched.
    fn untouched(&self) -> Vec<TicketId> {
        let touched: BTreeSet<TicketId> = self.edits.iter().filter_map(Edit::ticket).collect();
        self.world.gorgias.account(|account| {
            let ours = account.tickets.values().filter(|ticket| {
                ticket.trashed_at.is_none() && ticket.external_id.is_some() && !touched.contains(&ticket.id)
            });
            ours.map(|ticket| ticket.id).collect()
        })
    }
}

/// Nobody did it: the account's log tells nothing of it.
fn set_subject(gorgias: &FakeGorgias, id: TicketId, subject: Option<String>) {
    gorgias.account(|account| {
        if let Some(ticket) = account.tickets.get_mut(&id) {
            ticket.subject = subject;
        }
    });
}
