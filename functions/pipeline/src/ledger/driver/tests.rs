use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use migration::gorgias::{CustomerId, TagDraft, TicketStatus, UserId};
use migration::keys::ExternalId;
use migration::leaddesk::{ContactId, ListId};

use super::*;
use crate::ledger::Opening;
use crate::ledger::key;
use crate::ledger::stored::StoredSegment;
use crate::ledger::stored::{IntentV1, key_text};
use crate::ports::clock::Clock as _;
use crate::ports::gorgias::{NewCustomer, NewDelivery, NewMessage, NewTicket};
use crate::ports::store::{Key, Store as _};
use crate::testing::fake_gorgias::Pace;
use crate::testing::{Account, Fault, World};

const PART: &str = "tickets";

fn part() -> Part {
    Part { step: "load", name: PART.to_owned(), total: None }
}

fn with_customer() -> (Account, CustomerId) {
    let mut account = Account::fresh();
    let customer = NewCustomer {
        external_id: ExternalId::customer(ContactId(1)),
        name: Some("Test Person".to_owned()),
        email: Some("person1@example.com".to_owned()),
        channels: Vec::new(),
        language: None,
        timezone: None,
    };
    let id = account.add_customer(&customer, Timestamp::UNIX_EPOCH).expect("an empty account");
    (account, id)
}

fn ticket(number: u64, customer: CustomerId, messages: u64) -> Request {
    let at = Timestamp::from_second(1_700_000_000).expect("in range");
    let message = |position: u64| NewMessage {
        external_id: ExternalId::from_stored(format!("leaddesk:call:{number}00{position}")),
        delivery: NewDelivery::InternalNote { author: UserId(1), at },
        body_text: "text".to_owned(),
        body_html: "<div>text</div>".to_owned(),
        attachments: Vec::new(),
    };
    Request::CreateTicket(Box::new(NewTicket {
        external_id: ExternalId::from_stored(format!("leaddesk:lead:1:{number}")),
        customer,
        subject: format!("Lead {number}"),
        status: TicketStatus::Open,
        channel: "internal-note".to_owned(),
        assignee_user: None,
        assignee_team: None,
        tags: Vec::new(),
        values: Vec::new(),
        created_at: at,
        closed_at: None,
        last_message_at: at,
        meta: BTreeMap::new(),
        messages: (1..=messages).map(message).collect(),
    }))
}

fn key_of(number: u64, ledger: &Ledger) -> WriteKey {
    key::ticket(&ExternalId::from_stored(format!("leaddesk:lead:1:{number}")), ledger.secret())
}

fn tickets(count: u64, customer: CustomerId, ledger: &Ledger) -> Listed {
    let actions = (1..=count).map(|number| Action::new(key_of(number, ledger), ticket(number, customer, 3)));
    Listed::new(actions.collect(), ReceiptClass::Created)
}

async fn load(world: &World, customer: CustomerId, count: u64) -> Result<Tally, DriveError> {
    let ctx = world.context();
    let mut ledger = Ledger::open(&ctx, &Opening::default()).await.map_err(DriveError::Ledger)?;
    let mut work = tickets(count, customer, &ledger);
    let tally = drive(&ctx, &mut ledger, &mut work, &part()).await?;
    ledger.close().await.map_err(DriveError::Ledger)?;
    Ok(tally)
}

fn segment_keys(world: &World) -> Vec<Key> {
    let is_segment = |key: &Key| key.as_str().len() == "acme/ledger/acme/0000000001".len();
    world.store.keys().into_iter().filter(is_segment).collect()
}

fn written(world: &World) -> usize {
    world.gorgias.account(|account| account.tickets.len())
}

#[tokio::test]
async fn a_clean_run_needs_no_look_up_and_one_segment_a_group() {
    let (account, customer) = with_customer();
    let world = World::new(account);
    let tally = load(&world, customer, 100).await.expect("a clean run");
    // The only look-ups are those that measure how long Gorgias takes to show a record.
    assert_eq!(tally, Tally { done: 100, probes: 3, ..Tally::default() });
    assert_eq!(world.gorgias.requests("POST /tickets"), 100);
    assert_eq!(world.gorgias.requests("GET /tickets?external_id"), 3);
    let segments = segment_keys(&world).len();
    assert!((8..=14).contains(&segments), "{segments} segments for a hundred writes");
    let again = load(&world, customer, 100).await.expect("nothing to do");
    assert_eq!(again, Tally::default());
    assert_eq!(world.gorgias.requests("POST /tickets"), 100);
}

struct Expected {
    posts: u64,
    done: u64,
    failed: u64,
    looked_up: u64,
    repeated: u64,
    /// Whether the run had to wait until nothing could take effect any more.
    waited: bool,
}

async fn check_fault(fault: Fault, expected: Expected) {
    let (account, customer) = with_customer();
    let world = World::new(account);
    world.gorgias.fail("POST /tickets", 3, fault);
    let before = world.context().clock.now();
    let tally = load(&world, customer, 30).await.expect("one fault does not stop a run");
    let Expected { posts, done, failed, looked_up, repeated, waited } = expected;
    let told = Tally { probes: 0, ..tally };
    assert_eq!(told, Tally { done, failed, looked_up, repeated, ..Tally::default() }, "{fault:?}");
    assert_eq!(world.gorgias.requests("POST /tickets"), posts, "{fault:?}");
    let present = usize::try_from(done).expect("small");
    assert_eq!(written(&world), present, "{fault:?}");
    assert_eq!(world.gorgias.account(|account| account.duplicates()), Vec::<String>::new(), "{fault:?}");
    let seconds = world.context().clock.now().duration_since(before).as_secs();
    assert_eq!(seconds >= 120, waited, "{fault:?} took {seconds} s");
}

#[tokio::test]
async fn every_fault_of_one_request_is_settled_by_its_class() {
    let clean = || Expected { posts: 30, done: 30, failed: 0, looked_up: 0, repeated: 0, waited: false };
    check_fault(Fault::AnswerLost, Expected { looked_up: 1, ..clean() }).await;
    check_fault(Fault::Vanished, Expected { posts: 31, repeated: 1, waited: true, ..clean() }).await;
    check_fault(Fault::Late(80), Expected { looked_up: 1, waited: true, ..clean() }).await;
    check_fault(Fault::NotSent, Expected { posts: 31, ..clean() }).await;
    check_fault(Fault::Refused, Expected { done: 29, failed: 1, ..clean() }).await;
}

#[tokio::test]
async fn a_ticket_that_arrived_in_part_tells_which_messages_arrived() {
    struct Spy(Listed, Option<Vec<String>>);
    #[async_trait]
    impl Work for Spy {
        fn next(&mut self, ledger: &Ledger) -> Result<Option<Action>, WorkFailure> {
            self.0.next(ledger)
        }
        async fn settle(
            &mut self,
            action: &Action,
            outcome: Outcome,
            ledger: &Ledger,
        ) -> Result<Reaction, WorkFailure> {
            if let Outcome::Done { arrived: Some(arrived), .. } = &outcome {
                self.1 = Some(arrived.clone());
            }
            self.0.settle(action, outcome, ledger).await
        }
    }
    let (account, customer) = with_customer();
    let world = World::new(account);
    world.gorgias.fail("POST /tickets", 1, Fault::Partial);
    let ctx = world.context();
    let mut ledger = Ledger::open(&ctx, &Opening::default()).await.expect("an empty ledger");
    let mut spy = Spy(tickets(2, customer, &ledger), None);
    drive(&ctx, &mut ledger, &mut spy, &part()).await.expect("settled");
    assert_eq!(spy.1, Some(vec!["leaddesk:call:1001".to_owned()]));
}

#[tokio::test]
async fn a_crash_after_any_effect_leaves_no_duplicate_and_no_gap() {
    let (account, customer) = with_customer();
    let undisturbed = World::new(account.clone());
    let before = undisturbed.effects.count();
    load(&undisturbed, customer, 45).await.expect("undisturbed");
    let effects = undisturbed.effects.count() - before;
    assert!(effects > 50, "{effects}");
    let mut looked_up = 0;
    for effect in 1..=effects {
        let world = World::new(account.clone());
        if let Some(ended) = world.until_crash(effect, load(&world, customer, 45)).await {
            ended.expect("the last effect ends the run");
        }
        let tally = load(&world, customer, 45).await.expect("recovered");
        looked_up += tally.looked_up;
        assert_eq!(written(&world), 45, "after effect {effect}");
        let duplicates = world.gorgias.account(|account| account.duplicates());
        assert_eq!(duplicates, Vec::<String>::new(), "after effect {effect}");
        // Three of the first start measured the lag, and some of the second.
        let lookups = world.gorgias.requests("GET /tickets?external_id").saturating_sub(3 + tally.probes);
        let limits = world.context().limits;
        let bound = (limits.group_intents + limits.destination_in_flight) as u64;
        assert!(lookups <= bound, "{lookups} look-ups after effect {effect}");
        crate::ledger::verify(&world.context()).await.expect("an unbroken chain");
    }
    assert!(looked_up > 0, "some crash must have lost an answer");
}

/// Share of the rate limit that a load of `count` tickets spends.
async fn efficiency(pace: Pace, store_latency: Duration, count: u32) -> f64 {
    let (account, customer) = with_customer();
    let world = World::paced(account, pace, store_latency);
    let tally = load(&world, customer, u64::from(count)).await.expect("a clean run");
    assert_eq!(tally.done, u64::from(count));
    let bound = pace.interval * (count - pace.capacity);
    bound.as_secs_f64() / Duration::from_nanos(world.clock.elapsed_nanoseconds()).as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_and_nothing_else_decides_the_pace() {
    let milliseconds = Duration::from_millis;
    let table = [
        (
            Pace { capacity: 40, interval: milliseconds(500), latency: milliseconds(400) },
            milliseconds(80),
            1_200,
        ),
        (
            Pace { capacity: 80, interval: milliseconds(125), latency: milliseconds(300) },
            milliseconds(80),
            2_400,
        ),
        (
            Pace { capacity: 40, interval: Duration::from_micros(2_500), latency: milliseconds(6) },
            milliseconds(12),
            9_000,
        ),
    ];
    for (pace, store_latency, count) in table {
        let efficiency = efficiency(pace, store_latency, count).await;
        assert!((0.97..=1.0).contains(&efficiency), "{efficiency} at {pace:?}");
    }
}

#[tokio::test]
async fn a_write_that_takes_effect_after_the_takeover_is_not_repeated() {
    for seconds in [1, 30, 80] {
        let (account, customer) = with_customer();
        let world = World::new(account);
        world.gorgias.fail("POST /tickets", 5, Fault::Late(seconds));
        // Fence and first group, five requests of which the fifth hangs, then nothing more.
        let crashed = world.until_crash(7, load(&world, customer, 20)).await;
        assert!(crashed.is_none(), "stopped in the middle");
        let tally = load(&world, customer, 20).await.expect("recovered");
        assert!(tally.looked_up > 0);
        assert_eq!(written(&world), 20, "late by {seconds} s");
        let duplicates = world.gorgias.account(|account| account.duplicates());
        assert_eq!(duplicates, Vec::<String>::new(), "late by {seconds} s");
    }
}

#[tokio::test]
async fn credentials_stop_the_step_and_keep_what_was_learnt() {
    let (account, customer) = with_customer();
    let world = World::new(account);
    world.gorgias.fail("POST /tickets", 7, Fault::Credentials);
    let stopped = load(&world, customer, 30).await.expect_err("credentials");
    assert!(matches!(stopped, DriveError::Credentials { .. }), "{stopped}");
    let written_before = written(&world);
    let tally = load(&world, customer, 30).await.expect("credentials are back");
    assert_eq!(usize::try_from(tally.done).expect("small") + written_before, 30);
    assert_eq!(world.gorgias.requests("POST /tickets"), 31);
}

#[tokio::test]
async fn the_breaker_trips_when_everything_is_refused() {
    let (account, customer) = with_customer();
    let world = World::new(account);
    for nth in 1..=200 {
        world.gorgias.fail("POST /tickets", nth, Fault::Refused);
    }
    let stopped = load(&world, customer, 200).await.expect_err("the breaker");
    let DriveError::Breaker { refused, code, .. } = stopped else { panic!("{stopped}") };
    assert_eq!(code, codes::REFUSED);
    assert!((20..30).contains(&refused), "{refused}");
    assert!(world.gorgias.requests("POST /tickets") < 30);
}

#[tokio::test]
async fn an_unreachable_destination_stops_resumably() {
    let (account, customer) = with_customer();
    let world = World::new(account);
    for nth in 1..=200 {
        world.gorgias.fail("POST /tickets", nth, Fault::NotSent);
    }
    let stopped = load(&world, customer, 5).await.expect_err("unreachable");
    assert!(stopped.is_resumable(), "{stopped}");
}

#[tokio::test]
async fn another_owner_ends_this_one_before_it_sends() {
    let (account, customer) = with_customer();
    let world = World::new(account);
    let ctx = world.context();
    let mut first = Ledger::open(&ctx, &Opening::default()).await.expect("first owner");
    let _second = Ledger::open(&ctx, &Opening::default()).await.expect("second owner");
    let mut work = tickets(3, customer, &first);
    let fenced = drive(&ctx, &mut first, &mut work, &part()).await.expect_err("fenced");
    assert!(matches!(fenced, DriveError::Ledger(LedgerError::AnotherOwner { number: 1 })), "{fenced}");
    assert_eq!(written(&world), 0);
}

#[tokio::test]
async fn a_changed_or_lost_segment_is_named_and_nothing_is_sent() {
    let (account, customer) = with_customer();
    let world = World::new(account);
    load(&world, customer, 50).await.expect("clean");
    let victim = segment_keys(&world)[2].clone();
    let bytes = world.store.get(&victim).await.expect("there");
    let mut changed = bytes.to_vec();
    let mark = b"\"dest_id\":";
    let at = changed.windows(mark.len()).position(|window| window == mark).expect("a segment with receipts");
    changed[at + mark.len()] ^= 2;
    world.store.tamper(&victim, &changed);
    let broken = Ledger::open(&world.context(), &Opening::default())
        .await
        .err()
        .expect("the next segment does not fit");
    let next = segment_keys(&world)[3].clone();
    assert!(matches!(&broken, LedgerError::Broken { key, .. } if *key == next), "{broken}");
    world.store.tamper(&victim, &bytes);
    Ledger::open(&world.context(), &Opening::default()).await.expect("whole again");
    world.store.remove(&victim);
    let lost = Ledger::open(&world.context(), &Opening::default()).await.err().expect("a gap");
    assert!(matches!(&lost, LedgerError::Missing { key } if *key == victim), "{lost}");
}

#[tokio::test]
async fn the_ledger_holds_no_personal_data_and_chains_its_segments() {
    let (account, customer) = with_customer();
    let world = World::new(account);
    load(&world, customer, 5).await.expect("clean");
    let mut prev = "0".repeat(64);
    for key in segment_keys(&world) {
        let bytes = world.store.get(&key).await.expect("there");
        let text = std::str::from_utf8(&bytes).expect("JSON");
        assert!(!text.contains("Lead 1") && !text.contains("example.com"), "{text}");
        let StoredSegment::V1(segment) = serde_json::from_slice(&bytes).expect("own form");
        assert_eq!(segment.prev_sha256, prev);
        prev = migration::canonical::Digest::of(&bytes).to_hex();
    }
}

/// A ledger that is longer than one checkpoint.
async fn with_checkpoint() -> (World, Ledger) {
    let world = World::new(Account::fresh());
    let ctx = world.context();
    let mut ledger = Ledger::open(&ctx, &Opening::default()).await.expect("empty");
    for number in 0..crate::ledger::CHECKPOINT_SEGMENTS + 3 {
        let draft = TagDraft { name: format!("tag {number}"), description: String::new() };
        let action = Action::new(key::tag(&draft.name, ledger.secret()), Request::CreateTag(draft));
        let body_hmac = action.request.body_hmac(ledger.secret());
        let intent = IntentV1 {
            key: key_text(&action.key),
            op: action.request.operation().as_str().to_owned(),
            version: body_hmac.clone(),
            body_hmac,
            target: None,
        };
        ledger.announce(vec![intent], Vec::new()).await.expect("announced");
    }
    drop(ctx);
    (world, ledger)
}

#[tokio::test]
async fn a_start_reads_the_newest_checkpoint_and_no_older_segment() {
    let (world, ledger) = with_checkpoint().await;
    let ctx = world.context();
    let early = Key::new("acme/ledger/acme/0000000007").expect("a key");
    world.store.remove(&early);
    let reopened =
        Ledger::open(&ctx, &Opening::default()).await.expect("the checkpoint covers the lost segment");
    assert_eq!(reopened.book().state().doubt_count(), ledger.book().state().doubt_count());
    crate::ledger::verify(&ctx).await.expect_err("the whole chain has a gap");
}

#[tokio::test]
async fn a_checkpoint_with_any_changed_byte_is_passed_over_and_the_segments_decide() {
    let (world, ledger) = with_checkpoint().await;
    let ctx = world.context();
    let checkpoint = Key::new("acme/ledger/acme/ckpt/0000000500").expect("a key");
    let bytes = world.store.get(&checkpoint).await.expect("there");
    let expected = ledger.book().state().doubt_count();
    // Every part of the object: its first and last byte, and some in between.
    for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1).chain([bytes.len() - 1]) {
        let mut other = bytes.to_vec();
        other[at] ^= 1;
        world.store.tamper(&checkpoint, &other);
        let (book, _) = Ledger::read(&ctx).await.expect("read from the segments");
        assert_eq!(book.state().doubt_count(), expected, "byte {at}");
        crate::ledger::verify(&ctx).await.expect_err("the verifier names it");
    }
    world.store.tamper(&checkpoint, &bytes);
    crate::ledger::verify(&ctx).await.expect("whole again");
    // Without its segments a wrong checkpoint is no way around them.
    world.store.tamper(&checkpoint, &bytes[..bytes.len() / 2]);
    world.store.remove(&Key::new("acme/ledger/acme/0000000007").expect("a key"));
    Ledger::read(&ctx).await.map(|_| ()).expect_err("a gap");
}

#[test]
fn list_ids_are_used() {
    // Lead keys hold a list and a contact; the literal keys above must stay of that shape.
    let lead = ExternalId::lead(migration::leaddesk::LeadId { list: ListId(1), contact: ContactId(7) });
    assert_eq!(lead.as_str(), "leaddesk:lead:1:7");
}
