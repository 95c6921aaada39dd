//! What a code says and what to do about it.
//!
//! Codes of the mapping stand in the catalogue of `migration`; codes of reading and writing records stand here.

use migration::finding::Code;

/// What a person reads about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// What happened, without a value.
    pub title: &'static str,
    /// What to do.
    pub advice: &'static str,
}

const fn advice(title: &'static str, advice: &'static str) -> Advice {
    Advice { title, advice }
}

/// Codes of records that extraction, transform, load or report give.
const OWN: &[(&str, Advice)] = &[
    (
        "EXT301",
        advice(
            "record without a usable id",
            "correct the id at the place that is named, then start a new run",
        ),
    ),
    (
        "EXT302",
        advice(
            "record without a usable time",
            "correct the time at the place that is named, then start a new run",
        ),
    ),
    (
        "EXT303",
        advice(
            "two records contradict each other under one key",
            "the first counts; correct the source if the other is right",
        ),
    ),
    (
        "EXT304",
        advice(
            "list row with an unknown mark",
            "look at the raw row in the source snapshot and report the mark",
        ),
    ),
    (
        "EXT305",
        advice(
            "contact came back without data",
            "look at the contact in LeadDesk; if it is there, start a new run",
        ),
    ),
    (
        "EXT306",
        advice(
            "LeadDesk answered with another contact",
            "start a new run; if it stays, report the contact's id to LeadDesk",
        ),
    ),
    ("EXT307", advice("chatbot files contradict each other", "export all four files in one go")),
    (
        "EXT308",
        advice(
            "chatbot message without its conversation",
            "export again with an overlap of at least one day",
        ),
    ),
    (
        "EXT309",
        advice(
            "chatbot message of an unknown sender",
            "look at the row in the export and report the sender's word",
        ),
    ),
    (
        "EXT310",
        advice("contact is larger than any contact may be", "look at the contact in LeadDesk and shorten it"),
    ),
    (
        "EXT311",
        advice("contact was deleted between list and reading", "nothing, if it was deleted on purpose"),
    ),
    (
        "ROW101",
        advice(
            "row with a wrong number of columns",
            "correct the row in the file; delimiters inside a value need quotes",
        ),
    ),
    ("ROW102", advice("row with text behind a closing quote", "double the quotes inside the value")),
    ("ROW103", advice("row with a zero byte", "export the file again as UTF-8")),
    (
        "T-PANIC",
        advice("a bug stopped this record", "report the code and the id; the other records are not touched"),
    ),
    ("T-PARENT", advice("the record that it belongs to could not be made", "see the reason of that record")),
    (
        "LOD101",
        advice(
            "Gorgias refused the record",
            "look at the reason in records.csv, correct the source, then start a new run",
        ),
    ),
    (
        "LOD102",
        advice(
            "another record at Gorgias holds the identifier",
            "merge the two by hand, or clear the identifier at the other",
        ),
    ),
    (
        "LOD103",
        advice(
            "the customer of the ticket was not loaded",
            "settle the customer first, then start a new run",
        ),
    ),
    (
        "LOD104",
        advice(
            "it could not be learned whether the write took effect",
            "run again: it is looked up before anything is sent",
        ),
    ),
    ("LOD105", advice("a person deleted the record during the run", "nothing, if it was deleted on purpose")),
    (
        "LOD106",
        advice(
            "ticket arrived with a part of its messages",
            "look at the ticket; the reason names the missing positions",
        ),
    ),
    (
        "LOD107",
        advice(
            "written again on a look-up that may have come too early",
            "see whether the report counts duplicates; `deskferry reconcile` takes them out of the way",
        ),
    ),
    (
        "LOD108",
        advice(
            "put into the trash because another process had written it too",
            "nothing; find out why two processes worked on one account",
        ),
    ),
    ("LOD109", advice("a file was uploaded", "nothing; it hangs on its message")),
    (
        "LOD110",
        advice(
            "a file was uploaded once more because an answer was lost",
            "nothing; a copy that hangs on nothing may lie at Gorgias, where uploads can neither be listed nor deleted",
        ),
    ),
    (
        "LOD111",
        advice(
            "Gorgias does not take a recording",
            "nothing, if it is too large: it stays in the store; else see the reason and start a new run",
        ),
    ),
    (
        "LOD112",
        advice(
            "a person merged the customer into another one, and its tickets go there",
            "nothing; the customer that is left is people's, and a rollback keeps it",
        ),
    ),
    ("REP101", advice("not written to Gorgias yet", "go on with `deskferry run`")),
    (
        "ROL101",
        advice(
            "people changed the record, and what they wrote stays",
            "nothing; the plan names the fields record by record",
        ),
    ),
    (
        "ROL102",
        advice(
            "people acted on the record, so a rollback keeps it",
            "look at its history in Gorgias; remove it by hand if it is not needed",
        ),
    ),
    (
        "ROL103",
        advice(
            "the ticket holds messages that are not ours, so a rollback keeps it",
            "nothing; a conversation is never removed",
        ),
    ),
    (
        "ROL104",
        advice(
            "something that stays needs the record, so a rollback keeps it",
            "remove what needs it first, then plan again",
        ),
    ),
    (
        "ROL105",
        advice(
            "people acted on the record while it was being removed, so it was brought back",
            "nothing; it is as people left it",
        ),
    ),
    ("ROL106", advice("the record is gone or in the trash already", "nothing")),
    (
        "ROL107",
        advice(
            "an earlier run of this migration wrote the record",
            "roll that run back by its name: deskferry rollback plan --run ID",
        ),
    ),
    ("ROL108", advice("the record is as it was before the migration already", "nothing")),
    (
        "ROL109",
        advice(
            "Gorgias did not remove the record",
            "see Gorgias' reason in the certificate; a tag in a macro or rule is freed there first, then purge again",
        ),
    ),
    (
        "ROL110",
        advice(
            "Gorgias deletes no field definitions, so the field stays archived",
            "nothing; an archived field is not shown to agents",
        ),
    ),
    (
        "ROL111",
        advice(
            "a second record carries a key of ours that the ledger does not know",
            "compare both at Gorgias and remove one by hand",
        ),
    ),
    (
        "ROL112",
        advice(
            "a person merged the customer into another one, so a rollback keeps it",
            "nothing; the tickets of the run go, the customer stays",
        ),
    ),
    (
        "DEL111",
        advice(
            "people changed fields of the record; what they wrote stays",
            "nothing, or correct the record in Gorgias",
        ),
    ),
    (
        "DEL112",
        advice(
            "people deleted the record, or some of its messages",
            "nothing; what is deleted stays deleted",
        ),
    ),
    (
        "DEL113",
        advice(
            "LeadDesk and people changed the same field, and no rule settles it",
            "say who wins in migration.toml under [mapping.conflict_rules], and run the delta again; or settle it at Gorgias",
        ),
    ),
    (
        "DEL114",
        advice(
            "a field changed at LeadDesk that can only be written when the record is made",
            "nothing, or correct the record in Gorgias",
        ),
    ),
    ("DEL115", advice("a person merged the customer into another one", "nothing; it is people's doing")),
    (
        "DEL116",
        advice("the record was never loaded, so it cannot be brought up to date", "deskferry retry --failed"),
    ),
    (
        "DEL117",
        advice(
            "somebody changed the record while the delta ran",
            "deskferry delta: the next one looks again",
        ),
    ),
    ("DEL118", advice("Gorgias refused the write of a delta", "see the reason; the next delta tries again")),
    (
        "DEL119",
        advice(
            "LeadDesk does not show the source of the record any more",
            "nothing; [delta] vanished says what becomes of it, and nothing is ever deleted",
        ),
    ),
    (
        "DEL120",
        advice(
            "somebody acted on the record between the delta's look and its write, and it holds what the delta wrote",
            "look whether their change is there, and make it again if not",
        ),
    ),
    (
        "RPR101",
        advice(
            "people changed the record, and what they wrote stays",
            "nothing; ctl_repair names the fields record by record",
        ),
    ),
    (
        "RPR102",
        advice(
            "people deleted the record or some of its messages, and nothing is brought back",
            "nothing, if it was deleted on purpose",
        ),
    ),
    (
        "RPR103",
        advice(
            "a field was damaged and people changed it since",
            "say who wins in migration.toml under [mapping.conflict_rules], or settle it at Gorgias",
        ),
    ),
    (
        "RPR104",
        advice(
            "the record is not there although it was written, and nobody deleted it",
            "deskferry repair apply makes it again once it is proven gone",
        ),
    ),
    (
        "RPR105",
        advice(
            "Gorgias takes the field only when the record is made",
            "change it by hand where Gorgias allows it, or accept the difference by its code",
        ),
    ),
    ("RPR106", advice("a tag, team or field definition differs", "mend it in Gorgias' settings")),
    (
        "RPR107",
        advice(
            "the record holds something beside what was wished, which is not ours to remove",
            "find out which rule or integration put it there; remove it by hand if it is wrong",
        ),
    ),
    ("RPR108", advice("a person merged the customer into another one", "nothing; it is people's doing")),
    (
        "RPR109",
        advice("Gorgias refused to write the record again", "see the reason, then plan the repair anew"),
    ),
    ("RPR110", advice("somebody changed the record since the repair was planned", "deskferry repair plan")),
    (
        "RPR111",
        advice(
            "the record carries a key of ours and was not written by this ledger",
            "use the store that wrote it, or mend it by hand",
        ),
    ),
    (
        "RPR112",
        advice(
            "somebody acted on the record in the moment in which it was written",
            "look whether their change is there; Gorgias does not tell what was overwritten",
        ),
    ),
];

/// What to read about a code; codes that nobody knows get a general advice.
#[must_use]
pub fn of(code: &str) -> Advice {
    if let Some(known) = Code::from_text(code) {
        let entry = known.entry();
        return advice(entry.title, entry.advice);
    }
    let own = OWN.iter().find(|(own, _)| *own == code).map(|(_, advice)| *advice);
    own.unwrap_or(advice("see the reason in records.csv", "look at the reason of each record"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_has_two_meanings() {
        for (code, _) in OWN {
            // The catalogue answers first, so a line of ours under the same code would never be read.
            assert!(Code::from_text(code).is_none(), "{code}");
            assert_eq!(OWN.iter().filter(|(other, _)| other == code).count(), 1, "{code}");
        }
        assert_eq!(of("CMP104").title, "value differs");
        assert_eq!(of("REP101").title, "not written to Gorgias yet");
        assert_eq!(of("X").advice, "look at the reason of each record");
    }
}
