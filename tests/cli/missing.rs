//! `import --deactivate-missing` on a terminal: shows the users that it would deactivate, asks, and deactivates only
//! those.

use std::fs;

use crate::{
    department::{Department, officers},
    terminal::Terminal,
};

const ASKED: &str = "Type Confirm to go on: ";

/// Makes a department of twelve officers, ten of which the roster lists.
fn two_missing() -> Department {
    let department = Department::open();
    department.file("before.csv", &officers(12));
    department.run(&["import", "before.csv"]);
    department.file("roster.csv", &officers(10));
    department
}

fn deactivate(department: &Department, options: &[&str]) -> Terminal {
    let words = [&["import", "roster.csv", "--deactivate-missing"], options].concat();
    Terminal::start(department.command(&words))
}

fn inactive(department: &Department) -> usize {
    let users = department.users();
    users
        .iter()
        .filter(|user| user.contains(",Inactive,"))
        .count()
}

#[test]
fn whom_it_would_deactivate_is_shown_before_the_word_is_asked_for() {
    let department = two_missing();
    let mut terminal = deactivate(&department, &[]);
    let shown = terminal.wait_for(ASKED).to_owned();
    for told in [
        "2 users of pd would be deactivated, because the roster does not list them:",
        "  - P-11  p11@pd.example",
        "  - P-12  p12@pd.example",
    ] {
        assert!(shown.contains(told), "{told} is not in {shown}");
    }
    assert_eq!(inactive(&department), 0);
    terminal.type_line("Confirm");
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(0), "{shown}");
    assert!(
        shown.contains("deactivated") && shown.contains("P-12"),
        "{shown}"
    );
    assert_eq!(inactive(&department), 2);
}

#[test]
fn another_word_writes_nothing() {
    let department = two_missing();
    for word in ["yes", "confirmed", ""] {
        let mut terminal = deactivate(&department, &[]);
        terminal.wait_for(ASKED);
        terminal.type_line(word);
        let (exit, shown) = terminal.end();
        assert_eq!(exit, Some(2), "{shown}");
        assert!(shown.contains("the word is Confirm"), "{shown}");
    }
    assert_eq!(inactive(&department), 0);
}

#[test]
fn the_word_in_another_case_is_asked_for_again() {
    let department = two_missing();
    let mut terminal = deactivate(&department, &[]);
    terminal.wait_for(ASKED);
    terminal.type_line("confirm");
    terminal.wait_for("Type exactly Confirm to go on: ");
    assert_eq!(inactive(&department), 0);
    terminal.type_line("Confirm");
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(0), "{shown}");
    assert_eq!(inactive(&department), 2);
}

#[test]
fn whoever_presses_ctrl_c_when_asked_writes_nothing() {
    let department = two_missing();
    let mut terminal = deactivate(&department, &[]);
    terminal.wait_for(ASKED);
    terminal.interrupt();
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(2), "{shown}");
    assert_eq!(inactive(&department), 0);
}

#[test]
fn a_directory_that_changed_while_somebody_was_asked_stops_it() {
    let department = two_missing();
    let mut terminal = deactivate(&department, &[]);
    terminal.wait_for(ASKED);
    department.file("thirteen.csv", &officers(13));
    department.run(&["import", "thirteen.csv"]);
    terminal.type_line("Confirm");
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(4), "{shown}");
    assert!(
        shown.contains("has changed since you were asked"),
        "{shown}"
    );
    assert_eq!(inactive(&department), 0);
}

#[test]
fn what_a_guard_refuses_is_not_asked_about() {
    let department = two_missing();
    department.file("roster.csv", &officers(2));
    let (exit, shown) = deactivate(&department, &[]).end();
    assert_eq!(exit, Some(4), "{shown}");
    assert!(!shown.contains(ASKED) && shown.contains("P-12"), "{shown}");
    assert_eq!(inactive(&department), 0);
}

#[test]
fn what_a_guard_refuses_has_its_rejected_rows_in_the_file_and_its_answers_in_the_format() {
    let department = two_missing();
    // A row whose user cannot be identified.
    let damaged = format!("{}P-11\n", officers(10));
    department.file("roster.csv", &damaged);
    let options = ["--errors", "errors.csv", "--format", "json"];
    let (exit, shown) = deactivate(&department, &options).end();
    assert_eq!(exit, Some(4), "{shown}");
    for part in ["{\"started\":{", "REJECTED", "{\"summary\":{"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("would have been"), "{shown}");
    let errors = fs::read_to_string(department.path("errors.csv"));
    assert!(errors.expect("it is written").contains("P-11"), "{shown}");
    assert_eq!(inactive(&department), 0);
}

#[test]
fn where_nobody_is_missing_nobody_is_asked() {
    let department = two_missing();
    department.file("roster.csv", &officers(12));
    let (exit, shown) = deactivate(&department, &[]).end();
    assert_eq!(exit, Some(0), "{shown}");
    assert!(shown.contains("none is deactivated"), "{shown}");
}

#[test]
fn the_word_as_an_option_is_not_asked_for() {
    let department = two_missing();
    let (exit, shown) = deactivate(&department, &["--confirm", "Confirm"]).end();
    assert_eq!(exit, Some(0), "{shown}");
    assert!(!shown.contains(ASKED), "{shown}");
    assert_eq!(inactive(&department), 2);
}

#[test]
fn a_quiet_command_does_not_ask_but_names_the_option_to_give() {
    let department = two_missing();
    let (exit, shown) = deactivate(&department, &["--quiet"]).end();
    assert_eq!(exit, Some(2), "{shown}");
    assert!(shown.contains("--confirm Confirm"), "{shown}");
    assert_eq!(inactive(&department), 0);
}

#[test]
fn beyond_twenty_the_rest_is_counted_and_a_command_shows_all() {
    let department = Department::open();
    department.file("before.csv", &officers(1_000));
    department.run(&["import", "before.csv"]);
    department.file("roster.csv", &officers(970));
    let mut terminal = deactivate(&department, &[]);
    let shown = terminal.wait_for(ASKED);
    assert!(shown.contains("30 users of pd"), "{shown}");
    assert!(
        shown.contains("and 10 more; to see all of them:"),
        "{shown}"
    );
    assert!(
        shown.contains("import roster.csv --deactivate-missing --diff"),
        "{shown}"
    );
    assert!(!shown.contains("P-991 "), "{shown}");
}
