//! Rows: Rust structs that are tables, and the macro that makes them so.

use crate::batch::RowView;
use crate::error::SnapshotError;
use crate::hash::{HashPlan, to_text};
use crate::key::Key;
use crate::schema::TableSchema;
use crate::value::Value;

/// A struct whose fields are the columns of a table. Implemented by [`crate::table!`] only.
pub trait Row: Sized + Clone + std::fmt::Debug + PartialEq + 'static {
    /// The table.
    const SCHEMA: &'static TableSchema;

    /// The values in the order of the columns, borrowed from the row.
    fn values(&self) -> Vec<Value<'_>>;

    /// The row at one position of a batch.
    ///
    /// # Errors
    /// When the batch holds a value of another type, or nothing where the column cannot be empty.
    fn read(view: &RowView<'_>) -> Result<Self, SnapshotError>;

    /// The whole sort key.
    #[must_use]
    fn key(&self) -> Key {
        self.key_prefix(usize::MAX)
    }

    /// The first `columns` columns of the sort key.
    #[must_use]
    fn key_prefix(&self, columns: usize) -> Key {
        let values = self.values();
        let keys = Self::SCHEMA.columns.iter().zip(values).filter(|(column, _)| column.is_key);
        Key::of(keys.take(columns).map(|(_, value)| value))
    }

    /// The row hash as the writer stores it: 32 hexadecimal digits over all mapped columns.
    #[must_use]
    fn row_hash(&self) -> String {
        to_text(HashPlan::of(Self::SCHEMA).hash(&self.values(), &mut Vec::new()))
    }
}

/// A row as read, with the hash that was stored beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct RowRead<R> {
    /// The row.
    pub row: R,
    /// 32 hexadecimal digits; computed from the row where the table stores none.
    pub hash: String,
}

/// Defines a table: the struct, its schema and its [`Row`] implementation.
///
/// After a field's type, behind `=>`, stand the methods of [`Column`](crate::Column) that describe the column.
///
/// ```
/// snapshot::table! {
///     /// Calls in the order of their contact, for joining.
///     pub struct CallOfContact = "ctl_call_of_contact", Control, version 1 {
///         /// The contact.
///         contact_id: String => key indirect,
///         /// When the call began.
///         called_at: jiff::Timestamp => key indirect,
///         /// What the agent wrote.
///         comment: Option<String> => free null("no comment"),
///     }
/// }
/// # use snapshot::Row as _;
/// assert_eq!(CallOfContact::SCHEMA.key_columns().count(), 2);
/// ```
///
/// `multi` after the version allows several rows with one key.
#[macro_export]
macro_rules! table {
    (
        $(#[doc = $table_doc:literal])+
        $visible:vis struct $row:ident = $table:literal, $layer:ident, version $version:literal $($multi:ident)? {
            $(
                $(#[doc = $doc:literal])+
                $column:ident : $cell:ty $(=> $($fact:ident $(($($argument:expr),+))?)+)?
            ),+ $(,)?
        }
    ) => {
        $(#[doc = $table_doc])+
        #[derive(Debug, Clone, PartialEq)]
        $visible struct $row {
            $(
                $(#[doc = $doc])+
                $visible $column: $cell,
            )+
        }

        impl $crate::Row for $row {
            const SCHEMA: &'static $crate::TableSchema = &$crate::TableSchema {
                name: $table,
                layer: $crate::Layer::$layer,
                version: $version,
                meaning: concat!($($table_doc),+).trim_ascii(),
                columns: &[$(
                    $crate::Column::new(
                        stringify!($column),
                        <$cell as $crate::Cell>::KIND,
                        <$cell as $crate::Cell>::IS_NULLABLE,
                        concat!($($doc),+),
                    )
                    $($(.$fact($($($argument),+)?))+)?
                ),+],
                is_multi: $crate::table!(@multi $($multi)?),
            };

            fn values(&self) -> Vec<$crate::Value<'_>> {
                vec![$($crate::Cell::to_value(&self.$column)),+]
            }

            fn read(view: &$crate::RowView<'_>) -> Result<Self, $crate::SnapshotError> {
                let mut cells = view.cells();
                Ok(Self { $($column: cells.take::<$cell>()?),+ })
            }
        }
    };
    (@multi) => { false };
    (@multi multi) => { true };
}
