//! People merge, edit and delete over HTTP while a migration runs and after it; damage is mended, and their work stays.

use std::collections::BTreeMap;

use pipeline::conduct::Step;
use pipeline::repair::{self, Planned};
use pipeline::wave::Wave;
use pipeline::worker::run_step;
use serde_json::{Value, json};
use twins::gorgias::{RecordKind, Which};

use crate::world::World;

/// Fields that move by themselves when a record is written.
const MOVING: [&str; 1] = ["updated_datetime"];

fn record(dump: &Value, table: &str, id: u64) -> Value {
    let records = dump[table].as_array().cloned().unwrap_or_default();
    let mut found = records.into_iter().find(|record| record["id"] == id).unwrap_or_default();
    if let Some(fields) = found.as_object_mut() {
        MOVING.iter().for_each(|name| drop(fields.remove(*name)));
    }
    found
}

fn person(world: &World, method: &str, path: &str, body: Value) -> Value {
    let body = (!body.is_null()).then_some(body);
    world.gorgias.edit(|editor| editor.as_person(method, path, body)).expect("people may do this")
}

fn ours(world: &World, kind: RecordKind) -> Vec<u64> {
    world.gorgias.edit(|editor| editor.ids(kind))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_do_in_mid_run_and_later_stays_and_damage_is_mended() {
    let world = World::start(40, 80).await;
    world.run_through(Step::Reconcile(Wave::Customers)).await;
    // In mid-run a person merges one customer of ours into another, before any ticket is there.
    let customers = ours(&world, RecordKind::Customer);
    let (source, target) = (customers[customers.len() - 1], customers[customers.len() - 2]);
    let path = format!("/api/customers/merge?source_id={source}&target_id={target}");
    person(&world, "PUT", &path, json!({ "language": "fi" }));
    let rest = [
        Step::Load(Wave::Leads),
        Step::Reconcile(Wave::Leads),
        Step::Load(Wave::Chats),
        Step::Reconcile(Wave::Chats),
        Step::Finish,
    ];
    for step in rest {
        let report = run_step(world.context(), step).await.expect("every step comes to its end");
        assert_eq!(report.findings, [], "{step}");
    }
    let loaded = world.gorgias.dump();
    let tickets = loaded["tickets"].as_array().expect("a table");
    assert!(tickets.iter().all(|ticket| ticket["customer"]["id"] != source), "no ticket is left behind");

    // Later: damage that nobody did, and what people do.
    let mut newest = ours(&world, RecordKind::Ticket).into_iter().rev();
    let mut next = || newest.next().expect("enough tickets");
    let (broken, renamed, deleted) = (next(), next(), next());
    let message = *ours(&world, RecordKind::Message).last().expect("messages");
    let is_named = |id: &&u64| {
        let all = loaded["customers"].as_array().expect("a table");
        all.iter()
            .any(|found| found["id"] == **id && found["name"].as_str().is_some_and(|name| !name.is_empty()))
    };
    let damaged =
        *customers[..customers.len() - 2].iter().rev().find(is_named).expect("a customer with a name");
    world
        .gorgias
        .edit(|editor| {
            editor.plant_wrong_byte(RecordKind::Ticket, &Which::Id(broken), "subject").expect("a subject");
            editor.plant_wrong_byte(RecordKind::Customer, &Which::Id(damaged), "name")
        })
        .expect("a name");
    person(&world, "PUT", &format!("/api/tickets/{renamed}"), json!({ "subject": "Call back" }));
    person(&world, "DELETE", &format!("/api/tickets/{deleted}"), Value::Null);
    let Planned::New(plan) = repair::plan(world.context()).await.expect("readable") else {
        unreachable!("nothing is open")
    };
    let deeds = |object: &str| plan.objects.get(object).cloned().unwrap_or_default();
    let counted = |pairs: &[(&str, u64)]| -> BTreeMap<String, u64> {
        pairs.iter().map(|(deed, count)| ((*deed).to_owned(), *count)).collect()
    };
    assert_eq!(deeds("ticket"), counted(&[("keep", 2), ("mend", 1)]), "{:?}", plan.reasons);
    let done = repair::apply(world.context()).await.expect("mended");
    assert_eq!((done.count("mended"), done.count("refused")), (2, 0), "{done:?}");
    let mended = world.gorgias.dump();
    assert_eq!(record(&mended, "tickets", broken), record(&loaded, "tickets", broken));
    assert_eq!(record(&mended, "messages", message), record(&loaded, "messages", message));
    assert_eq!(record(&mended, "tickets", renamed)["subject"], "Call back");
    assert_eq!(record(&mended, "tickets", deleted), Value::Null);
    let ledgers = world.gorgias.ledgers();
    assert_eq!((ledgers.counts().outbox, ledgers.counts().violations), (0, 0), "{ledgers:?}");
}
