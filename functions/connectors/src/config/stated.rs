//! What the operator states about both accounts because neither tells it: where data lies, what LeadDesk costs meanwhile.

use migration::residency::{Place, Places};
use pipeline::context::{ParallelCosts, Stated};
use url::Url;

use super::ConfigError;
use super::document::Document;
use crate::place::QueuePlace;

/// Characters of a currency at most.
const CURRENCY_CHARS_MAX: usize = 8;

pub(super) fn read(file: &Document, rest: &Url, queue: &QueuePlace) -> Result<Stated, ConfigError> {
    let of_queue = match queue {
        QueuePlace::Sqs(place) => Place::of_aws(&place.region),
        QueuePlace::InProcess => Place::Unknown,
    };
    let places = Places {
        store: place("residency.store", file.residency.store.as_deref(), of_queue)?,
        destination: place("residency.destination", file.residency.destination.as_deref(), Place::Unknown)?,
    };
    Ok(Stated { places, source_zone: rest.host_str().map(str::to_owned), parallel: parallel(file)? })
}

fn place(key: &str, text: Option<&str>, otherwise: Place) -> Result<Place, ConfigError> {
    let Some(text) = text else { return Ok(otherwise) };
    Place::stated(text).map_err(|error| {
        ConfigError::value(
            key,
            &error.to_string(),
            "write where the data lies, such as \"FI\", \"US\" or \"EU\"",
        )
    })
}

fn parallel(file: &Document) -> Result<Option<ParallelCosts>, ConfigError> {
    let Some(table) = &file.parallel else { return Ok(None) };
    for (key, price) in [("parallel.licence_month", table.licence_month), ("parallel.minute", table.minute)] {
        if !(0.0..=1_000_000.0).contains(&price) {
            return Err(ConfigError::value(
                key,
                "it is no price",
                "write the price of the contract, such as 59.0",
            ));
        }
    }
    let currency = table.currency.trim();
    if currency.is_empty()
        || currency.len() > CURRENCY_CHARS_MAX
        || !currency.chars().all(char::is_alphabetic)
    {
        return Err(ConfigError::value("parallel.currency", "it is no currency", "write it as \"EUR\""));
    }
    Ok(Some(ParallelCosts {
        licences_min: table.licences_min,
        licence_month: table.licence_month,
        minute: table.minute,
        currency: currency.to_owned(),
    }))
}
