//! Imports that are held for review: `import --hold`, `review`, `approve` and `cancel`.

use crate::{
    department::{Department, officers, text},
    process::objects,
};

/// Makes a department of 30 officers. Today's roster lists 4 of them, and is imported with `--deactivate-missing`.
fn department() -> Department {
    let department = Department::open();
    department.file("roster.csv", &officers(30));
    let all = department.run(&["import", "roster.csv"]);
    assert_eq!(all.status.code(), Some(0), "{all:?}");
    department.file("roster.csv", &officers(4));
    department
}

const HOLD: [&str; 6] = [
    "import",
    "roster.csv",
    "--hold",
    "--deactivate-missing",
    "--confirm",
    "Confirm",
];

/// Holds today's roster, and returns the ID of the import.
fn hold(department: &Department) -> String {
    let held = department.run(&HOLD);
    assert_eq!(held.status.code(), Some(7), "{held:?}");
    let json = department.run(&["imports", "--limit", "1", "--format", "json"]);
    let imports = objects(text(&json.stdout).lines());
    assert_eq!(imports[0]["state"], "IMPORT_STATE_HELD");
    imports[0]["importId"].as_str().unwrap().to_owned()
}

fn inactive(department: &Department) -> usize {
    department.users().join("\n").matches("Inactive").count()
}

#[test]
fn a_held_import_ends_with_seven_and_says_how_to_go_on() {
    let department = department();
    let held = department.run(&HOLD);
    assert_eq!(held.status.code(), Some(7), "{held:?}");
    let said = text(&held.stdout);
    for line in [
        "Import held for review: 4 rows",
        "Nothing was written.",
        "If it is approved:",
        "user-import review ",
        "user-import approve ",
        "user-import cancel ",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let errors = text(&held.stderr);
    assert!(errors.contains("held"), "{errors}");
    assert_eq!(inactive(&department), 0);
}

#[test]
fn a_review_shows_the_plan_and_an_approval_applies_it() {
    let department = department();
    let id = hold(&department);
    let review = department.run(&["review", &id]);
    assert_eq!(review.status.code(), Some(0), "{review:?}");
    let shown = text(&review.stdout);
    assert!(
        shown.contains("26 of 30 active users would be deactivated"),
        "{shown}"
    );
    assert_eq!(inactive(&department), 0);
    // Without a terminal, the program cannot know that a person has seen the plan.
    let unconfirmed = department.run(&["approve", &id]);
    assert_eq!(unconfirmed.status.code(), Some(2), "{unconfirmed:?}");
    let misspelt = department.run(&["approve", &id, "--confirm", "yes"]);
    assert_eq!(misspelt.status.code(), Some(2), "{misspelt:?}");
    let digest = "07".repeat(32);
    let other = [
        "approve",
        &id,
        "--confirm",
        "Confirm",
        "--expected-plan-digest",
        &digest,
    ];
    assert_eq!(department.run(&other).status.code(), Some(4));
    assert_eq!(inactive(&department), 0);
    let approved = department.run(&["approve", &id, "--confirm", "Confirm"]);
    assert_eq!(approved.status.code(), Some(0), "{approved:?}");
    assert!(
        text(&approved.stdout).contains("Import completed: 4 rows"),
        "{approved:?}"
    );
    assert_eq!(inactive(&department), 26);
    assert_eq!(department.run(&["review", &id]).status.code(), Some(4));
}

#[test]
fn the_digest_of_a_review_approves_that_plan() {
    let department = department();
    let id = hold(&department);
    let review = department.run(&["review", &id, "--format", "json"]);
    let answers = objects(text(&review.stdout).lines());
    let summary = &answers.last().unwrap()["summary"];
    assert_eq!(summary["state"], "IMPORT_STATE_HELD");
    let digest = summary["planDigest"].as_str().unwrap();
    let without_the_word = ["approve", &id, "--expected-plan-digest", digest];
    assert_eq!(department.run(&without_the_word).status.code(), Some(4));
    let with_it = [&without_the_word[..], &["--confirm", "Confirm"]].concat();
    assert_eq!(department.run(&with_it).status.code(), Some(0));
    assert_eq!(inactive(&department), 26);
}

#[test]
fn a_held_import_is_discarded() {
    let department = department();
    let id = hold(&department);
    let discarded = department.run(&["cancel", &id]);
    assert_eq!(discarded.status.code(), Some(0), "{discarded:?}");
    let said = text(&discarded.stdout);
    assert!(said.contains("discarded"), "{said}");
    assert_eq!(
        department
            .run(&["approve", &id, "--confirm", "Confirm"])
            .status
            .code(),
        Some(4)
    );
    assert_eq!(inactive(&department), 0);
}
