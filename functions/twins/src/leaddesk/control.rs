//! The twin's own endpoints, below `/__twin/`: its state, its memory, its faults, its time.
//!
//! Deliberately absent: keys. They are not LeadDesk's, count in no ledger, and are never struck by faults.

use std::sync::Arc;

use axum::http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::generate::Change;
use crate::leaddesk::answer::Answer;
use crate::leaddesk::fault::{Fault, FaultPlan, ScheduledFaults};
use crate::leaddesk::serve::{Received, Twin};

const PREFIX: &str = "/__twin/";

/// What happens until the later time: drawn from a seed, or exactly these changes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Advance {
    seed: u64,
    changes: Option<Vec<Change>>,
    /// Folder into which somebody exports the files of the later time.
    files: Option<std::path::PathBuf>,
}

/// The answer to a control request; none if it is not one.
pub(crate) fn answer(twin: &Twin, received: &Received) -> Option<Answer> {
    let endpoint = received.path.strip_prefix(PREFIX)?;
    Some(match (&received.method, endpoint) {
        (&Method::GET, "state") => state(twin),
        (&Method::GET, "ledgers") => Answer::json(&twin.ledgers()),
        (&Method::POST, "faults") => match serde_json::from_slice::<FaultPlan>(&received.body) {
            Ok(plan) => set_plan(twin, plan),
            Err(error) => refused(&error),
        },
        (&Method::DELETE, "faults") => set_plan(twin, FaultPlan::default()),
        (&Method::POST, "advance") => advance(twin, &received.body),
        (_, "state" | "ledgers" | "faults" | "advance") => {
            Answer::rest_error(405, "method_not_allowed", "see the twin's own documentation")
        }
        _ => Answer::rest_error(404, "not_found", "there are state, ledgers, faults and advance"),
    })
}

fn refused(error: &dyn std::error::Error) -> Answer {
    Answer::rest_error(400, "bad_body", &error.to_string())
}

fn state(twin: &Twin) -> Answer {
    let account = twin.account();
    let (from, until) = account.chatbot_window();
    Answer::json(&json!({
        "profile": twin.config.profile,
        "features": twin.config.features,
        "knobs": twin.config.knobs,
        "seed": account.shape().seed,
        "counts": {
            "contacts": account.contact_count(),
            "contacts_in_lists": account.listed_contact_count(),
            "leads": account.lead_count(),
            "export_rows": account.export_row_count(),
            "calls": account.call_count(),
            "users": account.users().count(),
            "offices": account.offices().count(),
            "groups": account.groups().count(),
            "campaigns": account.campaigns().count(),
            "sponsors": account.sponsors().count(),
            "lists": account.lists().count(),
            "outcomes": account.outcomes().count(),
            "blacklist": account.blacklist().len(),
            "conversations": account.shape().conversations,
            "messages": account.shape().messages,
        },
        "chatbot_window": { "from": from, "until": until },
        "planted": account.planted(),
    }))
}

fn set_plan(twin: &Twin, plan: FaultPlan) -> Answer {
    let rules = plan.rules.len();
    let faults: Arc<dyn Fault> = Arc::new(ScheduledFaults::new(plan));
    twin.set_faults(faults);
    Answer::json(&json!({ "rules": rules }))
}

fn advance(twin: &Twin, body: &[u8]) -> Answer {
    let wished = if body.is_empty() { Ok(Advance::default()) } else { serde_json::from_slice(body) };
    let wished = match wished {
        Ok(wished) => wished,
        Err(error) => return refused(&error),
    };
    let changes = wished.changes.unwrap_or_else(|| twin.account().later_changes(wished.seed));
    let written = twin.apply(&changes).map_err(|error| refused(&error)).and_then(|()| match &wished.files {
        Some(folder) => twin.account().write_files(folder).map_err(|error| refused(&error)),
        None => Ok(()),
    });
    match written {
        Ok(()) => Answer::json(&json!({ "applied": changes.len(), "changes": changes })),
        Err(answer) => answer,
    }
}
