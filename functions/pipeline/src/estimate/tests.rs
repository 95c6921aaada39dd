//! Estimates of a small account, before and after its extraction.

use std::time::Duration;

use super::*;
use crate::test_world::{FakeLeadDesk, World};

/// Contacts of the account; a list shows two hundred of them to discovery.
const CONTACTS: u64 = 300;

/// One list; every third contact has an address, every sixty-first is gone, and the last two are one person.
fn account() -> FakeLeadDesk {
    let contact = |id: u64| {
        let email =
            if id.is_multiple_of(3) { format!(r#","email":"c{id}@example.org""#) } else { String::new() };
        format!(
            r#"{{"success":true,"contact_id":{id},"data":{{"id":{id},"phone":"+3584012{id:05}","other1":"x"{email}}}}}"#
        )
    };
    let phone = |id: u64| if id == CONTACTS { CONTACTS - 1 } else { id };
    let rows = (1..=CONTACTS).map(|id| {
        let name = if id >= CONTACTS - 1 { "Same" } else { "Other" };
        let finished = if id.is_multiple_of(2) { "*" } else { "" };
        format!("{id};+3584012{:05};{name};Name;;;;{finished};2026-01-01 10:00:00;;;;;\r\n", phone(id))
    });
    FakeLeadDesk {
        campaigns: vec![r#"{"id":12,"name":"Spring"}"#.into()],
        lists: vec![("41".into(), "List A".into())],
        exports: [("41".to_owned(), rows.collect())].into(),
        contacts: (1..=CONTACTS).filter(|id| !id.is_multiple_of(61)).map(|id| (id, contact(id))).collect(),
        ..FakeLeadDesk::default()
    }
}

fn options() -> Options {
    Options {
        bucket: Bucket { capacity: 40, window: Duration::from_secs(20), reserve: 0.0 },
        source_per_second: 5.0,
        hours: None,
        recent_days: 30,
    }
}

async fn discovered() -> World {
    let world = World::new(account());
    world.file("calls.csv", "id;created_at;talk_time;number;contact_id;campaign;agent_id;record_file\n1;2026-01-02 10:00:00;60;+358401200001;1;12;0;a.mp3\n2;2026-01-02 11:00:00;1;+358409999999;0;12;0;\n");
    crate::discover::run(&world.ctx).await.expect("discovered");
    world
}

fn likely(estimate: &EstimateV1, what: &str) -> u64 {
    estimate.records[what].likely
}

#[tokio::test]
async fn an_estimate_before_anything_moves_holds_what_then_happens() {
    let world = discovered().await;
    let asked = |what: &str| world.source.asked(what);
    let before = (asked("contact"), asked("export"), asked("lists"));
    let said = run(&world.ctx, &options()).await.expect("estimated");
    assert_eq!((asked("contact"), asked("export"), asked("lists")), (before.0, before.1 + 1, before.2 + 1));
    assert_eq!(
        (said.evidence.basis.as_str(), said.evidence.contacts, said.evidence.cards_read),
        ("samples", 300, 200)
    );
    assert!(!said.is_exact());
    assert_eq!(said.source_requests["contact/get"].likely, CONTACTS);

    let seal = propose::Confirmation {
        reviewer: "Reviewer One".into(),
        at: "2026-06-01T00:00:00Z".parse().expect("a moment"),
        proposal_digest: None,
        leave_out: Vec::new(),
    };
    propose::confirm(&world.ctx, &seal).await.expect("confirmed");
    let approved = losses::approved(&world.ctx).await.expect("read").expect("sealed with the mapping");
    assert_eq!(approved, said.budget().expect("sound"));

    extract::run(&world.ctx).await.expect("extracted");
    transform::run(&world.ctx).await.expect("transformed");
    losses::check(&world.ctx).await.expect("within the bounds");
    let counted = run(&world.ctx, &options()).await.expect("estimated");
    assert_eq!(counted.evidence.basis, "snapshot");
    assert!(counted.is_exact());
    for kind in ["customers created", "tickets", "customers with values"] {
        let (range, exact) = (said.records[kind], likely(&counted, kind));
        assert!((range.low..=range.high).contains(&exact), "{kind}: {range:?} and then {exact}");
    }
    let off = said.requests_total.likely.abs_diff(counted.requests_total.likely);
    assert!(
        off * 20 <= counted.requests_total.likely,
        "{} and then {}",
        said.requests_total.likely,
        counted.requests_total.likely
    );
    assert_eq!(latest(&world.ctx).await.expect("read"), Some(counted));
    assert_eq!(first(&world.ctx).await.expect("read"), Some(said));
}

#[tokio::test]
async fn nobody_is_named_and_nothing_of_the_trial_stays() {
    let world = discovered().await;
    let before = world.stored("").len();
    run(&world.ctx, &options()).await.expect("estimated");
    let new: Vec<String> = world
        .stored("")
        .into_iter()
        .filter(|key| !["/pages/", "inventory", "/scope."].iter().any(|known| key.contains(known)))
        .collect();
    assert_eq!(world.stored("").len(), before + new.len());
    assert!(
        new.iter().all(|key| ["/estimate/", "/steps/", "usage"].iter().any(|known| key.contains(known))),
        "{new:?}"
    );
    let text = {
        let objects = world.store.objects.lock().expect("free");
        let estimate = objects.iter().find(|(key, _)| key.as_str().contains("/estimate/")).expect("kept");
        String::from_utf8_lossy(estimate.1).into_owned()
    };
    for personal in ["@example.org", "+358", "Same", "a.mp3"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
    let left = std::fs::read_dir(&world.ctx.scratch).expect("readable");
    let left: Vec<_> = left.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("estimate-")), "{left:?}");
}

#[tokio::test]
async fn nights_and_others_shares_make_it_longer_and_not_more() {
    let world = discovered().await;
    let day = run(&world.ctx, &options()).await.expect("estimated");
    let zone = migration::local_time::SourceZone::new("Europe/Helsinki").expect("a zone");
    let hours = WorkingHours::parse("20:00-20:01", zone).expect("hours");
    let shared =
        Options { bucket: Bucket { reserve: 0.5, ..options().bucket }, hours: Some(hours), ..options() };
    let night = run(&world.ctx, &shared).await.expect("estimated");
    assert_eq!(day.requests_total, night.requests_total);
    assert!(night.times.gorgias.likely > 1.9 * day.times.gorgias.likely);
    let ends = (day.times.end_at.expect("an end"), night.times.end_at.expect("an end"));
    assert!(ends.1.duration_since(ends.0) > SignedDuration::from_hours(48), "{ends:?}");
    assert_eq!(night.times.limited_by, "limited by Gorgias: 1 requests a second");
}
