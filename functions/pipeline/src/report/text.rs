//! The report in words, for the customer's admin.
//!
//! Pure: the same report, the same text.

use std::fmt::Write as _;

use migration::compare::Verdict;

use super::page::{GroupV1, ReportV1};

/// The whole `report.txt`.
#[must_use]
pub fn render(report: &ReportV1) -> String {
    let mut out = String::new();
    let account = report.account.as_deref().unwrap_or("an account that is not known yet");
    line(&mut out, &format!("Migration {} to {account}, run {}", report.migration, report.run));
    line(&mut out, &format!("Report made {}", report.made_at));
    line(&mut out, "");
    line(&mut out, &verdict(report));
    if let Some(sample) = &report.sample {
        section(&mut out, "This is a sample, and no migration");
        for told in sample.lines() {
            line(&mut out, &format!("  {told}"));
        }
        line(
            &mut out,
            "  Losses are those of all records: everything was transformed, and the sample was written",
        );
    }
    objects(&mut out, report);
    fields(&mut out, report);
    groups(&mut out, "What did not arrive", "Every record arrived.", &report.failures);
    groups(&mut out, "What was left out", "No record was left out.", &report.excluded);
    groups(
        &mut out,
        "Values that were dropped from records that arrived",
        "No value was dropped.",
        &report.dropped_values,
    );
    if let Some(recordings) = &report.recordings {
        section(&mut out, "Recordings");
        line(&mut out, &format!("  {}", recordings.in_words()));
    }
    requests(&mut out, report);
    if let Some(forecast) = &report.forecast {
        section(&mut out, "Forecast, and what happened");
        for told in forecast.lines() {
            line(&mut out, &told);
        }
    }
    section(&mut out, "After the load");
    for told in report.since.lines() {
        line(&mut out, &told);
    }
    section(&mut out, "Where things lie");
    for (what, place) in &report.places {
        line(&mut out, &format!("  {what:<10} {place}"));
    }
    for remark in &report.remarks {
        line(&mut out, "");
        line(&mut out, &format!("{}: {}", remark.code, remark.text));
    }
    line(&mut out, "");
    line(&mut out, &format!("Next: {}", report.next));
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn section(out: &mut String, title: &str) {
    line(out, "");
    line(out, title);
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 record`, `2 records`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// The one sentence that matters.
fn verdict(report: &ReportV1) -> String {
    let summary = &report.summary;
    let failed: u64 = summary.objects.values().map(|object| object.failed).sum();
    let is = |verdict: Verdict| summary.verdict == verdict.as_str();
    if is(Verdict::Pass) && failed == 0 && report.sample.is_some() {
        return "PASS, of a sample: everything that was chosen is at Gorgias and was found equal, field by field."
            .to_owned();
    }
    if is(Verdict::Pass) && failed == 0 {
        return "PASS: everything that was to be moved is at Gorgias and was found equal, field by field."
            .to_owned();
    }
    if is(Verdict::Pass) {
        return format!(
            "PASS, but for {} that did not arrive: everything that was written was found equal, field by field.",
            counted(failed, "record")
        );
    }
    if is(Verdict::Fail) && report.differences.keys().all(|code| report.accepted.contains(code)) {
        return format!(
            "ACCEPTED: {} fields differ, and a person accepted each kind of difference by name ({}).",
            grouped(summary.fields_different),
            report.accepted.join(", ")
        );
    }
    if is(Verdict::Fail) {
        return format!(
            "FAIL: {} fields differ and {} keys are there more than once; do not go live on this run.",
            grouped(summary.fields_different),
            grouped(summary.duplicates)
        );
    }
    "NOT PROVEN: not everything was compared yet, so this run proves nothing.".to_owned()
}

fn objects(out: &mut String, report: &ReportV1) {
    section(out, "Records: source = excluded + merged + loaded + failed");
    let header = ["", "source", "excluded", "merged", "loaded", "failed"].map(str::to_owned);
    let mut rows = vec![header];
    for (object, counts) in &report.summary.objects {
        let figures =
            [counts.source, counts.excluded, counts.merged, counts.loaded, counts.failed].map(grouped);
        let [source, excluded, merged, loaded, failed] = figures;
        rows.push([object.clone(), source, excluded, merged, loaded, failed]);
    }
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for [object, figures @ ..] in &rows {
        let mut text = format!("  {object:<width$}", width = widths[0]);
        for (figure, width) in figures.iter().zip(&widths[1..]) {
            // Writing to a String cannot fail.
            write!(text, "  {figure:>width$}").ok();
        }
        line(out, text.trim_end());
    }
}

fn fields(out: &mut String, report: &ReportV1) {
    let summary = &report.summary;
    section(out, "Fields, compared one by one with what Gorgias shows");
    line(out, &format!("  compared   {}", grouped(summary.fields_compared)));
    line(out, &format!("  different  {}", grouped(summary.fields_different)));
    for (code, count) in &report.differences {
        let advice = super::advice::of(code);
        line(out, &format!("    {code} {}: {}; {}", advice.title, grouped(*count), advice.advice));
    }
    line(out, &format!("  explained  {}", grouped(summary.fields_explained)));
    for (code, count) in &report.explained {
        line(out, &format!("    {code} {}: {}", super::advice::of(code).title, grouped(*count)));
    }
    line(out, &format!("  keys on more than one record  {}", grouped(summary.duplicates)));
    let waves: Vec<String> = report.waves.iter().map(|(wave, verdict)| format!("{wave} {verdict}")).collect();
    if !waves.is_empty() {
        line(out, &format!("  waves: {}", waves.join(", ")));
    }
}

fn groups(out: &mut String, title: &str, empty: &str, groups: &[GroupV1]) {
    section(out, title);
    if groups.is_empty() {
        line(out, &format!("  {empty}"));
    }
    for group in groups {
        let objects: Vec<String> =
            group.objects.iter().map(|(object, count)| format!("{} {object}", grouped(*count))).collect();
        line(
            out,
            &format!("  {} {}: {} ({})", group.code, group.title, grouped(group.count), objects.join(", ")),
        );
        line(out, &format!("    such as {}", group.samples.join(", ")));
        line(out, &format!("    {}", group.advice));
    }
}

fn requests(out: &mut String, report: &ReportV1) {
    let summary = &report.summary;
    section(out, "Requests to Gorgias");
    line(out, &format!("  sent   {}", grouped(summary.requests)));
    if report.since.requests > 0 {
        let after = grouped(report.since.requests);
        line(out, &format!("  of these {after} by deltas and the cut-over, which the floor does not know"));
    }
    if summary.requests_floor == 0 {
        line(out, "  floor  not known before the plan");
    } else {
        line(
            out,
            &format!(
                "  floor  {}, the fewest that can write and prove this",
                grouped(summary.requests_floor)
            ),
        );
    }
    line(out, &format!("  told to wait (429)  {}", grouped(summary.responses_429)));
    line(
        out,
        &format!(
            "  the rate limit allows no less than {:.0} s; it took {:.0} s; efficiency {:.3}",
            summary.bound_seconds, summary.elapsed_seconds, summary.efficiency
        ),
    );
}
