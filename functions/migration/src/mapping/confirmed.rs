//! A mapping that a person approved, and its plain values for storing.

use jiff::Timestamp;

use super::{MappingRow, Reviewer, rows};
use crate::canonical::{Canonical, Digest};
use crate::fields::{FieldPlan, ScopeMap};
use crate::settings::MappingSettings;
use crate::tags::TagPlan;
use crate::teams::TeamPlan;
use crate::ticket::CampaignIndex;
use crate::users::UserMatches;

/// Everything of a confirmed mapping as plain values, for documents that are stored elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingParts {
    /// Choices.
    pub settings: MappingSettings,
    /// Custom fields.
    pub fields: FieldPlan,
    /// Tags.
    pub tags: TagPlan,
    /// Teams.
    pub teams: TeamPlan,
    /// Who is who.
    pub users: UserMatches,
    /// Where slots have their meaning.
    pub scopes: ScopeMap,
    /// Names of campaigns.
    pub campaigns: CampaignIndex,
    /// What the reviewer saw, in order of id.
    pub rows: Vec<MappingRow>,
    /// Who confirmed.
    pub reviewer: Reviewer,
    /// When.
    pub confirmed_at: Timestamp,
    /// SHA-256 over all of it.
    pub digest: Digest,
}

/// A stored mapping is not the one that was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the mapping was changed after its confirmation: it carries digest {stated}, its content has {actual}"
)]
pub struct DigestMismatch {
    /// Digest that it carries.
    pub stated: Digest,
    /// Digest of its content.
    pub actual: Digest,
}

/// A mapping that a person approved. Nothing in it can change any more.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfirmedMapping {
    pub(super) parts: MappingParts,
}

impl ConfirmedMapping {
    /// Plain values for storing.
    #[must_use]
    pub fn parts(&self) -> &MappingParts {
        &self.parts
    }

    /// Takes stored values back.
    ///
    /// # Errors
    /// [`DigestMismatch`] when they are not what was confirmed.
    pub fn from_parts(parts: MappingParts) -> Result<Self, DigestMismatch> {
        let rows: Vec<&MappingRow> = parts.rows.iter().collect();
        let proposal =
            rows::digest(&rows, &parts.settings, &parts.fields, &parts.tags, &parts.teams, &parts.users);
        let actual =
            confirmed_digest(proposal, &parts.scopes, &parts.campaigns, &parts.reviewer, parts.confirmed_at);
        if actual == parts.digest {
            Ok(Self { parts })
        } else {
            Err(DigestMismatch { stated: parts.digest, actual })
        }
    }

    /// Choices.
    #[must_use]
    pub fn settings(&self) -> &MappingSettings {
        &self.parts.settings
    }

    /// Custom fields.
    #[must_use]
    pub fn fields(&self) -> &FieldPlan {
        &self.parts.fields
    }

    /// Tags.
    #[must_use]
    pub fn tags(&self) -> &TagPlan {
        &self.parts.tags
    }

    /// Teams.
    #[must_use]
    pub fn teams(&self) -> &TeamPlan {
        &self.parts.teams
    }

    /// Who is who.
    #[must_use]
    pub fn users(&self) -> &UserMatches {
        &self.parts.users
    }

    /// Where slots have their meaning.
    #[must_use]
    pub fn scopes(&self) -> &ScopeMap {
        &self.parts.scopes
    }

    /// Names of campaigns.
    #[must_use]
    pub fn campaigns(&self) -> &CampaignIndex {
        &self.parts.campaigns
    }

    /// What the reviewer saw.
    #[must_use]
    pub fn rows(&self) -> &[MappingRow] {
        &self.parts.rows
    }

    /// Who confirmed.
    #[must_use]
    pub fn reviewer(&self) -> &Reviewer {
        &self.parts.reviewer
    }

    /// When.
    #[must_use]
    pub fn confirmed_at(&self) -> Timestamp {
        self.parts.confirmed_at
    }

    /// SHA-256 over all of it; part of the id of every plan made with it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.parts.digest
    }
}

pub(super) fn confirmed_digest(
    proposal: Digest,
    scopes: &ScopeMap,
    campaigns: &CampaignIndex,
    by: &Reviewer,
    at: Timestamp,
) -> Digest {
    let mut canonical = Canonical::new("confirmed-mapping/1");
    canonical.put("proposal", proposal);
    for (list, campaign) in scopes.pairs() {
        canonical.put("list", list).put("campaign", campaign);
    }
    for (campaign, name) in campaigns.names() {
        canonical.put("campaign", campaign).put("name", name);
    }
    canonical.put("reviewer", by.as_str()).put("at", at);
    canonical.digest()
}
