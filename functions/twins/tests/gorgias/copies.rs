//! An account made from another one's answers answers alike.

use serde_json::{Value, json};
use twins::gorgias::{self, AccountCopy, Clock, Config, ManualClock, Preexisting};

use crate::desk::Desk;

const LISTS: [&str; 8] = [
    "/api/users",
    "/api/teams",
    "/api/tags",
    "/api/custom-fields?object_type=Ticket",
    "/api/custom-fields?object_type=Customer",
    "/api/rules",
    "/api/integrations",
    "/api/tickets",
];

/// How a row is taken over.
type Take = fn(&mut AccountCopy, &Value);

/// An account with something of every kind.
async fn original() -> Desk {
    let mut config = Config { preexisting: Preexisting::default(), ..Config::default() };
    config.bucket.capacity = 1_000_000;
    let desk = Desk::open(config).await;
    let field = desk.field("Customer", "Segment").await;
    desk.put(
        &format!("/api/custom-fields/{field}"),
        json!({ "deactivated_datetime": "2026-11-01T00:00:00Z" }),
    )
    .await;
    desk.customer("ann@example.org").await;
    desk
}

async fn rows(desk: &Desk, path: &str) -> Vec<Value> {
    let answer = desk.get(path).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.body["data"].as_array().cloned().unwrap_or_default()
}

/// Everything that lists tell, and every customer as read alone.
async fn copied(desk: &Desk) -> AccountCopy {
    let owner = desk.get("/api/users/0").await.id();
    let clock = Clock::Manual(ManualClock::at("2026-11-02T00:00:00Z").unwrap());
    let mut copy = AccountCopy::new(&Config { clock, ..Config::default() });
    for row in rows(desk, "/api/users").await {
        copy.user(&row, row["id"].as_u64() == Some(owner));
    }
    let take: [(&str, Take); 6] = [
        (LISTS[1], AccountCopy::team),
        (LISTS[2], AccountCopy::tag),
        (LISTS[3], AccountCopy::field),
        (LISTS[4], AccountCopy::field),
        (LISTS[5], AccountCopy::rule),
        (LISTS[6], AccountCopy::integration),
    ];
    for (path, take) in take {
        rows(desk, path).await.iter().for_each(|row| take(&mut copy, row));
    }
    for row in rows(desk, "/api/account/settings").await {
        copy.setting(row["id"].as_u64().unwrap(), row["type"].as_str().unwrap(), &row["data"]);
    }
    for row in rows(desk, "/api/customers").await {
        copy.customer(&row);
        copy.customer(&desk.get(&format!("/api/customers/{}", row["id"])).await.body);
    }
    rows(desk, "/api/tickets").await.iter().for_each(|row| copy.ticket(row));
    copy
}

/// What moves with the copying: excerpts and deliveries of messages, of which only the number is known.
fn without_messages(mut rows: Vec<Value>) -> Vec<Value> {
    for row in &mut rows {
        row["excerpt"] = Value::Null;
        row["last_sent_message_not_delivered"] = Value::Null;
    }
    rows
}

#[tokio::test]
async fn a_copy_answers_as_the_account_did_and_gives_new_ids_above_the_old_ones() {
    let desk = original().await;
    let copy = copied(&desk).await;
    assert!(copy.left().is_empty(), "{:?}", copy.left());
    assert_eq!(copy.taken().get("customer"), Some(&3));
    let (mut before, mut customers) = (Vec::new(), Vec::new());
    for path in LISTS {
        before.push(without_messages(rows(&desk, path).await));
    }
    let listed = rows(&desk, "/api/customers").await;
    for row in &listed {
        customers.push(desk.get(&format!("/api/customers/{}", row["id"])).await.body);
    }
    let messages = rows(&desk, "/api/messages").await.len();
    let settings = rows(&desk, "/api/account/settings").await;
    let running = gorgias::start_copy(
        Config {
            clock: Clock::Manual(ManualClock::at("2026-11-02T00:00:00Z").unwrap()),
            bucket: gorgias::Bucket { capacity: 1_000_000, window_seconds: 1.0 },
            ..Config::default()
        },
        copy,
    )
    .await
    .unwrap();
    let desk = desk.beside(running);
    for (path, before) in LISTS.into_iter().zip(before) {
        assert_eq!(without_messages(rows(&desk, path).await), before, "{path}");
    }
    assert_eq!(rows(&desk, "/api/account/settings").await, settings);
    assert_eq!(rows(&desk, "/api/messages").await.len(), messages);
    for customer in customers {
        assert_eq!(desk.get(&format!("/api/customers/{}", customer["id"])).await.body, customer);
    }
    let newest = listed.iter().filter_map(|row| row["id"].as_u64()).max().unwrap();
    assert!(desk.customer("bob@example.org").await > newest);
    assert_eq!(desk.post("/api/customers", crate::desk::customer("ann@example.org")).await.status, 409);
}
