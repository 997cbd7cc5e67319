//! Citus, the extension of `PostgreSQL` that spreads tables over several machines. Each organisation's rows are on one
//! of them, together.
//!
//! A distributed database differs in three things. Citus finds an organisation's rows by the organisation's number, so
//! every machine has a table with the number of each slug ([`SLUGS`]). The references of users are foreign keys: Citus
//! has no triggers that look at other tables. And the tables that concern no organisation stay on the coordinator, to
//! which all servers connect.

use sea_orm::ConnectionTrait;

use super::{ConnectionPool, SqlDialect, Store, StoreError, sql};

/// The table of slugs. Only a distributed database has it.
const SLUGS: &str = "organization_slugs";

/// The tables whose rows belong to an organisation, each with the column that has its number. A table comes after those
/// to which it refers.
pub(super) const TABLES: [(&str, &str); 16] = [
    ("organizations", "id"),
    ("roles", "organization_id"),
    ("ranks", "organization_id"),
    ("evidence_groups", "organization_id"),
    ("users", "organization_id"),
    ("imports", "organization_id"),
    ("import_results", "organization_id"),
    ("import_leases", "organization_id"),
    ("uploads", "organization_id"),
    ("upload_chunks", "organization_id"),
    ("upload_replies", "organization_id"),
    ("audit_events", "organization_id"),
    ("audit_heads", "organization_id"),
    ("mappings", "organization_id"),
    ("held_imports", "organization_id"),
    ("held_parts", "organization_id"),
];

/// Columns of users and the tables that they refer to.
const REFERENCES: [(&str, &str); 4] = [
    ("role_id", "roles"),
    ("rank_id", "ranks"),
    ("group_id", "evidence_groups"),
    ("supervisor_id", "users"),
];

/// How a database's tables are spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableDistribution {
    /// All tables are in one database.
    Plain,
    /// Every organisation's rows are on one machine, and organisations are on several.
    Distributed {
        /// How many machines have rows.
        workers: u32,
    },
    /// Some tables are distributed; these are not.
    Partial(Vec<String>),
}

/// Why a database was not distributed.
#[derive(Debug, thiserror::Error)]
pub enum DistributeError {
    /// SQLite is a single file.
    #[error("SQLite is one file, and cannot be distributed; use PostgreSQL with Citus")]
    Sqlite,
    /// The extension is missing.
    #[error("the database lacks the extension Citus; run CREATE EXTENSION citus")]
    NoExtension,
    /// There is no machine for the rows.
    #[error("no worker is registered; run SELECT citus_add_node(HOST, PORT) for each of them")]
    NoWorkers,
    /// Servers are running on it.
    #[error("{0} servers are running on this database; stop them first")]
    ServersRunning(i64),
    /// Any other failure.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns `true` if the tables are distributed.
pub(super) async fn is_distributed(db: &ConnectionPool) -> Result<bool, StoreError> {
    Ok(SqlDialect::of(db) == SqlDialect::Postgres && !distributed_tables(db).await?.is_empty())
}

/// Returns the names of the distributed tables of this service.
async fn distributed_tables(db: &impl ConnectionTrait) -> Result<Vec<String>, StoreError> {
    // A database without the extension has no such table, and a query of it would not even be parsed.
    let known = "SELECT 1 WHERE to_regclass('pg_dist_partition') IS NOT NULL";
    if sql::query_one(db, known, []).await?.is_none() {
        return Ok(Vec::new());
    }
    let names = TABLES.map(|(name, _)| format!("to_regclass('{name}')"));
    let sql = format!(
        "SELECT logicalrelid::text FROM pg_dist_partition WHERE partmethod = 'h' \
        AND logicalrelid IN ({})",
        names.join(", ")
    );
    let rows = sql::query_all(db, sql, []).await?;
    rows.iter()
        .map(|row| Ok(row.try_get_by_index(0)?))
        .collect()
}

impl Store {
    /// Says how the database's tables are spread.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn distribution(&self) -> Result<TableDistribution, StoreError> {
        if self.dialect() == SqlDialect::Sqlite {
            return Ok(TableDistribution::Plain);
        }
        let distributed = distributed_tables(&self.db).await?;
        if distributed.is_empty() {
            return Ok(TableDistribution::Plain);
        }
        let missing = TABLES.map(|(name, _)| name.to_owned()).into_iter();
        let missing: Vec<String> = missing.filter(|name| !distributed.contains(name)).collect();
        if !missing.is_empty() {
            return Ok(TableDistribution::Partial(missing));
        }
        let sql = "SELECT count(DISTINCT nodename || ':' || nodeport) FROM citus_shards \
            WHERE table_name = to_regclass('users')";
        let workers = number(&self.db, sql).await?;
        Ok(TableDistribution::Distributed {
            workers: u32::try_from(workers).unwrap_or(u32::MAX),
        })
    }

    /// Distributes the tables that are not distributed yet, with their rows, in one transaction. The schema must be up
    /// to date.
    ///
    /// # Errors
    /// Fails if the database has no Citus or no workers, if servers are running on it, or if Citus refuses; the tables
    /// then do not change.
    pub async fn distribute(&self) -> Result<(), DistributeError> {
        if self.dialect() == SqlDialect::Sqlite {
            return Err(DistributeError::Sqlite);
        }
        let tx = self.begin().await?;
        let db = &tx.inner;
        let extension = "SELECT count(*) FROM pg_extension WHERE extname = 'citus'";
        if number(db, extension).await? == 0 {
            return Err(DistributeError::NoExtension);
        }
        if number(db, "SELECT count(*) FROM citus_get_active_worker_nodes()").await? == 0 {
            return Err(DistributeError::NoWorkers);
        }
        let now = self.dialect().now_ms();
        let running = format!("SELECT count(*) FROM servers WHERE heartbeat_ms + 60000 > {now}");
        match number(db, &running).await? {
            0 => {}
            running => return Err(DistributeError::ServersRunning(running)),
        }
        let distributed = distributed_tables(db).await?;
        for statement in statements(&distributed) {
            db.execute_unprepared(&statement)
                .await
                .map_err(StoreError::from)?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Returns everything that distributes the tables that are not among `distributed`.
fn statements(distributed: &[String]) -> Vec<String> {
    let mut statements: Vec<String> = [
        "SET LOCAL lock_timeout = 0",
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL citus.multi_shard_modify_mode = 'sequential'",
        // The audit trail's triggers look at the changed row, and at other rows of the same organisation in its own table.
        "SET LOCAL citus.enable_unsafe_triggers = on",
    ]
    .map(str::to_owned)
    .into();
    let is_distributed = |table: &str| distributed.iter().any(|name| name == table);
    if !is_distributed("organizations") {
        statements.extend(slugs());
    }
    if !is_distributed("users") {
        statements.extend(drop_reference_triggers());
    }
    for (table, column) in TABLES {
        if !is_distributed(table) {
            let with = match table {
                "organizations" => "none",
                _ => "organizations",
            };
            statements.push(format!(
                "SELECT create_distributed_table('{table}', '{column}', colocate_with => '{with}')"
            ));
        }
    }
    if !is_distributed("users") {
        statements.extend(REFERENCES.map(|(column, target)| {
            format!(
                "ALTER TABLE users ADD CONSTRAINT users_{column}_fkey FOREIGN KEY \
                (organization_id, {column}) REFERENCES {target} (organization_id, id)"
            )
        }));
    }
    statements
}

/// The database could keep slugs unique only within each machine.
fn slugs() -> [String; 4] {
    [
        format!(
            "CREATE TABLE IF NOT EXISTS {SLUGS} (slug text COLLATE \"C\" PRIMARY KEY, \
            organization_id bigint NOT NULL UNIQUE)"
        ),
        format!("SELECT create_reference_table('{SLUGS}')"),
        format!(
            "INSERT INTO {SLUGS} (slug, organization_id) SELECT slug, id FROM organizations \
            ON CONFLICT DO NOTHING"
        ),
        "ALTER TABLE organizations DROP CONSTRAINT organizations_slug_key".to_owned(),
    ]
}

fn drop_reference_triggers() -> Vec<String> {
    let of_users = ["insert", "update"].map(|event| ("users", format!("users_{event}_references")));
    let referred = REFERENCES.map(|(column, table)| (table, format!("{table}_referred_{column}")));
    let removed = REFERENCES.map(|(column, table)| (table, format!("{table}_removed_{column}")));
    let all = of_users.into_iter().chain(referred).chain(removed);
    all.map(|(table, trigger)| format!("DROP TRIGGER IF EXISTS {trigger} ON {table}"))
        .collect()
}

async fn number(db: &impl ConnectionTrait, sql: &str) -> Result<i64, StoreError> {
    let row = sql::query_one(db, sql, []).await?;
    let row = row.ok_or_else(|| StoreError::encoding("a count has no row"))?;
    Ok(row.try_get_by_index(0)?)
}

/// Returns the number of the organisation with this slug.
pub(super) async fn organization_of(
    db: &impl ConnectionTrait,
    slug: &str,
) -> Result<Option<i64>, StoreError> {
    let sql = format!("SELECT organization_id FROM {SLUGS} WHERE slug = $1");
    let row = sql::query_one(db, sql, [slug.into()]).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// Makes the slug known on every machine.
pub(super) async fn record_slug(
    db: &impl ConnectionTrait,
    slug: &str,
    organization: i64,
) -> Result<(), sea_orm::DbErr> {
    let sql = format!("INSERT INTO {SLUGS} (slug, organization_id) VALUES ($1, $2)");
    sql::execute(db, sql, [slug.into(), organization.into()])
        .await
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_table_of_organisations_is_distributed() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let sql = "SELECT t.name FROM sqlite_master t WHERE t.type = 'table' AND (t.name = 'organizations' \
            OR EXISTS (SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name = 'organization_id')) \
            ORDER BY t.name";
        let rows = sql::query_all(&store.db, sql, []).await.unwrap();
        let found = rows
            .iter()
            .map(|row| row.try_get_by_index::<String>(0).unwrap());
        let mut tables = TABLES.map(|(name, _)| name);
        tables.sort_unstable();
        assert_eq!(found.collect::<Vec<_>>(), tables);
    }
}
