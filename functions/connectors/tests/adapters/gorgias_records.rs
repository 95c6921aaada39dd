//! Every write of the port, read back through the port.

use jiff::Timestamp;
use migration::gorgias::{CustomerId, FieldKind, FieldObject, FieldValue, TagDraft, TicketStatus};
use migration::keys::ExternalId;
use pipeline::ports::gorgias::{
    Change, CustomerChange, FoundChannel, FoundValue, Gorgias, NewDelivery, NewMessage, NewTeam, NewTicket,
    ReadError, Setting, WriteError,
};
use twins::gorgias::Preexisting;

use crate::desk::{Desk, at, customer, note, quiet, ticket};

fn channel(kind: &str, address: &str) -> FoundChannel {
    FoundChannel { kind: kind.to_owned(), address: address.to_owned(), is_preferred: true }
}

#[tokio::test]
async fn a_customer_comes_back_as_it_was_written() {
    let desk = Desk::quiet().await;
    let text = desk.field(FieldObject::Customer, "leaddesk:city", FieldKind::Text).await;
    let number = desk.field(FieldObject::Customer, "leaddesk:score", FieldKind::Number).await;
    let flag = desk.field(FieldObject::Customer, "leaddesk:vip", FieldKind::Boolean).await;
    let id = desk.customer(7).await;
    let mut values = vec![
        FoundValue { field: text, value: FieldValue::Text("Espoo ä".to_owned()) },
        FoundValue { field: number, value: FieldValue::Number(4.5) },
        FoundValue { field: flag, value: FieldValue::Boolean(true) },
    ];
    values.sort_by_key(|value| value.field);
    desk.client.set_customer_values(id, &values).await.unwrap();
    let found = desk.client.customer(id).await.unwrap().record;
    assert_eq!(found.external_id.as_deref(), Some("leaddesk:contact:7"));
    assert_eq!(found.name.as_deref(), Some("Contact Number 7"));
    assert_eq!(found.email.as_deref(), Some("contact-7@example.com"));
    assert_eq!((found.language.as_deref(), found.timezone.as_deref()), (Some("fi"), Some("Europe/Helsinki")));
    assert_eq!(
        found.channels,
        Some(vec![channel("email", "contact-7@example.com"), channel("phone", "+358457000007")])
    );
    assert_eq!(found.values.as_deref(), Some(&values[..]));
    assert!(found.created_at.is_some());
    // The array replaces: what is left out is gone.
    desk.client.set_customer_values(id, &values[..1]).await.unwrap();
    assert_eq!(desk.client.customer(id).await.unwrap().record.values.as_deref(), Some(&values[..1]));
    let change = CustomerChange {
        external_id: Change::To("leaddesk:contact:8".to_owned()),
        name: Change::To("Another Name".to_owned()),
        email: Change::Keep,
        language: Change::To("fi".to_owned()),
        timezone: Change::Keep,
        channels: Some(vec![channel("email", "contact-7@example.com"), channel("phone", "+358457099999")]),
    };
    desk.client.update_customer(id, &change).await.unwrap();
    let found = desk.client.customer(id).await.unwrap().record;
    assert_eq!(found.external_id.as_deref(), Some("leaddesk:contact:8"));
    assert_eq!(found.name.as_deref(), Some("Another Name"));
    assert_eq!(found.channels, change.channels);
    desk.client.delete_customer(id).await.unwrap();
    assert!(matches!(desk.client.customer(id).await, Err(ReadError::NotFound { .. })));
    assert!(matches!(desk.client.delete_customer(id).await, Err(WriteError::Gone { .. })));
    desk.nothing_left_the_account();
}

async fn whole_ticket(desk: &Desk) -> NewTicket {
    let (author, customer) = (desk.service_user().await, desk.customer(1).await);
    let field = desk.field(FieldObject::Ticket, "leaddesk:status", FieldKind::Text).await;
    let tag = TagDraft { name: "Campaign ä".to_owned(), description: "A campaign".to_owned() };
    desk.client.create_tag(&tag).await.unwrap();
    let team =
        NewTeam { name: "Office".to_owned(), description: "An office".to_owned(), members: vec![author] };
    let team = desk.client.create_team(&team).await.unwrap();
    let message = |id: &str, delivery| NewMessage { delivery, ..note(id, author, "2025-01-01T09:00:00Z") };
    let incoming = NewDelivery::Incoming {
        channel: "phone".to_owned(),
        sender: customer,
        at: at("2025-01-01T09:30:00.25Z"),
    };
    let outgoing = NewDelivery::Outgoing {
        channel: "phone".to_owned(),
        author,
        receiver: customer,
        sent_at: at("2025-01-01T10:00:00Z"),
    };
    NewTicket {
        status: TicketStatus::Closed,
        assignee_user: Some(author),
        assignee_team: Some(team),
        tags: vec![tag.name],
        values: vec![FoundValue { field, value: FieldValue::Text("finished".to_owned()) }],
        closed_at: Some(at("2025-01-03T08:00:00Z")),
        last_message_at: at("2025-01-01T10:00:00Z"),
        ..ticket(
            1,
            customer,
            vec![note("1", author, "2025-01-01T09:00:00Z"), message("2", incoming), message("3", outgoing)],
        )
    }
}

#[tokio::test]
async fn a_ticket_comes_back_as_it_was_written() {
    let desk = Desk::quiet().await;
    let new = whole_ticket(&desk).await;
    let id = desk.client.create_ticket(&new).await.unwrap();
    let raw = desk.client.ticket(id).await.unwrap();
    let found = raw.record;
    assert_eq!(found.external_id.as_deref(), Some(new.external_id.as_str()));
    assert_eq!(found.customer, Some(new.customer));
    assert_eq!(found.subject.as_ref(), Some(&new.subject));
    assert_eq!(
        (found.status.as_str(), found.channel.as_str(), found.via.as_str()),
        ("closed", "phone", "api")
    );
    assert_eq!((found.assignee_user, found.assignee_team), (new.assignee_user, new.assignee_team));
    assert_eq!((&found.tags, found.from_agent), (&new.tags, Some(true)));
    let values: Vec<_> = found.values.iter().filter(|value| value.field == new.values[0].field).collect();
    assert_eq!(values, [&new.values[0]]);
    assert_eq!((found.created_at, found.opened_at), (Some(new.created_at), Some(new.created_at)));
    assert_eq!((found.closed_at, found.trashed_at), (new.closed_at, None));
    assert!(raw.json.contains("\"attempt\""), "what marks the attempt is kept in the raw text");
    let page = desk.client.ticket_messages(id, None).await.unwrap();
    assert_eq!((page.records.len(), page.next), (3, None));
    for (found, new) in page.records.iter().zip(&new.messages) {
        let found = &found.record;
        assert_eq!(found.external_id.as_deref(), Some(new.external_id.as_str()));
        assert_eq!((found.ticket, found.via.as_str()), (id, "api"));
        assert_eq!(
            (found.body_text.as_ref(), found.body_html.as_ref()),
            (Some(&new.body_text), Some(&new.body_html))
        );
        let seen = (
            found.channel.as_str(),
            found.from_agent,
            found.is_public,
            found.sender,
            found.receiver,
            found.sent_at,
        );
        assert_eq!(found.created_at, found.sent_at);
        let expected = match &new.delivery {
            NewDelivery::InternalNote { author, at } => {
                ("internal-note", true, Some(false), Some(author.0), None, Some(*at))
            }
            NewDelivery::Incoming { channel, sender, at } => {
                (channel.as_str(), false, Some(true), Some(sender.0), None, Some(*at))
            }
            NewDelivery::Outgoing { channel, author, receiver, sent_at } => {
                (channel.as_str(), true, Some(true), Some(author.0), Some(receiver.0), Some(*sent_at))
            }
        };
        assert_eq!(
            (seen.0, seen.1, seen.2, seen.3, seen.5),
            (expected.0, expected.1, expected.2, expected.3, expected.5)
        );
        assert!(expected.4.is_none() || seen.4 == expected.4);
    }
    // A pre-dated public message of the company is the one thing that may be billed; nothing else has happened.
    let counts = desk.running.ledgers().counts();
    assert_eq!((counts.outbox, counts.invitations, counts.billing_certain, counts.violations), (0, 0, 0, 0));
}

#[tokio::test]
async fn messages_are_appended_and_tickets_trashed_restored_deleted() {
    let desk = Desk::quiet().await;
    let (author, customer) = (desk.service_user().await, desk.customer(1).await);
    let new = ticket(1, customer, vec![note("1", author, "2025-01-01T09:00:00Z")]);
    let id = desk.client.create_ticket(&new).await.unwrap();
    let message = desk.client.append_message(id, &note("2", author, "2025-02-01T09:00:00Z")).await.unwrap();
    let page = desk.client.ticket_messages(id, None).await.unwrap();
    assert_eq!(page.records.last().unwrap().record.id, message);
    assert_eq!(page.records.len(), 2);
    let trashed_at = at("2026-11-22T09:00:00Z");
    desk.client.set_ticket_trashed(id, Some(trashed_at)).await.unwrap();
    assert_eq!(desk.client.ticket(id).await.unwrap().record.trashed_at, Some(trashed_at));
    // What is in the trash still holds its identifier.
    assert_eq!(desk.client.tickets_by_external_id(&new.external_id).await.unwrap().len(), 1);
    desk.client.set_ticket_trashed(id, None).await.unwrap();
    assert_eq!(desk.client.ticket(id).await.unwrap().record.trashed_at, None);
    desk.client.delete_ticket(id).await.unwrap();
    assert!(matches!(desk.client.ticket(id).await, Err(ReadError::NotFound { .. })));
    let gone = desk.client.append_message(id, &note("3", author, "2025-02-01T09:00:00Z")).await;
    assert!(matches!(gone, Err(WriteError::Gone { .. })), "{gone:?}");
    desk.nothing_left_the_account();
}

#[tokio::test]
async fn fields_tags_and_teams_come_back_and_go() {
    let desk = Desk::quiet().await;
    let id = desk.field(FieldObject::Ticket, "leaddesk:score", FieldKind::Number).await;
    let found = |fields: Vec<pipeline::ports::gorgias::Raw<pipeline::ports::gorgias::Field>>| {
        fields.into_iter().map(|raw| raw.record).find(|field| field.id == id).unwrap()
    };
    let field = found(desk.client.fields(FieldObject::Ticket, None).await.unwrap().records);
    assert_eq!(
        (field.external_id.as_deref(), field.label.as_str()),
        (Some("leaddesk:score"), "Label of leaddesk:score")
    );
    assert_eq!((field.data_type.as_str(), field.is_active, field.managed_type), ("number", true, None));
    let others = desk.client.fields(FieldObject::Customer, None).await.unwrap().records;
    assert!(others.iter().all(|raw| raw.record.object == FieldObject::Customer && raw.record.id != id));
    desk.client.set_field_archived(id, Some(at("2026-11-22T09:00:00Z"))).await.unwrap();
    assert!(!found(desk.client.fields(FieldObject::Ticket, None).await.unwrap().records).is_active);
    desk.client.set_field_archived(id, None).await.unwrap();
    assert!(found(desk.client.fields(FieldObject::Ticket, None).await.unwrap().records).is_active);

    let draft = TagDraft { name: "Fresh".to_owned(), description: "New".to_owned() };
    let tag = desk.client.create_tag(&draft).await.unwrap();
    let tags = desk.client.tags(None).await.unwrap().records;
    let listed = tags.iter().map(|raw| &raw.record).find(|found| found.id == tag).unwrap();
    assert_eq!((listed.name.as_str(), listed.description.as_deref()), ("Fresh", Some("New")));
    assert!(matches!(desk.client.create_tag(&draft).await, Err(WriteError::Conflict { .. })));
    desk.client.delete_tag(tag).await.unwrap();
    assert!(desk.client.tags(None).await.unwrap().records.iter().all(|raw| raw.record.id != tag));

    let members = vec![desk.service_user().await];
    let new =
        NewTeam { name: "Office".to_owned(), description: "An office".to_owned(), members: members.clone() };
    let team = desk.client.create_team(&new).await.unwrap();
    let teams = desk.client.teams(None).await.unwrap().records;
    let listed = teams.iter().map(|raw| &raw.record).find(|found| found.id == team).unwrap();
    assert_eq!((listed.name.as_str(), listed.description.as_deref()), ("Office", Some("An office")));
    assert_eq!(listed.members, members);
    desk.client.delete_team(team).await.unwrap();
    assert!(desk.client.teams(None).await.unwrap().records.iter().all(|raw| raw.record.id != team));
    desk.nothing_left_the_account();
}

#[tokio::test]
async fn what_runs_by_itself_is_paused_and_woken() {
    let mut config = quiet();
    config.preexisting = Preexisting::default();
    let desk = Desk::open(config, "1000000/1").await;
    let rules = desk.client.rules(None).await.unwrap().records;
    let hooks = desk.client.integrations(None).await.unwrap().records;
    let hooks: Vec<_> = hooks.into_iter().filter(|raw| raw.record.kind == "http").collect();
    assert!(!rules.is_empty() && !hooks.is_empty() && rules.iter().all(|raw| raw.record.is_active));
    let pause = Some(at("2026-11-22T09:00:00Z"));
    for rule in &rules {
        desk.client.set_rule_paused(rule.record.id, pause).await.unwrap();
    }
    for hook in &hooks {
        desk.client.set_integration_paused(hook.record.id, pause).await.unwrap();
    }
    let surveys =
        |settings: Vec<Setting>| settings.into_iter().find(|it| it.kind == "satisfaction-surveys").unwrap();
    let before = surveys(desk.client.settings().await.unwrap());
    let silent = Setting { json: before.json.replace("true", "false"), ..before.clone() };
    desk.client.put_setting(&silent).await.unwrap();
    assert_eq!(json(&surveys(desk.client.settings().await.unwrap()).json), json(&silent.json));
    // With all of it paused a closed ticket with a customer's message makes no noise.
    let new = NewTicket {
        status: TicketStatus::Closed,
        closed_at: Some(at("2025-01-03T08:00:00Z")),
        ..new_ticket(&desk).await
    };
    desk.client.create_ticket(&new).await.unwrap();
    desk.time.advance(std::time::Duration::from_secs(7 * 24 * 3_600));
    desk.nothing_left_the_account();
    for rule in &rules {
        desk.client.set_rule_paused(rule.record.id, None).await.unwrap();
    }
    for hook in &hooks {
        desk.client.set_integration_paused(hook.record.id, None).await.unwrap();
    }
    desk.client.put_setting(&before).await.unwrap();
    assert!(desk.client.rules(None).await.unwrap().records.iter().all(|raw| raw.record.is_active));
    assert_eq!(json(&surveys(desk.client.settings().await.unwrap()).json), json(&before.json));
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

async fn new_ticket(desk: &Desk) -> NewTicket {
    let (author, customer) = (desk.service_user().await, desk.customer(1).await);
    let delivery = NewDelivery::Incoming {
        channel: "phone".to_owned(),
        sender: customer,
        at: at("2025-01-01T09:00:00Z"),
    };
    ticket(1, customer, vec![NewMessage { delivery, ..note("1", author, "2025-01-01T09:00:00Z") }])
}

#[tokio::test]
async fn the_account_and_its_people_are_read() {
    let desk = Desk::quiet().await;
    let account = desk.client.account().await.unwrap();
    assert_eq!(account.domain, "acme");
    let caller = desk.client.service_user().await.unwrap();
    assert_eq!(
        (caller.email.as_deref(), caller.role.as_str(), caller.is_active),
        (Some("migration@acme.example"), "admin", true)
    );
    let users = desk.client.users(None).await.unwrap().records;
    let emails: Vec<_> = users.iter().filter_map(|raw| raw.record.email.as_deref()).collect();
    assert!(
        emails.contains(&"agent.one@acme.example") && emails.contains(&"migration@acme.example"),
        "{emails:?}"
    );
    assert_eq!(
        desk.client.customer_url(CustomerId(5)),
        format!("{}/app/customer/5", desk.running.base_url())
    );
}

#[tokio::test]
async fn what_is_taken_is_a_conflict_and_what_is_wrong_a_refusal() {
    let desk = Desk::quiet().await;
    desk.customer(1).await;
    let mut other = customer(2);
    other.email.clone_from(&customer(1).email);
    other.channels.clone_from(&customer(1).channels);
    let taken = desk.client.create_customer(&other).await;
    assert!(matches!(taken, Err(WriteError::Conflict { .. })), "{taken:?}");
    let unknown = NewTicket { tags: vec!["No such tag".to_owned()], ..new_ticket_for(&desk).await };
    match desk.client.create_ticket(&unknown).await {
        Err(WriteError::Refused { request, status, .. }) => {
            assert_eq!((request.as_str(), status), ("POST /tickets", 400));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.client.tickets_by_external_id(&unknown.external_id).await.unwrap(), []);
}

async fn new_ticket_for(desk: &Desk) -> NewTicket {
    let (author, customer) = (desk.service_user().await, desk.customer(3).await);
    ticket(9, customer, vec![note("9", author, "2025-01-01T09:00:00Z")])
}

#[tokio::test]
async fn what_would_be_sent_does_not_leave() {
    let desk = Desk::quiet().await;
    let (author, customer) = (desk.service_user().await, desk.customer(1).await);
    let later: Timestamp = at("2026-11-22T10:00:01Z");
    let delivery =
        NewDelivery::Outgoing { channel: "email".to_owned(), author, receiver: customer, sent_at: later };
    let new = ticket(1, customer, vec![NewMessage { delivery, ..note("1", author, "2025-01-01T09:00:00Z") }]);
    match desk.client.create_ticket(&new).await {
        Err(WriteError::Refused { status, message, .. }) => {
            assert_eq!(
                (status, message.as_str()),
                (0, "stopped before sending: a message would be sent in the future")
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.asked("POST /api/tickets"), 0);
    desk.nothing_left_the_account();
}

#[tokio::test]
async fn look_ups_find_one_record_and_no_neighbour() {
    let desk = Desk::quiet().await;
    let (one, eleven) = (desk.customer(1).await, desk.customer(11).await);
    let id = |text: &str| ExternalId::from_stored(text);
    let ids = |found: Vec<pipeline::ports::gorgias::Raw<pipeline::ports::gorgias::Customer>>| {
        found.into_iter().map(|raw| raw.record.id).collect::<Vec<_>>()
    };
    let client = &desk.client;
    assert_eq!(ids(client.customers_by_external_id(&id("leaddesk:contact:1")).await.unwrap()), [one]);
    assert_eq!(ids(client.customers_by_external_id(&id("leaddesk:contact:2")).await.unwrap()), []);
    assert_eq!(ids(client.customers_by_email("contact-11@example.com").await.unwrap()), [eleven]);
    assert_eq!(ids(client.customers_by_email("contact-2@example.com").await.unwrap()), []);
    assert_eq!(ids(client.customers_by_phone("+358457000011").await.unwrap()), [eleven]);
    assert_eq!(ids(client.customers_by_phone("+358457000002").await.unwrap()), []);
    let new = ticket(1, one, vec![note("1", desk.service_user().await, "2025-01-01T09:00:00Z")]);
    let ticket = client.create_ticket(&new).await.unwrap();
    let found = client.tickets_by_external_id(&new.external_id).await.unwrap();
    assert_eq!(found.iter().map(|raw| raw.record.id).collect::<Vec<_>>(), [ticket]);
    assert_eq!(client.tickets_by_external_id(&id("leaddesk:lead:1:11")).await.unwrap(), []);
}
