//! One roster on its way to one server: sent, and sent again, until it ends.

use tokio::time::sleep;
use tonic::Status;

use super::{report::Report, retry::Retries, roster::Input};
use crate::{
    client::{Client, Ended},
    proto::{ImportStart, ImportState, ImportSummary},
};

/// What is sent, and to whom.
pub struct Job {
    /// The server.
    pub client: Client,
    /// The roster.
    pub input: Input,
    /// How often it may be sent again.
    pub retries: u32,
}

impl Job {
    /// Imports it as `start` says, until that ends or somebody presses Ctrl-C.
    ///
    /// # Errors
    /// Where the roster cannot be read or standard output is closed.
    pub async fn run(&self, start: &ImportStart, report: &mut Report) -> anyhow::Result<Ended> {
        let ended = tokio::select! {
            ended = self.send(start, report) => ended,
            _ = tokio::signal::ctrl_c() => Ok(left(&start.import_id)),
        };
        report.close();
        ended
    }

    /// Sends the import, again and again under the same ID, until it ends for good or no retry is left.
    async fn send(&self, start: &ImportStart, report: &mut Report) -> anyhow::Result<Ended> {
        let mut client = self.client.clone();
        let mut retries = Retries::new(self.retries);
        let mut reader = self.input.read().await?;
        let mut sent = None;
        loop {
            let import = client.import(start.clone(), reader, |answer| report.answer(answer));
            let mut ended = import.await?;
            // What an attempt has told of the whole roster stands, though the next one sends less of it.
            sent = ended.sent.take().or(sent);
            ended.sent.clone_from(&sent);
            let Some(retry) = retries.after(&ended) else {
                return Ok(ended);
            };
            report.notice(&retry.to_string());
            sleep(retry.wait).await;
            reader = match self.input.read().await {
                Ok(reader) => reader,
                Err(error) => {
                    report.notice(&error.to_string());
                    return Ok(ended);
                }
            };
        }
    }
}

/// The end that this side makes when somebody presses Ctrl-C.
fn left(import_id: &str) -> Ended {
    Ended {
        import_id: import_id.to_owned(),
        status: Some(Status::cancelled("stopped here by Ctrl-C.")),
        ..Ended::default()
    }
}

/// The summary of an import that ran to its good end.
pub fn completed(ended: &Ended) -> Option<&ImportSummary> {
    let summary = ended.summary.as_ref()?;
    (ended.status.is_none() && summary.state() == ImportState::Completed).then_some(summary)
}

/// True where the import was refused for the reason with this code.
pub fn is_refused_for(ended: &Ended, code: &str) -> bool {
    let summary = ended.summary.iter();
    let mut refusals = summary.flat_map(|summary| &summary.refusals);
    refusals.any(|refusal| refusal.code == code)
}
