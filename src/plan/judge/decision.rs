//! The decision on one row: its outcome and its changes. Knows neither the row nor its user.

use super::field_checks::CheckMarks;
use crate::domain::{ColumnSet, GroupId, RankId, RoleId};
use crate::plan::index::FinalUser;

/// What happens to a row's user (semantics §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A new user.
    Created,
    /// A user of the directory, changed.
    Updated,
    /// A user of the directory who has all these values already.
    Unchanged,
    /// Not applied, not even in part.
    Rejected,
}

/// The decision on one row. The snapshot has the user that the row matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The effect on the row's user.
    pub outcome: Outcome,
    /// The columns that the row changes. For a new user, every attribute that gets a value. Empty if the row is
    /// rejected or unchanged.
    pub changes: ColumnSet,
    /// Final role. This field and those below are meaningful only if the row is created or updated.
    pub role: RoleId,
    /// Final rank.
    pub rank: Option<RankId>,
    /// Final group.
    pub group: Option<GroupId>,
    /// Final supervisor.
    pub supervisor: Option<FinalUser>,
    /// The findings of the field checks. [`Plan::issues`](crate::plan::Plan::issues) puts them into words.
    pub(crate) marks: CheckMarks,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_takes_no_more_than_it_has_to() {
        assert_eq!(size_of::<Decision>(), 24);
    }
}
