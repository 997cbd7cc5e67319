//! Permissions (semantics §5 f): rejects rows that deactivate users, give a privileged role, or change a user who has
//! one, if the caller may not do that.

use std::collections::{HashMap, HashSet};

use super::decision::Decision;
use super::finding::{Finding, Findings};
use super::judgement_state::JudgementState;
use super::rules::{DueRows, ReportsByEmail, Rule};
use crate::domain::{Permission, Permissions, RoleId, Status, User};
use crate::plan::PlanRequest;
use crate::plan::index::{ByRow, FinalUser, Key, RowIndex, SupervisorChange, held};

/// The caller's permissions that planning needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanPermissions {
    /// Make Active users Inactive by a row.
    pub deactivation: bool,
    /// Give privileged roles, and change or deactivate users who have one.
    pub privileged: bool,
}

impl PlanPermissions {
    /// The caller may do everything.
    pub const EVERYTHING: Self = Self {
        deactivation: true,
        privileged: true,
    };
}

impl From<Permissions> for PlanPermissions {
    fn from(permissions: Permissions) -> Self {
        Self {
            deactivation: permissions.has(Permission::UsersDeactivate),
            privileged: permissions.has(Permission::UsersGrantPrivileged),
        }
    }
}

/// The roles that the caller must leave alone.
pub(crate) struct PrivilegedRoles(HashSet<RoleId>);

impl PrivilegedRoles {
    pub(crate) fn new(request: &PlanRequest) -> Self {
        let permitted = request.terms.permitted;
        let roles = request.catalog.roles.iter();
        let privileged = roles.filter(|role| role.privileged && !permitted.privileged);
        Self(privileged.map(|role| role.id).collect())
    }

    pub(crate) fn has(&self, role: RoleId) -> bool {
        self.0.contains(&role)
    }
}

/// Rejects rows that would do what the caller may not.
///
/// Most of this depends on the row and its user alone and is found at once. Only a change of the user's supervisor
/// depends on other rows: a row with such a change is judged again whenever the supervisor may have changed.
pub(crate) struct PermissionRule<'a> {
    due: DueRows,
    /// By row: what it may not do, independent of the other rows.
    fixed: HashMap<RowIndex, DeniedActions>,
    /// Rows that must not change their user's supervisor.
    bound: HashSet<RowIndex>,
    reports: &'a ReportsByEmail<'a>,
}

/// The things that a row tries to do and the caller may not.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct DeniedActions {
    deactivation: bool,
    role: bool,
    user: bool,
}

impl<'a> PermissionRule<'a> {
    pub(crate) fn new(
        state: &JudgementState<'_>,
        decisions: &ByRow<Decision>,
        reports: &'a ReportsByEmail<'a>,
    ) -> Self {
        let request = state.roster.request;
        let untouchable = PrivilegedRoles::new(request);
        let mut this = Self {
            due: DueRows::default(),
            fixed: HashMap::new(),
            bound: HashSet::new(),
            reports,
        };
        for row in request.rows.indices().filter(|&row| state.stands(row)) {
            let (input, decision) = (&request.rows[row], &decisions[row]);
            let user = request.user_of(row);
            let mut denied = DeniedActions {
                deactivation: !request.terms.permitted.deactivation
                    && deactivates(user, input.status()),
                ..DeniedActions::default()
            };
            if untouchable.has(decision.role) && user.map(|user| user.role) != Some(decision.role) {
                denied.role = true;
            } else if user.is_some_and(|user| untouchable.has(user.role)) {
                denied.user = !decision.changes.is_empty();
                if !denied.user && state.roster.supervisor_change(row) != SupervisorChange::Keep {
                    this.bound.insert(row);
                }
            }
            if denied != DeniedActions::default() {
                this.fixed.insert(row, denied);
            }
        }
        this.due.add(this.fixed.keys().chain(&this.bound).copied());
        this
    }

    fn find(&self, state: &JudgementState<'_>, row: RowIndex) -> impl Iterator<Item = Finding> {
        let mut denied = self.fixed.get(&row).copied().unwrap_or_default();
        let person = state.roster.person(row);
        denied.user |= self.bound.contains(&row)
            && state.supervisor(person) != state.present_supervisor(person);
        let found = [
            (denied.deactivation, Finding::DeactivationNotPermitted),
            (denied.role, Finding::RoleNotGrantable),
            (denied.user, Finding::UserNotChangeable),
        ];
        let found = found.into_iter().filter(|(denied, _)| *denied);
        found.map(|(_, finding)| finding)
    }
}

impl Rule for PermissionRule<'_> {
    fn judge(&mut self, state: &JudgementState<'_>, findings: &mut Findings) -> Vec<RowIndex> {
        let mut rejected = self.due.take(state);
        rejected.retain(|&row| {
            let mut rejects = false;
            for finding in self.find(state, row) {
                findings.push(row, finding);
                rejects = true;
            }
            rejects
        });
        rejected
    }

    /// A rejected row gives its email to nobody, and its user keeps the present email. Rows that name one of the two
    /// emails as supervisor must be judged again.
    fn note(&mut self, state: &JudgementState<'_>, rejected: &[RowIndex]) {
        for &row in rejected {
            let given = state.roster.wanted(Key::Email, row);
            let kept = match state.roster.person(row) {
                FinalUser::User(user) => Some(held(user)),
                FinalUser::Row(_) => None,
            };
            let named = [given, kept].into_iter().flatten();
            let named = named.flat_map(|email| self.reports.to(email));
            let bound = named.filter(|row| self.bound.contains(row));
            self.due.add(bound.copied());
        }
    }
}

/// Returns `true` if an Active user would become Inactive.
fn deactivates(user: Option<&User>, given: Option<Status>) -> bool {
    user.is_some_and(|user| user.status == Status::Active) && given == Some(Status::Inactive)
}
