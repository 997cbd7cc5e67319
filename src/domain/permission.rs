//! The permissions of a caller, and their names. Knows nothing about credentials and RPCs.

use std::{fmt, str::FromStr};

/// One thing that a caller may or may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// Import rosters, including dry runs, and cancel imports.
    UsersImport,
    /// Make Active users Inactive, by a row or because they are missing; say which users an import may not deactivate.
    UsersDeactivate,
    /// Read users, catalogs, and imports with their results.
    UsersRead,
    /// Give and take privileged roles, change users who have one, and say which roles are privileged.
    UsersGrantPrivileged,
    /// Replace an organisation's catalog.
    CatalogWrite,
    /// Create organisations.
    OrganizationsWrite,
    /// Review imports that are held, and approve them together with what the import itself needs.
    UsersApprove,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 7] = [
        Self::UsersImport,
        Self::UsersDeactivate,
        Self::UsersRead,
        Self::UsersGrantPrivileged,
        Self::CatalogWrite,
        Self::OrganizationsWrite,
        Self::UsersApprove,
    ];

    /// Returns the name that credentials use. It never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UsersImport => "users.import",
            Self::UsersDeactivate => "users.deactivate",
            Self::UsersRead => "users.read",
            Self::UsersGrantPrivileged => "users.grant-privileged",
            Self::CatalogWrite => "catalog.write",
            Self::OrganizationsWrite => "organizations.write",
            Self::UsersApprove => "users.approve",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no permission \"{name}\"; give some of {all}", name = .0, all = Permissions::ALL)]
pub struct UnknownPermission(String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|permission| permission.name() == name);
        found.ok_or_else(|| UnknownPermission(name.to_owned()))
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);
    /// All permissions.
    pub const ALL: Self = Self((1 << Permission::ALL.len()) - 1);

    /// Returns the permissions named in `text`, separated by white space. Names that this release does not know permit
    /// nothing.
    #[must_use]
    pub fn parse_known(text: &str) -> Self {
        let names = text.split_whitespace();
        names.filter_map(|name| name.parse().ok()).collect()
    }

    /// Returns `true` if the set has `permission`.
    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// Returns the permissions of the set, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        let all = Permission::ALL.into_iter();
        all.filter(move |&permission| self.has(permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<T: IntoIterator<Item = Permission>>(permissions: T) -> Self {
        let bits = permissions.into_iter().map(|p| 1 << p as u8);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

/// Writes the names separated by a space, as [`Permissions::parse_known`] reads them.
impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Permission::name).collect();
        f.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_read_as_they_are_written() {
        for permission in Permission::ALL {
            assert_eq!(permission.name().parse(), Ok(permission));
            let alone: Permissions = [permission].into_iter().collect();
            assert_eq!(Permissions::parse_known(&alone.to_string()), alone);
            assert!(alone.has(permission) && alone != Permissions::ALL);
        }
        let all = Permissions::parse_known(&Permissions::ALL.to_string());
        assert_eq!(all, Permissions::ALL);
    }

    #[test]
    fn a_name_that_is_not_known_permits_nothing() {
        for text in ["", "users", "users.*", "*", "USERS.READ", "users.read,"] {
            assert_eq!(Permissions::parse_known(text), Permissions::NONE, "{text}");
            assert!(text.parse::<Permission>().is_err(), "{text}");
        }
    }
}
