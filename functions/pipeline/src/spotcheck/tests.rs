//! A sample drawn, shown, judged and counted.

use super::*;
use crate::trace::tests::world;

fn file(sample: &SampleV1, verdicts: &[&str], by: &str) -> Vec<u8> {
    let records: Vec<_> = sample
        .records
        .iter()
        .zip(verdicts)
        .map(|(it, verdict)| {
            serde_json::json!({
                "object": it.object, "leaddesk_id": it.leaddesk_id, "verdict": verdict, "comment": "",
            })
        })
        .collect();
    let file = serde_json::json!({
        "version": "1", "run": sample.run, "sample": sample.number, "digest": sample.digest(), "by": by,
        "records": records,
    });
    serde_json::to_vec(&file).expect("JSON")
}

#[tokio::test]
async fn a_sample_is_drawn_by_seed_and_asks_nobody() {
    let world = world().await;
    let ctx = world.context();
    let requests = world.gorgias.all_requests();
    let first = new(&ctx, None, 25).await.expect("drawn");
    let second = new(&ctx, Some(first.drawn.seed), 25).await.expect("drawn");
    assert_eq!(world.gorgias.all_requests(), requests, "no request is sent");
    assert_eq!((first.drawn.number, second.drawn.number), (1, 2));
    assert_eq!(first.drawn.records, second.drawn.records, "one seed, one sample");
    let objects: BTreeSet<&str> = first.drawn.records.iter().map(|it| it.object.as_str()).collect();
    assert_eq!(objects, BTreeSet::from(["agent", "call", "campaign", "contact", "office"]));
    let strata: Vec<&String> = first.drawn.records.iter().flat_map(|it| &it.strata).collect();
    for wanted in [
        "trouble CUS102",
        "trouble merged",
        "trouble USR101",
        "trouble CMP104",
        "month 2026-09",
        "office North",
    ] {
        assert!(strata.iter().any(|it| *it == wanted), "{wanted}: {strata:?}");
    }
}

#[tokio::test]
async fn the_page_shows_both_sides_and_asks_the_network_for_nothing() {
    let world = world().await;
    let ctx = world.context();
    let sample = new(&ctx, None, 25).await.expect("drawn");
    let bytes = ctx.store.get(&sample.page).await.expect("stored");
    let html = std::str::from_utf8(&bytes).expect("text");
    assert!(html.contains("This page holds personal data"));
    assert!(html.contains("first_name: Ada; last_name: Example"), "the source's value: {html}");
    assert!(html.contains("<td>Ada</td><td>differs"), "what Gorgias holds: {html}");
    assert!(html.contains("default-src &#39;none&#39;") || html.contains("default-src 'none'"), "{html}");
    for word in ["src=\"", "<link", "@import", "url(", "fetch(", "unsafe-inline", "<script src"] {
        assert!(!html.contains(word), "{word}");
    }
    let style = html.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).expect("a style");
    use base64::Engine as _;
    use sha2::Digest as _;
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style.as_bytes()));
    let plain = html.replace("&#43;", "+").replace("&#61;", "=").replace("&#47;", "/");
    assert!(plain.contains(&hash), "the policy lets this style in");
}

#[tokio::test]
async fn what_people_said_is_kept_and_counted() {
    let world = world().await;
    let ctx = world.context();
    let sample = new(&ctx, None, 25).await.expect("drawn").drawn;
    let before = all(&ctx).await.expect("read");
    assert_eq!((before[0].judged, before[0].wrong), (0, 0));
    let said = file(&sample, &["right", "wrong", "unsure", "right"], "Reviewer");
    let checked = record(&ctx, &said, None).await.expect("recorded");
    assert_eq!((checked.judged, checked.wrong), (3, 1), "{checked:?}");
    assert!(checked.lines.iter().any(|line| line.contains("Reviewer recorded 4 of")), "{checked:?}");
    // The same file again is the same judgement; another one counts for the records that it names.
    assert_eq!(record(&ctx, &said, None).await.expect("recorded"), checked);
    let again = record(&ctx, &file(&sample, &["right", "right"], "Another"), None).await.expect("recorded");
    assert_eq!((again.judged, again.wrong), (3, 0), "{again:?}");
    assert_eq!(all(&ctx).await.expect("read"), [again]);
}

#[tokio::test]
async fn a_file_of_another_sample_is_refused() {
    let world = world().await;
    let ctx = world.context();
    let sample = new(&ctx, None, 25).await.expect("drawn").drawn;
    let strange = SampleV1 { run: "2026-01-01-a1".to_owned(), ..sample.clone() };
    let other_seed = SampleV1 { seed: 99, ..sample.clone() };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let fine = text(file(&sample, &["right"], "Reviewer"));
    let unknown = fine.replace("\"leaddesk_id\":\"", "\"leaddesk_id\":\"x");
    let cases = [
        (text(file(&strange, &["right"], "Reviewer")), "SPT003"),
        (text(file(&other_seed, &["right"], "Reviewer")), "SPT003"),
        (unknown, "SPT003"),
        (fine.replace("right", "perhaps"), "SPT002"),
        ("[]".to_owned(), "SPT002"),
        (text(file(&sample, &["right"], "  ")), "SPT004"),
    ];
    for (bytes, code) in cases {
        let error = record(&ctx, bytes.as_bytes(), None).await.expect_err(code);
        assert_eq!(error.code(), code, "{bytes}");
    }
    assert_eq!(all(&ctx).await.expect("read")[0].judged, 0, "nothing is kept of them");
}
