//! Codes of what writes to Gorgias and proves it: from the plan to the rollback.

use super::StepCode;

/// In order.
pub(super) static WRITING: &[StepCode] = &[
    (
        "CUT001",
        "the cut-over is refused: something is in the way, or the freeze lies in the future",
        "deskferry cutover status; settle each point, or force it by name with a reason",
    ),
    (
        "DEL001",
        "the run is not loaded to its end, so nothing can be brought up to date",
        "deskferry run, then deskferry delta",
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
];
