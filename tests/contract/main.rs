//! The public contract as other programs meet it: what it is on the wire, and what its reference
//! says. Needs no server and no database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod catalogue;
mod current;
mod deploy;
mod operations;
mod reference;
mod threats;
mod wire;
