//! What tickets and customers show: kinds of records, offices, months, and kinds of trouble.

use std::collections::{BTreeMap, BTreeSet};

use migration::keys::ExternalId;
use migration::sample::Chooser;
use migration::spot_check::Stratum;
use migration::text::folded;
use snapshot::tables::{
    ControlFailure, FoundCustomer, MapValue, SourceAgent, WantAttachment, WantCustomer, WantCustomerChannel,
    WantMessage, WantTicket,
};
use snapshot::{Children, Row, Sealed, SnapshotError, TableReader};

use super::{CUSTOMER, TICKET, is_call, is_chat_message, messages, table};
use crate::transform::balance::Balance;

/// Messages that one request can carry; a ticket with more is written in another way.
const MESSAGES_INLINE_MAX: i32 = 500;

/// What is known of records beside their own rows.
#[derive(Default)]
pub(super) struct Facts {
    /// Codes by kind and id of the record.
    troubles: BTreeMap<(String, String), BTreeSet<String>>,
    /// Records that are not written anyway.
    pub(super) refused: BTreeSet<(String, String)>,
    /// Codes of records that are not written, and how often.
    pub(super) unwritten: BTreeMap<String, u64>,
    /// Contacts that are part of another one.
    pub(super) merged: BTreeMap<String, String>,
    /// Office by agent.
    offices: BTreeMap<String, String>,
    /// Strata by customer.
    customers: BTreeMap<String, BTreeSet<Stratum>>,
}

impl Facts {
    pub(super) fn gather(
        tables: &[Sealed],
        balance: &Balance,
        before: Option<TableReader<FoundCustomer>>,
        agents: TableReader<SourceAgent>,
    ) -> Result<Self, SnapshotError> {
        let mut facts = Self::default();
        for row in table::<ControlFailure>(tables)?.into_iter().flatten() {
            let row = row?;
            let record = (row.object, row.leaddesk_id);
            if row.state == "value_rejected" {
                facts.troubles.entry(record).or_default().insert(row.reason_code);
            } else {
                *facts.unwritten.entry(row.reason_code).or_default() += 1;
                facts.refused.insert(record);
            }
        }
        for (code, records) in &balance.touched {
            for (object, id) in records.iter().filter_map(|record| record.split_once(' ')) {
                let record = (object.to_owned(), id.to_owned());
                facts.troubles.entry(record).or_default().insert(code.clone());
            }
        }
        for row in table::<MapValue>(tables)?.into_iter().flatten() {
            let row = row?;
            if let Some(person) = row.target_value.filter(|_| row.value_kind == "merge") {
                facts.merged.insert(row.source_value, person);
            }
        }
        for row in agents {
            let row = row?;
            if let Some(office) = row.office_name {
                facts.offices.insert(row.leaddesk_agent_id, office);
            }
        }
        facts.of_customers(tables, before)?;
        Ok(facts)
    }

    fn of_customers(
        &mut self,
        tables: &[Sealed],
        before: Option<TableReader<FoundCustomer>>,
    ) -> Result<(), SnapshotError> {
        let mut held = BTreeSet::new();
        for row in before.into_iter().flatten() {
            held.extend(row?.email.as_deref().map(folded));
        }
        let channels = table::<WantCustomerChannel>(tables)?.into_iter().flatten();
        let mut channels = Children::new(channels, 1);
        for row in table::<WantCustomer>(tables)?.into_iter().flatten() {
            let row = row?;
            let mut strata = BTreeSet::from([Stratum::Object(row.origin.clone())]);
            let channels = channels.take(&row.key())?;
            let emails = channels.iter().filter(|it| it.channel_type == "email").map(|it| &it.address);
            if row.email.iter().chain(emails).any(|email| held.contains(&folded(email))) {
                strata.insert(trouble("adopted"));
            }
            if row.email.is_none() {
                strata.insert(trouble("no email"));
            }
            if channels.is_empty() && row.email.is_none() {
                strata.insert(trouble("no channel"));
            }
            self.customers.insert(row.external_id, strata);
        }
        for (contact, person) in &self.merged {
            if contact != person
                && let Some(strata) = self.customers.get_mut(&contact_key(person))
            {
                strata.insert(trouble("merged"));
            }
        }
        let of_contact = self.troubles.iter().filter(|((object, _), _)| object == "contact");
        for ((_, contact), codes) in of_contact {
            let person = self.merged.get(contact).unwrap_or(contact);
            if let Some(strata) = self.customers.get_mut(&contact_key(person)) {
                strata.extend(codes.iter().cloned().map(Stratum::Trouble));
            }
        }
        Ok(())
    }

    fn troubles_of(&self, object: &str, id: &str) -> impl Iterator<Item = Stratum> {
        let codes = self.troubles.get(&(object.to_owned(), id.to_owned()));
        codes.into_iter().flatten().cloned().map(Stratum::Trouble)
    }

    /// Offers every ticket, and every customer without one; gives back whose a ticket is.
    pub(super) fn offer(
        &self,
        tables: &[Sealed],
        chooser: &mut Chooser,
    ) -> Result<BTreeMap<String, String>, SnapshotError> {
        let mut owners = BTreeMap::new();
        let mut with_ticket = BTreeSet::new();
        let mut messages = Children::new(messages(tables)?.into_iter().flatten(), 1);
        let mut attachments = Children::new(table::<WantAttachment>(tables)?.into_iter().flatten(), 1);
        for row in table::<WantTicket>(tables)?.into_iter().flatten() {
            let row = row?;
            let mut strata = self.of_ticket(&row, &messages.take(&row.key())?);
            if !attachments.take(&row.key())?.is_empty() {
                strata.insert(Stratum::Object("attachment".to_owned()));
            }
            strata.extend(self.customers.get(&row.customer_external_id).into_iter().flatten().cloned());
            chooser.offer(&format!("{TICKET}{}", row.external_id), strata);
            with_ticket.insert(row.customer_external_id.clone());
            owners.insert(row.external_id, row.customer_external_id);
        }
        for (customer, strata) in self.customers.iter().filter(|(key, _)| !with_ticket.contains(*key)) {
            let alone = [Stratum::Object("customer without ticket".to_owned())];
            chooser.offer(&format!("{CUSTOMER}{customer}"), strata.iter().cloned().chain(alone));
        }
        Ok(owners)
    }

    fn of_ticket(&self, row: &WantTicket, messages: &[WantMessage]) -> BTreeSet<Stratum> {
        let mut strata = BTreeSet::from([Stratum::Object(object_of(&row.wave).to_owned())]);
        let key = row.external_id.strip_prefix(ExternalId::PREFIX).unwrap_or_default();
        if let Some((kind, id)) = key.split_once(':') {
            let object = if kind == "chat" { "conversation" } else { kind };
            strata.extend(self.troubles_of(object, id));
        }
        let agents = messages.iter().filter_map(|it| it.sender_agent_id.as_ref());
        for agent in row.assignee_agent_id.iter().chain(agents) {
            strata.extend(self.offices.get(agent).cloned().map(Stratum::Office));
        }
        let times = messages.iter().map(|it| it.sent_at).chain([row.created_at]);
        strata.extend(times.map(|at| Stratum::Month(at.to_string().chars().take(7).collect())));
        if row.message_count > MESSAGES_INLINE_MAX {
            strata.insert(trouble("over 500 messages"));
        }
        if row.assignee_agent_id.is_none() {
            strata.insert(trouble("nobody assigned"));
        }
        for message in messages {
            let object = match (is_call(message), is_chat_message(message)) {
                (true, _) => "call",
                (_, true) => "chat_message",
                _ => continue,
            };
            strata.insert(Stratum::Object(object.to_owned()));
            if let Some(id) = &message.leaddesk_id {
                strata.extend(self.troubles_of(object, id));
            }
        }
        strata
    }
}

fn trouble(word: &str) -> Stratum {
    Stratum::Trouble(word.to_owned())
}

pub(super) fn contact_key(person: &str) -> String {
    format!("{}contact:{person}", ExternalId::PREFIX)
}

/// What the tickets of a wave are made of.
fn object_of(wave: &str) -> &str {
    match wave {
        "chat" => "conversation",
        "calls" => "calls without lead",
        other => other,
    }
}
