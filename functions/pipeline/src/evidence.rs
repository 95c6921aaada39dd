//! Who but us acted on which records, as the account's audit log tells.
//!
//! Deliberately absent: judging what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use migration::gorgias::UserId;
use snapshot::Pass;
use snapshot::tables::FoundUser;

use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::listing::walk;
use crate::ports::gorgias::{AuditEvent, ReadError, User};

/// Events are read again from a little before the last one seen: two of one moment may show up one after the other.
const OVERLAP: SignedDuration = SignedDuration::from_secs(60);
/// What customers do is done by no user. Everything else that nobody did, the server did by itself.
const BY_CUSTOMERS: &str = "ticket-message-created";
/// The target of a merge is what this event names; its source is gone.
const MERGED: &str = "customer-merged";

/// Why the log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The users before the run.
    #[error("cannot read who the account's users were")]
    Archive(#[from] ArchiveError),
    /// Reading Gorgias.
    #[error("cannot read the account's log")]
    Read(#[from] ReadError),
}

impl EvidenceError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Read(ReadError::Credentials { .. }) => "GOR101",
            Self::Read(_) => "GOR102",
        }
    }
}

/// A ticket moved in or out of the trash; of two, the one that happened later is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct TrashMove {
    at: Timestamp,
    event: u64,
    is_in: bool,
}

/// Records that somebody else acted on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// With the moment of what they did last.
    records: BTreeMap<(String, u64), Timestamp>,
    /// By ticket, what somebody else last did with the trash.
    trash: BTreeMap<u64, TrashMove>,
    has_merges: bool,
    /// Moment of the newest event that was seen, by the account's clock.
    until: Option<Timestamp>,
}

impl Touched {
    /// Whether somebody else acted on the record; `kind` is the log's word, such as `Ticket`.
    pub(crate) fn holds(&self, kind: &str, id: u64) -> bool {
        self.records.contains_key(&(kind.to_owned(), id))
    }

    /// Whether somebody else acted on the record later than at this moment, by the account's clock.
    pub(crate) fn holds_after(&self, kind: &str, id: u64, at: Timestamp) -> bool {
        self.records.get(&(kind.to_owned(), id)).is_some_and(|last| *last > at)
    }

    /// Moment of the newest event that was seen, whoever caused it.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Ids of all records of a kind that somebody else acted on.
    pub(crate) fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = u64> + '_ {
        self.records.keys().filter(move |(held, _)| held == kind).map(|(_, id)| *id)
    }

    /// Whether somebody merged customers.
    pub(crate) fn has_merges(&self) -> bool {
        self.has_merges
    }

    /// Whether somebody else wants the ticket in the trash.
    pub(crate) fn trashed(&self, ticket: u64) -> bool {
        self.trash.get(&ticket).is_some_and(|moved| moved.is_in)
    }

    /// From when on the log has to be read again.
    pub(crate) fn resume_from(&self, otherwise: Timestamp) -> Timestamp {
        earlier(self.until.unwrap_or(otherwise))
    }

    fn take(&mut self, event: &AuditEvent, service_user: UserId) {
        self.until = self.until.max(Some(event.at));
        let is_theirs = match event.user {
            Some(user) => user != service_user,
            None => event.kind == BY_CUSTOMERS,
        };
        if is_theirs {
            self.has_merges |= event.kind == MERGED;
            match event.kind.as_str() {
                "ticket-trashed" | "ticket-deleted" => self.moved(event, true),
                "ticket-untrashed" => self.moved(event, false),
                _ => {}
            }
            self.acted((event.object_type.clone(), event.object), event.at);
        }
    }

    fn acted(&mut self, record: (String, u64), at: Timestamp) {
        let last = self.records.entry(record).or_insert(at);
        *last = at.max(*last);
    }

    fn moved(&mut self, event: &AuditEvent, is_in: bool) {
        self.last_move(event.object, TrashMove { at: event.at, event: event.id, is_in });
    }

    fn last_move(&mut self, ticket: u64, moved: TrashMove) {
        let last = self.trash.entry(ticket).or_insert(moved);
        *last = moved.max(*last);
    }

    /// Both together, whichever was read first.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.until = self.until.max(other.until);
        self.has_merges |= other.has_merges;
        for (record, at) in other.records {
            self.acted(record, at);
        }
        for (ticket, moved) in other.trash {
            self.last_move(ticket, moved);
        }
    }
}

fn earlier(at: Timestamp) -> Timestamp {
    at.checked_sub(OVERLAP).unwrap_or(at)
}

/// Everything that the account's other users did since a moment. Our own events, several for each record, are not
/// read: each other user is asked for.
pub(crate) async fn by_others(
    ctx: &Context,
    service_user: UserId,
    since: Timestamp,
) -> Result<Touched, EvidenceError> {
    let mut users = BTreeSet::new();
    for row in archive::open::<FoundUser>(ctx, &ctx.run, Pass::Before).await? {
        users.extend(row.map_err(ArchiveError::from)?.gorgias_user_id.parse().ok().map(UserId));
    }
    let fetch = |cursor| {
        let gorgias = std::sync::Arc::clone(&ctx.destination);
        Box::pin(async move { gorgias.users(Option::as_ref(&cursor)).await }) as _
    };
    walk::<User, EvidenceError>(fetch, |raw| {
        users.insert(raw.record.id);
        Ok(())
    })
    .await?;
    users.remove(&service_user);
    let mut touched = Touched::default();
    for user in users {
        touched.absorb(read(ctx, service_user, earlier(since), Some(user)).await?);
    }
    Ok(touched)
}

/// Everything that happened since a moment and was not our doing.
pub(crate) async fn since(
    ctx: &Context,
    service_user: UserId,
    since: Timestamp,
) -> Result<Touched, EvidenceError> {
    read(ctx, service_user, since, None).await
}

async fn read(
    ctx: &Context,
    service_user: UserId,
    since: Timestamp,
    user: Option<UserId>,
) -> Result<Touched, EvidenceError> {
    let mut touched = Touched::default();
    let fetch = |cursor| {
        let gorgias = std::sync::Arc::clone(&ctx.destination);
        Box::pin(async move { gorgias.events(since, user, Option::as_ref(&cursor)).await }) as _
    };
    walk::<AuditEvent, EvidenceError>(fetch, |raw| {
        touched.take(&raw.record, service_user);
        Ok(())
    })
    .await?;
    Ok(touched)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, user: Option<u64>, second: i64) -> AuditEvent {
        AuditEvent {
            id: 1,
            kind: kind.to_owned(),
            object_type: "Ticket".to_owned(),
            object: 7,
            user: user.map(UserId),
            at: Timestamp::from_second(second).expect("in range"),
        }
    }

    #[test]
    fn what_people_and_customers_do_counts_and_what_we_or_the_server_do_does_not() {
        let check = |kind: &str, user: Option<u64>, expected: bool| {
            let mut touched = Touched::default();
            touched.take(&event(kind, user, 100), UserId(1));
            assert_eq!(touched.holds("Ticket", 7), expected, "{kind} by {user:?}");
            assert!(!touched.holds("Customer", 7));
        };
        check("ticket-updated", Some(2), true);
        check("ticket-updated", Some(1), false);
        check("ticket-message-created", None, true);
        check("ticket-satisfaction-survey-skipped", None, false);
    }

    #[test]
    fn the_later_move_decides_in_whichever_order_the_log_was_read() {
        let seen = |kind: &str, user: u64, second: i64| {
            let mut touched = Touched::default();
            touched.take(&event(kind, Some(user), second), UserId(1));
            touched
        };
        let check = |one: &Touched, other: &Touched, is_in: bool| {
            let mut both = one.clone();
            both.absorb(other.clone());
            assert_eq!(both.trashed(7), is_in);
        };
        let (first, second) = (seen("ticket-trashed", 2, 100), seen("ticket-untrashed", 3, 200));
        check(&first, &second, false);
        check(&second, &first, false);
        let third = seen("ticket-trashed", 2, 300);
        check(&second, &third, true);
        check(&third, &second, true);
    }

    #[test]
    fn the_log_is_read_again_from_before_the_newest_event() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let mut touched = Touched::default();
        assert_eq!(touched.resume_from(at(500)), at(440));
        touched.take(&event("x", Some(1), 900), UserId(1));
        touched.take(&event("x", Some(1), 800), UserId(1));
        assert_eq!(touched.resume_from(at(500)), at(840));
    }
}
