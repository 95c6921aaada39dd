//! A whole migration against a stand-in that holds what the real account holds: loaded, read back, taken back, loaded again.
//!
//! The real account is only read, through the same client as always: [`look`] seals its baseline in the rehearsal's own
//! store, [`feed`] gives every record to the stand-in as it came, with its id. From there on the steps are those of every
//! run, with another destination. Deliberately absent: the stand-in itself, which whoever calls this has to start, and any
//! way to write to the real account.

pub mod stored;

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use migration::gorgias::CustomerId;
use migration::keys::ExternalId;
use migration::text::folded;
use snapshot::tables::{
    FoundCustomer, FoundField, FoundIntegration, FoundRule, FoundSetting, FoundTag, FoundTeam, FoundTicket,
    FoundUser, WantCustomer, WantCustomerChannel,
};
use snapshot::{Pass, Row};

use crate::archive::{self, ArchiveError};
use crate::boxed::{boxed, of_snapshot};
use crate::conduct::{self, Next, Step};
use crate::context::Context;
use crate::ports::gorgias::ReadError;
use crate::ports::store::InvalidKey;
use crate::prepare::{PrepareError, baseline};
use crate::rollback::{self, CertificateV1, Planned, RollbackError};
use crate::sample::{self, SampleError};
use crate::step::StepReport;
use crate::stop::Stopped;
use crate::wave::Wave;
use crate::worker::{self, StepError};

pub use stored::{AgainV1, FedV1, RehearsalV1, StoredRehearsal, TakenBackV1};

/// Customers of the account that are read one by one, whoever they are; of more only those whom the migration adopts. Each
/// is a request.
pub const DETAILS_MAX: usize = 300;

/// Why a rehearsal cannot go on. Nothing was written to the real account.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// Reading the account.
    #[error("cannot read what the account holds")]
    Look(#[source] Box<PrepareError>),
    /// Reading a customer.
    #[error("cannot read a customer of the account")]
    Read(#[from] ReadError),
    /// Somebody asked to stop.
    #[error("the rehearsal was stopped")]
    Stopped(#[from] Stopped),
    /// A snapshot.
    #[error("cannot read or keep a snapshot of the rehearsal")]
    Archive(#[from] ArchiveError),
    /// What was decided.
    #[error("cannot take over what was decided")]
    Decided(#[from] SampleError),
    /// A name that is no key.
    #[error("cannot name an object of the rehearsal")]
    Key(#[from] InvalidKey),
    /// A step.
    #[error("a step of the rehearsal stopped")]
    Step(#[source] Box<StepError>),
    /// Taking it back.
    #[error("the rehearsal cannot be taken back")]
    Rollback(#[source] Box<RollbackError>),
    /// Records of the migration stand in the account.
    #[error("the account holds {count} tickets and customers of this migration already")]
    Ours {
        /// How many.
        count: u64,
    },
}

boxed!(RehearsalError { Look(PrepareError), Step(StepError), Rollback(RollbackError) });
of_snapshot!(RehearsalError);

impl RehearsalError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Look(error) => error.code().to_owned(),
            Self::Read(_) => "GOR102".to_owned(),
            Self::Stopped(_) => "REH101".to_owned(),
            Self::Archive(error) => error.code().to_owned(),
            Self::Decided(error) => error.code().to_owned(),
            Self::Key(_) => "STO101".to_owned(),
            Self::Step(error) => error.code(),
            Self::Rollback(error) => error.code().to_owned(),
            Self::Ours { .. } => "REH102".to_owned(),
        }
    }
}

/// A kind of record that a stand-in is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'a> {
    /// A user.
    User,
    /// A team.
    Team,
    /// A tag.
    Tag,
    /// A custom field.
    Field,
    /// A rule.
    Rule,
    /// An integration.
    Integration,
    /// Contents of a setting, with its id and type.
    Setting {
        /// Id.
        id: u64,
        /// Type.
        kind: &'a str,
    },
    /// A customer, as listed or as read alone.
    Customer,
    /// A ticket as listed.
    Ticket,
}

/// Copies what was decided in a run, and what the ledger knows of the account, to the run of a rehearsal.
///
/// # Errors
/// [`RehearsalError::Decided`].
pub async fn take_over(from: &Context, to: &Context) -> Result<(), RehearsalError> {
    sample::take_over(from, to).await?;
    sample::take_folder(from, &from.run_key("estimate")?, to, &to.run_key("estimate")?).await?;
    for folder in ["mappings", "ledger"] {
        sample::take_folder(from, &from.key(folder)?, to, &to.key(folder)?).await?;
    }
    Ok(())
}

/// Copies what LeadDesk answered in one run of a rehearsal to another, so that nothing is asked twice.
///
/// # Errors
/// [`RehearsalError::Decided`].
pub async fn take_answers(from: &Context, to: &Context) -> Result<(), RehearsalError> {
    for folder in ["pages", "extract"] {
        sample::take_folder(from, &from.run_key(folder)?, to, &to.run_key(folder)?).await?;
    }
    Ok(())
}

/// Seals what the real account holds. `ctx` has the real account as its destination, and a store of its own.
///
/// # Errors
/// [`RehearsalError::Look`].
pub async fn look(ctx: &Context) -> Result<(), RehearsalError> {
    Ok(baseline::seal(ctx).await?)
}

async fn tell<R: Row>(
    ctx: &Context,
    as_told: Told<'_>,
    json: impl Fn(&R) -> &str,
    take: &mut (dyn FnMut(Told<'_>, &str) + Send),
) -> Result<(), RehearsalError> {
    for row in archive::open::<R>(ctx, &ctx.run, Pass::Before).await? {
        take(as_told, json(&row?));
    }
    Ok(())
}

/// Gives every record that was seen to `take`, each after the ones that it refers to.
///
/// # Errors
/// [`RehearsalError::Ours`] when the migration has written records that still stand; [`RehearsalError::Archive`].
pub async fn feed(
    ctx: &Context,
    take: &mut (dyn FnMut(Told<'_>, &str) + Send),
) -> Result<(), RehearsalError> {
    let count = ours(ctx).await?;
    if count > 0 {
        return Err(RehearsalError::Ours { count });
    }
    tell(ctx, Told::User, |row: &FoundUser| &row.raw_json, take).await?;
    tell(ctx, Told::Team, |row: &FoundTeam| &row.raw_json, take).await?;
    tell(ctx, Told::Tag, |row: &FoundTag| &row.raw_json, take).await?;
    tell(ctx, Told::Field, |row: &FoundField| &row.raw_json, take).await?;
    tell(ctx, Told::Rule, |row: &FoundRule| &row.raw_json, take).await?;
    tell(ctx, Told::Integration, |row: &FoundIntegration| &row.raw_json, take).await?;
    for row in archive::open::<FoundSetting>(ctx, &ctx.run, Pass::Before).await? {
        let row = row?;
        let id = row.setting_id.parse().unwrap_or_default();
        take(Told::Setting { id, kind: &row.setting_type }, &row.setting_json);
    }
    tell(ctx, Told::Customer, |row: &FoundCustomer| &row.raw_json, take).await?;
    tell(ctx, Told::Ticket, |row: &FoundTicket| &row.raw_json, take).await
}

/// Records of ours that stand in the account.
async fn ours(ctx: &Context) -> Result<u64, RehearsalError> {
    let is_ours = |key: Option<String>| key.is_some_and(|key| key.starts_with(ExternalId::PREFIX));
    let mut count = 0;
    for row in archive::open::<FoundCustomer>(ctx, &ctx.run, Pass::Before).await? {
        count += u64::from(is_ours(row?.external_id));
    }
    for row in archive::open::<FoundTicket>(ctx, &ctx.run, Pass::Before).await? {
        count += u64::from(is_ours(row?.external_id));
    }
    Ok(count)
}

/// Reads in full, at the real account, the customers whom the migration will adopt, and all of them where they are few;
/// what lists do not show. `wanted` is the run of the rehearsal after its transformation. Gives back how many.
///
/// # Errors
/// [`RehearsalError::Read`], [`RehearsalError::Stopped`].
pub async fn details(
    ctx: &Context,
    wanted: &Context,
    take: &mut (dyn FnMut(Told<'_>, &str) + Send),
) -> Result<u64, RehearsalError> {
    let mut emails = BTreeSet::new();
    for row in archive::open::<WantCustomer>(wanted, &wanted.run, Pass::Full).await? {
        emails.extend(row?.email.as_deref().map(folded));
    }
    for row in archive::open::<WantCustomerChannel>(wanted, &wanted.run, Pass::Full).await? {
        let row = row?;
        if row.channel_type == "email" {
            emails.insert(folded(&row.address));
        }
    }
    let (mut all, mut adopted) = (Vec::new(), Vec::new());
    for row in archive::open::<FoundCustomer>(ctx, &ctx.run, Pass::Before).await? {
        let row = row?;
        let Ok(id) = row.gorgias_customer_id.parse().map(CustomerId) else { continue };
        if row.email.as_deref().is_some_and(|email| emails.contains(&folded(email))) {
            adopted.push(id);
        }
        if all.len() <= DETAILS_MAX {
            all.push(id);
        }
    }
    let chosen = if all.len() <= DETAILS_MAX { all } else { adopted };
    let asked = stream::iter(chosen.clone()).map(|id| async move {
        let answer = ctx.stop.answered(&*ctx.clock, ctx.destination.customer(id)).await?;
        answer.map_err(RehearsalError::from)
    });
    let mut answers = asked.buffered(ctx.limits.destination_in_flight.max(1));
    let mut read = 0;
    while let Some(raw) = answers.try_next().await? {
        take(Told::Customer, &raw.json);
        read += 1;
    }
    Ok(read)
}

/// What a run of a rehearsal came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// To its report.
    ToReport,
    /// A wave is not right.
    Wrong(Wave),
}

/// Does every step of a run up to its report; there is nothing to hand off.
///
/// # Errors
/// [`RehearsalError::Step`].
pub async fn run(
    ctx: &Context,
    tell: &mut (dyn FnMut(Step, &StepReport) + Send),
) -> Result<Came, RehearsalError> {
    loop {
        let step = match conduct::next(&worker::look(ctx).await?) {
            Next::Run(Step::Handoff) | Next::Nothing | Next::Confirmation => return Ok(Came::ToReport),
            Next::Decision(wave) => {
                tell(Step::Report, &worker::run_step(ctx, Step::Report).await?);
                return Ok(Came::Wrong(wave));
            }
            Next::Run(step) => step,
        };
        tell(step, &worker::run_step(ctx, step).await?);
    }
}

/// Takes a run of a rehearsal back, for good; nothing where it wrote nothing.
///
/// # Errors
/// [`RehearsalError::Rollback`].
pub async fn take_back(ctx: &Context) -> Result<Option<CertificateV1>, RehearsalError> {
    let plan = match rollback::plan(ctx).await? {
        Planned::New(plan) => plan,
        Planned::Open(open) => open.plan,
        Planned::Nothing => return Ok(None),
    };
    rollback::apply(ctx).await?;
    Ok(Some(rollback::purge(ctx, plan.count("remove")).await?))
}
