//! User Import: keeps an organisation's user accounts in step with a roster file, over gRPC.
//!
//! Comments cite two documents of the product's design, which are not in this repository: the contract as
//! "semantics §n", and the protection against hostile clients as "safety.md". `docs/rows.md` and `SECURITY.md` say the
//! same for users. The paragraphs of the contract: 1 the directory, 2 input, 3 phases, 4 deciding a row, 5 the file as
//! one set, 6 messages, 7 guards, 8 retrying, resuming and sharing, 9 round trips, 10 files as they come, 11 undo,
//! 12 held for review, 13 consequences, 14 cost.
//!
//! # Layout
//!
//! Dependencies point one way only, from left to right:
//!
//! - `cli → server → rpc → import → {inspect, plan, access, store}`
//! - `cli → client`, `{cli, rpc} → workbook`, `access → store`, `inspect → input`
//! - `{input, plan, store, workbook} → domain`; `domain` uses no other module
//!
//! The messages of the contract are known to `rpc`, `client`, `cli` and `audit`, and to the parts of `server`, `store`
//! and [`import`] that receive, send or record them. Everything else speaks the engine's own types.
//! `tests/contract/dependencies.rs` lists which modules use which, and which know those messages; it fails if another one does.
//!
//! | module | what it owns |
//! |---|---|
//! | [`proto`] | the public contract, generated from `proto/` |
//! | [`domain`] | columns, rows, issues, users, the catalog, and the checks of a value; pure |
//! | [`input`] | CSV bytes, workbooks (`input/workbook/`) and typed rows to raw rows; sans-IO |
//! | [`plan`] | decides what each row does, given how the directory would be after the whole import, and the order of writing; pure. By step: `index`, `judge`, `order`, `report` |
//! | `inspect` | what a file is, and a mapping that is proposed for it; pure |
//! | `workbook` | the workbooks that we write: rosters to fill in, exported ones, lists of valid values |
//! | [`import`] | one import's life: its `stages` in order, and each `attempt` to apply it. By phase: `receive`, `upload`, `review`, `held`, `apply`, `record`, `lease`, `respond`. Beside them: `undo`, `watch`, `inspection`, `roster_rows` |
//! | [`store`] | the database: the only module that knows SQL (with `migrations/`) |
//! | [`access`] | who is calling, by which credential, and what that permits; knows no wire |
//! | [`limits`] | how much of a server each client may use |
//! | [`audit`] | the hash chain of who did what; pure |
//! | `rpc` | the gRPC services: wire to domain, errors to statuses, one table of RPCs |
//! | [`server`] | listener, connections, health, reflection, shutdown |
//! | [`client`], [`cli`] | the gRPC client, and the commands on top of it: `client`, `server`, `output` |
//! | [`config`], [`clock`] | the settings of a server; the time, which tests may set |
//! | `telemetry` | logs, metrics, traces |
//! | `private_files` | files and folders that only their owner may read |
//! | `tls_faults` | what is wrong with the other side of a TLS connection, in words |
//!
//! # The path of one row
//!
//! 1. `rpc` opens an [`import::UploadBuffer`], which takes the client's messages as they come. An `ImportSession`
//!    reads them from there.
//! 2. [`import::RosterReceiver`] hands CSV bytes to [`input::CsvDecoder`] (charset, records, [`input::Header`]) and
//!    typed rows to [`input::TypedRows`]. Both give a [`domain::RawRow`]: its number, its line and a [`domain::Cell`]
//!    for each column.
//! 3. [`domain::Row`] is the row after the checks of its values (`domain/check.rs`), which run on all
//!    cores (`import/receive/parallel_checks.rs`), packed into a few bytes. Its
//!    faults ([`domain::ValueFault`]) stay with it as codes, and are worded when they are reported. All rows together are a
//!    `ReceivedRoster`.
//! 4. Once the client's `finish` matches what was received, [`plan::plan_while`] decides all rows on one
//!    [`plan::MatchedSnapshot`] and the [`domain::Catalog`], both made from a `store::Snapshot`. A row is a
//!    [`plan::RowIndex`] in all that follows; `plan::index::RosterIndex` numbers the keys of rows and users. The rules in
//!    `plan::judge` add `Finding`s about rows; `plan::order` puts the rows into a [`plan::WriteOrder`]. The result is
//!    a [`plan::Plan`] with a [`plan::Decision`] for each row.
//! 5. An `import::review::PlannedImport` adds the directory's revision and the IDs of new users. A guard may refuse the
//!    whole import. A dry run stops here.
//! 6. `import::apply` writes the plan's order as `WriteBatch`es with their `EncodedResults`: a thousand rows in the first
//!    transaction, then up to 20,000, more in a large SQLite file, fewer after a conflict (`apply/batch_size.rs`). If somebody else has changed the directory, the rest is planned again.
//! 7. After the commit the results go to the `ResponseSender` as [`proto::RowResults`]. Replay and watch send the
//!    recorded results again.
//!
//! A roster that comes in parts (`import::upload`) waits in the database until its last part is there, and then takes
//! the same path. So does a push (`rpc/push.rs`): its one request becomes the messages of a stream, and the responses to
//! it become one answer. There is one validator, one planner and one writer.
//!
//! # Where to find it
//!
//! | question | place |
//! |---|---|
//! | quotes, fields and line ends of a CSV file | `input/record/field_reader.rs`; line numbers and the longest record: `input/record/reader.rs`; which field is the cell of which column: `input/record_layout.rs`; lines that are no rows: `input/foreign_lines.rs`, `input/preamble.rs` |
//! | what columns are called in common use, and what is proposed for a file (§10) | `inspect/`: `names.rs`, `words.rs`, `proposal.rs` |
//! | how the export of another system is read (§10) | `input/mapping/`; its lines: `input/record/ignored_lines.rs` |
//! | what a column is called, holds, and where it is stored | the table in `domain/column.rs` |
//! | a rule for one value (semantics §2) | `domain/check.rs`, and the value's own file: `email.rs`, `phone.rs`, `username.rs`, … |
//! | a value against the catalog or its own user (§5 a) | `plan/judge/field_checks.rs`, `plan/judge/catalog_choices.rs` |
//! | a key that another user or another row has (§5 b) | `plan/judge/uniqueness.rs`, `plan/judge/duplicates.rs` |
//! | lost zeros, and other values that a spreadsheet may have changed | `plan/judge/damaged_values.rs` if the catalog has a pattern; the warnings: `plan/report/final_state_findings.rs` |
//! | which user a row matches (§4), also by `match_by` | `plan/index/matching.rs` |
//! | a rule that looks at all rows (§5 b to f) | `plan/judge/`, one file for each rule; `plan_while` rejects duplicates, and `plan/judge/rules.rs` applies the others in their order |
//! | the order of writes, and why each commit leaves a valid directory | `plan/order/sequence.rs` |
//! | which users a plan of few rows reads (§14) | `plan/index/selection.rs`; when: `import/review/selection.rs`; the statement: `store/user_selection.rs` |
//! | "did you mean" | `domain/name_search.rs`, `domain/nearest.rs`, `domain/one_edit.rs`; for a supervisor: `plan/judge/supervisor_names.rs`; who a row seems to be about: `plan/report/advice.rs`, `plan/report/wording/sentence.rs` |
//! | users who are not listed (§7) | `plan/report/missing_users.rs` |
//! | a guard that refuses a whole import (§7) | `import/review/guard.rs`; its thresholds: `config.rs`; the rows that replace a person: `plan/report/identity_changes.rs` |
//! | what an import brings about besides its counts (§13) | `plan/report/consequences.rs`; in sentences: `cli/output/report/consequences.rs` |
//! | an undo (§11) | `import/undo.rs`; the record that it is made from: `import/record/changed_users.rs`; its plan: `plan/index/undone.rs` |
//! | an import that is held for review (§12) | `import/held/`; the decision to hold it: `import/receive/session/holding.rs`; what an approval must state: `import/review/approval.rs`; stored in `store/held_imports.rs`; its RPCs: `rpc/held.rs` |
//! | the words of an issue | `domain/fault.rs` and `domain/record_fault.rs` for one value and one line, `plan/report/wording/` for what the planner finds |
//! | the words of a fault of the file | `input/fault.rs`; of a file without a header: `input/mistaken_file.rs`; of a workbook: `input/workbook/fault.rs` |
//! | what a client may not see (§6) | decided in `access/disclosure.rs`; removed from answers in `import/respond/disclosure/` |
//! | the status and details of an error | `rpc/status.rs` |
//! | the permission of an RPC | `rpc/rpc_table.rs`, enforced in `rpc/auth_layer.rs`; what an import's options need besides: `import/receive/options.rs` |
//! | an SQL statement | `store/`: an import's writes in `import_transaction/`; how their rows are bound on each database in `row_set.rs`; administrators' queries in `users.rs`, `user_search.rs` and `user_search/`; what a plan is made on in `snapshot.rs`, `user_reader.rs` and `user_selection.rs`; for any other table a file of its name |
//! | what an exported workbook looks like | `workbook/roster_sheet.rs`, `workbook/values_sheet.rs`; how it is sent in pieces: `workbook/streamed.rs`, `rpc/workbook_export.rs` |
//! | how a result is recorded and read again | `import/record/`: `encoding.rs`, `result_log.rs`, `replay.rs`; compressed in `store/compressed_message.rs` |
//! | where an interrupted import goes on | `import/attempt.rs`, `import/record/recorded_progress.rs` |
//! | joining, replaying, resuming an import (§8) | `import/attempt.rs`, `import/record/` |
//! | the lease, with which one import at a time writes to an organisation (§8) | an import waits for it in `import/lease/turn.rs` and renews it in `import/lease/held.rs`; one of few rows takes it in the transaction that writes them, `import/apply/whole.rs`; its statements: `store/leases.rs` and `store/leases/`; no transaction commits without it: `store/import_transaction.rs` |
//! | which audit events may be removed | `store/audit_archives.rs`, and the triggers of its migration; how the chain of the others is verified: `audit/chain.rs` |
//! | which address a call comes from, behind proxies | `server/forwarded.rs`, `server/proxy_header.rs`; who is believed: `access/trusted_proxies.rs` |
//! | what a proxy makes of an answer | `client/proxy_answers.rs` |
//! | the limits of safety.md | `limits/`, `server/`, `rpc/call_limiter.rs`, `import/receive/import_limiter.rs` |
//! | a setting | its option: `cli/server/` (`limits.rs`, `settings.rs`, `security.rs`); its type: `config.rs`, `limits/` |
//! | a text of the command line | `cli/output/report/`; failures are in `cli/failure.rs` |
//!
//! # Glossary
//!
//! One word for each thing, from the contract to the database.
//!
//! | word | means |
//! |---|---|
//! | organisation | the tenant |
//! | directory | the users of an organisation |
//! | roster | the rows of an import, from a file or typed |
//! | record (of a file) | what the CSV reader yields |
//! | cell | a value of a record with its column |
//! | raw row | the row as it was sent |
//! | row | the row after the checks of its values |
//! | fault | what is wrong with one value or with the file |
//! | finding | what the planner finds about a row |
//! | issue | a fault or finding as the client gets it |
//! | holder (of a key) | the user who has the key today |
//! | mapping | what a file's own columns, values and lines are in a roster |
//! | key | external ID, email, badge number or username |
//! | snapshot | the users that a plan is made on, with the catalog |
//! | partial snapshot | one with only the users that its rows can concern |
//! | plan | what happens to all rows |
//! | decision | what happens to one row |
//! | outcome | created, updated, unchanged or rejected |
//! | verdict | a decision as the client gets it |
//! | rule | one of semantics §5 |
//! | judgement | applying the rules until none rejects another row |
//! | write order | the order in which rows are written |
//! | batch | rows that are written together, or results that are recorded together |
//! | import | what has an ID and a record |
//! | attempt | one try at an import |
//! | session | the stream that makes an attempt |
//! | upload | a roster that is received in parts; limits of uploads also count rosters that arrive as a stream |
//! | run | the import of an upload, once the upload is finished |
//! | held import | one that a guard refused and that is kept for a decision |
//! | review | what an import would do, shown before it does it; also the phase of an import that finds this out and asks the guards |
//! | approval | the decision to apply a held import |
//! | undo | an import that gives users back the values that an earlier import changed |
//! | consequence | what an import brings about besides its counts, such as people without a supervisor |
//! | missing user | an active user that the roster does not list |
//! | catalog | the roles, ranks and groups of an organisation |
//! | lease | the right to write to an organisation |
//! | holder (of a lease) | the import that has it |
//! | taken over | another attempt goes on with the import, since this one lost the lease |
//! | overtaken | another import has begun applying since |
//! | heartbeat | the sign that a server lives |
//! | import record | the row in `imports` |
//! | result log | the recorded results |
//! | replay | sending recorded results again |
//! | guard | a check that may refuse the whole import |
//! | refusal | what the client gets if a whole import is refused |
//! | principal | who is calling |
//! | credential | what proves who is calling |
//! | permission | what the caller may do |
//! | limiter | a bound on concurrency |
//! | permit | the part of a limiter that one caller holds |
//! | retry policy | how often and for how long a failed transaction is tried again |
//! | back-off | the wait before it is |

#![cfg_attr(
    test,
    expect(
        clippy::disallowed_methods,
        reason = "tests only write to folders of their own"
    )
)]
// Only items that the program, the tests, the benchmarks and the fuzz targets of this repository use are public.
#![warn(unreachable_pub)]
#![expect(
    rustdoc::private_intra_doc_links,
    reason = "the documentation is for people who work on the crate, and includes the private items"
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
mod inspect;
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
mod tls_faults;
mod workbook;
