//! Looks whether a migration could begin: access, tier, plan, rate limit, files, places, clock. Writes nothing anywhere.
//!
//! Every check runs although another one failed, so that one look tells everything that is wrong. Few requests: at most
//! one page or record of each kind. Deliberately absent: what only this machine knows, such as room on its disk.

use migration::contact_point::normalize_phone;
use migration::finding::{Code, Severity};
use migration::gorgias::FieldObject;

use crate::context::Context;
use crate::discover::files;
use crate::documents::inventory::FindingEntry;
use crate::extract::export_rows::{self, ExportOf, OwnStatuses};
use crate::extract::seen::Seen;
use crate::operator::folder::Folder;
use crate::ports::gorgias::{PAGE_RECORDS_MAX, ReadError};
use crate::ports::leaddesk::SourceError;
use crate::residency;

/// Seconds that two clocks may differ; times of messages and waits are compared with far longer ones.
const CLOCK_SECONDS_MAX: i64 = 30;
/// The role that may do everything a migration does (facts: users).
const ROLE_NEEDED: &str = "admin";

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it has to be.
    Good,
    /// A person should know.
    Warning,
    /// A migration would stop here.
    Bad,
    /// It could not be looked at, because of another check.
    NotSeen,
}

impl State {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::NotSeen => "not seen",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it went.
    pub state: State,
    /// What was seen.
    pub text: String,
    /// Stable code, where something is wrong.
    pub code: Option<String>,
    /// What to do, where something is wrong.
    pub advice: Option<String>,
    /// Credentials, permission or tier.
    pub is_access: bool,
}

impl Check {
    /// All is well.
    #[must_use]
    pub fn good(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, state: State::Good, text: text.into(), code: None, advice: None, is_access: false }
    }

    /// Something is not.
    #[must_use]
    pub fn not_good(
        name: &'static str,
        state: State,
        code: &str,
        text: impl Into<String>,
        advice: &str,
    ) -> Self {
        let (code, advice) = (Some(code.to_owned()), Some(advice.to_owned()));
        Self { name, state, text: text.into(), code, advice, is_access: false }
    }

    fn not_seen(name: &'static str, why: &str) -> Self {
        Self { name, state: State::NotSeen, text: why.to_owned(), code: None, advice: None, is_access: false }
    }

    fn of_source(name: &'static str, state: State, error: &SourceError) -> Self {
        let (code, advice, is_access) = match error {
            SourceError::Credentials { .. } => {
                ("SRC101", "check leaddesk.auth, client_id and client_secret in migration.toml", true)
            }
            SourceError::NotAllowed { .. } => (
                "SRC102",
                "ask LeadDesk for API access, which the higher tiers include, or supply the file that replaces it",
                true,
            ),
            _ => ("EXT107", "try again later; if it stays, the network or the service is down", false),
        };
        Self { is_access, ..Self::not_good(name, state, code, error.to_string(), advice) }
    }

    fn of_destination(name: &'static str, error: &ReadError) -> Self {
        let (code, advice, is_access) = match error {
            ReadError::Credentials { .. } => {
                ("DST101", "check gorgias.email and gorgias.api_key; the user needs the role admin", true)
            }
            _ => ("DST102", "try again later; if it stays, the network or the service is down", false),
        };
        Self { is_access, ..Self::not_good(name, State::Bad, code, error.to_string(), advice) }
    }

    fn of_finding(name: &'static str, found: &FindingEntry) -> Self {
        let known = Code::from_text(&found.code).map(Code::entry);
        let state = match known.map(|known| known.severity) {
            Some(Severity::Note) => State::Good,
            Some(Severity::Warning) => State::Warning,
            // A file that cannot be used has a code of its own kind.
            Some(Severity::Error | Severity::Stop) | None => State::Bad,
        };
        let explain = format!("deskferry explain {}", found.code);
        Self::not_good(
            name,
            state,
            &found.code,
            found.text.clone(),
            known.map_or(explain.as_str(), |known| known.advice),
        )
    }
}

/// Looks at everything.
pub async fn run(ctx: &Context) -> Vec<Check> {
    let mut checks = Vec::new();
    source(ctx, &mut checks).await;
    operator_files(ctx, &mut checks).await;
    destination(ctx, &mut checks).await;
    checks.push(places(ctx).await);
    checks.push(clock(ctx));
    checks
}

/// Both interfaces of LeadDesk, and the commands that only some tiers may use.
async fn source(ctx: &Context, checks: &mut Vec<Check>) {
    let rest = |name, read: Result<crate::ports::leaddesk::RestPage, SourceError>| match read {
        Ok(page) => Check::good(name, format!("{} announced", page.announced)),
        Err(error) => Check::of_source(name, State::Bad, &error),
    };
    checks.push(rest("LeadDesk users", ctx.source.users(1).await));
    checks.push(rest("LeadDesk campaigns", ctx.source.campaigns(1).await));
    let lists = match ctx.source.lists().await {
        Ok(lists) => lists,
        Err(error) => {
            checks.push(Check::of_source("LeadDesk lists", State::Bad, &error));
            checks.push(Check::not_seen("LeadDesk contacts", "no list could be read"));
            return;
        }
    };
    checks.push(Check::good("LeadDesk lists", format!("{} lists", lists.len())));
    let Some(first) = lists.first() else {
        checks.push(Check::not_seen("LeadDesk contacts", "there is no list"));
        return;
    };
    let export = match ctx.source.list_export(&first.id).await {
        Ok(export) => export,
        Err(error) => {
            checks.push(Check::of_source("LeadDesk list export", State::Bad, &error));
            return;
        }
    };
    let statuses = OwnStatuses::new();
    let of = ExportOf { list_id: &first.id, list_name: &first.name, statuses: &statuses };
    let leads = match export_rows::parse(of, &export, &ctx.mapping, &Seen::new(ctx.clock.now(), "doctor")) {
        Ok(leads) => leads,
        Err(fault) => {
            let advice = "LeadDesk's export has another form than any seen: report its number of columns";
            checks.push(Check::not_good(
                "LeadDesk list export",
                State::Bad,
                fault.code(),
                fault.to_string(),
                advice,
            ));
            return;
        }
    };
    checks.push(Check::good("LeadDesk list export", format!("{} rows in list {}", leads.rows, first.id)));
    let Some(lead) = leads.leads.first() else {
        checks.push(Check::not_seen("LeadDesk contacts", "the first list is empty"));
        return;
    };
    checks.push(match ctx.source.contact(&lead.leaddesk_contact_id).await {
        Ok(_) => Check::good("LeadDesk contacts", "one was read whole"),
        Err(error) => Check::of_source("LeadDesk contacts", State::Bad, &error),
    });
    let numbers = leads.leads.iter().filter_map(|lead| lead.phones_joined.as_deref());
    let number =
        numbers.flat_map(|joined| joined.split('|')).find_map(|raw| normalize_phone(raw, ctx.mapping.region));
    checks.push(match number {
        None => Check::not_seen("LeadDesk calls of a number", "the first list holds no number"),
        Some(number) => match ctx.source.phone_history(number.as_str()).await {
            Ok(_) => Check::good("LeadDesk calls of a number", "can be read"),
            // The call log replaces it, and says more.
            Err(error) => Check::of_source("LeadDesk calls of a number", State::Warning, &error),
        },
    });
}

/// What the operator's folder holds, and the window of the chatbot exports.
async fn operator_files(ctx: &Context, checks: &mut Vec<Check>) {
    const NAME: &str = "Operator's files";
    let looked = {
        let ctx = ctx.clone();
        tokio::task::spawn_blocking(move || files::look(&ctx, &Folder::scan(&ctx.files)?)).await
    };
    let files = match looked {
        Ok(Ok(files)) => files,
        Ok(Err(error)) => {
            let advice = "name the folder under leaddesk.files, and export into it";
            checks.push(Check::not_good(NAME, State::Bad, error.code(), error.to_string(), advice));
            return;
        }
        Err(_) => {
            checks.push(Check::not_seen(NAME, "reading them ended unexpectedly"));
            return;
        }
    };
    let rows: u64 = files.entries.values().map(|entry| entry.rows).sum();
    let refused = files.entries.values().filter(|entry| entry.refused.is_some()).count();
    checks.push(Check::good(
        NAME,
        format!("{} files with {rows} rows, {refused} cannot be used", files.entries.len()),
    ));
    let is_window = |found: &&FindingEntry| found.code.starts_with("DIS3");
    let window = files.findings.iter().filter(is_window);
    checks.extend(
        files.findings.iter().filter(|found| !is_window(found)).map(|found| Check::of_finding(NAME, found)),
    );
    let before = checks.len();
    checks.extend(window.map(|found| Check::of_finding("Chatbot export", found)));
    if checks.len() == before {
        let conversations = files.counts.get("conversation").copied().unwrap_or(0);
        checks.push(if conversations == 0 {
            Check::not_seen("Chatbot export", "there is none in the folder")
        } else {
            Check::good("Chatbot export", format!("{conversations} conversations, the window is whole"))
        });
    }
}

/// The account, its user, its plan and limit, and everything that acts by itself.
async fn destination(ctx: &Context, checks: &mut Vec<Check>) {
    let gorgias = &ctx.destination;
    match gorgias.account().await {
        Err(error) => {
            checks.push(Check::of_destination("Gorgias account", &error));
            for name in ["Gorgias user", "Gorgias rate limit", "Gorgias tickets"] {
                checks.push(Check::not_seen(name, "the account cannot be read"));
            }
            return;
        }
        Ok(account) => {
            let status = account.status.as_deref().unwrap_or("of unknown status");
            let plan = account.plan.as_deref().unwrap_or("not told");
            let text = format!("{} is {status}, plan {plan}", account.domain);
            checks.push(if status == "active" {
                Check::good("Gorgias account", text)
            } else {
                Check::not_good(
                    "Gorgias account",
                    State::Bad,
                    "DIS213",
                    text,
                    "activate the account before the run",
                )
            });
        }
    }
    checks.push(match gorgias.service_user().await {
        Err(error) => Check::of_destination("Gorgias user", &error),
        Ok(user) if user.role == ROLE_NEEDED => {
            Check::good("Gorgias user", format!("the key's user is {ROLE_NEEDED}"))
        }
        Ok(user) => {
            let text = format!("the key's user has the role {}", user.role);
            let advice =
                "make the key as a user with the role admin: rules and settings are refused otherwise";
            Check { is_access: true, ..Check::not_good("Gorgias user", State::Bad, "DST101", text, advice) }
        }
    });
    checks.push(match gorgias.tickets(None).await {
        Err(error) => Check::of_destination("Gorgias tickets", &error),
        Ok(page) if page.next.is_some() => {
            Check::good("Gorgias tickets", format!("{PAGE_RECORDS_MAX} and more are there"))
        }
        Ok(page) => Check::good("Gorgias tickets", format!("{} are there", page.records.len())),
    });
    acting(ctx, checks).await;
    checks.push(rate_limit(ctx));
}

/// What happens at Gorgias by itself, and the room for fields.
async fn acting(ctx: &Context, checks: &mut Vec<Check>) {
    match crate::discover::destination::look(ctx).await {
        Err(error) => {
            let advice = "try again later; if it stays, the network or the service is down";
            checks.push(Check::not_good(
                "Gorgias settings",
                State::Bad,
                error.code(),
                error.to_string(),
                advice,
            ));
        }
        Ok(seen) => {
            // What prepare pauses by itself is worth a word, and no reason not to begin.
            let softened = |found: &FindingEntry| {
                let check = Check::of_finding("Gorgias acts by itself", found);
                Check { state: State::Warning, ..check }
            };
            checks.extend(seen.findings.iter().map(softened));
            for (object, word) in [(FieldObject::Ticket, "ticket"), (FieldObject::Customer, "customer")] {
                let active =
                    seen.fields.iter().filter(|field| field.object == object && field.is_active).count();
                let text = format!(
                    "{active} of {} {word} fields are active",
                    migration::gorgias::FIELDS_PER_OBJECT_MAX
                );
                checks.push(Check::good("Gorgias fields", text));
            }
        }
    }
}

fn rate_limit(ctx: &Context) -> Check {
    let bucket = crate::plan::bucket(ctx);
    let told = ctx.destination.usage().bucket.is_some();
    if told {
        Check::good("Gorgias rate limit", bucket.in_words())
    } else {
        let text = "the answers do not tell it; the one of migration.toml is taken";
        Check::not_good(
            "Gorgias rate limit",
            State::Warning,
            "DIS212",
            text,
            "compare gorgias.bucket with the plan",
        )
    }
}

async fn places(ctx: &Context) -> Check {
    const NAME: &str = "Where data lies";
    let stated = &ctx.limits.stated.places;
    match residency::check(ctx, None).await {
        Ok(()) => {
            Check::good(NAME, format!("store in {}, Gorgias account in {}", stated.store, stated.destination))
        }
        Err(error) => {
            let advice = "state both places under [residency], or record who answers for it: deskferry acknowledge --by NAME --scope TEXT";
            Check::not_good(NAME, State::Bad, error.code(), error.to_string(), advice)
        }
    }
}

fn clock(ctx: &Context) -> Check {
    const NAME: &str = "Clock";
    match ctx.destination.usage().clock_ahead_seconds {
        None => Check::not_seen(NAME, "Gorgias told no time"),
        Some(ahead) if ahead.abs() <= CLOCK_SECONDS_MAX => {
            Check::good(NAME, format!("{} s apart from Gorgias'", ahead.abs()))
        }
        Some(ahead) => {
            let which = if ahead > 0 { "behind" } else { "ahead of" };
            let text = format!("this machine's clock is {} s {which} Gorgias'", ahead.abs());
            Check::not_good(
                NAME,
                State::Warning,
                "DOT101",
                text,
                "set it by a time server; waits and log lines are read by it",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::test_world::{FakeLeadDesk, Fault, World};

    fn told(checks: &[Check]) -> String {
        let line = |check: &Check| {
            let code = check.code.as_deref().unwrap_or("-");
            format!("{:<8} {code:<6} {}: {}", check.state.as_str(), check.name, check.text)
        };
        checks.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn account() -> FakeLeadDesk {
        FakeLeadDesk {
            users: vec![r#"{"id":7,"name":"A","username":"a","office":"North","role":"Agent"}"#.into()],
            lists: vec![("41".into(), "List A".into())],
            exports: [("41".to_owned(), "1;+358401234567;;;;;;;;;;;;\r\n".to_owned())].into(),
            contacts: [(1, r#"{"success":true,"contact_id":1,"data":{"id":1}}"#.to_owned())].into(),
            ..FakeLeadDesk::default()
        }
    }

    #[tokio::test]
    async fn one_look_tells_everything_and_writes_nothing() {
        let world = World::new(account());
        world.file("bot.zip", "not a zip");
        expect![[r#"
            good     -      LeadDesk users: 1 announced
            good     -      LeadDesk campaigns: 0 announced
            good     -      LeadDesk lists: 1 lists
            good     -      LeadDesk list export: 1 rows in list 41
            good     -      LeadDesk contacts: one was read whole
            good     -      LeadDesk calls of a number: can be read
            good     -      Operator's files: 1 files with 0 rows, 1 cannot be used
            bad      ZIP101 Operator's files: cannot use bot.zip: not a ZIP file, or cut off; extract stops at it until it is mended
            warning  DIS102 Operator's files: calls.csv is not there
            warning  DIS103 Operator's files: results.csv is not there
            not seen -      Chatbot export: there is none in the folder
            good     -      Gorgias account: acme is active, plan pro
            good     -      Gorgias user: the key's user is admin
            good     -      Gorgias tickets: 0 are there
            warning  DIS201 Gorgias acts by itself: rules are active at the destination: Auto-reply
            warning  DIS202 Gorgias acts by itself: satisfaction surveys are on at the destination: chat
            warning  DIS203 Gorgias acts by itself: webhooks would fire for every migrated ticket: Orders
            good     -      Gorgias fields: 1 of 25 ticket fields are active
            good     -      Gorgias fields: 0 of 25 customer fields are active
            warning  DIS212 Gorgias rate limit: the answers do not tell it; the one of migration.toml is taken
            good     -      Where data lies: store in FI, Gorgias account in FI
            not seen -      Clock: Gorgias told no time"#]].assert_eq(&told(&run(&world.ctx).await));
        assert!(world.stored("").is_empty());
    }

    #[tokio::test]
    async fn what_is_refused_is_named_and_the_rest_is_looked_at() {
        let world = World::new(account());
        *world.source.fault.lock().expect("free") = Fault::Credentials;
        let mut ctx = world.ctx.clone();
        ctx.limits.stated = crate::context::Stated::default();
        let checks = run(&ctx).await;
        expect![[r#"
            bad      SRC101 LeadDesk users: LeadDesk refused the credentials for users
            bad      SRC101 LeadDesk campaigns: LeadDesk refused the credentials for campaigns
            bad      SRC101 LeadDesk lists: LeadDesk refused the credentials for lists
            not seen -      LeadDesk contacts: no list could be read
            good     -      Operator's files: 0 files with 0 rows, 0 cannot be used
            warning  DIS102 Operator's files: calls.csv is not there
            warning  DIS103 Operator's files: results.csv is not there
            not seen -      Chatbot export: there is none in the folder
            good     -      Gorgias account: acme is active, plan pro
            good     -      Gorgias user: the key's user is admin
            good     -      Gorgias tickets: 0 are there
            warning  DIS201 Gorgias acts by itself: rules are active at the destination: Auto-reply
            warning  DIS202 Gorgias acts by itself: satisfaction surveys are on at the destination: chat
            warning  DIS203 Gorgias acts by itself: webhooks would fire for every migrated ticket: Orders
            good     -      Gorgias fields: 1 of 25 ticket fields are active
            good     -      Gorgias fields: 0 of 25 customer fields are active
            warning  DIS212 Gorgias rate limit: the answers do not tell it; the one of migration.toml is taken
            bad      DIS205 Where data lies: contacts of the EU would leave it, and nobody has acknowledged that: store in a place that nobody stated, Gorgias account in a place that nobody stated
            not seen -      Clock: Gorgias told no time"#]].assert_eq(&told(&checks));
        assert!(checks.iter().any(|check| check.is_access));
    }
}
