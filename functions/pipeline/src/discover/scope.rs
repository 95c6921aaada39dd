//! What is migrated, documented or left out, row by row of the mapping.

use std::collections::BTreeMap;

use migration::settings::RecordingPolicy;

use crate::documents::inventory::ScopeRow;

const MIGRATED: &str = "migrated";
const DOCUMENTED: &str = "documented";
const LEFT_OUT: &str = "left_out";

/// Kind, disposition, and into what or why not.
const ROWS: &[(&str, &str, &str)] = &[
    ("contact", MIGRATED, "customers, one a person"),
    ("campaign", MIGRATED, "tags"),
    ("lead", MIGRATED, "tickets"),
    ("call", MIGRATED, "messages of tickets"),
    ("conversation", MIGRATED, "tickets with their thread"),
    ("chat_message", MIGRATED, "messages of tickets"),
    ("agent", MIGRATED, "matched with users by email; none is created"),
    ("office", MIGRATED, "teams"),
    ("group", MIGRATED, "teams"),
    ("outcome", MIGRATED, "ticket field; the taxonomy goes into the handoff"),
    ("slot_setting", MIGRATED, "customer fields as far as there is room, else the lead card"),
    ("blacklist_entry", MIGRATED, "opt-out field of the customer"),
    ("lead_app", DOCUMENTED, "handoff, structured JSON"),
    ("dialer", DOCUMENTED, "handoff, written reference"),
    ("list", DOCUMENTED, "tag or card of its leads, settings in the handoff"),
    ("recording", LEFT_OUT, "files stay at LeadDesk unless the settings say otherwise"),
    ("sensitive_value", LEFT_OUT, "national id, birth year, gender, bank details: never read into the store"),
    ("order", LEFT_OUT, "not readable; ids of orders stay in the source snapshot"),
    ("activity", LEFT_OUT, "states of agents over time are not readable"),
    ("omni_message", LEFT_OUT, "email, SMS and web chat of LeadDesk have no public read interface"),
];

/// What becomes of recordings where the settings say otherwise.
fn recordings(policy: RecordingPolicy) -> Option<(&'static str, &'static str)> {
    match policy {
        RecordingPolicy::None => None,
        RecordingPolicy::Link => {
            Some((DOCUMENTED, "their names, or links without a key, in the notes of calls"))
        }
        RecordingPolicy::Archive => Some((DOCUMENTED, "kept in the store, each with a row")),
        RecordingPolicy::Upload => Some((MIGRATED, "kept in the store, and attached to the notes of calls")),
    }
}

/// The scope of an account with these counts.
pub(super) fn rows(
    counts: &BTreeMap<String, u64>,
    has_calls: bool,
    policy: RecordingPolicy,
) -> Vec<ScopeRow> {
    let row = |(what, disposition, note): &(&str, &str, &str)| {
        let chosen = recordings(policy).filter(|_| *what == "recording");
        let (disposition, note) = chosen.as_ref().map_or((disposition, note), |(word, note)| (word, note));
        let unknown_calls = *what == "call" && !has_calls;
        ScopeRow {
            what: (*what).to_owned(),
            count: counts.get(*what).copied().filter(|_| !unknown_calls),
            disposition: (*disposition).to_owned(),
            note: if unknown_calls {
                "messages of tickets; without a call log only what the interfaces show".to_owned()
            } else {
                (*note).to_owned()
            },
        }
    };
    ROWS.iter().map(row).collect()
}
