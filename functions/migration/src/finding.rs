//! Codes for everything that a person may ask about: rejects, differences, notes and findings.
//!
//! A code is never reused and never changes its meaning. Deliberately absent: texts that hold a value of a record.

use std::fmt;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Something is changed, shortened or lost; the run goes on.
    Warning,
    /// A record does not arrive, or a decision of a person is needed.
    Error,
    /// The run must not go on.
    Stop,
}

impl Severity {
    /// Lower-case word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Stop => "stop",
        }
    }
}

/// A stable code such as `DIS301`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    /// The code that the catalogue knows under this text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        CATALOGUE.iter().find(|entry| entry.code.0 == text).map(|entry| entry.code)
    }

    /// The text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Its line in the catalogue.
    #[must_use]
    pub fn entry(self) -> &'static CatalogueEntry {
        // Every code is made by the macro below, which also makes its line.
        CATALOGUE.iter().find(|entry| entry.code == self).unwrap_or(&CATALOGUE[0])
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

/// One line of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// The code.
    pub code: Code,
    /// Its weight.
    pub severity: Severity,
    /// What it says, lower case, without a value.
    pub title: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

/// What kind of source record a note, reject or difference speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A contact.
    Contact,
    /// A lead.
    Lead,
    /// A call.
    Call,
    /// A chatbot conversation.
    Conversation,
    /// A message of a conversation.
    ChatMessage,
    /// A user account.
    User,
    /// A campaign.
    Campaign,
    /// A calling list.
    List,
    /// An outcome.
    Outcome,
    /// An office.
    Office,
    /// An agent group.
    Group,
    /// A slot in its scope.
    Slot,
    /// A blacklisted number.
    BlacklistEntry,
    /// A file of the operator.
    File,
    /// The account as a whole.
    Account,
}

impl ObjectKind {
    /// Lower-case word, singular.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Lead => "lead",
            Self::Call => "call",
            Self::Conversation => "conversation",
            Self::ChatMessage => "chat_message",
            Self::User => "user",
            Self::Campaign => "campaign",
            Self::List => "list",
            Self::Outcome => "outcome",
            Self::Office => "office",
            Self::Group => "group",
            Self::Slot => "slot",
            Self::BlacklistEntry => "blacklist_entry",
            Self::File => "file",
            Self::Account => "account",
        }
    }
}

/// Something worth telling about one record that still arrives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// What happened.
    pub code: Code,
    /// Kind of record.
    pub object: ObjectKind,
    /// Its id.
    pub source_id: String,
    /// Ids, counts and masked values only.
    pub detail: String,
}

impl Note {
    /// A note about one record.
    pub fn new(
        code: Code,
        object: ObjectKind,
        source_id: impl fmt::Display,
        detail: impl Into<String>,
    ) -> Self {
        Self { code, object, source_id: source_id.to_string(), detail: detail.into() }
    }
}

macro_rules! catalogue {
    ($($name:ident = $code:literal, $severity:ident, $title:literal, $advice:literal;)+) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code($code);
        )+
        /// Every code, in the order of the flow.
        pub const CATALOGUE: &[CatalogueEntry] = &[
            $(CatalogueEntry { code: $name, severity: Severity::$severity, title: $title, advice: $advice }),+
        ];
    };
}

catalogue! {
    DIS101_UNREADABLE = "DIS101", Stop, "a part of the source account cannot be read", "ask LeadDesk for the permission or tier that is named, or supply the file that replaces it";
    DIS102_NO_CALL_LOG = "DIS102", Warning, "no call-log file: calls come from what the interfaces can show", "export the call log and run discover again; without it agent, campaign and outcome of calls may be missing";
    DIS103_NO_OUTCOME_TAXONOMY = "DIS103", Warning, "no results file: the taxonomy is derived from calls", "supply results.csv so that unused outcomes appear in the handoff";
    DIS104_CONTACT_NESTED = "DIS104", Warning, "a contact holds a nested value", "look at the raw record in the source snapshot and map it by hand";
    DIS106_PARALLEL_COSTS = "DIS106", Note, "LeadDesk goes on costing while both systems run", "look at the contract: the least number of licences, the price of a minute, and the date until which it can be ended";
    DIS107_SOURCE_ZONE = "DIS107", Note, "zone of the LeadDesk account", "nothing; it stands in the report, since LeadDesk does not say where a zone keeps its data";
    DIS201_DESTINATION_RULES_ACTIVE = "DIS201", Error, "rules are active at the destination", "let prepare pause them, or accept each by name";
    DIS202_DESTINATION_SURVEYS_ON = "DIS202", Error, "satisfaction surveys are on at the destination", "let prepare switch them off for the run, or accept by name";
    DIS203_DESTINATION_WEBHOOKS = "DIS203", Error, "webhooks would fire for every migrated ticket", "pause the integrations that are named, or accept each by name";
    DIS204_DESTINATION_AUTO_MERGE = "DIS204", Error, "tickets are merged or assigned by the destination itself", "switch off auto-merge and auto-assign for the run";
    DIS205_RESIDENCY = "DIS205", Stop, "contacts of the EU would leave the EU", "record the legal acknowledgement: deskferry acknowledge --by NAME --scope TEXT; or state where the data lies under [residency]";
    DIS206_FIELD_ROOM = "DIS206", Note, "room for custom fields at the destination", "nothing; fields beyond it stand on the lead card, ranked by how often they are filled";
    DIS207_NO_FIELD_ROOM = "DIS207", Warning, "the destination has no room for fields that the mapping promises", "archive custom fields at Gorgias before propose";
    DIS208_AGENTS_WITHOUT_USER = "DIS208", Warning, "active agents have no Gorgias user", "provision them, map them by hand, or give them to the placeholder by name";
    DIS209_NO_VISIBILITY_RULES = "DIS209", Note, "Gorgias does not restrict which tickets an agent sees", "tell the team leaders before the cut-over; views sort, they do not hide";
    DIS210_NO_TRANSLATIONS = "DIS210", Note, "knowledge-base articles and translations are not part of a migration", "nothing, or plan them apart";
    DIS211_FEES = "DIS211", Warning, "fees that a migration may touch", "ask Gorgias whether imported tickets count, pause AI Agent for the run, and look at Billing and usage after a sample";
    DIS212_RATE_LIMIT = "DIS212", Note, "plan and rate limit of the destination", "a higher limit shortens the load in proportion: ask Gorgias";
    DIS213_ACCOUNT_NOT_ACTIVE = "DIS213", Error, "the Gorgias account is not active", "activate it before the run";
    DIS301_CHAT_WINDOW_SHORT = "DIS301", Error, "chatbot export window cut short", "export again with a wider window, or accept the shorter one by name: what is outside is lost once the account closes";
    DIS302_CHAT_WINDOW_GAP = "DIS302", Warning, "a gap inside the chatbot export", "check whether the bot was off in the gap; if not, export the missing days";
    DIS303_CHAT_CONVERSATION_CUT = "DIS303", Warning, "a conversation is cut at the edge of the export", "export again with an overlap of at least one day";
    DIS304_CHAT_AGGREGATE = "DIS304", Stop, "the chatbot export holds aggregates, not messages", "export the conversations log; nothing is invented from totals";
    DIS305_CHAT_COUNTS_DIFFER = "DIS305", Warning, "the chatbot files disagree about the number of conversations", "export all four files in one go";

    PER101_MERGED_BY_EMAIL = "PER101", Note, "contacts merged into one person: same email", "nothing; the merge list shows each with its reason";
    PER102_MERGED_BY_PHONE_AND_NAME = "PER102", Note, "contacts merged into one person: same number and same name", "nothing; the merge list shows each with its reason";
    PER103_LARGE_PERSON = "PER103", Warning, "unusually many contacts share one email", "check whether the email is a collective one, such as a reception's";

    CUS101_UNREACHABLE = "CUS101", Warning, "contact without usable email and phone", "a placeholder customer holds its leads and calls";
    CUS102_UNREACHABLE_REJECTED = "CUS102", Error, "contact without usable email and phone is not carried", "choose placeholder customers in the settings to carry it; its leads hang on one common placeholder";
    CUS103_EMAIL_INVALID = "CUS103", Warning, "not a valid email address", "correct it in LeadDesk, or leave it: the value stands on the lead card";
    CUS104_PHONE_UNNORMALISED = "CUS104", Warning, "number without a valid international form", "check the default region; the number is carried as the settings say";
    CUS105_PHONE_OF_ANOTHER_CUSTOMER = "CUS105", Note, "number already belongs to another customer", "nothing; Gorgias keeps a number at one customer, the lead card shows it";
    CUS106_EMAIL_OF_AGENT = "CUS106", Warning, "address belongs to a Gorgias user", "nothing; users and customers cannot carry the same address, the lead card shows it";
    CUS107_OPTED_OUT = "CUS107", Note, "marked as opted out", "nothing; the source is a blacklist entry or the consent field of the mapping";
    CUS108_OTHER_NAME = "CUS108", Note, "contacts of one person carry different names", "the name of the smallest contact id is used, the others stand on the lead card";
    CUS109_VALUES_DIFFER = "CUS109", Note, "contacts of one person carry different values for one field", "the value of the smallest contact id is used, the others stand on the lead card";
    CUS110_LEFTOVER_WITHOUT_LEAD = "CUS110", Warning, "contact has values without a home and no lead to show them", "they stay in the source snapshot";

    FLD101_LEFT_SENSITIVE = "FLD101", Warning, "field looks sensitive and is not migrated", "map it by name with a purpose, if there is a legal ground";
    FLD102_NO_ROOM = "FLD102", Warning, "no room for another custom field", "archive fields at Gorgias or choose other fields; the values stand on the lead card";
    FLD103_LABEL_CLASH = "FLD103", Note, "two fields had the same label; a suffix settles it", "rename the field in Gorgias after the run, if wanted";
    FLD104_REACTIVATED = "FLD104", Note, "an archived field of ours is used again", "nothing";
    FLD105_KIND_CLASH = "FLD105", Error, "a field with our label exists with another type", "archive or rename it at Gorgias, then propose again";
    FLD106_VALUE_REJECTED = "FLD106", Warning, "a value does not fit the type of its field", "the value stands on the lead card; choose text in the mapping to carry all values";
    FLD107_KIND_INFERRED = "FLD107", Note, "type inferred from values", "check the share of values that fit; choose another type in the mapping, if wrong";
    FLD108_DATE_AS_TEXT = "FLD108", Note, "dates become ISO text", "nothing; Gorgias has no date type";
    FLD109_EMPTY = "FLD109", Note, "slot is never filled", "nothing";
    FLD110_TAKEN_TWICE = "FLD110", Error, "two rows go into one field", "choose another field for one of them";
    FLD111_NO_PURPOSE = "FLD111", Error, "a sensitive field is carried without a purpose", "state the purpose, or leave the field out";
    FLD112_FIELD_GONE = "FLD112", Error, "the chosen field is not at the destination", "choose a field that is there, or a new one";
    FLD114_ELSEWHERE = "FLD114", Note, "goes to another place than a field, by choice", "nothing";
    FLD113_LEFT_BY_CHOICE = "FLD113", Note, "not migrated, by choice", "nothing";

    TAG101_SHORTENED = "TAG101", Note, "name too long for a tag", "nothing; the description holds the beginning of the full name";
    TAG102_CASE_CLASH = "TAG102", Note, "names that differ only in case share one tag", "rename one of them before the run to keep them apart";
    TAG103_EXISTS = "TAG103", Note, "tag exists already and is used", "nothing";
    TAG104_SAME_NAME = "TAG104", Note, "several campaigns carry the same name and share one tag", "rename one of them before the run to keep them apart";
    TAG106_LEFT_BY_CHOICE = "TAG106", Note, "name without a tag, by choice", "nothing";
    TAG105_NO_SECOND_LEVEL = "TAG105", Note, "no name for the second tag level", "supply sponsors.csv, or choose lists as second level";

    TEA101_NAME_CLASH = "TEA101", Note, "team name was taken; a suffix settles it", "rename the team after the run, if wanted";
    TEA102_EXISTS = "TEA102", Note, "team of ours exists already and is used", "nothing";
    TEA103_NO_MEMBER = "TEA103", Warning, "team without a member that has a Gorgias user", "provision its members, then run prepare again";
    TEA104_ZONE_IN_DESCRIPTION = "TEA104", Note, "Gorgias teams have no time zone: it stands in the description", "set business hours by hand where they matter";
    TEA106_TEAM_GONE = "TEA106", Error, "the chosen team is not at the destination", "choose a team that is there, or let one be made";
    TEA107_LEFT_BY_CHOICE = "TEA107", Note, "office or group without a team, by choice", "nothing";
    TEA105_LEADERS_IN_DESCRIPTION = "TEA105", Note, "Gorgias teams have no leaders: they stand in the description", "nothing";

    USR101_NO_EMAIL = "USR101", Error, "agent without email", "provision a user, map by hand, or give to the placeholder by name";
    USR102_SHARED_EMAIL = "USR102", Error, "several accounts share one email", "map each by hand, or give to the placeholder by name";
    USR103_NO_USER = "USR103", Error, "no Gorgias user with this email", "provision the user, map by hand, or give to the placeholder by name";
    USR104_USER_INACTIVE = "USR104", Warning, "the Gorgias user is deactivated", "reactivate it, or accept that its tickets cannot be assigned";
    USR105_AMBIGUOUS_NAME = "USR105", Warning, "several accounts carry the name of a lead's owner", "the lead has no assignee; its card shows the name";
    USR106_UNKNOWN_NAME = "USR106", Warning, "no account carries the name of a lead's owner", "the lead has no assignee; its card shows the name";
    USR108_USER_GONE = "USR108", Error, "the chosen user is not at the destination", "choose a user that is there, or the placeholder";
    USR107_PLACEHOLDER = "USR107", Note, "records of this agent carry the service user", "nothing; chosen by name";

    SAM101_OUTSIDE = "SAM101", Note, "the record is not in this sample", "nothing: the run of everything moves it";
    LEA101_CREATED_FROM_CALL = "LEA101", Note, "creation time taken from the first call", "nothing";
    LEA102_CREATED_FROM_LIST = "LEA102", Note, "creation time taken from the list's last call time", "nothing";
    LEA103_CREATED_FROM_UPDATE = "LEA103", Note, "creation time taken from the contact's update time", "nothing";
    LEA104_CREATED_FROM_EXTRACTION = "LEA104", Warning, "no evidence of a creation time: the time of extraction is used", "supply leads.csv with times, if there are any";
    LEA105_NO_CUSTOMER = "LEA105", Error, "lead without a contact", "extract again; the contact was deleted between the list and the contact read";

    CAL101_NO_AGENT = "CAL101", Note, "call without a matched user", "nothing; the service user is the author, the text shows the agent's name";
    CAL102_NO_LEAD = "CAL102", Note, "call without a lead", "nothing; it hangs on the ticket for calls without lead";
    CAL103_NO_CONTACT = "CAL103", Note, "call without a contact", "nothing; it hangs on a placeholder customer of its number";
    CAL104_NO_NUMBER = "CAL104", Warning, "call without contact and number", "it hangs on the ticket of unknown callers";
    CAL105_RECORDING_WITHHELD = "CAL105", Note, "recording link holds a key or signature and is not written", "choose upload or archive to keep the recording";
    CAL106_TIME_IN_FUTURE = "CAL106", Warning, "call time is later than the extraction", "check the source zone";
    CAL107_DURATION_UNKNOWN = "CAL107", Note, "duration cannot be read", "nothing; the text says unknown";
    CAL108_NO_DIRECTION = "CAL108", Note, "direction unknown: carried as internal note", "nothing";
    CAL109_DUPLICATE = "CAL109", Note, "the same call appears twice", "nothing; it is written once";
    CAL110_DST_GAP = "CAL110", Warning, "local time in an hour that did not exist", "moved forward by the gap; check the source zone";
    CAL111_DST_FOLD = "CAL111", Note, "local time in an hour that happened twice", "the earlier one is taken";
    CAL112_RECORDING_GONE = "CAL112", Note, "recording is not at LeadDesk any more", "nothing; its call moves without it";
    CAL113_RECORDING_ADDRESS = "CAL113", Warning, "address of a recording is not followed", "if its host is LeadDesk's own, name it in leaddesk.recording_hosts, then start a new run";
    CAL114_RECORDING_REDIRECTED = "CAL114", Warning, "host of a recording leads to another address", "ask LeadDesk; redirects of recordings are not followed";
    CAL115_RECORDING_TOO_LARGE = "CAL115", Warning, "recording is larger than any that is taken", "export it from LeadDesk by hand";
    CAL116_RECORDING_NOT_SOUND = "CAL116", Warning, "what was downloaded as a recording is no sound", "listen to it in LeadDesk; export it by hand if it is there";
    CAL117_RECORDING_REFUSED = "CAL117", Warning, "host of a recording refuses it", "start a new run; if it stays, ask LeadDesk";
    CAL118_RECORDING_PENDING = "CAL118", Warning, "recording could not be fetched for now", "start a new run, which tries again; or accept by name to go on without";
    CAL119_RECORDING_NO_ADDRESS = "CAL119", Warning, "LeadDesk does not give the address of a recording", "ask LeadDesk whether the account may download recordings";

    TIC101_SUBJECT_CUT = "TIC101", Note, "subject cut to the limit", "nothing";
    TIC102_BODY_CUT = "TIC102", Warning, "text cut to the limit of a message", "the whole text stays in the source snapshot";
    TIC103_MESSAGES_APPENDED = "TIC103", Note, "more messages than one creation carries: the rest is appended", "nothing";
    TIC104_OUTCOME_FROM_LIST = "TIC104", Note, "outcome taken from the list export, since no call shows one", "nothing";
    TIC105_VALUE_CUT = "TIC105", Warning, "field value cut to the limit", "the whole text stands on the lead card or in the call's text";

    CHT101_ANONYMISED = "CHT101", Note, "conversation without identity", "a placeholder customer holds it";
    CHT102_ANONYMISED_SKIPPED = "CHT102", Warning, "conversation without identity is skipped", "choose placeholder customers in the settings to carry it";
    CHT103_NO_MESSAGES = "CHT103", Error, "conversation without messages", "export again with the conversations log";
    CHT104_COUNT_DIFFERS = "CHT104", Warning, "fewer messages than the timing file states", "export again with a wider window";
    CHT105_PHONE_AMBIGUOUS = "CHT105", Note, "several persons carry the visitor's number", "a placeholder customer holds the conversation";
    CHT106_INTENT_IN_TEXT = "CHT106", Note, "intent and feedback of a bot message stand in its text", "nothing";
    CHT107_INTENT_LOST = "CHT107", Note, "intent of a visitor's message is not carried", "it stays in the source snapshot";
    CHT108_DUPLICATE_MESSAGE = "CHT108", Note, "the same message appears twice", "nothing; it is written once";
    CHT109_EMPTY_MESSAGE = "CHT109", Note, "a message without text", "nothing; a mark stands in its place";

    CMP101_MISSING = "CMP101", Error, "record is missing at the destination", "run repair";
    CMP102_UNEXPECTED = "CMP102", Error, "record with our key that was not wished for", "look at the ledger; rollback removes it";
    CMP103_DUPLICATE = "CMP103", Error, "several records carry one key", "run repair; all but the one in the ledger are removed";
    CMP104_VALUE = "CMP104", Error, "value differs", "run repair, or accept by name";
    CMP105_VALUE_MISSING = "CMP105", Error, "value is missing", "run repair, or accept by name";
    CMP106_VALUE_UNEXPECTED = "CMP106", Error, "value that was not wished for", "look for a rule that sets it";
    CMP107_COUNT = "CMP107", Stop, "counts do not add up", "no wave opens until source = excluded + merged + loaded + failed";
    CMP108_EMPTY_CHECK = "CMP108", Stop, "nothing was compared", "an empty check is not a pass: look why";
    CMP109_NOT_CHECKED = "CMP109", Error, "a field was not compared", "look why it could not be read back";

    CNF101_EDITED_AT_DESTINATION = "CNF101", Note, "a person changed the field at Gorgias: kept", "nothing";
    CNF102_BOTH_CHANGED = "CNF102", Error, "both sides changed the field", "settle it, or name a rule for the field";
    CNF103_FOREIGN_KEY = "CNF103", Error, "the record carries a key of another tool", "merge by hand or clear the key, then repair";
    CNF104_DELETED_AT_DESTINATION = "CNF104", Note, "a person deleted the record at Gorgias: not made again", "nothing";
    CNF105_MESSAGE_DELETED = "CNF105", Note, "a person deleted a message at Gorgias: not made again", "nothing";

    CUT101_NOT_LOADED = "CUT101", Stop, "cut-over: the run is not loaded and proven to its end", "run `deskferry run`; nobody can take this upon themselves";
    CUT102_RECONCILIATION = "CUT102", Stop, "cut-over: the last comparison is missing, too old, or not right", "run `deskferry reconcile --again`, and `deskferry repair plan` where it finds damage";
    CUT103_CONFLICTS = "CUT103", Stop, "cut-over: fields that both sides changed are open", "settle each at Gorgias or by [mapping.conflict_rules], then run `deskferry delta`";
    CUT104_FAILED = "CUT104", Stop, "cut-over: records were refused by Gorgias", "mend the cause and run `deskferry retry --failed`, or accept this code by name";
    CUT105_IN_DOUBT = "CUT105", Stop, "cut-over: writes have no answer yet", "run once more what was interrupted; it looks them up";
    CUT106_APPROVAL = "CUT106", Stop, "cut-over: the approval of the mapping is missing or stale, or could not be looked at", "put back what changed, or approve again in a new run; look at `deskferry doctor` where Gorgias does not answer";
    CUT107_AGENTS = "CUT107", Stop, "cut-over: agents who go on working have no user at Gorgias", "invite those in to-provision.csv of the handoff, or accept this code by name";
    CUT108_SWITCHED_OFF = "CUT108", Stop, "cut-over: rules, surveys or webhooks are still switched off by us", "run once more what was interrupted (`deskferry delta`, `repair apply` or `rollback apply`); it switches them on";
    CUT109_CHATS = "CUT109", Stop, "cut-over: the chatbot export ends before today", "export the conversations until today into the folder of files, then run `deskferry delta`; or accept this code by name";
    CUT110_DELTA_LAG = "CUT110", Stop, "cut-over: LeadDesk was read too long ago, or a delta is open", "run `deskferry delta`";
    CUT111_FORECAST = "CUT111", Stop, "cut-over: what the last delta takes cannot be told", "run `deskferry delta` once; what it takes is the measure";
    CUT112_SPOT_CHECKS = "CUT112", Stop, "cut-over: nobody compared records by hand, or some were judged wrong", "run `deskferry spotcheck new`, and settle what is wrong; or accept this code by name";
    CUT113_SNAPSHOTS = "CUT113", Stop, "cut-over: a snapshot is missing or damaged", "restore the file from a copy; without it the run cannot be taken back whole";
    CUT114_TAKEN_BACK = "CUT114", Stop, "cut-over: records of the run were taken back", "run `deskferry rollback undo`, or begin another run; nobody can take this upon themselves";
    CUT201_CHANGED_AFTER_FREEZE = "CUT201", Stop, "LeadDesk changed after the freeze, so the certificate is refused", "close LeadDesk to its agents, then run `deskferry cutover run` again: it brings over what changed and looks anew";
    CUT202_NOT_RIGHT = "CUT202", Stop, "the comparison of the cut-over found damage, so the certificate is refused", "run `deskferry repair plan` and `repair apply`, then `deskferry cutover run` again; or force it by name with a reason";
    DEL101_MUCH_VANISHED = "DEL101", Stop, "more vanished from LeadDesk between two readings than a person would expect", "look whether a list was deleted or archived by mistake; if it is right, accept DEL101 by name and run the delta again";
    DEL102_MUCH_CHANGED = "DEL102", Stop, "more changed at LeadDesk between two readings than a person would expect", "look whether the account and the files are the right ones; if they are, accept DEL102 by name and run the delta again";
}
