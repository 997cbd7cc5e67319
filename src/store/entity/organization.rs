//! An organisation. All other data belongs to one.

use std::fmt;

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

use crate::domain::PhoneRegion;

/// One organisation.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations")]
pub struct Model {
    /// The number with which every key of every other table begins.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// `[a-z0-9-]{1,63}`.
    pub slug: String,
    /// Name for people.
    pub display_name: String,
    /// Grows with every transaction that writes to the organisation's users or catalog.
    pub revision: i64,
    /// The import that began applying last.
    pub last_import_id: Option<Uuid>,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// The secret for the digests of plans; `None` if it was not needed yet.
    pub digest_secret: Option<Vec<u8>>,
    /// ISO 3166 code of the region of its phone numbers.
    pub phone_region: Option<String>,
    /// The pattern that new badge numbers must match.
    pub badge_number_pattern: Option<String>,
    /// The pattern that new external IDs must match.
    pub external_id_pattern: Option<String>,
}

impl Model {
    /// The region of its phone numbers.
    #[must_use]
    pub fn phone_region(&self) -> Option<PhoneRegion> {
        PhoneRegion::parse(self.phone_region.as_deref()?)
    }
}

/// Without the secret.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Organization")
            .field("id", &self.id)
            .field("slug", &self.slug)
            .finish_non_exhaustive()
    }
}

/// Unused: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
