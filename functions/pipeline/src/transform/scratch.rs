//! Tables that live in the scratch folder: they bring records together that the source keeps apart.
//!
//! A frame tells what a lead's ticket needs to know of its person; a routed call knows its ticket. Both are sorted by
//! ticket, so that tickets are made one after the other with one lead's calls in memory.

use jiff::Timestamp;
use migration::call_home::Home;
use migration::customer::Leftover;
use migration::leaddesk::{
    Call, ContactId, Direction, FetchedRecording, NotAnId, RecordingState, StoredSound,
};

snapshot::table! {
    /// Contacts of persons that have several, in the order of the person.
    pub struct ScratchMember = "ctl_scratch_member", Control, version 1 {
        /// Smallest contact id of the person.
        person_id: String => key indirect,
        /// The contact.
        contact_id: String => key indirect,
        /// The contact's row, as [`contact_json`](super::frames::contact_json) writes it.
        contact_json: String => free,
    }
}

snapshot::table! {
    /// What a ticket needs to know of its person.
    pub struct ScratchFrame = "ctl_scratch_frame", Control, version 1 {
        /// `lead`, or `person` for persons in no list.
        frame_kind: String => key category,
        /// List of the lead; empty for persons.
        list_id: String => key,
        /// Contact of the lead, or the contact that names the person.
        contact_id: String => key indirect,
        /// The customer.
        customer_external_id: String => indirect,
        /// The customer's name.
        customer_name: Option<String> => direct,
        /// What found no other home: contact, label, value, one after the other, as a JSON array of texts.
        leftovers_json: Option<String> => free,
    }
}

snapshot::table! {
    /// Calls in the order of their ticket.
    pub struct ScratchCall = "ctl_scratch_call", Control, version 1 {
        /// `lead`, `person`, `number` or `nobody`.
        home_kind: String => key category,
        /// List of the lead; else empty.
        list_id: String => key,
        /// Contact of the lead or of the person, the number, or empty.
        home_id: String => key direct,
        /// When the call was made.
        created_at: Timestamp => key indirect,
        /// The call.
        call_id: String => key indirect,
        /// Seconds.
        talk_seconds: Option<i32>,
        /// Handler.
        agent_id: Option<String> => category indirect,
        /// Login name of the handler.
        agent_username: Option<String> => category direct,
        /// Group.
        group_id: Option<String> => category,
        /// Its name.
        group_name: Option<String> => category,
        /// Number as received.
        number: Option<String> => direct,
        /// Campaign.
        campaign_id: Option<String> => category,
        /// Its name.
        campaign_name: Option<String> => category,
        /// Contact.
        contact_id: Option<String> => indirect,
        /// Outcome.
        outcome_id: Option<String> => category,
        /// Its name.
        outcome_name: Option<String> => category,
        /// Free text.
        comment: Option<String> => free,
        /// Recording.
        recording: Option<String> => indirect,
        /// What became of it.
        recording_state: Option<String> => category,
        /// Its kind of sound.
        content_type: Option<String> => category,
        /// Its size.
        size_bytes: Option<i64>,
        /// Its digest.
        sha256: Option<String>,
        /// Its object.
        store_key: Option<String> => indirect,
        /// `in` or `out`.
        direction: Option<String> => category,
        /// Kind of call.
        call_type: Option<String> => category,
    }
}

/// Kind of a frame of a lead, and of a home.
pub const LEAD: &str = "lead";
/// Kind of a frame of a person in no list, and of a home.
pub const PERSON: &str = "person";
/// Kind of a home that is a number.
pub const NUMBER: &str = "number";
/// Kind of the home of unknown callers.
pub const NOBODY: &str = "nobody";

/// A call on its way to its ticket.
#[must_use]
pub fn routed(call: Call, home: &Home) -> ScratchCall {
    let (home_kind, list_id, home_id) = match home {
        Home::Lead(lead) => (LEAD, lead.list.to_string(), lead.contact.to_string()),
        Home::PersonWithoutLead(contact) => (PERSON, String::new(), contact.to_string()),
        Home::Number(number) => (NUMBER, String::new(), number.clone()),
        Home::Nobody => (NOBODY, String::new(), String::new()),
    };
    let (state, sound) = call.fetched.map(|fetched| (fetched.state, fetched.sound)).unzip();
    let sound = sound.flatten();
    ScratchCall {
        home_kind: home_kind.to_owned(),
        list_id,
        home_id,
        created_at: call.created_at,
        call_id: call.id.to_string(),
        talk_seconds: call.talk_seconds,
        agent_id: call.agent.map(|id| id.to_string()),
        agent_username: call.agent_username,
        group_id: call.group.map(|id| id.to_string()),
        group_name: call.group_name,
        number: call.number,
        campaign_id: call.campaign.map(|id| id.to_string()),
        campaign_name: call.campaign_name,
        contact_id: call.contact.map(|id| id.to_string()),
        outcome_id: call.outcome.map(|id| id.to_string()),
        outcome_name: call.outcome_name,
        comment: call.comment,
        recording: call.recording,
        recording_state: state.map(|state| state.as_str().to_owned()),
        content_type: sound.as_ref().map(|sound| sound.content_type.clone()),
        size_bytes: sound.as_ref().and_then(|sound| i64::try_from(sound.bytes).ok()),
        sha256: sound.as_ref().map(|sound| sound.sha256.clone()),
        store_key: sound.map(|sound| sound.key),
        direction: call.direction.map(|direction| match direction {
            Direction::Inbound => "in".to_owned(),
            Direction::Outbound => "out".to_owned(),
        }),
        call_type: call.call_type,
    }
}

/// The call again.
///
/// # Errors
/// [`NotAnId`] when the scratch file was changed.
pub fn call(row: ScratchCall) -> Result<Call, NotAnId> {
    fn optional<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
        text?.parse().ok()
    }
    Ok(Call {
        id: row.call_id.parse()?,
        created_at: row.created_at,
        talk_seconds: row.talk_seconds,
        agent: optional(row.agent_id.as_deref()),
        agent_username: row.agent_username,
        group: optional(row.group_id.as_deref()),
        group_name: row.group_name,
        number: row.number,
        campaign: optional(row.campaign_id.as_deref()),
        campaign_name: row.campaign_name,
        contact: optional(row.contact_id.as_deref()),
        outcome: optional(row.outcome_id.as_deref()),
        outcome_name: row.outcome_name,
        comment: row.comment,
        recording: row.recording,
        fetched: row.recording_state.as_deref().and_then(RecordingState::from_word).map(|state| {
            FetchedRecording {
                state,
                sound: sound(row.content_type, row.size_bytes, row.sha256, row.store_key),
            }
        }),
        direction: super::records::direction(row.direction.as_deref()),
        call_type: row.call_type,
    })
}

fn sound(
    content_type: Option<String>,
    bytes: Option<i64>,
    sha256: Option<String>,
    key: Option<String>,
) -> Option<StoredSound> {
    let bytes = u64::try_from(bytes?).ok()?;
    Some(StoredSound { content_type: content_type?, bytes, sha256: sha256?, key: key? })
}

/// Leftovers as one text; `None` without any.
#[must_use]
pub fn leftovers_json<'l>(leftovers: impl IntoIterator<Item = &'l Leftover>) -> Option<String> {
    let texts: Vec<String> = leftovers
        .into_iter()
        .flat_map(|leftover| [leftover.contact.to_string(), leftover.label.clone(), leftover.value.clone()])
        .collect();
    if texts.is_empty() { None } else { serde_json::to_string(&texts).ok() }
}

/// The leftovers again; what is no leftover is passed over.
#[must_use]
pub fn leftovers(json: Option<&str>) -> Vec<Leftover> {
    let texts: Vec<String> = json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    texts
        .chunks_exact(3)
        .filter_map(|triple| {
            let contact: ContactId = triple[0].parse().ok()?;
            Some(Leftover { contact, label: triple[1].clone(), value: triple[2].clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use migration::leaddesk::{CallId, LeadId, ListId};

    use super::*;

    #[test]
    fn calls_survive_their_way() {
        let bare = Call {
            id: CallId(7),
            created_at: Timestamp::UNIX_EPOCH,
            talk_seconds: Some(-3),
            agent: None,
            agent_username: Some("agent1".into()),
            group: None,
            group_name: None,
            number: Some("+358000000001".into()),
            campaign: None,
            campaign_name: None,
            contact: Some(ContactId(12)),
            outcome: None,
            outcome_name: Some("Busy".into()),
            comment: Some("a\nb".into()),
            recording: Some("a.mp3".into()),
            fetched: Some(FetchedRecording {
                state: RecordingState::Archived,
                sound: Some(StoredSound {
                    content_type: "audio/mpeg".into(),
                    bytes: 7,
                    sha256: "ab".into(),
                    key: "recordings/v1/call=7/ab.mp3".into(),
                }),
            }),
            direction: Some(Direction::Inbound),
            call_type: None,
        };
        let homes = [
            Home::Lead(LeadId { list: ListId(1), contact: ContactId(12) }),
            Home::PersonWithoutLead(ContactId(12)),
            Home::Number("+358000000001".into()),
            Home::Nobody,
        ];
        for home in homes {
            assert_eq!(call(routed(bare.clone(), &home)), Ok(bare.clone()));
        }
    }

    #[test]
    fn leftovers_survive_their_way() {
        let left = vec![
            Leftover { contact: ContactId(1), label: "City".into(), value: "Espoo, \"x\"".into() },
            Leftover { contact: ContactId(2), label: "Name".into(), value: "A\nB".into() },
        ];
        assert_eq!(leftovers(leftovers_json(&left).as_deref()), left);
        assert_eq!(leftovers_json(&[]), None);
        assert!(leftovers(Some("[1,2]")).is_empty());
    }
}
