//! Mappings that organisations have saved under a name. Each is an encoded message that this module does not read.

use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, sea_query::OnConflict,
};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{
    AuditEntry, Store, StoreError,
    entity::mapping::{Column, Entity, Model},
    write_transaction::WriteTransaction,
};
use crate::{audit::AuditAction, domain::AuditActor};

/// A saved mapping, as stored.
pub(crate) type StoredMapping = Model;

/// Most mappings of an organisation.
const MOST: i64 = 100;

/// Most bytes of an organisation's mappings together, so that one message can list them.
const MOST_BYTES: i64 = 1024 * 1024;

/// Why a mapping was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveMappingError {
    /// The organisation would have more mappings than this.
    #[error("an organisation may have {0} mappings")]
    TooMany(i64),
    /// The organisation's mappings together would have more bytes than this.
    #[error("the mappings of an organisation may have {0} bytes together")]
    TooLarge(i64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Returns an organisation's mappings by name.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn mappings(&self, organization: i64) -> Result<Vec<StoredMapping>, StoreError> {
        let found = Entity::find().filter(Column::OrganizationId.eq(organization));
        Ok(found.order_by_asc(Column::Name).all(&self.db).await?)
    }

    /// Returns the mapping with this name, if the organisation has it.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn mapping(
        &self,
        organization: i64,
        name: &str,
    ) -> Result<Option<StoredMapping>, StoreError> {
        let key = (organization, name.to_owned());
        Ok(Entity::find_by_id(key).one(&self.db).await?)
    }

    /// Saves a mapping. It replaces one with the same name.
    ///
    /// # Errors
    /// Fails if the organisation would have too many or too large mappings, or if the database fails.
    pub async fn save_mapping(
        &self,
        record: &StoredMapping,
        actor: &AuditActor,
    ) -> Result<(), SaveMappingError> {
        let organization = record.organization_id;
        let tx = self.begin_for(organization).await?;
        // The counts stay the same until the commit.
        let lock = tx.dialect().lock_rows();
        let sql = format!("SELECT id FROM organizations WHERE id = $1 {lock}");
        tx.query_one(sql, [organization.into()]).await?;
        let before = usage(&tx, organization, &record.name).await?;
        let key = [Column::OrganizationId, Column::Name];
        let replace = OnConflict::columns(key)
            .update_columns([Column::Mapping, Column::UpdatedAt])
            .to_owned();
        Entity::insert(record.clone().into_active_model())
            .on_conflict(replace)
            .exec_without_returning(&tx.inner)
            .await
            .map_err(StoreError::from)?;
        let now = usage(&tx, organization, &record.name).await?;
        if now.mappings > MOST {
            return Err(SaveMappingError::TooMany(MOST));
        }
        if now.bytes > MOST_BYTES {
            return Err(SaveMappingError::TooLarge(MOST_BYTES));
        }
        let action = AuditAction::MappingSaved;
        let entry = AuditEntry::done(record.updated_at, actor, action, &record.name)
            .with("sha256", &hex::encode(Sha256::digest(&record.mapping)))
            .with("replaced", &before.has_name);
        tx.note(organization, entry);
        Ok(tx.commit().await?)
    }

    /// Deletes a mapping. Returns `false` if the organisation has none with this name.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn delete_mapping(
        &self,
        organization: i64,
        name: &str,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_for(organization).await?;
        let delete = Entity::delete_by_id((organization, name.to_owned()));
        let is_deleted = delete.exec(&tx.inner).await?.rows_affected > 0;
        if is_deleted {
            let action = AuditAction::MappingDeleted;
            tx.note(organization, AuditEntry::done(now, actor, action, &name));
        }
        tx.commit().await?;
        Ok(is_deleted)
    }
}

/// The number and size of an organisation's mappings.
struct MappingUsage {
    mappings: i64,
    bytes: i64,
    /// One of the mappings has this name.
    has_name: bool,
}

async fn usage(
    tx: &WriteTransaction,
    organization: i64,
    name: &str,
) -> Result<MappingUsage, StoreError> {
    let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(mapping)), 0) AS BIGINT), \
        COUNT(CASE WHEN name = $2 THEN 1 END) FROM mappings WHERE organization_id = $1";
    let row = tx
        .query_one(sql, [organization.into(), name.into()])
        .await?;
    let row = row.ok_or_else(|| StoreError::encoding("a count has no row"))?;
    let named: i64 = row.try_get_by_index(2)?;
    Ok(MappingUsage {
        mappings: row.try_get_by_index(0)?,
        bytes: row.try_get_by_index(1)?,
        has_name: named > 0,
    })
}
