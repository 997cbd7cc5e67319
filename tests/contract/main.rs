//! The public contract as other programs see it: its form on the wire, and its reference. These tests need no server
//! and no database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests only write to folders of their own"
)]

mod build;
mod catalogue;
mod current;
mod dependencies;
mod deploy;
mod monitoring;
mod operations;
mod plain_english;
mod reference;
mod statements;
mod threats;
mod wire;
