//! Text into records: quotes, fields, line numbers, and the cap on a record's length.
//!
//! Knows nothing of columns or charsets. A field is in quotes where it begins with one; within them two are one,
//! and what is behind the closing one, up to the delimiter, belongs to the field as it is. A quote anywhere else
//! is a character like others. Those are the rules of the csv crate, to which a test compares; but that one looks
//! at every byte by itself, with which decoding took two and a half times as long.

use std::ops::Range;

use super::FileFault;
use super::blank::is_blank;
use super::marks::Marks;

/// One record, borrowed from its reader until the next is read.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    /// The fields, unquoted, with one delimiter between any two.
    pub text: &'a [u8],
    /// Where in `text` each field ends.
    ends: &'a [usize],
    /// Line on which the record starts (1 = first line).
    pub line: u32,
    /// False: the input ended before the record's line did.
    pub terminated: bool,
}

impl<'a> Record<'a> {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where in the text field number `index` (from 0) is, where there is one.
    pub fn span(&self, index: usize) -> Option<Range<usize>> {
        let end = *self.ends.get(index)?;
        let start = index
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] + 1);
        Some(start..end)
    }

    /// The fields, in order.
    pub fn fields(self) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        (0..self.len())
            .filter_map(move |index| self.span(index))
            .map(move |span| &self.text[span])
    }

    /// True where no field shows anything, as in a line of delimiters.
    pub fn is_blank(self) -> bool {
        self.fields().all(is_blank)
    }
}

/// Splits text into records, however the text is split.
pub(super) struct RecordReader {
    delimiter: u8,
    /// What has been read of the current record.
    text: Vec<u8>,
    ends: Vec<usize>,
    state: State,
    /// Bytes read of the current record, quotes among them; 0 between records.
    read: usize,
    /// The byte read last.
    last: u8,
    /// Where the next byte stands. CR, LF and CRLF each end a line.
    at_line: u32,
    /// Where the record starts.
    line: u32,
    terminated: bool,
    /// Longest record.
    cap: usize,
}

/// Where in a field a reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// At its beginning.
    Begin,
    /// Where a quote is a character like others.
    Plain,
    /// In quotes.
    Quoted,
    /// Behind a quote in quotes: the closing one, unless another follows.
    Quote,
}

impl RecordReader {
    /// A reader for fields separated by `delimiter`, an ASCII character, in records of at most `cap`
    /// bytes.
    pub const fn new(delimiter: u8, cap: usize) -> Self {
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
        }
    }

    /// Reads on in `input`, taking what it reads off its front, to the end of a record. `false`:
    /// all is read, and the record goes on (or none has begun).
    ///
    /// # Errors
    /// Where the record is longer than the cap.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<bool, FileFault> {
        if self.read == 0 && !self.begin(input) {
            return Ok(false);
        }
        // One byte beyond the cap: it may be the line end of a record just as long as allowed.
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

    /// Ends the input. `true`: this was the end of a record that has no line end.
    ///
    /// # Errors
    /// Where the input ends inside quotes.
    pub fn finish(&mut self) -> Result<bool, FileFault> {
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

    /// The record that was read last, or what there is of it so far.
    pub fn record(&self) -> Record<'_> {
        Record {
            text: &self.text,
            ends: &self.ends,
            line: self.line,
            terminated: self.terminated,
        }
    }

    /// Takes line ends off the front of `input`, empty lines among them, and begins a record with
    /// what follows. `false`: nothing follows.
    fn begin(&mut self, input: &mut &[u8]) -> bool {
        while let Some((&byte, rest)) = input.split_first()
            && matches!(byte, b'\r' | b'\n')
        {
            self.pass_line_end(byte, self.last);
            self.last = byte;
            *input = rest;
        }
        self.text.clear();
        self.ends.clear();
        self.state = State::Begin;
        self.line = self.at_line;
        !input.is_empty()
    }

    /// Reads on in the current record, to its line end or to the end of `bytes`. Returns where its line end ends,
    /// if it is there.
    fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        // What has not been copied yet begins here.
        let mut from = 0;
        // Of a mark that is the first byte of its field, or that is next to a quote.
        let mut next = 0;
        for at in Marks::of(bytes, self.delimiter) {
            let byte = bytes[at];
            if at > next && matches!(self.state, State::Begin | State::Quote) {
                self.state = State::Plain;
            }
            match (self.state, byte) {
                (State::Begin, b'"') => {
                    self.copy(&bytes[from..at]);
                    self.state = State::Quoted;
                    from = at + 1;
                }
                (State::Quoted, b'"') => {
                    self.copy(&bytes[from..at]);
                    self.state = State::Quote;
                    from = at + 1;
                }
                (State::Quote, b'"') => {
                    // The second of two is the one that is kept.
                    self.state = State::Quoted;
                    from = at;
                }
                (State::Quoted, b'\r' | b'\n') => {
                    let before = at.checked_sub(1).map_or(self.last, |before| bytes[before]);
                    self.pass_line_end(byte, before);
                }
                (State::Plain, b'"') | (State::Quoted, _) => {}
                (_, b'\r' | b'\n') => {
                    self.copy(&bytes[from..at]);
                    self.ends.push(self.text.len());
                    // No line has ended in the record, unless in quotes.
                    self.at_line = self.at_line.saturating_add(1);
                    return Some(at + 1);
                }
                (_, _) => {
                    self.ends.push(self.text.len() + at - from);
                    self.state = State::Begin;
                }
            }
            next = at + 1;
        }
        self.copy(&bytes[from..]);
        if next < bytes.len() && matches!(self.state, State::Begin | State::Quote) {
            self.state = State::Plain;
        }
        None
    }

    fn copy(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
    }

    /// Counts a line that ends with this byte, unless it is the second of CRLF.
    fn pass_line_end(&mut self, byte: u8, before: u8) {
        let ends = byte == b'\r' || before != b'\r';
        self.at_line = self.at_line.saturating_add(ends.into());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CAP: usize = 64 * 1024;

    /// Each record as `line:field|field`, `~` at its end where its line does not end; at last the
    /// fault, if any.
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
        format!("{}:{}{end}", record.line, fields.join("|"))
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
        assert_reads("a\"b,c\"\n", "1:a\"b|c\"");
        assert_reads("\"a\"b,c\n", "1:ab|c");
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

    /// The records of `text`, and whether it ends within quotes.
    fn fields(text: &str, step: usize) -> (Vec<Vec<Vec<u8>>>, bool) {
        let mut reader = RecordReader::new(b',', CAP);
        let mut records = Vec::new();
        let mut note =
            |record: Record<'_>| records.push(record.fields().map(<[u8]>::to_vec).collect());
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

    /// The same as the csv crate has it, to which a quote that is never closed is no fault.
    fn reference(text: &str) -> Vec<Vec<Vec<u8>>> {
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true);
        let records = reader.from_reader(text.as_bytes()).into_byte_records();
        let records = records.map(|record| record.expect("memory can be read"));
        records
            .map(|record| record.iter().map(<[u8]>::to_vec).collect())
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// However ill-formed it is, and however it is split.
        #[test]
        fn any_text_is_read_as_the_csv_crate_reads_it(
            text in prop_oneof!["[a,\"\r\n;\u{E9}]{0,40}", "([a-z]{0,30}[,\"\r\n]{0,2}){0,20}"],
            step in 1usize..200,
        ) {
            let (read, unclosed) = fields(&text, step);
            let mut expected = reference(&text);
            if unclosed {
                expected.pop();
            }
            prop_assert_eq!(read, expected);
        }
    }
}
