//! One process at a time per migration on this machine, by a lock of the operating system.
//!
//! The lock goes with its process, however that ends, so there is nothing to clean up after a crash. The file's text only
//! tells people who holds it; it decides nothing. Deliberately absent: protection between machines, which is what the
//! ledger's fence is for.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, catalogue};
use crate::{clean, words};

/// Name of the lock in the migration's folder.
const LOCK_FILE: &str = "deskferry.lock";
/// Longer text than this was not written by us.
const HOLDER_BYTES_MAX: u64 = 4_096;

/// Who holds the lock; text in the file, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    process_id: u32,
    command: String,
    since: Timestamp,
}

/// The lock, held until this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    // Dropping the file gives the lock back.
    _file: File,
}

/// Takes the lock of the migration whose folder this is.
pub(crate) fn acquire(
    folder: &Path,
    command: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Lock, Failure> {
    let path = folder.join(LOCK_FILE);
    let broken = |error: &std::io::Error| {
        Failure::new(&catalogue::LOCAL_FILES, format!("cannot lock {}", path.display())).because(error)
    };
    std::fs::create_dir_all(folder).map_err(|error| broken(&error))?;
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|error| broken(&error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(held_by(&mut file, &path, now, zone)),
        Err(TryLockError::Error(error)) => return Err(broken(&error)),
    }
    let holder = Holder { process_id: std::process::id(), command: command.to_owned(), since: now };
    write_holder(&mut file, &holder).map_err(|error| broken(&error))?;
    Ok(Lock { _file: file })
}

/// Who works on the migration now, in words; `None` when nobody does.
pub(crate) fn holder(folder: &Path, now: Timestamp, zone: &TimeZone) -> Option<String> {
    let mut file = OpenOptions::new().read(true).open(folder.join(LOCK_FILE)).ok()?;
    match file.try_lock_shared() {
        // Given back at once, when the file is dropped.
        Ok(()) | Err(TryLockError::Error(_)) => None,
        Err(TryLockError::WouldBlock) => Some(read_holder(&mut file, now, zone)),
    }
}

fn write_holder(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(serde_json::to_string(holder)?.as_bytes())?;
    file.flush()
}

fn held_by(file: &mut File, path: &Path, now: Timestamp, zone: &TimeZone) -> Failure {
    Failure::new(&catalogue::LOCKED, "another process works on this migration")
        .with_why(read_holder(file, now, zone))
        .seen_in(path.display().to_string())
        .then("deskferry status")
}

fn read_holder(file: &mut File, now: Timestamp, zone: &TimeZone) -> String {
    let mut text = String::new();
    // Unreadable text is no reason for another error: that it is locked is what matters.
    let holder = file
        .take(HOLDER_BYTES_MAX)
        .read_to_string(&mut text)
        .ok()
        .and_then(|_| serde_json::from_str::<Holder>(&text).ok());
    match holder {
        Some(Holder { process_id, command, since }) => format!(
            "process {process_id} (deskferry {}) has held it since {}, for {}",
            clean::line(&command),
            words::moment(since, zone),
            words::duration(now.duration_since(since).as_secs_f64().max(0.0)),
        ),
        None => "a process that has not told its name holds it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_second_one_learns_who_and_since_when() {
        let folder = tempfile::tempdir().unwrap();
        let first = acquire(folder.path(), "load", at("2026-11-22T12:00:00Z"), &TimeZone::UTC).unwrap();
        let refused = acquire(folder.path(), "run", at("2026-11-22T12:03:20Z"), &TimeZone::UTC).unwrap_err();
        assert_eq!(refused.code(), "E0301");
        let text = anstream::adapter::strip_str(&refused.to_text())
            .to_string()
            .replace(&folder.path().display().to_string(), "FOLDER")
            .replace(&std::process::id().to_string(), "PID");
        expect![[r#"
            Error E0301: another process works on this migration
              Why: process PID (deskferry load) has held it since 2026-11-22 12:00:00 UTC, for 3 min 20 s
              Seen in: FOLDER/deskferry.lock
              Fix: wait until it is done, or end that process; the lock goes with it
              Then: deskferry status"#]]
        .assert_eq(&text);
        drop(first);
        acquire(folder.path(), "run", at("2026-11-22T12:05:00Z"), &TimeZone::UTC).unwrap();
    }

    #[test]
    fn foreign_text_in_the_file_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LOCK_FILE), "\u{1b}[2J").unwrap();
        let held = acquire(folder.path(), "load", at("2026-11-22T12:00:00Z"), &TimeZone::UTC).unwrap();
        std::fs::write(folder.path().join(LOCK_FILE), "\u{1b}[2J").unwrap();
        let refused = acquire(folder.path(), "run", at("2026-11-22T12:00:01Z"), &TimeZone::UTC).unwrap_err();
        assert!(refused.to_text().contains("has not told its name"));
        drop(held);
    }
}
