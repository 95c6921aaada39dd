//! What a sample wishes for: of everything that was made, the chosen tickets and customers and what belongs to them.
//!
//! Every other record is named as outside of the sample, so that the balance of every kind holds. Definitions of tags,
//! fields, teams and users stay whole. Deliberately absent: the choice itself (see `migration::sample`).

mod facts;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use migration::finding::{self, Code};
use migration::keys::ExternalId;
use migration::sample::{Chooser, Chosen};
use migration::spot_check::Stratum;
use snapshot::tables::{
    ControlFailure, FoundCustomer, SourceAgent, SourceCall, SourceContact, SourceConversation, SourceLead,
    WantAttachment, WantCustomer, WantCustomerChannel, WantCustomerValue, WantMessage, WantTicket,
    WantTicketTag, WantTicketValue,
};
use snapshot::{Pass, RAW_JSON, Row, Sealed, SnapshotError, TableReader, TableWriter};

use super::balance::Balance;
use super::error::TransformError;
use super::failures::OBJECTS;
use super::making::Made;
use crate::archive::{self, ArchiveError, Provenance};
use crate::context::Context;
use crate::sample::{ChosenV1, StratumV1, WishV1};

use facts::{Facts, contact_key};

/// How a chosen record's key begins.
const TICKET: &str = "ticket ";
/// How the key of a chosen customer without a ticket begins.
const CUSTOMER: &str = "customer ";

/// Tables of the source and of the account, opened.
pub(super) struct Sampling {
    wish: WishV1,
    before: Option<TableReader<FoundCustomer>>,
    agents: TableReader<SourceAgent>,
    contacts: TableReader<SourceContact>,
    leads: TableReader<SourceLead>,
    calls: TableReader<SourceCall>,
    conversations: TableReader<SourceConversation>,
}

impl Sampling {
    pub(super) async fn open(ctx: &Context, wish: WishV1) -> Result<Self, TransformError> {
        let before = match archive::open::<FoundCustomer>(ctx, &ctx.run, Pass::Before).await {
            Ok(reader) => Some(reader.without(&[RAW_JSON])?),
            Err(ArchiveError::Missing { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            wish,
            before,
            agents: source(ctx).await?,
            contacts: source(ctx).await?,
            leads: source(ctx).await?,
            calls: source(ctx).await?,
            conversations: source(ctx).await?,
        })
    }

    /// Chooses, and leaves of what was made the chosen records and what they need.
    pub(super) fn restrict(
        self,
        ctx: &Context,
        provenance: &Provenance,
        made: Made,
    ) -> Result<(Made, ChosenV1), TransformError> {
        let Made { mut balance, tables } = made;
        let facts = Facts::gather(&tables, &balance, self.before, self.agents)?;
        let mut chooser = Chooser::new(self.wish.seed, usize::try_from(self.wish.size).unwrap_or(usize::MAX));
        let owners = facts.offer(&tables, &mut chooser)?;
        let picked = Picked::of(chooser.choose(), &owners);
        let chosen = picked.told(self.wish, &balance, &facts);
        let calls = picked.calls(&tables)?;
        let outside = Outside { picked: &picked, calls, facts: &facts };
        let mut rows = archive::writer_of::<ControlFailure>(ctx, provenance.clone())?;
        for row in table::<ControlFailure>(&tables)?.into_iter().flatten() {
            rows.push(row?)?;
        }
        outside.contacts(self.contacts, &mut balance, &mut rows)?;
        let lead = |row: SourceLead| row.leaddesk_lead_id;
        let of_lead = |id: &str| picked.tickets.contains(&format!("{}lead:{id}", ExternalId::PREFIX));
        outside.records("lead", ids(self.leads, lead), of_lead, &mut balance, &mut rows)?;
        let of_call = |id: &str| outside.calls.contains(id);
        let call = |row: SourceCall| row.leaddesk_call_id;
        outside.records("call", ids(self.calls, call), of_call, &mut balance, &mut rows)?;
        let of_chat = |id: &str| picked.tickets.contains(ExternalId::chat(id).as_str());
        let chat = |row: SourceConversation| row.conversation_id;
        outside.records("conversation", ids(self.conversations, chat), of_chat, &mut balance, &mut rows)?;
        let messages = chat_messages(&tables)? - picked.chat_messages(&tables)?;
        exclude(&mut balance, "chat_message", messages);
        let tables = picked.tables(ctx, provenance, tables, rows.seal()?)?;
        Ok((Made { balance, tables }, chosen))
    }
}

async fn source<R: Row>(ctx: &Context) -> Result<TableReader<R>, TransformError> {
    Ok(archive::open::<R>(ctx, &ctx.run, Pass::Full).await?.without(&[RAW_JSON])?)
}

/// A table of what was made.
fn table<R: Row>(tables: &[Sealed]) -> Result<Option<TableReader<R>>, SnapshotError> {
    tables.iter().find(|sealed| sealed.manifest.dataset.table == R::SCHEMA).map(TableReader::of).transpose()
}

fn messages(tables: &[Sealed]) -> Result<Option<TableReader<WantMessage>>, SnapshotError> {
    table::<WantMessage>(tables)?.map(|rows| rows.without(&["body_text", "body_html"])).transpose()
}

fn is_chat_message(row: &WantMessage) -> bool {
    row.external_id.strip_prefix(ExternalId::PREFIX).is_some_and(|rest| rest.starts_with("chatmessage:"))
}

fn is_call(row: &WantMessage) -> bool {
    row.external_id.strip_prefix(ExternalId::PREFIX).is_some_and(|rest| rest.starts_with("call:"))
}

fn chat_messages(tables: &[Sealed]) -> Result<u64, SnapshotError> {
    let mut count = 0;
    for row in messages(tables)?.into_iter().flatten() {
        count += u64::from(is_chat_message(&row?));
    }
    Ok(count)
}

fn ids<R: Row>(
    rows: TableReader<R>,
    id: impl Fn(R) -> String,
) -> impl Iterator<Item = Result<String, SnapshotError>> {
    rows.map(move |row| row.map(&id))
}

/// Moves records from what is wanted to what is left out.
fn exclude(balance: &mut Balance, object: &str, records: u64) {
    if let Some(counts) = balance.objects.get_mut(object) {
        let records = records.min(counts.wanted);
        counts.wanted -= records;
        counts.excluded += records;
    }
}

/// What was chosen, and the customers that it needs.
struct Picked {
    chosen: Chosen,
    tickets: BTreeSet<String>,
    customers: BTreeSet<String>,
}

impl Picked {
    fn of(chosen: Chosen, owners: &BTreeMap<String, String>) -> Self {
        let of = |start: &'static str| chosen.keys.iter().filter_map(move |key| key.strip_prefix(start));
        let tickets: BTreeSet<String> = of(TICKET).map(str::to_owned).collect();
        let owned = tickets.iter().filter_map(|ticket| owners.get(ticket)).cloned();
        let customers = of(CUSTOMER).map(str::to_owned).chain(owned).collect();
        Self { tickets, customers, chosen }
    }

    fn told(&self, wish: WishV1, balance: &Balance, facts: &Facts) -> ChosenV1 {
        let strata = |shown: &migration::sample::Shown| {
            let (kind, name) = match &shown.stratum {
                Stratum::Trouble(name) => ("trouble", name),
                Stratum::Object(name) => ("object", name),
                Stratum::Office(name) => ("office", name),
                Stratum::Month(name) => ("month", name),
            };
            StratumV1 { kind: kind.to_owned(), name: name.clone(), of: shown.of, chosen: shown.chosen }
        };
        let strata: Vec<StratumV1> = self.chosen.strata.iter().map(strata).collect();
        let offered: BTreeSet<&str> =
            strata.iter().filter(|it| it.kind == "trouble").map(|it| it.name.as_str()).collect();
        let all = balance.notes.iter().chain(&facts.unwritten);
        let mut beyond: BTreeMap<String, u64> = BTreeMap::new();
        for (code, count) in all.filter(|(code, _)| !offered.contains(code.as_str())) {
            *beyond.entry(code.clone()).or_default() += count;
        }
        ChosenV1 {
            wish,
            of_records: self.chosen.records,
            tickets: self.tickets.iter().cloned().collect(),
            customers: self.customers.iter().cloned().collect(),
            size_needed: u32::try_from(self.chosen.size_needed).unwrap_or(u32::MAX),
            strata,
            beyond,
        }
    }

    /// Calls that stand in the tickets.
    fn calls(&self, tables: &[Sealed]) -> Result<BTreeSet<String>, SnapshotError> {
        let mut calls = BTreeSet::new();
        for row in messages(tables)?.into_iter().flatten() {
            let row = row?;
            if is_call(&row) && self.tickets.contains(&row.ticket_external_id) {
                calls.extend(row.leaddesk_id);
            }
        }
        Ok(calls)
    }

    /// Chat messages that stand in the tickets.
    fn chat_messages(&self, tables: &[Sealed]) -> Result<u64, SnapshotError> {
        let mut count = 0;
        for row in messages(tables)?.into_iter().flatten() {
            let row = row?;
            count += u64::from(is_chat_message(&row) && self.tickets.contains(&row.ticket_external_id));
        }
        Ok(count)
    }

    /// The tables with the rows that belong to the sample, and every failure.
    fn tables(
        &self,
        ctx: &Context,
        provenance: &Provenance,
        tables: Vec<Sealed>,
        failures: Sealed,
    ) -> Result<Vec<Sealed>, TransformError> {
        let of_sample = Restricting { ctx, provenance, tables: &tables };
        let (tickets, customers) = (&self.tickets, &self.customers);
        let mut kept = vec![
            of_sample.rows(|row: &WantCustomer| customers.contains(&row.external_id))?,
            of_sample.rows(|row: &WantCustomerChannel| customers.contains(&row.customer_external_id))?,
            of_sample.rows(|row: &WantCustomerValue| customers.contains(&row.customer_external_id))?,
            of_sample.rows(|row: &WantTicket| tickets.contains(&row.external_id))?,
            of_sample.rows(|row: &WantTicketTag| tickets.contains(&row.ticket_external_id))?,
            of_sample.rows(|row: &WantTicketValue| tickets.contains(&row.ticket_external_id))?,
            of_sample.rows(|row: &WantMessage| tickets.contains(&row.ticket_external_id))?,
            failures,
        ];
        if table::<WantAttachment>(&tables)?.is_some() {
            kept.push(of_sample.rows(|row: &WantAttachment| tickets.contains(&row.ticket_external_id))?);
        }
        let names: BTreeSet<&str> = kept.iter().map(|sealed| sealed.manifest.dataset.table.name).collect();
        let whole: Vec<Sealed> =
            tables.into_iter().filter(|sealed| !names.contains(sealed.manifest.dataset.table.name)).collect();
        Ok(kept.into_iter().chain(whole).collect())
    }
}

/// Writes tables anew with some of their rows.
struct Restricting<'a> {
    ctx: &'a Context,
    provenance: &'a Provenance,
    tables: &'a [Sealed],
}

impl Restricting<'_> {
    fn rows<R: Row>(&self, is_kept: impl Fn(&R) -> bool) -> Result<Sealed, TransformError> {
        let mut writer = archive::writer_of::<R>(self.ctx, self.provenance.clone())?;
        for row in table::<R>(self.tables)?.into_iter().flatten() {
            let row = row?;
            if is_kept(&row) {
                writer.push(row)?;
            }
        }
        Ok(writer.seal()?)
    }
}

/// Names what is outside.
struct Outside<'a> {
    picked: &'a Picked,
    calls: BTreeSet<String>,
    facts: &'a Facts,
}

impl Outside<'_> {
    fn contacts(
        &self,
        rows: TableReader<SourceContact>,
        balance: &mut Balance,
        out: &mut TableWriter<ControlFailure>,
    ) -> Result<(), SnapshotError> {
        let merged = Cell::new(0);
        let is_chosen = |id: &str| {
            let person = self.facts.merged.get(id).map_or(id, String::as_str);
            let is_chosen = self.picked.customers.contains(&contact_key(person));
            let is_refused = self.facts.refused.contains(&("contact".to_owned(), id.to_owned()));
            merged.set(merged.get() + u64::from(person != id && !is_chosen && !is_refused));
            is_chosen
        };
        // What is part of another record was not counted as wanted.
        let ids = ids(rows, |row| row.leaddesk_contact_id);
        let outside = self.name("contact", ids, is_chosen, out)?;
        if let Some(counts) = balance.objects.get_mut("contact") {
            let merged = merged.get().min(counts.merged);
            counts.merged -= merged;
            counts.wanted += merged;
        }
        exclude(balance, "contact", outside);
        Ok(())
    }

    fn records(
        &self,
        object: &str,
        ids: impl Iterator<Item = Result<String, SnapshotError>>,
        is_chosen: impl Fn(&str) -> bool,
        balance: &mut Balance,
        out: &mut TableWriter<ControlFailure>,
    ) -> Result<(), SnapshotError> {
        let outside = self.name(object, ids, is_chosen, out)?;
        exclude(balance, object, outside);
        Ok(())
    }

    /// Writes a row for each record that is outside; gives back how many.
    fn name(
        &self,
        object: &str,
        ids: impl Iterator<Item = Result<String, SnapshotError>>,
        is_chosen: impl Fn(&str) -> bool,
        out: &mut TableWriter<ControlFailure>,
    ) -> Result<u64, SnapshotError> {
        debug_assert!(OBJECTS.contains(&object), "{object}");
        let code: Code = finding::SAM101_OUTSIDE;
        let mut last = None;
        let mut outside = 0;
        for id in ids {
            let id = id?;
            let record = (object.to_owned(), id);
            // Ids come in order; a second record of an id is part of the first.
            let is_known = last.as_ref() == Some(&record);
            if is_known || is_chosen(&record.1) || self.facts.refused.contains(&record) {
                last = Some(record);
                continue;
            }
            outside += 1;
            out.push(ControlFailure {
                object: object.to_owned(),
                leaddesk_id: record.1.clone(),
                reason_code: code.as_str().to_owned(),
                reason: code.entry().title.to_owned(),
                state: "excluded".to_owned(),
            })?;
            last = Some(record);
        }
        Ok(outside)
    }
}
