//! Quiet at the destination while something is taken back: what would mail customers or change tickets is switched off.
//!
//! The same look and the same switches as before a load; the state is read anew, because people may have changed it.

use std::sync::Arc;

use migration::finding::Code;
use migration::ledger::ReceiptClass;

use super::baseline::Baseline;
use super::{PrepareError, preflight, switches};
use crate::context::Context;
use crate::found_rows;
use crate::ledger::Ledger;
use crate::ledger::driver::{self, Listed, Part};
use crate::listing::walk;
use crate::ports::gorgias::{Integration, Rule};
use crate::step::StepFinding;

/// Switches off what is on, through the ledger.
pub(crate) async fn hush(
    ctx: &Context,
    ledger: &mut Ledger,
    step: &'static str,
    occasion: &str,
) -> Result<(), PrepareError> {
    let preflight = preflight::look(&now(ctx).await?, &ctx.limits.accepted_findings);
    let refused = grouped(&preflight.refused);
    if let Some(first) = refused.first() {
        let (code, first) = (first.code.clone(), first.text.clone());
        return Err(PrepareError::Refused { count: refused.len(), code, first, findings: refused });
    }
    let pauses = switches::off(ctx, ledger, &preflight.switches, occasion).await?;
    drive(ctx, ledger, step, "pauses", Listed::new(pauses, ReceiptClass::Updated)).await
}

/// Brings back everything that we hold switched off.
pub(crate) async fn unhush(
    ctx: &Context,
    ledger: &mut Ledger,
    step: &'static str,
) -> Result<(), PrepareError> {
    let on = switches::on(ctx, ledger).await?;
    for kind in switches::in_order(&ctx.limits.restore_order, on) {
        drive(ctx, ledger, step, "switches", Listed::new(kind, ReceiptClass::Restored)).await?;
    }
    Ok(())
}

async fn drive(
    ctx: &Context,
    ledger: &mut Ledger,
    step: &'static str,
    name: &str,
    mut work: Listed,
) -> Result<(), PrepareError> {
    let part = Part { step, name: name.to_owned(), total: None };
    driver::drive(ctx, ledger, &mut work, &part).await?;
    Ok(())
}

/// What can reach a customer or change our records, as it is now.
async fn now(ctx: &Context) -> Result<Baseline, PrepareError> {
    let mut found = Baseline::default();
    let gorgias = Arc::clone(&ctx.destination);
    let fetch = |cursor| {
        let gorgias = Arc::clone(&gorgias);
        Box::pin(async move { gorgias.rules(Option::as_ref(&cursor)).await }) as _
    };
    walk::<Rule, PrepareError>(fetch, |raw| {
        found.rules.push(found_rows::rule(raw));
        Ok(())
    })
    .await?;
    let fetch = |cursor| {
        let gorgias = Arc::clone(&gorgias);
        Box::pin(async move { gorgias.integrations(Option::as_ref(&cursor)).await }) as _
    };
    walk::<Integration, PrepareError>(fetch, |raw| {
        found.integrations.push(found_rows::integration(raw));
        Ok(())
    })
    .await?;
    found.settings = ctx.destination.settings().await?.into_iter().map(found_rows::setting).collect();
    Ok(found)
}

/// One finding a code, in order of code.
pub(super) fn grouped(found: &[(Code, String)]) -> Vec<StepFinding> {
    let mut findings: Vec<StepFinding> = Vec::new();
    for (code, what) in found {
        let code = code.to_string();
        match findings.iter_mut().find(|finding| finding.code == code) {
            Some(finding) => {
                finding.count += 1;
                finding.text.push_str(", ");
                finding.text.push_str(what);
            }
            None => findings.push(StepFinding { code, count: 1, text: what.clone() }),
        }
    }
    findings.sort();
    findings
}
