//! A script and its transcript in one text.
//!
//! `$ deskferry …` runs the command, `% …` is a stage direction (see [`super::world`]), `# …` and empty lines speak to
//! the reader. Every other line is what the line above printed: standard output as it is, standard error behind `! `,
//! and the exit code when it is not 0.

use super::world::World;

const COMMAND: &str = "$ deskferry ";
const DIRECTION: &str = "% ";

enum Line {
    Command(String),
    Direction(String),
    Remark(String),
}

/// What is to be done, without what is expected.
pub(crate) struct Script(Vec<Line>);

impl Script {
    pub(crate) fn parse(text: &str) -> Self {
        let mut lines = Vec::new();
        // An empty line before a remark or a command belongs to the script; others belong to what was printed.
        let mut blanks = 0;
        for line in text.lines() {
            if line.is_empty() {
                blanks += 1;
                continue;
            }
            let own = if let Some(command) = line.strip_prefix(COMMAND) {
                Some(Line::Command(command.to_owned()))
            } else if let Some(direction) = line.strip_prefix(DIRECTION) {
                Some(Line::Direction(direction.to_owned()))
            } else {
                line.starts_with("# ").then(|| Line::Remark(line.to_owned()))
            };
            if let Some(own) = own {
                if blanks > 0 && !lines.is_empty() {
                    lines.push(Line::Remark(String::new()));
                }
                lines.push(own);
            }
            blanks = 0;
        }
        Self(lines)
    }

    /// Does everything and tells it as a transcript.
    pub(crate) fn play(&self, world: &mut World) -> String {
        let mut told = String::new();
        for line in &self.0 {
            match line {
                Line::Remark(text) => told += &format!("{text}\n"),
                Line::Direction(text) => {
                    told += &format!("{DIRECTION}{text}\n");
                    world.direct(text);
                }
                Line::Command(text) => {
                    told += &format!("{COMMAND}{text}\n");
                    told += &world.run(text);
                }
            }
        }
        told
    }
}

/// The first line that differs, with what stands around it.
pub(crate) fn first_difference(expected: &str, played: &str) -> Option<String> {
    let (expected, played): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), played.lines().collect());
    let at = (0..expected.len().max(played.len())).find(|at| expected.get(*at) != played.get(*at))?;
    let told = |lines: &[&str]| lines.get(at).map_or("(the end)", |line| *line).to_owned();
    Some(format!("line {}\n  expected: {}\n  printed:  {}", at + 1, told(&expected), told(&played)))
}

#[test]
fn a_changed_word_is_a_difference() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    let found = first_difference("a\nb\n", "a\nc\n").expect("a difference");
    assert!(found.contains("line 2") && found.contains("expected: b") && found.contains("printed:  c"));
    assert!(first_difference("a\nb\n", "a\n").is_some(), "less was printed");
}
