//! The standard services of gRPC servers (api.md): health, and both versions of reflection.

use tokio_stream::{StreamExt as _, once};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::{v1, v1alpha};

use user_import_testing::{App, Database, on_both_databases};

on_both_databases![
    health_knows_the_services,
    reflection_lists_the_services,
    reflection_v1alpha_lists_the_services,
];

const SERVICES: [&str; 3] = [
    "userimport.v1.AuditService",
    "userimport.v1.DirectoryService",
    "userimport.v1.ImportService",
];

async fn health_knows_the_services(database: Database) {
    let app = App::start(database).await;
    let mut health = HealthClient::new(app.channel());
    for service in SERVICES.into_iter().chain([""]) {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = health.check(request).await.expect(service).into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let unknown = HealthCheckRequest {
        service: "userimport.v2.ImportService".to_owned(),
    };
    assert!(health.check(unknown).await.is_err());
}

fn assert_lists(names: &[String]) {
    for service in SERVICES.into_iter().chain(["grpc.health.v1.Health"]) {
        assert!(names.iter().any(|name| name == service), "{names:?}");
    }
}

async fn reflection_lists_the_services(database: Database) {
    use v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let app = App::start(database).await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(app.connection());
    let answers = client.server_reflection_info(once(request)).await;
    let answer = answers.expect("it answers").into_inner().next().await;
    match answer
        .expect("there is one")
        .expect("it is well")
        .message_response
    {
        Some(MessageResponse::ListServicesResponse(list)) => {
            assert_lists(&list.service.into_iter().map(|s| s.name).collect::<Vec<_>>());
        }
        other => panic!("{other:?}"),
    }
}

async fn reflection_v1alpha_lists_the_services(database: Database) {
    use v1alpha::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let app = App::start(database).await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(app.connection());
    let answers = client.server_reflection_info(once(request)).await;
    let answer = answers.expect("it answers").into_inner().next().await;
    match answer
        .expect("there is one")
        .expect("it is well")
        .message_response
    {
        Some(MessageResponse::ListServicesResponse(list)) => {
            assert_lists(&list.service.into_iter().map(|s| s.name).collect::<Vec<_>>());
        }
        other => panic!("{other:?}"),
    }
}
