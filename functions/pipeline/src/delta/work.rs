//! The writes of a delta, through the ledger, in an order that any start can take up again.
//!
//! Customers first, of these the ones that give addresses away; then what is new; then fields of tickets, whose customers
//! are known by then. What is decided is kept before it is written, so that a start that goes on decides nothing anew.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use migration::canonical::Digest;
use migration::gorgias::{CustomerId, FieldValue, TagDraft, TicketId};
use migration::keys::ExternalId;
use migration::ledger::{DestinationObject, ReceiptClass, WriteKey};
use snapshot::tables::{ControlDelta, WantTag};
use snapshot::{Pass, Row as _};

use super::rows::{Place, as_mend};
use super::stored::{Kept, StoredRows};
use super::survey::{self, Open};
use super::{DeltaError, Looked, STEP, check, codes, overtaken};
use crate::archive;
use crate::context::Context;
use crate::cutovers;
use crate::deltas::{BegunV1, DoneV1, ResidueV1};
use crate::ledger::driver::{self, Action, DriveError, Listed, Part, Work};
use crate::ledger::request::{Request, Trace, messages_of};
use crate::ledger::{Ledger, Opening, key};
use crate::load::adopted;
use crate::load::{self, Again};
use crate::mends::{Mend, Mends, Write};
use crate::plan::PlanV1 as LoadPlan;
use crate::ports::gorgias::{Message, ReadError};
use crate::prepare::quiet;
use crate::reconcile::Scene;
use crate::repair::work::{Fields, PlannedRows, writes_of};
use crate::repairs;
use crate::rollbacks;
use crate::run_folder;
use crate::wish;

/// Records that the watermark names; all are counted.
const NAMED_MAX: usize = 1_000;

/// Decides and writes everything.
pub(super) async fn carry_out(
    ctx: &Context,
    begun: &BegunV1,
    plan: LoadPlan,
    looked: &Looked,
    open: &Open,
    done: &mut DoneV1,
) -> Result<(), DeltaError> {
    let pass = Pass::Delta(begun.number);
    let log_from = overtaken::log_from(ctx, begun).await?;
    // A start that finds everything decided may find everything done.
    if archive::is_sealed(ctx, &ctx.run, pass, ControlDelta::SCHEMA).await? {
        let rows =
            archive::open::<ControlDelta>(ctx, &ctx.run, pass).await?.collect::<Result<Vec<_>, _>>()?;
        let scene = scene(ctx, &plan, begun).await?;
        if is_done(&scene, &rows).await? && moments(ctx, &rows, looked).await?.is_empty() {
            for row in rows.iter().filter(|row| row.change.is_some()) {
                done.take(&row.object, "updated", 1);
            }
            tally(&scene, &rows, done);
            overtaken::name(&scene, log_from, &rows, done).await?;
            return check::read_back(&scene, log_from, &rows, looked, done).await;
        }
    }
    let customers = customer_rows(ctx, begun, &plan, looked, open).await?;
    let mut writing = Writing { ctx, pass, number: begun.number, ledger: None, done };
    writing.customers(&customers).await?;
    // Tickets are judged by the names that are known.
    writing.tags(looked).await?;
    let rows = ticket_rows(ctx, begun, &plan, looked, open, customers).await?;
    writing.tickets(&rows, looked).await?;
    let Writing { ledger, done, .. } = writing;
    if let Some(mut ledger) = ledger {
        // A cut-over brings back what was switched off, when it is signed or refused.
        if !cutovers::keeps_quiet(ctx).await? {
            let switches = |error| DeltaError::Switches(Box::new(error));
            quiet::unhush(ctx, &mut ledger, STEP).await.map_err(switches)?;
        }
        let count = ledger.book().state().doubt_count() as u64;
        ledger.close().await?;
        if count > 0 {
            return Err(DeltaError::Unsettled { count });
        }
    }
    let scene = scene(ctx, &plan, begun).await?;
    tally(&scene, &rows, done);
    overtaken::name(&scene, log_from, &rows, done).await?;
    check::read_back(&scene, log_from, &rows, looked, done).await
}

/// Whether every row has taken effect, and what was switched off is on again.
async fn is_done(scene: &Scene<'_>, rows: &[ControlDelta]) -> Result<bool, DeltaError> {
    let is_switch = |object: DestinationObject| {
        matches!(
            object,
            DestinationObject::Rule | DestinationObject::Setting | DestinationObject::Integration
        )
    };
    let mut switches = scene.book.iter().filter(|(key, _)| is_switch(key.object));
    if scene.book.state().doubt_count() > 0
        || switches.any(|(key, _)| scene.book.class(key) == Some(ReceiptClass::Updated))
    {
        return Ok(false);
    }
    for row in rows {
        let is_there = key_of(scene, row).is_some_and(|key| scene.book.destination(&key).is_some());
        if matches!(row.action.as_str(), "create" | "append") && !is_there {
            return Ok(false);
        }
        let writes = writes_of(&as_mend(row.clone()), &scene.secret).map_err(DriveError::Work)?;
        for write in writes {
            if !matches!(write.request.look_up(&*scene.ctx.destination).await?, Trace::Found { .. }) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

async fn scene<'a>(ctx: &'a Context, plan: &LoadPlan, begun: &BegunV1) -> Result<Scene<'a>, DeltaError> {
    let (book, secret) = Ledger::read_of(ctx, &plan.account).await?;
    let reading = format!("delta-{:04}-{:010}", begun.number, book.state().next_sequence());
    let names = load::names(ctx).await?;
    Ok(Scene { ctx, names, book, secret, plan: plan.clone(), reading, aliases: BTreeMap::new() })
}

/// Rows that are decided once: what people do between two starts decides nothing anew, and whatever is made of them is made
/// of the same ones.
async fn decided(
    ctx: &Context,
    begun: &BegunV1,
    name: &str,
    decide: impl Future<Output = Result<Vec<ControlDelta>, DeltaError>>,
) -> Result<Vec<ControlDelta>, DeltaError> {
    let key = ctx.run_key(&format!("delta/{:04}/{name}.json", begun.number))?;
    if run_folder::get::<StoredRows>(ctx, &key).await?.is_none() {
        let rows = decide.await?.into_iter().map(Kept).collect();
        run_folder::put(ctx, &key, &StoredRows::V1 { rows }).await?;
    }
    let StoredRows::V1 { rows } = run_folder::need(ctx, &key).await?;
    Ok(rows.into_iter().map(|Kept(row)| row).collect())
}

/// Rows of customers.
async fn customer_rows(
    ctx: &Context,
    begun: &BegunV1,
    plan: &LoadPlan,
    looked: &Looked,
    open: &Open,
) -> Result<Vec<ControlDelta>, DeltaError> {
    let survey = async {
        let scene = scene(ctx, plan, begun).await?;
        let adoptions = adopted::read(ctx).await?;
        survey::customers(&scene, &adoptions, &looked.customers, open).await
    };
    decided(ctx, begun, "customers", survey).await
}

/// All rows, sealed.
async fn ticket_rows(
    ctx: &Context,
    begun: &BegunV1,
    plan: &LoadPlan,
    looked: &Looked,
    open: &Open,
    customers: Vec<ControlDelta>,
) -> Result<Vec<ControlDelta>, DeltaError> {
    let pass = Pass::Delta(begun.number);
    if !archive::is_sealed(ctx, &ctx.run, pass, ControlDelta::SCHEMA).await? {
        let survey = async {
            let scene = scene(ctx, plan, begun).await?;
            survey::tickets(&scene, &looked.tickets, open).await
        };
        let tickets = decided(ctx, begun, "tickets", survey).await?;
        let mut writer = archive::writer::<ControlDelta>(ctx, pass, Vec::new())?;
        for row in customers.into_iter().chain(tickets) {
            writer.push(row)?;
        }
        archive::publish(ctx, writer.seal()?).await?;
    }
    let rows = archive::open::<ControlDelta>(ctx, &ctx.run, pass).await?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?)
}

/// The ledger is opened with the first write, and what answers writes is switched off then.
struct Writing<'a> {
    ctx: &'a Context,
    pass: Pass,
    number: u32,
    ledger: Option<Ledger>,
    done: &'a mut DoneV1,
}

impl Writing<'_> {
    async fn ledger(&mut self) -> Result<&mut Ledger, DeltaError> {
        if self.ledger.is_none() {
            let mut ledger =
                Ledger::open(self.ctx, &Opening { plan: Some(self.digest()), ..Opening::default() }).await?;
            let occasion = occasion(self.ctx, self.number).await?;
            let switches = |error| DeltaError::Switches(Box::new(error));
            quiet::hush(self.ctx, &mut ledger, STEP, &occasion).await.map_err(switches)?;
            self.ledger = Some(ledger);
        }
        Ok(self.ledger.as_mut().expect("it was opened above"))
    }

    fn digest(&self) -> Digest {
        Digest::of(format!("{} {}", self.ctx.run, self.pass).as_bytes())
    }

    async fn customers(&mut self, rows: &[ControlDelta]) -> Result<(), DeltaError> {
        let mends: Vec<ControlDelta> = rows.iter().filter(|row| row.change.is_some()).cloned().collect();
        let mut new = Again::default();
        new.customers
            .extend(rows.iter().filter(|row| row.action == "create").map(|row| row.external_id.clone()));
        if mends.is_empty() && new.is_empty() {
            return Ok(());
        }
        let given_away = mends.iter().map(given_away).collect::<Result<Vec<_>, _>>()?;
        let given_away: Vec<ControlDelta> = given_away.into_iter().flatten().collect();
        self.fields(given_away, "addresses that move", false).await?;
        self.fields(mends, "customers", true).await?;
        let (ctx, pass) = (self.ctx, self.pass);
        let ledger = self.ledger().await?;
        load::added::added(ctx, ledger, pass, &new).await?;
        Ok(())
    }

    async fn tickets(&mut self, rows: &[ControlDelta], looked: &Looked) -> Result<(), DeltaError> {
        let of_tickets = rows.iter().filter(|row| row.object != "customer");
        let mends: Vec<ControlDelta> =
            of_tickets.clone().filter(|row| row.change.is_some()).cloned().collect();
        let mut new = Again::default();
        for row in of_tickets {
            match (row.action.as_str(), row.object.as_str()) {
                ("create", "ticket") => drop(new.tickets.insert(row.external_id.clone())),
                ("append", "message") => drop(new.messages.insert(row.external_id.clone())),
                _ => {}
            }
        }
        if mends.is_empty() && new.is_empty() {
            return Ok(());
        }
        let (ctx, pass) = (self.ctx, self.pass);
        let ledger = self.ledger().await?;
        load::added::added(ctx, ledger, pass, &new).await?;
        self.fields(mends, "tickets", true).await?;
        let moments = moments(ctx, rows, looked).await?;
        self.fields(moments, "moments of the last message", false).await
    }

    /// The tag of what vanished, where something carries it.
    async fn tags(&mut self, looked: &Looked) -> Result<(), DeltaError> {
        let name = crate::transform::VANISHED_TAG;
        let tickets = looked.tickets.values();
        if !tickets.flat_map(|pair| &pair.now.tags).any(|tag| tag.tag_name == name) {
            return Ok(());
        }
        let ctx = self.ctx;
        let ledger = self.ledger().await?;
        let key = key::tag(name, ledger.secret());
        if ledger.is_over(&key) {
            return Ok(());
        }
        let mut description = String::new();
        for row in wish::newest::<WantTag>(ctx).await? {
            let row = row?;
            if row.tag_name == name {
                description = row.description;
            }
        }
        let draft = TagDraft { name: name.to_owned(), description };
        let mut work = Listed::new(vec![Action::new(key, Request::CreateTag(draft))], ReceiptClass::Created);
        drive(ctx, ledger, &mut work, "tag", Some(1)).await
    }

    async fn fields(&mut self, rows: Vec<ControlDelta>, name: &str, is_told: bool) -> Result<(), DeltaError> {
        if rows.is_empty() {
            return Ok(());
        }
        let (ctx, number, total) = (self.ctx, self.number, rows.len() as u64);
        let named: BTreeMap<(String, String), String> = rows
            .iter()
            .map(|row| ((row.object.clone(), row.gorgias_id.clone()), row.external_id.clone()))
            .collect();
        let planned: PlannedRows = Box::new(rows.into_iter().map(|row| Ok(as_mend(row))));
        let mut work = Fields::new(number, planned);
        let ledger = self.ledger().await?;
        drive(ctx, ledger, &mut work, name, Some(total)).await?;
        if !is_told {
            return Ok(());
        }
        for (object, outcomes) in work.done.objects {
            for (outcome, count) in outcomes {
                let outcome = if outcome == "mended" { "updated" } else { "refused" };
                self.done.take(&object, outcome, count);
            }
        }
        for left in work.done.residue {
            let (mut code, mut text) = match left.code.as_str() {
                crate::repair::codes::CHANGED_SINCE => (codes::CHANGED_SINCE, left.text),
                crate::repair::codes::DELETED => (codes::DELETED, left.text),
                _ => (codes::REFUSED, left.text),
            };
            if code == codes::DELETED && is_merged(ctx, &left.object, &left.gorgias_id).await? {
                (code, text) = (codes::MERGED, codes::words(codes::MERGED).to_owned());
            }
            let external_id =
                named.get(&(left.object.clone(), left.gorgias_id.clone())).cloned().unwrap_or_default();
            remark(self.done, &left.object, &external_id, &left.gorgias_id, code, &text);
        }
        Ok(())
    }
}

/// Whether a customer that cannot be written to any more answers as another one: a person merged it.
async fn is_merged(ctx: &Context, object: &str, gorgias_id: &str) -> Result<bool, DeltaError> {
    let Some(id) = gorgias_id.parse().ok().filter(|_| object == "customer") else { return Ok(false) };
    match ctx.destination.customer(CustomerId(id)).await {
        Ok(raw) => Ok(raw.record.id != CustomerId(id)),
        Err(ReadError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Tickets to which a message was appended and that do not show its moment as that of their last message. One that
/// others answered shows theirs.
async fn moments(
    ctx: &Context,
    rows: &[ControlDelta],
    looked: &Looked,
) -> Result<Vec<ControlDelta>, DeltaError> {
    let appended: BTreeSet<&str> =
        rows.iter().filter(|row| row.action == "append").map(|row| row.gorgias_id.as_str()).collect();
    let mut moments = Vec::new();
    for id in appended.iter().filter_map(|id| id.parse().ok()) {
        let raw = match ctx.destination.ticket(TicketId(id)).await {
            Ok(raw) => raw,
            Err(ReadError::NotFound { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let ours = raw.record.external_id.as_deref().and_then(|key| looked.tickets.get_key_value(key));
        let Some((key, pair)) = ours else { continue };
        let held = messages_of(&*ctx.destination, TicketId(id)).await?;
        let told: BTreeSet<&str> =
            pair.now.messages.iter().map(|message| message.external_id.as_str()).collect();
        let is_ours = |held: &Message| held.external_id.as_deref().is_some_and(|key| told.contains(key));
        let wish = pair.now.ticket.last_message_at;
        if !held.iter().all(is_ours) || raw.record.last_message_at == Some(wish) {
            continue;
        }
        moments.push(moment_row(key, id, raw.record.last_message_at, wish)?);
    }
    Ok(moments)
}

/// A customer's row with what it gives away alone: another customer may be waiting for the address.
fn given_away(row: &ControlDelta) -> Result<Option<ControlDelta>, serde_json::Error> {
    let Some(change) = &row.change else { return Ok(None) };
    let (ticket, mends) = Mends::decode(change)?;
    // An address that is replaced is given away as well.
    let is_given = |(name, mend): &(&str, &Mend)| {
        (*name == "email" && mend.found.is_some()) || (name.starts_with("channel[") && mend.wish.is_none())
    };
    let names: BTreeSet<&str> = mends.iter().filter(is_given).map(|(name, _)| name).collect();
    let given = mends.only(|name| names.contains(name));
    if given.is_empty() {
        return Ok(None);
    }
    Ok(Some(ControlDelta { change: Some(given.encode(ticket)?), ..row.clone() }))
}

/// The row that sets the moment of a ticket's last message.
fn moment_row(
    key: &str,
    id: u64,
    found: Option<Timestamp>,
    wish: Timestamp,
) -> Result<ControlDelta, serde_json::Error> {
    const FIELD: &str = "last_message_at";
    let (found, text) = (found.map(|at| at.to_string()), wish.to_string());
    let write = Write { name: FIELD.to_owned(), content: FieldValue::Text(text.clone()) };
    let mut mends = Mends::default();
    mends.put(FIELD, Mend { found, wish: Some(text), write: Some(write) });
    let row = Place { object: "ticket", external_id: key, id: Some(id) }.row("update", None);
    Ok(ControlDelta { changed_fields: Some(FIELD.to_owned()), change: Some(mends.encode(None)?), ..row })
}

async fn drive(
    ctx: &Context,
    ledger: &mut Ledger,
    work: &mut dyn Work,
    name: &str,
    total: Option<u64>,
) -> Result<(), DeltaError> {
    let part = Part { step: STEP, name: name.to_owned(), total };
    let left = driver::drive(ctx, ledger, work, &part).await?.left;
    if left > 0 { Err(DeltaError::Unsettled { count: left }) } else { Ok(()) }
}

/// Sorts behind what every rollback and every repair that began before has kept, and before the next one.
async fn occasion(ctx: &Context, number: u32) -> Result<String, DeltaError> {
    let begun = rollbacks::all(ctx).await?.into_iter().rfind(|held| held.phase != rollbacks::Phase::Planned);
    let behind = begun.map_or(0, |rollback| rollback.plan.number);
    let repair = repairs::all(ctx).await?.into_iter().rfind(|held| held.phase != repairs::Phase::Planned);
    let repair = repair.map_or(0, |repair| repair.plan.number);
    Ok(format!("{}.rollback-{behind:04}-z-repair-{repair:04}_delta-{number:04}", ctx.run))
}

/// What became of the rows that are no writes of fields.
fn tally(scene: &Scene<'_>, rows: &[ControlDelta], done: &mut DoneV1) {
    for row in rows {
        let there = key_of(scene, row).is_some_and(|key| scene.book.destination(&key).is_some());
        match row.action.as_str() {
            "create" if there => done.take(&row.object, "created", 1),
            "append" if there => done.take(&row.object, "appended", 1),
            "create" | "append" => {
                let note = key_of(scene, row).and_then(|key| scene.book.note(&key).cloned());
                let (outcome, code, text) = match note {
                    Some(note) if row.action == "append" && note.code == driver::codes::GONE => {
                        ("kept", codes::DELETED, codes::words(codes::DELETED).to_owned())
                    }
                    Some(note) => ("refused", codes::NOT_LOADED, note.text),
                    None => ("refused", codes::NOT_LOADED, "its customer or ticket is not there".to_owned()),
                };
                done.take(&row.object, outcome, 1);
                remark(done, &row.object, &row.external_id, &row.gorgias_id, code, &text);
            }
            _ => {}
        }
        if let Some(code) = row.reason_code.as_deref() {
            let outcome = if code == codes::CONFLICT { "conflict" } else { "kept" };
            done.take(&row.object, outcome, 1);
            remark(
                done,
                &row.object,
                &row.external_id,
                &row.gorgias_id,
                code,
                row.reason.as_deref().unwrap_or_default(),
            );
        }
    }
}

/// The name in the ledger of what a row is about.
pub(super) fn key_of(scene: &Scene<'_>, row: &ControlDelta) -> Option<WriteKey> {
    let external_id = ExternalId::from_stored(row.external_id.clone());
    match row.object.as_str() {
        "ticket" => Some(key::ticket(&external_id, &scene.secret)),
        "customer" => Some(key::customer(&external_id, &scene.secret)),
        "message" => Some(key::message(&external_id, &scene.secret)),
        _ => None,
    }
}

/// Names a record that is not as LeadDesk has it. A key may hold the number of a person; then its id has to do.
pub(super) fn remark(
    done: &mut DoneV1,
    object: &str,
    external_id: &str,
    gorgias_id: &str,
    code: &str,
    text: &str,
) {
    *done.reasons.entry(code.to_owned()).or_default() += 1;
    if done.residue.len() < NAMED_MAX {
        done.residue.push(ResidueV1 {
            object: object.to_owned(),
            external_id: external_id.to_owned(),
            gorgias_id: gorgias_id.to_owned(),
            code: code.to_owned(),
            text: text.to_owned(),
        });
    }
}
