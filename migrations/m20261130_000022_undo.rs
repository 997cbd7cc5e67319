//! Which imports have the values recorded that they changed, which import an undo reverses, and which undo reversed an
//! import.

use super::steps::{prelude::*, schema};

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Imports {
    Table,
    ChangesKept,
    Undoes,
    UndoneBy,
}

/// Finds the recorded values to remove without reading all imports. An import whose server died has no end time.
const INDEX: &str = "CREATE INDEX imports_with_changes ON imports ((coalesce(finished_at, started_at))) WHERE changes_kept";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let kept = schema::boolean(Imports::ChangesKept).default(false).take();
        for column in [
            kept,
            schema::uuid_null(Imports::Undoes),
            schema::uuid_null(Imports::UndoneBy),
        ] {
            let alter = Table::alter()
                .table(Imports::Table)
                .add_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        manager.get_connection().execute_unprepared(INDEX).await?;
        Ok(())
    }
}
