//! Differences of a comparison told apart: damage, and what people did.
//!
//! As a repair judges: a record on which nobody else acted differs because something is wrong with it; one on which somebody
//! did is theirs. Deliberately absent: mending, and judging field by field (see `repair`).

use std::collections::BTreeMap;

use migration::keys::ExternalId;
use snapshot::tables::WantMessage;

use super::verdict::{Difference, WaveVerdict};
use super::{ReconcileError, read_plan};
use crate::context::Context;
use crate::evidence::{self, Touched};
use crate::ledger::{Ledger, key};
use crate::wish;

/// Whose doing the differences are, in fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Blame {
    /// Of records on which nobody but the migration acted: damage.
    pub damage: u64,
    /// Of records on which other users or customers acted.
    pub people: u64,
}

impl Blame {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.damage += other.damage;
        self.people += other.people;
    }
}

/// Tells the unexplained differences of a verdict apart by the account's log; asks nothing where there is none.
pub(super) async fn of(ctx: &Context, verdict: &WaveVerdict) -> Result<Blame, ReconcileError> {
    let mut blame = Blame::default();
    let found: Vec<&Difference> =
        verdict.differences.iter().filter(|found| found.explanation.is_none()).collect();
    if found.is_empty() {
        return Ok(blame);
    }
    let account = read_plan(ctx).await?.account;
    let Some(began) = Ledger::began(ctx, &account).await? else { return Ok(blame) };
    let service_user = ctx.destination.service_user().await?.id;
    let touched = evidence::by_others(ctx, service_user, began).await?;
    let tickets = tickets_of(ctx, &account, &found).await?;
    for difference in found {
        if is_touched(&touched, &tickets, difference) {
            blame.people += 1;
        } else {
            blame.damage += 1;
        }
    }
    Ok(blame)
}

fn is_touched(touched: &Touched, tickets: &BTreeMap<String, u64>, found: &Difference) -> bool {
    let id: Option<u64> = found.gorgias_id.as_deref().and_then(|id| id.parse().ok());
    let holds = |kind: &str, id: Option<u64>| id.is_some_and(|id| touched.holds(kind, id));
    match found.object.as_str() {
        "ticket" => holds("Ticket", id),
        "customer" => holds("Customer", id),
        // A message without a key of ours was written by somebody else.
        "message" if !found.external_id.starts_with(ExternalId::PREFIX) => true,
        "message" => holds("TicketMessage", id) || holds("Ticket", tickets.get(&found.external_id).copied()),
        "team" => holds("Team", id),
        "tag" => holds("Tag", id),
        "field" => holds("CustomField", id),
        _ => false,
    }
}

/// Tickets of the messages that differ, by the messages' keys.
async fn tickets_of(
    ctx: &Context,
    account: &str,
    found: &[&Difference],
) -> Result<BTreeMap<String, u64>, ReconcileError> {
    let mut tickets = BTreeMap::new();
    if !found.iter().any(|found| found.object == "message") {
        return Ok(tickets);
    }
    let (book, secret) = Ledger::read_of(ctx, account).await?;
    let wished: std::collections::BTreeSet<&str> = found
        .iter()
        .filter(|found| found.object == "message")
        .map(|found| found.external_id.as_str())
        .collect();
    for row in wish::newest_without::<WantMessage>(ctx, &["body_text", "body_html"]).await? {
        let row = row?;
        if wished.contains(row.external_id.as_str()) {
            let ticket = key::ticket(&ExternalId::from_stored(row.ticket_external_id), &secret);
            tickets.extend(book.held(&ticket).map(|id| (row.external_id, id)));
        }
    }
    Ok(tickets)
}

#[cfg(test)]
mod tests {
    use super::super::again_blamed;
    use super::*;
    use crate::testing::migrated::{customer_of, event, migrated, ticket_of};
    use crate::wave::Wave;

    /// What differs of tickets and of customers, after these changes at Gorgias.
    async fn check(damage: impl Fn(&crate::testing::World)) -> (Blame, Blame) {
        let world = migrated(3, 2).await;
        damage(&world);
        let ctx = world.context();
        let (_, _, tickets) = again_blamed(&ctx, Wave::Leads, false).await.expect("compared");
        let (_, _, customers) = again_blamed(&ctx, Wave::Customers, false).await.expect("compared");
        (tickets, customers)
    }

    #[tokio::test]
    async fn nothing_differs_and_nobody_is_blamed() {
        assert_eq!(check(|_| ()).await, (Blame::default(), Blame::default()));
    }

    #[tokio::test]
    async fn damage_is_told_from_what_people_did() {
        let (tickets, customers) = check(|world| {
            for number in [1, 2] {
                let id = ticket_of(world, number);
                world.gorgias.account(|account| {
                    account.tickets.get_mut(&id).expect("there").subject = Some("changed".to_owned());
                });
            }
            event(world, "ticket-updated", "Ticket", ticket_of(world, 2).0);
            let (ticket, changed) = (ticket_of(world, 3), "other words".to_owned());
            world.gorgias.account(|account| {
                let message = account.messages.values_mut().find(|it| it.ticket == ticket).expect("there");
                message.body_text = Some(changed);
            });
            event(world, "ticket-updated", "Ticket", ticket.0);
            let customer = customer_of(world, 3);
            world.gorgias.account(|account| {
                account.customers.get_mut(&customer).expect("there").name = Some("Another".to_owned());
            });
        })
        .await;
        assert_eq!(tickets, Blame { damage: 1, people: 2 });
        assert_eq!(customers, Blame { damage: 1, people: 0 });
    }
}
