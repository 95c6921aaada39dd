//! A customer that is there already: may it carry our records, and which of its empty fields are filled. Pure.
//!
//! Nothing is overwritten. A number alone never makes two persons one (households, companies): it needs the name too.

use migration::gorgias::ChannelKind;
use migration::keys::ExternalId;
use migration::text::folded;

use crate::ledger::request::{Claim, Holder};
use crate::ports::gorgias::{Change, Customer, CustomerChange, FoundChannel, FoundValue, NewCustomer};

/// What to do about a customer whose creation met a conflict.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Resolution {
    /// An earlier send of ours made it.
    Ours(u64),
    /// Fill this one up.
    Adopt(Box<Customer>),
    /// Create it without these numbers: they belong to other people.
    WithoutNumbers(Vec<String>),
    /// It carries a key of another tool, or of another record of ours.
    ForeignKey,
    /// Somebody holds an identifier, and no look-up shows who.
    Unknown,
}

/// Decides by the strongest claim: key, then email, then number and name.
pub(crate) fn resolve(wanted: &NewCustomer, holders: &[Holder]) -> Resolution {
    let ours = wanted.external_id.as_str();
    let has = |holder: &&Holder, claim: &Claim| holder.claims.contains(claim);
    if let Some(holder) = holders.iter().find(|holder| has(holder, &Claim::Key)) {
        return Resolution::Ours(holder.customer.record.id.0);
    }
    if let Some(holder) = holders.iter().find(|holder| has(holder, &Claim::Email)) {
        return adopt_or_foreign(&holder.customer.record, ours);
    }
    let by_number = |holder: &&Holder| holder.claims.iter().any(|claim| matches!(claim, Claim::Phone(_)));
    let same_person =
        |holder: &&Holder| is_same_name(wanted.name.as_deref(), holder.customer.record.name.as_deref());
    if let Some(holder) = holders.iter().filter(by_number).find(same_person) {
        return adopt_or_foreign(&holder.customer.record, ours);
    }
    let mut numbers: Vec<String> = holders
        .iter()
        .flat_map(|holder| &holder.claims)
        .filter_map(|claim| match claim {
            Claim::Phone(number) => Some(number.clone()),
            Claim::Key | Claim::Email => None,
        })
        .collect();
    numbers.sort();
    numbers.dedup();
    if numbers.is_empty() { Resolution::Unknown } else { Resolution::WithoutNumbers(numbers) }
}

fn adopt_or_foreign(found: &Customer, ours: &str) -> Resolution {
    match found.external_id.as_deref() {
        None | Some("") => Resolution::Adopt(Box::new(found.clone())),
        Some(key) if key == ours => Resolution::Ours(found.id.0),
        Some(_) => Resolution::ForeignKey,
    }
}

fn is_same_name(wanted: Option<&str>, found: Option<&str>) -> bool {
    let key = |name: Option<&str>| name.map(folded).filter(|name| !name.is_empty());
    key(wanted).is_some() && key(wanted) == key(found)
}

/// The customer without numbers that belong to others.
pub(crate) fn without_numbers(wanted: &NewCustomer, numbers: &[String]) -> NewCustomer {
    let mut wanted = wanted.clone();
    wanted
        .channels
        .retain(|channel| channel.kind != ChannelKind::Phone || !numbers.contains(&channel.address));
    wanted
}

/// What to fill: key, name and email where they are empty; channels that are not among its own.
pub(crate) fn change(wanted: &NewCustomer, found: &Customer) -> CustomerChange {
    let is_empty = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
    let fill = |held: &Option<String>, ours: &Option<String>| {
        Change::filling(ours.clone().filter(|_| is_empty(held)))
    };
    let held = found.channels.clone().unwrap_or_default();
    let holds = |kind: &str, address: &str| {
        held.iter().any(|channel| channel.kind == kind && folded(&channel.address) == folded(address))
    };
    let missing: Vec<FoundChannel> = wanted
        .channels
        .iter()
        .filter(|channel| !holds(channel.kind.as_str(), &channel.address))
        .map(|channel| FoundChannel {
            kind: channel.kind.as_str().to_owned(),
            address: channel.address.clone(),
            // What the account prefers stays preferred.
            is_preferred: channel.is_preferred && !held.iter().any(|own| own.kind == channel.kind.as_str()),
        })
        .collect();
    let channels = (!missing.is_empty()).then(|| held.iter().cloned().chain(missing).collect());
    CustomerChange {
        external_id: fill(&found.external_id, &Some(wanted.external_id.to_string())),
        name: fill(&found.name, &wanted.name),
        email: fill(&found.email, &wanted.email),
        channels,
        ..CustomerChange::default()
    }
}

/// The whole set of values to write: what is there stays, what is missing is added. `None` when nothing is missing.
pub(crate) fn values(wanted: &[FoundValue], found: &[FoundValue]) -> Option<Vec<FoundValue>> {
    let missing: Vec<&FoundValue> =
        wanted.iter().filter(|value| !found.iter().any(|held| held.field == value.field)).collect();
    if missing.is_empty() {
        return None;
    }
    let mut all: Vec<FoundValue> = found.iter().chain(missing).cloned().collect();
    all.sort_by_key(|value| value.field);
    Some(all)
}

/// The key under which a customer is looked up.
pub(crate) fn external_id(text: &str) -> ExternalId {
    ExternalId::from_stored(text)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use migration::gorgias::{CustomerChannel, CustomerId, FieldId, FieldValue};

    use super::*;
    use crate::ports::gorgias::Raw;

    fn wanted() -> NewCustomer {
        let channel =
            |kind, address: &str| CustomerChannel { kind, address: address.to_owned(), is_preferred: true };
        NewCustomer {
            external_id: ExternalId::from_stored("leaddesk:contact:1"),
            name: Some("Aino Koe".to_owned()),
            email: Some("aino@example.com".to_owned()),
            channels: vec![
                channel(ChannelKind::Email, "aino@example.com"),
                channel(ChannelKind::Phone, "+358401"),
            ],
            language: None,
            timezone: None,
        }
    }

    fn found(external_id: Option<&str>, name: Option<&str>, channels: &[(&str, &str)]) -> Customer {
        let channel = |(kind, address): &(&str, &str)| FoundChannel {
            kind: (*kind).to_owned(),
            address: (*address).to_owned(),
            is_preferred: true,
        };
        Customer {
            id: CustomerId(7),
            external_id: external_id.map(str::to_owned),
            name: name.map(str::to_owned),
            first_name: None,
            last_name: None,
            email: None,
            language: None,
            timezone: None,
            channels: Some(channels.iter().map(channel).collect()),
            values: Some(Vec::new()),
            created_at: None,
            updated_at: None,
        }
    }

    fn check(holders: Vec<(Customer, Vec<Claim>)>, expected: &Expect) {
        let holders: Vec<Holder> = holders
            .into_iter()
            .map(|(record, claims)| Holder { customer: Raw { record, json: String::new() }, claims })
            .collect();
        let told = match resolve(&wanted(), &holders) {
            Resolution::Ours(id) => format!("ours {id}"),
            Resolution::Adopt(found) => format!("adopt {}", found.id),
            Resolution::WithoutNumbers(numbers) => format!("without {}", numbers.join(" ")),
            Resolution::ForeignKey => "foreign key".to_owned(),
            Resolution::Unknown => "unknown".to_owned(),
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn the_strongest_claim_decides() {
        let phone = || Claim::Phone("+358401".to_owned());
        check(vec![], &expect!["unknown"]);
        check(vec![(found(Some("leaddesk:contact:1"), None, &[]), vec![Claim::Key])], &expect!["ours 7"]);
        check(vec![(found(None, Some("Someone"), &[]), vec![Claim::Email])], &expect!["adopt 7"]);
        check(vec![(found(Some("crm-9"), None, &[]), vec![Claim::Email])], &expect!["foreign key"]);
        check(
            vec![(found(Some("leaddesk:contact:2"), None, &[]), vec![Claim::Email])],
            &expect!["foreign key"],
        );
        check(vec![(found(None, Some("aino  KOE"), &[]), vec![phone()])], &expect!["adopt 7"]);
        check(vec![(found(None, Some("Household"), &[]), vec![phone()])], &expect!["without +358401"]);
        check(vec![(found(None, None, &[]), vec![phone()])], &expect!["without +358401"]);
    }

    #[test]
    fn only_what_is_empty_is_filled_and_nothing_is_lost() {
        let held = found(None, Some("Other Name"), &[("email", "AINO@example.com"), ("chat", "x")]);
        let change = change(&wanted(), &held);
        assert_eq!(change.name, Change::Keep);
        assert_eq!(change.external_id, Change::To("leaddesk:contact:1".to_owned()));
        assert_eq!(change.email, Change::To("aino@example.com".to_owned()));
        let channels = change.channels.expect("a number is missing");
        let kinds: Vec<&str> = channels.iter().map(|channel| channel.kind.as_str()).collect();
        assert_eq!(kinds, ["email", "chat", "phone"]);
        let whole = found(
            Some("leaddesk:contact:1"),
            Some("A"),
            &[("email", "aino@example.com"), ("phone", "+358401")],
        );
        assert_eq!(super::change(&wanted(), &whole).channels, None);
    }

    #[test]
    fn values_of_people_stay() {
        let value = |field, text: &str| FoundValue {
            field: FieldId(field),
            value: FieldValue::Text(text.to_owned()),
        };
        let merged = values(&[value(1, "ours"), value(2, "ours")], &[value(2, "theirs"), value(3, "theirs")]);
        let merged = merged.expect("field 1 is missing");
        let texts: Vec<_> = merged.iter().map(|value| (value.field.0, value.value.clone())).collect();
        let text = |text: &str| FieldValue::Text(text.to_owned());
        assert_eq!(texts, [(1, text("ours")), (2, text("theirs")), (3, text("theirs"))]);
        assert_eq!(values(&[value(2, "ours")], &[value(2, "theirs")]), None);
    }
}
