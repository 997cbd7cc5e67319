//! What is decided for one row.

use crate::domain::{ColumnSet, GroupId, RankId, RoleId};
use crate::plan::judge::CheckMarks;

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

/// Who a user's supervisor is in the final state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Supervisor {
    /// Nobody.
    None,
    /// A user of the directory, by index in the snapshot.
    User(u32),
    /// The user that a row of this import creates, by index of the row.
    Row(u32),
}

/// The decision on one row. Which user it matched the directory knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What happens.
    pub outcome: Outcome,
    /// What the row changes; for a new user every attribute that gets a value. Empty where rejected
    /// or unchanged.
    pub changes: ColumnSet,
    /// Final role; meaningful for created and updated rows only, as all below.
    pub role: RoleId,
    /// Final rank.
    pub rank: Option<RankId>,
    /// Final group.
    pub group: Option<GroupId>,
    /// Final supervisor.
    pub supervisor: Supervisor,
    /// What the field checks found; [`Plan::issues`](crate::plan::Plan::issues) says it.
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
