//! Consequences pass through any number of rows in time that is linear in that number.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::plan::Outcome;
use crate::plan::scenario::Scenario;

/// Rows of the small file. The large file has `TIMES` as many.
const FEW: usize = 2_000;
const TIMES: usize = 10;

/// Only one test of this module measures at a time.
static QUIET: Mutex<()> = Mutex::new(());

/// Plans the scenarios that `build` makes for few rows and for many, and asserts that all rows come to `outcome`.
/// Asserts that many rows at once cost about as much as the same number in small files: quadratic growth would cost ten
/// times as much.
#[track_caller]
fn grows_linearly(build: impl Fn(usize) -> Scenario, outcome: Outcome) {
    let [few, many] = [FEW, FEW * TIMES].map(build);
    for scenario in [&few, &many] {
        let decisions = scenario.plan().decisions;
        assert!(decisions.iter().all(|d| d.outcome == outcome));
    }
    let _quiet = QUIET.lock();
    let grows_little = |_| measure(&many, 1) < measure(&few, TIMES) * 4;
    assert!((0..3).any(grows_little), "more than linear in rows");
}

/// Returns the time that it takes to plan `scenario` `times` times.
fn measure(scenario: &Scenario, times: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        std::hint::black_box(scenario.plan());
    }
    start.elapsed()
}

/// `n` lines.
fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).fold(String::new(), |mut text, i| {
        writeln!(text, "{}", line(i)).unwrap();
        text
    })
}

#[test]
fn a_chain_of_rows_each_taking_what_the_next_one_frees() {
    let build = |n| {
        let users = lines(n, |i| format!("X{i} {i}@x {i} u{i}"));
        let rows = lines(n, |i| {
            let name = if i + 1 == n { "!v" } else { "u" };
            format!("X{i} {i}@x {} {name}{i}", i + 1)
        });
        Scenario::parse(&users, &rows)
    };
    grows_linearly(build, Outcome::Rejected);
}

#[test]
fn a_chain_of_supervisors_each_made_by_the_next_row() {
    let build = |n| {
        let rows = lines(n, |i| {
            let name = if i + 1 == n { "!u" } else { "u" };
            format!("N{i} {i}@x {i} {name}{i} > {}@x", i + 1)
        });
        Scenario::parse("", &rows)
    };
    grows_linearly(build, Outcome::Rejected);
}

#[test]
fn a_deep_tree_of_new_supervisors_in_reverse_order() {
    let build = |n| {
        let rows = lines(n, |i| {
            let supervisor = if i + 1 == n {
                "-".to_owned()
            } else {
                format!("{}@x", i + 1)
            };
            format!("N{i} {i}@x {i} u{i} > {supervisor}")
        });
        Scenario::parse("", &rows)
    };
    grows_linearly(build, Outcome::Created);
}

#[test]
fn a_rotation_of_all_badge_numbers() {
    let build = |n| {
        let users = lines(n, |i| format!("X{i} {i}@x {i} u{i}"));
        let rows = lines(n, |i| format!("X{i} {i}@x {} u{i}", (i + 1) % n));
        Scenario::parse(&users, &rows)
    };
    grows_linearly(build, Outcome::Updated);
}

/// In the directory, user i reports to user i - 1, and row i reverses that. Only the last three rows form a circle at
/// first. Rejecting row i + 1 gives its user the supervisor i back, and so closes the next circle.
#[test]
fn a_chain_of_circles_each_closed_by_rejecting_the_one_before() {
    let build = |n| {
        let users = lines(n, |i| match i {
            0 => "X0 0@x 0 u0".to_owned(),
            _ => format!("X{i} {i}@x {i} u{i} > {}@x", i - 1),
        });
        let rows = lines(n, |i| {
            let supervisor = if i + 1 == n { i.wrapping_sub(2) } else { i + 1 };
            format!("X{i} {i}@x {i} u{i} > {supervisor}@x")
        });
        Scenario::parse(&users, &rows)
    };
    grows_linearly(build, Outcome::Rejected);
}

#[test]
fn copies_of_one_row() {
    let build = |n| {
        let rows = lines(n, |_| "X1 a@x 1 ann".to_owned());
        Scenario::parse("X1 a@x 1 ann", &rows)
    };
    grows_linearly(build, Outcome::Unchanged);
}

#[test]
fn rows_that_all_give_one_email_or_one_badge_number() {
    for shared in ["email", "badge"] {
        let build = |n| {
            let rows = lines(n, |i| match shared {
                "email" => format!("N{i} a@x {i} u{i}"),
                _ => format!("N{i} {i}@x 7 u{i}"),
            });
            Scenario::parse("", &rows)
        };
        grows_linearly(build, Outcome::Rejected);
    }
}

#[test]
fn rows_that_all_contradict_each_other_about_one_user() {
    let build = |n| {
        let rows = lines(n, |i| format!("X1 a@x 1 u{i}"));
        Scenario::parse("X1 a@x 1 ann", &rows)
    };
    grows_linearly(build, Outcome::Rejected);
}
