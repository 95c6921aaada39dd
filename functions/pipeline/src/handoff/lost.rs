//! Everything that did not arrive as it was, by code, with counts and advice. Nothing is lost in silence.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use migration::finding::{Code, Severity};
use migration::settings::RecordingPolicy;

use super::Sheet;
use super::dialer::table_cell;
use super::material::Material;
use crate::report::advice;
use crate::report::page::GroupV1;
use crate::report::text::grouped;

/// The page.
pub(super) fn sheet(material: &Material) -> Sheet {
    let report = &material.report;
    let mut out =
        "# Lost or changed\n\nWhat is not at Gorgias as it was at LeadDesk. Every kind has a code; \
                   `deskferry explain CODE` says more, and records.csv beside the report names each record.\n"
            .to_owned();
    groups(&mut out, "Records that did not arrive", "Every record arrived.", &report.failures);
    groups(
        &mut out,
        "Records that were left out by rule or choice",
        "No record was left out.",
        &report.excluded,
    );
    groups(&mut out, "Values that were dropped", "No value was dropped.", &report.dropped_values);
    merges(&mut out, material);
    rules(&mut out, &report.notes);
    differences(&mut out, material);
    fields(&mut out, material);
    never(&mut out, material);
    let kinds = report.failures.len() + report.excluded.len() + report.dropped_values.len();
    Sheet::text(
        "lost-or-changed.md",
        format!("what did not arrive as it was, with counts and advice; kinds: {kinds}"),
        out,
    )
}

/// Writing to a String cannot fail.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).ok();
    out.push('\n');
}

fn groups(out: &mut String, title: &str, empty: &str, groups: &[GroupV1]) {
    line(out, format_args!("\n## {title}\n"));
    if groups.is_empty() {
        line(out, format_args!("{empty}"));
        return;
    }
    line(
        out,
        format_args!("| code | what | how many | such as | what to do |\n| --- | --- | --- | --- | --- |"),
    );
    for group in groups {
        let objects: Vec<String> =
            group.objects.iter().map(|(object, count)| format!("{} {object}", grouped(*count))).collect();
        let samples: Vec<String> = group.samples.iter().map(|sample| table_cell(sample)).collect();
        line(
            out,
            format_args!(
                "| {} | {} | {} | {} | {} |",
                group.code,
                group.title,
                objects.join(", "),
                samples.join(", "),
                group.advice
            ),
        );
    }
}

fn merges(out: &mut String, material: &Material) {
    line(out, format_args!("\n## Contacts that became one customer\n"));
    if material.merges.is_empty() {
        line(out, format_args!("None: no two contacts are one person."));
        return;
    }
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, _, reason) in &material.merges {
        *reasons.entry(reason).or_default() += 1;
    }
    for (reason, count) in reasons {
        line(out, format_args!("- {}: {}", grouped(count), advice_for(reason)));
    }
    line(out, format_args!("\nEach is listed in merged-persons.csv."));
}

/// Merges carry a word or a code as their reason.
fn advice_for(reason: &str) -> String {
    match Code::from_text(reason) {
        Some(code) => format!("{code} {}", code.entry().title),
        None => reason.to_owned(),
    }
}

fn rules(out: &mut String, notes: &BTreeMap<String, u64>) {
    line(out, format_args!("\n## Changed by rule\n"));
    let changes = notes.iter().filter(|(code, _)| {
        // What is merely good to know and asks for nothing is counted in report.json alone.
        Code::from_text(code).is_none_or(|code| {
            code.entry().severity > Severity::Note || !code.entry().advice.starts_with("nothing")
        })
    });
    let mut is_empty = true;
    for (code, count) in changes {
        let advice = advice::of(code);
        line(
            out,
            format_args!("- {code} {}: {}. {}.", advice.title, grouped(*count), sentence(advice.advice)),
        );
        is_empty = false;
    }
    if is_empty {
        line(out, format_args!("Nothing that asks for an action."));
    }
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn differences(out: &mut String, material: &Material) {
    let report = &material.report;
    line(out, format_args!("\n## Fields that differ at Gorgias\n"));
    if report.differences.is_empty() && report.explained.is_empty() {
        line(out, format_args!("None: every field that was compared is equal."));
    }
    for (code, count) in &report.differences {
        let advice = advice::of(code);
        line(
            out,
            format_args!("- {code} {}: {}. {}.", advice.title, grouped(*count), sentence(advice.advice)),
        );
    }
    for (code, count) in &report.explained {
        let title = advice::of(code).title;
        line(
            out,
            format_args!(
                "- {code} {title}: {}, each explained, such as a customer who was there before.",
                grouped(*count)
            ),
        );
    }
}

fn fields(out: &mut String, material: &Material) {
    line(out, format_args!("\n## Fields that are not carried\n"));
    let left: Vec<_> = material.fields.iter().filter(|field| field.decision != "carry").collect();
    if left.is_empty() {
        line(out, format_args!("None: every field has a home."));
        return;
    }
    line(out, format_args!("| record | field | where | why |\n| --- | --- | --- | --- |"));
    for field in left {
        let scope = if field.scope.is_empty() { "everywhere" } else { field.scope.as_str() };
        line(
            out,
            format_args!(
                "| {} | {} | {} | {} |",
                field.object,
                table_cell(&field.source_field),
                table_cell(scope),
                table_cell(&field.rationale)
            ),
        );
    }
}

/// The counts of recordings and where they lie, where they were fetched.
fn report_recordings(material: &Material) -> String {
    let report = &material.report;
    let (Some(recordings), Some(place)) = (&report.recordings, report.places.get("recordings")) else {
        return String::new();
    };
    format!(" ({}); the folder is `{place}`, the table is `src_leaddesk_recording`", recordings.in_words())
}

fn never(out: &mut String, material: &Material) {
    line(out, format_args!("\n## What never moves\n"));
    let recordings = match material.mapping.settings().recording {
        RecordingPolicy::None => {
            "Recordings stay at LeadDesk; download those that must be kept before the account closes"
        }
        RecordingPolicy::Link => "Recordings are links to LeadDesk, which work while LeadDesk serves them",
        RecordingPolicy::Upload => {
            "Recordings hang on their calls at Gorgias, but for those that the counts below name; the store keeps all"
        }
        RecordingPolicy::Archive => "Recordings are kept in the store, and not at Gorgias",
    };
    let counts = report_recordings(material);
    line(
        out,
        format_args!(
            "- {recordings}{counts}.\n\
             - LeadApps do not run at Gorgias; leadapps.json keeps their configurations.\n\
             - The dialer does not exist at Gorgias; the dialer pages say what to rebuild.\n\
             - Teams have no time zone and no leaders at Gorgias; offices.md keeps both.\n\
             - Emails, texts and web chats of LeadDesk's omnichannel inbox, orders, and statistics have no export that is \
             read here.\n\
             - Customers cannot be dated back: their creation is the day of the migration."
        ),
    );
}
