//! The filter expressions of views and the conditions of rules: calls such as `eq(ticket.status, 'open')`, joined
//! by `&&` and `||`.
//!
//! Only what tickets of the twin can be asked is understood. Deliberately absent: the rest of JavaScript; a view
//! with anything else is refused, and a rule's condition that is not understood counts as met, which is the careful
//! reading of a rule that might fire.

use super::clock::Instant;
use super::model::Ticket;
use super::state::State;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Call { function: String, path: String, literals: Vec<String> },
}

impl Expression {
    /// Parses `text`; an empty text is an expression that is always true.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut tokens = tokens(text)?;
        if tokens.is_empty() {
            return Some(Self::All(Vec::new()));
        }
        tokens.reverse();
        let parsed = any(&mut tokens)?;
        tokens.is_empty().then_some(parsed)
    }

    /// Whether the expression holds for `ticket`; `None` when it asks for something the twin does not know.
    pub(crate) fn holds(&self, state: &State, ticket: &Ticket) -> Option<bool> {
        match self {
            Self::All(parts) => {
                let parts: Option<Vec<bool>> = parts.iter().map(|part| part.holds(state, ticket)).collect();
                parts.map(|parts| parts.into_iter().all(|part| part))
            }
            Self::Any(parts) => {
                let parts: Option<Vec<bool>> = parts.iter().map(|part| part.holds(state, ticket)).collect();
                parts.map(|parts| parts.into_iter().any(|part| part))
            }
            Self::Call { function, path, literals } => {
                compare(function, &attribute(state, ticket, path)?, literals)
            }
        }
    }

    /// Whether every function and attribute is one that the twin knows.
    pub(crate) fn is_understood(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_understood),
            Self::Call { function, path, .. } => {
                FUNCTIONS.contains(&function.as_str()) && ATTRIBUTES.contains(&path.as_str())
            }
        }
    }
}

const FUNCTIONS: [&str; 13] = [
    "eq",
    "neq",
    "gt",
    "gte",
    "lt",
    "lte",
    "contains",
    "notContains",
    "containsAny",
    "notContainsAny",
    "containsAll",
    "isEmpty",
    "isNotEmpty",
];

const ATTRIBUTES: [&str; 19] = [
    "ticket.id",
    "ticket.status",
    "ticket.channel",
    "ticket.via",
    "ticket.priority",
    "ticket.subject",
    "ticket.external_id",
    "ticket.language",
    "ticket.spam",
    "ticket.from_agent",
    "ticket.customer.id",
    "ticket.assignee_user.id",
    "ticket.assignee_team.id",
    "ticket.tags.name",
    "ticket.created_datetime",
    "ticket.updated_datetime",
    "ticket.closed_datetime",
    "ticket.trashed_datetime",
    "ticket.snooze_datetime",
];

/// The values of an attribute: none when it is null, several for tags.
fn attribute(state: &State, ticket: &Ticket, path: &str) -> Option<Vec<String>> {
    let text = |text: &Option<Box<str>>| text.iter().map(ToString::to_string).collect();
    let id = |id: Option<u64>| id.iter().map(ToString::to_string).collect();
    let instant = |instant: Option<Instant>| instant.into_iter().map(Instant::text).collect();
    Some(match path {
        "ticket.id" => vec![ticket.id.to_string()],
        "ticket.status" => vec![ticket.status.to_owned()],
        "ticket.channel" => vec![ticket.channel.to_string()],
        "ticket.via" => vec![ticket.via.to_string()],
        "ticket.priority" => vec![ticket.priority.to_owned()],
        "ticket.subject" => text(&ticket.subject),
        "ticket.external_id" => text(&ticket.external_id),
        "ticket.language" => text(&ticket.language),
        "ticket.spam" => vec![ticket.spam.to_string()],
        "ticket.from_agent" => vec![ticket.from_agent.to_string()],
        "ticket.customer.id" => id(ticket.customer),
        "ticket.assignee_user.id" => id(ticket.assignee_user),
        "ticket.assignee_team.id" => id(ticket.assignee_team),
        "ticket.tags.name" => {
            ticket.tags.iter().filter_map(|id| state.tags.get(*id)).map(|tag| tag.name.clone()).collect()
        }
        "ticket.created_datetime" => instant(Some(ticket.times.created)),
        "ticket.updated_datetime" => instant(Some(ticket.times.updated)),
        "ticket.closed_datetime" => instant(ticket.times.closed),
        "ticket.trashed_datetime" => instant(ticket.times.trashed),
        "ticket.snooze_datetime" => instant(ticket.times.snoozed_until),
        _ => return None,
    })
}

fn compare(function: &str, found: &[String], literals: &[String]) -> Option<bool> {
    // Instants are compared in one form; everything else as it is written.
    let wanted: Vec<String> = literals
        .iter()
        .map(|literal| Instant::parse(literal).map_or_else(|| literal.clone(), Instant::text))
        .collect();
    let first = wanted.first();
    let ordered = |holds: fn(&String, &String) -> bool| {
        Some(found.first().zip(first).is_some_and(|(found, wanted)| holds(found, wanted)))
    };
    let folded: Vec<String> = found.iter().map(|text| text.to_lowercase()).collect();
    let part = |wanted: &String| folded.iter().any(|found| found.contains(&wanted.to_lowercase()));
    match function {
        "eq" => Some(first.is_some_and(|wanted| found.contains(wanted))),
        "neq" => Some(first.is_none_or(|wanted| !found.contains(wanted))),
        "gt" => ordered(|found, wanted| found > wanted),
        "gte" => ordered(|found, wanted| found >= wanted),
        "lt" => ordered(|found, wanted| found < wanted),
        "lte" => ordered(|found, wanted| found <= wanted),
        "contains" => Some(wanted.iter().all(part)),
        "notContains" => Some(!wanted.iter().any(part)),
        "containsAny" => Some(wanted.iter().any(|wanted| found.contains(wanted))),
        "notContainsAny" => Some(!wanted.iter().any(|wanted| found.contains(wanted))),
        "containsAll" => Some(wanted.iter().all(|wanted| found.contains(wanted))),
        "isEmpty" => Some(found.is_empty()),
        "isNotEmpty" => Some(!found.is_empty()),
        _ => None,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Literal(String),
    Sign(char),
    And,
    Or,
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            _ if letter.is_whitespace() => {}
            '(' | ')' | '[' | ']' | '{' | '}' | ',' | ':' => tokens.push(Token::Sign(letter)),
            '&' if letters.next_if_eq(&'&').is_some() => tokens.push(Token::And),
            '|' if letters.next_if_eq(&'|').is_some() => tokens.push(Token::Or),
            '\'' | '"' => {
                let mut literal = String::new();
                loop {
                    match letters.next()? {
                        '\\' => literal.push(letters.next()?),
                        closing if closing == letter => break,
                        other => literal.push(other),
                    }
                }
                tokens.push(Token::Literal(literal));
            }
            _ if letter.is_alphanumeric() || letter == '_' || letter == '-' => {
                let mut name = String::from(letter);
                while let Some(more) = letters.next_if(|next| next.is_alphanumeric() || "._-".contains(*next))
                {
                    name.push(more);
                }
                tokens.push(Token::Name(name));
            }
            _ => return None,
        }
    }
    Some(tokens)
}

/// Reads alternatives from the end of `rest`, which holds the tokens in reverse.
fn any(rest: &mut Vec<Token>) -> Option<Expression> {
    let mut parts = vec![all(rest)?];
    while rest.last() == Some(&Token::Or) {
        rest.pop();
        parts.push(all(rest)?);
    }
    Some(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
}

fn all(rest: &mut Vec<Token>) -> Option<Expression> {
    let mut parts = vec![one(rest)?];
    while rest.last() == Some(&Token::And) {
        rest.pop();
        parts.push(one(rest)?);
    }
    Some(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
}

fn one(rest: &mut Vec<Token>) -> Option<Expression> {
    match rest.pop()? {
        Token::Sign('(') => {
            let inner = any(rest)?;
            (rest.pop()? == Token::Sign(')')).then_some(inner)
        }
        Token::Name(function) => {
            (rest.pop()? == Token::Sign('(')).then_some(())?;
            let Token::Name(path) = rest.pop()? else { return None };
            let mut literals = Vec::new();
            loop {
                match rest.pop()? {
                    Token::Sign(')') => return Some(Expression::Call { function, path, literals }),
                    Token::Sign(',' | '[' | ']') => {}
                    Token::Literal(literal) | Token::Name(literal) => literals.push(literal),
                    _ => return None,
                }
            }
        }
        _ => None,
    }
}

/// What a rule's code does: its condition and the actions under it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Script {
    condition: Option<Expression>,
    pub(crate) actions: Vec<Action>,
}

/// One call of `Action('name', { key: 'value' })`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) arguments: Vec<(String, String)>,
}

impl Script {
    pub(crate) fn parse(code: &str) -> Self {
        let condition = code.split_once("if").and_then(|(_, rest)| Expression::parse(&parenthesised(rest)?));
        let actions = code.split("Action").skip(1).filter_map(Action::parse).collect();
        Self { condition, actions }
    }

    /// Whether the actions run for `ticket`; a condition that is not understood counts as met.
    pub(crate) fn fires(&self, state: &State, ticket: &Ticket) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(state, ticket).unwrap_or(true))
    }
}

/// The text between the first parenthesis and its match.
fn parenthesised(text: &str) -> Option<String> {
    let start = text.find('(')?;
    let mut depth = 0;
    for (position, letter) in text[start..].char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(text[start + 1..start + position].to_owned());
        }
    }
    None
}

impl Action {
    /// Parses what follows `Action`: a name and an object of texts.
    fn parse(text: &str) -> Option<Self> {
        let mut tokens = tokens(&parenthesised(text)?)?.into_iter();
        let Some(Token::Literal(name)) = tokens.next() else { return None };
        let words: Vec<String> = tokens
            .filter_map(|token| match token {
                Token::Name(word) | Token::Literal(word) => Some(word),
                _ => None,
            })
            .collect();
        let pairs = words.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        Some(Self { name, arguments: pairs.collect() })
    }

    pub(crate) fn argument(&self, key: &str) -> &str {
        self.arguments
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    #[expect(clippy::needless_pass_by_value, reason = "expectations are written in place")]
    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&format!("{:?}", Expression::parse(text)));
    }

    #[test]
    fn expressions_are_parsed() {
        check("", expect![["Some(All([]))"]]);
        check(
            "eq(ticket.status, 'open') && gte(ticket.updated_datetime, \"2026-01-01T00:00:00Z\")",
            expect![[
                r#"Some(All([Call { function: "eq", path: "ticket.status", literals: ["open"] }, Call { function: "gte", path: "ticket.updated_datetime", literals: ["2026-01-01T00:00:00Z"] }]))"#
            ]],
        );
        check(
            "containsAny(ticket.tags.name, ['a', 'b\\'s']) || (eq(ticket.id, 7))",
            expect![[
                r#"Some(Any([Call { function: "containsAny", path: "ticket.tags.name", literals: ["a", "b's"] }, Call { function: "eq", path: "ticket.id", literals: ["7"] }]))"#
            ]],
        );
        check("eq(ticket.status, 'open'", expect!["None"]);
        check("eq(ticket.status 'open') extra", expect!["None"]);
        check("ticket.status == 'open'", expect!["None"]);
    }

    #[test]
    fn rules_are_parsed() {
        let script = Script::parse(
            "if (eq(ticket.status, 'closed')) { Action('setStatus', { status: 'open' }); Action(\"addTags\", {\"tags\": \"a, b\"}) }",
        );
        expect![[
            r#"Script { condition: Some(Call { function: "eq", path: "ticket.status", literals: ["closed"] }), actions: [Action { name: "setStatus", arguments: [("status", "open")] }, Action { name: "addTags", arguments: [("tags", "a, b")] }] }"#
        ]]
        .assert_eq(&format!("{script:?}"));
    }
}
