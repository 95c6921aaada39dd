//! Recordings that are uploaded: once each, before their ticket, and never in its way.

use std::collections::BTreeSet;

use super::*;

/// Five leads of two messages; the recordings of three hang on their second messages, one ticket has two.
fn recorded() -> Wants {
    let mut wants = Wants::people(5, 2);
    for number in [1, 2, 3] {
        wants.recording(&lead(number), 2);
    }
    wants.recording(&lead(3), 1);
    wants
}

/// `external id: file` of every attachment at Gorgias; its address must be that of a file that is there.
fn attached(world: &World) -> Vec<String> {
    world.gorgias.account(|account| {
        let mut told = Vec::new();
        for message in account.messages.values() {
            let key = message.external_id.clone().unwrap_or_default();
            for file in &message.attachments {
                let upload = account.uploads.get(&file.url).expect("an upload");
                assert_eq!(upload.body, Wants::sound(&key), "another recording hangs on {key}");
                assert_eq!(file.bytes, Some(upload.body.len() as u64));
                told.push(format!("{key}: {} {}", file.name, file.content_type));
            }
        }
        told.sort();
        told
    })
}

/// Uploads that hang on no message.
fn orphans(world: &World) -> usize {
    world.gorgias.account(|account| {
        let used: BTreeSet<&String> = account
            .messages
            .values()
            .flat_map(|message| &message.attachments)
            .map(|file| &file.url)
            .collect();
        account.uploads.keys().filter(|url| !used.contains(url)).count()
    })
}

const EXPECTED: [&str; 4] = [
    "leaddesk:lead:1:1:message:2: call-2.mp3 audio/mpeg",
    "leaddesk:lead:1:2:message:2: call-2.mp3 audio/mpeg",
    "leaddesk:lead:1:3:message:1: call-1.mp3 audio/mpeg",
    "leaddesk:lead:1:3:message:2: call-2.mp3 audio/mpeg",
];

#[tokio::test]
async fn each_recording_hangs_on_its_message_and_is_read_back() {
    let world = world_of(Account::fresh(), recorded()).await;
    run_all(&world).await.expect("a clean run");
    assert_right(&world).await;
    assert_eq!(attached(&world), EXPECTED);
    assert_eq!((orphans(&world), world.gorgias.usage_by_route()["POST /upload"]), (0, 4));
    let (plan, _) = plan::read(&world.context()).await.expect("a plan");
    assert_eq!((plan.counts.files_uploaded, plan.wave(Wave::Leads).writes), (4, 9));
    let by_route = world.gorgias.usage_by_route();
    run_all(&world).await.expect("nothing to do");
    assert_eq!(world.gorgias.usage_by_route(), by_route, "a finished run asks for nothing");
}

#[tokio::test]
async fn a_changed_attachment_is_a_difference() {
    let world = world_of(Account::fresh(), recorded()).await;
    run_to_plan(&world).await.expect("planned");
    let ctx = world.context();
    run(&ctx, Wave::Customers).await.expect("loaded");
    reconcile::run(&ctx, Wave::Customers).await.expect("compared");
    run(&ctx, Wave::Leads).await.expect("loaded");
    world.gorgias.account(|account| {
        let file = account.messages.values_mut().find_map(|message| message.attachments.first_mut());
        file.expect("an attachment").name = "other.mp3".to_owned();
    });
    reconcile::run(&ctx, Wave::Leads).await.expect("compared");
    let told = told(&verdict_of(&world, Wave::Leads).await);
    assert_eq!(told, ["message leaddesk:lead:1:1:message:2 attachment[1].name CMP104 unexplained"]);
}

#[tokio::test]
async fn a_refused_upload_costs_its_message_the_file_and_nothing_else() {
    let world = world_of(Account::fresh(), recorded()).await;
    world.gorgias.fail("POST /upload", 1, Fault::Refused);
    run_all(&world).await.expect("goes on");
    assert_right(&world).await;
    assert_eq!(attached(&world).len(), 3);
    assert_eq!(world.gorgias.account(|account| account.tickets.len()), 5);
}

#[tokio::test]
async fn a_lost_answer_leaves_one_unattached_file_that_is_counted() {
    for fault in [Fault::AnswerLost, Fault::Vanished] {
        let world = world_of(Account::fresh(), recorded()).await;
        world.gorgias.fail("POST /upload", 2, fault);
        run_all(&world).await.expect("goes on");
        assert_right(&world).await;
        assert_eq!(attached(&world), EXPECTED);
        assert_eq!(orphans(&world), usize::from(fault == Fault::AnswerLost), "{fault:?}");
        let (book, _) = Ledger::read(&world.context()).await.expect("a ledger");
        let again = book
            .iter()
            .filter(|(key, _)| book.note(key).is_some_and(|note| note.code == codes::UPLOADED_AGAIN));
        assert_eq!(again.count(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn an_upload_without_any_answer_does_not_keep_its_ticket() {
    let mut wants = Wants::people(3, 2);
    wants.recording(&lead(2), 2);
    let world = world_of(Account::fresh(), wants).await;
    for nth in 1..=20 {
        world.gorgias.fail("POST /upload", nth, Fault::AnswerLost);
    }
    run_all(&world).await.expect("goes on");
    assert_right(&world).await;
    assert_eq!(attached(&world), Vec::<String>::new());
    assert_eq!(world.gorgias.account(|account| account.tickets.len()), 3);
    let (book, _) = Ledger::read(&world.context()).await.expect("a ledger");
    let noted = |(key, _): &(&migration::ledger::WriteKey, _)| {
        book.note(key).is_some_and(|note| note.code == codes::UPLOAD_REFUSED)
    };
    assert_eq!((book.iter().filter(noted).count(), orphans(&world)), (1, 6));
}

#[tokio::test]
async fn a_recording_that_is_gone_from_the_store_is_refused_and_named() {
    let world = world_of(Account::fresh(), recorded()).await;
    let lost = world.store.keys().into_iter().find(|key| key.as_str().contains("recordings/v1/call=1/"));
    world.store.remove(&lost.expect("a recording"));
    run_all(&world).await.expect("goes on");
    assert_right(&world).await;
    assert_eq!(attached(&world).len(), 3);
}

#[tokio::test]
async fn a_crash_after_any_effect_neither_loses_nor_doubles_an_attachment() {
    let undisturbed = world_of(Account::fresh(), recorded()).await;
    let before = undisturbed.effects.count();
    run_all(&undisturbed).await.expect("a clean run");
    let effects = undisturbed.effects.count() - before;
    let mut unattached = 0;
    for effect in 1..effects {
        let world = world_of(Account::fresh(), recorded()).await;
        if let Some(ended) = world.until_crash(effect, run_all(&world)).await {
            ended.expect("ended before the crash");
        }
        run_all(&world).await.expect("goes on");
        assert_right(&world).await;
        assert_eq!(attached(&world), EXPECTED, "crashed after effect {effect}");
        let (orphans, uploads) = (orphans(&world), world.gorgias.account(|account| account.uploads.len()));
        assert_eq!(uploads, 4 + orphans, "crashed after effect {effect}");
        // No more can lie there than were on their way.
        assert!(orphans <= world.context().limits.destination_in_flight, "{orphans} after effect {effect}");
        unattached += orphans;
    }
    assert!(unattached > 0, "no crash hit an upload between its effect and its receipt");
}
