//! The standard services of gRPC servers (api.md): health, and both versions of reflection.

use tokio_stream::{StreamExt as _, once};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::{v1, v1alpha};

use user_import_testing::{App, Database, on_both_databases};

on_both_databases![
    health_knows_the_services,
    both_versions_of_reflection_list_the_services,
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

/// Returns the names of the services that one version of reflection lists. The versions have the same messages, as types
/// of their own.
macro_rules! listed_services {
    ($version:ident, $app:expr) => {{
        use $version::{
            ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
            server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
        };
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let mut client = ServerReflectionClient::new($app.connection());
        let answers = client.server_reflection_info(once(request)).await;
        let answer = answers.expect("it answers").into_inner().next().await;
        let answer = answer.expect("there is one").expect("it is no error");
        let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
            panic!("it lists no services");
        };
        let names = list.service.into_iter().map(|service| service.name);
        names.collect::<Vec<_>>()
    }};
}

async fn both_versions_of_reflection_list_the_services(database: Database) {
    let app = App::start(database).await;
    for names in [listed_services!(v1, app), listed_services!(v1alpha, app)] {
        for service in SERVICES.into_iter().chain(["grpc.health.v1.Health"]) {
            assert!(names.iter().any(|name| name == service), "{names:?}");
        }
    }
}
