//! Endpoints of teams. A team has no time zone, no external id and no leader (facts: teams).

use super::answer::{Answer, Answered, Refusal};
use super::ledger::codes;
use super::model::{Origin, Team};
use super::persons::{TEXT_CHARS_MAX, read_email};
use super::query::{Order, Place, Query, SortValue, order};
use super::reading::{Given, Problems, Reader};
use super::route::Call;
use super::shapes::{TeamShape, list};
use super::state::State;

const ORDERS: [Order; 4] =
    [order("created_datetime:desc"), order("created_datetime:asc"), order("name:asc"), order("name:desc")];

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&ORDERS, state.now, state.switches.cursor_life_seconds);
    query.end()?;
    let place = |team: &Team| -> Place {
        let value = match page.attribute() {
            "name" => SortValue::Text(team.name.clone()),
            _ => SortValue::Number(team.created.0),
        };
        (value, team.id)
    };
    let slice = page.of_rows(state.teams.values().map(place).collect());
    let rows = slice.ids.iter().filter_map(|id| state.teams.get(id));
    let rows = rows.map(|team| TeamShape { state, team });
    Ok(Answer::ok(&list(call, &slice, rows.collect(), false)))
}

fn find(state: &State, id: u64) -> Answered<&Team> {
    state.teams.get(&id).ok_or_else(|| Refusal::not_found("Team", id))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    let team = find(state, call.id(0))?;
    Ok(Answer::ok(&TeamShape { state, team }))
}

/// What a request says about a team.
struct Draft {
    name: Option<String>,
    description: Given<String>,
    emoji: Given<Option<String>>,
    members: Option<Vec<u64>>,
}

impl Draft {
    fn read(state: &State, mut reader: Reader<'_>, own: Option<u64>, problems: &Problems) -> Self {
        let name = reader.text("name", 1..=TEXT_CHARS_MAX);
        let name = if own.is_none() { reader.required("name", name) } else { reader.solid("name", name) };
        let taken = |name: &str| state.teams.values().any(|team| team.name == name && Some(team.id) != own);
        if name.as_deref().is_some_and(taken) {
            reader.problem("name", "A team with this name already exists.");
        }
        let decoration = reader.object("decoration");
        let emoji = match decoration {
            Given::Absent => Given::Absent,
            Given::Null => Given::Null,
            Given::Value(value) => {
                let nested = Reader::nested(value, "decoration".to_owned(), problems);
                Given::Value(nested.and_then(|mut nested| {
                    let emoji = nested.text("emoji", 0..=TEXT_CHARS_MAX).value();
                    nested.end();
                    emoji
                }))
            }
        };
        let members = reader.list("members");
        let members = reader.solid("members", members);
        let members = members.map(|rows| read_members(state, rows, problems));
        let draft =
            Self { name, description: reader.text("description", 0..=TEXT_CHARS_MAX), emoji, members };
        reader.end();
        draft
    }

    fn apply(self, team: &mut Team) {
        if let Some(name) = self.name {
            team.name = name;
        }
        self.description.apply(&mut team.description);
        match self.emoji {
            Given::Absent => {}
            Given::Null => team.emoji = None,
            Given::Value(emoji) => team.emoji = emoji,
        }
        if let Some(members) = self.members {
            team.members = members;
        }
    }
}

fn read_members(state: &State, rows: Vec<serde_json::Value>, problems: &Problems) -> Vec<u64> {
    let mut members = Vec::with_capacity(rows.len());
    for (position, row) in rows.into_iter().enumerate() {
        let Some(mut reader) = Reader::nested(row, format!("members.{position}"), problems) else { continue };
        let id = reader.id("id");
        let id = reader.required("id", id);
        // Allowed, but without effect: a member is named by its id.
        reader.text("name", 0..=TEXT_CHARS_MAX);
        read_email(&mut reader, "email");
        reader.object("meta");
        match id {
            Some(id) if !state.users.contains_key(&id) => reader.problem("id", "This user does not exist."),
            Some(id) if !members.contains(&id) => members.push(id),
            _ => {}
        }
        reader.end();
    }
    members
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let draft = Draft::read(state, Reader::body(call.json()?, &problems)?, None, &problems);
    problems.check()?;
    let mut team = Team {
        id: state.ids.team.next(&mut state.random),
        name: String::new(),
        description: None,
        emoji: None,
        members: Vec::new(),
        created: state.now,
        origin: state.actor.origin,
    };
    draft.apply(&mut team);
    let id = team.id;
    state.teams.insert(id, team);
    state.log("team-created", "Team", id);
    let team = find(state, id)?;
    Ok(Answer::created(&TeamShape { state, team }))
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let mut team = find(state, id)?.clone();
    let problems = state.problems();
    let draft = Draft::read(state, Reader::body(call.json()?, &problems)?, Some(id), &problems);
    problems.check()?;
    draft.apply(&mut team);
    state.teams.insert(id, team);
    state.log("team-updated", "Team", id);
    let team = find(state, id)?;
    Ok(Answer::accepted(&TeamShape { state, team }))
}

/// Deletes a team; its tickets lose their team (facts: teams).
pub(crate) fn destroy(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    if find(state, id)?.origin != Origin::Client {
        let entry = state.entry(codes::FOREIGN_RECORD, format!("team {id}"));
        state.violation(entry);
    }
    state.teams.remove(&id);
    let assigned: Vec<u64> = state
        .tickets
        .iter()
        .filter(|ticket| ticket.assignee_team == Some(id))
        .map(|ticket| ticket.id)
        .collect();
    for ticket in assigned {
        state.tickets.change(ticket, |ticket| ticket.assignee_team = None);
    }
    state.log("team-deleted", "Team", id);
    Ok(Answer::deleted())
}
