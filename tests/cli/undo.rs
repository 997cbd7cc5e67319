//! `undo`: shows the values that it would restore, asks before users become Inactive, and does only that.

use crate::{
    department::{Department, officers, text},
    terminal::Terminal,
};

const ASKED: &str = "Type Confirm to go on: ";
const ID: &str = "018f4e9e-5c7b-7000-8000-000000000001";

/// Makes a department of eleven officers, and an import that changes one and creates two.
fn wrongly_imported() -> Department {
    let department = Department::open();
    department.file("before.csv", &officers(11));
    department.run(&["import", "before.csv"]);
    let wrong = officers(13).replace("p1@pd.example", "wrong@pd.example");
    department.file("wrong.csv", &wrong);
    department.run(&["import", "wrong.csv", "--import-id", ID]);
    department
}

fn undo(department: &Department, options: &[&str]) -> (Option<i32>, String) {
    // The beginning of an ID names the import.
    let words = [&["undo", "018f4e9e"], options].concat();
    let done = department.command(&words).output().unwrap();
    let text = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8(text).unwrap())
}

/// Returns the line of a user in the export.
fn user(department: &Department, id: &str) -> String {
    let begins = format!("{id},");
    let users = department.users();
    let user = users.iter().find(|user| user.starts_with(&begins));
    user.expect("there is one").clone()
}

fn is_undone(department: &Department) -> bool {
    let gone = ["P-12", "P-13"].map(|id| user(department, id).contains(",Inactive,"));
    let back = user(department, "P-1").contains("p1@pd.example");
    assert_eq!(gone, [back, back]);
    back
}

#[test]
fn a_dry_run_shows_what_would_be_given_back_and_writes_nothing() {
    let department = wrongly_imported();
    let (exit, shown) = undo(&department, &["--validate-only"]);
    assert_eq!(exit, Some(0), "{shown}");
    for told in [
        "EMAIL: wrong@pd.example → p1@pd.example",
        "STATUS: Active → Inactive",
        "Dry run of an undo completed: 3 rows",
        "undo 018f4e9e --expected-plan-digest",
    ] {
        assert!(shown.contains(told), "{told} is not in {shown}");
    }
    assert!(!is_undone(&department));
}

#[test]
fn without_a_terminal_the_word_is_an_option() {
    let department = wrongly_imported();
    let (exit, shown) = undo(&department, &[]);
    assert_eq!(exit, Some(2), "{shown}");
    assert!(
        shown.contains("The undo would make 2 users Inactive"),
        "{shown}"
    );
    let (exit, shown) = undo(&department, &["--confirm", "yes"]);
    assert_eq!(exit, Some(2), "{shown}");
    assert!(!is_undone(&department));
    let (exit, shown) = undo(&department, &["--confirm", "Confirm"]);
    assert_eq!(exit, Some(0), "{shown}");
    assert!(shown.contains("Undo completed: 3 rows"), "{shown}");
    assert!(is_undone(&department));
    let listed = text(&department.run(&["imports"]).stdout);
    assert!(
        listed.contains("undone") && listed.contains("undo of 018f4e9e"),
        "{listed}"
    );
    let (exit, shown) = undo(&department, &["--confirm", "Confirm"]);
    assert_eq!(exit, Some(0), "{shown}");
    assert!(
        shown.contains("There is nothing to undo any more."),
        "{shown}"
    );
}

#[test]
fn on_a_terminal_the_word_is_asked_for_after_the_changes_are_shown() {
    let department = wrongly_imported();
    let mut terminal = Terminal::start(department.command(&["undo", ID]));
    let shown = terminal.wait_for(ASKED).to_owned();
    assert!(
        shown.contains("EMAIL") && shown.contains("2 users would become Inactive."),
        "{shown}"
    );
    assert!(!is_undone(&department));
    terminal.type_line("Confirm");
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(0), "{shown}");
    assert!(is_undone(&department));
}

#[test]
fn users_who_were_edited_are_named_with_the_import_that_did_it() {
    let department = wrongly_imported();
    let later = officers(11).replace("p1@pd.example", "later@pd.example");
    department.file("later.csv", &later);
    let edit = "01900000-0000-7000-8000-000000000002";
    department.run(&["import", "later.csv", "--import-id", edit]);
    let (exit, shown) = undo(&department, &["--confirm", "Confirm"]);
    assert_eq!(exit, Some(3), "{shown}");
    assert!(shown.contains(edit) && shown.contains("P-1"), "{shown}");
    assert!(user(&department, "P-1").contains("later@pd.example"));
    assert!(user(&department, "P-12").contains(",Inactive,"));
}

#[test]
fn what_cannot_be_undone_is_refused() {
    let department = wrongly_imported();
    department.run(&[
        "import",
        "wrong.csv",
        "--validate-only",
        "--import-id",
        "01900000-0000-7000-8000-000000000009",
    ]);
    let words = ["undo", "01900000-0000-7000-8000-000000000009"];
    let done = department.command(&words).output().unwrap();
    let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    assert_eq!(done.status.code(), Some(4), "{text}");
    assert!(text.contains("has changed nothing"), "{text}");
}
