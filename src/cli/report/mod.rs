//! How an import is shown to a person.
//!
//! Pure, but for the progress bar: messages in, text out, so that what an administrator reads is
//! tested as text. Everything that came from a roster or a server passes [`printable`].

mod audit;
mod findings;
mod history;
mod look;
mod progress;
mod rejected;
mod rows;
mod summary;
mod text;

pub use audit::audit_table;
pub use findings::Findings;
pub use history::history_table;
pub use look::Look;
pub use progress::Progress;
pub use rejected::rejected_table;
pub use rows::row_lines;
pub use summary::{Asked, summary_text};
pub use text::printable;
