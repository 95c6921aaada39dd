//! Every question that can be put to LeadDesk. The list is the whitelist: what is not a variant cannot be asked.
//!
//! Deliberately absent: everything that changes LeadDesk (`contact/add`, `modify`, `delete`, agents, callbacks,
//! messages), and the DELETE that shares its path with the personal-data read.

use std::borrow::Cow;

use pipeline::ports::leaddesk::REST_PAGE_ITEMS;

use super::answer::Expected;

/// A reading command of the Original API (facts: commands that are visible, R rows).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Lists,
    ListExport { list_id: String },
    Contact { contact_id: String },
    Call { call_id: String },
}

impl Command {
    pub(super) fn module_and_name(&self) -> (&'static str, &'static str) {
        match self {
            Self::Lists => ("calling_list", "list"),
            Self::ListExport { .. } => ("calling_list", "export"),
            Self::Contact { .. } => ("contact", "get"),
            Self::Call { .. } => ("call", "get"),
        }
    }

    /// Besides `auth`, `mod` and `cmd`.
    pub(super) fn parameters(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Lists => vec![],
            Self::ListExport { list_id } => vec![("id", list_id)],
            Self::Contact { contact_id } => vec![("contact_id", contact_id)],
            Self::Call { call_id } => vec![("call_ref_id", call_id)],
        }
    }
}

/// A readable resource of the REST API (facts: REST resources that are visible).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    Users { page: u32 },
    Campaigns { page: u32 },
    PhoneHistory { phone: String },
    Recording { file_name: String },
}

impl Resource {
    pub(super) fn segments(&self) -> Vec<&str> {
        match self {
            Self::Users { .. } => vec!["users"],
            Self::Campaigns { .. } => vec!["campaigns"],
            Self::PhoneHistory { .. } => vec!["gdpr", "contact"],
            Self::Recording { file_name } => vec!["audio", "files", file_name],
        }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        match self {
            Self::Users { page } | Self::Campaigns { page } => {
                vec![("page", page.to_string().into()), ("per_page", REST_PAGE_ITEMS.to_string().into())]
            }
            Self::PhoneHistory { phone } => vec![("phone", phone.as_str().into())],
            Self::Recording { .. } => vec![],
        }
    }
}

/// Any question; all of them are sent by GET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    Original(Command),
    Rest(Resource),
}

impl Question {
    /// Name for errors, counts and the log; holds no parameter.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Original(Command::Lists) => "calling_list/list",
            Self::Original(Command::ListExport { .. }) => "calling_list/export",
            Self::Original(Command::Contact { .. }) => "contact/get",
            Self::Original(Command::Call { .. }) => "call/get",
            Self::Rest(Resource::Users { .. }) => "GET /users",
            Self::Rest(Resource::Campaigns { .. }) => "GET /campaigns",
            Self::Rest(Resource::PhoneHistory { .. }) => "GET /gdpr/contact",
            Self::Rest(Resource::Recording { .. }) => "GET /audio/files/{name}",
        }
    }

    pub(super) fn expected(&self) -> Expected {
        match self {
            Self::Original(Command::ListExport { .. }) => Expected::Csv,
            Self::Rest(Resource::Recording { .. }) => Expected::Location,
            _ => Expected::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reading commands of the facts page. A command beyond these must not become constructible.
    const READING: [(&str, &str); 8] = [
        ("calling_list", "list"),
        ("calling_list", "export"),
        ("contact", "find"),
        ("contact", "exists"),
        ("contact", "get"),
        ("call", "get"),
        ("agent", "find"),
        ("widget", "list"),
    ];

    #[test]
    fn every_command_reads() {
        let id = || "1".to_owned();
        let commands = [
            Command::Lists,
            Command::ListExport { list_id: id() },
            Command::Contact { contact_id: id() },
            Command::Call { call_id: id() },
        ];
        for command in commands {
            let pair = command.module_and_name();
            assert!(READING.contains(&pair), "{pair:?}");
            assert_eq!(Question::Original(command).name(), format!("{}/{}", pair.0, pair.1));
        }
    }
}
