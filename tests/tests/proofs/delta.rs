//! Agents go on working in LeadDesk after the load, over HTTP: what they change is brought over, and what people did at
//! Gorgias meanwhile stays.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::conduct::Step;
use pipeline::delta;
use pipeline::deltas::Delta;
use pipeline::reconcile;
use pipeline::wave::Wave;
use serde_json::{Value, json};
use twins::generate::{Change, Contact, Stamp};

use crate::world::World;

fn person(world: &World, method: &str, path: &str, body: Value) -> Value {
    let body = (!body.is_null()).then_some(body);
    world.gorgias.edit(|editor| editor.as_person(method, path, body)).expect("people may do this")
}

fn at(minute: u32) -> Stamp {
    Stamp::civil(2026, 3, 2, 9, minute, 0)
}

fn change(world: &World, changes: &[Change]) {
    world.leaddesk.twin().apply(changes).expect("the account has what changes");
}

fn export_files(world: &World) {
    let account = world.leaddesk.twin().account();
    account.write_files(&world.folder.path().join("operator-files")).expect("the operator's files");
}

fn contacts(world: &World) -> Vec<Contact> {
    let account = world.leaddesk.twin().account();
    account.contacts().filter(|contact| !contact.list_ids.is_empty()).collect()
}

/// All messages, with the tickets that they lie in.
fn messages(dump: &Value) -> Vec<Value> {
    let tickets = dump["tickets"].as_array().cloned().unwrap_or_default();
    tickets.iter().flat_map(|ticket| ticket["messages"].as_array().cloned().unwrap_or_default()).collect()
}

/// The record of this key, and nothing where there is none.
fn keyed(dump: &Value, table: &str, key: &str) -> Value {
    let records = dump[table].as_array().cloned().unwrap_or_default();
    records.into_iter().find(|record| record["external_id"] == key).unwrap_or_default()
}

fn id(record: &Value) -> u64 {
    record["id"].as_u64().expect("it is there")
}

fn customer_key(contact: u32) -> String {
    format!("leaddesk:contact:{contact}")
}

fn lead_key(list: u32, contact: u32) -> String {
    format!("leaddesk:lead:{list}:{contact}")
}

async fn tick(world: &World) -> Delta {
    delta::run(world.context()).await.expect("a delta comes to its end")
}

/// What is asked of LeadDesk is at most a tenth more than the recipe cannot do without.
fn assert_frugal(delta: &Delta) {
    let done = delta.done.as_ref().expect("it is done");
    let asked: u64 = done.requests.values().sum();
    assert!(asked * 10 <= done.requests_floor * 11 + 10, "{asked} of {}", done.requests_floor);
}

/// Nothing was mailed, and nothing stands twice.
fn assert_sound(world: &World) {
    let ledgers = world.gorgias.ledgers();
    assert_eq!((ledgers.counts().outbox, ledgers.counts().violations), (0, 0), "{ledgers:?}");
    let dump = world.gorgias.dump();
    let table = |name: &str| dump[name].as_array().cloned().expect("a table");
    for records in [table("customers"), table("tickets"), messages(&dump)] {
        let live = records.iter().filter(|record| record["trashed_datetime"].is_null());
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for key in live.filter_map(|record| record["external_id"].as_str()) {
            *counts.entry(key).or_default() += 1;
        }
        counts.retain(|_, count| *count > 1);
        assert_eq!(counts, BTreeMap::new());
    }
}

/// Contacts that stand alone: no other one has their address or number.
fn singles(all: &[Contact]) -> Vec<&Contact> {
    let alone = |contact: &&Contact| {
        contact.list_ids.len() == 1
            && !contact.text.email.is_empty()
            && contact.text.phones.len() == 1
            && all.iter().filter(|other| other.text.email == contact.text.email).count() == 1
            && all
                .iter()
                .filter(|other| other.text.phones.iter().any(|held| contact.text.phones.contains(held)))
                .count()
                == 1
    };
    all.iter().filter(alone).collect()
}

/// The tickets of both are of the one with the smaller id, and the other gave its address away.
fn assert_one_person(now: &Value, into: &Contact, merging: &Contact) {
    let (kept, given) = (into.id.min(merging.id), into.id.max(merging.id));
    let (kept, given) =
        (keyed(now, "customers", &customer_key(kept)), keyed(now, "customers", &customer_key(given)));
    for contact in [into, merging] {
        assert_eq!(
            keyed(now, "tickets", &lead_key(contact.list_ids[0], contact.id))["customer"]["id"],
            kept["id"],
            "{}",
            contact.id
        );
    }
    assert_eq!(given["channels"], json!([]), "{given}");
}

/// Nothing changed since: nothing is written, and the comparison names people's work alone.
async fn assert_at_rest(world: &World) {
    let before = world.gorgias.ledgers().counts();
    let second = tick(world).await.done.expect("done");
    assert!(second.is_unchanged, "{second:?}");
    assert_eq!(world.gorgias.ledgers().counts(), before);
    let (report, _) = reconcile::again(world.context(), Wave::Customers).await.expect("compared");
    assert_eq!(report.records["fields_different"], 1, "{report:?}");
}

/// Each is a customer of its own again, with its address and its ticket.
fn assert_parted(parted: &Value, into: &Contact, merging: &Contact) {
    for contact in [into, merging] {
        let own = keyed(parted, "customers", &customer_key(contact.id));
        assert_eq!(own["email"], contact.text.email.to_lowercase().as_str(), "{own}");
        assert_eq!(
            keyed(parted, "tickets", &lead_key(contact.list_ids[0], contact.id))["customer"]["id"],
            own["id"]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_every_kind_arrive_and_what_people_did_stays() {
    let world = World::start(80, 160).await;
    world.run_through(Step::Finish).await;
    let all = contacts(&world);
    let loaded = world.gorgias.dump();
    let key = |contact: &Contact| lead_key(contact.list_ids[0], contact.id);
    // A broken row of an export is a lead without a ticket.
    let mut alone = singles(&all);
    alone.retain(|contact| !keyed(&loaded, "tickets", &key(contact)).is_null());
    let [renamed, both, merging, into, called, moved, gone, deleted, ..] = alone.as_slice() else {
        unreachable!("the account has enough contacts of their own")
    };
    // People work at Gorgias.
    let customer = id(&keyed(&loaded, "customers", &customer_key(both.id)));
    person(&world, "PUT", &format!("/api/customers/{customer}"), json!({ "name": "Theirs Alone" }));
    let taken = id(&keyed(&loaded, "tickets", &key(deleted)));
    person(&world, "DELETE", &format!("/api/tickets/{taken}"), Value::Null);
    // Agents work in LeadDesk.
    let lists: Vec<u32> = world.leaddesk.twin().account().lists().map(|list| list.id).collect();
    let other = *lists.iter().find(|list| **list != moved.list_ids[0]).expect("another list");
    let card = |contact: &Contact, lname: Option<&str>, email: Option<String>, minute| Change::EditCard {
        contact_id: contact.id,
        fname: None,
        lname: lname.map(str::to_owned),
        email,
        phones: None,
        at: at(minute),
    };
    change(
        &world,
        &[
            card(renamed, Some("Newname"), None, 1),
            card(both, Some("Newname"), None, 2),
            card(merging, None, Some(into.text.email.clone()), 3),
            card(deleted, Some("Newname"), None, 4),
            Change::MoveContact { contact_id: moved.id, to_list_id: other },
            Change::DeleteContact { contact_id: gone.id },
            Change::AddContact { list_id: lists[0], at: at(5) },
            Change::AddCall { contact_id: Some(called.id), at: at(6) },
        ],
    );
    export_files(&world);
    let delta = tick(&world).await;
    assert_frugal(&delta);
    let done = delta.done.clone().expect("done");
    assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{done:?}");
    assert_eq!(done.reasons.get("DEL113"), Some(&1), "{done:?}");
    let now = world.gorgias.dump();
    let name = |contact: &Contact| keyed(&now, "customers", &customer_key(contact.id))["name"].clone();
    assert_eq!(name(renamed), format!("{} Newname", renamed.text.fname.trim()));
    assert_eq!(name(both), "Theirs Alone");
    assert_eq!(keyed(&now, "tickets", &key(deleted)), Value::Null, "what people deleted stays deleted");
    assert_one_person(&now, into, merging);
    // A moved contact has a lead in its new list, and the ticket of the old one stays.
    assert_ne!(keyed(&now, "tickets", &lead_key(other, moved.id)), Value::Null);
    assert_ne!(keyed(&now, "tickets", &key(moved)), Value::Null);
    assert_ne!(keyed(&now, "tickets", &key(gone)), Value::Null);
    assert_eq!(
        delta.plan.as_ref().map(|plan| plan.vanished.get("contact moved to another list")),
        Some(Some(&1))
    );
    // The new call is there, once.
    let call =
        world.leaddesk.twin().account().calls().last().map(|call| format!("leaddesk:call:{}", call.id));
    let call = json!(call.expect("the account has calls"));
    assert_eq!(messages(&now).iter().filter(|message| message["external_id"] == call).count(), 1);
    assert_sound(&world);
    assert_at_rest(&world).await;
    // The person parts again.
    change(&world, &[card(merging, None, Some(merging.text.email.clone()), 9)]);
    let third = tick(&world).await.done.expect("done");
    assert_eq!((third.count("refused"), third.fields_different), (0, 0), "{third:?}");
    assert_parted(&world.gorgias.dump(), into, merging);
    assert_sound(&world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renamed_agents_and_outcomes_take_no_assignee_and_no_call_away() {
    let world = World::start(40, 120).await;
    world.run_through(Step::Finish).await;
    let loaded = world.gorgias.dump();
    let (user, outcome) = {
        let account = world.leaddesk.twin().account();
        let busiest = account.calls().filter_map(|call| Some((call.agent_id?, call.outcome_id?))).last();
        busiest.expect("somebody has called")
    };
    change(
        &world,
        &[
            Change::RenameUser { user_id: user, name: "Maija Uusinimi".to_owned() },
            Change::RenameOutcome { outcome_id: outcome, name: "Renamed outcome".to_owned(), at: at(1) },
        ],
    );
    export_files(&world);
    let done = tick(&world).await.done.expect("done");
    assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{done:?}");
    let now = world.gorgias.dump();
    let assigned = |dump: &Value| -> BTreeSet<(String, String)> {
        let tickets = dump["tickets"].as_array().cloned().unwrap_or_default();
        let user = |ticket: &Value| ticket["assignee_user"]["id"].to_string();
        tickets.iter().map(|ticket| (ticket["external_id"].to_string(), user(ticket))).collect()
    };
    assert_eq!(assigned(&now), assigned(&loaded));
    assert_eq!(messages(&now).len(), messages(&loaded).len());
    assert_sound(&world);
}

/// Requests that may have changed something.
fn writes(world: &World) -> u64 {
    let requests = world.gorgias.requests();
    requests.iter().filter(|((route, _), _)| !route.starts_with("GET ")).map(|(_, count)| *count).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delta_that_died_before_its_watermark_is_done_again_without_a_write() {
    let world = World::start(40, 80).await;
    world.run_through(Step::Finish).await;
    let all = contacts(&world);
    let alone = singles(&all);
    let card = Change::EditCard {
        contact_id: alone[0].id,
        fname: Some("Other".to_owned()),
        lname: None,
        email: None,
        phones: None,
        at: at(1),
    };
    let list_id = alone[0].list_ids[0];
    let calls = Change::AddCall { contact_id: Some(alone[1].id), at: at(2) };
    change(&world, &[card, Change::AddContact { list_id, at: at(1) }, calls]);
    export_files(&world);
    let first = tick(&world).await.done.expect("done");
    assert!(
        first.count("created") > 0 && first.count("updated") > 0 && first.count("appended") == 1,
        "{first:?}"
    );
    let (held, before) = (world.gorgias.dump(), writes(&world));
    let run = world.context().run.to_string();
    let watermark = format!("run/proof/runs/{run}/delta/0001/watermark.json");
    std::fs::remove_file(world.folder.path().join(watermark)).expect("the watermark stands last");
    let again = tick(&world).await.done.expect("done");
    assert_eq!(again.number, 1, "the open one is gone on with");
    assert_eq!(again.objects, first.objects);
    assert_eq!(world.gorgias.dump()["tickets"], held["tickets"]);
    assert_eq!(world.gorgias.dump()["customers"], held["customers"]);
    assert_eq!(writes(&world), before, "nothing is written");
    assert_sound(&world);
}

/// Tickets of conversations by their keys: subject, status, whose they are, and what was said in order of time.
fn chats(world: &World) -> BTreeMap<String, Vec<String>> {
    let dump = world.gorgias.dump();
    let tickets = dump["tickets"].as_array().cloned().unwrap_or_default();
    let of_chats = tickets.iter().filter_map(|ticket| {
        let key = ticket["external_id"].as_str().filter(|key| key.starts_with("leaddesk:chat:"))?;
        let mut messages = ticket["messages"].as_array().cloned().unwrap_or_default();
        messages.sort_by_key(|message| {
            (message["sent_datetime"].to_string(), message["created_datetime"].to_string(), id(message))
        });
        let mut lines =
            vec![format!("{} {} {}", ticket["subject"], ticket["status"], ticket["customer"]["external_id"])];
        lines.extend(messages.iter().map(|message| {
            format!("{} {} {}", message["external_id"], message["from_agent"], message["body_text"])
        }));
        Some((key.to_owned(), lines))
    });
    of_chats.collect()
}

/// The operator exports the first half of the chatbot's window, and both halves later: what stands at Gorgias then is what a
/// migration of both halves leaves there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_chatbot_export_brings_over_what_was_said_since() {
    let whole = World::start(40, 40).await;
    whole.run_through(Step::Finish).await;
    let world = World::start(40, 40).await;
    let second = world.folder.path().join("operator-files").join("chatbot-2.zip");
    std::fs::remove_file(&second).expect("the operator has two exports");
    world.run_through(Step::Finish).await;
    let before = chats(&world);
    export_files(&world);
    let done = tick(&world).await.done.expect("done");
    assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{done:?}");
    let after = chats(&world);
    assert!(before.len() > 20 && after.len() > before.len() + 20, "{} {}", before.len(), after.len());
    assert_eq!(after, chats(&whole));
    assert_sound(&world);
    let writes_before = writes(&world);
    let again = tick(&world).await.done.expect("done");
    assert!(again.is_unchanged, "{again:?}");
    assert_eq!(writes(&world), writes_before, "the same exports again write nothing");
}
