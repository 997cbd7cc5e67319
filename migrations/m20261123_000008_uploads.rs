//! Uploads, which are rosters that are received in parts: their parts, and the replies of their imports.

use super::steps::{prelude::*, schema};
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Imports {
    Table,
    OrganizationId,
    Id,
}

#[derive(DeriveIden)]
enum Uploads {
    Table,
    OrganizationId,
    ImportId,
    Principal,
    Start,
    OptionsDigest,
    Kind,
    Received,
    Bytes,
    Stage,
    Accepted,
    Finish,
    ServerId,
    Run,
    AnswerCode,
    AnswerMessage,
    AnswerDetails,
    StartedAt,
    /// The database's clock, in milliseconds since 1970.
    TouchedMs,
}

#[derive(DeriveIden)]
enum UploadChunks {
    Table,
    OrganizationId,
    ImportId,
    Position,
    Length,
    Payload,
}

#[derive(DeriveIden)]
enum UploadReplies {
    Table,
    OrganizationId,
    ImportId,
    Sequence,
    Payload,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager.create_table(uploads()).await?;
        manager.create_table(chunks()).await?;
        manager.create_table(replies()).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            // They are compressed already, and are read as a whole.
            for table in ["upload_chunks", "upload_replies"] {
                let sql = format!("ALTER TABLE {table} ALTER COLUMN payload SET STORAGE EXTERNAL");
                manager.get_connection().execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    }
}

fn uploads() -> TableCreateStatement {
    Table::create()
        .table(Uploads::Table)
        .col(schema::big_integer(Uploads::OrganizationId))
        .col(schema::uuid(Uploads::ImportId))
        .col(schema::text(Uploads::Principal))
        .col(schema::blob(Uploads::Start))
        .col(schema::blob(Uploads::OptionsDigest))
        .col(schema::integer(Uploads::Kind).default(0))
        .col(schema::big_integer(Uploads::Received).default(0))
        .col(schema::big_integer(Uploads::Bytes).default(0))
        .col(schema::integer(Uploads::Stage).default(0))
        .col(schema::boolean(Uploads::Accepted).default(false))
        .col(schema::blob_null(Uploads::Finish))
        .col(schema::uuid(Uploads::ServerId))
        .col(schema::uuid(Uploads::Run))
        .col(schema::integer_null(Uploads::AnswerCode))
        .col(schema::text_null(Uploads::AnswerMessage))
        .col(schema::blob_null(Uploads::AnswerDetails))
        .col(schema::timestamp_with_time_zone(Uploads::StartedAt))
        .col(schema::big_integer(Uploads::TouchedMs))
        .primary_key(
            Index::create()
                .col(Uploads::OrganizationId)
                .col(Uploads::ImportId),
        )
        .foreign_key(
            ForeignKey::create()
                .from_tbl(Uploads::Table)
                .from_col(Uploads::OrganizationId)
                .from_col(Uploads::ImportId)
                .to_tbl(Imports::Table)
                .to_col(Imports::OrganizationId)
                .to_col(Imports::Id),
        )
        .to_owned()
}

fn chunks() -> TableCreateStatement {
    Table::create()
        .table(UploadChunks::Table)
        .col(schema::big_integer(UploadChunks::OrganizationId))
        .col(schema::uuid(UploadChunks::ImportId))
        .col(schema::big_integer(UploadChunks::Position))
        .col(schema::big_integer(UploadChunks::Length))
        .col(schema::blob(UploadChunks::Payload))
        .primary_key(
            Index::create()
                .col(UploadChunks::OrganizationId)
                .col(UploadChunks::ImportId)
                .col(UploadChunks::Position),
        )
        .foreign_key(
            ForeignKey::create()
                .from_tbl(UploadChunks::Table)
                .from_col(UploadChunks::OrganizationId)
                .from_col(UploadChunks::ImportId)
                .to_tbl(Uploads::Table)
                .to_col(Uploads::OrganizationId)
                .to_col(Uploads::ImportId)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn replies() -> TableCreateStatement {
    Table::create()
        .table(UploadReplies::Table)
        .col(schema::big_integer(UploadReplies::OrganizationId))
        .col(schema::uuid(UploadReplies::ImportId))
        .col(schema::integer(UploadReplies::Sequence))
        .col(schema::blob(UploadReplies::Payload))
        .primary_key(
            Index::create()
                .col(UploadReplies::OrganizationId)
                .col(UploadReplies::ImportId)
                .col(UploadReplies::Sequence),
        )
        .foreign_key(
            ForeignKey::create()
                .from_tbl(UploadReplies::Table)
                .from_col(UploadReplies::OrganizationId)
                .from_col(UploadReplies::ImportId)
                .to_tbl(Uploads::Table)
                .to_col(Uploads::OrganizationId)
                .to_col(Uploads::ImportId)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}
