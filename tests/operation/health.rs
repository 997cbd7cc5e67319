//! Health answers `NOT_SERVING` while the server starts or drains, and while its database is away.

use std::{sync::Arc, time::Duration};

use prost::Message as _;
use tokio::time::timeout;
use tonic::Streaming;
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::StatusExt;
use user_import::{config::Settings, proto, store::Store};

use crate::{http_client::OpenCall, program::serve};
use user_import_testing::{
    App, Database,
    certificates::{CertificateAuthority, CertificateFiles},
    free_address, on_both_databases,
};

const CHECK: &str = "/grpc.health.v1.Health/Check";
const RESOURCE_EXHAUSTED: Option<i32> = Some(8);

on_both_databases![
    a_draining_server_is_not_serving,
    a_server_without_its_database_is_not_serving,
    a_starting_server_is_not_serving,
    an_unknown_service_is_reported_as_unknown_and_may_be_known_later,
    all_services_are_listed,
    watches_are_bounded_for_each_address,
    a_request_that_is_too_large_is_refused_with_its_first_bytes,
    a_request_has_a_kibibyte_at_most,
    a_request_that_never_comes_whole_ends_soon,
    health_has_a_port_of_its_own,
    reflection_goes_on_after_an_unknown_name,
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

/// Waits until the answers have this status.
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

/// The database's file, or the database itself, is taken away and comes back.
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

/// The server cannot write its heartbeat yet.
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

async fn an_unknown_service_is_reported_as_unknown_and_may_be_known_later(database: Database) {
    let app = App::start(database).await;
    let mut answers = watch(&app, "userimport.v2.ImportService").await;
    let first = answers.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
    let more = timeout(Duration::from_millis(200), answers.message()).await;
    assert!(more.is_err(), "the stream stays open: {more:?}");
    let mut client = HealthClient::new(app.channel());
    let checked = client.check(about("userimport.v2.ImportService"));
    assert_eq!(checked.await.unwrap_err().code(), Code::NotFound);
}

async fn all_services_are_listed(database: Database) {
    use proto::health::{HealthListRequest, health_client::HealthClient};
    let app = App::start(database).await;
    until(&mut watch(&app, "").await, ServingStatus::Serving).await;
    let mut client = HealthClient::new(app.channel());
    let listed = client.list(HealthListRequest {}).await;
    let listed = listed.unwrap().into_inner().statuses;
    let services =
        ["Audit", "Directory", "Import"].map(|name| format!("userimport.v1.{name}Service"));
    let names: Vec<_> = [String::new()].into_iter().chain(services).collect();
    assert_eq!(listed.keys().cloned().collect::<Vec<_>>(), names);
    let serving = proto::health::health_check_response::ServingStatus::Serving;
    assert!(listed.values().all(|answer| answer.status() == serving));
}

async fn watches_are_bounded_for_each_address(database: Database) {
    let app = App::start(database).await;
    let mut watching = Vec::new();
    for _ in 0..10 {
        watching.push(watch(&app, "").await);
    }
    let one_more = HealthClient::new(app.channel()).watch(about("")).await;
    let refused = one_more.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let quota = refused.get_details_quota_failure().unwrap();
    assert_eq!(quota.violations[0].subject, "health_watches_per_address");
    // A client that asks once gets an answer, too.
    let checked = HealthClient::new(app.channel()).check(about("")).await;
    assert_eq!(checked.unwrap().get_ref().status(), ServingStatus::Serving);
    watching.pop();
    let freed = async {
        while HealthClient::new(app.channel())
            .watch(about(""))
            .await
            .is_err()
        {}
    };
    timeout(LONG, freed).await.expect("a place gets free");
}

/// The client sends only the length, or a little more. The server does not wait for the rest, compressed or not.
async fn a_request_that_is_too_large_is_refused_with_its_first_bytes(database: Database) {
    let app = App::start(database).await;
    for beginning in [
        &[0, 0, 0, 4, 1][..],
        &[0, 0, 64, 0, 0, 7, 7],
        &[1, 0, 64, 0, 0],
        &[0, 255, 255, 255, 255],
    ] {
        for rpc in ["Check", "List", "Watch"] {
            let path = format!("/grpc.health.v1.Health/{rpc}");
            let headers = [("grpc-encoding", "gzip")];
            let call = OpenCall::begin(app.address(), &path, &headers, beginning).await;
            // The status is not the one for a late request, which would come after some seconds.
            let message = call.response.headers().get("grpc-message").cloned();
            let message = message.as_ref().and_then(|message| message.to_str().ok());
            assert!(
                message.is_some_and(|text| text.contains("1024")),
                "{message:?}"
            );
            assert_eq!(call.status().await, RESOURCE_EXHAUSTED, "{beginning:?}");
        }
    }
}

/// Both requests have one text field: one byte with its number and two with its length.
async fn a_request_has_a_kibibyte_at_most(database: Database) {
    let app = App::start(database).await;
    for (bytes, health, reflection) in [
        (1_024, Code::NotFound, Code::Ok),
        (1_025, Code::ResourceExhausted, Code::ResourceExhausted),
    ] {
        let text = "x".repeat(bytes - 3);
        let request = about(&text);
        assert_eq!(request.encoded_len(), bytes);
        let checked = HealthClient::new(app.channel()).check(request).await;
        assert_eq!(checked.unwrap_err().code(), health, "{bytes}");
        let question = question(MessageRequest::FileContainingSymbol(text));
        assert_eq!(question.encoded_len(), bytes);
        let mut client = ServerReflectionClient::new(app.connection());
        let asked = client
            .server_reflection_info(tokio_stream::once(question))
            .await;
        let answer = asked.unwrap().into_inner().message().await;
        let code = answer.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(code, reflection, "{bytes}");
    }
}

async fn a_request_that_never_comes_whole_ends_soon(database: Database) {
    let app = App::start(database).await;
    let call = OpenCall::begin(app.address(), CHECK, &[], &[0, 0, 0, 4, 0, 7]).await;
    assert_eq!(call.status().await, RESOURCE_EXHAUSTED);
}

/// This port speaks plain text while the other speaks TLS, and serves only health.
async fn health_has_a_port_of_its_own(database: Database) {
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let files = CertificateFiles::new(&CertificateAuthority::new().server());
    let (certificate, key) = (files.path("server.pem"), files.path("server.key"));
    let (health, log) = (free_address(), folder.path().join("log"));
    let options = [
        "--health-listen",
        &health.to_string(),
        "--tls-cert",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let server = serve(&database.url(), &options, &log);
    let channel = Channel::from_shared(format!("http://{health}")).unwrap();
    let channel = channel.connect().await.unwrap();
    let watched = HealthClient::new(channel.clone()).watch(about("")).await;
    until(&mut watched.unwrap().into_inner(), ServingStatus::Serving).await;
    let mut directory =
        proto::directory_service_client::DirectoryServiceClient::new(channel.clone());
    let request = proto::ListOrganizationsRequest::default();
    let refused = directory.list_organizations(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented, "{refused}");
    let question = tokio_stream::once(question(MessageRequest::ListServices(String::new())));
    let mut reflection = ServerReflectionClient::new(channel);
    let refused = reflection.server_reflection_info(question).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unimplemented);
    let call = OpenCall::begin(health, CHECK, &[], &[0, 0, 64, 0, 0]).await;
    assert_eq!(call.status().await, RESOURCE_EXHAUSTED);
    server.stop();
}

fn question(asked: MessageRequest) -> ServerReflectionRequest {
    ServerReflectionRequest {
        host: String::new(),
        message_request: Some(asked),
    }
}

async fn reflection_goes_on_after_an_unknown_name(database: Database) {
    let app = App::start(database).await;
    let unknown = || "userimport.v9.Nothing".to_owned();
    let questions = [
        MessageRequest::FileContainingSymbol(unknown()),
        MessageRequest::FileByFilename("nothing.proto".to_owned()),
        MessageRequest::AllExtensionNumbersOfType(unknown()),
        MessageRequest::FileContainingSymbol("grpc.health.v1.Health.List".to_owned()),
    ];
    let questions = tokio_stream::iter(questions.map(question));
    let mut client = ServerReflectionClient::new(app.connection());
    let answers = client.server_reflection_info(questions).await.unwrap();
    let mut answers = answers.into_inner();
    for _ in 0..3 {
        let answer = answers.message().await.unwrap().unwrap();
        let Some(MessageResponse::ErrorResponse(error)) = answer.message_response else {
            panic!("{answer:?}");
        };
        assert_eq!(error.error_code, i32::from(Code::NotFound));
    }
    let last = answers.message().await.unwrap().unwrap().message_response;
    assert!(matches!(
        last,
        Some(MessageResponse::FileDescriptorResponse(_))
    ));
    assert!(answers.message().await.unwrap().is_none());
}
