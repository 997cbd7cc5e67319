//! `ExportUsers`: the file of an organisation's users, sent piece by piece.

use std::time::Duration;

use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::Instrument;

use super::{
    ResponseMessages,
    caller::Caller,
    computed,
    csv_export::{self, SpreadsheetOptions},
    directory::DirectoryHandlers,
    directory_requests::filter,
    exported_users::ExportFault,
    status::{self, invalid},
    transport_statuses::memory_exhausted,
    workbook_export::{WORKBOOK_BYTES, WorkbookPieces},
};
use crate::{
    audit::AuditAction,
    domain::AuditActor,
    import::Refusal,
    proto::{ExportUsersRequest, ExportUsersResponse, FileFormat},
    store::{AuditEntry, Organization, Store, UserFilter},
};

/// Pieces of an export that may wait for a slow client.
const WAITING_PIECES: usize = 4;

/// The pieces of a file. A piece may be empty.
type FilePieces = Box<dyn Iterator<Item = Result<Vec<u8>, ExportFault>> + Send>;

/// A file that is still to be sent.
struct PendingFile {
    pieces: FilePieces,
    /// Makes a message of a piece.
    message: fn(Vec<u8>) -> ExportUsersResponse,
}

impl PendingFile {
    fn csv(pieces: impl Iterator<Item = Result<Vec<u8>, ExportFault>> + Send + 'static) -> Self {
        Self {
            pieces: Box::new(pieces),
            message: |csv_chunk| ExportUsersResponse {
                csv_chunk,
                ..ExportUsersResponse::default()
            },
        }
    }

    fn workbook(pieces: WorkbookPieces) -> Self {
        Self {
            pieces: Box::new(pieces),
            message: |workbook_chunk| ExportUsersResponse {
                workbook_chunk,
                ..ExportUsersResponse::default()
            },
        }
    }
}

/// The format that a request asks for.
///
/// # Errors
/// Fails if there is no such format.
pub(super) fn format(number: i32) -> Result<FileFormat, Status> {
    match FileFormat::try_from(number) {
        Ok(FileFormat::Unspecified) => Ok(FileFormat::Csv),
        Ok(format) => Ok(format),
        Err(_) => {
            let message = format!("format has no value {number}.");
            Err(invalid("BAD_FORMAT", "format", message))
        }
    }
}

impl DirectoryHandlers {
    /// Sends a roster that imports unchanged (semantics §9), piece by piece from one snapshot, which is
    /// held until the last piece has been sent.
    pub(super) async fn export(
        self,
        caller: Caller,
        request: ExportUsersRequest,
    ) -> Result<ResponseMessages<ExportUsersResponse>, Status> {
        let format = format(request.format)?;
        let organization = caller
            .organization(&self.store, &request.organization)
            .await?;
        let memory = match format {
            FileFormat::Xlsx => Some(caller.account().reserve(WORKBOOK_BYTES)),
            _ => None,
        };
        let memory = memory.transpose().map_err(memory_exhausted)?;
        let organization = organization.release_permit();
        let heavy = caller.store(&self.store);
        let permit = caller.lane_permit(&heavy, &organization.slug).await?;
        let snapshot = heavy.snapshot_in_turn(organization.id, &permit).await;
        drop(permit);
        let snapshot = snapshot.map_err(|e| status::from_store(&e, &organization.slug))?;
        let spreadsheet = SpreadsheetOptions {
            neutralize_formulas: request.neutralize_formulas,
            byte_order_mark: request.byte_order_mark,
        };
        let (snapshot, filter) = computed(move || {
            let (role, group, text) = (&request.role, &request.group, &request.text);
            let filter = filter(request.status, role, group, text, &snapshot.catalog);
            (snapshot, filter)
        })
        .await?;
        let filter = filter?;
        let filtered = filter != UserFilter::default();
        self.note_export(&organization, &caller.actor(), (filtered, format))
            .await?;
        let (sender, receiver) = mpsc::channel(WAITING_PIECES);
        let file = match memory {
            Some(memory) => {
                let most = self.workbook_rows;
                PendingFile::workbook(WorkbookPieces::new((snapshot, filter), most, memory))
            }
            None => PendingFile::csv(csv_export::pieces(snapshot, filter, spreadsheet)),
        };
        let turns = (heavy, organization.slug);
        let sending = send_pieces(file, turns, sender, self.patience);
        tokio::spawn(sending.in_current_span());
        Ok(Box::pin(ReceiverStream::new(receiver)))
    }

    /// Appends the export to the audit trail, before anything is sent.
    async fn note_export(
        &self,
        organization: &Organization,
        actor: &AuditActor,
        (filtered, format): (bool, FileFormat),
    ) -> Result<(), Status> {
        let (action, now) = (AuditAction::UsersExported, self.clock.now());
        let entry = AuditEntry::done(now, actor, action, &organization.slug);
        let entry = entry.with("filtered", &filtered);
        let entry = match format {
            FileFormat::Xlsx => entry.with("format", &"xlsx"),
            _ => entry,
        };
        let noted = self.store.audit(organization.id, entry).await;
        noted.map_err(|error| status::from_store(&error, &organization.slug))
    }
}

/// Sends the pieces to the client. A client that stops reading gets an error, so that a truncated file
/// never looks complete, and the snapshot is dropped.
async fn send_pieces(
    file: PendingFile,
    (store, organization): (Store, String),
    sender: mpsc::Sender<Result<ExportUsersResponse, Status>>,
    patience: Duration,
) {
    let PendingFile {
        mut pieces,
        message,
    } = file;
    loop {
        let making = make_piece(pieces, &store, &organization);
        let made = tokio::select! {
            made = making => made,
            () = sender.closed() => return,
        };
        let piece = match made {
            Ok((_, None)) => return,
            Ok((rest, Some(Ok(piece)))) => {
                pieces = rest;
                piece
            }
            Ok((_, Some(Err(fault)))) => return fail(&sender, fault_status(&fault)).await,
            Err(status) => return fail(&sender, status).await,
        };
        if piece.is_empty() {
            continue;
        }
        match timeout(patience, sender.send(Ok(message(piece)))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                drop(pieces);
                let message = "The file was not read for too long; export it again.";
                let refusal = Refusal::limit("NOT_READ", "idle", message);
                return fail(&sender, status::refused(&[refusal])).await;
            }
        }
    }
}

async fn fail(sender: &mpsc::Sender<Result<ExportUsersResponse, Status>>, status: Status) {
    // Fails only if the client has gone.
    let _ = sender.send(Err(status)).await;
}

fn fault_status(fault: &ExportFault) -> Status {
    match fault {
        ExportFault::TooManyUsers(most) => {
            let message = format!(
                "The export has more than {most} users, and an import takes no more from a workbook. Export them \
                 as CSV, or in parts by a filter."
            );
            let refusal = Refusal::limit("TOO_MANY_ROWS", "workbook_rows", message);
            status::refused(&[refusal])
        }
        ExportFault::Failed(error) => status::internal(error),
    }
}

/// Makes the next piece in turn with other heavy reads, on a thread for blocking work.
async fn make_piece<I>(
    mut pieces: I,
    store: &Store,
    organization: &str,
) -> Result<(I, Option<I::Item>), Status>
where
    I: Iterator<Item: Send> + Send + 'static,
{
    let failed = |error| status::from_store(&error, organization);
    // Cancelled if this future is dropped.
    let gone = CancellationToken::new();
    let permit = store
        .lane_permit(organization, &gone)
        .await
        .map_err(failed)?;
    let _turn = permit.read_turn().await.map_err(failed)?;
    let making = computed(move || {
        let piece = pieces.next();
        (pieces, piece)
    });
    making.await
}
