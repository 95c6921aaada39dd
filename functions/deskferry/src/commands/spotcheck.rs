//! `spotcheck new | record | show`: records compared by hand, and what that says of the others. Only `show --now` sends
//! requests, which read.

use connectors::place::StorePlace;
use migration::text::mask_value;
use pipeline::context::Context;
use pipeline::spotcheck::now::Side;
use pipeline::spotcheck::{self, Checked, Sample, SpotError};
use pipeline::trace::Record;
use serde_json::json;

use super::trace;
use crate::arguments::{Common, SpotCheckDeed, SpotCheckNew, SpotCheckRecord, SpotCheckShow};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::project;
use crate::screen::Screen;
use crate::words;

/// The command that comes after a page.
const RECORD: &str = "deskferry spotcheck record spotcheck.json";

/// Runs one of the three.
pub(crate) fn run(screen: &Screen, common: &Common, deed: &SpotCheckDeed) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let context = trace::look(screen, common).await?;
        match deed {
            SpotCheckDeed::New(wish) => {
                let store = project::read_config(&common.config).await?.store;
                new(screen, &context, &store, wish).await
            }
            SpotCheckDeed::Record(wish) => record(screen, &context, wish).await,
            SpotCheckDeed::Show(wish) if wish.now => live(screen, &context, *wish).await,
            SpotCheckDeed::Show(_) => show(screen, &context).await,
        }
    })
}

async fn new(
    screen: &Screen,
    context: &Context,
    store: &StorePlace,
    wish: &SpotCheckNew,
) -> Result<Exit, Failure> {
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
    screen.say(format!("Page        {} (it holds personal data)", store.of(sample.page.as_str())));
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
    let fields = words::plural(record.fields.len() as u64, "field", "fields");
    format!("{}, {fields}, {} differ", way(record), record.differing())
}

/// `lead 41:1001 -> ticket 88001`, or `-> nothing`.
fn way(record: &Record) -> String {
    let there = match &record.gorgias_id {
        Some(id) => format!("{} {id}", record.kind()),
        None => "nothing".to_owned(),
    };
    format!("{} {} -> {there}", record.object, record.leaddesk_id)
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

/// Both systems at this moment, beside what was read of them.
async fn live(screen: &Screen, context: &Context, wish: SpotCheckShow) -> Result<Exit, Failure> {
    let all = spotcheck::now::now(context).await.map_err(told)?;
    let shows = wish.shown.show_personal_data;
    let mut changed = 0_u64;
    let mut same = [0_u64; 2];
    for one in &all {
        let record = &one.record;
        screen.say(clean::line(&format!("  {}", way(record))));
        let sides = [("LeadDesk", &one.leaddesk), ("Gorgias", &one.gorgias)];
        for (same, (system, side)) in same.iter_mut().zip(sides) {
            changed += u64::from(matches!(side, Side::Changed(_) | Side::Gone));
            *same += u64::from(*side == Side::Same);
            for line in side_lines(side, shows) {
                screen.say(clean::line(&format!("      {system:<9} {line}")));
            }
        }
        screen.event(json!({
            "type": "spotcheck_now",
            "object": record.object,
            "leaddesk_id": record.leaddesk_id,
            "gorgias_id": record.gorgias_id,
            "leaddesk": side_json(&one.leaddesk),
            "gorgias": side_json(&one.gorgias),
        }));
    }
    trace::remind(screen, shows);
    let [leaddesk, gorgias] = same.map(words::count);
    screen.say(format!(
        "Of {}, LeadDesk shows {leaddesk} and Gorgias {gorgias} as they were read; {} another than what was read; the rest \
         cannot be asked for one by one",
        words::plural(all.len() as u64, "record", "records"),
        match changed {
            0 => "none is".to_owned(),
            _ => words::plural(changed, "side is", "sides are"),
        }
    ));
    screen.next("deskferry reconcile --again", "compares everything, and tells damage from people's work");
    Ok(Exit::Done)
}

fn side_lines(side: &Side, shows: bool) -> Vec<String> {
    let value = |value: &Option<String>, is_personal: bool| match value {
        None => "nothing".to_owned(),
        Some(value) if is_personal && !shows => mask_value(value),
        Some(value) => value.clone(),
    };
    match side {
        Side::Same => vec!["as it was read".to_owned()],
        Side::Gone => vec!["not there any more".to_owned()],
        Side::NotAsked(why) => vec![format!("not asked: {why}")],
        Side::Changed(changes) => changes
            .iter()
            .map(|it| {
                let (then, now) = (value(&it.then, it.is_personal), value(&it.now, it.is_personal));
                // The address of a channel is in its name.
                let label = match it.label.split_once(' ') {
                    Some((kind, address)) if !shows && kind.starts_with("channel[") => {
                        format!("{kind} {}", mask_value(address))
                    }
                    _ => it.label.clone(),
                };
                format!("{label}: was {then}, is {now}")
            })
            .collect(),
    }
}

fn side_json(side: &Side) -> serde_json::Value {
    match side {
        Side::Same => json!({ "state": "same" }),
        Side::Gone => json!({ "state": "gone" }),
        Side::NotAsked(why) => json!({ "state": "not_asked", "why": why }),
        Side::Changed(changes) => json!({
            "state": "changed",
            "count": changes.len(),
        }),
    }
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
