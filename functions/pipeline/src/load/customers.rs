//! The customers' wave: creation or adoption first, values after.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use migration::gorgias::{CustomerId, UserId};
use migration::keys::ExternalId;
use migration::ledger::{ReceiptClass, Via, WriteKey};
use snapshot::tables::WantCustomer;

use super::adopted::{Adoptions, keep_late};
use super::adoption::{self, Resolution};
use super::drafts::{self, Names};
use super::order::OrderedCustomers;
use crate::context::Context;
use crate::ledger::driver::{Action, Outcome, Reaction, Work, WorkFailure, codes, plain};
use crate::ledger::request::Request;
use crate::ledger::stored::NoteV1;
use crate::ledger::{Ledger, key};
use crate::ports::gorgias::{Customer, FoundValue, NewCustomer};

/// A customer on its way.
struct Open {
    wanted: NewCustomer,
    values: Vec<FoundValue>,
    /// The customer as it was, when it is adopted.
    found: Option<Customer>,
    /// Why it will not be quite as wished.
    note: Option<NoteV1>,
}

/// Gives the writes of the wave in the order of loading.
pub(crate) struct CustomersWork<'a> {
    pub(crate) ctx: &'a Context,
    pub(crate) names: Names,
    pub(crate) customers: OrderedCustomers,
    pub(crate) adoptions: Adoptions,
    /// Our keys of those that are looked at; nothing looks at all.
    pub(crate) only: Option<BTreeSet<String>>,
    open: BTreeMap<WriteKey, Open>,
}

impl<'a> CustomersWork<'a> {
    pub(crate) fn new(
        ctx: &'a Context,
        names: Names,
        customers: OrderedCustomers,
        adoptions: Adoptions,
    ) -> Self {
        Self { ctx, names, customers, adoptions, only: None, open: BTreeMap::new() }
    }

    fn next_open(&mut self) -> Result<Option<Open>, WorkFailure> {
        let Some((row, channels, values)) = self.customers.next()? else { return Ok(None) };
        let wanted = drafts::customer(&row, &channels)?;
        let values = drafts::customer_values(&self.names, &values)?;
        let found = self.adoptions.of(&wanted.external_id).cloned();
        Ok(Some(Open { wanted, values, found, note: None }))
    }

    fn first_action(&mut self, open: Open, ledger: &Ledger) -> Action {
        let key = key::customer(&open.wanted.external_id, ledger.secret());
        let request = match &open.found {
            Some(found) => Request::UpdateCustomer(found.id, adoption::change(&open.wanted, found)),
            None => Request::CreateCustomer(open.wanted.clone()),
        };
        self.open.insert(key.clone(), open);
        Action::new(key, request)
    }

    async fn settle_held(
        &mut self,
        key: &WriteKey,
        wanted: &NewCustomer,
        outcome: Outcome,
        ledger: &Ledger,
    ) -> Result<Reaction, WorkFailure> {
        let Outcome::Held(holders) = outcome else { return Ok(plain(outcome, ReceiptClass::Created)) };
        match adoption::resolve(wanted, &holders) {
            Resolution::Ours(id) => Ok(self.arrived(key, id, ReceiptClass::Created, Via::Lookup, ledger)),
            Resolution::Adopt(found) => {
                let raw = holders.iter().find(|holder| holder.customer.record.id == found.id);
                if let Some(holder) = raw {
                    keep_late(self.ctx, &wanted.external_id, &holder.customer).await?;
                }
                let change = adoption::change(wanted, &found);
                let id = found.id;
                if let Some(open) = self.open.get_mut(key) {
                    open.found = Some(*found);
                }
                Ok(Reaction::Instead(Action::new(key.clone(), Request::UpdateCustomer(id, change))))
            }
            Resolution::WithoutNumbers(numbers) => {
                let less = adoption::without_numbers(wanted, &numbers);
                let text = format!("{} numbers belong to other customers and were left out", numbers.len());
                if let Some(open) = self.open.get_mut(key) {
                    open.note = Some(NoteV1 { code: codes::NUMBER_HELD.to_owned(), text });
                }
                Ok(Reaction::Instead(Action::new(key.clone(), Request::CreateCustomer(less))))
            }
            Resolution::ForeignKey => {
                self.open.remove(key);
                let text = "a customer with the same identifier carries a key that is not ours";
                Ok(Reaction::refused(codes::FOREIGN_KEY, text))
            }
            Resolution::Unknown => {
                self.open.remove(key);
                Ok(Reaction::refused(codes::CONFLICT, "an identifier is taken, and no look-up shows by whom"))
            }
        }
    }

    /// The customer is there: its receipt, and the write of its values.
    fn arrived(
        &mut self,
        key: &WriteKey,
        id: u64,
        class: ReceiptClass,
        via: Via,
        ledger: &Ledger,
    ) -> Reaction {
        let open = self.open.remove(key);
        let follow = open.as_ref().and_then(|open| values_action(open, CustomerId(id), ledger));
        let note = open.and_then(|open| open.note);
        Reaction::Record { dest_id: Some(id), class, via, note, follow: follow.into_iter().collect() }
    }
}

/// The write of the values, if there are any that are not there.
fn values_action(open: &Open, id: CustomerId, ledger: &Ledger) -> Option<Action> {
    let held = open.found.as_ref().and_then(|found| found.values.clone()).unwrap_or_default();
    let values = adoption::values(&open.values, &held)?;
    let key = key::values(&open.wanted.external_id, ledger.secret());
    // Values of a customer that a rollback removed say nothing about the one that stands in its place.
    let is_of_another = ledger.book().destination(&key).is_some_and(|written| written != id.0);
    (is_of_another || !ledger.is_over(&key)).then(|| Action::new(key, Request::SetValues(id, values)))
}

#[async_trait]
impl Work for CustomersWork<'_> {
    fn watched_for(&self) -> Option<UserId> {
        Some(self.names.directory.service_user())
    }

    fn next(&mut self, ledger: &Ledger) -> Result<Option<Action>, WorkFailure> {
        while let Some(open) = self.next_open()? {
            let ours = open.wanted.external_id.as_str();
            if self.only.as_ref().is_some_and(|only| !only.contains(ours)) {
                continue;
            }
            let key = key::customer(&open.wanted.external_id, ledger.secret());
            if !ledger.is_over(&key) {
                return Ok(Some(self.first_action(open, ledger)));
            }
            let Some(id) = ledger.book().destination(&key) else { continue };
            if let Some(action) = values_action(&open, CustomerId(id), ledger) {
                return Ok(Some(action));
            }
        }
        Ok(None)
    }

    async fn settle(
        &mut self,
        action: &Action,
        outcome: Outcome,
        ledger: &Ledger,
    ) -> Result<Reaction, WorkFailure> {
        let key = &action.key;
        match (&action.request, outcome) {
            (Request::CreateCustomer(_), Outcome::Done { id, via, .. }) => {
                Ok(self.arrived(key, id, ReceiptClass::Created, via, ledger))
            }
            (Request::CreateCustomer(wanted), outcome) => {
                self.settle_held(key, wanted, outcome, ledger).await
            }
            (Request::UpdateCustomer(..), Outcome::Done { id, via, .. }) => {
                Ok(self.arrived(key, id, ReceiptClass::Adopted, via, ledger))
            }
            // Someone else holds one of the channels that would be added: the others matter more.
            (Request::UpdateCustomer(id, change), Outcome::Taken) if change.channels.is_some() => {
                let less = crate::ports::gorgias::CustomerChange { channels: None, ..change.clone() };
                let text = "channels belong to other customers and were left out".to_owned();
                if let Some(open) = self.open.get_mut(key) {
                    open.note = Some(NoteV1 { code: codes::NUMBER_HELD.to_owned(), text });
                }
                Ok(Reaction::Instead(Action::new(key.clone(), Request::UpdateCustomer(*id, less))))
            }
            // Deleted by a person since the baseline: it is not adopted, it is made.
            (Request::UpdateCustomer(..), Outcome::Gone) => match self.open.get_mut(key) {
                Some(open) => {
                    open.found = None;
                    let wanted = open.wanted.clone();
                    Ok(Reaction::Instead(Action::new(key.clone(), Request::CreateCustomer(wanted))))
                }
                None => Ok(plain(Outcome::Gone, ReceiptClass::Adopted)),
            },
            (_, outcome) => {
                self.open.remove(key);
                Ok(plain(outcome, ReceiptClass::Updated))
            }
        }
    }
}

/// Key of a customer row.
pub(crate) fn external_id(row: &WantCustomer) -> ExternalId {
    ExternalId::from_stored(row.external_id.clone())
}
