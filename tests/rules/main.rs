//! What the service promises, held against the running server on SQLite and on PostgreSQL: one file
//! for each rule, one program for all, so that it is linked once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod deactivation;
mod one_set;
mod retries;
mod round_trips;
mod sharing;
mod stream_order;
