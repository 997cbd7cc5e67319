//! Reads users from the database, for snapshots.
//!
//! Be advised: users come packed into few values, since a driver's cost is per value. That makes reading a large
//! directory several times faster than rows of fourteen columns. Before changing it, compare the time of a snapshot
//! of 100,000 users on both databases.

use futures_util::TryStreamExt;
use sea_orm::{DatabaseTransaction, QueryResult, StreamTrait};
use uuid::Uuid;

use super::{
    LanePermit, ReadTurn, StoreError,
    sql::{self, SqlDialect},
};
use crate::domain::{Column, ColumnSet, GroupId, RankId, RoleId, Status, User, UserPacker};

/// Between the values of a user; no value has a control character (semantics §2).
const SEPARATOR: u8 = 0x1F;

/// Between the users of a page.
const PAGE_SEPARATOR: char = '\u{1E}';

/// Users that SQLite returns in one text.
const PAGE: u32 = 512;

/// Numbers of a user; see [`PackedNumbers`].
const STANDING: &str = "CAST(role_id AS bigint) * 4 + CASE WHEN active THEN 2 ELSE 0 END + \
    CASE WHEN protected THEN 1 ELSE 0 END";
const CHOICES: &str = "CAST(coalesce(rank_id, 0) AS bigint) * 4294967296 + coalesce(group_id, 0)";

/// The texts of a user in these columns, as a list of SQL.
pub(super) fn selected_texts(columns: ColumnSet) -> String {
    let selected = |column: Column| match (column.stored_as(), column.is_optional_text()) {
        ([name, ..], true) => format!("coalesce({name}, '')"),
        (names, _) => names.first().copied().unwrap_or_default().to_owned(),
    };
    columns.iter().map(selected).collect::<Vec<_>>().join(", ")
}

/// The values from which [`FoundUsers::add_row`] reads a user, as a list of SQL: two IDs, two numbers and one text.
/// Five values a row come several times faster than fourteen, and numbers faster than their text.
pub(super) fn selected_user(dialect: SqlDialect) -> String {
    let (separator, texts) = (dialect.character(SEPARATOR), selected_texts(Column::TEXTS));
    format!("id, supervisor_id, {STANDING}, {CHOICES}, concat_ws({separator}, {texts})")
}

/// Returns the users of an organisation by ID.
pub(super) async fn read_users(
    tx: &DatabaseTransaction,
    organization: i64,
    permit: Option<&LanePermit>,
) -> Result<Vec<User>, StoreError> {
    let mut found = FoundUsers::default();
    let mut pace = ReadPace::new(permit);
    match SqlDialect::of(tx) {
        SqlDialect::Postgres => found.read(tx, organization, &mut pace).await?,
        SqlDialect::Sqlite => found.read_pages(tx, organization, &mut pace).await?,
    }
    let mut users = found.finish();
    // Faster than ORDER BY, with which the database looks up each user in the order of an index: the users lie
    // in nearly this order.
    users.sort_by_key(|user| user.id);
    Ok(users)
}

/// With a permit of the heavy lane: gives other reads a turn after every [`ReadPace::STEP`] users.
struct ReadPace<'a> {
    permit: Option<&'a LanePermit>,
    turn: Option<ReadTurn>,
    users: usize,
}

impl<'a> ReadPace<'a> {
    const STEP: usize = 4_096;

    const fn new(permit: Option<&'a LanePermit>) -> Self {
        Self {
            permit,
            turn: None,
            users: 0,
        }
    }

    /// Called before `users` more are read.
    async fn step(&mut self, users: usize) -> Result<(), StoreError> {
        let Some(permit) = self.permit else {
            return Ok(());
        };
        if self.turn.is_none() || self.users >= Self::STEP {
            self.turn = None;
            self.turn = Some(permit.read_turn().await?);
            self.users = 0;
        }
        self.users += users;
        Ok(())
    }
}

/// Users that have been read.
#[derive(Default)]
pub(super) struct FoundUsers {
    users: UserPacker,
}

impl FoundUsers {
    /// Reads users from `PostgreSQL`.
    async fn read(
        &mut self,
        tx: &DatabaseTransaction,
        organization: i64,
        pace: &mut ReadPace<'_>,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {} FROM users WHERE organization_id = $1",
            selected_user(SqlDialect::Postgres)
        );
        let statement = sql::statement(tx, sql, [organization.into()]);
        pace.step(0).await?;
        let mut rows = tx.stream_raw(statement).await?;
        while let Some(row) = rows.try_next().await? {
            pace.step(1).await?;
            self.add_row(&row)?;
        }
        Ok(())
    }

    /// Adds the user of a row that begins with [`selected_user`].
    pub(super) fn add_row(&mut self, row: &QueryResult) -> Result<(), StoreError> {
        let ids = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let numbers = PackedNumbers {
            standing: row.try_get_by_index(2)?,
            choices: row.try_get_by_index(3)?,
        };
        let text: String = row.try_get_by_index(4)?;
        self.add(ids, numbers, &text).ok_or_else(unreadable)
    }

    /// Returns the users, in the order in which they were added.
    pub(super) fn finish(self) -> Vec<User> {
        self.users.finish()
    }

    /// Reads users from SQLite, some hundreds as one text: the driver copies each value into an allocation of its
    /// own, which another thread frees. The next page is read while one page is parsed.
    async fn read_pages(
        &mut self,
        tx: &DatabaseTransaction,
        organization: i64,
        pace: &mut ReadPace<'_>,
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

    /// Adds the users of a page. Returns `None` if [`read_page`] would not have made it.
    fn add_page(&mut self, page: &str) -> Option<()> {
        page.split(PAGE_SEPARATOR).try_for_each(|user| {
            let mut parts = user.splitn(5, char::from(SEPARATOR));
            let mut next = || parts.next();
            let id = Uuid::try_parse(next()?).ok()?;
            let supervisor = match next()? {
                "" => None,
                id => Some(Uuid::try_parse(id).ok()?),
            };
            let numbers = PackedNumbers {
                standing: next()?.parse().ok()?,
                choices: next()?.parse().ok()?,
            };
            self.add((id, supervisor), numbers, next()?)
        })
    }

    /// Adds a user. Returns `None` if the texts are not those of [`Column::TEXTS`], or the numbers mean nothing.
    fn add(
        &mut self,
        (id, supervisor): (Uuid, Option<Uuid>),
        numbers: PackedNumbers,
        text: &str,
    ) -> Option<()> {
        let mut values = values(text);
        let mut texts = [""; Column::TEXTS.len()];
        for text in &mut texts {
            *text = values.next()?;
        }
        if values.next().is_some() {
            return None;
        }
        let user = self.users.push(id, numbers.role()?, texts);
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

/// Returns up to [`PAGE`] users of an organisation whose IDs come after this one, in one text, and the last one's
/// ID. IDs grow with time, so users lie in this order. By any other index SQLite would jump about in the table.
async fn read_page(
    tx: &DatabaseTransaction,
    organization: i64,
    after: Vec<u8>,
) -> Result<Option<(Vec<u8>, String)>, StoreError> {
    let sql = format!(
        "SELECT max(id), group_concat(text, '{PAGE_SEPARATOR}') FROM (SELECT id, \
        concat_ws(char({SEPARATOR}), hex(id), hex(supervisor_id), {STANDING}, {CHOICES}, {}) AS text \
        FROM users WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT {PAGE})",
        selected_texts(Column::TEXTS)
    );
    let values = [organization.into(), after.into()];
    let Some(row) = sql::query_one(tx, sql, values).await? else {
        return Ok(None);
    };
    let last: Option<Vec<u8>> = row.try_get_by_index(0)?;
    let page: Option<String> = row.try_get_by_index(1)?;
    Ok(last.zip(page))
}

/// The numbers of a user, packed into two.
#[derive(Clone, Copy)]
struct PackedNumbers {
    /// Four times the role's number, plus 2 if the user is active, plus 1 if the user is protected.
    standing: i64,
    /// The rank's number in the upper 32 bits, the group's in the lower ones; 0 means none.
    choices: i64,
}

impl PackedNumbers {
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

/// The values between [`SEPARATOR`]s; for short values several times faster than `str::split`.
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

    /// Computes the numbers as the database does.
    const fn numbers(role: i64, standing: i64, rank: i64, group: i64) -> PackedNumbers {
        PackedNumbers {
            standing: role * 4 + standing,
            choices: rank * 4_294_967_296 + group,
        }
    }

    fn user(supervisor: Option<Uuid>, numbers: PackedNumbers, text: &str) -> Option<User> {
        let mut found = FoundUsers::default();
        let ids = (Uuid::from_u128(1), supervisor);
        found.add(ids, numbers, text)?;
        found.finish().pop()
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
        let mut found = FoundUsers::default();
        let page = format!("{}{PAGE_SEPARATOR}{supervised}", user(1, ""));
        found.add_page(&page).unwrap();
        let users = found.finish();
        let of = |user: &User| (user.id.as_u128(), user.supervisor.map(|id| id.as_u128()));
        assert_eq!(of(&users[0]), (1, None));
        assert_eq!(of(&users[1]), (2, Some(1)));
        assert_eq!(
            (users[1].role, users[1].group),
            (RoleId(3), GroupId::new(5))
        );
        for page in ["", TEXT, &supervised.replace("\u{1F}14", "\u{1F}x")] {
            assert_eq!(FoundUsers::default().add_page(page), None);
        }
    }

    #[test]
    fn a_missing_value_is_none() {
        let text = TEXT.replace("+12025550143", "");
        let user = user(None, numbers(3, 2, 0, 0), &text).unwrap();
        assert_eq!(
            (user.supervisor, user.rank, user.group, user.phone()),
            (None, None, None, "")
        );
        assert_eq!((user.status, user.protected), (Status::Active, false));
    }

    #[test]
    fn the_largest_numbers_do_not_overlap() {
        let most = i64::from(i32::MAX);
        let numbers = numbers(most, 2, most, most);
        assert_eq!(numbers.role(), Some(RoleId(i32::MAX)));
        assert_eq!(numbers.rank(), RankId::new(i32::MAX));
        assert_eq!(numbers.group(), GroupId::new(i32::MAX));
        assert!(numbers.is_active() && !numbers.is_protected());
    }

    #[test]
    fn too_few_or_too_many_values_are_no_user() {
        let (fewer, _) = TEXT.rsplit_once(char::from(SEPARATOR)).unwrap();
        for text in [fewer, &format!("{TEXT}\u{1F}"), ""] {
            assert_eq!(user(None, numbers(3, 2, 0, 0), text), None);
        }
    }
}
