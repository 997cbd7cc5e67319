//! The file of rejected rows: the roster's own columns and values, plus the errors, ready to be
//! corrected by hand and imported again (api.md, Command line).
//!
//! A row that is imported again without a correction must be rejected again. So a record that the server could not
//! split into cells is not split here either: its cells stay blank, and a column of its own has its text.
//!
//! CSV, or a workbook if its name ends in `.xlsx`.

mod csv_file;
mod records;
mod rejected_table;
mod workbook_file;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read},
    path::Path,
};

use anyhow::Context;

use crate::cli::{
    failure::UsageError,
    output::{CollectedResults, OutputTarget, format_of, write_whole},
};
use crate::domain::Column;
use crate::input::Mapping;
use crate::proto::{FileFormat, ImportStarted, IssueCode, RowResult};
use crate::workbook::is_rejected_roster;
use records::{FileDialect, records};
use rejected_table::{ADDED, RejectedTable, has_error};

/// Most bytes of a header, as the server reads it.
const HEADER_BYTES: u64 = 64 * 1024;
/// The first bytes of a workbook.
const WORKBOOK: &[u8] = b"PK\x03\x04";

/// Checks, before anything is sent, that the file can be written.
///
/// # Errors
/// Fails if its name is that of another kind of workbook, it is one of the files that are read, its folder does not exist,
/// or the folder cannot be written to.
pub(super) fn check<'a>(
    path: &Path,
    inputs: impl IntoIterator<Item = (&'static str, &'a Path)>,
) -> Result<(), UsageError> {
    format_of("--errors", path)?;
    let same = |a: &Path, b: &Path| Some(fs::canonicalize(a).ok()? == fs::canonicalize(b).ok()?);
    for (what, input) in inputs {
        if same(path, input) == Some(true) {
            let message = format!("--errors names the {what} itself; give it another name.");
            return Err(UsageError::new(message));
        }
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder
        && !folder.is_dir()
    {
        let folder = folder.display();
        let message = format!("--errors: there is no folder {folder}. Make it, or name another.");
        return Err(UsageError::new(message));
    }
    match OutputTarget::create(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(UsageError::new(format!(
            "--errors: {error:#}. Name another file."
        ))),
    }
}

/// Returns `true` if a rejected row is written to the file. A line that lists no user, such as a repeated header, is
/// not: nobody can correct it, and a header in the file would refuse the whole file.
#[must_use]
pub(super) fn is_written(row: &RowResult) -> bool {
    !has_error(row, IssueCode::NotARow)
}

/// Writes the rejected rows of `roster` (bytes as sent, and how they are read) to `path`, in the format that its name
/// says. The lines above its header are kept, so that the file is read in the same way.
///
/// # Errors
/// Fails if the roster cannot be split as the server split it, or the file cannot be written; nothing
/// is written then.
pub(super) fn write(
    path: &Path,
    roster: (&[u8], &Mapping),
    collected: &CollectedResults,
) -> anyhow::Result<()> {
    const FAILED: &str = "the rejected rows cannot be written to a file";
    let table = RejectedTable::of(roster, collected).context(FAILED)?;
    match format_of("--errors", path)? {
        FileFormat::Xlsx => workbook_file::write(path, &table).context(FAILED),
        _ => write_whole(path, csv_file::render(&table).context(FAILED)?.as_bytes()),
    }
}

/// Removes a file that an earlier run wrote, whose rows are none of this run's. Returns `true` if there was one.
/// Any other file stays as it is.
///
/// # Errors
/// The file cannot be read or removed.
pub(super) fn remove_earlier(path: &Path) -> anyhow::Result<bool> {
    let name = || format!("{} of an earlier run cannot be removed", path.display());
    if !is_earlier(path).with_context(name)? {
        return Ok(false);
    }
    fs::remove_file(path).with_context(name)?;
    Ok(true)
}

/// Returns `true` if an earlier run wrote the file at `path`.
///
/// # Errors
/// The file cannot be read.
pub(super) fn is_earlier(path: &Path) -> io::Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    let mut beginning = Vec::new();
    let mut file = fs::File::open(path)?;
    file.by_ref()
        .take(HEADER_BYTES)
        .read_to_end(&mut beginning)?;
    if beginning.starts_with(WORKBOOK) {
        return Ok(is_rejected_roster(file, &ADDED));
    }
    let beginning = String::from_utf8_lossy(&beginning);
    let mut lines = beginning.lines();
    let is_first = lines.next().is_some_and(|line| line.contains(ADDED[0]));
    // The header may be below other lines.
    Ok(is_first || lines.any(|line| ADDED.iter().all(|name| line.contains(name))))
}

/// The cells of these columns, in the records of `roster` that start on the `wanted` lines, by line.
///
/// # Errors
/// Fails if the roster cannot be split as the server split it.
pub(super) fn cells<const N: usize>(
    roster: (&[u8], &Mapping),
    started: &ImportStarted,
    wanted: &BTreeSet<u32>,
    columns: [Column; N],
) -> anyhow::Result<BTreeMap<u32, [String; N]>> {
    let dialect = FileDialect::of(started)?;
    let records = records(roster, &dialect, wanted)?;
    let places = columns.map(|column| {
        let mut columns = records.columns.iter();
        columns.position(|found| *found == Some(column))
    });
    let cell = |fields: &[String], place: Option<usize>| {
        let field = place.and_then(|place| fields.get(place));
        field.cloned().unwrap_or_default()
    };
    let by_line = records.by_line.iter();
    Ok(by_line
        .map(|(&line, record)| (line, places.map(|place| cell(&record.fields, place))))
        .collect())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::domain::BYTE_ORDER_MARK;
    use crate::proto::{Issue, IssueCode, IssueSeverity, RowOutcome};

    fn render(roster: (&[u8], &Mapping), collected: &CollectedResults) -> anyhow::Result<String> {
        csv_file::render(&RejectedTable::of(roster, collected)?)
    }

    fn issue(severity: IssueSeverity, message: &str, suggestion: &str) -> Issue {
        Issue {
            severity: severity.into(),
            code: IssueCode::UnknownRole.into(),
            column: "ROLE".to_owned(),
            message: message.to_owned(),
            suggestion: suggestion.to_owned(),
            ..Issue::default()
        }
    }

    /// Findings in which the rows on these lines are rejected.
    fn rejecting(charset: &str, delimiter: &str, lines: &[u32]) -> CollectedResults {
        let mut collected = CollectedResults::default();
        collected.started = Some(ImportStarted {
            charset: charset.to_owned(),
            delimiter: delimiter.to_owned(),
            ..ImportStarted::default()
        });
        for &line in lines {
            let result = RowResult {
                row: line,
                line,
                outcome: RowOutcome::Rejected.into(),
                issues: vec![
                    issue(
                        IssueSeverity::Error,
                        "ROLE \"Oficer\" is not a role.",
                        "Officer",
                    ),
                    issue(IssueSeverity::Warning, "not shown", "nor this"),
                    issue(IssueSeverity::Error, "And more.", ""),
                ],
                ..RowResult::default()
            };
            collected.rejected.insert(line, result);
        }
        collected
    }

    fn rendered(roster: &str, lines: &[u32]) -> String {
        let text = render(
            (roster.as_bytes(), &Mapping::default()),
            &rejecting("UTF-8", ",", lines),
        )
        .unwrap();
        text.strip_prefix(BYTE_ORDER_MARK).unwrap().to_owned()
    }

    #[test]
    fn rejected_rows_keep_their_columns_order_and_values() {
        let roster = "Role, e-mail ,Shirt size\r\nOfficer,a@x.org,M\r\nOficer,\" b@x.org\",\"say \"\"M\"\"\"\r\n";
        assert_snapshot!(rendered(roster, &[3]), @r#"
        Role, e-mail ,Shirt size,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS
        Oficer, b@x.org,"say ""M""",UNKNOWN_ROLE UNKNOWN_ROLE,"ROLE ""Oficer"" is not a role. And more.",ROLE: Officer
        "#);
    }

    #[test]
    fn no_cell_is_computed_and_a_corrected_file_says_the_same() {
        let roster = "ROLE,PHONE,STREET\nOficer,+1 202 555 0143,-Main St\n";
        let text = rendered(roster, &[2]);
        let line = text.lines().nth(1).unwrap();
        assert!(
            line.starts_with("Oficer,\u{200B}+1 202 555 0143,\u{200B}-Main St,"),
            "{line:?}"
        );
    }

    #[test]
    fn columns_of_an_earlier_file_are_dropped_not_doubled() {
        let roster = "ROLE,import error-codes,EMAIL,IMPORT_ERRORS\nOficer,OLD,a@x.org,old\n";
        assert_snapshot!(rendered(roster, &[2]), @r#"
        ROLE,EMAIL,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS
        Oficer,a@x.org,UNKNOWN_ROLE UNKNOWN_ROLE,"ROLE ""Oficer"" is not a role. And more.",ROLE: Officer
        "#);
    }

    #[test]
    fn a_record_that_lacks_optional_columns_is_filled_up() {
        let roster = "ROLE,EMAIL,PHONE\nOficer\nOficer,a,b,,\n";
        assert_snapshot!(rendered(roster, &[2, 3]), @r#"
        ROLE,EMAIL,PHONE,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS
        Oficer,,,UNKNOWN_ROLE UNKNOWN_ROLE,"ROLE ""Oficer"" is not a role. And more.",ROLE: Officer
        Oficer,a,b,UNKNOWN_ROLE UNKNOWN_ROLE,"ROLE ""Oficer"" is not a role. And more.",ROLE: Officer
        "#);
    }

    /// Returns the file of rejected rows of `roster` if the rows on these lines have one error each, with this code.
    fn rendered_with(roster: &str, faults: &[(u32, IssueCode)]) -> String {
        let lines: Vec<u32> = faults.iter().map(|&(line, _)| line).collect();
        let mut collected = rejecting("UTF-8", ",", &lines);
        for &(line, code) in faults {
            let error = Issue {
                code: code.into(),
                ..issue(IssueSeverity::Error, "It is wrong.", "")
            };
            collected.rejected.get_mut(&line).unwrap().issues = vec![error];
        }
        let text = render((roster.as_bytes(), &Mapping::default()), &collected).unwrap();
        text.strip_prefix(BYTE_ORDER_MARK).unwrap().to_owned()
    }

    #[test]
    fn a_record_that_cannot_be_split_is_written_as_its_text_beside_blank_cells() {
        let roster = "ROLE,EMAIL,PHONE\nOfficer,a,b,c\n\"Off\"icer\",a,\nOficer,a,\n\"Off\r\nicer,a\",b\nOff";
        let faults = [
            (2, IssueCode::FieldCount),
            (3, IssueCode::StrayQuote),
            (4, IssueCode::UnknownRole),
            (5, IssueCode::StrayQuote),
            (7, IssueCode::FieldCount),
        ];
        assert_snapshot!(rendered_with(roster, &faults), @r#"
        ROLE,EMAIL,PHONE,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS,IMPORT_ORIGINAL
        ,,,FIELD_COUNT,It is wrong.,,"Officer,a,b,c"
        ,,,STRAY_QUOTE,It is wrong.,,"""Off""icer"",a,"
        Oficer,a,,UNKNOWN_ROLE,It is wrong.,,
        ,,,STRAY_QUOTE,It is wrong.,,"""Off ⏎ icer,a"",b"
        ,,,FIELD_COUNT,It is wrong.,,Off
        "#);
    }

    #[test]
    fn an_original_text_stays_with_its_row_until_the_row_is_accepted() {
        let roster = "ROLE,IMPORT_ERRORS,IMPORT_ORIGINAL\n,old,\"Off,\"\nOfficer,b,c,d\n";
        let faults = [(2, IssueCode::Required), (3, IssueCode::FieldCount)];
        assert_snapshot!(rendered_with(roster, &faults), @r#"
        ROLE,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS,IMPORT_ORIGINAL
        ,REQUIRED,It is wrong.,,"Off,"
        ,FIELD_COUNT,It is wrong.,,"Officer,b,c,d"
        "#);
    }

    #[test]
    fn a_line_that_lists_no_user_is_not_written() {
        let roster = "ROLE,EMAIL\nOficer,a\nROLE,EMAIL\n";
        let faults = [(2, IssueCode::UnknownRole), (3, IssueCode::NotARow)];
        assert_snapshot!(rendered_with(roster, &faults), @r"
        ROLE,EMAIL,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS
        Oficer,a,UNKNOWN_ROLE,It is wrong.,
        ");
    }

    #[test]
    fn the_delimiter_stays_and_the_charset_becomes_utf_8() {
        let roster = b"ROLE;EMAIL\nOficer;mu\xf1oz@x.org\n";
        let text = render(
            (roster, &Mapping::default()),
            &rejecting("windows-1252", ";", &[2]),
        )
        .unwrap();
        assert_snapshot!(text.trim_start_matches(BYTE_ORDER_MARK), @r#"
        ROLE;EMAIL;IMPORT_ERROR_CODES;IMPORT_ERRORS;IMPORT_SUGGESTIONS
        Oficer;muñoz@x.org;UNKNOWN_ROLE UNKNOWN_ROLE;"ROLE ""Oficer"" is not a role. And more.";ROLE: Officer
        "#);
    }

    #[test]
    fn rows_that_are_not_where_the_server_found_them_are_not_written() {
        let collected = rejecting("UTF-8", ",", &[9]);
        let error = render((b"ROLE\nOficer\n", &Mapping::default()), &collected).unwrap_err();
        assert_eq!(
            error.to_string(),
            "row 9 is not on line 9, where the server found it"
        );
    }

    #[test]
    fn the_roster_itself_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let roster = folder.path().join("roster.csv");
        fs::write(&roster, "").unwrap();
        assert!(check(&folder.path().join("./roster.csv"), [("roster", &*roster)]).is_err());
        assert!(check(&folder.path().join("errors.csv"), [("roster", &*roster)]).is_ok());
        assert!(check(&folder.path().join("no/errors.csv"), [("roster", &*roster)]).is_err());
        assert!(check(Path::new("errors.csv"), [("roster", &*roster)]).is_ok());
    }
}
