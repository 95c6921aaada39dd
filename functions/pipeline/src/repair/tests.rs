//! Migrations in memory that are damaged, worked on by people, and mended, with crashes in between.

use expect_test::expect;
use migration::gorgias::{MessageId, TicketId};
use migration::settings::ConflictRule;

use super::*;
use crate::reconcile;
use crate::rollback;
use crate::testing::migrated::{account, assert_same, customer_of, event, migrated, ticket_of};
use crate::testing::wants::lead;
use crate::testing::{Account, Fault, World};
use crate::wave::Wave;

async fn planned(world: &World) -> PlanV1 {
    match plan(&world.context()).await.expect("readable") {
        Planned::New(plan) => plan,
        other => unreachable!("{other:?}"),
    }
}

/// Object, deed or outcome, and count.
fn told(objects: &BTreeMap<String, BTreeMap<String, u64>>) -> String {
    let lines = objects.iter().flat_map(|(object, deeds)| {
        deeds.iter().map(move |(deed, count)| format!("{object} {deed} {count}"))
    });
    lines.collect::<Vec<_>>().join(", ")
}

async fn holds(world: &World) -> bool {
    let mut all = true;
    for wave in [Wave::Customers, Wave::Leads] {
        all &= reconcile::again(&world.context(), wave).await.expect("readable").1;
    }
    all
}

fn message_of(account: &Account, ticket: TicketId, position: usize) -> MessageId {
    let mut messages = account.messages.values().filter(|message| message.ticket == ticket);
    messages.nth(position).expect("there").id
}

/// Damage of every kind, and nobody's doing.
fn damage(world: &World) {
    let (broken, moved, bare) = (ticket_of(world, 1), ticket_of(world, 3), ticket_of(world, 4));
    let (renamed, filled, robbed) = (customer_of(world, 1), customer_of(world, 2), customer_of(world, 3));
    world.gorgias.account(|account| {
        let ticket = account.tickets.get_mut(&broken).expect("there");
        ticket.subject = Some("Subject of leaddesk:lead:1:2".to_owned());
        "open".clone_into(&mut ticket.status);
        ticket.closed_at = None;
        let text = message_of(account, moved, 1);
        account.messages.get_mut(&text).expect("there").body_text = Some("text 3".to_owned());
        let ticket = account.tickets.get_mut(&bare).expect("there");
        ticket.tags.clear();
        ticket.values.clear();
        ticket.assignee_team = None;
        account.customers.get_mut(&renamed).expect("there").name = Some("Person 2".to_owned());
        let channels = account.customers.get_mut(&renamed).expect("there").channels.as_mut().expect("shown");
        channels[1].address = "+358400009999".to_owned();
        account.customers.get_mut(&filled).expect("there").external_id = None;
        account.customers.get_mut(&robbed).expect("there").values = Some(Vec::new());
    });
}

#[tokio::test]
async fn what_was_damaged_is_as_it_was_loaded() {
    let world = migrated(4, 2).await;
    let loaded = account(&world);
    damage(&world);
    assert!(!holds(&world).await);
    let plan = planned(&world).await;
    expect!["customer mend 3, message mend 1, ticket mend 2"].assert_eq(&told(&plan.objects));
    assert_eq!(plan.reasons, BTreeMap::new());
    let sent = world.gorgias.usage_by_route();
    let done = apply(&world.context()).await.expect("mended");
    expect!["customer mended 3, message mended 1, ticket mended 2"].assert_eq(&told(&done.objects));
    assert_same(&account(&world), &loaded, "after a repair");
    assert!(holds(&world).await);
    let written = world.gorgias.usage_by_route();
    let count = |route: &str| written.get(route).unwrap_or(&0) - sent.get(route).unwrap_or(&0);
    assert_eq!((count("POST /tickets"), count("POST /customers")), (0, 0));
    assert_eq!(count("PUT /tickets/{id}"), 2);
    assert_eq!(apply(&world.context()).await.expect("done already"), done);
    assert_eq!(world.gorgias.usage_by_route(), written, "a repair that is done sends nothing");
    let nothing = planned(&world).await;
    assert_eq!((nothing.writes(), nothing.compared), (0, 12), "{}", told(&nothing.objects));
}

#[tokio::test]
async fn what_people_changed_or_deleted_stays_as_they_left_it() {
    let world = migrated(6, 2).await;
    let (renamed, deleted, trashed, robbed, answered) = (
        ticket_of(&world, 1),
        ticket_of(&world, 3),
        ticket_of(&world, 4),
        ticket_of(&world, 5),
        ticket_of(&world, 6),
    );
    let customer = customer_of(&world, 6);
    let now = crate::ports::clock::Clock::now(&*world.clock);
    world.gorgias.account(|account| {
        account.tickets.get_mut(&renamed).expect("there").subject = Some("Call back".to_owned());
        account.tickets.remove(&deleted);
        account.messages.retain(|_, message| message.ticket != deleted);
        account.tickets.get_mut(&trashed).expect("there").trashed_at = Some(now);
        let message = message_of(account, robbed, 0);
        account.messages.remove(&message);
        let template = account.messages.values().next().cloned().expect("messages");
        let reply = crate::ports::gorgias::Message {
            id: MessageId(99_999),
            ticket: answered,
            external_id: None,
            ..template
        };
        account.messages.insert(reply.id, reply);
        "open".clone_into(&mut account.tickets.get_mut(&answered).expect("there").status);
        account.customers.get_mut(&customer).expect("there").name = Some("New Name".to_owned());
    });
    event(&world, "ticket-subject-updated", "Ticket", renamed.0);
    event(&world, "ticket-deleted", "Ticket", deleted.0);
    event(&world, "ticket-message-deleted", "Ticket", robbed.0);
    event(&world, "customer-updated", "Customer", customer.0);
    let touched = account(&world);
    let plan = planned(&world).await;
    expect!["customer keep 1, ticket keep 5"].assert_eq(&told(&plan.objects));
    expect![[r#"{"RPR101": 3, "RPR102": 3}"#]].assert_eq(&format!("{:?}", plan.reasons));
    let done = apply(&world.context()).await.expect("nothing to do");
    expect!["customer kept 1, ticket kept 5"].assert_eq(&told(&done.objects));
    assert_same(&account(&world), &touched, "after a repair");
}

#[tokio::test]
async fn what_is_missing_though_nobody_deleted_it_is_made_again_once() {
    // Tickets of more messages than one creation carries.
    let world = migrated(4, 502).await;
    let loaded = account(&world);
    let (lost, thinned) = (ticket_of(&world, 3), ticket_of(&world, 4));
    let customer = customer_of(&world, 1);
    world.gorgias.account(|account| {
        account.tickets.remove(&lost);
        account.messages.retain(|_, message| message.ticket != lost);
        // One that came with the ticket, and one that was appended.
        for position in [501, 3] {
            let message = message_of(account, thinned, position);
            account.messages.remove(&message);
        }
        account.customers.remove(&customer);
        let orphan = account.tickets.values_mut().find(|ticket| ticket.customer == Some(customer));
        orphan.expect("its ticket").customer = None;
    });
    let plan = planned(&world).await;
    expect!["customer make_again 1, message append 2, ticket make_again 1"].assert_eq(&told(&plan.objects));
    let done = apply(&world.context()).await.expect("mended");
    expect!["customer made_again 1, message appended 2, ticket made_again 1"].assert_eq(&told(&done.objects));
    // Which customer a ticket belongs to shows when that customer is there again.
    let second = planned(&world).await;
    expect!["ticket mend 1"].assert_eq(&told(&second.objects));
    apply(&world.context()).await.expect("mended");
    let found = account(&world);
    assert_eq!(found.duplicates(), Vec::<String>::new());
    assert_eq!((found.tickets.len(), found.messages.len()), (loaded.tickets.len(), loaded.messages.len()));
    assert!(holds(&world).await);
}

#[tokio::test]
async fn what_shows_up_again_is_not_made_a_second_time() {
    let world = migrated(2, 1).await;
    let lost = ticket_of(&world, 1);
    let kept = account(&world);
    world.gorgias.account(|account| {
        account.tickets.remove(&lost);
        account.messages.retain(|_, message| message.ticket != lost);
    });
    let plan = planned(&world).await;
    expect!["ticket make_again 1"].assert_eq(&told(&plan.objects));
    // The list had not shown it; it is there when its turn comes.
    world.gorgias.account(|account| *account = kept.clone());
    let done = apply(&world.context()).await.expect("nothing to do");
    expect!["ticket refused 1"].assert_eq(&told(&done.objects));
    assert_same(&account(&world), &kept, "after a repair");
    assert!(holds(&world).await);
}

#[tokio::test]
async fn what_a_person_changes_between_plan_and_apply_is_a_conflict_that_a_rule_settles() {
    let world = migrated(3, 1).await;
    let (edited, tagged) = (ticket_of(&world, 1), ticket_of(&world, 3));
    world.gorgias.account(|account| {
        for id in [edited, tagged] {
            account.tickets.get_mut(&id).expect("there").subject = Some("damaged".to_owned());
        }
    });
    planned(&world).await;
    world.gorgias.account(|account| {
        account.tickets.get_mut(&edited).expect("there").subject = Some("Call back".to_owned());
        account.tags.push(crate::ports::gorgias::Tag {
            id: migration::gorgias::TagId(77),
            name: "VIP".to_owned(),
            description: None,
            color: None,
            usage: None,
        });
        account.tickets.get_mut(&tagged).expect("there").tags.push("VIP".to_owned());
    });
    event(&world, "ticket-subject-updated", "Ticket", edited.0);
    event(&world, "ticket-tags-added", "Ticket", tagged.0);
    let done = apply(&world.context()).await.expect("ends");
    // The tag that a person set is in nobody's way.
    expect!["ticket mended 1, ticket refused 1"].assert_eq(&told(&done.objects));
    assert_eq!(done.residue[0].code, codes::CHANGED_SINCE);
    let found = account(&world);
    assert_eq!(found.tickets[&edited].subject.as_deref(), Some("Call back"));
    assert_eq!(found.tickets[&tagged].tags, ["Q4", "VIP"]);
    assert_eq!(found.tickets[&tagged].subject, Some(format!("Subject of {}", lead(3))));
    let asked = planned(&world).await;
    expect!["ticket ask 1, ticket keep 1"].assert_eq(&told(&asked.objects));
    expect![[r#"{"RPR101": 1, "RPR103": 1}"#]].assert_eq(&format!("{:?}", asked.reasons));

    let unsettled = apply(&world.context()).await.expect("nothing to do");
    expect!["ticket kept 2"].assert_eq(&told(&unsettled.objects));
    // A rule of the mapping settles it, however often it was planned before.
    let mut ctx = world.context();
    ctx.mapping.conflict_rules.insert("subject".to_owned(), ConflictRule::SourceWins);
    let Planned::New(ruled) = plan(&ctx).await.expect("readable") else { unreachable!("nothing is open") };
    expect!["ticket keep 1, ticket mend 1"].assert_eq(&told(&ruled.objects));
    apply(&ctx).await.expect("mended");
    assert_eq!(account(&world).tickets[&edited].subject, Some(format!("Subject of {}", lead(1))));
}

#[tokio::test]
async fn a_crash_at_any_effect_changes_nothing_about_the_end() {
    let (mut effects, mut opens) = (0, 0);
    for kill in 1.. {
        let world = migrated(4, 2).await;
        let loaded = account(&world);
        damage(&world);
        let (lost, thinned) = (ticket_of(&world, 2), ticket_of(&world, 4));
        world.gorgias.account(|account| {
            account.tickets.remove(&lost);
            account.messages.retain(|_, message| message.ticket != lost);
            let message = message_of(account, thinned, 0);
            account.messages.remove(&message);
        });
        planned(&world).await;
        let ended = world.until_crash(kill, apply(&world.context())).await;
        let open = plan(&world.context()).await.expect("readable");
        opens += u64::from(matches!(open, Planned::Open(_)));
        apply(&world.context()).await.expect("goes on");
        let found = account(&world);
        assert_eq!(found.duplicates(), Vec::<String>::new(), "after a crash at effect {kill}");
        assert_eq!(
            (found.tickets.len(), found.messages.len()),
            (loaded.tickets.len(), loaded.messages.len())
        );
        assert_eq!((&found.rules, &found.settings), (&loaded.rules, &loaded.settings), "effect {kill}");
        let left = planned(&world).await;
        assert!(
            holds(&world).await,
            "after a crash at effect {kill}: {} {:?}",
            told(&left.objects),
            left.reasons
        );
        if ended.is_some() {
            effects = kill;
            break;
        }
    }
    assert!(effects > 20 && opens > 15, "{effects} effects, {opens} of them within the repair, are few");
}

#[tokio::test]
async fn lost_answers_are_looked_up_and_nothing_is_written_twice() {
    let routes = [
        "PUT /tickets/{id}",
        "POST /tickets/{id}/tags",
        "PUT /tickets/{id}/messages/{id}",
        "PUT /customers/{id}",
        "PUT /customers/{id}/custom-fields",
    ];
    for route in routes {
        for fault in [Fault::AnswerLost, Fault::Vanished, Fault::Late(20), Fault::NotSent] {
            let world = migrated(4, 2).await;
            let loaded = account(&world);
            damage(&world);
            planned(&world).await;
            world.gorgias.fail(route, world.gorgias.requests(route) + 1, fault);
            apply(&world.context()).await.expect("mended");
            assert_same(&account(&world), &loaded, &format!("after {fault:?} of {route}"));
        }
    }
}

#[tokio::test]
async fn a_repair_that_was_refused_leaves_the_ledger_as_it_was() {
    let world = migrated(3, 1).await;
    let adopted = customer_of(&world, 2);
    world.gorgias.account(|account| {
        account.customers.get_mut(&adopted).expect("there").external_id = None;
    });
    planned(&world).await;
    world.gorgias.fail(
        "PUT /customers/{id}",
        world.gorgias.requests("PUT /customers/{id}") + 1,
        Fault::Refused,
    );
    let done = apply(&world.context()).await.expect("ends");
    expect!["customer refused 1"].assert_eq(&told(&done.objects));
    // It is still known as one that was there before: a rollback gives it back, and removes nothing.
    let rollback = rollback::plan_for(&world.context(), &crate::testing::Wants::schema()).await;
    let Ok(rollback::Planned::New(rollback)) = rollback else { unreachable!("{rollback:?}") };
    assert!(
        told(&rollback.objects).contains("customer give_back 1, customer remove 2"),
        "{:?}",
        rollback.objects
    );
}

#[tokio::test(start_paused = true)]
async fn who_acts_between_our_look_and_our_write_is_named() {
    let fixed = migrated(4, 2).await;
    let pace = crate::simulation::Template::pace();
    let world = fixed.copied(pace, std::time::Duration::ZERO, &crate::testing::chance::Weather::fair(), None);
    let (damaged, other) = (ticket_of(&world, 1), ticket_of(&world, 3));
    world.gorgias.account(|account| {
        for id in [damaged, other] {
            account.tickets.get_mut(&id).expect("there").subject = Some("damaged".to_owned());
        }
    });
    planned(&world).await;
    let looks = world.gorgias.requests("GET /tickets/{id}");
    let ctx = world.context();
    let (done, ()) = tokio::join!(apply(&ctx), async {
        // Writes take their time on the way, looks do not: it was looked, and nothing is written yet.
        while world.gorgias.requests("GET /tickets/{id}") == looks {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        world.gorgias.account(|account| {
            account.tickets.get_mut(&damaged).expect("there").subject = Some("Call back".to_owned());
        });
        event(&world, "ticket-subject-updated", "Ticket", damaged.0);
    });
    let done = done.expect("mended");
    let named: Vec<_> =
        done.residue.iter().map(|left| (left.gorgias_id.clone(), left.code.as_str())).collect();
    assert_eq!(named, [(damaged.to_string(), codes::OVERTAKEN)]);
    expect!["ticket mended 2"].assert_eq(&told(&done.objects));
}

#[tokio::test]
async fn second_records_of_a_repair_are_taken_out_of_the_way_by_its_comparison() {
    let world = migrated(4, 2).await;
    let first = ticket_of(&world, 1);
    world.gorgias.account(|account| {
        let second = TicketId(900_000);
        let ticket = account.tickets[&first].clone();
        account.tickets.insert(second, crate::ports::gorgias::Ticket { id: second, ..ticket });
    });
    assert!(!holds(&world).await, "a comparison alone only names it");
    for wave in [Wave::Customers, Wave::Leads] {
        assert!(reconcile::after_writes(&world.context(), wave).await.expect("compared").1, "{wave}");
    }
    assert!(account(&world).tickets[&TicketId(900_000)].trashed_at.is_some());
    assert!(account(&world).tickets[&first].trashed_at.is_none());
}

#[tokio::test]
async fn what_is_made_again_carries_the_recording_that_was_uploaded() {
    let mut wants = crate::testing::Wants::people(4, 2);
    wants.recording(&lead(1), 2);
    wants.recording(&lead(3), 1);
    let world = crate::testing::migrated::migrated_as(wants).await;
    let loaded = account(&world);
    let (lost, robbed) = (ticket_of(&world, 1), ticket_of(&world, 3));
    let message = message_of(&loaded, robbed, 0);
    world.gorgias.account(|account| {
        account.tickets.remove(&lost);
        account.messages.retain(|id, held| held.ticket != lost && *id != message);
    });
    let plan = planned(&world).await;
    expect!["message append 1, ticket make_again 1"].assert_eq(&told(&plan.objects));
    let done = apply(&world.context()).await.expect("mended");
    expect!["message appended 1, ticket made_again 1"].assert_eq(&told(&done.objects));
    assert!(holds(&world).await);
    let attached = |account: &Account| {
        let messages = account.messages.values().filter(|message| !message.attachments.is_empty());
        let told = messages.map(|message| (message.external_id.clone(), message.attachments.clone()));
        told.collect::<BTreeMap<_, _>>()
    };
    assert_eq!(attached(&account(&world)), attached(&loaded));
    assert_eq!(world.gorgias.usage_by_route()["POST /upload"], 2, "a file that lies there is not sent again");
}

#[tokio::test]
async fn what_was_mended_is_taken_back_like_everything_else() {
    let world = migrated(4, 2).await;
    damage(&world);
    let lost = ticket_of(&world, 2);
    world.gorgias.account(|account| {
        account.tickets.remove(&lost);
        account.messages.retain(|_, message| message.ticket != lost);
    });
    planned(&world).await;
    apply(&world.context()).await.expect("mended");
    let schema = crate::testing::Wants::schema();
    let rollback::Planned::New(plan) = rollback::plan_for(&world.context(), &schema).await.expect("readable")
    else {
        unreachable!("nothing is open")
    };
    assert_eq!(plan.count("keep"), 0, "{:?}", plan.reasons);
    rollback::apply(&world.context()).await.expect("applied");
    let refused = super::plan(&world.context()).await;
    assert!(matches!(refused, Err(RepairError::Load(_))), "{refused:?}");
    world.clock.advance(std::time::Duration::from_secs(3_601));
    rollback::purge(&world.context(), plan.count("remove")).await.expect("purged");
    assert_same(&account(&world), &crate::testing::migrated::before(), "after a repair and a rollback");
}
