//! Records of imports, and their encoded results (semantics §8).

use std::collections::BTreeMap;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Select, TryInsertResult, Value,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    AttemptEnd, AuditEntry, CompressedMessage, Lease, Store, StoreError, UploadStage,
    WriteTransaction,
    entity::import::{Column, Entity, Model},
    import_audit,
    row_set::{ColumnValues, RowSet},
    sql,
};
use crate::{
    audit::AuditAction,
    domain::{Actor, ImportState},
};

/// The record of an import, as stored.
pub(crate) type ImportRecord = Model;

/// How many imports lose their results in one step.
const EXPIRED_AT_ONCE: u32 = 500;

/// Batches that are removed some time after their import has ended.
struct ExpiringBatches {
    /// The condition on imports that have some, and the moment from which their time counts.
    due: &'static str,
    /// The condition on the batches.
    kinds: &'static str,
    /// The assignment that says that an import has none any more.
    mark: &'static str,
}

const RESULTS: ExpiringBatches = ExpiringBatches {
    due: "NOT results_removed AND finished_at",
    kinds: "kind <> 4",
    mark: "results_removed = TRUE",
};

/// An import whose server died has no end.
const CHANGES: ExpiringBatches = ExpiringBatches {
    due: "changes_kept AND coalesce(finished_at, started_at)",
    kinds: "kind = 4",
    mark: "changes_kept = FALSE",
};

/// What a batch of an import's record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum BatchKind {
    /// An encoded `RowResults`: final verdicts.
    Results = 0,
    /// An encoded `Deactivations`: users that were deactivated.
    Deactivated = 1,
    /// An encoded `Deactivations`: users to deactivate once all rows are written.
    ToDeactivate = 2,
    /// An encoded `RowResults`: rows still to be written, with only their numbers and the warnings of the plan.
    ToWrite = 3,
    /// The changes that the import made to users. They are removed earlier or later than the results.
    Changes = 4,
}

/// Whether an attempt could be recorded under an import ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOpening {
    /// It is recorded, in place of an earlier attempt of the same principal.
    Recorded,
    /// Applying has begun under the ID; its record stays as it is.
    Bound,
    /// The ID is another principal's; its record stays as it is.
    InUse,
}

/// One recorded batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedBatch {
    /// Position in the record, from 0.
    pub sequence: i32,
    /// What it holds.
    pub kind: BatchKind,
    /// The encoded message.
    pub payload: Vec<u8>,
}

impl Store {
    /// Finds the record of an import.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn import(
        &self,
        organization: i64,
        id: Uuid,
    ) -> Result<Option<ImportRecord>, StoreError> {
        self.retry(|| async { Ok(Entity::find_by_id((organization, id)).one(&self.db).await?) })
            .await
    }

    /// Records an attempt that begins. It replaces an earlier attempt of the same principal under the same ID.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn open_import(&self, record: &ImportRecord) -> Result<AttemptOpening, StoreError> {
        self.retry(|| async {
            let tx = self.begin_for(record.organization_id).await?;
            let opened = tx.open_import(record).await?;
            tx.commit().await?;
            Ok(opened)
        })
        .await
    }

    /// Decides about an attempt without recording it.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expected_opening(
        &self,
        record: &ImportRecord,
    ) -> Result<AttemptOpening, StoreError> {
        let found = self.import(record.organization_id, record.id).await?;
        Ok(found.map_or(AttemptOpening::Recorded, |present| present.admits(record)))
    }

    /// Records how many rows an attempt that has not begun applying has received so far. Does nothing to the record of
    /// another attempt.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn note_received(&self, record: &ImportRecord, rows: u32) -> Result<(), StoreError> {
        let tx = self.begin_for(record.organization_id).await?;
        let sql = "UPDATE imports SET rows = $4 WHERE organization_id = $1 AND id = $2 \
            AND attempt = $3 AND options_digest IS NULL AND finished_at IS NULL";
        let values = [
            record.organization_id.into(),
            record.id.into(),
            record.attempt.into(),
            i32::try_from(rows).unwrap_or(i32::MAX).into(),
        ];
        tx.execute(sql, values).await?;
        tx.commit().await
    }

    /// Removes the record of an attempt that was turned away before it began applying. An upload in parts may be run
    /// again: its record shows that it waits for that.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn withdraw_import(&self, record: &ImportRecord) -> Result<(), StoreError> {
        self.retry(|| self.withdraw_import_once(record)).await
    }

    async fn withdraw_import_once(&self, record: &ImportRecord) -> Result<(), StoreError> {
        let tx = self.begin_for(record.organization_id).await?;
        let key: [Value; 2] = [record.organization_id.into(), record.id.into()];
        // No server runs it any more.
        let sql = "UPDATE imports SET server_id = $4 WHERE organization_id = $1 AND id = $2 \
            AND attempt = $3 AND options_digest IS NULL AND finished_at IS NULL";
        let attempt = [record.attempt.into(), Uuid::nil().into()];
        if tx
            .execute(sql, key.clone().into_iter().chain(attempt))
            .await?
            == 0
        {
            return Ok(());
        }
        let sql =
            "DELETE FROM uploads WHERE organization_id = $1 AND import_id = $2 AND stage = $3";
        let ended = [(UploadStage::Ended as i32).into()];
        tx.execute(sql, key.clone().into_iter().chain(ended))
            .await?;
        let sql = "DELETE FROM imports WHERE organization_id = $1 AND id = $2 AND NOT EXISTS \
            (SELECT 1 FROM uploads u WHERE u.organization_id = $1 AND u.import_id = $2)";
        tx.execute(sql, key).await?;
        tx.commit().await
    }

    /// Records how an attempt ended that never began applying; `is_open` says whether it is recorded already. If a
    /// later attempt has replaced the record, or the ID is bound by now, only the audit trail gets a refusal, and the
    /// record stays as it is.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn close_import(
        &self,
        (record, is_open): (&ImportRecord, bool),
        actor: &Actor,
        end: AttemptEnd<'_>,
    ) -> Result<(), StoreError> {
        self.retry(|| self.close_import_once((record, is_open), actor, end))
            .await
    }

    async fn close_import_once(
        &self,
        (record, is_open): (&ImportRecord, bool),
        actor: &Actor,
        end: AttemptEnd<'_>,
    ) -> Result<(), StoreError> {
        let tx = self.begin_for(record.organization_id).await?;
        // If the answer of an earlier commit was lost, the audit trail has its event already.
        let is_closed = !is_open && tx.is_closed(record).await?;
        let closed = match is_open {
            true => tx.store_end(record).await?,
            false if is_closed => false,
            false => tx.open_import(record).await? == AttemptOpening::Recorded,
        };
        let is_news =
            closed || (!end.refusals.is_empty() && !is_closed && !tx.is_closed(record).await?);
        let entry = import_audit::attempt_ended(record, actor, end);
        if let Some(entry) = entry.filter(|_| is_news) {
            tx.note(record.organization_id, entry);
        }
        tx.commit().await
    }

    /// Marks an applying import as interrupted, unless its lease has been taken over.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn interrupt_import(
        &self,
        lease: Lease,
        id: Uuid,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let tx = self.begin_for(lease.organization).await?;
        let sql = "UPDATE imports SET state = $4 \
            WHERE organization_id = $1 AND id = $2 AND state = $5 AND EXISTS (SELECT 1 \
            FROM import_leases WHERE organization_id = $1 AND number = $3)";
        let values = [
            lease.organization.into(),
            id.into(),
            lease.number.into(),
            i32::from(ImportState::Interrupted).into(),
            i32::from(ImportState::Applying).into(),
        ];
        if tx.execute(sql, values).await? > 0 {
            let found = Entity::find_by_id((lease.organization, id));
            if let Some(record) = found.one(&tx.inner).await? {
                let state = ImportState::Interrupted;
                let entry = import_audit::ended(&record, state, actor, now);
                tx.note(lease.organization, entry);
            }
        }
        tx.commit().await
    }

    /// Asks an applying import to stop. Returns `false` if it is not applying.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn request_cancel(
        &self,
        organization: i64,
        id: Uuid,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_for(organization).await?;
        let sql = "UPDATE imports SET cancel_requested = TRUE \
            WHERE organization_id = $1 AND id = $2 AND state = $3";
        let applying = i32::from(ImportState::Applying);
        let values = [organization.into(), id.into(), applying.into()];
        let asked = tx.execute(sql, values).await? > 0;
        if asked {
            let action = AuditAction::ImportCancelRequested;
            tx.note(organization, AuditEntry::done(now, actor, action, &id));
        }
        tx.commit().await?;
        Ok(asked)
    }

    /// Returns up to `limit` records that began before `before`, the newest first: those whose recorded state is one of
    /// `states`, or all if there is none.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn imports(
        &self,
        organization: i64,
        states: &[ImportState],
        before: Option<(OffsetDateTime, Uuid)>,
        limit: u64,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        let mut select = newest_first(organization, before).limit(limit);
        if !states.is_empty() {
            let states = states.iter().map(|&state| i32::from(state));
            select = select.filter(Column::State.is_in(states));
        }
        Ok(select.all(&self.db).await?)
    }

    /// Returns up to `limit` imports that have changed users and had not ended at `since`, the latest first, from `before`
    /// on.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn imports_with_changes(
        &self,
        organization: i64,
        since: OffsetDateTime,
        before: Option<(OffsetDateTime, Uuid)>,
        limit: u64,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        let has_changed = Condition::any()
            .add(Column::Created.gt(0))
            .add(Column::Updated.gt(0))
            .add(Column::Deactivated.gt(0));
        let was_there = Condition::any()
            .add(Column::FinishedAt.is_null())
            .add(Column::FinishedAt.gte(since));
        let held = i32::from(ImportState::Held);
        let select = newest_first(organization, before)
            .filter(Column::OptionsDigest.is_not_null())
            .filter(Column::ValidateOnly.eq(false))
            .filter(Column::State.ne(held))
            .filter(has_changed)
            .filter(was_there);
        Ok(select.limit(limit).all(&self.db).await?)
    }

    /// Returns up to `limit` recorded batches of an import, from number `sequence` on.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn recorded_batches(
        &self,
        organization: i64,
        import: Uuid,
        sequence: i32,
        limit: i32,
    ) -> Result<Vec<RecordedBatch>, StoreError> {
        self.retry(|| self.recorded_batches_once(organization, import, sequence, limit))
            .await
    }

    async fn recorded_batches_once(
        &self,
        organization: i64,
        import: Uuid,
        sequence: i32,
        limit: i32,
    ) -> Result<Vec<RecordedBatch>, StoreError> {
        let _reading = self.lanes.reading(organization).await;
        let sql = "SELECT sequence, kind, payload FROM import_results WHERE organization_id = $1 \
            AND import_id = $2 AND sequence >= $3 AND kind <> $5 ORDER BY sequence LIMIT $4";
        let values = [
            organization.into(),
            import.into(),
            sequence.into(),
            i64::from(limit).into(),
            (BatchKind::Changes as i32).into(),
        ];
        let rows = sql::query_all(&self.db, sql, values).await?;
        rows.iter()
            .map(|row| {
                Ok(RecordedBatch {
                    sequence: row.try_get_by_index(0)?,
                    kind: BatchKind::from_number(row.try_get_by_index(1)?),
                    payload: CompressedMessage::read(&row.try_get_by_index::<Vec<u8>>(2)?)?,
                })
            })
            .collect()
    }

    /// Returns the first batch of an import's changes to users whose position is `sequence` or later, with its
    /// position; `None` if there is none.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn recorded_changes(
        &self,
        organization: i64,
        import: Uuid,
        sequence: i32,
    ) -> Result<Option<(i32, Vec<u8>)>, StoreError> {
        self.retry(|| async {
            let _reading = self.lanes.reading(organization).await;
            let sql = "SELECT sequence, payload FROM import_results WHERE organization_id = $1 \
                AND import_id = $2 AND sequence >= $3 AND kind = $4 ORDER BY sequence LIMIT 1";
            let kind = (BatchKind::Changes as i32).into();
            let values = [organization.into(), import.into(), sequence.into(), kind];
            let Some(row) = sql::query_one(&self.db, sql, values).await? else {
                return Ok(None);
            };
            let payload = CompressedMessage::read_dense(&row.try_get_by_index::<Vec<u8>>(1)?)?;
            Ok(Some((row.try_get_by_index(0)?, payload)))
        })
        .await
    }

    /// Removes the results of imports that ended before `moment`. Their records and counts stay.
    /// Returns how many batches there were.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expire_results(&self, moment: OffsetDateTime) -> Result<u64, StoreError> {
        self.expire_batches(&RESULTS, moment).await
    }

    /// Removes the recorded changes to users of imports that ended before `moment`, which cannot be undone any more.
    /// Returns how many batches there were.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expire_changes(&self, moment: OffsetDateTime) -> Result<u64, StoreError> {
        self.expire_batches(&CHANGES, moment).await
    }

    async fn expire_batches(
        &self,
        expiring: &ExpiringBatches,
        moment: OffsetDateTime,
    ) -> Result<u64, StoreError> {
        let due = expiring.due;
        let sql = format!(
            "SELECT organization_id, id FROM imports WHERE {due} < $1 LIMIT {EXPIRED_AT_ONCE}"
        );
        let mut removed = 0;
        loop {
            let mut expired: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
            for row in sql::query_all(&self.db, &*sql, [moment.into()]).await? {
                let imports = expired.entry(row.try_get_by_index(0)?).or_default();
                imports.push(row.try_get_by_index(1)?);
            }
            if expired.is_empty() {
                return Ok(removed);
            }
            for (organization, imports) in expired {
                removed += self
                    .remove_batches(expiring, organization, &imports)
                    .await?;
            }
        }
    }

    /// Removes the records of applied imports that ended before `moment` and have no results any more. Returns how many
    /// there were.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expire_history(&self, moment: OffsetDateTime) -> Result<u64, StoreError> {
        // One that is held for review has its own end.
        const OLD: &str =
            "results_removed AND options_digest IS NOT NULL AND state <> 7 AND finished_at < $1";
        // An import that began before another is kept as long. Otherwise its repetition would be taken for the newest
        // import.
        let sql = format!(
            "SELECT organization_id, id FROM imports i WHERE {OLD} AND NOT EXISTS (SELECT 1 FROM imports o \
            WHERE o.organization_id = i.organization_id AND o.started_at < i.started_at \
            AND o.options_digest IS NOT NULL AND (o.finished_at IS NULL OR o.finished_at >= $1)) \
            LIMIT {EXPIRED_AT_ONCE}"
        );
        // An import that is resumed in between has no end any more, and stays.
        let delete =
            format!("DELETE FROM imports WHERE {OLD} AND organization_id = $2 AND id = $3");
        // The recorded changes to users are removed together with the record.
        let changes = format!(
            "DELETE FROM import_results WHERE organization_id = $2 AND import_id = $3 AND EXISTS \
            (SELECT 1 FROM imports WHERE {OLD} AND organization_id = $2 AND id = $3)"
        );
        let mut removed = 0;
        loop {
            let mut expired: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
            for row in sql::query_all(&self.db, &*sql, [moment.into()]).await? {
                let imports = expired.entry(row.try_get_by_index(0)?).or_default();
                imports.push(row.try_get_by_index(1)?);
            }
            let before = removed;
            for (organization, imports) in expired {
                let tx = self.begin_for(organization).await?;
                for import in imports {
                    let values = [moment.into(), organization.into(), import.into()];
                    tx.execute(&*changes, values.clone()).await?;
                    removed += tx.execute(&*delete, values).await?;
                }
                tx.commit().await?;
            }
            if removed == before {
                return Ok(removed);
            }
        }
    }

    async fn remove_batches(
        &self,
        ExpiringBatches { kinds, mark, .. }: &ExpiringBatches,
        organization: i64,
        imports: &[Uuid],
    ) -> Result<u64, StoreError> {
        let tx = self.begin_for(organization).await?;
        let rows = RowSet::new(vec![("id", ColumnValues::Uuid(imports))]);
        let mut removed = 0;
        for source in rows.sources(self.dialect()) {
            let (chosen, number) = (&source.sql, source.values.len() + 1);
            let delete = format!(
                "DELETE FROM import_results WHERE organization_id = ${number} AND {kinds} \
                AND import_id IN (SELECT r.id FROM {chosen})"
            );
            let mark = format!(
                "UPDATE imports SET {mark} WHERE organization_id = ${number} \
                AND id IN (SELECT r.id FROM {chosen})"
            );
            let mut values = source.values;
            values.push(organization.into());
            removed += tx.execute(delete, values.clone()).await?;
            tx.execute(mark, values).await?;
        }
        tx.commit().await?;
        Ok(removed)
    }
}

/// The imports of an organisation from `before` on, the latest first.
fn newest_first(organization: i64, before: Option<(OffsetDateTime, Uuid)>) -> Select<Entity> {
    let select = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .order_by_desc(Column::StartedAt)
        .order_by_desc(Column::Id);
    let Some((started_at, id)) = before else {
        return select;
    };
    let same_moment = Condition::all()
        .add(Column::StartedAt.eq(started_at))
        .add(Column::Id.lt(id));
    let older = Condition::any()
        .add(Column::StartedAt.lt(started_at))
        .add(same_moment);
    select.filter(older)
}

impl WriteTransaction {
    /// Records an attempt that begins, as [`Store::open_import`] does.
    pub(super) async fn open_import(
        &self,
        record: &ImportRecord,
    ) -> Result<AttemptOpening, StoreError> {
        let found = Entity::find_by_id((record.organization_id, record.id));
        match found.one(&self.inner).await? {
            // A bound import is answered at once, without waiting for its transactions.
            Some(present) if present.admits(record) != AttemptOpening::Recorded => {
                Ok(present.admits(record))
            }
            _ => self.record_attempt(record).await,
        }
    }

    /// The same for an attempt whose ID is probably new. It waits for a transaction that writes under that ID.
    pub(super) async fn record_attempt(
        &self,
        record: &ImportRecord,
    ) -> Result<AttemptOpening, StoreError> {
        // Of two concurrent attempts the second waits here for the first, and finds its record.
        let inserted = Entity::insert(record.clone().into_active_model())
            .on_conflict_do_nothing()
            .exec_without_returning(&self.inner)
            .await?;
        if matches!(inserted, TryInsertResult::Inserted(1..)) {
            return Ok(AttemptOpening::Recorded);
        }
        let found = Entity::find_by_id((record.organization_id, record.id));
        // A running transaction may be binding it.
        let held = found.lock_exclusive().one(&self.inner);
        let opening = held.await?.map(|present| present.admits(record));
        let opening = opening.unwrap_or(AttemptOpening::InUse);
        if opening == AttemptOpening::Recorded {
            let replaced = record.clone().into_active_model().reset_all();
            replaced.update(&self.inner).await?;
        }
        Ok(opening)
    }

    /// Sets the end of an attempt that is recorded, has not begun applying and has no end yet. Returns `false` if the
    /// record is no longer that.
    pub(super) async fn store_end(&self, record: &ImportRecord) -> Result<bool, StoreError> {
        let sql = "UPDATE imports SET state = $4, input_sha256 = $5, plan_digest = $6, rows = $7, \
            created = $8, updated = $9, unchanged = $10, rejected = $11, deactivated = $12, \
            protected_skipped = $13, notes = $14, finished_at = $15 \
            WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND options_digest IS NULL \
            AND finished_at IS NULL";
        let values = [
            record.organization_id.into(),
            record.id.into(),
            record.attempt.into(),
            record.state.into(),
            record.input_sha256.clone().into(),
            record.plan_digest.clone().into(),
            record.rows.into(),
            record.created.into(),
            record.updated.into(),
            record.unchanged.into(),
            record.rejected.into(),
            record.deactivated.into(),
            record.protected_skipped.into(),
            record.notes.clone().into(),
            record.finished_at.into(),
        ];
        Ok(self.execute(sql, values).await? > 0)
    }

    /// Returns `true` if the end of exactly this attempt is recorded already.
    pub(super) async fn is_closed(&self, record: &ImportRecord) -> Result<bool, StoreError> {
        let found = Entity::find_by_id((record.organization_id, record.id));
        let stored = found.one(&self.inner).await?;
        Ok(stored
            .is_some_and(|stored| stored.attempt == record.attempt && stored.finished_at.is_some()))
    }
}

impl Model {
    /// Returns the recorded state.
    #[must_use]
    pub const fn state(&self) -> ImportState {
        ImportState::from_number(self.state)
    }

    /// Decides about another attempt under the same ID. Any principal who sends the same input and options as a bound
    /// import may resume it; that is checked later.
    fn admits(&self, attempt: &Self) -> AttemptOpening {
        match self.options_digest {
            Some(_) => AttemptOpening::Bound,
            None if self.principal == attempt.principal => AttemptOpening::Recorded,
            None => AttemptOpening::InUse,
        }
    }
}

impl BatchKind {
    const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Deactivated,
            2 => Self::ToDeactivate,
            3 => Self::ToWrite,
            4 => Self::Changes,
            _ => Self::Results,
        }
    }
}
