//! Single courses of events, by name: what histories play by chance and what a person has to find here.

use std::collections::BTreeSet;

use migration::settings::VanishedPolicy;

use super::super::desk::LISTS;
use super::{Ongoing, People, Play, change, delta, in_virtual_time};
use crate::delta::DeltaError;
use crate::deltas::{DoneV1, PlanV1};
use crate::ports::gorgias::Ticket;
use crate::transform::VANISHED_TAG;

/// Enough that a share says something.
const MANY: u64 = 30;

pub(super) fn ticket(play: &Play, key: &str) -> Ticket {
    play.world.gorgias.account(|account| {
        let is_it = |ticket: &&Ticket| ticket.external_id.as_deref() == Some(key);
        account.tickets.values().find(is_it).cloned().expect("the ticket is there")
    })
}

pub(super) async fn run(play: &mut Play) -> (PlanV1, DoneV1) {
    play.is_read();
    let delta = delta::run(&play.ctx(&play.world)).await.expect("a delta comes to its end");
    (delta.plan.expect("a plan"), delta.done.expect("a watermark"))
}

/// One lead is deleted, another one moves to the other list; what becomes of their tickets.
fn after_vanishing(policy: VanishedPolicy) -> [Ticket; 3] {
    let ongoing = Ongoing::new(6);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        play.vanished = policy;
        play.desk.with(|books| {
            change(books, 6, 2, 2, 0);
            change(books, 5, 3, 3, 0);
        });
        let (plan, done) = run(&mut play).await;
        assert_eq!(plan.vanished.get("contact deleted"), Some(&1), "{plan:?}");
        assert_eq!(plan.vanished.get("contact moved to another list"), Some(&1), "{plan:?}");
        assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{done:?}");
        let tickets = ["leaddesk:lead:1:2", "leaddesk:lead:1:3", "leaddesk:lead:2:3"];
        let tickets = tickets.map(|key| ticket(&play, key));
        // Once more, and nothing is written.
        let before = play.world.gorgias.all_requests();
        let (plan, done) = run(&mut play).await;
        assert!(done.is_unchanged && plan.vanished.is_empty(), "{plan:?} {done:?}");
        assert_eq!(play.world.gorgias.all_requests(), before);
        tickets
    })
}

fn is_tagged(ticket: &Ticket) -> bool {
    ticket.tags.iter().any(|tag| tag == VANISHED_TAG)
}

#[test]
fn tickets_of_vanished_leads_stay_as_they_are_by_default() {
    let tickets = after_vanishing(VanishedPolicy::Keep);
    assert!(tickets.iter().all(|ticket| ticket.status != "closed" && !is_tagged(ticket)), "{tickets:?}");
}

#[test]
fn tickets_of_vanished_leads_are_tagged_where_the_policy_says_so() {
    let [deleted, moved, new] = after_vanishing(VanishedPolicy::Tag);
    assert!(is_tagged(&deleted) && is_tagged(&moved) && !is_tagged(&new));
    assert!([deleted, moved, new].iter().all(|ticket| ticket.status != "closed"));
}

#[test]
fn tickets_of_vanished_leads_are_closed_where_the_policy_says_so() {
    let [deleted, moved, new] = after_vanishing(VanishedPolicy::Close);
    assert!(deleted.status == "closed" && moved.status == "closed" && new.status != "closed");
    assert!([deleted, moved, new].iter().all(|ticket| !is_tagged(ticket)));
}

#[test]
fn the_tag_of_what_vanished_is_known_when_nothing_is_wished_to_carry_it_any_more() {
    let ongoing = Ongoing::new(6);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        play.vanished = VanishedPolicy::Tag;
        play.desk.with(|books| change(books, 5, 3, 3, 0));
        run(&mut play).await;
        assert!(is_tagged(&ticket(&play, "leaddesk:lead:1:3")));
        // The contact comes back, and nobody wants tags any more.
        play.vanished = VanishedPolicy::Keep;
        play.desk.with(|books| change(books, 5, 3, 3, 1));
        let (plan, done) = run(&mut play).await;
        assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{plan:?} {done:?}");
        assert!(!is_tagged(&ticket(&play, "leaddesk:lead:1:3")), "{plan:?} {done:?}");
    });
}

/// A ticket carries the tag and a conflict: a delta over an unchanged source looks at it once more, and has no wish of its
/// own.
#[test]
fn the_tag_of_what_vanished_is_known_when_only_a_conflict_is_left() {
    let ongoing = Ongoing::new(6);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        play.vanished = VanishedPolicy::Tag;
        let id = ticket(&play, "leaddesk:lead:1:3").id;
        play.world.gorgias.account(|account| {
            account.tickets.get_mut(&id).expect("it is there").subject = Some("Theirs".to_owned());
        });
        play.desk.with(|books| change(books, 0, 3, 3, 7));
        let (_, done) = run(&mut play).await;
        assert_eq!(done.reasons.get("DEL113"), Some(&1), "{done:?}");
        play.desk.with(|books| change(books, 5, 3, 3, 0));
        run(&mut play).await;
        assert!(is_tagged(&ticket(&play, "leaddesk:lead:1:3")));
        let (plan, done) = run(&mut play).await;
        assert!(plan.wished.is_empty() && done.is_unchanged, "{plan:?} {done:?}");
        assert_eq!(done.reasons.get("DEL113"), Some(&1), "{done:?}");
        let after = ticket(&play, "leaddesk:lead:1:3");
        assert!(is_tagged(&after) && after.subject.as_deref() == Some("Theirs"), "{after:?}");
    });
}

/// The code with which a delta stops, what of Gorgias changed by it, and what it says once the finding is accepted.
fn stopped(kind: u64, contacts: u64) -> (String, u64) {
    let ongoing = Ongoing::new(MANY);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        play.desk
            .with(|books| (1..=contacts).for_each(|contact| change(books, kind, contact, contact, contact)));
        play.is_read();
        let mut ctx = play.ctx(&play.world);
        let before = play.world.gorgias.all_requests();
        let error: DeltaError = delta::run(&ctx).await.expect_err("a person has to look first");
        let code = error.code().to_owned();
        assert_eq!(play.world.gorgias.all_requests(), before, "nothing was asked and nothing written");
        ctx.limits.accepted_findings.push(code.clone());
        let delta = delta::run(&ctx).await.expect("accepted by name, it goes on");
        let wished = delta.plan.expect("a plan").wished;
        (code, wished.values().flat_map(|states| states.values()).sum())
    })
}

#[test]
fn a_delta_in_which_much_vanished_stops_until_that_is_accepted() {
    let (code, wished) = stopped(6, 25);
    assert_eq!(code, "DEL101");
    assert!(wished >= 25, "{wished}");
}

#[test]
fn a_delta_in_which_much_changed_stops_until_that_is_accepted() {
    let (code, wished) = stopped(9, 25);
    assert_eq!(code, "DEL102");
    assert!(wished >= 25, "{wished}");
}

/// Two contacts become one person by one address, two again, and all of it once more.
#[test]
fn persons_merge_part_and_merge_again() {
    let ongoing = Ongoing::new(6);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        let customer_of = |play: &Play, contact: u64| {
            ticket(play, &format!("leaddesk:lead:1:{contact}")).customer.expect("a customer")
        };
        let (two, three) = (customer_of(&play, 2), customer_of(&play, 3));
        assert_ne!(two, three);
        for round in 0..2 {
            play.desk.with(|books| change(books, 7, 3, 2, 0));
            let (plan, done) = run(&mut play).await;
            assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{round}: {plan:?} {done:?}");
            assert_eq!((customer_of(&play, 2), customer_of(&play, 3)), (two, two), "{round}: one person");
            play.desk.with(|books| change(books, 8, 3, 3, 0));
            let (plan, done) = run(&mut play).await;
            assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{round}: {plan:?} {done:?}");
            assert_eq!((customer_of(&play, 2), customer_of(&play, 3)), (two, three), "{round}: two again");
        }
        play.judge().await;
        assert_eq!(play.sum.clone().judged(0).wrong, 0, "{:?}", play.sum);
    });
}

/// The contact of a lead that vanished becomes part of a person and parts again; its ticket follows it all the while.
#[test]
fn a_ticket_whose_lead_vanished_follows_its_contact() {
    let ongoing = Ongoing::new(6);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        let customer_of = |play: &Play, key: &str| ticket(play, key).customer.expect("a customer");
        let (own, other) = (customer_of(&play, "leaddesk:lead:1:3"), customer_of(&play, "leaddesk:lead:1:2"));
        play.desk.with(|books| change(books, 5, 3, 3, 0));
        run(&mut play).await;
        for (kind, owner) in [(7, other), (8, own), (7, other), (8, own)] {
            play.desk.with(|books| change(books, kind, 3, 2, 0));
            run(&mut play).await;
            for key in ["leaddesk:lead:1:3", "leaddesk:lead:2:3"] {
                assert_eq!(customer_of(&play, key), owner, "{key} after {kind}");
            }
        }
        play.judge().await;
        assert_eq!(play.sum.clone().judged(0).wrong, 0, "{:?}", play.sum);
    });
}

/// A contact that comes back to the list it left has its old ticket again, and no second one.
#[test]
fn a_contact_that_moves_and_comes_back_has_its_old_ticket() {
    let ongoing = Ongoing::new(6);
    in_virtual_time(async {
        let mut play = Play::of(&ongoing, 0, None);
        play.vanished = VanishedPolicy::Tag;
        let first = ticket(&play, "leaddesk:lead:1:4").id;
        play.desk.with(|books| change(books, 5, 4, 4, 0));
        run(&mut play).await;
        assert!(is_tagged(&ticket(&play, "leaddesk:lead:1:4")));
        play.desk.with(|books| {
            let minute = books.tick();
            let card = books.cards.get_mut(&4).expect("the contact");
            (card.lists, card.updated) = (BTreeSet::from([LISTS[0]]), minute);
        });
        let (_, done) = run(&mut play).await;
        assert_eq!((done.count("refused"), done.fields_different), (0, 0), "{done:?}");
        let back = ticket(&play, "leaddesk:lead:1:4");
        assert_eq!((back.id, is_tagged(&back)), (first, false));
        assert!(is_tagged(&ticket(&play, "leaddesk:lead:2:4")));
        let people = People::default();
        assert!(play.delta(None, people).await);
    });
}
