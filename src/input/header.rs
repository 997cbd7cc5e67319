//! The header: it assigns a column to each field of a record, and reports every fault of that assignment.

use std::sync::Arc;

use super::FileFault;
use super::blank::trim;
use super::charset::Charset;
use super::comparable_name::ComparableName;
use super::foreign_lines::ForeignLineDetector;
use super::mapping::{ColumnsRead, CompiledMapping, MappedName};
use super::record::Record;
use super::record_layout::RecordLayout;
use crate::domain::{Cell, Column, ColumnSet, Email, SuggestionBudget};

/// Most unknown columns that are reported one by one. A roster never has more. The bound is for files that are no
/// roster, because a response message has at most 1 MiB.
const MAX_UNKNOWN: usize = 1_000;

/// A CSV file's header, and how the file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The columns, in file order.
    pub columns: Vec<Column>,
    /// Names of the columns that are ignored, as the file has them (trimmed and safe to show);
    /// `column 3` for a blank one.
    pub ignored: Vec<String>,
    /// Standard name of the charset in use, such as `UTF-8`.
    pub charset: &'static str,
    /// The delimiter in use.
    pub delimiter: char,
    /// For each column that a mapping fills from a column with another name: that name, safe to show. For one that a
    /// template computes: the names that it reads.
    pub file_columns: Vec<(Column, String)>,
}

impl Header {
    /// Reads the header from `record`, the layout of the records below it, and which of its columns templates read.
    ///
    /// # Errors
    /// Returns every fault of the header: duplicate, missing and unknown columns (semantics §2 "Header").
    pub(super) fn read(
        record: Record<'_>,
        (charset, delimiter): (Charset, u8),
        ignore_unknown: bool,
        mapping: &Arc<CompiledMapping>,
    ) -> Result<(Self, RecordLayout, ColumnsRead), Vec<FileFault>> {
        if record.has_unclosed_field() {
            return Err(FileFault::StrayQuote { line: record.line }.into());
        }
        let cells = HeaderCell::read_all(record, charset);
        if cells.iter().any(HeaderCell::is_of_a_row) {
            return Err(FileFault::HeaderWithRow { line: record.line }.into());
        }
        let column = |cell: &HeaderCell<'_>| mapping.column(&cell.name);
        let slots: Vec<Option<Column>> = cells.iter().map(column).collect();
        let mut columns: Vec<Column> = slots.iter().copied().flatten().collect();
        columns.extend(
            mapping
                .computed()
                .filter(|column| !slots.contains(&Some(*column))),
        );
        let mut faults = miscounted(&columns);
        if !ignore_unknown {
            faults.extend(unknown(&cells, &columns, mapping));
        }
        let (read, lacking) = read_by_templates(&cells, mapping);
        faults.extend(lacking);
        if !faults.is_empty() {
            return Err(faults);
        }
        let is_read = |cell: &HeaderCell<'_>| read.iter().any(|(_, at)| at + 1 == cell.position);
        let ignored = cells
            .iter()
            .filter(|cell| column(cell).is_none() && !is_read(cell));
        let header = Self {
            columns,
            ignored: ignored.map(HeaderCell::shown).collect(),
            charset: charset.name(),
            delimiter: char::from(delimiter),
            file_columns: file_columns(&cells, mapping),
        };
        // A cell without a name may be a doubled delimiter. A doubled delimiter shifts all columns after it in records
        // that lack a field. If the shift is before STATUS, only the words Active and Inactive show it.
        let is_exact =
            cells.iter().any(|cell| cell.text.is_empty()) || mapping.changes(Column::Status);
        let surplus = record.len() - cells.len();
        let least = read.iter().map(|(_, at)| at + 1).max().unwrap_or_default();
        let names = cells.into_iter().map(|cell| cell.name).collect();
        let foreign = ForeignLineDetector::new(names, Arc::clone(mapping));
        let layout = RecordLayout::new(&slots, (surplus, is_exact), least, foreign, charset);
        Ok((header, layout, read))
    }
}

/// One cell of the header.
struct HeaderCell<'a> {
    /// 1 = first cell.
    position: usize,
    text: String,
    name: ComparableName,
    content: Cell<'a>,
}

impl<'a> HeaderCell<'a> {
    /// Returns the cells of the header without the blank ones at its end.
    fn read_all(record: Record<'a>, charset: Charset) -> Vec<Self> {
        let fields = record.fields().take(record.filled()).enumerate();
        fields
            .map(|(index, field)| {
                let text = String::from_utf8_lossy(field);
                Self {
                    position: index + 1,
                    text: trim(&text).to_owned(),
                    name: ComparableName::parse(&text),
                    content: charset.cell(field),
                }
            })
            .collect()
    }

    fn shown(&self) -> String {
        if self.text.is_empty() {
            return format!("column {}", self.position);
        }
        FileFault::showable(&self.text)
    }

    /// Returns `true` if the cell is an email address. Every row has one, so the header's line end is missing.
    fn is_of_a_row(&self) -> bool {
        self.text.contains('@') && Email::parse(&self.text).is_ok()
    }

    fn is_unknown(&self, mapping: &CompiledMapping) -> bool {
        !mapping.knows(&self.name) && !self.name.is_from_report()
    }

    /// Returns the fault for an unknown column. `absent` are the columns that the header does not have.
    fn fault(&self, absent: ColumnSet, budget: &mut SuggestionBudget) -> FileFault {
        if self.text.is_empty() {
            return FileFault::UnnamedColumn {
                position: self.position,
            };
        }
        FileFault::UnknownColumn {
            name: self.shown(),
            suggestion: self.name.nearest(absent, budget),
            malformed: match self.content {
                Cell::Invalid { byte, charset } => Some((byte, charset)),
                _ => None,
            },
        }
    }
}

/// Returns the faults of required columns that are missing and of columns that occur more than once.
fn miscounted(columns: &[Column]) -> Vec<FileFault> {
    let fault = |column: Column| {
        let times = columns.iter().filter(|&&c| c == column).count();
        match times {
            0 if column.is_required() => Some(FileFault::MissingColumn { column }),
            0 | 1 => None,
            _ => Some(FileFault::DuplicateColumn { column, times }),
        }
    };
    Column::ALL.into_iter().filter_map(fault).collect()
}

/// Returns the faults of the unknown columns: the first of them one by one, the rest as a count.
fn unknown(
    cells: &[HeaderCell<'_>],
    columns: &[Column],
    mapping: &CompiledMapping,
) -> Vec<FileFault> {
    let absent = Column::ALL
        .into_iter()
        .filter(|c| !columns.contains(c))
        .collect();
    let mut unknown = cells.iter().filter(|cell| cell.is_unknown(mapping));
    let listed = unknown.by_ref().take(MAX_UNKNOWN);
    let mut budget = SuggestionBudget::of_call();
    let faults = listed.map(|cell| cell.fault(absent, &mut budget));
    let mut faults: Vec<_> = faults.collect();
    let count = unknown.count();
    if count > 0 {
        faults.push(FileFault::MoreUnknownColumns { count });
    }
    faults
}

/// Returns the names of the file's columns that templates read, each with its position in a record, and the faults of
/// those that the file does not have once.
fn read_by_templates(
    cells: &[HeaderCell<'_>],
    mapping: &CompiledMapping,
) -> (ColumnsRead, Vec<FileFault>) {
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    for (column, names) in mapping.reads() {
        for name in names {
            let wanted = ComparableName::parse(name);
            let found: Vec<_> = cells.iter().filter(|cell| cell.name == wanted).collect();
            match &found[..] {
                [cell] => read.push((name.clone(), cell.position - 1)),
                _ => faults.push(FileFault::TemplateColumn {
                    column,
                    name: FileFault::showable(name),
                    times: found.len(),
                }),
            }
        }
    }
    read.sort_unstable();
    read.dedup();
    (read, faults)
}

/// Returns the columns that have another name in the file, each with the names that its values come from.
fn file_columns(cells: &[HeaderCell<'_>], mapping: &CompiledMapping) -> Vec<(Column, String)> {
    let renamed = cells
        .iter()
        .filter_map(|cell| match mapping.named(&cell.name) {
            MappedName::Column(column) if cell.name.column() != Some(column) => {
                Some((column, cell.shown()))
            }
            _ => None,
        });
    let computed = mapping.reads().filter(|(_, names)| !names.is_empty());
    let computed = computed.map(|(column, names)| {
        let names: Vec<_> = names.iter().map(|name| FileFault::showable(name)).collect();
        (column, names.join(", "))
    });
    // A template comes after the columns, and replaces their values.
    let mut columns: Vec<_> = computed.chain(renamed).collect();
    columns.sort_by_key(|(column, _)| *column as usize);
    columns.dedup_by_key(|(column, _)| *column);
    columns
}

#[cfg(test)]
mod tests {
    use super::super::decoder_harness::{REQUIRED, header, ignoring, read, read_with};
    use super::*;
    use insta::assert_snapshot;

    /// Returns the faults of a file that has only `header`, or `header` and a row.
    fn faults(header: impl AsRef<[u8]>) -> String {
        read(header)
    }

    #[test]
    fn every_problem_of_a_header_is_reported_at_once() {
        assert_snapshot!(faults("EMIAL,Badge No,First Name,,first-name,Status,status,STATUS,Shift,ROLE\n"), @r#"
        MISSING_COLUMN: Column EMAIL is missing from the header; add it.
        MISSING_COLUMN: Column BADGE_NUMBER is missing from the header; add it.
        DUPLICATE_COLUMN: Column FIRST_NAME is in the header 2 times; keep one.
        MISSING_COLUMN: Column LAST_NAME is missing from the header; add it.
        DUPLICATE_COLUMN: Column STATUS is in the header 3 times; keep one.
        MISSING_COLUMN: Column USERNAME is missing from the header; add it.
        UNKNOWN_COLUMN: Unknown column "EMIAL": did you mean EMAIL?
        UNKNOWN_COLUMN: Unknown column "Badge No": did you mean BADGE_NUMBER?
        UNKNOWN_COLUMN: Header cell 4 is empty; name the column, or remove it.
        UNKNOWN_COLUMN: Unknown column "Shift"; remove it, or set ignore_unknown_columns.
        "#);
    }

    #[test]
    fn a_column_that_is_there_already_is_not_suggested() {
        assert_snapshot!(faults(format!("{REQUIRED},E-mail\n")), @r#"UNKNOWN_COLUMN: Unknown column "E-mail"; remove it, or set ignore_unknown_columns."#);
    }

    #[test]
    fn a_single_column_is_a_header_that_lacks_the_others() {
        assert_snapshot!(faults("email"), @r"
        MISSING_COLUMN: Column BADGE_NUMBER is missing from the header; add it.
        MISSING_COLUMN: Column FIRST_NAME is missing from the header; add it.
        MISSING_COLUMN: Column LAST_NAME is missing from the header; add it.
        MISSING_COLUMN: Column STATUS is missing from the header; add it.
        MISSING_COLUMN: Column USERNAME is missing from the header; add it.
        MISSING_COLUMN: Column ROLE is missing from the header; add it.
        ");
    }

    #[test]
    fn the_fault_of_a_file_without_a_header_says_so_and_quotes_none_of_it() {
        assert_snapshot!(faults("jane@example.org,00421,Jane\n\"Doe"), @"NO_HEADER: No header found: the first line must name the columns, such as EMAIL, BADGE_NUMBER and STATUS.");
        assert_snapshot!(faults("IMPORT_ERRORS\nx\n"), @"NO_HEADER: No header found: the first line must name the columns, such as EMAIL, BADGE_NUMBER and STATUS.");
    }

    #[test]
    fn the_fault_of_an_input_that_is_not_csv_names_its_likely_format() {
        assert_snapshot!(faults(""), @"NO_HEADER: No header found: the file is empty.");
        assert_snapshot!(faults("\u{FEFF}\r\n ;\n"), @"NO_HEADER: No header found: the file is empty.");
        assert_snapshot!(faults("sep=;"), @"NO_HEADER: No header found: the file is empty.");
        assert_snapshot!(faults("PK\u{3}\u{4}\u{14}\0\n\n[Content_Types].xml"), @"NO_HEADER: No header found: this is an Excel workbook or another spreadsheet, not CSV; the workbook itself can be imported, as .xlsx or .ods (in workbook_chunk), or save it as CSV UTF-8.");
        assert_snapshot!(faults("E\0M\0A\0I\0L\0\n\0"), @"NO_HEADER: No header found: this seems to be UTF-16 without a byte order mark; set the charset option to utf-16le or utf-16be.");
    }

    #[test]
    fn a_header_alone_has_no_rows() {
        let faults = [faults(REQUIRED), faults(format!("{REQUIRED}\r\n\r\n,,\n"))];
        assert_eq!(faults[0], faults[1]);
        assert_snapshot!(faults[0], @"NO_ROWS: There are no rows to import; add at least one.");
    }

    #[test]
    fn a_name_is_shown_short_and_harmless() {
        let long = "x".repeat(61);
        assert_snapshot!(faults(format!("{REQUIRED},a\u{1B}[31m\u{202E}\"b\",{long}\n")), @r#"
        UNKNOWN_COLUMN: Unknown column "a�[31m�"b""; remove it, or set ignore_unknown_columns.
        UNKNOWN_COLUMN: Unknown column "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"; remove it, or set ignore_unknown_columns.
        "#);
    }

    #[test]
    fn malformed_bytes_in_a_name_are_named_with_the_charset_option() {
        let mut input = REQUIRED.as_bytes().to_vec();
        input.extend(b",Pr\xE9nom\n");
        assert_snapshot!(faults(input), @r#"UNKNOWN_COLUMN: Unknown column "Pr�nom": byte 0xE9 in it is not valid UTF-8; set the charset option, or save the file as UTF-8."#);
    }

    #[test]
    fn a_header_of_unknown_columns_without_end_does_not_make_faults_without_end() {
        let faults = faults(format!("{REQUIRED}{}\n", ",x".repeat(2000)));
        assert_eq!(faults.lines().count(), MAX_UNKNOWN + 1);
        assert!(faults.ends_with("UNKNOWN_COLUMN: 1000 more columns are unknown."));
    }

    #[test]
    fn an_empty_header_cell_can_be_ignored() {
        let input = format!(",{REQUIRED}\nx,e,b,f,l,s,u,r\n");
        assert_eq!(read_with(&ignoring(), &input), "1@2: e|b|f|l|s|u|r");
        assert_eq!(header(&ignoring(), &input).ignored, ["column 1"]);
    }

    #[test]
    fn a_header_that_cannot_be_read_to_its_end_is_a_fault_of_its_record() {
        assert_snapshot!(faults("\nEMAIL,\"BADGE_NUMBER\n"), @"UNCLOSED_QUOTE: A quote in the record that starts on line 2 is never closed; close it, or double a quote that belongs to a value.");
        let long = format!("{REQUIRED},{}", "x".repeat(70_000));
        assert_snapshot!(faults(long), @"RECORD_TOO_LONG: The record that starts on line 1 is longer than 64 KiB; a quote opened there may not be closed.");
    }
}
