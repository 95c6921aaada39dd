//! Files of one ticket at a time, on their way to Gorgias before the ticket is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use migration::gorgias::CustomerId;
use migration::keys::ExternalId;
use migration::ledger::WriteKey;
use snapshot::tables::WantAttachment;

use super::drafts::TicketRows;
use crate::ledger::Ledger;
use crate::ledger::book::Book;
use crate::ledger::driver::{Action, Outcome, Reaction, WorkFailure, codes, plain, uploaded};
use crate::ledger::key::{self, Secret};
use crate::ledger::request::{Request, StoredFile};
use crate::ports::store::Key;

/// Where a file lies at Gorgias, as the ledger says; `None` when it was refused or never sent.
pub(crate) fn url_of(file: &WantAttachment, book: &Book, secret: &Secret) -> Option<String> {
    let key = key_of(file, secret);
    book.destination(&key)?;
    let note =
        book.note(&key).filter(|note| [codes::UPLOADED, codes::UPLOADED_AGAIN].contains(&note.code.as_str()));
    note.map(|note| note.text.clone())
}

fn key_of(file: &WantAttachment, secret: &Secret) -> WriteKey {
    key::upload(&ExternalId::from_stored(file.message_external_id.clone()), &file.sha256, secret)
}

/// A ticket whose files are on their way.
struct Waiting {
    rows: TicketRows,
    customer: CustomerId,
    /// Uploads without an outcome.
    left: BTreeSet<WriteKey>,
}

/// Uploads under way, and outcomes that the ledger does not show yet.
pub(crate) struct Uploads {
    migration: String,
    ready: VecDeque<Action>,
    /// Announced for the ticket that comes next.
    begun: BTreeSet<WriteKey>,
    waiting: Vec<Waiting>,
    /// Addresses by key; `None` for what was refused. Forgotten when the ledger shows them.
    settled: BTreeMap<WriteKey, Option<String>>,
    /// Sent more than once.
    repeated: BTreeSet<WriteKey>,
}

impl Uploads {
    pub(crate) fn new(migration: &str) -> Self {
        Self {
            migration: migration.to_owned(),
            ready: VecDeque::new(),
            begun: BTreeSet::new(),
            waiting: Vec::new(),
            settled: BTreeMap::new(),
            repeated: BTreeSet::new(),
        }
    }

    /// Where a file lies.
    pub(crate) fn url(&self, file: &WantAttachment, ledger: &Ledger) -> Option<String> {
        match self.settled.get(&key_of(file, ledger.secret())) {
            Some(settled) => settled.clone(),
            None => url_of(file, ledger.book(), ledger.secret()),
        }
    }

    /// Prepares the uploads that have no outcome yet; says whether there are any.
    pub(crate) fn begin(&mut self, due: &[WantAttachment], ledger: &Ledger) -> Result<bool, WorkFailure> {
        // What the ledger shows by now need not be remembered here.
        self.settled.retain(|key, _| !ledger.is_over(key));
        for file in due {
            let key = key_of(file, ledger.secret());
            if self.settled.contains_key(&key) || ledger.is_over(&key) {
                continue;
            }
            let stored = StoredFile {
                key: Key::new(format!("{}/{}", self.migration, file.store_key))?,
                name: file.file_name.clone(),
                content_type: file.content_type.clone(),
                sha256: file.sha256.clone(),
            };
            self.begun.insert(key.clone());
            self.ready.push_back(Action::new(key, Request::Upload(Box::new(stored))));
        }
        Ok(!self.begun.is_empty())
    }

    /// Keeps a ticket until the uploads that were begun for it have their outcome.
    pub(crate) fn wait(&mut self, rows: TicketRows, customer: CustomerId) {
        self.waiting.push(Waiting { rows, customer, left: std::mem::take(&mut self.begun) });
    }

    /// The next upload to announce.
    pub(crate) fn next(&mut self) -> Option<Action> {
        self.ready.pop_front()
    }

    /// Notes that an upload may lie at Gorgias twice.
    pub(crate) fn sent_again(&mut self, action: &Action) {
        if matches!(action.request, Request::Upload(_)) {
            self.repeated.insert(action.key.clone());
        }
    }

    /// What follows from the outcome of an upload. One that is refused costs its message the file, and nothing else.
    pub(crate) fn settle(&mut self, action: &Action, outcome: Outcome) -> Reaction {
        let (settled, reaction) = match outcome {
            Outcome::Uploaded(file) => {
                let again = self.repeated.remove(&action.key);
                let code = if again { codes::UPLOADED_AGAIN } else { codes::UPLOADED };
                (Some(file.url.clone()), uploaded(&file, code))
            }
            // A file that gets no answer however often must not keep its ticket: what may lie there hangs on nothing.
            Outcome::Unsettled => {
                (None, Reaction::refused(codes::UPLOAD_REFUSED, "no answer, also after several tries"))
            }
            Outcome::Refused { status, message } => {
                let text = format!("refused with {status}: {message}");
                (None, Reaction::refused(codes::UPLOAD_REFUSED, text))
            }
            other => (None, plain(other, migration::ledger::ReceiptClass::Created)),
        };
        self.settled.insert(action.key.clone(), settled);
        reaction
    }

    /// The ticket that waited for this upload alone.
    pub(crate) fn released(&mut self, key: &WriteKey) -> Option<(TicketRows, CustomerId)> {
        let place = self.waiting.iter().position(|waiting| waiting.left.contains(key))?;
        let waiting = &mut self.waiting[place];
        waiting.left.remove(key);
        if !waiting.left.is_empty() {
            return None;
        }
        let Waiting { rows, customer, .. } = self.waiting.swap_remove(place);
        Some((rows, customer))
    }
}
