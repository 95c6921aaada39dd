//! What a failed call means, whatever operation it was.

use std::error::Error;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

/// A failed call, without addresses: code, status and the number that support asks for.
#[derive(Debug, thiserror::Error)]
#[error("{service} answered {code}{}", .request.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default())]
pub(super) struct CallFailed {
    service: &'static str,
    /// Error code, or what kept the answer away.
    pub(super) code: String,
    /// HTTP status, where there was an answer.
    pub(super) status: Option<u16>,
    request: Option<String>,
}

impl CallFailed {
    /// Of an error of the SDK. Its own text may hold keys and addresses, so it is left out.
    pub(super) fn of<E, R>(service: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + RequestId + Error + 'static,
        R: StatusOf,
    {
        let code = match error {
            SdkError::ServiceError(answer) => answer.err().code().unwrap_or("an unnamed error").to_owned(),
            SdkError::TimeoutError(_) => "nothing in time".to_owned(),
            SdkError::DispatchFailure(_) => "nothing: the connection failed".to_owned(),
            SdkError::ResponseError(_) => "what cannot be read".to_owned(),
            _ => "nothing: the request was not sent".to_owned(),
        };
        let status = error.raw_response().map(StatusOf::status_code);
        let request = error.as_service_error().and_then(|answer| answer.request_id()).map(ToOwned::to_owned);
        Self { service, code, status, request }
    }

    /// The answer began well and did not come to its end.
    pub(super) fn cut(service: &'static str) -> Self {
        Self { service, code: "a body that was cut off".to_owned(), status: None, request: None }
    }
}

/// An answer that tells its HTTP status.
pub(super) trait StatusOf {
    /// The status.
    fn status_code(&self) -> u16;
}

impl StatusOf for aws_sdk_s3::config::http::HttpResponse {
    fn status_code(&self) -> u16 {
        self.status().as_u16()
    }
}
