//! Gorgias: tickets as they were read, with tags, values and messages.

use jiff::Timestamp;

use super::found_table;

found_table! {
    /// Tickets of Gorgias.
    pub struct FoundTicket = "dst_gorgias_ticket", version 1 {
        /// Ticket id.
        gorgias_ticket_id: String => key indirect from("tickets: id") example("88001"),
        /// Id that another system gave; ours begin with `leaddesk:`.
        external_id: Option<String> => indirect lookup null("none given") from("tickets: external_id")
            example("leaddesk:lead:41:1001"),
        /// Its customer.
        gorgias_customer_id: Option<String> => indirect lookup null("no customer") from("tickets: customer.id")
            example("5001"),
        /// Subject.
        subject: Option<String> => direct null("no subject") from("tickets: subject"),
        /// `open` or `closed`.
        status: String => category from("tickets: status") example("closed"),
        /// Channel.
        channel: String => category from("tickets: channel") example("phone"),
        /// How it came in.
        via: String => category from("tickets: via") example("api"),
        /// Whether it began on the company's side.
        is_from_agent: Option<bool> => null("not given") from("tickets: from_agent"),
        /// Owner.
        assignee_user_id: Option<String> => category indirect null("nobody") from("tickets: assignee_user.id"),
        /// Owner's team.
        assignee_team_id: Option<String> => category null("no team") from("tickets: assignee_team.id"),
        /// When it was created.
        created_at: Option<Timestamp> => indirect null("not given") from("tickets: created_datetime"),
        /// When an agent first opened it.
        opened_at: Option<Timestamp> => indirect null("not opened") from("tickets: opened_datetime"),
        /// When it was closed.
        closed_at: Option<Timestamp> => indirect null("not closed") from("tickets: closed_datetime"),
        /// Moment of the last message.
        last_message_at: Option<Timestamp> => indirect null("no message") from("tickets: last_message_datetime"),
        /// When it was last changed.
        updated_at: Option<Timestamp> => indirect null("not given") from("tickets: updated_datetime"),
        /// When it was put into the bin.
        trashed_at: Option<Timestamp> => indirect null("not in the bin") from("tickets: trashed_datetime"),
        /// Whether it counts as spam.
        is_spam: Option<bool> => null("not given") from("tickets: spam"),
        /// Priority.
        priority: Option<String> => category null("not given") from("tickets: priority") example("normal"),
        /// Two-letter language that Gorgias guessed.
        language: Option<String> => category null("not guessed") from("tickets: language"),
        /// Messages as the list counts them.
        message_count: Option<i64> => unit("messages") null("not given") from("tickets: messages_count"),
    }
}

found_table! {
    /// Tags of tickets.
    pub struct FoundTicketTag = "dst_gorgias_ticket_tag", version 1 {
        /// The ticket.
        gorgias_ticket_id: String => key indirect from("tickets: id") example("88001"),
        /// The tag by name.
        tag_name: String => key category from("tickets: tags[].name") example("Q4-Outbound-SMS"),
    }
}

found_table! {
    /// Custom field values of tickets.
    pub struct FoundTicketValue = "dst_gorgias_ticket_value", version 1 {
        /// The ticket.
        gorgias_ticket_id: String => key indirect from("tickets: id") example("88001"),
        /// The field.
        gorgias_field_id: String => key category from("tickets: custom_fields key") example("21"),
        /// Text value.
        value_text: Option<String> => direct null("not a text") from("tickets: custom_fields[].value"),
        /// Number value.
        value_number: Option<f64> => direct null("not a number") from("tickets: custom_fields[].value"),
        /// Yes or no.
        value_boolean: Option<bool> => direct null("not yes or no") from("tickets: custom_fields[].value"),
    }
}

found_table! {
    /// Messages of tickets, in order of time.
    pub struct FoundMessage = "dst_gorgias_message", version 1 {
        /// The ticket.
        gorgias_ticket_id: String => key indirect from("messages: ticket_id") example("88001"),
        /// Moment of sending, or of creation where none is given.
        sent_at_or_created: Timestamp => key indirect from("messages: sent_datetime, else created_datetime"),
        /// Message id.
        gorgias_message_id: String => key indirect from("messages: id") example("660001"),
        /// Id that another system gave; ours begin with `leaddesk:`.
        external_id: Option<String> => indirect lookup null("none given") from("messages: external_id")
            example("leaddesk:call:900001"),
        /// Channel.
        channel: String => category from("messages: channel") example("internal-note"),
        /// How it came in.
        via: String => category from("messages: via") example("api"),
        /// Whether it comes from the company's side.
        is_from_agent: bool => from("messages: from_agent"),
        /// Whether the customer may see it.
        is_public: Option<bool> => null("not given") from("messages: public"),
        /// Sender: a user or a customer, which share one sequence of ids.
        sender_id: Option<String> => indirect null("not given") from("messages: sender.id"),
        /// Receiver.
        receiver_id: Option<String> => indirect null("none, as in notes") from("messages: receiver.id"),
        /// Moment of sending.
        sent_at: Option<Timestamp> => indirect null("not sent") from("messages: sent_datetime"),
        /// Moment of creation.
        created_at: Option<Timestamp> => indirect null("not given") from("messages: created_datetime"),
        /// Plain text.
        body_text: Option<String> => free null("no text") from("messages: body_text"),
        /// HTML.
        body_html: Option<String> => free null("no HTML") from("messages: body_html"),
    }
}
