//! The bucket as a client sees it.

use std::time::Duration;

use twins::gorgias::{Bucket, Config, ErrorBody, RetryAfter, Switches};

use crate::desk::{Desk, quiet};

async fn narrow(switches: Switches) -> Desk {
    Desk::open(Config { bucket: Bucket { capacity: 4, window_seconds: 20.0 }, switches, ..quiet() }).await
}

#[tokio::test]
async fn the_bucket_fills_refuses_and_leaks() {
    let desk = narrow(Switches::default()).await;
    for used in 1..=4 {
        let answer = desk.get("/api/users/0").await;
        assert_eq!(answer.header("x-gorgias-account-api-call-limit"), Some(format!("{used}/4").as_str()));
        assert_eq!(answer.header("retry-after"), None);
    }
    let refused = desk.get("/api/users/0").await;
    assert_eq!(refused.brief(), "429 Too many requests.");
    assert_eq!(refused.header("retry-after"), Some("5"), "four in twenty seconds is one in five");
    assert_eq!(refused.header("x-gorgias-account-api-call-limit"), Some("4/4"));
    desk.clock.advance(Duration::from_secs(5));
    assert_eq!(desk.get("/api/users/0").await.status, 200);
    assert_eq!(desk.get("/api/users/0").await.status, 429);
    assert_eq!(desk.running.responses_429(), 2);
    let counts = desk.running.requests();
    let of = |status| counts[&("GET /api/users/{id}".to_owned(), status)];
    assert_eq!((of(200), of(429)), (5, 2));
}

#[tokio::test]
async fn refused_keys_and_control_requests_take_nothing_from_the_bucket() {
    let desk = narrow(Switches::default()).await;
    for _ in 0..10 {
        let url = format!("{}/api/users/0", desk.running.base_url());
        assert_eq!(desk.send(desk.client.get(url)).await.status, 401);
        let control = desk.client.get(format!("{}/__twin/requests", desk.running.base_url()));
        assert_eq!(desk.send(control).await.status, 200);
    }
    assert_eq!(desk.get("/api/users/0").await.header("x-gorgias-account-api-call-limit"), Some("1/4"));
}

#[tokio::test]
async fn switches_of_the_limit() {
    let exhausted = async |switches| {
        let desk = narrow(switches).await;
        for _ in 0..4 {
            desk.get("/api/users/0").await;
        }
        desk.get("/api/users/0").await
    };
    let absent = exhausted(Switches { retry_after: RetryAfter::Absent, ..Switches::default() }).await;
    assert_eq!((absent.status, absent.header("retry-after")), (429, None));
    let zero = exhausted(Switches { retry_after: RetryAfter::Zero, ..Switches::default() }).await;
    assert_eq!(zero.header("retry-after"), Some("0"));
    let hidden = exhausted(Switches { call_limit_header: false, ..Switches::default() }).await;
    assert_eq!(hidden.header("x-gorgias-account-api-call-limit"), None);
    let html = exhausted(Switches { error_body: ErrorBody::Html, ..Switches::default() }).await;
    assert_eq!((html.status, html.header("content-type")), (429, Some("text/html; charset=utf-8")));
    let crowded = narrow(Switches { other_client_share: 0.5, ..Switches::default() }).await;
    assert_eq!(crowded.get("/api/users/0").await.header("x-gorgias-account-api-call-limit"), Some("3/4"));
    assert_eq!(crowded.get("/api/users/0").await.status, 200);
    assert_eq!(crowded.get("/api/users/0").await.status, 429);
}

#[tokio::test]
async fn the_time_scale_is_told() {
    let desk = Desk::open(Config { time_scale: 60.0, ..quiet() }).await;
    assert_eq!(desk.get("/api/users/0").await.header("x-twin-time-scale"), Some("60"));
}

#[tokio::test]
async fn a_bearer_token_is_accepted_when_configured() {
    let desk = Desk::open(Config { bearer: Some("token".to_owned()), ..quiet() }).await;
    let request =
        |token| desk.client.get(format!("{}/api/users/0", desk.running.base_url())).bearer_auth(token);
    assert_eq!(desk.send(request("token")).await.status, 200);
    assert_eq!(desk.send(request("other")).await.status, 401);
}
