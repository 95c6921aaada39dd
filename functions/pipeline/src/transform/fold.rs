//! What was made of a portion of the source, laid over what was wished before.
//!
//! A record that was wished keeps what cannot change any more: when it was created, when its messages were sent, and
//! messages that the source does not tell any more. Records whose source vanished stay wished, as the policy says.
//! Deliberately absent: taking anything away from Gorgias.

use std::collections::{BTreeMap, BTreeSet};

use migration::keys::ExternalId;
use migration::leaddesk::ContactId;
use migration::person::Persons;
use migration::settings::VanishedPolicy;
use snapshot::tables::{
    ControlDeltaScope, ControlFailure, WantAttachment, WantCustomer, WantCustomerChannel, WantCustomerValue,
    WantMessage, WantTag, WantTicket, WantTicketTag, WantTicketValue, WantUser,
};
use snapshot::{Key, Pass, Row, Sealed, TableReader};

use super::bundles::{customers_as_of, customers_of, tickets_as_of, tickets_of};
use super::changed::{Scope, lead_of};
use super::error::TransformError;
use crate::archive::{self, Provenance};
use crate::context::Context;
use crate::load::drafts::TicketRows;
use crate::reconcile::customers::Wanted;
use crate::wish::{self, CUSTOMER, TICKET};

/// Tag of tickets whose source vanished, where the policy says so.
pub(crate) const VANISHED_TAG: &str = "leaddesk-vanished";

/// State of a record that was not wished before.
pub(crate) const NEW: &str = "new";
/// State of a record that is wished in another way.
pub(crate) const CHANGED: &str = "changed";
/// State of a ticket that belongs to another customer now.
pub(crate) const MOVED: &str = "moved";
/// State of a customer that is part of another one now.
pub(crate) const MERGED: &str = "merged";
/// State of a record whose source is gone.
pub(crate) const VANISHED: &str = "vanished";

/// What the keys of customers who are contacts begin with.
const OF_CONTACTS: &str = "leaddesk:contact:";

/// What a layer is made of.
pub(super) struct Fold<'a> {
    pub(super) ctx: &'a Context,
    /// The wish that is laid over.
    pub(super) wish_before: Pass,
    pub(super) scope: &'a Scope,
    pub(super) persons: &'a Persons,
    pub(super) number: u32,
    pub(super) provenance: Provenance,
}

/// Records with their states.
#[derive(Default)]
struct Layer {
    customers: BTreeMap<String, Wanted>,
    tickets: BTreeMap<String, TicketRows>,
    states: BTreeMap<(String, String), (&'static str, Option<&'static str>)>,
}

impl Layer {
    fn state(&mut self, object: &str, key: &str, state: &'static str, cause: Option<&'static str>) {
        self.states.insert((object.to_owned(), key.to_owned()), (state, cause));
    }

    /// A customer that stands for nobody else is made for a ticket. A conversation that stays with the one that it was given
    /// before, also when its visitor is not told any more, needs no other one.
    fn leave_out_needless(&mut self) {
        let needed: BTreeSet<&String> =
            self.tickets.values().map(|rows| &rows.ticket.customer_external_id).collect();
        let is_needless = |((object, key), (state, _)): &(&(String, String), &(&str, Option<&str>))| {
            object == CUSTOMER && *state == NEW && !key.starts_with(OF_CONTACTS) && !needed.contains(key)
        };
        let needless: Vec<(String, String)> =
            self.states.iter().filter(is_needless).map(|(name, _)| name.clone()).collect();
        for name in needless {
            self.states.remove(&name);
            self.customers.remove(&name.1);
        }
    }
}

impl Fold<'_> {
    /// The tables of the layer, and what changed in it.
    pub(super) async fn layer(
        &self,
        made: Vec<Sealed>,
    ) -> Result<(Vec<Sealed>, Vec<ControlDeltaScope>), TransformError> {
        let new_customers = customers_of(
            rows_of::<WantCustomer>(&made)?,
            rows_of::<WantCustomerChannel>(&made)?,
            rows_of::<WantCustomerValue>(&made)?,
        );
        let new_tickets = tickets_of(
            rows_of::<WantTicket>(&made)?,
            rows_of::<WantTicketTag>(&made)?,
            rows_of::<WantTicketValue>(&made)?,
            rows_of::<WantMessage>(&made)?,
            rows_of::<WantAttachment>(&made)?,
        );
        let mut layer = Layer::default();
        let owners: BTreeSet<String> = new_customers.keys().cloned().collect();
        let merged = self.customers(new_customers, &mut layer).await?;
        self.tickets(new_tickets, &owners, &merged, &mut layer).await?;
        layer.leave_out_needless();
        let changed = self.states(&layer);
        let sealed = self.seal(&made, layer, changed.clone()).await?;
        Ok((sealed, changed))
    }

    /// Customers; those that became part of another one come back.
    async fn customers(
        &self,
        new: BTreeMap<String, Wanted>,
        layer: &mut Layer,
    ) -> Result<BTreeMap<String, String>, TransformError> {
        let keys: BTreeSet<String> = self.scope.customers.iter().chain(new.keys()).cloned().collect();
        let old = self.customers_before(&keys).await?;
        let mut merged = BTreeMap::new();
        for (key, wanted) in &new {
            match old.get(key) {
                Some(before) if before == wanted => continue,
                // Its leads are gone, and with them the meaning of its slots: what it holds stays.
                Some(before) if self.has_left_all_lists(key) => {
                    layer.state(CUSTOMER, key, VANISHED, Some(CONTACT_GONE));
                    layer.customers.insert(key.clone(), before.clone());
                    continue;
                }
                Some(_) => layer.state(CUSTOMER, key, CHANGED, None),
                None => layer.state(CUSTOMER, key, NEW, None),
            }
            layer.customers.insert(key.clone(), wanted.clone());
        }
        for (key, before) in old.into_iter().filter(|(key, _)| !new.contains_key(key)) {
            let contact = key.strip_prefix(OF_CONTACTS).and_then(|id| id.parse::<ContactId>().ok());
            let person = contact.and_then(|contact| self.persons.person_of(contact));
            match person.map(|person| ExternalId::customer(person.contact()).to_string()) {
                Some(into) if into != key => {
                    layer.state(CUSTOMER, &key, MERGED, None);
                    layer.customers.insert(key.clone(), released(before));
                    merged.insert(key, into);
                }
                // One that is rejected now, or gone: nothing of it is taken away.
                _ => {
                    layer.state(CUSTOMER, &key, VANISHED, Some(CONTACT_GONE));
                    layer.customers.insert(key, before);
                }
            }
        }
        Ok(merged)
    }

    /// Whether no contact of the person is in a list any more, and one was.
    fn has_left_all_lists(&self, key: &str) -> bool {
        let contact = key.strip_prefix(OF_CONTACTS).and_then(|id| id.parse::<ContactId>().ok());
        let members = contact
            .and_then(|contact| self.persons.person_of(contact))
            .map(|person| self.persons.members(person))
            .unwrap_or_default();
        let is_listed = |member: &ContactId| self.scope.leads.iter().any(|lead| lead.contact == *member);
        members.iter().any(|member| self.scope.listed_before.contains(member))
            && !members.iter().any(is_listed)
    }

    async fn customers_before(
        &self,
        keys: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Wanted>, TransformError> {
        Ok(customers_as_of(self.ctx, self.wish_before, &parents(keys)).await?)
    }

    async fn tickets_before(
        &self,
        keys: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, TicketRows>, TransformError> {
        Ok(tickets_as_of(self.ctx, self.wish_before, &parents(keys)).await?)
    }

    async fn tickets(
        &self,
        new: BTreeMap<String, TicketRows>,
        owners: &BTreeSet<String>,
        merged: &BTreeMap<String, String>,
        layer: &mut Layer,
    ) -> Result<(), TransformError> {
        let mut keys: BTreeSet<String> = new.keys().cloned().collect();
        if !merged.is_empty() {
            // Tickets that nobody made anew follow their customer.
            let columns = ["customer_external_id"];
            for row in wish::as_of_with_only::<WantTicket>(self.ctx, self.wish_before, &columns).await? {
                let row = row?;
                if merged.contains_key(&row.customer_external_id) {
                    keys.insert(row.external_id);
                }
            }
        }
        keys.retain(|key| !self.scope.tickets.contains(key));
        let mut old = self.scope.before.clone();
        old.extend(self.tickets_before(&keys).await?);
        for (key, rows) in new {
            let Some(before) = old.remove(&key) else {
                layer.state(TICKET, &key, NEW, None);
                layer.tickets.insert(key, rows);
                continue;
            };
            let rows = continued(rows, &before, self.keeps_customer(&key, &before, merged));
            if rows == before {
                continue;
            }
            let has_moved = rows.ticket.customer_external_id != before.ticket.customer_external_id;
            layer.state(TICKET, &key, if has_moved { MOVED } else { CHANGED }, None);
            layer.tickets.insert(key, rows);
        }
        for (key, before) in old {
            let cause = self.cause(&key);
            let mut rows = before.clone();
            let held = &before.ticket.customer_external_id;
            let owner = self.owner(&key).filter(|owner| owners.contains(owner));
            if let Some(owner) = owner.as_ref().or_else(|| merged.get(held)) {
                rows.ticket.customer_external_id.clone_from(owner);
            }
            if cause.is_some() {
                self.apply_policy(&mut rows);
            }
            // What vanished before an earlier reading was told then.
            let is_told = cause.is_some() && self.was_there(&key);
            if rows == before && !is_told {
                continue;
            }
            let state = match (is_told, rows.ticket.customer_external_id == *held) {
                (true, _) => VANISHED,
                (false, true) => CHANGED,
                (false, false) => MOVED,
            };
            layer.state(TICKET, &key, state, cause.filter(|_| is_told));
            layer.tickets.insert(key, rows);
        }
        Ok(())
    }

    /// A conversation stays with the customer that it was given, and follows it where that became part of another one.
    fn keeps_customer(
        &self,
        key: &str,
        before: &TicketRows,
        merged: &BTreeMap<String, String>,
    ) -> Option<String> {
        let held = &before.ticket.customer_external_id;
        key.starts_with("leaddesk:chat:").then(|| merged.get(held).unwrap_or(held).clone())
    }

    /// Whose the ticket of a lead is now, although nothing makes it any more: the contact may have become part of another
    /// person, or part of none.
    fn owner(&self, key: &str) -> Option<String> {
        let person = self.persons.person_of(lead_of(key)?.contact)?;
        Some(ExternalId::customer(person.contact()).to_string())
    }

    /// Whether the reading before told the lead.
    fn was_there(&self, key: &str) -> bool {
        lead_of(key).is_some_and(|lead| self.scope.leads_before.contains(&lead))
    }

    /// What may be behind a ticket that nothing makes any more; nothing where its source is not gone.
    fn cause(&self, key: &str) -> Option<&'static str> {
        let lead = lead_of(key)?;
        if self.scope.leads.contains(&lead) {
            return None;
        }
        if !self.scope.lists.contains(&lead.list.to_string()) {
            return Some(LIST_GONE);
        }
        let is_elsewhere = self.scope.leads.iter().any(|other| other.contact == lead.contact);
        Some(if is_elsewhere { CONTACT_MOVED } else { CONTACT_GONE })
    }

    fn apply_policy(&self, rows: &mut TicketRows) {
        match self.ctx.limits.vanished {
            VanishedPolicy::Keep => {}
            VanishedPolicy::Tag => {
                if !rows.tags.iter().any(|tag| tag.tag_name == VANISHED_TAG) {
                    let ticket_external_id = rows.ticket.external_id.clone();
                    rows.tags.push(WantTicketTag { ticket_external_id, tag_name: VANISHED_TAG.to_owned() });
                    rows.tags.sort_by_key(Row::key);
                }
            }
            VanishedPolicy::Close => {
                "closed".clone_into(&mut rows.ticket.status);
                if rows.ticket.closed_at.is_none() {
                    rows.ticket.closed_at = Some(rows.ticket.last_message_at);
                }
            }
        }
    }

    fn states(&self, layer: &Layer) -> Vec<ControlDeltaScope> {
        let states = layer.states.iter();
        let row = |((object, external_id), (state, cause)): (&(String, String), &(&str, Option<&str>))| {
            ControlDeltaScope {
                object: object.clone(),
                external_id: external_id.clone(),
                state: (*state).to_owned(),
                likely_cause: cause.map(str::to_owned),
                changed_in: i32::try_from(self.number).unwrap_or(i32::MAX),
            }
        };
        states.map(row).collect()
    }

    async fn seal(
        &self,
        made: &[Sealed],
        mut layer: Layer,
        changed: Vec<ControlDeltaScope>,
    ) -> Result<Vec<Sealed>, TransformError> {
        let mut scope: BTreeMap<(String, String), ControlDeltaScope> = BTreeMap::new();
        if self.wish_before != Pass::Full {
            self.earlier(&mut layer, &mut scope).await?;
        }
        scope.extend(changed.into_iter().map(|row| ((row.object.clone(), row.external_id.clone()), row)));
        let customers: Vec<Wanted> = layer.customers.into_values().collect();
        let tickets: Vec<TicketRows> = layer.tickets.into_values().collect();
        let mut sealed = vec![
            self.table(scope.into_values())?,
            self.table(customers.iter().map(|wanted| wanted.row.clone()))?,
            self.table(customers.iter().flat_map(|wanted| wanted.channels.clone()))?,
            self.table(customers.iter().flat_map(|wanted| wanted.values.clone()))?,
            self.table(tickets.iter().map(|rows| rows.ticket.clone()))?,
            self.table(tickets.iter().flat_map(|rows| rows.tags.clone()))?,
            self.table(tickets.iter().flat_map(|rows| rows.values.clone()))?,
            self.table(tickets.iter().flat_map(|rows| rows.messages.clone()))?,
            self.table(rows_of::<WantUser>(made)?)?,
            self.table(rows_of::<ControlFailure>(made)?)?,
            self.table(self.tags(&tickets).await?)?,
        ];
        let has_files =
            archive::is_sealed(self.ctx, &self.ctx.run, Pass::Full, WantAttachment::SCHEMA).await?;
        if has_files {
            sealed.push(self.table(tickets.iter().flat_map(|rows| rows.attachments.clone()))?);
        }
        Ok(sealed)
    }

    /// What earlier deltas laid over the full pass, as far as it is not laid over again.
    async fn earlier(
        &self,
        layer: &mut Layer,
        scope: &mut BTreeMap<(String, String), ControlDeltaScope>,
    ) -> Result<(), TransformError> {
        let (mut customers, mut tickets) = (BTreeSet::new(), BTreeSet::new());
        for row in archive::open::<ControlDeltaScope>(self.ctx, &self.ctx.run, self.wish_before).await? {
            let row = row?;
            let is_customer = row.object == CUSTOMER;
            if is_customer && !layer.customers.contains_key(&row.external_id) {
                customers.insert(row.external_id.clone());
            } else if !is_customer && !layer.tickets.contains_key(&row.external_id) {
                tickets.insert(row.external_id.clone());
            }
            scope.insert((row.object.clone(), row.external_id.clone()), row);
        }
        layer.customers.extend(self.customers_before(&customers).await?);
        layer.tickets.extend(self.tickets_before(&tickets).await?);
        Ok(())
    }

    async fn tags(&self, tickets: &[TicketRows]) -> Result<Vec<WantTag>, TransformError> {
        let mut tags = Vec::new();
        for row in wish::as_of::<WantTag>(self.ctx, self.wish_before).await? {
            tags.push(row?);
        }
        let is_used = tickets.iter().flat_map(|rows| &rows.tags).any(|tag| tag.tag_name == VANISHED_TAG);
        if is_used && !tags.iter().any(|tag| tag.tag_name == VANISHED_TAG) {
            tags.push(WantTag {
                tag_name: VANISHED_TAG.to_owned(),
                description: "no longer found in LeadDesk".to_owned(),
                origin: "delta".to_owned(),
            });
        }
        Ok(tags)
    }

    fn table<R: Row>(&self, rows: impl IntoIterator<Item = R>) -> Result<Sealed, TransformError> {
        let mut writer = archive::writer_of::<R>(self.ctx, self.provenance.clone())?;
        for row in rows {
            writer.push(row)?;
        }
        Ok(writer.seal()?)
    }
}

/// Likely cause: the contact is in no list any more.
const CONTACT_GONE: &str = "contact deleted";
/// Likely cause: the contact is in another list.
const CONTACT_MOVED: &str = "contact moved to another list";
/// Likely cause: the list is not listed any more.
const LIST_GONE: &str = "list deleted or archived";

fn parents(keys: &BTreeSet<String>) -> BTreeSet<Key> {
    keys.iter().map(|key| wish::parent(key)).collect()
}

fn rows_of<R: Row>(made: &[Sealed]) -> Result<Vec<R>, TransformError> {
    let is_it = |sealed: &&Sealed| sealed.manifest.dataset.table == R::SCHEMA;
    let Some(sealed) = made.iter().find(is_it) else { return Ok(Vec::new()) };
    Ok(TableReader::of(sealed)?.collect::<Result<Vec<_>, _>>()?)
}

/// A customer that is part of another one: its addresses are free for that one.
fn released(mut wanted: Wanted) -> Wanted {
    wanted.row.email = None;
    wanted.row.channel_count = 0;
    wanted.row.value_count = 0;
    wanted.channels.clear();
    wanted.values.clear();
    wanted
}

/// A ticket that was wished before: what cannot change any more stays.
fn continued(mut rows: TicketRows, before: &TicketRows, customer: Option<String>) -> TicketRows {
    rows.ticket.created_at = before.ticket.created_at;
    rows.ticket.created_evidence.clone_from(&before.ticket.created_evidence);
    if let Some(customer) = customer {
        rows.ticket.customer_external_id = customer;
    }
    let held: BTreeMap<&str, &WantMessage> =
        before.messages.iter().map(|message| (message.external_id.as_str(), message)).collect();
    for message in &mut rows.messages {
        if let Some(earlier) = held.get(message.external_id.as_str()) {
            message.sent_at = earlier.sent_at;
        }
    }
    let told: BTreeSet<String> = rows.messages.iter().map(|message| message.external_id.clone()).collect();
    let untold = before.messages.iter().filter(|message| !told.contains(&message.external_id));
    let untold: Vec<WantMessage> = untold.cloned().collect();
    if !untold.is_empty() {
        rows.messages.extend(untold);
        // Stable: the card stays first of those of its moment.
        rows.messages.sort_by_key(|message| message.sent_at);
    }
    rows.attachments = attachments(&rows, before, &held);
    for (position, message) in (1..).zip(&mut rows.messages) {
        message.position = position;
    }
    let position_of: BTreeMap<String, i32> =
        rows.messages.iter().map(|message| (message.external_id.clone(), message.position)).collect();
    for file in &mut rows.attachments {
        file.position = position_of.get(&file.message_external_id).copied().unwrap_or(file.position);
    }
    rows.attachments.sort_by_key(Row::key);
    rows.ticket.message_count = i32::try_from(rows.messages.len()).unwrap_or(i32::MAX);
    if let Some(last) = rows.messages.iter().map(|message| message.sent_at).max() {
        rows.ticket.last_message_at = last;
    }
    rows
}

/// Files hang on a message from its creation on: one that is there keeps what it has.
fn attachments(
    rows: &TicketRows,
    before: &TicketRows,
    held: &BTreeMap<&str, &WantMessage>,
) -> Vec<WantAttachment> {
    let is_new = |file: &&WantAttachment| !held.contains_key(file.message_external_id.as_str());
    before.attachments.iter().chain(rows.attachments.iter().filter(is_new)).cloned().collect()
}
