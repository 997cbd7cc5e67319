//! A server in a process of its own, to which a test can send signals.

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use user_import::domain::Permission;
use user_import_testing::signal::{self, Signal};
use uuid::Uuid;

/// The variable that shows the servers' logs, if it is set to a filter such as `info`.
const LOG: &str = "USER_IMPORT_TEST_SERVER_LOG";

/// Seconds that a server waits for a database that comes back: more than the machine ever pauses.
pub const PATIENT: u32 = 60;

/// Seconds that it waits for a database that stays away, in tests of its behaviour after the wait.
pub const IMPATIENT: u32 = 5;

/// A running `user-import serve`, which is killed when dropped.
#[derive(Debug)]
pub struct ServeProcess {
    child: Child,
    pub address: SocketAddr,
}

/// Returns the program under test, without the settings in the environment.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_user-import"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("USER_IMPORT_")) {
        command.env_remove(name);
    }
    // Their local tokens stay out of the home folder of the user who runs the tests.
    command.env("XDG_RUNTIME_DIR", user_import_testing::runtime_directory());
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

/// Returns a token with all permissions. Unlike the server's local token it is valid after a restart too, and for a
/// proxy's port.
pub fn create_token(database_url: &str) -> String {
    let permissions = Permission::ALL.map(|permission| permission.to_string());
    let made = program()
        .args([
            "token",
            "create",
            "tests",
            "--every-organization",
            "--permission",
            &permissions.join(","),
        ])
        .env("USER_IMPORT_DATABASE_URL", database_url)
        .output()
        .expect("the program can be started");
    assert!(made.status.success(), "{made:?}");
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

impl ServeProcess {
    /// Starts a server with short leases that waits `patience` seconds for its database. Returns once the server
    /// listens.
    pub fn start(database_url: &str, transaction_rows: usize, patience: u32) -> Self {
        let mut command = program();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--lease-seconds", "1"])
            .args(["--database-patience-seconds", &patience.to_string()])
            .args(["--transaction-rows", &transaction_rows.to_string()]);
        Self::spawn(command, database_url)
    }

    /// Starts a server with short leases and these options at an address. It writes each row by itself.
    pub fn start_at(address: SocketAddr, database_url: &str, options: &[String]) -> Self {
        let mut command = program();
        command
            .args(["serve", "--lease-seconds", "1", "--transaction-rows", "1"])
            .args(["--listen", &address.to_string()])
            .args(options);
        Self::spawn(command, database_url)
    }

    fn spawn(mut command: Command, database_url: &str) -> Self {
        command
            .env("USER_IMPORT_DATABASE_URL", database_url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        match std::env::var(LOG) {
            Ok(filter) => command.args(["--log", &filter]),
            Err(_) => command.stderr(Stdio::null()),
        };
        let mut child = command.spawn().expect("the server can be started");
        let output = child.stdout.take().expect("its output is a pipe");
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .expect("its output can be read");
        let address = line.trim().strip_prefix("listening on ");
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("the server said {line:?}"));
        Self { child, address }
    }

    /// Returns its process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        signal::send(self.id(), signal);
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
    }
}
