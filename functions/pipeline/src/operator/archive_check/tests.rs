use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use expect_test::{Expect, expect};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const SOUND: [(&str, &str); 4] = [
    (
        "conversations.csv",
        "conversation_id,message_id,timestamp,sender,text\nc1,m1,2024-01-01T00:00:00Z,customer,hi\n",
    ),
    ("outcomes.csv", "conversation_id,outcome\nc1,handled\n"),
    ("timing.csv", "conversation_id,started_at,ended_at\nc1,,\n"),
    ("agent.csv", "conversation_id,agent_username\nc1,a\n"),
];

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

fn archive(entries: &[(&str, &str)], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, options).expect("a valid name");
        writer.write_all(content.as_bytes()).expect("in memory");
    }
    writer.finish().expect("in memory").into_inner()
}

fn with(extra: (&'static str, &'static str)) -> Vec<u8> {
    let mut entries = SOUND.to_vec();
    entries.push(extra);
    archive(&entries, stored())
}

/// Replaces every occurrence of `from` by `to`, which must be as long.
fn patched(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut out = bytes.to_vec();
    let mut found = 0;
    for at in 0..=out.len() - from.len() {
        if &out[at..at + from.len()] == from {
            out[at..at + from.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert!(found > 0, "nothing to patch");
    out
}

fn shown(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("bot.zip");
    std::fs::write(&path, bytes).expect("written");
    let mut archive = match ChatArchive::open(&path) {
        Ok(archive) => archive,
        Err(fault) => return format!("{} {fault}", fault.code()),
    };
    let mut sizes = Vec::new();
    for file in ChatFile::ALL {
        let read = archive.read(file, |input| -> Result<usize, FileFault> {
            let mut all = Vec::new();
            input.read_to_end(&mut all)?;
            Ok(all.len())
        });
        match read.map_err(|fault| damaged(file, fault)) {
            Ok(size) => sizes.push(format!("{} {size}", file.name())),
            Err(fault) => return format!("{} {fault}", fault.code()),
        }
    }
    format!("{}, {} ignored", sizes.join(", "), archive.ignored_entries)
}

fn check(bytes: &[u8], expected: Expect) {
    expected.assert_eq(&shown(bytes));
}

#[test]
fn sound_archives_are_read_at_any_depth() {
    check(
        &archive(&SOUND, stored()),
        expect!["outcomes.csv 35, timing.csv 41, agent.csv 36, conversations.csv 88, 0 ignored"],
    );
    let deep: Vec<(String, &str)> =
        SOUND.iter().map(|(name, text)| (format!("export/2024/{}", name.to_uppercase()), *text)).collect();
    let mut deep: Vec<(&str, &str)> = deep.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    deep.push(("export/readme.txt", "x"));
    check(
        &archive(&deep, SimpleFileOptions::default()),
        expect!["outcomes.csv 35, timing.csv 41, agent.csv 36, conversations.csv 88, 1 ignored"],
    );
}

#[test]
fn what_is_no_archive_is_refused() {
    check(b"", expect!["FIL101 the file is empty"]);
    check(b"conversation_id,message_id\n", expect!["ZIP101 not a ZIP file, or cut off"]);
    let sound = archive(&SOUND, stored());
    check(&sound[..sound.len() - 30], expect!["ZIP101 not a ZIP file, or cut off"]);
}

#[test]
fn missing_and_doubled_files_are_named() {
    check(&archive(&SOUND[1..], stored()), expect!["ZIP102 conversations.csv is missing"]);
    check(&with(("copy/agent.csv", "x")), expect!["ZIP110 agent.csv is there twice"]);
    // Two entries of one name: written under two names of equal length, then renamed in place.
    check(
        &patched(&with(("agent.cs2", "x")), b"agent.cs2", b"agent.csv"),
        expect!["ZIP110 an entry is there twice"],
    );
}

#[test]
fn hostile_names_are_refused() {
    check(&with(("../../x", "x")), expect!["ZIP104 entry 5 has a name that leads outside of the archive"]);
    check(
        &patched(&with(("Xabs", "x")), b"Xabs", b"/abs"),
        expect!["ZIP104 entry 5 has a name that leads outside of the archive"],
    );
    check(
        &patched(&with(("XX/abs", "x")), b"XX/abs", b"C:/abs"),
        expect!["ZIP104 entry 5 has a name that leads outside of the archive"],
    );
    check(
        &patched(&with(("XX-abs", "x")), b"XX-abs", b"..\\abs"),
        expect!["ZIP104 entry 5 has a name that leads outside of the archive"],
    );
    check(
        &with(("more.zip", "x")),
        expect!["ZIP109 entry 5 is a ZIP file itself; unpack it and give each file on its own"],
    );
}

#[test]
fn links_are_refused() {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.add_symlink("agent.csv", "/etc/hostname", stored()).expect("a valid name");
    check(&writer.finish().expect("in memory").into_inner(), expect!["ZIP105 entry 1 is a link"]);
}

#[test]
fn encrypted_entries_are_refused() {
    let mut bytes = archive(&SOUND, stored());
    // General purpose flags: offset 6 of a local header, 8 of a central one; bit 0 says encrypted.
    for at in 0..bytes.len() - 10 {
        match &bytes[at..at + 4] {
            b"PK\x03\x04" => bytes[at + 6] |= 1,
            b"PK\x01\x02" => bytes[at + 8] |= 1,
            _ => {}
        }
    }
    check(&bytes, expect!["ZIP103 entry 1 is encrypted; export without a password"]);
}

#[test]
fn overlapping_entries_are_refused() {
    let mut bytes = archive(&SOUND, stored());
    let central: Vec<usize> =
        (0..bytes.len() - 4).filter(|at| &bytes[*at..*at + 4] == b"PK\x01\x02").collect();
    // Offset 42 of a central header points to the local one; the second is made to point at the first.
    let first: [u8; 4] = bytes[central[0] + 42..central[0] + 46].try_into().expect("four bytes");
    bytes[central[1] + 42..central[1] + 46].copy_from_slice(&first);
    check(&bytes, expect!["ZIP106 entries overlap"]);
}

#[test]
fn bombs_are_refused_by_what_they_claim() {
    let zeros = "0".repeat(4 * 1024 * 1024);
    let mut entries = SOUND.to_vec();
    entries.push(("zeros.txt", &zeros));
    check(
        &archive(&entries, SimpleFileOptions::default()),
        expect!["ZIP107 entry 5 expands by more than 200 to one"],
    );
    let names: Vec<String> = (0..=ENTRIES_MAX).map(|number| format!("{number}.txt")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    check(&archive(&many, stored()), expect!["ZIP112 1001 entries; at most 1000 are read"]);
}

#[test]
fn changed_content_is_found_by_its_checksum() {
    let sound = archive(&SOUND, stored());
    check(
        &patched(&sound, b"c1,handled", b"c1,hindled"),
        expect!["ZIP111 the content of outcomes.csv does not match its checksum or is damaged"],
    );
}

/// Stops in the middle of the claimed content.
#[test]
fn more_content_than_claimed_is_not_taken() {
    let mut input = Bounded { left: 3, inner: b"abcdef".as_slice() };
    let mut all = Vec::new();
    assert!(input.read_to_end(&mut all).is_err());
}
