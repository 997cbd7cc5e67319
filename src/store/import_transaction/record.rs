//! Writes to the import's record, in the transaction that makes them true.

use sea_orm::{EntityTrait, Value};
use uuid::Uuid;

use super::ImportTransaction;
use crate::{
    audit::AuditAction,
    domain::{ImportState, Tally},
    store::{
        AuditEntry, BatchKind, ImportRecord, Payload, RoleGrants, StoreError, WriteError,
        entity::import::Entity as Imports, import_audit,
    },
};

/// Batches that one statement stores: each has some dozen KiB, and each statement costs a round trip.
const BATCHES: usize = 8;

impl ImportTransaction {
    /// Moves the import to APPLYING and binds its ID to its input and options. This replaces the record of any other
    /// attempt under the ID, which has written nothing. The audit trail gets the `options`.
    ///
    /// # Errors
    /// Fails with [`WriteError::Bound`] if another attempt has bound the ID meanwhile.
    pub async fn bind(&self, record: &ImportRecord, options: &str) -> Result<(), WriteError> {
        let sql = "UPDATE imports SET state = $3, attempt = $4, server_id = $5, \
            options_digest = $6, input_sha256 = $7, plan_digest = $8, rows = $9, \
            protected_skipped = $10, notes = $11, started_at = $12, source = $13, principal = $14, \
            validate_only = FALSE, created = 0, updated = 0, unchanged = 0, rejected = 0, \
            deactivated = 0, results = 0, cancel_requested = FALSE, finished_at = NULL \
            WHERE organization_id = $1 AND id = $2 AND options_digest IS NULL";
        let values = [
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
            record.principal.clone().into(),
        ];
        if self.execute(sql, values).await? == 0 {
            return Err(match self.import_record().await? {
                Some(_) => WriteError::Bound,
                None => StoreError::encoding("the record of the import is gone").into(),
            });
        }
        self.note(import_audit::begun(record, options, &self.actor, self.now));
        let sql = "UPDATE organizations SET last_import_id = $2 WHERE id = $1";
        let values = [self.lease.organization.into(), self.import.into()];
        self.execute(sql, values).await.map(|_| ())
    }

    /// Moves an interrupted import back to APPLYING, run by `server`.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn resume(&self, server: Uuid) -> Result<(), WriteError> {
        let sql = "UPDATE imports SET state = $3, server_id = $4 \
            WHERE organization_id = $1 AND id = $2";
        let values = [
            self.lease.organization.into(),
            self.import.into(),
            i32::from(ImportState::Applying).into(),
            server.into(),
        ];
        let action = AuditAction::ImportResumed;
        let entry = AuditEntry::done(self.now, &self.actor, action, &self.import);
        self.note(entry);
        self.execute(sql, values).await.map(|_| ())
    }

    /// Notes for the audit trail that this transaction gives and takes privileged roles.
    pub fn note_grants(&self, grants: &RoleGrants) {
        if !grants.is_empty() {
            let (import, actor) = (self.import, &self.actor);
            self.note(import_audit::roles_granted(import, grants, actor, self.now));
        }
    }

    /// Records batches of one kind, numbered from `sequence` on.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn record_batches(
        &self,
        sequence: i32,
        kind: BatchKind,
        payloads: &[&Payload],
    ) -> Result<(), WriteError> {
        let mut numbered = (sequence..).zip(payloads).peekable();
        while numbered.peek().is_some() {
            let mut rows = Vec::new();
            let mut values: Vec<Value> = vec![
                self.lease.organization.into(),
                self.import.into(),
                (kind as i32).into(),
            ];
            for (sequence, payload) in numbered.by_ref().take(BATCHES) {
                let next = values.len() + 1;
                rows.push(format!("($1, $2, $3, ${next}, ${})", next + 1));
                values.extend([Value::from(sequence), payload.stored().to_vec().into()]);
            }
            let sql = format!(
                "INSERT INTO import_results (organization_id, import_id, kind, sequence, payload) \
                VALUES {}",
                rows.join(", ")
            );
            self.execute(sql, values).await?;
        }
        Ok(())
    }

    /// Sets how many batches the record has, and adds their counts to its own.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn add_counts(&self, batches: i32, counts: Tally) -> Result<(), WriteError> {
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
        self.execute(sql, values).await.map(|_| ())
    }

    /// Records how a bound import ended.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn record_end(&self, state: ImportState, notes: Vec<u8>) -> Result<(), WriteError> {
        let sql = "UPDATE imports SET state = $3, notes = $4, finished_at = $5 \
            WHERE organization_id = $1 AND id = $2 AND state = $6";
        let values = [
            self.lease.organization.into(),
            self.import.into(),
            i32::from(state).into(),
            notes.into(),
            self.now.into(),
            i32::from(ImportState::Applying).into(),
        ];
        let ended = self.execute(sql, values).await? > 0;
        // If the answer of an earlier commit was lost, it has ended already.
        if ended && let Some(record) = self.import_record().await? {
            self.note(import_audit::ended(&record, state, &self.actor, self.now));
        }
        Ok(())
    }

    /// Returns the import's record as this transaction sees it.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn import_record(&self) -> Result<Option<ImportRecord>, StoreError> {
        let key = (self.lease.organization, self.import);
        Ok(Imports::find_by_id(key).one(&self.tx.inner).await?)
    }
}
