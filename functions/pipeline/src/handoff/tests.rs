//! The folder with all of the operator's files, and with none of them.

use std::collections::BTreeMap;

use expect_test::{ExpectFile, expect_file};
use snapshot::Row;
use snapshot::tables::{
    MapField, MapValue, SourceCampaign, SourceDocument, SourceGroup, SourceList, SourceOffice, SourceOutcome,
    WantTeam, WantUser,
};

use super::*;
use crate::report::fixture::{agent, at, campaign, mapping, office, seal_rows, transformed};
use crate::report::page::{GroupV1, ReportV1};
use crate::report::since::SinceV1;
use crate::report::summary::SummaryV1;
use crate::testing::{Account, World};

fn report() -> ReportV1 {
    let group = |code: &str| GroupV1 {
        code: code.into(),
        title: "title".into(),
        advice: "advice".into(),
        count: 2,
        objects: BTreeMap::from([("contact".to_owned(), 2)]),
        samples: vec!["contact 1003".into()],
    };
    ReportV1 {
        migration: "acme".into(),
        run: "2026-11-22-t1".into(),
        account: Some("acme".into()),
        made_at: at(),
        summary: SummaryV1 {
            verdict: "pass".into(),
            objects: BTreeMap::new(),
            fields_compared: 10,
            fields_different: 0,
            fields_explained: 1,
            duplicates: 0,
            requests: 30,
            requests_floor: 30,
            responses_429: 0,
            bound_seconds: 1.0,
            elapsed_seconds: 1.0,
            efficiency: 1.0,
        },
        accepted: Vec::new(),
        waves: BTreeMap::new(),
        differences: BTreeMap::new(),
        explained: BTreeMap::from([("CMP106".to_owned(), 1)]),
        failures: vec![group("CUS102")],
        excluded: Vec::new(),
        dropped_values: Vec::new(),
        notes: BTreeMap::from([("CUS104".to_owned(), 2), ("CUS107".to_owned(), 5)]),
        recordings: None,
        sample: None,
        requests_by_route: BTreeMap::new(),
        forecast: None,
        since: SinceV1::default(),
        is_complete: true,
        remarks: Vec::new(),
        places: BTreeMap::new(),
        next: "deskferry handoff".into(),
    }
}

fn outcome(id: &str, name: &str, campaign: Option<&str>, ends: Option<bool>, calls: i64) -> SourceOutcome {
    SourceOutcome {
        outcome_id: id.into(),
        outcome_name: name.into(),
        campaign_id: campaign.map(str::to_owned),
        is_finalising: ends,
        origin: "file".into(),
        call_count: calls,
        source_row_hash: String::new(),
        extracted_at: at(),
        source_page: "page".into(),
        is_deleted: false,
        raw_json: "{}".into(),
    }
}

fn list(id: &str, campaigns: Option<&str>) -> SourceList {
    SourceList {
        leaddesk_list_id: id.into(),
        list_name: "List | A".into(),
        campaign_ids: campaigns.map(str::to_owned),
        rounds_raw: Some("3".into()),
        expiry_raw: None,
        office_name: Some("North".into()),
        source_row_hash: String::new(),
        extracted_at: at(),
        source_page: "page".into(),
        is_deleted: false,
        raw_json: "{}".into(),
    }
}

fn user(id: &str, state: &str, email: Option<&str>) -> WantUser {
    WantUser {
        leaddesk_agent_id: id.into(),
        agent_name: format!("=Agent {id}"),
        email: email.map(str::to_owned),
        gorgias_user_id: None,
        state: state.into(),
        role: "basic-agent".into(),
    }
}

fn bare() -> Material {
    Material {
        report: report(),
        mapping: mapping(),
        campaigns: Vec::new(),
        lists: Vec::new(),
        outcomes: Vec::new(),
        agents: Vec::new(),
        offices: Vec::new(),
        groups: Vec::new(),
        users: Vec::new(),
        teams: Vec::new(),
        fields: Vec::new(),
        merges: Vec::new(),
        dialer: Vec::new(),
        list_rows: Vec::new(),
        lead_apps: Vec::new(),
        shelf: Vec::new(),
        proof: proof::Proof { hold_days: 7, ..proof::Proof::default() },
    }
}

fn document(name: &str, raw_json: &str) -> SourceDocument {
    SourceDocument {
        document_name: name.into(),
        row_number: 1,
        source_row_hash: String::new(),
        extracted_at: at(),
        source_page: "page".into(),
        is_deleted: false,
        raw_json: raw_json.into(),
    }
}

fn full() -> Material {
    let mut material = Material {
        campaigns: vec![campaign("301", "Spring"), campaign("302", "Autumn")],
        lists: vec![list("41", Some("301,302")), list("42", None)],
        outcomes: vec![
            outcome("5", "Deal", None, Some(true), 7),
            outcome("6", "Busy", Some("301"), Some(false), 9),
            outcome("7", "Other", Some("302"), None, 0),
        ],
        agents: vec![agent("17", "Team Leader", true), agent("18", "Agent", false)],
        offices: vec![office("North", Some("Europe/Helsinki")), office("South", None)],
        users: vec![
            user("17", "matched", None),
            user("18", "without_email", None),
            user("19", "to_provision", Some("new@desk.example")),
        ],
        teams: vec![WantTeam {
            team_key: "office:North".into(),
            team_name: "North".into(),
            description: String::new(),
            leaddesk_name: "North".into(),
        }],
        fields: vec![MapField {
            object: "contact".into(),
            source_field: "ssc".into(),
            scope: String::new(),
            decision: "leave".into(),
            target: None,
            target_type: None,
            rationale: "national id".into(),
            fill_share: None,
            fit_share: None,
        }],
        merges: vec![("1002".into(), "1001".into(), "email".into())],
        ..bare()
    };
    let rows = [
        document(
            "dialer",
            r#"{"Campaign_ID":"301","modes":"Progressive|Preview|Own mode","waiting_period":"120 min","wrap_up":"20 s","notes":"Max ringing time 20 s;\n\"Busy\" goes back to the end"}"#,
        ),
        document("dialer", r#"{"campaign_id":"999","modes":"Manual"}"#),
        document("lists", r#"{"list_id":"41","campaign_ids":"301,302","rounds":"3"}"#),
        document("leadapps", r#"{"name":"Wallboard","type":"page"}"#),
    ];
    rows.iter().try_for_each(|row| material.take(row)).expect("rows of ours");
    material
}

fn sheet_of(material: &Material, name: &str) -> String {
    let sheets = sheets(material).expect("written");
    let sheet = sheets.iter().find(|sheet| sheet.name == name).unwrap_or_else(|| panic!("no {name}"));
    String::from_utf8(sheet.body.to_vec()).expect("text")
}

fn check(material: &Material, name: &str, expected: &ExpectFile) {
    expected.assert_eq(&sheet_of(material, name));
}

#[test]
fn the_dialer_in_words_with_what_to_rebuild() {
    check(&full(), "dialer-301.md", &expect_file!["goldens/dialer-301.md"]);
}

#[test]
fn a_campaign_without_settings_says_so() {
    check(&full(), "dialer-302.md", &expect_file!["goldens/dialer-302.md"]);
    let without_files = Material { campaigns: vec![campaign("301", "Spring")], ..bare() };
    let page = sheet_of(&without_files, "dialer-301.md");
    assert!(page.contains("No dialer.csv was supplied"), "{page}");
    assert!(page.contains("No lists.csv was supplied"), "{page}");
}

#[test]
fn rows_of_strange_campaigns_are_shown() {
    check(&full(), "dialer-without-campaign.md", &expect_file!["goldens/dialer-without-campaign.md"]);
}

#[test]
fn lists_for_the_admin() {
    let material = full();
    check(&material, "to-provision.csv", &expect_file!["goldens/to-provision.csv"]);
    check(&material, "merged-persons.csv", &expect_file!["goldens/merged-persons.csv"]);
    check(&material, "dispositions.csv", &expect_file!["goldens/dispositions.csv"]);
    check(&material, "leadapps.json", &expect_file!["goldens/leadapps.json"]);
    check(&material, "offices.md", &expect_file!["goldens/offices.md"]);
    check(&material, "lost-or-changed.md", &expect_file!["goldens/lost-or-changed.md"]);
}

#[test]
fn the_index_names_every_file() {
    let material = full();
    check(&material, "README.md", &expect_file!["goldens/README.md"]);
    let index = sheet_of(&material, "README.md");
    for sheet in sheets(&material).expect("written").iter().filter(|sheet| sheet.name != INDEX) {
        assert!(index.contains(&format!("[{0}]({0})", sheet.name)), "{}", sheet.name);
    }
}

#[test]
fn without_any_file_every_section_says_why_it_is_empty() {
    let material = Material {
        report: ReportV1 {
            failures: Vec::new(),
            explained: BTreeMap::new(),
            notes: BTreeMap::new(),
            ..report()
        },
        ..bare()
    };
    check(&material, "README.md", &expect_file!["goldens/empty-README.md"]);
    check(&material, "offices.md", &expect_file!["goldens/empty-offices.md"]);
    check(&material, "lost-or-changed.md", &expect_file!["goldens/empty-lost-or-changed.md"]);
    for sheet in sheets(&material).expect("written") {
        let text = String::from_utf8(sheet.body.to_vec()).expect("text");
        for word in ["TODO", "TBD", "{}", "  \n"] {
            assert!(!text.contains(word), "{word} stands in {}", sheet.name);
        }
    }
}

async fn seal_nothing<R: Row>(ctx: &Context) {
    seal_rows::<R>(ctx, Vec::new()).await;
}

#[tokio::test]
async fn the_folder_stands_beside_the_latest_report() {
    let world = World::new(Account::fresh());
    let ctx = world.context();
    let error = run(&ctx).await.expect_err("no report yet");
    assert_eq!(error.code(), "HND001");
    transformed(&ctx).await;
    seal_nothing::<SourceList>(&ctx).await;
    seal_nothing::<SourceOutcome>(&ctx).await;
    seal_nothing::<SourceGroup>(&ctx).await;
    seal_nothing::<WantUser>(&ctx).await;
    seal_nothing::<WantTeam>(&ctx).await;
    seal_nothing::<MapField>(&ctx).await;
    seal_rows(&ctx, vec![document("dialer", r#"{"campaign_id":"301","modes":"Manual"}"#)]).await;
    keep_inventory(&ctx).await;
    report::run(&ctx).await.expect("reported");
    let done = run(&ctx).await.expect("handed off");
    assert!(!done.was_done);
    let latest = report::latest(&ctx).await.expect("read").expect("there");
    assert!(is_whole(&ctx, &latest).await.expect("read"));
    let again = run(&ctx).await.expect("handed off");
    assert!(again.was_done && again.records == done.records, "{again:?}");
    let files = |folder: String| {
        let start = format!("{}/{folder}/", latest.folder);
        let keys = world.store.keys();
        keys.into_iter().filter(move |key| key.as_str().starts_with(&start)).collect::<Vec<_>>()
    };
    let mut held = BTreeMap::new();
    for key in files("handoff".to_owned()) {
        let name = key.as_str().rsplit('/').next().expect("a name").to_owned();
        held.insert(name, ctx.store.get(&key).await.expect("stored").to_vec());
    }
    assert_reads_well(&held);
    // Something new is known: another package, and the one before stays.
    crate::spotcheck::new(&ctx, None, 20).await.expect_err("not every wave is proven");
    let approved = migration::mapping::Reviewer::new("Reviewer").expect("a name");
    let budget = migration::loss::LossBudget::default();
    crate::losses::approve(&ctx, &budget, true, &approved, at()).await.expect("approved");
    let next = run(&ctx).await.expect("handed off");
    assert!(!next.was_done);
    assert_eq!(files("handoff-0002".to_owned()).len(), held.len());
    assert!(run(&ctx).await.expect("handed off").was_done, "the newest package says the same");
    let page = Key::new(format!("{}/handoff/dialer-301.md", latest.folder)).expect("a key");
    let text = ctx.store.get(&page).await.expect("stored");
    assert!(std::str::from_utf8(&text).expect("text").contains("**Manual**"));
    let shelf = Key::new(format!("{}/handoff/snapshots.md", latest.folder)).expect("a key");
    let text = ctx.store.get(&shelf).await.expect("stored");
    let text = std::str::from_utf8(&text).expect("text");
    let tables = [SourceOffice::SCHEMA, SourceCampaign::SCHEMA, MapValue::SCHEMA];
    for table in tables {
        assert!(text.contains(&format!("| {} | full | 1 |", table.name)), "{text}");
    }
}

/// What discovery left of another small account.
async fn keep_inventory(ctx: &Context) {
    let stored = Bytes::from_static(include_bytes!("../documents/goldens/inventory_v1.json"));
    ctx.store.put_new(&ctx.run_key("inventory.json").expect("a key"), stored).await.expect("stored");
}

const SECTIONS: [&str; 21] = [
    "README.md",
    "SHA256SUMS",
    "data-dictionary.md",
    "dialer-301.md",
    "dispositions.csv",
    "forecast.md",
    "id-map.csv",
    "leadapps.json",
    "losses.md",
    "lost-or-changed.md",
    "mapping.md",
    "merged-persons.csv",
    "offices.md",
    "open-points.md",
    "reconciliation.md",
    "rollback.md",
    "scope.md",
    "sign-off.md",
    "snapshots.md",
    "spot-checks.md",
    "to-provision.csv",
];

/// Every section is there, says something or why not, and holds no word of something unfinished.
fn assert_reads_well(files: &BTreeMap<String, Vec<u8>>) {
    for section in SECTIONS {
        assert!(files.contains_key(section), "{section} is missing: {:?}", files.keys());
    }
    for (name, body) in files {
        let text = std::str::from_utf8(body).expect("text");
        assert!(!text.trim().is_empty(), "{name} is empty");
        for word in ["TODO", "TBD", "FIXME", "XXX", "lorem", "coming soon", "to be defined", "{}", "N/A"] {
            assert!(!text.contains(word), "{word} stands in {name}");
        }
        let lines: Vec<&str> = text.lines().collect();
        for (line, next) in lines.iter().zip(lines[1..].iter().chain([&"# end"]).copied().collect::<Vec<_>>())
        {
            let is_empty_table = line.starts_with("| ---") && !next.starts_with('|');
            assert!(!name.ends_with(".md") || !is_empty_table, "{name} has an empty table");
        }
        let headings = |at: usize| lines[at].starts_with("## ");
        for at in (0..lines.len()).filter(|at| headings(*at)) {
            let rest = lines[at + 1..].iter().find(|line| !line.trim().is_empty());
            let is_filled = rest.is_some_and(|line| !line.starts_with("## ") && !line.starts_with("# "));
            assert!(!name.ends_with(".md") || is_filled, "{name}: nothing under {}", lines[at]);
        }
    }
}

fn as_files(sheets: &[Sheet]) -> BTreeMap<String, Vec<u8>> {
    sheets.iter().map(|sheet| (sheet.name.clone(), sheet.body.to_vec())).collect()
}

#[test]
fn every_section_says_something_or_why_not() {
    assert_reads_well(&as_files(&sheets(&full()).expect("written")));
    let mut empty = as_files(&sheets(&bare()).expect("written"));
    // Without a campaign there is no dialer page, and the index says so.
    empty.insert("dialer-301.md".to_owned(), b"none".to_vec());
    assert_reads_well(&empty);
}

#[test]
fn open_points_are_counted_from_what_is_there() {
    let points = closing::open(&full());
    let about = |word: &str| points.iter().any(|point| point.contains(word));
    assert!(
        about("2 records did not arrive") && about("2 agents") && about("time zone of 1 office"),
        "{points:?}"
    );
    assert!(about("Nobody has recorded a spot check") && about("proposed is 2026-12-20"), "{points:?}");
    let mut settled = full();
    settled.users.retain(|user| user.state == "matched");
    settled.offices.clear();
    settled.report.failures.clear();
    settled.proof.budget = Some((migration::loss::LossBudget::default(), "Reviewer".into(), "today".into()));
    settled.proof.spot_checks = vec![crate::spotcheck::Checked {
        number: 1,
        seed: 1,
        drawn_at: at(),
        records: 25,
        judged: 25,
        wrong: 0,
        lines: vec!["0 of 25".into()],
    }];
    // Not cut over yet, and nobody decided on a day.
    assert_eq!(closing::open(&settled).len(), 2, "{:?}", closing::open(&settled));
    let day = crate::deletions::day_after(at(), 30);
    settled.report.since.deletion =
        Some(crate::deletions::DeletionV1 { day, by: Some("Reviewer".into()), at: at(), is_named: true });
    let points = closing::open(&settled);
    assert!(points.len() == 1 && points[0].contains("not cut over"), "{points:?}");
    assert!(sheet_of(&settled, "rollback.md").contains("Decided: 2026-10-21, as Reviewer decided"));
}

#[test]
fn the_same_material_gives_the_same_zip_and_its_sums_are_right() {
    let sheets = sheets(&full()).expect("written");
    let zip = bundle::zip("handoff-acme", &sheets).expect("written");
    assert_eq!(zip, bundle::zip("handoff-acme", &super::sheets(&full()).expect("written")).expect("written"));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).expect("a ZIP");
    let mut files = BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).expect("an entry");
        let name =
            file.name().expect("a name").strip_prefix("handoff-acme/").expect("in the folder").to_owned();
        let mut body = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut body).expect("read");
        files.insert(name, body);
    }
    assert_eq!(files, as_files(&sheets));
    let sums = String::from_utf8(files[bundle::SUMS].clone()).expect("text");
    assert_eq!(sums.lines().count(), files.len() - 1);
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").expect("sum and name");
        assert_eq!(crate::ledger::key::sha256_hex(&files[name]), sum, "{name}");
    }
}
