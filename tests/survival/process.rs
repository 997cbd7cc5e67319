//! Servers in processes of their own, with the options that these tests need.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
};

use user_import::domain::Permission;
use user_import_testing::{ServeProcess, program_at};

/// The variable that shows the servers' logs, if it is set to a filter such as `info`.
const LOG: &str = "USER_IMPORT_TEST_SERVER_LOG";

/// Seconds that a server waits for a database that comes back. A busy machine never pauses for so long.
pub const PATIENT: u32 = 60;

/// Seconds that a server waits for a database that stays away, in tests of its behaviour after the wait.
pub const IMPATIENT: u32 = 5;

/// Returns the program under test, without the settings in the environment.
pub fn program() -> Command {
    program_at(env!("CARGO_BIN_EXE_user-import"))
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

/// Starts a server with short leases that waits `patience` seconds for its database. Returns once the server listens.
pub fn serve(database_url: &str, transaction_rows: usize, patience: u32) -> ServeProcess {
    let mut command = program();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--lease-seconds", "1"])
        .args(["--database-patience-seconds", &patience.to_string()])
        .args(["--transaction-rows", &transaction_rows.to_string()]);
    start(command, database_url)
}

/// Starts a server with short leases and these options at an address. The server writes each row in a
/// transaction of its own.
pub fn serve_at(address: SocketAddr, database_url: &str, options: &[String]) -> ServeProcess {
    let mut command = program();
    command
        .args(["serve", "--lease-seconds", "1", "--transaction-rows", "1"])
        .args(["--listen", &address.to_string()])
        .args(options);
    start(command, database_url)
}

fn start(mut command: Command, database_url: &str) -> ServeProcess {
    match std::env::var(LOG) {
        Ok(filter) => command.args(["--log", &filter]),
        Err(_) => command.stderr(Stdio::null()),
    };
    ServeProcess::start(command, database_url, None)
}
