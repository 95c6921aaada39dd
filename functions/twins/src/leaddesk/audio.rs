//! Recordings: the REST API answers with a signed address, the recording host answers the address.
//!
//! Deliberately absent: real sound, and a second host. Every file is a short run of silent frames, and both roles are
//! played on one address, so a client that follows redirects blindly is caught sending its token along.

use bytes::Bytes;

use crate::generate::{Call, Recording};
use crate::leaddesk::answer::{Answer, TEXT};
use crate::leaddesk::ledger::ViolationKind;
use crate::leaddesk::serve::{Received, Twin};
use crate::leaddesk::tokens::signature;

/// Path of the recording host.
pub(crate) const DOWNLOADS: &str = "/recordings/";

/// Frames in every file: a quarter of a second.
const FRAMES: usize = 10;

/// Length of an MPEG-1 layer III frame of 128 kbit/s at 44.1 kHz.
const FRAME_BYTES: usize = 417;

/// Answers `GET /audio/files/{name}`: 302 to a signed address, or 404 for what is unknown or past its retention.
pub(crate) fn resolve(twin: &Twin, encoded: &str) -> Answer {
    let name = decode(encoded);
    let Some(name) = name.filter(|name| kept(twin, name)) else {
        return Answer::rest_error(404, "not_found", "no such recording");
    };
    let expires = twin.config.clock.now().saturating_add(twin.config.recording_url_seconds);
    let signature = signature(&twin.config.client_secret, &name, expires);
    let base = twin.base_url();
    let mut answer = Answer::new(302, TEXT, Bytes::new());
    answer.location =
        Some(format!("{base}{DOWNLOADS}{}?expires={expires}&signature={signature}", encode(&name)));
    answer
}

/// Answers a signed address: the file, 403 after its time or with another signature, 400 for a request with a token.
pub(crate) fn download(twin: &Twin, request: &Received) -> Answer {
    if request.authorization.is_some() {
        twin.ledger.violation(ViolationKind::TokenForwarded, request.method.as_str(), "recording");
        return Answer::new(400, TEXT, "only one way of authentication is allowed");
    }
    let name = request.path.strip_prefix(DOWNLOADS).and_then(decode).unwrap_or_default();
    let find = |wanted: &str| {
        let mut pairs = url::form_urlencoded::parse(request.query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let expires: u64 = find("expires").and_then(|text| text.parse().ok()).unwrap_or(0);
    let signed =
        find("signature").is_some_and(|text| text == signature(&twin.config.client_secret, &name, expires));
    if !signed || twin.config.clock.now() >= expires {
        return Answer::new(403, TEXT, "request has expired or is not signed");
    }
    if !kept(twin, &name) {
        return Answer::new(404, TEXT, "no such recording");
    }
    Answer::new(200, "audio/mpeg", silence())
}

fn kept(twin: &Twin, name: &str) -> bool {
    let is_kept = |call: Call| call.recording == Recording::Kept;
    twin.account().call_with_recording(name).is_some_and(is_kept)
}

/// Frames of silence: sync word, layer III, 128 kbit/s, 44.1 kHz, stereo, then zeros.
fn silence() -> Vec<u8> {
    let mut frame = vec![0_u8; FRAME_BYTES];
    frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x00]);
    frame.repeat(FRAMES)
}

/// A path segment with everything but unreserved characters as `%XX`.
pub(crate) fn encode(segment: &str) -> String {
    segment.bytes().fold(String::with_capacity(segment.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    })
}

/// The text of one path segment; none if it is more than one, or no text.
fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'/', _) => return None,
            (b'%', [high, low, tail @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = tail;
            }
            (b'%', _) => return None,
            (plain, tail) => {
                bytes.push(*plain);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_survive_encoding() {
        for name in ["20250103-101112_+358501234567-100001.wav.mp3", "a b/ä%2F", ""] {
            assert_eq!(decode(&encode(name)).as_deref(), Some(name));
        }
        for broken in ["a/b", "%", "%4", "%zz", "%ff"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
        assert_eq!(decode("+358").as_deref(), Some("+358"));
    }
}
