//! The runs of uploads in this process. The database may show a run that is not here: its task may have failed, or it
//! never began because the answer to its claim was lost.

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;
use uuid::Uuid;

/// The current runs of this process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct UploadRuns(Arc<Mutex<HashSet<Uuid>>>);

/// Registers a run until it is dropped.
#[derive(Debug)]
pub(crate) struct RegisteredRun {
    runs: UploadRuns,
    run: Uuid,
}

impl UploadRuns {
    /// Registers a run.
    #[must_use]
    pub(crate) fn begin(&self, run: Uuid) -> RegisteredRun {
        self.0.lock().insert(run);
        RegisteredRun {
            runs: self.clone(),
            run,
        }
    }

    /// Returns `true` while the run is registered.
    #[must_use]
    pub(crate) fn has(&self, run: Uuid) -> bool {
        self.0.lock().contains(&run)
    }
}

impl RegisteredRun {
    /// The run's ID.
    #[must_use]
    pub(crate) const fn run(&self) -> Uuid {
        self.run
    }
}

impl Drop for RegisteredRun {
    fn drop(&mut self) {
        self.runs.0.lock().remove(&self.run);
    }
}
