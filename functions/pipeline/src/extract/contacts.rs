//! `contact/get` for every contact that a list or a call names, in stored pages of a fixed size.
//!
//! The ids are frozen before the first request, so that page 17 holds the same contacts after a restart. A restart
//! asks again for at most the page that it was in.

use migration::finding;
use migration::settings::MappingSettings;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use snapshot::tables::{SourceContact, SourceFieldValue};
use snapshot::{Sealed, TableWriter};

use super::contact::{self, ContactRows};
use super::error::ExtractError;
use super::pages::{self, Page};
use super::part::{PartRecord, SourceReject};
use super::seen::Seen;
use super::since::Carried;
use crate::archive;
use crate::context::Context;
use crate::ports::leaddesk::SourceError;
use crate::progress::Event;
use crate::source_json::without_withheld;

/// Contacts of one stored page: what a restart may ask for again.
pub const PAGE_CONTACTS: usize = 1_000;
/// Bytes of one answer at most; a contact card has a few thousand.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The contact is gone.
pub const GONE: &str = "EXT311";
/// The answer is larger than any card.
pub const TOO_LARGE: &str = "EXT310";

/// One line of a page: an answer without withheld values, or the code of the reason why there is none.
#[derive(Debug, Serialize, Deserialize)]
struct Line<'a> {
    id: &'a str,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    answer: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl<'a> Line<'a> {
    fn flawed(id: &'a str, code: &str, reason: String) -> Self {
        Self { id, answer: None, code: Some(code.to_owned()), reason: Some(reason) }
    }
}

/// Tables of the contacts.
#[derive(Debug)]
pub struct SealedContacts {
    /// Cards.
    pub contacts: Sealed,
    /// Filled slots.
    pub values: Sealed,
}

/// Name of a stored page.
fn page_name(number: usize) -> String {
    format!("contacts/{number:06}.ndjson")
}

/// Reads what is not stored yet, then makes the tables from the stored pages.
///
/// # Errors
/// What LeadDesk, the store or the writer say.
pub async fn read(
    ctx: &Context,
    ids: &[u64],
    carried: Option<Carried>,
    record: &mut PartRecord,
) -> Result<SealedContacts, ExtractError> {
    let total = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let part = || "contacts".to_owned();
    ctx.progress
        .emit(ctx.clock.now(), Event::StepStarted { step: "extract", part: part(), total: Some(total) });
    let mut making = Making {
        ctx: ctx.clone(),
        contacts: archive::writer::<SourceContact>(ctx, ctx.pass, Vec::new())?,
        values: archive::writer::<SourceFieldValue>(ctx, ctx.pass, Vec::new())?,
        record: PartRecord::default(),
        nested: 0,
    };
    let mut done = 0;
    for (number, chunk) in ids.chunks(PAGE_CONTACTS).enumerate() {
        let page = pages::of_lines(ctx, &page_name(number), chunk, |id| line(ctx, id)).await?;
        done += u64::try_from(chunk.len()).unwrap_or(0);
        // Parsing and spilling block; the thread that answers requests must not wait for them.
        making = tokio::task::spawn_blocking(move || making.take(number, &page)).await??;
        let failed = u64::try_from(making.record.rejects.len()).unwrap_or(0);
        let event = Event::StepAdvanced { step: "extract", part: part(), done, failed, bucket: None };
        ctx.progress.emit(ctx.clock.now(), event);
    }
    let seal = move || {
        if let Some(carried) = carried {
            making.carry(carried)?;
        }
        making.seal()
    };
    let (sealed, made) = tokio::task::spawn_blocking(seal).await??;
    record.rejects.extend(made.rejects);
    record.findings.extend(made.findings);
    record.count("contact", made.counts.get("contact").copied().unwrap_or(0));
    record.check_drift(ctx, "contact", total)?;
    let failed = u64::try_from(record.rejects.len()).unwrap_or(0);
    let event = Event::StepFinished { step: "extract", part: part(), done: total, failed };
    ctx.progress.emit(ctx.clock.now(), event);
    Ok(sealed)
}

/// Asks for one contact; the line that a page keeps of it.
pub(crate) async fn line(ctx: &Context, id: u64) -> Result<String, ExtractError> {
    let id = id.to_string();
    let kept;
    let line = match pages::ask(ctx, "contacts", ctx.source.contact(&id)).await {
        Err(ExtractError::Source { source: SourceError::NotFound { .. }, .. }) => {
            Line::flawed(&id, GONE, "LeadDesk has no such contact any more".to_owned())
        }
        Err(error) => return Err(error),
        Ok(answer) if answer.len() > ANSWER_BYTES_MAX => {
            Line::flawed(&id, TOO_LARGE, format!("the answer has {} bytes", answer.len()))
        }
        Ok(answer) => match without_withheld(&answer) {
            // What cannot be read cannot be cleared of withheld values either, so nothing of it is kept.
            Err(flaw) => Line::flawed(&id, flaw.code(), flaw.to_string()),
            Ok(cleared) => {
                kept = RawValue::from_string(cleared)
                    .map_err(|_| ExtractError::ItemShape { what: "contacts" })?;
                Line { id: &id, answer: Some(&kept), code: None, reason: None }
            }
        },
    };
    serde_json::to_string(&line).map_err(|_| ExtractError::ItemShape { what: "contacts" })
}

/// Id and answer of a line as LeadDesk gave it, without withheld values; no answer where LeadDesk gave none that is kept.
pub(crate) fn answer_of(line: &str) -> Option<(u64, Option<String>)> {
    let line: Line<'_> = serde_json::from_str(line).ok()?;
    Some((line.id.parse().ok()?, line.answer.map(|answer| answer.get().to_owned())))
}

/// What a line of a page holds; `None` when it is no line of ours.
pub(crate) fn parse_line(
    line: &str,
    settings: &MappingSettings,
    seen: &Seen,
) -> Option<Result<ContactRows, SourceReject>> {
    let line: Line<'_> = serde_json::from_str(line).ok()?;
    match line.answer {
        Some(answer) => Some(contact::parse(line.id, answer.get(), settings, seen)),
        None => {
            let (code, reason) = line.code.zip(line.reason)?;
            Some(Err(SourceReject::record("contact", line.id, &code, reason)))
        }
    }
}

struct Making {
    ctx: Context,
    contacts: TableWriter<SourceContact>,
    values: TableWriter<SourceFieldValue>,
    record: PartRecord,
    nested: u64,
}

impl Making {
    fn take(mut self, number: usize, page: &Page) -> Result<Self, ExtractError> {
        let broken = || ExtractError::StoredPage { key: page_name(number) };
        let seen = Seen::new(page.fetched_at, format!("contacts/{number:06}"));
        for line in page.lines() {
            match parse_line(line.ok_or_else(broken)?, &self.ctx.mapping, &seen).ok_or_else(broken)? {
                Err(reject) => self.record.rejects.push(reject),
                Ok(rows) => self.keep(rows)?,
            }
        }
        Ok(self)
    }

    fn keep(&mut self, rows: ContactRows) -> Result<(), ExtractError> {
        self.nested += u64::from(rows.nested_keys > 0);
        self.record.count("contact", 1);
        self.contacts.push(rows.contact)?;
        for value in rows.values {
            self.values.push(value)?;
        }
        Ok(())
    }

    /// Takes over what was not asked for again.
    fn carry(&mut self, carried: Carried) -> Result<(), ExtractError> {
        self.record.rejects.extend(carried.rejects);
        let is_kept = |id: &str| id.parse().is_ok_and(|id: u64| carried.kept.contains(&id));
        for row in carried.contacts {
            let row = row?;
            if is_kept(&row.leaddesk_contact_id) {
                self.record.count("contact", 1);
                self.contacts.push(row)?;
            }
        }
        for row in carried.values {
            let row = row?;
            if is_kept(&row.leaddesk_contact_id) {
                self.values.push(row)?;
            }
        }
        Ok(())
    }

    fn seal(mut self) -> Result<(SealedContacts, PartRecord), ExtractError> {
        let text = "contacts hold a nested value where a text belongs; it stays in the raw record";
        self.record.find(finding::DIS104_CONTACT_NESTED.as_str(), self.nested, text);
        let sealed = SealedContacts { contacts: self.contacts.seal()?, values: self.values.seal()? };
        Ok((sealed, self.record))
    }
}
