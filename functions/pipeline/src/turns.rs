//! Turns of a run in the cloud home: a function does as much of a step as fits into its time, and says how it ended.
//!
//! One document per turn under `runs/<run>/turns/`, created and never replaced. [`next`] decides from them and from what
//! the store shows which message to send: a pure function, so that waking it at any time, by anybody, is harmless.
//! Deliberately absent: queues and functions (see the crate `lambda`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::conduct::{self, Function, Next, Shown, Step};
use crate::context::Context;
use crate::ports::queue::Outgoing;
use crate::run_folder::{self, DocumentError};
use crate::wave::Wave;

/// Turns of one step in a row that fail for a reason that may pass, before a person is asked.
const FAILED_MAX: usize = 5;
/// Turns of a run at most. A step that never ends would be paid for for ever.
pub const TURNS_MAX: usize = 20_000;

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnEnd {
    /// The step is done.
    Done,
    /// Its time was over; the next turn goes on.
    Unfinished,
    /// It failed for a reason that may pass.
    Failed,
    /// It failed, and will fail again until a person does something.
    Halted,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// As [`Step`] is shown.
    pub step: String,
    /// When the function took the message.
    pub began_at: Timestamp,
    /// When it was done with it.
    pub ended_at: Timestamp,
    /// How.
    pub end: TurnEnd,
    /// Stable code of the failure.
    pub code: Option<String>,
    /// What failed, without personal data.
    pub text: Option<String>,
    /// What it used and is paid for, by unit, such as `store_writes` or `memory_megabytes`.
    pub used: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredTurn {
    #[serde(rename = "1")]
    V1(Turn),
}

/// Why somebody wakes the conductor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wake {
    /// A turn has ended.
    Completion,
    /// The schedule.
    Schedule,
    /// A person, who may have mended what kept the run.
    Person,
    /// A person who asks for a delta.
    Delta,
}

impl Wake {
    /// What kept the run may be mended.
    fn is_person(self) -> bool {
        matches!(self, Self::Person | Self::Delta)
    }
}

/// Stands for the newest run of a migration.
pub const NEWEST: &str = "newest";

/// The message that wakes the conductor. Pointers only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version", deny_unknown_fields)]
pub enum WakeMessage {
    /// First form.
    #[serde(rename = "1")]
    V1 {
        /// The migration.
        migration: String,
        /// The run, or [`NEWEST`].
        run: String,
        /// Who asks.
        why: Wake,
    },
}

impl WakeMessage {
    /// Ready to be sent. Messages of one run are handled one by one; of two with one `id` one is delivered.
    #[must_use]
    pub fn outgoing(migration: &str, run: &str, why: Wake, id: &str) -> Outgoing {
        let (migration, run) = (migration.to_owned(), run.to_owned());
        let group = format!("{migration}/{run}");
        let deduplication_id = format!("{group}/{id}");
        let message = Self::V1 { migration, run, why };
        Outgoing { group, deduplication_id, body: serde_json::to_string(&message).unwrap_or_default() }
    }
}

/// What the conductor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send this step to its function, as the turn of this number.
    Send {
        /// The step.
        step: Step,
        /// Who does it.
        function: Function,
        /// From 1.
        turn: usize,
    },
    /// Nothing, until a person or a schedule wakes it.
    Rest(Why),
}

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The run is over.
    Done,
    /// Discovery and proposal are started by a person.
    NotBegun,
    /// The mapping waits for a person.
    Confirmation,
    /// A wave is not right and waits for a person.
    Decision(Wave),
    /// The last turn says that a person has to do something.
    Halted,
    /// The run has had more turns than any run needs.
    TooMany,
}

/// The turns that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// How many the run has had.
    pub turns: usize,
    /// The last ones, oldest first.
    pub recent: Vec<Turn>,
}

/// Decides what to send.
#[must_use]
pub fn next(shown: &Shown, history: &History, wake: Wake) -> Action {
    let turns = &history.recent;
    if history.turns >= TURNS_MAX {
        return Action::Rest(Why::TooMany);
    }
    let step = match conduct::next(shown) {
        Next::Nothing => match (shown.open_delta(), wake) {
            (Some(part), _) => part,
            (None, Wake::Schedule | Wake::Delta) if !shown.is_sample => shown.new_delta(),
            (None, _) => return Action::Rest(Why::Done),
        },
        Next::Confirmation => return Action::Rest(Why::Confirmation),
        Next::Run(step) => step,
        // Found wrong: told in a report; and looked at once more when a person says so.
        Next::Decision(wave) => match turns.last().map(|turn| (turn.step.as_str(), turn.end)) {
            Some(("report", TurnEnd::Done)) if !wake.is_person() => {
                return Action::Rest(Why::Decision(wave));
            }
            Some((last, TurnEnd::Done)) if last == Step::Reconcile(wave).to_string() => Step::Report,
            Some(("report", TurnEnd::Failed | TurnEnd::Unfinished)) => Step::Report,
            _ => Step::Reconcile(wave),
        },
    };
    let Some(function) = step.function() else { return Action::Rest(Why::NotBegun) };
    if !wake.is_person() && is_halted(turns) {
        return Action::Rest(Why::Halted);
    }
    Action::Send { step, function, turn: history.turns + 1 }
}

/// The last turn asks for a person, or the last ones have all failed.
fn is_halted(turns: &[Turn]) -> bool {
    let failed = turns.iter().rev().take_while(|turn| turn.end == TurnEnd::Failed).count();
    failed >= FAILED_MAX || turns.last().is_some_and(|turn| turn.end == TurnEnd::Halted)
}

/// How many turns the run has had, and the last of them.
///
/// # Errors
/// [`DocumentError`].
pub async fn history(ctx: &Context) -> Result<History, DocumentError> {
    let keys = ctx.store.list(&ctx.run_key("turns")?).await?;
    let mut recent = Vec::new();
    for key in &keys[keys.len().saturating_sub(FAILED_MAX)..] {
        let StoredTurn::V1(turn) = run_folder::need(ctx, key).await?;
        recent.push(turn);
    }
    Ok(History { turns: keys.len(), recent })
}

/// Every turn of the run, oldest first.
///
/// # Errors
/// [`DocumentError`].
pub async fn all(ctx: &Context) -> Result<Vec<Turn>, DocumentError> {
    let mut turns = Vec::new();
    for key in ctx.store.list(&ctx.run_key("turns")?).await? {
        let StoredTurn::V1(turn) = run_folder::need(ctx, &key).await?;
        turns.push(turn);
    }
    Ok(turns)
}

/// Stores a turn under the next free number, and returns that number.
///
/// # Errors
/// [`DocumentError`].
pub async fn record(ctx: &Context, turn: &Turn) -> Result<usize, DocumentError> {
    run_folder::append(ctx, "turns", 6, &StoredTurn::V1(turn.clone())).await
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::conduct::{DeltaPart, DeltaShown, Gate};

    fn turn(step: &str, end: TurnEnd) -> Turn {
        let at = Timestamp::UNIX_EPOCH;
        let used = BTreeMap::new();
        Turn { step: step.to_owned(), began_at: at, ended_at: at, end, code: None, text: None, used }
    }

    /// `extract:done load/leads:failed`, as it stands in a table.
    fn turns(text: &str) -> Vec<Turn> {
        text.split_whitespace()
            .map(|word| {
                let (step, end) = word.split_once(':').expect("step:end");
                let end: TurnEnd = serde_json::from_str(&format!("{end:?}")).expect("a known end");
                turn(step, end)
            })
            .collect()
    }

    fn loaded(gate: Gate) -> Shown {
        use Step::{Discover, Extract, Load, Plan, Prepare, Propose, Transform};
        let done = vec![Discover, Propose, Prepare, Extract, Transform, Plan, Load(Wave::Customers)];
        let gates = [gate, Gate::Open, Gate::Open];
        Shown { done, is_confirmed: true, is_sample: false, gates, delta: None }
    }

    fn check(shown: &Shown, history: &str, wake: Wake, expected: &Expect) {
        let recent = turns(history);
        let told = match next(shown, &History { turns: recent.len(), recent }, wake) {
            Action::Send { step, function, turn } => format!("{step} to {} as {turn}", function.as_str()),
            Action::Rest(why) => format!("rest: {why:?}"),
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn a_run_is_begun_and_confirmed_by_a_person() {
        check(&Shown::default(), "", Wake::Schedule, &expect!["rest: NotBegun"]);
        let proposed = Shown { done: vec![Step::Discover, Step::Propose], ..Shown::default() };
        check(&proposed, "", Wake::Person, &expect!["rest: Confirmation"]);
        let confirmed = Shown { is_confirmed: true, ..proposed };
        check(&confirmed, "", Wake::Person, &expect!["prepare to load as 1"]);
        let prepared = Shown { done: vec![Step::Discover, Step::Propose, Step::Prepare], ..confirmed };
        check(&prepared, "prepare:done", Wake::Completion, &expect!["extract to extract as 2"]);
        check(
            &prepared,
            "prepare:done extract:unfinished extract:unfinished",
            Wake::Completion,
            &expect!["extract to extract as 4"],
        );
    }

    #[test]
    fn a_failure_that_may_pass_is_tried_again_and_another_waits_for_a_person() {
        let shown = loaded(Gate::Open);
        let failed = "reconcile/customers:failed ";
        check(&shown, failed, Wake::Completion, &expect!["reconcile/customers to reconcile as 2"]);
        check(&shown, &failed.repeat(5), Wake::Completion, &expect!["rest: Halted"]);
        check(&shown, &failed.repeat(5), Wake::Person, &expect!["reconcile/customers to reconcile as 6"]);
        let between = format!("{}reconcile/customers:unfinished {failed}", failed.repeat(4));
        check(&shown, &between, Wake::Completion, &expect!["reconcile/customers to reconcile as 7"]);
        let halted = "reconcile/customers:halted";
        check(&shown, halted, Wake::Completion, &expect!["rest: Halted"]);
        check(&shown, halted, Wake::Schedule, &expect!["rest: Halted"]);
        check(&shown, halted, Wake::Person, &expect!["reconcile/customers to reconcile as 2"]);
    }

    #[test]
    fn a_wave_that_is_not_right_is_reported_once_and_looked_at_again_by_a_person() {
        let shown = loaded(Gate::Closed);
        let compared = "load/customers:done reconcile/customers:done";
        check(&shown, compared, Wake::Completion, &expect!["report to reconcile as 3"]);
        let reported = format!("{compared} report:done");
        check(&shown, &reported, Wake::Completion, &expect!["rest: Decision(Customers)"]);
        check(&shown, &reported, Wake::Schedule, &expect!["rest: Decision(Customers)"]);
        check(&shown, &reported, Wake::Person, &expect!["reconcile/customers to reconcile as 4"]);
        let failed = format!("{compared} report:failed");
        check(&shown, &failed, Wake::Completion, &expect!["report to reconcile as 4"]);
    }

    #[test]
    fn a_delta_begins_when_the_run_is_over_and_somebody_asks_and_only_one_at_a_time() {
        use Step::{Discover, Extract, Finish, Handoff, Load, Plan, Prepare, Propose, Report, Transform};
        let done = [Discover, Propose, Prepare, Extract, Transform, Plan, Finish, Report, Handoff];
        let loads = Wave::ALL.into_iter().map(Load);
        let over = |delta: Option<(u32, Option<DeltaPart>)>| Shown {
            done: done.into_iter().chain(loads.clone()).collect(),
            is_confirmed: true,
            is_sample: false,
            gates: [Gate::Passed; 3],
            delta: delta.map(|(number, open)| DeltaShown { number, open }),
        };
        check(&loaded(Gate::Open), "", Wake::Delta, &expect!["reconcile/customers to reconcile as 1"]);
        for wake in [Wake::Completion, Wake::Person] {
            check(&over(None), "", wake, &expect!["rest: Done"]);
            check(&over(Some((3, None))), "", wake, &expect!["rest: Done"]);
        }
        for wake in [Wake::Schedule, Wake::Delta] {
            check(&over(None), "", wake, &expect!["delta/1/read to extract as 1"]);
            check(&over(Some((3, None))), "", wake, &expect!["delta/4/read to extract as 1"]);
        }
        for wake in [Wake::Completion, Wake::Person, Wake::Schedule, Wake::Delta] {
            let open = |part| over(Some((3, Some(part))));
            check(&open(DeltaPart::Read), "", wake, &expect!["delta/3/read to extract as 1"]);
            check(&open(DeltaPart::Make), "", wake, &expect!["delta/3/make to transform as 1"]);
            check(&open(DeltaPart::Write), "", wake, &expect!["delta/3/write to load as 1"]);
        }
        let sample = Shown { is_sample: true, ..over(None) };
        check(&sample, "", Wake::Schedule, &expect!["rest: Done"]);
        // A schedule does not ask again and again what needs a person.
        let halted = "delta/3/read:halted";
        check(&over(Some((3, Some(DeltaPart::Read)))), halted, Wake::Schedule, &expect!["rest: Halted"]);
        check(
            &over(Some((3, Some(DeltaPart::Read)))),
            halted,
            Wake::Delta,
            &expect!["delta/3/read to extract as 2"],
        );
    }

    #[test]
    fn no_run_takes_turns_for_ever() {
        let many = History { turns: TURNS_MAX, recent: turns("extract:unfinished") };
        assert_eq!(next(&loaded(Gate::Open), &many, Wake::Person), Action::Rest(Why::TooMany));
    }
}
