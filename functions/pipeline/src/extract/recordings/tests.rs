use expect_test::expect;

use super::*;
use crate::extract;
use crate::extract::tests::{account, rows};
use crate::ports::store::Store as _;
use crate::test_world::{FakeLeadDesk, Fault, World};

const CALLS: &str = "id;created_at;talk_time;number;contact_id;campaign;agent_id;record_file\n\
    1;2024-01-04 10:00:00;65;+358401234567;1001;12;7;a.wav.mp3\n\
    2;2024-01-04 11:00:00;65;+358401234567;1001;12;7;https://rec-1.example/x/b.wav.mp3?signature=SIGNED\n\
    3;2024-01-04 12:00:00;65;+358401234567;1001;12;7;\n\
    4;2024-01-04 13:00:00;65;+358401234567;1001;12;7;gone.mp3\n\
    5;2024-01-04 14:00:00;65;+358401234567;1001;12;7;large.mp3\n\
    6;2024-01-04 15:00:00;65;+358401234567;1001;12;7;page.mp3\n";

fn sound(name: &str) -> Vec<u8> {
    format!("ID3 sound of {name}").into_bytes()
}

fn with_recordings() -> FakeLeadDesk {
    let mut source = account();
    let mut put = |name: &str, content| source.recordings.insert(name.to_owned(), content);
    put("a.wav.mp3", Some(sound("a")));
    put("b.wav.mp3", Some(sound("b")));
    put("large.mp3", None);
    put("page.mp3", Some(b"<html>Sign in</html>".to_vec()));
    source
}

fn world(source: FakeLeadDesk, policy: RecordingPolicy) -> World {
    let mut world = World::new(source);
    world.ctx.mapping.recording = policy;
    world.file("calls.csv", CALLS);
    world
}

async fn told(world: &World) -> Vec<String> {
    let rows = rows::<SourceRecording>(world).await;
    let told = |row: SourceRecording| {
        let key = row.store_key.unwrap_or_default();
        let (folder, name) = key.rsplit_once('/').unwrap_or_default();
        assert!(name.is_empty() || name.starts_with(&row.sha256.unwrap_or_default()), "{name}");
        let code = row.reason_code.unwrap_or_default();
        let bytes = row.size_bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
        let text = [&row.leaddesk_call_id, &row.recording_file, &row.recording_state, &code, &bytes, folder]
            .map(String::from);
        text.join(" ").trim_end().to_owned()
    };
    rows.into_iter().map(told).collect()
}

#[tokio::test]
async fn each_recording_is_kept_or_has_its_reason() {
    let world = world(with_recordings(), RecordingPolicy::Archive);
    let report = extract::run(&world.ctx).await.expect("extracted");
    expect![[r"
        1 a.wav.mp3 archived  14 recordings/v1/call=1
        2 b.wav.mp3 archived  14 recordings/v1/call=2
        4 gone.mp3 gone CAL112
        5 large.mp3 failed CAL115
        6 page.mp3 failed CAL116"]]
    .assert_eq(&told(&world).await.join("\n"));
    let findings = report.findings.iter().filter(|finding| finding.code.starts_with("CAL11"));
    let findings: Vec<String> = findings.map(|found| format!("{} {}", found.code, found.count)).collect();
    assert_eq!(findings, ["CAL112 1", "CAL115 1", "CAL116 1"]);
    let records = extract::records(&world.ctx).await.expect("stored");
    let rejects: Vec<_> =
        records.iter().flat_map(|record| &record.rejects).filter(|reject| reject.object == "call").collect();
    assert!(rejects.iter().all(|reject| reject.is_value_only), "{rejects:?}");
    assert_eq!(rejects.len(), 3);
    let kept = world.stored("acme/recordings/v1/call=2/");
    let kept = world.store.get(&Key::new(kept[0].clone()).unwrap()).await.unwrap();
    assert_eq!(kept, sound("b"));
    // What is to be asked of LeadDesk is the name alone, and the rest of an address goes nowhere.
    assert_eq!(world.source.asked("recording b.wav.mp3"), 1);
    let pages = world.stored("/pages/recordings/");
    let page = world.store.get(&Key::new(pages[0].clone()).unwrap()).await.unwrap();
    assert!(!String::from_utf8_lossy(&page).contains("SIGNED"));
}

#[tokio::test]
async fn nothing_is_fetched_unless_it_is_asked_for() {
    for policy in [RecordingPolicy::None, RecordingPolicy::Link] {
        let world = world(with_recordings(), policy);
        let report = extract::run(&world.ctx).await.expect("extracted");
        assert!(!report.records.contains_key("src_leaddesk_recording"));
        assert_eq!(world.source.asked("recording a.wav.mp3"), 0);
        assert_eq!(world.stored("recording"), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_kill_at_any_effect_fetches_nothing_twice_that_is_kept() {
    let undisturbed = world(with_recordings(), RecordingPolicy::Upload);
    extract::run(&undisturbed.ctx).await.expect("extracted");
    let wanted = told(&undisturbed).await;
    let mut point = 0;
    loop {
        point += 1;
        let world = world(with_recordings(), RecordingPolicy::Upload);
        let ended = world.store.until_death(point, extract::run(&world.ctx)).await;
        let kept = world.stored("acme/recordings/v1/").len() as u64;
        let fetched = |name: &str| world.source.asked(&format!("recording {name}"));
        let before = fetched("a.wav.mp3") + fetched("b.wav.mp3");
        extract::run(&world.ctx).await.expect("goes on");
        assert_eq!(told(&world).await, wanted, "killed at point {point}");
        let after = fetched("a.wav.mp3") + fetched("b.wav.mp3");
        assert_eq!(after - before, 2 - kept, "killed at point {point}");
        if ended.is_some() {
            break;
        }
    }
    assert!(point > 80, "{point} points are few");
}

#[tokio::test]
async fn a_later_run_finds_what_an_earlier_one_has_kept() {
    let mut world = world(with_recordings(), RecordingPolicy::Archive);
    extract::run(&world.ctx).await.expect("extracted");
    world.ctx.run = "2026-11-23-b1".parse().expect("a run");
    extract::run(&world.ctx).await.expect("extracted");
    assert_eq!(world.source.asked("recording a.wav.mp3"), 1);
    assert_eq!(world.source.asked("recording gone.mp3"), 2);
    assert!(told(&world).await[0].starts_with("1 a.wav.mp3 archived"));
}

#[tokio::test]
async fn a_recording_that_was_changed_in_the_store_is_not_believed() {
    let mut world = world(with_recordings(), RecordingPolicy::Archive);
    extract::run(&world.ctx).await.expect("extracted");
    let key = Key::new(world.stored("acme/recordings/v1/call=1/")[0].clone()).unwrap();
    world.store.objects.lock().expect("free").insert(key, Bytes::from_static(b"ID3 of somebody else"));
    world.ctx.run = "2026-11-23-b1".parse().expect("a run");
    let error = extract::run(&world.ctx).await.expect_err("stopped");
    assert_eq!(error.code(), "EXT109");
}

/// An account in which one contact was called so many times, with a recording each.
fn busy(calls: usize) -> World {
    let mut world = World::new(account());
    world.ctx.mapping.recording = RecordingPolicy::Archive;
    let mut file = "id;created_at;talk_time;number;contact_id;campaign;agent_id;record_file\n".to_owned();
    for id in 1..=calls {
        file += &format!("{id};2024-01-04 10:00:00;65;+358401234567;1001;12;7;{id}.mp3\n");
    }
    world.file("calls.csv", file);
    world
}

#[tokio::test]
async fn a_host_that_is_down_stops_the_step_and_the_next_start_goes_on() {
    let mut source = account();
    for id in 1..=130 {
        source.recordings.insert(format!("{id}.mp3"), Some(sound(&id.to_string())));
    }
    let mut down = busy(130);
    let context = down.ctx.clone();
    let source = std::sync::Arc::new(source);
    down.ctx.source = source.clone();
    *source.fault.lock().expect("free") = Fault::RecordingHostDown;
    let error = extract::run(&down.ctx).await.expect_err("stopped");
    expect!["EXT108 130 of 130 recordings cannot be fetched for now"]
        .assert_eq(&format!("{} {error}", error.code()));
    assert_eq!(down.stored("src_leaddesk_recording"), Vec::<String>::new());
    *source.fault.lock().expect("free") = Fault::None;
    extract::run(&down.ctx).await.expect("goes on");
    assert_eq!(told(&down).await.iter().filter(|row| row.contains(" archived ")).count(), 130);
    drop(context);
}

#[tokio::test]
async fn a_host_that_is_down_may_be_accepted_by_name() {
    let mut down = busy(30);
    *down.source.fault.lock().expect("free") = Fault::RecordingHostDown;
    down.ctx.limits.accepted_findings = vec!["CAL118".to_owned()];
    extract::run(&down.ctx).await.expect("extracted");
    assert!(told(&down).await.iter().all(|row| row.ends_with(" pending CAL118")));
}

#[test]
fn names_hold_no_folder_and_no_signature() {
    let table = [
        ("a.mp3", Some("a.mp3")),
        ("https://h/x/a.mp3?sig=k#f", Some("a.mp3")),
        ("..\\..\\a.mp3", Some("a.mp3")),
        ("https://h/", None),
        ("..", None),
        (" ", None),
    ];
    for (text, expected) in table {
        assert_eq!(bare(text), expected, "{text}");
    }
}
