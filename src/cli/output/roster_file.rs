//! The format of a roster's file that a command writes: its name says it.

use std::path::Path;

use clap::{Args, builder::BoolishValueParser};

use crate::cli::failure::UsageError;
use crate::proto::FileFormat;

/// Endings of the names of workbooks in formats that this program does not write.
const OTHER_WORKBOOKS: [&str; 7] = ["xls", "xlsm", "xlsb", "xltx", "ods", "fods", "numbers"];

/// A file for a spreadsheet.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct SpreadsheetArgs {
    /// Write CSV for Excel: with a byte order mark, and with no value that Excel would take for a formula
    #[arg(long, env = "USER_IMPORT_EXCEL")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub excel: bool,
    /// Begin with a byte order mark, so that a spreadsheet reads the file as UTF-8
    #[arg(long, env = "USER_IMPORT_BYTE_ORDER_MARK")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub byte_order_mark: bool,
}

impl SpreadsheetArgs {
    /// Returns `true` if a CSV file begins with a byte order mark.
    pub(crate) const fn has_byte_order_mark(self) -> bool {
        self.excel || self.byte_order_mark
    }
}

/// Returns the format of the file at `path`, which `option` has named: a workbook if its name ends in `.xlsx`, in any
/// case, else CSV.
///
/// # Errors
/// Fails if the name is that of another kind of workbook, which a spreadsheet would not open as CSV.
pub(crate) fn format_of(option: &str, path: &Path) -> Result<FileFormat, UsageError> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    if ending == "xlsx" {
        return Ok(FileFormat::Xlsx);
    }
    if OTHER_WORKBOOKS.contains(&&*ending) {
        let other = path.with_extension("xlsx");
        return Err(UsageError::new(format!(
            "{option}: no .{ending} file can be written. Name a workbook {}, or a CSV file .csv.",
            other.display()
        )));
    }
    Ok(FileFormat::Csv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_its_format() {
        let format = |name: &str| format_of("--output", Path::new(name)).ok();
        for name in ["-", "users", "users.csv", "xlsx", ".xlsx", "users.txt"] {
            assert_eq!(format(name), Some(FileFormat::Csv), "{name}");
        }
        for name in ["users.xlsx", "a/B.XLSX", "-.xlsx"] {
            assert_eq!(format(name), Some(FileFormat::Xlsx), "{name}");
        }
        for name in ["users.xls", "users.ods", "users.XLSM"] {
            assert_eq!(format(name), None, "{name}");
        }
        let error = format_of("--errors", Path::new("a/rejected.ods")).unwrap_err();
        insta::assert_snapshot!(error, @"--errors: no .ods file can be written. Name a workbook a/rejected.xlsx, or a CSV file .csv.");
    }
}
