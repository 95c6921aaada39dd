//! The Gorgias account as it is: what prepare, mapping and the admin need to know. Reads only.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use migration::finding;
use migration::gorgias::{self, FieldKind, FieldObject};

use super::error::DiscoverError;
use crate::context::Context;
use crate::documents::inventory::FindingEntry;
use crate::ports::gorgias::{Cursor, Field, Integration, Page, ReadError, Rule, Setting};

/// Pages of one list at most; schema lists are short.
const PAGES_MAX: usize = 10_000;
/// Names in one finding at most.
const NAMES_MAX: usize = 10;

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// Subdomain.
    pub domain: String,
    /// Status word.
    pub status: Option<String>,
    /// Plan word.
    pub plan: Option<String>,
    /// The caller.
    pub service_user: u64,
    /// Users.
    pub users: Vec<gorgias::User>,
    /// Teams.
    pub teams: Vec<gorgias::Team>,
    /// Tags.
    pub tags: Vec<gorgias::Tag>,
    /// Fields of both objects.
    pub fields: Vec<gorgias::Field>,
    /// Records by kind.
    pub counts: BTreeMap<String, u64>,
    /// What would happen to migrated tickets.
    pub findings: Vec<FindingEntry>,
}

/// Who the account is, and what it holds that a mapping may refer to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listed {
    /// Subdomain.
    pub(crate) domain: String,
    /// The caller.
    pub(crate) service_user: u64,
    /// Users.
    pub(crate) users: Vec<gorgias::User>,
    /// Teams.
    pub(crate) teams: Vec<gorgias::Team>,
    /// Tags.
    pub(crate) tags: Vec<gorgias::Tag>,
    /// Fields of both objects.
    pub(crate) fields: Vec<gorgias::Field>,
    status: Option<String>,
    plan: Option<String>,
}

/// Lists what a mapping may refer to.
///
/// # Errors
/// See [`DiscoverError`].
pub(crate) async fn list(ctx: &Context) -> Result<Listed, DiscoverError> {
    let gorgias = &ctx.destination;
    // The first read shows whether the credentials hold.
    let account = gorgias.account().await.map_err(|error| DiscoverError::of_destination("account", error))?;
    let caller =
        gorgias.service_user().await.map_err(|error| DiscoverError::of_destination("users", error))?;
    let users = all("users", |cursor| Box::pin(async move { gorgias.users(cursor.as_ref()).await })).await?;
    let teams = all("teams", |cursor| Box::pin(async move { gorgias.teams(cursor.as_ref()).await })).await?;
    let tags = all("tags", |cursor| Box::pin(async move { gorgias.tags(cursor.as_ref()).await })).await?;
    let mut fields = Vec::new();
    for object in [FieldObject::Ticket, FieldObject::Customer] {
        let read = |cursor: Option<Cursor>| -> BoxFuture<'_, Result<Page<Field>, ReadError>> {
            Box::pin(async move { gorgias.fields(object, cursor.as_ref()).await })
        };
        fields.extend(all("custom fields", read).await?);
    }
    Ok(Listed {
        domain: account.domain,
        status: account.status,
        plan: account.plan,
        service_user: caller.id.0,
        users: users.into_iter().map(user).collect(),
        teams: teams
            .into_iter()
            .map(|team| gorgias::Team { id: team.id, name: team.name, description: team.description })
            .collect(),
        tags: tags.into_iter().map(|tag| gorgias::Tag { id: tag.id, name: tag.name }).collect(),
        fields: fields.into_iter().map(field).collect(),
    })
}

/// Reads the account.
///
/// # Errors
/// See [`DiscoverError`].
pub async fn look(ctx: &Context) -> Result<Destination, DiscoverError> {
    let gorgias = &ctx.destination;
    let Listed { domain, status, plan, service_user, users, teams, tags, fields } = list(ctx).await?;
    let settings =
        gorgias.settings().await.map_err(|error| DiscoverError::of_destination("settings", error))?;
    let rules = all("rules", |cursor| Box::pin(async move { gorgias.rules(cursor.as_ref()).await })).await?;
    let integrations =
        all("integrations", |cursor| Box::pin(async move { gorgias.integrations(cursor.as_ref()).await }))
            .await?;
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let counts = [
        ("user", users.len()),
        ("team", teams.len()),
        ("tag", tags.len()),
        ("field", fields.len()),
        ("rule", rules.len()),
        ("integration", integrations.len()),
    ];
    Ok(Destination {
        domain,
        status,
        plan,
        service_user,
        users,
        teams,
        tags,
        fields,
        counts: counts.into_iter().map(|(kind, length)| (kind.to_owned(), count(length))).collect(),
        findings: findings(&rules, &settings, &integrations),
    })
}

/// All records of a list, page after page.
async fn all<'c, T>(
    what: &'static str,
    read: impl Fn(Option<Cursor>) -> BoxFuture<'c, Result<Page<T>, ReadError>>,
) -> Result<Vec<T>, DiscoverError> {
    let mut records = Vec::new();
    let mut cursor: Option<Cursor> = None;
    for _ in 0..PAGES_MAX {
        let page = read(cursor.take()).await.map_err(|error| DiscoverError::of_destination(what, error))?;
        records.extend(page.records.into_iter().map(|raw| raw.record));
        match page.next {
            None => return Ok(records),
            next => cursor = next,
        }
    }
    Err(DiscoverError::Endless { what, pages: PAGES_MAX })
}

fn user(user: crate::ports::gorgias::User) -> gorgias::User {
    gorgias::User {
        id: user.id,
        name: user.name,
        email: user.email,
        role: user.role,
        is_active: user.is_active,
    }
}

fn field(field: Field) -> gorgias::Field {
    gorgias::Field {
        id: field.id,
        object: field.object,
        label: field.label,
        external_id: field.external_id,
        // A data type of tomorrow is no type of ours: whatever it is, it clashes with numbers and booleans.
        kind: match field.data_type.as_str() {
            "number" => FieldKind::Number,
            "boolean" => FieldKind::Boolean,
            _ => FieldKind::Text,
        },
        is_active: field.is_active,
        is_managed: field.managed_type.is_some(),
    }
}

fn findings(rules: &[Rule], settings: &[Setting], integrations: &[Integration]) -> Vec<FindingEntry> {
    let mut findings = Vec::new();
    let mut find = |code: finding::Code, names: Vec<&str>| {
        if !names.is_empty() {
            let count = u64::try_from(names.len()).unwrap_or(0);
            let shown: Vec<&str> = names.iter().take(NAMES_MAX).copied().collect();
            let text = format!("{}: {}", code.entry().title, shown.join(", "));
            findings.push(FindingEntry { code: code.as_str().to_owned(), count, text });
        }
    };
    let active_rules = rules.iter().filter(|rule| rule.is_active).map(|rule| rule.name.as_str()).collect();
    find(finding::DIS201_DESTINATION_RULES_ACTIVE, active_rules);
    find(finding::DIS202_DESTINATION_SURVEYS_ON, surveys(settings));
    let webhooks =
        integrations.iter().filter(|integration| integration.is_active && integration.kind == "http");
    find(
        finding::DIS203_DESTINATION_WEBHOOKS,
        webhooks.map(|integration| integration.name.as_str()).collect(),
    );
    find(finding::DIS204_DESTINATION_AUTO_MERGE, automatic(settings));
    findings
}

/// Channels on which a closed ticket is followed by a survey (facts: account settings).
fn surveys(settings: &[Setting]) -> Vec<&'static str> {
    const CHANNELS: [(&str, &str); 4] = [
        ("send_survey_for_chat", "chat"),
        ("send_survey_for_email", "email"),
        ("send_survey_for_contact_form", "contact form"),
        ("send_survey_for_help_center", "help center"),
    ];
    let surveys = settings.iter().filter(|setting| setting.kind == "satisfaction-surveys");
    let on: Vec<&str> = surveys
        .flat_map(|setting| {
            let data = json(setting);
            CHANNELS.into_iter().filter(move |(key, _)| data[*key] == serde_json::Value::Bool(true))
        })
        .map(|(_, name)| name)
        .collect();
    on
}

/// Things that Gorgias does with tickets by itself.
fn automatic(settings: &[Setting]) -> Vec<&'static str> {
    let is_on = |kind: &str, pointer: &str| {
        settings.iter().any(|setting| {
            setting.kind == kind && json(setting).pointer(pointer) == Some(&serde_json::Value::Bool(true))
        })
    };
    let mut found = Vec::new();
    if is_on("auto-merge", "/tickets/enabled") {
        found.push("auto-merge");
    }
    if is_on("ticket-assignment", "/auto_assign_to_teams") {
        found.push("auto-assign");
    }
    found
}

fn json(setting: &Setting) -> serde_json::Value {
    serde_json::from_str(&setting.json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use migration::gorgias::SettingId;

    use super::*;

    #[test]
    fn what_acts_by_itself_is_named() {
        let setting =
            |kind: &str, json: &str| Setting { id: SettingId(1), kind: kind.into(), json: json.into() };
        let settings = [
            setting("satisfaction-surveys", r#"{"send_survey_for_chat":true,"send_survey_for_email":false}"#),
            setting("auto-merge", r#"{"tickets":{"enabled":true}}"#),
            setting("ticket-assignment", r#"{"auto_assign_to_teams":false}"#),
        ];
        let shown: Vec<String> = findings(&[], &settings, &[])
            .iter()
            .map(|f| format!("{} {} {}", f.code, f.count, f.text))
            .collect();
        expect![[r#"
            DIS202 1 satisfaction surveys are on at the destination: chat
            DIS204 1 tickets are merged or assigned by the destination itself: auto-merge"#]]
        .assert_eq(&shown.join("\n"));
        assert!(findings(&[], &[setting("satisfaction-surveys", "not json")], &[]).is_empty());
    }
}
