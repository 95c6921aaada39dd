//! What people have to know of both accounts although no record shows it: room, fees, limits, and where the data lies.
//!
//! Pure: everything is taken from what was read before. Deliberately absent: what a rule or survey would do to migrated
//! tickets (see `destination`).

use std::collections::BTreeSet;

use migration::finding::{self, Code};
use migration::gorgias::{FIELDS_PER_OBJECT_MAX, FieldObject};
use migration::pacer::Bucket;
use migration::residency::WayOut;

use crate::context::{ParallelCosts, Stated};
use crate::documents::inventory::{FindingEntry, Inventory};

/// Fields that the mapping promises on tickets: disposition and lead status.
const TICKET_FIELDS_PROMISED: usize = 2;
/// Fields that it may need on customers beside those of the slots: the opt-out.
const CUSTOMER_FIELDS_PROMISED: usize = 1;

/// What is known beside the inventory.
pub(super) struct Surroundings<'a> {
    /// What the operator states.
    pub(super) stated: &'a Stated,
    /// Ways out of the area that nobody has acknowledged.
    pub(super) open_ways: &'a [WayOut],
    /// The rate limit, as the answers told it.
    pub(super) bucket: Bucket,
}

impl Surroundings<'_> {
    /// Adds the findings.
    pub(super) fn tell(&self, inventory: &mut Inventory) {
        let mut found = Vec::new();
        let mut find = |code: Code, count: u64, text: String| {
            found.push(FindingEntry { code: code.as_str().to_owned(), count, text });
        };
        find(finding::DIS106_PARALLEL_COSTS, 1, costs(self.stated.parallel.as_ref()));
        if let Some(host) = &self.stated.source_zone {
            find(
                finding::DIS107_SOURCE_ZONE,
                1,
                format!("LeadDesk answers at {host}; where it keeps the data is not documented"),
            );
        }
        for way in self.open_ways {
            find(
                finding::DIS205_RESIDENCY,
                1,
                format!("{way}: contacts of the EU would leave it, and nobody has acknowledged that"),
            );
        }
        room(inventory, &mut find);
        let missing = agents_without_user(inventory);
        if missing > 0 {
            find(
                finding::DIS208_AGENTS_WITHOUT_USER,
                missing,
                finding::DIS208_AGENTS_WITHOUT_USER.entry().title.to_owned(),
            );
        }
        find(
            finding::DIS209_NO_VISIBILITY_RULES,
            1,
            finding::DIS209_NO_VISIBILITY_RULES.entry().title.to_owned(),
        );
        find(finding::DIS210_NO_TRANSLATIONS, 1, finding::DIS210_NO_TRANSLATIONS.entry().title.to_owned());
        find(finding::DIS211_FEES, 1, fees(inventory));
        find(finding::DIS212_RATE_LIMIT, 1, limit(inventory, &self.bucket));
        if let Some(status) =
            inventory.overview.gorgias_status.as_deref().filter(|status| *status != "active")
        {
            find(finding::DIS213_ACCOUNT_NOT_ACTIVE, 1, format!("the Gorgias account is {status}"));
        }
        inventory.overview.findings.extend(found);
        inventory.overview.findings.sort();
    }
}

fn costs(parallel: Option<&ParallelCosts>) -> String {
    match parallel {
        Some(costs) => {
            let ParallelCosts { licences_min, licence_month, minute, currency } = costs;
            let month = f64::from(*licences_min) * licence_month;
            format!(
                "while both systems run, LeadDesk costs {month:.2} {currency} a month for {licences_min} licences at the least, \
                 and {minute:.4} {currency} a minute of calls"
            )
        }
        None => "LeadDesk shows neither licences nor prices; [parallel] in migration.toml takes those of the contract".to_owned(),
    }
}

/// Custom fields that are there, and whether those fit in that the mapping promises.
fn room(inventory: &Inventory, find: &mut impl FnMut(Code, u64, String)) {
    for (object, word, promised) in [
        (FieldObject::Ticket, "ticket", TICKET_FIELDS_PROMISED),
        (FieldObject::Customer, "customer", CUSTOMER_FIELDS_PROMISED),
    ] {
        let active =
            inventory.gorgias_fields.iter().filter(|field| field.object == object && field.is_active);
        // What is ours already takes no further room.
        let ours = active
            .clone()
            .filter(|field| field.external_id.as_deref().is_some_and(|id| id.starts_with("leaddesk:")));
        let (taken, ours) = (active.count(), ours.count());
        let free = FIELDS_PER_OBJECT_MAX.saturating_sub(taken);
        find(
            finding::DIS206_FIELD_ROOM,
            1,
            format!("{taken} of {FIELDS_PER_OBJECT_MAX} {word} fields are active, {free} are free"),
        );
        if free + ours < promised {
            find(
                finding::DIS207_NO_FIELD_ROOM,
                u64::try_from(promised).unwrap_or(u64::MAX),
                format!("the mapping promises {promised} {word} fields, and {free} are free"),
            );
        }
    }
}

/// By email, as users are matched; an agent without email has none.
fn agents_without_user(inventory: &Inventory) -> u64 {
    let users: BTreeSet<String> =
        inventory.gorgias_users.iter().filter_map(|user| Some(user.email.as_ref()?.to_lowercase())).collect();
    let missing = inventory.users.iter().filter(|agent| {
        agent.is_active
            && agent.email.as_ref().is_none_or(|email| !users.contains(&email.trim().to_lowercase()))
    });
    u64::try_from(missing.count()).unwrap_or(u64::MAX)
}

fn fees(inventory: &Inventory) -> String {
    let plan = inventory.overview.gorgias_plan.as_deref().unwrap_or("of a name that Gorgias does not tell");
    format!(
        "plan {plan}: tickets above it and answers of AI Agent are billed; by default nothing is written that counts as sent, \
         and whether imported tickets count is not documented"
    )
}

fn limit(inventory: &Inventory, bucket: &Bucket) -> String {
    let plan = inventory.overview.gorgias_plan.as_deref().unwrap_or("not told");
    format!("plan {plan}; {}", bucket.in_words())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use migration::residency::Place;

    use super::*;
    use crate::documents;
    use crate::test_world::{FakeLeadDesk, World};

    #[tokio::test]
    async fn what_no_record_shows_is_told() {
        let world = World::new(FakeLeadDesk::default());
        crate::discover::run(&world.ctx).await.expect("discovered");
        let mut inventory = documents::inventory(&world.ctx).await.expect("stored");
        inventory.overview.findings.clear();
        inventory.overview.gorgias_status = Some("deactivated".to_owned());
        let field = |number: usize| migration::gorgias::Field {
            id: migration::gorgias::FieldId(number as u64),
            object: FieldObject::Ticket,
            label: format!("Field {number}"),
            external_id: (number == 1).then(|| "leaddesk:lead:status".to_owned()),
            kind: migration::gorgias::FieldKind::Text,
            is_active: true,
            is_managed: false,
        };
        inventory.gorgias_fields = (0..FIELDS_PER_OBJECT_MAX).map(field).collect();
        let stated = Stated {
            source_zone: Some("restapi-nor.leaddesk.com".to_owned()),
            parallel: Some(ParallelCosts {
                licences_min: 10,
                licence_month: 59.0,
                minute: 0.02,
                currency: "EUR".to_owned(),
            }),
            ..Stated::default()
        };
        let around = Surroundings {
            stated: &stated,
            open_ways: &[WayOut::Destination(Place::Unknown)],
            bucket: Bucket { capacity: 40, window: std::time::Duration::from_secs(20), reserve: 0.0 },
        };
        around.tell(&mut inventory);
        let told: Vec<String> = inventory
            .overview
            .findings
            .iter()
            .map(|found| format!("{} {} {}", found.code, found.count, found.text))
            .collect();
        expect![[r#"
            DIS106 1 while both systems run, LeadDesk costs 590.00 EUR a month for 10 licences at the least, and 0.0200 EUR a minute of calls
            DIS107 1 LeadDesk answers at restapi-nor.leaddesk.com; where it keeps the data is not documented
            DIS205 1 Gorgias account in a place that nobody stated: contacts of the EU would leave it, and nobody has acknowledged that
            DIS206 1 0 of 25 customer fields are active, 25 are free
            DIS206 1 25 of 25 ticket fields are active, 0 are free
            DIS207 2 the mapping promises 2 ticket fields, and 0 are free
            DIS209 1 Gorgias does not restrict which tickets an agent sees
            DIS210 1 knowledge-base articles and translations are not part of a migration
            DIS211 1 plan pro: tickets above it and answers of AI Agent are billed; by default nothing is written that counts as sent, and whether imported tickets count is not documented
            DIS212 1 plan pro; 40 requests in 20 s
            DIS213 1 the Gorgias account is deactivated"#]].assert_eq(&told.join("\n"));
    }
}
