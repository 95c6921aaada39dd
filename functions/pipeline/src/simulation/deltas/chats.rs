//! Newer chatbot exports, by name: beside the older ones, in their place, overlapping, cut, anonymised.

use migration::settings::AnonymisedChat;
use snapshot::tables::SourceChatMessage;

use super::named::{run, ticket};
use super::{Ongoing, Play, in_virtual_time};
use crate::archive;
use crate::deltas;
use crate::ports::gorgias::{Message, Ticket};
use crate::testing::account::essence;
use crate::testing::chatbot::{MESSAGES, export, message};

/// The first export, with these outcomes.
fn told_as(outcomes: &[&str]) -> Vec<u8> {
    let messages = [
        MESSAGES.to_owned(),
        message("c1", "m1", 1, "customer", "where is my order"),
        message("c1", "m2", 2, "bot", "let me look"),
        message("c2", "m1", 3, "customer", "are you open"),
        message("c2", "m2", 4, "bot", "until six"),
        message("c3", "m1", 5, "customer", "hello"),
    ];
    let timing = [timing("c1", 1, 2, 2), timing("c2", 3, 4, 2), timing("c3", 5, 5, 1)];
    export(&messages.concat(), &outcomes.concat(), &timing.concat())
}

/// Three conversations: of a person who is migrated anyway, of a visitor with an address, of nobody.
fn first() -> Vec<u8> {
    let outcomes = [
        "c1,unanswered,,,person2@example.com,\n",
        "c2,handled,,,visitor@example.com,+358401112222\n",
        "c3,handled,,,,\n",
    ];
    told_as(&outcomes)
}

/// The same window moved on: the end of the first conversation, all of the second one, and a new one.
fn second() -> Vec<u8> {
    let messages = [
        MESSAGES.to_owned(),
        message("c1", "m2", 2, "bot", "let me look"),
        message("c1", "m3", 20, "agent", "it is on its way"),
        message("c1", "m4", 21, "customer", "thank you"),
        message("c2", "m1", 3, "customer", "are you open"),
        message("c2", "m2", 4, "bot", "until six"),
        message("c4", "m1", 30, "customer", "one more question"),
        message("c4", "m2", 31, "bot", "ask"),
    ];
    let outcomes = [
        "c1,transferred,agent,,person2@example.com,\n",
        "c2,handled,,,visitor@example.com,+358401112222\n",
        "c4,handled,,,person3@example.com,\n",
    ];
    let timing = [timing("c1", 1, 21, 4), timing("c2", 3, 4, 2), timing("c4", 30, 31, 2)];
    export(&messages.concat(), &outcomes.concat(), &timing.concat())
}

/// The first export once more, after the bot's retention took away who its visitors were.
fn anonymised() -> Vec<u8> {
    let outcomes = ["c1,unanswered,,,,\n", "c2,handled,,,,\n", "c3,handled,,,,\n"];
    told_as(&outcomes)
}

fn timing(conversation: &str, from: u32, until: u32, messages: u32) -> String {
    format!("{conversation},2024-05-01T10:00:{from:02}Z,2024-05-01T10:00:{until:02}Z,,,{messages}\n")
}

fn migrated_as(setting: AnonymisedChat) -> Ongoing {
    Ongoing::with(4, setting, |folder| {
        std::fs::write(folder.join("bot1.zip"), first()).expect("a folder of ours");
    })
}

fn migrated() -> Ongoing {
    migrated_as(AnonymisedChat::Placeholder)
}

fn started(ongoing: &Ongoing) -> Play {
    let play = Play::of(ongoing, 0, None);
    put(&play, "bot1.zip", &first());
    play
}

fn put(play: &Play, name: &str, export: &[u8]) {
    std::fs::write(play.files.path().join(name), export).expect("a folder of ours");
}

fn take_away(play: &Play, name: &str) {
    std::fs::remove_file(play.files.path().join(name)).expect("it was put there");
}

fn chat(play: &Play, conversation: &str) -> Ticket {
    ticket(play, &format!("leaddesk:chat:{conversation}"))
}

/// What was said in a ticket, in order of time: key and text.
fn said(play: &Play, conversation: &str) -> Vec<(String, String)> {
    let id = chat(play, conversation).id;
    let mut messages: Vec<Message> = play.world.gorgias.account(|account| {
        account.messages.values().filter(|message| message.ticket == id).cloned().collect()
    });
    messages.sort_by_key(|message| message.sent_at);
    let key = |message: &Message| message.external_id.clone().unwrap_or_default();
    let text = |message: &Message| message.body_text.clone().unwrap_or_default();
    messages
        .iter()
        .map(|message| (key(message).replace("leaddesk:chatmessage:2:", ""), text(message)))
        .collect()
}

fn keys(play: &Play, conversation: &str) -> Vec<String> {
    said(play, conversation).into_iter().map(|(key, _)| key).collect()
}

/// Messages that the newest reading holds of a conversation.
async fn read(play: &Play, conversation: &str) -> Vec<String> {
    let ctx = play.ctx(&play.world);
    let newest = deltas::newest(&ctx).await.expect("readable").expect("a delta");
    let rows = archive::open::<SourceChatMessage>(&ctx, &ctx.run, newest.pass()).await.expect("sealed");
    let rows = rows.map(|row| row.expect("a row")).filter(|row| row.conversation_id == conversation);
    rows.map(|row| row.message_id).collect()
}

/// A delta that has nothing to write, and writes nothing.
async fn rests(play: &mut Play, why: &str) {
    let before = play.world.gorgias.account(|account| essence(account));
    let (plan, done) = run(play).await;
    assert!(done.is_unchanged && done.objects.is_empty(), "{why}: {plan:?} {done:?}");
    let after = play.world.gorgias.account(|account| essence(account));
    assert_eq!(after.tickets, before.tickets, "{why}");
    assert_eq!(after.messages, before.messages, "{why}");
    assert_eq!(after.customers, before.customers, "{why}");
}

#[test]
fn a_newer_export_brings_what_was_said_since_and_the_same_again_brings_nothing() {
    let ongoing = migrated();
    in_virtual_time(async {
        let mut play = started(&ongoing);
        rests(&mut play, "the export that was loaded").await;
        let customers = play.world.gorgias.account(|account| account.customers.len());
        put(&play, "bot2.zip", &second());
        let (plan, done) = run(&mut play).await;
        let tickets = plan.wished.get("ticket").cloned().unwrap_or_default();
        assert_eq!((tickets.get("new"), tickets.get("changed")), (Some(&1), Some(&1)), "{plan:?}");
        assert_eq!((done.count("created"), done.count("appended")), (1, 2), "{done:?}");
        assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{done:?}");
        let texts = said(&play, "c1");
        let keys: Vec<&str> = texts.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["c1:m1", "c1:m2", "c1:m3", "c1:m4"]);
        assert!(texts[2].1.contains("it is on its way") && texts[3].1.contains("thank you"), "{texts:?}");
        // The newer export knows how the conversation ended.
        assert_eq!(chat(&play, "c1").subject.as_deref(), Some("JennyBot conversation: transferred to agent"));
        let person = |contact: u64| ticket(&play, &format!("leaddesk:lead:1:{contact}")).customer;
        assert_eq!(chat(&play, "c1").customer, person(2));
        assert_eq!(chat(&play, "c4").customer, person(3));
        assert_eq!(said(&play, "c4").len(), 2);
        assert_eq!(play.world.gorgias.account(|account| account.customers.len()), customers);
        rests(&mut play, "both exports again").await;
        take_away(&play, "bot2.zip");
        put(&play, "renamed.zip", &second());
        rests(&mut play, "the same export under another name").await;
    });
}

#[test]
fn an_export_in_place_of_the_older_one_takes_nothing_away() {
    let ongoing = migrated();
    in_virtual_time(async {
        let mut play = started(&ongoing);
        let (second_before, third_before) = (chat(&play, "c2"), chat(&play, "c3"));
        take_away(&play, "bot1.zip");
        put(&play, "bot2.zip", &second());
        let (plan, done) = run(&mut play).await;
        assert_eq!((done.count("created"), done.count("appended")), (1, 2), "{plan:?} {done:?}");
        assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{done:?}");
        assert_eq!(keys(&play, "c1"), ["c1:m1", "c1:m2", "c1:m3", "c1:m4"]);
        assert_eq!((chat(&play, "c2"), chat(&play, "c3")), (second_before, third_before));
        assert!(plan.vanished.is_empty(), "{plan:?}");
        assert_eq!(read(&play, "c1").await, ["m1", "m2", "m3", "m4"]);
        assert_eq!(read(&play, "c3").await, ["m1"]);
        // A window with nothing in it, and no export at all.
        take_away(&play, "bot2.zip");
        put(&play, "bot3.zip", &export(MESSAGES, "", ""));
        rests(&mut play, "an export without conversations").await;
        take_away(&play, "bot3.zip");
        rests(&mut play, "no export").await;
        assert_eq!(read(&play, "c1").await, ["m1", "m2", "m3", "m4"]);
        put(&play, "bot1.zip", &first());
        let (_, done) = run(&mut play).await;
        assert_eq!((done.count("created"), done.count("appended")), (0, 0), "{done:?}");
        assert_eq!(keys(&play, "c1"), ["c1:m1", "c1:m2", "c1:m3", "c1:m4"]);
    });
}

/// The part of a conversation that a window cuts off stays, with whom it was assigned to.
#[test]
fn the_end_of_a_conversation_alone_does_not_forget_its_beginning() {
    let ongoing = migrated();
    in_virtual_time(async {
        let mut play = started(&ongoing);
        put(&play, "bot2.zip", &second());
        run(&mut play).await;
        let before = chat(&play, "c1");
        let rows = [MESSAGES.to_owned(), message("c1", "m5", 40, "customer", "it arrived")].concat();
        take_away(&play, "bot1.zip");
        take_away(&play, "bot2.zip");
        put(&play, "bot3.zip", &export(&rows, "", &timing("c1", 1, 40, 5)));
        let (plan, done) = run(&mut play).await;
        assert_eq!((done.count("created"), done.count("appended")), (0, 1), "{plan:?} {done:?}");
        assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{done:?}");
        assert_eq!(keys(&play, "c1"), ["c1:m1", "c1:m2", "c1:m3", "c1:m4", "c1:m5"]);
        let after = chat(&play, "c1");
        assert_eq!((&after.subject, after.customer), (&before.subject, before.customer));
        assert_eq!((after.assignee_user, after.assignee_team), (before.assignee_user, before.assignee_team));
        assert_eq!(after.created_at, before.created_at);
    });
}

/// What retention takes away at the source stays with the customer that it was given, and nobody is made for it.
fn stays_although_anonymised(setting: AnonymisedChat, is_beside: bool) {
    let ongoing = migrated_as(setting);
    in_virtual_time(async {
        let mut play = started(&ongoing);
        let before = play.world.gorgias.account(|account| essence(account));
        if !is_beside {
            take_away(&play, "bot1.zip");
        }
        put(&play, "bot2.zip", &anonymised());
        let (plan, done) = run(&mut play).await;
        assert_eq!(done.objects, std::collections::BTreeMap::new(), "{plan:?} {done:?}");
        let after = play.world.gorgias.account(|account| essence(account));
        assert_eq!(after.customers, before.customers);
        assert_eq!(after.tickets, before.tickets);
        assert_eq!(after.messages, before.messages);
        rests(&mut play, "once more").await;
    });
}

#[test]
fn an_anonymised_conversation_stays_with_its_customer() {
    for is_beside in [false, true] {
        stays_although_anonymised(AnonymisedChat::Placeholder, is_beside);
        stays_although_anonymised(AnonymisedChat::Skip, is_beside);
    }
}

/// A conversation of nobody that is new is carried or skipped, as the settings say.
#[test]
fn a_new_conversation_of_nobody_follows_the_settings() {
    let rows = [MESSAGES.to_owned(), message("c9", "m1", 50, "customer", "hello")].concat();
    let nobody = export(&rows, "c9,handled,,,,\n", &timing("c9", 50, 50, 1));
    for (setting, tickets) in [(AnonymisedChat::Placeholder, 1), (AnonymisedChat::Skip, 0)] {
        let ongoing = migrated_as(setting);
        in_virtual_time(async {
            let mut play = started(&ongoing);
            put(&play, "bot2.zip", &nobody);
            let (plan, done) = run(&mut play).await;
            let created = |object: &str| {
                done.objects.get(object).and_then(|outcomes| outcomes.get("created")).copied().unwrap_or(0)
            };
            assert_eq!((created("ticket"), created("customer")), (tickets, tickets), "{plan:?} {done:?}");
            rests(&mut play, "once more").await;
        });
    }
}

#[test]
fn what_is_said_in_a_ticket_that_a_person_deleted_brings_it_not_back() {
    let ongoing = migrated();
    in_virtual_time(async {
        let mut play = started(&ongoing);
        let id = chat(&play, "c1").id;
        play.world.gorgias.account(|account| {
            account.tickets.remove(&id);
            account.messages.retain(|_, message| message.ticket != id);
        });
        put(&play, "bot2.zip", &second());
        let (plan, done) = run(&mut play).await;
        assert_eq!(done.reasons.get("DEL112"), Some(&1), "{plan:?} {done:?}");
        assert_eq!((done.count("created"), done.count("appended"), done.count("refused")), (1, 0, 0));
        play.world.gorgias.account(|account| {
            let mut keys = account.tickets.values().filter_map(|ticket| ticket.external_id.as_deref());
            assert!(keys.all(|key| key != "leaddesk:chat:c1"));
            assert!(account.messages.values().all(|message| message.ticket != id));
        });
        rests(&mut play, "once more").await;
    });
}
