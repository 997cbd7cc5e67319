//! The messages that an administrator reads.

use crate::plan::scenario::Scenario;

/// Returns every message, one for each line.
fn messages(directory: &str, rows: &str) -> String {
    let scenario = Scenario::parse(directory, rows);
    let plan = scenario.plan();
    let lines = plan.decisions.indices().zip(1..).flat_map(|(row, number)| {
        let issues = plan.issues(row).into_iter();
        issues.map(move |issue| format!("{number} {} [{}]", issue.message, issue.suggestion))
    });
    lines.collect::<Vec<_>>().join("\n")
}

const FIVE: &str = "
    X1 a@x.example 1 ann
    X2 b@x.example 2 bob > a@x.example
    X3 c@x.example 003 cyd inactive
    X4 d@x.example 4 dan protected
    X5 e@x.example 5 eve group=G2";

#[test]
fn the_catalogs_messages_name_the_nearest_or_what_there_is() {
    insta::assert_snapshot!(messages(
        FIVE,
        "X1 a@x.example 1 ann role=Oficer rank=King group=G7
         X2 b@x.example 2 bob group=G2
         X4 d@x.example 4 dan inactive
         X5 e@x.example 5 eve group=G2"
    ), @r#"
    1 ROLE "Oficer" is not a role of this organisation; did you mean "Officer"? [Officer]
    1 RANK "King" is not a rank of this organisation; use one of "Captain", "Sergeant". []
    1 EVIDENCE_GROUP_EXT_ID "G7" is not a group of this organisation; did you mean "G1"? [G1]
    2 EVIDENCE_GROUP_EXT_ID "G2" is inactive; give an active group. []
    3 STATUS "Inactive" would deactivate user "X4", who is protected; keep the user Active, or end the protection first. []
    4 EVIDENCE_GROUP_EXT_ID "G2" is inactive. It is accepted, because the user has it already. []
    "#);
}

#[test]
fn messages_about_keys_name_the_other_user_or_row() {
    insta::assert_snapshot!(messages(
        FIVE,
        "N1 a@x.example 2 new
         N2 n@x.example 3 nat
         N3 m@x.example 3 nat
         N2 k@x.example 8 kew
         N4 n@x.example 9 !new
         X1 z@x.example 1 ann > nobody@elsewhere.example
         N5 y@x.example 5 yul
         X5 e@x.example 6 !eva"
    ), @r#"
    1 BADGE_NUMBER "2" already belongs to user "X2"; give this row another badge number. []
    1 EMAIL "a@x.example" already belongs to user "X1"; give this row another email. []
    2 EXTERNAL_ID "N2" is in row 4 too, with other values; keep the row that is right, and delete the other. []
    2 BADGE_NUMBER "3" is in row 3 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another badge number. []
    2 USERNAME "nat" is in row 3 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another username. []
    2 BADGE_NUMBER "3" equals the existing "003" except for leading zeros; if a spreadsheet changed them, format the column as text. [003]
    3 BADGE_NUMBER "3" is in row 2 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another badge number. []
    3 USERNAME "nat" is in row 2 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another username. []
    3 BADGE_NUMBER "3" equals the existing "003" except for leading zeros; if a spreadsheet changed them, format the column as text. [003]
    4 EXTERNAL_ID "N2" is in row 2 too, with other values; keep the row that is right, and delete the other. []
    5 USERNAME "new" has 1000 characters; shorten it to at most 100. []
    6 SUPERVISOR_EMAIL "nobody@elsewhere.example" matches no user; correct it, or add that user to the file. []
    7 BADGE_NUMBER "5" already belongs to user "X5"; give this row another badge number. []
    7 Row 8, which would have freed badge number "5", was rejected; correct row 8 first. []
    8 USERNAME "eva" has 1000 characters; shorten it to at most 100. 1 other row waits for this one. []
    "#);
}

#[test]
fn messages_about_supervisors_say_what_to_do() {
    insta::assert_snapshot!(messages(
        FIVE,
        "X1 a@x.example 1 ann > b@x.example
         X4 d@x.example 4 dan > c@x.example
         X5 e@x.example 5 eve > dd@x.example
         N1 n@x.example 7 new > n@x.example
         N2 m@x.example 8 mew > n@x.example"
    ), @r#"
    1 SUPERVISOR_EMAIL "b@x.example" closes a circle: a@x.example → b@x.example → a@x.example. Give another supervisor. []
    2 SUPERVISOR_EMAIL "c@x.example" is inactive after this import; check who supervises this user. []
    3 SUPERVISOR_EMAIL "dd@x.example" matches no user; did you mean "d@x.example"? [d@x.example]
    4 SUPERVISOR_EMAIL "n@x.example" is the row's own user, and is read as no supervisor; leave it blank if the user has none. []
    "#);
}

#[test]
fn a_long_circle_is_shown_in_part() {
    let rows: Vec<String> = (0..6)
        .map(|n| format!("N{n} {n}@x {n} u{n} > {}@x\n", (n + 1) % 6))
        .collect();
    let messages = messages("", &rows.concat());
    assert_eq!(
        messages.lines().next(),
        Some(
            "1 SUPERVISOR_EMAIL \"1@x\" closes a circle: 0@x → 1@x → 2@x → 3@x → … → 0@x. \
             Give another supervisor. []"
        )
    );
}
