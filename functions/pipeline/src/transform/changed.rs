//! Two readings of LeadDesk -> the wish of what changed between them.
//!
//! The readings are compared by their keys and row hashes; only persons of whom something changed are made anew, with all
//! of their leads and calls. Who is one person is resolved over all contacts, before and after, so that persons who merge
//! or part are made anew together. Deliberately absent: writing to Gorgias (see `delta`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use migration::call_home::Home;
use migration::contact_point::{normalize_email, normalize_phone};
use migration::keys::ExternalId;
use migration::leaddesk::{CallId, ContactId, LeadId};
use migration::person::PersonId;
use serde::{Deserialize, Serialize};
use snapshot::tables::{
    ControlDeltaScope, SourceCall, SourceContact, SourceConversation, SourceLead, SourceList,
    SourceRecording, WantMessage, WantTicket,
};
use snapshot::{Children, Key, Pass, Row};

use super::differing::{Differing, differing};
use super::error::TransformError;
use super::fold::Fold;
use super::making::{Making, Portion};
use super::who::{self, Both};
use super::{Rows, Source, made_from, open, records, tickets_as_of};
use crate::archive::{self, Provenance};
use crate::context::Context;
use crate::deltas::{BegunV1, PlanV1};
use crate::documents::{self, DocumentError};
use crate::extract;
use crate::extract::since::Since;
use crate::load::drafts::TicketRows;
use crate::wish;

/// Kept beside the tables: what the comparison came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredChanges {
    #[serde(rename = "1")]
    V1(PlanV1),
}

/// Compares, makes what changed, and seals it; does nothing when that is done. What is counted comes back.
///
/// # Errors
/// [`TransformError`]; nothing is published then.
pub async fn run(ctx: &Context, begun: &BegunV1) -> Result<PlanV1, TransformError> {
    let key = ctx.pass_key("changes.json").map_err(DocumentError::from)?;
    if let Some(StoredChanges::V1(plan)) = documents::get(ctx, key.clone()).await? {
        return Ok(plan);
    }
    let ctx = &ctx.holding_open();
    let since = Since::of(ctx).await?.ok_or(TransformError::ScratchDamaged)?;
    let differing = differing(ctx, &since).await?;
    let mut plan = PlanV1 { source: differing.counts.clone(), ..PlanV1::default() };
    if !differing.is_empty() {
        make(ctx, begun, &since, differing, &mut plan).await?;
    }
    documents::put(ctx, key, &StoredChanges::V1(plan.clone())).await?;
    Ok(plan)
}

/// What is made anew.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) contacts: BTreeSet<ContactId>,
    /// Keys of tickets that are looked at.
    pub(super) tickets: BTreeSet<String>,
    /// These, as they were wished before.
    pub(super) before: BTreeMap<String, TicketRows>,
    /// Keys of customers that are looked at.
    pub(super) customers: BTreeSet<String>,
    /// Calls that are made, with the ticket where an earlier reading put them.
    calls: BTreeMap<String, Option<Home>>,
    conversations: BTreeSet<String>,
    /// Leads that are there now.
    pub(super) leads: BTreeSet<LeadId>,
    /// Leads of the reading before.
    pub(super) leads_before: BTreeSet<LeadId>,
    /// Contacts that were in a list before.
    pub(super) listed_before: BTreeSet<ContactId>,
    /// Lists that are there now.
    pub(super) lists: BTreeSet<String>,
}

/// The first text of a key; of ids and keys of ours, which hold no zero byte.
fn first_of(key: &Key) -> Option<&str> {
    let bytes = key.as_bytes();
    std::str::from_utf8(bytes.get(..end_of_text(bytes)?)?).ok()
}

/// The second text of a key of two.
fn second_text(key: &Key) -> Option<&str> {
    let bytes = key.as_bytes();
    let rest = bytes.get(end_of_text(bytes)? + 2..)?;
    std::str::from_utf8(rest.strip_suffix(&[0, 0])?).ok()
}

fn end_of_text(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == 0)
}

/// Leads of these contacts, in one reading.
async fn leads_of(ctx: &Context, contacts: &BTreeSet<ContactId>) -> Result<Vec<SourceLead>, TransformError> {
    let reader = open::<SourceLead>(ctx).await?;
    let contacts: BTreeSet<String> = contacts.iter().map(ToString::to_string).collect();
    tokio::task::spawn_blocking(move || {
        let is_theirs = |key: &Key| second_text(key).is_some_and(|contact| contacts.contains(contact));
        Ok(reader.only_where(is_theirs)?.collect::<Result<Vec<_>, _>>()?)
    })
    .await?
}

/// The same of the reading before, by their ids alone.
async fn leads_before(
    since: &Since,
    contacts: &BTreeSet<ContactId>,
) -> Result<BTreeSet<LeadId>, TransformError> {
    let (reader, contacts) = (since.open::<SourceLead>().await?, contacts.clone());
    tokio::task::spawn_blocking(move || {
        let lead = |key: &Key| {
            let contact = second_text(key)?.parse().ok().filter(|contact| contacts.contains(contact))?;
            Some(LeadId { list: first_of(key)?.parse().ok()?, contact })
        };
        let keys = reader.keys_where(|key| lead(key).is_some())?;
        Ok(keys.iter().filter_map(lead).collect())
    })
    .await?
}

/// Keys of the wished tickets of these contacts' leads, also of leads that no reading tells any more: whose they are may
/// change as long as the contact is there.
async fn lead_tickets(
    ctx: &Context,
    wish: Pass,
    contacts: &BTreeSet<ContactId>,
) -> Result<BTreeSet<String>, TransformError> {
    let mut tickets = BTreeSet::new();
    for pass in BTreeSet::from([Pass::Full, wish]) {
        if !archive::is_sealed(ctx, &ctx.run, pass, WantTicket::SCHEMA).await? {
            continue;
        }
        let (reader, contacts) = (archive::open::<WantTicket>(ctx, &ctx.run, pass).await?, contacts.clone());
        let found = tokio::task::spawn_blocking(move || {
            reader.keys_where(|key| {
                let lead = first_of(key).and_then(lead_of);
                lead.is_some_and(|lead| contacts.contains(&lead.contact))
            })
        });
        tickets.extend(found.await??.iter().filter_map(first_of).map(str::to_owned));
    }
    Ok(tickets)
}

/// The lead that a key of a ticket names.
pub(super) fn lead_of(key: &str) -> Option<LeadId> {
    let (list, contact) = key.strip_prefix("leaddesk:lead:")?.split_once(':')?;
    Some(LeadId { list: list.parse().ok()?, contact: contact.parse().ok()? })
}

/// The ticket that a key names, as a home of calls.
fn home_of(ticket: &str) -> Option<Home> {
    if let Some(lead) = lead_of(ticket) {
        return Some(Home::Lead(lead));
    }
    let of = ticket.strip_prefix("leaddesk:calls:")?;
    match (of.strip_prefix("contact:"), of.strip_prefix("number:")) {
        (Some(contact), _) => Some(Home::PersonWithoutLead(contact.parse().ok()?)),
        (_, Some("unknown")) => Some(Home::Nobody),
        (_, Some(number)) => Some(Home::Number(number.to_owned())),
        _ => None,
    }
}

fn ticket_of(home: &Home) -> ExternalId {
    match home {
        Home::Lead(lead) => ExternalId::lead(*lead),
        Home::PersonWithoutLead(contact) => ExternalId::calls_without_lead(&ExternalId::customer(*contact)),
        Home::Number(number) => ExternalId::calls_without_lead(&ExternalId::number(number)),
        Home::Nobody => ExternalId::calls_without_lead(&migration::customer::unknown_callers().external_id),
    }
}

fn texts(keys: &BTreeSet<String>) -> BTreeSet<Key> {
    keys.iter().map(|key| wish::parent(key)).collect()
}

/// Rows of these keys in the new reading.
async fn picked<R: Row + Send>(ctx: &Context, keys: BTreeSet<Key>) -> Result<Vec<R>, TransformError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let reader = open::<R>(ctx).await?;
    tokio::task::spawn_blocking(move || Ok(reader.only(&keys)?.collect::<Result<Vec<_>, _>>()?)).await?
}

async fn scope(
    ctx: &Context,
    wish_before: Pass,
    since: &Since,
    differing: &Differing,
    both: &Both,
) -> Result<(Scope, Vec<SourceLead>, Vec<SourceCall>), TransformError> {
    let mut scope = Scope { conversations: differing.conversations.clone(), ..Scope::default() };
    let mut seeds = differing.contacts.clone();
    let changed_calls: Vec<SourceCall> = picked(ctx, texts(&differing.calls)).await?;
    let mut numbers: BTreeSet<String> = BTreeSet::new();
    for call in &changed_calls {
        match call.leaddesk_contact_id.as_deref().and_then(|id| id.parse().ok()) {
            Some(contact) => drop(seeds.insert(contact)),
            None => numbers.extend(call.number_raw.clone()),
        }
    }
    for number in &numbers {
        if let Some(phone) = normalize_phone(number, both.region) {
            seeds.extend(both.new.owner_of_phone(&phone).first().map(PersonId::contact));
        } else {
            seeds.extend(both.new.owner_of_raw_number(number).first().map(PersonId::contact));
        }
    }
    let conversations: Vec<SourceConversation> = picked(ctx, texts(&scope.conversations)).await?;
    for row in &conversations {
        let email = row.customer_email_raw.as_deref().and_then(normalize_email);
        let phone = row.customer_phone_raw.as_deref().and_then(|raw| normalize_phone(raw, both.region));
        let by_email = email.and_then(|email| both.new.person_by_email(&email));
        let by_phone = phone.and_then(|phone| both.new.owner_of_phone(&phone).first());
        seeds.extend(by_email.into_iter().chain(by_phone).map(PersonId::contact));
        scope.tickets.insert(ExternalId::chat(&row.conversation_id).to_string());
    }
    scope.contacts = both.closure(seeds);
    let leads = leads_of(ctx, &scope.contacts).await?;
    for lead in &leads {
        scope.leads.extend(records::lead(lead).map(|lead| lead.id));
    }
    for row in open::<SourceList>(ctx).await? {
        scope.lists.insert(row?.leaddesk_list_id);
    }
    scope.leads_before = leads_before(since, &scope.contacts).await?;
    let of_leads = scope.leads.iter().chain(&scope.leads_before);
    scope.tickets.extend(of_leads.map(|lead| ExternalId::lead(*lead).to_string()));
    scope.tickets.extend(lead_tickets(ctx, wish_before, &scope.contacts).await?);
    scope.listed_before = scope.leads_before.iter().map(|lead| lead.contact).collect();
    for contact in &scope.contacts {
        let customer = ExternalId::customer(*contact);
        scope.tickets.insert(ExternalId::calls_without_lead(&customer).to_string());
        scope.customers.insert(customer.to_string());
    }
    homes(ctx, wish_before, differing, &changed_calls, both, &mut scope).await?;
    let ids: BTreeSet<String> = scope.calls.keys().cloned().collect();
    let calls = picked(ctx, texts(&ids)).await?;
    Ok((scope, leads, calls))
}

/// Where earlier readings put the calls of the tickets in scope, and those that are told in another way now.
async fn homes(
    ctx: &Context,
    wish_before: Pass,
    differing: &Differing,
    changed: &[SourceCall],
    both: &Both,
    scope: &mut Scope,
) -> Result<(), TransformError> {
    // Calls by number alone, and calls that other tickets hold.
    let mut others: BTreeSet<String> = BTreeSet::new();
    if !differing.told_before.is_empty() {
        let messages = wish::as_of_with_only::<WantMessage>(ctx, wish_before, &["external_id"]).await?;
        for row in messages {
            let row = row?;
            let call = row.external_id.strip_prefix("leaddesk:call:");
            if call.is_some_and(|call| differing.told_before.contains(call))
                && !scope.tickets.contains(&row.ticket_external_id)
            {
                others.insert(row.ticket_external_id);
            }
        }
    }
    scope.tickets.extend(others);
    scope.calls.extend(changed.iter().map(|call| (call.leaddesk_call_id.clone(), None)));
    scope.tickets.extend(number_tickets(both, changed));
    let before = tickets_as_of(ctx, wish_before, &texts(&scope.tickets)).await?;
    for row in before.values().flat_map(|rows| &rows.messages) {
        let Some(call) = row.external_id.strip_prefix("leaddesk:call:") else { continue };
        let home = home_of(&row.ticket_external_id);
        let is_there = match &home {
            Some(Home::Lead(lead)) => scope.leads.contains(lead),
            Some(Home::PersonWithoutLead(contact)) => {
                both.new.person_of(*contact).is_some_and(|person| person.contact() == *contact)
            }
            Some(Home::Number(_) | Home::Nobody) => true,
            None => false,
        };
        if is_there {
            scope.calls.insert(call.to_owned(), home);
        } else {
            // Its ticket stays as it is, with the call in it.
            scope.calls.remove(call);
        }
    }
    scope.before = before;
    Ok(())
}

/// Tickets of numbers that new calls may go to.
fn number_tickets(both: &Both, changed: &[SourceCall]) -> BTreeSet<String> {
    let mut tickets = BTreeSet::new();
    for call in changed {
        let known = call.leaddesk_contact_id.as_deref().and_then(|id| id.parse::<ContactId>().ok());
        if known.is_some_and(|contact| both.new.person_of(contact).is_some()) {
            continue;
        }
        let raw = migration::text::clean(call.number_raw.as_deref().unwrap_or_default());
        let number = match normalize_phone(&raw, both.region) {
            Some(phone) => phone.as_str().to_owned(),
            None => migration::contact_point::digits_of(&raw),
        };
        let homes = [Home::Number(number), Home::Nobody];
        tickets.extend(homes.iter().map(|home| ticket_of(home).to_string()));
    }
    tickets
}

async fn make(
    ctx: &Context,
    begun: &BegunV1,
    since: &Since,
    differing: Differing,
    plan: &mut PlanV1,
) -> Result<(), TransformError> {
    let wish_before: Pass = begun.wish.parse()?;
    let both = who::is_who(ctx, since, &differing).await?;
    let (scope, leads, calls) = scope(ctx, wish_before, since, &differing, &both).await?;
    let mapping = documents::confirmed_mapping(ctx).await?;
    let inventory = documents::inventory(ctx).await?;
    let started_at = extract::started_at(ctx).await?;
    let hash = mapping.digest().to_hex();
    let provenance = Provenance {
        pass: ctx.pass,
        made_from: made_from(ctx, &hash).await?,
        mapping_hash: Some(hash),
        taken_at: None,
    };
    let source = portion_of_source(ctx, &scope, leads, calls).await?;
    let homes =
        scope.calls.iter().filter_map(|(call, home)| Some((call.parse::<CallId>().ok()?, home.clone()?)));
    let portion = Portion { persons: Arc::clone(&both.new), homes: homes.collect() };
    let made = {
        let (ctx, provenance) = (ctx.clone(), provenance.clone());
        tokio::task::spawn_blocking(move || {
            let portion = Some(portion);
            Making { ctx: &ctx, mapping: &mapping, inventory: &inventory, provenance, started_at, portion }
                .make(source, Vec::new())
        })
        .await??
    };
    let fold = Fold { ctx, wish_before, scope: &scope, persons: &both.new, number: begun.number, provenance };
    let (tables, states) = fold.layer(made.tables).await?;
    for state in states {
        let ControlDeltaScope { object, state, likely_cause, .. } = state;
        *plan.wished.entry(object).or_default().entry(state).or_default() += 1;
        if let Some(cause) = likely_cause {
            *plan.vanished.entry(cause).or_default() += 1;
        }
    }
    for table in tables {
        archive::publish(ctx, table).await?;
    }
    Ok(())
}

fn iterated<R: Row + Send>(rows: Vec<R>) -> Rows<R> {
    Box::new(rows.into_iter().map(Ok))
}

async fn portion_of_source(
    ctx: &Context,
    scope: &Scope,
    leads: Vec<SourceLead>,
    calls: Vec<SourceCall>,
) -> Result<Source, TransformError> {
    let contacts: BTreeSet<Key> =
        scope.contacts.iter().map(|contact| wish::parent(&contact.to_string())).collect();
    let cards: Vec<SourceContact> = picked(ctx, contacts.clone()).await?;
    let recordings = match extract::recordings::are_kept(&ctx.mapping) {
        true => {
            let ids: BTreeSet<String> = scope.calls.keys().cloned().collect();
            let rows: Vec<SourceRecording> = picked(ctx, texts(&ids)).await?;
            Some(Children::new(iterated(rows), 1))
        }
        false => None,
    };
    Ok(Source {
        agents: open(ctx).await?,
        campaigns: open(ctx).await?,
        lists: open(ctx).await?,
        offices: open(ctx).await?,
        groups: open(ctx).await?,
        outcomes: open(ctx).await?,
        blacklist: open(ctx).await?,
        contacts: [iterated(Vec::new()), iterated(cards)],
        values: iterated(picked(ctx, contacts).await?),
        leads: [iterated(leads.clone()), iterated(leads)],
        calls: iterated(calls),
        recordings,
        conversations: iterated(picked(ctx, texts(&scope.conversations)).await?),
        messages: iterated(picked(ctx, texts(&scope.conversations)).await?),
    })
}
