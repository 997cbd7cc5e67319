//! Splits text into records: quotes, fields, line numbers, and the cap on a record's length.
//!
//! Must not know columns or charsets. A field is quoted if it begins with a quote; blanks may come before the quote.
//! Within quotes, two quotes stand for one, and only blanks may follow the closing quote. In any other field, quotes
//! are ordinary characters if they come in pairs. A record that breaks these rules is read to its end as the csv crate
//! reads it, and carries its fault. Tests compare this reader with that crate and with a plain reader. Both of them
//! examine every byte; decoding took two and a half times as long that way.

use super::{
    Record, StrayQuotePlace,
    ignored_lines::{IgnoredLines, LinesRead},
};
use crate::domain::QuoteFault;
use crate::input::{
    FileFault, blank::is_blank, mapping::LineRules, structural_marks::StructuralMarks,
};

/// Splits text into records, however the text is split.
pub(crate) struct RecordReader {
    delimiter: u8,
    /// The text of the current record so far.
    text: Vec<u8>,
    ends: Vec<usize>,
    state: FieldState,
    /// Number of bytes read of the current record, with its quotes; 0 between records.
    read: usize,
    /// The byte read last.
    last: u8,
    /// Line of the next byte. CR, LF and CRLF each end a line.
    at_line: u32,
    /// Line on which the record starts.
    line: u32,
    terminated: bool,
    /// Longest record.
    cap: usize,
    /// Facts about the quoted field read last: the line of its opening quote, whether it holds the delimiter, and, in
    /// `FieldState::Closed`, the position of its closing quote in the text.
    opened_at_line: u32,
    holds_delimiter: bool,
    closed_at: usize,
    stray: Option<StrayQuotePlace>,
    /// Lines that are no records, if there may be any.
    ignored: Option<Box<IgnoredLines>>,
}

/// The reader's place in a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FieldState {
    /// At the beginning of a field.
    Begin,
    /// In a field that has no quote so far.
    Plain,
    /// In quotes.
    Quoted,
    /// Right after a quote in quotes. It is the closing quote, unless another quote follows.
    Quote,
    /// Further after the closing quote.
    Closed,
    /// In a field in which quotes are ordinary, after an odd number of quotes.
    Odd,
    /// In such a field after an even number of quotes, or in text that follows a closing quote.
    Even,
}

impl RecordReader {
    /// Returns a reader for fields separated by `delimiter`, an ASCII character, in records of at most `cap` bytes.
    pub(crate) const fn new(delimiter: u8, cap: usize) -> Self {
        Self {
            delimiter,
            text: Vec::new(),
            ends: Vec::new(),
            state: FieldState::Begin,
            read: 0,
            last: 0,
            at_line: 1,
            line: 1,
            terminated: false,
            cap,
            opened_at_line: 1,
            holds_delimiter: false,
            closed_at: 0,
            stray: None,
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
        let end = self.advance(&input[..most]);
        let (passed, rest) = input.split_at(end.unwrap_or(most));
        *input = rest;
        self.last = passed.last().copied().unwrap_or(self.last);
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
        Record {
            text: &self.text,
            ends: &self.ends,
            line: self.line,
            lines: self.at_line.saturating_sub(self.line),
            terminated: self.terminated,
            stray: self.stray,
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
                .map(|lines| lines.pass(input, self.at_line))
            {
                None => break Vec::new(),
                Some(LinesRead::Held(held)) => break held,
                Some(LinesRead::All) => return false,
                // This line end does not belong to the line before.
                Some(LinesRead::UpToLineEnd) => self.last = 0,
            }
        };
        self.begin_with(&held);
        true
    }

    /// Begins a record with these bytes, which have no line end.
    fn begin_with(&mut self, held: &[u8]) {
        self.text.clear();
        self.ends.clear();
        self.state = FieldState::Begin;
        self.stray = None;
        self.line = self.at_line;
        if let Some(&last) = held.last() {
            self.advance(held);
            (self.read, self.last) = (held.len(), last);
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
            self.pass_line_end(byte, self.last);
            self.last = byte;
            *input = rest;
        }
    }

    /// Reads more of the current record, up to its line end or to the end of `bytes`. Returns the position after the
    /// line end, or `None` if `bytes` has no such line end.
    fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        // Start of the bytes that have not been copied yet.
        let mut from = 0;
        // Position at which a mark is the first byte of its field, or directly follows a quote.
        let mut next = 0;
        for at in StructuralMarks::of(bytes, self.delimiter) {
            let byte = bytes[at];
            if at > next {
                self.pass_others();
            }
            match (self.state, byte) {
                (FieldState::Begin, b'"') => {
                    self.copy(&bytes[from..at]);
                    self.open();
                    from = at + 1;
                }
                (FieldState::Quoted, b'"') => {
                    self.copy(&bytes[from..at]);
                    self.state = FieldState::Quote;
                    from = at + 1;
                }
                (FieldState::Quote, b'"') => {
                    // Two quotes stand for one: the second one is kept.
                    self.state = FieldState::Quoted;
                    from = at;
                }
                (FieldState::Quoted, _) => {
                    let before = at.checked_sub(1).map_or(self.last, |before| bytes[before]);
                    self.pass_in_quotes(byte, before);
                }
                (_, b'"') => {
                    self.copy(&bytes[from..at]);
                    self.pass_quote();
                    from = at + usize::from(self.state == FieldState::Quoted);
                }
                (_, b'\r' | b'\n') => {
                    self.end_field(&bytes[from..at]);
                    // Within the record, line ends occur only in quotes.
                    self.at_line = self.at_line.saturating_add(1);
                    return Some(at + 1);
                }
                (FieldState::Odd | FieldState::Closed, _) => {
                    self.end_field(&bytes[from..at]);
                    from = at;
                    self.state = FieldState::Begin;
                }
                (_, _) => {
                    self.ends.push(self.text.len() + at - from);
                    self.state = FieldState::Begin;
                }
            }
            next = at + 1;
        }
        if next < bytes.len() {
            self.pass_others();
        }
        self.copy(&bytes[from..]);
        None
    }

    /// Ends the current field with these bytes.
    fn end_field(&mut self, bytes: &[u8]) {
        self.copy(bytes);
        self.close_field();
        self.ends.push(self.text.len());
    }

    fn copy(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
    }

    /// Continues after bytes that are no marks.
    fn pass_others(&mut self) {
        match self.state {
            FieldState::Begin => self.state = FieldState::Plain,
            FieldState::Quote => {
                // All text before the quote is copied, and none of the text after it.
                self.closed_at = self.text.len();
                self.state = FieldState::Closed;
            }
            _ => {}
        }
    }

    /// Begins a quoted field.
    fn open(&mut self) {
        self.state = FieldState::Quoted;
        self.opened_at_line = self.at_line;
        self.holds_delimiter = false;
    }

    /// Passes a quote that neither begins its field nor is in quotes. All text before it is copied.
    #[cold]
    fn pass_quote(&mut self) {
        self.state = match self.state {
            FieldState::Plain if is_blank(&self.text[self.field_start()..]) => {
                self.text.truncate(self.field_start());
                return self.open();
            }
            FieldState::Plain | FieldState::Even => FieldState::Odd,
            FieldState::Closed => {
                self.note_text_behind();
                FieldState::Even
            }
            _ => FieldState::Even,
        };
    }

    /// Ends a field that is copied completely. Text after a closing quote must be blank, and is dropped.
    fn close_field(&mut self) {
        match self.state {
            FieldState::Odd => self.note(QuoteFault::Unpaired),
            FieldState::Closed if is_blank(&self.text[self.closed_at..]) => {
                self.text.truncate(self.closed_at);
            }
            FieldState::Closed => self.note_text_behind(),
            _ => {}
        }
    }

    /// Passes a delimiter or line end in quotes. No value of a roster has both, so a field with both was not closed.
    fn pass_in_quotes(&mut self, byte: u8, before: u8) {
        match byte {
            b'\r' | b'\n' => self.pass_line_end(byte, before),
            _ => self.holds_delimiter = true,
        }
        if self.holds_delimiter && self.at_line > self.opened_at_line {
            self.note(QuoteFault::Unclosed);
        }
    }

    fn note_text_behind(&mut self) {
        let quoted = &self.text[self.field_start()..self.closed_at];
        let has_backslash = quoted.ends_with(b"\\") || quoted.windows(2).any(|two| two == b"\\\"");
        self.note(match has_backslash {
            true => QuoteFault::Backslash,
            false if self.at_line > self.opened_at_line => QuoteFault::Unclosed,
            false => QuoteFault::TextBehind,
        });
    }

    #[cold]
    fn note(&mut self, fault: QuoteFault) {
        let field = self.ends.len();
        self.stray.get_or_insert(StrayQuotePlace { fault, field });
    }

    /// Returns the position in the text at which the current field starts.
    fn field_start(&self) -> usize {
        self.ends.last().map_or(0, |end| end + 1)
    }

    /// Counts a line that ends with this byte, unless it is the second of CRLF.
    fn pass_line_end(&mut self, byte: u8, before: u8) {
        let ends = byte == b'\r' || before != b'\r';
        self.at_line = self.at_line.saturating_add(ends.into());
    }
}
