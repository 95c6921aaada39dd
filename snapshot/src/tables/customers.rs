//! Gorgias: customers as they were read, with channels and values.

use jiff::Timestamp;

use super::found_table;

found_table! {
    /// Customers of Gorgias.
    pub struct FoundCustomer = "dst_gorgias_customer", version 1 {
        /// Customer id.
        gorgias_customer_id: String => key indirect from("customers: id") example("5001"),
        /// Id that another system gave; ours begin with `leaddesk:`.
        external_id: Option<String> => indirect lookup null("none given") from("customers: external_id")
            example("leaddesk:contact:1001"),
        /// Name.
        customer_name: Option<String> => direct null("no name") from("customers: name") example("Ada Example"),
        /// First name as Gorgias split it off.
        first_name: Option<String> => direct null("no name") from("customers: firstname"),
        /// Last name as Gorgias split it off.
        last_name: Option<String> => direct null("no last name") from("customers: lastname"),
        /// Primary e-mail.
        email: Option<String> => direct lookup null("no e-mail") from("customers: email") example("ada@example.com"),
        /// Two-letter language.
        language: Option<String> => category null("not set") from("customers: language"),
        /// IANA zone.
        timezone: Option<String> => category null("not set") from("customers: timezone"),
        /// When it was created.
        created_at: Option<Timestamp> => null("not given") from("customers: created_datetime"),
        /// When it was last changed.
        updated_at: Option<Timestamp> => null("not given") from("customers: updated_datetime"),
        /// Whether the record itself was read; false when only the shorter form of the list was.
        has_detail: bool => from("which request gave it"),
    }
}

found_table! {
    /// Ways to reach a customer.
    pub struct FoundCustomerChannel = "dst_gorgias_customer_channel", version 1 {
        /// The customer.
        gorgias_customer_id: String => key indirect from("customers: id") example("5001"),
        /// Kind of address.
        channel_type: String => key category from("customers: channels[].type") example("email"),
        /// Address.
        address: String => key direct from("customers: channels[].address") example("ada@example.com"),
        /// Whether it is the first of its kind.
        is_preferred: bool => from("customers: channels[].preferred"),
    }
}

found_table! {
    /// Custom field values of customers.
    pub struct FoundCustomerValue = "dst_gorgias_customer_value", version 1 {
        /// The customer.
        gorgias_customer_id: String => key indirect from("customers/{id}/custom-fields: owner") example("5001"),
        /// The field.
        gorgias_field_id: String => key category from("customers/{id}/custom-fields: field.id") example("21"),
        /// Text value.
        value_text: Option<String> => direct null("not a text") from("customers/{id}/custom-fields: value"),
        /// Number value.
        value_number: Option<f64> => direct null("not a number") from("customers/{id}/custom-fields: value"),
        /// Yes or no.
        value_boolean: Option<bool> => direct null("not yes or no") from("customers/{id}/custom-fields: value"),
    }
}
