//! The client's process: this program once more, with almost nothing in its environment.

use std::{fs, io, process::Stdio};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};
use tonic_cloud_run::testing::FakeCloudRun;

use super::report::Report;
use crate::failure::Failure;

/// The hidden command that runs [`client::run`](super::client::run).
const COMMAND: &str = "demo-client";

/// A running client. Dropping it ends the process and removes its files.
pub(super) struct ClientProcess {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
    /// What the process was given: its one argument.
    pub(super) host: String,
    /// What the process was given: its environment.
    pub(super) environment: Vec<(&'static str, String)>,
    _files: TempDir,
}

impl ClientProcess {
    /// Starts a client of the fake's service.
    pub(super) fn start(fake: &FakeCloudRun) -> Result<ClientProcess, Failure> {
        let cannot = |error: io::Error| {
            Failure::Other(format!("the client process cannot be started: {error}"))
        };
        let files = tempfile::tempdir().map_err(cannot)?;
        let authority = files.path().join("authority.pem");
        fs::write(&authority, fake.ca_certificate_pem()).map_err(cannot)?;

        let host = format!("{}:{}", fake.host(), fake.address().port());
        let environment = vec![
            ("GCE_METADATA_HOST", fake.metadata().address().to_string()),
            ("SSL_CERT_FILE", authority.display().to_string()),
            // No gcloud credentials are found there.
            ("HOME", files.path().display().to_string()),
        ];
        let mut command = Command::new(std::env::current_exe().map_err(cannot)?);
        command
            .arg(COMMAND)
            .arg(&host)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)));
        // Windows opens no socket without it.
        command.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(cannot)?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::Other("the client process has no pipes".to_owned()));
        };
        Ok(ClientProcess {
            child,
            to,
            from: BufReader::new(from).lines(),
            host,
            environment,
            _files: files,
        })
    }

    /// What it says next; `None` at its end. Cancel safe.
    pub(super) async fn report(&mut self) -> Result<Option<Report>, Failure> {
        let line = self.from.next_line().await;
        let line = line.map_err(|error| {
            Failure::Other(format!("the client process cannot be heard: {error}"))
        })?;
        let Some(line) = line else { return Ok(None) };
        let report = serde_json::from_str(&line);
        report.map(Some).map_err(|_| {
            Failure::Other(format!(
                "the client process says what nobody understands: {line}"
            ))
        })
    }

    /// Tells it that what it asked for is done.
    pub(super) async fn answer(&mut self) -> Result<(), Failure> {
        let told = self.to.write_all(b"\n").await;
        told.map_err(|error| {
            Failure::Other(format!(
                "the client process cannot be told anything: {error}"
            ))
        })
    }

    /// Waits for its end; gives its exit code, none if a signal ended it.
    pub(super) async fn exit(&mut self) -> Result<Option<i32>, Failure> {
        let status = self.child.wait().await;
        Ok(status
            .map_err(|error| Failure::Other(format!("the client process is lost: {error}")))?
            .code())
    }
}
