//! Texts of records that an account told, and the records behind them: what an adapter parses is looked up here.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::ports::gorgias::Raw;

/// Everything that was told.
#[derive(Default)]
pub(crate) struct Told(BTreeMap<String, Box<dyn Any + Send>>);

impl Told {
    /// A record with its text: equal records have equal texts.
    pub(crate) fn tell<T: Clone + Debug + Send + 'static>(&mut self, record: &T) -> Raw<T> {
        let json = serde_json::Value::from(format!("{record:?}")).to_string();
        self.0.entry(json.clone()).or_insert_with(|| Box::new(record.clone()));
        Raw { record: record.clone(), json }
    }

    /// The record behind a text.
    pub(crate) fn again<T: Clone + 'static>(&self, json: &str) -> Option<Raw<T>> {
        let record = self.0.get(json)?.downcast_ref::<T>()?;
        Some(Raw { record: record.clone(), json: json.to_owned() })
    }
}
