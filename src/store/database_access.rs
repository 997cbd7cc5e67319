//! Checks that the database lets this service write, use its tables, and have enough connections. `doctor` asks.

use std::time::Duration;

use sea_orm::{DbErr, QueryResult};

use super::{SqlDialect, Store, StoreError, sql};

/// How old the last heartbeat of a running server may be.
const HEARTBEAT: Duration = Duration::from_mins(1);

/// The tables, each with what a server does to it.
const TABLES: [(&str, &[&str]); 21] = [
    ("audit_events", &["SELECT", "INSERT"]),
    ("audit_heads", ALL),
    ("credential_sources", ALL),
    ("evidence_groups", ALL),
    ("held_imports", ALL),
    ("held_parts", ALL),
    ("import_leases", ALL),
    ("import_results", ALL),
    ("imports", ALL),
    ("mappings", ALL),
    ("organizations", ALL),
    ("ranks", ALL),
    ("roles", ALL),
    ("seaql_migrations", &["SELECT"]),
    ("servers", ALL),
    ("tokens", ALL),
    ("upload_chunks", ALL),
    ("upload_replies", ALL),
    ("uploads", ALL),
    ("users", ALL),
    ("organization_slugs", &["SELECT", "INSERT"]),
];

const ALL: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE"];

/// Why a server cannot work on a `PostgreSQL` database that it can reach, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessFault {
    /// The database follows another one.
    #[error(
        "it is a standby, which takes no writes; name the primary in --database-url, or all hosts, as in \
         postgres://USER@A,B/NAME"
    )]
    Standby,
    /// The role's transactions take no writes.
    #[error("the transactions of the role {role} are read-only; {remedy}")]
    ReadOnly {
        /// The role.
        role: String,
        /// How to change that.
        remedy: String,
    },
    /// The role may use no schema.
    #[error(
        "the role {role} may use no schema of its search_path, which is {path}; run GRANT USAGE ON SCHEMA public TO \
         {role}, or correct search_path"
    )]
    NoSchema {
        /// The role.
        role: String,
        /// Its `search_path`.
        path: String,
    },
    /// The role lacks privileges on tables.
    #[error(
        "the role {role} lacks {privileges} on {tables}; run GRANT SELECT, INSERT, UPDATE, DELETE ON ALL \
         TABLES IN SCHEMA {schema} TO {role}"
    )]
    Tables {
        /// The role.
        role: String,
        /// Their schema.
        schema: String,
        /// What it lacks.
        privileges: String,
        /// The tables.
        tables: String,
    },
    /// The schema lacks something, and the role may not add it.
    #[error(
        "the role {role} may not change the schema; run user-import migrate as its owner, or GRANT CREATE \
         ON SCHEMA {schema} TO {role} if it is empty"
    )]
    Schema {
        /// The role.
        role: String,
        /// The schema.
        schema: String,
    },
}

impl AccessFault {
    /// Returns `true` if the role cannot see what the schema has.
    #[must_use]
    pub const fn hides_schema(&self) -> bool {
        matches!(self, Self::NoSchema { .. })
    }
}

/// The connections that the database has left for a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRoom {
    /// How many more it admits.
    pub free: i64,
    /// The limit that is reached first, and how many connections count.
    pub limit: String,
    /// How to raise it.
    pub remedy: String,
}

/// The role and the schema, as SQL names them.
struct RoleAndSchema {
    role: String,
    schema: String,
}

impl Store {
    /// Returns `true` if a server runs on this database.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn has_running_server(&self) -> Result<bool, StoreError> {
        Ok(!self.servers_with_heartbeat(HEARTBEAT).await?.is_empty())
    }

    /// Finds what would keep a server from writing. `must_migrate`: the schema lacks something. `removes_events`: the
    /// server removes archived audit events.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn access_faults(
        &self,
        must_migrate: bool,
        removes_events: bool,
    ) -> Result<Vec<AccessFault>, StoreError> {
        if self.dialect() == SqlDialect::Sqlite {
            return Ok(Vec::new());
        }
        let sql = "SELECT quote_ident(current_user), \
            coalesce(quote_ident(current_schema()), 'public'), \
            quote_ident(current_database()), pg_is_in_recovery(), \
            current_setting('transaction_read_only') = 'on', \
            current_schema() IS NULL, current_setting('search_path'), (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only')";
        let row = one(sql::query_one(&self.db, sql, []).await?)?;
        let place = RoleAndSchema {
            role: row.try_get_by_index(0)?,
            schema: row.try_get_by_index(1)?,
        };
        let database: String = row.try_get_by_index(2)?;
        let (is_standby, is_read_only) = (row.try_get_by_index(3)?, row.try_get_by_index(4)?);
        if row.try_get_by_index(5)? {
            let (role, path) = (place.role, row.try_get_by_index(6)?);
            return Ok(vec![AccessFault::NoSchema { role, path }]);
        }
        let mut faults = Vec::new();
        if is_standby {
            faults.push(AccessFault::Standby);
        } else if is_read_only {
            let source: String = row.try_get_by_index(7)?;
            faults.push(AccessFault::ReadOnly {
                remedy: read_only_remedy(&source, &place.role, &database),
                role: place.role.clone(),
            });
        }
        faults.extend(self.lacking(&place, removes_events).await?);
        if must_migrate && !self.may_migrate().await? {
            let RoleAndSchema { role, schema } = place;
            faults.push(AccessFault::Schema { role, schema });
        }
        Ok(faults)
    }

    async fn lacking(
        &self,
        place: &RoleAndSchema,
        removes_events: bool,
    ) -> Result<Option<AccessFault>, StoreError> {
        let removal = removes_events.then_some(("audit_events", &["DELETE"][..]));
        let wanted = TABLES.into_iter().chain(removal);
        let wanted = wanted.flat_map(|(table, privileges)| {
            let row = move |privilege: &&str| format!("('{table}', '{privilege}')");
            privileges.iter().map(row)
        });
        let wanted: Vec<String> = wanted.collect();
        let sql = format!(
            "SELECT name, privilege FROM (VALUES {}) AS wanted (name, privilege) \
            WHERE NOT has_table_privilege(to_regclass(name), privilege)",
            wanted.join(", ")
        );
        let rows = sql::query_all(&self.db, sql, []).await?;
        let (mut tables, mut privileges) = (Vec::<String>::new(), Vec::<String>::new());
        for row in &rows {
            for (index, list) in [&mut tables, &mut privileges].into_iter().enumerate() {
                let name: String = row.try_get_by_index(index)?;
                if !list.contains(&name) {
                    list.push(name);
                }
            }
        }
        Ok((!tables.is_empty()).then(|| AccessFault::Tables {
            role: place.role.clone(),
            schema: place.schema.clone(),
            privileges: privileges.join(", "),
            tables: shortened(&tables),
        }))
    }

    /// Returns whether the role may create tables, and change those that there are.
    async fn may_migrate(&self) -> Result<bool, StoreError> {
        let tables = TABLES.map(|(table, _)| format!("to_regclass('{table}')"));
        let sql = format!(
            "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AND NOT EXISTS \
            (SELECT 1 FROM pg_class WHERE oid IN ({}) AND NOT pg_has_role(relowner, 'USAGE'))",
            tables.join(", ")
        );
        let row = one(sql::query_one(&self.db, sql, []).await?)?;
        Ok(row.try_get_by_index(0)?)
    }

    /// Returns how many connections `PostgreSQL` admits besides this one, or `None` for SQLite, and behind a pooler,
    /// which has limits of its own.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn connection_room(&self) -> Result<Option<ConnectionRoom>, StoreError> {
        if self.dialect() == SqlDialect::Sqlite || self.is_behind_pooler() {
            return Ok(None);
        }
        // One of those that are counted is this one.
        let sql = "SELECT quote_ident(r.rolname), quote_ident(d.datname), r.rolsuper, \
            r.rolconnlimit::bigint, d.datconnlimit::bigint, \
            current_setting('max_connections')::bigint, \
            current_setting('superuser_reserved_connections')::bigint \
                + coalesce(current_setting('reserved_connections', true), '0')::bigint, \
            a.everywhere - 1, a.of_role - 1, a.of_database - 1 \
            FROM pg_roles r, pg_database d, (SELECT count(*) AS everywhere, \
                count(*) FILTER (WHERE usename = current_user) AS of_role, \
                count(*) FILTER (WHERE datname = current_database()) AS of_database \
                FROM pg_stat_activity WHERE backend_type = 'client backend') a \
            WHERE r.rolname = current_user AND d.datname = current_database()";
        let row = one(sql::query_one(&self.db, sql, []).await?)?;
        let name = |index| row.try_get_by_index::<String>(index);
        let number = |index| row.try_get_by_index::<i64>(index);
        let (role, database, is_superuser) = (name(0)?, name(1)?, row.try_get_by_index(2)?);
        let reserved = if is_superuser { 0 } else { number(6)? };
        let (most, used) = (number(5)?, number(7)?);
        let mut rooms = vec![ConnectionRoom {
            free: most - reserved - used,
            limit: format!("max_connections is {most}: {used} are in use, {reserved} reserved"),
            remedy: "raise max_connections of PostgreSQL".to_owned(),
        }];
        let own = [("ROLE", role, 3, 8), ("DATABASE", database, 4, 9)];
        // Superusers have no such limits, and -1 is none.
        for (kind, name, limit, used) in own.into_iter().filter(|_| !is_superuser) {
            let (limit, used) = (number(limit)?, number(used)?);
            if limit >= 0 {
                rooms.push(ConnectionRoom {
                    free: limit - used,
                    limit: format!("its CONNECTION LIMIT is {limit}: {used} are in use"),
                    remedy: format!(
                        "run ALTER {kind} {name} CONNECTION LIMIT with a higher number"
                    ),
                });
            }
        }
        Ok(rooms.into_iter().min_by_key(|room| room.free))
    }
}

fn read_only_remedy(source: &str, role: &str, database: &str) -> String {
    let reset = "RESET default_transaction_read_only";
    match source {
        "user" => format!("run ALTER ROLE {role} {reset}"),
        "database" => format!("run ALTER DATABASE {database} {reset}"),
        "database user" => format!("run ALTER ROLE {role} IN DATABASE {database} {reset}"),
        "client" => {
            "remove default_transaction_read_only from the options in --database-url".to_owned()
        }
        _ => "set default_transaction_read_only = off in PostgreSQL's configuration".to_owned(),
    }
}

/// The first few names, and how many more there are.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 3;
    match names.get(..SHOWN) {
        Some(first) if names.len() > SHOWN => {
            format!(
                "{} and {} more tables",
                first.join(", "),
                names.len() - SHOWN
            )
        }
        _ => names.join(", "),
    }
}

fn one(row: Option<QueryResult>) -> Result<QueryResult, StoreError> {
    row.ok_or_else(|| DbErr::RecordNotFound("the role or the database".to_owned()).into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[tokio::test]
    async fn the_privileges_of_every_table_are_asked() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let sql =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let rows = sql::query_all(&store.db, sql, []).await.unwrap();
        let there = rows.iter().map(|row| row.try_get_by_index(0).unwrap());
        let there: BTreeSet<String> = there.collect();
        let asked = TABLES.map(|(table, _)| table.to_owned()).into_iter();
        // This one is made when a database is distributed.
        let asked: BTreeSet<String> = asked
            .filter(|table| table != "organization_slugs")
            .collect();
        assert_eq!(asked, there);
    }

    #[test]
    fn few_tables_are_named_and_many_counted() {
        let names = ["a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(shortened(&names[..3]), "a, b, c");
        assert_eq!(shortened(&names), "a, b, c and 2 more tables");
    }
}
