//! Finds the users that the roster does not list, and the rows whose user cannot be identified (semantics §7). Knows
//! the field checks, not the judgement: a rejected row still lists its user.

use crate::domain::{Column, ColumnSet, Status, User};
use crate::plan::MissingUsersScope;
use crate::plan::index::{
    ByRow, ByUser, IndexVec, Key, RosterIndex, RowIndex, UserIndex, ZeroPaddedKeys, held, to_u32,
};
use crate::plan::judge::PrivilegedRoles;

/// The result of `deactivate_missing`. Empty if the request does not ask for it.
#[derive(Debug, Default)]
pub(crate) struct MissingUsers {
    /// Users to deactivate, in order of external ID.
    pub(crate) deactivations: Vec<UserIndex>,
    /// Number of missing users who stay active because they are protected.
    pub(crate) protected_skipped: u32,
    /// Missing users that the caller may not deactivate, in order of external ID.
    pub(crate) privileged_skipped: Vec<UserIndex>,
    /// Numbers of the rows whose user cannot be identified.
    pub(crate) unidentifiable_rows: Vec<u32>,
}

/// Finds the missing users if the request asks for it.
pub(crate) fn find_missing(
    roster: &RosterIndex<'_>,
    unsound: &ByRow<ColumnSet>,
    alike: &ZeroPaddedMatches,
) -> MissingUsers {
    let Some(scope) = &roster.request.terms.scope else {
        return MissingUsers::default();
    };
    let listing = ListedUsers { roster, alike };
    let listed = listing.listed();
    let user = |user: UserIndex| &roster.users[user];
    let missing = roster.users.indices().filter(|&missing| {
        let user = user(missing);
        !listed[missing] && user.status == Status::Active && scope.includes(user)
    });
    let (protected, mut missing): (Vec<_>, Vec<_>) =
        missing.partition(|&missing| user(missing).protected);
    missing.sort_unstable_by_key(|&missing| user(missing).external_id());
    let untouchable = PrivilegedRoles::new(roster.request);
    let is_untouchable = |&missing: &UserIndex| untouchable.has(user(missing).role);
    let (privileged_skipped, deactivations) = missing.into_iter().partition(is_untouchable);
    let unidentifiable_rows = roster.rows.enumerate();
    let unidentifiable_rows = unidentifiable_rows
        .filter(|&(row, _)| listing.is_unidentifiable(row, unsound[row]))
        .map(|(_, data)| data.number);
    MissingUsers {
        deactivations,
        protected_skipped: to_u32(protected.len()),
        privileged_skipped,
        unidentifiable_rows: unidentifiable_rows.collect(),
    }
}

impl MissingUsersScope {
    fn includes(&self, user: &User) -> bool {
        let has_group = || user.group.is_some_and(|group| self.groups.contains(&group));
        (self.roles.is_empty() || self.roles.contains(&user.role))
            && (self.groups.is_empty() || has_group())
    }
}

/// The keys that are compared without leading zeros.
pub(crate) struct ZeroPaddedMatches {
    pub(crate) external_ids: ZeroPaddedKeys,
    pub(crate) badge_numbers: ZeroPaddedKeys,
}

impl ZeroPaddedMatches {
    /// If missing users are deactivated, compares the external ID of every row: a row that matches one user also lists
    /// the users whose external ID differs by leading zeros alone.
    pub(crate) fn new(roster: &RosterIndex<'_>) -> Self {
        let listing = roster.request.terms.scope.is_some();
        let is_loose =
            |row: RowIndex| roster.user(row).map(held) != roster.wanted(Key::ExternalId, row);
        let takes_badge = |row: RowIndex| {
            let own = roster.user(row).map(held);
            own.is_none() || own != roster.wanted(Key::BadgeNumber, row)
        };
        Self {
            external_ids: ZeroPaddedKeys::new(roster, Key::ExternalId, |row| {
                listing || is_loose(row)
            }),
            badge_numbers: ZeroPaddedKeys::new(roster, Key::BadgeNumber, takes_badge),
        }
    }
}

/// The users that rows list.
struct ListedUsers<'a> {
    roster: &'a RosterIndex<'a>,
    alike: &'a ZeroPaddedMatches,
}

impl ListedUsers<'_> {
    /// Returns, by user, whether some row lists it.
    fn listed(&self) -> ByUser<bool> {
        let mut listed = ByUser::repeat(false, self.roster.users.len());
        let rows = || self.roster.rows.indices();
        let found = rows().flat_map(|row| self.holders(row).chain(self.roster.user(row)));
        let meant = self.roster.mistaken().meant.iter().map(|&(_, user)| user);
        let others = rows().filter_map(|row| self.other_user(row));
        found
            .chain(meant)
            .chain(others)
            .for_each(|user| listed[user] = true);
        let loose = rows().filter(|&row| self.roster.user(row).is_none());
        mark_alike(&self.alike.external_ids, rows(), &mut listed);
        mark_alike(&self.alike.badge_numbers, loose, &mut listed);
        listed
    }

    /// Returns the holders of the email, badge number and username of `row`.
    fn key_holders(&self, row: RowIndex) -> [Option<UserIndex>; 3] {
        Key::MOVABLE.map(|key| self.roster.holder(self.roster.wanted(key, row)?))
    }

    /// Returns the users who have an email, badge number or username of `row`. Returns none if the row matched a user.
    fn holders(&self, row: RowIndex) -> impl Iterator<Item = UserIndex> {
        let is_unmatched = self.roster.user(row).is_none();
        let holders = is_unmatched.then(|| self.key_holders(row));
        holders.into_iter().flatten().flatten()
    }

    /// Returns the user who has at least two of the email, badge number and username of `row`, although the row matched
    /// another user: the row's external ID is likely to be wrong, and must not deactivate that user.
    fn other_user(&self, row: RowIndex) -> Option<UserIndex> {
        let own = self.roster.user(row)?;
        let [email, badge_number, username] = self.key_holders(row);
        let user = match email == badge_number || email == username {
            true => email,
            false => badge_number.filter(|_| badge_number == username),
        };
        user.filter(|&user| user != own)
    }

    /// Returns `true` if the user of `row` cannot be identified.
    fn is_unidentifiable(&self, row: RowIndex, unsound: ColumnSet) -> bool {
        let data = &self.roster.rows[row];
        if data.is_misfit() {
            return !data.is_foreign();
        }
        let failed = Key::MOVABLE.map(|key| unsound.contains(key.column()));
        let failed = failed.into_iter().filter(|&failed| failed).count();
        let id = data.value(Column::ExternalId).unwrap_or_default();
        let doubtful =
            unsound.contains(Column::ExternalId) || failed >= if id.is_empty() { 1 } else { 2 };
        self.is_shifted(row, unsound) || doubtful && !self.matches(row, unsound)
    }

    /// Returns `true` if the values of `row` seem to stand in wrong columns: its email cannot be an email, its status
    /// cannot be a status, and nobody has any of its keys except the external ID, which may be a part of another value.
    fn is_shifted(&self, row: RowIndex, unsound: ColumnSet) -> bool {
        let status_failed = self.roster.rows[row].is_unsound(Column::Status);
        let failed = unsound.contains(Column::Email) && status_failed;
        failed && self.key_holders(row) == [None; 3]
    }

    /// Returns `true` if a sound key of `row` matches a user. Leading zeros and export artefacts are ignored.
    fn matches(&self, row: RowIndex, unsound: ColumnSet) -> bool {
        (self.roster.user(row).is_some() && !unsound.contains(Column::ExternalId))
            || self.holders(row).next().is_some()
            || self.roster.mistaken().meant_by(row).next().is_some()
            || !self.alike.external_ids.alike(row).is_empty()
            || !self.alike.badge_numbers.alike(row).is_empty()
    }
}

/// Lists the users whose key equals a key of one of `rows` except for leading zeros. Each class of equal keys is listed
/// once, so that the cost is no more than the sum of rows and users.
fn mark_alike(
    zeros: &ZeroPaddedKeys,
    rows: impl Iterator<Item = RowIndex>,
    listed: &mut ByUser<bool>,
) {
    let mut marked = IndexVec::repeat(false, zeros.len());
    for class in rows.filter_map(|row| zeros.class_of(row)) {
        if !std::mem::replace(&mut marked[class], true) {
            let members = zeros.members(class).iter();
            members.for_each(|&user| listed[user] = true);
        }
    }
}
