//! Rows in, decisions out.

mod identity;
mod judgement;
mod missing;
mod one_byte;
mod outcomes;
mod permissions;
mod scale;
mod wording;
mod writing;
