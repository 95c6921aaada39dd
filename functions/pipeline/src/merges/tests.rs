//! People merge and delete customers before, while and after tickets are loaded.

use expect_test::expect;

use super::*;
use crate::ledger::Ledger;
use crate::load;
use crate::reconcile;
use crate::repair;
use crate::rollback;
use crate::testing::migrated::{account, customer_of, migrated, ticket_of};
use crate::testing::wants::{contact, lead};
use crate::testing::{Account, Wants, World};
use crate::wave::Wave;
use crate::{plan, prepare};

/// Customers are loaded and proven; tickets are not.
async fn with_customers(people: u64) -> World {
    let world = World::new(Account::fresh());
    Wants::people(people, 2).seal(&world).await;
    let ctx = world.context();
    prepare::prepare(&ctx, &Wants::schema()).await.expect("prepared");
    plan::run(&ctx).await.expect("planned");
    load::run(&ctx, Wave::Customers).await.expect("loaded");
    reconcile::run(&ctx, Wave::Customers).await.expect("compared");
    world
}

fn merge(world: &World, source: CustomerId, target: CustomerId) {
    world.gorgias.account(|account| account.merge(source, target));
    crate::testing::migrated::event(world, "customer-merged", "Customer", target.0);
}

async fn destination(world: &World, number: u64) -> Option<u64> {
    let (book, secret) = Ledger::read(&world.context()).await.expect("a ledger");
    book.destination(&key::customer(&ExternalId::from_stored(contact(number)), &secret))
}

#[tokio::test]
async fn tickets_of_a_customer_that_was_merged_go_to_the_target() {
    let world = with_customers(4).await;
    let (source, target) = (customer_of(&world, 2), customer_of(&world, 3));
    merge(&world, source, target);
    let ctx = world.context();
    load::run(&ctx, Wave::Leads).await.expect("loaded");
    let found = account(&world);
    assert_eq!(found.tickets[&ticket_of(&world, 2)].customer, Some(target));
    assert_eq!(destination(&world, 2).await, Some(target.0));
    assert_eq!(found.customers.len(), 3, "nobody is made again");
    let report = reconcile::run(&ctx, Wave::Leads).await.expect("compared");
    assert_eq!(report.findings, []);
    let (report, holds) = reconcile::again(&ctx, Wave::Customers).await.expect("compared");
    assert!(holds, "{:?}", report.findings);
    // What a person merged is nothing to mend, at the source as at the target.
    let repair::Planned::New(planned) = repair::plan(&ctx).await.expect("readable") else {
        unreachable!("nothing is open")
    };
    expect![[r#"{"customer": {"keep": 2}}"#]].assert_eq(&format!("{:?}", planned.objects));
    expect![[r#"{"RPR101": 1, "RPR108": 1}"#]].assert_eq(&format!("{:?}", planned.reasons));
}

#[tokio::test]
async fn a_merge_after_the_load_is_no_difference_and_the_customer_stays_in_a_rollback() {
    let world = migrated(4, 1).await;
    let (source, target) = (customer_of(&world, 3), customer_of(&world, 4));
    merge(&world, source, target);
    let ctx = world.context();
    for wave in [Wave::Customers, Wave::Leads] {
        let (report, holds) = reconcile::again(&ctx, wave).await.expect("compared");
        assert!(holds, "{wave}: {:?}", report.findings);
    }
    let rollback::Planned::New(planned) = rollback::plan_for(&ctx, &Wants::schema()).await.expect("readable")
    else {
        unreachable!("nothing is open")
    };
    // The target is kept because a person acted on it, the source because it is the target now.
    expect![[r#"{"give_back": 1, "keep": 2, "remove": 1}"#]]
        .assert_eq(&format!("{:?}", planned.objects["customer"]));
    assert_eq!(planned.reasons.get(rollback::codes::MERGED), Some(&1));
    rollback::apply(&ctx).await.expect("applied");
    assert!(account(&world).customers.contains_key(&target));
}

#[tokio::test]
async fn a_merge_between_load_and_comparison_is_kept_in_the_ledger() {
    let world = with_customers(3).await;
    let ctx = world.context();
    load::run(&ctx, Wave::Leads).await.expect("loaded");
    let (source, target) = (customer_of(&world, 1), customer_of(&world, 3));
    merge(&world, source, target);
    let report = reconcile::run(&ctx, Wave::Leads).await.expect("compared");
    assert_eq!(report.findings, []);
    assert_eq!(destination(&world, 1).await, Some(target.0));
}

#[tokio::test]
async fn tickets_of_a_customer_that_was_deleted_are_refused_and_nobody_is_made_again() {
    let world = with_customers(3).await;
    let gone = customer_of(&world, 2);
    world.gorgias.account(|account| account.customers.remove(&gone));
    crate::testing::migrated::event(&world, "customer-deleted", "Customer", gone.0);
    let mut ctx = world.context();
    ctx.limits.refused_percent_max = 100.0;
    load::run(&ctx, Wave::Leads).await.expect("loaded");
    let (book, secret) = Ledger::read(&ctx).await.expect("a ledger");
    let refused = key::ticket(&ExternalId::from_stored(lead(2)), &secret);
    let note = book.note(&refused).expect("a reason");
    expect!["LOD105 a person deleted its customer"].assert_eq(&format!("{} {}", note.code, note.text));
    let found = account(&world);
    assert_eq!((found.customers.len(), found.tickets.len()), (2, 2));
}

#[tokio::test]
async fn a_crash_at_any_effect_leaves_every_ticket_once_and_with_the_target() {
    for kill in 1.. {
        let world = with_customers(4).await;
        let (source, target) = (customer_of(&world, 2), customer_of(&world, 3));
        merge(&world, source, target);
        let ended = world.until_crash(kill, load::run(&world.context(), Wave::Leads)).await;
        load::run(&world.context(), Wave::Leads).await.expect("goes on");
        let found = account(&world);
        assert_eq!(found.duplicates(), Vec::<String>::new(), "after a crash at effect {kill}");
        assert_eq!(found.tickets[&ticket_of(&world, 2)].customer, Some(target), "effect {kill}");
        assert_eq!(found.tickets.len(), 4, "effect {kill}");
        if ended.is_some() {
            break;
        }
    }
}
