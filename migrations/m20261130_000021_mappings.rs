//! The mappings that an organisation keeps under a name, each as its encoded message.

use super::steps::{prelude::*, schema};
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Mappings {
    Table,
    OrganizationId,
    Name,
    Mapping,
    UpdatedAt,
}

/// If organisations are spread over several machines, so are their mappings.
const DISTRIBUTE: &str = "\
    DO $do$ BEGIN \
    IF to_regclass('pg_dist_partition') IS NOT NULL THEN \
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'organizations'::regclass) THEN \
    PERFORM create_distributed_table('mappings', 'organization_id', colocate_with => 'organizations'); \
    END IF; END IF; \
    END $do$";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Mappings::Table)
            .col(schema::big_integer(Mappings::OrganizationId))
            .col(schema::text(Mappings::Name))
            .col(schema::blob(Mappings::Mapping))
            .col(schema::timestamp_with_time_zone(Mappings::UpdatedAt))
            .primary_key(
                Index::create()
                    .col(Mappings::OrganizationId)
                    .col(Mappings::Name),
            )
            .to_owned();
        manager.create_table(table).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            let connection = manager.get_connection();
            connection.execute_unprepared(DISTRIBUTE).await?;
        }
        Ok(())
    }
}
