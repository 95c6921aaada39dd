//! The one engine, exhaustively for one field and by properties for many.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use migration::decide::{
    Action, Decision, FieldStates, Found, FoundKey, KeepReason, LastWritten, Origin, RecordImage, decide,
};
use migration::settings::ConflictRule;
use proptest::prelude::*;

use crate::support::seeded;

fn image(fields: &[(&str, &str)], messages: &[&str]) -> RecordImage {
    RecordImage {
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        messages: messages.iter().map(|message| (*message).to_owned()).collect(),
    }
}

fn field(value: Option<&str>) -> RecordImage {
    image(&value.map(|value| ("f", value)).into_iter().collect::<Vec<_>>(), &[])
}

fn created(image: RecordImage) -> LastWritten {
    LastWritten { origin: Origin::Created, image }
}

fn found(image: RecordImage) -> Found {
    Found { image, key: FoundKey::Ours, has_foreign_traces: false }
}

fn word(decision: &Decision) -> String {
    match &decision.action {
        Action::Create => "create".to_owned(),
        Action::Update(changes) => {
            let changes: Vec<String> = changes
                .iter()
                .map(|change| format!("{}={}", change.field, change.write.as_deref().unwrap_or("-")))
                .collect();
            format!("update {}", changes.join(" "))
        }
        Action::Append(messages) => format!("append {}", messages.join(" ")),
        Action::Delete => "delete".to_owned(),
        Action::Keep(reason) => format!("keep {reason:?}"),
        Action::Conflict(fields) => {
            format!(
                "conflict {}",
                fields.iter().map(|states| states.field.as_str()).collect::<Vec<_>>().join(" ")
            )
        }
    }
}

/// Every combination of three values and absence on three sides.
#[test]
fn three_ways_for_one_field() {
    let values = [None, Some("a"), Some("b"), Some("c")];
    let show = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let mut out = String::from("wish last: now - a b c (= as wished, w write, k keep, C conflict)\n");
    for wish in values {
        for last in values {
            write!(out, "{} {}:", show(wish), show(last)).unwrap();
            for now in values {
                let under = |rule| {
                    let decision = decide(
                        Some(&field(wish)),
                        Some(&created(field(last))),
                        Some(&found(field(now))),
                        |_| rule,
                    );
                    match decision.action {
                        Action::Keep(KeepReason::AsWished) => '=',
                        Action::Keep(KeepReason::ChangedByPeople) => 'k',
                        Action::Update(changes)
                            if changes.len() == 1 && changes[0].write.as_deref() == wish =>
                        {
                            'w'
                        }
                        Action::Conflict(fields) if fields.len() == 1 => 'C',
                        other => panic!("{other:?}"),
                    }
                };
                let asked = under(ConflictRule::Ask);
                let settled = [under(ConflictRule::SourceWins), under(ConflictRule::DestinationWins)];
                // A rule settles conflicts and nothing else.
                assert_eq!(settled, if asked == 'C' { ['w', 'k'] } else { [asked, asked] });
                write!(out, " {asked}").unwrap();
            }
            out.push('\n');
        }
    }
    expect![[r#"
        wish last: now - a b c (= as wished, w write, k keep, C conflict)
        - -: = = = =
        - a: = w C C
        - b: = C w C
        - c: = C C w
        a -: w = C C
        a a: k = k k
        a b: C = w C
        a c: C = C w
        b -: w C = C
        b a: C w = C
        b b: k k = k
        b c: C C = w
        c -: w C C =
        c a: C w C =
        c b: C C w =
        c c: k k k =
    "#]]
    .assert_eq(&out);
}

/// Every combination of presence, origin and key.
#[test]
fn presence() {
    let full = image(&[("f", "a")], &["m"]);
    let mut out = String::new();
    for wish in [None, Some(&full)] {
        for last in [None, Some(Origin::Created), Some(Origin::Adopted), Some(Origin::Removed)] {
            for key in [None, Some(FoundKey::Ours), Some(FoundKey::Empty), Some(FoundKey::Foreign)] {
                let last_written = last.map(|origin| LastWritten { origin, image: full.clone() });
                let there = key.clone().map(|key| Found { key, ..found(full.clone()) });
                let decision = decide(wish, last_written.as_ref(), there.as_ref(), |_| ConflictRule::Ask);
                let wish = if wish.is_some() { "wished" } else { "unwished" };
                writeln!(out, "{wish} {last:?} {key:?}: {}", word(&decision)).unwrap();
            }
        }
    }
    expect![[r#"
        unwished None None: keep Absent
        unwished None Some(Ours): keep NotOurs
        unwished None Some(Empty): keep NotOurs
        unwished None Some(Foreign): keep NotOurs
        unwished Some(Created) None: keep Absent
        unwished Some(Created) Some(Ours): delete
        unwished Some(Created) Some(Empty): keep TouchedByPeople
        unwished Some(Created) Some(Foreign): keep TouchedByPeople
        unwished Some(Adopted) None: keep Absent
        unwished Some(Adopted) Some(Ours): keep NotOurs
        unwished Some(Adopted) Some(Empty): keep NotOurs
        unwished Some(Adopted) Some(Foreign): keep NotOurs
        unwished Some(Removed) None: keep Absent
        unwished Some(Removed) Some(Ours): keep NotOurs
        unwished Some(Removed) Some(Empty): keep NotOurs
        unwished Some(Removed) Some(Foreign): keep NotOurs
        wished None None: create
        wished None Some(Ours): keep AsWished
        wished None Some(Empty): keep AsWished
        wished None Some(Foreign): conflict f
        wished Some(Created) None: keep DeletedByPeople
        wished Some(Created) Some(Ours): keep AsWished
        wished Some(Created) Some(Empty): keep AsWished
        wished Some(Created) Some(Foreign): keep TouchedByPeople
        wished Some(Adopted) None: keep DeletedByPeople
        wished Some(Adopted) Some(Ours): keep AsWished
        wished Some(Adopted) Some(Empty): keep AsWished
        wished Some(Adopted) Some(Foreign): keep TouchedByPeople
        wished Some(Removed) None: create
        wished Some(Removed) Some(Ours): keep AsWished
        wished Some(Removed) Some(Empty): keep AsWished
        wished Some(Removed) Some(Foreign): keep TouchedByPeople
    "#]]
    .assert_eq(&out);
}

#[test]
fn a_record_under_another_key_is_a_conflict_of_every_wished_field() {
    let wish = image(&[("f", "a"), ("g", "b")], &[]);
    let there = Found { key: FoundKey::Foreign, ..found(image(&[("f", "other"), ("h", "c")], &[])) };
    let decision = decide(Some(&wish), None, Some(&there), |_| ConflictRule::SourceWins);
    let told = |states: &[FieldStates]| {
        let states = states.iter().map(|one| format!("{} {:?} {:?}", one.field, one.wish, one.found));
        states.collect::<Vec<_>>().join("; ")
    };
    expect![[r#"f Some("a") Some("other"); g Some("b") None"#]].assert_eq(&told(&decision.conflicts));
    assert_eq!(decision.action, Action::Conflict(decision.conflicts.clone()));
}

#[test]
fn removal_spares_what_people_touched() {
    let written = image(&[("f", "a"), ("g", "b")], &["m"]);
    let check = |there: Found, expected: &Expect| {
        let decision =
            decide(None, Some(&created(written.clone())), Some(&there), |_| ConflictRule::SourceWins);
        let kept: Vec<&str> = decision.kept.iter().map(|states| states.field.as_str()).collect();
        expected.assert_eq(&format!("{} [{}]", word(&decision), kept.join(" ")));
    };
    check(found(written.clone()), &expect!["delete []"]);
    // What people added counts; callers leave out what the server adds by itself.
    check(
        found(image(&[("f", "a"), ("g", "b"), ("h", "tag")], &["m"])),
        &expect!["keep TouchedByPeople [h]"],
    );
    check(found(image(&[("f", "edited"), ("g", "b")], &["m"])), &expect!["keep TouchedByPeople [f]"]);
    check(found(image(&[("f", "a")], &["m"])), &expect!["keep TouchedByPeople [g]"]);
    check(found(image(&[("f", "a"), ("g", "b")], &["m", "reply"])), &expect!["keep TouchedByPeople []"]);
    check(found(image(&[("f", "a"), ("g", "b")], &[])), &expect!["delete []"]);
    check(Found { has_foreign_traces: true, ..found(written.clone()) }, &expect!["keep TouchedByPeople []"]);
}

#[test]
fn adoption_fills_only_what_is_empty() {
    let wish = image(&[("email", "a@example.com"), ("name", "Anna"), ("phone", "1")], &["m1", "m2"]);
    let there = Found {
        key: FoundKey::Empty,
        ..found(image(&[("email", "a@example.com"), ("name", "Anna Maria"), ("note", "vip")], &["m1"]))
    };
    let decision = decide(Some(&wish), None, Some(&there), |_| ConflictRule::SourceWins);
    assert_eq!(word(&decision), "update phone=1");
    assert_eq!(decision.append, ["m2"]);
    let kept: Vec<(&str, Option<&str>)> =
        decision.kept.iter().map(|states| (states.field.as_str(), states.found.as_deref())).collect();
    assert_eq!(kept, [("name", Some("Anna Maria"))]);
}

#[test]
fn one_record_may_be_written_kept_and_in_conflict_at_once() {
    let wish = image(&[("ours", "new"), ("theirs", "old"), ("both", "new")], &["m1", "m2", "m3"]);
    let last = created(image(&[("ours", "old"), ("theirs", "old"), ("both", "old")], &["m1", "m2"]));
    let there = found(image(&[("ours", "old"), ("theirs", "edited"), ("both", "edited")], &["m1"]));
    let decision = decide(Some(&wish), Some(&last), Some(&there), |_| ConflictRule::Ask);
    assert_eq!(word(&decision), "update ours=new");
    assert_eq!(decision.append, ["m3"]);
    assert_eq!(decision.messages_deleted, ["m2"], "deleted by people, not made again");
    assert_eq!(decision.kept[0].field, "theirs");
    assert_eq!(decision.conflicts[0].field, "both");
    assert!(decision.writes());
}

#[test]
fn rules_are_asked_for_each_field() {
    let wish = image(&[("a", "new"), ("b", "new"), ("c", "new")], &[]);
    let last = created(image(&[("a", "old"), ("b", "old"), ("c", "old")], &[]));
    let there = found(image(&[("a", "edit"), ("b", "edit"), ("c", "edit")], &[]));
    let rule = |field: &str| match field {
        "a" => ConflictRule::SourceWins,
        "b" => ConflictRule::DestinationWins,
        _ => ConflictRule::Ask,
    };
    let decision = decide(Some(&wish), Some(&last), Some(&there), rule);
    assert_eq!(word(&decision), "update a=new");
    assert_eq!((decision.kept[0].field.as_str(), decision.conflicts[0].field.as_str()), ("b", "c"));
}

fn images() -> impl Strategy<Value = RecordImage> {
    let fields = proptest::collection::btree_map("[fgh]", "[abc]", 0..4);
    let messages = proptest::collection::btree_set("m[1-4]", 0..4);
    (fields, messages).prop_map(|(fields, messages)| RecordImage { fields, messages })
}

fn rules() -> impl Strategy<Value = ConflictRule> {
    prop::sample::select(ConflictRule::ALL)
}

/// What is there after the decision was carried out.
fn carried_out(
    decision: &Decision,
    wish: Option<&RecordImage>,
    there: Option<&RecordImage>,
) -> Option<RecordImage> {
    match &decision.action {
        Action::Create => wish.cloned(),
        Action::Delete => None,
        Action::Update(_) | Action::Append(_) | Action::Keep(_) | Action::Conflict(_) => {
            let mut image = there?.clone();
            if let Action::Update(changes) = &decision.action {
                for change in changes {
                    match &change.write {
                        Some(value) => image.fields.insert(change.field.clone(), value.clone()),
                        None => image.fields.remove(&change.field),
                    };
                }
            }
            image.messages.extend(decision.append.iter().cloned());
            Some(image)
        }
    }
}

proptest! {
    #![proptest_config(seeded(1_000))]

    /// Undisturbed, one decision reaches the wish, and the next one does nothing.
    #[test]
    fn reaches_the_wish_and_rests(
        wish in proptest::option::of(images()), last in proptest::option::of(images()), rule in rules(),
    ) {
        let there = last.clone().map(found);
        let written = last.clone().map(created);
        let decision = decide(wish.as_ref(), written.as_ref(), there.as_ref(), |_| rule);
        let now = carried_out(&decision, wish.as_ref(), last.as_ref());
        prop_assert_eq!(now.clone().map(|image| image.fields), wish.clone().map(|image| image.fields));
        if let (Some(wish), Some(now)) = (&wish, &now) {
            prop_assert!(now.messages.is_superset(&wish.messages));
        }
        let again = decide(wish.as_ref(), now.clone().map(created).as_ref(), now.map(found).as_ref(), |_| rule);
        prop_assert!(!again.writes(), "{:?}", again.action);
    }

    /// What people changed since our write survives, unless both sides changed it and the rule says that the source wins.
    #[test]
    fn people_win(wish in images(), last in images(), now in images(), rule in rules(), adopted in any::<bool>()) {
        let origin = if adopted { Origin::Adopted } else { Origin::Created };
        let written = LastWritten { origin, image: last.clone() };
        let decision = decide(Some(&wish), Some(&written), Some(&found(now.clone())), |_| rule);
        let after = carried_out(&decision, Some(&wish), Some(&now)).unwrap();
        for name in ["f", "g", "h"] {
            let (wanted, base, there) = (wish.fields.get(name), last.fields.get(name), now.fields.get(name));
            let is_edited = there != base;
            if is_edited && !(rule == ConflictRule::SourceWins && wanted != base) {
                prop_assert_eq!(after.fields.get(name), there);
            }
            if !is_edited {
                prop_assert_eq!(after.fields.get(name), wanted);
            }
        }
        let deleted: BTreeSet<&String> = last.messages.difference(&now.messages).collect();
        prop_assert!(deleted.iter().all(|message| !after.messages.contains(*message)), "never resurrected");
        prop_assert!(after.messages.is_superset(&now.messages), "never removed");
    }

    /// Only our own, untouched records are removed; deleted ones stay deleted.
    #[test]
    fn never_removes_or_resurrects_what_is_not_ours(
        wish in proptest::option::of(images()), last in images(), now in proptest::option::of(images()),
        origin in prop::sample::select(vec![Origin::Created, Origin::Adopted]), traces in any::<bool>(),
    ) {
        let written = LastWritten { origin, image: last.clone() };
        let there = now.clone().map(|image| Found { has_foreign_traces: traces, ..found(image) });
        let decision = decide(wish.as_ref(), Some(&written), there.as_ref(), |_| ConflictRule::SourceWins);
        if decision.action == Action::Delete {
            prop_assert!(wish.is_none() && origin == Origin::Created && !traces);
            let now = now.unwrap();
            prop_assert!(last.fields.iter().all(|(name, value)| now.fields.get(name) == Some(value)));
            prop_assert!(now.messages.is_subset(&last.messages));
        } else if now.is_none() {
            prop_assert!(!decision.writes());
            let expected = if wish.is_some() { KeepReason::DeletedByPeople } else { KeepReason::Absent };
            prop_assert_eq!(decision.action, Action::Keep(expected));
        }
    }

    /// Adoption never changes a filled field, and undoing it restores what was there.
    #[test]
    fn adoption_is_reversible(wish in images(), there in images()) {
        let before = Found { key: FoundKey::Empty, ..found(there.clone()) };
        let decision = decide(Some(&wish), None, Some(&before), |_| ConflictRule::SourceWins);
        let after = carried_out(&decision, Some(&wish), Some(&there)).unwrap();
        for (name, value) in &there.fields {
            prop_assert_eq!(after.fields.get(name), Some(value));
        }
        // Rollback: the baseline is the wish, our write is the base.
        let baseline = RecordImage { messages: BTreeSet::new(), ..there.clone() };
        let written = LastWritten { origin: Origin::Adopted, image: after.clone() };
        let undo = decide(Some(&baseline), Some(&written), Some(&found(after.clone())), |_| ConflictRule::Ask);
        let restored = carried_out(&undo, Some(&baseline), Some(&after)).unwrap();
        prop_assert_eq!(restored.fields, there.fields);
    }
}

#[test]
fn images_of_many_fields_are_compared_by_name() {
    let wish =
        RecordImage { fields: BTreeMap::from([("x".to_owned(), "1".to_owned())]), messages: BTreeSet::new() };
    let last = created(image(&[("x", "1"), ("y", "2")], &[]));
    let decision =
        decide(Some(&wish), Some(&last), Some(&found(image(&[("x", "1"), ("y", "2")], &[]))), |_| {
            ConflictRule::Ask
        });
    assert_eq!(word(&decision), "update y=-", "a field that is no longer wished is emptied");
}
