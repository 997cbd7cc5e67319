//! Field checks (semantics §5 a): what is wrong with a row when only its own user, the catalog and
//! protection are looked at. Knows nothing of the other rows.

use std::borrow::Cow;

use super::Request;
use super::attributes::{sound, stored};
use super::choices::Choices;
use super::cores;
use super::decision::{Decision, Outcome, Supervisor};
use super::outcome::changing;
use super::text::fold;
use crate::domain::{
    Column, ColumnSet, GroupId, Issue, IssueCode, RankId, RoleId, Row, Severity, Status, User,
};

/// What the field checks found, one entry a row.
pub(super) struct Checked {
    /// Decisions so far: role, rank, group, issues, and as changes the attributes that differ from the
    /// user's; every outcome still `Rejected`.
    pub(super) decisions: Vec<Decision>,
    /// The columns whose value failed a check and does not stand either.
    pub(super) unsound: Vec<ColumnSet>,
}

impl Checked {
    /// True where the row passed its field checks.
    pub(super) fn passed(decision: &Decision) -> bool {
        !decision.issues.iter().any(Issue::is_error)
    }
}

/// Checks every row.
pub(super) fn check(request: &Request<'_>) -> Checked {
    let mut checker = Checker::new(request);
    let directory = request.directory;
    let mut decisions = cores::map(request.rows, |at, row| {
        checker.check(row, directory.user_of(at))
    });
    for (row, decision) in request.rows.iter().zip(&mut decisions) {
        checker.advise(row, decision);
    }
    let unsound = decisions.iter().map(unsound).collect();
    Checked { decisions, unsound }
}

/// The columns that failed a check.
fn unsound(decision: &Decision) -> ColumnSet {
    let errors = decision.issues.iter().filter(|issue| issue.is_error());
    errors.filter_map(|issue| issue.column).collect()
}

/// Group IDs are equal to the letter.
fn exact(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

struct Checker<'a> {
    users: &'a [User],
    roles: Choices<'a, RoleId>,
    ranks: Choices<'a, RankId>,
    groups: Choices<'a, (GroupId, bool)>,
}

impl<'a> Checker<'a> {
    fn new(request: &Request<'a>) -> Self {
        let catalog = request.catalog;
        let roles = catalog.roles.iter().map(|r| (r.name.as_str(), r.id));
        let ranks = catalog.ranks.iter().map(|r| (r.name.as_str(), r.id));
        let groups = catalog.groups.iter();
        let groups = groups.map(|g| (g.external_id.as_str(), (g.id, g.active)));
        let unknown_group = (IssueCode::UnknownGroup, "group");
        let active = catalog.groups.iter().filter(|group| group.active);
        let active = active.map(|group| group.external_id.as_str());
        Self {
            users: request.directory.users(),
            roles: Choices::new(Column::Role, (IssueCode::UnknownRole, "role"), fold, roles),
            ranks: Choices::new(Column::Rank, (IssueCode::UnknownRank, "rank"), fold, ranks),
            groups: Choices::new(Column::EvidenceGroupExtId, unknown_group, exact, groups)
                .suggesting(active),
        }
    }

    fn check(&self, row: &Row, index: Option<u32>) -> Decision {
        let user = index.map(|u| &self.users[u as usize]);
        let mut issues: Vec<Issue> = row.issues().iter().map(|i| settle(i, row, user)).collect();
        let role = self.role(row, &mut issues);
        let rank = self.rank(row, user, &mut issues);
        let group = self.group(row, user, &mut issues);
        issues.extend(protection(row, user));
        let mut decision = Decision {
            outcome: Outcome::Rejected,
            changes: ColumnSet::EMPTY,
            role: role.unwrap_or(RoleId(0)),
            rank,
            group,
            supervisor: Supervisor::None,
            issues: issues.into(),
        };
        // While row and user are at hand: rows need not come in the users' order.
        if let Some(user) = user {
            decision.changes = changing(row, user, &decision);
        }
        decision
    }

    /// Words what names nothing of the catalog; in the order of the rows, since there is an end to looking
    /// for what may have been meant.
    fn advise(&mut self, row: &Row, decision: &mut Decision) {
        for issue in decision.issues.iter_mut() {
            let name = issue.column.and_then(|column| row.value(column));
            let name = name.unwrap_or_default();
            self.roles.advise(issue, name);
            self.ranks.advise(issue, name);
            self.groups.advise(issue, name);
        }
    }

    fn role(&self, row: &Row, issues: &mut Vec<Issue>) -> Option<RoleId> {
        let found = self.roles.find(row.sound(Column::Role)?);
        found.map_err(|issue| issues.push(issue)).ok()
    }

    fn rank(&self, row: &Row, user: Option<&User>, issues: &mut Vec<Issue>) -> Option<RankId> {
        if !row.has(Column::Rank) {
            return user?.rank;
        }
        let found = self.ranks.find(row.sound(Column::Rank)?);
        found.map_err(|issue| issues.push(issue)).ok()
    }

    fn group(&self, row: &Row, user: Option<&User>, issues: &mut Vec<Issue>) -> Option<GroupId> {
        let present = user.and_then(|user| user.group);
        if !row.has(Column::EvidenceGroupExtId) {
            return present;
        }
        let name = row.sound(Column::EvidenceGroupExtId)?;
        let found = self.groups.find(name);
        let (id, active) = found.map_err(|issue| issues.push(issue)).ok()?;
        if !active {
            issues.push(inactive_group(name, present == Some(id)));
        }
        Some(id)
    }
}

/// The issue as it counts for this user: a value that its user already has stands, with a warning.
fn settle(issue: &Issue, row: &Row, user: Option<&User>) -> Issue {
    let mut issue = issue.clone();
    if issue.is_error() && issue.column.is_some_and(|c| is_kept(row, user, c)) {
        issue.severity = Severity::Warning;
        issue.message = format!(
            "{} It stands, because the user has it already.",
            issue.message
        )
        .into();
    }
    issue
}

/// True where the row's value is, to the letter, what the user has. (A supervisor's email is another
/// user's: semantics §5 alone judges it.)
fn is_kept(row: &Row, user: Option<&User>, column: Column) -> bool {
    let value = sound(row, ColumnSet::EMPTY, column);
    value.is_some() && value == user.and_then(|user| stored(user, column))
}

fn inactive_group(name: &str, kept: bool) -> Issue {
    let code = IssueCode::InactiveGroup;
    let column = Column::EvidenceGroupExtId;
    if kept {
        let message =
            format!("{column} \"{name}\" is inactive. It stands, because the user has it already.");
        Issue::warning(code, column, name, message)
    } else {
        let message = format!("{column} \"{name}\" is inactive; give an active group.");
        Issue::error(code, column, name, message)
    }
}

/// An import never makes a protected user inactive (semantics §2).
fn protection(row: &Row, user: Option<&User>) -> Option<Issue> {
    let user = user.filter(|user| user.protected && user.status == Status::Active)?;
    (row.status()? == Status::Inactive).then(|| {
        let message = format!(
            "STATUS \"Inactive\" would deactivate user \"{}\", who is protected; \
             keep the user Active, or end the protection first.",
            user.external_id()
        );
        Issue::error(
            IssueCode::ProtectedUser,
            Column::Status,
            "Inactive",
            message,
        )
        .about_user(user.external_id())
    })
}
