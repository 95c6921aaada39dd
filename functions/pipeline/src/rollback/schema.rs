//! Tags, teams and fields: what was made for the migration, and whether anything that stays needs it. Pure.

use std::collections::BTreeSet;

use migration::compare::{Compared, Image, normalised};
use migration::decide::RecordImage;
use migration::gorgias::{FieldDraft, TagDraft, TeamDraft};
use migration::ledger::{Settled, WriteKey, WriteState};
use migration::rollback::{Deed, Judgement, Made, codes, made};
use snapshot::tables::{WantField, WantTag, WantTeam};

use super::survey::Needed;
use crate::context::Context;
use crate::evidence::Touched;
use crate::ledger::book::Book;
use crate::ledger::key::{self, Secret};
use crate::prepare::schema::SchemaWish;
use crate::reconcile::image::{found_field, found_tag, found_team, wanted_field, wanted_tag, wanted_team};
use crate::reconcile::schema::Lists;

/// What the judging needs.
pub(crate) struct Scene<'a> {
    pub(crate) ctx: &'a Context,
    pub(crate) wish: &'a SchemaWish,
    pub(crate) book: &'a Book,
    pub(crate) secret: &'a Secret,
    pub(crate) touched: &'a Touched,
}

/// Object, key, id and judgement of one definition.
pub(crate) type Judged = (&'static str, String, u64, Judgement);

/// Judges everything that the ledger says we wrote.
pub(crate) fn judge(scene: &Scene<'_>, lists: &Lists, needed: &Needed) -> Vec<Judged> {
    let tags = scene.wish.tags.iter().filter_map(|draft| tag(scene, lists, needed, draft));
    let teams = scene.wish.teams.iter().filter_map(|draft| team(scene, lists, needed, draft));
    let fields = scene.wish.fields.iter().filter_map(|draft| field(scene, lists, needed, draft));
    tags.chain(teams).chain(fields).collect()
}

fn tag(scene: &Scene<'_>, lists: &Lists, needed: &Needed, draft: &TagDraft) -> Option<Judged> {
    let row = WantTag {
        tag_name: draft.name.clone(),
        description: draft.description.clone(),
        origin: String::new(),
    };
    let found = |id: u64| {
        let found = lists.tags.iter().find(|raw| raw.record.id.0 == id);
        found.map(|raw| found_tag(&raw.record))
    };
    let definition = Definition {
        object: "tag",
        kind: Compared::Tag,
        log: "Tag",
        name: &draft.name,
        otherwise: Deed::Remove,
    };
    let key = key::tag(&draft.name, scene.secret);
    definition.judge(scene, &key, wanted_tag(&row), found, |_| needed.tags.contains(&draft.name))
}

fn team(scene: &Scene<'_>, lists: &Lists, needed: &Needed, draft: &TeamDraft) -> Option<Judged> {
    let row = WantTeam {
        team_key: draft.key.to_string(),
        team_name: draft.name.clone(),
        description: draft.description.clone(),
        leaddesk_name: String::new(),
    };
    let users = draft.members.iter().filter_map(|member| scene.wish.users.get(member));
    let members: BTreeSet<u64> = users.map(|id| id.0).collect();
    let members: Vec<u64> = members.into_iter().collect();
    let found = |id: u64| {
        let found = lists.teams.iter().find(|raw| raw.record.id.0 == id);
        found.map(|raw| found_team(&raw.record))
    };
    let definition = Definition {
        object: "team",
        kind: Compared::Team,
        log: "Team",
        name: &row.team_key,
        otherwise: Deed::Remove,
    };
    let wanted = wanted_team(&row, &members);
    definition.judge(scene, &key::team(&draft.key), wanted, found, |id| needed.teams.contains(&id))
}

fn field(scene: &Scene<'_>, lists: &Lists, needed: &Needed, draft: &FieldDraft) -> Option<Judged> {
    let row = WantField {
        object_type: draft.object.as_str().to_owned(),
        field_key: draft.key.to_string(),
        label: draft.label.clone(),
        data_type: draft.kind.as_str().to_owned(),
        description: draft.description.clone(),
    };
    let found = |id: u64| {
        let found = lists.fields.iter().find(|raw| raw.record.id.0 == id);
        found.filter(|raw| raw.record.is_active).map(|raw| found_field(&raw.record))
    };
    let name = format!("{}/{}", row.object_type, row.field_key);
    let definition = Definition {
        object: "field",
        kind: Compared::Field,
        log: "CustomField",
        name: &name,
        otherwise: Deed::Archive,
    };
    let key = key::field(draft.object, &draft.key);
    definition.judge(scene, &key, wanted_field(&row), found, |id| needed.fields.contains(&id))
}

struct Definition<'a> {
    object: &'static str,
    kind: Compared,
    /// The word of the audit log.
    log: &'static str,
    name: &'a str,
    otherwise: Deed,
}

impl Definition<'_> {
    /// Nothing for what the ledger does not know: it was there before and was used as it was.
    fn judge(
        &self,
        scene: &Scene<'_>,
        key: &WriteKey,
        wanted: Image,
        found: impl Fn(u64) -> Option<Image>,
        is_needed: impl Fn(u64) -> bool,
    ) -> Option<Judged> {
        let written = scene.book.written(key)?;
        let id = match written.state {
            WriteState::Settled(Settled::Applied(id)) => id.0,
            WriteState::Settled(Settled::Undone(id)) => {
                let judgement = Judgement::because(Deed::Nothing, codes::ABSENT);
                return Some((self.object, self.name.to_owned(), id.0, judgement));
            }
            _ => return None,
        };
        let image =
            |fields: Image| RecordImage { fields: normalised(self.kind, &fields), messages: BTreeSet::new() };
        let mut found = found(id);
        let mut wanted = wanted;
        if !written.is_ours {
            // A definition that was there, archived, keeps its own words; only its archiving is ours to bring back.
            wanted = found.clone().unwrap_or_default();
        }
        if self.kind == Compared::Field {
            // The account's own names of a field's fate; nothing that people write.
            found = found.map(|mut fields| {
                fields.remove("is_active");
                fields
            });
            wanted.remove("is_active");
        }
        let judgement = made(Made {
            written: image(wanted),
            found: found.map(image),
            is_touched: scene.touched.holds(self.log, id),
            is_needed: is_needed(id),
            otherwise: self.otherwise,
            foreign_messages: &[],
        });
        Some((self.object, self.name.to_owned(), id, judgement))
    }
}
