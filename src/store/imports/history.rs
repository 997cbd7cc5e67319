//! The records of an organisation's imports, one by its ID or a list with the newest first.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use time::OffsetDateTime;
use uuid::Uuid;

use super::ImportRecord;
use crate::{
    domain::ImportState,
    store::{
        Store, StoreError,
        entity::import::{Column, Entity},
    },
};

impl Store {
    /// Finds the record of an import.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn import(
        &self,
        organization: i64,
        id: Uuid,
    ) -> Result<Option<ImportRecord>, StoreError> {
        self.retry(|| async { Ok(Entity::find_by_id((organization, id)).one(&self.db).await?) })
            .await
    }

    /// Returns up to `limit` records that began before `before`, the newest first: those whose recorded state is one of
    /// `states`, or all if there is none.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn imports(
        &self,
        organization: i64,
        states: &[ImportState],
        before: Option<(OffsetDateTime, Uuid)>,
        limit: u64,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        let mut select = newest_first(organization, before).limit(limit);
        if !states.is_empty() {
            let states = states.iter().map(|&state| i32::from(state));
            select = select.filter(Column::State.is_in(states));
        }
        Ok(select.all(&self.db).await?)
    }

    /// Returns up to `limit` imports that have changed users and had not ended at `since`, the latest first, from `before`
    /// on.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn imports_with_changes(
        &self,
        organization: i64,
        since: OffsetDateTime,
        before: Option<(OffsetDateTime, Uuid)>,
        limit: u64,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        let has_changed = Condition::any()
            .add(Column::Created.gt(0))
            .add(Column::Updated.gt(0))
            .add(Column::Deactivated.gt(0));
        let was_there = Condition::any()
            .add(Column::FinishedAt.is_null())
            .add(Column::FinishedAt.gte(since));
        let held = i32::from(ImportState::Held);
        let select = newest_first(organization, before)
            .filter(Column::OptionsDigest.is_not_null())
            .filter(Column::ValidateOnly.eq(false))
            .filter(Column::State.ne(held))
            .filter(has_changed)
            .filter(was_there);
        Ok(select.limit(limit).all(&self.db).await?)
    }
}

/// The imports of an organisation from `before` on, the latest first.
fn newest_first(organization: i64, before: Option<(OffsetDateTime, Uuid)>) -> Select<Entity> {
    let select = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .order_by_desc(Column::StartedAt)
        .order_by_desc(Column::Id);
    let Some((started_at, id)) = before else {
        return select;
    };
    let same_moment = Condition::all()
        .add(Column::StartedAt.eq(started_at))
        .add(Column::Id.lt(id));
    let older = Condition::any()
        .add(Column::StartedAt.lt(started_at))
        .add(same_moment);
    select.filter(older)
}
