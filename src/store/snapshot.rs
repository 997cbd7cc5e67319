//! The directory as it was at one moment, for planning.

use futures_util::TryStreamExt;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbErr, IsolationLevel, QueryResult,
    Statement, StreamTrait, TransactionOptions, TransactionTrait,
};

use super::{Store, StoreError, catalog};
use crate::domain::{Catalog, GroupId, RankId, RoleId, Status, User, UserText};

/// All users and the catalog of an organisation at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The organisation's revision at that moment.
    pub revision: i64,
    /// Roles, ranks and groups.
    pub catalog: Catalog,
    /// The users, by external ID.
    pub users: Vec<User>,
}

const USERS: &str = "SELECT id, external_id, email, badge_number, first_name, last_name, active, \
    username, role_id, supervisor_id, rank_id, group_id, phone, protected \
    FROM users WHERE organization_id = $1";

impl Store {
    /// Reads an organisation's users and catalog as they are at one moment.
    ///
    /// # Errors
    /// Where the organisation is unknown, or the database fails.
    pub async fn snapshot(&self, organization: i64) -> Result<Snapshot, StoreError> {
        let tx = self.begin_reading().await?;
        let revision = revision(&tx, organization).await?;
        let catalog = catalog::read(&tx, organization).await?;
        let users = users(&tx, organization).await?;
        tx.commit().await?;
        Ok(Snapshot {
            revision,
            catalog,
            users,
        })
    }

    /// The organisation's revision now.
    ///
    /// # Errors
    /// Where the organisation is unknown, or the database fails.
    pub async fn revision(&self, organization: i64) -> Result<i64, StoreError> {
        revision(&self.db, organization).await
    }

    /// Begins a transaction whose statements all see the same moment.
    pub(super) async fn begin_reading(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            sqlite_transaction_mode: None,
        };
        Ok(self.db.begin_with_options(options).await?)
    }
}

async fn revision(tx: &impl ConnectionTrait, organization: i64) -> Result<i64, StoreError> {
    let sql = "SELECT revision FROM organizations WHERE id = $1";
    let backend = ConnectionTrait::get_database_backend(tx);
    let statement = Statement::from_sql_and_values(backend, sql, [organization.into()]);
    match tx.query_one_raw(statement).await? {
        Some(row) => Ok(row.try_get_by_index(0)?),
        None => Err(StoreError::UnknownOrganization),
    }
}

async fn users(tx: &DatabaseTransaction, organization: i64) -> Result<Vec<User>, StoreError> {
    let backend = ConnectionTrait::get_database_backend(tx);
    let statement = Statement::from_sql_and_values(backend, USERS, [organization.into()]);
    let rows = tx.stream_raw(statement).await?;
    let mut users: Vec<User> = rows
        .and_then(|row| async move { user(&row) })
        .try_collect()
        .await?;
    // Sooner done than by the database, which would look each user up in the order of an index.
    users.sort_unstable_by(|a, b| a.external_id().cmp(b.external_id()));
    Ok(users)
}

/// Reads the columns of [`USERS`], by position.
fn user(row: &QueryResult) -> Result<User, DbErr> {
    let text = |index| row.try_get_by_index::<String>(index);
    let phone: Option<String> = row.try_get_by_index(12)?;
    let mut user = User::new(
        row.try_get_by_index(0)?,
        RoleId(row.try_get_by_index(8)?),
        UserText {
            external_id: &text(1)?,
            email: &text(2)?,
            badge_number: &text(3)?,
            first_name: &text(4)?,
            last_name: &text(5)?,
            username: &text(7)?,
            phone: phone.as_deref().unwrap_or_default(),
        },
    );
    if !row.try_get_by_index::<bool>(6)? {
        user.status = Status::Inactive;
    }
    user.protected = row.try_get_by_index(13)?;
    user.rank = row.try_get_by_index::<Option<i32>>(10)?.map(RankId);
    user.group = row.try_get_by_index::<Option<i32>>(11)?.map(GroupId);
    user.supervisor = row.try_get_by_index(9)?;
    Ok(user)
}
