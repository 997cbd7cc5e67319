//! A database whose organisations Citus has spread over several machines. No package registry has Citus, so these tests
//! run only if `USER_IMPORT_TEST_CITUS_URL` names a coordinator (see `docs/scale.md`), and print a remark otherwise.

mod machines;
mod upgrades;

use std::{env, sync::Arc, time::Duration};

use time::OffsetDateTime;
use tonic::Code;
use user_import::{
    config::Settings,
    domain::Column::{Email, FirstName, SupervisorEmail},
    proto::{
        AuditHead, Catalog, RecordAuditArchiveRequest, UpdateCatalogRequest,
        audit_service_client::AuditServiceClient,
    },
    store::Store,
};

use crate::program::run;
use user_import_testing::{
    App, FreshDatabase, catalog, deactivating_missing, on_postgres, roster, start_of,
};

on_postgres![
    an_empty_database_and_a_filled_one_are_distributed_and_stay_as_they_were,
    organisations_are_on_several_machines_and_every_kind_of_import_works,
    references_and_the_audit_trail_are_guarded_there_too,
];

/// Returns an empty database on Citus, or `None` and a remark if there is no Citus.
async fn citus() -> Option<FreshDatabase> {
    let Ok(url) = env::var("USER_IMPORT_TEST_CITUS_URL") else {
        println!("NOT RUN: USER_IMPORT_TEST_CITUS_URL names no Citus");
        return None;
    };
    Some(FreshDatabase::undistributed_on_citus(&url).await)
}

/// Starts a server on a distributed database. Without Citus, prints a remark and returns `None`.
async fn on_citus() -> Option<App> {
    let database = citus().await?;
    migrate(&database, &["--distribute"]);
    Some(App::serve(Arc::new(database), Settings::default()).await)
}

fn migrate(database: &FreshDatabase, options: &[&str]) -> String {
    let output = run(&[&["migrate"], options].concat(), &database.url());
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

fn doctor(database: &FreshDatabase) -> String {
    String::from_utf8(run(&["doctor"], &database.url()).stdout).unwrap()
}

async fn an_empty_database_and_a_filled_one_are_distributed_and_stay_as_they_were() {
    let Some(empty) = citus().await else { return };
    migrate(&empty, &[]);
    assert!(!doctor(&empty).contains("distribution"));
    let said = migrate(&empty, &["--distribute"]);
    assert!(said.contains("are spread over"), "{said}");
    assert!(doctor(&empty).contains("ok       distribution"));
    // The same command a second time changes nothing.
    migrate(&empty, &["--distribute"]);

    let filled = Arc::new(citus().await.unwrap());
    let app = App::serve(Arc::clone(&filled), Settings::default()).await;
    app.organization("pd").await;
    app.people(["ann", "ben", "cid"]).await;
    let before = app.export().await;
    let running = run(&["migrate", "--distribute"], &filled.url());
    let said = String::from_utf8(running.stderr).unwrap();
    assert!(said.contains("servers are running"), "{said}");
    filled.execute("DELETE FROM servers").await;
    migrate(&filled, &["--distribute"]);
    let app = app.restart().await;
    assert_eq!(app.export().await, before);
    let changed = app.import(roster().row("ann", [(FirstName, "Anne")])).await;
    assert_eq!(changed.summary().updated, 1, "{changed}");
}

async fn organisations_are_on_several_machines_and_every_kind_of_import_works() {
    let Some(app) = on_citus().await else { return };
    for number in 0..8 {
        let organization = format!("pd-{number}");
        app.organization(&organization).await;
        let people = roster().people(["ann", "ben", "cid"]);
        let imported = app.import_with(start_of(&organization), people).await;
        assert_eq!(imported.summary().created, 3, "{imported}");
    }
    let machines = "SELECT count(DISTINCT nodeport) FROM citus_shards WHERE table_name = 'users'::regclass \
        AND shard_size > 0";
    assert!(app.database().number(machines).await > 1);

    app.organization("pd").await;
    app.people(["ann", "ben", "cid"]).await;
    let swapped = roster()
        .row("ann", [(Email, "ben@pd.example")])
        .row("ben", [(Email, "ann@pd.example")])
        .row("dan", [(SupervisorEmail, "cid@pd.example")]);
    let swapped = app.import(swapped).await;
    let summary = swapped.summary();
    assert_eq!((summary.created, summary.updated), (1, 2), "{swapped}");
    let csv = roster().people(["eve", "fay"]).csv();
    let in_parts = app
        .import_in_parts(start_of("pd"), csv.as_bytes(), [7, 100])
        .await;
    assert_eq!(in_parts.summary().created, 2, "{in_parts}");
    app.protect("ann").await;
    let left = roster().people(["cid", "dan", "eve", "fay"]);
    let left = app
        .import_with(deactivating_missing(start_of("pd")), left)
        .await;
    let summary = left.summary();
    let gone = (summary.deactivated, summary.protected_skipped);
    assert_eq!(gone, (1, 1), "{left}");
    let typed = roster().row("dan", [(FirstName, "Daniel")]).typed();
    let pushed = app.push(start_of("pd"), typed).await;
    assert_eq!(pushed.summary().updated, 1, "{pushed}");
    let unknown = app
        .import_with(start_of("nowhere"), roster().people(["x"]))
        .await;
    assert_eq!(unknown.code(), Code::NotFound, "{unknown}");
    assert_eq!(app.users().await.len(), 6);
}

async fn references_and_the_audit_trail_are_guarded_there_too() {
    let Some(app) = on_citus().await else { return };
    app.organization("pd").await;
    app.people(["ann"]).await;
    for refused in [
        "UPDATE users SET role_id = 4711 WHERE external_id = 'ann'",
        "UPDATE users SET supervisor_id = '00000000-0000-0000-0000-000000000001'",
        "UPDATE audit_events SET principal = 'nobody'",
        "DELETE FROM audit_events",
        "DELETE FROM audit_heads",
    ] {
        let answer = app.database().try_execute(refused).await;
        assert!(answer.is_err(), "{refused}");
    }
    archived_events_can_be_removed(&app).await;
    let mut without = catalog();
    without.roles.retain(|role| role.name != "Officer");
    let request = UpdateCatalogRequest {
        organization: "pd".to_owned(),
        catalog: Some(without),
    };
    let refused = app.directory().update_catalog(request).await;
    let refused = refused.expect_err("an officer is left");
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    let reduced = Catalog {
        ranks: Vec::new(),
        ..catalog()
    };
    app.catalog("pd", reduced).await;
}

/// The triggers read other rows of the table, on the machine that has these rows.
async fn archived_events_can_be_removed(app: &App) {
    let events = app.audit_events("pd").await;
    let (kept, last) = (&events[2..], &events[1]);
    let archive = RecordAuditArchiveRequest {
        organization: "pd".to_owned(),
        last: Some(AuditHead {
            sequence: last.sequence,
            hash: last.hash.clone(),
        }),
        ..RecordAuditArchiveRequest::default()
    };
    let mut client = AuditServiceClient::new(app.connection());
    client.record_audit_archive(archive).await.unwrap();
    for refused in ["", "WHERE sequence = 3", "WHERE sequence = 5"] {
        let delete = format!("DELETE FROM audit_events {refused}");
        assert!(
            app.database().try_execute(&delete).await.is_err(),
            "{delete}"
        );
    }
    let store = Store::connect(&app.database().url()).await.unwrap();
    let later = OffsetDateTime::now_utc() + Duration::from_mins(1);
    assert_eq!(store.expire_audit_events(later).await.unwrap(), 2);
    let left = app.audit_events("pd").await;
    assert_eq!(&left[..left.len() - 1], kept);
}
