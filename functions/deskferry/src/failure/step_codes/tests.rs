//! Every code of the steps can be explained, and stands in its place.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

/// Codes as they stand in source text: three capitals, three digits, in quotes.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2).filter(|word| {
        let (letters, digits) = word.split_at_checked(3).unwrap_or_default();
        word.len() == 6
            && letters.bytes().all(|byte| byte.is_ascii_uppercase())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn read(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.is_dir() {
            read(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !name.contains("test") {
            let text = std::fs::read_to_string(&path).unwrap();
            // What stands behind this line is test code.
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            found.extend(codes(code).map(str::to_owned));
        }
    }
}

#[test]
fn every_code_of_the_steps_can_be_explained() {
    let steps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipeline/src");
    let mut found = BTreeSet::new();
    read(&steps, &mut found);
    assert!(found.contains("EXT103") && found.len() > 60, "{found:?}");
    let unexplained: Vec<&String> =
        found.iter().filter(|code| crate::commands::explain::find(code).is_none()).collect();
    assert_eq!(unexplained, Vec::<&String>::new());
}

#[test]
fn codes_are_unique_in_order_and_of_no_other_catalogue() {
    for table in [READING, WRITING] {
        assert!(table.is_sorted_by_key(|(code, _, _)| *code));
    }
    let codes: Vec<&str> = all().map(|(code, _, _)| *code).collect();
    let different: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(codes.len(), different.len());
    assert!(codes.iter().all(|code| migration::finding::Code::from_text(code).is_none()));
}
