//! A mark on imports that still have their results, so that those to remove are found without reading all imports.

use super::steps::{prelude::*, schema};

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Imports {
    Table,
    ResultsRemoved,
}

/// Imports that have ended and have no results any more.
const WITHOUT_RESULTS: &str = "UPDATE imports SET results_removed = TRUE WHERE finished_at IS NOT NULL \
    AND NOT EXISTS (SELECT 1 FROM import_results r WHERE r.organization_id = imports.organization_id \
    AND r.import_id = imports.id)";

const INDEX: &str =
    "CREATE INDEX imports_with_results ON imports (finished_at) WHERE NOT results_removed";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let removed = schema::boolean(Imports::ResultsRemoved)
            .default(false)
            .take();
        let alter = Table::alter()
            .table(Imports::Table)
            .add_column(removed)
            .to_owned();
        manager.alter_table(alter).await?;
        let connection = manager.get_connection();
        connection.execute_unprepared(WITHOUT_RESULTS).await?;
        connection.execute_unprepared(INDEX).await?;
        Ok(())
    }
}
