//! The records of the newest sample as both systems show them at this moment, beside what the snapshots say.
//!
//! Reads only, record by record. Deliberately absent: saying who is right, and what no interface shows: calls of a log and
//! conversations are files of the operator.

use std::collections::{BTreeMap, BTreeSet};

use migration::compare::Image;
use migration::gorgias::{CustomerId, TicketId};
use snapshot::Pass;
use snapshot::tables::{SourceContact, SourceLead};

use super::{SpotError, both_sides, samples};
use crate::archive;
use crate::context::Context;
use crate::deltas::{self, Delta};
use crate::ledger::request::messages_of;
use crate::load;
use crate::ports::gorgias::ReadError;
use crate::ports::leaddesk::SourceError;
use crate::reconcile::image;
use crate::source_json::without_withheld;
use crate::trace::{Field, Record};

/// How one side stands beside what was read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// As it was read.
    Same,
    /// Something is another.
    Changed(Vec<Change>),
    /// It is not there any more.
    Gone,
    /// It cannot be asked for one by one, for this reason.
    NotAsked(&'static str),
}

/// What is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What people call it.
    pub label: String,
    /// As it was read.
    pub then: Option<String>,
    /// As it is.
    pub now: Option<String>,
    /// The values may be a person's.
    pub is_personal: bool,
}

/// One record on both sides.
#[derive(Debug, Clone)]
pub struct Now {
    /// As the snapshots have it.
    pub record: Record,
    /// LeadDesk.
    pub leaddesk: Side,
    /// Gorgias.
    pub gorgias: Side,
}

/// Reads the records of the newest sample in both systems.
///
/// # Errors
/// [`SpotError::NoSample`] before the first; [`SpotError::Source`], [`SpotError::Destination`].
pub async fn now(ctx: &Context) -> Result<Vec<Now>, SpotError> {
    let newest = samples(ctx).await?.pop().ok_or_else(|| SpotError::NoSample { run: ctx.run.to_string() })?;
    let records = both_sides(ctx, &newest).await?;
    let deltas = deltas::all(ctx).await?;
    let pass = deltas.iter().rfind(|delta| delta.done.is_some()).map_or(Pass::Full, Delta::pass);
    let held = Held::read(ctx, pass, &records).await?;
    let names = load::names(ctx).await.map_err(|error| SpotError::Names(Box::new(error)))?;
    let mut all = Vec::with_capacity(records.len());
    for record in records {
        let gorgias = match found(ctx, &names, &record).await? {
            Found::Image(image) => compare(&record.fields, &image),
            Found::Gone => Side::Gone,
            Found::NotAsked(why) => Side::NotAsked(why),
        };
        let leaddesk = held.compare(ctx, &record).await?;
        all.push(Now { record, leaddesk, gorgias });
    }
    Ok(all)
}

enum Found {
    Image(Image),
    Gone,
    NotAsked(&'static str),
}

async fn found(ctx: &Context, names: &load::drafts::Names, record: &Record) -> Result<Found, SpotError> {
    let number = |id: &Option<String>| id.as_deref().and_then(|id| id.parse::<u64>().ok());
    let read = match (record.kind(), number(&record.gorgias_id), number(&record.ticket_id)) {
        ("customer", Some(id), _) => {
            let raw = ctx.destination.customer(CustomerId(id)).await;
            raw.map(|raw| Some(image::found_customer(names, &raw.record)))
        }
        ("ticket", Some(id), _) => {
            let raw = ctx.destination.ticket(TicketId(id)).await;
            raw.map(|raw| Some(image::found_ticket(names, &raw.record)))
        }
        ("message", _, Some(ticket)) => {
            let messages = messages_of(&*ctx.destination, TicketId(ticket)).await;
            messages.map(|messages| {
                let ours = messages.into_iter().find(|message| message.external_id == record.external_id);
                ours.map(|message| image::found_message(&message))
            })
        }
        ("customer" | "ticket" | "message", ..) => return Ok(Found::NotAsked("nothing of it is there")),
        _ if record.gorgias_id.is_none() => return Ok(Found::NotAsked("nothing of it is there")),
        _ => return Ok(Found::NotAsked("its definition is compared by reconcile --again")),
    };
    match read {
        Ok(Some(image)) => Ok(Found::Image(image)),
        Ok(None) | Err(ReadError::NotFound { .. }) => Ok(Found::Gone),
        Err(error) => Err(error.into()),
    }
}

fn compare(fields: &[Field], now: &Image) -> Side {
    let then: BTreeMap<&str, (&str, Option<&String>, bool)> = fields
        .iter()
        .map(|field| (field.name.as_str(), (field.label.as_str(), field.found.as_ref(), field.is_personal)))
        .collect();
    let names: BTreeSet<&str> = then.keys().copied().chain(now.keys().map(String::as_str)).collect();
    let changes = names.into_iter().filter_map(|name| {
        let (label, then, is_personal) = then.get(name).copied().unwrap_or((name, None, true));
        let now = now.get(name);
        let change =
            || Change { label: label.to_owned(), then: then.cloned(), now: now.cloned(), is_personal };
        (then != now).then(change)
    });
    side(changes.collect())
}

fn side(changes: Vec<Change>) -> Side {
    if changes.is_empty() { Side::Same } else { Side::Changed(changes) }
}

/// What the newest reading holds of the sample's contacts and leads, as it was received.
#[derive(Default)]
struct Held {
    cards: BTreeMap<String, String>,
    leads: BTreeMap<String, String>,
}

impl Held {
    async fn read(ctx: &Context, pass: Pass, records: &[Record]) -> Result<Self, SpotError> {
        let of = |object: &str| -> BTreeSet<String> {
            let drawn = records.iter().filter(|record| record.object == object);
            drawn.map(|record| record.leaddesk_id.clone()).collect()
        };
        let (contacts, leads) = (of("contact"), of("lead"));
        let mut held = Self::default();
        for row in archive::open::<SourceContact>(ctx, &ctx.run, pass).await? {
            let row = row.map_err(archive::ArchiveError::from)?;
            let of_lead = leads.iter().any(|lead| contact_of(lead) == row.leaddesk_contact_id);
            if of_lead || contacts.contains(&row.leaddesk_contact_id) {
                held.cards.insert(row.leaddesk_contact_id, row.raw_json);
            }
        }
        for row in archive::open::<SourceLead>(ctx, &ctx.run, pass).await? {
            let row = row.map_err(archive::ArchiveError::from)?;
            let id = format!("{}:{}", row.leaddesk_list_id, row.leaddesk_contact_id);
            if leads.contains(&id) {
                held.leads.insert(id, row.raw_json);
            }
        }
        Ok(held)
    }

    async fn compare(&self, ctx: &Context, record: &Record) -> Result<Side, SpotError> {
        let contact = match record.object.as_str() {
            "contact" => record.leaddesk_id.as_str(),
            "lead" => contact_of(&record.leaddesk_id),
            "call" => return Ok(Side::NotAsked("calls are told by the operator's log or by number")),
            "conversation" | "chat_message" => {
                return Ok(Side::NotAsked("conversations are told by the operator's export alone"));
            }
            _ => return Ok(Side::NotAsked("a delta compares it as a whole")),
        };
        let Some(then) = self.cards.get(contact) else {
            return Ok(Side::NotAsked("the newest reading does not hold its card"));
        };
        let now = match ctx.source.contact(contact).await {
            Ok(now) => now,
            Err(SourceError::NotFound { .. }) => return Ok(Side::Gone),
            Err(error) => return Err(error.into()),
        };
        // What may not be kept was taken out when the card was read.
        let now = without_withheld(&now).unwrap_or_default();
        let mut changes = differing(then, &now);
        if record.object == "lead" {
            changes.extend(self.row(ctx, &record.leaddesk_id).await?);
        }
        Ok(side(changes))
    }

    /// The row of a lead in the export of its list.
    async fn row(&self, ctx: &Context, lead: &str) -> Result<Option<Change>, SpotError> {
        let Some(then) = self.leads.get(lead) else { return Ok(None) };
        let (list, contact) = lead.split_once(':').unwrap_or((lead, ""));
        let export = match ctx.source.list_export(list).await {
            Ok(export) => String::from_utf8_lossy(&export).into_owned(),
            Err(SourceError::NotFound { .. }) => String::new(),
            Err(error) => return Err(error.into()),
        };
        let start = format!("{contact};");
        let quoted = format!("\"{contact}\";");
        let rows = export.lines().filter(|row| row.starts_with(&start) || row.starts_with(&quoted)).count();
        let known: Vec<Vec<String>> = serde_json::from_str(then).unwrap_or_default();
        let told = |rows: usize| Some(format!("{rows} rows"));
        Ok((rows != known.len()).then(|| Change {
            label: format!("rows in the export of list {list}"),
            then: told(known.len()),
            now: told(rows),
            is_personal: false,
        }))
    }
}

fn contact_of(lead: &str) -> &str {
    lead.split_once(':').map_or(lead, |(_, contact)| contact)
}

/// Fields of two cards that are not the same.
fn differing(then: &str, now: &str) -> Vec<Change> {
    let read = |text: &str| -> serde_json::Map<String, serde_json::Value> {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let data = value.get("data").unwrap_or(&value);
        data.as_object().cloned().unwrap_or_default()
    };
    let (then, now) = (read(then), read(now));
    let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let text = |value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => None,
        Some(serde_json::Value::String(text)) => Some(text.clone()).filter(|text| !text.is_empty()),
        Some(other) => Some(other.to_string()),
    };
    let change = |name: &String| {
        let (then, now) = (text(then.get(name)), text(now.get(name)));
        (then != now).then(|| Change { label: name.clone(), then, now, is_personal: true })
    };
    names.into_iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_compared_field_by_field() {
        let then = r#"{"contact_id":1,"data":{"fname":"A","lname":"B","title":"","other1":null,"phone_numbers":["1"]}}"#;
        let now = r#"{"contact_id":1,"data":{"fname":"A","lname":"C","title":null,"email":"x@y.example","phone_numbers":["1","2"]}}"#;
        let told: Vec<String> = differing(then, now)
            .into_iter()
            .map(|it| format!("{} {:?} {:?}", it.label, it.then, it.now))
            .collect();
        assert_eq!(
            told,
            [
                r#"email None Some("x@y.example")"#,
                r#"lname Some("B") Some("C")"#,
                r#"phone_numbers Some("[\"1\"]") Some("[\"1\",\"2\"]")"#,
            ]
        );
        assert_eq!(differing(then, then), []);
        // An answer that cannot be read is one that differs in everything.
        assert_eq!(differing(then, "").len(), 3);
    }
}
