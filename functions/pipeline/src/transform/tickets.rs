//! Leads and calls -> tickets with all of their messages.
//!
//! Leads, the frames of their persons and their calls come in one order and are read side by side: memory holds one
//! lead with its calls. Calls of persons without lead, of numbers and of nobody follow.

use migration::customer::{CustomerContext, number_customer, unknown_callers};
use migration::finding;
use migration::gorgias::{AttachmentDraft, Delivery, MessageDraft, Sender};
use migration::keys::ExternalId;
use migration::leaddesk::{Call, CallingList, ListId};
use migration::ticket::{
    CallsTicketInput, DraftedTicket, LeadTicketInput, TicketContext, draft_calls_ticket, draft_lead_ticket,
};
use snapshot::tables::{SourceLead, WantAttachment, WantMessage, WantTicket, WantTicketTag, WantTicketValue};
use snapshot::{SnapshotError, TableWriter};

use super::Rows;
use super::balance::Disposition;
use super::customers::{CustomerSink, FROM_NUMBER, ValueColumns};
use super::error::TransformError;
use super::failures::{Failures, PANIC, WITHOUT_PARENT, guarded};
use super::records;
use super::scratch::{self, LEAD, NOBODY, NUMBER, PERSON, ScratchCall, ScratchFrame};
use crate::archive::Sorted;

/// Wave of a lead's ticket.
pub(super) const LEAD_WAVE: &str = "lead";
/// Wave of a ticket of calls without lead.
pub(super) const CALLS_WAVE: &str = "calls";
/// Wave of a conversation's ticket.
pub(super) const CHAT_WAVE: &str = "chat";

/// Takes tickets with everything that belongs to them.
pub(super) struct TicketSink {
    /// Tickets.
    pub(super) tickets: TableWriter<WantTicket>,
    /// Their tags.
    pub(super) tags: TableWriter<WantTicketTag>,
    /// Their values.
    pub(super) values: TableWriter<WantTicketValue>,
    /// Their messages.
    pub(super) messages: TableWriter<WantMessage>,
    /// What hangs on these, where anything does.
    pub(super) attachments: Option<TableWriter<WantAttachment>>,
}

impl TicketSink {
    /// Adds a ticket. `leaddesk_id` tells the id of what a message was made of, by its position from zero.
    ///
    /// # Errors
    /// What the writers say.
    pub(super) fn push(
        &mut self,
        drafted: DraftedTicket,
        wave: &str,
        leaddesk_id: impl Fn(usize, &MessageDraft) -> Option<String>,
    ) -> Result<(), SnapshotError> {
        let DraftedTicket { ticket, created_from, .. } = drafted;
        let external_id = ticket.external_id.as_str().to_owned();
        let last_message_at = ticket.messages.iter().map(|message| message.delivery.at()).max();
        self.tickets.push(WantTicket {
            external_id: external_id.clone(),
            wave: wave.to_owned(),
            customer_external_id: ticket.customer.as_str().to_owned(),
            subject: ticket.subject,
            status: ticket.status.as_str().to_owned(),
            channel: ticket.channel,
            via: "api".to_owned(),
            is_from_agent: ticket.messages.first().is_some_and(|message| is_from_agent(&message.delivery)),
            assignee_agent_id: ticket.assignee_user.map(|user| user.to_string()),
            assignee_team_key: ticket.assignee_team.map(|key| key.to_string()),
            created_at: ticket.created_at,
            closed_at: ticket.closed_at,
            last_message_at: last_message_at.unwrap_or(ticket.created_at),
            message_count: i32::try_from(ticket.messages.len()).unwrap_or(i32::MAX),
            created_evidence: created_from.as_str().to_owned(),
        })?;
        for tag_name in ticket.tags {
            self.tags.push(WantTicketTag { ticket_external_id: external_id.clone(), tag_name })?;
        }
        for value in ticket.values {
            let columns = ValueColumns::of(&value.value);
            self.values.push(WantTicketValue {
                ticket_external_id: external_id.clone(),
                field_key: value.field.to_string(),
                data_type: columns.data_type.to_owned(),
                value_text: columns.text,
                value_number: columns.number,
                value_boolean: columns.boolean,
            })?;
        }
        for (position, message) in ticket.messages.into_iter().enumerate() {
            let leaddesk_id = leaddesk_id(position, &message);
            if let Some((attachments, attachment)) =
                self.attachments.as_mut().zip(message.attachment.as_ref())
            {
                attachments.push(want_attachment(
                    &external_id,
                    position,
                    &message.external_id,
                    attachment,
                ))?;
            }
            self.messages.push(want_message(&external_id, position, message, leaddesk_id))?;
        }
        Ok(())
    }
}

fn is_from_agent(delivery: &Delivery) -> bool {
    !matches!(delivery, Delivery::Incoming { .. })
}

fn want_attachment(
    ticket: &str,
    position: usize,
    message: &ExternalId,
    attachment: &AttachmentDraft,
) -> WantAttachment {
    WantAttachment {
        ticket_external_id: ticket.to_owned(),
        position: i32::try_from(position + 1).unwrap_or(i32::MAX),
        message_external_id: message.as_str().to_owned(),
        file_name: attachment.file_name.clone(),
        content_type: attachment.content_type.clone(),
        size_bytes: i64::try_from(attachment.bytes).unwrap_or(i64::MAX),
        sha256: attachment.sha256.clone(),
        store_key: attachment.store_key.clone(),
    }
}

fn want_message(
    ticket: &str,
    position: usize,
    message: MessageDraft,
    leaddesk_id: Option<String>,
) -> WantMessage {
    let delivery = &message.delivery;
    let (kind, channel, author) = match delivery {
        Delivery::InternalNote { author, .. } => ("note", "internal-note", author),
        Delivery::Incoming { channel, .. } => ("incoming", channel.as_str(), &Sender::Customer),
        Delivery::Outgoing { channel, author, .. } => ("outgoing", channel.as_str(), author),
    };
    let (sender_kind, sender_agent_id) = match author {
        Sender::Customer => ("customer", None),
        Sender::User(user) => ("user", Some(user.to_string())),
        Sender::ServiceUser => ("service", None),
    };
    WantMessage {
        ticket_external_id: ticket.to_owned(),
        position: i32::try_from(position + 1).unwrap_or(i32::MAX),
        external_id: message.external_id.as_str().to_owned(),
        kind: kind.to_owned(),
        channel: channel.to_owned(),
        is_from_agent: is_from_agent(delivery),
        is_public: kind != "note",
        sender_kind: sender_kind.to_owned(),
        sender_agent_id,
        sent_at: delivery.at(),
        body_text: message.body_text,
        body_html: message.body_html,
        leaddesk_id,
    }
}

/// Calls carry their id in the external id; the card of a lead was made by the migration.
fn call_id(_: usize, message: &MessageDraft) -> Option<String> {
    message.external_id.as_str().strip_prefix("leaddesk:call:").map(str::to_owned)
}

/// Reads frames and calls beside the leads.
pub(super) struct MakingTickets<'a, 'b> {
    /// What tickets depend on.
    pub(super) ctx: TicketContext<'a>,
    /// What placeholder customers depend on.
    pub(super) customers: CustomerContext<'a>,
    /// Lists, ascending by id.
    pub(super) lists: &'a std::collections::BTreeMap<ListId, CallingList>,
    /// Where tickets go.
    pub(super) sink: &'a mut TicketSink,
    /// Where placeholder customers go.
    pub(super) placeholders: &'a mut CustomerSink,
    /// Where failures go.
    pub(super) failures: &'a mut Failures<'b>,
}

type Frames = std::iter::Peekable<Sorted<ScratchFrame>>;
type Calls = std::iter::Peekable<Sorted<ScratchCall>>;

impl MakingTickets<'_, '_> {
    /// Makes all tickets of leads and calls.
    ///
    /// # Errors
    /// What readers and writers say.
    pub(super) fn make(
        &mut self,
        leads: Rows<SourceLead>,
        frames: Sorted<ScratchFrame>,
        calls: Sorted<ScratchCall>,
        mut progress: impl FnMut(u64),
    ) -> Result<(), TransformError> {
        let (mut frames, mut calls) = (frames.peekable(), calls.peekable());
        for (done, lead) in (1_u64..).zip(leads) {
            self.lead(&lead?, &mut frames, &mut calls)?;
            progress(done);
        }
        // Homes sort as lead, nobody, number, person; what is left of the first kind has no lead in the source.
        while let Some(group) = next_group(&mut calls)? {
            let Some(first) = group.first() else { continue };
            match first.home_kind.as_str() {
                NOBODY => {
                    let draft = unknown_callers();
                    self.placeholders.placeholder(&draft, FROM_NUMBER)?;
                    self.calls(&draft.external_id, draft.name.as_deref(), group, &[])?;
                }
                NUMBER => {
                    let draft = number_customer(&first.home_id, &self.customers);
                    self.placeholders.placeholder(&draft, FROM_NUMBER)?;
                    self.calls(&draft.external_id, draft.name.as_deref(), group, &[])?;
                }
                PERSON => self.person(group, &mut frames)?,
                _ => self.orphans(group, "its lead is not in the source")?,
            }
        }
        Ok(())
    }

    fn lead(
        &mut self,
        row: &SourceLead,
        frames: &mut Frames,
        calls: &mut Calls,
    ) -> Result<(), TransformError> {
        self.failures.balance.source("lead", 1);
        let key = (LEAD, row.leaddesk_list_id.as_str(), row.leaddesk_contact_id.as_str());
        let frame = frame_at(frames, key)?;
        let calls = calls_at(calls, key)?;
        let Ok(lead) = records::lead(row) else {
            self.failures.rejected("lead", row.leaddesk_lead_id.clone(), "EXT301", "the lead has no ids")?;
            return self.orphans(calls, "its lead has no ids");
        };
        let Some(frame) = frame else {
            let known = self.customers.persons.person_of(lead.id.contact).is_some();
            let (code, reason) = if known {
                (WITHOUT_PARENT, "the customer of its contact could not be made")
            } else {
                (
                    finding::LEA105_NO_CUSTOMER.as_str(),
                    "its contact was not read: it is gone or could not be used",
                )
            };
            self.failures.rejected("lead", lead.id.to_string(), code, reason)?;
            return self.orphans(calls, "the ticket of its lead could not be made");
        };
        let ids: Vec<String> = calls.iter().map(|call| call.call_id.clone()).collect();
        let calls = calls.into_iter().map(scratch::call).collect::<Result<Vec<Call>, _>>();
        let calls = calls.map_err(|_| TransformError::ScratchDamaged)?;
        let customer = ExternalId::from_stored(frame.customer_external_id);
        let leftovers = scratch::leftovers(frame.leftovers_json.as_deref());
        let input = LeadTicketInput {
            lead: &lead,
            list: self.lists.get(&lead.id.list),
            customer: &customer,
            customer_name: frame.customer_name.as_deref(),
            calls: &calls,
            leftovers: &leftovers,
        };
        let ctx = self.ctx;
        match guarded(|| draft_lead_ticket(&input, &ctx)) {
            Some(drafted) => {
                self.failures.balance.settle("lead", 1, Disposition::Wanted);
                self.failures.balance.settle("call", count(calls.len()), Disposition::Wanted);
                self.failures.notes(&drafted.notes);
                self.sink.push(drafted, LEAD_WAVE, call_id)?;
                Ok(())
            }
            None => {
                let reason = "a bug stopped the transformation of this lead";
                self.failures.rejected("lead", lead.id.to_string(), PANIC, reason)?;
                for id in ids {
                    self.failures.rejected(
                        "call",
                        id,
                        WITHOUT_PARENT,
                        "the ticket of its lead could not be made",
                    )?;
                }
                Ok(())
            }
        }
    }

    /// Calls of a person who is in no list.
    fn person(&mut self, group: Vec<ScratchCall>, frames: &mut Frames) -> Result<(), TransformError> {
        let contact = group.first().map(|call| call.home_id.clone()).unwrap_or_default();
        let Some(frame) = frame_at(frames, (PERSON, "", &contact))? else {
            return self.orphans(group, "the customer of its contact could not be made");
        };
        let customer = ExternalId::from_stored(frame.customer_external_id);
        let leftovers = scratch::leftovers(frame.leftovers_json.as_deref());
        self.calls(&customer, frame.customer_name.as_deref(), group, &leftovers)
    }

    fn calls(
        &mut self,
        customer: &ExternalId,
        customer_name: Option<&str>,
        group: Vec<ScratchCall>,
        leftovers: &[migration::customer::Leftover],
    ) -> Result<(), TransformError> {
        let ids: Vec<String> = group.iter().map(|call| call.call_id.clone()).collect();
        let home = group.first().map(|call| call.home_kind.clone()).unwrap_or_default();
        let calls = group.into_iter().map(scratch::call).collect::<Result<Vec<Call>, _>>();
        let calls = calls.map_err(|_| TransformError::ScratchDamaged)?;
        let input = CallsTicketInput { customer, customer_name, calls: &calls, leftovers };
        let ctx = self.ctx;
        match guarded(|| draft_calls_ticket(&input, &ctx)).flatten() {
            Some(drafted) => {
                let note = match home.as_str() {
                    PERSON => finding::CAL102_NO_LEAD,
                    NUMBER => finding::CAL103_NO_CONTACT,
                    _ => finding::CAL104_NO_NUMBER,
                };
                for _ in &ids {
                    self.failures.balance.note(note.as_str());
                }
                self.failures.balance.settle("call", count(ids.len()), Disposition::Wanted);
                self.failures.notes(&drafted.notes);
                self.sink.push(drafted, CALLS_WAVE, call_id)?;
            }
            None => {
                for id in ids {
                    self.failures.rejected(
                        "call",
                        id,
                        PANIC,
                        "a bug stopped the transformation of its ticket",
                    )?;
                }
            }
        }
        Ok(())
    }

    fn orphans(&mut self, group: Vec<ScratchCall>, reason: &str) -> Result<(), TransformError> {
        for call in group {
            self.failures.rejected("call", call.call_id, WITHOUT_PARENT, reason)?;
        }
        Ok(())
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

type FrameKey<'k> = (&'k str, &'k str, &'k str);

/// The frame of this key; frames before it belong to leads that the source does not list any more.
fn frame_at(frames: &mut Frames, key: FrameKey<'_>) -> Result<Option<ScratchFrame>, SnapshotError> {
    while let Some(next) = frames.peek() {
        let ordering = match next {
            Ok(frame) => {
                (frame.frame_kind.as_str(), frame.list_id.as_str(), frame.contact_id.as_str()).cmp(&key)
            }
            Err(_) => std::cmp::Ordering::Equal,
        };
        match ordering {
            std::cmp::Ordering::Less => {
                frames.next();
            }
            std::cmp::Ordering::Equal => return frames.next().transpose(),
            std::cmp::Ordering::Greater => return Ok(None),
        }
    }
    Ok(None)
}

/// All calls of this key. Calls before it stay for [`next_group`], which names them.
fn calls_at(calls: &mut Calls, key: FrameKey<'_>) -> Result<Vec<ScratchCall>, SnapshotError> {
    let mut found = Vec::new();
    while let Some(next) = calls.peek() {
        let is_due = match next {
            Ok(call) => (call.home_kind.as_str(), call.list_id.as_str(), call.home_id.as_str()) == key,
            Err(_) => true,
        };
        if !is_due {
            break;
        }
        found.extend(calls.next().transpose()?);
    }
    Ok(found)
}

/// The next calls that share a home.
fn next_group(calls: &mut Calls) -> Result<Option<Vec<ScratchCall>>, SnapshotError> {
    let Some(first) = calls.next().transpose()? else { return Ok(None) };
    let key = (first.home_kind.clone(), first.list_id.clone(), first.home_id.clone());
    let mut group = vec![first];
    group.extend(calls_at(calls, (&key.0, &key.1, &key.2))?);
    Ok(Some(group))
}
