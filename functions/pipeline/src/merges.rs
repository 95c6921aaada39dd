//! Customers that people merged into others: found by reading alone, kept in the ledger, and heeded everywhere else.
//!
//! The source of a merge is gone, and its address leads to the target; what we loaded for it belongs to the target from
//! then on. Deliberately absent: undoing a merge, and touching the target, which is people's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use async_trait::async_trait;
use migration::gorgias::CustomerId;
use migration::keys::ExternalId;
use migration::ledger::{DestinationObject, ReceiptClass, Via, WriteKey};
use snapshot::tables::WantCustomer;

use crate::ledger::book::Book;
use crate::ledger::driver::{Action, Outcome, Reaction, Work, WorkFailure, codes};
use crate::ledger::request::{Mending, Request};
use crate::ledger::stored::NoteV1;
use crate::ledger::{Ledger, key};
use crate::ports::gorgias::{Customer, Raw};
use crate::readings::{Reading, in_full, whole};
use crate::reconcile::{ReconcileError, Scene};

/// Id of the target to id of the source, the other way round: our id to the one that it leads to now.
pub(crate) type Aliases = BTreeMap<u64, u64>;

/// Where a customer went: `id` is what the ledger names, `raw` what answered for it.
pub(crate) fn target(book: &Book, key: &WriteKey, id: u64, raw: &Raw<Customer>) -> Option<u64> {
    let answered = raw.record.id.0;
    (answered != id || is_merged(book, key)).then_some(answered)
}

/// Whether the ledger says that the customer was merged into the one that it names.
pub(crate) fn is_merged(book: &Book, key: &WriteKey) -> bool {
    book.note(key).is_some_and(|note| note.code == codes::MERGED)
}

/// Customers into which others of ours were merged.
pub(crate) fn targets(scene: &Scene<'_>) -> BTreeSet<u64> {
    let merged = scene.book.iter().filter(|(key, _)| is_merged(&scene.book, key));
    let known = merged.filter_map(|(key, _)| scene.book.held(key));
    known.chain(scene.aliases.values().copied()).collect()
}

/// The write that keeps an alias; it only reads at Gorgias.
pub(crate) fn follow(key: WriteKey, source: u64) -> Action {
    Action::new(key, Request::Mend(Mending::Follow(CustomerId(source))))
}

/// What an outcome of it means.
pub(crate) fn followed(source: u64, outcome: Outcome) -> Reaction {
    let note = NoteV1 { code: codes::MERGED.to_owned(), text: source.to_string() };
    match outcome {
        Outcome::Done { id, via, .. } => Reaction::Record {
            dest_id: Some(id),
            class: ReceiptClass::Adopted,
            via,
            note: Some(note),
            follow: Vec::new(),
        },
        Outcome::Unsettled => Reaction::Leave,
        // It is there, or gone for good: nothing changed.
        _ => Reaction::Record {
            dest_id: None,
            class: ReceiptClass::Absent,
            via: Via::Answer,
            note: None,
            follow: Vec::new(),
        },
    }
}

/// Which of our customers were merged: those that the list does not show are asked for one by one.
pub(crate) async fn find(scene: &Scene<'_>) -> Result<Aliases, ReconcileError> {
    let mut ours: BTreeSet<u64> = BTreeSet::new();
    for row in crate::load::want::<WantCustomer>(scene.ctx).await? {
        let key = key::customer(&ExternalId::from_stored(row?.external_id), &scene.secret);
        ours.extend(scene.book.held(&key));
    }
    let name = |what: &str| format!("{}/merged-{what}", scene.reading);
    let take = |unlisted: &mut BTreeSet<u64>, raw: Raw<Customer>| {
        unlisted.remove(&raw.record.id.0);
        Ok(())
    };
    let unlisted =
        whole(scene.ctx, &name("customers"), || Ok::<_, ReconcileError>(ours.clone()), take).await?;
    let mut aliases = Aliases::new();
    let wanted = unlisted.into_iter().map(|id| Ok::<_, ReconcileError>(((), id)));
    let visit = |(), id, records: Vec<Raw<Customer>>| {
        let target = records.first().map(|raw| raw.record.id.0).filter(|target| *target != id);
        aliases.extend(target.map(|target| (id, target)));
        Ok(())
    };
    let mut details = Reading::open(scene.ctx, &name("details")).await?;
    details.each(wanted, in_full(scene.ctx), visit).await?;
    Ok(aliases)
}

/// Keeps aliases that the ledger does not know.
pub(crate) struct Follows(VecDeque<Action>);

impl Follows {
    /// One for each key that leads to a customer which was merged.
    pub(crate) fn new(book: &Book, aliases: &Aliases) -> Self {
        let customers = book.iter().filter(|(key, _)| key.object == DestinationObject::Customer);
        let known = customers.filter_map(|(key, _)| Some((key, book.held(key)?)));
        let merged = known.filter(|(_, id)| aliases.contains_key(id));
        Self(merged.map(|(key, id)| follow(key.clone(), id)).collect())
    }
}

#[async_trait]
impl Work for Follows {
    fn next(&mut self, _ledger: &Ledger) -> Result<Option<Action>, WorkFailure> {
        Ok(self.0.pop_front())
    }

    async fn settle(
        &mut self,
        action: &Action,
        outcome: Outcome,
        _ledger: &Ledger,
    ) -> Result<Reaction, WorkFailure> {
        Ok(followed(action.request.target().unwrap_or(0), outcome))
    }
}

#[cfg(test)]
mod tests;
