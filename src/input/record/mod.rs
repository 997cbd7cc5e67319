//! One record of a file: its fields, its lines, and the first quote in a place that allows none.

mod field_reader;
mod ignored_lines;
#[cfg(test)]
mod plain_reader;
mod reader;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::blank::is_blank;
use crate::domain::QuoteFault;

pub(super) use reader::RecordReader;

/// One record, borrowed from its reader until the next record is read.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    /// The fields, unquoted, with one delimiter between any two.
    pub text: &'a [u8],
    /// The position in `text` at which each field ends.
    ends: &'a [usize],
    /// Line on which the record starts (1 = first line).
    pub line: u32,
    /// Number of lines that it spans.
    pub lines: u32,
    /// `false` if the input ended before the record's line did.
    pub terminated: bool,
    /// The first quote in a place that allows none.
    pub stray: Option<StrayQuotePlace>,
}

/// A quote in a place that allows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StrayQuotePlace {
    pub fault: QuoteFault,
    /// The field that has the quote, counted from 0.
    pub field: usize,
}

impl<'a> Record<'a> {
    /// Returns the record of a sheet's row. Its fields have no quotes, and it is on one line.
    pub(super) const fn of_sheet(text: &'a [u8], ends: &'a [usize], line: u32) -> Self {
        Self {
            text,
            ends,
            line,
            lines: 1,
            terminated: true,
            stray: None,
        }
    }

    /// Number of fields.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the range of field number `index` (from 0) in the text, or `None` if the record has fewer fields.
    pub(super) fn span(&self, index: usize) -> Option<Range<usize>> {
        let end = *self.ends.get(index)?;
        let start = index
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] + 1);
        Some(start..end)
    }

    /// The fields, in order.
    pub(super) fn fields(self) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        (0..self.len())
            .filter_map(move |index| self.span(index))
            .map(move |span| &self.text[span])
    }

    /// Returns `true` if no field shows a character, as in a line of delimiters.
    pub(super) fn is_blank(self) -> bool {
        self.fields().all(is_blank)
    }

    /// Returns `true` if a quoted field may hold more than one value. (An unpaired quote on a single line is part of
    /// its own value.)
    pub(super) fn has_unclosed_field(self) -> bool {
        let is_unpaired =
            |stray: StrayQuotePlace| stray.fault == QuoteFault::Unpaired && self.lines == 1;
        self.stray.is_some_and(|stray| !is_unpaired(stray))
    }

    /// Returns the number of fields up to the last one that shows a character.
    pub(super) fn filled(self) -> usize {
        let blank = self.fields().rev().take_while(|field| is_blank(field));
        self.len() - blank.count()
    }
}

/// A record that stays valid after its reader has read the next one.
pub(super) struct OwnedRecord {
    text: Vec<u8>,
    ends: Vec<usize>,
    line: u32,
    lines: u32,
    terminated: bool,
    stray: Option<StrayQuotePlace>,
}

impl From<Record<'_>> for OwnedRecord {
    fn from(record: Record<'_>) -> Self {
        Self {
            text: record.text.to_vec(),
            ends: record.ends.to_vec(),
            line: record.line,
            lines: record.lines,
            terminated: record.terminated,
            stray: record.stray,
        }
    }
}

impl OwnedRecord {
    pub(super) fn borrow(&self) -> Record<'_> {
        Record {
            text: &self.text,
            ends: &self.ends,
            line: self.line,
            lines: self.lines,
            terminated: self.terminated,
            stray: self.stray,
        }
    }
}
