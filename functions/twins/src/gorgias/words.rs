//! The closed vocabularies of the API (facts: tickets, messages, customers, users, events).
//!
//! Deliberately absent: custom slugs of an account; they belong to its configuration.

/// Channels of tickets and messages.
pub(crate) const CHANNELS: [&str; 21] = [
    "aircall",
    "api",
    "chat",
    "contact_form",
    "email",
    "facebook",
    "facebook-mention",
    "facebook-messenger",
    "facebook-recommendations",
    "help-center",
    "instagram-ad-comment",
    "instagram-comment",
    "instagram-direct-message",
    "instagram-mention",
    "internal-note",
    "phone",
    "sms",
    "twitter",
    "twitter-direct-message",
    "whatsapp",
    "yotpo-review",
];

/// What `via` may be besides the channels.
pub(crate) const VIAS: [&str; 8] =
    ["form", "helpdesk", "instagram", "rule", "shopify", "twilio", "yotpo", "zendesk"];

/// Types of a message's source.
pub(crate) const SOURCE_TYPES: [&str; 49] = [
    "aircall",
    "api",
    "app",
    "custom-chat",
    "chat",
    "chat-contact-form",
    "chat-offline-capture",
    "contact-form",
    "email",
    "facebook",
    "facebook-comment",
    "facebook-mention-comment",
    "facebook-mention-post",
    "facebook-message",
    "facebook-messenger",
    "facebook-post",
    "facebook-review",
    "facebook-review-comment",
    "form",
    "google-business-messages",
    "help-center",
    "help-center-contact-form",
    "helpdesk",
    "instagram",
    "instagram-ad-comment",
    "instagram-ad-media",
    "instagram-comment",
    "instagram-direct-message",
    "instagram-media",
    "instagram-mention-comment",
    "instagram-mention-media",
    "internal-note",
    "ottspott-call",
    "phone",
    "rule",
    "self_service",
    "shopify",
    "sms",
    "system-message",
    "tiktok-shop",
    "twilio",
    "twitter-direct-message",
    "twitter-mention-tweet",
    "twitter-quoted-tweet",
    "twitter-tweet",
    "whatsapp-message",
    "yotpo-review",
    "yotpo-review-private-comment",
    "yotpo-review-public-comment",
];

/// Types of a customer's channel.
pub(crate) const CUSTOMER_CHANNELS: [&str; 8] =
    ["email", "phone", "chat", "twitter", "facebook", "instagram", "instagram-direct-message", "whatsapp"];

/// Roles that a client may give to a user.
pub(crate) const ROLES: [&str; 5] = ["admin", "agent", "basic-agent", "lite-agent", "observer-agent"];
/// Roles that only the server gives.
pub(crate) const SERVER_ROLES: [&str; 2] = ["bot", "internal-agent"];

pub(crate) const STATUSES: [&str; 2] = ["open", "closed"];
/// From the most to the least urgent.
pub(crate) const PRIORITIES: [&str; 4] = ["critical", "high", "normal", "low"];

pub(crate) const TICKET_MANAGED_TYPES: [&str; 10] = [
    "contact_reason",
    "product",
    "resolution",
    "ai_intent",
    "ai_outcome",
    "ai_sales",
    "ai_discount",
    "ai_journey",
    "managed_sentiment",
    "call_status",
];
pub(crate) const CUSTOMER_MANAGED_TYPES: [&str; 1] = ["customer_type"];
pub(crate) const REQUIREMENTS: [&str; 3] = ["visible", "required", "conditional"];

pub(crate) const RULE_EVENTS: [&str; 6] = [
    "ticket-created",
    "ticket-updated",
    "ticket-message-created",
    "ticket-assigned",
    "ticket-self-unsnoozed",
    "satisfaction-survey-responded",
];
pub(crate) const WEBHOOK_TRIGGERS: [&str; 8] = [
    "ticket-created",
    "ticket-updated",
    "ticket-message-created",
    "ticket-self-unsnoozed",
    "ticket-message-failed",
    "ticket-assignment-updated",
    "ticket-status-updated",
    "ticket-handed-over",
];

pub(crate) const JOB_TYPES: [&str; 8] = [
    "applyMacro",
    "deleteTicket",
    "exportTicket",
    "importMacro",
    "exportMacro",
    "updateTicket",
    "exportTicketDrilldown",
    "exportConvertCampaignSalesDrilldown",
];
pub(crate) const JOB_STATUSES: [&str; 8] =
    ["pending", "scheduled", "running", "done", "cancel_requested", "canceled", "errored", "fatal_errored"];

/// What events may be asked for by type of object; case counts.
pub(crate) const EVENT_OBJECTS: [&str; 16] = [
    "Account",
    "AccountSetting",
    "Customer",
    "CustomField",
    "CustomFieldCondition",
    "Integration",
    "Macro",
    "Rule",
    "SatisfactionSurvey",
    "Tag",
    "Team",
    "TicketMessage",
    "Ticket",
    "User",
    "View",
    "Widget",
];

/// Two-letter language codes that customers and tickets may carry; region tags are refused.
const LANGUAGES: &str = "aa ab af ak sq am ar an hy as av ae ay az ba bm eu be bn bh bi bs br bg my ca ch ce zh \
cu cv kw co cr cs da dv nl dz en eo et ee fo fj fi fr fy ff ka de gd ga gl gv el gn gu ht ha he hz hi ho hr hu ig \
is io ii iu ie ia id ik it jv ja kl kn ks kr kk km ki rw ky kv kg ko kj ku lo la lv li ln lt lb lu lg mk mh ml mi \
mr ms mg mt mn na nv nr nd ng ne nn nb no ny oc oj or om os pa fa pi pl pt ps qu rc rm ro rn ru sg sa si sk sl se \
sm sn sd so st es sc sr ss su sw sv ty ta tt te tg tl th bo ti to tn ts tk tr tw ug uk ur uz ve vi vo cy wa wo xh \
yi yo za zu";

pub(crate) fn is_language(code: &str) -> bool {
    code.len() == 2 && LANGUAGES.split(' ').any(|known| known == code)
}

/// Whether `zone` is a name of the IANA time zone database, written as there.
pub(crate) fn is_time_zone(zone: &str) -> bool {
    jiff::tz::db().get(zone).is_ok_and(|found| found.iana_name() == Some(zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_and_zones() {
        let languages = ["en", "fi", "rc", "en-US", "EN", "xx", "", "e"].map(is_language);
        assert_eq!(languages, [true, true, true, false, false, false, false, false]);
        let zones = ["Europe/Helsinki", "UTC", "europe/helsinki", "Helsinki", ""].map(is_time_zone);
        assert_eq!(zones, [true, true, false, false, false]);
    }
}
