//! Both twins, a store in a temporary folder, and the steps of a migration one by one.

use std::path::Path;
use std::sync::Arc;

use connectors::clock::RealClock;
use connectors::config::Config;
use connectors::connect::{Surroundings, connect, open_queue, open_store};
use connectors::http::log::NoLog;
use jiff::Timestamp;
use pipeline::conduct::Step;
use pipeline::ports::clock::Clock;
use pipeline::ports::queue::Queue;
use pipeline::progress::Silent;
use pipeline::propose::{Confirmation, LeaveOut, confirm, proposal};
use pipeline::wave::Wave;
use pipeline::worker::run_step;
use secrecy::SecretString;
use tempfile::TempDir;
use twins::generate::{Account, Shape};
use twins::{gorgias, leaddesk};

/// The flow, step by step.
const STEPS: [Step; 15] = [
    Step::Discover,
    Step::Propose,
    Step::Prepare,
    Step::Extract,
    Step::Transform,
    Step::Plan,
    Step::Load(Wave::Customers),
    Step::Reconcile(Wave::Customers),
    Step::Load(Wave::Leads),
    Step::Reconcile(Wave::Leads),
    Step::Load(Wave::Chats),
    Step::Reconcile(Wave::Chats),
    Step::Finish,
    Step::Report,
    Step::Handoff,
];

/// A running world.
pub(crate) struct World {
    pub(crate) gorgias: gorgias::Running,
    pub(crate) folder: TempDir,
    context: pipeline::context::Context,
    config: Config,
    queue: Arc<dyn Queue>,
    pub(crate) leaddesk: leaddesk::Running,
}

impl World {
    /// A small account with every kind of trouble that the generator plants.
    pub(crate) async fn start(contacts: u32, calls: u32) -> Self {
        Self::with(contacts, calls, "", |_, _| {}).await
    }

    /// The same with more lines of configuration, and with habits of LeadDesk that depend on its account.
    pub(crate) async fn with(
        contacts: u32,
        calls: u32,
        more: &str,
        habits: impl FnOnce(&mut leaddesk::Config, &Account),
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let account = Account::generate(Shape::with_size(contacts, calls)).expect("a valid shape");
        account.write_files(&folder.path().join("operator-files")).expect("the operator's files");
        let bucket = gorgias::Bucket { capacity: 4_000, window_seconds: 1.0 };
        let mut destination = gorgias::Config { bucket, ..gorgias::Config::default() };
        destination.preexisting.users.extend(users(&account));
        destination.switches.seats_max = 500;
        let mut source = leaddesk::Config::new(leaddesk::Profile::Evidence);
        habits(&mut source, &account);
        let secrets = [
            ("env:LEADDESK_AUTH", source.auth.clone()),
            ("env:LEADDESK_CLIENT_ID", source.client_id.clone()),
            ("env:LEADDESK_CLIENT_SECRET", source.client_secret.clone()),
            ("env:GORGIAS_API_KEY", destination.api_key.clone()),
        ];
        let (number, email) = (source.account_number, destination.email.clone());
        let source = leaddesk::start(source, account).await.expect("LeadDesk's twin");
        let destination = gorgias::start(destination).await.expect("Gorgias' twin");
        let text = configuration(&source, &destination, number, &email) + more;
        let secret = move |reference: &str, _: &Path| {
            let found = secrets.iter().find(|(name, _)| *name == reference);
            found.map(|(_, secret)| SecretString::from(secret.clone())).ok_or_else(|| "unknown".to_owned())
        };
        let config =
            Config::parse(&text, Path::new("migration.toml"), folder.path(), &secret).expect("a valid file");
        let run = "2026-11-23-a1".parse().expect("a valid run");
        let scratch = folder.path().join("scratch");
        let store = open_store(&config.store).await.expect("a store");
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let queue = open_queue(&config.queue, Arc::clone(&clock)).await.expect("a queue");
        let surroundings = Surroundings { clock, progress: Arc::new(Silent), log: Arc::new(NoLog) };
        let context = connect(&config, run, scratch, store, surroundings).expect("connected");
        Self { gorgias: destination, folder, context, config, queue, leaddesk: source }
    }

    /// Another process after this one died: connections and what is known in memory are new.
    pub(crate) async fn restarted(&self) -> pipeline::context::Context {
        let store = open_store(&self.config.store).await.expect("a store");
        let surroundings = Surroundings {
            clock: Arc::new(RealClock::new()),
            progress: Arc::new(Silent),
            log: Arc::new(NoLog),
        };
        let scratch = self.folder.path().join("scratch");
        connect(&self.config, self.context.run.clone(), scratch, store, surroundings).expect("connected")
    }

    pub(crate) fn context(&self) -> &pipeline::context::Context {
        &self.context
    }

    pub(crate) fn context_mut(&mut self) -> &mut pipeline::context::Context {
        &mut self.context
    }

    /// Runs every step up to and including `last`; the mapping is confirmed on the way, conflicts are left out.
    pub(crate) async fn run_through(&self, last: Step) {
        for step in STEPS {
            if step == Step::Prepare {
                self.confirm().await;
            }
            run_step(self.context(), step).await.expect("every step comes to its end");
            if step == last {
                return;
            }
        }
    }

    /// Everything up to the confirmation.
    pub(crate) async fn decide(&self) {
        for step in [Step::Discover, Step::Propose] {
            run_step(self.context(), step).await.expect("every step comes to its end");
        }
        self.confirm().await;
    }

    pub(crate) fn queue(&self) -> &dyn Queue {
        &*self.queue
    }

    /// Runs the steps from `first` to `last`, both included.
    pub(crate) async fn run_from(&self, first: Step, last: Step) {
        let place = |step| STEPS.iter().position(|other| *other == step).expect("a step");
        for step in &STEPS[place(first)..=place(last)] {
            run_step(self.context(), *step).await.expect("every step comes to its end");
        }
    }

    async fn confirm(&self) {
        let conflicts = proposal(self.context()).await.expect("a proposal").conflicts();
        let leave_out = conflicts
            .into_iter()
            .map(|conflict| LeaveOut { id: conflict.id, reason: "test".to_owned() })
            .collect();
        let at: Timestamp = "2026-11-23T10:00:00Z".parse().expect("a moment");
        let confirmation =
            Confirmation { reviewer: "Test Reviewer".to_owned(), at, leave_out, proposal_digest: None };
        confirm(self.context(), &confirmation).await.expect("a confirmation");
    }
}

/// Gorgias users for every agent with an address of their own.
fn users(account: &Account) -> Vec<gorgias::PreexistingUser> {
    let mut seen = std::collections::BTreeSet::new();
    let emails = account.users().filter_map(|user| Some((user.name.clone(), user.email.clone()?)));
    emails
        .filter(|(_, email)| seen.insert(email.to_lowercase()))
        .map(|(name, email)| gorgias::PreexistingUser {
            name,
            email,
            role: "agent".to_owned(),
            external_id: None,
        })
        .collect()
}

fn configuration(
    source: &leaddesk::Running,
    destination: &gorgias::Running,
    number: u32,
    email: &str,
) -> String {
    format!(
        r#"migration = "proof"

[leaddesk]
original_api_url = "{}"
rest_api_url = "{}"
auth = "env:LEADDESK_AUTH"
account = {number}
client_id = "env:LEADDESK_CLIENT_ID"
client_secret = "env:LEADDESK_CLIENT_SECRET"
files = "operator-files"
time_zone = "Europe/Helsinki"
default_region = "FI"
requests_per_second = 100000
in_flight = 8

[residency]
store = "FI"
destination = "EU"

[gorgias]
base_url = "{}"
email = "{email}"
api_key = "env:GORGIAS_API_KEY"
bucket = "4000/1"
reserve = 0.0
request_life_seconds = 2
visibility_seconds = 0.5

[store]
url = "file:run"
[queue]
url = "in-process:"
"#,
        source.base_url(),
        source.rest_url(),
        destination.base_url()
    )
}

impl World {
    /// Asks what is left to do, which must be nothing.
    pub(crate) async fn run_through_again(&self) {
        let mut steps = Vec::new();
        let rest = pipeline::worker::run_to_end(self.context(), self.queue.as_ref(), &mut |step, _| {
            steps.push(step);
        })
        .await
        .expect("nothing to fail");
        assert_eq!((rest, steps), (pipeline::worker::Rest::Done, Vec::new()));
    }
}
