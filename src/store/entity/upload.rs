//! An upload: a roster that is received in parts.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

/// The upload of one import, until its results expire.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "uploads")]
pub struct Model {
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    /// The import.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: Uuid,
    /// The principal who began it, and who alone may add parts and finish it.
    pub principal: String,
    /// An encoded `ImportStart`, with its ID.
    pub start: Vec<u8>,
    /// SHA-256 of the options to which the import's ID is bound.
    pub options_digest: Vec<u8>,
    /// The kind of the parts: 0 not known yet, 1 CSV, 2 typed rows, 3 a workbook.
    pub kind: i32,
    /// Received bytes of the file, or typed rows.
    pub received: i64,
    /// Bytes that count against the limit: of the file, or of the rows' values together.
    pub bytes: i64,
    /// The number of its `UploadStage`.
    pub stage: i32,
    /// The whole roster was received, and its planning has begun.
    pub accepted: bool,
    /// An encoded `ImportFinish`, once it was received.
    pub finish: Option<Vec<u8>>,
    /// The server process that runs its import, or ran it last.
    pub server_id: Uuid,
    /// The ID of the run of its import; nil if there was none yet.
    pub run: Uuid,
    /// The status code that the run ended with.
    pub answer_code: Option<i32>,
    /// Its message.
    pub answer_message: Option<String>,
    /// Its details, encoded.
    pub answer_details: Option<Vec<u8>>,
    /// When it began.
    pub started_at: OffsetDateTime,
    /// When it had its last call, by the database's clock, in milliseconds since 1970.
    pub touched_ms: i64,
}

/// Unused: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
