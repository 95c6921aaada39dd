//! Columns: what one stored value means, and how it is kept.
//!
//! Deliberately absent: nested columns. Children are tables of their own, because spreadsheets cannot take structs.

/// Physical type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text; ids too, so that no reader drops a leading zero.
    Text,
    /// Moment in UTC, microseconds since 1970.
    Instant,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// Yes or no; null means unknown.
    Flag,
    /// Finite 64-bit float. Negative zero is stored as zero.
    Number,
}

impl ColumnType {
    /// Word used in manifests, fingerprints and the data dictionary.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Instant => "instant",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Flag => "flag",
            Self::Number => "number",
        }
    }
}

/// How closely a column points at a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalData {
    /// Names a person or reaches one: name, address, number, free text.
    Direct,
    /// Points at a person through another record: ids of persons, moments of calls.
    Indirect,
    /// Says nothing about a person.
    None,
}

impl PersonalData {
    /// Word used in the data dictionary.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Indirect => "indirect",
            Self::None => "none",
        }
    }
}

/// What the values of a column are like; decides the Parquet encoding and the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodingClass {
    /// Rising text such as a sort key: common prefixes are stored once, no dictionary.
    Identifier,
    /// Near-unique short text: lengths and bytes apart, no dictionary.
    Unique,
    /// Long or free text: as [`EncodingClass::Unique`], and no statistics, so that no text stands in a file's footer.
    Free,
    /// Few distinct values: dictionary.
    Category,
    /// Integers and instants: differences, bit-packed, no dictionary.
    Delta,
    /// Flags and floats: as they are.
    Plain,
}

impl EncodingClass {
    /// Word used in the data dictionary.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::Unique => "unique",
            Self::Free => "free",
            Self::Category => "category",
            Self::Delta => "delta",
            Self::Plain => "plain",
        }
    }
}

/// One column of a table. Built by [`crate::table!`]; the methods are the words of that macro.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name, `snake_case`.
    pub name: &'static str,
    /// Physical type.
    pub kind: ColumnType,
    /// Whether the column may be empty.
    pub is_nullable: bool,
    /// One sentence for the data dictionary.
    pub meaning: &'static str,
    /// Unit of the number, such as `seconds`.
    pub unit: Option<&'static str>,
    /// What an empty value says.
    pub null_meaning: Option<&'static str>,
    /// An obviously generated value.
    pub example: Option<&'static str>,
    /// Where the value comes from, in the words of the system that gave it.
    pub source_field: Option<&'static str>,
    /// How closely it points at a person.
    pub personal: PersonalData,
    /// How it is kept.
    pub encoding: EncodingClass,
    /// Part of the sort key; keys are never empty.
    pub is_key: bool,
    /// Part of the row hash, and so of a comparison. Control columns and raw records are not.
    pub is_hashed: bool,
    /// Second look-up key: carries a bloom filter.
    pub is_looked_up: bool,
    /// Schema version that brought the column. A column that came later than version 1 is nullable.
    pub since: u32,
}

impl Column {
    /// A column with the settings that its type suggests.
    #[must_use]
    pub const fn new(name: &'static str, kind: ColumnType, is_nullable: bool, meaning: &'static str) -> Self {
        let encoding = match kind {
            ColumnType::Text => EncodingClass::Unique,
            ColumnType::Instant | ColumnType::Int32 | ColumnType::Int64 => EncodingClass::Delta,
            ColumnType::Flag | ColumnType::Number => EncodingClass::Plain,
        };
        Self {
            name,
            kind,
            is_nullable,
            meaning: meaning.trim_ascii(),
            unit: None,
            null_meaning: None,
            example: None,
            source_field: None,
            personal: PersonalData::None,
            encoding,
            is_key: false,
            is_hashed: true,
            is_looked_up: false,
            since: 1,
        }
    }

    /// Part of the sort key.
    #[must_use]
    pub const fn key(mut self) -> Self {
        self.is_key = true;
        if matches!(self.kind, ColumnType::Text) {
            self.encoding = EncodingClass::Identifier;
        }
        self
    }

    /// Points at a person by itself.
    #[must_use]
    pub const fn direct(mut self) -> Self {
        self.personal = PersonalData::Direct;
        self
    }

    /// Points at a person through another record.
    #[must_use]
    pub const fn indirect(mut self) -> Self {
        self.personal = PersonalData::Indirect;
        self
    }

    /// Few distinct values.
    #[must_use]
    pub const fn category(mut self) -> Self {
        self.encoding = EncodingClass::Category;
        self
    }

    /// Long or free text, which may hold anything, so it counts as pointing at a person.
    #[must_use]
    pub const fn free(mut self) -> Self {
        self.encoding = EncodingClass::Free;
        self.personal = PersonalData::Direct;
        self
    }

    /// Second look-up key.
    #[must_use]
    pub const fn lookup(mut self) -> Self {
        self.is_looked_up = true;
        self
    }

    /// Says how a row came here, not what it says: not hashed and not compared.
    #[must_use]
    pub const fn control(mut self) -> Self {
        self.is_hashed = false;
        self
    }

    /// Unit of the number.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// What an empty value says.
    #[must_use]
    pub const fn null(mut self, meaning: &'static str) -> Self {
        self.null_meaning = Some(meaning);
        self
    }

    /// Where the value comes from.
    #[must_use]
    pub const fn from(mut self, source_field: &'static str) -> Self {
        self.source_field = Some(source_field);
        self
    }

    /// An obviously generated value.
    #[must_use]
    pub const fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    /// Schema version that brought the column.
    #[must_use]
    pub const fn since(mut self, version: u32) -> Self {
        self.since = version;
        self
    }
}
