//! Accounts from a seed: whatever they hold, no record is lost and none counted twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use snapshot::tables::{SourceCall, SourceContact, SourceLead};

use super::{ControlFailure, MapValue, WantCustomer, WantMessage, WantTicket, WantTicketTag};
use super::{FakeLeadDesk, World, counts, rows, run, up_to_extract};

/// A small linear generator: the same seed gives the same account on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn generated(seed: u64) -> World {
    let mut chance = Chance(seed);
    let mut source = FakeLeadDesk {
        users: (1..=4)
            .map(|id| format!(r#"{{"id":{id},"name":"Agent {id}","username":"agent{id}","employment":"active","office":"Office {}","role":"Agent","primary_email":"agent{id}@acme.example"}}"#, id % 2))
            .collect(),
        campaigns: (1..=3).map(|id| format!(r#"{{"id":{id},"name":"Campaign {}"}}"#, id % 2)).collect(),
        lists: (1..=3).map(|id| (id.to_string(), format!("List {id}"))).collect(),
        ..FakeLeadDesk::default()
    };
    let number = |chance: &mut Chance| format!("+3584012345{:02}", chance.below(30));
    for id in 1..=60_u64 {
        // Some contacts are gone, some carry an address or a name of others, some nothing at all.
        if chance.below(12) > 0 {
            let mut data = format!(r#""fname":"N{}""#, chance.below(4));
            if chance.below(3) > 0 {
                let _ = write!(data, r#","phone":"{}""#, number(&mut chance));
            }
            if chance.below(3) == 0 {
                let _ = write!(data, r#","email":"p{}@example.com""#, chance.below(15));
            }
            if chance.below(2) == 0 {
                let _ = write!(data, r#","other{}":"v{}","city":"C""#, 1 + chance.below(3), chance.below(5));
            }
            source
                .contacts
                .insert(id, format!(r#"{{"success":true,"contact_id":{id},"data":{{"id":{id},{data}}}}}"#));
        }
        for list in 1..=3_u64 {
            if chance.below(3) == 0 {
                let row = format!(
                    "{id};{};;;;;;{};2024-01-02 10:00:00;;;;;\r\n",
                    number(&mut chance),
                    ["", "*"][usize::from(chance.below(2) == 0)]
                );
                source.exports.entry(list.to_string()).or_default().push_str(&row);
            }
        }
    }
    let mut calls = "id;created_at;talk_time;number;contact_id;campaign;agent_id;call_ending_reason;call_ending_reason_name;direction\n".to_owned();
    for id in 1..=200_u64 {
        let (contact, number) = (chance.below(70), number(&mut chance));
        let number = if chance.below(10) == 0 { "anonymous" } else { &number };
        let _ = writeln!(
            calls,
            "{};2024-02-{:02} 1{}:00:00;{};{number};{contact};{};{};{};R{};out",
            // A few ids stand on several rows.
            if chance.below(40) == 0 { 7 } else { id },
            1 + chance.below(28),
            chance.below(10),
            chance.below(300),
            chance.below(4),
            chance.below(6),
            chance.below(4),
            chance.below(2),
        );
    }
    let world = World::new(source);
    world.file("calls.csv", calls);
    world
}

#[tokio::test]
async fn no_record_is_lost_and_none_counted_twice() {
    for seed in 0..12 {
        let world = generated(seed);
        up_to_extract(&world).await;
        run(&world.ctx).await.expect("balanced");
        let balance = counts(&world.ctx).await.expect("stored");
        assert!(balance.unbalanced().is_none(), "seed {seed}");
        let failures = rows::<ControlFailure>(&world).await;
        let failed = |object: &str| -> BTreeSet<String> {
            let of = failures
                .iter()
                .filter(|row| row.object == object && matches!(row.state.as_str(), "rejected" | "excluded"));
            of.map(|row| row.leaddesk_id.clone()).collect()
        };

        // Every call is exactly one message, or exactly one failure.
        let messages = rows::<WantMessage>(&world).await;
        let mut carried: BTreeMap<String, u32> = BTreeMap::new();
        for message in &messages {
            if let Some(id) = message.external_id.strip_prefix("leaddesk:call:") {
                *carried.entry(id.to_owned()).or_default() += 1;
            }
        }
        let failed_calls = failed("call");
        for call in rows::<SourceCall>(&world).await {
            let times = carried.get(&call.leaddesk_call_id).copied().unwrap_or(0)
                + u32::from(failed_calls.contains(&call.leaddesk_call_id));
            assert_eq!(times, 1, "seed {seed}, call {}", call.leaddesk_call_id);
        }

        // Every lead is a ticket or a failure; every ticket has its customer.
        let tickets = rows::<WantTicket>(&world).await;
        let keys: BTreeSet<&str> = tickets.iter().map(|ticket| ticket.external_id.as_str()).collect();
        assert_eq!(keys.len(), tickets.len(), "seed {seed}");
        let failed_leads = failed("lead");
        for lead in rows::<SourceLead>(&world).await {
            let key = format!("leaddesk:lead:{}", lead.leaddesk_lead_id);
            assert!(
                keys.contains(key.as_str()) != failed_leads.contains(&lead.leaddesk_lead_id),
                "seed {seed} {key}"
            );
        }
        let customers: BTreeSet<String> =
            rows::<WantCustomer>(&world).await.into_iter().map(|row| row.external_id).collect();
        assert!(tickets.iter().all(|ticket| customers.contains(&ticket.customer_external_id)), "seed {seed}");
        assert!(
            rows::<WantTicketTag>(&world)
                .await
                .iter()
                .all(|tag| keys.contains(tag.ticket_external_id.as_str()))
        );

        // Every contact is a customer, part of one, or a failure.
        let merged: BTreeSet<String> = rows::<MapValue>(&world)
            .await
            .into_iter()
            .filter(|row| row.value_kind == "merge")
            .map(|row| row.source_value)
            .collect();
        let failed_contacts = failed("contact");
        for contact in rows::<SourceContact>(&world).await {
            let id = contact.leaddesk_contact_id;
            let places = [
                customers.contains(&format!("leaddesk:contact:{id}")),
                merged.contains(&id),
                failed_contacts.contains(&id),
            ];
            assert_eq!(places.into_iter().filter(|place| *place).count(), 1, "seed {seed}, contact {id}");
        }
        assert_eq!(balance.objects["call"].wanted, u64::try_from(carried.len()).expect("few"), "seed {seed}");
    }
}
