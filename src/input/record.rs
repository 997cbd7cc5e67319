//! Splits text into records: quotes, fields, line numbers, and the cap on a record's length.
//!
//! Must not know columns or charsets. A field is quoted if it begins with a quote; blanks may come before the quote.
//! Within quotes, two quotes stand for one, and only blanks may follow the closing quote. In any other field, quotes
//! are ordinary characters if they come in pairs. A record that breaks these rules is read to its end as the csv crate
//! reads it, and carries its fault. Tests compare this reader with that crate and with a plain reader. Both of them
//! examine every byte by itself; decoding took two and a half times as long that way.

use std::ops::Range;

use super::FileFault;
use super::blank::is_blank;
use super::mapping::LineRules;
use super::marks::Marks;
use crate::domain::QuoteFault;

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
    pub stray: Option<Stray>,
}

/// A quote in a place that allows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stray {
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
        let is_unpaired = |stray: Stray| stray.fault == QuoteFault::Unpaired && self.lines == 1;
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
    stray: Option<Stray>,
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

/// Splits text into records, however the text is split.
pub(super) struct RecordReader {
    delimiter: u8,
    /// The text of the current record so far.
    text: Vec<u8>,
    ends: Vec<usize>,
    state: State,
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
    /// `State::Closed`, the position of its closing quote in the text.
    opened_at_line: u32,
    holds_delimiter: bool,
    closed_at: usize,
    stray: Option<Stray>,
    /// Lines that are no records, if there may be any.
    ignored: Option<Box<IgnoredLines>>,
}

/// Finds the lines that are no records.
struct IgnoredLines {
    rules: LineRules,
    /// The reader is in such a line.
    is_inside: bool,
    /// The beginning of a line that may be one.
    held: Vec<u8>,
    /// Number of lines with a prefix, and the first of them (1 = first line).
    found: (u32, u32),
}

/// The reader's place in a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
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
    pub(super) const fn new(delimiter: u8, cap: usize) -> Self {
        Self {
            delimiter,
            text: Vec::new(),
            ends: Vec::new(),
            state: State::Begin,
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
    pub(super) fn ignoring(mut self, rules: &LineRules) -> Self {
        self.ignored = (!rules.is_empty()).then(|| {
            Box::new(IgnoredLines {
                rules: rules.clone(),
                is_inside: false,
                held: Vec::new(),
                found: (0, 0),
            })
        });
        self
    }

    /// Reads more of `input`, up to the end of a record, and removes the bytes that it reads from the front of
    /// `input`. Returns `false` if all input is read and the record continues, or no record has begun.
    ///
    /// # Errors
    /// Fails if the record is longer than the cap.
    pub(super) fn read(&mut self, input: &mut &[u8]) -> Result<bool, FileFault> {
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
    pub(super) fn ignored_lines(&self) -> Option<(u32, u32)> {
        let found = self.ignored.as_ref().map(|lines| lines.found);
        found.filter(|(count, _)| *count > 0)
    }

    /// Ends the input. Returns `true` if this ends a record that has no line end.
    ///
    /// # Errors
    /// Fails if the input ends inside quotes.
    pub(super) fn finish(&mut self) -> Result<bool, FileFault> {
        if self.read == 0 {
            // The last line may have been taken for the beginning of one that is no record.
            let held = self
                .ignored
                .as_mut()
                .map(|lines| std::mem::take(&mut lines.held));
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
    pub(super) fn record(&self) -> Record<'_> {
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
                Some(Passed::Held(held)) => break held,
                Some(Passed::All) => return false,
                // The line end is none that belongs to the line before.
                Some(Passed::UpToLineEnd) => self.last = 0,
            }
        };
        self.begin_with(&held);
        true
    }

    /// Begins a record with these bytes, which have no line end.
    fn begin_with(&mut self, held: &[u8]) {
        self.text.clear();
        self.ends.clear();
        self.state = State::Begin;
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
        for at in Marks::of(bytes, self.delimiter) {
            let byte = bytes[at];
            if at > next {
                self.pass_others();
            }
            match (self.state, byte) {
                (State::Begin, b'"') => {
                    self.copy(&bytes[from..at]);
                    self.open();
                    from = at + 1;
                }
                (State::Quoted, b'"') => {
                    self.copy(&bytes[from..at]);
                    self.state = State::Quote;
                    from = at + 1;
                }
                (State::Quote, b'"') => {
                    // Two quotes stand for one: the second one is kept.
                    self.state = State::Quoted;
                    from = at;
                }
                (State::Quoted, _) => {
                    let before = at.checked_sub(1).map_or(self.last, |before| bytes[before]);
                    self.pass_in_quotes(byte, before);
                }
                (_, b'"') => {
                    self.copy(&bytes[from..at]);
                    self.pass_quote();
                    from = at + usize::from(self.state == State::Quoted);
                }
                (_, b'\r' | b'\n') => {
                    self.end_field(&bytes[from..at]);
                    // Within the record, line ends occur only in quotes.
                    self.at_line = self.at_line.saturating_add(1);
                    return Some(at + 1);
                }
                (State::Odd | State::Closed, _) => {
                    self.end_field(&bytes[from..at]);
                    from = at;
                    self.state = State::Begin;
                }
                (_, _) => {
                    self.ends.push(self.text.len() + at - from);
                    self.state = State::Begin;
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
            State::Begin => self.state = State::Plain,
            State::Quote => {
                // All text before the quote is copied, and none of the text after it.
                self.closed_at = self.text.len();
                self.state = State::Closed;
            }
            _ => {}
        }
    }

    /// Begins a quoted field.
    fn open(&mut self) {
        self.state = State::Quoted;
        self.opened_at_line = self.at_line;
        self.holds_delimiter = false;
    }

    /// Passes a quote that neither begins its field nor is in quotes. All text before it is copied.
    #[cold]
    fn pass_quote(&mut self) {
        self.state = match self.state {
            State::Plain if is_blank(&self.text[self.field_start()..]) => {
                self.text.truncate(self.field_start());
                return self.open();
            }
            State::Plain | State::Even => State::Odd,
            State::Closed => {
                self.note_text_behind();
                State::Even
            }
            _ => State::Even,
        };
    }

    /// Ends a field that is copied completely. Text after a closing quote must be blank, and is dropped.
    fn close_field(&mut self) {
        match self.state {
            State::Odd => self.note(QuoteFault::Unpaired),
            State::Closed if is_blank(&self.text[self.closed_at..]) => {
                self.text.truncate(self.closed_at);
            }
            State::Closed => self.note_text_behind(),
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
        self.stray.get_or_insert(Stray { fault, field });
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

/// What [`IgnoredLines`] has read.
enum Passed {
    /// Nothing more: the line is a record that begins with these bytes, which were read before.
    Held(Vec<u8>),
    /// All input. The line goes on.
    All,
    /// A line that is no record, without its line end.
    UpToLineEnd,
}

impl IgnoredLines {
    /// Returns `true` if nothing of the current line has been read.
    const fn is_at_beginning(&self) -> bool {
        !self.is_inside && self.held.is_empty()
    }

    /// Reads the beginning of the line `at_line` from `input`, as far as it is no record or may be none.
    fn pass(&mut self, input: &mut &[u8], at_line: u32) -> Passed {
        if !self.is_inside {
            let is_leading = at_line <= self.rules.leading;
            self.is_inside = is_leading || self.begins_with_prefix(input);
            if self.is_inside && !is_leading {
                let (count, first) = self.found;
                let first = if count == 0 { at_line } else { first };
                self.found = (count.saturating_add(1), first);
            }
            if !self.is_inside && self.may_begin_with_prefix(input) {
                self.held.extend_from_slice(input);
                *input = &[];
                return Passed::All;
            }
        }
        if !self.is_inside {
            return Passed::Held(std::mem::take(&mut self.held));
        }
        self.held.clear();
        let end = input.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        *input = &input[end.unwrap_or(input.len())..];
        self.is_inside = end.is_none();
        match end {
            Some(_) => Passed::UpToLineEnd,
            None => Passed::All,
        }
    }

    fn begins_with_prefix(&self, input: &[u8]) -> bool {
        let begins = |prefix: &Vec<u8>| {
            let rest = prefix.strip_prefix(&*self.held);
            rest.is_some_and(|rest| input.starts_with(rest))
        };
        self.rules.prefixes.iter().any(begins)
    }

    /// Returns `true` if more bytes could make the line begin with a prefix.
    fn may_begin_with_prefix(&self, input: &[u8]) -> bool {
        let may = |prefix: &Vec<u8>| {
            let rest = prefix.strip_prefix(&*self.held);
            rest.is_some_and(|rest| rest.starts_with(input))
        };
        self.rules.prefixes.iter().any(may)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CAP: usize = 64 * 1024;

    /// Returns each record as `line:field|field`, with `~` at its end if its line does not end, and then the fault, if
    /// any.
    fn read(delimiter: u8, input: &[u8], step: usize) -> String {
        let mut reader = RecordReader::new(delimiter, CAP);
        let mut shown = Vec::new();
        let result = read_all(&mut reader, input, step, &mut shown);
        shown.extend(
            result
                .err()
                .map(|fault| fault.code().to_owned() + " " + &fault.subject()),
        );
        shown.join(" / ")
    }

    fn read_all(
        reader: &mut RecordReader,
        input: &[u8],
        step: usize,
        shown: &mut Vec<String>,
    ) -> Result<(), FileFault> {
        for mut chunk in input.chunks(step) {
            while reader.read(&mut chunk)? {
                shown.push(show(reader.record()));
            }
        }
        while reader.finish()? {
            shown.push(show(reader.record()));
        }
        Ok(())
    }

    fn show(record: Record<'_>) -> String {
        let fields: Vec<_> = record.fields().map(String::from_utf8_lossy).collect();
        let end = if record.terminated { "" } else { "~" };
        let stray = record.stray.map(|stray| {
            let Stray { fault, field } = stray;
            format!("!{fault:?} {field} {}", record.lines)
        });
        let stray = stray.unwrap_or_default();
        format!("{}:{}{end}{stray}", record.line, fields.join("|"))
    }

    fn assert_reads(input: &str, shown: &str) {
        for step in 1..=input.len().clamp(1, 40) {
            assert_eq!(
                read(b',', input.as_bytes(), step),
                shown,
                "{input:?} by {step}"
            );
        }
    }

    #[test]
    fn records_end_at_any_line_end_and_know_their_line() {
        assert_reads("", "");
        assert_reads("a,b\nc,d\n", "1:a|b / 2:c|d");
        assert_reads("a,b\r\nc,d\r\n", "1:a|b / 2:c|d");
        assert_reads("a,b\rc,d\r", "1:a|b / 2:c|d");
        assert_reads("a\r\nb\nc\rd\r\n", "1:a / 2:b / 3:c / 4:d");
        assert_reads("a\nb", "1:a / 2:b~");
        assert_reads("\n\r\n\ra\n\r\rb\n", "4:a / 7:b");
        assert_reads("\r\n\n", "");
    }

    #[test]
    fn quotes_hold_delimiters_line_breaks_and_doubled_quotes() {
        assert_reads("\"a,b\",\"c\nd\"\ne\n", "1:a,b|c\nd / 3:e");
        assert_reads("\"a\r\nb\r\nc\"\r\nd\r\n", "1:a\r\nb\r\nc / 4:d");
        assert_reads("\"a\rb\"\rc", "1:a\rb / 3:c~");
        assert_reads("\"a\"\"b\",\"\"\n", "1:a\"b|");
    }

    #[test]
    fn blanks_around_quotes_do_not_count() {
        assert_reads(" \"a,b\",\t\"c\"\n", "1:a,b|c");
        assert_reads("\"a,b\" ,\"c\"\t \n \"d\" ", "1:a,b|c / 2:d~");
        assert_reads("a, \"b\nc\" \r\nd\n", "1:a|b\nc / 3:d");
        assert_reads("\u{A0}\"a\"\u{A0},\u{FEFF}\"b\"\u{200B}\n", "1:a|b");
        assert_reads("\" a \", b \n", "1: a | b ");
        assert_reads("\"\" , \"\"\n", "1:|");
    }

    #[test]
    fn quotes_in_pairs_are_ordinary_in_a_value_that_begins_with_none() {
        assert_reads("a \"b\",=\"01\",\"\"\n", "1:a \"b\"|=\"01\"|");
        assert_reads("a\"\"b\"\",c\n", "1:a\"\"b\"\"|c");
    }

    #[test]
    fn an_odd_quote_is_stray() {
        assert_reads("a\"b,c\nd\n", "1:a\"b|c!Unpaired 0 1 / 2:d");
        assert_reads("a,b\"\nd\"", "1:a|b\"!Unpaired 1 1 / 2:d\"~!Unpaired 0 1");
        assert_reads("a \"\"\"b,c\n", "1:a \"\"\"b|c!Unpaired 0 1");
        assert_reads("=\"Whitlock, Jr.\"\n", "1:=\"Whitlock| Jr.\"!Unpaired 0 1");
    }

    #[test]
    fn text_behind_a_closing_quote_is_stray() {
        assert_reads("\"a\"b,c\nd\n", "1:ab|c!TextBehind 0 1 / 2:d");
        assert_reads("\"D \"Dee\"\",\"W\"\n", "1:D Dee\"\"|W!TextBehind 0 1");
        assert_reads("\"a\" \"b\",c\n", "1:a \"b\"|c!TextBehind 0 1");
        assert_reads("x,\"a,\"b\",c\n", "1:x|a,b\"|c!TextBehind 1 1");
        assert_reads("\"a\"\u{A0}b\n", "1:a\u{A0}b!TextBehind 0 1");
    }

    #[test]
    fn a_backslash_before_a_quote_is_named() {
        assert_reads(
            "\"D \\\"Dee\\\"\",\"W\"\n",
            "1:D \\Dee\\\"\"|W!Backslash 0 1",
        );
        assert_reads("\"T\\\"\",\"b\",c\n", "1:T\\\",b\"|c!Backslash 0 1");
        assert_reads("\"T\\\\\",b\n", "1:T\\\\|b");
    }

    #[test]
    fn a_quoted_value_that_spans_lines_and_holds_the_delimiter_is_not_closed() {
        assert_reads("a,\"b\nc,\" \nd\n", "1:a|b\nc,!Unclosed 1 2 / 3:d");
        assert_reads("\"a,b\nc\"\nd\n", "1:a,b\nc!Unclosed 0 2 / 3:d");
        assert_reads("a,\"b\n\"c\",\"d\"\ne\n", "1:a|b\nc\"|d!Unclosed 1 2 / 3:e");
        assert_reads("\"a\r\nb\",\"c,d\"\r\n", "1:a\r\nb|c,d");
        assert_reads("\"a\r\nb,\r\nc\"\r\n", "1:a\r\nb,\r\nc!Unclosed 0 3");
    }

    #[test]
    fn line_breaks_of_two_fields_are_not_one_crlf() {
        assert_reads("\"a\r\",\"\nb\"\nc\n", "1:a\r|\nb / 4:c");
    }

    #[test]
    fn an_empty_last_field_is_a_field() {
        assert_reads("a,\n,b\n,", "1:a| / 2:|b / 3:|~");
        assert_reads("\"\"", "1:~");
    }

    #[test]
    fn a_byte_order_mark_is_text_however_it_arrives() {
        assert_reads("\u{FEFF}a\n", "1:\u{FEFF}a");
    }

    #[test]
    fn a_quote_never_closed_is_a_fault_that_names_the_records_line() {
        assert_reads("a\n\n\"b\nc\n", "1:a / UNCLOSED_QUOTE line 3");
        assert_reads("a,\"b\"\"", "UNCLOSED_QUOTE line 1");
        assert_reads("\"", "UNCLOSED_QUOTE line 1");
        assert_reads("a,\"b\"", "1:a|b~");
    }

    #[test]
    fn a_record_may_be_as_long_as_the_cap_and_no_longer() {
        for end in ["", "\n", "\r\n", ",\n"] {
            let longest = "x".repeat(CAP - end.trim_end().len()) + end;
            for step in [1, 100, CAP, CAP + 1, 2 * CAP] {
                assert!(read(b',', longest.as_bytes(), step).starts_with("1:xxx"));
                let longer = format!("\n{}", longest.replacen('x', "xx", 1));
                let shown = read(b',', longer.as_bytes(), step);
                assert_eq!(shown, "RECORD_TOO_LONG line 2", "{end:?} by {step}");
            }
        }
    }

    #[test]
    fn a_record_may_be_all_delimiters() {
        let shown = read(b';', &vec![b';'; CAP], 1000);
        assert_eq!(shown.len(), "1:".len() + CAP + "~".len());
        assert_eq!(
            read(b';', &vec![b';'; CAP + 1], 1000),
            "RECORD_TOO_LONG line 1"
        );
    }

    #[test]
    fn an_unclosed_quote_that_swallows_the_file_stops_at_the_cap() {
        let input = format!("a\n\"b\n{}", "c,d\n".repeat(CAP));
        assert_eq!(
            read(b',', input.as_bytes(), 4096),
            "1:a / RECORD_TOO_LONG line 2"
        );
    }

    #[test]
    fn an_unclosed_quote_of_just_the_cap_is_an_unclosed_quote() {
        let input = format!("\"{}", "b".repeat(CAP - 1));
        assert_eq!(read(b',', input.as_bytes(), 4096), "UNCLOSED_QUOTE line 1");
    }

    /// Returns the records of `text`, each with its fault, and whether the text ends within quotes.
    fn records(text: &str, step: usize) -> (Vec<Plain>, bool) {
        let mut reader = RecordReader::new(b',', CAP);
        let mut records = Vec::new();
        let mut note = |record: Record<'_>| {
            let fields = record
                .fields()
                .map(|field| String::from_utf8_lossy(field).into());
            let faults = record.stray.map(|stray| (stray.field, stray.fault));
            records.push((fields.collect(), faults));
        };
        for mut chunk in text.as_bytes().chunks(step) {
            while reader.read(&mut chunk).expect("within the cap") {
                note(reader.record());
            }
        }
        let end = reader.finish();
        if end == Ok(true) {
            note(reader.record());
        }
        (records, end.is_err())
    }

    /// Fields, and the first stray quote with its field.
    type Plain = (Vec<String>, Option<(usize, QuoteFault)>);

    /// Returns the records as the csv crate reads them. For that crate, a quote that is never closed is no fault.
    fn reference(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true);
        let records = reader.from_reader(text.as_bytes()).into_records();
        let records = records.map(|record| record.expect("memory can be read"));
        records
            .map(|record| record.iter().map(str::to_owned).collect())
            .collect()
    }

    /// Reads records by the rules of strict quoting, one character at a time: the plain version of the reader. Returns
    /// `None` if the text ends within quotes.
    fn plain(text: &str) -> Option<Vec<Plain>> {
        let text: Vec<char> = text.chars().collect();
        let (mut records, mut at) = (Vec::new(), 0);
        while at < text.len() {
            if matches!(text[at], '\r' | '\n') {
                at += 1;
                continue;
            }
            let (mut fields, mut stray) = (Vec::new(), None);
            loop {
                let (field, fault) = plain_field(&text, &mut at)?;
                stray = stray.or(fault.map(|fault| (fields.len(), fault)));
                fields.push(field);
                at += 1;
                if at > text.len() || text[at - 1] != ',' {
                    break;
                }
            }
            records.push((fields, stray));
        }
        Some(records)
    }

    fn plain_field(text: &[char], at: &mut usize) -> Option<(String, Option<QuoteFault>)> {
        let is_end = |c: &char| matches!(c, ',' | '\r' | '\n');
        let unquoted = |from: usize| {
            let length = text[from..].iter().take_while(|c| !is_end(c)).count();
            text[from..from + length].iter().collect::<String>()
        };
        let is_blank = |text: &str| text.chars().all(crate::domain::is_trimmed);
        let whole = unquoted(*at);
        let leading = whole.find('"').filter(|&quote| is_blank(&whole[..quote]));
        let Some(leading) = leading else {
            *at += whole.chars().count();
            let odd = whole.matches('"').count() % 2 == 1;
            return Some((whole, odd.then_some(QuoteFault::Unpaired)));
        };
        *at += whole[..leading].chars().count() + 1;
        let mut value = String::new();
        loop {
            match (text.get(*at)?, text.get(*at + 1)) {
                ('"', Some('"')) => *at += 1,
                ('"', _) => break,
                _ => {}
            }
            value.push(text[*at]);
            *at += 1;
        }
        *at += 1;
        let behind = unquoted(*at);
        *at += behind.chars().count();
        let spans = value.contains(['\r', '\n']);
        let fault = match is_blank(&behind) {
            _ if spans && value.contains(',') => Some(QuoteFault::Unclosed),
            true => None,
            false if value.contains("\\\"") || value.ends_with('\\') => Some(QuoteFault::Backslash),
            false if spans => Some(QuoteFault::Unclosed),
            false => Some(QuoteFault::TextBehind),
        };
        Some((
            if is_blank(&behind) {
                value
            } else {
                value + &behind
            },
            fault,
        ))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Holds for any ill-formed text and for any split.
        #[test]
        fn any_text_without_blanks_is_read_as_the_csv_crate_reads_it(
            text in prop_oneof!["[a,\"\r\n;\u{E9}]{0,40}", "([a-z]{0,30}[,\"\r\n]{0,2}){0,20}"],
            step in 1usize..200,
        ) {
            let (read, unclosed) = records(&text, step);
            let mut expected = reference(&text);
            if unclosed {
                expected.pop();
            }
            let read: Vec<_> = read.into_iter().map(|(fields, _)| fields).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn any_text_is_read_as_the_plain_reader_reads_it(
            text in prop_oneof![
                "[a,\"\r\n \u{A0}\\\\]{0,40}",
                "( ?\"?[a\\\\ \n,]{0,3}\"? ?[,\n]){0,12}",
                "([a-z \t]{0,30}[,\" \r\n]{0,3}){0,20}",
            ],
            step in 1usize..200,
        ) {
            let (read, unclosed) = records(&text, step);
            match plain(&text) {
                Some(expected) => prop_assert_eq!(read, expected),
                None => prop_assert!(unclosed, "{:?}", read),
            }
        }
    }
}
