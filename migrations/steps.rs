//! What steps of the schema are made of, and how a database gets those that it lacks.
//!
//! `sea-orm-migration` would do the same, and pull in the crates for dates and decimals that nothing here
//! uses. The table of steps is the one that it makes: databases of earlier releases have it.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, StatementBuilder,
    sea_query::{IndexCreateStatement, TableAlterStatement, TableCreateStatement},
};

/// What a step's file uses.
pub mod prelude {
    pub use sea_orm::{ConnectionTrait, DbErr, DeriveIden, sea_query::*};

    pub use super::{MigrationTrait, SchemaManager};
}

/// A step: it only ever adds, so that the release before it works on.
#[async_trait::async_trait]
pub trait MigrationTrait: Send + Sync {
    /// Takes the step.
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr>;
}

/// A step with its name, under which databases remember it.
pub type NamedStep = (&'static str, Box<dyn MigrationTrait>);

/// Changes the schema, in one transaction for all steps.
#[derive(Debug)]
pub struct SchemaManager<'a>(&'a DatabaseTransaction);

impl<'a> SchemaManager<'a> {
    /// For a transaction.
    pub const fn new(transaction: &'a DatabaseTransaction) -> Self {
        Self(transaction)
    }

    /// The kind of database.
    pub fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    /// The transaction, for SQL that no builder makes.
    pub const fn get_connection(&self) -> &DatabaseTransaction {
        self.0
    }

    /// Makes a table.
    pub async fn create_table(&self, statement: TableCreateStatement) -> Result<(), DbErr> {
        self.execute(&statement).await
    }

    /// Changes a table.
    pub async fn alter_table(&self, statement: TableAlterStatement) -> Result<(), DbErr> {
        self.execute(&statement).await
    }

    /// Makes an index.
    pub async fn create_index(&self, statement: IndexCreateStatement) -> Result<(), DbErr> {
        self.execute(&statement).await
    }

    async fn execute(&self, statement: &impl StatementBuilder) -> Result<(), DbErr> {
        self.0.execute(statement).await.map(drop)
    }
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS seaql_migrations (\
    version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)";

/// Takes those of `steps` that are `missing`, at `now` in seconds since 1970.
pub async fn take(
    steps: &[NamedStep],
    missing: &[String],
    transaction: &DatabaseTransaction,
    now: i64,
) -> Result<(), DbErr> {
    transaction.execute_unprepared(TABLE).await?;
    let backend = transaction.get_database_backend();
    let sql = "INSERT INTO seaql_migrations (version, applied_at) VALUES ($1, $2)";
    let manager = SchemaManager::new(transaction);
    for (name, step) in steps {
        if missing.iter().any(|missing| missing == name) {
            tracing::info!(step = name, "the schema is brought up to date");
            step.up(&manager).await?;
            let values = [(*name).into(), now.into()];
            let statement = Statement::from_sql_and_values(backend, sql, values);
            transaction.execute_raw(statement).await?;
        }
    }
    Ok(())
}

/// Columns, not null unless their name says so.
pub mod schema {
    use sea_orm::sea_query::{ColumnDef, IntoIden};

    macro_rules! columns {
        ($($(#[$doc:meta])* $name:ident, $null:ident;)+) => {
            $(
                $(#[$doc])*
                pub fn $name(name: impl IntoIden) -> ColumnDef {
                    ColumnDef::new(name).$name().not_null().take()
                }

                columns!(@null $null $name);
            )+
        };
        (@null none $name:ident) => {};
        (@null $null:ident $name:ident) => {
            /// The same, which may be null.
            pub fn $null(name: impl IntoIden) -> ColumnDef {
                ColumnDef::new(name).$name().null().take()
            }
        };
    }

    columns! {
        /// A text.
        text, text_null;
        /// 32 bits.
        integer, integer_null;
        /// 64 bits.
        big_integer, none;
        /// True or false.
        boolean, none;
        /// Bytes.
        blob, blob_null;
        /// A UUID.
        uuid, uuid_null;
        /// A moment.
        timestamp_with_time_zone, timestamp_with_time_zone_null;
    }

    /// A number that the database gives, the table's key.
    pub fn pk_auto(name: impl IntoIden) -> ColumnDef {
        integer(name).auto_increment().primary_key().take()
    }
}
