//! Tokens with which jobs identify themselves. They belong to no organisation, since one may be for all.

use super::steps::{prelude::*, schema};

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Tokens {
    Table,
    Id,
    Hash,
    Name,
    Organization,
    Permissions,
    CreatedAt,
    ExpiresAt,
    RevokedAt,
    LastUsedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Tokens::Table)
            .col(schema::uuid(Tokens::Id).primary_key())
            .col(schema::blob(Tokens::Hash).unique_key())
            .col(schema::text(Tokens::Name))
            .col(schema::text(Tokens::Organization))
            .col(schema::text(Tokens::Permissions))
            .col(schema::timestamp_with_time_zone(Tokens::CreatedAt))
            .col(schema::timestamp_with_time_zone(Tokens::ExpiresAt))
            .col(schema::timestamp_with_time_zone_null(Tokens::RevokedAt))
            .col(schema::timestamp_with_time_zone_null(Tokens::LastUsedAt))
            .to_owned();
        manager.create_table(table).await
    }
}
