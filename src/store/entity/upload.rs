//! An upload that comes in parts.

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
    /// Who began it, and alone may add to it and finish it.
    pub principal: String,
    /// An encoded `ImportStart`, its ID included.
    pub start: Vec<u8>,
    /// SHA-256 of the options, as an import's ID is bound to them.
    pub options_digest: Vec<u8>,
    /// What the parts are: 0 not known yet, 1 CSV, 2 typed rows.
    pub kind: i32,
    /// Bytes of CSV, or typed rows, that are there.
    pub received: i64,
    /// Bytes that count against the limit: of CSV, or of the rows' values together.
    pub bytes: i64,
    /// How far it is: `UploadStage`.
    pub stage: i32,
    /// The roster was received whole and is, or was, being planned.
    pub accepted: bool,
    /// An encoded `ImportFinish`, once it came.
    pub finish: Option<Vec<u8>>,
    /// The server process that runs its import, or did last.
    pub server_id: Uuid,
    /// The run of its import; each has another. Nil: none yet.
    pub run: Uuid,
    /// The status code that the run ended with.
    pub answer_code: Option<i32>,
    /// Its message.
    pub answer_message: Option<String>,
    /// Its details, encoded.
    pub answer_details: Option<Vec<u8>>,
    /// When it was begun.
    pub started_at: OffsetDateTime,
    /// When it was last heard of, by the database's clock, in milliseconds since 1970.
    pub touched_ms: i64,
}

/// None: related rows are found by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
