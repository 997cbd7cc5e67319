//! Tells what an import's record has: to whoever joins, watches, or comes again.

use std::time::Duration;

use prost::Message;
use uuid::Uuid;

use super::{ImportError, Importer, Outlet, record, verdict};
use crate::{
    proto::{
        Deactivations, ImportStarted, ImportState, ResultFilter, RowResults,
        import_users_response::Message as Reply,
    },
    store::{BatchKind, ImportRecord, StoreError},
};

/// Batches read at a time.
const READ_AHEAD: i32 = 2;

/// Time between two looks at a record that is growing.
pub(super) const LOOK: Duration = Duration::from_millis(200);

/// Sends the batches of one import's record, in the order recorded.
#[derive(Debug)]
pub struct Follower {
    importer: Importer,
    organization: i64,
    import: Uuid,
    filter: ResultFilter,
    next: i32,
    skip: u32,
}

impl Follower {
    /// At the beginning of the record; `skip` results that pass the filter are left out.
    #[must_use]
    pub const fn new(
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
            next: 0,
            skip,
        }
    }

    /// Sends all batches that are recorded and have not been sent. False: the client has gone.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn catch_up(&mut self, outlet: &Outlet) -> Result<bool, StoreError> {
        loop {
            let store = &self.importer.store;
            let batches = || store.recorded(self.organization, self.import, self.next, READ_AHEAD);
            let batches = self.importer.patiently(batches).await?;
            if batches.is_empty() {
                return Ok(true);
            }
            for batch in batches {
                self.next = batch.sequence + 1;
                let make = || self.message(batch.kind, &batch.payload);
                if !outlet.send_made(make).await {
                    return Ok(false);
                }
            }
        }
    }

    fn message(&mut self, kind: BatchKind, payload: &[u8]) -> Option<Reply> {
        match kind {
            BatchKind::ToDeactivate | BatchKind::ToWrite => None,
            BatchKind::Deactivated => {
                Some(Reply::Deactivations(Deactivations::decode(payload).ok()?))
            }
            BatchKind::Results => {
                let mut results = RowResults::decode(payload).ok()?.results;
                results.retain(|result| verdict::passes_recorded(self.filter, result.outcome()));
                let skipped = (self.skip as usize).min(results.len());
                results.drain(..skipped);
                self.skip -= u32::try_from(skipped).unwrap_or_default();
                (!results.is_empty()).then_some(Reply::Results(RowResults::new(results)))
            }
        }
    }
}

impl Importer {
    /// The state that a record's import is in now: what it was doing when its process died counts
    /// as interrupted (semantics §8).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn state_now(&self, record: &ImportRecord) -> Result<ImportState, StoreError> {
        let ttl = self.settings.lease;
        let recorded = ImportState::try_from(record.state).unwrap_or_default();
        let alive = match recorded {
            ImportState::Receiving => self.store.is_alive(record.server_id, ttl).await?,
            ImportState::Applying => {
                let holder = self.store.holder(record.organization_id, ttl).await?;
                holder.is_some_and(|holder| holder.import == record.id)
            }
            _ => true,
        };
        if alive {
            return Ok(recorded);
        }
        // It may have ended between the two looks.
        let again = self.store.import(record.organization_id, record.id).await?;
        match again.is_some_and(|again| again.state != record.state) {
            true => Ok(ImportState::Applying),
            false => Ok(ImportState::Interrupted),
        }
    }

    /// Sends the results of an import from its record until it ends, and last its summary; for
    /// `WatchImport`.
    pub async fn watch(
        self,
        organization: i64,
        import: Uuid,
        filter: ResultFilter,
        skip: u32,
        outlet: Outlet,
    ) {
        if let Err(error) = self
            .try_watch(organization, import, filter, skip, &outlet)
            .await
        {
            outlet.fail(error).await;
        }
    }

    async fn try_watch(
        &self,
        organization: i64,
        import: Uuid,
        filter: ResultFilter,
        skip: u32,
        outlet: &Outlet,
    ) -> Result<(), ImportError> {
        let started = ImportStarted {
            import_id: import.to_string(),
            resumed: true,
            ..ImportStarted::default()
        };
        outlet.send(Reply::Started(started)).await;
        let mut follower = Follower::new(self.clone(), organization, import, filter, skip);
        let mut told = tokio::time::Instant::now();
        loop {
            // The state first: what it says is final has been recorded before.
            let record = self.patiently(|| self.store.import(organization, import));
            let record = record.await?;
            let record = record.ok_or_else(|| ImportError::UnknownImport(import.to_string()))?;
            let state = self.patiently(|| self.state_now(&record)).await?;
            if !follower.catch_up(outlet).await? {
                return Ok(());
            }
            if !matches!(state, ImportState::Receiving | ImportState::Applying) {
                let summary = record::summary(&record, state);
                outlet.send(Reply::Summary(summary)).await;
                return Ok(());
            }
            if self.stop.is_cancelled() {
                return Err(ImportError::ShuttingDown);
            }
            if told.elapsed() >= self.settings.progress_interval {
                told = tokio::time::Instant::now();
                outlet.offer(Reply::Progress(record::progress(&record, state)));
            }
            if outlet.is_gone() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
