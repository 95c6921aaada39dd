//! Benches: each prints one JSON line per figure and one summary line at the end.

mod delta;
mod efficiency;
mod forecast;
mod idle_clock;
mod ledger;
mod mapping;
mod steps;
mod twins;
mod wrong_byte;

use clap::Subcommand;

/// Secrets of the loopback servers, given to child processes by environment, as a real run would be.
pub(crate) const SECRETS: [(&str, &str); 4] = [
    ("LEADDESK_AUTH", "0123456789abcdef0123456789abcdef"),
    ("LEADDESK_CLIENT_ID", "twin-client"),
    ("LEADDESK_CLIENT_SECRET", "twin-secret"),
    ("GORGIAS_API_KEY", "twin-key"),
];

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Extract, transform and plan, each in a process of its own: records a second, bytes a record, peak memory.
    Steps(steps::Arguments),
    /// A delta after a small share of a large account changed: requests against the floor, work against a full pass.
    Delta(delta::Arguments),
    /// A whole run at the account's true bucket with time running faster: requests against the floor, time against the bound.
    Efficiency(efficiency::Arguments),
    /// The forecast of generated accounts against what their migrations then send and take; fails when any is off.
    Forecast(forecast::Arguments),
    /// Reading the ledger of a large account at a start, against reading and hashing the same bytes.
    Ledger(ledger::Arguments),
    /// One wrong byte at Gorgias among a hundred thousand records: found, and nothing else is.
    WrongByte(wrong_byte::Arguments),
    /// Types and targets of labelled fields in nine languages, recognised by the rules and by edit distance.
    Mapping(mapping::Arguments),
    /// Requests a second that the twins answer, so that they never are what is measured.
    Twins(twins::Arguments),
}

/// Runs one bench.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.bench {
        Bench::Steps(arguments) => steps::run(arguments),
        Bench::Delta(arguments) => delta::run(arguments),
        Bench::Efficiency(arguments) => efficiency::run(arguments),
        Bench::Forecast(arguments) => forecast::run(arguments),
        Bench::WrongByte(arguments) => wrong_byte::run(arguments),
        Bench::Ledger(arguments) => ledger::run(arguments),
        Bench::Mapping(arguments) => mapping::run(arguments),
        Bench::Twins(arguments) => twins::run(arguments),
    }
}
