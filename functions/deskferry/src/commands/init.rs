//! `init`: a configuration that explains itself.
//!
//! Deliberately absent: questions. Every key has a comment and a value of the right form.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use serde_json::json;

use crate::arguments::{Common, Init};
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::screen::Screen;

/// Stands in the template where the name goes.
const NAME_MARK: &str = "@MIGRATION@";
/// The file that is written.
pub(crate) const TEMPLATE: &str = include_str!("init/migration.toml");
/// Characters of a migration's name at most; it is part of every path and key.
const NAME_CHARS_MAX: usize = 40;

/// Writes the file, unless there is one.
pub(crate) fn run(screen: &Screen, common: &Common, arguments: &Init) -> Result<Exit, Failure> {
    let name = &arguments.migration;
    if !is_name(name) {
        return Err(Failure::new(&catalogue::BAD_ARGUMENT, "--migration is not a name").with_why(format!(
            "a name has 1 to {NAME_CHARS_MAX} lower-case letters, digits and dashes, and begins with a letter"
        )));
    }
    let path = &common.config;
    screen.say(format!("Writing {}", path.display()));
    let mut options = OpenOptions::new();
    options.write(true);
    if arguments.force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let written =
        options.open(path).and_then(|mut file| file.write_all(TEMPLATE.replace(NAME_MARK, name).as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::new(&catalogue::FILE_EXISTS, format!("{} is there already", path.display()))
        }
        _ => {
            Failure::new(&catalogue::LOCAL_FILES, format!("cannot write {}", path.display())).because(&error)
        }
    })?;
    screen.say("Fill in both accounts; secrets stay in the environment or in files, the configuration only names them");
    screen.event(json!({ "type": "result", "config": path, "migration": name }));
    screen.next("deskferry discover", "reads both accounts, writes to neither");
    Ok(Exit::Done)
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_CHARS_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_in_paths() {
        for (name, good) in [
            ("acme", true),
            ("acme-2026", true),
            ("", false),
            ("../x", false),
            ("Acme", false),
            ("2acme", false),
        ] {
            assert_eq!(is_name(name), good, "{name}");
        }
    }

    #[test]
    fn the_template_is_toml_and_holds_no_secret() {
        let parsed: toml::Table = TEMPLATE.replace(NAME_MARK, "acme").parse().unwrap();
        assert_eq!(parsed["migration"].as_str(), Some("acme"));
        for (table, key) in [
            ("leaddesk", "auth"),
            ("leaddesk", "client_id"),
            ("leaddesk", "client_secret"),
            ("gorgias", "api_key"),
        ] {
            assert!(parsed[table][key].as_str().unwrap().starts_with("env:"), "{table}.{key}");
        }
    }
}
