//! A rollback over HTTP: what nobody touched is as before, what people touched stays, and the way back is exact.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use expect_test::expect;
use pipeline::conduct::Step;
use pipeline::reconcile;
use pipeline::rollback::{self, PlanV1, Planned};
use pipeline::wave::Wave;
use pipeline::worker::run_step;
use serde_json::{Value, json};
use twins::gorgias::{RecordKind, Which};

use crate::world::World;

/// Fields that move by themselves, also when a write is taken back.
const MOVING: [&str; 3] = ["updated_datetime", "deactivated_datetime", "usage"];

async fn migrated() -> (World, Value) {
    let mut world = World::start(40, 80).await;
    world.context_mut().limits.rollback_hold = Duration::ZERO;
    let before = essence(&world.gorgias.dump());
    world.run_through(Step::Finish).await;
    (world, before)
}

/// Every record of the account without what moves by itself; archived fields count as gone.
pub(crate) fn essence(dump: &Value) -> Value {
    let mut dump = dump.clone();
    let Some(tables) = dump.as_object_mut() else { return dump };
    for table in ["events", "jobs", "satisfaction_surveys", "uploads", "views"] {
        tables.remove(table);
    }
    if let Some(Value::Array(fields)) = tables.get_mut("custom_fields") {
        fields.retain(|field| field["deactivated_datetime"].is_null());
    }
    for records in tables.values_mut().filter_map(Value::as_array_mut) {
        records.iter_mut().for_each(strip);
    }
    dump
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            MOVING.iter().for_each(|name| drop(fields.remove(*name)));
            fields.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Every difference as table, record, field and both values.
pub(crate) fn differences(found: &Value, wanted: &Value) -> Vec<String> {
    let by_id = |records: &Value| -> BTreeMap<String, Value> {
        let records = records.as_array().into_iter().flatten();
        records.map(|record| (record["id"].to_string(), record.clone())).collect()
    };
    let mut told = Vec::new();
    for (table, wanted) in wanted.as_object().into_iter().flatten() {
        let (found, wanted) = (by_id(&found[table]), by_id(wanted));
        let ids: BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
        for id in ids {
            let (found, wanted) = (found.get(id), wanted.get(id));
            let fields = [found, wanted].into_iter().flatten().filter_map(Value::as_object);
            let names: BTreeSet<&String> = fields.flat_map(serde_json::Map::keys).collect();
            let value = |side: Option<&Value>, name: &str| side.map(|side| side[name].clone());
            for name in names.into_iter().filter(|name| value(found, name) != value(wanted, name)) {
                told.push(format!(
                    "{table} {id} {name}: {:?} not {:?}",
                    value(found, name),
                    value(wanted, name)
                ));
            }
        }
    }
    told.truncate(20);
    told
}

async fn planned(world: &World) -> PlanV1 {
    match rollback::plan(world.context()).await.expect("readable") {
        Planned::New(plan) => plan,
        other => unreachable!("{other:?}"),
    }
}

fn told(plan: &PlanV1, deed: &str) -> Vec<String> {
    let count = |(object, deeds): (&String, &BTreeMap<String, u64>)| {
        deeds.get(deed).map(|count| format!("{object} {count}"))
    };
    plan.objects.iter().filter_map(count).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_purge_the_account_is_as_it_was() {
    let (world, before) = migrated().await;
    let plan = planned(&world).await;
    assert_eq!(plan.count("keep"), 0, "{:?}", plan.reasons);
    rollback::apply(world.context()).await.expect("applied");
    let certificate = rollback::purge(world.context(), plan.count("remove")).await.expect("purged");
    assert_eq!((certificate.shown, certificate.unexpected), (0, 0));
    let after = essence(&world.gorgias.dump());
    assert_eq!(differences(&after, &before), Vec::<String>::new());
    let ledgers = world.gorgias.ledgers();
    assert_eq!((ledgers.counts().outbox, ledgers.counts().violations), (0, 0), "{ledgers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_brings_back_every_field() {
    let (world, _) = migrated().await;
    let loaded = essence(&world.gorgias.dump());
    planned(&world).await;
    rollback::apply(world.context()).await.expect("applied");
    assert_ne!(essence(&world.gorgias.dump()), loaded);
    rollback::undo(world.context()).await.expect("undone");
    let after = essence(&world.gorgias.dump());
    assert_eq!(differences(&after, &loaded), Vec::<String>::new());
    for wave in reconcile::covering(world.context()).await.expect("a plan") {
        let (report, holds) = reconcile::again(world.context(), wave).await.expect("readable");
        assert!(holds, "{wave}: {:?}", report.findings);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_did_meanwhile_stays_as_they_left_it() {
    let (world, _) = migrated().await;
    let ids = |kind| world.gorgias.edit(|editor| editor.ids(kind));
    let tickets = ids(RecordKind::Ticket);
    let person = |method: &str, path: String, body: Value| {
        let body = (!body.is_null()).then_some(body);
        world.gorgias.edit(|editor| editor.as_person(method, &path, body)).expect("people may do this")
    };
    // The newest tickets are ours; the first ones were there before.
    let mut ours = tickets.iter().rev().copied();
    let mut next = || ours.next().expect("enough tickets");
    let (renamed, closed, tagged, deleted) = (next(), next(), next(), next());
    person("PUT", format!("/api/tickets/{renamed}"), json!({ "subject": "Call back on Monday" }));
    person("PUT", format!("/api/tickets/{closed}"), json!({ "status": "open" }));
    person("POST", format!("/api/tickets/{tagged}/tags"), json!({ "names": ["VIP"] }));
    person("DELETE", format!("/api/tickets/{deleted}"), Value::Null);
    let corrupted = next();
    world.gorgias.edit(|editor| {
        editor.plant_wrong_byte(RecordKind::Ticket, &Which::Id(corrupted), "subject").expect("a subject")
    });
    let loaded = world.gorgias.dump();
    let plan = planned(&world).await;
    expect![[r#"
        [
            "ticket 4",
        ]
    "#]]
    .assert_debug_eq(
        &told(&plan, "keep").into_iter().filter(|line| line.starts_with("ticket")).collect::<Vec<_>>(),
    );
    rollback::apply(world.context()).await.expect("applied");
    rollback::purge(world.context(), plan.count("remove")).await.expect("purged");
    let after = world.gorgias.dump();
    let ticket = |dump: &Value, id: u64| -> Value {
        let tickets = dump["tickets"].as_array().cloned().unwrap_or_default();
        tickets.into_iter().find(|ticket| ticket["id"] == id).unwrap_or_default()
    };
    for id in [renamed, closed, tagged, corrupted] {
        assert_eq!(ticket(&after, id), ticket(&loaded, id), "ticket {id}");
        let customer = &ticket(&loaded, id)["customer"]["id"];
        let customers = after["customers"].as_array().expect("a table");
        assert!(customers.iter().any(|found| &found["id"] == customer), "the customer of {id} stays");
    }
    assert_eq!(ticket(&after, deleted), Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_stopped_half_way_is_taken_back_too() {
    let mut world = World::start(40, 80).await;
    world.context_mut().limits.rollback_hold = Duration::ZERO;
    let before = essence(&world.gorgias.dump());
    world.run_through(Step::Load(Wave::Customers)).await;
    let plan = planned(&world).await;
    assert!(plan.switches > 0, "rules are still paused");
    rollback::apply(world.context()).await.expect("applied");
    let refused = run_step(world.context(), Step::Load(Wave::Leads)).await;
    assert!(refused.is_err_and(|error| error.code() == "LOD003" || error.code() == "LOD006"));
    rollback::purge(world.context(), plan.count("remove")).await.expect("purged");
    let after = essence(&world.gorgias.dump());
    assert_eq!(differences(&after, &before), Vec::<String>::new());
}
