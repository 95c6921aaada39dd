//! Gorgias as it is now, held against what was wished: a snapshot, and one row per record that differs.
//!
//! Customers come first: which of them were merged or are gone decides what tickets are held against.
//! Deliberately absent: writing to Gorgias.

mod tickets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use migration::compare::{Compared, normalised};
use migration::decide::{Action, field_names};
use migration::keys::ExternalId;
use migration::ledger::WriteKey;
use migration::repair::{Case, Damaged, Judged, judge};
use migration::settings::ConflictRule;
use snapshot::tables::{ControlRepair, FoundMessage, WantCustomer};
use snapshot::{Pass, Sealed, TableWriter};

use super::writes::{Writes, changes, mends, message_field, writes};
use super::{RepairError, codes};
use crate::archive;
use crate::context::Context;
use crate::evidence::Touched;
use crate::ledger::key::{self, Secret};
use crate::load::adopted::{self, Adoptions};
use crate::load::drafts;
use crate::mends::{Mends, kind_of};
use crate::merges;
use crate::ports::gorgias::{Customer, Raw};
use crate::readings::both;
use crate::reconcile::customers::{CustomerReadings, Tables, Wanted, details, list};
use crate::reconcile::image::found_customer;
use crate::reconcile::verdict::Findings;
use crate::reconcile::{ReconcileError, Scene, schema};
use crate::sides;

/// What an earlier plan found damaged, by object and id.
pub(super) type Earlier = BTreeMap<(String, String), Damaged>;

/// What is known beside the records.
pub(super) struct Known<'a> {
    pub(super) touched: &'a Touched,
    pub(super) earlier: Earlier,
    /// Tickets out of which people deleted messages.
    pub(super) robbed: BTreeSet<u64>,
    /// Messages were deleted by people, and nothing tells out of which tickets.
    pub(super) is_blind: bool,
}

/// What was found and what becomes of it.
pub(super) struct Survey {
    pub(super) rows: TableWriter<ControlRepair>,
    pub(super) sealed: Vec<Sealed>,
    pub(super) counts: BTreeMap<String, BTreeMap<String, u64>>,
    pub(super) reasons: BTreeMap<String, u64>,
    pub(super) compared: u64,
    /// Customers that are gone, by id.
    gone: BTreeSet<u64>,
}

/// One row to be.
struct Line<'a> {
    object: &'a str,
    external_id: &'a str,
    id: u64,
    deed: &'static str,
    code: Option<&'static str>,
    mended: Vec<String>,
    kept: Vec<String>,
    change: Option<String>,
}

impl Survey {
    pub(super) fn new(ctx: &Context, pass: Pass) -> Result<Self, RepairError> {
        Ok(Self {
            rows: archive::writer(ctx, pass, Vec::new())?,
            sealed: Vec::new(),
            counts: BTreeMap::new(),
            reasons: BTreeMap::new(),
            compared: 0,
            gone: BTreeSet::new(),
        })
    }

    fn push(&mut self, line: Line<'_>) -> Result<(), ReconcileError> {
        let deeds = self.counts.entry(line.object.to_owned()).or_default();
        *deeds.entry(line.deed.to_owned()).or_default() += 1;
        if let Some(code) = line.code {
            *self.reasons.entry(code.to_owned()).or_default() += 1;
        }
        let joined = |names: Vec<String>| (!names.is_empty()).then(|| names.join(" "));
        self.rows.push(ControlRepair {
            object: line.object.to_owned(),
            external_id: line.external_id.to_owned(),
            gorgias_id: line.id.to_string(),
            action: line.deed.to_owned(),
            reason_code: line.code.map(str::to_owned),
            reason: line.code.map(|code| codes::words(code).to_owned()),
            mended_fields: joined(line.mended),
            kept_fields: joined(line.kept),
            change: line.change,
        })?;
        Ok(())
    }

    fn keep(
        &mut self,
        object: &str,
        external_id: &str,
        id: u64,
        code: &'static str,
    ) -> Result<(), ReconcileError> {
        let (mended, kept) = (Vec::new(), Vec::new());
        self.push(Line {
            object,
            external_id,
            id,
            deed: "keep",
            code: Some(code),
            mended,
            kept,
            change: None,
        })
    }
}

/// Surveys every record of the run.
pub(super) async fn records(
    scene: &mut Scene<'_>,
    pass: Pass,
    known: &Known<'_>,
    survey: &mut Survey,
) -> Result<(), RepairError> {
    customers(scene, pass, known, survey).await?;
    tickets::tickets(scene, pass, known, survey).await?;
    definitions(scene, pass, survey).await
}

/// Tickets out of which other users deleted messages, as far as the last reading tells where those were.
pub(super) async fn robbed(ctx: &Context, touched: &Touched) -> Result<(BTreeSet<u64>, bool), RepairError> {
    let deleted: BTreeSet<u64> = touched.of_kind("TicketMessage").collect();
    if deleted.is_empty() {
        return Ok((BTreeSet::new(), false));
    }
    if !archive::is_sealed(ctx, &ctx.run, Pass::After, <FoundMessage as snapshot::Row>::SCHEMA).await? {
        return Ok((BTreeSet::new(), true));
    }
    let mut robbed = BTreeSet::new();
    for row in archive::open::<FoundMessage>(ctx, &ctx.run, Pass::After).await? {
        let row = row?;
        if row.gorgias_message_id.parse().is_ok_and(|id| deleted.contains(&id)) {
            robbed.extend(row.gorgias_ticket_id.parse::<u64>());
        }
    }
    Ok((robbed, false))
}

async fn customers(
    scene: &mut Scene<'_>,
    pass: Pass,
    known: &Known<'_>,
    survey: &mut Survey,
) -> Result<(), RepairError> {
    let adoptions = adopted::read(scene.ctx).await?;
    let mut ids = BTreeSet::new();
    for row in crate::load::want::<WantCustomer>(scene.ctx).await? {
        let key = key::customer(&ExternalId::from_stored(row?.external_id), &scene.secret);
        ids.extend(scene.book.destination(&key));
    }
    let (judged, sealed) = judged_customers(scene, pass, known, &adoptions, &ids).await?;
    survey.compared += judged.len() as u64;
    for (external_id, id, fate) in judged {
        take_customer(scene, survey, &external_id, id, fate)?;
    }
    survey.sealed.extend(sealed);
    Ok(())
}

type JudgedCustomer = (String, u64, Fate);

async fn judged_customers(
    scene: &Scene<'_>,
    pass: Pass,
    known: &Known<'_>,
    adoptions: &Adoptions,
    ids: &BTreeSet<u64>,
) -> Result<(Vec<JudgedCustomer>, Vec<Sealed>), ReconcileError> {
    let mut readings = CustomerReadings::open(scene).await?;
    loop {
        let tables = Mutex::new(Tables::new(scene, pass)?);
        let mut judged = Vec::new();
        let CustomerReadings { list: long, details: single, .. } = &mut readings;
        let details = details(scene, single, &tables, |wanted, id, raw| {
            judged.push(customer(scene, adoptions, known, wanted, id, raw)?);
            Ok(())
        });
        let outcome = both(&scene.ctx.stop, list(long, ids, &tables), details).await;
        if readings.keep(outcome).await?.is_some() {
            let tables = tables.into_inner().unwrap_or_else(PoisonError::into_inner);
            return Ok((judged, tables.seal()?));
        }
    }
}

/// What was found out about a customer.
enum Fate {
    Judged(Judged, Writes),
    /// It went into this one.
    Merged(u64),
    Missing(&'static str, &'static str),
}

fn customer(
    scene: &Scene<'_>,
    adoptions: &Adoptions,
    known: &Known<'_>,
    wanted: &Wanted,
    id: u64,
    raw: Option<&Raw<Customer>>,
) -> Result<JudgedCustomer, ReconcileError> {
    let external_id = wanted.row.external_id.clone();
    let key = key::customer(&ExternalId::from_stored(external_id.clone()), &scene.secret);
    if let Some(target) = raw.and_then(|raw| merges::target(&scene.book, &key, id, raw)) {
        return Ok((external_id, id, Fate::Merged(target)));
    }
    let is_touched = known.touched.holds("Customer", id);
    let found = raw.map(|raw| found_customer(&scene.names, &raw.record));
    let mut now = raw.map(|raw| sides::customer(scene, &raw.record));
    let values = drafts::customer_values(&scene.names, &wanted.values)
        .map_err(|error| ReconcileError::Unresolved(Box::new(error)))?;
    let is_adopted = scene.book.is_adopted(&key);
    let image = if is_adopted {
        let Some((before, filled)) = sides::adopted(scene, adoptions, wanted)? else {
            return Ok((external_id, id, Fate::Missing("keep", codes::NOT_OURS)));
        };
        let before = found_customer(&scene.names, before);
        let mut image = found_customer(&scene.names, &filled);
        // Only what we filled is ours to mend.
        image.retain(|name, value| before.get(name) != Some(value));
        image
    } else {
        sides::made_customer(scene, wanted, &key, found.as_ref())
    };
    let wished = sides::record(normalised(Compared::Customer, &image));
    if let Some(now) = now.as_mut().filter(|_| is_adopted) {
        now.fields.retain(|name, _| wished.fields.contains_key(name));
    }
    let damaged = known.earlier.get(&("customer".to_owned(), id.to_string()));
    let case = Case { wished, found: now, damaged, is_touched };
    let judged = judge(case, |field| rule(scene, field));
    Ok((
        external_id,
        id,
        match judged.decision.action {
            Action::Create if is_adopted => Fate::Missing("keep", codes::MISSING),
            Action::Create => Fate::Missing("make_again", codes::MISSING),
            _ => Fate::Judged(judged, writes(Compared::Customer, &image, &values)),
        },
    ))
}

fn take_customer(
    scene: &mut Scene<'_>,
    survey: &mut Survey,
    external_id: &str,
    id: u64,
    fate: Fate,
) -> Result<(), ReconcileError> {
    match fate {
        Fate::Merged(target) => {
            scene.aliases.insert(id, target);
            survey.keep("customer", external_id, id, codes::MERGED)
        }
        Fate::Missing(deed, code) => {
            survey.gone.insert(id);
            let (mended, kept) = (Vec::new(), Vec::new());
            let code = Some(code);
            survey.push(Line { object: "customer", external_id, id, deed, code, mended, kept, change: None })
        }
        Fate::Judged(judged, _) if judged.is_as_wished() => Ok(()),
        Fate::Judged(judged, writes) => {
            if judged.code() == Some(codes::DELETED) {
                survey.gone.insert(id);
            }
            let changes = changes(&judged);
            let (mends, unwritable) =
                mends("customer", changes.iter().map(|change| (change.field.as_str(), *change)), &writes);
            push_judged(survey, "customer", external_id, id, &judged, mends, unwritable)
        }
    }
}

/// The row of a record that is there; none when only messages of a ticket differ.
fn push_judged(
    survey: &mut Survey,
    object: &str,
    external_id: &str,
    id: u64,
    judged: &Judged,
    mends: Mends,
    unwritable: Vec<String>,
) -> Result<(), ReconcileError> {
    let code = judged.code().or((!unwritable.is_empty()).then_some(codes::NOT_WRITABLE));
    if mends.is_empty() && code.is_none() {
        return Ok(());
    }
    let deed = match (mends.is_empty(), code) {
        (false, _) => "mend",
        (true, Some(codes::CONFLICT)) => "ask",
        (true, _) => "keep",
    };
    let mended = field_names(mends.iter().map(|(name, _)| name));
    let kept = field_names(judged.kept().into_iter().chain(unwritable.iter().map(String::as_str)));
    let change = (!mends.is_empty()).then(|| mends.encode(None)).transpose()?;
    survey.push(Line { object, external_id, id, deed, code, mended, kept, change })
}

async fn definitions(scene: &Scene<'_>, pass: Pass, survey: &mut Survey) -> Result<(), RepairError> {
    let mut findings = Findings::default();
    survey.sealed.extend(schema::read_back_as(scene, pass, &mut findings).await?);
    survey.compared += findings.objects.values().map(|tally| tally.wanted).sum::<u64>();
    let named = findings.unexplained().map(|found| {
        let id = found.gorgias_id.as_deref().and_then(|id| id.parse().ok()).unwrap_or(0);
        ((found.object.clone(), found.external_id.clone(), id), kind_of(&found.field))
    });
    let mut fields: BTreeMap<(String, String, u64), Vec<String>> = BTreeMap::new();
    for (record, field) in named {
        fields.entry(record).or_default().push(field);
    }
    for ((object, external_id, id), kept) in fields {
        let (deed, code) = ("keep", Some(codes::BY_HAND));
        let mended = Vec::new();
        survey.push(Line {
            object: &object,
            external_id: &external_id,
            id,
            deed,
            code,
            mended,
            kept,
            change: None,
        })?;
    }
    Ok(())
}

fn rule(scene: &Scene<'_>, field: &str) -> ConflictRule {
    // A rule names a field as people do: without the value in brackets, and without the message that it belongs to.
    let field = message_field(field).map_or(field, |(_, field)| field);
    scene.ctx.mapping.conflict_rule(&kind_of(field))
}

/// The name in the ledger of what a row is about.
pub(super) fn key_of(row: &ControlRepair, secret: &Secret) -> Option<WriteKey> {
    let external_id = ExternalId::from_stored(row.external_id.clone());
    match row.object.as_str() {
        "ticket" => Some(key::ticket(&external_id, secret)),
        "customer" => Some(key::customer(&external_id, secret)),
        "message" => Some(key::message(&external_id, secret)),
        _ => None,
    }
}
