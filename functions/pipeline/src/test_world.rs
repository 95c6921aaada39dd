//! A world in memory for tests of steps: a store, a clock, a LeadDesk that misbehaves on request, a Gorgias to look at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use migration::local_time::SourceZone;
use migration::settings::MappingSettings;
use tokio::sync::Notify;

use crate::context::{Context, Limits, Stated};
use crate::ports::clock::Clock;
use crate::ports::gorgias::Gorgias;
use crate::ports::leaddesk::{
    FetchedRecording, LeadDesk, ListItem, PhoneHistory, REST_PAGE_ITEMS, RecordingError, RestPage, Sound,
    SourceError,
};
use crate::ports::store::{Key, Put, Store, StoreError};
use crate::progress::Silent;

mod gorgias;

pub(crate) use gorgias::{Changed, FakeGorgias};

/// Objects in memory.
#[derive(Default)]
pub(crate) struct MemoryStore {
    pub(crate) objects: Mutex<BTreeMap<Key, Bytes>>,
    /// Points passed: two for every write, one before and one after it.
    points: AtomicU64,
    /// The process dies at this point; 0 never.
    die_at: AtomicU64,
    died: Notify,
}

impl MemoryStore {
    async fn pass(&self) {
        let point = self.points.fetch_add(1, Ordering::Relaxed) + 1;
        if self.die_at.load(Ordering::Relaxed) == point {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Runs until the end, or until the process dies at the point; `None` means dead.
    pub(crate) async fn until_death<T>(&self, point: u64, run: impl Future<Output = T>) -> Option<T> {
        self.points.store(0, Ordering::Relaxed);
        self.die_at.store(point, Ordering::Relaxed);
        let ended = tokio::select! {
            biased;
            () = self.died.notified() => None,
            ended = run => Some(ended),
        };
        self.die_at.store(0, Ordering::Relaxed);
        ended
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn put_new(&self, key: &Key, body: Bytes) -> Result<Put, StoreError> {
        self.pass().await;
        let put = {
            let mut objects = self.objects.lock().expect("no panic while held");
            let kept = objects.entry(key.clone()).or_insert_with(|| body.clone());
            if *kept == body { Put::Created } else { Put::AlreadyThere }
        };
        self.pass().await;
        Ok(put)
    }

    async fn put_new_file(&self, key: &Key, path: &Path) -> Result<Put, StoreError> {
        self.put_new(key, Bytes::from(std::fs::read(path).expect("a file of ours"))).await
    }

    async fn get(&self, key: &Key) -> Result<Bytes, StoreError> {
        let objects = self.objects.lock().expect("no panic while held");
        objects.get(key).cloned().ok_or_else(|| StoreError::NotFound { key: key.clone() })
    }

    async fn local_copy(&self, key: &Key, scratch: &Path) -> Result<PathBuf, StoreError> {
        let bytes = self.get(key).await?;
        let path = scratch.join(key.as_str().replace('/', "_"));
        std::fs::write(&path, bytes).expect("scratch is writable");
        Ok(path)
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let start = format!("{prefix}/");
        let objects = self.objects.lock().expect("no panic while held");
        Ok(objects.keys().filter(|key| key.as_str().starts_with(&start)).cloned().collect())
    }
}

/// Every look at the clock is a second later.
#[derive(Default)]
pub(crate) struct TickingClock(AtomicI64);

#[async_trait]
impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        let second = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_second(1_780_000_000 + second).expect("within range")
    }
    fn elapsed_nanoseconds(&self) -> u64 {
        0
    }
    async fn sleep(&self, _duration: Duration) {}
}

/// What goes wrong at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// The answer to this contact is no answer, whatever is tried.
    UnusableContact(u64),
    /// An object is added in front of the users while they are paged, once.
    UserAddedWhilePaging,
    /// `_meta.count` of users is one too many for ever.
    UsersNeverAddUp,
    /// Wrong credentials.
    Credentials,
    /// Neither this recording nor any other can be downloaded.
    RecordingHostDown,
}

/// A small LeadDesk account.
#[derive(Default)]
pub(crate) struct FakeLeadDesk {
    pub(crate) users: Vec<String>,
    pub(crate) campaigns: Vec<String>,
    pub(crate) lists: Vec<(String, String)>,
    pub(crate) exports: BTreeMap<String, String>,
    pub(crate) contacts: BTreeMap<u64, String>,
    pub(crate) histories: BTreeMap<String, Vec<String>>,
    /// Sound by file name; none stands for one that is larger than any.
    pub(crate) recordings: BTreeMap<String, Option<Vec<u8>>>,
    pub(crate) fault: Mutex<Fault>,
    pub(crate) asked: Mutex<BTreeMap<String, u64>>,
    /// Asks to stop when so many requests have come in all.
    pub(crate) stop_at: Mutex<Option<(u64, crate::stop::Stop)>>,
}

impl FakeLeadDesk {
    fn ask(&self, what: &str) -> Result<Fault, SourceError> {
        let all: u64 = {
            let mut asked = self.asked.lock().expect("no panic while held");
            *asked.entry(what.to_owned()).or_default() += 1;
            asked.values().sum()
        };
        let due = self.stop_at.lock().expect("no panic while held").take_if(|(at, _)| *at == all);
        if let Some((_, stop)) = due {
            stop.request();
        }
        let fault = *self.fault.lock().expect("no panic while held");
        if fault == Fault::Credentials {
            return Err(SourceError::Credentials { request: what.to_owned() });
        }
        Ok(fault)
    }

    pub(crate) fn asked(&self, what: &str) -> u64 {
        self.asked.lock().expect("no panic while held").get(what).copied().unwrap_or(0)
    }

    fn page(items: &[String], page: u32, announced: usize) -> RestPage {
        let size = usize::try_from(REST_PAGE_ITEMS).expect("small");
        let start = usize::try_from(page - 1).expect("small") * size;
        let items = items.iter().skip(start).take(size).cloned().collect();
        RestPage { announced: u64::try_from(announced).expect("small"), items }
    }
}

#[async_trait]
impl LeadDesk for FakeLeadDesk {
    async fn lists(&self) -> Result<Vec<ListItem>, SourceError> {
        self.ask("lists")?;
        let item = |(id, name): &(String, String)| ListItem {
            id: id.clone(),
            name: name.clone(),
            raw_json: serde_json::json!({ "id": id, "name": name }).to_string(),
        };
        Ok(self.lists.iter().map(item).collect())
    }

    async fn list_export(&self, list_id: &str) -> Result<Bytes, SourceError> {
        self.ask("export")?;
        Ok(Bytes::from(self.exports.get(list_id).cloned().unwrap_or_default()))
    }

    async fn contact(&self, contact_id: &str) -> Result<String, SourceError> {
        let fault = self.ask("contact")?;
        let id: u64 = contact_id.parse().expect("an id");
        if fault == Fault::UnusableContact(id) {
            return Err(SourceError::Unusable {
                request: "contact/get".into(),
                why: "HTML instead of JSON".into(),
            });
        }
        let answer = self.contacts.get(&id).cloned();
        answer.ok_or_else(|| SourceError::NotFound { request: "contact/get".into() })
    }

    async fn call(&self, _call_id: &str) -> Result<String, SourceError> {
        Err(SourceError::NotFound { request: "call/get".into() })
    }

    async fn users(&self, page: u32) -> Result<RestPage, SourceError> {
        match self.ask("users")? {
            Fault::UserAddedWhilePaging if page == 1 => Ok(Self::page(&self.users, page, self.users.len())),
            Fault::UserAddedWhilePaging => {
                *self.fault.lock().expect("no panic while held") = Fault::None;
                // One object more in front: the last of page 1 comes again as the first of page 2.
                let mut shifted = vec![r#"{"id":1}"#.to_owned()];
                shifted.extend(self.users.iter().cloned());
                Ok(Self::page(&shifted, page, shifted.len()))
            }
            Fault::UsersNeverAddUp => Ok(Self::page(&self.users, page, self.users.len() + 1)),
            _ => Ok(Self::page(&self.users, page, self.users.len())),
        }
    }

    async fn campaigns(&self, page: u32) -> Result<RestPage, SourceError> {
        self.ask("campaigns")?;
        Ok(Self::page(&self.campaigns, page, self.campaigns.len()))
    }

    async fn phone_history(&self, phone: &str) -> Result<PhoneHistory, SourceError> {
        self.ask("history")?;
        let calls = self.histories.get(phone).cloned().unwrap_or_default();
        Ok(PhoneHistory { raw_json: "{}".into(), calls })
    }

    async fn recording_exists(&self, _file_name: &str) -> Result<bool, SourceError> {
        Ok(false)
    }

    async fn recording(&self, file_name: &str, scratch: &Path) -> Result<FetchedRecording, RecordingError> {
        let fault = self.ask(&format!("recording {file_name}")).map_err(RecordingError::Address)?;
        if fault == Fault::RecordingHostDown {
            return Err(RecordingError::NoAnswer("nobody is there".into()));
        }
        let bytes = self.recordings.get(file_name).ok_or(RecordingError::Gone)?;
        let bytes = bytes.as_ref().ok_or(RecordingError::TooLarge { bytes_max: 3 })?;
        let sound = Sound::of(bytes).ok_or(RecordingError::NotSound)?;
        let file = tempfile::NamedTempFile::new_in(scratch).map_err(RecordingError::Scratch)?;
        std::fs::write(file.path(), bytes).map_err(RecordingError::Scratch)?;
        let sha256 = crate::ledger::key::sha256_hex(bytes);
        Ok(FetchedRecording { path: file.into_temp_path(), bytes: bytes.len() as u64, sha256, sound })
    }

    fn requests(&self) -> BTreeMap<String, u64> {
        self.asked.lock().expect("no panic while held").clone()
    }
}

/// A world with its folders.
pub(crate) struct World {
    pub(crate) ctx: Context,
    pub(crate) source: Arc<FakeLeadDesk>,
    pub(crate) store: Arc<MemoryStore>,
    _folder: tempfile::TempDir,
}

impl World {
    /// A world around this account; the operator's folder is empty.
    pub(crate) fn new(source: FakeLeadDesk) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (source, store) = (Arc::new(source), Arc::new(MemoryStore::default()));
        let destination: Arc<dyn Gorgias> = Arc::new(FakeGorgias::default());
        for name in ["files", "scratch"] {
            std::fs::create_dir(folder.path().join(name)).expect("a new folder");
        }
        let zone = SourceZone::new("Europe/Helsinki").expect("a zone");
        let ctx = Context {
            migration: "acme".into(),
            run: "2026-11-22-a1".parse().expect("a run"),
            pass: snapshot::Pass::Full,
            held_open: crate::archive::HeldOpen::default(),
            store: store.clone(),
            source: source.clone(),
            destination,
            suggester: None,
            clock: Arc::new(TickingClock::default()),
            progress: Arc::new(Silent),
            files: folder.path().join("files"),
            scratch: folder.path().join("scratch"),
            mapping: MappingSettings::new(zone, "FI".parse().expect("a region")),
            limits: Limits { stated: Stated::inside(), ..Limits::default() },
            stop: crate::stop::Stop::default(),
            hours: None,
        };
        Self { ctx, source, store, _folder: folder }
    }

    /// Puts a file into the operator's folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.ctx.files.join(name), content).expect("written");
    }

    /// Names of stored objects that contain a text.
    pub(crate) fn stored(&self, part: &str) -> Vec<String> {
        let objects = self.store.objects.lock().expect("no panic while held");
        objects.keys().map(ToString::to_string).filter(|key| key.contains(part)).collect()
    }

    /// Forgets stored objects that contain a text.
    pub(crate) fn forget(&self, part: &str) {
        self.store.objects.lock().expect("no panic while held").retain(|key, _| !key.as_str().contains(part));
    }

    /// Every stored byte in one text, for looking after what must not be there.
    pub(crate) fn all_text(&self) -> String {
        let objects = self.store.objects.lock().expect("no panic while held");
        objects.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}
