//! An organisation's directory at one moment, for planning: all users, or those that some rows can concern. The rows
//! decide which users these are, not this module.

use std::{collections::HashMap, sync::Arc};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, IdenStatic,
    IsolationLevel, Iterable, TransactionOptions,
};

use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{
    ImportTransaction, LanePermit, Organization, Store, StoreError, WriteError, catalog,
    entity::organization,
    row_set::{ColumnValues, RowSet},
    sql::{self, SqlDialect},
    user_reader::read_users,
    user_selection::{self, count_active, select, select_of_role, select_reports},
};
use crate::{
    domain::{Catalog, RoleId, SnapshotExtent, Status, User, UserKeys},
    telemetry::metrics,
};

/// Finds a user if the organisation has more users than parameter number 2 says.
pub(super) const HAS_MORE_USERS: &str =
    "SELECT 1 FROM users WHERE organization_id = $1 ORDER BY id LIMIT 1 OFFSET $2";

/// Chooses the users of a partial snapshot.
pub trait SelectUsers: Send + Sync {
    /// Number of users that an organisation must have for a partial snapshot to take less time than a complete one. If
    /// it is 0, the snapshot is partial whatever their number is.
    fn least_users(&self) -> u64;

    /// Keys of users to look up.
    fn first(&self) -> UserKeys;

    /// Chooses what else is read, given the users found by the first keys, everybody above them, and the catalog. This
    /// may take tens of milliseconds.
    fn second(&self, known: Vec<User>, catalog: &Catalog) -> FurtherUsers;

    /// Returns `true` if the rows are those of an undo, which needs the last imports of some users.
    fn is_undo(&self) -> bool {
        false
    }

    /// For an undo: IDs of the users in the snapshot whose last import is read. This may take seconds if
    /// there are a million users.
    fn edited(&self, _users: &[User]) -> Vec<Uuid> {
        Vec::new()
    }
}

/// The further users that a partial snapshot reads, besides those found by the first keys.
#[derive(Debug, Default)]
pub struct FurtherUsers {
    /// The users who were found by the first keys.
    pub known: Vec<User>,
    /// Further keys to look up.
    pub keys: UserKeys,
    /// The number up to which active users are counted.
    pub active_users: u32,
    /// The users whose Active reports are read. Everybody above these users is known already.
    pub reports_of: Vec<Uuid>,
    /// Roles, each with the number of its Active users that are read. Any of them will do.
    pub role_users: Vec<(RoleId, u32)>,
}

/// The users and the catalog of an organisation at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The organisation's revision at that moment.
    pub revision: i64,
    /// Roles, ranks and groups.
    pub catalog: Catalog,
    /// The users by ID, which is the order of the roster that created them, and likely that of the next one.
    pub users: Vec<User>,
    /// Whether these are all users.
    pub extent: SnapshotExtent,
    /// For users that an undo leaves alone: the last import that changed each.
    pub last_imports: HashMap<Uuid, Uuid>,
}

impl Store {
    /// Reads an organisation's users and catalog as they are at one moment.
    ///
    /// # Errors
    /// Fails if the organisation is unknown, or the database fails.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn snapshot(&self, organization: i64) -> Result<Snapshot, StoreError> {
        self.snapshot_for(organization, None).await
    }

    /// The same with only the users that `selection` chooses, unless the organisation is small.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn snapshot_for(
        &self,
        organization: i64,
        selection: Option<Arc<dyn SelectUsers>>,
    ) -> Result<Snapshot, StoreError> {
        self.retry(|| async {
            let _reading = self.lanes.reading(organization).await;
            self.read_snapshot(organization, selection.as_ref(), None)
                .await
        })
        .await
    }

    /// The same as [`snapshot`](Self::snapshot) in steps, between which the heavy reads of other organisations have
    /// their turns.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot), and as [`LanePermit::read_turn`].
    pub async fn snapshot_in_turn(
        &self,
        organization: i64,
        permit: &LanePermit,
    ) -> Result<Snapshot, StoreError> {
        self.read_snapshot(organization, None, Some(permit)).await
    }

    async fn read_snapshot(
        &self,
        organization: i64,
        selection: Option<&Arc<dyn SelectUsers>>,
        permit: Option<&LanePermit>,
    ) -> Result<Snapshot, StoreError> {
        let tx = self.begin_reading().await?;
        let begun = begin(&tx, organization, selection.is_some()).await?;
        let snapshot = read_rest(&tx, begun, selection, permit).await?;
        tx.commit().await?;
        Ok(snapshot)
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
        Ok(self.db.begin(options).await?)
    }
}

impl ImportTransaction {
    /// Claims the organisation for an import that this transaction opens, and reads the users that `selection` chooses.
    /// They stay as they are until this transaction ends.
    ///
    /// # Errors
    /// Fails with [`WriteError::LeaseLost`] if another import has taken the lease.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn claim_and_read(
        &mut self,
        selection: &Arc<dyn SelectUsers>,
    ) -> Result<Snapshot, WriteError> {
        let row = self.claim_returning(true, &organization_columns()).await?;
        let mut claimed = Organization::from_query_result(&row, "").map_err(StoreError::from)?;
        claimed.revision -= 1;
        Ok(read_rest(&self.tx.inner, claimed, Some(selection), None).await?)
    }
}

/// Begins to read a snapshot, which may be `partial`. Returns the organisation.
async fn begin(
    tx: &DatabaseTransaction,
    organization: i64,
    partial: bool,
) -> Result<Organization, StoreError> {
    if !partial {
        let found = organization::Entity::find_by_id(organization);
        let found = found.one(tx).await?;
        return found.ok_or(StoreError::UnknownOrganization);
    }
    let sql = begin_partial(SqlDialect::of(tx));
    let row = sql::query_one(tx, sql, [organization.into()]).await?;
    let row = row.ok_or(StoreError::UnknownOrganization)?;
    Ok(Organization::from_query_result(&row, "")?)
}

/// The first statement of a snapshot that may be partial.
fn begin_partial(dialect: SqlDialect) -> String {
    let settings = match dialect {
        SqlDialect::Postgres => format!(", {}", user_selection::SETTINGS),
        SqlDialect::Sqlite => String::new(),
    };
    let columns = organization_columns();
    format!("SELECT {columns}{settings} FROM organizations WHERE id = $1")
}

fn organization_columns() -> String {
    let columns = organization::Column::iter().map(|column| column.as_str().to_owned());
    columns.collect::<Vec<_>>().join(", ")
}

/// Returns `true` if the organisation has at least this many users.
async fn has_users(
    tx: &DatabaseTransaction,
    organization: i64,
    least: u64,
) -> Result<bool, StoreError> {
    let Some(fewer) = least.checked_sub(1) else {
        return Ok(true);
    };
    let fewer = i64::try_from(fewer).unwrap_or(i64::MAX);
    let values = [organization.into(), fewer.into()];
    let row = sql::query_one(tx, HAS_MORE_USERS, values).await?;
    Ok(row.is_some())
}

/// Reads a snapshot that has begun.
async fn read_rest(
    tx: &DatabaseTransaction,
    read: Organization,
    selection: Option<&Arc<dyn SelectUsers>>,
    permit: Option<&LanePermit>,
) -> Result<Snapshot, StoreError> {
    let organization = read.id;
    let mut catalog = catalog::read_of(tx, &read).await?;
    let partial = match selection {
        Some(selection) if has_users(tx, organization, selection.least_users()).await? => {
            Some(selection)
        }
        _ => None,
    };
    let (users, extent) = if let Some(selection) = partial {
        read_selected(tx, organization, selection, &mut catalog).await?
    } else {
        let users = read_users(tx, organization, permit).await?;
        (users, SnapshotExtent::Complete)
    };
    let (users, last_imports) = match selection.filter(|selection| selection.is_undo()) {
        Some(undo) => read_last_imports(tx, organization, undo, users).await?,
        None => (users, HashMap::new()),
    };
    metrics::directory_read(users.len());
    Ok(Snapshot {
        revision: read.revision,
        catalog,
        users,
        extent,
        last_imports,
    })
}

/// Reads the users that `selection` chooses.
async fn read_selected(
    tx: &DatabaseTransaction,
    organization: i64,
    selection: &Arc<dyn SelectUsers>,
    catalog: &mut Catalog,
) -> Result<(Vec<User>, SnapshotExtent), StoreError> {
    let known = select(tx, organization, &selection.first()).await?;
    let (asking, asked_about) = (Arc::clone(selection), std::mem::take(catalog));
    let asked = spawn_blocking(move || (asking.second(known, &asked_about), asked_about)).await;
    let (further, asked_about) = asked.map_err(StoreError::encoding)?;
    *catalog = asked_about;
    let mut users = further.known;
    if !further.keys.is_empty() {
        users = merged(users, select(tx, organization, &further.keys).await?);
    }
    let active_users = active_users(tx, organization, &users, further.active_users).await?;
    if !further.reports_of.is_empty() {
        let reports = select_reports(tx, organization, &further.reports_of);
        users = merged(users, reports.await?);
    }
    for (role, most) in further.role_users {
        let of_role = select_of_role(tx, organization, role, most);
        users = merged(users, of_role.await?);
    }
    Ok((users, SnapshotExtent::Partial { active_users }))
}

/// Reads the last imports that an undo's `selection` asks for. Returns all users with it.
async fn read_last_imports(
    tx: &DatabaseTransaction,
    organization: i64,
    selection: &Arc<dyn SelectUsers>,
    users: Vec<User>,
) -> Result<(Vec<User>, HashMap<Uuid, Uuid>), StoreError> {
    let asking = Arc::clone(selection);
    let asked = spawn_blocking(move || {
        let edited = asking.edited(&users);
        (users, edited)
    });
    let (users, edited) = asked.await.map_err(StoreError::encoding)?;
    let mut last_imports = HashMap::new();
    let rows = RowSet::new(vec![("id", ColumnValues::Uuid(&edited))]);
    for source in rows.sources(SqlDialect::of(tx)) {
        let number = source.values.len() + 1;
        let sql = format!(
            "SELECT u.id, u.last_import_id FROM users AS u JOIN {} ON u.id = r.id \
            WHERE u.organization_id = ${number} AND u.last_import_id IS NOT NULL",
            source.sql
        );
        let mut values = source.values;
        values.push(organization.into());
        for row in sql::query_all(tx, sql, values).await? {
            last_imports.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
    }
    Ok((users, last_imports))
}

/// Joins two lists of users by ID. A user may be in both.
fn merged(mut users: Vec<User>, further: Vec<User>) -> Vec<User> {
    users.extend(further);
    users.sort_by_key(|user| user.id);
    users.dedup_by_key(|user| user.id);
    users
}

/// Returns the number of active users up to `most`. Counts only if too few of them are among `users`.
async fn active_users(
    tx: &DatabaseTransaction,
    organization: i64,
    users: &[User],
    most: u32,
) -> Result<u32, StoreError> {
    let active = users.iter().filter(|user| user.status == Status::Active);
    let active = u32::try_from(active.count()).unwrap_or(u32::MAX);
    match active >= most {
        true => Ok(active),
        false => count_active(tx, organization, most).await,
    }
}

async fn revision(db: &impl ConnectionTrait, organization: i64) -> Result<i64, StoreError> {
    let sql = "SELECT revision FROM organizations WHERE id = $1";
    match sql::query_one(db, sql, [organization.into()]).await? {
        Some(row) => Ok(row.try_get_by_index(0)?),
        None => Err(StoreError::UnknownOrganization),
    }
}
