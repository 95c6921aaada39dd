//! The migration scope in writing: what migrates, what is documented, what is left out, each with counts, and what a
//! person has to know first. As Markdown for people and as JSON for programs; both say the same.

use std::fmt::Write as _;

use bytes::Bytes;
use jiff::Timestamp;
use migration::finding::{Code, Severity};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::documents::inventory::{FindingEntry, Inventory, ScopeRow};
use crate::documents::{self, DocumentError};
use crate::ports::store::{Key, Put};

/// Document for people.
pub const MARKDOWN: &str = "scope.md";
/// Document for programs.
pub const JSON: &str = "scope.json";

/// The scope as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredScope {
    /// First version.
    #[serde(rename = "1")]
    V1(ScopeV1),
}

/// First version of a scope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeV1 {
    /// The migration.
    pub migration: String,
    /// The run.
    pub run: String,
    /// When both accounts were looked at.
    pub taken_at: Timestamp,
    /// Subdomain of the Gorgias account.
    pub destination: String,
    /// Where the store lies.
    pub store_place: String,
    /// Where Gorgias keeps the account.
    pub destination_place: String,
    /// What becomes of what.
    pub rows: Vec<ScopeRow>,
    /// What a person should know, the gravest first.
    pub findings: Vec<ScopeFinding>,
}

/// A finding with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeFinding {
    /// Stable code.
    pub code: String,
    /// `stop`, `error`, `warning` or `note`.
    pub severity: String,
    /// Records that it touches.
    pub count: u64,
    /// What was found.
    pub text: String,
    /// What to do.
    pub advice: String,
}

/// Dispositions in the order of the document, with their headings.
const PARTS: [(&str, &str); 3] =
    [("migrated", "What migrates"), ("documented", "What is documented"), ("left_out", "What is left out")];

impl ScopeV1 {
    fn of(ctx: &Context, inventory: &Inventory) -> Self {
        let overview = &inventory.overview;
        let mut findings: Vec<(u8, ScopeFinding)> = overview.findings.iter().map(finding).collect();
        findings.sort_by(|(rank, one), (other_rank, other)| {
            (rank, &one.code, &one.text).cmp(&(other_rank, &other.code, &other.text))
        });
        Self {
            migration: ctx.migration.clone(),
            run: ctx.run.to_string(),
            taken_at: inventory.taken_at,
            destination: overview.gorgias_domain.clone(),
            store_place: ctx.limits.stated.places.store.to_string(),
            destination_place: ctx.limits.stated.places.destination.to_string(),
            rows: overview.scope.clone(),
            findings: findings.into_iter().map(|(_, finding)| finding).collect(),
        }
    }

    /// The document for people.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "# Scope of the migration {}\n\nRun {}, from what both accounts and the operator's files showed at {}. Destination: \
             the Gorgias account `{}`.\nThe store lies in {}; Gorgias keeps the account in {}.\n",
            cell(&self.migration),
            self.run,
            self.taken_at.strftime("%Y-%m-%d %H:%M UTC"),
            cell(&self.destination),
            self.store_place,
            self.destination_place,
        );
        for (disposition, heading) in PARTS {
            let _ = write!(out, "\n## {heading}\n\n| what | records | how |\n| --- | ---: | --- |\n");
            for row in self.rows.iter().filter(|row| row.disposition == disposition) {
                let count = row.count.map_or_else(|| "not readable".to_owned(), |count| count.to_string());
                let _ = writeln!(
                    out,
                    "| {} | {count} | {} |",
                    cell(&row.what.replace('_', " ")),
                    cell(&row.note)
                );
            }
        }
        out.push_str("\n## What to know first\n\n");
        if self.findings.is_empty() {
            out.push_str("Nothing was found.\n");
            return out;
        }
        out.push_str(
            "| code | how grave | records | what | what to do |\n| --- | --- | ---: | --- | --- |\n",
        );
        for found in &self.findings {
            let ScopeFinding { code, severity, count, text, advice } = found;
            let _ = writeln!(out, "| {code} | {severity} | {count} | {} | {} |", cell(text), cell(advice));
        }
        out
    }
}

/// Grave ones first; a code of a file's fault is an error.
fn finding(entry: &FindingEntry) -> (u8, ScopeFinding) {
    let known = Code::from_text(&entry.code).map(Code::entry);
    let (rank, severity) = match known.map_or(Severity::Error, |known| known.severity) {
        Severity::Stop => (0, "stop"),
        Severity::Error => (1, "error"),
        Severity::Warning => (2, "warning"),
        Severity::Note => (3, "note"),
    };
    let advice =
        known.map_or_else(|| format!("deskferry explain {}", entry.code), |known| known.advice.to_owned());
    let found = ScopeFinding {
        code: entry.code.clone(),
        severity: severity.to_owned(),
        count: entry.count,
        text: entry.text.clone(),
        advice,
    };
    (rank, found)
}

/// A cell of a table: one line, without the sign that ends it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\r', '\n'], " ")
}

/// Writes both documents, once.
///
/// # Errors
/// What the store says.
pub(super) async fn keep(ctx: &Context, inventory: &Inventory) -> Result<(), DocumentError> {
    let scope = ScopeV1::of(ctx, inventory);
    let markdown = Bytes::from(scope.markdown());
    once(documents::put(ctx, ctx.run_key(JSON)?, &StoredScope::V1(scope)).await)?;
    let key: Key = ctx.run_key(MARKDOWN)?;
    match ctx.store.put_new(&key, markdown).await? {
        // What an earlier start wrote of the same inventory stays.
        Put::Created | Put::AlreadyThere => Ok(()),
    }
}

fn once(written: Result<(), DocumentError>) -> Result<(), DocumentError> {
    match written {
        Err(DocumentError::AlreadyThere { .. }) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::test_world::{FakeLeadDesk, World};

    #[tokio::test]
    async fn the_scope_is_there_in_both_forms_and_counts() {
        let world = World::new(FakeLeadDesk::default());
        crate::discover::run(&world.ctx).await.expect("discovered");
        let markdown = world.stored("").into_iter().find(|key| key.ends_with(MARKDOWN)).expect("written");
        assert!(markdown.contains("/runs/"), "{markdown}");
        let key = world.ctx.run_key(JSON).expect("a key");
        let StoredScope::V1(scope) = documents::get(&world.ctx, key).await.expect("readable").expect("there");
        let mut short = scope.clone();
        short.rows.retain(|row| ["contact", "dialer", "recording"].contains(&row.what.as_str()));
        short.findings.truncate(2);
        expect![[r#"
            # Scope of the migration acme

            Run 2026-11-22-a1, from what both accounts and the operator's files showed at 2026-05-28 20:26 UTC. Destination: the Gorgias account `acme`.
            The store lies in FI; Gorgias keeps the account in FI.

            ## What migrates

            | what | records | how |
            | --- | ---: | --- |
            | contact | 0 | customers, one a person |

            ## What is documented

            | what | records | how |
            | --- | ---: | --- |
            | dialer | 0 | handoff, written reference |

            ## What is left out

            | what | records | how |
            | --- | ---: | --- |
            | recording | not readable | files stay at LeadDesk unless the settings say otherwise |

            ## What to know first

            | code | how grave | records | what | what to do |
            | --- | --- | ---: | --- | --- |
            | DIS201 | error | 1 | rules are active at the destination: Auto-reply | let prepare pause them, or accept each by name |
            | DIS202 | error | 1 | satisfaction surveys are on at the destination: chat | let prepare switch them off for the run, or accept by name |
        "#]].assert_eq(&short.markdown());
        let ranks: Vec<&str> = scope.findings.iter().map(|found| found.severity.as_str()).collect();
        let order = ["stop", "error", "warning", "note"];
        let place = |word: &&str| order.iter().position(|known| known == word).expect("known");
        assert!(ranks.iter().map(place).is_sorted(), "{ranks:?}");
    }

    #[test]
    fn names_cannot_break_a_table() {
        assert_eq!(cell("a|b\nc"), "a\\|b c");
    }
}
