//! Where a source record should be at Gorgias, and whether it is there as wished: from the ledger, the directory, the
//! confirmed mapping and the differences of the verdicts. Nothing is asked of Gorgias.

use std::collections::BTreeMap;
use std::sync::Arc;

use migration::fields::{FieldSource, PlannedField, disposition_key};
use migration::gorgias::{CustomerId, FieldObject, TicketId};
use migration::keys::{ExternalId, TeamKey};
use migration::leaddesk::{CampaignId, UserId};
use migration::ledger::WriteKey;
use migration::mapping::ConfirmedMapping;
use migration::text::{clean_line, folded};

use crate::ledger::book::Book;
use crate::ledger::key::{self, Secret};
use crate::ports::gorgias::Gorgias;
use crate::prepare::directory::Directory;

/// Code of a record that was not written (yet).
pub(super) const NOT_WRITTEN: &str = "REP101";

/// Where a record should be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Target {
    /// Our key.
    pub(super) external_id: Option<String>,
    /// Id at Gorgias.
    pub(super) id: Option<String>,
    /// Address for people.
    pub(super) url: Option<String>,
    /// How the id was learned.
    pub(super) via: Option<&'static str>,
    /// Why it is not there, or not as wished.
    pub(super) code: Option<String>,
    /// The same in words.
    pub(super) reason: Option<String>,
}

impl Target {
    fn absent(code: &str, reason: &str) -> Self {
        Self { code: Some(code.to_owned()), reason: Some(reason.to_owned()), ..Self::default() }
    }

    fn not_written() -> Self {
        Self::absent(NOT_WRITTEN, "not written to Gorgias yet")
    }
}

/// Everything that tells where records are.
pub(super) struct Known {
    /// For addresses of records.
    pub(super) destination: Arc<dyn Gorgias>,
    /// Every write, and its names; absent before the first write.
    pub(super) book: Option<(Book, Secret)>,
    /// What prepare made and found.
    pub(super) directory: Option<Directory>,
    /// Who is who.
    pub(super) mapping: Option<ConfirmedMapping>,
    /// Code of the first unexplained difference, by kind and key of the record at Gorgias.
    pub(super) wrong: BTreeMap<(String, String), String>,
}

/// The tag that names a campaign, else the first of the tags that its tickets carry.
#[must_use]
pub(crate) fn tag_of_campaign<'m>(mapping: &'m ConfirmedMapping, id: &str) -> Option<&'m String> {
    let tags = mapping.tags();
    let source = format!("campaign {id}");
    let own = tags.decisions.iter().find(|decision| decision.sources.contains(&source));
    let carried = || tags.of_campaign.get(&id.parse::<CampaignId>().ok()?)?.first();
    own.map(|decision| &decision.name).or_else(carried)
}

impl Known {
    /// The customer with this key.
    #[must_use]
    pub(super) fn customer(&self, ours: &ExternalId) -> Target {
        let target = self.written("customer", ours, key::customer);
        let id = target.id.as_deref().and_then(|id| id.parse().ok());
        Target { url: id.map(|id| self.destination.customer_url(CustomerId(id))), ..target }
    }

    /// The ticket with this key.
    #[must_use]
    pub(super) fn ticket(&self, ours: &ExternalId) -> Target {
        let target = self.written("ticket", ours, key::ticket);
        let id = target.id.as_deref().and_then(|id| id.parse().ok());
        Target { url: id.map(|id| self.destination.ticket_url(TicketId(id))), ..target }
    }

    /// A message of a ticket; its own id is learned when it is read back.
    #[must_use]
    pub(super) fn message(&self, ticket: &ExternalId, ours: &str) -> Target {
        let parent = self.ticket(ticket);
        let Some(_) = parent.id else { return Target { external_id: Some(ours.to_owned()), ..parent } };
        let (code, reason) = self.difference("message", ours);
        let url = parent.url;
        Target { external_id: Some(ours.to_owned()), id: None, url, via: parent.via, code, reason }
    }

    fn written(&self, kind: &str, ours: &ExternalId, name: fn(&ExternalId, &Secret) -> WriteKey) -> Target {
        let external_id = Some(ours.as_str().to_owned());
        let Some((book, secret)) = &self.book else { return Target { external_id, ..Target::not_written() } };
        let key = name(ours, secret);
        let Some(id) = book.destination(&key) else {
            let refused = book.note(&key).map(|note| Target::absent(&note.code, &note.text));
            return Target { external_id, ..refused.unwrap_or_else(Target::not_written) };
        };
        let is_adopted = book.is_adopted(&key);
        let (code, reason) = self.difference(kind, ours.as_str());
        let via = Some(if is_adopted { "adopted" } else { "answer" });
        Target { external_id, id: Some(id.to_string()), url: None, via, code, reason }
    }

    fn difference(&self, kind: &str, ours: &str) -> (Option<String>, Option<String>) {
        let code = self.wrong.get(&(kind.to_owned(), ours.to_owned())).cloned();
        let reason = code.is_some().then(|| "found at Gorgias with a difference, or not found".to_owned());
        (code, reason)
    }

    /// The user of an agent.
    #[must_use]
    pub(super) fn agent(&self, id: &str) -> Target {
        let Some((mapping, user)) = self.mapping.as_ref().zip(id.parse::<UserId>().ok()) else {
            return Target::not_written();
        };
        let users = mapping.users();
        if let Some(matched) = users.matched.get(&user) {
            return Target { id: Some(matched.to_string()), via: Some("matched"), ..Target::default() };
        }
        if users.placeholders.contains(&user) {
            let service = self.directory.as_ref().map(|directory| directory.service_user.to_string());
            return Target { id: service, via: Some("existing"), ..Target::default() };
        }
        let provision = users.to_provision.iter().find(|provision| provision.user == user);
        provision.map_or_else(Target::not_written, |provision| {
            let code = provision.reason.code();
            Target::absent(code.as_str(), code.entry().title)
        })
    }

    /// The team of an office. Names that differ only in case are one office.
    #[must_use]
    pub(super) fn office(&self, name: &str) -> Target {
        let wished = folded(&clean_line(name));
        let teams = self.mapping.iter().flat_map(|mapping| mapping.teams().teams.iter());
        let mut keys = teams.map(|team| &team.draft.key);
        let of_office =
            |key: &&TeamKey| key.0.strip_prefix("office:").is_some_and(|office| folded(office) == wished);
        keys.find(of_office).map_or_else(Target::not_written, |key| self.team(key))
    }

    /// The team of an office or a group.
    #[must_use]
    pub(super) fn team(&self, team: &TeamKey) -> Target {
        let id = self.directory.as_ref().and_then(|directory| directory.teams.get(team));
        self.prepared("team", &team.0, id.map(ToString::to_string))
    }

    /// The tag that names a campaign, else the first of its tags. A campaign without any tag needs none.
    #[must_use]
    pub(super) fn campaign(&self, id: &str) -> Target {
        let Some(mapping) = &self.mapping else { return Target::not_written() };
        match tag_of_campaign(mapping, id) {
            Some(tag) => {
                let id = self.directory.as_ref().and_then(|directory| directory.tags.get(tag));
                self.prepared("tag", tag, id.map(ToString::to_string))
            }
            None => Target::default(),
        }
    }

    /// The field whose values outcomes become.
    #[must_use]
    pub(super) fn outcome(&self) -> Target {
        self.field(FieldObject::Ticket, &disposition_key().0)
    }

    /// Slots that become fields: their id, and object and key of the field.
    #[must_use]
    pub(super) fn slots(&self) -> Vec<(String, FieldObject, String)> {
        let fields = self.mapping.iter().flat_map(|mapping| mapping.fields().fields());
        let slot = |field: &PlannedField| match field.source {
            FieldSource::Slot(slot) => {
                Some((slot.to_string(), field.draft.object, field.draft.key.to_string()))
            }
            _ => None,
        };
        fields.filter_map(slot).collect()
    }

    /// A field definition.
    #[must_use]
    pub(super) fn field(&self, object: FieldObject, key: &str) -> Target {
        let id = self.directory.as_ref().and_then(|directory| directory.field(object, key));
        self.prepared("field", key, id.map(|id| id.to_string()))
    }

    fn prepared(&self, kind: &str, name: &str, id: Option<String>) -> Target {
        let Some(id) = id else { return Target::not_written() };
        let (code, reason) = self.difference(kind, name);
        let external_id = Some(name.to_owned());
        Target { external_id, id: Some(id), url: None, via: Some("answer"), code, reason }
    }
}
