//! Users made, changed and deactivated, many in one statement.

use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

use super::ImportTransaction;
use crate::store::{
    WriteError,
    row_set::{ColumnValues, RowSet, RowSource, TextColumn},
    user_values::UserValues,
};

/// Numbers of what every statement on users binds: organisation, time and import.
struct Stamps([String; 3]);

fn insert(Stamps([organization, now, import]): &Stamps, columns: &[&str], rows: &str) -> String {
    let (names, values) = (columns.join(", "), columns.join(", r."));
    format!(
        "INSERT INTO users (organization_id, {names}, protected, created_at, updated_at, \
        last_import_id) SELECT {organization}, r.{values}, FALSE, {now}, {now}, {import} FROM {rows}"
    )
}

/// Sets these columns of the users whom the first of them, the ID, tells.
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

/// Makes active users inactive who are not protected and fulfil `further` too.
fn deactivation(Stamps([organization, now, import]): &Stamps, rows: &str, further: &str) -> String {
    format!(
        "UPDATE users SET active = FALSE, updated_at = {now}, last_import_id = {import} \
        FROM {rows} WHERE users.organization_id = {organization} AND users.id = r.id \
        AND users.active AND NOT users.protected {further} RETURNING users.id"
    )
}

fn deactivate(stamps: &Stamps, rows: &str) -> String {
    deactivation(stamps, rows, "")
}

fn deactivate_unprivileged(stamps: &Stamps, rows: &str) -> String {
    let unprivileged = "AND NOT EXISTS (SELECT 1 FROM roles WHERE \
        roles.organization_id = users.organization_id AND roles.id = users.role_id \
        AND roles.privileged)";
    deactivation(stamps, rows, unprivileged)
}

/// Moves the keys of users out of the way of others who take them in the same transaction. No key
/// has a control character, so what stands in for them meets none.
fn move_keys_aside(Stamps([organization, now, import]): &Stamps, rows: &str) -> String {
    format!(
        "UPDATE users SET email_key = r.parked, badge_number = r.parked, username_key = r.parked, \
        updated_at = {now}, last_import_id = {import} \
        FROM {rows} WHERE users.organization_id = {organization} AND users.id = r.id"
    )
}

impl ImportTransaction {
    /// Moves the keys of these users out of the way; each must be updated in this transaction.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn move_keys_aside(&self, users: &[Uuid]) -> Result<(), WriteError> {
        let mut parked = TextColumn::default();
        for id in users {
            parked.push(&format!("\u{1}{}", id.simple()));
        }
        let columns = vec![
            ("id", ColumnValues::Uuid(users)),
            ("parked", ColumnValues::Text(&parked)),
        ];
        self.write(move_keys_aside, &RowSet::new(columns)).await
    }

    /// Makes users.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] where one of their keys is taken or a reference is gone.
    pub async fn create_users(&self, users: &UserValues) -> Result<(), WriteError> {
        let rows = users.row_set();
        let columns = rows.names();
        self.write(|stamps, rows| insert(stamps, &columns, rows), &rows)
            .await
    }

    /// Sets the attributes of users.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] where a key is taken, or a reference or one of the users is gone.
    pub async fn update_users(&self, users: &UserValues) -> Result<(), WriteError> {
        let rows = users.row_set();
        let columns = rows.names();
        self.write(|stamps, rows| update(stamps, &columns, rows), &rows)
            .await
    }

    /// Makes users inactive who are active and not protected, and, unless the caller
    /// `may_privileged`, in no privileged role; returns those.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deactivate_users(
        &self,
        users: &[Uuid],
        may_privileged: bool,
    ) -> Result<Vec<Uuid>, WriteError> {
        let sql = match may_privileged {
            true => deactivate,
            false => deactivate_unprivileged,
        };
        let row_set = RowSet::new(vec![("id", ColumnValues::Uuid(users))]);
        let mut deactivated = Vec::new();
        for source in row_set.sources(self.backend()) {
            let statement = self.statement(sql, source);
            for row in self.tx.inner.query_all_raw(statement).await? {
                deactivated.push(row.try_get_by_index(0)?);
            }
        }
        Ok(deactivated)
    }

    /// Writes each row to exactly one user, or meets a conflict.
    async fn write(
        &self,
        sql: impl Fn(&Stamps, &str) -> String + Sync,
        rows: &RowSet<'_>,
    ) -> Result<(), WriteError> {
        for source in rows.sources(self.backend()) {
            let rows = source.rows;
            let written = self
                .tx
                .inner
                .execute_raw(self.statement(&sql, source))
                .await?;
            if written.rows_affected() != rows as u64 {
                return Err(WriteError::Conflict);
            }
        }
        Ok(())
    }

    fn statement(&self, sql: impl Fn(&Stamps, &str) -> String, source: RowSource) -> Statement {
        let mut values = source.values;
        let stamps = [1, 2, 3].map(|further| format!("${}", values.len() + further));
        values.extend([
            self.lease.organization.into(),
            self.now.into(),
            Value::from(self.import),
        ]);
        let sql = sql(&Stamps(stamps), &source.sql);
        Statement::from_sql_and_values(self.backend(), sql, values)
    }
}
