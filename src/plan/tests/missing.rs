//! Which users are missing, and which rows have a user that cannot be identified (semantics §7).

use crate::domain::{GroupId, RoleId};
use crate::plan::MissingUsersScope;
use crate::plan::scenario::Scenario;

const FOUR: &str = "
    X1 a@x 1 ann group=G1
    X2 b@x 2 bob role=Admin
    X3 c@x 3 cyd protected
    0042 d@x 007 dan";

fn scenario(rows: &str) -> Scenario {
    Scenario::parse(FOUR, rows).deactivating_missing(MissingUsersScope::default())
}

#[test]
fn whoever_is_active_and_not_listed_is_missing_but_protected_users_stay() {
    let scenario = scenario("X1 a@x 1 ann");
    assert_eq!(scenario.missing(), ["0042", "X2"]);
    assert_eq!(scenario.plan().protected_skipped, 1);
}

#[test]
fn nobody_is_missing_unless_asked_for() {
    let plan = Scenario::parse(FOUR, "!X9 !z@x 9 zed").plan();
    assert_eq!(
        (plan.deactivations, plan.unidentifiable_rows),
        (vec![], vec![])
    );
}

#[test]
fn a_rejected_row_lists_its_user() {
    assert_eq!(scenario("X1 !a 1 ann\n X2 a@x 2 bob").missing(), ["0042"]);
}

#[test]
fn a_row_that_matched_nobody_lists_by_email_badge_number_and_username() {
    assert_eq!(scenario("N1 a@x 2 DAN").missing(), [""; 0]);
    assert_eq!(scenario("!X9 !a@x 2 dan").missing(), ["X1"]);
    assert_eq!(scenario("X1 b@x 7 dan").missing(), ["0042", "X2"]);
}

#[test]
fn a_row_with_a_wrong_external_id_lists_the_user_who_has_two_of_its_keys() {
    assert_eq!(scenario("X1 b@x 2 bob").missing(), ["0042"]);
    assert_eq!(scenario("X1 B@x 9 Bob").missing(), ["0042"]);
    assert_eq!(scenario("X1 z@x 2 bob").missing(), ["0042"]);
    assert_eq!(scenario("X1 b@x 2 zed").missing(), ["0042"]);
    assert_eq!(scenario("X1 b@x 9 zed").missing(), ["0042", "X2"]);
    assert_eq!(scenario("X1 a@x 1 bob").missing(), ["0042", "X2"]);
}

#[test]
fn keys_equal_but_for_leading_zeros_list() {
    assert_eq!(scenario("42 z@x 9 zed").missing(), ["X1", "X2"]);
    assert_eq!(scenario("N1 z@x 7 zed").missing(), ["X1", "X2"]);
}

#[test]
fn a_scope_leaves_everybody_else_alone() {
    let roles = vec![RoleId(1)];
    let groups = vec![GroupId::new(1).unwrap()];
    let missing = |roles: &[RoleId], groups: &[GroupId]| {
        let scope = MissingUsersScope {
            roles: roles.to_vec(),
            groups: groups.to_vec(),
        };
        let scenario = Scenario::parse(FOUR, "N1 z@x 9 zed").deactivating_missing(scope);
        scenario.missing().join(" ")
    };
    assert_eq!(missing(&roles, &[]), "X2");
    assert_eq!(missing(&[], &groups), "X1");
    assert_eq!(missing(&roles, &groups), "");
    assert_eq!(missing(&[], &[]), "0042 X1 X2");
}

#[test]
fn a_row_is_unidentifiable_if_its_keys_failed_and_no_user_has_one() {
    let rows = [
        ("misfit", true),
        ("header again", false),
        ("!X9 z@x 9 zed", true),
        ("!X9 a@x 9 zed", false),
        ("!X9 z@x 07 zed", false),
        ("- !z 9 zed", true),
        ("_ z@x 9 -", true),
        ("- !z 9 ann", false),
        ("N1 !z 9 zed", false),
        ("N1 !z - zed", true),
        ("N1 !z - ann", false),
        ("00042 !z - zed", false),
        ("N1 z@x 9 zed phone=!5", false),
        ("- z@x 9 zed phone=!5", false),
        ("X1 !z !9 !zed", false),
        ("N1 !z 9 zed status=!Lee", true),
        ("X1 !z 9 zed status=!Lee", true),
        ("X1 !z 9 ann status=!Lee", false),
        ("X1 a@x 9 zed status=!Lee", false),
    ];
    for (row, is_unidentifiable) in rows {
        let expected: &[u32] = if is_unidentifiable { &[1] } else { &[] };
        assert_eq!(scenario(row).plan().unidentifiable_rows, expected, "{row}");
    }
}
