//! Uploading files as multipart, and downloading them.
//!
//! The name of a form field becomes the label of its file (facts: files). An upload cannot be listed or deleted.
//! Deliberately absent: refusing types; none is documented.

use bytes::Bytes;
use rand::Rng;
use serde_json::{Value, json};

use super::answer::{Answer, Answered, Body, Refusal};
use super::query::Query;
use super::route::Call;
use super::state::{State, Upload};

const TYPES: [&str; 4] = ["attachment", "public_attachment", "profile_picture", "widget_picture"];

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let kind = query.word("type", &TYPES).unwrap_or("attachment");
    query.end()?;
    let boundary = boundary(&call.content_type)
        .ok_or_else(|| Refusal::new(415, "Content-Type must be multipart/form-data with a boundary."))?;
    let files =
        parts(&call.body, &boundary).ok_or_else(|| Refusal::bad_request("The multipart body is broken."))?;
    if files.is_empty() {
        return Err(Refusal::bad_request("At least one file is required."));
    }
    let most = state.switches.upload_bytes_max;
    if files.iter().any(|file| file.bytes.len() > most) {
        return Err(Refusal::new(413, format!("A file is larger than {most} bytes.")));
    }
    let mut rows: Vec<Value> = Vec::with_capacity(files.len());
    for file in files {
        let number = state.ids.upload.next(&mut state.random);
        let safe = |letter: char| {
            if letter.is_ascii_alphanumeric() || ".-_".contains(letter) { letter } else { '_' }
        };
        let resource = format!("{number}-{}", file.label.chars().map(safe).collect::<String>());
        let hash = format!("{:08x}", state.random.next_u32());
        let path = format!("/api/{kind}/download/{hash}/{resource}");
        rows.push(json!({
            "content_type": file.content_type, "name": file.label, "size": file.bytes.len(),
            "url": format!("https://{}.gorgias.com{path}", state.domain),
        }));
        state.uploads.insert(path, Upload { content_type: file.content_type, bytes: file.bytes });
    }
    Ok(Answer::created(&rows))
}

pub(crate) fn download(state: &mut State, call: &Call) -> Answered<Answer> {
    let name = call.part(2);
    let upload = state
        .uploads
        .get(&call.path)
        .ok_or_else(|| Refusal::new(404, format!("File {name} does not exist.")))?;
    let body = Body::Other { content_type: upload.content_type.clone(), bytes: upload.bytes.clone() };
    Ok(Answer { status: 200, body })
}

/// One file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    label: String,
    content_type: String,
    bytes: Bytes,
}

fn boundary(content_type: &str) -> Option<String> {
    let rest = content_type.strip_prefix("multipart/form-data")?;
    let value = rest.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    Some(value.trim_matches('"').to_owned()).filter(|boundary| !boundary.is_empty())
}

/// Splits a body into its files; `None` when it does not follow the form of RFC 7578.
fn parts(body: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let opening = format!("--{boundary}");
    let delimiter = format!("\r\n--{boundary}");
    let mut at = find(body, opening.as_bytes(), 0)? + opening.len();
    let mut files = Vec::new();
    loop {
        if body.get(at..at + 2)? == b"--" {
            return Some(files);
        }
        let head_start = at + 2;
        let head_end = find(body, b"\r\n\r\n", head_start)?;
        let head = std::str::from_utf8(body.get(head_start..head_end)?).ok()?;
        let end = find(body, delimiter.as_bytes(), head_end + 4)?;
        files.push(Part {
            label: parameter(head, "name")?,
            content_type: header(head, "content-type")
                .unwrap_or_else(|| "application/octet-stream".to_owned()),
            bytes: body.slice(head_end + 4..end),
        });
        at = end + delimiter.len();
    }
}

fn find(body: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = from;
    loop {
        at += body.get(at..)?.iter().position(|byte| *byte == first)?;
        if body.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    head.split("\r\n").find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

fn parameter(head: &str, name: &str) -> Option<String> {
    let disposition = header(head, "content-disposition")?;
    let marker = format!(" {name}=\"");
    let start = disposition.find(&marker)? + marker.len();
    let end = start + disposition.get(start..)?.find('"')?;
    disposition.get(start..end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_split_into_files() {
        let body = "--X\r\nContent-Disposition: form-data; name=\"one.txt\"; filename=\"a\"\r\nContent-Type: text/plain\r\n\r\n\
            first\r\n--X\r\nContent-Disposition: form-data; name=\"two\"\r\n\r\n\r\n--X--\r\n";
        let found = parts(&Bytes::from_static(body.as_bytes()), "X").unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|part| (part.label.as_str(), part.content_type.as_str(), part.bytes.as_ref()))
            .collect();
        assert_eq!(
            found,
            [
                ("one.txt", "text/plain", b"first".as_slice()),
                ("two", "application/octet-stream", b"".as_slice())
            ]
        );
    }

    #[test]
    fn broken_forms_are_refused() {
        for body in ["", "--X", "--X\r\nno head", "--X\r\nContent-Disposition: form-data\r\n\r\nx\r\n--X--"] {
            assert_eq!(parts(&Bytes::from_static(body.as_bytes()), "X"), None, "{body}");
        }
        assert_eq!(boundary("multipart/form-data; boundary=\"a b\"").as_deref(), Some("a b"));
        assert_eq!(boundary("application/json"), None);
    }
}
