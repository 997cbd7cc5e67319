//! Decides every row of an import against one snapshot of the directory (semantics §4 and §5), and finds the users that
//! are missing from the file (§7).
//!
//! The planner is pure: it takes rows, a snapshot and a catalog, and returns a [`Plan`]. It uses no IO, no clock and no
//! database. Its time is linear in rows and users (`n log n` if supervisors form circles). It does not recurse, since
//! there may be a million of each.
//!
//! [`plan_while`] reads top-down; each step is a module of its own. Rows and users are identified by their number. Keys
//! (emails, badge numbers and so on) are identified by a number that the roster gives each text once.

mod index;
mod judge;
mod order;
mod report;

#[cfg(test)]
mod model;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hashbrown::HashMap;
use uuid::Uuid;

pub(crate) use index::MatchedSnapshot;
pub use index::{
    ByRow, ByUser, DenseIndex, FinalUser, MatchBy, RowIndex, RowMatching, SecondSelection,
    UndoneChange, UndoneChanges, UserIndex, UserSelection,
};
pub use judge::{Decision, Outcome, PlanPermissions};
pub use order::WriteOrder;
pub(crate) use order::{UserWrite, WriteSchedule};
pub use report::{Consequence, ConsequenceExample, ConsequenceKind, DigestKey};
pub(crate) use report::{
    LOST_LETTER, OTHER_MARKS, RENAMES, supervisor_inactive, waiting_sentence, zeros_lost,
};

use crate::domain::{
    Catalog, Column, GroupId, NamesById, RoleId, Row, SnapshotExtent, Status, SuggestionBudget,
    User, ValuePattern,
};
use index::{Key, RosterIndex, to_u32};
use judge::{Findings, JudgementState, RowCopies, check};
use report::{IdentityChanges, MissingUsers, ZeroPaddedMatches, find_missing};

/// The input of a plan.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The rows of the file, in order.
    pub rows: Arc<ByRow<Row>>,
    /// The organisation's users, with the user that each row matches.
    pub snapshot: MatchedSnapshot,
    /// The roles, ranks and groups that users can have.
    pub catalog: Catalog,
    /// The import's ID; generated external IDs derive from it.
    pub import_id: Uuid,
    /// The rest.
    pub terms: PlanningTerms,
}

/// What a plan depends on besides the rows, the snapshot and the catalog.
#[derive(Clone, Debug)]
pub struct PlanningTerms {
    /// The scope within which users that the file does not list are deactivated. `None` means that none are.
    pub scope: Option<MissingUsersScope>,
    /// How rows find their users.
    pub matching: RowMatching,
    /// The caller's permissions.
    pub permitted: PlanPermissions,
    /// The names that columns have in the file, if a mapping reads them from columns with other names.
    pub file_columns: Arc<[(Column, String)]>,
    /// The secret that keys the plan's digest.
    pub digest_key: DigestKey,
}

/// The users that `deactivate_missing` concerns. A user must match both fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingUsersScope {
    /// Only users who have one of these roles. Empty means any role.
    pub roles: Vec<RoleId>,
    /// Only users in one of these groups. Empty means any group or none.
    pub groups: Vec<GroupId>,
}

/// What an import will do.
#[derive(Debug)]
pub struct Plan {
    /// The input that the plan was made for.
    pub request: PlanRequest,
    /// The decision on each row.
    pub decisions: ByRow<Decision>,
    /// The order in which the created and updated rows are written.
    pub order: Arc<WriteOrder>,
    /// Users to deactivate because the file does not list them, in order of external ID.
    pub deactivations: Vec<UserIndex>,
    /// Number of missing users who stay active because they are protected.
    pub protected_skipped: u32,
    /// Missing users that the caller may not deactivate because they have a privileged role, in order of external ID.
    pub privileged_skipped: Vec<UserIndex>,
    /// Number of users who go from Active to Inactive, by a row or as missing.
    pub going_inactive: u32,
    /// Number of active users of the directory, or as many of them as the guard asks for.
    pub active_users: u32,
    /// Number of rows that replace the person of their user (semantics §7).
    pub identity_changes: u32,
    /// Number of standing rows that match a user.
    pub matched_rows: u32,
    /// Numbers (1 = first) of the rows whose user cannot be identified, so that it is unsafe to deactivate missing
    /// users (semantics §7). Each is a record with a wrong number of fields, or has an error in the keys that identify
    /// its user. Empty if the request does not deactivate missing users.
    pub unidentifiable_rows: Vec<u32>,
    /// Two plans have equal digests exactly if they do the same to the same data of one organisation (semantics §7).
    pub digest: [u8; 32],
    /// What the import brings about besides its counts, in the order of the kinds (semantics §13).
    pub consequences: Vec<Consequence>,
    /// The names in the request's catalog.
    pub(crate) names: NamesById,
    /// Findings about the rows, except the faults of their own values. [`issues`](Self::issues) puts them into words.
    findings: Findings,
    copies: RowCopies,
    /// By row: the number of rows that are rejected because of it.
    waiting: HashMap<RowIndex, u32>,
}

impl PlanRequest {
    /// Matches `rows` with `users`, the organisation's users at one moment.
    ///
    /// # Panics
    /// Panics if users that the file does not list are to be deactivated, and not all users are given.
    #[must_use]
    pub fn new(
        rows: Arc<ByRow<Row>>,
        (users, extent): (Vec<User>, SnapshotExtent),
        catalog: Catalog,
        import_id: Uuid,
        terms: PlanningTerms,
    ) -> Self {
        let snapshot = MatchedSnapshot::new(users, extent, &rows, &terms.matching);
        assert!(
            snapshot.is_complete() || terms.scope.is_none(),
            "a partial snapshot does not tell who is missing"
        );
        Self {
            rows,
            snapshot,
            catalog,
            import_id,
            terms,
        }
    }

    /// Adds the last import that changed each of these users, for the messages of an undo.
    #[must_use]
    pub fn with_last_imports(self, last_imports: std::collections::HashMap<Uuid, Uuid>) -> Self {
        Self {
            snapshot: self.snapshot.with_last_imports(last_imports),
            ..self
        }
    }

    /// Returns `true` if the rows reverse the changes of an earlier import.
    #[must_use]
    pub const fn is_undo(&self) -> bool {
        self.terms.matching.undone().is_some()
    }

    /// Returns the change that `row` of an undo reverses.
    #[must_use]
    pub fn undone(&self, row: RowIndex) -> Option<&UndoneChange> {
        self.terms.matching.undone()?.of(self.rows[row].number)
    }

    /// Returns the snapshot's user that `row` matches, or `None` if it matches none.
    #[must_use]
    pub fn user_of(&self, row: RowIndex) -> Option<&User> {
        let user = self.snapshot.user_of(row)?;
        Some(&self.snapshot.users()[user])
    }

    /// Returns the pattern that new values of a key must match.
    const fn pattern(&self, key: Key) -> Option<&ValuePattern> {
        match key {
            Key::ExternalId => self.catalog.external_id_pattern.as_ref(),
            Key::BadgeNumber => self.catalog.badge_number_pattern.as_ref(),
            Key::Email | Key::Username => None,
        }
    }

    /// Returns the email of the supervisor that the row's user has in the directory.
    fn supervisor_email(&self, row: RowIndex) -> Option<&str> {
        let supervisor = self.snapshot.supervisor_of(self.snapshot.user_of(row)?)?;
        Some(self.snapshot.users()[supervisor].email())
    }
}

/// Plans an import.
#[cfg(test)]
#[must_use]
pub fn plan(request: PlanRequest) -> Plan {
    let Some(plan) = plan_while(request, &|| true) else {
        unreachable!("it is wanted to the end");
    };
    plan
}

/// Plans an import as long as `wanted` returns `true`; each step asks again. Returns `None` if it returns `false`.
#[must_use]
pub fn plan_while(request: PlanRequest, wanted: &dyn Fn() -> bool) -> Option<Plan> {
    let step = || wanted().then_some(());
    step()?;
    let mut budget = SuggestionBudget::of_import();
    let mut checked = check(&request, &mut budget);
    step()?;
    let mistaken = std::mem::take(&mut checked.mistaken);
    let changes = |row| checked.decisions[row].changes;
    let roster = RosterIndex::new(&request, &checked.unsound, changes, mistaken);
    let alike = ZeroPaddedMatches::new(&roster);
    let missing = find_missing(&roster, &checked.unsound, &alike);
    let mut state = JudgementState::new(&roster, checked.passed());
    let (mut decisions, mut findings) = (checked.decisions, checked.findings);
    step()?;
    judge::reject_duplicates(&mut state, &decisions, &mut findings);
    judge::judge(&decisions, &mut state, &mut findings);

    step()?;
    judge::finish_outcomes(&state, &mut decisions);
    let deactivated = missing.deactivations.iter().copied().collect();
    report::add_final_state_findings(&state, &deactivated, &alike, &mut findings);
    let identity = report::warn_of_replaced_identities(&state, &decisions, &mut findings);
    report::complete_findings(&state, &mut findings, &mut budget);
    step()?;
    let order = order::find_order(&state, &decisions);
    let going_inactive = count_going_inactive(&state, &missing);
    step()?;
    let written = (decisions, findings, order, state.into_copies());
    drop(roster);
    Some(assemble(
        request,
        written,
        missing,
        (going_inactive, identity),
    ))
}

fn count_going_inactive(state: &JudgementState<'_>, missing: &MissingUsers) -> u32 {
    let by_row = state.standing().into_iter().filter(|&row| {
        let user = state.roster.user(row).map(|user| &state.roster.users[user]);
        user.is_some_and(|user| user.status == Status::Active)
            && state.status(state.roster.person(row)) == Status::Inactive
    });
    to_u32(by_row.count() + missing.deactivations.len())
}

fn assemble(
    request: PlanRequest,
    (decisions, findings, order, copies): (ByRow<Decision>, Findings, WriteOrder, RowCopies),
    missing: MissingUsers,
    (going_inactive, identity): (u32, IdentityChanges),
) -> Plan {
    let mut plan = Plan {
        waiting: report::count_waiting(request.rows.indices(), &findings),
        names: NamesById::new(&request.catalog),
        decisions,
        order: order.into(),
        deactivations: missing.deactivations,
        protected_skipped: missing.protected_skipped,
        privileged_skipped: missing.privileged_skipped,
        going_inactive,
        active_users: request.snapshot.active_users(),
        request,
        identity_changes: identity.replaced,
        matched_rows: identity.matched,
        unidentifiable_rows: missing.unidentifiable_rows,
        digest: [0; 32],
        consequences: Vec::new(),
        findings,
        copies,
    };
    plan.digest = report::digest(&plan);
    plan.consequences = report::consequences(&plan);
    plan
}
