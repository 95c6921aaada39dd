//! Contacts and calls as JSON, with LeadDesk's habits: empty values in three spellings, numbers as text in calls.
//!
//! Deliberately absent: anything that only lists know, such as a contact's update time (facts: not visible in `data`).

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::generate::{CALL_FIELDS, Call, Contact, Stamp};

const OTHERS: [&str; 35] = [
    "other1", "other2", "other3", "other4", "other5", "other6", "other7", "other8", "other9", "other10",
    "other11", "other12", "other13", "other14", "other15", "other16", "other17", "other18", "other19",
    "other20", "other21", "other22", "other23", "other24", "other25", "other26", "other27", "other28",
    "other29", "other30", "other31", "other32", "other33", "other34", "other35",
];

/// A call object: all scalars are text, order ids are numbers.
pub(crate) struct CallDocument<'a>(pub(crate) &'a Call);

impl Serialize for CallDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(CALL_FIELDS.len()))?;
        for (name, value) in CALL_FIELDS.iter().zip(self.0.cells()) {
            map.serialize_entry(name, &value)?;
        }
        map.serialize_entry(CALL_FIELDS[CALL_FIELDS.len() - 1], &self.0.order_ids)?;
        map.end()
    }
}

/// The `data` of a contact: every documented field is there, filled or not.
pub(crate) struct ContactDocument<'a> {
    pub(crate) contact: &'a Contact,
    /// Numbers and when each was last called, the primary one first.
    pub(crate) numbers: &'a [(&'a str, Option<Stamp>)],
    pub(crate) with_list: bool,
}

impl ContactDocument<'_> {
    /// Which spelling of nothing the `place`-th field of this contact uses; the mix is on purpose and always the same.
    fn nothing(&self, place: usize) -> Nothing {
        match (self.contact.id as usize + place * 7) % 3 {
            0 => Nothing::Null,
            1 => Nothing::Text,
            _ => Nothing::List,
        }
    }
}

/// The spellings of an absent value (facts: empty values arrive in a mix).
#[derive(Clone, Copy)]
enum Nothing {
    Null,
    Text,
    List,
}

impl Serialize for Nothing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Text => serializer.serialize_str(""),
            Self::List => serializer.serialize_seq(Some(0))?.end(),
        }
    }
}

impl Serialize for ContactDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = &self.contact.text;
        let primary = self.numbers.first().map_or("", |(number, _)| *number);
        let fields: [(&str, &str); 16] = [
            ("phone", primary),
            ("fname", &text.fname),
            ("lname", &text.lname),
            ("email", &text.email),
            ("www", &text.www),
            ("address", &text.address),
            ("postcode", &text.postcode),
            ("city", &text.city),
            ("country", &text.country),
            ("ssc", &text.ssc),
            ("birthyear", &text.birthyear),
            ("gender", &text.gender),
            ("title", &text.title),
            ("company", &text.company),
            ("vatin", &text.vatin),
            ("comment", &text.comment),
        ];
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.contact.id)?;
        for (place, (name, value)) in fields.into_iter().enumerate() {
            match value {
                "" => map.serialize_entry(name, &self.nothing(place))?,
                value => map.serialize_entry(name, value)?,
            }
        }
        match text.companyid.parse::<u64>() {
            Ok(number) => map.serialize_entry("companyid", &number)?,
            Err(_) => map.serialize_entry("companyid", &self.nothing(16))?,
        }
        match self.numbers.get(1..) {
            None | Some([]) => map.serialize_entry("phone_numbers", &self.nothing(17))?,
            Some(further) => map.serialize_entry("phone_numbers", &Numbers(further, self.contact.id))?,
        }
        let mut filled = text.others.iter().peekable();
        for (place, name) in OTHERS.iter().enumerate() {
            match filled.next_if(|(slot, _)| usize::from(*slot) == place + 1) {
                Some((_, value)) => map.serialize_entry(name, value)?,
                None => map.serialize_entry(name, &self.nothing(18 + place))?,
            }
        }
        if self.with_list {
            map.serialize_entry("contact_list_id", &self.contact.list_ids.first())?;
        }
        map.end()
    }
}

/// Further numbers. Their shape is unknown (facts): objects for most contacts, plain text for every seventh.
struct Numbers<'a>(&'a [(&'a str, Option<Stamp>)], u32);

impl Serialize for Numbers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
        for (number, last_call_at) in self.0 {
            if self.1.is_multiple_of(7) {
                sequence.serialize_element(number)?;
            } else {
                sequence.serialize_element(&Number {
                    number,
                    kind: "mobile",
                    last_call_at: *last_call_at,
                })?;
            }
        }
        sequence.end()
    }
}

#[derive(serde::Serialize)]
struct Number<'a> {
    number: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    last_call_at: Option<Stamp>,
}
