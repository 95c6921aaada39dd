//! The `deskferry` command: a whole migration on one machine.
//!
//! Commands wire the crates below together and show what happens; they decide nothing about records. Deliberately
//! absent: any step of its own, and any way around the consent, the ledger or the lock.

mod arguments;
mod clean;
mod commands;
mod demo;
mod diagnostics;
mod exit;
mod failure;
mod figures;
mod interrupt;
mod lock;
mod project;
mod records;
mod rehearsal;
mod run_id;
mod runs;
mod screen;
mod stand_in;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use arguments::Arguments;
use screen::{Look, Screen};

/// Runs one command line, program name first, and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line: Vec<OsString> = arguments.into_iter().collect();
    let command = Arguments::command().color(color_of(&line));
    let parsed = command.try_get_matches_from(line).and_then(|found| Arguments::from_arg_matches(&found));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed pipe changes nothing about how the command ended.
            error.print().ok();
            return if error.use_stderr() { exit::Exit::Usage.into() } else { exit::Exit::Done.into() };
        }
    };
    diagnostics::listen();
    let screen = Screen::start(Look::new(&arguments.common), arguments.command.name());
    let exit = commands::dispatch(&screen, &arguments).unwrap_or_else(|failure| {
        let failure =
            arguments.command.again().into_iter().fold(failure, |failure, again| failure.or_then(&again));
        screen.fail(&failure);
        failure.exit()
    });
    drop(screen);
    exit.into()
}

/// Help and usage errors are printed before the options are known, and heed `--color` all the same.
fn color_of(line: &[OsString]) -> clap::ColorChoice {
    let mut words = line.iter().filter_map(|word| word.to_str());
    let mut choice = None;
    while let Some(word) = words.next() {
        match word.strip_prefix("--color=") {
            Some(value) => choice = Some(value),
            None if word == "--color" => choice = words.next(),
            None => {}
        }
    }
    match choice {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}
