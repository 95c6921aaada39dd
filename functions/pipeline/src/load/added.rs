//! What a delta adds: new customers and tickets, and messages of tickets that are there.

use std::collections::BTreeMap;
use std::sync::Arc;

use snapshot::Pass;

use super::customers::CustomersWork;
use super::order::{OrderedCustomers, OrderedTickets};
use super::tickets::TicketsWork;
use super::{Again, LoadError, adopted, driven, names, part, settled};
use crate::context::Context;
use crate::ledger::Ledger;
use crate::wave::Wave;
use crate::wish::Layers;

/// Makes what is new in what one pass wrote, and appends messages to tickets that are there. Nothing else is looked at.
///
/// # Errors
/// As [`run`](super::run).
pub(crate) async fn added(
    ctx: &Context,
    ledger: &mut Ledger,
    pass: Pass,
    new: &Again,
) -> Result<(), LoadError> {
    let names = names(ctx).await?;
    if !new.customers.is_empty() {
        let adoptions = adopted::read(ctx).await?;
        let customers = OrderedCustomers::open(ctx, Layers::Only(pass)).await?;
        let mut work = CustomersWork::new(ctx, names.clone(), customers, adoptions);
        work.only = Some(new.customers.clone());
        let part = part(Wave::Customers, Some(new.customers.len() as u64));
        settled(Wave::Customers, driven(ctx, ledger, &mut work, Wave::Customers, &part).await?)?;
    }
    if new.tickets.is_empty() && new.messages.is_empty() {
        return Ok(());
    }
    let total = (new.tickets.len() + new.messages.len()) as u64;
    for wave in [Wave::Leads, Wave::Chats] {
        let tickets = OrderedTickets::open(ctx, wave, Layers::Only(pass)).await?;
        let meta = BTreeMap::from([("deskferry_run".to_owned(), ctx.run.to_string())]);
        let gorgias = Arc::clone(&ctx.destination);
        let mut work = TicketsWork::new(names.clone(), tickets, meta, &ctx.migration, gorgias);
        work.again = Some(new.clone());
        settled(wave, driven(ctx, ledger, &mut work, wave, &part(wave, Some(total))).await?)?;
    }
    Ok(())
}
