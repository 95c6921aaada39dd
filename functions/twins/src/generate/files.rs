//! The files that an operator of the account hands over, because no API shows what is in them.
//!
//! Deliberately absent: anything that the operator would have to think up. What the chosen chatbot window was, for
//! example, is a statement of the operator and not a file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::generate::account::Account;
use crate::generate::archive::{self, ChatbotExport};
use crate::generate::call::CALL_FIELDS;
use crate::generate::stamp::Stamp;

/// Which files an operator hands over besides the usual ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileOptions {
    /// Also `leads.csv`, for accounts that keep statuses of their own.
    pub leads: bool,
    /// The state of the chatbot archives.
    pub chatbot: ChatbotExport,
}

/// A file of an operator that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {file}")]
pub struct FileError {
    file: &'static str,
    source: io::Error,
}

/// Writes one table of an account.
type Table = fn(&Account, &mut Rows<'_>) -> csv::Result<()>;

type Rows<'a> = csv::Writer<Box<dyn Write + 'a>>;

impl Account {
    /// Writes the usual files: call log, outcomes, blacklist, labels, offices, groups, sponsors, dialer settings, lists,
    /// LeadApps and two chatbot archives that overlap. The folder is made if need be, files of these names are replaced.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_files(&self, folder: &Path) -> Result<(), FileError> {
        self.write_files_with(folder, FileOptions::default())
    }

    /// The same with a choice of files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_files_with(&self, folder: &Path, options: FileOptions) -> Result<(), FileError> {
        fs::create_dir_all(folder).map_err(|source| FileError { file: "the folder", source })?;
        let tables: [(&'static str, Table); 9] = [
            ("calls.csv", Self::write_calls),
            ("results.csv", Self::write_outcomes),
            ("blacklist.csv", Self::write_blacklist),
            ("fields.csv", Self::write_fields),
            ("offices.csv", Self::write_offices),
            ("groups.csv", Self::write_groups),
            ("sponsors.csv", Self::write_sponsors),
            ("dialer.csv", Self::write_dialer),
            ("lists.csv", Self::write_lists),
        ];
        for (file, write) in tables {
            self.write_table(folder, file, write)?;
        }
        if options.leads {
            self.write_table(folder, "leads.csv", Self::write_leads)?;
        }
        let mut apps = serde_json::to_vec_pretty(&lead_apps())
            .map_err(|error| FileError { file: "leadapps.json", source: error.into() })?;
        apps.push(b'\n');
        fs::write(folder.join("leadapps.json"), apps)
            .map_err(|source| FileError { file: "leadapps.json", source })?;
        for (file, bytes) in archive::archives(self, options.chatbot) {
            let written = bytes.and_then(|bytes| fs::write(folder.join(file), bytes));
            written.map_err(|source| FileError { file, source })?;
        }
        Ok(())
    }

    fn write_table(&self, folder: &Path, file: &'static str, write: Table) -> Result<(), FileError> {
        let written = File::create(folder.join(file)).and_then(|created| {
            let mut rows = rows(Box::new(BufWriter::new(created)), b';');
            write(self, &mut rows).map_err(io::Error::from)?;
            rows.flush()
        });
        written.map_err(|source| FileError { file, source })
    }

    fn write_calls(&self, rows: &mut Rows<'_>) -> csv::Result<()> {
        rows.write_record(CALL_FIELDS)?;
        self.calls().try_for_each(|call| {
            for cell in call.cells() {
                rows.write_field(cell.as_bytes())?;
            }
            let orders: Vec<String> = call.order_ids.iter().map(u32::to_string).collect();
            rows.write_field(orders.join(","))?;
            rows.write_record(None::<&[u8]>)
        })
    }

    fn write_outcomes(&self, rows: &mut Rows<'_>) -> csv::Result<()> {
        rows.write_record(["id", "name", "scope", "campaign_id", "finalises"])?;
        self.outcomes().try_for_each(|(outcome, campaign)| {
            let id = outcome.id.to_string();
            let scope = if campaign.is_some() { "campaign" } else { "global" };
            let campaign_id = campaign.map(|campaign| campaign.id.to_string()).unwrap_or_default();
            let finalises = if outcome.finalises { "yes" } else { "no" };
            rows.write_record([&id, &outcome.name, scope, &campaign_id, finalises])
        })
    }

    fn write_blacklist(&self, rows: &mut Rows<'_>) -> csv::Result<()> {
        rows.write_record(["number", "sponsor"])?;
        self.blacklist().iter().try_for_each(|entry| {
            rows.write_record([entry.number.as_str(), entry.sponsor.as_deref().unwrap_or_default()])
        })
    }

    fn write_fields(&self, rows: &mut Rows<'_>) -> csv::Result<()> {
        rows.write_record(["campaign_id", "slot", "label", "type", "values"])?;
        self.fields().try_for_each(|(campaign, field)| {
            let (id, slot) = (campaign.id.to_string(), format!("other{}", field.slot));
            rows.write_record([&id, &slot, field.label, field.kind.text(), &field.values.join("|")])
        })
    }

    fn write_offices(&self, rows: &mut Rows<'_>) -> csv::Result<()> {
        rows.write_record(["name", "time_zone"])?;
        self.offices().try_for_each(|office| {
            rows.write_record([office.name.as_str(), office.time_zone.unwrap_or_default()])
        })
    }

    fn write_groups(&self, rows: &mut Rows<'_>) -> csv::Result<()> {
        rows.write_record(["group_id", "group_name", "username"])?;
        self.groups().try_for_each(|group| {
            let mut members = self.users().filter(|user| user.group_id == Some(group.id));
            let id = group.id.to_string();
            members.try_for_each(|user| rows.write_record([&id, &group.name, &user.username]))
        })
    }

    fn write_sponsors(&self, rows: &mut Rows<'_>) -> csv::Result<()> {
        rows.write_record(["campaign_id", "sponsor"])?;
        self.campaigns().try_for_each(|campaign| match &campaign.sponsor {
            Some(sponsor) => rows.write_record([&campaign.id.to_string(), sponsor]),
            None => Ok(()),
        })
    }

    fn write_dialer(&self, rows: &mut Rows<'_>) -> csv::Result<()> {
        rows.write_record(["campaign_id", "modes", "waiting_period", "wrap_up", "notes"])?;
        self.campaigns().try_for_each(|campaign| {
            let dialer = &campaign.dialer;
            rows.write_record([
                campaign.id.to_string(),
                dialer.modes.join("|"),
                format!("{} min", dialer.waiting_minutes),
                format!("{} s", dialer.wrap_up_seconds),
                dialer.notes.clone(),
            ])
        })
    }

    fn write_lists(&self, rows: &mut Rows<'_>) -> csv::Result<()> {
        rows.write_record(["list_id", "campaign_ids", "rounds", "expiry", "office"])?;
        self.lists().try_for_each(|list| {
            let campaigns: Vec<String> =
                self.campaigns_of(list).map(|campaign| campaign.id.to_string()).collect();
            rows.write_record([
                list.id.to_string(),
                campaigns.join(","),
                list.rounds.to_string(),
                list.expiry.map(date).unwrap_or_default(),
                list.office.clone().unwrap_or_default(),
            ])
        })
    }

    /// Statuses as an account may keep them in a sheet of its own; LeadDesk has none (facts: no lead object).
    fn write_leads(&self, rows: &mut Rows<'_>) -> csv::Result<()> {
        rows.write_record(["list_id", "contact_id", "status", "owner_username"])?;
        for list in self.lists() {
            let mut previous = None;
            for row in self.export(list) {
                if previous.replace(row.contact_id) == Some(row.contact_id) {
                    continue;
                }
                let calls = self.calls_of_contact(row.contact_id);
                let last = calls.last().and_then(|id| self.call(*id));
                let status = match (&last, row.finalised) {
                    (None, false) => "New",
                    (None, true) => "Disqualified",
                    (Some(_), false) => "Contacted",
                    (Some(call), true) if call.outcome_name == "Deal" => "Qualified",
                    (Some(_), true) => "Disqualified",
                };
                let owner = last.map(|call| call.agent_username).unwrap_or_default();
                rows.write_record([&list.id.to_string(), &row.contact_id.to_string(), status, &owner])?;
            }
        }
        Ok(())
    }
}

/// The date of a stamp alone.
fn date(stamp: Stamp) -> String {
    stamp.to_string()[..10].to_owned()
}

/// A writer of quoted values with CRLF line ends.
pub(crate) fn rows(sink: Box<dyn Write + '_>, separator: u8) -> Rows<'_> {
    csv::WriterBuilder::new().delimiter(separator).terminator(csv::Terminator::CRLF).from_writer(sink)
}

/// Configurations of the three kinds that LeadApps have (facts: page, page block, app function).
fn lead_apps() -> serde_json::Value {
    serde_json::json!([
        {
            "name": "Sales Wallboard", "type": "page", "location": "dashboard",
            "url": "https://wallboard.example/leaddesk?team=all", "height": 640, "sandbox": "allow-scripts"
        },
        {
            "name": "Script Editor", "type": "page-block", "location": "campaign-editor",
            "url": "https://scripts.example/editor", "height": 320, "sandbox": ""
        },
        {
            "name": "Dead contact removal", "type": "app-function", "location": "admin.contact-lists.toolbar",
            "url": "https://tools.example/dead-contacts", "width": 480, "height": 300, "icon": "trash",
            "configuration": { "days": 90, "lists": [2001, 2002], "notify": ["ops@desk.example"] }
        }
    ])
}
