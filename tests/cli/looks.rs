//! Colours and progress, which are shown only on terminals, and `--quiet`, which is for jobs.

use crate::{
    department::{Department, officers, program, roster, text},
    terminal::Terminal,
};

const ESCAPE: char = '\u{1b}';

/// The server writes each row in a transaction of its own, so that the import takes long enough to watch it.
const SLOW: [&str; 2] = ["--transaction-rows", "1"];

#[test]
fn a_terminal_has_colours_and_progress_with_phase_pace_and_time_left() {
    let department = Department::open_with(&SLOW);
    department.file("roster.csv", &officers(2_500));
    let (exit, shown) = Terminal::start(department.command(&["import", "roster.csv"])).end();
    assert_eq!(exit, Some(0), "{shown}");
    assert!(shown.contains("writing"), "{shown}");
    assert!(shown.contains("of 2,500 rows, "), "{shown}");
    assert!(
        shown.contains(" rows/s, ") && shown.contains(" left"),
        "{shown}"
    );
    assert!(shown.contains("\u{1b}[32m    2,500\u{1b}[0m"), "{shown}");
}

#[test]
fn no_color_leaves_no_escape_code_on_a_terminal() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer", "Oficer"]));
    let mut import = department.command(&["import", "roster.csv"]);
    import.env("NO_COLOR", "1");
    let (exit, shown) = Terminal::start(import).end();
    assert_eq!(exit, Some(3), "{shown}");
    assert!(!shown.contains(ESCAPE), "{shown:?}");
    let mut help = program();
    help.args(["import", "--help"]).env("NO_COLOR", "1");
    let (_, shown) = Terminal::start(help).end();
    assert!(!shown.contains(ESCAPE), "{shown:?}");
}

#[test]
fn no_color_has_lines_of_progress_in_place_of_a_bar() {
    let department = Department::open_with(&SLOW);
    department.file("roster.csv", &officers(9_000));
    let mut import = department.command(&["import", "roster.csv"]);
    import.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(import);
    let shown = terminal.wait_for(" left");
    assert!(shown.contains(": ") && shown.contains(" rows/s"), "{shown}");
    assert!(!shown.contains(ESCAPE), "{shown:?}");
}

#[test]
fn a_pipe_gets_neither_colours_nor_progress() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer", "Oficer"]));
    let import = department.run(&["import", "roster.csv"]);
    assert_eq!(import.status.code(), Some(3));
    assert!(text(&import.stderr).is_empty(), "{import:?}");
    assert!(!text(&import.stdout).contains(ESCAPE), "{import:?}");
}

#[test]
fn quiet_leaves_errors_and_the_exit_code() {
    let department = Department::open();
    department.file("roster.csv", &roster(["Officer", "Oficer"]));
    let words = [
        "import",
        "roster.csv",
        "--quiet",
        "--errors",
        "rejected.csv",
    ];
    let (exit, shown) = Terminal::start(department.command(&words)).end();
    assert_eq!((exit, shown.as_str()), (Some(3), ""));
    assert!(department.read("rejected.csv").contains("Oficer"));

    let refused = department.run(&["-q", "import", "roster.csv", "--all-or-nothing"]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(refused.stdout.is_empty(), "{refused:?}");
    let told = text(&refused.stderr);
    assert!(
        told.starts_with("error: ")
            && told.contains("--all-or-nothing")
            && !told.contains("all_or_nothing"),
        "{told}"
    );

    let data = department.run(&["import", "roster.csv", "--quiet", "--format", "csv"]);
    assert!(
        text(&data.stdout).starts_with("row,line,outcome,"),
        "{data:?}"
    );
    assert!(data.stderr.is_empty(), "{data:?}");
    let lists = department.run(&["imports", "--quiet"]);
    assert!(text(&lists.stdout).contains("completed"), "{lists:?}");
}
