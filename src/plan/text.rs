//! How texts compare and which come near: the domain's rules, under the names that planning uses.

pub(super) use crate::domain::{NearestIndex, Offers, SuggestionBudget, fold, strip_leading_zeros};
