//! The names of roles and ranks, and the external IDs of groups, by ID. A plan or an export asks for them for each user,
//! and an organisation may have thousands of groups.

use hashbrown::HashMap;

use super::{Catalog, GroupId, RankId, RoleId};

/// The names in a catalog.
#[derive(Debug)]
pub(crate) struct NamesById {
    roles: HashMap<RoleId, String>,
    ranks: HashMap<RankId, String>,
    groups: HashMap<GroupId, String>,
}

impl NamesById {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let roles = catalog.roles.iter();
        let ranks = catalog.ranks.iter();
        let groups = catalog.groups.iter();
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
