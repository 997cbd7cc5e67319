//! Rows that the caller's permissions do not allow (semantics §5 f).

use super::super::scenario::{Scenario, lines};
use super::super::{DenseIndex, MissingUsersScope, PlanPermissions, UserIndex};

const NO_GRANT: PlanPermissions = PlanPermissions {
    deactivation: true,
    privileged: false,
};

const NO_DEACTIVATION: PlanPermissions = PlanPermissions {
    deactivation: false,
    privileged: true,
};

#[track_caller]
fn decides(permitted: PlanPermissions, directory: &str, rows: &str, expected: &str) {
    let scenario = Scenario::parse(directory, rows).permitting(permitted);
    let expected = lines(expected).collect::<Vec<_>>().join("\n");
    assert_eq!(scenario.decided(), expected);
}

#[test]
fn a_privileged_role_is_not_given() {
    decides(
        NO_GRANT,
        "1 a@x 1 a",
        "1 a@x 1 a role=Admin
         2 b@x 2 b role=Admin
         3 c@x 3 c",
        "1 Rejected RoleNotGrantable(ROLE)
         2 Rejected RoleNotGrantable(ROLE)
         3 Created",
    );
}

#[test]
fn a_user_who_has_a_privileged_role_stays_as_he_is() {
    decides(
        NO_GRANT,
        "1 a@x 1 a role=Admin
         2 b@x 2 b role=Admin
         3 c@x 3 c role=Admin
         4 d@x 4 d role=Admin > c@x",
        "1 a@x 1 a role=Admin
         2 b@x 2 b role=Officer
         3 c2@x 3 c role=Admin
         4 d@x 4 d role=Admin > -",
        "1 Unchanged
         2 Rejected RoleNotGrantable(ROLE of 2)
         3 Rejected RoleNotGrantable(ROLE of 3)
         4 Rejected RoleNotGrantable(ROLE of 4)",
    );
}

#[test]
fn whoever_counted_on_a_change_that_is_not_permitted_is_rejected_in_turn() {
    decides(
        NO_GRANT,
        "1 a@x 1 a role=Admin
         2 b@x 2 b",
        "1 a@x 9 a role=Admin
         2 b@x 1 b",
        "1 Rejected RoleNotGrantable(ROLE of 1)
         2 Rejected BadgeNumberTaken(BADGE_NUMBER of 1) DependsOnRejectedRow(BADGE_NUMBER row 1)",
    );
}

#[test]
fn a_supervisor_that_other_rows_turn_into_another_is_a_change() {
    // a@x goes from user 1 to user 2, so row 3 would give user 3 another supervisor.
    decides(
        NO_GRANT,
        "1 a@x 1 a
         2 b@x 2 b
         3 c@x 3 c role=Admin > a@x",
        "1 n@x 1 a
         2 a@x 2 b
         3 c@x 3 c role=Admin > a@x",
        "1 Updated EMAIL
         2 Updated EMAIL
         3 Rejected RoleNotGrantable(ROLE of 3)",
    );
    // Here user 1 would get the email that row 3 names, but user 2 may not give it up.
    decides(
        NO_GRANT,
        "1 a@x 1 a
         2 e@x 2 c role=Admin
         3 p@x 3 p role=Admin > a@x",
        "1 e@x 1 a
         2 n@x 2 c role=Admin
         3 p@x 3 p role=Admin > e@x",
        "1 Rejected EmailTaken(EMAIL of 2) DependsOnRejectedRow(EMAIL row 2)
         2 Rejected RoleNotGrantable(ROLE of 2)
         3 Rejected RoleNotGrantable(ROLE of 3)",
    );
}

#[test]
fn an_active_user_is_not_made_inactive() {
    decides(
        NO_DEACTIVATION,
        "1 a@x 1 a
         2 b@x 2 b inactive",
        "1 a@x 1 a inactive
         2 b@x 3 b inactive
         3 c@x 4 c inactive",
        "1 Rejected DeactivationNotPermitted(STATUS)
         2 Updated BADGE_NUMBER
         3 Created",
    );
}

#[test]
fn missing_users_with_a_privileged_role_are_skipped_and_reported() {
    let directory = "1 a@x 1 a
         2 b@x 2 b role=Admin
         3 c@x 3 c role=Admin protected
         4 d@x 4 d role=Admin inactive";
    let scenario = Scenario::parse(directory, "9 n@x 9 n");
    let scenario = scenario.deactivating_missing(MissingUsersScope::default());
    assert_eq!(scenario.missing(), ["1", "2"]);
    let scenario = scenario.permitting(NO_GRANT);
    assert_eq!(scenario.missing(), ["1"]);
    let plan = scenario.plan();
    assert_eq!(
        (plan.privileged_skipped, plan.protected_skipped),
        (vec![UserIndex::new(1)], 1)
    );
    assert_eq!(plan.going_inactive, 1);
}
