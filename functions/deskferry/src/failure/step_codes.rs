//! Codes of the steps: what stopped one, and what one found that is no fault of a single record.
//!
//! The steps know their codes and the case; here stands what each means and what to do, for `explain`. Codes about records
//! stand in `migration::finding` and `pipeline::report::advice`. A test holds this list to the steps' sources.

/// One code of a step: code, what happened, what to do.
pub(crate) type StepCode = (&'static str, &'static str, &'static str);

/// Every code, in order.
pub(crate) static STEP_CODES: &[StepCode] = &[
    (
        "APR101",
        "the approval does not hold any more: the mapping, the source or the Gorgias account has changed since",
        "put back what is named, or look at the mapping and approve it again; when an account has changed, begin another run",
    ),
    (
        "APR102",
        "the approval was given to an older program, which kept nothing of what it rests on",
        "look at the mapping and approve it again",
    ),
    (
        "ARC101",
        "a snapshot cannot be written or read",
        "see the cause; a damaged file is restored from a copy, or a new run is started",
    ),
    ("ARC102", "the same input gave another output", "report it: this is a bug; a new run is not affected"),
    ("ARC103", "a snapshot is not there yet", "run the step before"),
    ("ARC104", "a manifest lists another snapshot", "put the folders back as they were, or start a new run"),
    (
        "ARC105",
        "the folder for spills cannot be made",
        "make room, or correct the permissions of the store's folder",
    ),
    (
        "ARC106",
        "a worker that reads or writes a snapshot ended unexpectedly",
        "run again; if it stays, report it",
    ),
    (
        "DEL001",
        "the run is not loaded to its end, so nothing can be brought up to date",
        "deskferry run, then deskferry delta",
    ),
    ("DOC101", "a document of the run is not there yet", "run the step that is named"),
    (
        "DOC102",
        "a document of the run cannot be read",
        "use the program version that wrote it, or a newer one; restore it if it was edited",
    ),
    (
        "DOC103",
        "the confirmed mapping was edited after the approval",
        "restore it from a copy, or start a new run and approve again",
    ),
    (
        "DOC104",
        "a document is stored already with other content",
        "something changed in mid-run: start a new run",
    ),
    (
        "DOT101",
        "this machine's clock differs from Gorgias'",
        "set it by a time server; waits and log lines are read by it",
    ),
    (
        "DST101",
        "Gorgias refuses the credentials",
        "check gorgias.email and gorgias.api_key; the user needs the role admin",
    ),
    ("DST102", "Gorgias cannot be read", "see the cause, then run again"),
    (
        "DST103",
        "a list of Gorgias does not end",
        "try again later; if it stays, report the list that is named",
    ),
    (
        "EST101",
        "the proposal cannot be settled for a trial",
        "look at the open rows with deskferry propose, then run estimate again",
    ),
    (
        "EXT101",
        "LeadDesk announces another number of records than it shows",
        "run again when nobody changes the account; if it stays, ask LeadDesk",
    ),
    (
        "EXT102",
        "a list of LeadDesk holds something without an id",
        "the shape of the answer has changed: report it",
    ),
    (
        "EXT103",
        "so many records are broken that the format must have changed",
        "look at the commonest reason; correct the source or report the new format",
    ),
    ("EXT104", "a file of the operator changed in mid-run", "put the old file back, or start a new run"),
    ("EXT105", "a stored page cannot be read", "restore it from a copy, or start a new run"),
    ("EXT106", "reading twice gave different results", "start a new run; if it stays, report it"),
    ("EXT107", "a worker of the extraction ended unexpectedly", "run again; if it stays, report it"),
    (
        "EXT108",
        "so many recordings cannot be fetched that their host must be down",
        "run again later: it goes on where it stopped; or accept CAL118 by name to go on without them",
    ),
    (
        "EXT109",
        "an archived recording is not the one that its name says",
        "restore the file that is named from a copy, or remove it and start a new run, which fetches it again",
    ),
    (
        "EXT110",
        "a call log appeared after calls were read without one",
        "take calls.csv out of the folder again, or start a new run with it: the same call would get two ids",
    ),
    ("EXT201", "an answer is not JSON", "see the raw page in the run's folder; run again"),
    (
        "EXT202",
        "an answer is JSON of another kind",
        "see the raw page in the run's folder; if it stays, report the new shape",
    ),
    (
        "EXT203",
        "a key stands twice in one object",
        "the record is put aside, since nobody knows which value is meant; ask LeadDesk",
    ),
    (
        "EXT204",
        "an answer is nested deeper than any record",
        "the record is put aside; look at it in LeadDesk",
    ),
    ("EXT401", "calls with a negative or an impossibly long duration", "nothing; they are kept as written"),
    ("EXT402", "chatbot messages lie outside the stated window", "correct the window in the configuration"),
    (
        "EXT403",
        "lists of lists.csv that LeadDesk does not list",
        "nothing, if they are archived; otherwise correct the file",
    ),
    ("EXT404", "rows of leads.csv that belong to no lead", "correct the ids in the file, if they matter"),
    ("EXT405", "times in list exports that cannot be read", "nothing; the text is kept"),
    (
        "EXT406",
        "outcomes were renamed: calls show them under several names",
        "nothing; the id is the key and the latest name is shown",
    ),
    ("EXT407", "lists without any contact", "check that they are meant to be empty"),
    ("FIL101", "a file of the operator is empty", "export it again"),
    ("FIL102", "a file of the operator is not UTF-8", "save it again as UTF-8; nothing is decoded with loss"),
    (
        "FIL103",
        "a file of the operator ends inside quotes",
        "it was cut or a quote is missing: export it again",
    ),
    ("FIL104", "the last row of a file stops in the middle", "the file was cut: export it again"),
    (
        "FIL105",
        "a row is larger than any row can be",
        "a quote is probably not closed: look at the line that is named",
    ),
    ("FIL106", "the columns of a file are parted by something else", "export with semicolons or commas"),
    ("FIL107", "a column that must be there is not", "export again with the columns that are named"),
    ("FIL108", "a column is there twice", "remove or rename one of them"),
    ("FIL109", "a JSON file holds no array of objects", "export it again"),
    ("FIL110", "a file of the operator cannot be read", "correct the permissions, or put the file back"),
    (
        "FIL201",
        "a file has no line end at its end",
        "compare its number of rows with the source: it may have been cut behind a row",
    ),
    (
        "FIL202",
        "files in the operator's folder that nobody reads",
        "correct their names if they should be read",
    ),
    (
        "FIN101",
        "a rule, survey or webhook was removed by a person during the run",
        "nothing, if it was meant",
    ),
    (
        "FIN102",
        "a rule, survey or webhook is not as it was before the run",
        "set it in Gorgias by hand, then run again",
    ),
    (
        "GOR101",
        "Gorgias refuses the credentials or the permission",
        "check gorgias.email and gorgias.api_key; the user needs the role admin",
    ),
    ("GOR102", "Gorgias cannot be read", "see the cause, then run again"),
    ("HND001", "there is no report to hand off", "deskferry report"),
    ("HND002", "a document of the handoff cannot be written", "report it: this is a bug"),
    (
        "LED101",
        "the ledger cannot be used",
        "let one process alone write for the destination; never edit the ledger",
    ),
    (
        "LED102",
        "a checkpoint of the ledger does not fit its segments",
        "nothing at once: the segments were read instead; find out who changed a file of the store",
    ),
    ("LOD001", "the load needs what a step before it leaves", "run prepare and plan"),
    (
        "LOD002",
        "the credentials belong to another account than the plan",
        "use the credentials of the planned account, or start a new run",
    ),
    (
        "LOD003",
        "a wave stays closed because the one before is not proven",
        "look at the report; mend the differences or accept their codes",
    ),
    (
        "LOD004",
        "loading stopped: too many records were refused",
        "something common is wrong: see the commonest reason, mend it, then run again",
    ),
    (
        "LOD005",
        "a message went out to a customer from a ticket of the migration",
        "look at the ticket that is named and find the rule or integration that sent it; switch it off, then run again",
    ),
    (
        "LOD006",
        "a rollback has taken records away and is neither undone nor purged",
        "bring them back with `deskferry rollback undo`, or remove them with `deskferry rollback purge`",
    ),
    (
        "LOD100",
        "a step that writes or reads for long stopped",
        "see the cause, then run again; what is in doubt is looked up first",
    ),
    (
        "LOS101",
        "the transformation lost more of some kind than was approved; nothing is loaded",
        "look at the kinds that are named; change the mapping in a new run, or accept them by name with deskferry confirm",
    ),
    (
        "LOS102",
        "more of some kind was lost at Gorgias than was approved; the wave is not found right",
        "mend it with deskferry retry or repair, accept the kinds with deskferry confirm, then reconcile again",
    ),
    ("LOS103", "the losses of a run were approved more often than anybody does", "begin another run"),
    (
        "LOS201",
        "recordings stay at LeadDesk by the settings",
        "choose archive or upload under mapping.recording, or download those that must be kept",
    ),
    ("LOS202", "documented and not migrated", "read it in the handoff, and rebuild what is needed"),
    (
        "LOS203",
        "contacts of one person become one customer",
        "nothing; the merge list shows each with its reason",
    ),
    ("MAP101", "an approval needs the name of a person", "pass --by with a name"),
    ("MAP102", "the proposal changed since it was reviewed", "review and approve it again"),
    ("MAP103", "a row cannot be left out", "see the reason; rows that are not open cannot be settled"),
    (
        "MAP104",
        "rows of the proposal are open",
        "settle them in the configuration, or approve with them left out",
    ),
    (
        "MAP105",
        "a risk must be accepted by name",
        "mend it, or name its code in migration.toml: [accept] findings",
    ),
    ("MAP106", "the run has an approved mapping already", "start a new run for another one"),
    (
        "MAP107",
        "a choice was made that its row does not take",
        "export the mapping, mend the row that is named, and import it again",
    ),
    ("PLA001", "the plan needs what prepare leaves", "deskferry prepare"),
    (
        "PLA101",
        "a saved plan is not the one of now",
        "look at what changed, and plan again; nothing is written by an old plan",
    ),
    ("PLA102", "a file is no saved plan", "make one: deskferry plan --output plan.json"),
    (
        "PRE101",
        "Gorgias holds records with our key that no ledger of ours knows",
        "use the store that wrote them; or accept this code to adopt them",
    ),
    (
        "PRE102",
        "a user that the mapping relies on is gone or deactivated",
        "reactivate the user, or start a new run and approve another mapping",
    ),
    (
        "PRE103",
        "a tag, field or team could not be made",
        "see what Gorgias said; make room or rename, then run again",
    ),
    ("QUE101", "the queue cannot be used", "run again: what is to be done is what the store shows"),
    ("REC001", "a wave cannot be compared", "see the cause, then run again"),
    ("REC002", "a wave is not loaded to its end", "deskferry load"),
    (
        "REC101",
        "second records of ours were taken out of the way",
        "nothing; a process that stood still had written them, and nobody had touched them",
    ),
    (
        "REC301",
        "what was read back differs and keeps the next wave closed",
        "look at the differences in the report",
    ),
    ("REP001", "a table of the report cannot be written", "make room in the store's folder, then run again"),
    ("REP002", "a worker of the report ended unexpectedly", "run again; if it stays, report it"),
    (
        "REP003",
        "there are more reports of this run than anybody makes",
        "see what calls report again and again",
    ),
    (
        "REP102",
        "more differences were counted than a verdict keeps",
        "mend the commonest ones first, then reconcile again",
    ),
    (
        "RES101",
        "an acknowledgement cannot be recorded",
        "give a name and a scope; where nothing leaves the EU there is nothing to acknowledge",
    ),
    (
        "REV101",
        "a mapping file is not what its ending says, or has another form",
        "compare with the file that `deskferry map export` writes; save workbooks as .xlsx without a password",
    ),
    (
        "REV102",
        "a mapping file was made for another proposal",
        "export the mapping again, and carry your decisions over",
    ),
    (
        "REV103",
        "a mapping file has a row that the proposal does not have",
        "remove it, or put its name back as it was exported",
    ),
    (
        "REV104",
        "a row of a mapping file is missing, or there twice",
        "put it back or remove one of the two; to leave something out, choose leave",
    ),
    (
        "REV105",
        "a choice or comment of a mapping file cannot be taken",
        "look at what the row takes, and at the text that is named",
    ),
    (
        "REV106",
        "something was changed in a mapping file that is only shown",
        "put it back; decisions are said in choice and the columns after it",
    ),
    (
        "REV107",
        "a cell of a workbook holds a formula",
        "put the value itself there: copy, then paste as values",
    ),
    ("REV108", "a workbook holds macros", "save it as an Excel workbook without macros (.xlsx)"),
    (
        "REV109",
        "a mapping file is larger than any mapping, packed or unpacked",
        "export the mapping again and fill that in",
    ),
    (
        "REV110",
        "two people answered a row differently, each without knowing of the other",
        "export the mapping again, settle the row there, and import that",
    ),
    (
        "REV111",
        "decisions of the review page carry no name",
        "fill in your name on the page and download them again",
    ),
    (
        "REV112",
        "a view of the mapping could not be written",
        "report it: this is a bug; another form may work",
    ),
    (
        "ROL001",
        "a load or a repair left writes in doubt",
        "run `deskferry load` or `deskferry repair apply` once more, which settles them, then plan the rollback",
    ),
    (
        "ROL002",
        "a phase of the rollback does not follow the one that it is in",
        "see where it is: `deskferry rollback plan`",
    ),
    (
        "ROL003",
        "the hold of a rollback is not over",
        "wait, or change [rollback] hold_days in migration.toml",
    ),
    (
        "ROL004",
        "the number that was typed is not that of the plan",
        "look at the plan once more, then type its number",
    ),
    (
        "RPR001",
        "writes are in doubt",
        "run once more what was interrupted, which settles them, then plan the repair",
    ),
    ("RPR002", "there is no repair plan for this run", "deskferry repair plan"),
    (
        "SRC101",
        "LeadDesk refuses the credentials",
        "check leaddesk.auth, client_id, client_secret and account",
    ),
    (
        "SRC102",
        "LeadDesk does not allow this for the account",
        "ask LeadDesk for API access, which the higher tiers include",
    ),
    ("SRC103", "LeadDesk has no such object", "run again; if it stays, ask LeadDesk"),
    ("SRC104", "LeadDesk refuses a request", "see the code that LeadDesk gives"),
    ("SRC105", "an answer of LeadDesk cannot be used", "try again later; it is never read as \"no records\""),
    ("SRC106", "LeadDesk does not answer", "wait, then run again: it goes on where it stopped"),
    ("STO101", "the store cannot be reached", "check the folder or bucket that store.url names"),
    (
        "SUG101",
        "the suggester is configured and cannot be used; the proposal is made without it",
        "correct [suggester], or take it out: everything works without it",
    ),
    (
        "SUG102",
        "the suggester does not answer; the proposal is made without it",
        "run propose again later, or take [suggester] out",
    ),
    (
        "SUG103",
        "the suggester's answer is not what was asked for; the proposal is made without it",
        "try another model, or take [suggester] out",
    ),
    ("SUG104", "suggestions from outside were dropped: they name no field or target of ours", "nothing"),
    (
        "SUG105",
        "not all fields were told to the suggester",
        "nothing; the fields beyond are judged by the rules alone",
    ),
    (
        "TRF101",
        "a spill file was changed while it was used",
        "let nothing else write into the store's folder, then run again",
    ),
    ("TRF102", "a row of a small table has no id", "correct the file that is named, then start a new run"),
    (
        "TRF103",
        "records do not add up after the transformation",
        "report it: this is a bug; nothing was written to Gorgias",
    ),
    ("TRF104", "a worker of the transformation ended unexpectedly", "run again; if it stays, report it"),
    ("ZIP101", "a chatbot export is no ZIP file, or was cut off", "export it again"),
    ("ZIP102", "one of the four files of a chatbot export is missing", "export all four files in one go"),
    ("ZIP103", "a chatbot export is encrypted", "export without a password"),
    ("ZIP104", "a name in a ZIP file leads outside of it", "do not use this file: ask where it comes from"),
    ("ZIP105", "a ZIP file holds a link", "do not use this file: ask where it comes from"),
    ("ZIP106", "entries of a ZIP file overlap", "do not use this file: ask where it comes from"),
    (
        "ZIP107",
        "an entry of a ZIP file expands without measure",
        "do not use this file: ask where it comes from",
    ),
    ("ZIP108", "a ZIP file expands to more than is read", "export shorter windows"),
    ("ZIP109", "a ZIP file holds another ZIP file", "unpack it and give each file on its own"),
    ("ZIP110", "an entry of a ZIP file is there twice", "export it again"),
    ("ZIP111", "an entry of a ZIP file is damaged", "export or copy it again"),
    ("ZIP112", "a ZIP file has more entries than any export", "export it again"),
    ("ZIP201", "a ZIP file holds files that are no part of a chatbot export", "nothing; they are not read"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Codes as they stand in source text: three capitals, three digits, in quotes.
    fn codes(text: &str) -> impl Iterator<Item = &str> {
        text.split('"').skip(1).step_by(2).filter(|word| {
            let (letters, digits) = word.split_at_checked(3).unwrap_or_default();
            word.len() == 6
                && letters.bytes().all(|byte| byte.is_ascii_uppercase())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    }

    fn read(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.is_dir() {
                read(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") && !name.contains("test") {
                let text = std::fs::read_to_string(&path).unwrap();
                // What stands behind this line is test code.
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                found.extend(codes(code).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_code_of_the_steps_can_be_explained() {
        let steps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipeline/src");
        let mut found = BTreeSet::new();
        read(&steps, &mut found);
        assert!(found.contains("EXT103") && found.len() > 60, "{found:?}");
        let unexplained: Vec<&String> =
            found.iter().filter(|code| crate::commands::explain::find(code).is_none()).collect();
        assert_eq!(unexplained, Vec::<&String>::new());
    }

    #[test]
    fn codes_are_unique_in_order_and_of_no_other_catalogue() {
        let all: Vec<&str> = STEP_CODES.iter().map(|(code, _, _)| *code).collect();
        let sorted: Vec<&str> = all.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(all, sorted);
        assert!(all.iter().all(|code| migration::finding::Code::from_text(code).is_none()));
    }
}
