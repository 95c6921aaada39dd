//! How things were mapped, and what the migration did.

use jiff::Timestamp;

use crate::table;

table! {
    /// Decisions on source fields.
    pub struct MapField = "map_field", Mapping, version 1 {
        /// LeadDesk object.
        object: String => key category example("contact"),
        /// Field of the object.
        source_field: String => key example("other7"),
        /// Campaign or list that the decision holds for.
        scope: String => key category example("301"),
        /// `carry`, `leave` or `conflict`.
        decision: String => category example("carry"),
        /// Field of Gorgias.
        target: Option<String> => null("not carried") example("leaddesk:field:7:301"),
        /// Data type of the target.
        target_type: Option<String> => category null("not carried") example("text"),
        /// Why.
        rationale: String,
        /// Share of records that fill the field.
        fill_share: Option<f64> => unit("share from 0 to 1") null("not measured") example("0.42"),
        /// Share of values that fit the target's type.
        fit_share: Option<f64> => unit("share from 0 to 1") null("not measured") example("0.99"),
    }
}

table! {
    /// Decisions on single values: roles, outcomes, tags, teams, statuses, merged contacts.
    pub struct MapValue = "map_value", Mapping, version 1 {
        /// `role`, `outcome`, `campaign_tag`, `office_team`, `group_team`, `lead_status` or `merge`.
        value_kind: String => key category example("role"),
        /// Value in LeadDesk.
        source_value: String => key indirect example("Team Leader"),
        /// Value in Gorgias.
        target_value: Option<String> => indirect null("nothing stands for it") example("agent"),
        /// Why.
        reason: String => category,
    }
}

table! {
    /// Steps of the run.
    pub struct ControlRun = "ctl_run", Control, version 1 {
        /// The step.
        step: String => key example("extract"),
        /// Begin.
        started_at: Timestamp,
        /// End.
        ended_at: Option<Timestamp> => null("not finished"),
        /// Records that went through.
        record_count: i64 => unit("records"),
        /// What is worth knowing.
        note: Option<String> => null("nothing"),
    }
}

table! {
    /// Which record of Gorgias stands for which record of LeadDesk.
    pub struct ControlIdMap = "ctl_id_map", Control, version 1 {
        /// Object.
        object: String => key category example("contact"),
        /// Id in LeadDesk.
        leaddesk_id: String => key indirect example("1001"),
        /// Our key.
        external_id: Option<String> => indirect lookup null("matched, not made") example("leaddesk:contact:1001"),
        /// Id in Gorgias.
        gorgias_id: Option<String> => indirect lookup null("not there yet") example("5001"),
        /// How the id was learned: `answer`, `lookup`, `adopted`, `matched`, `merged` or `existing`.
        via: String => category example("answer"),
        /// Address of the record for people.
        gorgias_url: Option<String> => indirect null("the object has no page") example("https://acme.example/5001"),
    }
}

table! {
    /// Records and values that did not arrive; one record can have several.
    pub struct ControlFailure = "ctl_failure", Control, version 1 multi {
        /// Object.
        object: String => key category example("contact"),
        /// Id in LeadDesk.
        leaddesk_id: String => key indirect example("1001"),
        /// Code of the reason.
        reason_code: String => key category example("TRF204"),
        /// The reason in words, without values.
        reason: String => category,
        /// `rejected`, `failed`, `excluded` or `value_rejected`.
        state: String => category example("rejected"),
    }
}

table! {
    /// The balance per object: source = excluded + merged + loaded + failed.
    pub struct ControlReconCount = "ctl_recon_count", Control, version 1 {
        /// Object.
        object: String => key example("contact"),
        /// Records in the source.
        source_count: i64 => unit("records"),
        /// Left out by decision.
        excluded_count: i64 => unit("records"),
        /// Merged into another.
        merged_count: i64 => unit("records"),
        /// Written.
        loaded_count: i64 => unit("records"),
        /// Not written.
        failed_count: i64 => unit("records"),
        /// Read back.
        found_count: i64 => unit("records"),
        /// Fields that were compared.
        fields_compared: i64 => unit("fields"),
        /// Of these, different.
        fields_different: i64 => unit("fields"),
    }
}

table! {
    /// Fields that differ between what was wanted and what was found.
    pub struct ControlReconDifference = "ctl_recon_difference", Control, version 1 multi {
        /// Object.
        object: String => key category example("ticket"),
        /// Our key.
        external_id: String => key indirect example("leaddesk:lead:41:1001"),
        /// The field.
        field_name: String => key category example("subject"),
        /// Position where the field repeats, else 0.
        position: i64 => key,
        /// Id in Gorgias.
        gorgias_id: Option<String> => indirect lookup null("not found") example("88001"),
        /// What was wanted.
        wanted: Option<String> => direct null("nothing"),
        /// What was found.
        found: Option<String> => direct null("nothing"),
        /// Code of the difference.
        code: String => category example("REC301"),
        /// Whether a declared rule explains it.
        is_explained: bool,
    }
}

table! {
    /// Requests per window of the rate limit.
    pub struct ControlRequestWindow = "ctl_request_window", Control, version 1 multi {
        /// Begin of the window.
        started_at: Timestamp => key,
        /// Length of the window.
        window_seconds: i32 => unit("seconds") example("20"),
        /// Requests sent.
        request_count: i64 => unit("requests"),
        /// Requests allowed.
        limit_count: i64 => unit("requests") example("40"),
        /// Answers that told us to wait.
        throttled_count: i64 => unit("answers"),
        /// What the requests were for.
        purpose: String => category example("load"),
    }
}

table! {
    /// What a rollback does with each record that the migration wrote or changed, and why.
    pub struct ControlRollback = "ctl_rollback", Control, version 1 {
        /// Object: `ticket`, `customer`, `tag`, `team`, `field`.
        object: String => key category example("ticket"),
        /// Our key; the name for tags.
        external_id: String => key indirect example("leaddesk:lead:41:1001"),
        /// Id in Gorgias.
        gorgias_id: String => key indirect example("88001"),
        /// `remove`, `give_back`, `archive`, `keep` or `nothing`.
        action: String => category example("remove"),
        /// Code of the reason for what is kept or needs no action.
        reason_code: Option<String> => category null("nothing stands in the way") example("ROL101"),
        /// The reason in words, without values.
        reason: Option<String> => null("nothing stands in the way"),
        /// Fields that people changed and that stay, separated by blanks.
        kept_fields: Option<String> => null("none"),
        /// What is written back to a record that was there before, as JSON.
        change: Option<String> => direct null("the record is ours or is kept"),
    }
}

table! {
    /// What a repair does with each record that differs from its wish, and why. Records that are as wished are not in it.
    pub struct ControlRepair = "ctl_repair", Control, version 1 {
        /// Object: `ticket`, `message`, `customer`, `tag`, `team`, `field`.
        object: String => key category example("ticket"),
        /// Our key; the name for tags.
        external_id: String => key indirect example("leaddesk:lead:41:1001"),
        /// Id in Gorgias; that of the ticket for a message that is missing.
        gorgias_id: String => key indirect example("88001"),
        /// `mend`, `append`, `make_again`, `ask` or `keep`.
        action: String => category example("mend"),
        /// Code of the reason for what is not mended.
        reason_code: Option<String> => category null("nothing stands in the way") example("RPR101"),
        /// The reason in words, without values.
        reason: Option<String> => null("nothing stands in the way"),
        /// Fields that are written again, separated by blanks.
        mended_fields: Option<String> => null("none"),
        /// Fields that stay as they are, separated by blanks.
        kept_fields: Option<String> => null("none"),
        /// Each field that is written again as it was found and as it was wished, as JSON.
        change: Option<String> => direct null("no field is written again"),
    }
}

table! {
    /// What a delta does with each record whose wish changed, and why not where it does not. Records that need nothing are
    /// not in it.
    pub struct ControlDelta = "ctl_delta", Control, version 1 {
        /// Object: `ticket`, `message`, `customer`.
        object: String => key category example("ticket"),
        /// Our key.
        external_id: String => key indirect example("leaddesk:lead:41:1001"),
        /// Id in Gorgias; that of the ticket for a message that is appended; empty for a record that is made.
        gorgias_id: String => key indirect example("88001"),
        /// `create`, `release`, `update`, `append`, `ask` or `keep`.
        action: String => category example("update"),
        /// Code of the reason for what is not written.
        reason_code: Option<String> => category null("nothing stands in the way") example("DEL113"),
        /// The reason in words, without values.
        reason: Option<String> => null("nothing stands in the way"),
        /// Fields that are written, separated by blanks.
        changed_fields: Option<String> => null("none"),
        /// Fields that stay as they are, separated by blanks.
        kept_fields: Option<String> => null("none"),
        /// Each field that is written, as it was found and as it is wished, as JSON.
        change: Option<String> => direct null("no field is written"),
        /// Each field that both sides changed, as it was written last, as it was found, and as it is wished, as JSON.
        conflict: Option<String> => direct null("no field is in conflict"),
    }
}

table! {
    /// Records whose wish is another than that of the full pass, and the delta that changed it last. What the full pass
    /// wishes for these is out of date; their rows stand in the tables of this pass.
    pub struct ControlDeltaScope = "ctl_delta_scope", Control, version 1 {
        /// Object: `ticket` or `customer`; what belongs to them goes with them.
        object: String => key category example("ticket"),
        /// Our key.
        external_id: String => key indirect example("leaddesk:lead:41:1001"),
        /// `new`, `changed`, `moved` to another customer, `merged` into another customer, or `vanished` from LeadDesk.
        state: String => category example("changed"),
        /// What may be behind a record that vanished; LeadDesk does not tell which.
        likely_cause: Option<String> => category null("it did not vanish") example("contact deleted"),
        /// Number of the delta that changed it last.
        changed_in: i32 => example("3"),
    }
}
