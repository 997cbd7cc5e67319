//! Rows in, decisions out.

mod identity;
mod judgement;
mod missing;
mod outcomes;
mod permissions;
mod scale;
mod wording;
mod writing;
