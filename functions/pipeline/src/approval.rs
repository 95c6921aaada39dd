//! Whether the approval of a mapping still holds, looked at before anything is written to Gorgias.
//!
//! The person approved what both accounts and the configuration showed; the seal of the approval is held against what they
//! show now. Reads only. Deliberately absent: what counts as a change (see `migration::approval`), and deciding anything for
//! a person.

use std::collections::BTreeMap;

use migration::approval::{
    Account, ApprovalSeal, Facts, Made, Stale, account_facts, mapping_facts, snapshot_facts, source_facts,
};
use migration::canonical::Digest;
use migration::gorgias::{FieldId, TagId, TeamId, UserId};
use migration::ledger::{DestinationObject, Settled, WriteState};
use migration::mapping::ConfirmedMapping;
use migration::settings::MappingSettings;
use snapshot::Pass;

use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::discover::destination;
use crate::discover::error::DiscoverError;
use crate::documents::approval::{self as stored, ApprovalV1, SealV1, StoredApproval, StoredSourceSnapshot};
use crate::documents::inventory::Inventory;
use crate::documents::{self, DocumentError, Malformed};
use crate::extract;
use crate::ledger::{Ledger, LedgerError};
use crate::ports::store::StoreError;
use crate::prepare::{self, PrepareError};
use crate::propose::{self, ProposeError};

#[cfg(test)]
mod tests;

/// Reasons that are told one by one; more are counted.
const REASONS_MAX: usize = 20;
/// What the source snapshot was when it was sealed.
const SNAPSHOT_FILE: &str = "source-snapshot.json";

/// Why nothing may be written.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// A document of the run.
    #[error("cannot read the approval")]
    Document(#[from] DocumentError),
    /// The approval was made by a program that sealed nothing.
    #[error("the approval says nothing about the accounts that it was given for")]
    Unsealed,
    /// Something has changed since.
    #[error("the approval does not hold any more: {}", told(.reasons))]
    Stale {
        /// What has changed, at least one.
        reasons: Vec<Stale>,
        /// Prepare has ended: its run cannot be approved anew.
        is_prepared: bool,
    },
    /// Gorgias cannot be looked at.
    #[error("cannot look at the account that the approval was given for")]
    Account(#[from] DiscoverError),
    /// The ledger says what of the account is ours.
    #[error("cannot read what was written to the account")]
    Ledger(#[from] LedgerError),
    /// The source snapshot.
    #[error("cannot look at the source snapshot that the approval was given for")]
    Archive(#[from] ArchiveError),
    /// What was chosen in the review.
    #[error("cannot read what was chosen")]
    Choices(#[source] Box<ProposeError>),
    /// What prepare left behind.
    #[error("cannot read how far the run is")]
    Prepared(#[source] Box<PrepareError>),
}

fn told(reasons: &[Stale]) -> String {
    let mut told: Vec<String> = reasons.iter().take(REASONS_MAX).map(ToString::to_string).collect();
    if reasons.len() > REASONS_MAX {
        told.push(format!("and {} more", reasons.len() - REASONS_MAX));
    }
    told.join("; ")
}

impl ApprovalError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "APR101",
            Self::Unsealed => "APR102",
            Self::Document(error) => error.code(),
            Self::Account(error) => error.code(),
            Self::Ledger(_) => "LED101",
            Self::Archive(error) => error.code(),
            Self::Choices(error) => error.code(),
            Self::Prepared(_) => "STO101",
        }
    }
}

/// The mapping of this run, if its approval holds for the accounts and choices of now. To be asked before every step that
/// writes what the mapping says.
///
/// # Errors
/// [`ApprovalError`]; nothing was written.
pub async fn holding(ctx: &Context) -> Result<ConfirmedMapping, ApprovalError> {
    let mapping = documents::confirmed_mapping(ctx).await?;
    let approval = stored::newest(ctx).await?.ok_or(ApprovalError::Unsealed)?;
    let sealed = approval.seal.read().map_err(DocumentError::from)?;
    let (snapshot, snapshot_now) = snapshots(ctx).await?;
    let now = ApprovalSeal {
        mapping: mapping_facts(&choices(ctx).await?, mapping.digest()),
        source: source_facts(discovered(ctx).await?).and(snapshot_now),
        account: live_account(ctx, &mapping).await?,
    };
    let sealed = ApprovalSeal { source: sealed.source.and(snapshot), ..sealed };
    let reasons = sealed.stale(&now);
    if reasons.is_empty() {
        return Ok(mapping);
    }
    Err(ApprovalError::Stale { reasons, is_prepared: is_prepared(ctx).await? })
}

/// Whether the run can be approved anew: not any more when Gorgias was prepared for a mapping.
pub(crate) async fn is_prepared(ctx: &Context) -> Result<bool, ApprovalError> {
    let directory = prepare::read_directory(ctx).await;
    Ok(directory.map_err(|source| ApprovalError::Prepared(Box::new(source)))?.is_some())
}

/// Everything that a person chose, in the configuration and in the review.
async fn choices(ctx: &Context) -> Result<MappingSettings, ApprovalError> {
    propose::settings(ctx).await.map_err(|source| ApprovalError::Choices(Box::new(source)))
}

/// Stores an approval with the seal of what the inventory and the choices show.
pub(crate) async fn seal(
    ctx: &Context,
    mapping: &ConfirmedMapping,
    proposal: Digest,
    inventory: &Inventory,
) -> Result<(), ApprovalError> {
    let made = made(ctx, &inventory.overview.gorgias_domain).await?;
    let account = Account {
        domain: &inventory.overview.gorgias_domain,
        service_user: UserId(inventory.overview.service_user_id),
        users: &inventory.gorgias_users,
        teams: &inventory.gorgias_teams,
        tags: &inventory.gorgias_tags,
        fields: &inventory.gorgias_fields,
        made: &made,
    };
    let seal = ApprovalSeal {
        mapping: mapping_facts(&choices(ctx).await?, mapping.digest()),
        source: source_facts(discovered(ctx).await?),
        account: account_facts(mapping, &account),
    };
    let approval = StoredApproval::V1(ApprovalV1 {
        mapping: mapping.digest().to_hex(),
        proposal: proposal.to_hex(),
        reviewer: mapping.reviewer().as_str().to_owned(),
        approved_at: mapping.confirmed_at(),
        seal: SealV1::of(&seal),
    });
    let mut number = stored::keys(ctx).await?.len() + 1;
    loop {
        let key =
            ctx.run_key(&format!("{}/{number:04}.json", stored::FOLDER)).map_err(DocumentError::from)?;
        match documents::put(ctx, key, &approval).await {
            Err(DocumentError::AlreadyThere { .. }) => number += 1,
            outcome => return Ok(outcome?),
        }
    }
}

/// Keeps what the source snapshot was when it was sealed; the first look stays.
///
/// # Errors
/// [`ApprovalError`].
pub async fn keep_snapshot(ctx: &Context) -> Result<(), ApprovalError> {
    let manifests = manifests(ctx).await?;
    if manifests.len() < extract::tables(ctx).len() {
        return Ok(());
    }
    let manifests = manifests.into_iter().map(|(table, digest)| (table, digest.to_hex())).collect();
    let key = ctx.run_key(SNAPSHOT_FILE).map_err(DocumentError::from)?;
    match documents::put(ctx, key, &StoredSourceSnapshot::V1 { manifests }).await {
        // Another snapshot is no new truth: the next check finds it.
        Err(DocumentError::AlreadyThere { .. }) => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// The manifests of the source snapshot that was sealed, and those of now. Before extraction has ended there are none:
/// what is there in part is checked by extraction itself.
async fn snapshots(ctx: &Context) -> Result<(Facts, Facts), ApprovalError> {
    let key = ctx.run_key(SNAPSHOT_FILE).map_err(DocumentError::from)?;
    let stored: Option<StoredSourceSnapshot> = documents::get(ctx, key).await?;
    let Some(StoredSourceSnapshot::V1 { manifests: sealed }) = stored else {
        return Ok((Facts::default(), Facts::default()));
    };
    let read = |(table, hex): (String, String)| {
        Digest::from_hex(&hex).map(|digest| (table, digest)).ok_or(Malformed { field: "manifests" })
    };
    let sealed: Result<BTreeMap<_, _>, Malformed> = sealed.into_iter().map(read).collect();
    let sealed = sealed.map_err(DocumentError::from)?;
    Ok((snapshot_facts(&sealed), snapshot_facts(&manifests(ctx).await?)))
}

/// Digests of the manifests of the source snapshot, by table.
pub(crate) async fn manifests(ctx: &Context) -> Result<BTreeMap<String, Digest>, ArchiveError> {
    let mut manifests = BTreeMap::new();
    for table in extract::tables(ctx) {
        if let Some(manifest) = archive::manifest(ctx, &ctx.run, Pass::Full, table).await? {
            manifests.insert(table.name.to_owned(), Digest::of(&manifest.encode()));
        }
    }
    Ok(manifests)
}

/// Digest of what was discovered.
async fn discovered(ctx: &Context) -> Result<Digest, DocumentError> {
    match ctx.store.get(&ctx.run_key("inventory.json")?).await {
        Ok(bytes) => Ok(Digest::of(&bytes)),
        Err(StoreError::NotFound { .. }) => {
            Err(DocumentError::Missing { what: "inventory", step: "discover" })
        }
        Err(error) => Err(error.into()),
    }
}

/// What the account shows now of what the mapping refers to.
async fn live_account(ctx: &Context, mapping: &ConfirmedMapping) -> Result<Facts, ApprovalError> {
    let listed = destination::list(ctx).await?;
    let made = made(ctx, &listed.domain).await?;
    let account = Account {
        domain: &listed.domain,
        service_user: UserId(listed.service_user),
        users: &listed.users,
        teams: &listed.teams,
        tags: &listed.tags,
        fields: &listed.fields,
        made: &made,
    };
    Ok(account_facts(mapping, &account))
}

/// What of the account we made ourselves, in whichever run.
async fn made(ctx: &Context, domain: &str) -> Result<Made, LedgerError> {
    let mut made = Made::default();
    if Ledger::began(ctx, domain).await?.is_none() {
        return Ok(made);
    }
    let (book, _) = Ledger::read_of(ctx, domain).await?;
    for (key, written) in book.iter().filter(|(_, written)| written.is_ours) {
        // A field that a rollback archived is there still, and ours.
        let id = match written.state {
            WriteState::Settled(Settled::Undone(id)) if key.object == DestinationObject::Field => Some(id),
            _ => written.destination(),
        };
        let Some(id) = id.map(|id| id.0) else { continue };
        match key.object {
            DestinationObject::Field => drop(made.fields.insert(FieldId(id))),
            DestinationObject::Tag => drop(made.tags.insert(TagId(id))),
            DestinationObject::Team => drop(made.teams.insert(TeamId(id))),
            _ => {}
        }
    }
    Ok(made)
}
