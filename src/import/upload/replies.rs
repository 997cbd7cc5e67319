//! What the run of an upload's import answers, stored as it comes.

use futures_util::{FutureExt, StreamExt};
use prost::Message as _;
use tokio::sync::watch;

use crate::{
    import::{ImportError, Importer, Replies},
    proto::{ImportUsersResponse, import_users_response::Message},
    store::{ClaimedRun, Payload},
};

/// Most answers stored in one transaction.
const AT_ONCE: usize = 16;

impl Importer {
    /// Stores answers until there are no more. Progress is left out: it is old before it is read.
    pub(crate) async fn store_replies(
        &self,
        run: ClaimedRun,
        mut replies: Replies,
        mut acceptance: watch::Receiver<bool>,
    ) -> Result<(), ImportError> {
        let mut sequence = 0;
        let mut waits = true;
        loop {
            let accepted = acceptance.wait_for(|accepted| *accepted);
            tokio::select! {
                biased;
                is_accepted = accepted.map(|accepted| accepted.is_ok()), if waits => {
                    // Without it the run is over, and says so itself.
                    waits = false;
                    if is_accepted {
                        self.patiently(|| self.store.accept_run(run)).await?;
                    }
                }
                reply = replies.next() => {
                    let Some(reply) = reply else { return Ok(()) };
                    let messages = gather(reply?, &mut replies)?;
                    let add = || self.store.add_replies(run, sequence, &messages);
                    if !self.patiently(add).await? {
                        return Err(ImportError::TakenOver);
                    }
                    sequence += i32::try_from(messages.len()).unwrap_or_default();
                }
            }
        }
    }
}

/// The first answer and those that wait behind it, encoded.
fn gather(first: Message, replies: &mut Replies) -> Result<Vec<Payload>, ImportError> {
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
