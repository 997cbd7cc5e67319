//! A set of columns. Knows nothing about what they hold.

use super::Column;

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

    /// Returns the set without `column`.
    #[must_use]
    pub const fn without(mut self, column: Column) -> Self {
        self.remove(column);
        self
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

    /// Returns the number of columns.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Returns how many columns of the set come before `column`, or `None` if it is not in the set.
    #[must_use]
    pub const fn position(self, column: Column) -> Option<usize> {
        match self.contains(column) {
            true => Some((self.0 & ((1 << column as u16) - 1)).count_ones() as usize),
            false => None,
        }
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

    /// Returns the set as a number: bit `n` is set for the column of number `n`.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Returns the set that [`bits`](Self::bits) has written. Bits that are no column are left out.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & Self::ALL.0)
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
