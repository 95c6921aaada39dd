//! Where everything goes that a person or a script sees: standard output, standard error, progress bars, the run's log.
//!
//! One thread prints, so that lines of different origin never mix, a slow reader never slows the migration down, and a
//! closed pipe ends the printing and nothing else. Deliberately absent: any text of a record.

pub(crate) mod bars;
pub(crate) mod event_json;
pub(crate) mod meter;
mod printer;
mod sink;

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pipeline::progress::{Event, Progress};
use serde_json::{Value, json};

use crate::arguments::{Color, Common};
use crate::failure::Failure;
use crate::records::Records;

/// Version of the JSON events: minor = something was added, major = something changed its meaning.
pub(crate) const EVENTS_VERSION: &str = "1.0";

/// What the printing thread is told.
pub(crate) enum Message {
    /// A line for people.
    Say(String),
    /// An event for scripts.
    Event(Value),
    /// Something that happened in a step.
    Progress(Timestamp, Event),
    /// Something that a person should know; said once, however often it is found.
    Finding {
        /// Stable code.
        code: String,
        /// Records that it touches.
        count: u64,
        /// Explanation without personal data.
        text: String,
    },
    /// A step is done, whatever its parts have said.
    StepDone(&'static str),
    /// Requests a second that the destination allows, as it is shown.
    Pace(String),
    /// From here on, events are recorded there too.
    Record(Records),
    /// An error; goes to standard error whatever happens.
    Fail(String),
    /// Everything before is printed when this one is answered.
    Flush(Sender<()>),
    /// The last message.
    Close,
}

/// How output looks.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// Events on standard output, text on standard error.
    pub(crate) json: bool,
    /// When to use colour.
    pub(crate) color: anstream::ColorChoice,
    /// Whether bars may move on standard error.
    pub(crate) bars: bool,
    /// The zone in which times of day are shown.
    pub(crate) zone: TimeZone,
}

impl Look {
    /// What the options and the terminal say.
    pub(crate) fn new(common: &Common) -> Self {
        let color = match common.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let bars = std::io::stderr().is_terminal() && !dumb;
        Self { json: common.json, color, bars, zone: TimeZone::system() }
    }
}

/// The way to the printing thread.
pub(crate) struct Screen {
    sender: Sender<Message>,
    thread: Option<JoinHandle<()>>,
    look: Look,
}

impl Screen {
    /// Starts printing; the first event names the version of the events.
    pub(crate) fn start(look: Look, command: &str) -> Self {
        let (sender, receiver) = channel();
        let printer = printer::Printer::new(&look);
        let thread = std::thread::spawn(move || printer.run(&receiver));
        let screen = Self { sender, thread: Some(thread), look };
        screen.event(json!({
            "type": "version",
            "ui": EVENTS_VERSION,
            "deskferry": env!("CARGO_PKG_VERSION"),
            "command": command,
        }));
        screen
    }

    /// A line for people. Text that came from outside must have gone through [`crate::clean`].
    pub(crate) fn say(&self, line: impl Into<String>) {
        self.send(Message::Say(line.into()));
    }

    /// An event for scripts.
    pub(crate) fn event(&self, event: Value) {
        self.send(Message::Event(event));
    }

    /// The one command to run next; every command ends with it.
    pub(crate) fn next(&self, command: &str, why: &str) {
        self.say("");
        self.say(format!(
            "Next    {command}{}",
            if why.is_empty() { String::new() } else { format!("    ({why})") }
        ));
        self.event(json!({ "type": "next", "command": command }));
    }

    /// Something that a person should know.
    pub(crate) fn finding(&self, code: &str, count: u64, text: &str) {
        self.send(Message::Finding { code: code.to_owned(), count, text: text.to_owned() });
    }

    /// A step is done: nothing of it is shown as running any more.
    pub(crate) fn step_done(&self, step: &'static str) {
        self.send(Message::StepDone(step));
    }

    /// How fast the destination may be asked, such as `2 req/s`.
    pub(crate) fn pace(&self, text: impl Into<String>) {
        self.send(Message::Pace(text.into()));
    }

    /// From here on, events go to the run's log too.
    pub(crate) fn record(&self, records: Records) {
        self.send(Message::Record(records));
    }

    /// An error.
    pub(crate) fn fail(&self, failure: &Failure) {
        self.event(failure.to_json());
        self.send(Message::Fail(failure.to_text()));
    }

    /// What the steps report to.
    pub(crate) fn progress(&self) -> Arc<dyn Progress> {
        Arc::new(Reporting(self.sender.clone()))
    }

    /// How output looks.
    pub(crate) fn look(&self) -> &Look {
        &self.look
    }

    /// Waits until everything so far is printed; before a question is asked.
    pub(crate) fn flush(&self) {
        let (answer, answered) = channel();
        self.send(Message::Flush(answer));
        // No answer means that the printing thread is gone, and so is what there was to wait for.
        answered.recv().ok();
    }

    fn send(&self, message: Message) {
        // The thread ends after `Close` only, which is sent when this is dropped.
        self.sender.send(message).ok();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.send(Message::Close);
        if let Some(thread) = self.thread.take() {
            // A panic of the printing thread has shown itself already.
            thread.join().ok();
        }
    }
}

struct Reporting(Sender<Message>);

impl Progress for Reporting {
    fn emit(&self, at: Timestamp, event: Event) {
        // After the end nobody listens, which is as it should be.
        self.0.send(Message::Progress(at, event)).ok();
    }
}
