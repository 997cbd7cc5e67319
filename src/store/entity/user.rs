//! A user of an organisation.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// One user of one organisation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    /// `UUIDv7`, ours.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Unique, compared exactly.
    pub external_id: String,
    /// As written.
    pub email: String,
    /// Case-folded email; unique.
    pub email_key: String,
    /// Unique, compared exactly.
    pub badge_number: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Whether the user is active.
    pub active: bool,
    /// As written.
    pub username: String,
    /// Case-folded username; unique.
    pub username_key: String,
    /// Role of the same organisation.
    pub role_id: i32,
    /// User of the same organisation.
    pub supervisor_id: Option<Uuid>,
    /// Rank of the same organisation.
    pub rank_id: Option<i32>,
    /// Group of the same organisation.
    pub group_id: Option<i32>,
    /// E.164.
    pub phone: Option<String>,
    /// No import makes this user inactive.
    pub protected: bool,
    /// When the user was created.
    pub created_at: OffsetDateTime,
    /// When the user was last changed.
    pub updated_at: OffsetDateTime,
    /// The import that last wrote this user.
    pub last_import_id: Option<Uuid>,
}

/// Unused: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
