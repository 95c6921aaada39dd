//! Rules, surveys and webhooks that were switched off for the run -> on again, and read back.
//!
//! Everything that the ledger says we hold switched off comes back, whichever run did it. What cannot come back, because
//! a person removed it meanwhile, is reported by its id. Deliberately absent: switching anything on that was off before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use migration::ledger::{DestinationObject, ReceiptClass, WriteKey};
use serde::{Deserialize, Serialize};
use snapshot::tables::{FoundIntegration, FoundRule, FoundSetting};
use snapshot::{Pass, Row};

use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::ledger::driver::{self, Action, DriveError, Listed, Part};
use crate::ledger::request::Request;
use crate::ledger::{Ledger, LedgerError, Opening};
use crate::listing::walk;
use crate::ports::gorgias::{Integration, ReadError, Rule};
use crate::ports::store::InvalidKey;
use crate::prepare::{PrepareError, switches};
use crate::run_folder::{self, DocumentError};
use crate::step::{StepFinding, StepReport};

/// Name of the step.
pub const STEP: &str = "finish";
/// A rule, survey or webhook is gone; a person removed it during the run.
pub const REMOVED: &str = "FIN101";
/// A rule, survey or webhook is not as it was before the run.
pub const NOT_RESTORED: &str = "FIN102";

/// Why the destination could not be brought back.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// A snapshot.
    #[error("cannot read the baseline")]
    Archive(#[from] ArchiveError),
    /// A document of the run.
    #[error("cannot keep what was restored")]
    Document(#[from] DocumentError),
    /// A name that is no key.
    #[error("cannot name an object")]
    Key(#[from] InvalidKey),
    /// The ledger.
    #[error("cannot use the ledger")]
    Ledger(#[from] LedgerError),
    /// What was switched off cannot be told.
    #[error("cannot tell what was switched off for the run")]
    Switches(#[source] Box<PrepareError>),
    /// Writing.
    #[error("cannot switch on again what was switched off for the run")]
    Drive(#[from] DriveError),
    /// Reading Gorgias.
    #[error("cannot read back what was switched on")]
    Read(#[from] ReadError),
    /// Something is still off.
    #[error(
        "{count} of the rules, surveys and webhooks are not as they were before the run; the first is {first}"
    )]
    NotRestored {
        /// How many.
        count: usize,
        /// Kind and id of the first.
        first: String,
        /// Kind and id of each.
        all: Vec<String>,
    },
}

impl FinishError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Document(_) | Self::Key(_) => "STO101",
            Self::Ledger(_) => "LED101",
            Self::Switches(error) => error.code(),
            Self::Drive(DriveError::Credentials { .. }) | Self::Read(ReadError::Credentials { .. }) => {
                "GOR101"
            }
            Self::Drive(_) => "LOD100",
            Self::Read(_) => "GOR102",
            Self::NotRestored { .. } => NOT_RESTORED,
        }
    }
}

/// What was restored and found right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredFinish {
    #[serde(rename = "1")]
    V1 {
        /// Kind and id, such as `rule/11`, of what was read back as it was before the run.
        restored: Vec<String>,
        /// Kind and id of what was removed by a person meanwhile.
        removed: Vec<String>,
    },
}

/// Whether the run has switched on again what it had switched off.
pub(crate) async fn is_done(ctx: &Context) -> Result<bool, DocumentError> {
    let stored: Option<StoredFinish> = run_folder::get(ctx, &ctx.run_key("finish.json")?).await?;
    Ok(stored.is_some())
}

/// Switches everything on again and reads it back; does nothing when that is done.
///
/// # Errors
/// [`FinishError`]; running it again goes on where it stopped.
pub async fn run(ctx: &Context) -> Result<StepReport, FinishError> {
    let mut report = StepReport::of(STEP);
    let key = ctx.run_key("finish.json")?;
    if let Some(stored) = run_folder::get::<StoredFinish>(ctx, &key).await? {
        report.was_done = true;
        tell(&stored, &mut report);
        return Ok(report);
    }
    let mut ledger = Ledger::open(ctx, &Opening::default()).await?;
    let actions =
        switches::on(ctx, &ledger).await.map_err(|source| FinishError::Switches(Box::new(source)))?;
    let mut expected = before_run(ctx, &ledger).await?;
    for action in &actions {
        expected.insert(action.key.clone(), State::wished(action));
    }
    switch_on(ctx, &mut ledger, actions, STEP).await?;
    ledger.close().await?;

    let found = read_back(ctx, &expected).await?;
    let stored = compare(&expected, &found)?;
    run_folder::put(ctx, &key, &stored).await?;
    tell(&stored, &mut report);
    Ok(report)
}

/// One kind after the other, in the order that was agreed.
async fn switch_on(
    ctx: &Context,
    ledger: &mut Ledger,
    actions: Vec<Action>,
    step: &'static str,
) -> Result<(), FinishError> {
    for kind in switches::in_order(&ctx.limits.restore_order, actions) {
        let part = Part { step, name: "switches".to_owned(), total: Some(kind.len() as u64) };
        driver::drive(ctx, ledger, &mut Listed::new(kind, ReceiptClass::Restored), &part).await?;
    }
    Ok(())
}

/// Everything that the ledger ever switched off, as it is now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// Kind and id of what is as it was before the migration.
    pub(crate) as_before: Vec<String>,
    /// Of what is otherwise: people did that since.
    pub(crate) changed: Vec<String>,
    /// Of what is gone.
    pub(crate) removed: Vec<String>,
}

/// Switches on whatever we hold switched off, and reads everything back that was ever switched.
///
/// # Errors
/// [`FinishError`]; [`FinishError::NotRestored`] when something that was switched on just now is not on.
pub(crate) async fn again(ctx: &Context, step: &'static str) -> Result<Standing, FinishError> {
    let mut ledger = Ledger::open(ctx, &Opening::default()).await?;
    let actions =
        switches::on(ctx, &ledger).await.map_err(|source| FinishError::Switches(Box::new(source)))?;
    let mut expected = before_run(ctx, &ledger).await?;
    let now: States = actions.iter().map(|action| (action.key.clone(), State::wished(action))).collect();
    switch_on(ctx, &mut ledger, actions, step).await?;
    ledger.close().await?;
    for (key, state) in &now {
        expected.entry(key.clone()).or_insert_with(|| state.clone());
    }
    let found = read_back(ctx, &expected).await?;
    compare(&now, &found)?;
    let mut standing = Standing::default();
    for (key, state) in &expected {
        let which = match found.get(key) {
            Some(held) if held == state => &mut standing.as_before,
            Some(_) => &mut standing.changed,
            None => &mut standing.removed,
        };
        which.push(key.to_string());
    }
    Ok(standing)
}

fn tell(stored: &StoredFinish, report: &mut StepReport) {
    let StoredFinish::V1 { restored, removed } = stored;
    report.records.insert("switched_on".to_owned(), restored.len() as u64);
    if !removed.is_empty() {
        report.findings.push(StepFinding {
            code: REMOVED.to_owned(),
            count: removed.len() as u64,
            text: format!("removed at Gorgias during the run: {}", removed.join(", ")),
        });
    }
}

/// What a switch says.
#[derive(Debug, Clone, PartialEq)]
enum State {
    /// A rule or a webhook runs.
    Runs(bool),
    /// Contents of a setting; the order of its keys does not count.
    Holds(serde_json::Value),
}

impl State {
    /// What an action of the undo leaves behind.
    fn wished(action: &Action) -> Self {
        match &action.request {
            Request::PutSetting(setting) => Self::holds(&setting.json),
            _ => Self::Runs(true),
        }
    }

    fn holds(json: &str) -> Self {
        // A setting that is no JSON is compared as the text that it is.
        Self::Holds(serde_json::from_str(json).unwrap_or_else(|_| serde_json::Value::String(json.to_owned())))
    }
}

/// States by the key of the switch in the ledger.
type States = BTreeMap<WriteKey, State>;

/// What this run found before its first write, of everything that the ledger ever switched. A start after a crash finds
/// nothing left to undo and still reads these back.
async fn before_run(ctx: &Context, ledger: &Ledger) -> Result<States, FinishError> {
    let restored = |key: &WriteKey| ledger.book().class(key) == Some(ReceiptClass::Restored);
    let switched: BTreeSet<WriteKey> =
        ledger.book().iter().map(|(key, _)| key.clone()).filter(|key| restored(key)).collect();
    let mut states = States::new();
    let mut keep = |object: DestinationObject, id: &str, state: State| {
        let key = WriteKey::new(object, id);
        if switched.contains(&key) {
            states.insert(key, state);
        }
    };
    for rule in rows::<FoundRule>(ctx).await?.into_iter().filter(|rule| rule.is_active) {
        keep(DestinationObject::Rule, &rule.gorgias_rule_id, State::Runs(true));
    }
    for held in rows::<FoundIntegration>(ctx).await?.into_iter().filter(|held| held.is_active) {
        keep(DestinationObject::Integration, &held.gorgias_integration_id, State::Runs(true));
    }
    for setting in rows::<FoundSetting>(ctx).await? {
        keep(DestinationObject::Setting, &setting.setting_id, State::holds(&setting.setting_json));
    }
    Ok(states)
}

async fn rows<R: Row>(ctx: &Context) -> Result<Vec<R>, FinishError> {
    let reader = match archive::open::<R>(ctx, &ctx.run, Pass::Before).await {
        Ok(reader) => reader,
        // A run that stopped before its baseline still brings back what an earlier run switched off.
        Err(ArchiveError::Missing { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    reader.collect::<Result<Vec<R>, _>>().map_err(|source| FinishError::Archive(source.into()))
}

/// Reads the lists of those kinds that were switched, and no others.
async fn read_back(ctx: &Context, expected: &States) -> Result<States, FinishError> {
    let mut found = States::new();
    let concerns = |object: DestinationObject| expected.keys().any(|key| key.object == object);
    if concerns(DestinationObject::Rule) {
        let gorgias = Arc::clone(&ctx.destination);
        let fetch = |cursor| {
            let gorgias = Arc::clone(&gorgias);
            Box::pin(async move { gorgias.rules(Option::as_ref(&cursor)).await }) as _
        };
        walk::<Rule, ReadError>(fetch, |raw| {
            let key = WriteKey::new(DestinationObject::Rule, raw.record.id.to_string());
            found.insert(key, State::Runs(raw.record.is_active));
            Ok(())
        })
        .await?;
    }
    if concerns(DestinationObject::Integration) {
        let gorgias = Arc::clone(&ctx.destination);
        let fetch = |cursor| {
            let gorgias = Arc::clone(&gorgias);
            Box::pin(async move { gorgias.integrations(Option::as_ref(&cursor)).await }) as _
        };
        walk::<Integration, ReadError>(fetch, |raw| {
            let key = WriteKey::new(DestinationObject::Integration, raw.record.id.to_string());
            found.insert(key, State::Runs(raw.record.is_active));
            Ok(())
        })
        .await?;
    }
    if concerns(DestinationObject::Setting) {
        for setting in ctx.destination.settings().await? {
            let key = WriteKey::new(DestinationObject::Setting, setting.id.to_string());
            found.insert(key, State::holds(&setting.json));
        }
    }
    Ok(found)
}

fn compare(expected: &States, found: &States) -> Result<StoredFinish, FinishError> {
    let (mut restored, mut removed, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for (key, wished) in expected {
        match found.get(key) {
            Some(state) if state == wished => restored.push(key.to_string()),
            Some(_) => wrong.push(key.to_string()),
            None => removed.push(key.to_string()),
        }
    }
    match wrong.first().cloned() {
        Some(first) => Err(FinishError::NotRestored { count: wrong.len(), first, all: wrong }),
        None => Ok(StoredFinish::V1 { restored, removed }),
    }
}

#[cfg(test)]
mod tests {
    use migration::gorgias::{RuleId, SettingId};

    use super::*;
    use crate::prepare;
    use crate::prepare::schema::SchemaWish;
    use crate::testing::{Account, Fault, World};

    async fn prepared() -> World {
        let world = World::new(Account::fresh());
        prepare::prepare(&world.context(), &SchemaWish::default()).await.expect("prepared");
        assert_eq!(switched(&world), (false, false));
        world
    }

    /// Whether the rule runs, and whether surveys are sent.
    fn switched(world: &World) -> (bool, bool) {
        world.gorgias.account(|account| {
            let rule = account.rules.first().is_some_and(|rule| rule.is_active);
            (rule, account.settings[0].json.contains("true"))
        })
    }

    #[tokio::test]
    async fn everything_is_as_it_was_and_stays_so() {
        let world = prepared().await;
        let report = run(&world.context()).await.expect("finished");
        assert_eq!((report.was_done, report.records["switched_on"]), (false, 2));
        assert_eq!(switched(&world), (true, true));
        let fresh = Account::fresh();
        world.gorgias.account(|account| {
            let settings = (account.settings[0].json.parse(), fresh.settings[0].json.parse());
            let settings: (Result<serde_json::Value, _>, Result<serde_json::Value, _>) = settings;
            assert_eq!(settings.0.expect("JSON"), settings.1.expect("JSON"));
            // What a person switches off afterwards is theirs.
            account.rules[0].is_active = false;
        });
        let requests = world.gorgias.all_requests();
        let again = run(&world.context()).await.expect("finished");
        assert_eq!((again.was_done, again.records["switched_on"]), (true, 2));
        assert_eq!(switched(&world), (false, true));
        assert_eq!(world.gorgias.all_requests(), requests);
    }

    #[tokio::test]
    async fn a_crash_after_any_effect_ends_like_an_undisturbed_run() {
        let undisturbed = prepared().await;
        let before = undisturbed.effects.count();
        run(&undisturbed.context()).await.expect("finished");
        let effects = undisturbed.effects.count() - before;
        assert!(effects >= 4, "{effects}");
        for effect in 1..=effects {
            let world = prepared().await;
            let crashed = world.until_crash(effect, run(&world.context())).await;
            assert!(crashed.is_none(), "effect {effect}");
            let report = run(&world.context()).await.expect("finished");
            assert_eq!(report.records["switched_on"], 2, "effect {effect}");
            assert_eq!(switched(&world), (true, true), "effect {effect}");
        }
    }

    #[tokio::test]
    async fn what_a_person_removed_is_reported_by_its_id() {
        let world = prepared().await;
        world.gorgias.account(|account| account.rules.clear());
        let report = run(&world.context()).await.expect("finished");
        let told: Vec<&str> = report.findings.iter().map(|finding| finding.text.as_str()).collect();
        assert_eq!(told, ["removed at Gorgias during the run: rule/11"]);
        assert_eq!(report.records["switched_on"], 1);
    }

    #[tokio::test]
    async fn what_stays_off_is_an_error_until_it_is_on() {
        let world = prepared().await;
        world.gorgias.fail("PUT /rules/{id}", 2, Fault::Refused);
        let error = run(&world.context()).await.expect_err("the rule is off");
        assert_eq!((error.code(), switched(&world)), (NOT_RESTORED, (false, true)));
        world.gorgias.account(|account| account.rules[0].is_active = true);
        run(&world.context()).await.expect("finished by hand");
    }

    #[tokio::test]
    async fn a_run_that_switched_nothing_off_switches_nothing_on() {
        let mut quiet = Account::fresh();
        quiet.rules.clear();
        quiet.settings.clear();
        let world = World::new(quiet);
        prepare::prepare(&world.context(), &SchemaWish::default()).await.expect("prepared");
        let report = run(&world.context()).await.expect("finished");
        assert_eq!(report.records["switched_on"], 0);
        assert_eq!(world.gorgias.requests("GET /rules"), 1, "the baseline alone");
    }

    #[test]
    fn the_order_of_keys_in_a_setting_does_not_count() {
        let key = |id: SettingId| WriteKey::new(DestinationObject::Setting, id.to_string());
        let expected = States::from([(key(SettingId(21)), State::holds(r#"{"a":1,"b":true}"#))]);
        let found = |json: &str| States::from([(key(SettingId(21)), State::holds(json))]);
        assert!(compare(&expected, &found(r#"{"b":true,"a":1}"#)).is_ok());
        let wrong = compare(&expected, &found(r#"{"a":1,"b":false}"#)).expect_err("another value");
        assert!(wrong.to_string().contains("setting/21"), "{wrong}");
        let rule = WriteKey::new(DestinationObject::Rule, RuleId(11).to_string());
        let gone = compare(&States::from([(rule, State::Runs(true))]), &States::new()).expect("reported");
        assert_eq!(gone, StoredFinish::V1 { restored: Vec::new(), removed: vec!["rule/11".to_owned()] });
    }
}
