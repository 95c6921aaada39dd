//! Zone-less times of LeadDesk, resolved in the zone that the operator names.
//!
//! LeadDesk states no zone (facts: pitfalls), so the zone is an input and every doubtful hour is noted.
//! Deliberately absent: guessing a zone from an office or an agent.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// The named zone of the source account.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceZone {
    name: String,
    zone: TimeZone,
}

impl SourceZone {
    /// `name` is an IANA zone such as `Europe/Helsinki`.
    ///
    /// # Errors
    /// [`TimeError::UnknownZone`] when the zone database has no such name.
    pub fn new(name: &str) -> Result<Self, TimeError> {
        let name = name.trim();
        match TimeZone::get(name) {
            Ok(zone) => Ok(Self { name: zone.iana_name().unwrap_or(name).to_owned(), zone }),
            Err(_) => Err(TimeError::UnknownZone),
        }
    }

    /// The zone itself.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The clock was moved in the very hour that the text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DstNote {
    /// The hour did not exist: moved forward by the length of the gap.
    Gap,
    /// The hour happened twice: the earlier one was taken.
    Fold,
}

impl DstNote {
    /// `gap` or `fold`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Fold => "fold",
        }
    }
}

/// A moment, and whether the clock left a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// UTC.
    pub at: Timestamp,
    /// Set when the text alone did not decide.
    pub note: Option<DstNote>,
}

/// Why a text is not a moment. Holds no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// No such zone.
    #[error("the zone database has no zone of this name")]
    UnknownZone,
    /// `0000-00-00 00:00:00`, which databases write for "never".
    #[error("the zero date stands for no moment")]
    ZeroDate,
    /// Not `YYYY-MM-DD HH:MM:SS`.
    #[error("not of the form YYYY-MM-DD HH:MM:SS")]
    Format,
    /// Of the right form, but no such day or hour.
    #[error("no such day or hour")]
    NoSuchTime,
}

/// Reads `YYYY-MM-DD HH:MM:SS` in `zone`. A gap shifts forward, a fold takes the earlier offset; both are noted.
///
/// # Errors
/// See [`TimeError`].
pub fn resolve(text: &str, zone: &SourceZone) -> Result<Resolved, TimeError> {
    let local = civil(text.trim())?;
    let ambiguous = zone.zone.to_ambiguous_timestamp(local);
    let note = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { .. } => Some(DstNote::Gap),
        AmbiguousOffset::Fold { .. } => Some(DstNote::Fold),
    };
    let at = ambiguous.compatible().map_err(|_| TimeError::NoSuchTime)?;
    Ok(Resolved { at, note })
}

fn civil(text: &str) -> Result<DateTime, TimeError> {
    const SHAPE: &[u8; 19] = b"dddd-dd-dd dd:dd:dd";
    let bytes = text.as_bytes();
    let fits = bytes.len() == SHAPE.len()
        && bytes.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        });
    if !fits {
        return Err(TimeError::Format);
    }
    if text.starts_with("0000-00-00") {
        return Err(TimeError::ZeroDate);
    }
    let part = |from: usize, until: usize| text[from..until].parse::<i16>().map_err(|_| TimeError::Format);
    let small = |from: usize| text[from..from + 2].parse::<i8>().map_err(|_| TimeError::Format);
    DateTime::new(part(0, 4)?, small(5)?, small(8)?, small(11)?, small(14)?, small(17)?, 0)
        .map_err(|_| TimeError::NoSuchTime)
}

/// `2024-03-31 04:30:00 Europe/Helsinki (+03:00)`: local time, zone and offset, so that no reader has to guess.
#[must_use]
pub fn render(at: Timestamp, zone: &SourceZone) -> String {
    let local = at.to_zoned(zone.zone.clone());
    format!("{} {} ({})", local.strftime("%Y-%m-%d %H:%M:%S"), zone.name, local.strftime("%:z"))
}
