//! Users as administrators look at them: found, listed, protected.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    Statement,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    AuditEntry, Store, StoreError, Writing,
    entity::user::{Column, Entity, Model},
};
use crate::{
    domain::{Actor, GroupId, RoleId, fold},
    proto::AuditAction,
};

/// A user as stored, with the supervisor's email.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// The user.
    pub user: Model,
    /// Email of the supervisor.
    pub supervisor_email: Option<String>,
}

/// One way to name a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserKey {
    /// By ID.
    Id(Uuid),
    /// By external ID, exactly.
    ExternalId(String),
    /// By case-folded email.
    EmailKey(String),
}

/// Which users to list; all that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only active, or only inactive ones.
    pub active: Option<bool>,
    /// Only users with this role.
    pub role: Option<RoleId>,
    /// Only users in this group.
    pub group: Option<GroupId>,
    /// Only users one of whose texts contains this, case-folded; empty: any.
    pub text: String,
}

/// How many users are read at a time while looking for those that contain a text.
const READ_AHEAD: u64 = 1_000;

/// Whether a user is to be protected from being made inactive by an import.
#[derive(Clone, Copy, Debug)]
pub struct Protection {
    /// The user.
    pub user: Uuid,
    /// Protected, or not any more.
    pub protected: bool,
    /// The caller may change users who have a privileged role.
    pub may_privilege: bool,
}

impl Store {
    /// Finds a user.
    ///
    /// # Errors
    /// [`StoreError::UnknownUser`] where there is none.
    pub async fn user(&self, organization: i64, key: &UserKey) -> Result<UserRecord, StoreError> {
        let tx = self.begin_reading().await?;
        let user = find(organization, key).one(&tx).await?;
        let user = user.ok_or(StoreError::UnknownUser)?;
        let mut records = with_supervisors(&tx, organization, vec![user]).await?;
        tx.commit().await?;
        records.pop().ok_or(StoreError::UnknownUser)
    }

    /// Up to `limit` users that pass the filter, by external ID, from the one after `after` on.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn users(
        &self,
        organization: i64,
        filter: &UserFilter,
        after: &str,
        limit: usize,
    ) -> Result<Vec<UserRecord>, StoreError> {
        let tx = self.begin_reading().await?;
        let users = page(&tx, organization, filter, after, limit).await?;
        let records = with_supervisors(&tx, organization, users).await?;
        tx.commit().await?;
        Ok(records)
    }

    /// Protects a user from being made inactive by an import, or ends that.
    ///
    /// # Errors
    /// [`StoreError::UnknownUser`] where there is none; [`StoreError::PrivilegedUser`] if the user has
    /// a privileged role and the caller may not change such users.
    pub async fn protect_user(
        &self,
        organization: i64,
        Protection {
            user,
            protected,
            may_privilege,
        }: Protection,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<UserRecord, StoreError> {
        let writing = self.begin().await?;
        writing.enter_alone(organization).await?;
        if !may_privilege && writing.is_privileged(organization, user).await? {
            return Err(StoreError::PrivilegedUser);
        }
        writing.touch(organization).await?;
        let sql = "UPDATE users SET protected = $3, updated_at = $4 \
            WHERE organization_id = $1 AND id = $2 AND protected <> $3";
        let values = vec![
            organization.into(),
            user.into(),
            protected.into(),
            now.into(),
        ];
        if writing.execute(sql.to_owned(), values).await? > 0 {
            let action = AuditAction::UserProtectionChanged;
            let entry = AuditEntry::done(now, actor, action, &user);
            writing.note(organization, entry.with("protected", &protected));
        }
        writing.commit().await?;
        self.user(organization, &UserKey::Id(user)).await
    }
}

impl Writing {
    /// True if the user has a privileged role.
    async fn is_privileged(&self, organization: i64, user: Uuid) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM users u JOIN roles r ON r.organization_id = u.organization_id \
            AND r.id = u.role_id WHERE u.organization_id = $1 AND u.id = $2 AND r.privileged";
        let backend = self.tx.get_database_backend();
        let values = [organization.into(), user.into()];
        let statement = Statement::from_sql_and_values(backend, sql, values);
        Ok(self.tx.query_one_raw(statement).await?.is_some())
    }
}

fn of(organization: i64) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(organization))
}

fn find(organization: i64, key: &UserKey) -> Select<Entity> {
    of(organization).filter(match key {
        UserKey::Id(id) => Column::Id.eq(*id),
        UserKey::ExternalId(id) => Column::ExternalId.eq(id),
        UserKey::EmailKey(key) => Column::EmailKey.eq(key),
    })
}

/// The databases disagree on what is equal without case, so the text is looked for here.
async fn page(
    tx: &impl ConnectionTrait,
    organization: i64,
    filter: &UserFilter,
    after: &str,
    limit: usize,
) -> Result<Vec<Model>, StoreError> {
    let mut found = Vec::new();
    let mut after = after.to_owned();
    let read = match filter.text.is_empty() {
        true => limit as u64,
        false => READ_AHEAD.max(limit as u64),
    };
    loop {
        let select = selected(organization, filter)
            .filter(Column::ExternalId.gt(&after))
            .order_by_asc(Column::ExternalId)
            .limit(read);
        let users = select.all(tx).await?;
        let Some(last) = users.last() else { break };
        after.clone_from(&last.external_id);
        let end = (users.len() as u64) < read;
        found.extend(
            users
                .into_iter()
                .filter(|user| contains(texts(user), &filter.text)),
        );
        if end || found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

fn selected(organization: i64, filter: &UserFilter) -> Select<Entity> {
    let mut select = of(organization);
    if let Some(active) = filter.active {
        select = select.filter(Column::Active.eq(active));
    }
    if let Some(role) = filter.role {
        select = select.filter(Column::RoleId.eq(role.0));
    }
    if let Some(group) = filter.group {
        select = select.filter(Column::GroupId.eq(group.get()));
    }
    select
}

/// True where one of `texts` has `text`, which is case-folded.
#[must_use]
pub fn contains<'a>(texts: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    text.is_empty() || texts.into_iter().any(|value| fold(value).contains(text))
}

/// What a text is looked for in.
fn texts(user: &Model) -> [&str; 6] {
    [
        &user.external_id,
        &user.email,
        &user.badge_number,
        &user.first_name,
        &user.last_name,
        &user.username,
    ]
}

async fn with_supervisors(
    tx: &impl ConnectionTrait,
    organization: i64,
    users: Vec<Model>,
) -> Result<Vec<UserRecord>, StoreError> {
    let ids = users.iter().filter_map(|user| user.supervisor_id);
    let supervisors = of(organization)
        .filter(Column::Id.is_in(ids))
        .all(tx)
        .await?;
    let emails: HashMap<Uuid, String> = supervisors
        .into_iter()
        .map(|user| (user.id, user.email))
        .collect();
    let record = |user: Model| UserRecord {
        supervisor_email: user.supervisor_id.and_then(|id| emails.get(&id).cloned()),
        user,
    };
    Ok(users.into_iter().map(record).collect())
}
