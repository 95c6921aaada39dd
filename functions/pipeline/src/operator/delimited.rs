//! A strict reader for delimited text (RFC 4180) that streams and never guesses.
//!
//! Common readers accept a file cut inside quotes, text after a closing quote and a wrong delimiter without a word; this
//! one names each. Deliberately absent: lossy decoding, trimming, types.

use std::io::BufRead;

use super::fault::{FileFault, ROW_BYTES_MAX, RowFlaw};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What parts the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// `;`
    Semicolon,
    /// `,`
    Comma,
}

impl Delimiter {
    fn byte(self) -> u8 {
        match self {
            Self::Semicolon => b';',
            Self::Comma => b',',
        }
    }
}

/// One row; the reader's memory is used again for the next.
#[derive(Debug)]
pub struct Row<'a> {
    /// Line on which the row begins, from one.
    pub line: u64,
    /// Set when the structure of the row itself is broken.
    pub flaw: Option<RowFlaw>,
    text: &'a str,
    ends: &'a [usize],
    ended: bool,
}

impl<'a> Row<'a> {
    /// Number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.ends.len()
    }

    /// A column, from zero; empty when the row is too short.
    #[must_use]
    pub fn get(&self, column: usize) -> &'a str {
        let Some(end) = self.ends.get(column) else { return "" };
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        &self.text[start..*end]
    }

    /// All columns.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + '_ {
        (0..self.width()).map(|column| self.get(column))
    }

    /// The row with [`RowFlaw::Columns`] when its width is another.
    ///
    /// # Errors
    /// [`FileFault::CutInsideRow`] when a short row is the last one and has no line end.
    pub fn expect_width(mut self, expected: usize) -> Result<Self, FileFault> {
        let found = self.width();
        if found < expected && !self.ended {
            return Err(FileFault::CutInsideRow { line: self.line, expected, found });
        }
        if found != expected {
            self.flaw = self.flaw.or(Some(RowFlaw::Columns { expected, found }));
        }
        Ok(self)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    QuoteInQuoted,
}

/// Reads rows one after the other.
#[derive(Debug)]
pub struct DelimitedReader<R> {
    input: R,
    delimiter: u8,
    /// Line feeds seen so far.
    lines: u64,
    /// Bytes consumed so far.
    consumed: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    skip_line_feed: bool,
    last_row_ended: bool,
}

impl<R: BufRead> DelimitedReader<R> {
    /// Reads with a known delimiter. A byte order mark is skipped; UTF-16 is refused.
    ///
    /// # Errors
    /// [`FileFault::Empty`], [`FileFault::Encoding`], [`FileFault::Read`].
    pub fn new(mut input: R, delimiter: Delimiter) -> Result<Self, FileFault> {
        let consumed = begin(&mut input)?;
        Ok(Self {
            input,
            delimiter: delimiter.byte(),
            lines: 0,
            consumed,
            bytes: Vec::new(),
            ends: Vec::new(),
            skip_line_feed: false,
            last_row_ended: true,
        })
    }

    /// Finds the delimiter in the first line, which must be the header, and keeps to it.
    ///
    /// # Errors
    /// As [`DelimitedReader::new`], and [`FileFault::Delimiter`].
    pub fn detecting(mut input: R) -> Result<Self, FileFault> {
        let consumed = begin(&mut input)?;
        let delimiter = detect(input.fill_buf()?)?;
        let mut reader = Self::new(input, delimiter)?;
        reader.consumed += consumed;
        Ok(reader)
    }

    /// The next row, `None` at the end. Rows without any byte are skipped.
    ///
    /// # Errors
    /// [`FileFault::CutInsideQuotes`], [`FileFault::RowTooLarge`], [`FileFault::Encoding`], [`FileFault::Read`].
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, FileFault> {
        loop {
            let line = self.lines + 1;
            let row_start = self.consumed;
            let Some(flaw) = self.read_row(line)? else { return Ok(None) };
            if self.ends.len() == 1 && self.bytes.is_empty() && flaw.is_none() {
                continue;
            }
            let invalid_at = match std::str::from_utf8(&self.bytes) {
                // Two halves of one character may stand on both sides of a delimiter.
                Ok(text) => self.ends.iter().copied().find(|end| !text.is_char_boundary(*end)),
                Err(cause) => Some(cause.valid_up_to()),
            };
            if let Some(at) = invalid_at {
                let at = row_start + u64::try_from(at).unwrap_or(0);
                return Err(FileFault::Encoding { at, guess: "Latin-1 or Windows-1252" });
            }
            let text = std::str::from_utf8(&self.bytes).unwrap_or_default();
            return Ok(Some(Row { line, flaw, text, ends: &self.ends, ended: self.last_row_ended }));
        }
    }

    /// Whether the last row read had a line end. Without one the file may have been cut behind a complete row.
    #[must_use]
    pub fn last_row_ended(&self) -> bool {
        self.last_row_ended
    }

    /// Fills `bytes` and `ends`. `None` at the end of the input, else the flaw of the row, if any.
    fn read_row(&mut self, line: u64) -> Result<Option<Option<RowFlaw>>, FileFault> {
        self.bytes.clear();
        self.ends.clear();
        let mut state = State::FieldStart;
        let mut flaw = None;
        let mut opened_at = line;
        let mut any = false;
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return self.end_of_input(state, any, opened_at).map(|ended| ended.then_some(flaw));
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in chunk {
                used += 1;
                if self.skip_line_feed {
                    self.skip_line_feed = false;
                    if byte == b'\n' {
                        continue;
                    }
                }
                any = true;
                if byte == b'\n' || (byte == b'\r' && state != State::Quoted) {
                    self.lines += 1;
                }
                match (state, byte) {
                    (State::Quoted, b'"') => state = State::QuoteInQuoted,
                    (State::Quoted, _) => self.bytes.push(byte),
                    (_, b'\n' | b'\r') => {
                        self.skip_line_feed = byte == b'\r';
                        ended = true;
                        break;
                    }
                    (_, _) if byte == self.delimiter => {
                        self.ends.push(self.bytes.len());
                        state = State::FieldStart;
                    }
                    (State::FieldStart, b'"') => {
                        state = State::Quoted;
                        opened_at = self.lines + 1;
                    }
                    (State::QuoteInQuoted, b'"') => {
                        self.bytes.push(byte);
                        state = State::Quoted;
                    }
                    (State::QuoteInQuoted, _) => {
                        flaw = flaw.or(Some(RowFlaw::TextAfterQuote));
                        self.bytes.push(byte);
                        state = State::Plain;
                    }
                    (State::FieldStart | State::Plain, _) => {
                        self.bytes.push(byte);
                        state = State::Plain;
                    }
                }
                if byte == 0 {
                    flaw = flaw.or(Some(RowFlaw::ZeroByte));
                }
            }
            self.input.consume(used);
            self.consumed += u64::try_from(used).unwrap_or(0);
            if ended {
                self.ends.push(self.bytes.len());
                self.last_row_ended = true;
                return Ok(Some(flaw));
            }
            if self.bytes.len() > ROW_BYTES_MAX {
                return Err(FileFault::RowTooLarge { line });
            }
        }
    }

    fn end_of_input(&mut self, state: State, any: bool, opened_at: u64) -> Result<bool, FileFault> {
        if state == State::Quoted {
            return Err(FileFault::CutInsideQuotes { line: opened_at });
        }
        if !any {
            return Ok(false);
        }
        self.ends.push(self.bytes.len());
        self.last_row_ended = false;
        Ok(true)
    }
}

/// Skips a byte order mark and refuses what is visibly no UTF-8. Returns the bytes skipped.
fn begin<R: BufRead>(input: &mut R) -> Result<u64, FileFault> {
    let head = input.fill_buf()?;
    if head.is_empty() {
        return Err(FileFault::Empty);
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(FileFault::Encoding { at: 0, guess: "UTF-16" });
    }
    // ASCII text in UTF-16 without a mark has a zero in every second byte.
    let pairs = head.get(..head.len().min(64)).unwrap_or(head);
    if pairs.len() >= 4 && pairs.iter().filter(|byte| **byte == 0).count() * 3 >= pairs.len() {
        return Err(FileFault::Encoding { at: 0, guess: "UTF-16" });
    }
    if head.starts_with(BYTE_ORDER_MARK) {
        input.consume(BYTE_ORDER_MARK.len());
        if input.fill_buf()?.is_empty() {
            return Err(FileFault::Empty);
        }
        return Ok(3);
    }
    Ok(0)
}

/// The delimiter of a header line: the one that stands outside quotes more often.
fn detect(head: &[u8]) -> Result<Delimiter, FileFault> {
    let (mut semicolons, mut commas, mut tabs, mut bars) = (0, 0, 0, 0);
    let mut quoted = false;
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            b';' if !quoted => semicolons += 1,
            b',' if !quoted => commas += 1,
            b'\t' if !quoted => tabs += 1,
            b'|' if !quoted => bars += 1,
            _ => {}
        }
    }
    if tabs > semicolons.max(commas) {
        return Err(FileFault::Delimiter { found: "tabs" });
    }
    if bars > semicolons.max(commas) {
        return Err(FileFault::Delimiter { found: "vertical bars" });
    }
    // A header of one column has none; either delimiter reads it.
    Ok(if commas > semicolons { Delimiter::Comma } else { Delimiter::Semicolon })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn read(input: &[u8], width: Option<usize>) -> String {
        let mut out = Vec::new();
        let mut reader = match DelimitedReader::detecting(input) {
            Ok(reader) => reader,
            Err(fault) => return format!("{} {fault}", fault.code()),
        };
        loop {
            let row = match reader.next_row() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(fault) => {
                    out.push(format!("{} {fault}", fault.code()));
                    break;
                }
            };
            match row.expect_width(width.unwrap_or(2)) {
                Ok(row) => {
                    let fields: Vec<_> = row.iter().collect();
                    let flaw = row.flaw.map(|flaw| format!(" {} {flaw}", flaw.code())).unwrap_or_default();
                    out.push(format!("{} {fields:?}{flaw}", row.line));
                }
                Err(fault) => {
                    out.push(format!("{} {fault}", fault.code()));
                    break;
                }
            }
        }
        out.join("\n")
    }

    fn check(input: &[u8], expected: Expect) {
        expected.assert_eq(&read(input, None));
    }

    #[test]
    fn sound_files() {
        check(
            b"\xef\xbb\xbfa;b\r\n1;\"x;\"\"y\"\"\r\nz\"\r\n\r\n3;\n",
            expect![[r#"
                1 ["a", "b"]
                2 ["1", "x;\"y\"\r\nz"]
                5 ["3", ""]"#]],
        );
        check(
            b"a,b\n1,2;3",
            expect![[r#"
            1 ["a", "b"]
            2 ["1", "2;3"]"#]],
        );
        check(
            "a;b\n\u{1f600};\u{5d0}\n".as_bytes(),
            expect![[r#"
            1 ["a", "b"]
            2 ["😀", "א"]"#]],
        );
        check(
            b"a;b\n=cmd();+1\n",
            expect![[r#"
            1 ["a", "b"]
            2 ["=cmd()", "+1"]"#]],
        );
    }

    #[test]
    fn refused_files() {
        check(b"", expect!["FIL101 the file is empty"]);
        check(b"\xef\xbb\xbf", expect!["FIL101 the file is empty"]);
        check(
            b"\xff\xfea\0;\0b\0",
            expect!["FIL102 not UTF-8 at byte 0; it looks like UTF-16: save it again as UTF-8"],
        );
        check(
            b"a\0;\0b\0\n\0",
            expect!["FIL102 not UTF-8 at byte 0; it looks like UTF-16: save it again as UTF-8"],
        );
        check(b"a\tb\n1\t2\n", expect!["FIL106 columns seem to be parted by tabs; use `;` or `,`"]);
        check(
            b"a;b\nJ\xe4rvi;1\n",
            expect![[r#"
                1 ["a", "b"]
                FIL102 not UTF-8 at byte 5; it looks like Latin-1 or Windows-1252: save it again as UTF-8"#]],
        );
        check(
            b"a;b\n1;\"cut here\nand",
            expect![[r#"
                1 ["a", "b"]
                FIL103 the file ends inside quotes that open at line 2: it was cut, or a quote is missing"#]],
        );
        check(
            b"a;b\n1;2\n3",
            expect![[r#"
                1 ["a", "b"]
                2 ["1", "2"]
                FIL104 the last row, line 3, has 1 of 2 columns and no line end: the file was cut"#]],
        );
    }

    #[test]
    fn a_character_split_by_a_delimiter_is_no_text() {
        check(
            b"a;b\n\xc3;\xa4\n",
            expect![[r#"
            1 ["a", "b"]
            FIL102 not UTF-8 at byte 5; it looks like Latin-1 or Windows-1252: save it again as UTF-8"#]],
        );
    }

    #[test]
    fn flawed_rows_do_not_spoil_the_others() {
        check(
            b"a;b\n\"ab\"cd;1\n1;2;3\n1\n\0;2\n5;6\n",
            expect![[r#"
                1 ["a", "b"]
                2 ["abcd", "1"] ROW102 text after a closing quote
                3 ["1", "2", "3"] ROW101 3 columns instead of 2
                4 ["1"] ROW101 1 columns instead of 2
                5 ["\0", "2"] ROW103 a zero byte
                6 ["5", "6"]"#]],
        );
    }

    #[test]
    fn an_endless_row_is_refused_in_bounded_memory() {
        let mut input = b"a;b\n1;\"".to_vec();
        input.resize(ROW_BYTES_MAX + 1024, b'x');
        let shown = read(&input, None);
        assert!(shown.contains("FIL105"), "{shown}");
    }

    proptest::proptest! {
        /// The established reader and this one agree on everything that is well formed.
        #[test]
        fn agrees_with_the_csv_crate(
            rows in proptest::collection::vec(proptest::collection::vec("[^\0]{0,6}", 3), 1..8),
            comma: bool, crlf: bool,
        ) {
            let mut written = csv::WriterBuilder::new()
                .delimiter(if comma { b',' } else { b';' })
                .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
                .quote_style(csv::QuoteStyle::Always)
                .from_writer(Vec::new());
            for row in &rows {
                written.write_record(row).expect("in memory");
            }
            let bytes = written.into_inner().expect("in memory");
            let delimiter = if comma { Delimiter::Comma } else { Delimiter::Semicolon };
            // A tiny buffer makes every boundary fall inside a field some time.
            let input = std::io::BufReader::with_capacity(3.max(bytes.len() / 7), bytes.as_slice());
            let mut reader = DelimitedReader::new(input, delimiter).expect("not empty");
            let mut found = Vec::new();
            while let Some(row) = reader.next_row().expect("well formed") {
                proptest::prop_assert_eq!(row.flaw, None);
                found.push(row.iter().map(str::to_owned).collect::<Vec<_>>());
            }
            proptest::prop_assert_eq!(found, rows);
        }
    }
}
