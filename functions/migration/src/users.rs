//! Which LeadDesk account is which Gorgias user.
//!
//! Users are matched, never created: creating one mails an invitation (facts: users). What cannot be matched goes on a
//! list of accounts to provision. Deliberately absent: matching by name.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::Canonical;
use crate::contact_point::normalize_email;
use crate::gorgias::{self, Sender};
use crate::leaddesk::{self, UserId};
use crate::settings::{MappingSettings, UserChoice, choice};
use crate::text::{clean_line, folded};

/// Why an account has no user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProvisionReason {
    /// The account has no email.
    NoEmail,
    /// Another account has the same email.
    SharedEmail,
    /// No Gorgias user has this email.
    NoUser,
    /// The Gorgias user is deactivated.
    Deactivated,
}

impl ProvisionReason {
    /// Stable code of the finding.
    #[must_use]
    pub fn code(self) -> crate::finding::Code {
        match self {
            Self::NoEmail => crate::finding::USR101_NO_EMAIL,
            Self::SharedEmail => crate::finding::USR102_SHARED_EMAIL,
            Self::NoUser => crate::finding::USR103_NO_USER,
            Self::Deactivated => crate::finding::USR104_USER_INACTIVE,
        }
    }

    /// Stable word for tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoEmail => "no_email",
            Self::SharedEmail => "shared_email",
            Self::NoUser => "no_user",
            Self::Deactivated => "deactivated",
        }
    }
}

/// An account that needs a user, a match by hand, or the placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provision {
    /// The account.
    pub user: UserId,
    /// Gorgias' role for it.
    pub role: &'static str,
    /// Why it has none.
    pub reason: ProvisionReason,
    /// Still employed. Accounts of people who left never get a user, so they do not hold up production.
    pub is_active: bool,
}

/// How an account is called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentName {
    /// Shown name.
    pub name: String,
    /// Login name.
    pub username: String,
}

/// The outcome of matching.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserMatches {
    /// Accounts with their user.
    pub matched: BTreeMap<UserId, gorgias::UserId>,
    /// Accounts without one, in order of id; those given to the placeholder are not among them.
    pub to_provision: Vec<Provision>,
    /// Accounts that share an email, by groups in order of id.
    pub shared_email: Vec<Vec<UserId>>,
    /// Accounts whose records carry the service user, chosen by name.
    pub placeholders: BTreeSet<UserId>,
    /// Names of all accounts.
    pub names: BTreeMap<UserId, AgentName>,
}

choice! {
    /// LeadDesk's five kinds of accounts.
    SourceRole {
        /// Everything.
        Admin = "admin",
        /// Several teams.
        Manager = "manager",
        /// One team.
        TeamLeader = "team-leader",
        /// Calls.
        Agent = "agent",
        /// A client who looks on.
        Sponsor = "sponsor",
    }
}

choice! {
    /// Gorgias' roles.
    GorgiasRole {
        /// Everything.
        Admin = "admin",
        /// Shown as Lead.
        Agent = "agent",
        /// Works on tickets.
        BasicAgent = "basic-agent",
        /// Works on tickets, with fewer views.
        LiteAgent = "lite-agent",
        /// Reads.
        Observer = "observer-agent",
    }
}

impl SourceRole {
    /// The role that a text of LeadDesk means, in any case and spacing.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let word: String =
            text.to_lowercase().chars().filter(|character| character.is_alphabetic()).collect();
        match word.as_str() {
            "admin" | "administrator" => Some(Self::Admin),
            "manager" => Some(Self::Manager),
            "teamleader" => Some(Self::TeamLeader),
            "agent" => Some(Self::Agent),
            "sponsor" => Some(Self::Sponsor),
            _ => None,
        }
    }

    /// The role that fits unless a person says otherwise.
    #[must_use]
    pub fn default_role(self) -> GorgiasRole {
        match self {
            Self::Admin => GorgiasRole::Admin,
            Self::Manager | Self::TeamLeader => GorgiasRole::Agent,
            Self::Agent => GorgiasRole::BasicAgent,
            Self::Sponsor => GorgiasRole::Observer,
        }
    }
}

/// Gorgias' role for a LeadDesk role text, by default. An unknown text gets the role that can do least.
#[must_use]
pub fn gorgias_role(role: &str) -> &'static str {
    SourceRole::from_text(role).map_or(GorgiasRole::Observer, SourceRole::default_role).as_str()
}

/// Matches by email, without regard to case. An email that several accounts share matches none of them.
#[must_use]
pub fn match_users(users: &[leaddesk::User], present: &[gorgias::User]) -> UserMatches {
    match_by_email(users, present, &gorgias_role)
}

/// Matches by email, then by what a person chose.
#[must_use]
pub fn match_users_under(
    settings: &MappingSettings,
    users: &[leaddesk::User],
    present: &[gorgias::User],
) -> UserMatches {
    match_by_email(users, present, &|role| settings.role(role).as_str()).with_choices(settings)
}

fn match_by_email(
    users: &[leaddesk::User],
    present: &[gorgias::User],
    role_of: &dyn Fn(&str) -> &'static str,
) -> UserMatches {
    let by_email: BTreeMap<String, &gorgias::User> =
        present.iter().filter_map(|user| Some((email_key(user.email.as_deref())?, user))).collect();
    let mut holders: BTreeMap<String, BTreeSet<UserId>> = BTreeMap::new();
    for user in users {
        if let Some(email) = email_key(user.email.as_deref()) {
            holders.entry(email).or_default().insert(user.id);
        }
    }
    let mut matches = UserMatches::default();
    let sorted: BTreeMap<UserId, &leaddesk::User> = users.iter().map(|user| (user.id, user)).collect();
    for (id, user) in sorted {
        let name = AgentName { name: clean_line(&user.name), username: clean_line(&user.username) };
        matches.names.insert(id, name);
        let email = email_key(user.email.as_deref());
        let shares = email.as_ref().is_some_and(|email| holders[email].len() > 1);
        let found = email.as_ref().and_then(|email| by_email.get(email));
        let reason = match (email.is_some(), shares, found) {
            (false, ..) => ProvisionReason::NoEmail,
            (true, true, _) => ProvisionReason::SharedEmail,
            (true, false, None) => ProvisionReason::NoUser,
            (true, false, Some(user)) if !user.is_active => ProvisionReason::Deactivated,
            (true, false, Some(user)) => {
                matches.matched.insert(id, user.id);
                continue;
            }
        };
        let role = role_of(&user.role);
        matches.to_provision.push(Provision { user: id, role, reason, is_active: user.is_active });
    }
    matches.shared_email = holders
        .into_values()
        .filter(|users| users.len() > 1)
        .map(|users| users.into_iter().collect())
        .collect();
    matches.shared_email.sort();
    matches
}

/// Emails are compared as LeadDesk and Gorgias hold them, valid or not; an empty one is none.
fn email_key(email: Option<&str>) -> Option<String> {
    let email = email?;
    let key = normalize_email(email).map_or_else(|| folded(email), |email| email.normalized);
    (!key.is_empty()).then_some(key)
}

impl UserMatches {
    /// Applies what a person decided: matches by hand first, then the placeholder.
    #[must_use]
    pub fn with_choices(mut self, settings: &MappingSettings) -> Self {
        for user in self.names.keys() {
            match settings.user_choice(*user) {
                Some(UserChoice::User(chosen)) => drop(self.matched.insert(*user, chosen)),
                Some(UserChoice::Placeholder(_)) => {
                    self.matched.remove(user);
                    self.placeholders.insert(*user);
                }
                None => {}
            }
        }
        let (matched, placeholders) = (&self.matched, &self.placeholders);
        self.to_provision.retain(|provision| {
            !matched.contains_key(&provision.user) && !placeholders.contains(&provision.user)
        });
        self
    }

    /// Accounts that hold up production: active, and neither matched nor given to the placeholder.
    pub fn blocking(&self) -> impl Iterator<Item = &Provision> {
        self.to_provision.iter().filter(|provision| provision.is_active)
    }

    /// The author that stands for an account in Gorgias.
    #[must_use]
    pub fn sender(&self, user: Option<UserId>) -> Sender {
        match user {
            Some(user) if self.matched.contains_key(&user) => Sender::User(user),
            _ => Sender::ServiceUser,
        }
    }

    /// The account, when a user of Gorgias stands for it and tickets can be assigned to it.
    #[must_use]
    pub fn assignable(&self, user: Option<UserId>) -> Option<UserId> {
        user.filter(|user| self.matched.contains_key(user))
    }

    /// Shown name, else login name.
    #[must_use]
    pub fn name_of(&self, user: UserId) -> Option<&str> {
        let name = self.names.get(&user)?;
        [&name.name, &name.username].into_iter().map(String::as_str).find(|name| !name.is_empty())
    }

    /// Finds accounts by name; built once for many questions.
    #[must_use]
    pub fn by_name(&self) -> NameIndex {
        let mut index = NameIndex::default();
        for (id, name) in &self.names {
            for text in [&name.username, &name.name] {
                let key = folded(text);
                if !key.is_empty() {
                    index.accounts.entry(key).or_default().insert(*id);
                }
            }
        }
        index
    }

    pub(crate) fn render(&self, out: &mut Canonical) {
        for (user, gorgias_user) in &self.matched {
            out.put("matched", user).put("to", gorgias_user);
        }
        for provision in &self.to_provision {
            out.put("provision", provision.user)
                .put("role", provision.role)
                .put("reason", provision.reason.as_str());
            out.put("is_active", provision.is_active);
        }
        for group in &self.shared_email {
            out.put("shared_email", group.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
        }
        for user in &self.placeholders {
            out.put("placeholder", user);
        }
        for (user, name) in &self.names {
            out.put("name_of", user).put("name", &name.name).put("username", &name.username);
        }
    }
}

/// Who answers to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// Exactly one account.
    One(UserId),
    /// Several accounts.
    Ambiguous,
    /// No account.
    Unknown,
}

/// Accounts by shown name and by login name, without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameIndex {
    accounts: BTreeMap<String, BTreeSet<UserId>>,
}

impl NameIndex {
    /// The account answers to this name too.
    pub fn also(&mut self, name: &str, account: UserId) {
        let key = folded(name);
        if !key.is_empty() {
            self.accounts.entry(key).or_default().insert(account);
        }
    }

    /// The account of this name. Names of the list export are shown names (facts: list export, last call agent).
    #[must_use]
    pub fn find(&self, name: &str) -> Named {
        match self.accounts.get(&folded(name)) {
            None => Named::Unknown,
            Some(accounts) => match accounts.first() {
                Some(only) if accounts.len() == 1 => Named::One(*only),
                _ => Named::Ambiguous,
            },
        }
    }
}
