//! What of the accounts a page about deltas and the cut-over names: records that vanished, switches by their names.
//!
//! Deliberately absent: deciding what becomes of either.

use std::collections::BTreeMap;

use migration::keys::ExternalId;
use migration::settings::VanishedPolicy;
use snapshot::tables::{ControlDeltaScope, FoundIntegration, FoundRule, FoundSetting};
use snapshot::{Pass, Row};

use super::HandoffError;
use super::after::{After, NAMED_MAX, line, shown};
use super::dialer::table_cell;
use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::deltas;
use crate::ledger::book::Book;
use crate::ledger::key::{self, Secret};
use crate::report::text::grouped;
use crate::transform::VANISHED_TAG;
use crate::wish::{CUSTOMER, TICKET};

/// State of a record whose source is gone.
const VANISHED: &str = "vanished";

/// A record whose source LeadDesk does not show any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vanished {
    pub(crate) object: String,
    pub(crate) external_id: String,
    pub(crate) gorgias_id: Option<u64>,
    /// The delta that saw it.
    pub(crate) delta: i32,
    pub(crate) cause: String,
}

/// Records that vanished, as the newest wish tells them.
pub(super) async fn vanished(
    ctx: &Context,
    book: Option<&(Book, Secret)>,
) -> Result<Vec<Vanished>, HandoffError> {
    let pass = deltas::wish(ctx).await.map_err(|error| HandoffError::Run(Box::new(error)))?;
    if pass == Pass::Full || !archive::is_sealed(ctx, &ctx.run, pass, ControlDeltaScope::SCHEMA).await? {
        return Ok(Vec::new());
    }
    let mut vanished = Vec::new();
    for row in archive::open::<ControlDeltaScope>(ctx, &ctx.run, pass).await? {
        let row = row?;
        if row.state != VANISHED {
            continue;
        }
        let ours = ExternalId::from_stored(row.external_id.clone());
        let gorgias_id = book.and_then(|(book, secret)| match row.object.as_str() {
            CUSTOMER => book.held(&key::customer(&ours, secret)),
            TICKET => book.held(&key::ticket(&ours, secret)),
            _ => None,
        });
        vanished.push(Vanished {
            object: row.object,
            external_id: row.external_id,
            gorgias_id,
            delta: row.changed_in,
            cause: row.likely_cause.unwrap_or_default(),
        });
    }
    Ok(vanished)
}

/// What becomes of the ticket of a lead that vanished.
pub(super) fn policy(ctx: &Context) -> String {
    match ctx.limits.vanished {
        VanishedPolicy::Keep => "Their tickets stay as they were.".to_owned(),
        VanishedPolicy::Tag => format!("Their tickets carry the tag `{VANISHED_TAG}`."),
        VanishedPolicy::Close => "Their tickets are closed.".to_owned(),
    }
}

/// Names of rules, integrations and settings as they were before the first write, by kind and id such as `rule/11`.
pub(super) async fn switches(ctx: &Context) -> Result<BTreeMap<String, String>, HandoffError> {
    let mut names = BTreeMap::new();
    for row in before::<FoundRule>(ctx).await? {
        names.insert(format!("rule/{}", row.gorgias_rule_id), row.rule_name);
    }
    for row in before::<FoundIntegration>(ctx).await? {
        names.insert(format!("integration/{}", row.gorgias_integration_id), row.integration_name);
    }
    for row in before::<FoundSetting>(ctx).await? {
        names.insert(format!("setting/{}", row.setting_id), row.setting_type);
    }
    Ok(names)
}

async fn before<R: Row>(ctx: &Context) -> Result<Vec<R>, HandoffError> {
    match archive::open::<R>(ctx, &ctx.run, Pass::Before).await {
        Ok(rows) => Ok(rows.collect::<Result<Vec<R>, _>>()?),
        Err(ArchiveError::Missing { .. }) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// What a table of the source holds, in words.
pub(super) fn records_of(table: &str) -> &str {
    match table {
        "src_leaddesk_agent" => "agents",
        "src_leaddesk_blacklist" => "numbers on the blacklist",
        "src_leaddesk_call" => "calls",
        "src_leaddesk_campaign" => "campaigns",
        "src_leaddesk_chat_message" => "messages of chatbots",
        "src_leaddesk_contact" => "cards of contacts",
        "src_leaddesk_conversation" => "conversations of chatbots",
        "src_leaddesk_document" => "rows of the operator's documents",
        "src_leaddesk_field" => "meanings of slots",
        "src_leaddesk_field_value" => "values of slots",
        "src_leaddesk_group" => "members of agent groups",
        "src_leaddesk_lead" => "leads",
        "src_leaddesk_list" => "lists",
        "src_leaddesk_office" => "offices",
        "src_leaddesk_outcome" => "outcomes of calls",
        "src_leaddesk_recording" => "recordings",
        other => other,
    }
}

/// The section about what vanished.
pub(super) fn page(out: &mut String, after: &After) {
    line(out, format_args!("\n## What vanished from LeadDesk\n"));
    if after.vanished.is_empty() {
        line(out, format_args!("Nothing: LeadDesk still shows everything that was loaded."));
        return;
    }
    line(
        out,
        format_args!(
            "What was deleted there, moved to another list, or archived with its list looks nearly the same from outside, so \
             nothing is ever deleted at Gorgias because of it. {}\n\n| record | our key | id at Gorgias | delta | likely |\n\
             | --- | --- | --- | --- | --- |",
            after.policy
        ),
    );
    for gone in after.vanished.iter().take(NAMED_MAX) {
        let id = gone.gorgias_id.map_or_else(|| "was not loaded".to_owned(), |id| id.to_string());
        line(
            out,
            format_args!(
                "| {} | {} | {id} | {} | {} |",
                gone.object,
                table_cell(&shown(&gone.external_id)),
                gone.delta,
                gone.cause
            ),
        );
    }
    if after.vanished.len() > NAMED_MAX {
        line(
            out,
            format_args!(
                "\nThe {} others are in the table ctl_delta_scope.",
                grouped((after.vanished.len() - NAMED_MAX) as u64)
            ),
        );
    }
}
