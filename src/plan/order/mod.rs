//! In which order rows are written, and what of them (semantics §5, Writing).

mod components;
mod sequence;
mod user_write;
mod write_order;

pub(crate) use sequence::find_order;
pub(crate) use user_write::new_external_id;
pub use user_write::{UserWrite, generated_external_id};
pub use write_order::{Schedule, WriteOrder};
