//! Where the names in our tables lead at Gorgias: fields, teams, tags, users.

use std::collections::{BTreeMap, BTreeSet};

use migration::gorgias::{FieldId, FieldObject, TagId, TeamId, UserId};
use migration::keys::{FieldKey, TeamKey};
use serde::{Deserialize, Serialize};

/// Ids of everything that records refer to by name. Written once, by prepare.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// Subdomain of the account.
    pub account: String,
    /// The user that the migration runs as.
    pub service_user: u64,
    /// Users that are there and active.
    pub active_users: BTreeSet<UserId>,
    /// Fields by object and key.
    pub fields: BTreeMap<(FieldObject, FieldKey), FieldId>,
    /// Fields that Gorgias fills by itself.
    pub managed_fields: BTreeSet<FieldId>,
    /// Teams by key.
    pub teams: BTreeMap<TeamKey, TeamId>,
    /// Tags by name.
    pub tags: BTreeMap<String, TagId>,
}

/// The stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredDirectory {
    /// First form.
    #[serde(rename = "1")]
    V1(DirectoryV1),
}

/// Contents of the first form; lists are sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryV1 {
    account: String,
    service_user: u64,
    active_users: Vec<u64>,
    fields: Vec<FieldV1>,
    managed_fields: Vec<u64>,
    teams: BTreeMap<String, u64>,
    tags: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ObjectV1 {
    Ticket,
    Customer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FieldV1 {
    object: ObjectV1,
    key: String,
    id: u64,
}

impl Directory {
    /// The stored form.
    #[must_use]
    pub fn to_stored(&self) -> StoredDirectory {
        let object = |object: &FieldObject| match object {
            FieldObject::Ticket => ObjectV1::Ticket,
            FieldObject::Customer => ObjectV1::Customer,
        };
        let fields = self.fields.iter().map(|((kind, key), id)| FieldV1 {
            object: object(kind),
            key: key.0.clone(),
            id: id.0,
        });
        StoredDirectory::V1(DirectoryV1 {
            account: self.account.clone(),
            service_user: self.service_user,
            active_users: self.active_users.iter().map(|id| id.0).collect(),
            fields: fields.collect(),
            managed_fields: self.managed_fields.iter().map(|id| id.0).collect(),
            teams: self.teams.iter().map(|(key, id)| (key.0.clone(), id.0)).collect(),
            tags: self.tags.iter().map(|(name, id)| (name.clone(), id.0)).collect(),
        })
    }

    /// From the stored form.
    #[must_use]
    pub fn from_stored(stored: StoredDirectory) -> Self {
        let StoredDirectory::V1(stored) = stored;
        let object = |object: &ObjectV1| match object {
            ObjectV1::Ticket => FieldObject::Ticket,
            ObjectV1::Customer => FieldObject::Customer,
        };
        Self {
            account: stored.account,
            service_user: stored.service_user,
            active_users: stored.active_users.into_iter().map(UserId).collect(),
            fields: stored
                .fields
                .into_iter()
                .map(|field| ((object(&field.object), FieldKey(field.key)), FieldId(field.id)))
                .collect(),
            managed_fields: stored.managed_fields.into_iter().map(FieldId).collect(),
            teams: stored.teams.into_iter().map(|(key, id)| (TeamKey(key), TeamId(id))).collect(),
            tags: stored.tags.into_iter().map(|(name, id)| (name, TagId(id))).collect(),
        }
    }

    /// Id of a field.
    #[must_use]
    pub fn field(&self, object: FieldObject, key: &str) -> Option<FieldId> {
        self.fields.get(&(object, FieldKey(key.to_owned()))).copied()
    }

    /// The service user.
    #[must_use]
    pub fn service_user(&self) -> UserId {
        UserId(self.service_user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_storing() {
        let directory = Directory {
            account: "acme".to_owned(),
            service_user: 1,
            active_users: BTreeSet::from([UserId(1), UserId(2)]),
            fields: BTreeMap::from([
                ((FieldObject::Ticket, FieldKey("k".to_owned())), FieldId(3)),
                ((FieldObject::Customer, FieldKey("k".to_owned())), FieldId(4)),
            ]),
            managed_fields: BTreeSet::from([FieldId(9)]),
            teams: BTreeMap::from([(TeamKey("office:a".to_owned()), TeamId(5))]),
            tags: BTreeMap::from([("Q4".to_owned(), TagId(6))]),
        };
        let text = serde_json::to_string(&directory.to_stored()).expect("plain values");
        let back: StoredDirectory = serde_json::from_str(&text).expect("own form");
        assert_eq!(Directory::from_stored(back), directory);
        assert_eq!(directory.field(FieldObject::Customer, "k"), Some(FieldId(4)));
    }
}
