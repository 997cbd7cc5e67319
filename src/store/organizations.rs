//! Organisations: made, found, listed.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;

use super::{
    AuditEntry, Store, StoreError,
    entity::organization::{ActiveModel, Column, Entity, Model},
    error::is_violation,
};
use crate::{
    domain::{Actor, Slug},
    proto::AuditAction,
};

/// An organisation, as stored.
pub type Organization = Model;

impl Store {
    /// Creates an organisation with an empty catalog.
    ///
    /// # Errors
    /// [`StoreError::OrganizationExists`] where the slug is in use.
    pub async fn create_organization(
        &self,
        slug: &str,
        display_name: &str,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<Organization, StoreError> {
        let writing = self.begin().await?;
        let organization = ActiveModel {
            id: NotSet,
            slug: Set(slug.to_owned()),
            display_name: Set(display_name.to_owned()),
            revision: Set(0),
            last_import_id: Set(None),
            created_at: Set(now),
        };
        let inserted = Entity::insert(organization)
            .exec_with_returning(&writing.tx)
            .await
            .map_err(|error| match is_violation(&error) {
                true => StoreError::OrganizationExists,
                false => error.into(),
            })?;
        let action = AuditAction::OrganizationCreated;
        writing.note(inserted.id, AuditEntry::done(now, actor, action, &slug));
        writing.commit().await?;
        Ok(inserted)
    }

    /// Finds an organisation by its slug.
    ///
    /// # Errors
    /// [`StoreError::UnknownOrganization`] where there is none.
    pub async fn organization(&self, slug: &str) -> Result<Organization, StoreError> {
        // A text that is no slug may have characters that PostgreSQL does not take.
        let slug = Slug::parse(slug).map_err(|_| StoreError::UnknownOrganization)?;
        Entity::find()
            .filter(Column::Slug.eq(slug.as_str()))
            .one(&self.db)
            .await?
            .ok_or(StoreError::UnknownOrganization)
    }

    /// Up to `limit` organisations by slug, from the one after `after` on.
    ///
    /// # Errors
    /// Where the database fails.
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

    /// The organisation with this slug, where it comes after `after`; as a list.
    ///
    /// # Errors
    /// Where the database fails.
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
