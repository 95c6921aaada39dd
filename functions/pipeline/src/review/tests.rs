//! Three views, one document: nothing is lost on the way through any of them, and nothing wrong comes in.

mod generated;
mod refusals;
mod steps;

use std::collections::BTreeMap;

use migration::gorgias::{self, Field, FieldId, FieldKind, FieldObject, TeamId, UserId};
use proptest::prelude::*;
use proptest::test_runner::{Config as ProptestConfig, RngSeed, TestCaseError};

use super::*;
use crate::documents::inventory::{Inventory, Overview};

/// An account with users, teams and fields 1 to 5.
fn inventory() -> Inventory {
    let user = |id| gorgias::User {
        id: UserId(id),
        name: format!("User {id} <b>&\"'"),
        email: None,
        role: "agent".into(),
        is_active: true,
    };
    let team = |id| gorgias::Team { id: TeamId(id), name: format!("Team {id}"), description: None };
    let field = |id| Field {
        id: FieldId(id),
        object: FieldObject::Customer,
        label: format!("Field {id}"),
        external_id: None,
        kind: FieldKind::Text,
        is_active: true,
        is_managed: false,
    };
    Inventory {
        taken_at: "2026-06-01T00:00:00Z".parse().expect("a moment"),
        users: Vec::new(),
        campaigns: Vec::new(),
        lists: Vec::new(),
        offices: Vec::new(),
        groups: Vec::new(),
        slot_settings: Vec::new(),
        outcomes: Vec::new(),
        lead_statuses: BTreeMap::new(),
        gorgias_users: (1..=5).map(user).collect(),
        gorgias_teams: (1..=5).map(team).collect(),
        gorgias_tags: Vec::new(),
        gorgias_fields: (1..=5).map(field).collect(),
        overview: Overview::default(),
    }
}

fn brought(view: View, bytes: &[u8]) -> Result<Brought, Vec<Fault>> {
    read(&Import { view, bytes, by: None })
}

/// The same proposal with what a file says about it.
fn back(document: &MappingDocument, view: View, bytes: &[u8]) -> Result<MappingDocument, TestCaseError> {
    let failed = |faults: Vec<Fault>| {
        TestCaseError::fail(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let brought = brought(view, bytes).map_err(failed)?;
    let answers = brought::take(document, &brought, &inventory()).map_err(failed)?;
    // Begun at a document about which nobody said anything.
    let blank = document.clone().reminded(&BTreeMap::new());
    blank.answered(&answers).map_err(|error| TestCaseError::fail(error.to_string()))
}

/// What a person writes between the lines.
fn remarked(text: &str) -> String {
    let lines = text.lines().enumerate().map(|(number, line)| {
        if line.starts_with("choice = ") && number % 3 == 0 {
            format!("# asked the team lead \u{1f914} {number}\n{line}  # see above")
        } else if line == "[[row]]" {
            format!("  # a remark\n{line} # and one more")
        } else {
            line.to_owned()
        }
    });
    lines.map(|line| line + "\n").collect::<String>() + "# the end"
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        rng_seed: RngSeed::Fixed(20_261_128),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_is_lost_on_the_way_through_any_view(document in generated::document(), number in 0_u32..9) {
        let fresh = file::fresh(&document, number);
        prop_assert_eq!(&back(&document, View::Toml, fresh.as_bytes())?, &document);
        // Multi-line texts may hold what looks like a line of the file, so only plain files are remarked upon.
        let text = if fresh.contains("\"\"\"") || fresh.contains("'''") { fresh.clone() } else { remarked(&fresh) };
        prop_assert_eq!(&file::over(&text, &document, number).expect("readable"), &text);

        let workbook = workbook::write(&document, number, &inventory()).expect("a workbook");
        prop_assert_eq!(&workbook, &workbook::write(&document, number, &inventory()).expect("again"));
        let through_workbook = back(&document, View::Workbook, &workbook)?;
        prop_assert_eq!(&through_workbook, &document);
        prop_assert_eq!(&file::fresh(&through_workbook, number), &fresh);
        prop_assert_eq!(&file::over(&text, &through_workbook, number).expect("readable"), &text);

        let at = "2026-06-02T10:00:00Z".parse().expect("a moment");
        let decisions = serde_json::to_vec(&decisions::of(&document, number, "Reviewer", at)).expect("JSON");
        let through_decisions = back(&document, View::Decisions, &decisions)?;
        prop_assert_eq!(&through_decisions, &document);
        prop_assert_eq!(&file::over(&text, &through_decisions, number).expect("readable"), &text);

        for (view, bytes) in [(View::Toml, text.as_bytes()), (View::Workbook, &workbook), (View::Decisions, &decisions)] {
            let brought = brought(view, bytes).expect("readable");
            prop_assert_eq!((brought.answers, brought.proposal), (number, document.proposal().to_hex()));
        }
    }

    #[test]
    fn writing_over_a_file_says_what_the_document_says(
        (before, after) in generated::document().prop_flat_map(|before| {
            let after = generated::answers_for(&before);
            (Just(before), after)
        }),
    ) {
        let after = before.clone().answered(&after).expect("rows of the document");
        let text = file::over(&file::fresh(&before, 1), &after, 2).expect("readable");
        prop_assert_eq!(&back(&after, View::Toml, text.as_bytes())?, &after);
    }
}
