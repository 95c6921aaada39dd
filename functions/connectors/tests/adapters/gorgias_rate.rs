//! The bucket of the account: spent whole, and never overrun by us alone.

use std::time::Duration;

use futures::stream;
use futures::{FutureExt as _, StreamExt as _};
use pipeline::ports::gorgias::Gorgias;
use twins::gorgias::{Bucket, Config, RetryAfter};

use crate::desk::{Desk, quiet};

fn narrow(capacity: u32) -> Config {
    Config { bucket: Bucket { capacity, window_seconds: 20.0 }, ..quiet() }
}

async fn ask(desk: &Desk, requests: usize, in_flight: usize) {
    let outcomes = stream::iter(0..requests).map(|_| desk.client.service_user()).buffer_unordered(in_flight);
    outcomes.for_each(|outcome| async move { drop(outcome.unwrap()) }).await;
}

#[tokio::test]
async fn the_bucket_is_spent_whole_and_not_overrun() {
    let desk = Desk::open(narrow(40), "40/20").await;
    ask(&desk, 240, 8).await;
    assert_eq!((desk.running.responses_429(), desk.client.usage().throttled), (0, 0));
    // Forty at once and then two a second.
    let seconds = desk.time.seconds();
    assert!((99.0..104.0).contains(&seconds), "{seconds}");
    let usage = desk.client.usage();
    assert_eq!((usage.total(), usage.requests["GET /users/0"]), (240, 240));
    assert_eq!(usage.bucket.map(|(_, limit)| limit), Some(40));
    assert_eq!(usage.windows.iter().map(|window| window.requests).sum::<u64>(), 240);
}

#[tokio::test]
async fn the_header_corrects_a_bucket_that_was_believed_larger() {
    let desk = Desk::open(narrow(40), "400/20").await;
    ask(&desk, 120, 8).await;
    assert_eq!(desk.running.responses_429(), 0);
    assert_eq!(desk.client.usage().bucket.map(|(_, limit)| limit), Some(40));
}

#[tokio::test]
async fn the_header_corrects_a_bucket_that_was_believed_smaller() {
    let desk = Desk::open(narrow(80), "8/20").await;
    ask(&desk, 160, 8).await;
    assert_eq!(desk.running.responses_429(), 0);
    let seconds = desk.time.seconds();
    assert!(seconds < 40.0, "{seconds}");
}

#[tokio::test]
async fn a_refusal_by_rate_is_waited_out_in_every_form() {
    for form in [RetryAfter::Seconds, RetryAfter::Zero, RetryAfter::Absent] {
        let mut config = narrow(10);
        config.switches.retry_after = form;
        // Without the header nothing tells us in time.
        config.switches.call_limit_header = false;
        let desk = Desk::open(config, "1000/1").await;
        ask(&desk, 60, 4).await;
        let throttled = desk.client.usage().throttled;
        assert!(throttled > 0 && throttled == desk.running.responses_429(), "{form:?}: {throttled}");
        let answered: u64 =
            desk.running.requests().iter().filter(|((_, status), _)| *status == 200).map(|(_, n)| n).sum();
        assert_eq!(answered, 60, "{form:?}");
    }
}

#[tokio::test]
async fn another_client_of_the_account_is_left_room() {
    let mut config = narrow(40);
    config.switches.other_client_share = 0.5;
    let desk = Desk::open(config, "40/20").await;
    ask(&desk, 200, 8).await;
    let throttled = desk.running.responses_429();
    assert!(throttled <= 6, "{throttled} refusals in 200 requests");
}

/// Whoever stops waiting for an answer, such as a function whose time is over, does not hold up the requests that follow.
#[tokio::test]
async fn a_request_that_is_given_up_on_its_way_gives_its_place_back() {
    let desk = Desk::open(narrow(10), "10/20").await;
    for _ in 0..10 {
        assert!(desk.client.service_user().now_or_never().is_none(), "it is on its way");
    }
    let outcome = tokio::time::timeout(Duration::from_secs(30), desk.client.service_user()).await;
    outcome.expect("its turn comes").unwrap();
    assert_eq!(desk.running.responses_429(), 0);
}
