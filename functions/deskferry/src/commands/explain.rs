//! `explain`: what a code means, without network.

use migration::finding::{self, Code, Severity};
use pipeline::report::advice;
use serde_json::{Value, json};

use crate::arguments::Explain;
use crate::exit::Exit;
use crate::failure::step_codes;
use crate::failure::{Failure, catalogue, severity_of};
use crate::screen::Screen;

/// What is known of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meaning {
    code: String,
    severity: &'static str,
    title: &'static str,
    /// Label and text, in order.
    rows: Vec<(&'static str, String)>,
    fix: &'static str,
    exit_code: Option<u8>,
    next: (&'static str, &'static str),
}

/// Explains one code, or lists all.
pub(crate) fn run(screen: &Screen, arguments: &Explain) -> Result<Exit, Failure> {
    let Some(wanted) = &arguments.code else {
        list(screen);
        return Ok(Exit::Done);
    };
    let code = wanted.to_ascii_uppercase();
    let meaning = find(&code).ok_or_else(|| unknown(&code))?;
    screen.say(format!("{}  {}", meaning.code, meaning.title));
    for (label, text) in &meaning.rows {
        screen.say(format!("  {label}: {text}"));
    }
    screen.say(format!("  Fix: {}", meaning.fix));
    if let Some(code) = meaning.exit_code {
        screen.say(format!("  Exit code: {code}"));
    }
    screen.event(meaning.to_json());
    let (command, why) = meaning.next;
    screen.next(command, why);
    Ok(Exit::Done)
}

impl Meaning {
    fn to_json(&self) -> Value {
        let mut event = json!({
            "type": "code",
            "code": self.code,
            "severity": self.severity,
            "title": self.title,
            "fix": self.fix,
        });
        for (label, text) in &self.rows {
            event[label.to_lowercase()] = json!(text);
        }
        if let Some(code) = self.exit_code {
            event["exit_code"] = json!(code);
        }
        event
    }
}

/// What a code says, in a few words.
pub(crate) fn title(code: &str) -> Option<&'static str> {
    find(code).map(|meaning| meaning.title)
}

/// What the catalogues know of a code.
pub(crate) fn find(code: &str) -> Option<Meaning> {
    if let Some(found) = Code::from_text(code) {
        return Some(of_finding(found));
    }
    if let Some(entry) = catalogue::find(code) {
        return Some(of_error(entry));
    }
    let plain = |title, fix| Meaning {
        code: code.to_owned(),
        severity: severity_of(code),
        title,
        rows: Vec::new(),
        fix,
        exit_code: None,
        next: ("deskferry report", "where the run met it"),
    };
    if let Some((_, title, fix)) = step_codes::all().find(|(known, _, _)| *known == code) {
        return Some(plain(title, fix));
    }
    // A code that nobody knows gets the same advice as no code.
    let record = advice::of(code);
    (record != advice::of("")).then(|| plain(record.title, record.advice))
}

fn of_finding(code: Code) -> Meaning {
    let entry = code.entry();
    let weight = match entry.severity {
        Severity::Note => "good to know",
        Severity::Warning => "something is changed, shortened or lost; the run goes on",
        Severity::Error => "a record does not arrive, or a person must decide",
        Severity::Stop => "the run must not go on",
    };
    let severity = severity_of(code.as_str());
    Meaning {
        code: code.as_str().to_owned(),
        severity,
        title: entry.title,
        rows: vec![("Weight", format!("{severity} – {weight}"))],
        fix: entry.advice,
        exit_code: None,
        next: ("deskferry report", "where the run met it, record by record"),
    }
}

fn of_error(entry: &catalogue::Entry) -> Meaning {
    Meaning {
        code: entry.code.to_owned(),
        severity: severity_of(entry.code),
        title: entry.title,
        rows: vec![("Why", entry.why.to_owned())],
        fix: entry.fix,
        exit_code: Some(entry.exit.code()),
        next: ("deskferry status", "where the run stands"),
    }
}

/// Codes with a meaning of their own, in the order of the catalogues.
fn codes() -> impl Iterator<Item = &'static str> {
    let findings = finding::CATALOGUE.iter().map(|entry| entry.code.as_str());
    let steps = step_codes::all().map(|(code, _, _)| *code);
    findings.chain(steps).chain(catalogue::CATALOGUE.iter().map(|entry| entry.code))
}

fn list(screen: &Screen) {
    for meaning in codes().filter_map(find) {
        screen.say(format!("{:<7} {:<8} {}", meaning.code, meaning.severity, meaning.title));
        screen.event(meaning.to_json());
    }
    screen.next("deskferry explain CODE", "what one of them means");
}

fn unknown(code: &str) -> Failure {
    let nearest = codes().min_by_key(|known| strsim::damerau_levenshtein(known, code));
    let failure = Failure::new(&catalogue::NO_SUCH_CODE, format!("no code {code}")).then("deskferry explain");
    match nearest {
        Some(known) => failure.with_why(format!("the nearest one is {known}")),
        None => failure,
    }
}
