//! Mappings as no account would have them: every kind of row, every choice, and the worst of texts.

use migration::canonical::Digest;
use migration::fields::SlotKind;
use migration::finding::{self, ObjectKind};
use migration::gorgias::{FieldId, TeamId, TicketStatus, UserId};
use migration::mapping::cells::SLOT_KINDS;
use migration::mapping::document::{Answer, AnswerCells, Answers, MappingDocument};
use migration::mapping::{
    Alternative, CarryInto, ChoiceKind, Decision, MappingRow, Objection, Rationale, RowChoice, RowEvidence,
    RowId, Sample, legal_choices,
};
use migration::users::GorgiasRole;
use proptest::prelude::*;
use proptest::sample::select;

/// What breaks files, workbooks, pages and terminals.
const NASTY: [&str; 34] = [
    "</script><script>alert(1)</script>",
    "<!--",
    "]]>",
    "&amp;&#0;",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-2",
    "_x000D_",
    "_x0041_",
    "_X005F_",
    "\"\"\"",
    "'''",
    "\\",
    "\\u0041",
    "\r\n",
    "\n",
    "\t",
    "\u{0}\u{1}\u{7f}\u{85}",
    "\u{feff}",
    "\u{fffe}\u{ffff}",
    "\u{202e}txet",
    "\u{200d}\u{200b}",
    "\u{2028}\u{2029}",
    "😀👩‍👩‍👧",
    "e\u{301}",
    "Å",
    "#:schema",
    "[[row]]",
    "choice = \"leave\"",
    "{{7*7}}",
    "  ",
    "null",
    "true",
];

pub(super) fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![select(&NASTY[..]).prop_map(str::to_owned), "\\PC{0,8}", "[a-zå-ö0-9 ]{1,12}"];
    proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

fn id() -> impl Strategy<Value = RowId> {
    let row = |object: ObjectKind| move |source: String| RowId::new(object, source);
    prop_oneof![
        (1_u8..=35, 1_u64..9).prop_map(|(slot, campaign)| {
            RowId::new(ObjectKind::Slot, format!("other{slot}:campaign-{campaign}"))
        }),
        (1_u64..99).prop_map(|id| RowId::new(ObjectKind::User, id)),
        (1_u64..99).prop_map(|id| RowId::new(ObjectKind::Campaign, id)),
        (1_u64..99).prop_map(|id| RowId::new(ObjectKind::List, id)),
        (1_u64..99).prop_map(|id| RowId::new(ObjectKind::Outcome, id)),
        select(&["role:agent", "role:admin", "role:team-leader"][..])
            .prop_map(str::to_owned)
            .prop_map(row(ObjectKind::User)),
        text().prop_map(|name| RowId::new(ObjectKind::Campaign, format!("sponsor:{name}"))),
        text().prop_map(|word| RowId::new(ObjectKind::Lead, format!("status:{word}"))),
        text().prop_map(|name| RowId::new(ObjectKind::Office, format!("office:{name}"))),
        (1_u64..99).prop_map(|id| RowId::new(ObjectKind::Group, format!("group:{id}"))),
        Just(RowId::new(ObjectKind::Lead, "status")),
        Just(RowId::new(ObjectKind::Outcome, "latest")),
        Just(RowId::new(ObjectKind::BlacklistEntry, "opt-out")),
    ]
}

fn share() -> impl Strategy<Value = f64> {
    (0_u32..=1_000).prop_map(|thousandths| f64::from(thousandths) / 1_000.0)
}

fn decision() -> impl Strategy<Value = Decision> {
    let carry =
        || (text(), proptest::option::of(share())).prop_map(|(reason, share)| Rationale { reason, share });
    let leave = || text().prop_map(|reason| Objection { code: finding::FLD102_NO_ROOM, reason });
    prop_oneof![
        carry().prop_map(Decision::Carry),
        leave().prop_map(Decision::Leave),
        (carry(), leave()).prop_map(|(carry, leave)| Decision::Conflict { carry, leave }),
    ]
}

fn evidence() -> impl Strategy<Value = RowEvidence> {
    let sample = (text(), text()).prop_map(|(before, after)| Sample { before, after });
    let alternative = (text(), share(), text()).prop_map(|(target, confidence, reason)| Alternative {
        target,
        confidence,
        reason,
    });
    (
        share(),
        proptest::option::of(share()),
        proptest::option::of(0_u64..9_999),
        proptest::collection::vec(sample, 0..3),
        proptest::collection::vec(alternative, 0..2),
    )
        .prop_map(|(confidence, fill_share, distinct, samples, alternatives)| RowEvidence {
            confidence,
            fill_share,
            distinct,
            samples,
            alternatives,
        })
}

fn row() -> impl Strategy<Value = MappingRow> {
    (id(), text(), text(), proptest::option::of(any::<u64>()), decision(), proptest::option::of(evidence()))
        .prop_map(|(id, name, target, count, decision, evidence)| MappingRow {
            id,
            name,
            target,
            count,
            decision,
            evidence,
        })
}

fn carry() -> impl Strategy<Value = RowChoice> {
    let into = prop_oneof![
        text().prop_map(CarryInto::NewField),
        (1_u64..=5).prop_map(|id| CarryInto::Field(FieldId(id))),
        Just(CarryInto::LeadCard),
        proptest::collection::btree_set(text(), 1..4).prop_map(CarryInto::OptOut),
    ];
    let kind = proptest::option::of(select(&SLOT_KINDS[..]));
    (text(), kind, proptest::option::of(into))
        .prop_map(|(purpose, kind, into): (_, Option<SlotKind>, _)| RowChoice::Carry { purpose, kind, into })
}

fn choice(kind: ChoiceKind) -> BoxedStrategy<RowChoice> {
    match kind {
        ChoiceKind::Leave => text().prop_map(|reason| RowChoice::Leave { reason }).boxed(),
        ChoiceKind::Placeholder => text().prop_map(|reason| RowChoice::Placeholder { reason }).boxed(),
        ChoiceKind::Rename => text().prop_map(|name| RowChoice::Rename { name }).boxed(),
        ChoiceKind::Team => (1_u64..=5).prop_map(|id| RowChoice::Team(TeamId(id))).boxed(),
        ChoiceKind::User => (1_u64..=5).prop_map(|id| RowChoice::User(UserId(id))).boxed(),
        ChoiceKind::Status => {
            select(&[TicketStatus::Open, TicketStatus::Closed][..]).prop_map(RowChoice::Status).boxed()
        }
        ChoiceKind::Role => select(GorgiasRole::ALL).prop_map(RowChoice::Role).boxed(),
        ChoiceKind::Carry => carry().boxed(),
    }
}

/// An answer as a file would bring it: a choice that the row does not take is none.
fn answer(id: RowId) -> impl Strategy<Value = Answer> {
    let legal = legal_choices(&id);
    let choice = if legal.is_empty() {
        Just(None).boxed()
    } else {
        proptest::option::weighted(0.7, select(legal).prop_flat_map(choice)).boxed()
    };
    (choice, text(), any::<bool>()).prop_map(move |(choice, comment, is_seen)| {
        let raw = Answer { choice, comment, is_seen };
        let without = Answer { choice: None, ..raw.clone() };
        let read = |answer: &Answer| AnswerCells::of(answer).read(&id);
        read(&raw).or_else(|_| read(&without)).unwrap_or_default()
    })
}

pub(super) fn answers_for(document: &MappingDocument) -> BoxedStrategy<Answers> {
    let ids: Vec<RowId> = document.rows().map(|row| row.proposed.id.clone()).collect();
    let answers: Vec<_> = ids.iter().map(|id| answer(id.clone()).boxed()).collect();
    answers
        .prop_map(move |answers| {
            ids.iter().cloned().zip(answers).filter(|(_, answer)| !answer.is_empty()).collect()
        })
        .boxed()
}

/// A document with answers. Rows whose names become one in a file are none of one proposal.
pub(super) fn document() -> impl Strategy<Value = MappingDocument> {
    proptest::collection::vec(row(), 1..7).prop_flat_map(|rows| {
        let mut seen = std::collections::BTreeSet::new();
        let is_new =
            |row: &MappingRow| seen.insert(migration::mapping::cells::clean_comment(&row.id.to_string()));
        let rows: Vec<MappingRow> = rows.into_iter().filter(is_new).collect();
        let document = MappingDocument::of_rows(Digest::of(b"proposal"), rows);
        answers_for(&document)
            .prop_map(move |answers| document.clone().answered(&answers).expect("rows of the document"))
    })
}
