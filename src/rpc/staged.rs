//! `BeginImport`, `AppendImport`, `FinishImport`: an import whose roster comes in parts, for clients
//! without bidirectional streams.

use prost::Message;
use tonic::Status;
use uuid::Uuid;

use super::{caller::Caller, detached, import::Imports, status, upload};
use crate::{
    domain::Permission,
    import::{ImportError, Refusal, Submitter},
    proto::{
        AppendImportRequest, AppendImportResponse, BeginImportRequest, BeginImportResponse,
        FinishImportRequest, FinishImportResponse,
    },
    store::LanePermit,
};

impl Imports {
    /// Begins an upload, or says where one goes on.
    pub(super) async fn begin(
        self,
        caller: Caller,
        request: BeginImportRequest,
    ) -> Result<BeginImportResponse, Status> {
        let Some(start) = request.start else {
            let message = "start is missing: it says what to import into, and how.";
            return Err(status::refused(&[Refusal::invalid(
                "NO_START", "start", message,
            )]));
        };
        detached(async move {
            let _permit = self.lane_permit(&caller, &start.organization).await?;
            let begun = self.importer.begin_upload(&submitter(&caller), start).await;
            let (import, received) = begun.map_err(|error| status::from_import(&error))?;
            Ok(BeginImportResponse {
                import_id: import.to_string(),
                next_offset: received,
            })
        })
        .await
    }

    /// Adds a part to an upload, whose `wire` bytes came for it.
    pub(super) async fn append(
        self,
        caller: Caller,
        request: AppendImportRequest,
        wire: upload::WireBytes,
    ) -> Result<AppendImportResponse, Status> {
        let ratio = self.importer.server_limits().compression_ratio;
        let decoded = request.encoded_len() as u64;
        let bounded = upload::expect_ratio(decoded, &wire, ratio);
        bounded.map_err(|error| status::from_import(&error))?;
        let import = upload_id(&request.import_id)?;
        let Some(content) = request.content else {
            let message = "The part has no content: set csv_chunk or rows.";
            let refusal = Refusal::invalid("NO_CONTENT", "content", message);
            return Err(status::refused(&[refusal]));
        };
        detached(async move {
            let _permit = self.lane_permit(&caller, &request.organization).await?;
            let part = (request.offset, content);
            let appended = self.importer.append_upload(
                caller.principal(),
                &request.organization,
                import,
                part,
            );
            let received = appended.await;
            Ok(AppendImportResponse {
                next_offset: received.map_err(|error| status::from_import(&error))?,
            })
        })
        .await
    }

    /// The organisation's share of the connections of imports, for one short call.
    async fn lane_permit(&self, caller: &Caller, organization: &str) -> Result<LanePermit, Status> {
        // Nobody takes up the share of another organisation.
        caller.expect_organization(organization)?;
        let permit = self.importer.lane_permit(organization, caller.gone()).await;
        permit.map_err(|error| status::from_store(&error, organization))
    }

    /// Ends an upload, and waits until its import is under way.
    pub(super) async fn finish(
        self,
        caller: Caller,
        request: FinishImportRequest,
    ) -> Result<FinishImportResponse, Status> {
        let import = upload_id(&request.import_id)?;
        let finish = request.finish.unwrap_or_default();
        detached(async move {
            let submitter = submitter(&caller);
            let upload = (&*request.organization, import);
            let finished = self
                .importer
                .finish_upload(&submitter, upload, finish, status::answer);
            finished
                .await
                .map_err(|error| status::from_import(&error))?;
            Ok(FinishImportResponse {
                import_id: import.to_string(),
            })
        })
        .await
    }

    /// Expects that the caller may watch the import: it has `users.read`, or ran the import. To
    /// anybody else all imports are alike, and those that do not exist.
    pub(super) async fn expect_may_watch(
        &self,
        caller: &Caller,
        slug: &str,
        import: &str,
    ) -> Result<(), Status> {
        let Err(denial) = caller.principal().expect(Permission::UsersRead) else {
            return Ok(());
        };
        let (importer, principal) = (self.importer.clone(), caller.principal().clone());
        let (slug, import) = (slug.to_owned(), Uuid::try_parse(import).unwrap_or_default());
        let has_run = detached(async move {
            let run = importer.has_run(&principal, &slug, import).await;
            run.map_err(|error| status::from_store(&error, ""))
        });
        match has_run.await? {
            true => Ok(()),
            false => Err(status::from_denial(&denial)),
        }
    }
}

pub(super) fn submitter(caller: &Caller) -> Submitter {
    Submitter {
        principal: caller.principal().clone(),
        actor: caller.actor(),
        account: caller.account().clone(),
    }
}

/// The import that a call is about.
pub(super) fn upload_id(text: &str) -> Result<Uuid, Status> {
    Uuid::try_parse(text).map_err(|_| {
        let message = "import_id must be a UUID.";
        let refusal = Refusal::invalid("BAD_IMPORT_ID", "import_id", message);
        status::from_import(&ImportError::from(refusal))
    })
}
