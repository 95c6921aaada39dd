//! Steps that read for long, stopped after every request in turn and started again: they end as one that nobody stopped,
//! and no page and no record is asked for twice.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::BoxFuture;
use migration::gorgias::{MessageId, TicketId};
use snapshot::tables::{
    ControlRepair, ControlRollback, FoundCustomer, FoundCustomerChannel, FoundMessage, FoundTicket,
};
use snapshot::{Pass, Row};

use crate::archive;
use crate::context::Context;
use crate::plan;
use crate::ports::gorgias::{Customer, Message, Ticket};
use crate::ports::store::Store as _;
use crate::prepare::{self, PrepareError};
use crate::repair;
use crate::rollback;
use crate::simulation::Template;
use crate::testing::chance::Weather;
use crate::testing::wants::{lead, there_before};
use crate::testing::{Account, Wants, World};
use crate::wave::Wave;
use crate::worker::StepError;
use crate::{load, reconcile};

/// People of ours.
const PEOPLE: u64 = 6;
/// Customers and tickets of others: two pages and a half.
const OTHERS: u64 = 250;

/// An account with so many messages in every ticket of others, as far as the baseline tells.
fn account(messages_told: i64) -> Account {
    let mut account = Account::fresh();
    for number in 1..=OTHERS {
        let id = migration::gorgias::CustomerId(10_000 + number);
        account.customers.insert(id, Customer { id, email: None, ..there_before(20_000 + number) });
    }
    // The first of ours was there before.
    let old = there_before(1);
    account.customers.insert(old.id, old);
    for number in 1..=OTHERS {
        let (id, message) = (TicketId(30_000 + number), MessageId(60_000 + number));
        account.tickets.insert(id, ticket(id, messages_told));
        account.messages.insert(message, message_of(message, id));
    }
    account
}

fn ticket(id: TicketId, messages: i64) -> Ticket {
    Ticket {
        id,
        external_id: None,
        customer: None,
        subject: Some("Theirs".to_owned()),
        status: "open".to_owned(),
        channel: "email".to_owned(),
        via: "email".to_owned(),
        from_agent: Some(false),
        assignee_user: None,
        assignee_team: None,
        tags: vec!["theirs".to_owned()],
        values: Vec::new(),
        created_at: None,
        opened_at: None,
        closed_at: None,
        last_message_at: None,
        updated_at: None,
        trashed_at: None,
        is_spam: None,
        priority: None,
        language: None,
        message_count: Some(messages),
    }
}

fn message_of(id: MessageId, ticket: TicketId) -> Message {
    Message {
        id,
        ticket,
        external_id: None,
        channel: "email".to_owned(),
        via: "email".to_owned(),
        from_agent: false,
        is_public: Some(true),
        sender: None,
        receiver: None,
        sent_at: None,
        created_at: None,
        body_text: Some("Hello".to_owned()),
        body_html: None,
        attachments: Vec::new(),
    }
}

async fn world(messages_told: i64) -> World {
    let world = World::new(account(messages_told));
    let mut wants = Wants::people(PEOPLE, 2);
    wants.ticket("leaddesk:chat:1", "chat", &crate::testing::wants::contact(1), 2);
    wants.seal(&world).await;
    world
}

/// Prepares, plans, and brings waves to their end.
async fn up_to(world: &World, waves: &[Wave]) {
    let ctx = world.context();
    prepare::prepare(&ctx, &Wants::schema()).await.expect("prepared");
    plan::run(&ctx).await.expect("planned");
    for wave in waves {
        load::run(&ctx, *wave).await.expect("loaded");
        reconcile::run(&ctx, *wave).await.expect("compared");
    }
}

/// Snapshots and verdicts, byte for byte; of a survey the rows, since every planning has a number of its own.
async fn outcome(world: &World) -> BTreeMap<String, Vec<u8>> {
    let mut outcome = BTreeMap::new();
    for key in world.store.keys() {
        let is_outcome = ["/lake/", "/reports/"].iter().any(|part| key.as_str().contains(part));
        let is_survey = ["pass=rollback", "pass=repair"].iter().any(|part| key.as_str().contains(part));
        if is_outcome && !is_survey {
            outcome.insert(key.to_string(), world.store.get(&key).await.expect("there").to_vec());
        }
    }
    let ctx = world.context();
    if let Some(newest) = rollback::newest(&ctx).await.expect("readable") {
        let pass = Pass::Rollback(newest.plan.number);
        let survey = rows::<ControlRollback>(&ctx, pass).await + &found(&ctx, pass).await;
        outcome.insert("survey".to_owned(), survey.into_bytes());
    }
    if let Some(newest) = repair::newest(&ctx).await.expect("readable") {
        let pass = Pass::Repair(newest.plan.number);
        let survey = rows::<ControlRepair>(&ctx, pass).await + &found(&ctx, pass).await;
        outcome.insert("repair".to_owned(), survey.into_bytes());
    }
    outcome
}

async fn found(ctx: &Context, pass: Pass) -> String {
    let rows = [
        rows::<FoundCustomer>(ctx, pass).await,
        rows::<FoundCustomerChannel>(ctx, pass).await,
        rows::<FoundTicket>(ctx, pass).await,
        rows::<FoundMessage>(ctx, pass).await,
    ];
    rows.concat()
}

async fn rows<R: Row + std::fmt::Debug>(ctx: &Context, pass: Pass) -> String {
    let rows = archive::open::<R>(ctx, &ctx.run, pass).await.expect("sealed");
    rows.map(|row| format!("{:?}\n", row.expect("readable"))).collect()
}

/// Pages of long lists and single records, of those that were asked for.
fn long(reads: Vec<String>) -> Vec<String> {
    let lists = ["GET /customers ", "GET /customers/{id} ", "GET /tickets ", "GET /messages "];
    let is_long = |read: &String| {
        lists.iter().any(|list| read.starts_with(list))
            || (read.starts_with("GET /messages?ticket_id ") && !read.contains("from"))
    };
    reads.into_iter().filter(is_long).collect()
}

type Step = for<'c> fn(&'c Context) -> BoxFuture<'c, Result<(), StepError>>;

/// Stops the step after every request in turn.
async fn check(base: &World, step: Step, long_reads: usize) {
    let copy = || base.copied(Template::pace(), Duration::ZERO, &Weather::fair(), None);
    let undisturbed = copy();
    undisturbed.gorgias.take_reads();
    step(&undisturbed.context()).await.expect("undisturbed");
    let wanted = outcome(&undisturbed).await;
    assert_eq!(long(undisturbed.gorgias.take_reads()).len(), long_reads);
    let mut stopped = 0;
    for stops in 1..=undisturbed.gorgias.all_requests() {
        let world = copy();
        let ctx = world.context();
        world.gorgias.stop_after(stops, &ctx.stop);
        let first = step(&ctx).await;
        match &first {
            Err(error) => assert!(error.is_stopped() && error.code() == "LOD100", "{stops}: {error:?}"),
            // The answers that it waited for were the last.
            Ok(()) => assert_eq!(long(world.gorgias.reads()).len(), long_reads, "stopped at request {stops}"),
        }
        stopped += usize::from(first.is_err());
        ctx.stop.is_quiet().await;
        if first.is_err() {
            step(&world.context()).await.expect("goes on");
        }
        assert!(outcome(&world).await == wanted, "other bytes after a stop at request {stops}");
        let mut reads = long(world.gorgias.take_reads());
        reads.sort();
        let asked = reads.len();
        reads.dedup();
        assert_eq!((asked, reads.len()), (long_reads, long_reads), "stopped at request {stops}");
    }
    assert!(stopped >= long_reads.saturating_sub(4), "{stopped} stops");
}

#[tokio::test(start_paused = true)]
async fn the_baseline() {
    let base = world(1).await;
    let step: Step = |ctx| {
        Box::pin(async move {
            let sealed: Result<(), PrepareError> = prepare::baseline::seal(ctx).await;
            Ok(sealed?)
        })
    };
    check(&base, step, 3 + 3).await;
}

#[tokio::test(start_paused = true)]
async fn details_of_customers_that_are_adopted() {
    let base = world(1).await;
    prepare::prepare(&base.context(), &Wants::schema()).await.expect("prepared");
    check(&base, |ctx| Box::pin(async move { Ok(plan::run(ctx).await.map(drop)?) }), 1).await;
}

fn comparison(wave: Wave) -> Step {
    match wave {
        Wave::Customers => {
            |ctx| Box::pin(async { Ok(reconcile::run(ctx, Wave::Customers).await.map(drop)?) })
        }
        Wave::Leads => |ctx| Box::pin(async { Ok(reconcile::run(ctx, Wave::Leads).await.map(drop)?) }),
        Wave::Chats => |ctx| Box::pin(async { Ok(reconcile::run(ctx, Wave::Chats).await.map(drop)?) }),
    }
}

#[tokio::test(start_paused = true)]
async fn the_comparison_of_every_wave() {
    // Messages of the whole account, and ticket by ticket where that takes fewer requests.
    for (messages_told, leads, chats) in [(1, 3 + 3, 3 + 3), (1_000, 3 + 6, 3 + 7)] {
        for (wave, before, reads) in [
            (Wave::Customers, &[][..], 3 + 6),
            (Wave::Leads, &[Wave::Customers][..], leads),
            (Wave::Chats, &[Wave::Customers, Wave::Leads][..], chats),
        ] {
            let base = world(messages_told).await;
            up_to(&base, before).await;
            load::run(&base.context(), wave).await.expect("loaded");
            check(&base, comparison(wave), reads).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_survey_of_a_rollback() {
    let base = world(1).await;
    up_to(&base, &Wave::ALL).await;
    let step: Step = |ctx| {
        Box::pin(async move {
            let planned = rollback::plan_for(ctx, &Wants::schema()).await;
            planned.map(drop).map_err(|error| match error {
                rollback::RollbackError::Reconcile(error) => StepError::Reconcile(*error),
                other => panic!("{other:?}"),
            })
        })
    };
    check(&base, step, 3 + 6 + 3 + 3).await;
}

#[tokio::test(start_paused = true)]
async fn the_survey_of_a_repair() {
    let base = world(1).await;
    up_to(&base, &Wave::ALL).await;
    // Something to mend, so that the rows say something.
    let key = lead(1);
    base.gorgias.account(|account| {
        let is_it = |found: &&mut Ticket| found.external_id.as_deref() == Some(&*key);
        account.tickets.values_mut().find(is_it).expect("there").subject = Some("Damaged".to_owned());
    });
    let step: Step = |ctx| {
        Box::pin(async move {
            repair::plan(ctx).await.map(drop).map_err(|error| match error {
                repair::RepairError::Reconcile(error) => StepError::Reconcile(*error),
                other => panic!("{other:?}"),
            })
        })
    };
    check(&base, step, 3 + 6 + 3 + 3).await;
}

/// Reads of a comparison by the wave's whole list of tickets.
async fn reads_of(world: &World, compare: impl Future<Output = Result<(), StepError>>) -> usize {
    world.gorgias.take_reads();
    compare.await.expect("compared");
    long(world.gorgias.take_reads()).len()
}

#[tokio::test]
async fn a_comparison_that_is_made_anew_reads_anew() {
    let world = world(1).await;
    up_to(&world, &[Wave::Customers]).await;
    let ctx = world.context();
    load::run(&ctx, Wave::Leads).await.expect("loaded");
    // A bad verdict is kept as an attempt; after it everything is read again, with what was put right meanwhile.
    let key = lead(1);
    let change = |text: &str| {
        world.gorgias.account(|account| {
            let is_it = |found: &&mut Ticket| found.external_id.as_deref() == Some(&*key);
            account.tickets.values_mut().find(is_it).expect("there").subject = Some(text.to_owned());
        });
    };
    change("Changed");
    let run = || async { Ok::<_, StepError>(reconcile::run(&ctx, Wave::Leads).await.map(drop)?) };
    assert_eq!(reads_of(&world, run()).await, 6);
    change(&format!("Subject of {key}"));
    assert_eq!(reads_of(&world, run()).await, 6);
    assert_eq!(reads_of(&world, run()).await, 0, "proven");
    // What is proven is read again whenever somebody asks, and the answer is of now.
    for (subject, wanted) in [(format!("Subject of {key}"), true), ("Changed".to_owned(), false)] {
        change(&subject);
        let mut holds = None;
        let again = async {
            holds = Some(reconcile::again(&ctx, Wave::Leads).await?.1);
            Ok(())
        };
        assert_eq!(reads_of(&world, again).await, 6);
        assert_eq!(holds, Some(wanted));
    }
}
