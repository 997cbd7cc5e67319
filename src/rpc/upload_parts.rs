//! `BeginImport`, `AppendImport` and `FinishImport`: an import whose roster comes in parts, for clients
//! without bidirectional streams.
//!
//! Checks the requests and maps the errors; the upload itself belongs to [`crate::import`].

use prost::Message;
use tonic::Status;
use uuid::Uuid;

use super::{
    caller::Caller,
    inbound_messages::{WireBytes, expect_ratio},
    status,
};
use crate::{
    import::Importer,
    proto::{
        AppendImportRequest, AppendImportResponse, BeginImportRequest, BeginImportResponse,
        FinishImportRequest, FinishImportResponse,
    },
    store::LanePermit,
};

/// Begins an upload, or returns how far an upload with this ID has come.
pub(super) async fn begin(
    importer: Importer,
    caller: Caller,
    request: BeginImportRequest,
) -> Result<BeginImportResponse, Status> {
    let Some(start) = request.start else {
        return Err(status::no_start());
    };
    let _permit = lane_permit(&importer, &caller, &start.organization).await?;
    let submitter = caller.submitter();
    let begun = importer.begin_upload(&submitter, start, &request.roster_of);
    let (import, received) = begun.await.map_err(|error| status::from_import(&error))?;
    Ok(BeginImportResponse {
        import_id: import.to_string(),
        next_offset: received,
    })
}

/// Adds a part to an upload. `wire` counts the bytes that the request had on the wire.
pub(super) async fn append(
    importer: Importer,
    caller: Caller,
    request: AppendImportRequest,
    wire: WireBytes,
) -> Result<AppendImportResponse, Status> {
    let ratio = importer.server_limits().compression_ratio;
    let bounded = expect_ratio(request.encoded_len() as u64, &wire, ratio);
    bounded.map_err(|error| status::from_import(&error))?;
    let import = parse_import_id(&request.import_id)?;
    let Some(content) = request.content else {
        let message = "The part has no content: set csv_chunk, workbook_chunk or rows.";
        return Err(status::invalid("NO_CONTENT", "content", message));
    };
    let slug = &request.organization;
    let _permit = lane_permit(&importer, &caller, slug).await?;
    let part = (request.offset, content);
    let appended = importer.append_upload(caller.principal(), slug, import, part);
    let received = appended.await;
    Ok(AppendImportResponse {
        next_offset: received.map_err(|error| status::from_import(&error))?,
    })
}

/// Ends an upload, and waits until its import has begun.
pub(super) async fn finish(
    importer: Importer,
    caller: Caller,
    request: FinishImportRequest,
) -> Result<FinishImportResponse, Status> {
    let import = parse_import_id(&request.import_id)?;
    let finish = request.finish.unwrap_or_default();
    let submitter = caller.submitter();
    let upload = (&*request.organization, import);
    let finished = importer.finish_upload(&submitter, upload, finish, status::answer);
    let finished = finished.await;
    finished.map_err(|error| status::from_import(&error))?;
    Ok(FinishImportResponse {
        import_id: import.to_string(),
    })
}

/// Waits for the organisation's permit for the connections of imports, for one short call. The caller's
/// organisation is checked first, so that no caller occupies another organisation's connections.
async fn lane_permit(
    importer: &Importer,
    caller: &Caller,
    organization: &str,
) -> Result<LanePermit, Status> {
    caller.expect_organization(organization)?;
    let permit = importer.lane_permit(organization, caller.gone()).await;
    permit.map_err(|error| status::from_store(&error, organization))
}

/// Returns the ID of the import that a call names.
///
/// # Errors
/// Fails if the text is no UUID.
pub(super) fn parse_import_id(text: &str) -> Result<Uuid, Status> {
    let message = "import_id must be a UUID.";
    Uuid::try_parse(text).map_err(|_| status::invalid("BAD_IMPORT_ID", "import_id", message))
}
