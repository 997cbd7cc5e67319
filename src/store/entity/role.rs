//! A role that users can have.

use sea_orm::entity::prelude::*;

/// One role of one organisation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "roles")]
pub struct Model {
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    /// Number within the organisation; not reused while a user has it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// As the administrator wrote it.
    pub name: String,
    /// Case-folded; unique in the organisation.
    pub name_key: String,
    /// Only callers with `users.grant-privileged` may give it, or change users who have it.
    pub privileged: bool,
}

/// Unused: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
