//! One batch of planned rows as what the store writes.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::import::{
    record::{EncodedResults, audited, result_log},
    review::Judged,
};
use crate::{
    domain::{Column, ColumnSet, GroupId, RankId, Status, email_key, fold},
    plan::{Supervisor, UserWrite},
    store::{ImportTransaction, RoleGrants, UserValues, WriteError},
};

/// The columns that no two users share.
const UNIQUE: ColumnSet = ColumnSet::of(&[Column::Email, Column::BadgeNumber, Column::Username]);

/// The columns of which a change is looked up in an index.
const KEYS: ColumnSet = UNIQUE.union(ColumnSet::of(&[Column::ExternalId]));

/// The columns that refer to something: SQLite looks all of it up wherever a statement sets one of them.
const REFERENCES: ColumnSet = ColumnSet::of(&[
    Column::Role,
    Column::SupervisorEmail,
    Column::Rank,
    Column::EvidenceGroupExtId,
]);

/// The rows of one transaction, as they are written and recorded. Made ahead, while the database
/// is busy with the rows before.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The rows of the plan, by index.
    pub(crate) rows: Vec<u32>,
    /// Their results, as recorded.
    pub(crate) results: Vec<EncodedResults>,
    grants: RoleGrants,
    parked: Vec<Uuid>,
    created: UserValues,
    /// By [`Kind`], each with the attributes that any of its users changes.
    changed: [UserValues; 3],
}

/// What users who change have in common, and so what a statement need not set: the fewer columns it
/// names, the fewer indexes and references the database looks at.
#[derive(Clone, Copy)]
enum Kind {
    /// Their keys change, perhaps among others.
    Keys,
    /// They keep their keys; what they refer to changes.
    References,
    /// They keep both.
    Details,
}

impl Kind {
    fn of(changes: ColumnSet) -> Self {
        match changes {
            _ if changes.intersects(KEYS) => Self::Keys,
            _ if changes.intersects(REFERENCES) => Self::References,
            _ => Self::Details,
        }
    }

    /// What is set of users of whom some change these.
    fn set(self, changes: ColumnSet) -> ColumnSet {
        match self {
            // A user who was moved out of the way needs all of them back.
            Self::Keys => changes.union(UNIQUE),
            Self::References | Self::Details => changes,
        }
    }
}

impl Batch {
    /// Rows of a plan that are to be created or updated. New users come in row order, or `by_email`: so
    /// neighbours in the indexes of emails and usernames come together. Others come as they are likely to
    /// lie in the table, which is as they were made.
    pub(crate) fn new(judged: &Judged, rows: Vec<u32>, by_email: bool) -> Self {
        let user = |row: u32| judged.directory.user_of(row);
        let is_new = |row: &&u32| user(**row).is_none();
        let (mut new, mut known): (Vec<u32>, Vec<u32>) = rows.iter().partition(is_new);
        if by_email {
            new = ordered_by_email(judged, new);
            known.sort_by_cached_key(|&row| write(judged, row).email_key);
        } else {
            known.sort_unstable_by_key(|&row| user(row));
        }
        let mut created = UserValues::new(ColumnSet::ALL);
        for &row in &new {
            push(&mut created, judged, row, &write(judged, row));
        }
        let mut changed = kinds(judged, &known).map(UserValues::new);
        let mut moving = Vec::new();
        for row in known {
            let write = write(judged, row);
            let kind = Kind::of(judged.plan.decisions[row as usize].changes);
            push(&mut changed[kind as usize], judged, row, &write);
            if let Kind::Keys = kind {
                moving.push(write);
            }
        }
        Self {
            results: result_log::encode_rows(judged, &rows),
            grants: audited::role_grants(judged, &rows),
            rows,
            parked: handed_over(judged, &moving, &new),
            created,
            changed,
        }
    }

    /// Writes the users within a transaction. Keys that one of them frees for another are moved out
    /// of the way first, so that the order among them does not matter.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] where the directory is not as it was planned on.
    pub(crate) async fn write(&self, transaction: &ImportTransaction) -> Result<(), WriteError> {
        transaction.move_keys_aside(&self.parked).await?;
        transaction.create_users(&self.created).await?;
        for users in &self.changed {
            transaction.update_users(users).await?;
        }
        transaction.note_grants(&self.grants);
        Ok(())
    }
}

fn write(judged: &Judged, row: u32) -> UserWrite<'_> {
    judged.plan.write(&judged.request(), row as usize)
}

/// What is set of the users of each kind among those of these rows.
fn kinds(judged: &Judged, known: &[u32]) -> [ColumnSet; 3] {
    let mut sets = [ColumnSet::EMPTY; 3];
    for &row in known {
        let changes = judged.plan.decisions[row as usize].changes;
        let kind = Kind::of(changes);
        let set = &mut sets[kind as usize];
        *set = set.union(kind.set(changes));
    }
    sets
}

/// Rows by email, but none before one that it waits for: as long as one reference dangles, SQLite looks
/// through all users for reports of each new one.
fn ordered_by_email(judged: &Judged, new: Vec<u32>) -> Vec<u32> {
    let mut depths = HashMap::with_capacity(new.len());
    let mut order = Vec::with_capacity(new.len());
    for row in new {
        let before = judged.plan.order.before(row).iter();
        let deepest = before.filter_map(|row| depths.get(row)).max();
        let depth = deepest.map_or(0u32, |depth| depth + 1);
        depths.insert(row, depth);
        order.push((depth, write(judged, row).email_key, row));
    }
    order.sort_unstable();
    order.into_iter().map(|(.., row)| row).collect()
}

fn supervisor_id(judged: &Judged, supervisor: Supervisor) -> Uuid {
    match supervisor {
        Supervisor::None => Uuid::nil(),
        Supervisor::User(user) => judged.directory.users()[user as usize].id,
        Supervisor::Row(row) => judged.user_id(row as usize).unwrap_or_default(),
    }
}

fn push(values: &mut UserValues, judged: &Judged, row: u32, write: &UserWrite<'_>) {
    values
        .id
        .push(judged.user_id(row as usize).unwrap_or_default());
    for attribute in values.attributes().iter() {
        match attribute {
            Column::ExternalId => values.external_id.push(&write.external_id),
            Column::Email => {
                values.email.push(write.email);
                values.email_key.push(&write.email_key);
            }
            Column::BadgeNumber => values.badge_number.push(write.badge_number),
            Column::FirstName => values.first_name.push(write.first_name),
            Column::LastName => values.last_name.push(write.last_name),
            Column::Status => values.active.push(write.status == Status::Active),
            Column::Username => {
                values.username.push(write.username);
                values.username_key.push(&write.username_key);
            }
            Column::Role => values.role_id.push(write.role.0),
            Column::SupervisorEmail => values
                .supervisor_id
                .push(supervisor_id(judged, write.supervisor)),
            Column::Rank => values.rank_id.push(write.rank.map_or(0, RankId::get)),
            Column::EvidenceGroupExtId => {
                values.group_id.push(write.group.map_or(0, GroupId::get));
            }
            Column::Phone => values.phone.push(write.phone),
            Column::Location => {}
        }
    }
}

/// The users among those whose keys are `moving` who give one up that another of them takes, or one of
/// the `new` rows.
fn handed_over(judged: &Judged, moving: &[UserWrite<'_>], new: &[u32]) -> Vec<Uuid> {
    let freed: Vec<(Uuid, Column, String)> = moving.iter().flat_map(freed_keys).collect();
    if freed.is_empty() {
        return Vec::new();
    }
    let new: Vec<UserWrite<'_>> = new.iter().map(|&row| write(judged, row)).collect();
    let keys = |column| {
        let writes = moving.iter().chain(&new);
        writes.map(move |write| (column, new_key(write, column)))
    };
    let taken: HashSet<(Column, &str)> = UNIQUE.iter().flat_map(keys).collect();
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
        .iter()
        .map(|column| (user.id, column, old_key(user, column)))
        .filter(|(_, column, key)| new_key(write, *column) != key)
        .collect()
}

fn old_key(user: &crate::domain::User, column: Column) -> String {
    match column {
        Column::Email => email_key(user.email()).into_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::record::encoding::tests::judged_of;

    #[test]
    fn new_users_come_by_email_but_after_whom_they_report_to() {
        let judged = judged_of(&[
            ["Z", "Zoe@pd.example", "Diaz", "ann@pd.example"],
            ["A", "ann@pd.example", "Diaz", "mia@pd.example"],
            ["M", "mia@pd.example", "Diaz", "b@pd.example"],
            ["E", "eva@pd.example", "Diaz", ""],
            ["D", "dan@pd.example", "Diaz", "zoe@pd.example"],
        ]);
        let new = ordered_by_email(&judged, judged.plan.order.rows().to_vec());
        let emails = new.iter().map(|&row| write(&judged, row).email);
        let emails: Vec<&str> = emails.collect();
        let expected = ["eva", "mia", "ann", "Zoe", "dan"].map(|name| format!("{name}@pd.example"));
        assert_eq!(emails, expected);
    }

    #[test]
    fn known_users_come_as_new_ones_would() {
        let judged = judged_of(&[
            ["B", "z@pd.example", "New", ""],
            ["C", "y@pd.example", "Ruiz", ""],
        ]);
        let [b, c] = [7, 8].map(Uuid::from_u128);
        for (by_email, expected) in [(false, [b, c]), (true, [c, b])] {
            let batch = Batch::new(&judged, vec![0, 1], by_email);
            assert_eq!(batch.changed[Kind::Keys as usize].id, expected);
        }
    }

    #[test]
    fn a_statement_sets_what_one_of_its_users_changes_and_all_keys_or_none() {
        let judged = judged_of(&[
            ["B", "b@pd.example", "New", "other@pd.example"],
            ["C", "other@pd.example", "Ruiz", ""],
        ]);
        let [keys, references, details] = kinds(&judged, &[0, 1]);
        assert_eq!(keys, UNIQUE);
        let both = [Column::LastName, Column::SupervisorEmail];
        assert_eq!(
            (references, details),
            (ColumnSet::of(&both), ColumnSet::EMPTY)
        );
    }
}
