//! The position of each role, rank and group in the catalog. A plan asks for their names once a row, and an
//! organisation may have thousands of groups.

use hashbrown::HashMap;

use crate::domain::{Catalog, GroupId, RankId, RoleId};

/// Positions in a catalog, by ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Positions {
    roles: HashMap<RoleId, usize>,
    ranks: HashMap<RankId, usize>,
    groups: HashMap<GroupId, usize>,
}

impl Positions {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let roles = catalog.roles.iter().map(|role| role.id);
        let ranks = catalog.ranks.iter().map(|rank| rank.id);
        let groups = catalog.groups.iter().map(|group| group.id);
        Self {
            roles: roles.zip(0..).collect(),
            ranks: ranks.zip(0..).collect(),
            groups: groups.zip(0..).collect(),
        }
    }

    /// Returns the role's name. `catalog` must be the one that these positions were made from.
    pub(crate) fn role<'a>(&self, catalog: &'a Catalog, id: RoleId) -> Option<&'a str> {
        Some(&catalog.roles[*self.roles.get(&id)?].name)
    }

    /// Returns the rank's name, under the same condition.
    pub(crate) fn rank<'a>(&self, catalog: &'a Catalog, id: Option<RankId>) -> Option<&'a str> {
        Some(&catalog.ranks[*self.ranks.get(&id?)?].name)
    }

    /// Returns the group's external ID, under the same condition.
    pub(crate) fn group<'a>(&self, catalog: &'a Catalog, id: Option<GroupId>) -> Option<&'a str> {
        Some(&catalog.groups[*self.groups.get(&id?)?].external_id)
    }
}
