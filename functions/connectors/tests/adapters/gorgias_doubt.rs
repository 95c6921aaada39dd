//! Writes whose outcome is not certain: told as such, never repeated.

use pipeline::ports::gorgias::{Change, CustomerChange, Gorgias, WriteError};
use twins::gorgias::{Action, DuplicateEmail};

use crate::desk::{Desk, customer, note, ticket, with};

/// How a write ended, in one word.
fn word<T: std::fmt::Debug>(outcome: &Result<T, WriteError>) -> &'static str {
    match outcome {
        Ok(_) => "done",
        Err(WriteError::Refused { .. }) => "refused",
        Err(WriteError::Conflict { .. }) => "conflict",
        Err(WriteError::Gone { .. }) => "gone",
        Err(WriteError::Credentials { .. }) => "credentials",
        Err(WriteError::InDoubt { .. }) => "in doubt",
        Err(WriteError::NotSent { .. }) => "not sent",
    }
}

/// The fault, how the write ends, and how many records stand at Gorgias afterwards.
const OUTCOMES: [(Action, &str, usize); 20] = [
    (Action::LostAnswerAfterCommit, "in doubt", 1),
    (Action::HangUpBeforeCommit, "in doubt", 0),
    (Action::StatusBefore(500), "in doubt", 0),
    (Action::StatusBefore(502), "in doubt", 0),
    (Action::StatusBefore(503), "in doubt", 0),
    (Action::StatusBefore(504), "in doubt", 0),
    (Action::StatusBefore(408), "in doubt", 0),
    (Action::StatusBefore(499), "in doubt", 0),
    (Action::StatusAfter(500), "in doubt", 1),
    (Action::StatusAfter(504), "in doubt", 1),
    (Action::Html(200), "in doubt", 0),
    (Action::Html(201), "in doubt", 0),
    (Action::Html(500), "in doubt", 0),
    (Action::Truncate, "in doubt", 1),
    (Action::StatusBefore(302), "refused", 0),
    (Action::StatusBefore(400), "refused", 0),
    (Action::StatusBefore(401), "credentials", 0),
    (Action::StatusBefore(403), "credentials", 0),
    (Action::StatusBefore(409), "conflict", 0),
    (Action::StatusBefore(422), "refused", 0),
];

#[tokio::test]
async fn a_ticket_is_created_once_or_it_is_not_known() {
    for (action, expected, there) in OUTCOMES {
        let desk = Desk::quiet().await;
        let (author, customer) = (desk.service_user().await, desk.customer(1).await);
        let new = ticket(1, customer, vec![note("1", author, "2025-01-01T09:00:00Z")]);
        // Were it sent again, the second try would succeed.
        desk.strike("POST", "/tickets", 1, action);
        let outcome = desk.client.create_ticket(&new).await;
        assert_eq!(word(&outcome), expected, "{action:?}: {outcome:?}");
        assert_eq!(desk.asked("POST /api/tickets"), 1, "{action:?}");
        assert_eq!(
            desk.client.tickets_by_external_id(&new.external_id).await.unwrap().len(),
            there,
            "{action:?}"
        );
        desk.nothing_left_the_account();
    }
}

#[tokio::test]
async fn every_creation_is_as_careful() {
    for (action, expected, _) in OUTCOMES {
        let desk = Desk::quiet().await;
        let (author, person) = (desk.service_user().await, desk.customer(1).await);
        let new = ticket(1, person, vec![note("1", author, "2025-01-01T09:00:00Z")]);
        let ticket = desk.client.create_ticket(&new).await.unwrap();
        desk.strike("POST", "/customers", 1, action);
        assert_eq!(word(&desk.client.create_customer(&customer(2)).await), expected, "{action:?}");
        assert_eq!(desk.asked("POST /api/customers"), 2, "{action:?}");
        desk.strike("POST", "/tickets/{id}/messages", 1, action);
        let appended = desk.client.append_message(ticket, &note("2", author, "2025-01-01T09:00:00Z")).await;
        // A message belongs to a ticket, and one that is elsewhere is no longer there.
        let expected = if action == Action::StatusBefore(302) { "gone" } else { expected };
        assert_eq!(word(&appended), expected, "{action:?}");
        assert_eq!(desk.asked("POST /api/tickets/{id}/messages"), 1, "{action:?}");
    }
}

#[tokio::test]
async fn changes_and_deletions_are_not_repeated_either() {
    for (action, expected, _) in OUTCOMES {
        let expected = match action {
            // A deletion has no body that could break off.
            Action::Truncate => "done",
            Action::StatusBefore(302) => "gone",
            _ => expected,
        };
        let desk = Desk::quiet().await;
        let customer = desk.customer(1).await;
        desk.strike("DELETE", "/customers/{id}", 1, action);
        let outcome = desk.client.delete_customer(customer).await;
        assert_eq!(word(&outcome), expected, "{action:?}: {outcome:?}");
        assert_eq!(desk.asked("DELETE /api/customers/{id}"), 1, "{action:?}");
        let desk = Desk::quiet().await;
        let customer = desk.customer(1).await;
        desk.strike("PUT", "/customers/{id}", 1, action);
        let change =
            CustomerChange { name: Change::To("Another Name".to_owned()), ..CustomerChange::default() };
        let outcome = desk.client.update_customer(customer, &change).await;
        let expected = if action == Action::Truncate { "in doubt" } else { expected };
        assert_eq!(word(&outcome), expected, "{action:?}: {outcome:?}");
        assert_eq!(desk.asked("PUT /api/customers/{id}"), 1, "{action:?}");
    }
}

#[tokio::test]
async fn too_many_requests_are_waited_out_and_not_counted_as_tries() {
    let desk = Desk::quiet().await;
    desk.strike("POST", "/customers", 30, Action::StatusBefore(429));
    desk.client.create_customer(&customer(1)).await.unwrap();
    assert_eq!(desk.asked("POST /api/customers"), 31);
    assert_eq!(desk.client.usage().throttled, 30);
    assert!(
        desk.time.seconds() >= 60.0,
        "two seconds each, since no wait was named: {}",
        desk.time.seconds()
    );
}

#[tokio::test]
async fn an_identifier_in_use_is_a_conflict_in_both_forms() {
    for form in [DuplicateEmail::Conflict, DuplicateEmail::BadRequest] {
        let desk = Desk::open(with(|switches| switches.duplicate_email = form), "1000000/1").await;
        desk.customer(1).await;
        let mut other = customer(2);
        other.email.clone_from(&customer(1).email);
        other.channels = vec![customer(1).channels[0].clone()];
        assert_eq!(word(&desk.client.create_customer(&other).await), "conflict", "{form:?}");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let desk = Desk::quiet().await;
    let Desk { running, client, .. } = desk;
    running.stop().await;
    assert_eq!(word(&client.create_customer(&customer(1)).await), "not sent");
}
