//! Records of a wave in the order of loading, from tables that are sorted by key.
//!
//! Open tickets come first, then the newest; customers come as their first ticket does. The order is over keys; records are
//! read in passes, each of which takes the next few thousand keys out of the tables, so that memory is bounded by one pass.
//! Deliberately absent: deciding the order (see `migration::load_order`).

use std::collections::{BTreeMap, VecDeque};

use migration::load_order::{self, TicketAge};
use snapshot::tables::{
    WantAttachment, WantCustomer, WantCustomerChannel, WantCustomerValue, WantMessage, WantTicket,
    WantTicketTag, WantTicketValue,
};
use snapshot::{Pass, Row as _, SnapshotError};

use super::drafts::TicketRows;
use super::tickets::TicketTables;
use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::wave::Wave;
use crate::wish::{self, Layers, WishParts};

/// Records of one pass over the tables: about twenty megabytes of notes.
const PASS_RECORDS: usize = 5_000;

/// A ticket in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    /// What its place depends on.
    pub(crate) age: TicketAge,
    /// Its customer.
    pub(crate) customer: String,
    /// Its messages.
    pub(crate) messages: u64,
}

/// What the place of a ticket depends on.
pub(crate) fn age(row: &WantTicket) -> TicketAge {
    TicketAge { key: row.external_id.clone(), is_open: row.status == "open", last_at: row.last_message_at }
}

/// Tickets of a wave in the order of loading.
///
/// # Errors
/// What the archive says.
pub(crate) async fn tickets(ctx: &Context, wave: Wave, layers: Layers) -> Result<Vec<Placed>, ArchiveError> {
    let mut placed = Vec::new();
    for row in wish::parts::<WantTicket>(ctx, layers).await?.open()? {
        let row = row?;
        if wave.holds_tickets_of(&row.wave) {
            let messages = u64::try_from(row.message_count).unwrap_or(0);
            placed.push(Placed { age: age(&row), customer: row.customer_external_id, messages });
        }
    }
    placed.sort_by(|left, right| load_order::compare(&left.age, &right.age));
    Ok(placed)
}

/// Keys of customers in the order of loading: as their first tickets come; those without one last, by key.
///
/// # Errors
/// What the archive says.
pub(crate) async fn customers(ctx: &Context, layers: Layers) -> Result<Vec<String>, ArchiveError> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for wave in [Wave::Leads, Wave::Chats] {
        for placed in tickets(ctx, wave, layers).await? {
            let next = places.len();
            places.entry(placed.customer).or_insert(next);
        }
    }
    let mut keys = Vec::new();
    for row in wish::parts::<WantCustomer>(ctx, layers).await?.open()? {
        let key = row?.external_id;
        keys.push((places.get(&key).copied().unwrap_or(usize::MAX), key));
    }
    keys.sort_unstable();
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

/// The tables of tickets, to be read as often as there are passes.
pub(crate) struct TicketParts {
    tickets: WishParts<WantTicket>,
    tags: WishParts<WantTicketTag>,
    values: WishParts<WantTicketValue>,
    messages: WishParts<WantMessage>,
    attachments: Option<WishParts<WantAttachment>>,
}

impl TicketParts {
    async fn find(ctx: &Context, layers: Layers) -> Result<Self, ArchiveError> {
        let pass = match layers {
            Layers::Newest => Pass::Full,
            Layers::Only(pass) => pass,
        };
        let has_files = archive::is_sealed(ctx, &ctx.run, pass, WantAttachment::SCHEMA).await?;
        Ok(Self {
            tickets: wish::parts(ctx, layers).await?,
            tags: wish::parts(ctx, layers).await?,
            values: wish::parts(ctx, layers).await?,
            messages: wish::parts(ctx, layers).await?,
            attachments: match has_files {
                true => Some(wish::parts(ctx, layers).await?),
                false => None,
            },
        })
    }

    fn open(&self) -> Result<TicketTables, SnapshotError> {
        Ok(TicketTables {
            tickets: self.tickets.open()?,
            tags: self.tags.open()?.children(1),
            values: self.values.open()?.children(1),
            messages: self.messages.open()?.children(1),
            attachments: self
                .attachments
                .as_ref()
                .map(WishParts::open)
                .transpose()?
                .map(|rows| rows.children(1)),
        })
    }
}

/// Tickets of one wave with everything that belongs to them, in the order of loading.
pub(crate) struct OrderedTickets {
    wave: Wave,
    parts: TicketParts,
    order: Vec<Placed>,
    next: usize,
    pass: VecDeque<TicketRows>,
}

impl OrderedTickets {
    /// Finds the order; reads no ticket yet.
    ///
    /// # Errors
    /// What the archive says.
    pub(crate) async fn open(ctx: &Context, wave: Wave, layers: Layers) -> Result<Self, ArchiveError> {
        let (parts, order) = (TicketParts::find(ctx, layers).await?, tickets(ctx, wave, layers).await?);
        Ok(Self { wave, parts, order, next: 0, pass: VecDeque::new() })
    }

    /// The next ticket, but for those that need not be looked at.
    ///
    /// # Errors
    /// When reading fails.
    pub(crate) fn next(
        &mut self,
        is_over: impl Fn(&Placed) -> bool,
    ) -> Result<Option<TicketRows>, SnapshotError> {
        while self.pass.is_empty() && self.next < self.order.len() {
            let due = take_due(&self.order, &mut self.next, &is_over);
            self.pass = self.read(&due)?;
        }
        Ok(self.pass.pop_front())
    }

    fn read(&self, due: &[&str]) -> Result<VecDeque<TicketRows>, SnapshotError> {
        let places: BTreeMap<&str, usize> = due.iter().copied().zip(0..).collect();
        let mut found: Vec<Option<TicketRows>> = due.iter().map(|_| None).collect();
        if due.is_empty() {
            return Ok(VecDeque::new());
        }
        let mut tables = self.parts.open()?;
        while let Some(rows) =
            tables.next_of(&[self.wave], |row| places.contains_key(row.external_id.as_str()))?
        {
            if let Some(place) = places.get(rows.ticket.external_id.as_str()) {
                found[*place] = Some(rows);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }
}

/// The next keys that are due, as many as one pass takes.
fn take_due<'o>(order: &'o [Placed], next: &mut usize, is_over: impl Fn(&Placed) -> bool) -> Vec<&'o str> {
    let mut due = Vec::new();
    while let Some(placed) = order.get(*next).filter(|_| due.len() < PASS_RECORDS) {
        *next += 1;
        if !is_over(placed) {
            due.push(placed.age.key.as_str());
        }
    }
    due
}

/// A customer with everything that belongs to it.
pub(crate) type CustomerRows = (WantCustomer, Vec<WantCustomerChannel>, Vec<WantCustomerValue>);

/// Customers in the order of loading.
pub(crate) struct OrderedCustomers {
    rows: WishParts<WantCustomer>,
    channels: WishParts<WantCustomerChannel>,
    values: WishParts<WantCustomerValue>,
    order: Vec<String>,
    next: usize,
    pass: VecDeque<CustomerRows>,
}

impl OrderedCustomers {
    /// Finds the order; reads no customer yet.
    ///
    /// # Errors
    /// What the archive says.
    pub(crate) async fn open(ctx: &Context, layers: Layers) -> Result<Self, ArchiveError> {
        Ok(Self {
            rows: wish::parts(ctx, layers).await?,
            channels: wish::parts(ctx, layers).await?,
            values: wish::parts(ctx, layers).await?,
            order: customers(ctx, layers).await?,
            next: 0,
            pass: VecDeque::new(),
        })
    }

    /// The next customer.
    ///
    /// # Errors
    /// When reading fails.
    pub(crate) fn next(&mut self) -> Result<Option<CustomerRows>, SnapshotError> {
        while self.pass.is_empty() && self.next < self.order.len() {
            let until = (self.next + PASS_RECORDS).min(self.order.len());
            self.pass = self.read(&self.order[self.next..until])?;
            self.next = until;
        }
        Ok(self.pass.pop_front())
    }

    fn read(&self, due: &[String]) -> Result<VecDeque<CustomerRows>, SnapshotError> {
        let places: BTreeMap<&str, usize> = due.iter().map(String::as_str).zip(0..).collect();
        let mut found: Vec<Option<CustomerRows>> = due.iter().map(|_| None).collect();
        let (mut channels, mut values) = (self.channels.open()?.children(1), self.values.open()?.children(1));
        for row in self.rows.open()? {
            let row = row?;
            if let Some(place) = places.get(row.external_id.as_str()) {
                let key = row.key();
                found[*place] = Some((row, channels.take(&key)?, values.take(&key)?));
            }
        }
        Ok(found.into_iter().flatten().collect())
    }
}
