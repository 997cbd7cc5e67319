//! The names of roles and ranks, and the external IDs of groups, by ID. A plan or an export asks for them for each user,
//! and an organisation may have thousands of groups.

use hashbrown::HashMap;

use super::{Catalog, GroupId, RankId, RoleId, User};

/// The names in a catalog.
#[derive(Debug)]
pub(crate) struct NamesById {
    roles: HashMap<RoleId, String>,
    ranks: HashMap<RankId, String>,
    groups: HashMap<GroupId, String>,
}

impl NamesById {
    /// All names in the catalog.
    pub(crate) fn new(catalog: &Catalog) -> Self {
        Self::of(catalog, |_| true, |_| true, |_| true)
    }

    /// Only the names that one user needs.
    pub(crate) fn of_user(catalog: &Catalog, user: &User) -> Self {
        Self::of(
            catalog,
            |role| role == user.role,
            |rank| Some(rank) == user.rank,
            |group| Some(group) == user.group,
        )
    }

    fn of(
        catalog: &Catalog,
        needs_role: impl Fn(RoleId) -> bool,
        needs_rank: impl Fn(RankId) -> bool,
        needs_group: impl Fn(GroupId) -> bool,
    ) -> Self {
        let roles = catalog.roles.iter().filter(|role| needs_role(role.id));
        let ranks = catalog.ranks.iter().filter(|rank| needs_rank(rank.id));
        let groups = catalog.groups.iter().filter(|group| needs_group(group.id));
        Self {
            roles: roles.map(|role| (role.id, role.name.clone())).collect(),
            ranks: ranks.map(|rank| (rank.id, rank.name.clone())).collect(),
            groups: groups
                .map(|group| (group.id, group.external_id.clone()))
                .collect(),
        }
    }

    /// Returns the role's name.
    pub(crate) fn role(&self, id: RoleId) -> Option<&str> {
        Some(self.roles.get(&id)?)
    }

    /// Returns the name of this rank, or `None` if there is none.
    pub(crate) fn rank(&self, id: Option<RankId>) -> Option<&str> {
        Some(self.ranks.get(&id?)?)
    }

    /// Returns the external ID of this group, or `None` if there is none.
    pub(crate) fn group_external_id(&self, id: Option<GroupId>) -> Option<&str> {
        Some(self.groups.get(&id?)?)
    }
}
