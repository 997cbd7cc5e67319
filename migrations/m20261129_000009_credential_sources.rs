//! The kinds of credentials, other than tokens, that servers on this database have ever been configured with.

use super::steps::{prelude::*, schema};

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum CredentialSources {
    Table,
    Kind,
    ConfiguredAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let table = Table::create()
            .table(CredentialSources::Table)
            .col(schema::text(CredentialSources::Kind).primary_key())
            .col(schema::timestamp_with_time_zone(
                CredentialSources::ConfiguredAt,
            ))
            .to_owned();
        manager.create_table(table).await
    }
}
