//! Turns the records after the header into numbered rows. Some records wait until the next record shows what they are.

use std::sync::Arc;

use super::charset::Charset;
use super::mapping::{CellMapper, CompiledMapping};
use super::record::{OwnedRecord, Record};
use super::record_layout::RecordLayout;
use super::{FileFault, Header};
use crate::domain::RawRow;

/// Makes rows of the records after the header.
pub(super) struct RowMaker {
    layout: RecordLayout,
    /// What changes the cells of each row, if anything does.
    mapper: Option<CellMapper>,
    /// Whether a record that is not blank has been read.
    begun: bool,
    held: Option<(DeferReason, OwnedRecord)>,
}

/// Why a record waits for the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DeferReason {
    /// The first record has this number of blank fields more than the header. If the second record has as many, the
    /// whole file is written that way; otherwise the first record's values are shifted.
    Surplus(usize),
    /// The record holds only NUL or Ctrl-Z. If it is the last record, it marks the end of the file.
    EndMark,
}

impl RowMaker {
    /// Reads the header from `header`, and returns it with the maker of the rows below it.
    ///
    /// # Errors
    /// Returns every fault of the header.
    pub(super) fn below(
        header: Record<'_>,
        (charset, delimiter): (Charset, u8),
        ignore_unknown: bool,
        mapping: &Arc<CompiledMapping>,
    ) -> Result<(Header, Self), Vec<FileFault>> {
        let text = (charset, delimiter);
        let (header, layout, read) = Header::read(header, text, ignore_unknown, mapping)?;
        let mapper =
            (!mapping.is_empty()).then(|| CellMapper::new(Arc::clone(mapping), charset, read));
        let rows = Self {
            layout,
            mapper,
            begun: false,
            held: None,
        };
        Ok((header, rows))
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// `TOO_MANY_ROWS`, `ANOTHER_HEADER`.
    pub(super) fn take(
        &mut self,
        record: Record<'_>,
        rows: &mut RowNumbering<'_, impl FnMut(&RawRow<'_>)>,
    ) -> Result<(), FileFault> {
        if record.is_blank() {
            return Ok(());
        }
        if let Some((reason, held)) = self.held.take() {
            if let DeferReason::Surplus(surplus) = reason
                && self.layout.new_surplus(record) == Some(surplus)
            {
                self.layout.allow_surplus(surplus);
            }
            rows.give((&self.layout, &mut self.mapper), held.borrow())?;
        }
        if let Some(reason) = self.reason_to_hold(record) {
            self.held = Some((reason, record.into()));
            return Ok(());
        }
        rows.give((&self.layout, &mut self.mapper), record)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The errors of [`take`](Self::take).
    pub(super) fn finish(
        &mut self,
        rows: &mut RowNumbering<'_, impl FnMut(&RawRow<'_>)>,
    ) -> Result<(), FileFault> {
        match self.held.take() {
            Some((DeferReason::Surplus(_), held)) => {
                rows.give((&self.layout, &mut self.mapper), held.borrow())
            }
            Some((DeferReason::EndMark, _)) | None => Ok(()),
        }
    }

    fn reason_to_hold(&mut self, record: Record<'_>) -> Option<DeferReason> {
        let is_first = !std::mem::replace(&mut self.begun, true);
        if is_first && let Some(surplus) = self.layout.new_surplus(record) {
            return Some(DeferReason::Surplus(surplus));
        }
        is_end_mark(record.text).then_some(DeferReason::EndMark)
    }
}

fn is_end_mark(text: &[u8]) -> bool {
    matches!(text.first(), Some(0 | 0x1A)) && text.iter().all(|byte| matches!(byte, 0 | 0x1A))
}

/// Receives rows, numbers them, and counts them against the limit.
pub(super) struct RowNumbering<'a, S> {
    pub rows: &'a mut u32,
    pub limit: u32,
    pub sink: &'a mut S,
}

impl<S: FnMut(&RawRow<'_>)> RowNumbering<'_, S> {
    fn give(
        &mut self,
        (layout, mapper): (&RecordLayout, &mut Option<CellMapper>),
        record: Record<'_>,
    ) -> Result<(), FileFault> {
        let row = self.rows.saturating_add(1);
        if row > self.limit {
            return Err(FileFault::TooManyRows {
                limit: self.limit,
                row,
            });
        }
        let raw = layout.row(row, record)?;
        *self.rows = row;
        match mapper {
            None => (self.sink)(&raw),
            Some(mapper) => (self.sink)(&mapper.map(raw, record)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::decoder_harness::{REQUIRED, read};

    const ROW: &str = "e,b,f,l,Active,u,r";
    const SHOWN: &str = "e|b|f|l|Active|u|r";

    #[test]
    fn an_end_mark_is_no_record_if_it_is_the_last() {
        for end in [
            "\u{1A}",
            "\0",
            "\u{1A}\r\n",
            "\u{1A}\u{1A}\0\0\n\n,,\n",
            "\"\u{1A}\"",
        ] {
            let input = format!("{REQUIRED}\n{ROW}\n{end}");
            assert_eq!(read(&input), format!("1@2: {SHOWN}"), "{end:?}");
        }
        assert_eq!(
            read(format!("{REQUIRED}\n\u{1A}\n{ROW}\n")),
            format!("1@2: misfit, 1 for 7: a line of a report (Other)\n2@3: {SHOWN}")
        );
        assert_eq!(read(format!("{REQUIRED}\n\u{1A}")), read(REQUIRED),);
    }

    #[test]
    fn an_end_mark_behind_a_value_belongs_to_it() {
        let input = format!("{REQUIRED}\n{ROW}\u{1A}");
        assert_eq!(read(input), format!("1@2: {SHOWN}\u{1A}"));
    }

    #[test]
    fn a_held_record_keeps_its_number_and_line() {
        let surplus = "misfit, 8 for 7, the last of them blank";
        let input = format!("{REQUIRED}\n{ROW},\n\n{ROW}\n\u{1A}");
        assert_eq!(read(input), format!("1@2: {surplus}\n2@4: {SHOWN}"));
    }
}
