//! The exit codes of commands (api.md, Command line). `history` tests the exit code of a cancelled import.

use std::net::TcpListener;

use crate::department::{Department, officers, program, roster, text};

/// Imports the roster. Returns the exit code and the standard error.
fn import(department: &Department, options: &[&str]) -> (Option<i32>, String) {
    let words = [&["import", "roster.csv"], options].concat();
    let output = department.run(&words);
    (output.status.code(), text(&output.stderr))
}

#[test]
fn zero_where_all_rows_stand_and_three_where_some_are_rejected() {
    let department = Department::open();
    department.file("roster.csv", &officers(2));
    assert_eq!(import(&department, &[]), (Some(0), String::new()));
    department.file("roster.csv", &roster(["Officer", "Oficer"]));
    assert_eq!(import(&department, &[]).0, Some(3));
}

#[test]
fn zero_for_rejected_rows_if_a_scheduler_must_not_take_them_for_a_failure() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer", "Oficer"]));
    let option = "--exit-zero-on-rejected-rows";
    let (exit, errors) = import(&department, &[option, "--errors", "rejected.csv"]);
    assert_eq!(exit, Some(0));
    assert!(errors.contains(option), "{errors}");
    assert!(department.read("rejected.csv").contains("Oficer"));
    let pushed = department.run(&["push", "roster.csv", option]);
    assert_eq!(pushed.status.code(), Some(0));
    // No other result is a success.
    assert_eq!(
        import(&department, &[option, "--all-or-nothing"]).0,
        Some(4)
    );
    let nobody = [option, "--endpoint", "http://127.0.0.1:1", "--retries=0"];
    assert_eq!(import(&department, &nobody).0, Some(5));
}

#[test]
fn two_where_the_command_is_used_wrongly() {
    let department = Department::open();
    let missing = import(&department, &[]);
    let expected = "error: roster.csv cannot be read: No such file or directory (os error 2). \
        Check its name and the folder you are in.\n";
    assert_eq!(missing, (Some(2), expected.to_owned()));
    assert_eq!(department.run(&["import"]).status.code(), Some(2));
}

#[test]
fn two_where_a_deactivation_is_not_confirmed_and_nobody_can_be_asked() {
    let department = Department::open();
    department.file("roster.csv", &officers(4));
    import(&department, &[]);
    department.file("roster.csv", &officers(3));
    let expected =
        "error: --deactivate-missing needs --confirm Confirm if there is no terminal to ask on.\n";
    let refused = import(&department, &["--deactivate-missing"]);
    assert_eq!(refused, (Some(2), expected.to_owned()));
    assert!(!department.users().join("\n").contains("Inactive"));
    let confirmed = ["--deactivate-missing", "--confirm", "Confirm"];
    assert_eq!(import(&department, &confirmed).0, Some(0));
    assert!(department.users().join("\n").contains("Inactive"));
}

#[test]
fn four_where_the_import_is_refused_and_nothing_is_written() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer", "Oficer"]));
    let (exit, errors) = import(&department, &["--all-or-nothing"]);
    assert_eq!(exit, Some(4));
    assert_eq!(
        errors,
        "error: the import was refused; the summary says why.\n"
    );
    department.file("roster.csv", "EMIAL,ROLE\na@pd.example,Officer\n");
    assert_eq!(import(&department, &[]).0, Some(4));
    assert!(department.users().is_empty());
}

#[test]
fn five_where_nobody_listens_at_once_and_with_what_to_do() {
    let department = Department::open();
    department.file("roster.csv", &officers(1));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (exit, errors) = import(&department, &["--endpoint", &endpoint]);
    assert_eq!(exit, Some(5));
    let expected = format!(
        "error: cannot reach {endpoint}: Connection refused (os error 111).\n\
         Start a server with `user-import serve`, or give its address with --endpoint.\n"
    );
    assert_eq!(errors, expected);
}

#[test]
fn help_names_every_code() {
    let help = program().args(["import", "--help"]).output().unwrap();
    let help = text(&help.stdout);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for code in ["0 all rows accepted", "2 wrong use", "6 cancelled"] {
        assert!(help.contains(code), "{help}");
    }
}
