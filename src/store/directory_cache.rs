//! Directories that were read before, so that only what has changed since is read again (`PostgreSQL`).
//!
//! `PostgreSQL` tells of each row which transaction wrote it. A user whom none has written that was still
//! under way, or still to begin, when the directory was read is as it was then; and where there are as many
//! users as are known, none of those is gone. So what comes of it is what reading all of them gives, at
//! the same moment, whoever has written meanwhile and by whatever means.
//!
//! Transactions count as under way from the oldest one on, also those that were not: a snapshot's list of
//! them lacks subtransactions, and rows may have been written by one.
//!
//! That holds as long as the database server runs. One that was started again may have been restored from
//! a backup, and one that has recovered from a crash may lack transactions that had asked not to wait for
//! the disk; both count transactions from there, and everything is read again. So it is where another
//! database or table has been put in the place of this one, or a column has been made anew or renamed, which
//! writes no row. SQLite does not tell who wrote a row, and nothing is kept of it.

use std::{
    cmp::Ordering,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, Value};
use tokio::task::spawn_blocking;

use super::{
    LanePermit, StoreError,
    snapshot::{self, WRITTEN_SINCE},
};
use crate::domain::User;

/// Transactions after which everything is read again: `PostgreSQL` tells the order of twice as many.
const MOST_TRANSACTIONS: i64 = 1 << 30;

/// What a user with short values takes up. A directory that even so would be too large is not read only to
/// be kept.
const SMALL_USER_BYTES: usize = 128;

/// The directories that are kept, together at most so large. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct DirectoryCache {
    /// Bytes; 0: nothing is kept.
    most: usize,
    places: Arc<Mutex<CacheEntries>>,
}

#[derive(Default)]
struct CacheEntries {
    /// By organisation; the one asked for last stands last.
    directories: Vec<(i64, Arc<CachedDirectory>)>,
    bytes: usize,
}

/// The users of an organisation as they were at one moment.
pub(super) struct CachedDirectory {
    mark: CacheVersion,
    /// By ID.
    users: Arc<Vec<User>>,
    /// Roughly what they take up.
    bytes: usize,
    /// How many were read since all were: what they were before still takes up memory.
    renewed: usize,
}

/// What tells who may have been written since a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CacheVersion {
    /// Which run of the database server: when it was started, and its own processes, which a crash
    /// replaces without a new start. And which database and table: each may be another of the same name.
    run: String,
    /// Every transaction with a lower number had ended.
    horizon: i64,
}

/// How many users a directory has.
struct Counts {
    all: usize,
    /// Of these, written since a mark.
    written: usize,
}

impl DirectoryCache {
    /// An empty one, for at most so many bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            places: Arc::default(),
        }
    }

    /// Most bytes of a directory that is kept.
    pub(super) const fn room(&self) -> usize {
        self.most
    }

    /// False where nothing is ever kept.
    pub(super) const fn keeps(&self) -> bool {
        self.most > 0
    }

    /// False where a directory of so many users would be too large.
    pub(super) const fn may_keep(&self, users: usize) -> bool {
        users <= self.most / SMALL_USER_BYTES
    }

    /// What is kept of an organisation's directory.
    pub(super) fn find(&self, organization: i64) -> Option<Arc<CachedDirectory>> {
        let mut places = self.places();
        let found = places.take(organization)?;
        places.put(organization, Arc::clone(&found));
        Some(found)
    }

    /// Keeps a directory, if need be in place of those that were not asked for longest; not where it is
    /// larger than all there is room for.
    pub(super) fn keep(&self, organization: i64, directory: CachedDirectory) {
        let mut places = self.places();
        places.take(organization);
        if directory.bytes > self.most {
            return;
        }
        places.put(organization, Arc::new(directory));
        while places.bytes > self.most {
            let (oldest, _) = places.directories[0];
            places.take(oldest);
        }
    }

    /// Nothing that is done under the lock can leave it half done.
    fn places(&self) -> MutexGuard<'_, CacheEntries> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// People stay out of it.
impl fmt::Debug for DirectoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DirectoryCache({} of {} bytes)",
            self.places().bytes,
            self.most
        )
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
    /// Reads a directory: all of it, or what has been written since it was `known`. The second value is how
    /// many users were read. The transaction must see one moment. One that takes up no more than `room`
    /// bytes is going to be kept, and is made ready for that.
    pub(super) async fn read(
        tx: &DatabaseTransaction,
        organization: i64,
        known: Option<&Self>,
        room: usize,
        share: Option<&LanePermit>,
    ) -> Result<(Self, usize), StoreError> {
        let mark = CacheVersion::read(tx).await?;
        if let Some(known) = known
            && mark.follows(&known.mark)
            && let Some(renewed) = known.renewed(tx, organization, &mark, share).await?
        {
            return Ok(renewed);
        }
        let (mut users, bytes) = snapshot::read_users(tx, organization, None, share).await?;
        let read = users.len();
        if bytes <= room {
            // The database tells them in another order than rows will ask for them.
            let gathering = spawn_blocking(move || User::gathered(&users));
            users = gathering.await.map_err(StoreError::encoding)?;
        }
        let directory = Self {
            mark,
            users: Arc::new(users),
            bytes,
            renewed: 0,
        };
        Ok((directory, read))
    }

    /// The users, by ID.
    pub(super) const fn users(&self) -> &Arc<Vec<User>> {
        &self.users
    }

    /// The directory now, by what is known. `None`: all of it has to be read.
    async fn renewed(
        &self,
        tx: &DatabaseTransaction,
        organization: i64,
        mark: &CacheVersion,
        share: Option<&LanePermit>,
    ) -> Result<Option<(Self, usize)>, StoreError> {
        let counts = self.mark.count_since(tx, organization).await?;
        if self.is_worn_by(counts.written) {
            return Ok(None);
        }
        let (mut users, mut bytes, mut read) = (Arc::clone(&self.users), self.bytes, 0);
        if counts.written > 0 {
            let since = Some(self.mark.transaction());
            let (written, more) = snapshot::read_users(tx, organization, since, share).await?;
            read = written.len();
            bytes += more;
            users = Arc::new(merged(&self.users, written));
        }
        // One of those known is gone.
        if users.len() != counts.all {
            return Ok(None);
        }
        let directory = Self {
            mark: mark.clone(),
            users,
            bytes,
            renewed: self.renewed + read,
        };
        Ok(Some((directory, read)))
    }

    /// True where it is better to read all than so many more.
    fn is_worn_by(&self, written: usize) -> bool {
        (self.renewed + written) * 2 > self.users.len()
    }
}

/// All of the `known` users, those who were `written` since as they are now. Both by ID.
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
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = tx.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| StoreError::encoding("the database does not tell the time"))?;
        Ok(Self {
            run: row.try_get_by_index(0)?,
            horizon: row.try_get_by_index(1)?,
        })
    }

    /// True where it can be told who was written between the two.
    fn follows(&self, earlier: &Self) -> bool {
        let transactions = self.horizon - earlier.horizon;
        self.run == earlier.run && (0..MOST_TRANSACTIONS).contains(&transactions)
    }

    /// The first transaction that may still have had something to write, as rows tell it: by the lower half
    /// of its number.
    fn transaction(&self) -> Value {
        (self.horizon & i64::from(u32::MAX)).to_string().into()
    }

    async fn count_since(
        &self,
        tx: &DatabaseTransaction,
        organization: i64,
    ) -> Result<Counts, StoreError> {
        let sql = format!(
            "SELECT count(*), count(*) FILTER (WHERE {WRITTEN_SINCE}) FROM users \
            WHERE organization_id = $1"
        );
        let values = [organization.into(), self.transaction()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let row = tx.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| StoreError::encoding("users cannot be counted"))?;
        let number = |index| -> Result<usize, StoreError> {
            let count: i64 = row.try_get_by_index(index)?;
            usize::try_from(count).map_err(StoreError::encoding)
        };
        Ok(Counts {
            all: number(0)?,
            written: number(1)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{RoleId, UserText};

    fn user(number: u128, name: &str) -> User {
        let text = UserText {
            first_name: name,
            ..UserText::default()
        };
        User::new(Uuid::from_u128(number), RoleId(1), text)
    }

    fn mark(run: &str, horizon: i64) -> CacheVersion {
        CacheVersion {
            run: run.to_owned(),
            horizon,
        }
    }

    fn directory(bytes: usize) -> CachedDirectory {
        CachedDirectory {
            mark: mark("", 0),
            users: Arc::default(),
            bytes,
            renewed: 0,
        }
    }

    #[test]
    fn who_was_written_takes_the_place_of_who_was_known() {
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
    fn transactions_are_told_apart_while_the_same_server_runs_and_they_are_not_too_many() {
        let earlier = mark("a", 1_000);
        assert!(mark("a", 1_000).follows(&earlier) && mark("a", 1_001).follows(&earlier));
        assert!(!mark("b", 1_001).follows(&earlier));
        // As after a restore from a backup.
        assert!(!mark("a", 999).follows(&earlier));
        assert!(!mark("a", 1_000 + MOST_TRANSACTIONS).follows(&earlier));
    }

    #[test]
    fn rows_tell_the_lower_half_of_a_transaction_s_number() {
        assert_eq!(mark("a", 731).transaction(), "731".into());
        assert_eq!(mark("a", (3 << 32) + 731).transaction(), "731".into());
    }

    #[test]
    fn all_are_read_where_most_have_changed_be_it_little_by_little() {
        let worn = |renewed, written| {
            let directory = CachedDirectory {
                mark: mark("", 0),
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
    fn what_was_not_asked_for_longest_makes_room() {
        let shelf = DirectoryCache::new(100);
        for organization in [1, 2, 3] {
            shelf.keep(organization, directory(40));
            shelf.find(1);
        }
        let kept = [1, 2, 3].map(|organization| shelf.find(organization).is_some());
        assert_eq!(kept, [true, false, true]);
        assert_eq!(shelf.places().bytes, 80);
    }

    #[test]
    fn what_is_larger_than_all_there_is_room_for_is_not_kept_nor_what_it_was_before() {
        let shelf = DirectoryCache::new(100);
        shelf.keep(1, directory(100));
        assert!(shelf.find(1).is_some());
        shelf.keep(1, directory(101));
        assert!(shelf.find(1).is_none() && shelf.places().bytes == 0);
        assert!(shelf.keeps() && !DirectoryCache::default().keeps());
        assert!(!shelf.may_keep(1) && DirectoryCache::new(1_280).may_keep(10));
    }
}
