//! The operator's folder: which of the known files are there.
//!
//! Files are known by name, without case. Other files are counted and left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::fault::FileFault;
use super::table::Table;

/// A file that the operator may supply (facts: operator-supplied files).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperatorFile {
    /// The call log.
    Calls,
    /// The taxonomy of outcomes.
    Results,
    /// Numbers that must not be called.
    Blacklist,
    /// Labels and types of the slots per campaign.
    Fields,
    /// Offices with their zones.
    Offices,
    /// Agent groups with their members.
    Groups,
    /// Sponsor of each campaign.
    Sponsors,
    /// Settings of the dialer per campaign.
    Dialer,
    /// What the list export does not say of lists.
    Lists,
    /// Statuses of the account's own, which override the derived ones.
    Leads,
    /// Configurations of `LeadApps`, JSON.
    LeadApps,
}

impl OperatorFile {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Calls,
        Self::Results,
        Self::Blacklist,
        Self::Fields,
        Self::Offices,
        Self::Groups,
        Self::Sponsors,
        Self::Dialer,
        Self::Lists,
        Self::Leads,
        Self::LeadApps,
    ];

    /// File name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls.csv",
            Self::Results => "results.csv",
            Self::Blacklist => "blacklist.csv",
            Self::Fields => "fields.csv",
            Self::Offices => "offices.csv",
            Self::Groups => "groups.csv",
            Self::Sponsors => "sponsors.csv",
            Self::Dialer => "dialer.csv",
            Self::Lists => "lists.csv",
            Self::Leads => "leads.csv",
            Self::LeadApps => "leadapps.json",
        }
    }

    /// Columns that must be there.
    #[must_use]
    pub fn required(self) -> &'static [&'static str] {
        match self {
            Self::Calls => &["id", "created_at", "talk_time", "number", "contact_id", "campaign", "agent_id"],
            Self::Results => &["id", "name"],
            Self::Blacklist => &["number"],
            Self::Fields => &["campaign_id", "slot", "label"],
            Self::Offices => &["name"],
            Self::Groups => &["group_id", "group_name", "username"],
            Self::Sponsors => &["campaign_id", "sponsor"],
            Self::Dialer => &["campaign_id"],
            Self::Lists => &["list_id"],
            Self::Leads => &["list_id", "contact_id", "status"],
            Self::LeadApps => &[],
        }
    }

    /// Columns that are understood when they are there.
    #[must_use]
    pub fn optional(self) -> &'static [&'static str] {
        match self {
            Self::Calls => &[
                "agent_username",
                "agent_group_id",
                "agent_group_name",
                "talk_start",
                "talk_end",
                "handling_stop",
                "campaign_name",
                "call_ending_reason",
                "call_ending_reason_name",
                "comment",
                "record_file",
                "direction",
                "call_type",
                "call_type_name",
                "order_ids",
            ],
            Self::Results => &["scope", "campaign_id", "finalises"],
            Self::Blacklist => &["sponsor"],
            Self::Fields => &["type", "values"],
            Self::Offices => &["time_zone"],
            Self::Dialer => &["modes", "waiting_period", "wrap_up", "notes"],
            Self::Lists => &["campaign_ids", "rounds", "expiry", "office"],
            Self::Groups | Self::Sponsors | Self::Leads | Self::LeadApps => &[],
        }
    }
}

/// A file and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {file}: {fault}")]
pub struct OperatorFault {
    /// Name without folder.
    pub file: String,
    /// What is wrong; part of the text, since every fault names its place in the file.
    pub fault: FileFault,
}

/// The folder, as found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folder {
    files: BTreeMap<OperatorFile, PathBuf>,
    archives: BTreeMap<String, PathBuf>,
    /// Files that are none of the known ones.
    pub unknown_files: u64,
}

impl Folder {
    /// Looks at the names in the folder, not into its folders.
    ///
    /// # Errors
    /// [`FileFault::Read`] when the folder cannot be listed; `EntryTwice` when two names differ only in case.
    pub fn scan(root: &Path) -> Result<Self, OperatorFault> {
        let fault =
            |fault: FileFault| OperatorFault { file: "the folder of the operator's files".to_owned(), fault };
        let mut folder = Self::default();
        for entry in std::fs::read_dir(root).map_err(|cause| fault(cause.into()))? {
            let entry = entry.map_err(|cause| fault(cause.into()))?;
            let path = entry.path();
            if !path.is_file() {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let lower = name.to_lowercase();
            let twice = |name: &str| OperatorFault {
                file: name.to_owned(),
                fault: super::fault::ArchiveFault::EntryTwice { name: name.to_owned() }.into(),
            };
            if let Some(file) = OperatorFile::ALL.into_iter().find(|file| file.name() == lower) {
                if folder.files.insert(file, path).is_some() {
                    return Err(twice(file.name()));
                }
            } else if lower.ends_with(".zip") {
                folder.archives.insert(name, path);
            } else {
                folder.unknown_files += 1;
            }
        }
        Ok(folder)
    }

    /// Where a file is, when it is there.
    #[must_use]
    pub fn path(&self, file: OperatorFile) -> Option<&Path> {
        self.files.get(&file).map(PathBuf::as_path)
    }

    /// ZIP files, by name.
    pub fn archives(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.archives.iter().map(|(name, path)| (name.as_str(), path.as_path()))
    }

    /// The same folder without some of its files.
    #[must_use]
    pub fn without(&self, files: &BTreeSet<OperatorFile>) -> Self {
        let mut folder = self.clone();
        folder.files.retain(|file, _| !files.contains(file));
        folder
    }

    /// The same folder without one of its ZIP files.
    #[must_use]
    pub fn without_archive(&self, name: &str) -> Self {
        let mut folder = self.clone();
        folder.archives.remove(name);
        folder
    }

    /// The same folder with one of its ZIP files alone.
    #[must_use]
    pub fn with_archive_only(&self, name: &str) -> Self {
        let mut folder = self.clone();
        folder.archives.retain(|other, _| other == name);
        folder
    }

    /// Opens a table; `None` when the operator did not supply it.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn table(&self, file: OperatorFile) -> Result<Option<Table<BufReader<File>>>, OperatorFault> {
        let Some(path) = self.path(file) else { return Ok(None) };
        let open = || -> Result<Table<BufReader<File>>, FileFault> {
            let input = BufReader::with_capacity(256 * 1024, File::open(path)?);
            Table::open(input, file.required(), file.optional())
        };
        open().map(Some).map_err(|fault| OperatorFault { file: file.name().to_owned(), fault })
    }

    /// Where every file is that is read, by name.
    #[must_use]
    pub fn paths(&self) -> BTreeMap<String, PathBuf> {
        let files = self.files.iter().map(|(file, path)| (file.name().to_owned(), path.clone()));
        files.chain(self.archives.clone()).collect()
    }

    /// SHA-256 of every file that is read, by name: what a later start compares with.
    ///
    /// # Errors
    /// [`FileFault::Read`].
    pub fn digests(&self) -> Result<BTreeMap<String, String>, OperatorFault> {
        let files = self.files.iter().map(|(file, path)| (file.name().to_owned(), path));
        let archives = self.archives.iter().map(|(name, path)| (name.clone(), path));
        files
            .chain(archives)
            .map(|(name, path)| match digest(path) {
                Ok(digest) => Ok((name, digest)),
                Err(cause) => Err(OperatorFault { file: name, fault: cause.into() }),
            })
            .collect()
    }
}

/// Digest of a file's bytes, in hex.
pub(crate) fn digest(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 256 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn known_files_are_found_by_name() {
        let root = tempfile::tempdir().expect("a folder");
        for name in ["Calls.csv", "offices.csv", "bot.ZIP", "notes.txt"] {
            std::fs::write(root.path().join(name), "name\nx\n").expect("written");
        }
        std::fs::create_dir(root.path().join("fields.csv")).expect("a folder");
        let folder = Folder::scan(root.path()).expect("listed");
        assert!(folder.path(OperatorFile::Calls).is_some() && folder.path(OperatorFile::Fields).is_none());
        assert_eq!(folder.archives().map(|(name, _)| name).collect::<Vec<_>>(), ["bot.ZIP"]);
        assert_eq!(folder.unknown_files, 1);
        assert!(folder.table(OperatorFile::Offices).expect("sound").is_some());
        let fault = folder.table(OperatorFile::Calls).expect_err("no call log");
        expect![["FIL107"]].assert_eq(fault.fault.code());
        assert_eq!(folder.digests().expect("readable").len(), 3);
        std::fs::write(root.path().join("calls.CSV"), "x").expect("written");
        assert!(Folder::scan(root.path()).is_err());
        assert!(Folder::scan(&root.path().join("absent")).is_err());
    }
}
