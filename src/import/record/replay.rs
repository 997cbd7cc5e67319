//! Tells what an import's record has: to whoever joins, watches, or comes again.

use std::time::Duration;

use prost::Message;
use uuid::Uuid;

use super::import_record;
use crate::import::{Asked, ImportError, Importer, Outlet, review::planned_import};
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
pub(crate) const LOOK: Duration = Duration::from_millis(200);

/// Sends the batches of one import's record, in the order recorded.
#[derive(Debug)]
pub struct Follower {
    importer: Importer,
    organization: i64,
    import: Uuid,
    selection: Selection,
    next: i32,
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
            selection: Selection { filter, skip },
            next: 0,
        }
    }

    /// Sends all batches that are recorded and have not been sent. False: the client has gone.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn catch_up(&mut self, outlet: &Outlet) -> Result<bool, StoreError> {
        loop {
            let store = &self.importer.store;
            let batches =
                || store.recorded_batches(self.organization, self.import, self.next, READ_AHEAD);
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
                let results = RowResults::decode(payload).ok()?;
                self.selection.pick(results).map(Reply::Results)
            }
        }
    }
}

/// Which of the recorded results somebody wants.
#[derive(Debug)]
pub(crate) struct Selection {
    /// Those that pass this.
    pub filter: ResultFilter,
    /// Of these, so many are known already.
    pub skip: u32,
}

impl Selection {
    /// The next results, as far as they are wanted; `None`: not at all.
    pub(crate) fn pick(&mut self, mut recorded: RowResults) -> Option<RowResults> {
        let results = &mut recorded.results;
        results.retain(|result| planned_import::passes_recorded(self.filter, result.outcome()));
        let skipped = (self.skip as usize).min(results.len());
        results.drain(..skipped);
        self.skip -= u32::try_from(skipped).unwrap_or_default();
        (!recorded.results.is_empty()).then_some(recorded)
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
            ImportState::Receiving if record.server_id.is_nil() => {
                self.is_uploading(record.organization_id, record.id).await?
            }
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

    /// Sends the results of an import until it ends, and last its summary; for `WatchImport`. Of one
    /// that came in parts this is what its run answers, of any other what its record has.
    pub async fn watch(self, import: (i64, Uuid), asked: Asked, outlet: Outlet) {
        let watched = match self.watch_upload(import, asked, &outlet).await {
            Ok(true) => Ok(()),
            Ok(false) => self.watch_record(import, asked, &outlet).await,
            Err(error) => Err(error),
        };
        if let Err(error) = watched {
            outlet.fail(error).await;
        }
    }

    async fn watch_record(
        &self,
        (organization, import): (i64, Uuid),
        asked: Asked,
        outlet: &Outlet,
    ) -> Result<(), ImportError> {
        let Asked { filter, skip } = asked;
        let filter = filter.unwrap_or(ResultFilter::All);
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
                let summary = import_record::summary(&record, state);
                outlet.send(Reply::Summary(summary)).await;
                return Ok(());
            }
            if self.stop.is_cancelled() {
                return Err(ImportError::ShuttingDown);
            }
            if told.elapsed() >= self.settings.progress_interval {
                told = tokio::time::Instant::now();
                outlet.offer(Reply::Progress(import_record::progress(&record, state)));
            }
            if outlet.is_gone() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
