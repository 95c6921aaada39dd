//! Endpoints of custom field definitions. A definition is never deleted, only archived (facts: custom fields).

use serde_json::{Value, json};

use super::answer::{Answer, Answered, Refusal};
use super::clock::Instant;
use super::config::FieldCap;
use super::ledger::codes;
use super::model::{Field, ObjectType, Origin};
use super::query::{Order, Place, Query, SortValue, order};
use super::reading::{Given, Problems, Reader};
use super::route::Call;
use super::shapes::{FieldShape, list};
use super::state::State;
use super::words::{CUSTOMER_MANAGED_TYPES, REQUIREMENTS, TICKET_MANAGED_TYPES};

const ORDERS: [Order; 2] = [order("priority:desc"), order("priority:asc")];
/// Most active custom fields (facts: custom fields).
const ACTIVE_MAX: usize = 25;
const LABEL_CHARS_MAX: usize = 255;
const DESCRIPTION_CHARS_MAX: usize = 1_024;
const PRIORITY_MAX: i64 = 5_000;

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&ORDERS, state.now, state.switches.cursor_life_seconds);
    if !query.has("object_type") {
        query.problem("object_type", "Missing data for required field.");
    }
    let object = query.word("object_type", &ObjectType::NAMES).map(ObjectType::named);
    let search = query.text("search").map(|text| text.to_lowercase());
    let archived = query.boolean("archived");
    query.end()?;
    let keep = |field: &&Field| {
        Some(field.object) == object
            && search.as_deref().is_none_or(|text| field.label.to_lowercase().contains(text))
            && archived.is_none_or(|archived| field.deactivated.is_some() == archived)
    };
    let place = |field: &Field| -> Place { (SortValue::Number(field.priority), field.id) };
    let slice = page.of_rows(state.fields.values().filter(keep).map(place).collect());
    let rows = slice.ids.iter().filter_map(|id| state.fields.get(id)).map(FieldShape);
    Ok(Answer::ok(&list(call, &slice, rows.collect(), true)))
}

fn find(state: &State, id: u64) -> Answered<&Field> {
    state.fields.get(&id).ok_or_else(|| Refusal::not_found("Custom field", id))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    Ok(Answer::ok(&FieldShape(find(state, call.id(0))?)))
}

/// Reads all keys of a definition into `field`.
fn read_into(mut reader: Reader<'_>, field: &mut Field, new: bool, problems: &Problems) {
    let object = reader.word("object_type", &ObjectType::NAMES);
    let label = reader.text("label", 1..=LABEL_CHARS_MAX);
    let definition = reader.object("definition");
    if new {
        reader.required("object_type", object.clone());
        reader.required("label", label.clone());
        reader.required("definition", definition.clone());
    }
    if let Some(object) = reader.solid("object_type", object).map(ObjectType::named) {
        if !new && object != field.object {
            reader.problem("object_type", "Cannot be changed.");
        }
        field.object = object;
    }
    if let Some(label) = reader.solid("label", label) {
        field.label = label;
    }
    if let Some(definition) = reader.solid("definition", definition) {
        let checked = check_definition(definition.clone(), &reader.path("definition"), problems);
        let same = definition["data_type"] == field.definition["data_type"];
        if !new && !same {
            reader.problem("definition", "The data type cannot be changed.");
        }
        field.definition = checked.unwrap_or(definition);
    }
    reader.text("description", 0..=DESCRIPTION_CHARS_MAX).apply(&mut field.description);
    reader.text("external_id", 0..=LABEL_CHARS_MAX).apply(&mut field.external_id);
    if let Some(priority) = reader.integer("priority", 0..=PRIORITY_MAX).value() {
        field.priority = priority;
    }
    let required = reader.boolean("required");
    field.required = reader.solid("required", required).unwrap_or(field.required);
    let requirement = reader.word("requirement_type", &REQUIREMENTS);
    field.requirement = reader.solid("requirement_type", requirement).unwrap_or(field.requirement);
    let managed: &[&'static str] = match field.object {
        ObjectType::Ticket => &TICKET_MANAGED_TYPES,
        ObjectType::Customer => &CUSTOMER_MANAGED_TYPES,
    };
    match reader.word("managed_type", managed) {
        Given::Absent => {}
        Given::Null => field.managed = None,
        Given::Value(managed) => field.managed = Some(managed),
    }
    reader.instant("deactivated_datetime").apply(&mut field.deactivated);
    reader.end();
}

/// The definition if it is one of the four kinds (facts: custom fields).
fn check_definition(definition: Value, path: &str, problems: &Problems) -> Option<Value> {
    let kept = definition.clone();
    let mut reader = Reader::nested(definition, path.to_owned(), problems)?;
    let data_type = reader.word("data_type", &["text", "number", "boolean"]);
    let data_type = reader.required("data_type", data_type)?;
    let settings = reader.object("input_settings");
    let settings = reader.required("input_settings", settings)?;
    let mut nested = Reader::nested(settings, reader.path("input_settings"), problems)?;
    let types: &[&'static str] = match data_type {
        "text" => &["input", "dropdown"],
        "number" => &["input_number"],
        _ => &["dropdown"],
    };
    let input_type = nested.word("input_type", types);
    let input_type = nested.required("input_type", input_type)?;
    match (data_type, input_type) {
        ("text", "dropdown") => {
            let choices = nested.texts("choices");
            let choices = nested.required("choices", choices).unwrap_or_default();
            let default = nested.text("default", 0..=LABEL_CHARS_MAX).value();
            if default.is_some_and(|default| !choices.contains(&default)) {
                nested.problem("default", "Not one of the choices.");
            }
        }
        ("boolean", _) => {
            let choices = nested.list("choices").value().unwrap_or_default();
            if !choices.iter().all(Value::is_boolean) {
                nested.problem("choices", "Not a valid list of booleans.");
            }
            nested.boolean("default");
        }
        _ => {
            nested.text("placeholder", 0..=LABEL_CHARS_MAX);
        }
    }
    if data_type == "number" {
        for bound in ["min", "max"] {
            let value = nested.any(bound).value();
            let numeric = |value: &Value| {
                value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok())
            };
            if value.is_some_and(|value| !numeric(&value)) {
                nested.problem(bound, "Not a valid number.");
            }
        }
    }
    nested.end();
    reader.end();
    Some(kept)
}

/// Refuses a label that is taken anywhere in the account, archived fields included, and fields beyond the cap.
fn check_room(state: &State, field: &Field, problems: &Problems, path: &str) {
    let mut others = state.fields.values().filter(|other| other.id != field.id);
    if others.clone().any(|other| other.label == field.label) {
        problems.add(&format!("{path}label"), "A custom field with this label already exists.");
    }
    let was_active = state.fields.get(&field.id).is_some_and(|old| old.deactivated.is_none());
    if field.deactivated.is_some() || was_active {
        return;
    }
    let counted = |other: &&Field| {
        other.deactivated.is_none()
            && (state.switches.field_cap == FieldCap::Overall || other.object == field.object)
    };
    if others.by_ref().filter(counted).count() >= ACTIVE_MAX {
        problems
            .add(&format!("{path}object_type"), format!("No more than {ACTIVE_MAX} active custom fields."));
    }
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut field = blank(state.now, state.actor.origin);
    let reader = Reader::body(call.json()?, &problems)?;
    read_into(reader, &mut field, true, &problems);
    check_room(state, &field, &problems, "");
    problems.check()?;
    let id = add(state, field);
    Ok(Answer::created(&FieldShape(find(state, id)?)))
}

/// A definition before anything is known about it.
pub(crate) fn blank(now: Instant, origin: Origin) -> Field {
    Field {
        id: 0,
        external_id: None,
        object: ObjectType::Ticket,
        label: String::new(),
        description: None,
        priority: 0,
        required: false,
        requirement: "visible",
        managed: None,
        definition: json!({}),
        created: now,
        updated: now.plus_micros(5),
        deactivated: None,
        origin,
    }
}

/// Stores a definition under a new id. The server puts it above all others, whatever priority was asked for
/// (facts: the server may override it).
pub(crate) fn add(state: &mut State, mut field: Field) -> u64 {
    field.id = state.ids.field.next(&mut state.random);
    if state.switches.server_changes {
        let same = state.fields.values().filter(|other| other.object == field.object);
        field.priority = 1 + same.map(|other| other.priority).max().unwrap_or_default();
    }
    let id = field.id;
    state.fields.insert(id, field);
    state.log("custom-field-created", "CustomField", id);
    id
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut field = find(state, call.id(0))?.clone();
    let reader = Reader::body(call.json()?, &problems)?;
    read_into(reader, &mut field, false, &problems);
    check_room(state, &field, &problems, "");
    problems.check()?;
    let id = field.id;
    store(state, field);
    Ok(Answer::accepted(&FieldShape(find(state, id)?)))
}

fn store(state: &mut State, mut field: Field) {
    let id = field.id;
    field.updated = state.now;
    let archived = field.deactivated.is_some()
        && state.fields.get(&id).is_some_and(|old| old.deactivated.is_none() && old.origin != Origin::Client);
    if archived {
        let entry = state.entry(codes::FOREIGN_RECORD, format!("custom field {id} archived"));
        state.violation(entry);
    }
    state.fields.insert(id, field);
    state.log("custom-field-updated", "CustomField", id);
}

pub(crate) fn update_many(state: &mut State, call: &Call) -> Answered<Answer> {
    let Value::Array(rows) = call.json()? else {
        return Err(Refusal::bad_request("The body must be a list of custom fields."));
    };
    let problems = state.problems();
    let mut changed = Vec::with_capacity(rows.len());
    for (position, row) in rows.into_iter().enumerate() {
        let path = position.to_string();
        let Some(mut reader) = Reader::nested(row, path.clone(), &problems) else { continue };
        let id = reader.id("id");
        let Some(id) = reader.required("id", id) else { continue };
        let mut field = find(state, id)?.clone();
        read_into(reader, &mut field, false, &problems);
        check_room(state, &field, &problems, &format!("{path}."));
        changed.push(field);
    }
    problems.check()?;
    let ids: Vec<u64> = changed.iter().map(|field| field.id).collect();
    for field in changed {
        store(state, field);
    }
    let rows: Vec<_> = ids.iter().filter_map(|id| state.fields.get(id)).map(FieldShape).collect();
    Ok(Answer::accepted(&json!({ "data": rows })))
}
