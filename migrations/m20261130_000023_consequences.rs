//! Indexes on the Active users of a supervisor and of a role, for the consequences of an import of few rows: it reads the
//! reports of users who leave, and whether a role has other users.

use super::steps::prelude::*;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

const INDEXES: [&str; 2] = [
    "CREATE INDEX users_reports ON users (organization_id, supervisor_id) WHERE active AND supervisor_id IS NOT NULL",
    "CREATE INDEX users_of_role ON users (organization_id, role_id) WHERE active",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for sql in INDEXES {
            let connection = manager.get_connection();
            connection.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
