//! How records look on the wire, key by key: lists, persons, teams, tags, custom fields.
//!
//! Null and absent keys differ and are kept apart (facts: shapes of live recordings). Deliberately absent: tickets
//! and messages; see `ticket_shapes`.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::clock::Instant;
use super::model::{Customer, Field, ObjectType, Tag, Team, User, Values, split_name};
use super::query::Slice;
use super::route::Call;
use super::state::State;

/// The list envelope (facts: pagination).
#[derive(Debug, Serialize)]
pub(crate) struct ListShape<'a, T> {
    object: &'static str,
    uri: String,
    data: Vec<T>,
    meta: MetaShape<'a>,
}

#[derive(Debug, Serialize)]
struct MetaShape<'a> {
    prev_cursor: &'a Option<String>,
    next_cursor: &'a Option<String>,
    /// Present and null on some lists, absent on others.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_resources: Option<Value>,
}

/// A page of rows; `total` adds the key `total_resources`, which is always null.
pub(crate) fn list<'a, T>(call: &Call, slice: &'a Slice, rows: Vec<T>, total: bool) -> ListShape<'a, T> {
    ListShape {
        object: "list",
        uri: call.uri(),
        data: rows,
        meta: MetaShape {
            prev_cursor: &slice.prev_cursor,
            next_cursor: &slice.next_cursor,
            total_resources: total.then_some(Value::Null),
        },
    }
}

/// The short form of a user or customer, as senders and list items show it.
pub(crate) struct PersonShape<'a> {
    pub(crate) state: &'a State,
    pub(crate) id: u64,
}

impl Serialize for PersonShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(customer) = self.state.customers.get(self.id) {
            let mut map = serializer.serialize_map(None)?;
            person_keys(&mut map, customer.id, customer.email.as_deref(), customer.name.as_deref())?;
            map.serialize_entry("meta", &name_meta(customer))?;
            return map.end();
        }
        if let Some(user) = self.state.users.get(&self.id) {
            let mut map = serializer.serialize_map(None)?;
            person_keys(&mut map, user.id, Some(&user.email), Some(&user.name))?;
            map.serialize_entry("meta", &user_meta(user))?;
            return map.end();
        }
        self.state.departed.get(&self.id).serialize(serializer)
    }
}

/// The short form of a person as a value, kept when the person goes.
pub(crate) fn person_snapshot(state: &State, id: u64) -> Value {
    serde_json::to_value(PersonShape { state, id }).expect("persons are maps with text keys")
}

fn person_keys<M: SerializeMap>(
    map: &mut M,
    id: u64,
    email: Option<&str>,
    name: Option<&str>,
) -> Result<(), M::Error> {
    let (first, last) = split_name(name.unwrap_or_default());
    map.serialize_entry("id", &id)?;
    map.serialize_entry("email", &email)?;
    map.serialize_entry("name", &name)?;
    map.serialize_entry("firstname", first)?;
    map.serialize_entry("lastname", last)
}

fn name_meta(customer: &Customer) -> Option<Value> {
    customer.name_set_via.map(|via| json!({ "name_set_via": via }))
}

fn user_meta(user: &User) -> Value {
    json!({ "sso": user.sso, "profile_picture_url": user.picture })
}

/// An agent.
pub(crate) struct UserShape<'a> {
    pub(crate) user: &'a User,
    pub(crate) domain: &'a str,
}

impl Serialize for UserShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let user = self.user;
        let mut map = serializer.serialize_map(None)?;
        person_keys(&mut map, user.id, Some(&user.email), Some(&user.name))?;
        map.serialize_entry("active", &true)?;
        map.serialize_entry("bio", &user.bio)?;
        map.serialize_entry("created_datetime", &user.created)?;
        map.serialize_entry("country", &user.country)?;
        map.serialize_entry("deactivated_datetime", &None::<Instant>)?;
        map.serialize_entry("external_id", &user.external_id)?;
        map.serialize_entry("has_password", &user.owner)?;
        map.serialize_entry("has_2fa_enabled", &false)?;
        map.serialize_entry("language", &user.language)?;
        map.serialize_entry("meta", &user_meta(user))?;
        map.serialize_entry("role", &json!({ "name": user.role }))?;
        map.serialize_entry("timezone", &user.timezone)?;
        map.serialize_entry("updated_datetime", &user.updated)?;
        map.serialize_entry("client_id", &None::<String>)?;
        // Absolute, unlike all other addresses (facts: users).
        map.serialize_entry("uri", &format!("https://{}.gorgias.com/api/users/{}/", self.domain, user.id))?;
        map.end()
    }
}

/// Where a customer is shown, which decides its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CustomerView {
    /// Answer to a create or an update.
    Written,
    /// Answer to a read of one.
    Single,
    ListItem,
    /// Inside a ticket.
    OfTicket,
}

/// A customer.
pub(crate) struct CustomerShape<'a> {
    pub(crate) customer: &'a Customer,
    pub(crate) view: CustomerView,
}

impl Serialize for CustomerShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let customer = self.customer;
        let of_ticket = self.view == CustomerView::OfTicket;
        let mut map = serializer.serialize_map(None)?;
        person_keys(&mut map, customer.id, customer.email.as_deref(), customer.name.as_deref())?;
        map.serialize_entry("external_id", &customer.external_id)?;
        map.serialize_entry("meta", &name_meta(customer))?;
        map.serialize_entry("data", &customer.custom.as_ref().map(|data| &data.value))?;
        map.serialize_entry("note", &customer.note)?;
        if !of_ticket {
            map.serialize_entry("active", &true)?;
            map.serialize_entry("language", &customer.language)?;
            map.serialize_entry("timezone", &customer.timezone)?;
            map.serialize_entry("created_datetime", &customer.created)?;
            map.serialize_entry("updated_datetime", &customer.updated)?;
            map.serialize_entry("custom_fields", &ValuesShape(&customer.values))?;
        }
        if self.view != CustomerView::ListItem {
            map.serialize_entry("channels", &ChannelsShape(customer))?;
            map.serialize_entry("customer", &None::<Value>)?;
            map.serialize_entry("integrations", &json!({}))?;
        }
        if self.view == CustomerView::Single {
            map.serialize_entry("external_data", &json!({}))?;
            map.serialize_entry("ecommerce_data", &json!({}))?;
        }
        map.end()
    }
}

struct ChannelsShape<'a>(&'a Customer);

impl Serialize for ChannelsShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Holder<'a> {
            id: u64,
            name: &'a Option<Box<str>>,
        }
        #[derive(Serialize)]
        struct ChannelShape<'a> {
            id: u64,
            r#type: &'a str,
            address: &'a str,
            preferred: bool,
            created_datetime: Instant,
            updated_datetime: Instant,
            deleted_datetime: Option<Instant>,
            user: Holder<'a>,
            customer: Holder<'a>,
        }
        let holder = || Holder { id: self.0.id, name: &self.0.name };
        let mut rows = serializer.serialize_seq(Some(self.0.channels.len()))?;
        for channel in &self.0.channels {
            rows.serialize_element(&ChannelShape {
                id: channel.id,
                r#type: &channel.kind,
                address: &channel.address,
                preferred: channel.preferred,
                created_datetime: channel.created,
                updated_datetime: channel.updated,
                deleted_datetime: None,
                user: holder(),
                customer: holder(),
            })?;
        }
        rows.end()
    }
}

/// Custom values as a map from the id in text (facts: tickets, customers).
pub(crate) struct ValuesShape<'a>(pub(crate) &'a Values);

impl Serialize for ValuesShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct ValueShape<'a> {
            id: u64,
            value: &'a Value,
        }
        serializer
            .collect_map(self.0.iter().map(|(id, value)| (id.to_string(), ValueShape { id: *id, value })))
    }
}

/// Custom values as a list with their definitions.
pub(crate) struct ValueListShape<'a> {
    pub(crate) state: &'a State,
    pub(crate) values: &'a Values,
}

impl Serialize for ValueListShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = self.values.iter().filter_map(|(id, value)| Some((self.state.fields.get(id)?, value)));
        serializer.collect_seq(known.map(|(field, value)| FieldValueShape { field, value }))
    }
}

/// One custom value with its definition; ticket values carry a prediction as well.
pub(crate) struct FieldValueShape<'a> {
    pub(crate) field: &'a Field,
    pub(crate) value: &'a Value,
}

impl Serialize for FieldValueShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("field", &FieldShape(self.field))?;
        if self.field.object == ObjectType::Ticket {
            map.serialize_entry("prediction", &None::<Value>)?;
        }
        map.serialize_entry("value", self.value)?;
        map.end()
    }
}

/// The definition of a custom field.
pub(crate) struct FieldShape<'a>(pub(crate) &'a Field);

impl Serialize for FieldShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let field = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &field.id)?;
        map.serialize_entry("external_id", &field.external_id)?;
        map.serialize_entry("object_type", field.object.name())?;
        map.serialize_entry("label", &field.label)?;
        map.serialize_entry("description", &field.description)?;
        map.serialize_entry("priority", &field.priority)?;
        map.serialize_entry("required", &field.required)?;
        // Definitions of customer fields do not have this key (facts: shapes).
        if field.object == ObjectType::Ticket {
            map.serialize_entry("requirement_type", field.requirement)?;
        }
        map.serialize_entry("managed_type", &field.managed)?;
        map.serialize_entry("definition", &field.definition)?;
        map.serialize_entry("created_datetime", &field.created)?;
        map.serialize_entry("updated_datetime", &field.updated)?;
        map.serialize_entry("deactivated_datetime", &field.deactivated)?;
        map.end()
    }
}

/// A team; its decoration is an empty map, never null (facts: pitfalls).
pub(crate) struct TeamShape<'a> {
    pub(crate) state: &'a State,
    pub(crate) team: &'a Team,
}

impl Serialize for TeamShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let team = self.team;
        let members: Vec<Value> = team
            .members
            .iter()
            .filter_map(|id| self.state.users.get(id))
            .map(|user| json!({ "id": user.id, "name": user.name, "email": user.email, "meta": user_meta(user) }))
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &team.id)?;
        map.serialize_entry("uri", &format!("/api/teams/{}/", team.id))?;
        map.serialize_entry("name", &team.name)?;
        map.serialize_entry("description", &team.description)?;
        map.serialize_entry("decoration", &decoration(team))?;
        map.serialize_entry("members", &members)?;
        map.serialize_entry("created_datetime", &team.created)?;
        map.end()
    }
}

/// A team's decoration as tickets show it too.
pub(crate) fn decoration(team: &Team) -> Value {
    team.emoji.as_ref().map_or_else(|| json!({}), |emoji| json!({ "emoji": emoji }))
}

/// A tag.
pub(crate) struct TagShape<'a>(pub(crate) &'a Tag);

impl Serialize for TagShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tag = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &tag.id)?;
        map.serialize_entry("decoration", &json!({ "color": tag.color }))?;
        map.serialize_entry("description", &tag.description)?;
        map.serialize_entry("name", &tag.name)?;
        map.serialize_entry("usage", &tag.usage)?;
        map.serialize_entry("uri", &format!("/api/tags/{}/", tag.id))?;
        map.serialize_entry("created_datetime", &tag.created)?;
        map.serialize_entry("deleted_datetime", &None::<Instant>)?;
        map.end()
    }
}
