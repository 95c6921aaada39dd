//! What Gorgias should hold, as of a reading of LeadDesk: the tables of the full pass, with what deltas changed laid over.
//!
//! The tables of a delta hold every record whose wish differs from that of the full pass, whichever delta changed it, so
//! that two layers are all there ever are. Deliberately absent: making either (see `transform` and `delta`).

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use snapshot::tables::{
    ControlDeltaScope, WantAttachment, WantCustomer, WantCustomerChannel, WantCustomerValue, WantMessage,
    WantTicket, WantTicketTag, WantTicketValue,
};
use snapshot::{Children, Key, Pass, Row, SnapshotError, TableReader, TableSchema, Value};

use crate::archive::{self, ArchiveError, Parts};
use crate::context::Context;
use crate::deltas;

/// Object of the scope that customers belong to.
pub(crate) const CUSTOMER: &str = "customer";
/// Object of the scope that tickets belong to.
pub(crate) const TICKET: &str = "ticket";

/// Rows of a table as they are wished, in order of their key.
pub(crate) struct Wish<R: Row> {
    base: Option<Peekable<TableReader<R>>>,
    layer: Option<Peekable<TableReader<R>>>,
    /// Records of which the base is out of date.
    scope: Arc<BTreeSet<Key>>,
}

impl<R: Row> Wish<R> {
    /// The rows as children of another table's rows.
    pub(crate) fn children(self, key_columns: usize) -> Children<R, Self> {
        Children::new(self, key_columns)
    }

    fn next_of_base(&mut self) -> Option<Result<R, SnapshotError>> {
        let base = self.base.as_mut()?;
        if !self.scope.is_empty() {
            while let Some(Ok(row)) = base.peek() {
                let key = row.key();
                let nearest = self.scope.range((Bound::Unbounded, Bound::Included(&key))).next_back();
                if !nearest.is_some_and(|nearest| key.starts_with(nearest)) {
                    break;
                }
                base.next();
            }
        }
        let is_first = match (base.peek(), self.layer.as_mut().and_then(Peekable::peek)) {
            (Some(Ok(base)), Some(Ok(layer))) => base.key() <= layer.key(),
            (Some(_), _) => true,
            (None, _) => false,
        };
        if is_first { base.next() } else { None }
    }
}

impl<R: Row> Iterator for Wish<R> {
    type Item = Result<R, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_of_base().or_else(|| self.layer.as_mut().and_then(Iterator::next))
    }
}

/// Which records of the scope a table's rows belong to, by the first column of their key; none for tables that are
/// written whole by every pass that changes them.
fn object_of(table: &'static TableSchema) -> Option<&'static str> {
    let customers = [WantCustomer::SCHEMA, WantCustomerChannel::SCHEMA, WantCustomerValue::SCHEMA];
    let tickets = [
        WantTicket::SCHEMA,
        WantTicketTag::SCHEMA,
        WantTicketValue::SCHEMA,
        WantMessage::SCHEMA,
        WantAttachment::SCHEMA,
    ];
    match table {
        table if customers.contains(&table) => Some(CUSTOMER),
        table if tickets.contains(&table) => Some(TICKET),
        _ => None,
    }
}

/// The key of a record, which the keys of its rows begin with.
pub(crate) fn parent(external_id: &str) -> Key {
    Key::of([Value::Text(external_id)])
}

/// A table as it is wished now.
pub(crate) async fn newest<R: Row>(ctx: &Context) -> Result<Wish<R>, ArchiveError> {
    let pass = deltas::wish(ctx).await.map_err(|error| ArchiveError::Document(Box::new(error)))?;
    as_of(ctx, pass).await
}

/// The same, with columns left unread.
pub(crate) async fn newest_without<R: Row>(ctx: &Context, columns: &[&str]) -> Result<Wish<R>, ArchiveError> {
    let pass = deltas::wish(ctx).await.map_err(|error| ArchiveError::Document(Box::new(error)))?;
    as_of_without(ctx, pass, columns).await
}

/// A table as it was wished after a reading.
pub(crate) async fn as_of<R: Row>(ctx: &Context, pass: Pass) -> Result<Wish<R>, ArchiveError> {
    as_of_without(ctx, pass, &[]).await
}

/// The same, with columns left unread.
pub(crate) async fn as_of_without<R: Row>(
    ctx: &Context,
    pass: Pass,
    columns: &[&str],
) -> Result<Wish<R>, ArchiveError> {
    projected(ctx, pass, |table: TableReader<R>| table.without(columns)).await
}

/// The same, with all columns left unread but these and the sort key.
pub(crate) async fn as_of_with_only<R: Row>(
    ctx: &Context,
    pass: Pass,
    columns: &[&str],
) -> Result<Wish<R>, ArchiveError> {
    projected(ctx, pass, |table: TableReader<R>| table.with_only(columns)).await
}

async fn projected<R: Row>(
    ctx: &Context,
    pass: Pass,
    project: impl Fn(TableReader<R>) -> Result<TableReader<R>, SnapshotError>,
) -> Result<Wish<R>, ArchiveError> {
    let layer = match pass {
        Pass::Full => None,
        pass if archive::is_sealed(ctx, &ctx.run, pass, R::SCHEMA).await? => {
            Some(project(archive::open::<R>(ctx, &ctx.run, pass).await?)?)
        }
        _ => None,
    };
    let Some(object) = object_of(R::SCHEMA) else {
        let whole = match layer {
            Some(layer) => layer,
            None => archive::open::<R>(ctx, &ctx.run, Pass::Full).await?,
        };
        return Ok(Wish { base: Some(whole.peekable()), layer: None, scope: Arc::default() });
    };
    let scope = match pass {
        Pass::Full => BTreeSet::new(),
        pass => scope(ctx, pass, object).await?,
    };
    let base = project(archive::open::<R>(ctx, &ctx.run, Pass::Full).await?)?;
    Ok(Wish { base: Some(base.peekable()), layer: layer.map(Iterator::peekable), scope: Arc::new(scope) })
}

/// Which passes of the tables are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layers {
    /// The full pass with what deltas changed laid over.
    Newest,
    /// What one pass wrote, and nothing else.
    Only(Pass),
}

/// A table as it is wished, to be read several times without asking the store again.
pub(crate) struct WishParts<R: Row> {
    base: Parts<R>,
    layer: Option<Parts<R>>,
    scope: Arc<BTreeSet<Key>>,
}

impl<R: Row> WishParts<R> {
    /// Its rows from the beginning.
    pub(crate) fn open(&self) -> Result<Wish<R>, SnapshotError> {
        let layer = self.layer.as_ref().map(Parts::open).transpose()?;
        Ok(Wish {
            base: Some(self.base.open()?.peekable()),
            layer: layer.map(Iterator::peekable),
            scope: Arc::clone(&self.scope),
        })
    }
}

/// Finds a table of some layers without reading it.
pub(crate) async fn parts<R: Row>(ctx: &Context, layers: Layers) -> Result<WishParts<R>, ArchiveError> {
    let pass = match layers {
        Layers::Only(pass) => {
            let base = archive::parts(ctx, &ctx.run, pass).await?;
            return Ok(WishParts { base, layer: None, scope: Arc::default() });
        }
        Layers::Newest => deltas::wish(ctx).await.map_err(|error| ArchiveError::Document(Box::new(error)))?,
    };
    let layer: Option<Parts<R>> = match pass {
        Pass::Full => None,
        pass if archive::is_sealed(ctx, &ctx.run, pass, R::SCHEMA).await? => {
            Some(archive::parts(ctx, &ctx.run, pass).await?)
        }
        _ => None,
    };
    let Some(object) = object_of(R::SCHEMA) else {
        let base = match layer {
            Some(layer) => layer,
            None => archive::parts(ctx, &ctx.run, Pass::Full).await?,
        };
        return Ok(WishParts { base, layer: None, scope: Arc::default() });
    };
    let scope = match pass {
        Pass::Full => BTreeSet::new(),
        pass => scope(ctx, pass, object).await?,
    };
    Ok(WishParts { base: archive::parts(ctx, &ctx.run, Pass::Full).await?, layer, scope: Arc::new(scope) })
}

/// Whether the table is there in this wish.
pub(crate) async fn is_there(
    ctx: &Context,
    pass: Pass,
    table: &'static TableSchema,
) -> Result<bool, ArchiveError> {
    archive::is_sealed(ctx, &ctx.run, pass, table).await
}

async fn scope(ctx: &Context, pass: Pass, object: &str) -> Result<BTreeSet<Key>, ArchiveError> {
    let mut keys = BTreeSet::new();
    for row in archive::open::<ControlDeltaScope>(ctx, &ctx.run, pass).await? {
        let row = row?;
        if row.object == object {
            keys.insert(parent(&row.external_id));
        }
    }
    Ok(keys)
}

/// Rows of some records, as they were wished after a reading.
pub(crate) async fn some<R: Row>(
    ctx: &Context,
    pass: Pass,
    parents: &BTreeSet<Key>,
) -> Result<Vec<R>, ArchiveError> {
    if parents.is_empty() || !archive::is_sealed(ctx, &ctx.run, Pass::Full, R::SCHEMA).await? {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    let mut of_base = parents.clone();
    if pass != Pass::Full && archive::is_sealed(ctx, &ctx.run, pass, R::SCHEMA).await? {
        let changed = scope(ctx, pass, object_of(R::SCHEMA).unwrap_or_default()).await?;
        of_base.retain(|key| !changed.contains(key));
        let layer = archive::open::<R>(ctx, &ctx.run, pass).await?;
        for row in layer.only(parents)? {
            rows.push(row?);
        }
    }
    let base = archive::open::<R>(ctx, &ctx.run, Pass::Full).await?;
    for row in base.only(&of_base)? {
        rows.push(row?);
    }
    rows.sort_by_key(Row::key);
    Ok(rows)
}
