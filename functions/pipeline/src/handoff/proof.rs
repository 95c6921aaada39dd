//! What was agreed and what came of it: scope, mapping as approved, losses, forecast, comparisons.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use migration::loss::{LossBudget, Losses};
use migration::mapping::{Decision, MappingRow};
use snapshot::Pass;
use snapshot::tables::ControlIdMap;

use super::after::After;
use super::dialer::table_cell;
use super::material::Material;
use super::{HandoffError, Sheet};
use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::discover::scope_document;
use crate::estimate::{self, EstimateV1};
use crate::losses::{self, StoredApproval};
use crate::ports::store::StoreError;
use crate::report::advice;
use crate::report::cell::Table;
use crate::report::text::{counted, grouped};
use crate::rollbacks;

/// Messages stand in their conversation's ticket; a row for each of them would make the map too large for a spreadsheet.
const NOT_IN_MAP: &str = "chat_message";

/// Documents of the run that the handoff repeats, and what it counts from.
#[derive(Default)]
pub(crate) struct Proof {
    /// The scope as discovery wrote it.
    pub(crate) scope: Option<Bytes>,
    /// What was lost, by kind.
    pub(crate) losses: Losses,
    /// What was approved to be lost, with who and when.
    pub(crate) budget: Option<(LossBudget, String, String)>,
    /// What was said before anything moved.
    pub(crate) estimate: Option<EstimateV1>,
    /// Where records went.
    pub(crate) id_map: Vec<ControlIdMap>,
    /// A rollback of the run, in words.
    pub(crate) rollback: Option<String>,
    /// Days that what a rollback removed stays in the trash.
    pub(crate) hold_days: u64,
    /// Deltas and cut-overs.
    pub(crate) after: After,
    /// Spot checks: what people said of how many records.
    pub(crate) spot_checks: Vec<crate::spotcheck::Checked>,
}

impl Proof {
    pub(crate) async fn read(ctx: &Context) -> Result<Self, HandoffError> {
        let mut proof = Self {
            scope: scope(ctx).await?,
            hold_days: ctx.limits.rollback_hold.as_secs() / (24 * 60 * 60),
            ..Self::default()
        };
        proof.losses =
            losses::transformed(ctx).await.map_err(|error| HandoffError::Losses(Box::new(error)))?;
        let lost = |error| HandoffError::Losses(Box::new(error));
        let approved = losses::approved(ctx).await.map_err(lost)?;
        let approval = losses::latest(ctx).await.map_err(lost)?;
        if let Some((budget, StoredApproval::V1 { by, at, .. })) = approved.zip(approval) {
            proof.budget = Some((budget, by, format!("{at:.0}")));
        }
        proof.estimate = estimate::first(ctx).await?;
        match archive::open::<ControlIdMap>(ctx, &ctx.run, Pass::Full).await {
            Ok(rows) => {
                for row in rows {
                    let row = row?;
                    if row.object != NOT_IN_MAP {
                        proof.id_map.push(row);
                    }
                }
            }
            Err(ArchiveError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        proof.after = After::read(ctx).await?;
        for row in &proof.after.made {
            let is_new =
                |held: &ControlIdMap| held.object != row.object || held.leaddesk_id != row.leaddesk_id;
            if proof.id_map.iter().all(is_new) {
                proof.id_map.push(row.clone());
            }
        }
        let rollback =
            rollbacks::of_this_run(ctx).await.map_err(|error| HandoffError::Run(Box::new(error)))?;
        proof.rollback = rollback.map(|rollback| {
            format!(
                "rollback {} is {} since {:.0}",
                rollback.plan.number,
                rollback.phase.as_str(),
                rollback.since
            )
        });
        proof.spot_checks =
            crate::spotcheck::all(ctx).await.map_err(|error| HandoffError::Spot(Box::new(error)))?;
        Ok(proof)
    }
}

async fn scope(ctx: &Context) -> Result<Option<Bytes>, HandoffError> {
    match ctx.store.get(&ctx.run_key(scope_document::MARKDOWN)?).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn sheets(material: &Material) -> Result<Vec<Sheet>, HandoffError> {
    Ok(vec![
        scope_sheet(material),
        mapping(material),
        losses_sheet(material),
        forecast(material),
        reconciliation(material),
        id_map(material)?,
    ])
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    out.write_fmt(text).ok();
    out.push('\n');
}

fn scope_sheet(material: &Material) -> Sheet {
    let about = "what moves, what is documented and what is left out, as it was read before the start";
    match &material.proof.scope {
        Some(body) => Sheet { name: "scope.md".to_owned(), about: about.to_owned(), body: body.clone() },
        None => Sheet::text(
            "scope.md",
            "the written scope: none, since the run was discovered by a version that wrote none",
            "# Scope\n\nNone: this run was discovered by a version of the program that wrote no scope. What moved stands in \
             reconciliation.md, what did not in lost-or-changed.md.\n"
                .to_owned(),
        ),
    }
}

fn mapping(material: &Material) -> Sheet {
    let parts = material.mapping.parts();
    let mut out = "# Mapping as approved\n\n".to_owned();
    line(
        &mut out,
        format_args!(
            "Approved by {} at {:.0}. Digest {}. Nothing in it changed since: a mapping that differs by one letter is refused.\n",
            table_cell(parts.reviewer.as_str()),
            parts.confirmed_at,
            parts.digest
        ),
    );
    let kinds: BTreeMap<&str, Vec<&MappingRow>> =
        parts.rows.iter().fold(BTreeMap::new(), |mut kinds, row| {
            kinds.entry(row.id.object.as_str()).or_insert_with(Vec::new).push(row);
            kinds
        });
    if kinds.is_empty() {
        line(&mut out, format_args!("No row: the accounts have nothing that a person has to decide."));
    }
    for (kind, rows) in kinds {
        line(
            &mut out,
            format_args!(
                "## {kind}\n\n| at LeadDesk | id | decision | at Gorgias, or why not |\n| --- | --- | --- | --- |"
            ),
        );
        for row in rows {
            let (decision, what) = match &row.decision {
                Decision::Carry(reason) => ("carried", format!("{}; {}", row.target, reason.reason)),
                Decision::Leave(objection) => {
                    ("left out", format!("{} {}", objection.code, objection.reason))
                }
                Decision::Conflict { leave, .. } => ("open", format!("{} {}", leave.code, leave.reason)),
            };
            line(
                &mut out,
                format_args!(
                    "| {} | {} | {decision} | {} |",
                    table_cell(&row.name),
                    table_cell(&row.id.source_id),
                    table_cell(&what)
                ),
            );
        }
        out.push('\n');
    }
    Sheet::text(
        "mapping.md",
        format!("every decision of the mapping, as approved: {}", parts.rows.len()),
        out,
    )
}

fn losses_sheet(material: &Material) -> Sheet {
    let proof = &material.proof;
    let mut out = "# Losses against what was approved\n\n".to_owned();
    out.push_str(&match &proof.budget {
        Some((_, by, at)) => format!("The loss budget was approved by {} at {at}.\n\n", table_cell(by)),
        None => "No loss budget was approved: `deskferry estimate` was not run before the mapping was approved. The losses are \
                 counted all the same.\n\n"
            .to_owned(),
    });
    if proof.losses.kinds.is_empty() {
        line(&mut out, format_args!("Nothing was lost: every record and every value arrived as it was."));
    } else {
        line(
            &mut out,
            format_args!(
                "| record | code | what | way | lost | approved | kept to |\n| --- | --- | --- | --- | --- | --- | --- |"
            ),
        );
    }
    for (key, lost) in &proof.losses.kinds {
        let bound = proof.budget.as_ref().map(|(budget, ..)| budget.kinds.get(key).map_or(0, |it| it.bound));
        let (approved, kept) = match bound {
            Some(bound) => (grouped(bound), if lost.count <= bound { "yes" } else { "no" }),
            None => ("nothing was".to_owned(), "not known"),
        };
        let title = title_of(&key.code);
        line(
            &mut out,
            format_args!(
                "| {} | {} | {title} | {} | {} | {approved} | {kept} |",
                key.object,
                key.code,
                lost.way.as_str(),
                grouped(lost.count)
            ),
        );
    }
    let about = format!("losses by kind, held against the approved budget: {}", proof.losses.kinds.len());
    Sheet::text("losses.md", about, out)
}

fn hours(seconds: f64) -> String {
    match seconds {
        short if short < 120.0 => format!("{short:.0} s"),
        medium if medium < 7_200.0 => format!("{:.0} min", medium / 60.0),
        long => format!("{:.1} h", long / 3_600.0),
    }
}

/// What a kind of loss is, also where no record carries its code.
fn title_of(code: &str) -> &'static str {
    match code {
        "LOS201" => "recordings stay at LeadDesk, as the settings say",
        "LOS202" => "documented in this folder, and not migrated",
        "LOS203" => "contacts of one person became one customer (merged-persons.csv)",
        other => advice::of(other).title,
    }
}

fn forecast(material: &Material) -> Sheet {
    let summary = &material.report.summary;
    let mut out = "# Forecast and what came of it\n\n".to_owned();
    let Some(estimate) = &material.proof.estimate else {
        line(
            &mut out,
            format_args!(
                "No forecast was made before the run: `deskferry estimate` was not run. What the run took:\n\n\
                 | figure | actual |\n| --- | --- |\n| requests to Gorgias | {} |\n| the fewest possible | {} |\n| time | {} |",
                grouped(summary.requests),
                grouped(summary.requests_floor),
                hours(summary.elapsed_seconds)
            ),
        );
        return Sheet::text("forecast.md", "what the run took; no forecast was made before it", out);
    };
    let said = estimate.requests_total;
    #[expect(clippy::cast_precision_loss, reason = "a share of requests in percent is rounded anyway")]
    let off = (summary.requests as f64 / said.likely.max(1) as f64 - 1.0) * 100.0;
    line(
        &mut out,
        format_args!(
            "Said at {:.0} from {}: before anything moved.\n\n| figure | said | at least | at most | actual |\n\
             | --- | --- | --- | --- | --- |\n| requests to Gorgias | {} | {} | {} | {} ({off:+.1} %) |\n\
             | time of reading and writing Gorgias | {} | {} | {} | {} |\n",
            estimate.made_at,
            estimate.evidence.basis,
            grouped(said.likely),
            grouped(said.low),
            grouped(said.high),
            grouped(summary.requests),
            hours(estimate.times.gorgias.likely),
            hours(estimate.times.gorgias.low),
            hours(estimate.times.gorgias.high),
            hours(summary.elapsed_seconds)
        ),
    );
    line(&mut out, format_args!("What the forecast took for granted, and what was not known:\n"));
    for assumption in &estimate.evidence.assumptions {
        line(&mut out, format_args!("- {assumption}"));
    }
    if estimate.evidence.assumptions.is_empty() {
        line(&mut out, format_args!("- Nothing beside what was read."));
    }
    Sheet::text("forecast.md", "requests and hours as they were forecast, and as they came", out)
}

fn reconciliation(material: &Material) -> Sheet {
    let (report, summary) = (&material.report, &material.report.summary);
    let mut out = format!(
        "# Reconciliation\n\nVerdict: {}. {} fields were read back from Gorgias and compared with what was wished: {} differ, {} \
         of them for a reason that is declared. {} keys are on more than one record.\n\n## Waves\n\n",
        summary.verdict,
        grouped(summary.fields_compared),
        grouped(summary.fields_different + summary.fields_explained),
        grouped(summary.fields_explained),
        grouped(summary.duplicates)
    );
    if report.waves.is_empty() {
        line(&mut out, format_args!("None: the run has not been compared yet."));
    }
    for (wave, verdict) in &report.waves {
        line(&mut out, format_args!("- {wave}: {verdict}"));
    }
    out.push_str(&match report.accepted.is_empty() {
        true => "\nNobody accepted a difference by name: none had to be.\n".to_owned(),
        false => format!("\nAccepted by name in migration.toml: {}.\n", report.accepted.join(", ")),
    });
    line(&mut out, format_args!("\n## Records\n"));
    if summary.objects.is_empty() {
        line(&mut out, format_args!("None: the source held no record."));
    } else {
        line(
            &mut out,
            format_args!(
                "| record | source | left out | merged | arrived | failed |\n| --- | --- | --- | --- | --- | --- |"
            ),
        );
    }
    for (object, counts) in &summary.objects {
        line(
            &mut out,
            format_args!(
                "| {object} | {} | {} | {} | {} | {} |",
                grouped(counts.source),
                grouped(counts.excluded),
                grouped(counts.merged),
                grouped(counts.loaded),
                grouped(counts.failed)
            ),
        );
    }
    line(&mut out, format_args!("\nIn every line, source is the sum of the others."));
    since_then(&mut out, material);
    Sheet::text("reconciliation.md", format!("the verdict and its counts: {}", summary.verdict), out)
}

/// The counts above are of the run itself; what came after it is told apart.
fn since_then(out: &mut String, material: &Material) {
    line(out, format_args!("\n## After the run\n"));
    match material.report.since.deltas.len() as u64 {
        0 => line(out, format_args!("No delta ran, so the counts above are all there is.")),
        deltas => line(
            out,
            format_args!(
                "The counts above are of the run itself. {} brought over what changed since: deltas.md.",
                counted(deltas, "delta")
            ),
        ),
    }
    let compared = material.proof.after.cutovers.iter().rev().find_map(|cutover| cutover.compared.as_ref());
    if let Some(compared) = compared {
        let told = &compared.comparison;
        line(
            out,
            format_args!(
                "\nAt the cut-over everything was read back and compared once more, at {:.0}: {}, {} differ, of which {} were \
                 changed by people and {} are damaged (cutover.md).",
                told.at,
                counted(told.fields, "field"),
                grouped(told.different),
                grouped(told.people),
                grouped(told.damage)
            ),
        );
    }
    line(
        out,
        format_args!(
            "\n`deskferry reconcile --again` reads everything once more on any later day, and tells what people changed from what \
             the migration left wrong."
        ),
    );
}

fn id_map(material: &Material) -> Result<Sheet, HandoffError> {
    let mut table = Table::new(&["object", "leaddesk_id", "external_id", "gorgias_id", "how", "address"])?;
    for row in &material.proof.id_map {
        table.push(&[
            &row.object,
            &row.leaddesk_id,
            row.external_id.as_deref().unwrap_or_default(),
            row.gorgias_id.as_deref().unwrap_or_default(),
            &row.via,
            row.gorgias_url.as_deref().unwrap_or_default(),
        ])?;
    }
    let about = match material.proof.id_map.len() {
        0 => {
            "which record went where: empty, since not every wave is proven; `deskferry report` makes it then"
                .to_owned()
        }
        count => format!(
            "which record went where, without chat messages, which stand in their conversation's ticket: {}",
            grouped(count as u64)
        ),
    };
    Ok(Sheet { name: "id-map.csv".to_owned(), about, body: table.into_bytes()? })
}
