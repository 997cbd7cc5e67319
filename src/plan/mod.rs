//! Decides every row of an import against one snapshot of the directory (semantics §4 and §5), and who
//! is missing from the file (§7).
//!
//! Pure: rows, directory and catalog in, a [`Plan`] out; no IO, no clock, no database. Linear in rows and
//! users (`n log n` where supervisors close circles), and free of recursion: up to a million of each.
//!
//! [`plan_while`] reads top-down; each step is a module of its own. Rows and users go by their index, keys
//! (emails, badge numbers and so on) by a number that the roster gives each text once.

mod advice;
mod attributes;
mod check;
mod choices;
mod components;
mod copies;
mod cores;
mod cycles;
mod decision;
mod digest;
mod directory;
mod duplicates;
mod finding;
mod forest;
mod identity;
mod judge;
mod keys;
mod links;
mod matching;
mod missing;
mod order;
mod other_case;
mod outcome;
mod permissions;
mod positions;
mod review;
mod roster;
mod sequence;
mod state;
mod supervisor_names;
mod supervisors;
mod text;
mod uniqueness;
mod values;
mod waiting;
mod wording;
mod write;
mod zeros;

#[cfg(test)]
mod model;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod tests;

use hashbrown::HashMap;
use uuid::Uuid;

pub use decision::{Decision, Outcome, Supervisor};
pub use digest::DigestKey;
pub use directory::Directory;
pub use keys::MatchBy;
pub use order::{Schedule, WriteOrder};
pub use permissions::Permitted;
pub(crate) use wording::{RENAMES, supervisor_inactive, waiting_sentence, zeros_lost};
pub use write::{UserWrite, generated_external_id};

use crate::domain::{Catalog, GroupId, Pattern, RoleId, Row, Status, User};
use check::check;
use copies::Copies;
use finding::Findings;
use identity::IdentityChanges;
use links::index;
use missing::{Alike, Missing, find_missing};
use positions::Positions;
use roster::Roster;
use state::State;
use text::SuggestionBudget;

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
    pub untold: Vec<u32>,
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
    const fn pattern(&self, key: keys::Key) -> Option<&'a Pattern> {
        match key {
            keys::Key::ExternalId => self.catalog.external_id_pattern.as_ref(),
            keys::Key::BadgeNumber => self.catalog.badge_number_pattern.as_ref(),
            keys::Key::Email | keys::Key::Username => None,
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
    let alike = Alike::new(&roster, request.deactivate_missing.is_some());
    let missing = find_missing(request, &roster, &checked.unsound, &alike);
    let mut state = State::new(&roster, checked.passed());
    let (mut decisions, mut findings) = (checked.decisions, checked.findings);
    step()?;
    duplicates::reject_duplicates(&mut state, &decisions, &mut findings);
    judge::judge(request, &decisions, &mut state, &mut findings);

    step()?;
    outcome::settle(&state, &mut decisions);
    let deactivated = missing.deactivations.iter().copied().collect();
    review::review(&state, &deactivated, &alike, &mut findings);
    let identity = identity::warn_of_replaced(&state, &decisions, &mut findings);
    advice::advise(&state, &mut findings, &mut budget);
    step()?;
    let order = sequence::sequence(&state, &decisions);
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
    let waiting = waiting::count_waiting(index(request.rows.len()), &findings);
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
        untold: missing.untold,
        digest: [0; 32],
        positions: Positions::new(request.catalog),
        findings,
        copies,
        waiting,
    };
    plan.digest = digest::digest(&plan, request);
    plan
}
