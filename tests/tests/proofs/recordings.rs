//! Recordings from LeadDesk into the store, and from the store to Gorgias, over HTTP, with processes that die on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::task::Poll;

use pipeline::conduct::Step;
use pipeline::ports::leaddesk::Sound;
use pipeline::report;
use pipeline::report::recordings::RecordingsV1;
use pipeline::wave::Wave;
use pipeline::worker::run_step;
use snapshot::tables::SourceRecording;
use snapshot::{Digest, Pass};
use twins::generate::{Account, Recording};
use twins::leaddesk::{Config, OddRecording};

use crate::world::World;

/// Recordings that are not as they should be, in the order of their calls.
const ODD: [OddRecording; 4] = [
    OddRecording::TooLarge,
    OddRecording::Page,
    OddRecording::RedirectToMetadata,
    OddRecording::AddressOfMetadata,
];

/// The first recordings that are there, made odd.
fn odd(config: &mut Config, account: &Account) {
    let kept = account.calls().filter(|call| call.recording == Recording::Kept).map(|call| call.id);
    config.odd_recordings = kept.zip(ODD).collect();
}

async fn rows(world: &World) -> Vec<SourceRecording> {
    let ctx = world.context();
    let reader = pipeline::archive::open::<SourceRecording>(ctx, &ctx.run, Pass::Full).await.expect("sealed");
    reader.collect::<Result<_, _>>().expect("readable")
}

fn by_state(rows: &[SourceRecording]) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row.recording_state.as_str()).or_default() += 1;
    }
    counts
}

fn downloads(world: &World) -> u64 {
    world.leaddesk.twin().ledgers().requests.get("recording").copied().unwrap_or(0)
}

fn uploads(world: &World) -> u64 {
    let requests = world.gorgias.requests();
    requests.iter().filter(|((route, _), _)| route.contains("/upload")).map(|(_, count)| count).sum()
}

/// Runs a step until so much is seen, then drops it as a kill would; tells whether it was still running.
async fn killed_when(world: &World, step: Step, is_time: impl Fn() -> bool) -> bool {
    let time = poll_fn(|task| {
        if is_time() {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    });
    tokio::select! {
        biased;
        ended = run_step(world.context(), step) => {
            ended.expect("the step comes to its end");
            false
        }
        () = time => true,
    }
}

async fn recordings_told(world: &World) -> RecordingsV1 {
    let latest = report::latest(world.context()).await.expect("readable reports").expect("a report");
    assert_eq!(latest.report.summary.verdict, "pass");
    latest.report.recordings.expect("recordings were fetched")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_are_archived_once_although_the_process_dies() {
    let world = World::with(40, 120, "[mapping]\nrecording = \"archive\"\n", odd).await;
    world.run_through(Step::Prepare).await;
    assert!(
        killed_when(&world, Step::Extract, || downloads(&world) >= 12).await,
        "the process ended by itself"
    );
    world.run_from(Step::Extract, Step::Handoff).await;

    let rows = rows(&world).await;
    let counts = by_state(&rows);
    assert_eq!(counts["failed"], ODD.len() as u64);
    assert!(counts["archived"] > 20 && counts["gone"] > 0 && !counts.contains_key("pending"), "{counts:?}");
    let folder = world.folder.path().join("run/proof");
    let mut digests = BTreeSet::new();
    for row in rows.iter().filter(|row| row.recording_state == "archived") {
        let key = row.store_key.as_deref().expect("a key");
        assert!(key.starts_with(&format!("recordings/v1/call={}/", row.leaddesk_call_id)), "{key}");
        let bytes = std::fs::read(folder.join(key)).expect("the sound");
        assert_eq!(Sound::of(&bytes), Some(Sound::Mpeg));
        assert_eq!(Some(Digest::of(&bytes).as_str()), row.sha256.as_deref());
        digests.insert(row.sha256.clone());
    }
    assert_eq!(digests.len() as u64, counts["archived"], "recordings were mixed up");
    // What was on its way when the process died is fetched again, and nothing else; three of the odd ones are asked for
    // sound once each, and one not at all.
    let in_flight = world.context().limits.source_in_flight as u64;
    assert!(downloads(&world) <= counts["archived"] + 3 * 2 + in_flight, "{}", downloads(&world));

    let told = recordings_told(&world).await;
    assert_eq!(
        (told.archived, told.gone, told.failed),
        (counts["archived"], counts["gone"], counts["failed"])
    );
    assert_eq!((told.uploaded, uploads(&world)), (0, 0), "nothing goes to Gorgias");
    assert!(world.gorgias.ledgers().is_empty());
    assert_eq!(world.leaddesk.twin().ledgers().violation_count, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_hang_on_their_calls_although_the_process_dies() {
    let mut world = World::with(40, 120, "[mapping]\nrecording = \"upload\"\n", odd).await;
    // As under the command's lock: no earlier process can still start a request.
    world.context_mut().limits.ledger.is_exclusive = true;
    world.run_through(Step::Reconcile(Wave::Customers)).await;
    let before = downloads(&world);
    assert!(
        killed_when(&world, Step::Load(Wave::Leads), || uploads(&world) >= 9).await,
        "it ended by itself"
    );
    world.run_from(Step::Load(Wave::Leads), Step::Handoff).await;
    assert_eq!(downloads(&world), before, "what is in the store is not asked of LeadDesk again");

    let told = recordings_told(&world).await;
    assert_eq!((told.uploaded, told.upload_refused), (told.archived, 0));
    assert!(told.archived > 20, "{told:?}");
    // A file that may have been on its way is uploaded again; a first copy hangs on nothing and is counted.
    let (least, most) = (told.uploaded, told.uploaded + told.uploaded_again);
    assert!((least..=most).contains(&uploads(&world)), "{} uploads, {told:?}", uploads(&world));
    let in_flight = world.context().limits.destination_in_flight as u64;
    assert!(told.uploaded_again <= world.context().limits.group_intents as u64 + in_flight, "{told:?}");

    // The comparison has read every attachment back; here the messages are looked at with other eyes.
    let ctx = world.context();
    let attached: Vec<String> =
        pipeline::archive::open::<snapshot::tables::FoundMessage>(ctx, &ctx.run, Pass::After)
            .await
            .expect("sealed")
            .map(|row| row.expect("readable").raw_json)
            .filter(|json| json.contains("/api/attachment/download/"))
            .collect();
    assert_eq!(attached.len() as u64, told.archived);
    assert!(attached.iter().all(|json| json.matches("/api/attachment/download/").count() == 1));
    assert!(world.gorgias.ledgers().is_empty(), "{:?}", world.gorgias.ledgers().counts());
    let sent = world.gorgias.requests().values().sum::<u64>();
    world.run_through_again().await;
    assert_eq!(world.gorgias.requests().values().sum::<u64>(), sent, "a finished run needs no request");
}
