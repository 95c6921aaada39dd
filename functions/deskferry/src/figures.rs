//! The figures of a run as people and scripts get them.
//!
//! Deliberately absent: working anything out that the report has not. What is shown here stands in `report.json`.

use pipeline::report::summary::SummaryV1;
use serde_json::{Map, Value, json};
use twins::gorgias::LedgerCounts;

use crate::words;

/// Requests a second that Gorgias documents for an API key: 40 in 20 s (facts: rate limits).
const DOCUMENTED_PER_SECOND: f64 = 2.0;
/// Width of the column of kinds.
const KIND_WIDTH: usize = 14;

/// Where the results are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    pub(crate) report: String,
    pub(crate) lake: String,
    pub(crate) run: String,
}

/// The last event of `run` and `demo`. Its keys are part of the interface. A real account has no ledgers to look at.
pub(crate) fn event(summary: &SummaryV1, ledgers: Option<LedgerCounts>, paths: &Paths) -> Value {
    let objects: Map<String, Value> = summary
        .objects
        .iter()
        .map(|(object, counts)| {
            let value = json!({
                "source": counts.source,
                "excluded": counts.excluded,
                "merged": counts.merged,
                "loaded": counts.loaded,
                "failed": counts.failed,
            });
            (object.clone(), value)
        })
        .collect();
    json!({
        "type": "summary",
        "verdict": summary.verdict,
        "objects": objects,
        "fields_compared": summary.fields_compared,
        "fields_different": summary.fields_different,
        "duplicates": summary.duplicates,
        "ledgers": ledgers.map(|counts| json!({
            "outbox": counts.outbox,
            "invitations": counts.invitations,
            "billing_certain": counts.billing_certain,
            "billing_possible": counts.billing_possible,
            "violations": counts.violations,
        })),
        "requests": summary.requests,
        "requests_floor": summary.requests_floor,
        "responses_429": summary.responses_429,
        "bound_seconds": summary.bound_seconds,
        "elapsed_seconds": summary.elapsed_seconds,
        "efficiency": summary.efficiency,
        "paths": { "report": paths.report, "lake": paths.lake, "run": paths.run },
    })
}

/// The lines for people.
pub(crate) fn lines(summary: &SummaryV1, ledgers: Option<LedgerCounts>) -> Vec<String> {
    let mut lines = vec![String::new(), heading()];
    lines.extend(summary.objects.iter().map(|(object, counts)| {
        row(object, [counts.source, counts.excluded, counts.merged, counts.loaded, counts.failed])
    }));
    lines.push("source = excluded + merged + loaded + failed, checked for every line".to_owned());
    lines.push(String::new());
    lines.push(format!("Verdict     {}", verdict(summary)));
    lines.push(format!(
        "Fields      {} compared, {} different and explained, {} different without explanation",
        words::count(summary.fields_compared),
        words::count(summary.fields_explained),
        words::count(summary.fields_different),
    ));
    lines.push(format!(
        "Duplicates  {}",
        words::plural(summary.duplicates, "key carried twice", "keys carried twice")
    ));
    if let Some(counts) = ledgers {
        lines.push(format!(
            "Ledgers     mails {}, invitations {}, billed for certain {}, perhaps {}, violations {}",
            counts.outbox,
            counts.invitations,
            counts.billing_certain,
            counts.billing_possible,
            counts.violations,
        ));
    }
    lines.push(format!(
        "Requests    {} sent, {} at the least, {} answered 429",
        words::count(summary.requests),
        words::count(summary.requests_floor),
        words::count(summary.responses_429),
    ));
    lines.push(format!(
        "Rate limit  {} of it spent: {} at the bound, {} taken",
        percent(summary.efficiency),
        words::duration(summary.bound_seconds),
        words::duration(summary.elapsed_seconds),
    ));
    lines
}

/// What the same requests take at the documented limit of an API key.
pub(crate) fn real_time(summary: &SummaryV1) -> String {
    let seconds = summary.requests as f64 / DOCUMENTED_PER_SECOND;
    format!(
        "the same load on a real API-key account: about {} ({} requests at {DOCUMENTED_PER_SECOND} a second)",
        words::duration(seconds),
        words::count(summary.requests),
    )
}

/// A DuckDB command line that works at once.
pub(crate) fn duckdb(lake: &str) -> String {
    format!(
        "duckdb -c \"FROM read_parquet('{}/src_leaddesk_lead/*/*/*.parquet') LIMIT 5\"",
        lake.replace('\'', "''")
    )
}

fn verdict(summary: &SummaryV1) -> &'static str {
    match summary.verdict.as_str() {
        "pass" => "pass: everything that was read back is what was wished for",
        "empty" => "empty: nothing was compared, so nothing is proven",
        _ => "fail: what was read back differs from what was wished for",
    }
}

fn heading() -> String {
    let [source, excluded, merged, loaded, failed] = ["source", "excluded", "merged", "loaded", "failed"];
    format!("{:<KIND_WIDTH$}{source:>10}{excluded:>10}{merged:>10}{loaded:>10}{failed:>10}", "Object")
}

fn row(object: &str, counts: [u64; 5]) -> String {
    let cells: String = counts.iter().map(|count| format!("{:>10}", words::count(*count))).collect();
    format!("{object:<KIND_WIDTH$}{cells}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use pipeline::report::summary::ObjectV1;
    use std::collections::BTreeMap;

    fn summary() -> SummaryV1 {
        let contact = ObjectV1 { source: 1_200, excluded: 0, merged: 13, loaded: 1_187, failed: 0 };
        SummaryV1 {
            verdict: "pass".to_owned(),
            objects: BTreeMap::from([("contact".to_owned(), contact)]),
            fields_compared: 12_345,
            fields_different: 0,
            fields_explained: 3,
            duplicates: 0,
            requests: 7_800,
            requests_floor: 7_790,
            responses_429: 0,
            bound_seconds: 19.5,
            elapsed_seconds: 20.0,
            efficiency: 0.975,
        }
    }

    fn paths() -> Paths {
        Paths { report: "r".to_owned(), lake: "it's/l".to_owned(), run: "u".to_owned() }
    }

    #[test]
    fn people_read_every_figure() {
        let text = lines(&summary(), Some(LedgerCounts::default())).join("\n");
        expect![[r#"

            Object            source  excluded    merged    loaded    failed
            contact            1,200         0        13     1,187         0
            source = excluded + merged + loaded + failed, checked for every line

            Verdict     pass: everything that was read back is what was wished for
            Fields      12,345 compared, 3 different and explained, 0 different without explanation
            Duplicates  0 keys carried twice
            Ledgers     mails 0, invitations 0, billed for certain 0, perhaps 0, violations 0
            Requests    7,800 sent, 7,790 at the least, 0 answered 429
            Rate limit  97.5 % of it spent: 20 s at the bound, 20 s taken"#]]
        .assert_eq(&text);
        assert_eq!(
            real_time(&summary()),
            "the same load on a real API-key account: about 1 h 05 min (7,800 requests at 2 a second)"
        );
    }

    #[test]
    fn scripts_get_exactly_the_published_keys() {
        let event = event(&summary(), Some(LedgerCounts::default()), &paths());
        expect![[r#"
            {"type":"summary","bound_seconds":19.5,"duplicates":0,"efficiency":0.975,"elapsed_seconds":20.0,"fields_compared":12345,"fields_different":0,"ledgers":{"billing_certain":0,"billing_possible":0,"invitations":0,"outbox":0,"violations":0},"objects":{"contact":{"excluded":0,"failed":0,"loaded":1187,"merged":13,"source":1200}},"paths":{"lake":"it's/l","report":"r","run":"u"},"requests":7800,"requests_floor":7790,"responses_429":0,"verdict":"pass"}"#]]
        .assert_eq(&crate::screen::event_json::line(&event));
    }

    #[test]
    fn the_sql_line_survives_quotes_in_paths() {
        assert_eq!(
            duckdb(&paths().lake),
            "duckdb -c \"FROM read_parquet('it''s/l/src_leaddesk_lead/*/*/*.parquet') LIMIT 5\""
        );
    }
}
