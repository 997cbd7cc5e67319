//! Rows that replace the person of their user.

use crate::plan::scenario::Scenario;

const DIRECTORY: &str = "
    A ann@x 07 ann first=Ann last=Lee
    B bob@x 08 bob first=Bob last=Fox
";

/// Returns `true` if a row replaces the person of A.
fn replaces(row: &str) -> bool {
    let scenario = Scenario::parse(DIRECTORY, row);
    let plan = scenario.plan();
    assert_eq!(plan.matched_rows, 1, "{row}");
    let warned = scenario
        .decided()
        .contains("~IdentityReplaced(EXTERNAL_ID)");
    assert_eq!(warned, plan.identity_changes == 1, "{row}");
    warned
}

#[test]
fn three_of_email_badge_number_username_and_both_names_are_another_person() {
    for (row, expected) in [
        ("A new@x 99 new first=New last=Man", true),
        ("A new@x 99 new first=Ann last=Lee", true),
        ("A new@x 99 ann first=New last=Man", true),
        ("A new@x 07 new first=New last=Man", true),
        ("A ann@x 99 new first=New last=Man", true),
        // A person who marries keeps the first name and the badge number.
        ("A ann.fox@x 07 afox first=Ann last=Fox", false),
        ("A new@x 99 ann first=Ann last=Fox", false),
        ("A new@x 99 ann first=Nan last=Lee", false),
        ("A new@x 99 ann first=Ann last=Lee", false),
        ("A ann@x 07 ann first=New last=Man", false),
        ("A ann@x 07 ann first=Ann last=Lee", false),
    ] {
        assert_eq!(replaces(row), expected, "{row}");
    }
}

#[test]
fn case_and_leading_zeros_make_nobody_another_person() {
    for row in [
        "A ANN@X 07 ANN first=New last=Man",
        "A new@x 7 new first=ANN last=LEE",
        "A new@x 007 new first=Ann last=LEE",
        "A ann@X 7 new first=New last=Man",
    ] {
        assert!(!replaces(row), "{row}");
    }
}

#[test]
fn rejected_rows_and_new_users_count_for_nothing() {
    let rows = "
        A new@x 99 new first=New last=Man
        B taken@x !8 other first=Other last=Man
        C c@x 9 c first=Cy last=Ray
    ";
    let scenario = Scenario::parse(DIRECTORY, rows);
    let plan = scenario.plan();
    assert_eq!((plan.identity_changes, plan.matched_rows), (1, 1));
}
