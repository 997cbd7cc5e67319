//! The CSV decoder: bytes in any split in, raw rows out.

use super::charset::{Charset, Transcoder};
use super::delimiter;
use super::layout::Layout;
use super::preamble::{Found, Preamble};
use super::record::{Record, RecordReader};
use super::{FileFault, Header, Limits};
use crate::domain::RawRow;

/// How to read a CSV file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Charset label such as `windows-1252`. Empty: UTF-8. The byte order mark of UTF-8 or UTF-16
    /// wins over either.
    pub charset: String,
    /// `,` `;` `|` or a tab (also written `tab` or `\t`). Empty: as a first line `sep=;` says, else
    /// the one under which the header has most known names.
    pub delimiter: String,
    /// Accept and ignore columns that are not known. False: they refuse the file.
    pub ignore_unknown_columns: bool,
}

/// Decodes a CSV file (semantics §2), pushed in chunks that may end anywhere: rows, lines and faults
/// are the same however it is split. Holds one record and what it was last given, no more.
///
/// Once a fault has been returned, every later call returns the same; rows handed out before
/// it are void.
pub struct CsvDecoder {
    limits: Limits,
    received: u64,
    rows: u32,
    text: Transcoder,
    stage: Stage,
    faults: Vec<FileFault>,
}

enum Stage {
    Opening(Opening),
    Rows(Box<Table>),
}

/// Up to the end of the header.
#[derive(Default)]
struct Opening {
    preamble: Preamble,
    ignore_unknown: bool,
}

/// The rows, behind the header.
struct Table {
    header: Header,
    layout: Layout,
    records: RecordReader,
}

impl CsvDecoder {
    /// A decoder at the beginning of a file.
    ///
    /// # Errors
    /// `BAD_CHARSET`, `BAD_DELIMITER`: the option names none that we read.
    pub fn new(options: &CsvOptions, limits: Limits) -> Result<Self, Vec<FileFault>> {
        let text = Transcoder::new(&options.charset);
        let delimiter = delimiter::parse_option(&options.delimiter);
        let (text, delimiter) = match (text, delimiter) {
            (Ok(text), Ok(delimiter)) => (text, delimiter),
            (text, delimiter) => {
                return Err(text.err().into_iter().chain(delimiter.err()).collect());
            }
        };
        Ok(Self {
            limits,
            received: 0,
            rows: 0,
            text,
            stage: Stage::Opening(Opening {
                preamble: Preamble::new(delimiter),
                ignore_unknown: options.ignore_unknown_columns,
            }),
            faults: Vec::new(),
        })
    }

    /// Takes the next bytes of the file and hands every row that they complete to `sink`.
    ///
    /// # Errors
    /// The header's faults, all of them, or the first fault behind it.
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

    /// Ends the file, after which nothing more is read. Hands over a last row without a line end.
    ///
    /// # Errors
    /// As [`push`](Self::push), and `UNCLOSED_QUOTE`, `NO_HEADER`, `NO_ROWS`.
    pub fn finish(&mut self, sink: &mut impl FnMut(&RawRow<'_>)) -> Result<(), Vec<FileFault>> {
        self.decode(&[], true, sink)?;
        if self.rows == 0 {
            self.faults = vec![FileFault::NoRows];
        }
        self.check()
    }

    /// The header, as soon as it is known and found sound.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        match &self.stage {
            Stage::Opening(_) => None,
            Stage::Rows(table) => Some(&table.header),
        }
    }

    /// Data rows so far; blank lines do not count.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Bytes so far, as received.
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
        let mut rows = Numbered {
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

impl Stage {
    fn push(
        &mut self,
        text: &[u8],
        charset: Charset,
        rows: &mut Numbered<'_, impl FnMut(&RawRow<'_>)>,
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
        rows: &mut Numbered<'_, impl FnMut(&RawRow<'_>)>,
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

    /// Goes from the header, now read, on to the rows.
    fn begin_rows(
        &mut self,
        charset: Charset,
        rows: &mut Numbered<'_, impl FnMut(&RawRow<'_>)>,
    ) -> Result<(), Vec<FileFault>> {
        let Self::Opening(opening) = self else {
            return Ok(());
        };
        let Opening {
            preamble,
            ignore_unknown,
        } = std::mem::take(opening);
        let Found {
            records,
            rest,
            delimiter,
        } = preamble.into_found()?;
        let (header, layout) = Header::read(records.record(), charset, delimiter, ignore_unknown)?;
        let mut table = Table {
            header,
            layout,
            records,
        };
        // Kept whatever becomes of the rows: the header is known.
        let result = table.push(&rest, rows);
        *self = Self::Rows(Box::new(table));
        Ok(result?)
    }
}

impl Table {
    fn push(
        &mut self,
        mut text: &[u8],
        rows: &mut Numbered<'_, impl FnMut(&RawRow<'_>)>,
    ) -> Result<(), FileFault> {
        while self.records.read(&mut text)? {
            rows.take(&self.layout, self.records.record())?;
        }
        Ok(())
    }

    fn finish(
        &mut self,
        rows: &mut Numbered<'_, impl FnMut(&RawRow<'_>)>,
    ) -> Result<(), FileFault> {
        if self.records.finish()? {
            rows.take(&self.layout, self.records.record())?;
        }
        Ok(())
    }
}

/// Where rows go, numbered and counted against the limit.
struct Numbered<'a, S> {
    rows: &'a mut u32,
    limit: u32,
    sink: &'a mut S,
}

impl<S: FnMut(&RawRow<'_>)> Numbered<'_, S> {
    fn take(&mut self, layout: &Layout, record: Record<'_>) -> Result<(), FileFault> {
        if record.is_blank() {
            return Ok(());
        }
        let row = self.rows.saturating_add(1);
        if row > self.limit {
            return Err(FileFault::TooManyRows {
                limit: self.limit,
                row,
            });
        }
        *self.rows = row;
        (self.sink)(&layout.row(row, record));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::{REQUIRED, decode, header, read, read_with};
    use super::*;
    use crate::domain::Column as C;

    /// More than the required columns: optional ones before and behind.
    const WIDE: &str = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,\
                        PHONE,RANK";

    /// Expects `shown` of `records` below the required columns.
    #[track_caller]
    fn assert_rows(records: &str, shown: &[&str]) {
        assert_eq!(
            read(format!("{REQUIRED}\n{records}")),
            shown.join("\n"),
            "{records:?}"
        );
    }

    /// The same below all of [`WIDE`].
    #[track_caller]
    fn assert_wide(records: &str, shown: &[&str]) {
        assert_eq!(
            read(format!("{WIDE}\n{records}")),
            shown.join("\n"),
            "{records:?}"
        );
    }

    fn declared(charset: &str) -> CsvOptions {
        CsvOptions {
            charset: charset.to_owned(),
            ..CsvOptions::default()
        }
    }

    #[test]
    fn a_row_has_its_cells_as_received() {
        assert_rows(
            " e ,007,\"F \"\"x\"\"\",l\u{301},s,\"u\nv\",r\n",
            &["1@2:  e |007|F \"x\"|l\u{301}|s|u\nv|r"],
        );
    }

    #[test]
    fn cells_follow_the_header_in_whatever_order() {
        let input = "role;E-mail_;STATUS;last name;FIRST NAME;username;badge-number;email;Phone\n\
                     r;x;s;l;f;u;b;e;p\n";
        let ignoring = CsvOptions {
            ignore_unknown_columns: true,
            ..CsvOptions::default()
        };
        assert_eq!(read_with(&ignoring, input), "1@2: e|b|f|l|s|u|r|p");
        let expected = Header {
            columns: vec![
                C::Role,
                C::Status,
                C::LastName,
                C::FirstName,
                C::Username,
                C::BadgeNumber,
                C::Email,
                C::Phone,
            ],
            ignored: vec!["E-mail_".to_owned()],
            charset: "UTF-8",
            delimiter: ';',
        };
        assert_eq!(header(&ignoring, input), expected);
    }

    #[test]
    fn blank_lines_count_as_lines_and_not_as_rows() {
        assert_rows(
            "\n,,,\n \t ,\u{A0}\ne,b,f,l,s,u,r\n\"\",\"\"\r\n\r\n\u{FEFF}\ne,b,f,l,s,u,r\n,,",
            &["1@5: e|b|f|l|s|u|r", "2@9: e|b|f|l|s|u|r"],
        );
    }

    #[test]
    fn blank_lines_may_stand_before_the_header() {
        let input = format!("\r\n;;;\n \n{}\ne;b;f;l;s;u;r", REQUIRED.replace(',', ";"));
        assert_eq!(read(input), "1@5: e|b|f|l|s|u|r");
    }

    #[test]
    fn a_record_with_too_many_fields_is_a_misfit_unless_they_are_blank() {
        assert_rows(
            "e,b,f,l,s,u,r,,\ne,b,f,l,s,u,r, ,\u{A0}\ne,b,f,l,s,u,r,x\ne,b,f,l,s,u,r,,x,\n",
            &[
                "1@2: e|b|f|l|s|u|r",
                "2@3: e|b|f|l|s|u|r",
                "3@4: misfit, 8 for 7",
                "4@5: misfit, 10 for 7",
            ],
        );
    }

    #[test]
    fn a_record_may_lack_optional_columns_at_its_end_and_no_others() {
        assert_wide(
            "x,e,b,f,l,s,u,r,p\nx,e,b,f,l,s,u,r\nx,e,b,f,l,s,u\nx\n",
            &[
                "1@2: x|e|b|f|l|s|u|r||p",
                "2@3: x|e|b|f|l|s|u|r||",
                "3@4: misfit, 7 for 10",
                "4@5: misfit, 1 for 10",
            ],
        );
    }

    #[test]
    fn a_last_record_without_a_line_end_must_be_whole() {
        assert_wide("x,e,b,f,l,s,u,r,p", &["1@2: misfit, 9 for 10"]);
        assert_wide("x,e,b,f,l,s,u,r,p\r", &["1@2: x|e|b|f|l|s|u|r||p"]);
        assert_wide("x,e,b,f,l,s,u,r,p,", &["1@2: x|e|b|f|l|s|u|r||p"]);
        assert_wide("x,e,b,f,l,s,u,r,p,k", &["1@2: x|e|b|f|l|s|u|r|k|p"]);
    }

    #[test]
    fn ignored_columns_are_fields_and_may_lack_at_the_end_too() {
        let input = format!(
            "IMPORT_ERRORS,{REQUIRED},Import Error Codes\nx,e,b,f,l,s,u,r,y\nx,e,b,f,l,s,u,r\n\
             e,b,f,l,s,u,r\n"
        );
        assert_eq!(
            read(&input),
            "1@2: e|b|f|l|s|u|r\n2@3: e|b|f|l|s|u|r\n3@4: misfit, 7 for 9"
        );
        let header = header(&CsvOptions::default(), &input);
        assert_eq!(header.ignored, ["IMPORT_ERRORS", "Import Error Codes"]);
    }

    #[test]
    fn cells_under_blank_header_cells_at_the_end_must_be_blank() {
        assert_eq!(
            read(format!(
                "{REQUIRED},, \ne,b,f,l,s,u,r,,\ne,b,f,l,s,u,r\ne,b,f,l,s,u,r,x\n"
            )),
            "1@2: e|b|f|l|s|u|r\n2@3: e|b|f|l|s|u|r\n3@4: misfit, 8 for 7"
        );
    }

    #[test]
    fn malformed_bytes_spoil_their_own_cell() {
        let mut input = format!("{REQUIRED}\n").into_bytes();
        input.extend(b"e,b,Mu\xF1oz,\xC3,s,\xA9,r\ne,b,f,l,s,u,r\n");
        assert_eq!(
            read(&input),
            "1@2: e|b|<F1 not UTF-8>|<C3 not UTF-8>|s|<A9 not UTF-8>|r\n2@3: e|b|f|l|s|u|r"
        );
        assert_eq!(
            read_with(&declared("windows-1252"), &input),
            "1@2: e|b|Muñoz|Ã|s|©|r\n2@3: e|b|f|l|s|u|r"
        );
    }

    #[test]
    fn two_malformed_fields_that_look_valid_together_are_malformed() {
        let mut input = format!("{REQUIRED}\n").into_bytes();
        input.extend(b"e,b,\xC3,\xA9,s,u,r\n");
        assert_eq!(read(&input), "1@2: e|b|<C3 not UTF-8>|<A9 not UTF-8>|s|u|r");
    }

    #[test]
    fn malformed_bytes_of_another_charset_spoil_their_own_cell() {
        let mut input = format!("{REQUIRED}\n").into_bytes();
        input.extend(b"e,\x83\x65,f\x81,l,s\xA0,u,r\n");
        assert_eq!(
            read_with(&declared("sjis"), &input),
            "1@2: e|テ|<81 not Shift_JIS>|l|<A0 not Shift_JIS>|u|r"
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
        assert_eq!(read(torn), format!("{rows}\n2@4: misfit, 1 for 7"));
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
        let ignoring = CsvOptions {
            ignore_unknown_columns: true,
            ..CsvOptions::default()
        };
        let input = "\"a,EMAIL,b,c\";\"x\ny|z\";EMAIL;BADGE_NUMBER;FIRST_NAME;LAST_NAME;STATUS;\
                     USERNAME;ROLE\n1;2;e;b;f;l;s;u;r\n";
        assert_eq!(read_with(&ignoring, input), "1@3: e|b|f|l|s|u|r");
        let header = header(&ignoring, input);
        assert_eq!(header.ignored, ["a,EMAIL,b,c", "x\u{FFFD}y|z"]);
        assert_eq!(header.delimiter, ';');
    }

    #[test]
    fn a_quote_that_only_another_delimiter_opens_does_not_hold_up_the_rows_for_good() {
        let ignoring = CsvOptions {
            ignore_unknown_columns: true,
            ..CsvOptions::default()
        };
        let input = format!("{REQUIRED},a;\"b\n{}", "e,b,f,l,s,u,r,x\n".repeat(3));
        let row = "e|b|f|l|s|u|r";
        assert_eq!(
            read_with(&ignoring, input),
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
    fn a_file_at_its_limits_is_read_and_one_beyond_is_not() {
        let input = format!("{REQUIRED}\n{}", "e,b,f,l,s,u,r\n".repeat(2));
        let all = Limits {
            max_rows: 2,
            max_bytes: input.len() as u64,
        };
        let within = decode(&CsvOptions::default(), all, input.as_bytes());
        assert_eq!((within.rows.len(), within.faults), (2, vec![]));
        for (limits, fault) in [
            (
                Limits { max_rows: 1, ..all },
                FileFault::TooManyRows { limit: 1, row: 2 },
            ),
            (
                Limits {
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
        let mut decoder = CsvDecoder::new(&CsvOptions::default(), Limits::default()).unwrap();
        decoder.push(input.as_bytes(), &mut |_| {}).unwrap();
        assert_eq!((decoder.rows(), decoder.bytes()), (0, input.len() as u64));
        decoder.finish(&mut |_| {}).unwrap();
        assert_eq!((decoder.rows(), decoder.bytes()), (1, input.len() as u64));
    }

    #[test]
    fn the_header_is_known_as_soon_as_its_line_ends() {
        let mut decoder = CsvDecoder::new(&CsvOptions::default(), Limits::default()).unwrap();
        decoder.push(REQUIRED.as_bytes(), &mut |_| {}).unwrap();
        assert_eq!(decoder.header(), None);
        decoder.push(b"\r", &mut |_| {}).unwrap();
        assert!(decoder.header().is_some());
    }

    #[test]
    fn after_a_fault_every_call_returns_it() {
        let mut decoder = CsvDecoder::new(&CsvOptions::default(), Limits::default()).unwrap();
        let fault = decoder.push(b"name,shift\n", &mut |_| {}).unwrap_err();
        assert_eq!(
            decoder.push(REQUIRED.as_bytes(), &mut |_| panic!("a row")),
            Err(fault.clone())
        );
        assert_eq!(decoder.finish(&mut |_| panic!("a row")), Err(fault));
    }

    #[test]
    fn what_follows_the_end_is_not_read() {
        let mut decoder = CsvDecoder::new(&declared("latin1"), Limits::default()).unwrap();
        let input = format!("{REQUIRED}\ne,b,f,l,s,u,r\n");
        decoder.push(input.as_bytes(), &mut |_| {}).unwrap();
        decoder.finish(&mut |_| {}).unwrap();
        decoder
            .push(b"e,b,f,l,s,u,r\n", &mut |_| panic!("a row"))
            .unwrap();
        decoder.finish(&mut |_| panic!("a row")).unwrap();
    }

    #[test]
    fn blank_lines_without_end_are_not_kept() {
        let mut decoder = CsvDecoder::new(&CsvOptions::default(), Limits::default()).unwrap();
        for _ in 0..100 {
            decoder.push(&b";;;;\n".repeat(100), &mut |_| {}).unwrap();
            let Stage::Opening(opening) = &decoder.stage else {
                panic!("a header")
            };
            assert_eq!(opening.preamble.held(), 0);
        }
    }
}
