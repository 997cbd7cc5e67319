//! Roles that only callers with `users.grant-privileged` give and take.

use sea_orm_migration::{prelude::*, schema};

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Roles {
    Table,
    Privileged,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let alter = Table::alter()
            .table(Roles::Table)
            .add_column(schema::boolean(Roles::Privileged).default(false))
            .to_owned();
        manager.alter_table(alter).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let alter = Table::alter()
            .table(Roles::Table)
            .drop_column(Roles::Privileged)
            .to_owned();
        manager.alter_table(alter).await
    }
}
