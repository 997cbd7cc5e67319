//! What a command prints, and where to: reports and tables, formats, verbosity, and files.

mod format;
mod options;
mod output_file;
mod pager;
mod report;
mod roster_file;
mod verbosity;

pub(super) use format::{OutputFormat, PrintableList, write_line};
pub(super) use options::{FormatArgs, LimitArgs, ListFormatArgs, OutputFileArgs};
pub(super) use output_file::{OutputTarget, print, write_whole};
pub(super) use pager::PagerArgs;
pub(super) use report::{
    AUDIT, AUDIT_CSV, CollectLimits, CollectedResults, CsvText, HISTORY, HISTORY_CSV, ListColumn,
    ProgressDisplay, SummaryOptions, TerminalStyle, TextTable, audit_record, changed_line, count,
    deactivated_name, for_people, history_record, list_text, minute_text, principal_text,
    printable, rejected_table, review_text, rfc3339, row_lines, summary_text, time_text, word,
};
pub(super) use roster_file::{SpreadsheetArgs, format_of};
pub(super) use verbosity::{Verbosity, print_error};
