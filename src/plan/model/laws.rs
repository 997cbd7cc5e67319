//! Laws that hold for every plan. `PROPTEST_CASES` sets the number of worlds that each law is tried on.

use std::{borrow::Cow, collections::BTreeSet};

use proptest::prelude::*;

use super::identity::planned_replacement;
use super::world::{World, worlds};
use super::zeros::planned_zeros;
use super::{ReferenceModel, planned_faults, sorted};
use crate::domain::{Column, RoleId};
use crate::plan::index::Key;
use crate::plan::scenario::{Scenario, groups};
use crate::plan::{DenseIndex, FinalUser, Outcome, Plan, RowIndex, WriteSchedule};

/// 2,000 worlds, unless the environment sets another number.
pub(super) fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 2_000;
    }
    config.max_global_rejects = config.cases.saturating_mul(10);
    config
}

/// The privileged role of every scenario.
const ADMIN: RoleId = RoleId(1);

/// A user of a directory: keys, and the supervisor as an index. Indices of rows follow those of all users.
#[derive(Clone, Debug)]
struct ModelUser {
    keys: [String; 4],
    status: &'static str,
    supervisor: Option<usize>,
}

/// The directory as the import writes it: users, then the users that rows create.
struct WrittenDirectory<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    entries: Vec<Option<ModelUser>>,
}

impl<'a> WrittenDirectory<'a> {
    fn start(scenario: &'a Scenario, plan: &'a Plan) -> Self {
        let snapshot = &scenario.request.snapshot;
        let entries = snapshot.users().enumerate().map(|(at, user)| {
            let keys = [
                user.external_id(),
                user.email(),
                user.badge_number(),
                user.username(),
            ];
            let supervisor = snapshot.supervisor_of(at);
            Some(ModelUser {
                keys: keys.map(str::to_lowercase),
                status: user.status.as_str(),
                supervisor: supervisor.map(DenseIndex::position),
            })
        });
        let new = scenario.request.rows.iter().map(|_| None);
        Self {
            scenario,
            plan,
            entries: entries.chain(new).collect(),
        }
    }

    fn write(&mut self, row: RowIndex) {
        let snapshot = &self.scenario.request.snapshot;
        let users = snapshot.users().len();
        let write = self.plan.write(row);
        let keys = Key::ALL.map(|key| key.comparable(write.text(key.column())));
        let place = match snapshot.user_of(row) {
            Some(user) => user.position(),
            None => users + row.position(),
        };
        self.entries[place] = Some(ModelUser {
            keys: keys.map(Cow::into_owned),
            status: write.status().as_str(),
            supervisor: write.supervisor.map(|supervisor| match supervisor {
                FinalUser::User(user) => user.position(),
                FinalUser::Row(row) => users + row.position(),
            }),
        });
    }

    fn write_all(mut self) -> Self {
        for &row in self.plan.order.rows() {
            self.write(row);
        }
        self
    }

    /// Returns the reason why this is not a valid directory, or `None` if it is valid.
    fn fault(&self) -> Option<String> {
        let present = self.entries.iter().flatten();
        for key in 0..4 {
            let mut seen = BTreeSet::new();
            let mut twice = present.clone().filter(|one| !seen.insert(&one.keys[key]));
            if let Some(one) = twice.next() {
                return Some(format!("key {key} twice: {one:?}"));
            }
        }
        for one in present {
            let mut at = Some(one);
            for _ in 0..=self.entries.len() {
                let Some(up) = at.and_then(|one| one.supervisor) else {
                    at = None;
                    break;
                };
                at = self.entries[up].as_ref();
                if at.is_none() {
                    return Some(format!("dangling: {one:?}"));
                }
            }
            if at.is_some() {
                return Some(format!("cycle: {one:?}"));
            }
        }
        None
    }

    /// Returns all users, without generated external IDs, in an order that does not depend on the order of the rows.
    fn everybody(&self) -> BTreeSet<(String, String)> {
        let line = |one: &ModelUser| {
            let id = if one.keys[0].len() > 30 {
                "new"
            } else {
                &one.keys[0]
            };
            let up = one.supervisor.and_then(|up| self.entries[up].as_ref());
            let up = up.map_or("", |up| &up.keys[1]);
            (
                id.to_owned(),
                format!("{:?} {} > {up}", &one.keys[1..], one.status),
            )
        };
        self.entries.iter().flatten().map(line).collect()
    }
}

/// Returns the text, outcome and codes of each row. They are sorted, since either of two copies may be the first.
fn described_rows(world: &World, plan: &Plan, order: &[usize]) -> Vec<String> {
    let told = order
        .iter()
        .zip(plan.decisions.indices())
        .map(|(&line, row)| {
            let issues = plan.issues(row);
            let mut codes: Vec<_> = issues
                .iter()
                .map(|issue| (issue.severity, issue.code))
                .collect();
            codes.sort_unstable();
            // The words of equal rows may come in another order, and may be repeated.
            let mut line: Vec<&str> = world.rows[line].split_whitespace().collect();
            line[0] = if line[0] == "_" { "-" } else { line[0] };
            line[1..].sort_unstable();
            line.dedup();
            let line = line.join(" ");
            format!("{line} {:?} {codes:?}", plan.decisions[row].outcome)
        });
    let mut told: Vec<String> = told.collect();
    told.sort_unstable();
    told
}

fn is_new_or_changed(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Created | Outcome::Updated)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_plan_is_the_models(world in worlds()) {
        let scenario = world.scenario();
        let (plan, model) = (scenario.plan(), ReferenceModel::judge(&scenario));
        for (row, at) in plan.decisions.indices().zip(0..) {
            prop_assert_eq!(plan.decisions[row].outcome, model.outcome(at), "row {}", at + 1);
            let expected = sorted(model.issues[at].clone());
            prop_assert_eq!(planned_faults(&plan, row), expected, "row {}", at + 1);
            prop_assert_eq!(planned_zeros(&plan, row), model.lost_zeros(at), "row {}", at + 1);
            prop_assert_eq!(planned_replacement(&plan, row), model.replaces_person(at), "row {}", at + 1);
        }
        prop_assert_eq!((plan.identity_changes, plan.matched_rows), model.identity_changes());
        let missing = model.missing();
        let consequences = model.consequences(&missing, scenario.request.import_id);
        prop_assert_eq!(&plan.consequences, &consequences);
        prop_assert_eq!(scenario.missing(), missing);
        prop_assert_eq!(plan.unidentifiable_rows, model.unidentifiable_rows());
    }

    #[test]
    fn every_group_boundary_leaves_a_valid_directory(world in worlds()) {
        let scenario = world.scenario();
        let plan = scenario.plan();
        let mut written = WrittenDirectory::start(&scenario, &plan);
        prop_assert_eq!(written.fault(), None);
        for group in groups(&plan) {
            for &row in &group {
                written.write(row);
            }
            prop_assert_eq!(written.fault(), None, "after {:?}", group);
        }
        let mut rows = plan.order.rows().to_vec();
        rows.sort_unstable();
        let writes = plan.decisions.enumerate();
        let writes = writes.filter(|(_, decision)| is_new_or_changed(decision.outcome));
        prop_assert_eq!(rows, writes.map(|(row, _)| row).collect::<Vec<_>>());
    }

    #[test]
    fn transactions_side_by_side_leave_a_valid_directory_too(world in worlds(), size in 1_usize..4) {
        let scenario = world.scenario();
        let plan = scenario.plan();
        let mut schedule = WriteSchedule::new(plan.order.clone());
        let mut written = WrittenDirectory::start(&scenario, &plan);
        let mut before = schedule.take(size);
        while !before.is_empty() {
            let mut beside = schedule.take_beside(size);
            // Neither transaction sees the other, so either could be stored alone.
            let mut alone = WrittenDirectory::start(&scenario, &plan);
            let elsewhere = schedule.unwritten();
            let stored = plan.order.rows().iter().filter(|row| !elsewhere.contains(row));
            for &row in stored.chain(&beside) {
                alone.write(row);
            }
            prop_assert_eq!(alone.fault(), None, "{:?} without {:?}", beside, before);
            for &row in &before {
                written.write(row);
            }
            prop_assert_eq!(written.fault(), None, "after {:?}", before);
            schedule.written(&before);
            if beside.is_empty() {
                beside = schedule.take(size);
            }
            before = beside;
        }
    }

    #[test]
    fn the_order_of_the_rows_does_not_show(world in worlds(), by in 1_usize..24) {
        let (one, other) = (world.scenario(), world.shuffled(by));
        let plans = [one.plan(), other.plan()];
        let here: Vec<usize> = (0..world.rows.len()).collect();
        let told = [described_rows(&world, &plans[0], &here), described_rows(&world, &plans[1], &world.order(by))];
        prop_assert_eq!(&told[0], &told[1]);
        let [left, right] = [(&one, &plans[0]), (&other, &plans[1])]
            .map(|(scenario, plan)| WrittenDirectory::start(scenario, plan).write_all().everybody());
        prop_assert_eq!(left, right);
        prop_assert_eq!(one.missing(), other.missing());
        let counts = |plan: &Plan| (plan.going_inactive, plan.identity_changes, plan.matched_rows);
        prop_assert_eq!(counts(&plans[0]), counts(&plans[1]));
        prop_assert_eq!(plans[0].digest, plans[1].digest);
        let concerned = |plan: &Plan| {
            let of_kind = plan.consequences.iter().map(|found| (found.kind, found.count));
            of_kind.collect::<Vec<_>>()
        };
        prop_assert_eq!(concerned(&plans[0]), concerned(&plans[1]));
    }

    #[test]
    fn what_was_imported_is_unchanged_when_imported_again(world in worlds()) {
        let first = world.scenario();
        let plan = first.plan();
        let stood = plan.decisions.iter().zip(&world.rows);
        let stood = stood.filter(|(d, line)| {
            d.outcome != Outcome::Rejected && !line.starts_with(['-', '_'])
        });
        let rows: Vec<String> = stood.map(|(_, line)| line.clone()).collect();
        prop_assume!(!rows.is_empty());
        let directory = directory_after(&first, &plan);
        let again = World { directory, rows, permitted: world.permitted, match_by: world.match_by };
        let decisions = again.scenario().plan().decisions;
        prop_assert!(decisions.iter().all(|d| d.outcome == Outcome::Unchanged), "{}", again.directory);
    }
}

/// Returns the directory that `plan` leaves, as text.
fn directory_after(scenario: &Scenario, plan: &Plan) -> String {
    let written = WrittenDirectory::start(scenario, plan).write_all();
    let snapshot = &scenario.request.snapshot;
    let users = snapshot.users().to_vec();
    let row_of = |place: usize| {
        plan.decisions.indices().find(|&row| {
            let owner = match snapshot.user_of(row) {
                Some(user) => user.position(),
                None => users.len() + row.position(),
            };
            is_new_or_changed(plan.decisions[row].outcome) && owner == place
        })
    };
    let email = |place: usize| match row_of(place) {
        Some(row) => plan.write(row).text(Column::Email).to_owned(),
        None => users[place].email().to_owned(),
    };
    let entries = written.entries.iter().enumerate();
    let lines = entries.filter_map(|(place, entry)| {
        let entry = entry.as_ref()?;
        let [id, _, badge, name] = &entry.keys;
        let mut line = format!("{id} {} {badge} {name}", email(place));
        if let Some(up) = entry.supervisor {
            line = format!("{line} > {}", email(up));
        }
        if entry.status == "Inactive" {
            line += " inactive";
        }
        let role = row_of(place).map(|row| plan.decisions[row].role);
        if role.unwrap_or_else(|| users[place].role) == ADMIN {
            line += " role=Admin";
        }
        Some(line + "\n")
    });
    lines.collect()
}
