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
//! | [`plan`] | one decision for each row on the final state, and the order of writing; pure. By step: `index`, `judge`, `order`, `report` |
//! | [`import`] | one import's life. By phase: `receive`, `upload`, `review`, `apply`, `record`, `lease`, `respond` |
//! | [`store`] | the database: the only module that knows SQL (with `migrations/`) |
//! | [`access`] | who is calling, by which credential, and what that permits; knows no wire |
//! | [`limits`] | how much of a server each client may use; settings |
//! | [`audit`] | the hash chain of who did what; pure |
//! | `rpc` | the gRPC services: wire to domain, errors to statuses, one table of RPCs |
//! | [`server`] | listener, connections, health, reflection, shutdown |
//! | [`client`], [`cli`] | the gRPC client, and the commands on top of it: `client`, `server`, `output` |
//! | [`telemetry`] | logs, metrics, traces |
//! | `private_files` | files and folders that only their owner may read |
//!
//! # The path of one row
//!
//! 1. `rpc` opens an [`import::UploadBuffer`], which takes the client's messages as they come. An `ImportSession`
//!    reads them from there.
//! 2. [`import::RosterReceiver`] hands CSV bytes to [`input::CsvDecoder`] (charset, `Layout`, records,
//!    [`input::Header`]) and typed rows to [`input::TypedRows`]. Both give a [`domain::RawRow`]: its number, its line and
//!    a [`domain::Cell`] for each column.
//! 3. [`domain::Row`] is the row after the checks of its values (`domain/check.rs`), packed into a few bytes; each
//!    [`domain::Fault`] is a code, a column and a place. All rows together are a `ReceivedRoster`.
//! 4. After `finish` has been verified, [`plan::plan_while`] decides all rows on one [`plan::Directory`] and the
//!    [`domain::Catalog`], both read from a `store::Snapshot`. A row is a [`plan::RowIndex`] from here on; the keys of
//!    rows and users are numbered in `plan::index::Roster`. Each rule of `plan::judge` adds a `Finding`; `plan::order`
//!    puts the rows into a [`plan::WriteOrder`]. The result is a [`plan::Plan`] with a [`plan::Decision`] for each row.
//! 5. An `import::review::PlannedImport` adds what the client asked for. Guards may refuse the whole; a dry run ends
//!    here.
//! 6. `import::apply` writes the plan's order as `WriteBatch`es, some hundreds of [`plan::UserWrite`]s in a
//!    transaction, each with its `EncodedResults`. If somebody else has changed the directory, the rest is planned
//!    again.
//! 7. After the commit the results go to the `ResponseSender` as [`proto::RowResults`]. They are what replay and watch
//!    read from the record.
//!
//! A roster that comes in parts (`import::upload`) waits in the database until its last part is there, and then takes
//! the same path. There is one validator, one planner and one writer.
//!
//! # Where to find it
//!
//! | question | place |
//! |---|---|
//! | a rule for one value (semantics §2) | `domain/check.rs`, and the value's own file: `email.rs`, `phone.rs`, `username.rs`, … |
//! | a rule that looks at all rows (§5) | `plan/judge/`, one file for each rule; their order is in `plan/judge/rules.rs` |
//! | users who are not listed (§7) | `plan/report/missing.rs` |
//! | a guard that refuses a whole import (§7) | `import/review/guard.rs` |
//! | the words of an issue | `domain/fault.rs` for one value, `plan/report/wording.rs` for what the planner finds |
//! | the words of a fault of the file | `input/fault.rs` |
//! | what a client may not see (§6) | `import/respond/disclosure/` |
//! | the status and details of an error | `rpc/status.rs` |
//! | the permission of an RPC | `rpc/rpc_table.rs` |
//! | an SQL statement | `store/`, one file for each table or use |
//! | resuming, replaying, overtaking (§8) | `import/attempt.rs`, `import/record/` |
//! | one writer for each organisation (§8) | `import/lease/`, `store/leases.rs` |
//! | the limits of safety.md | `limits/`, `server/`, `rpc/call_limiter.rs` |
//! | a message of the command line | `cli/output/report/`; failures are in `cli/failure.rs` |
//!
//! # Glossary
//!
//! One word for each thing, from the contract to the database.
//!
//! | word | means |
//! |---|---|
//! | organisation, directory, user | the tenant; its users; one of them |
//! | roster, file, row, record, field, column, cell | what is imported; a row is judged, a record is what the CSV reader yields, a cell is a value with its column |
//! | raw row, row | as it was sent; after the checks of its values |
//! | match, holder | the user that a row updates; the user who has a key today |
//! | key | external ID, email, badge number or username |
//! | snapshot | the users that a plan is made on |
//! | plan, decision, outcome, issue | the whole; for one row; created, updated, unchanged or rejected; one finding as it is told to the client |
//! | judgement, rule | the fixpoint of semantics §5; one of its steps |
//! | write order, batch, transaction | the order of rows; rows written together; the database's |
//! | import, attempt, upload, session | what has an ID and a record; one try at it; a roster received in parts; one stream |
//! | lease, heartbeat | the right to write to an organisation; the sign that its holder lives |
//! | import record, result log, replay | the row in `imports`; the recorded results; sending them again |
//! | guard, refusal | a reason to refuse the whole; the refusal as it is told to the client |
//! | principal, credential, permission | who; by what; what they may do |
//! | limiter, permit | a bound on concurrency; what one caller holds of it |
//! | retry policy, back-off | how a failed transaction is tried again |

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "what tests write is in folders of their own"
    )
)]
// Only what the program, the tests, the benchmarks and the fuzz targets of this repository use is public. The
// documentation is for those who work on the crate, and so has the private items too.
#![warn(unreachable_pub)]
#![allow(rustdoc::private_intra_doc_links)]

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
mod telemetry;
