//! The consequences of a plan besides its counts, about which a careful administrator would ask before confirming it
//! (semantics §13). Reads the decisions of a finished plan, and changes none.
//!
//! Be advised: most plans concern nobody here, so each row and each user is looked at once, and only if the rows before
//! have found something to look for. `src/plan/model/consequences.rs` has the plain version.

use std::borrow::Cow;

use hashbrown::{HashMap, HashSet};

use super::identity_changes::replaced_columns;
use crate::domain::{Column, ColumnSet, RoleId, Status};
use crate::plan::Plan;
use crate::plan::index::{ByUser, FinalUser, RowIndex, UserIndex, resulting, to_u32};
use crate::plan::judge::{Decision, Finding, Outcome};

/// The most examples of one kind.
const EXAMPLES: usize = 20;

/// The kind of a consequence. The numbers are those of the contract's `ConsequenceKind`, which describes each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the contract describes each kind")]
pub enum ConsequenceKind {
    ReportsLoseSupervisor = 1,
    PrivilegedRoleGained,
    PrivilegedRoleLost,
    RoleLeftEmpty,
    SignInChanged,
    Reactivated,
    IdentityReplaced,
}

/// One kind of consequence that a plan has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// The kind.
    pub kind: ConsequenceKind,
    /// How many users, or roles, it concerns.
    pub count: u32,
    /// The first 20 of them: users by external ID, roles by name.
    pub examples: Vec<ConsequenceExample>,
}

/// A user, or a role, that a consequence concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsequenceExample {
    /// External ID of the user after the import; empty for a role.
    pub external_id: String,
    /// Email of the user after the import; empty for a role.
    pub email: String,
    /// The supervisor's external ID, the role's name, or the columns that change.
    pub detail: String,
    /// Number of the standing row that the user has in the roster (1 = first).
    pub row: Option<u32>,
}

/// Returns the consequences of `plan`, in the order of their kinds. Kinds that concern nobody are left out.
pub(crate) fn consequences(plan: &Plan) -> Vec<Consequence> {
    let mut survey = ConsequenceFinder::new(plan);
    survey.look_at_rows();
    survey.look_at_users();
    survey.finish()
}

/// The users that one kind concerns: their number, and the first ones by external ID.
#[derive(Default)]
struct ConcernedUsers<'a> {
    count: u32,
    first: Vec<(Cow<'a, str>, FinalUser, Option<UserIndex>)>,
}

impl<'a> ConcernedUsers<'a> {
    /// Adds a user, with the supervisor who leaves the user.
    fn add(&mut self, id: Cow<'a, str>, user: FinalUser, supervisor: Option<UserIndex>) {
        self.count += 1;
        if self.first.len() == EXAMPLES && self.first.last().is_some_and(|last| last.0 <= id) {
            return;
        }
        let at = self.first.partition_point(|known| known.0 < id);
        self.first.insert(at, (id, user, supervisor));
        self.first.truncate(EXAMPLES);
    }
}

/// One look at a plan.
struct ConsequenceFinder<'a> {
    plan: &'a Plan,
    privileged: HashSet<RoleId>,
    reports: ConcernedUsers<'a>,
    gained: ConcernedUsers<'a>,
    lost: ConcernedUsers<'a>,
    sign_ins: ConcernedUsers<'a>,
    reactivated: ConcernedUsers<'a>,
    replaced: ConcernedUsers<'a>,
    /// The users who go from Active to Inactive.
    leaving: Vec<UserIndex>,
    /// The roles that an Active user loses, without those that another Active user is known to have.
    vacant: HashSet<RoleId>,
}

impl<'a> ConsequenceFinder<'a> {
    fn new(plan: &'a Plan) -> Self {
        let roles = plan.request.catalog.roles.iter();
        let privileged = roles.filter(|role| role.privileged).map(|role| role.id);
        Self {
            plan,
            privileged: privileged.collect(),
            reports: ConcernedUsers::default(),
            gained: ConcernedUsers::default(),
            lost: ConcernedUsers::default(),
            sign_ins: ConcernedUsers::default(),
            reactivated: ConcernedUsers::default(),
            replaced: ConcernedUsers::default(),
            leaving: Vec::new(),
            vacant: HashSet::new(),
        }
    }

    /// Looks at what each row does to its own user, and at the users who are not listed.
    fn look_at_rows(&mut self) {
        for (row, decision) in self.plan.decisions.enumerate() {
            match decision.outcome {
                Outcome::Created if self.privileged.contains(&decision.role) => {
                    let id = self.id(FinalUser::Row(row));
                    self.gained.add(id, FinalUser::Row(row), None);
                }
                Outcome::Updated => self.look_at_updated(row, decision),
                Outcome::Created | Outcome::Unchanged | Outcome::Rejected => {}
            }
        }
        for &user in &self.plan.deactivations {
            self.leaving.push(user);
            let role = self.plan.request.snapshot.users()[user].role;
            self.vacant.insert(role);
        }
    }

    fn look_at_updated(&mut self, row: RowIndex, decision: &Decision) {
        let snapshot = &self.plan.request.snapshot;
        let Some(at) = snapshot.user_of(row) else {
            return;
        };
        let (user, changes) = (&snapshot.users()[at], decision.changes);
        let (before, after) = (user.status, self.status(row));
        let has_role = |role| changes.contains(Column::Role) && self.privileged.contains(role);
        let is_active = before == Status::Active && after == Status::Active;
        let signs_in = [Column::Email, Column::Username];
        let mut findings = self.plan.findings.of(row);
        let concerned = [
            (has_role(&decision.role), &mut self.gained),
            (has_role(&user.role), &mut self.lost),
            (
                is_active && signs_in.into_iter().any(|column| changes.contains(column)),
                &mut self.sign_ins,
            ),
            (
                before == Status::Inactive && after == Status::Active,
                &mut self.reactivated,
            ),
            (
                findings.any(|found| found == Finding::IdentityReplaced),
                &mut self.replaced,
            ),
        ];
        for (_, list) in concerned.into_iter().filter(|(concerns, _)| *concerns) {
            let id = self.plan.external_id(row).unwrap_or_default();
            list.add(id, FinalUser::Row(row), None);
        }
        if before == Status::Active && (after == Status::Inactive || decision.role != user.role) {
            self.vacant.insert(user.role);
        }
        if before == Status::Active && after == Status::Inactive {
            self.leaving.push(at);
        }
    }

    /// Looks for the reports of users who leave, and for Active users with the roles that somebody loses.
    fn look_at_users(&mut self) {
        if self.leaving.is_empty() && self.vacant.is_empty() {
            return;
        }
        let (plan, snapshot) = (self.plan, &self.plan.request.snapshot);
        let mut leaves = ByUser::repeat(false, snapshot.users().len());
        self.leaving.iter().for_each(|&user| leaves[user] = true);
        let mut row_of: ByUser<Option<RowIndex>> = ByUser::repeat(None, snapshot.users().len());
        for &row in plan.order.rows() {
            match snapshot.user_of(row) {
                Some(user) => row_of[user] = Some(row),
                None => self.look_at_written(row, &leaves),
            }
        }
        for (at, user) in snapshot.users().enumerate() {
            if self.leaving.is_empty() && self.vacant.is_empty() {
                return;
            }
            match row_of[at] {
                Some(row) => self.look_at_written(row, &leaves),
                None if user.status == Status::Inactive || leaves[at] => {}
                None => {
                    let supervisor = snapshot.supervisor_of(at).map(FinalUser::User);
                    self.look_at_active(FinalUser::User(at), (user.role, supervisor), &leaves);
                }
            }
        }
    }

    /// Looks at the user that a row creates or updates.
    fn look_at_written(&mut self, row: RowIndex, leaves: &ByUser<bool>) {
        if self.status(row) == Status::Active {
            let decision = &self.plan.decisions[row];
            let has = (decision.role, decision.supervisor);
            self.look_at_active(FinalUser::Row(row), has, leaves);
        }
    }

    /// Looks at one Active user of the final state, who has this role and this supervisor.
    fn look_at_active(
        &mut self,
        user: FinalUser,
        (role, supervisor): (RoleId, Option<FinalUser>),
        leaves: &ByUser<bool>,
    ) {
        if !self.vacant.is_empty() {
            self.vacant.remove(&role);
        }
        if let Some(FinalUser::User(supervisor)) = supervisor
            && leaves[supervisor]
        {
            let id = self.id(user);
            self.reports.add(id, user, Some(supervisor));
        }
    }

    /// Returns the status that the user of a created or updated row has after the import.
    fn status(&self, row: RowIndex) -> Status {
        let present = || self.plan.request.user_of(row).map(|user| user.status);
        let given = self.plan.request.rows[row].status();
        given.or_else(present).unwrap_or(Status::Active)
    }

    /// Returns the external ID after the import of a user that no row changes, or of a row's user.
    fn id(&self, user: FinalUser) -> Cow<'a, str> {
        match user {
            FinalUser::User(user) => {
                let user = &self.plan.request.snapshot.users()[user];
                user.external_id().into()
            }
            FinalUser::Row(row) => self.plan.external_id(row).unwrap_or_default(),
        }
    }

    /// Puts what was found into words.
    fn finish(self) -> Vec<Consequence> {
        use ConsequenceKind as Kind;
        let words = ExampleWriter::new(self.plan, &self.reports);
        let of_users = |kind, found: &ConcernedUsers<'a>| Consequence {
            kind,
            count: found.count,
            examples: words.examples(kind, found),
        };
        let found = [
            of_users(Kind::ReportsLoseSupervisor, &self.reports),
            of_users(Kind::PrivilegedRoleGained, &self.gained),
            of_users(Kind::PrivilegedRoleLost, &self.lost),
            words.vacant(&self.vacant),
            of_users(Kind::SignInChanged, &self.sign_ins),
            of_users(Kind::Reactivated, &self.reactivated),
            of_users(Kind::IdentityReplaced, &self.replaced),
        ];
        found.into_iter().filter(|found| found.count > 0).collect()
    }
}

/// Makes examples of the users that were found.
struct ExampleWriter<'a> {
    plan: &'a Plan,
    /// The unchanged rows of users who are examples.
    unchanged: HashMap<UserIndex, RowIndex>,
    /// The rows that update the supervisors who are named.
    supervisors: HashMap<UserIndex, RowIndex>,
}

impl<'a> ExampleWriter<'a> {
    fn new(plan: &'a Plan, reports: &ConcernedUsers<'a>) -> Self {
        let mut words = Self {
            plan,
            unchanged: HashMap::new(),
            supervisors: HashMap::new(),
        };
        if reports.count == 0 {
            return words;
        }
        let mut is_named = ByUser::repeat(false, plan.request.snapshot.users().len());
        for (_, report, supervisor) in &reports.first {
            let report = match *report {
                FinalUser::User(user) => Some(user),
                FinalUser::Row(_) => None,
            };
            let named = report.into_iter().chain(*supervisor);
            named.for_each(|user| is_named[user] = true);
        }
        for (row, decision) in plan.decisions.enumerate() {
            let user = plan.request.snapshot.user_of(row);
            let Some(user) = user.filter(|&user| is_named[user]) else {
                continue;
            };
            let rows = match decision.outcome {
                Outcome::Unchanged => &mut words.unchanged,
                Outcome::Updated => &mut words.supervisors,
                Outcome::Created | Outcome::Rejected => continue,
            };
            rows.entry(user).or_insert(row);
        }
        words
    }

    fn examples(
        &self,
        kind: ConsequenceKind,
        found: &ConcernedUsers<'_>,
    ) -> Vec<ConsequenceExample> {
        let users = found.first.iter();
        let examples = users.map(|(id, user, supervisor)| {
            let row = match user {
                FinalUser::User(user) => self.unchanged.get(user).copied(),
                FinalUser::Row(row) => Some(*row),
            };
            let detail = match (user, supervisor) {
                (_, Some(supervisor)) => self.supervisor(*supervisor),
                (FinalUser::Row(row), None) => self.detail(kind, *row),
                (FinalUser::User(_), None) => String::new(),
            };
            ConsequenceExample {
                external_id: id.to_string(),
                email: self.email(*user).to_owned(),
                detail,
                row: row.map(|row| self.plan.request.rows[row].number),
            }
        });
        examples.collect()
    }

    fn email(&self, user: FinalUser) -> &'a str {
        let request = &self.plan.request;
        match user {
            FinalUser::User(user) => request.snapshot.users()[user].email(),
            FinalUser::Row(row) => {
                resulting(&request.rows[row], request.user_of(row), Column::Email)
            }
        }
    }

    /// Returns the external ID that a supervisor who leaves has after the import.
    fn supervisor(&self, user: UserIndex) -> String {
        let row = self.supervisors.get(&user);
        let id = row.and_then(|&row| self.plan.external_id(row));
        let present = || self.plan.request.snapshot.users()[user].external_id();
        id.unwrap_or_else(|| present().into()).into_owned()
    }

    fn detail(&self, kind: ConsequenceKind, row: RowIndex) -> String {
        let decision = &self.plan.decisions[row];
        let user = self.plan.request.user_of(row);
        let role = |role| self.plan.names.role(role).unwrap_or_default().to_owned();
        match kind {
            ConsequenceKind::PrivilegedRoleLost => {
                user.map(|user| role(user.role)).unwrap_or_default()
            }
            ConsequenceKind::SignInChanged => {
                let columns = [Column::Email, Column::Username].into_iter();
                headers(columns.filter(|&column| decision.changes.contains(column)))
            }
            ConsequenceKind::IdentityReplaced => {
                let row = &self.plan.request.rows[row];
                let columns = user.map(|user| replaced_columns(row, user, decision.changes));
                headers(columns.unwrap_or(ColumnSet::EMPTY).iter())
            }
            _ => role(decision.role),
        }
    }

    fn vacant(&self, roles: &HashSet<RoleId>) -> Consequence {
        let name = |&role| self.plan.names.role(role).unwrap_or_default();
        let mut names: Vec<&str> = roles.iter().map(name).collect();
        names.sort_unstable();
        let example = |name: &str| ConsequenceExample {
            detail: name.to_owned(),
            ..ConsequenceExample::default()
        };
        Consequence {
            kind: ConsequenceKind::RoleLeftEmpty,
            count: to_u32(names.len()),
            examples: names.into_iter().take(EXAMPLES).map(example).collect(),
        }
    }
}

fn headers(columns: impl Iterator<Item = Column>) -> String {
    columns.map(Column::header).collect::<Vec<_>>().join(", ")
}
