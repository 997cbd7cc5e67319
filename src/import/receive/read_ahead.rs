//! Reads an organisation's directory while its upload comes in.

use std::time::Duration;

use tokio::{task::JoinHandle, time::Instant};

use crate::{
    import::ImportError,
    limits::KeyedPermit,
    store::{Snapshot, Store, StoreError},
};

/// How long a directory that was read ahead is kept while the upload is silent.
const MAX_SILENCE: Duration = Duration::from_secs(2);

/// How long it is kept at most: a longer upload gains little from it.
const MAX_AGE: Duration = Duration::from_secs(30);

/// A directory that is read while the upload comes in.
pub(crate) struct DirectoryReadAhead {
    reading: JoinHandle<(Result<Snapshot, StoreError>, KeyedPermit<String>)>,
    begun: Instant,
    heard: Instant,
}

impl DirectoryReadAhead {
    /// Begins to read. The permit is held until the snapshot is taken.
    pub(crate) fn begin(store: Store, organization: i64, permit: KeyedPermit<String>) -> Self {
        let now = Instant::now();
        Self {
            // The task is never aborted: its connection would return to the pool inside a transaction.
            reading: tokio::spawn(async move { (store.snapshot(organization).await, permit) }),
            begun: now,
            heard: now,
        }
    }

    /// Waits for the snapshot, and returns it with the permit to keep it. Returns `None` if the database failed.
    pub(crate) async fn snapshot(
        self,
    ) -> Result<Option<(Snapshot, KeyedPermit<String>)>, ImportError> {
        let (snapshot, permit) = self.reading.await?;
        Ok(snapshot.ok().map(|snapshot| (snapshot, permit)))
    }

    /// Notes that the client has sent something.
    pub(crate) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// When the directory is dropped.
    pub(crate) fn until(&self) -> Instant {
        (self.heard + MAX_SILENCE).min(self.begun + MAX_AGE)
    }
}
