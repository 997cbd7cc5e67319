//! The directory as it was at one moment, for planning.

use std::sync::Arc;

use futures_util::TryStreamExt;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, Statement,
    StreamTrait, TransactionOptions, TransactionTrait, Value,
};
use uuid::Uuid;

use super::{LanePermit, ReadTurn, Store, StoreError, catalog, directory_cache::CachedDirectory};
use crate::{
    domain::{Catalog, GroupId, RankId, RoleId, Status, User, UserPacker, UserText},
    telemetry::metrics,
};

/// All users and the catalog of an organisation at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The organisation's revision at that moment.
    pub revision: i64,
    /// Roles, ranks and groups.
    pub catalog: Catalog,
    /// The users, by ID: in the order of the roster that made them, which is likely that of the next.
    pub users: Vec<User>,
    /// How many of them were read; the others were known from an earlier time, and are as they were.
    pub read: usize,
}

/// Between the values of a user; no value has a control character (semantics §2).
const SEPARATOR: u8 = 0x1F;

/// Between the users of a page.
const PAGE_SEPARATOR: char = '\u{1E}';

/// Users that SQLite hands over in one text.
const PAGE: u32 = 512;

/// Who may have been written by transaction `$2` or a later one; of `PostgreSQL`.
pub(super) const WRITTEN_SINCE: &str = "age(xmin) <= age($2::text::xid)";

/// Numbers of a user; see [`Numbers`].
const STANDING: &str = "CAST(role_id AS bigint) * 4 + CASE WHEN active THEN 2 ELSE 0 END + \
    CASE WHEN protected THEN 1 ELSE 0 END";
const CHOICES: &str = "CAST(coalesce(rank_id, 0) AS bigint) * 4294967296 + coalesce(group_id, 0)";

/// TextColumn of a user, in the order of [`UserText`].
const TEXTS: &str =
    "external_id, email, badge_number, first_name, last_name, username, coalesce(phone, '')";

impl Store {
    /// Reads an organisation's users and catalog as they are at one moment.
    ///
    /// # Errors
    /// Where the organisation is unknown, or the database fails.
    pub async fn snapshot(&self, organization: i64) -> Result<Snapshot, StoreError> {
        self.retry(|| self.snapshot_once(organization)).await
    }

    async fn snapshot_once(&self, organization: i64) -> Result<Snapshot, StoreError> {
        let _reading = self.lanes.reading(organization).await;
        self.read_snapshot(organization, None).await
    }

    /// The same a step at a time, each in turn with the heavy reads of other organisations.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot), and as [`LanePermit::read_turn`].
    pub async fn snapshot_in_turn(
        &self,
        organization: i64,
        share: &LanePermit,
    ) -> Result<Snapshot, StoreError> {
        self.read_snapshot(organization, Some(share)).await
    }

    async fn read_snapshot(
        &self,
        organization: i64,
        share: Option<&LanePermit>,
    ) -> Result<Snapshot, StoreError> {
        // Before the moment that is read: what is known must not be of a later one.
        let known = self.shelf.find(organization);
        let tx = self.begin_reading().await?;
        let revision = revision(&tx, organization).await?;
        let catalog = catalog::read(&tx, organization).await?;
        let (users, read) = self.read_users(&tx, organization, known, share).await?;
        tx.commit().await?;
        metrics::directory_asked(read, users.len() - read);
        Ok(Snapshot {
            revision,
            catalog,
            users,
            read,
        })
    }

    /// Reads again what has changed of an organisation's directory since it was read, so that nobody has
    /// to wait for that later. Does nothing where it is not kept, or has become so large that it would
    /// not be.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn refresh_cached_directory(
        &self,
        organization: i64,
        users: usize,
    ) -> Result<(), StoreError> {
        if !self.shelf.may_keep(users) {
            return Ok(());
        }
        let Some(known) = self.shelf.find(organization) else {
            return Ok(());
        };
        let tx = self.begin_reading().await?;
        let (directory, _) =
            CachedDirectory::read(&tx, organization, Some(&*known), self.shelf.room(), None)
                .await?;
        tx.commit().await?;
        self.shelf.keep(organization, directory);
        Ok(())
    }

    /// The users, given what is known of them, and how many had to be read.
    async fn read_users(
        &self,
        tx: &DatabaseTransaction,
        organization: i64,
        known: Option<Arc<CachedDirectory>>,
        share: Option<&LanePermit>,
    ) -> Result<(Vec<User>, usize), StoreError> {
        if !self.shelf.keeps() {
            let (users, _) = read_users(tx, organization, None, share).await?;
            let read = users.len();
            return Ok((users, read));
        }
        let known = known.as_deref();
        let directory = CachedDirectory::read(tx, organization, known, self.shelf.room(), share);
        let (directory, read) = directory.await?;
        let users = Arc::clone(directory.users());
        self.shelf.keep(organization, directory);
        // Where they are not kept they are nobody else's, and not copied.
        Ok((Arc::unwrap_or_clone(users), read))
    }

    /// The organisation's revision now.
    ///
    /// # Errors
    /// Where the organisation is unknown, or the database fails.
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

async fn revision(tx: &impl ConnectionTrait, organization: i64) -> Result<i64, StoreError> {
    let sql = "SELECT revision FROM organizations WHERE id = $1";
    let backend = ConnectionTrait::get_database_backend(tx);
    let statement = Statement::from_sql_and_values(backend, sql, [organization.into()]);
    match tx.query_one_raw(statement).await? {
        Some(row) => Ok(row.try_get_by_index(0)?),
        None => Err(StoreError::UnknownOrganization),
    }
}

/// All users of an organisation, by ID, or on `PostgreSQL` those written `since` a transaction
/// ([`WRITTEN_SINCE`]); and roughly how many bytes they take up.
pub(super) async fn read_users(
    tx: &DatabaseTransaction,
    organization: i64,
    since: Option<Value>,
    share: Option<&LanePermit>,
) -> Result<(Vec<User>, usize), StoreError> {
    let mut found = Found::default();
    let mut pace = Pace::new(share);
    match ConnectionTrait::get_database_backend(tx) {
        DbBackend::Postgres => found.read(tx, organization, since, &mut pace).await?,
        _ => found.read_pages(tx, organization, &mut pace).await?,
    }
    let mut users = found.users.finish();
    // Sooner done than by the database, which would look each user up in the order of an index: they lie
    // nearly in this order.
    users.sort_by_key(|user| user.id);
    Ok((users, found.bytes))
}

/// Lets others have their turn after each [`Pace::STEP`] users, where that was asked for.
struct Pace<'a> {
    share: Option<&'a LanePermit>,
    turn: Option<ReadTurn>,
    users: usize,
}

impl<'a> Pace<'a> {
    const STEP: usize = 4_096;

    const fn new(share: Option<&'a LanePermit>) -> Self {
        Self {
            share,
            turn: None,
            users: 0,
        }
    }

    /// Before `users` more are read.
    async fn step(&mut self, users: usize) -> Result<(), StoreError> {
        let Some(share) = self.share else {
            return Ok(());
        };
        if self.turn.is_none() || self.users >= Self::STEP {
            self.turn = None;
            self.turn = Some(share.read_turn().await?);
            self.users = 0;
        }
        self.users += users;
        Ok(())
    }
}

/// Users that have been read.
#[derive(Default)]
struct Found {
    users: UserPacker,
    bytes: usize,
}

impl Found {
    /// A user as two IDs, two numbers and one text: `PostgreSQL` hands over five values a row several times
    /// faster than fourteen, and numbers sooner as such than as text.
    async fn read(
        &mut self,
        tx: &DatabaseTransaction,
        organization: i64,
        since: Option<Value>,
        pace: &mut Pace<'_>,
    ) -> Result<(), StoreError> {
        let further = since.as_ref().map(|_| format!("AND {WRITTEN_SINCE}"));
        let sql = format!(
            "SELECT id, supervisor_id, {STANDING}, {CHOICES}, concat_ws(chr({SEPARATOR}), {TEXTS}) \
            FROM users WHERE organization_id = $1 {}",
            further.unwrap_or_default()
        );
        let values = [organization.into()].into_iter().chain(since);
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        pace.step(0).await?;
        let mut rows = tx.stream_raw(statement).await?;
        while let Some(row) = rows.try_next().await? {
            pace.step(1).await?;
            let ids = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let numbers = Numbers {
                standing: row.try_get_by_index(2)?,
                choices: row.try_get_by_index(3)?,
            };
            let text: String = row.try_get_by_index(4)?;
            self.add(ids, numbers, &text).ok_or_else(unreadable)?;
        }
        Ok(())
    }

    /// Some hundred users as one text: the driver copies each value of SQLite's in an allocation of its own,
    /// which another thread gives back. While one page is taken apart the next is read.
    async fn read_pages(
        &mut self,
        tx: &DatabaseTransaction,
        organization: i64,
        pace: &mut Pace<'_>,
    ) -> Result<(), StoreError> {
        pace.step(0).await?;
        let mut next = read_page(tx, organization, Vec::new()).await?;
        while let Some((last, page)) = next {
            pace.step(PAGE as usize).await?;
            let adding = async { self.add_page(&page).ok_or_else(unreadable) };
            let (following, added) = tokio::join!(read_page(tx, organization, last), adding);
            added?;
            next = following?;
        }
        Ok(())
    }

    /// Adds the users of a page. `None`: it has others than [`read_page`] reads.
    fn add_page(&mut self, page: &str) -> Option<()> {
        page.split(PAGE_SEPARATOR).try_for_each(|user| {
            let mut parts = user.splitn(5, char::from(SEPARATOR));
            let mut next = || parts.next();
            let id = Uuid::try_parse(next()?).ok()?;
            let supervisor = match next()? {
                "" => None,
                id => Some(Uuid::try_parse(id).ok()?),
            };
            let numbers = Numbers {
                standing: next()?.parse().ok()?,
                choices: next()?.parse().ok()?,
            };
            self.add((id, supervisor), numbers, next()?)
        })
    }

    /// Adds a user with these texts. `None`: they are others than [`TEXTS`], or the numbers are none.
    fn add(
        &mut self,
        (id, supervisor): (Uuid, Option<Uuid>),
        numbers: Numbers,
        text: &str,
    ) -> Option<()> {
        self.bytes += size_of::<User>() + text.len();
        let mut values = values(text);
        let mut next = || values.next();
        let text = UserText {
            external_id: next()?,
            email: next()?,
            badge_number: next()?,
            first_name: next()?,
            last_name: next()?,
            username: next()?,
            phone: next()?,
        };
        if values.next().is_some() {
            return None;
        }
        let user = self.users.push(id, numbers.role()?, text);
        user.supervisor = supervisor;
        user.rank = numbers.rank();
        user.group = numbers.group();
        if !numbers.is_active() {
            user.status = Status::Inactive;
        }
        user.protected = numbers.is_protected();
        Some(())
    }
}

fn unreadable() -> StoreError {
    StoreError::encoding("a user cannot be read")
}

/// The users of an organisation whose IDs come after this one, up to [`PAGE`] of them in one text, and the
/// last one's ID. IDs grow with time, so that users lie in this order: SQLite, which goes by an index, would go
/// to and fro in the table by any other.
async fn read_page(
    tx: &DatabaseTransaction,
    organization: i64,
    after: Vec<u8>,
) -> Result<Option<(Vec<u8>, String)>, StoreError> {
    let sql = format!(
        "SELECT max(id), group_concat(text, '{PAGE_SEPARATOR}') FROM (SELECT id, \
        concat_ws(char({SEPARATOR}), hex(id), hex(supervisor_id), {STANDING}, {CHOICES}, {TEXTS}) AS text \
        FROM users WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT {PAGE})"
    );
    let values = [organization.into(), after.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    let Some(row) = tx.query_one_raw(statement).await? else {
        return Ok(None);
    };
    let last: Option<Vec<u8>> = row.try_get_by_index(0)?;
    let page: Option<String> = row.try_get_by_index(1)?;
    Ok(last.zip(page))
}

/// The numbers of a user, two or three in one.
#[derive(Clone, Copy)]
struct Numbers {
    /// The role's four times; and 2 who is active, and 1 who is protected.
    standing: i64,
    /// The rank's above 32 bits of the group's; 0: none.
    choices: i64,
}

impl Numbers {
    fn role(self) -> Option<RoleId> {
        i32::try_from(self.standing >> 2).ok().map(RoleId)
    }

    const fn is_active(self) -> bool {
        self.standing & 2 != 0
    }

    const fn is_protected(self) -> bool {
        self.standing & 1 != 0
    }

    fn rank(self) -> Option<RankId> {
        let rank = i32::try_from(self.choices >> 32);
        rank.ok().and_then(RankId::new)
    }

    fn group(self) -> Option<GroupId> {
        let group = i32::try_from(self.choices & i64::from(u32::MAX));
        group.ok().and_then(GroupId::new)
    }
}

/// What [`SEPARATOR`] separates; several times faster than `str::split` where it is short.
fn values(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr_iter(SEPARATOR, text.as_bytes());
    let mut start = 0;
    ends.chain([text.len()]).map(move |end| {
        let value = &text[start..end];
        start = end + 1;
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "X-1\u{1F}A@pd.example\u{1F}007\u{1F}Ann\u{1F}Ó Sé\u{1F}ann\u{1F}+12025550143";

    /// As the database counts them.
    const fn numbers(role: i64, standing: i64, rank: i64, group: i64) -> Numbers {
        Numbers {
            standing: role * 4 + standing,
            choices: rank * 4_294_967_296 + group,
        }
    }

    fn user(supervisor: Option<Uuid>, numbers: Numbers, text: &str) -> Option<User> {
        let mut found = Found::default();
        let ids = (Uuid::from_u128(1), supervisor);
        found.add(ids, numbers, text)?;
        found.users.finish().pop()
    }

    #[test]
    fn a_user_is_read_from_its_values() {
        let user = user(Some(Uuid::from_u128(2)), numbers(3, 1, 4, 5), TEXT).unwrap();
        assert_eq!(user.id, Uuid::from_u128(1));
        assert_eq!(user.supervisor, Some(Uuid::from_u128(2)));
        assert_eq!(
            (user.role, user.rank, user.group),
            (RoleId(3), RankId::new(4), GroupId::new(5))
        );
        assert_eq!((user.status, user.protected), (Status::Inactive, true));
        assert_eq!((user.last_name(), user.phone()), ("Ó Sé", "+12025550143"));
    }

    #[test]
    fn users_are_read_from_a_page() {
        let user = |id, supervisor: &str| {
            format!("{id:032X}\u{1F}{supervisor}\u{1F}14\u{1F}5\u{1F}{TEXT}")
        };
        let supervised = user(2, &format!("{:032X}", 1));
        let mut found = Found::default();
        let page = format!("{}{PAGE_SEPARATOR}{supervised}", user(1, ""));
        found.add_page(&page).unwrap();
        let users = found.users.finish();
        let of = |user: &User| (user.id.as_u128(), user.supervisor.map(|id| id.as_u128()));
        assert_eq!(of(&users[0]), (1, None));
        assert_eq!(of(&users[1]), (2, Some(1)));
        assert_eq!(
            (users[1].role, users[1].group),
            (RoleId(3), GroupId::new(5))
        );
        for page in ["", TEXT, &supervised.replace("\u{1F}14", "\u{1F}x")] {
            assert_eq!(Found::default().add_page(page), None);
        }
    }

    #[test]
    fn what_a_user_does_not_have_is_none() {
        let text = TEXT.replace("+12025550143", "");
        let user = user(None, numbers(3, 2, 0, 0), &text).unwrap();
        assert_eq!(
            (user.supervisor, user.rank, user.group, user.phone()),
            (None, None, None, "")
        );
        assert_eq!((user.status, user.protected), (Status::Active, false));
    }

    #[test]
    fn the_largest_numbers_keep_apart() {
        let most = i64::from(i32::MAX);
        let numbers = numbers(most, 2, most, most);
        assert_eq!(numbers.role(), Some(RoleId(i32::MAX)));
        assert_eq!(numbers.rank(), RankId::new(i32::MAX));
        assert_eq!(numbers.group(), GroupId::new(i32::MAX));
        assert!(numbers.is_active() && !numbers.is_protected());
    }

    #[test]
    fn what_has_too_few_values_or_too_many_is_no_user() {
        let (fewer, _) = TEXT.rsplit_once(char::from(SEPARATOR)).unwrap();
        for text in [fewer, &format!("{TEXT}\u{1F}"), ""] {
            assert_eq!(user(None, numbers(3, 2, 0, 0), text), None);
        }
    }
}
