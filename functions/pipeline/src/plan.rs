//! What is wanted, ledger and baseline -> load plan: waves of batches, with the forecast of requests and hours.
//!
//! Last step before the first record is written: the customers that will be adopted are read in full here, and become
//! part of the baseline. Deliberately absent: how records look (see `load`).

pub mod saved;
mod stored;

use std::collections::BTreeMap;
use std::time::Duration;

use migration::canonical::Digest;
use migration::ledger::{DestinationObject, ReceiptClass};
use migration::load_order::{TicketAge, needed_to_start};
use migration::load_plan::{self, Counts};
use migration::pacer::Bucket;
use migration::text::folded;
use snapshot::tables::{
    FoundCustomer, FoundCustomerChannel, FoundCustomerValue, FoundField, FoundIntegration, FoundRule,
    FoundTag, FoundTeam, FoundTicket, FoundUser, WantAttachment, WantCustomer, WantCustomerChannel,
    WantTicket,
};
use snapshot::{Pass, Row, TableSchema};

use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::found_rows;
use crate::ledger::book::Book;
use crate::ledger::key::{self, Secret};
use crate::ledger::{Ledger, LedgerError};
use crate::load::adopted::StoredAdoptions;
use crate::load::order;
use crate::load::uploads::url_of;
use crate::ports::gorgias::{Customer, Raw};
use crate::ports::store::InvalidKey;
use crate::prepare::{self, PrepareError};
use crate::readings::{Reading, ReadingError, in_full};
use crate::run_folder::{self, DocumentError};
use crate::step::StepReport;
use crate::wave::Wave;
use crate::wish::Layers;

pub use stored::{BatchV1, BucketV1, ForecastV1, PlanV1, StoredPlan, WaveV1};

/// Name of the step.
pub const STEP: &str = "plan";
/// Bucket of an account by API key (facts: rate limits), until an answer tells another one.
const BUCKET_CAPACITY: u32 = 40;
/// Window of that bucket.
const BUCKET_WINDOW: Duration = Duration::from_secs(20);

/// What agents look back on: with it and the open tickets they can start.
const RECENT: jiff::SignedDuration = jiff::SignedDuration::from_hours(30 * 24);

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A snapshot.
    #[error("cannot read or keep a snapshot of the plan")]
    Archive(#[from] ArchiveError),
    /// A document.
    #[error("cannot read or keep the plan")]
    Document(#[from] DocumentError),
    /// A name that is no key.
    #[error("cannot name an object")]
    Key(#[from] InvalidKey),
    /// The ledger.
    #[error("cannot read the ledger")]
    Ledger(#[from] LedgerError),
    /// Reading Gorgias.
    #[error("cannot read a customer that may be adopted")]
    Read(#[from] ReadingError),
    /// What prepare left behind.
    #[error("cannot read what was prepared")]
    Prepared(#[source] Box<PrepareError>),
    /// Prepare has not run.
    #[error("the destination is not prepared; run prepare first")]
    NotPrepared,
}

impl PlanError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Document(_) | Self::Key(_) => "STO101",
            Self::Ledger(_) => "LED101",
            Self::Read(error) => error.code(),
            Self::Prepared(_) | Self::NotPrepared => "PLA001",
        }
    }
}

/// Makes the plan; does nothing when that is done.
///
/// # Errors
/// [`PlanError`]; nothing is written at Gorgias.
pub async fn run(ctx: &Context) -> Result<StepReport, PlanError> {
    let mut report = StepReport::of(STEP);
    let key = ctx.run_key("plan.json")?;
    if let Some(StoredPlan::V1(plan)) = run_folder::get(ctx, &key).await? {
        report.was_done = true;
        count(&plan, &mut report);
        return Ok(report);
    }
    let directory =
        prepare::read_directory(ctx).await.map_err(|source| PlanError::Prepared(Box::new(source)))?;
    let directory = directory.ok_or(PlanError::NotPrepared)?;
    let (book, secret) = Ledger::read_of(ctx, &directory.account).await?;
    let adoptions = adoptions(ctx, &book, &secret).await?;
    seal_details(ctx, &adoptions, book.state().next_sequence()).await?;

    let mut counts = counts_before(ctx).await?;
    counts.tags_created =
        (directory.tags.len() as u64).saturating_sub(kept_tags(ctx, &directory.tags).await?);
    counts.teams_created = made(&book, DestinationObject::Team, ReceiptClass::Created);
    counts.fields_written = made(&book, DestinationObject::Field, ReceiptClass::Created)
        + made(&book, DestinationObject::Field, ReceiptClass::Restored);
    counts.switched = [DestinationObject::Rule, DestinationObject::Setting, DestinationObject::Integration]
        .into_iter()
        .map(|object| made(&book, object, ReceiptClass::Updated))
        .sum();
    counts.customers_adopted = adoptions.len() as u64;
    let (waves, leads_messages) = waves(ctx, &book, &secret, &adoptions, &mut counts).await?;

    let bucket = bucket(ctx);
    let forecast = load_plan::requests_floor(&counts);
    let gates = gate_reads(&waves, leads_messages, &counts);
    let requests_floor = forecast.total() + gates;
    let plan = PlanV1 {
        account: directory.account.clone(),
        baseline: baseline_digest(ctx).await?,
        waves,
        counts: stored::counts(&counts),
        forecast: stored::forecast(&forecast, gates),
        requests_floor,
        bucket: BucketV1 {
            capacity: bucket.capacity,
            window_milliseconds: u64::try_from(bucket.window.as_millis()).unwrap_or(u64::MAX),
        },
        bound_seconds: load_plan::bound(requests_floor, &bucket).as_secs_f64(),
    };
    run_folder::put(ctx, &ctx.run_key("adoptions.json")?, &StoredAdoptions::V1 { customers: adoptions })
        .await?;
    run_folder::put(ctx, &key, &StoredPlan::V1(plan.clone())).await?;
    count(&plan, &mut report);
    Ok(report)
}

/// The plan with its digest.
///
/// # Errors
/// [`PlanError::Document`] when there is none.
pub async fn read(ctx: &Context) -> Result<(PlanV1, Digest), PlanError> {
    let key = ctx.run_key("plan.json")?;
    let StoredPlan::V1(plan) = run_folder::need(ctx, &key).await?;
    let bytes = ctx.store.get(&key).await.map_err(DocumentError::from)?;
    Ok((plan, Digest::of(&bytes)))
}

fn count(plan: &PlanV1, report: &mut StepReport) {
    for wave in &plan.waves {
        report.records.insert(wave.name.clone(), wave.records);
    }
    report.records.insert("requests_floor".to_owned(), plan.requests_floor);
}

/// With two waves of tickets the lists are read twice: the later wave opens on the verdict of the earlier, and no list
/// can be asked for a part of it.
fn gate_reads(waves: &[WaveV1], leads_messages: u64, counts: &Counts) -> u64 {
    let of = |wave: Wave| waves.iter().find(|planned| planned.name == wave.as_str());
    let (Some(leads), Some(chats)) = (of(Wave::Leads), of(Wave::Chats)) else { return 0 };
    if leads.records == 0 || chats.records == 0 {
        return 0;
    }
    let by_account = load_plan::pages(counts.messages_before + leads_messages);
    load_plan::pages(counts.tickets_before + leads.records) + by_account.min(leads.records)
}

/// The bucket as the last answers told it.
pub(crate) fn bucket(ctx: &Context) -> Bucket {
    let usage = ctx.destination.usage();
    let window = usage.windows.last().map(|window| Duration::from_millis(window.milliseconds));
    Bucket {
        capacity: usage.bucket.map_or(BUCKET_CAPACITY, |(_, limit)| limit.max(1)),
        window: window.filter(|window| !window.is_zero()).unwrap_or(BUCKET_WINDOW),
        reserve: 0.0,
    }
}

/// Writes of one kind that ended so.
fn made(book: &Book, object: DestinationObject, class: ReceiptClass) -> u64 {
    book.iter().filter(|(key, written)| key.object == object && written.class == Some(class)).count() as u64
}

async fn kept_tags(
    ctx: &Context,
    tags: &BTreeMap<String, migration::gorgias::TagId>,
) -> Result<u64, PlanError> {
    let mut kept = 0;
    for row in archive::open::<FoundTag>(ctx, &ctx.run, Pass::Before).await? {
        kept += u64::from(tags.contains_key(&row.map_err(ArchiveError::from)?.tag_name));
    }
    Ok(kept)
}

/// Our customers whose email is that of a customer in the baseline, by our key.
async fn adoptions(ctx: &Context, book: &Book, secret: &Secret) -> Result<BTreeMap<String, u64>, PlanError> {
    let mut emails: BTreeMap<String, String> = BTreeMap::new();
    for row in archive::open::<WantCustomer>(ctx, &ctx.run, Pass::Full).await? {
        let row = row.map_err(ArchiveError::from)?;
        let ours = crate::load::customers::external_id(&row);
        if let Some(email) = row.email.filter(|_| book.destination(&key::customer(&ours, secret)).is_none()) {
            emails.entry(folded(&email)).or_insert(row.external_id);
        }
    }
    for row in archive::open::<WantCustomerChannel>(ctx, &ctx.run, Pass::Full).await? {
        let row = row.map_err(ArchiveError::from)?;
        let ours = crate::load::adoption::external_id(&row.customer_external_id);
        if row.channel_type == "email" && book.destination(&key::customer(&ours, secret)).is_none() {
            emails.entry(folded(&row.address)).or_insert(row.customer_external_id);
        }
    }
    let mut adopted = BTreeMap::new();
    for row in archive::open::<FoundCustomer>(ctx, &ctx.run, Pass::Before).await? {
        let row = row.map_err(ArchiveError::from)?;
        let is_free = row.external_id.as_deref().is_none_or(str::is_empty);
        let ours = row.email.as_deref().filter(|_| is_free).and_then(|email| emails.get(&folded(email)));
        if let Some((ours, id)) = ours.zip(row.gorgias_customer_id.parse().ok()) {
            adopted.entry(ours.clone()).or_insert(id);
        }
    }
    Ok(adopted)
}

/// Reads those customers in full and seals what lists do not show.
async fn seal_details(
    ctx: &Context,
    adoptions: &BTreeMap<String, u64>,
    sequence: u64,
) -> Result<(), PlanError> {
    if archive::is_sealed(ctx, &ctx.run, Pass::Before, FoundCustomerValue::SCHEMA).await? {
        return Ok(());
    }
    let mut channels = archive::writer::<FoundCustomerChannel>(ctx, Pass::Before, Vec::new())?;
    let mut values = archive::writer::<FoundCustomerValue>(ctx, Pass::Before, Vec::new())?;
    let mut reading = Reading::open(ctx, &format!("plan-{sequence:010}/adopted")).await?;
    let wanted = adoptions.values().copied().map(|id| Ok::<_, PlanError>(((), id)));
    // One that a person deleted since the list was read has no rows: the load creates it.
    let take = |(), _, found: Vec<Raw<Customer>>| {
        for raw in found {
            let (_, its_channels, its_values) = found_rows::customer(raw);
            its_channels.into_iter().try_for_each(|row| channels.push(row)).map_err(ArchiveError::from)?;
            its_values.into_iter().try_for_each(|row| values.push(row)).map_err(ArchiveError::from)?;
        }
        Ok::<(), PlanError>(())
    };
    reading.each(wanted, in_full(ctx), take).await?;
    if !archive::is_sealed(ctx, &ctx.run, Pass::Before, FoundCustomerChannel::SCHEMA).await? {
        archive::publish(ctx, channels.seal().map_err(ArchiveError::from)?).await?;
    }
    archive::publish(ctx, values.seal().map_err(ArchiveError::from)?).await?;
    Ok(())
}

async fn rows_before(ctx: &Context, table: &'static TableSchema) -> Result<u64, PlanError> {
    let manifest = archive::manifest(ctx, &ctx.run, Pass::Before, table).await?;
    Ok(manifest.map_or(0, |manifest| manifest.rows))
}

async fn counts_before(ctx: &Context) -> Result<Counts, PlanError> {
    let mut counts = Counts {
        users: rows_before(ctx, FoundUser::SCHEMA).await?,
        teams_before: rows_before(ctx, FoundTeam::SCHEMA).await?,
        tags_before: rows_before(ctx, FoundTag::SCHEMA).await?,
        rules_before: rows_before(ctx, FoundRule::SCHEMA).await?,
        integrations_before: rows_before(ctx, FoundIntegration::SCHEMA).await?,
        customers_before: rows_before(ctx, FoundCustomer::SCHEMA).await?,
        tickets_before: rows_before(ctx, FoundTicket::SCHEMA).await?,
        ..Counts::default()
    };
    for row in archive::open::<FoundField>(ctx, &ctx.run, Pass::Before).await? {
        match row.map_err(ArchiveError::from)?.object_type.as_str() {
            "Ticket" => counts.ticket_fields_before += 1,
            _ => counts.customer_fields_before += 1,
        }
    }
    for row in archive::open::<FoundTicket>(ctx, &ctx.run, Pass::Before).await? {
        let messages = row.map_err(ArchiveError::from)?.message_count.unwrap_or(0);
        counts.messages_before += u64::try_from(messages).unwrap_or(0);
    }
    Ok(counts)
}

async fn waves(
    ctx: &Context,
    book: &Book,
    secret: &Secret,
    adoptions: &BTreeMap<String, u64>,
    counts: &mut Counts,
) -> Result<(Vec<WaveV1>, u64), PlanError> {
    let size = ctx.limits.batch_records.max(1) as u64;
    let mut leads_messages = 0;
    let mut writes: BTreeMap<String, u64> = BTreeMap::new();
    for row in archive::open::<WantCustomer>(ctx, &ctx.run, Pass::Full).await? {
        let row = row.map_err(ArchiveError::from)?;
        let ours = crate::load::customers::external_id(&row);
        let is_new = book.destination(&key::customer(&ours, secret)).is_none();
        let values_due = row.value_count > 0 && book.destination(&key::values(&ours, secret)).is_none();
        counts.customers_created += u64::from(is_new && !adoptions.contains_key(&row.external_id));
        counts.customers_with_values += u64::from(values_due);
        writes.insert(row.external_id, u64::from(is_new) + u64::from(values_due));
    }
    let has_files = archive::is_sealed(ctx, &ctx.run, Pass::Full, WantAttachment::SCHEMA).await?;
    let mut files = match has_files {
        true => Some(archive::open::<WantAttachment>(ctx, &ctx.run, Pass::Full).await?.children(1)),
        false => None,
    };
    for row in archive::open::<WantTicket>(ctx, &ctx.run, Pass::Full).await? {
        let row = row.map_err(ArchiveError::from)?;
        let uploads = match &mut files {
            Some(files) => uploads(&files.take(&row.key()).map_err(ArchiveError::from)?, book, secret),
            None => 0,
        };
        let ours = crate::load::adoption::external_id(&row.external_id);
        let is_new = book.destination(&key::ticket(&ours, secret)).is_none();
        let messages = u64::try_from(row.message_count).unwrap_or(0);
        let appended = load_plan::appended(messages);
        if is_new {
            counts.tickets_created += 1;
            counts.messages_created += messages;
            counts.messages_appended += appended;
            counts.files_uploaded += uploads;
        }
        leads_messages += if Wave::Leads.holds_tickets_of(&row.wave) { messages } else { 0 };
        writes.insert(row.external_id, if is_new { 1 + appended + uploads } else { 0 });
    }
    let mut waves = Wave::ALL.map(|wave| WaveV1::empty(wave.as_str()));
    for key in order::customers(ctx, Layers::Newest).await? {
        waves[0].add(&key, writes.get(&key).copied().unwrap_or(0), size);
    }
    for (place, wave) in [(1, Wave::Leads), (2, Wave::Chats)] {
        let placed = order::tickets(ctx, wave, Layers::Newest).await?;
        for ticket in &placed {
            waves[place].add(&ticket.age.key, writes.get(&ticket.age.key).copied().unwrap_or(0), size);
        }
        if wave == Wave::Leads {
            let ages: Vec<TicketAge> = placed.into_iter().map(|placed| placed.age).collect();
            waves[place].open = ages.iter().filter(|age| age.is_open).count() as u64;
            waves[place].first = needed_to_start(&ages, RECENT) as u64;
        }
    }
    Ok((waves.into(), leads_messages))
}

/// Files of a ticket that do not lie at Gorgias yet.
fn uploads(files: &[WantAttachment], book: &Book, secret: &Secret) -> u64 {
    files.iter().filter(|file| url_of(file, book, secret).is_none()).count() as u64
}

/// Digest over the manifests of the baseline.
async fn baseline_digest(ctx: &Context) -> Result<String, PlanError> {
    let mut text = String::new();
    let tables = [
        FoundUser::SCHEMA,
        FoundTeam::SCHEMA,
        FoundTag::SCHEMA,
        FoundField::SCHEMA,
        FoundRule::SCHEMA,
        FoundIntegration::SCHEMA,
        FoundCustomer::SCHEMA,
        FoundCustomerChannel::SCHEMA,
        FoundCustomerValue::SCHEMA,
        FoundTicket::SCHEMA,
    ];
    for table in tables {
        if let Some(manifest) = archive::manifest(ctx, &ctx.run, Pass::Before, table).await? {
            text.push_str(table.name);
            text.push(' ');
            text.push_str(&manifest.digest().to_string());
            text.push('\n');
        }
    }
    Ok(Digest::of(text.as_bytes()).to_hex())
}
