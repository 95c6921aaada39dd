//! Holds the README to the program: commands that it names exist, tests that it names exist, all twelve rows are there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("the README stands at the top")
}

/// Lines of the code blocks of one language.
fn code(readme: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}");
    let mut lines = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line {
            _ if line == opening => inside = true,
            "```" => inside = false,
            _ if inside => lines.push(line.to_owned()),
            _ => {}
        }
    }
    lines
}

fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(&path).expect("source text"));
        }
    }
}

#[test]
fn every_command_of_the_readme_is_a_command() {
    let readme = readme();
    let lines = code(&readme, "sh");
    let named: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("deskferry ")).collect();
    assert!(named.len() >= 7, "{named:?}");
    for line in named {
        let word = line.split_whitespace().next().expect("a command");
        let status = Command::new(env!("CARGO_BIN_EXE_deskferry"))
            .args([word, "--help"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the program runs");
        assert!(status.success(), "{word}");
    }
}

#[test]
fn every_row_names_a_test_that_exists() {
    let readme = readme();
    let mut all = String::new();
    for folder in ["functions", "snapshot", "tests"] {
        sources(&root().join(folder), &mut all);
    }
    let rows: Vec<Vec<&str>> = readme
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells.len() == 9 && cells[1].parse::<u32>().is_ok())
        .collect();
    let numbers: Vec<&str> = rows.iter().map(|cells| cells[1]).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);
    for cells in &rows {
        let tests: Vec<&str> = cells[7].split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "row {} names no test", cells[1]);
        for test in tests {
            assert!(all.contains(&format!("fn {test}(")), "row {}: there is no test {test}", cells[1]);
        }
    }
}

#[test]
fn every_exit_code_is_in_the_readme() {
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "130"] {
        assert!(readme().lines().any(|line| line.starts_with(&format!("| {code} | "))), "{code}");
    }
}
