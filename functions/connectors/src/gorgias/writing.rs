//! Writes: sent once; what came of it is one of three things, and a doubt is told as a doubt.

use bytes::Bytes;
use migration::keys::ExternalId;
use pipeline::ports::gorgias::WriteError;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::Client;
use super::egress;
use super::transport::{Outcome, Request};
use crate::cause::Cause;

/// Stands for words that are not in the documented form, or that nobody should read.
const UNREADABLE: &str = "an answer in another form than documented";
/// Characters of one word that an error quotes; names of fields are shorter, keys and tokens are longer.
const WORD_CHARS_MAX: usize = 32;
/// Characters of Gorgias' own words that an error quotes.
const QUOTED_CHARS_MAX: usize = 200;

impl Client {
    /// Sends a write and hands over the body of a 2xx answer.
    pub(super) async fn write(
        &self,
        method: Method,
        route: &'static str,
        path: String,
        body: Option<&Value>,
    ) -> Result<Bytes, WriteError> {
        let body = body.map(|body| Bytes::from(body.to_string()));
        self.send_once(&Request::write(method, route, path, body)).await
    }

    /// Sends a file as a form, for use within the account alone.
    pub(super) async fn send_form(
        &self,
        route: &'static str,
        content_type: String,
        body: Bytes,
    ) -> Result<Bytes, WriteError> {
        let mut request = Request::write(Method::POST, route, "/upload", Some(body));
        request.query.push(("type", "attachment".to_owned()));
        request.form = Some(content_type);
        self.send_once(&request).await
    }

    async fn send_once(&self, request: &Request) -> Result<Bytes, WriteError> {
        match self.transport().send(request).await {
            Outcome::Answer(200..=299, body) if is_an_answer(&body) => Ok(body),
            Outcome::Answer(200..=299, _) => Err(WriteError::InDoubt {
                request: request.name(),
                source: Some(Box::new(Cause::because("something else than Gorgias answered"))),
            }),
            Outcome::Answer(status, body) => {
                let words = if self.transport().repeats_a_secret(&body) { None } else { words(&body) };
                Err(classified(request, status, words.unwrap_or_else(|| UNREADABLE.to_owned())))
            }
            // Never followed: where a write ends up is for the caller to know.
            Outcome::Moved(status, _) => Err(classified(request, status, UNREADABLE.to_owned())),
            Outcome::NotSent(cause) => {
                Err(WriteError::NotSent { request: request.name(), source: Some(Box::new(cause)) })
            }
            Outcome::NoAnswer(cause) => {
                Err(WriteError::InDoubt { request: request.name(), source: Some(Box::new(cause)) })
            }
        }
    }

    /// Creates a record and reads its id. An answer without an id leaves the outcome in doubt: the record exists, but
    /// only a look-up can name it.
    pub(super) async fn create(
        &self,
        route: &'static str,
        path: String,
        body: &Value,
        expected: Option<&ExternalId>,
    ) -> Result<u64, WriteError> {
        let answer = self.write(Method::POST, route, path, Some(body)).await?;
        let doubt = |why: String| WriteError::InDoubt {
            request: route.to_owned(),
            source: Some(Box::new(Cause::because(why))),
        };
        let created: Created =
            serde_json::from_slice(&answer).map_err(|error| doubt(super::reading::shape(&error)))?;
        match expected {
            Some(expected) if created.external_id.as_deref() != Some(expected.as_str()) => {
                Err(doubt("the created record carries another external id".to_owned()))
            }
            _ => Ok(created.id),
        }
    }

    /// As [`Client::create`] for bodies that hold messages, behind the last gate.
    pub(super) async fn create_guarded(
        &self,
        route: &'static str,
        path: String,
        body: &Value,
        expected: &ExternalId,
    ) -> Result<u64, WriteError> {
        self.guard(route, body, egress::checked)?;
        self.create(route, path, body, Some(expected)).await
    }

    /// Refuses a body that must not leave.
    pub(super) fn guard(
        &self,
        route: &'static str,
        body: &Value,
        check: egress::Check,
    ) -> Result<(), WriteError> {
        check(body, self.clock.now()).map_err(|rule| WriteError::Refused {
            request: route.to_owned(),
            status: 0,
            message: format!("stopped before sending: {rule}"),
        })
    }
}

/// Whether Gorgias itself may have said this: nothing at all, or JSON. A page for people with status 200 comes from
/// something in between and tells nothing about the write.
fn is_an_answer(body: &[u8]) -> bool {
    body.trim_ascii().is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// The part of a creation's answer that every object has.
#[derive(Deserialize)]
struct Created {
    id: u64,
    external_id: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    error: Option<ErrorWire>,
}

#[derive(Deserialize)]
struct ErrorWire {
    msg: Option<String>,
    data: Option<Value>,
}

fn classified(request: &Request, status: u16, words: String) -> WriteError {
    let name = request.name();
    match status {
        // A redirect is never followed by a write: a single record that points elsewhere was merged into another one.
        300..=399 if request.route.contains('{') => WriteError::Gone { request: name },
        300..=399 => {
            let message = "a redirect: is the address of the account right?".to_owned();
            WriteError::Refused { request: name, status, message }
        }
        401 | 403 => WriteError::Credentials { request: name },
        404 => WriteError::Gone { request: name },
        409 => WriteError::Conflict { request: name },
        400 if words.contains("already exist")
            || words.contains("already used")
            || words.contains("already in use") =>
        {
            WriteError::Conflict { request: name }
        }
        408 | 499 | 500.. => WriteError::InDoubt {
            request: name,
            source: Some(Box::new(Cause::because(format!("status {status}")))),
        },
        code => WriteError::Refused { request: name, status: code, message: words },
    }
}

/// Gorgias' message and the names of the fields it complains about; anything that could be a value is masked.
fn words(body: &[u8]) -> Option<String> {
    let error = serde_json::from_slice::<Envelope>(body).ok()?.error?;
    let mut text = error.msg.unwrap_or_default();
    if let Some(Value::Object(fields)) = &error.data {
        let details = fields.iter().map(|(field, texts)| match texts {
            Value::Array(texts) => {
                let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
                format!("{field}: {}", texts.join(", "))
            }
            other => format!("{field}: {}", other.as_str().unwrap_or_default()),
        });
        text = format!("{text} ({})", details.collect::<Vec<_>>().join("; "));
    }
    Some(masked(&text))
}

/// Masks quoted text, addresses, runs of digits and overlong words, which a message may have taken from the record.
fn masked(text: &str) -> String {
    let mut result = String::new();
    let mut quote: Option<char> = None;
    for word in text.split_inclusive(char::is_whitespace) {
        let has_digits = word.chars().filter(char::is_ascii_digit).count() > 3;
        let is_long = word.chars().count() > WORD_CHARS_MAX;
        if quote.is_none() && (word.contains('@') || has_digits || is_long) {
            result.push('…');
            result.extend(word.chars().rev().take_while(|c| c.is_whitespace()));
            continue;
        }
        for character in word.chars() {
            match quote {
                Some(open) if character == open => {
                    quote = None;
                    result.push('…');
                    result.push(character);
                }
                Some(_) => {}
                None if character == '"' || character == '“' => {
                    quote = Some(if character == '“' { '”' } else { character });
                    result.push(character);
                }
                None => result.push(character),
            }
        }
    }
    result.chars().filter(|c| !c.is_control()).take(QUOTED_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_error_hold_no_values() {
        let body = br#"{"error":{"msg":"Bad \"Aino Koe\" or a@example.com near 0401234567","data":{"email":["Invalid address"]}}}"#;
        assert_eq!(words(body).as_deref(), Some(r#"Bad "…" or … near … (email: Invalid address)"#));
        assert_eq!(masked(&format!("Key {} refused", "k".repeat(33))), "Key … refused");
        assert_eq!(words(b"<html>Error</html>"), None);
        assert_eq!(words(br#"{"message":"Error"}"#), None);
    }

    #[test]
    fn only_json_or_nothing_is_an_answer() {
        let check = |body: &str, expected| assert_eq!(is_an_answer(body.as_bytes()), expected, "{body:?}");
        check("", true);
        check(" \n", true);
        check(r#"{"id":5}"#, true);
        check(r#"{"id":5"#, false);
        check("<html></html>", false);
        check("OK", false);
    }

    #[test]
    fn each_status_is_one_of_three_outcomes() {
        let create = Request::write(Method::POST, "POST /tickets", "/tickets", None);
        let change = Request::write(Method::PUT, "PUT /customers/{id}", "/customers/7", None);
        let exists = br#"{"error":{"msg":"This e-mail is already used by another customer"}}"#;
        let table: [(u16, &[u8], &str); 12] = [
            (302, b"", "Refused"),
            (400, b"{}", "Refused"),
            (400, exists, "Conflict"),
            (401, b"", "Credentials"),
            (403, b"", "Credentials"),
            (404, b"", "Gone"),
            (408, b"", "InDoubt"),
            (409, b"", "Conflict"),
            (413, b"", "Refused"),
            (500, b"<html>", "InDoubt"),
            (502, b"", "InDoubt"),
            (503, b"", "InDoubt"),
        ];
        for (status, body, expected) in table {
            let words = words(body).unwrap_or_default();
            let text = format!("{:?}", classified(&create, status, words));
            assert!(text.starts_with(expected), "{status}: {text}");
        }
        assert!(matches!(classified(&change, 301, String::new()), WriteError::Gone { .. }));
    }
}
