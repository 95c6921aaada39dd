//! Readings that are stopped, killed, disturbed and begun anew, of an account in memory.

mod steps;

use std::time::Duration;

use expect_test::expect_file;
use jiff::Timestamp;
use migration::gorgias::CustomerId;

use super::chunk::{Answer, Chunk};
use super::*;
use crate::ports::store::Store as _;
use crate::testing::wants::there_before;
use crate::testing::{Account, Fault, World};

const NAME: &str = "reconcile-customers-0001-0000000007/customers";
/// Two pages more than one chunk, the last of them half full.
const CUSTOMERS: u64 = 2_150;
const PAGES: u64 = 22;

fn world_of(customers: u64) -> World {
    let world = World::new(Account::fresh());
    world.gorgias.account(|account| {
        for number in 1..=customers {
            let id = CustomerId(10 + number);
            account.customers.insert(id, Customer { id, ..there_before(number) });
        }
    });
    world
}

/// Ids of the whole list.
async fn listed(ctx: &Context) -> Result<Vec<u64>, ReadingError> {
    let take = |ids: &mut Vec<u64>, raw: Raw<Customer>| {
        ids.push(raw.record.id.0);
        Ok::<_, ReadingError>(())
    };
    whole(ctx, NAME, || Ok(Vec::new()), take).await
}

/// Id and name of each of these, as far as they are there.
async fn each(ctx: &Context, ids: impl Iterator<Item = u64>) -> Result<Vec<(u64, String)>, ReadingError> {
    let mut found = Vec::new();
    let mut reading = Reading::open(ctx, NAME).await?;
    let visit = |(), id, records: Vec<Raw<Customer>>| {
        let name = records.first().and_then(|raw| raw.record.name.clone());
        found.push((id, name.unwrap_or_default()));
        Ok(())
    };
    reading.each(ids.map(|id| Ok::<_, ReadingError>(((), id))), in_full(ctx), visit).await?;
    Ok(found)
}

fn chunks(world: &World) -> Vec<String> {
    let keys = world.store.keys().into_iter().map(|key| key.to_string());
    keys.filter_map(|key| Some(key.split_once("/read/")?.1.rsplit_once('/')?.1.to_owned())).collect()
}

fn key_of(world: &World, chunk: &str) -> Key {
    world.context().run_key(&format!("read/{NAME}/{chunk}")).expect("a key")
}

#[tokio::test]
async fn a_list_goes_on_after_a_stop_at_any_page_and_no_page_is_asked_for_twice() {
    let wanted: Vec<u64> = (11..=10 + CUSTOMERS).collect();
    for stop in 1..=PAGES {
        let world = world_of(CUSTOMERS);
        let ctx = world.context();
        world.gorgias.stop_after(stop, &ctx.stop);
        let first = listed(&ctx).await;
        if stop < PAGES {
            assert!(matches!(first, Err(ReadingError::Stopped(_))), "{stop}: {first:?}");
            ctx.stop.is_quiet().await;
        }
        assert_eq!(listed(&world.context()).await.expect("goes on"), wanted, "{stop}");
        assert_eq!(listed(&world.context()).await.expect("kept"), wanted, "{stop}");
        assert_eq!(world.gorgias.requests("GET /customers"), PAGES, "{stop}");
        assert!(chunks(&world).len() <= 3, "{:?}", chunks(&world));
    }
}

#[tokio::test]
async fn a_kill_loses_the_chunk_in_progress_at_most() {
    for effect in 1..=2 {
        let world = world_of(CUSTOMERS);
        assert!(world.until_crash(effect, listed(&world.context())).await.is_none());
        assert_eq!(listed(&world.context()).await.expect("goes on").len() as u64, CUSTOMERS);
        let again = world.gorgias.requests("GET /customers") - PAGES;
        assert!(again <= CHUNK_PAGES as u64, "{again} pages were asked for again");
    }
    // Whatever was in hand when the process died is asked for again, and nothing else.
    let world = world_of(CUSTOMERS);
    let ctx = world.context();
    world.gorgias.stop_after(PAGES - 1, &ctx.stop);
    listed(&ctx).await.expect_err("stopped");
    world.store.remove(&key_of(&world, "0000-000001.ndjson.zst"));
    listed(&world.context()).await.expect("goes on");
    assert_eq!(world.gorgias.requests("GET /customers"), PAGES + 1);
}

#[tokio::test]
async fn single_answers_go_on_after_a_stop_and_those_that_are_gone_are_kept_too() {
    let ids = || 11..=10 + 600;
    let undisturbed = world_of(600);
    undisturbed.gorgias.account(|account| account.customers.retain(|id, _| id.0 % 7 != 0));
    let wanted = each(&undisturbed.context(), ids()).await.expect("read");
    assert_eq!(chunks(&undisturbed).len(), 3);
    for stop in (1..600).step_by(41) {
        let world = world_of(600);
        world.gorgias.account(|account| account.customers.retain(|id, _| id.0 % 7 != 0));
        let ctx = world.context();
        world.gorgias.stop_after(stop, &ctx.stop);
        let first = each(&ctx, ids()).await;
        assert!(matches!(first, Err(ReadingError::Stopped(_))), "{first:?}");
        // What people do meanwhile shows in what was not asked for yet, and in nothing else.
        world.gorgias.account(|account| account.customers.remove(&CustomerId(11)));
        assert_eq!(each(&world.context(), ids()).await.expect("goes on"), wanted, "{stop}");
        assert_eq!(world.gorgias.requests("GET /customers/{id}"), 600, "{stop}");
    }
}

#[tokio::test]
async fn a_failure_keeps_what_was_read_before_it() {
    let world = world_of(CUSTOMERS);
    world.gorgias.fail("GET /customers", 15, Fault::Credentials);
    let error = listed(&world.context()).await.expect_err("refused");
    assert_eq!(error.code(), "GOR101");
    listed(&world.context()).await.expect("goes on");
    assert_eq!(world.gorgias.requests("GET /customers"), PAGES + 1);
}

#[tokio::test]
async fn a_list_whose_cursor_expired_is_begun_anew_and_nothing_of_before_is_used() {
    // The cursor expires in the middle, at the first page after a start, and time and again.
    for (stop, expired, asked, beginnings) in
        [(None, vec![22], 22 + 22, 2), (Some(8), vec![9], 9 + 22, 2), (None, vec![22, 44], 66, 3)]
    {
        let world = world_of(CUSTOMERS);
        if let Some(stop) = stop {
            let ctx = world.context();
            world.gorgias.stop_after(stop, &ctx.stop);
            listed(&ctx).await.expect_err("stopped");
            world.gorgias.account(|account| account.customers.remove(&CustomerId(11)));
        }
        for nth in expired {
            world.gorgias.fail("GET /customers", nth, Fault::Refused);
        }
        let found = listed(&world.context()).await.expect("begun anew");
        assert_eq!(found.contains(&11), stop.is_none(), "the first beginning shows");
        assert_eq!(listed(&world.context()).await.expect("kept"), found);
        assert_eq!(world.gorgias.requests("GET /customers"), asked);
        let last = chunks(&world).last().cloned().unwrap_or_default();
        assert!(last.starts_with(&format!("{:04}-", beginnings - 1)), "{last}");
    }
    let world = world_of(CUSTOMERS);
    for nth in [2, 4, 6] {
        world.gorgias.fail("GET /customers", nth, Fault::Refused);
    }
    let error = listed(&world.context()).await.expect_err("a list that cannot be walked");
    assert!(matches!(error, ReadingError::Expired(_)), "{error:?}");
}

#[tokio::test]
async fn records_that_move_or_come_between_two_starts_are_taken_once() {
    let world = world_of(CUSTOMERS);
    let ctx = world.context();
    world.gorgias.stop_after(20, &ctx.stop);
    listed(&ctx).await.expect_err("stopped");
    world.gorgias.account(|account| {
        // One in front moves all others by a place: the last of page 20 comes again as the first of page 21.
        for id in [CustomerId(1), CustomerId(9_000)] {
            account.customers.insert(id, Customer { id, ..there_before(9) });
        }
    });
    let mut wanted: Vec<u64> = (11..=10 + CUSTOMERS).collect();
    wanted.push(9_000);
    assert_eq!(listed(&world.context()).await.expect("goes on"), wanted);
}

#[tokio::test]
async fn a_reading_that_rested_for_days_is_begun_anew() {
    for (hours, asked) in [(71, PAGES), (73, 5 + PAGES)] {
        let world = world_of(CUSTOMERS);
        let ctx = world.context();
        world.gorgias.stop_after(5, &ctx.stop);
        listed(&ctx).await.expect_err("stopped");
        world.clock.advance(Duration::from_secs(hours * 3_600));
        assert_eq!(listed(&world.context()).await.expect("read").len() as u64, CUSTOMERS);
        assert_eq!(world.gorgias.requests("GET /customers"), asked, "{hours} hours");
    }
}

#[tokio::test]
async fn of_two_processes_both_come_to_the_end() {
    let world = world_of(CUSTOMERS);
    let ctx = world.context();
    let mut slow = Reading::open(&ctx, NAME).await.expect("opened");
    world.clock.advance(Duration::from_secs(1));
    let fast = listed(&ctx).await.expect("read");
    let mut ids = Vec::new();
    let take = |raw: Raw<Customer>| {
        ids.push(raw.record.id.0);
        Ok::<_, ReadingError>(())
    };
    world.clock.advance(Duration::from_secs(1));
    slow.walk(take).await.expect("read");
    assert_eq!((ids, chunks(&world).len()), (fast, 2));
}

#[tokio::test]
async fn what_does_not_fit_is_named_and_not_used() {
    let world = world_of(300);
    each(&world.context(), 11..=310).await.expect("read");
    let error = each(&world.context(), 12..=310).await.expect_err("other questions");
    assert!(matches!(error, ReadingError::Damaged { .. }), "{error:?}");
    let key = key_of(&world, "0000-000001.ndjson.zst");
    let bytes = world.store.get(&key).await.expect("kept");
    for place in 0..bytes.len() {
        let mut broken = bytes.to_vec();
        broken[place] ^= 1;
        world.store.tamper(&key, &broken);
        // A bit that means nothing may turn, such as the frame's own.
        let found = each(&world.context(), 11..=310).await;
        assert!(found.as_ref().map_or(true, |found| found.len() == 300), "byte {place}");
    }
    world.store.tamper(&key, &bytes[..bytes.len() / 2]);
    let error = each(&world.context(), 11..=310).await.expect_err("cut off");
    assert_eq!(error.code(), "STO101");
}

#[test]
fn a_chunk_as_it_is_stored() {
    let mut chunk = Chunk::default();
    let now = || Timestamp::from_second(1_790_000_000).expect("in range");
    let text = |text: &str| text.to_owned();
    let page = vec![text(r#"{"id": 1, "name":"Ä \"x\""}"#), text("{\"id\":2}\n")];
    chunk.push(Answer { id: None, next: Some(text("abc=")), records: page }, now);
    chunk.push(Answer { id: None, next: None, records: Vec::new() }, now);
    chunk.push(Answer { id: Some(7), next: None, records: vec![text(r#"{"id":7}"#)] }, now);
    chunk.push(Answer { id: Some(8), next: None, records: Vec::new() }, now);
    let bytes = chunk.encode().expect("encodes");
    let lines = zstd::decode_all(&*bytes).expect("decodes");
    expect_file!["goldens/chunk_v1.ndjson"].assert_eq(&String::from_utf8(lines).expect("text"));
    assert_eq!(Chunk::decode(&bytes).expect("decodes"), chunk);
    // What an earlier release compressed is read for ever.
    assert_eq!(Chunk::decode(include_bytes!("goldens/chunk_v1.ndjson.zst")).expect("decodes"), chunk);
}
