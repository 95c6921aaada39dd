//! What the files beside the messages tell of each conversation, over all exports.
//!
//! Exports overlap: a conversation that went on stands in two of them, and the later one knows how it ended. Which one is
//! later is told by the conversation itself: by when it ended and how many messages it had. Where that tells nothing, what
//! all rows agree in is taken and the rest is not.

use std::collections::{BTreeMap, BTreeSet};

use super::chat::CONTRADICTION;
use super::part::{PartRecord, SourceReject};
use crate::operator::chat::{OutcomeRow, TimingRow};

/// A row and the export that tells it.
#[derive(Debug)]
struct Told<T> {
    archive: String,
    row: T,
}

/// Rows of all exports, by conversation; a row that is there already is kept once for each export.
#[derive(Debug, Default)]
pub(super) struct Frames {
    outcomes: BTreeMap<String, Vec<Told<OutcomeRow>>>,
    timings: BTreeMap<String, Vec<Told<TimingRow>>>,
    agents: BTreeMap<String, BTreeSet<String>>,
    /// Conversations of `agent.csv`, without regard to agents.
    in_agent_file: BTreeSet<String>,
}

/// What is taken of a conversation.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) outcome: Option<OutcomeRow>,
    pub(super) timing: Option<TimingRow>,
}

impl Frames {
    pub(super) fn take_outcome(&mut self, archive: &str, row: OutcomeRow) {
        let rows = self.outcomes.entry(row.conversation_id.clone()).or_default();
        rows.push(Told { archive: archive.to_owned(), row });
    }

    pub(super) fn take_timing(&mut self, archive: &str, row: TimingRow) {
        let rows = self.timings.entry(row.conversation_id.clone()).or_default();
        rows.push(Told { archive: archive.to_owned(), row });
    }

    pub(super) fn take_agent(&mut self, conversation: String, username: Option<String>) {
        let agents = self.agents.entry(conversation.clone()).or_default();
        agents.extend(username.map(|username| username.trim().to_owned()));
        self.in_agent_file.insert(conversation);
    }

    /// Conversations of `outcomes.csv` and `timing.csv`.
    pub(super) fn ids(&self) -> BTreeSet<&String> {
        self.outcomes.keys().chain(self.timings.keys()).collect()
    }

    pub(super) fn holds(&self, conversation: &str) -> bool {
        self.outcomes.contains_key(conversation) || self.timings.contains_key(conversation)
    }

    pub(super) fn is_in_agent_file(&self, conversation: &str) -> bool {
        self.in_agent_file.contains(conversation)
    }

    /// Usernames of its agents, joined by commas; nothing without any.
    pub(super) fn agents(&self, conversation: &str) -> Option<String> {
        let usernames = self.agents.get(conversation).filter(|usernames| !usernames.is_empty())?;
        Some(usernames.iter().cloned().collect::<Vec<_>>().join(","))
    }

    /// What is taken of a conversation. What rows tell in two ways, none of them the later one, is a reject.
    pub(super) fn of(&self, conversation: &str, record: &mut PartRecord) -> Frame {
        let timings = self.timings.get(conversation).map(Vec::as_slice).unwrap_or_default();
        let outcomes = self.outcomes.get(conversation).map(Vec::as_slice).unwrap_or_default();
        let lateness = |archive: &str| {
            let rows = timings.iter().filter(|told| told.archive == archive);
            rows.map(|told| (told.row.ended_at, told.row.message_count)).max()
        };
        let timing = settled(timings, lateness, |row| &row.raw_json, agreed_timing);
        let outcome = settled(outcomes, lateness, |row| &row.raw_json, agreed_outcome);
        if timing.is_contradicted || outcome.is_contradicted {
            let reason = "rows of the exports tell its outcome or its times in two ways, and none of them is the later one; \
                          what they differ in is not taken";
            record.rejects.push(SourceReject::value("conversation", conversation, CONTRADICTION, reason));
        }
        Frame { outcome: outcome.row, timing: timing.row }
    }
}

struct Settled<T> {
    row: Option<T>,
    is_contradicted: bool,
}

/// The row of the latest export; of several that are equally late, what they agree in.
fn settled<T: Clone, L: Ord>(
    told: &[Told<T>],
    lateness: impl Fn(&str) -> L,
    raw: impl Fn(&T) -> &String,
    agreed: impl Fn(&T, &T) -> T,
) -> Settled<T> {
    let latest = told.iter().map(|told| lateness(&told.archive)).max();
    let mut contenders: Vec<&T> =
        told.iter().filter(|told| Some(lateness(&told.archive)) == latest).map(|told| &told.row).collect();
    // The order of file names is not to decide anything.
    contenders.sort_by_key(|row| raw(row));
    contenders.dedup_by_key(|row| raw(row));
    let is_contradicted = contenders.len() > 1;
    let mut rows = contenders.into_iter();
    let first = rows.next().cloned();
    let row = first.map(|first| rows.fold(first, |kept, other| agreed(&kept, other)));
    Settled { row, is_contradicted }
}

/// Both rows as they were received.
fn both(left: &str, right: &str) -> String {
    let inner = left.strip_prefix('[').and_then(|left| left.strip_suffix(']')).unwrap_or(left);
    format!("[{inner},{right}]")
}

fn same<T: Clone + PartialEq>(left: Option<&T>, right: Option<&T>) -> Option<T> {
    left.filter(|_| left == right).cloned()
}

fn agreed_outcome(left: &OutcomeRow, right: &OutcomeRow) -> OutcomeRow {
    OutcomeRow {
        conversation_id: left.conversation_id.clone(),
        outcome: same(left.outcome.as_ref(), right.outcome.as_ref()),
        transferred_to: same(left.transferred_to.as_ref(), right.transferred_to.as_ref()),
        last_intent: same(left.last_intent.as_ref(), right.last_intent.as_ref()),
        customer_email: same(left.customer_email.as_ref(), right.customer_email.as_ref()),
        customer_phone: same(left.customer_phone.as_ref(), right.customer_phone.as_ref()),
        raw_json: both(&left.raw_json, &right.raw_json),
    }
}

fn agreed_timing(left: &TimingRow, right: &TimingRow) -> TimingRow {
    TimingRow {
        conversation_id: left.conversation_id.clone(),
        started_at: same(left.started_at.as_ref(), right.started_at.as_ref()),
        ended_at: same(left.ended_at.as_ref(), right.ended_at.as_ref()),
        duration_seconds: same(left.duration_seconds.as_ref(), right.duration_seconds.as_ref()),
        first_response_seconds: same(
            left.first_response_seconds.as_ref(),
            right.first_response_seconds.as_ref(),
        ),
        message_count: same(left.message_count.as_ref(), right.message_count.as_ref()),
        raw_json: both(&left.raw_json, &right.raw_json),
    }
}
