//! The stage of a rehearsal: its folder, its stores, the stand-in, and the contexts that steps are given there.
//!
//! Deliberately absent: what is played on it (see `commands::rehearse`).

pub(crate) mod compare;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use connectors::clock::RealClock;
use connectors::config::{Config, GorgiasConfig};
use connectors::connect::{self, Surroundings};
use connectors::http::log::{HttpLog, NdjsonLog};
use connectors::place::StorePlace;
use migration::pacer::Bucket;
use pipeline::context::Context;
use pipeline::rehearsal::Told;
use pipeline::stop::Stop;
use serde_json::Value;
use snapshot::RunId;
use twins::gorgias::{self, AccountCopy};

use crate::failure::{Failure, catalogue};
use crate::project;
use crate::screen::Screen;

/// Folder of all rehearsals, below the migration's own.
const FOLDER: &str = "rehearsals";
/// Store of the steps that are rehearsed.
const STORE: &str = "store";
/// Store of what was read of the real account.
const LOOK: &str = "look";
/// The report; with it a rehearsal is over.
pub(crate) const REPORT: &str = "rehearsal.json";
/// The same for people.
pub(crate) const TEXT: &str = "rehearsal.txt";
/// Seats beyond the users who are there.
const SEATS: usize = 10_000;

/// Numbers of rehearsals that there are, in order.
fn numbers(folder: &Path) -> std::io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(entries) => {
            for entry in entries {
                numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
            }
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn folder_of(config: &Config) -> PathBuf {
    project::folder(config).join(FOLDER)
}

/// Removes all rehearsals; gives back how many there were.
pub(crate) fn remove_all(config: &Config) -> Result<usize, Failure> {
    let folder = folder_of(config);
    let count = numbers(&folder)?.len();
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(count),
    }
}

/// A rehearsal's place.
pub(crate) struct Stage {
    /// Counts the rehearsals.
    pub(crate) number: u32,
    /// Where everything of it lies.
    pub(crate) folder: PathBuf,
    /// One that was begun and has no report.
    pub(crate) interrupted: Option<PathBuf>,
    config: Config,
    scratch: PathBuf,
    stop: Stop,
    log: Arc<dyn HttpLog>,
}

impl Stage {
    /// Makes the folder of a new rehearsal.
    pub(crate) fn new(config: &Config, whole: &Context) -> Result<Self, Failure> {
        let all = folder_of(config);
        let numbers = numbers(&all)?;
        let last = numbers.last().copied().unwrap_or(0);
        let place = |number: u32| all.join(format!("{number:04}"));
        let is_over = place(last).join(REPORT).is_file();
        let interrupted = (last > 0 && !is_over).then(|| place(last));
        let folder = place(last + 1);
        std::fs::create_dir_all(&folder)?;
        let log: Arc<dyn HttpLog> = Arc::new(NdjsonLog::new(project::http_log(&folder)?));
        Ok(Self {
            number: last + 1,
            interrupted,
            config: config.clone(),
            scratch: whole.scratch.clone(),
            stop: whole.stop.clone(),
            log,
            folder,
        })
    }

    async fn connected(
        &self,
        screen: &Screen,
        config: &Config,
        run: &RunId,
        store: PathBuf,
    ) -> Result<Context, Failure> {
        let store = connect::open_store(&StorePlace::Folder(store)).await?;
        let surroundings = Surroundings {
            clock: Arc::new(RealClock::new()),
            progress: screen.progress(),
            log: Arc::clone(&self.log),
        };
        let scratch = self.scratch.join(FOLDER);
        let mut context = connect::connect(config, run.clone(), scratch, store, surroundings)?;
        context.stop = self.stop.clone();
        context.limits.ledger.is_exclusive = true;
        context.limits.rollback_hold = Duration::ZERO;
        context.limits.hours = None;
        Ok(context)
    }

    /// The real account, to be read; what is read is kept beside the rehearsal.
    pub(crate) async fn look(&self, screen: &Screen, run: &RunId) -> Result<Context, Failure> {
        self.connected(screen, &self.config, run, self.folder.join(LOOK)).await
    }

    /// LeadDesk and the rehearsal's store, before there is a stand-in.
    pub(crate) async fn reading(&self, screen: &Screen, run: &RunId) -> Result<Context, Failure> {
        self.connected(screen, &self.config, run, self.folder.join(STORE)).await
    }

    /// What LeadDesk answered in a rehearsal that was interrupted.
    pub(crate) async fn left_by(
        &self,
        screen: &Screen,
        run: &RunId,
        folder: &Path,
    ) -> Result<Context, Failure> {
        self.connected(screen, &self.config, run, folder.join(STORE)).await
    }

    /// LeadDesk and the stand-in.
    pub(crate) async fn played(
        &self,
        screen: &Screen,
        run: &RunId,
        stand_in: &StandIn,
    ) -> Result<Context, Failure> {
        let mut config = self.config.clone();
        config.gorgias = stand_in.access.clone();
        self.connected(screen, &config, run, self.folder.join(STORE)).await
    }
}

/// The stand-in, running.
pub(crate) struct StandIn {
    /// The twin.
    pub(crate) twin: gorgias::Running,
    /// The limit of the real account.
    pub(crate) bucket: Bucket,
    access: GorgiasConfig,
}

/// An account that a stand-in will hold.
pub(crate) struct Feeding {
    config: gorgias::Config,
    copy: AccountCopy,
    bucket: Bucket,
    service_user: u64,
    real: GorgiasConfig,
}

impl Feeding {
    /// Nothing of the account `domain` yet, whose limit this is.
    pub(crate) fn new(config: &Config, domain: &str, service_user: u64, bucket: Bucket, scale: f64) -> Self {
        let mut twin = gorgias::Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            domain: domain.to_owned(),
            email: config.gorgias.email.clone(),
            bucket: gorgias::Bucket {
                capacity: bucket.capacity,
                window_seconds: bucket.window.as_secs_f64(),
            },
            time_scale: scale,
            ..gorgias::Config::default()
        };
        twin.switches.seats_max = SEATS;
        let real = config.gorgias.clone();
        Self { copy: AccountCopy::new(&twin), config: twin, bucket, service_user, real }
    }

    /// Takes a record over, as the real account answered it.
    pub(crate) fn take(&mut self, told: Told<'_>, json: &str) {
        let row: Value = serde_json::from_str(json).unwrap_or_default();
        match told {
            Told::User => self.copy.user(&row, row["id"].as_u64() == Some(self.service_user)),
            Told::Team => self.copy.team(&row),
            Told::Tag => self.copy.tag(&row),
            Told::Field => self.copy.field(&row),
            Told::Rule => self.copy.rule(&row),
            Told::Integration => self.copy.integration(&row),
            Told::Setting { id, kind } => self.copy.setting(id, kind, &row),
            Told::Customer => self.copy.customer(&row),
            Told::Ticket => self.copy.ticket(&row),
        }
    }

    /// What it holds, and what it does not.
    pub(crate) fn copy(&self) -> &AccountCopy {
        &self.copy
    }

    /// Serves the account on loopback.
    pub(crate) async fn start(self) -> Result<StandIn, Failure> {
        let (scale, api_key) = (self.config.time_scale, self.config.api_key.clone());
        let failed = || Failure::new(&catalogue::TWIN_START, "cannot serve the stand-in of Gorgias");
        let started = gorgias::start_copy(self.config, self.copy).await;
        let twin = started.map_err(|error| failed().because(&error))?;
        let bucket_here = Bucket { window: self.bucket.window.div_f64(scale), ..self.bucket };
        let access = self.real.at(&twin.base_url(), &api_key, bucket_here).ok_or_else(failed)?;
        Ok(StandIn { twin, bucket: self.bucket, access })
    }
}
