//! What every step is given: the ports, the run, and where things are.

use std::path::PathBuf;
use std::sync::Arc;

use migration::cutover::Switch;
use migration::residency::Places;
use migration::settings::{MappingSettings, VanishedPolicy};
use migration::working_hours::WorkingHours;
use snapshot::{Pass, RunId};

use crate::archive::HeldOpen;
use crate::ports::clock::Clock;
use crate::ports::gorgias::Gorgias;
use crate::ports::leaddesk::LeadDesk;
use crate::ports::store::{InvalidKey, Key, Store};
use crate::ports::suggester::Suggester;
use crate::progress::Progress;
use crate::stop::Stop;

/// Everything that a step may use. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Folder of the migration in the store, such as `acme`.
    pub migration: String,
    /// The run.
    pub run: RunId,
    /// Which reading of LeadDesk the steps before the load work on: everything, or what a delta read.
    pub pass: Pass,
    /// Snapshots, ledger, reports.
    pub store: Arc<dyn Store>,
    /// Snapshots that stay open while a piece of work goes on.
    pub held_open: HeldOpen,
    /// LeadDesk.
    pub source: Arc<dyn LeadDesk>,
    /// Gorgias.
    pub destination: Arc<dyn Gorgias>,
    /// Adds suggestions to proposals, where one is configured.
    pub suggester: Option<Arc<dyn Suggester>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Receives what happens, for people and logs.
    pub progress: Arc<dyn Progress>,
    /// Folder of the operator's files and chatbot ZIPs on this machine.
    pub files: PathBuf,
    /// Folder for spills and downloads; may vanish at any time between steps.
    pub scratch: PathBuf,
    /// What `migration.toml` says about the mapping.
    pub mapping: MappingSettings,
    /// Limits and choices of the run.
    pub limits: Limits,
    /// Whether somebody asked to stop.
    pub stop: Stop,
    /// Hours that the step in hand keeps; see [`Limits::hours`].
    pub hours: Option<WorkingHours>,
}

/// People notice within a week what is missing.
const ROLLBACK_HOLD: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 60 * 60);

/// What the operator states about both accounts because neither tells it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stated {
    /// Where the data goes.
    pub places: Places,
    /// Host of LeadDesk's REST interface, which holds the zone of the account.
    pub source_zone: Option<String>,
    /// What LeadDesk costs while both systems run.
    pub parallel: Option<ParallelCosts>,
}

#[cfg(any(test, feature = "simulation"))]
impl Stated {
    /// Everything stays in the European Economic Area.
    pub(crate) fn inside() -> Self {
        let inside = || migration::residency::Place::Inside("FI".to_owned());
        Self { places: Places { store: inside(), destination: inside() }, ..Self::default() }
    }
}

/// What LeadDesk costs, as its contract says.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelCosts {
    /// Licences that are paid in any case.
    pub licences_min: u32,
    /// Price of one of them a month.
    pub licence_month: f64,
    /// Price of a minute of a call.
    pub minute: f64,
    /// Currency of both.
    pub currency: String,
}

/// Bounds of a run. Every one has a unit and a reason.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests to LeadDesk in flight (facts: no documented limit; four is a careful guess).
    pub source_in_flight: usize,
    /// Requests to Gorgias in flight: enough to fill the bucket at any round-trip time below two seconds.
    pub destination_in_flight: usize,
    /// Intents that one ledger segment announces; bounds the look-ups after a crash.
    pub group_intents: usize,
    /// Tickets or customers per batch of the load plan.
    pub batch_records: usize,
    /// Bytes that one table writer may hold before it spills.
    pub writer_bytes: usize,
    /// Share of permanently refused records, in percent, above which a stage stops.
    pub refused_percent_max: f64,
    /// Permanently refused records in a row after which a stage stops.
    pub refused_in_a_row_max: usize,
    /// Window of the chatbot export as the operator states it; `None` when not stated.
    pub chat_window: Option<(jiff::Timestamp, jiff::Timestamp)>,
    /// Risks accepted by their finding code, such as `DIS301`.
    pub accepted_findings: Vec<String>,
    /// How long a request may live, and since when a lock keeps other processes away; decides how long a start waits
    /// for what an earlier one left in doubt.
    pub ledger: crate::ledger::timing::Timing,
    /// What the operator states.
    pub stated: Stated,
    /// What becomes of records whose source vanished.
    pub vanished: VanishedPolicy,
    /// How long what a rollback removed stays in the trash before it may be removed for good.
    pub rollback_hold: std::time::Duration,
    /// In which order rules, surveys and webhooks come back, as it was agreed.
    pub restore_order: Vec<Switch>,
    /// Hours in which the steps that take long may keep Gorgias busy; all day when absent. Who is waited for keeps none:
    /// a delta, a cut-over, a repair, a rollback.
    pub hours: Option<WorkingHours>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_in_flight: 4,
            destination_in_flight: 4,
            group_intents: 20,
            batch_records: 500,
            writer_bytes: 32 * 1024 * 1024,
            refused_percent_max: 2.0,
            refused_in_a_row_max: 20,
            chat_window: None,
            accepted_findings: Vec::new(),
            ledger: crate::ledger::timing::Timing::default(),
            stated: Stated::default(),
            vanished: VanishedPolicy::Keep,
            rollback_hold: ROLLBACK_HOLD,
            restore_order: Switch::ALL.to_vec(),
            hours: None,
        }
    }
}

impl Context {
    /// Key under the migration's folder.
    ///
    /// # Errors
    /// [`InvalidKey`] when `rest` is no valid object name.
    pub fn key(&self, rest: &str) -> Result<Key, InvalidKey> {
        Key::new(format!("{}/{rest}", self.migration))
    }

    /// Key under `runs/<run>/`.
    ///
    /// # Errors
    /// [`InvalidKey`] when `rest` is no valid object name.
    pub fn run_key(&self, rest: &str) -> Result<Key, InvalidKey> {
        self.key(&format!("runs/{}/{rest}", self.run))
    }

    /// Key of what belongs to one reading of LeadDesk: that of a delta has a folder of its own.
    ///
    /// # Errors
    /// [`InvalidKey`] when `rest` is no valid object name.
    pub fn pass_key(&self, rest: &str) -> Result<Key, InvalidKey> {
        match self.pass {
            Pass::Full => self.run_key(rest),
            pass => self.run_key(&format!("{pass}/{rest}")),
        }
    }

    /// The same for another reading of LeadDesk.
    #[must_use]
    pub fn reading(&self, pass: Pass) -> Self {
        Self { pass, ..self.clone() }
    }

    /// For one piece of work that reads snapshots several times.
    #[must_use]
    pub(crate) fn holding_open(&self) -> Self {
        Self { held_open: HeldOpen::new(), ..self.clone() }
    }
}
