//! Counts of an import's results. Knows nothing about how a row gets its outcome.

/// The number of rows with each outcome, and the number of unlisted users that were deactivated or protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// Rows that created a user.
    pub created: u32,
    /// Rows that changed a user.
    pub updated: u32,
    /// Rows whose user already has these values.
    pub unchanged: u32,
    /// Rows that were not applied.
    pub rejected: u32,
    /// Users deactivated because they are not listed.
    pub deactivated: u32,
    /// Users not listed who stay active because they are protected.
    pub protected_skipped: u32,
}

impl OutcomeCounts {
    /// Returns the number of rows that have an outcome.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.created + self.updated + self.unchanged + self.rejected
    }

    /// Returns all counts, in the order of the fields.
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
