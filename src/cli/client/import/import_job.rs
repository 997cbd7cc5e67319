//! Sends one roster to one server, and sends it again until the import ends.

use tokio::time::sleep;
use tonic::Status;

use super::{import_report::ImportReport, retry_budget::RetryBudget, roster_source::RosterInput};
use crate::{
    client::{ImportEnd, RosterFormat, ServiceClient},
    proto::{ImportStart, ImportState, ImportSummary},
};

/// A roster and the server that it is sent to.
pub(super) struct ImportJob {
    /// The server.
    pub client: ServiceClient,
    /// The roster.
    pub input: RosterInput,
    /// What its bytes are.
    pub format: RosterFormat,
    /// How often it may be sent again.
    pub retries: u32,
}

impl ImportJob {
    /// Imports it with the options in `start`, until the import ends or Ctrl-C is pressed.
    ///
    /// # Errors
    /// Fails if the roster cannot be read, or standard output is closed.
    pub(super) async fn run(
        &self,
        start: &ImportStart,
        report: &mut ImportReport,
    ) -> anyhow::Result<ImportEnd> {
        until_ctrl_c(start, report, async |report| self.send(start, report).await).await
    }

    /// Sends the import, again and again under the same ID, until it ends for good or no retry is left.
    async fn send(
        &self,
        start: &ImportStart,
        report: &mut ImportReport,
    ) -> anyhow::Result<ImportEnd> {
        let mut client = self.client.clone();
        let mut retries = RetryBudget::new(self.retries);
        let mut reader = self.input.read().await?;
        let mut sent = None;
        loop {
            let roster = (reader, self.format);
            let import = client.import(start.clone(), roster, |answer| report.show(answer));
            let mut ended = import.await?;
            // The totals of a fully sent roster stay valid if the next attempt sends less of it.
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

/// Sends the import with the options in `start` until it ends or Ctrl-C is pressed, and closes the report.
pub(super) async fn until_ctrl_c(
    start: &ImportStart,
    report: &mut ImportReport,
    send: impl AsyncFnOnce(&mut ImportReport) -> anyhow::Result<ImportEnd>,
) -> anyhow::Result<ImportEnd> {
    let ended = tokio::select! {
        ended = send(report) => ended,
        _ = tokio::signal::ctrl_c() => Ok(left(&start.import_id)),
    };
    report.close();
    ended
}

/// The end of an import when Ctrl-C is pressed.
fn left(import_id: &str) -> ImportEnd {
    ImportEnd {
        import_id: import_id.to_owned(),
        status: Some(Status::cancelled("stopped here by Ctrl-C.")),
        ..ImportEnd::default()
    }
}

/// Returns the summary if the import completed, or `None`.
pub(super) fn completed(ended: &ImportEnd) -> Option<&ImportSummary> {
    let summary = ended.summary.as_ref()?;
    (ended.status.is_none() && summary.state() == ImportState::Completed).then_some(summary)
}

/// Returns `true` if the import was refused with this code.
pub(super) fn is_refused_for(ended: &ImportEnd, code: &str) -> bool {
    let summary = ended.summary.iter();
    let mut refusals = summary.flat_map(|summary| &summary.refusals);
    refusals.any(|refusal| refusal.code == code)
}
