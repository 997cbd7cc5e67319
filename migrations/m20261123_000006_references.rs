//! PostgreSQL checks the references of users once a statement, not once a row.
//!
//! A foreign key fires a trigger for each reference of each row, 9 µs each: five of them took two
//! thirds of the time of a large import. The triggers here hold the same references, for whoever
//! writes: a statement that would leave one dangling fails as a foreign key's does, with the same
//! error code. SQLite checks foreign keys without such a cost and keeps them.
//!
//! Both sides lock the row of the organisation, so that they see each other: who gives users a
//! reference takes it shared, who removes what may be referred to takes it alone.

use super::steps::prelude::*;
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub struct Migration;

/// Columns of users and the tables that they refer to.
const REFERENCES: [(&str, &str); 4] = [
    ("role_id", "roles"),
    ("rank_id", "ranks"),
    ("group_id", "evidence_groups"),
    ("supervisor_id", "users"),
];

/// Half of each page is left free at first, so that a user's new version finds room beside the old
/// one and no index is touched: an import that changes most users takes a third of the time.
const FILL: &str = "ALTER TABLE users SET (fillfactor = 50)";

const DROP: &str = "ALTER TABLE users DROP CONSTRAINT users_organization_id_fkey, \
    DROP CONSTRAINT users_organization_id_role_id_fkey, \
    DROP CONSTRAINT users_organization_id_rank_id_fkey, \
    DROP CONSTRAINT users_organization_id_group_id_fkey, \
    DROP CONSTRAINT users_organization_id_supervisor_id_fkey";

const TRIGGERS: &str = "\
    CREATE TRIGGER users_insert_references AFTER INSERT ON users REFERENCING NEW TABLE AS given \
    FOR EACH STATEMENT EXECUTE FUNCTION users_expect_references(); \
    CREATE TRIGGER users_update_references AFTER UPDATE ON users REFERENCING NEW TABLE AS given \
    FOR EACH STATEMENT EXECUTE FUNCTION users_expect_references()";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let connection = manager.get_connection();
        connection.execute_unprepared(FILL).await?;
        connection.execute_unprepared(DROP).await?;
        connection.execute_unprepared(&expect_references()).await?;
        connection.execute_unprepared(TRIGGERS).await?;
        for (column, table) in REFERENCES {
            let hold = hold_references(column, table);
            connection.execute_unprepared(&hold).await?;
        }
        Ok(())
    }
}

/// Refuses users (the transition table `given`) who refer to what is not there. Planned afresh each
/// time: a plan kept from when the table was empty reads the wrong index for ever.
fn expect_references() -> String {
    let dangling = REFERENCES.map(|(column, table)| {
        format!(
            "SELECT '{column}' FROM (SELECT DISTINCT organization_id, {column} FROM given \
            WHERE {column} IS NOT NULL) AS g LEFT JOIN {table} AS t \
            ON t.organization_id = g.organization_id AND t.id = g.{column} WHERE t.id IS NULL"
        )
    });
    format!(
        "CREATE FUNCTION users_expect_references() RETURNS trigger LANGUAGE plpgsql \
        SET enable_hashjoin = off SET enable_mergejoin = off AS $body$ \
        DECLARE dangling text; \
        BEGIN \
        PERFORM FROM organizations WHERE id IN (SELECT organization_id FROM given) FOR SHARE; \
        EXECUTE $query${}$query$ INTO dangling; \
        IF dangling IS NOT NULL THEN \
        RAISE foreign_key_violation USING MESSAGE = 'a user refers to a ' || dangling || \
        ' that is not there', TABLE = 'users', COLUMN = dangling; \
        END IF; \
        RETURN NULL; \
        END $body$",
        dangling.join(" UNION ALL ") + " LIMIT 1"
    )
}

/// Refuses to remove, or to give another ID, what a user refers to by `column`.
fn hold_references(column: &str, table: &str) -> String {
    format!(
        "CREATE FUNCTION {table}_referred_{column}() RETURNS trigger LANGUAGE plpgsql AS $body$ \
        BEGIN \
        IF TG_OP = 'UPDATE' AND (NEW.organization_id, NEW.id) = (OLD.organization_id, OLD.id) THEN \
        RETURN NULL; \
        END IF; \
        PERFORM FROM organizations WHERE id = OLD.organization_id FOR UPDATE; \
        IF EXISTS (SELECT FROM users WHERE organization_id = OLD.organization_id \
        AND {column} = OLD.id) THEN \
        RAISE foreign_key_violation USING MESSAGE = 'a user refers to it by {column}', \
        TABLE = '{table}', COLUMN = 'id'; \
        END IF; \
        RETURN NULL; \
        END $body$; \
        CREATE TRIGGER {table}_referred_{column} AFTER DELETE OR UPDATE OF organization_id, id \
        ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_referred_{column}()"
    )
}
