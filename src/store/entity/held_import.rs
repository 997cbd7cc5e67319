//! An import that is held for review.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// The options and the sender of a held import. Its input is in parts.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "held_imports")]
pub struct Model {
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    /// The import.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: Uuid,
    /// The attempt that was held, under which its parts are.
    pub attempt: Uuid,
    /// The principal who sent it.
    pub principal: String,
    /// An encoded `ImportStart`, with its ID and its mapping.
    pub start: Vec<u8>,
    /// The kind of its input: 1 CSV, 2 typed rows, 3 a workbook.
    pub kind: i32,
    /// When its `start` was received.
    pub started_at: OffsetDateTime,
}

/// Unused: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
