//! The names of roles, ranks and groups by their IDs. A plan asks for them once a row, and an organisation may have
//! thousands of groups.

use hashbrown::HashMap;

use crate::domain::{Catalog, GroupId, RankId, RoleId};

/// The names in a catalog.
#[derive(Debug)]
pub(crate) struct CatalogNames {
    roles: HashMap<RoleId, String>,
    ranks: HashMap<RankId, String>,
    groups: HashMap<GroupId, String>,
}

impl CatalogNames {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let roles = catalog
            .roles
            .iter()
            .map(|role| (role.id, role.name.clone()));
        let ranks = catalog
            .ranks
            .iter()
            .map(|rank| (rank.id, rank.name.clone()));
        let groups = catalog.groups.iter();
        let groups = groups.map(|group| (group.id, group.external_id.clone()));
        Self {
            roles: roles.collect(),
            ranks: ranks.collect(),
            groups: groups.collect(),
        }
    }

    /// Returns the role's name.
    pub(crate) fn role(&self, id: RoleId) -> Option<&str> {
        Some(self.roles.get(&id)?)
    }

    /// Returns the rank's name.
    pub(crate) fn rank(&self, id: Option<RankId>) -> Option<&str> {
        Some(self.ranks.get(&id?)?)
    }

    /// Returns the group's external ID.
    pub(crate) fn group(&self, id: Option<GroupId>) -> Option<&str> {
        Some(self.groups.get(&id?)?)
    }
}
