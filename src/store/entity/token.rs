//! A token that a job presents.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// One token; it is never removed, so that a database that has had one keeps asking for one.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tokens")]
pub struct Model {
    /// Names the token where its text must not be told.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of its text.
    pub hash: Vec<u8>,
    /// For people: the job that has it.
    pub name: String,
    /// Slug of the organisation it is for; `*`: all of them.
    pub organization: String,
    /// Names of its permissions, apart by a space.
    pub permissions: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it ceases to be good.
    pub expires_at: OffsetDateTime,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was last presented, to within a minute or so.
    pub last_used_at: Option<OffsetDateTime>,
}

/// None: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
