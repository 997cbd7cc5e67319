//! Users for administrators: finds, lists, searches and protects them.

use sea_orm::Value;
use time::OffsetDateTime;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{
    AuditEntry, LanePermit, Store, StoreError, WriteTransaction,
    sql::{self, Dialect},
    user_reader::{FoundUsers, selected_texts, selected_user},
};
use crate::{
    audit::AuditAction,
    domain::{Actor, Column, GroupId, RoleId, User, fold},
};

/// A user as stored, with the supervisor's email.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
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

/// Which users to list. Every condition that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only active, or only inactive ones.
    pub active: Option<bool>,
    /// Only users with this role.
    pub role: Option<RoleId>,
    /// Only users in this group.
    pub group: Option<GroupId>,
    /// Only users with a text that contains this case-folded text; empty means all users.
    pub text: String,
}

/// Users that a search has found.
#[derive(Clone, Debug, Default)]
pub struct UserPage {
    /// By external ID.
    pub users: Vec<UserRecord>,
    /// The external ID after which to continue, if the search stopped before it had found enough users or looked at
    /// all of them.
    pub stopped_at: Option<String>,
}

/// Users that one step of a search looks at.
const SEARCH_STEP: usize = 2_000;

/// Users that one call looks at, so that its cost does not depend on the size of the organisation.
const MAX_SEARCHED: usize = 20_000;

/// Between the texts of a user, and between users; no value has a control character (semantics §2).
const SEPARATOR: char = '\u{1F}';
const USER_SEPARATOR: char = '\u{1E}';

/// A change of whether imports may make a user inactive.
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
    pub async fn user(&self, organization: i64, key: &UserKey) -> Result<UserRecord, StoreError> {
        let (column, value): (_, Value) = match key {
            UserKey::Id(id) => ("id", (*id).into()),
            UserKey::ExternalId(id) => ("external_id", id.into()),
            UserKey::EmailKey(key) => ("email_key", key.into()),
        };
        let is_this = format!("{column} = $2");
        let found = self.read_records(organization, &is_this, [value]).await?;
        found.into_iter().next().ok_or(StoreError::UnknownUser)
    }

    /// Returns up to `limit` users whose external ID comes after `after`, by external ID.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn users(
        &self,
        organization: i64,
        after: &str,
        limit: usize,
    ) -> Result<Vec<UserRecord>, StoreError> {
        let next = format!("external_id > $2 ORDER BY external_id LIMIT {limit}");
        self.read_records(organization, &next, [after.into()]).await
    }

    /// Returns up to `limit` users that pass the filter and whose external ID comes after `after`, by external ID. It
    /// looks at `MAX_SEARCHED` users at most, in steps between which other organisations have their turns.
    ///
    /// # Errors
    /// Fails if the database fails, and as [`LanePermit::read_turn`].
    pub async fn search_users(
        &self,
        share: &LanePermit,
        organization: i64,
        filter: &UserFilter,
        after: &str,
        limit: usize,
    ) -> Result<UserPage, StoreError> {
        let mut found = Vec::new();
        let mut after = after.to_owned();
        let mut stopped_at = None;
        for looked_at in (SEARCH_STEP..).step_by(SEARCH_STEP) {
            let _turn = share.read_turn().await?;
            let step = self.search_step(organization, filter, &after).await?;
            found.extend(step.found);
            if found.len() >= limit || !step.has_more {
                break;
            }
            after = step.last;
            if looked_at >= MAX_SEARCHED {
                stopped_at = Some(after);
                break;
            }
        }
        found.truncate(limit);
        let _turn = share.read_turn().await?;
        let users = self.users_with_external_ids(organization, found).await?;
        Ok(UserPage { users, stopped_at })
    }

    /// Looks at the next users after `after`.
    async fn search_step(
        &self,
        organization: i64,
        filter: &UserFilter,
        after: &str,
    ) -> Result<SearchStep, StoreError> {
        let sql = format!(
            "SELECT max(external_id), count(*), string_agg(texts, $4) FILTER (WHERE {}) FROM (SELECT \
            external_id, active, role_id, group_id, concat_ws($3, {}) AS texts FROM users \
            WHERE organization_id = $1 AND external_id > $2 ORDER BY external_id LIMIT {SEARCH_STEP}) AS step",
            filter.condition(),
            selected_texts(Column::SEARCHED)
        );
        let values = [
            organization.into(),
            after.into(),
            SEPARATOR.to_string().into(),
            USER_SEPARATOR.to_string().into(),
        ];
        let Some(row) = sql::query_one(&self.db, sql, values).await? else {
            return Ok(SearchStep::default());
        };
        let last: Option<String> = row.try_get_by_index(0)?;
        let looked_at: i64 = row.try_get_by_index(1)?;
        let users: Option<String> = row.try_get_by_index(2)?;
        let (users, text) = (users.unwrap_or_default(), filter.text.clone());
        // Folding long texts that are not ASCII takes a while.
        let matching = spawn_blocking(move || matching(&users, &text));
        Ok(SearchStep {
            found: matching.await.map_err(StoreError::encoding)?,
            last: last.unwrap_or_default(),
            has_more: usize::try_from(looked_at).is_ok_and(|looked_at| looked_at == SEARCH_STEP),
        })
    }

    /// Returns the users with these external IDs, by external ID.
    async fn users_with_external_ids(
        &self,
        organization: i64,
        external_ids: Vec<String>,
    ) -> Result<Vec<UserRecord>, StoreError> {
        if external_ids.is_empty() {
            return Ok(Vec::new());
        }
        let bound: Vec<String> = (2..external_ids.len() + 2)
            .map(|number| format!("${number}"))
            .collect();
        let these = format!("external_id IN ({}) ORDER BY external_id", bound.join(", "));
        let ids = external_ids.into_iter().map(Value::from);
        self.read_records(organization, &these, ids).await
    }

    /// Returns the users that meet `condition`, which may also order and limit them. Its `values` are bound from `$2`
    /// on.
    async fn read_records(
        &self,
        organization: i64,
        condition: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<UserRecord>, StoreError> {
        let sql = format!(
            "SELECT {}, (SELECT s.email FROM users s WHERE s.organization_id = $1 AND s.id = users.supervisor_id), \
            created_at, updated_at, last_import_id FROM users WHERE organization_id = $1 AND {condition}",
            selected_user(Dialect::of(&self.db))
        );
        let values = [organization.into()].into_iter().chain(values);
        let rows = sql::query_all(&self.db, sql, values).await?;
        let mut users = FoundUsers::default();
        for row in &rows {
            users.add_row(row)?;
        }
        let records = rows.iter().zip(users.finish()).map(|(row, user)| {
            Ok(UserRecord {
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
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<UserRecord, StoreError> {
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

/// The result of one step of a search.
#[derive(Default)]
struct SearchStep {
    /// External IDs, in order.
    found: Vec<String>,
    /// External ID of the last user that was looked at.
    last: String,
    /// There may be more users.
    has_more: bool,
}

impl UserFilter {
    /// The conditions that the database checks.
    fn condition(&self) -> String {
        let active = self.active.map(|active| match active {
            true => "active".to_owned(),
            false => "NOT active".to_owned(),
        });
        let role = self.role.map(|role| format!("role_id = {}", role.0));
        let group = self
            .group
            .map(|group| format!("group_id = {}", group.get()));
        let conditions: Vec<_> = [active, role, group].into_iter().flatten().collect();
        match conditions.is_empty() {
            true => "1 = 1".to_owned(),
            false => conditions.join(" AND "),
        }
    }
}

/// Returns the external IDs of those `users` (joined texts, the external ID first) that contain `text`, in order. The
/// text is compared here, since the databases fold case differently. It contains no separator, and so never
/// matches across two texts.
fn matching(users: &str, text: &str) -> Vec<String> {
    let users = users.split(USER_SEPARATOR).filter(|user| !user.is_empty());
    let matching = users.filter(|user| contains_folded([*user], text));
    let ids = matching.filter_map(|user| user.split(SEPARATOR).next());
    let mut ids: Vec<String> = ids.map(str::to_owned).collect();
    ids.sort_unstable();
    ids
}

/// Returns `true` if one of `texts` contains `text`, which is case-folded.
#[must_use]
pub(crate) fn contains_folded<'a>(texts: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    text.is_empty() || texts.into_iter().any(|value| fold(value).contains(text))
}
