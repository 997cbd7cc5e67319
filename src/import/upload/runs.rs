//! The runs of uploads that this process is at. What the database says of a run may be more than is
//! true: its task may have failed, or it never began as the answer to its claim was lost.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

/// The runs under way here. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Runs(Arc<Mutex<HashSet<Uuid>>>);

/// A run under way, until it is dropped.
#[derive(Debug)]
pub struct UnderWay {
    runs: Runs,
    run: Uuid,
}

impl Runs {
    /// A run begins.
    #[must_use]
    pub fn begin(&self, run: Uuid) -> UnderWay {
        self.lock().insert(run);
        UnderWay {
            runs: self.clone(),
            run,
        }
    }

    /// True while the run is under way.
    #[must_use]
    pub fn has(&self, run: Uuid) -> bool {
        self.lock().contains(&run)
    }

    /// Nothing that is done under the lock can leave it half done.
    fn lock(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// Which one.
    #[must_use]
    pub const fn run(&self) -> Uuid {
        self.run
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.runs.lock().remove(&self.run);
    }
}
