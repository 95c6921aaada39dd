//! Takes out of a transcript what differs from run to run: places, moments, durations, rates, run ids and digests.

use std::path::Path;

use regex::Regex;

/// Pattern and what is shown instead, in the order in which they are applied.
const VOLATILE: [(&str, &str); 16] = [
    // A step that takes longer than ten seconds shows that it lives; on a fast machine none does.
    (r#"(?m)^(! )?\{"type":"step_advanced",.*\n"#, ""),
    (r#""elapsed_seconds":[\d.]+"#, r#""elapsed_seconds":SECONDS"#),
    (r"http://127\.0\.0\.1:\d+", "http://TWIN"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\b[0-9a-f]{12,63}(…|\b)", "DIGEST"),
    (r"\b20\d\d-\d\d-\d\d-[a-z]\d+\b", "RUN"),
    (r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?\b", "MOMENT"),
    (r"\b\d\d:\d\d(:\d\d)?\b", "TIME"),
    (r"\b\d+(\.\d+)? (ms|s|min|h)\b", "DURATION"),
    (r"\b[\d,]+(\.\d+)?/s\b", "RATE/s"),
    (r"\bpid \d+\b", "pid PID"),
    // The stand-ins' conversations end on one day, and the decision to delete follows from today.
    (r"\b[\d,]+ days ago\b", "SOME days ago"),
    (r"\bdeleted on 20\d\d-\d\d-\d\d\b", "deleted on DAY"),
    // How many answers one segment of the ledger carries depends on when they come.
    (r"\bsegment \d+ of\b", "segment NUMBER of"),
    (r"\b[\d,]+ MB free\b", "SIZE free"),
    // Only what takes a while tells how long.
    (r"(?m) +in DURATION$", ""),
];

/// The text with fixed words in the place of everything that differs.
pub(crate) fn steady(text: &str, folder: &Path) -> String {
    let mut text = text.replace(folder.to_str().expect("a name that is text"), "FOLDER");
    for (pattern, word) in VOLATILE {
        let pattern = Regex::new(pattern).expect("a valid pattern");
        text = pattern.replace_all(&text, word).into_owned();
    }
    text
}

#[test]
fn counts_and_codes_stay() {
    let folder = Path::new("/somewhere/x1");
    let text = "1,352 records in 12.5 s (108/s), run 2026-11-23-a1, DIS301 at /somewhere/x1/run, 40/20";
    let expected = "1,352 records in DURATION (RATE/s), run RUN, DIS301 at FOLDER/run, 40/20";
    assert_eq!(steady(text, folder), expected);
}

#[test]
fn how_often_a_slow_step_shows_that_it_lives_does_not_count() {
    let text = "before\n! {\"type\":\"step_advanced\",\"done\":3}\nafter\n";
    assert_eq!(steady(text, Path::new("/somewhere")), "before\nafter\n");
}
