//! A person's choices as stored: one entry a row, in order of row.

use std::collections::BTreeSet;

use migration::fields::SlotKind;
use migration::gorgias::{FieldId, TeamId, UserId};
use migration::mapping::{CarryInto, MappingChoices, RowChoice, RowId};
use migration::users::GorgiasRole;
use serde::{Deserialize, Serialize};

use super::Malformed;
use super::plans::object_kind;
use super::settings::ticket_status;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChoiceV2 {
    object: String,
    source_id: String,
    choice: FormV2,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum FormV2 {
    Leave { reason: String },
    Carry { purpose: String, kind: Option<String>, into: Option<IntoV2> },
    Rename { name: String },
    Team(u64),
    User(u64),
    Placeholder { reason: String },
    Status(String),
    Role(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum IntoV2 {
    NewField(String),
    Field(u64),
    OptOut(BTreeSet<String>),
    LeadCard,
}

impl IntoV2 {
    fn of(into: &CarryInto) -> Self {
        match into {
            CarryInto::NewField(label) => Self::NewField(label.clone()),
            CarryInto::Field(id) => Self::Field(id.0),
            CarryInto::OptOut(words) => Self::OptOut(words.clone()),
            CarryInto::LeadCard => Self::LeadCard,
        }
    }

    fn read(self) -> CarryInto {
        match self {
            Self::NewField(label) => CarryInto::NewField(label),
            Self::Field(id) => CarryInto::Field(FieldId(id)),
            Self::OptOut(words) => CarryInto::OptOut(words),
            Self::LeadCard => CarryInto::LeadCard,
        }
    }
}

impl FormV2 {
    fn of(choice: &RowChoice) -> Self {
        match choice {
            RowChoice::Leave { reason } => Self::Leave { reason: reason.clone() },
            RowChoice::Carry { purpose, kind, into } => Self::Carry {
                purpose: purpose.clone(),
                kind: kind.map(|kind| kind.as_str().to_owned()),
                into: into.as_ref().map(IntoV2::of),
            },
            RowChoice::Rename { name } => Self::Rename { name: name.clone() },
            RowChoice::Team(id) => Self::Team(id.0),
            RowChoice::User(id) => Self::User(id.0),
            RowChoice::Placeholder { reason } => Self::Placeholder { reason: reason.clone() },
            RowChoice::Status(status) => Self::Status(status.as_str().to_owned()),
            RowChoice::Role(role) => Self::Role(role.as_str().to_owned()),
        }
    }

    fn read(self) -> Result<RowChoice, Malformed> {
        let malformed = Malformed { field: "choices" };
        Ok(match self {
            Self::Leave { reason } => RowChoice::Leave { reason },
            Self::Carry { purpose, kind, into } => RowChoice::Carry {
                purpose,
                kind: kind.map(|word| SlotKind::from_word(&word).ok_or(malformed)).transpose()?,
                into: into.map(IntoV2::read),
            },
            Self::Rename { name } => RowChoice::Rename { name },
            Self::Team(id) => RowChoice::Team(TeamId(id)),
            Self::User(id) => RowChoice::User(UserId(id)),
            Self::Placeholder { reason } => RowChoice::Placeholder { reason },
            Self::Status(word) => RowChoice::Status(ticket_status(&word).ok_or(malformed)?),
            Self::Role(word) => RowChoice::Role(GorgiasRole::from_word(&word).ok_or(malformed)?),
        })
    }
}

/// The stored form.
pub(super) fn stored(choices: &MappingChoices) -> Vec<ChoiceV2> {
    let entry = |(id, choice): (&RowId, &RowChoice)| ChoiceV2 {
        object: id.object.as_str().to_owned(),
        source_id: id.source_id.clone(),
        choice: FormV2::of(choice),
    };
    choices.0.iter().map(entry).collect()
}

/// The choices again; of two for one row the later stays.
pub(super) fn read(stored: Vec<ChoiceV2>) -> Result<MappingChoices, Malformed> {
    let entry = |entry: ChoiceV2| {
        let id = RowId { object: object_kind(&entry.object)?, source_id: entry.source_id };
        Ok((id, entry.choice.read()?))
    };
    Ok(MappingChoices(stored.into_iter().map(entry).collect::<Result<_, Malformed>>()?))
}
