//! A trial run over a few records that show everything: a run of its own, marked by `runs/<run>/sample.json`.
//!
//! A sample takes over what was discovered, proposed, chosen and approved in another run, and then runs the same steps.
//! Only `transform` knows of it: it wishes for the chosen records and what they need, and names every other record as
//! outside of the sample. Its ledger is that of the account, so that any later run finds what it wrote, and a rollback
//! takes it back like every other. Deliberately absent: the choice (see `migration::sample`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshot::RunId;

use crate::context::Context;
use crate::documents::{answers, approval};
use crate::losses;
use crate::ports::store::{InvalidKey, Key, Put, StoreError};
use crate::run_folder::{self, DocumentError};

/// With this document a run is a sample.
pub const MARK: &str = "sample.json";
/// What was chosen.
const CHOSEN: &str = "sample-chosen.json";
/// Documents that a sample takes over from the run that it is a sample of, when they are there.
const TAKEN: [&str; 5] = ["inventory.json", "scope.json", "scope.md", "suggestions.json", "mapping.json"];
/// Folders that a sample takes over.
const TAKEN_FOLDERS: [&str; 4] = ["proposals", answers::FOLDER, approval::FOLDER, "loss"];

/// Why there is no sample, or nothing may be done with one.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// A document.
    #[error("cannot read or keep what the sample is")]
    Document(#[from] DocumentError),
    /// The store.
    #[error("cannot reach the sample in the store")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name a document of the sample")]
    Key(#[from] InvalidKey),
    /// The run is none of a whole migration.
    #[error("run {run} is a sample of run {of}, and {what} needs a run of everything")]
    OnlySample {
        /// The run.
        run: String,
        /// The run that it is a sample of.
        of: String,
        /// What was asked for.
        what: &'static str,
    },
    /// The name is another sample's.
    #[error("run {run} is another sample already")]
    Another {
        /// The run.
        run: String,
    },
}

impl SampleError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(_) | Self::Store(_) | Self::Key(_) => "STO101",
            Self::OnlySample { .. } => "SAM002",
            Self::Another { .. } => "SAM003",
        }
    }
}

/// What a sample shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredWish {
    #[serde(rename = "1")]
    V1(WishV1),
}

/// What a sample shall be, first form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WishV1 {
    /// The run whose discovery and approval it uses.
    pub of: String,
    /// Tickets, and customers without any, at the most.
    pub size: u32,
    /// Seed of the choice.
    pub seed: u64,
    /// When it was asked for.
    pub asked_at: Timestamp,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredChosen {
    #[serde(rename = "1")]
    V1(ChosenV1),
}

/// What was chosen, first form. Ids and counts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenV1 {
    /// What was asked for.
    pub wish: WishV1,
    /// Tickets and customers without one, in the whole account.
    pub of_records: u64,
    /// Chosen tickets, by our key.
    pub tickets: Vec<String>,
    /// Customers that are written: those of the tickets, and chosen ones without a ticket; by our key.
    pub customers: Vec<String>,
    /// The smallest size by which every stratum is shown.
    pub size_needed: u32,
    /// Everything that the account shows, and how often the sample does.
    pub strata: Vec<StratumV1>,
    /// What no record that is written can show, by code: rules about definitions, and records that are not written.
    pub beyond: BTreeMap<String, u64>,
}

/// Something that records show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StratumV1 {
    /// `trouble`, `object`, `office` or `month`.
    pub kind: String,
    /// Which one.
    pub name: String,
    /// Records of the account.
    pub of: u64,
    /// Records of the sample.
    pub chosen: u64,
}

impl ChosenV1 {
    /// Everything that has a record in the account and none in the sample.
    pub fn missing(&self) -> impl Iterator<Item = &StratumV1> {
        self.strata.iter().filter(|stratum| stratum.chosen == 0)
    }

    /// What it is, what it shows one by one, and what it does not, for people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.heading();
        for (kind, what) in KINDS {
            let of_kind = self.strata.iter().filter(|stratum| stratum.kind == kind);
            let names: Vec<String> = of_kind
                .map(|stratum| format!("{} {} of {}", stratum.name, stratum.chosen, stratum.of))
                .collect();
            if !names.is_empty() {
                lines.push(format!("{}: {}", self.counted(kind, what), names.join(", ")));
            }
        }
        lines.extend(self.not_shown());
        lines
    }

    /// The same in a few lines.
    #[must_use]
    pub fn brief(&self) -> Vec<String> {
        let mut lines = self.heading();
        let counted = KINDS.map(|(kind, what)| self.counted(kind, what));
        lines.push(format!("Shown: {}", counted.join(", ")));
        lines.extend(self.not_shown());
        lines
    }

    fn heading(&self) -> Vec<String> {
        let WishV1 { of, size, seed, .. } = &self.wish;
        let (tickets, customers) = (self.tickets.len(), self.customers.len());
        vec![
            format!("Sample of run {of}, size {size}, seed {seed}: {tickets} tickets, {customers} customers"),
            format!(
                "It says nothing of the other records: {} tickets and customers without one can be moved",
                self.of_records
            ),
        ]
    }

    fn counted(&self, kind: &str, what: &str) -> String {
        let of_kind = || self.strata.iter().filter(|stratum| stratum.kind == kind);
        format!("{} of {} {what}", of_kind().filter(|stratum| stratum.chosen > 0).count(), of_kind().count())
    }

    fn not_shown(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let missing: Vec<String> =
            self.missing().map(|stratum| format!("{} {}", stratum.kind, stratum.name)).collect();
        if !missing.is_empty() {
            lines.push(format!(
                "Not shown, for lack of room: {}; --sample {} would show all",
                missing.join(", "),
                self.size_needed
            ));
        }
        if !self.beyond.is_empty() {
            let codes: Vec<String> =
                self.beyond.iter().map(|(code, count)| format!("{code} {count}")).collect();
            lines.push(format!(
                "Not shown, as no ticket or customer is written with it: {}",
                codes.join(", ")
            ));
        }
        lines
    }
}

/// Kinds of strata with their words, as they are told.
const KINDS: [(&str, &str); 4] = [
    ("object", "kinds of records"),
    ("trouble", "kinds of trouble"),
    ("office", "offices"),
    ("month", "months"),
];

/// What the run is a sample of; nothing when it is none.
///
/// # Errors
/// [`SampleError::Document`].
pub async fn wish(ctx: &Context) -> Result<Option<WishV1>, SampleError> {
    let stored: Option<StoredWish> = run_folder::get(ctx, &ctx.run_key(MARK)?).await?;
    Ok(stored.map(|StoredWish::V1(wish)| wish))
}

/// The same from the document's text, for who looks at many runs; nothing when it is no mark of a sample.
#[must_use]
pub fn wish_from(text: &[u8]) -> Option<WishV1> {
    serde_json::from_slice(text).ok().map(|StoredWish::V1(wish)| wish)
}

/// What was chosen; nothing before the transformation, and in a run that is no sample.
///
/// # Errors
/// [`SampleError::Document`].
pub async fn chosen(ctx: &Context) -> Result<Option<ChosenV1>, SampleError> {
    let stored: Option<StoredChosen> = run_folder::get(ctx, &ctx.run_key(CHOSEN)?).await?;
    Ok(stored.map(|StoredChosen::V1(chosen)| chosen))
}

/// Keeps what was chosen; the same choice again is success.
pub(crate) async fn keep(ctx: &Context, chosen: &ChosenV1) -> Result<(), SampleError> {
    run_folder::put(ctx, &ctx.run_key(CHOSEN)?, &StoredChosen::V1(chosen.clone())).await?;
    Ok(())
}

/// Refuses what needs a run of everything.
///
/// # Errors
/// [`SampleError::OnlySample`].
pub async fn refuse(ctx: &Context, what: &'static str) -> Result<(), SampleError> {
    match wish(ctx).await? {
        None => Ok(()),
        Some(wish) => Err(SampleError::OnlySample { run: ctx.run.to_string(), of: wish.of, what }),
    }
}

/// Makes `run` a sample of the run of `ctx`, with everything that was decided there. The mark is written last: without it
/// there is no sample.
///
/// # Errors
/// [`SampleError::Another`] when the name is taken by a sample of other numbers.
pub async fn begin(ctx: &Context, run: &RunId, wish: &WishV1) -> Result<(), SampleError> {
    let sample = Context { run: run.clone(), ..ctx.clone() };
    take_over(ctx, &sample).await?;
    let stored = StoredWish::V1(wish.clone());
    if run_folder::put(ctx, &sample.run_key(MARK)?, &stored).await? == Put::AlreadyThere {
        let held = self::wish(&sample).await?;
        let is_same = |held: &WishV1| WishV1 { asked_at: wish.asked_at, ..held.clone() } == *wish;
        if !held.as_ref().is_some_and(is_same) {
            return Err(SampleError::Another { run: run.to_string() });
        }
    }
    Ok(())
}

/// Copies what was discovered, proposed, chosen and approved in a run to another one, which may have another store.
pub(crate) async fn take_over(from: &Context, to: &Context) -> Result<(), SampleError> {
    for name in TAKEN {
        take(from, &from.run_key(name)?, to, &to.run_key(name)?).await?;
    }
    for folder in TAKEN_FOLDERS {
        take_folder(from, &from.run_key(folder)?, to, &to.run_key(folder)?).await?;
    }
    Ok(())
}

/// Copies everything below a folder.
pub(crate) async fn take_folder(
    from: &Context,
    folder: &Key,
    to: &Context,
    target: &Key,
) -> Result<(), SampleError> {
    // What an earlier transformation lost is counted anew.
    let keys = from.store.list(folder).await?;
    for key in keys.into_iter().filter(|key| !key.as_str().ends_with(losses::EXACT)) {
        let rest = key.as_str().strip_prefix(folder.as_str()).unwrap_or_default();
        take(from, &key, to, &Key::new(format!("{target}{rest}"))?).await?;
    }
    Ok(())
}

async fn take(from: &Context, key: &Key, to: &Context, target: &Key) -> Result<(), SampleError> {
    match from.store.get(key).await {
        Ok(body) => {
            to.store.put_new(target, body).await?;
            Ok(())
        }
        Err(StoreError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
