//! Turns the kept input of a held import into the request stream of a session.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    import::{ImportError, Importer, RequestStream, receive::ROWS, upload::message},
    proto::{ImportFinish, ImportStart, import_users_request::Message},
    store::{HeldImport, ImportRecord},
};

/// Messages that may wait for the session.
const QUEUE_LENGTH: usize = 2;

type Item = Result<Option<Message>, ImportError>;

/// Returns the totals that a client would state for the kept input: the digest of a file, or the number of typed rows.
pub(super) fn finish(held: &HeldImport, record: &ImportRecord) -> ImportFinish {
    match held.kind {
        ROWS => ImportFinish {
            row_count: u64::try_from(record.rows).ok(),
            ..ImportFinish::default()
        },
        _ => ImportFinish {
            sha256: Some(record.input_sha256.clone()),
            ..ImportFinish::default()
        },
    }
}

/// The messages that a client would send: `start`, the parts, `finish`. The stream ends with
/// [`ImportError::ClientGone`] if the input is removed meanwhile.
pub(super) fn stream(
    importer: Importer,
    held: HeldImport,
    start: ImportStart,
    finish: ImportFinish,
) -> impl RequestStream {
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
    tokio::spawn(async move {
        let reading = send_all(&importer, &held, start, finish, &sender);
        if let Err(error) = reading.await {
            // The send fails only if the session has ended.
            let _ = sender.send(Err(error)).await;
        }
    });
    ReceiverStream::new(receiver)
}

async fn send_all(
    importer: &Importer,
    held: &HeldImport,
    start: ImportStart,
    finish: ImportFinish,
    sender: &mpsc::Sender<Item>,
) -> Result<(), ImportError> {
    let send = async |message| sender.send(Ok(Some(message))).await.is_ok();
    let mut is_taken = send(Message::Start(start)).await;
    let key = (held.organization_id, held.attempt);
    let mut position = 0;
    while is_taken && let Some(part) = importer.store.held_part(key, position).await? {
        is_taken = send(message(held.kind, part)?).await;
        position += 1;
    }
    let kept = importer
        .store
        .held_import(held.organization_id, held.import_id);
    if is_taken && kept.await?.is_none() {
        // Another approval has applied it meanwhile, or somebody has discarded it: these may not be all parts.
        return Err(ImportError::ClientGone);
    }
    send(Message::Finish(finish)).await;
    Ok(())
}
