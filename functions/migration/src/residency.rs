//! Where personal data lies, and whether it would leave the European Economic Area without a legal ground on record.
//!
//! Neither system tells where it keeps an account's data (facts: residency is a human decision), so places are what the
//! operator states; a place that nobody states counts as outside. Deliberately absent: judging the legal ground itself.

use std::fmt;

use crate::contact_point::Region;

/// Country codes of the European Economic Area: the states of the EU, and Iceland, Liechtenstein and Norway.
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT",
    "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Their calling codes. Åland shares +358 and Svalbard +47; San Marino and the Vatican may answer under +39.
const CALLING_CODES: [&str; 30] = [
    "30", "31", "32", "33", "34", "351", "352", "353", "354", "356", "357", "358", "359", "36", "370", "371",
    "372", "385", "386", "39", "40", "420", "421", "423", "43", "45", "46", "47", "48", "49",
];

/// Regions of AWS whose data centres stand in the area; Zurich and London do not.
const AWS_REGIONS: [&str; 7] =
    ["eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3", "eusc-de-east-1"];

/// Where data lies, as somebody stated it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A country or region in the area.
    Inside(String),
    /// A country or region outside.
    Outside(String),
    /// Nobody stated it.
    #[default]
    Unknown,
}

/// A text names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is neither a country code nor \"EU\"")]
pub struct NoPlace;

impl Place {
    /// From a country code, or `EU` or `EEA`.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub fn stated(text: &str) -> Result<Self, NoPlace> {
        let word = text.trim().to_uppercase();
        if word == "EU" || word == "EEA" {
            return Ok(Self::Inside(word));
        }
        if word.len() != 2 || !word.chars().all(|c| c.is_ascii_uppercase()) {
            return Err(NoPlace);
        }
        Ok(if EEA.contains(&word.as_str()) { Self::Inside(word) } else { Self::Outside(word) })
    }

    /// From the name of a region of AWS.
    #[must_use]
    pub fn of_aws(region: &str) -> Self {
        let region = region.to_owned();
        if AWS_REGIONS.contains(&region.as_str()) { Self::Inside(region) } else { Self::Outside(region) }
    }

    /// Whether it is known to lie in the area.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        matches!(self, Self::Inside(_))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inside(name) | Self::Outside(name) => out.write_str(name),
            Self::Unknown => out.write_str("a place that nobody stated"),
        }
    }
}

/// Whether people who live there are protected by the area's law.
#[must_use]
pub fn is_inside(region: Region) -> bool {
    EEA.contains(&region.as_str())
}

/// Whether an international number, such as `+358401234567`, belongs to the area.
#[must_use]
pub fn is_number_inside(number: &str) -> bool {
    let Some(digits) = number.strip_prefix('+') else { return false };
    CALLING_CODES.iter().any(|code| digits.starts_with(code))
}

/// Where the data of a migration goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The store: a bucket, or a folder of this machine.
    pub store: Place,
    /// The Gorgias account.
    pub destination: Place,
}

/// One way out of the area.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WayOut {
    /// Snapshots, ledger and reports lie outside.
    Store(Place),
    /// Gorgias keeps the account outside.
    Destination(Place),
}

impl fmt::Display for WayOut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(place) => write!(out, "store in {place}"),
            Self::Destination(place) => write!(out, "Gorgias account in {place}"),
        }
    }
}

impl Places {
    /// Ways by which data would leave the area, in order.
    #[must_use]
    pub fn ways_out(&self) -> Vec<WayOut> {
        let store = (!self.store.is_inside()).then(|| WayOut::Store(self.store.clone()));
        let destination =
            (!self.destination.is_inside()).then(|| WayOut::Destination(self.destination.clone()));
        store.into_iter().chain(destination).collect()
    }
}

/// What is still open: ways out that no acknowledgement names. An acknowledgement covers the very places that it names,
/// so that a store that moves elsewhere asks again.
#[must_use]
pub fn open_ways<'a>(places: &Places, acknowledged: impl IntoIterator<Item = &'a str>) -> Vec<WayOut> {
    let acknowledged: Vec<&str> = acknowledged.into_iter().collect();
    let mut open = places.ways_out();
    open.retain(|way| !acknowledged.contains(&way.to_string().as_str()));
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_stated_by_country() {
        for (text, inside) in [
            ("FI", true),
            (" no ", true),
            ("eu", true),
            ("EEA", true),
            ("US", false),
            ("GB", false),
            ("CH", false),
        ] {
            assert_eq!(Place::stated(text).unwrap().is_inside(), inside, "{text}");
        }
        for text in ["", "Finland", "F1", "EUR"] {
            assert_eq!(Place::stated(text), Err(NoPlace), "{text}");
        }
        assert!(Place::of_aws("eu-north-1").is_inside());
        assert!(!Place::of_aws("eu-west-2").is_inside() && !Place::of_aws("eu-central-2").is_inside());
        assert!(!Place::of_aws("us-east-1").is_inside() && !Place::Unknown.is_inside());
    }

    #[test]
    fn numbers_belong_to_where_they_are_called() {
        for (number, inside) in [
            ("+358401234567", true),
            ("+4712345678", true),
            ("+3541234567", true),
            ("+37212345", true),
            ("+12125550100", false),
            ("+442071234567", false),
            ("+41441234567", false),
            ("+35012345", false),
            ("0401234567", false),
            ("", false),
        ] {
            assert_eq!(is_number_inside(number), inside, "{number}");
        }
        assert!(is_inside("FI".parse().unwrap()) && !is_inside("US".parse().unwrap()));
    }

    #[test]
    fn an_acknowledgement_covers_the_places_that_it_names() {
        let place = |text: &str| Place::stated(text).unwrap();
        let places = Places { store: place("US"), destination: Place::Unknown };
        let words: Vec<String> = places.ways_out().iter().map(ToString::to_string).collect();
        assert_eq!(words, ["store in US", "Gorgias account in a place that nobody stated"]);
        assert_eq!(open_ways(&places, [words[0].as_str()]), [WayOut::Destination(Place::Unknown)]);
        assert_eq!(open_ways(&places, words.iter().map(String::as_str)), []);
        let moved = Places { store: place("IN"), destination: place("FI") };
        assert_eq!(open_ways(&moved, words.iter().map(String::as_str)), [WayOut::Store(place("IN"))]);
        assert_eq!(Places { store: place("SE"), destination: place("EU") }.ways_out(), []);
    }

    #[test]
    fn every_country_has_its_calling_code() {
        assert_eq!(EEA.len(), CALLING_CODES.len());
        assert!(EEA.is_sorted());
    }
}
