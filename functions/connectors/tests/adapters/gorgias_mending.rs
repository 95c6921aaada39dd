//! Changes of single fields of records that are there, and customers that were merged, read back through the port.

use migration::gorgias::{FieldKind, FieldObject, FieldValue, TagDraft, TicketStatus};
use pipeline::ports::gorgias::{
    Change, ChangeOf, CustomerChange, FoundValue, Gorgias, ReadError, TicketChange, WriteError,
};
use serde_json::json;

use crate::desk::{Desk, at, note, ticket};

#[tokio::test]
async fn only_the_named_fields_of_a_ticket_change() {
    let desk = Desk::quiet().await;
    let (author, customer, other) =
        (desk.service_user().await, desk.customer(1).await, desk.customer(2).await);
    for name in ["Q4", "Gold"] {
        let tag = TagDraft { name: name.to_owned(), description: "A tag".to_owned() };
        desk.client.create_tag(&tag).await.unwrap();
    }
    let field = desk.field(FieldObject::Ticket, "leaddesk:status", FieldKind::Text).await;
    let mut new = ticket(7, customer, vec![note("1", author, "2025-01-01T09:00:00Z")]);
    new.tags = vec!["Q4".to_owned()];
    let id = desk.client.create_ticket(&new).await.unwrap();
    let before = desk.client.ticket(id).await.unwrap().record;
    let value = FoundValue { field, value: FieldValue::Text("Sold".to_owned()) };
    let change = TicketChange {
        subject: Change::To("Lead 8".to_owned()),
        customer: Some(other),
        status: Some(TicketStatus::Closed),
        closed_at: ChangeOf::To(at("2025-01-03T08:00:00Z")),
        assignee_user: ChangeOf::To(author),
        values: Some(vec![value.clone()]),
        ..TicketChange::default()
    };
    desk.client.update_ticket(id, &change).await.unwrap();
    desk.client.add_ticket_tags(id, &["Gold".to_owned()]).await.unwrap();
    desk.client.remove_ticket_tags(id, &["Q4".to_owned()]).await.unwrap();
    let found = desk.client.ticket(id).await.unwrap().record;
    assert_eq!((found.subject.as_deref(), found.status.as_str()), (Some("Lead 8"), "closed"));
    assert_eq!((found.customer, found.assignee_user), (Some(other), Some(author)));
    assert_eq!(found.closed_at, Some(at("2025-01-03T08:00:00Z")));
    assert_eq!((found.tags, found.values), (vec!["Gold".to_owned()], vec![value]));
    assert_eq!((found.external_id, found.created_at), (before.external_id, before.created_at));
    let unassigned = TicketChange { assignee_user: ChangeOf::Empty, ..TicketChange::default() };
    desk.client.update_ticket(id, &unassigned).await.unwrap();
    assert_eq!(desk.client.ticket(id).await.unwrap().record.assignee_user, None);
    desk.nothing_left_the_account();
}

#[tokio::test]
async fn a_message_is_written_again_whole_and_never_sent() {
    let desk = Desk::quiet().await;
    let (author, customer) = (desk.service_user().await, desk.customer(1).await);
    let new = ticket(7, customer, vec![note("1", author, "2025-01-01T09:00:00Z")]);
    let id = desk.client.create_ticket(&new).await.unwrap();
    let mut message = desk.client.ticket_messages(id, None).await.unwrap().records.remove(0).record;
    message.body_text = Some("As it was".to_owned());
    desk.client.update_message(&message).await.unwrap();
    let found = desk.client.ticket_messages(id, None).await.unwrap().records.remove(0).record;
    assert_eq!(found, message);
    // What would be sent does not leave.
    message.sent_at = None;
    let unsent = desk.client.update_message(&message).await;
    assert!(matches!(unsent, Err(WriteError::Refused { status: 0, .. })), "{unsent:?}");
    desk.nothing_left_the_account();
}

#[tokio::test]
async fn a_customer_that_was_merged_is_followed_by_reads_alone() {
    let desk = Desk::quiet().await;
    let (source, middle, target) = (desk.customer(1).await, desk.customer(2).await, desk.customer(3).await);
    for (from, into) in [(source, middle), (middle, target)] {
        let path = format!("/api/customers/merge?source_id={from}&target_id={into}");
        let body = Some(json!({ "name": "One Person" }));
        desk.running.edit(|editor| editor.as_person("PUT", &path, body)).unwrap();
    }
    assert_eq!(desk.client.customer(source).await.unwrap().record.id, target);
    let change = CustomerChange { name: Change::To("Ours".to_owned()), ..CustomerChange::default() };
    let written = desk.client.update_customer(source, &change).await;
    assert!(matches!(written, Err(WriteError::Gone { .. })), "{written:?}");
    let name = desk.client.customer(target).await.unwrap().record.name;
    assert_eq!(name.as_deref(), Some("One Person"));
    desk.client.delete_customer(target).await.unwrap();
    assert!(matches!(desk.client.customer(source).await, Err(ReadError::NotFound { .. })));
}
