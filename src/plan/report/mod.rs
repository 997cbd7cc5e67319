//! The report of a plan: the decision on each row, findings in words, missing users, consequences, and the digest. It
//! never rejects a row; only the judgement does.

mod advice;
mod consequences;
mod digest;
mod final_state_findings;
mod identity_changes;
mod missing_users;
mod waiting;
mod wording;

pub(crate) use advice::complete_findings;
pub(crate) use consequences::consequences;
pub use consequences::{Consequence, ConsequenceExample, ConsequenceKind};
pub use digest::DigestKey;
pub(crate) use digest::digest;
pub(crate) use final_state_findings::add_final_state_findings;
pub(crate) use identity_changes::{IdentityChanges, warn_of_replaced_identities};
pub(crate) use missing_users::{MissingUsers, ZeroPaddedMatches, find_missing};
pub(crate) use waiting::count_waiting;
pub(crate) use wording::{
    LOST_LETTER, OTHER_MARKS, RENAMES, supervisor_inactive, waiting_sentence, zeros_lost,
};
