//! What the planner takes from the domain to compare texts.

pub(super) use crate::domain::{NearestIndex, fold, nearest, strip_leading_zeros};
