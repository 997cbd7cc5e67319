//! Imports that are held for review: their options, and their input in parts.

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
    HeldUntil,
}

#[derive(DeriveIden)]
enum HeldImports {
    Table,
    OrganizationId,
    ImportId,
    Attempt,
    Principal,
    Start,
    Kind,
    StartedAt,
}

#[derive(DeriveIden)]
enum HeldParts {
    Table,
    OrganizationId,
    Attempt,
    Position,
    Payload,
    /// The database's clock, in milliseconds since 1970.
    KeptMs,
}

/// Held imports are few: they are found without looking at all others.
const INDEX: &str = "CREATE INDEX imports_held ON imports (held_until) WHERE state = 7";

/// If organisations are spread over several machines, so are their held imports. The parts are compressed already, and
/// are read as a whole.
const ON_POSTGRES: &str = "\
    ALTER TABLE held_parts ALTER COLUMN payload SET STORAGE EXTERNAL; \
    DO $do$ BEGIN \
    IF to_regclass('pg_dist_partition') IS NOT NULL THEN \
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'organizations'::regclass) THEN \
    PERFORM create_distributed_table('held_imports', 'organization_id', colocate_with => 'organizations'); \
    PERFORM create_distributed_table('held_parts', 'organization_id', colocate_with => 'organizations'); \
    END IF; END IF; \
    END $do$";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let held_until = Table::alter()
            .table(Imports::Table)
            .add_column(schema::timestamp_with_time_zone_null(Imports::HeldUntil))
            .to_owned();
        manager.alter_table(held_until).await?;
        manager.create_table(held_imports()).await?;
        manager.create_table(held_parts()).await?;
        let connection = manager.get_connection();
        connection.execute_unprepared(INDEX).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            connection.execute_unprepared(ON_POSTGRES).await?;
        }
        Ok(())
    }
}

fn held_imports() -> TableCreateStatement {
    Table::create()
        .table(HeldImports::Table)
        .col(schema::big_integer(HeldImports::OrganizationId))
        .col(schema::uuid(HeldImports::ImportId))
        .col(schema::uuid(HeldImports::Attempt))
        .col(schema::text(HeldImports::Principal))
        .col(schema::blob(HeldImports::Start))
        .col(schema::integer(HeldImports::Kind))
        .col(schema::timestamp_with_time_zone(HeldImports::StartedAt))
        .primary_key(
            Index::create()
                .col(HeldImports::OrganizationId)
                .col(HeldImports::ImportId),
        )
        .foreign_key(
            ForeignKey::create()
                .from_tbl(HeldImports::Table)
                .from_col(HeldImports::OrganizationId)
                .from_col(HeldImports::ImportId)
                .to_tbl(Imports::Table)
                .to_col(Imports::OrganizationId)
                .to_col(Imports::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

/// The parts are stored before the import that they belong to, so they do not refer to it.
fn held_parts() -> TableCreateStatement {
    Table::create()
        .table(HeldParts::Table)
        .col(schema::big_integer(HeldParts::OrganizationId))
        .col(schema::uuid(HeldParts::Attempt))
        .col(schema::integer(HeldParts::Position))
        .col(schema::blob(HeldParts::Payload))
        .col(schema::big_integer(HeldParts::KeptMs))
        .primary_key(
            Index::create()
                .col(HeldParts::OrganizationId)
                .col(HeldParts::Attempt)
                .col(HeldParts::Position),
        )
        .to_owned()
}
