//! What Gorgias should hold: tickets with their tags, values, messages and attachments.

use jiff::Timestamp;

use crate::table;

table! {
    /// Tickets that shall exist.
    pub struct WantTicket = "want_gorgias_ticket", Wanted, version 1 {
        /// Our key.
        external_id: String => key indirect example("leaddesk:lead:41:1001"),
        /// Wave that writes it: `lead`, `calls` or `chat`.
        wave: String => category example("lead"),
        /// Its customer.
        customer_external_id: String => indirect example("leaddesk:contact:1001"),
        /// Subject.
        subject: String => direct,
        /// `open` or `closed`.
        status: String => category example("closed"),
        /// Channel.
        channel: String => category example("phone"),
        /// How it came in.
        via: String => category example("api"),
        /// Whether it began on the company's side.
        is_from_agent: bool,
        /// Owner, by LeadDesk login.
        assignee_agent_id: Option<String> => category indirect null("nobody") example("17"),
        /// Owner's team, by our key.
        assignee_team_key: Option<String> => category null("no team") example("office:office-a"),
        /// Earliest evidence.
        created_at: Timestamp => indirect,
        /// Latest evidence.
        closed_at: Option<Timestamp> => indirect null("open"),
        /// Moment of the last message.
        last_message_at: Timestamp => indirect,
        /// Messages of the ticket.
        message_count: i32 => unit("messages"),
        /// Which evidence gave the created moment.
        created_evidence: String => category example("call"),
    }
}

table! {
    /// Tags of tickets.
    pub struct WantTicketTag = "want_gorgias_ticket_tag", Wanted, version 1 {
        /// The ticket.
        ticket_external_id: String => key indirect example("leaddesk:lead:41:1001"),
        /// The tag.
        tag_name: String => key category example("Q4-Outbound-SMS"),
    }
}

table! {
    /// Custom field values of tickets; exactly one of the three value columns is filled.
    pub struct WantTicketValue = "want_gorgias_ticket_value", Wanted, version 1 {
        /// The ticket.
        ticket_external_id: String => key indirect example("leaddesk:lead:41:1001"),
        /// The field.
        field_key: String => key category example("leaddesk_disposition__c"),
        /// Data type of the field.
        data_type: String => category example("text"),
        /// Text value.
        value_text: Option<String> => direct null("the field is not text"),
        /// Number value.
        value_number: Option<f64> => direct null("the field is not a number"),
        /// Yes or no.
        value_boolean: Option<bool> => direct null("the field is not yes or no"),
    }
}

table! {
    /// Messages of tickets, in order.
    pub struct WantMessage = "want_gorgias_message", Wanted, version 1 {
        /// The ticket.
        ticket_external_id: String => key indirect example("leaddesk:lead:41:1001"),
        /// Position in the ticket, from 1.
        position: i32 => key,
        /// Our key.
        external_id: String => indirect example("leaddesk:call:900001"),
        /// `note`, `incoming` or `outgoing`.
        kind: String => category example("note"),
        /// Channel.
        channel: String => category example("internal-note"),
        /// Whether it comes from the company's side.
        is_from_agent: bool,
        /// Whether the customer may see it.
        is_public: bool,
        /// `customer`, `user` or `service`.
        sender_kind: String => category example("user"),
        /// Sender, by LeadDesk login.
        sender_agent_id: Option<String> => category indirect null("not sent by a matched user") example("17"),
        /// Moment shown.
        sent_at: Timestamp => indirect,
        /// Plain text.
        body_text: String => free,
        /// The same as safe HTML.
        body_html: String => free,
        /// Id of the call or chat message in LeadDesk.
        leaddesk_id: Option<String> => indirect null("made by the migration, such as the lead card") example("900001"),
    }
}

table! {
    /// Files that shall hang on messages: recordings of calls that are re-hosted at Gorgias. At most one a message.
    pub struct WantAttachment = "want_gorgias_attachment", Wanted, version 1 {
        /// The ticket.
        ticket_external_id: String => key indirect example("leaddesk:lead:41:1001"),
        /// Position of the message in the ticket, from 1.
        position: i32 => key,
        /// Our key of the message.
        message_external_id: String => indirect example("leaddesk:call:900001"),
        /// Name that people see.
        file_name: String => indirect example("call-900001.mp3"),
        /// Kind of sound.
        content_type: String => category example("audio/mpeg"),
        /// Size.
        size_bytes: i64 => unit("bytes") example("417000"),
        /// SHA-256 of the file, hexadecimal.
        sha256: String,
        /// Object in the store, below the folder of the migration.
        store_key: String => indirect,
    }
}
