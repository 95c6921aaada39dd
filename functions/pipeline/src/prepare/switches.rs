//! Switching rules, webhooks and surveys off for the run, and on again.
//!
//! The undo stands under the do. What a setting held before is stored beside the ledger, per run, before it is
//! written: a run that never finished is then undone by the next one.

use migration::cutover::Switch as Switched;
use migration::gorgias::{IntegrationId, RuleId, SettingId};
use migration::ledger::{DestinationObject, ReceiptClass, WriteKey, Written};
use serde::{Deserialize, Serialize};

use super::PrepareError;
use super::preflight::Switch;
use crate::context::Context;
use crate::ledger::book::Book;
use crate::ledger::driver::Action;
use crate::ledger::request::Request;
use crate::ledger::{Ledger, key};
use crate::ports::gorgias::Setting;
use crate::run_folder;

/// A setting before and during the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredSetting {
    #[serde(rename = "1")]
    V1 { kind: String, original: String, paused: String },
}

/// Whether we hold it switched off.
pub(crate) fn is_off(ledger: &Ledger, key: &WriteKey) -> bool {
    ledger.book().class(key) == Some(ReceiptClass::Updated)
}

/// How many rules, settings and webhooks we hold switched off.
pub(crate) fn held(book: &Book) -> u64 {
    let is_off = |written: &Written| written.class == Some(ReceiptClass::Updated);
    book.iter().filter(|(key, written)| is_switch(key.object) && is_off(written)).count() as u64
}

/// Writes that switch off what is not off yet. What a setting holds now is stored first, under the name of the occasion:
/// names of later occasions sort behind those of earlier ones.
pub(crate) async fn off(
    ctx: &Context,
    ledger: &Ledger,
    switches: &[Switch],
    occasion: &str,
) -> Result<Vec<Action>, PrepareError> {
    let now = ctx.clock.now();
    let mut actions = Vec::new();
    for switch in switches {
        let (key, request) = match switch {
            Switch::Rule(id) => {
                (key::switch(DestinationObject::Rule, id.0), Request::SwitchRule(*id, Some(now)))
            }
            Switch::Integration(id) => (
                key::switch(DestinationObject::Integration, id.0),
                Request::SwitchIntegration(*id, Some(now)),
            ),
            Switch::Setting { id, kind, paused, original } => {
                let key = key::switch(DestinationObject::Setting, id.0);
                if !is_off(ledger, &key) {
                    let document = StoredSetting::V1 {
                        kind: kind.clone(),
                        original: original.clone(),
                        paused: paused.clone(),
                    };
                    let at = ctx.key(&format!("switches/setting-{id}/{occasion}.json"))?;
                    run_folder::put(ctx, &at, &document).await?;
                }
                let setting = Setting { id: *id, kind: kind.clone(), json: paused.clone() };
                (key, Request::PutSetting(setting))
            }
        };
        actions.push(Action::new(key, request));
    }
    let settled = settled(ctx, ledger, &actions).await?;
    actions.extend(settled);
    Ok(actions)
}

/// What an earlier start left in doubt and shows as off: it is asked for once more, so that the ledger learns its outcome.
async fn settled(ctx: &Context, ledger: &Ledger, actions: &[Action]) -> Result<Vec<Action>, PrepareError> {
    let now = ctx.clock.now();
    let mut more = Vec::new();
    for (key, written) in ledger.book().iter() {
        let is_open = written.not_after.is_some() && is_switch(key.object);
        if !is_open || actions.iter().any(|action| action.key == *key) {
            continue;
        }
        let Ok(id) = key.key.parse::<u64>() else { continue };
        let request = match key.object {
            DestinationObject::Rule => Request::SwitchRule(RuleId(id), Some(now)),
            DestinationObject::Integration => Request::SwitchIntegration(IntegrationId(id), Some(now)),
            _ => match stored(ctx, id).await? {
                Some(StoredSetting::V1 { kind, paused, .. }) => {
                    Request::PutSetting(Setting { id: SettingId(id), kind, json: paused })
                }
                None => continue,
            },
        };
        more.push(Action::new(key.clone(), request));
    }
    Ok(more)
}

/// Writes that bring back everything that this ledger says we hold switched off, whichever run did it.
pub(crate) async fn on(ctx: &Context, ledger: &Ledger) -> Result<Vec<Action>, PrepareError> {
    let mut actions = Vec::new();
    for (key, written) in ledger.book().iter() {
        let was_off = is_off(ledger, key) || (written.not_after.is_some() && is_switch(key.object));
        let Some(id) = key.key.parse::<u64>().ok().filter(|_| was_off) else { continue };
        let request = match key.object {
            DestinationObject::Rule => Request::SwitchRule(RuleId(id), None),
            DestinationObject::Integration => Request::SwitchIntegration(IntegrationId(id), None),
            DestinationObject::Setting => match original(ctx, id).await? {
                Some(setting) => Request::PutSetting(setting),
                None => continue,
            },
            _ => continue,
        };
        actions.push(Action::new(key.clone(), request));
    }
    Ok(actions)
}

fn is_switch(object: DestinationObject) -> bool {
    matches!(object, DestinationObject::Rule | DestinationObject::Integration | DestinationObject::Setting)
}

/// The same writes, one kind after the other, in the order that was agreed; each kind is whole before the next begins.
pub(crate) fn in_order(order: &[Switched], actions: Vec<Action>) -> Vec<Vec<Action>> {
    let mut kinds: Vec<Vec<Action>> = order.iter().map(|_| Vec::new()).collect();
    for action in actions {
        let kind = match action.key.object {
            DestinationObject::Rule => Switched::Rules,
            DestinationObject::Setting => Switched::Surveys,
            _ => Switched::Webhooks,
        };
        let place = order.iter().position(|held| *held == kind).unwrap_or(0);
        if let Some(kind) = kinds.get_mut(place) {
            kind.push(action);
        }
    }
    kinds.retain(|kind| !kind.is_empty());
    kinds
}

/// What the setting held when it was last switched off.
async fn original(ctx: &Context, id: u64) -> Result<Option<Setting>, PrepareError> {
    let held = stored(ctx, id).await?;
    Ok(held.map(|StoredSetting::V1 { kind, original, .. }| Setting {
        id: SettingId(id),
        kind,
        json: original,
    }))
}

/// The setting before and while it was last switched off.
async fn stored(ctx: &Context, id: u64) -> Result<Option<StoredSetting>, PrepareError> {
    let folder = ctx.key(&format!("switches/setting-{id}"))?;
    let Some(newest) = ctx.store.list(&folder).await?.pop() else { return Ok(None) };
    Ok(Some(run_folder::need(ctx, &newest).await?))
}
