//! What an organisation's users can be given: roles, ranks and groups.

use std::num::NonZeroI32;

use super::{Pattern, PhoneRegion, fold};

/// Number of a role within its organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleId(pub i32);

/// Defines the number of something that a user need not have. None is 0, so that a million users who may
/// have one take four bytes each.
macro_rules! optional_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(NonZeroI32);

        impl $name {
            /// `None` for 0, which stands for none at all.
            #[must_use]
            pub const fn new(number: i32) -> Option<Self> {
                match NonZeroI32::new(number) {
                    Some(number) => Some(Self(number)),
                    None => None,
                }
            }

            /// The number; never 0.
            #[must_use]
            pub const fn get(self) -> i32 {
                self.0.get()
            }
        }
    };
}

optional_number! {
    /// Number of a rank within its organisation.
    RankId
}

optional_number! {
    /// Number of a group within its organisation.
    GroupId
}

/// A role that a user can have; names are unique without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Number within the organisation.
    pub id: RoleId,
    /// As the administrator wrote it.
    pub name: String,
    /// Only callers with `users.grant-privileged` give it, and change users who have it.
    pub privileged: bool,
}

/// A rank that a user can have; names are unique without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Number within the organisation.
    pub id: RankId,
    /// As the administrator wrote it.
    pub name: String,
}

/// A group that a user can belong to; external IDs are unique, compared exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Number within the organisation.
    pub id: GroupId,
    /// Compared exactly.
    pub external_id: String,
    /// Display name.
    pub name: String,
    /// An inactive group stays with the users who have it, and can be given to nobody else.
    pub active: bool,
}

/// An organisation's roles, ranks and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// In order of name.
    pub roles: Vec<Role>,
    /// In order of name.
    pub ranks: Vec<Rank>,
    /// In order of external ID.
    pub groups: Vec<Group>,
    /// The region whose national phone numbers need no country code.
    pub phone_region: Option<PhoneRegion>,
    /// What new badge numbers have to match.
    pub badge_number_pattern: Option<Pattern>,
    /// What new external IDs have to match.
    pub external_id_pattern: Option<Pattern>,
}

/// Words in the names of roles that administer a system.
const ADMINISTRATORS: [&str; 6] = ["admin", "superuser", "super user", "sysop", "root", "owner"];

/// What is to be said of which roles, by name, are privileged: only those need
/// `users.grant-privileged` to be given.
#[must_use]
pub fn privilege_warnings<'a>(roles: impl Iterator<Item = (&'a str, bool)>) -> Vec<String> {
    let roles: Vec<_> = roles.collect();
    let mut warnings = Vec::new();
    if !roles.is_empty() && roles.iter().all(|(_, privileged)| !privileged) {
        let message = "no role is privileged, so whoever may import can give any role; mark those \
            that administer with \"privileged\": true";
        warnings.push(message.to_owned());
    }
    let administers = |name: &str| {
        let name = fold(name);
        ADMINISTRATORS.iter().any(|word| name.contains(word))
    };
    let unmarked = roles
        .iter()
        .filter(|(name, privileged)| !privileged && administers(name));
    warnings.extend(unmarked.map(|(name, _)| {
        format!("the role \"{name}\" is called like an administrator's and is not privileged")
    }));
    warnings
}

impl Catalog {
    /// The role with this number.
    #[must_use]
    pub fn role(&self, id: RoleId) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// The rank with this number.
    #[must_use]
    pub fn rank(&self, id: RankId) -> Option<&Rank> {
        self.ranks.iter().find(|rank| rank.id == id)
    }

    /// The group with this number.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }
}
