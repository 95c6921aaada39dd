//! What the endpoints of the small tables share: pages of plain records, and partial updates of them.

use serde_json::{Value, json};

use super::answer::{Answer, Answered, Refusal};
use super::query::{Page, Place, SortValue};
use super::reading::Given;
use super::route::Call;
use super::shapes::list;
use super::tables::{Plain, Shelf, text_of};

/// A page of the records that `keep` lets through, sorted by creation.
pub(crate) fn page_of(
    call: &Call,
    page: &Page,
    shelf: &Shelf,
    total: bool,
    keep: impl Fn(&Plain) -> bool,
) -> Answer {
    // Instants of plain records are texts of one form, so their order is the order of time.
    let place = |(id, row): (u64, &Plain)| -> Place {
        (SortValue::Text(text_of(row, "created_datetime").to_owned()), id)
    };
    let rows = shelf.iter().filter(|(_, row)| keep(row)).map(place).collect();
    let slice = page.of_rows(rows);
    let rows: Vec<&Plain> = slice.ids.iter().filter_map(|id| shelf.get(*id)).collect();
    Answer::ok(&list(call, &slice, rows, total))
}

/// The record of this id, or a 404 that names the kind.
pub(crate) fn find<'a>(shelf: &'a Shelf, what: &str, id: u64) -> Answered<&'a Plain> {
    shelf.get(id).ok_or_else(|| Refusal::not_found(what, id))
}

/// Sets a key as a partial update does.
pub(crate) fn set<T: Into<Value>>(row: &mut Plain, key: &str, given: Given<T>) {
    match given {
        Given::Absent => {}
        Given::Null => {
            row.insert(key.to_owned(), Value::Null);
        }
        Given::Value(value) => {
            row.insert(key.to_owned(), value.into());
        }
    }
}

/// An object literal as a plain record.
pub(crate) fn plain(value: Value) -> Plain {
    match value {
        Value::Object(row) => row,
        other => Plain::from_iter([("value".to_owned(), json!(other))]),
    }
}
