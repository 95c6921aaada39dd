//! LeadDesk: chatbot conversations and their messages.

use jiff::Timestamp;

use super::source_table;

source_table! {
    /// Chatbot conversations, gathered from the four files of the export.
    pub struct SourceConversation = "src_leaddesk_conversation", version 1 {
        /// Conversation id, text as received.
        conversation_id: String => key indirect from("conversations.csv: conversation_id") example("c-0001"),
        /// How it ended.
        outcome: Option<String> => category null("not in the export") from("outcomes.csv: outcome") example("handled"),
        /// Who took it over.
        transferred_to: Option<String> => category direct null("not transferred") from("outcomes.csv: transferred_to"),
        /// Last intent that the bot saw.
        last_intent: Option<String> => category null("none seen") from("outcomes.csv: last_intent"),
        /// Customer's e-mail as received.
        customer_email_raw: Option<String> => direct null("not told, or anonymised") from("outcomes.csv: customer_email"),
        /// Customer's number as received.
        customer_phone_raw: Option<String> => direct null("not told, or anonymised") from("outcomes.csv: customer_phone"),
        /// Begin.
        started_at: Option<Timestamp> => indirect null("not in the export") from("timing.csv: started_at"),
        /// End.
        ended_at: Option<Timestamp> => indirect null("not in the export") from("timing.csv: ended_at"),
        /// Length as stated.
        duration_seconds: Option<i32> => unit("seconds") null("not in the export") from("timing.csv: duration_seconds"),
        /// Time to the first answer as stated.
        first_response_seconds: Option<i32> => unit("seconds") null("not in the export")
            from("timing.csv: first_response_seconds"),
        /// Messages as the export states.
        stated_message_count: Option<i32> => unit("messages") null("not in the export") from("timing.csv: message_count"),
        /// Login names of the people who took part, joined by commas.
        agent_usernames: Option<String> => direct null("the bot alone") from("agent.csv: agent_username"),
        /// Messages that the export holds.
        message_count: i32 => unit("messages") from("conversations.csv: counted"),
    }
}

source_table! {
    /// Messages of chatbot conversations, in order.
    pub struct SourceChatMessage = "src_leaddesk_chat_message", version 1 {
        /// The conversation.
        conversation_id: String => key indirect from("conversations.csv: conversation_id") example("c-0001"),
        /// Position in the conversation, from 1.
        position: i32 => key from("order of time and row"),
        /// Message id, text as received.
        message_id: String => indirect from("conversations.csv: message_id") example("m-000001"),
        /// When it was sent.
        sent_at: Timestamp => indirect from("conversations.csv: timestamp"),
        /// Who sent it: customer, bot, agent or system.
        sender: String => category from("conversations.csv: sender") example("customer"),
        /// Name of the sender.
        sender_name: Option<String> => category direct null("not given") from("conversations.csv: sender_name"),
        /// Text as received.
        body_raw: String => free from("conversations.csv: text"),
        /// Text without unsafe HTML.
        body_clean: String => free from("conversations.csv: text"),
        /// Intent that the bot saw.
        intent: Option<String> => category null("none seen") from("conversations.csv: intent"),
        /// How sure the bot was.
        score: Option<f64> => null("not given") from("conversations.csv: score") example("0.87"),
        /// Customer's judgement of the answer.
        feedback: Option<String> => category null("none given") from("conversations.csv: feedback") example("like"),
        /// Channel.
        channel: Option<String> => category null("not given") from("conversations.csv: channel") example("web"),
    }
}
