//! Whether a connection is a stranger's.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Whether a caller on a connection has shown a credential; until then the connection is a stranger's.
/// Clones share the answer.
#[derive(Clone, Debug, Default)]
pub struct Recognition(Arc<AtomicBool>);

impl Recognition {
    /// A caller has shown a credential.
    pub fn note(&self) {
        self.0.store(true, Relaxed);
    }

    /// Returns `true` once a caller has shown a credential.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.load(Relaxed)
    }
}
