//! How an import is shown to a person.
//!
//! Pure, except for the progress bar: messages in, text out, so that the text for an administrator is
//! tested as text. Every text from a roster or a server passes [`printable`].

mod audit;
mod collected_results;
mod consequences;
mod history;
mod list_table;
mod progress;
mod progress_rate;
mod rejected;
mod request_words;
mod review;
mod rows;
mod summary;
mod terminal_style;
mod text;
mod text_table;

pub(crate) use audit::{AUDIT, AUDIT_CSV, audit_record};
pub(crate) use collected_results::{CollectLimits, CollectedResults};
pub(crate) use history::{HISTORY, HISTORY_CSV, history_record};
pub(crate) use list_table::{ListColumn, list_text};
pub(crate) use progress::ProgressDisplay;
pub(crate) use rejected::rejected_table;
pub(crate) use request_words::for_people;
pub(crate) use review::review_text;
pub(crate) use rows::{changed_line, row_lines};
pub(crate) use summary::{SummaryOptions, summary_text};
pub(crate) use terminal_style::TerminalStyle;
pub(crate) use text::{
    count, deactivated_name, minute_text, principal_text, printable, rfc3339, time_text, word,
};
pub(crate) use text_table::{CsvText, TextTable};
