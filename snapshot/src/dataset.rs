//! Names of snapshots: run, pass, folder.
//!
//! Folders are Hive partitions: table first, because a Glue table is one prefix; then run and pass, and nothing else.

use std::fmt;
use std::str::FromStr;

use crate::error::SnapshotError;
use crate::schema::TableSchema;
use crate::tables;

/// Layout folder below the migration's root. A breaking change of layout becomes `v2` beside it.
pub const LAKE_FOLDER: &str = "lake/v1";
/// File name of the manifest; the leading underscore hides it from Hive-style readers.
pub const MANIFEST_FILE: &str = "_manifest.json";
/// File name of the empty marker that some readers wait for; written after the manifest.
pub const SUCCESS_FILE: &str = "_SUCCESS";
/// Characters of a run's suffix, at most.
const SUFFIX_CHARS_MAX: usize = 16;

/// Name of a run: a date and a short suffix that begins with a letter, such as `2026-11-22-a1`. The letter keeps every
/// engine from reading the partition as a date.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// The run of this day with this suffix.
    ///
    /// # Errors
    /// When the suffix is not a lower-case letter followed by at most fifteen lower-case letters and digits.
    pub fn new(day: jiff::civil::Date, suffix: &str) -> Result<Self, SnapshotError> {
        format!("{day}-{suffix}").parse()
    }

    /// The text as it stands in paths.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for RunId {
    type Err = SnapshotError;
    fn from_str(text: &str) -> Result<Self, SnapshotError> {
        let is_run = || {
            let (day, suffix) = (text.get(..10)?, text.get(10..)?.strip_prefix('-')?);
            // The parser takes other spellings of a date; the round trip allows exactly one.
            let is_day = day.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == day);
            let is_word = suffix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            let starts_well = suffix.starts_with(|first: char| first.is_ascii_lowercase());
            Some(is_day && is_word && starts_well && suffix.len() <= SUFFIX_CHARS_MAX)
        };
        if is_run().unwrap_or(false) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SnapshotError::NotARun { text: text.to_owned() })
        }
    }
}

/// Which reading of the world a snapshot holds within its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pass {
    /// Everything.
    Full,
    /// Gorgias before the first write: the baseline of a rollback.
    Before,
    /// Gorgias as read back.
    After,
    /// What changed since, numbered from 1.
    Delta(u32),
    /// Gorgias as it was found when a rollback was planned, and what that rollback does; numbered from 1.
    Rollback(u32),
    /// Gorgias as it was found when a repair was planned, and what that repair does; numbered from 1.
    Repair(u32),
}

impl fmt::Display for Pass {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => out.write_str("full"),
            Self::Before => out.write_str("before"),
            Self::After => out.write_str("after"),
            Self::Delta(number) => write!(out, "delta_{number:04}"),
            Self::Rollback(number) => write!(out, "rollback_{number:04}"),
            Self::Repair(number) => write!(out, "repair_{number:04}"),
        }
    }
}

impl FromStr for Pass {
    type Err = SnapshotError;
    fn from_str(text: &str) -> Result<Self, SnapshotError> {
        let pass = match text {
            "full" => Some(Self::Full),
            "before" => Some(Self::Before),
            "after" => Some(Self::After),
            _ => match text.split_once('_') {
                Some(("delta", number)) => number.parse().ok().map(Self::Delta),
                Some(("rollback", number)) => number.parse().ok().map(Self::Rollback),
                Some(("repair", number)) => number.parse().ok().map(Self::Repair),
                _ => None,
            },
        };
        // One pass has one text: `delta_1` would name a second folder for the first delta.
        pass.filter(|pass| pass.to_string() == text)
            .ok_or_else(|| SnapshotError::NotAPass { text: text.to_owned() })
    }
}

/// One table of one pass of one run: the unit that is written, listed and compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The run.
    pub run: RunId,
    /// The pass.
    pub pass: Pass,
    /// The table.
    pub table: &'static TableSchema,
}

impl Dataset {
    /// Folder relative to the migration's root: `lake/v1/<table>/run_id=<id>/pass=<pass>`.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("{LAKE_FOLDER}/{}/run_id={}/pass={}", self.table.name, self.run, self.pass)
    }

    /// Path of the manifest relative to the migration's root. Without it the snapshot does not exist.
    #[must_use]
    pub fn manifest_path(&self) -> String {
        format!("{}/{MANIFEST_FILE}", self.folder())
    }

    /// Path of a part relative to the migration's root.
    #[must_use]
    pub fn part_path(&self, file_name: &str) -> String {
        format!("{}/{file_name}", self.folder())
    }

    /// Path of the marker relative to the migration's root.
    #[must_use]
    pub fn success_path(&self) -> String {
        format!("{}/{SUCCESS_FILE}", self.folder())
    }

    /// Takes a folder apart; whatever stands before `lake/v1/` is ignored.
    ///
    /// # Errors
    /// When the folder is not of this form or names a table that this program does not know.
    pub fn from_folder(folder: &str) -> Result<Self, SnapshotError> {
        let tail = folder.rsplit_once(LAKE_FOLDER).map_or(folder, |(_, tail)| tail).trim_matches('/');
        let mut segments = tail.split('/');
        let (table, run, pass) = (segments.next(), segments.next(), segments.next());
        let run = run.and_then(|run| run.strip_prefix("run_id="));
        let pass = pass.and_then(|pass| pass.strip_prefix("pass="));
        match (table, run, pass, segments.next()) {
            (Some(table), Some(run), Some(pass), None) => {
                Ok(Self { run: run.parse()?, pass: pass.parse()?, table: tables::named(table)? })
            }
            _ => Err(SnapshotError::NotAFolder { folder: folder.to_owned() }),
        }
    }
}

/// `<table>/<run>/<pass>`, the name of a snapshot at the command line.
impl fmt::Display for Dataset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}", self.table.name, self.run, self.pass)
    }
}

#[cfg(test)]
mod tests {
    use super::{Dataset, Pass, RunId};
    use crate::row::Row as _;
    use crate::tables::WantTicket;

    #[test]
    fn a_run_is_a_date_and_a_suffix_that_begins_with_a_letter() {
        for good in ["2026-11-22-a1", "2024-02-29-z", "2026-11-22-abcdefghij123456"] {
            assert_eq!(good.parse::<RunId>().unwrap().as_str(), good);
        }
        let bad = [
            "",
            "2026-11-22",
            "2026-11-22-",
            "2026-11-22-1a",
            "2026-11-22-A1",
            "2026-11-22-a/b",
            "2026-11-22-a_b",
            "2026-02-30-a1",
            "20261122-a1",
            "26-11-22-a1",
            "2026-11-22-a1 ",
            "2026-11-22-abcdefghij1234567",
            "ä026-11-22-a1",
        ];
        for bad in bad {
            assert_eq!(bad.parse::<RunId>().unwrap_err().code(), "SNP303", "{bad}");
        }
        assert_eq!(RunId::new(jiff::civil::date(2026, 11, 22), "a1").unwrap().to_string(), "2026-11-22-a1");
    }

    #[test]
    fn a_pass_has_one_text() {
        for good in ["full", "before", "after", "delta_0001", "delta_9999", "delta_10000"] {
            assert_eq!(good.parse::<Pass>().unwrap().to_string(), good);
        }
        for bad in ["", "Full", "delta", "delta_1", "delta_00001", "delta_-001", "delta_+001", "other"] {
            assert_eq!(bad.parse::<Pass>().unwrap_err().code(), "SNP304", "{bad}");
        }
    }

    #[test]
    fn a_folder_says_what_is_in_it() {
        let dataset = Dataset {
            run: "2026-11-22-a1".parse().unwrap(),
            pass: Pass::Delta(1),
            table: WantTicket::SCHEMA,
        };
        let folder = "lake/v1/want_gorgias_ticket/run_id=2026-11-22-a1/pass=delta_0001";
        assert_eq!(dataset.folder(), folder);
        assert_eq!(dataset.to_string(), "want_gorgias_ticket/2026-11-22-a1/delta_0001");
        assert_eq!(Dataset::from_folder(folder).unwrap(), dataset);
        assert_eq!(Dataset::from_folder(&format!("/elsewhere/acme/{folder}/")).unwrap(), dataset);
        for bad in ["lake/v1/want_gorgias_ticket/run_id=2026-11-22-a1", "x/y/z", &format!("{folder}/more")] {
            assert_eq!(Dataset::from_folder(bad).unwrap_err().code(), "SNP305", "{bad}");
        }
        let unknown = "lake/v1/want_gorgias_tickets/run_id=2026-11-22-a1/pass=full";
        let error = Dataset::from_folder(unknown).unwrap_err();
        assert_eq!(error.why(), "the nearest name is want_gorgias_ticket");
    }
}
