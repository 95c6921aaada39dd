//! The Original API: everything at one path, chosen by `mod` and `cmd`, checked in one order.
//!
//! Deliberately absent: commands that write. They are known by name only, so that they can be refused and written down.
//! The order of checks and the details after the codes are assumed (facts: error codes visible, list cut off).

use crate::generate::Account;
use crate::leaddesk::answer::{Answer, TEXT};
use crate::leaddesk::commands;
use crate::leaddesk::config::{Config, Features};
use crate::leaddesk::extended;
use crate::leaddesk::parameters::Parameters;

/// Parameters of every command.
const COMMON: [&str; 3] = ["auth", "mod", "cmd"];

/// Why a request is refused. All of these are status 400 with a short code, and a detail after a colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    ArgumentMissing(&'static str),
    ArgumentInvalid(String),
    Authentication,
    InvalidModule(String),
    InvalidCommand(Option<String>),
    NotFound(&'static str),
}

impl Refusal {
    pub(crate) fn invalid(name: &str) -> Self {
        Self::ArgumentInvalid(name.to_owned())
    }

    fn text(&self) -> String {
        match self {
            Self::ArgumentMissing(name) => format!("ERR_ARGUMENT_MISSING:{name}"),
            Self::ArgumentInvalid(name) => format!("ERR_ARGUMENT_INVALID:{name}"),
            Self::Authentication => "ERR_AUTHENTICATION".to_owned(),
            Self::InvalidModule(module) => format!("ERR_INVALID_MODULE:{module}"),
            Self::InvalidCommand(None) => "ERR_INVALID_COMMAND".to_owned(),
            Self::InvalidCommand(Some(command)) => format!("ERR_INVALID_COMMAND:{command}"),
            Self::NotFound(object) => format!("ERR_NOT_FOUND:{object}"),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::new(400, TEXT, refusal.text())
    }
}

/// An internal error as the Original API words it.
pub(crate) fn internal_error(status: u16) -> Answer {
    Answer::new(status, TEXT, "ERR_UNDEFINED")
}

/// What a command needs to answer.
pub(crate) struct Context<'a> {
    pub(crate) account: &'a Account,
    pub(crate) config: &'a Config,
    pub(crate) parameters: &'a Parameters<'a>,
}

impl Context<'_> {
    /// A parameter that is a whole number, if it is there.
    pub(crate) fn number(&self, name: &'static str) -> Result<Option<u32>, Refusal> {
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits).ok_or_else(|| Refusal::invalid(name))
        };
        self.parameters.get(name).map(number).transpose()
    }
}

/// Which parameters must be there.
pub(crate) enum Needs {
    All(&'static [&'static str]),
    /// At least one of them; the first is named when none is there.
    Any(&'static [&'static str]),
}

/// A command that reads.
pub(crate) struct Command {
    module: &'static str,
    name: &'static str,
    /// Both, as the ledger and fault plans write them.
    route: &'static str,
    needs: Needs,
    optional: &'static [&'static str],
    /// Whether it is there.
    present: fn(&Features) -> bool,
    run: fn(&Context<'_>) -> Result<Answer, Refusal>,
}

const fn always(_: &Features) -> bool {
    true
}

static COMMANDS: [Command; 12] = [
    Command {
        module: "calling_list",
        name: "list",
        route: "calling_list/list",
        needs: Needs::All(&[]),
        optional: &[],
        present: always,
        run: commands::list_lists,
    },
    Command {
        module: "calling_list",
        name: "export",
        route: "calling_list/export",
        needs: Needs::All(&["id"]),
        optional: &[],
        present: always,
        run: commands::export_list,
    },
    Command {
        module: "contact",
        name: "find",
        route: "contact/find",
        needs: Needs::Any(&["phone", "fname", "lname", "contact_list_id"]),
        optional: &[],
        present: always,
        run: commands::find_contacts,
    },
    Command {
        module: "contact",
        name: "exists",
        route: "contact/exists",
        needs: Needs::All(&["contact_list_id", "phone"]),
        optional: &["fname", "lname"],
        present: always,
        run: commands::contact_exists,
    },
    Command {
        module: "contact",
        name: "get",
        route: "contact/get",
        needs: Needs::All(&["contact_id"]),
        optional: &[],
        present: always,
        run: commands::get_contact,
    },
    Command {
        module: "call",
        name: "get",
        route: "call/get",
        needs: Needs::Any(&["call_ref_id", "phone"]),
        optional: &[],
        present: always,
        run: commands::get_call,
    },
    Command {
        module: "agent",
        name: "find",
        route: "agent/find",
        needs: Needs::All(&["username"]),
        optional: &[],
        present: always,
        run: commands::find_agent,
    },
    Command {
        module: "widget",
        name: "list",
        route: "widget/list",
        needs: Needs::All(&[]),
        optional: &[],
        present: always,
        run: commands::list_widgets,
    },
    Command {
        module: "result",
        name: "list",
        route: "result/list",
        needs: Needs::All(&[]),
        optional: &[],
        present: |features| features.result_list,
        run: extended::list_results,
    },
    Command {
        module: "campaign",
        name: "list",
        route: "campaign/list",
        needs: Needs::All(&[]),
        optional: &[],
        present: |features| features.campaign_list,
        run: extended::list_campaigns,
    },
    Command {
        module: "blacklist",
        name: "list",
        route: "blacklist/list",
        needs: Needs::All(&[]),
        optional: &["offset", "limit"],
        present: |features| features.blacklist_list,
        run: extended::list_blacklist,
    },
    Command {
        module: "custom_fields",
        name: "list",
        route: "custom_fields/list",
        needs: Needs::All(&[]),
        optional: &[],
        present: |features| features.custom_fields_list,
        run: extended::list_custom_fields,
    },
];

/// Modules that only write; they exist all the same.
const WRITING_MODULES: [&str; 1] = ["messaging"];

/// Words with which the names of changing commands begin, whatever the module.
const WRITING_VERBS: [&str; 13] = [
    "add", "create", "modify", "delete", "remove", "update", "set", "send", "import", "insert", "upload",
    "assign", "activate",
];

/// What a request to the Original API is after.
pub(crate) enum Target {
    Read(&'static Command),
    /// Would change the account; the text is safe to keep.
    Write(String),
    Unknown,
}

impl Target {
    pub(crate) fn of(parameters: &Parameters<'_>, features: &Features) -> Self {
        let (module, name) =
            (parameters.get("mod").unwrap_or_default(), parameters.get("cmd").unwrap_or_default());
        let wanted = |command: &&Command| command.module == module && command.name == name;
        if let Some(command) = present(features).find(wanted) {
            return Self::Read(command);
        }
        if writes(name) { Self::Write(format!("{}/{}", plain(module), plain(name))) } else { Self::Unknown }
    }

    pub(crate) fn route(&self) -> &'static str {
        match self {
            Self::Read(command) => command.route,
            Self::Write(_) => "write",
            Self::Unknown => "unknown",
        }
    }
}

fn present(features: &Features) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(|command| (command.present)(features))
}

fn writes(command: &str) -> bool {
    WRITING_VERBS.iter().any(|verb| command.starts_with(verb))
}

/// A word a visitor sent, cut down to what a name can be, so that nothing else is kept of it.
fn plain(word: &str) -> String {
    word.chars().filter(|letter| letter.is_ascii_lowercase() || *letter == '_').take(40).collect()
}

/// Answers a request after all checks, in their order: key, module, command, parameters, object.
pub(crate) fn answer(target: &Target, context: &Context<'_>, stray_body: bool) -> Result<Answer, Refusal> {
    let parameters = context.parameters;
    let auth = parameters.get("auth").ok_or(Refusal::ArgumentMissing("auth"))?;
    if auth != context.config.auth {
        return Err(Refusal::Authentication);
    }
    let module = parameters.get("mod").ok_or(Refusal::ArgumentMissing("mod"))?;
    let known = present(&context.config.features).map(|command| command.module).chain(WRITING_MODULES);
    if !known.into_iter().any(|known| known == module) && !matches!(target, Target::Write(_)) {
        return Err(Refusal::InvalidModule(module.to_owned()));
    }
    let name = parameters.get("cmd").ok_or(Refusal::ArgumentMissing("cmd"))?;
    let command = match target {
        Target::Read(command) => *command,
        Target::Write(_) => return Err(Refusal::InvalidCommand(None)),
        Target::Unknown => return Err(Refusal::InvalidCommand(Some(name.to_owned()))),
    };
    let (named, missing) = match command.needs {
        Needs::All(names) => (names, names.iter().find(|name| parameters.get(name).is_none())),
        Needs::Any(names) => {
            let none = names.iter().all(|name| parameters.get(name).is_none());
            (names, names.first().filter(|_| none))
        }
    };
    if let Some(missing) = missing {
        return Err(Refusal::ArgumentMissing(missing));
    }
    if stray_body {
        return Err(Refusal::invalid("body"));
    }
    let allowed: Vec<&str> = COMMON.iter().chain(named).chain(command.optional).copied().collect();
    if let Some(wrong) = parameters.first_wrong(&allowed) {
        return Err(Refusal::invalid(wrong));
    }
    (command.run)(context)
}
