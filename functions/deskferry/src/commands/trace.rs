//! `where` and `why`: where a record of LeadDesk went, and why a field of Gorgias holds what it holds. Both answer from the
//! store; no request is sent.

use std::sync::Arc;

use connectors::connect;
use jiff::tz::TimeZone;
use pipeline::context::Context;
use pipeline::trace::{self, Cell, Field, Mention, Record, Said, TraceError};
use serde_json::json;

use crate::arguments::{Common, Kind, Where, Why};
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::runs::{Runs, Wanted};
use crate::screen::Screen;
use crate::{clean, project, words};

/// Mentions of the ledger that are shown; a record that was repaired and rolled back has more than a few.
const MENTIONS_SHOWN_MAX: usize = 12;
/// Characters of a value that are shown; the tables have all of it.
const VALUE_CHARS_MAX: usize = 160;

/// Says where a record went.
pub(crate) fn find(screen: &Screen, common: &Common, wish: &Where) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let context = look(screen, common).await?;
        let records = trace::find(&context, &wish.id, wish.object.as_deref()).await.map_err(told)?;
        if records.len() > 1 {
            screen.say(format!(
                "{} is the id of {}; --object names one of them",
                clean::line(&wish.id),
                words::plural(records.len() as u64, "record", "records")
            ));
        }
        for record in &records {
            Answer { screen, shows_personal: wish.shown.show_personal_data }.place(record);
        }
        remind(screen, wish.shown.show_personal_data);
        Ok(Exit::Done)
    })
}

/// Says why a field holds what it holds.
pub(crate) fn explain(screen: &Screen, common: &Common, wish: &Why) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let context = look(screen, common).await?;
        let kind = wish.kind.map(Kind::as_str);
        let (record, fields) = trace::why(&context, &wish.record, &wish.field, kind).await.map_err(told)?;
        for field in &fields {
            Answer { screen, shows_personal: wish.shown.show_personal_data }.reason(&record, field);
        }
        remind(screen, wish.shown.show_personal_data);
        Ok(Exit::Done)
    })
}

/// The newest run, or the one that is named, as the store shows it.
pub(super) async fn look(screen: &Screen, common: &Common) -> Result<Context, Failure> {
    let config = project::read_config(&common.config).await?;
    let store = connect::open_store(&config.store).await?;
    let runs = Runs { store: &*store, migration: &config.migration };
    let today = jiff::Timestamp::now().to_zoned(screen.look().zone.clone()).date();
    let chosen = runs.choose(common.run.as_deref(), Wanted::Newest, today).await?;
    screen.say(format!("Run {} of migration {}", chosen.run, config.migration));
    project::look(screen, &config, chosen.run, Arc::clone(&store))
}

pub(super) fn remind(screen: &Screen, shows_personal: bool) {
    if shows_personal {
        screen.say("This shows personal data: keep it where only those can read who may");
    } else {
        screen.say("Values of persons are hidden; --show-personal-data shows them");
    }
}

pub(super) fn told(error: TraceError) -> Failure {
    let code = error.code();
    let failure = match &error {
        TraceError::NoIdMap { .. } => {
            Failure::new(&catalogue::OUT_OF_ORDER, error.to_string()).then("deskferry report")
        }
        TraceError::Unknown { .. } | TraceError::NotOurs { .. } | TraceError::NoField { .. } => {
            Failure::new(&catalogue::BAD_ARGUMENT, error.to_string())
                .fix(format!("see what the code says: deskferry explain {code}"))
        }
        _ => return Failure::from(error),
    };
    failure.detail(code)
}

/// Prints an answer.
struct Answer<'a> {
    screen: &'a Screen,
    shows_personal: bool,
}

impl Answer<'_> {
    fn row(&self, label: &str, text: impl AsRef<str>) {
        self.screen.say(format!("  {label:<11} {}", clean::line(text.as_ref())));
    }

    fn place(&self, record: &Record) {
        let (object, id) = (&record.object, &record.leaddesk_id);
        let head = match &record.gorgias_id {
            Some(there) => format!("{object} {id} is {} {there}", record.kind()),
            None => format!("{object} {id} is not at Gorgias"),
        };
        self.screen.say(clean::line(&head));
        if let Some(ticket) = record.ticket_id.as_ref() {
            self.row("Ticket", ticket);
        }
        if let Some(url) = &record.url {
            self.row("Address", url);
        }
        if let Some(ours) = &record.external_id {
            self.row("Our key", ours);
        }
        if let Some((into, why)) = &record.merged_into {
            self.row("Merged", format!("part of {into}, because of its {why}"));
        }
        for trouble in &record.troubles {
            self.row("Reason", format!("{} {}: {}", trouble.code, trouble.state, trouble.reason));
        }
        for cell in &record.source {
            self.row("Source", self.cell(cell));
        }
        self.mentions(&record.mentions);
        self.row("Read back", self.verdict(record));
        self.screen.event(json!({
            "type": "where",
            "object": object,
            "leaddesk_id": id,
            "external_id": record.external_id,
            "gorgias": record.kind(),
            "gorgias_id": record.gorgias_id,
            "url": record.url,
            "merged_into": record.merged_into.as_ref().map(|(into, _)| into),
            "reasons": record.troubles.iter().map(|it| &it.code).collect::<Vec<_>>(),
            "fields": record.fields.len(),
            "fields_different": record.differing(),
        }));
    }

    fn verdict(&self, record: &Record) -> String {
        let differing = record.differing();
        match record.is_found {
            None if record.gorgias_id.is_none() => "there is nothing to read".to_owned(),
            None => "Gorgias was not read back since, or not this kind of record".to_owned(),
            Some(false) => "it was not there when Gorgias was read back".to_owned(),
            Some(true) if differing == 0 => {
                format!("as wished, {}", words::plural(record.fields.len() as u64, "field", "fields"))
            }
            Some(true) => format!(
                "{} of {} differ: {}",
                differing,
                words::plural(record.fields.len() as u64, "field", "fields"),
                record
                    .fields
                    .iter()
                    .filter(|field| field.code.is_some() && !field.is_explained)
                    .map(|field| field.shown_label(self.shows_personal))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        }
    }

    fn cell(&self, cell: &Cell) -> String {
        let origin = if cell.origin.is_empty() { cell.table } else { cell.origin };
        format!(
            "{} = {}  [{origin}; {}]",
            cell.column,
            shortened(&cell.shown(self.shows_personal)),
            cell.page
        )
    }

    fn mentions(&self, mentions: &[Mention]) {
        if mentions.is_empty() {
            self.row("Written", "the ledger has no write of its own for it");
        }
        for mention in mentions.iter().take(MENTIONS_SHOWN_MAX) {
            self.row("Written", self.mention(mention));
        }
        if mentions.len() > MENTIONS_SHOWN_MAX {
            self.row("", format!("and {} more", mentions.len() - MENTIONS_SHOWN_MAX));
        }
    }

    fn mention(&self, mention: &Mention) -> String {
        let at = words::moment(mention.at, &TimeZone::UTC);
        let what = match &mention.what {
            Said::Announced(operation) => format!("{operation} announced"),
            Said::Ended { class, via, id, note } => {
                let id = id.map_or_else(String::new, |id| format!(" as {id}"));
                let note = note.as_ref().map_or_else(String::new, |(code, _)| format!(", {code}"));
                format!("{class}{id}, known by {via}{note}")
            }
        };
        format!("{what}; segment {} of {at}, run {}", mention.segment, mention.run)
    }

    fn reason(&self, record: &Record, field: &Field) {
        let label = field.shown_label(self.shows_personal);
        let head = format!("{label} of {}, from {} {}", record.name(), record.object, record.leaddesk_id);
        self.screen.say(clean::line(&head));
        for cell in &field.sources {
            self.row("Source", self.cell(cell));
        }
        if field.sources.is_empty() {
            self.row("Source", "no column of LeadDesk is filled for it");
        }
        self.row("Rule", &field.rule.words);
        if let Some(row) = &field.rule.row {
            self.row("Mapping", row);
        }
        let (by, at, digest) = &record.approved;
        let short = digest.get(..12).unwrap_or(digest);
        self.row("Approved", format!("by {by} at {}, mapping {short}", words::moment(*at, &TimeZone::UTC)));
        let value = |value: &Option<String>| {
            value.as_ref().map_or_else(
                || "nothing".to_owned(),
                |value| shortened(&field.shown(value, self.shows_personal)),
            )
        };
        self.row("Wished", value(&field.wanted));
        self.mentions(&record.mentions);
        let verdict = verdict_of(record, field);
        self.row("Read back", format!("{}: {verdict}", value(&field.found)));
        self.screen.event(json!({
            "type": "why",
            "record": record.name(),
            "object": record.object,
            "leaddesk_id": record.leaddesk_id,
            "field": label,
            "sources": field.sources.iter().map(|cell| json!({
                "column": cell.column,
                "origin": cell.origin,
                "page": cell.page,
                "value": cell.shown(self.shows_personal),
            })).collect::<Vec<_>>(),
            "rule": field.rule.words,
            "mapping_row": field.rule.row,
            "approved_by": by,
            "mapping": digest,
            "wished": field.wanted.as_ref().map(|value| field.shown(value, self.shows_personal)),
            "found": field.found.as_ref().map(|value| field.shown(value, self.shows_personal)),
            "code": field.code,
            "is_explained": field.is_explained,
        }));
    }
}

fn verdict_of(record: &Record, field: &Field) -> String {
    match (&field.code, record.is_found) {
        (Some(code), _) if field.is_explained => format!("differs ({code}), for a reason that is declared"),
        (Some(code), _) => format!("differs ({code})"),
        (None, Some(true)) => "as wished".to_owned(),
        (None, Some(false)) => "the record was not there".to_owned(),
        (None, None) => "not read back".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= VALUE_CHARS_MAX {
        return line;
    }
    let head: String = line.chars().take(VALUE_CHARS_MAX).collect();
    format!("{head}…")
}
