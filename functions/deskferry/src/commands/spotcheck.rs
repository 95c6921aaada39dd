//! `spotcheck new | record | show`: records compared by hand, and what that says of the others. Sends no request.

use pipeline::context::Context;
use pipeline::spotcheck::{self, Checked, Sample, SpotError};
use pipeline::trace::Record;
use serde_json::json;

use super::trace;
use crate::arguments::{Common, SpotCheckDeed, SpotCheckNew, SpotCheckRecord};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::screen::Screen;
use crate::words;

/// The command that comes after a page.
const RECORD: &str = "deskferry spotcheck record spotcheck.json";

/// Runs one of the three.
pub(crate) fn run(screen: &Screen, common: &Common, deed: &SpotCheckDeed) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let context = trace::look(screen, common).await?;
        match deed {
            SpotCheckDeed::New(wish) => new(screen, &context, wish).await,
            SpotCheckDeed::Record(wish) => record(screen, &context, wish).await,
            SpotCheckDeed::Show => show(screen, &context).await,
        }
    })
}

async fn new(screen: &Screen, context: &Context, wish: &SpotCheckNew) -> Result<Exit, Failure> {
    let sample = spotcheck::new(context, wish.seed, usize::from(wish.records)).await.map_err(told)?;
    let drawn = &sample.drawn;
    screen.say(format!(
        "Spot check {}: {} drawn with seed {}",
        drawn.number,
        words::plural(drawn.records.len() as u64, "record", "records"),
        drawn.seed
    ));
    for (drawn, record) in drawn.records.iter().zip(&sample.records) {
        let strata = drawn.strata.join(", ");
        screen.say(clean::line(&format!("  {}  [{strata}]", line(record))));
        for field in record.fields.iter().filter(|field| field.code.is_some() && !field.is_explained) {
            let shows = wish.shown.show_personal_data;
            let value = |value: &Option<String>| {
                value.as_ref().map_or_else(|| "nothing".to_owned(), |value| field.shown(value, shows))
            };
            let (wanted, found) = (value(&field.wanted), value(&field.found));
            screen.say(clean::line(&format!(
                "      {}: wished {wanted}, found {found}",
                field.shown_label(shows)
            )));
        }
    }
    if !drawn.uncovered.is_empty() {
        screen.say(format!("  no room for: {}", clean::line(&drawn.uncovered.join(", "))));
    }
    screen.say(format!("Page        {} in the store; it holds personal data", sample.page));
    trace::remind(screen, wish.shown.show_personal_data);
    tell(screen, &sample);
    screen.next(RECORD, "after the page was filled in and its results were downloaded");
    Ok(Exit::Done)
}

fn tell(screen: &Screen, sample: &Sample) {
    let records: Vec<_> = sample
        .drawn
        .records
        .iter()
        .map(|it| json!({ "object": it.object, "leaddesk_id": it.leaddesk_id }))
        .collect();
    screen.event(json!({
        "type": "spotcheck",
        "number": sample.drawn.number,
        "seed": sample.drawn.seed,
        "digest": sample.drawn.digest(),
        "records": records,
        "page": sample.page.as_str(),
    }));
}

/// `lead 41:1001 -> ticket 88001, 14 fields, 0 differ`.
fn line(record: &Record) -> String {
    let there = match &record.gorgias_id {
        Some(id) => format!("{} {id}", record.kind()),
        None => "nothing".to_owned(),
    };
    let fields = words::plural(record.fields.len() as u64, "field", "fields");
    format!("{} {} -> {there}, {fields}, {} differ", record.object, record.leaddesk_id, record.differing())
}

async fn record(screen: &Screen, context: &Context, wish: &SpotCheckRecord) -> Result<Exit, Failure> {
    let file = tokio::fs::read(&wish.file).await.map_err(|error| {
        Failure::new(&catalogue::BAD_ARGUMENT, "the results cannot be read")
            .because(&error)
            .seen_in(wish.file.display().to_string())
    })?;
    let checked = spotcheck::record(context, &file, wish.by.as_deref()).await.map_err(told)?;
    say(screen, &checked);
    screen.next("deskferry handoff", "puts the result into the package");
    Ok(Exit::Done)
}

async fn show(screen: &Screen, context: &Context) -> Result<Exit, Failure> {
    let all = spotcheck::all(context).await.map_err(told)?;
    if all.is_empty() {
        screen.say("No spot check was drawn yet");
        screen.next("deskferry spotcheck new", "");
        return Ok(Exit::Done);
    }
    for checked in &all {
        say(screen, checked);
    }
    Ok(Exit::Done)
}

fn say(screen: &Screen, checked: &Checked) {
    screen.say(format!(
        "Spot check {} with seed {}: {} drawn, {} judged, {} wrong",
        checked.number,
        checked.seed,
        words::plural(checked.records, "record", "records"),
        checked.judged,
        checked.wrong
    ));
    for line in &checked.lines {
        screen.say(format!("  {}", clean::line(line)));
    }
    screen.event(json!({
        "type": "spotcheck_tally",
        "number": checked.number,
        "records": checked.records,
        "judged": checked.judged,
        "wrong": checked.wrong,
    }));
}

fn told(error: SpotError) -> Failure {
    let code = error.code();
    let failure = match error {
        SpotError::Trace(error) => return trace::told(error),
        SpotError::NoSample { .. } => {
            Failure::new(&catalogue::OUT_OF_ORDER, error.to_string()).then("deskferry spotcheck new")
        }
        SpotError::File(_) | SpotError::OtherSample { .. } | SpotError::NoName => {
            Failure::new(&catalogue::BAD_ARGUMENT, error.to_string()).because_of_source(&error)
        }
        other => return Failure::from(other),
    };
    failure.detail(code)
}
