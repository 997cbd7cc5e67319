//! Shared code of the tests: fresh databases, the running server, rosters, and imports as text.
//!
//! It owns no rule of the service; a test's own file states what must hold.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests only write to folders of their own"
)]
#![allow(
    clippy::new_without_default,
    reason = "an authority is made for a test, and never by default"
)]

mod app;
mod bearer;
mod call;
pub mod certificates;
pub mod database;
mod held;
mod history;
mod import_responses;
mod planned;
mod process_usage;
mod property;
mod pushed;
mod random;
mod refusal;
mod roster;
pub mod rpcs;
mod seeded_random;
mod serve_process;
mod server;
pub mod signal;
mod staged;
pub mod workbook;

use std::future::Future;

pub use app::{
    App, PATIENCE, catalog, deactivating_missing, dry_run, every_missing_user, start_of,
};
pub use bearer::{
    BearerChannel, TokenGrant, authorization_at, local_token, runtime_directory, token,
};
pub use call::ImportCall;
pub use database::{Database, FreshDatabase, OpenTransaction, is_distributed};
pub use import_responses::ImportResponses;
pub use planned::{planned_on, rows_of};
pub use property::for_all;
pub use random::{any_people, roster_of, sound_people};
pub use roster::{Roster, roster};
pub use seeded_random::SeededRandom;
pub use serve_process::{ServeProcess, free_address, program_at};
pub use staged::finish_of;

/// Runs each of these tests, `async fn name(database: Database)`, on SQLite and on PostgreSQL. Tests after a
/// semicolon, `async fn name()`, run on PostgreSQL alone.
///
/// A test that is missing from the list is dead code, which CI refuses. The tests on PostgreSQL are ignored by
/// default, so that plain `cargo test` names the tests that it leaves out.
#[macro_export]
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)? $(; $($alone:ident),+ $(,)?)?) => {
        mod sqlite {
            $(
                #[test]
                fn $test() {
                    $crate::run(super::$test($crate::Database::Sqlite));
                }
            )+
        }

        mod postgres {
            $crate::postgres_tests![
                $($test($crate::Database::Postgres),)+ $($($alone(),)+)?
            ];
        }
    };
}

/// Runs each of these tests, `async fn name()`, on PostgreSQL alone.
#[macro_export]
macro_rules! on_postgres {
    ($($test:ident),+ $(,)?) => {
        mod postgres {
            $crate::postgres_tests![$($test(),)+];
        }
    };
}

/// The tests of a module `postgres`, each with the call given here.
#[macro_export]
macro_rules! postgres_tests {
    ($($test:ident($($database:expr)?),)+) => {
        $(
            #[test]
            #[ignore = "needs PostgreSQL: run scripts/test"]
            fn $test() {
                $crate::run(super::$test($($database)?));
            }
        )+
    };
}

/// Runs a test's body. Its snapshots are the same on both databases, and insta needs a setting for that.
pub fn run(body: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    insta::allow_duplicates! { runtime.block_on(body) }
}
