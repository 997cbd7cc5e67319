//! Finds the order in which rows are written, and the values that they write (semantics §5, Writing). Knows the final
//! state of the users, but neither a database nor a transaction.

mod components;
mod sequence;
mod user_write;
mod write_order;

pub(crate) use sequence::find_order;
pub(crate) use user_write::UserWrite;
#[cfg(test)]
pub(crate) use user_write::generated_external_id;
pub(crate) use user_write::new_external_id;
pub use write_order::WriteOrder;
pub(crate) use write_order::WriteSchedule;
