//! A server that waits for the database is not dead (semantics §8): a transaction may take longer than a lease lasts,
//! and the import keeps its lease meanwhile.

use std::time::Duration;

use tonic::Code;
use user_import::{
    config::Settings,
    proto::{ImportFinish, ImportState, import_users_request::Message},
};

use crate::retries::{ID, MANY, OTHER_ID, impatient, many, named};
use user_import_testing::{
    App, Database, ImportCall, ImportResponses, is_distributed, on_both_databases, roster, start_of,
};

on_both_databases![
    an_import_whose_transaction_outlasts_its_lease_goes_on,
    an_import_that_is_received_while_the_database_is_busy_is_not_dead;
    // SQLite has one writer.
    organisations_do_not_wait_for_each_other,
    a_transaction_that_gave_way_to_another_is_made_again,
];

const LEASE: Duration = Duration::from_secs(1);

async fn start_with_short_leases(database: Database) -> App {
    let settings = Settings {
        transaction_rows: 1,
        lease: LEASE,
        server: impatient(),
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

/// Locks what every write transaction needs: the organisation's row, or on SQLite the whole database.
const HOLD: &str = "UPDATE organizations SET revision = revision";

/// SQL for the database's clock, in milliseconds.
async fn now_ms(app: &App, database: Database) -> i64 {
    let sql = match database {
        Database::Postgres => "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
        Database::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    };
    app.database().number(sql).await
}

/// Repeats `check` until three leases would have expired.
async fn while_leases_run_out(app: &App, database: Database, mut check: impl AsyncFnMut()) {
    let end = now_ms(app, database).await + 3 * 1_000;
    while now_ms(app, database).await < end {
        check().await;
    }
}

async fn an_import_whose_transaction_outlasts_its_lease_goes_on(database: Database) {
    let app = start_with_short_leases(database).await;
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let held = app.database().begin(HOLD).await;
    while_leases_run_out(&app, database, async || {
        let record = app.import_record(ID).await.expect("it is recorded");
        assert_eq!(record.state(), ImportState::Applying);
    })
    .await;
    // If the import had to wait, its lease has expired by now. Still, no other import gets the lease.
    let csv = roster().people(["ada"]).csv().into_bytes();
    let other = tokio::spawn(app.sending(named(OTHER_ID), csv));
    held.commit("SELECT 1").await;
    let other = other.await.expect("the client does not panic");
    assert_eq!(other.code(), Code::Aborted, "{other}");
    let imported = first.and_rest(answers).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(imported.results.len(), MANY);
}

/// Opens an import and sends only its start.
async fn receiving(app: &App) -> ImportCall {
    let call = app.call().await;
    call.send(Message::Start(named(ID))).await;
    while app.import_record(ID).await.is_err() {
        tokio::task::yield_now().await;
    }
    call
}

async fn an_import_that_is_received_while_the_database_is_busy_is_not_dead(database: Database) {
    let app = start_with_short_leases(database).await;
    let call = receiving(&app).await;
    let held = app.database().begin(HOLD).await;
    while_leases_run_out(&app, database, async || {
        let record = app.import_record(ID).await.expect("it is recorded");
        assert_eq!(record.state(), ImportState::Receiving);
    })
    .await;
    held.commit("SELECT 1").await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    call.send(Message::CsvChunk(csv.into())).await;
    call.send(Message::Finish(ImportFinish::default())).await;
    let imported = call.finish().await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn organisations_do_not_wait_for_each_other() {
    let app = App::start(Database::Postgres).await;
    app.organization("sheriff").await;
    let hold = format!("{HOLD} WHERE slug = 'pd'");
    let held = app.database().begin(&hold).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    let waiting = tokio::spawn(app.sending(named(ID), csv));
    let imported = app.import_with(start_of("sheriff"), roster().people(["bob"]));
    assert_eq!(imported.await.summary().created, 1);
    assert!(!waiting.is_finished());
    held.commit("SELECT 1").await;
    let imported = waiting.await.expect("the client does not panic");
    assert_eq!(imported.summary().created, 1, "{imported}");
}

/// The first two writes to users fail as if two transactions had blocked each other.
async fn a_transaction_that_gave_way_to_another_is_made_again() {
    if is_distributed("a trigger of a distributed table sees no sequence") {
        return;
    }
    let app = App::start(Database::Postgres).await;
    app.tamper(
        "CREATE SEQUENCE tries; \
        CREATE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            CASE nextval('tries') \
                WHEN 1 THEN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; \
                WHEN 2 THEN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; \
                ELSE RETURN NULL; \
            END CASE; \
        END $$; \
        CREATE TRIGGER give_way AFTER INSERT ON users EXECUTE FUNCTION give_way()",
    )
    .await;
    let imported = app.import(roster().people(["ada"])).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(imported.summary().created, 1, "{imported}");
    let tries = "SELECT last_value FROM tries";
    assert_eq!(app.database().number(tries).await, 3);
}
