//! How an import is shown to a person.
//!
//! Pure, except for the progress bar: messages in, text out, so that the text for an administrator is
//! tested as text. Every text from a roster or a server passes [`printable`].

mod audit;
mod findings;
mod history;
mod progress;
mod progress_rate;
mod rejected;
mod review;
mod rows;
mod summary;
mod terminal_style;
mod text;
mod text_table;

pub use audit::{AUDIT, AUDIT_CSV, audit_cells, audit_record};
pub use findings::{FindingLimits, ImportFindings};
pub use history::{HISTORY, HISTORY_CSV, history_cells, history_record};
pub use progress::ProgressDisplay;
pub use rejected::rejected_table;
pub use review::review_text;
pub use rows::row_lines;
pub use summary::{SummaryOptions, summary_text};
pub use terminal_style::TerminalStyle;
pub use text::{count, deactivated_name, printable, rfc3339, time_text, word};
pub use text_table::{CsvText, TextTable};
