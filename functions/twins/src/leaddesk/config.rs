//! What a twin is told before it starts: where, which profile, which keys, which unpleasant habits.
//!
//! Deliberately absent: reading any of it from files or the environment; that is for whoever starts a twin.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::leaddesk::clock::Clock;
use crate::leaddesk::fault::Fault;

/// How much of LeadDesk is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Only what public documents or real client code show.
    Evidence,
    /// Also what is merely plausible; see [`Features`] for each part.
    Extended,
}

/// Parts of LeadDesk that may or may not exist, each on its own (facts: extended only).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    /// Command `result/list`.
    pub result_list: bool,
    /// Command `campaign/list`.
    pub campaign_list: bool,
    /// Command `blacklist/list`.
    pub blacklist_list: bool,
    /// Command `custom_fields/list`.
    pub custom_fields_list: bool,
    /// REST collection `/calls`.
    pub rest_calls: bool,
    /// REST collection `/offices`.
    pub rest_offices: bool,
    /// REST collection `/user_groups`.
    pub rest_user_groups: bool,
    /// `agent/find` with `*` answers all agents.
    pub agent_wildcard: bool,
    /// `contact/get` names the contact's list.
    pub contact_list_id: bool,
    /// `/gdpr/contact` shows contacts, messages and orders beside calls.
    pub gdpr_parts: bool,
}

impl Features {
    /// All of them, or none.
    pub fn all(on: bool) -> Self {
        Self {
            result_list: on,
            campaign_list: on,
            blacklist_list: on,
            custom_fields_list: on,
            rest_calls: on,
            rest_offices: on,
            rest_user_groups: on,
            agent_wildcard: on,
            contact_list_id: on,
            gdpr_parts: on,
        }
    }
}

impl From<Profile> for Features {
    fn from(profile: Profile) -> Self {
        Self::all(profile == Profile::Extended)
    }
}

/// How REST collections move while somebody pages through them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageShift {
    /// Not at all.
    #[default]
    None,
    /// After the first answer for page 1 the first record is gone, so that one record slips past the reader.
    Removal,
    /// After the first answer for page 1 a record appears at the front, so that one record is read twice.
    Insertion,
}

/// What may be wrong with a recording that is there, or with the way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddRecording {
    /// One byte more than fifty megabytes, told in advance.
    TooLarge,
    /// The same without telling its size.
    TooLargeUntold,
    /// A page for people under a sound's content type.
    Page,
    /// Nothing at all.
    Empty,
    /// The recording host leads to the metadata service of a cloud.
    RedirectToMetadata,
    /// The signed address itself lies at the metadata service of a cloud.
    AddressOfMetadata,
    /// The signed address lies on a machine of the inner network.
    AddressOfInnerNetwork,
    /// The API answers with the sound itself.
    SoundAtOnce,
    /// The API redirects to nowhere.
    NoAddress,
    /// The signed address has died before it is given.
    Expired,
}

/// A limit on requests. LeadDesk documents none (facts); with one, the answer above it is 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// So many requests are answered in a window.
    pub requests: u32,
    /// Length of a window in seconds; at least 1.
    pub window_seconds: u32,
}

/// Habits that no document excludes. All off by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// `contact/find` lists at most so many ids while `total_count` counts all.
    pub contact_ids_max: Option<usize>,
    /// Collections that change under the reader.
    pub page_shift: PageShift,
    /// 429 above so many requests.
    pub rate_limit: Option<RateLimit>,
}

/// Everything a twin needs besides the account. Its `Debug` text holds no key.
#[derive(Clone)]
pub struct Config {
    /// A loopback address; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What [`Config::new`] was given; what is really on stands in `features`.
    pub profile: Profile,
    /// The switches of the extended profile.
    pub features: Features,
    /// The Original API's constant key.
    pub auth: String,
    /// The account number, which the REST API's token request names.
    pub account_number: u32,
    /// Of the token request.
    pub client_id: String,
    /// Of the token request.
    pub client_secret: String,
    /// Path of the REST API, with a leading slash and without one at the end.
    pub rest_path: String,
    /// Life of a token in seconds.
    pub token_seconds: u64,
    /// Life of a signed recording address in seconds.
    pub recording_url_seconds: u64,
    /// Recordings by the id of their call that are not as they should be.
    pub odd_recordings: BTreeMap<u32, OddRecording>,
    /// Unpleasant habits.
    pub knobs: Knobs,
    /// For tokens and signed addresses.
    pub clock: Clock,
    /// Asked before each request; without it nothing goes wrong until somebody posts a plan.
    pub faults: Option<Arc<dyn Fault>>,
}

impl Config {
    /// Loopback on a free port with test keys, everything as the facts say.
    pub fn new(profile: Profile) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            profile,
            features: Features::from(profile),
            auth: "twin-auth-0123456789abcdef012345".to_owned(),
            account_number: 1234,
            client_id: "twin-client".to_owned(),
            client_secret: "twin-secret".to_owned(),
            rest_path: "/stable".to_owned(),
            token_seconds: 3_600,
            recording_url_seconds: 300,
            odd_recordings: BTreeMap::new(),
            knobs: Knobs::default(),
            clock: Clock::system(),
            faults: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("listen", &self.listen)
            .field("profile", &self.profile)
            .field("features", &self.features)
            .field("account_number", &self.account_number)
            .field("rest_path", &self.rest_path)
            .field("knobs", &self.knobs)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_text_holds_no_key() {
        let config = Config::new(Profile::Evidence);
        let text = format!("{config:?}");
        for key in [&config.auth, &config.client_id, &config.client_secret] {
            assert!(!text.contains(key.as_str()), "{text}");
        }
    }
}
