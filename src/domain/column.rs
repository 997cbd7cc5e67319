//! The 13 columns of a roster, their names and their order. Knows nothing about values.

use std::fmt;

/// One column of a roster, in the template's order (semantics §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Column {
    /// Matches a user of the directory, exactly.
    ExternalId,
    /// Unique, compared without case.
    Email,
    /// Unique, compared exactly.
    BadgeNumber,
    /// Given name.
    FirstName,
    /// Family name.
    LastName,
    /// Active or Inactive.
    Status,
    /// Unique, compared without case.
    Username,
    /// Name of a configured role.
    Role,
    /// Email of the supervisor in the final state.
    SupervisorEmail,
    /// Reserved: accepted, not stored.
    Location,
    /// Name of a configured rank.
    Rank,
    /// External ID of an active group.
    EvidenceGroupExtId,
    /// Phone number with country code.
    Phone,
}

impl Column {
    /// Number of columns.
    pub const COUNT: usize = 13;

    /// All columns, in the template's order; `ALL[c as usize] == c`.
    pub const ALL: [Self; Self::COUNT] = [
        Self::ExternalId,
        Self::Email,
        Self::BadgeNumber,
        Self::FirstName,
        Self::LastName,
        Self::Status,
        Self::Username,
        Self::Role,
        Self::SupervisorEmail,
        Self::Location,
        Self::Rank,
        Self::EvidenceGroupExtId,
        Self::Phone,
    ];

    /// Returns the name in a CSV header. Messages use it for typed rows too.
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self {
            Self::ExternalId => "EXTERNAL_ID",
            Self::Email => "EMAIL",
            Self::BadgeNumber => "BADGE_NUMBER",
            Self::FirstName => "FIRST_NAME",
            Self::LastName => "LAST_NAME",
            Self::Status => "STATUS",
            Self::Username => "USERNAME",
            Self::Role => "ROLE",
            Self::SupervisorEmail => "SUPERVISOR_EMAIL",
            Self::Location => "LOCATION",
            Self::Rank => "RANK",
            Self::EvidenceGroupExtId => "EVIDENCE_GROUP_EXT_ID",
            Self::Phone => "PHONE",
        }
    }

    /// Returns `true` for the columns that every file must have and every row must fill.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(
            self,
            Self::Email
                | Self::BadgeNumber
                | Self::FirstName
                | Self::LastName
                | Self::Status
                | Self::Username
                | Self::Role
        )
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header())
    }
}

/// A set of columns in two bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ColumnSet(u16);

impl ColumnSet {
    /// No column.
    pub const EMPTY: Self = Self(0);

    /// All columns.
    pub const ALL: Self = Self::of(&Column::ALL);

    /// Returns a set of these columns.
    #[must_use]
    pub const fn of(columns: &[Column]) -> Self {
        let (mut set, mut next) = (Self::EMPTY, 0);
        while next < columns.len() {
            set.insert(columns[next]);
            next += 1;
        }
        set
    }

    /// Adds `column`.
    pub const fn insert(&mut self, column: Column) {
        self.0 |= 1 << column as u16;
    }

    /// Removes `column`.
    pub const fn remove(&mut self, column: Column) {
        self.0 &= !(1 << column as u16);
    }

    /// Returns `true` if `column` is in the set.
    #[must_use]
    pub const fn contains(self, column: Column) -> bool {
        self.0 & (1 << column as u16) != 0
    }

    /// Returns `true` if the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the columns that are in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns `true` if at least one column is in both sets.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns the columns of the set, in the template's order.
    pub fn iter(self) -> impl Iterator<Item = Column> {
        Column::ALL.into_iter().filter(move |&c| self.contains(c))
    }
}

impl FromIterator<Column> for ColumnSet {
    fn from_iter<I: IntoIterator<Item = Column>>(columns: I) -> Self {
        let mut set = Self::EMPTY;
        columns.into_iter().for_each(|c| set.insert(c));
        set
    }
}
