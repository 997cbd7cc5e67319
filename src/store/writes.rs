//! What an import writes: users made, changed and deactivated, many in one statement.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement, Value};
use time::OffsetDateTime;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::{
    AuditEntry, BatchKind, ImportRecord, Lease, Payload, Store, StoreError, WriteError, Writing,
    entity::import::Entity as Imports,
    import_events,
    recordset::{Recordset, Source, Texts, Values},
    user_values::UserValues,
};
use crate::{
    domain::{Actor, Tally},
    proto::{AuditAction, ImportState},
};

/// One transaction of an import. Dropped without [`commit`](Self::commit), it has no effect.
#[derive(Debug)]
pub struct DirectoryWrite {
    writing: Writing,
    lease: Lease,
    import: Uuid,
    actor: Actor,
    now: OffsetDateTime,
    /// The organisation's, once this transaction is stored; known from its claim on.
    revision: Option<i64>,
    /// Where it writes ahead of its turn.
    room: Option<OwnedSemaphorePermit>,
}

/// First key of the advisory locks that stand before organisations; the second is the organisation.
const GATE: i32 = 714_553;

/// Numbers of what every statement on users binds: organisation, time and import.
struct Stamps([String; 3]);

fn insert(Stamps([organization, now, import]): &Stamps, columns: &[&str], rows: &str) -> String {
    let (names, values) = (columns.join(", "), columns.join(", r."));
    format!(
        "INSERT INTO users (organization_id, {names}, protected, created_at, updated_at, \
        last_import_id) SELECT {organization}, r.{values}, FALSE, {now}, {now}, {import} FROM {rows}"
    )
}

/// Sets these columns of the users whom the first of them, the ID, tells.
fn update(Stamps([organization, now, import]): &Stamps, columns: &[&str], rows: &str) -> String {
    let set: Vec<String> = columns[1..]
        .iter()
        .map(|column| format!("{column} = r.{column}"))
        .collect();
    let set = set.join(", ");
    format!(
        "UPDATE users SET {set}, updated_at = {now}, last_import_id = {import} \
        FROM {rows} WHERE users.organization_id = {organization} AND users.id = r.id"
    )
}

/// Makes active users inactive who are not protected and fulfil `further` too.
fn deactivation(Stamps([organization, now, import]): &Stamps, rows: &str, further: &str) -> String {
    format!(
        "UPDATE users SET active = FALSE, updated_at = {now}, last_import_id = {import} \
        FROM {rows} WHERE users.organization_id = {organization} AND users.id = r.id \
        AND users.active AND NOT users.protected {further} RETURNING users.id"
    )
}

fn deactivate(stamps: &Stamps, rows: &str) -> String {
    deactivation(stamps, rows, "")
}

fn deactivate_unprivileged(stamps: &Stamps, rows: &str) -> String {
    let unprivileged = "AND NOT EXISTS (SELECT 1 FROM roles WHERE \
        roles.organization_id = users.organization_id AND roles.id = users.role_id \
        AND roles.privileged)";
    deactivation(stamps, rows, unprivileged)
}

/// Moves the keys of users out of the way of others who take them in the same transaction. No key
/// has a control character, so what stands in for them meets none.
fn park(Stamps([organization, now, import]): &Stamps, rows: &str) -> String {
    format!(
        "UPDATE users SET email_key = r.parked, badge_number = r.parked, username_key = r.parked, \
        updated_at = {now}, last_import_id = {import} \
        FROM {rows} WHERE users.organization_id = {organization} AND users.id = r.id"
    )
}

impl Store {
    /// Begins a transaction of an import that `actor` has sent. From here to its end nobody but other
    /// transactions of imports writes to the organisation; it has to [claim](DirectoryWrite::claim) it
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
    ) -> Result<DirectoryWrite, WriteError> {
        let writing = self.begin().await?;
        if self.backend() == DbBackend::Sqlite {
            // Rows that refer to each other may be in several statements.
            let defer = "PRAGMA defer_foreign_keys = ON";
            writing.tx.execute_unprepared(defer).await?;
        }
        writing.enter(lease.organization).await?;
        Ok(DirectoryWrite {
            writing,
            lease,
            import,
            actor: actor.clone(),
            now,
            revision: None,
            room: None,
        })
    }

    /// The same for one that writes while another of the same import is still to commit. `None`: the
    /// database has one writer, or enough connections write ahead.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn begin_ahead(
        &self,
        lease: Lease,
        import: Uuid,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<Option<DirectoryWrite>, WriteError> {
        if self.has_one_writer() {
            return Ok(None);
        }
        let Ok(room) = Arc::clone(&self.ahead).try_acquire_owned() else {
            return Ok(None);
        };
        let mut write = self.begin_write(lease, import, actor, now).await?;
        write.room = Some(room);
        Ok(Some(write))
    }
}

impl Store {
    /// Begins a transaction that keeps everybody else from writing to the organisation until it ends: what
    /// is read and planned meanwhile, through another connection, still fits then. `None`: that cannot be
    /// had now.
    pub async fn begin_alone(
        &self,
        lease: Lease,
        import: Uuid,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Option<DirectoryWrite> {
        let write = if self.has_one_writer() {
            self.begin_write(lease, import, actor, now).await.ok()?
        } else {
            // There must be a connection left to read through.
            self.begin_ahead(lease, import, actor, now).await.ok()??
        };
        let held = write.writing.lock(lease.organization).await;
        held.is_ok().then_some(write)
    }
}

impl Writing {
    /// Keeps everybody out of the organisation who enters alone, until the end. Those who wait are let
    /// in before whoever comes after them.
    async fn enter(&self, organization: i64) -> Result<(), StoreError> {
        self.pass_gate("pg_advisory_xact_lock_shared", organization)
            .await
    }

    /// Keeps everybody else out of the organisation until the end. To be done before anything else
    /// is held: who waits here must not be waited for.
    pub(super) async fn enter_alone(&self, organization: i64) -> Result<(), StoreError> {
        self.pass_gate("pg_advisory_xact_lock", organization).await
    }

    /// SQLite has one writer at a time, and needs no gate.
    async fn pass_gate(&self, lock: &str, organization: i64) -> Result<(), StoreError> {
        if self.tx.get_database_backend() != DbBackend::Postgres {
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
    pub(super) async fn touch(&self, organization: i64) -> Result<i64, StoreError> {
        let sql =
            "UPDATE organizations SET revision = revision + 1 WHERE id = $1 RETURNING revision";
        let backend = self.tx.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, [organization.into()]);
        match self.tx.query_one_raw(statement).await? {
            Some(row) => Ok(row.try_get_by_index(0)?),
            None => Err(StoreError::UnknownOrganization),
        }
    }
}

impl DirectoryWrite {
    /// Claims the organisation, and moves its revision on: from here to the end nobody else commits to
    /// it.
    ///
    /// # Errors
    /// [`WriteError::Overtaken`] where the lease is no longer ours.
    pub async fn claim(&mut self) -> Result<(), WriteError> {
        self.revision = Some(self.writing.touch(self.lease.organization).await?);
        self.writing.fence(self.lease).await
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
    pub async fn expect_wanted(&self) -> Result<(), WriteError> {
        let sql = "SELECT 1 FROM imports WHERE organization_id = $1 AND id = $2 \
            AND cancel_requested";
        let backend = self.writing.tx.get_database_backend();
        let values: [Value; 2] = [self.lease.organization.into(), self.import.into()];
        let statement = Statement::from_sql_and_values(backend, sql, values);
        match self.writing.tx.query_one_raw(statement).await? {
            Some(_) => Err(WriteError::Cancelled),
            None => Ok(()),
        }
    }

    /// Moves the import to APPLYING and binds its ID to its input and options.
    ///
    /// # Errors
    /// [`WriteError::Bound`] where another attempt has bound the ID meanwhile.
    pub async fn bind(&self, record: &ImportRecord) -> Result<(), WriteError> {
        let sql = "UPDATE imports SET state = $3, attempt = $4, server_id = $5, \
            options_digest = $6, input_sha256 = $7, plan_digest = $8, rows = $9, \
            protected_skipped = $10, notes = $11, started_at = $12, source = $13 \
            WHERE organization_id = $1 AND id = $2 AND options_digest IS NULL";
        let values: Vec<Value> = vec![
            self.lease.organization.into(),
            self.import.into(),
            i32::from(ImportState::Applying).into(),
            record.attempt.into(),
            record.server_id.into(),
            record.options_digest.clone().into(),
            record.input_sha256.clone().into(),
            record.plan_digest.clone().into(),
            record.rows.into(),
            record.protected_skipped.into(),
            record.notes.clone().into(),
            record.started_at.into(),
            record.source.clone().into(),
        ];
        if self.execute(sql.to_owned(), values).await? == 0 {
            return Err(WriteError::Bound);
        }
        self.note(import_events::begun(record, &self.actor, self.now));
        let sql = "UPDATE organizations SET last_import_id = $2 WHERE id = $1";
        let values = vec![self.lease.organization.into(), self.import.into()];
        self.execute(sql.to_owned(), values).await.map(|_| ())
    }

    /// Moves an interrupted import back to APPLYING, in this server's name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn resume(&self, server: Uuid) -> Result<(), WriteError> {
        let sql = "UPDATE imports SET state = $3, server_id = $4 \
            WHERE organization_id = $1 AND id = $2";
        let values: Vec<Value> = vec![
            self.lease.organization.into(),
            self.import.into(),
            i32::from(ImportState::Applying).into(),
            server.into(),
        ];
        let action = AuditAction::ImportResumed;
        let entry = AuditEntry::done(self.now, &self.actor, action, &self.import);
        self.note(entry);
        self.execute(sql.to_owned(), values).await.map(|_| ())
    }

    /// Records a batch under this sequence number.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn record(
        &self,
        sequence: i32,
        kind: BatchKind,
        payload: &Payload,
    ) -> Result<(), WriteError> {
        let sql = "INSERT INTO import_results (organization_id, import_id, sequence, kind, payload) \
            VALUES ($1, $2, $3, $4, $5)";
        let values: Vec<Value> = vec![
            self.lease.organization.into(),
            self.import.into(),
            sequence.into(),
            (kind as i32).into(),
            payload.stored().to_vec().into(),
        ];
        self.execute(sql.to_owned(), values).await.map(|_| ())
    }

    /// Takes over into the record how many batches it has by now, and adds what they count.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn count(&self, batches: i32, counts: Tally) -> Result<(), WriteError> {
        let sql = "UPDATE imports SET results = $3, created = created + $4, \
            updated = updated + $5, unchanged = unchanged + $6, rejected = rejected + $7, \
            deactivated = deactivated + $8, protected_skipped = protected_skipped + $9 \
            WHERE organization_id = $1 AND id = $2";
        let mut values: Vec<Value> = vec![
            self.lease.organization.into(),
            self.import.into(),
            batches.into(),
        ];
        let counts = counts
            .counts()
            .map(|count| i32::try_from(count).unwrap_or(i32::MAX));
        values.extend(counts.map(Value::from));
        self.execute(sql.to_owned(), values).await.map(|_| ())
    }

    /// Records how a bound import ended.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn end(&self, state: ImportState, notes: Vec<u8>) -> Result<(), WriteError> {
        let sql = "UPDATE imports SET state = $3, notes = $4, finished_at = $5 \
            WHERE organization_id = $1 AND id = $2 AND state = $6";
        let values: Vec<Value> = vec![
            self.lease.organization.into(),
            self.import.into(),
            i32::from(state).into(),
            notes.into(),
            self.now.into(),
            i32::from(ImportState::Applying).into(),
        ];
        let ended = self.execute(sql.to_owned(), values).await? > 0;
        // It has ended already where the answer of an earlier commit was lost.
        if ended && let Some(record) = self.recorded().await? {
            self.note(import_events::ended(&record, state, &self.actor, self.now));
        }
        Ok(())
    }

    fn note(&self, entry: AuditEntry) {
        self.writing.note(self.lease.organization, entry);
    }

    /// Moves the keys of these users out of the way; each must be updated in this transaction.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn park(&self, users: &[Uuid]) -> Result<(), WriteError> {
        let mut parked = Texts::default();
        for id in users {
            parked.push(&format!("\u{1}{}", id.simple()));
        }
        let columns = vec![
            ("id", Values::Uuid(users)),
            ("parked", Values::Text(&parked)),
        ];
        self.write(park, &Recordset::new(columns)).await
    }

    /// Makes users.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] where one of their keys is taken or a reference is gone.
    pub async fn create(&self, users: &UserValues) -> Result<(), WriteError> {
        let rows = users.recordset();
        let columns = rows.names();
        self.write(|stamps, rows| insert(stamps, &columns, rows), &rows)
            .await
    }

    /// Sets the attributes of users. External IDs never change.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] where a key is taken, or a reference or one of the users is gone.
    pub async fn change(&self, users: &UserValues) -> Result<(), WriteError> {
        let rows = users.recordset();
        let columns = rows.names();
        self.write(|stamps, rows| update(stamps, &columns, rows), &rows)
            .await
    }

    /// Makes users inactive who are active and not protected, and, unless the caller
    /// `may_privileged`, in no privileged role; returns those.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deactivate(
        &self,
        users: &[Uuid],
        may_privileged: bool,
    ) -> Result<Vec<Uuid>, WriteError> {
        let sql = match may_privileged {
            true => deactivate,
            false => deactivate_unprivileged,
        };
        let recordset = Recordset::new(vec![("id", Values::Uuid(users))]);
        let mut deactivated = Vec::new();
        for source in recordset.sources(self.backend()) {
            let statement = self.statement(sql, source);
            for row in self.writing.tx.query_all_raw(statement).await? {
                deactivated.push(row.try_get_by_index(0)?);
            }
        }
        Ok(deactivated)
    }

    /// The import's record as this transaction finds it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn recorded(&self) -> Result<Option<ImportRecord>, StoreError> {
        let key = (self.lease.organization, self.import);
        Ok(Imports::find_by_id(key).one(&self.writing.tx).await?)
    }

    /// Makes what was written durable and visible.
    ///
    /// # Errors
    /// Where the database fails; whether the transaction is stored is then unknown.
    pub async fn commit(self) -> Result<(), WriteError> {
        self.writing.commit().await.map_err(WriteError::from_store)
    }

    fn backend(&self) -> DbBackend {
        self.writing.tx.get_database_backend()
    }

    /// Writes each row to exactly one user, or meets a conflict.
    async fn write(
        &self,
        sql: impl Fn(&Stamps, &str) -> String + Sync,
        rows: &Recordset<'_>,
    ) -> Result<(), WriteError> {
        for source in rows.sources(self.backend()) {
            let rows = source.rows;
            let written = self
                .writing
                .tx
                .execute_raw(self.statement(&sql, source))
                .await?;
            if written.rows_affected() != rows as u64 {
                return Err(WriteError::Conflict);
            }
        }
        Ok(())
    }

    fn statement(&self, sql: impl Fn(&Stamps, &str) -> String, source: Source) -> Statement {
        let mut values = source.values;
        let stamps = [1, 2, 3].map(|further| format!("${}", values.len() + further));
        values.extend([
            self.lease.organization.into(),
            self.now.into(),
            Value::from(self.import),
        ]);
        let sql = sql(&Stamps(stamps), &source.sql);
        Statement::from_sql_and_values(self.backend(), sql, values)
    }

    async fn execute(&self, sql: String, values: Vec<Value>) -> Result<u64, WriteError> {
        let result = self.writing.execute(sql, values).await;
        result.map_err(WriteError::from_store)
    }
}
