//! Whether the chatbot export covers the time that the operator states.
//!
//! What is outside is lost once the account closes, so a short window must be accepted by name (facts: chatbot export).

use jiff::{SignedDuration, Timestamp};
use migration::finding;

use super::part::PartRecord;
use crate::context::Context;

/// Days without any message that are worth telling.
const GAP_DAYS: i64 = 30;
/// Days at an end of the stated window in which no message is normal.
const EDGE_DAYS: i64 = 1;

/// First and last moments, and what does not add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    /// Days that have a message, as days since 1970.
    days: std::collections::BTreeSet<i64>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    earliest_start: Option<Timestamp>,
    cut: u64,
    without_messages: u64,
    conversations: u64,
    in_outcomes: u64,
    in_timing: u64,
    in_messages: u64,
    in_agents: u64,
}

const DAY_SECONDS: i64 = 86_400;

impl Window {
    /// Takes the moment of one message.
    pub fn observe(&mut self, at: Timestamp) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        self.days.insert(at.as_second().div_euclid(DAY_SECONDS));
    }

    /// Takes one conversation: when it began, how many messages the timing file states, how many there are.
    pub fn conversation(
        &mut self,
        _id: &str,
        started_at: Option<Timestamp>,
        stated: Option<i32>,
        found: i32,
    ) {
        self.earliest_start = self.earliest_start.into_iter().chain(started_at).min();
        self.cut += u64::from(stated.is_some_and(|stated| stated > found));
        self.without_messages += u64::from(found == 0);
        self.conversations += 1;
    }

    /// Takes which files know a conversation.
    pub fn files(&mut self, outcomes: bool, timing: bool, agents: bool, messages: bool) {
        self.in_outcomes += u64::from(outcomes);
        self.in_timing += u64::from(timing);
        self.in_agents += u64::from(agents);
        self.in_messages += u64::from(messages);
    }

    /// First and last message.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.first.zip(self.last)
    }

    /// Adds what is worth telling.
    pub fn report(&self, ctx: &Context, record: &mut PartRecord) {
        self.report_window(ctx.limits.chat_window, record);
    }

    fn report_window(&self, stated: Option<(Timestamp, Timestamp)>, record: &mut PartRecord) {
        let Some((first, last)) = self.span() else { return };
        if let Some((from, until)) = stated {
            let edge = SignedDuration::from_hours(24 * EDGE_DAYS);
            let late = first.duration_since(from) > edge;
            let early = until.duration_since(last) > edge;
            if late || early {
                let text =
                    format!("stated {from} to {until}, but messages reach from {first} to {last} only");
                record.find(finding::DIS301_CHAT_WINDOW_SHORT.as_str(), 1, text);
            }
            if first < from || last > until {
                let text = format!("messages reach beyond the stated window: {first} to {last}");
                record.find("EXT402", 1, text);
            }
        }
        let days: Vec<i64> = self.days.iter().copied().collect();
        let widest = days.windows(2).map(|pair| pair[1] - pair[0] - 1).max().unwrap_or(0);
        if widest > GAP_DAYS {
            let gaps = days.windows(2).filter(|pair| pair[1] - pair[0] - 1 > GAP_DAYS).count();
            let text = format!("the widest has {widest} days without any message");
            record.find(finding::DIS302_CHAT_WINDOW_GAP.as_str(), u64::try_from(gaps).unwrap_or(0), text);
        }
        let text = "conversations of which the timing file states more messages than there are";
        record.find(finding::DIS303_CHAT_CONVERSATION_CUT.as_str(), self.cut, text);
        if self.in_outcomes != self.conversations
            || self.in_timing != self.conversations
            || self.without_messages > 0
        {
            let text = format!(
                "{} conversations: {} in outcomes.csv, {} in timing.csv, {} in agent.csv, {} with messages",
                self.conversations, self.in_outcomes, self.in_timing, self.in_agents, self.in_messages
            );
            record.find(finding::DIS305_CHAT_COUNTS_DIFFER.as_str(), 1, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(stated: Option<(&str, &str)>, moments: &[&str], cut: i32, expected: Expect) {
        let at = |text: &str| text.parse::<Timestamp>().expect("ISO 8601");
        let mut window = Window::default();
        for moment in moments {
            window.observe(at(moment));
        }
        window.conversation("c", None, Some(cut), i32::try_from(moments.len()).expect("few"));
        window.files(true, true, false, true);
        let mut record = PartRecord::default();
        window.report_window(stated.map(|(from, until)| (at(from), at(until))), &mut record);
        let lines: Vec<_> =
            record.findings.iter().map(|f| format!("{} {} {}", f.code, f.count, f.text)).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    const STATED: Option<(&str, &str)> = Some(("2024-01-01T00:00:00Z", "2024-03-01T00:00:00Z"));

    #[test]
    fn windows_are_compared() {
        check(
            STATED,
            &["2024-01-01T09:00:00Z", "2024-01-31T09:00:00Z", "2024-02-29T09:00:00Z"],
            3,
            expect![[""]],
        );
        check(
            STATED,
            &["2024-01-01T09:00:00Z", "2024-02-20T09:00:00Z"],
            2,
            expect![[r#"
            DIS301 1 stated 2024-01-01T00:00:00Z to 2024-03-01T00:00:00Z, but messages reach from 2024-01-01T09:00:00Z to 2024-02-20T09:00:00Z only
            DIS302 1 the widest has 49 days without any message"#]],
        );
        check(
            STATED,
            &["2023-12-31T09:00:00Z", "2024-02-29T09:00:00Z"],
            9,
            expect![[r#"
            EXT402 1 messages reach beyond the stated window: 2023-12-31T09:00:00Z to 2024-02-29T09:00:00Z
            DIS302 1 the widest has 59 days without any message
            DIS303 1 conversations of which the timing file states more messages than there are"#]],
        );
        check(None, &["2024-01-01T09:00:00Z"], 1, expect![[""]]);
    }
}
