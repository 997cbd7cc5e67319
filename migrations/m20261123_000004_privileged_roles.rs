//! Privileged roles: only callers with `users.grant-privileged` may give such a role to a user or take it away.

use super::steps::{prelude::*, schema};

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Roles {
    Table,
    Privileged,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let alter = Table::alter()
            .table(Roles::Table)
            .add_column(schema::boolean(Roles::Privileged).default(false))
            .to_owned();
        manager.alter_table(alter).await
    }
}
