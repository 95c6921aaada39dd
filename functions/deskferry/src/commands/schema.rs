//! `schema`: the JSON schema of a file that people edit, for their editors.

use std::io::Write;

use pipeline::review::{decisions, file};

use crate::arguments::{Schema, SchemaName};
use crate::exit::Exit;
use crate::failure::Failure;

/// Prints the schema.
pub(crate) fn run(arguments: &Schema) -> Result<Exit, Failure> {
    let schema = match arguments.name {
        SchemaName::Mapping => file::schema(),
        SchemaName::Decisions => decisions::schema(),
    };
    let text = serde_json::to_string_pretty(&schema)?;
    // A closed pipe changes nothing about how the command ended.
    writeln!(std::io::stdout().lock(), "{text}").ok();
    Ok(Exit::Done)
}
