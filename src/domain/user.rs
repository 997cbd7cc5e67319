//! A user of the directory, as a snapshot holds it. Knows nothing about the database and about plans.

use std::sync::Arc;

use uuid::Uuid;

use super::user_texts::{self, UserTexts};
use super::{Column, ColumnSet, GroupId, PackedTexts, RankId, RoleId, Row, TextPacker};

/// The status of a user: whether the user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// The user may sign in.
    Active,
    /// The user is kept, but locked out.
    Inactive,
}

impl Status {
    /// Returns the value that a roster uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }

    /// Reads the value that a roster uses, in any case.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        [Self::Active, Self::Inactive]
            .into_iter()
            .find(|status| value.eq_ignore_ascii_case(status.as_str()))
    }
}

/// A user of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Active or inactive.
    pub status: Status,
    /// An import never makes this user inactive.
    pub protected: bool,
    /// Number of the role in the catalog.
    pub role: RoleId,
    /// Number of the rank in the catalog.
    pub rank: Option<RankId>,
    /// Number of the group in the catalog.
    pub group: Option<GroupId>,
    /// User ID of the supervisor.
    pub supervisor: Option<Uuid>,
    pub(super) texts: UserTexts,
}

impl User {
    /// Returns an active user without supervisor, rank and group, with the `text` of each column that users have as
    /// text; `""` if there is none.
    #[must_use]
    pub fn new<'a>(id: Uuid, role: RoleId, text: impl Fn(Column) -> &'a str) -> Self {
        let texts = Arc::new(PackedTexts::of(user_texts::of_each(text)));
        Self {
            texts: UserTexts::Own { texts, at: 0 },
            ..Self::without_text(id, role)
        }
    }

    fn without_text(id: Uuid, role: RoleId) -> Self {
        Self {
            id,
            status: Status::Active,
            protected: false,
            role,
            rank: None,
            group: None,
            supervisor: None,
            texts: UserTexts::default(),
        }
    }

    /// Returns the external ID: unique, compared exactly.
    #[must_use]
    pub fn external_id(&self) -> &str {
        self.texts.get(Column::ExternalId)
    }

    /// Returns the email: unique, compared without case.
    #[must_use]
    pub fn email(&self) -> &str {
        self.texts.get(Column::Email)
    }

    /// Returns the badge number: unique, compared exactly.
    #[must_use]
    pub fn badge_number(&self) -> &str {
        self.texts.get(Column::BadgeNumber)
    }

    /// Returns the given name.
    #[must_use]
    pub fn first_name(&self) -> &str {
        self.texts.get(Column::FirstName)
    }

    /// Returns the family name.
    #[must_use]
    pub fn last_name(&self) -> &str {
        self.texts.get(Column::LastName)
    }

    /// Returns the username: unique, compared without case.
    #[must_use]
    pub fn username(&self) -> &str {
        self.texts.get(Column::Username)
    }

    /// Returns the phone number in E.164; empty if there is none.
    #[must_use]
    pub fn phone(&self) -> &str {
        self.texts.get(Column::Phone)
    }

    /// Returns the value as the roster writes it, `""` if there is none, or `None` if the column refers to something
    /// else (role, supervisor, rank, group) or is not stored (LOCATION).
    #[must_use]
    pub fn value(&self, column: Column) -> Option<&str> {
        match column {
            Column::Status => Some(self.status.as_str()),
            _ => Column::TEXTS
                .contains(column)
                .then(|| self.texts.get(column)),
        }
    }

    /// Returns the text columns in which the user differs from `row`. An absent value is the same as a blank one here.
    #[must_use]
    pub fn apart_from(&self, row: &Row) -> ColumnSet {
        self.texts.apart_from(row)
    }

    /// Lets each of some hundred `users` share equal texts with its row in `rows`. This changes only how much memory
    /// the users take. A user without a row keeps its own texts.
    pub fn share<'a>(users: &'a mut [Self], rows: impl Iterator<Item = Option<&'a Row>>) {
        let texts = users.iter_mut().map(|user| &mut user.texts);
        user_texts::share(texts.zip(rows));
    }
}

/// Makes users whose texts share allocations.
#[derive(Debug)]
pub(crate) struct UserPacker {
    users: Vec<User>,
    /// Texts of the last users, not packed yet.
    texts: TextPacker<{ Column::TEXTS.len() }>,
    /// Bytes of text that the next allocation will hold.
    most: usize,
}

impl Default for UserPacker {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            texts: TextPacker::default(),
            most: Self::FEW,
        }
    }
}

impl UserPacker {
    /// Bytes of text in the first allocation. This is enough for most organisations.
    const FEW: usize = 1 << 20;
    /// Bytes of text in each later allocation. The allocator keeps an allocation of this size apart from all others,
    /// so it returns the memory to the system as soon as the users share their texts with rows.
    const MANY: usize = 40 << 20;

    /// Adds a user as [`User::new`] makes one, with the texts of [`Column::TEXTS`]. They can be read only after all
    /// users have been added.
    pub(crate) fn push(
        &mut self,
        id: Uuid,
        role: RoleId,
        texts: [&str; Column::TEXTS.len()],
    ) -> &mut User {
        if self.texts.bytes() >= self.most {
            self.pack();
            self.texts = TextPacker::with_room(0, Self::MANY + usize::from(u16::MAX));
            self.most = Self::MANY;
        }
        self.texts.push(texts);
        let user = self.users.len();
        self.users.push(User::without_text(id, role));
        &mut self.users[user]
    }

    /// Returns the users, in the order in which they were added.
    #[must_use]
    pub(crate) fn finish(mut self) -> Vec<User> {
        self.pack();
        self.users
    }

    fn pack(&mut self) {
        let first = self.users.len() - self.texts.groups();
        let texts = Arc::new(std::mem::take(&mut self.texts).finish());
        for (user, at) in self.users[first..].iter_mut().zip(0..) {
            let texts = Arc::clone(&texts);
            user.texts = UserTexts::Own { texts, at };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_takes_no_more_than_it_has_to() {
        assert_eq!(size_of::<User>(), 64);
    }

    #[test]
    fn users_of_any_number_have_the_texts_they_were_added_with() {
        let name = |n: u128| format!("{n}{}", "x".repeat(200));
        let mut packer = UserPacker::default();
        // This is more text than the first allocation holds.
        for n in 0..12_000 {
            let email = name(n);
            let texts = user_texts::of_each(|column| match column {
                Column::Email => &email,
                _ => "",
            });
            packer.push(Uuid::from_u128(n), RoleId(1), texts);
        }
        let users = packer.finish();
        assert_eq!(users.len(), 12_000);
        for (user, n) in users.iter().zip(0..) {
            assert_eq!((user.id, user.email()), (Uuid::from_u128(n), &*name(n)));
            assert_eq!(user.phone(), "");
        }
    }
}
