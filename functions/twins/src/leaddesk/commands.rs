//! The reading commands that public documents or client code show.
//!
//! Deliberately absent: a list of calls and a list of agents; the visible API has neither (facts).

use serde::Serialize;

use crate::generate::{CallingList, Stamp, User};
use crate::leaddesk::answer::{Answer, CSV};
use crate::leaddesk::original::{Context, Refusal};
use crate::leaddesk::records::{CallDocument, ContactDocument};

#[derive(Serialize)]
struct ListItem<'a> {
    id: String,
    name: &'a str,
}

impl<'a> From<&'a CallingList> for ListItem<'a> {
    fn from(list: &'a CallingList) -> Self {
        Self { id: list.id.to_string(), name: &list.name }
    }
}

/// All lists at once, by id; there is no paging.
pub(crate) fn list_lists(context: &Context<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::json(&context.account.lists().map(ListItem::from).collect::<Vec<_>>()))
}

/// Fourteen columns, `;`, CRLF, no header row, quotes where needed.
pub(crate) fn export_list(context: &Context<'_>) -> Result<Answer, Refusal> {
    let id = required(context.number("id")?);
    let list = context.account.list(id).ok_or(Refusal::NotFound("calling_list"))?;
    let mut rows = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        // Planted rows are shorter than the others.
        .flexible(true)
        .from_writer(Vec::new());
    for row in context.account.export(list) {
        let columns = row.columns();
        // Writing to memory cannot fail, and lengths may differ.
        rows.write_record(columns.iter().map(|column| column.as_bytes()))
            .expect("a flexible writer over memory");
    }
    let body = rows.into_inner().expect("flushing memory cannot fail");
    Ok(Answer::new(200, CSV, body))
}

#[derive(Serialize)]
struct Found {
    success: bool,
    total_count: usize,
    contact_ids: Vec<u32>,
}

/// Contacts by exact number, exact names and list, all that are given together.
pub(crate) fn find_contacts(context: &Context<'_>) -> Result<Answer, Refusal> {
    let mut contact_ids = matching(context)?;
    let total_count = contact_ids.len();
    contact_ids.truncate(context.config.knobs.contact_ids_max.unwrap_or(total_count));
    Ok(Answer::json(&Found { success: true, total_count, contact_ids }))
}

#[derive(Serialize)]
struct Exists {
    success: bool,
    #[serde(rename = "match")]
    found: bool,
}

/// Whether a list holds a contact with the number and, if given, the names.
pub(crate) fn contact_exists(context: &Context<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::json(&Exists { success: true, found: !matching(context)?.is_empty() }))
}

fn matching(context: &Context<'_>) -> Result<Vec<u32>, Refusal> {
    let account = context.account;
    let list_id = context.number("contact_list_id")?;
    if list_id.is_some_and(|id| account.list(id).is_none()) {
        return Err(Refusal::NotFound("calling_list"));
    }
    let get = |name: &str| context.parameters.get(name);
    let (phone, fname, lname) = (get("phone"), get("fname"), get("lname"));
    let candidates: Box<dyn Iterator<Item = u32>> = match (phone, list_id) {
        (Some(phone), _) => Box::new(account.contacts_with_phone(phone).into_iter()),
        (None, Some(id)) => Box::new(account.contact_ids_of_list(id)),
        (None, None) => Box::new(account.contact_ids()),
    };
    let named = fname.is_some() || lname.is_some();
    let fits = |id: &u32| {
        let listed = phone.is_none() || list_id.is_none_or(|list| account.is_in_list(*id, list));
        listed
            && (!named
                || account.contact(*id).is_some_and(|contact| {
                    fname.is_none_or(|fname| contact.text.fname == fname)
                        && lname.is_none_or(|lname| contact.text.lname == lname)
                }))
    };
    Ok(candidates.filter(fits).collect())
}

#[derive(Serialize)]
struct Contact<'a> {
    success: bool,
    contact_id: u32,
    data: ContactDocument<'a>,
}

/// One contact with all its fields.
pub(crate) fn get_contact(context: &Context<'_>) -> Result<Answer, Refusal> {
    let contact_id = required(context.number("contact_id")?);
    let contact = context.account.contact(contact_id).ok_or(Refusal::NotFound("contact"))?;
    let last_call_at = |slot: u8| context.account.last_call_at(contact_id, slot);
    let numbers = contact.text.phones.iter().zip(0_u8..);
    let called: Vec<(&str, Option<Stamp>)> =
        numbers.map(|(phone, slot)| (phone.as_str(), last_call_at(slot))).collect();
    let data = ContactDocument {
        contact: &contact,
        numbers: &called,
        with_list: context.config.features.contact_list_id,
    };
    Ok(Answer::json(&Contact { success: true, contact_id, data }))
}

/// One call by id, or the latest call of a number.
pub(crate) fn get_call(context: &Context<'_>) -> Result<Answer, Refusal> {
    let phone = context.parameters.get("phone");
    let call_id = context.number("call_ref_id")?;
    let account = context.account;
    let call = match (call_id, phone) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("phone")),
        (Some(id), None) => account.call(id),
        (None, phone) => {
            let calls = account.calls_with_phone(phone.unwrap_or_default());
            calls.into_iter().filter_map(|id| account.call(id)).max_by_key(|call| (call.created_at, call.id))
        }
    };
    Ok(Answer::json(&CallDocument(&call.ok_or(Refusal::NotFound("call"))?)))
}

#[derive(Serialize)]
struct Agent<'a> {
    id: u32,
    name: &'a str,
}

impl<'a> From<&'a User> for Agent<'a> {
    fn from(user: &'a User) -> Self {
        Self { id: user.id, name: &user.name }
    }
}

/// One user by exact login name. Some accounts may answer `*` with all of them (extended).
pub(crate) fn find_agent(context: &Context<'_>) -> Result<Answer, Refusal> {
    let username = context.parameters.get("username").unwrap_or_default();
    if username == "*" && context.config.features.agent_wildcard {
        return Ok(Answer::json(&context.account.users().map(Agent::from).collect::<Vec<_>>()));
    }
    let user = context.account.users().find(|user| user.username == username);
    Ok(Answer::json(&Agent::from(user.ok_or(Refusal::NotFound("agent"))?)))
}

/// Seen in one client; what it answers is unknown, so there are none.
pub(crate) fn list_widgets(_: &Context<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::json(&serde_json::json!([])))
}

/// A parameter that the checks before have found to be there.
fn required(number: Option<u32>) -> u32 {
    number.expect("required parameters are checked before a command runs")
}
