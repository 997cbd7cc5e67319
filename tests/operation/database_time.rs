//! How long PostgreSQL may wait for a lock and run a statement, from both sides. (`tests/survival/leases.rs` stops a
//! process to test how long a session may idle in a transaction.) SQLite has one writer, and each write waits its
//! turn.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;
use user_import::{config::Settings, limits::DatabaseLimits, proto::GetOrganizationRequest};

use user_import_testing::{App, Database, on_postgres};

on_postgres![
    a_call_that_waits_too_long_for_a_lock_is_asked_to_retry,
    a_statement_that_takes_too_long_is_ended,
    a_wait_that_is_short_enough_is_no_fault,
];

const LONG: Duration = Duration::from_mins(1);

/// Longer than any pause of the machine, so that work that nothing blocks ends in time.
const SHORT: Duration = Duration::from_secs(5);

async fn app(statement: Duration, lock: Duration) -> App {
    let settings = Settings {
        database: DatabaseLimits { statement, lock },
        ..Settings::default()
    };
    let app = App::start_with(Database::Postgres, settings).await;
    app.people(["ada"]).await;
    app
}

/// Writes the user, which must wait for the transaction that has locked the row.
async fn protect(app: &App, user_id: String) -> Result<(), Status> {
    app.set_protected(&user_id, true).await.map(drop)
}

const HOLD: &str = "LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE";

async fn expect_given_up(app: &App) {
    let id = app.user("ada").await.id;
    let held = app.database().begin(HOLD).await;
    let refused = protect(app, id.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    assert!(refused.get_details_retry_info().is_some());
    // The refused call has no effect on others: they are served, and the same call succeeds once the lock is free.
    let request = GetOrganizationRequest {
        organization: "pd".to_owned(),
    };
    app.directory().get_organization(request).await.unwrap();
    held.commit("").await;
    protect(app, id).await.unwrap();
    assert!(app.user("ada").await.protected);
}

async fn a_call_that_waits_too_long_for_a_lock_is_asked_to_retry() {
    expect_given_up(&app(LONG, SHORT).await).await;
}

async fn a_statement_that_takes_too_long_is_ended() {
    expect_given_up(&app(SHORT, LONG).await).await;
}

async fn a_wait_that_is_short_enough_is_no_fault() {
    let app = app(LONG, LONG).await;
    let id = app.user("ada").await.id;
    let held = app.database().begin(HOLD).await;
    let waiting = protect(&app, id);
    let freeing = async {
        app.database().until_somebody_waits().await;
        held.commit("").await;
    };
    let (waited, ()) = tokio::join!(waiting, freeing);
    waited.unwrap();
}
