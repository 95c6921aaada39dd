//! What a phase of a rollback did, record by record from the ledger, and what Gorgias shows now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use migration::keys::ExternalId;
use migration::ledger::ReceiptClass;
use migration::rollback::codes;
use serde::{Deserialize, Serialize};
use snapshot::Pass;
use snapshot::tables::ControlRollback;

use super::phases::key_of;
use super::{RollbackError, STEP};
use crate::archive;
use crate::context::Context;
use crate::ledger::Ledger;
use crate::ledger::book::Book;
use crate::listing::walk;
use crate::ports::gorgias::{Customer, Ticket};
use crate::rollbacks::{self, Phase, PlanV1};
use crate::run_folder;

/// Records that one list of a certificate names; all are counted.
const NAMED_MAX: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredCertificate {
    #[serde(rename = "1")]
    V1(CertificateV1),
}

/// What a rollback did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CertificateV1 {
    /// The rollback.
    pub number: u32,
    /// `applied`, `undone` or `purged`.
    pub phase: String,
    /// When it was written.
    pub at: Timestamp,
    /// Records by object and outcome: `in_trash`, `removed`, `given_back`, `archived`, `kept`, `nothing`, `waiting` (removed
    /// with the purge), `there` (as before the rollback).
    pub objects: BTreeMap<String, BTreeMap<String, u64>>,
    /// Records that are kept or needed nothing, by code of the reason.
    pub reasons: BTreeMap<String, u64>,
    /// What a person has to look at.
    pub residue: Vec<ResidueV1>,
    /// Tickets and customers with a key of ours that Gorgias shows outside of its trash.
    pub shown: u64,
    /// Of these, the ones that should not be there by the ledger.
    pub unexpected: u64,
}

/// A record that the rollback could not bring to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResidueV1 {
    /// Object.
    pub object: String,
    /// Id in Gorgias.
    pub gorgias_id: String,
    /// Code of the reason.
    pub code: String,
    /// The reason.
    pub text: String,
}

impl CertificateV1 {
    /// Records with this outcome, of all objects.
    #[must_use]
    pub fn count(&self, outcome: &str) -> u64 {
        self.objects.values().filter_map(|outcomes| outcomes.get(outcome)).sum()
    }

    fn take(&mut self, row: &ControlRollback, outcome: &str, residue: Option<(&str, &str)>) {
        let outcomes = self.objects.entry(row.object.clone()).or_default();
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
        let code = residue.map(|(code, _)| code).or(row.reason_code.as_deref().filter(|_| outcome == "kept"));
        if let Some(code) = code {
            *self.reasons.entry(code.to_owned()).or_default() += 1;
        }
        if let Some((code, text)) = residue.filter(|_| self.residue.len() < NAMED_MAX) {
            self.residue.push(ResidueV1 {
                object: row.object.clone(),
                gorgias_id: row.gorgias_id.clone(),
                code: code.to_owned(),
                text: text.to_owned(),
            });
        }
    }
}

/// The certificate of a phase: as it was written, or written now.
///
/// # Errors
/// [`RollbackError`].
pub async fn certificate(ctx: &Context, plan: &PlanV1, phase: Phase) -> Result<CertificateV1, RollbackError> {
    let key = rollbacks::key(ctx, plan.number, &format!("certificate-{}.json", phase.as_str()))?;
    if let Some(StoredCertificate::V1(certificate)) = run_folder::get(ctx, &key).await? {
        return Ok(certificate);
    }
    let (book, secret) = Ledger::read_of(ctx, &plan.account).await?;
    let mut certificate = CertificateV1 {
        number: plan.number,
        phase: phase.as_str().to_owned(),
        at: ctx.clock.now(),
        ..CertificateV1::default()
    };
    let mut there: BTreeSet<(bool, u64)> = BTreeSet::new();
    for row in archive::open::<ControlRollback>(ctx, &ctx.run, Pass::Rollback(plan.number)).await? {
        let row = row?;
        let key = key_of(&row, &secret);
        let class = key.as_ref().and_then(|key| book.class(key));
        let note = key.as_ref().and_then(|key| book.note(key));
        let note = note.map(|note| (note.code.as_str(), note.text.as_str()));
        judge(&mut certificate, &row, class, note, phase);
        let id = row.gorgias_id.parse().unwrap_or(0);
        let stays =
            matches!(row.action.as_str(), "keep" | "give_back") || is_there(&book, &row, key.as_ref());
        if stays {
            there.insert((row.object == "ticket", id));
        }
    }
    shown(ctx, &there, &mut certificate).await?;
    run_folder::put(ctx, &key, &StoredCertificate::V1(certificate.clone())).await?;
    Ok(certificate)
}

fn is_there(book: &Book, row: &ControlRollback, key: Option<&migration::ledger::WriteKey>) -> bool {
    let held = key.and_then(|key| book.destination(key));
    held.is_some_and(|held| held.to_string() == row.gorgias_id)
}

fn judge(
    certificate: &mut CertificateV1,
    row: &ControlRollback,
    class: Option<ReceiptClass>,
    note: Option<(&str, &str)>,
    phase: Phase,
) {
    let back = (codes::BROUGHT_BACK, codes::words(codes::BROUGHT_BACK));
    let archived = (codes::ARCHIVED, codes::words(codes::ARCHIVED));
    let is_undone = phase == Phase::Undone;
    match (row.action.as_str(), class) {
        ("keep", _) => certificate.take(row, "kept", None),
        ("nothing", _) => certificate.take(row, "nothing", None),
        ("archive", Some(ReceiptClass::Trashed)) => certificate.take(row, "archived", Some(archived)),
        (_, Some(ReceiptClass::Trashed)) => certificate.take(row, "in_trash", None),
        (_, Some(ReceiptClass::Deleted)) => certificate.take(row, "removed", None),
        (_, Some(ReceiptClass::Released)) => certificate.take(row, "given_back", note),
        ("remove", Some(ReceiptClass::Restored)) if !is_undone => certificate.take(row, "kept", Some(back)),
        _ if is_undone => certificate.take(row, "there", note),
        (_, _) if note.is_some() => certificate.take(row, "kept", note),
        ("remove", _) if phase == Phase::Applied && row.object != "ticket" => {
            certificate.take(row, "waiting", None);
        }
        ("remove", _) => {
            certificate.take(row, "kept", Some((codes::NEEDED, codes::words(codes::NEEDED))));
        }
        _ => certificate.take(row, "kept", Some((codes::TOUCHED, codes::words(codes::TOUCHED)))),
    }
}

/// Walks both lists for records that carry a key of ours.
async fn shown(
    ctx: &Context,
    there: &BTreeSet<(bool, u64)>,
    certificate: &mut CertificateV1,
) -> Result<(), RollbackError> {
    let is_ours = |external_id: Option<&String>| {
        external_id.is_some_and(|external_id| external_id.starts_with(ExternalId::PREFIX))
    };
    let mut found: Vec<(bool, u64)> = Vec::new();
    let gorgias = Arc::clone(&ctx.destination);
    let fetch = |cursor| {
        let gorgias = Arc::clone(&gorgias);
        Box::pin(async move { gorgias.tickets(Option::as_ref(&cursor)).await }) as _
    };
    walk::<Ticket, RollbackError>(fetch, |raw| {
        let ticket = &raw.record;
        if is_ours(ticket.external_id.as_ref()) && ticket.trashed_at.is_none() {
            found.push((true, ticket.id.0));
        }
        Ok(())
    })
    .await?;
    let fetch = |cursor| {
        let gorgias = Arc::clone(&gorgias);
        Box::pin(async move { gorgias.customers(Option::as_ref(&cursor)).await }) as _
    };
    walk::<Customer, RollbackError>(fetch, |raw| {
        if is_ours(raw.record.external_id.as_ref()) {
            found.push((false, raw.record.id.0));
        }
        Ok(())
    })
    .await?;
    certificate.shown = found.len() as u64;
    certificate.unexpected = found.iter().filter(|shown| !there.contains(shown)).count() as u64;
    if certificate.unexpected > 0 {
        ctx.progress.emit(
            ctx.clock.now(),
            crate::progress::Event::Finding {
                code: codes::SECOND,
                count: certificate.unexpected,
                text: format!("{STEP}: records with a key of ours that the ledger says are gone"),
            },
        );
    }
    Ok(())
}
