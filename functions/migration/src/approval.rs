//! What an approval was given for, and whether it still is that.
//!
//! A person approves a mapping that was made from what both accounts showed. The seal holds a digest of everything that it
//! rests on, fact by fact, so that a later look can say what has changed, and not only that something has. Values never
//! stand in it. Deliberately absent: looking; whoever checks brings both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::canonical::{Canonical, Digest};
use crate::fields::FieldAction;
use crate::gorgias::{Field, FieldId, Tag, TagId, Team, TeamId, User, UserId};
use crate::mapping::ConfirmedMapping;
use crate::settings::MappingSettings;
use crate::teams::TeamAction;
use crate::text::folded;

/// Between a thing and one of its sides in the name of a fact.
const ASPECT: &str = ": ";
/// Fact that stands for all choices together; the ones beside it say which of them it is.
const ALL_CHOICES: &str = "the order of choices";
/// Piece that begins a choice for one row.
const ROW_CHOICE: &str = "choice";

/// Names with the digest of what is true of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts(BTreeMap<String, Digest>);

impl Facts {
    /// From stored pairs; of two facts of one name the later stays.
    #[must_use]
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, Digest)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// All facts, in order of name.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, Digest)> {
        self.0.iter().map(|(name, digest)| (name.as_str(), *digest))
    }

    /// These and others; of two facts of one name the other one stays.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// SHA-256 over all of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut out = Canonical::new("facts/1");
        for (name, digest) in &self.0 {
            out.put("fact", name).put("is", digest);
        }
        out.digest()
    }

    fn put(&mut self, name: impl Into<String>, value: impl fmt::Display) {
        self.0.insert(name.into(), Digest::of(value.to_string().as_bytes()));
    }
}

/// What an approval rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// What a person chose, in the configuration and in the review.
    Mapping,
    /// What LeadDesk showed: the inventory, and the source snapshot once it is there.
    Source,
    /// Who the Gorgias account is, and everything of it that the mapping refers to.
    Account,
}

impl Ground {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mapping => "the mapping",
            Self::Source => "the source",
            Self::Account => "the Gorgias account",
        }
    }
}

/// What happened to a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It was not there when the mapping was approved.
    Appeared,
    /// It is another one.
    Changed,
    /// It is not there any more.
    Gone,
}

/// One reason why an approval does not hold any more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stale {
    /// Which of the three.
    pub ground: Ground,
    /// The fact.
    pub fact: String,
    /// What happened to it.
    pub change: Change,
}

impl fmt::Display for Stale {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.change {
            Change::Appeared => "was not there when the mapping was approved",
            Change::Changed => "has changed",
            Change::Gone => "is not there any more",
        };
        write!(out, "{}: {} {what}", self.ground.as_str(), self.fact)
    }
}

/// Everything that an approval was given for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApprovalSeal {
    /// See [`mapping_facts`].
    pub mapping: Facts,
    /// See [`source_facts`] and [`snapshot_facts`].
    pub source: Facts,
    /// See [`account_facts`].
    pub account: Facts,
}

impl ApprovalSeal {
    /// Why the approval does not hold for what is true `now`; empty when it does. Sides of a thing that is gone or new are
    /// not told one by one.
    #[must_use]
    pub fn stale(&self, now: &Self) -> Vec<Stale> {
        let grounds = [
            (Ground::Mapping, &self.mapping, &now.mapping),
            (Ground::Source, &self.source, &now.source),
            (Ground::Account, &self.account, &now.account),
        ];
        grounds.into_iter().flat_map(|(ground, sealed, now)| differences(ground, sealed, now)).collect()
    }

    /// SHA-256 over all three.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut out = Canonical::new("approval-seal/1");
        out.put("mapping", self.mapping.digest()).put("source", self.source.digest());
        out.put("account", self.account.digest());
        out.digest()
    }
}

fn differences(ground: Ground, sealed: &Facts, now: &Facts) -> Vec<Stale> {
    let names: BTreeSet<&String> = sealed.0.keys().chain(now.0.keys()).collect();
    let found = names.into_iter().filter_map(|name| {
        let change = match (sealed.0.get(name), now.0.get(name)) {
            (Some(was), Some(is)) if was == is => return None,
            (Some(_), Some(_)) => Change::Changed,
            (None, _) => Change::Appeared,
            (_, None) => Change::Gone,
        };
        Some(Stale { ground, fact: name.clone(), change })
    });
    let found: Vec<Stale> = found.collect();
    let moved: BTreeSet<&str> =
        found.iter().filter(|one| one.change != Change::Changed).map(|one| one.fact.as_str()).collect();
    let is_told = |one: &Stale| match one.fact.split_once(ASPECT) {
        Some((thing, _)) => !moved.contains(thing),
        None => one.fact != ALL_CHOICES || found.len() == 1,
    };
    found.iter().filter(|one| is_told(one)).cloned().collect()
}

/// Facts of the mapping: every choice, and the digest of what was confirmed.
#[must_use]
pub fn mapping_facts(choices: &MappingSettings, confirmed: Digest) -> Facts {
    let mut canonical = Canonical::new("mapping-settings/1");
    choices.render(&mut canonical);
    let mut by_name: BTreeMap<String, Canonical> = BTreeMap::new();
    // Choices for rows stand last, each with what it says behind it.
    let mut row = None;
    for (name, value) in canonical.pieces() {
        if name == ROW_CHOICE {
            row = value;
        }
        let fact = match row {
            Some(row) => format!("the choice for {row}"),
            None => format!("setting `{name}`"),
        };
        let values = by_name.entry(fact).or_insert_with(|| Canonical::new("choices/1"));
        values.put("name", name).put_option("value", value);
    }
    let mut facts = Facts::default();
    for (name, values) in by_name {
        facts.0.insert(name, values.digest());
    }
    facts.0.insert(ALL_CHOICES.to_owned(), canonical.digest());
    facts.put("the confirmed document", confirmed);
    facts
}

/// Facts of the source as it was discovered.
#[must_use]
pub fn source_facts(discovered: Digest) -> Facts {
    let mut facts = Facts::default();
    facts.put("the inventory", discovered);
    facts
}

/// Facts of the source snapshot: its manifests by table.
#[must_use]
pub fn snapshot_facts(manifests: &BTreeMap<String, Digest>) -> Facts {
    let mut facts = Facts::default();
    for (table, digest) in manifests {
        facts.put(format!("the snapshot of {table}"), digest);
    }
    facts
}

/// What of the account our own writes made: they do not count as changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Made {
    /// Custom fields.
    pub fields: BTreeSet<FieldId>,
    /// Tags.
    pub tags: BTreeSet<TagId>,
    /// Teams.
    pub teams: BTreeSet<TeamId>,
}

/// A Gorgias account as it is.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// Its subdomain.
    pub domain: &'a str,
    /// The user that the migration runs as.
    pub service_user: UserId,
    /// Users.
    pub users: &'a [User],
    /// Teams.
    pub teams: &'a [Team],
    /// Tags.
    pub tags: &'a [Tag],
    /// Custom fields, archived ones included.
    pub fields: &'a [Field],
    /// What we made ourselves.
    pub made: &'a Made,
}

/// Facts of the account: who it is, everything that the mapping uses, and whatever stands in the place of something that it
/// is going to make.
#[must_use]
pub fn account_facts(mapping: &ConfirmedMapping, account: &Account<'_>) -> Facts {
    let mut facts = Facts::default();
    facts.put("the subdomain", account.domain);
    facts.put("the user that the migration runs as", account.service_user);
    user_facts(mapping, account, &mut facts);
    field_facts(mapping, account, &mut facts);
    for tag in &mapping.tags().decisions {
        match tag.existing {
            Some(id) => {
                if let Some(found) = account.tags.iter().find(|found| found.id == id) {
                    facts.put(format!("tag {id}"), "there");
                    facts.put(format!("tag {id}{ASPECT}its name"), &found.name);
                }
            }
            None => {
                let name = folded(&tag.name);
                let is_there = account
                    .tags
                    .iter()
                    .any(|found| is_other(&found.name, &name, &found.id, &account.made.tags));
                appeared(is_there, "tag", &tag.name, &mut facts);
            }
        }
    }
    for team in &mapping.teams().teams {
        match team.action {
            TeamAction::Reuse(id) => {
                if let Some(found) = account.teams.iter().find(|found| found.id == id) {
                    facts.put(format!("team {id}"), "there");
                    facts.put(format!("team {id}{ASPECT}its name"), &found.name);
                }
            }
            TeamAction::Create => {
                let name = folded(&team.draft.name);
                let is_there = account
                    .teams
                    .iter()
                    .any(|found| is_other(&found.name, &name, &found.id, &account.made.teams));
                appeared(is_there, "team", &team.draft.name, &mut facts);
            }
        }
    }
    facts
}

/// Carries the name and was not made by us.
fn is_other<I: Ord>(name: &str, wanted: &str, id: &I, made: &BTreeSet<I>) -> bool {
    !made.contains(id) && folded(name) == wanted
}

fn appeared(is_there: bool, kind: &str, name: &str, facts: &mut Facts) {
    if is_there {
        facts.put(format!("a {kind} `{name}` of somebody else"), "there");
    }
}

fn user_facts(mapping: &ConfirmedMapping, account: &Account<'_>, facts: &mut Facts) {
    let matched: BTreeSet<UserId> = mapping.users().matched.values().copied().collect();
    for user in account.users.iter().filter(|user| matched.contains(&user.id)) {
        let id = user.id;
        facts.put(format!("user {id}"), "there");
        facts.put(format!("user {id}{ASPECT}whether it is active"), user.is_active);
        facts.put(format!("user {id}{ASPECT}its role"), &user.role);
        facts.put(format!("user {id}{ASPECT}its email address"), user.email.as_deref().unwrap_or_default());
    }
}

fn field_facts(mapping: &ConfirmedMapping, account: &Account<'_>, facts: &mut Facts) {
    for planned in mapping.fields().fields() {
        let (id, is_reactivated) = match planned.action {
            FieldAction::Reuse(id) => (id, false),
            FieldAction::Reactivate(id) => (id, true),
            FieldAction::Create => {
                let draft = &planned.draft;
                let label = folded(&draft.label);
                let is_there = account.fields.iter().any(|found| {
                    let is_ours = account.made.fields.contains(&found.id);
                    let has_key = found.external_id.as_deref() == Some(draft.key.0.as_str());
                    !is_ours && (folded(&found.label) == label || has_key)
                });
                appeared(is_there, "field", &draft.label, facts);
                continue;
            }
        };
        let Some(found) = account.fields.iter().find(|found| found.id == id) else { continue };
        facts.put(format!("field {id}"), "there");
        facts.put(format!("field {id}{ASPECT}its label"), &found.label);
        facts.put(format!("field {id}{ASPECT}its object"), found.object.as_str());
        facts.put(format!("field {id}{ASPECT}its type"), found.kind.as_str());
        facts.put(format!("field {id}{ASPECT}who fills it"), found.is_managed);
        // We switch it on ourselves.
        if !is_reactivated {
            facts.put(format!("field {id}{ASPECT}whether it is archived"), found.is_active);
        }
    }
}
