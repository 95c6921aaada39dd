//! The optional tables: choices of the mapping and bounds of the run.

use jiff::Timestamp;
use migration::call_template::CallTemplate;
use migration::contact_point::Region;
use migration::cutover::Switch;
use migration::finding::Code;
use migration::gorgias::{TicketStatus, UserId};
use migration::leaddesk;
use migration::local_time::SourceZone;
use migration::settings::{
    AnonymisedChat, CallChannel, ChatVisibility, ConflictRule, MappingSettings, PhoneSharing,
    RecordingPolicy, SecondLevel, TagChoice, UnnormalisablePhone, UnreachablePolicy, VanishedPolicy,
};
use migration::working_hours::WorkingHours;
use pipeline::context::Limits;

use super::ConfigError;
use super::document::Document;

/// Longest wait for what is in doubt.
const WAIT_SECONDS_MAX: f64 = 3_600.0;
/// Longest hold of a rollback; what is in the trash longer is forgotten.
const HOLD_DAYS_MAX: f64 = 366.0;
/// Requests in flight beyond which nothing is gained.
const IN_FLIGHT_MAX: usize = 64;

/// Overwrites a choice when the file has a word for it.
macro_rules! choose {
    ($settings:ident, $table:expr, $($field:ident: $kind:ident),+ $(,)?) => {$(
        if let Some(word) = &$table.$field {
            $settings.$field = $kind::from_word(word).ok_or_else(|| {
                let words: Vec<&str> = $kind::ALL.iter().map(|choice| choice.as_str()).collect();
                unknown_word(concat!("mapping.", stringify!($field)), &words)
            })?;
        }
    )+};
}

fn unknown_word(key: &str, words: &[&str]) -> ConfigError {
    ConfigError::value(key, "it is none of the choices", &format!("choose one of: {}", words.join(", ")))
}

fn zone(key: &str, name: &str) -> Result<SourceZone, ConfigError> {
    SourceZone::new(name).map_err(|_| {
        ConfigError::value(key, "it is no known zone", "use an IANA name, such as \"Europe/Helsinki\"")
    })
}

pub(super) fn settings(file: &Document) -> Result<MappingSettings, ConfigError> {
    let zone = zone("leaddesk.time_zone", &file.leaddesk.time_zone)?;
    let region: Region = file.leaddesk.default_region.parse().map_err(|_| {
        ConfigError::value(
            "leaddesk.default_region",
            "it is no country code",
            "use two letters, such as \"FI\"",
        )
    })?;
    let mut settings = MappingSettings::new(zone, region);
    let table = &file.mapping;
    choose!(settings, table,
        tags: TagChoice,
        second_level: SecondLevel,
        call_channel: CallChannel,
        chat_visibility: ChatVisibility,
        unreachable: UnreachablePolicy,
        unnormalisable_phone: UnnormalisablePhone,
        phone_sharing: PhoneSharing,
        recording: RecordingPolicy,
        anonymised_chat: AnonymisedChat,
        conflict_default: ConflictRule,
    );
    if let Some(word) = &table.unfinished_status {
        settings.unfinished_status = match word.as_str() {
            "open" => TicketStatus::Open,
            "closed" => TicketStatus::Closed,
            _ => return Err(unknown_word("mapping.unfinished_status", &["open", "closed"])),
        };
    }
    for (field, word) in &table.conflict_rules {
        let rule = ConflictRule::from_word(word).ok_or_else(|| {
            unknown_word("mapping.conflict_rules", &["ask", "source-wins", "destination-wins"])
        })?;
        settings.conflict_rules.insert(field.clone(), rule);
    }
    if let Some(text) = &table.call_template {
        settings.call_template = CallTemplate::parse(text).map_err(|error| {
            ConfigError::value("mapping.call_template", &error.to_string(), "one `Label: {name}` a line")
        })?;
    }
    for (from, to) in &table.users_by_hand {
        let from: leaddesk::UserId = from.parse().map_err(|_| {
            ConfigError::value(
                "mapping.users_by_hand",
                "a key is no LeadDesk user id",
                "write 17 = 4711: LeadDesk id, Gorgias id",
            )
        })?;
        settings.users_by_hand.insert(from, UserId(*to));
    }
    settings.placeholder_users.extend(table.placeholder_users.iter().copied().map(leaddesk::UserId));
    Ok(settings)
}

pub(super) fn limits(file: &Document) -> Result<Limits, ConfigError> {
    let mut limits = Limits::default();
    let table = &file.limits;
    whole("leaddesk.in_flight", file.leaddesk.in_flight, IN_FLIGHT_MAX, &mut limits.source_in_flight)?;
    whole("gorgias.in_flight", file.gorgias.in_flight, IN_FLIGHT_MAX, &mut limits.destination_in_flight)?;
    whole("limits.group_intents", table.group_intents, 100, &mut limits.group_intents)?;
    whole("limits.batch_records", table.batch_records, 100_000, &mut limits.batch_records)?;
    whole(
        "limits.refused_in_a_row_max",
        table.refused_in_a_row_max,
        1_000_000,
        &mut limits.refused_in_a_row_max,
    )?;
    let mut megabytes = limits.writer_bytes / (1024 * 1024);
    whole("limits.writer_megabytes", table.writer_megabytes, 1024, &mut megabytes)?;
    limits.writer_bytes = megabytes * 1024 * 1024;
    if let Some(percent) = table.refused_percent_max {
        if !(0.0..=100.0).contains(&percent) {
            return Err(ConfigError::value("limits.refused_percent_max", "it is no share", "use 0 to 100"));
        }
        limits.refused_percent_max = percent;
    }
    if let Some(days) = file.rollback.hold_days {
        if !(0.0..=HOLD_DAYS_MAX).contains(&days) {
            return Err(ConfigError::value("rollback.hold_days", "it is out of range", "use 0 to 366"));
        }
        limits.rollback_hold = std::time::Duration::from_secs_f64(days * 86_400.0);
    }
    if let Some(word) = &file.delta.vanished {
        limits.vanished = VanishedPolicy::from_word(word).ok_or_else(|| {
            ConfigError::value("delta.vanished", "it is no policy", "use \"keep\", \"tag\" or \"close\"")
        })?;
    }
    if let Some(words) = &file.cutover.restore_order {
        limits.restore_order = Switch::order(words).ok_or_else(|| {
            let advice = "name each once: \"rules\", \"surveys\", \"webhooks\"";
            ConfigError::value("cutover.restore_order", "it is no order of the three", advice)
        })?;
    }
    limits.hours = hours(file)?;
    waits(file, &mut limits)?;
    limits.chat_window = window(file)?;
    for text in &file.accept.findings {
        if Code::from_text(text).is_none() {
            return Err(ConfigError::value(
                "accept.findings",
                "a code is not in the catalogue",
                "name codes as the findings show them, such as \"DIS301\"",
            ));
        }
    }
    limits.accepted_findings.clone_from(&file.accept.findings);
    Ok(limits)
}

fn hours(file: &Document) -> Result<Option<WorkingHours>, ConfigError> {
    let (text, name) = match (&file.gorgias.hours, &file.gorgias.hours_zone) {
        (None, None) => return Ok(None),
        (None, Some(_)) => {
            let advice = "add hours = \"20:00-06:00\", or leave the zone out";
            return Err(ConfigError::value(
                "gorgias.hours_zone",
                "there are no hours that it is for",
                advice,
            ));
        }
        (Some(text), Some(name)) => (text, zone("gorgias.hours_zone", name)?),
        (Some(text), None) => (text, zone("leaddesk.time_zone", &file.leaddesk.time_zone)?),
    };
    WorkingHours::parse(text, name).map(Some).map_err(|error| {
        ConfigError::value("gorgias.hours", &error.to_string(), "leave them out to work day and night")
    })
}

/// Share of a hold that is left for waits inside the connection's pacer.
const MARGIN_SHARE: f64 = 0.375;

/// The waits before an absence is believed. At a real account they are never shorter than what is known to be safe.
fn waits(file: &Document, limits: &mut Limits) -> Result<(), ConfigError> {
    let is_stand_in = file.gorgias.base_url.starts_with("http://");
    let table = [
        ("gorgias.request_life_seconds", file.gorgias.request_life_seconds, &mut limits.ledger.request_life),
        ("gorgias.visibility_seconds", file.gorgias.visibility_seconds, &mut limits.ledger.visibility),
        ("gorgias.hold_seconds", file.gorgias.hold_seconds, &mut limits.ledger.hold),
    ];
    for (key, seconds, wait) in table {
        let Some(seconds) = seconds else { continue };
        let least = if is_stand_in { 0.1 } else { wait.as_secs_f64() };
        if !(least..=WAIT_SECONDS_MAX).contains(&seconds) {
            let how = format!("use {least} to {WAIT_SECONDS_MAX}; less is for a stand-in on this machine");
            return Err(ConfigError::value(key, "it is out of range", &how));
        }
        *wait = std::time::Duration::from_secs_f64(seconds);
    }
    limits.ledger.margin = limits.ledger.margin.min(limits.ledger.hold.mul_f64(MARGIN_SHARE));
    Ok(())
}

fn whole(key: &str, value: Option<usize>, most: usize, target: &mut usize) -> Result<(), ConfigError> {
    match value {
        None => Ok(()),
        Some(value) if (1..=most).contains(&value) => {
            *target = value;
            Ok(())
        }
        Some(_) => Err(ConfigError::value(key, "it is out of range", &format!("use 1 to {most}"))),
    }
}

fn window(file: &Document) -> Result<Option<(Timestamp, Timestamp)>, ConfigError> {
    let read = |key: &str, text: &str| {
        text.parse::<Timestamp>().map_err(|_| {
            ConfigError::value(key, "it is no moment with an offset", "write it as \"2026-01-01T00:00:00Z\"")
        })
    };
    match (&file.chatbot.window_from, &file.chatbot.window_until) {
        (None, None) => Ok(None),
        (Some(from), Some(until)) => {
            let (from, until) = (read("chatbot.window_from", from)?, read("chatbot.window_until", until)?);
            if from < until {
                return Ok(Some((from, until)));
            }
            Err(ConfigError::value(
                "chatbot.window_until",
                "it is not after window_from",
                "give both ends of the export",
            ))
        }
        _ => Err(ConfigError::value(
            "chatbot.window_from",
            "one end of the window is missing",
            "give window_from and window_until",
        )),
    }
}
