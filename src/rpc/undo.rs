//! `UndoImport`: its request, checked.

use tonic::Status;
use uuid::Uuid;

use super::{status, upload_parts::parse_import_id};
use crate::{
    import::{Refusal, UndoRequest},
    proto::{ImportStart, UndoImportRequest},
};

/// Checks the IDs of a request. The engine checks the options.
pub(super) fn parse(request: UndoImportRequest) -> Result<UndoRequest, Status> {
    let undoes = parse_import_id(&request.import_id)?;
    let mut faults = Vec::new();
    if !request.undo_id.is_empty() {
        match Uuid::try_parse(&request.undo_id) {
            Ok(id) if id == undoes => {
                let message = "undo_id is the ID of the undo itself, and must not be that of the import to undo.";
                faults.push(Refusal::invalid("BAD_IMPORT_ID", "undo_id", message));
            }
            Ok(id) if !id.is_nil() => {}
            _ => {
                let message =
                    "undo_id must be a UUID, such as 0192f0c1-2b1e-7c3a-9d55-0c6f2b6b3a10.";
                faults.push(Refusal::invalid("BAD_IMPORT_ID", "undo_id", message));
            }
        }
    }
    if !faults.is_empty() {
        return Err(status::refused(&faults));
    }
    let start = ImportStart {
        organization: request.organization,
        import_id: request.undo_id,
        validate_only: request.validate_only,
        expected_plan_digest: request.expected_plan_digest,
        max_deactivations: request.max_deactivations,
        result_filter: request.result_filter,
        include_values: request.include_values,
        ..ImportStart::default()
    };
    Ok(UndoRequest { start, undoes })
}
