//! Confirming: by digest, without open rows, once.

use expect_test::expect;

use migration::suggest::external::ExternalSuggestion;

use super::*;
use crate::discover;
use crate::ports::suggester::{DescribedField, Suggester, SuggesterError};
use crate::test_world::{FakeLeadDesk, World};

fn account() -> FakeLeadDesk {
    FakeLeadDesk {
        users: vec![
            r#"{"id":8,"name":"Agent Two","username":"agent2","employment":"active","role":"Agent"}"#.into(),
        ],
        ..FakeLeadDesk::default()
    }
}

fn confirmation(leave_out: Vec<LeaveOut>) -> Confirmation {
    let at = "2026-06-01T00:00:00Z".parse().expect("a moment");
    Confirmation { reviewer: "Reviewer One".into(), at, proposal_digest: None, leave_out }
}

fn agent_8() -> Vec<LeaveOut> {
    let id = RowId::new(finding::ObjectKind::User, 8);
    vec![LeaveOut { id, reason: "left the company".into() }]
}

#[tokio::test]
async fn open_rows_stop_with_their_reasons() {
    let world = World::new(account());
    discover::run(&world.ctx).await.expect("discovered");
    let report = run(&world.ctx).await.expect("proposed");
    assert_eq!(report.findings.len(), 1);
    let error = confirm(&world.ctx, &confirmation(Vec::new())).await.expect_err("open");
    expect!["MAP104 1 rows of the proposal are open; the first is user/8: agent without email"]
        .assert_eq(&format!("{} {error}", error.code()));
    assert_eq!(world.stored("confirmed.json"), Vec::<String>::new());
    let mapping = confirm(&world.ctx, &confirmation(agent_8())).await.expect("confirmed");
    assert_eq!(documents::confirmed_mapping(&world.ctx).await.expect("stored"), mapping);
    assert_eq!(confirm(&world.ctx, &confirmation(agent_8())).await.expect("the same"), mapping);
    let other = Confirmation { reviewer: "Reviewer Two".into(), ..confirmation(agent_8()) };
    assert_eq!(confirm(&world.ctx, &other).await.expect_err("once").code(), "MAP106");
}

#[tokio::test]
async fn what_was_seen_is_what_is_confirmed() {
    let world = World::new(account());
    discover::run(&world.ctx).await.expect("discovered");
    let seen = proposal(&world.ctx).await.expect("proposed").digest().to_hex();
    assert_eq!(proposal(&world.ctx).await.expect("again").digest().to_hex(), seen);
    let mut later = world.ctx.clone();
    later.mapping.tags = migration::settings::TagChoice::Campaign;
    let stale = Confirmation { proposal_digest: Some(seen.clone()), ..confirmation(agent_8()) };
    assert_eq!(confirm(&later, &stale).await.expect_err("other proposal").code(), "MAP102");
    confirm(&world.ctx, &stale).await.expect("the one that was seen");
}

#[tokio::test]
async fn a_short_chat_window_is_accepted_by_name_only() {
    let mut world = World::new(account());
    let mut export = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        (
            "conversations.csv",
            "conversation_id,message_id,timestamp,sender,text\nc1,m1,2024-05-10T00:00:00Z,customer,hi\n",
        ),
        ("outcomes.csv", "conversation_id,outcome\nc1,handled\n"),
        ("timing.csv", "conversation_id,started_at,ended_at\nc1,,\n"),
        ("agent.csv", "conversation_id,agent_username\n"),
    ] {
        export.start_file(name, zip::write::SimpleFileOptions::default()).expect("a valid name");
        std::io::Write::write_all(&mut export, text.as_bytes()).expect("in memory");
    }
    world.file("bot.zip", export.finish().expect("in memory").into_inner());
    let at = |text: &str| text.parse::<Timestamp>().expect("a moment");
    world.ctx.limits.chat_window = Some((at("2024-05-01T00:00:00Z"), at("2024-06-01T00:00:00Z")));
    discover::run(&world.ctx).await.expect("discovered");
    let error = confirm(&world.ctx, &confirmation(agent_8())).await.expect_err("not accepted");
    expect!["MAP105 these risks must be accepted by name: DIS301"]
        .assert_eq(&format!("{} {error}", error.code()));
    world.ctx.limits.accepted_findings.push("DIS301".into());
    confirm(&world.ctx, &confirmation(agent_8())).await.expect("accepted");
}

#[tokio::test]
async fn an_edited_mapping_is_refused() {
    let world = World::new(account());
    discover::run(&world.ctx).await.expect("discovered");
    confirm(&world.ctx, &confirmation(agent_8())).await.expect("confirmed");
    {
        let mut objects = world.store.objects.lock().expect("free");
        let (_, body) =
            objects.iter_mut().find(|(key, _)| key.as_str().ends_with("confirmed.json")).expect("stored");
        *body = String::from_utf8_lossy(body).replace("leaddesk_lead_status__c", "other").into();
    }
    assert_eq!(documents::confirmed_mapping(&world.ctx).await.expect_err("edited").code(), "DOC103");
}

/// Remembers what it was told, and answers as it is told to.
struct Listener {
    told: std::sync::Mutex<Vec<DescribedField>>,
    answer: fn(&[DescribedField]) -> Result<Vec<ExternalSuggestion>, SuggesterError>,
}

#[async_trait::async_trait]
impl Suggester for Listener {
    fn name(&self) -> &str {
        "model `m`"
    }

    fn fields_per_question(&self) -> usize {
        2
    }

    async fn suggest(&self, fields: &[DescribedField]) -> Result<Vec<ExternalSuggestion>, SuggesterError> {
        self.told.lock().expect("free").extend_from_slice(fields);
        (self.answer)(fields)
    }
}

/// Contacts whose every value would be known again.
fn filled() -> FakeLeadDesk {
    let contact = |id: u64| {
        format!(
            r#"{{"contact_id":{id},"data":{{"id":{id},"email":"secret{id}@canary.example","other1":"Canary Person{id}","other2":"+35840123456{id}","other3":"131052-308T","other4":"canary note {id}"}}}}"#
        )
    };
    FakeLeadDesk {
        campaigns: vec![r#"{"id":12,"name":"Spring"}"#.into()],
        lists: vec![("41".into(), "List A".into())],
        exports: [("41".to_owned(), (1..=8).map(|id| format!("{id};x;;;;;;;;;;;;\r\n")).collect())].into(),
        contacts: (1..=8).map(|id| (id, contact(id))).collect(),
        ..account()
    }
}

async fn listened(
    answer: fn(&[DescribedField]) -> Result<Vec<ExternalSuggestion>, SuggesterError>,
) -> (World, std::sync::Arc<Listener>) {
    let mut world = World::new(filled());
    world.file("lists.csv", "list_id;campaign_ids\n41;12\n");
    world.file(
        "fields.csv",
        "campaign_id;slot;label;type;values\n12;other1;Yhteyshenkilö;text;\n12;other2;Puhelin 2;text;\n12;other3;Tunniste;text;\n12;other4;Memo;text;\n",
    );
    let listener = std::sync::Arc::new(Listener { told: std::sync::Mutex::default(), answer });
    world.ctx.suggester = Some(listener.clone());
    discover::run(&world.ctx).await.expect("discovered");
    (world, listener)
}

fn suggestion(field: usize, target: &str) -> ExternalSuggestion {
    ExternalSuggestion { field, target: target.into(), confidence: 0.97, reason: "so it is".into() }
}

#[tokio::test]
async fn no_value_reaches_the_suggester_and_nothing_is_decided_by_it() {
    let (world, listener) = listened(|fields| {
        let known = fields.iter().map(|field| suggestion(field.number, "leave"));
        Ok(known.chain([suggestion(99, "phone"), suggestion(0, "drop the table")]).collect())
    })
    .await;
    let without = {
        let mut ctx = world.ctx.clone();
        ctx.suggester = None;
        proposal(&ctx).await.expect("proposed")
    };
    let report = run(&world.ctx).await.expect("proposed");
    let told = format!("{:?}", listener.told.lock().expect("free"));
    for value in ["canary", "Canary", "secret", "+358", "131052", "308T"] {
        assert!(!told.contains(value), "{value} was told: {told}");
    }
    let labels: Vec<String> =
        listener.told.lock().expect("free").iter().map(|field| field.label.clone()).collect();
    assert_eq!(labels, ["Yhteyshenkilö", "Puhelin 2", "Memo"], "what is sensitive is not even described");
    let found: Vec<String> =
        report.findings.iter().map(|found| format!("{} {}", found.code, found.count)).collect();
    assert_eq!(found, ["SUG104 4", "USR101 1"]);

    let with = proposal(&world.ctx).await.expect("proposed");
    assert_ne!(with.digest(), without.digest(), "the reviewer sees more");
    let mut alternatives = 0;
    for (with, without) in with.rows().zip(without.rows()) {
        assert_eq!((&with.decision, &with.target), (&without.decision, &without.target));
        let (with, without) = (with.evidence.as_ref(), without.evidence.as_ref());
        let (with, without) = (with.expect("evidence"), without.expect("evidence"));
        assert_eq!(with.confidence.to_bits(), without.confidence.to_bits());
        alternatives += with.alternatives.len() - without.alternatives.len();
    }
    assert_eq!(alternatives, 3);
    run(&world.ctx).await.expect("again");
    assert_eq!(listener.told.lock().expect("free").len(), 3, "asked once a run");
    assert_eq!(proposal(&world.ctx).await.expect("again").digest(), with.digest());
}

#[tokio::test]
async fn whatever_fails_outside_is_a_finding() {
    let (world, listener) = listened(|_| Err(SuggesterError::Status { status: 500 })).await;
    let report = run(&world.ctx).await.expect("proposed all the same");
    let found: Vec<String> =
        report.findings.iter().map(|found| format!("{} {}", found.code, found.text)).collect();
    expect![[r#"
        SUG102 model `m`: the suggester answers with status 500; the proposal is made without it
        USR101 user/8: agent without email"#]]
    .assert_eq(&found.join("\n"));
    assert_eq!(listener.told.lock().expect("free").len(), 2, "who fails once is not asked on");
    assert!(world.stored("suggestions.json").is_empty(), "the next proposal asks again");
}
