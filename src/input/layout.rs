//! Records into raw rows: one cell a column, or a misfit.

use super::blank::is_blank;
use super::charset::Charset;
use super::record::Record;
use crate::domain::{Cell, Column, RawRow};

/// Which column each field of a record belongs to.
pub(super) struct Layout {
    /// By position; `None`: the field is ignored.
    slots: Vec<Option<Column>>,
    charset: Charset,
}

impl Layout {
    pub fn new(slots: Vec<Option<Column>>, charset: Charset) -> Self {
        Self { slots, charset }
    }

    /// Data row number `number` (from 1), made of `record`.
    pub fn row<'a>(&self, number: u32, record: Record<'a>) -> RawRow<'a> {
        let fits = self.fits(record);
        RawRow {
            number,
            line: record.line,
            cells: if fits {
                self.cells(record)
            } else {
                [Cell::Absent; Column::COUNT]
            },
            misfit: (!fits).then(|| (count(self.slots.len()), count(record.len()))),
        }
    }

    /// True where a record has a field for each column, but for optional ones at its end, and
    /// nothing beyond them. A last record without a line end may have been cut off anywhere, so it
    /// must have them all.
    fn fits(&self, record: Record<'_>) -> bool {
        match self.slots.get(record.len()..) {
            Some([]) => true,
            Some(lacking) => {
                record.terminated && !lacking.iter().flatten().any(|c| c.is_required())
            }
            None => record.fields().skip(self.slots.len()).all(is_blank),
        }
    }

    fn cells<'a>(&self, record: Record<'a>) -> [Cell<'a>; Column::COUNT] {
        // Nearly always the whole record is valid, and checking it at once is cheaper.
        let text = str::from_utf8(record.text).ok();
        let mut cells = [Cell::Absent; Column::COUNT];
        for (index, slot) in self.slots.iter().enumerate() {
            let Some(column) = *slot else { continue };
            cells[column as usize] = match record.span(index) {
                None => Cell::Text(""),
                // `get`: two fields, each malformed, may together look valid.
                Some(span) => text
                    .and_then(|text| text.get(span.clone()))
                    .map_or_else(|| self.charset.cell(&record.text[span]), Cell::Text),
            };
        }
        cells
    }
}

/// A number of fields, which the cap on a record keeps far below `u32::MAX`.
fn count(fields: usize) -> u32 {
    u32::try_from(fields).unwrap_or(u32::MAX)
}
