//! The page that comes first: what the folder holds, and what to do with it in which order.

use std::fmt::Write as _;

use migration::text::clean_line;
use snapshot::tables::SourceOutcome;

use super::dialer::table_cell;
use super::material::Material;
use super::words::scope;
use super::{INDEX, Sheet};
use crate::report::text::{counted, grouped};

/// Outcomes that the index names; dispositions.csv has all of them.
const OUTCOMES_MAX: usize = 20;

/// What somebody reads who has not been there.
const INTRODUCTION: &str = "This folder tells what was moved from LeadDesk to Gorgias, what was not, how that was proven, and what \
                            is left to do. It is written for whoever runs Gorgias from now on. The pages open in any editor, \
                            the lists in any spreadsheet. Commands that begin with `deskferry` are for whoever carries the \
                            migration out, in the folder of its migration.toml; nothing here has to be run to be read.";

/// Words that the pages use as a matter of course.
const WORDS: [(&str, &str); 10] = [
    (
        "run",
        "one migration from its first look at both accounts to its report; its id stands at the top of this page",
    ),
    (
        "wave",
        "a part of the load that is compared before the next one begins: customers, leads with their calls, chats",
    ),
    ("delta", "what changed at LeadDesk after the load, brought over later"),
    (
        "cut-over",
        "the last evening: LeadDesk is closed to its agents, the last delta runs, everything is compared",
    ),
    (
        "lead card",
        "the first note of a lead's ticket, with every value of the lead that has no field of its own",
    ),
    (
        "service user",
        "the Gorgias user whose key the migration used; author of notes whose agent has no user of their own",
    ),
    (
        "placeholder customer",
        "a customer that holds calls or conversations of somebody who is known by a number alone, or not at all",
    ),
    (
        "snapshot",
        "files with everything that was read, wished for and found; they prove the migration and hold personal data",
    ),
    ("store", "the folder or bucket that migration.toml names; everything of the migration lies in it"),
    ("code, such as ROW101", "the name of one reason; `deskferry explain CODE` says more about it"),
];

/// The index over the other files.
pub(super) fn sheet(material: &Material, sheets: &[Sheet]) -> Sheet {
    let report = &material.report;
    let account = report.account.as_deref().unwrap_or("the Gorgias account");
    let mut out = format!(
        "# Handoff of migration {} to {account}\n\nRun {}, report of {:.0}. Verdict: {}. Mapping confirmed by {} on {:.0}.\n\n\
         {INTRODUCTION}\n\n## What is here\n\n| file | what it holds |\n| --- | --- |\n",
        report.migration,
        report.run,
        report.made_at,
        report.summary.verdict,
        table_cell(material.mapping.reviewer().as_str()),
        material.mapping.confirmed_at(),
    );
    for sheet in sheets {
        // Writing to a String cannot fail.
        writeln!(out, "| [{}]({}) | {} |", sheet.name, sheet.name, sheet.about).ok();
    }
    if !sheets.iter().any(|sheet| sheet.name.starts_with("dialer-")) {
        out.push_str("\nThere is no dialer page, since the account has no campaign and dialer.csv no row.\n");
    }
    out.push_str(
        "\n[SHA256SUMS](SHA256SUMS) holds the checksum of every file: `sha256sum -c SHA256SUMS`. The same files lie beside this folder as \
         one ZIP. to-provision.csv, offices.md and mapping.md name agents, since they have to be invited and found; contacts \
         and customers appear by id alone. Keep the folder where only those can read who may.\n",
    );
    out.push_str(
        "\nBeside this folder: `report.txt` for reading, `report.json` for machines, `records.csv` with one row for every \
         source record.\n",
    );
    order(&mut out, material);
    words(&mut out);
    taxonomy(&mut out, material);
    Sheet::text(INDEX, "this page", out)
}

/// `1 record`, `2 records`.
pub(super) fn records(count: u64) -> String {
    counted(count, "record")
}

/// `1 agent`, `2 agents`.
pub(super) fn agents(count: usize) -> String {
    counted(count as u64, "agent")
}

fn order(out: &mut String, material: &Material) {
    let report = &material.report;
    out.push_str("\n## What to do, in this order\n\n");
    let failed: u64 = report.failures.iter().map(|group| group.count).sum();
    let mut steps = Vec::new();
    if report.summary.verdict != "pass" {
        steps.push(
            "The verdict is not a pass. Read report.txt first: what differs must be settled or accepted by name.".to_owned(),
        );
    }
    steps.push(match failed {
        0 => "Every record arrived: nothing to settle in lost-or-changed.md before going live.".to_owned(),
        failed => format!("Settle what did not arrive, {}: lost-or-changed.md.", counted(failed, "record")),
    });
    let without = material.users.iter().filter(|user| user.state != "matched").count();
    steps.push(match without {
        0 => "Every agent has a user: nobody has to be invited.".to_owned(),
        _ => format!(
            "Invite those of the agents in to-provision.csv ({without}) who go on working. Their old calls stay with the \
             service user, with their name in the text."
        ),
    });
    let since = &material.report.since;
    steps.push(match since.signed() {
        Some(signed) if signed.forced.is_empty() => format!("The cut-over is {}: cutover.md.", signed.in_words()),
        Some(signed) => format!(
            "The cut-over is {}, and was forced by name: read why, and settle what was open, in cutover.md.",
            signed.in_words()
        ),
        None => "The migration is not cut over yet: what agents do in LeadDesk from now on is not at Gorgias before the next delta \
                 (cutover.md, deltas.md)."
            .to_owned(),
    });
    if !material.campaigns.is_empty() {
        steps.push("Rebuild what is worth it of each campaign: the dialer pages.".to_owned());
    }
    steps.push("Move telephone numbers and set business hours: offices.md.".to_owned());
    steps.push(
        "Look that rules, surveys and webhooks are as they were; the run switched them on again and read them back."
            .to_owned(),
    );
    steps.push(
        "Go through open-points.md, compare some records by hand (spot-checks.md), and sign sign-off.md."
            .to_owned(),
    );
    steps.push(match &since.deletion {
        Some(decided) => format!("Delete the snapshots on {}: rollback.md says which folders.", decided.day),
        None => "Decide when the snapshots are deleted: rollback.md.".to_owned(),
    });
    for (number, step) in (1..).zip(steps) {
        writeln!(out, "{number}. {step}").ok();
    }
}

fn words(out: &mut String) {
    out.push_str("\n## Words of these pages\n\n| word | meaning |\n| --- | --- |\n");
    for (word, meaning) in WORDS {
        writeln!(out, "| {word} | {meaning} |").ok();
    }
}

fn taxonomy(out: &mut String, material: &Material) {
    out.push_str("\n## Outcomes of calls\n\n");
    if material.outcomes.is_empty() {
        out.push_str("None: neither results.csv nor a call names an outcome.\n");
        return;
    }
    out.push_str(
        "LeadDesk's result and outcome became the ticket field `leaddesk_disposition__c`: the latest outcome of a lead's \
         calls, as name and id. Each call keeps its own in its text. What LeadDesk kept apart, the state of the lead, stands \
         in `leaddesk_lead_status__c`.\n\n| outcome | name | scope | ends a lead | calls |\n| --- | --- | --- | --- | --- |\n",
    );
    let mut outcomes: Vec<&SourceOutcome> = material.outcomes.iter().collect();
    outcomes.sort_by(|left, right| {
        right.call_count.cmp(&left.call_count).then_with(|| left.outcome_id.cmp(&right.outcome_id))
    });
    for outcome in outcomes.iter().take(OUTCOMES_MAX) {
        let ends = match outcome.is_finalising {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not stated",
        };
        let name = clean_line(&outcome.outcome_name).replace('|', "\\|");
        let calls = grouped(u64::try_from(outcome.call_count).unwrap_or(0));
        writeln!(out, "| {} | {name} | {} | {ends} | {calls} |", outcome.outcome_id, scope(outcome)).ok();
    }
    if outcomes.len() > OUTCOMES_MAX {
        writeln!(out, "\nThe {} others are in dispositions.csv.", outcomes.len() - OUTCOMES_MAX).ok();
    }
}
