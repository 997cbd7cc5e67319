//! A primary and a synchronous standby. The primary is killed while an import is written, and the standby is promoted.

use std::{sync::Arc, time::Duration};

use tonic::Code;
use user_import::proto::ExportUsersRequest;

use crate::{
    cluster::PostgresCluster,
    kills::{comparable, counts},
    process::{PATIENT, program},
    scene::{ID, Scene, eventually, expect_whole, many, start},
};
use user_import_testing::{
    App, FreshDatabase, ImportResponses, on_postgres, roster, signal::Signal, start_of,
};

on_postgres![
    an_import_outlives_its_primary_in_one_call_and_nothing_acknowledged_is_lost,
    an_import_waits_while_the_database_takes_no_writes,
    doctor_finds_a_standby,
];

/// Returns the number of rows of the import: enough for the primary to be killed in the middle. An environment variable
/// gives another number.
fn rows() -> usize {
    let rows = std::env::var("USER_IMPORT_TEST_FAILOVER_ROWS");
    rows.ok()
        .and_then(|rows| rows.parse().ok())
        .unwrap_or(20_000)
}

async fn an_import_outlives_its_primary_in_one_call_and_nothing_acknowledged_is_lost() {
    let mut primary = PostgresCluster::start().await;
    let standby = primary.synchronous_standby().await;
    let database = Arc::new(FreshDatabase::on_cluster(primary.url()).await);
    let url = primary.url_with(&standby, &database.url());
    let scene = Scene::on(database, url, 1_000, PATIENT).await;
    for organization in ["pd", "calm"] {
        scene.app.organization(organization).await;
    }
    let names: Vec<String> = (0..rows()).map(|number| format!("u{number:06}")).collect();
    let many = roster().people(names.iter().map(String::as_str));
    let calm = scene.app.import_with(start_of("calm"), &many).await;
    assert_eq!(calm.summary().created as usize, names.len(), "{calm}");
    let mut answers = scene.app.begin(start(), &many).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let acknowledged = first.results.len();
    primary.end(Signal::KILL);
    // The import waits as long as no host accepts writes.
    tokio::time::sleep(Duration::from_secs(1)).await;
    standby.promote().await;
    let ended = first.and_rest(answers).await;
    assert_eq!(ended.code(), Code::Ok, "{ended}");
    assert!(acknowledged < calm.results.len(), "it was too quick");
    assert_eq!(comparable(&ended), comparable(&calm));
    let mut expected = counts(&calm);
    ID.clone_into(&mut expected.import_id);
    assert_eq!(counts(&ended), expected);
    let (found, wanted) = (
        export_of(&scene.app, "pd").await,
        export_of(&scene.app, "calm").await,
    );
    assert_eq!(found, wanted);
    drop(scene);
}

/// Exports an organisation, and repeats the export if the database ends it. The database ends a transaction that is idle
/// for as long as a lease lasts, which is a second here. A busy machine may take longer for that many users.
async fn export_of(app: &App, organization: &str) -> String {
    let request = ExportUsersRequest {
        organization: organization.to_owned(),
        ..ExportUsersRequest::default()
    };
    let mut exported = String::new();
    let succeeds = async || match app.try_export(request.clone()).await {
        Ok(csv) => {
            exported = csv;
            true
        }
        Err(status) => {
            assert_eq!(status.code(), Code::Unavailable, "{status}");
            false
        }
    };
    eventually(succeeds, "the directory is exported").await;
    exported
}

async fn an_import_waits_while_the_database_takes_no_writes() {
    let cluster = PostgresCluster::start().await;
    let database = Arc::new(FreshDatabase::on_cluster(cluster.url()).await);
    let url = database.url();
    let scene = Scene::on(database, url, 1, PATIENT).await;
    scene.app.organization("pd").await;
    let mut answers = scene.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    cluster.set_read_only(true).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    cluster.set_read_only(false).await;
    let ended = first.and_rest(answers).await;
    expect_whole(&ended);
    drop(scene);
}

async fn doctor_finds_a_standby() {
    let mut primary = PostgresCluster::start().await;
    let standby = primary.synchronous_standby().await;
    let database = FreshDatabase::on_cluster(primary.url()).await;
    let run = |command: &str, url: &str| {
        let mut program = program();
        program.arg(command).env("USER_IMPORT_DATABASE_URL", url);
        program.env("USER_IMPORT_LISTEN", "127.0.0.1:0");
        let output = program.output().expect("the program can be started");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let both = primary.url_with(&standby, &database.url());
    // A synchronous standby has the schema once the primary has confirmed it, and shows it a moment later.
    assert_eq!(run("migrate", &both).0, Some(0));
    let (exit, said) = run("doctor", &both);
    assert_eq!(exit, Some(0), "{said}");
    let alone = standby.url_of(&primary, &database.url());
    eventually(
        async || run("doctor", &alone).1.contains("the schema is up to date"),
        "the standby has the schema",
    )
    .await;
    let (exit, said) = run("doctor", &alone);
    let wrong: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("WRONG"))
        .collect();
    assert_eq!((exit, wrong.len()), (Some(1), 1), "{said}");
    assert!(
        wrong[0].contains("access") && wrong[0].contains("it is a standby"),
        "{said}"
    );
    primary.end(Signal::KILL);
    standby.promote().await;
    let (exit, said) = run("doctor", &alone);
    assert_eq!(exit, Some(0), "{said}");
}
