//! A user of the directory, as a snapshot holds it.

use uuid::Uuid;

use super::{GroupId, PackedText, Packer, RankId, RoleId};

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
    const fn parts(self) -> [&'a str; 7] {
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
    text: PackedText<7>,
}

impl User {
    /// A user with `text`, active, without supervisor, rank and group.
    #[must_use]
    pub fn new(id: Uuid, role: RoleId, text: UserText<'_>) -> Self {
        let text = PackedText::new(text.parts());
        Self {
            text,
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
            text: PackedText::default(),
        }
    }

    /// Unique, compared exactly.
    #[must_use]
    pub fn external_id(&self) -> &str {
        self.text.get(0)
    }

    /// Unique, compared without case.
    #[must_use]
    pub fn email(&self) -> &str {
        self.text.get(1)
    }

    /// Unique, compared exactly.
    #[must_use]
    pub fn badge_number(&self) -> &str {
        self.text.get(2)
    }

    /// Given name.
    #[must_use]
    pub fn first_name(&self) -> &str {
        self.text.get(3)
    }

    /// Family name.
    #[must_use]
    pub fn last_name(&self) -> &str {
        self.text.get(4)
    }

    /// Unique, compared without case.
    #[must_use]
    pub fn username(&self) -> &str {
        self.text.get(5)
    }

    /// E.164; empty: none.
    #[must_use]
    pub fn phone(&self) -> &str {
        self.text.get(6)
    }
}

/// Makes users whose texts share allocations, some hundreds in each.
#[derive(Debug, Default)]
pub struct UserPacker {
    users: Vec<User>,
    /// Texts of the last users.
    texts: Packer<7>,
    waiting: usize,
}

impl UserPacker {
    /// Users whose texts share an allocation.
    const SHARING: usize = 256;

    /// Adds a user as [`User::new`] makes one; the texts can be read once all are there.
    pub fn push(&mut self, id: Uuid, role: RoleId, text: UserText<'_>) -> &mut User {
        if self.waiting == Self::SHARING {
            self.pack();
        }
        self.texts.push(text.parts());
        self.waiting += 1;
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
        let first = self.users.len() - std::mem::take(&mut self.waiting);
        let texts = std::mem::take(&mut self.texts).finish();
        for (user, text) in self.users[first..].iter_mut().zip(texts) {
            user.text = text;
        }
    }
}
