//! Splits the bytes of one record into its fields.
//!
//! A field is quoted if it begins with a quote; blanks may come before the quote. Within quotes, two quotes stand for
//! one, and only blanks may follow the closing quote. In any other field, quotes are ordinary characters if they come in
//! pairs. A record that breaks these rules is read to its end as the csv crate reads it, and carries its fault.
//!
//! Must not know columns or charsets. [`StructuralMarks`] find the bytes that matter; decoding took two and a half times as
//! long when every byte was examined.

use super::StrayQuotePlace;
use crate::domain::QuoteFault;
use crate::input::{blank::is_blank, structural_marks::StructuralMarks};

/// Reads the fields of records. The text may come in pieces of any length.
pub(super) struct FieldReader {
    delimiter: u8,
    /// The text of the current record so far.
    pub text: Vec<u8>,
    /// The position in `text` at which each field ends.
    pub ends: Vec<usize>,
    state: FieldState,
    /// The byte read last.
    pub last: u8,
    /// Line of the next byte. CR, LF and CRLF each end a line.
    pub at_line: u32,
    /// Facts about the quoted field read last: the line of its opening quote, whether it holds the delimiter, and, in
    /// `FieldState::Closed`, the position of its closing quote in the text.
    opened_at_line: u32,
    holds_delimiter: bool,
    closed_at: usize,
    /// The record's first quote in a place that allows none.
    pub stray: Option<StrayQuotePlace>,
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

impl FieldReader {
    pub(super) const fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            text: Vec::new(),
            ends: Vec::new(),
            state: FieldState::Begin,
            last: 0,
            at_line: 1,
            opened_at_line: 1,
            holds_delimiter: false,
            closed_at: 0,
            stray: None,
        }
    }

    /// Forgets the record that was read last.
    pub(super) fn begin_record(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.state = FieldState::Begin;
        self.stray = None;
    }

    /// Reads more of the current record, up to its line end or to the end of `bytes`. Returns the position after the
    /// line end, or `None` if `bytes` has no such line end.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = self.advance(bytes);
        let passed = &bytes[..end.unwrap_or(bytes.len())];
        self.last = passed.last().copied().unwrap_or(self.last);
        end
    }

    /// Passes a byte of a line end between two records.
    pub(super) fn skip_line_end(&mut self, byte: u8) {
        self.pass_line_end(byte, self.last);
        self.last = byte;
    }

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
