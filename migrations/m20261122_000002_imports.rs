//! Imports: their records, their results, the leases of organisations, and the heartbeats of servers.

use super::steps::{prelude::*, schema};
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Organizations {
    Table,
    Id,
    /// The import that began applying last.
    LastImportId,
}

#[derive(DeriveIden)]
enum Imports {
    Table,
    OrganizationId,
    Id,
    Attempt,
    ServerId,
    State,
    ValidateOnly,
    Source,
    Principal,
    OptionsDigest,
    InputSha256,
    PlanDigest,
    Rows,
    Created,
    Updated,
    Unchanged,
    Rejected,
    Deactivated,
    ProtectedSkipped,
    Notes,
    Results,
    CancelRequested,
    StartedAt,
    FinishedAt,
}

#[derive(DeriveIden)]
enum ImportResults {
    Table,
    OrganizationId,
    ImportId,
    Sequence,
    Kind,
    Payload,
}

#[derive(DeriveIden)]
enum ImportLeases {
    Table,
    OrganizationId,
    Number,
    ImportId,
    SinceMs,
    RenewedMs,
}

#[derive(DeriveIden)]
enum Servers {
    Table,
    Id,
    HeartbeatMs,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let last = schema::uuid_null(Organizations::LastImportId);
        let alter = Table::alter()
            .table(Organizations::Table)
            .add_column(last)
            .to_owned();
        manager.alter_table(alter).await?;
        manager.create_table(imports()).await?;
        manager.create_index(newest_first()).await?;
        manager.create_table(results()).await?;
        manager.create_table(leases()).await?;
        manager.create_table(servers()).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            // Results are encoded messages that are read as a whole. Compressing them costs more than it saves.
            let sql = "ALTER TABLE import_results ALTER COLUMN payload SET STORAGE EXTERNAL";
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

fn imports() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table(Imports::Table)
        .col(schema::big_integer(Imports::OrganizationId))
        .col(schema::uuid(Imports::Id))
        .col(schema::uuid(Imports::Attempt))
        .col(schema::uuid(Imports::ServerId))
        .col(schema::integer(Imports::State))
        .col(schema::boolean(Imports::ValidateOnly))
        .col(schema::text(Imports::Source))
        .col(schema::text(Imports::Principal))
        .col(schema::blob_null(Imports::OptionsDigest))
        .col(schema::blob(Imports::InputSha256))
        .col(schema::blob(Imports::PlanDigest));
    for count in [
        Imports::Rows,
        Imports::Created,
        Imports::Updated,
        Imports::Unchanged,
        Imports::Rejected,
        Imports::Deactivated,
        Imports::ProtectedSkipped,
        Imports::Results,
    ] {
        table.col(schema::integer(count).default(0));
    }
    table
        .col(schema::blob(Imports::Notes))
        .col(schema::boolean(Imports::CancelRequested).default(false))
        .col(schema::timestamp_with_time_zone(Imports::StartedAt))
        .col(schema::timestamp_with_time_zone_null(Imports::FinishedAt))
        .primary_key(
            Index::create()
                .col(Imports::OrganizationId)
                .col(Imports::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .from(Imports::Table, Imports::OrganizationId)
                .to(Organizations::Table, Organizations::Id),
        )
        .to_owned()
}

fn newest_first() -> IndexCreateStatement {
    Index::create()
        .name("imports_started_at")
        .table(Imports::Table)
        .col(Imports::OrganizationId)
        .col(Imports::StartedAt)
        .col(Imports::Id)
        .to_owned()
}

fn results() -> TableCreateStatement {
    Table::create()
        .table(ImportResults::Table)
        .col(schema::big_integer(ImportResults::OrganizationId))
        .col(schema::uuid(ImportResults::ImportId))
        .col(schema::integer(ImportResults::Sequence))
        .col(schema::integer(ImportResults::Kind))
        .col(schema::blob(ImportResults::Payload))
        .primary_key(
            Index::create()
                .col(ImportResults::OrganizationId)
                .col(ImportResults::ImportId)
                .col(ImportResults::Sequence),
        )
        .foreign_key(
            ForeignKey::create()
                .from_tbl(ImportResults::Table)
                .from_col(ImportResults::OrganizationId)
                .from_col(ImportResults::ImportId)
                .to_tbl(Imports::Table)
                .to_col(Imports::OrganizationId)
                .to_col(Imports::Id),
        )
        .to_owned()
}

fn leases() -> TableCreateStatement {
    Table::create()
        .table(ImportLeases::Table)
        .col(schema::big_integer(ImportLeases::OrganizationId).primary_key())
        .col(schema::big_integer(ImportLeases::Number))
        .col(schema::uuid(ImportLeases::ImportId))
        .col(schema::big_integer(ImportLeases::SinceMs))
        .col(schema::big_integer(ImportLeases::RenewedMs))
        .foreign_key(
            ForeignKey::create()
                .from(ImportLeases::Table, ImportLeases::OrganizationId)
                .to(Organizations::Table, Organizations::Id),
        )
        .to_owned()
}

fn servers() -> TableCreateStatement {
    Table::create()
        .table(Servers::Table)
        .col(schema::uuid(Servers::Id).primary_key())
        .col(schema::big_integer(Servers::HeartbeatMs))
        .to_owned()
}
