//! Delimited files with a header: columns by name, without case; extra columns are kept.

use std::collections::BTreeSet;
use std::io::BufRead;

use super::delimited::{DelimitedReader, Row};
use super::fault::FileFault;
use crate::source_json;

/// Rows of one file under its header.
#[derive(Debug)]
pub struct Table<R> {
    reader: DelimitedReader<R>,
    header: Header,
}

/// Column names as found, and in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    names: Vec<String>,
    lower: Vec<String>,
}

impl Header {
    /// Where a column stands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.lower.iter().position(|found| found == name)
    }

    /// Positions of several columns.
    #[must_use]
    pub fn positions<const N: usize>(&self, names: [&str; N]) -> [Option<usize>; N] {
        names.map(|name| self.position(name))
    }

    /// Number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The row as a JSON object in the order of the columns; withheld columns carry a marker.
    #[must_use]
    pub fn raw_json(&self, row: &Row<'_>) -> String {
        source_json::object_of(self.names.iter().map(String::as_str).zip(row.iter()))
    }

    fn check(&self, required: &[&'static str], optional: &[&'static str]) -> Result<(), FileFault> {
        let mut seen = BTreeSet::new();
        for (name, lower) in self.names.iter().zip(&self.lower) {
            if !seen.insert(lower) {
                return Err(FileFault::ColumnTwice { column: name.chars().take(40).collect() });
            }
        }
        let missing: Vec<&str> =
            required.iter().copied().filter(|name| self.position(name).is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found: Vec<String> =
            self.names.iter().take(60).map(|name| name.chars().take(40).collect()).collect();
        let expected: Vec<&str> = required.iter().chain(optional).copied().collect();
        Err(FileFault::Header {
            missing: missing.join(", "),
            found: found.join(", "),
            expected: expected.join(", "),
        })
    }
}

impl<R: BufRead> Table<R> {
    /// Reads the header and checks that every required column is there, once.
    ///
    /// # Errors
    /// As [`DelimitedReader::detecting`], and [`FileFault::Header`], [`FileFault::ColumnTwice`].
    pub fn open(input: R, required: &[&'static str], optional: &[&'static str]) -> Result<Self, FileFault> {
        let mut reader = DelimitedReader::detecting(input)?;
        let names: Vec<String> = match reader.next_row()? {
            Some(row) => row.iter().map(|name| name.trim().to_owned()).collect(),
            None => return Err(FileFault::Empty),
        };
        let lower = names.iter().map(|name| name.to_lowercase()).collect();
        let header = Header { names, lower };
        header.check(required, optional)?;
        Ok(Self { reader, header })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next row; its flaw is set when it has another width than the header.
    ///
    /// # Errors
    /// As [`DelimitedReader::next_row`], and [`FileFault::CutInsideRow`].
    pub fn next_row(&mut self) -> Result<Option<(&Header, Row<'_>)>, FileFault> {
        let width = self.header.width();
        match self.reader.next_row()? {
            Some(row) => Ok(Some((&self.header, row.expect_width(width)?))),
            None => Ok(None),
        }
    }

    /// Whether the last row read had a line end.
    #[must_use]
    pub fn last_row_ended(&self) -> bool {
        self.reader.last_row_ended()
    }
}

/// A cell as text; absent columns, empty cells and cells of white space alone are `None`.
#[must_use]
pub fn cell(row: &Row<'_>, position: Option<usize>) -> Option<String> {
    position.map(|position| row.get(position)).filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let shown = match Table::open(text.as_bytes(), &["id", "name"], &["zone"]) {
            Err(fault) => format!("{} {fault}", fault.code()),
            Ok(mut table) => {
                let mut rows = Vec::new();
                while let Some((header, row)) = table.next_row().expect("readable") {
                    let [name, zone] = header.positions(["name", "zone"]);
                    rows.push(format!(
                        "{:?} {:?} {}",
                        cell(&row, name),
                        cell(&row, zone),
                        header.raw_json(&row)
                    ));
                }
                rows.join("\n")
            }
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn columns_are_found_by_name() {
        check(
            "Name ; ID;Extra;SSC\nA;1;\"x\"\"y\";010100\nB;2; ;\n",
            expect![[r#"
                Some("A") None {"Name":"A","ID":"1","Extra":"x\"y","SSC":"withheld"}
                Some("B") None {"Name":"B","ID":"2","Extra":" ","SSC":""}"#]],
        );
    }

    #[test]
    fn a_wrong_header_is_refused() {
        check(
            "id;title\n",
            expect![["FIL107 the header lacks name; it has id, title; expected are id, name, zone"]],
        );
        check("id;name;ID\n", expect![[r#"FIL108 the header names "ID" twice"#]]);
        check("id|name\n", expect![["FIL106 columns seem to be parted by vertical bars; use `;` or `,`"]]);
    }
}
