//! Users as a CSV file that imports unchanged.

use super::exported_users::{ExportFault, ExportedUsers, STEP_USERS};
use crate::{
    domain::{BYTE_ORDER_MARK, Column, neutralise},
    store::{Snapshot, UserFilter},
};

/// Size at which a piece of the file is sent, in bytes; one record is at most a few KiB.
const CHUNK_BYTES: usize = 48 * 1024;

/// How the file is written for spreadsheets.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpreadsheetOptions {
    /// Neutralises values that a spreadsheet would compute.
    pub neutralize_formulas: bool,
    /// Begin with a byte order mark.
    pub byte_order_mark: bool,
}

/// Returns the CSV file of the users of `snapshot` that pass the filter, in pieces: a header, then one
/// record per user, by external ID. A piece may be empty. The first piece takes longest, because it sorts
/// the users. The writer fails only if memory does.
pub(super) fn pieces(
    snapshot: Snapshot,
    filter: UserFilter,
    spreadsheet: SpreadsheetOptions,
) -> impl Iterator<Item = Result<Vec<u8>, ExportFault>> + Send {
    let mut begins = match spreadsheet.byte_order_mark {
        true => BYTE_ORDER_MARK,
        false => "",
    };
    let (mut unsorted, mut users) = (Some((snapshot, filter)), None);
    let mut next = 0;
    let mut header = true;
    std::iter::from_fn(move || {
        if let Some((snapshot, filter)) = unsorted.take() {
            users = Some(ExportedUsers::new(snapshot, filter));
        }
        let users = users.as_ref()?;
        if !header && next >= users.len() {
            return None;
        }
        let mut writer = csv::Writer::from_writer(std::mem::take(&mut begins).into());
        let written = fill(&mut writer, users, spreadsheet, &mut next, &mut header);
        let failed = |error: csv::Error| ExportFault::Failed(Box::new(error));
        let written = written.and_then(|()| writer.into_inner().map_err(|e| e.into_error().into()));
        Some(written.map_err(failed))
    })
}

/// Writes users from number `next` on until the piece is full.
fn fill(
    writer: &mut csv::Writer<Vec<u8>>,
    users: &ExportedUsers,
    spreadsheet: SpreadsheetOptions,
    next: &mut usize,
    header: &mut bool,
) -> Result<(), csv::Error> {
    if std::mem::take(header) {
        writer.write_record(Column::ALL.map(Column::header))?;
    }
    let mut bytes = 0;
    let end = users.len().min(*next + STEP_USERS);
    while *next < end && bytes < CHUNK_BYTES {
        if let Some(row) = users.filtered_row(*next) {
            bytes += row.iter().map(|value| value.len() + 1).sum::<usize>();
            match spreadsheet.neutralize_formulas {
                true => {
                    writer.write_record(row.map(neutralise).each_ref().map(|v| v.as_bytes()))?;
                }
                false => writer.write_record(row)?,
            }
        }
        *next += 1;
    }
    Ok(())
}
