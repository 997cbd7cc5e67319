//! The program, run as a server or as a command in a process of its own.

use std::{
    path::Path,
    process::{Command, Output},
};

use user_import_testing::{ServeProcess, program_at};

/// The variable that names an optimised build of the same sources, for tests that compare times.
const OPTIMISED: &str = "USER_IMPORT_TEST_OPTIMISED_PROGRAM";

/// Returns the program without the settings of the user who runs the tests.
pub fn program() -> Command {
    program_at(env!("CARGO_BIN_EXE_user-import"))
}

/// Returns the optimised program if it exists, and otherwise the same as [`program`].
pub fn fastest_program() -> Command {
    std::env::var_os(OPTIMISED).map_or_else(program, program_at)
}

/// Returns `true` if [`fastest_program`] is optimised.
pub fn has_optimised_program() -> bool {
    cfg!(not(debug_assertions)) || std::env::var_os(OPTIMISED).is_some()
}

/// Runs a command on a database to its end.
pub fn run(words: &[&str], database_url: &str) -> Output {
    program()
        .args(words)
        .env("USER_IMPORT_DATABASE_URL", database_url)
        .output()
        .expect("the program runs")
}

/// Starts a server that logs to a file, and waits until it listens.
pub fn serve(database_url: &str, options: &[&str], log: &Path) -> ServeProcess {
    serve_by(program(), database_url, options, log)
}

/// Starts a server as [`serve`] does, by this program.
pub fn serve_by(
    mut program: Command,
    database_url: &str,
    options: &[&str],
    log: &Path,
) -> ServeProcess {
    program
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(options);
    ServeProcess::start(program, database_url, Some(log))
}
