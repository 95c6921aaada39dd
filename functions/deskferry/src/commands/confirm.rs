//! `confirm`: a person approves what the proposal says, row by row where a decision is open.
//!
//! Deliberately absent: settling an open row in any other way than leaving the thing out. Everything else is decided in the
//! review, and imported before.

use std::io::{self, BufRead, IsTerminal};

use migration::mapping::{MappingProposal, Reviewer};
use pipeline::documents::{self, DocumentError};
use pipeline::losses::{self, LossError};
use pipeline::propose::{self, ConfirmError, Confirmation, LeaveOut};
use serde_json::json;

use super::{estimate, steps};
use crate::arguments::{Common, Confirm};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt;
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;
use crate::words;

/// Open rows that are listed one by one; the proposal's document has all.
const ROWS_SHOWN_MAX: usize = 40;
/// What has to be typed.
const CONSENT: &str = "yes";

/// Who approves, and how open rows are settled.
#[derive(Debug, Clone)]
pub(crate) struct Approval<'a> {
    /// Stands in the confirmed mapping.
    pub(crate) by: &'a str,
    /// Approve without being asked; open rows are left out.
    pub(crate) unasked: bool,
    /// Whether somebody may be asked.
    pub(crate) may_ask: bool,
}

/// Approves the proposal of the run.
pub(crate) fn run(screen: &Screen, common: &Common, arguments: &Confirm) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let project = Project::open(screen, common, "confirm", Wanted::UnfinishedOrNewest).await?;
        let interrupt = interrupt::listen()?;
        let approval = Approval { by: &arguments.by, unasked: arguments.yes, may_ask: !common.no_input };
        project.work(screen, &interrupt, approve(screen, &project, &approval)).await?;
        steps::say_next(screen, &project).await?;
        Ok(Exit::Done)
    })
}

/// Shows the proposal, asks if it may, and confirms.
pub(crate) async fn approve(
    screen: &Screen,
    project: &Project,
    approval: &Approval<'_>,
) -> Result<(), Failure> {
    let ctx = &project.context;
    let proposal = propose::proposal(ctx).await?;
    let digest = proposal.digest().to_hex();
    if let Ok(mapping) = documents::confirmed_mapping(ctx).await
        && !propose::may_confirm_anew(ctx, &digest).await?
    {
        screen.say(format!(
            "Mapping {} was approved by {} at {}",
            short(&mapping.digest().to_hex()),
            clean::line(mapping.reviewer().as_str()),
            words::moment(mapping.confirmed_at(), &screen.look().zone),
        ));
        return accept_losses(screen, project, approval).await;
    }
    estimate::ensure(screen, project).await?;
    propose::keep(ctx, &proposal).await?;
    show(screen, project, &proposal, &digest);
    if !approval.unasked {
        ask(screen, approval, proposal.conflicts().len())?;
    }
    let reason = format!("left out by {}", approval.by);
    let leave_out =
        proposal.conflicts().into_iter().map(|conflict| LeaveOut { id: conflict.id, reason: reason.clone() });
    let confirmation = Confirmation {
        reviewer: approval.by.to_owned(),
        at: ctx.clock.now(),
        proposal_digest: Some(digest),
        leave_out: leave_out.collect(),
    };
    let mapping = propose::confirm(ctx, &confirmation).await?;
    let digest = mapping.digest().to_hex();
    screen.say(format!("Approved mapping {} as {}", short(&digest), clean::line(approval.by)));
    screen.event(json!({ "type": "confirmed", "by": approval.by, "digest": digest }));
    Ok(())
}

/// Where the transformation lost more than was approved, a person accepts each kind by name, or the load stays closed.
async fn accept_losses(screen: &Screen, project: &Project, approval: &Approval<'_>) -> Result<(), Failure> {
    let ctx = &project.context;
    let over = match losses::check(ctx).await {
        Err(LossError::Over { over }) => over,
        // Before the transformation nothing is lost yet.
        Ok(()) | Err(LossError::Document(DocumentError::Missing { .. })) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    screen.say(format!(
        "{} over the approved budget:",
        words::plural(over.len() as u64, "kind of loss is", "kinds of losses are")
    ));
    for excess in &over {
        screen.say(format!("  {}", clean::line(&excess.to_string())));
        for example in &excess.examples {
            screen.say(format!("    such as {}", clean::line(example)));
        }
    }
    if !approval.unasked {
        ask(screen, approval, 0)?;
    }
    let by = Reviewer::new(approval.by).map_err(ConfirmError::from)?;
    let raised = losses::raise(ctx, &by, ctx.clock.now()).await?;
    screen.say(format!(
        "Approved {} as {}",
        words::plural(raised.len() as u64, "higher bound", "higher bounds"),
        clean::line(approval.by)
    ));
    screen.event(json!({
        "type": "losses_approved",
        "by": approval.by,
        "kinds": raised.iter().map(|excess| json!({
            "kind": excess.key.to_string(), "before": excess.bound, "now": excess.lost,
        })).collect::<Vec<_>>(),
    }));
    Ok(())
}

fn show(screen: &Screen, project: &Project, proposal: &MappingProposal, digest: &str) {
    let (mut carried, mut left) = (0, 0);
    for row in proposal.rows() {
        match row.decision.as_str() {
            "carry" => carried += 1,
            "leave" => left += 1,
            _ => {}
        }
    }
    let conflicts = proposal.conflicts();
    screen.say(format!(
        "Proposal {}: {carried} rows arrive, {left} do not, {} are open",
        short(digest),
        conflicts.len(),
    ));
    for conflict in conflicts.iter().take(ROWS_SHOWN_MAX) {
        let (code, reason) = (conflict.leave.code, clean::line(&conflict.leave.reason).into_owned());
        screen.say(format!("  open  {:<24} {code}  {reason}", clean::line(&conflict.id.to_string())));
    }
    if conflicts.len() > ROWS_SHOWN_MAX {
        screen.say(format!("  and {} more", conflicts.len() - ROWS_SHOWN_MAX));
    }
    let document = project.place(&format!("mappings/{digest}/proposal.json"));
    screen.say(format!("  all rows with their reasons: {document}"));
    screen.event(json!({
        "type": "proposal",
        "digest": digest,
        "carried": carried,
        "left": left,
        "open": conflicts.iter().map(|conflict| json!({ "row": conflict.id.to_string(), "code": conflict.leave.code.as_str() })).collect::<Vec<_>>(),
        "document": document,
    }));
}

fn ask(screen: &Screen, approval: &Approval<'_>, open: usize) -> Result<(), Failure> {
    if !approval.may_ask || !io::stdin().is_terminal() {
        return Err(Failure::new(&catalogue::NO_INPUT, "the proposal waits for an answer")
            .fix("look at the proposal; to approve it without being asked, which leaves open rows out, pass --yes")
            .then(format!("deskferry map approve --by \"{}\" --yes", clean::line(approval.by).replace('"', "'"))));
    }
    let consequence = if open == 0 { String::new() } else { format!(", and leave the {open} open rows out") };
    screen.say(format!("Type {CONSENT} to approve as {}{consequence}:", clean::line(approval.by)));
    screen.flush();
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == CONSENT {
        return Ok(());
    }
    Err(Failure::new(&catalogue::NOT_CONFIRMED, "the mapping was not approved")
        .with_why(format!("the answer was not {CONSENT}; nothing is stored"))
        .fix("decide otherwise in the review, or change migration.toml or the accounts")
        .then("deskferry map review"))
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
