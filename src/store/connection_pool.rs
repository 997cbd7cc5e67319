//! A pool of connections, and what each transaction sets if the database is behind a pooler.
//!
//! The time-outs are settings of the connection. A pooler such as `PgBouncer` drops them, and in its transaction mode may
//! run each statement on another connection. Then every transaction sets them for itself, and a statement outside of a
//! transaction gets one.

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, Statement, TransactionOptions, TransactionTrait,
};

/// A pool of connections to one database.
#[derive(Clone, Debug)]
pub(super) struct ConnectionPool {
    pool: DatabaseConnection,
    /// SQL with which each transaction begins; `None` if the connections have their settings themselves.
    settings: Option<Arc<str>>,
}

impl ConnectionPool {
    pub(super) const fn new(pool: DatabaseConnection, settings: Option<Arc<str>>) -> Self {
        Self { pool, settings }
    }

    pub(super) const fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    pub(super) const fn is_pooled_outside(&self) -> bool {
        self.settings.is_some()
    }

    pub(super) async fn begin(
        &self,
        options: TransactionOptions,
    ) -> Result<DatabaseTransaction, DbErr> {
        let Some(settings) = &self.settings else {
            return self.pool.begin_with_options(options).await;
        };
        // The library would prepare the statement that sets the isolation level.
        let transaction = self.pool.begin().await?;
        let first = format!("{}{settings}", characteristics(options));
        transaction.execute_unprepared(&first).await?;
        Ok(transaction)
    }

    /// Begins a transaction for a single statement, if it needs one.
    async fn begin_single(&self) -> Result<Option<DatabaseTransaction>, DbErr> {
        match self.settings {
            Some(_) => self.begin(TransactionOptions::default()).await.map(Some),
            None => Ok(None),
        }
    }
}

/// SQL that gives a transaction its isolation level and access mode, if they are not the database's own.
fn characteristics(options: TransactionOptions) -> String {
    let isolation = options
        .isolation_level
        .map(|level| format!(" ISOLATION LEVEL {level}"));
    let access = options.access_mode.map(|mode| format!(" {mode}"));
    match (isolation, access) {
        (None, None) => String::new(),
        (isolation, access) => {
            let (isolation, access) = (isolation.unwrap_or_default(), access.unwrap_or_default());
            format!("SET TRANSACTION{isolation}{access}; ")
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for ConnectionPool {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let Some(transaction) = self.begin_single().await? else {
            return self.pool.execute_raw(statement).await;
        };
        let result = transaction.execute_raw(statement).await?;
        transaction.commit().await?;
        Ok(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let Some(transaction) = self.begin_single().await? else {
            return self.pool.execute_unprepared(sql).await;
        };
        let result = transaction.execute_unprepared(sql).await?;
        transaction.commit().await?;
        Ok(result)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let Some(transaction) = self.begin_single().await? else {
            return self.pool.query_one_raw(statement).await;
        };
        let row = transaction.query_one_raw(statement).await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Some(transaction) = self.begin_single().await? else {
            return self.pool.query_all_raw(statement).await;
        };
        let rows = transaction.query_all_raw(statement).await?;
        transaction.commit().await?;
        Ok(rows)
    }
}
