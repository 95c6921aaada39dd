//! People who act on a record between our last look at it and our write, by name. Gorgias has no conditional writes.

use jiff::Timestamp;
use migration::gorgias::{CustomerId, TicketId, UserId};

use super::named::{run, ticket};
use super::{Ongoing, Play, change, in_virtual_time};
use crate::deltas::DoneV1;
use crate::ports::gorgias::{AuditEvent, Ticket};
use crate::testing::Account;

/// The codes and records that a watermark names.
fn named(done: &DoneV1) -> Vec<(&str, &str, &str)> {
    let residue = done.residue.iter();
    residue.map(|left| (left.code.as_str(), left.object.as_str(), left.external_id.as_str())).collect()
}

/// The account's log tells what a person did.
fn log(account: &mut Account, kind: &str, object_type: &str, object: u64, at: Timestamp) {
    account.events.push(AuditEvent {
        id: account.events.len() as u64 + 1,
        kind: kind.to_owned(),
        object_type: object_type.to_owned(),
        object,
        user: Some(UserId(2)),
        at,
    });
}

fn customer_of(play: &Play, contact: u64) -> CustomerId {
    ticket(play, &format!("leaddesk:lead:1:{contact}")).customer.expect("a customer")
}

fn name_of(play: &Play, id: CustomerId) -> Option<String> {
    play.world.gorgias.account(|account| account.customers.get(&id).and_then(|held| held.name.clone()))
}

/// A contact gets another name, which its customer and its ticket show.
fn rename(play: &Play, contact: u64) {
    play.desk.with(|books| change(books, 0, contact, contact, 7));
}

#[test]
fn a_field_that_a_person_changes_right_before_our_write_is_named() {
    let ongoing = Ongoing::new(4);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        let id = customer_of(&play, 2);
        rename(&play, 2);
        play.world.gorgias.person_before("PUT /customers/{id}", move |account, at| {
            account.customers.get_mut(&id).expect("it is there").name = Some("Theirs".to_owned());
            log(account, "customer-updated", "Customer", id.0, at);
        });
        let (_, done) = run(&mut play).await;
        // Their change is gone, and nobody can tell what it was: a person has to look.
        assert_eq!(name_of(&play, id).as_deref(), Some("First2 Name7"));
        assert_eq!(named(&done), [("DEL120", "customer", "leaddesk:contact:2")], "{done:?}");
        assert_eq!(done.count("refused"), 0, "{done:?}");
        // It is told once.
        assert!(run(&mut play).await.1.is_unchanged);
    });
}

#[test]
fn a_field_that_a_person_changes_before_our_last_look_stays_and_is_looked_at_again() {
    let ongoing = Ongoing::new(4);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        let id = customer_of(&play, 2);
        rename(&play, 2);
        // Rules go off after everything about customers is decided, and before any of them is written.
        play.world.gorgias.person_before("PUT /rules/{id}", move |account, at| {
            account.customers.get_mut(&id).expect("it is there").name = Some("Theirs".to_owned());
            log(account, "customer-updated", "Customer", id.0, at);
        });
        let (_, done) = run(&mut play).await;
        assert_eq!(name_of(&play, id).as_deref(), Some("Theirs"));
        assert_eq!(named(&done), [("DEL117", "customer", "leaddesk:contact:2")], "{done:?}");
        // The next one sees that both sides changed it, and leaves it to a rule or a person.
        let (_, done) = run(&mut play).await;
        assert_eq!(name_of(&play, id).as_deref(), Some("Theirs"));
        assert_eq!(named(&done), [("DEL113", "customer", "leaddesk:contact:2")], "{done:?}");
    });
}

#[test]
fn a_ticket_that_a_person_changes_right_before_our_write_is_named() {
    let ongoing = Ongoing::new(4);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        let before = ticket(&play, "leaddesk:lead:1:2");
        let id = before.id;
        rename(&play, 2);
        play.world.gorgias.person_before("PUT /tickets/{id}", move |account, at| {
            let held: &mut Ticket = account.tickets.get_mut(&id).expect("it is there");
            held.subject = Some("Theirs".to_owned());
            log(account, "ticket-subject-updated", "Ticket", id.0, at);
        });
        let (_, done) = run(&mut play).await;
        let after = ticket(&play, "leaddesk:lead:1:2");
        assert!(after.subject != before.subject && after.subject.as_deref() != Some("Theirs"), "{after:?}");
        let told = named(&done);
        assert!(told.contains(&("DEL120", "ticket", "leaddesk:lead:1:2")), "{done:?}");
        assert!(told.iter().all(|(code, object, _)| *code == "DEL120" && *object != "customer"), "{done:?}");
    });
}

/// Somebody who works on other records, or on this one before the delta began, is not in our way.
#[test]
fn who_acts_elsewhere_or_earlier_is_not_named() {
    let ongoing = Ongoing::new(4);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        let (ours, other) = (customer_of(&play, 2), customer_of(&play, 3));
        let now = crate::ports::clock::Clock::now(&*play.world.clock);
        play.world.gorgias.account(|account| log(account, "customer-updated", "Customer", ours.0, now));
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        rename(&play, 2);
        play.world.gorgias.person_before("PUT /customers/{id}", move |account, at| {
            account.customers.get_mut(&other).expect("it is there").name = Some("Theirs".to_owned());
            log(account, "customer-updated", "Customer", other.0, at);
        });
        let (_, done) = run(&mut play).await;
        assert_eq!(named(&done), [], "{done:?}");
        assert_eq!(name_of(&play, other).as_deref(), Some("Theirs"));
    });
}

/// The ticket as it is after a person deleted it right before our write on this route, and the watermark.
fn deleted_before(route: &str, kind: u64) -> DoneV1 {
    let ongoing = Ongoing::new(4);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        let id: TicketId = ticket(&play, "leaddesk:lead:1:2").id;
        play.desk.with(|books| change(books, kind, 2, 2, 7));
        play.world.gorgias.person_before(route, move |account, at| {
            account.tickets.remove(&id);
            account.messages.retain(|_, message| message.ticket != id);
            log(account, "ticket-deleted", "Ticket", id.0, at);
        });
        let (_, done) = run(&mut play).await;
        let is_back = |play: &Play| {
            play.world.gorgias.account(|account| {
                let keys = account.tickets.values().filter_map(|ticket| ticket.external_id.clone());
                let is_left = account.messages.values().any(|message| message.ticket == id);
                is_left || keys.into_iter().any(|key| key == "leaddesk:lead:1:2")
            })
        };
        assert!(!is_back(&play), "what people deleted stays deleted");
        run(&mut play).await;
        assert!(!is_back(&play), "also in the next one");
        done
    })
}

#[test]
fn a_ticket_that_a_person_deletes_right_before_our_write_stays_deleted() {
    let done = deleted_before("PUT /tickets/{id}", 0);
    let told = named(&done);
    assert!(told.contains(&("DEL112", "ticket", "leaddesk:lead:1:2")), "{done:?}");
    assert!(told.iter().all(|(code, ..)| *code == "DEL112"), "{done:?}");
    assert_eq!(done.fields_different, 0, "{done:?}");
}

#[test]
fn a_ticket_that_a_person_deletes_right_before_a_message_is_appended_stays_deleted() {
    let done = deleted_before("POST /tickets/{id}/messages", 3);
    let told = named(&done);
    assert!(!told.is_empty() && told.iter().all(|(code, ..)| *code == "DEL112"), "{done:?}");
    assert_eq!((done.count("appended"), done.fields_different), (0, 0), "{done:?}");
}

#[test]
fn a_customer_that_a_person_merges_right_before_our_write_is_left_to_its_target() {
    let ongoing = Ongoing::new(4);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        let (source, target) = (customer_of(&play, 2), customer_of(&play, 3));
        rename(&play, 2);
        play.world.gorgias.person_before("PUT /customers/{id}", move |account, at| {
            account.merge(source, target);
            log(account, "customer-merged", "Customer", target.0, at);
        });
        let (_, done) = run(&mut play).await;
        assert!(named(&done).contains(&("DEL115", "customer", "leaddesk:contact:2")), "{done:?}");
        assert_eq!(done.fields_different, 0, "{done:?}");
        // The target is as people left it, and the ticket is where they put it.
        assert_eq!(name_of(&play, target).as_deref(), Some("First3 Last3"));
        assert_eq!(customer_of(&play, 2), target);
        let (_, done) = run(&mut play).await;
        assert_eq!((customer_of(&play, 2), name_of(&play, source)), (target, None), "{done:?}");
        assert_eq!(name_of(&play, target).as_deref(), Some("First3 Last3"));
    });
}

/// A call is appended while somebody answers: the ticket shows the moment of their answer, not that of the call.
#[test]
fn an_answer_right_before_the_moment_of_the_last_message_is_written_is_not_hidden() {
    let ongoing = Ongoing::new(4);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        let id = ticket(&play, "leaddesk:lead:1:2").id;
        play.desk.with(|books| change(books, 3, 2, 2, 7));
        play.world.gorgias.person_before("PUT /tickets/{id}", move |account, at| {
            let number = migration::gorgias::MessageId(9_000_001);
            let template = account.messages.values().next().expect("a message").clone();
            let answer = crate::ports::gorgias::Message {
                id: number,
                ticket: id,
                external_id: None,
                sent_at: Some(at),
                created_at: Some(at),
                ..template
            };
            account.messages.insert(number, answer);
            account.tickets.get_mut(&id).expect("it is there").last_message_at = Some(at);
            log(account, "ticket-message-created", "Ticket", id.0, at);
        });
        let (_, done) = run(&mut play).await;
        assert_eq!(done.count("appended"), 1, "{done:?}");
        assert!(named(&done).contains(&("DEL120", "ticket", "leaddesk:lead:1:2")), "{done:?}");
    });
}
