//! What the service promises, held against the running server on SQLite and on PostgreSQL: one file
//! for each rule, one program for all, so that it is linked once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod absent_and_blank;
mod comparing_values;
mod csv_dialect;
mod deactivation;
mod file_faults;
mod header;
mod messages;
mod one_set;
mod random_rosters;
mod record_faults;
mod retries;
mod round_trips;
mod sharing;
mod spreadsheet_damage;
mod standing_values;
mod stream_order;
mod template;
mod uploads;
mod values;
