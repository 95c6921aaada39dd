//! Zone-less local times, as LeadDesk's Original API writes them.
//!
//! Deliberately absent: time zones. LeadDesk does not say in which zone its times are, so a stamp is only what is
//! written; it may name a minute that some zone skips or repeats.

use std::fmt;
use std::str::FromStr;

const DAY_SECONDS: u32 = 86_400;

/// A local time to the second without a zone, from 2000-01-01 on; written `YYYY-MM-DD HH:MM:SS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(u32);

/// The text is not a valid `YYYY-MM-DD HH:MM:SS` of this century.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form YYYY-MM-DD HH:MM:SS")]
pub struct NotAStamp;

impl Stamp {
    /// The stamp of a calendar day and a time of day; parts beyond their range carry over into the next.
    pub fn civil(year: u32, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Self {
        let days = days_before(year, month) + day - 1;
        Self(days * DAY_SECONDS + hour * 3600 + minute * 60 + second)
    }

    /// The stamp so many seconds later on the same clock.
    #[must_use]
    pub fn plus(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The stamp so many seconds earlier, not before 2000-01-01.
    #[must_use]
    pub fn minus(self, seconds: u32) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Year, month and day.
    fn date(self) -> (u32, u32, u32) {
        let mut days = self.0 / DAY_SECONDS;
        let mut year = 2000 + days / 366;
        days -= days_before(year, 1);
        while days >= year_days(year) {
            days -= year_days(year);
            year += 1;
        }
        let mut month = 1;
        while days >= month_days(year, month) {
            days -= month_days(year, month);
            month += 1;
        }
        (year, month, days + 1)
    }

    /// The digits of date and time without separators, as in recording names: `YYYYMMDD-HHMMSS`.
    pub(crate) fn compact(self) -> String {
        let (year, month, day) = self.date();
        let second = self.0 % DAY_SECONDS;
        format!("{year:04}{month:02}{day:02}-{:02}{:02}{:02}", second / 3600, second / 60 % 60, second % 60)
    }

    /// The same digits as an ISO-8601 instant, for sources that write UTC.
    pub(crate) fn instant(self) -> String {
        let mut text = self.to_string();
        text.replace_range(10..11, "T");
        text.push('Z');
        text
    }

    /// 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> u32 {
        // 2000-01-01 was a Saturday.
        (self.0 / DAY_SECONDS + 5) % 7
    }

    /// Whole seconds from `earlier` to this stamp; 0 when it is not earlier.
    pub fn seconds_since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let second = self.0 % DAY_SECONDS;
        let (hour, minute) = (second / 3600, second / 60 % 60);
        write!(formatter, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02}", second % 60)
    }
}

impl FromStr for Stamp {
    type Err = NotAStamp;

    fn from_str(text: &str) -> Result<Self, NotAStamp> {
        let shape = b"dddd-dd-dd dd:dd:dd";
        let fits = text.len() == shape.len()
            && text.bytes().zip(shape).all(|(byte, form)| match form {
                b'd' => byte.is_ascii_digit(),
                separator => byte == *separator,
            });
        if !fits {
            return Err(NotAStamp);
        }
        let number = |from: usize, to: usize| text[from..to].parse::<u32>().map_err(|_| NotAStamp);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let valid = (2000..2100).contains(&year)
            && (1..=12).contains(&month)
            && (1..=month_days(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if valid { Ok(Self::civil(year, month, day, hour, minute, second)) } else { Err(NotAStamp) }
    }
}

impl serde::Serialize for Stamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Stamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn year_days(year: u32) -> u32 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_days(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 2000-01-01 to the first of the month.
fn days_before(year: u32, month: u32) -> u32 {
    let past = year - 2000;
    // Leap days of the years 2000 up to, not including, `year`; this century has no exception before 2100.
    let leap_days = past.div_ceil(4);
    (1..month).map(|earlier| month_days(year, earlier)).sum::<u32>() + past * 365 + leap_days
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    #[test]
    fn agrees_with_the_calendar() {
        let mut day = jiff::civil::date(2000, 1, 1).at(1, 2, 3, 0);
        let mut stamp = Stamp::civil(2000, 1, 1, 1, 2, 3);
        while day.year() < 2060 {
            assert_eq!(stamp.to_string(), day.strftime("%Y-%m-%d %H:%M:%S").to_string());
            assert_eq!(stamp.to_string().parse(), Ok(stamp));
            assert_eq!(i64::from(stamp.weekday()), i64::from(day.weekday().to_monday_zero_offset()));
            day = day.checked_add(1.day()).unwrap();
            stamp = stamp.plus(DAY_SECONDS);
        }
    }

    #[test]
    fn refuses_other_forms() {
        for text in [
            "",
            "2025-02-29 00:00:00",
            "2025-01-01T00:00:00",
            "2025-1-1 0:0:0",
            "2025-01-01 24:00:00",
            "2025-13-01 00:00:00",
        ] {
            assert_eq!(text.parse::<Stamp>(), Err(NotAStamp), "{text}");
        }
    }
}
