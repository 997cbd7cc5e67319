//! Splits text into records: line numbers, lines that are no records, and the cap on a record's length.
//!
//! Must not know columns or charsets. Tests compare this reader with the csv crate and with a plain reader.

use super::{
    Record,
    field_reader::FieldReader,
    ignored_lines::{IgnoredLines, LinesRead},
};
use crate::input::{FileFault, mapping::LineRules};

/// Splits text into records, however the text is split.
pub(crate) struct RecordReader {
    fields: FieldReader,
    /// Number of bytes read of the current record, with its quotes; 0 between records.
    read: usize,
    /// Line on which the record starts.
    line: u32,
    terminated: bool,
    /// Longest record.
    cap: usize,
    /// Lines that are no records, if there may be any.
    ignored: Option<Box<IgnoredLines>>,
}

impl RecordReader {
    /// Returns a reader for fields separated by `delimiter`, an ASCII character, in records of at most `cap` bytes.
    pub(crate) const fn new(delimiter: u8, cap: usize) -> Self {
        Self {
            fields: FieldReader::new(delimiter),
            read: 0,
            line: 1,
            terminated: false,
            cap,
            ignored: None,
        }
    }

    /// Returns the reader with lines that are no records.
    pub(crate) fn ignoring(mut self, rules: &LineRules) -> Self {
        self.ignored = (!rules.is_empty()).then(|| Box::new(IgnoredLines::new(rules)));
        self
    }

    /// Reads more of `input`, up to the end of a record, and removes the bytes that it reads from the front of
    /// `input`. Returns `false` if all input is read and the record continues, or no record has begun.
    ///
    /// # Errors
    /// Fails if the record is longer than the cap.
    pub(crate) fn read(&mut self, input: &mut &[u8]) -> Result<bool, FileFault> {
        if self.read == 0 && !self.begin(input) {
            return Ok(false);
        }
        // Reads one byte beyond the cap. That byte may be the line end of a record of exactly the allowed length.
        let most = input.len().min(self.cap + 1 - self.read);
        let end = self.fields.read(&input[..most]);
        let (passed, rest) = input.split_at(end.unwrap_or(most));
        *input = rest;
        self.read += passed.len();
        if end.is_some() {
            self.read = 0;
            self.terminated = true;
            return Ok(true);
        }
        if self.read > self.cap {
            return Err(FileFault::RecordTooLong {
                line: self.line,
                limit: self.cap,
            });
        }
        Ok(false)
    }

    /// Returns how many lines had a prefix so far, and the number of the first of them, or `None` if none had.
    pub(crate) fn ignored_lines(&self) -> Option<(u32, u32)> {
        self.ignored.as_ref().and_then(|lines| lines.found())
    }

    /// Ends the input. Returns `true` if this ends a record that has no line end.
    ///
    /// # Errors
    /// Fails if the input ends inside quotes.
    pub(crate) fn finish(&mut self) -> Result<bool, FileFault> {
        if self.read == 0 {
            // The last line may be held, because it could have been the beginning of a line that is no record.
            let held = self.ignored.as_mut().map(|lines| lines.take_held());
            self.begin_with(&held.unwrap_or_default());
        }
        if self.read == 0 {
            return Ok(false);
        }
        // A line end ends every record, unless it is inside quotes.
        let Ok(true) = self.read(&mut b"\n".as_slice()) else {
            return Err(FileFault::UnclosedQuote { line: self.line });
        };
        self.terminated = false;
        Ok(true)
    }

    /// Returns the record that was read last, or the part of it that has been read so far.
    pub(crate) fn record(&self) -> Record<'_> {
        let fields = &self.fields;
        Record {
            text: &fields.text,
            ends: &fields.ends,
            line: self.line,
            lines: fields.at_line.saturating_sub(self.line),
            terminated: self.terminated,
            stray: fields.stray,
        }
    }

    /// Removes line ends from the front of `input`, including empty lines, and begins a record with the text that
    /// follows. Returns `false` if no text follows.
    fn begin(&mut self, input: &mut &[u8]) -> bool {
        let held = loop {
            self.pass_line_ends(input);
            if input.is_empty() {
                return false;
            }
            match self
                .ignored
                .as_mut()
                .map(|lines| lines.pass(input, self.fields.at_line))
            {
                None => break Vec::new(),
                Some(LinesRead::Held(held)) => break held,
                Some(LinesRead::All) => return false,
                // This line end does not belong to the line before.
                Some(LinesRead::UpToLineEnd) => self.fields.last = 0,
            }
        };
        self.begin_with(&held);
        true
    }

    /// Begins a record with these bytes, which have no line end.
    fn begin_with(&mut self, held: &[u8]) {
        self.fields.begin_record();
        self.line = self.fields.at_line;
        if !held.is_empty() {
            self.fields.read(held);
            self.read = held.len();
        }
    }

    fn pass_line_ends(&mut self, input: &mut &[u8]) {
        while let Some((&byte, rest)) = input.split_first()
            && matches!(byte, b'\r' | b'\n')
            && self
                .ignored
                .as_ref()
                .is_none_or(|lines| lines.is_at_beginning())
        {
            self.fields.skip_line_end(byte);
            *input = rest;
        }
    }
}
