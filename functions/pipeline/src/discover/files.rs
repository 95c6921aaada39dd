//! The operator's files: present, readable, how many rows, and what they say of the account's shape.
//!
//! A refused file is an entry with its reason here, so that one look tells everything that is wrong; extraction stops at it.

use std::collections::{BTreeMap, BTreeSet};

use migration::finding;
use migration::leaddesk::{CampaignId, Group, Office, Outcome, SlotSetting};
use snapshot::tables::SourceGroup;

use crate::context::Context;
use crate::documents::inventory::{FileEntry, FindingEntry};
use crate::extract::call_facts::CallFacts;
use crate::extract::call_rows::{self, CallColumns};
use crate::extract::error::ExtractError;
use crate::extract::organisation::ListSettings;
use crate::extract::part::PartRecord;
use crate::extract::seen::Seen;
use crate::extract::{chat, operator_tables};
use crate::operator::fault::FileFault;
use crate::operator::folder::{Folder, OperatorFault, OperatorFile};
use crate::transform::records;

/// What the files say.
#[derive(Debug, Default)]
pub struct Files {
    /// By name.
    pub entries: BTreeMap<String, FileEntry>,
    /// Records by kind.
    pub counts: BTreeMap<String, u64>,
    /// What is worth telling.
    pub findings: Vec<FindingEntry>,
    /// Sponsor by campaign.
    pub sponsors: BTreeMap<String, String>,
    /// Settings by list.
    pub lists: BTreeMap<String, ListSettings>,
    /// Offices with their zones.
    pub offices: Vec<Office>,
    /// Groups of the file and of calls.
    pub groups: Vec<Group>,
    /// Labels and types of slots.
    pub slot_settings: Vec<SlotSetting>,
    /// Outcomes with the number of their calls.
    pub outcomes: Vec<(Outcome, u64)>,
    /// The account's own words for the status of leads, with the number of leads.
    pub lead_statuses: BTreeMap<String, u64>,
    /// Whether there is a call log that can be read.
    pub has_calls: bool,
}

/// Looks at every file of the folder.
///
/// # Errors
/// What the scratch folder says; faults of files are entries, not errors.
pub fn look(ctx: &Context, folder: &Folder) -> Result<Files, ExtractError> {
    let seen = Seen::new(ctx.clock.now(), "operator");
    let mut files = Files::default();
    for (name, sha256) in folder.digests()? {
        files.entries.insert(name, FileEntry { sha256, ..FileEntry::default() });
    }
    let mut facts = CallFacts::default();
    let mut refused = BTreeSet::new();
    for file in OperatorFile::ALL {
        if folder.path(file).is_none() {
            continue;
        }
        let counted = match file {
            OperatorFile::Calls => calls(ctx, folder, &seen, &mut facts),
            OperatorFile::LeadApps => {
                operator_tables::lead_apps(folder).map(|items| (length(items.len()), 0))
            }
            other => rows(folder, other),
        };
        let entry = files.entries.entry(file.name().to_owned()).or_default();
        match counted {
            Ok((rows, broken_rows)) => {
                entry.rows = rows;
                entry.broken_rows = broken_rows;
            }
            Err(fault) => {
                refuse(entry, &fault, &mut files.findings);
                refused.insert(file);
            }
        }
    }
    if folder.unknown_files > 0 {
        files.find(
            "FIL202",
            folder.unknown_files,
            "files in the folder that are not known by name; they are not read",
        );
    }
    chats(ctx, folder, &seen, &mut files)?;
    files.read_shape(ctx, &folder.without(&refused), &facts, &seen)?;
    Ok(files)
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn refuse(entry: &mut FileEntry, fault: &OperatorFault, findings: &mut Vec<FindingEntry>) {
    let code = fault.fault.code();
    entry.refused = Some(code.to_owned());
    entry.reason = Some(fault.fault.to_string());
    let text = format!("{fault}; extract stops at it until it is mended");
    findings.push(FindingEntry { code: code.to_owned(), count: 1, text });
}

/// Rows and broken rows of a table.
fn rows(folder: &Folder, file: OperatorFile) -> Result<(u64, u64), OperatorFault> {
    let fault = |fault: FileFault| OperatorFault { file: file.name().to_owned(), fault };
    let Some(mut table) = folder.table(file)? else { return Ok((0, 0)) };
    let (mut rows, mut broken) = (0, 0);
    while let Some((_, row)) = table.next_row().map_err(fault)? {
        rows += 1;
        broken += u64::from(row.flaw.is_some());
    }
    Ok((rows, broken))
}

/// The call log row by row, with what calls show of other objects.
fn calls(
    ctx: &Context,
    folder: &Folder,
    seen: &Seen,
    facts: &mut CallFacts,
) -> Result<(u64, u64), OperatorFault> {
    let fault = |fault: FileFault| OperatorFault { file: OperatorFile::Calls.name().to_owned(), fault };
    let Some(mut table) = folder.table(OperatorFile::Calls)? else { return Ok((0, 0)) };
    let columns = CallColumns::of(table.header());
    let (mut rows, mut broken) = (0, 0);
    while let Some((header, row)) = table.next_row().map_err(fault)? {
        rows += 1;
        match call_rows::parse(&columns, header, &row, &ctx.mapping, seen) {
            Ok(call) => facts.observe(&call),
            Err(_) => broken += 1,
        }
    }
    Ok((rows, broken))
}

/// Every chatbot export on its own first, so that each refused one is named; then all sound ones together.
fn chats(ctx: &Context, folder: &Folder, seen: &Seen, files: &mut Files) -> Result<(), ExtractError> {
    let names: Vec<String> = folder.archives().map(|(name, _)| name.to_owned()).collect();
    let mut sound = folder.clone();
    for name in &names {
        let mut record = PartRecord::default();
        match chat::read(ctx, &folder.with_archive_only(name), seen, &mut record) {
            Ok(_) => {
                let entry = files.entries.entry(name.clone()).or_default();
                let messages = record.counts.get("chat_message").copied().unwrap_or(0);
                entry.broken_rows = length(record.rejects.len());
                entry.rows = messages + entry.broken_rows;
            }
            Err(ExtractError::Operator(fault)) => {
                sound = sound.without_archive(name);
                refuse(files.entries.entry(name.clone()).or_default(), &fault, &mut files.findings);
            }
            Err(other) => return Err(other),
        }
    }
    let mut record = PartRecord::default();
    if sound.archives().next().is_some() {
        chat::read(ctx, &sound, seen, &mut record)?;
    }
    for kind in ["conversation", "chat_message"] {
        files.counts.insert(kind.to_owned(), record.counts.get(kind).copied().unwrap_or(0));
    }
    for found in record.findings {
        files.findings.push(FindingEntry { code: found.code, count: found.count, text: found.text });
    }
    Ok(())
}

impl Files {
    fn find(&mut self, code: &str, count: u64, text: impl Into<String>) {
        self.findings.push(FindingEntry { code: code.to_owned(), count, text: text.into() });
    }

    fn count(&mut self, kind: &str, count: usize) {
        self.counts.insert(kind.to_owned(), length(count));
    }

    /// What the sound files say of the account's shape.
    fn read_shape(
        &mut self,
        ctx: &Context,
        folder: &Folder,
        facts: &CallFacts,
        seen: &Seen,
    ) -> Result<(), ExtractError> {
        let mut record = PartRecord::default();
        self.sponsors = operator_tables::sponsors(folder, &mut record)?;
        self.lists = operator_tables::lists(folder, &mut record)?;
        let offices = operator_tables::offices(folder, &mut record)?;
        self.offices = offices.into_iter().map(|(name, (time_zone, _))| Office { name, time_zone }).collect();
        let mut groups = operator_tables::groups(folder, &mut record)?;
        facts.add_groups(&mut groups);
        let rows: Vec<SourceGroup> = groups.rows(seen);
        self.groups = records::groups(rows).unwrap_or_default();
        let fields = operator_tables::fields(folder, seen, &mut record)?;
        self.slot_settings = fields.into_iter().filter_map(|row| records::slot_setting(row).ok()).collect();
        let outcomes = facts.outcomes(&operator_tables::outcomes(folder, &mut record)?, seen);
        let blacklist = operator_tables::blacklist(folder, &ctx.mapping, seen, &mut record)?;
        self.has_calls = folder.path(OperatorFile::Calls).is_some();
        self.count("outcome", outcomes.len());
        for row in outcomes {
            let calls = u64::try_from(row.call_count).unwrap_or(0);
            self.outcomes.extend(records::outcome(row).ok().map(|outcome| (outcome, calls)));
        }
        for status in operator_tables::own_statuses(folder, &mut record)?.into_values() {
            *self.lead_statuses.entry(status).or_default() += 1;
        }
        self.count("blacklist_entry", blacklist.len());
        self.count("group", self.groups.len());
        self.count("slot_setting", self.slot_settings.len());
        for (kind, file) in [
            ("call", OperatorFile::Calls),
            ("lead_app", OperatorFile::LeadApps),
            ("dialer", OperatorFile::Dialer),
        ] {
            let rows = self.entries.get(file.name()).map_or(0, |entry| entry.rows);
            self.counts.insert(kind.to_owned(), rows);
        }
        if !self.has_calls {
            self.find(finding::DIS102_NO_CALL_LOG.as_str(), 1, "calls.csv is not there");
        }
        if folder.path(OperatorFile::Results).is_none() {
            self.find(finding::DIS103_NO_OUTCOME_TAXONOMY.as_str(), 1, "results.csv is not there");
        }
        Ok(())
    }

    /// Campaigns of a list, as ids.
    #[must_use]
    pub fn campaigns_of(&self, list_id: &str) -> Vec<CampaignId> {
        let settings = self.lists.get(list_id);
        settings
            .map(|settings| settings.campaign_ids.iter().filter_map(|id| id.parse().ok()).collect())
            .unwrap_or_default()
    }
}
