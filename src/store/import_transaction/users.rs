//! Creates, updates and deactivates users, many in one statement.

use sea_orm::Value;
use uuid::Uuid;

use super::ImportTransaction;
use crate::store::{
    WriteError,
    row_set::{ColumnValues, RowSet, RowSource, TextColumn},
    sql,
    user_values::UserValues,
};

/// Placeholders of the values that every statement on users binds: organisation, time and import.
struct Stamps([String; 3]);

fn insert(Stamps([organization, now, import]): &Stamps, columns: &[&str], rows: &str) -> String {
    let (names, values) = (columns.join(", "), columns.join(", r."));
    format!(
        "INSERT INTO users (organization_id, {names}, protected, created_at, updated_at, \
        last_import_id) SELECT {organization}, r.{values}, FALSE, {now}, {now}, {import} FROM {rows}"
    )
}

/// Sets these columns of users; the first column is the ID, which identifies the user.
fn update(Stamps([organization, now, import]): &Stamps, columns: &[&str], rows: &str) -> String {
    let set: Vec<String> = columns[1..]
        .iter()
        .map(|column| format!("{column} = r.{column}"))
        .collect();
    let set = set.join(", ");
    format!(
        "UPDATE users SET {set}, updated_at = {now}, last_import_id = {import} \
        FROM {rows} WHERE users.organization_id = {organization} AND users.id = r.id"
    )
}

/// Makes users inactive who are active, not protected, and meet the `further` condition.
fn deactivation(Stamps([organization, now, import]): &Stamps, rows: &str, further: &str) -> String {
    format!(
        "UPDATE users SET active = FALSE, updated_at = {now}, last_import_id = {import} \
        FROM {rows} WHERE users.organization_id = {organization} AND users.id = r.id \
        AND users.active AND NOT users.protected {further} RETURNING users.id"
    )
}

const UNPRIVILEGED: &str = "AND NOT EXISTS (SELECT 1 FROM roles WHERE \
    roles.organization_id = users.organization_id AND roles.id = users.role_id \
    AND roles.privileged)";

/// Replaces the keys of users with temporary ones. No key has a control character, so no temporary key equals one.
fn aside(Stamps([organization, now, import]): &Stamps, rows: &str) -> String {
    format!(
        "UPDATE users SET email_key = r.aside, badge_number = r.aside, username_key = r.aside, \
        updated_at = {now}, last_import_id = {import} \
        FROM {rows} WHERE users.organization_id = {organization} AND users.id = r.id"
    )
}

impl ImportTransaction {
    /// Frees the keys of these users for other users of the same transaction. Each of these users must be
    /// updated in it, too.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn move_keys_aside(&self, users: &[Uuid]) -> Result<(), WriteError> {
        let mut keys = TextColumn::default();
        for id in users {
            keys.push(&format!("\u{1}{}", id.simple()));
        }
        let columns = vec![
            ("id", ColumnValues::Uuid(users)),
            ("aside", ColumnValues::Text(&keys)),
        ];
        self.write(aside, &RowSet::new(columns)).await
    }

    /// Creates users.
    ///
    /// # Errors
    /// Fails with [`WriteError::Conflict`] if a key is taken or a reference is gone.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn create_users(&self, users: &UserValues) -> Result<(), WriteError> {
        let rows = users.row_set();
        let columns = rows.names();
        self.write(|stamps, rows| insert(stamps, &columns, rows), &rows)
            .await
    }

    /// Sets attributes of users.
    ///
    /// # Errors
    /// Fails with [`WriteError::Conflict`] if a key is taken, or a reference or one of the users is gone.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn update_users(&self, users: &UserValues) -> Result<(), WriteError> {
        let rows = users.row_set();
        let columns = rows.names();
        self.write(|stamps, rows| update(stamps, &columns, rows), &rows)
            .await
    }

    /// Makes users inactive who are active and not protected; and, unless the caller `may_privileged`, who have no
    /// privileged role. Returns the users that were made inactive.
    ///
    /// # Errors
    /// Fails if the database fails.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn deactivate_users(
        &self,
        users: &[Uuid],
        may_privileged: bool,
    ) -> Result<Vec<Uuid>, WriteError> {
        let further = if may_privileged { "" } else { UNPRIVILEGED };
        let rows = RowSet::new(vec![("id", ColumnValues::Uuid(users))]);
        let mut deactivated = Vec::new();
        for source in rows.sources(self.tx.dialect()) {
            let sql = |stamps: &Stamps, rows: &str| deactivation(stamps, rows, further);
            let (sql, values) = self.stamped(sql, source);
            for row in sql::query_all(&self.tx.inner, sql, values).await? {
                deactivated.push(row.try_get_by_index(0)?);
            }
        }
        Ok(deactivated)
    }

    /// Writes each row to exactly one user, or fails with a conflict.
    async fn write(
        &self,
        sql: impl Fn(&Stamps, &str) -> String + Sync,
        rows: &RowSet<'_>,
    ) -> Result<(), WriteError> {
        for source in rows.sources(self.tx.dialect()) {
            let rows = source.rows;
            let (sql, values) = self.stamped(&sql, source);
            if self.execute(sql, values).await? != rows as u64 {
                return Err(WriteError::Conflict);
            }
        }
        Ok(())
    }

    /// A statement on users, and the values that it binds.
    fn stamped(
        &self,
        sql: impl Fn(&Stamps, &str) -> String,
        source: RowSource,
    ) -> (String, Vec<Value>) {
        let mut values = source.values;
        let stamps = [1, 2, 3].map(|further| format!("${}", values.len() + further));
        values.extend([
            self.lease.organization.into(),
            self.now.into(),
            Value::from(self.import),
        ]);
        (sql(&Stamps(stamps), &source.sql), values)
    }
}
