//! LeadDesk: accounts, campaigns, lists, leads, contacts, calls, recordings.

use jiff::Timestamp;

use super::source_table;

source_table! {
    /// Users of the LeadDesk account, one row per login.
    pub struct SourceAgent = "src_leaddesk_agent", version 1 {
        /// User id, text as received.
        leaddesk_agent_id: String => key indirect from("REST users: id") example("17"),
        /// Display name.
        agent_name: String => direct from("REST users: name") example("Agent 17"),
        /// Login name.
        username: String => direct from("REST users: username") example("agent17"),
        /// E-mail as received.
        email_raw: Option<String> => direct null("no e-mail, which is normal for agents")
            from("REST users: primary_email") example("Agent17@Example.com"),
        /// E-mail trimmed and in lower case.
        email_normalized: Option<String> => direct lookup null("no valid e-mail")
            from("REST users: primary_email") example("agent17@example.com"),
        /// Role as received.
        role_raw: String => category from("REST users: role") example("Team Leader"),
        /// Whether the login is employed.
        is_active: bool => from("REST users: employment"),
        /// Office by name.
        office_name: Option<String> => category null("no office") from("REST users: office") example("Office A"),
    }
}

source_table! {
    /// Campaigns; LeadDesk calls the same object project.
    pub struct SourceCampaign = "src_leaddesk_campaign", version 1 {
        /// Campaign id, text as received.
        leaddesk_campaign_id: String => key from("REST campaigns: id") example("301"),
        /// Name.
        campaign_name: String => from("REST campaigns: name") example("Q4-Outbound-SMS"),
        /// Kind of campaign as received.
        campaign_type: Option<String> => category null("not given") from("REST campaigns: type"),
        /// Whether it is switched off.
        is_disabled: bool => from("REST campaigns: disabled"),
        /// Client on whose behalf it runs.
        sponsor_name: Option<String> => category null("no sponsor, or not told by the operator")
            from("campaigns file: sponsor") example("Sponsor A"),
    }
}

source_table! {
    /// Calling lists.
    pub struct SourceList = "src_leaddesk_list", version 1 {
        /// List id, text as received.
        leaddesk_list_id: String => key from("calling_list/list: id") example("41"),
        /// Name.
        list_name: String => from("calling_list/list: name") example("List 41"),
        /// Campaigns that dial the list, ids joined by commas.
        campaign_ids: Option<String> => null("not told by the operator") from("lists file: campaigns") example("301,302"),
        /// Call attempts as the operator wrote them.
        rounds_raw: Option<String> => category null("not told by the operator") from("lists file: rounds") example("3"),
        /// Expiry as the operator wrote it.
        expiry_raw: Option<String> => category null("none, or not told by the operator") from("lists file: expiry"),
        /// Office by name.
        office_name: Option<String> => category null("none, or not told by the operator") from("lists file: office"),
    }
}

source_table! {
    /// Leads: one row per contact on a list, since LeadDesk has no lead object. `raw_json` is the array of the rows
    /// of the list export, one per phone number.
    pub struct SourceLead = "src_leaddesk_lead", version 1 {
        /// The list.
        leaddesk_list_id: String => key from("calling_list/export: requested list") example("41"),
        /// The contact.
        leaddesk_contact_id: String => key indirect from("calling_list/export: column 1") example("1001"),
        /// Lead id: list and contact.
        leaddesk_lead_id: String => indirect from("derived") example("41:1001"),
        /// Name of the list.
        list_name: String => category from("calling_list/list: name") example("List 41"),
        /// State in one of our words.
        lead_status: String => category from("derived from columns 8 and 11, or leads file: status")
            example("in_circulation"),
        /// State as LeadDesk or the operator had it.
        lead_status_raw: String => category from("leads file: status, or derived"),
        /// Whether the contact is finished on the list.
        is_finished: bool => from("calling_list/export: column 8"),
        /// Result of the last call by name.
        last_result_name: Option<String> => category null("never called") from("calling_list/export: column 12"),
        /// Campaign of the last call by name.
        last_campaign_name: Option<String> => category null("never called") from("calling_list/export: column 13"),
        /// Agent of the last call by name.
        last_agent_name: Option<String> => category direct null("never called")
            from("calling_list/export: column 14") example("Agent 17"),
        /// When any of the numbers was last called.
        last_call_at: Option<Timestamp> => indirect null("never called") from("calling_list/export: column 11"),
        /// The same as received, without zone.
        last_call_at_raw: Option<String> => indirect null("never called") from("calling_list/export: column 11")
            example("2026-10-05 12:26:40"),
        /// When the contact was last changed.
        contact_updated_at: Option<Timestamp> => null("not given") from("calling_list/export: column 9"),
        /// The same as received, without zone.
        contact_updated_at_raw: Option<String> => null("not given") from("calling_list/export: column 9"),
        /// Zone in which the texts were read as instants.
        source_tz: String => category from("configuration: leaddesk.time_zone") example("Europe/Helsinki"),
        /// Phone numbers of the contact on the list.
        phone_count: i32 => unit("numbers") from("calling_list/export: number of rows"),
        /// The numbers as received, joined by vertical bars.
        phones_joined: Option<String> => direct null("no number") from("calling_list/export: column 2")
            example("+358000000001|+358000000002"),
    }
}

source_table! {
    /// Contacts, one row per contact id; one person can have several.
    pub struct SourceContact = "src_leaddesk_contact", version 1 {
        /// Contact id, text as received.
        leaddesk_contact_id: String => key indirect from("contact/get: contact_id") example("1001"),
        /// Primary number as received.
        phone_raw: Option<String> => direct null("no number") from("contact/get: phone") example("+358000000001"),
        /// Primary number in E.164.
        phone_e164: Option<String> => direct lookup null("no number, or not a valid one")
            from("contact/get: phone") example("+358000000001"),
        /// Further numbers as received, joined by vertical bars.
        phones_joined: Option<String> => direct null("no further number") from("contact/get: phone_numbers"),
        /// First name.
        first_name: Option<String> => direct null("not given") from("contact/get: fname") example("Ada"),
        /// Last name.
        last_name: Option<String> => direct null("not given") from("contact/get: lname") example("Example"),
        /// E-mail as received.
        email_raw: Option<String> => direct null("not given") from("contact/get: email") example("Ada@Example.com"),
        /// E-mail trimmed and in lower case.
        email_normalized: Option<String> => direct lookup null("no valid e-mail")
            from("contact/get: email") example("ada@example.com"),
        /// Web address.
        web_address: Option<String> => indirect null("not given") from("contact/get: www"),
        /// Street.
        street_address: Option<String> => direct null("not given") from("contact/get: address"),
        /// Postal code, text.
        postcode: Option<String> => category indirect null("not given") from("contact/get: postcode") example("00100"),
        /// City.
        city: Option<String> => category indirect null("not given") from("contact/get: city"),
        /// Country.
        country: Option<String> => category null("not given") from("contact/get: country"),
        /// Job title.
        job_title: Option<String> => category indirect null("not given") from("contact/get: title"),
        /// Company by name.
        company_name: Option<String> => category indirect null("not given") from("contact/get: company"),
        /// Registration number of the company.
        company_registration: Option<String> => indirect null("not given") from("contact/get: companyid"),
        /// VAT number of the company.
        vat_number: Option<String> => indirect null("not given") from("contact/get: vatin"),
        /// Free text about the contact.
        comment: Option<String> => free null("no comment") from("contact/get: comment"),
    }
}

source_table! {
    /// Values of the 35 free slots of contacts, filled ones only.
    pub struct SourceFieldValue = "src_leaddesk_field_value", version 1 {
        /// The contact.
        leaddesk_contact_id: String => key indirect from("contact/get: contact_id") example("1001"),
        /// The slot, 1 to 35.
        slot_number: i32 => key from("contact/get: other1 to other35") example("7"),
        /// The value as received.
        value_raw: String => direct from("contact/get: other1 to other35"),
    }
}

source_table! {
    /// Calls.
    pub struct SourceCall = "src_leaddesk_call", version 1 {
        /// Call id, text as received.
        leaddesk_call_id: String => key indirect from("call/get: id") example("900001"),
        /// When the call was made.
        created_at: Timestamp => indirect from("call/get: created_at") example("2026-10-05T09:26:40Z"),
        /// The same as received, without zone.
        created_at_raw: String => indirect from("call/get: created_at") example("2026-10-05 12:26:40"),
        /// Zone in which the text was read as an instant.
        source_tz: String => category from("configuration: leaddesk.time_zone") example("Europe/Helsinki"),
        /// What the change of summer time did to the reading.
        dst_note: Option<String> => category null("the local time was unambiguous") from("derived") example("fold"),
        /// Length of the talk.
        talk_seconds: Option<i32> => unit("seconds") null("not given") from("call/get: talk_time") example("95"),
        /// Begin of the talk as received, without zone.
        talk_start_raw: Option<String> => indirect null("not answered") from("call/get: talk_start"),
        /// End of the talk as received, without zone.
        talk_end_raw: Option<String> => indirect null("not answered") from("call/get: talk_end"),
        /// End of the after-work as received, without zone.
        handling_stop_raw: Option<String> => indirect null("not given") from("call/get: handling_stop"),
        /// The agent by id.
        agent_id: Option<String> => category indirect null("no agent") from("call/get: agent_id") example("17"),
        /// The agent by login name.
        agent_username: Option<String> => category direct null("no agent") from("call/get: agent_username"),
        /// Agent group at the time of the call, by id.
        agent_group_id: Option<String> => category null("no group") from("call/get: agent_group_id"),
        /// Agent group at the time of the call, by name.
        agent_group_name: Option<String> => category null("no group") from("call/get: agent_group_name"),
        /// Remote number as received.
        number_raw: Option<String> => direct null("not given") from("call/get: number") example("+358000000001"),
        /// Remote number in E.164.
        number_e164: Option<String> => direct lookup null("no number, or not a valid one") from("call/get: number"),
        /// Campaign by id.
        campaign_id: Option<String> => category null("no campaign") from("call/get: campaign") example("301"),
        /// Campaign by name.
        campaign_name: Option<String> => category null("no campaign") from("call/get: campaign_name"),
        /// The contact.
        leaddesk_contact_id: Option<String> => indirect null("no contact") from("call/get: contact_id") example("1001"),
        /// Outcome by id; names repeat across campaigns.
        outcome_id: Option<String> => category null("none chosen") from("call/get: call_ending_reason") example("5"),
        /// Outcome by name.
        outcome_name: Option<String> => category null("none chosen") from("call/get: call_ending_reason_name")
            example("Callback"),
        /// Free text of the agent.
        comment: Option<String> => free null("no comment") from("call/get: comment"),
        /// File name of the recording.
        recording_file: Option<String> => indirect null("not recorded") from("call/get: record_file"),
        /// `in` or `out`.
        direction: Option<String> => category null("not given") from("call/get: direction") example("out"),
        /// Kind of call by code.
        call_type: Option<String> => category null("not given") from("call/get: call_type") example("1"),
        /// Kind of call by name.
        call_type_name: Option<String> => category null("not given") from("call/get: call_type_name") example("semi"),
        /// Orders made in the call, ids joined by commas.
        order_ids: Option<String> => category null("no order") from("call/get: order_ids"),
    }
}

source_table! {
    /// Recordings of calls, where they are to be kept: one row per call that names one. The sound itself stands beside
    /// the lake, under `store_key`.
    pub struct SourceRecording = "src_leaddesk_recording", version 1 {
        /// The call, text as received.
        leaddesk_call_id: String => key indirect from("call/get: id") example("900001"),
        /// File name without address or signature.
        recording_file: String => indirect from("call/get: record_file"),
        /// `archived`, `gone` (LeadDesk has it no more), `failed` or `pending` (a later run may bring it).
        recording_state: String => category from("derived") example("archived"),
        /// Why it is not in the store.
        reason_code: Option<String> => category null("archived") from("derived") example("CAL112"),
        /// Kind of sound, told by its content.
        content_type: Option<String> => category null("not in the store") from("derived") example("audio/mpeg"),
        /// Size.
        size_bytes: Option<i64> => unit("bytes") null("not in the store") from("derived") example("417000"),
        /// SHA-256 of the file, hexadecimal.
        sha256: Option<String> => null("not in the store") from("derived"),
        /// Object in the store, below the folder of the migration.
        store_key: Option<String> => indirect null("not in the store") from("derived"),
    }
}
