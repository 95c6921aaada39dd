//! What can be wrong with a file of the operator: refused as a whole, or a row of it.
//!
//! Codes are stable. Texts name places (line, column, entry), never a value of a row.

/// Why a whole file is refused. Nothing of it is used.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Some other encoding than UTF-8; nothing is decoded with loss.
    #[error("not UTF-8 at byte {at}; it looks like {guess}: save it again as UTF-8")]
    Encoding {
        /// First offending byte.
        at: u64,
        /// Most likely encoding.
        guess: &'static str,
    },
    /// A quoted field is still open at the end.
    #[error("the file ends inside quotes that open at line {line}: it was cut, or a quote is missing")]
    CutInsideQuotes {
        /// Line of the opening quote, from one.
        line: u64,
    },
    /// The last row stops in the middle.
    #[error("the last row, line {line}, has {found} of {expected} columns and no line end: the file was cut")]
    CutInsideRow {
        /// Line, from one.
        line: u64,
        /// Columns of the header.
        expected: usize,
        /// Columns found.
        found: usize,
    },
    /// One row is larger than any row can be.
    #[error("the row at line {line} is larger than {ROW_BYTES_MAX} bytes; a quote is probably not closed")]
    RowTooLarge {
        /// Line on which the row begins, from one.
        line: u64,
    },
    /// Fields are parted by something else.
    #[error("columns seem to be parted by {found}; use `;` or `,`")]
    Delimiter {
        /// What was found in the header, in words.
        found: &'static str,
    },
    /// A column that must be there is not.
    #[error("the header lacks {missing}; it has {found}; expected are {expected}")]
    Header {
        /// Missing columns.
        missing: String,
        /// Columns found.
        found: String,
        /// Columns expected.
        expected: String,
    },
    /// Two columns of one name.
    #[error("the header names {column:?} twice")]
    ColumnTwice {
        /// The name.
        column: String,
    },
    /// The chatbot's figures instead of its conversations.
    #[error(
        "aggregate export, no transcripts: conversations.csv has no column {missing}; export the conversations log"
    )]
    Aggregate {
        /// Column without which there is no thread.
        missing: String,
    },
    /// JSON that should be an array of objects.
    #[error("not a JSON array of objects")]
    NotAnArray,
    /// The archive breaks a rule of its own or of ours.
    #[error(transparent)]
    Archive(#[from] ArchiveFault),
    /// The medium failed.
    #[error("cannot read the file")]
    Read(#[from] std::io::Error),
}

/// Bytes of one row at most; larger means that a quote was never closed, and memory is bounded.
pub const ROW_BYTES_MAX: usize = 16 * 1024 * 1024;

impl FileFault {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "FIL101",
            Self::Encoding { .. } => "FIL102",
            Self::CutInsideQuotes { .. } => "FIL103",
            Self::CutInsideRow { .. } => "FIL104",
            Self::RowTooLarge { .. } => "FIL105",
            Self::Delimiter { .. } => "FIL106",
            Self::Header { .. } => "FIL107",
            Self::ColumnTwice { .. } => "FIL108",
            Self::NotAnArray => "FIL109",
            Self::Read(_) => "FIL110",
            Self::Aggregate { .. } => "DIS304",
            Self::Archive(fault) => fault.code(),
        }
    }
}

/// Why a ZIP file is refused before anything of it is used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveFault {
    /// Not a ZIP file, or its end is missing.
    #[error("not a ZIP file, or cut off")]
    NotAnArchive {
        /// The cause.
        source: zip::result::ZipError,
    },
    /// An entry needs a password.
    #[error("entry {entry} is encrypted; export without a password")]
    Encrypted {
        /// Number of the entry, from one.
        entry: usize,
    },
    /// A name that leads out of the archive, or is absolute.
    #[error("entry {entry} has a name that leads outside of the archive")]
    Path {
        /// Number of the entry, from one.
        entry: usize,
    },
    /// A link instead of a file.
    #[error("entry {entry} is a link")]
    Link {
        /// Number of the entry, from one.
        entry: usize,
    },
    /// Two entries use the same bytes.
    #[error("entries overlap")]
    Overlap,
    /// More than [`ENTRIES_MAX`].
    #[error("{count} entries; at most {ENTRIES_MAX} are read")]
    TooManyEntries {
        /// Entries found.
        count: usize,
    },
    /// Expands beyond [`RATIO_MAX`].
    #[error("entry {entry} expands by more than {RATIO_MAX} to one")]
    Ratio {
        /// Number of the entry, from one.
        entry: usize,
    },
    /// Expands beyond [`EXPANDED_BYTES_MAX`].
    #[error("the entries expand to more than {EXPANDED_BYTES_MAX} bytes")]
    TooLarge,
    /// An archive in the archive.
    #[error("entry {entry} is a ZIP file itself; unpack it and give each file on its own")]
    Nested {
        /// Number of the entry, from one.
        entry: usize,
    },
    /// Two entries of one name, or of one role.
    #[error("{name} is there twice")]
    EntryTwice {
        /// Role or number of the entry.
        name: String,
    },
    /// One of the four files is not there.
    #[error("{name} is missing")]
    EntryMissing {
        /// File name.
        name: &'static str,
    },
    /// The content is not what was packed.
    #[error("the content of {name} does not match its checksum or is damaged")]
    Damaged {
        /// File name.
        name: String,
        /// The cause.
        source: std::io::Error,
    },
}

/// Entries of one ZIP file at most; a chatbot export has four.
pub const ENTRIES_MAX: usize = 1_000;
/// Expansion of one entry at most; text rarely passes thirty.
pub const RATIO_MAX: u64 = 200;
/// Bytes of all entries together at most, expanded.
pub const EXPANDED_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

impl ArchiveFault {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAnArchive { .. } => "ZIP101",
            Self::EntryMissing { .. } => "ZIP102",
            Self::Encrypted { .. } => "ZIP103",
            Self::Path { .. } => "ZIP104",
            Self::Link { .. } => "ZIP105",
            Self::Overlap => "ZIP106",
            Self::Ratio { .. } => "ZIP107",
            Self::TooLarge => "ZIP108",
            Self::Nested { .. } => "ZIP109",
            Self::EntryTwice { .. } => "ZIP110",
            Self::Damaged { .. } => "ZIP111",
            Self::TooManyEntries { .. } => "ZIP112",
        }
    }
}

/// Why one row is put aside while the rest of the file is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFlaw {
    /// Another number of columns than the header (or the layout) has.
    Columns {
        /// Columns that every row must have.
        expected: usize,
        /// Columns of this row.
        found: usize,
    },
    /// Text between a closing quote and the next delimiter.
    TextAfterQuote,
    /// A zero byte.
    ZeroByte,
}

impl RowFlaw {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Columns { .. } => "ROW101",
            Self::TextAfterQuote => "ROW102",
            Self::ZeroByte => "ROW103",
        }
    }
}

impl std::fmt::Display for RowFlaw {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Columns { expected, found } => write!(out, "{found} columns instead of {expected}"),
            Self::TextAfterQuote => out.write_str("text after a closing quote"),
            Self::ZeroByte => out.write_str("a zero byte"),
        }
    }
}
