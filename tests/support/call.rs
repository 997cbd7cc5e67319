//! An import in slow motion: the test decides when each message is sent and when each answer is read.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use user_import::{
    domain::Column,
    proto::{
        ImportFinish, ImportUsersRequest, ImportUsersResponse, import_users_request::Message,
        import_users_response::Message as Reply,
    },
};

use super::{App, ImportResponses, dry_run, roster, start_of};

/// An open `ImportUsers` call. Dropping it acts as a client that has gone.
#[derive(Debug)]
pub struct ImportCall {
    /// `None` after the half-close.
    requests: Option<mpsc::Sender<ImportUsersRequest>>,
    responses: Streaming<ImportUsersResponse>,
}

impl App {
    /// Opens a call and sends nothing yet.
    pub async fn call(&self) -> ImportCall {
        self.try_call().await.expect("the call opens")
    }

    /// Does the same, on a server that may refuse the call at once.
    pub async fn try_call(&self) -> Result<ImportCall, Status> {
        let (requests, sent) = mpsc::channel(1);
        let opened = self
            .imports()
            .import_users(ReceiverStream::new(sent))
            .await?;
        Ok(ImportCall {
            requests: Some(requests),
            responses: opened.into_inner(),
        })
    }

    /// Begins an import into `pd` that does not end until its results are read: a dry run of rows with long issues.
    /// Returns once the first results have come.
    pub async fn unread_dry_run(&self) -> ImportCall {
        let mut call = self.call().await;
        call.send(Message::Start(dry_run(start_of("pd")))).await;
        let wizard = "Wizard".repeat(40);
        let rows = (0..40_000).fold(roster(), |rows, number| {
            rows.row(&format!("v{number}"), [(Column::Role, &*wizard)])
        });
        for chunk in rows.csv().as_bytes().chunks(1024 * 1024) {
            call.send(Message::CsvChunk(chunk.to_vec().into())).await;
        }
        call.send(Message::Finish(ImportFinish::default())).await;
        call.half_close();
        loop {
            match call.read().await.expect("it runs") {
                Some(Reply::Results(_)) => return call,
                Some(_) => {}
                None => panic!("it has ended"),
            }
        }
    }
}

impl ImportCall {
    /// Sends one message. Waits for room, which the server makes by reading.
    pub async fn send(&self, message: Message) {
        let message = Some(message);
        let requests = self.requests.as_ref().expect("not half-closed yet");
        let sent = requests.send(ImportUsersRequest { message }).await;
        sent.expect("the call is open");
    }

    /// Reads one answer; returns `None` at the end.
    pub async fn read(&mut self) -> Result<Option<Reply>, Status> {
        let response = self.responses.message().await?;
        Ok(response.map(|response| response.message.expect("every response has a message")))
    }

    /// Half-closes: sends no more messages.
    pub fn half_close(&mut self) {
        self.requests = None;
    }

    /// Half-closes, and reads to the end.
    pub async fn finish(mut self) -> ImportResponses {
        self.half_close();
        self.read_to_end().await
    }

    /// Reads to the end with the sending side still open.
    pub async fn read_to_end(self) -> ImportResponses {
        let imported = ImportResponses::collect(Ok(self.responses)).await;
        drop(self.requests);
        imported
    }
}
