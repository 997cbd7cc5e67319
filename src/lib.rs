//! User Import: keeps an organisation's user accounts in step with a roster file, over gRPC.
//!
//! # Layout
//!
//! Dependencies point one way only:
//! `cli → client`, `cli → server → rpc → import → {input, plan, access} → store → domain`.
//!
//! | module | what it owns |
//! |---|---|
//! | [`proto`] | the public contract, generated from `proto/` |
//! | [`domain`] | columns, rows, issues, users, the catalog, and the checks of a value; pure |
//! | [`input`] | CSV bytes and typed rows to raw rows; sans-IO |
//! | [`plan`] | one decision for each row on the final state, and the order of writing; pure |
//! | [`access`] | who is calling, by which credential, and what that permits; knows no wire |
//! | [`import`] | one import's life, its record, its lease |
//! | [`limits`] | what clients may take up of a server; settings |
//! | [`audit`] | the hash chain of who did what; pure |
//! | [`store`] | the database: the only place that knows SQL (with `migrations/`) |
//! | `rpc` | the gRPC services: wire to domain, errors to statuses |
//! | `private_files` | files and folders that nobody but their owner may read |
//! | [`server`] | listener, connections, health, reflection, shutdown |
//! | [`telemetry`] | logs, metrics, traces |
//! | [`client`], [`cli`] | the gRPC client, and the commands on top of it |
//!
//! # The path of one row
//!
//! Bytes arrive in [`import::RosterReceiver`] and go through [`input::CsvDecoder`] (typed rows enter through
//! [`input::TypedRows`]); both end in a [`domain::RawRow`]. [`domain::Row::parse`] checks its values and
//! keeps it in compact form. Once `finish` has been verified, [`plan::plan_while`] decides all rows against one
//! snapshot of the directory; guards may refuse the whole. Then rows are written in the plan's order, some
//! hundreds to a transaction, each transaction with the results of its rows, and a result is sent once it
//! is committed. A roster that comes in parts waits in the database until its last part is there, and then
//! takes the same path as a stream. There is one validator, one planner and one writer; a dry run stops before the writer.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "what tests write is in folders of their own"
    )
)]

pub mod access;
pub mod audit;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod domain;
pub mod import;
pub mod input;
pub mod limits;
#[path = "../migrations/mod.rs"]
mod migrations;
pub mod plan;
mod private_files;
pub mod proto;
mod rpc;
pub mod server;
pub mod store;
pub mod telemetry;
