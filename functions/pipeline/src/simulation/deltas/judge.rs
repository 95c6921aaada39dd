//! The judge of the histories of deltas: what must be there at the end, by the rules of the mapping as it knows them.
//!
//! Deliberately absent: any code of the product for these rules.

use std::collections::{BTreeMap, BTreeSet};

use migration::gorgias::{CustomerId, TicketId};
use migration::settings::VanishedPolicy;

use super::super::Sum;
use super::super::desk::{Books, Card};
use super::super::rollbacks::Edit;
use super::Play;
use crate::delta::codes;
use crate::deltas;
use crate::ports::gorgias::{Customer, Ticket};
use crate::testing::Account;
use crate::transform::VANISHED_TAG;

impl Play {
    /// Which contacts are one person: those with one address. A contact that was deleted is known as long as a call
    /// names it.
    fn persons(&self) -> BTreeMap<u64, BTreeSet<u64>> {
        let known: Vec<(u64, String)> = self.desk.with(|books| {
            let is_known =
                |id: &u64, is_alive: bool| is_alive || self.calls.values().any(|contact| contact == id);
            let cards = books.cards.iter().filter(|(id, card)| is_known(id, card.is_alive));
            cards.filter_map(|(id, _)| Some((*id, self.emails.get(id)?.clone()))).collect()
        });
        let of =
            |email: &String| known.iter().filter(|(_, other)| other == email).map(|(id, _)| *id).collect();
        known.iter().map(|(id, email)| (*id, of(email))).collect()
    }

    /// Records that deltas name because somebody acted between their look and their write: object and id.
    async fn overtaken(&self) -> BTreeSet<(String, String)> {
        let deltas = deltas::all(&self.ctx(&self.world)).await.unwrap_or_default();
        let left = deltas.into_iter().filter_map(|delta| delta.done).flat_map(|done| done.residue);
        left.filter(|left| left.code == codes::OVERTAKEN).map(|left| (left.object, left.gorgias_id)).collect()
    }

    /// Nothing lost, nothing doubled, nothing of people's overwritten.
    pub(in crate::simulation) async fn judge(&mut self) {
        let overtaken = self.overtaken().await;
        let persons = self.persons();
        let books = self.desk.with(|books| books.clone());
        let (edits, taken) = (&self.edits, &self.taken);
        let renamed = |id: CustomerId| {
            edits.iter().any(|edit| matches!(edit, Edit::CustomerRenamed(held, _) if *held == id))
        };
        let sum = &mut self.sum;
        self.world.gorgias.account(|account| {
            let gone = edits.iter().filter(|edit| !edit.is_there(account));
            let (named, silent): (Vec<&Edit>, Vec<&Edit>) =
                gone.partition(|edit| is_overtaken(edit, &overtaken));
            sum.edits_overtaken += named.len() as u64;
            sum.edits_lost += silent.len() as u64;
            let live: BTreeMap<&str, &Ticket> = account
                .tickets
                .values()
                .filter(|ticket| ticket.trashed_at.is_none())
                .filter_map(|ticket| Some((ticket.external_id.as_deref()?, ticket)))
                .collect();
            let mut shown = account.clone();
            shown.tickets.retain(|_, ticket| ticket.trashed_at.is_none());
            let held = shown.tickets.clone();
            shown.messages.retain(|_, message| held.contains_key(&message.ticket));
            sum.duplicates += shown.duplicates().len() as u64;
            let customers: BTreeMap<&str, &Customer> = account
                .customers
                .values()
                .filter_map(|customer| Some((customer.external_id.as_deref()?, customer)))
                .collect();
            for (list, contact) in &self.leads {
                let key = format!("leaddesk:lead:{list}:{contact}");
                if taken.contains(&key) {
                    sum.edits_lost += u64::from(live.contains_key(key.as_str()));
                    continue;
                }
                let Some(ticket) = live.get(key.as_str()) else {
                    sum.lost += 1;
                    continue;
                };
                // Whose it is: the person that the contact belongs to, named by its smallest contact.
                let person = persons.get(contact).and_then(|members| members.first());
                let owner = person.map(|person| format!("leaddesk:contact:{person}"));
                let owner = owner.and_then(|owner| customers.get(owner.as_str()).map(|owner| owner.id));
                if owner.is_some() && ticket.customer != owner {
                    sum.not_restored += 1;
                    *sum.faults.entry("ticket of another customer".to_owned()).or_default() += 1;
                }
            }
            judge_vanished(self.vanished, &self.leads, &books, edits, &live, sum);
            judge_calls(&self.calls, &persons, taken, &shown, sum);
            judge_cards(&books.cards, &persons, &customers, &renamed, sum);
        });
    }
}

/// A field that a delta wrote over and named. What is taken away or answered can never be written over.
fn is_overtaken(edit: &Edit, overtaken: &BTreeSet<(String, String)>) -> bool {
    let record = match edit {
        Edit::Renamed(id, _) | Edit::Tagged(id) | Edit::Assigned(id) => ("ticket", id.0),
        Edit::CustomerRenamed(id, _) => ("customer", id.0),
        Edit::Answered(..) | Edit::Trashed(_) | Edit::Deleted(_) | Edit::NewTicket(..) => return false,
    };
    overtaken.contains(&(record.0.to_owned(), record.1.to_string()))
}

/// A ticket that people left alone and whose lead vanished is as the policy says.
fn judge_vanished(
    policy: VanishedPolicy,
    leads: &BTreeSet<(u32, u64)>,
    books: &Books,
    edits: &[Edit],
    live: &BTreeMap<&str, &Ticket>,
    sum: &mut Sum,
) {
    let touched: BTreeSet<TicketId> = edits.iter().filter_map(Edit::ticket).collect();
    for (list, contact) in leads {
        let card = books.cards.get(contact);
        let is_there = card.is_some_and(|card| card.is_alive && card.lists.contains(list));
        let ticket = live.get(format!("leaddesk:lead:{list}:{contact}").as_str());
        let Some(ticket) = ticket.filter(|ticket| !is_there && !touched.contains(&ticket.id)) else {
            continue;
        };
        let is_tagged = ticket.tags.iter().any(|tag| tag == VANISHED_TAG);
        let is_closed = ticket.status == "closed";
        let (kind, is_right) = match policy {
            VanishedPolicy::Keep => ("kept_vanished", !is_tagged && !is_closed),
            VanishedPolicy::Tag => ("tagged_vanished", is_tagged && !is_closed),
            VanishedPolicy::Close => ("closed_vanished", is_closed && !is_tagged),
        };
        *sum.faults.entry(kind.to_owned()).or_default() += 1;
        if !is_right {
            sum.not_restored += 1;
            *sum.faults.entry("policy not applied".to_owned()).or_default() += 1;
        }
    }
}

/// Every call stands in a ticket, unless people took the ticket away.
fn judge_calls(
    calls: &BTreeMap<u64, u64>,
    persons: &BTreeMap<u64, BTreeSet<u64>>,
    taken: &BTreeSet<String>,
    shown: &Account,
    sum: &mut Sum,
) {
    for (call, contact) in calls {
        let key = format!("leaddesk:call:{call}");
        let is_there = shown.messages.values().any(|message| message.external_id.as_ref() == Some(&key));
        let members = persons.get(contact).cloned().unwrap_or_default();
        let may_be_gone = |key: &String| {
            key.rsplit(':')
                .next()
                .and_then(|id| id.parse().ok())
                .is_some_and(|id| id == *contact || members.contains(&id))
        };
        if !is_there && !taken.iter().any(may_be_gone) {
            sum.lost += 1;
            *sum.faults.entry("call lost".to_owned()).or_default() += 1;
        }
    }
}

/// Who is one contact alone has the name and address of its card, unless people gave it another name.
fn judge_cards(
    cards: &BTreeMap<u64, Card>,
    persons: &BTreeMap<u64, BTreeSet<u64>>,
    customers: &BTreeMap<&str, &Customer>,
    renamed: &dyn Fn(CustomerId) -> bool,
    sum: &mut Sum,
) {
    for (contact, card) in cards.iter().filter(|(_, card)| card.is_alive && !card.lists.is_empty()) {
        if persons.get(contact).is_none_or(|members| members.len() > 1) {
            continue;
        }
        let Some(customer) = customers.get(format!("leaddesk:contact:{contact}").as_str()) else {
            sum.lost += 1;
            *sum.faults.entry("customer lost".to_owned()).or_default() += 1;
            continue;
        };
        let name = format!("First{contact} {}", card.lname);
        if !renamed(customer.id) && customer.name.as_ref() != Some(&name) {
            sum.not_restored += 1;
            *sum.faults.entry("name is not brought over".to_owned()).or_default() += 1;
        }
        if customer.email.as_ref() != Some(&card.email) {
            sum.not_restored += 1;
            *sum.faults.entry("address is not brought over".to_owned()).or_default() += 1;
        }
    }
}
