//! Endpoints of users, the agents of an account.
//!
//! Creating one mails an invitation and takes a seat (facts: users). Deliberately absent: passwords and second
//! factors; the twin checks that they are given where they are needed and forgets them.

use super::answer::{Answer, Answered, Refusal};
use super::ledger::{Entry, codes};
use super::model::{User, normal_address};
use super::persons::{TEXT_CHARS_MAX, read_email, read_time_zone};
use super::query::{Order, Place, Query, SortValue, order};
use super::reading::{Given, Problems, Reader};
use super::route::Call;
use super::shapes::{UserShape, list, person_snapshot};
use super::state::State;
use super::words::{ROLES, SERVER_ROLES};

const ORDERS: [Order; 8] = [
    order("created_datetime:asc"),
    order("created_datetime:desc"),
    order("name:asc"),
    order("name:desc"),
    order("email:asc"),
    order("email:desc"),
    order("role.name:asc"),
    order("role.name:desc"),
];

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&ORDERS, state.now, state.switches.cursor_life_seconds);
    let (email, external_id) = (query.text("email"), query.text("external_id"));
    let search = query.text("search").map(|text| text.to_lowercase());
    let roles = query.texts("roles");
    for role in &roles {
        if !ROLES.contains(&role.as_str()) && !SERVER_ROLES.contains(&role.as_str()) {
            query.problem("roles", "Not a known role.");
        }
    }
    query.boolean("available_first");
    query.end()?;
    let keep = |user: &&User| {
        email
            .as_deref()
            .is_none_or(|email| normal_address("email", email) == normal_address("email", &user.email))
            && external_id.as_deref().is_none_or(|id| user.external_id.as_deref() == Some(id))
            && search.as_deref().is_none_or(|text| {
                user.name.to_lowercase().contains(text) || user.email.to_lowercase().contains(text)
            })
            && (roles.is_empty() || roles.contains(&user.role))
    };
    let place = |user: &User| -> Place {
        let value = match page.attribute() {
            "name" => SortValue::Text(user.name.clone()),
            "email" => SortValue::Text(user.email.clone()),
            "role.name" => SortValue::Text(user.role.clone()),
            _ => SortValue::Number(user.created.0),
        };
        (value, user.id)
    };
    let slice = page.of_rows(state.users.values().filter(keep).map(place).collect());
    let rows = slice.ids.iter().filter_map(|id| state.users.get(id));
    let rows = rows.map(|user| UserShape { user, domain: &state.domain });
    Ok(Answer::ok(&list(call, &slice, rows.collect(), false)))
}

fn find(state: &State, id: u64) -> Answered<&User> {
    // Zero means the user whose key it is (facts: users).
    let id = if id == 0 { state.actor.user } else { id };
    state.users.get(&id).ok_or_else(|| Refusal::not_found("User", id))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    let user = find(state, call.id(0))?;
    Ok(Answer::ok(&UserShape { user, domain: &state.domain }))
}

/// What a request says about a user.
struct Draft {
    email: Option<String>,
    name: Option<String>,
    role: Option<&'static str>,
    bio: Given<String>,
    country: Given<String>,
    external_id: Given<String>,
    language: Given<&'static str>,
    timezone: Option<String>,
    picture: Given<Given<String>>,
    sso: Given<Given<&'static str>>,
    confirmed: bool,
}

impl Draft {
    fn read(mut reader: Reader<'_>, new: bool, problems: &Problems) -> Self {
        let email = read_email(&mut reader, "email");
        let name = reader.text("name", 1..=TEXT_CHARS_MAX);
        let role = reader.object("role");
        if new {
            reader.required("email", email.clone());
            reader.required("name", name.clone());
            reader.required("role", role.clone());
        }
        let role = reader.solid("role", role).and_then(|role| {
            let mut nested = Reader::nested(role, "role".to_owned(), problems)?;
            let word = nested.word("name", &ROLES);
            let word = nested.required("name", word);
            nested.end();
            word
        });
        let country = reader.text("country", 2..=2);
        if let Given::Value(code) = &country
            && !code.bytes().all(|letter| letter.is_ascii_uppercase())
        {
            reader.problem("country", "Not a country code of two capital letters.");
        }
        let (picture, sso) = read_meta(&mut reader, problems);
        let timezone = read_time_zone(&mut reader, "timezone");
        let mut draft = Self {
            email: if new { email.value() } else { reader.solid("email", email) },
            name: if new { name.value() } else { reader.solid("name", name) },
            role,
            bio: reader.text("bio", 0..=TEXT_CHARS_MAX),
            country,
            external_id: reader.text("external_id", 0..=255),
            language: reader.word("language", &["fr", "en"]),
            timezone: timezone.value(),
            picture,
            sso,
            confirmed: false,
        };
        if !new {
            for secret in ["old_password", "new_password", "two_fa_code"] {
                reader.text(secret, 0..=TEXT_CHARS_MAX);
            }
            draft.confirmed = reader.text("password_confirmation", 1..=TEXT_CHARS_MAX).value().is_some();
        }
        reader.end();
        draft
    }
}

type Meta = (Given<Given<String>>, Given<Given<&'static str>>);

fn read_meta(reader: &mut Reader<'_>, problems: &Problems) -> Meta {
    let meta = reader.object("meta").value();
    let Some(mut nested) = meta.and_then(|meta| Reader::nested(meta, "meta".to_owned(), problems)) else {
        return (Given::Absent, Given::Absent);
    };
    let picture = nested.text("profile_picture_url", 0..=TEXT_CHARS_MAX);
    let sso = nested.word("sso", &["google", "office365"]);
    nested.end();
    (Given::Value(picture), Given::Value(sso))
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let draft = Draft::read(Reader::body(call.json()?, &problems)?, true, &problems);
    problems.check()?;
    let (Some(email), Some(name), Some(role)) = (draft.email, draft.name, draft.role) else {
        return Err(Refusal::bad_request("email, name and role are required."));
    };
    if state.person_with_email(&email).is_some() {
        return Err(Refusal::about_field(409, "email", "This email is already used by another person."));
    }
    if state.users.len() >= state.switches.seats_max {
        return Err(Refusal::new(403, "The plan has no seat left."));
    }
    let mut user = User {
        id: state.ids.person.next(&mut state.random),
        email,
        name,
        role: role.to_owned(),
        external_id: draft.external_id.value(),
        bio: draft.bio.value(),
        country: draft.country.value(),
        language: draft.language.map(str::to_owned).value(),
        timezone: draft.timezone.unwrap_or_else(|| state.time_zone.clone()),
        sso: None,
        picture: None,
        created: state.now,
        updated: state.now.plus_micros(4),
        owner: false,
    };
    apply_meta(&mut user, draft.picture, draft.sso);
    let id = user.id;
    state.insert_user(user);
    state.log("user-created", "User", id);
    state.log("user-invited", "User", id);
    let entry = Entry { person_id: Some(id), ..state.entry(codes::USER_INVITED, role) };
    state.ledgers.invitations.push(entry);
    let user = find(state, id)?;
    Ok(Answer::created(&UserShape { user, domain: &state.domain }))
}

fn apply_meta(user: &mut User, picture: Given<Given<String>>, sso: Given<Given<&'static str>>) {
    if let Given::Value(picture) = picture {
        picture.apply(&mut user.picture);
    }
    if let Given::Value(sso) = sso {
        sso.map(str::to_owned).apply(&mut user.sso);
    }
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let mut user = find(state, call.id(0))?.clone();
    let problems = state.problems();
    let draft = Draft::read(Reader::body(call.json()?, &problems)?, false, &problems);
    problems.check()?;
    if user.owner && draft.role.is_some_and(|role| role != user.role) {
        return Err(Refusal::new(403, "The account owner cannot be downgraded."));
    }
    if let Some(email) = draft.email {
        if state.person_with_email(&email).is_some_and(|holder| holder != user.id) {
            return Err(Refusal::about_field(409, "email", "This email is already used by another person."));
        }
        if email != user.email && !draft.confirmed {
            return Err(Refusal::bad_field("password_confirmation", "Needed to change the email."));
        }
        user.email = email;
    }
    user.name = draft.name.unwrap_or(user.name);
    user.role = draft.role.map_or(user.role, str::to_owned);
    draft.bio.apply(&mut user.bio);
    draft.country.apply(&mut user.country);
    draft.external_id.apply(&mut user.external_id);
    draft.language.map(str::to_owned).apply(&mut user.language);
    user.timezone = draft.timezone.unwrap_or(user.timezone);
    apply_meta(&mut user, draft.picture, draft.sso);
    user.updated = state.now;
    let id = user.id;
    state.remove_user(id);
    state.insert_user(user);
    state.log("user-updated", "User", id);
    let user = find(state, id)?;
    Ok(Answer::accepted(&UserShape { user, domain: &state.domain }))
}

/// Deletes a user: tickets lose their assignee, messages keep the sender as it was (facts: users).
pub(crate) fn destroy(state: &mut State, call: &Call) -> Answered<Answer> {
    let user = find(state, call.id(0))?;
    let (id, owner) = (user.id, user.owner);
    let entry = Entry { person_id: Some(id), ..state.entry(codes::USER_DELETION, "DELETE /api/users/{id}") };
    state.violation(entry);
    if owner {
        return Err(Refusal::new(403, "The account owner cannot be deleted."));
    }
    let snapshot = person_snapshot(state, id);
    state.departed.insert(id, snapshot);
    state.remove_user(id);
    for team in state.teams.values_mut() {
        team.members.retain(|member| *member != id);
    }
    let assigned: Vec<u64> = state
        .tickets
        .iter()
        .filter(|ticket| ticket.assignee_user == Some(id))
        .map(|ticket| ticket.id)
        .collect();
    for ticket in assigned {
        state.tickets.change(ticket, |ticket| ticket.assignee_user = None);
    }
    state.log("user-deleted", "User", id);
    Ok(Answer::deleted())
}
