//! A CSV file up to the end of its header: a `sep=` line, blank lines, the delimiter.
//!
//! Quotes count only at the start of a field, so the end of the header depends on the delimiter. Each possible
//! delimiter therefore reads the text by itself until all have a first record. The delimiter that finds the most known
//! names then reads the rows.

use std::sync::Arc;

use super::delimiter::{DELIMITERS, FirstLine};
use super::mapping::CompiledMapping;
use super::mistaken_file::{HEAD_BYTES, identify, known_names};
use super::record::RecordReader;
use super::{FileFault, MistakenFile};

/// Number of bytes as received that are kept to identify a file that is not text. A workbook names its parts early.
const BYTES: usize = 4 * 1024;

/// Reads text until the header is known.
pub(super) struct Preamble {
    mapping: Arc<CompiledMapping>,
    /// The delimiter option, which wins over a `sep=` line.
    declared: Option<u8>,
    /// Longest record.
    cap: usize,
    /// The beginning of the file, as received and as text. Both identify a file without a header.
    bytes: Vec<u8>,
    head: Vec<u8>,
    /// Text that some candidate has not read yet, or from which its rows are still to be read.
    pending: Vec<u8>,
    /// Empty until the first line is known.
    candidates: Vec<DelimiterCandidate>,
}

/// The reader that continues after the header, and the text that it has yet to read.
pub(super) struct ReaderAfterHeader {
    /// Its record is the header.
    pub records: RecordReader,
    /// Text after the header that has already been received.
    pub rest: Vec<u8>,
    pub delimiter: u8,
}

impl Preamble {
    pub(super) fn new(declared: Option<u8>, cap: usize, mapping: Arc<CompiledMapping>) -> Self {
        Self {
            mapping,
            declared,
            cap,
            bytes: Vec::new(),
            head: Vec::new(),
            pending: Vec::new(),
            candidates: Vec::new(),
        }
    }

    /// Takes more text; `last` says that no more follows. Returns `true` once the header is found or known to be
    /// missing; [`take_found`](Self::take_found) then says which.
    ///
    /// # Errors
    /// Fails if a `sep=` line states an unsupported delimiter.
    pub(super) fn push(&mut self, text: &[u8], last: bool) -> Result<bool, FileFault> {
        let missing = HEAD_BYTES - self.head.len();
        self.head
            .extend_from_slice(&text[..missing.min(text.len())]);
        self.pending.extend_from_slice(text);
        if self.candidates.is_empty() && !self.read_first_line(last)? {
            return Ok(false);
        }
        for candidate in &mut self.candidates {
            candidate.read(&self.pending, last, &self.mapping);
        }
        self.forget_what_all_have_read();
        let is_settled = self.candidates.iter().all(DelimiterCandidate::is_settled);
        let is_named = self.candidates.iter().any(|c| c.known > 0);
        // If no name is known, more of the text helps to identify the file.
        Ok(is_settled && (is_named || last || self.head.len() == HEAD_BYTES))
    }

    /// Keeps the next bytes as received, to identify the file.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        let missing = BYTES - self.bytes.len();
        self.bytes
            .extend_from_slice(&bytes[..missing.min(bytes.len())]);
    }

    /// Returns the header that the best candidate found.
    ///
    /// # Errors
    /// Fails if there is no header, or if the header's record cannot be read.
    pub(super) fn take_found(&mut self) -> Result<ReaderAfterHeader, FileFault> {
        let is_blank = self.candidates.iter().any(DelimiterCandidate::has_nothing);
        let mistaken = identify(&self.bytes, &self.head, is_blank, &self.mapping);
        let no_header = FileFault::NoHeader { mistaken };
        // Among equals `max_by_key` returns the last. In reversed order that is the delimiter that comes first.
        let best = std::mem::take(&mut self.candidates).into_iter().rev();
        let Some(best) = best.max_by_key(|c| (c.known, c.has_record())) else {
            return Err(no_header);
        };
        match best.state {
            CandidateState::Found if best.known > 0 => {
                self.pending.drain(..best.read);
                Ok(ReaderAfterHeader {
                    records: best.records,
                    rest: std::mem::take(&mut self.pending),
                    delimiter: best.delimiter,
                })
            }
            // A file that is not CSV may fail in any way.
            CandidateState::Failed(fault)
                if best.known > 0 || mistaken == MistakenFile::Headless =>
            {
                Err(fault)
            }
            _ => Err(no_header),
        }
    }

    fn candidate(&self, delimiter: u8) -> DelimiterCandidate {
        let records = RecordReader::new(delimiter, self.cap).ignoring(self.mapping.lines());
        DelimiterCandidate::new(delimiter, records)
    }

    /// Chooses the candidates once the first line is known. The line end of a `sep=` line is left to the candidates,
    /// so that they count the line.
    fn read_first_line(&mut self, last: bool) -> Result<bool, FileFault> {
        let stated = match FirstLine::read(&self.pending, last) {
            FirstLine::Unknown => return Ok(false),
            FirstLine::Ordinary => Ok(None),
            FirstLine::Sep { length, delimiter } => {
                self.pending.drain(..length);
                delimiter
            }
        };
        let delimiter = match self.declared {
            Some(delimiter) => Some(delimiter),
            None => stated?,
        };
        self.candidates = match delimiter {
            Some(delimiter) => vec![self.candidate(delimiter)],
            None => DELIMITERS.map(|delimiter| self.candidate(delimiter)).into(),
        };
        Ok(true)
    }

    /// Limits `pending` to a record and a chunk. A settled candidate with a known name needs the text after its
    /// header. The others are then all within one record, because no candidate takes a line with a name in it for
    /// blank.
    fn forget_what_all_have_read(&mut self) {
        let needing = self
            .candidates
            .iter()
            .filter(|c| !c.is_settled() || c.known > 0);
        let read = needing.map(|c| c.read).min().unwrap_or_default();
        self.pending.drain(..read);
        for candidate in &mut self.candidates {
            candidate.read = candidate.read.saturating_sub(read);
        }
    }
}

/// A delimiter that the file may have, and its reading of the header.
struct DelimiterCandidate {
    delimiter: u8,
    records: RecordReader,
    /// Length of the pending text that the candidate has read.
    read: usize,
    /// Number of known names in the header; 0 until settled.
    known: usize,
    state: CandidateState,
}

enum CandidateState {
    Reading,
    /// The reader's record is the first that is not blank.
    Found,
    Failed(FileFault),
    /// The text has ended without a record.
    Nothing,
}

impl DelimiterCandidate {
    fn new(delimiter: u8, records: RecordReader) -> Self {
        Self {
            delimiter,
            records,
            read: 0,
            known: 0,
            state: CandidateState::Reading,
        }
    }

    fn is_settled(&self) -> bool {
        !matches!(self.state, CandidateState::Reading)
    }

    fn has_record(&self) -> bool {
        matches!(self.state, CandidateState::Found)
    }

    fn has_nothing(&self) -> bool {
        matches!(self.state, CandidateState::Nothing)
    }

    /// Reads more of `text`; if `last`, the text ends there.
    fn read(&mut self, text: &[u8], last: bool, mapping: &CompiledMapping) {
        if self.is_settled() {
            return;
        }
        let mut rest = &text[self.read..];
        self.state = match self.first_record(&mut rest, last) {
            Ok(true) => CandidateState::Found,
            Ok(false) if last => CandidateState::Nothing,
            Ok(false) => CandidateState::Reading,
            Err(fault) => CandidateState::Failed(fault),
        };
        self.read = text.len() - rest.len();
        if self.is_settled() {
            self.known = known_names(self.records.record(), mapping);
        }
    }

    fn first_record(&mut self, text: &mut &[u8], last: bool) -> Result<bool, FileFault> {
        while self.records.read(text)? {
            if !self.records.record().is_blank() {
                return Ok(true);
            }
        }
        Ok(last && self.records.finish()? && !self.records.record().is_blank())
    }
}

#[cfg(test)]
mod tests {
    use super::super::decoder_harness::{REQUIRED, header, ignoring, read, read_with};
    use super::super::{CsvOptions, Mapping};
    use super::*;

    fn empty() -> Preamble {
        let mapping = CompiledMapping::new(&Mapping::default()).unwrap();
        Preamble::new(None, 64 * 1024, Arc::new(mapping))
    }

    #[test]
    fn blank_lines_may_stand_before_the_header() {
        let input = format!("\r\n;;;\n \n{}\ne;b;f;l;s;u;r", REQUIRED.replace(',', ";"));
        assert_eq!(read(input), "1@5: e|b|f|l|s|u|r");
    }

    #[test]
    fn a_delimiter_is_found_by_the_names_in_the_header() {
        for delimiter in [",", ";", "\t", "|"] {
            let line = REQUIRED.replace(',', delimiter);
            let quoted = line.replace("EMAIL", "\"EMAIL\"") + delimiter + "\"Rank\"";
            for header in [quoted, line] {
                let input = format!("{header}\n{}\n", "e,b,f,l,s,u,r".replace(',', delimiter));
                assert!(read(&input).starts_with("1@2: e|b|f|l|s|u|r"), "{input}");
            }
        }
    }

    #[test]
    fn other_delimiters_in_header_cells_do_not_mislead() {
        let input = "\"a,EMAIL,b,c\";\"x\ny|z\";EMAIL;BADGE_NUMBER;FIRST_NAME;LAST_NAME;STATUS;\
                     USERNAME;ROLE\n1;2;e;b;f;l;s;u;r\n";
        assert_eq!(read_with(&ignoring(), input), "1@3: e|b|f|l|s|u|r");
        let header = header(&ignoring(), input);
        assert_eq!(header.ignored, ["a,EMAIL,b,c", "x\u{FFFD}y|z"]);
        assert_eq!(header.delimiter, ';');
    }

    #[test]
    fn a_quote_that_only_another_delimiter_opens_does_not_hold_up_the_rows_for_good() {
        let input = format!("{REQUIRED},a;\"b\n{}", "e,b,f,l,s,u,r,x\n".repeat(3));
        let row = "e|b|f|l|s|u|r";
        assert_eq!(
            read_with(&ignoring(), input),
            format!("1@2: {row}\n2@3: {row}\n3@4: {row}")
        );
    }

    #[test]
    fn a_sep_line_is_a_line_and_no_header() {
        for sep in [
            "sep=;\n",
            "sep=;\r\n",
            "\"sep=;\"\r\n",
            "SEP=;\r",
            "sep=;;;;;;;\n",
        ] {
            let input = format!("{sep}{}\r\ne;b;f;l;s;u;r\r\n", REQUIRED.replace(',', ";"));
            assert_eq!(read(&input), "1@3: e|b|f|l|s|u|r", "{sep:?}");
            assert_eq!(
                read(format!("\u{FEFF}{input}")),
                "1@3: e|b|f|l|s|u|r",
                "{sep:?}"
            );
        }
    }

    #[test]
    fn the_delimiter_option_wins_over_a_sep_line_whatever_it_says() {
        let option = CsvOptions {
            delimiter: ",".to_owned(),
            ..CsvOptions::default()
        };
        for sep in ["sep=;", "sep=:", "sep="] {
            let input = format!("{sep}\n{REQUIRED}\ne,b,f,l,s,u,r\n");
            assert_eq!(read_with(&option, input), "1@3: e|b|f|l|s|u|r", "{sep:?}");
        }
    }

    #[test]
    fn of_delimiters_that_find_as_many_names_the_comma_wins() {
        let shown = read("EMAIL,x;STATUS\n");
        assert!(shown.contains("column \"x;STATUS\""), "{shown}");
    }

    #[test]
    fn of_delimiters_that_find_as_many_names_one_that_reads_the_header_wins() {
        let shown = read("EMAIL,\"a;STATUS;\n");
        assert!(shown.contains("column \"EMAIL,\"a\""), "{shown}");
        assert_eq!(read("jane,\"Doe\n"), read("jane,Doe\n"));
    }

    #[test]
    fn a_workbook_is_recognised_even_if_a_quote_in_it_is_never_closed() {
        let shown = read("PK\u{3}\u{4}[Content_Types].xml,\"\t\";\"|\"");
        assert!(shown.contains("Excel workbook"), "{shown}");
        assert!(read("\"jane\n").starts_with("UNCLOSED_QUOTE"));
    }

    #[test]
    fn blank_lines_without_end_are_not_kept() {
        let mut preamble = empty();
        for _ in 0..100 {
            // Under a comma this line is a record, but one without a name.
            assert_eq!(preamble.push(&b";;;;\n".repeat(100), false), Ok(false));
            assert_eq!(preamble.pending.len(), 0);
        }
    }

    #[test]
    fn while_one_candidate_still_reads_the_rows_behind_the_header_are_kept() {
        let mut preamble = empty();
        let rest = b"e;b\n".repeat(100);
        assert_eq!(preamble.push(b"EMAIL;x,\"\n", false), Ok(false));
        assert_eq!(preamble.push(&rest, false), Ok(false));
        assert_eq!(preamble.push(b"\"\n", false), Ok(true));
        let found = preamble.take_found().map_err(|fault| fault.code()).unwrap();
        assert_eq!(found.rest, [&rest[..], b"\"\n"].concat());
        assert_eq!(found.delimiter, b';');
    }
}
