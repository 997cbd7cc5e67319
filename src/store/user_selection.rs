//! Reads the users of a partial snapshot: those who have some keys, and everybody above them; the reports of some
//! users; some users of a role (semantics §14).
//!
//! Be advised: one statement for all keys, all on indexes, whatever the size of the organisation. `PostgreSQL`
//! estimates such a query badly. `LATERAL … OFFSET 0` makes it look up each key by itself: for a plain join it reads
//! the whole table. [`SETTINGS`] keep it from compiling the query, which takes longer than to run it.
//! `tests/operation/partial_plans.rs` pins the plans at 100,000 users.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use uuid::Uuid;

use super::{
    StoreError,
    row_set::{self, listed_texts},
    sql::{self, SqlDialect},
    user_reader::{FoundUsers, selected_user},
};
use crate::domain::{RoleId, User, UserKeys};

/// Zeros in front of a key that are looked for: as many as the longest external ID has characters.
const MOST_ZEROS: usize = 255;

/// On `PostgreSQL`, what [`select`] needs in its transaction, as a list of SQL.
pub(super) const SETTINGS: &str =
    "set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)";

/// The newest are looked at first: those who have left are among the oldest.
const COUNT_ACTIVE: &str = "SELECT count(*) FROM (SELECT 1 FROM users WHERE organization_id = $1 AND active \
    ORDER BY id DESC LIMIT $2) AS u";

/// A list of keys, as the statement looks them up.
struct KeyLookup {
    column: &'static str,
    by: LookUpBy,
}

enum LookUpBy {
    /// The key.
    Key,
    /// The key without its leading zeros.
    Bare,
    /// The key in small ASCII letters, for the least key that has capitals.
    Small,
    /// The ID of the user, in hexadecimal digits.
    Id,
}

const LOOKUPS: [KeyLookup; 8] = {
    const fn exactly(column: &'static str) -> KeyLookup {
        let by = LookUpBy::Key;
        KeyLookup { column, by }
    }
    const fn bare(column: &'static str) -> KeyLookup {
        let by = LookUpBy::Bare;
        KeyLookup { column, by }
    }
    [
        exactly("external_id"),
        exactly("email_key"),
        exactly("badge_number"),
        exactly("username_key"),
        bare("external_id"),
        bare("badge_number"),
        KeyLookup {
            column: "external_id",
            by: LookUpBy::Small,
        },
        KeyLookup {
            column: "id",
            by: LookUpBy::Id,
        },
    ]
};

/// Returns the users who have one of `keys`, and everybody above them, by ID.
pub(super) async fn select(
    tx: &DatabaseTransaction,
    organization: i64,
    keys: &UserKeys,
) -> Result<Vec<User>, StoreError> {
    let dialect = SqlDialect::of(tx);
    let values = bound(dialect, organization, keys)?;
    let mut users = read(tx, selection(dialect), values).await?;
    users.sort_by_key(|user| user.id);
    Ok(users)
}

/// Returns the Active users whose supervisor is one of `supervisors`.
pub(super) async fn select_reports(
    tx: &DatabaseTransaction,
    organization: i64,
    supervisors: &[Uuid],
) -> Result<Vec<User>, StoreError> {
    let dialect = SqlDialect::of(tx);
    let ids: Vec<String> = supervisors
        .iter()
        .map(|id| id.simple().to_string())
        .collect();
    let ids = row_set::text_list(dialect, &ids)?;
    read(tx, reports(dialect), vec![organization.into(), ids]).await
}

/// Returns up to `most` Active users of a role, any of them.
pub(super) async fn select_of_role(
    tx: &DatabaseTransaction,
    organization: i64,
    role: RoleId,
    most: u32,
) -> Result<Vec<User>, StoreError> {
    let values = vec![organization.into(), role.0.into(), i64::from(most).into()];
    read(tx, of_role(SqlDialect::of(tx)), values).await
}

async fn read(
    tx: &DatabaseTransaction,
    sql: String,
    values: Vec<Value>,
) -> Result<Vec<User>, StoreError> {
    let mut found = FoundUsers::default();
    for row in sql::query_all(tx, sql, values).await? {
        found.add_row(&row)?;
    }
    Ok(found.finish())
}

/// The statement of [`select_reports`].
fn reports(dialect: SqlDialect) -> String {
    let id = match dialect {
        SqlDialect::Postgres => "CAST(p.k AS uuid)",
        SqlDialect::Sqlite => "unhex(p.k)",
    };
    let is_one = format!("active AND supervisor_id = {id}");
    joined(dialect, &listed_texts(dialect, 2), &is_one)
}

/// The statement of [`select_of_role`]. It looks at users one after the other, the newest first, until it has enough
/// users; for most roles they are among the first. An index would cost every import that creates users more than it
/// gives.
fn of_role(dialect: SqlDialect) -> String {
    let user = selected_user(dialect);
    format!(
        "SELECT {user} FROM users WHERE organization_id = $1 AND active AND role_id = $2 \
        ORDER BY id DESC LIMIT $3"
    )
}

/// The values that the statement binds: the organisation, then the keys in the order of [`LOOKUPS`].
fn bound(
    dialect: SqlDialect,
    organization: i64,
    keys: &UserKeys,
) -> Result<Vec<Value>, StoreError> {
    let lists = [
        &keys.external_ids,
        &keys.emails,
        &keys.badge_numbers,
        &keys.usernames,
        &keys.bare_external_ids,
        &keys.bare_badge_numbers,
        &keys.small_external_ids,
        &keys.ids,
    ];
    let mut values = vec![organization.into()];
    for list in lists {
        values.push(row_set::text_list(dialect, list)?);
    }
    Ok(values)
}

/// The statement. Its table `above` has the found users first, and each user once.
fn selection(dialect: SqlDialect) -> String {
    let zeros = ["external_id", "badge_number"].map(most_zeros).join(", ");
    let found = (2..).zip(&LOOKUPS);
    let found = found.map(|(parameter, lookup)| lookup.sql(dialect, parameter));
    let found = found.collect::<Vec<_>>().join(" UNION ALL ");
    let above = joined(dialect, "above AS a", "id = a.up");
    format!(
        "WITH RECURSIVE {zeros}, found AS ({found}), above(found, up, standing, choices, texts) AS (\
        SELECT * FROM found UNION {above}) SELECT * FROM above"
    )
}

impl KeyLookup {
    fn sql(&self, dialect: SqlDialect, parameter: usize) -> String {
        let Self { column, by } = self;
        let listed = listed_texts(dialect, parameter);
        match by {
            LookUpBy::Key => joined(dialect, &listed, &format!("{column} = p.k")),
            LookUpBy::Id => {
                let id = match dialect {
                    SqlDialect::Postgres => "p.k::uuid",
                    SqlDialect::Sqlite => "unhex(p.k)",
                };
                joined(dialect, &listed, &format!("{column} = {id}"))
            }
            LookUpBy::Bare => {
                let listed = format!("{listed} CROSS JOIN {column}_zeros AS z");
                joined(
                    dialect,
                    &listed,
                    &format!("{column} = {} || p.k", zeros("z.n")),
                )
            }
            LookUpBy::Small => {
                let least = format!(
                    "{column} = (SELECT min({column}) FROM users WHERE organization_id = $1 \
                    AND lower({column}) = p.k AND {column} <> lower({column}))"
                );
                joined(dialect, &listed, &least)
            }
        }
    }
}

/// The users that `is_one` selects for each row of `from`.
fn joined(dialect: SqlDialect, from: &str, is_one: &str) -> String {
    let user = selected_user(dialect);
    let users = format!("users WHERE organization_id = $1 AND {is_one}");
    match dialect {
        SqlDialect::Postgres => {
            format!("SELECT u.* FROM {from}, LATERAL (SELECT {user} FROM {users} OFFSET 0) AS u")
        }
        SqlDialect::Sqlite => format!("SELECT {user} FROM {from} CROSS JOIN {users}"),
    }
}

/// The numbers of zeros with which a key of the organisation begins, from 0 to the most: mostly few, so that few keys
/// with zeros in front have to be looked up.
fn most_zeros(column: &str) -> String {
    let (least, end) = (zeros("n + 1"), zeros("n"));
    format!(
        "{column}_zeros(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM {column}_zeros WHERE n < {MOST_ZEROS} AND \
        EXISTS (SELECT 1 FROM users WHERE organization_id = $1 AND {column} >= {least} AND {column} < {end} || '1'))"
    )
}

/// This many zeros, as SQL.
fn zeros(count: &str) -> String {
    format!("substr('{}', 1, {count})", "0".repeat(MOST_ZEROS))
}

/// Returns the number of active users, counted up to `most`.
pub(super) async fn count_active(
    db: &impl ConnectionTrait,
    organization: i64,
    most: u32,
) -> Result<u32, StoreError> {
    let row = sql::query_one(
        db,
        COUNT_ACTIVE,
        [organization.into(), i64::from(most).into()],
    )
    .await?;
    let row = row.ok_or_else(|| StoreError::encoding("users cannot be counted"))?;
    let count: i64 = row.try_get_by_index(0)?;
    u32::try_from(count).map_err(StoreError::encoding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, snapshot};

    /// Users of the organisation whose plans are pinned.
    const USERS: u32 = 100_000;

    /// A SQLite database with an organisation of [`USERS`] users.
    async fn filled() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let now = "'2026-01-01 00:00:00+00:00'";
        let filling = format!(
            "INSERT INTO organizations (id, slug, display_name, revision, created_at) VALUES (1, 'pd', '', 0, {now}); \
            INSERT INTO roles (organization_id, id, name, name_key, privileged) VALUES (1, 1, 'a', 'a', 0); \
            INSERT INTO users (organization_id, id, external_id, email, email_key, badge_number, first_name, \
            last_name, active, username, username_key, role_id, protected, created_at, updated_at) \
            WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {USERS}) \
            SELECT 1, randomblob(16), n, n || '@x', n || '@x', printf('%07d', n), '', '', 1, n, n, 1, 0, {now}, {now} \
            FROM n"
        );
        let writer = store.writer.as_ref().unwrap();
        writer.execute_unprepared(&filling).await.unwrap();
        (folder, store)
    }

    /// How SQLite looks at users in this statement.
    async fn looks_at_users(store: &Store, sql: &str) -> Vec<String> {
        let mut values: Vec<Value> = vec![1_i64.into()];
        values.extend(
            (2..=9)
                .take_while(|n| sql.contains(&format!("${n}")))
                .map(|_| "[]".into()),
        );
        let explained = sql::query_all(&store.db, format!("EXPLAIN QUERY PLAN {sql}"), values);
        let steps = explained.await.unwrap();
        let steps = steps
            .iter()
            .map(|row| row.try_get_by_index::<String>(3).unwrap());
        steps.filter(|step| step.contains("users")).collect()
    }

    #[tokio::test]
    async fn sqlite_finds_the_users_of_a_partial_snapshot_on_indexes() {
        let (_folder, store) = filled().await;
        for (sql, looks) in [
            (selection(SqlDialect::Sqlite), 12),
            (snapshot::HAS_MORE_USERS.to_owned(), 1),
            (COUNT_ACTIVE.to_owned(), 1),
            (reports(SqlDialect::Sqlite), 1),
            (of_role(SqlDialect::Sqlite), 1),
        ] {
            let steps = looks_at_users(&store, &sql).await;
            let is_search = |step: &String| step.starts_with("SEARCH users");
            assert!(
                steps.len() == looks && steps.iter().all(is_search),
                "{steps:#?}"
            );
        }
    }

    #[tokio::test]
    async fn sqlite_finds_reports_on_their_own_index() {
        let (_folder, store) = filled().await;
        let steps = looks_at_users(&store, &reports(SqlDialect::Sqlite)).await;
        assert!(steps[0].contains("users_reports"), "{steps:?}");
    }

    #[tokio::test]
    async fn active_users_are_counted_up_to_a_number() {
        let (_folder, store) = filled().await;
        for (most, count) in [(0, 0), (2, 2), (u32::MAX, USERS)] {
            assert_eq!(count_active(&store.db, 1, most).await.unwrap(), count);
        }
    }
}
