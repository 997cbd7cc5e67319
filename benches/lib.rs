//! The roster that all benchmarks import.

#![allow(
    clippy::disallowed_methods,
    reason = "the files of a benchmark are not secret"
)]

pub mod names;
pub mod roster;
