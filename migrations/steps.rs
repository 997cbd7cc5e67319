//! The types that the steps of the schema use, and the code that runs those steps that a database does not have yet.
//!
//! `sea-orm-migration` does the same, but needs crates for dates and decimals that no other code here uses. The table
//! of steps has the form that `sea-orm-migration` gave it, since databases of earlier releases have that table.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, StatementBuilder,
    sea_query::{IndexCreateStatement, TableAlterStatement, TableCreateStatement},
};

/// The imports that each step's file needs.
pub(crate) mod prelude {
    pub(crate) use sea_orm::{ConnectionTrait, DbErr, DeriveIden, sea_query::*};

    pub(crate) use super::{MigrationTrait, SchemaManager};
}

/// A step. It only adds to the schema, so that the release before it still works.
#[async_trait::async_trait]
pub(crate) trait MigrationTrait: Send + Sync {
    /// Takes the step.
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr>;
}

/// A step with the name under which databases record it.
pub(crate) type NamedStep = (&'static str, Box<dyn MigrationTrait>);

/// Changes the schema. All steps share one transaction.
#[derive(Debug)]
pub(crate) struct SchemaManager<'a>(&'a DatabaseTransaction);

impl<'a> SchemaManager<'a> {
    /// Changes the schema in this transaction.
    pub(crate) const fn new(transaction: &'a DatabaseTransaction) -> Self {
        Self(transaction)
    }

    /// The kind of database.
    pub(crate) fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    /// The transaction, for SQL without a builder.
    pub(crate) const fn get_connection(&self) -> &DatabaseTransaction {
        self.0
    }

    /// Creates a table.
    pub(crate) async fn create_table(&self, statement: TableCreateStatement) -> Result<(), DbErr> {
        self.execute(&statement).await
    }

    /// Changes a table.
    pub(crate) async fn alter_table(&self, statement: TableAlterStatement) -> Result<(), DbErr> {
        self.execute(&statement).await
    }

    /// Creates an index.
    pub(crate) async fn create_index(&self, statement: IndexCreateStatement) -> Result<(), DbErr> {
        self.execute(&statement).await
    }

    async fn execute(&self, statement: &impl StatementBuilder) -> Result<(), DbErr> {
        self.0.execute(statement).await.map(drop)
    }
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS seaql_migrations (\
    version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)";

/// Runs the `missing` ones of `steps`. `now` is in seconds since 1970.
pub(crate) async fn take(
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
            tracing::debug!(step = name, "a step of the schema is taken");
            step.up(&manager).await?;
            let values = [(*name).into(), now.into()];
            let statement = Statement::from_sql_and_values(backend, sql, values);
            transaction.execute_raw(statement).await?;
        }
    }
    Ok(())
}

/// Makes columns. A column may be null only if its method's name says so.
pub(crate) mod schema {
    use sea_orm::sea_query::{ColumnDef, IntoIden};

    macro_rules! columns {
        ($($(#[$doc:meta])* $name:ident, $null:ident;)+) => {
            $(
                $(#[$doc])*
                pub(crate) fn $name(name: impl IntoIden) -> ColumnDef {
                    ColumnDef::new(name).$name().not_null().take()
                }

                columns!(@null $null $name);
            )+
        };
        (@null none $name:ident) => {};
        (@null $null:ident $name:ident) => {
            /// A column of the same type that may be null.
            pub(crate) fn $null(name: impl IntoIden) -> ColumnDef {
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
        /// A point in time.
        timestamp_with_time_zone, timestamp_with_time_zone_null;
    }

    /// The table's key: a number that the database assigns.
    pub(crate) fn pk_auto(name: impl IntoIden) -> ColumnDef {
        integer(name).auto_increment().primary_key().take()
    }
}
