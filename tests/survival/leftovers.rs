//! Resources that a disturbed import must not leave behind: locks, open transactions, leases, file descriptors,
//! memory.

use user_import::{
    domain::Column::LastName,
    proto::{ImportStart, ImportState},
};

use crate::scene::{ID, Scene, eventually, start};
use user_import_testing::{
    Database, ImportResponses, Roster, database::FreshDatabase, on_both_databases, roster,
};

on_both_databases![clients_that_hang_up_leave_nothing_behind];

/// The number of imports, which run one after the other.
const ROUNDS: u32 = 7;

/// Rows of each import. They take some MiB of the server's memory.
const CROWD: u32 = 3_000;

/// KiB of memory by which the server may grow during the last four imports, because SQLite's connections cache pages.
const LOST: usize = 5 * 1024;

/// Makes sure that no transaction is open, no lock is held, and no lease is still renewed.
pub async fn expect_quiet(database: &FreshDatabase) {
    if let FreshDatabase::Postgres { .. } = database {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
            AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'";
        eventually(
            async || database.number(open).await == 0,
            "no open transaction",
        )
        .await;
        let locks = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
            WHERE d.datname = current_database() AND l.pid <> pg_backend_pid()";
        eventually(async || database.number(locks).await == 0, "no lock").await;
        let left = "SELECT (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()) \
            + (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
            AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend')";
        let ended = async || database.number_on_workers(left).await == 0;
        eventually(ended, "no open transaction on another machine").await;
    }
    // On SQLite this waits for the single writer, and fails if that writer does not end.
    let touch = "UPDATE organizations SET revision = revision";
    database.begin(touch).await.commit("SELECT 1").await;
    // A lease that could not be released while connections were cut expires after a second.
    let now = match database {
        FreshDatabase::Postgres { .. } => "extract(epoch FROM clock_timestamp())",
        FreshDatabase::Sqlite { .. } => "unixepoch('subsec')",
    };
    let held = format!("SELECT count(*) FROM import_leases WHERE renewed_ms > ({now} - 1) * 1000");
    eventually(async || database.number(&held).await == 0, "no lease").await;
}

/// Returns an import that differs in every row from the one before, so that each import writes all rows.
fn crowd(round: u32) -> Roster {
    let name = format!("Round {round}");
    (0..CROWD).fold(roster(), |roster, number| {
        roster.row(&format!("u{number:04}"), [(LastName, name.as_str())])
    })
}

async fn clients_that_hang_up_leave_nothing_behind(database: Database) {
    let scene = Scene::start(database, 50).await;
    let mut footprints = Vec::new();
    for round in 0..ROUNDS {
        let import_id = format!("{}{round}", &ID[..ID.len() - 1]);
        let named = ImportStart {
            import_id: import_id.clone(),
            ..start()
        };
        let client = scene.another_client().await;
        let mut answers = client.begin(named, &crowd(round)).await;
        ImportResponses::first_results(&mut answers).await;
        drop((answers, client));
        let ended = async || {
            let record = scene.app.import_record(&import_id).await;
            record.is_ok_and(|record| record.state() == ImportState::Completed)
        };
        eventually(ended, "the import ends without its client").await;
        scene.expect_quiet().await;
        footprints.push(scene.footprint());
    }
    // The first rounds have filled the pool of connections and the heap.
    let (early, late) = (footprints[2], footprints[ROUNDS as usize - 1]);
    let grown = late.resident.saturating_sub(early.resident);
    println!("{database:?}: {grown} KiB more after four more imports");
    assert!(grown <= LOST, "{grown} KiB more: {footprints:?}");
}
