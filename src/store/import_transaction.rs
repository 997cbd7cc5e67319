//! The transactions of an import: when one may begin, which writers it blocks, and what must hold before it commits.
//! Their writes to users are in `users`, and those to the import's record in `record`.

mod record;
mod users;

pub(crate) use record::RecordChanges;

use std::sync::Arc;

use sea_orm::{ConnectionTrait, QueryResult, Value};
use time::OffsetDateTime;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::{
    AuditEntry, Lease, LeaseRequest, SqlDialect, Store, StoreError, WriteError, WriteTransaction,
    leases::LeaseTerm, user_selection,
};
use crate::domain::AuditActor;

/// One transaction of an import. Dropped without [`commit`](Self::commit), it has no effect.
#[derive(Debug)]
pub struct ImportTransaction {
    pub(super) tx: WriteTransaction,
    lease: Lease,
    import: Uuid,
    actor: AuditActor,
    now: OffsetDateTime,
    /// Triggers check the references of users: those of `PostgreSQL`, unless it is distributed.
    has_reference_triggers: bool,
    /// The organisation's revision once this transaction has committed; known from the claim on.
    revision: Option<i64>,
    /// Held by a transaction that keeps others from writing while its import is planned.
    exclusive: Option<OwnedSemaphorePermit>,
}

/// Allows an import to write a transaction before its previous one has committed. Given back when the last clone is
/// dropped.
#[derive(Clone, Debug)]
pub struct OverlapPermit {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// How much a transaction of an import writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteVolume {
    /// So few rows that each is best found on an index, and that one statement creates all new users.
    Few,
    /// Any number of rows.
    Any,
}

/// On `PostgreSQL`, what a transaction of [few](WriteVolume::Few) rows needs, as a list of SQL: plans that use indexes
/// alone, and so can be kept at any size of the tables. Without this `PostgreSQL` plans each statement every time, since
/// it takes a list whose length it does not know for a longer one. That took a quarter of its time for a push.
const KEPT_PLANS: &str = "set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), \
    set_config('enable_mergejoin', 'off', true)";

/// First key of the advisory locks that guard the organisations. The second key is the organisation.
const ADVISORY_LOCK: i32 = 714_553;

impl Store {
    /// Begins a transaction of an import that `actor` has sent. Until it ends only transactions of imports write to
    /// the organisation. It must [claim](ImportTransaction::claim) the organisation before it commits.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn begin_write(
        &self,
        (lease, import): (Lease, Uuid),
        volume: WriteVolume,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<ImportTransaction, WriteError> {
        let tx = self.begin_for(lease.organization).await?;
        if self.dialect() == SqlDialect::Sqlite && volume == WriteVolume::Any {
            // Rows that refer to each other may be written by several statements. Few rows are not: one statement
            // creates the new users, and then others change users. SQLite prepares all statements again after this one.
            let defer = "PRAGMA defer_foreign_keys = ON";
            tx.inner.execute_unprepared(defer).await?;
        }
        let volume = self.planned_as(volume);
        tx.enter_shared(lease.organization, volume).await?;
        Ok(self.import_transaction(tx, (lease, import), actor, now))
    }

    /// Begins the only transaction of an import of few rows, which may be planned within it. It takes the organisation's lease, which is free again once
    /// this transaction has ended. Nobody else writes to the organisation meanwhile. Returns `None` if the lease cannot
    /// be taken now: another import has it or is writing, or another server is next.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn begin_whole(
        &self,
        request: LeaseRequest<'_>,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<Option<ImportTransaction>, WriteError> {
        let organization = request.organization;
        let own = self.heartbeat.held(organization);
        let tx = self.begin_for(organization).await?;
        let volume = self.planned_as(WriteVolume::Few);
        if !tx.try_enter_exclusive(organization, volume).await? {
            return Ok(None);
        }
        let term = LeaseTerm::Transaction;
        let lease = tx.seize_lease(request, own, term).await?;
        Ok(lease.map(|lease| self.import_transaction(tx, (lease, request.import), actor, now)))
    }

    fn import_transaction(
        &self,
        tx: WriteTransaction,
        (lease, import): (Lease, Uuid),
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> ImportTransaction {
        ImportTransaction {
            has_reference_triggers: tx.dialect() == SqlDialect::Postgres && !self.is_distributed,
            tx,
            lease,
            import,
            actor: actor.clone(),
            now,
            revision: None,
            exclusive: None,
        }
    }

    /// Citus must know the organisation to plan a statement, so a plan cannot be kept for any.
    const fn planned_as(&self, volume: WriteVolume) -> WriteVolume {
        match self.is_distributed {
            true => WriteVolume::Any,
            false => volume,
        }
    }

    /// Allows an import's transactions to overlap. Returns `None` if they must follow each other: the database has one
    /// writer, or enough imports overlap already.
    #[must_use]
    pub fn overlap_permit(&self) -> Option<OverlapPermit> {
        if self.has_one_writer() {
            return None;
        }
        let permit = Arc::clone(&self.overlapping).try_acquire_owned();
        let permit = Arc::new(permit.ok()?);
        Some(OverlapPermit { _permit: permit })
    }

    /// Begins a transaction that keeps everybody else from writing to the organisation until it ends. A plan that is
    /// made meanwhile, through another connection, is still valid then. Returns `None` if that is not possible
    /// now.
    pub async fn begin_exclusive(
        &self,
        lease: Lease,
        import: Uuid,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Option<ImportTransaction> {
        // One connection must be left for reading.
        let permit = Arc::clone(&self.exclusive).try_acquire_owned().ok()?;
        let mut write = self
            .begin_write((lease, import), WriteVolume::Any, actor, now)
            .await
            .ok()?;
        write.exclusive = Some(permit);
        let locked = write.tx.lock(lease.organization).await;
        locked.is_ok().then_some(write)
    }
}

/// The `SELECT` list with which a transaction of this volume enters the organisation that is parameter number 1.
fn entering(lock: &str, volume: WriteVolume) -> String {
    let lock = format!("{lock}({ADVISORY_LOCK}, ($1::bigint % 2147483647)::integer)");
    match volume {
        WriteVolume::Few => format!("{lock}, {}, {KEPT_PLANS}", user_selection::SETTINGS),
        WriteVolume::Any => lock,
    }
}

impl WriteTransaction {
    /// Waits for transactions that have entered exclusively, and keeps others from doing so until this one ends. Those
    /// that wait already are let in first.
    async fn enter_shared(&self, organization: i64, volume: WriteVolume) -> Result<(), StoreError> {
        let entering = entering("pg_advisory_xact_lock_shared", volume);
        self.enter(&entering, organization).await
    }

    /// Keeps every other transaction that enters out of the organisation until this one ends. Call it before this
    /// transaction locks anything else: nobody may have to wait for one that waits here.
    pub(super) async fn enter_exclusive(&self, organization: i64) -> Result<(), StoreError> {
        let entering = entering("pg_advisory_xact_lock", WriteVolume::Any);
        self.enter(&entering, organization).await
    }

    /// The same as [`enter_exclusive`](Self::enter_exclusive) if nobody else is in the organisation; returns `false` at
    /// once if somebody is.
    pub(super) async fn try_enter_exclusive(
        &self,
        organization: i64,
        volume: WriteVolume,
    ) -> Result<bool, StoreError> {
        if self.dialect() == SqlDialect::Sqlite {
            return Ok(true);
        }
        let sql = format!("SELECT {}", entering("pg_try_advisory_xact_lock", volume));
        let row = self.query_one(sql, [organization.into()]).await?;
        Ok(row.map_or(Ok(false), |row| row.try_get_by_index(0))?)
    }

    /// SQLite has one writer at a time, and needs no lock.
    async fn enter(&self, entering: &str, organization: i64) -> Result<(), StoreError> {
        if self.dialect() == SqlDialect::Sqlite {
            return Ok(());
        }
        let sql = format!("SELECT {entering}");
        self.execute(sql, [organization.into()]).await.map(|_| ())
    }

    /// Locks the organisation: nobody else writes to it until this transaction ends.
    pub(super) async fn lock(&self, organization: i64) -> Result<(), StoreError> {
        let sql = "UPDATE organizations SET revision = revision WHERE id = $1";
        match self.execute(sql, [organization.into()]).await? {
            0 => Err(StoreError::UnknownOrganization),
            _ => Ok(()),
        }
    }

    /// Increments the organisation's revision, and locks the organisation until this transaction ends. Returns the new
    /// revision.
    pub(super) async fn bump_revision(&self, organization: i64) -> Result<i64, StoreError> {
        let sql =
            "UPDATE organizations SET revision = revision + 1 WHERE id = $1 RETURNING revision";
        match self.query_one(sql, [organization.into()]).await? {
            Some(row) => Ok(row.try_get_by_index(0)?),
            None => Err(StoreError::UnknownOrganization),
        }
    }
}

impl ImportTransaction {
    /// Claims the organisation, and increments its revision. From here to the end nobody else commits to it. If this
    /// transaction `opens` the import, the organisation's last import is this one.
    ///
    /// No lease can be taken between the look at the lease and the end of this transaction: taking one waits until no
    /// transaction of an import is in the organisation.
    ///
    /// # Errors
    /// Fails with [`WriteError::LeaseLost`] if another import has taken the lease.
    pub async fn claim(&mut self, opens: bool) -> Result<(), WriteError> {
        let claimed = self.claim_returning(opens, "revision");
        claimed.await.map(|_| ())
    }

    /// The same, with these columns of the claimed organisation, one of which is its revision.
    pub(super) async fn claim_returning(
        &mut self,
        opens: bool,
        columns: &str,
    ) -> Result<QueryResult, WriteError> {
        let last_import = if opens { ", last_import_id = $3" } else { "" };
        let sql = format!(
            "UPDATE organizations SET revision = revision + 1{last_import} WHERE id = $1 AND EXISTS \
            (SELECT 1 FROM import_leases WHERE organization_id = $1 AND number = $2) \
            RETURNING {columns}"
        );
        let mut values: Vec<Value> = vec![self.lease.organization.into(), self.lease.number.into()];
        if opens {
            values.push(self.import.into());
        }
        let row = self.tx.query_one(sql, values).await?;
        let row = row.ok_or(WriteError::LeaseLost)?;
        self.revision = Some(row.try_get("", "revision")?);
        Ok(row)
    }

    /// Returns `true` if this transaction has claimed the organisation.
    #[must_use]
    pub const fn is_claimed(&self) -> bool {
        self.revision.is_some()
    }

    /// Gives up what was written, and lets others write once this returns.
    pub async fn roll_back(self) {
        // If the database has not got the request, the end of the connection has the same effect.
        let _ = self.tx.inner.rollback().await;
    }

    /// Makes sure that the directory is still the one on which the import was planned.
    ///
    /// # Errors
    /// Fails with [`WriteError::Stale`] if it was not at `revision` when this transaction claimed it.
    pub fn expect_revision(&self, revision: i64) -> Result<(), WriteError> {
        match self.revision == Some(revision + 1) {
            true => Ok(()),
            false => Err(WriteError::Stale),
        }
    }

    /// The organisation's revision once this transaction has committed; 0 before its claim.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision.unwrap_or_default()
    }

    /// The time of what this transaction records.
    #[must_use]
    pub const fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// Makes sure that nobody has asked the import to stop.
    ///
    /// # Errors
    /// Fails with [`WriteError::Cancelled`] if somebody has.
    pub async fn expect_not_cancelled(&self) -> Result<(), WriteError> {
        let sql = "SELECT 1 FROM imports WHERE organization_id = $1 AND id = $2 \
            AND cancel_requested";
        let values = [self.lease.organization.into(), self.import.into()];
        match self.tx.query_one(sql, values).await? {
            Some(_) => Err(WriteError::Cancelled),
            None => Ok(()),
        }
    }

    /// Gives the import's lease back, for the next import to take once this transaction has committed.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn release_lease(&self) -> Result<(), WriteError> {
        Ok(self.tx.release(self.lease).await?)
    }

    /// Makes what was written durable and visible.
    ///
    /// # Errors
    /// Fails if the database fails; it is then unknown whether the transaction has committed.
    pub async fn commit(self) -> Result<(), WriteError> {
        self.tx.commit().await.map_err(WriteError::from_store)
    }

    fn note(&self, entry: AuditEntry) {
        self.tx.note(self.lease.organization, entry);
    }

    async fn execute(
        &self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, WriteError> {
        let result = self.tx.execute(sql, values).await;
        result.map_err(WriteError::from_store)
    }
}
