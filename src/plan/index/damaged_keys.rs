//! Rows whose keys a program has damaged, as the field checks find them.

use hashbrown::HashSet;

use super::numbers::{RowIndex, UserIndex};

/// The rows with damaged keys, and the users that they probably mean.
#[derive(Debug, Default)]
pub(crate) struct DamagedKeyMatches {
    /// Rows whose external ID does not identify their user: a spreadsheet has changed it, or it belongs to nobody.
    pub(crate) ids: HashSet<RowIndex>,
    /// Pairs of a row and a user that it probably means by a key that was rejected here, in the order of the rows.
    pub(crate) meant: Vec<(RowIndex, UserIndex)>,
}

impl DamagedKeyMatches {
    /// Returns the users that `row` probably means.
    pub(crate) fn meant_by(&self, row: RowIndex) -> impl Iterator<Item = UserIndex> {
        let start = self.meant.partition_point(|&(other, _)| other < row);
        let of_row = self.meant[start..]
            .iter()
            .take_while(move |&&(other, _)| other == row);
        of_row.map(|&(_, user)| user)
    }
}
