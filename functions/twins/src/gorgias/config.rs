//! What a Gorgias twin is started with: address, keys, bucket, clock, switches, and what the account holds already.
//!
//! Every fact that is unknown of the real API is a switch here; the default is the strictest plausible behaviour.
//! Deliberately absent: reading these from files or arguments; the caller does that.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::clock::Clock;

/// Everything a twin is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Loopback address to serve; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Name of the account, the part before `.gorgias.com`.
    pub domain: String,
    /// User name of HTTP Basic: the e-mail of the user that owns the key. That user exists from the start.
    pub email: String,
    /// Password of HTTP Basic. Never shown by any answer or dump.
    pub api_key: String,
    /// Token accepted as `Bearer`, if any.
    pub bearer: Option<String>,
    /// Rate limit of the account.
    pub bucket: Bucket,
    /// How many times faster than the machine's time account time runs; leaks, lags and delays follow it.
    pub time_scale: f64,
    /// Source of account time.
    pub clock: Clock,
    /// How the unknowns of the real API are decided.
    pub switches: Switches,
    /// Seed of everything drawn: gaps between ids, colours, request ids.
    pub seed: u64,
    /// What the account holds before the first request.
    pub preexisting: Preexisting,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            domain: "acme".to_owned(),
            email: "migration@acme.example".to_owned(),
            api_key: "twin-key".to_owned(),
            bearer: None,
            bucket: Bucket::default(),
            time_scale: 1.0,
            clock: Clock::default(),
            switches: Switches::default(),
            seed: 1,
            preexisting: Preexisting::default(),
        }
    }
}

/// Status codes of successful writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusCodes {
    /// 201, 202 and 204, as documented.
    Documented,
    /// 200 throughout, as recorded behind a proxy.
    AllOk,
}

/// What happens to keys and parameters that the API does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownKeys {
    /// 400, as documented.
    Refuse,
    /// Dropped without a word, as one client reports.
    Ignore,
}

/// Answer to a second customer with an e-mail that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateEmail {
    /// 409, as documented.
    Conflict,
    /// 400, as one client saw.
    BadRequest,
}

/// Whether two customers may share a channel other than e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateChannel {
    /// 409 on the same type and normalised address.
    Conflict,
    /// Both are kept.
    Allow,
}

/// What an inline tag of an unknown name does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownTag {
    /// 400.
    Refuse,
    /// The tag is created.
    Create,
}

/// What a PUT of an array of custom values does to values that it leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValuesPut {
    /// They are removed.
    Replace,
    /// They stay.
    Merge,
}

/// Body of a PUT of one custom value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SingleValue {
    /// The bare JSON value.
    Bare,
    /// An object with `id` and `value`.
    Wrapped,
}

/// Shape of the list of a customer's custom values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValuesAnswer {
    /// `{"data":[…]}`, as recorded.
    Wrapped,
    /// A bare array, as specified.
    Bare,
}

/// The `Retry-after` header of a 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// Whole account seconds until a request fits, at least one.
    Seconds,
    /// Always 0.
    Zero,
    /// Not sent.
    Absent,
}

/// Body of errors that need no envelope: 429 and 5xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// The error envelope.
    Envelope,
    /// A page of HTML.
    Html,
    /// Nothing.
    Empty,
}

/// How the cap on active custom fields counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldCap {
    /// For tickets and customers each.
    PerType,
    /// For both together.
    Overall,
}

/// What becomes of the tickets of a deleted customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerDelete {
    /// They are deleted with it.
    CascadeTickets,
    /// They stay, without a customer.
    OrphanTickets,
}

/// The unknowns of the real API. The default of every field is the strictest plausible behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Status codes of successful writes.
    pub status_codes: StatusCodes,
    /// Keys and parameters that the API does not know.
    pub unknown_keys: UnknownKeys,
    /// Answer to a taken e-mail.
    pub duplicate_email: DuplicateEmail,
    /// Channels other than e-mail on two customers.
    pub duplicate_channel: DuplicateChannel,
    /// Refuse phone addresses that are not E.164.
    pub phone_e164_only: bool,
    /// Inline tags of unknown names.
    pub unknown_tag: UnknownTag,
    /// PUT of an array of custom values.
    pub values_put: ValuesPut,
    /// PUT of one custom value.
    pub single_value: SingleValue,
    /// List of a customer's custom values.
    pub values_answer: ValuesAnswer,
    /// Send the call-limit header.
    pub call_limit_header: bool,
    /// `Retry-after` of a 429.
    pub retry_after: RetryAfter,
    /// Body of 429 and of 5xx made by faults.
    pub error_body: ErrorBody,
    /// Share of the bucket that other clients of the account use up, from 0 to below 1.
    pub other_client_share: f64,
    /// Account seconds until a created record shows in lists (single reads show it at once).
    pub list_lag_seconds: f64,
    /// Account seconds until a created record shows in search and in views.
    pub search_lag_seconds: f64,
    /// Account seconds after which a cursor is refused; `None` = never.
    pub cursor_life_seconds: Option<f64>,
    /// Let the server fill what it fills by itself: intents, contact reason, language, unread mark, priority of
    /// fields.
    pub server_changes: bool,
    /// How the cap of 25 active custom fields counts.
    pub field_cap: FieldCap,
    /// Most characters of a text value; `None` = unlimited.
    pub text_value_chars_max: Option<usize>,
    /// Most bytes of `body_text` and of `body_html` each; `None` = unlimited.
    pub message_body_bytes_max: Option<usize>,
    /// Most bytes of a JSON body; more is 413.
    pub request_bytes_max: usize,
    /// Most bytes of an uploaded file; more is 413.
    pub upload_bytes_max: usize,
    /// Tickets that a trial account may create; then 403. `None` = no trial.
    pub message_quota: Option<u64>,
    /// Seats of the plan; creating a user beyond them is 403.
    pub seats_max: usize,
    /// Tickets of a deleted customer.
    pub customer_delete: CustomerDelete,
    /// The account is deactivated: every request is 403.
    pub deactivated: bool,
}

impl Default for Switches {
    fn default() -> Self {
        const MEGABYTE: usize = 1_000_000;
        Self {
            status_codes: StatusCodes::Documented,
            unknown_keys: UnknownKeys::Refuse,
            duplicate_email: DuplicateEmail::Conflict,
            duplicate_channel: DuplicateChannel::Conflict,
            phone_e164_only: false,
            unknown_tag: UnknownTag::Refuse,
            values_put: ValuesPut::Replace,
            single_value: SingleValue::Bare,
            values_answer: ValuesAnswer::Wrapped,
            call_limit_header: true,
            retry_after: RetryAfter::Seconds,
            error_body: ErrorBody::Envelope,
            other_client_share: 0.0,
            list_lag_seconds: 0.0,
            search_lag_seconds: 2.0,
            cursor_life_seconds: None,
            server_changes: true,
            field_cap: FieldCap::PerType,
            text_value_chars_max: Some(1_000),
            message_body_bytes_max: Some(MEGABYTE),
            request_bytes_max: 10 * MEGABYTE,
            upload_bytes_max: 10 * MEGABYTE,
            message_quota: None,
            seats_max: 500,
            customer_delete: CustomerDelete::CascadeTickets,
            deactivated: false,
        }
    }
}

/// A user that exists from the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreexistingUser {
    /// Full name.
    pub name: String,
    /// E-mail, unique over users and customers.
    pub email: String,
    /// One of Gorgias' roles, for example `basic-agent`.
    pub role: String,
    /// Free id of another system.
    #[serde(default)]
    pub external_id: Option<String>,
}

/// A customer that exists from the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreexistingCustomer {
    /// Full name.
    pub name: Option<String>,
    /// E-mail; becomes an e-mail channel as well.
    pub email: Option<String>,
    /// Phone number; becomes a phone channel.
    pub phone: Option<String>,
    /// Free id of another system.
    pub external_id: Option<String>,
}

/// What the account holds before the first request, besides the managed custom fields (always there).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preexisting {
    /// Users besides the owner of the key.
    pub users: Vec<PreexistingUser>,
    /// Customers.
    pub customers: Vec<PreexistingCustomer>,
    /// Names of tags.
    pub tags: Vec<String>,
    /// Names of teams; the first one has all preexisting users as members.
    pub teams: Vec<String>,
    /// Slugs of custom channels that tickets, messages and customers may use.
    pub custom_channels: Vec<String>,
    /// Tickets made from the first customers, each with an incoming and an answered message.
    pub tickets: usize,
    /// An active auto-reply rule on created tickets and an active rule that reopens updated ones.
    pub rules: bool,
    /// Satisfaction surveys switched on for all four channels.
    pub surveys: bool,
    /// An active HTTP integration that fires on created tickets, updated tickets and created messages.
    pub webhook: bool,
    /// Automatic assignment to teams switched on.
    pub auto_assign: bool,
    /// Automatic merging of tickets switched on.
    pub auto_merge: bool,
    /// IANA time zone of the account.
    pub time_zone: String,
}

impl Default for Preexisting {
    fn default() -> Self {
        let user = |name: &str, email: &str, role: &str| PreexistingUser {
            name: name.to_owned(),
            email: email.to_owned(),
            role: role.to_owned(),
            external_id: None,
        };
        let customer = |name: &str, email: &str| PreexistingCustomer {
            name: Some(name.to_owned()),
            email: Some(email.to_owned()),
            ..PreexistingCustomer::default()
        };
        Self {
            users: vec![
                user("Agent One", "agent.one@acme.example", "agent"),
                user("Agent Two", "agent.two@acme.example", "basic-agent"),
            ],
            customers: vec![
                customer("Customer One", "customer.one@example.org"),
                customer("Customer Two", "customer.two@example.org"),
            ],
            tags: ["VIP", "urgent", "auto-reply"].map(str::to_owned).to_vec(),
            teams: vec!["Support".to_owned()],
            custom_channels: Vec::new(),
            tickets: 2,
            rules: true,
            surveys: true,
            webhook: true,
            auto_assign: false,
            auto_merge: false,
            time_zone: "Europe/Helsinki".to_owned(),
        }
    }
}
