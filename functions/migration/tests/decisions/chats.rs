//! Chatbot conversations.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use migration::chat::{ChatCustomer, FoundBy, chat_customer, draft_chat_ticket};
use migration::gorgias::Delivery;
use migration::keys::ExternalId;
use migration::leaddesk::{ChatMessage, ChatSender, ContactId, Conversation};
use migration::settings::{AnonymisedChat, ChatVisibility};
use proptest::prelude::*;

use crate::support::{CustomerWorld, TicketWorld, at, notes_text, person, seeded};

fn said(id: &str, at_text: &str, sender: ChatSender, text: &str) -> ChatMessage {
    ChatMessage {
        id: id.to_owned(),
        sent_at: at(at_text),
        sender,
        sender_name: None,
        text: text.to_owned(),
        intent: None,
        feedback: None,
    }
}

fn conversation(messages: Vec<ChatMessage>) -> Conversation {
    Conversation {
        id: "conv-1".to_owned(),
        outcome: None,
        transferred_to: None,
        customer_email: None,
        customer_phone: None,
        started_at: None,
        ended_at: None,
        stated_messages: None,
        agents: Vec::new(),
        messages,
    }
}

fn thread() -> Conversation {
    let mut bot = said("2", "2024-05-01T10:00:05Z", ChatSender::Bot, "Hello! <3");
    bot.intent = Some("greeting".to_owned());
    bot.feedback = Some("like".to_owned());
    let mut agent = said("4", "2024-05-01T10:02:00Z", ChatSender::Agent, "I take over");
    agent.sender_name = Some("Agent Five".to_owned());
    let mut visitor = said("1", "2024-05-01T10:00:00Z", ChatSender::Customer, "Hi,\nis <b>anyone</b> there?");
    visitor.intent = Some("hello".to_owned());
    Conversation {
        outcome: Some("transferred".to_owned()),
        transferred_to: Some("Sales".to_owned()),
        started_at: Some(at("2024-05-01T09:59:58Z")),
        ended_at: Some(at("2024-05-01T10:03:00Z")),
        stated_messages: Some(6),
        ..conversation(vec![
            agent,
            visitor,
            bot,
            said("3", "2024-05-01T10:01:00Z", ChatSender::System, ""),
            said("3", "2024-05-01T10:01:00Z", ChatSender::System, ""),
        ])
    }
}

fn shown(world: &TicketWorld, conversation: &Conversation) -> String {
    let customer = ExternalId::customer(ContactId(1));
    let drafted = match draft_chat_ticket(conversation, &customer, &world.ctx()) {
        Ok(drafted) => drafted,
        Err(reject) => return reject.to_string(),
    };
    let ticket = &drafted.ticket;
    let mut out = format!("{} on {}: {}\n", ticket.external_id, ticket.channel, ticket.subject);
    writeln!(out, "{} to {}, for {:?}", ticket.created_at, ticket.closed_at.unwrap(), ticket.assignee_user)
        .unwrap();
    for message in &ticket.messages {
        let kind = match &message.delivery {
            Delivery::InternalNote { author, .. } => format!("note by {author:?}"),
            Delivery::Incoming { channel, .. } => format!("in on {channel}"),
            Delivery::Outgoing { channel, author, .. } => format!("out on {channel} by {author:?}"),
        };
        writeln!(out, "* {} {} {kind}", message.external_id, message.delivery.at()).unwrap();
        for line in message.body_text.lines() {
            writeln!(out, "    {line}").unwrap();
        }
    }
    out + &notes_text(&drafted.notes)
}

#[test]
fn a_thread_with_everyone() {
    let mut world = TicketWorld::new();
    expect![[r"
        leaddesk:chat:conv-1 on chat: JennyBot conversation: transferred to Sales
        2024-05-01T09:59:58Z to 2024-05-01T10:03:00Z, for Some(UserId(5))
        * leaddesk:chatmessage:6:conv-1:1 2024-05-01T10:00:00Z in on chat
            Hi,
            is <b>anyone</b> there?
        * leaddesk:chatmessage:6:conv-1:2 2024-05-01T10:00:05Z note by ServiceUser
            JennyBot:
            Hello! <3
            Intent: greeting
            Feedback: like
        * leaddesk:chatmessage:6:conv-1:3 2024-05-01T10:01:00Z note by ServiceUser
            JennyBot (system):
            (no text)
        * leaddesk:chatmessage:6:conv-1:4 2024-05-01T10:02:00Z note by User(UserId(5))
            Agent Five (agent, JennyBot):
            I take over
        CHT104 conversation/conv-1 4 of 6
        CHT106 conversation/conv-1
        CHT107 conversation/conv-1 1
        CHT108 conversation/conv-1 3
        CHT109 conversation/conv-1 3
    "]]
    .assert_eq(&shown(&world, &thread()));
    world.settings.chat_visibility = ChatVisibility::Public;
    let public = shown(&world, &thread());
    let kinds: Vec<&str> =
        public.lines().filter_map(|line| line.strip_prefix("* ")?.splitn(3, ' ').nth(2)).collect();
    assert_eq!(
        kinds,
        ["in on chat", "out on chat by ServiceUser", "note by ServiceUser", "out on chat by User(UserId(5))"]
    );
}

#[test]
fn edges() {
    let world = TicketWorld::new();
    let check =
        |conversation: &Conversation, expected: &Expect| expected.assert_eq(&shown(&world, conversation));
    check(
        &conversation(Vec::new()),
        &expect!["reject conversation/conv-1: CHT103 the export has no message of it"],
    );
    // Cut at the edge: the timing file knows less than the messages show.
    let mut cut = conversation(vec![said("1", "2024-05-01T10:00:00Z", ChatSender::Bot, "Hello")]);
    cut.started_at = Some(at("2024-05-01T11:00:00Z"));
    cut.ended_at = Some(at("2024-05-01T09:00:00Z"));
    cut.agents = vec!["agent5".to_owned()];
    check(
        &cut,
        &expect![[r"
            leaddesk:chat:conv-1 on chat: JennyBot conversation
            2024-05-01T10:00:00Z to 2024-05-01T10:00:00Z, for None
            * leaddesk:chatmessage:6:conv-1:1 2024-05-01T10:00:00Z note by ServiceUser
                JennyBot:
                Hello
        "]],
    );
}

#[test]
fn an_unnamed_agent_message_belongs_to_the_only_agent() {
    let world = TicketWorld::new();
    let customer = ExternalId::customer(ContactId(1));
    let mut one = conversation(vec![said("1", "2024-05-01T10:00:00Z", ChatSender::Agent, "Hello")]);
    let assignee = |conversation: &Conversation| {
        draft_chat_ticket(conversation, &customer, &world.ctx())
            .unwrap()
            .ticket
            .assignee_user
            .map(|user| user.0)
    };
    assert_eq!(assignee(&one), None);
    one.agents = vec!["agent5".to_owned()];
    assert_eq!(assignee(&one), Some(5));
    one.agents.push("agent6".to_owned());
    assert_eq!(assignee(&one), None);
}

#[test]
fn customers_of_conversations() {
    let contacts = [
        person(1, "Anna Example", "anna@example.com", &["0401234567"]),
        person(2, "Bo Example", "", &["0401234567", "0501234567"]),
    ];
    let mut world = CustomerWorld::new(&contacts);
    world.reserved_emails.insert("agent@company.example".to_owned());
    let check = |world: &CustomerWorld, email: &str, phone: &str, expected: &str| {
        let conversation = Conversation {
            customer_email: Some(email.to_owned()),
            customer_phone: Some(phone.to_owned()),
            ..conversation(Vec::new())
        };
        let (customer, notes) = chat_customer(&conversation, &world.ctx());
        let shown = match customer {
            ChatCustomer::Person(person, FoundBy::Email) => format!("person {person} by email"),
            ChatCustomer::Person(person, FoundBy::Phone) => format!("person {person} by phone"),
            ChatCustomer::Placeholder(draft) => {
                let channels: Vec<&str> =
                    draft.channels.iter().map(|channel| channel.address.as_str()).collect();
                let id = draft.external_id.as_str();
                format!("{} {}", id.split("email-").next().unwrap(), channels.join(" "))
            }
            ChatCustomer::Skip => "skip".to_owned(),
        };
        let notes: Vec<&str> = notes.iter().map(|note| note.code.as_str()).collect();
        assert_eq!(format!("{shown} {}", notes.join(" ")), expected, "{email} {phone}");
    };
    check(&world, "ANNA@example.com", "0501234567", "person 1 by email ");
    check(&world, "", "050 1234567", "person 2 by phone ");
    check(&world, "", "0401234567", "leaddesk:visitor:conv-1  CHT105");
    check(&world, "new@example.com", "0501234567", "leaddesk:visitor: new@example.com ");
    check(&world, "new@example.com", "", "leaddesk:visitor: new@example.com ");
    check(&world, "agent@company.example", "", "leaddesk:visitor:conv-1  ");
    check(&world, "", "0441234567", "leaddesk:number:+358441234567 +358441234567 ");
    check(&world, "none@none", "0", "leaddesk:visitor:conv-1  CHT101");
    check(&world, "", "", "leaddesk:visitor:conv-1  CHT101");
    world.settings.anonymised_chat = AnonymisedChat::Skip;
    check(&world, "", "", "skip CHT102");
    check(&world, "new@example.com", "", "leaddesk:visitor: new@example.com ");
}

proptest! {
    #![proptest_config(seeded(150))]

    #[test]
    fn one_message_a_message_in_order(
        drawn in proptest::collection::vec((0_u8..20, 0_i64..100, 0_u8..4), 1..20),
    ) {
        let senders = [ChatSender::Customer, ChatSender::Bot, ChatSender::Agent, ChatSender::System];
        let messages: Vec<ChatMessage> = drawn
            .iter()
            .map(|(id, seconds, sender)| ChatMessage {
                sent_at: jiff::Timestamp::from_second(*seconds).unwrap(),
                ..said(&id.to_string(), "2024-01-01T00:00:00Z", senders[usize::from(*sender)], "text")
            })
            .collect();
        let distinct: std::collections::BTreeSet<u8> = drawn.iter().map(|(id, ..)| *id).collect();
        let world = TicketWorld::new();
        let customer = ExternalId::customer(ContactId(1));
        let ticket = draft_chat_ticket(&conversation(messages), &customer, &world.ctx()).unwrap().ticket;
        prop_assert_eq!(ticket.messages.len(), distinct.len());
        prop_assert!(ticket.messages.is_sorted_by_key(|message| message.delivery.at()));
        prop_assert_eq!(ticket.created_at, ticket.messages[0].delivery.at());
        // On defaults nothing leaves Gorgias: every message is a note or came in.
        let outgoing = |delivery: &Delivery| matches!(delivery, Delivery::Outgoing { .. });
        prop_assert!(!ticket.messages.iter().any(|message| outgoing(&message.delivery)));
    }
}
