//! The keys by which some users of a directory are looked up, and how much of a directory a snapshot has. Knows neither
//! the rows that ask nor the database that answers.

/// Keys of users. Each list has texts in the form in which the database compares them (see
/// [`Column::comparable`](super::Column)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserKeys {
    /// External IDs.
    pub external_ids: Vec<String>,
    /// Emails.
    pub emails: Vec<String>,
    /// Badge numbers.
    pub badge_numbers: Vec<String>,
    /// Usernames.
    pub usernames: Vec<String>,
    /// External IDs without leading zeros. Each stands for the users who have it with any number of zeros in front.
    pub bare_external_ids: Vec<String>,
    /// Badge numbers without leading zeros, in the same way.
    pub bare_badge_numbers: Vec<String>,
    /// External IDs in small ASCII letters. Each stands for one user who has it with capitals: the one with the least
    /// external ID.
    pub small_external_ids: Vec<String>,
    /// User IDs, in hexadecimal digits without hyphens.
    pub ids: Vec<String>,
}

impl UserKeys {
    /// All lists.
    fn lists(&mut self) -> [&mut Vec<String>; 8] {
        [
            &mut self.external_ids,
            &mut self.emails,
            &mut self.badge_numbers,
            &mut self.usernames,
            &mut self.bare_external_ids,
            &mut self.bare_badge_numbers,
            &mut self.small_external_ids,
            &mut self.ids,
        ]
    }

    /// Returns the same keys, each once, without those that no user can have: stored values have no control character
    /// (semantics §2).
    #[must_use]
    pub fn tidy(mut self) -> Self {
        for list in self.lists() {
            list.retain(|text| !text.contains(char::is_control));
            list.sort_unstable();
            list.dedup();
        }
        self
    }

    /// Returns `true` if there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The part of a directory that a snapshot has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotExtent {
    /// All users.
    Complete,
    /// Only the users that some rows can concern (semantics §14).
    Partial {
        /// Number of Active users of the whole directory, or as many of them as the guard asks for.
        active_users: u32,
    },
}
