//! What the tests share: fresh databases, the running server, rosters, and imports as text.
//!
//! Owns no rule of the service; a test's own file says what must hold.

mod app;
mod database;
mod imported;
mod roster;
mod server;

pub use app::{App, start_of};
pub use database::Database;
pub use imported::Imported;
pub use roster::{Roster, roster};

/// Runs each of these tests, `async fn name(database: Database)`, on SQLite and on PostgreSQL.
///
/// A test that is missing from the list is dead code, which CI refuses. Those on PostgreSQL are
/// ignored unless asked for, so that plain `cargo test` names what it leaves out.
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test($crate::support::Database::Sqlite).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #[ignore = "needs PostgreSQL: run scripts/test"]
                async fn $test() {
                    super::$test($crate::support::Database::Postgres).await;
                }
            )+
        }
    };
}
pub(crate) use on_both_databases;
