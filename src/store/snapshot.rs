//! The directory as it was at one moment, for planning.

use futures_util::TryStreamExt;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, Statement,
    StreamTrait, TransactionOptions, TransactionTrait,
};
use uuid::Uuid;

use super::{Store, StoreError, catalog};
use crate::domain::{Catalog, GroupId, RankId, RoleId, Status, User, UserPacker, UserText};

/// All users and the catalog of an organisation at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The organisation's revision at that moment.
    pub revision: i64,
    /// Roles, ranks and groups.
    pub catalog: Catalog,
    /// The users, by ID: in the order of the roster that made them, which is likely that of the next.
    pub users: Vec<User>,
}

/// Between the values of a user; no value has a control character (semantics §2).
const SEPARATOR: u8 = 0x1F;

/// A user as two IDs and one text: a database hands over three values a row several times faster than
/// fourteen.
fn select_users(backend: DbBackend) -> String {
    let (character, order) = match backend {
        DbBackend::Postgres => ("chr", ""),
        // IDs grow with time, so that users lie in this order: SQLite, which goes by an index, would go
        // to and fro in the table by any other.
        _ => ("char", "ORDER BY id"),
    };
    format!(
        "SELECT id, supervisor_id, concat_ws({character}({SEPARATOR}), external_id, email, badge_number, \
        first_name, last_name, username, coalesce(phone, ''), role_id, coalesce(rank_id, 0), \
        coalesce(group_id, 0), CASE WHEN active THEN 1 ELSE 0 END, \
        CASE WHEN protected THEN 1 ELSE 0 END) FROM users WHERE organization_id = $1 {order}"
    )
}

impl Store {
    /// Reads an organisation's users and catalog as they are at one moment.
    ///
    /// # Errors
    /// Where the organisation is unknown, or the database fails.
    pub async fn snapshot(&self, organization: i64) -> Result<Snapshot, StoreError> {
        let tx = self.begin_reading().await?;
        let revision = revision(&tx, organization).await?;
        let catalog = catalog::read(&tx, organization).await?;
        let users = users(&tx, organization).await?;
        tx.commit().await?;
        Ok(Snapshot {
            revision,
            catalog,
            users,
        })
    }

    /// The organisation's revision now.
    ///
    /// # Errors
    /// Where the organisation is unknown, or the database fails.
    pub async fn revision(&self, organization: i64) -> Result<i64, StoreError> {
        revision(&self.db, organization).await
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

async fn users(tx: &DatabaseTransaction, organization: i64) -> Result<Vec<User>, StoreError> {
    let backend = ConnectionTrait::get_database_backend(tx);
    let sql = select_users(backend);
    let statement = Statement::from_sql_and_values(backend, sql, [organization.into()]);
    let mut rows = tx.stream_raw(statement).await?;
    let mut users = UserPacker::default();
    while let Some(row) = rows.try_next().await? {
        let ids = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let text: String = row.try_get_by_index(2)?;
        add_user(&mut users, ids, &text)
            .ok_or_else(|| StoreError::encoding("a user cannot be read"))?;
    }
    let mut users = users.finish();
    // Sooner done than by the database, which would look each user up in the order of an index: they lie
    // nearly in this order.
    users.sort_by_key(|user| user.id);
    Ok(users)
}

/// Adds the user of whom [`select_users`] selects this. `None`: it is not that.
fn add_user(
    users: &mut UserPacker,
    (id, supervisor): (Uuid, Option<Uuid>),
    text: &str,
) -> Option<()> {
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
    let role = RoleId(next()?.parse().ok()?);
    let (rank, group): (i32, i32) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let (active, protected) = (next()? == "1", next()? == "1");
    if values.next().is_some() {
        return None;
    }
    let user = users.push(id, role, text);
    user.supervisor = supervisor;
    user.rank = (rank > 0).then_some(RankId(rank));
    user.group = (group > 0).then_some(GroupId(group));
    if !active {
        user.status = Status::Inactive;
    }
    user.protected = protected;
    Some(())
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

    const ALL: &str = "X-1\u{1F}A@pd.example\u{1F}007\u{1F}Ann\u{1F}Ó Sé\u{1F}ann\u{1F}+12025550143\u{1F}\
        3\u{1F}4\u{1F}5\u{1F}0\u{1F}1";

    fn user(supervisor: Option<Uuid>, text: &str) -> Option<User> {
        let mut users = UserPacker::default();
        add_user(&mut users, (Uuid::from_u128(1), supervisor), text)?;
        users.finish().pop()
    }

    #[test]
    fn a_user_is_read_from_its_values() {
        let user = user(Some(Uuid::from_u128(2)), ALL).unwrap();
        assert_eq!(user.id, Uuid::from_u128(1));
        assert_eq!(user.supervisor, Some(Uuid::from_u128(2)));
        assert_eq!(
            (user.role, user.rank, user.group),
            (RoleId(3), Some(RankId(4)), Some(GroupId(5)))
        );
        assert_eq!((user.status, user.protected), (Status::Inactive, true));
        assert_eq!((user.last_name(), user.phone()), ("Ó Sé", "+12025550143"));
    }

    #[test]
    fn what_a_user_does_not_have_is_none() {
        let text = ALL.replace("+12025550143", "");
        let none = "\u{1F}0\u{1F}0\u{1F}1\u{1F}0";
        let user = user(None, &text.replace("\u{1F}4\u{1F}5\u{1F}0\u{1F}1", none)).unwrap();
        assert_eq!(
            (user.supervisor, user.rank, user.group, user.phone()),
            (None, None, None, "")
        );
        assert_eq!((user.status, user.protected), (Status::Active, false));
    }

    #[test]
    fn what_has_too_few_values_or_too_many_is_no_user() {
        let (fewer, _) = ALL.rsplit_once(char::from(SEPARATOR)).unwrap();
        for text in [fewer, &format!("{ALL}\u{1F}"), ""] {
            assert_eq!(user(None, text), None);
        }
    }
}
