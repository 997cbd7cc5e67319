//! An event of an organisation's audit chain.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// One event; see the contract's `AuditEvent`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    /// The organisation; 0: the server itself.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    /// Position in the chain, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    /// When it was done.
    pub at: OffsetDateTime,
    /// Who did it.
    pub principal: String,
    /// The address it came from.
    pub address: String,
    /// The contract's `AuditAction`.
    pub action: i32,
    /// What it was done to.
    pub subject: String,
    /// The contract's `AuditOutcome`.
    pub outcome: i32,
    /// A JSON object of texts.
    pub details: String,
    /// Hash of the preceding event.
    pub previous_hash: Vec<u8>,
    /// Hash of this event.
    pub hash: Vec<u8>,
}

/// Unused: events are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
