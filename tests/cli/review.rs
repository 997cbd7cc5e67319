//! `import --diff` shows what an import would do, before it is done.

use crate::{
    department::{Department, officers, text},
    process::objects,
};

/// Imports four officers. In today's roster one of them is missing, one is promoted, one is new, and one is misspelt.
fn changed() -> (Department, String) {
    let department = Department::open();
    department.file("before.csv", &officers(4));
    let first = department.run(&["import", "before.csv"]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let kept = |line: &&str| !line.starts_with("P-2,");
    let roster = officers(5).replace(
        "P-3,p3@pd.example,B3,Pat,Example,Active,p3,Officer,",
        "P-3,p3@pd.example,B3,Pat,Example,Active,p3,Sergeant,+12025550143",
    );
    let lines: Vec<&str> = roster.lines().filter(kept).collect();
    let roster = lines.join("\n") + "\nP-6,p6@pd.example,B6,Sam,Example,Active,p6,Oficer,\n";
    department.file("roster.csv", &roster);
    (department, roster)
}

const DIFF: [&str; 4] = ["import", "roster.csv", "--deactivate-missing", "--diff"];

#[test]
fn a_diff_shows_each_change_before_and_after_and_writes_nothing() {
    let (department, _) = changed();
    let before = department.users();
    let diff = department.run(&DIFF);
    let page = text(&diff.stdout);
    assert_eq!(diff.status.code(), Some(3), "{diff:?}");
    for shown in [
        "row   2  updated    P-3  Pat Example\n         \
         ROLE: Officer → Sergeant\n         PHONE: (blank) → +12025550143\n",
        "row   4  created    P-5  Pat Example  p5@pd.example  Officer\n",
        "did you mean \"Officer\"?",
        "Dry run completed: 5 rows",
        "Nothing was written.",
        "Would be deactivated, because the roster does not list them\n  - P-2  p2@pd.example\n",
    ] {
        assert!(page.contains(shown), "{shown}\nis not in\n{page}");
    }
    assert!(!page.contains("P-1 "), "{page}");
    assert_eq!(department.users(), before);
}

/// Returns the command that a diff ends with, and adds the option that `--deactivate-missing` needs without a terminal.
fn next_command(page: &str) -> Vec<String> {
    let command = page
        .lines()
        .rev()
        .find(|line| line.contains("--expected-plan-digest"));
    let words = command.unwrap().split_whitespace().skip(1);
    let words = words.map(str::to_owned);
    words
        .chain(["--confirm".to_owned(), "Confirm".to_owned()])
        .collect()
}

#[test]
fn the_command_that_a_diff_gives_applies_what_was_reviewed() {
    let (department, _) = changed();
    let words = next_command(&text(&department.run(&DIFF).stdout));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(words[..3], DIFF[..3]);
    let applied = department.run(&words);
    assert_eq!(applied.status.code(), Some(3), "{applied:?}");
    let users = department.users().join("\n");
    assert!(
        users.contains("p3,Sergeant") && users.contains("Inactive,p2"),
        "{users}"
    );
}

#[test]
fn the_command_that_a_diff_gives_is_refused_once_the_directory_is_another() {
    let (department, roster) = changed();
    let words = next_command(&text(&department.run(&DIFF).stdout));
    department.file("first.csv", &roster);
    department.run(&["import", "first.csv"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let refused = department.run(&words);
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    assert!(!department.users().join("\n").contains("Inactive"));
}

#[test]
fn a_diff_is_json_and_csv_too() {
    let (department, _) = changed();
    let json = department.run(&[&DIFF[..], &["--format", "json"]].concat());
    let answers = objects(text(&json.stdout).lines());
    let results = answers.iter().find(|answer| answer["results"].is_object());
    let promoted = &results.unwrap()["results"]["results"][1]["changes"][0];
    assert_eq!(promoted["before"], "Officer");
    assert_eq!(promoted["after"], "Sergeant");
    let summary = &answers.last().unwrap()["summary"];
    assert_eq!(summary["validateOnly"], true);
    let at = summary["startedAt"].as_str().unwrap();
    assert!(at.ends_with('Z'), "{at}");

    let csv = department.run(&[&DIFF[..], &["--format", "csv"]].concat());
    let csv = text(&csv.stdout);
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("row,line,outcome,external_id,column,before,after,code,message")
    );
    assert_eq!(
        lines.next(),
        Some("2,3,UPDATED,P-3,ROLE,Officer,Sergeant,,")
    );
    assert!(
        csv.contains(",,DEACTIVATED,P-2,STATUS,Active,Inactive,,\n"),
        "{csv}"
    );
    assert!(
        csv.contains("5,6,REJECTED,P-6,ROLE,,Oficer,UNKNOWN_ROLE,"),
        "{csv}"
    );
}

#[test]
fn a_roster_from_a_pipe_is_reviewed_with_names_too() {
    let (department, roster) = changed();
    let diff = department.run_with_input(&["import", "-", "--diff"], &roster);
    assert!(text(&diff.stdout).contains("P-3  Pat Example"), "{diff:?}");
}
