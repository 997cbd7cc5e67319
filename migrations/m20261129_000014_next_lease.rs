//! Which server takes an organisation's lease next, so that servers take turns.

use super::steps::{prelude::*, schema};

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum ImportLeases {
    Table,
    NextServer,
    NextMs,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let asked = schema::big_integer(ImportLeases::NextMs).default(0).take();
        for column in [schema::uuid_null(ImportLeases::NextServer), asked] {
            let alter = Table::alter()
                .table(ImportLeases::Table)
                .add_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}
