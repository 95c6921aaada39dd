//! Calling lists and their exports, and what they name: contacts and numbers.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use snapshot::tables::{SourceAgent, SourceCall, SourceCampaign, SourceContact, SourceLead, SourceList};
use snapshot::{Row as _, Sealed};

use super::error::ExtractError;
use super::export_rows::{self, ExportOf, OwnStatuses};
use super::histories::Phones;
use super::listing::{self, Collection};
use super::organisation::{self, ListSettings};
use super::pages::{self, Page};
use super::part::{PartRecord, SourceReject};
use super::seen::{Seen, canonical_id};
use super::{Extraction, operator_tables};
use crate::archive;
use crate::context::Context;
use crate::operator::fault::FileFault;
use crate::progress::Event;
use crate::source_json::{SourceObject, without_withheld};

/// The stored list of lists: one redacted item a line.
const LISTS_PAGE: &str = "lists.ndjson";
/// One object stands twice in a listing.
const TWICE: &str = "EXT303";

impl Extraction<'_> {
    pub(super) async fn organisation(&self) -> Result<(), ExtractError> {
        let tables = [SourceAgent::SCHEMA, SourceCampaign::SCHEMA, SourceList::SCHEMA];
        self.part("organisation", &tables, || async {
            let users = listing::stored(self.ctx, Collection::Users).await?;
            let campaigns = listing::stored(self.ctx, Collection::Campaigns).await?;
            let lists = stored_lists(self.ctx).await?;
            let (ctx, folder) = (self.ctx.clone(), self.folder.clone());
            tokio::task::spawn_blocking(move || {
                let mut record = PartRecord::default();
                let sponsors = operator_tables::sponsors(&folder, &mut record)?;
                let settings = operator_tables::lists(&folder, &mut record)?;
                let sealed = vec![
                    agents(&ctx, &users, &mut record)?,
                    campaign_rows(&ctx, &campaigns, &sponsors, &mut record)?,
                    list_rows(&ctx, &lists, &settings, &mut record)?,
                ];
                Ok((record, sealed))
            })
            .await?
        })
        .await
    }

    pub(super) async fn leads(&self) -> Result<(), ExtractError> {
        self.part("leads", &[SourceLead::SCHEMA], || async {
            let ctx = self.ctx;
            let mut record = PartRecord::default();
            let statuses = operator_tables::own_statuses(self.folder, &mut record)?;
            let lists = known_lists(ctx).await?;
            let total = u64::try_from(lists.len()).unwrap_or(0);
            let part = || "list exports".to_owned();
            let started = Event::StepStarted { step: super::STEP, part: part(), total: Some(total) };
            ctx.progress.emit(ctx.clock.now(), started);
            let mut making = MakingLeads::new(ctx, statuses, record)?;
            for (done, (list_id, list_name)) in (1_u64..).zip(lists) {
                let page = export(ctx, &list_id).await?;
                making =
                    tokio::task::spawn_blocking(move || making.take(&list_id, &list_name, &page)).await??;
                let failed = u64::try_from(making.record.rejects.len()).unwrap_or(0);
                let event =
                    Event::StepAdvanced { step: super::STEP, part: part(), done, failed, bucket: None };
                ctx.progress.emit(ctx.clock.now(), event);
            }
            let (record, sealed) = tokio::task::spawn_blocking(move || making.seal()).await??;
            let failed = u64::try_from(record.rejects.len()).unwrap_or(0);
            let event = Event::StepFinished { step: super::STEP, part: part(), done: total, failed };
            ctx.progress.emit(ctx.clock.now(), event);
            Ok((record, vec![sealed]))
        })
        .await
    }
}

async fn stored_lists(ctx: &Context) -> Result<Page, ExtractError> {
    if let Some(page) = pages::load(ctx, LISTS_PAGE).await? {
        return Ok(page);
    }
    let what = "calling lists";
    let fetched_at = ctx.clock.now();
    let lists = pages::ask(ctx, what, ctx.source.lists()).await?;
    let mut body = String::new();
    for list in lists {
        body.push_str(&without_withheld(&list.raw_json).map_err(|_| ExtractError::ItemShape { what })?);
        body.push('\n');
    }
    pages::store(ctx, LISTS_PAGE, fetched_at, Bytes::from(body)).await
}

fn agents(ctx: &Context, page: &Page, record: &mut PartRecord) -> Result<Sealed, ExtractError> {
    let seen = Seen::new(page.fetched_at, "users");
    let mut writer = archive::writer::<SourceAgent>(ctx, ctx.pass, Vec::new())?;
    for line in page.lines() {
        match organisation::agent(line.unwrap_or_default(), &seen) {
            Ok(row) => {
                record.count("agent", 1);
                writer.push(row)?;
            }
            Err(reject) => record.rejects.push(reject),
        }
    }
    Ok(writer.seal()?)
}

fn campaign_rows(
    ctx: &Context,
    page: &Page,
    sponsors: &BTreeMap<String, String>,
    record: &mut PartRecord,
) -> Result<Sealed, ExtractError> {
    let seen = Seen::new(page.fetched_at, "campaigns");
    let mut writer = archive::writer::<SourceCampaign>(ctx, ctx.pass, Vec::new())?;
    for line in page.lines() {
        match organisation::campaign(line.unwrap_or_default(), sponsors, &seen) {
            Ok(row) => {
                record.count("campaign", 1);
                writer.push(row)?;
            }
            Err(reject) => record.rejects.push(reject),
        }
    }
    Ok(writer.seal()?)
}

fn list_rows(
    ctx: &Context,
    page: &Page,
    settings: &BTreeMap<String, ListSettings>,
    record: &mut PartRecord,
) -> Result<Sealed, ExtractError> {
    let seen = Seen::new(page.fetched_at, "calling_list/list");
    let mut writer = archive::writer::<SourceList>(ctx, ctx.pass, Vec::new())?;
    let mut unlisted: BTreeSet<&String> = settings.keys().collect();
    let mut known = BTreeSet::new();
    for line in page.lines() {
        let line = line.unwrap_or_default();
        let object =
            SourceObject::parse(line).map_err(|_| ExtractError::ItemShape { what: "calling lists" })?;
        let id = object.text("id").as_deref().and_then(canonical_id);
        let id = id.ok_or(ExtractError::ItemShape { what: "calling lists" })?;
        if !known.insert(id.clone()) {
            record.rejects.push(SourceReject::record(
                "list",
                id,
                TWICE,
                "the list stands twice in the listing",
            ));
            continue;
        }
        unlisted.remove(&id);
        record.count("list", 1);
        let name = object.text("name").unwrap_or_default();
        let settings = settings.get(&id);
        writer.push(organisation::list(id, name, settings, line.to_owned(), &seen))?;
    }
    let count = u64::try_from(unlisted.len()).unwrap_or(0);
    record.find(
        "EXT403",
        count,
        "lists of lists.csv that LeadDesk does not list; archived ones may be among them",
    );
    Ok(writer.seal()?)
}

/// Id and name of every list, from the sealed table.
async fn known_lists(ctx: &Context) -> Result<Vec<(String, String)>, ExtractError> {
    let reader = archive::open::<SourceList>(ctx, &ctx.run, ctx.pass).await?;
    let mut lists = Vec::new();
    for row in reader {
        let row = row?;
        lists.push((row.leaddesk_list_id, row.list_name));
    }
    Ok(lists)
}

/// The stored export of a list, read now unless an earlier start did. The columns hold nothing that is withheld.
async fn export(ctx: &Context, list_id: &str) -> Result<Page, ExtractError> {
    let name = format!("exports/{list_id}.csv");
    if let Some(page) = pages::load(ctx, &name).await? {
        return Ok(page);
    }
    let fetched_at = ctx.clock.now();
    let body = pages::ask(ctx, "a list export", ctx.source.list_export(list_id)).await?;
    pages::store(ctx, &name, fetched_at, body).await
}

struct MakingLeads {
    ctx: Context,
    statuses: OwnStatuses,
    used_statuses: u64,
    writer: snapshot::TableWriter<SourceLead>,
    record: PartRecord,
    rows: u64,
    unreadable_times: u64,
    empty_exports: u64,
}

impl MakingLeads {
    fn new(ctx: &Context, statuses: OwnStatuses, record: PartRecord) -> Result<Self, ExtractError> {
        let writer = archive::writer::<SourceLead>(ctx, ctx.pass, Vec::new())?;
        Ok(Self {
            ctx: ctx.clone(),
            statuses,
            used_statuses: 0,
            writer,
            record,
            rows: 0,
            unreadable_times: 0,
            empty_exports: 0,
        })
    }

    fn take(mut self, list_id: &str, list_name: &str, page: &Page) -> Result<Self, ExtractError> {
        let of = ExportOf { list_id, list_name, statuses: &self.statuses };
        let seen = Seen::new(page.fetched_at, format!("calling_list/export/{list_id}"));
        let unusable =
            |fault: FileFault| ExtractError::Export { list_id: list_id.to_owned(), fault: Box::new(fault) };
        let leads = export_rows::parse(of, &page.body, &self.ctx.mapping, &seen).map_err(unusable)?;
        self.rows += leads.rows;
        self.empty_exports += u64::from(leads.rows == 0);
        self.unreadable_times += leads.unreadable_times;
        self.record.rejects.extend(leads.rejects);
        for lead in leads.leads {
            let key = (lead.leaddesk_list_id.clone(), lead.leaddesk_contact_id.clone());
            self.used_statuses += u64::from(self.statuses.contains_key(&key));
            self.record.count("lead", 1);
            self.writer.push(lead)?;
        }
        Ok(self)
    }

    fn seal(mut self) -> Result<(PartRecord, Sealed), ExtractError> {
        let unused = u64::try_from(self.statuses.len()).unwrap_or(0).saturating_sub(self.used_statuses);
        self.record.find("EXT404", unused, "rows of leads.csv that belong to no lead of the lists");
        let text = "times in list exports that cannot be read; the text is kept";
        self.record.find(
            "EXT407",
            self.empty_exports,
            "lists without any contact; check that they are meant to be empty",
        );
        self.record.find("EXT405", self.unreadable_times, text);
        self.record.check_drift(&self.ctx, "lead", self.rows)?;
        Ok((self.record, self.writer.seal()?))
    }
}

/// Contacts that a list or a call names, ascending. Frozen, since both tables are sealed.
pub(super) async fn contact_ids(ctx: &Context) -> Result<Vec<u64>, ExtractError> {
    let leads = archive::open::<SourceLead>(ctx, &ctx.run, ctx.pass).await?;
    let calls = if archive::is_sealed(ctx, &ctx.run, ctx.pass, SourceCall::SCHEMA).await? {
        Some(archive::open::<SourceCall>(ctx, &ctx.run, ctx.pass).await?)
    } else {
        None
    };
    tokio::task::spawn_blocking(move || {
        let mut ids = Vec::new();
        for lead in leads {
            ids.extend(lead?.leaddesk_contact_id.parse::<u64>());
        }
        for call in calls.into_iter().flatten() {
            ids.extend(call?.leaddesk_contact_id.and_then(|id| id.parse::<u64>().ok()));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    })
    .await?
}

/// Every number of contacts and leads, with the contact that alone has it.
pub(super) async fn phones(ctx: &Context) -> Result<Phones, ExtractError> {
    let contacts = archive::open::<SourceContact>(ctx, &ctx.run, ctx.pass).await?;
    let leads = archive::open::<SourceLead>(ctx, &ctx.run, ctx.pass).await?;
    tokio::task::spawn_blocking(move || {
        let mut phones = Phones::new();
        let mut add = |number: &str, contact: &str| {
            if number.trim().is_empty() {
                return;
            }
            let owner = phones.entry(number.to_owned()).or_insert_with(|| Some(contact.to_owned()));
            if owner.as_deref() != Some(contact) {
                *owner = None;
            }
        };
        for contact in contacts {
            let contact = contact?;
            let further = contact.phones_joined.iter().flat_map(|joined| joined.split('|'));
            for number in contact.phone_raw.as_deref().into_iter().chain(further) {
                add(number, &contact.leaddesk_contact_id);
            }
        }
        for lead in leads {
            let lead = lead?;
            for number in lead.phones_joined.iter().flat_map(|joined| joined.split('|')) {
                add(number, &lead.leaddesk_contact_id);
            }
        }
        Ok(phones)
    })
    .await?
}
