//! Customers read back: the list for duplicates and strangers, and each of ours in full, because lists show neither
//! channels nor values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use migration::compare::{Compared, Discrepancy, compare_record, missing, unexpected};
use migration::keys::ExternalId;
use snapshot::tables::{
    FoundCustomer, FoundCustomerChannel, FoundCustomerValue, WantCustomer, WantCustomerChannel,
    WantCustomerValue,
};
use snapshot::{Children, Pass, Row as _, Sealed, SnapshotError, TableWriter};

use super::image::{found_customer, wanted_customer};
use super::verdict::Findings;
use super::{ReconcileError, Scene, Subject, duplicate, take_in};
use crate::archive;
use crate::found_rows;
use crate::ledger::driver::codes;
use crate::ledger::key;
use crate::listing::BEGINNINGS_MAX;
use crate::load::adopted::{self, Adoptions};
use crate::load::want;
use crate::merges;
use crate::ports::gorgias::{Customer, Raw};
use crate::readings::{Reading, ReadingError, both, in_full};
use crate::wish::Wish;

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
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) row: WantCustomer,
    pub(crate) channels: Vec<WantCustomerChannel>,
    pub(crate) values: Vec<WantCustomerValue>,
}

struct WantedRows {
    rows: Wish<WantCustomer>,
    channels: Children<WantCustomerChannel, Wish<WantCustomerChannel>>,
    values: Children<WantCustomerValue, Wish<WantCustomerValue>>,
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
        expected.insert(row.external_id, scene.book.held(&key));
    }
    let ids: BTreeSet<u64> = expected.values().flatten().copied().collect();
    // Several of ours may lead to one customer, after a merge.
    findings.object(OBJECT).wanted = expected.values().flatten().count() as u64;
    let adoptions = adopted::read(scene.ctx).await?;
    let targets = merges::targets(scene);

    let mut readings = CustomerReadings::open(scene).await?;
    loop {
        let tables = Mutex::new(Tables::new(scene, Pass::After)?);
        let mut fresh = Findings::default();
        let CustomerReadings { list: long, details: single, .. } = &mut readings;
        let details = details(scene, single, &tables, |wanted, id, raw| {
            let is_target = targets.contains(&id);
            compare(scene, &adoptions, is_target, wanted, id, raw, &mut fresh);
            Ok(())
        });
        let outcome = both(&scene.ctx.stop, list(long, &ids, &tables), details).await;
        if let Some((carriers, ())) = readings.keep(outcome).await? {
            strangers(scene, &expected, &carriers, &mut fresh);
            findings.absorb(fresh);
            let tables = tables.into_inner().unwrap_or_else(PoisonError::into_inner);
            return Ok(tables.seal()?);
        }
    }
}

/// The two readings of customers, side by side: the list, and each of ours in full.
pub(crate) struct CustomerReadings<'a> {
    pub(crate) list: Reading<'a>,
    pub(crate) details: Reading<'a>,
    beginnings: usize,
}

impl<'a> CustomerReadings<'a> {
    pub(crate) async fn open(scene: &Scene<'a>) -> Result<Self, ReconcileError> {
        Ok(Self {
            list: Reading::open(scene.ctx, &format!("{}/customers", scene.reading)).await?,
            details: Reading::open(scene.ctx, &format!("{}/customer-details", scene.reading)).await?,
            beginnings: 1,
        })
    }

    /// Keeps what either had in hand when the other one ended. `None` when the list has to be begun anew; the details
    /// that are kept serve again.
    pub(crate) async fn keep<T>(
        &mut self,
        outcome: Result<T, ReconcileError>,
    ) -> Result<Option<T>, ReconcileError> {
        let flushed = self.list.flush().await.and(self.details.flush().await);
        match outcome {
            Err(ReconcileError::Reading(ReadingError::Expired(_))) if self.beginnings < BEGINNINGS_MAX => {
                self.beginnings += 1;
                self.list.begin_anew();
                Ok(None)
            }
            Err(error) => Err(error),
            Ok(read) => {
                flushed?;
                Ok(Some(read))
            }
        }
    }
}

/// Walks the list: who carries keys of ours, and the short form of everyone else.
pub(crate) async fn list(
    reading: &mut Reading<'_>,
    ids: &BTreeSet<u64>,
    tables: &Mutex<Tables>,
) -> Result<BTreeMap<String, Vec<u64>>, ReconcileError> {
    let mut carriers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let take = |raw: Raw<Customer>| {
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
        Ok::<(), ReconcileError>(())
    };
    reading.walk(take).await?;
    Ok(carriers)
}

/// Reads each of ours in full, in the order of our keys, and shows it beside what is wanted; one that is gone is shown
/// as nothing.
pub(crate) async fn details(
    scene: &Scene<'_>,
    reading: &mut Reading<'_>,
    tables: &Mutex<Tables>,
    mut visit: impl FnMut(&Wanted, u64, Option<&Raw<Customer>>) -> Result<(), ReconcileError>,
) -> Result<(), ReconcileError> {
    let loaded = WantedRows::open(scene).await?.filter_map(|wanted| {
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(error) => return Some(Err(error.into())),
        };
        let ours = ExternalId::from_stored(wanted.row.external_id.clone());
        let id = scene.book.held(&key::customer(&ours, &scene.secret))?;
        Some(Ok((wanted, id)))
    });
    let mut done = 0;
    let mut seen = BTreeSet::new();
    let show = |wanted: Wanted, id, mut records: Vec<Raw<Customer>>| {
        let raw = records.pop();
        visit(&wanted, id, raw.as_ref())?;
        // One that was merged answers as another, which is listed for itself; several of ours may lead to one.
        let own = raw.filter(|raw| raw.record.id.0 == id && seen.insert(id));
        if let Some(raw) = own {
            tables.lock().unwrap_or_else(PoisonError::into_inner).push(raw)?;
        }
        done += 1;
        scene.advanced("customers", done);
        Ok::<(), ReconcileError>(())
    };
    reading.each(loaded, in_full(scene.ctx), show).await
}

fn compare(
    scene: &Scene<'_>,
    adoptions: &Adoptions,
    is_target: bool,
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
    let was_there = scene.book.is_adopted(&key);
    let before = adoptions.of(&ours).filter(|_| was_there).map(|found| found_customer(&scene.names, found));
    let number_held = scene.book.note(&key).is_some_and(|note| note.code == codes::NUMBER_HELD);
    let found = found_customer(&scene.names, &raw.record);
    let comparison = compare_record(Compared::Customer, &image, &found);
    let is_merged = merges::target(&scene.book, &key, id, raw).is_some();
    take_in(findings, &subject, comparison, |difference| {
        if is_merged {
            return Some("a person merged the customer into another one (LOD112)".to_owned());
        }
        let is_brought = difference.wanted.is_none()
            && (difference.field.starts_with("channel[") || difference.field.starts_with("value["));
        if is_target && is_brought {
            return Some("a person merged another customer into this one (LOD112)".to_owned());
        }
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
        let loaded = loaded.map(|id| scene.aliases.get(&id).copied().unwrap_or(id));
        for id in ids.iter().filter(|id| Some(**id) != loaded).skip(usize::from(loaded.is_none())) {
            duplicate(findings, OBJECT, external_id, *id);
        }
        if loaded.is_some() {
            continue;
        }
        let key = key::customer(&ExternalId::from_stored(external_id.clone()), &scene.secret);
        let earlier = scene.book.held(&key).is_some();
        let subject = Subject { object: OBJECT, external_id, gorgias_id: ids.first().copied() };
        take_in(findings, &subject, unexpected(), |_| {
            earlier.then(|| "an earlier run of this migration wrote it".to_owned())
        });
    }
}
