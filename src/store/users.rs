//! Users for administrators: finds and protects them. Lists and searches are in `user_search`.

use sea_orm::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    AuditEntry, Store, StoreError, WriteTransaction,
    sql::{self, SqlDialect},
    user_reader::{FoundUsers, selected_user},
};
use crate::{
    audit::AuditAction,
    domain::{AuditActor, User},
};

/// A user as stored, with the supervisor's email.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUser {
    /// The user.
    pub user: User,
    /// Email of the supervisor.
    pub supervisor_email: Option<String>,
    /// When the user was created.
    pub created_at: OffsetDateTime,
    /// When the user was last changed.
    pub updated_at: OffsetDateTime,
    /// The import that last wrote this user.
    pub last_import_id: Option<Uuid>,
}

/// A key that identifies a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserKey {
    /// By ID.
    Id(Uuid),
    /// By external ID, exactly.
    ExternalId(String),
    /// By case-folded email.
    EmailKey(String),
}

/// A request to protect a user from being made inactive by imports, or to end that.
#[derive(Clone, Copy, Debug)]
pub struct ProtectionChange {
    /// The user.
    pub user: Uuid,
    /// Whether the user is to be protected.
    pub protected: bool,
    /// The caller may change users who have a privileged role.
    pub may_privilege: bool,
}

impl Store {
    /// Finds a user.
    ///
    /// # Errors
    /// Fails with [`StoreError::UnknownUser`] if there is none.
    pub async fn user(&self, organization: i64, key: &UserKey) -> Result<StoredUser, StoreError> {
        let (column, value): (_, Value) = match key {
            UserKey::Id(id) => ("id", (*id).into()),
            UserKey::ExternalId(id) => ("external_id", id.into()),
            UserKey::EmailKey(key) => ("email_key", key.into()),
        };
        let is_this = format!("{column} = $2");
        let found = self.read_records(organization, &is_this, [value]).await?;
        found.into_iter().next().ok_or(StoreError::UnknownUser)
    }

    /// Returns the users that meet `condition`, which may also order and limit them. Its `values` are bound from `$2`
    /// on.
    pub(super) async fn read_records(
        &self,
        organization: i64,
        condition: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<StoredUser>, StoreError> {
        let sql = format!(
            "SELECT {}, (SELECT s.email FROM users s WHERE s.organization_id = $1 AND s.id = users.supervisor_id), \
            created_at, updated_at, last_import_id FROM users WHERE organization_id = $1 AND {condition}",
            selected_user(SqlDialect::of(&self.db))
        );
        let values = [organization.into()].into_iter().chain(values);
        let rows = sql::query_all(&self.db, sql, values).await?;
        let mut users = FoundUsers::default();
        for row in &rows {
            users.add_row(row)?;
        }
        let records = rows.iter().zip(users.finish()).map(|(row, user)| {
            Ok(StoredUser {
                user,
                supervisor_email: row.try_get_by_index(5)?,
                created_at: row.try_get_by_index(6)?,
                updated_at: row.try_get_by_index(7)?,
                last_import_id: row.try_get_by_index(8)?,
            })
        });
        records.collect()
    }

    /// Protects a user from being made inactive by an import, or ends that.
    ///
    /// # Errors
    /// Fails with [`StoreError::UnknownUser`] if there is none, and with [`StoreError::PrivilegedUser`] if the user has
    /// a privileged role and the caller may not change such users.
    pub async fn protect_user(
        &self,
        organization: i64,
        ProtectionChange {
            user,
            protected,
            may_privilege,
        }: ProtectionChange,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<StoredUser, StoreError> {
        let tx = self.begin_for(organization).await?;
        tx.enter_exclusive(organization).await?;
        if !may_privilege && tx.is_privileged(organization, user).await? {
            return Err(StoreError::PrivilegedUser);
        }
        tx.bump_revision(organization).await?;
        let sql = "UPDATE users SET protected = $3, updated_at = $4 \
            WHERE organization_id = $1 AND id = $2 AND protected <> $3";
        let values = [
            organization.into(),
            user.into(),
            protected.into(),
            now.into(),
        ];
        if tx.execute(sql, values).await? > 0 {
            let action = AuditAction::UserProtectionChanged;
            let entry = AuditEntry::done(now, actor, action, &user);
            tx.note(organization, entry.with("protected", &protected));
        }
        tx.commit().await?;
        self.user(organization, &UserKey::Id(user)).await
    }
}

impl WriteTransaction {
    /// Returns `true` if the user has a privileged role.
    async fn is_privileged(&self, organization: i64, user: Uuid) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM users u JOIN roles r ON r.organization_id = u.organization_id \
            AND r.id = u.role_id WHERE u.organization_id = $1 AND u.id = $2 AND r.privileged";
        let values = [organization.into(), user.into()];
        Ok(self.query_one(sql, values).await?.is_some())
    }
}
