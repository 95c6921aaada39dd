//! A recording as it was downloaded, and why it may not be.
//!
//! The address of a recording comes from outside and leads to another host, so every reason for which it is not followed
//! has a name here. Deliberately absent: addresses and signatures; no text of these types holds one.

use tempfile::TempPath;

use super::SourceError;

/// Bytes of a recording at most: an hour of telephone sound at 128 kbit/s.
pub const RECORDING_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// Time for one download; a slower host would hold a place for too long.
pub const RECORDING_SECONDS_MAX: u64 = 60;

/// Kind of sound, told by the first bytes of a file; never by what a server calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    /// MPEG layer II or III, with or without a tag in front.
    Mpeg,
    /// RIFF with WAVE.
    Wave,
    /// Ogg.
    Ogg,
    /// FLAC.
    Flac,
    /// MPEG-4 with an audio brand.
    Mpeg4,
}

impl Sound {
    /// Bytes that [`Sound::of`] looks at.
    pub const HEAD_BYTES: usize = 12;

    /// The kind that a file begins with; `None` for everything that is no sound.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [b'I', b'D', b'3', ..] => Some(Self::Mpeg),
            // Eleven bits of sync, a version that is not reserved, layer II or III. Layer I looks like the mark of UTF-16.
            [0xFF, second, ..]
                if second & 0xE0 == 0xE0 && second & 0x18 != 0x08 && matches!(second & 0x06, 0x02 | 0x04) =>
            {
                Some(Self::Mpeg)
            }
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some(Self::Wave),
            [b'O', b'g', b'g', b'S', ..] => Some(Self::Ogg),
            [b'f', b'L', b'a', b'C', ..] => Some(Self::Flac),
            [_, _, _, _, b'f', b't', b'y', b'p', b'M', b'4', b'A' | b'B', ..] => Some(Self::Mpeg4),
            _ => None,
        }
    }

    /// Media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Mpeg => "audio/mpeg",
            Self::Wave => "audio/wav",
            Self::Ogg => "audio/ogg",
            Self::Flac => "audio/flac",
            Self::Mpeg4 => "audio/mp4",
        }
    }

    /// Ending of a file's name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mpeg => "mp3",
            Self::Wave => "wav",
            Self::Ogg => "ogg",
            Self::Flac => "flac",
            Self::Mpeg4 => "m4a",
        }
    }
}

/// A recording in a file that goes when this is dropped.
#[derive(Debug)]
pub struct FetchedRecording {
    /// The file.
    pub path: TempPath,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// What it is.
    pub sound: Sound,
}

/// Why an address that LeadDesk gave is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// No address at all.
    #[error("it is no address")]
    NoUrl,
    /// Unencrypted, or another protocol.
    #[error("it is not https")]
    NotHttps,
    /// It carries a name or password.
    #[error("it carries credentials")]
    Credentials,
    /// Another port than that of https.
    #[error("it names a port")]
    Port,
    /// A number where a name must stand.
    #[error("its host is a number")]
    Number,
    /// The host is not on the list.
    #[error("its host is not on the list")]
    Host,
    /// The host's name leads into a private, local or otherwise special network.
    #[error("its host leads to an address that is not public")]
    NotPublic,
    /// A stand-in on this machine points elsewhere.
    #[error("a stand-in on this machine points to another machine")]
    LeavesMachine,
}

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// LeadDesk has it no more; normal, since call rows outlive recordings.
    #[error("LeadDesk does not have the recording any more")]
    Gone,
    /// LeadDesk did not give its address.
    #[error("cannot ask for the address of a recording")]
    Address(#[source] SourceError),
    /// The address is not followed.
    #[error("the address of a recording is not followed: {0}")]
    Refused(AddressFault),
    /// The recording's host answered with another address.
    #[error("the host of a recording redirects with {status}, which is not followed")]
    Redirected {
        /// HTTP status.
        status: u16,
    },
    /// Larger than any that is taken.
    #[error("a recording is larger than {bytes_max} bytes")]
    TooLarge {
        /// The bound.
        bytes_max: u64,
    },
    /// The content is no sound.
    #[error("what was downloaded is no sound")]
    NotSound,
    /// The host refuses.
    #[error("the host of a recording answered {status}")]
    Status {
        /// HTTP status.
        status: u16,
    },
    /// No whole answer in time; the cause holds no address.
    #[error("a recording could not be downloaded")]
    NoAnswer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The scratch folder.
    #[error("cannot write a recording into the scratch folder")]
    Scratch(#[source] std::io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_told_by_its_first_bytes() {
        let check = |head: &[u8], expected| assert_eq!(Sound::of(head), expected, "{head:?}");
        check(b"ID3\x04\0\0\0\0\0\0\0\0", Some(Sound::Mpeg));
        check(&[0xFF, 0xFB, 0x90, 0], Some(Sound::Mpeg));
        check(&[0xFF, 0xF3, 0x40, 0], Some(Sound::Mpeg));
        check(b"RIFF\x10\0\0\0WAVEfmt ", Some(Sound::Wave));
        check(b"OggS\0\x02", Some(Sound::Ogg));
        check(b"fLaC\0", Some(Sound::Flac));
        check(b"\0\0\0\x20ftypM4A ", Some(Sound::Mpeg4));
        check(b"\0\0\0\x20ftypisom", None);
        check(b"RIFF\x10\0\0\0AVI LIST", None);
        check(b"<!DOCTYPE html>", None);
        check(b"<?xml version=", None);
        check(b"{\"error\":1}", None);
        check(b"PK\x03\x04", None);
        check(b"\x7FELF", None);
        check(&[0xFF, 0xFE, b'<', 0], None);
        check(&[0xFF, 0xD8, 0xFF, 0xE0], None);
        check(&[0xFF, 0xEB], None);
        check(b"", None);
        check(&[0xFF], None);
    }

    #[test]
    fn no_text_of_a_refusal_names_an_address() {
        let text = RecordingError::Refused(AddressFault::NotPublic).to_string();
        assert_eq!(
            text,
            "the address of a recording is not followed: its host leads to an address that is not public"
        );
    }
}
