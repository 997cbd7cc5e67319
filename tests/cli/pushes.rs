//! `push` sends a few rows in one call, and reports them in the same way as `import`.

use std::process::Output;

use crate::{
    department::{Department, officers, roster, text},
    process::objects,
};

/// The options that give every value of the first officer except the phone.
const FIRST: [&str; 16] = [
    "--set",
    "EXTERNAL_ID=P-1",
    "--set",
    "email=p1@pd.example",
    "--set",
    "Badge Number=B1",
    "--set",
    "FIRST_NAME=Pat",
    "--set",
    "LAST_NAME=Example",
    "--set",
    "STATUS=Active",
    "--set",
    "USERNAME=p1",
    "--set",
    "ROLE=Officer",
];

fn push(department: &Department, options: &[&str]) -> Output {
    department.run(&[&["push"], options].concat())
}

fn set(department: &Department, more: &[&str]) -> Output {
    push(department, &[&FIRST[..], more].concat())
}

/// Returns the exit code, the standard output and the standard error.
fn exit_and_output(output: &Output) -> (Option<i32>, String, String) {
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn one_user_is_pushed_by_setting_its_values() {
    let department = Department::open();
    let created = set(&department, &["--set", "PHONE=+12025550123"]);
    let (exit, shown, errors) = exit_and_output(&created);
    assert_eq!((exit, &*errors), (Some(0), ""), "{shown}");
    assert!(shown.contains("created             1"), "{shown}");
    let has_phone = || department.users()[0].contains("+12025550123");
    assert!(has_phone());
    // A column that is not named stays as it is, and a blank one is cleared.
    let unchanged = set(&department, &["--quiet"]);
    assert_eq!(
        exit_and_output(&unchanged),
        (Some(0), String::new(), String::new())
    );
    assert!(has_phone());
    let dry = exit_and_output(&set(&department, &["--set", "PHONE=", "--diff"]));
    assert!(dry.1.contains("PHONE: +12025550123"), "{}", dry.1);
    assert!(
        dry.1.contains("--set PHONE= --expected-plan-digest"),
        "{}",
        dry.1
    );
    assert!(has_phone());
    assert_eq!(
        set(&department, &["--set", "PHONE="]).status.code(),
        Some(0)
    );
    assert!(!has_phone());
}

#[test]
fn the_rows_of_a_file_and_of_a_pipe_are_pushed() {
    let department = Department::open();
    department.file("changed.csv", &officers(3));
    let (exit, shown, _) = exit_and_output(&push(&department, &["changed.csv"]));
    assert_eq!(exit, Some(0), "{shown}");
    assert!(shown.contains("created             3"), "{shown}");
    let piped = department.run_with_input(&["push", "-"], &officers(4));
    let (exit, shown, _) = exit_and_output(&piped);
    assert_eq!(exit, Some(0), "{shown}");
    assert!(shown.contains("unchanged           3"), "{shown}");
    assert_eq!(department.users().len(), 4);
}

#[test]
fn rejected_rows_are_reported_with_their_lines_and_written_to_the_errors_file() {
    let department = Department::open();
    let csv = roster(["Officer", "Oficer"]).replacen("Pat", "\"P\nat\"", 1);
    department.file("changed.csv", &csv);
    let options = [
        "changed.csv",
        "--errors",
        "rejected.csv",
        "--format",
        "json",
    ];
    let (exit, shown, errors) = exit_and_output(&push(&department, &options));
    assert_eq!(exit, Some(3), "{errors}");
    let answers = objects(shown.lines());
    assert_eq!(answers[0]["started"]["delimiter"], ",");
    let results = answers[1]["results"]["results"].as_array().unwrap();
    assert_eq!(
        (results[0]["row"].as_u64(), results[0]["line"].as_u64()),
        (Some(1), Some(2))
    );
    assert_eq!(
        (results[1]["row"].as_u64(), results[1]["line"].as_u64()),
        (Some(2), Some(4))
    );
    assert_eq!(answers[2]["summary"]["rejected"], 1);
    let rejected = department.read("rejected.csv");
    assert!(
        rejected.contains("p2@pd.example") && rejected.contains("UNKNOWN_ROLE"),
        "{rejected}"
    );
    assert!(!rejected.contains("p1@pd.example"), "{rejected}");
    let corrected = rejected.replace("Oficer", "Officer");
    department.file("corrected.csv", &corrected);
    assert_eq!(push(&department, &["corrected.csv"]).status.code(), Some(0));
}

#[test]
fn what_cannot_be_pushed_is_refused_before_it_is_sent() {
    let department = Department::open();
    let refused = |csv: &str| {
        department.file("changed.csv", csv);
        let (exit, shown, errors) = exit_and_output(&push(&department, &["changed.csv"]));
        assert_eq!((exit, &*shown), (Some(4), ""), "{errors}");
        errors
    };
    let many = refused(&officers(1_001));
    assert!(
        many.contains("more than 1000 rows") && many.contains("`user-import import`"),
        "{many}"
    );
    let header = refused("EMIAL,ROLE\na@pd.example,Officer\n");
    assert!(header.contains("did you mean EMAIL"), "{header}");
    let torn = refused(&format!("{}P-9,only\n", officers(1)));
    assert!(torn.contains("line 3: "), "{torn}");
    assert!(department.users().is_empty());
    assert!(
        department
            .run(&["imports", "--format", "json"])
            .stdout
            .is_empty()
    );
}

#[test]
fn a_push_that_a_guard_refuses_says_why() {
    let department = Department::open();
    department.file("changed.csv", &roster(["Officer", "Oficer"]));
    let (exit, shown, errors) =
        exit_and_output(&push(&department, &["changed.csv", "--all-or-nothing"]));
    assert_eq!(exit, Some(4));
    assert!(shown.contains("refused"), "{shown}");
    assert_eq!(
        errors,
        "error: the import was refused; the summary says why.\n"
    );
    assert!(department.users().is_empty());
}

#[test]
fn a_push_is_used_as_its_help_says() {
    let department = Department::open();
    department.file("changed.csv", &officers(1));
    for words in [
        &[][..],
        &["changed.csv", "--set", "EMAIL=a"],
        &["--set", "EMIAL=a"],
        &["--set", "EMAIL"],
        &["--set", "EMAIL=a", "--set", "email=b"],
        &["--set", "EMAIL=a", "--errors", "rejected.csv"],
        &["missing.csv"],
    ] {
        let (exit, _, errors) = exit_and_output(&push(&department, words));
        assert_eq!(exit, Some(2), "{words:?}: {errors}");
    }
}

#[test]
fn a_repeated_push_shows_the_recorded_results() {
    let department = Department::open();
    let id = "018f4e9e-5c7b-7000-8000-000000000001";
    let options = ["--import-id", id, "--format", "csv"];
    let first = exit_and_output(&set(&department, &options));
    let again = exit_and_output(&set(&department, &options));
    assert_eq!(first.1, again.1);
    assert!(first.1.contains("1,,CREATED,"), "{}", first.1);
    let other = exit_and_output(&set(&department, &["--import-id", id, "--set", "PHONE="]));
    assert_eq!(other.0, Some(4), "{}", other.2);
    assert!(other.1.contains("other input"), "{other:?}");
}

#[test]
fn a_push_waits_for_a_running_import() {
    for (turn, is_turned_away) in [("60", false), ("0", true)] {
        let options = ["--transaction-rows", "1", "--import-turn-seconds", turn];
        let department = Department::open_with(&options);
        let mut import = department.begin_import(&officers(1_000), &[]);
        import.wait_until_it_writes();
        let (exit, shown, errors) = exit_and_output(&set(&department, &["--retries", "100"]));
        assert_eq!(exit, Some(0), "{errors}");
        let retries = errors.contains("with the same import ID (1 of 100).");
        assert_eq!(retries, is_turned_away, "{errors}");
        assert!(shown.contains("unchanged           1"), "{shown}");
        assert_eq!(import.end().exit, Some(0));
    }
}

#[test]
fn a_push_survives_the_restart_of_its_server() {
    let mut department = Department::open();
    let server = department.take_server();
    server.terminate();
    let log = department.path("server.log");
    assert_eq!(server.end(&log).exit, Some(0));
    let (exit, _, errors) = exit_and_output(&set(&department, &["--retries", "0"]));
    assert_eq!(exit, Some(5), "{errors}");
    department.start_server();
    assert_eq!(set(&department, &[]).status.code(), Some(0));
}
