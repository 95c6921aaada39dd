//! A migration in memory from its preparation to its end, for tests of what comes after it.

use std::time::Duration;

use migration::gorgias::{CustomerId, TicketId, UserId};

use super::wants::{contact, lead, there_before};
use super::{Account, Wants, World};
use crate::ports::gorgias::AuditEvent;
use crate::wave::Wave;
use crate::{finish, load, plan, prepare, reconcile};

pub(crate) type Stopped = Box<dyn std::error::Error + Send + Sync>;

pub(crate) fn before() -> Account {
    let mut account = Account::fresh();
    let old = there_before(2);
    account.customers.insert(old.id, old);
    account
}

pub(crate) async fn migrate(world: &World) -> Result<(), Stopped> {
    let ctx = world.context();
    prepare::prepare(&ctx, &Wants::schema()).await?;
    plan::run(&ctx).await?;
    for wave in Wave::ALL {
        load::run(&ctx, wave).await?;
        let report = reconcile::run(&ctx, wave).await?;
        assert_eq!(report.findings, [], "{wave}");
    }
    finish::run(&ctx).await?;
    Ok(())
}

pub(crate) async fn migrated(people: u64, messages: u64) -> World {
    migrated_as(Wants::people(people, messages)).await
}

pub(crate) async fn migrated_as(wants: Wants) -> World {
    let mut world = World::new(before());
    world.limits.rollback_hold = Duration::from_secs(3_600);
    wants.seal(&world).await;
    migrate(&world).await.expect("a clean run");
    world
}

pub(crate) use super::account::essence;

pub(crate) fn assert_same(found: &Account, wanted: &Account, what: &str) {
    let (found, wanted) = (essence(found), essence(wanted));
    assert_eq!(found.customers, wanted.customers, "customers {what}");
    assert_eq!(found.tickets, wanted.tickets, "tickets {what}");
    assert_eq!(found.messages, wanted.messages, "messages {what}");
    assert_eq!(found.tags, wanted.tags, "tags {what}");
    assert_eq!(found.teams, wanted.teams, "teams {what}");
    assert_eq!(found.rules, wanted.rules, "rules {what}");
    assert_eq!(found.settings, wanted.settings, "settings {what}");
    assert_eq!(found.integrations, wanted.integrations, "integrations {what}");
    let active = |account: &Account| -> Vec<_> {
        account.fields.iter().filter(|field| field.is_active).cloned().collect()
    };
    assert_eq!(active(&found), active(&wanted), "fields {what}");
}

pub(crate) fn account(world: &World) -> Account {
    world.gorgias.account(|account| account.clone())
}

pub(crate) fn ticket_of(world: &World, number: u64) -> TicketId {
    let key = lead(number);
    world.gorgias.account(|account| {
        let mut tickets = account.tickets.values();
        tickets
            .find(|found| found.external_id.as_deref() == Some(&key))
            .map(|found| found.id)
            .expect("loaded")
    })
}

pub(crate) fn customer_of(world: &World, number: u64) -> CustomerId {
    let key = contact(number);
    world.gorgias.account(|account| {
        let mut customers = account.customers.values();
        customers
            .find(|found| found.external_id.as_deref() == Some(&key))
            .map(|found| found.id)
            .expect("loaded")
    })
}

pub(crate) fn event(world: &World, kind: &str, object_type: &str, object: u64) {
    let at = crate::ports::clock::Clock::now(&*world.clock);
    world.gorgias.account(|account| {
        let id = account.events.len() as u64 + 1;
        account.events.push(AuditEvent {
            id,
            kind: kind.to_owned(),
            object_type: object_type.to_owned(),
            object,
            user: Some(UserId(2)),
            at,
        });
    });
}
