//! What a disturbed import must not leave behind: locks, open transactions, file descriptors.

use user_import::proto::{ImportStart, ImportState};

use crate::{
    scene::{ID, Scene, eventually, many, start},
    support::{Database, Imported, database::FreshDatabase, on_both_databases},
};

on_both_databases![hung_up_clients_leave_no_descriptors_behind];

/// Makes sure that no transaction is open, no lock is held, and no lease is left that somebody
/// renews.
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
    }
    // On SQLite this waits for the one writer, and fails where that does not end.
    let touch = "UPDATE organizations SET revision = revision";
    database.begin(touch).await.commit("SELECT 1").await;
    // One that could not be given back while connections were cut has run out after a second.
    let now = match database {
        FreshDatabase::Postgres { .. } => "extract(epoch FROM clock_timestamp())",
        FreshDatabase::Sqlite { .. } => "unixepoch('subsec')",
    };
    let held = format!("SELECT count(*) FROM import_leases WHERE renewed_ms > ({now} - 1) * 1000");
    eventually(async || database.number(&held).await == 0, "no lease").await;
}

async fn hung_up_clients_leave_no_descriptors_behind(database: Database) {
    let scene = Scene::start(database, 1).await;
    let mut counts = Vec::new();
    for round in 0..4 {
        let import_id = format!("{}{round}", &ID[..ID.len() - 1]);
        let named = ImportStart {
            import_id: import_id.clone(),
            ..start()
        };
        let client = scene.another_client().await;
        let mut answers = client.begin(named, &many()).await;
        Imported::first_results(&mut answers).await;
        drop((answers, client));
        let ended = async || {
            let record = scene.app.import_record(&import_id).await;
            record.is_ok_and(|record| record.state() == ImportState::Completed)
        };
        eventually(ended, "the import ends without its client").await;
        counts.push(scene.process.descriptors());
    }
    // The first round has filled the pool of connections to the database.
    assert!(counts[3] <= counts[1] + 2, "{counts:?}");
    expect_quiet(&scene.database).await;
}
