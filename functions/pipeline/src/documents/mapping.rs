//! Proposed and confirmed mappings as stored.
//!
//! A confirmed mapping is read back through its digest: a document that somebody edited is refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::canonical::Digest;
use migration::fields::ScopeMap;
use migration::finding::Code;
use migration::mapping::{
    Alternative, ConfirmedMapping, Decision, MappingParts, MappingProposal, MappingRow, Objection, Rationale,
    Reviewer, RowEvidence, RowId, Sample,
};
use migration::ticket::CampaignIndex;
use serde::{Deserialize, Serialize};

use super::fields::FieldsV1;
use super::plans::{TagsV1, TeamsV1, UsersV1, object_kind};
use super::settings::SettingsV1;
use super::{DocumentError, Malformed};

/// One line of a proposal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowV1 {
    /// Kind of thing.
    pub object: String,
    /// Its id at the source.
    pub source_id: String,
    /// What people call it.
    pub name: String,
    /// What it becomes.
    pub target: String,
    /// Values or records concerned.
    pub count: Option<u64>,
    /// What becomes of it.
    pub decision: DecisionV1,
    /// What the decision rests on; absent in the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceV2>,
}

/// What a decision rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceV2 {
    /// 0 to 1.
    #[serde(with = "super::exact")]
    pub confidence: f64,
    /// Share of the records looked at that have a value.
    #[serde(with = "super::exact::option")]
    pub fill_share: Option<f64>,
    /// Distinct values.
    pub distinct: Option<u64>,
    /// Masked values: before and after.
    pub samples: Vec<(String, String)>,
    /// Other targets.
    pub alternatives: Vec<AlternativeV2>,
}

/// Another target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlternativeV2 {
    /// Into what.
    pub target: String,
    /// 0 to 1.
    #[serde(with = "super::exact")]
    pub confidence: f64,
    /// Why.
    pub reason: String,
}

impl AlternativeV2 {
    /// The stored form.
    #[must_use]
    pub fn of(other: &Alternative) -> Self {
        let Alternative { target, confidence, reason } = other.clone();
        Self { target, confidence, reason }
    }

    /// The alternative again.
    #[must_use]
    pub fn read(self) -> Alternative {
        let Self { target, confidence, reason } = self;
        Alternative { target, confidence, reason }
    }
}

impl EvidenceV2 {
    fn of(evidence: &RowEvidence) -> Self {
        let sample = |sample: &Sample| (sample.before.clone(), sample.after.clone());
        Self {
            confidence: evidence.confidence,
            fill_share: evidence.fill_share,
            distinct: evidence.distinct,
            samples: evidence.samples.iter().map(sample).collect(),
            alternatives: evidence.alternatives.iter().map(AlternativeV2::of).collect(),
        }
    }

    fn read(self) -> RowEvidence {
        let sample = |(before, after)| Sample { before, after };
        RowEvidence {
            confidence: self.confidence,
            fill_share: self.fill_share,
            distinct: self.distinct,
            samples: self.samples.into_iter().map(sample).collect(),
            alternatives: self.alternatives.into_iter().map(AlternativeV2::read).collect(),
        }
    }
}

/// What becomes of one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum DecisionV1 {
    /// It arrives.
    Carry {
        /// Why.
        reason: String,
        /// Share of values that fit.
        #[serde(with = "super::exact::option")]
        share: Option<f64>,
    },
    /// It does not.
    Leave {
        /// Stable code.
        code: String,
        /// Why.
        reason: String,
    },
    /// A person has to say.
    Conflict {
        /// What speaks for carrying.
        carry: String,
        /// Share of values that fit.
        #[serde(with = "super::exact::option")]
        share: Option<f64>,
        /// Stable code of what stands against it.
        code: String,
        /// What stands against it.
        leave: String,
    },
}

impl RowV1 {
    /// The stored form.
    #[must_use]
    pub fn of(row: &MappingRow) -> Self {
        let decision = match &row.decision {
            Decision::Carry(why) => DecisionV1::Carry { reason: why.reason.clone(), share: why.share },
            Decision::Leave(why) => {
                DecisionV1::Leave { code: why.code.as_str().to_owned(), reason: why.reason.clone() }
            }
            Decision::Conflict { carry, leave } => DecisionV1::Conflict {
                carry: carry.reason.clone(),
                share: carry.share,
                code: leave.code.as_str().to_owned(),
                leave: leave.reason.clone(),
            },
        };
        Self {
            object: row.id.object.as_str().to_owned(),
            source_id: row.id.source_id.clone(),
            name: row.name.clone(),
            target: row.target.clone(),
            count: row.count,
            decision,
            evidence: row.evidence.as_ref().map(EvidenceV2::of),
        }
    }

    fn read(self) -> Result<MappingRow, Malformed> {
        let code = |text: &str| Code::from_text(text).ok_or(Malformed { field: "code" });
        let decision = match self.decision {
            DecisionV1::Carry { reason, share } => Decision::Carry(Rationale { reason, share }),
            DecisionV1::Leave { code: text, reason } => {
                Decision::Leave(Objection { code: code(&text)?, reason })
            }
            DecisionV1::Conflict { carry, share, code: text, leave } => Decision::Conflict {
                carry: Rationale { reason: carry, share },
                leave: Objection { code: code(&text)?, reason: leave },
            },
        };
        let id = RowId { object: object_kind(&self.object)?, source_id: self.source_id };
        let evidence = self.evidence.map(EvidenceV2::read);
        Ok(MappingRow { id, name: self.name, target: self.target, count: self.count, decision, evidence })
    }
}

/// A proposal for people to read; it is made again, not read back, when somebody confirms it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredProposal {
    /// First version: the second without evidence and choices.
    #[serde(rename = "1")]
    V1(ProposalV1),
    /// Second version.
    #[serde(rename = "2")]
    V2(ProposalV1),
}

/// A stored proposal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposalV1 {
    /// SHA-256 over everything that the reviewer sees.
    pub digest: String,
    /// Choices that it was made under.
    pub settings: SettingsV1,
    /// In order of id.
    pub rows: Vec<RowV1>,
}

impl StoredProposal {
    /// The stored form.
    #[must_use]
    pub fn of(proposal: &MappingProposal) -> Self {
        Self::V2(ProposalV1 {
            digest: proposal.digest().to_hex(),
            settings: SettingsV1::of(proposal.settings()),
            rows: proposal.rows().map(RowV1::of).collect(),
        })
    }
}

/// A confirmed mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredMapping {
    /// First version: the second without evidence and choices.
    #[serde(rename = "1")]
    V1(Box<MappingV1>),
    /// Second version.
    #[serde(rename = "2")]
    V2(Box<MappingV1>),
}

/// A confirmed mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingV1 {
    digest: String,
    reviewer: String,
    confirmed_at: Timestamp,
    settings: SettingsV1,
    fields: FieldsV1,
    tags: TagsV1,
    teams: TeamsV1,
    users: UsersV1,
    scopes: BTreeMap<String, String>,
    campaigns: BTreeMap<String, String>,
    rows: Vec<RowV1>,
}

impl StoredMapping {
    /// The stored form.
    #[must_use]
    pub fn of(mapping: &ConfirmedMapping) -> Self {
        let parts = mapping.parts();
        let pairs = parts.scopes.pairs();
        let names = parts.campaigns.names();
        Self::V2(Box::new(MappingV1 {
            digest: parts.digest.to_hex(),
            reviewer: parts.reviewer.as_str().to_owned(),
            confirmed_at: parts.confirmed_at,
            settings: SettingsV1::of(&parts.settings),
            fields: FieldsV1::of(&parts.fields),
            tags: TagsV1::of(&parts.tags),
            teams: TeamsV1::of(&parts.teams),
            users: UsersV1::of(&parts.users),
            scopes: pairs.map(|(list, campaign)| (list.to_string(), campaign.to_string())).collect(),
            campaigns: names.map(|(id, name)| (id.to_string(), name.to_owned())).collect(),
            rows: parts.rows.iter().map(RowV1::of).collect(),
        }))
    }

    /// The mapping again.
    ///
    /// # Errors
    /// [`DocumentError::Malformed`], [`DocumentError::Changed`] when it is not what was confirmed.
    pub fn read(self) -> Result<ConfirmedMapping, DocumentError> {
        let (Self::V1(stored) | Self::V2(stored)) = self;
        Ok(ConfirmedMapping::from_parts(stored.parts()?)?)
    }
}

impl MappingV1 {
    fn parts(self) -> Result<MappingParts, Malformed> {
        let malformed = |field: &'static str| move |_| Malformed { field };
        let mut pairs = Vec::new();
        for (list, campaign) in self.scopes {
            pairs.push((
                list.parse().map_err(malformed("scopes"))?,
                campaign.parse().map_err(malformed("scopes"))?,
            ));
        }
        let mut names = Vec::new();
        for (id, name) in self.campaigns {
            names.push((id.parse().map_err(malformed("campaigns"))?, name));
        }
        Ok(MappingParts {
            settings: self.settings.read()?,
            fields: self.fields.read()?,
            tags: self.tags.read()?,
            teams: self.teams.read()?,
            users: self.users.read()?,
            scopes: ScopeMap::from_pairs(pairs),
            campaigns: CampaignIndex::from_names(names),
            rows: self.rows.into_iter().map(RowV1::read).collect::<Result<_, _>>()?,
            reviewer: Reviewer::new(&self.reviewer).map_err(|_| Malformed { field: "reviewer" })?,
            confirmed_at: self.confirmed_at,
            digest: Digest::from_hex(&self.digest).ok_or(Malformed { field: "digest" })?,
        })
    }
}

/// Which mapping a run uses, who confirmed it and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredPointer {
    /// First version.
    #[serde(rename = "1")]
    V1 {
        /// Digest of the confirmed mapping, which names its folder.
        digest: String,
        /// Who confirmed.
        reviewer: String,
        /// When.
        confirmed_at: Timestamp,
    },
}
