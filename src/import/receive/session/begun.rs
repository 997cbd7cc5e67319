//! The beginning of an import's session: its options, and what it starts with.

use std::sync::Arc;

use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use super::{AttemptRecording, ImportSession};
use crate::import::{
    ImportError, ImportOptions, Importer, ResponseSender,
    receive::KeptInput,
    record::{audited, import_record},
    respond::ProgressCounters,
    review::HeldRun,
};
use crate::{
    access::Principal,
    domain::{AuditActor, ImportState},
    limits::MemoryReservation,
    plan::{DigestKey, RowMatching},
    proto::ImportStart,
    store::Organization,
    telemetry::traces,
};

/// What a caller asks of an undo.
#[derive(Clone, Debug)]
pub(crate) struct UndoRequest {
    /// The options, as those of an import. `import_id` is the ID of the undo.
    pub(crate) start: ImportStart,
    /// The import whose changes are reversed.
    pub(crate) undoes: Uuid,
}

/// An import whose options are known and whose rows are still to come.
pub(crate) struct BegunImport {
    /// The options as the client sent them.
    pub(crate) start: ImportStart,
    pub(crate) options: ImportOptions,
    /// How rows find their users.
    pub(crate) matching: RowMatching,
    /// The import whose changes it reverses.
    pub(crate) undoes: Option<Uuid>,
    /// The held import that it reviews or applies.
    pub(crate) held: Option<HeldRun>,
    pub(crate) organization: Organization,
    pub(crate) memory: MemoryReservation,
    pub(crate) started_at: OffsetDateTime,
}

impl BegunImport {
    /// Begins the session of the principal who sends the import.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub(crate) async fn session<'a>(
        self,
        importer: &'a Importer,
        (principal, actor): (Arc<Principal>, AuditActor),
        responses: &'a ResponseSender,
    ) -> Result<ImportSession<'a>, ImportError> {
        let (start, undoes) = (self.start, self.undoes);
        let digest_key = importer.store.digest_secret(&self.organization).await?;
        let import = self.options.import_id.unwrap_or_else(Uuid::now_v7);
        traces::tell_import(import);
        let by = (importer.server, &*principal.name);
        let mut record =
            import_record::begun(self.organization.id, import, by, &start, self.started_at);
        record.undoes = undoes;
        if let Some(held) = &self.held {
            held.adopt(&mut record);
        }
        let keeps = start.hold && !start.validate_only && self.held.is_none();
        Ok(ImportSession {
            importer,
            principal,
            responses,
            organization: self.organization.id,
            options_digest: import_record::options_digest(&start, undoes),
            asked_for: audited::options(&start, undoes),
            digest_key: DigestKey::new(&digest_key),
            file_columns: Arc::default(),
            resumed: false,
            recording: AttemptRecording::Unknown,
            looks_after: (!start.validate_only).then(|| importer.limiter.turn_timeout()),
            began: Instant::now(),
            started: false,
            progress: Arc::new(ProgressCounters::new(importer.settings.progress_interval)),
            summary: import_record::summary(&record, ImportState::Receiving),
            record,
            options: self.options,
            matching: self.matching,
            undone: None,
            permit: None,
            held: self.held,
            kept_input: keeps.then(|| KeptInput::new(&start, import)),
            memory: self.memory,
            read_ahead: None,
            has_read_ahead: false,
            actor,
        })
    }
}
