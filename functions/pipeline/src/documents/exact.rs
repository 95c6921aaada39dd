//! Shares as texts: a number that went through a common JSON reader may come back with another last bit, and the digest
//! of a mapping would no longer hold.

use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(share: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    // The shortest text that reads back as exactly this number.
    serializer.serialize_str(&share.to_string())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom("not a share"))
}

/// The same for a share that may be absent.
pub(super) mod option {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        share: &Option<f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match share {
            Some(share) => serializer.serialize_some(&share.to_string()),
            None => serializer.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<f64>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let share = text.map(|text| text.parse().map_err(|_| serde::de::Error::custom("not a share")));
        share.transpose()
    }
}
