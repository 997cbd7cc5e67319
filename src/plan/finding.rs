//! What judging finds, before it is put into words.

use hashbrown::HashMap;

use super::keys::Key;
use super::roster::Person;

/// One thing found about a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// An earlier row has the same key.
    Duplicate { key: Key, row: u32 },
    /// Somebody else has the key.
    Taken { key: Key, holder: Person },
    /// The key would be free, had `row` not been rejected.
    KeptByRejection { key: Key, row: u32 },
    /// Nobody has the supervisor's email.
    SupervisorNotFound,
    /// Somebody would have the supervisor's email, had `row` not been rejected.
    SupervisorRejected { row: u32 },
    /// The supervisor is the row's own user.
    SupervisorIsSelf,
    /// The supervisor closes a circle; `path` shows it as text.
    SupervisorCycle { path: String },
    /// The caller may not give the role.
    RoleNotGrantable,
    /// The caller may not change the user, who has a privileged role.
    UserNotChangeable,
    /// The caller may not make the user inactive.
    DeactivationNotPermitted,
    /// The supervisor is inactive (a warning).
    SupervisorInactive,
    /// Equal to what this user of the directory has, but for leading zeros (a warning).
    ZerosLost { key: Key, user: u32 },
}

/// All that was found, by row, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Findings(HashMap<u32, Vec<Finding>>);

impl Findings {
    pub(super) fn push(&mut self, row: u32, finding: Finding) {
        self.0.entry(row).or_default().push(finding);
    }

    /// The rows that something was found about, in order.
    pub(super) fn rows(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.0.keys().copied().collect();
        rows.sort_unstable();
        rows
    }

    /// What was found about `row`.
    pub(super) fn of(&self, row: u32) -> &[Finding] {
        self.0.get(&row).map_or(&[], Vec::as_slice)
    }
}
