//! The findings of the field checks and the rules about rows, in a few bytes each. Knows no sentences: the report puts
//! findings into words.

use super::catalog_choices::CatalogKind;
use crate::domain::Column;
use crate::plan::index::{
    ByRow, DenseIndex, FinalUser, IndexVec, Key, RowIndex, UserIndex, number,
};

number! {
    /// A person in four bytes. The row and user limits keep positions far below 2^31.
    pub(crate) FinalUserId
}

impl From<FinalUser> for FinalUserId {
    fn from(person: FinalUser) -> Self {
        Self::new(match person {
            FinalUser::User(user) => user.position() << 1,
            FinalUser::Row(row) => row.position() << 1 | 1,
        })
    }
}

impl From<FinalUserId> for FinalUser {
    fn from(id: FinalUserId) -> Self {
        let position = id.position() >> 1;
        match id.position() & 1 {
            0 => Self::User(UserIndex::new(position)),
            _ => Self::Row(RowIndex::new(position)),
        }
    }
}

number! {
    /// The number of a circle of supervisors.
    pub(crate) CircleId
}

number! {
    /// The number of an entry of the findings.
    EntryId
}

/// One thing found about a row, in eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The catalog has no entry of this name; `near` is the index of the nearest name.
    Unknown {
        named: CatalogKind,
        near: Option<u16>,
    },
    /// The group is inactive; `kept`: the user has it already (a warning).
    GroupInactive { kept: bool },
    /// The user is protected, and would become inactive.
    UserProtected,
    /// `row` has the same key; `kept`: its user has it already.
    Duplicate { key: Key, row: RowIndex, kept: bool },
    /// `row` has the same values, and the same fate (a warning).
    Copy { row: RowIndex },
    /// Another user has the key: a user of the directory, or the user of another row, given by that row.
    Taken { key: Key, holder: FinalUserId },
    /// The key would be free if `row` had not been rejected.
    KeptByRejection { key: Key, row: RowIndex },
    /// No user has the supervisor's email.
    SupervisorNotFound,
    /// No user has the supervisor's email; the nearest email is that of this user, or the one in this row.
    SupervisorNear { email: FinalUserId },
    /// No user has the supervisor's email, since this row gives another email to the user who has it.
    SupervisorRenamed { row: RowIndex },
    /// No user has the supervisor's email, since this row was rejected.
    SupervisorRowRejected { row: RowIndex },
    /// A user would have the supervisor's email if `row` had not been rejected. It stands beside the plain finding
    /// (`DEPENDS_ON_REJECTED_ROW`).
    SupervisorRejected { row: RowIndex },
    /// No user has the supervisor's email, and the cell names the row's own user by another value.
    SupervisorNamesSelf,
    /// The supervisor is the row's own user, which is read as none (a warning).
    SupervisorIsSelf,
    /// The supervisor closes a circle; `circle` is its number.
    SupervisorCycle { circle: CircleId },
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
    ZerosLost { key: Key, user: UserIndex },
    /// The key equals the key that `row` gives except for leading zeros (a warning).
    ZerosDiffer { key: Key, row: RowIndex },
    /// The external ID matches no user, but equals that of this user in another case (a warning).
    IdInOtherCase { user: UserIndex },
    /// The key equals the key of this user of the directory except for an export artefact; `kept`: the row's user has
    /// the value already (a warning).
    Artifact {
        key: Key,
        user: UserIndex,
        kept: bool,
    },
    /// The key equals the key that `row` gives except for typographic characters.
    ArtifactOfRow { key: Key, row: RowIndex },
    /// The key equals the key of this user of the directory, who is not the row's, except for typographic characters.
    ArtifactOfUser { key: Key, user: UserIndex },
    /// The name equals the name of the row's user except for marks that stand for lost letters.
    LetterLost { column: Column },
    /// The name is new and contains `?` (a warning).
    QuestionMark { column: Column },
    /// The phone number equals the user's except for an export artefact.
    PhoneArtifact,
    /// The value has an export artefact, and no user has the value without it (a warning).
    ArtifactNew { column: Column, kept: bool },
    /// The key does not match the organisation's pattern; `kept`: the row's user has it already (a warning).
    Format { key: Key, kept: bool },
    /// The badge number looks like a date, and no user has it (a warning).
    DateLike,
    /// The user no longer has the value in `column` that the undone import left there.
    EditedSince { column: Column },
}

impl Finding {
    /// Returns the one of two findings about shared keys that names the lower row.
    pub(crate) fn naming_the_lower(self, other: Self) -> Self {
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
pub(crate) struct SupervisorCircle {
    pub(crate) shown: [Option<FinalUser>; SHOWN],
    pub(crate) has_more: bool,
}

/// All findings, by row, in the order in which they were found. Takes no memory if there are none.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    rows: usize,
    /// The first entry of each row, and the last.
    first: ByRow<Option<EntryId>>,
    last: ByRow<Option<EntryId>>,
    entries: IndexVec<EntryId, FindingEntry>,
    circles: IndexVec<CircleId, SupervisorCircle>,
}

/// A finding, and the next entry of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FindingEntry {
    finding: Finding,
    next: Option<EntryId>,
}

impl Findings {
    /// Returns an empty list of findings for this number of rows.
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    pub(crate) fn push(&mut self, row: RowIndex, finding: Finding) {
        if self.entries.is_empty() {
            self.first = ByRow::repeat(None, self.rows);
            self.last = ByRow::repeat(None, self.rows);
        }
        let entry = self.entries.push(FindingEntry {
            finding,
            next: None,
        });
        self.first[row].get_or_insert(entry);
        if let Some(last) = self.last[row].replace(entry) {
            self.entries[last].next = Some(entry);
        }
    }

    /// Keeps a circle of supervisors and returns its number.
    pub(crate) fn add_circle(&mut self, circle: SupervisorCircle) -> CircleId {
        self.circles.push(circle)
    }

    /// Returns the circle of this number.
    pub(crate) fn circle(&self, number: CircleId) -> &SupervisorCircle {
        &self.circles[number]
    }

    /// Returns the findings about `row`.
    pub(crate) fn of(&self, row: RowIndex) -> impl Iterator<Item = Finding> {
        let first = self.first.find(row);
        let entries = std::iter::successors(first, |&entry| self.entries[entry].next);
        entries.map(|entry| self.entries[entry].finding)
    }

    /// Replaces each finding by the result of `change`, in the order of the rows.
    pub(crate) fn change(&mut self, mut change: impl FnMut(RowIndex, Finding) -> Finding) {
        for (row, &first) in self.first.enumerate() {
            let mut next = first;
            while let Some(entry) = next {
                let entry = &mut self.entries[entry];
                entry.finding = change(row, entry.finding);
                next = entry.next;
            }
        }
    }

    /// Frees the memory that was reserved for more findings.
    pub(crate) fn close(&mut self) {
        self.last = ByRow::default();
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
        let [a, b, c] = [0, 1, 2].map(RowIndex::new);
        assert_eq!(findings.of(c).count(), 0);
        findings.push(c, Finding::SupervisorIsSelf);
        findings.push(a, Finding::UserProtected);
        findings.push(c, Finding::RoleNotGrantable);
        let of = |row| findings.of(row).collect::<Vec<_>>();
        assert_eq!(
            of(c),
            [Finding::SupervisorIsSelf, Finding::RoleNotGrantable]
        );
        assert_eq!((of(a), of(b)), (vec![Finding::UserProtected], vec![]));
        assert_eq!(size_of::<FindingEntry>(), 12);
    }

    #[test]
    fn a_person_comes_back_from_its_number() {
        for person in [
            FinalUser::User(UserIndex::new(0)),
            FinalUser::Row(RowIndex::new(0)),
            FinalUser::User(UserIndex::new(7)),
            FinalUser::Row(RowIndex::new((1 << 31) - 2)),
        ] {
            assert_eq!(FinalUser::from(FinalUserId::from(person)), person);
        }
    }

    #[test]
    fn findings_are_changed_in_the_order_of_the_rows() {
        let mut findings = Findings::new(2);
        let [a, b] = [0, 1].map(RowIndex::new);
        findings.push(b, Finding::SupervisorNotFound);
        findings.push(a, Finding::UserProtected);
        findings.push(b, Finding::RoleNotGrantable);
        let mut seen = Vec::new();
        findings.change(|row, finding| {
            seen.push((row, finding));
            Finding::SupervisorIsSelf
        });
        findings.close();
        assert_eq!(
            seen,
            [
                (a, Finding::UserProtected),
                (b, Finding::SupervisorNotFound),
                (b, Finding::RoleNotGrantable)
            ]
        );
        assert!(
            findings
                .of(b)
                .all(|found| found == Finding::SupervisorIsSelf)
        );
    }
}
