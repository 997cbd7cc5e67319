//! The findings of the field checks and the rules about rows, in a few bytes each. Knows no sentences: the report puts
//! findings into words.

use super::choices::Named;
use crate::domain::Column;
use crate::plan::index::FinalUser;
use crate::plan::index::Key;
use crate::plan::index::{Links, index};

/// A person in four bytes. The row and user limits keep indices below 2^31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FinalUserId(u32);

impl From<FinalUser> for FinalUserId {
    fn from(person: FinalUser) -> Self {
        match person {
            FinalUser::User(user) => Self(user << 1),
            FinalUser::Row(row) => Self(row << 1 | 1),
        }
    }
}

impl From<FinalUserId> for FinalUser {
    fn from(FinalUserId(id): FinalUserId) -> Self {
        match id & 1 {
            0 => Self::User(id >> 1),
            _ => Self::Row(id >> 1),
        }
    }
}

/// One thing found about a row, in eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The catalog has no entry of this name; `near` is the index of the nearest name.
    Unknown { named: Named, near: Option<u16> },
    /// The group is inactive; `kept`: the user has it already (a warning).
    GroupInactive { kept: bool },
    /// The user is protected, and would become inactive.
    UserProtected,
    /// `row` has the same key; `kept`: its user has it already.
    Duplicate { key: Key, row: u32, kept: bool },
    /// `row` has the same values, and the same fate (a warning).
    Copy { row: u32 },
    /// Another user has the key: a user of the directory, or the user of another row, given by that row.
    Taken { key: Key, holder: FinalUserId },
    /// The key would be free if `row` had not been rejected.
    KeptByRejection { key: Key, row: u32 },
    /// No user has the supervisor's email.
    SupervisorNotFound,
    /// No user has the supervisor's email; the nearest email is that of this user, or the one in this row.
    SupervisorNear { email: FinalUserId },
    /// No user has the supervisor's email, since this row gives another email to the user who has it.
    SupervisorRenamed { row: u32 },
    /// No user has the supervisor's email, since this row was rejected.
    SupervisorRowRejected { row: u32 },
    /// A user would have the supervisor's email if `row` had not been rejected. It stands beside the plain finding
    /// (`DEPENDS_ON_REJECTED_ROW`).
    SupervisorRejected { row: u32 },
    /// The supervisor is the row's own user, which is read as none (a warning).
    SupervisorIsSelf,
    /// The supervisor closes a circle; `circle` is its number.
    SupervisorCycle { circle: u32 },
    /// The caller may not give the role.
    RoleNotGrantable,
    /// The caller may not change the user, who has a privileged role.
    UserNotChangeable,
    /// The caller may not make the user inactive.
    DeactivationNotPermitted,
    /// The supervisor is inactive (a warning).
    SupervisorInactive,
    /// The row changes so much of its user that it describes another person (a warning).
    IdentityReplaced,
    /// The key equals the key of this user of the directory except for leading zeros (a warning).
    ZerosLost { key: Key, user: u32 },
    /// The key equals the key that `row` gives except for leading zeros (a warning).
    ZerosDiffer { key: Key, row: u32 },
    /// The external ID matches no user, but equals that of this user in another case (a warning).
    IdInOtherCase { user: u32 },
    /// The key equals the key of this user of the directory except for an export artefact; `kept`: the row's user has
    /// the value already (a warning).
    Artifact { key: Key, user: u32, kept: bool },
    /// The phone number equals the user's except for an export artefact.
    PhoneArtifact,
    /// The value has an export artefact, and no user has the value without it (a warning).
    ArtifactNew { column: Column, kept: bool },
    /// The key does not match the organisation's pattern; `kept`: the row's user has it already (a warning).
    Format { key: Key, kept: bool },
    /// The badge number looks like a date, and no user has it (a warning).
    DateLike,
}

impl Finding {
    /// Returns the one of two findings about shared keys that names the lower row.
    pub(crate) const fn naming_the_lower(self, other: Self) -> Self {
        match (self, other) {
            (Self::Duplicate { row: one, .. }, Self::Duplicate { row, .. }) if row < one => other,
            _ => self,
        }
    }
}

/// The number of persons that a message shows of a circle of supervisors.
pub(crate) const SHOWN: usize = 4;

/// A circle of supervisors as messages show it: the persons on it, each as the user or the row that has the email, and
/// whether there are more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    pub(crate) shown: [Option<FinalUser>; SHOWN],
    pub(crate) has_more: bool,
}

/// All findings, by row, in the order in which they were found. Takes no memory if there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    rows: usize,
    /// By row: the first entry, and the last.
    first: Links,
    last: Links,
    entries: Vec<Entry>,
    circles: Vec<Circle>,
}

/// A finding, and the next entry of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    finding: Finding,
    next: Option<EntryId>,
}

/// The number of an entry, counted from 1.
type EntryId = std::num::NonZeroU32;

impl Findings {
    /// Returns an empty list of findings for this number of rows.
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    pub(crate) fn push(&mut self, row: u32, finding: Finding) {
        if self.entries.is_empty() {
            self.first = Links::none(self.rows);
            self.last = Links::none(self.rows);
        }
        let at = index(self.entries.len());
        self.entries.push(Entry {
            finding,
            next: None,
        });
        self.first.set_first(row, at);
        if let Some(last) = self.last.get(row) {
            self.entries[last as usize].next = EntryId::new(at + 1);
        }
        self.last.set(row, Some(at));
    }

    /// Keeps a circle of supervisors and returns its number.
    pub(crate) fn add_circle(&mut self, circle: Circle) -> u32 {
        self.circles.push(circle);
        index(self.circles.len() - 1)
    }

    /// Returns the circle of this number.
    pub(crate) fn circle(&self, number: u32) -> &Circle {
        &self.circles[number as usize]
    }

    /// Returns the findings about `row`.
    pub(crate) fn of(&self, row: u32) -> impl Iterator<Item = Finding> {
        self.entries_of(row)
            .map(|at| self.entries[at as usize].finding)
    }

    fn entries_of(&self, row: u32) -> impl Iterator<Item = u32> {
        let first = match self.entries.is_empty() {
            true => None,
            false => self.first.get(row),
        };
        std::iter::successors(first, |&at| {
            let next = self.entries[at as usize].next?;
            Some(next.get() - 1)
        })
    }

    /// Replaces each finding by the result of `change`, in the order of the rows.
    pub(crate) fn change(&mut self, mut change: impl FnMut(u32, Finding) -> Finding) {
        if self.entries.is_empty() {
            return;
        }
        for row in 0..index(self.rows) {
            let mut next = self.first.get(row);
            while let Some(at) = next {
                let entry = &mut self.entries[at as usize];
                entry.finding = change(row, entry.finding);
                next = entry.next.map(|next| next.get() - 1);
            }
        }
    }

    /// Frees the memory that was reserved for more findings.
    pub(crate) fn close(&mut self) {
        self.last = Links::default();
        self.entries.shrink_to_fit();
        self.circles.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_kept_in_order_by_row_and_takes_little() {
        let mut findings = Findings::new(3);
        assert_eq!(findings.of(2).count(), 0);
        findings.push(2, Finding::SupervisorIsSelf);
        findings.push(0, Finding::UserProtected);
        findings.push(2, Finding::RoleNotGrantable);
        let of = |row| findings.of(row).collect::<Vec<_>>();
        assert_eq!(
            of(2),
            [Finding::SupervisorIsSelf, Finding::RoleNotGrantable]
        );
        assert_eq!((of(0), of(1)), (vec![Finding::UserProtected], vec![]));
        assert_eq!(size_of::<Entry>(), 12);
    }

    #[test]
    fn a_person_comes_back_from_its_number() {
        for person in [
            FinalUser::User(0),
            FinalUser::Row(0),
            FinalUser::User(7),
            FinalUser::Row((1 << 31) - 1),
        ] {
            assert_eq!(FinalUser::from(FinalUserId::from(person)), person);
        }
    }

    #[test]
    fn findings_are_changed_in_the_order_of_the_rows() {
        let mut findings = Findings::new(2);
        findings.push(1, Finding::SupervisorNotFound);
        findings.push(0, Finding::UserProtected);
        findings.push(1, Finding::RoleNotGrantable);
        let mut seen = Vec::new();
        findings.change(|row, finding| {
            seen.push((row, finding));
            Finding::SupervisorIsSelf
        });
        findings.close();
        assert_eq!(
            seen,
            [
                (0, Finding::UserProtected),
                (1, Finding::SupervisorNotFound),
                (1, Finding::RoleNotGrantable)
            ]
        );
        assert!(
            findings
                .of(1)
                .all(|found| found == Finding::SupervisorIsSelf)
        );
    }
}
