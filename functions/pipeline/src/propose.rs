//! Inventory -> mapping proposal -> confirmed mapping.
//!
//! A proposal is made from the stored inventory and samples alone, so it can be made again with the same digest; a person
//! confirms what they saw by that digest. Deliberately absent: deciding a conflict for a person.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::canonical::Digest;
use migration::fields::ScopeMap;
use migration::finding;
use migration::mapping::{
    ChoiceError, ConfirmedMapping, Conflict, MappingChoices, MappingProposal, NoReviewer, ProposalInput,
    Reviewer, RowId, SettleError, document,
};
use migration::settings::MappingSettings;

use crate::approval::{self, ApprovalError};
use crate::context::Context;
use crate::discover::samples;
use crate::documents::answers;
use crate::documents::inventory::Inventory;
use crate::documents::mapping::{StoredMapping, StoredProposal};
use crate::documents::{self, DocumentError};
use crate::extract::error::ExtractError;
use crate::losses::{self, LossError};
use crate::residency::{self, ResidencyError};
use crate::step::{StepFinding, StepReport};

mod outside;
#[cfg(test)]
mod tests;

/// Why there is no proposal.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// A document is missing or cannot be kept.
    #[error("cannot make the proposal from what was discovered")]
    Document(#[from] DocumentError),
    /// A choice that its row does not take.
    #[error("cannot follow what was chosen")]
    Choice(#[from] ChoiceError),
    /// The samples cannot be read.
    #[error("cannot read the samples of contacts")]
    Samples(#[from] ExtractError),
}

impl ProposeError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(error) => error.code(),
            Self::Samples(error) => error.code(),
            Self::Choice(_) => "MAP107",
        }
    }
}

/// Makes the proposal and stores it for people to read.
///
/// # Errors
/// See [`ProposeError`].
pub async fn run(ctx: &Context) -> Result<StepReport, ProposeError> {
    let inventory = documents::inventory(ctx).await?;
    let outside = outside::ask(ctx, &inventory, &read_samples(ctx, &inventory).await?).await?;
    let proposal = proposal(ctx).await?;
    keep(ctx, &proposal).await?;
    let mut report = StepReport::of("propose");
    let conflicts = proposal.conflicts();
    let mut by_decision: BTreeMap<String, u64> = BTreeMap::new();
    for row in proposal.rows() {
        *by_decision.entry(row.decision.as_str().to_owned()).or_default() += 1;
    }
    report.records = by_decision;
    for conflict in conflicts {
        report.findings.push(StepFinding {
            code: conflict.leave.code.as_str().to_owned(),
            count: 1,
            text: format!("{}: {}", conflict.id, conflict.leave.reason),
        });
    }
    report.findings.extend(outside);
    report.findings.sort();
    Ok(report)
}

/// Stores a proposal for people to read, and marks that the run has one.
///
/// # Errors
/// [`DocumentError`].
pub async fn keep(ctx: &Context, proposal: &MappingProposal) -> Result<(), DocumentError> {
    let stored = StoredProposal::of(proposal);
    documents::put(ctx, ctx.key(&format!("mappings/{}/proposal.json", proposal.digest()))?, &stored).await?;
    // A changed setting or answer proposes again, and all proposals stay.
    documents::put(ctx, ctx.run_key(&format!("proposals/{}.json", proposal.digest()))?, &stored).await
}

async fn read_samples(ctx: &Context, inventory: &Inventory) -> Result<samples::Samples, ExtractError> {
    let scopes = ScopeMap::new(&inventory.lists);
    samples::statistics(ctx, inventory.lists.iter().map(|list| list.id), &scopes).await
}

/// The proposal for this run, under everything that people said about it; the same inventory, samples, settings and answers
/// give the same proposal.
///
/// # Errors
/// See [`ProposeError`].
pub async fn proposal(ctx: &Context) -> Result<MappingProposal, ProposeError> {
    under(ctx, &document::choices(&answers::newest(ctx).await?)).await
}

/// The proposal as it is before anybody says anything: what a review is about.
///
/// # Errors
/// See [`ProposeError`].
pub async fn without_answers(ctx: &Context) -> Result<MappingProposal, ProposeError> {
    under(ctx, &MappingChoices::default()).await
}

/// The settings of the run with what people chose in the review on top.
///
/// # Errors
/// See [`ProposeError`].
pub async fn settings(ctx: &Context) -> Result<MappingSettings, ProposeError> {
    Ok(ctx.mapping.with_choices(&document::choices(&answers::newest(ctx).await?))?)
}

/// The proposal under these choices.
///
/// # Errors
/// See [`ProposeError`].
pub async fn under(ctx: &Context, choices: &MappingChoices) -> Result<MappingProposal, ProposeError> {
    let inventory = documents::inventory(ctx).await?;
    let samples = read_samples(ctx, &inventory).await?;
    let outside = outside::kept(ctx).await?;
    let input = ProposalInput {
        users: &inventory.users,
        campaigns: &inventory.campaigns,
        lists: &inventory.lists,
        offices: &inventory.offices,
        groups: &inventory.groups,
        statistics: &samples.slots,
        card_statistics: &samples.card,
        looked_at: &samples.looked_at,
        outcomes: &inventory.outcomes,
        lead_statuses: &inventory.lead_statuses,
        slot_settings: &inventory.slot_settings,
        outside: &outside,
        gorgias_users: &inventory.gorgias_users,
        gorgias_teams: &inventory.gorgias_teams,
        gorgias_tags: &inventory.gorgias_tags,
        gorgias_fields: &inventory.gorgias_fields,
    };
    Ok(MappingProposal::propose(ctx.mapping.with_choices(choices)?, &input))
}

/// A conflict that the reviewer settles by leaving the thing out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveOut {
    /// The row.
    pub id: RowId,
    /// The reviewer's reason.
    pub reason: String,
}

/// What a reviewer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Who.
    pub reviewer: String,
    /// When.
    pub at: Timestamp,
    /// Digest of the proposal that they saw; `None` when they look at the one of now.
    pub proposal_digest: Option<String>,
    /// Conflicts that they settle.
    pub leave_out: Vec<LeaveOut>,
}

/// Why a mapping is not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// There is no proposal.
    #[error("cannot make the proposal that is to be confirmed")]
    Propose(#[from] ProposeError),
    /// The document cannot be kept.
    #[error("cannot keep the confirmed mapping")]
    Document(#[from] DocumentError),
    /// Nobody confirms.
    #[error("cannot confirm without a reviewer")]
    Reviewer(#[from] NoReviewer),
    /// The proposal is another than the reviewer saw.
    #[error("the proposal has changed since it was reviewed: it was {seen}, it is {actual}; review it again")]
    OtherProposal {
        /// Digest that the reviewer saw.
        seen: String,
        /// Digest of now.
        actual: String,
    },
    /// A row cannot be left out.
    #[error("cannot leave out a row of the proposal")]
    Settle(#[from] SettleError),
    /// Rows are open.
    #[error("{} rows of the proposal are open; the first is {}", .conflicts.len(), first(.conflicts))]
    Open {
        /// Rows that a person has to settle.
        conflicts: Vec<Conflict>,
    },
    /// Risks that must be accepted by name.
    #[error("these risks must be accepted by name: {}", .codes.join(", "))]
    NotAccepted {
        /// Codes of findings.
        codes: Vec<String>,
    },
    /// Data would leave the area of the law that protects it.
    #[error("cannot confirm a mapping whose data may not move")]
    Residency(#[from] ResidencyError),
    /// The losses cannot be approved with it.
    #[error("cannot approve what is lost")]
    Losses(#[from] LossError),
    /// Another mapping was confirmed for this run.
    #[error("this run already has a confirmed mapping; start a new run for another one")]
    AlreadyConfirmed,
    /// Whether another approval may follow cannot be told.
    #[error("cannot look at the approval before")]
    Approval(#[from] ApprovalError),
}

fn first(conflicts: &[Conflict]) -> String {
    conflicts
        .first()
        .map(|conflict| format!("{}: {}", conflict.id, conflict.leave.reason))
        .unwrap_or_default()
}

impl ConfirmError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Propose(error) => error.code(),
            Self::Document(error) => error.code(),
            Self::Reviewer(_) => "MAP101",
            Self::OtherProposal { .. } => "MAP102",
            Self::Settle(_) => "MAP103",
            Self::Open { .. } => "MAP104",
            Self::NotAccepted { .. } => "MAP105",
            Self::Residency(error) => error.code(),
            Self::Losses(error) => error.code(),
            Self::AlreadyConfirmed => "MAP106",
            Self::Approval(error) => error.code(),
        }
    }
}

/// Findings of discovery under which no mapping is confirmed unless a person accepts them by name. What prepare can pause
/// or switch off is settled there.
const ACCEPTED_BY_NAME: [finding::Code; 1] = [finding::DIS301_CHAT_WINDOW_SHORT];

/// Confirms the proposal of this run. A run that has a mapping gives it back when it was the same confirmation.
///
/// # Errors
/// See [`ConfirmError`]; nothing is stored then.
pub async fn confirm(ctx: &Context, confirmation: &Confirmation) -> Result<ConfirmedMapping, ConfirmError> {
    let reviewer = Reviewer::new(&confirmation.reviewer)?;
    let before = match documents::confirmed_mapping(ctx).await {
        Ok(mapping) if mapping.reviewer() == &reviewer && mapping.confirmed_at() == confirmation.at => {
            return Ok(mapping);
        }
        Ok(mapping) => Some(mapping),
        Err(DocumentError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let inventory = documents::inventory(ctx).await?;
    check_accepted(ctx, &inventory)?;
    residency::check(ctx, Some(&inventory)).await?;
    let mut proposal = proposal(ctx).await?;
    let seen_digest = proposal.digest();
    let actual = seen_digest.to_hex();
    if before.is_some() && !may_confirm_anew(ctx, &actual).await? {
        return Err(ConfirmError::AlreadyConfirmed);
    }
    if let Some(seen) = confirmation.proposal_digest.as_ref().filter(|seen| **seen != actual) {
        return Err(ConfirmError::OtherProposal { seen: seen.clone(), actual });
    }
    for leave_out in &confirmation.leave_out {
        proposal = proposal.leave(&leave_out.id, &leave_out.reason)?;
    }
    let mapping =
        proposal.confirm(reviewer, confirmation.at).map_err(|conflicts| ConfirmError::Open { conflicts })?;
    losses::seal(ctx, mapping.reviewer(), mapping.confirmed_at()).await?;
    store(ctx, &mapping, seen_digest, &inventory).await?;
    Ok(mapping)
}

/// Whether a mapping that was confirmed may give way to another one: what a person would see now is something else, and
/// nothing was prepared for the one that was confirmed.
///
/// # Errors
/// [`ApprovalError`] when the store cannot say.
pub async fn may_confirm_anew(ctx: &Context, proposal_digest: &str) -> Result<bool, ApprovalError> {
    let is_same = match documents::approval::newest(ctx).await? {
        Some(approval) => approval.proposal == proposal_digest,
        // Of an older program, which kept no digest of the proposal; it cannot be loaded without a new approval.
        None => false,
    };
    Ok(!is_same && !approval::is_prepared(ctx).await?)
}

fn check_accepted(ctx: &Context, inventory: &Inventory) -> Result<(), ConfirmError> {
    let accepted = &ctx.limits.accepted_findings;
    let found = |code: &&str| inventory.overview.findings.iter().any(|finding| finding.code == **code);
    let codes = ACCEPTED_BY_NAME.iter().map(|code| code.as_str());
    let open: Vec<String> = codes
        .filter(found)
        .filter(|code| !accepted.iter().any(|accepted| accepted == code))
        .map(str::to_owned)
        .collect();
    if open.is_empty() { Ok(()) } else { Err(ConfirmError::NotAccepted { codes: open }) }
}

/// Keeps the mapping itself; what it may be used for is said elsewhere.
pub(crate) async fn keep_mapping(ctx: &Context, mapping: &ConfirmedMapping) -> Result<(), DocumentError> {
    let key = ctx.key(&format!("mappings/{}/confirmed.json", mapping.digest()))?;
    documents::put(ctx, key, &StoredMapping::of(mapping)).await
}

/// The approval comes last: from then on the mapping is confirmed.
async fn store(
    ctx: &Context,
    mapping: &ConfirmedMapping,
    proposal: Digest,
    inventory: &Inventory,
) -> Result<(), ConfirmError> {
    keep_mapping(ctx, mapping).await?;
    Ok(approval::seal(ctx, mapping, proposal, inventory).await?)
}
