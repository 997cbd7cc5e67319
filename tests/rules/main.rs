//! What the service promises, held against the running server on SQLite and on PostgreSQL: one file
//! for each rule, one program for all, so that it is linked once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod catalogs;
mod concurrency;
mod deactivation;
mod engine;
mod filters;
mod growth;
mod guards;
mod isolation;
mod mass_deactivation;
mod missing;
mod one_set;
mod organisations;
mod phases;
mod plan_digest;
mod results;
mod round_trips;
mod scope;
mod services;
mod sharing;
mod statuses;
mod stream_order;
mod streams;
mod supervisors;
mod uncertain_rows;
mod uniqueness;
mod users;
mod write_order;
