//! `explain`: what a code means, without network.

use migration::finding::{self, Code, Severity};
use serde_json::json;

use crate::arguments::Explain;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::screen::Screen;

/// Explains one code, or lists all.
pub(crate) fn run(screen: &Screen, arguments: &Explain) -> Result<Exit, Failure> {
    let Some(wanted) = &arguments.code else {
        list(screen);
        return Ok(Exit::Done);
    };
    let code = wanted.to_ascii_uppercase();
    if let Some(found) = Code::from_text(&code) {
        finding(screen, found);
    } else if let Some(entry) = catalogue::find(&code) {
        error(screen, entry);
    } else {
        return Err(unknown(&code));
    }
    Ok(Exit::Done)
}

fn list(screen: &Screen) {
    for entry in finding::CATALOGUE {
        let severity = entry.severity.as_str();
        screen.say(format!("{:<7} {severity:<8} {}", entry.code.as_str(), entry.title));
        screen.event(json!({ "type": "code", "code": entry.code.as_str(), "severity": severity, "title": entry.title, "fix": entry.advice }));
    }
    for entry in catalogue::CATALOGUE {
        screen.say(format!("{:<7} {:<8} {}", entry.code, "error", entry.title));
        screen.event(json!({ "type": "code", "code": entry.code, "severity": "error", "title": entry.title, "fix": entry.fix }));
    }
    screen.next("deskferry explain CODE", "what one of them means");
}

fn finding(screen: &Screen, code: Code) {
    let entry = code.entry();
    let weight = match entry.severity {
        Severity::Note => "good to know",
        Severity::Warning => "something is changed, shortened or lost; the run goes on",
        Severity::Error => "a record does not arrive, or a person must decide",
        Severity::Stop => "the run must not go on",
    };
    let severity = entry.severity.as_str();
    screen.say(format!("{code}  {}", entry.title));
    screen.say(format!("  Weight: {severity} – {weight}"));
    screen.say(format!("  Fix: {}", entry.advice));
    screen.event(json!({ "type": "code", "code": code.as_str(), "severity": severity, "title": entry.title, "fix": entry.advice }));
    screen.next("deskferry report", "where the run met it, record by record");
}

fn error(screen: &Screen, entry: &catalogue::Entry) {
    screen.say(format!("{}  {}", entry.code, entry.title));
    screen.say(format!("  Why: {}", entry.why));
    screen.say(format!("  Fix: {}", entry.fix));
    screen.say(format!("  Exit code: {}", entry.exit.code()));
    screen.event(json!({
        "type": "code",
        "code": entry.code,
        "severity": "error",
        "title": entry.title,
        "why": entry.why,
        "fix": entry.fix,
        "exit_code": entry.exit.code(),
    }));
    screen.next("deskferry status", "where the run stands");
}

fn unknown(code: &str) -> Failure {
    let findings = finding::CATALOGUE.iter().map(|entry| entry.code.as_str());
    let errors = catalogue::CATALOGUE.iter().map(|entry| entry.code);
    let nearest = findings.chain(errors).min_by_key(|known| strsim::damerau_levenshtein(known, code));
    let failure = Failure::new(&catalogue::NO_SUCH_CODE, format!("no code {code}")).then("deskferry explain");
    match nearest {
        Some(known) => failure.with_why(format!("the nearest one is {known}")),
        None => failure,
    }
}
