//! The CSV decoder: it takes bytes in any split and returns raw rows.

use std::sync::Arc;

use super::charset::{Charset, Transcoder};
use super::delimiter;
use super::mapping::CompiledMapping;
use super::preamble::{Preamble, ReaderAfterHeader};
use super::record::RecordReader;
use super::row_maker::{RowMaker, RowNumbering};
use super::{FileFault, Header, InputLimits, Mapping};
use crate::domain::RawRow;

/// How to read a CSV file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Charset label such as `windows-1252`. Empty: UTF-8. A byte order mark of UTF-8 or UTF-16 wins over the label
    /// and over the default.
    pub charset: String,
    /// `,` `;` `|` or a tab (also written `tab` or `\t`). If empty, a first line such as `sep=;` decides; without such
    /// a line, the decoder takes the delimiter under which the header has the most known names.
    pub delimiter: String,
    /// If `true`, unknown columns are accepted and ignored. If `false`, they refuse the file.
    pub ignore_unknown_columns: bool,
    /// How the file's own columns, values and lines are read.
    pub mapping: Mapping,
}

/// Decodes a CSV file (semantics §2) that is pushed in chunks. Chunks may end anywhere: rows, lines and faults do not
/// depend on the split. Holds one record and the bytes of the last push, no more.
///
/// Once a fault has been returned, every later call returns the same fault. Rows passed on before the fault are void.
pub struct CsvDecoder {
    limits: InputLimits,
    received: u64,
    rows: u32,
    text: Transcoder,
    stage: CsvStage,
    faults: Vec<FileFault>,
}

enum CsvStage {
    Opening(HeaderStage),
    Rows(Box<RowStage>),
}

/// The stage up to the end of the header.
struct HeaderStage {
    preamble: Preamble,
    mapping: Arc<CompiledMapping>,
    ignore_unknown: bool,
}

/// The stage after the header: the rows.
struct RowStage {
    header: Header,
    rows: RowMaker,
    records: RecordReader,
}

impl CsvDecoder {
    /// Returns a decoder at the beginning of a file.
    ///
    /// # Errors
    /// `BAD_CHARSET`, `BAD_DELIMITER`: the option names a charset or a delimiter that is not supported. `BAD_MAPPING`:
    /// the mapping cannot be used.
    pub fn new(options: &CsvOptions, limits: InputLimits) -> Result<Self, Vec<FileFault>> {
        let text = Transcoder::new(&options.charset);
        let delimiter = delimiter::parse_option(&options.delimiter);
        let mapping = CompiledMapping::new(&options.mapping);
        let (text, delimiter, mapping) = match (text, delimiter, mapping) {
            (Ok(text), Ok(delimiter), Ok(mapping)) => (text, delimiter, Arc::new(mapping)),
            (text, delimiter, mapping) => {
                let mapping = mapping.err().unwrap_or_default().into_iter();
                let options = text.err().into_iter().chain(delimiter.err());
                return Err(options.chain(mapping.map(FileFault::BadMapping)).collect());
            }
        };
        Ok(Self {
            limits,
            received: 0,
            rows: 0,
            text,
            stage: CsvStage::Opening(HeaderStage {
                preamble: Preamble::new(delimiter, limits.max_record_bytes, Arc::clone(&mapping)),
                mapping,
                ignore_unknown: options.ignore_unknown_columns,
            }),
            faults: Vec::new(),
        })
    }

    /// Takes the next bytes of the file and passes every row that they complete to `sink`.
    ///
    /// # Errors
    /// Returns all faults of the header, or the first fault after the header.
    pub fn push(
        &mut self,
        chunk: &[u8],
        sink: &mut impl FnMut(&RawRow<'_>),
    ) -> Result<(), Vec<FileFault>> {
        let room = self.limits.max_bytes.saturating_sub(self.received);
        let within = usize::try_from(room).map_or(chunk.len(), |room| room.min(chunk.len()));
        self.received += chunk.len() as u64;
        self.decode(&chunk[..within], false, sink)?;
        if within < chunk.len() {
            self.faults = vec![FileFault::TooManyBytes {
                limit: self.limits.max_bytes,
                row: self.rows.saturating_add(1),
            }];
        }
        self.check()
    }

    /// Ends the file; nothing more is read after it. Passes on a last row without a line end.
    ///
    /// # Errors
    /// The errors of [`push`](Self::push), and `UNCLOSED_QUOTE`, `NO_HEADER`, `NO_ROWS`.
    pub fn finish(&mut self, sink: &mut impl FnMut(&RawRow<'_>)) -> Result<(), Vec<FileFault>> {
        self.decode(&[], true, sink)?;
        if self.rows == 0 {
            self.faults = vec![FileFault::NoRows];
        }
        self.check()
    }

    /// Decodes a complete file that comes in `chunks`, and passes every row to `sink`. Returns the header if it is valid,
    /// and the faults of the file or of the options.
    pub fn decode_file<'a>(
        options: &CsvOptions,
        limits: InputLimits,
        chunks: impl IntoIterator<Item = &'a [u8]>,
        sink: &mut impl FnMut(&RawRow<'_>),
    ) -> (Option<Header>, Vec<FileFault>) {
        let mut decoder = match Self::new(options, limits) {
            Ok(decoder) => decoder,
            Err(faults) => return (None, faults),
        };
        let mut chunks = chunks.into_iter();
        let pushed = chunks.try_for_each(|chunk| decoder.push(chunk, sink));
        let ended = pushed.and_then(|()| decoder.finish(sink));
        (decoder.header().cloned(), ended.err().unwrap_or_default())
    }

    /// Returns the header once it is known and valid.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        match &self.stage {
            CsvStage::Opening(_) => None,
            CsvStage::Rows(table) => Some(&table.header),
        }
    }

    /// Returns how many lines the mapping's prefixes have left out so far, and the number of the first of them (1 = first
    /// line of the file), or `None` if there is none.
    #[must_use]
    pub fn ignored_lines(&self) -> Option<(u32, u32)> {
        match &self.stage {
            CsvStage::Opening(_) => None,
            CsvStage::Rows(table) => table.records.ignored_lines(),
        }
    }

    /// Returns the number of data rows so far; blank lines do not count.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Returns the number of bytes so far, as received.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.received
    }

    fn check(&self) -> Result<(), Vec<FileFault>> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(self.faults.clone())
        }
    }

    fn decode(
        &mut self,
        bytes: &[u8],
        last: bool,
        sink: &mut impl FnMut(&RawRow<'_>),
    ) -> Result<(), Vec<FileFault>> {
        self.check()?;
        let stage = &mut self.stage;
        if let CsvStage::Opening(opening) = stage {
            opening.preamble.see(bytes);
        }
        let mut rows = RowNumbering {
            rows: &mut self.rows,
            limit: self.limits.max_rows,
            sink,
        };
        let mut out = |text: &[u8], charset| stage.push(text, charset, &mut rows);
        let mut result = self.text.push(bytes, last, &mut out);
        if last && result.is_ok() {
            result = stage.finish(self.text.charset(), &mut rows);
        }
        self.faults = result.err().unwrap_or_default();
        self.check()
    }
}

impl CsvStage {
    fn push(
        &mut self,
        text: &[u8],
        charset: Charset,
        rows: &mut RowNumbering<'_, impl FnMut(&RawRow<'_>)>,
    ) -> Result<(), Vec<FileFault>> {
        match self {
            Self::Rows(table) => Ok(table.push(text, rows)?),
            Self::Opening(opening) => {
                if !opening.preamble.push(text, false)? {
                    return Ok(());
                }
                self.begin_rows(charset, rows)
            }
        }
    }

    fn finish(
        &mut self,
        charset: Charset,
        rows: &mut RowNumbering<'_, impl FnMut(&RawRow<'_>)>,
    ) -> Result<(), Vec<FileFault>> {
        if let Self::Opening(opening) = self {
            opening.preamble.push(&[], true)?;
            self.begin_rows(charset, rows)?;
        }
        match self {
            Self::Rows(table) => Ok(table.finish(rows)?),
            Self::Opening(_) => Ok(()),
        }
    }

    /// Goes from the header to the rows, once the header has been read.
    fn begin_rows(
        &mut self,
        charset: Charset,
        rows: &mut RowNumbering<'_, impl FnMut(&RawRow<'_>)>,
    ) -> Result<(), Vec<FileFault>> {
        let Self::Opening(opening) = self else {
            return Ok(());
        };
        let ReaderAfterHeader {
            records,
            rest,
            delimiter,
        } = opening.preamble.take_found()?;
        let (ignore_unknown, mapping) = (opening.ignore_unknown, &opening.mapping);
        let text = (charset, delimiter);
        let (header, below) = RowMaker::below(records.record(), text, ignore_unknown, mapping)?;
        let mut table = RowStage {
            header,
            rows: below,
            records,
        };
        // The table is kept even if the rows have a fault, because the header is known.
        let result = table.push(&rest, rows);
        *self = Self::Rows(Box::new(table));
        Ok(result?)
    }
}

impl RowStage {
    fn push(
        &mut self,
        mut text: &[u8],
        rows: &mut RowNumbering<'_, impl FnMut(&RawRow<'_>)>,
    ) -> Result<(), FileFault> {
        while self.records.read(&mut text)? {
            self.rows.take(self.records.record(), rows)?;
        }
        Ok(())
    }

    fn finish(
        &mut self,
        rows: &mut RowNumbering<'_, impl FnMut(&RawRow<'_>)>,
    ) -> Result<(), FileFault> {
        if self.records.finish()? {
            self.rows.take(self.records.record(), rows)?;
        }
        self.rows.finish(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::super::decoder_harness::{REQUIRED, declared, decode, header, read, read_with};
    use super::*;

    #[test]
    fn blank_lines_count_as_lines_and_not_as_rows() {
        let row = "e,b,f,l,s,u,r";
        let blank = "\"\",\"\"\r\n\r\n\u{FEFF}";
        assert_eq!(
            read(format!(
                "{REQUIRED}\n\n,,,\n \t ,\u{A0}\n{row}\n{blank}\n{row}\n,,"
            )),
            "1@5: e|b|f|l|s|u|r\n2@9: e|b|f|l|s|u|r"
        );
    }

    #[test]
    fn utf_16_is_read_by_its_mark_or_its_label() {
        let text = format!("{REQUIRED}\r\ne,b,\"é\n😀\",\u{FFFD},s,u,r\r\n");
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let rows = "1@2: e|b|é\n😀|\u{FFFD}|s|u|r";
        assert_eq!(read_with(&declared("utf-16le"), &units), rows);
        let marked = [b"\xFF\xFE".as_slice(), &units].concat();
        assert_eq!(read(&marked), rows);
        assert_eq!(header(&declared("latin1"), &marked).charset, "UTF-16LE");
        let torn = [&marked[..], b"x"].concat();
        assert_eq!(
            read(torn),
            format!("{rows}\n2@4: misfit, 1 for 7: a line of a report (Other)")
        );
    }

    #[test]
    fn a_file_at_its_limits_is_read_and_one_beyond_is_not() {
        let input = format!("{REQUIRED}\n{}", "e,b,f,l,s,u,r\n".repeat(2));
        let all = InputLimits {
            max_rows: 2,
            max_bytes: input.len() as u64,
            ..InputLimits::default()
        };
        let within = decode(&CsvOptions::default(), all, input.as_bytes());
        assert_eq!((within.rows.len(), within.faults), (2, vec![]));
        for (limits, fault) in [
            (
                InputLimits { max_rows: 1, ..all },
                FileFault::TooManyRows { limit: 1, row: 2 },
            ),
            (
                InputLimits {
                    max_bytes: all.max_bytes - 1,
                    ..all
                },
                FileFault::TooManyBytes {
                    limit: all.max_bytes - 1,
                    row: 2,
                },
            ),
        ] {
            let beyond = decode(&CsvOptions::default(), limits, input.as_bytes());
            assert_eq!((beyond.rows.len(), beyond.faults), (1, vec![fault]));
        }
    }

    #[test]
    fn the_decoder_counts_rows_and_bytes_as_received() {
        let input = format!("\u{FEFF}{REQUIRED}\n\ne,b,f,l,s,u,r");
        let mut decoder = CsvDecoder::new(&CsvOptions::default(), InputLimits::default()).unwrap();
        decoder.push(input.as_bytes(), &mut |_| {}).unwrap();
        assert_eq!((decoder.rows(), decoder.bytes()), (0, input.len() as u64));
        decoder.finish(&mut |_| {}).unwrap();
        assert_eq!((decoder.rows(), decoder.bytes()), (1, input.len() as u64));
    }

    #[test]
    fn the_header_is_known_as_soon_as_its_line_ends() {
        let mut decoder = CsvDecoder::new(&CsvOptions::default(), InputLimits::default()).unwrap();
        decoder.push(REQUIRED.as_bytes(), &mut |_| {}).unwrap();
        assert_eq!(decoder.header(), None);
        decoder.push(b"\r", &mut |_| {}).unwrap();
        assert!(decoder.header().is_some());
    }

    #[test]
    fn after_a_fault_every_call_returns_it() {
        let mut decoder = CsvDecoder::new(&CsvOptions::default(), InputLimits::default()).unwrap();
        let lines = b"name,shift\n".repeat(2_000);
        let fault = decoder.push(&lines, &mut |_| {}).unwrap_err();
        assert_eq!(
            decoder.push(REQUIRED.as_bytes(), &mut |_| panic!("a row")),
            Err(fault.clone())
        );
        assert_eq!(decoder.finish(&mut |_| panic!("a row")), Err(fault));
    }

    #[test]
    fn what_follows_the_end_is_not_read() {
        let mut decoder = CsvDecoder::new(&declared("latin1"), InputLimits::default()).unwrap();
        let input = format!("{REQUIRED}\ne,b,f,l,s,u,r\n");
        decoder.push(input.as_bytes(), &mut |_| {}).unwrap();
        decoder.finish(&mut |_| {}).unwrap();
        decoder
            .push(b"e,b,f,l,s,u,r\n", &mut |_| panic!("a row"))
            .unwrap();
        decoder.finish(&mut |_| panic!("a row")).unwrap();
    }
}
