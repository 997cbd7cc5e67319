//! PostgreSQL checks the references of users once for each statement, not for each row.
//!
//! A foreign key fires a trigger for each reference of each row, at 9 µs each. Five foreign keys took two thirds of the
//! time of a large import. The triggers here enforce the same references for every writer. A statement that would leave
//! a dangling reference fails with the error code of a foreign key. Foreign keys of SQLite cost no such time, so it
//! keeps them.
//!
//! Both kinds of statements lock the organisation's row, so that each sees the other's work: a statement that adds
//! references locks it shared, and a statement that removes rows which users may refer to locks it exclusively.

use super::steps::prelude::*;
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

/// Columns of users and the tables that they refer to.
pub(super) const REFERENCES: [(&str, &str); 4] = [
    ("role_id", "roles"),
    ("rank_id", "ranks"),
    ("group_id", "evidence_groups"),
    ("supervisor_id", "users"),
];

/// At first, half of each page is left free. A new version of a user then fits into the same page, and no index
/// changes: an import that updates most users takes a third of the time.
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

/// Refuses users (the transition table `given`) with a reference to a row that does not exist. The query is planned
/// each time, because a plan that was made while the table was empty would always use the wrong index.
fn expect_references() -> String {
    expecting_references("SHARE", &format!("{};", find_dangling()))
}

/// Stores the column of a dangling reference of `given` in the variable `dangling`.
pub(super) fn find_dangling() -> String {
    let dangling = REFERENCES.map(|(column, table)| {
        format!(
            "SELECT '{column}' FROM (SELECT DISTINCT organization_id, {column} FROM given \
            WHERE {column} IS NOT NULL) AS g LEFT JOIN {table} AS t \
            ON t.organization_id = g.organization_id AND t.id = g.{column} WHERE t.id IS NULL"
        )
    });
    let query = dangling.join(" UNION ALL ") + " LIMIT 1";
    format!("EXECUTE $query${query}$query$ INTO dangling")
}

/// The function of the triggers. It takes this lock on the organisations' rows. `finding` is the SQL that stores the
/// column of a dangling reference in `dangling`.
pub(super) fn expecting_references(lock: &str, finding: &str) -> String {
    format!(
        "CREATE OR REPLACE FUNCTION users_expect_references() RETURNS trigger LANGUAGE plpgsql \
        SET enable_hashjoin = off SET enable_mergejoin = off AS $body$ \
        DECLARE dangling text; one record; \
        BEGIN \
        PERFORM FROM organizations WHERE id IN (SELECT organization_id FROM given) FOR {lock}; \
        {finding} \
        IF dangling IS NOT NULL THEN \
        RAISE foreign_key_violation USING MESSAGE = 'a user refers to a ' || dangling || \
        ' that is not there', TABLE = 'users', COLUMN = dangling; \
        END IF; \
        RETURN NULL; \
        END $body$"
    )
}

/// Refuses to remove a row to which a user refers by `column`, or to change its ID.
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
