//! Small snapshots for tests. All values are generated.

use std::path::Path;

use jiff::Timestamp;

use proptest::test_runner::{Config, RngSeed};

use crate::tables::{SourceOutcome, WantTicket};
use crate::{Pass, Row, Sealed, TableWriter, WriteContext};

/// The same cases in every run.
pub(crate) fn seeded(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(20_261_122), failure_persistence: None, ..Config::default() }
}

pub(crate) fn context(run: &str, pass: Pass) -> WriteContext {
    WriteContext {
        run: run.parse().unwrap(),
        pass,
        tool_version: "0.1.0".into(),
        mapping_hash: None,
        made_from: vec![crate::Digest::of(b"source")],
        taken_at: Some("2026-11-22T08:00:00Z".parse().unwrap()),
    }
}

pub(crate) fn seal<R: Row>(
    run: &str,
    pass: Pass,
    rows: impl IntoIterator<Item = R>,
    scratch: &Path,
) -> Sealed {
    let mut writer = TableWriter::new(context(run, pass), scratch, 1 << 20).unwrap();
    for row in rows {
        writer.push(row).unwrap();
    }
    writer.seal().unwrap()
}

pub(crate) fn outcome(id: u32) -> SourceOutcome {
    SourceOutcome {
        outcome_id: id.to_string(),
        outcome_name: format!("Outcome {id}"),
        campaign_id: id.is_multiple_of(2).then(|| "301".to_owned()),
        is_finalising: None,
        origin: "calls".into(),
        call_count: i64::from(id) * 3,
        source_row_hash: String::new(),
        extracted_at: Timestamp::UNIX_EPOCH,
        source_page: "calls.csv#rows=1-9".into(),
        is_deleted: false,
        raw_json: format!("{{\"id\":{id}}}"),
    }
}

pub(crate) fn ticket(id: u32) -> WantTicket {
    WantTicket {
        external_id: format!("leaddesk:lead:41:{id:06}"),
        wave: "lead".into(),
        customer_external_id: format!("leaddesk:contact:{id}"),
        subject: format!("Lead {id}"),
        status: if id.is_multiple_of(3) { "open" } else { "closed" }.into(),
        channel: "phone".into(),
        via: "api".into(),
        is_from_agent: false,
        assignee_agent_id: (!id.is_multiple_of(5)).then(|| (id % 5).to_string()),
        assignee_team_key: None,
        created_at: Timestamp::from_second(1_760_000_000 + i64::from(id)).unwrap(),
        closed_at: None,
        last_message_at: Timestamp::from_second(1_760_000_100 + i64::from(id)).unwrap(),
        message_count: 1,
        created_evidence: "call".into(),
    }
}
