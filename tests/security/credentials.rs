//! A wrong, expired or revoked credential permits no call at all.

use time::Duration;
use tonic::{Code, Request, metadata::MetadataMap};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest,
};
use user_import::{
    access::TokenText, clock::Clock, domain::Permission, proto::GetOrganizationRequest,
};

use user_import_testing::{
    App, Database, TokenGrant, on_both_databases,
    rpcs::{self, answer, call, is_admitted, status_line},
    token,
};

on_both_databases![
    a_good_token_opens_every_rpc,
    no_rpc_answers_to_a_bad_credential,
    an_expired_token_opens_nothing,
    a_revoked_token_opens_nothing_from_then_on,
    only_one_authorization_header_of_the_known_kind_counts,
    health_needs_no_credential_and_reflection_any,
    the_last_use_of_a_token_is_recorded,
];

async fn operator(app: &App) -> App {
    app.holding(token("*", Permission::ALL)).await
}

async fn a_good_token_opens_every_rpc(database: Database) {
    let app = App::start(database).await;
    let operator = operator(&app).await;
    for path in rpcs::all() {
        let answer = call(&operator, &path, "pd").await;
        assert!(is_admitted(&answer), "{path}: {answer:?}");
    }
}

async fn no_rpc_answers_to_a_bad_credential(database: Database) {
    let app = App::start(database).await;
    let (_, good) = app.create_token(token("*", Permission::ALL)).await;
    let unknown = TokenText::generate().unwrap();
    let missing = "Unauthenticated CREDENTIAL_MISSING: This server needs a credential: send a token \
        in the authorization header.";
    let invalid = "Unauthenticated CREDENTIAL_INVALID: This credential is not valid here; check that \
        it is complete and for this server.";
    for path in rpcs::all() {
        let nobody = app.without_credential();
        assert_eq!(answer(&nobody, &path, "pd").await, missing, "{path}");
        for bad in [
            unknown.reveal(),
            &good[..good.len() - 1],
            &good.to_uppercase(),
            "",
            "' OR 1=1 --",
        ] {
            let caller = app.presenting(bad);
            assert_eq!(answer(&caller, &path, "pd").await, invalid, "{path} {bad}");
        }
    }
}

async fn an_expired_token_opens_nothing(database: Database) {
    let app = App::start(database).await;
    let expired = TokenGrant {
        expires_at: Clock::system().now() - Duration::seconds(1),
        ..token("*", Permission::ALL)
    };
    let caller = app.holding(expired).await;
    for path in rpcs::all() {
        assert_eq!(
            answer(&caller, &path, "pd").await,
            "Unauthenticated CREDENTIAL_EXPIRED: This credential has expired; ask for a new one.",
            "{path}"
        );
    }
}

async fn a_revoked_token_opens_nothing_from_then_on(database: Database) {
    let app = App::start(database).await;
    let (id, text) = app.create_token(token("*", Permission::ALL)).await;
    let caller = app.presenting(&text);
    assert_eq!(caller.users().await, []);
    app.revoke(id).await;
    for path in rpcs::all() {
        assert_eq!(
            answer(&caller, &path, "pd").await,
            "Unauthenticated CREDENTIAL_REVOKED: This credential was revoked; ask for a new one.",
            "{path}"
        );
    }
}

async fn only_one_authorization_header_of_the_known_kind_counts(database: Database) {
    let app = App::start(database).await;
    let (_, good) = app.create_token(token("*", Permission::ALL)).await;
    let bearer = format!("Bearer {good}");
    for (values, admitted) in [
        (vec![bearer.clone()], true),
        (vec![format!("bearer {good}")], true),
        (vec![format!("Basic {good}")], false),
        (vec![good.clone()], false),
        (vec!["Bearer x".to_owned(), bearer.clone()], false),
        (vec![bearer.clone(), bearer.clone()], false),
    ] {
        let mut metadata = MetadataMap::new();
        for value in &values {
            metadata.append("authorization", value.parse().unwrap());
        }
        let organization = "pd".to_owned();
        let mut request = Request::new(GetOrganizationRequest { organization });
        *request.metadata_mut() = metadata;
        let mut client = app.without_credential().directory();
        let code = match client.get_organization(request).await {
            Ok(_) => Code::Ok,
            Err(status) => status.code(),
        };
        let expected = if admitted {
            Code::Ok
        } else {
            Code::Unauthenticated
        };
        assert_eq!(code, expected, "{values:?}");
    }
}

async fn health_needs_no_credential_and_reflection_any(database: Database) {
    let app = App::start(database).await;
    let (_, good) = app.create_token(token("pd", [])).await;
    let mut health = HealthClient::new(app.channel());
    let health = health.check(HealthCheckRequest::default());
    health.await.expect("a probe has no credential");
    for (caller, code) in [
        (app.presenting(&good), Code::Ok),
        (app.presenting("x"), Code::Unauthenticated),
        (app, Code::Unauthenticated),
    ] {
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let mut reflection = ServerReflectionClient::new(caller.connection());
        let answer = reflection.server_reflection_info(tokio_stream::once(request));
        let answered = answer
            .await
            .map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(answered, code);
    }
}

async fn the_last_use_of_a_token_is_recorded(database: Database) {
    let app = App::start(database).await;
    let (id, text) = app.create_token(token("pd", [Permission::UsersRead])).await;
    let store = app.store().await;
    let last_use = async || store.token(id).await.unwrap().unwrap().last_used_at;
    assert_eq!(last_use().await, None);
    let before = Clock::system().now();
    app.presenting(&text).users().await;
    // The call has ended, and no other call waits until this is written.
    let used = loop {
        match last_use().await {
            Some(used) => break used,
            None => tokio::task::yield_now().await,
        }
    };
    assert!(used >= before);
    app.presenting(&text).users().await;
    assert_eq!(
        last_use().await,
        Some(used),
        "it is written once in a while"
    );
    let refused = call(
        &app.presenting("x"),
        "/userimport.v1.DirectoryService/GetUser",
        "pd",
    )
    .await;
    assert!(status_line(&refused.unwrap_err()).starts_with("Unauthenticated"));
}
