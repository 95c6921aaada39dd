//! What is left to do, until when it can be taken back, and who signs.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::Sheet;
use super::material::Material;
use crate::deletions;
use crate::report::since::ground;
use crate::report::text::grouped;

/// A quarter: long enough for a complaint to come up, short enough to defend as data that is still needed.
const PROPOSED_DAYS: i32 = 90;

pub(super) fn sheets(material: &Material) -> Vec<Sheet> {
    vec![
        spot_checks(material),
        rollback(material),
        dictionary(material),
        open_points(material),
        sign_off(material),
    ]
}

/// Day on which the snapshots go: as it was decided, else a proposal.
fn deletion_day(material: &Material) -> Date {
    let decided = material.report.since.deletion.as_ref();
    decided
        .map_or_else(|| deletions::day_after(material.report.made_at, PROPOSED_DAYS), |decided| decided.day)
}

fn spot_checks(material: &Material) -> Sheet {
    let checks = &material.proof.spot_checks;
    let mut out =
        "# Spot checks\n\nRecords that people compared by hand, side by side with LeadDesk.\n".to_owned();
    if checks.is_empty() {
        out.push_str(
            "\nNone was recorded. The comparison of every field stands in reconciliation.md; a spot check shows whether what was \
             wished is what you meant. `deskferry spotcheck new` draws the records.\n",
        );
    }
    for check in checks {
        // Writing to a String cannot fail.
        write!(out, "\n## Spot check {} of {:.0}, seed {}\n\n", check.number, check.drawn_at, check.seed)
            .ok();
        for line in &check.lines {
            writeln!(out, "- {line}").ok();
        }
    }
    Sheet::text("spot-checks.md", format!("records that people compared by hand: {}", checks.len()), out)
}

fn rollback(material: &Material) -> Sheet {
    let (report, hold) = (&material.report, material.proof.hold_days);
    let state = material
        .proof
        .rollback
        .as_ref()
        .map_or_else(|| "Nothing of this run was taken back.".to_owned(), |state| format!("State: {state}."));
    let out = format!(
        "# Rollback and deletion\n\n{state}\n\n## Until when it can be taken back\n\n`deskferry rollback plan` reads Gorgias and \
         says record by record what would go and what stays; it can be made as long as the snapshots and the ledger are kept, at \
         the latest until {deletion}. Every day makes it take back less, since what people touched stays. After `rollback apply` \
         everything can be brought back for {hold} days; `rollback purge` after that is final.\n\n\
         Not to be taken back: mails that people sent, tickets that Gorgias billed, and custom fields, which stay archived.\n\n\
         ## When the data is deleted\n\n{when} The snapshots hold \
         personal data of every contact. Nothing in a folder is deleted by itself: on that day delete `{migration}/lake`, \
         `{migration}/runs`, `{migration}/recordings`, `{migration}/ledger` and `{migration}/reports` in the store. With the \
         ledger gone, no rollback and no second run is possible. `deskferry handoff --delete-on DAY --by NAME` records another \
         day.\n",
        deletion = deletion_day(material),
        migration = report.migration,
        when = when(material),
    );
    Sheet::text("rollback.md", "until when the run can be taken back, and when the snapshots go", out)
}

fn when(material: &Material) -> String {
    match &material.report.since.deletion {
        Some(decided) => format!("Decided: {}, as {}.", decided.day, ground(decided)),
        None => format!(
            "Nobody decided yet. Proposed: {}, {PROPOSED_DAYS} days after the report of this run; a cut-over decides.",
            deletion_day(material)
        ),
    }
}

fn dictionary(material: &Material) -> Sheet {
    let mut tables: Vec<&'static snapshot::TableSchema> = Vec::new();
    for (dataset, _) in &material.shelf {
        if !tables.iter().any(|table| table.name == dataset.table.name) {
            tables.push(dataset.table);
        }
    }
    let count = tables.len();
    let body = if tables.is_empty() {
        "# Data dictionary\n\nNo snapshot of this run is sealed yet, so there is no table to explain.\n"
            .to_owned()
    } else {
        snapshot::dictionary::markdown(&tables)
    };
    Sheet::text(
        "data-dictionary.md",
        format!("every column of the {count} tables, where it comes from, what empty means"),
        body,
    )
}

/// What is still open, as the store shows it; empty when nothing is.
pub(super) fn open(material: &Material) -> Vec<String> {
    let (report, proof) = (&material.report, &material.proof);
    let mut points = Vec::new();
    if report.summary.verdict != "pass" {
        points.push(format!(
            "The verdict is {}: settle what differs, or accept its codes by name (reconciliation.md).",
            report.summary.verdict
        ));
    }
    let failed: u64 = report.failures.iter().map(|group| group.count).sum();
    if failed > 0 {
        points.push(format!("{} did not arrive (lost-or-changed.md).", super::index::records(failed)));
    }
    let over = proof.losses.kinds.iter().filter(|(key, lost)| {
        let budget = proof.budget.as_ref();
        budget.is_some_and(|(budget, ..)| lost.count > budget.kinds.get(key).map_or(0, |it| it.bound))
    });
    let over = over.count();
    if over > 0 {
        points.push(format!("{over} kinds of losses are over what was approved (losses.md)."));
    }
    if proof.budget.is_none() {
        points.push(
            "Nobody approved the losses beforehand; look at losses.md and say whether they are accepted."
                .to_owned(),
        );
    }
    let without = material.users.iter().filter(|user| user.state != "matched").count();
    if without > 0 {
        points.push(format!(
            "{} have no Gorgias user of their own (to-provision.csv).",
            super::index::agents(without)
        ));
    }
    let zoneless = material.offices.iter().filter(|office| office.time_zone.is_none()).count();
    if zoneless > 0 {
        points.push(format!("The time zone of {} is not known (offices.md).", counted_offices(zoneless)));
    }
    if !material.offices.is_empty() {
        points.push("Telephone numbers of the offices are to be ported or forwarded before LeadDesk closes (offices.md).".to_owned());
    }
    if material.dialer.is_empty() && !material.campaigns.is_empty() {
        points.push("No dialer.csv was supplied: write the settings down from the campaign editor before LeadDesk closes.".to_owned());
    }
    if material.lead_apps.is_empty() {
        points.push("No leadapps.json was supplied: LeadApps that are in use have to be exported before LeadDesk closes.".to_owned());
    }
    match proof.spot_checks.iter().map(|check| check.wrong).sum::<u64>() {
        0 if !proof.spot_checks.iter().any(|check| check.judged > 0) => {
            points.push("Nobody has recorded a spot check (spot-checks.md).".to_owned());
        }
        0 => {}
        wrong => points.push(format!(
            "{} were judged wrong in a spot check (spot-checks.md).",
            super::index::records(wrong)
        )),
    }
    if proof.rollback.is_some() {
        points.push("Something of this run was taken back (rollback.md).".to_owned());
    }
    after(material, &mut points);
    points
}

/// What is open of deltas, cut-over and deletion.
fn after(material: &Material, points: &mut Vec<String>) {
    let since = &material.report.since;
    let conflicts = since.deltas.last().map_or(0, |delta| delta.count("conflict"));
    if conflicts > 0 {
        points.push(format!(
            "{} hold a field that LeadDesk and people both changed (deltas.md).",
            super::index::records(conflicts)
        ));
    }
    match (since.signed(), since.cutovers.last()) {
        (Some(signed), _) => {
            let codes: Vec<&str> =
                signed.forced.iter().flat_map(|force| &force.codes).map(String::as_str).collect();
            if !codes.is_empty() {
                points.push(format!(
                    "The cut-over was forced by name over {}: settle these still (cutover.md).",
                    codes.join(", ")
                ));
            }
        }
        (None, Some(refused)) => {
            points.push(format!("The cut-over is not signed: {} (cutover.md).", refused.in_words()));
        }
        (None, None) => points.push(
            "The migration is not cut over: `deskferry cutover status` says whether it is ready (cutover.md)."
                .to_owned(),
        ),
    }
    if since.deletion.is_none() {
        points.push(format!(
            "Decide on the day on which the snapshots are deleted; proposed is {} (rollback.md).",
            deletion_day(material)
        ));
    }
}

fn counted_offices(count: usize) -> String {
    if count == 1 { "1 office".to_owned() } else { format!("{} offices", grouped(count as u64)) }
}

fn open_points(material: &Material) -> Sheet {
    let points = open(material);
    let mut out =
        "# Open points\n\nComputed from what the store shows at the moment of this package.\n\n".to_owned();
    for (number, point) in (1..).zip(&points) {
        writeln!(out, "{number}. {point}").ok();
    }
    Sheet::text("open-points.md", format!("what is left to settle: {}", points.len()), out)
}

fn cut_over(material: &Material) -> String {
    let since = &material.report.since;
    match (since.signed(), since.cutovers.last()) {
        (Some(signed), _) if !signed.forced.is_empty() => {
            format!("{}, forced by name over what was open", signed.in_words())
        }
        (Some(signed), _) => signed.in_words(),
        (None, Some(last)) => last.in_words(),
        (None, None) => "not cut over yet".to_owned(),
    }
}

fn sign_off(material: &Material) -> Sheet {
    let report = &material.report;
    let mut out = format!(
        "# Sign-off\n\nMigration {}, run {}, report of {:.0}. Verdict: {}. Mapping {}.\n\nBy signing, the customer confirms to have \
         received this folder with its SHA256SUMS, and to have read what did not arrive.\n\n| point | figure | agreed (yes or no) |\n\
         | --- | --- | --- |\n",
        report.migration,
        report.run,
        report.made_at,
        report.summary.verdict,
        material.mapping.digest()
    );
    let failed: u64 = report.failures.iter().map(|group| group.count).sum();
    let arrived: u64 = report.summary.objects.values().map(|counts| counts.loaded).sum();
    let rows = [
        ("records that arrived", grouped(arrived)),
        ("records that did not", grouped(failed)),
        ("kinds of losses (losses.md)", grouped(material.proof.losses.kinds.len() as u64)),
        ("fields that differ without a reason", grouped(report.summary.fields_different)),
        ("open points (open-points.md)", grouped(open(material).len() as u64)),
        ("cut-over (cutover.md)", cut_over(material)),
        ("day on which the snapshots are deleted", deletion_day(material).to_string()),
    ];
    for (point, figure) in rows {
        writeln!(out, "| {point} | {figure} | |").ok();
    }
    out.push_str(
        "\n| role | name | date | signature |\n| --- | --- | --- | --- |\n| for the customer | | | |\n| for whoever migrated | | | |\n\n\
         The cells of this page are empty on purpose: they are filled in by hand.\n",
    );
    Sheet::text("sign-off.md", "what is confirmed by signing", out)
}
