//! What can go wrong with a snapshot, with a stable code, the reason and the way out.
//!
//! No message holds a value of a column that points at a person; keys are shown without such columns.

use std::path::PathBuf;

/// Everything that reading or writing a snapshot can fail with. Codes are never reused.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file system refused.
    #[error("cannot {attempt} {}", path.display())]
    File {
        /// What was attempted, as a verb.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Two rows with one key in a table that allows one.
    #[error("{table} got two rows with the key {key}")]
    DuplicateKey {
        /// The table.
        table: &'static str,
        /// The key without values that point at a person.
        key: String,
    },
    /// A value that cannot be kept.
    #[error("{table}.{column} cannot hold this value: {reason}")]
    NotStorable {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What is wrong with the value.
        reason: &'static str,
    },
    /// A spill file came back with other bytes than were written.
    #[error("a scratch file of {table} changed between writing and reading")]
    ScratchDamaged {
        /// The table.
        table: &'static str,
    },
    /// The Parquet library refused to write.
    #[error("cannot write a part of {table}")]
    Encode {
        /// The table.
        table: &'static str,
        /// Why not.
        source: parquet::errors::ParquetError,
    },
    /// A file that is not what the manifest lists.
    #[error("{} is not the file that the manifest lists: {detail}", path.display())]
    DigestMismatch {
        /// The file.
        path: PathBuf,
        /// What differs: digest or size.
        detail: String,
    },
    /// Parts given and parts listed are not the same number.
    #[error("{table} has {listed} parts in its manifest, but {given} were given")]
    PartCount {
        /// The table.
        table: String,
        /// In the manifest.
        listed: usize,
        /// At hand.
        given: usize,
    },
    /// A file whose digest is right but whose content contradicts the manifest.
    #[error("{} contradicts its manifest: {detail}", path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// What contradicts what.
        detail: String,
    },
    /// The file cannot be parsed, although its digest is right.
    #[error("cannot read {}: {detail}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The parser's words.
        detail: String,
    },
    /// Another table, or another definition of it, than the reader was made for.
    #[error("{table} was stored with another schema: {detail}")]
    SchemaMismatch {
        /// The table.
        table: String,
        /// What differs.
        detail: String,
    },
    /// Written by a newer program.
    #[error("{what} was written by a newer program: needs >= {needs}")]
    NewerProgram {
        /// Table or document.
        what: String,
        /// Version of the program that wrote it.
        needs: String,
    },
    /// A manifest that is no manifest, or whose own digest is wrong.
    #[error("the manifest of {what} is damaged: {detail}")]
    ManifestDamaged {
        /// Folder or table.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// No table of this name.
    #[error("there is no table {table:?}")]
    UnknownTable {
        /// The name.
        table: String,
        /// The nearest name that exists.
        nearest: Option<&'static str>,
    },
    /// No column of this name.
    #[error("{table} has no column {column:?}")]
    UnknownColumn {
        /// The table.
        table: &'static str,
        /// The name.
        column: String,
    },
    /// Text that names no run.
    #[error("{text:?} is not a run id")]
    NotARun {
        /// The text.
        text: String,
    },
    /// Text that names no pass.
    #[error("{text:?} is not a pass")]
    NotAPass {
        /// The text.
        text: String,
    },
    /// A path that is not the folder of a snapshot.
    #[error("{folder:?} is not the folder of a snapshot")]
    NotAFolder {
        /// The path.
        folder: String,
    },
    /// No lake where one was expected.
    #[error("there is no lake at {}", path.display())]
    NoLake {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// No such snapshot, or one without a manifest.
    #[error("there is no snapshot {name}")]
    NoSuchSnapshot {
        /// Its name.
        name: String,
    },
    /// A lake without a snapshot, where at least one was expected.
    #[error("there is no snapshot in {}", path.display())]
    EmptyLake {
        /// Where the lake is.
        path: PathBuf,
    },
    /// Snapshots of two tables cannot be compared.
    #[error("{left} and {right} are two tables")]
    TwoTables {
        /// One.
        left: String,
        /// The other.
        right: String,
    },
    /// An object that is there already with another content.
    #[error("{} is there already with another content", path.display())]
    AlreadyThere {
        /// The object.
        path: PathBuf,
    },
}

impl SnapshotError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "SNP101",
            Self::DuplicateKey { .. } => "SNP102",
            Self::NotStorable { .. } => "SNP103",
            Self::ScratchDamaged { .. } => "SNP104",
            Self::Encode { .. } => "SNP105",
            Self::AlreadyThere { .. } => "SNP106",
            Self::DigestMismatch { .. } => "SNP201",
            Self::PartCount { .. } => "SNP202",
            Self::Contradiction { .. } => "SNP203",
            Self::Unreadable { .. } => "SNP204",
            Self::SchemaMismatch { .. } => "SNP205",
            Self::NewerProgram { .. } => "SNP206",
            Self::ManifestDamaged { .. } => "SNP207",
            Self::UnknownTable { .. } => "SNP301",
            Self::UnknownColumn { .. } => "SNP302",
            Self::NotARun { .. } => "SNP303",
            Self::NotAPass { .. } => "SNP304",
            Self::NotAFolder { .. } => "SNP305",
            Self::NoLake { .. } => "SNP306",
            Self::NoSuchSnapshot { .. } => "SNP307",
            Self::TwoTables { .. } => "SNP308",
            Self::EmptyLake { .. } => "SNP309",
        }
    }

    /// Why it matters or how it comes about.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::File { source, .. } => source.to_string(),
            Self::DuplicateKey { .. } => "one key names one record; a second row would hide the first".into(),
            Self::NotStorable { reason, .. } => (*reason).to_owned(),
            Self::ScratchDamaged { .. } => "the disk or another program changed it".into(),
            Self::Encode { source, .. } => source.to_string(),
            Self::AlreadyThere { .. } => "what is stored is never replaced".into(),
            Self::DigestMismatch { .. } => {
                "bits were flipped, the copy was cut, or another file was put in its place".into()
            }
            Self::Contradiction { .. } => {
                "one of the two was changed after they were written together".into()
            }
            Self::Unreadable { .. } => "its digest is right, so it was written like this".into(),
            Self::SchemaMismatch { .. } => {
                "a version of a schema never changes, a changed one is another version".into()
            }
            Self::ManifestDamaged { .. } => "a digest covers every byte of it".into(),
            Self::PartCount { .. } => "a snapshot is all of its parts or nothing".into(),
            Self::NewerProgram { .. } => "this program does not know that version".into(),
            Self::UnknownTable { nearest, .. } => nearest
                .map_or_else(|| "no name comes near".into(), |name| format!("the nearest name is {name}")),
            Self::UnknownColumn { .. } => "columns are never renamed, so it never had one".into(),
            Self::NotARun { .. } => "a run id is a date and a suffix, such as 2026-11-22-a1".into(),
            Self::NotAPass { .. } => "a pass is full, before, after or delta_0001 and so on".into(),
            Self::NotAFolder { .. } => "folders are lake/v1/<table>/run_id=<run>/pass=<pass>".into(),
            Self::NoLake { .. } => "a lake is a folder lake/v1 with one folder per table".into(),
            Self::NoSuchSnapshot { .. } => "a snapshot without a manifest does not exist".into(),
            Self::EmptyLake { .. } => "a check of nothing says nothing".into(),
            Self::TwoTables { .. } => "only two snapshots of one table have the same keys and columns".into(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::File { .. } => {
                "check the path, the rights and the room on the disk, then run the command again"
            }
            Self::DuplicateKey { .. } => "find out why the record was read or made twice; nothing was stored",
            Self::NotStorable { .. } => {
                "settle the value before it is stored, or reject the record with a reason"
            }
            Self::ScratchDamaged { .. } => {
                "check the disk, choose another scratch folder, run the step again"
            }
            Self::Encode { .. } => "run the step again; if it comes back, report it with this code",
            Self::AlreadyThere { .. } => "use a new run or pass; the stored one stays as it is",
            Self::DigestMismatch { .. } | Self::PartCount { .. } | Self::Contradiction { .. } => {
                "restore the file from the original store, then: snapshot verify"
            }
            Self::Unreadable { .. } => "take the snapshot again in a new run; keep the file for examination",
            Self::SchemaMismatch { .. } => {
                "read it with the program that wrote it; its version is in the manifest"
            }
            Self::NewerProgram { .. } => "update this program",
            Self::ManifestDamaged { .. } => {
                "restore _manifest.json from the original store, then: snapshot verify"
            }
            Self::UnknownTable { .. } => "snapshot describe lists all tables",
            Self::UnknownColumn { .. } => "snapshot describe <table> lists its columns",
            Self::NotARun { .. } | Self::NotAPass { .. } | Self::NoSuchSnapshot { .. } => {
                "snapshot ls lists what is there"
            }
            Self::NotAFolder { .. } | Self::NoLake { .. } | Self::EmptyLake { .. } => {
                "name the migration's folder with --lake, the one that holds lake/v1"
            }
            Self::TwoTables { .. } => {
                "compare <table>/<run>/<pass> with another run or pass of the same table"
            }
        }
    }
}
