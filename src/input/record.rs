//! Text into records: quotes, fields, line numbers, and the cap on a record's length.
//!
//! Knows nothing of columns or charsets. csv-core does the splitting. It never fails, counts only
//! `\n` as a line, and cannot be asked whether it is inside quotes; all three are made good here.

use std::ops::Range;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::FileFault;
use super::blank::is_blank;

/// One record, borrowed from its reader until the next is read.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    /// The fields end to end, unquoted.
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
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
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
    csv: Reader,
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    /// Bytes read of the current record; 0 between records.
    read: usize,
    place: Place,
    line: u32,
    terminated: bool,
    /// Longest record.
    cap: usize,
}

impl RecordReader {
    /// A reader for fields separated by `delimiter`, an ASCII character, in records of at most `cap`
    /// bytes.
    pub fn new(delimiter: u8, cap: usize) -> Self {
        let mut csv = ReaderBuilder::new().delimiter(delimiter).build();
        // csv-core takes a byte order mark off its very first bytes, but only where three of them
        // come at once. The mark is the charset's business: have something read before it.
        csv.read_record(b"\n", &mut [0], &mut [0]);
        Self {
            csv,
            // Neither can overflow: a record is at most one byte longer than the cap when it is
            // refused, and each field but the first needs a delimiter.
            text: vec![0; cap + 1],
            ends: vec![0; cap + 2],
            text_len: 0,
            ends_len: 0,
            read: 0,
            place: Place::default(),
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
        while self.read <= self.cap && !input.is_empty() {
            let most = input.len().min(self.cap + 1 - self.read);
            if self.advance(input, most) {
                self.read = 0;
                self.terminated = true;
                return Ok(true);
            }
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
            text: &self.text[..self.text_len],
            ends: &self.ends[..self.ends_len],
            line: self.line,
            terminated: self.terminated,
        }
    }

    /// Takes line ends off the front of `input`, empty lines among them, and begins a record with
    /// what follows. `false`: nothing follows.
    fn begin(&mut self, input: &mut &[u8]) -> bool {
        let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let breaks = input.iter().take_while(|byte| is_break(byte)).count();
        let (skipped, rest) = input.split_at(breaks);
        self.place.pass(skipped);
        *input = rest;
        self.text_len = 0;
        self.ends_len = 0;
        self.line = self.place.line;
        !rest.is_empty()
    }

    /// Hands csv-core at most `most` bytes of `input`. `true`: a record ended.
    fn advance(&mut self, input: &mut &[u8], most: usize) -> bool {
        let text = &mut self.text[self.text_len..];
        let ends = &mut self.ends[self.ends_len..];
        let (result, read, written, ended) = self.csv.read_record(&input[..most], text, ends);
        let (passed, rest) = input.split_at(read);
        self.place.pass(passed);
        *input = rest;
        self.text_len += written;
        self.ends_len += ended;
        self.read += read;
        result == ReadRecordResult::Record
    }
}

/// A place in the text, by line. LF, CR and CRLF each end one.
struct Place {
    line: u32,
    after_cr: bool,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            line: 1,
            after_cr: false,
        }
    }
}

impl Place {
    /// Moves on past `text`.
    fn pass(&mut self, text: &[u8]) {
        let (Some(first), Some(last)) = (text.first(), text.last()) else {
            return;
        };
        let breaks = text.iter().filter(|b| matches!(b, b'\r' | b'\n')).count();
        // Nearly every record has but the one at its end, and needs no second look.
        let pairs = match breaks {
            0 | 1 => 0,
            _ => text.windows(2).filter(|pair| *pair == b"\r\n").count(),
        };
        let split_pair = usize::from(self.after_cr && *first == b'\n');
        let lines = u32::try_from(breaks - pairs - split_pair).unwrap_or(u32::MAX);
        self.line = self.line.saturating_add(lines);
        self.after_cr = *last == b'\r';
    }
}

#[cfg(test)]
mod tests {
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
}
