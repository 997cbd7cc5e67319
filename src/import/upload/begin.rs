//! `BeginImport`: checks `start`, and opens the upload or returns how far it is.

use prost::Message;
use uuid::Uuid;

use crate::{
    access::Principal,
    domain::{AuditActor, ImportState, OutcomeCounts},
    import::{
        ImportError, ImportOptions, Importer, Refusal, RosterReceiver, Submitter, messages,
        receive::expect_permitted, record::import_record,
    },
    proto::{ImportStart, ImportSummary},
    store::{AttemptEnd, ImportRecord, Upload, UploadLimits, UploadOpening, UploadStage},
    telemetry::{metrics, traces},
};

impl Importer {
    /// Begins or continues an upload in parts, with the roster of the upload `roster_of` unless that is empty. Returns
    /// the import's ID and how much is there already: bytes of the file, or rows.
    ///
    /// # Errors
    /// Fails if `ImportUsers` would refuse this `start`, or if the database fails.
    pub async fn begin_upload(
        &self,
        submitter: &Submitter,
        mut start: ImportStart,
        roster_of: &str,
    ) -> Result<(Uuid, u64), ImportError> {
        expect_permitted(&submitter.principal, &start)?;
        let mut options = ImportOptions::parse(start.clone())?;
        let organization = self.organization_id(&options.organization).await?;
        self.resolve_mapping(organization, &mut start, &mut options)
            .await?;
        RosterReceiver::new(&options.csv, self.settings.limits)?;
        let import = options.import_id.unwrap_or_else(Uuid::now_v7);
        traces::tell_import(import);
        start.import_id = import.to_string();
        let record = self.begun(organization, import, &submitter.principal, &start);
        self.expect_free(&record).await?;
        let (principal, slug) = (&submitter.principal, &options.organization);
        let source = match roster_of {
            "" => None,
            source => self.roster_source(principal, slug, import, source).await?,
        };
        let received = self.open_upload(&record, &start).await?;
        let received = match source {
            None => received,
            Some(source) => {
                let taken = self.take_roster(principal, slug, (import, received), &source);
                taken.await?
            }
        };
        Ok((import, received))
    }

    /// Opens the upload of an import, or continues it. Returns how much is there already.
    async fn open_upload(
        &self,
        record: &ImportRecord,
        start: &ImportStart,
    ) -> Result<u64, ImportError> {
        let import = record.id;
        let upload = new_upload(record, start);
        let limits = &self.settings.server;
        let room = UploadLimits {
            max_open: limits.organization_imports,
            idle: limits.deadlines.upload,
            alive: self.settings.lease,
        };
        let mut opening = self.store.open_upload(record, &upload, room).await?;
        while opening == UploadOpening::Full && self.make_room(record).await? {
            opening = self.store.open_upload(record, &upload, room).await?;
        }
        match opening {
            UploadOpening::Begun => Ok(0),
            UploadOpening::Resumed(received) => Ok(received.unsigned_abs()),
            UploadOpening::OtherOptions => Err(ImportError::ImportIdBound(import)),
            UploadOpening::InUse => Err(ImportError::ImportIdInUse(import)),
            UploadOpening::Full => Err(ImportError::Busy(too_many_open_uploads(room.max_open))),
        }
    }

    /// The record of an import that no server runs yet.
    fn begun(
        &self,
        organization: i64,
        import: Uuid,
        principal: &Principal,
        start: &ImportStart,
    ) -> ImportRecord {
        let by = (Uuid::nil(), &*principal.name);
        import_record::begun(organization, import, by, start, self.clock.now())
    }

    /// Fails early if another import holds the organisation for longer than an import waits. An open upload may
    /// continue.
    async fn expect_free(&self, record: &ImportRecord) -> Result<(), ImportError> {
        let (organization, import) = (record.organization_id, record.id);
        let upload = self.store.upload(organization, import);
        let is_open = upload
            .await?
            .is_some_and(|upload| upload.stage() != UploadStage::Ended);
        match record.validate_only || is_open {
            true => Ok(()),
            false => self.expect_turn(organization, import).await,
        }
    }

    /// Records the end of an import that was never planned, with its options.
    pub(crate) async fn close_unfinished(
        &self,
        (mut record, asked_for): (ImportRecord, &str),
        actor: &AuditActor,
        state: ImportState,
        refusals: &[Refusal],
    ) -> Result<(), ImportError> {
        let codes: Vec<_> = refusals.iter().map(|refusal| refusal.code).collect();
        let codes = codes.join(",");
        let end = AttemptEnd {
            refusals: &codes,
            options: asked_for,
        };
        let summary = ImportSummary {
            state: state.into(),
            validate_only: record.validate_only,
            refusals: messages::refusals(refusals),
            ..ImportSummary::default()
        };
        import_record::close(&mut record, &summary, self.clock.now());
        let close = self.store.close_import((&record, true), actor, end);
        close.await?;
        metrics::import_ended(state, record.validate_only, &OutcomeCounts::default());
        Ok(())
    }
}

fn new_upload(record: &ImportRecord, start: &ImportStart) -> Upload {
    Upload {
        organization_id: record.organization_id,
        import_id: record.id,
        principal: record.principal.clone(),
        start: start.encode_to_vec(),
        options_digest: import_record::options_digest(start, None).to_vec(),
        kind: 0,
        received: 0,
        bytes: 0,
        stage: UploadStage::Open as i32,
        accepted: false,
        finish: None,
        server_id: Uuid::nil(),
        run: Uuid::nil(),
        answer_code: None,
        answer_message: None,
        answer_details: None,
        started_at: record.started_at,
        touched_ms: 0,
    }
}

fn too_many_open_uploads(most: usize) -> Refusal {
    let message = format!(
        "{most} uploads into this organisation are open, which is the limit; finish or cancel one, \
         or try again when one has ended."
    );
    Refusal::limit("UPLOADS_OPEN", "imports_per_organization", message)
}
