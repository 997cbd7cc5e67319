//! The rejected rows as a workbook: the faulty cells coloured, with the messages as notes, and a sheet of suggestions.

use std::{fs, path::Path};

use anyhow::{Context, ensure};

use super::rejected_table::{RejectedTable, errors};
use crate::cli::output::OutputTarget;
use crate::input::WorkbookLimits;
use crate::proto::RowResult;
use crate::workbook::{CellMark, CellSuggestion, RejectedRoster};

/// The text put in front of a row that begins like a line that the mapping ignores. It is trimmed when the cell is
/// read.
const INVISIBLE: char = '\u{200B}';

/// Writes the file, completely or not at all.
///
/// # Errors
/// Fails if there are more rows than an import takes from a workbook by default, if a row is not where the server found it, or if the
/// file or a temporary file beside it cannot be written.
pub(super) fn write(path: &Path, table: &RejectedTable) -> anyhow::Result<()> {
    let (rows, most) = (table.rows.len(), WorkbookLimits::default().max_rows);
    ensure!(
        rows <= most as usize,
        "{rows} rows are rejected, and a workbook has at most {most}; name a .csv file"
    );
    let mut output = OutputTarget::create(path)?;
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = place.parent().filter(|it| !it.as_os_str().is_empty());
    let mut workbook = RejectedRoster::new(folder.unwrap_or(Path::new(".")))?;
    for line in table.leading() {
        workbook.push_line(line)?;
    }
    workbook.push_header(&table.header())?;
    for row in &table.rows {
        let mut cells = table.cells(row)?;
        shield(&mut cells, &table.mapping.ignored_line_prefixes);
        workbook.push_row(&cells, &marks(table, row), &suggestions(row))?;
    }
    let written = workbook.save(&mut output);
    written.with_context(|| format!("{} cannot be written", path.display()))?;
    output.complete()
}

/// Keeps the mapping from ignoring a row because of its first characters.
fn shield(cells: &mut [String], prefixes: &[String]) {
    let line = cells.join(",");
    if prefixes.iter().any(|prefix| line.starts_with(prefix))
        && let Some(first) = cells.first_mut()
    {
        first.insert(0, INVISIBLE);
    }
}

fn marks(table: &RejectedTable, row: &RowResult) -> Vec<CellMark> {
    let marks = errors(row).map(|issue| CellMark {
        column: table.position(issue),
        message: match issue.message.contains(&issue.suggestion) {
            // This is always so if there is no suggestion.
            true => issue.message.clone(),
            false => format!("{}\nSuggestion: {}", issue.message, issue.suggestion),
        },
    });
    marks.collect()
}

fn suggestions(row: &RowResult) -> Vec<CellSuggestion> {
    let suggested = errors(row).filter(|issue| !issue.suggestion.is_empty());
    let suggestions = suggested.map(|issue| CellSuggestion {
        column: match issue.file_column.is_empty() {
            true => issue.column.clone(),
            false => issue.file_column.clone(),
        },
        value: issue.value.clone(),
        replacement: issue.suggestion.clone(),
        message: issue.message.clone(),
    });
    suggestions.collect()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        io::{Cursor, Read},
    };

    use calamine::{Data, Reader, Xlsx};
    use insta::assert_snapshot;
    use tempfile::TempDir;
    use zip::ZipArchive;

    use super::super::{is_earlier, write as write_file};
    use super::*;
    use crate::cli::output::CollectedResults;
    use crate::input::Mapping;
    use crate::proto::{ImportStarted, Issue, IssueCode, IssueSeverity, RowOutcome};

    fn error(code: IssueCode, column: &str, value: &str, suggestion: &str) -> Issue {
        Issue {
            severity: IssueSeverity::Error.into(),
            code: code.into(),
            column: column.to_owned(),
            value: value.to_owned(),
            message: format!("{column} \"{value}\" is wrong."),
            suggestion: suggestion.to_owned(),
            ..Issue::default()
        }
    }

    fn collected(rows: Vec<(u32, Vec<Issue>)>) -> CollectedResults {
        let mut collected = CollectedResults::default();
        collected.started = Some(ImportStarted {
            charset: "UTF-8".to_owned(),
            delimiter: ",".to_owned(),
            ..ImportStarted::default()
        });
        for (line, issues) in rows {
            let result = RowResult {
                row: line,
                line,
                outcome: RowOutcome::Rejected.into(),
                issues,
                ..RowResult::default()
            };
            collected.rejected.insert(line, result);
        }
        collected
    }

    fn written(roster: &str, mapping: &Mapping, rows: Vec<(u32, Vec<Issue>)>) -> Vec<u8> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("rejected.xlsx");
        write_file(&path, (roster.as_bytes(), mapping), &collected(rows)).unwrap();
        assert!(is_earlier(&path).unwrap());
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "no temporary file is left");
        fs::read(&path).unwrap()
    }

    /// The rows of a sheet, whose cells are all text.
    fn sheet(file: &[u8], name: &str) -> String {
        let mut workbook = Xlsx::new(Cursor::new(file)).unwrap();
        let text = |cell: &Data| match cell {
            Data::Empty => String::new(),
            Data::String(text) => text.clone(),
            other => panic!("{other:?} is no text"),
        };
        let range = workbook.worksheet_range(name).unwrap();
        let rows = range.rows();
        let rows = rows.map(|row| row.iter().map(text).collect::<Vec<_>>().join(" | "));
        rows.collect::<Vec<_>>().join("\n")
    }

    fn part(file: &[u8], name: &str) -> String {
        let mut zip = ZipArchive::new(Cursor::new(file)).unwrap();
        let mut text = String::new();
        zip.by_name(name)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    /// The style of each cell of the first sheet.
    fn styles(file: &[u8]) -> BTreeMap<String, String> {
        let sheet = part(file, "xl/worksheets/sheet1.xml");
        let cells = sheet.split("<c r=\"").skip(1);
        let style = |cell: &str| {
            let mut words = cell.split('"');
            Some((words.next()?.to_owned(), words.nth(1)?.to_owned()))
        };
        cells.filter_map(style).collect()
    }

    const ROSTER: &str = "Role, e-mail ,BADGE_NUMBER\nOfficer,a@x.org,1\nOficer,b@x.org,00421\n\
                          Clerk,c@x,\"=1+2\"\n";

    #[test]
    fn rejected_rows_keep_their_columns_and_their_faulty_cells_are_marked() {
        let email = Issue {
            file_column: " e-mail ".to_owned(),
            ..error(IssueCode::InvalidEmail, "EMAIL", "c@x", "")
        };
        let rows = vec![
            (
                3,
                vec![error(IssueCode::UnknownRole, "ROLE", "Oficer", "Officer")],
            ),
            (
                4,
                vec![email, error(IssueCode::Required, "USERNAME", "", "")],
            ),
        ];
        let file = written(ROSTER, &Mapping::default(), rows);
        assert_snapshot!(sheet(&file, "Rejected rows"), @r#"
        Role |  e-mail  | BADGE_NUMBER | IMPORT_ERROR_CODES | IMPORT_ERRORS | IMPORT_SUGGESTIONS
        Oficer | b@x.org | 00421 | UNKNOWN_ROLE | ROLE "Oficer" is wrong. | ROLE: Officer
        Clerk | c@x | =1+2 | INVALID_EMAIL REQUIRED | EMAIL "c@x" is wrong. USERNAME "" is wrong. | 
        "#);
        assert_snapshot!(sheet(&file, "Suggestions"), @r#"
        Row | Column | Value | Suggestion | Message
        2 | ROLE | Oficer | Officer | ROLE "Oficer" is wrong.
        "#);
        let styles = styles(&file);
        let faulty = &styles["A2"];
        let marked: Vec<_> = styles
            .iter()
            .filter(|(_, style)| *style == faulty)
            .collect();
        let marked: Vec<_> = marked.into_iter().map(|(cell, _)| &**cell).collect();
        assert_eq!(marked, ["A2", "B3", "D3"]);
        let notes = part(&file, "xl/comments1.xml");
        let noted: Vec<_> = notes.split("<comment ref=\"").skip(1).collect();
        assert_eq!(noted.len(), 3, "{notes}");
        assert!(
            noted[0].contains("\"Oficer\" is wrong.\nSuggestion: Officer"),
            "{notes}"
        );
    }

    #[test]
    fn a_row_that_begins_as_an_ignored_line_does_is_read_as_a_row() {
        let mapping = Mapping {
            skip_leading_lines: 2,
            ignored_line_prefixes: vec!["Total".to_owned()],
            ..Mapping::default()
        };
        let roster = "Personnel,all\n\nLAST_NAME,ROLE\n\"Total, Ann\",Oficer\nTotal: 1\n";
        let rows = vec![(4, vec![error(IssueCode::UnknownRole, "ROLE", "Oficer", "")])];
        let file = written(roster, &mapping, rows);
        let rows = sheet(&file, "Rejected rows").replace(INVISIBLE, "U+200B ");
        assert_snapshot!(rows, @r#"
        Personnel,all |  |  |  | 
         |  |  |  | 
        LAST_NAME | ROLE | IMPORT_ERROR_CODES | IMPORT_ERRORS | IMPORT_SUGGESTIONS
        U+200B Total, Ann | Oficer | UNKNOWN_ROLE | ROLE "Oficer" is wrong. | 
        "#);
        assert!(
            Xlsx::new(Cursor::new(&file))
                .unwrap()
                .worksheet_range("Suggestions")
                .is_err()
        );
    }

    #[test]
    fn an_odd_value_makes_no_broken_workbook() {
        let long = "x".repeat(40_000);
        let roster = format!("ROLE,EMAIL\na\u{1}b\u{FFFF}_x0041_,{long}\n");
        let rows = vec![(
            2,
            vec![error(
                IssueCode::InvalidCharacter,
                "ROLE",
                "a\u{1}b",
                "\u{2}",
            )],
        )];
        let file = written(&roster, &Mapping::default(), rows);
        let sheet = sheet(&file, "Rejected rows");
        assert!(
            sheet.contains("a\u{1}b\u{FFFD}_x0041_ | xxx"),
            "{}",
            &sheet[..200]
        );
        assert!(sheet.contains("x… | INVALID_CHARACTER"));
        part(&file, "xl/comments1.xml");
    }

    #[test]
    fn notes_are_bounded_and_marks_are_not() {
        let mut roster = "ROLE\n".to_owned();
        let mut rows = Vec::new();
        for line in 2..6_002 {
            roster.push_str("Oficer\n");
            rows.push((
                line,
                vec![error(IssueCode::UnknownRole, "ROLE", "Oficer", "")],
            ));
        }
        let file = written(&roster, &Mapping::default(), rows);
        let notes = part(&file, "xl/comments1.xml");
        assert_eq!(notes.matches("<comment ref=").count(), 5_000);
        let styles = styles(&file);
        assert_eq!(styles["A2"], styles["A6001"]);
    }

    #[test]
    fn another_workbook_is_no_file_of_an_earlier_run() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("roster.xlsx");
        let mut workbook = rust_xlsxwriter::Workbook::new();
        workbook
            .add_worksheet()
            .write_string(0, 0, "EMAIL")
            .unwrap();
        workbook.save(&path).unwrap();
        assert!(!is_earlier(&path).unwrap());
        fs::write(&path, b"PK\x03\x04 is no archive").unwrap();
        assert!(!is_earlier(&path).unwrap());
    }
}
