//! Compares the planner with a slow model that follows semantics §5 and §7 literally. Each round of the model looks at
//! all users again and compares texts.

mod consequences;
mod final_state;
mod identity;
mod laws;
mod missing;
mod partial;
mod world;
mod zeros;

use super::scenario::Scenario;
use super::{MatchBy, Outcome, Plan, PlanPermissions, RowIndex};
use crate::domain::{Catalog, Column, Issue, IssueCode, RoleId, Row, Status, User};

const KEYS: [Column; 3] = [Column::Email, Column::BadgeNumber, Column::Username];

/// An error as both sides report it: code, column and related row.
type ModelIssue = (IssueCode, Option<Column>, Option<u32>);

/// A user of a final state.
#[derive(Clone)]
struct FinalPerson {
    /// Index of the user in the directory.
    user: Option<usize>,
    /// Index of the standing row.
    row: Option<usize>,
    external_id: String,
    keys: [String; 3],
    status: Status,
    /// Index of the supervisor among all users of the final state.
    supervisor: Option<usize>,
}

struct ReferenceModel<'a> {
    match_by: Option<Column>,
    permitted: PlanPermissions,
    catalog: &'a Catalog,
    rows: &'a [Row],
    users: &'a [User],
    issues: Vec<Vec<ModelIssue>>,
    /// By row: the time at which it was rejected.
    rejected_at: Vec<Option<u32>>,
    /// By row: the first row that it equals. A copy counts as rejected, and shares the outcome of that row.
    copy_of: Vec<Option<usize>>,
    time: u32,
}

impl<'a> ReferenceModel<'a> {
    fn judge(scenario: &'a Scenario) -> Self {
        let request = &scenario.request;
        let mut model = Self {
            match_by: request.terms.matching.key().map(|by| match by {
                MatchBy::Email => Column::Email,
                MatchBy::BadgeNumber => Column::BadgeNumber,
                MatchBy::Username => Column::Username,
            }),
            permitted: request.terms.permitted,
            catalog: &request.catalog,
            rows: &request.rows,
            users: request.snapshot.users(),
            issues: Vec::new(),
            rejected_at: Vec::new(),
            copy_of: Vec::new(),
            time: 0,
        };
        model.issues = (0..model.rows.len()).map(|row| model.check(row)).collect();
        let failed = model.issues.iter().map(|issues| !issues.is_empty());
        model.rejected_at = failed.map(|failed| failed.then_some(0)).collect();
        model.time = 1;
        model.copy_of = (0..model.rows.len())
            .map(|row| model.find_original(row))
            .collect();
        for row in 0..model.rows.len() {
            if model.copy_of[row].is_some() {
                model.rejected_at[row] = Some(0);
            }
        }
        let found = model.standing().map(|row| (row, model.duplicates(row)));
        let found = found.collect();
        model.reject(found);
        loop {
            model.time += 1;
            let rules = [
                Self::uniqueness,
                Self::supervisors,
                Self::cycles,
                Self::permissions,
            ];
            let mut results = rules.iter().map(|rule| rule(&model));
            match results.find(|found| found.iter().any(|(_, issues)| !issues.is_empty())) {
                Some(found) => model.reject(found),
                None => break,
            }
        }
        model.issues = (0..model.rows.len())
            .map(|row| model.final_issues(row))
            .collect();
        for row in 0..model.rows.len() {
            if let Some(original) = model.copy_of[row] {
                model.issues[row] = model.issues[original].clone();
            }
        }
        model
    }

    fn reject(&mut self, found: Vec<(usize, Vec<ModelIssue>)>) {
        for (row, issues) in found {
            if !issues.is_empty() && self.rejected_at[row].is_none() {
                self.rejected_at[row] = Some(self.time);
                self.issues[row].extend(issues);
            }
        }
    }

    /// Returns `true` if the value failed its check and the row's user does not already have exactly this value.
    fn is_unsound(&self, row: usize, column: Column) -> bool {
        let value = self.rows[row].value(column).unwrap_or_default();
        let user = self.user(row).map(|user| &self.users[user]);
        let has = user.is_some_and(|user| match column {
            Column::ExternalId => user.external_id() == value,
            Column::Email => user.email() == value,
            Column::BadgeNumber => user.badge_number() == value,
            Column::Username => user.username() == value,
            _ => false,
        });
        self.rows[row].is_unsound(column) && (value.is_empty() || !has)
    }

    fn sound(&self, row: usize, column: Column) -> Option<String> {
        let value = self.rows[row]
            .value(column)
            .filter(|value| !value.is_empty())?;
        let caseless = !matches!(column, Column::ExternalId | Column::BadgeNumber);
        let value = if caseless {
            value.to_lowercase()
        } else {
            value.to_owned()
        };
        (!self.is_unsound(row, column)).then_some(value)
    }

    fn user(&self, row: usize) -> Option<usize> {
        self.user_by_id(row).or_else(|| self.user_by_key(row))
    }

    fn user_by_id(&self, row: usize) -> Option<usize> {
        let id = self.rows[row].value(Column::ExternalId)?;
        self.users.iter().position(|user| user.external_id() == id)
    }

    /// Returns the user who has the row's key of `match_by`, unless a row matches that user by external ID.
    fn user_by_key(&self, row: usize) -> Option<usize> {
        let column = self.match_by?;
        let data = &self.rows[row];
        let value = data
            .sound(column)
            .filter(|_| !data.is_unsound(Column::ExternalId))?;
        let holder = self.users.iter().position(|user| match column {
            Column::Email => user.email().to_lowercase() == value.to_lowercase(),
            Column::BadgeNumber => user.badge_number() == value,
            _ => user.username().to_lowercase() == value.to_lowercase(),
        });
        let is_listed =
            |&user: &usize| (0..self.rows.len()).any(|r| self.user_by_id(r) == Some(user));
        holder.filter(|user| !is_listed(user))
    }

    fn check(&self, row: usize) -> Vec<ModelIssue> {
        let data = &self.rows[row];
        let counts = |issue: &Issue| issue.column.is_none_or(|c| self.is_unsound(row, c));
        let values = data.issues().filter(counts);
        let mut issues: Vec<ModelIssue> = values
            .map(|issue| (issue.code, issue.column, None))
            .collect();
        let user = self.user(row).map(|user| &self.users[user]);
        let is_protected = user.is_some_and(|u| u.protected && u.status == Status::Active);
        if is_protected && data.status() == Some(Status::Inactive) {
            issues.push((IssueCode::ProtectedUser, Some(Column::Status), None));
        }
        issues
    }

    /// Returns the first row that passed its field checks and has the same value in every stored column.
    fn find_original(&self, row: usize) -> Option<usize> {
        let stored = |row: usize| {
            let values = Column::ALL
                .into_iter()
                .filter(|&column| column != Column::Location);
            let value = |column: Column| {
                let value = self.rows[row].value(column)?;
                match column {
                    Column::ExternalId if value.is_empty() => None,
                    Column::SupervisorEmail | Column::Status | Column::Role => {
                        Some(value.to_lowercase())
                    }
                    _ => Some(value.to_owned()),
                }
            };
            values.map(value).collect::<Vec<_>>()
        };
        let equal =
            |&other: &usize| self.rejected_at[other].is_none() && stored(other) == stored(row);
        (0..row)
            .find(equal)
            .filter(|_| self.rejected_at[row].is_none())
    }

    /// Returns `true` if both rows are about the same user, existing or new.
    fn is_same_user(&self, one: usize, other: usize) -> bool {
        let id = |row| self.sound(row, Column::ExternalId);
        let user = |row| self.user(row);
        one == other
            || user(one).is_some() && user(one) == user(other)
            || user(one).is_none()
                && user(other).is_none()
                && id(one).is_some()
                && id(one) == id(other)
    }

    /// Returns `true` if the rows cannot both be right about their user.
    fn contradicts(&self, one: usize, other: usize) -> bool {
        let id = |row| self.sound(row, Column::ExternalId);
        self.is_same_user(one, other) || id(one).is_some() && id(one) == id(other)
    }

    fn duplicates(&self, row: usize) -> Vec<ModelIssue> {
        let code = IssueCode::DuplicateInFile;
        let others = || self.standing().filter(move |&other| other != row);
        let mut issues = Vec::new();
        let twin = others().find(|&other| self.contradicts(row, other));
        issues.extend(twin.map(|twin| (code, Some(Column::ExternalId), Some(self.number(twin)))));
        for column in KEYS {
            let value = self.sound(row, column);
            let shares = |r: usize| self.sound(r, column) == value;
            let keeps = |r: usize| {
                let user = self.user(r).map(|user| &self.users[user]);
                let held = user.map(|user| match column {
                    Column::Email => user.email().to_lowercase(),
                    Column::Username => user.username().to_lowercase(),
                    _ => user.badge_number().to_owned(),
                });
                held == value
            };
            let rivals = || others().filter(|&r| shares(r) && !self.is_same_user(row, r));
            let keeper = rivals().find(|&r| keeps(r));
            if let Some(other) = keeper.or_else(|| rivals().next().filter(|_| !keeps(row))) {
                issues.push((code, Some(column), Some(self.number(other))));
            }
        }
        issues
    }

    fn number(&self, row: usize) -> u32 {
        self.rows[row].number
    }

    /// Returns all users after the import, if the rows that stand now are written.
    fn everybody(&self) -> Vec<FinalPerson> {
        let standing = |row: &usize| self.rejected_at[*row].is_none();
        let rows = || (0..self.rows.len()).filter(standing);
        let row_of = |user| rows().find(|&row| self.user(row) == Some(user));
        let users = (0..self.users.len()).map(|user| (Some(user), row_of(user)));
        let new = rows().filter(|&row| self.user(row).is_none());
        let everybody = users.chain(new.map(|row| (None, Some(row))));
        let mut everybody: Vec<_> = everybody
            .map(|(user, row)| self.somebody(user, row))
            .collect();
        let supervisors: Vec<_> = everybody
            .iter()
            .map(|one| self.supervisor(one, &everybody))
            .collect();
        for (one, supervisor) in everybody.iter_mut().zip(supervisors) {
            one.supervisor = supervisor;
        }
        everybody
    }

    fn somebody(&self, user: Option<usize>, row: Option<usize>) -> FinalPerson {
        let data = user.map(|user| &self.users[user]);
        let keys = match (row, data) {
            (Some(row), _) => KEYS.map(|column| self.sound(row, column).unwrap_or_default()),
            (None, Some(u)) => [u.email(), u.badge_number(), u.username()].map(str::to_lowercase),
            (None, None) => Default::default(),
        };
        let given = row.and_then(|row| self.rows[row].status());
        let id = data.map(|user| user.external_id().to_owned());
        let new_id = || row.and_then(|row| self.sound(row, Column::ExternalId));
        FinalPerson {
            user,
            row,
            external_id: new_id()
                .or(id)
                .unwrap_or_else(|| format!("generated {row:?}")),
            keys,
            status: given
                .or(data.map(|user| user.status))
                .unwrap_or(Status::Active),
            supervisor: None,
        }
    }

    fn supervisor(&self, one: &FinalPerson, everybody: &[FinalPerson]) -> Option<usize> {
        let named = one
            .row
            .and_then(|row| self.rows[row].value(Column::SupervisorEmail));
        match named {
            Some(email) if one.keys[0] == email.to_lowercase() => None,
            Some(email) => position(everybody, &email.to_lowercase()),
            None => self.present_supervisor(one.user?),
        }
    }

    fn present_supervisor(&self, user: usize) -> Option<usize> {
        let id = self.users[user].supervisor?;
        self.users.iter().position(|user| user.id == id)
    }

    fn standing(&self) -> impl Iterator<Item = usize> {
        (0..self.rows.len()).filter(|&row| self.rejected_at[row].is_none())
    }

    fn uniqueness(&self) -> Vec<(usize, Vec<ModelIssue>)> {
        let everybody = self.everybody();
        let judge_row = |row: usize| {
            let mut issues = Vec::new();
            for (key, column) in KEYS.into_iter().enumerate() {
                let value = self.sound(row, column).unwrap_or_default();
                let outside = everybody.iter().filter(|one| one.row.is_none());
                for holder in outside.filter(|one| one.keys[key] == value) {
                    issues.push((taken(column), Some(column), None));
                    let frees = |r: usize| {
                        let moved = self.sound(r, column).is_some_and(|v| v != value);
                        moved && self.user(r) == holder.user
                    };
                    issues.extend(self.depends(column, frees));
                }
            }
            (row, issues)
        };
        self.standing().map(judge_row).collect()
    }

    /// Returns the issue that names a rejected row that would have helped: the first of those rejected last.
    fn depends(&self, column: Column, helps: impl Fn(usize) -> bool) -> Option<ModelIssue> {
        let is_rejected =
            |row: usize| self.rejected_at[row].is_some() && self.copy_of[row].is_none();
        let rejected = (0..self.rows.len()).filter(|&row| is_rejected(row) && helps(row));
        let last = rejected
            .clone()
            .filter_map(|row| self.rejected_at[row])
            .max();
        let number = self.number(
            rejected
                .clone()
                .find(|&row| self.rejected_at[row] == last)?,
        );
        Some((IssueCode::DependsOnRejectedRow, Some(column), Some(number)))
    }

    fn supervisors(&self) -> Vec<(usize, Vec<ModelIssue>)> {
        let everybody = self.everybody();
        let column = Some(Column::SupervisorEmail);
        let judge_row = |row: usize| {
            let mut issues = Vec::new();
            if let Some(email) = self.sound(row, Column::SupervisorEmail) {
                let is_self = self.sound(row, Column::Email).as_ref() == Some(&email);
                if !is_self && position(&everybody, &email).is_none() {
                    issues.push((IssueCode::SupervisorNotFound, column, None));
                    let gives = |r: usize| self.sound(r, Column::Email).as_ref() == Some(&email);
                    issues.extend(self.depends(Column::SupervisorEmail, gives));
                }
            }
            (row, issues)
        };
        self.standing().map(judge_row).collect()
    }

    fn cycles(&self) -> Vec<(usize, Vec<ModelIssue>)> {
        let everybody = self.everybody();
        let mut found = Vec::new();
        for (at, one) in everybody.iter().enumerate() {
            let up = std::iter::successors(one.supervisor, |&up| everybody[up].supervisor);
            let goes_round = up.take(everybody.len()).any(|up| up == at);
            let Some(row) = one.row.filter(|_| goes_round) else {
                continue;
            };
            let present = one.user.and_then(|user| self.present_supervisor(user));
            let sets = self.sound(row, Column::SupervisorEmail).is_some();
            if sets && one.supervisor != present {
                let column = Some(Column::SupervisorEmail);
                found.push((row, vec![(IssueCode::SupervisorCycle, column, None)]));
            }
        }
        found
    }

    fn is_privileged(&self, role: RoleId) -> bool {
        let role = self.catalog.roles.iter().find(|known| known.id == role);
        role.is_some_and(|role| role.privileged)
    }

    /// Returns the role that `row` names. All these names are in the catalog.
    fn role(&self, row: usize) -> RoleId {
        let name = self.rows[row].value(Column::Role).unwrap_or_default();
        let role = self.catalog.roles.iter().find(|role| role.name == name);
        role.map_or(RoleId(0), |role| role.id)
    }

    fn permissions(&self) -> Vec<(usize, Vec<ModelIssue>)> {
        let judge_row = |row: usize| {
            let user = self.user(row).map(|user| &self.users[user]);
            let mut issues = Vec::new();
            let leaves = user.is_some_and(|user| user.status == Status::Active)
                && self.rows[row].status() == Some(Status::Inactive);
            if leaves && !self.permitted.deactivation {
                let code = IssueCode::DeactivationNotPermitted;
                issues.push((code, Some(Column::Status), None));
            }
            let role = self.role(row);
            let is_given = self.is_privileged(role) && user.is_none_or(|user| user.role != role);
            let is_theirs = user.is_some_and(|user| self.is_privileged(user.role));
            let is_changed = self.outcome(row) != Outcome::Unchanged;
            if !self.permitted.privileged && (is_given || is_theirs && is_changed) {
                issues.push((IssueCode::RoleNotGrantable, Some(Column::Role), None));
            }
            (row, issues)
        };
        self.standing().map(judge_row).collect()
    }
}

fn position(everybody: &[FinalPerson], email: &str) -> Option<usize> {
    everybody.iter().position(|one| one.keys[0] == email)
}

fn taken(column: Column) -> IssueCode {
    match column {
        Column::Email => IssueCode::EmailTaken,
        Column::BadgeNumber => IssueCode::BadgeNumberTaken,
        _ => IssueCode::UsernameTaken,
    }
}

/// Returns the errors that `plan` reports about `row`, sorted.
fn planned_faults(plan: &Plan, row: RowIndex) -> Vec<ModelIssue> {
    let issues = plan.issues(row);
    let errors = issues.iter().filter(|issue| issue.is_error());
    // The row of a suggested email is advice. It was not judged.
    let cause = |issue: &Issue| match issue.code {
        IssueCode::SupervisorNotFound => None,
        _ => issue.related_row,
    };
    sorted(
        errors
            .map(|issue| (issue.code, issue.column, cause(issue)))
            .collect(),
    )
}

fn sorted(mut issues: Vec<ModelIssue>) -> Vec<ModelIssue> {
    issues.sort_unstable();
    issues
}
