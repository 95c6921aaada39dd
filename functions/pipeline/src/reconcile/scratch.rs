//! Tables in the scratch folder that bring what was found into the order of what is wanted.

snapshot::table! {
    /// Tickets of ours as found, in the order of our keys.
    pub struct TicketImage = "ctl_scratch_ticket_image", Control, version 1 {
        /// Key that the ticket carries.
        external_id: String => key indirect,
        /// Its id.
        gorgias_id: String => key indirect,
        /// Its fields as JSON.
        image: String => direct,
    }
}

snapshot::table! {
    /// Messages of our tickets as found, in the order of our tickets' keys.
    pub struct MessageImage = "ctl_scratch_message_image", Control, version 1 {
        /// Key of the ticket.
        ticket_external_id: String => key indirect,
        /// Key that the message carries; empty when it carries none.
        external_id: String => key indirect,
        /// Its id.
        gorgias_id: String => key indirect,
        /// Its fields as JSON.
        image: String => direct,
    }
}
