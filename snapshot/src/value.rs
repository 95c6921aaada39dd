//! One value of one column, borrowed from a row, a spill file or a Parquet batch.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::column::ColumnType;

/// A value on its way in or out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Empty.
    Null,
    /// UTF-8 text.
    Text(&'a str),
    /// Microseconds since 1970, UTC.
    Instant(i64),
    /// 32-bit integer.
    Int32(i32),
    /// 64-bit integer.
    Int64(i64),
    /// Yes or no.
    Flag(bool),
    /// Finite number.
    Number(f64),
}

impl Value<'_> {
    /// What stands for "nothing read" in a column that cannot be empty: empty text, zero, false.
    #[must_use]
    pub(crate) fn blank(kind: ColumnType) -> Value<'static> {
        match kind {
            ColumnType::Text => Value::Text(""),
            ColumnType::Instant => Value::Instant(0),
            ColumnType::Int32 => Value::Int32(0),
            ColumnType::Int64 => Value::Int64(0),
            ColumnType::Flag => Value::Flag(false),
            ColumnType::Number => Value::Number(0.0),
        }
    }

    /// Text for people; `None` when empty. Instants are RFC 3339 in UTC.
    #[must_use]
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Value::Null => return None,
            Value::Text(text) => Cow::Borrowed(*text),
            Value::Instant(micros) => match Timestamp::from_microsecond(*micros) {
                Ok(instant) => Cow::Owned(instant.to_string()),
                Err(_) => Cow::Owned(format!("{micros} microseconds")),
            },
            Value::Int32(number) => Cow::Owned(number.to_string()),
            Value::Int64(number) => Cow::Owned(number.to_string()),
            Value::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Value::Number(number) => Cow::Owned(number.to_string()),
        })
    }

    /// JSON value; instants as RFC 3339 text.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Int32(number) => (*number).into(),
            Value::Int64(number) => (*number).into(),
            Value::Flag(flag) => (*flag).into(),
            Value::Number(number) => (*number).into(),
            Value::Text(_) | Value::Instant(_) => self
                .to_text()
                .map_or(serde_json::Value::Null, |text| serde_json::Value::String(text.into_owned())),
        }
    }

    /// A copy that lives on its own.
    #[must_use]
    pub fn to_owned_value(&self) -> ValueBuf {
        match *self {
            Value::Null => ValueBuf::Null,
            Value::Text(text) => ValueBuf::Text(text.to_owned()),
            Value::Instant(micros) => ValueBuf::Instant(micros),
            Value::Int32(number) => ValueBuf::Int32(number),
            Value::Int64(number) => ValueBuf::Int64(number),
            Value::Flag(flag) => ValueBuf::Flag(flag),
            Value::Number(number) => ValueBuf::Number(number),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i32> for Value<'_> {
    fn from(number: i32) -> Self {
        Self::Int32(number)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int64(number)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(instant: Timestamp) -> Self {
        Self::Instant(instant.as_microsecond())
    }
}

/// A value that owns its text.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueBuf {
    /// Empty.
    Null,
    /// UTF-8 text.
    Text(String),
    /// Microseconds since 1970, UTC.
    Instant(i64),
    /// 32-bit integer.
    Int32(i32),
    /// 64-bit integer.
    Int64(i64),
    /// Yes or no.
    Flag(bool),
    /// Finite number.
    Number(f64),
}

impl ValueBuf {
    /// The value, borrowed.
    #[must_use]
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(text),
            Self::Instant(micros) => Value::Instant(*micros),
            Self::Int32(number) => Value::Int32(*number),
            Self::Int64(number) => Value::Int64(*number),
            Self::Flag(flag) => Value::Flag(*flag),
            Self::Number(number) => Value::Number(*number),
        }
    }
}

/// A Rust type that a column can hold.
pub trait Cell: Sized {
    /// Physical type of its column.
    const KIND: ColumnType;
    /// Whether its column may be empty.
    const IS_NULLABLE: bool;
    /// The value as stored. Instants lose what is finer than a microsecond.
    fn to_value(&self) -> Value<'_>;
    /// The value as read; `None` when it is of another type.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

macro_rules! plain_cell {
    ($($cell:ty => $kind:ident, $self:ident, $to:expr, $from:pat => $back:expr;)+) => {$(
        impl Cell for $cell {
            const KIND: ColumnType = ColumnType::$kind;
            const IS_NULLABLE: bool = false;
            fn to_value(&$self) -> Value<'_> {
                $to
            }
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    $from => $back,
                    _ => None,
                }
            }
        }
    )+};
}

plain_cell! {
    String => Text, self, Value::Text(self), Value::Text(text) => Some(text.to_owned());
    Timestamp => Instant, self, Value::Instant(self.as_microsecond()),
        Value::Instant(micros) => Timestamp::from_microsecond(micros).ok();
    i32 => Int32, self, Value::Int32(*self), Value::Int32(number) => Some(number);
    i64 => Int64, self, Value::Int64(*self), Value::Int64(number) => Some(number);
    bool => Flag, self, Value::Flag(*self), Value::Flag(flag) => Some(flag);
    // Adding zero turns negative zero into zero and leaves every other number as it is.
    f64 => Number, self, Value::Number(*self + 0.0), Value::Number(number) => Some(number);
}

impl<T: Cell> Cell for Option<T> {
    const KIND: ColumnType = T::KIND;
    const IS_NULLABLE: bool = true;
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Cell::to_value)
    }
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}
