//! Rows and users by number: the snapshot, the keys of both, and the user that each row matches. It does not change
//! while rows are judged, and it knows no rule.

mod attributes;
mod damaged_keys;
mod keys;
mod lists_by_index;
mod matched_snapshot;
mod matching;
mod named_supervisors;
mod numbers;
mod other_case;
pub(crate) mod parallel;
mod roster_index;
mod selection;
mod undone;
mod zero_padded;

pub(crate) use attributes::{resulting, sound};
pub(crate) use damaged_keys::DamagedKeyMatches;
pub use keys::MatchBy;
pub(crate) use keys::{Key, KeyHolders, held};
pub(crate) use lists_by_index::ListsByIndex;
pub(crate) use matched_snapshot::MatchedSnapshot;
pub use matching::RowMatching;
pub(crate) use named_supervisors::{keys_named, unknown_emails};
pub(crate) use numbers::{ByKey, IndexVec, KeyId, number, to_u32};
pub use numbers::{ByRow, ByUser, DenseIndex, RowIndex, UserIndex};
pub(crate) use other_case::OtherCaseMatches;
pub use roster_index::FinalUser;
pub(crate) use roster_index::{Node, RosterIndex, SupervisorChange};
pub use selection::{SecondSelection, UserSelection};
pub use undone::{UndoneChange, UndoneChanges};
pub(crate) use zero_padded::ZeroPaddedKeys;
