//! How far an import is, shared between who works and who tells the client.

use std::{
    sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

use crate::proto::{ImportPhase, ImportProgress, import_users_response::Message};

/// Counters of one import.
#[derive(Debug)]
pub struct Progress {
    begun: Instant,
    /// Milliseconds after `begun` at which the client was last told.
    told: AtomicU64,
    phase: AtomicI32,
    received: AtomicU32,
    planned: AtomicU32,
    applied: AtomicU32,
    total: AtomicU32,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            told: AtomicU64::default(),
            phase: AtomicI32::default(),
            received: AtomicU32::default(),
            planned: AtomicU32::default(),
            applied: AtomicU32::default(),
            total: AtomicU32::default(),
        }
    }
}

impl Progress {
    /// When the client is to be told again: `interval` after the last time, whatever else has
    /// happened since.
    #[must_use]
    pub fn due(&self, interval: Duration) -> Instant {
        self.begun + Duration::from_millis(self.told.load(Relaxed)) + interval
    }

    /// The message that tells a client now.
    #[must_use]
    pub fn tell(&self) -> Message {
        let passed = self.begun.elapsed().as_millis();
        self.told
            .store(u64::try_from(passed).unwrap_or(u64::MAX), Relaxed);
        self.message()
    }

    /// Enters a phase.
    pub fn enter(&self, phase: ImportPhase) {
        self.phase.store(phase.into(), Relaxed);
    }

    /// States how many rows have been received.
    pub fn set_received(&self, rows: u32) {
        self.received.store(rows, Relaxed);
    }

    /// States that the input is complete.
    pub fn set_total(&self, rows: u32) {
        self.received.store(rows, Relaxed);
        self.total.store(rows, Relaxed);
    }

    /// States that every row has been decided.
    pub fn set_planned(&self, rows: u32) {
        self.planned.store(rows, Relaxed);
    }

    /// States that the results of further rows are final.
    pub fn add_applied(&self, rows: usize) {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        self.applied.fetch_add(rows, Relaxed);
    }

    /// The message that tells a client.
    #[must_use]
    pub fn message(&self) -> Message {
        Message::Progress(ImportProgress {
            phase: self.phase.load(Relaxed),
            rows_received: self.received.load(Relaxed),
            rows_planned: self.planned.load(Relaxed),
            rows_applied: self.applied.load(Relaxed),
            rows_total: self.total.load(Relaxed),
        })
    }
}
