//! An index on applied imports without results, so that the old ones are found without reading all imports.

use super::steps::prelude::*;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

const INDEX: &str = "CREATE INDEX imports_without_results ON imports (finished_at) \
    WHERE results_removed AND options_digest IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(INDEX).await?;
        Ok(())
    }
}
