//! What was counted -> the estimate: requests with their bounds, hours, bytes, dollars, what may be billed.
//!
//! Deliberately absent: reading anything but the sizes of tables.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use migration::forecast::{self, Range, Work, margin};
use migration::loss::{LossBudget, LossKey, Sampled};
use migration::settings::RecordingPolicy;
use migration::working_hours::ends_at;

use super::Options;
use super::count::Counted;
use super::error::EstimateError;
use super::holdings::Holdings;
use super::shadow::CallLog;
use super::stored::{
    BillingV1, EstimateV1, EvidenceV1, KindV1, LimitsV1, OrderV1, RangeV1, SecondsV1, TimesV1,
};
use crate::archive;
use crate::context::Context;
use crate::cost;
use crate::losses::BudgetV1;

/// Requests repeated after faults that the upper bound has room for, in thousandths.
const FAULTS_PERMILLE: u64 = 10;
/// Bytes of a second of recorded speech: 8, 32 and 128 kilobits a second.
const RECORDING_BYTES: [u64; 3] = [1_000, 4_000, 16_000];
/// What is read back from Gorgias takes about as much room as what was wished for, and each is a snapshot.
const READ_BACK_SHARE: u64 = 1;

/// Everything that was found out.
pub(super) struct Known {
    pub(super) mapping: String,
    pub(super) recording: RecordingPolicy,
    pub(super) losses: LossBudget,
    /// Of source and wish.
    pub(super) lake_bytes: u64,
    /// Before the extraction: cards that were read, and of these the ones that LeadDesk did not give.
    pub(super) sampled: Option<(Sampled, u64)>,
    /// Requests that the extraction sends; absent when it is over.
    pub(super) source_requests: Option<BTreeMap<String, u64>>,
    pub(super) counted: Counted,
    pub(super) held: Holdings,
    pub(super) log: CallLog,
}

/// Bytes of all sealed tables of the run.
pub(super) async fn lake_bytes(ctx: &Context) -> Result<u64, EstimateError> {
    let mut bytes = 0;
    let tables = crate::extract::tables(ctx).into_iter().chain(crate::transform::tables(ctx));
    for table in tables {
        let manifest = archive::manifest(ctx, &ctx.run, snapshot::Pass::Full, table).await?;
        bytes += manifest.map_or(0, |manifest| manifest.bytes);
    }
    Ok(bytes)
}

/// Work at the least, most likely and at the most.
struct Bounds {
    low: Work,
    likely: Work,
    high: Work,
}

impl Bounds {
    fn of(known: &Known) -> Self {
        let likely = known.work_with_files();
        let Some((sampled, gone)) = known.sampled.filter(|(sampled, _)| !sampled.is_whole()) else {
            return Self { low: likely, likely, high: likely };
        };
        let unread = sampled.of - sampled.read;
        let counted = &known.counted;
        let lost = margin(gone, sampled.read, unread);
        let valued = share(likely.counts.customers_with_values, sampled.read, sampled.of);
        let values = margin(valued, sampled.read, unread.min(counted.customers));
        let there = margin(counted.addresses_there, counted.addresses_read, counted.addresses_made_up)
            .min(known.held.free_emails.len() as u64);
        // Contacts that share an address alone are not seen; they are taken to be no more than those that share a number
        // and a name, which are.
        let key = LossKey::new("contact", migration::loss::MERGED);
        let merged = known.losses.kinds.get(&key).map_or(0, |allowed| allowed.expected);
        let (mut low, mut high) = (likely, likely);
        low.counts.customers_created = low.counts.customers_created.saturating_sub(lost + merged + there);
        low.counts.customers_with_values = low.counts.customers_with_values.saturating_sub(values + lost);
        low.counts.tickets_created = low.counts.tickets_created.saturating_sub(lost);
        high.counts.customers_created += lost;
        high.counts.customers_adopted += there;
        high.counts.customers_with_values += values;
        high.counts.tickets_created += lost;
        Self { low, likely, high }
    }

    fn range(&self, of: impl Fn(&Work) -> u64) -> Range {
        let (low, likely, high) = (of(&self.low), of(&self.likely), of(&self.high));
        Range { low: low.min(likely), likely, high: high.max(likely) }
    }
}

fn share(count: u64, part: u64, whole: u64) -> u64 {
    let part = u128::from(count) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(part).unwrap_or(u64::MAX)
}

impl Known {
    /// Recordings that are uploaded are not there on trial.
    fn work_with_files(&self) -> Work {
        let mut work = self.counted.work;
        if self.sampled.is_some() && self.recording == RecordingPolicy::Upload {
            work.counts.files_uploaded = self.log.recordings;
        }
        work
    }

    fn fetches_recordings(&self) -> bool {
        matches!(self.recording, RecordingPolicy::Archive | RecordingPolicy::Upload)
    }
}

/// Puts the estimate together.
pub(super) fn estimate(ctx: &Context, made_at: Timestamp, known: &Known, options: &Options) -> EstimateV1 {
    let bounds = Bounds::of(known);
    let requests = kinds(&bounds);
    let total = requests.iter().fold(Range::default(), |sum, (_, _, range)| sum.plus(*range));
    let high = total.high + total.high * FAULTS_PERMILLE / 1_000;
    let total = Range { high: if total.is_exact() { total.high } else { high }, ..total };
    let source = source_requests(known);
    let times = times(ctx, known, &bounds, total, &source, options);
    let counted = &known.counted;
    let read = known.sampled.map(|(sampled, _)| sampled);
    let evidence = EvidenceV1 {
        basis: if known.sampled.is_some() { "samples" } else { "snapshot" }.to_owned(),
        contacts: read.map_or(counted.customers, |sampled| sampled.of),
        cards_read: read.map_or(counted.customers, |sampled| sampled.read),
        cards_gone: known.sampled.map_or(0, |(_, gone)| gone),
        has_call_log: known.log.is_there,
        assumptions: assumptions(known),
    };
    let is_exact = known.sampled.is_none_or(|(sampled, _)| sampled.is_whole() && known.log.is_there);
    let bytes = bytes(known);
    let aws = aws(known, total, &source, &times, ctx.clock.now());
    EstimateV1 {
        made_at,
        mapping: known.mapping.clone(),
        evidence,
        requests: requests
            .into_iter()
            .map(|(step, what, range)| KindV1 {
                step: step.to_owned(),
                what: what.to_owned(),
                requests: range.into(),
            })
            .collect(),
        requests_total: total.into(),
        source_requests: source.into_iter().map(|(command, range)| (command, range.into())).collect(),
        limits: LimitsV1 {
            capacity: options.bucket.capacity,
            window_milliseconds: u64::try_from(options.bucket.window.as_millis()).unwrap_or(u64::MAX),
            reserve: options.bucket.reserve,
            gorgias: forecast::limit_in_words(&options.bucket),
            leaddesk_per_second: options.source_per_second,
            hours: options.hours.as_ref().map(ToString::to_string),
        },
        times,
        order: OrderV1 {
            tickets: counted.work.counts.tickets_created - counted.work.chat_tickets,
            open: counted.open,
            recent_days: options.recent_days,
            first: counted.first,
        },
        records: records(&bounds),
        bytes,
        aws: aws.lines.iter().map(|(what, (_, dollars))| ((*what).to_owned(), *dollars)).collect(),
        aws_prices_of: cost::PRICES_OF.to_owned(),
        billing: billing(known),
        losses: BudgetV1::of(&known.losses, is_exact),
    }
}

fn kinds(bounds: &Bounds) -> Vec<(&'static str, &'static str, Range)> {
    let [low, likely, high] = [&bounds.low, &bounds.likely, &bounds.high].map(forecast::requests);
    let ranges = low.iter().zip(&likely).zip(&high).map(|((low, likely), high)| {
        let range = Range {
            low: low.requests.min(likely.requests),
            likely: likely.requests,
            high: high.requests.max(likely.requests),
        };
        (likely.step, likely.what, range)
    });
    ranges.collect()
}

/// By command. Every read may have to be repeated; how often is not known.
fn source_requests(known: &Known) -> BTreeMap<String, Range> {
    let mut requests: BTreeMap<String, Range> = BTreeMap::new();
    for (command, count) in known.source_requests.iter().flatten() {
        let high = count + count * FAULTS_PERMILLE / 1_000;
        requests.insert(command.clone(), Range { low: *count, likely: *count, high });
    }
    if known.source_requests.is_some() && known.fetches_recordings() {
        let count = known.log.recordings;
        requests.insert("GET /audio/files/{name}".to_owned(), Range { low: 0, likely: count, high: count });
    }
    requests
}

fn times(
    ctx: &Context,
    known: &Known,
    bounds: &Bounds,
    total: Range,
    source: &BTreeMap<String, Range>,
    options: &Options,
) -> TimesV1 {
    let per_second = options.source_per_second.max(f64::MIN_POSITIVE);
    let reads = source.values().fold(Range::default(), |sum, range| sum.plus(*range));
    let extract = seconds(reads, |requests| float(requests) / per_second);
    let gorgias = seconds(total, |requests| forecast::seconds_at(requests, &options.bucket));
    let first = known.counted.first;
    let until =
        bounds.range(|work| forecast::requests_until_start(work, first.min(work.counts.tickets_created)));
    let until = seconds(until, |requests| forecast::seconds_at(requests, &options.bucket));
    let plus = |left: SecondsV1, right: SecondsV1| SecondsV1 {
        low: left.low + right.low,
        likely: left.likely + right.likely,
        high: left.high + right.high,
    };
    let (until_start, all) = (plus(extract, until), plus(extract, gorgias));
    let read_at =
        ends_at(ctx.clock.now(), Duration::try_from_secs_f64(extract.likely).unwrap_or_default(), None);
    // LeadDesk is read at any time; the hours are Gorgias'.
    let at =
        |seconds: f64| ends_at(read_at?, Duration::try_from_secs_f64(seconds).ok()?, options.hours.as_ref());
    let limit = forecast::limit_in_words(&options.bucket);
    let limited_by = if gorgias.likely >= extract.likely {
        format!("limited by Gorgias: {limit}")
    } else {
        format!("limited by LeadDesk: {per_second} requests a second, a setting of yours")
    };
    TimesV1 {
        extract,
        gorgias,
        until_start,
        all,
        start_at: at(until.likely),
        end_at: at(gorgias.likely),
        limited_by,
    }
}

fn seconds(requests: Range, of: impl Fn(u64) -> f64) -> SecondsV1 {
    SecondsV1 { low: of(requests.low), likely: of(requests.likely), high: of(requests.high) }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

fn records(bounds: &Bounds) -> BTreeMap<String, RangeV1> {
    type Of = fn(&Work) -> u64;
    let kinds: [(&str, Of); 6] = [
        ("customers created", |work| work.counts.customers_created),
        ("customers adopted", |work| work.counts.customers_adopted),
        ("customers with values", |work| work.counts.customers_with_values),
        ("tickets", |work| work.counts.tickets_created),
        ("messages", |work| work.counts.messages_created),
        ("files", |work| work.counts.files_uploaded),
    ];
    kinds.into_iter().map(|(name, of)| (name.to_owned(), bounds.range(of).into())).collect()
}

fn bytes(known: &Known) -> BTreeMap<String, RangeV1> {
    let lake = known.lake_bytes;
    let lake = Range { low: lake, likely: lake + lake * READ_BACK_SHARE, high: 3 * lake };
    let mut bytes = BTreeMap::from([("lake".to_owned(), lake.into())]);
    if known.fetches_recordings() {
        let [low, likely, high] = RECORDING_BYTES.map(|bytes| bytes * known.log.recorded_seconds);
        bytes.insert("recordings".to_owned(), Range { low, likely, high }.into());
    }
    bytes
}

fn aws(
    known: &Known,
    total: Range,
    source: &BTreeMap<String, Range>,
    times: &TimesV1,
    now: Timestamp,
) -> cost::Bill {
    // A function that rests outside of the hours is paid for like one that waits for the limit.
    let lasts = times.end_at.map_or(0.0, |end| end.duration_since(now).as_secs_f64() - times.extract.likely);
    let stored: u64 = bytes(known).values().map(|range| range.likely).sum();
    cost::forecast(&cost::Expected {
        source_seconds: times.extract.likely,
        gorgias_seconds: lasts.max(times.gorgias.likely),
        source_requests: source.values().map(|range| range.likely).sum(),
        gorgias_requests: total.likely,
        records: known.counted.customers + known.counted.work.counts.messages_created,
        stored_bytes: stored,
    })
}

fn billing(known: &Known) -> BillingV1 {
    let possible = known.counted.maybe_billed;
    let mut not_known = vec![
        "whether Gorgias counts tickets with outgoing messages of the past is not documented; ask Gorgias in writing \
         and load a sample of ten first"
            .to_owned(),
    ];
    if possible == 0 {
        not_known.push(
            "every message of ours is an internal note or comes from the customer; by Gorgias' own words such tickets \
             are not billed"
                .to_owned(),
        );
    }
    BillingV1 { certain: 0, possible, not_known }
}

fn assumptions(known: &Known) -> Vec<String> {
    let mut said = Vec::new();
    match known.sampled {
        Some((sampled, _)) if !sampled.is_whole() => said.push(format!(
            "{} of {} cards were read; the others are taken to be filled like them, and contacts that share an address \
             alone are not seen",
            sampled.read, sampled.of
        )),
        _ => said.push("every card was read".to_owned()),
    }
    if !known.log.is_there {
        said.push(
            "there is no call log: calls are judged by the histories of two hundred numbers".to_owned(),
        );
    }
    if !known.held.has_all_customers || !known.held.has_all_tickets {
        said.push(format!(
            "Gorgias holds more than {} customers or {} tickets, where counting stopped; reading them before and after \
             takes more requests than told",
            known.held.customers, known.held.tickets
        ));
    }
    if known.fetches_recordings() {
        said.push(
            "recordings that LeadDesk has no more take no request at Gorgias; how many is not known"
                .to_owned(),
        );
    }
    said.push(
        "answers with server errors are rare: the upper bound has room for one in a hundred".to_owned(),
    );
    said
}
