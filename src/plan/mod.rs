//! Decides every row of an import against one snapshot of the directory (semantics §4 and §5), and who
//! is missing from the file (§7).
//!
//! Pure: rows, directory and catalog in, a [`Plan`] out; no IO, no clock, no database. Linear in rows and
//! users (`n log n` where supervisors close circles), and free of recursion: up to a million of each.
//!
//! [`plan_while`] reads top-down; each step is a module of its own. Rows and users go by their index, keys
//! (emails, badge numbers and so on) by a number that the roster gives each text once.

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

pub use index::Directory;
pub use index::MatchBy;
pub use judge::Permitted;
pub use order::{Schedule, WriteOrder};
pub use order::{UserWrite, generated_external_id};
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

/// What to plan.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The rows of the file, in order.
    pub rows: &'a [Row],
    /// The organisation's users, as these rows find them.
    pub directory: &'a Directory,
    /// What users can be given.
    pub catalog: &'a Catalog,
    /// Names the import; generated external IDs derive from it.
    pub import_id: Uuid,
    /// Where set: deactivate the users within this scope whom the file does not list.
    pub deactivate_missing: Option<&'a Scope>,
    /// What the caller may do.
    pub permitted: Permitted,
    /// Keys the plan's digest.
    pub digest_key: &'a DigestKey,
}

/// Which users `deactivate_missing` is about; a user must match both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only users who have one of these roles; empty: any.
    pub roles: Vec<RoleId>,
    /// Only users in one of these groups; empty: any or none.
    pub groups: Vec<GroupId>,
}

/// What an import will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One a row, in order.
    pub decisions: Vec<Decision>,
    /// In which order the created and updated rows are written.
    pub order: WriteOrder,
    /// Users to deactivate because the file does not list them: indices in the snapshot, in order of
    /// external ID.
    pub deactivations: Vec<u32>,
    /// Users the file does not list whom nothing but protection saves from being deactivated.
    pub protected_skipped: u32,
    /// Users the file does not list whom the caller may not deactivate, since they have a privileged
    /// role: indices in the snapshot, in order of external ID.
    pub privileged_skipped: Vec<u32>,
    /// Users who go from Active to Inactive, by a row or as missing.
    pub going_inactive: u32,
    /// Active users of the snapshot.
    pub active_users: u32,
    /// Rows that put another person in the place of their user (semantics §7).
    pub identity_changes: u32,
    /// Rows that stand and match a user.
    pub matched_rows: u32,
    /// Numbers (1 = first) of the rows of which nobody can tell whom they list, and which so make it unsafe
    /// to deactivate who is missing (semantics §7). Empty where that was not asked for. Each is a record
    /// with a wrong number of fields, or has an error in the keys that would tell.
    pub unidentifiable_rows: Vec<u32>,
    /// Equal exactly where two plans do the same to the same data of one organisation (semantics §7).
    pub digest: [u8; 32],
    positions: Positions,
    /// What there is to say of the rows, their own faults apart; [`issues`](Self::issues) says it.
    findings: Findings,
    copies: Copies,
    /// By row: how many rows are rejected because of it.
    waiting: HashMap<u32, u32>,
}

impl<'a> Request<'a> {
    /// The user of the directory that row number `row` (an index) matches.
    fn user_of(&self, row: u32) -> Option<&'a User> {
        let user = self.directory.user_of(row)?;
        Some(&self.directory.users()[user as usize])
    }

    /// What new values of a key have to match.
    const fn pattern(&self, key: Key) -> Option<&'a Pattern> {
        match key {
            Key::ExternalId => self.catalog.external_id_pattern.as_ref(),
            Key::BadgeNumber => self.catalog.badge_number_pattern.as_ref(),
            Key::Email | Key::Username => None,
        }
    }

    /// The email of that user's supervisor.
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

/// Plans an import, for as long as the plan is `wanted`: each step asks again. `None`: it was not.
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
