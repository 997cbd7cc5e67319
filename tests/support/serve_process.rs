//! The program under test, and `user-import serve` in a process of its own.

use std::{
    ffi::OsStr,
    fs::File,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{
    bearer::runtime_directory,
    signal::{self, Signal},
};

/// Returns the program at `path`, without the settings of the user who runs the tests. Only tests of the
/// program's own package get this path from cargo: `env!("CARGO_BIN_EXE_user-import")`.
pub fn program_at(path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(path);
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.to_string_lossy().starts_with("USER_IMPORT_")) {
        command.env_remove(name);
    }
    // Their local tokens stay out of the home folder of the user who runs the tests.
    command.env("XDG_RUNTIME_DIR", runtime_directory());
    command
}

/// Returns an address on which a server can listen. Its port is below the range that systems assign by themselves, so
/// that it is still free for a second start.
pub fn free_address() -> SocketAddr {
    let random = Uuid::new_v4().into_bytes();
    let is_free = |address: &SocketAddr| TcpListener::bind(address).is_ok();
    random
        .windows(2)
        .map(|pair| 15_000 + u16::from_ne_bytes([pair[0], pair[1]]) % 15_000)
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        .find(is_free)
        .expect("a loopback port is free")
}

/// A running `user-import serve`, which is killed when dropped.
#[derive(Debug)]
pub struct ServeProcess {
    child: Child,
    log: Option<PathBuf>,
    pub address: SocketAddr,
}

impl ServeProcess {
    /// Starts a server by `command`, which names `serve` and its options, and waits until it listens. It logs to the
    /// file `log`, or without one to the standard error of `command`.
    pub fn start(mut command: Command, database_url: &str, log: Option<&Path>) -> Self {
        if let Some(log) = log {
            command.stderr(File::create(log).expect("the log can be made"));
        }
        let mut child = command
            .env("USER_IMPORT_DATABASE_URL", database_url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let output = child.stdout.take().expect("its output is a pipe");
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .expect("its output can be read");
        let address = line.trim().strip_prefix("listening on ");
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("the server said {line:?}: {}", read(log)));
        Self {
            child,
            log: log.map(Path::to_owned),
            address,
        }
    }

    /// Returns its process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        signal::send(self.id(), signal);
    }

    /// Asks it to stop, and waits until it has ended.
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        self.child.wait().expect("it is our child");
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(&mut self) {
        // Fails only if the process has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until it has ended by itself. Panics if that takes longer than `time`.
    pub async fn ended_within(&mut self, time: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            let ended = self.child.try_wait().expect("it is our child");
            if let Some(status) = ended {
                return status;
            }
            assert!(begun.elapsed() < time, "the server has not ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for ServeProcess {
    fn drop(&mut self) {
        self.kill();
        if self.log.is_some() && std::thread::panicking() {
            eprintln!("the server's log:\n{}", read(self.log.as_deref()));
        }
    }
}

fn read(log: Option<&Path>) -> String {
    let text = log.and_then(|log| std::fs::read_to_string(log).ok());
    text.unwrap_or_default()
}
