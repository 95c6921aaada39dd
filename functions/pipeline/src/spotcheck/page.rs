//! A sample as one page: every record side by side, readable without scripts, with a form whose answers are downloaded.
//!
//! The page asks the network for nothing: its policy forbids it, and its style and script are inside. It holds personal
//! data, since that is what has to be compared, and says so.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::SpotError;
use super::stored::SampleV1;
use crate::context::Context;
use crate::trace::Record;

const STYLE: &str = include_str!("../../templates/spotcheck.css");
const SCRIPT: &str = include_str!("../../templates/spotcheck.js");

#[derive(Template)]
#[template(path = "spotcheck.html")]
struct Page<'a> {
    policy: String,
    style: &'a str,
    script: &'a str,
    migration: &'a str,
    sample: &'a SampleV1,
    digest: String,
    version: &'a str,
    records: Vec<Shown<'a>>,
}

/// One record of the page.
struct Shown<'a> {
    number: usize,
    object: &'a str,
    id: &'a str,
    at_gorgias: String,
    url: &'a str,
    strata: String,
    troubles: Vec<String>,
    source: Vec<(&'a str, &'a str, &'a str)>,
    rows: Vec<Line<'a>>,
}

/// One field of a record.
struct Line<'a> {
    label: String,
    source: String,
    wanted: &'a str,
    found: &'a str,
    verdict: &'static str,
}

/// The page as text.
pub(super) fn render(ctx: &Context, sample: &SampleV1, records: &[Record]) -> Result<String, SpotError> {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let page = Page {
        policy,
        style: STYLE,
        script: SCRIPT,
        migration: &ctx.migration,
        sample,
        digest: sample.digest(),
        version: env!("CARGO_PKG_VERSION"),
        records: (1..).zip(records).map(|(number, record)| shown(number, record, sample)).collect(),
    };
    page.render().map_err(SpotError::Page)
}

fn shown<'a>(number: usize, record: &'a Record, sample: &SampleV1) -> Shown<'a> {
    let drawn =
        sample.records.iter().find(|it| it.object == record.object && it.leaddesk_id == record.leaddesk_id);
    let mut troubles: Vec<String> =
        record.troubles.iter().map(|it| format!("{} {}: {}", it.code, it.state, it.reason)).collect();
    if let Some((into, why)) = &record.merged_into {
        troubles.push(format!("part of {into}, because of its {why}"));
    }
    if record.is_found == Some(false) {
        troubles.push("not there when Gorgias was read back".to_owned());
    }
    Shown {
        number,
        object: &record.object,
        id: &record.leaddesk_id,
        at_gorgias: match record.gorgias_id {
            Some(_) => record.name(),
            None => "nothing".to_owned(),
        },
        url: record
            .url
            .as_deref()
            .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
            .unwrap_or_default(),
        strata: drawn.map_or_else(String::new, |it| it.strata.join(", ")),
        troubles,
        source: record.source.iter().map(|it| (it.column.as_str(), it.value.as_str(), it.origin)).collect(),
        rows: record.fields.iter().map(line).collect(),
    }
}

fn line(field: &crate::trace::Field) -> Line<'_> {
    let source: Vec<String> =
        field.sources.iter().map(|cell| format!("{}: {}", cell.column, cell.value)).collect();
    Line {
        label: field.shown_label(true),
        source: source.join("; "),
        wanted: field.wanted.as_deref().unwrap_or_default(),
        found: field.found.as_deref().unwrap_or_default(),
        verdict: match (&field.code, field.is_explained) {
            (None, _) => "same",
            (Some(_), true) => "differs, explained",
            (Some(_), false) => "differs",
        },
    }
}
