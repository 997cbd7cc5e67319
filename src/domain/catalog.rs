//! The catalog of an organisation: the roles, ranks and groups that its users can have, and its rules for phone
//! numbers, badge numbers and external IDs. Knows nothing about users and rows.

use std::num::NonZeroI32;

use super::{PhoneRegion, ValuePattern, fold};

/// Number of a role within its organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleId(pub i32);

/// Defines a number for an attribute that a user may lack. "None" is stored as 0, so that the number takes four
/// bytes for each of a million users, set or not.
macro_rules! optional_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(NonZeroI32);

        impl $name {
            /// Returns `None` if the number is 0, which means "none".
            #[must_use]
            pub const fn new(number: i32) -> Option<Self> {
                match NonZeroI32::new(number) {
                    Some(number) => Some(Self(number)),
                    None => None,
                }
            }

            /// Returns the number; it is never 0.
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

/// A role that a user can have. Role names are unique, compared without case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Number within the organisation.
    pub id: RoleId,
    /// The name as the administrator wrote it.
    pub name: String,
    /// Only callers with `users.grant-privileged` can give this role, and change users who have it.
    pub privileged: bool,
}

/// A rank that a user can have. Rank names are unique, compared without case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Number within the organisation.
    pub id: RankId,
    /// The name as the administrator wrote it.
    pub name: String,
}

/// A group that a user can belong to. External IDs of groups are unique, compared exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Number within the organisation.
    pub id: GroupId,
    /// Compared exactly.
    pub external_id: String,
    /// Display name.
    pub name: String,
    /// Users who have an inactive group keep it; other users cannot get it.
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
    /// The region whose phone numbers may be written without a country code.
    pub phone_region: Option<PhoneRegion>,
    /// The pattern that new badge numbers must match.
    pub badge_number_pattern: Option<ValuePattern>,
    /// The pattern that new external IDs must match.
    pub external_id_pattern: Option<ValuePattern>,
}

/// Words that appear in the names of administrators' roles.
const ADMINISTRATORS: [&str; 6] = ["admin", "superuser", "super user", "sysop", "root", "owner"];

/// Returns warnings about which roles are privileged. `roles` gives each role's name, and `true` if it is
/// privileged. Only privileged roles need `users.grant-privileged` to be given.
#[must_use]
pub(crate) fn privilege_warnings<'a>(roles: impl Iterator<Item = (&'a str, bool)>) -> Vec<String> {
    let roles: Vec<_> = roles.collect();
    let mut warnings = Vec::new();
    if !roles.is_empty() && roles.iter().all(|(_, privileged)| !privileged) {
        let message = "no role is privileged, so everybody who may import can give any role; mark \
            the roles of administrators with \"privileged\": true";
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
        format!(
            "the role \"{name}\" has the name of an administrator's role, but is not privileged"
        )
    }));
    warnings
}

impl Catalog {
    /// Returns the role with this number.
    #[must_use]
    pub fn role(&self, id: RoleId) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }
}
