//! The table of faults in `tests/README.md` names tests that are there.

use std::path::Path;

#[test]
fn every_fault_names_tests_that_exist() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(tests.join("README.md")).expect("a README");
    let mut sources = String::new();
    let mut folders = vec![tests.to_path_buf(), tests.join("../functions"), tests.join("../snapshot")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources += &std::fs::read_to_string(path).expect("source text");
            }
        }
    }
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| F")).collect();
    assert_eq!(rows.len(), 44);
    for (number, row) in (1..).zip(&rows) {
        assert!(row.starts_with(&format!("| F{number} |")), "{row}");
        let names = row.split('`').skip(1).step_by(2);
        let tests: Vec<&str> = names.filter(|name| name.len() > 12 && !name.contains(' ')).collect();
        for name in &tests {
            let is_script =
                Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.txt")).is_file();
            assert!(is_script || sources.contains(&format!("fn {name}(")), "F{number}: {name}");
        }
        assert!(!tests.is_empty() || row.contains("not built"), "F{number} names nothing");
    }
}
