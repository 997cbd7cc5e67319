//! The hosts that a `PostgreSQL` URL names, and which of them to connect to.
//!
//! After a fail-over another host takes writes. So after a transient failure, and before the call is made again, all hosts
//! are asked again. Connections to the former host are closed.

use std::{io, str::FromStr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{
        self, ConnectOptions as _, Connection as _, PgPool, Row,
        postgres::{PgConnectOptions, PgConnection},
    },
};
use tokio::time::timeout;
use tracing::{info, warn};

use super::{DatabaseUrl, StoreError};
use crate::limits::DatabaseLimits;

/// How long the only host may take to answer, and how long one of several.
const ONLY_HOST_TIMEOUT: Duration = Duration::from_secs(10);
const HOST_TIMEOUT: Duration = Duration::from_secs(5);

/// The hosts of one database.
#[derive(Debug)]
pub(super) struct PostgresHosts {
    hosts: Vec<PgConnectOptions>,
    must_write: bool,
    time_outs: TimeOuts,
    /// Index of the host to which new connections go, and the pools that they belong to.
    current: Mutex<(usize, Vec<PgPool>)>,
    /// Held while the hosts are asked.
    asking: tokio::sync::Mutex<()>,
}

/// A host that can be used, and the facts about its database.
#[derive(Clone, Debug)]
pub(super) struct FoundHost {
    index: usize,
    /// How to connect to it.
    pub(super) options: PgConnectOptions,
    /// SQL with which each transaction must begin, if a pooler in between drops the settings of connections.
    pub(super) settings: Option<Arc<str>>,
}

/// The names and values, in milliseconds, of the time-outs that every transaction has.
#[derive(Clone, Copy, Debug)]
struct TimeOuts([(&'static str, u128); 3]);

impl TimeOuts {
    /// The database ends a transaction that has been idle for `lease`.
    const fn new(lease: Duration, limits: DatabaseLimits) -> Self {
        Self([
            ("idle_in_transaction_session_timeout", lease.as_millis()),
            ("statement_timeout", limits.statement.as_millis()),
            ("lock_timeout", limits.lock.as_millis()),
        ])
    }

    /// SQL that sets them for one transaction. It also removes prepared statements, whose names the connection may have
    /// from another client of the pooler.
    fn for_transaction(self) -> String {
        let set = self
            .0
            .map(|(name, value)| format!("set_config('{name}', '{value}', true)"));
        format!("DEALLOCATE ALL; SELECT {}", set.join(", "))
    }

    /// A query of the database's encoding, of whether it refuses writes, and of how many of these time-outs the
    /// connection has.
    fn question(self) -> String {
        let expected = self.0.map(|(name, value)| format!("('{name}', '{value}')"));
        format!(
            "SELECT current_setting('server_encoding'), current_setting('transaction_read_only'), \
            (SELECT count(*) FROM pg_settings WHERE (name, setting) IN ({}))::text",
            expected.join(", ")
        )
    }
}

impl PostgresHosts {
    /// The hosts of a URL, for connections with these time-outs.
    pub(super) fn new(
        url: &DatabaseUrl,
        lease: Duration,
        limits: DatabaseLimits,
    ) -> Result<Self, StoreError> {
        let time_outs = TimeOuts::new(lease, limits);
        let options = |url: &String| {
            let options = PgConnectOptions::from_str(url).map_err(connection_error)?;
            Ok(options.options(time_outs.0).disable_statement_logging())
        };
        let hosts: Result<_, StoreError> = url.reveal_hosts().iter().map(options).collect();
        Ok(Self {
            hosts: hosts?,
            must_write: url.must_write(),
            time_outs,
            current: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Returns the first host that answers, and takes writes if the URL asks for that.
    ///
    /// # Errors
    /// Fails as the last host does, or if its database cannot be used.
    pub(super) async fn find(&self) -> Result<FoundHost, StoreError> {
        let mut failure = StoreError::NoWritableHost;
        for (index, options) in self.hosts.iter().enumerate() {
            match self.ask(index, options.clone()).await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => failure = StoreError::NoWritableHost,
                // A host that refuses writes says more than one that does not answer.
                Err(_) if index > 0 && matches!(failure, StoreError::NoWritableHost) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Lets the hosts' choice change the connections of these pools.
    pub(super) fn watch(&self, found: &FoundHost, pools: Vec<PgPool>) {
        *self.current.lock() = (found.index, pools);
    }

    /// Asks the hosts again, if there are several, and turns to another one if that is the one to use now. Returns at
    /// once if somebody is asking already.
    pub(super) async fn find_again(&self) {
        if self.hosts.len() < 2 {
            return;
        }
        let Ok(_asking) = self.asking.try_lock() else {
            return;
        };
        match self.find().await {
            Ok(found) => self.turn_to(&found),
            Err(error) => warn!(%error, "no host of the database can be used now"),
        }
    }

    fn turn_to(&self, found: &FoundHost) {
        let mut current = self.current.lock();
        if current.0 == found.index {
            return;
        }
        current.0 = found.index;
        info!(
            host = found.options.get_host(),
            port = found.options.get_port(),
            "another host of the database takes writes"
        );
        for pool in &current.1 {
            pool.set_connect_options(found.options.clone());
            // Connections in use fail now or at their next write, and their calls then come here again.
            while let Some(idle) = pool.try_acquire() {
                drop(idle.detach());
            }
        }
    }

    /// Returns `None` if the host does not take writes, and must.
    async fn ask(
        &self,
        index: usize,
        options: PgConnectOptions,
    ) -> Result<Option<FoundHost>, StoreError> {
        let limit = match self.hosts.len() {
            1 => ONLY_HOST_TIMEOUT,
            _ => HOST_TIMEOUT,
        };
        let answer = timeout(limit, self.answer(&options)).await;
        let [encoding, is_read_only, kept] = answer
            .unwrap_or_else(|_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())))
            .map_err(connection_error)?;
        if encoding != "UTF8" {
            return Err(StoreError::Encoding(encoding));
        }
        if self.must_write && is_read_only == "on" {
            return Ok(None);
        }
        let is_direct = kept == self.time_outs.0.len().to_string();
        Ok(Some(match is_direct {
            true => FoundHost {
                index,
                options,
                settings: None,
            },
            false => FoundHost {
                index,
                // A statement that is prepared on one connection may be run on another.
                options: options.statement_cache_capacity(0),
                settings: Some(self.time_outs.for_transaction().into()),
            },
        }))
    }

    /// Asks in one message of the simple protocol, which a pooler passes on to one connection.
    async fn answer(&self, options: &PgConnectOptions) -> Result<[String; 3], sqlx::Error> {
        let mut connection = PgConnection::connect_with(options).await?;
        let question = sqlx::AssertSqlSafe(self.time_outs.question());
        let row = sqlx::raw_sql(question).fetch_one(&mut connection).await?;
        let answer = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?];
        connection.close().await?;
        Ok(answer)
    }
}

fn connection_error(error: sqlx::Error) -> StoreError {
    // The library knows certificates of version 3 only, and says so in these words.
    match error.to_string().contains("UnsupportedCertVersion") {
        true => StoreError::CertificateVersion,
        false => DbErr::Conn(RuntimeErr::SqlxError(error.into())).into(),
    }
}
