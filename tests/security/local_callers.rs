//! Without a credential there is no access, on loopback either. Until a credential is configured, the server's local
//! token permits everything. After that it permits nothing any more.

use std::fs;

use tonic::{Code, Request};
use user_import::{
    access::TokenText,
    access::jwt::{JwtKeyLocation, JwtSettings},
    config::{SecuritySettings, Settings},
    domain::Permission,
    proto::GetOrganizationRequest,
};

use user_import_testing::{
    App, Database, on_both_databases,
    rpcs::{self, answer, call, is_admitted},
    token,
};

on_both_databases![
    nobody_is_admitted_without_a_credential_on_loopback_either,
    the_local_token_may_do_everything_while_no_credential_is_configured,
    a_token_made_while_the_server_runs_ends_the_local_token,
    a_token_that_was_revoked_keeps_it_ended,
    an_identity_provider_ends_the_local_token_for_ever,
    a_list_of_client_certificates_ends_the_local_token_for_ever,
    a_proxy_in_front_of_the_server_opens_nothing,
];

const GET: &str = "/userimport.v1.DirectoryService/GetOrganization";
const ENDED: &str = "Unauthenticated CREDENTIAL_REVOKED: The server's local token is not valid any \
    more, because a credential has been configured; create a token with user-import token create, \
    and send that.";

async fn nobody_is_admitted_without_a_credential_on_loopback_either(database: Database) {
    let app = App::start(database).await;
    let other = TokenText::generate().unwrap();
    let strangers = [
        app.without_credential(),
        app.presenting(other.reveal()),
        app.presenting("local"),
        app.presenting(""),
    ];
    for stranger in &strangers {
        for path in rpcs::all() {
            let status = call(stranger, &path, "pd").await.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{path}");
        }
    }
}

async fn the_local_token_may_do_everything_while_no_credential_is_configured(database: Database) {
    let app = App::start(database).await;
    for path in rpcs::all() {
        let answer = call(&app, &path, "pd").await;
        assert!(is_admitted(&answer), "{path}: {answer:?}");
    }
}

async fn a_token_made_while_the_server_runs_ends_the_local_token(database: Database) {
    let app = App::start(database).await;
    let other_server = app.another_server().await;
    assert_eq!(app.users().await, []);
    app.create_token(token("sheriff", [])).await;
    for server in [&app, &other_server] {
        for path in rpcs::all() {
            let status = call(server, &path, "pd").await.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{path}");
        }
        assert_eq!(answer(server, GET, "pd").await, ENDED);
    }
}

async fn a_token_that_was_revoked_keeps_it_ended(database: Database) {
    let app = App::start(database).await;
    let (id, _) = app.create_token(token("pd", Permission::ALL)).await;
    app.revoke(id).await;
    let app = app.restart().await;
    for path in rpcs::all() {
        let status = call(&app, &path, "pd").await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{path}");
    }
}

/// Starts a server whose local token is valid, then another one beside it with these settings, then both again without
/// them.
async fn ends_the_local_token(database: Database, security: SecuritySettings) {
    let app = App::start(database).await;
    assert_eq!(answer(&app, GET, "pd").await, "Ok");
    let settings = Settings {
        security,
        ..Settings::default()
    };
    let closed = App::serve(app.shared_database(), settings).await;
    assert_eq!(answer(&closed, GET, "pd").await, ENDED);
    assert_eq!(answer(&app, GET, "pd").await, ENDED);
    let app = app.restart().await;
    let closed = closed.restart_with(Settings::default()).await;
    assert_eq!(answer(&closed, GET, "pd").await, ENDED);
    assert_eq!(answer(&app, GET, "pd").await, ENDED);
}

async fn an_identity_provider_ends_the_local_token_for_ever(database: Database) {
    let jwt = JwtSettings {
        keys: JwtKeyLocation::Url("http://127.0.0.1:1/keys".parse().unwrap()),
        keys_ca: None,
        issuer: "https://id.example".to_owned(),
        audience: "user-import".to_owned(),
        algorithms: vec!["ES256".parse().unwrap()],
        leeway: std::time::Duration::ZERO,
        organization_claim: "organization".to_owned(),
        permissions_claim: "permissions".to_owned(),
    };
    let security = SecuritySettings {
        jwt: Some(jwt),
        ..SecuritySettings::default()
    };
    Box::pin(ends_the_local_token(database, security)).await;
}

async fn a_list_of_client_certificates_ends_the_local_token_for_ever(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("identities.json");
    fs::write(&list, "{\"identities\": []}").unwrap();
    let security = SecuritySettings {
        identities: Some(list),
        ..SecuritySettings::default()
    };
    Box::pin(ends_the_local_token(database, security)).await;
}

/// A call through a proxy with default settings comes from this machine, without a header or with headers that anybody
/// can write. It makes no difference whether the proxy is trusted.
async fn a_proxy_in_front_of_the_server_opens_nothing(database: Database) {
    let trusting = SecuritySettings {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()].into(),
        ..SecuritySettings::default()
    };
    for security in [SecuritySettings::default(), trusting] {
        let settings = Settings {
            security,
            ..Settings::default()
        };
        let app = App::start_with(database, settings).await;
        expect_nothing_open(&app.without_credential()).await;
    }
}

async fn expect_nothing_open(caller: &App) {
    for (header, value) in [
        ("x-request-id", "1"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-for", "::1"),
        ("forwarded", "for=127.0.0.1"),
        ("forwarded", "for=\"[::1]\""),
        ("x-real-ip", "127.0.0.1"),
        ("x-envoy-internal", "true"),
    ] {
        let organization = "pd".to_owned();
        let mut request = Request::new(GetOrganizationRequest { organization });
        let metadata = request.metadata_mut();
        metadata.insert(header, value.parse().unwrap());
        let called = caller.directory().get_organization(request).await;
        assert_eq!(
            called.unwrap_err().code(),
            Code::Unauthenticated,
            "{header}"
        );
    }
}
