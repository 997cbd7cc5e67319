//! What an import is about: columns, rows, issues, users, the catalog, and the field types whose
//! existence proves that a value is valid.
//!
//! Pure: knows neither bytes nor databases nor the wire.

mod catalog;
mod column;
mod fold;
mod issue;
mod nearest;
mod normalise;
mod packed;
mod raw;
mod row;
mod slug;
mod suggest;
mod user;

pub use catalog::{Catalog, Group, GroupId, Rank, RankId, Role, RoleId};
pub use column::{Column, ColumnSet};
pub use fold::fold;
pub use issue::{Issue, IssueCode, Severity};
pub use nearest::NearestIndex;
pub use normalise::normalise;
pub use packed::PackedText;
pub use raw::{Cell, RawRow};
pub use row::{Row, RowParts};
pub use slug::{InvalidSlug, Slug};
pub use suggest::nearest;
pub use user::{Status, User, UserText};
