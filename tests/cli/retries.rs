//! `import` continues under the same ID after the server or the connection has failed.

use crate::{
    department::{Department, RunningImport, officers, text},
    process::{EndedProgram, objects, rows},
};

const ROWS: usize = 1_000;

/// The server writes each row in a transaction of its own, so that the test has time to interfere. The import of a dead
/// server can be taken over at once. The server does not wait for another import: the clients do.
const SLOW: [&str; 6] = [
    "--transaction-rows",
    "1",
    "--lease-seconds",
    "1",
    "--import-turn-seconds",
    "0",
];

fn every_row_once() -> Vec<u64> {
    (1..=ROWS as u64).collect()
}

/// Fails unless the import completed and every row was reported exactly once.
fn assert_whole(ended: &EndedProgram) {
    assert_eq!(ended.exit, Some(0), "{}", ended.errors);
    let answers = objects(ended.lines.iter().map(String::as_str));
    assert_eq!(rows(&answers), every_row_once());
    let summaries: Vec<_> = answers
        .iter()
        .filter(|a| a["summary"].is_object())
        .collect();
    assert_eq!(summaries.len(), 1);
    assert_eq!(summaries[0]["summary"]["created"], ROWS);
}

fn interrupted(department: &Department, options: &[&str]) -> RunningImport {
    let mut import = department.begin_import(&officers(ROWS), options);
    import.wait_until_it_writes();
    import
}

#[test]
fn an_import_survives_the_death_of_its_server() {
    let mut department = Department::open_with(&SLOW);
    let import = interrupted(&department, &[]);
    department.take_server().kill();
    department.start_server();
    let ended = import.end();
    assert_whole(&ended);
    assert!(
        ended.errors.starts_with(
            "The connection to the server was lost. Retrying in 1 s with the same import ID (1 of 8)."
        ),
        "{}",
        ended.errors
    );
    assert_eq!(department.users().len(), ROWS);
}

#[test]
fn an_import_survives_an_orderly_restart() {
    let mut department = Department::open_with(&SLOW);
    let import = interrupted(&department, &[]);
    let server = department.take_server();
    server.terminate();
    let log = department.path("server.log");
    assert_eq!(server.end(&log).exit, Some(0));
    department.start_server();
    let ended = import.end();
    assert_whole(&ended);
    assert!(ended.errors.contains("shutting down"), "{}", ended.errors);
    assert_eq!(department.users().len(), ROWS);
}

#[test]
fn a_second_import_waits_for_the_first() {
    let department = Department::open_with(&SLOW);
    let first = interrupted(&department, &[]);
    department.file("second.csv", &officers(2));
    let second = department.run(&["import", "second.csv", "--retries", "100"]);
    let told = text(&second.stderr);
    assert_eq!(second.status.code(), Some(0), "{told}");
    assert!(told.contains("holds the organisation"), "{told}");
    assert!(
        told.contains("Retrying in 1 s with the same import ID (1 of 100)."),
        "{told}"
    );
    assert!(
        text(&second.stdout).contains("unchanged           2"),
        "{second:?}"
    );
    assert_whole(&first.end());
}

#[test]
fn without_retries_the_command_says_how_to_go_on() {
    let mut department = Department::open_with(&SLOW);
    let mut import = department.begin_import(&officers(ROWS), &["--retries", "0"]);
    let id = import.id();
    import.wait_until_it_writes();
    department.take_server().kill();
    let ended = import.end();
    assert_eq!(ended.exit, Some(5));
    let go_on = format!("--import-id {id}");
    assert!(ended.errors.contains(&go_on), "{}", ended.errors);

    department.start_server();
    let again = department.begin_import(&officers(ROWS), &["--import-id", &id]);
    assert_whole(&again.end());
}

#[test]
fn a_roster_from_a_pipe_is_sent_again() {
    let mut department = Department::open_with(&SLOW);
    let mut import = department.begin_piped(&officers(ROWS), &[]);
    import.close_pipe();
    import.wait_until_it_writes();
    department.take_server().kill();
    department.start_server();
    assert_whole(&import.end());
}
