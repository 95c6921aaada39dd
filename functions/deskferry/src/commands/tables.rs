//! Records by object and deed, and the reasons behind, as lines for people.

use std::collections::BTreeMap;

use pipeline::report::advice;

use crate::words;

/// One line per object, columns only for what occurs.
pub(crate) fn table(
    objects: &BTreeMap<String, BTreeMap<String, u64>>,
    columns: &[(&str, &str)],
) -> Vec<String> {
    let occurs = |word: &str| objects.values().any(|counts| counts.contains_key(word));
    let columns: Vec<&(&str, &str)> = columns.iter().filter(|(word, _)| occurs(word)).collect();
    if columns.is_empty() {
        return Vec::new();
    }
    let head: String = columns.iter().map(|(_, heading)| format!("{heading:>12}")).collect();
    let mut lines = vec![format!("  {:<10}{head}", "")];
    for (object, counts) in objects {
        let cells: String = columns
            .iter()
            .map(|(word, _)| format!("{:>12}", words::count(counts.get(*word).copied().unwrap_or(0))))
            .collect();
        lines.push(format!("  {object:<10}{cells}"));
    }
    lines
}

/// One line per code, with what it means.
pub(crate) fn reasons(reasons: &BTreeMap<String, u64>) -> Vec<String> {
    reasons
        .iter()
        .map(|(code, count)| format!("  {code} {:>8}  {}", words::count(*count), advice::of(code).title))
        .collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    const COLUMNS: [(&str, &str); 3] = [("remove", "remove"), ("archive", "archive"), ("keep", "keep")];

    #[test]
    fn only_what_occurs_has_a_column() {
        let objects = BTreeMap::from([
            ("customer".to_owned(), BTreeMap::from([("keep".to_owned(), 2), ("remove".to_owned(), 1_198)])),
            ("ticket".to_owned(), BTreeMap::from([("remove".to_owned(), 1_498)])),
        ]);
        // A bar in front keeps the blanks.
        let lines: Vec<String> = table(&objects, &COLUMNS).iter().map(|line| format!("|{line}")).collect();
        expect![[r#"
            |                  remove        keep
            |  customer         1,198           2
            |  ticket           1,498           0"#]]
        .assert_eq(&lines.join("\n"));
        assert!(table(&BTreeMap::new(), &COLUMNS).is_empty());
    }
}
