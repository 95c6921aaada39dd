//! Custom fields: what LeadDesk's text slots mean, and which of them become fields of Gorgias.
//!
//! A slot means something else in every project, so the key is (slot, campaign or list) (facts: contact custom fields).
//! Deliberately absent: drop-downs at Gorgias; a text field takes every value.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::gorgias::FieldKind;
use crate::leaddesk::{CallingList, CampaignId, ContactId, Lead, ListId, NotAnId, Slot};
use crate::settings::choice;

mod card;
mod convert;
mod infer;
mod patterns;
mod plan;
mod statistics;
mod words;

pub use card::{ContactField, FixedField};
pub use convert::{ValueReject, convert};
pub use infer::{FIT_SHARE_MIN, Inference, chosen, infer, informed};
pub use patterns::Pattern;
pub use plan::{
    DISPOSITION_LABEL, EMAIL_OPT_OUT_LABEL, FieldAction, FieldConflict, FieldPlan, FieldPlanInput,
    FieldSource, LEAD_STATUS_LABEL, LeftReason, LeftSlot, PlannedField, RAW_PHONE_LABEL, disposition_key,
    email_opt_out_key, lead_status_key, raw_phone_key,
};
pub use statistics::{DISTINCT_MAX, SAMPLES_MAX, SlotStatistics};

/// The part of a label that names what is never migrated by default.
#[must_use]
pub fn is_sensitive_label(label: &str) -> Option<&'static str> {
    words::sensitive(label)
}

/// Where a slot has one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// In one campaign, which is the project.
    Campaign(CampaignId),
    /// In one list, when the list is not dialled by exactly one known campaign.
    List(ListId),
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Campaign(id) => write!(out, "campaign-{id}"),
            Self::List(id) => write!(out, "list-{id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if let Some(id) = text.strip_prefix("campaign-") {
            return Ok(Self::Campaign(id.parse()?));
        }
        Ok(Self::List(text.strip_prefix("list-").ok_or(NotAnId)?.parse()?))
    }
}

/// A slot where it has one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotKey {
    /// The slot.
    pub slot: Slot,
    /// Where.
    pub scope: Scope,
}

impl fmt::Display for SlotKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.slot, self.scope)
    }
}

impl FromStr for SlotKey {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (slot, scope) = text.split_once(':').ok_or(NotAnId)?;
        Ok(Self { slot: Slot::from_field_name(slot).ok_or(NotAnId)?, scope: scope.parse()? })
    }
}

choice! {
    /// How values of a slot are read.
    SlotKind {
        /// As they are.
        Text = "text",
        /// As numbers, with decimal point or comma.
        Number = "number",
        /// As yes or no.
        Boolean = "boolean",
        /// As dates, which become ISO text since Gorgias has no date type.
        Date = "date",
    }
}

impl SlotKind {
    /// Gorgias' data type for it.
    #[must_use]
    pub fn field_kind(self) -> FieldKind {
        match self {
            Self::Text | Self::Date => FieldKind::Text,
            Self::Number => FieldKind::Number,
            Self::Boolean => FieldKind::Boolean,
        }
    }
}

/// Scope of every list: its campaign when exactly one dials it, else the list itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeMap {
    campaigns: BTreeMap<ListId, CampaignId>,
}

impl ScopeMap {
    /// From the lists with the campaigns that dial them.
    #[must_use]
    pub fn new(lists: &[CallingList]) -> Self {
        let campaigns = lists
            .iter()
            .filter_map(|list| {
                let mut campaigns = list.campaigns.clone();
                campaigns.sort_unstable();
                campaigns.dedup();
                <[CampaignId; 1]>::try_from(campaigns).ok().map(|[only]| (list.id, only))
            })
            .collect();
        Self { campaigns }
    }

    /// From stored pairs of a list and the only campaign that dials it.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (ListId, CampaignId)>) -> Self {
        Self { campaigns: pairs.into_iter().collect() }
    }

    /// Lists that exactly one campaign dials, with that campaign, in order of list.
    pub fn pairs(&self) -> impl Iterator<Item = (ListId, CampaignId)> + '_ {
        self.campaigns.iter().map(|(list, campaign)| (*list, *campaign))
    }

    /// The scope in which a list's contacts fill their slots.
    #[must_use]
    pub fn scope(&self, list: ListId) -> Scope {
        self.campaigns.get(&list).map_or(Scope::List(list), |campaign| Scope::Campaign(*campaign))
    }
}

/// Which lists every contact is in: two numbers a membership.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memberships {
    pairs: Vec<(ContactId, ListId)>,
}

impl Memberships {
    /// From (contact, list) pairs in any order.
    pub fn new(pairs: impl IntoIterator<Item = (ContactId, ListId)>) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs.shrink_to_fit();
        Self { pairs }
    }

    /// From leads.
    pub fn of_leads<'a>(leads: impl IntoIterator<Item = &'a Lead>) -> Self {
        Self::new(leads.into_iter().map(|lead| (lead.id.contact, lead.id.list)))
    }

    /// Lists of a contact, ascending.
    pub fn lists_of(&self, contact: ContactId) -> impl Iterator<Item = ListId> + '_ {
        let start = self.pairs.partition_point(|(other, _)| *other < contact);
        self.pairs[start..].iter().take_while(move |(other, _)| *other == contact).map(|(_, list)| *list)
    }

    /// The scopes in which a contact fills its slots, ascending, each once.
    #[must_use]
    pub fn scopes_of(&self, contact: ContactId, scopes: &ScopeMap) -> Vec<Scope> {
        let mut out: Vec<Scope> = self.lists_of(contact).map(|list| scopes.scope(list)).collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}
