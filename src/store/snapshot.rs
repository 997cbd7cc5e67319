//! An organisation's directory as it was at one moment, for planning.

use std::sync::Arc;

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, IsolationLevel, TransactionOptions,
    TransactionTrait,
};

use super::{
    LanePermit, Store, StoreError, catalog, directory_cache::CachedDirectory, sql,
    user_reader::read_users,
};
use crate::{
    domain::{Catalog, User},
    telemetry::metrics,
};

/// All users and the catalog of an organisation at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The organisation's revision at that moment.
    pub revision: i64,
    /// Roles, ranks and groups.
    pub catalog: Catalog,
    /// The users by ID, which is the order of the roster that created them, and likely that of the next one.
    pub users: Vec<User>,
    /// How many of them were read; the others came from the cache and have not changed since.
    pub read: usize,
}

impl Store {
    /// Reads an organisation's users and catalog as they are at one moment.
    ///
    /// # Errors
    /// Fails if the organisation is unknown, or the database fails.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn snapshot(&self, organization: i64) -> Result<Snapshot, StoreError> {
        self.retry(|| async {
            let _reading = self.lanes.reading(organization).await;
            self.read_snapshot(organization, None).await
        })
        .await
    }

    /// The same in steps, between which the heavy reads of other organisations have their turns.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot), and as [`LanePermit::read_turn`].
    pub async fn snapshot_in_turn(
        &self,
        organization: i64,
        permit: &LanePermit,
    ) -> Result<Snapshot, StoreError> {
        self.read_snapshot(organization, Some(permit)).await
    }

    async fn read_snapshot(
        &self,
        organization: i64,
        permit: Option<&LanePermit>,
    ) -> Result<Snapshot, StoreError> {
        // Taken before the transaction begins: the cached directory must not be newer than the data that is read.
        let cached = self.directory_cache.find(organization);
        let tx = self.begin_reading().await?;
        let revision = revision(&tx, organization).await?;
        let catalog = catalog::read(&tx, organization).await?;
        let users = self.read_directory(&tx, organization, cached, permit);
        let (users, read) = users.await?;
        tx.commit().await?;
        metrics::directory_asked(read, users.len() - read);
        Ok(Snapshot {
            revision,
            catalog,
            users,
            read,
        })
    }

    /// Brings the cached directory of an organisation up to date, so that no import has to wait for that later. Does
    /// nothing if the directory is not cached, or has become too large for the cache.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn refresh_cached_directory(
        &self,
        organization: i64,
        users: usize,
    ) -> Result<(), StoreError> {
        let cache = &self.directory_cache;
        if !cache.may_hold(users) {
            return Ok(());
        }
        let Some(cached) = cache.find(organization) else {
            return Ok(());
        };
        let tx = self.begin_reading().await?;
        let limit = cache.limit();
        let renewed = CachedDirectory::read(&tx, organization, Some(&*cached), limit, None);
        let (directory, _) = renewed.await?;
        tx.commit().await?;
        cache.put(organization, directory);
        Ok(())
    }

    /// Returns the users, and how many of them had to be read.
    async fn read_directory(
        &self,
        tx: &DatabaseTransaction,
        organization: i64,
        cached: Option<Arc<CachedDirectory>>,
        permit: Option<&LanePermit>,
    ) -> Result<(Vec<User>, usize), StoreError> {
        let cache = &self.directory_cache;
        if !cache.is_enabled() {
            let (users, _) = read_users(tx, organization, None, permit).await?;
            let read = users.len();
            return Ok((users, read));
        }
        let (cached, limit) = (cached.as_deref(), cache.limit());
        let directory = CachedDirectory::read(tx, organization, cached, limit, permit);
        let (directory, read) = directory.await?;
        let users = Arc::clone(directory.users());
        cache.put(organization, directory);
        // If they did not fit into the cache this is the only reference, and nothing is copied.
        Ok((Arc::unwrap_or_clone(users), read))
    }

    /// The organisation's revision now.
    ///
    /// # Errors
    /// Fails if the organisation is unknown, or the database fails.
    pub async fn revision(&self, organization: i64) -> Result<i64, StoreError> {
        self.retry(|| revision(&self.db, organization)).await
    }

    /// Begins a transaction whose statements all see the same moment.
    pub(super) async fn begin_reading(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            sqlite_transaction_mode: None,
        };
        Ok(self.db.begin_with_options(options).await?)
    }
}

async fn revision(db: &impl ConnectionTrait, organization: i64) -> Result<i64, StoreError> {
    let sql = "SELECT revision FROM organizations WHERE id = $1";
    match sql::query_one(db, sql, [organization.into()]).await? {
        Some(row) => Ok(row.try_get_by_index(0)?),
        None => Err(StoreError::UnknownOrganization),
    }
}
