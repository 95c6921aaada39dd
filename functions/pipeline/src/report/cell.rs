//! Cells of tables for people: a spreadsheet must show them, and never compute them.
//!
//! A cell that begins like a formula gets a quote in front (OWASP ASVS 1.2.10). That hits every number in `+358…` form,
//! so exact values travel in Parquet and JSON, not here.

use std::borrow::Cow;

use bytes::Bytes;

/// First characters that make spreadsheets compute a cell or pass it on.
const TRIGGERS: [char; 8] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0'];

/// The text as a cell that no spreadsheet computes.
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(TRIGGERS) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// A table with a header, written into memory.
pub struct Table {
    rows: csv::Writer<Vec<u8>>,
}

impl Table {
    /// The header stands in the first row.
    ///
    /// # Errors
    /// Never for memory; the signature is that of the writer.
    pub fn new(header: &[&str]) -> Result<Self, csv::Error> {
        let mut rows = csv::Writer::from_writer(Vec::new());
        rows.write_record(header)?;
        Ok(Self { rows })
    }

    /// Adds a row; cells are guarded.
    ///
    /// # Errors
    /// A row of another width than the header.
    pub fn push(&mut self, cells: &[&str]) -> Result<(), csv::Error> {
        self.rows.write_record(cells.iter().map(|cell| guarded(cell).into_owned()))
    }

    /// The whole table.
    ///
    /// # Errors
    /// Never for memory; the signature is that of the writer.
    pub fn into_bytes(self) -> Result<Bytes, csv::Error> {
        self.rows.into_inner().map(Bytes::from).map_err(|error| csv::Error::from(error.into_error()))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(cell: &str, expected: &Expect) {
        let mut table = Table::new(&["cell", "next"]).expect("memory");
        table.push(&[cell, "x"]).expect("two cells");
        let bytes = table.into_bytes().expect("memory");
        let text = std::str::from_utf8(&bytes).expect("text");
        expected.assert_eq(&text.strip_prefix("cell,next\n").expect("header").escape_debug().to_string());
    }

    #[test]
    fn no_cell_is_computed() {
        check("plain", &expect![[r"plain,x\n"]]);
        check("", &expect![[r",x\n"]]);
        check("=1+1", &expect![[r"\'=1+1,x\n"]]);
        check("+358000000001", &expect![[r"\'+358000000001,x\n"]]);
        check("-2", &expect![[r"\'-2,x\n"]]);
        check("@SUM(A1)", &expect![[r"\'@SUM(A1),x\n"]]);
        check("\tx", &expect![[r"\'\tx,x\n"]]);
        check("\rx", &expect![[r#"\"\'\rx\",x\n"#]]);
        check("\nx", &expect![[r#"\"\'\nx\",x\n"#]]);
        check("\0x", &expect![[r"\'\0x,x\n"]]);
        check("a=1", &expect![[r"a=1,x\n"]]);
        check("a,\"b\"\n=c", &expect![[r#"\"a,\"\"b\"\"\n=c\",x\n"#]]);
    }
}
