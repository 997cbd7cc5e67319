//! The order in which rows are written (semantics §5, Writing).

use crate::plan::scenario::Scenario;

#[track_caller]
fn writes(directory: &str, rows: &str, expected: &[&[usize]]) {
    assert_eq!(Scenario::parse(directory, rows).written(), expected);
}

#[test]
fn rows_without_ties_are_written_in_row_order_and_unchanged_ones_not_at_all() {
    writes(
        "X1 a@x 1 ann",
        "N1 n@x 7 new
         X1 a@x 1 ann
         N2 m@x 8 mew",
        &[&[1], &[3]],
    );
}

#[test]
fn who_frees_a_value_is_written_before_who_takes_it() {
    writes(
        "X1 a@x 1 ann
         X2 b@x 2 bob",
        "N1 a@x 9 new
         X1 b@x 1 ann
         X2 z@x 2 bob",
        &[&[3], &[2], &[1]],
    );
}

#[test]
fn a_swap_is_one_group() {
    writes(
        "X1 a@x 1 ann
         X2 b@x 2 bob",
        "N1 n@x 9 new
         X1 a@x 2 ann
         X2 b@x 1 bob",
        &[&[1], &[2, 3]],
    );
}

#[test]
fn supervisors_are_written_before_their_reports() {
    writes(
        "",
        "N1 n@x 7 new > m@x
         N2 m@x 8 mew > k@x
         N3 k@x 9 kew",
        &[&[3], &[2], &[1]],
    );
}

#[test]
fn turning_a_chain_round_through_a_user_outside_the_file_begins_at_the_top() {
    // Before: bob reports to cyd, who reports to ann. After: ann reports to bob, who still reports to cyd.
    writes(
        "X1 a@x 1 ann
         X3 c@x 3 cyd > a@x
         X2 b@x 2 bob > c@x",
        "X1 a@x 1 ann > b@x
         X3 c@x 3 cyd > -",
        &[&[2], &[1]],
    );
}

#[test]
fn a_supervisor_that_does_not_move_has_no_tie() {
    writes(
        "X1 a@x 1 ann
         X2 b@x 2 bob",
        "N1 n@x 7 new > b@x
         X2 b@x 2 bob first=Bo",
        &[&[1], &[2]],
    );
}
