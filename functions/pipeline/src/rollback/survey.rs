//! Gorgias as it is now, held against what was written: a snapshot, and one row per record with what becomes of it.
//!
//! Tickets come first: which of them stay decides which customers, tags, teams and fields stay with them.
//! Deliberately absent: writing to Gorgias.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use migration::compare::{Compared, Image, normalised};
use migration::decide::Action;
use migration::keys::ExternalId;
use migration::ledger::{Settled, WriteKey, WriteState};
use migration::rollback::{Deed, Judgement, Made, adopted, codes, made};
use snapshot::tables::ControlRollback;
use snapshot::{Pass, Sealed, TableWriter};

use super::exchange::Release;
use super::{RollbackError, schema};
use crate::archive;
use crate::evidence::Touched;
use crate::ledger::key;
use crate::load::adopted::{self, Adoptions};
use crate::load::drafts::TicketRows;
use crate::merges;
use crate::ports::gorgias::{Customer, Raw, Ticket};
use crate::readings::both;
use crate::reconcile::customers::{CustomerReadings, Tables, Wanted, details, list};
use crate::reconcile::image::found_customer;
use crate::reconcile::pairing::{Pair, Pairing};
use crate::reconcile::reading::{expected, read_messages, read_tickets};
use crate::reconcile::scratch::{MessageImage, TicketImage};
use crate::reconcile::{ReconcileError, Scene};
use crate::sides::{self, TicketSides};
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
    let own = id.to_string();
    let TicketSides { wished, found: now, image, foreign } = sides::ticket(scene, rows, id, found, messages)?;
    let judgement = made(Made {
        written: wished,
        found: now,
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
    let now = raw.map(|raw| sides::customer(scene, &raw.record));
    let external_id = wanted.row.external_id.clone();
    if raw.is_some_and(|raw| merges::target(&scene.book, &key, id, raw).is_some()) {
        return Ok((external_id, id, Judgement::because(Deed::Keep, codes::MERGED), None));
    }
    if scene.book.is_adopted(&key) {
        let Some(((before, filled), raw)) = sides::adopted(scene, adoptions, wanted)?.zip(raw) else {
            return Ok((external_id, id, Judgement::because(Deed::Nothing, codes::ABSENT), None));
        };
        let image = |customer: &Customer| sides::customer(scene, customer);
        let (judgement, decision) = adopted(image(before), image(&filled), now);
        let changes = match &decision.action {
            Action::Update(changes) => changes.as_slice(),
            _ => &[],
        };
        let change = Release::of(&raw.record, changes).encode()?;
        return Ok((external_id, id, judgement, Some(change)));
    }
    let found = raw.map(|raw| found_customer(&scene.names, &raw.record));
    let image = sides::made_customer(scene, wanted, &key, found.as_ref());
    let judgement = made(Made {
        written: sides::record(normalised(Compared::Customer, &image)),
        found: now,
        is_touched: touched.holds("Customer", id),
        is_needed: needed.customers.contains(&id),
        otherwise: Deed::Remove,
        foreign_messages: &[],
    });
    Ok((external_id, id, judgement, None))
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
