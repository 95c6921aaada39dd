//! From a proposal through a review to an approval, over a store in memory.

use expect_test::expect;
use migration::finding::ObjectKind;
use migration::mapping::RowChoice;

use super::*;
use crate::propose::{Confirmation, confirm};
use crate::test_world::{FakeLeadDesk, World};
use crate::{approval, discover};

async fn discovered() -> World {
    let user = |id, name: &str| {
        format!(r#"{{"id":{id},"name":"{name}","username":"a{id}","employment":"active","role":"Agent"}}"#)
    };
    let world = World::new(FakeLeadDesk {
        users: vec![user(8, "Agent Eight"), user(9, "Agent Nine")],
        campaigns: vec![r#"{"id":12,"name":"Spring","type":"outbound","disabled":false}"#.into()],
        ..FakeLeadDesk::default()
    });
    discover::run(&world.ctx).await.expect("discovered");
    world
}

fn about() -> page::About {
    page::About {
        migration: "acme".into(),
        run: "2026-11-22-a1".into(),
        reviewer: "Reviewer One".into(),
        made_at: "2026-06-01T00:00:00Z".parse().expect("a moment"),
    }
}

async fn exported(world: &World, view: View) -> Vec<u8> {
    open(&world.ctx).await.expect("a review").export(view, None, &about()).expect("a view")
}

async fn toml(world: &World) -> String {
    String::from_utf8(exported(world, View::Toml).await).expect("text")
}

/// Writes a choice into the row.
fn chosen(text: &str, row: &str, choice: &str) -> String {
    let (before, after) = text.split_once(&format!("row = \"{row}\"")).expect("the row");
    format!("{before}row = \"{row}\"{}", after.replacen("choice = \"\"", choice, 1))
}

async fn taken(world: &World, view: View, bytes: &[u8]) -> Result<Imported, ReviewError> {
    import(&world.ctx, &Import { view, bytes, by: Some("Reviewer One") }).await
}

fn told(imported: &Imported) -> String {
    let mut lines: Vec<String> = imported.differences.iter().map(ToString::to_string).collect();
    for (was, is) in &imported.outcomes {
        let row = |row: &Option<MappingRow>| {
            row.as_ref()
                .map_or("nothing".to_owned(), |row| format!("{} {}", row.decision.as_str(), row.target))
        };
        lines.push(format!("  {} => {}", row(was), row(is)));
    }
    lines.push(format!("number {}, looked at {:?}", imported.number, imported.looked_at));
    lines.join("\n")
}

#[tokio::test]
async fn what_was_chosen_is_what_is_approved() {
    let world = discovered().await;
    let text = toml(&world).await;
    let text = chosen(&text, "user/8", "choice = \"user\"\nvalue = \"2\"");
    let text = chosen(&text, "user/9", "choice = \"placeholder\"\nreason = \"left in May\"");
    let text = chosen(&text, "campaign/12", "choice = \"rename\"\nvalue = \"Spring 2026\"");
    let more = async |text: &str| {
        let review = open(&world.ctx).await.expect("a review");
        says_more(&world.ctx, &review, View::Toml, text.as_bytes()).await.expect("told")
    };
    assert!(!more(&toml(&world).await).await && more(&text).await && more("no mapping").await);
    let imported = taken(&world, View::Toml, text.as_bytes()).await.expect("taken");
    assert!(!more(&text).await && more(&text.replace("left in May", "left in June")).await);
    expect![[r#"
        user/8: as proposed -> user 2
        user/9: as proposed -> placeholder: left in May
        campaign/12: as proposed -> rename Spring 2026
          conflict service user => carry user 2
          conflict service user => leave service user
          carry tag `Spring` (created) => carry tag `Spring 2026` (created)
        number 1, looked at (0, 31)"#]]
    .assert_eq(&told(&imported));
    assert_eq!(imported.reviewer.as_deref(), Some("Reviewer One"));
    // The same once more changes nothing, and nothing is stored.
    let again = taken(&world, View::Toml, text.as_bytes()).await.expect("taken");
    assert_eq!((again.number, again.differences.len()), (1, 0));
    assert_eq!(world.stored("choices/").len(), 1);

    // The file that people wrote into is written over without losing what they wrote.
    let review = open(&world.ctx).await.expect("a review");
    let remarked = text.replace("[[row]]", "# asked\n[[row]]").replace("answers = 0", "answers = 0 # mine");
    let over = review.export(View::Toml, Some(&remarked), &about()).expect("written over");
    let over = String::from_utf8(over).expect("text");
    assert_eq!(over, remarked.replace("answers = 0", "answers = 1"));

    let seen = propose::proposal(&world.ctx).await.expect("a proposal");
    assert_eq!(seen.conflicts(), Vec::new());
    let confirmation = Confirmation {
        reviewer: "Reviewer Two".into(),
        at: "2026-06-01T00:00:00Z".parse().expect("a moment"),
        proposal_digest: Some(seen.digest().to_hex()),
        leave_out: Vec::new(),
    };
    let mapping = confirm(&world.ctx, &confirmation).await.expect("approved");
    assert!(mapping.tags().decisions.iter().any(|tag| tag.name == "Spring 2026"));
    assert_eq!(approval::holding(&world.ctx).await.expect("holds"), mapping);

    // Another choice makes the approval stale, a comment does not.
    let commented = over.replacen("comment = \"\"", "comment = \"fine\"", 1);
    taken(&world, View::Toml, commented.as_bytes()).await.expect("taken");
    assert_eq!(approval::holding(&world.ctx).await.expect("holds"), mapping);
    let other = commented.replace("answers = 1", "answers = 2").replace("Spring 2026", "Spring 2027");
    taken(&world, View::Toml, other.as_bytes()).await.expect("taken");
    let error = approval::holding(&world.ctx).await.expect_err("stale");
    expect!["the approval does not hold any more: the mapping: the choice for campaign/12 has changed"]
        .assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_file_that_cannot_be_taken_changes_nothing() {
    let world = discovered().await;
    let before = world.stored("");
    let text = chosen(&toml(&world).await, "user/8", "choice = \"leave\"\nreason = \"x\"");
    let text = text.replace("Agent Nine", "Agent Ten");
    let error = taken(&world, View::Toml, text.as_bytes()).await.expect_err("refused");
    let ReviewError::Refused { faults } = &error else { panic!("{error:?}") };
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code).collect();
    assert_eq!((codes, error.code()), (vec!["REV105", "REV106"], "REV105"));
    assert_eq!(world.stored(""), before);
    // Another proposal: the settings have changed since the file was made.
    let sound = toml(&world).await;
    let mut later = discovered().await;
    later.ctx.mapping.tags = migration::settings::TagChoice::Campaign;
    let error = taken(&later, View::Toml, sound.as_bytes()).await.expect_err("refused");
    assert_eq!(error.code(), "REV102");
    assert_eq!(later.stored("choices/"), Vec::<String>::new());
}

#[tokio::test]
async fn two_reviews_at_once_are_joined_unless_they_differ() {
    let world = discovered().await;
    let text = toml(&world).await;
    let first = chosen(&text, "user/8", "choice = \"user\"\nvalue = \"2\"");
    let second = chosen(&text, "user/9", "choice = \"placeholder\"\nreason = \"left\"");
    let third = chosen(&text, "user/8", "choice = \"placeholder\"\nreason = \"left\"");
    taken(&world, View::Toml, first.as_bytes()).await.expect("taken");
    let joined = taken(&world, View::Toml, second.as_bytes()).await.expect("joined");
    assert_eq!(joined.number, 2);
    let answers = open(&world.ctx).await.expect("a review").document.answers();
    assert_eq!(answers.len(), 2, "neither is lost");
    let error = taken(&world, View::Toml, third.as_bytes()).await.expect_err("both chose for one row");
    assert_eq!(error.code(), "REV110");
    let user = answers.get(&RowId::new(ObjectKind::User, 8)).and_then(|answer| answer.choice.clone());
    assert_eq!(user, Some(RowChoice::User(UserId(2))));
}

#[tokio::test]
async fn decisions_say_who_decided() {
    let world = discovered().await;
    let proposal = propose::without_answers(&world.ctx).await.expect("a proposal").digest().to_hex();
    let decisions = format!(
        r#"{{"version":"1","proposal":"{proposal}","answers":0,"reviewer":" Rita  R. ","decided_at":"2026-06-02T08:00:00Z",
            "rows":[{{"row":"user/8","choice":"placeholder","reason":"left","seen":true}},{{"row":"user/9","seen":true}}]}}"#
    );
    let imported = taken(&world, View::Decisions, decisions.as_bytes()).await.expect("taken");
    assert_eq!(imported.reviewer.as_deref(), Some("Rita R."));
    expect![[r#"
        user/8: as proposed -> placeholder: left, looked at
        user/9: looked at
          conflict service user => leave service user
        number 1, looked at (2, 31)"#]]
    .assert_eq(&told(&imported));
    let stored = answers::numbered(&world.ctx, 1).await.expect("read").expect("stored");
    assert_eq!(stored.reviewer.as_deref(), Some("Rita R."));
    assert_eq!(stored.decided_at, Some("2026-06-02T08:00:00Z".parse().expect("a moment")));
    assert_eq!(stored.file_sha256, Digest::of(decisions.as_bytes()).to_hex());
}

#[tokio::test]
async fn every_view_is_the_same_each_time() {
    let world = discovered().await;
    for view in [View::Toml, View::Workbook, View::Page, View::Decisions] {
        assert_eq!(exported(&world, view).await, exported(&world, view).await, "{view:?}");
    }
    let page = String::from_utf8(exported(&world, View::Page).await).expect("text");
    // Nothing that a browser would ask for, and a policy that forbids it.
    assert!(page.contains("default-src 'none'"));
    for part in [
        "http:",
        "https:",
        "//cdn",
        "@import",
        "url(",
        "src=",
        "<link",
        "innerHTML",
        "fetch(",
        "XMLHttpRequest",
    ] {
        assert!(!page.contains(part), "the page holds {part}");
    }
    for (tag, hash) in [("style", "style-src '"), ("script", "script-src '")] {
        let content =
            page.split_once(&format!("<{tag}>")).and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")));
        let stated = page.split_once(hash).and_then(|(_, rest)| rest.split_once('\''));
        assert_eq!(stated.expect("a policy").0, page::hash(content.expect("a block").0), "{tag}");
    }
}

#[test]
fn schemas_know_what_files_hold() {
    for schema in [file::schema(), decisions::schema()] {
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    }
    let text = file::schema().to_string();
    for column in columns::LOCKED.iter().chain(&columns::OPEN) {
        assert!(text.contains(&format!("\"{}\":", column.key)), "{}", column.key);
    }
    for word in migration::mapping::ChoiceKind::ALL
        .iter()
        .map(|kind| kind.as_str())
        .chain(migration::mapping::cells::INTO_WORDS)
    {
        assert!(text.contains(&format!("\"{word}\"")), "{word}");
    }
}
