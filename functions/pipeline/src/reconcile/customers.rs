//! Customers read back: the list for duplicates and strangers, and each of ours in full, because lists show neither
//! channels nor values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use migration::compare::{Compared, Discrepancy, compare_record, missing, unexpected};
use migration::gorgias::CustomerId;
use migration::keys::ExternalId;
use migration::ledger::ReceiptClass;
use snapshot::tables::{
    FoundCustomer, FoundCustomerChannel, FoundCustomerValue, WantCustomer, WantCustomerChannel,
    WantCustomerValue,
};
use snapshot::{Children, Pass, Row as _, Sealed, SnapshotError, TableReader, TableWriter};

use super::image::{found_customer, wanted_customer};
use super::verdict::Findings;
use super::{ReconcileError, Scene, Subject, duplicate, take_in};
use crate::archive;
use crate::found_rows;
use crate::ledger::driver::codes;
use crate::ledger::key;
use crate::listing::{BEGINNINGS_MAX, walk};
use crate::load::adopted::{self, Adoptions};
use crate::load::want;
use crate::ports::gorgias::{Customer, Raw, ReadError};

const OBJECT: &str = "customer";

/// The tables of customers as found.
pub(crate) struct Tables {
    customers: TableWriter<FoundCustomer>,
    channels: TableWriter<FoundCustomerChannel>,
    values: TableWriter<FoundCustomerValue>,
}

impl Tables {
    pub(crate) fn new(scene: &Scene<'_>, pass: Pass) -> Result<Self, ReconcileError> {
        Ok(Self {
            customers: archive::writer(scene.ctx, pass, Vec::new())?,
            channels: archive::writer(scene.ctx, pass, Vec::new())?,
            values: archive::writer(scene.ctx, pass, Vec::new())?,
        })
    }

    pub(crate) fn seal(self) -> Result<Vec<Sealed>, SnapshotError> {
        Ok(vec![self.customers.seal()?, self.channels.seal()?, self.values.seal()?])
    }

    fn push(&mut self, raw: Raw<Customer>) -> Result<(), SnapshotError> {
        let (row, channels, values) = found_rows::customer(raw);
        channels.into_iter().try_for_each(|row| self.channels.push(row))?;
        values.into_iter().try_for_each(|row| self.values.push(row))?;
        self.customers.push(row)
    }
}

/// A customer's rows together.
pub(crate) struct Wanted {
    pub(crate) row: WantCustomer,
    pub(crate) channels: Vec<WantCustomerChannel>,
    pub(crate) values: Vec<WantCustomerValue>,
}

struct WantedRows {
    rows: TableReader<WantCustomer>,
    channels: Children<WantCustomerChannel, TableReader<WantCustomerChannel>>,
    values: Children<WantCustomerValue, TableReader<WantCustomerValue>>,
}

impl WantedRows {
    async fn open(scene: &Scene<'_>) -> Result<Self, ReconcileError> {
        Ok(Self {
            rows: want(scene.ctx).await?,
            channels: want::<WantCustomerChannel>(scene.ctx).await?.children(1),
            values: want::<WantCustomerValue>(scene.ctx).await?.children(1),
        })
    }
}

impl Iterator for WantedRows {
    type Item = Result<Wanted, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        let joined = self.rows.next()?.and_then(|row| {
            let (channels, values) = (self.channels.take(&row.key())?, self.values.take(&row.key())?);
            Ok(Wanted { row, channels, values })
        });
        Some(joined)
    }
}

/// Our customers by key: the id of the ledger, or none where nothing was loaded.
type Expected = BTreeMap<String, Option<u64>>;

/// Reads customers back and compares every field of every one of ours.
pub(crate) async fn read_back(
    scene: &Scene<'_>,
    findings: &mut Findings,
) -> Result<Vec<Sealed>, ReconcileError> {
    let mut expected = Expected::new();
    for row in want::<WantCustomer>(scene.ctx).await? {
        let row = row?;
        let key = key::customer(&ExternalId::from_stored(row.external_id.clone()), &scene.secret);
        expected.insert(row.external_id, scene.book.destination(&key));
    }
    let ids: BTreeSet<u64> = expected.values().flatten().copied().collect();
    findings.object(OBJECT).wanted = ids.len() as u64;
    let adoptions = adopted::read(scene.ctx).await?;

    let mut beginnings = 0;
    loop {
        let tables = Mutex::new(Tables::new(scene, Pass::After)?);
        let mut fresh = Findings::default();
        let listing = list(scene, &ids, &tables);
        let details = details(scene, &tables, |wanted, id, raw| {
            compare(scene, &adoptions, wanted, id, raw, &mut fresh);
            Ok(())
        });
        match futures::try_join!(listing, details) {
            Ok((carriers, ())) => {
                strangers(scene, &expected, &carriers, &mut fresh);
                findings.absorb(fresh);
                let tables = tables.into_inner().unwrap_or_else(PoisonError::into_inner);
                return Ok(tables.seal()?);
            }
            Err(ReconcileError::Read(ReadError::Refused { .. })) if beginnings + 1 < BEGINNINGS_MAX => {
                beginnings += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Walks the list: who carries keys of ours, and the short form of everyone else.
pub(crate) async fn list(
    scene: &Scene<'_>,
    ids: &BTreeSet<u64>,
    tables: &Mutex<Tables>,
) -> Result<BTreeMap<String, Vec<u64>>, ReconcileError> {
    let mut carriers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let gorgias = Arc::clone(&scene.ctx.destination);
    let fetch = |cursor| {
        let gorgias = Arc::clone(&gorgias);
        Box::pin(async move { gorgias.customers(Option::as_ref(&cursor)).await }) as _
    };
    walk::<Customer, ReconcileError>(fetch, |raw| {
        let id = raw.record.id.0;
        if let Some(ours) =
            raw.record.external_id.as_ref().filter(|text| text.starts_with(ExternalId::PREFIX))
        {
            carriers.entry(ours.clone()).or_default().push(id);
        }
        if !ids.contains(&id) {
            let mut tables = tables.lock().unwrap_or_else(PoisonError::into_inner);
            tables.push(raw)?;
        }
        Ok(())
    })
    .await?;
    Ok(carriers)
}

/// Reads each of ours in full, in the order of our keys, and shows it beside what is wanted; one that is gone is shown
/// as nothing.
pub(crate) async fn details(
    scene: &Scene<'_>,
    tables: &Mutex<Tables>,
    mut visit: impl FnMut(&Wanted, u64, Option<&Raw<Customer>>) -> Result<(), ReconcileError>,
) -> Result<(), ReconcileError> {
    let loaded = WantedRows::open(scene).await?.filter_map(|wanted| {
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(error) => return Some(Err(error)),
        };
        let ours = ExternalId::from_stored(wanted.row.external_id.clone());
        let id = scene.book.destination(&key::customer(&ours, &scene.secret))?;
        Some(Ok((wanted, id)))
    });
    let reads = loaded.map(|next| async move {
        let (wanted, id) = next?;
        match scene.ctx.destination.customer(CustomerId(id)).await {
            Ok(raw) => Ok((wanted, id, Some(raw))),
            Err(ReadError::NotFound { .. }) => Ok((wanted, id, None)),
            Err(error) => Err(ReconcileError::from(error)),
        }
    });
    let mut reads = futures::stream::iter(reads).buffered(scene.ctx.limits.destination_in_flight.max(1));
    let mut done = 0;
    while let Some(read) = reads.next().await {
        let (wanted, id, raw) = read?;
        visit(&wanted, id, raw.as_ref())?;
        if let Some(raw) = raw {
            tables.lock().unwrap_or_else(PoisonError::into_inner).push(raw)?;
        }
        done += 1;
        scene.advanced("customers", done);
    }
    Ok(())
}

fn compare(
    scene: &Scene<'_>,
    adoptions: &Adoptions,
    wanted: &Wanted,
    id: u64,
    raw: Option<&Raw<Customer>>,
    findings: &mut Findings,
) {
    let subject = Subject { object: OBJECT, external_id: &wanted.row.external_id, gorgias_id: Some(id) };
    let image = wanted_customer(&scene.names, &wanted.row, &wanted.channels, &wanted.values);
    let Some(raw) = raw else {
        take_in(findings, &subject, missing(&image), |_| None);
        return;
    };
    findings.object(OBJECT).compared += 1;
    let ours = ExternalId::from_stored(wanted.row.external_id.clone());
    let key = key::customer(&ours, &scene.secret);
    let was_there = scene.book.class(&key) == Some(ReceiptClass::Adopted);
    let before = adoptions.of(&ours).filter(|_| was_there).map(|found| found_customer(&scene.names, found));
    let number_held = scene.book.note(&key).is_some_and(|note| note.code == codes::NUMBER_HELD);
    let found = found_customer(&scene.names, &raw.record);
    let comparison = compare_record(Compared::Customer, &image, &found);
    take_in(findings, &subject, comparison, |difference| {
        explain(difference, before.as_ref(), was_there, number_held)
    });
}

/// Why a difference at a customer is none.
fn explain(
    difference: &Discrepancy,
    before: Option<&migration::compare::Image>,
    was_there: bool,
    number_held: bool,
) -> Option<String> {
    let is_channel = difference.field.starts_with("channel[");
    let kept = before.is_some_and(|before| {
        difference.found.is_some() && before.get(&difference.field) == difference.found.as_ref()
    });
    if kept {
        return Some("the customer was there before and keeps its own value".to_owned());
    }
    if was_there && is_channel && difference.found.as_deref() == Some("listed") {
        return Some("the customer was there before and prefers a channel of its own".to_owned());
    }
    if number_held && is_channel && difference.found.is_none() {
        return Some("another customer holds this channel (CUS105)".to_owned());
    }
    None
}

/// Keys of ours on more than one customer, and on customers that nobody wished for.
fn strangers(
    scene: &Scene<'_>,
    expected: &Expected,
    carriers: &BTreeMap<String, Vec<u64>>,
    findings: &mut Findings,
) {
    for (external_id, ids) in carriers {
        let ours = expected.get(external_id);
        let loaded = ours.copied().flatten();
        for id in ids.iter().filter(|id| Some(**id) != loaded).skip(usize::from(loaded.is_none())) {
            duplicate(findings, OBJECT, external_id, *id);
        }
        if loaded.is_some() {
            continue;
        }
        let key = key::customer(&ExternalId::from_stored(external_id.clone()), &scene.secret);
        let earlier = scene.book.destination(&key).is_some();
        let subject = Subject { object: OBJECT, external_id, gorgias_id: ids.first().copied() };
        take_in(findings, &subject, unexpected(), |_| {
            earlier.then(|| "an earlier run of this migration wrote it".to_owned())
        });
    }
}
