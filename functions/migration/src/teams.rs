//! Offices and agent groups as teams.
//!
//! Gorgias teams have no zone, no leaders and no key of ours (facts: teams), so all three stand in the description.
//! Deliberately absent: telephony of an office; that goes into the handoff as a note.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::Canonical;
use crate::finding::{self, Note, ObjectKind};
use crate::gorgias::{self, TeamDraft};
use crate::keys::TeamKey;
use crate::leaddesk::{Group, GroupId, Office, User, UserId};
use crate::mapping::{MappingChoices, RowChoice, RowSubject};
use crate::text::{clean_line, folded, truncate_chars};
use crate::users::{UserMatches, gorgias_role};

/// Characters of a description that surely fit; Gorgias states no limit.
const DESCRIPTION_CHARS_MAX: usize = 1_024;
/// Stands before our key in a description.
const KEY_MARK: &str = "Key: leaddesk:";

/// What has to be done for a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TeamAction {
    /// Nothing like it is there.
    Create,
    /// A team with our key is there.
    Reuse(gorgias::TeamId),
}

/// A team that will exist after preparation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTeam {
    /// Definition.
    pub draft: TeamDraft,
    /// What has to be done.
    pub action: TeamAction,
}

impl PlannedTeam {
    /// Its key and the team of the account that stands for it, where there is one.
    #[must_use]
    pub fn present(&self) -> Option<(TeamKey, gorgias::TeamId)> {
        match self.action {
            TeamAction::Create => None,
            TeamAction::Reuse(id) => Some((self.draft.key.clone(), id)),
        }
    }
}

/// What planning needs to know.
#[derive(Debug, Clone, Copy)]
pub struct TeamPlanInput<'a> {
    /// All accounts; offices are found through them too.
    pub users: &'a [User],
    /// From the operator's file.
    pub offices: &'a [Office],
    /// From the operator's file or from calls.
    pub groups: &'a [Group],
    /// Teams of the account.
    pub existing: &'a [gorgias::Team],
    /// Who has a user.
    pub matches: &'a UserMatches,
}

/// Teams of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TeamPlan {
    /// In order of key.
    pub teams: Vec<PlannedTeam>,
    /// Team of every account: its group, else its office.
    pub of_user: BTreeMap<UserId, TeamKey>,
    /// Team of every group.
    pub of_group: BTreeMap<GroupId, TeamKey>,
    /// What was decided by rule.
    pub notes: Vec<Note>,
}

/// A team before its name is settled.
struct Wanted {
    key: TeamKey,
    object: ObjectKind,
    source_id: String,
    name: String,
    zone: Option<String>,
    members: BTreeSet<UserId>,
    /// The team of the account that a person chose for it.
    chosen: Option<gorgias::TeamId>,
}

/// One office or group, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamRow {
    /// Key of its team.
    pub key: TeamKey,
    /// Office or group.
    pub object: ObjectKind,
    /// Its name in LeadDesk.
    pub name: String,
    /// Accounts in it.
    pub members: usize,
    /// What was chosen.
    pub choice: TeamChoice,
}

/// What a person chose for an office or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TeamChoice {
    /// Nothing: the rules settle it.
    ByRule,
    /// Another name.
    Renamed,
    /// A team of the account.
    Team(gorgias::TeamId),
    /// A team that is not in the account.
    Gone(gorgias::TeamId),
    /// No team, with the reason.
    Left(String),
}

impl TeamPlan {
    /// Plans the teams.
    #[must_use]
    pub fn build(input: &TeamPlanInput<'_>) -> Self {
        Self::propose(input, &MappingChoices::default()).0
    }

    /// Plans the teams under a person's choices, and says what became of every office and group.
    #[must_use]
    pub fn propose(input: &TeamPlanInput<'_>, choices: &MappingChoices) -> (Self, Vec<TeamRow>) {
        let mut plan = Self::default();
        let mut rows = Vec::new();
        let mut wanted = offices(input);
        wanted.retain_mut(|office| choose(office, input, choices, &mut rows, &mut plan.notes));
        for office in &wanted {
            for user in &office.members {
                plan.of_user.insert(*user, office.key.clone());
            }
        }
        for (id, mut group) in groups(input) {
            if choose(&mut group, input, choices, &mut rows, &mut plan.notes) {
                plan.of_group.insert(id, group.key.clone());
                wanted.push(group);
            }
        }
        // The group with the smallest id names the team of a user in several groups.
        for group in wanted.iter().rev().filter(|wanted| wanted.object == ObjectKind::Group) {
            for user in &group.members {
                plan.of_user.insert(*user, group.key.clone());
            }
        }
        let names = names(&wanted, input.existing, &mut plan.notes);
        for (wanted, (name, action)) in wanted.into_iter().zip(names) {
            plan.teams.push(planned(wanted, name, action, input, &mut plan.notes));
        }
        plan.teams.sort_by(|left, right| left.draft.key.cmp(&right.draft.key));
        plan.notes.sort();
        (plan, rows)
    }

    /// The team that a user's tickets belong to.
    #[must_use]
    pub fn team_of(&self, user: Option<UserId>) -> Option<&TeamKey> {
        self.of_user.get(&user?)
    }

    /// The team with this key.
    #[must_use]
    pub fn team(&self, key: &TeamKey) -> Option<&PlannedTeam> {
        self.teams.iter().find(|team| team.draft.key == *key)
    }

    pub(crate) fn render(&self, out: &mut Canonical) {
        for team in &self.teams {
            out.put("team", &team.draft.key).put("name", &team.draft.name);
            out.put("description", &team.draft.description);
            if let TeamAction::Reuse(id) = team.action {
                out.put("reuse", id);
            }
            for member in &team.draft.members {
                out.put("member", member);
            }
        }
        for (user, team) in &self.of_user {
            out.put("of_user", user).put("team", team);
        }
        for (group, team) in &self.of_group {
            out.put("of_group", group).put("team", team);
        }
    }
}

/// The key that a team's description carries, if it is one of ours.
#[must_use]
pub fn key_in_description(description: &str) -> Option<TeamKey> {
    let (_, key) = description.rsplit_once(KEY_MARK)?;
    Some(TeamKey(key.trim().to_owned()))
}

/// Applies a person's choice; `false` when no team is wanted.
fn choose(
    wanted: &mut Wanted,
    input: &TeamPlanInput<'_>,
    choices: &MappingChoices,
    rows: &mut Vec<TeamRow>,
    notes: &mut Vec<Note>,
) -> bool {
    let name = wanted.name.clone();
    let choice = match choices.of(&RowSubject::Team(wanted.key.clone())) {
        Some(RowChoice::Leave { reason }) => {
            let code = finding::TEA107_LEFT_BY_CHOICE;
            notes.push(Note::new(code, wanted.object, &wanted.source_id, clean_line(reason)));
            TeamChoice::Left(clean_line(reason))
        }
        Some(RowChoice::Rename { name }) => {
            wanted.name = clean_line(name);
            TeamChoice::Renamed
        }
        Some(RowChoice::Team(id)) if input.existing.iter().any(|team| team.id == *id) => {
            wanted.chosen = Some(*id);
            TeamChoice::Team(*id)
        }
        Some(RowChoice::Team(id)) => TeamChoice::Gone(*id),
        _ => TeamChoice::ByRule,
    };
    let is_wanted = !matches!(choice, TeamChoice::Left(_));
    let (key, object, members) = (wanted.key.clone(), wanted.object, wanted.members.len());
    rows.push(TeamRow { key, object, name, members, choice });
    is_wanted
}

fn offices(input: &TeamPlanInput<'_>) -> Vec<Wanted> {
    let mut offices: BTreeMap<String, Wanted> = BTreeMap::new();
    let named = |name: &str| {
        let name = clean_line(name);
        (!name.is_empty()).then_some(name)
    };
    let wanted = |name: &str| Wanted {
        key: TeamKey(format!("office:{name}")),
        object: ObjectKind::Office,
        source_id: name.to_owned(),
        name: name.to_owned(),
        zone: None,
        members: BTreeSet::new(),
        chosen: None,
    };
    for office in input.offices {
        let Some(name) = named(&office.name) else { continue };
        let zone = office.time_zone.as_deref().and_then(named);
        let entry = offices.entry(name.clone()).or_insert_with(|| wanted(&name));
        entry.zone = entry.zone.take().or(zone);
    }
    for user in input.users {
        let Some(name) = user.office.as_deref().and_then(named) else { continue };
        offices.entry(name.clone()).or_insert_with(|| wanted(&name)).members.insert(user.id);
    }
    offices.into_values().collect()
}

fn groups(input: &TeamPlanInput<'_>) -> Vec<(GroupId, Wanted)> {
    let by_username: BTreeMap<String, UserId> =
        input.users.iter().rev().map(|user| (folded(&user.username), user.id)).collect();
    let mut groups: BTreeMap<GroupId, Wanted> = BTreeMap::new();
    for group in input.groups {
        let name = clean_line(&group.name);
        let entry = groups.entry(group.id).or_insert_with(|| Wanted {
            key: TeamKey(format!("group:{}", group.id)),
            object: ObjectKind::Group,
            source_id: group.id.to_string(),
            name: if name.is_empty() { format!("Group {}", group.id) } else { name },
            zone: None,
            members: BTreeSet::new(),
            chosen: None,
        });
        entry
            .members
            .extend(group.usernames.iter().filter_map(|username| by_username.get(&folded(username))));
    }
    groups.into_iter().collect()
}

/// A free name for every team. Names that several want, or that a team of the account has, get a suffix.
fn names(wanted: &[Wanted], existing: &[gorgias::Team], notes: &mut Vec<Note>) -> Vec<(String, TeamAction)> {
    let ours: BTreeMap<TeamKey, &gorgias::Team> = existing
        .iter()
        .filter_map(|team| Some((key_in_description(team.description.as_deref()?)?, team)))
        .collect();
    let mut taken: BTreeSet<String> = existing.iter().map(|team| folded(&team.name)).collect();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for team in wanted {
        *count.entry(folded(&team.name)).or_default() += 1;
    }
    let mut out = Vec::with_capacity(wanted.len());
    for team in wanted {
        let chosen = team.chosen.and_then(|id| existing.iter().find(|present| present.id == id));
        if let Some(present) = chosen.or_else(|| ours.get(&team.key).copied()) {
            notes.push(Note::new(
                finding::TEA102_EXISTS,
                team.object,
                &team.source_id,
                format!("team {}", present.id),
            ));
            out.push((present.name.clone(), TeamAction::Reuse(present.id)));
            continue;
        }
        let kind = team.object.as_str();
        let plain = (count[&folded(&team.name)] == 1).then(|| team.name.clone());
        let suffixed = std::iter::once(format!("{} ({kind})", team.name))
            .chain((2_usize..).map(|number| format!("{} ({kind} {number})", team.name)));
        let name = plain.into_iter().chain(suffixed).find(|name| !taken.contains(&folded(name)));
        let name = name.unwrap_or_else(|| team.key.0.clone());
        if name != team.name {
            notes.push(Note::new(
                finding::TEA101_NAME_CLASH,
                team.object,
                &team.source_id,
                format!("becomes `{name}`"),
            ));
        }
        taken.insert(folded(&name));
        out.push((name, TeamAction::Create));
    }
    out
}

fn planned(
    wanted: Wanted,
    name: String,
    action: TeamAction,
    input: &TeamPlanInput<'_>,
    notes: &mut Vec<Note>,
) -> PlannedTeam {
    let Wanted { key, object, source_id, zone, members, chosen, .. } = wanted;
    let leads = |user: &&User| members.contains(&user.id) && gorgias_role(&user.role) == "agent";
    let leaders: BTreeSet<String> =
        input.users.iter().filter(leads).map(|user| clean_line(&user.name)).collect();
    let what = if object == ObjectKind::Office { "LeadDesk office" } else { "LeadDesk agent group" };
    let mut text = format!("{what}.");
    if let Some(zone) = zone {
        text = format!("{text} Time zone: {zone}.");
        notes.push(Note::new(finding::TEA104_ZONE_IN_DESCRIPTION, object, &source_id, zone));
    }
    if !leaders.is_empty() {
        text = format!("{text} Leaders: {}.", leaders.iter().cloned().collect::<Vec<_>>().join(", "));
        let detail = format!("{} leaders", leaders.len());
        notes.push(Note::new(finding::TEA105_LEADERS_IN_DESCRIPTION, object, &source_id, detail));
    }
    let tail = format!(" {KEY_MARK}{key}");
    let room = DESCRIPTION_CHARS_MAX.saturating_sub(tail.chars().count());
    let mut description = format!("{}{tail}", truncate_chars(&text, room));
    // A team that people made and chose keeps its own description.
    if let Some(present) = chosen.and_then(|id| input.existing.iter().find(|team| team.id == id)) {
        description = present.description.clone().unwrap_or_default();
    }
    let present: Vec<UserId> =
        members.iter().copied().filter(|user| input.matches.matched.contains_key(user)).collect();
    if present.is_empty() {
        let detail = format!("{} accounts, none with a user", members.len());
        notes.push(Note::new(finding::TEA103_NO_MEMBER, object, &source_id, detail));
    }
    PlannedTeam { draft: TeamDraft { key, name, description, members: present }, action }
}
