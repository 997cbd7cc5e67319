//! The users of an export, in its order, each with the texts of its columns.

use std::{collections::HashMap, error::Error};

use uuid::Uuid;

use crate::{
    domain::{Catalog, Column, GroupId, RankId, RoleId, Status, User},
    store::{Snapshot, UserFilter, contains_folded},
};

/// Most users looked at for one piece of a file. A strict filter makes small pieces.
pub(super) const STEP_USERS: usize = 5_000;

/// Why a file cannot be exported.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportFault {
    /// There are more users than the workbook can have. Holds the number that it can have.
    #[error("more than {0} users")]
    TooManyUsers(usize),
    /// Its writer failed.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

/// The users of a snapshot by external ID, and which of them are exported.
pub(super) struct ExportedUsers {
    catalog: Catalog,
    users: Vec<User>,
    filter: UserFilter,
    names: ExportedNames,
}

impl ExportedUsers {
    /// Sorts the users, which takes up to a second for a million of them.
    pub(super) fn new(mut snapshot: Snapshot, filter: UserFilter) -> Self {
        let by_external_id = |a: &User, b: &User| a.external_id().cmp(b.external_id());
        snapshot.users.sort_unstable_by(by_external_id);
        Self {
            names: ExportedNames::new(&snapshot),
            catalog: snapshot.catalog,
            users: snapshot.users,
            filter,
        }
    }

    /// Number of users, including those that are not exported.
    pub(super) fn len(&self) -> usize {
        self.users.len()
    }

    /// The organisation's catalog.
    pub(super) const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Returns the row of a user, or `None` if the user does not pass the filter.
    pub(super) fn filtered_row(&self, index: usize) -> Option<[&str; Column::COUNT]> {
        passes(&self.users[index], &self.filter).then(|| self.row(index))
    }

    /// Returns the row of a user.
    pub(super) fn row(&self, index: usize) -> [&str; Column::COUNT] {
        self.names.row(&self.users, &self.users[index])
    }
}

fn passes(user: &User, filter: &UserFilter) -> bool {
    let texts = Column::SEARCHED
        .iter()
        .filter_map(|column| user.value(column));
    filter
        .active
        .is_none_or(|active| active == (user.status == Status::Active))
        && filter.role.is_none_or(|role| role == user.role)
        && filter.group.is_none_or(|group| Some(group) == user.group)
        && filter
            .protected
            .is_none_or(|wanted| wanted == user.protected)
        && contains_folded(texts, &filter.text)
}

/// The names behind the numbers of a user's fields.
struct ExportedNames {
    roles: HashMap<RoleId, String>,
    ranks: HashMap<RankId, String>,
    groups: HashMap<GroupId, String>,
    users: HashMap<Uuid, usize>,
}

impl ExportedNames {
    fn new(snapshot: &Snapshot) -> Self {
        let catalog = &snapshot.catalog;
        let users = snapshot.users.iter().enumerate();
        Self {
            roles: catalog
                .roles
                .iter()
                .map(|r| (r.id, r.name.clone()))
                .collect(),
            ranks: catalog
                .ranks
                .iter()
                .map(|r| (r.id, r.name.clone()))
                .collect(),
            groups: catalog
                .groups
                .iter()
                .map(|g| (g.id, g.external_id.clone()))
                .collect(),
            users: users.map(|(index, user)| (user.id, index)).collect(),
        }
    }

    fn row<'a>(&'a self, users: &'a [User], user: &'a User) -> [&'a str; Column::COUNT] {
        let supervisor = user.supervisor.and_then(|id| self.users.get(&id));
        Column::ALL.map(|column| match column {
            Column::Role => self.roles.get(&user.role).map_or("", String::as_str),
            Column::SupervisorEmail => supervisor.map_or("", |&index| users[index].email()),
            Column::Rank => named(user.rank, &self.ranks),
            Column::EvidenceGroupExtId => named(user.group, &self.groups),
            _ => user.value(column).unwrap_or_default(),
        })
    }
}

fn named<K: std::hash::Hash + Eq>(key: Option<K>, names: &HashMap<K, String>) -> &str {
    key.and_then(|key| names.get(&key))
        .map_or("", String::as_str)
}
