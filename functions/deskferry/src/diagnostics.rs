//! What the crates below note for developers, on standard error: warnings, or what `DESKFERRY_LOG` asks for.
//!
//! Only our own crates are heard. Deliberately absent: libraries for HTTP and TLS, which would write addresses and headers;
//! LeadDesk's key is part of the one, Gorgias' of the other.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Variable that names a level: `off`, `error`, `warn`, `info`, `debug` or `trace`.
const LEVEL_VARIABLE: &str = "DESKFERRY_LOG";
/// Crates that keep people and keys out of what they note.
const OURS: [&str; 5] = ["migration", "snapshot", "pipeline", "connectors", "deskferry"];

/// Starts listening; a second start in one process changes nothing.
pub(crate) fn listen() {
    let level =
        std::env::var(LEVEL_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(LevelFilter::WARN);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // An error means that somebody listens already, which is what was wanted.
    tracing_subscriber::registry().with(lines).with(filter(level)).try_init().ok();
}

fn filter(level: LevelFilter) -> Targets {
    Targets::new().with_targets(OURS.map(|name| (name, level)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::filter::LevelFilter as Level;

    #[test]
    fn only_our_crates_are_heard() {
        let filter = filter(Level::TRACE);
        let heard = |target| filter.would_enable(target, &tracing::Level::WARN);
        assert!(heard("pipeline::worker") && heard("connectors"));
        for other in ["reqwest", "hyper_util::client", "rustls", "h2"] {
            assert!(!heard(other), "{other}");
        }
    }
}
