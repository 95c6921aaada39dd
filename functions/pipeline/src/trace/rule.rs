//! Which columns of the source a field of Gorgias was made of, and by which rule. Pure.
//!
//! Custom fields are told by the confirmed mapping; every other field has one rule for all accounts, which stands here in
//! words. Deliberately absent: the rules themselves (see `migration`).

use migration::fields::{ContactField, FieldSource, PlannedField};
use migration::mapping::{ConfirmedMapping, Decision, MappingRow};

/// Why a field holds what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The rule in words.
    pub words: String,
    /// The row of the mapping that a person approved, where the field has one.
    pub row: Option<String>,
    /// Columns of the source that go into it; a slot is `slot 7`.
    pub(super) columns: Vec<String>,
}

/// Kind of record at Gorgias, kind of record at LeadDesk, field without what stands in brackets, columns, words.
type Line = (&'static str, &'static str, &'static str, &'static [&'static str], &'static str);

const NAMES: &[&str] = &["first_name", "last_name"];
const NUMBERS: &[&str] = &["phone_raw", "phones_joined"];
const CALL: &[&str] = &[
    "direction",
    "number_raw",
    "created_at_raw",
    "talk_seconds",
    "outcome_name",
    "agent_username",
    "campaign_name",
    "comment",
];

const LINES: &[Line] = &[
    (
        "customer",
        "",
        "external_id",
        &["leaddesk_contact_id"],
        "the smallest contact id of the person names the customer",
    ),
    ("customer", "", "name", NAMES, "first and last name, joined"),
    ("customer", "", "first_name", NAMES, "Gorgias splits the name by itself"),
    ("customer", "", "last_name", NAMES, "Gorgias splits the name by itself"),
    ("customer", "", "email", &["email_raw"], "trimmed, in lower case, when it is a valid address"),
    ("customer", "", "channel[email", &["email_raw"], "trimmed, in lower case, when it is a valid address"),
    (
        "customer",
        "",
        "channel[phone",
        NUMBERS,
        "in international form, when it is a valid number that nobody else holds",
    ),
    ("customer", "", "language", &[], "the account's language, where the settings name one"),
    ("customer", "", "timezone", &[], "the zone of the settings"),
    ("ticket", "lead", "external_id", &["leaddesk_lead_id"], "list and contact name the ticket"),
    ("ticket", "lead", "subject", &["list_name"], "the list, and the name of the contact"),
    (
        "ticket",
        "lead",
        "status",
        &["is_finished", "lead_status"],
        "finished leads are closed, as [mapping] says of the others",
    ),
    (
        "ticket",
        "lead",
        "customer",
        &["leaddesk_contact_id"],
        "the customer of the contact, or of the person that it is part of",
    ),
    (
        "ticket",
        "lead",
        "assignee_user",
        &["last_agent_name"],
        "the user matched to the agent of the last call",
    ),
    ("ticket", "lead", "assignee_team", &["last_agent_name"], "the team of that agent's office or group"),
    (
        "ticket",
        "lead",
        "created_at",
        &["last_call_at_raw", "contact_updated_at_raw"],
        "the earliest evidence: a call, else the contact's last change",
    ),
    ("ticket", "lead", "closed_at", &["last_call_at_raw"], "the latest evidence, when the ticket is closed"),
    ("ticket", "lead", "last_message_at", &["last_call_at_raw"], "the moment of the last message"),
    (
        "ticket",
        "lead",
        "tag",
        &["last_campaign_name", "list_name"],
        "campaigns, sponsors and lists become tags, as the mapping says",
    ),
    (
        "ticket",
        "lead",
        "value:disposition",
        &["last_result_name"],
        "the outcome of the lead's latest call, as name and id",
    ),
    (
        "ticket",
        "lead",
        "value:lead_status",
        &["lead_status_raw"],
        "the state of the lead, in LeadDesk's words",
    ),
    ("ticket", "conversation", "external_id", &["conversation_id"], "the conversation names the ticket"),
    (
        "ticket",
        "conversation",
        "subject",
        &["last_intent"],
        "the intent that the bot saw last, else the kind of ticket",
    ),
    ("ticket", "conversation", "status", &["outcome"], "conversations of the past are closed"),
    (
        "ticket",
        "conversation",
        "customer",
        &["customer_email_raw", "customer_phone_raw"],
        "the customer with this address or number, else a visitor",
    ),
    (
        "ticket",
        "conversation",
        "assignee_user",
        &["transferred_to", "agent_usernames"],
        "the matched user who took over",
    ),
    (
        "ticket",
        "conversation",
        "created_at",
        &["started_at"],
        "begin of the conversation, else its first message",
    ),
    ("ticket", "conversation", "closed_at", &["ended_at"], "end of the conversation, else its last message"),
    ("ticket", "conversation", "last_message_at", &["ended_at"], "the moment of the last message"),
    ("message", "call", "external_id", &["leaddesk_call_id"], "the call names the message"),
    ("message", "call", "body_text", CALL, "what is known of the call, line by line"),
    ("message", "call", "body_html", CALL, "what is known of the call, line by line"),
    ("message", "call", "sent_at", &["created_at_raw"], "the time of the call, read in the account's zone"),
    (
        "message",
        "call",
        "created_at",
        &["created_at_raw"],
        "the time of the call, read in the account's zone",
    ),
    (
        "message",
        "call",
        "sender",
        &["agent_username"],
        "the user matched to the agent, else the service user",
    ),
    (
        "message",
        "chat_message",
        "body_text",
        &["body_raw", "intent", "feedback"],
        "the text, without unsafe HTML",
    ),
    (
        "message",
        "chat_message",
        "body_html",
        &["body_raw", "intent", "feedback"],
        "the text, without unsafe HTML",
    ),
    ("message", "chat_message", "sent_at", &["sent_at"], "the time of the message"),
    ("message", "chat_message", "created_at", &["sent_at"], "the time of the message"),
    (
        "message",
        "chat_message",
        "sender",
        &["sender", "sender_name"],
        "the customer, a matched user, else the service user",
    ),
];

/// Fields that the migration sets the same everywhere.
const FIXED: &str = "set by the migration, the same for every record of this kind";

/// The rule of a field that is no custom field.
pub(super) fn plain(kind: &str, object: &str, field: &str) -> Rule {
    let fits = |line: &&Line| {
        line.0 == kind
            && (line.1.is_empty() || line.1 == object)
            && (field == line.2
                || field
                    .strip_prefix(line.2)
                    .is_some_and(|rest| rest.starts_with('[') || rest.starts_with(' ')))
    };
    match LINES.iter().find(fits) {
        Some((.., columns, words)) => {
            let columns = columns.iter().map(|column| (*column).to_owned()).collect();
            Rule { words: (*words).to_owned(), row: None, columns }
        }
        None => Rule { words: FIXED.to_owned(), row: None, columns: Vec::new() },
    }
}

/// The rule of a custom field, by the mapping.
pub(super) fn custom(mapping: &ConfirmedMapping, planned: &PlannedField) -> Rule {
    let row = row_of(mapping, planned);
    let (mut columns, mut words) = (Vec::new(), planned.reason.clone());
    match planned.source {
        FieldSource::Slot(key) => columns.push(format!("slot {}", key.slot.number())),
        FieldSource::Contact(field) => columns.extend(contact_column(field).map(str::to_owned)),
        FieldSource::RawPhone => columns.extend(NUMBERS.iter().map(|name| (*name).to_owned())),
        FieldSource::Disposition => {
            let rule = plain("ticket", "lead", "value:disposition");
            (columns, words) = (rule.columns, rule.words);
        }
        FieldSource::LeadStatus => {
            let rule = plain("ticket", "lead", "value:lead_status");
            (columns, words) = (rule.columns, rule.words);
        }
        FieldSource::EmailOptOut => {
            "set for numbers on the blacklist, and for contacts whose consent field says so"
                .clone_into(&mut words);
        }
    }
    Rule { words, row: row.map(told), columns }
}

fn row_of<'m>(mapping: &'m ConfirmedMapping, planned: &PlannedField) -> Option<&'m MappingRow> {
    let wanted = match planned.source {
        FieldSource::Slot(key) => key.to_string(),
        FieldSource::Contact(field) => field.as_str().to_owned(),
        _ => return None,
    };
    mapping.parts().rows.iter().find(|row| row.id.source_id == wanted)
}

fn told(row: &MappingRow) -> String {
    let decision = match &row.decision {
        Decision::Carry(rationale) => format!("carried as {}: {}", row.target, rationale.reason),
        Decision::Leave(objection) => format!("left out, {}: {}", objection.code, objection.reason),
        Decision::Conflict { leave, .. } => format!("open, {}: {}", leave.code, leave.reason),
    };
    format!("{} {}", row.id, decision)
}

fn contact_column(field: ContactField) -> Option<&'static str> {
    Some(match field {
        ContactField::FirstName => "first_name",
        ContactField::LastName => "last_name",
        ContactField::Email => "email_raw",
        ContactField::Phone => "phone_raw",
        ContactField::Title => "job_title",
        ContactField::Company => "company_name",
        ContactField::CompanyRegistration => "company_registration",
        ContactField::VatNumber => "vat_number",
        ContactField::Address => "street_address",
        ContactField::Postcode => "postcode",
        ContactField::City => "city",
        ContactField::Country => "country",
        ContactField::Web => "web_address",
        ContactField::Comment => "comment",
        // No column holds them.
        ContactField::NationalId | ContactField::BirthYear | ContactField::Gender => return None,
    })
}
