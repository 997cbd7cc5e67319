//! Writes to the import's record, in the transaction that makes them true.

use sea_orm::{EntityTrait, FromQueryResult, IntoActiveModel, TryInsertResult, Value};
use uuid::Uuid;

use super::ImportTransaction;
use crate::{
    audit::AuditAction,
    domain::{ImportState, OutcomeCounts},
    store::{
        AuditEntry, BatchKind, CompressedMessage, ImportRecord, RoleGrants, StoreError, WriteError,
        entity::import::Entity as Imports, import_audit,
    },
};

/// Batches that one statement stores: each has some dozen KiB, and each statement costs a round trip.
const BATCHES: usize = 8;

/// What a transaction changes in the import's record.
#[derive(Debug, Default)]
pub struct RecordChanges<'a> {
    /// Binds the ID to the input and options of this record. This replaces the record of any other attempt under the
    /// ID, which has written nothing.
    pub bind: Option<&'a ImportRecord>,
    /// Lets this server go on with the interrupted import.
    pub resume: Option<Uuid>,
    /// How many batches the record has, and the counts that these add.
    pub counted: Option<(i32, OutcomeCounts)>,
    /// How the import ended, with the record's notes.
    pub end: Option<(ImportState, Vec<u8>)>,
}

impl RecordChanges<'_> {
    /// Returns `true` if these changes start or resume the import.
    fn begins(&self) -> bool {
        self.bind.is_some() || self.resume.is_some()
    }

    /// Returns the SQL condition that the stored record must meet for these changes to be written.
    fn expected_record(&self) -> String {
        let in_state = |state| format!("AND state = {}", i32::from(state));
        match self.bind {
            // An approved import is still held.
            Some(record) if record.held_until.is_some() => in_state(ImportState::Held),
            Some(_) => "AND options_digest IS NULL".to_owned(),
            // If the answer of an earlier commit was lost, the import has ended already.
            None if self.end.is_some() && !self.begins() => in_state(ImportState::Applying),
            None => String::new(),
        }
    }
}

/// Assignments of one `UPDATE`, with the values that they bind.
struct UpdateAssignments {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl UpdateAssignments {
    fn new(values: Vec<Value>) -> Self {
        Self {
            sql: Vec::new(),
            values,
        }
    }

    fn set(&mut self, column: &str, value: impl Into<Value>) {
        self.assign(column, "", value);
    }

    /// Sets a column to `before`, followed by the value.
    fn assign(&mut self, column: &str, before: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        let number = self.values.len();
        self.sql.push(format!("{column} = {before}${number}"));
    }

    fn bind(&mut self, record: &ImportRecord) {
        self.set("attempt", record.attempt);
        self.set("server_id", record.server_id);
        self.set("options_digest", record.options_digest.clone());
        self.set("input_sha256", record.input_sha256.clone());
        self.set("plan_digest", record.plan_digest.clone());
        self.set("rows", record.rows);
        self.set("started_at", record.started_at);
        self.set("source", record.source.clone());
        self.set("principal", record.principal.clone());
        self.set("validate_only", false);
        self.set("cancel_requested", false);
        self.set("results_removed", false);
        self.set("changes_kept", true);
        self.set("undoes", record.undoes);
    }

    /// Adds the counts to those of the record, or replaces them in a record that begins with `protected_skipped`.
    fn count(&mut self, batches: i32, counts: OutcomeCounts, begins_with: Option<i32>) {
        const NAMES: [&str; 6] = [
            "created",
            "updated",
            "unchanged",
            "rejected",
            "deactivated",
            "protected_skipped",
        ];
        self.set("results", batches);
        let first = [0, 0, 0, 0, 0, begins_with.unwrap_or_default()];
        for ((name, first), count) in NAMES.into_iter().zip(first).zip(counts.counts()) {
            let count = i32::try_from(count).unwrap_or(i32::MAX);
            match begins_with {
                Some(_) => self.set(name, first.saturating_add(count)),
                None => self.assign(name, &format!("{name} + "), count),
            }
        }
    }
}

impl ImportTransaction {
    /// Notes for the audit trail that the import begins applying, with its `options`. For a held import, notes its
    /// approval too.
    pub fn note_begun(&self, record: &ImportRecord, options: &str) {
        if record.held_until.is_some() {
            self.note(import_audit::approved(record, &self.actor, self.now));
        }
        self.note(import_audit::begun(record, options, &self.actor, self.now));
    }

    /// Notes for the audit trail that an interrupted import goes on.
    pub fn note_resumed(&self) {
        let action = AuditAction::ImportResumed;
        self.note(AuditEntry::done(
            self.now,
            &self.actor,
            action,
            &self.import,
        ));
    }

    /// Records an import that has no record, and that ends with this transaction in the record's state. The audit trail
    /// gets its end.
    ///
    /// # Errors
    /// Fails with [`WriteError::Bound`] if there is a record under its ID.
    pub async fn insert_record(&self, record: ImportRecord) -> Result<(), WriteError> {
        let record = ImportRecord {
            changes_kept: true,
            finished_at: Some(self.now),
            ..record
        };
        self.note(import_audit::ended(
            &record,
            record.state(),
            &self.actor,
            self.now,
        ));
        let inserting = Imports::insert(record.into_active_model())
            .on_conflict_do_nothing()
            .exec_without_returning(&self.tx.inner);
        match inserting.await? {
            TryInsertResult::Inserted(1..) => Ok(()),
            _ => Err(WriteError::Bound),
        }
    }

    /// Changes the import's record, in one statement. If the import ends, the audit trail gets that.
    ///
    /// # Errors
    /// Fails with [`WriteError::Bound`] if another attempt has bound the ID meanwhile.
    pub async fn change_record(&self, changes: RecordChanges<'_>) -> Result<(), WriteError> {
        let mut set =
            UpdateAssignments::new(vec![self.lease.organization.into(), self.import.into()]);
        let expected = changes.expected_record();
        let state = changes.end.as_ref().map(|(state, _)| *state);
        if let Some(state) = state.or(changes.begins().then_some(ImportState::Applying)) {
            set.set("state", i32::from(state));
            set.set("finished_at", changes.end.as_ref().map(|_| self.now));
        }
        if let Some(record) = changes.bind {
            set.bind(record);
        }
        if let Some(server) = changes.resume {
            set.set("server_id", server);
        }
        if let Some((batches, counts)) = changes.counted {
            let begins_with = changes.bind.map(|record| record.protected_skipped);
            set.count(batches, counts, begins_with);
        }
        let bound_notes = changes.bind.map(|record| record.notes.clone());
        if let Some(notes) = changes.end.map(|(_, notes)| notes).or(bound_notes) {
            set.set("notes", notes);
        }
        if set.sql.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "UPDATE imports SET {} WHERE organization_id = $1 AND id = $2 {expected} RETURNING *",
            set.sql.join(", ")
        );
        if let Some(undone) = changes.bind.and_then(|record| record.undoes) {
            self.note_undone(undone).await?;
        }
        let changed = self.tx.query_one(sql, set.values).await;
        match changed.map_err(WriteError::from_store)? {
            Some(row) => {
                if let Some(state) = state {
                    let record = ImportRecord::from_query_result(&row, "")?;
                    self.note(import_audit::ended(&record, state, &self.actor, self.now));
                }
                Ok(())
            }
            None if changes.bind.is_none() => Ok(()),
            None => Err(match self.import_record().await? {
                Some(_) => WriteError::Bound,
                None => StoreError::encoding("the record of the import is gone").into(),
            }),
        }
    }

    /// Notes in the record of the undone import that this import undoes it.
    async fn note_undone(&self, undone: Uuid) -> Result<(), WriteError> {
        let sql = "UPDATE imports SET undone_by = $3 WHERE organization_id = $1 AND id = $2";
        let values = [
            self.lease.organization.into(),
            undone.into(),
            self.import.into(),
        ];
        self.execute(sql, values).await.map(|_| ())
    }

    /// Notes for the audit trail that this transaction gives and takes privileged roles.
    pub fn note_grants(&self, grants: &RoleGrants) {
        if !grants.is_empty() {
            let (import, actor) = (self.import, &self.actor);
            self.note(import_audit::roles_granted(import, grants, actor, self.now));
        }
    }

    /// Records batches, numbered from `sequence` on.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn record_batches(
        &self,
        sequence: i32,
        batches: &[(BatchKind, &CompressedMessage)],
    ) -> Result<(), WriteError> {
        let mut numbered = (sequence..).zip(batches).peekable();
        while numbered.peek().is_some() {
            let mut rows = Vec::new();
            let mut values: Vec<Value> = vec![self.lease.organization.into(), self.import.into()];
            for (sequence, &(kind, payload)) in numbered.by_ref().take(BATCHES) {
                let next = values.len() + 1;
                rows.push(format!("($1, $2, ${next}, ${}, ${})", next + 1, next + 2));
                let payload = payload.stored().to_vec();
                values.extend([(kind as i32).into(), Value::from(sequence), payload.into()]);
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

    /// Returns the import's record as this transaction sees it.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn import_record(&self) -> Result<Option<ImportRecord>, StoreError> {
        let key = (self.lease.organization, self.import);
        Ok(Imports::find_by_id(key).one(&self.tx.inner).await?)
    }
}
