//! Turns an upload's stored parts into the request stream of its import.

use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    import::{
        ImportError, Importer, RequestStream,
        receive::{CSV, ROWS, WORKBOOK},
    },
    proto::{ImportFinish, ImportStart, UserRows, import_users_request::Message},
    store::{Upload, UploadChunk},
};

/// Messages that may wait for the import.
const QUEUE_LENGTH: usize = 2;

/// Parts read at a time, if they are small.
const MAX_PARTS: i64 = 1_024;

type Item = Result<Option<Message>, ImportError>;

/// The messages that a client would have sent: `start`, the parts, `finish`.
pub(super) fn stream(
    importer: Importer,
    upload: Upload,
    start: ImportStart,
    finish: ImportFinish,
) -> impl RequestStream {
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
    tokio::spawn(async move {
        let reading = send_upload(&importer, &upload, start, finish, &sender);
        if let Err(error) = reading.await {
            // The send fails only if the import has ended.
            let _ = sender.send(Err(error)).await;
        }
    });
    ReceiverStream::new(receiver)
}

async fn send_upload(
    importer: &Importer,
    upload: &Upload,
    start: ImportStart,
    finish: ImportFinish,
    sender: &mpsc::Sender<Item>,
) -> Result<(), ImportError> {
    let mut is_taken = send(sender, Message::Start(start)).await;
    if upload.received == 0 && upload.kind != 0 {
        is_taken = is_taken && send(sender, message(upload.kind, Vec::new())?).await;
    }
    let key = (upload.organization_id, upload.import_id);
    let mut position = 0;
    while is_taken && position < upload.received {
        let chunks = importer.store.upload_chunks(key, position, MAX_PARTS);
        let before = position;
        for chunk in chunks.await? {
            expect_next(&chunk, position)?;
            position += chunk.length;
            is_taken = is_taken && send(sender, message(upload.kind, chunk.content()?)?).await;
        }
        if position == before {
            return Err(broken());
        }
    }
    send(sender, Message::Finish(finish)).await;
    Ok(())
}

/// Sends a message. Returns `false` if the import has ended.
async fn send(sender: &mpsc::Sender<Item>, message: Message) -> bool {
    sender.send(Ok(Some(message))).await.is_ok()
}

/// The message that has the content of a part.
pub(crate) fn message(kind: i32, content: Vec<u8>) -> Result<Message, ImportError> {
    match kind {
        CSV => Ok(Message::CsvChunk(content.into())),
        WORKBOOK => Ok(Message::WorkbookChunk(content.into())),
        ROWS => Ok(Message::Rows(
            UserRows::decode(&*content).map_err(|_| broken())?,
        )),
        _ => Err(broken()),
    }
}

fn expect_next(chunk: &UploadChunk, position: i64) -> Result<(), ImportError> {
    match chunk.position == position {
        true => Ok(()),
        false => Err(broken()),
    }
}

fn broken() -> ImportError {
    ImportError::Internal("the parts of an upload do not fit together".to_owned())
}
