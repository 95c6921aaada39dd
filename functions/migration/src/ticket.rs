//! Leads, and calls without lead, as tickets with all of their messages.
//!
//! A ticket can be dated back at its creation only (facts: limits), so everything is decided here. Deliberately absent:
//! snoozing, priority and read marks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::call_note::{call_message, not_in_future};
use crate::customer::Leftover;
use crate::fields::{FieldPlan, FieldSource};
use crate::finding::{self, Code, Note, ObjectKind};
use crate::gorgias::{
    FIELD_TEXT_CHARS_MAX, FieldValue, FieldValueDraft, MessageDraft, SUBJECT_CHARS_MAX, TicketDraft,
    TicketStatus,
};
use crate::keys::ExternalId;
use crate::lead_card::{contact_card, lead_card};
use crate::leaddesk::{Call, CallId, CallingList, Campaign, CampaignId, Lead, UserId};
use crate::mapping::{RowChoice, RowSubject};
use crate::message::messages_in_creation;
use crate::settings::{CallChannel, MappingSettings};
use crate::tags::TagPlan;
use crate::teams::TeamPlan;
use crate::text::{clean_line, folded, truncate_chars};
use crate::users::{NameIndex, Named, UserMatches};

/// Names of campaigns, both ways.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CampaignIndex {
    names: BTreeMap<CampaignId, String>,
    ids: BTreeMap<String, Vec<CampaignId>>,
}

impl CampaignIndex {
    /// From all campaigns.
    #[must_use]
    pub fn new(campaigns: &[Campaign]) -> Self {
        Self::from_names(campaigns.iter().map(|campaign| (campaign.id, clean_line(&campaign.name))))
    }

    /// From stored pairs of an id and its cleaned name.
    pub fn from_names(names: impl IntoIterator<Item = (CampaignId, String)>) -> Self {
        let names: BTreeMap<CampaignId, String> = names.into_iter().collect();
        let mut ids: BTreeMap<String, Vec<CampaignId>> = BTreeMap::new();
        for (id, name) in &names {
            ids.entry(folded(name)).or_default().push(*id);
        }
        Self { names, ids }
    }

    /// All names, in order of id.
    pub fn names(&self) -> impl Iterator<Item = (CampaignId, &str)> {
        self.names.iter().map(|(id, name)| (*id, name.as_str()))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self, id: CampaignId) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    /// The campaign of this name, if there is exactly one.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<CampaignId> {
        match self.ids.get(&folded(name)).map(Vec::as_slice) {
            Some([only]) => Some(*only),
            _ => None,
        }
    }
}

/// Everything besides the records themselves that tickets depend on.
#[derive(Debug, Clone, Copy)]
pub struct TicketContext<'a> {
    /// Choices.
    pub settings: &'a MappingSettings,
    /// Which field carries what.
    pub fields: &'a FieldPlan,
    /// Who stands for whom.
    pub users: &'a UserMatches,
    /// Accounts by name.
    pub names: &'a NameIndex,
    /// Teams.
    pub teams: &'a TeamPlan,
    /// Tags.
    pub tags: &'a TagPlan,
    /// Names of campaigns.
    pub campaigns: &'a CampaignIndex,
    /// When the source was read: no record can be later.
    pub as_of: Timestamp,
}

/// Where a creation time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// A call.
    Call,
    /// The last call time of the list export.
    List,
    /// The update time of the contact.
    Update,
    /// Nothing at all: the time of extraction.
    Extraction,
}

impl Evidence {
    /// Stable word for tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::List => "list",
            Self::Update => "update",
            Self::Extraction => "extraction",
        }
    }

    fn code(self) -> Code {
        match self {
            Self::Call => finding::LEA101_CREATED_FROM_CALL,
            Self::List => finding::LEA102_CREATED_FROM_LIST,
            Self::Update => finding::LEA103_CREATED_FROM_UPDATE,
            Self::Extraction => finding::LEA104_CREATED_FROM_EXTRACTION,
        }
    }
}

/// A ticket ready to write.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftedTicket {
    /// The draft.
    pub ticket: TicketDraft,
    /// What was decided by rule, sorted.
    pub notes: Vec<Note>,
    /// Where its creation time comes from.
    pub created_from: Evidence,
}

/// What a lead's ticket is made of.
#[derive(Debug, Clone, Copy)]
pub struct LeadTicketInput<'a> {
    /// The lead.
    pub lead: &'a Lead,
    /// Its list, when it is listed.
    pub list: Option<&'a CallingList>,
    /// Its customer.
    pub customer: &'a ExternalId,
    /// The customer's name, for the subject.
    pub customer_name: Option<&'a str>,
    /// Its calls, in any order.
    pub calls: &'a [Call],
    /// What its contact has left; those of other contacts are passed over.
    pub leftovers: &'a [Leftover],
}

/// What a ticket of calls without lead is made of.
#[derive(Debug, Clone, Copy)]
pub struct CallsTicketInput<'a> {
    /// The customer.
    pub customer: &'a ExternalId,
    /// Its name or number, for the subject.
    pub customer_name: Option<&'a str>,
    /// The calls, in any order; at least one.
    pub calls: &'a [Call],
    /// What the person's contacts have left, when none of them is in a list.
    pub leftovers: &'a [Leftover],
}

/// Drafts the ticket of a lead.
#[must_use]
pub fn draft_lead_ticket(input: &LeadTicketInput<'_>, ctx: &TicketContext<'_>) -> DraftedTicket {
    let LeadTicketInput { lead, .. } = *input;
    let about = (ObjectKind::Lead, lead.id.to_string());
    let mut notes = Vec::new();
    let calls = in_order(input.calls, &mut notes);
    let (created_at, created_from) = earliest(lead, &calls, ctx.as_of);
    if created_from != Evidence::Call {
        notes.push(Note::new(created_from.code(), about.0, &about.1, ""));
    }
    let campaigns = campaigns_of(lead, input.list, &calls, ctx);
    let names: Vec<String> =
        campaigns.iter().filter_map(|id| ctx.campaigns.name(*id)).map(str::to_owned).collect();
    let mut messages = vec![lead_card(lead, &names, input.leftovers, created_at, ctx, &mut notes)];
    append_calls(&calls, ctx, &mut messages, &mut notes);

    let owner = owner(lead, ctx, &mut notes);
    let status = ctx.settings.ticket_status(lead.status, &lead.status_text);
    let closed_at = (status == TicketStatus::Closed).then(|| latest(lead, &calls, ctx.as_of).max(created_at));
    let mut values = Vec::new();
    let outcome = latest_outcome(&calls, ctx.settings).or_else(|| {
        let from_list = clean_line(lead.last_result.as_deref()?);
        (!from_list.is_empty()).then(|| {
            notes.push(Note::new(finding::TIC104_OUTCOME_FROM_LIST, about.0, &about.1, ""));
            from_list
        })
    });
    push_text(FieldSource::Disposition, outcome.as_deref(), ctx, &about, &mut values, &mut notes);
    push_text(FieldSource::LeadStatus, Some(&lead.status_text), ctx, &about, &mut values, &mut notes);
    let list_name = clean_line(&lead.list_name);
    let who = input.customer_name.map(clean_line).filter(|name| !name.is_empty());
    let subject =
        format!("LeadDesk lead: {} – {list_name}", who.unwrap_or_else(|| lead.id.contact.to_string()));
    let ticket = TicketDraft {
        external_id: ExternalId::lead(lead.id),
        customer: input.customer.clone(),
        subject: subject_within(&subject, &about, &mut notes),
        status,
        channel: channel(ctx.settings).to_owned(),
        assignee_user: ctx.users.assignable(owner),
        assignee_team: ctx.teams.team_of(owner).cloned(),
        tags: ctx.tags.tags_for(&campaigns, Some(lead.id.list)),
        values,
        created_at,
        closed_at,
        messages,
    };
    finish(ticket, created_from, &about, notes)
}

/// Drafts the ticket of a customer's calls that belong to no lead. It is closed: nobody waits for anything.
///
/// `None` without calls.
#[must_use]
pub fn draft_calls_ticket(input: &CallsTicketInput<'_>, ctx: &TicketContext<'_>) -> Option<DraftedTicket> {
    let mut notes = Vec::new();
    let calls = in_order(input.calls, &mut notes);
    let first = calls.first()?;
    let last = calls.last()?;
    let created_at = not_in_future(first.created_at, ctx.as_of);
    let about = (ObjectKind::Call, first.id.to_string());
    let mut messages: Vec<MessageDraft> =
        contact_card(input.customer, input.leftovers, created_at, &mut notes).into_iter().collect();
    append_calls(&calls, ctx, &mut messages, &mut notes);
    let campaigns: BTreeSet<CampaignId> = calls.iter().filter_map(|call| call.campaign).collect();
    let campaigns: Vec<CampaignId> = campaigns.into_iter().collect();
    let agent = calls.iter().rev().find_map(|call| call.agent);
    let mut values = Vec::new();
    push_text(
        FieldSource::Disposition,
        latest_outcome(&calls, ctx.settings).as_deref(),
        ctx,
        &about,
        &mut values,
        &mut notes,
    );
    let subject = match input.customer_name.map(clean_line).filter(|name| !name.is_empty()) {
        Some(name) => format!("LeadDesk calls without lead: {name}"),
        None => "LeadDesk calls without lead".to_owned(),
    };
    let ticket = TicketDraft {
        external_id: ExternalId::calls_without_lead(input.customer),
        customer: input.customer.clone(),
        subject: subject_within(&subject, &about, &mut notes),
        status: TicketStatus::Closed,
        channel: channel(ctx.settings).to_owned(),
        assignee_user: ctx.users.assignable(agent),
        assignee_team: ctx.teams.team_of(agent).cloned(),
        tags: ctx.tags.tags_for(&campaigns, None),
        values,
        created_at,
        closed_at: Some(not_in_future(last.created_at, ctx.as_of).max(created_at)),
        messages,
    };
    Some(finish(ticket, Evidence::Call, &about, notes))
}

fn finish(
    ticket: TicketDraft,
    created_from: Evidence,
    about: &(ObjectKind, String),
    mut notes: Vec<Note>,
) -> DraftedTicket {
    let riding = messages_in_creation(&ticket.messages);
    if riding < ticket.messages.len() {
        let detail = format!("{riding} with the ticket, {} after it", ticket.messages.len() - riding);
        notes.push(Note::new(finding::TIC103_MESSAGES_APPENDED, about.0, &about.1, detail));
    }
    notes.sort();
    DraftedTicket { ticket, notes, created_from }
}

/// Calls by time, then id; each once.
fn in_order<'a>(calls: &'a [Call], notes: &mut Vec<Note>) -> Vec<&'a Call> {
    let mut sorted: Vec<&Call> = calls.iter().collect();
    sorted.sort_by_key(|call| (call.created_at, call.id));
    let mut seen: BTreeSet<CallId> = BTreeSet::new();
    sorted.retain(|call| {
        let is_new = seen.insert(call.id);
        if !is_new {
            notes.push(Note::new(finding::CAL109_DUPLICATE, ObjectKind::Call, call.id, ""));
        }
        is_new
    });
    sorted
}

fn append_calls(
    calls: &[&Call],
    ctx: &TicketContext<'_>,
    messages: &mut Vec<MessageDraft>,
    notes: &mut Vec<Note>,
) {
    for call in calls {
        let (message, more) = call_message(call, ctx);
        messages.push(message);
        notes.extend(more);
    }
}

fn earliest(lead: &Lead, calls: &[&Call], as_of: Timestamp) -> (Timestamp, Evidence) {
    let evidence = [
        (calls.first().map(|call| call.created_at), Evidence::Call),
        (lead.last_call_at, Evidence::List),
        (lead.contact_updated_at, Evidence::Update),
    ];
    let earliest = evidence.into_iter().filter_map(|(at, evidence)| Some((at?, evidence))).min();
    earliest.map_or((as_of, Evidence::Extraction), |(at, evidence)| (not_in_future(at, as_of), evidence))
}

fn latest(lead: &Lead, calls: &[&Call], as_of: Timestamp) -> Timestamp {
    let evidence = [calls.last().map(|call| call.created_at), lead.last_call_at, lead.contact_updated_at];
    evidence.into_iter().flatten().max().map_or(as_of, |at| not_in_future(at, as_of))
}

/// Name and id of the latest outcome by time; of two at one moment the call with the larger id counts. One that a person
/// left out is passed over, one that a person renamed carries the new name.
fn latest_outcome(calls: &[&Call], settings: &MappingSettings) -> Option<String> {
    calls.iter().rev().find_map(|call| {
        let chosen = call.outcome.and_then(|id| settings.choices.of(&RowSubject::Outcome(id)));
        let name = match chosen {
            Some(RowChoice::Leave { .. }) => return None,
            Some(RowChoice::Rename { name }) => clean_line(name),
            _ => clean_line(call.outcome_name.as_deref().unwrap_or("")),
        };
        match (name.is_empty(), call.outcome) {
            (false, Some(id)) => Some(format!("{name} ({id})")),
            (false, None) => Some(name),
            (true, Some(id)) => Some(format!("({id})")),
            (true, None) => None,
        }
    })
}

/// Campaigns that the lead's calls show, else those that dial its list.
fn campaigns_of(
    lead: &Lead,
    list: Option<&CallingList>,
    calls: &[&Call],
    ctx: &TicketContext<'_>,
) -> Vec<CampaignId> {
    let last = lead.last_campaign.as_deref().and_then(|name| ctx.campaigns.only(name));
    let shown: BTreeSet<CampaignId> = calls.iter().filter_map(|call| call.campaign).chain(last).collect();
    if !shown.is_empty() {
        return shown.into_iter().collect();
    }
    let dialling: BTreeSet<CampaignId> = list.into_iter().flat_map(|list| &list.campaigns).copied().collect();
    dialling.into_iter().collect()
}

fn owner(lead: &Lead, ctx: &TicketContext<'_>, notes: &mut Vec<Note>) -> Option<UserId> {
    let name = lead.last_agent.as_deref().filter(|name| !clean_line(name).is_empty())?;
    let code = match ctx.names.find(name) {
        Named::One(user) => return Some(user),
        Named::Ambiguous => finding::USR105_AMBIGUOUS_NAME,
        Named::Unknown => finding::USR106_UNKNOWN_NAME,
    };
    notes.push(Note::new(code, ObjectKind::Lead, lead.id, ""));
    None
}

fn push_text(
    source: FieldSource,
    value: Option<&str>,
    ctx: &TicketContext<'_>,
    about: &(ObjectKind, String),
    values: &mut Vec<FieldValueDraft>,
    notes: &mut Vec<Note>,
) {
    let Some(text) = value.map(clean_line).filter(|text| !text.is_empty()) else { return };
    let Some(field) = ctx.fields.field(source) else { return };
    let kept = truncate_chars(&text, FIELD_TEXT_CHARS_MAX).into_owned();
    if kept != text {
        notes.push(Note::new(finding::TIC105_VALUE_CUT, about.0, &about.1, field.draft.key.to_string()));
    }
    values.push(FieldValueDraft { field: field.draft.key.clone(), value: FieldValue::Text(kept) });
}

pub(crate) fn subject_within(subject: &str, about: &(ObjectKind, String), notes: &mut Vec<Note>) -> String {
    let kept = truncate_chars(subject, SUBJECT_CHARS_MAX);
    if kept.len() != subject.len() {
        notes.push(Note::new(finding::TIC101_SUBJECT_CUT, about.0, &about.1, ""));
    }
    kept.into_owned()
}

/// Channel of a ticket made of calls: never one on which an answering machine of Gorgias listens.
fn channel(settings: &MappingSettings) -> &'static str {
    match settings.call_channel {
        CallChannel::InternalNote => "internal-note",
        CallChannel::Phone => "phone",
    }
}
