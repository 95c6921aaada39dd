//! Both systems on loopback in processes of their own, and a folder with a `migration.toml` that points at them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use connectors::clock::RealClock;
use connectors::config::Config;
use connectors::connect::{self, Surroundings};
use connectors::http::log::NoLog;
use pipeline::carried;
use pipeline::progress::Silent;
use tempfile::TempDir;

use crate::bench::SECRETS;
use crate::measured::Server;

/// Size and speed of a world.
#[derive(Debug, Clone)]
pub(crate) struct Size {
    /// Seed of the generated account.
    pub(crate) seed: u64,
    /// Contacts.
    pub(crate) contacts: u64,
    /// Calls.
    pub(crate) calls: u64,
    /// `requests/seconds`, as Gorgias documents it.
    pub(crate) bucket: String,
    /// How many times faster than real time the bucket runs.
    pub(crate) time_scale: u32,
}

/// A running world; the servers end with it.
pub(crate) struct World {
    folder: TempDir,
    /// LeadDesk.
    pub(crate) leaddesk: Server,
    /// Gorgias.
    pub(crate) gorgias: Server,
    config: PathBuf,
}

impl World {
    /// Starts both servers and writes the configuration.
    pub(crate) fn start(size: &Size) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("deskferry-prove-").tempdir()?;
        let files = folder.path().join("operator-files");
        let files_text =
            files.to_str().context("the folder for temporary files has a name that is no text")?;
        let (seed, contacts, calls) =
            (size.seed.to_string(), size.contacts.to_string(), size.calls.to_string());
        let account = ["--seed", &seed, "--contacts", &contacts, "--calls", &calls];
        let leaddesk =
            Server::start(folder.path(), "leaddesk", &[&account[..], &["--files", files_text]].concat())?;
        let scale = size.time_scale.to_string();
        let speed = ["--bucket", size.bucket.as_str(), "--time-scale", &scale];
        let gorgias = Server::start(folder.path(), "gorgias", &[&account[..], &speed[..]].concat())?;
        let config = folder.path().join("migration.toml");
        std::fs::write(&config, configuration(&leaddesk.url, &gorgias.url, size)?)?;
        Ok(Self { folder, leaddesk, gorgias, config })
    }

    /// The folder; the store is `run` in it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Everything that Gorgias holds, read past its interface.
    pub(crate) async fn gorgias_state(&self) -> anyhow::Result<serde_json::Value> {
        Ok(reqwest::get(format!("{}/__twin/state", self.gorgias.url)).await?.json().await?)
    }

    /// What the stand-in of Gorgias holds against its client: mails, invitations, billing, violations. Nothing is right.
    pub(crate) async fn held_against_us(&self) -> anyhow::Result<Vec<String>> {
        let url = format!("{}/__twin/ledgers", self.gorgias.url);
        let told: serde_json::Value = reqwest::get(url).await?.json().await?;
        let counts = told["counts"].as_object().filter(|counts| !counts.is_empty());
        let counts = counts.context("the stand-in tells no ledgers")?;
        let held = counts.iter().filter(|(_, count)| count.as_u64() != Some(0));
        Ok(held.map(|(name, count)| format!("{name}: {count}")).collect())
    }

    /// What people do in LeadDesk until a later day, drawn from a seed; the operator exports his files again.
    pub(crate) async fn advance(&self, seed: u64) -> anyhow::Result<u64> {
        let files = self.folder().join("operator-files");
        let request = reqwest::Client::new().post(format!("{}/__twin/advance", self.leaddesk.url));
        let answer = request.json(&serde_json::json!({ "seed": seed, "files": files })).send().await?;
        let told: serde_json::Value = answer.error_for_status()?.json().await?;
        told["applied"].as_u64().context("the stand-in does not tell what it applied")
    }

    /// The ports of the run that was begun last, in this process.
    pub(crate) async fn context(&self) -> anyhow::Result<pipeline::context::Context> {
        let path = Path::new(self.config()?);
        let secret = |reference: &str, _: &Path| {
            let found = SECRETS.iter().find(|(name, _)| reference == format!("env:{name}"));
            found.map(|(_, secret)| (*secret).to_owned().into()).ok_or_else(|| "unknown".to_owned())
        };
        let config = Config::parse(&std::fs::read_to_string(path)?, path, self.folder(), &secret)?;
        let store = connect::open_store(&config.store).await?;
        let run = carried::newest_run(&*store, &config.migration).await?.context("no run has begun")?;
        let surroundings = Surroundings {
            clock: Arc::new(RealClock::new()),
            progress: Arc::new(Silent),
            log: Arc::new(NoLog),
        };
        Ok(connect::connect(&config, run, self.folder().join("scratch"), store, surroundings)?)
    }

    /// Ends the servers and leaves the folder.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// Path of `migration.toml`.
    pub(crate) fn config(&self) -> anyhow::Result<&str> {
        self.config.to_str().context("the folder for temporary files has a name that is no text")
    }
}

/// The window that the client is told: the documented one, shortened by the time scale.
fn configuration(leaddesk: &str, gorgias: &str, size: &Size) -> anyhow::Result<String> {
    let (requests, seconds) = size.bucket.split_once('/').context("a bucket is written requests/seconds")?;
    let window = seconds.parse::<f64>()? / f64::from(size.time_scale);
    Ok(format!(
        r#"migration = "bench"

[leaddesk]
original_api_url = "{leaddesk}"
rest_api_url = "{leaddesk}/stable"
auth = "env:LEADDESK_AUTH"
account = 1234
client_id = "env:LEADDESK_CLIENT_ID"
client_secret = "env:LEADDESK_CLIENT_SECRET"
files = "operator-files"
time_zone = "Europe/Helsinki"
default_region = "FI"
requests_per_second = 100000
in_flight = 16

[gorgias]
base_url = "{gorgias}"
email = "migration@acme.example"
api_key = "env:GORGIAS_API_KEY"
bucket = "{requests}/{window}"
reserve = 0.0

[residency]
store = "FI"
destination = "EU"

[store]
url = "file:run"

[queue]
url = "in-process:"
"#
    ))
}
