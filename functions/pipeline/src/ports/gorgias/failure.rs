//! What can go wrong with a read, and the three outcomes of a write that did not come back as done.

/// Why a read did not succeed. Reads have no effect and were repeated within bounds.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// 401 or 403: stop, never a fault of one record.
    #[error("Gorgias refused the credentials or the permission for {request}")]
    Credentials {
        /// Route, without ids of persons.
        request: String,
    },
    /// 404.
    #[error("Gorgias has no such record for {request}")]
    NotFound {
        /// Route.
        request: String,
    },
    /// 400: for list cursors this means "start the list again".
    #[error("Gorgias refused {request}")]
    Refused {
        /// Route.
        request: String,
    },
    /// The answer is no answer of this route.
    #[error("Gorgias' answer to {request} cannot be used: {why}")]
    Unusable {
        /// Route.
        request: String,
        /// What is wrong, without content.
        why: String,
    },
    /// No usable answer within the retries.
    #[error("Gorgias did not answer {request}")]
    NoAnswer {
        /// Route.
        request: String,
        /// The last cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Outcome of one write that did not come back as done. Three answers, never two.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Nothing was applied and the same request will fail again: the record is at fault.
    #[error("Gorgias refused {request} with {status}: {message}")]
    Refused {
        /// Route.
        request: String,
        /// HTTP status.
        status: u16,
        /// Gorgias' words with values removed.
        message: String,
    },
    /// 409, or a 400 that says the identifier exists: look it up.
    #[error("Gorgias already has a record with this identifier for {request}")]
    Conflict {
        /// Route.
        request: String,
    },
    /// 404 on a write to an existing record.
    #[error("the record of {request} is gone")]
    Gone {
        /// Route.
        request: String,
    },
    /// 401, 403: stop the run; also quotas of trial accounts.
    #[error("Gorgias refused the credentials or the permission for {request}")]
    Credentials {
        /// Route.
        request: String,
    },
    /// The request may or may not have taken effect. Never simply repeated.
    #[error("it is not known whether {request} took effect")]
    InDoubt {
        /// Route.
        request: String,
        /// The cause, if there is one.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// Not sent: no connection, or the deadline has passed. Safe to announce again.
    #[error("{request} was not sent")]
    NotSent {
        /// Route.
        request: String,
        /// The cause.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}
