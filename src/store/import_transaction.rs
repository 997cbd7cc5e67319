//! An import's transactions: when one may begin, what it keeps others from, and what must hold before it
//! commits. What one does to users is in `users`, and to the import's record in `record`.

mod record;
mod users;

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use time::OffsetDateTime;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::{AuditEntry, Lease, Store, StoreError, WriteError, WriteTransaction};
use crate::domain::Actor;

/// One transaction of an import. Dropped without [`commit`](Self::commit), it has no effect.
#[derive(Debug)]
pub struct ImportTransaction {
    tx: WriteTransaction,
    lease: Lease,
    import: Uuid,
    actor: Actor,
    now: OffsetDateTime,
    /// The organisation's, once this transaction is stored; known from its claim on.
    revision: Option<i64>,
    /// Where it holds others up while its import is planned.
    room: Option<OwnedSemaphorePermit>,
}

/// Leave for an import to write a transaction while the one before is still to commit. Given back when the last
/// clone is dropped.
#[derive(Clone, Debug)]
pub struct OverlapPermit {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// First key of the advisory locks that stand before organisations; the second is the organisation.
const GATE: i32 = 714_553;

impl Store {
    /// Begins a transaction of an import that `actor` has sent. From here to its end nobody but other
    /// transactions of imports writes to the organisation; it has to [claim](ImportTransaction::claim) it
    /// before it commits.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn begin_write(
        &self,
        lease: Lease,
        import: Uuid,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<ImportTransaction, WriteError> {
        let tx = self.begin_for(lease.organization).await?;
        if self.backend() == DbBackend::Sqlite {
            // Rows that refer to each other may be in several statements.
            let defer = "PRAGMA defer_foreign_keys = ON";
            tx.inner.execute_unprepared(defer).await?;
        }
        tx.enter_shared(lease.organization).await?;
        Ok(ImportTransaction {
            tx,
            lease,
            import,
            actor: actor.clone(),
            now,
            revision: None,
            room: None,
        })
    }

    /// Lets an import's transactions overlap. `None`: the database has one writer, or enough imports do so already;
    /// then this one's follow each other.
    #[must_use]
    pub fn overlap_permit(&self) -> Option<OverlapPermit> {
        if self.has_one_writer() {
            return None;
        }
        let permit = Arc::clone(&self.overlaps).try_acquire_owned();
        let permit = Arc::new(permit.ok()?);
        Some(OverlapPermit { _permit: permit })
    }

    /// Begins a transaction that keeps everybody else from writing to the organisation until it ends: what
    /// is read and planned meanwhile, through another connection, still fits then. `None`: that cannot be
    /// had now.
    pub async fn begin_exclusive(
        &self,
        lease: Lease,
        import: Uuid,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Option<ImportTransaction> {
        // There must be a connection left to read through.
        let room = Arc::clone(&self.holds).try_acquire_owned().ok()?;
        let mut write = self.begin_write(lease, import, actor, now).await.ok()?;
        write.room = Some(room);
        let held = write.tx.lock(lease.organization).await;
        held.is_ok().then_some(write)
    }
}

impl WriteTransaction {
    /// Keeps everybody out of the organisation who enters alone, until the end. Those who wait are let
    /// in before whoever comes after them.
    async fn enter_shared(&self, organization: i64) -> Result<(), StoreError> {
        self.pass_gate("pg_advisory_xact_lock_shared", organization)
            .await
    }

    /// Keeps everybody else out of the organisation until the end. To be done before anything else
    /// is held: who waits here must not be waited for.
    pub(super) async fn enter_exclusive(&self, organization: i64) -> Result<(), StoreError> {
        self.pass_gate("pg_advisory_xact_lock", organization).await
    }

    /// SQLite has one writer at a time, and needs no gate.
    async fn pass_gate(&self, lock: &str, organization: i64) -> Result<(), StoreError> {
        if self.inner.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let sql = format!("SELECT {lock}({GATE}, ($1::bigint % 2147483647)::integer)");
        self.execute(sql, vec![organization.into()])
            .await
            .map(|_| ())
    }

    /// Holds the organisation until the end: nobody else writes to it.
    pub(super) async fn lock(&self, organization: i64) -> Result<(), StoreError> {
        let sql = "UPDATE organizations SET revision = revision WHERE id = $1";
        let locked = self.execute(sql.to_owned(), vec![organization.into()]);
        match locked.await? {
            0 => Err(StoreError::UnknownOrganization),
            _ => Ok(()),
        }
    }

    /// Moves the organisation's revision on, and holds the organisation until the end. Returns the
    /// new revision.
    pub(super) async fn bump_revision(&self, organization: i64) -> Result<i64, StoreError> {
        let sql =
            "UPDATE organizations SET revision = revision + 1 WHERE id = $1 RETURNING revision";
        let backend = self.inner.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, [organization.into()]);
        match self.inner.query_one_raw(statement).await? {
            Some(row) => Ok(row.try_get_by_index(0)?),
            None => Err(StoreError::UnknownOrganization),
        }
    }
}

impl ImportTransaction {
    /// Claims the organisation, and moves its revision on: from here to the end nobody else commits to
    /// it.
    ///
    /// # Errors
    /// [`WriteError::Overtaken`] where the lease is no longer ours.
    pub async fn claim(&mut self) -> Result<(), WriteError> {
        self.revision = Some(self.tx.bump_revision(self.lease.organization).await?);
        self.tx.fence(self.lease).await
    }

    /// Makes sure that the directory is as it was planned on.
    ///
    /// # Errors
    /// [`WriteError::Stale`] where it was not at `revision` when this transaction claimed it.
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

    /// Makes sure that nobody has asked the import to stop.
    ///
    /// # Errors
    /// [`WriteError::Cancelled`] where somebody has.
    pub async fn expect_not_cancelled(&self) -> Result<(), WriteError> {
        let sql = "SELECT 1 FROM imports WHERE organization_id = $1 AND id = $2 \
            AND cancel_requested";
        let backend = self.tx.inner.get_database_backend();
        let values: [Value; 2] = [self.lease.organization.into(), self.import.into()];
        let statement = Statement::from_sql_and_values(backend, sql, values);
        match self.tx.inner.query_one_raw(statement).await? {
            Some(_) => Err(WriteError::Cancelled),
            None => Ok(()),
        }
    }

    /// Makes what was written durable and visible.
    ///
    /// # Errors
    /// Where the database fails; whether the transaction is stored is then unknown.
    pub async fn commit(self) -> Result<(), WriteError> {
        self.tx.commit().await.map_err(WriteError::from_store)
    }

    fn note(&self, entry: AuditEntry) {
        self.tx.note(self.lease.organization, entry);
    }

    fn backend(&self) -> DbBackend {
        self.tx.inner.get_database_backend()
    }

    async fn execute(&self, sql: String, values: Vec<Value>) -> Result<u64, WriteError> {
        let result = self.tx.execute(sql, values).await;
        result.map_err(WriteError::from_store)
    }
}
