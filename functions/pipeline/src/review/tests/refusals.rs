//! What is wrong with a file is told with its code, its place and what to do, and the rest of it changes nothing.

use std::io::{Cursor, Read, Write};

use expect_test::{Expect, expect};
use migration::canonical::Digest;
use migration::finding::{self, ObjectKind};
use migration::mapping::document::MappingDocument;
use migration::mapping::{Decision, MappingRow, Objection, Rationale, RowId};
use rust_xlsxwriter::{Format, Workbook, Worksheet};

use super::*;

fn document() -> MappingDocument {
    let row = |object, id: &str, name: &str, decision| MappingRow {
        id: RowId::new(object, id),
        name: name.to_owned(),
        target: format!("something for {name}"),
        count: Some(7),
        decision,
        evidence: None,
    };
    let carry = || Rationale { reason: "fits".to_owned(), share: None };
    let leave = Objection { code: finding::USR101_NO_EMAIL, reason: "agent without email".to_owned() };
    MappingDocument::of_rows(
        Digest::of(b"proposal"),
        [
            row(ObjectKind::Slot, "other1:campaign-12", "Customer number", Decision::Carry(carry())),
            row(ObjectKind::User, "8", "Agent Eight", Decision::Conflict { carry: carry(), leave }),
            row(ObjectKind::Campaign, "12", "Spring", Decision::Carry(carry())),
        ],
    )
}

fn told(view: View, bytes: &[u8]) -> String {
    let taken = brought(view, bytes).and_then(|brought| brought::take(&document(), &brought, &inventory()));
    match taken {
        Ok(answers) => format!("{} answers", answers.len()),
        Err(faults) => faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

fn check_toml(change: impl Fn(String) -> String, expected: &Expect) {
    let fresh = file::fresh(&document(), 0);
    let changed = change(fresh.clone());
    assert_ne!(changed, fresh, "nothing was changed");
    expected.assert_eq(&told(View::Toml, changed.as_bytes()));
}

/// Replaces in the nth row.
fn in_row(text: &str, row: usize, from: &str, to: &str) -> String {
    let mut parts: Vec<String> = text.split("[[row]]").map(str::to_owned).collect();
    assert!(parts[row].contains(from), "{from} is not in {}", parts[row]);
    parts[row] = parts[row].replacen(from, to, 1);
    parts.join("[[row]]")
}

#[test]
fn wrong_choices_in_toml() {
    check_toml(
        |text| in_row(&text, 1, "choice = \"\"", "choice = \"leave\"\nreason = \"left\""),
        &expect![
            "REV105 row at line 11, choice: row user/8 takes `user` or `placeholder`, not `leave`; `takes` names the choices of the row; empty the cell for what is proposed"
        ],
    );
    check_toml(
        |text| in_row(&text, 1, "choice = \"\"", "choice = \"leave\""),
        &expect![
            "REV105 row at line 11, reason: the cell reason is empty, and `leave` needs it; fill it in, or empty it, as the choice needs it"
        ],
    );
    check_toml(
        |text| in_row(&text, 1, "choice = \"\"", "choice = \"burn\""),
        &expect![
            "REV105 row at line 11, choice: `burn` is no choice; possible are leave, carry, rename, team, user, placeholder, status, role; `takes` names the choices of the row; empty the cell for what is proposed"
        ],
    );
    check_toml(
        |text| in_row(&text, 1, "choice = \"\"", "choice = \"user\"\nvalue = \"3\""),
        &expect!["1 answers"],
    );
    check_toml(
        |text| in_row(&text, 1, "choice = \"\"", "choice = \"user\"\nvalue = \"99\""),
        &expect![
            "REV105 row at line 11, value: Gorgias had no user 99 when it was looked at; take one that is there, or begin another run, which looks again"
        ],
    );
    check_toml(
        |text| in_row(&text, 1, "choice = \"\"", "choice = \"user\"\nvalue = \"Anna\""),
        &expect![
            "REV105 row at line 11, value: `Anna` is no id; an id is a number, as Gorgias shows it in its addresses; give a name, an id or a word, as the choice needs it"
        ],
    );
    check_toml(
        |text| in_row(&text, 1, "choice = \"\"", "choice = \"rename\"\nvalue = \"x\""),
        &expect![
            "REV105 row at line 11, choice: row user/8 takes `user` or `placeholder`, not `rename`; `takes` names the choices of the row; empty the cell for what is proposed"
        ],
    );
    check_toml(
        |text| {
            in_row(&text, 3, "choice = \"\"", "choice = \"carry\"\ntype = \"number\"\ninto = \"lead-card\"")
        },
        &expect![
            "REV105 row at line 35, into: row slot/other1:campaign-12 cannot be carried so: only a field has a type; `takes` names the choices of the row; empty the cell for what is proposed"
        ],
    );
    check_toml(
        |text| in_row(&text, 3, "choice = \"\"", "choice = \"\"\nreason = \"because\""),
        &expect![
            "REV105 row at line 35, reason: the cell reason means nothing for a row that stays as proposed; empty it; fill it in, or empty it, as the choice needs it"
        ],
    );
    check_toml(
        |text| in_row(&text, 3, "comment = \"\"", &format!("comment = \"{}\"", "x".repeat(2_001))),
        &expect![
            "REV105 row at line 35, comment: the comment has 2001 characters, at most 2000 are kept; shorten it"
        ],
    );
}

#[test]
fn toml_of_another_form() {
    check_toml(
        |text| in_row(&text, 2, "something for Spring", "something else"),
        &expect![
            "REV106 row at line 23, target: it says `something else`, and the proposal says `something for Spring`; put it back; what shall become of the row is said in choice and the columns after it"
        ],
    );
    check_toml(
        |text| in_row(&text, 2, "campaign/12", "campaign/13"),
        &expect![[r#"
        REV103 row at line 23, row: the proposal has no row `campaign/13`; remove it, or put its name back as it was exported
        REV104 row `campaign/12` is missing; put it back, or export the mapping again; to leave something out, choose leave"#]],
    );
    check_toml(
        |text| text.replace("slot/other1:campaign-12", "campaign/12"),
        &expect![[r#"
        REV104 row at line 35: row `campaign/12` is there twice, before at row at line 23; remove one of the two
        REV106 row at line 35, name: it says `Customer number`, and the proposal says `Spring`; put it back; what shall become of the row is said in choice and the columns after it
        REV106 row at line 35, target: it says `something for Customer number`, and the proposal says `something for Spring`; put it back; what shall become of the row is said in choice and the columns after it
        REV106 row at line 35, takes: it says `carry, leave`, and the proposal says `rename, leave`; put it back; what shall become of the row is said in choice and the columns after it
        REV104 row `slot/other1:campaign-12` is missing; put it back, or export the mapping again; to leave something out, choose leave"#]],
    );
    check_toml(
        |text| in_row(&text, 2, "choice = \"\"", "choise = \"\""),
        &expect![
            "REV101 line 31: it has another form: unknown field `choise`, expected one of `row`, `name`, `proposed`, `target`, `why`, `records`, `confidence`, `filled`, `distinct`, `samples`, `alternatives`, `takes`, `choice`, `reason`, `value`, `type`, `into`, `comment`, `seen`; compare with the file that `deskferry map export` writes"
        ],
    );
    check_toml(
        |text| in_row(&text, 2, "choice = \"\"", "choice = \""),
        &expect![[
            r#"REV101 line 31: this is no TOML: invalid basic string, expected `"`; mend it there; the file that `deskferry map export` writes shows the form"#
        ]],
    );
    check_toml(
        |text| text.replace("version = \"1\"", "version = \"2\""),
        &expect![
            "REV101 line 7: it has another form: unknown variant `2`, expected `1`; compare with the file that `deskferry map export` writes"
        ],
    );
    let digest = document().proposal().to_hex();
    check_toml(
        |text| text.replace(&digest, &"0".repeat(64)),
        &expect![
            "REV102 it was made for proposal 00000000000000000000000000000000000000000000000000000000000…, and the proposal of this run is ecd1378bc9dc130008f00d58db5d26f60db55934a49b949af7e6f6a8da2a2beb; export the mapping again, and carry your decisions over"
        ],
    );
    expect!["REV101 it is no text in UTF-8; save it as UTF-8, without compression"]
        .assert_eq(&told(View::Toml, b"\xff\xfe"));
    expect!["REV101 the page itself holds no decisions; open it in a browser, decide, and import what its button downloads: decisions.json"].assert_eq(&told(View::Page, b"<!doctype html>"));
    let large = "#".repeat(file::BYTES_MAX + 1);
    expect![
        "REV109 it has 33554433 bytes, at most 33554432 are read; export the mapping again and fill that in"
    ]
    .assert_eq(&told(View::Toml, large.as_bytes()));
}

#[test]
fn wrong_decisions() {
    let at = "2026-06-02T10:00:00Z".parse().expect("a moment");
    let sound = serde_json::to_string(&decisions::of(&document(), 0, "Reviewer", at)).expect("JSON");
    let row = |row: &str| sound.replace("\"rows\":[]", &format!("\"rows\":[{row}]"));
    let check = |text: &str, expected: Expect| expected.assert_eq(&told(View::Decisions, text.as_bytes()));
    check(
        &row(r#"{"row":"user/8","choice":"placeholder","reason":"left","seen":true}"#),
        expect!["1 answers"],
    );
    check(
        &row(r#"{"row":"user/8","choice":"placeholder","reason":"left"},{"row":"user/8"}"#),
        expect!["REV104 entry 2: row `user/8` is there twice, before at entry 1; remove one of the two"],
    );
    check(
        &row(r#"{"row":"user/9","seen":true}"#),
        expect![
            "REV103 entry 1, row: the proposal has no row `user/9`; remove it, or put its name back as it was exported"
        ],
    );
    check(
        &row(r#"{"row":"user/8","choice":"leave","reason":"x"}"#),
        expect![
            "REV105 entry 1, choice: row user/8 takes `user` or `placeholder`, not `leave`; `takes` names the choices of the row; empty the cell for what is proposed"
        ],
    );
    check(
        &row(r#"{"row":"user/8","choice":"placeholder","colour":"red"}"#),
        expect![
            "REV101 these are no decisions of the review page; download them again; it may be cut off, or of a newer program"
        ],
    );
    check(
        &sound.replace("Reviewer", "  "),
        expect![
            "REV111 nobody signed it: the name of the reviewer is empty; fill in your name on the page and download again"
        ],
    );
    check(
        &sound.replace(&document().proposal().to_hex(), "none"),
        expect![
            "REV102 it was made for proposal none, and the proposal of this run is ecd1378bc9dc130008f00d58db5d26f60db55934a49b949af7e6f6a8da2a2beb; export the mapping again, and carry your decisions over"
        ],
    );
    check(
        &sound[..40],
        expect![
            "REV101 line 1: these are no decisions of the review page; download them again; it may be cut off, or of a newer program"
        ],
    );
}

/// A workbook as exported, with one change.
fn changed(change: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name(workbook::SHEET).expect("a name");
    for (column, heading) in (0_u16..).zip(columns::LOCKED.iter().chain(&columns::OPEN)) {
        sheet.write_string(0, column, heading.heading).expect("written");
    }
    for (at, row) in (1_u32..).zip(document().rows()) {
        for (column, text) in (0_u16..).zip(columns::locked(row).iter().chain(&columns::open(row))) {
            sheet.write_string(at, column, text).expect("written");
        }
    }
    change(sheet);
    let about = book.add_worksheet().set_name(workbook::ABOUT).expect("a name");
    for (at, (name, text)) in (0_u32..).zip([
        ("Form", workbook::VERSION.to_owned()),
        ("Proposal", document().proposal().to_hex()),
        ("Answers", "0".to_owned()),
    ]) {
        about.write_string(at, 0, name).expect("written");
        about.write_string(at, 1, text).expect("written");
    }
    book.save_to_buffer().expect("a workbook")
}

#[test]
fn wrong_workbooks() {
    let check = |change: &dyn Fn(&mut Worksheet), expected: Expect| {
        expected.assert_eq(&told(View::Workbook, &changed(change)));
    };
    check(&|_| {}, expect!["0 answers"]);
    // Numbers and truths as office programs write them.
    check(
        &|sheet| {
            sheet.write_string(1, 12, "user").expect("written");
            sheet.write_number(1, 14, 3).expect("written");
            sheet.write_boolean(1, 18, true).expect("written");
        },
        expect!["1 answers"],
    );
    check(
        &|sheet| {
            sheet.write_string(1, 12, "user").expect("written");
            sheet.write_string(1, 14, "3 User 3").expect("written");
        },
        expect!["1 answers"],
    );
    check(
        &|sheet| drop(sheet.write_string(1, 3, "user 3").map(drop)),
        expect![
            "REV106 cell D2 (target): it says `user 3`, and the proposal says `something for Agent Eight`; put it back; what shall become of the row is said in choice and the columns after it"
        ],
    );
    check(
        &|sheet| drop(sheet.write_formula(2, 17, "=1+1").map(drop)),
        expect![
            "REV107 Mapping, cell R3: the cell holds a formula; put the value itself there: copy, then paste as values"
        ],
    );
    check(
        &|sheet| drop(sheet.write_formula(2, 3, "=HYPERLINK(\"x\")").map(drop)),
        expect![
            "REV107 Mapping, cell D3: the cell holds a formula; put the value itself there: copy, then paste as values"
        ],
    );
    check(
        &|sheet| drop(sheet.write_string(0, 3, "LeadDesk").map(drop)),
        expect![
            "REV106 cell D1: the heading is `LeadDesk` and was `Gorgias`; put the columns back in their order; rows may be sorted, columns may not"
        ],
    );
    check(
        &|sheet| drop(sheet.write_string(3, 18, "perhaps").map(drop)),
        expect!["REV105 cell S4: `perhaps` is neither yes nor no; write yes or no"],
    );
    check(
        &|sheet| drop(sheet.write_string(4, 0, "user/99").map(drop)),
        expect![
            "REV103 cell A5 (row): the proposal has no row `user/99`; remove it, or put its name back as it was exported"
        ],
    );
    check(
        &|sheet| {
            for column in 0..19 {
                sheet.write_blank(2, column, &Format::new()).expect("written");
            }
        },
        expect![
            "REV104 row `campaign/12` is missing; put it back, or export the mapping again; to leave something out, choose leave"
        ],
    );
}

/// The archive with one more part, or with one that is another.
fn repacked(bytes: &[u8], more: Option<(&str, Vec<u8>)>) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let mut new = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..old.len() {
        let mut part = old.by_index(index).expect("a part");
        let name = part.name().expect("a name").into_owned();
        new.start_file(name, zip::write::SimpleFileOptions::default()).expect("a part");
        let mut content = Vec::new();
        part.read_to_end(&mut content).expect("readable");
        new.write_all(&content).expect("in memory");
    }
    if let Some((name, content)) = more {
        new.start_file(name, zip::write::SimpleFileOptions::default()).expect("a part");
        new.write_all(&content).expect("in memory");
    }
    new.finish().expect("in memory").into_inner()
}

#[test]
fn dangerous_workbooks() {
    let sound = workbook::write(&document(), 0, &inventory()).expect("a workbook");
    let check = |bytes: &[u8], expected: Expect| expected.assert_eq(&told(View::Workbook, bytes));
    check(&repacked(&sound, None), expect!["0 answers"]);
    check(
        &repacked(&sound, Some(("xl/vbaProject.bin", vec![1]))),
        expect!["REV108 the workbook holds macros; save it as an Excel workbook without macros (.xlsx)"],
    );
    // 200 MB of zeros in 200 kB.
    check(
        &repacked(&sound, Some(("xl/media/image1.png", vec![0; 200 * 1024 * 1024]))),
        expect![
            "REV109 unpacked it has more than 134217728 bytes; export the mapping again and fill that in"
        ],
    );
    check(
        &sound[..sound.len() / 2],
        expect![
            "REV101 this is no workbook that can be read: invalid Zip archive: Could not find EOCD; save it as an Excel workbook (.xlsx), without a password"
        ],
    );
    check(
        b"Row,LeadDesk",
        expect![
            "REV101 this is no workbook that can be read: invalid Zip archive: Could not find EOCD; save it as an Excel workbook (.xlsx), without a password"
        ],
    );
    check(
        &vec![0; workbook::reading::BYTES_MAX + 1],
        expect![
            "REV109 it has 16777217 bytes, at most 16777216 are read; export the mapping again and fill that in"
        ],
    );
    let mut other = Workbook::new();
    other.add_worksheet();
    check(
        &other.save_to_buffer().expect("a workbook"),
        expect!["REV101 it has no sheet About; fill in the workbook that was exported; keep its sheets"],
    );
}
