//! What is lost at Gorgias against what was approved.

use migration::loss::{LossBudget, LossKey, Way};
use migration::mapping::Reviewer;

use super::*;
use crate::losses::{self, OVER_AT_GORGIAS, StoredBudget};

fn reviewer() -> Reviewer {
    Reviewer::new("Reviewer One").expect("a name")
}

/// Object, code and bound.
type Allowed = (&'static str, &'static str, u64);

/// Nothing was lost on the way to the load, and so much may be lost of it.
async fn approve(world: &World, allowed: &[Allowed]) {
    let ctx = world.context();
    let key = ctx.run_key(losses::EXACT).expect("a key");
    let nothing = StoredBudget::of(&LossBudget::default(), true);
    crate::documents::put(&ctx, key, &nothing).await.expect("kept");
    let mut budget = LossBudget::default();
    for (object, code, bound) in allowed {
        budget.allow(LossKey::new(*object, *code), Way::Dropped, *bound);
    }
    let at = "2026-06-01T00:00:00Z".parse().expect("a moment");
    losses::approve(&ctx, &budget, true, &reviewer(), at).await.expect("kept");
}

#[tokio::test]
async fn a_record_that_gorgias_refuses_beyond_the_budget_closes_the_wave() {
    let budgets: [(&[Allowed], bool); 3] = [
        (&[], false),
        (&[("gorgias_ticket", codes::REFUSED, 1)], true),
        (&[("gorgias_customer", codes::REFUSED, 9)], false),
    ];
    for (allowed, holds) in budgets {
        let world = world_of(Account::fresh(), Wants::people(30, 2)).await;
        approve(&world, allowed).await;
        world.gorgias.fail("POST /tickets", 2, Fault::Refused);
        run_to_plan(&world).await.expect("planned");
        let ctx = world.context();
        for wave in [Wave::Customers, Wave::Leads] {
            run(&ctx, wave).await.expect("loaded");
            reconcile::run(&ctx, wave).await.expect("compared");
        }
        let verdict = verdict_of(&world, Wave::Leads).await;
        assert_eq!(verdict.opens_next(), holds, "{allowed:?}: {:?}", told(&verdict));
        assert_eq!(verdict.unexplained.contains_key(OVER_AT_GORGIAS), !holds);
    }
}

#[tokio::test]
async fn a_ticket_that_waits_for_a_refused_customer_is_lost_too_until_it_is_accepted() {
    let mut account = Account::fresh();
    let foreign = made_by_people(80, "Person 2", &[("email", email(2))]);
    add(&mut account, Customer { external_id: Some("crm-2".to_owned()), ..foreign });
    let world = world_of(account, Wants::people(3, 1)).await;
    approve(&world, &[("gorgias_customer", codes::FOREIGN_KEY, 1)]).await;
    run_to_plan(&world).await.expect("planned");
    let ctx = world.context();
    for wave in [Wave::Customers, Wave::Leads] {
        run(&ctx, wave).await.expect("loaded");
        reconcile::run(&ctx, wave).await.expect("compared");
    }
    assert!(verdict_of(&world, Wave::Customers).await.opens_next());
    let verdict = verdict_of(&world, Wave::Leads).await;
    let expected =
        format!("loss gorgias_ticket/{} dropped {OVER_AT_GORGIAS} unexplained", codes::PARENT_NOT_LOADED);
    assert_eq!(told(&verdict), [expected]);
    let at = "2026-06-02T00:00:00Z".parse().expect("a moment");
    assert_eq!(losses::raise(&ctx, &reviewer(), at).await.expect("raised").len(), 1);
    reconcile::run(&ctx, Wave::Leads).await.expect("compared");
    assert!(verdict_of(&world, Wave::Leads).await.opens_next());
}
