//! Until a credential is configured, callers on the server's own machine may do everything; after
//! that nobody may without one.

use tonic::{Code, Request};
use user_import::{domain::Permission, proto::GetOrganizationRequest};

use crate::{
    rpcs::{self, call, is_admitted},
    support::{App, Database, on_both_databases, token},
};

on_both_databases![
    a_local_caller_may_do_everything_while_no_credential_is_configured,
    a_token_made_while_the_server_runs_closes_it_to_callers_without_one,
    a_token_that_was_revoked_keeps_it_closed,
    a_caller_behind_a_proxy_is_not_local,
];

async fn a_local_caller_may_do_everything_while_no_credential_is_configured(database: Database) {
    let app = App::start(database).await;
    for path in rpcs::all() {
        let answer = call(&app, &path, "pd").await;
        assert!(is_admitted(&answer), "{path}: {answer:?}");
    }
}

async fn a_token_made_while_the_server_runs_closes_it_to_callers_without_one(database: Database) {
    let app = App::start(database).await;
    let other_server = app.another_server().await;
    assert_eq!(app.users().await, []);
    app.create_token(token("sheriff", [])).await;
    for server in [&app, &other_server] {
        for path in rpcs::all() {
            let status = call(server, &path, "pd").await.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{path}");
        }
    }
}

async fn a_token_that_was_revoked_keeps_it_closed(database: Database) {
    let app = App::start(database).await;
    let (id, _) = app.create_token(token("pd", Permission::ALL)).await;
    app.revoke(id).await;
    let app = app.restart().await;
    for path in rpcs::all() {
        let status = call(&app, &path, "pd").await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{path}");
    }
}

async fn a_caller_behind_a_proxy_is_not_local(database: Database) {
    let app = App::start(database).await;
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let organization = "pd".to_owned();
        let mut request = Request::new(GetOrganizationRequest { organization });
        let metadata = request.metadata_mut();
        metadata.insert(header, "192.0.2.1".parse().unwrap());
        let status = app.directory().get_organization(request).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{header}");
    }
}
