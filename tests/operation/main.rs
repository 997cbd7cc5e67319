//! The server under load, under attack, and under observation: limits, health, metrics, migrations, and
//! what must never be logged. One file for each subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, unused_imports, reason = "the rules' tests use the rest")]
#[path = "../support/mod.rs"]
mod support;

mod busy;
mod connections;
mod deadlines;
mod floods;
mod formulas;
mod health;
mod messages;
mod migrations;
mod observed;
mod personal_data;
mod program;
mod usernames;
mod web;
