//! One answer of `contact/get` as rows.
//!
//! The list, the owner and the times are not in the answer (facts: contact); they come from the list export.

use migration::leaddesk::Slot;
use migration::settings::MappingSettings;
use snapshot::tables::{SourceContact, SourceFieldValue};

use super::part::SourceReject;
use super::seen::{Seen, canonical_id, comparable_email, e164, joined, push_distinct};
use crate::source_json::SourceObject;

/// The answer speaks of another contact than the one asked for.
pub const OTHER_CONTACT: &str = "EXT306";
/// The answer has no data.
pub const NO_DATA: &str = "EXT305";

/// A contact and its filled slots.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactRows {
    /// The card.
    pub contact: SourceContact,
    /// One row a filled slot.
    pub values: Vec<SourceFieldValue>,
    /// Keys whose value is nested although it should be text.
    pub nested_keys: u64,
}

/// Reads an answer from which withheld values are already gone. `id` is the contact that was asked for.
///
/// # Errors
/// The contact as a reject.
pub fn parse(
    id: &str,
    answer: &str,
    settings: &MappingSettings,
    seen: &Seen,
) -> Result<ContactRows, SourceReject> {
    let reject = |code: &str, reason: String| SourceReject::record("contact", id, code, reason);
    let whole = SourceObject::parse(answer).map_err(|flaw| reject(flaw.code(), flaw.to_string()))?;
    let data = whole.object("data").map_err(|_| reject(NO_DATA, "the answer has no data".to_owned()))?;
    let stated = whole.text("contact_id").or_else(|| data.text("id"));
    if stated.is_some_and(|stated| canonical_id(&stated).as_deref() != Some(id)) {
        return Err(reject(OTHER_CONTACT, "the answer is about another contact".to_owned()));
    }
    let phone_raw = data.text("phone");
    let further = further_phones(&data, phone_raw.as_deref());
    let email_raw = data.text("email");
    let contact = SourceContact {
        leaddesk_contact_id: id.to_owned(),
        phone_e164: e164(phone_raw.as_deref(), settings),
        phone_raw,
        phones_joined: joined(&further),
        first_name: data.text("fname"),
        last_name: data.text("lname"),
        email_normalized: comparable_email(email_raw.as_deref()),
        email_raw,
        web_address: data.text("www"),
        street_address: data.text("address"),
        postcode: data.text("postcode"),
        city: data.text("city"),
        country: data.text("country"),
        job_title: data.text("title"),
        company_name: data.text("company"),
        company_registration: data.text("companyid"),
        vat_number: data.text("vatin"),
        comment: data.text("comment"),
        source_row_hash: String::new(),
        extracted_at: seen.at,
        source_page: seen.page.clone(),
        is_deleted: false,
        raw_json: answer.to_owned(),
    };
    let nested_keys = data.keys().filter(|key| *key != "phone_numbers" && data.is_nested(key)).count();
    Ok(ContactRows {
        values: slots(id, &data, seen),
        contact,
        nested_keys: u64::try_from(nested_keys).unwrap_or(0),
    })
}

/// Numbers besides the primary one; elements are texts or objects with `number` (facts: contact).
fn further_phones(data: &SourceObject<'_>, primary: Option<&str>) -> Vec<String> {
    let mut phones = Vec::new();
    for item in data.items("phone_numbers") {
        let number = match SourceObject::parse(item) {
            Ok(object) => object.text("number"),
            Err(_) => serde_json::from_str::<String>(item)
                .ok()
                .or_else(|| item.bytes().all(|byte| byte.is_ascii_digit()).then(|| item.to_owned())),
        };
        if let Some(number) = number.filter(|number| Some(number.as_str()) != primary) {
            push_distinct(&mut phones, number);
        }
    }
    phones
}

fn slots(id: &str, data: &SourceObject<'_>, seen: &Seen) -> Vec<SourceFieldValue> {
    (1..=Slot::COUNT)
        .filter_map(|number| {
            let value_raw = data.text(&format!("other{number}"))?;
            Some(SourceFieldValue {
                leaddesk_contact_id: id.to_owned(),
                slot_number: i32::from(number),
                value_raw,
                source_row_hash: String::new(),
                extracted_at: seen.at,
                source_page: seen.page.clone(),
                is_deleted: false,
                // The whole record is the contact's raw record.
                raw_json: "{}".to_owned(),
            })
        })
        .collect()
}
