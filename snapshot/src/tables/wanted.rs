//! What Gorgias should hold: tags, fields, teams, users, customers.

use crate::table;

table! {
    /// Tags that tickets shall carry.
    pub struct WantTag = "want_gorgias_tag", Wanted, version 1 {
        /// Name, case-sensitive, at most 256 characters.
        tag_name: String => key example("Q4-Outbound-SMS"),
        /// Description for the admin.
        description: String,
        /// What it was made of.
        origin: String => category example("campaign"),
    }
}

table! {
    /// Custom fields that shall exist.
    pub struct WantField = "want_gorgias_field", Wanted, version 1 {
        /// `Ticket` or `Customer`.
        object_type: String => key category example("Ticket"),
        /// Our key, which becomes the field's external id.
        field_key: String => key example("leaddesk:field:7:301"),
        /// What agents see.
        label: String => example("leaddesk_disposition__c"),
        /// Data type.
        data_type: String => category example("text"),
        /// Where it comes from, for the admin.
        description: String,
    }
}

table! {
    /// Teams that shall exist.
    pub struct WantTeam = "want_gorgias_team", Wanted, version 1 {
        /// Our key; stands in the description too, because teams have no external id.
        team_key: String => key example("office:office-a"),
        /// Name.
        team_name: String => example("Office A"),
        /// Time zone, leaders and key.
        description: String => free,
        /// Name of the office or group in LeadDesk.
        leaddesk_name: String => example("Office A"),
    }
}

table! {
    /// Members of teams, by their LeadDesk login.
    pub struct WantTeamMember = "want_gorgias_team_member", Wanted, version 1 {
        /// The team.
        team_key: String => key example("office:office-a"),
        /// The member.
        leaddesk_agent_id: String => key indirect example("17"),
    }
}

table! {
    /// LeadDesk logins and the Gorgias users that stand for them.
    pub struct WantUser = "want_gorgias_user", Wanted, version 1 {
        /// The login.
        leaddesk_agent_id: String => key indirect example("17"),
        /// Name.
        agent_name: String => direct example("Agent 17"),
        /// E-mail that was compared.
        email: Option<String> => direct lookup null("no e-mail in LeadDesk") example("agent17@example.com"),
        /// The matched user.
        gorgias_user_id: Option<String> => indirect lookup null("not matched") example("7"),
        /// `matched`, `placeholder`, `to_provision`, `without_email` or `shared_email`.
        state: String => category example("matched"),
        /// Role that the user should have.
        role: String => category example("basic-agent"),
    }
}

table! {
    /// Customers that shall exist: one per person, number or anonymous visitor.
    pub struct WantCustomer = "want_gorgias_customer", Wanted, version 1 {
        /// Our key.
        external_id: String => key indirect example("leaddesk:contact:1001"),
        /// Smallest contact id of the person.
        leaddesk_contact_id: Option<String> => indirect null("no contact: a bare number or a visitor") example("1001"),
        /// Name as sent.
        customer_name: Option<String> => direct null("no name") example("Ada Example"),
        /// Primary e-mail as sent.
        email: Option<String> => direct lookup null("no e-mail") example("ada@example.com"),
        /// Two-letter language.
        language: Option<String> => category null("not set") example("fi"),
        /// IANA zone.
        timezone: Option<String> => category null("not set") example("Europe/Helsinki"),
        /// Channels of the customer.
        channel_count: i32 => unit("channels"),
        /// Custom field values of the customer.
        value_count: i32 => unit("values"),
        /// What it was made of: `contact`, `number` or `visitor`.
        origin: String => category example("contact"),
    }
}

table! {
    /// Ways to reach a customer.
    pub struct WantCustomerChannel = "want_gorgias_customer_channel", Wanted, version 1 {
        /// The customer.
        customer_external_id: String => key indirect example("leaddesk:contact:1001"),
        /// `email` or `phone`.
        channel_type: String => key category example("email"),
        /// Address as sent.
        address: String => key direct example("ada@example.com"),
        /// Whether it is the first of its kind.
        is_preferred: bool,
    }
}

table! {
    /// Custom field values of customers; exactly one of the three value columns is filled.
    pub struct WantCustomerValue = "want_gorgias_customer_value", Wanted, version 1 {
        /// The customer.
        customer_external_id: String => key indirect example("leaddesk:contact:1001"),
        /// The field.
        field_key: String => key category example("leaddesk:field:7:301"),
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
