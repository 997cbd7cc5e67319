//! PostgreSQL checks the references of a few users by look-ups whose plans are kept.
//!
//! The check of many users plans its query each time. For an update of one user, that takes longer than everything
//! else. A look-up here finds one row by its primary key. It is planned once for each connection, and its plan is good
//! for tables of any size.

use super::{
    m20261123_000006_references::{REFERENCES, expecting_references, find_dangling},
    steps::prelude::*,
};
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

/// Most users of one statement that are checked one by one.
const FEW: u32 = 16;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let connection = manager.get_connection();
        // The lock is the one of the step `side_by_side`.
        let sql = expecting_references("KEY SHARE", &find_dangling_of_few());
        connection.execute_unprepared(&sql).await.map(|_| ())
    }
}

/// Does the same as [`find_dangling`] for few users, one by one.
fn find_dangling_of_few() -> String {
    let dangling = REFERENCES.map(|(column, table)| {
        format!(
            "WHEN one.{column} IS NOT NULL AND NOT EXISTS (SELECT FROM {table} AS t WHERE \
            t.organization_id = one.organization_id AND t.id = one.{column}) THEN '{column}'"
        )
    });
    format!(
        "IF EXISTS (SELECT FROM given OFFSET {FEW}) THEN {}; ELSE \
        FOR one IN SELECT organization_id, role_id, rank_id, group_id, supervisor_id FROM given LOOP \
        dangling := CASE {} END; \
        EXIT WHEN dangling IS NOT NULL; \
        END LOOP; END IF;",
        find_dangling(),
        dangling.join(" ")
    )
}
