//! The record of an import.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// One import of one organisation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "imports")]
pub struct Model {
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    /// ID that the client chose, or ours.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The recorded attempt; a later one replaces it until the ID is bound.
    pub attempt: Uuid,
    /// The server process that runs it, or ran it last.
    pub server_id: Uuid,
    /// The contract's `ImportState`.
    pub state: i32,
    /// A dry run.
    pub validate_only: bool,
    /// The source of the roster, as the client names it.
    pub source: String,
    /// Who sent it.
    pub principal: String,
    /// SHA-256 of the options to which the ID is bound; `None` if it is not bound yet.
    pub options_digest: Option<Vec<u8>>,
    /// SHA-256 of the input; empty until all of it is received.
    pub input_sha256: Vec<u8>,
    /// SHA-256 of the plan; empty if there is none.
    pub plan_digest: Vec<u8>,
    /// Rows of the input.
    pub rows: i32,
    /// Rows that created a user.
    pub created: i32,
    /// Rows that updated a user.
    pub updated: i32,
    /// Rows whose user had these values already.
    pub unchanged: i32,
    /// Rows that were not applied.
    pub rejected: i32,
    /// Users deactivated as missing.
    pub deactivated: i32,
    /// Missing users who stay active because they are protected.
    pub protected_skipped: i32,
    /// Recorded batches of results.
    pub results: i32,
    /// An encoded `Import` message that has refusals, warnings, `identity_changes`, `going_inactive`, consequences and
    /// `approval_needs` only.
    pub notes: Vec<u8>,
    /// Somebody has asked it to stop.
    pub cancel_requested: bool,
    /// When `start` was received.
    pub started_at: OffsetDateTime,
    /// When it ended.
    pub finished_at: Option<OffsetDateTime>,
    /// Whether the values that it changed are still recorded.
    pub changes_kept: bool,
    /// The import whose changes it reverses.
    pub undoes: Option<Uuid>,
    /// The last import that began to reverse its changes.
    pub undone_by: Option<Uuid>,
    /// Until when it is held for review; stays while it is applied once it was approved.
    pub held_until: Option<OffsetDateTime>,
}

/// Unused: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
