//! Rows of every table that say something of a few records. Each table is read once, in its own order.

use std::collections::{BTreeMap, BTreeSet};

use migration::compare::{Compared, Image};
use migration::fields::{FieldSource, PlannedField};
use migration::gorgias::{CustomerId, FieldObject};
use migration::keys::ExternalId;
use migration::ledger::WriteKey;
use migration::mapping::ConfirmedMapping;
use snapshot::tables::{
    ControlFailure, ControlIdMap, ControlReconDifference, FoundCustomer, FoundCustomerChannel,
    FoundCustomerValue, FoundField, FoundMessage, FoundTag, FoundTeam, FoundTicket, FoundTicketTag,
    FoundTicketValue, FoundUser, MapValue, SourceAgent, SourceCall, SourceCampaign, SourceChatMessage,
    SourceContact, SourceConversation, SourceFieldValue, SourceGroup, SourceLead, SourceOffice,
    SourceOutcome, WantCustomer, WantCustomerChannel, WantCustomerValue, WantMessage, WantTicket,
    WantTicketTag, WantTicketValue,
};
use snapshot::{Pass, RAW_JSON, Row};

use super::cell::{Cell, cells};
use super::record::{Record, Trouble, fields, kind_of};
use super::{Names, TraceError, found, id_rows, rule};
use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::documents;
use crate::ledger::book::Book;
use crate::ledger::key::{self, Secret};
use crate::ledger::{Ledger, history};
use crate::load::drafts::{Names as Directory, TicketRows};
use crate::load::names;
use crate::reconcile::image::{
    found_customer, found_message, found_ticket, wanted_customer, wanted_message, wanted_ticket,
};

/// Rows that fit, of a table that may be missing.
async fn rows<R: Row>(ctx: &Context, pass: Pass, fits: impl Fn(&R) -> bool) -> Result<Vec<R>, TraceError> {
    let reader = match archive::open::<R>(ctx, &ctx.run, pass).await {
        Ok(reader) => reader,
        Err(ArchiveError::Missing { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let reader = if R::SCHEMA.position(RAW_JSON).is_some() { reader.without(&[RAW_JSON])? } else { reader };
    let mut found = Vec::new();
    for row in reader {
        let row = row?;
        if fits(&row) {
            found.push(row);
        }
    }
    Ok(found)
}

/// Names of records that did not arrive.
pub(super) async fn failed(ctx: &Context, is_it: impl Fn(&str, &str) -> bool) -> Result<Names, TraceError> {
    let failures =
        rows::<ControlFailure>(ctx, Pass::Full, |row| is_it(&row.object, &row.leaddesk_id)).await?;
    Ok(failures.into_iter().map(|row| (row.object, row.leaddesk_id)).collect())
}

/// Field, and whether the difference is explained.
type Difference = (String, bool);

/// Everything that several records share.
struct Shared {
    mapping: ConfirmedMapping,
    directory: Directory,
    book: Book,
    secret: Secret,
    /// Gorgias was read back, and what was found is kept.
    was_read_back: bool,
    /// Differences by kind and key at Gorgias.
    differences: BTreeMap<(String, String), Vec<Difference>>,
}

impl Shared {
    fn key_of(&self, kind: &str, external_id: &str) -> Option<WriteKey> {
        let ours = ExternalId::from_stored(external_id);
        match kind {
            "customer" => Some(key::customer(&ours, &self.secret)),
            "ticket" => Some(key::ticket(&ours, &self.secret)),
            "message" => Some(key::message(&ours, &self.secret)),
            "tag" => Some(key::tag(external_id, &self.secret)),
            _ => None,
        }
    }

    fn planned(&self, object: FieldObject, name: &str) -> Option<&PlannedField> {
        let id = name.split_once('[').map(|(_, rest)| rest.trim_end_matches(']'))?;
        let of_field = |((kind, _), held): &(
            &(FieldObject, migration::keys::FieldKey),
            &migration::gorgias::FieldId,
        )| { *kind == object && held.to_string() == id };
        let ((_, key), _) = self.directory.directory.fields.iter().find(of_field)?;
        let mut planned = self.mapping.fields().fields();
        planned.find(|field| field.draft.object == object && field.draft.key == *key)
    }

    fn explained(&self, kind: &str, external_id: &str, field: &str) -> bool {
        let held = self.differences.get(&(kind.to_owned(), external_id.to_owned()));
        held.is_some_and(|held| held.iter().any(|(name, explained)| name == field && *explained))
    }
}

/// The records by these names, in order.
pub(crate) async fn records(ctx: &Context, wished: &Names) -> Result<Vec<Record>, TraceError> {
    let is_wished = |object: &str, id: &str| wished.contains(&(object.to_owned(), id.to_owned()));
    let mapping = documents::confirmed_mapping(ctx).await?;
    let directory = names(ctx).await?;
    let (book, secret) = Ledger::read_of(ctx, &directory.directory.account).await?;
    let is_read = archive::is_sealed(ctx, &ctx.run, Pass::After, FoundCustomer::SCHEMA).await?;
    let mut shared =
        Shared { mapping, directory, book, secret, was_read_back: is_read, differences: BTreeMap::new() };
    for row in rows::<ControlReconDifference>(ctx, Pass::Full, |_| true).await? {
        let held = shared.differences.entry((row.object, row.external_id)).or_default();
        held.push((row.field_name, row.is_explained));
    }
    let mut records: BTreeMap<(String, String), Record> = BTreeMap::new();
    for row in id_rows(ctx, |row| is_wished(&row.object, &row.leaddesk_id)).await? {
        records.insert((row.object.clone(), row.leaddesk_id.clone()), record_of(&shared, row));
    }
    let failures =
        rows::<ControlFailure>(ctx, Pass::Full, |row| is_wished(&row.object, &row.leaddesk_id)).await?;
    for row in failures {
        let name = (row.object.clone(), row.leaddesk_id.clone());
        let record = records.entry(name).or_insert_with(|| bare(&shared, &row.object, &row.leaddesk_id));
        record.troubles.push(Trouble { code: row.reason_code, reason: row.reason, state: row.state });
    }
    merged(ctx, &mut records).await?;
    source(ctx, &mut records).await?;
    destination(ctx, &shared, &mut records).await?;
    told(ctx, &shared, &mut records).await?;
    Ok(records.into_values().collect())
}

fn bare(shared: &Shared, object: &str, id: &str) -> Record {
    let parts = shared.mapping.parts();
    Record {
        object: object.to_owned(),
        leaddesk_id: id.to_owned(),
        external_id: None,
        gorgias_id: None,
        ticket_id: None,
        url: None,
        via: None,
        merged_into: None,
        troubles: Vec::new(),
        source: Vec::new(),
        fields: Vec::new(),
        mentions: Vec::new(),
        is_found: None,
        approved: (parts.reviewer.as_str().to_owned(), parts.confirmed_at, parts.digest.to_hex()),
    }
}

fn record_of(shared: &Shared, row: ControlIdMap) -> Record {
    let is_there = row.gorgias_id.is_some();
    Record {
        external_id: row.external_id,
        gorgias_id: row.gorgias_id,
        url: row.gorgias_url,
        via: is_there.then_some(row.via),
        ..bare(shared, &row.object, &row.leaddesk_id)
    }
}

async fn merged(ctx: &Context, records: &mut Records) -> Result<(), TraceError> {
    for row in rows::<MapValue>(ctx, Pass::Full, |row| row.value_kind == "merge").await? {
        let Some(target) = row.target_value.filter(|target| *target != row.source_value) else { continue };
        if let Some(record) = records.get_mut(&("contact".to_owned(), row.source_value)) {
            record.merged_into = Some((format!("contact {target}"), row.reason));
        }
    }
    Ok(())
}

type Records = BTreeMap<(String, String), Record>;

/// Adds the cells of the rows that a table holds of the wished records.
async fn add<R: Row>(
    ctx: &Context,
    object: &str,
    records: &mut Records,
    id: impl Fn(&R) -> &str,
) -> Result<(), TraceError> {
    let name = |row: &R| (object.to_owned(), id(row).to_owned());
    if !records.keys().any(|(kind, _)| kind == object) {
        return Ok(());
    }
    let held = rows::<R>(ctx, Pass::Full, |row| records.contains_key(&name(row))).await?;
    for row in held {
        if let Some(record) = records.get_mut(&name(&row)) {
            record.source.extend(cells(&row));
        }
    }
    Ok(())
}

async fn source(ctx: &Context, records: &mut Records) -> Result<(), TraceError> {
    add::<SourceContact>(ctx, "contact", records, |row| &row.leaddesk_contact_id).await?;
    add::<SourceLead>(ctx, "lead", records, |row| &row.leaddesk_lead_id).await?;
    add::<SourceCall>(ctx, "call", records, |row| &row.leaddesk_call_id).await?;
    add::<SourceConversation>(ctx, "conversation", records, |row| &row.conversation_id).await?;
    add::<SourceAgent>(ctx, "agent", records, |row| &row.leaddesk_agent_id).await?;
    add::<SourceOffice>(ctx, "office", records, |row| &row.office_name).await?;
    add::<SourceGroup>(ctx, "group", records, |row| &row.group_id).await?;
    add::<SourceCampaign>(ctx, "campaign", records, |row| &row.leaddesk_campaign_id).await?;
    add::<SourceOutcome>(ctx, "outcome", records, |row| &row.outcome_id).await?;
    slots(ctx, records).await?;
    chat_messages(ctx, records).await
}

/// A value of a slot is a cell under the name of its slot.
async fn slots(ctx: &Context, records: &mut Records) -> Result<(), TraceError> {
    let of = |row: &SourceFieldValue| ("contact".to_owned(), row.leaddesk_contact_id.clone());
    for row in rows::<SourceFieldValue>(ctx, Pass::Full, |row| records.contains_key(&of(row))).await? {
        let Some(record) = records.get_mut(&of(&row)) else { continue };
        let cell = cells(&row).into_iter().find(|cell| cell.column == "value_raw");
        record.source.extend(cell.map(|cell| Cell { column: format!("slot {}", row.slot_number), ..cell }));
    }
    Ok(())
}

async fn chat_messages(ctx: &Context, records: &mut Records) -> Result<(), TraceError> {
    let of =
        |row: &SourceChatMessage| ExternalId::chat_message(&row.conversation_id, &row.message_id).to_string();
    let wished: BTreeMap<String, (String, String)> = records
        .iter()
        .filter(|((object, _), _)| object == "chat_message")
        .filter_map(|(name, record)| Some((record.external_id.clone()?, name.clone())))
        .collect();
    if wished.is_empty() {
        return Ok(());
    }
    for row in rows::<SourceChatMessage>(ctx, Pass::Full, |row| wished.contains_key(&of(row))).await? {
        let record = wished.get(&of(&row)).and_then(|name| records.get_mut(name));
        if let Some(record) = record {
            record.source.extend(cells(&row));
        }
    }
    Ok(())
}

/// Keys of the wished records of one kind at Gorgias.
fn keys(records: &Records, kind: &str) -> BTreeSet<String> {
    let of_kind = records.values().filter(|record| record.kind() == kind);
    of_kind.filter_map(|record| record.external_id.clone()).collect()
}

/// Ids of the wished records of one kind at Gorgias.
fn ids(records: &Records, kind: &str) -> BTreeSet<String> {
    let of_kind = records.values().filter(|record| record.kind() == kind);
    of_kind.filter_map(|record| record.gorgias_id.clone()).collect()
}

async fn destination(ctx: &Context, shared: &Shared, records: &mut Records) -> Result<(), TraceError> {
    let (wanted, found) =
        (wanted_customers(ctx, shared, records).await?, found_customers(ctx, shared, records).await?);
    compare(shared, records, Compared::Customer, &wanted, &found);
    let (wanted, found) =
        (wanted_tickets(ctx, shared, records).await?, found_tickets(ctx, shared, records).await?);
    compare(shared, records, Compared::Ticket, &wanted, &found);
    let (wanted, found) = messages(ctx, shared, records).await?;
    compare(shared, records, Compared::Message, &wanted, &found);
    small(ctx, shared, records).await
}

/// Images by our key, or by id at Gorgias.
type Images = BTreeMap<String, Image>;

fn compare(shared: &Shared, records: &mut Records, compared: Compared, wanted: &Images, found: &Images) {
    let (kind, owner) = match compared {
        Compared::Customer => ("customer", Some(FieldObject::Customer)),
        Compared::Ticket => ("ticket", Some(FieldObject::Ticket)),
        _ => ("message", None),
    };
    for record in records.values_mut().filter(|record| kind_of(&record.object) == kind) {
        let external_id = record.external_id.clone().unwrap_or_default();
        let wish = wanted.get(&external_id);
        let held = record.gorgias_id.as_ref().and_then(|id| found.get(id));
        if shared.was_read_back && record.gorgias_id.is_some() {
            record.is_found = Some(held.is_some());
        }
        let planned = |name: &str| owner.and_then(|owner| shared.planned(owner, name));
        let label =
            |name: &str| planned(name).map_or_else(|| name.to_owned(), |field| field.draft.label.clone());
        let object = record.object.clone();
        let rule = |name: &str| match planned(name) {
            Some(field) => rule::custom(&shared.mapping, field),
            None => rule::plain(kind, &object, name),
        };
        let explained = |name: &str| shared.explained(kind, &external_id, name);
        record.fields = fields(compared, wish, held, label, rule, explained, &record.source);
        for field in &mut record.fields {
            // Words of the account, not of a person.
            let source = planned(&field.name).map(|planned| planned.source);
            field.is_personal &= !matches!(
                source,
                Some(FieldSource::Disposition | FieldSource::LeadStatus | FieldSource::EmailOptOut)
            );
        }
    }
}

async fn wanted_customers(ctx: &Context, shared: &Shared, records: &Records) -> Result<Images, TraceError> {
    let wished = keys(records, "customer");
    if wished.is_empty() {
        return Ok(Images::new());
    }
    let full = Pass::Full;
    let channels =
        rows::<WantCustomerChannel>(ctx, full, |row| wished.contains(&row.customer_external_id)).await?;
    let values =
        rows::<WantCustomerValue>(ctx, full, |row| wished.contains(&row.customer_external_id)).await?;
    let mut images = Images::new();
    for row in rows::<WantCustomer>(ctx, full, |row| wished.contains(&row.external_id)).await? {
        let of = |id: &String| *id == row.external_id;
        let channels: Vec<_> = channels.iter().filter(|it| of(&it.customer_external_id)).cloned().collect();
        let values: Vec<_> = values.iter().filter(|it| of(&it.customer_external_id)).cloned().collect();
        let image = wanted_customer(&shared.directory, &row, &channels, &values);
        images.insert(row.external_id, image);
    }
    Ok(images)
}

async fn found_customers(ctx: &Context, shared: &Shared, records: &Records) -> Result<Images, TraceError> {
    let wished = ids(records, "customer");
    if wished.is_empty() {
        return Ok(Images::new());
    }
    let after = Pass::After;
    let channels =
        rows::<FoundCustomerChannel>(ctx, after, |row| wished.contains(&row.gorgias_customer_id)).await?;
    let values =
        rows::<FoundCustomerValue>(ctx, after, |row| wished.contains(&row.gorgias_customer_id)).await?;
    let mut images = Images::new();
    for row in rows::<FoundCustomer>(ctx, after, |row| wished.contains(&row.gorgias_customer_id)).await? {
        let id = row.gorgias_customer_id.clone();
        let channels = channels.iter().filter(|it| it.gorgias_customer_id == id).cloned().collect();
        let values = values.iter().filter(|it| it.gorgias_customer_id == id).cloned().collect();
        let image = found_customer(&shared.directory, &found::customer(row, channels, values));
        images.insert(id, image);
    }
    Ok(images)
}

async fn wanted_tickets(ctx: &Context, shared: &Shared, records: &Records) -> Result<Images, TraceError> {
    let wished = keys(records, "ticket");
    if wished.is_empty() {
        return Ok(Images::new());
    }
    let full = Pass::Full;
    let tags = rows::<WantTicketTag>(ctx, full, |row| wished.contains(&row.ticket_external_id)).await?;
    let values = rows::<WantTicketValue>(ctx, full, |row| wished.contains(&row.ticket_external_id)).await?;
    let mut images = Images::new();
    for ticket in rows::<WantTicket>(ctx, full, |row| wished.contains(&row.external_id)).await? {
        let id = ticket.external_id.clone();
        let rows = TicketRows {
            tags: tags.iter().filter(|it| it.ticket_external_id == id).cloned().collect(),
            values: values.iter().filter(|it| it.ticket_external_id == id).cloned().collect(),
            messages: Vec::new(),
            attachments: Vec::new(),
            ticket,
        };
        let customer = customer_of(shared, &rows.ticket.customer_external_id);
        images.insert(id, wanted_ticket(&shared.directory, &rows, customer));
    }
    Ok(images)
}

fn customer_of(shared: &Shared, external_id: &str) -> CustomerId {
    let key = key::customer(&ExternalId::from_stored(external_id), &shared.secret);
    CustomerId(shared.book.held(&key).unwrap_or(0))
}

async fn found_tickets(ctx: &Context, shared: &Shared, records: &Records) -> Result<Images, TraceError> {
    let wished = ids(records, "ticket");
    if wished.is_empty() {
        return Ok(Images::new());
    }
    let after = Pass::After;
    let tags = rows::<FoundTicketTag>(ctx, after, |row| wished.contains(&row.gorgias_ticket_id)).await?;
    let values = rows::<FoundTicketValue>(ctx, after, |row| wished.contains(&row.gorgias_ticket_id)).await?;
    let mut images = Images::new();
    for row in rows::<FoundTicket>(ctx, after, |row| wished.contains(&row.gorgias_ticket_id)).await? {
        let id = row.gorgias_ticket_id.clone();
        let tags = tags.iter().filter(|it| it.gorgias_ticket_id == id).cloned().collect();
        let values = values.iter().filter(|it| it.gorgias_ticket_id == id).cloned().collect();
        let image = found_ticket(&shared.directory, &found::ticket(row, tags, values));
        images.insert(id, image);
    }
    Ok(images)
}

/// Messages are known by our key on both sides; their own id is learned when they are read back.
async fn messages(
    ctx: &Context,
    shared: &Shared,
    records: &mut Records,
) -> Result<(Images, Images), TraceError> {
    let wished = keys(records, "message");
    let (mut wanted, mut found) = (Images::new(), Images::new());
    if wished.is_empty() {
        return Ok((wanted, found));
    }
    let held = rows::<WantMessage>(ctx, Pass::Full, |row| wished.contains(&row.external_id)).await?;
    let parents: BTreeSet<&String> = held.iter().map(|row| &row.ticket_external_id).collect();
    let tickets = rows::<WantTicket>(ctx, Pass::Full, |row| parents.contains(&row.external_id)).await?;
    for row in &held {
        let parent = tickets.iter().find(|ticket| ticket.external_id == row.ticket_external_id);
        let customer = parent.map_or(CustomerId(0), |it| customer_of(shared, &it.customer_external_id));
        wanted.insert(row.external_id.clone(), wanted_message(&shared.directory, row, &[], customer));
    }
    let is_ours = |row: &FoundMessage| row.external_id.as_ref().is_some_and(|ours| wished.contains(ours));
    for row in rows::<FoundMessage>(ctx, Pass::After, is_ours).await? {
        let (id, ours) = (row.gorgias_message_id.clone(), row.external_id.clone());
        let of =
            records.values_mut().filter(|record| record.external_id == ours && record.kind() == "message");
        for record in of {
            record.ticket_id = Some(row.gorgias_ticket_id.clone());
            record.gorgias_id = Some(id.clone());
        }
        found.insert(id, found_message(&found::message(row)));
    }
    Ok((wanted, found))
}

/// Users, teams, tags and fields: their cells are what Gorgias holds.
async fn small(ctx: &Context, shared: &Shared, records: &mut Records) -> Result<(), TraceError> {
    let mut held: BTreeMap<(&str, String), Vec<Cell>> = BTreeMap::new();
    for row in rows::<FoundUser>(ctx, Pass::Before, |_| true).await? {
        held.insert(("user", row.gorgias_user_id.clone()), cells(&row));
    }
    for row in rows::<FoundTeam>(ctx, Pass::After, |_| true).await? {
        held.insert(("team", row.gorgias_team_id.clone()), cells(&row));
    }
    for row in rows::<FoundTag>(ctx, Pass::After, |_| true).await? {
        held.insert(("tag", row.gorgias_tag_id.clone()), cells(&row));
    }
    for row in rows::<FoundField>(ctx, Pass::After, |_| true).await? {
        held.insert(("field", row.gorgias_field_id.clone()), cells(&row));
    }
    let shown =
        ["email", "user_name", "role_name", "team_name", "tag_name", "label", "data_type", "description"];
    for record in records.values_mut() {
        let kind = record.kind();
        if !matches!(kind, "user" | "team" | "tag" | "field") {
            continue;
        }
        let Some(id) = record.gorgias_id.clone() else { continue };
        let cells = held.get(&(kind, id));
        record.is_found = shared.was_read_back.then_some(cells.is_some());
        let image: Image = cells
            .into_iter()
            .flatten()
            .filter(|cell| shown.contains(&cell.column.as_str()))
            .map(|cell| (cell.column.clone(), cell.value.clone()))
            .collect();
        let rule = |name: &str| rule::plain(kind, &record.object, name);
        record.fields =
            fields(Compared::Tag, None, Some(&image), str::to_owned, rule, |_| false, &record.source);
    }
    Ok(())
}

/// What the ledger says of each.
async fn told(ctx: &Context, shared: &Shared, records: &mut Records) -> Result<(), TraceError> {
    let name = |record: &Record| {
        shared.key_of(record.kind(), record.external_id.as_deref()?).map(|key| key.to_string())
    };
    let mut keys: Vec<String> = records.values().filter_map(name).collect();
    // A message that came with its ticket has no mention of its own.
    let mut tickets: BTreeMap<String, String> = BTreeMap::new();
    let parents: BTreeSet<String> = records.values().filter_map(|record| record.ticket_id.clone()).collect();
    let of_ticket = |row: &ControlIdMap| {
        kind_of(&row.object) == "ticket" && row.gorgias_id.as_ref().is_some_and(|id| parents.contains(id))
    };
    if !parents.is_empty() {
        for row in id_rows(ctx, of_ticket).await? {
            let key = row.external_id.as_deref().and_then(|ours| shared.key_of("ticket", ours));
            if let Some((key, id)) = key.zip(row.gorgias_id) {
                keys.push(key.to_string());
                tickets.insert(id, key.to_string());
            }
        }
    }
    let mentions = history::of(ctx, &shared.directory.directory.account, &keys).await?;
    for record in records.values_mut() {
        let own = name(record).and_then(|key| mentions.get(&key));
        let parent = || record.ticket_id.as_ref().and_then(|id| mentions.get(tickets.get(id)?));
        record.mentions = own.or_else(parent).cloned().unwrap_or_default();
    }
    Ok(())
}
