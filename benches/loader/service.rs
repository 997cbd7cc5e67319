//! User Import as its users run it: `serve`, and the commands that call it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{database::Database, process};

/// Time between two looks at a running import. The times to the first result are exact to this.
const LOOK: Duration = Duration::from_millis(2);

/// A running server. It is stopped when this value is dropped.
#[derive(Debug)]
pub struct BenchServer {
    child: Child,
    binary: PathBuf,
    endpoint: String,
}

/// A running import.
#[derive(Debug)]
pub struct RunningImport {
    child: Child,
    began: Instant,
    roster: PathBuf,
    roster_bytes: u64,
    roster_opened: bool,
    answers: PathBuf,
}

/// The measurements of an import that has ended.
#[derive(Clone, Copy, Debug)]
pub struct ImportMeasurements {
    /// From the start of the command to its end.
    pub total: Duration,
    /// From `finish` to the first result.
    pub first_result: Option<Duration>,
}

impl BenchServer {
    /// Starts a server on a free port.
    pub fn start(binary: &Path, database: &Database) -> anyhow::Result<Self> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "error"]);
        command.args(["--max-bytes", "1073741824"]);
        command.args(["--database-url", &database.url()]);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().context("the server has no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ");
        let endpoint = address.map(|address| format!("http://{address}"));
        Ok(Self {
            child,
            binary: binary.to_owned(),
            endpoint: endpoint.context("the server did not start")?,
        })
    }

    /// Makes an organisation with this catalog.
    pub fn create_organization(&self, slug: &str, catalog: &Path) -> anyhow::Result<()> {
        process::run(self.command().args(["org", "create", slug]))?;
        let mut apply = self.command();
        apply.args(["catalog", "apply", "--organization", slug]);
        process::run(apply.arg(catalog)).map(|_| ())
    }

    /// Starts an import that writes its answers to the file `answers`.
    pub fn import(
        &self,
        slug: &str,
        roster: &Path,
        answers: PathBuf,
    ) -> anyhow::Result<RunningImport> {
        let mut command = self.command();
        command.arg("import").arg(roster);
        command.args(["--organization", slug, "--format", "json"]);
        let roster_bytes = fs::metadata(roster)?.len();
        command.stdout(File::create(&answers)?);
        Ok(RunningImport {
            began: Instant::now(),
            child: command.spawn()?,
            roster: roster.canonicalize()?,
            roster_bytes,
            roster_opened: false,
            answers,
        })
    }

    /// Returns the URL at which clients reach it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the token of local callers.
    pub fn local_token(&self) -> anyhow::Result<String> {
        process::run(self.command().args(["token", "local"]))
    }

    /// Returns its CPU time so far.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        process::cpu(self.child.id())
    }

    /// Makes [`peak_memory`](Self::peak_memory) start again.
    pub fn forget_peak_memory(&self) -> anyhow::Result<()> {
        process::forget_peak_memory(self.child.id())
    }

    /// Returns the most memory that it has had so far, in bytes.
    pub fn peak_memory(&self) -> anyhow::Result<u64> {
        process::peak_memory(self.child.id())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env("USER_IMPORT_ENDPOINT", &self.endpoint);
        command
    }
}

impl Drop for BenchServer {
    fn drop(&mut self) {
        if kill_process(Pid::from_child(&self.child), Signal::TERM).is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl RunningImport {
    /// Watches the import until it ends. Returns its measurements and its summary.
    pub fn watch(mut self) -> anyhow::Result<(ImportMeasurements, Value)> {
        let mut answers = ImportAnswers::open(&self.answers)?;
        let (mut finish, mut first) = (None, None);
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if finish.is_none() && self.has_read_roster() {
                finish = Some(Instant::now());
            }
            if first.is_none() && answers.have_results()? {
                first = Some(Instant::now());
            }
            thread::sleep(LOOK);
        };
        let total = self.began.elapsed();
        let summary = summary(&self.answers)?;
        ensure!(
            status.success(),
            "the import ended with {status}: {summary}"
        );
        let first_result = finish.zip(first).map(|(finish, first)| first - finish);
        Ok((
            ImportMeasurements {
                total,
                first_result,
            },
            summary,
        ))
    }

    /// Returns `true` once the client has read the whole roster, or has closed the file again.
    fn has_read_roster(&mut self) -> bool {
        match process::read_position(self.child.id(), &self.roster) {
            None => self.roster_opened,
            Some(position) => {
                self.roster_opened = true;
                position >= self.roster_bytes
            }
        }
    }
}

/// The answers of a running import, up to its first results.
struct ImportAnswers {
    file: File,
    text: Vec<u8>,
}

impl ImportAnswers {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let (file, text) = (File::open(path)?, Vec::new());
        Ok(Self { file, text })
    }

    fn have_results(&mut self) -> anyhow::Result<bool> {
        self.file.read_to_end(&mut self.text)?;
        let results = br#"{"results""#;
        Ok(self.text.windows(results.len()).any(|part| part == results))
    }
}

/// Returns the summary, which is the last answer.
fn summary(answers: &Path) -> anyhow::Result<Value> {
    let last = process::run(Command::new("tail").args(["-n", "1"]).arg(answers))?;
    let answer: Value = serde_json::from_str(&last).context("the last answer is not JSON")?;
    Ok(answer["summary"].clone())
}
