//! An index on external IDs in small letters, for rows that write an existing external ID in another case.
//!
//! Both databases turn only ASCII letters into small ones here. External IDs without capitals are not in the index: an
//! exact comparison finds them, and writing such a user costs no more than before.

use super::steps::prelude::*;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let sql = "CREATE INDEX users_external_id_case ON users (organization_id, lower(external_id), external_id) \
            WHERE external_id <> lower(external_id)";
        let connection = manager.get_connection();
        connection.execute_unprepared(sql).await.map(|_| ())
    }
}
