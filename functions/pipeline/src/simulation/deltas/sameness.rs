//! What is wished after deltas, against what a migration of the changed account wishes: made in two ways, and the same.

use std::collections::BTreeMap;

use jiff::Timestamp;
use snapshot::Row;
use snapshot::tables::{
    WantCustomer, WantCustomerChannel, WantCustomerValue, WantMessage, WantTicket, WantTicketTag,
    WantTicketValue,
};

use super::{
    Account, Ongoing, People, Play, Step, World, at_desk, change, confirm, in_virtual_time, run_step,
};
use crate::context::Context;
use crate::wish;

/// Accounts that are changed at random.
const SEEDS: u64 = 10;

/// Kinds of changes after which nothing stays that a migration of today would not see: no lead and no contact goes away.
const KINDS: [u64; 8] = [0, 1, 2, 3, 4, 7, 8, 9];

async fn wished<R: Row>(ctx: &Context) -> BTreeMap<String, R> {
    let rows = wish::newest::<R>(ctx).await.expect("a wish");
    let rows = rows.map(|row| row.expect("a row"));
    rows.map(|row| (format!("{:?}", row.key()), row)).collect()
}

/// A migration of the account as it is now, up to its wish.
async fn migrated_anew(play: &Play) -> (World, Context) {
    let world = World::new(Account::fresh());
    let ctx = at_desk(&world, &play.desk, play.files.path());
    run_step(&ctx, Step::Discover).await.expect("discovered");
    run_step(&ctx, Step::Propose).await.expect("proposed");
    confirm(&ctx).await;
    for step in [Step::Prepare, Step::Extract, Step::Transform] {
        run_step(&ctx, step).await.expect("every step comes to its end");
    }
    (world, ctx)
}

async fn same<R: Row>(play: &Play, anew: &Context, is_left: impl Fn(&R) -> bool, settle: impl Fn(&mut R)) {
    let mut ours = wished::<R>(&play.ctx(&play.world)).await;
    let mut theirs = wished::<R>(anew).await;
    ours.retain(|_, row| !is_left(row));
    ours.values_mut().chain(theirs.values_mut()).for_each(settle);
    let table = R::SCHEMA.name;
    for (key, row) in &theirs {
        assert_eq!(ours.get(key), Some(row), "seed {}, {table}", play.seed);
    }
    assert_eq!(ours.len(), theirs.len(), "seed {}, {table}", play.seed);
}

/// When a ticket was made cannot change any more, and what depends on its messages is looked at beside them.
fn settled(row: &mut WantTicket) {
    row.created_at = Timestamp::UNIX_EPOCH;
    row.created_evidence = String::new();
    row.last_message_at = Timestamp::UNIX_EPOCH;
    row.message_count = 0;
}

/// Messages by their own keys.
async fn said(ctx: &Context) -> BTreeMap<String, WantMessage> {
    wished::<WantMessage>(ctx).await.into_values().map(|row| (row.external_id.clone(), row)).collect()
}

/// Every message says the same and lies in the same ticket; a call that lay in one before stays there, and the moment of a
/// card is that of its ticket.
async fn same_messages(play: &Play, anew: &Context, before: &BTreeMap<String, WantMessage>) {
    let ctx = play.ctx(&play.world);
    let (ours, theirs) = (said(&ctx).await, said(anew).await);
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "seed {}", play.seed);
    let tickets = wished::<WantTicket>(&ctx).await;
    for (key, ours) in &ours {
        let mut expected = WantMessage { position: ours.position, ..theirs[key].clone() };
        if let Some(before) = before.get(key) {
            expected.ticket_external_id.clone_from(&before.ticket_external_id);
            expected.sent_at = before.sent_at;
        }
        assert_eq!(*ours, expected, "seed {}", play.seed);
    }
    for ticket in tickets.values() {
        let mut messages: Vec<&WantMessage> =
            ours.values().filter(|message| message.ticket_external_id == ticket.external_id).collect();
        messages.sort_by_key(|message| message.position);
        assert!(messages.iter().map(|message| message.position).eq(1..=ticket.message_count), "{ticket:?}");
        assert!(messages.is_sorted_by_key(|message| message.sent_at), "{ticket:?}");
        assert_eq!(
            messages.last().map(|message| message.sent_at),
            Some(ticket.last_message_at),
            "{ticket:?}"
        );
        assert_eq!(messages.first().map(|message| message.sent_at), Some(ticket.created_at), "{ticket:?}");
    }
}

#[test]
fn what_deltas_wish_is_what_a_migration_of_today_would_wish() {
    let ongoing = Ongoing::new(6);
    let mut merged = 0;
    for seed in 0..SEEDS {
        in_virtual_time(async {
            let mut play = Play::of(&ongoing, seed, None);
            for _ in 0..=play.chance.below(2) {
                let before = said(&play.ctx(&play.world)).await;
                for _ in 0..1 + play.chance.below(4) {
                    let count = play.desk.with(|books| books.cards.len() as u64);
                    let kind = KINDS[usize::try_from(play.chance.below(8)).expect("eight kinds")];
                    let (contact, other) = (1 + play.chance.below(count), 1 + play.chance.below(count));
                    let text = play.chance.below(1_000);
                    play.desk.with(|books| change(books, kind, contact, other, text));
                }
                play.is_read();
                assert!(play.delta(None, People::default()).await, "seed {seed}: {:?}", play.sum);
                merged += look(&play, &before).await;
            }
        });
    }
    assert!(merged > 0, "nobody merged");
}

/// Compares everything. How many customers became part of others.
async fn look(play: &Play, before: &BTreeMap<String, WantMessage>) -> usize {
    let (_world, anew) = migrated_anew(play).await;
    // A customer that became part of another one stays, without its addresses.
    let customers = wished::<WantCustomer>(&anew).await;
    let is_merged = |row: &WantCustomer| {
        let is_it = |other: &WantCustomer| other.external_id == row.external_id;
        !customers.values().any(is_it) && row.channel_count == 0 && row.email.is_none()
    };
    let ours = wished::<WantCustomer>(&play.ctx(&play.world)).await;
    same::<WantCustomer>(play, &anew, is_merged, |_| {}).await;
    same::<WantCustomerChannel>(play, &anew, |_| false, |_| {}).await;
    same::<WantCustomerValue>(play, &anew, |_| false, |_| {}).await;
    same::<WantTicket>(play, &anew, |_| false, settled).await;
    same::<WantTicketTag>(play, &anew, |_| false, |_| {}).await;
    same::<WantTicketValue>(play, &anew, |_| false, |_| {}).await;
    same_messages(play, &anew, before).await;
    ours.values().filter(|row| is_merged(row)).count()
}
