//! Organisations: creates, finds and lists them.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;

use super::{
    AuditEntry, Store, StoreError, distribution,
    entity::organization::{ActiveModel, Column, Entity, Model},
    error::is_violation,
    sql,
};
use crate::{
    audit::AuditAction,
    domain::{AuditActor, OrganizationSlug},
};

/// An organisation, as stored.
pub(crate) type Organization = Model;

/// Bytes of an organisation's secret for the digests of plans.
const DIGEST_SECRET: usize = 32;

fn read_secret(stored: &[u8]) -> Result<[u8; DIGEST_SECRET], StoreError> {
    let secret = stored.try_into();
    secret.map_err(|_| StoreError::encoding("an organisation's digest secret is damaged"))
}

impl Store {
    /// Creates an organisation with an empty catalog.
    ///
    /// # Errors
    /// Fails with [`StoreError::OrganizationExists`] if the slug is in use.
    pub async fn create_organization(
        &self,
        slug: &str,
        display_name: &str,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<Organization, StoreError> {
        let tx = self.begin().await?;
        let organization = ActiveModel {
            id: NotSet,
            slug: Set(slug.to_owned()),
            display_name: Set(display_name.to_owned()),
            revision: Set(0),
            last_import_id: Set(None),
            created_at: Set(now),
            digest_secret: Set(None),
            phone_region: Set(None),
            badge_number_pattern: Set(None),
            external_id_pattern: Set(None),
        };
        let exists = |error| match is_violation(&error) {
            true => StoreError::OrganizationExists,
            false => error.into(),
        };
        let insert = Entity::insert(organization);
        let inserted = insert.exec_with_returning(&tx.inner).await;
        let inserted = inserted.map_err(exists)?;
        if self.is_distributed {
            let recorded = distribution::record_slug(&tx.inner, slug, inserted.id).await;
            recorded.map_err(exists)?;
        }
        let action = AuditAction::OrganizationCreated;
        tx.note(inserted.id, AuditEntry::done(now, actor, action, &slug));
        tx.commit().await?;
        Ok(inserted)
    }

    /// Finds an organisation by its slug.
    ///
    /// # Errors
    /// Fails with [`StoreError::UnknownOrganization`] if there is none.
    pub async fn organization(&self, slug: &str) -> Result<Organization, StoreError> {
        self.retry(|| self.organization_once(slug)).await
    }

    async fn organization_once(&self, slug: &str) -> Result<Organization, StoreError> {
        // A text that is not a slug may have characters that PostgreSQL does not accept.
        let slug = OrganizationSlug::parse(slug).map_err(|_| StoreError::UnknownOrganization)?;
        let found = match self.is_distributed {
            true => {
                let id = distribution::organization_of(&self.db, slug.as_str()).await?;
                Entity::find_by_id(id.ok_or(StoreError::UnknownOrganization)?)
            }
            false => Entity::find().filter(Column::Slug.eq(slug.as_str())),
        };
        found
            .one(&self.db)
            .await?
            .ok_or(StoreError::UnknownOrganization)
    }

    /// Returns the organisation's secret for the digests of plans. The first call creates it.
    ///
    /// # Errors
    /// Fails if the database fails, or the system gives no random numbers.
    pub async fn digest_secret(
        &self,
        organization: &Organization,
    ) -> Result<[u8; DIGEST_SECRET], StoreError> {
        self.retry(|| self.digest_secret_once(organization)).await
    }

    async fn digest_secret_once(
        &self,
        organization: &Organization,
    ) -> Result<[u8; DIGEST_SECRET], StoreError> {
        if let Some(secret) = &organization.digest_secret {
            return read_secret(secret);
        }
        let mut made = [0; DIGEST_SECRET];
        getrandom::fill(&mut made).map_err(StoreError::encoding)?;
        let tx = self.begin().await?;
        // If two servers create one at the same time, the first one stays.
        let sql = "UPDATE organizations SET digest_secret = COALESCE(digest_secret, $2) \
            WHERE id = $1 RETURNING digest_secret";
        let values = [organization.id.into(), made.to_vec().into()];
        let row = tx.query_one(sql, values).await?;
        let row = row.ok_or(StoreError::UnknownOrganization)?;
        let stored: Vec<u8> = row.try_get_by_index(0)?;
        tx.commit().await?;
        read_secret(&stored)
    }

    /// Returns up to `limit` organisations whose slug comes after `after`, by slug.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn organizations(
        &self,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Organization>, StoreError> {
        Ok(Entity::find()
            .filter(Column::Slug.gt(after))
            .order_by_asc(Column::Slug)
            .limit(limit)
            .all(&self.db)
            .await?)
    }

    /// Returns the roles of all organisations that have any, by slug. A role is its name and whether it is privileged.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn roles_of_all(&self) -> Result<BTreeMap<String, Vec<(String, bool)>>, StoreError> {
        let sql = "SELECT o.slug, r.name, r.privileged FROM roles r \
            JOIN organizations o ON o.id = r.organization_id ORDER BY o.slug, r.name_key";
        let mut organizations: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for row in sql::query_all(&self.db, sql, []).await? {
            let roles = organizations.entry(row.try_get_by_index(0)?).or_default();
            roles.push((row.try_get_by_index(1)?, row.try_get_by_index(2)?));
        }
        Ok(organizations)
    }

    /// Returns a list with the organisation of this slug, or an empty one if there is none or the slug does not come
    /// after `after`.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn organization_after(
        &self,
        slug: &str,
        after: &str,
    ) -> Result<Vec<Organization>, StoreError> {
        match self.organization(slug).await {
            Ok(found) if *found.slug > *after => Ok(vec![found]),
            Ok(_) | Err(StoreError::UnknownOrganization) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
