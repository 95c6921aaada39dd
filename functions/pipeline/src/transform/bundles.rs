//! Customers and tickets with everything that belongs to them, brought together by their keys.

use std::collections::{BTreeMap, BTreeSet};

use snapshot::tables::{
    WantAttachment, WantCustomer, WantCustomerChannel, WantCustomerValue, WantMessage, WantTicket,
    WantTicketTag, WantTicketValue,
};
use snapshot::{Key, Pass};

use crate::archive::ArchiveError;
use crate::context::Context;
use crate::load::drafts::TicketRows;
use crate::reconcile::customers::Wanted;
use crate::wish;

/// Customers of these keys, as they were wished after a reading.
pub(crate) async fn customers_as_of(
    ctx: &Context,
    pass: Pass,
    keys: &BTreeSet<Key>,
) -> Result<BTreeMap<String, Wanted>, ArchiveError> {
    Ok(customers_of(
        wish::some(ctx, pass, keys).await?,
        wish::some(ctx, pass, keys).await?,
        wish::some(ctx, pass, keys).await?,
    ))
}

/// Tickets of these keys, as they were wished after a reading.
pub(crate) async fn tickets_as_of(
    ctx: &Context,
    pass: Pass,
    keys: &BTreeSet<Key>,
) -> Result<BTreeMap<String, TicketRows>, ArchiveError> {
    Ok(tickets_of(
        wish::some(ctx, pass, keys).await?,
        wish::some(ctx, pass, keys).await?,
        wish::some(ctx, pass, keys).await?,
        wish::some(ctx, pass, keys).await?,
        wish::some(ctx, pass, keys).await?,
    ))
}

fn by_parent<R>(rows: Vec<R>, parent: impl Fn(&R) -> &str) -> BTreeMap<String, Vec<R>> {
    let mut map: BTreeMap<String, Vec<R>> = BTreeMap::new();
    for row in rows {
        let key = parent(&row).to_owned();
        map.entry(key).or_default().push(row);
    }
    map
}

/// Customers with what belongs to them.
pub(super) fn customers_of(
    rows: Vec<WantCustomer>,
    channels: Vec<WantCustomerChannel>,
    values: Vec<WantCustomerValue>,
) -> BTreeMap<String, Wanted> {
    let mut channels = by_parent(channels, |row| &row.customer_external_id);
    let mut values = by_parent(values, |row| &row.customer_external_id);
    let together = |row: WantCustomer| {
        let key = row.external_id.clone();
        let channels = channels.remove(&key).unwrap_or_default();
        let values = values.remove(&key).unwrap_or_default();
        (key, Wanted { row, channels, values })
    };
    rows.into_iter().map(together).collect()
}

/// Tickets with what belongs to them.
pub(super) fn tickets_of(
    rows: Vec<WantTicket>,
    tags: Vec<WantTicketTag>,
    values: Vec<WantTicketValue>,
    messages: Vec<WantMessage>,
    attachments: Vec<WantAttachment>,
) -> BTreeMap<String, TicketRows> {
    let mut tags = by_parent(tags, |row| &row.ticket_external_id);
    let mut values = by_parent(values, |row| &row.ticket_external_id);
    let mut messages = by_parent(messages, |row| &row.ticket_external_id);
    let mut attachments = by_parent(attachments, |row| &row.ticket_external_id);
    let together = |ticket: WantTicket| {
        let key = ticket.external_id.clone();
        let rows = TicketRows {
            tags: tags.remove(&key).unwrap_or_default(),
            values: values.remove(&key).unwrap_or_default(),
            messages: messages.remove(&key).unwrap_or_default(),
            attachments: attachments.remove(&key).unwrap_or_default(),
            ticket,
        };
        (key, rows)
    };
    rows.into_iter().map(together).collect()
}
