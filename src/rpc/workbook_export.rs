//! Users as a workbook that imports unchanged.

use super::exported_users::{ExportFault, ExportedUsers, STEP_USERS};
use crate::{
    limits::MemoryReservation,
    store::{Snapshot, UserFilter},
    workbook::{ColumnWidths, StreamedRoster, WorkbookError},
};

/// Bytes of a workbook that are sent at a time.
const CHUNK_BYTES: usize = 48 * 1024;

/// Bytes that a workbook takes until its beginning is made, beside the users: the values of a large catalog as
/// cells, and as the parts of a file.
pub(super) const WORKBOOK_BYTES: usize = 8 * 1024 * 1024;

/// Bytes that it takes from then on: the rows that are being compressed, and the part that is not sent yet.
const STREAM_BYTES: usize = 1024 * 1024;

/// The workbook of the users of a snapshot that pass a filter, in pieces: the header, one row for each user, by
/// external ID, and the valid values. A piece may be empty.
pub(super) struct WorkbookPieces {
    step: ExportStep,
    /// Most users.
    most: usize,
    /// Bytes that no piece has had yet.
    pending: Vec<u8>,
    /// Given back with the last piece.
    memory: MemoryReservation,
}

/// The next step.
enum ExportStep {
    Sort(Snapshot, UserFilter),
    /// Looks for the users that pass the filter, because the workbook begins with their number.
    Select(ExportedUsers, SelectedUsers),
    Write(ExportedUsers, SelectedUsers, Box<StreamedRoster>),
    Done,
}

#[derive(Default)]
struct SelectedUsers {
    /// Number of users looked at, or of rows written.
    next: usize,
    users: Vec<usize>,
    widths: ColumnWidths,
}

impl WorkbookPieces {
    /// Begins with nothing done. At most `most` users may pass the filter. The pieces take this memory.
    pub(super) fn new(
        (snapshot, filter): (Snapshot, UserFilter),
        most: usize,
        memory: MemoryReservation,
    ) -> Self {
        Self {
            step: ExportStep::Sort(snapshot, filter),
            most,
            pending: Vec::new(),
            memory,
        }
    }

    /// Does the next step, or a part of it that takes some ten milliseconds.
    fn advance(&mut self, step: ExportStep) -> Result<ExportStep, ExportFault> {
        Ok(match step {
            ExportStep::Sort(snapshot, filter) => ExportStep::Select(
                ExportedUsers::new(snapshot, filter),
                SelectedUsers::default(),
            ),
            ExportStep::Select(users, mut selection) => {
                selection.select_some(&users);
                if selection.users.len() > self.most {
                    return Err(ExportFault::TooManyUsers(self.most));
                }
                if selection.next < users.len() {
                    return Ok(ExportStep::Select(users, selection));
                }
                let step = begin(users, selection)?;
                self.memory.shrink(WORKBOOK_BYTES - STREAM_BYTES);
                step
            }
            ExportStep::Write(users, mut selection, mut roster) => {
                let is_complete = selection.write(&users, &mut roster)?;
                self.pending.extend(roster.take());
                if !is_complete {
                    return Ok(ExportStep::Write(users, selection, roster));
                }
                self.pending.extend(roster.finish()?);
                ExportStep::Done
            }
            ExportStep::Done => ExportStep::Done,
        })
    }
}

impl Iterator for WorkbookPieces {
    type Item = Result<Vec<u8>, ExportFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.pending.len() < CHUNK_BYTES {
            let step = std::mem::replace(&mut self.step, ExportStep::Done);
            match self.advance(step) {
                Ok(step) => self.step = step,
                Err(fault) => return Some(Err(fault)),
            }
        }
        let is_done = matches!(self.step, ExportStep::Done);
        let length = self.pending.len().min(CHUNK_BYTES);
        if length == CHUNK_BYTES || is_done {
            let rest = self.pending.split_off(length);
            let piece = std::mem::replace(&mut self.pending, rest);
            return (!piece.is_empty()).then_some(Ok(piece));
        }
        Some(Ok(Vec::new()))
    }
}

fn begin(users: ExportedUsers, selection: SelectedUsers) -> Result<ExportStep, ExportFault> {
    let rows = u32::try_from(selection.users.len());
    let rows = rows.map_err(|error| ExportFault::Failed(Box::new(error)))?;
    let roster = StreamedRoster::new(users.catalog(), &selection.widths, rows)?;
    let selection = SelectedUsers {
        next: 0,
        ..selection
    };
    Ok(ExportStep::Write(users, selection, Box::new(roster)))
}

impl SelectedUsers {
    fn select_some(&mut self, users: &ExportedUsers) {
        let end = users.len().min(self.next + STEP_USERS);
        for index in self.next..end {
            if let Some(row) = users.filtered_row(index) {
                self.users.push(index);
                self.widths.fit(&row);
            }
        }
        self.next = end;
    }

    /// Writes rows until a piece is full. Returns `true` if all are written.
    fn write(
        &mut self,
        users: &ExportedUsers,
        roster: &mut StreamedRoster,
    ) -> Result<bool, WorkbookError> {
        let end = self.users.len().min(self.next + STEP_USERS);
        while self.next < end && roster.ready() < CHUNK_BYTES {
            roster.push(&users.row(self.users[self.next]))?;
            self.next += 1;
        }
        Ok(self.next == self.users.len())
    }
}

impl From<WorkbookError> for ExportFault {
    fn from(error: WorkbookError) -> Self {
        Self::Failed(Box::new(error))
    }
}
