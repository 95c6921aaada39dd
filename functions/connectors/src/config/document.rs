//! The file as it is written. Every table refuses keys that it does not know.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::ConfigError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) migration: String,
    pub(super) leaddesk: LeadDesk,
    pub(super) gorgias: Gorgias,
    pub(super) store: Place,
    pub(super) queue: Place,
    #[serde(default)]
    pub(super) mapping: Mapping,
    #[serde(default)]
    pub(super) limits: LimitsTable,
    #[serde(default)]
    pub(super) chatbot: Chatbot,
    #[serde(default)]
    pub(super) rollback: RollbackTable,
    #[serde(default)]
    pub(super) residency: ResidencyTable,
    pub(super) parallel: Option<Parallel>,
    #[serde(default)]
    pub(super) cutover: CutoverTable,
    #[serde(default)]
    pub(super) delta: DeltaTable,
    #[serde(default)]
    pub(super) accept: Accept,
    pub(super) suggester: Option<SuggesterTable>,
}

/// A language model that adds suggestions to proposals; without this table none is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SuggesterTable {
    pub(super) base_url: String,
    pub(super) model: String,
    /// Reference to the key, for endpoints that ask for one.
    pub(super) api_key: Option<String>,
}

/// Where data lies: a country code, or EU.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResidencyTable {
    /// The folder or bucket of the store; a bucket's own region where the queue names it.
    pub(super) store: Option<String>,
    /// The Gorgias account, as its contract says.
    pub(super) destination: Option<String>,
}

/// What LeadDesk costs while both systems run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parallel {
    pub(super) licences_min: u32,
    pub(super) licence_month: f64,
    pub(super) minute: f64,
    pub(super) currency: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeadDesk {
    pub(super) original_api_url: String,
    pub(super) rest_api_url: String,
    pub(super) auth: String,
    pub(super) account: u64,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) files: String,
    pub(super) time_zone: String,
    pub(super) default_region: String,
    /// Nothing is documented; five a second is careful.
    #[serde(default = "five")]
    pub(super) requests_per_second: f64,
    pub(super) in_flight: Option<usize>,
    /// Hosts that recordings are taken from.
    pub(super) recording_hosts: Option<Vec<String>>,
}

fn five() -> f64 {
    5.0
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gorgias {
    pub(super) base_url: String,
    pub(super) email: String,
    pub(super) api_key: String,
    pub(super) bucket: String,
    pub(super) reserve: f64,
    /// Hours in which what takes long may keep it busy, such as `20:00-06:00`.
    pub(super) hours: Option<String>,
    /// Their zone; that of LeadDesk's times when absent.
    pub(super) hours_zone: Option<String>,
    pub(super) in_flight: Option<usize>,
    /// How long a request may live; shorter than by default only for a stand-in on this machine.
    pub(super) request_life_seconds: Option<f64>,
    /// How long after its announcement a request may still start, for owners on other machines; likewise.
    pub(super) hold_seconds: Option<f64>,
    /// How long a record may take until it shows; likewise.
    pub(super) visibility_seconds: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub(super) url: String,
}

/// Choices by their words; see `migration::settings`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapping {
    pub(super) tags: Option<String>,
    pub(super) second_level: Option<String>,
    pub(super) call_channel: Option<String>,
    pub(super) chat_visibility: Option<String>,
    pub(super) unfinished_status: Option<String>,
    pub(super) unreachable: Option<String>,
    pub(super) unnormalisable_phone: Option<String>,
    pub(super) phone_sharing: Option<String>,
    pub(super) recording: Option<String>,
    pub(super) anonymised_chat: Option<String>,
    pub(super) conflict_default: Option<String>,
    #[serde(default)]
    pub(super) conflict_rules: BTreeMap<String, String>,
    pub(super) call_template: Option<String>,
    /// LeadDesk user id -> Gorgias user id.
    #[serde(default)]
    pub(super) users_by_hand: BTreeMap<String, u64>,
    /// LeadDesk user ids whose records carry the service user.
    #[serde(default)]
    pub(super) placeholder_users: Vec<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsTable {
    pub(super) group_intents: Option<usize>,
    pub(super) batch_records: Option<usize>,
    pub(super) writer_megabytes: Option<usize>,
    pub(super) refused_percent_max: Option<f64>,
    pub(super) refused_in_a_row_max: Option<usize>,
}

/// The window that the operator chose for the export.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chatbot {
    pub(super) window_from: Option<String>,
    pub(super) window_until: Option<String>,
}

/// How a rollback goes about it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RollbackTable {
    pub(super) hold_days: Option<f64>,
}

/// How a delta goes about it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeltaTable {
    pub(super) vanished: Option<String>,
}

/// How a cut-over goes about it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CutoverTable {
    pub(super) restore_order: Option<Vec<String>>,
}

/// Risks accepted by name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept {
    #[serde(default)]
    pub(super) findings: Vec<String>,
}

/// Parses the text; an unknown key is answered with the nearest one.
pub(super) fn read(text: &str, path: &Path) -> Result<Document, ConfigError> {
    toml::from_str(text).map_err(|error| refusal(&error, text, path))
}

fn refusal(error: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
    let (path, message) = (path.to_owned(), error.message());
    // The library lists the known keys in its message: unknown field `x`, expected one of `a`, `b`.
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let names: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        if let Some((key, known)) = names.split_first() {
            let nearest = known
                .iter()
                .map(|name| (strsim::jaro_winkler(key, name), *name))
                .filter(|(likeness, _)| *likeness > 0.6)
                .max_by(|left, right| left.0.total_cmp(&right.0))
                .map(|(_, name)| name.to_owned());
            return ConfigError::UnknownKey { path, line, key: (*key).to_owned(), nearest };
        }
    }
    // A message about a wrong type may quote the value; only its first clause is safe.
    let why = if message.starts_with("missing field") || message.starts_with("duplicate") {
        message.to_owned()
    } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
        let expected = message.rsplit_once("expected ").map_or("another type", |(_, expected)| expected);
        format!("the value is of the wrong type, expected {expected}")
    } else {
        "not valid TOML".to_owned()
    };
    ConfigError::Form { path, line, why }
}
