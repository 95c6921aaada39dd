//! Endpoints of tags.
//!
//! Names are unique and case counts. A tag that a rule or macro uses cannot be deleted, and a view that uses a
//! deleted tag is deactivated (facts: tags).

use rand::Rng;
use serde_json::Value;

use super::answer::{Answer, Answered, Refusal};
use super::ledger::codes;
use super::model::{Origin, Tag};
use super::query::{Order, Place, Query, SortValue, order};
use super::reading::{Given, Problems, Reader};
use super::route::Call;
use super::shapes::{TagShape, list};
use super::state::State;
use super::tables::{is_null, text_of};

const ORDERS: [Order; 6] = [
    order("created_datetime:desc"),
    order("created_datetime:asc"),
    order("name:asc"),
    order("name:desc"),
    order("usage:asc,name:asc"),
    order("usage:desc,name:desc"),
];
const NAME_CHARS_MAX: usize = 256;
const DESCRIPTION_CHARS_MAX: usize = 1_024;
/// Most tags that one request deletes or merges. Not documented.
const BULK_MAX: usize = 100;

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&ORDERS, state.now, state.switches.cursor_life_seconds);
    let search = query.text("search").map(|text| text.to_lowercase());
    query.end()?;
    let keep = |tag: &&Tag| search.as_deref().is_none_or(|text| tag.name.to_lowercase().contains(text));
    let place = |tag: &Tag| -> Place {
        let value = match page.attribute() {
            "name" => SortValue::Text(tag.name.clone()),
            "usage" => SortValue::Text(format!("{:020} {}", tag.usage, tag.name)),
            _ => SortValue::Number(tag.created.0),
        };
        (value, tag.id)
    };
    let slice = page.of_rows(state.tags.iter().filter(keep).map(place).collect());
    let rows = slice.ids.iter().filter_map(|id| state.tags.get(*id)).map(TagShape);
    Ok(Answer::ok(&list(call, &slice, rows.collect(), true)))
}

fn find(state: &State, id: u64) -> Answered<&Tag> {
    state.tags.get(id).ok_or_else(|| Refusal::not_found("Tag", id))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    Ok(Answer::ok(&TagShape(find(state, call.id(0))?)))
}

/// Reads a decoration's colour; none means that the server draws one.
pub(crate) fn read_color(reader: &mut Reader<'_>, problems: &Problems) -> Option<String> {
    let decoration = reader.object("decoration").value()?;
    let mut nested = Reader::nested(decoration, reader.path("decoration"), problems)?;
    let color = nested.text("color", 7..=7).value();
    let hex =
        |text: &str| text.starts_with('#') && text.bytes().skip(1).all(|digit| digit.is_ascii_hexdigit());
    if color.as_deref().is_some_and(|text| !hex(text)) {
        nested.problem("color", "Not a colour like #a1b2c3.");
    }
    nested.end();
    color
}

/// Reads a new name; `own` is the tag that may keep its name.
fn read_name(state: &State, reader: &mut Reader<'_>, own: Option<u64>) -> Option<String> {
    let name = reader.text("name", 1..=NAME_CHARS_MAX);
    let name = if own.is_none() { reader.required("name", name) } else { reader.solid("name", name) };
    let taken = |name: &str| state.tags.named(name).is_some_and(|tag| Some(tag.id) != own);
    if name.as_deref().is_some_and(taken) {
        reader.problem("name", "A tag with this name already exists.");
    }
    name
}

/// Stores a new tag and returns its id.
pub(crate) fn add(
    state: &mut State,
    name: String,
    description: Option<String>,
    color: Option<String>,
) -> u64 {
    let drawn = state.random.next_u32() & 0x00ff_ffff;
    let tag = Tag {
        id: state.ids.tag.next(&mut state.random),
        name,
        description,
        color: color.unwrap_or_else(|| format!("#{drawn:06x}")),
        usage: 0,
        created: state.now,
        origin: state.actor.origin,
    };
    let id = tag.id;
    state.tags.insert(tag);
    state.log("tag-created", "Tag", id);
    id
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let name = read_name(state, &mut reader, None);
    let description = reader.text("description", 0..=DESCRIPTION_CHARS_MAX).value();
    let color = read_color(&mut reader, &problems);
    reader.end();
    problems.check()?;
    let id = add(state, name.unwrap_or_default(), description, color);
    Ok(Answer::created(&TagShape(find(state, id)?)))
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    find(state, id)?;
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let name = read_name(state, &mut reader, Some(id));
    let description = reader.text("description", 0..=DESCRIPTION_CHARS_MAX);
    let color = read_color(&mut reader, &problems);
    reader.end();
    problems.check()?;
    state.tags.change(id, |tag| {
        if let Some(name) = name {
            tag.name = name;
        }
        if let Some(color) = color {
            tag.color = color;
        }
        Given::apply(description, &mut tag.description);
    });
    state.log("tag-updated", "Tag", id);
    Ok(Answer::accepted(&TagShape(find(state, id)?)))
}

/// What keeps a tag from being deleted: a rule or a macro that uses it.
fn user_of(state: &State, name: &str) -> Option<String> {
    let quoted = [format!("'{name}'"), format!("\"{name}\"")];
    let mentions = |text: &str| quoted.iter().any(|quoted| text.contains(quoted.as_str()));
    if let Some((id, _)) = state.rules.iter().find(|(_, rule)| mentions(text_of(rule, "code"))) {
        return Some(format!("rule {id}"));
    }
    let in_macro = |actions: &Value| {
        actions.as_array().is_some_and(|actions| {
            actions.iter().any(|action| {
                let tags = action["arguments"]["tags"].as_str().unwrap_or_default();
                tags.split(',').any(|tag| tag.trim() == name)
            })
        })
    };
    let found = state.macros.iter().find(|(_, plain)| plain.get("actions").is_some_and(in_macro));
    found.map(|(id, _)| format!("macro {id}"))
}

fn check_unused(state: &State, id: u64) -> Answered<()> {
    match user_of(state, &find(state, id)?.name) {
        Some(user) => Err(Refusal::bad_request(format!("This tag is used by {user}."))),
        None => Ok(()),
    }
}

fn remove(state: &mut State, id: u64) {
    let Some(tag) = state.tags.remove(id) else { return };
    if tag.origin != Origin::Client {
        let entry = state.entry(codes::FOREIGN_RECORD, format!("tag {id}"));
        state.violation(entry);
    }
    let tagged: Vec<u64> = tickets_with(state, id);
    for ticket in tagged {
        state.tickets.change(ticket, |ticket| ticket.tags.retain(|tag| *tag != id));
    }
    let (quoted, now) = (format!("'{}'", tag.name), state.now);
    let views: Vec<u64> = state
        .views
        .iter()
        .filter(|(_, view)| {
            text_of(view, "filters").contains(&quoted) && is_null(view, "deactivated_datetime")
        })
        .map(|(view, _)| view)
        .collect();
    for view in views {
        if let Some(view) = state.views.get_mut(view) {
            view.insert("deactivated_datetime".to_owned(), now.text().into());
        }
    }
    state.log("tag-deleted", "Tag", id);
}

fn tickets_with(state: &State, tag: u64) -> Vec<u64> {
    state.tickets.iter().filter(|ticket| ticket.tags.contains(&tag)).map(|ticket| ticket.id).collect()
}

pub(crate) fn destroy(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    check_unused(state, id)?;
    remove(state, id);
    Ok(Answer::deleted())
}

pub(crate) fn destroy_many(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let ids = reader.ids("ids", BULK_MAX);
    let ids = reader.required("ids", ids);
    reader.end();
    problems.check()?;
    let ids = ids.unwrap_or_default();
    for id in &ids {
        check_unused(state, *id)?;
    }
    for id in ids {
        remove(state, id);
    }
    Ok(Answer::deleted())
}

pub(crate) fn merge(state: &mut State, call: &Call) -> Answered<Answer> {
    let target = call.id(0);
    find(state, target)?;
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let sources = reader.ids("source_tags_ids", BULK_MAX);
    let sources = reader.required("source_tags_ids", sources).unwrap_or_default();
    reader.end();
    if sources.contains(&target) {
        problems.add("source_tags_ids", "Must not contain the destination.");
    }
    problems.check()?;
    for source in &sources {
        find(state, *source)?;
    }
    for source in sources {
        for ticket in tickets_with(state, source) {
            let gained = state.tickets.change(ticket, |ticket| {
                ticket.tags.retain(|tag| *tag != source);
                let gained = !ticket.tags.contains(&target);
                if gained {
                    ticket.tags.push(target);
                }
                gained
            });
            if gained == Some(true) {
                state.tags.count_use(target, true);
            }
        }
        let entry = state.entry(codes::MERGED, format!("tag {source} into {target}"));
        state.violation(entry);
        remove(state, source);
    }
    state.log("tag-merged", "Tag", target);
    Ok(Answer::accepted(&TagShape(find(state, target)?)))
}
