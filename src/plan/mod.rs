//! Decides every row of an import against one snapshot of the directory (semantics §4 and §5), and finds the users that
//! are missing from the file (§7).
//!
//! The planner is pure: it takes rows, directory and catalog, and returns a [`Plan`]. It uses no IO, no clock and no
//! database. Its time is linear in rows and users (`n log n` if supervisors form circles). It does not recurse, since
//! there may be a million of each.
//!
//! [`plan_while`] reads top-down; each step is a module of its own. Rows and users are identified by their index. Keys
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

use hashbrown::HashMap;
use uuid::Uuid;

pub(crate) use index::Directory;
pub(crate) use index::MatchBy;
pub use judge::Permitted;
pub(crate) use order::UserWrite;
pub(crate) use order::{Schedule, WriteOrder};
pub use report::DigestKey;
pub use report::{Decision, Outcome, Supervisor};
pub(crate) use report::{RENAMES, supervisor_inactive, waiting_sentence, zeros_lost};

use crate::domain::{Catalog, GroupId, Pattern, RoleId, Row, Status, User};
use index::{Key, Positions, Roster, SuggestionBudget, index};
use judge::Copies;
use judge::Findings;
use judge::State;
use judge::check;
use report::IdentityChanges;
use report::{Missing, ZeroPaddedMatches, find_missing};

/// The input of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The rows of the file, in order.
    pub rows: &'a [Row],
    /// The organisation's users, with the user that each row matches.
    pub directory: &'a Directory,
    /// The roles, ranks and groups that users can have.
    pub catalog: &'a Catalog,
    /// The import's ID; generated external IDs derive from it.
    pub import_id: Uuid,
    /// The scope within which users that the file does not list are deactivated. `None` means that none are.
    pub deactivate_missing: Option<&'a Scope>,
    /// The caller's permissions.
    pub permitted: Permitted,
    /// The secret that keys the plan's digest.
    pub digest_key: &'a DigestKey,
}

/// The users that `deactivate_missing` concerns. A user must match both fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only users who have one of these roles. Empty means any role.
    pub roles: Vec<RoleId>,
    /// Only users in one of these groups. Empty means any group or none.
    pub groups: Vec<GroupId>,
}

/// What an import will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One for each row, in row order.
    pub decisions: Vec<Decision>,
    /// The order in which the created and updated rows are written.
    pub order: WriteOrder,
    /// Users to deactivate because the file does not list them: indices in the snapshot, in order of
    /// external ID.
    pub deactivations: Vec<u32>,
    /// Number of missing users who stay active because they are protected.
    pub protected_skipped: u32,
    /// Missing users that the caller may not deactivate because they have a privileged role: indices in the snapshot,
    /// in order of external ID.
    pub privileged_skipped: Vec<u32>,
    /// Number of users who go from Active to Inactive, by a row or as missing.
    pub going_inactive: u32,
    /// Number of active users in the snapshot.
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
    positions: Positions,
    /// Findings about the rows, except the faults of their own values. [`issues`](Self::issues) puts them into words.
    findings: Findings,
    copies: Copies,
    /// By row: the number of rows that are rejected because of it.
    waiting: HashMap<u32, u32>,
}

impl<'a> Request<'a> {
    /// Returns the directory's user that row number `row` (an index) matches, or `None` if it matches none.
    fn user_of(&self, row: u32) -> Option<&'a User> {
        let user = self.directory.user_of(row)?;
        Some(&self.directory.users()[user as usize])
    }

    /// Returns the pattern that new values of a key must match.
    const fn pattern(&self, key: Key) -> Option<&'a Pattern> {
        match key {
            Key::ExternalId => self.catalog.external_id_pattern.as_ref(),
            Key::BadgeNumber => self.catalog.badge_number_pattern.as_ref(),
            Key::Email | Key::Username => None,
        }
    }

    /// Returns the email of the supervisor that the row's user has in the directory.
    fn supervisor_email(&self, row: u32) -> Option<&'a str> {
        let supervisor = self.directory.supervisor_of(self.directory.user_of(row)?)?;
        Some(self.directory.users()[supervisor as usize].email())
    }
}

/// Plans an import.
#[cfg(test)]
#[must_use]
pub fn plan(request: &Request<'_>) -> Plan {
    let Some(plan) = plan_while(request, &|| true) else {
        unreachable!("it is wanted to the end");
    };
    plan
}

/// Plans an import as long as `wanted` returns `true`; each step asks again. Returns `None` if it returns `false`.
#[must_use]
pub fn plan_while(request: &Request<'_>, wanted: &dyn Fn() -> bool) -> Option<Plan> {
    let step = || wanted().then_some(());
    step()?;
    let mut budget = SuggestionBudget::of_import();
    let mut checked = check(request, &mut budget);
    step()?;
    let mistaken = std::mem::take(&mut checked.mistaken);
    let roster = Roster::new(request, &checked, mistaken);
    let alike = ZeroPaddedMatches::new(&roster, request.deactivate_missing.is_some());
    let missing = find_missing(request, &roster, &checked.unsound, &alike);
    let mut state = State::new(&roster, checked.passed());
    let (mut decisions, mut findings) = (checked.decisions, checked.findings);
    step()?;
    judge::reject_duplicates(&mut state, &decisions, &mut findings);
    judge::judge(request, &decisions, &mut state, &mut findings);

    step()?;
    report::finish_outcomes(&state, &mut decisions);
    let deactivated = missing.deactivations.iter().copied().collect();
    report::review(&state, &deactivated, &alike, &mut findings);
    let identity = report::warn_of_replaced_identities(&state, &decisions, &mut findings);
    report::complete_findings(&state, &mut findings, &mut budget);
    step()?;
    let order = order::find_order(&state, &decisions);
    let going_inactive = count_going_inactive(&state, &missing);
    step()?;
    let written = (decisions, findings, order, state.into_copies());
    Some(assemble(
        request,
        written,
        missing,
        (going_inactive, identity),
    ))
}

fn count_going_inactive(state: &State<'_>, missing: &Missing) -> u32 {
    let by_row = state.standing().into_iter().filter(|&row| {
        let user = state
            .roster
            .user(row)
            .map(|u| &state.roster.users[u as usize]);
        user.is_some_and(|user| user.status == Status::Active)
            && state.status(state.roster.person(row)) == Status::Inactive
    });
    index(by_row.count() + missing.deactivations.len())
}

fn assemble(
    request: &Request<'_>,
    (decisions, findings, order, copies): (Vec<Decision>, Findings, WriteOrder, Copies),
    missing: Missing,
    (going_inactive, identity): (u32, IdentityChanges),
) -> Plan {
    let users = request.directory.users().iter();
    let active = users.filter(|user| user.status == Status::Active);
    let waiting = report::count_waiting(index(request.rows.len()), &findings);
    let mut plan = Plan {
        decisions,
        order,
        deactivations: missing.deactivations,
        protected_skipped: missing.protected_skipped,
        privileged_skipped: missing.privileged_skipped,
        going_inactive,
        active_users: index(active.count()),
        identity_changes: identity.replaced,
        matched_rows: identity.matched,
        unidentifiable_rows: missing.unidentifiable_rows,
        digest: [0; 32],
        positions: Positions::new(request.catalog),
        findings,
        copies,
        waiting,
    };
    plan.digest = report::digest(&plan, request);
    plan
}
