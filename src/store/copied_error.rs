//! What a machine of Citus refused while rows were copied to it. Citus copies the rows of an `INSERT … SELECT`, and passes
//! on the machine's message and detail, but not its code: all failures have the code of an internal error then. Messages
//! are in the machine's language. Names of constraints and of kinds of locks are the same in every language.

use sea_orm::sqlx::{error::DatabaseError, postgres::PgDatabaseError};

use super::distribution::TABLES;

/// The function of Citus that passes such failures on.
const REPORTED_BY: &str = "ReportCopyError";

/// The unique indexes that have a name of their own. PostgreSQL names all others after their table: `…_pkey` and `…_key`.
const UNIQUE_INDEXES: [&str; 7] = [
    "evidence_groups_external_id",
    "ranks_name",
    "roles_name",
    "users_badge_number",
    "users_email",
    "users_external_id",
    "users_username",
];

/// Returns the code that the machine gave, or `None` if Citus has passed the error on with its code.
pub(super) fn code(error: &dyn DatabaseError) -> Option<&'static str> {
    let error = error.try_downcast_ref::<PgDatabaseError>()?;
    let is_copied = error.code() == "XX000" && error.routine() == Some(REPORTED_BY);
    is_copied.then(|| code_of(error.message(), error.detail().unwrap_or_default()))
}

/// A failure of no other kind is the machine's: it is shutting down, say, or is short of memory. To the import that is
/// as if the connection to it had failed.
fn code_of(message: &str, detail: &str) -> &'static str {
    let constraint = identifiers(message).find_map(code_of_constraint);
    constraint.unwrap_or(match identifiers(detail).any(is_lock) {
        true => "40P01",
        false => "08006",
    })
}

/// Returns the words of a text that could be names in a database.
fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
}

/// Returns the code of a violation of the constraint with this name, to which Citus has added a number.
fn code_of_constraint(name: &str) -> Option<&'static str> {
    let (constraint, number) = name.rsplit_once('_')?;
    if number.is_empty() || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if UNIQUE_INDEXES.contains(&constraint) {
        return Some("23505");
    }
    let of_table = |(table, _): &(&str, &str)| constraint.strip_prefix(table);
    let endings = [("_pkey", "23505"), ("_fkey", "23503"), ("_key", "23505")];
    TABLES.iter().filter_map(of_table).find_map(|rest| {
        let ending = endings.iter().find(|(ending, _)| rest.ends_with(ending));
        ending.map(|(_, code)| *code)
    })
}

/// The detail of a deadlock names what each process waits for: "Process 7 waits for `ShareLock` on …".
fn is_lock(name: &str) -> bool {
    const MODES: [&str; 8] = [
        "AccessShareLock",
        "RowShareLock",
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ];
    MODES.contains(&name)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::store::{Store, sql};

    #[test]
    fn violations_and_deadlocks_are_known_in_any_language() {
        let deadlock =
            "Prozess 7 wartet auf ShareLock-Sperre auf Transaktion 8; blockiert von Prozess 9.";
        for (message, detail, code) in [
            (
                "duplicate key value violates unique constraint \"users_email_102025\"",
                "Key (organization_id, email_key)=(1, a) already exists.",
                "23505",
            ),
            (
                "doppelter Schlüsselwert verletzt Unique-Constraint »users_pkey_102025«",
                "",
                "23505",
            ),
            (
                "une instruction insert ou update sur la table « users_102025 » viole la contrainte de clé étrangère \
                « users_role_id_fkey_102025 »",
                "",
                "23503",
            ),
            ("Verklemmung (Deadlock) entdeckt", deadlock, "40P01"),
            (
                "Verbindung wird abgebrochen aufgrund von Anweisung des Administrators",
                "",
                "08006",
            ),
            // A table and an index that is not unique.
            (
                "no space in \"users_102025\" and \"users_import_102025\"",
                "",
                "08006",
            ),
        ] {
            assert_eq!(code_of(message, detail), code, "{message}");
        }
    }

    #[tokio::test]
    async fn every_unique_index_of_distributed_tables_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let rows = sql::query_all(&store.db, "SELECT coalesce(sql, '') FROM sqlite_master", []);
        let rows = rows.await.unwrap();
        let named = Regex::new(r#"(?:UNIQUE INDEX|CONSTRAINT) "(\w+)" (?:ON|UNIQUE)"#).unwrap();
        let mut found = Vec::new();
        for row in rows {
            let sql: String = row.try_get_by_index(0).unwrap();
            let names = named.captures_iter(&sql);
            found.extend(names.map(|name| name.extract::<1>().1[0].to_owned()));
        }
        found.sort_unstable();
        assert_eq!(found, UNIQUE_INDEXES);
    }
}
