//! Gorgias as it is now, held against what was written: a snapshot, and one row per record with what becomes of it.
//!
//! Tickets come first: which of them stay decides which customers, tags, teams and fields stay with them.
//! Deliberately absent: writing to Gorgias.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use migration::compare::{Compared, Image, normalised};
use migration::decide::{Action, RecordImage};
use migration::gorgias::CustomerId;
use migration::keys::ExternalId;
use migration::ledger::{ReceiptClass, Settled, WriteKey, WriteState};
use snapshot::tables::ControlRollback;
use snapshot::{Pass, Sealed, TableWriter};

use super::codes;
use super::exchange::Release;
use super::judge::{self, Deed, Judgement, Made};
use super::{RollbackError, schema};
use crate::archive;
use crate::evidence::Touched;
use crate::ledger::driver::codes::NUMBER_HELD;
use crate::ledger::key;
use crate::load::adopted::{self, Adoptions};
use crate::load::drafts::TicketRows;
use crate::load::{adoption, drafts};
use crate::ports::gorgias::{Customer, Raw, Ticket};
use crate::readings::both;
use crate::reconcile::customers::{CustomerReadings, Tables, Wanted, details, list};
use crate::reconcile::image::{found_customer, wanted_customer, wanted_message, wanted_ticket};
use crate::reconcile::pairing::{Pair, Pairing};
use crate::reconcile::reading::{expected, read_messages, read_tickets};
use crate::reconcile::scratch::{MessageImage, TicketImage};
use crate::reconcile::tickets::files_of;
use crate::reconcile::{ReconcileError, Scene};
use crate::wave::Wave;

/// What tickets that stay need.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needed {
    pub(crate) customers: BTreeSet<u64>,
    pub(crate) teams: BTreeSet<u64>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) fields: BTreeSet<u64>,
}

impl Needed {
    pub(crate) fn by_ticket(&mut self, ticket: &Ticket) {
        self.customers.extend(ticket.customer.map(|id| id.0));
        self.teams.extend(ticket.assignee_team.map(|id| id.0));
        self.tags.extend(ticket.tags.iter().cloned());
        self.fields.extend(ticket.values.iter().map(|value| value.field.0));
    }

    /// From the image of a ticket of ours that stays.
    fn by_image(&mut self, image: &Image) {
        for (name, value) in image {
            let inside = || name.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']'));
            match name.split('[').next() {
                Some("customer") => self.customers.extend(value.parse::<u64>()),
                Some("assignee_team") => self.teams.extend(value.parse::<u64>()),
                Some("tag") => self.tags.extend(inside().map(str::to_owned)),
                Some("value" | "managed_value") => {
                    self.fields.extend(inside().and_then(|id| id.parse::<u64>().ok()));
                }
                _ => {}
            }
        }
    }
}

/// What was found and what becomes of it.
pub(crate) struct Survey {
    pub(crate) rows: TableWriter<ControlRollback>,
    /// Snapshot of the records.
    pub(crate) sealed: Vec<Sealed>,
    /// Records by object and deed.
    pub(crate) counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Records by code of the reason.
    pub(crate) reasons: BTreeMap<String, u64>,
    pub(crate) needed: Needed,
}

impl Survey {
    pub(crate) fn new(ctx: &crate::context::Context, pass: Pass) -> Result<Self, RollbackError> {
        Ok(Self {
            rows: archive::writer(ctx, pass, Vec::new())?,
            sealed: Vec::new(),
            counts: BTreeMap::new(),
            reasons: BTreeMap::new(),
            needed: Needed::default(),
        })
    }

    pub(crate) fn push(
        &mut self,
        object: &str,
        external_id: &str,
        id: u64,
        judgement: Judgement,
        change: Option<String>,
    ) -> Result<(), ReconcileError> {
        let Judgement { deed, reason, kept_fields } = judgement;
        *self.counts.entry(object.to_owned()).or_default().entry(deed.as_str().to_owned()).or_default() += 1;
        if let Some((code, _)) = reason {
            *self.reasons.entry(code.to_owned()).or_default() += 1;
        }
        self.rows.push(ControlRollback {
            object: object.to_owned(),
            external_id: external_id.to_owned(),
            gorgias_id: id.to_string(),
            action: deed.as_str().to_owned(),
            reason_code: reason.map(|(code, _)| code.to_owned()),
            reason: reason.map(|(_, words)| words.to_owned()),
            kept_fields: (!kept_fields.is_empty()).then(|| kept_fields.join(" ")),
            change,
        })?;
        Ok(())
    }
}

/// Surveys tickets and customers of a run.
pub(crate) async fn records(
    scene: &Scene<'_>,
    pass: Pass,
    touched: &Touched,
    survey: &mut Survey,
) -> Result<(), RollbackError> {
    tickets(scene, pass, touched, survey).await?;
    customers(scene, pass, touched, survey).await?;
    Ok(())
}

async fn tickets(
    scene: &Scene<'_>,
    pass: Pass,
    touched: &Touched,
    survey: &mut Survey,
) -> Result<(), RollbackError> {
    let expected = expected(scene, &Wave::ALL).await?;
    let foreign = Mutex::new(Needed::default());
    let see = |ticket: &Ticket| {
        if !expected.keys.contains_key(&ticket.id.0) {
            foreign.lock().unwrap_or_else(PoisonError::into_inner).by_ticket(ticket);
        }
    };
    let (reading, messages) = (read_tickets(scene, pass, &see), read_messages(scene, pass, &expected));
    let (tickets, messages) = both(&scene.ctx.stop, reading, messages).await?;
    survey.needed = foreign.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut pairs = Pairing::open(scene.ctx, &Wave::ALL, tickets.images, messages.images).await?;
    while let Some(pair) = pairs.next()? {
        match pair {
            Pair::Wanted { rows, found, messages } => {
                ticket(scene, touched, &rows, &found, &messages, survey)?;
            }
            Pair::Stranger(stranger) => {
                let key = key::ticket(&ExternalId::from_stored(stranger.external_id.clone()), &scene.secret);
                if let Some(id) = scene.book.destination(&key) {
                    let judgement = Judgement::because(Deed::Keep, codes::EARLIER_RUN);
                    survey.push("ticket", &stranger.external_id, id, judgement, None)?;
                }
            }
        }
    }
    let (rows, tags, values) = (tickets.tickets.seal()?, tickets.tags.seal()?, tickets.values.seal()?);
    survey.sealed.extend([rows, tags, values, messages.rows.seal()?]);
    Ok(())
}

/// Whether an earlier rollback removed the record.
fn is_undone(scene: &Scene<'_>, key: &WriteKey) -> Option<u64> {
    match scene.book.written(key)?.state {
        WriteState::Settled(Settled::Undone(id)) => Some(id.0),
        _ => None,
    }
}

fn ticket(
    scene: &Scene<'_>,
    touched: &Touched,
    rows: &TicketRows,
    found: &[TicketImage],
    messages: &[MessageImage],
    survey: &mut Survey,
) -> Result<(), RollbackError> {
    let external_id = &rows.ticket.external_id;
    let key = key::ticket(&ExternalId::from_stored(external_id.clone()), &scene.secret);
    if let Some(id) = is_undone(scene, &key) {
        let judgement = Judgement::because(Deed::Nothing, codes::ABSENT);
        return Ok(survey.push("ticket", external_id, id, judgement, None)?);
    }
    let Some(id) = scene.book.destination(&key) else { return Ok(()) };
    let parent = ExternalId::from_stored(rows.ticket.customer_external_id.clone());
    let customer = CustomerId(scene.book.destination(&key::customer(&parent, &scene.secret)).unwrap_or(0));
    let own = id.to_string();
    let image = found.iter().find(|image| image.gorgias_id == own);
    let image: Option<Image> = image.map(|image| serde_json::from_str(&image.image)).transpose()?;
    let is_there = image.as_ref().filter(|image| !image.contains_key("trashed_at"));
    let mut written = record(normalised(Compared::Ticket, &wanted_ticket(&scene.names, rows, customer)));
    let mut now = record(is_there.map(|image| normalised(Compared::Ticket, image)).unwrap_or_default());
    let foreign = messages_of(scene, rows, customer, messages, &mut written, &mut now)?;
    let judgement = judge::made(Made {
        written,
        found: is_there.is_some().then_some(now),
        is_touched: touched.holds("Ticket", id),
        is_needed: false,
        otherwise: Deed::Remove,
        foreign_messages: &foreign,
    });
    // One that a person put into the trash is theirs to bring back.
    if let (Deed::Keep | Deed::Nothing, Some(image)) = (judgement.deed, &image) {
        survey.needed.by_image(image);
    }
    survey.push("ticket", external_id, id, judgement, None)?;
    for second in found.iter().filter(|image| image.gorgias_id != own) {
        let judgement = Judgement::because(Deed::Keep, codes::SECOND);
        survey.push("ticket", external_id, second.gorgias_id.parse().unwrap_or(0), judgement, None)?;
    }
    Ok(())
}

fn record(fields: Image) -> RecordImage {
    RecordImage { fields, messages: BTreeSet::new() }
}

/// Puts the messages that are there beside their wishes, and names those that are not ours.
fn messages_of(
    scene: &Scene<'_>,
    rows: &TicketRows,
    customer: CustomerId,
    found: &[MessageImage],
    written: &mut RecordImage,
    now: &mut RecordImage,
) -> Result<Vec<String>, RollbackError> {
    let wanted: BTreeMap<&str, _> = rows.messages.iter().map(|row| (row.external_id.as_str(), row)).collect();
    let mut foreign = Vec::new();
    for image in found {
        let Some(row) = wanted.get(image.external_id.as_str()) else {
            let name = format!("message {}", image.gorgias_id);
            now.messages.insert(name.clone());
            foreign.push(name);
            continue;
        };
        let put = |into: &mut RecordImage, fields: Image| {
            for (name, value) in normalised(Compared::Message, &fields) {
                into.fields.insert(format!("message[{}].{name}", image.gorgias_id), value);
            }
        };
        let files = files_of(scene, rows, row.position);
        put(written, wanted_message(&scene.names, row, &files, customer));
        put(now, serde_json::from_str(&image.image)?);
        written.messages.insert(row.external_id.clone());
        now.messages.insert(row.external_id.clone());
    }
    Ok(foreign)
}

async fn customers(
    scene: &Scene<'_>,
    pass: Pass,
    touched: &Touched,
    survey: &mut Survey,
) -> Result<(), RollbackError> {
    let adoptions = adopted::read(scene.ctx).await?;
    let mut ids = BTreeSet::new();
    for row in crate::load::want::<snapshot::tables::WantCustomer>(scene.ctx).await? {
        let key = key::customer(&ExternalId::from_stored(row?.external_id), &scene.secret);
        ids.extend(scene.book.destination(&key));
    }
    let mut readings = CustomerReadings::open(scene).await?;
    loop {
        let tables = Mutex::new(Tables::new(scene, pass)?);
        let mut judged = Vec::new();
        let CustomerReadings { list: long, details: single, .. } = &mut readings;
        let details = details(scene, single, &tables, |wanted, id, raw| {
            judged.push(customer(scene, &adoptions, touched, &survey.needed, wanted, id, raw)?);
            Ok(())
        });
        let outcome = both(&scene.ctx.stop, list(long, &ids, &tables), details).await;
        if readings.keep(outcome).await?.is_some() {
            for (external_id, id, judgement, change) in judged {
                survey.push("customer", &external_id, id, judgement, change)?;
            }
            survey.sealed.extend(tables.into_inner().unwrap_or_else(PoisonError::into_inner).seal()?);
            return Ok(());
        }
    }
}

type Judged = (String, u64, Judgement, Option<String>);

fn customer(
    scene: &Scene<'_>,
    adoptions: &Adoptions,
    touched: &Touched,
    needed: &Needed,
    wanted: &Wanted,
    id: u64,
    raw: Option<&Raw<Customer>>,
) -> Result<Judged, ReconcileError> {
    let ours = ExternalId::from_stored(wanted.row.external_id.clone());
    let key = key::customer(&ours, &scene.secret);
    let found = raw.map(|raw| found_customer(&scene.names, &raw.record));
    let now = found.as_ref().map(|found| record(normalised(Compared::Customer, found)));
    let external_id = wanted.row.external_id.clone();
    if scene.book.class(&key) == Some(ReceiptClass::Adopted) {
        let Some((before, raw)) = adoptions.of(&ours).zip(raw) else {
            return Ok((external_id, id, Judgement::because(Deed::Nothing, codes::ABSENT), None));
        };
        let filled = filled(scene, wanted, before)?;
        let image = |customer: &Customer| {
            record(normalised(Compared::Customer, &found_customer(&scene.names, customer)))
        };
        let (judgement, decision) = judge::adopted(image(before), image(&filled), now);
        let changes = match &decision.action {
            Action::Update(changes) => changes.as_slice(),
            _ => &[],
        };
        let change = Release::of(&raw.record, changes).encode()?;
        return Ok((external_id, id, judgement, Some(change)));
    }
    let mut image = wanted_customer(&scene.names, &wanted.row, &wanted.channels, &wanted.values);
    if scene.book.note(&key).is_some_and(|note| note.code == NUMBER_HELD) {
        // Channels that others hold were left out when it was created.
        image.retain(|name, _| {
            !name.starts_with("channel[") || found.as_ref().is_some_and(|found| found.contains_key(name))
        });
    }
    let judgement = judge::made(Made {
        written: record(normalised(Compared::Customer, &image)),
        found: now,
        is_touched: touched.holds("Customer", id),
        is_needed: needed.customers.contains(&id),
        otherwise: Deed::Remove,
        foreign_messages: &[],
    });
    Ok((external_id, id, judgement, None))
}

/// The customer as it was, with what the load filled.
fn filled(scene: &Scene<'_>, wanted: &Wanted, before: &Customer) -> Result<Customer, ReconcileError> {
    let unresolved = |error: drafts::Unresolved| ReconcileError::Unresolved(Box::new(error));
    let new = drafts::customer(&wanted.row, &wanted.channels).map_err(unresolved)?;
    let values = drafts::customer_values(&scene.names, &wanted.values).map_err(unresolved)?;
    let change = adoption::change(&new, before);
    let mut filled = before.clone();
    change.external_id.apply(&mut filled.external_id);
    change.name.apply(&mut filled.name);
    change.email.apply(&mut filled.email);
    if change.channels.is_some() {
        filled.channels = change.channels;
    }
    let held = before.values.clone().unwrap_or_default();
    if let Some(values) = adoption::values(&values, &held) {
        filled.values = Some(values);
    }
    Ok(filled)
}

/// Surveys tags, teams and fields, whether or not any record was loaded.
pub(crate) async fn definitions(
    judged: &schema::Scene<'_>,
    pass: Pass,
    survey: &mut Survey,
) -> Result<(), RollbackError> {
    let lists = crate::reconcile::schema::Lists::read(judged.ctx).await?;
    for (object, external_id, id, judgement) in schema::judge(judged, &lists, &survey.needed) {
        survey.push(object, &external_id, id, judgement, None)?;
    }
    survey.sealed.extend(lists.seal(judged.ctx, pass)?);
    Ok(())
}
