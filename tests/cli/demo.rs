//! `demo --keep`: an organisation to look at in the console. It is removed when the command ends.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    department::{program, text},
    process::{EndedProgram, RunningProgram},
};

/// A demo that stays, with a folder of its own for temporary files.
struct RunningDemo {
    running: RunningProgram,
    server: String,
    token: String,
    folder: TempDir,
    log: TempDir,
}

impl RunningDemo {
    fn start() -> Self {
        let (folder, log) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut command = program();
        command
            .args(["demo", "--keep"])
            .env("TMPDIR", folder.path());
        let mut running = RunningProgram::start(command, &log.path().join("log"));
        let line = running.wait_for("/console/#token=").trim().to_owned();
        let (server, token) = line.split_once("/console/#token=").unwrap();
        let (server, token) = (server.to_owned(), token.to_owned());
        running.wait_for("Ctrl-C ends the demo");
        Self {
            running,
            server,
            token,
            folder,
            log,
        }
    }

    /// Returns the objects that a command prints about the organisation, one a line.
    fn listed(&self, words: &[&str]) -> Vec<Value> {
        let mut command: Command = program();
        command
            .args(words)
            .args(["--organization=riverton-pd", "--format=json"]);
        command.arg(format!("--endpoint={}", self.server));
        command.env("USER_IMPORT_TOKEN", &self.token);
        let printed = command.output().unwrap();
        assert!(printed.status.success(), "{words:?}: {printed:?}");
        let lines = text(&printed.stdout);
        let objects = lines.lines().map(serde_json::from_str);
        objects.collect::<Result<_, _>>().unwrap()
    }

    /// Stops the demo. Returns its exit status, and the number of files that are left in its folder.
    fn stop(self) -> (EndedProgram, usize) {
        self.running.terminate();
        let ended = self.running.end(&self.log.path().join("log"));
        let left = fs::read_dir(self.folder.path()).unwrap().count();
        (ended, left)
    }
}

#[test]
fn a_kept_demo_serves_the_console_until_it_is_stopped() {
    let demo = RunningDemo::start();
    let address = demo.server.strip_prefix("http://").unwrap().to_owned();
    let mut browser = TcpStream::connect(&address).unwrap();
    let request = format!("GET /console/ HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    browser.write_all(request.as_bytes()).unwrap();
    let mut page = String::new();
    browser.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    assert!(fs::read_dir(demo.folder.path()).unwrap().count() > 0);
    let (ended, left) = demo.stop();
    assert_eq!((ended.exit, left), (Some(0), 0), "{}", ended.errors);
    let shown = ended.lines.concat();
    assert!(shown.contains("Import completed: 20 rows"), "{shown}");
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn a_kept_demo_has_something_for_every_screen() {
    let demo = RunningDemo::start();
    let imports = demo.listed(&["imports"]);
    let states: Vec<_> = imports
        .iter()
        .map(|import| import["state"].as_str().unwrap())
        .collect();
    let expected = [
        "HELD",
        "COMPLETED",
        "REFUSED",
        "COMPLETED",
        "COMPLETED",
        "COMPLETED",
    ];
    assert_eq!(
        states,
        expected.map(|state| format!("IMPORT_STATE_{state}"))
    );
    let (held, latest) = (&imports[0], &imports[1]);
    assert_eq!(held["refusals"][0]["code"], "MASS_DEACTIVATION", "{held}");
    assert!(latest["undoableUntil"].is_string(), "{latest}");
    for count in ["updated", "unchanged", "rejected"] {
        assert!(latest[count].as_u64() > Some(0), "{count}: {latest}");
    }

    let users = demo.listed(&["user", "list", "--limit=1000"]);
    assert!(users.len() > 150, "{}", users.len());
    let has = |field: &str, wanted: &Value| users.iter().any(|user| &user[field] == wanted);
    assert!(has("protected", &true.into()) && has("status", &"USER_STATUS_INACTIVE".into()));
    for field in ["rank", "evidenceGroupExternalId", "supervisorEmail"] {
        assert!(users.iter().any(|user| user[field].is_string()), "{field}");
    }
    let mappings = demo.listed(&["mapping", "list"]);
    assert_eq!(mappings[0]["name"], "hr-export");
    demo.stop();
}

#[test]
fn what_a_demo_keeps_is_removed_whenever_it_is_stopped() {
    assert_eq!(stopped_at_its_first_line(&["demo", "--keep"]), Some(0));
}

#[test]
fn a_demo_that_is_interrupted_leaves_nothing() {
    // The demo may have ended by itself before the signal comes.
    let exit = stopped_at_its_first_line(&["demo"]);
    assert!(matches!(exit, Some(0 | 5)), "{exit:?}");
}

/// Stops the program as soon as it prints something. Fails if it leaves anything in the temporary folder, and returns
/// its exit code.
fn stopped_at_its_first_line(args: &[&str]) -> Option<i32> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let temporary = folder.path().join("temporary");
    fs::create_dir(&temporary).unwrap();
    let mut command = program();
    command.args(args).env("TMPDIR", &temporary);
    let mut running = RunningProgram::start(command, &log);
    running.wait_for("A server is running on");
    running.terminate();
    let ended = running.end(&log);
    assert!(is_empty(&temporary), "{}", ended.errors);
    ended.exit
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}
