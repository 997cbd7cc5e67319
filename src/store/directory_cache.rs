//! Directories that were read before, so that only what has changed since is read again (`PostgreSQL` only).
//!
//! `PostgreSQL` says of each row which transaction wrote it. A user whose row was written by a transaction that had
//! ended when the directory was read has not changed since. If there are then as many users as are known,
//! none has been removed. The result equals a full read at the same moment, whatever has written in between and
//! by whatever means.
//!
//! Every transaction from the oldest one that was running counts as running, even if it had ended: a snapshot's list of
//! running transactions lacks subtransactions, and a subtransaction may have written rows.
//!
//! This holds while the database server runs. After a restart everything is read again: the server may have been
//! restored from a backup, or a crash may have lost transactions that did not wait for the disk, and both give
//! transaction numbers out again. The same goes for another database or table under the same name, and for a
//! column that was added or renamed, which writes no row. SQLite does not say who wrote a row: nothing is cached.

use std::{cmp::Ordering, fmt, sync::Arc};

use parking_lot::Mutex;
use sea_orm::{DatabaseTransaction, Value};
use tokio::task::spawn_blocking;

use super::{
    LanePermit, StoreError, sql,
    user_reader::{self, WRITTEN_SINCE},
};
use crate::domain::User;

/// Transactions after which everything is read again. `PostgreSQL` can order twice as many.
const MAX_TRANSACTIONS: i64 = 1 << 30;

/// Bytes of a user with short values. A directory that would be too large even with such users is not refreshed.
const SMALL_USER_BYTES: usize = 128;

/// The cached directories, limited in bytes; the least recently used one is dropped first. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct DirectoryCache {
    /// Bytes; 0: nothing is cached.
    limit: usize,
    entries: Arc<Mutex<CacheEntries>>,
}

#[derive(Default)]
struct CacheEntries {
    /// By organisation, the most recently used one last.
    directories: Vec<(i64, Arc<CachedDirectory>)>,
    bytes: usize,
}

/// The users of an organisation as they were at one moment.
pub(super) struct CachedDirectory {
    version: CacheVersion,
    /// By ID.
    users: Arc<Vec<User>>,
    /// Roughly how many bytes they take up.
    bytes: usize,
    /// Users that were read since all were read. Their earlier values still take up memory.
    renewed: usize,
}

/// The moment of a read, as later reads need it to find what was written since.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CacheVersion {
    /// Identifies the run of the database server (its start, and its own processes, which a crash replaces
    /// without a new start), the database, and the table with its columns.
    run: String,
    /// Every transaction with a lower number had ended.
    horizon: i64,
}

/// How many users a directory has.
struct UserCounts {
    all: usize,
    /// Those of them that were written since a version.
    written: usize,
}

impl DirectoryCache {
    /// An empty cache for `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            entries: Arc::default(),
        }
    }

    /// The largest directory that fits, in bytes.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// Returns `false` if nothing is ever cached.
    pub(super) const fn is_enabled(&self) -> bool {
        self.limit > 0
    }

    /// Returns `false` if a directory of so many users is too large in any case.
    pub(super) const fn may_hold(&self, users: usize) -> bool {
        users <= self.limit / SMALL_USER_BYTES
    }

    /// Returns an organisation's cached directory, or `None` if it is not cached.
    pub(super) fn find(&self, organization: i64) -> Option<Arc<CachedDirectory>> {
        let mut entries = self.entries.lock();
        let found = entries.take(organization)?;
        entries.put(organization, Arc::clone(&found));
        Some(found)
    }

    /// Caches a directory, and drops the least recently used ones to make room. One that is larger than the whole
    /// cache is not cached.
    pub(super) fn put(&self, organization: i64, directory: CachedDirectory) {
        let mut entries = self.entries.lock();
        entries.take(organization);
        if directory.bytes > self.limit {
            return;
        }
        entries.put(organization, Arc::new(directory));
        while entries.bytes > self.limit {
            let (oldest, _) = entries.directories[0];
            entries.take(oldest);
        }
    }
}

/// Shows sizes only, no user.
impl fmt::Debug for DirectoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.entries.lock().bytes;
        write!(f, "DirectoryCache({bytes} of {} bytes)", self.limit)
    }
}

impl CacheEntries {
    fn take(&mut self, organization: i64) -> Option<Arc<CachedDirectory>> {
        let at = self
            .directories
            .iter()
            .position(|(o, _)| *o == organization)?;
        let (_, directory) = self.directories.remove(at);
        self.bytes -= directory.bytes;
        Some(directory)
    }

    fn put(&mut self, organization: i64, directory: Arc<CachedDirectory>) {
        self.bytes += directory.bytes;
        self.directories.push((organization, directory));
    }
}

impl CachedDirectory {
    /// Reads a directory: all of it, or what has been written since it was `cached`. Also returns how many users
    /// were read. The transaction must see one moment. A directory of at most `limit` bytes is going to be cached,
    /// and is laid out for that.
    pub(super) async fn read(
        tx: &DatabaseTransaction,
        organization: i64,
        cached: Option<&Self>,
        limit: usize,
        permit: Option<&LanePermit>,
    ) -> Result<(Self, usize), StoreError> {
        let version = CacheVersion::read(tx).await?;
        if let Some(cached) = cached
            && version.follows(&cached.version)
            && let Some(renewed) = cached.renew(tx, organization, &version, permit).await?
        {
            return Ok(renewed);
        }
        let (mut users, bytes) = user_reader::read_users(tx, organization, None, permit).await?;
        let read = users.len();
        if bytes <= limit {
            // The database returns them in another order than the one in which rows look them up.
            let gathering = spawn_blocking(move || User::gathered(&users));
            users = gathering.await.map_err(StoreError::encoding)?;
        }
        let directory = Self {
            version,
            users: Arc::new(users),
            bytes,
            renewed: 0,
        };
        Ok((directory, read))
    }

    /// The users by ID.
    pub(super) const fn users(&self) -> &Arc<Vec<User>> {
        &self.users
    }

    /// Returns the directory as it is now, and how many users were read for that; or `None` if all must be read.
    async fn renew(
        &self,
        tx: &DatabaseTransaction,
        organization: i64,
        version: &CacheVersion,
        permit: Option<&LanePermit>,
    ) -> Result<Option<(Self, usize)>, StoreError> {
        let counts = self.version.count_since(tx, organization).await?;
        if self.is_worn_by(counts.written) {
            return Ok(None);
        }
        let (mut users, mut bytes, mut read) = (Arc::clone(&self.users), self.bytes, 0);
        if counts.written > 0 {
            let since = Some(self.version.transaction());
            let written = user_reader::read_users(tx, organization, since, permit);
            let (written, more) = written.await?;
            read = written.len();
            bytes += more;
            users = Arc::new(merged(&self.users, written));
        }
        // A known user has been removed.
        if users.len() != counts.all {
            return Ok(None);
        }
        let directory = Self {
            version: version.clone(),
            users,
            bytes,
            renewed: self.renewed + read,
        };
        Ok(Some((directory, read)))
    }

    /// Returns `true` if so many users were renewed that it is better to read all.
    fn is_worn_by(&self, written: usize) -> bool {
        (self.renewed + written) * 2 > self.users.len()
    }
}

/// All of the `known` users, with those that were `written` since in place of their earlier values. Both by ID.
fn merged(known: &[User], written: Vec<User>) -> Vec<User> {
    let mut all = Vec::with_capacity(known.len() + written.len());
    let mut known = known.iter().peekable();
    for user in written {
        while let Some(&earlier) = known.peek() {
            match earlier.id.cmp(&user.id) {
                Ordering::Less => all.push(earlier.clone()),
                Ordering::Equal => {}
                Ordering::Greater => break,
            }
            known.next();
        }
        all.push(user);
    }
    all.extend(known.cloned());
    all
}

impl CacheVersion {
    async fn read(tx: &DatabaseTransaction) -> Result<Self, StoreError> {
        let sql = "SELECT concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), \
            (SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity \
            WHERE datid IS NULL AND usesysid IS NULL), \
            (SELECT oid FROM pg_database WHERE datname = current_database()), 'users'::regclass::oid, \
            (SELECT string_agg(concat_ws(':', attnum, attname), ',' ORDER BY attnum) FROM pg_attribute \
            WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped)), \
            txid_snapshot_xmin(txid_current_snapshot())";
        let row = sql::query_one(tx, sql, []).await?;
        let row = row.ok_or_else(|| StoreError::encoding("the database has no snapshot"))?;
        Ok(Self {
            run: row.try_get_by_index(0)?,
            horizon: row.try_get_by_index(1)?,
        })
    }

    /// Returns `true` if the database can say who was written between the two versions.
    fn follows(&self, earlier: &Self) -> bool {
        let transactions = self.horizon - earlier.horizon;
        self.run == earlier.run && (0..MAX_TRANSACTIONS).contains(&transactions)
    }

    /// The first transaction that may have written later. Rows have the lower half of its number.
    fn transaction(&self) -> Value {
        (self.horizon & i64::from(u32::MAX)).to_string().into()
    }

    async fn count_since(
        &self,
        tx: &DatabaseTransaction,
        organization: i64,
    ) -> Result<UserCounts, StoreError> {
        let sql = format!(
            "SELECT count(*), count(*) FILTER (WHERE {WRITTEN_SINCE}) FROM users \
            WHERE organization_id = $1"
        );
        let row = sql::query_one(tx, sql, [organization.into(), self.transaction()]).await?;
        let row = row.ok_or_else(|| StoreError::encoding("users cannot be counted"))?;
        let number = |index| -> Result<usize, StoreError> {
            let count: i64 = row.try_get_by_index(index)?;
            usize::try_from(count).map_err(StoreError::encoding)
        };
        Ok(UserCounts {
            all: number(0)?,
            written: number(1)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Column, RoleId};

    fn user(number: u128, name: &str) -> User {
        User::new(Uuid::from_u128(number), RoleId(1), |column| match column {
            Column::FirstName => name,
            _ => "",
        })
    }

    fn version(run: &str, horizon: i64) -> CacheVersion {
        CacheVersion {
            run: run.to_owned(),
            horizon,
        }
    }

    fn directory(bytes: usize) -> CachedDirectory {
        CachedDirectory {
            version: version("", 0),
            users: Arc::default(),
            bytes,
            renewed: 0,
        }
    }

    #[test]
    fn written_users_replace_known_ones() {
        let known = [user(2, "b"), user(4, "d"), user(6, "f")];
        let all = |written: &[(u128, &str)]| {
            let written = written.iter().map(|(number, name)| user(*number, name));
            let all = merged(&known, written.collect());
            let names = all.iter().map(|user| user.first_name().to_owned());
            assert!(all.is_sorted_by_key(|user| user.id));
            names.collect::<String>()
        };
        assert_eq!(all(&[]), "bdf");
        assert_eq!(all(&[(2, "B"), (6, "F")]), "BdF");
        assert_eq!(all(&[(1, "A"), (4, "D"), (5, "E"), (7, "G")]), "AbDEfG");
    }

    #[test]
    fn versions_follow_each_other_on_one_run_of_the_server_and_not_too_far_apart() {
        let earlier = version("a", 1_000);
        assert!(version("a", 1_000).follows(&earlier) && version("a", 1_001).follows(&earlier));
        assert!(!version("b", 1_001).follows(&earlier));
        // As after a restore from a backup.
        assert!(!version("a", 999).follows(&earlier));
        assert!(!version("a", 1_000 + MAX_TRANSACTIONS).follows(&earlier));
    }

    #[test]
    fn rows_have_the_lower_half_of_a_transaction_number() {
        assert_eq!(version("a", 731).transaction(), "731".into());
        assert_eq!(version("a", (3 << 32) + 731).transaction(), "731".into());
    }

    #[test]
    fn all_are_read_once_most_have_changed_even_little_by_little() {
        let worn = |renewed, written| {
            let directory = CachedDirectory {
                version: version("", 0),
                users: Arc::new((0..8).map(|number| user(number, "")).collect()),
                bytes: 0,
                renewed,
            };
            directory.is_worn_by(written)
        };
        assert!(!worn(0, 4) && worn(0, 5));
        assert!(!worn(3, 1) && worn(3, 2));
    }

    #[test]
    fn the_least_recently_used_directory_is_dropped() {
        let cache = DirectoryCache::new(100);
        for organization in [1, 2, 3] {
            cache.put(organization, directory(40));
            cache.find(1);
        }
        let kept = [1, 2, 3].map(|organization| cache.find(organization).is_some());
        assert_eq!(kept, [true, false, true]);
        assert_eq!(cache.entries.lock().bytes, 80);
    }

    #[test]
    fn a_directory_larger_than_the_cache_is_dropped_with_its_earlier_version() {
        let cache = DirectoryCache::new(100);
        cache.put(1, directory(100));
        assert!(cache.find(1).is_some());
        cache.put(1, directory(101));
        assert!(cache.find(1).is_none() && cache.entries.lock().bytes == 0);
        assert!(cache.is_enabled() && !DirectoryCache::default().is_enabled());
        assert!(!cache.may_hold(1) && DirectoryCache::new(1_280).may_hold(10));
    }
}
