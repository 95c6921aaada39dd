//! A lake on a local disk: finding, checking and placing snapshots.
//!
//! Objects are created, never replaced. A folder without a manifest is no snapshot, whatever lies in it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::dataset::{Dataset, LAKE_FOLDER, MANIFEST_FILE, SUCCESS_FILE};
use crate::digest::{Digest, Digesting, hex};
use crate::error::SnapshotError;
use crate::hash::to_text;
use crate::manifest::Manifest;
use crate::read::{RecordReader, RowStream, TableReader, VerifiedParts};
use crate::row::Row;
use crate::write::Sealed;

/// A folder that holds `lake/v1`.
#[derive(Debug, Clone)]
pub struct Lake {
    root: PathBuf,
}

/// What a snapshot's folder turned out to be.
#[derive(Debug)]
pub enum Entry {
    /// A snapshot.
    Sealed(StoredSnapshot),
    /// Parts without a manifest: no snapshot, or not one yet.
    Unfinished(PathBuf),
    /// Something that cannot be read, and why.
    Unreadable(PathBuf, SnapshotError),
}

/// A snapshot whose manifest was read.
#[derive(Debug, Clone)]
pub struct StoredSnapshot {
    /// Its manifest.
    pub manifest: Manifest,
    /// Where its files are.
    pub folder: PathBuf,
}

/// How thoroughly a snapshot is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Manifest, sizes and digests of all files, no file too many.
    Files,
    /// Beyond that every row: its place in the order, its row hash, and the digest over all of them.
    Rows,
}

fn refused(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SnapshotError {
    let path = path.to_owned();
    move |source| SnapshotError::File { attempt, path, source }
}

impl Lake {
    /// A lake that exists. `path` is the folder that holds `lake/v1`, or one of these two.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> Result<Self, SnapshotError> {
        let up = |levels: usize| path.ancestors().nth(levels).map(Path::to_owned);
        let roots =
            [up(0), up(1).filter(|_| path.ends_with("lake")), up(2).filter(|_| path.ends_with(LAKE_FOLDER))];
        let is_root = |root: &PathBuf| root.join(LAKE_FOLDER).is_dir();
        roots
            .into_iter()
            .flatten()
            .find(is_root)
            // The parent of a relative `lake` is the empty path, which is no folder's name.
            .map(|root| Self { root: if root.as_os_str().is_empty() { PathBuf::from(".") } else { root } })
            .ok_or_else(|| SnapshotError::NoLake { path: path.to_owned() })
    }

    /// A lake that may not exist yet; `root` is the folder that holds, or will hold, `lake/v1`.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder that holds `lake/v1`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every snapshot folder, in the order of table, run and pass; folders that are none come last.
    ///
    /// # Errors
    /// When a folder cannot be listed. What cannot be read in it becomes an [`Entry::Unreadable`].
    pub fn entries(&self) -> Result<Vec<Entry>, SnapshotError> {
        let mut sealed = Vec::new();
        let mut rest = Vec::new();
        for table in folders_in(&self.root.join(LAKE_FOLDER))? {
            for run in folders_in(&table)? {
                for folder in folders_in(&run)? {
                    match StoredSnapshot::load(&folder) {
                        Ok(snapshot) => sealed.push(snapshot),
                        Err(SnapshotError::NoSuchSnapshot { .. }) => rest.push(Entry::Unfinished(folder)),
                        Err(error) => rest.push(Entry::Unreadable(folder, error)),
                    }
                }
            }
        }
        sealed.sort_by(|left, right| {
            let order = |snapshot: &StoredSnapshot| {
                let dataset = &snapshot.manifest.dataset;
                (dataset.table.name, dataset.run.clone(), dataset.pass)
            };
            order(left).cmp(&order(right))
        });
        Ok(sealed.into_iter().map(Entry::Sealed).chain(rest).collect())
    }

    /// All snapshots that can be read, in the order of table, run and pass.
    ///
    /// # Errors
    /// As [`Lake::entries`].
    pub fn snapshots(&self) -> Result<Vec<StoredSnapshot>, SnapshotError> {
        let sealed = |entry| match entry {
            Entry::Sealed(snapshot) => Some(snapshot),
            Entry::Unfinished(_) | Entry::Unreadable(..) => None,
        };
        Ok(self.entries()?.into_iter().filter_map(sealed).collect())
    }

    /// One snapshot by name.
    ///
    /// # Errors
    /// When it does not exist or its manifest cannot be read.
    pub fn snapshot(&self, dataset: &Dataset) -> Result<StoredSnapshot, SnapshotError> {
        StoredSnapshot::load(&self.root.join(dataset.folder()))
    }

    /// Places a sealed snapshot: parts first, manifest then, marker last. What is there already with the same content
    /// is success, so a repeated call finishes what an earlier one began.
    ///
    /// # Errors
    /// When something is there with another content, or the disk refuses.
    pub fn place(&self, sealed: &Sealed) -> Result<StoredSnapshot, SnapshotError> {
        let dataset = &sealed.manifest.dataset;
        let folder = self.root.join(dataset.folder());
        fs::create_dir_all(&folder).map_err(refused("make", &folder))?;
        for part in &sealed.parts {
            let bytes = || File::open(&part.path).map_err(refused("open", &part.path));
            put_new(&folder.join(&part.file_name), bytes()?, &part.sha256)?;
        }
        let manifest = sealed.manifest.encode();
        put_new(&folder.join(MANIFEST_FILE), manifest.as_slice(), &Digest::of(&manifest))?;
        put_new(&folder.join(SUCCESS_FILE), io::empty(), &Digest::of(b""))?;
        Ok(StoredSnapshot { manifest: sealed.manifest.clone(), folder })
    }
}

impl StoredSnapshot {
    /// Reads the manifest in a folder.
    ///
    /// # Errors
    /// When there is none, it cannot be read, or it belongs to another folder.
    pub fn load(folder: &Path) -> Result<Self, SnapshotError> {
        let path = folder.join(MANIFEST_FILE);
        let bytes = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => SnapshotError::NoSuchSnapshot { name: folder.display().to_string() },
            _ => refused("read", &path)(error),
        })?;
        let manifest = Manifest::decode(&bytes)?;
        let belongs = manifest.dataset.folder();
        if !folder.ends_with(&belongs) {
            return Err(SnapshotError::ManifestDamaged {
                what: folder.display().to_string(),
                detail: format!("it belongs into {belongs}"),
            });
        }
        Ok(Self { manifest, folder: folder.to_owned() })
    }

    /// Paths of the parts in order.
    #[must_use]
    pub fn part_paths(&self) -> Vec<PathBuf> {
        self.manifest.parts.iter().map(|part| self.folder.join(&part.file_name)).collect()
    }

    /// Its rows.
    ///
    /// # Errors
    /// As [`TableReader::open`].
    pub fn rows<R: Row>(&self) -> Result<TableReader<R>, SnapshotError> {
        TableReader::open(&self.manifest, self.part_paths())
    }

    /// Its rows as values; without columns, all of them.
    ///
    /// # Errors
    /// As [`RecordReader::open`].
    pub fn records(&self, columns: &[&str]) -> Result<RecordReader, SnapshotError> {
        RecordReader::open(&self.manifest, &self.part_paths(), columns)
    }

    /// Checks it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self, depth: Depth) -> Result<(), SnapshotError> {
        let parts = VerifiedParts::of(self.manifest.dataset.table, &self.manifest, &self.part_paths())?;
        self.check_strangers()?;
        if depth == Depth::Rows { self.check_rows(parts) } else { Ok(()) }
    }

    /// Readers of the folder take every Parquet file in it, so one that is not listed is as bad as one that is missing.
    fn check_strangers(&self) -> Result<(), SnapshotError> {
        for entry in fs::read_dir(&self.folder).map_err(refused("list", &self.folder))? {
            let path = entry.map_err(refused("list", &self.folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_hidden = name.starts_with('_') || name.starts_with('.');
            if !is_hidden && !self.manifest.parts.iter().any(|part| part.file_name == name) {
                return Err(SnapshotError::Contradiction {
                    path,
                    detail: "the manifest does not list it".into(),
                });
            }
        }
        Ok(())
    }

    fn check_rows(&self, parts: VerifiedParts) -> Result<(), SnapshotError> {
        let mut stream = RowStream::new(parts);
        let mut content = Sha256::new();
        let mut rows = 0_u64;
        let wrong = |detail: String| SnapshotError::Contradiction { path: self.folder.clone(), detail };
        loop {
            let step = stream.next_with(|place| {
                let hash = place.computed_hash();
                match place.stored_hash() {
                    Some(stored) if stored != to_text(hash) => Err(wrong(format!(
                        "the row hash of row {} is not the hash of its columns",
                        place.number() + 1
                    ))),
                    _ => Ok(hash),
                }
            })?;
            let Some(hash) = step else { break };
            content.update(hash);
            rows += 1;
        }
        if rows != self.manifest.rows {
            return Err(wrong(format!("it has {rows} rows, listed are {}", self.manifest.rows)));
        }
        if hex(&content.finalize()) != self.manifest.content_digest.as_str() {
            return Err(wrong("the digest over its row hashes is not the one listed".into()));
        }
        Ok(())
    }
}

/// Folders in a folder by name; none if it does not exist.
fn folders_in(path: &Path) -> Result<Vec<PathBuf>, SnapshotError> {
    let listing = match fs::read_dir(path) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(refused("list", path)(error)),
    };
    let mut folders = Vec::new();
    for entry in listing {
        let path = entry.map_err(refused("list", path))?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Creates a file that is whole as soon as it has its name. Only its owner may read it: it can hold personal data.
fn put_new(path: &Path, mut bytes: impl io::Read, digest: &Digest) -> Result<(), SnapshotError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file =
        tempfile::Builder::new().prefix(".new-").tempfile_in(folder).map_err(refused("create", path))?;
    io::copy(&mut bytes, &mut file).map_err(refused("write", path))?;
    file.flush().and_then(|()| file.as_file().sync_all()).map_err(refused("write", path))?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(refused("write", folder)),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
            let mut present = Digesting::new(File::open(path).map_err(refused("open", path))?);
            io::copy(&mut present, &mut io::sink()).map_err(refused("read", path))?;
            let is_same = present.finish().0 == *digest;
            if is_same { Ok(()) } else { Err(SnapshotError::AlreadyThere { path: path.to_owned() }) }
        }
        Err(failed) => Err(refused("write", path)(failed.error)),
    }
}

#[cfg(test)]
mod tests;
