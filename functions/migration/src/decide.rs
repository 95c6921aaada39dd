//! The one engine: what to do with a record, from what is wished, what we last wrote, and what is there now.
//!
//! Load, delta, repair and rollback differ only in where the three states come from. What a person changed or deleted at
//! Gorgias after our write is never overwritten, resurrected or deleted (the human wins).
//! Deliberately absent: carrying anything out, and knowing what a field means.

use std::collections::{BTreeMap, BTreeSet};

use crate::settings::ConflictRule;

/// Fields of a record in a comparable form: name to rendered value. An absent field is empty at the record.
pub type FieldImage = BTreeMap<String, String>;

/// A record as it should be, was written, or is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordImage {
    /// Its fields.
    pub fields: FieldImage,
    /// External ids of its messages; empty for records without messages.
    pub messages: BTreeSet<String>,
}

/// How a record came to be in our ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// We created it.
    Created,
    /// It was there; we filled empty fields.
    Adopted,
    /// We created it and removed it again.
    Removed,
}

/// What the ledger says of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWritten {
    /// How it came to be.
    pub origin: Origin,
    /// What it held after our last write.
    pub image: RecordImage,
}

/// Whose key a found record carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundKey {
    /// Ours for this very record.
    Ours,
    /// None.
    Empty,
    /// Another one.
    Foreign,
}

/// A record that is at Gorgias now. One in the trash counts as absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it holds.
    pub image: RecordImage,
    /// Its key.
    pub key: FoundKey,
    /// A person acted on it, seen in events, tags, assignment or messages that are not ours.
    pub has_foreign_traces: bool,
}

/// One field to write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldChange {
    /// Name.
    pub field: String,
    /// Value there now.
    pub found: Option<String>,
    /// Value to write; `None` empties it.
    pub write: Option<String>,
}

/// One field that is kept or in conflict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldStates {
    /// Name.
    pub field: String,
    /// What is wished.
    pub wish: Option<String>,
    /// What we last wrote.
    pub last_written: Option<String>,
    /// What is there now.
    pub found: Option<String>,
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeepReason {
    /// It is as wished.
    AsWished,
    /// Only people changed it since our write.
    ChangedByPeople,
    /// People deleted it after our write.
    DeletedByPeople,
    /// People acted on a record that we would remove.
    TouchedByPeople,
    /// It was never ours to remove.
    NotOurs,
    /// Nothing is wished and nothing is there.
    Absent,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write the record.
    Create,
    /// Write these fields, then append the messages of the decision.
    Update(Vec<FieldChange>),
    /// Append these messages; fields are as wished.
    Append(Vec<String>),
    /// Remove the record.
    Delete,
    /// Nothing.
    Keep(KeepReason),
    /// Nothing until a person settles these fields.
    Conflict(Vec<FieldStates>),
}

/// What to do, and what is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// Messages to append, also beside an update.
    pub append: Vec<String>,
    /// Fields that people changed and that stay.
    pub kept: Vec<FieldStates>,
    /// Fields that both sides changed and no rule settles; other fields are written all the same.
    pub conflicts: Vec<FieldStates>,
    /// Messages that people deleted after our write and that are not made again.
    pub messages_deleted: Vec<String>,
}

impl Decision {
    fn only(action: Action) -> Self {
        Self {
            action,
            append: Vec::new(),
            kept: Vec::new(),
            conflicts: Vec::new(),
            messages_deleted: Vec::new(),
        }
    }

    fn keep(reason: KeepReason) -> Self {
        Self::only(Action::Keep(reason))
    }

    /// Whether Gorgias is asked to change anything.
    #[must_use]
    pub fn writes(&self) -> bool {
        match &self.action {
            Action::Create | Action::Update(_) | Action::Append(_) | Action::Delete => true,
            Action::Keep(_) | Action::Conflict(_) => false,
        }
    }
}

/// Decides for one record. `rule` settles a field that both sides changed.
pub fn decide(
    wish: Option<&RecordImage>,
    last_written: Option<&LastWritten>,
    found: Option<&Found>,
    rule: impl Fn(&str) -> ConflictRule,
) -> Decision {
    match (wish, last_written, found) {
        (None, _, None) => Decision::keep(KeepReason::Absent),
        (None, None, Some(_)) => Decision::keep(KeepReason::NotOurs),
        (None, Some(last), Some(found)) => remove(last, found),
        (Some(_), None, None) => Decision::only(Action::Create),
        (Some(wish), None, Some(found)) => adopt(wish, found),
        (Some(_), Some(last), None) if last.origin == Origin::Removed => Decision::only(Action::Create),
        (Some(_), Some(_), None) => Decision::keep(KeepReason::DeletedByPeople),
        // Our key was replaced by a person: an edit like any other, but of the one field that links the records.
        (Some(_), Some(_), Some(found)) if found.key == FoundKey::Foreign => {
            Decision::keep(KeepReason::TouchedByPeople)
        }
        (Some(wish), Some(last), Some(found)) => update(wish, last, found, rule),
    }
}

/// Only what we created, and nobody touched since, is removed.
fn remove(last: &LastWritten, found: &Found) -> Decision {
    if last.origin != Origin::Created {
        return Decision::keep(KeepReason::NotOurs);
    }
    // What people added counts as much as what they changed.
    let fields = names(&[&last.image.fields, &found.image.fields]);
    let kept: Vec<FieldStates> = fields
        .into_iter()
        .filter(|field| last.image.fields.get(*field) != found.image.fields.get(*field))
        .map(|field| states(field, None, Some(&last.image), &found.image))
        .collect();
    let foreign_message = found.image.messages.difference(&last.image.messages).next().is_some();
    // A person who took our key away or replaced it has touched the record too.
    if kept.is_empty() && !foreign_message && !found.has_foreign_traces && found.key == FoundKey::Ours {
        Decision::only(Action::Delete)
    } else {
        Decision { kept, ..Decision::keep(KeepReason::TouchedByPeople) }
    }
}

/// A record that was there before us: only what is empty is filled; what differs stays and is reported.
fn adopt(wish: &RecordImage, found: &Found) -> Decision {
    if found.key == FoundKey::Foreign {
        let fields: Vec<FieldStates> = names(&[&wish.fields])
            .into_iter()
            .map(|field| states(field, Some(wish), None, &found.image))
            .collect();
        return Decision { conflicts: fields.clone(), ..Decision::only(Action::Conflict(fields)) };
    }
    let mut out = Decision::keep(KeepReason::AsWished);
    let mut changes = Vec::new();
    for (field, value) in &wish.fields {
        match found.image.fields.get(field) {
            Some(present) if present == value => {}
            Some(_) => out.kept.push(states(field, Some(wish), None, &found.image)),
            None => {
                changes.push(FieldChange { field: field.clone(), found: None, write: Some(value.clone()) });
            }
        }
    }
    let append = wish.messages.difference(&found.image.messages).cloned().collect();
    with_action(out, changes, append)
}

/// Three-way for every field that is wished or was written; other fields are none of our business.
fn update(
    wish: &RecordImage,
    last: &LastWritten,
    found: &Found,
    rule: impl Fn(&str) -> ConflictRule,
) -> Decision {
    let mut out = Decision::keep(KeepReason::AsWished);
    let mut changes = Vec::new();
    for field in names(&[&wish.fields, &last.image.fields]) {
        let wanted = wish.fields.get(field);
        let base = last.image.fields.get(field);
        let now = found.image.fields.get(field);
        if wanted == now {
            continue;
        }
        let change = || FieldChange { field: field.to_owned(), found: now.cloned(), write: wanted.cloned() };
        let all_three = || states(field, Some(wish), Some(&last.image), &found.image);
        if now == base {
            changes.push(change());
        } else if wanted == base {
            out.kept.push(all_three());
        } else {
            match rule(field) {
                ConflictRule::SourceWins => changes.push(change()),
                ConflictRule::DestinationWins => out.kept.push(all_three()),
                ConflictRule::Ask => out.conflicts.push(all_three()),
            }
        }
    }
    let missing = wish.messages.difference(&found.image.messages);
    let (deleted, append): (Vec<String>, Vec<String>) =
        missing.cloned().partition(|message| last.image.messages.contains(message));
    out.messages_deleted = deleted;
    with_action(out, changes, append)
}

fn with_action(mut out: Decision, changes: Vec<FieldChange>, append: Vec<String>) -> Decision {
    out.action = if !changes.is_empty() {
        Action::Update(changes)
    } else if !append.is_empty() {
        Action::Append(append.clone())
    } else if !out.conflicts.is_empty() {
        Action::Conflict(out.conflicts.clone())
    } else if !out.kept.is_empty() || !out.messages_deleted.is_empty() {
        Action::Keep(KeepReason::ChangedByPeople)
    } else {
        Action::Keep(KeepReason::AsWished)
    };
    out.append = append;
    out
}

fn names<'a>(images: &[&'a FieldImage]) -> BTreeSet<&'a str> {
    images.iter().flat_map(|image| image.keys()).map(String::as_str).collect()
}

fn states(
    field: &str,
    wish: Option<&RecordImage>,
    last: Option<&RecordImage>,
    found: &RecordImage,
) -> FieldStates {
    let value = |image: &RecordImage| image.fields.get(field).cloned();
    FieldStates {
        field: field.to_owned(),
        wish: wish.and_then(value),
        last_written: last.and_then(value),
        found: value(found),
    }
}

/// Names of fields without the values that some carry in brackets: an address is personal.
#[must_use]
pub fn field_names<'a>(fields: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = fields
        .map(|field| match field.split_once('[') {
            Some((kind @ ("value" | "tag" | "member"), rest)) => format!("{kind}[{rest}"),
            Some((kind, _)) => kind.to_owned(),
            None => field.to_owned(),
        })
        .collect();
    names.sort();
    names.dedup();
    names
}
