//! Guards: reasons to refuse a whole import although its rows are sound (semantics §7). Pure.
//!
//! All guards run and all refusals are reported, so that an administrator can correct everything at once. Guards
//! look at the plan, so a dry run is refused for the same reasons as the import. A resumed import is not guarded
//! again (semantics §8).

use super::planned_import::PlannedImport;
use crate::import::{ImportOptions, Refusal};
use crate::{
    config::{MassDeactivation, MassIdentityChange, Settings},
    plan::Plan,
};

/// How many row numbers a message names.
const NAMED_ROWS: usize = 5;

/// The refusals of all guards that the planned import hits.
#[must_use]
pub(crate) fn check(
    options: &ImportOptions,
    settings: &Settings,
    planned: &PlannedImport,
) -> Vec<Refusal> {
    let rejected = planned.counts().rejected;
    let plan = &planned.plan;
    [
        check_rejected(options, rejected),
        check_all_or_nothing(options, rejected),
        check_digest(options, plan),
        check_unidentifiable_rows(plan),
        check_deactivations(
            options,
            &settings.mass_deactivation,
            (plan.going_inactive, plan.active_users),
        ),
        check_identities(
            options,
            &settings.mass_identity_change,
            (plan.identity_changes, plan.matched_rows),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn check_rejected(options: &ImportOptions, rejected: u32) -> Option<Refusal> {
    let allowed = options.max_rejected_rows.filter(|&max| rejected > max)?;
    let message = format!(
        "{} rejected, and max_rejected_rows allows {allowed}. Correct them, or allow more.",
        rows_are(rejected)
    );
    Some(Refusal::precondition(
        "TOO_MANY_REJECTED_ROWS",
        "max_rejected_rows",
        message,
    ))
}

fn check_all_or_nothing(options: &ImportOptions, rejected: u32) -> Option<Refusal> {
    (options.all_or_nothing && rejected > 0).then(|| {
        let message = format!(
            "{} rejected, and all_or_nothing applies all rows or none. Correct them, or import \
             without all_or_nothing.",
            rows_are(rejected)
        );
        Refusal::precondition("ROWS_REJECTED", "all_or_nothing", message)
    })
}

/// Compares the plan with the dry run's, if the caller has stated its digest.
fn check_digest(options: &ImportOptions, plan: &Plan) -> Option<Refusal> {
    let expected = options.expected_plan_digest?;
    (expected != plan.digest).then(|| {
        let message = "Today's plan is not the one of the dry run: the roster, the directory or \
            the options have changed since. Look at a new dry run, and state its plan_digest.";
        Refusal::precondition("PLAN_DIFFERS", "expected_plan_digest", message)
    })
}

/// With `deactivate_missing`: rows whose user cannot be identified because of their faults. A typing error there
/// would deactivate the user.
fn check_unidentifiable_rows(plan: &Plan) -> Option<Refusal> {
    if plan.unidentifiable_rows.is_empty() {
        return None;
    }
    let mut named: Vec<_> = plan
        .unidentifiable_rows
        .iter()
        .take(NAMED_ROWS)
        .map(u32::to_string)
        .collect();
    if plan.unidentifiable_rows.len() > NAMED_ROWS {
        named.push(format!(
            "{} more",
            plan.unidentifiable_rows.len() - NAMED_ROWS
        ));
    }
    let message = format!(
        "The users of these rows cannot be identified because of faults in the rows: {}. A user who is \
         listed there would be deactivated. Correct the rows, or import without deactivate_missing.",
        named.join(", ")
    );
    Some(Refusal::precondition(
        "UNCERTAIN_ROWS",
        "deactivate_missing",
        message,
    ))
}

/// Counts every user who would go from Active to Inactive, by a row or as missing. A limit from the caller
/// replaces the server's guard, stricter or not.
fn check_deactivations(
    options: &ImportOptions,
    limits: &MassDeactivation,
    (count, active): (u32, u32),
) -> Option<Refusal> {
    match options.max_deactivations {
        Some(max) => (count > max).then(|| {
            let message = format!(
                "{count} of {active}{OF_ACTIVE_USERS}, and max_deactivations \
                 allows {max}. Check the roster; if it is right, allow {count}.",
            );
            Refusal::precondition("TOO_MANY_DEACTIVATIONS", "max_deactivations", message)
        }),
        None => limits.is_exceeded(count, active).then(|| {
            let message = format!(
                "{count} of {active}{OF_ACTIVE_USERS}, which is more than a \
                 roster normally loses. Check that the file is whole; if it is right, state \
                 max_deactivations {count}."
            );
            Refusal::precondition("MASS_DEACTIVATION", "max_deactivations", message)
        }),
    }
}

/// Returns the number of active users from which on the guard lets `count` of them, or fewer, be deactivated. If there
/// are at least this many, the guard does not need their exact number. Returns the highest number if it needs the exact
/// one.
pub(crate) fn active_users_asked_for(
    limits: &MassDeactivation,
    approved: Option<u32>,
    count: u32,
) -> u32 {
    // The message states the exact number.
    let all_if = |needed| if needed { u32::MAX } else { 0 };
    if count == 0 {
        return 0;
    }
    if let Some(approved) = approved {
        return all_if(count > approved);
    }
    let least = |percent: u32| match percent {
        0 => u32::MAX,
        _ => count.saturating_mul(100).div_ceil(percent),
    };
    let few = count <= limits.users;
    least(limits.percent_always).max(if few { 0 } else { least(limits.percent) })
}

/// Counts rows that would replace a person: a spreadsheet sorted by one column alone gives every account to
/// another person. A limit from the caller replaces the server's guard.
fn check_identities(
    options: &ImportOptions,
    limits: &MassIdentityChange,
    (count, matched): (u32, u32),
) -> Option<Refusal> {
    let replace = format!(
        "{count} of the {matched} rows that match a user would make the user another person (at least \
         three of email, badge number, username and both names change)"
    );
    match options.max_identity_changes {
        Some(max) => (count > max).then(|| {
            let message = format!(
                "{replace}, and max_identity_changes allows {max}. Check the roster; if it is right, \
                 allow {count}."
            );
            Refusal::precondition("TOO_MANY_IDENTITY_CHANGES", MAX_IDENTITY_CHANGES, message)
        }),
        None => limits.is_exceeded(count, matched).then(|| {
            let message = format!(
                "{replace}. A spreadsheet sorted by one column alone does that. Undo the sorting or \
                 export the roster again, and import that file; if these people really are others, \
                 state max_identity_changes {count}."
            );
            Refusal::precondition("MASS_IDENTITY_CHANGE", MAX_IDENTITY_CHANGES, message)
        }),
    }
}

const MAX_IDENTITY_CHANGES: &str = "max_identity_changes";

/// The end of the phrase that states the number of active users.
const OF_ACTIVE_USERS: &str = " active users would be deactivated";

/// Removes the number of active users from a refusal's message.
#[must_use]
pub(crate) fn without_active_users(message: &str) -> String {
    let without = || {
        let (counts, rest) = message.split_once(OF_ACTIVE_USERS)?;
        let (count, _) = counts.rsplit_once(" of ")?;
        Some(format!("{count} users would be deactivated{rest}"))
    };
    without().unwrap_or_else(|| message.to_owned())
}

impl MassDeactivation {
    /// Returns `true` if deactivating `count` of `active` users is not plausible: more than `percent` of them and
    /// more than `users`, or more than `percent_always`.
    #[must_use]
    pub fn is_exceeded(&self, count: u32, active: u32) -> bool {
        let over = |percent: u32| is_over(percent, count, active);
        (over(self.percent) && count > self.users) || over(self.percent_always)
    }
}

impl MassIdentityChange {
    /// Returns `true` if it is not plausible that `count` of `matched` rows replace a person: more than `percent` of
    /// them and more than `rows`, or more than `percent_always` of at least `least_rows`.
    #[must_use]
    pub fn is_exceeded(&self, count: u32, matched: u32) -> bool {
        let over = |percent: u32| is_over(percent, count, matched);
        (over(self.percent) && count > self.rows)
            || (matched >= self.least_rows && over(self.percent_always))
    }
}

/// Returns `true` if `count` is more than `percent` of `all`. Exact, without rounding.
fn is_over(percent: u32, count: u32, all: u32) -> bool {
    u64::from(count) * 100 > u64::from(percent) * u64::from(all)
}

fn rows_are(count: u32) -> String {
    match count {
        1 => "1 row is".to_owned(),
        _ => format!("{count} rows are"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::ImportStart;

    #[test]
    fn the_number_of_active_users_can_be_taken_out_of_what_a_guard_says() {
        for max_deactivations in [None, Some(3)] {
            let options = ImportOptions::parse(ImportStart {
                organization: "pd".to_owned(),
                max_deactivations,
                ..ImportStart::default()
            });
            let options = options.expect("the options are good");
            let refusal = check_deactivations(&options, &MassDeactivation::default(), (31, 59));
            let message = refusal.expect("the guard is hit").message;
            let without = without_active_users(&message);
            assert!(
                message.contains("59") && !without.contains("59"),
                "{without}"
            );
            assert!(
                without.starts_with("31 users would be deactivated, "),
                "{without}"
            );
        }
        assert_eq!(without_active_users("2 of 3 rows"), "2 of 3 rows");
    }

    #[test]
    fn more_than_five_per_cent_and_more_than_ten_users_are_a_mass_deactivation() {
        let guard = MassDeactivation::default();
        for (count, active, refused) in [
            (10, 20, false),
            (11, 20, true),
            (10, 100, false),
            (11, 100, true),
            (11, 220, false),
            (12, 220, true),
            (50, 1_000, false),
            (51, 1_000, true),
            (1, 2, false),
            (2, 3, true),
            (1, 1, true),
            (0, 0, false),
        ] {
            assert_eq!(
                guard.is_exceeded(count, active),
                refused,
                "{count} of {active}"
            );
        }
    }

    #[test]
    fn a_guard_decides_the_same_with_enough_active_users_as_with_all() {
        let guards = [(5, 10, 50), (0, 0, 0), (100, 3, 100), (5, 0, 2)];
        for (percent, users, percent_always) in guards {
            let limits = MassDeactivation {
                percent,
                users,
                percent_always,
            };
            for count in 0..60 {
                let asked = active_users_asked_for(&limits, None, count);
                for active in count..2_000 {
                    let told = active.min(asked).max(count);
                    let exceeded = limits.is_exceeded(count, active);
                    assert_eq!(
                        limits.is_exceeded(count, told),
                        exceeded,
                        "{count} of {active}"
                    );
                    assert!(!exceeded || told == active, "{count} of {active}");
                }
            }
        }
        let limits = MassDeactivation::default();
        let asked = |approved, count| active_users_asked_for(&limits, approved, count);
        assert_eq!((asked(None, 1), asked(None, 11)), (2, 220));
        assert_eq!((asked(Some(3), 3), asked(Some(3), 4)), (0, u32::MAX));
    }

    #[test]
    fn more_than_five_per_cent_and_more_than_ten_rows_are_a_mass_change_of_identity() {
        let guard = MassIdentityChange::default();
        for (count, matched, refused) in [
            (10, 21, false),
            (11, 22, true),
            (11, 219, true),
            (11, 220, false),
            (12, 220, true),
            (3, 3, false),
            (2, 4, false),
            (3, 4, true),
            (0, 0, false),
        ] {
            let is_refused = guard.is_exceeded(count, matched);
            assert_eq!(is_refused, refused, "{count} of {matched}");
        }
    }

    #[test]
    fn what_the_identity_guard_says() {
        let said = |max_identity_changes| {
            let options = ImportOptions::parse(ImportStart {
                max_identity_changes,
                ..ImportStart::default()
            });
            let limits = MassIdentityChange::default();
            check_identities(&options.unwrap(), &limits, (12, 40)).map(|refusal| refusal.message)
        };
        assert_eq!(said(Some(12)), None);
        insta::assert_snapshot!(said(Some(2)).unwrap(), @"12 of the 40 rows that match a user would make the user another person (at least three of email, badge number, username and both names change), and max_identity_changes allows 2. Check the roster; if it is right, allow 12.");
        insta::assert_snapshot!(said(None).unwrap(), @"12 of the 40 rows that match a user would make the user another person (at least three of email, badge number, username and both names change). A spreadsheet sorted by one column alone does that. Undo the sorting or export the roster again, and import that file; if these people really are others, state max_identity_changes 12.");
    }
}
