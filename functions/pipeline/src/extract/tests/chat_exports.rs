//! Chatbot exports: merging, contradictions, hostile content.

use expect_test::{Expect, expect};
use snapshot::tables::{SourceChatMessage, SourceConversation};

use super::{account, rejects, rows, run};
use crate::test_world::World;
use crate::testing::chatbot::{MESSAGES, export, message};

async fn check(exports: &[Vec<u8>], expected: Expect) {
    let world = World::new(account());
    for (number, export) in exports.iter().enumerate() {
        world.file(&format!("bot{number}.zip"), export);
    }
    let shown = match run(&world.ctx).await {
        Err(error) => {
            let source =
                std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            format!("{} {error}{source}", error.code())
        }
        Ok(report) => {
            let mut lines: Vec<String> = rows::<SourceConversation>(&world)
                .await
                .iter()
                .map(|c| {
                    format!(
                        "{} {:?} {} of {:?}",
                        c.conversation_id, c.outcome, c.message_count, c.stated_message_count
                    )
                })
                .collect();
            lines.extend(rows::<SourceChatMessage>(&world).await.iter().map(|message| {
                format!(
                    "{}/{} {} {} {:?}",
                    message.conversation_id,
                    message.position,
                    message.message_id,
                    message.sender,
                    message.body_clean
                )
            }));
            lines.extend(
                rejects(&world)
                    .await
                    .into_iter()
                    .filter(|line| line.contains("c"))
                    .filter(|line| !line.starts_with("lead ") && !line.starts_with("contact ")),
            );
            let codes = ["CHT", "DIS3", "ZIP", "EXT402"];
            let findings =
                report.findings.iter().filter(|f| codes.iter().any(|code| f.code.starts_with(code)));
            lines.extend(findings.map(|f| format!("{} {} {}", f.code, f.count, f.text)));
            lines.join("\n")
        }
    };
    expected.assert_eq(&shown);
}

#[tokio::test]
async fn overlapping_exports_are_merged() {
    let shared = message("c1", "m1", 1, "customer", "<p>Hi &amp; hello</p><script>x</script>");
    let first = format!("{MESSAGES}{shared}{}", message("c1", "m2", 2, "bot", "a\nb"));
    let second = format!("{MESSAGES}{}{shared}", message("c2", "m1", 3, "AGENT", "ok"));
    let exports = [
        export(&first, "c1,handled,,,visitor@example.com,\n", "c1,2024-05-01T10:00:00Z,,,,2\n"),
        export(&second, "c1,handled,,,visitor@example.com,\nc2,transferred,agent1,,,\n", "c2,,,,,4\n"),
    ];
    check(
        &exports,
        expect![[r#"
        c1 Some("handled") 2 of Some(2)
        c2 Some("transferred") 1 of Some(4)
        c1/1 m1 customer "Hi & hello"
        c1/2 m2 bot "a\nb"
        c2/1 m1 agent "ok"
        CHT108 1 messages stand in several exports
        DIS303 1 conversations of which the timing file states more messages than there are"#]],
    )
    .await;
}

#[tokio::test]
async fn contradictions_are_put_aside_on_both_sides() {
    let first = format!(
        "{MESSAGES}{}{}",
        message("c1", "m1", 1, "customer", "one"),
        message("c1", "m2", 2, "bot", "two")
    );
    let second = format!("{MESSAGES}{}", message("c1", "m1", 1, "customer", "other"));
    let exports = [export(&first, "c1,handled,,,,\n", ""), export(&second, "c1,unanswered,,,,\n", "")];
    check(&exports, expect![[r#"
        c1 None 1 of None
        c1/1 m2 bot "two"
        chat_message c1/m1 EXT307 bot0.zip and another export tell it in two ways
        chat_message c1/m1 EXT307 bot1.zip and another export tell it in two ways
        conversation c1 EXT307 rows of the exports tell its outcome or its times in two ways, and none of them is the later one; what they differ in is not taken
        DIS305 1 1 conversations: 1 in outcomes.csv, 0 in timing.csv, 0 in agent.csv, 1 with messages"#]]).await;
}

/// A conversation went on after the first export: whatever the files are called, the export that ends later counts.
#[tokio::test]
async fn the_later_of_two_exports_tells_how_a_conversation_ended() {
    let begun = format!("{MESSAGES}{}", message("c1", "m1", 1, "customer", "one"));
    let ended = format!("{begun}{}", message("c1", "m2", 20, "agent", "two"));
    let early = export(&begun, "c1,unanswered,,,,\n", "c1,2024-05-01T10:00:01Z,2024-05-01T10:00:01Z,,,1\n");
    let late = export(&ended, "c1,transferred,,,,\n", "c1,2024-05-01T10:00:01Z,2024-05-01T10:00:20Z,,,2\n");
    for exports in [[early.clone(), late.clone()], [late, early]] {
        check(
            &exports,
            expect![[r#"
                c1 Some("transferred") 2 of Some(2)
                c1/1 m1 customer "one"
                c1/2 m2 agent "two"
                CHT108 1 messages stand in several exports"#]],
        )
        .await;
    }
}

/// Of rows that are equally late, what they agree in is taken: an outcome, although one of them is anonymised.
#[tokio::test]
async fn of_equally_late_exports_counts_what_they_agree_in() {
    let rows = format!("{MESSAGES}{}", message("c1", "m1", 1, "customer", "one"));
    let timing = "c1,2024-05-01T10:00:01Z,2024-05-01T10:00:01Z,,,1\n";
    let named = export(&rows, "c1,handled,,,visitor@example.com,\n", timing);
    let anonymised = export(&rows, "c1,handled,,,,\n", timing);
    check(&[named, anonymised], expect![[r#"
        c1 Some("handled") 1 of Some(1)
        c1/1 m1 customer "one"
        conversation c1 EXT307 rows of the exports tell its outcome or its times in two ways, and none of them is the later one; what they differ in is not taken
        CHT108 1 messages stand in several exports"#]]).await;
}

#[tokio::test]
async fn orphans_and_broken_rows_are_named() {
    let rows = format!(
        "{MESSAGES}{}{}{}{}c1,m4\n",
        message("c9", "m1", 1, "customer", "nobody knows c9"),
        message("c1", "m1", 1, "robot", "who"),
        message("c1", "m2", 2, "bot", "fine").replace("2024-05-01T10:00:02Z", "yesterday"),
        message("c1", "m3", 3, "bot", "=cmd()"),
    );
    check(
        &[export(&rows, "c1,handled,,,,\nc5,handled,,,,\n", "")],
        expect![[r#"
        c1 Some("handled") 1 of None
        c5 Some("handled") 0 of None
        c1/1 m3 bot "=cmd()"
        chat_message bot0.zip/conversations.csv:line-3 EXT309 sender is none of customer, bot, agent, system
        chat_message bot0.zip/conversations.csv:line-4 EXT302 timestamp is not ISO 8601
        chat_message bot0.zip/conversations.csv:line-6 ROW101 2 columns instead of 11
        chat_message c9/m1 EXT308 its conversation stands in neither outcomes.csv nor timing.csv
        DIS305 1 2 conversations: 2 in outcomes.csv, 0 in timing.csv, 0 in agent.csv, 1 with messages"#]],
    )
    .await;
}

#[tokio::test]
async fn figures_instead_of_messages_stop() {
    let aggregate = "date,conversations,handled,transferred\n2024-05-01,10,9,1\n";
    check(&[export(aggregate, "", "")], expect!["DIS304 a file of the operator is refused: cannot use bot0.zip: aggregate export, no transcripts: conversations.csv has no column text; export the conversations log"]).await;
    let cut = format!("{MESSAGES}c1,m1,2024-05-01T10:00:01Z,customer,,\"cut he");
    check(&[export(&cut, "c1,handled,,,,\n", "")], expect!["FIL103 a file of the operator is refused: cannot use bot0.zip: the file ends inside quotes that open at line 2: it was cut, or a quote is missing"]).await;
    let renamed = MESSAGES.replace("timestamp", "time");
    check(&[export(&renamed, "", "")], expect!["FIL107 a file of the operator is refused: cannot use bot0.zip: the header lacks timestamp; it has conversation_id, message_id, time, sender, sender_name, text, intent, score, feedback, channel, extra; expected are conversation_id, message_id, timestamp, sender, text"]).await;
}
