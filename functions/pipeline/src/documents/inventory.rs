//! What discovery found on both sides, as stored and as used.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::gorgias::{
    self, Field as GorgiasField, Tag as GorgiasTag, Team as GorgiasTeam, User as GorgiasUser,
};
use migration::leaddesk::{
    CallingList, Campaign, CampaignId, Group, Office, Outcome, OutcomeId, Slot, SlotSetting, User, UserId,
};
use serde::{Deserialize, Serialize};

use super::Malformed;
use super::fields::{field_kind, field_object};

/// What discovery found, in the words of both systems.
#[derive(Debug, Clone, PartialEq)]
pub struct Inventory {
    /// When discovery began.
    pub taken_at: Timestamp,
    /// LeadDesk's accounts.
    pub users: Vec<User>,
    /// Campaigns with their sponsors.
    pub campaigns: Vec<Campaign>,
    /// Lists with the campaigns that dial them.
    pub lists: Vec<CallingList>,
    /// Offices with their zones.
    pub offices: Vec<Office>,
    /// Groups of the operator's file and of calls.
    pub groups: Vec<Group>,
    /// Labels and types of the slots.
    pub slot_settings: Vec<SlotSetting>,
    /// Outcomes with the number of their calls.
    pub outcomes: Vec<(Outcome, u64)>,
    /// The account's own words for the status of leads, with the number of leads.
    pub lead_statuses: BTreeMap<String, u64>,
    /// Users of Gorgias.
    pub gorgias_users: Vec<gorgias::User>,
    /// Teams of Gorgias.
    pub gorgias_teams: Vec<gorgias::Team>,
    /// Tags of Gorgias.
    pub gorgias_tags: Vec<gorgias::Tag>,
    /// Custom fields of Gorgias, archived ones included.
    pub gorgias_fields: Vec<gorgias::Field>,
    /// Everything that is counted, listed or told, but not mapped.
    pub overview: Overview,
}

/// Counts, files and findings: what people read of an inventory.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overview {
    /// Subdomain of the Gorgias account: its fingerprint.
    pub gorgias_domain: String,
    /// Status of the account.
    pub gorgias_status: Option<String>,
    /// Plan of the account.
    pub gorgias_plan: Option<String>,
    /// The user that the migration runs as.
    pub service_user_id: u64,
    /// Records on the source side, by kind.
    pub source_counts: BTreeMap<String, u64>,
    /// Records in Gorgias, by kind.
    pub gorgias_counts: BTreeMap<String, u64>,
    /// Rows and contacts of every list, by list id.
    pub lists: BTreeMap<String, ListCounts>,
    /// Files of the operator, by name.
    pub files: BTreeMap<String, FileEntry>,
    /// What is migrated, documented or left out.
    pub scope: Vec<ScopeRow>,
    /// What a person should know, sorted.
    pub findings: Vec<FindingEntry>,
    /// Numbers of leads that belong to the European Economic Area, where the account's own country lies outside.
    #[serde(default, skip_serializing_if = "crate::run_folder::is_zero")]
    pub numbers_inside_eea: u64,
    /// Contacts that were looked at for the meaning of the slots.
    pub sampled_contacts: u64,
}

/// Counts of one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListCounts {
    /// Rows of the export, one a number.
    pub rows: u64,
    /// Different contacts.
    pub contacts: u64,
    /// Rows that cannot be used.
    pub broken_rows: u64,
}

/// One file of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// SHA-256 of the content.
    pub sha256: String,
    /// Rows, sound or not.
    pub rows: u64,
    /// Rows that cannot be used.
    pub broken_rows: u64,
    /// Code of the reason why the file is refused.
    pub refused: Option<String>,
    /// The reason.
    pub reason: Option<String>,
}

/// What becomes of one kind of record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeRow {
    /// What, such as `contact`.
    pub what: String,
    /// Records, where they could be counted.
    pub count: Option<u64>,
    /// `migrated`, `documented` or `left_out`.
    pub disposition: String,
    /// Into what, or why not.
    pub note: String,
}

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingEntry {
    /// Stable code.
    pub code: String,
    /// Records it touches.
    pub count: u64,
    /// Explanation with ids and counts only.
    pub text: String,
}

/// The stored form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredInventory {
    /// First version.
    #[serde(rename = "1")]
    V1(Box<InventoryV1>),
}

/// First version of an inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryV1 {
    taken_at: Timestamp,
    overview: Overview,
    users: Vec<UserV1>,
    campaigns: Vec<CampaignV1>,
    lists: Vec<ListV1>,
    offices: Vec<OfficeV1>,
    groups: Vec<GroupV1>,
    slot_settings: Vec<SlotSettingV1>,
    /// Absent in what older programs stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outcomes: Vec<OutcomeV1>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    lead_statuses: BTreeMap<String, u64>,
    gorgias_users: Vec<GorgiasUserV1>,
    gorgias_teams: Vec<GorgiasTeamV1>,
    gorgias_tags: Vec<GorgiasTagV1>,
    gorgias_fields: Vec<GorgiasFieldV1>,
}

/// Structs of flat fields with a conversion both ways; ids and words are texts and numbers.
macro_rules! stored {
    ($($stored:ident = $record:ident { $($field:ident : $kind:ty = $to:expr, $from:expr;)+ })+) => {$(
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $stored { $($field: $kind),+ }

        impl $stored {
            fn of(record: &$record) -> Self {
                Self { $($field: ($to)(&record.$field)),+ }
            }
            fn read(self) -> Result<$record, Malformed> {
                Ok($record { $($field: ($from)(self.$field).ok_or(Malformed { field: stringify!($field) })?),+ })
            }
        }
    )+};
}

fn same<T: Clone>(value: &T) -> T {
    value.clone()
}

fn id_text<T: ToString>(id: &T) -> String {
    id.to_string()
}

#[expect(clippy::needless_pass_by_value, reason = "one of the conversions that take the stored field")]
fn id<T: std::str::FromStr>(text: String) -> Option<T> {
    text.parse().ok()
}

fn ids_text<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

stored! {
    UserV1 = User {
        id: String = id_text::<UserId>, id;
        name: String = same, Some;
        username: String = same, Some;
        email: Option<String> = same, Some;
        role: String = same, Some;
        is_active: bool = same, Some;
        office: Option<String> = same, Some;
    }
    CampaignV1 = Campaign {
        id: String = id_text::<CampaignId>, id;
        name: String = same, Some;
        kind: Option<String> = same, Some;
        is_disabled: bool = same, Some;
        sponsor: Option<String> = same, Some;
    }
    ListV1 = CallingList {
        id: String = id_text::<migration::leaddesk::ListId>, id;
        name: String = same, Some;
        campaigns: Vec<String> = |ids: &Vec<CampaignId>| ids_text(ids),
            |texts: Vec<String>| texts.into_iter().map(id).collect::<Option<Vec<_>>>();
        office: Option<String> = same, Some;
    }
    OfficeV1 = Office {
        name: String = same, Some;
        time_zone: Option<String> = same, Some;
    }
    GroupV1 = Group {
        id: String = id_text::<migration::leaddesk::GroupId>, id;
        name: String = same, Some;
        usernames: Vec<String> = same, Some;
    }
    SlotSettingV1 = SlotSetting {
        campaign: String = id_text::<CampaignId>, id;
        slot: u8 = |slot: &Slot| slot.number(), Slot::new;
        label: String = same, Some;
        kind: String = same, Some;
        values: Vec<String> = same, Some;
    }
    OutcomeV1 = CountedOutcome {
        id: String = id_text::<OutcomeId>, id;
        name: String = same, Some;
        campaign: Option<String> = |id: &Option<CampaignId>| id.map(|id| id.to_string()),
            |text: Option<String>| text.map_or(Some(None), |text| text.parse().ok().map(Some));
        finalises: Option<bool> = same, Some;
        calls: u64 = same, Some;
    }
    GorgiasUserV1 = GorgiasUser {
        id: u64 = |id: &gorgias::UserId| id.0, |id| Some(gorgias::UserId(id));
        name: String = same, Some;
        email: Option<String> = same, Some;
        role: String = same, Some;
        is_active: bool = same, Some;
    }
    GorgiasTeamV1 = GorgiasTeam {
        id: u64 = |id: &gorgias::TeamId| id.0, |id| Some(gorgias::TeamId(id));
        name: String = same, Some;
        description: Option<String> = same, Some;
    }
    GorgiasTagV1 = GorgiasTag {
        id: u64 = |id: &gorgias::TagId| id.0, |id| Some(gorgias::TagId(id));
        name: String = same, Some;
    }
    GorgiasFieldV1 = GorgiasField {
        id: u64 = |id: &gorgias::FieldId| id.0, |id| Some(gorgias::FieldId(id));
        object: String = |object: &gorgias::FieldObject| object.as_str().to_owned(),
            |word: String| field_object(&word).ok();
        label: String = same, Some;
        external_id: Option<String> = same, Some;
        kind: String = |kind: &gorgias::FieldKind| kind.as_str().to_owned(), |word: String| field_kind(&word).ok();
        is_active: bool = same, Some;
        is_managed: bool = same, Some;
    }
}

/// An outcome beside the number of its calls.
struct CountedOutcome {
    id: OutcomeId,
    name: String,
    campaign: Option<CampaignId>,
    finalises: Option<bool>,
    calls: u64,
}

impl CountedOutcome {
    fn of((outcome, calls): &(Outcome, u64)) -> Self {
        let Outcome { id, name, campaign, finalises } = outcome.clone();
        Self { id, name, campaign, finalises, calls: *calls }
    }

    fn pair(self) -> (Outcome, u64) {
        let Self { id, name, campaign, finalises, calls } = self;
        (Outcome { id, name, campaign, finalises }, calls)
    }
}

impl StoredInventory {
    /// The stored form.
    #[must_use]
    pub fn of(inventory: &Inventory) -> Self {
        Self::V1(Box::new(InventoryV1 {
            taken_at: inventory.taken_at,
            overview: inventory.overview.clone(),
            users: inventory.users.iter().map(UserV1::of).collect(),
            campaigns: inventory.campaigns.iter().map(CampaignV1::of).collect(),
            lists: inventory.lists.iter().map(ListV1::of).collect(),
            offices: inventory.offices.iter().map(OfficeV1::of).collect(),
            groups: inventory.groups.iter().map(GroupV1::of).collect(),
            slot_settings: inventory.slot_settings.iter().map(SlotSettingV1::of).collect(),
            outcomes: inventory
                .outcomes
                .iter()
                .map(|counted| OutcomeV1::of(&CountedOutcome::of(counted)))
                .collect(),
            lead_statuses: inventory.lead_statuses.clone(),
            gorgias_users: inventory.gorgias_users.iter().map(GorgiasUserV1::of).collect(),
            gorgias_teams: inventory.gorgias_teams.iter().map(GorgiasTeamV1::of).collect(),
            gorgias_tags: inventory.gorgias_tags.iter().map(GorgiasTagV1::of).collect(),
            gorgias_fields: inventory.gorgias_fields.iter().map(GorgiasFieldV1::of).collect(),
        }))
    }

    /// The inventory again.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(self) -> Result<Inventory, Malformed> {
        fn all<S, T>(stored: Vec<S>, read: impl Fn(S) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
            stored.into_iter().map(read).collect()
        }
        let Self::V1(stored) = self;
        Ok(Inventory {
            taken_at: stored.taken_at,
            users: all(stored.users, UserV1::read)?,
            campaigns: all(stored.campaigns, CampaignV1::read)?,
            lists: all(stored.lists, ListV1::read)?,
            offices: all(stored.offices, OfficeV1::read)?,
            groups: all(stored.groups, GroupV1::read)?,
            slot_settings: all(stored.slot_settings, SlotSettingV1::read)?,
            outcomes: all(stored.outcomes, |stored| stored.read().map(CountedOutcome::pair))?,
            lead_statuses: stored.lead_statuses,
            gorgias_users: all(stored.gorgias_users, GorgiasUserV1::read)?,
            gorgias_teams: all(stored.gorgias_teams, GorgiasTeamV1::read)?,
            gorgias_tags: all(stored.gorgias_tags, GorgiasTagV1::read)?,
            gorgias_fields: all(stored.gorgias_fields, GorgiasFieldV1::read)?,
            overview: stored.overview,
        })
    }
}
