//! What the store shows of a run -> what has to be done next.
//!
//! The one place that decides the order of steps: a pure function, which may be asked at any time, by anybody, without
//! harm. Deliberately absent: looking into the store and doing anything (see `worker`).

use std::fmt;

use crate::wave::Wave;

/// A part of a delta. Each has to do with one system alone, as functions have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeltaPart {
    /// A new reading of LeadDesk.
    Read,
    /// What changed since the reading before, and what is wished of it now.
    Make,
    /// Writes, each of them read back, and the watermark.
    Write,
}

impl DeltaPart {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::Read, Self::Make, Self::Write];

    /// Its word in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Make => "make",
            Self::Write => "write",
        }
    }
}

/// One step of a run, as a message names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Inventory of both accounts.
    Discover,
    /// Mapping proposal.
    Propose,
    /// Baseline, schema, pauses.
    Prepare,
    /// Source snapshot.
    Extract,
    /// Desired snapshot.
    Transform,
    /// Load plan.
    Plan,
    /// One wave of the load.
    Load(Wave),
    /// Comparison of one wave.
    Reconcile(Wave),
    /// Bringing back what was paused.
    Finish,
    /// Report and control tables.
    Report,
    /// Package for the customer's admin.
    Handoff,
    /// A part of the delta of this number.
    Delta(u32, DeltaPart),
}

/// Whether a step of this name keeps Gorgias busy for so long that it minds the hours.
pub(crate) fn keeps_hours(step: &str) -> bool {
    matches!(step, "plan" | "load" | "reconcile")
}

impl Step {
    /// The step's word, without its wave or number.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::Propose => "propose",
            Self::Prepare => "prepare",
            Self::Extract => "extract",
            Self::Transform => "transform",
            Self::Plan => "plan",
            Self::Load(_) => "load",
            Self::Reconcile(_) => "reconcile",
            Self::Finish => "finish",
            Self::Report => "report",
            Self::Handoff => "handoff",
            Self::Delta(..) => "delta",
        }
    }

    /// The wave, for steps that have one.
    #[must_use]
    pub fn wave(self) -> Option<Wave> {
        match self {
            Self::Load(wave) | Self::Reconcile(wave) => Some(wave),
            _ => None,
        }
    }

    /// Reads the form that [`Step`] is shown in, such as `plan`, `load/customers` or `delta/3/write`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        if let Some((number, part)) = text.strip_prefix("delta/").and_then(|rest| rest.split_once('/')) {
            let part = DeltaPart::ALL.into_iter().find(|known| known.as_str() == part)?;
            return Some(Self::Delta(number.parse().ok()?, part));
        }
        let (name, wave) = match text.split_once('/') {
            Some((name, wave)) => (name, Some(Wave::from_word(wave)?)),
            None => (text, None),
        };
        let step = match (name, wave) {
            ("load", Some(wave)) => Self::Load(wave),
            ("reconcile", Some(wave)) => Self::Reconcile(wave),
            ("discover", None) => Self::Discover,
            ("propose", None) => Self::Propose,
            ("prepare", None) => Self::Prepare,
            ("extract", None) => Self::Extract,
            ("transform", None) => Self::Transform,
            ("plan", None) => Self::Plan,
            ("finish", None) => Self::Finish,
            ("report", None) => Self::Report,
            ("handoff", None) => Self::Handoff,
            _ => return None,
        };
        Some(step)
    }

    /// Whether the step writes to the destination account; of these only one may run at a time.
    #[must_use]
    pub fn writes_to_destination(self) -> bool {
        matches!(self, Self::Prepare | Self::Load(_) | Self::Finish | Self::Delta(_, DeltaPart::Write))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.wave()) {
            (Self::Delta(number, part), _) => write!(out, "{}/{number}/{}", self.name(), part.as_str()),
            (_, Some(wave)) => write!(out, "{}/{wave}", self.name()),
            (_, None) => out.write_str(self.name()),
        }
    }
}

/// A function of the cloud home. Each has the rights that its steps need, and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Reads LeadDesk.
    Extract,
    /// Touches the store alone.
    Transform,
    /// Writes to Gorgias.
    Load,
    /// Reads Gorgias back.
    Reconcile,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Extract, Self::Transform, Self::Load, Self::Reconcile];

    /// Its name, as templates have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Transform => "transform",
            Self::Load => "load",
            Self::Reconcile => "reconcile",
        }
    }
}

impl Step {
    /// Who does it in the cloud home; none for what a person starts and looks at.
    #[must_use]
    pub fn function(self) -> Option<Function> {
        match self {
            Self::Discover | Self::Propose => None,
            Self::Extract | Self::Delta(_, DeltaPart::Read) => Some(Function::Extract),
            Self::Transform | Self::Delta(_, DeltaPart::Make) => Some(Function::Transform),
            // A plan asks Gorgias about the customers that it adopts.
            Self::Prepare | Self::Plan | Self::Load(_) | Self::Finish | Self::Delta(_, DeltaPart::Write) => {
                Some(Function::Load)
            }
            Self::Reconcile(_) | Self::Report | Self::Handoff => Some(Function::Reconcile),
        }
    }
}

/// What is known of a wave's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Gate {
    /// Not compared.
    #[default]
    Open,
    /// Compared, and not found right; nobody accepted it.
    Closed,
    /// Found right, or accepted by name.
    Passed,
}

/// The newest delta of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeltaShown {
    /// Its number.
    pub number: u32,
    /// Its first part that is not done; none when it has its watermark.
    pub open: Option<DeltaPart>,
}

/// What the store shows of a run. Nothing begins as done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// Steps that left what they have to leave.
    pub done: Vec<Step>,
    /// A person confirmed the mapping.
    pub is_confirmed: bool,
    /// It is a sample: there is nothing to hand off.
    pub is_sample: bool,
    /// By [`place`] of the wave.
    pub gates: [Gate; Wave::ALL.len()],
    /// None before the first delta.
    pub delta: Option<DeltaShown>,
}

impl Shown {
    /// The next part of the delta that is under way.
    #[must_use]
    pub fn open_delta(&self) -> Option<Step> {
        self.delta.and_then(|delta| Some(Step::Delta(delta.number, delta.open?)))
    }

    /// The first part of a new delta.
    #[must_use]
    pub fn new_delta(&self) -> Step {
        Step::Delta(self.delta.map_or(1, |delta| delta.number + 1), DeltaPart::Read)
    }
}

/// Place of a wave in their order, from 0.
#[must_use]
pub fn place(wave: Wave) -> usize {
    match wave {
        Wave::Customers => 0,
        Wave::Leads => 1,
        Wave::Chats => 2,
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// This step.
    Run(Step),
    /// A person has to confirm the mapping.
    Confirmation,
    /// A wave was not found right: a person has to accept it by name, or to repair and compare again.
    Decision(Wave),
    /// Nothing; the run is over.
    Nothing,
}

/// Decides what comes next of the run itself; its deltas begin when it is over, and when somebody asks for them.
#[must_use]
pub fn next(shown: &Shown) -> Next {
    let is_open = |step: &Step| !shown.done.contains(step);
    if let Some(step) = [Step::Discover, Step::Propose].into_iter().find(is_open) {
        return Next::Run(step);
    }
    if !shown.is_confirmed {
        return Next::Confirmation;
    }
    if let Some(step) = [Step::Prepare, Step::Extract, Step::Transform, Step::Plan].into_iter().find(is_open)
    {
        return Next::Run(step);
    }
    for wave in Wave::ALL {
        if is_open(&Step::Load(wave)) {
            return Next::Run(Step::Load(wave));
        }
        match shown.gates[place(wave)] {
            Gate::Open => return Next::Run(Step::Reconcile(wave)),
            Gate::Closed => return Next::Decision(wave),
            Gate::Passed => (),
        }
    }
    let last = [Step::Finish, Step::Report, Step::Handoff];
    let last = last.into_iter().filter(|step| !(shown.is_sample && *step == Step::Handoff));
    last.into_iter().find(is_open).map_or(Next::Nothing, Next::Run)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const FLOW: [Step; 6] =
        [Step::Discover, Step::Propose, Step::Prepare, Step::Extract, Step::Transform, Step::Plan];

    fn check(done: &[Step], is_confirmed: bool, gates: [Gate; 3], expected: &Expect) {
        let done = done.to_vec();
        let shown = Shown { done, is_confirmed, is_sample: false, gates, delta: None };
        let told = match next(&shown) {
            Next::Run(step) => step.to_string(),
            Next::Confirmation => "confirmation".to_owned(),
            Next::Decision(wave) => format!("decision {wave}"),
            Next::Nothing => "nothing".to_owned(),
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn the_flow_in_its_order() {
        use Gate::{Closed, Open, Passed};
        use Wave::{Chats, Customers, Leads};
        let none = [Open; 3];
        check(&[], false, none, &expect!["discover"]);
        check(&FLOW[..1], false, none, &expect!["propose"]);
        check(&FLOW[..2], false, none, &expect!["confirmation"]);
        check(&FLOW[..2], true, none, &expect!["prepare"]);
        check(&FLOW[..3], true, none, &expect!["extract"]);
        check(&FLOW[..4], true, none, &expect!["transform"]);
        check(&FLOW[..5], true, none, &expect!["plan"]);
        check(&FLOW, true, none, &expect!["load/customers"]);
        let with = |more: &[Step]| [&FLOW[..], more].concat();
        let first = with(&[Step::Load(Customers)]);
        check(&first, true, none, &expect!["reconcile/customers"]);
        check(&first, true, [Closed, Open, Open], &expect!["decision customers"]);
        check(&first, true, [Passed, Open, Open], &expect!["load/leads"]);
        let loads = [Step::Load(Customers), Step::Load(Leads), Step::Load(Chats)];
        check(&with(&loads), true, [Passed, Passed, Open], &expect!["reconcile/chats"]);
        check(&with(&loads), true, [Passed; 3], &expect!["finish"]);
        let ended = with(&[&loads[..], &[Step::Finish]].concat());
        check(&ended, true, [Passed; 3], &expect!["report"]);
        let reported = [&ended[..], &[Step::Report]].concat();
        check(&reported, true, [Passed; 3], &expect!["handoff"]);
        check(&[&reported[..], &[Step::Handoff]].concat(), true, [Passed; 3], &expect!["nothing"]);
    }

    #[test]
    fn a_sample_ends_with_its_report() {
        let loads = Wave::ALL.map(Step::Load);
        let done = [&FLOW[..], &loads[..], &[Step::Finish]].concat();
        let shown =
            Shown { done, is_confirmed: true, is_sample: true, gates: [Gate::Passed; 3], delta: None };
        assert_eq!(next(&shown), Next::Run(Step::Report));
        let done = [&shown.done[..], &[Step::Report]].concat();
        assert_eq!(next(&Shown { done, ..shown }), Next::Nothing);
    }

    #[test]
    fn every_step_survives_its_text() {
        let waves = Wave::ALL.into_iter().flat_map(|wave| [Step::Load(wave), Step::Reconcile(wave)]);
        let deltas = DeltaPart::ALL.into_iter().map(|part| Step::Delta(17, part));
        let ends = [Step::Finish, Step::Report, Step::Handoff];
        for step in FLOW.into_iter().chain(waves).chain(ends).chain(deltas) {
            assert_eq!(Step::from_text(&step.to_string()), Some(step));
        }
        for text in
            ["load", "load/everything", "plan/leads", "delta", "delta/1", "delta/1/load", "delta/-1/read", ""]
        {
            assert_eq!(Step::from_text(text), None, "{text}");
        }
    }
}
