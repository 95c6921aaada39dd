//! Opens a ZIP file of the chatbot without trusting it: every rule is checked before a byte of content is used.
//!
//! Entries are read through their own checksum and never written anywhere under their own name.
//! Deliberately absent: passwords, archives in archives, and any use of paths inside the archive but their last part.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::fault::{ArchiveFault, ENTRIES_MAX, EXPANDED_BYTES_MAX, FileFault, RATIO_MAX};

/// The four files of an export (facts: chatbot export).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChatFile {
    /// One row a message.
    Conversations,
    /// One row a conversation: how it ended, who it was.
    Outcomes,
    /// One row a conversation: when it was.
    Timing,
    /// One row a participation of an agent.
    Agent,
}

impl ChatFile {
    /// In the order in which they are read.
    pub const ALL: [Self; 4] = [Self::Outcomes, Self::Timing, Self::Agent, Self::Conversations];

    /// File name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conversations => "conversations.csv",
            Self::Outcomes => "outcomes.csv",
            Self::Timing => "timing.csv",
            Self::Agent => "agent.csv",
        }
    }

    fn of_entry(name: &str) -> Option<Self> {
        let last = name.rsplit(['/', '\\']).next().unwrap_or(name).to_lowercase();
        Self::ALL.into_iter().find(|file| file.name() == last)
    }
}

/// A checked archive.
pub struct ChatArchive {
    zip: ZipArchive<BufReader<File>>,
    entries: [(ChatFile, usize); 4],
    /// Entries that are none of the four; they are not read.
    pub ignored_entries: usize,
}

impl std::fmt::Debug for ChatArchive {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ChatArchive").field("entries", &self.entries).finish_non_exhaustive()
    }
}

impl ChatArchive {
    /// Checks the whole table of entries.
    ///
    /// # Errors
    /// [`FileFault::Empty`], [`FileFault::Read`], and every [`ArchiveFault`] but `Damaged`, which shows when reading.
    pub fn open(path: &Path) -> Result<Self, FileFault> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Err(FileFault::Empty);
        }
        Self::check(file).map_err(FileFault::from)
    }

    fn check(file: File) -> Result<Self, ArchiveFault> {
        let not_an_archive = |source| ArchiveFault::NotAnArchive { source };
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(not_an_archive)?;
        if zip.len() > ENTRIES_MAX {
            return Err(ArchiveFault::TooManyEntries { count: zip.len() });
        }
        // The reader below keeps one entry per name, so a doubled name shows only as a difference of counts.
        if zip.has_duplicate_names() {
            return Err(ArchiveFault::EntryTwice { name: "an entry".to_owned() });
        }
        if zip.has_overlapping_entries().map_err(not_an_archive)? {
            return Err(ArchiveFault::Overlap);
        }
        let mut found: Vec<(ChatFile, usize)> = Vec::new();
        let mut names = BTreeSet::new();
        let mut expanded = 0_u64;
        let mut ignored_entries = 0;
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(not_an_archive)?;
            let number = index + 1;
            if entry.encrypted() {
                return Err(ArchiveFault::Encrypted { entry: number });
            }
            if entry.is_symlink() {
                return Err(ArchiveFault::Link { entry: number });
            }
            let name = entry.name().map_err(not_an_archive)?.into_owned();
            if leads_outside(&name) || entry.enclosed_name().is_none() {
                return Err(ArchiveFault::Path { entry: number });
            }
            if !names.insert(name.to_lowercase()) {
                return Err(ArchiveFault::EntryTwice { name: format!("entry {number}") });
            }
            expanded = expanded.saturating_add(entry.size());
            if entry.size() > RATIO_MAX.saturating_mul(entry.compressed_size().max(1)) {
                return Err(ArchiveFault::Ratio { entry: number });
            }
            if expanded > EXPANDED_BYTES_MAX {
                return Err(ArchiveFault::TooLarge);
            }
            if entry.is_dir() {
                continue;
            }
            if name.to_lowercase().ends_with(".zip") {
                return Err(ArchiveFault::Nested { entry: number });
            }
            match ChatFile::of_entry(&name) {
                Some(file) if found.iter().any(|(other, _)| *other == file) => {
                    return Err(ArchiveFault::EntryTwice { name: file.name().to_owned() });
                }
                Some(file) => found.push((file, index)),
                None => ignored_entries += 1,
            }
        }
        for file in ChatFile::ALL {
            if !found.iter().any(|(other, _)| *other == file) {
                return Err(ArchiveFault::EntryMissing { name: file.name() });
            }
        }
        found.sort_unstable();
        let entries =
            found.try_into().map_err(|_| ArchiveFault::EntryMissing { name: "one of the four files" })?;
        Ok(Self { zip, entries, ignored_entries })
    }

    /// Hands one file to `read`. The content's checksum is verified when `read` reaches its end.
    ///
    /// # Errors
    /// What `read` returns; failures of the archive come as [`ArchiveFault::Damaged`].
    pub fn read<T, E: From<FileFault>>(
        &mut self,
        file: ChatFile,
        read: impl FnOnce(&mut dyn std::io::BufRead) -> Result<T, E>,
    ) -> Result<T, E> {
        let index = self.entries.iter().find(|(other, _)| *other == file).map_or(0, |(_, index)| *index);
        let entry = self
            .zip
            .by_index(index)
            .map_err(|source| FileFault::from(ArchiveFault::NotAnArchive { source }))?;
        // The stated size is a claim; more than it is never taken out.
        let claimed = entry.size();
        let mut input = BufReader::with_capacity(64 * 1024, Bounded { left: claimed, inner: entry });
        read(&mut input)
    }
}

/// Absolute names, drive letters, parent folders; also with backslashes, which some readers take as separators.
fn leads_outside(name: &str) -> bool {
    let mut parts = name.split(['/', '\\']);
    name.starts_with(['/', '\\'])
        || name.as_bytes().get(1) == Some(&b':')
        || name.contains('\0')
        || parts.any(|part| part == "..")
}

/// Fails instead of giving more bytes than stated.
struct Bounded<R> {
    left: u64,
    inner: R,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(u64::try_from(count).unwrap_or(u64::MAX)) {
            Some(left) => self.left = left,
            None => {
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "more content than stated"));
            }
        }
        Ok(count)
    }
}

/// Gives read failures of an entry their own name.
#[must_use]
pub fn damaged(file: ChatFile, fault: FileFault) -> FileFault {
    match fault {
        FileFault::Read(source) => ArchiveFault::Damaged { name: file.name().to_owned(), source }.into(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
