//! Which rows stand and which are rejected (semantics §5).

use crate::plan::scenario::decides;

const TWO: &str = "
    X1 a@x 1 ann
    X2 b@x 2 bob";

const THREE: &str = "
    X1 a@x 1 ann
    X2 b@x 2 bob
    X3 c@x 3 cyd";

#[test]
fn two_users_may_swap_badge_numbers() {
    decides(
        TWO,
        "X1 a@x 2 ann
         X2 b@x 1 bob",
        "1 Updated BADGE_NUMBER
         2 Updated BADGE_NUMBER",
    );
}

#[test]
fn three_users_may_rotate_usernames() {
    decides(
        THREE,
        "X1 a@x 1 bob
         X2 b@x 2 cyd
         X3 c@x 3 ann",
        "1 Updated USERNAME
         2 Updated USERNAME
         3 Updated USERNAME",
    );
}

#[test]
fn a_new_user_may_take_the_email_another_row_frees() {
    decides(
        TWO,
        "N1 a@x 9 new
         X1 z@x 1 ann",
        "1 Created
         2 Updated EMAIL",
    );
}

#[test]
fn a_value_of_a_user_outside_the_file_is_taken() {
    decides(
        TWO,
        "N1 A@X 2 BOB",
        "1 Rejected EmailTaken(EMAIL of X1) BadgeNumberTaken(BADGE_NUMBER of X2) UsernameTaken(USERNAME of X2)",
    );
}

#[test]
fn a_rejected_row_keeps_what_its_user_holds_and_takes_down_who_counted_on_it() {
    decides(
        THREE,
        "N1 a@x 9 new
         X1 b@x 1 ann
         X2 c@x 2 bob
         X3 z@x 3 !cyd1",
        "1 Rejected EmailTaken(EMAIL of X1) DependsOnRejectedRow(EMAIL row 2)
         2 Rejected EmailTaken(EMAIL of X2) DependsOnRejectedRow(EMAIL row 3)
         3 Rejected EmailTaken(EMAIL of X3) DependsOnRejectedRow(EMAIL row 4)
         4 Rejected TooLong(USERNAME)",
    );
}

#[test]
fn rows_about_one_user_contradict_each_other_and_share_keys_with_others() {
    decides(
        "",
        "N1 a@x 1 ann
         N1 A@x 2 bob
         N2 b@x 1 ANN",
        "1 Rejected DuplicateInFile(EXTERNAL_ID row 2) DuplicateInFile(BADGE_NUMBER row 3) DuplicateInFile(USERNAME row 3)
         2 Rejected DuplicateInFile(EXTERNAL_ID row 1)
         3 Rejected DuplicateInFile(BADGE_NUMBER row 1) DuplicateInFile(USERNAME row 1)",
    );
}

#[test]
fn duplicates_are_judged_at_once_among_the_rows_that_passed_their_field_checks() {
    decides(
        "",
        "N1 a@x 1 !ann
         N1 a@x 1 ann
         N2 a@x 2 bob
         N3 c@x 2 cyd",
        "1 Rejected TooLong(USERNAME)
         2 Rejected DuplicateInFile(EMAIL row 3)
         3 Rejected DuplicateInFile(EMAIL row 2) DuplicateInFile(BADGE_NUMBER row 4)
         4 Rejected DuplicateInFile(BADGE_NUMBER row 3)",
    );
}

#[test]
fn the_row_whose_user_has_a_key_already_keeps_it() {
    decides(
        TWO,
        "N1 a@x 9 new
         N2 n@x 2 BOB
         X1 A@x 1 ann
         X2 b@x 2 bob",
        "1 Rejected DuplicateInFile(EMAIL row 3)
         2 Rejected DuplicateInFile(BADGE_NUMBER row 4) DuplicateInFile(USERNAME row 4)
         3 Updated EMAIL
         4 Unchanged",
    );
    // This holds even if the row is rejected for another reason.
    decides(
        TWO,
        "N1 a@x 9 new
         X1 a@x 1 ann
         X1 a@x 7 ann",
        "1 Rejected DuplicateInFile(EMAIL row 2) EmailTaken(EMAIL of X1)
         2 Rejected DuplicateInFile(EXTERNAL_ID row 3)
         3 Rejected DuplicateInFile(EXTERNAL_ID row 2)",
    );
    // A row that gives the key up does not keep it.
    decides(
        TWO,
        "N1 a@x 9 new
         N2 a@x 8 nan
         X1 z@x 1 ann",
        "1 Rejected DuplicateInFile(EMAIL row 2)
         2 Rejected DuplicateInFile(EMAIL row 1)
         3 Updated EMAIL",
    );
}

#[test]
fn a_copy_shares_the_fate_of_the_row_that_it_equals() {
    decides(
        TWO,
        "X1 a@x 7 ann
         X1 a@x 7 ann
         X1 a@x 7 ann
         N1 n@x 2 nan
         N1 n@x 2 nan
         - o@x 3 olu
         _ o@x 3 olu
         X2 b@x 2 bob inactive
         X2 b@x 2 bob
         X2 b@x 2 bob inactive",
        "1 Updated BADGE_NUMBER
         2 Unchanged ~DuplicateInFile(EXTERNAL_ID row 1)
         3 Unchanged ~DuplicateInFile(EXTERNAL_ID row 1)
         4 Rejected DuplicateInFile(BADGE_NUMBER row 8) BadgeNumberTaken(BADGE_NUMBER of X2)
         5 Rejected DuplicateInFile(BADGE_NUMBER row 8) BadgeNumberTaken(BADGE_NUMBER of X2) ~DuplicateInFile(EXTERNAL_ID row 4)
         6 Created
         7 Unchanged ~DuplicateInFile(EXTERNAL_ID row 6)
         8 Rejected DuplicateInFile(EXTERNAL_ID row 9)
         9 Rejected DuplicateInFile(EXTERNAL_ID row 8)
         10 Rejected DuplicateInFile(EXTERNAL_ID row 9) ~DuplicateInFile(EXTERNAL_ID row 8)",
    );
}

#[test]
fn what_makes_a_row_no_copy() {
    for other in [
        "N1 a@x 1 ann inactive",
        "N1 A@x 1 ann",
        "N1 a@x 1 Ann",
        "N1 a@x 1 ann first=KIM",
        "N1 a@x 1 ann rank=Captain",
        "N1 a@x 1 ann > b@x",
        "N1 a@x 1 ann > -",
        "N1 a@x 1 ann phone=+12025550123",
        "N1 a@x 1 ann role=Admin",
    ] {
        decides(
            "X2 b@x 2 bob",
            &format!("N1 a@x 1 ann\n{other}"),
            "1 Rejected DuplicateInFile(EXTERNAL_ID row 2)
             2 Rejected DuplicateInFile(EXTERNAL_ID row 1)",
        );
    }
    decides(
        "",
        "N1 a@x 1 ann
         N1 a@x 01 ann",
        "1 Rejected DuplicateInFile(EXTERNAL_ID row 2) ~LeadingZerosLost(BADGE_NUMBER row 2)
         2 Rejected DuplicateInFile(EXTERNAL_ID row 1) ~LeadingZerosLost(BADGE_NUMBER row 1)",
    );
}

#[test]
fn case_makes_no_difference_where_it_is_not_stored() {
    decides(
        "X2 b@x 2 bob",
        "N1 a@x 1 ann > b@x role=Officer rank=Captain
         N1 a@x 1 ann > B@X role=OFFICER rank=captain",
        "1 Created
         2 Unchanged ~DuplicateInFile(EXTERNAL_ID row 1)",
    );
}

#[test]
fn copies_that_name_each_other_as_supervisor_are_one_row_that_names_itself_or_another() {
    decides(
        "",
        "N1 a@x 1 ann > b@x
         N2 b@x 2 bob > a@x
         N1 a@x 1 ann > b@x
         N2 b@x 2 bob > a@x",
        "1 Rejected SupervisorCycle(SUPERVISOR_EMAIL) SupervisorNotFound(SUPERVISOR_EMAIL)
         2 Rejected SupervisorCycle(SUPERVISOR_EMAIL) SupervisorNotFound(SUPERVISOR_EMAIL)
         3 Rejected SupervisorCycle(SUPERVISOR_EMAIL) SupervisorNotFound(SUPERVISOR_EMAIL) ~DuplicateInFile(EXTERNAL_ID row 1)
         4 Rejected SupervisorCycle(SUPERVISOR_EMAIL) SupervisorNotFound(SUPERVISOR_EMAIL) ~DuplicateInFile(EXTERNAL_ID row 2)",
    );
}

#[test]
fn of_a_holders_rejected_rows_the_one_that_stood_longest_is_the_cause() {
    decides(
        TWO,
        "N1 a@x 9 new
         X1 c@x 1 !anx
         X1 d@x 2 ann",
        "1 Rejected EmailTaken(EMAIL of X1) DependsOnRejectedRow(EMAIL row 3)
         2 Rejected TooLong(USERNAME)
         3 Rejected BadgeNumberTaken(BADGE_NUMBER of X2)",
    );
}

#[test]
fn a_supervisor_may_come_later_in_the_file_or_get_the_email_there() {
    decides(
        TWO,
        "N1 n@x 8 new > m@x
         N2 m@x 9 mew > z@x
         X1 z@x 1 ann",
        "1 Created
         2 Created
         3 Updated EMAIL",
    );
}

#[test]
fn a_supervisor_nobody_has_is_not_found() {
    decides(
        TWO,
        "X1 a@x 1 ann > q@elsewhere.example",
        "1 Rejected SupervisorNotFound(SUPERVISOR_EMAIL)",
    );
}

#[test]
fn an_email_given_up_in_the_same_file_is_not_found() {
    decides(
        TWO,
        "X1 a@x 1 ann > b@x
         X2 z@x 2 bob",
        "1 Rejected SupervisorNotFound(SUPERVISOR_EMAIL row 2)
         2 Updated EMAIL",
    );
}

#[test]
fn a_supervisor_that_a_rejected_row_would_have_made_depends_on_it() {
    decides(
        TWO,
        "N1 n@x 8 new > m@x
         N2 m@x 1 mew
         N3 m@x 9 mow",
        "1 Rejected SupervisorNotFound(SUPERVISOR_EMAIL) DependsOnRejectedRow(SUPERVISOR_EMAIL row 2)
         2 Rejected DuplicateInFile(EMAIL row 3) BadgeNumberTaken(BADGE_NUMBER of X1)
         3 Rejected DuplicateInFile(EMAIL row 2)",
    );
}

#[test]
fn who_names_themselves_as_supervisor_has_none() {
    decides(
        TWO,
        "X1 z@x 1 ann > Z@x
         N1 n@x 9 new > n@x",
        "1 Updated EMAIL ~SupervisorIsSelf(SUPERVISOR_EMAIL)
         2 Created ~SupervisorIsSelf(SUPERVISOR_EMAIL)",
    );
}

#[test]
fn rows_that_close_a_circle_are_rejected_together() {
    decides(
        THREE,
        "X1 a@x 1 ann > b@x
         X2 b@x 2 bob > c@x
         X3 c@x 3 cyd > a@x
         N1 n@x 9 new > a@x",
        "1 Rejected SupervisorCycle(SUPERVISOR_EMAIL)
         2 Rejected SupervisorCycle(SUPERVISOR_EMAIL)
         3 Rejected SupervisorCycle(SUPERVISOR_EMAIL)
         4 Created",
    );
}

#[test]
fn of_a_circle_through_users_outside_the_file_only_the_new_edge_is_rejected() {
    decides(
        "X1 a@x 1 ann > b@x
         X2 b@x 2 bob > c@x
         X3 c@x 3 cyd",
        "X1 a@x 1 ann > b@x
         X3 c@x 3 cyd > a@x",
        "1 Unchanged
         2 Rejected SupervisorCycle(SUPERVISOR_EMAIL)",
    );
}

#[test]
fn turning_a_chain_round_is_no_circle() {
    decides(
        "X1 a@x 1 ann > b@x
         X2 b@x 2 bob",
        "X1 a@x 1 ann > -
         X2 b@x 2 bob > a@x",
        "1 Updated SUPERVISOR_EMAIL
         2 Updated SUPERVISOR_EMAIL",
    );
}

#[test]
fn rejecting_a_row_of_a_circle_may_close_another() {
    // Rows 1 and 2 form a circle. After they are rejected, ann reports to cyd again, and row 3 makes cyd report to ann.
    decides(
        "X1 a@x 1 ann > c@x
         X2 b@x 2 bob
         X3 c@x 3 cyd",
        "X1 a@x 1 ann > b@x
         X2 b@x 2 bob > a@x
         X3 c@x 3 cyd > a@x",
        "1 Rejected SupervisorCycle(SUPERVISOR_EMAIL)
         2 Rejected SupervisorCycle(SUPERVISOR_EMAIL)
         3 Rejected SupervisorCycle(SUPERVISOR_EMAIL)",
    );
}

#[test]
fn a_supervisors_email_that_returns_to_its_holder_may_close_a_circle() {
    // Rows 1 and 2 form a circle. So ann keeps a@x, row 3 cannot have it, and row 4 names ann after all, who reports to
    // dan as before.
    decides(
        "X1 a@x 1 ann > d@x
         X2 p@x 2 pat
         X4 d@x 4 dan",
        "X1 h@x 1 ann > p@x
         X2 p@x 2 pat > h@x
         N1 a@x 9 new
         X4 d@x 4 dan > a@x",
        "1 Rejected SupervisorCycle(SUPERVISOR_EMAIL)
         2 Rejected SupervisorCycle(SUPERVISOR_EMAIL) SupervisorNotFound(SUPERVISOR_EMAIL)
         3 Rejected EmailTaken(EMAIL of X1) DependsOnRejectedRow(EMAIL row 1)
         4 Rejected SupervisorCycle(SUPERVISOR_EMAIL)",
    );
}

#[test]
fn a_row_whose_supervisor_turns_out_to_be_the_one_its_user_has_closes_no_circle() {
    // As above, but dan reported to ann from the start, and ann to xia. Row 5 alone forms a circle.
    decides(
        "X1 a@x 1 ann > x@x
         X2 p@x 2 pat
         X4 d@x 4 dan > a@x
         X5 x@x 5 xia",
        "X1 h@x 1 ann > p@x
         X2 p@x 2 pat > h@x
         N1 a@x 9 new
         X4 d@x 4 dan > a@x
         X5 x@x 5 xia > d@x",
        "1 Rejected SupervisorCycle(SUPERVISOR_EMAIL)
         2 Rejected SupervisorCycle(SUPERVISOR_EMAIL) SupervisorNotFound(SUPERVISOR_EMAIL)
         3 Rejected EmailTaken(EMAIL of X1) DependsOnRejectedRow(EMAIL row 1)
         4 Unchanged
         5 Rejected SupervisorCycle(SUPERVISOR_EMAIL)",
    );
}

#[test]
fn a_circle_takes_down_uniqueness_then_supervisors_then_another_circle() {
    // Row 1 forms a circle with ann. Row 3 counted on bob's badge number, and row 4 on row 3's new user.
    decides(
        "X1 a@x 1 ann > b@x
         X2 b@x 2 bob
         X4 d@x 4 dan",
        "X2 b@x 7 bob > a@x
         N1 n@x 2 new
         N2 m@x 8 mew > n@x
         X4 e@x 4 dan > m@x
         N3 z@x 9 zed > a@x",
        "1 Rejected SupervisorCycle(SUPERVISOR_EMAIL)
         2 Rejected BadgeNumberTaken(BADGE_NUMBER of X2) DependsOnRejectedRow(BADGE_NUMBER row 1)
         3 Rejected SupervisorNotFound(SUPERVISOR_EMAIL) DependsOnRejectedRow(SUPERVISOR_EMAIL row 2)
         4 Rejected SupervisorNotFound(SUPERVISOR_EMAIL) DependsOnRejectedRow(SUPERVISOR_EMAIL row 3)
         5 Created",
    );
}

#[test]
fn a_rejected_row_also_lists_what_else_is_wrong_with_its_sound_values() {
    decides(
        THREE,
        "N1 b@x 1 !new > q@elsewhere.example
         N2 z@x 5 zed
         N3 y@x 5 !yan > y@x",
        "1 Rejected TooLong(USERNAME) EmailTaken(EMAIL of X2) BadgeNumberTaken(BADGE_NUMBER of X1) SupervisorNotFound(SUPERVISOR_EMAIL)
         2 Created
         3 Rejected TooLong(USERNAME) BadgeNumberTaken(BADGE_NUMBER of N2 row 2) ~SupervisorIsSelf(SUPERVISOR_EMAIL)",
    );
}

#[test]
fn a_row_with_an_unsound_external_id_gets_no_issue_about_taken_values() {
    decides(
        TWO,
        "!X1x a@x 1 ann > q@elsewhere.example",
        "1 Rejected TooLong(EXTERNAL_ID) SupervisorNotFound(SUPERVISOR_EMAIL)",
    );
}

#[test]
fn an_import_never_makes_a_protected_user_inactive() {
    decides(
        "X1 a@x 1 ann protected
         X2 b@x 2 bob protected inactive",
        "X1 a@x 1 ann inactive
         X2 b@x 2 bob inactive",
        "1 Rejected ProtectedUser(STATUS of X1)
         2 Unchanged",
    );
}

#[test]
fn a_value_its_user_already_has_stands_with_a_warning() {
    decides(
        "X!1 a@x 1 ann group=G2 phone=+1
         X2 b@x 2 bob",
        "!X!1 !a@x !1 !ann group=G2 phone=!+1
         X2 b@x !1 bob group=G2",
        "1 Unchanged ~TooLong(EXTERNAL_ID) ~TooLong(EMAIL) ~TooLong(BADGE_NUMBER) ~TooLong(USERNAME) ~TooLong(PHONE) ~InactiveGroup(EVIDENCE_GROUP_EXT_ID)
         2 Rejected TooLong(BADGE_NUMBER) InactiveGroup(EVIDENCE_GROUP_EXT_ID)",
    );
}

#[test]
fn a_supervisors_email_never_stands_by_having_been_there() {
    decides(
        "X1 a@x 1 ann > b@x
         X2 b@x 2 bob",
        "X1 a@x 1 ann > !b@x",
        "1 Rejected TooLong(SUPERVISOR_EMAIL)",
    );
}

#[test]
fn the_catalog_is_asked_without_case_for_names_and_exactly_for_groups() {
    decides(
        TWO,
        "X1 a@x 1 ann role=ADMIN rank=captain group=G1
         X2 b@x 2 bob role=Adnim rank=King group=g1",
        "1 Updated ROLE RANK EVIDENCE_GROUP_EXT_ID
         2 Rejected UnknownRole(ROLE) UnknownRank(RANK) UnknownGroup(EVIDENCE_GROUP_EXT_ID)",
    );
}
