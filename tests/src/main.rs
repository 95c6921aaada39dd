//! `prove`: figures and proofs about deskferry that anyone can run again.
//!
//! Every figure is printed as one line of JSON. Steps run in processes of their own, so that a peak of memory belongs to
//! one step alone. Deliberately absent: asserted times; a figure is a ratio, a count or a rate on this machine.

mod aws;
mod bench;
mod histories;
mod kill;
mod measured;
mod model;
mod world;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Figures and proofs about deskferry.
#[derive(Debug, Parser)]
#[command(name = "prove", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures; prints JSON figures.
    Bench(bench::Arguments),
    /// Loads in storms: killed at every point, by seeds, with bugs on purpose; prints what is there twice or missing.
    Crash(histories::Crash),
    /// The same storms, met by importers without the protocol.
    Compare(histories::Compare),
    /// Rollbacks while people work: what of theirs is lost, what is not as before.
    Rollback(histories::Rollback),
    /// Repairs of damage while people work: what of theirs is overwritten, what is not as it was loaded.
    Repair(histories::Repair),
    /// Deltas while people work in both systems: what is lost, what is there twice, what of theirs is overwritten.
    Delta(histories::Delta),
    /// A cut-over with every kind of change, killed at every point.
    Cutover(histories::Cutover),
    /// Every interleaving of a small model of the protocol, and of each removal from it.
    Model(model::Arguments),
    /// The template, deployed to an emulator with the real binary, beside the same run on one machine.
    Aws(aws::Arguments),
    /// The suites of store and queue, run by the adapters of S3 and SQS.
    AwsConformance(aws::conformance::Arguments),
    /// What 100,000 contacts cost in AWS, judged by two smaller runs.
    AwsCost(aws::cost::Arguments),
    /// A migration by functions that are killed, out of time, given messages twice, while S3 fails now and then.
    AwsStorm(aws::storm::Arguments),
    /// Kills a real run at random moments, starts it again, and counts what was created.
    Kill(kill::Arguments),
    /// Runs `deskferry` inside this program, then writes what the process used; the benches call it.
    #[command(hide = true)]
    Deskferry {
        /// Where the figures of the process go.
        #[arg(long)]
        usage: std::path::PathBuf,
        /// Arguments of `deskferry`.
        #[arg(last = true)]
        arguments: Vec<std::ffi::OsString>,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Bench(arguments) => bench::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Crash(arguments) => Ok(histories::crash(&arguments)),
        Command::Compare(arguments) => Ok(histories::compare(&arguments)),
        Command::Rollback(arguments) => Ok(histories::rollback(&arguments)),
        Command::Repair(arguments) => Ok(histories::repair(&arguments)),
        Command::Delta(arguments) => Ok(histories::delta(&arguments)),
        Command::Cutover(arguments) => Ok(histories::cutover(&arguments)),
        Command::Model(arguments) => Ok(model::run(&arguments)),
        Command::Aws(arguments) => aws::run(&arguments),
        Command::AwsConformance(arguments) => aws::conformance::run(&arguments),
        Command::AwsCost(arguments) => aws::cost::run(&arguments),
        Command::AwsStorm(arguments) => aws::storm::run(&arguments),
        Command::Kill(arguments) => kill::run(&arguments),
        Command::Deskferry { usage, arguments } => measured::inside(&usage, arguments),
    }
}
