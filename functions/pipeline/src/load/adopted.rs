//! Customers that were there before us and carry our records now: how they were.
//!
//! `plan` finds most of them by email in the baseline and seals their details there. Those that show up only when a
//! creation meets a conflict are kept one by one, before anything of them is changed.

use std::collections::BTreeMap;

use migration::gorgias::{CustomerId, FieldId};
use migration::keys::ExternalId;
use serde::{Deserialize, Serialize};
use snapshot::Pass;
use snapshot::tables::{FoundCustomer, FoundCustomerChannel, FoundCustomerValue};

use super::LoadError;
use super::drafts::field_value;
use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::ledger::key::sha256_hex;
use crate::ports::gorgias::{Customer, FoundChannel, FoundValue, Raw};
use crate::run_folder;

/// Which of our customers is which of theirs. Written once, by plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub(crate) enum StoredAdoptions {
    /// External id to customer id.
    #[serde(rename = "1")]
    V1 { customers: BTreeMap<String, u64> },
}

/// A customer that was found to be there during the load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredLate {
    #[serde(rename = "1")]
    V1 {
        external_id: String,
        customer_id: u64,
        held_external_id: Option<String>,
        name: Option<String>,
        email: Option<String>,
        language: Option<String>,
        timezone: Option<String>,
        channels: Vec<(String, String, bool)>,
        values: Vec<(u64, serde_json::Value)>,
        raw_json: String,
    },
}

/// Adopted customers as they were before, by our key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Adoptions {
    found: BTreeMap<ExternalId, Customer>,
}

impl Adoptions {
    /// The customer as it was.
    pub(crate) fn of(&self, id: &ExternalId) -> Option<&Customer> {
        self.found.get(id)
    }
}

/// Reads what plan sealed and what the load kept.
pub(crate) async fn read(ctx: &Context) -> Result<Adoptions, LoadError> {
    let mut adoptions = Adoptions::default();
    let planned: Option<StoredAdoptions> = run_folder::get(ctx, &ctx.run_key("adoptions.json")?).await?;
    if let Some(StoredAdoptions::V1 { customers }) = planned
        && !customers.is_empty()
    {
        adoptions.found = from_baseline(ctx, customers).await?;
    }
    for key in ctx.store.list(&ctx.run_key("adopted")?).await? {
        let (id, customer) = late(run_folder::need(ctx, &key).await?);
        adoptions.found.insert(id, customer);
    }
    Ok(adoptions)
}

async fn from_baseline(
    ctx: &Context,
    planned: BTreeMap<String, u64>,
) -> Result<BTreeMap<ExternalId, Customer>, LoadError> {
    let keys: BTreeMap<String, String> =
        planned.into_iter().map(|(external_id, id)| (id.to_string(), external_id)).collect();
    let mut found: BTreeMap<String, Customer> = BTreeMap::new();
    for row in archive::open::<FoundCustomer>(ctx, &ctx.run, Pass::Before).await? {
        let row = row.map_err(ArchiveError::from)?;
        if let Some(id) =
            row.gorgias_customer_id.parse().ok().filter(|_| keys.contains_key(&row.gorgias_customer_id))
        {
            found.insert(row.gorgias_customer_id.clone(), of_row(CustomerId(id), row));
        }
    }
    for row in archive::open::<FoundCustomerChannel>(ctx, &ctx.run, Pass::Before).await? {
        let row = row.map_err(ArchiveError::from)?;
        let channels =
            found.get_mut(&row.gorgias_customer_id).and_then(|customer| customer.channels.as_mut());
        if let Some(channels) = channels {
            let (kind, address) = (row.channel_type, row.address);
            channels.push(FoundChannel { kind, address, is_preferred: row.is_preferred });
        }
    }
    for row in archive::open::<FoundCustomerValue>(ctx, &ctx.run, Pass::Before).await? {
        let row = row.map_err(ArchiveError::from)?;
        let values = found.get_mut(&row.gorgias_customer_id).and_then(|customer| customer.values.as_mut());
        if let Some((values, value)) = values.zip(value_of(&row)) {
            values.push(value);
        }
    }
    let named = found
        .into_iter()
        .filter_map(|(id, customer)| Some((ExternalId::from_stored(keys.get(&id)?.clone()), customer)));
    Ok(named.collect())
}

fn of_row(id: CustomerId, row: FoundCustomer) -> Customer {
    Customer {
        id,
        external_id: row.external_id,
        name: row.customer_name,
        first_name: row.first_name,
        last_name: row.last_name,
        email: row.email,
        language: row.language,
        timezone: row.timezone,
        channels: Some(Vec::new()),
        values: Some(Vec::new()),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn value_of(row: &FoundCustomerValue) -> Option<FoundValue> {
    let data_type = match (&row.value_text, row.value_number, row.value_boolean) {
        (Some(_), ..) => "text",
        (_, Some(_), _) => "number",
        _ => "boolean",
    };
    let value = field_value(data_type, row.value_text.as_ref(), row.value_number, row.value_boolean)?;
    Some(FoundValue { field: FieldId(row.gorgias_field_id.parse().ok()?), value })
}

/// Keeps a customer as it is now, before it is filled up.
pub(crate) async fn keep_late(
    ctx: &Context,
    id: &ExternalId,
    found: &Raw<Customer>,
) -> Result<(), LoadError> {
    let customer = &found.record;
    let channels = customer.channels.iter().flatten();
    let values = customer.values.iter().flatten();
    let document = StoredLate::V1 {
        external_id: id.to_string(),
        customer_id: customer.id.0,
        held_external_id: customer.external_id.clone(),
        name: customer.name.clone(),
        email: customer.email.clone(),
        language: customer.language.clone(),
        timezone: customer.timezone.clone(),
        channels: channels.map(|own| (own.kind.clone(), own.address.clone(), own.is_preferred)).collect(),
        values: values.map(|value| (value.field.0, json_of(&value.value))).collect(),
        raw_json: found.json.clone(),
    };
    // The name of the object must not hold a number of a person, which an external id may.
    let name = sha256_hex(id.as_str().as_bytes());
    run_folder::put(ctx, &ctx.run_key(&format!("adopted/{name}.json"))?, &document).await?;
    Ok(())
}

fn json_of(value: &migration::gorgias::FieldValue) -> serde_json::Value {
    use migration::gorgias::FieldValue;
    match value {
        FieldValue::Text(text) => serde_json::Value::from(text.as_str()),
        FieldValue::Number(number) => serde_json::Value::from(*number),
        FieldValue::Boolean(boolean) => serde_json::Value::from(*boolean),
    }
}

fn late(stored: StoredLate) -> (ExternalId, Customer) {
    let StoredLate::V1 {
        external_id,
        customer_id,
        held_external_id,
        name,
        email,
        language,
        timezone,
        channels,
        values,
        raw_json: _,
    } = stored;
    let values = values.into_iter().filter_map(|(field, value)| {
        use migration::gorgias::FieldValue;
        let value = match value {
            serde_json::Value::String(text) => FieldValue::Text(text),
            serde_json::Value::Number(number) => FieldValue::Number(number.as_f64()?),
            serde_json::Value::Bool(boolean) => FieldValue::Boolean(boolean),
            _ => return None,
        };
        Some(FoundValue { field: FieldId(field), value })
    });
    let customer = Customer {
        id: CustomerId(customer_id),
        external_id: held_external_id,
        name,
        first_name: None,
        last_name: None,
        email,
        language,
        timezone,
        channels: Some(
            channels
                .into_iter()
                .map(|(kind, address, is_preferred)| FoundChannel { kind, address, is_preferred })
                .collect(),
        ),
        values: Some(values.collect()),
        created_at: None,
        updated_at: None,
    };
    (ExternalId::from_stored(external_id), customer)
}
