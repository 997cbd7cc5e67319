//! The roster that all benchmarks import.

#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark's files are nobody's secret"
)]

pub mod names;
pub mod roster;
