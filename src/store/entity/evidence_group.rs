//! A group that users can belong to.

use sea_orm::entity::prelude::*;

/// One group of one organisation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "evidence_groups")]
pub struct Model {
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    /// Number within the organisation; not reused while a user has it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// Unique in the organisation, compared exactly.
    pub external_id: String,
    /// Display name.
    pub name: String,
    /// An inactive group cannot be given to further users.
    pub active: bool,
}

/// Unused: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
