//! A mapping that an organisation has saved under a name.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// One mapping.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mappings")]
pub struct Model {
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    /// Its name, a slug.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The encoded `Mapping`.
    pub mapping: Vec<u8>,
    /// When it was saved.
    pub updated_at: OffsetDateTime,
}

/// Unused: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
