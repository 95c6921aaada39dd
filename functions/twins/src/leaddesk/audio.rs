//! Recordings: the REST API answers with a signed address, the recording host answers the address.
//!
//! Deliberately absent: real sound, and a second host. Every file is a short run of frames that hold no sound and differ
//! from call to call, and both roles are played on one address, so a client that follows redirects blindly is caught
//! sending its token along. What is odd about a recording stands in the configuration.

use bytes::Bytes;

use crate::generate::{Call, Recording};
use crate::leaddesk::answer::{Answer, HTML, TEXT};
use crate::leaddesk::config::OddRecording;
use crate::leaddesk::ledger::ViolationKind;
use crate::leaddesk::serve::{Received, Twin};
use crate::leaddesk::tokens::signature;

/// Path of the recording host.
pub(crate) const DOWNLOADS: &str = "/recordings/";

/// Content type of every recording, whatever it is.
const SOUND: &str = "audio/mpeg";

/// Where machines in a cloud ask for their credentials.
const METADATA: &str = "http://169.254.169.254";

/// One byte more than fifty megabytes.
const LARGE_BYTES: usize = 50 * 1024 * 1024 + 1;

/// Head of a frame and its side information.
const HEAD_BYTES: usize = 36;

/// Frames in every file: a quarter of a second.
const FRAMES: usize = 10;

/// Length of an MPEG-1 layer III frame of 128 kbit/s at 44.1 kHz.
const FRAME_BYTES: usize = 417;

/// Answers `GET /audio/files/{name}`: 302 to a signed address, or 404 for what is unknown or past its retention.
pub(crate) fn resolve(twin: &Twin, encoded: &str) -> Answer {
    let name = decode(encoded);
    let Some((name, call)) = name.and_then(|name| kept(twin, &name).map(|call| (name, call))) else {
        return Answer::rest_error(404, "not_found", "no such recording");
    };
    let odd = twin.config.odd_recordings.get(&call).copied();
    if odd == Some(OddRecording::SoundAtOnce) {
        return Answer::new(200, SOUND, frames(&name));
    }
    let life = if odd == Some(OddRecording::Expired) { 0 } else { twin.config.recording_url_seconds };
    let expires = twin.config.clock.now().saturating_add(life);
    let signature = signature(&twin.config.client_secret, &name, expires);
    let base = match odd {
        Some(OddRecording::AddressOfMetadata) => METADATA.to_owned(),
        Some(OddRecording::AddressOfInnerNetwork) => "https://10.0.0.7".to_owned(),
        _ => twin.base_url(),
    };
    let mut answer = Answer::new(302, TEXT, Bytes::new());
    let address = format!("{base}{DOWNLOADS}{}?expires={expires}&signature={signature}", encode(&name));
    answer.location = (odd != Some(OddRecording::NoAddress)).then_some(address);
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
    let Some(call) = kept(twin, &name) else { return Answer::new(404, TEXT, "no such recording") };
    match twin.config.odd_recordings.get(&call) {
        Some(OddRecording::TooLarge) => Answer::new(200, SOUND, large(&name)),
        Some(OddRecording::TooLargeUntold) => {
            Answer { tells_size: false, ..Answer::new(200, SOUND, large(&name)) }
        }
        Some(OddRecording::Page) => Answer::new(200, SOUND, "<!DOCTYPE html><title>Sign in</title>"),
        Some(OddRecording::Empty) => Answer::new(200, SOUND, Bytes::new()),
        Some(OddRecording::RedirectToMetadata) => {
            let mut answer = Answer::new(302, HTML, "<a>moved</a>");
            answer.location = Some(format!("{METADATA}/latest/meta-data/"));
            answer
        }
        _ => Answer::new(200, SOUND, frames(&name)),
    }
}

/// The call whose recording this is, when it is still there.
fn kept(twin: &Twin, name: &str) -> Option<u32> {
    let is_kept = |call: &Call| call.recording == Recording::Kept;
    twin.account().call_with_recording(name).filter(is_kept).map(|call| call.id)
}

/// Frames without sound: sync word, layer III, 128 kbit/s, 44.1 kHz, stereo, zeros, and the recording's name.
pub(crate) fn frames(name: &str) -> Vec<u8> {
    let mut frame = vec![0_u8; FRAME_BYTES];
    frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x00]);
    for (place, byte) in frame[HEAD_BYTES..].iter_mut().zip(name.bytes()) {
        *place = byte;
    }
    frame.repeat(FRAMES)
}

/// A file that is a byte too long.
fn large(name: &str) -> Vec<u8> {
    let mut bytes = frames(name);
    bytes.resize(LARGE_BYTES, 0);
    bytes
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
