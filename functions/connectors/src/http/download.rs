//! An answer whose body is read piece by piece, for files too large to hold.
//!
//! Deliberately absent: where the pieces go, and how many are too many.

use bytes::Bytes;

use super::log::Outcome;
use super::{Failure, HttpClient, Observed, TransportError};

/// An answer under way. It is logged when this is dropped: as answered only once the body has come whole.
pub(crate) struct Download<'c> {
    response: reqwest::Response,
    observed: Observed<'c>,
}

impl HttpClient {
    /// Sends once and gives the answer back as soon as its headers are there.
    pub(crate) async fn open(
        &self,
        request: reqwest::Request,
        route: &'static str,
    ) -> Result<Download<'_>, Failure> {
        let mut observed = Observed::new(self, route, &request);
        match self.client.execute(request).await {
            Ok(response) => {
                observed.record.status = Some(response.status().as_u16());
                observed.record.outcome = Outcome::BodyLost;
                Ok(Download { response, observed })
            }
            Err(error) => Err(observed.failed(error)),
        }
    }
}

impl Download<'_> {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Bytes of the body, where the answer tells.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next piece; `None` at the end of the whole body.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, TransportError> {
        match self.response.chunk().await {
            Ok(Some(piece)) => {
                self.observed.record.bytes_received += piece.len() as u64;
                Ok(Some(piece))
            }
            Ok(None) => {
                self.observed.record.outcome = Outcome::Answered;
                Ok(None)
            }
            Err(error) => {
                if error.is_timeout() {
                    self.observed.record.outcome = Outcome::Timeout;
                }
                Err(TransportError::new("the connection broke", error))
            }
        }
    }
}
