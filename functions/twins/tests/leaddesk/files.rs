//! The operator's files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::support::demo;
use twins::generate::{CALL_FIELDS, ChatbotExport, FileOptions};

/// Header and records of a table with this separator.
fn table(text: &str, separator: u8) -> (Vec<String>, Vec<csv::StringRecord>) {
    let text = text.trim_start_matches('\u{FEFF}');
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text.as_bytes());
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    (header, reader.records().map(Result::unwrap).collect())
}

fn file(folder: &Path, name: &str) -> (Vec<String>, Vec<csv::StringRecord>) {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    assert!(text.ends_with("\r\n"), "{name}");
    table(&text, b';')
}

/// The tables of an archive by entry name.
fn entries(path: &Path) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|place| {
            let mut entry = archive.by_index(place).unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.name().unwrap().into_owned(), text)
        })
        .collect()
}

#[test]
fn files_have_the_agreed_columns_and_every_record() {
    let account = demo();
    let folder = tempfile::tempdir().unwrap();
    account.write_files(folder.path()).unwrap();
    let written: BTreeSet<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = [
        "blacklist.csv",
        "calls.csv",
        "chatbot-1.zip",
        "chatbot-2.zip",
        "dialer.csv",
        "fields.csv",
        "groups.csv",
        "leadapps.json",
        "lists.csv",
        "offices.csv",
        "results.csv",
        "sponsors.csv",
    ];
    assert_eq!(written, expected.map(str::to_owned).into());
    let members = account.users().filter(|user| user.group_id.is_some()).count();
    let tables = [
        ("results.csv", "id;name;scope;campaign_id;finalises", account.outcomes().count()),
        ("blacklist.csv", "number;sponsor", account.blacklist().len()),
        ("fields.csv", "campaign_id;slot;label;type;values", account.fields().count()),
        ("offices.csv", "name;time_zone", 3),
        ("groups.csv", "group_id;group_name;username", members),
        ("sponsors.csv", "campaign_id;sponsor", 4),
        ("dialer.csv", "campaign_id;modes;waiting_period;wrap_up;notes", 4),
        ("lists.csv", "list_id;campaign_ids;rounds;expiry;office", 8),
    ];
    for (name, columns, records) in tables {
        let (header, rows) = file(folder.path(), name);
        assert_eq!((header.join(";").as_str(), rows.len()), (columns, records), "{name}");
    }
    let (header, rows) = file(folder.path(), "calls.csv");
    assert_eq!(header, CALL_FIELDS);
    assert_eq!(rows.len(), account.call_count());
    for (row, call) in rows.iter().zip(account.calls()) {
        assert!(row.iter().zip(call.cells()).all(|(read, written)| read == written), "{row:?}");
    }
    let apps: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("leadapps.json")).unwrap()).unwrap();
    assert!(
        apps.as_array().unwrap().iter().all(|app| app["name"].is_string() && app["location"].is_string())
    );
}

#[test]
fn equal_accounts_write_equal_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for folder in &folders {
        demo()
            .write_files_with(folder.path(), FileOptions { leads: true, ..FileOptions::default() })
            .unwrap();
    }
    let bytes = |folder: &tempfile::TempDir| -> BTreeMap<_, _> {
        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| (path.file_name().unwrap().to_owned(), fs::read(path).unwrap())).collect()
    };
    let [one, other] = folders.each_ref().map(bytes);
    assert_eq!(one.len(), 13);
    assert!(one == other);
    let (header, rows) = file(folders[0].path(), "leads.csv");
    assert_eq!((header.join(";").as_str(), rows.len()), ("list_id;contact_id;status;owner_username", 1_500));
}

#[test]
fn two_archives_overlap_and_hold_every_message_together() {
    let account = demo();
    let folder = tempfile::tempdir().unwrap();
    account.write_files(folder.path()).unwrap();
    let first = entries(&folder.path().join("chatbot-1.zip"));
    let second = entries(&folder.path().join("chatbot-2.zip"));
    let names = ["agent.csv", "conversations.csv", "outcomes.csv", "timing.csv"];
    assert_eq!(second.keys().collect::<Vec<_>>(), names);
    assert_eq!(
        first.keys().map(String::as_str).collect::<Vec<_>>(),
        names.map(|name| format!("analytics/{name}"))
    );
    assert!(second.values().all(|text| text.starts_with('\u{FEFF}')));
    let mut merged = BTreeMap::new();
    let mut rows = 0;
    let tables = [(&first["analytics/conversations.csv"], b','), (&second["conversations.csv"], b';')];
    for (text, separator) in tables {
        let (header, records) = table(text, separator);
        let columns =
            "conversation_id message_id timestamp sender sender_name text intent score feedback channel";
        assert_eq!(header.join(" "), columns);
        rows += records.len();
        for record in records {
            let key = (record[0].to_owned(), record[1].to_owned());
            let known = merged.insert(key, record.clone());
            assert!(known.is_none_or(|known| known == record), "{record:?}");
        }
    }
    assert_eq!(merged.len(), 960);
    assert!(rows > 1_000, "the archives overlap: {rows}");
    let expected: usize = account.conversations().map(|conversation| conversation.messages.len()).sum();
    assert_eq!(merged.len(), expected);
    let counts = |name: &str, separator| {
        let text = first.get(&format!("analytics/{name}")).or(second.get(name)).unwrap();
        let (_, records) = table(text, separator);
        records.len()
    };
    assert_eq!(counts("outcomes.csv", b','), counts("timing.csv", b','));
    let (_, timing) = table(&first["analytics/timing.csv"], b',');
    let cut = timing.iter().find(|record| &record[0] == "jb-000001").unwrap();
    assert_eq!(&cut[1][..10], "2025-07-31", "{cut:?}");
}

#[test]
fn archives_can_be_bad_in_five_ways() {
    let account = demo();
    let write = |chatbot| {
        let folder = tempfile::tempdir().unwrap();
        account.write_files_with(folder.path(), FileOptions { leads: false, chatbot }).unwrap();
        folder
    };
    let short = write(ChatbotExport::ShortRange);
    assert!(!short.path().join("chatbot-1.zip").exists() && short.path().join("chatbot-2.zip").exists());
    let damaged = write(ChatbotExport::Damaged);
    assert!(zip::ZipArchive::new(File::open(damaged.path().join("chatbot-2.zip")).unwrap()).is_err());
    let aggregate = write(ChatbotExport::Aggregate);
    let (header, _) = table(&entries(&aggregate.path().join("chatbot-2.zip"))["conversations.csv"], b';');
    assert_eq!(header.join(" "), "date total_conversations total_messages");
    let contradicting = write(ChatbotExport::Contradicting);
    let texts = |name: &str, entry: &str, separator| -> BTreeMap<String, String> {
        let (_, records) = table(&entries(&contradicting.path().join(name))[entry], separator);
        records.iter().map(|record| (record[1].to_owned(), record[5].to_owned())).collect()
    };
    let one = texts("chatbot-1.zip", "analytics/conversations.csv", b',');
    let other = texts("chatbot-2.zip", "conversations.csv", b';');
    let clashes = one.iter().filter(|(id, text)| other.get(*id).is_some_and(|again| again != *text)).count();
    assert!(clashes > 0);
}
