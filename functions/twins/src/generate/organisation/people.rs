//! Offices, agent groups, sponsors and user accounts.

use crate::generate::Shape;
use crate::generate::chance::{Chance, Stream};
use crate::generate::organisation::{AgentGroup, Office, Role, User};
use crate::generate::words::{self, LANGUAGES};

const USER_ID_FIRST: u32 = 501;
const GROUP_ID_FIRST: u32 = 41;

const OFFICES: [(&str, Option<&str>); 5] = [
    ("Helsinki", Some("Europe/Helsinki")),
    ("Stockholm", Some("Europe/Stockholm")),
    ("Tallinn Remote", None),
    ("Hamburg", Some("Europe/Berlin")),
    ("Back Office", Some("Europe/Helsinki")),
];

const GROUPS: [&str; 5] = ["Winback", "New Business", "Inbound Care", "Key Accounts", "Night Shift"];

const SPONSORS: [&str; 4] =
    ["Esimerkki Energia Oy", "Exempel Telekom AB", "Näidis Pank AS", "Sample Media Ltd"];

/// The name of the `index`-th of a table: from the pool, then numbered.
pub(super) fn named(pool: &[&str], word: &str, index: u32) -> String {
    pool.get(index as usize).map_or_else(|| format!("{word} {}", index + 1), |name| (*name).to_owned())
}

pub(super) fn offices(shape: &Shape) -> Vec<Office> {
    let names = OFFICES.map(|(name, _)| name);
    (0..shape.offices)
        .map(|index| Office {
            id: index + 1,
            name: named(&names, "Office", index),
            time_zone: OFFICES.get(index as usize).map_or(Some("Europe/Helsinki"), |(_, zone)| *zone),
        })
        .collect()
}

pub(super) fn groups(shape: &Shape, offices: &[Office]) -> Vec<AgentGroup> {
    (0..shape.groups)
        .map(|index| {
            // The second group is named like an office, which both become teams elsewhere.
            let name = match offices.get(1).or(offices.first()) {
                Some(office) if index == 1 => office.name.clone(),
                _ => named(&GROUPS, "Group", index),
            };
            AgentGroup { id: GROUP_ID_FIRST + index, name }
        })
        .collect()
}

pub(super) fn sponsors(shape: &Shape) -> Vec<String> {
    (0..shape.sponsors).map(|index| named(&SPONSORS, "Sponsor", index)).collect()
}

/// Roles by position; everybody after these is an agent.
fn role(index: u32, all: u32) -> Role {
    match index {
        _ if all < 8 => Role::Agent,
        0 => Role::Admin,
        2 => Role::Manager,
        3 | 4 => Role::TeamLeader,
        5 => Role::Sponsor,
        _ => Role::Agent,
    }
}

pub(super) fn users(shape: &Shape, offices: &[Office], groups: &[AgentGroup]) -> Vec<User> {
    let mut users: Vec<User> = Vec::with_capacity(shape.agents as usize);
    for index in 0..shape.agents {
        let mut chance = Chance::of(shape.seed, Stream::Organisation, u64::from(index));
        let words = *chance.pick(&LANGUAGES);
        let given = *chance.pick(words.given);
        let family = format!("{}{}", chance.pick(words.family_heads), chance.pick(words.family_tails));
        let username = format!("{}.{}{index}", words::ascii_fold(given), words::ascii_fold(&family));
        let role = role(index, shape.agents);
        let works_in_group = matches!(role, Role::Agent | Role::TeamLeader);
        let (remote, sits) = (matches!(role, Role::Admin | Role::Sponsor), !offices.is_empty());
        let seat = index as usize;
        users.push(User {
            id: USER_ID_FIRST + index,
            name: format!("{given} {family}"),
            active: !(shape.trouble && (index == 8 || index + 1 == shape.agents)),
            office: (sits && !remote).then(|| offices[seat % offices.len()].name.clone()),
            role,
            email: Some(format!("{username}@desk.example")),
            group_id: (works_in_group && !groups.is_empty()).then(|| groups[seat % groups.len()].id),
            username,
        });
    }
    if shape.trouble {
        plant(&mut users);
    }
    users
}

/// Accounts that cannot be matched by address alone (facts: an admin who also calls has a second account; agents need
/// no address).
fn plant(users: &mut [User]) {
    let (admin_name, admin_email) = (users[0].name.clone(), users[0].email.clone());
    let second = &mut users[1];
    second.name = admin_name;
    second.email = admin_email;
    for user in &mut users[6..8] {
        user.email = None;
    }
}
