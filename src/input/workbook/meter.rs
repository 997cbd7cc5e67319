//! Counts what a workbook becomes while it is read, and stops the reading at a limit or when nobody waits for it.
//!
//! Nothing here trusts a size that the file states: only bytes that have been decompressed count.

use std::{
    cell::{Cell, RefCell},
    io::{ErrorKind, Read, Result as IoResult},
    ops::ControlFlow,
};

use super::{WorkbookFault, WorkbookLimits};
use crate::input::FileFault;

/// If a workbook becomes at most this many bytes, its compression is not bounded.
const SMALL: u64 = 1024 * 1024;

/// How many bytes are read at most before the caller is asked whether to go on.
const BETWEEN_PAUSES: u64 = 64 * 1024;

/// Most bytes of one tag or text in a part. A cell of a spreadsheet has at most 32,767 characters.
const EVENT_BYTES: usize = 512 * 1024;

/// Asks whether to go on. The number is the bytes that the reader holds.
pub(super) type ReaderMemoryCheck<'a> = &'a mut dyn FnMut(usize) -> ControlFlow<()>;

/// Why the reading of a workbook ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkbookReadError {
    /// The file has faults.
    Faults(Vec<FileFault>),
    /// The caller wants no more.
    Halted,
}

impl From<FileFault> for WorkbookReadError {
    fn from(fault: FileFault) -> Self {
        Self::Faults(vec![fault])
    }
}

impl From<WorkbookFault> for WorkbookReadError {
    fn from(fault: WorkbookFault) -> Self {
        FileFault::Workbook(fault).into()
    }
}

/// The counts of one workbook.
pub(super) struct WorkbookMeter<'a> {
    /// Most bytes of the parts that are read, decompressed.
    most: u64,
    /// The limit as a message states it.
    limit: WorkbookFault,
    /// Most bytes of the texts of all rows.
    most_text: u64,
    expanded: Cell<u64>,
    text: Cell<u64>,
    /// Bytes read since the last event of the part that is being read.
    of_event: Cell<usize>,
    /// Bytes that the reader holds besides the workbook itself.
    held: Cell<usize>,
    paused_at: Cell<u64>,
    pause: RefCell<ReaderMemoryCheck<'a>>,
    error: Cell<Option<WorkbookReadError>>,
}

impl<'a> WorkbookMeter<'a> {
    /// Returns the meter of a workbook of `packed` bytes, of which at most `max_bytes` may be read.
    pub(super) fn new(
        packed: usize,
        (limits, max_bytes): (WorkbookLimits, u64),
        pause: ReaderMemoryCheck<'a>,
    ) -> Self {
        let by_ratio = limits.max_ratio.saturating_mul(packed as u64).max(SMALL);
        let (most, limit) = match by_ratio < max_bytes {
            true => (
                by_ratio,
                WorkbookFault::CompressedTooMuch {
                    ratio: limits.max_ratio,
                },
            ),
            false => (
                max_bytes,
                WorkbookFault::ExpandsTooMuch { limit: max_bytes },
            ),
        };
        Self {
            most,
            limit,
            most_text: max_bytes,
            expanded: Cell::new(0),
            text: Cell::new(0),
            of_event: Cell::new(0),
            held: Cell::new(0),
            paused_at: Cell::new(0),
            pause: RefCell::new(pause),
            error: Cell::new(None),
        }
    }

    /// Reads a part through this meter.
    pub(super) const fn measure<R: Read>(&self, part: R) -> MeteredPart<'_, 'a, R> {
        MeteredPart { part, meter: self }
    }

    /// Begins the next event of a part.
    pub(super) fn begin_event(&self) {
        self.of_event.set(0);
    }

    /// Forgets the bytes of parts that have been read, because they are read once more.
    pub(super) fn begin_again(&self) {
        self.paused_at.set(self.text.get());
        self.expanded.set(0);
    }

    /// Counts the bytes that the reader holds.
    pub(super) fn hold(&self, bytes: usize) {
        self.held.set(bytes);
    }

    /// Counts the text of a row.
    ///
    /// # Errors
    /// Fails if all rows together have more than a file may have, or the caller wants no more.
    pub(super) fn add_text(&self, bytes: usize) -> Result<(), WorkbookReadError> {
        let bytes = bytes as u64 + 1;
        self.text.set(self.text.get() + bytes);
        if self.text.get() > self.most_text {
            let limit = self.most_text;
            return Err(WorkbookFault::ExpandsTooMuch { limit }.into());
        }
        self.pause()
    }

    /// Returns why the reading of a part was stopped, or `None` if the part itself is the cause.
    pub(super) fn take_error(&self) -> Option<WorkbookReadError> {
        self.error.take()
    }

    fn add(&self, bytes: usize) -> Result<(), WorkbookReadError> {
        self.expanded.set(self.expanded.get() + bytes as u64);
        self.of_event.set(self.of_event.get() + bytes);
        if self.expanded.get() > self.most {
            return Err(self.limit.clone().into());
        }
        if self.of_event.get() > EVENT_BYTES {
            return Err(WorkbookFault::LongElement.into());
        }
        self.pause()
    }

    fn pause(&self) -> Result<(), WorkbookReadError> {
        let now = self.expanded.get() + self.text.get();
        if now - self.paused_at.get() < BETWEEN_PAUSES {
            return Ok(());
        }
        self.paused_at.set(now);
        match (self.pause.borrow_mut())(self.held.get()) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(WorkbookReadError::Halted),
        }
    }
}

/// A part of a workbook whose bytes are counted.
pub(super) struct MeteredPart<'m, 'a, R> {
    part: R,
    meter: &'m WorkbookMeter<'a>,
}

impl<R: Read> Read for MeteredPart<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        let read = self.part.read(buffer)?;
        match self.meter.add(read) {
            Ok(()) => Ok(read),
            Err(error) => {
                self.meter.error.set(Some(error));
                Err(ErrorKind::Other.into())
            }
        }
    }
}
