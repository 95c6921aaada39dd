//! An emulator of AWS in a process of its own, on loopback, with roles and policies enforced.
//!
//! Deliberately absent: installing it (`infra/requirements-emulator.txt` pins it), and anything that it does not do; the
//! README of `infra` lists where it differs.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

/// Region of everything that is deployed.
pub(crate) const REGION: &str = "eu-west-1";
/// Account of the emulator.
pub(crate) const ACCOUNT: &str = "000000000000";
/// How long a start may take on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);

/// The running emulator; ended by its process id when dropped.
pub(crate) struct Emulator {
    child: Child,
    python: PathBuf,
    /// Its own address, without what stands in front of it.
    pub(crate) url: String,
}

impl Emulator {
    /// Starts it. `seen_as` is the address that functions are told: the emulator's own, or that of a proxy in front.
    pub(crate) async fn start(
        python: &Path,
        folder: &Path,
        port: u16,
        seen_as: &str,
    ) -> anyhow::Result<Self> {
        Self::started(python, folder, port, seen_as, &[]).await
    }

    /// As [`Emulator::start`], with a wall clock that runs ahead by the seconds in a file.
    pub(crate) async fn with_clock(
        python: &Path,
        folder: &Path,
        port: u16,
        seen_as: &str,
        clock: &Path,
    ) -> anyhow::Result<Self> {
        let more = [
            ("PYTHONPATH", std::env::current_dir()?.join("infra/emulator/clock")),
            ("DESKFERRY_CLOCK", clock.to_owned()),
        ];
        Self::started(python, folder, port, seen_as, &more).await
    }

    async fn started(
        python: &Path,
        folder: &Path,
        port: u16,
        seen_as: &str,
        more: &[(&str, PathBuf)],
    ) -> anyhow::Result<Self> {
        let scratch = folder.join("emulator");
        std::fs::create_dir_all(&scratch)?;
        let log = std::fs::File::create(folder.join("emulator.log"))?;
        let program = python.parent().context("the interpreter has no folder")?.join("ministack");
        let child = Command::new(program)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_REGION", REGION)
            .env("AWS_ENDPOINT_URL", seen_as)
            .env("AUTH", "true")
            .env("SFTP_ENABLED", "0")
            .env("IOT_MTLS_ENABLED", "0")
            .env("TMPDIR", &scratch)
            .envs(more.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start the emulator")?;
        let url = format!("http://127.0.0.1:{port}");
        let mut emulator = Self { child, python: python.to_owned(), url };
        emulator.is_up().await?;
        Ok(emulator)
    }

    async fn is_up(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the emulator ended with {status}");
            }
            if reqwest::get(format!("{}/_ministack/health", self.url)).await.is_ok() {
                return Ok(());
            }
            if began.elapsed() > START_MAX {
                bail!("the emulator did not answer within {START_MAX:?}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Deploys the template with a binary, and returns the stack's outputs.
    pub(crate) fn deploy(
        &self,
        folder: &Path,
        bootstrap: &Path,
        secrets: &[(&str, Value)],
        parameters: &[(&str, String)],
    ) -> anyhow::Result<Value> {
        let mut command = Command::new(&self.python);
        command
            .arg("infra/emulator/deploy.py")
            .args(["--endpoint", &self.url, "--template", "infra/template.yaml", "--region", REGION])
            .arg("--bootstrap")
            .arg(bootstrap);
        for (output, value) in secrets {
            let path = folder.join(format!("{output}.json"));
            std::fs::write(&path, value.to_string())?;
            command.arg("--secret").arg(format!("{output}={}", path.display()));
        }
        for (name, value) in parameters {
            command.arg("--parameter").arg(format!("{name}={value}"));
        }
        let output = command.stdin(Stdio::null()).output().context("cannot deploy")?;
        if !output.status.success() {
            bail!("the deployment failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

impl Emulator {
    /// A schedule of the stack, as it was deployed but for its times.
    pub(crate) fn reschedule(&self, name: &str, expression: &str) -> anyhow::Result<()> {
        let mut command = Command::new(&self.python);
        command
            .arg("infra/emulator/reschedule.py")
            .args(["--endpoint", &self.url, "--region", REGION])
            .args(["--name", name, "--expression", expression]);
        let output = command.stdin(Stdio::null()).output().context("cannot set the schedule")?;
        if !output.status.success() {
            bail!("the schedule cannot be set:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
