//! Log lines as JSON on standard output, where CloudWatch takes them.

use tracing_subscriber::EnvFilter;

/// An error with its causes; their texts hold ids, counts and codes only.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut cause = Some(error);
    let mut texts = Vec::new();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.join(": ")
}

/// Sends every log line of the process to standard output, at the level that `RUST_LOG` names.
pub fn to_standard_output() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A second call, as in tests, changes nothing.
    let _ = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).try_init();
}
