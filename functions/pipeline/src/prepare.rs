//! Confirmed mapping -> baseline of Gorgias first, then tags, fields and teams; rules, surveys and webhooks paused.
//!
//! Nothing is written before the whole baseline is sealed. Deliberately absent: creating users (creation mails an
//! invitation), and the details of customers that may be adopted (see `plan`).

pub(crate) mod baseline;
pub mod directory;
pub(crate) mod preflight;
pub(crate) mod quiet;
pub(crate) mod schema;
pub(crate) mod switches;

use migration::ledger::{DestinationObject, ReceiptClass, Via, WriteKey};
use migration::mapping::ConfirmedMapping;
use snapshot::Pass;
use snapshot::tables::{FoundCustomer, FoundTicket};

use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::ledger::driver::{self, DriveError, Listed, Part};
use crate::ledger::stored::ReceiptV1;
use crate::ledger::{Ledger, LedgerError, Opening, key};
use crate::ports::gorgias::ReadError;
use crate::ports::store::{InvalidKey, StoreError};
use crate::readings::ReadingError;
use crate::run_folder::{self, DocumentError};
use crate::step::{StepFinding, StepReport};

use directory::{Directory, StoredDirectory};
use schema::SchemaWish;

/// Name of the step.
pub const STEP: &str = "prepare";
/// Records with our key that no ledger of ours knows: another ledger wrote them, or it was lost.
pub const UNKNOWN_KEYS: &str = "PRE101";
/// A user that the mapping relies on is gone or deactivated.
pub const USER_GONE: &str = "PRE102";
/// A tag, field or team could not be made.
pub const SCHEMA_REFUSED: &str = "PRE103";
/// Receipts of one segment that settles found records.
const RECEIPTS_MAX: usize = 500;

/// Why the destination could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A snapshot.
    #[error("cannot keep the baseline")]
    Archive(#[from] ArchiveError),
    /// A document of the run.
    #[error("cannot keep what was prepared")]
    Document(#[from] DocumentError),
    /// The store.
    #[error("cannot reach the store")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name an object")]
    Key(#[from] InvalidKey),
    /// Reading Gorgias.
    #[error("cannot read the destination")]
    Read(#[from] ReadError),
    /// A long reading.
    #[error("cannot read the baseline")]
    Reading(#[from] ReadingError),
    /// The ledger.
    #[error("cannot use the ledger")]
    Ledger(#[from] LedgerError),
    /// Writing.
    #[error("cannot prepare the destination")]
    Drive(#[from] DriveError),
    /// Something must be settled or accepted by name first. Nothing was written.
    #[error("{count} findings stand in the way; the first is {code}: {first}")]
    Refused {
        /// How many.
        count: usize,
        /// Code of the first.
        code: String,
        /// The first.
        first: String,
        /// All of them.
        findings: Vec<StepFinding>,
    },
}

impl PrepareError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Document(_) | Self::Store(_) | Self::Key(_) => "STO101",
            Self::Read(ReadError::Credentials { .. }) | Self::Drive(DriveError::Credentials { .. }) => {
                "GOR101"
            }
            Self::Read(_) => "GOR102",
            Self::Reading(error) => error.code(),
            Self::Ledger(_) => "LED101",
            Self::Drive(_) => "LOD100",
            Self::Refused { code, .. } => code,
        }
    }
}

/// Prepares the destination for a confirmed mapping; does nothing when that is done.
///
/// # Errors
/// [`PrepareError`]; running it again goes on where it stopped.
pub async fn run(ctx: &Context, mapping: &ConfirmedMapping) -> Result<StepReport, PrepareError> {
    prepare(ctx, &SchemaWish::of(mapping)).await
}

pub(crate) async fn prepare(ctx: &Context, wish: &SchemaWish) -> Result<StepReport, PrepareError> {
    let mut report = StepReport::of(STEP);
    if let Some(directory) = read_directory(ctx).await? {
        report.was_done = true;
        count(&directory, &mut report);
        return Ok(report);
    }
    let mut ledger = Ledger::open(ctx, &Opening::default()).await?;
    baseline::seal(ctx).await?;
    let baseline = baseline::load(ctx).await?;
    let preflight = preflight::look(&baseline, &ctx.limits.accepted_findings);
    let plan = schema::plan(wish, &baseline, ledger.secret());

    let mut refused: Vec<StepFinding> = quiet::grouped(&preflight.refused);
    let obstacles = plan.obstacles.iter().map(|obstacle| (obstacle.code, obstacle.what.clone()));
    refused.extend(quiet::grouped(&obstacles.collect::<Vec<_>>()));
    refused.extend(users_gone(wish, &baseline));
    let unknown = unknown_keys(ctx, &ledger).await?;
    let adopts = ctx.limits.accepted_findings.iter().any(|code| code == UNKNOWN_KEYS);
    if !unknown.is_empty() {
        let finding = unknown_finding(&unknown);
        if adopts { report.findings.push(finding) } else { refused.push(finding) }
    }
    if let Some(first) = refused.first() {
        let (code, text) = (first.code.clone(), first.text.clone());
        return Err(PrepareError::Refused { count: refused.len(), code, first: text, findings: refused });
    }
    settle_unknown(&mut ledger, unknown).await?;
    report.findings.extend(quiet::grouped(&preflight.accepted));

    let pauses = switches::off(ctx, &ledger, &preflight.switches, ctx.run.as_str()).await?;
    write(ctx, &mut ledger, "pauses", pauses, ReceiptClass::Updated).await?;
    let (reactivations, creations): (Vec<_>, Vec<_>) =
        plan.actions.iter().cloned().partition(|action| action.request.target().is_some());
    write(ctx, &mut ledger, "fields", reactivations, ReceiptClass::Restored).await?;
    write(ctx, &mut ledger, "schema", creations, ReceiptClass::Created).await?;

    let service_user = ctx.destination.service_user().await?;
    let (directory, lacking) = schema::resolve(wish, &plan, &baseline, &ledger, service_user.id);
    if let Some(first) = lacking.names.first() {
        let text = format!("{first} could not be made");
        let finding = StepFinding {
            code: SCHEMA_REFUSED.to_owned(),
            count: lacking.names.len() as u64,
            text: lacking.names.join(", "),
        };
        let code = SCHEMA_REFUSED.to_owned();
        return Err(PrepareError::Refused { count: 1, code, first: text, findings: vec![finding] });
    }
    run_folder::put(ctx, &ctx.run_key("destination.json")?, &directory.to_stored()).await?;
    ledger.close().await?;
    count(&directory, &mut report);
    report.records.insert("switched_off".to_owned(), preflight.switches.len() as u64);
    report.findings.sort();
    Ok(report)
}

/// What prepare left behind, once it is done.
///
/// # Errors
/// [`PrepareError::Document`].
pub async fn read_directory(ctx: &Context) -> Result<Option<Directory>, PrepareError> {
    let stored: Option<StoredDirectory> = run_folder::get(ctx, &ctx.run_key("destination.json")?).await?;
    Ok(stored.map(Directory::from_stored))
}

fn count(directory: &Directory, report: &mut StepReport) {
    report.records.insert("tag".to_owned(), directory.tags.len() as u64);
    report.records.insert("field".to_owned(), directory.fields.len() as u64);
    report.records.insert("team".to_owned(), directory.teams.len() as u64);
}

async fn write(
    ctx: &Context,
    ledger: &mut Ledger,
    name: &str,
    actions: Vec<driver::Action>,
    class: ReceiptClass,
) -> Result<(), PrepareError> {
    let part = Part { step: STEP, name: name.to_owned(), total: Some(actions.len() as u64) };
    driver::drive(ctx, ledger, &mut Listed::new(actions, class), &part).await?;
    Ok(())
}

fn users_gone(wish: &SchemaWish, baseline: &baseline::Baseline) -> Option<StepFinding> {
    let is_active = |id: &str| baseline.users.iter().any(|user| user.is_active && user.gorgias_user_id == id);
    let gone: Vec<String> =
        wish.users.values().map(ToString::to_string).filter(|id| !is_active(id)).collect();
    (!gone.is_empty()).then(|| StepFinding {
        code: USER_GONE.to_owned(),
        count: gone.len() as u64,
        text: format!("users {} are gone or deactivated since the proposal", gone.join(", ")),
    })
}

/// A record that carries a key of ours and stands in no ledger.
struct Unknown {
    key: WriteKey,
    id: u64,
}

async fn unknown_keys(ctx: &Context, ledger: &Ledger) -> Result<Vec<Unknown>, PrepareError> {
    let mut unknown = Vec::new();
    let mut look = |object: DestinationObject, external_id: Option<String>, id: &str| {
        let Some(ours) = external_id.filter(|text| text.starts_with(migration::keys::ExternalId::PREFIX))
        else {
            return;
        };
        let ours = migration::keys::ExternalId::from_stored(ours);
        let key = match object {
            DestinationObject::Customer => key::customer(&ours, ledger.secret()),
            _ => key::ticket(&ours, ledger.secret()),
        };
        if let Some(id) = id.parse().ok().filter(|_| ledger.book().written(&key).is_none()) {
            unknown.push(Unknown { key, id });
        }
    };
    for row in archive::open::<FoundCustomer>(ctx, &ctx.run, Pass::Before).await? {
        let row = row.map_err(ArchiveError::from)?;
        look(DestinationObject::Customer, row.external_id, &row.gorgias_customer_id);
    }
    for row in archive::open::<FoundTicket>(ctx, &ctx.run, Pass::Before).await? {
        let row = row.map_err(ArchiveError::from)?;
        look(DestinationObject::Ticket, row.external_id, &row.gorgias_ticket_id);
    }
    // Of several records with one key the oldest is taken; the others show up as duplicates.
    unknown.sort_by(|left, right| (&left.key, left.id).cmp(&(&right.key, right.id)));
    unknown.dedup_by(|next, kept| next.key == kept.key);
    Ok(unknown)
}

fn unknown_finding(unknown: &[Unknown]) -> StepFinding {
    let first = unknown.first().map(|record| record.id.to_string()).unwrap_or_default();
    StepFinding {
        code: UNKNOWN_KEYS.to_owned(),
        count: unknown.len() as u64,
        text: format!("records carry keys of ours and stand in no ledger; the first has id {first}"),
    }
}

/// Accepted by name: they count as present, and never as made by us.
async fn settle_unknown(ledger: &mut Ledger, unknown: Vec<Unknown>) -> Result<(), PrepareError> {
    let receipts: Vec<ReceiptV1> = unknown
        .into_iter()
        .map(|record| ReceiptV1 {
            key: record.key.to_string(),
            dest_id: Some(record.id),
            class: ReceiptClass::Adopted.as_str().to_owned(),
            via: Via::Lookup.as_str().to_owned(),
            field_hmacs: std::collections::BTreeMap::new(),
            note: None,
        })
        .collect();
    for chunk in receipts.chunks(RECEIPTS_MAX) {
        ledger.announce(Vec::new(), chunk.to_vec()).await?;
    }
    Ok(())
}
