//! One batch of planned rows as what the store writes.

use std::collections::HashSet;

use uuid::Uuid;

use super::{
    journal::{self, EncodedResults},
    verdict::Judged,
};
use crate::{
    domain::{Column, Status, fold},
    plan::{Supervisor, UserWrite},
    store::{DirectoryWrite, UserValues, WriteError},
};

/// The columns that no two users share, and their keys.
const UNIQUE: [Column; 3] = [Column::Email, Column::BadgeNumber, Column::Username];

/// The rows of one transaction, as they are written and recorded. Made ahead, while the database
/// is busy with the rows before.
#[derive(Debug)]
pub(super) struct Batch {
    /// The rows of the plan, by index.
    pub(super) rows: Vec<u32>,
    /// Their results, as recorded.
    pub(super) results: Vec<EncodedResults>,
    parked: Vec<Uuid>,
    created: UserValues,
    /// Users whose keys change, perhaps among others.
    moved: UserValues,
    /// Users who keep their keys.
    changed: UserValues,
}

impl Batch {
    /// Rows of a plan that are to be created or updated.
    pub(super) fn new(judged: &Judged, rows: Vec<u32>) -> Self {
        let request = judged.request();
        let mut created = UserValues::default();
        let (mut moved, mut changed) = (UserValues::default(), UserValues::default());
        let mut writes = Vec::with_capacity(rows.len());
        for &row in &rows {
            let write = judged.plan.write(&request, row as usize);
            let id = judged.user_id(row as usize).unwrap_or_default();
            let supervisor = supervisor_id(judged, write.supervisor);
            let keys = &judged.plan.decisions[row as usize].changes;
            let values = match write.user {
                None => &mut created,
                Some(_) if UNIQUE.iter().any(|&key| keys.contains(key)) => &mut moved,
                Some(_) => &mut changed,
            };
            push(values, id, supervisor, &write);
            writes.push(write);
        }
        Self {
            parked: handed_over(&writes),
            results: journal::encode_rows(judged, rows.iter().copied()),
            rows,
            created,
            moved,
            changed,
        }
    }

    /// Writes the users within a transaction. Keys that one of them frees for another are moved out
    /// of the way first, so that the order among them does not matter.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] where the directory is not as it was planned on.
    pub(super) async fn write(&self, transaction: &DirectoryWrite) -> Result<(), WriteError> {
        transaction.park(&self.parked).await?;
        transaction.create(&self.created).await?;
        transaction.change(&self.moved).await?;
        transaction.change_attributes(&self.changed).await
    }
}

fn supervisor_id(judged: &Judged, supervisor: Supervisor) -> Uuid {
    match supervisor {
        Supervisor::None => Uuid::nil(),
        Supervisor::User(user) => judged.directory.users()[user as usize].id,
        Supervisor::Row(row) => judged.user_id(row as usize).unwrap_or_default(),
    }
}

fn push(values: &mut UserValues, id: Uuid, supervisor: Uuid, write: &UserWrite<'_>) {
    values.id.push(id);
    values.external_id.push(&write.external_id);
    values.email.push(write.email);
    values.email_key.push(&write.email_key);
    values.badge_number.push(write.badge_number);
    values.first_name.push(write.first_name);
    values.last_name.push(write.last_name);
    values.active.push(write.status == Status::Active);
    values.username.push(write.username);
    values.username_key.push(&write.username_key);
    values.role_id.push(write.role.0);
    values.supervisor_id.push(supervisor);
    values.rank_id.push(write.rank.map_or(0, |rank| rank.0));
    values.group_id.push(write.group.map_or(0, |group| group.0));
    values.phone.push(write.phone);
}

/// The users who give up a key that another of these writes takes.
fn handed_over(writes: &[UserWrite<'_>]) -> Vec<Uuid> {
    let freed: Vec<(Uuid, Column, String)> = writes.iter().flat_map(freed_keys).collect();
    if freed.is_empty() {
        return Vec::new();
    }
    let taken: HashSet<(Column, &str)> = writes
        .iter()
        .flat_map(|write| UNIQUE.map(|column| (column, new_key(write, column))))
        .collect();
    let mut users: Vec<Uuid> = freed
        .iter()
        .filter(|(_, column, key)| taken.contains(&(*column, key.as_str())))
        .map(|(user, ..)| *user)
        .collect();
    users.dedup();
    users
}

fn freed_keys(write: &UserWrite<'_>) -> Vec<(Uuid, Column, String)> {
    let Some(user) = write.user else {
        return Vec::new();
    };
    UNIQUE
        .into_iter()
        .map(|column| (user.id, column, old_key(user, column)))
        .filter(|(_, column, key)| new_key(write, *column) != key)
        .collect()
}

fn old_key(user: &crate::domain::User, column: Column) -> String {
    match column {
        Column::Email => fold(user.email()).into_owned(),
        Column::Username => fold(user.username()).into_owned(),
        _ => user.badge_number().to_owned(),
    }
}

fn new_key<'a>(write: &'a UserWrite<'_>, column: Column) -> &'a str {
    match column {
        Column::Email => &write.email_key,
        Column::Username => &write.username_key,
        _ => write.badge_number,
    }
}
