//! One batch of planned rows, as columns for the store's bulk statements.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use uuid::Uuid;

use crate::import::{
    record::{EncodedResults, audited, result_log},
    review::PlannedImport,
};
use crate::{
    domain::{Column, ColumnSet, GroupId, RankId, Status, User},
    plan::{FinalUser, RowIndex, UserWrite},
    store::{CompressedMessage, ImportTransaction, RoleGrants, UserValues, WriteError},
};

/// The keys that a user can give to another user.
const MOVABLE: ColumnSet = Column::KEYS.without(Column::ExternalId);

/// The rows of one transaction, as they are written and recorded. Made while the database writes the batch
/// before.
#[derive(Debug)]
pub(crate) struct WriteBatch {
    /// The rows of the plan, by index.
    pub(crate) rows: Vec<RowIndex>,
    /// Their results, as recorded.
    pub(crate) results: Vec<EncodedResults>,
    /// The changes that they make to users, as recorded.
    pub(crate) changes: Vec<CompressedMessage>,
    grants: RoleGrants,
    handed_over: Vec<Uuid>,
    created: UserValues,
    /// By [`ChangeKind`]. Each has the columns that any of its users changes.
    changed: [UserValues; 3],
}

/// Groups updates by the columns they change: the fewer columns a statement sets, the fewer indexes and
/// references the database checks.
#[derive(Clone, Copy)]
enum ChangeKind {
    /// A key changes, perhaps with other columns.
    Keys,
    /// No key changes; a reference does. SQLite checks all references of a row if a statement sets one.
    References,
    /// Neither keys nor references change.
    Details,
}

impl ChangeKind {
    fn of(changes: ColumnSet) -> Self {
        match changes {
            _ if changes.intersects(Column::KEYS) => Self::Keys,
            _ if changes.intersects(Column::REFERENCES) => Self::References,
            _ => Self::Details,
        }
    }

    /// The columns that a statement sets for users of this kind who change `changes`.
    fn set(self, changes: ColumnSet) -> ColumnSet {
        match self {
            // A user whose keys were moved aside needs all of them back.
            Self::Keys => changes.union(MOVABLE),
            Self::References | Self::Details => changes,
        }
    }
}

impl WriteBatch {
    /// Makes a batch of rows that create or update users. New users come in row order or, if `by_email`, in the
    /// order of the email index. Known users come in the order of the snapshot, which is likely that of the
    /// table, or also by email.
    pub(crate) fn new(planned: &PlannedImport, rows: Vec<RowIndex>, by_email: bool) -> Self {
        let user = |row: RowIndex| planned.plan.request.snapshot.user_of(row);
        let is_new = |row: &&RowIndex| user(**row).is_none();
        let (mut new, mut known): (Vec<RowIndex>, Vec<RowIndex>) = rows.iter().partition(is_new);
        if by_email {
            new = ordered_by_email(planned, new);
            known.sort_by_cached_key(|&row| email_key(&planned.plan.write(row)));
        } else {
            known.sort_unstable_by_key(|&row| user(row));
        }
        let mut created = UserValues::new(ColumnSet::ALL);
        for &row in &new {
            push(&mut created, planned, row, &planned.plan.write(row));
        }
        let mut changed = kinds(planned, &known).map(UserValues::new);
        let mut moving = Vec::new();
        for row in known {
            let write = planned.plan.write(row);
            let kind = ChangeKind::of(planned.plan.decisions[row].changes);
            push(&mut changed[kind as usize], planned, row, &write);
            if let ChangeKind::Keys = kind {
                moving.push(write);
            }
        }
        Self {
            results: result_log::encode_rows(planned, &rows),
            changes: result_log::encode_changes(planned, &rows),
            grants: audited::role_grants(planned, &rows),
            rows,
            handed_over: handed_over(planned, &moving, &new),
            created,
            changed,
        }
    }

    /// Writes the users within a transaction. Keys that one user frees for another are moved aside first, so
    /// the order of the users does not matter.
    ///
    /// # Errors
    /// Fails with [`WriteError::Conflict`] if the directory differs from the plan's snapshot.
    pub(crate) async fn write(&self, transaction: &ImportTransaction) -> Result<(), WriteError> {
        transaction.move_keys_aside(&self.handed_over).await?;
        transaction.create_users(&self.created).await?;
        for users in &self.changed {
            transaction.update_users(users).await?;
        }
        transaction.note_grants(&self.grants);
        Ok(())
    }
}

/// The columns to set for the users of each kind.
fn kinds(planned: &PlannedImport, known: &[RowIndex]) -> [ColumnSet; 3] {
    let mut sets = [ColumnSet::EMPTY; 3];
    for &row in known {
        let changes = planned.plan.decisions[row].changes;
        let kind = ChangeKind::of(changes);
        let set = &mut sets[kind as usize];
        *set = set.union(kind.set(changes));
    }
    sets
}

/// Sorts rows by email, but each after its supervisor's row: while a reference dangles, SQLite scans all users
/// for each new user.
fn ordered_by_email(planned: &PlannedImport, new: Vec<RowIndex>) -> Vec<RowIndex> {
    let mut depths = HashMap::with_capacity(new.len());
    let mut order = Vec::with_capacity(new.len());
    for row in new {
        let before = planned.plan.order.before(row).iter();
        let deepest = before.filter_map(|row| depths.get(row)).max();
        let depth = deepest.map_or(0u32, |depth| depth + 1);
        depths.insert(row, depth);
        order.push((depth, email_key(&planned.plan.write(row)), row));
    }
    order.sort_unstable();
    order.into_iter().map(|(.., row)| row).collect()
}

fn supervisor_id(planned: &PlannedImport, supervisor: Option<FinalUser>) -> Uuid {
    match supervisor {
        None => Uuid::nil(),
        Some(FinalUser::User(user)) => planned.plan.request.snapshot.users()[user].id,
        Some(FinalUser::Row(row)) => planned.user_id(row).unwrap_or_default(),
    }
}

fn push(values: &mut UserValues, planned: &PlannedImport, row: RowIndex, write: &UserWrite<'_>) {
    values.id.push(planned.user_id(row).unwrap_or_default());
    for attribute in values.attributes().iter() {
        match attribute {
            Column::Location => {}
            Column::Status => values.active.push(write.status() == Status::Active),
            Column::Role => values.role_id.push(write.role.0),
            Column::SupervisorEmail => values
                .supervisor_id
                .push(supervisor_id(planned, write.supervisor)),
            Column::Rank => values.rank_id.push(write.rank.map_or(0, RankId::get)),
            Column::EvidenceGroupExtId => {
                values.group_id.push(write.group.map_or(0, GroupId::get));
            }
            _ => values.push_text(attribute, write.text(attribute)),
        }
    }
}

/// Returns the users among `moving` who give up a key that another of these users, or one of the `new` rows, takes.
fn handed_over(planned: &PlannedImport, moving: &[UserWrite<'_>], new: &[RowIndex]) -> Vec<Uuid> {
    let freed: Vec<(Uuid, Column, String)> = moving.iter().flat_map(freed_keys).collect();
    if freed.is_empty() {
        return Vec::new();
    }
    let new: Vec<UserWrite<'_>> = new.iter().map(|&row| planned.plan.write(row)).collect();
    let keys = |column| {
        let writes = moving.iter().chain(&new);
        writes.map(move |write| (column, new_key(write, column)))
    };
    let taken: HashSet<(Column, Cow<'_, str>)> = MOVABLE.iter().flat_map(keys).collect();
    let mut users: Vec<Uuid> = freed
        .iter()
        .filter(|(_, column, key)| taken.contains(&(*column, Cow::Borrowed(key))))
        .map(|(user, ..)| *user)
        .collect();
    users.dedup();
    users
}

fn freed_keys(write: &UserWrite<'_>) -> Vec<(Uuid, Column, String)> {
    let Some(user) = write.user else {
        return Vec::new();
    };
    MOVABLE
        .iter()
        .map(|column| (user.id, column, old_key(user, column)))
        .filter(|(_, column, key)| new_key(write, *column) != *key)
        .collect()
}

fn old_key(user: &User, column: Column) -> String {
    let text = user.value(column).unwrap_or_default();
    column.comparable(text).into_owned()
}

fn new_key<'a>(write: &'a UserWrite<'_>, column: Column) -> Cow<'a, str> {
    column.comparable(write.text(column))
}

fn email_key(write: &UserWrite<'_>) -> String {
    new_key(write, Column::Email).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::record::encoding::tests::planned_import_of;

    #[test]
    fn new_users_come_by_email_but_after_whom_they_report_to() {
        let planned = planned_import_of(&[
            ["Z", "Zoe@pd.example", "Diaz", "ann@pd.example"],
            ["A", "ann@pd.example", "Diaz", "mia@pd.example"],
            ["M", "mia@pd.example", "Diaz", "b@pd.example"],
            ["E", "eva@pd.example", "Diaz", ""],
            ["D", "dan@pd.example", "Diaz", "zoe@pd.example"],
        ]);
        let new = ordered_by_email(&planned, planned.plan.order.rows().to_vec());
        let email = |&row: &RowIndex| planned.plan.write(row).text(Column::Email).to_owned();
        let emails: Vec<String> = new.iter().map(email).collect();
        let expected = ["eva", "mia", "ann", "Zoe", "dan"].map(|name| format!("{name}@pd.example"));
        assert_eq!(emails, expected);
    }

    #[test]
    fn known_users_come_as_new_ones_would() {
        let planned = planned_import_of(&[
            ["B", "z@pd.example", "New", ""],
            ["C", "y@pd.example", "Ruiz", ""],
        ]);
        let [b, c] = [7, 8].map(Uuid::from_u128);
        for (by_email, expected) in [(false, [b, c]), (true, [c, b])] {
            let batch = WriteBatch::new(&planned, planned.plan.order.rows().to_vec(), by_email);
            assert_eq!(batch.changed[ChangeKind::Keys as usize].id, expected);
        }
    }

    #[test]
    fn a_statement_sets_what_one_of_its_users_changes_and_all_keys_or_none() {
        let planned = planned_import_of(&[
            ["B", "b@pd.example", "New", "other@pd.example"],
            ["C", "other@pd.example", "Ruiz", ""],
        ]);
        let [keys, references, details] = kinds(&planned, planned.plan.order.rows());
        assert_eq!(keys, MOVABLE);
        let both = [Column::LastName, Column::SupervisorEmail];
        assert_eq!(
            (references, details),
            (ColumnSet::of(&both), ColumnSet::EMPTY)
        );
    }
}
