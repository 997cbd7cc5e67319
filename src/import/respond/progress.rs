//! The progress of an import, shared between the tasks that work and the one that reports.

use std::{
    sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    domain::ImportPhase,
    proto::{ImportProgress, import_users_response::Message},
};

/// Counters of one import.
#[derive(Debug)]
pub(crate) struct ProgressCounters {
    /// When the next progress message is due.
    due: Mutex<Instant>,
    /// When the received rows are to be recorded next.
    note_due: Mutex<Instant>,
    phase: AtomicI32,
    received: AtomicU32,
    planned: AtomicU32,
    applied: AtomicU32,
    total: AtomicU32,
}

impl ProgressCounters {
    /// Counters at zero. The first message is due after `interval`.
    #[must_use]
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            due: Mutex::new(Instant::now() + interval),
            note_due: Mutex::new(Instant::now() + interval),
            phase: AtomicI32::default(),
            received: AtomicU32::default(),
            planned: AtomicU32::default(),
            applied: AtomicU32::default(),
            total: AtomicU32::default(),
        }
    }

    /// When the next progress message is due.
    #[must_use]
    pub(crate) fn due(&self) -> Instant {
        *self.due.lock()
    }

    /// Notes that a message was sent; the next one is due after `interval`.
    pub(crate) fn set_due_in(&self, interval: Duration) {
        *self.due.lock() = Instant::now() + interval;
    }

    /// When the received rows are to be recorded next, for those who watch the upload.
    #[must_use]
    pub(crate) fn note_due(&self) -> Instant {
        *self.note_due.lock()
    }

    /// Returns `true` if the received rows are to be recorded now; the next time is after `interval`.
    pub(crate) fn takes_note(&self, interval: Duration) -> bool {
        let (mut due, now) = (self.note_due.lock(), Instant::now());
        let is_due = now >= *due;
        if is_due {
            *due = now + interval;
        }
        is_due
    }

    /// Sets the phase.
    pub(crate) fn enter(&self, phase: ImportPhase) {
        self.phase.store(phase as i32, Relaxed);
    }

    /// Sets the number of received rows.
    pub(crate) fn set_received(&self, rows: u32) {
        self.received.store(rows, Relaxed);
    }

    /// Sets the total number of rows: the input is complete.
    pub(crate) fn set_total(&self, rows: u32) {
        self.received.store(rows, Relaxed);
        self.total.store(rows, Relaxed);
    }

    /// Sets the number of planned rows.
    pub(crate) fn set_planned(&self, rows: u32) {
        self.planned.store(rows, Relaxed);
    }

    /// Adds rows whose results are final.
    pub(crate) fn add_applied(&self, rows: usize) {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        self.applied.fetch_add(rows, Relaxed);
    }

    /// The progress message.
    #[must_use]
    pub(crate) fn message(&self) -> Message {
        Message::Progress(ImportProgress {
            phase: self.phase.load(Relaxed),
            rows_received: self.received.load(Relaxed),
            rows_planned: self.planned.load(Relaxed),
            rows_applied: self.applied.load(Relaxed),
            rows_total: self.total.load(Relaxed),
            bytes_received: 0,
        })
    }
}
