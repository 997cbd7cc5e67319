//! A user of the directory, as a snapshot holds it.

use std::sync::Arc;

use uuid::Uuid;

use super::user_texts::{self, UserTexts};
use super::{ColumnSet, GroupId, PackedTexts, Packer, RankId, RoleId, Row};

/// Whether a user may work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// May sign in.
    Active,
    /// Kept, but locked out.
    Inactive,
}

impl Status {
    /// The value in a roster.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }

    /// Reads the value of a roster, in any case.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        [Self::Active, Self::Inactive]
            .into_iter()
            .find(|status| value.eq_ignore_ascii_case(status.as_str()))
    }
}

/// The text attributes of a user, to make a [`User`] from.
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
    /// E.164; empty: none.
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
    /// Role, by its number in the catalog.
    pub role: RoleId,
    /// Rank, by its number in the catalog.
    pub rank: Option<RankId>,
    /// Group, by its number in the catalog.
    pub group: Option<GroupId>,
    /// Supervisor, by user ID.
    pub supervisor: Option<Uuid>,
    pub(super) texts: UserTexts,
}

impl User {
    /// A user with `text`, active, without supervisor, rank and group.
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

    /// Unique, compared exactly.
    #[must_use]
    pub fn external_id(&self) -> &str {
        self.texts.get(0)
    }

    /// Unique, compared without case.
    #[must_use]
    pub fn email(&self) -> &str {
        self.texts.get(1)
    }

    /// Unique, compared exactly.
    #[must_use]
    pub fn badge_number(&self) -> &str {
        self.texts.get(2)
    }

    /// Given name.
    #[must_use]
    pub fn first_name(&self) -> &str {
        self.texts.get(3)
    }

    /// Family name.
    #[must_use]
    pub fn last_name(&self) -> &str {
        self.texts.get(4)
    }

    /// Unique, compared without case.
    #[must_use]
    pub fn username(&self) -> &str {
        self.texts.get(5)
    }

    /// E.164; empty: none.
    #[must_use]
    pub fn phone(&self) -> &str {
        self.texts.get(6)
    }

    /// The columns of its texts in which the user is not as `row` says; absent is the same as blank here.
    #[must_use]
    pub fn apart_from(&self, row: &Row) -> ColumnSet {
        self.texts.apart_from(row)
    }

    /// The same users, whose texts lie in memory in their order.
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

    /// Lets each of some hundred `users` share its texts with its row, of those in `rows`, as far as they
    /// are the same: nothing is different but how much memory they take. A user without a row keeps
    /// its texts.
    pub fn share<'a>(users: &'a mut [Self], rows: impl Iterator<Item = Option<&'a Row>>) {
        let texts = users.iter_mut().map(|user| &mut user.texts);
        user_texts::share(texts.zip(rows));
    }
}

/// Makes users whose texts share allocations.
#[derive(Debug)]
pub struct UserPacker {
    users: Vec<User>,
    /// Texts of the last users.
    texts: Packer<{ user_texts::COUNT }>,
    /// Bytes of text that are to share an allocation.
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
    /// Bytes of text that share the first allocation: that of most organisations.
    const FEW: usize = 1 << 20;
    /// Bytes of text that share a later one. The allocator keeps one of this size apart from all others,
    /// and so gives it back to the system as soon as the users share their texts with rows.
    const MANY: usize = 40 << 20;

    /// Adds a user as [`User::new`] makes one; the texts can be read once all are there.
    pub fn push(&mut self, id: Uuid, role: RoleId, text: UserText<'_>) -> &mut User {
        self.add(id, role, text.parts())
    }

    /// The same of texts in the order of [`UserText`].
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

    /// The users, in the order in which they were added.
    #[must_use]
    pub fn finish(mut self) -> Vec<User> {
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
        // More than share the first allocation.
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
