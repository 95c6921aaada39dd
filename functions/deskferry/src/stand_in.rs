//! Stand-ins of both systems that fit together: a generated LeadDesk account, and a Gorgias account that already knows
//! most of its agents and some of its customers.
//!
//! Deliberately absent: real keys. A stand-in serves loopback only and takes test keys, or the ones that the environment
//! names for a run against it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use twins::generate::{Account, Role, Shape};
use twins::gorgias::{Bucket, Preexisting, PreexistingCustomer, PreexistingUser};
use twins::{gorgias, leaddesk};

use crate::failure::{Failure, catalogue};

/// Customers of LeadDesk who already write to Gorgias.
const KNOWN_CUSTOMERS: usize = 6;
/// Every so-many-th contact is looked at for one of them, so that they spread over the account.
const KNOWN_CUSTOMER_STEP: usize = 13;
/// Seats beyond the users who are there, so that creating users never fails for lack of a seat.
const SPARE_SEATS: usize = 100;

/// Keys of both stand-ins.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) leaddesk_auth: String,
    pub(crate) leaddesk_client_id: String,
    pub(crate) leaddesk_client_secret: String,
    pub(crate) gorgias_api_key: String,
}

impl Keys {
    /// The test keys that the stand-ins have by themselves. They open nothing else.
    pub(crate) fn test() -> Self {
        let leaddesk = leaddesk::Config::new(leaddesk::Profile::Evidence);
        Self {
            leaddesk_auth: leaddesk.auth,
            leaddesk_client_id: leaddesk.client_id,
            leaddesk_client_secret: leaddesk.client_secret,
            gorgias_api_key: gorgias::Config::default().api_key,
        }
    }

    /// What the environment holds under the names that `migration.toml` uses, else the test keys.
    pub(crate) fn from_environment(read: impl Fn(&str) -> Option<String>) -> Self {
        let test = Self::test();
        Self {
            leaddesk_auth: read("LEADDESK_AUTH").unwrap_or(test.leaddesk_auth),
            leaddesk_client_id: read("LEADDESK_CLIENT_ID").unwrap_or(test.leaddesk_client_id),
            leaddesk_client_secret: read("LEADDESK_CLIENT_SECRET").unwrap_or(test.leaddesk_client_secret),
            gorgias_api_key: read("GORGIAS_API_KEY").unwrap_or(test.gorgias_api_key),
        }
    }
}

/// The account of that size; the demonstration's when no size is given.
pub(crate) fn account(seed: u64, contacts: Option<u32>, calls: Option<u32>) -> Result<Account, Failure> {
    let demo = Shape::demo();
    let shape = match (contacts, calls) {
        (None, None) => demo,
        (None, Some(calls)) => Shape { calls, ..demo },
        (Some(contacts), calls) => Shape::with_size(contacts, calls.unwrap_or(contacts.saturating_mul(3))),
    };
    Account::generate(shape.seeded(seed))
        .map_err(|error| Failure::new(&catalogue::TWIN_START, "cannot make the account").because(&error))
}

/// LeadDesk's stand-in.
pub(crate) async fn start_leaddesk(
    account: Account,
    profile: leaddesk::Profile,
    listen: SocketAddr,
    keys: &Keys,
) -> Result<leaddesk::Running, Failure> {
    let mut config = leaddesk::Config::new(profile);
    config.listen = listen;
    config.auth.clone_from(&keys.leaddesk_auth);
    config.client_id.clone_from(&keys.leaddesk_client_id);
    config.client_secret.clone_from(&keys.leaddesk_client_secret);
    leaddesk::start(config, account).await.map_err(|error| not_started("LeadDesk", listen, &error))
}

/// How the account at Gorgias behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Rate limit.
    pub(crate) bucket: Bucket,
    /// How many times faster than the machine's clock its time runs.
    pub(crate) time_scale: f64,
}

/// Gorgias' stand-in for the agents and customers of that LeadDesk account.
pub(crate) async fn start_gorgias(
    preexisting: Preexisting,
    pace: Pace,
    seed: u64,
    listen: SocketAddr,
    keys: &Keys,
) -> Result<gorgias::Running, Failure> {
    let mut config = gorgias::Config {
        listen,
        api_key: keys.gorgias_api_key.clone(),
        bucket: pace.bucket,
        time_scale: pace.time_scale,
        seed,
        ..gorgias::Config::default()
    };
    config.switches.seats_max = config.switches.seats_max.max(preexisting.users.len() + SPARE_SEATS);
    config.preexisting = preexisting;
    gorgias::start(config).await.map_err(|error| not_started("Gorgias", listen, &error))
}

fn not_started(system: &str, listen: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::new(&catalogue::TWIN_START, format!("cannot serve the stand-in of {system} on {listen}"))
        .because(error)
}

/// What Gorgias holds before the migration: a user for every agent with an address of its own, some customers who are
/// contacts too, and everything that a careful migration has to mind: rules, surveys, tags, a team.
pub(crate) fn preexisting(account: &Account) -> Preexisting {
    let standard = Preexisting::default();
    let mut users = standard.users;
    let mut taken: BTreeSet<String> = users.iter().map(|user| user.email.to_lowercase()).collect();
    for user in account.users() {
        if let Some(email) = &user.email
            && taken.insert(email.to_lowercase())
        {
            users.push(PreexistingUser {
                name: user.name.clone(),
                email: email.clone(),
                role: role_at_gorgias(user.role).to_owned(),
                external_id: None,
            });
        }
    }
    let mut customers = standard.customers;
    for contact in account.contacts().step_by(KNOWN_CUSTOMER_STEP) {
        if customers.len() >= KNOWN_CUSTOMERS + 2 {
            break;
        }
        let (email, name) = (contact.text.email, format!("{} {}", contact.text.fname, contact.text.lname));
        if is_plain_address(&email) && taken.insert(email.to_lowercase()) {
            // Every other one has no name at Gorgias yet, so that there is something to fill.
            let name = (customers.len() % 2 == 0).then_some(name);
            customers.push(PreexistingCustomer {
                name,
                email: Some(email),
                ..PreexistingCustomer::default()
            });
        }
    }
    Preexisting { users, customers, ..standard }
}

/// Roles as an admin would have given them.
fn role_at_gorgias(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Manager | Role::TeamLeader => "agent",
        Role::Agent => "basic-agent",
        Role::Sponsor => "observer-agent",
    }
}

fn is_plain_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        let plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
        plain(local) && plain(domain) && domain.contains('.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use twins::generate::User;

    /// Agents of LeadDesk whom nobody can match by address: they have none, or share it with another account.
    fn agents_without_own_address(account: &Account) -> Vec<&User> {
        let shared = |user: &User| {
            let same = account.users().filter(|other| other.email == user.email);
            same.count() > 1
        };
        account.users().filter(|user| user.email.is_none() || shared(user)).collect()
    }

    #[test]
    fn gorgias_knows_most_agents_and_some_customers() {
        let account = account(1, None, None).unwrap();
        let there = preexisting(&account);
        let emails: BTreeSet<&str> = there.users.iter().map(|user| user.email.as_str()).collect();
        assert_eq!(emails.len(), there.users.len());
        let unmatched = agents_without_own_address(&account);
        for user in account.users() {
            let known = user.email.as_deref().is_some_and(|email| emails.contains(email));
            assert!(known || unmatched.iter().any(|other| other.id == user.id), "{}", user.id);
        }
        assert_eq!((account.users().count(), unmatched.len()), (24, 4));
        assert_eq!(there.customers.len(), KNOWN_CUSTOMERS + 2);
        let known = |customer: &PreexistingCustomer| {
            customer.email.as_deref().is_some_and(|email| !account.contacts_with_email(email).is_empty())
        };
        assert_eq!(there.customers.iter().filter(|customer| known(customer)).count(), KNOWN_CUSTOMERS);
    }

    #[test]
    fn sizes_grow_as_told() {
        let count = |contacts, calls| {
            let account = account(7, contacts, calls).unwrap();
            (account.contact_count(), account.call_count())
        };
        assert_eq!(count(None, None), (1_200, 4_000));
        assert_eq!(count(Some(100), None), (100, 300));
        assert_eq!(count(Some(100), Some(50)), (100, 50));
        assert_eq!(account(1, Some(1), None).unwrap_err().code(), "E0303");
    }

    #[test]
    fn keys_come_from_the_environment_when_it_has_them() {
        let keys = Keys::from_environment(|name| (name == "GORGIAS_API_KEY").then(|| "own".to_owned()));
        assert_eq!(keys.gorgias_api_key, "own");
        assert_eq!(keys.leaddesk_auth, Keys::test().leaddesk_auth);
    }
}
