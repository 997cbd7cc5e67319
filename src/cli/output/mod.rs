//! What a command prints, and where to: reports and tables, formats, verbosity, and files.

mod format;
mod output_file;
mod report;
mod verbosity;

pub use format::{Format, List, write_line};
pub use output_file::{Output, print, write_whole};
pub use report::{
    AUDIT, AUDIT_CSV, Asked, CsvPage, Findings, HISTORY, HISTORY_CSV, Keep, Listing, Look,
    Progress, audit_cells, audit_record, count, deactivated_name, history_cells, history_record,
    moment, printable, rejected_table, review_text, rfc3339, row_lines, summary_text, word,
};
pub use verbosity::{Voice, complain};
