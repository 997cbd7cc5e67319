//! The users of an export, in its order, each with the texts of its columns.

use std::{collections::HashMap, error::Error};

use uuid::Uuid;

use crate::{
    domain::{Catalog, Column, NamesById, Status, User},
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
    names: NamesById,
    index_of: HashMap<Uuid, usize>,
}

impl ExportedUsers {
    /// Sorts the users, which takes up to a second for a million of them.
    pub(super) fn new(mut snapshot: Snapshot, filter: UserFilter) -> Self {
        let by_external_id = |a: &User, b: &User| a.external_id().cmp(b.external_id());
        snapshot.users.sort_unstable_by(by_external_id);
        let users = snapshot.users.iter().enumerate();
        Self {
            names: NamesById::new(&snapshot.catalog),
            index_of: users.map(|(index, user)| (user.id, index)).collect(),
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
        let user = &self.users[index];
        let supervisor = user.supervisor.and_then(|id| self.index_of.get(&id));
        let value = |column| match column {
            Column::Role => self.names.role(user.role),
            Column::SupervisorEmail => supervisor.map(|&index| self.users[index].email()),
            Column::Rank => self.names.rank(user.rank),
            Column::EvidenceGroupExtId => self.names.group_external_id(user.group),
            _ => user.value(column),
        };
        Column::ALL.map(|column| value(column).unwrap_or_default())
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
