//! Chatbot conversations -> tickets with their thread.

use migration::chat::{ChatCustomer, chat_customer, draft_chat_ticket};
use migration::customer::CustomerContext;
use migration::finding;
use migration::keys::ExternalId;
use migration::ticket::TicketContext;
use snapshot::tables::{SourceChatMessage, SourceConversation};

use super::Rows;
use super::balance::Disposition;
use super::customers::{CustomerSink, FROM_NUMBER, FROM_VISITOR, Substitutes};
use super::error::TransformError;
use super::failures::{Failures, PANIC, guarded};
use super::records;
use super::tickets::{CHAT_WAVE, TicketSink};

/// Reads messages beside their conversations.
pub(super) struct MakingChats<'a, 'b> {
    /// What tickets depend on.
    pub(super) ctx: TicketContext<'a>,
    /// What customers depend on.
    pub(super) customers: CustomerContext<'a>,
    /// Persons without a customer of their own.
    pub(super) substitutes: &'a Substitutes,
    /// Where tickets go.
    pub(super) sink: &'a mut TicketSink,
    /// Where placeholder customers go.
    pub(super) placeholders: &'a mut CustomerSink,
    /// Where failures go.
    pub(super) failures: &'a mut Failures<'b>,
}

impl MakingChats<'_, '_> {
    /// Makes all tickets of conversations.
    ///
    /// # Errors
    /// What readers and writers say.
    pub(super) fn make(
        &mut self,
        conversations: Rows<SourceConversation>,
        messages: Rows<SourceChatMessage>,
    ) -> Result<(), TransformError> {
        let mut messages = messages.peekable();
        for conversation in conversations {
            let conversation = conversation?;
            let mut thread = Vec::new();
            // Messages of no conversation were put aside by the extraction, so the next one is ours or a later one's.
            while let Some(next) = messages.peek() {
                let is_ours =
                    next.as_ref().map_or(true, |next| next.conversation_id <= conversation.conversation_id);
                if !is_ours {
                    break;
                }
                thread.extend(messages.next().transpose()?);
            }
            self.conversation(conversation, thread)?;
        }
        Ok(())
    }

    fn conversation(
        &mut self,
        row: SourceConversation,
        thread: Vec<SourceChatMessage>,
    ) -> Result<(), TransformError> {
        let id = row.conversation_id.clone();
        let messages = u64::try_from(thread.len()).unwrap_or(u64::MAX);
        self.failures.balance.source("conversation", 1);
        self.failures.balance.source("chat_message", messages);
        let ids: Vec<String> = thread.iter().map(|message| format!("{id}/{}", message.message_id)).collect();
        let conversation = records::conversation(row, thread);
        let (ctx, customers) = (self.ctx, self.customers);
        let decided = guarded(|| {
            let (customer, mut notes) = chat_customer(&conversation, &customers);
            let external_id = match &customer {
                ChatCustomer::Person(person, _) => match self.substitutes.get(person) {
                    Some(Some(placeholder)) => placeholder.clone(),
                    Some(None) => return None,
                    None => ExternalId::customer(person.contact()),
                },
                ChatCustomer::Placeholder(draft) => draft.external_id.clone(),
                ChatCustomer::Skip => return Some((customer, None, notes)),
            };
            let drafted = draft_chat_ticket(&conversation, &external_id, &ctx);
            if let Ok(drafted) = &drafted {
                notes.extend(drafted.notes.iter().cloned());
            }
            Some((customer, Some(drafted), notes))
        });
        let Some(decided) = decided else {
            self.dependents(&ids, PANIC)?;
            let reason = "a bug stopped the transformation of this conversation";
            return Ok(self.failures.rejected("conversation", id, PANIC, reason)?);
        };
        let Some((customer, drafted, notes)) = decided else {
            let code = super::failures::WITHOUT_PARENT;
            self.dependents(&ids, code)?;
            let reason = "the customer of its person could not be made";
            return Ok(self.failures.rejected("conversation", id, code, reason)?);
        };
        self.failures.notes(&notes);
        match drafted {
            None => {
                let code = finding::CHT102_ANONYMISED_SKIPPED;
                for message in ids {
                    self.failures.excluded("chat_message", message, code.as_str(), code.entry().title)?;
                }
                self.failures.excluded("conversation", id, code.as_str(), code.entry().title)?;
            }
            Some(Err(reject)) => {
                self.dependents(&ids, reject.code.as_str())?;
                self.failures.rejected("conversation", id, reject.code.as_str(), reject.reason)?;
            }
            Some(Ok(drafted)) => {
                if let ChatCustomer::Placeholder(draft) = &customer {
                    let is_number = draft.external_id.as_str().starts_with("leaddesk:number:");
                    self.placeholders
                        .placeholder(draft, if is_number { FROM_NUMBER } else { FROM_VISITOR })?;
                }
                self.failures.balance.settle("conversation", 1, Disposition::Wanted);
                self.failures.balance.settle("chat_message", messages, Disposition::Wanted);
                let mut said: Vec<_> = conversation
                    .messages
                    .iter()
                    .map(|message| (message.sent_at, message.id.as_str()))
                    .collect();
                said.sort_unstable();
                self.sink.push(drafted, CHAT_WAVE, |position, _| {
                    said.get(position).map(|(_, id)| (*id).to_owned())
                })?;
            }
        }
        Ok(())
    }

    /// Messages go with their conversation.
    fn dependents(&mut self, ids: &[String], code: &str) -> Result<(), TransformError> {
        for id in ids {
            self.failures.rejected("chat_message", id.clone(), code, "its conversation could not be made")?;
        }
        Ok(())
    }
}
