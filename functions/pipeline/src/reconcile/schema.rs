//! Tags, fields and teams read back. Small lists: they are held in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use migration::compare::{Compared, Image, compare_record, missing};
use migration::gorgias::FieldObject;
use migration::keys::{FieldKey, TeamKey};
use snapshot::tables::{FoundField, FoundTag, FoundTeam, WantField, WantTag, WantTeam, WantTeamMember};
use snapshot::{Pass, Row, Sealed};

use super::image::{found_field, found_tag, found_team, wanted_field, wanted_tag, wanted_team};
use super::verdict::Findings;
use super::{ReconcileError, Scene, Subject, take_in};
use crate::archive;
use crate::context::Context;
use crate::found_rows;
use crate::listing::walk;
use crate::load::want;
use crate::ports::gorgias::{Field, Raw, Tag, Team};
use crate::prepare::baseline;

/// Reads the small lists back and compares what was wished for.
pub(crate) async fn read_back(
    scene: &Scene<'_>,
    findings: &mut Findings,
) -> Result<Vec<Sealed>, ReconcileError> {
    read_back_as(scene, Pass::After, findings).await
}

/// As [`read_back`], for a snapshot of another name.
pub(crate) async fn read_back_as(
    scene: &Scene<'_>,
    pass: Pass,
    findings: &mut Findings,
) -> Result<Vec<Sealed>, ReconcileError> {
    let lists = Lists::read(scene.ctx).await?;
    let Lists { tags, teams, fields } = &lists;
    compare_tags(scene, tags, findings).await?;
    compare_fields(scene, fields, findings).await?;
    compare_teams(scene, teams, findings).await?;
    lists.seal(scene.ctx, pass)
}

/// The small lists of the account.
pub(crate) struct Lists {
    pub(crate) tags: Vec<Raw<Tag>>,
    pub(crate) teams: Vec<Raw<Team>>,
    pub(crate) fields: Vec<Raw<Field>>,
}

impl Lists {
    /// Reads them whole.
    pub(crate) async fn read(ctx: &Context) -> Result<Self, ReconcileError> {
        let gorgias = Arc::clone(&ctx.destination);
        let mut tags: Vec<Raw<Tag>> = Vec::new();
        let fetch = |cursor| {
            let gorgias = Arc::clone(&gorgias);
            Box::pin(async move { gorgias.tags(Option::as_ref(&cursor)).await }) as _
        };
        walk::<Tag, ReconcileError>(fetch, |raw| {
            tags.push(raw);
            Ok(())
        })
        .await?;
        let mut teams: Vec<Raw<Team>> = Vec::new();
        let fetch = |cursor| {
            let gorgias = Arc::clone(&gorgias);
            Box::pin(async move { gorgias.teams(Option::as_ref(&cursor)).await }) as _
        };
        walk::<Team, ReconcileError>(fetch, |raw| {
            teams.push(raw);
            Ok(())
        })
        .await?;
        let mut fields: Vec<Raw<Field>> = Vec::new();
        for object in [FieldObject::Ticket, FieldObject::Customer] {
            fields.extend(baseline::read_fields(ctx, object).await?);
        }
        Ok(Self { tags, teams, fields })
    }

    /// Seals them as they were read.
    pub(crate) fn seal(self, ctx: &Context, pass: Pass) -> Result<Vec<Sealed>, ReconcileError> {
        Ok(vec![
            seal::<FoundTag>(ctx, pass, self.tags.into_iter().map(found_rows::tag))?,
            seal::<FoundTeam>(ctx, pass, self.teams.into_iter().map(found_rows::team))?,
            seal::<FoundField>(ctx, pass, self.fields.into_iter().map(found_rows::field))?,
        ])
    }
}

fn seal<R: Row>(ctx: &Context, pass: Pass, rows: impl Iterator<Item = R>) -> Result<Sealed, ReconcileError> {
    let mut writer = archive::writer::<R>(ctx, pass, Vec::new())?;
    for row in rows {
        writer.push(row)?;
    }
    Ok(writer.seal()?)
}

/// Compares one record; what was there before us keeps its own words.
fn check(
    findings: &mut Findings,
    kind: Compared,
    name: &str,
    wanted: &Image,
    found: Option<(u64, Image)>,
    was_there: bool,
) {
    findings.object(kind.as_str()).wanted += 1;
    let subject =
        Subject { object: kind.as_str(), external_id: name, gorgias_id: found.as_ref().map(|(id, _)| *id) };
    let Some((_, found)) = found else {
        take_in(findings, &subject, missing(wanted), |_| None);
        return;
    };
    findings.object(kind.as_str()).compared += 1;
    take_in(findings, &subject, compare_record(kind, wanted, &found), |difference| {
        let is_identity =
            matches!(difference.field.as_str(), "name" | "object_type" | "data_type" | "is_active");
        (was_there && !is_identity).then(|| "it was there before and keeps its own value".to_owned())
    });
}

async fn compare_tags(
    scene: &Scene<'_>,
    tags: &[Raw<Tag>],
    findings: &mut Findings,
) -> Result<(), ReconcileError> {
    let mut before: Vec<String> = Vec::new();
    for row in archive::open::<FoundTag>(scene.ctx, &scene.ctx.run, Pass::Before).await? {
        before.push(row?.tag_name);
    }
    for row in want::<WantTag>(scene.ctx).await? {
        let row = row?;
        let found = tags.iter().find(|raw| raw.record.name == row.tag_name);
        let found = found.map(|raw| (raw.record.id.0, found_tag(&raw.record)));
        let was_there = before.contains(&row.tag_name);
        check(findings, Compared::Tag, &row.tag_name, &wanted_tag(&row), found, was_there);
    }
    Ok(())
}

async fn compare_fields(
    scene: &Scene<'_>,
    fields: &[Raw<Field>],
    findings: &mut Findings,
) -> Result<(), ReconcileError> {
    let mut before: Vec<u64> = Vec::new();
    for row in archive::open::<FoundField>(scene.ctx, &scene.ctx.run, Pass::Before).await? {
        before.extend(row?.gorgias_field_id.parse::<u64>());
    }
    for row in want::<WantField>(scene.ctx).await? {
        let row = row?;
        let object = if row.object_type == "Ticket" { FieldObject::Ticket } else { FieldObject::Customer };
        let id = scene.names.directory.fields.get(&(object, FieldKey(row.field_key.clone())));
        let found = fields.iter().find(|raw| Some(&raw.record.id) == id);
        let found = found.map(|raw| (raw.record.id.0, found_field(&raw.record)));
        let was_there = id.is_some_and(|id| before.contains(&id.0));
        check(findings, Compared::Field, &row.field_key, &wanted_field(&row), found, was_there);
    }
    Ok(())
}

async fn compare_teams(
    scene: &Scene<'_>,
    teams: &[Raw<Team>],
    findings: &mut Findings,
) -> Result<(), ReconcileError> {
    let mut before: Vec<u64> = Vec::new();
    for row in archive::open::<FoundTeam>(scene.ctx, &scene.ctx.run, Pass::Before).await? {
        before.extend(row?.gorgias_team_id.parse::<u64>());
    }
    let mut members: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for row in want::<WantTeamMember>(scene.ctx).await? {
        let row = row?;
        let user = scene.names.users.get(&row.leaddesk_agent_id).map(|user| user.0);
        members.entry(row.team_key).or_default().extend(user);
    }
    for row in want::<WantTeam>(scene.ctx).await? {
        let row = row?;
        let id = scene.names.directory.teams.get(&TeamKey(row.team_key.clone()));
        let found = teams.iter().find(|raw| Some(&raw.record.id) == id);
        let found = found.map(|raw| (raw.record.id.0, found_team(&raw.record)));
        let was_there = id.is_some_and(|id| before.contains(&id.0));
        let its_members = members.get(&row.team_key).map_or(&[][..], Vec::as_slice);
        check(findings, Compared::Team, &row.team_key, &wanted_team(&row, its_members), found, was_there);
    }
    Ok(())
}
