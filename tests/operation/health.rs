//! Health says `NOT_SERVING` while the server starts or drains, and while its database is away.

use std::time::Duration;

use tokio::time::timeout;
use tonic::Streaming;
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};
use user_import::{config::Settings, store::Store};

use crate::support::{App, Database, on_both_databases};

on_both_databases![
    a_draining_server_is_not_serving,
    a_server_without_its_database_is_not_serving,
    a_starting_server_is_not_serving,
];

const LONG: Duration = Duration::from_mins(1);

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

async fn watch(app: &App, service: &str) -> Streaming<HealthCheckResponse> {
    let watched = HealthClient::new(app.channel()).watch(about(service)).await;
    watched.unwrap().into_inner()
}

/// Waits until this is said.
async fn until(answers: &mut Streaming<HealthCheckResponse>, status: ServingStatus) {
    let waiting = async {
        while let Some(answer) = answers.message().await.unwrap() {
            if answer.status() == status {
                return;
            }
        }
        panic!("it ended before");
    };
    timeout(LONG, waiting).await.expect("it is said");
}

async fn a_draining_server_is_not_serving(database: Database) {
    let app = App::start(database).await;
    let mut told = Vec::new();
    for service in [
        "",
        "userimport.v1.ImportService",
        "userimport.v1.DirectoryService",
    ] {
        let mut answers = watch(&app, service).await;
        until(&mut answers, ServingStatus::Serving).await;
        told.push(answers);
    }
    let stopping = tokio::spawn(app.restart());
    for mut answers in told {
        until(&mut answers, ServingStatus::NotServing).await;
    }
    stopping.await.unwrap();
}

/// Its file or its database gone from under it, and back again.
async fn a_server_without_its_database_is_not_serving(database: Database) {
    let app = App::start(database).await;
    let mut answers = watch(&app, "").await;
    until(&mut answers, ServingStatus::Serving).await;
    app.database().take_away().await;
    until(&mut answers, ServingStatus::NotServing).await;
    app.database().give_back().await;
    until(&mut answers, ServingStatus::Serving).await;
    app.people(["ada"]).await;
}

/// Its heartbeat cannot be written yet.
async fn a_starting_server_is_not_serving(database: Database) {
    let fresh = database.create().await;
    let store = Store::connect(&fresh.url()).await.unwrap();
    store.migrate().await.unwrap();
    let blocked = fresh.begin(match database {
        Database::Sqlite => "CREATE TABLE blocked (id INTEGER)",
        Database::Postgres => "LOCK TABLE servers IN ACCESS EXCLUSIVE MODE",
    });
    let blocked = blocked.await;
    let app = App::serve(std::sync::Arc::new(fresh), Settings::default()).await;
    let mut answers = watch(&app, "").await;
    let first = answers.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::NotServing);
    blocked.commit("").await;
    until(&mut answers, ServingStatus::Serving).await;
    app.organization("pd").await;
    app.people(["ada"]).await;
}
