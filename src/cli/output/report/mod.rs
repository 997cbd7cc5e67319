//! How an import is shown to a person.
//!
//! Pure, but for the progress bar: messages in, text out, so that what an administrator reads is
//! tested as text. Everything that came from a roster or a server passes [`printable`].

mod audit;
mod findings;
mod history;
mod listing;
mod look;
mod pace;
mod progress;
mod rejected;
mod review;
mod rows;
mod summary;
mod text;

pub use audit::{AUDIT, AUDIT_CSV, audit_cells, audit_record};
pub use findings::{Findings, Keep};
pub use history::{HISTORY, HISTORY_CSV, history_cells, history_record};
pub use listing::{CsvPage, Listing};
pub use look::Look;
pub use progress::Progress;
pub use rejected::rejected_table;
pub use review::review_text;
pub use rows::row_lines;
pub use summary::{Asked, summary_text};
pub use text::{count, deactivated_name, moment, printable, rfc3339, word};
