//! Tables of a transformation, on trial or real -> counts of a load plan, what comes first, what may be billed.

use migration::finding;
use migration::forecast::Work;
use migration::gorgias::FieldObject;
use migration::load_order;
use migration::load_order::needed_to_start;
use migration::load_plan::{self, Counts};
use migration::mapping::ConfirmedMapping;
use migration::teams::key_in_description;
use migration::text::folded;
use snapshot::Pass;
use snapshot::tables::{WantAttachment, WantCustomer, WantCustomerChannel, WantMessage, WantTicket};

use super::error::EstimateError;
use super::holdings::Holdings;
use crate::archive;
use crate::context::Context;
use crate::documents::inventory::Inventory;
use crate::load::order::age;
use crate::wave::Wave;

/// Addresses of a trial that lead nowhere end so.
const MADE_UP: &str = "@estimate.invalid";

/// What was counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Counted {
    /// For the forecast.
    pub(super) work: Work,
    /// Customers, whether they are created or adopted.
    pub(super) customers: u64,
    /// Customers whose address was read, and of these the ones who are there already.
    pub(super) addresses_read: u64,
    pub(super) addresses_there: u64,
    /// Customers whose address was made up.
    pub(super) addresses_made_up: u64,
    /// Open tickets.
    pub(super) open: u64,
    /// Tickets of the wave of leads that agents need before they can start.
    pub(super) first: u64,
    /// Tickets with a message that could count as an answer.
    pub(super) maybe_billed: u64,
}

/// Counts everything.
///
/// # Errors
/// [`EstimateError`].
pub(super) async fn count(
    ctx: &Context,
    mapping: &ConfirmedMapping,
    inventory: &Inventory,
    held: &Holdings,
    recent: jiff::SignedDuration,
) -> Result<Counted, EstimateError> {
    let mut counted = Counted { work: before(ctx, mapping, inventory, held), ..Counted::default() };
    customers(ctx, held, &mut counted).await?;
    tickets(ctx, recent, &mut counted).await?;
    Ok(counted)
}

/// What is there, and what prepare makes.
fn before(ctx: &Context, mapping: &ConfirmedMapping, inventory: &Inventory, held: &Holdings) -> Work {
    let length = |length: usize| length as u64;
    let there = |kind: &str| inventory.overview.gorgias_counts.get(kind).copied().unwrap_or(0);
    let fields = |object| inventory.gorgias_fields.iter().filter(|field| field.object == object).count();
    let tags = mapping.tags().decisions.iter();
    let is_new = |name: &str| inventory.gorgias_tags.iter().all(|tag| tag.name != name);
    let team_is_new = |key: &migration::keys::TeamKey| {
        let held = |team: &migration::gorgias::Team| {
            team.description.as_deref().and_then(key_in_description).is_some_and(|found| found == *key)
        };
        !inventory.gorgias_teams.iter().any(held)
    };
    let (switched, switch_kinds) = switched(ctx, inventory);
    let counts = Counts {
        users: there("user"),
        teams_before: there("team"),
        teams_created: length(
            mapping.teams().teams.iter().filter(|team| team_is_new(&team.draft.key)).count(),
        ),
        tags_before: there("tag"),
        tags_created: length(tags.filter(|decision| is_new(&decision.name)).count()),
        ticket_fields_before: length(fields(FieldObject::Ticket)),
        customer_fields_before: length(fields(FieldObject::Customer)),
        fields_written: length(
            mapping.fields().fields().filter(|field| is_written(field, inventory)).count(),
        ),
        rules_before: there("rule"),
        integrations_before: there("integration"),
        switched,
        customers_before: held.customers,
        tickets_before: held.tickets,
        messages_before: held.messages,
        ..Counts::default()
    };
    Work { counts, switch_kinds, ..Work::default() }
}

/// Fields that are there and in use need no request.
fn is_written(field: &migration::fields::PlannedField, inventory: &Inventory) -> bool {
    let draft = &field.draft;
    let ours = inventory.gorgias_fields.iter().find(|found| {
        found.object == draft.object && found.external_id.as_deref() == Some(draft.key.0.as_str())
    });
    let found = ours.or_else(|| inventory.gorgias_fields.iter().find(|found| found.label == draft.label));
    found.is_none_or(|found| !found.is_active)
}

/// Rules, webhooks and settings that prepare pauses, and of how many kinds they are.
fn switched(ctx: &Context, inventory: &Inventory) -> (u64, u64) {
    let accepted = &ctx.limits.accepted_findings;
    let of = |code: finding::Code| {
        let findings = inventory.overview.findings.iter().filter(|found| found.code == code.as_str());
        let found: u64 = findings.map(|found| found.count).sum();
        let named = accepted.iter().filter(|name| name.starts_with(&format!("{code}:"))).count() as u64;
        let is_accepted = accepted.iter().any(|name| name == code.as_str());
        if is_accepted { 0 } else { found.saturating_sub(named) }
    };
    let rules = of(finding::DIS201_DESTINATION_RULES_ACTIVE);
    let webhooks = of(finding::DIS203_DESTINATION_WEBHOOKS);
    // All channels of the survey stand in one setting.
    let settings = of(finding::DIS202_DESTINATION_SURVEYS_ON).min(1);
    let kinds = [rules, webhooks, settings].into_iter().filter(|count| *count > 0).count() as u64;
    (rules + webhooks + settings, kinds)
}

async fn customers(ctx: &Context, held: &Holdings, counted: &mut Counted) -> Result<(), EstimateError> {
    for row in archive::open::<WantCustomer>(ctx, &ctx.run, Pass::Full).await? {
        let row = row?;
        counted.customers += 1;
        counted.work.counts.customers_with_values += u64::from(row.value_count > 0);
    }
    let mut last = String::new();
    for row in archive::open::<WantCustomerChannel>(ctx, &ctx.run, Pass::Full).await? {
        let row = row?;
        if row.channel_type != "email" {
            continue;
        }
        if row.address.ends_with(MADE_UP) {
            counted.addresses_made_up += 1;
            continue;
        }
        counted.addresses_read += 1;
        if held.free_emails.contains(&folded(&row.address)) && last != row.customer_external_id {
            counted.addresses_there += 1;
            last = row.customer_external_id;
        }
    }
    let unread = counted.addresses_there * counted.addresses_made_up / counted.addresses_read.max(1);
    let adopted = (counted.addresses_there + unread).min(held.free_emails.len() as u64);
    counted.work.counts.customers_adopted = adopted;
    counted.work.counts.customers_created = counted.customers.saturating_sub(adopted);
    Ok(())
}

async fn tickets(
    ctx: &Context,
    recent: jiff::SignedDuration,
    counted: &mut Counted,
) -> Result<(), EstimateError> {
    let mut ages = Vec::new();
    for row in archive::open::<WantTicket>(ctx, &ctx.run, Pass::Full).await? {
        let row = row?;
        let messages = u64::try_from(row.message_count).unwrap_or(0);
        let counts = &mut counted.work.counts;
        counts.tickets_created += 1;
        counts.messages_created += messages;
        counts.messages_appended += load_plan::appended(messages);
        if Wave::Chats.holds_tickets_of(&row.wave) {
            counted.work.chat_tickets += 1;
            counted.work.chat_messages += messages;
            continue;
        }
        ages.push(age(&row));
    }
    load_order::sort(&mut ages);
    counted.open = ages.iter().filter(|age| age.is_open).count() as u64;
    counted.first = needed_to_start(&ages, recent) as u64;
    drop(ages);
    let mut last = String::new();
    let messages = archive::open::<WantMessage>(ctx, &ctx.run, Pass::Full).await?;
    for row in messages.without(&["body_text", "body_html"])? {
        let row = row?;
        if row.kind == "outgoing" && row.ticket_external_id != last {
            counted.maybe_billed += 1;
            last = row.ticket_external_id;
        }
    }
    if archive::is_sealed(ctx, &ctx.run, Pass::Full, <WantAttachment as snapshot::Row>::SCHEMA).await? {
        let files = archive::open::<WantAttachment>(ctx, &ctx.run, Pass::Full).await?;
        counted.work.counts.files_uploaded = files.count() as u64;
    }
    Ok(())
}
