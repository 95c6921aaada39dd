//! The facts that readiness is computed from, out of the store; of Gorgias only whether the approval still holds.
//!
//! A fact that cannot be had says why, and keeps no other from being told. Deliberately absent: judging.

use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use migration::cutover::{
    Agents, Approval, Chats, Facts, LastDelta, NotSeen, Read, Seen, Snapshots, SpotChecks,
};
use migration::load_plan::bound_seconds;
use migration::pacer::Bucket;
use sha2::{Digest as _, Sha256};
use snapshot::tables::{SourceAgent, SourceChatMessage, WantUser};
use snapshot::{LAKE_FOLDER, MANIFEST_FILE, Manifest, Pass, RAW_JSON};

use super::CutoverError;
use crate::approval::{self, ApprovalError};
use crate::archive::{self, ArchiveError};
use crate::conduct::{self, Next};
use crate::context::Context;
use crate::delta;
use crate::deltas::{self, Delta};
use crate::documents::DocumentError;
use crate::extract;
use crate::extract::part;
use crate::ledger::Ledger;
use crate::load;
use crate::plan;
use crate::prepare::switches;
use crate::reconcile;
use crate::report::steps;
use crate::rollbacks;
use crate::spotcheck;
use crate::worker;

/// Gathers every fact; what fails becomes a fact that is not known.
pub async fn gather(ctx: &Context) -> Facts {
    let book = seen(book(ctx).await);
    let count = |of: &dyn Fn(&crate::ledger::book::Book) -> u64| book.as_ref().map(of).map_err(Clone::clone);
    Facts {
        now: ctx.clock.now(),
        is_loaded: is_loaded(ctx).await,
        taken_back: taken_back(ctx).await,
        compared: seen(reconcile::everything::last(ctx).await),
        conflicts: seen(delta::open_conflicts(ctx).await),
        failed: seen(load::refused(ctx).await),
        in_doubt: count(&|book| book.state().doubt_count() as u64),
        approval: approval(ctx).await,
        agents: seen(agents(ctx).await),
        switched_off: count(&switches::held),
        chats: seen(chats(ctx).await),
        read: seen(read(ctx).await),
        last_delta: seen(forecast(ctx).await),
        spot_checks: seen(spot_checks(ctx).await),
        snapshots: seen(snapshots(ctx).await),
    }
}

fn seen<T, E: std::error::Error>(fact: Result<T, E>) -> Seen<T> {
    fact.map_err(|error| {
        let mut why = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            let cause_text: &dyn Display = cause;
            why.push_str(&format!(": {cause_text}"));
            next = cause.source();
        }
        NotSeen(why)
    })
}

async fn book(ctx: &Context) -> Result<crate::ledger::book::Book, CutoverError> {
    let (plan, _) = plan::read(ctx).await?;
    let read = Ledger::read_of(ctx, &plan.account).await;
    Ok(read.map_err(delta::DeltaError::from)?.0)
}

async fn is_loaded(ctx: &Context) -> bool {
    let Ok(shown) = worker::look(ctx).await else { return false };
    shown.done.contains(&conduct::Step::Finish)
        && !matches!(
            conduct::next(&shown),
            Next::Confirmation
                | Next::Decision(_)
                | Next::Run(conduct::Step::Load(_) | conduct::Step::Reconcile(_))
        )
}

async fn taken_back(ctx: &Context) -> Option<String> {
    match rollbacks::of_this_run(ctx).await {
        Ok(rollback) => rollback.map(|held| {
            format!("rollback {} is {} since {:.0}", held.plan.number, held.phase.as_str(), held.since)
        }),
        Err(error) => Some(format!("cannot tell whether something was taken back: {error}")),
    }
}

async fn approval(ctx: &Context) -> Seen<Approval> {
    match approval::holding(ctx).await {
        Ok(mapping) => Ok(Approval::Holds { by: mapping.reviewer().as_str().to_owned() }),
        Err(ApprovalError::Stale { reasons, .. }) => {
            let what: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            Ok(Approval::Stale { what: what.join("; ") })
        }
        Err(ApprovalError::Document(DocumentError::Missing { .. })) => Ok(Approval::Missing),
        Err(error) => seen(Err(error)),
    }
}

async fn agents(ctx: &Context) -> Result<Agents, ArchiveError> {
    let mut active = std::collections::BTreeSet::new();
    let pass = newest_pass(ctx).await?;
    for row in archive::open::<SourceAgent>(ctx, &ctx.run, pass).await?.without(&[RAW_JSON])? {
        let row = row?;
        if row.is_active {
            active.insert(row.leaddesk_agent_id);
        }
    }
    let mut agents = Agents { active: active.len() as u64, without_user: active.len() as u64 };
    for row in archive::open::<WantUser>(ctx, &ctx.run, Pass::Full).await? {
        let row = row?;
        if row.state == "matched" && active.contains(&row.leaddesk_agent_id) {
            agents.without_user -= 1;
        }
    }
    Ok(agents)
}

/// The newest reading of LeadDesk that is whole.
async fn newest_pass(ctx: &Context) -> Result<Pass, ArchiveError> {
    let all = deltas::all(ctx).await.map_err(|error| ArchiveError::Document(Box::new(error)))?;
    Ok(all.iter().rfind(|delta| delta.done.is_some()).map_or(Pass::Full, Delta::pass))
}

/// Whether calls of a reading come from the operator's log.
pub(super) async fn has_call_log(ctx: &Context, pass: Pass) -> Result<bool, CutoverError> {
    Ok(part::load(&ctx.reading(pass), "calls").await?.is_some())
}

/// The last message of the chatbots in a reading; nothing where there is no conversation.
pub(super) async fn chats_of(ctx: &Context, pass: Pass) -> Result<Option<Timestamp>, ArchiveError> {
    let mut last = None;
    let rows = archive::open::<SourceChatMessage>(ctx, &ctx.run, pass).await?;
    for row in rows.without(&[RAW_JSON])? {
        last = last.max(Some(row?.sent_at));
    }
    Ok(last)
}

async fn chats(ctx: &Context) -> Result<Chats, ArchiveError> {
    let last = chats_of(ctx, newest_pass(ctx).await?).await?;
    let until = ctx.limits.chat_window.map(|(_, until)| until);
    Ok(if last.is_none() && until.is_none() { Chats::None } else { Chats::Exported { last, until } })
}

async fn read(ctx: &Context) -> Result<Read, CutoverError> {
    let all = deltas::all(ctx).await?;
    let compared = reconcile::everything::last(ctx).await?.map(|compared| compared.at);
    let done = all.iter().filter_map(|delta| delta.done.as_ref());
    let last = done.clone().next_back();
    let since = done.filter(|done| Some(done.at) > compared);
    Ok(Read {
        delta: last.map(|done| done.number),
        open: all.iter().find(|delta| delta.done.is_none()).map(|delta| delta.begun.number),
        read_from: match last {
            Some(done) => done.read_from,
            None => extract::started_at(ctx).await?,
        },
        different: since.map(|done| done.fields_different).sum(),
    })
}

/// What the last delta and the comparison will take, as the ones before took.
async fn forecast(ctx: &Context) -> Result<LastDelta, CutoverError> {
    let (plan, _) = plan::read(ctx).await?;
    let ran = steps::read(ctx).await?;
    let of = |name: &str| ran.iter().filter(|step| step.step == name).map(|step| step.requests).sum::<u64>();
    let read_back = of(reconcile::STEP);
    let all = deltas::all(ctx).await?;
    let done: Vec<_> = all.iter().filter_map(|delta| Some((delta, delta.done.as_ref()?))).collect();
    let writes = |done: &deltas::DoneV1| {
        ["created", "updated", "appended"].iter().map(|outcome| done.count(outcome)).sum::<u64>()
    };
    let (source_requests, writes, basis) = match done.last() {
        Some((_, last)) => {
            let most = done.iter().map(|(_, done)| writes(done)).max().unwrap_or(0);
            let basis = match done.len() {
                1 => "as the delta before took".to_owned(),
                many => format!("as the last of {many} deltas asked, and the largest of them wrote"),
            };
            (last.requests.values().sum(), Some(most), basis)
        }
        None => {
            let full = ran.iter().filter(|step| step.step == "extract");
            let asked = full.flat_map(|step| step.source_requests.values()).sum();
            (asked, None, "no delta ran yet, so at most as the full reading took".to_owned())
        }
    };
    // A record that changed takes a look, a write, and a look.
    let at_gorgias = read_back + 3 * writes.unwrap_or(0);
    let bucket = Bucket {
        capacity: plan.bucket.capacity,
        window: Duration::from_millis(plan.bucket.window_milliseconds),
        reserve: 0.0,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds of requests are small and positive"
    )]
    let seconds = bound_seconds(at_gorgias, &bucket).ceil() as u64;
    Ok(LastDelta { source_requests, writes, read_back, seconds, basis })
}

async fn spot_checks(ctx: &Context) -> Result<SpotChecks, spotcheck::SpotError> {
    let all = spotcheck::all(ctx).await?;
    Ok(SpotChecks {
        judged: all.iter().map(|check| check.judged).sum(),
        wrong: all.iter().map(|check| check.wrong).sum(),
    })
}

/// Digest of a file that may be larger than memory.
fn sha256_of(path: &Path) -> std::io::Result<String> {
    let (mut file, mut digest) = (std::fs::File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Every file of the run's snapshots against the digest in its manifest.
async fn snapshots(ctx: &Context) -> Result<Snapshots, ArchiveError> {
    let mark = format!("/run_id={}/", ctx.run);
    let (mut tables, mut files) = (0, 0);
    tokio::fs::create_dir_all(&ctx.scratch).await.map_err(ArchiveError::Scratch)?;
    for key in ctx.store.list(&ctx.key(LAKE_FOLDER)?).await? {
        if !(key.as_str().ends_with(MANIFEST_FILE) && key.as_str().contains(&mark)) {
            continue;
        }
        let manifest = match Manifest::decode(&ctx.store.get(&key).await?) {
            Ok(manifest) => manifest,
            Err(error) => return Ok(Snapshots::Damaged { what: format!("{key}: {error}") }),
        };
        tables += 1;
        for part in &manifest.parts {
            let key = ctx.key(&manifest.dataset.part_path(&part.file_name))?;
            let path = match ctx.store.local_copy(&key, &ctx.scratch).await {
                Ok(path) => path,
                Err(crate::ports::store::StoreError::NotFound { .. }) => {
                    return Ok(Snapshots::Damaged { what: format!("{key} is missing") });
                }
                Err(error) => return Err(error.into()),
            };
            let found = tokio::task::spawn_blocking(move || sha256_of(&path)).await?;
            if found.map_err(ArchiveError::Scratch)? != part.sha256.as_str() {
                return Ok(Snapshots::Damaged { what: format!("{key} is not the file that was sealed") });
            }
            files += 1;
        }
    }
    Ok(Snapshots::Intact { tables, files })
}
