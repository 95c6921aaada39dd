//! The order of a cut-over, and what the check of the freeze says. Pure.

use std::collections::BTreeMap;

/// One step of a cut-over, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Readiness is computed, or somebody takes it upon themselves; the freeze is declared.
    Begin,
    /// What changed until the freeze is brought over.
    Delta,
    /// Everything is read back and compared.
    Reconcile,
    /// LeadDesk is asked once more whether anything changed since the freeze.
    Freeze,
    /// The certificate is refused.
    Refuse,
    /// The certificate is written.
    SignOff,
    /// Rules, surveys and webhooks are as they were before the migration.
    Restore,
    /// Report and package are written.
    HandOff,
    /// Nothing is left to do.
    Nothing,
}

impl Step {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Delta => "delta",
            Self::Reconcile => "reconcile",
            Self::Freeze => "freeze check",
            Self::Refuse => "refusal",
            Self::SignOff => "sign-off",
            Self::Restore => "restore",
            Self::HandOff => "handoff",
            Self::Nothing => "nothing",
        }
    }
}

/// What the store shows of a cut-over. Nothing begins as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    /// It was begun.
    pub is_begun: bool,
    /// The last delta is at its end.
    pub is_delta_done: bool,
    /// Everything was compared: whether it may go on.
    pub may_go_on: Option<bool>,
    /// LeadDesk was asked once more: whether nothing changed.
    pub is_frozen: Option<bool>,
    /// Signed or refused.
    pub is_decided: bool,
    /// Rules, surveys and webhooks are back.
    pub is_restored: bool,
    /// It is refused.
    pub is_refused: bool,
    /// Report and package are there.
    pub is_handed_off: bool,
}

/// Decides what comes next. A cut-over that was refused ends with what was switched off being on again.
#[must_use]
pub fn next(shown: &Shown) -> Step {
    match shown {
        Shown { is_begun: false, .. } => Step::Begin,
        Shown { is_delta_done: false, .. } => Step::Delta,
        Shown { may_go_on: None, .. } => Step::Reconcile,
        Shown { may_go_on: Some(true), is_frozen: None, .. } => Step::Freeze,
        Shown { is_decided: false, may_go_on: Some(true), is_frozen: Some(true), .. } => Step::SignOff,
        Shown { is_decided: false, .. } => Step::Refuse,
        Shown { is_restored: false, .. } => Step::Restore,
        Shown { is_refused: false, is_handed_off: false, .. } => Step::HandOff,
        _ => Step::Nothing,
    }
}

/// What two readings of LeadDesk, before and after everything was brought over, show to have changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreezeEvidence {
    /// Rows that came, went or changed, by table.
    pub tables: BTreeMap<String, u64>,
    /// Stamps of LeadDesk behind the freeze, by what they tell.
    pub stamps: BTreeMap<String, u64>,
    /// Cards that were asked for once more whatever the lists say.
    pub cards: u64,
    /// Of these, cards that are not as they were read.
    pub cards_changed: u64,
    /// Records that were written at Gorgias after the comparison.
    pub written: u64,
}

impl FreezeEvidence {
    /// What changed after the freeze, in words; nothing where nothing did.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let tables = self.tables.iter().filter(|(_, count)| **count > 0);
        let mut changes: Vec<String> = tables
            .map(|(table, count)| format!("{count} rows of {table} differ between two readings"))
            .collect();
        let stamps = self.stamps.iter().filter(|(_, count)| **count > 0);
        changes.extend(stamps.map(|(what, count)| format!("{count} stamps of {what} lie behind the freeze")));
        if self.cards_changed > 0 {
            changes.push(format!(
                "{} of {} cards that were asked for once more are not as they were read",
                self.cards_changed, self.cards
            ));
        }
        if self.written > 0 {
            changes.push(format!("{} records were written after everything was compared", self.written));
        }
        changes
    }
}

/// What the run switches off and brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switch {
    /// Rules.
    Rules,
    /// Settings that send surveys.
    Surveys,
    /// HTTP integrations.
    Webhooks,
}

impl Switch {
    /// All of them, in the order that holds where nothing else was agreed.
    pub const ALL: [Self; 3] = [Self::Rules, Self::Surveys, Self::Webhooks];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Surveys => "surveys",
            Self::Webhooks => "webhooks",
        }
    }

    /// An order that was agreed: each of them once.
    #[must_use]
    pub fn order(words: &[String]) -> Option<Vec<Self>> {
        let find = |word: &String| Self::ALL.into_iter().find(|switch| switch.as_str() == word);
        let order: Vec<Self> = words.iter().map(find).collect::<Option<_>>()?;
        let is_whole =
            Self::ALL.iter().all(|switch| order.contains(switch)) && order.len() == Self::ALL.len();
        is_whole.then_some(order)
    }
}
