//! A secret of each organisation, with which its plan digests are keyed. It is created when it is first needed.

use super::steps::{prelude::*, schema};

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Organizations {
    Table,
    DigestSecret,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let alter = Table::alter()
            .table(Organizations::Table)
            .add_column(schema::blob_null(Organizations::DigestSecret))
            .to_owned();
        manager.alter_table(alter).await
    }
}
