//! Creates, updates and deactivates users, many in one statement.

use sea_orm::Value;
use uuid::Uuid;

use super::ImportTransaction;
use crate::{
    domain::Column,
    store::{
        WriteError,
        row_set::{ColumnValues, RowSet, RowSource, TextColumn},
        sql::{self, SqlDialect},
        user_values::UserValues,
    },
};

/// Placeholders of the values that every statement on users binds: organisation, time and import.
struct UserStamps([String; 3]);

fn insert(
    UserStamps([organization, now, import]): &UserStamps,
    columns: &[&str],
    rows: &str,
) -> String {
    let (names, values) = (columns.join(", "), columns.join(", r."));
    format!(
        "INSERT INTO users (organization_id, {names}, protected, created_at, updated_at, \
        last_import_id) SELECT {organization}, r.{values}, FALSE, {now}, {now}, {import} FROM {rows}"
    )
}

/// Sets these columns of users; the first column is the ID, which identifies the user.
fn update(
    UserStamps([organization, now, import]): &UserStamps,
    columns: &[&str],
    rows: &str,
) -> String {
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
fn deactivation(
    UserStamps([organization, now, import]): &UserStamps,
    rows: &str,
    further: &str,
) -> String {
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
fn aside(UserStamps([organization, now, import]): &UserStamps, rows: &str) -> String {
    format!(
        "UPDATE users SET email_key = r.aside, badge_number = r.aside, username_key = r.aside, \
        updated_at = {now}, last_import_id = {import} \
        FROM {rows} WHERE users.organization_id = {organization} AND users.id = r.id"
    )
}

/// If a statement fails, SQLite need not undo it alone, since the whole transaction is given up. SQLite then copies no
/// page before it changes it. That is a tenth of the processor time of a large update.
fn without_undo(dialect: SqlDialect, sql: String) -> String {
    match (dialect, sql.split_once(' ')) {
        (SqlDialect::Sqlite, Some((verb, rest))) => format!("{verb} OR FAIL {rest}"),
        _ => sql,
    }
}

/// A condition that always holds. With it an `UPDATE` of users says to `PostgreSQL` whether it sets references; if it
/// sets none, `PostgreSQL` checks none. Checking them takes a quarter of its time for an import that changes phone numbers.
fn saying_whether_references_are_set(sets_references: bool) -> String {
    let answer = if sets_references { "yes" } else { "no" };
    format!(" AND (SELECT set_config('user_import.sets_references', '{answer}', true)) IS NOT NULL")
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
        let sets_references = users.attributes().intersects(Column::REFERENCES);
        let further = match self.has_reference_triggers {
            true => saying_whether_references_are_set(sets_references),
            false => String::new(),
        };
        let sql = |stamps: &UserStamps, rows: &str| update(stamps, &columns, rows) + &further;
        self.write(sql, &rows).await
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
            let sql = |stamps: &UserStamps, rows: &str| deactivation(stamps, rows, further);
            let (sql, values) = self.stamped(sql, source);
            for row in sql::query_all(&self.tx.inner, sql, values).await? {
                deactivated.push(row.try_get_by_index(0)?);
            }
        }
        Ok(deactivated)
    }

    /// Writes each row to exactly one user, or fails with a conflict; the transaction must then be dropped.
    async fn write(
        &self,
        sql: impl Fn(&UserStamps, &str) -> String + Sync,
        rows: &RowSet<'_>,
    ) -> Result<(), WriteError> {
        for source in rows.sources(self.tx.dialect()) {
            let rows = source.rows;
            let (sql, values) = self.stamped(&sql, source);
            let sql = without_undo(self.tx.dialect(), sql);
            if self.execute(sql, values).await? != rows as u64 {
                return Err(WriteError::Conflict);
            }
        }
        Ok(())
    }

    /// A statement on users, and the values that it binds.
    fn stamped(
        &self,
        sql: impl Fn(&UserStamps, &str) -> String,
        source: RowSource,
    ) -> (String, Vec<Value>) {
        let mut values = source.values;
        let stamps = [1, 2, 3].map(|further| format!("${}", values.len() + further));
        values.extend([
            self.lease.organization.into(),
            self.now.into(),
            Value::from(self.import),
        ]);
        (sql(&UserStamps(stamps), &source.sql), values)
    }
}
