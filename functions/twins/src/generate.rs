//! Generates a LeadDesk account of any size from a seed: people, calls, conversations, and everything that usually goes
//! wrong with them.
//!
//! Deliberately absent: real people and real numbers of them, chance that is not seeded, and a clock. Equal shapes give
//! equal accounts, byte by byte, on every machine. Names come from made-up syllables and addresses from reserved domains.

mod account;
mod archive;
mod build;
mod call;
mod chance;
mod change;
mod chatbot;
mod contact;
mod files;
mod index;
mod leads;
mod organisation;
mod person;
mod phone;
mod planted;
mod shape;
mod stamp;
mod trouble;
mod words;

pub use account::Account;
pub use archive::ChatbotExport;
pub use call::{CALL_FIELDS, Call, Recording};
pub use change::{Change, ChangeError};
pub use chatbot::{ChatMessage, Conversation, Sender};
pub use contact::{Contact, ContactText};
pub use files::{FileError, FileOptions};
pub use leads::{ExportRow, LastCall};
pub use organisation::{
    AgentGroup, BlacklistEntry, CallingList, Campaign, Dialer, FieldDefinition, FieldKind, Office, Outcome,
    Role, User,
};
pub use planted::{Place, Planted, PlantedKind};
pub use shape::{Shape, ShapeError};
pub use stamp::{NotAStamp, Stamp};
