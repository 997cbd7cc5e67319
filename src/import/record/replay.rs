//! Streams the recorded results of an import to clients that join, watch or retry it.

use std::time::Duration;

use prost::Message;
use uuid::Uuid;

use crate::import::{Importer, ResponseSender, ResultFilter, messages, respond::Response};
use crate::{
    proto::{Deactivations, RowResults},
    store::{BatchKind, StoreError},
};

/// Batches read at a time.
const READ_AHEAD: i32 = 2;

/// Pause between two reads of a record that is growing.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Sends the recorded batches of one import in the order they were recorded.
#[derive(Debug)]
pub(crate) struct ResultReplay {
    importer: Importer,
    organization: i64,
    import: Uuid,
    /// Results that pass this filter.
    filter: ResultFilter,
    /// The number of results under this filter that the client already has.
    skip: u32,
    next: i32,
}

impl ResultReplay {
    /// Starts at the beginning of the record. Leaves out the first `skip` results that pass the filter.
    #[must_use]
    pub(crate) const fn new(
        importer: Importer,
        organization: i64,
        import: Uuid,
        filter: ResultFilter,
        skip: u32,
    ) -> Self {
        Self {
            importer,
            organization,
            import,
            filter,
            skip,
            next: 0,
        }
    }

    /// Sends all batches that are recorded but not sent yet, unless the client reads the log itself. Returns `false` if
    /// the client has gone.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub(crate) async fn catch_up(
        &mut self,
        responses: &ResponseSender,
    ) -> Result<bool, StoreError> {
        if responses.points_to_log().await {
            return Ok(!responses.is_gone());
        }
        loop {
            let store = &self.importer.store;
            let batches =
                store.recorded_batches(self.organization, self.import, self.next, READ_AHEAD);
            let batches = batches.await?;
            if batches.is_empty() {
                return Ok(true);
            }
            for batch in batches {
                self.next = batch.sequence + 1;
                let make = || self.message(batch.kind, &batch.payload);
                if !responses.send_made(make).await {
                    return Ok(false);
                }
            }
        }
    }

    fn message(&mut self, kind: BatchKind, payload: &[u8]) -> Option<Response> {
        match kind {
            BatchKind::ToDeactivate | BatchKind::ToWrite | BatchKind::Changes => None,
            BatchKind::Deactivated => Some(Response::Deactivations(
                Deactivations::decode(payload).ok()?,
            )),
            BatchKind::Results => {
                let results = RowResults::decode(payload).ok()?;
                self.pick(results).map(Response::Results)
            }
        }
    }

    /// Selects from the next results. Returns `None` if the client wants none of them.
    pub(crate) fn pick(&mut self, mut recorded: RowResults) -> Option<RowResults> {
        let results = &mut recorded.results;
        results.retain(|result| self.filter.passes(messages::outcome(result)));
        let skipped = (self.skip as usize).min(results.len());
        results.drain(..skipped);
        self.skip -= u32::try_from(skipped).unwrap_or_default();
        (!recorded.results.is_empty()).then_some(recorded)
    }
}

/// The results that a `WatchImport` call asks for.
#[derive(Clone, Copy, Debug)]
pub struct WatchRequest {
    /// Results that pass this filter. `None` means the import's own filter.
    pub filter: Option<ResultFilter>,
    /// The number of results under this filter that the client already has.
    pub skip: u32,
}
