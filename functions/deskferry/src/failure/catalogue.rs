//! Codes of errors. A code is never reused and never changes its meaning.
//!
//! Codes of findings about records, such as `DIS301`, stand in `migration::finding`; these here are about the work
//! itself. E01: configuration and arguments, E02: access, E03: this machine, E04: the two systems, E05: consent,
//! E06: what is stored, E07: limits, E09: bugs.

use crate::exit::Exit;

/// One kind of error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The code.
    pub(crate) code: &'static str,
    /// How the program ends.
    pub(crate) exit: Exit,
    /// What it says, without a value.
    pub(crate) title: &'static str,
    /// Why it happens, when the case itself does not say.
    pub(crate) why: &'static str,
    /// How to mend it.
    pub(crate) fix: &'static str,
}

macro_rules! catalogue {
    ($($name:ident = $code:literal, $exit:ident, $title:literal, $why:literal, $fix:literal;)+) => {
        $(
            #[doc = $title]
            pub(crate) static $name: Entry =
                Entry { code: $code, exit: Exit::$exit, title: $title, why: $why, fix: $fix };
        )+
        /// Every code, in order.
        pub(crate) static CATALOGUE: &[&Entry] = &[$(&$name),+];
    };
}

catalogue! {
    NO_CONFIG = "E0101", Usage, "the configuration cannot be read",
        "every command but demo, init, twin, explain and completions works on one migration, which the file describes",
        "name the file with --config, or write one: deskferry init";
    CONFIG_FORM = "E0102", Usage, "the configuration has a wrong form",
        "it is not TOML, a key is missing, or a value has another type",
        "compare with the file that this writes: deskferry init";
    CONFIG_KEY = "E0103", Usage, "the configuration has an unknown key",
        "unknown keys are errors, so that a typing mistake cannot go unnoticed",
        "correct or remove the key that is named";
    CONFIG_VALUE = "E0104", Usage, "a value in the configuration cannot be used",
        "it is outside what is possible",
        "correct the key that is named";
    NO_SECRET = "E0105", Usage, "a secret cannot be found",
        "the configuration names where a secret is, and it is not there",
        "write env:NAME or file:path and put the secret there; never the secret itself";
    WITHOUT_AWS = "E0106", Usage, "this program was built without AWS",
        "store.url or queue.url is at AWS, and the adapters are half of a build",
        "build it with `cargo build --release -p deskferry --features aws`, or use file: and in-process:";
    TOOL = "E0107", Error, "a tool of AWS did not do its part",
        "sam or aws is not installed, or refused; its own words say why",
        "install it (PyPI: aws-sam-cli, awscli), and give it the credentials that it asks for";
    FILE_EXISTS = "E0111", Usage, "the file is there already",
        "nothing is replaced without being told to",
        "move it away, name another one with --config, or pass --force";
    NOT_A_DEMO = "E0112", Usage, "the folder is not one of an earlier demo",
        "the demo empties its folder first, so it only takes one that it made itself",
        "choose another folder with --dir";
    NO_SUCH_RUN = "E0113", Usage, "there is no such run",
        "the store holds no run of this name",
        "list the runs with: deskferry status";
    NO_SUCH_CODE = "E0114", Usage, "the code is unknown",
        "neither findings nor errors have it",
        "list all codes with: deskferry explain";
    NO_INPUT = "E0115", Usage, "a question would have to be asked",
        "there is no terminal to ask at, or --no-input forbids it",
        "pass the option that answers it";
    BAD_ARGUMENT = "E0116", Usage, "an argument cannot be used",
        "its value is outside what is possible",
        "see the command's --help";
    MAPPING_FILE = "E0117", Usage, "a mapping file cannot be imported",
        "a file is taken as a whole or not at all, so that nobody believes in decisions that were dropped",
        "mend what is named above, place by place, then import it again";

    LEADDESK_CREDENTIALS = "E0201", Access, "LeadDesk refuses the credentials",
        "the key or the client's secret is wrong, revoked, or belongs to another account",
        "check leaddesk.auth, client_id, client_secret and account in the configuration";
    LEADDESK_NOT_ALLOWED = "E0202", Access, "LeadDesk does not allow this command",
        "the account's tier or the key's permissions do not cover it",
        "ask LeadDesk for the permission, or supply the operator's file that replaces the command";
    GORGIAS_CREDENTIALS = "E0203", Access, "Gorgias refuses the credentials",
        "the key is wrong or revoked, its user lacks a permission, or a quota of the account is used up",
        "check gorgias.base_url, email and api_key; the user needs the role admin";

    LOCKED = "E0301", Error, "another process works on this migration",
        "one process at a time writes for a migration",
        "wait until it is done, or end that process; the lock goes with it";
    LOCAL_FILES = "E0302", Error, "a file on this machine cannot be read or written",
        "the disk is full, or a permission is missing",
        "make room or correct the permission";
    TWIN_START = "E0303", Error, "a stand-in cannot start",
        "the address is taken, or the account cannot be made",
        "choose another address with --listen, or another size";

    LEADDESK_NO_ANSWER = "E0401", Stopped, "LeadDesk does not answer",
        "the network or LeadDesk is down; it was tried several times",
        "wait; nothing is lost, the run goes on where it stopped";
    LEADDESK_UNUSABLE = "E0402", Error, "an answer of LeadDesk cannot be used",
        "it is HTML, cut off, or shaped unlike every answer seen so far; it is never read as \"no records\"",
        "try again later; if it stays, the shape of the answer has changed and deskferry must learn it";
    LEADDESK_REFUSED = "E0403", Error, "LeadDesk refuses a request",
        "the object is gone or the request is wrong for this account",
        "look at the code that LeadDesk gives";
    OPERATOR_FILE = "E0404", Error, "a file of the operator cannot be used",
        "it is damaged, of another form, or changed since the run began to read it",
        "export it again, or put the old one back; nothing was written to Gorgias because of it";
    GORGIAS_NO_ANSWER = "E0411", Stopped, "Gorgias does not answer",
        "the network or Gorgias is down; reads were tried several times",
        "wait; nothing is lost, and what is in doubt is looked up at the next start";
    GORGIAS_REFUSED = "E0412", Error, "Gorgias refuses a request",
        "the record breaks a rule of Gorgias; it is set aside and the others go on",
        "look at the reason in failures.csv of the report";
    GORGIAS_UNUSABLE = "E0413", Error, "an answer of Gorgias cannot be used",
        "it is not an answer of this route",
        "try again later; if it stays, the shape of the answer has changed and deskferry must learn it";
    GORGIAS_IN_DOUBT = "E0414", Stopped, "it is not known whether a write took effect",
        "the answer was lost; a write without an answer is never simply repeated",
        "start again: what is in doubt is looked up first";
    NOT_RESTORED = "E0415", Error, "something that was switched off for the run is not on again",
        "Gorgias shows a rule, survey or webhook in another state than before the run",
        "look at the ones that are named in Gorgias, then run again";

    NOT_CONFIRMED = "E0501", Approval, "the mapping is not approved",
        "nothing is written to Gorgias without a person's approval",
        "look at the proposal (`deskferry map review`), then `deskferry map approve --by NAME`";
    OPEN_CONFLICTS = "E0502", Approval, "the proposal has open conflicts",
        "two answers are possible and only a person can choose",
        "settle each: `deskferry map review`, then `deskferry map import` what you decided";
    STALE = "E0503", Approval, "the approval is stale",
        "the mapping, the source or the Gorgias account changed since it was approved",
        "look at the mapping and approve it again: `deskferry map review`, `deskferry map approve --by NAME`";
    NOT_ACCEPTED = "E0504", Approval, "a risk is not accepted",
        "a finding stops the run until it is mended or accepted by name",
        "mend it, or accept its code in migration.toml under [accept] findings";
    BAD_VERDICT = "E0505", Error, "a wave is not proven",
        "what was read back differs from what was wished for, so the next wave stays closed",
        "look at the differences in the report";
    NOT_AGREED = "E0506", Approval, "a person did not agree",
        "what has to be typed was not typed",
        "look at the plan, then type what is asked for or pass it with --confirm";
    RESIDENCY = "E0507", Approval, "personal data would leave the EU",
        "contacts of the EU would move to a place outside, or to one that nobody stated",
        "state both places under [residency], or record who answers for it: deskferry acknowledge --by NAME --scope TEXT";
    NOT_READY = "E0508", Approval, "the migration is not ready to be cut over",
        "a point of the readiness is not settled, or could not be looked at",
        "settle each point, or take them upon yourself: deskferry cutover run --force-by NAME --reason TEXT, which is recorded";
    OVER_BUDGET = "E0520", Approval, "more is lost than was approved",
        "the transformation lost more of some kind than the budget allows that was approved with the mapping",
        "look at the kinds that are named; to accept them by name: `deskferry confirm --by NAME`";

    STORE = "E0601", Error, "the store cannot be read or written",
        "the medium failed",
        "check the folder or bucket that store.url names";
    DAMAGED = "E0602", Error, "a stored file is damaged",
        "its bytes are not the ones that its manifest states",
        "restore the file from a copy, or start a new run";
    LEDGER = "E0603", Error, "the ledger cannot be used",
        "its chain is broken, or another process writes to it",
        "let one process alone write for a destination; restore what was lost or edited from a copy of the ledger";
    OUT_OF_ORDER = "E0604", Error, "a step before this one is not done",
        "each step reads what the one before it left in the store",
        "run the step that is named, or `deskferry run` for all of them";
    ROLLBACK_PHASE = "E0605", Error, "the rollback is at another phase",
        "plan, apply, undo or purge follow each other, and belong to the run that was planned",
        "see where it is: deskferry rollback plan";
    ONLY_SAMPLE = "E0608", Error, "the run is a sample, and this needs a run of everything",
        "what a few records show would be taken for all of them",
        "name the run of everything with --run, or move everything first: deskferry run";
    REHEARSAL = "E0609", Error, "the rehearsal did not pass",
        "what happened at the stand-in would happen at the real account",
        "look at the report of the rehearsal before anything is moved";

    STOPPED = "E0701", Stopped, "the run stopped at a limit",
        "too many records were refused, or a deadline came",
        "look at the failures in the report, mend their cause, then run again";
    INTERRUPTED = "E0702", Interrupted, "interrupted",
        "somebody asked the process to stop",
        "nothing to mend: everything done so far is recorded; after a stop while writing, the next start waits two minutes until \
         nothing can be on its way any more, and looks up what is in doubt";
    HELD = "E0703", Stopped, "the hold is not over",
        "what a rollback removed stays in the trash for some days, because people notice late what is missing",
        "wait until then, or change [rollback] hold_days in migration.toml";

    UNEXPECTED = "E0901", Error, "something happened that should not",
        "deskferry does not know this error",
        "report it with the code and the text; it holds no personal data";
}

/// The entry of a code.
pub(crate) fn find(code: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().copied().find(|entry| entry.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_in_order() {
        let codes: Vec<&str> = CATALOGUE.iter().map(|entry| entry.code).collect();
        let sorted: Vec<&str> = codes.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(codes, sorted);
        assert!(codes.iter().all(|code| migration::finding::Code::from_text(code).is_none()));
    }

    #[test]
    fn every_code_says_what_why_and_how() {
        for entry in CATALOGUE {
            for text in [entry.title, entry.why, entry.fix] {
                assert!(text.len() > 8 && !text.ends_with('.'), "{}: {text}", entry.code);
            }
            assert_ne!(entry.exit, Exit::Done, "{}", entry.code);
        }
    }
}
