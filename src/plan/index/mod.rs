//! Rows and users by number: the snapshot, the keys of both, and the user that each row matches. It does not change
//! while rows are judged, and it knows no rule.

mod attributes;
mod catalog_names;
mod keys;
mod lists;
mod matching;
mod numbers;
mod other_case;
pub(crate) mod parallel;
mod roster;
mod snapshot;
mod zero_padded;

pub(crate) use attributes::{resulting, sound};
pub(crate) use catalog_names::CatalogNames;
pub(crate) use keys::{Key, MatchBy, held};
pub(crate) use lists::Lists;
pub(crate) use numbers::{ByKey, IndexVec, KeyId, number, to_u32};
pub use numbers::{ByRow, ByUser, Number, RowIndex, UserIndex};
pub(crate) use other_case::OtherCase;
pub use roster::FinalUser;
pub(crate) use roster::{Node, Roster, SupervisorChange};
pub(crate) use snapshot::Directory;
pub(crate) use zero_padded::Zeros;
