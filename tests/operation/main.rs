//! The server under load, under attack, and under observation: limits, health, metrics, migrations, and the data that
//! must never be logged. One file for each subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests only write to folders of their own"
)]

mod attacks;
mod audit_heads;
mod backups;
mod busy;
mod citus;
mod connections;
mod crowds;
mod database_time;
mod deadlines;
mod denied_calls;
mod doctor;
mod encodings;
mod floods;
mod formulas;
mod frames;
mod health;
mod http_client;
mod kept_attempts;
mod large_catalogs;
mod memory;
mod messages;
mod metrics;
mod migrations;
mod observed;
mod partial_plans;
mod personal_data;
mod poolers;
mod probes;
mod program;
mod proxies;
mod push_costs;
mod runtime_threads;
mod scene;
mod searches;
mod sizes;
mod transport;
mod usernames;
mod web;
