//! Conversations of the chatbot, as an operator would export them.
//!
//! Deliberately absent: an interface to read them. There is none; they come as files (facts: chatbot export).

use crate::generate::account::Account;
use crate::generate::chance::{Chance, Stream};
use crate::generate::stamp::Stamp;
use crate::generate::words::{HOSTILE_TEXT, LANGUAGES, Words};

/// Seconds of the window that the operator chose: 180 days.
const WINDOW_SECONDS: u32 = 180 * 86_400;

/// The conversation that began before the window: the first.
const CUT: u32 = 0;
/// The conversation without identity.
const ANONYMISED: u32 = 1;
/// The conversation that begins with a text which breaks naive readers.
const HOSTILE: u32 = 2;
/// How many messages of the cut conversation lie before the window.
const CUT_MESSAGES: u32 = 3;

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The visitor.
    Customer,
    /// The chatbot.
    Bot,
    /// A person of the company.
    Agent,
}

impl Sender {
    /// The word in the export.
    pub fn text(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Bot => "bot",
            Self::Agent => "agent",
        }
    }
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Unique in the conversation.
    pub id: String,
    /// In UTC, unlike the times of the APIs.
    pub at: Stamp,
    /// Who wrote it.
    pub sender: Sender,
    /// Name as shown; empty for anonymised visitors.
    pub sender_name: String,
    /// May hold markup and line ends.
    pub text: String,
    /// What the bot understood, for visitors' messages.
    pub intent: String,
    /// How sure it was, 0 to 1, for visitors' messages.
    pub score: String,
    /// `like`, `dislike` or nothing, for the bot's messages.
    pub feedback: &'static str,
}

/// One conversation with a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Unique in the account.
    pub id: String,
    /// `handled`, `transferred` or `unanswered`.
    pub outcome: &'static str,
    /// Agent that took over.
    pub agent: Option<(String, String)>,
    /// The visitor's address, where it was asked for and not anonymised.
    pub email: String,
    /// The visitor's number, likewise.
    pub phone: String,
    /// UTC time of the first message, even when that is before the window.
    pub started_at: Stamp,
    /// UTC time of the last message.
    pub ended_at: Stamp,
    /// How many messages there were, even when the window cuts some off.
    pub message_count: u32,
    /// The messages within the window.
    pub messages: Vec<ChatMessage>,
}

/// Ids of the cut and of the anonymised conversation.
pub(crate) fn planted_ids() -> [String; 2] {
    [conversation_id(CUT), conversation_id(ANONYMISED)]
}

fn conversation_id(number: u32) -> String {
    format!("jb-{:06}", number + 1)
}

impl Account {
    /// The window that the operator chose for the export, half-open, in UTC.
    pub fn chatbot_window(&self) -> (Stamp, Stamp) {
        let from = Stamp::civil(2025, 8, 1, 0, 0, 0);
        (from, from.plus(WINDOW_SECONDS))
    }

    /// All conversations, by id, which is the order in which they began; each computed as it is asked for.
    pub fn conversations(&self) -> impl Iterator<Item = Conversation> {
        let all = self.shape.conversations;
        (0..all).map(move |number| self.conversation(number, messages_of(number, all, self.shape.messages)))
    }

    fn conversation(&self, number: u32, rows: u32) -> Conversation {
        let trouble = self.shape.trouble;
        let (cut, anonymised) = (trouble && number == CUT, trouble && number == ANONYMISED);
        let mut chance = Chance::of(self.shape.seed, Stream::Conversations, u64::from(number));
        let words = LANGUAGES[[0, 0, 0, 1, 2, 3, 4][chance.below(7) as usize]];
        let step = ((WINDOW_SECONDS - 2 * 86_400) / self.shape.conversations.max(1)).max(1);
        let (from, _) = self.chatbot_window();
        let usual = from.plus(86_400 + number * step + chance.below(step));
        let first_row_at = if cut { from.plus(20) } else { usual };
        let outcome = *chance.pick(&["handled", "handled", "transferred", "unanswered"]);
        let agent = self.chat_agent(number).filter(|_| outcome == "transferred" && rows >= 4);
        let (visitor, email, phone) = if anonymised { Default::default() } else { self.visitor(&mut chance) };
        let before = if cut { CUT_MESSAGES } else { 0 };
        let mut at = first_row_at;
        let mut messages = Vec::with_capacity(rows as usize);
        for row in 0..rows {
            let sender = match row % 2 {
                0 => Sender::Customer,
                _ if agent.is_some() && row + 2 >= rows => Sender::Agent,
                _ => Sender::Bot,
            };
            let sender_name = match (sender, &agent) {
                (Sender::Customer, _) => visitor.clone(),
                (Sender::Agent, Some((name, _))) => name.clone(),
                _ => "JennyBot".to_owned(),
            };
            let id = format!("{}-{:03}", conversation_id(number), row + before);
            messages.push(message(id, at, sender, sender_name, words, &mut chance));
            at = at.plus(chance.between(4, 90));
        }
        if let Some(first) = messages.first_mut().filter(|_| trouble && number == HOSTILE) {
            HOSTILE_TEXT.clone_into(&mut first.text);
        }
        Conversation {
            id: conversation_id(number),
            outcome,
            agent,
            email,
            phone,
            started_at: if cut { from.minus(180) } else { first_row_at },
            ended_at: messages.last().map_or(first_row_at, |message| message.at),
            message_count: rows + before,
            messages,
        }
    }

    /// Name and login of the agent who takes over.
    fn chat_agent(&self, number: u32) -> Option<(String, String)> {
        let agents = &self.organisation.agents;
        let position = agents.get(number as usize % agents.len().max(1))?;
        let agent = &self.organisation.users[usize::from(*position)];
        Some((agent.name.clone(), agent.username.clone()))
    }

    /// Name, address and number of a visitor: of a contact for most, of somebody unknown for some, nothing for a few.
    fn visitor(&self, chance: &mut Chance) -> (String, String, String) {
        // Newcomers and edits do not change what visitors of the past were called.
        let contacts = self.shape.contacts;
        let kind = chance.below(100);
        if kind < 60 && contacts > 0 {
            let text = self.text_at(chance.below(contacts));
            let name = format!("{} {}", text.fname.trim(), text.lname.trim());
            let phone =
                if kind < 25 { text.phones.first().cloned().unwrap_or_default() } else { String::new() };
            return (name.trim().to_owned(), text.email, phone);
        }
        if kind < 92 {
            let number = chance.below(1_000_000);
            return (format!("Visitor {number}"), format!("visitor{number}@example.net"), String::new());
        }
        (String::new(), String::new(), String::new())
    }
}

/// Messages of one conversation, so that all conversations together have exactly `total`: pairs of conversations share
/// unevenly what would be equal parts.
fn messages_of(number: u32, conversations: u32, total: u32) -> u32 {
    let (even, rest) = (total / conversations, total % conversations);
    let own = even + u32::from(number < rest);
    let lent = (number / 2) % (even - 1).max(1);
    let partner_exists = number % 2 == 1 || number + 1 < conversations;
    match (partner_exists, number % 2) {
        (false, _) => own,
        (true, 0) => own - lent,
        (true, _) => own + lent,
    }
}

/// What somebody writes at a moment.
fn message(
    id: String,
    at: Stamp,
    sender: Sender,
    sender_name: String,
    words: &Words,
    chance: &mut Chance,
) -> ChatMessage {
    let texts = match sender {
        Sender::Customer => words.questions,
        Sender::Bot => words.answers,
        Sender::Agent => words.replies,
    };
    let said: &str = chance.pick::<&str>(texts);
    let text = decorated(said, chance.below(30));
    let (intent, score) = match sender {
        Sender::Customer => {
            (format!("intent_{:02}", chance.below(12)), format!("0.{:02}", chance.between(35, 99)))
        }
        _ => (String::new(), String::new()),
    };
    let judged = *chance.pick(&["", "", "", "like", "dislike"]);
    let feedback = if sender == Sender::Bot { judged } else { "" };
    ChatMessage { id, at, sender, sender_name, text, intent, score, feedback }
}

/// A text, sometimes with what chat windows let through.
fn decorated(text: &str, dice: u32) -> String {
    match dice {
        0 => format!("<p>{text}</p>"),
        1 => format!("{text}\n\n<a href=\"https://shop.example/\">shop.example</a>"),
        2 => format!("{text} 🙂"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_add_up_and_none_has_fewer_than_two() {
        for (conversations, total) in [(120, 960), (4, 8), (7, 23), (1, 2), (5, 500)] {
            let counts: Vec<u32> =
                (0..conversations).map(|number| messages_of(number, conversations, total)).collect();
            assert_eq!(counts.iter().sum::<u32>(), total, "{conversations}");
            assert!(counts.iter().all(|count| *count >= 2), "{counts:?}");
        }
    }
}
