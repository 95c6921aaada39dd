//! Proves that an answer is of the shape that was asked for, before anybody reads meaning into it.
//!
//! What cannot be proven is refused, never read as "nothing there". Reasons name positions and kinds, never content.
//! Deliberately absent: the meaning of fields; the texts go on as received.

use bytes::Bytes;
use pipeline::ports::leaddesk::{ListItem, PhoneHistory, REST_PAGE_ITEMS, RestPage};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::http::Answer;

/// Columns of a list export (facts: list export).
const EXPORT_COLUMNS: usize = 14;

/// What a question's answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Json,
    Csv,
    /// A redirect or the file itself; the body is not read.
    Location,
}

/// Media types that errors may name; others are the server's own words.
const KNOWN_TYPES: [&str; 8] = [
    "application/json",
    "application/octet-stream",
    "application/xml",
    "audio/mpeg",
    "text/csv",
    "text/html",
    "text/plain",
    "text/xml",
];

/// Why an answer of this media type cannot be the one; `None` when it can. A missing type is no fault: error bodies and
/// exports have none documented.
pub(super) fn media_fault(expected: Expected, media_type: Option<&str>) -> Option<String> {
    let media_type = media_type?;
    let fits = match expected {
        Expected::Location => true,
        Expected::Json => {
            matches!(media_type, "application/json" | "text/json" | "text/plain")
                || media_type.ends_with("+json")
        }
        Expected::Csv => matches!(
            media_type,
            "text/csv"
                | "application/csv"
                | "text/plain"
                | "application/octet-stream"
                | "application/vnd.ms-excel"
        ),
    };
    let name = KNOWN_TYPES.into_iter().find(|known| *known == media_type).unwrap_or("of an unknown kind");
    (!fits).then(|| format!("content type {name}"))
}

/// Why an answer does not show that there is a recording: neither an address nor sound.
pub(super) fn recording_fault(answer: &Answer) -> Option<String> {
    if answer.is_redirect() {
        let has_address = answer.headers.contains_key(reqwest::header::LOCATION);
        return (!has_address).then(|| "a redirect without an address".to_owned());
    }
    let media_type = answer.media_type().unwrap_or_default();
    let is_sound = media_type.starts_with("audio/") || media_type == "application/octet-stream";
    (!is_sound).then(|| "neither an address nor sound".to_owned())
}

/// The address that a recording's answer gives.
pub(super) fn location(answer: &Answer) -> Result<String, String> {
    if !answer.is_redirect() {
        return Err("sound or a page instead of the address of a recording".to_owned());
    }
    let location = answer.headers.get(reqwest::header::LOCATION).ok_or("a redirect without an address")?;
    location.to_str().map(str::to_owned).map_err(|_| "an address that is no text".to_owned())
}

/// The body without the mark that some exports begin with.
pub(super) fn without_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The body as JSON text.
fn json_text(body: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(body).map_err(|_| "not UTF-8".to_owned())?;
    if text.trim_start().starts_with('<') {
        return Err("HTML instead of JSON".to_owned());
    }
    if text.trim().is_empty() {
        return Err("empty".to_owned());
    }
    Ok(text)
}

fn parse<'b, T: Deserialize<'b>>(text: &'b str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Eof => "JSON that is cut off",
            serde_json::error::Category::Syntax => "not JSON",
            serde_json::error::Category::Io | serde_json::error::Category::Data => "JSON of another shape",
        };
        format!("{kind}, line {} column {}", error.line(), error.column())
    })
}

/// An id: text here, number there (facts: pitfalls).
fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// `calling_list/list`: a bare array of items with id and name.
pub(super) fn lists(body: &[u8]) -> Result<Vec<ListItem>, String> {
    #[derive(Deserialize)]
    struct Item {
        id: Value,
        name: String,
    }
    let items: Vec<&RawValue> = parse(json_text(body)?)?;
    let read = |(position, raw): (usize, &&RawValue)| {
        let item: Item = parse(raw.get()).map_err(|why| format!("item {position}: {why}"))?;
        let id = id_text(&item.id).ok_or_else(|| format!("item {position} has no id"))?;
        Ok(ListItem { id, name: item.name, raw_json: raw.get().to_owned() })
    };
    items.iter().enumerate().map(read).collect()
}

/// `calling_list/export`: CSV text that ends where it should. Rows are judged by the step that knows their columns.
pub(super) fn export(body: &[u8]) -> Result<Bytes, String> {
    let text = std::str::from_utf8(body).map_err(|_| "not UTF-8".to_owned())?;
    let start = text.trim_start();
    if start.starts_with('<') || start.starts_with('{') || start.starts_with('[') {
        return Err("no CSV".to_owned());
    }
    if text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
        return Err("cut off inside a quoted value".to_owned());
    }
    if !text.is_empty() && !text.ends_with('\n') && columns_of_last_row(text) != EXPORT_COLUMNS {
        return Err("cut off inside the last row".to_owned());
    }
    Ok(Bytes::copy_from_slice(body))
}

/// Columns of the last row; line ends and separators inside quotes do not count.
fn columns_of_last_row(text: &str) -> usize {
    let (mut quoted, mut columns) = (false, 1);
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => columns = 1,
            b';' if !quoted => columns += 1,
            _ => {}
        }
    }
    columns
}

/// `contact/get` for this id, as text.
pub(super) fn contact(body: &[u8], contact_id: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Answer {
        success: bool,
        #[serde(default)]
        contact_id: Value,
        data: serde_json::Map<String, Value>,
    }
    let text = json_text(body)?;
    let answer: Answer = parse(text)?;
    if !answer.success {
        return Err("success is false without a code".to_owned());
    }
    let found = id_text(&answer.contact_id).or_else(|| id_text(answer.data.get("id")?));
    same_id(found.as_deref(), contact_id)?;
    Ok(text.to_owned())
}

/// `call/get` for this id, as text: one flat object.
pub(super) fn call(body: &[u8], call_id: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Answer {
        id: Value,
    }
    let text = json_text(body)?;
    let answer: Answer = parse(text)?;
    same_id(id_text(&answer.id).as_deref(), call_id)?;
    Ok(text.to_owned())
}

fn same_id(found: Option<&str>, asked: &str) -> Result<(), String> {
    match found {
        Some(found) if found == asked => Ok(()),
        Some(_) => Err("it is about another record".to_owned()),
        None => Err("it does not say which record it is about".to_owned()),
    }
}

/// A REST collection. A page before the announced end that holds nothing is refused.
pub(super) fn rest_page(body: &[u8], page: u32) -> Result<RestPage, String> {
    #[derive(Deserialize)]
    struct Meta {
        count: u64,
    }
    #[derive(Deserialize)]
    struct Answer<'b> {
        #[serde(rename = "_meta")]
        meta: Meta,
        #[serde(borrow)]
        collection: Vec<&'b RawValue>,
    }
    let answer: Answer<'_> = parse(json_text(body)?)?;
    let before = u64::from(page.saturating_sub(1)) * u64::from(REST_PAGE_ITEMS);
    if answer.collection.is_empty() && before < answer.meta.count {
        return Err(format!("page {page} is empty, {} items are announced", answer.meta.count));
    }
    if answer.collection.iter().any(|item| !item.get().starts_with('{')) {
        return Err("an item is no object".to_owned());
    }
    let items = answer.collection.iter().map(|item| item.get().to_owned()).collect();
    Ok(RestPage { announced: answer.meta.count, items })
}

/// The personal-data read of one number: `calls.agent[]` must be there, be it empty.
pub(super) fn phone_history(body: &[u8]) -> Result<PhoneHistory, String> {
    #[derive(Deserialize)]
    struct Calls<'b> {
        #[serde(borrow)]
        agent: Vec<&'b RawValue>,
    }
    #[derive(Deserialize)]
    struct Answer<'b> {
        #[serde(borrow)]
        calls: Calls<'b>,
    }
    let text = json_text(body)?;
    let answer: Answer<'_> = parse(text)?;
    let calls = answer.calls.agent.iter().map(|call| call.get().to_owned()).collect();
    Ok(PhoneHistory { raw_json: text.to_owned(), calls })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check<T: std::fmt::Debug>(answer: Result<T, String>, expected: &Expect) {
        expected.assert_eq(&match answer {
            Ok(value) => format!("{value:?}"),
            Err(why) => format!("refused: {why}"),
        });
    }

    #[test]
    fn lists_are_an_array_of_named_items() {
        check(
            lists(br#"[{"id":"7","name":"Spring"},{"id":8,"name":"Autumn","x":1}]"#),
            &expect![[
                r#"[ListItem { id: "7", name: "Spring", raw_json: "{\"id\":\"7\",\"name\":\"Spring\"}" }, ListItem { id: "8", name: "Autumn", raw_json: "{\"id\":8,\"name\":\"Autumn\",\"x\":1}" }]"#
            ]],
        );
        check(lists(b"[]"), &expect!["[]"]);
        check(lists(b"{}"), &expect!["refused: JSON of another shape, line 1 column 0"]);
        check(lists(b""), &expect!["refused: empty"]);
        check(lists(b"<html>Maintenance</html>"), &expect!["refused: HTML instead of JSON"]);
        check(
            lists(br#"[{"id":"7","name":"Spr"#),
            &expect!["refused: JSON that is cut off, line 1 column 22"],
        );
        check(lists(br#"[{"id":null,"name":"a"}]"#), &expect!["refused: item 0 has no id"]);
        check(lists(b"\xff\xfe"), &expect!["refused: not UTF-8"]);
    }

    #[test]
    fn an_export_that_is_cut_is_refused() {
        check(export(b""), &expect![[r#"b"""#]]);
        check(export(b"1;2;3\r\n"), &expect![[r#"b"1;2;3\r\n""#]]);
        check(
            export(b"1;2;3;4;5;6;7;8;9;10;11;12;13;14"),
            &expect![[r#"b"1;2;3;4;5;6;7;8;9;10;11;12;13;14""#]],
        );
        check(export(b"1;2;3;4\r\n1;2;\"a;\nb\";4"), &expect!["refused: cut off inside the last row"]);
        check(export(b"1;2;\"a"), &expect!["refused: cut off inside a quoted value"]);
        check(export(b"<!doctype html>"), &expect!["refused: no CSV"]);
        check(export(br#"{"error":"x"}"#), &expect!["refused: no CSV"]);
    }

    #[test]
    fn an_answer_about_another_record_is_refused() {
        let ok = br#"{"success":true,"contact_id":12,"data":{"phone":"1"}}"#;
        check(
            contact(ok, "12"),
            &expect![[r#""{\"success\":true,\"contact_id\":12,\"data\":{\"phone\":\"1\"}}""#]],
        );
        check(contact(ok, "13"), &expect!["refused: it is about another record"]);
        check(
            contact(br#"{"success":true,"data":{}}"#, "12"),
            &expect!["refused: it does not say which record it is about"],
        );
        check(contact(br#"{"success":true,"data":{"id":"12"}}"#, "12").map(|_| ()), &expect!["()"]);
        check(
            contact(br#"{"success":false,"data":{}}"#, "12"),
            &expect!["refused: success is false without a code"],
        );
        check(call(br#"{"id":"5","talk_time":"3"}"#, "5").map(|_| ()), &expect!["()"]);
        check(call(br#"{"id":"6"}"#, "5"), &expect!["refused: it is about another record"]);
        check(call(b"[]", "5"), &expect!["refused: JSON of another shape, line 1 column 2"]);
    }

    #[test]
    fn an_empty_page_before_the_end_is_refused() {
        check(
            rest_page(br#"{"_meta":{"count":1},"collection":[{"id":1}]}"#, 1),
            &expect![[r#"RestPage { announced: 1, items: ["{\"id\":1}"] }"#]],
        );
        check(
            rest_page(br#"{"_meta":{"count":100},"collection":[]}"#, 2),
            &expect!["RestPage { announced: 100, items: [] }"],
        );
        check(
            rest_page(br#"{"_meta":{"count":101},"collection":[]}"#, 2),
            &expect!["refused: page 2 is empty, 101 items are announced"],
        );
        check(
            rest_page(br#"{"collection":[]}"#, 1),
            &expect!["refused: JSON of another shape, line 1 column 17"],
        );
        check(
            rest_page(br#"{"_meta":{"count":1},"collection":[1]}"#, 1),
            &expect!["refused: an item is no object"],
        );
    }

    #[test]
    fn a_history_without_its_calls_is_refused() {
        check(
            phone_history(br#"{"calls":{"agent":[{"result":"x"}]}}"#).map(|history| history.calls),
            &expect![[r#"["{\"result\":\"x\"}"]"#]],
        );
        check(phone_history(b"{}"), &expect!["refused: JSON of another shape, line 1 column 2"]);
    }

    #[test]
    fn media_types_are_held_against_what_was_asked_for() {
        let fault = |expected, media_type| media_fault(expected, media_type).unwrap_or_default();
        assert_eq!(fault(Expected::Json, Some("application/json")), "");
        assert_eq!(fault(Expected::Json, None), "");
        assert_eq!(fault(Expected::Json, Some("text/html")), "content type text/html");
        assert_eq!(fault(Expected::Csv, Some("text/csv")), "");
        assert_eq!(fault(Expected::Csv, Some("application/json")), "content type application/json");
        assert_eq!(fault(Expected::Json, Some("text/whatever-it-says")), "content type of an unknown kind");
        assert_eq!(fault(Expected::Location, Some("audio/mpeg")), "");
    }
}
