//! Endpoints below one customer: custom values and free data.

use serde_json::json;

use super::answer::{Answer, Answered, Refusal};
use super::config::ValuesAnswer;
use super::customers::find;
use super::model::{CustomerData, ObjectType, Values};
use super::reading::{Given, Reader};
use super::route::Call;
use super::shapes::{FieldValueShape, ValueListShape};
use super::state::State;
use super::values::{after_put, put, read_single, read_values};

pub(crate) fn values(state: &mut State, call: &Call) -> Answered<Answer> {
    find(state, call.id(0))?;
    answer(state, call.id(0), 200)
}

fn answer(state: &State, id: u64, status: u16) -> Answered<Answer> {
    let shape = ValueListShape { state, values: &find(state, id)?.values };
    Ok(match state.switches.values_answer {
        ValuesAnswer::Wrapped => Answer::json(status, &json!({ "data": shape })),
        ValuesAnswer::Bare => Answer::json(status, &shape),
    })
}

pub(crate) fn set_values(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    find(state, id)?;
    let Ok(rows) = serde_json::from_value(call.json()?) else {
        return Err(Refusal::bad_request("The body must be a list of custom values."));
    };
    let problems = state.problems();
    let new = read_values(state, ObjectType::Customer, rows, "values", &problems);
    problems.check()?;
    let after = after_put(state, &find(state, id)?.values, new);
    store(state, id, after);
    answer(state, id, 202)
}

pub(crate) fn set_value(state: &mut State, call: &Call) -> Answered<Answer> {
    let (id, field) = (call.id(0), call.id(1));
    find(state, id)?;
    let value = read_single(state, call, ObjectType::Customer, field)?;
    let mut after = find(state, id)?.values.clone();
    put(&mut after, field, value.clone());
    store(state, id, after);
    let field = state.fields.get(&field).ok_or_else(|| Refusal::not_found("Custom field", field))?;
    Ok(Answer::accepted(&FieldValueShape { field, value: &value }))
}

pub(crate) fn remove_value(state: &mut State, call: &Call) -> Answered<Answer> {
    let (id, field) = (call.id(0), call.id(1));
    let mut after = find(state, id)?.values.clone();
    if !after.iter().any(|(found, _)| *found == field) {
        return Err(Refusal::not_found("Custom field value", field));
    }
    put(&mut after, field, serde_json::Value::Null);
    store(state, id, after);
    Ok(Answer::deleted())
}

fn store(state: &mut State, id: u64, values: Values) {
    let now = state.now;
    state.customers.change(id, |customer| {
        customer.values = values;
        customer.updated = now;
    });
    state.log("customer-updated", "Customer", id);
}

/// Replaces the free data; an older `version` than the stored one is silently ignored (facts: customers).
pub(crate) fn set_data(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    find(state, id)?;
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let value = reader.any("data");
    if value.is_absent() {
        reader.problem("data", "Missing data for required field.");
    }
    let version = reader.instant("version").value();
    reader.end();
    problems.check()?;
    let now = state.now;
    state.customers.change(id, |customer| {
        let stored = customer.custom.as_ref().and_then(|data| data.version);
        if version.is_some() && version < stored {
            return;
        }
        customer.updated = now;
        customer.custom = match value {
            Given::Value(value) => Some(Box::new(CustomerData { value, version })),
            Given::Absent | Given::Null => None,
        };
    });
    Ok(Answer::empty(202))
}
