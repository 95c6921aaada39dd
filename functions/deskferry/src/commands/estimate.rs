//! `estimate`: what the run will send, how long it takes, what it costs, and what it loses, before anything moves.
//!
//! Deliberately absent: figures of its own; `pipeline::estimate` counts, this shows.

use migration::local_time::SourceZone;
use migration::working_hours::WorkingHours;
use pipeline::estimate::{self, EstimateV1, Options, RangeV1, SecondsV1};
use pipeline::losses::AllowedV1;
use serde_json::json;

use super::steps;
use crate::arguments::{Common, Estimate, RECENT_DAYS};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt;
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;
use crate::words;

/// Bytes of a megabyte.
const MEGABYTE: u64 = 1_000_000;
/// Days behind the point where agents look back for more than a lifetime.
const RECENT_DAYS_MAX: u32 = 36_500;

/// Makes an estimate and shows it.
pub(crate) fn run(screen: &Screen, common: &Common, wish: &Estimate) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let project = Project::open(screen, common, "estimate", Wanted::UnfinishedOrNewest).await?;
        let options = options(&project, wish)?;
        let interrupt = interrupt::listen()?;
        let work = async { estimate::run(&project.context, &options).await.map_err(Failure::from) };
        let estimate = project.work(screen, &interrupt, work).await?;
        tell(screen, &project, &estimate);
        if let Some(hours) = options.hours.filter(|hours| Some(hours) != project.config.limits.hours.as_ref())
        {
            screen.say(format!(
                "  a run keeps these hours when hours and hours_zone under [gorgias] in migration.toml say so: {hours}"
            ));
        }
        steps::say_next(screen, &project).await?;
        Ok(Exit::Done)
    })
}

/// Makes an estimate where there is none yet, so that what is lost can be approved with the mapping.
pub(crate) async fn ensure(screen: &Screen, project: &Project) -> Result<EstimateV1, Failure> {
    if let Some(held) = estimate::latest(&project.context).await? {
        return Ok(held);
    }
    let all_day = Estimate { window: None, zone: None, recent_days: RECENT_DAYS };
    let estimate = estimate::run(&project.context, &options(project, &all_day)?).await?;
    tell(screen, project, &estimate);
    Ok(estimate)
}

fn options(project: &Project, wish: &Estimate) -> Result<Options, Failure> {
    let refused =
        |what: &str, why: String| Failure::new(&catalogue::BAD_ARGUMENT, what.to_owned()).with_why(why);
    if wish.recent_days > RECENT_DAYS_MAX {
        return Err(refused("--recent-days is beyond reason", format!("at most {RECENT_DAYS_MAX} days")));
    }
    let hours = match &wish.window {
        None => project.config.limits.hours.clone(),
        Some(text) => {
            let zone = match &wish.zone {
                Some(name) => SourceZone::new(name)
                    .map_err(|error| refused("--zone names no zone", error.to_string()))?,
                None => project.config.mapping.zone.clone(),
            };
            let hours = WorkingHours::parse(text, zone)
                .map_err(|error| refused("--window names no hours", error.to_string()))?;
            Some(hours)
        }
    };
    Ok(Options {
        bucket: project.config.gorgias.bucket,
        source_per_second: project.config.leaddesk.requests_per_second,
        hours,
        recent_days: wish.recent_days,
    })
}

/// Shows an estimate.
pub(crate) fn tell(screen: &Screen, project: &Project, estimate: &EstimateV1) {
    for line in lines(estimate, &screen.look().zone) {
        screen.say(line);
    }
    let digest = estimate.budget().map(|budget| budget.digest().to_hex()).unwrap_or_default();
    screen.event(json!({
        "type": "estimate",
        "estimate": estimate,
        "loss_budget": digest,
        "documents": project.place(&format!("runs/{}/estimate", project.run())),
    }));
}

fn lines(estimate: &EstimateV1, zone: &jiff::tz::TimeZone) -> Vec<String> {
    let mut lines = vec![format!(
        "Estimate    for mapping {}, from {} ({} of {} cards of contacts read)",
        short(&estimate.mapping),
        estimate.evidence.basis,
        words::count(estimate.evidence.cards_read),
        words::count(estimate.evidence.contacts),
    )];
    lines.push("Gorgias     requests by step and kind".to_owned());
    for kind in estimate.requests.iter().filter(|kind| kind.requests.high > 0) {
        lines.push(format!("  {:<10}{:<28}{}", kind.step, kind.what, range(kind.requests)));
    }
    lines.push(format!("  {:<38}{}", "all", range(estimate.requests_total)));
    if !estimate.source_requests.is_empty() {
        lines.push("LeadDesk    requests by command".to_owned());
        for (command, requests) in &estimate.source_requests {
            lines.push(format!("  {command:<38}{}", range(*requests)));
        }
    }
    times(estimate, zone, &mut lines);
    let megabytes = |range: &RangeV1| words::count(range.likely.div_ceil(MEGABYTE));
    for (what, bytes) in &estimate.bytes {
        lines.push(format!("Bytes       {what}: about {} MB", megabytes(bytes)));
    }
    let dollars: f64 = estimate.aws.values().sum();
    lines.push(format!("AWS         about {dollars:.2} $ for the run, prices of {}", estimate.aws_prices_of));
    for (service, dollars) in &estimate.aws {
        lines.push(format!("  {service:<38}{dollars:>10.4} $"));
    }
    lines.push(format!(
        "Billing     {} for certain, {} perhaps",
        words::plural(estimate.billing.certain, "ticket", "tickets"),
        words::count(estimate.billing.possible),
    ));
    lines.extend(estimate.billing.not_known.iter().map(|said| format!("  not known: {said}")));
    losses(estimate, &mut lines);
    lines.extend(estimate.evidence.assumptions.iter().map(|said| format!("Assumed     {said}")));
    lines
}

fn times(estimate: &EstimateV1, zone: &jiff::tz::TimeZone, lines: &mut Vec<String>) {
    let times = &estimate.times;
    lines.push(format!("Time        {}, {}", spread(times.all), times.limited_by));
    lines.push(format!(
        "  LeadDesk {}, Gorgias {}",
        words::duration(times.extract.likely),
        words::duration(times.gorgias.likely)
    ));
    let order = &estimate.order;
    lines.push(format!(
        "Agents      can start after {}: {} of {} tickets come first, {} open ones and those of the last {} days",
        spread(times.until_start),
        words::count(order.first),
        words::count(order.tickets),
        words::count(order.open),
        order.recent_days,
    ));
    if let (Some(start), Some(end)) = (times.start_at, times.end_at) {
        let hours = estimate.limits.hours.as_deref().unwrap_or("day and night");
        lines.push(format!(
            "  begun now, working {hours}: agents start {}, all is there {}",
            words::moment(start, zone),
            words::moment(end, zone)
        ));
    }
}

fn losses(estimate: &EstimateV1, lines: &mut Vec<String>) {
    let how = if estimate.losses.is_exact { "counted" } else { "estimated, with the most that may be" };
    lines.push(format!("Losses      what does not arrive bit by bit, {how}"));
    let (expected, allowed): (Vec<_>, Vec<_>) =
        estimate.losses.kinds.iter().partition(|(_, allowed)| allowed.expected > 0);
    for (key, allowed) in expected {
        lines.push(loss(key, allowed, estimate.losses.is_exact));
    }
    if !allowed.is_empty() {
        let kinds: Vec<String> =
            allowed.iter().map(|(key, allowed)| format!("{key} {}", words::count(allowed.bound))).collect();
        lines.push(format!("  not seen in the samples, and allowed for: {}", kinds.join(", ")));
    }
}

fn loss(key: &str, allowed: &AllowedV1, is_exact: bool) -> String {
    let code = key.split_once('/').map_or(key, |(_, code)| code);
    let bound = if is_exact { String::new() } else { format!(" (at most {})", words::count(allowed.bound)) };
    let example = allowed.examples.first().map(|example| format!("such as {}", clean::line(example)));
    let told: Vec<String> =
        super::explain::title(code).map(str::to_owned).into_iter().chain(example).collect();
    format!("  {:<11} {key:<24} {}{bound}  {}", allowed.way, words::count(allowed.expected), told.join("; "))
}

/// `1,234`, or `1,234 (1,200 to 1,300)`.
fn range(range: RangeV1) -> String {
    let likely = words::count(range.likely);
    if range.low == range.high {
        return format!("{likely:>10}");
    }
    format!("{likely:>10}  ({} to {})", words::count(range.low), words::count(range.high))
}

fn spread(seconds: SecondsV1) -> String {
    let likely = words::duration(seconds.likely);
    let (low, high) = (words::duration(seconds.low), words::duration(seconds.high));
    if low == high { likely } else { format!("{likely} ({low} to {high})") }
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
