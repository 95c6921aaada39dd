//! One page a campaign about its dialer: what it did, what of it can be rebuilt at Gorgias, and what cannot.
//!
//! Everything comes from `dialer.csv`, `lists.csv` and `results.csv`, since no interface shows it (facts: dialer
//! configuration). Deliberately absent: rules and macros as code; they depend on the account's own fields.

use std::collections::{BTreeMap, BTreeSet};

use migration::fields::DISPOSITION_LABEL;
use migration::text::clean_line;
use snapshot::tables::{SourceCampaign, SourceOutcome};

use super::Sheet;
use super::material::{Cells, Material};

/// Columns that have a place of their own on the page.
const KNOWN: [&str; 5] = ["campaign_id", "modes", "waiting_period", "wrap_up", "notes"];

/// What a calling mode does: part of its name, what it means, whether Gorgias has anything like it.
const MODES: &[(&str, &str)] = &[
    ("semi", "half automatic: the next contact is shown, and the call starts by itself a moment later"),
    ("predictive", "a robot calls several contacts at once and gives answered calls to free agents"),
    ("progressive", "the next contact is called by itself as soon as an agent is free"),
    ("power", "the next contact is called by itself as soon as an agent is free"),
    ("preview", "the agent sees the next contact first and starts the call"),
    ("manual", "the agent types or clicks the number"),
    ("list", "the agent picks contacts from the list"),
    ("selection", "the agent chooses whom to call within the campaign"),
    ("b2b", "the agent works through companies and picks contacts of them"),
];

/// One page for every campaign of the source, and for rows that name a campaign that is not there.
pub(super) fn sheets(material: &Material) -> Vec<Sheet> {
    let mut rows: BTreeMap<String, Vec<&Cells>> = BTreeMap::new();
    for row in &material.dialer {
        rows.entry(row.get("campaign_id").cloned().unwrap_or_default()).or_default().push(row);
    }
    let mut sheets = Vec::new();
    for campaign in &material.campaigns {
        let rows = rows.remove(&campaign.leaddesk_campaign_id).unwrap_or_default();
        let name = format!("dialer-{}.md", file_part(&campaign.leaddesk_campaign_id));
        let about =
            format!("dialer of campaign {}: settings, and what to rebuild", campaign.leaddesk_campaign_id);
        sheets.push(Sheet::text(name, about, page(material, campaign, &rows)));
    }
    let left: Vec<&Cells> = rows.into_values().flatten().collect();
    if !left.is_empty() {
        sheets.push(Sheet::text(
            "dialer-without-campaign.md",
            "rows of dialer.csv that name no campaign of the account",
            strangers(&left),
        ));
    }
    sheets
}

/// A campaign id as part of a file name; anything but letters, digits and dashes becomes a dash.
fn file_part(id: &str) -> String {
    id.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' }).collect()
}

fn strangers(rows: &[&Cells]) -> String {
    let mut out =
        "# Dialer settings without a campaign\n\nThese rows of dialer.csv name no campaign that the account \
                   lists. Nothing was rebuilt from them; correct the campaign id and start a new run.\n\n"
            .to_owned();
    for row in rows {
        let cells: Vec<String> =
            row.iter().map(|(name, value)| format!("{name}: {}", clean_line(value))).collect();
        line(&mut out, &format!("- {}", cells.join("; ")));
    }
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn section(out: &mut String, title: &str) {
    line(out, &format!("\n## {title}\n"));
}

fn page(material: &Material, campaign: &SourceCampaign, rows: &[&Cells]) -> String {
    let mut out = String::new();
    let name = clean_line(&campaign.campaign_name);
    line(&mut out, &format!("# Dialer of campaign {}: {name}\n", campaign.leaddesk_campaign_id));
    let mut facts = Vec::new();
    facts.extend(campaign.campaign_type.as_deref().map(|kind| format!("kind {}", clean_line(kind))));
    facts.extend(campaign.sponsor_name.as_deref().map(|name| format!("sponsor {}", clean_line(name))));
    facts.push(if campaign.is_disabled { "switched off" } else { "in use" }.to_owned());
    line(&mut out, &format!("At LeadDesk: {}.", facts.join(", ")));
    if rows.is_empty() {
        let why = if material.dialer.is_empty() {
            "No dialer.csv was supplied, and no interface of LeadDesk shows dialer settings"
        } else {
            "dialer.csv has no row for this campaign, and no interface of LeadDesk shows its settings"
        };
        line(&mut out, &format!("\n{why}. Look them up in the campaign editor before the account closes."));
    }
    modes(&mut out, rows);
    rounds(&mut out, material, campaign);
    setting(&mut out, rows, "waiting_period", "Waiting period", "before a contact is called again");
    setting(&mut out, rows, "wrap_up", "Wrap-up time", "for the agent after each call");
    outcomes(&mut out, material, campaign);
    notes(&mut out, rows);
    proposal(&mut out, material, campaign, rows);
    lost(&mut out);
    out
}

fn values<'r>(rows: &[&'r Cells], column: &str) -> Vec<&'r str> {
    rows.iter().filter_map(|row| row.get(column)).map(String::as_str).collect()
}

fn modes(out: &mut String, rows: &[&Cells]) {
    section(out, "Calling modes and pacing");
    let modes: BTreeSet<&str> = values(rows, "modes")
        .into_iter()
        .flat_map(|modes| modes.split(['|', ',', ';']))
        .map(str::trim)
        .filter(|mode| !mode.is_empty())
        .collect();
    if modes.is_empty() {
        line(out, "Not known: the operator's file names no mode for this campaign.");
    }
    for mode in modes {
        let folded = mode.to_lowercase();
        let known = MODES.iter().find(|(part, _)| folded.contains(part));
        let meaning = known.map_or("a mode of this account's own", |(_, meaning)| meaning);
        line(out, &format!("- **{}**: {meaning}.", clean_line(mode)));
    }
}

fn rounds(out: &mut String, material: &Material, campaign: &SourceCampaign) {
    section(out, "Rounds: how often a contact is called");
    let id = &campaign.leaddesk_campaign_id;
    let is_of =
        |ids: &Option<String>| ids.as_deref().is_some_and(|ids| ids.split(',').any(|other| other == id));
    let lists: Vec<_> = material.lists.iter().filter(|list| is_of(&list.campaign_ids)).collect();
    if lists.is_empty() {
        let why = if material.list_rows.is_empty() {
            "No lists.csv was supplied, so it is not known which lists this campaign dials and how often."
        } else {
            "lists.csv gives this campaign no list."
        };
        line(out, why);
        return;
    }
    line(out, "| list | name | rounds | expires | office |\n| --- | --- | --- | --- | --- |");
    for list in lists {
        let cell =
            |text: &Option<String>| text.as_deref().map_or_else(|| "not stated".to_owned(), table_cell);
        let row = [
            list.leaddesk_list_id.clone(),
            table_cell(&list.list_name),
            cell(&list.rounds_raw),
            cell(&list.expiry_raw),
            cell(&list.office_name),
        ];
        line(out, &format!("| {} |", row.join(" | ")));
    }
}

/// Text that stays inside its cell of a table.
pub(super) fn table_cell(text: &str) -> String {
    clean_line(text).replace('|', "\\|")
}

fn setting(out: &mut String, rows: &[&Cells], column: &str, title: &str, meaning: &str) {
    section(out, title);
    let values = values(rows, column);
    if values.is_empty() {
        line(out, "Not known: the operator's file does not state it for this campaign.");
    }
    for value in values {
        line(out, &format!("{} {meaning}.", clean_line(value)));
    }
}

/// Outcomes that can end calls of this campaign: its own and those of the whole account.
fn outcomes_of<'m>(material: &'m Material, campaign: &SourceCampaign) -> Vec<&'m SourceOutcome> {
    let id = &campaign.leaddesk_campaign_id;
    let is_of = |outcome: &&SourceOutcome| outcome.campaign_id.as_ref().is_none_or(|other| other == id);
    material.outcomes.iter().filter(is_of).collect()
}

fn outcomes(out: &mut String, material: &Material, campaign: &SourceCampaign) {
    section(out, "Retry rules");
    let outcomes = outcomes_of(material, campaign);
    let named = |wanted: Option<bool>| -> Vec<String> {
        let of = outcomes.iter().filter(|outcome| outcome.is_finalising == wanted);
        of.map(|outcome| clean_line(&outcome.outcome_name)).collect()
    };
    let (last, again, unknown) = (named(Some(true)), named(Some(false)), named(None));
    if outcomes.is_empty() {
        line(out, "Not known: neither results.csv nor a call names an outcome for this campaign.");
    }
    if !last.is_empty() {
        line(out, &format!("- A contact is not called again after: {}.", last.join(", ")));
    }
    if !again.is_empty() {
        line(
            out,
            &format!(
                "- A contact is called again, after the waiting period and while rounds are left, after: {}.",
                again.join(", ")
            ),
        );
    }
    if !unknown.is_empty() {
        line(out, &format!("- It is not stated whether these end a lead: {}.", unknown.join(", ")));
    }
}

fn notes(out: &mut String, rows: &[&Cells]) {
    section(out, "Notes of the operator");
    let mut is_empty = true;
    for row in rows {
        for (name, value) in row.iter().filter(|(name, _)| !KNOWN[..4].contains(&name.as_str())) {
            is_empty = false;
            // A note may have several lines; each stays a part of the quotation.
            let quoted: Vec<String> = value.lines().map(|text| format!("> {}", clean_line(text))).collect();
            line(out, &format!("{name}:\n\n{}\n", quoted.join("\n")));
        }
    }
    if is_empty {
        line(out, "None: the operator's file holds no note for this campaign.");
    }
}

fn proposal(out: &mut String, material: &Material, campaign: &SourceCampaign, rows: &[&Cells]) {
    section(out, "What to rebuild at Gorgias");
    let Some(tag) = material.tag_of(&campaign.leaddesk_campaign_id) else {
        line(
            out,
            "The mapping gives this campaign no tag, so neither a view nor a rule can tell its tickets apart. If the \
             campaign goes on, give its tickets a tag first; then a view over the tag, macros for its outcomes and a rule \
             that closes finished leads take the place of the dialer.",
        );
        return;
    };
    let outcomes = outcomes_of(material, campaign);
    let named = |ends: bool| -> Vec<String> {
        let of = outcomes.iter().filter(|outcome| outcome.is_finalising == Some(ends));
        of.map(|outcome| format!("`{}`", clean_line(&outcome.outcome_name))).collect()
    };
    let waiting = values(rows, "waiting_period").first().map(|text| clean_line(text));
    let pause = waiting.map_or_else(
        || {
            "for as long as the campaign waited between two calls, which the operator's file does not state"
                .to_owned()
        },
        |waiting| format!("for {waiting}, the waiting period of this campaign"),
    );
    line(
        out,
        &format!(
            "1. **View** \"{tag}: to call\": tag is `{tag}`, status is open, sorted by creation, oldest first. It takes the \
             place of the dialer's queue."
        ),
    );
    let again = match named(false) {
        names if names.is_empty() => "2. **Macro** \"No answer\"".to_owned(),
        names => format!("2. **Macro** for each of {}", names.join(", ")),
    };
    line(
        out,
        &format!(
            "{again}: sets the ticket field `{DISPOSITION_LABEL}` to the outcome and snoozes the ticket {pause}. When it \
             wakes up it is open again and back in the view."
        ),
    );
    line(
        out,
        &match named(true) {
            names if names.is_empty() => "3. **Rule** \"lead is finished\": no outcome of this campaign is known to end a \
                                          lead, so there is nothing to close by rule. Decide which outcomes do."
                .to_owned(),
            names => format!(
                "3. **Rule** \"lead is finished\": when a ticket is updated, its tag is `{tag}` and \
                 `{DISPOSITION_LABEL}` is one of {}, then set the status to closed.",
                names.join(", ")
            ),
        },
    );
    line(
        out,
        "4. **Macro** \"Call summary\": an internal note with the labels of the migrated calls (direction, duration, \
         outcome, comment), so that new calls look like the old ones.",
    );
}

fn lost(out: &mut String) {
    section(out, "What cannot be rebuilt");
    line(
        out,
        "- Dialing by itself and its pacing: Gorgias does not call out by itself. An agent starts each call.\n\
         - Counting rounds: a macro or rule cannot count attempts. The calls of a ticket show them.\n\
         - Wrap-up time, longest ringing time and answering-machine detection: Gorgias has no timer for them.\n\
         - Expiry of lists: close the tickets of a list by a view and a bulk action when its day comes.\n\
         - Checks against the blacklist before a call: customers carry the opt-out field, which nobody enforces for calls.",
    );
}
