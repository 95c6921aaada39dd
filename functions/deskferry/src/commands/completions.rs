//! `completions`: the shell's own file, from the command tree itself.

use std::io::Write;

use clap::CommandFactory;

use crate::arguments::{Arguments, Completions};
use crate::exit::Exit;

/// Prints the completions. They are a file for the shell, so `--json` does not change them.
pub(crate) fn run(arguments: &Completions) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "deskferry", &mut text);
    // A closed pipe is the reader's choice.
    std::io::stdout().write_all(&text).ok();
    Exit::Done
}
