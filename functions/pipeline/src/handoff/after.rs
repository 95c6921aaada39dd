//! What came after the load: deltas with everything that they left as it was, and the cut-over.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use migration::keys::ExternalId;
use migration::ledger::WriteKey;
use migration::text::clean_line;
use snapshot::Row as _;
use snapshot::tables::{ControlDelta, ControlIdMap};

use super::dialer::table_cell;
use super::material::Material;
use super::since::{self, Vanished};
use super::{HandoffError, Sheet};
use crate::archive;
use crate::context::Context;
use crate::cutovers::{self, Cutover};
use crate::delta::codes;
use crate::deltas::{self, Delta};
use crate::ledger::{Ledger, key};
use crate::plan;
use crate::ports::gorgias::Gorgias;
use crate::report::advice;
use crate::report::since::DeltaToldV1;
use crate::report::text::{counted, grouped};

/// Records that one table of the page names; the table `ctl_delta` has all.
pub(super) const NAMED_MAX: usize = 200;

/// A record that a delta left as it was, or only in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) delta: u32,
    pub(crate) object: String,
    /// Our key; nothing where it holds the number of a person.
    pub(crate) external_id: String,
    pub(crate) gorgias_id: String,
    pub(crate) code: String,
    pub(crate) fields: String,
}

/// What the pages are written from.
#[derive(Default)]
pub(crate) struct After {
    pub(crate) left: Vec<Left>,
    /// Records that deltas made, as rows of the id map.
    pub(crate) made: Vec<ControlIdMap>,
    pub(crate) cutovers: Vec<Cutover>,
    pub(crate) vanished: Vec<Vanished>,
    /// What becomes of the ticket of what vanished.
    pub(crate) policy: String,
    /// Names of rules, integrations and settings, by kind and id.
    pub(crate) switches: BTreeMap<String, String>,
}

impl After {
    pub(crate) async fn read(ctx: &Context) -> Result<Self, HandoffError> {
        let run = |error| HandoffError::Run(Box::new(error));
        let mut after = Self {
            cutovers: cutovers::all(ctx).await.map_err(run)?,
            policy: since::policy(ctx),
            switches: since::switches(ctx).await?,
            ..Self::default()
        };
        let deltas = deltas::all(ctx).await.map_err(run)?;
        if deltas.is_empty() {
            return Ok(after);
        }
        let book = match plan::read(ctx).await {
            Ok((plan, _)) => Ledger::read_of(ctx, &plan.account).await.ok(),
            Err(_) => None,
        };
        after.vanished = since::vanished(ctx, book.as_ref()).await?;
        for delta in deltas.iter().filter(|delta| delta.done.is_some()) {
            if !archive::is_sealed(ctx, &ctx.run, delta.pass(), ControlDelta::SCHEMA).await? {
                continue;
            }
            for row in archive::open::<ControlDelta>(ctx, &ctx.run, delta.pass()).await? {
                let row = row?;
                if let Some(code) = &row.reason_code {
                    after.left.push(Left {
                        delta: delta.begun.number,
                        object: row.object.clone(),
                        external_id: shown(&row.external_id),
                        gorgias_id: row.gorgias_id.clone(),
                        code: code.clone(),
                        fields: row.kept_fields.clone().unwrap_or_default(),
                    });
                }
                if let Some((book, secret)) = &book
                    && matches!(row.action.as_str(), "create" | "append")
                    && let Some((object, key)) = named(&row, secret)
                {
                    after.made.push(made(&*ctx.destination, &row, object, book.destination(&key)));
                }
            }
            after.at_the_write(delta);
        }
        Ok(after)
    }

    /// What only showed when the record was written: somebody came before, or Gorgias refused.
    fn at_the_write(&mut self, delta: &Delta) {
        let number = delta.begun.number;
        let residue = delta.done.iter().flat_map(|done| &done.residue);
        for left in residue.filter(|left| left.code != codes::CONFLICT) {
            let external_id = shown(&left.external_id);
            let is_it = |held: &Left| {
                held.delta == number
                    && held.object == left.object
                    && held.external_id == external_id
                    && held.code == left.code
            };
            if self.left.iter().any(is_it) {
                continue;
            }
            self.left.push(Left {
                delta: number,
                object: left.object.clone(),
                external_id,
                gorgias_id: left.gorgias_id.clone(),
                code: left.code.clone(),
                fields: String::new(),
            });
        }
    }
}

/// Our key, unless it holds a number of a person.
pub(super) fn shown(external_id: &str) -> String {
    if external_id.contains(":number:") {
        "by number, see the Gorgias id".to_owned()
    } else {
        external_id.to_owned()
    }
}

/// What of LeadDesk a record was made of, as the id map names it; nothing for what was made of no record of its own.
fn named(row: &ControlDelta, secret: &key::Secret) -> Option<(&'static str, WriteKey)> {
    let ours = ExternalId::from_stored(row.external_id.clone());
    let kind = row.external_id.strip_prefix(ExternalId::PREFIX)?.split_once(':')?.0;
    match (row.object.as_str(), kind) {
        ("customer", "contact") => Some(("contact", key::customer(&ours, secret))),
        ("ticket", "lead") => Some(("lead", key::ticket(&ours, secret))),
        ("ticket", "chat") => Some(("conversation", key::ticket(&ours, secret))),
        ("message", "call") => Some(("call", key::message(&ours, secret))),
        _ => None,
    }
}

fn made(gorgias: &dyn Gorgias, row: &ControlDelta, object: &str, id: Option<u64>) -> ControlIdMap {
    // `leaddesk:lead:41:1001` was made of lead 41:1001.
    let leaddesk_id = row.external_id.splitn(3, ':').nth(2).unwrap_or_default();
    // A message that was appended has the page of its ticket.
    let page = if object == "call" { row.gorgias_id.parse().ok() } else { id };
    let url = page.map(|id| match object {
        "contact" => gorgias.customer_url(migration::gorgias::CustomerId(id)),
        _ => gorgias.ticket_url(migration::gorgias::TicketId(id)),
    });
    ControlIdMap {
        object: object.to_owned(),
        leaddesk_id: leaddesk_id.to_owned(),
        external_id: Some(row.external_id.clone()),
        gorgias_id: id.map(|id| id.to_string()),
        via: "delta".to_owned(),
        gorgias_url: url,
    }
}

pub(super) fn sheets(material: &Material) -> Vec<Sheet> {
    vec![deltas_sheet(material), cutover_sheet(material)]
}

pub(super) fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    out.write_fmt(text).ok();
    out.push('\n');
}

fn deltas_sheet(material: &Material) -> Sheet {
    let deltas = &material.report.since.deltas;
    let mut out =
        "# Deltas\n\nWhat was brought over after the load, since agents went on working in LeadDesk.\n"
            .to_owned();
    if deltas.is_empty() {
        out.push_str(
            "\nNone ran. What changed at LeadDesk after it was read is not at Gorgias; `deskferry delta` brings it over.\n",
        );
        return Sheet::text("deltas.md", "what was brought over after the load: no delta ran", out);
    }
    line(
        &mut out,
        format_args!(
            "\n| delta | LeadDesk as of | made | fields changed | messages added | in conflict | left as people made it | \
             refused | read back, different |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        ),
    );
    for delta in deltas {
        let counts = ["created", "updated", "appended", "conflict", "kept", "refused"]
            .map(|it| grouped(delta.count(it)));
        line(
            &mut out,
            format_args!(
                "| {} | {:.0} | {} | {}, {} |",
                delta.number,
                delta.read_from,
                counts.join(" | "),
                grouped(delta.fields_compared),
                grouped(delta.fields_different)
            ),
        );
    }
    for delta in deltas.iter().filter(|delta| !delta.source.is_empty() || !delta.vanished.is_empty()) {
        source(&mut out, delta);
    }
    let is_conflict = |left: &&Left| left.code == codes::CONFLICT;
    let left = &material.proof.after.left;
    records(
        &mut out,
        "Fields that LeadDesk and people both changed",
        "None: no field was changed on both sides without a rule that settles it.",
        left.iter().filter(is_conflict),
    );
    since::page(&mut out, &material.proof.after);
    records(
        &mut out,
        "What stays as people left it, or could not be written",
        "None: everything else is as LeadDesk has it.",
        left.iter().filter(|left| !is_conflict(left)),
    );
    Sheet::text(
        "deltas.md",
        format!("what was brought over after the load: {}", counted(deltas.len() as u64, "delta")),
        out,
    )
}

fn source(out: &mut String, delta: &DeltaToldV1) {
    line(out, format_args!("\n## Delta {}: what was different at LeadDesk\n", delta.number));
    for (table, found) in &delta.source {
        let counts: Vec<String> =
            found.iter().map(|(what, count)| format!("{} {what}", grouped(*count))).collect();
        line(out, format_args!("- {}: {}", since::records_of(table), counts.join(", ")));
    }
    for (cause, count) in &delta.vanished {
        line(
            out,
            format_args!("- records at Gorgias whose source vanished, likely {cause}: {}", grouped(*count)),
        );
    }
}

/// One line a record: the last delta that left it so.
fn records<'l>(out: &mut String, title: &str, empty: &str, left: impl Iterator<Item = &'l Left>) {
    line(out, format_args!("\n## {title}\n"));
    let newest: BTreeMap<(&str, &str, &str), &Left> = left
        .map(|left| ((left.object.as_str(), left.external_id.as_str(), left.gorgias_id.as_str()), left))
        .collect();
    if newest.is_empty() {
        line(out, format_args!("{empty}"));
        return;
    }
    line(
        out,
        format_args!(
            "| record | our key | id at Gorgias | fields | delta | why |\n| --- | --- | --- | --- | --- | --- |"
        ),
    );
    for left in newest.values().take(NAMED_MAX) {
        let fields = if left.fields.is_empty() {
            "the whole record".to_owned()
        } else {
            left.fields.replace(' ', ", ")
        };
        line(
            out,
            format_args!(
                "| {} | {} | {} | {fields} | {} | {} {} |",
                left.object,
                table_cell(&left.external_id),
                left.gorgias_id,
                left.delta,
                left.code,
                advice::of(&left.code).title
            ),
        );
    }
    if newest.len() > NAMED_MAX {
        line(
            out,
            format_args!(
                "\nThe {} others are in the table ctl_delta.",
                grouped((newest.len() - NAMED_MAX) as u64)
            ),
        );
    }
}

fn cutover_sheet(material: &Material) -> Sheet {
    let cutovers = &material.proof.after.cutovers;
    let mut out = "# Cut-over\n\nThe last evening: LeadDesk frozen, the last delta, everything compared, the certificate.\n".to_owned();
    let Some(last) = cutovers.last() else {
        out.push_str(
            "\nNot cut over yet: `deskferry cutover status` says point by point whether it is ready.\n",
        );
        return Sheet::text("cutover.md", "the certificate of the cut-over: not cut over yet", out);
    };
    for earlier in cutovers.iter().rev().skip(1).rev() {
        let told = material.report.since.cutovers.iter().find(|told| told.number == earlier.begun.number);
        let words = told.map_or_else(|| "not told".to_owned(), |told| clean_line(&told.in_words()));
        line(&mut out, format_args!("\nCut-over {} came before this one: {words}.", earlier.begun.number));
    }
    certificate(&mut out, last);
    forces(&mut out, last);
    readiness(&mut out, last);
    freeze(&mut out, last);
    restored(&mut out, last, &material.proof.after.switches);
    let about = match (&last.signed, &last.refused) {
        (Some(_), _) if last.forced().next().is_some() => {
            "the certificate of the cut-over: signed, and forced by name"
        }
        (Some(_), _) => "the certificate of the cut-over: signed",
        (None, Some(_)) => "the certificate of the cut-over: refused",
        (None, None) => "the certificate of the cut-over: begun and not at its end",
    };
    Sheet::text("cutover.md", about, out)
}

fn certificate(out: &mut String, cutover: &Cutover) {
    line(out, format_args!("\n## Cut-over {}\n\n| point | what |\n| --- | --- |", cutover.begun.number));
    let by = cutover.begun.by.as_deref().map_or_else(|| "nobody by name".to_owned(), table_cell);
    let mut rows = vec![
        ("account", cutover.begun.account.clone()),
        ("run by", by),
        ("begun", format!("{:.0}", cutover.begun.at)),
        ("LeadDesk frozen since", format!("{:.0}", cutover.begun.frozen_since)),
    ];
    if let Some(delta) = &cutover.delta {
        rows.push(("last delta", format!("delta {}, ended {:.0}", delta.number, delta.at)));
    }
    if let Some(compared) = &cutover.compared {
        let told = &compared.comparison;
        rows.push((
            "reconciliation",
            format!(
                "{} compared, {} different: {} changed by people, {} damaged",
                counted(told.fields, "field"),
                grouped(told.different),
                grouped(told.people),
                grouped(told.damage)
            ),
        ));
        rows.push(("digest of the reconciliation", compared.digest.clone()));
    }
    if let Some(signed) = &cutover.signed {
        rows.push(("mapping", signed.mapping.clone()));
        rows.push(("signed", format!("{:.0}", signed.at)));
    }
    if let Some(refused) = &cutover.refused {
        let reasons: Vec<String> = refused.reasons.iter().map(|reason| table_cell(reason)).collect();
        rows.push(("refused", format!("{:.0}, {}: {}", refused.at, refused.code, reasons.join("; "))));
    }
    for (point, what) in rows {
        line(out, format_args!("| {point} | {what} |"));
    }
}

fn forces(out: &mut String, cutover: &Cutover) {
    line(out, format_args!("\n## Taken upon themselves by name\n"));
    if cutover.forced().next().is_none() {
        line(out, format_args!("Nothing: no point had to be forced."));
    }
    for force in cutover.forced() {
        line(
            out,
            format_args!(
                "- {} at {:.0}: {}. Reason: {}",
                table_cell(&force.by),
                force.at,
                in_words(&force.codes, cutover).join(", "),
                table_cell(&force.reason)
            ),
        );
    }
}

/// `CUT107 users to provision`.
fn in_words(codes: &[String], cutover: &Cutover) -> Vec<String> {
    let about = |code: &String| {
        let point = cutover.begun.points.iter().find(|point| point.code == *code);
        let about = point.map_or_else(|| advice::of(code).title, |point| point.about.as_str());
        format!("{code} {about}")
    };
    codes.iter().map(about).collect()
}

fn readiness(out: &mut String, cutover: &Cutover) {
    line(
        out,
        format_args!(
            "\n## Readiness when it began\n\n| point | state | why | code |\n| --- | --- | --- | --- |"
        ),
    );
    for point in &cutover.begun.points {
        line(
            out,
            format_args!(
                "| {} | {} | {} | {} |",
                point.about,
                point.state,
                table_cell(&point.reason),
                point.code
            ),
        );
    }
}

fn freeze(out: &mut String, cutover: &Cutover) {
    line(out, format_args!("\n## Whether LeadDesk stood still\n"));
    let Some(freeze) = &cutover.freeze else {
        line(out, format_args!("Not looked at: the cut-over did not come so far."));
        return;
    };
    line(
        out,
        format_args!(
            "{} (asked at {:.0}, {} to LeadDesk).\n",
            if freeze.changes.is_empty() { "It did, as far as its interfaces show" } else { "It did not" },
            freeze.at,
            counted(freeze.requests.values().sum(), "request")
        ),
    );
    for change in &freeze.changes {
        line(out, format_args!("- changed: {}", table_cell(change)));
    }
    for looked in &freeze.looked {
        line(out, format_args!("- looked at: {looked}"));
    }
    for unseen in &freeze.unseen {
        line(out, format_args!("- cannot be seen: {unseen}"));
    }
}

fn restored(out: &mut String, cutover: &Cutover, names: &BTreeMap<String, String>) {
    line(out, format_args!("\n## Rules, surveys and webhooks\n"));
    let Some(restored) = &cutover.restored else {
        line(out, format_args!("Not read back: the cut-over did not come so far."));
        return;
    };
    line(
        out,
        format_args!(
            "Read back at {:.0}; they come back in the order {}.\n",
            restored.at,
            restored.order.join(", ")
        ),
    );
    let kinds = [
        ("as before the migration", &restored.as_before),
        ("otherwise, by people", &restored.changed),
        ("removed by people", &restored.removed),
    ];
    for (what, held) in kinds {
        let named = |id: &String| match names.get(id) {
            Some(name) => format!("{} ({id})", table_cell(name)),
            None => id.clone(),
        };
        let held: Vec<String> = held.iter().map(named).collect();
        let held = if held.is_empty() { "none".to_owned() } else { held.join(", ") };
        line(out, format_args!("- {what}: {held}"));
    }
}
