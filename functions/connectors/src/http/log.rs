//! The record of every request: what was asked, how it ended, how long it took. Never what was said.
//!
//! Deliberately absent: URLs, query values, header values and bodies; LeadDesk's key and people are in there.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Status and body came whole.
    Answered,
    /// The status came, the body was cut or too long.
    BodyLost,
    /// No answer in time.
    Timeout,
    /// The connection broke before the status.
    NoAnswer,
    /// No connection.
    NotSent,
    /// The caller stopped waiting.
    GivenUp,
}

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpRecord {
    /// When it was sent, UTC.
    pub at: Timestamp,
    /// `leaddesk` or `gorgias`.
    pub system: &'static str,
    /// Method and route pattern, or command; never an id, never a query value.
    pub route: &'static str,
    /// HTTP status, when one came.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes of the request's body.
    pub bytes_sent: u64,
    /// Bytes of the answer's body, as far as read.
    pub bytes_received: u64,
    /// From sending to the end of the answer.
    pub milliseconds: u64,
    /// Requests in the account's bucket and its size, when the answer told.
    pub bucket: Option<(u32, u32)>,
}

/// Receives records. Must not block for long: it is called on the way of every request.
pub trait HttpLog: Send + Sync {
    /// Takes one record.
    fn record(&self, record: &HttpRecord);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLog;

impl HttpLog for NoLog {
    fn record(&self, _record: &HttpRecord) {}
}

/// Writes one JSON object a line. A line that cannot be written is counted, not raised: losing the log must not stop a
/// migration, and hiding the loss must not happen either.
#[derive(Debug)]
pub struct NdjsonLog<W: Write + Send> {
    inner: Mutex<Inner<W>>,
}

#[derive(Debug)]
struct Inner<W> {
    writer: W,
    lost: u64,
}

impl<W: Write + Send> NdjsonLog<W> {
    /// Writes into `writer`; give a buffered one.
    pub fn new(writer: W) -> Self {
        Self { inner: Mutex::new(Inner { writer, lost: 0 }) }
    }

    /// Brings everything out of the buffer; returns how many lines were lost so far.
    ///
    /// # Errors
    /// When the writer cannot flush.
    pub fn flush(&self) -> std::io::Result<u64> {
        let mut inner = self.lock();
        inner.writer.flush()?;
        Ok(inner.lost)
    }

    fn lock(&self) -> MutexGuard<'_, Inner<W>> {
        // A panic elsewhere cannot leave half a line: lines are written by one call.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write + Send> HttpLog for NdjsonLog<W> {
    fn record(&self, record: &HttpRecord) {
        let line = serde_json::to_vec(record).map(|mut line| {
            line.push(b'\n');
            line
        });
        let mut inner = self.lock();
        let written = line.is_ok_and(|line| inner.writer.write_all(&line).is_ok());
        inner.lost += u64::from(!written);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn record() -> HttpRecord {
        HttpRecord {
            at: "2026-11-22T10:00:00.5Z".parse().unwrap(),
            system: "gorgias",
            route: "POST /tickets",
            status: Some(201),
            outcome: Outcome::Answered,
            bytes_sent: 812,
            bytes_received: 2_048,
            milliseconds: 41,
            bucket: Some((39, 40)),
        }
    }

    #[test]
    fn a_record_is_one_line_of_known_keys() {
        let log = NdjsonLog::new(Vec::new());
        log.record(&record());
        log.record(&HttpRecord { status: None, outcome: Outcome::Timeout, bucket: None, ..record() });
        assert_eq!(log.flush().unwrap(), 0);
        let text = String::from_utf8(log.inner.into_inner().unwrap().writer).unwrap();
        expect![[r#"
            {"at":"2026-11-22T10:00:00.5Z","system":"gorgias","route":"POST /tickets","status":201,"outcome":"answered","bytes_sent":812,"bytes_received":2048,"milliseconds":41,"bucket":[39,40]}
            {"at":"2026-11-22T10:00:00.5Z","system":"gorgias","route":"POST /tickets","status":null,"outcome":"timeout","bytes_sent":812,"bytes_received":2048,"milliseconds":41,"bucket":null}
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn lost_lines_are_counted() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let log = NdjsonLog::new(Full);
        log.record(&record());
        log.record(&record());
        assert_eq!(log.flush().unwrap(), 2);
    }
}
