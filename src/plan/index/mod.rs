//! Rows and users by number: the snapshot, the keys of both, and the user that each row matches. It does not change
//! while rows are judged, and it knows no rule.

mod attributes;
mod keys;
mod links;
mod matching;
mod other_case;
pub(crate) mod parallel;
mod positions;
mod roster;
mod snapshot;
mod text;
mod zero_padded;

pub(crate) use attributes::{resulting, sound, stored};
pub(crate) use keys::MatchBy;
pub(crate) use keys::{Key, held};
pub(crate) use links::{Links, Lists, index, indices};
pub(crate) use other_case::OtherCase;
pub(crate) use positions::Positions;
pub(crate) use roster::{FinalUser, Roster, SupervisorChange};
pub(crate) use snapshot::Directory;
pub(crate) use text::{
    NearestIndex, Offers, SuggestionBudget, email_key, fold, strip_leading_zeros,
};
pub(crate) use zero_padded::Zeros;
