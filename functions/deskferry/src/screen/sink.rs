//! A standard stream that outlives its reader.

use std::io::{self, Write};

use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice};

/// Writes lines until the reader is gone, and says nothing about it: `deskferry report | head` is no error.
pub(crate) struct Sink<S: RawStream> {
    stream: AutoStream<S>,
    gone: bool,
}

impl<S: RawStream + AsLockedWrite> Sink<S> {
    pub(crate) fn new(stream: S, color: ColorChoice) -> Self {
        Self { stream: AutoStream::new(stream, color), gone: false }
    }

    /// Writes one line and flushes it, so that a reader of a pipe sees it at once.
    pub(crate) fn line(&mut self, text: &str) {
        if self.gone {
            return;
        }
        let written: io::Result<()> = writeln!(self.stream, "{text}").and_then(|()| self.stream.flush());
        self.gone = written.is_err();
    }
}
