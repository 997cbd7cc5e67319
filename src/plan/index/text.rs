//! How texts compare and which come near: the domain's rules, under the names that planning uses.

pub(crate) use crate::domain::{
    NearestIndex, Offers, SuggestionBudget, email_key, fold, strip_leading_zeros,
};
