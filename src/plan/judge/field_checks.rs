//! Field checks (semantics §5 a): what is wrong with a row, as seen from the row, its own user, the catalog and protection.
//! Knows nothing of the other rows.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::catalog_choices::{CatalogChoices, CatalogKind};
use super::damaged_values::check_values;
use super::decision::{Decision, Outcome};
use super::finding::{Finding, Findings};
use super::outcome::changing;
use crate::domain::{
    Catalog, Column, ColumnSet, GroupId, RankId, RoleId, Row, Status, SuggestionBudget, User, fold,
    is_placeholder,
};
use crate::plan::PlanRequest;
use crate::plan::index::{ByRow, DamagedKeyMatches, FinalUser, Key, RowIndex, parallel, sound};

/// The results of the field checks.
pub(crate) struct FieldCheckResults {
    /// The decisions so far: role, rank, group, and as changes the attributes that differ from the user's. Every
    /// outcome is still `Rejected`.
    pub(crate) decisions: ByRow<Decision>,
    /// The columns whose value failed a check. A value that stands because the user has it already is left out.
    pub(crate) unsound: ByRow<ColumnSet>,
    /// The findings, without the faults that the rows themselves record.
    pub(crate) findings: Findings,
    /// The users that rows with rejected keys probably mean.
    pub(crate) mistaken: DamagedKeyMatches,
}

/// The results of the field checks for one row, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CheckMarks(u8);

impl CheckMarks {
    /// The row has faults of its own.
    const FAULTY: Self = Self(1);
    const MISFIT: Self = Self(1 << 1);
    const UNKNOWN_ROLE: Self = Self(1 << 2);
    const UNKNOWN_RANK: Self = Self(1 << 3);
    const UNKNOWN_GROUP: Self = Self(1 << 4);
    const INACTIVE_GROUP: Self = Self(1 << 5);
    /// The inactive group is the group that the user has already: a warning.
    const KEPT_GROUP: Self = Self(1 << 6);
    /// An import never makes a protected user inactive (semantics §2).
    const PROTECTED: Self = Self(1 << 7);

    /// The marks that make a column unsound, each with that column.
    const UNSOUND: [(Self, Column); 5] = [
        (Self::UNKNOWN_ROLE, Column::Role),
        (Self::UNKNOWN_RANK, Column::Rank),
        (Self::UNKNOWN_GROUP, Column::EvidenceGroupExtId),
        (Self::INACTIVE_GROUP, Column::EvidenceGroupExtId),
        (Self::PROTECTED, Column::Status),
    ];

    const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    fn add(&mut self, mark: Self) {
        self.0 |= mark.0;
    }

    fn add_if(&mut self, mark: Self, found: bool) {
        if found {
            self.add(mark);
        }
    }
}

impl FieldCheckResults {
    /// Returns, by row, whether it passed its field checks.
    pub(crate) fn passed(&self) -> ByRow<bool> {
        let rows = self.decisions.iter().zip(self.unsound.iter());
        let passed = |(decision, unsound): (&Decision, &ColumnSet)| {
            unsound.is_empty() && !decision.marks.has(CheckMarks::MISFIT)
        };
        rows.map(passed).collect()
    }
}

/// Checks every row.
pub(crate) fn check(request: &PlanRequest, budget: &mut SuggestionBudget) -> FieldCheckResults {
    let mut checker = FieldChecker::new(&request.catalog);
    let decisions = parallel::map(&request.rows, |at, row| {
        checker.check(row, request.user_of(at))
    });
    let mut unsound = parallel::map(&decisions, |at, decision| {
        unsound(request, at, decision.marks)
    });
    let mut findings = Findings::new(request.rows.len());
    let mut mistaken = DamagedKeyMatches::default();
    // In the order of the rows, since the budget for suggestions is limited.
    for (row, decision) in decisions.enumerate() {
        let marks = decision.marks;
        if !marks.is_empty() {
            let found = &request.rows[row];
            if unsound[row].contains(Column::ExternalId) && request.user_of(row).is_some() {
                mistaken.ids.insert(row);
            }
            checker.advise((row, found), marks, &mut findings, budget);
        }
    }
    match request.is_undo() {
        // Nobody has typed these values: the users had them.
        true => {
            find_edited(request, &decisions, &mut unsound, &mut findings);
            find_taken_external_ids(request, &mut unsound, &mut findings);
        }
        false => check_values(
            request,
            &decisions,
            &mut unsound,
            &mut findings,
            &mut mistaken,
        ),
    }
    FieldCheckResults {
        decisions,
        unsound,
        findings,
        mistaken,
    }
}

/// Finds the rows of an undo whose user has been edited since: it is left alone, unless it has all values back already
/// (semantics §11).
fn find_edited(
    request: &PlanRequest,
    decisions: &ByRow<Decision>,
    unsound: &mut ByRow<ColumnSet>,
    findings: &mut Findings,
) {
    for (row, decision) in decisions.enumerate() {
        let Some(change) = request.undone(row) else {
            continue;
        };
        let column = match request.user_of(row) {
            Some(user) => {
                let sets_supervisor = request.rows[row].has(Column::SupervisorEmail);
                let is_back = decision.changes.is_empty()
                    && (!sets_supervisor || user.supervisor == change.supervisor);
                change.edited(user).filter(|_| !is_back)
            }
            None => Some(Column::ExternalId),
        };
        if let Some(column) = column {
            unsound[row].insert(column);
            findings.push(row, Finding::EditedSince { column });
        }
    }
}

/// Finds the rows of an undo that would give back an external ID which another user has by now. No other row frees it: an
/// import gives no user the external ID that it takes from another.
fn find_taken_external_ids(
    request: &PlanRequest,
    unsound: &mut ByRow<ColumnSet>,
    findings: &mut Findings,
) {
    let wanted = request.rows.enumerate().filter_map(|(at, row)| {
        let id = row.sound(Column::ExternalId)?;
        (request.user_of(at)?.external_id() != id).then_some((id, at))
    });
    let wanted: HashMap<&str, RowIndex> = wanted.collect();
    if wanted.is_empty() {
        return;
    }
    for (user, data) in request.snapshot.users().enumerate() {
        if let Some(&row) = wanted.get(data.external_id()) {
            unsound[row].insert(Column::ExternalId);
            let (key, holder) = (Key::ExternalId, FinalUser::User(user).into());
            findings.push(row, Finding::Taken { key, holder });
        }
    }
}

/// Returns the columns of a row that failed a check.
fn unsound(request: &PlanRequest, at: RowIndex, marks: CheckMarks) -> ColumnSet {
    if marks.is_empty() {
        return ColumnSet::EMPTY;
    }
    let mut unsound = ColumnSet::EMPTY;
    if marks.has(CheckMarks::FAULTY) {
        let failed = request.rows[at].unsound().iter();
        unsound = failed
            .filter(|&column| !is_kept(request, at, column))
            .collect();
    }
    for (mark, column) in CheckMarks::UNSOUND {
        if marks.has(mark) {
            unsound.insert(column);
        }
    }
    unsound
}

/// Returns `text` unchanged: group IDs compare exactly.
fn exact(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

struct FieldChecker<'a> {
    roles: CatalogChoices<'a, RoleId>,
    ranks: CatalogChoices<'a, RankId>,
    groups: CatalogChoices<'a, (GroupId, bool)>,
}

impl<'a> FieldChecker<'a> {
    fn new(catalog: &'a Catalog) -> Self {
        let roles = catalog.roles.iter().map(|r| (r.name.as_str(), r.id));
        let ranks = catalog.ranks.iter().map(|r| (r.name.as_str(), r.id));
        let groups = catalog.groups.iter();
        let groups = groups.map(|g| (g.external_id.as_str(), (g.id, g.active)));
        Self {
            roles: CatalogChoices::new(CatalogKind::Role, catalog, fold, roles),
            ranks: CatalogChoices::new(CatalogKind::Rank, catalog, fold, ranks),
            groups: CatalogChoices::new(CatalogKind::Group, catalog, exact, groups),
        }
    }

    fn check(&self, row: &Row, user: Option<&User>) -> Decision {
        let mut marks = CheckMarks::default();
        marks.add_if(CheckMarks::FAULTY, row.has_faults());
        marks.add_if(CheckMarks::MISFIT, row.is_misfit());
        let role = self.role(row, user, &mut marks);
        let rank = self.rank(row, user, &mut marks);
        let group = self.group(row, user, &mut marks);
        marks.add_if(CheckMarks::PROTECTED, is_protected_from(row, user));
        let mut decision = Decision {
            outcome: Outcome::Rejected,
            changes: ColumnSet::EMPTY,
            role: role.unwrap_or(RoleId(0)),
            rank,
            group,
            supervisor: None,
            marks,
        };
        // Computed here, while row and user are at hand: rows need not come in the users' order.
        if let Some(user) = user {
            decision.changes = changing(row, user, &decision);
        }
        decision
    }

    /// Adds the findings, each with the nearest name that could be meant.
    fn advise(
        &mut self,
        (at, row): (RowIndex, &Row),
        marks: CheckMarks,
        findings: &mut Findings,
        budget: &mut SuggestionBudget,
    ) {
        if marks.has(CheckMarks::UNKNOWN_ROLE) {
            findings.push(at, self.roles.unknown(row, budget));
        }
        if marks.has(CheckMarks::UNKNOWN_RANK) {
            findings.push(at, self.ranks.unknown(row, budget));
        }
        if marks.has(CheckMarks::UNKNOWN_GROUP) {
            findings.push(at, self.groups.unknown(row, budget));
        }
        for (mark, kept) in [
            (CheckMarks::INACTIVE_GROUP, false),
            (CheckMarks::KEPT_GROUP, true),
        ] {
            if marks.has(mark) {
                findings.push(at, Finding::GroupInactive { kept });
            }
        }
        if marks.has(CheckMarks::PROTECTED) {
            findings.push(at, Finding::UserProtected);
        }
    }

    /// Only the rows of an undo lack a role.
    fn role(&self, row: &Row, user: Option<&User>, marks: &mut CheckMarks) -> Option<RoleId> {
        if !row.has(Column::Role) {
            return user.map(|user| user.role);
        }
        let found = self.roles.find(row, row.sound(Column::Role)?);
        marks.add_if(CheckMarks::UNKNOWN_ROLE, found.is_none());
        found
    }

    fn rank(&self, row: &Row, user: Option<&User>, marks: &mut CheckMarks) -> Option<RankId> {
        if !row.has(Column::Rank) {
            return user?.rank;
        }
        let found = self.ranks.find(row, row.sound(Column::Rank)?);
        marks.add_if(CheckMarks::UNKNOWN_RANK, found.is_none());
        found
    }

    fn group(&self, row: &Row, user: Option<&User>, marks: &mut CheckMarks) -> Option<GroupId> {
        let present = user.and_then(|user| user.group);
        if !row.has(Column::EvidenceGroupExtId) {
            return present;
        }
        let found = self
            .groups
            .find(row, row.sound(Column::EvidenceGroupExtId)?);
        marks.add_if(CheckMarks::UNKNOWN_GROUP, found.is_none());
        let (id, active) = found?;
        match present == Some(id) {
            true => marks.add_if(CheckMarks::KEPT_GROUP, !active),
            false => marks.add_if(CheckMarks::INACTIVE_GROUP, !active),
        }
        Some(id)
    }
}

/// Returns `true` if the value of row number `at` is exactly the value that its user has. Such a value stands, even if
/// it fails a check.
///
/// A placeholder in `EXTERNAL_ID` stands only if the row also has another key of that user: an export without external
/// IDs writes the same word for everybody.
pub(crate) fn is_kept(request: &PlanRequest, at: RowIndex, column: Column) -> bool {
    let row = &request.rows[at];
    let Some(user) = request.user_of(at) else {
        return false;
    };
    let stored = match column {
        // This value belongs to another user, so only semantics §5 judges it. The exception: a stored email may have
        // lost a letter.
        Column::SupervisorEmail => request
            .supervisor_email(at)
            .filter(|email| email.contains('\u{FFFD}')),
        _ => user.value(column),
    };
    let Some(stored) = stored.filter(|stored| !stored.is_empty() && row.says(column, stored))
    else {
        return false;
    };
    column != Column::ExternalId || !is_placeholder(stored) || names_person(row, user)
}

/// Returns `true` if the row has a key of `user` besides the external ID.
fn names_person(row: &Row, user: &User) -> bool {
    let is_same = |key: Key| {
        let value = sound(row, ColumnSet::EMPTY, key.column());
        let is_equal = |value| key.comparable(value) == key.comparable(key.of(user));
        value.is_some_and(is_equal) || row.says(key.column(), key.of(user))
    };
    Key::MOVABLE.into_iter().any(is_same)
}

/// Returns `true` if the row would make a protected user inactive.
fn is_protected_from(row: &Row, user: Option<&User>) -> bool {
    user.is_some_and(|user| user.protected && user.status == Status::Active)
        && row.status() == Some(Status::Inactive)
}
