//! Stores the responses of an upload's import as they come.

use futures_util::{FutureExt, StreamExt};
use prost::Message as _;
use tokio::sync::watch;

use crate::{
    import::{ImportError, Importer, ResponseStream},
    proto::{ImportUsersResponse, import_users_response::Message},
    store::{ClaimedRun, Payload},
};

/// How many responses are stored in one transaction at most.
const AT_ONCE: usize = 16;

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
                    // If it was not accepted, the run has ended, and its answer says why.
                    waits = false;
                    if is_accepted {
                        self.store.accept_run(run).await?;
                    }
                }
                reply = replies.next() => {
                    let Some(reply) = reply else { return Ok(()) };
                    let messages = gather(reply?, &mut replies)?;
                    let add = self.store.add_replies(run, sequence, &messages);
                    if !add.await? {
                        return Err(ImportError::TakenOver);
                    }
                    sequence += i32::try_from(messages.len()).unwrap_or_default();
                }
            }
        }
    }
}

/// Encodes the first response and those that wait behind it.
fn gather(first: Message, replies: &mut ResponseStream) -> Result<Vec<Payload>, ImportError> {
    let mut gathered: Vec<Payload> = stored(first).into_iter().collect();
    while gathered.len() < AT_ONCE
        && let Some(Some(next)) = replies.next().now_or_never()
    {
        gathered.extend(stored(next?));
    }
    Ok(gathered)
}

fn stored(message: Message) -> Option<Payload> {
    if let Message::Progress(_) = message {
        return None;
    }
    let message = Some(message);
    Some(Payload::new(
        &ImportUsersResponse { message }.encode_to_vec(),
    ))
}
