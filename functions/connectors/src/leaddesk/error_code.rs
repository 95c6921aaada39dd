//! Error codes of the Original API: a short code, optionally `CODE:detail` (facts: errors).
//!
//! Deliberately absent: the detail; it may repeat what was sent.

/// Longest body that is looked at; error bodies are one short line.
const BODY_BYTES_MAX: usize = 4 * 1024;
/// Longest code; the longest known has 20 characters.
const CODE_CHARS_MAX: usize = 48;

/// The code in `body`, if it is an error body: text first, JSON around it tolerated.
pub(super) fn error_code(body: impl AsRef<[u8]>) -> Option<String> {
    let body = body.as_ref();
    if body.len() > BODY_BYTES_MAX {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?.trim().trim_start_matches('\u{feff}');
    code_of_text(text).or_else(|| {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        match &value {
            serde_json::Value::String(text) => code_of_text(text),
            serde_json::Value::Object(object) => ["error", "code", "message", "error_code"]
                .into_iter()
                .filter_map(|key| object.get(key)?.as_str())
                .find_map(code_of_text),
            _ => None,
        }
    })
}

fn code_of_text(text: &str) -> Option<String> {
    let code = text.split(':').next().unwrap_or_default().trim();
    let is_code = code.starts_with("ERR_")
        && code.len() <= CODE_CHARS_MAX
        && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    is_code.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_text_and_json_and_lose_their_detail() {
        let check = |body: &str, expected: Option<&str>| {
            assert_eq!(error_code(body.as_bytes()).as_deref(), expected, "{body}");
        };
        check("ERR_NOT_FOUND:agent", Some("ERR_NOT_FOUND"));
        check("ERR_AUTHENTICATION", Some("ERR_AUTHENTICATION"));
        check(" ERR_UNDEFINED \r\n", Some("ERR_UNDEFINED"));
        check("\"ERR_ARGUMENT_INVALID:+358401234567\"", Some("ERR_ARGUMENT_INVALID"));
        check(r#"{"error":"ERR_INVALID_COMMAND:x"}"#, Some("ERR_INVALID_COMMAND"));
        check(r#"{"success":false,"code":"ERR_NOT_FOUND"}"#, Some("ERR_NOT_FOUND"));
        check(r#"{"success":true,"contact_id":1}"#, None);
        check(r#"{"comment":"ERR_NOT_FOUND"}"#, None);
        check("1;ERR_X;a", None);
        check("ERR_<script>", None);
        check("", None);
    }
}
