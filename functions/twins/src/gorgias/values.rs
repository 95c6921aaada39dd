//! Values of custom fields: reading them from requests and holding them against their definitions.
//!
//! Deliberately absent: the definitions themselves; see `fields`.

use serde_json::Value;

use super::answer::Answered;
use super::config::{SingleValue, ValuesPut};
use super::model::{Field, ObjectType, Values};
use super::reading::{Problems, Reader};
use super::route::Call;
use super::state::State;

/// Reads `[{id, value}]`; every value must fit an active field of `object`. Nulls are kept: they clear.
pub(crate) fn read_values(
    state: &State,
    object: ObjectType,
    rows: Vec<Value>,
    path: &str,
    problems: &Problems,
) -> Values {
    let mut values = Values::new();
    for (position, row) in rows.into_iter().enumerate() {
        let Some(mut reader) = Reader::nested(row, format!("{path}.{position}"), problems) else { continue };
        let id = reader.id("id");
        let id = reader.required("id", id);
        let value = reader.any("value");
        if value.is_absent() {
            reader.problem("value", "Missing data for required field.");
        }
        let value = value.value().unwrap_or(Value::Null);
        if let Some(id) = id {
            match fitting(state, object, id, &value) {
                Err((key, message)) => reader.problem(key, message),
                Ok(()) => match values.binary_search_by_key(&id, |row| row.0) {
                    Ok(_) => reader.problem("id", "Duplicate custom field."),
                    Err(place) => values.insert(place, (id, value)),
                },
            }
        }
        reader.end();
    }
    values
}

/// Whether `value` may be stored in the field of this id; the error names the key that is wrong.
pub(crate) fn fitting(
    state: &State,
    object: ObjectType,
    id: u64,
    value: &Value,
) -> Result<(), (&'static str, String)> {
    let field = state
        .fields
        .get(&id)
        .filter(|field| field.object == object)
        .ok_or_else(|| ("id", format!("This {} field does not exist.", object.name().to_lowercase())))?;
    if field.deactivated.is_some() {
        return Err(("id", "This custom field is archived.".to_owned()));
    }
    check_value(field, value, state.switches.text_value_chars_max).map_err(|message| ("value", message))
}

fn check_value(field: &Field, value: &Value, text_max: Option<usize>) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    let settings = &field.definition["input_settings"];
    let data_type = field.definition["data_type"].as_str().unwrap_or_default();
    match (data_type, value) {
        ("text", Value::String(text)) => {
            if text_max.is_some_and(|max| text.chars().count() > max) {
                return Err(format!("Longer than maximum length {}.", text_max.unwrap_or_default()));
            }
        }
        ("number", Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            let bound = |key: &str| match &settings[key] {
                Value::Number(bound) => bound.as_f64(),
                Value::String(bound) => bound.parse().ok(),
                _ => None,
            };
            if bound("min").is_some_and(|least| number < least)
                || bound("max").is_some_and(|most| number > most)
            {
                return Err("Outside of min and max.".to_owned());
            }
        }
        ("boolean", Value::Bool(_)) => {}
        _ => return Err(format!("Not a valid {data_type}.")),
    }
    match settings["choices"].as_array() {
        Some(choices) if settings["input_type"] == "dropdown" && !choices.contains(value) => {
            Err("Not one of the choices.".to_owned())
        }
        _ => Ok(()),
    }
}

/// The values that a PUT of an array leaves behind: by default exactly those of the array.
pub(crate) fn after_put(state: &State, old: &Values, new: Values) -> Values {
    let mut after = match state.switches.values_put {
        ValuesPut::Replace => Values::new(),
        ValuesPut::Merge => old.clone(),
    };
    for (id, value) in new {
        put(&mut after, id, value);
    }
    after
}

/// Sets one value; null removes it.
pub(crate) fn put(values: &mut Values, id: u64, value: Value) {
    match values.binary_search_by_key(&id, |row| row.0) {
        Ok(place) if value.is_null() => {
            values.remove(place);
        }
        Ok(place) => values[place].1 = value,
        Err(_) if value.is_null() => {}
        Err(place) => values.insert(place, (id, value)),
    }
}

/// Reads the body of a PUT of one value, whose form is a switch.
pub(crate) fn read_single(state: &State, call: &Call, object: ObjectType, field: u64) -> Answered<Value> {
    let problems = state.problems();
    let body = call.json()?;
    let value = match state.switches.single_value {
        SingleValue::Bare => body,
        SingleValue::Wrapped => {
            let mut reader = Reader::body(body, &problems)?;
            let id = reader.id("id");
            if reader.required("id", id).is_some_and(|id| id != field) {
                reader.problem("id", "Differs from the address.");
            }
            let value = reader.any("value").value().unwrap_or(Value::Null);
            reader.end();
            value
        }
    };
    if let Err((_, message)) = fitting(state, object, field, &value) {
        problems.add("value", message);
    }
    problems.check()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gorgias::clock::Instant;
    use crate::gorgias::model::Origin;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "table rows are written in place")]
    fn check(data_type: &str, settings: Value, value: Value, expected: Result<(), &str>) {
        let field = Field {
            id: 1,
            external_id: None,
            object: ObjectType::Ticket,
            label: "Label".to_owned(),
            description: None,
            priority: 0,
            required: false,
            requirement: "visible",
            managed: None,
            definition: json!({ "data_type": data_type, "input_settings": settings }),
            created: Instant(0),
            updated: Instant(0),
            deactivated: None,
            origin: Origin::Client,
        };
        let found = check_value(&field, &value, Some(5));
        assert_eq!(found, expected.map_err(str::to_owned), "{value} as {data_type}");
    }

    #[test]
    fn values_fit_their_definition() {
        let input = json!({ "input_type": "input" });
        check("text", input.clone(), json!("abcde"), Ok(()));
        check("text", input.clone(), json!("äöäöä"), Ok(()));
        check("text", input.clone(), json!("abcdef"), Err("Longer than maximum length 5."));
        check("text", input.clone(), json!(5), Err("Not a valid text."));
        check("text", input, json!(null), Ok(()));
        let dropdown = json!({ "input_type": "dropdown", "choices": ["a", "a::b"] });
        check("text", dropdown.clone(), json!("a::b"), Ok(()));
        check("text", dropdown, json!("b"), Err("Not one of the choices."));
        let number = json!({ "input_type": "input_number", "min": 1, "max": "10" });
        check("number", number.clone(), json!(1), Ok(()));
        check("number", number.clone(), json!(10.5), Err("Outside of min and max."));
        check("number", number, json!("5"), Err("Not a valid number."));
        let boolean = json!({ "input_type": "dropdown", "choices": [true] });
        check("boolean", boolean.clone(), json!(true), Ok(()));
        check("boolean", boolean.clone(), json!(false), Err("Not one of the choices."));
        check("boolean", boolean, json!("true"), Err("Not a valid boolean."));
    }
}
