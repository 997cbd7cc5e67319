//! Stores the responses of an upload's import as they come, except recorded results, which are in the import's log.

use futures_util::{FutureExt, StreamExt};
use prost::Message as _;
use tokio::sync::watch;

use crate::{
    import::{ImportError, Importer, ResponseStream},
    proto::{ImportUsersResponse, import_users_response::Message},
    store::{ClaimedRun, CompressedMessage},
};

impl Importer {
    /// Stores responses until there are no more. Progress is left out: it would be outdated when it is read.
    pub(crate) async fn store_replies(
        &self,
        run: ClaimedRun,
        mut replies: ResponseStream,
        mut acceptance: watch::Receiver<bool>,
    ) -> Result<(), ImportError> {
        let mut sequence = 0;
        let mut waits = true;
        loop {
            let accepted = acceptance.wait_for(|accepted| *accepted);
            tokio::select! {
                biased;
                is_accepted = accepted.map(|accepted| accepted.is_ok()), if waits => {
                    // If the input was not accepted, the run has ended, and its answer says why.
                    waits = false;
                    if is_accepted {
                        self.store.accept_run(run).await?;
                    }
                }
                reply = replies.next() => {
                    let message = match reply {
                        Some(Ok(Message::Progress(_))) => continue,
                        Some(message) => Some(message?),
                        None => return Ok(()),
                    };
                    let reply = CompressedMessage::new(&ImportUsersResponse { message }.encode_to_vec());
                    if !self.store.add_reply(run, sequence, &reply).await? {
                        return Err(ImportError::TakenOver);
                    }
                    sequence += 1;
                }
            }
        }
    }
}
