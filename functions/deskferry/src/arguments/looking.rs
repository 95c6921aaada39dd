//! Arguments of the commands that look things up, and those that compare records by hand.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use pipeline::trace::OBJECTS;

/// Whether values of persons are shown.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Shown {
    /// Show names, addresses, numbers and texts as they are
    #[arg(long)]
    pub(crate) show_personal_data: bool,
}

/// Arguments of `where`.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// Id at LeadDesk: of a contact, call, agent, campaign, group or conversation, LIST:CONTACT of a lead, name of an office
    #[arg(value_name = "LEADDESK_ID")]
    pub(crate) id: String,
    /// Kind of the record, where several have the id
    #[arg(long, value_name = "KIND", value_parser = OBJECTS)]
    pub(crate) object: Option<String>,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// Kinds of records at Gorgias that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Ticket,
    Customer,
    Message,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Customer => "customer",
            Self::Message => "message",
        }
    }
}

/// Arguments of `why`.
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// Id of the ticket or customer at Gorgias, or the key that the migration gave it
    #[arg(value_name = "TICKET")]
    pub(crate) record: String,
    /// Field: subject, status, tag, email, phone and so on, or the label of a custom field
    pub(crate) field: String,
    /// Kind of the record, where a ticket and a customer have the id
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<Kind>,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// Arguments of `spotcheck`.
#[derive(Debug, Args)]
pub(crate) struct SpotCheck {
    #[command(subcommand)]
    pub(crate) deed: SpotCheckDeed,
}

/// What is done with a spot check.
#[derive(Debug, Subcommand)]
pub(crate) enum SpotCheckDeed {
    /// Draw records, and write the page that shows both sides into the store
    New(SpotCheckNew),
    /// Keep what people said: the file that the page downloads
    Record(SpotCheckRecord),
    /// Tell what was said, and what it says of the other records
    Show(SpotCheckShow),
}

/// Arguments of `spotcheck show`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct SpotCheckShow {
    /// Ask both systems for the records of the newest sample, and show what is another than the snapshots say
    #[arg(long)]
    pub(crate) now: bool,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// Arguments of `spotcheck new`.
#[derive(Debug, Args)]
pub(crate) struct SpotCheckNew {
    /// Where chance comes from; one seed draws the same records [default: the number of the spot check]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Records to draw
    #[arg(long, value_name = "COUNT", default_value_t = 25, value_parser = clap::value_parser!(u8).range(20..=30))]
    pub(crate) records: u8,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// Arguments of `spotcheck record`.
#[derive(Debug, Args)]
pub(crate) struct SpotCheckRecord {
    /// The file, such as spotcheck.json
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Who compared [default: the name in the file]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}
