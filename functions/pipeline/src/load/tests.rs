//! Prepare, plan, load and reconcile against an account in memory.

use migration::gorgias::{CustomerId, TicketId};

use super::*;
use crate::ledger::driver::codes;
use crate::ports::gorgias::{Customer, FoundChannel};
use crate::testing::wants::{contact, email, lead, phone};
use crate::testing::{Account, Fault, Wants, World};
use crate::{plan, reconcile};

/// Why a run did not come to its end.
type Stopped = Box<dyn std::error::Error + Send + Sync>;

async fn run_to_plan(world: &World) -> Result<(), Stopped> {
    let ctx = world.context();
    prepare::prepare(&ctx, &Wants::schema()).await?;
    plan::run(&ctx).await?;
    Ok(())
}

async fn run_waves(world: &World) -> Result<(), Stopped> {
    let ctx = world.context();
    for wave in Wave::ALL {
        run(&ctx, wave).await?;
        reconcile::run(&ctx, wave).await?;
    }
    Ok(())
}

async fn run_all(world: &World) -> Result<(), Stopped> {
    run_to_plan(world).await?;
    run_waves(world).await
}

async fn world_of(account: Account, wants: Wants) -> World {
    let world = World::new(account);
    wants.seal(&world).await;
    world
}

async fn verdict_of(world: &World, wave: Wave) -> WaveVerdict {
    verdict::read(&world.context(), wave).await.expect("readable").expect("a verdict")
}

/// `object field code` and whether it is explained, of every difference.
fn told(verdict: &WaveVerdict) -> Vec<String> {
    let line = |found: &verdict::Difference| {
        let sign = if found.explanation.is_some() { "explained" } else { "unexplained" };
        format!("{} {} {} {} {sign}", found.object, found.external_id, found.field, found.code)
    };
    verdict.differences.iter().map(line).collect()
}

async fn assert_right(world: &World) {
    for wave in [Wave::Customers, Wave::Leads] {
        let verdict = verdict_of(world, wave).await;
        assert!(verdict.opens_next(), "{wave}: {:?}", told(&verdict));
    }
    assert_eq!(world.gorgias.account(|account| account.duplicates()), Vec::<String>::new());
}

/// A customer that people at Gorgias made.
fn made_by_people(number: u64, name: &str, channels: &[(&str, String)]) -> Customer {
    let channel = |(kind, address): &(&str, String)| FoundChannel {
        kind: (*kind).to_owned(),
        address: address.clone(),
        is_preferred: true,
    };
    let primary = channels.iter().find(|(kind, _)| *kind == "email").map(|(_, address)| address.clone());
    Customer {
        id: CustomerId(number),
        external_id: None,
        name: Some(name.to_owned()),
        first_name: None,
        last_name: None,
        email: primary,
        language: None,
        timezone: None,
        channels: Some(channels.iter().map(channel).collect()),
        values: Some(Vec::new()),
        created_at: None,
        updated_at: None,
    }
}

fn add(account: &mut Account, customer: Customer) {
    account.customers.insert(customer.id, customer);
}

fn by_key(world: &World, external_id: &str) -> Option<Customer> {
    world.gorgias.account(|account| {
        account.customers.values().find(|found| found.external_id.as_deref() == Some(external_id)).cloned()
    })
}

#[tokio::test]
async fn a_small_migration_is_written_once_and_proven_at_the_floor() {
    let mut wants = Wants::people(30, 3);
    wants.ticket("leaddesk:chat:a", "chat", &contact(1), 2);
    let world = world_of(Account::fresh(), wants).await;
    run_all(&world).await.expect("a clean run");
    assert_right(&world).await;
    let (plan, _) = plan::read(&world.context()).await.expect("a plan");
    assert_eq!(plan.waves_with_records(), Wave::ALL);
    let sent: u64 = world.gorgias.all_requests();
    // One account request a ledger opening, the ticket lists once more before the chats' wave, and up to three records a
    // wave that are looked up to measure how long Gorgias takes to show them.
    let extra = sent - plan.requests_floor;
    assert!(extra <= 10 + 7, "{sent} requests, floor {}", plan.requests_floor);
    let last = verdict_of(&world, Wave::Chats).await;
    assert_eq!((last.objects["ticket"].compared, last.objects["message"].compared), (31, 92));
    assert!(last.total().fields > 31 * 10 + 92 * 8);

    let by_route = world.gorgias.usage_by_route();
    run_all(&world).await.expect("nothing to do");
    assert_eq!(world.gorgias.usage_by_route(), by_route, "a finished run asks for nothing");
}

#[tokio::test]
async fn rules_and_surveys_are_off_while_records_are_written() {
    let world = world_of(Account::fresh(), Wants::people(1, 1)).await;
    run_to_plan(&world).await.expect("prepared");
    let (rule, survey) = world
        .gorgias
        .account(|account| (account.rules[0].is_active, account.settings[0].json.contains("true")));
    assert!(!rule && !survey);
}

#[tokio::test]
async fn a_customer_of_the_baseline_is_filled_up_and_keeps_its_own() {
    let mut account = Account::fresh();
    add(&mut account, made_by_people(50, "Their Name", &[("email", email(2).to_uppercase())]));
    let world = world_of(account, Wants::people(3, 1)).await;
    run_all(&world).await.expect("adopted");
    assert_right(&world).await;
    let adopted = by_key(&world, &contact(2)).expect("carries our key");
    assert_eq!((adopted.id, adopted.name.as_deref()), (CustomerId(50), Some("Their Name")));
    assert_eq!(adopted.channels.expect("channels").len(), 2);
    assert_eq!(world.gorgias.requests("POST /customers"), 2);
    let verdict = verdict_of(&world, Wave::Customers).await;
    assert_eq!(told(&verdict), [format!("customer {} name CMP104 explained", contact(2))]);
}

#[tokio::test]
async fn a_customer_made_after_the_baseline_is_adopted_at_the_conflict() {
    let world = world_of(Account::fresh(), Wants::people(3, 1)).await;
    run_to_plan(&world).await.expect("planned");
    let late = made_by_people(60, "Person 3", &[("phone", phone(3))]);
    world.gorgias.account(|account| add(account, late));
    run_waves(&world).await.expect("loaded");
    assert_right(&world).await;
    let adopted = by_key(&world, &contact(3)).expect("carries our key");
    assert_eq!(adopted.id, CustomerId(60));
    let kept = world.context().run_key("adopted").expect("a key");
    let kept = crate::ports::store::Store::list(&*world.store, &kept).await.expect("listed");
    assert_eq!(kept.len(), 1, "the customer as it was is kept before it is changed");
}

#[tokio::test]
async fn a_number_of_a_household_is_left_out_and_said_so() {
    let mut account = Account::fresh();
    add(&mut account, made_by_people(70, "Somebody Else", &[("phone", phone(1))]));
    let world = world_of(account, Wants::people(2, 1)).await;
    run_all(&world).await.expect("loaded");
    assert_right(&world).await;
    let created = by_key(&world, &contact(1)).expect("created");
    assert_ne!(created.id, CustomerId(70));
    let verdict = verdict_of(&world, Wave::Customers).await;
    let expected = format!("customer {} channel[phone {}] CMP105 explained", contact(1), phone(1));
    assert_eq!(told(&verdict), [expected]);
}

#[tokio::test]
async fn a_foreign_key_fails_the_customer_and_holds_its_tickets() {
    let mut account = Account::fresh();
    let foreign = made_by_people(80, "Person 2", &[("email", email(2))]);
    add(&mut account, Customer { external_id: Some("crm-2".to_owned()), ..foreign });
    let world = world_of(account, Wants::people(3, 1)).await;
    run_all(&world).await.expect("the others are loaded");
    assert_right(&world).await;
    let ctx = world.context();
    let (book, secret) = Ledger::read(&ctx).await.expect("readable");
    let ours = migration::keys::ExternalId::from_stored(contact(2));
    let note = book.note(&key::customer(&ours, &secret)).expect("a reason");
    assert_eq!(note.code, codes::FOREIGN_KEY);
    let StoredLoad::V1 { held, .. } =
        run_folder::need(&ctx, &done_key(&ctx, Wave::Leads).expect("a key")).await.expect("done");
    assert_eq!(held, 1);
    assert_eq!(world.gorgias.account(|account| account.tickets.len()), 2);
}

#[tokio::test]
async fn messages_beyond_five_hundred_follow_one_by_one_in_order() {
    let world = world_of(Account::fresh(), Wants::people(1, 503)).await;
    run_all(&world).await.expect("loaded");
    assert_right(&world).await;
    assert_eq!(world.gorgias.requests("POST /tickets"), 1);
    assert_eq!(world.gorgias.requests("POST /tickets/{id}/messages"), 3);
    let order: Vec<String> = world.gorgias.account(|account| {
        account.messages.values().filter_map(|message| message.external_id.clone()).skip(499).collect()
    });
    assert_eq!(order, (500..=503).map(|at| format!("{}:message:{at}", lead(1))).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_fault_leaves_behind_is_settled_before_the_verdict() {
    let table = [
        ("POST /tickets", Fault::Partial),
        ("POST /tickets", Fault::AnswerLost),
        ("POST /tickets", Fault::Vanished),
        ("POST /customers", Fault::AnswerLost),
        ("POST /customers", Fault::Late(80)),
        ("PUT /customers/{id}/custom-fields", Fault::AnswerLost),
        ("PUT /customers/{id}/custom-fields", Fault::Vanished),
        ("POST /tickets/{id}/messages", Fault::AnswerLost),
        ("POST /tickets/{id}/messages", Fault::Vanished),
        ("POST /tags", Fault::AnswerLost),
        ("POST /custom-fields", Fault::Vanished),
        ("POST /teams", Fault::AnswerLost),
        ("PUT /rules/{id}", Fault::Vanished),
    ];
    for (route, fault) in table {
        let mut wants = Wants::people(2, 3);
        wants.ticket("leaddesk:lead:2:1", "lead", &contact(1), 502);
        let world = world_of(Account::fresh(), wants).await;
        world.gorgias.fail(route, 1, fault);
        run_all(&world).await.unwrap_or_else(|stopped| panic!("{route} {fault:?}: {stopped}"));
        assert_right(&world).await;
        let messages = world.gorgias.account(|account| account.messages.len());
        assert_eq!(messages, 508, "{route} {fault:?}");
    }
}

#[tokio::test]
async fn a_crash_after_any_effect_ends_like_an_undisturbed_run() {
    let wants = || {
        let mut wants = Wants::people(4, 2);
        wants.ticket("leaddesk:lead:2:1", "lead", &contact(1), 501);
        wants
    };
    let fresh = || {
        let mut account = Account::fresh();
        add(&mut account, made_by_people(50, "Their Name", &[("email", email(2))]));
        account
    };
    let undisturbed = world_of(fresh(), wants()).await;
    let before = undisturbed.effects.count();
    run_all(&undisturbed).await.expect("undisturbed");
    let effects = undisturbed.effects.count() - before;
    assert!(effects > 60, "{effects}");
    for effect in (1..effects).step_by(3) {
        let world = world_of(fresh(), wants()).await;
        if let Some(ended) = world.until_crash(effect, run_all(&world)).await {
            ended.expect("ended before the crash");
        }
        run_all(&world).await.unwrap_or_else(|stopped| panic!("after effect {effect}: {stopped}"));
        assert_right(&world).await;
        let counts = world.gorgias.account(|account| {
            (account.customers.len(), account.tickets.len(), account.messages.len(), account.tags.len())
        });
        assert_eq!(counts, (4, 5, 509, 1), "after effect {effect}");
    }
}

#[tokio::test]
async fn one_wrong_byte_is_found_and_nothing_else_and_closes_the_next_wave() {
    let mut wants = Wants::people(20, 2);
    wants.ticket("leaddesk:chat:a", "chat", &contact(1), 2);
    let mut world = world_of(Account::fresh(), wants).await;
    run_to_plan(&world).await.expect("planned");
    let ctx = world.context();
    run(&ctx, Wave::Customers).await.expect("loaded");
    reconcile::run(&ctx, Wave::Customers).await.expect("compared");
    run(&ctx, Wave::Leads).await.expect("loaded");
    let wrong = world.gorgias.account(|account| {
        let message = account.messages.values_mut().nth(7).expect("forty messages");
        message.body_text = message.body_text.as_ref().map(|text| text.replace("text", "Text"));
        message.external_id.clone().expect("ours")
    });
    reconcile::run(&ctx, Wave::Leads).await.expect("compared");
    let verdict = verdict_of(&world, Wave::Leads).await;
    assert_eq!(told(&verdict), [format!("message {wrong} body_text CMP104 unexplained")]);
    let closed = run(&ctx, Wave::Chats).await.expect_err("closed");
    assert!(matches!(closed, LoadError::Closed { .. }), "{closed}");

    world.limits.accepted_findings.push("CMP104".to_owned());
    let ctx = world.context();
    reconcile::run(&ctx, Wave::Leads).await.expect("compared again");
    assert!(verdict_of(&world, Wave::Leads).await.is_accepted());
    run(&ctx, Wave::Chats).await.expect("open");
}

#[tokio::test]
async fn a_second_record_with_a_key_of_ours_is_a_duplicate_and_a_stranger_is_unexpected() {
    let world = world_of(Account::fresh(), Wants::people(3, 1)).await;
    run_to_plan(&world).await.expect("planned");
    let ctx = world.context();
    run(&ctx, Wave::Customers).await.expect("loaded");
    world.gorgias.account(|account| {
        let copy = made_by_people(90, "Copy", &[]);
        add(account, Customer { external_id: Some(contact(1)), ..copy });
        let stranger = made_by_people(91, "Stranger", &[]);
        add(account, Customer { external_id: Some("leaddesk:contact:99".to_owned()), ..stranger });
    });
    reconcile::run(&ctx, Wave::Customers).await.expect("compared");
    let verdict = verdict_of(&world, Wave::Customers).await;
    let expected = [
        format!("customer {} record CMP103 unexplained", contact(1)),
        "customer leaddesk:contact:99 record CMP102 unexplained".to_owned(),
    ];
    assert_eq!(told(&verdict), expected);
    assert!(!verdict.opens_next());
}

#[tokio::test]
async fn records_with_our_keys_and_no_ledger_stop_prepare_until_accepted() {
    let mut account = Account::fresh();
    let known = made_by_people(50, "Person 1", &[("email", email(1)), ("phone", phone(1))]);
    add(&mut account, Customer { external_id: Some(contact(1)), ..known });
    let mut world = world_of(account, Wants::people(2, 1)).await;
    let refused = run_to_plan(&world).await.expect_err("another ledger?");
    assert!(refused.to_string().contains(prepare::UNKNOWN_KEYS), "{refused}");
    assert_eq!(world.gorgias.requests("POST /tags"), 0, "nothing was written");
    world.limits.accepted_findings.push(prepare::UNKNOWN_KEYS.to_owned());
    run_all(&world).await.expect("accepted by name");
    assert_right(&world).await;
    assert_eq!(world.gorgias.requests("POST /customers"), 1);
}

#[tokio::test]
async fn a_ticket_that_a_person_deleted_shows_up_as_missing() {
    let world = world_of(Account::fresh(), Wants::people(2, 1)).await;
    run_to_plan(&world).await.expect("planned");
    let ctx = world.context();
    run(&ctx, Wave::Customers).await.expect("loaded");
    reconcile::run(&ctx, Wave::Customers).await.expect("compared");
    run(&ctx, Wave::Leads).await.expect("loaded");
    world.gorgias.account(|account| {
        let gone: TicketId = *account.tickets.keys().next().expect("two tickets");
        account.tickets.remove(&gone);
        account.messages.retain(|_, message| message.ticket != gone);
    });
    reconcile::run(&ctx, Wave::Leads).await.expect("compared");
    let verdict = verdict_of(&world, Wave::Leads).await;
    assert_eq!(verdict.unexplained.get("CMP101"), Some(&2), "{:?}", told(&verdict));
    assert!(!verdict.opens_next());
}

#[tokio::test]
async fn what_was_refused_is_written_once_more_on_request() {
    let world = world_of(Account::fresh(), Wants::people(30, 2)).await;
    world.gorgias.fail("POST /tickets", 2, Fault::Refused);
    run_all(&world).await.expect("one refused record stops nothing");
    let ctx = world.context();
    assert_eq!(refused(&ctx).await.expect("readable"), 1);
    run_all(&world).await.expect("nothing to do");
    assert_eq!(refused(&ctx).await.expect("readable"), 1, "the run itself does not try again");
    let attempt = next_attempt(&ctx).await.expect("readable");
    let report = retry(&ctx, Wave::Leads, attempt).await.expect("written");
    assert_eq!((report.records["done"], report.records["failed"]), (1, 0));
    assert_eq!(refused(&ctx).await.expect("readable"), 0);
    assert_eq!(next_attempt(&ctx).await.expect("readable"), attempt + 1);
    let (report, holds) = reconcile::again(&ctx, Wave::Leads).await.expect("readable");
    assert!(holds && report.records["ticket"] == 30, "{report:?}");
    assert_eq!(world.gorgias.account(|account| account.duplicates()), Vec::<String>::new());
}

mod losses;
mod recordings;
