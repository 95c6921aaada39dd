//! What changed at LeadDesk since the last reading -> Gorgias, by the same engine and ledger as the load.
//!
//! A new reading by the recipe, its differences, the wish of what they touch, and per field the decision between what was
//! wished, what is wished and what is there. The watermark is written last: a delta that was interrupted goes on, and
//! finds done what was done. What people changed stays; what people deleted stays deleted; nothing is ever deleted.
//! Deliberately absent: definitions of tags, teams and fields, which come with a mapping.

mod check;
pub mod codes;
mod overtaken;
mod rows;
mod stored;
mod survey;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use snapshot::tables::{ControlDelta, ControlDeltaScope};
use snapshot::{Pass, Row as _};

use crate::archive::{self, ArchiveError};
use crate::boxed::{boxed, of_snapshot};
use crate::conduct::DeltaPart;
use crate::context::Context;
use crate::deltas::{self, BegunV1, Delta, DoneV1, PlanV1, ReadingV1};
use crate::documents;
use crate::evidence::EvidenceError;
use crate::extract::{self, ExtractError};
use crate::finish;
use crate::ledger::LedgerError;
use crate::ledger::driver::DriveError;
use crate::load::{self, LoadError};
use crate::mends::Mends;
use crate::plan::{self, PlanError};
use crate::ports::gorgias::ReadError;
use crate::ports::store::InvalidKey;
use crate::prepare::PrepareError;
use crate::progress::Event;
use crate::reconcile::ReconcileError;
use crate::reconcile::customers::Wanted;
use crate::residency::{self, ResidencyError};
use crate::run_folder::DocumentError;
use crate::sample::{self, SampleError};
use crate::transform::{self, TransformError, changed};
use crate::wish::{self, CUSTOMER, TICKET};

pub use crate::deltas::{all, newest};
pub use rows::{ConflictV1, conflicts};

use survey::{Open, Pair};

/// Name of the step.
pub const STEP: &str = "delta";

/// Why a delta cannot go on. Everything that was done before is in the ledger, and the next start goes on.
#[derive(Debug, thiserror::Error)]
pub enum DeltaError {
    /// Reading LeadDesk.
    #[error("cannot read what changed at LeadDesk")]
    Extract(#[source] Box<ExtractError>),
    /// Comparing and making.
    #[error("cannot make what changed")]
    Transform(#[source] Box<TransformError>),
    /// A snapshot.
    #[error("cannot read or keep a snapshot of the delta")]
    Archive(#[from] ArchiveError),
    /// A document.
    #[error("cannot read or keep a document of the delta")]
    Document(#[from] DocumentError),
    /// A document of the steps before.
    #[error("cannot read what the delta goes on from")]
    Earlier(#[from] documents::DocumentError),
    /// A name that is no key.
    #[error("cannot name an object")]
    Key(#[from] InvalidKey),
    /// The ledger.
    #[error("cannot use the ledger")]
    Ledger(#[from] LedgerError),
    /// The account's log.
    #[error("cannot tell what people did")]
    Evidence(#[from] EvidenceError),
    /// Reading Gorgias.
    #[error("cannot read the destination")]
    Read(#[from] ReadError),
    /// What was written cannot be told.
    #[error("cannot tell what was written")]
    Reconcile(#[source] Box<ReconcileError>),
    /// What was loaded cannot be told, or may not be written to.
    #[error("cannot write what changed")]
    Load(#[source] Box<LoadError>),
    /// The load plan.
    #[error("cannot read the load plan")]
    Plan(#[source] Box<PlanError>),
    /// What answers writes could not be switched off, or on again.
    #[error("cannot switch off for the delta what would answer a write, or switch it on again")]
    Switches(#[source] Box<PrepareError>),
    /// A stored change of a record makes no sense.
    #[error("a row of the plan cannot be read")]
    Row(#[from] serde_json::Error),
    /// Writing stopped.
    #[error("the delta stopped")]
    Drive(#[from] DriveError),
    /// The key in use belongs to another account.
    #[error("the run is for account {planned}, the credentials are for {connected}")]
    OtherAccount {
        /// Account of the plan.
        planned: String,
        /// Account of the credentials.
        connected: String,
    },
    /// Data would leave the area of the law that protects it.
    #[error("cannot move what changed")]
    Residency(#[from] ResidencyError),
    /// A part was asked for before the one in front of it is done.
    #[error("this part of the delta comes after its part {part}, which is not done")]
    OutOfOrder {
        /// The part that is open.
        part: &'static str,
    },
    /// The run is a sample.
    #[error("cannot bring over what changed")]
    Sample(#[from] SampleError),
    /// The run is not loaded to its end.
    #[error("the run is not loaded and compared to its end; run deskferry run first")]
    NotLoaded,
    /// Some outcomes could not be learnt; the next start looks again.
    #[error("{count} writes of the delta are in doubt")]
    Unsettled {
        /// How many.
        count: u64,
    },
}

of_snapshot!(DeltaError);
boxed!(DeltaError { Reconcile(ReconcileError), Load(LoadError), Extract(ExtractError), Transform(TransformError) });

impl DeltaError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Extract(error) => error.code(),
            Self::Transform(error) => error.code(),
            Self::Archive(error) => error.code(),
            Self::Document(_) | Self::Key(_) | Self::Row(_) => "STO101",
            Self::Earlier(error) => error.code(),
            Self::Ledger(_) => "LED101",
            Self::Evidence(error) => error.code(),
            Self::Read(ReadError::Credentials { .. }) | Self::Drive(DriveError::Credentials { .. }) => {
                "GOR101"
            }
            Self::Read(_) => "GOR102",
            Self::Reconcile(error) => error.code(),
            Self::Load(error) => error.code(),
            Self::Plan(_) => "LOD001",
            Self::Switches(error) => error.code(),
            Self::Drive(_) => "LOD100",
            Self::OtherAccount { .. } => "LOD002",
            Self::Residency(error) => error.code(),
            Self::Sample(error) => error.code(),
            Self::NotLoaded | Self::OutOfOrder { .. } => "DEL001",
            Self::Unsettled { .. } => "LOD104",
        }
    }
}

/// One delta, from its reading to its watermark. An open one is gone on with.
///
/// # Errors
/// [`DeltaError`]; running it again goes on where it stopped.
pub async fn run(ctx: &Context) -> Result<Delta, DeltaError> {
    let number = due(ctx).await?;
    for part in DeltaPart::ALL {
        run_part(ctx, number, part).await?;
    }
    let delta = all(ctx).await?.into_iter().find(|delta| delta.begun.number == number);
    delta.ok_or(DeltaError::NotLoaded)
}

/// Number of the delta that is open, or of the next one.
///
/// # Errors
/// [`DeltaError`].
pub async fn due(ctx: &Context) -> Result<u32, DeltaError> {
    Ok(deltas::due(&all(ctx).await?))
}

/// One part of the delta of this number, and whether there was anything to do: what is done already is left as it is. The
/// first part begins the delta, unless another one is open or the number is not the next one.
///
/// # Errors
/// [`DeltaError`]; running it again goes on where it stopped.
pub async fn run_part(ctx: &Context, number: u32, part: DeltaPart) -> Result<bool, DeltaError> {
    may_begin(ctx).await?;
    let begun = match part {
        DeltaPart::Read => deltas::begin_number(ctx, number).await?,
        DeltaPart::Make | DeltaPart::Write => Some(deltas::begun(ctx, number).await?),
    };
    let (Some(begun), Some(open)) = (begun, open_part(ctx, number).await?) else { return Ok(false) };
    match part {
        _ if open > part => return Ok(false),
        _ if open < part => return Err(DeltaError::OutOfOrder { part: open.as_str() }),
        DeltaPart::Read => read_to_end(ctx, &begun).await?,
        DeltaPart::Make => deltas::keep_plan(ctx, number, &make(ctx, &begun).await?).await?,
        DeltaPart::Write => write_to_end(ctx, &begun).await?,
    }
    Ok(true)
}

/// The first part of this delta that is not done; none when it has its watermark, or has not begun.
///
/// # Errors
/// [`DeltaError`].
pub async fn open_part(ctx: &Context, number: u32) -> Result<Option<DeltaPart>, DeltaError> {
    let Some(delta) = all(ctx).await?.into_iter().find(|delta| delta.begun.number == number) else {
        return Ok(None);
    };
    Ok(match (&delta.done, &delta.plan) {
        (Some(_), _) => None,
        (None, Some(_)) => Some(DeltaPart::Write),
        (None, None) if deltas::reading(ctx, number).await?.is_some() => Some(DeltaPart::Make),
        (None, None) => Some(DeltaPart::Read),
    })
}

async fn may_begin(ctx: &Context) -> Result<(), DeltaError> {
    sample::refuse(ctx, "a delta").await?;
    if !finish::is_done(ctx).await? {
        return Err(DeltaError::NotLoaded);
    }
    residency::check(ctx, Some(&documents::inventory(ctx).await?)).await?;
    Ok(load::check_rollback(ctx).await?)
}

async fn read_to_end(ctx: &Context, begun: &BegunV1) -> Result<(), DeltaError> {
    let asked_before = ctx.source.requests();
    reread(ctx, begun).await?;
    let reading = ctx.reading(Pass::Delta(begun.number));
    let read = ReadingV1 {
        read_from: extract::started_at(&reading).await?,
        requests: difference(&ctx.source.requests(), &asked_before),
        requests_floor: extract::since::floor(&reading).await?,
    };
    Ok(deltas::keep_reading(ctx, begun.number, &read).await?)
}

async fn write_to_end(ctx: &Context, begun: &BegunV1) -> Result<(), DeltaError> {
    let missing = || DeltaError::OutOfOrder { part: DeltaPart::Read.as_str() };
    let read = deltas::reading(ctx, begun.number).await?.ok_or_else(missing)?;
    let plan = deltas::plan(ctx, begun.number).await?.ok_or_else(missing)?;
    let is_changed = !plan.wished.is_empty();
    let open = open(ctx, begun.number).await?;
    let mut done = DoneV1 {
        number: begun.number,
        read_from: read.read_from,
        is_unchanged: !is_changed,
        requests: read.requests,
        requests_floor: read.requests_floor,
        ..DoneV1::default()
    };
    if is_changed || !open.is_empty() {
        write(ctx, begun, is_changed, &open, &mut done).await?;
    }
    done.at = ctx.clock.now();
    deltas::finish(ctx, done).await?;
    Ok(())
}

/// Begins a delta, or finds the open one, and reads LeadDesk anew.
///
/// # Errors
/// [`DeltaError`]; what was read so far stays stored.
pub async fn read(ctx: &Context) -> Result<BegunV1, DeltaError> {
    let begun = deltas::begin(ctx).await?;
    reread(ctx, &begun).await?;
    Ok(begun)
}

async fn reread(ctx: &Context, begun: &BegunV1) -> Result<(), DeltaError> {
    started(ctx, "reading");
    extract::run(&ctx.reading(Pass::Delta(begun.number))).await?;
    Ok(())
}

/// Both readings are compared, and what changed is made. Sends no request.
///
/// # Errors
/// [`DeltaError`]; nothing is published then.
pub async fn make(ctx: &Context, begun: &BegunV1) -> Result<PlanV1, DeltaError> {
    Ok(changed::run(&ctx.reading(Pass::Delta(begun.number)), begun).await?)
}

fn started(ctx: &Context, part: &str) {
    let event = Event::StepStarted { step: STEP, part: part.to_owned(), total: None };
    ctx.progress.emit(ctx.clock.now(), event);
}

fn difference(now: &BTreeMap<String, u64>, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let since = |(kind, count): (&String, &u64)| {
        let since = count - before.get(kind).copied().unwrap_or(0);
        (since > 0).then(|| (kind.clone(), since))
    };
    now.iter().filter_map(since).collect()
}

/// Records with something that no delta could settle: a field in conflict, or a write that somebody came before.
///
/// # Errors
/// [`DeltaError`] when a delta cannot be read.
pub async fn open_conflicts(ctx: &Context) -> Result<u64, DeltaError> {
    Ok(open(ctx, u32::MAX).await?.len() as u64)
}

/// What earlier deltas could not settle: fields in conflict, and records that somebody changed before their turn came.
async fn open(ctx: &Context, before: u32) -> Result<Open, DeltaError> {
    let mut open = Open::new();
    for delta in all(ctx).await?.iter().filter(|delta| delta.begun.number < before) {
        let Some(done) = &delta.done else { continue };
        if !archive::is_sealed(ctx, &ctx.run, delta.pass(), ControlDelta::SCHEMA).await? {
            continue;
        }
        let mut before = std::mem::take(&mut open);
        for row in archive::open::<ControlDelta>(ctx, &ctx.run, delta.pass()).await? {
            let row = row?;
            let name = (row.object.clone(), row.external_id.clone());
            let mut unsettled = before.remove(&name).unwrap_or_default();
            let is_left = done.residue.iter().any(|left| {
                left.object == row.object
                    && left.external_id == row.external_id
                    && [codes::CHANGED_SINCE, codes::REFUSED].contains(&left.code.as_str())
            });
            let mends = row.change.as_deref().map(Mends::decode).transpose()?.map(|(_, mends)| mends);
            for (field, mend) in mends.iter().flat_map(Mends::iter) {
                if is_left {
                    unsettled.entry(field.to_owned()).or_insert_with(|| mend.found.clone());
                } else {
                    unsettled.remove(field);
                }
            }
            for (field, conflict) in conflicts(&row)? {
                unsettled.insert(field, conflict.written);
            }
            if !unsettled.is_empty() {
                open.insert(name, unsettled);
            }
        }
    }
    Ok(open)
}

/// Everything that the delta looks at.
struct Looked {
    customers: BTreeMap<String, Pair<Wanted>>,
    tickets: BTreeMap<String, Pair<load::drafts::TicketRows>>,
}

/// Keys of what changed, with their states, and of what earlier deltas left open.
async fn looked(ctx: &Context, begun: &BegunV1, is_changed: bool, open: &Open) -> Result<Looked, DeltaError> {
    let before: Pass = begun.wish.parse()?;
    let now = if is_changed { Pass::Delta(begun.number) } else { before };
    let mut states: BTreeMap<(String, String), String> = BTreeMap::new();
    if is_changed {
        for row in archive::open::<ControlDeltaScope>(ctx, &ctx.run, now).await? {
            let row = row?;
            if u32::try_from(row.changed_in) == Ok(begun.number) {
                states.insert((row.object, row.external_id), row.state);
            }
        }
    }
    for (object, external_id) in open.keys() {
        let name = match object.as_str() {
            "message" => {
                ticket_of_message(ctx, now, external_id).await?.map(|ticket| (TICKET.to_owned(), ticket))
            }
            object => Some((object.to_owned(), external_id.clone())),
        };
        if let Some(name) = name {
            states.entry(name).or_insert_with(|| "open".to_owned());
        }
    }
    let keys = |object: &str| -> BTreeSet<snapshot::Key> {
        let of_object = states.keys().filter(|(held, _)| held == object);
        of_object.map(|(_, external_id)| wish::parent(external_id)).collect()
    };
    let state = |object: &str, key: &str| {
        states.get(&(object.to_owned(), key.to_owned())).cloned().unwrap_or_default()
    };
    let (customers, tickets) = (keys(CUSTOMER), keys(TICKET));
    let mut old = transform::customers_as_of(ctx, before, &customers).await?;
    let pairs = transform::customers_as_of(ctx, now, &customers).await?.into_iter().map(|(key, now)| {
        let pair = Pair { before: old.remove(&key), now, state: state(CUSTOMER, &key) };
        (key, pair)
    });
    let customers = pairs.collect();
    let mut old = transform::tickets_as_of(ctx, before, &tickets).await?;
    let pairs = transform::tickets_as_of(ctx, now, &tickets).await?.into_iter().map(|(key, now)| {
        let pair = Pair { before: old.remove(&key), now, state: state(TICKET, &key) };
        (key, pair)
    });
    Ok(Looked { customers, tickets: pairs.collect() })
}

async fn ticket_of_message(ctx: &Context, pass: Pass, message: &str) -> Result<Option<String>, DeltaError> {
    let texts = ["body_text", "body_html"];
    for row in wish::as_of_without::<snapshot::tables::WantMessage>(ctx, pass, &texts).await? {
        let row = row?;
        if row.external_id == message {
            return Ok(Some(row.ticket_external_id));
        }
    }
    Ok(None)
}

async fn write(
    ctx: &Context,
    begun: &BegunV1,
    is_changed: bool,
    open: &Open,
    done: &mut DoneV1,
) -> Result<(), DeltaError> {
    let (load_plan, _) = plan::read(ctx).await.map_err(|source| DeltaError::Plan(Box::new(source)))?;
    let account = ctx.destination.account().await?.domain;
    if load_plan.account != account {
        return Err(DeltaError::OtherAccount { planned: load_plan.account, connected: account });
    }
    let looked = looked(ctx, begun, is_changed, open).await?;
    work::carry_out(ctx, begun, load_plan, &looked, open, done).await
}

#[cfg(test)]
mod tests;
