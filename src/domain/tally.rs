//! Counts of an import's results.

/// How many rows had which outcome, and what became of users that are not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows that made a user.
    pub created: u32,
    /// Rows that changed a user.
    pub updated: u32,
    /// Rows whose user has these values already.
    pub unchanged: u32,
    /// Rows that were not applied.
    pub rejected: u32,
    /// Users deactivated because they are not listed.
    pub deactivated: u32,
    /// Users not listed who stay active because they are protected.
    pub protected_skipped: u32,
}

impl Tally {
    /// Rows that have an outcome.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.created + self.updated + self.unchanged + self.rejected
    }

    /// All counts, in the order of the fields.
    #[must_use]
    pub const fn counts(&self) -> [u32; 6] {
        [
            self.created,
            self.updated,
            self.unchanged,
            self.rejected,
            self.deactivated,
            self.protected_skipped,
        ]
    }

    /// Adds other counts to these.
    pub const fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.rejected += other.rejected;
        self.deactivated += other.deactivated;
        self.protected_skipped += other.protected_skipped;
    }
}
