//! A user of the directory, as a snapshot holds it. Knows nothing about the database and about plans.

use std::sync::Arc;

use uuid::Uuid;

use super::user_texts::{self, UserTexts};
use super::{ColumnSet, GroupId, PackedTexts, Packer, RankId, RoleId, Row};

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

/// The text attributes from which a [`User`] is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserText<'a> {
    /// Unique, compared exactly.
    pub external_id: &'a str,
    /// Unique, compared without case.
    pub email: &'a str,
    /// Unique, compared exactly.
    pub badge_number: &'a str,
    /// Given name.
    pub first_name: &'a str,
    /// Family name.
    pub last_name: &'a str,
    /// Unique, compared without case.
    pub username: &'a str,
    /// In E.164; empty if there is none.
    pub phone: &'a str,
}

impl<'a> UserText<'a> {
    const fn parts(self) -> [&'a str; user_texts::COUNT] {
        [
            self.external_id,
            self.email,
            self.badge_number,
            self.first_name,
            self.last_name,
            self.username,
            self.phone,
        ]
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
    /// Returns an active user with `text`, without supervisor, rank and group.
    #[must_use]
    pub fn new(id: Uuid, role: RoleId, text: UserText<'_>) -> Self {
        let texts = Arc::new(PackedTexts::of(text.parts()));
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
        self.texts.get(0)
    }

    /// Returns the email: unique, compared without case.
    #[must_use]
    pub fn email(&self) -> &str {
        self.texts.get(1)
    }

    /// Returns the badge number: unique, compared exactly.
    #[must_use]
    pub fn badge_number(&self) -> &str {
        self.texts.get(2)
    }

    /// Returns the given name.
    #[must_use]
    pub fn first_name(&self) -> &str {
        self.texts.get(3)
    }

    /// Returns the family name.
    #[must_use]
    pub fn last_name(&self) -> &str {
        self.texts.get(4)
    }

    /// Returns the username: unique, compared without case.
    #[must_use]
    pub fn username(&self) -> &str {
        self.texts.get(5)
    }

    /// Returns the phone number in E.164; empty if there is none.
    #[must_use]
    pub fn phone(&self) -> &str {
        self.texts.get(6)
    }

    /// Returns the text columns in which the user differs from `row`. An absent value is the same as a blank one here.
    #[must_use]
    pub fn apart_from(&self, row: &Row) -> ColumnSet {
        self.texts.apart_from(row)
    }

    /// Returns the same users, with their texts in memory in the order of the users.
    #[must_use]
    pub fn gathered(users: &[Self]) -> Vec<Self> {
        let mut gathered = UserPacker::default();
        for user in users {
            let &Self {
                id,
                status,
                protected,
                role,
                rank,
                group,
                supervisor,
                texts: _,
            } = user;
            let copy = gathered.add(id, role, user.texts.all());
            (copy.status, copy.protected) = (status, protected);
            (copy.rank, copy.group, copy.supervisor) = (rank, group, supervisor);
        }
        gathered.finish()
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
    texts: Packer<{ user_texts::COUNT }>,
    /// Bytes of text that the next allocation will hold.
    most: usize,
}

impl Default for UserPacker {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            texts: Packer::default(),
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

    /// Adds a user as [`User::new`] makes one. The texts can be read only after all users have been added.
    pub(crate) fn push(&mut self, id: Uuid, role: RoleId, text: UserText<'_>) -> &mut User {
        self.add(id, role, text.parts())
    }

    /// Adds a user whose texts are in the order of [`UserText`].
    pub(super) fn add(
        &mut self,
        id: Uuid,
        role: RoleId,
        texts: [&str; user_texts::COUNT],
    ) -> &mut User {
        if self.texts.bytes() >= self.most {
            self.pack();
            self.texts = Packer::with_room(0, Self::MANY + usize::from(u16::MAX));
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
            let text = UserText {
                email: &name(n),
                ..UserText::default()
            };
            packer.push(Uuid::from_u128(n), RoleId(1), text);
        }
        let users = packer.finish();
        assert_eq!(users.len(), 12_000);
        let mut backwards: Vec<_> = users.iter().rev().cloned().collect();
        for (user, n) in backwards.iter_mut().zip(1..) {
            user.status = [Status::Active, Status::Inactive][n % 2];
            user.protected = n % 3 == 0;
            user.rank = RankId::new(i32::try_from(n).unwrap());
            user.group = GroupId::new(i32::try_from(n + 1).unwrap());
            user.supervisor = (n % 5 > 0).then(|| Uuid::from_u128(n as u128));
        }
        assert_eq!(User::gathered(&backwards), backwards);
        for (user, n) in users.iter().zip(0..) {
            assert_eq!((user.id, user.email()), (Uuid::from_u128(n), &*name(n)));
            assert_eq!(user.phone(), "");
        }
    }
}
