//! A CSV file up to the end of its header: a `sep=` line, blank lines, the delimiter.
//!
//! Quotes count only at the start of a field, so where the header ends depends on the delimiter.
//! Each delimiter that is possible therefore reads the text for itself, until all have a first
//! record; the one that finds most known names goes on to read the rows.

use super::delimiter::{DELIMITERS, FirstLine};
use super::name::Name;
use super::record::{Record, RecordReader};
use super::{FileFault, Mistaken};

/// Reads text until the header is known.
#[derive(Default)]
pub(super) struct Preamble {
    /// The delimiter option, which wins over a `sep=` line.
    declared: Option<u8>,
    /// First bytes of the text, four at most: they tell what a file without a header is.
    opening: Vec<u8>,
    /// Text that some candidate has not read, or that its rows are yet to be read from.
    pending: Vec<u8>,
    /// Empty until the first line is known.
    candidates: Vec<Candidate>,
}

/// The reader that goes on behind the header, and the text that it has yet to read.
pub(super) struct Found {
    /// Its record is the header.
    pub records: RecordReader,
    /// Text behind the header that has already been received.
    pub rest: Vec<u8>,
    pub delimiter: u8,
}

impl Preamble {
    pub fn new(declared: Option<u8>) -> Self {
        Self {
            declared,
            ..Self::default()
        }
    }

    /// Takes more text; `last`: there is no more. `true`: the header is known, or that there is
    /// none, and [`into_found`](Self::into_found) says which.
    ///
    /// # Errors
    /// Where a `sep=` line states a delimiter that is not read.
    pub fn push(&mut self, text: &[u8], last: bool) -> Result<bool, FileFault> {
        let missing = 4 - self.opening.len();
        self.opening.extend(text.iter().take(missing));
        self.pending.extend_from_slice(text);
        if self.candidates.is_empty() && !self.read_first_line(last)? {
            return Ok(false);
        }
        for candidate in &mut self.candidates {
            candidate.read(&self.pending, last);
        }
        self.forget_what_all_have_read();
        Ok(self.candidates.iter().all(Candidate::is_settled))
    }

    /// Bytes of text that are kept.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.pending.len()
    }

    /// What the best candidate found.
    ///
    /// # Errors
    /// Where there is no header, or it is a record that cannot be read.
    pub fn into_found(self) -> Result<Found, FileFault> {
        let is_blank = self.candidates.iter().any(Candidate::has_nothing);
        let no_header = FileFault::NoHeader {
            mistaken: mistaken(&self.opening, is_blank),
        };
        // The last of equals is the maximum: the candidates reversed, the most usual delimiter.
        let best = self.candidates.into_iter().rev();
        let Some(best) = best.max_by_key(|c| (c.known, c.has_record())) else {
            return Err(no_header);
        };
        match best.state {
            State::Failed(fault) => Err(fault),
            State::Found if best.known > 0 => Ok(Found {
                rest: self.pending[best.read..].to_vec(),
                records: best.records,
                delimiter: best.delimiter,
            }),
            _ => Err(no_header),
        }
    }

    /// Chooses the candidates, once the first line is known. Of a `sep=` line the line end is left
    /// to them, so that they count the line.
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
            Some(delimiter) => vec![Candidate::new(delimiter)],
            None => DELIMITERS.map(Candidate::new).into(),
        };
        Ok(true)
    }

    /// Keeps `pending` within a record and a chunk. A settled candidate with a known name needs what
    /// is behind it; the others are then all within one record, since a line with a name in it is
    /// blank to none.
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

/// A delimiter that the file may have, and what it makes of the header.
struct Candidate {
    delimiter: u8,
    records: RecordReader,
    /// How much of the pending text is read.
    read: usize,
    /// How many known names the header has; 0 until settled.
    known: usize,
    state: State,
}

enum State {
    Reading,
    /// The reader's record is the first that is not blank.
    Found,
    Failed(FileFault),
    /// The text has ended without a record.
    Nothing,
}

impl Candidate {
    fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            records: RecordReader::new(delimiter),
            read: 0,
            known: 0,
            state: State::Reading,
        }
    }

    fn is_settled(&self) -> bool {
        !matches!(self.state, State::Reading)
    }

    fn has_record(&self) -> bool {
        matches!(self.state, State::Found)
    }

    fn has_nothing(&self) -> bool {
        matches!(self.state, State::Nothing)
    }

    /// Reads on in `text`; `last`: to its end.
    fn read(&mut self, text: &[u8], last: bool) {
        if self.is_settled() {
            return;
        }
        let mut rest = &text[self.read..];
        self.state = match self.first_record(&mut rest, last) {
            Ok(true) => State::Found,
            Ok(false) if last => State::Nothing,
            Ok(false) => State::Reading,
            Err(fault) => State::Failed(fault),
        };
        self.read = text.len() - rest.len();
        if self.is_settled() {
            self.known = known_names(self.records.record());
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

fn known_names(record: Record<'_>) -> usize {
    let names = record
        .fields()
        .filter_map(|field| str::from_utf8(field).ok());
    names
        .filter(|name| Name::parse(name).column().is_some())
        .count()
}

/// What a file without a header is, by its first bytes and whether it has lines that are not blank.
fn mistaken(opening: &[u8], is_blank: bool) -> Mistaken {
    match opening {
        // A ZIP archive, or the compound file of older Excel.
        b"PK\x03\x04" | b"\xD0\xCF\x11\xE0" => Mistaken::Workbook,
        [0, 1..=0x7F, ..] | [1..=0x7F, 0, ..] => Mistaken::UnmarkedUtf16,
        _ if is_blank => Mistaken::Empty,
        _ => Mistaken::Headless,
    }
}
