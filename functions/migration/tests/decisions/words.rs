//! Texts, contact points, local times, codes and keys.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use migration::canonical::Digest;
use migration::contact_point::{E164, Region, normalize_email, normalize_phone};
use migration::finding::{CATALOGUE, Code};
use migration::keys::{EXTERNAL_ID_CHARS_MAX, ExternalId};
use migration::local_time::{SourceZone, TimeError, render, resolve};
use migration::text::{
    clean, clean_line, folded, html_from_text, mask_email, mask_name, mask_phone, mask_shape, truncate_chars,
    truncate_for_html,
};
use proptest::prelude::*;

use crate::support::{at, fi, seeded};

#[test]
fn cleaning() {
    let check = |raw: &str, expected: &str| assert_eq!(clean(raw), expected, "{raw:?}");
    check("  plain \n", "plain");
    check("a\r\nb\rc", "a\nb\nc");
    check("nul\0 bell\u{7} tab\tstays", "nul bell tab\tstays");
    check("\u{feff}with mark", "with mark");
    check("e\u{301}", "é");
    check("שלום \u{200f}abc", "שלום \u{200f}abc");
    check("\u{a0}", "");
    assert_eq!(clean_line(" two\n  lines\t here "), "two lines here");
    assert_eq!(folded(" ÅSA  Öberg "), "åsa öberg");
}

#[test]
fn html() {
    let check = |text: &str, expected: &Expect| expected.assert_eq(&html_from_text(text));
    check("a < b & c > \"d\" 'e'", &expect!["a &lt; b &amp; c &gt; &quot;d&quot; &#39;e&#39;"]);
    check("one\ntwo", &expect!["one<br>two"]);
    check("<script>alert(1)</script>", &expect!["&lt;script&gt;alert(1)&lt;/script&gt;"]);
}

#[test]
fn cutting() {
    assert_eq!(truncate_chars("abcdef", 6), "abcdef");
    assert_eq!(truncate_chars("abcdef", 4), "abc…");
    assert_eq!(truncate_chars("ab cdef", 4), "ab…");
    assert_eq!(truncate_chars("abc", 0), "");
    // A thumb with its skin tone is one sign: it goes as a whole.
    assert_eq!(truncate_chars("ab👍🏽cd", 4), "ab…");
    assert_eq!(truncate_for_html("a&b&c", 13), "a&b&c");
    assert_eq!(truncate_for_html("a&b&c", 12), "a&b…");
}

#[test]
fn masks_hide() {
    assert_eq!(mask_email("anna.virtanen@mail.example.com"), "a…@….com");
    assert_eq!(mask_email("no address"), "…");
    assert_eq!(mask_phone("+358 40 123 4567"), "+358…67");
    assert_eq!(mask_phone("0401234567"), "04…67");
    assert_eq!(mask_phone("112"), "…");
    assert_eq!(mask_name("Anna Maria Example"), "A. M. E.");
    assert_eq!(mask_name(""), "…");
    assert_eq!(mask_shape("FI21 1234-x ä"), "AA00 0000-a a");
}

#[test]
fn emails() {
    let check = |raw: &str, expected: Option<(&str, &str)>| {
        let found = normalize_email(raw);
        let found = found.as_ref().map(|email| (email.as_given.as_str(), email.normalized.as_str()));
        assert_eq!(found, expected, "{raw:?}");
    };
    check(" Anna@Example.COM ", Some(("Anna@Example.COM", "anna@example.com")));
    check("anna@example.com.", Some(("anna@example.com", "anna@example.com")));
    check("anna@example.com..", None);
    check("anna+tag@sub.example.org", Some(("anna+tag@sub.example.org", "anna+tag@sub.example.org")));
    check("käyttäjä@esimerkki.example", Some(("käyttäjä@esimerkki.example", "käyttäjä@esimerkki.example")));
    check("anna@müller.example", Some(("anna@müller.example", "anna@müller.example")));
    check("none@none", None);
    check("a@example.com, b@example.com", None);
    check("a@example.com;b@example.com", None);
    check("a@example.com b@example.com", None);
    check("Anna <a@example.com>", None);
    check("anna@127.0.0.1", None);
    check("anna@[127.0.0.1]", None);
    check("@example.com", None);
    check("anna@", None);
    check("anna", None);
    check("", None);
    check(&format!("{}@example.com", "a".repeat(400)), None);
}

#[test]
fn phones() {
    let check = |raw: &str, region: &str, expected: Option<&str>| {
        let region: Region = region.parse().unwrap();
        let found = normalize_phone(raw, region);
        assert_eq!(found.as_ref().map(E164::as_str), expected, "{raw:?} in {region}");
    };
    check("+358401234567", "FI", Some("+358401234567"));
    check("040 123 4567", "FI", Some("+358401234567"));
    check("(040) 123-4567", "FI", Some("+358401234567"));
    check("00358 40 1234567", "FI", Some("+358401234567"));
    check("+358 (0)40 123 4567", "FI", Some("+358401234567"));
    check("tel:+358-40-1234567", "FI", Some("+358401234567"));
    check("070-123 45 67", "SE", Some("+46701234567"));
    check("+46701234567", "FI", Some("+46701234567"));
    // An Italian landline keeps its zero, although the region's own trunk prefix is a zero.
    check("+390612345678", "FI", Some("+390612345678"));
    check("\u{202a}+358 40 1234567\u{202c}", "FI", Some("+358401234567"));
    check("0", "FI", None);
    check("", "FI", None);
    check("anonymous", "FI", None);
    check("040CALLME", "FI", None);
    check(&"1".repeat(40), "FI", None);
    check("+999123456789", "FI", None);
    check("+35840", "FI", None);
    check("040 123 4567 / 050 765 4321", "FI", None);
}

#[test]
fn regions() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(text.parse::<Region>().ok().as_ref().map(Region::as_str), expected, "{text:?}");
    };
    check("FI", Some("FI"));
    check(" se ", Some("SE"));
    check("XX", None);
    check("FIN", None);
    check("Ää", None);
    check("", None);
}

#[test]
fn contact_points_do_not_print_themselves() {
    let email = normalize_email("anna.secret@example.com").unwrap();
    let phone = normalize_phone("+358401234567", fi()).unwrap();
    expect!["a…@….com +358…67"].assert_eq(&format!("{email:?} {phone:?}"));
}

#[test]
fn local_times() {
    let helsinki = SourceZone::new("Europe/Helsinki").unwrap();
    let check = |text: &str, expected: &Expect| {
        let shown = match resolve(text, &helsinki) {
            Ok(resolved) => {
                let note = resolved.note.map_or("", |note| note.as_str());
                format!("{} {note} = {}", resolved.at, render(resolved.at, &helsinki))
            }
            Err(error) => format!("error: {error}"),
        };
        expected.assert_eq(&shown);
    };
    check(
        "2024-01-15 10:00:00",
        &expect!["2024-01-15T08:00:00Z  = 2024-01-15 10:00:00 Europe/Helsinki (+02:00)"],
    );
    check(
        "2024-03-31 03:30:00",
        &expect!["2024-03-31T01:30:00Z gap = 2024-03-31 04:30:00 Europe/Helsinki (+03:00)"],
    );
    check(
        "2024-10-27 03:30:00",
        &expect!["2024-10-27T00:30:00Z fold = 2024-10-27 03:30:00 Europe/Helsinki (+03:00)"],
    );
    check(
        " 2024-07-01 00:00:00 ",
        &expect!["2024-06-30T21:00:00Z  = 2024-07-01 00:00:00 Europe/Helsinki (+03:00)"],
    );
    check("0000-00-00 00:00:00", &expect!["error: the zero date stands for no moment"]);
    check("2024-02-30 10:00:00", &expect!["error: no such day or hour"]);
    check("2024-01-01 24:00:00", &expect!["error: no such day or hour"]);
    check("2024-01-01T10:00:00", &expect!["error: not of the form YYYY-MM-DD HH:MM:SS"]);
    check("2024-01-01 10:00", &expect!["error: not of the form YYYY-MM-DD HH:MM:SS"]);
    check("31.12.2024 10:00:00", &expect!["error: not of the form YYYY-MM-DD HH:MM:SS"]);
    check("2024-01-01 10:00:0ä", &expect!["error: not of the form YYYY-MM-DD HH:MM:SS"]);
    check("", &expect!["error: not of the form YYYY-MM-DD HH:MM:SS"]);
    assert_eq!(SourceZone::new("Europe/Atlantis"), Err(TimeError::UnknownZone));
}

#[test]
fn catalogue_is_stable_and_complete() {
    let mut seen = BTreeSet::new();
    for entry in CATALOGUE {
        let code = entry.code.as_str();
        assert!(seen.insert(code), "{code} is there twice");
        let (letters, digits) = code.split_at(3);
        assert!(letters.bytes().all(|byte| byte.is_ascii_uppercase()), "{code}");
        assert!(digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        assert!(!entry.title.is_empty() && !entry.title.ends_with('.'), "{code}");
        assert!(!entry.advice.is_empty() && !entry.advice.ends_with('.'), "{code}");
        assert_eq!(Code::from_text(code), Some(entry.code));
        assert_eq!(entry.code.entry(), entry);
    }
    let window = Code::from_text("DIS301").unwrap();
    expect!["stop chatbot"].assert_eq(&format!(
        "{} {}",
        Code::from_text("DIS304").unwrap().entry().severity.as_str(),
        window.entry().title.split(' ').next().unwrap()
    ));
    assert_eq!(Code::from_text("NOPE"), None);
}

#[test]
fn digests_read_back() {
    let digest = Digest::of(b"abc");
    assert_eq!(digest.to_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
    assert_eq!(Digest::from_hex("00"), None);
    assert_eq!(Digest::from_hex(&"g".repeat(64)), None);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-zäö<>&\"' \n\r\u{0}\u{301}👍🏽]{0,40}"]
}

proptest! {
    #![proptest_config(seeded(256))]

    #[test]
    fn cleaning_twice_changes_nothing(text in any_text()) {
        let once = clean(&text);
        prop_assert_eq!(clean(&once), once.clone());
        prop_assert!(!once.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\t')));
    }

    #[test]
    fn html_has_no_tag_but_breaks(text in any_text()) {
        let html = html_from_text(&text).replace("<br>", "");
        prop_assert!(!html.contains('<') && !html.contains('>'));
        prop_assert!(!html.contains('\n'));
    }

    #[test]
    fn cut_texts_fit(text in any_text(), chars in 0_usize..50, bytes in 10_usize..200) {
        prop_assert!(truncate_chars(&text, chars).chars().count() <= chars);
        let text = clean(&text);
        let cut = truncate_for_html(&text, bytes);
        prop_assert!(cut.len() <= bytes);
        prop_assert!(html_from_text(&cut).len() <= bytes);
        if html_from_text(&text).len() <= bytes {
            prop_assert_eq!(&*cut, text.as_str());
        }
    }

    #[test]
    fn normalising_is_stable(text in any_text(), local in "[a-z]{1,8}", number in "0[45][0-9]{7,9}") {
        if let Some(email) = normalize_email(&text) {
            prop_assert_eq!(normalize_email(&email.as_given), Some(email));
        }
        let email = normalize_email(&format!("{local}@example.com")).unwrap();
        prop_assert_eq!(&email.normalized, &format!("{local}@example.com"));
        if let Some(phone) = normalize_phone(&number, fi()) {
            prop_assert_eq!(normalize_phone(phone.as_str(), fi()), Some(phone));
        }
        if let Some(phone) = normalize_phone(&text, fi()) {
            prop_assert!(phone.as_str().starts_with('+'));
        }
    }

    #[test]
    fn resolved_times_render_as_they_were_unless_noted(seconds in 946_684_800_i64..2_000_000_000) {
        let zone = SourceZone::new("Europe/Helsinki").unwrap();
        let moment = jiff::Timestamp::from_second(seconds).unwrap();
        let shown = render(moment, &zone);
        let resolved = resolve(&shown[..19], &zone).unwrap();
        match resolved.note {
            None => prop_assert_eq!(resolved.at, moment),
            // The later of two equal hours reads as the earlier one.
            Some(_) => prop_assert!(resolved.at == moment || resolved.at.as_second() + 3_600 == moment.as_second()),
        }
    }

    #[test]
    fn external_ids_are_injective_and_short(
        left in ("[a-z:0-9]{0,300}", "[a-z:0-9]{0,300}"),
        right in ("[a-z:0-9]{0,300}", "[a-z:0-9]{0,300}"),
    ) {
        let id = |pair: &(String, String)| ExternalId::chat_message(&pair.0, &pair.1);
        prop_assert!(id(&left).as_str().chars().count() <= EXTERNAL_ID_CHARS_MAX);
        prop_assert_eq!(id(&left) == id(&right), left == right);
    }
}

#[test]
fn rendering_names_zone_and_offset() {
    let zone = SourceZone::new("Europe/Helsinki").unwrap();
    expect!["2024-03-31 04:30:00 Europe/Helsinki (+03:00)"]
        .assert_eq(&render(at("2024-03-31T01:30:00Z"), &zone));
}
