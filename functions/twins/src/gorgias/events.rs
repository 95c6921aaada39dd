//! The audit log of an account and its endpoints.
//!
//! Events are never changed and never removed; their order is their time. Deliberately absent: retention, which is
//! not documented.

use std::collections::BTreeSet;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::answer::{Answer, Answered, Refusal};
use super::clock::Instant;
use super::query::{BY_CREATED, Place, Query, SortValue};
use super::reading::Problems;
use super::route::Call;
use super::shapes::list;
use super::state::State;
use super::words::EVENT_OBJECTS;

/// Id of the first event; later ones follow without gaps.
const FIRST_ID: u64 = 2_100_000_001;

/// What happened to which record, by whom.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: &'static str,
    pub(crate) object_type: &'static str,
    pub(crate) object_id: u64,
    /// Nobody for what the server did by itself.
    pub(crate) user_id: Option<u64>,
    pub(crate) data: Option<Box<Value>>,
    pub(crate) created: Instant,
}

/// All events in order, found by object as well.
#[derive(Debug, Default)]
pub(crate) struct Events {
    rows: Vec<Event>,
    by_object: BTreeSet<(u64, u32)>,
}

impl Events {
    pub(crate) fn push(&mut self, event: Event) {
        let position = u32::try_from(self.rows.len()).expect("a twin never lives for four billion events");
        self.by_object.insert((event.object_id, position));
        self.rows.push(event);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Event)> {
        (FIRST_ID..).zip(&self.rows)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Event> {
        let position = usize::try_from(id.checked_sub(FIRST_ID)?).ok()?;
        self.rows.get(position)
    }

    /// Events after the one of id `mark`, or before it, in that direction; all of them without a mark.
    fn beyond(&self, mark: Option<u64>, downwards: bool) -> Box<dyn Iterator<Item = (u64, &Event)> + '_> {
        let mark = mark.map(|id| usize::try_from(id.saturating_sub(FIRST_ID)).unwrap_or(usize::MAX));
        let numbered = |(position, event)| (FIRST_ID + position as u64, event);
        let rows = self.rows.iter().enumerate();
        if downwards {
            let end = mark.unwrap_or(self.rows.len()).min(self.rows.len());
            return Box::new(self.rows[..end].iter().enumerate().rev().map(numbered));
        }
        Box::new(rows.skip(mark.map_or(0, |mark| mark.saturating_add(1))).map(numbered))
    }

    fn of_object(&self, object_id: u64) -> impl Iterator<Item = (u64, &Event)> {
        self.by_object
            .range((object_id, 0)..=(object_id, u32::MAX))
            .filter_map(|(_, position)| {
                self.get(FIRST_ID + u64::from(*position)).map(|event| (*position, event))
            })
            .map(|(position, event)| (FIRST_ID + u64::from(position), event))
    }
}

/// An event as it looks on the wire.
pub(crate) struct EventShape<'a> {
    pub(crate) id: u64,
    pub(crate) event: &'a Event,
}

impl Serialize for EventShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.event;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("context", &context(event))?;
        map.serialize_entry("created_datetime", &event.created)?;
        map.serialize_entry("data", &event.data)?;
        map.serialize_entry("object_id", &event.object_id)?;
        map.serialize_entry("object_type", event.object_type)?;
        map.serialize_entry("type", event.kind)?;
        map.serialize_entry("user_id", &event.user_id)?;
        map.serialize_entry("uri", &format!("/api/events/{}/", self.id))?;
        map.end()
    }
}

/// Groups the events of one request: same instant, same context.
fn context(event: &Event) -> String {
    format!("00000000-0000-4000-8000-{:012x}", event.created.0 & 0xffff_ffff_ffff)
}

/// Which events are wanted.
#[derive(Debug, Default)]
struct Wanted {
    object_id: Option<u64>,
    object_type: Option<&'static str>,
    types: Vec<String>,
    user: Option<u64>,
    after: Option<Instant>,
    from: Option<Instant>,
    before: Option<Instant>,
    until: Option<Instant>,
}

impl Wanted {
    fn read(query: &mut Query<'_>) -> Self {
        let wanted = Self {
            object_id: query.id("object_id"),
            object_type: query.word("object_type", &EVENT_OBJECTS),
            types: query.texts("types"),
            user: query.ids("user_ids", 1).and_then(|ids| ids.first().copied()),
            after: query.instant("created_datetime[gt]"),
            from: query.instant("created_datetime[gte]"),
            before: query.instant("created_datetime[lt]"),
            until: query.instant("created_datetime[lte]"),
        };
        if wanted.object_type.is_some() && wanted.object_id.is_none() {
            query.problem("object_type", "Needs object_id.");
        }
        wanted
    }

    fn keeps(&self, event: &Event) -> bool {
        self.object_type.is_none_or(|kind| kind == event.object_type)
            && (self.types.is_empty() || self.types.iter().any(|kind| kind == event.kind))
            && self.user.is_none_or(|user| Some(user) == event.user_id)
            && self.after.is_none_or(|bound| event.created > bound)
            && self.from.is_none_or(|bound| event.created >= bound)
            && self.before.is_none_or(|bound| event.created < bound)
            && self.until.is_none_or(|bound| event.created <= bound)
    }
}

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = Problems::new(state.refuses_unknown());
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&BY_CREATED, state.now, state.switches.cursor_life_seconds);
    let wanted = Wanted::read(&mut query);
    query.end()?;
    let place = |id: u64, event: &Event| -> Place { (SortValue::Number(event.created.0), id) };
    let slice = match wanted.object_id {
        Some(object_id) => page.of_rows(
            state
                .events
                .of_object(object_id)
                .filter(|(_, event)| wanted.keeps(event))
                .map(|(id, event)| place(id, event))
                .collect(),
        ),
        None => {
            let rows = state.events.beyond(page.beyond(), page.downwards());
            page.slice(rows.filter(|(_, event)| wanted.keeps(event)).map(|(id, event)| place(id, event)))
        }
    };
    let rows = slice.ids.iter().filter_map(|id| {
        let event = state.events.get(*id)?;
        Some(EventShape { id: *id, event })
    });
    Ok(Answer::ok(&list(call, &slice, rows.collect::<Vec<_>>(), false)))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let event = state.events.get(id).ok_or_else(|| Refusal::not_found("Event", id))?;
    Ok(Answer::ok(&EventShape { id, event }))
}

/// Why no survey was sent, in the words of the event's `data`.
pub(crate) fn survey_skipped(reasons: &[&str]) -> Option<Box<Value>> {
    Some(Box::new(json!({ "reasons": reasons })))
}
