//! The domain's rules for comparing texts and for finding near ones, under the names that planning uses.

pub(crate) use crate::domain::{
    NearestIndex, Offers, SuggestionBudget, email_key, fold, strip_leading_zeros,
};
