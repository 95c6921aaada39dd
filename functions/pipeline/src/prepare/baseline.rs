//! Gorgias as it is before the first write: the rollback's target, sealed table by table.
//!
//! A table that is sealed is not read again. Deliberately absent: messages of existing tickets, which nothing here
//! changes, and the details of customers, which `plan` adds for those that may be adopted.

use std::sync::Arc;

use migration::gorgias::FieldObject;
use snapshot::tables::{
    FoundCustomer, FoundField, FoundIntegration, FoundRule, FoundSetting, FoundTag, FoundTeam, FoundTicket,
    FoundTicketTag, FoundTicketValue, FoundUser,
};
use snapshot::{Pass, Row, TableWriter};

use super::PrepareError;
use crate::archive;
use crate::context::Context;
use crate::found_rows;
use crate::listing::{BEGINNINGS_MAX, walk};
use crate::ports::gorgias::{Customer, Field, Raw, ReadError, Ticket};
use crate::readings::{ReadingError, both, whole};

/// The small tables of the baseline.
#[derive(Debug, Clone, Default)]
pub(crate) struct Baseline {
    pub(crate) users: Vec<FoundUser>,
    pub(crate) teams: Vec<FoundTeam>,
    pub(crate) tags: Vec<FoundTag>,
    pub(crate) fields: Vec<FoundField>,
    pub(crate) rules: Vec<FoundRule>,
    pub(crate) settings: Vec<FoundSetting>,
    pub(crate) integrations: Vec<FoundIntegration>,
}

/// Seals whatever is not sealed yet. The lists of people and tickets run beside the small ones.
pub(crate) async fn seal(ctx: &Context) -> Result<(), PrepareError> {
    // A small list that is cut off is read again; what is kept of a long one goes on.
    let small = async { ctx.stop.unless_requested(small_lists(ctx)).await.map_err(ReadingError::from)? };
    both(&ctx.stop, small, both(&ctx.stop, customers(ctx), tickets(ctx))).await?;
    Ok(())
}

/// Reads the small tables back.
pub(crate) async fn load(ctx: &Context) -> Result<Baseline, PrepareError> {
    Ok(Baseline {
        users: rows(ctx).await?,
        teams: rows(ctx).await?,
        tags: rows(ctx).await?,
        fields: rows(ctx).await?,
        rules: rows(ctx).await?,
        settings: rows(ctx).await?,
        integrations: rows(ctx).await?,
    })
}

async fn rows<R: Row>(ctx: &Context) -> Result<Vec<R>, PrepareError> {
    let reader = archive::open::<R>(ctx, &ctx.run, Pass::Before).await?;
    reader.collect::<Result<Vec<R>, _>>().map_err(|source| PrepareError::Archive(source.into()))
}

async fn is_sealed<R: Row>(ctx: &Context) -> Result<bool, PrepareError> {
    Ok(archive::is_sealed(ctx, &ctx.run, Pass::Before, R::SCHEMA).await?)
}

fn writer<R: Row>(ctx: &Context) -> Result<TableWriter<R>, PrepareError> {
    Ok(archive::writer::<R>(ctx, Pass::Before, Vec::new())?)
}

async fn publish<R: Row>(ctx: &Context, writer: TableWriter<R>) -> Result<(), PrepareError> {
    let sealed = writer.seal().map_err(|source| PrepareError::Archive(source.into()))?;
    archive::publish(ctx, sealed).await?;
    Ok(())
}

fn push<R: Row>(writer: &mut TableWriter<R>, row: R) -> Result<(), PrepareError> {
    writer.push(row).map_err(|source| PrepareError::Archive(source.into()))
}

/// An expired cursor of a small list begins the list anew, with nothing kept of the first try.
fn begins_anew(error: &PrepareError, beginnings: &mut usize) -> bool {
    *beginnings += 1;
    matches!(error, PrepareError::Read(ReadError::Refused { .. })) && *beginnings < BEGINNINGS_MAX
}

macro_rules! seal_list {
    ($ctx:expr, $row:ty, $list:ident, $translate:path) => {
        if !is_sealed::<$row>($ctx).await? {
            let mut beginnings = 0;
            let writer = loop {
                let mut writer = writer::<$row>($ctx)?;
                let gorgias = Arc::clone(&$ctx.destination);
                let fetch = |cursor| {
                    let gorgias = Arc::clone(&gorgias);
                    Box::pin(async move { gorgias.$list(Option::as_ref(&cursor)).await }) as _
                };
                match walk(fetch, |raw| push(&mut writer, $translate(raw))).await {
                    Ok(_) => break writer,
                    Err(error) if begins_anew(&error, &mut beginnings) => (),
                    Err(error) => return Err(error),
                }
            };
            publish($ctx, writer).await?;
        }
    };
}

async fn small_lists(ctx: &Context) -> Result<(), PrepareError> {
    seal_list!(ctx, FoundUser, users, found_rows::user);
    seal_list!(ctx, FoundTeam, teams, found_rows::team);
    seal_list!(ctx, FoundTag, tags, found_rows::tag);
    seal_list!(ctx, FoundRule, rules, found_rows::rule);
    seal_list!(ctx, FoundIntegration, integrations, found_rows::integration);
    if !is_sealed::<FoundSetting>(ctx).await? {
        let mut writer = writer::<FoundSetting>(ctx)?;
        for setting in ctx.destination.settings().await? {
            push(&mut writer, found_rows::setting(setting))?;
        }
        publish(ctx, writer).await?;
    }
    fields(ctx).await
}

async fn fields(ctx: &Context) -> Result<(), PrepareError> {
    if is_sealed::<FoundField>(ctx).await? {
        return Ok(());
    }
    let mut writer = writer::<FoundField>(ctx)?;
    for object in [FieldObject::Ticket, FieldObject::Customer] {
        for raw in read_fields(ctx, object).await? {
            push(&mut writer, found_rows::field(raw))?;
        }
    }
    publish(ctx, writer).await
}

/// All definitions of one object type, archived ones included.
pub(crate) async fn read_fields(ctx: &Context, object: FieldObject) -> Result<Vec<Raw<Field>>, ReadError> {
    let mut fields = Vec::new();
    let gorgias = Arc::clone(&ctx.destination);
    let fetch = |cursor| {
        let gorgias = Arc::clone(&gorgias);
        Box::pin(async move { gorgias.fields(object, Option::as_ref(&cursor)).await }) as _
    };
    walk(fetch, |raw| {
        fields.push(raw);
        Ok::<(), ReadError>(())
    })
    .await?;
    Ok(fields)
}

async fn customers(ctx: &Context) -> Result<(), PrepareError> {
    if is_sealed::<FoundCustomer>(ctx).await? {
        return Ok(());
    }
    let begin = || writer::<FoundCustomer>(ctx);
    let rows = whole(ctx, "baseline/customers", begin, |rows, raw: Raw<Customer>| {
        push(rows, FoundCustomer { has_detail: false, ..found_rows::customer(raw).0 })
    });
    publish(ctx, rows.await?).await
}

type TicketTables = (TableWriter<FoundTicket>, TableWriter<FoundTicketTag>, TableWriter<FoundTicketValue>);

/// Tickets, their tags and their values come from one list; the table of tickets is published last, so that it stands
/// for all three.
async fn tickets(ctx: &Context) -> Result<(), PrepareError> {
    if is_sealed::<FoundTicket>(ctx).await? {
        return Ok(());
    }
    let begin = || Ok::<TicketTables, PrepareError>((writer(ctx)?, writer(ctx)?, writer(ctx)?));
    let take = |(tickets, tags, values): &mut TicketTables, raw: Raw<Ticket>| {
        let (ticket, its_tags, its_values) = found_rows::ticket(raw);
        its_tags.into_iter().try_for_each(|row| push(tags, row))?;
        its_values.into_iter().try_for_each(|row| push(values, row))?;
        push(tickets, ticket)
    };
    let (tickets, tags, values) = whole(ctx, "baseline/tickets", begin, take).await?;
    if !is_sealed::<FoundTicketTag>(ctx).await? {
        publish(ctx, tags).await?;
    }
    if !is_sealed::<FoundTicketValue>(ctx).await? {
        publish(ctx, values).await?;
    }
    publish(ctx, tickets).await
}
