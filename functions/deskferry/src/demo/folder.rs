//! The demonstration's folder: made, recognised, emptied, and filled with what a real operator would have.
//!
//! Deliberately absent: removing anything that the demonstration did not make.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use twins::generate::Account;

use crate::failure::{Failure, catalogue};
use crate::stand_in::{Keys, Pace};

/// Says that the folder is ours to empty.
const MARKER_FILE: &str = ".deskferry-demo";
/// Text of the marker, for whoever finds it.
const MARKER_TEXT: &str = "Made by `deskferry demo`, which empties this folder when it starts again.\n";
/// What the demonstration makes besides the marker; nothing else is ever removed.
const MADE: [&str; 4] = ["operator-files", "secrets", "run", "migration.toml"];
/// Name of the migration.
pub(crate) const MIGRATION: &str = "demo";

/// A folder that is ours and holds nothing of an earlier demonstration.
#[derive(Debug)]
pub(crate) struct DemoFolder(PathBuf);

impl DemoFolder {
    /// Makes the folder, or checks that it is an earlier demonstration's.
    pub(crate) fn claim(path: &Path) -> Result<Self, Failure> {
        let refused = |why: &str| {
            Err(Failure::new(
                &catalogue::NOT_A_DEMO,
                format!("{} is not the folder of a demo", path.display()),
            )
            .with_why(why)
            .then("deskferry demo --dir ANOTHER"))
        };
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => return refused("it is a link to somewhere else"),
            Ok(found) if !found.is_dir() => return refused("it is a file"),
            Ok(_) if !path.join(MARKER_FILE).is_file() && std::fs::read_dir(path)?.next().is_some() => {
                return refused("it holds files that the demo did not make");
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => std::fs::create_dir_all(path)?,
            Err(error) => return Err(error.into()),
        }
        std::fs::write(path.join(MARKER_FILE), MARKER_TEXT)?;
        Ok(Self(path.to_owned()))
    }

    /// Removes what an earlier demonstration made.
    pub(crate) fn empty(&self) -> Result<(), Failure> {
        for name in MADE {
            let path = self.0.join(name);
            let removed = match std::fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => std::fs::remove_dir_all(&path),
                Ok(_) => std::fs::remove_file(&path),
                Err(error) => Err(error),
            };
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Path of the configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("migration.toml")
    }

    /// Folder of the operator's files.
    pub(crate) fn operator_files(&self) -> PathBuf {
        self.0.join("operator-files")
    }

    /// Writes the keys of the stand-ins, readable for this user alone, as a careful operator would.
    pub(crate) fn write_keys(&self, keys: &Keys) -> Result<(), Failure> {
        let folder = self.0.join("secrets");
        std::fs::create_dir_all(&folder)?;
        let files = [
            ("leaddesk-auth", &keys.leaddesk_auth),
            ("leaddesk-client-id", &keys.leaddesk_client_id),
            ("leaddesk-client-secret", &keys.leaddesk_client_secret),
            ("gorgias-api-key", &keys.gorgias_api_key),
        ];
        for (name, key) in files {
            write_private(&folder.join(name), key)?;
        }
        Ok(())
    }

    /// Writes the configuration for both stand-ins.
    pub(crate) fn write_config(
        &self,
        addresses: &Addresses,
        pace: Pace,
        account: &Account,
    ) -> Result<(), Failure> {
        Ok(std::fs::write(self.config(), configuration(addresses, pace, account))?)
    }
}

/// Where the stand-ins are.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) leaddesk: String,
    pub(crate) leaddesk_rest: String,
    pub(crate) gorgias: String,
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn configuration(addresses: &Addresses, pace: Pace, account: &Account) -> String {
    let Addresses { leaddesk, leaddesk_rest, gorgias } = addresses;
    let capacity = pace.bucket.capacity;
    let window = pace.bucket.window_seconds / pace.time_scale;
    let scale = pace.time_scale;
    let (from, until) = account.chatbot_window();
    let instant = |stamp: twins::generate::Stamp| format!("{}Z", stamp.to_string().replace(' ', "T"));
    let (from, until) = (instant(from), instant(until));
    format!(
        r#"# Written by `deskferry demo`. The addresses are stand-ins on this machine; they end with the demo.
migration = "{MIGRATION}"

[leaddesk]
original_api_url = "{leaddesk}"
rest_api_url = "{leaddesk_rest}"
auth = "file:secrets/leaddesk-auth"
account = 1234
client_id = "file:secrets/leaddesk-client-id"
client_secret = "file:secrets/leaddesk-client-secret"
files = "operator-files"
time_zone = "Europe/Helsinki"
default_region = "FI"
# A stand-in may be asked as fast as it answers; a real account is asked five times a second by default.
requests_per_second = 2000
in_flight = 8

[residency]
store = "FI"
destination = "EU"

[gorgias]
base_url = "{gorgias}"
email = "migration@acme.example"
api_key = "file:secrets/gorgias-api-key"
# The documented limit of an API key, 40 requests in 20 s, with time running {scale} times faster.
bucket = "{capacity}/{window}"
reserve = 0.0

[chatbot]
# What the operator chose for the export.
window_from = "{from}"
window_until = "{until}"

[accept]
# The last messages are older than the end of that window. The operator looked: the bot was silent then.
findings = ["DIS301"]

[store]
url = "file:run"

[queue]
url = "in-process:"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in;
    use twins::gorgias::Bucket;

    #[test]
    fn only_a_demo_folder_is_emptied() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("demo");
        let folder = DemoFolder::claim(&path).unwrap();
        std::fs::create_dir_all(path.join("run/demo")).unwrap();
        std::fs::write(path.join("notes.txt"), "mine").unwrap();
        DemoFolder::claim(&path).unwrap().empty().unwrap();
        assert!(!path.join("run").exists());
        assert!(path.join("notes.txt").exists() && folder.path().join(MARKER_FILE).exists());
    }

    #[test]
    fn foreign_folders_files_and_links_are_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        std::fs::create_dir(path("full")).unwrap();
        std::fs::write(path("full/report.doc"), "").unwrap();
        std::fs::write(path("file"), "").unwrap();
        std::fs::create_dir(path("empty")).unwrap();
        std::os::unix::fs::symlink(path("empty"), path("link")).unwrap();
        for name in ["full", "file", "link"] {
            assert_eq!(DemoFolder::claim(&path(name)).unwrap_err().code(), "E0112", "{name}");
        }
        assert!(path("full/report.doc").exists());
        DemoFolder::claim(&path("empty")).unwrap();
    }

    #[tokio::test]
    async fn the_configuration_is_accepted_and_keys_are_private() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DemoFolder::claim(&parent.path().join("demo")).unwrap();
        let account = stand_in::account(1, Some(40), Some(40)).unwrap();
        let addresses = Addresses {
            leaddesk: "http://127.0.0.1:1".to_owned(),
            leaddesk_rest: "http://127.0.0.1:1/stable".to_owned(),
            gorgias: "http://127.0.0.1:2".to_owned(),
        };
        folder.write_keys(&Keys::test()).unwrap();
        folder
            .write_config(&addresses, Pace { bucket: Bucket::default(), time_scale: 200.0 }, &account)
            .unwrap();
        let config = crate::project::read_config(&folder.config()).await.unwrap();
        assert_eq!((config.gorgias.bucket.capacity, config.gorgias.bucket.window.as_millis()), (40, 100));
        assert!(config.limits.chat_window.is_some());
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(folder.path().join("secrets/gorgias-api-key")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o077, 0);
    }
}
