//! A token with which a job identifies itself.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// One token. It is never removed, so that a database that has had one never admits callers without credentials.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tokens")]
pub struct Model {
    /// Identifies the token in logs and lists, which never show its text.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of its text.
    pub hash: Vec<u8>,
    /// The job that has it, for people.
    pub name: String,
    /// Slug of its organisation; `*` means all.
    pub organization: String,
    /// Names of its permissions, separated by spaces.
    pub permissions: String,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it expires.
    pub expires_at: OffsetDateTime,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was last presented, to within about a minute.
    pub last_used_at: Option<OffsetDateTime>,
}

/// Unused: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
