//! The thread that prints.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Stderr, Stdout};
use std::sync::mpsc::Receiver;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pipeline::progress::Event;
use serde_json::{Value, json};

use super::bars::{Bars, Limiter, Situation};
use super::meter::Meter;
use super::sink::Sink;
use super::{Look, Message, event_json};
use crate::failure::severity_of;
use crate::records::Records;
use crate::{clean, words};

/// Parts of this age are finished with their time; quicker ones without, since it would say nothing.
const DURATION_SECONDS_MIN: f64 = 0.1;

pub(crate) struct Printer {
    json: bool,
    stdout: Sink<Stdout>,
    stderr: Sink<Stderr>,
    bars: Option<Bars>,
    meters: BTreeMap<(String, String), Meter>,
    pace: String,
    zone: TimeZone,
    records: Option<Records>,
    /// Findings that were said: steps tell them when they find them, and again at their end.
    said: BTreeSet<(String, u64, String)>,
}

impl Printer {
    pub(crate) fn new(look: &Look) -> Self {
        Self {
            json: look.json,
            stdout: Sink::new(std::io::stdout(), look.color),
            stderr: Sink::new(std::io::stderr(), look.color),
            bars: look.bars.then(Bars::new),
            meters: BTreeMap::new(),
            pace: String::new(),
            zone: look.zone.clone(),
            records: None,
            said: BTreeSet::new(),
        }
    }

    pub(crate) fn run(mut self, messages: &Receiver<Message>) {
        while let Ok(message) = messages.recv() {
            match message {
                Message::Say(line) => self.say(&line),
                Message::Event(event) => self.event(&event),
                Message::Progress(at, event) => self.progress(at, &event),
                Message::Finding { code, count, text } => self.finding(Timestamp::now(), &code, count, &text),
                Message::StepDone(step) => self.forget(|other| other == step),
                Message::Pace(text) => self.pace = text,
                Message::Record(records) => self.records = Some(records),
                Message::Fail(text) => {
                    self.close_bars();
                    self.error_lines(&text);
                }
                Message::Flush(answer) => {
                    self.close_bars();
                    // Whoever asked may have given up.
                    answer.send(()).ok();
                }
                Message::Close => break,
            }
        }
        self.close_bars();
        if let Some(records) = &mut self.records {
            records.flush();
        }
    }

    /// A line for people: standard output, or standard error when that carries events.
    fn say(&mut self, line: &str) {
        let Self { json, stdout, stderr, bars, .. } = self;
        let mut print = || if *json { stderr.line(line) } else { stdout.line(line) };
        match bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    fn error_lines(&mut self, text: &str) {
        self.stderr.line(text);
    }

    fn event(&mut self, event: &Value) {
        if let Some(records) = &mut self.records {
            records.event(event);
        }
        if !self.json {
            return;
        }
        let line = event_json::line(event);
        let Self { stdout, bars, .. } = self;
        match bars {
            Some(bars) => bars.suspend(|| stdout.line(&line)),
            None => stdout.line(&line),
        }
    }

    fn progress(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::StepStarted { step, part, total } => {
                self.forget(|other| other != *step);
                self.meters.insert(key(step, part), Meter::new(at, *total));
                self.event(&event_json::render(at, event));
                self.draw(at, step, part, None);
            }
            Event::StepAdvanced { step, part, done, failed, bucket } => {
                let meter = self.meters.entry(key(step, part)).or_insert_with(|| Meter::new(at, None));
                meter.advanced(at, *done, *failed);
                if meter.line_due(at) {
                    let event = self.with_outlook(at, event, *bucket);
                    self.event(&event);
                    // Without a terminal and without `--json`, these lines are all that shows that it lives.
                    if !self.json && self.bars.is_none() {
                        self.stderr.line(&event_json::line(&event));
                    }
                }
                self.draw(at, step, part, *bucket);
            }
            Event::StepFinished { step, part, done, failed } => {
                let meter = self.meters.remove(&key(step, part));
                if let Some(bars) = &mut self.bars {
                    bars.close(step, part);
                }
                self.event(&event_json::render(at, event));
                let seconds = meter.map(|meter| meter.elapsed_seconds(at));
                self.say(&finished_line(step, part, *done, *failed, seconds));
            }
            Event::WorkFound { in_doubt, wait_seconds, .. } => {
                self.event(&event_json::render(at, event));
                if *in_doubt > 0 {
                    self.say(&doubt_line(*in_doubt, *wait_seconds));
                }
            }
            Event::DoubtsSettled { arrived, absent, left, .. } => {
                self.event(&event_json::render(at, event));
                self.say(&settled_line(*arrived, *absent, *left));
            }
            Event::Resting { hours, until } => {
                self.event(&event_json::render(at, event));
                let line = rest_line(&words::moment(*until, &self.zone), hours);
                // Two readers that rest at the same time are one rest.
                if self.said.insert((String::new(), 0, line.clone())) {
                    self.say(&line);
                }
            }
            Event::LagMeasured { .. } => self.event(&event_json::render(at, event)),
            Event::Finding { code, count, text } => self.finding(at, code, *count, text),
        }
    }

    /// Parts of these steps run no more, also the ones that never said so.
    fn forget(&mut self, is_over: impl Fn(&str) -> bool) {
        let over: Vec<(String, String)> =
            self.meters.keys().filter(|(step, _)| is_over(step)).cloned().collect();
        for (step, part) in over {
            self.meters.remove(&key(&step, &part));
            if let Some(bars) = &mut self.bars {
                bars.close(&step, &part);
            }
        }
    }

    fn finding(&mut self, at: Timestamp, code: &str, count: u64, text: &str) {
        if self.said.insert((code.to_owned(), count, text.to_owned())) {
            self.event(&event_json::finding(at, code, count, text));
            self.say(&finding_line(code, count, text));
        }
    }

    fn draw(&mut self, now: Timestamp, step: &str, part: &str, bucket: Option<(u32, u32)>) {
        let Self { bars, meters, pace, zone, .. } = self;
        if let (Some(bars), Some(meter)) = (bars, meters.get(&key(step, part))) {
            bars.show(step, part, &Situation { meter, step, bucket, pace, now, zone });
        }
    }

    /// The event with what a reader would otherwise have to work out: total, rate, time of the end, and what limits it.
    fn with_outlook(&self, now: Timestamp, event: &Event, bucket: Option<(u32, u32)>) -> Value {
        let mut value = event_json::render(now, event);
        let Event::StepAdvanced { step, part, .. } = event else { return value };
        let Some(meter) = self.meters.get(&key(step, part)) else { return value };
        let situation = Situation { meter, step, bucket, pace: &self.pace, now, zone: &self.zone };
        let remaining = meter.remaining_seconds();
        value["total"] = json!(meter.total());
        value["per_second"] = json!(meter.rate().map(tenths));
        value["remaining_seconds"] = json!(remaining.map(tenths));
        value["eta"] = json!(remaining.and_then(|seconds| situation.due_at(seconds)));
        value["limited_by"] = json!(match Limiter::of(step, bucket) {
            Limiter::Gorgias => "gorgias",
            Limiter::LeadDesk => "leaddesk",
            Limiter::Machine => "machine",
        });
        value
    }

    fn close_bars(&mut self) {
        if let Some(bars) = &mut self.bars {
            bars.close_all();
        }
    }
}

fn key(step: &str, part: &str) -> (String, String) {
    (step.to_owned(), part.to_owned())
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

fn finished_line(step: &str, part: &str, done: u64, failed: u64, seconds: Option<f64>) -> String {
    let mark = if failed == 0 { "done  " } else { "failed" };
    let mut line = format!("{mark}  {:<10} {:<28} {:>9}", step, clean::line(part), words::count(done));
    if failed > 0 {
        line.push_str(&format!("  {} failed", words::count(failed)));
    }
    if let Some(seconds) = seconds.filter(|seconds| *seconds >= DURATION_SECONDS_MIN) {
        line.push_str(&format!("  in {}", words::duration(seconds)));
    }
    line
}

/// Why nothing moves, and until when.
fn rest_line(until: &str, hours: &str) -> String {
    format!("rests   until {until}: gorgias.hours are {hours}")
}

/// What a start says about writes that an earlier one sent without an answer.
fn doubt_line(in_doubt: u64, wait_seconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a wait of minutes")]
    let wait = words::duration(wait_seconds as f64);
    format!(
        "In doubt    {} sent and not answered; looked up in {wait}, when none can arrive any more; the others go on",
        words::count(in_doubt)
    )
}

/// How they were settled.
fn settled_line(arrived: u64, absent: u64, left: u64) -> String {
    let total = arrived + absent + left;
    let mut line = format!(
        "Settled     {} in doubt: {} had arrived, {} had not and were sent again",
        words::count(total),
        words::count(arrived),
        words::count(absent)
    );
    if left > 0 {
        line.push_str(&format!(", {} stay open for the next start", words::count(left)));
    }
    line
}

fn finding_line(code: &str, count: u64, text: &str) -> String {
    let severity = severity_of(code);
    format!("{severity:<7} {code}  {} ×  {}", words::count(count), clean::line(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubts_are_told_with_their_wait_and_their_end() {
        assert_eq!(
            doubt_line(3, 120),
            "In doubt    3 sent and not answered; looked up in 2 min 00 s, when none can arrive any more; the others go on"
        );
        assert_eq!(
            settled_line(2, 1, 0),
            "Settled     3 in doubt: 2 had arrived, 1 had not and were sent again"
        );
        assert!(settled_line(0, 0, 2).ends_with(", 2 stay open for the next start"));
    }

    #[test]
    fn a_rest_is_told_with_its_end_and_its_reason() {
        assert_eq!(
            rest_line("2026-11-28 20:00 Europe/Helsinki", "20:00-06:00 Europe/Helsinki"),
            "rests   until 2026-11-28 20:00 Europe/Helsinki: gorgias.hours are 20:00-06:00 Europe/Helsinki"
        );
    }

    #[test]
    fn lines_say_in_words_how_it_went() {
        assert_eq!(
            finished_line("load", "customers", 1_187, 0, Some(4.3)),
            "done    load       customers                        1,187  in 4.3 s"
        );
        assert_eq!(
            finished_line("load", "customers", 1_187, 2, None),
            "failed  load       customers                        1,187  2 failed"
        );
        assert_eq!(finding_line("DIS301", 1, "cut\u{1b}[2J"), "error   DIS301  1 ×  cut\u{fffd}[2J");
    }
}
