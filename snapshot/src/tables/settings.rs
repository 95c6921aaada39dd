//! Settings on both sides: outcomes, blacklist, fields, offices, groups, documents; users, teams, tags, rules.

use jiff::Timestamp;

use super::{found_table, source_table};

source_table! {
    /// Outcomes (disposition codes); the id is the key, names repeat.
    pub struct SourceOutcome = "src_leaddesk_outcome", version 1 {
        /// Outcome id, text as received.
        outcome_id: String => key from("call/get: call_ending_reason, or outcomes file: id") example("5"),
        /// Name.
        outcome_name: String => from("call/get: call_ending_reason_name, or outcomes file: name") example("Callback"),
        /// Campaign that it belongs to.
        campaign_id: Option<String> => category null("valid in all campaigns, or not known")
            from("outcomes file: campaign"),
        /// Whether it finishes the contact.
        is_finalising: Option<bool> => null("not known") from("outcomes file: finalising"),
        /// Where it was learned: `file` or `calls`.
        origin: String => category from("derived") example("calls"),
        /// Calls with this outcome.
        call_count: i64 => unit("calls") from("counted"),
    }
}

source_table! {
    /// Blacklisted numbers.
    pub struct SourceBlacklist = "src_leaddesk_blacklist", version 1 {
        /// Number as received; LeadDesk compares exactly this text.
        number_raw: String => key direct from("blacklist file: number") example("+358000000001"),
        /// Sponsor that it holds for; empty text means everywhere.
        sponsor_name: String => key from("blacklist file: sponsor"),
        /// Number in E.164.
        number_e164: Option<String> => direct lookup null("not a valid number") from("blacklist file: number"),
    }
}

source_table! {
    /// What the free slots of contacts mean in each campaign.
    pub struct SourceField = "src_leaddesk_field", version 1 {
        /// The campaign.
        campaign_id: String => key from("fields file: campaign") example("301"),
        /// The slot, 1 to 35.
        slot_number: i32 => key from("fields file: slot") example("7"),
        /// What agents see.
        field_label: String => from("fields file: label") example("Contract end"),
        /// Type as the campaign checks it.
        field_type: String => category from("fields file: type") example("text"),
        /// Values of a drop-down, as the operator wrote them.
        allowed_values: Option<String> => null("any value") from("fields file: values"),
    }
}

source_table! {
    /// Offices.
    pub struct SourceOffice = "src_leaddesk_office", version 1 {
        /// Name, which is the key.
        office_name: String => key from("REST users: office, or offices file: name") example("Office A"),
        /// IANA zone.
        time_zone: Option<String> => category null("not told by the operator") from("offices file: time_zone")
            example("Europe/Helsinki"),
    }
}

source_table! {
    /// Agent groups, one row per member.
    pub struct SourceGroup = "src_leaddesk_group", version 1 {
        /// Group id, text as received.
        group_id: String => key from("groups file: id, or call/get: agent_group_id") example("8"),
        /// Login name of the member; empty text in the only row of a group without members.
        username: String => key direct from("groups file: username, or call/get: agent_username") example("agent17"),
        /// Name of the group.
        group_name: String => category from("groups file: name, or call/get: agent_group_name") example("Team B"),
    }
}

source_table! {
    /// Rows of the operator's documents that no other table holds, verbatim in `raw_json`.
    pub struct SourceDocument = "src_leaddesk_document", version 1 {
        /// Which document.
        document_name: String => key category from("name of the file") example("dialer"),
        /// Position in the document, from 1.
        row_number: i32 => key from("position in the file"),
    }
}

found_table! {
    /// Users of Gorgias.
    pub struct FoundUser = "dst_gorgias_user", version 1 {
        /// User id.
        gorgias_user_id: String => key indirect from("users: id") example("7"),
        /// E-mail as Gorgias shows it.
        email: Option<String> => direct lookup null("no e-mail") from("users: email") example("agent17@example.com"),
        /// Display name.
        user_name: String => direct from("users: name") example("Agent 17"),
        /// Role.
        role_name: String => category from("users: role.name") example("basic-agent"),
        /// Whether the user can log in.
        is_active: bool => from("users: active"),
        /// Id that another system gave.
        external_id: Option<String> => indirect null("none given") from("users: external_id"),
    }
}

found_table! {
    /// Teams of Gorgias.
    pub struct FoundTeam = "dst_gorgias_team", version 1 {
        /// Team id.
        gorgias_team_id: String => key from("teams: id") example("3"),
        /// Name.
        team_name: String => from("teams: name") example("Team B"),
        /// Description; ours hold the team's key.
        description: Option<String> => free null("no description") from("teams: description"),
        /// User ids of the members, sorted and joined by commas.
        member_ids: Option<String> => indirect null("no members") from("teams: members") example("7,9"),
        /// When it was created.
        created_at: Option<Timestamp> => null("not given") from("teams: created_datetime"),
    }
}

found_table! {
    /// Tags of Gorgias.
    pub struct FoundTag = "dst_gorgias_tag", version 1 {
        /// Tag id.
        gorgias_tag_id: String => key from("tags: id") example("12"),
        /// Name, case-sensitive.
        tag_name: String => from("tags: name") example("Q4-Outbound-SMS"),
        /// Description.
        description: Option<String> => null("no description") from("tags: description"),
        /// Colour.
        color: Option<String> => category null("no colour") from("tags: decoration.color") example("#aabbcc"),
        /// Tickets that carry it, as Gorgias counts.
        usage_count: Option<i64> => unit("tickets") null("not given") from("tags: usage"),
    }
}

found_table! {
    /// Custom field definitions of Gorgias.
    pub struct FoundField = "dst_gorgias_field", version 1 {
        /// Field id.
        gorgias_field_id: String => key from("custom-fields: id") example("21"),
        /// `Ticket` or `Customer`.
        object_type: String => category from("custom-fields: object_type") example("Ticket"),
        /// Id that another system gave.
        external_id: Option<String> => null("none given") from("custom-fields: external_id"),
        /// What agents see.
        label: String => from("custom-fields: label") example("leaddesk_disposition__c"),
        /// Data type.
        data_type: String => category from("custom-fields: definition.data_type") example("text"),
        /// Kind of a field that Gorgias fills by itself.
        managed_type: Option<String> => category null("not managed by Gorgias") from("custom-fields: managed_type"),
        /// Whether it is in use, not archived.
        is_active: bool => from("custom-fields: deactivated_datetime"),
        /// Position among the fields.
        priority: Option<i32> => null("not given") from("custom-fields: priority"),
    }
}

found_table! {
    /// Rules of Gorgias.
    pub struct FoundRule = "dst_gorgias_rule", version 1 {
        /// Rule id.
        gorgias_rule_id: String => key from("rules: id") example("5"),
        /// Name.
        rule_name: String => from("rules: name") example("Auto-reply"),
        /// Whether it runs.
        is_active: bool => from("rules: deactivated_datetime"),
        /// Events that start it, as Gorgias writes them.
        event_types: Option<String> => null("not given") from("rules: event_types") example("ticket-created"),
    }
}

found_table! {
    /// Settings of the Gorgias account.
    pub struct FoundSetting = "dst_gorgias_setting", version 1 {
        /// Setting id.
        setting_id: String => key from("account/settings: id") example("2"),
        /// Kind of setting.
        setting_type: String => category from("account/settings: type") example("satisfaction-surveys"),
        /// Content of the setting, JSON.
        setting_json: String => free from("account/settings: data"),
    }
}

found_table! {
    /// Integrations of the Gorgias account.
    pub struct FoundIntegration = "dst_gorgias_integration", version 1 {
        /// Integration id.
        gorgias_integration_id: String => key from("integrations: id") example("4"),
        /// Name.
        integration_name: String => from("integrations: name") example("Webhook A"),
        /// Kind of integration.
        integration_type: String => category from("integrations: type") example("http"),
        /// Whether it runs.
        is_active: bool => from("integrations: deactivated_datetime"),
    }
}
