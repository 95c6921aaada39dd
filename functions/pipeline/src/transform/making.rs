//! The order of the transformation, from opened snapshots to sealed tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use migration::call_home::{CallIndex, CallIndexBuilder, Home};
use migration::contact_point::normalize_email;
use migration::customer::{Blacklist, CustomerContext};
use migration::fields::Memberships;
use migration::leaddesk::{CallId, CallingList, ListId};
use migration::mapping::ConfirmedMapping;
use migration::person::Persons;
use migration::settings::RecordingPolicy;
use migration::ticket::TicketContext;
use snapshot::tables::{
    ControlFailure, SourceCall, SourceLead, SourceRecording, WantAttachment, WantCustomer,
    WantCustomerChannel, WantCustomerValue, WantMessage, WantTicket, WantTicketTag, WantTicketValue,
};
use snapshot::{Children, Row, Sealed, TableReader, TableWriter};

use super::balance::Balance;
use super::chats::MakingChats;
use super::customers::{ContactCards, CustomerSink, MakingCustomers, Substitutes, persons};
use super::error::TransformError;
use super::failures::Failures;
use super::records;
use super::scratch::{ScratchCall, ScratchFrame, ScratchMember, routed};
use super::shape::{Shape, SmallTables};
use super::tickets::{MakingTickets, TicketSink};
use super::{Rows, Source};
use crate::archive::{self, Provenance};
use crate::context::Context;
use crate::documents::inventory::Inventory;
use crate::extract::part::PartRecord;
use crate::progress::Event;

/// Records between two progress events.
const PROGRESS_RECORDS: u64 = 5_000;

/// What a transformation is given.
pub(super) struct Making<'a> {
    pub(super) ctx: &'a Context,
    pub(super) mapping: &'a ConfirmedMapping,
    pub(super) inventory: &'a Inventory,
    pub(super) provenance: Provenance,
    pub(super) started_at: Timestamp,
    /// What is made when it is not everything.
    pub(super) portion: Option<Portion>,
}

/// What a delta makes: the source that is read is that of some persons alone.
pub(super) struct Portion {
    /// Who is who, over all contacts.
    pub(super) persons: Arc<Persons>,
    /// Calls that an earlier reading has put into a ticket stay there.
    pub(super) homes: BTreeMap<CallId, Home>,
}

/// What a transformation leaves.
pub(super) struct Made {
    pub(super) balance: Balance,
    pub(super) tables: Vec<Sealed>,
}

/// Facts that stand between the passes.
struct Facts {
    lists: BTreeMap<ListId, CallingList>,
    persons: Arc<Persons>,
    memberships: Memberships,
    calls: CallIndex,
    blacklist: Blacklist,
    reserved_emails: BTreeSet<String>,
    as_of: Timestamp,
}

impl Making<'_> {
    fn writer<R: Row>(&self) -> Result<TableWriter<R>, TransformError> {
        Ok(archive::writer_of(self.ctx, self.provenance.clone())?)
    }

    fn started(&self, part: &str) {
        let event = Event::StepStarted { step: super::STEP, part: part.to_owned(), total: None };
        self.ctx.progress.emit(self.ctx.clock.now(), event);
    }

    fn advanced(&self, part: &str, done: u64) {
        if done.is_multiple_of(PROGRESS_RECORDS) {
            let part = part.to_owned();
            let event = Event::StepAdvanced { step: super::STEP, part, done, failed: 0, bucket: None };
            self.ctx.progress.emit(self.ctx.clock.now(), event);
        }
    }

    fn finished(&self, part: &str, done: u64) {
        let event = Event::StepFinished { step: super::STEP, part: part.to_owned(), done, failed: 0 };
        self.ctx.progress.emit(self.ctx.clock.now(), event);
    }

    pub(super) fn make(self, source: Source, rejects: Vec<PartRecord>) -> Result<Made, TransformError> {
        let mut balance = Balance::default();
        let mut failures = Failures::new(self.writer::<ControlFailure>()?, &mut balance);
        for reject in rejects.into_iter().flat_map(|record| record.rejects) {
            failures.extracted(reject)?;
        }
        let small =
            small_tables(source.agents, source.campaigns, source.offices, source.groups, source.outcomes)?;
        let [contacts, contacts_again] = source.contacts;
        let [leads, leads_again] = source.leads;
        let facts = self.facts(source.lists, contacts, leads, source.blacklist)?;
        let mut shape = Shape::make(self.mapping, &small, &mut failures)?;
        for merge in facts.persons.merges().filter(|_| self.portion.is_none()) {
            let person = merge.person.to_string();
            shape.value("merge", &merge.member.to_string(), Some(person), merge.reason.as_str());
        }

        let mut customers = CustomerSink::new(
            self.writer::<WantCustomer>()?,
            self.writer::<WantCustomerChannel>()?,
            self.writer::<WantCustomerValue>()?,
        );
        let mut tickets = TicketSink {
            tickets: self.writer::<WantTicket>()?,
            tags: self.writer::<WantTicketTag>()?,
            values: self.writer::<WantTicketValue>()?,
            messages: self.writer::<WantMessage>()?,
            attachments: match self.mapping.settings().recording {
                RecordingPolicy::Upload => Some(self.writer::<WantAttachment>()?),
                _ => None,
            },
        };
        let mut substitutes = Substitutes::new();
        let cards = ContactCards::new(contacts_again, source.values);
        let frames = self.customers(cards, &facts, &mut customers, &mut failures, &mut substitutes)?;
        let calls = self.route(source.calls, source.recordings, &facts, &mut failures)?;

        let mut index = self.mapping.users().by_name();
        for user in small.users.iter().filter(|_| self.portion.is_some()) {
            // Somebody who was renamed since the mapping answers to both names.
            index.also(&user.name, user.id);
            index.also(&user.username, user.id);
        }
        let ticket_ctx = self.ticket_context(&facts, &index);
        self.started("tickets");
        let mut making = MakingTickets {
            ctx: ticket_ctx,
            customers: self.customer_context(&facts),
            lists: &facts.lists,
            sink: &mut tickets,
            placeholders: &mut customers,
            failures: &mut failures,
        };
        making.make(leads_again, frames, calls, |done| self.advanced("tickets", done))?;
        self.finished("tickets", tickets.tickets.rows());
        self.started("conversations");
        let mut making = MakingChats {
            ctx: ticket_ctx,
            customers: self.customer_context(&facts),
            substitutes: &substitutes,
            sink: &mut tickets,
            placeholders: &mut customers,
            failures: &mut failures,
        };
        making.make(source.conversations, source.messages)?;
        self.finished("conversations", tickets.tickets.rows());
        let failures = failures.into_writer();
        check(&balance)?;
        let tables = self.seal(shape, customers, tickets, failures)?;
        Ok(Made { balance, tables })
    }

    /// Who is who, which lists everybody is in, and where calls go.
    fn facts(
        &self,
        lists: TableReader<snapshot::tables::SourceList>,
        contacts: Rows<snapshot::tables::SourceContact>,
        leads: Rows<SourceLead>,
        blacklist: TableReader<snapshot::tables::SourceBlacklist>,
    ) -> Result<Facts, TransformError> {
        let settings = self.mapping.settings();
        let mut as_of = self.started_at;
        self.started("persons");
        let persons = match &self.portion {
            Some(portion) => Arc::clone(&portion.persons),
            None => {
                let observe =
                    |contact: &snapshot::tables::SourceContact| as_of = as_of.max(contact.extracted_at);
                Arc::new(persons(contacts, settings.region, observe)?)
            }
        };
        self.finished("persons", u64::try_from(persons.count()).unwrap_or(0));
        let mut pairs = Vec::new();
        let mut index = CallIndexBuilder::new();
        for lead in leads {
            let lead = lead?;
            as_of = as_of.max(lead.extracted_at);
            let Ok(lead) = records::lead(&lead) else { continue };
            // A lead whose contact could not be read gets no ticket, so no call may go there.
            if persons.person_of(lead.id.contact).is_some() {
                pairs.push((lead.id.contact, lead.id.list));
                index.add(&lead);
            }
        }
        let mut all_lists = Vec::new();
        for list in lists {
            let table = "src_leaddesk_list";
            all_lists.push(records::list(list?).map_err(|_| TransformError::RowWithoutId { table })?);
        }
        let mut numbers = Blacklist::default();
        for entry in blacklist {
            numbers.add(&entry?.number_raw, settings.region);
        }
        let emails = self.inventory.gorgias_users.iter().filter_map(|user| user.email.as_deref());
        Ok(Facts {
            calls: index.finish(&all_lists, Arc::clone(&persons), settings.region),
            lists: all_lists.into_iter().map(|list| (list.id, list)).collect(),
            persons,
            memberships: Memberships::new(pairs),
            blacklist: numbers,
            reserved_emails: emails.filter_map(normalize_email).map(|email| email.normalized).collect(),
            as_of,
        })
    }

    fn customer_context<'f>(&'f self, facts: &'f Facts) -> CustomerContext<'f> {
        CustomerContext {
            settings: self.mapping.settings(),
            fields: self.mapping.fields(),
            persons: &facts.persons,
            memberships: &facts.memberships,
            scopes: self.mapping.scopes(),
            blacklist: &facts.blacklist,
            reserved_emails: &facts.reserved_emails,
        }
    }

    fn ticket_context<'f>(
        &'f self,
        facts: &Facts,
        names: &'f migration::users::NameIndex,
    ) -> TicketContext<'f> {
        TicketContext {
            settings: self.mapping.settings(),
            fields: self.mapping.fields(),
            users: self.mapping.users(),
            names,
            teams: self.mapping.teams(),
            tags: self.mapping.tags(),
            campaigns: self.mapping.campaigns(),
            as_of: facts.as_of,
        }
    }

    fn customers(
        &self,
        cards: ContactCards,
        facts: &Facts,
        sink: &mut CustomerSink,
        failures: &mut Failures<'_>,
        substitutes: &mut Substitutes,
    ) -> Result<archive::Sorted<ScratchFrame>, TransformError> {
        self.started("customers");
        let mut frames = archive::scratch_writer::<ScratchFrame>(self.ctx)?;
        let mut members = archive::scratch_writer::<ScratchMember>(self.ctx)?;
        let ctx = self.customer_context(facts);
        let keeps_person_frames = self.portion.is_some();
        let mut making =
            MakingCustomers { ctx, sink, frames: &mut frames, failures, substitutes, keeps_person_frames };
        making.singles(cards, &mut members, |done| self.advanced("customers", done))?;
        making.several(archive::read_back(members)?)?;
        self.finished("customers", sink.customers.rows());
        Ok(archive::read_back(frames)?)
    }

    /// Sorts every call to its ticket.
    fn route(
        &self,
        calls: Rows<SourceCall>,
        mut recordings: Option<Children<SourceRecording, Rows<SourceRecording>>>,
        facts: &Facts,
        failures: &mut Failures<'_>,
    ) -> Result<archive::Sorted<ScratchCall>, TransformError> {
        self.started("calls");
        let mut writer = archive::scratch_writer::<ScratchCall>(self.ctx)?;
        let mut done = 0;
        for row in calls {
            let row = row?;
            done += 1;
            failures.balance.source("call", 1);
            let id = row.leaddesk_call_id.clone();
            let recording = match &mut recordings {
                Some(recordings) => recordings.take(&row.key())?.pop(),
                None => None,
            };
            match records::call(row) {
                Ok(mut call) => {
                    call.fetched = recording.map(records::fetched);
                    let held = self.portion.as_ref().and_then(|portion| portion.homes.get(&call.id)).cloned();
                    let home = held.unwrap_or_else(|| facts.calls.home(&call));
                    writer.push(routed(call, &home))?;
                }
                Err(_) => failures.rejected("call", id, "EXT301", "the call has no id")?,
            }
            self.advanced("calls", done);
        }
        self.finished("calls", done);
        Ok(archive::read_back(writer)?)
    }

    fn seal(
        &self,
        shape: Shape,
        customers: CustomerSink,
        tickets: TicketSink,
        failures: TableWriter<ControlFailure>,
    ) -> Result<Vec<Sealed>, TransformError> {
        let attachments = tickets.attachments.map(TableWriter::seal).transpose()?;
        let always = [
            self.table(shape.tags)?,
            self.table(shape.fields)?,
            self.table(shape.teams)?,
            self.table(shape.members)?,
            self.table(shape.users)?,
            customers.customers.seal()?,
            customers.channels.seal()?,
            customers.values.seal()?,
            tickets.tickets.seal()?,
            tickets.tags.seal()?,
            tickets.values.seal()?,
            tickets.messages.seal()?,
            self.table(shape.map_fields)?,
            self.table(shape.map_values.into_values())?,
            failures.seal()?,
        ];
        Ok(always.into_iter().chain(attachments).collect())
    }

    fn table<R: Row>(&self, rows: impl IntoIterator<Item = R>) -> Result<Sealed, TransformError> {
        let mut writer = self.writer::<R>()?;
        for row in rows {
            writer.push(row)?;
        }
        Ok(writer.seal()?)
    }
}

fn small_tables(
    agents: TableReader<snapshot::tables::SourceAgent>,
    campaigns: TableReader<snapshot::tables::SourceCampaign>,
    offices: TableReader<snapshot::tables::SourceOffice>,
    groups: TableReader<snapshot::tables::SourceGroup>,
    outcomes: TableReader<snapshot::tables::SourceOutcome>,
) -> Result<SmallTables, TransformError> {
    let without = |table: &'static str| move |_| TransformError::RowWithoutId { table };
    let mut small = SmallTables::default();
    for row in agents {
        small.users.push(records::user(row?).map_err(without("src_leaddesk_agent"))?);
    }
    for row in campaigns {
        small.campaigns.push(records::campaign(row?).map_err(without("src_leaddesk_campaign"))?);
    }
    for row in offices {
        small.offices.push(records::office(row?));
    }
    let groups = groups.collect::<Result<Vec<_>, _>>()?;
    small.groups = records::groups(groups).map_err(without("src_leaddesk_group"))?;
    for row in outcomes {
        let row = row?;
        let calls = row.call_count;
        small.outcomes.push((records::outcome(row).map_err(without("src_leaddesk_outcome"))?, calls));
    }
    Ok(small)
}

pub(super) fn check(balance: &Balance) -> Result<(), TransformError> {
    match balance.unbalanced() {
        None => Ok(()),
        Some((object, counts)) => Err(TransformError::Unbalanced {
            object: object.to_owned(),
            source_records: counts.source,
            settled: counts.excluded + counts.merged + counts.rejected_sum() + counts.wanted,
        }),
    }
}
