//! The changes that a dry run shows, and the pager for many of them.

use std::process::Command;

use crate::{
    department::{Department, officers, roster, text},
    terminal::Terminal,
};

/// Makes a department of 60 officers, and a roster in which each has another badge number.
fn department() -> Department {
    let department = Department::open();
    department.file("roster.csv", &officers(60));
    department.run(&["import", "roster.csv"]);
    department.file("june.csv", &officers(60).replace("example,B", "example,C"));
    department
}

fn diff(department: &Department, options: &[&str]) -> Command {
    department.command(&[&["import", "june.csv", "--diff"][..], options].concat())
}

/// Returns the text that is shown on a terminal of 40 lines, without colours.
fn shown(mut command: Command, pager: Option<&str>) -> String {
    command.env("NO_COLOR", "1");
    match pager {
        Some(pager) => command.env("PAGER", pager),
        None => command.env_remove("PAGER"),
    };
    let (exit, shown) = Terminal::start(command).end();
    assert_eq!(exit, Some(0), "{shown}");
    assert!(shown.contains("--expected-plan-digest "), "{shown}");
    shown
}

const LAST: &str = "P-60";

#[test]
fn a_long_diff_goes_through_the_pager_and_its_end_stays_on_the_terminal() {
    let department = department();
    let paged = shown(diff(&department, &[]), Some("sed s/^row/paged/"));
    assert_eq!(paged.matches("paged ").count(), 60, "{paged}");
    assert!(
        paged.contains(LAST) && !paged.contains("warning"),
        "{paged}"
    );
    let (_, end) = paged.rsplit_once(LAST).unwrap();
    assert!(end.contains("Dry run completed: 60 rows"), "{paged}");
    let by_shell = shown(diff(&department, &[]), Some("sed 's/^row/paged/' | cat"));
    assert_eq!(by_shell.matches("paged ").count(), 60, "{by_shell}");
}

#[test]
fn a_reader_who_leaves_the_pager_early_still_sees_the_end() {
    let department = department();
    for pager in ["head -n 3", "true"] {
        let left = shown(diff(&department, &[]), Some(pager));
        assert!(!left.contains(LAST) && !left.contains("warning"), "{left}");
        assert!(left.contains("Dry run completed"), "{left}");
    }
}

#[test]
fn a_pager_that_is_missing_or_does_not_work_costs_nothing_of_the_diff() {
    let department = department();
    for pager in ["no-such-pager --x", "false", "no-such-pager 'x'"] {
        let whole = shown(diff(&department, &[]), Some(pager));
        assert!(whole.contains(LAST), "{whole}");
        assert!(
            whole.contains("the pager that PAGER names does not work"),
            "{whole}"
        );
    }
    // Without the variable PAGER, a machine may have no pager.
    let mut command = diff(&department, &[]);
    command.env("PATH", "/nowhere");
    let whole = shown(command, None);
    assert!(
        whole.contains(LAST) && !whole.contains("warning"),
        "{whole}"
    );
}

#[test]
fn no_pager_and_short_diffs_and_pipes_have_none() {
    let department = department();
    let marked = Some("sed s/^row/paged/");
    let whole = shown(diff(&department, &["--no-pager"]), marked);
    assert!(whole.contains(LAST) && !whole.contains("paged"), "{whole}");
    for pager in ["", "cat"] {
        assert!(shown(diff(&department, &[]), Some(pager)).contains(LAST));
    }
    department.file("june.csv", &officers(3).replace("example,B", "example,C"));
    assert!(!shown(diff(&department, &[]), marked).contains("paged"));
    let mut piped = diff(&department, &[]);
    piped.env("PAGER", "false");
    let piped = piped.output().unwrap();
    assert!(
        piped.status.success() && piped.stderr.is_empty(),
        "{piped:?}"
    );
}

#[test]
fn new_users_are_a_line_each_and_changes_have_colours() {
    let department = department();
    let both = officers(61)
        .replace(",B1,", ",0421,")
        .replace(",p61,Officer", ",p61,Sergeant");
    department.file("june.csv", &both);
    let plain = text(&diff(&department, &[]).output().unwrap().stdout);
    let (changes, _) = plain.split_once("\n\n").unwrap();
    insta::assert_snapshot!(changes, @"
    row   1  updated    P-1  Pat Example
             BADGE_NUMBER: B1 → 0421
    row  61  created    P-61  Pat Example  p61@pd.example  Sergeant
    ");
    let (_, coloured) = Terminal::start(diff(&department, &[])).end();
    let change = "BADGE_NUMBER: \u{1b}[1m\u{1b}[31mB1\u{1b}[0m → \u{1b}[32m0421\u{1b}[0m";
    assert!(coloured.contains(change), "{coloured:?}");
}

#[test]
fn watch_shows_changed_rows_with_their_columns() {
    let department = department();
    department.file(
        "june.csv",
        &roster(["Officer", "Sergeant", "Oficer"]).replace(",B1,", ",0421,"),
    );
    let id = "01a30000-0000-7000-8000-000000000002";
    department.run(&["import", "june.csv", "--import-id", id]);
    let watch = department.run(&["watch", "01a3"]);
    assert_eq!(watch.status.code(), Some(3), "{watch:?}");
    let said = text(&watch.stderr);
    assert!(said.starts_with("june.csv, sent by local on 20"), "{said}");
    let rows = text(&watch.stdout);
    let (rows, _) = rows.split_once("\n\n").unwrap();
    insta::assert_snapshot!(rows, @"
    row   1  updated    P-1  BADGE_NUMBER
    row   2  updated    P-2  ROLE
    ");
}

#[test]
fn watch_shows_what_is_coming_in_during_an_upload() {
    let department = Department::open();
    let id = "01a30000-0000-7000-8000-000000000002";
    let mut importing = department.begin_piped(&officers(2_000), &["--import-id", id]);
    importing.id();
    let mut watching = Terminal::start(department.command(&["watch", id]));
    watching.wait_for("standard input, sent by local");
    watching.wait_for("reading 2,000 rows");
    importing.close_pipe();
    assert_eq!(importing.end().exit, Some(0));
    let (exit, shown) = watching.end();
    assert_eq!(exit, Some(0), "{shown}");
    assert!(shown.contains(": 2,000 rows ("), "{shown}");
}
