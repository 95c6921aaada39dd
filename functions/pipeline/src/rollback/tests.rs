//! Migrations in memory, taken back and brought again, with people and crashes in between.

use std::time::Duration;

use expect_test::expect;
use migration::gorgias::MessageId;

use super::*;
use crate::ports::gorgias::Message;
use crate::reconcile;
use crate::testing::migrated::{
    account, assert_same, before, customer_of, event, migrate, migrated, ticket_of,
};
use crate::testing::{Account, Fault, Wants, World};
use crate::wave::Wave;

async fn plan_new(world: &World) -> PlanV1 {
    match plan_for(&world.context(), &Wants::schema()).await.expect("readable") {
        Planned::New(plan) => plan,
        other => unreachable!("{other:?}"),
    }
}

/// Object, deed and count of every line of a plan.
fn told(objects: &std::collections::BTreeMap<String, std::collections::BTreeMap<String, u64>>) -> String {
    let lines = objects.iter().flat_map(|(object, deeds)| {
        deeds.iter().map(move |(deed, count)| format!("{object} {deed} {count}"))
    });
    lines.collect::<Vec<_>>().join(", ")
}

async fn apply_all(world: &World) -> Result<CertificateV1, RollbackError> {
    apply(&world.context()).await
}

async fn purge_all(world: &World, count: u64) -> Result<CertificateV1, RollbackError> {
    world.clock.advance(Duration::from_secs(3_601));
    purge(&world.context(), count).await
}

#[tokio::test]
async fn what_nobody_touched_is_as_it_was_before() {
    let world = migrated(4, 2).await;
    let planned = plan_new(&world).await;
    expect!["customer give_back 1, customer remove 3, field archive 2, tag remove 1, team remove 1, ticket remove 4"]
        .assert_eq(&told(&planned.objects));
    let applied = apply_all(&world).await.expect("applied");
    expect!["customer given_back 1, customer waiting 3, field archived 2, tag waiting 1, team waiting 1, ticket in_trash 4"]
        .assert_eq(&told(&applied.objects));
    assert_eq!(applied.unexpected, 0);
    let purged = purge_all(&world, planned.count("remove")).await.expect("purged");
    expect!["customer given_back 1, customer removed 3, field archived 2, tag removed 1, team removed 1, ticket removed 4"]
        .assert_eq(&told(&purged.objects));
    assert_eq!((purged.shown, purged.unexpected), (0, 0));
    assert_same(&account(&world), &before(), "after a purge");
    let sent = world.gorgias.usage_by_route();
    assert_eq!(purge_all(&world, planned.count("remove")).await.expect("done already"), purged);
    let again = world.gorgias.usage_by_route();
    assert_eq!(sent.get("DELETE /tickets/{id}"), again.get("DELETE /tickets/{id}"));
    let nothing = plan_new(&world).await;
    assert!(!nothing.has_changes(), "{}", told(&nothing.objects));
    let attempt = load::retry(&world.context(), Wave::Leads, 1).await;
    assert!(matches!(attempt, Err(LoadError::TakenBack { number: 1 })), "{attempt:?}");
}

#[tokio::test]
async fn undone_before_the_purge_it_is_as_loaded_and_can_be_rolled_back_again() {
    let world = migrated(3, 2).await;
    let loaded = account(&world);
    plan_new(&world).await;
    apply_all(&world).await.expect("applied");
    let load = load::run(&world.context(), Wave::Customers).await;
    assert!(load.is_ok(), "a wave that is done stays done");
    let undone = undo(&world.context()).await.expect("undone");
    expect!["customer there 3, field there 2, tag there 1, team there 1, ticket there 3"]
        .assert_eq(&told(&undone.objects));
    assert_same(&account(&world), &loaded, "after an undo");
    for wave in [Wave::Customers, Wave::Leads] {
        let (_, holds) = reconcile::again(&world.context(), wave).await.expect("readable");
        assert!(holds, "{wave}");
    }
    let planned = plan_new(&world).await;
    apply_all(&world).await.expect("applied again");
    purge_all(&world, planned.count("remove")).await.expect("purged");
    assert_same(&account(&world), &before(), "after rollback, undo, rollback");
}

#[tokio::test]
async fn what_people_touched_stays_with_everything_it_needs() {
    let world = migrated(7, 2).await;
    let (changed, answered, assigned, trashed) =
        (ticket_of(&world, 1), ticket_of(&world, 3), ticket_of(&world, 4), ticket_of(&world, 5));
    let (renamed, adopted) = (customer_of(&world, 6), customer_of(&world, 2));
    let now = crate::ports::clock::Clock::now(&*world.clock);
    world.gorgias.account(|account| {
        account.tickets.get_mut(&changed).expect("there").subject = Some("Call back".to_owned());
        let template: Message = account.messages.values().next().cloned().expect("messages");
        let reply = Message { id: MessageId(99_999), ticket: answered, external_id: None, ..template };
        account.messages.insert(reply.id, reply);
        account.tickets.get_mut(&trashed).expect("there").trashed_at = Some(now);
        account.customers.get_mut(&renamed).expect("there").name = Some("New Name".to_owned());
        account.customers.get_mut(&adopted).expect("there").name = Some("Oldest Friend".to_owned());
    });
    event(&world, "ticket-assigned", "Ticket", assigned.0);
    let touched = account(&world);
    let planned = plan_new(&world).await;
    expect!["customer give_back 1, customer keep 5, customer remove 1, field archive 1, field keep 1, tag keep 1, team keep 1, ticket keep 3, ticket nothing 1, ticket remove 3"]
        .assert_eq(&told(&planned.objects));
    expect![[r#"{"ROL101": 3, "ROL102": 1, "ROL103": 1, "ROL104": 7, "ROL106": 1}"#]]
        .assert_eq(&format!("{:?}", planned.reasons));
    apply_all(&world).await.expect("applied");
    purge_all(&world, planned.count("remove")).await.expect("purged");
    let after = account(&world);
    for id in [changed, answered, assigned] {
        assert_eq!(after.tickets.get(&id), touched.tickets.get(&id));
    }
    assert!(after.messages.contains_key(&MessageId(99_999)));
    assert_eq!(after.customers[&renamed], touched.customers[&renamed]);
    assert_eq!(after.customers[&adopted].name.as_deref(), Some("Oldest Friend"));
    assert_eq!(after.customers[&adopted].external_id, None);
    assert_eq!(after.tags, touched.tags);
    let number = |number| customer_of(&world, number);
    for kept in [1, 3, 4, 5, 6] {
        assert!(after.customers.contains_key(&number(kept)), "customer {kept}");
    }
    assert_eq!(after.tickets.len(), 4);
}

#[tokio::test]
async fn what_a_person_does_while_it_runs_brings_it_back() {
    let world = migrated(3, 1).await;
    let planned = plan_new(&world).await;
    let (early, late) = (ticket_of(&world, 1), ticket_of(&world, 3));
    // Before the first write of the rollback, and while it lies in the trash.
    event(&world, "ticket-tags-added", "Ticket", early.0);
    let applied = apply_all(&world).await.expect("applied");
    assert!(told(&applied.objects).contains("ticket in_trash 2"), "{}", told(&applied.objects));
    assert!(account(&world).tickets[&early].trashed_at.is_none());
    event(&world, "ticket-message-created", "Ticket", late.0);
    let early_hold = purge(&world.context(), planned.count("remove")).await;
    assert!(matches!(early_hold, Err(RollbackError::Held { .. })));
    world.clock.advance(Duration::from_secs(3_601));
    let wrong = purge(&world.context(), planned.count("remove") + 1).await;
    assert!(matches!(wrong, Err(RollbackError::OtherCount { .. })));
    let purged = purge_all(&world, planned.count("remove")).await.expect("purged");
    let after = account(&world);
    assert!(after.tickets[&early].trashed_at.is_none());
    assert!(after.tickets[&late].trashed_at.is_none(), "{}", told(&purged.objects));
    assert_eq!(after.tickets.len(), 2);
    assert_eq!(purged.unexpected, 0);
}

#[tokio::test]
async fn a_crash_at_any_effect_changes_nothing_about_the_end() {
    let people = 3;
    let mut effects = 0;
    for kill in 1.. {
        let world = migrated(people, 1).await;
        let planned = plan_new(&world).await;
        if world.until_crash(kill, apply_all(&world)).await.is_some() {
            effects = kill;
            break;
        }
        let ctx = world.context();
        if kill % 2 == 0 {
            apply(&ctx).await.expect("goes on");
            undo(&ctx).await.expect("undone");
            let again = plan_new(&world).await;
            apply(&ctx).await.expect("applied");
            purge_all(&world, again.count("remove")).await.expect("purged");
        } else {
            apply(&ctx).await.expect("goes on");
            purge_all(&world, planned.count("remove")).await.expect("purged");
        }
        assert_same(&account(&world), &before(), &format!("after a crash at effect {kill}"));
    }
    assert!(effects > 12, "{effects} effects are few");
}

#[tokio::test]
async fn a_crash_of_undo_and_purge_changes_nothing_about_the_end() {
    for kill in 1.. {
        let world = migrated(2, 1).await;
        let loaded = account(&world);
        plan_new(&world).await;
        apply_all(&world).await.expect("applied");
        let ended = world.until_crash(kill, undo(&world.context())).await;
        undo(&world.context()).await.expect("goes on");
        assert_same(&account(&world), &loaded, &format!("after a crash of the undo at {kill}"));
        if ended.is_some() {
            break;
        }
    }
    for kill in 1.. {
        let world = migrated(2, 1).await;
        let planned = plan_new(&world).await;
        apply_all(&world).await.expect("applied");
        let count = planned.count("remove");
        let ended = world.until_crash(kill, purge_all(&world, count)).await;
        purge_all(&world, count).await.expect("goes on");
        assert_same(&account(&world), &before(), &format!("after a crash of the purge at {kill}"));
        if ended.is_some() {
            break;
        }
    }
}

#[tokio::test]
async fn lost_answers_are_looked_up_and_a_load_in_doubt_is_settled_first() {
    let routes = [
        "PUT /tickets/{id}",
        "PUT /customers/{id}",
        "PUT /customers/{id}/custom-fields",
        "PUT /custom-fields/{id}",
    ];
    for route in routes {
        for fault in [Fault::AnswerLost, Fault::Vanished, Fault::Late(20), Fault::NotSent] {
            let world = migrated(3, 1).await;
            let planned = plan_new(&world).await;
            world.gorgias.fail(route, world.gorgias.requests(route) + 1, fault);
            apply_all(&world).await.expect("applied");
            purge_all(&world, planned.count("remove")).await.expect("purged");
            assert_same(&account(&world), &before(), &format!("after {fault:?} of {route}"));
        }
    }
    for route in ["DELETE /tickets/{id}", "DELETE /customers/{id}", "DELETE /tags/{id}", "DELETE /teams/{id}"]
    {
        let world = migrated(3, 1).await;
        let planned = plan_new(&world).await;
        apply_all(&world).await.expect("applied");
        world.gorgias.fail(route, 1, Fault::AnswerLost);
        purge_all(&world, planned.count("remove")).await.expect("purged");
        assert_same(&account(&world), &before(), &format!("after a lost answer of {route}"));
    }
}

#[tokio::test]
async fn after_a_purge_another_load_writes_everything_again() {
    let world = migrated(3, 502).await;
    let loaded = account(&world);
    let planned = plan_new(&world).await;
    apply_all(&world).await.expect("applied");
    purge_all(&world, planned.count("remove")).await.expect("purged");
    assert_same(&account(&world), &before(), "after a purge");
    let again = world.another_run("2026-11-23-t2");
    Wants::people(3, 502).seal(&again).await;
    migrate(&again).await.expect("a second run");
    let found = account(&world);
    assert_eq!(found.tickets.len(), loaded.tickets.len());
    assert_eq!(found.messages.len(), loaded.messages.len());
    assert_eq!(found.duplicates(), Vec::<String>::new());
    let values = |account: &Account| -> usize {
        account.customers.values().map(|customer| customer.values.as_ref().map_or(0, Vec::len)).sum()
    };
    assert_eq!(values(&found), values(&loaded));
}
