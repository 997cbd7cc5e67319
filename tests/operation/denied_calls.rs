//! A denied call is counted and logged, without the data that the caller sent. The audit trail of the organisation
//! whose credential was used records it.

use std::{fs, sync::Arc, time::Duration};

use serde_json::Value;
use tonic::{Code, Status};
use user_import::{
    domain::Permission::{self, UsersRead},
    proto::{
        AuditAction, AuditEvent, AuditOutcome, GetOrganizationRequest, GetUserRequest,
        ListUsersRequest, get_user_request::Key,
    },
};

use crate::{observed::get, program::serve};
use user_import_testing::{App, Database, free_address, on_both_databases, roster, token};

on_both_databases![
    denied_calls_are_counted_by_rpc_and_reason_and_logged_without_values,
    a_denied_caller_is_recorded_in_the_chain_of_the_credentials_organisation,
    the_same_denial_again_is_no_further_event,
];

const METHOD: &str = "/userimport.v1.DirectoryService/GetUser";
const LONG: Duration = Duration::from_mins(1);

/// Searches for a person by her email address.
async fn look(caller: &App, organization: &str) -> Result<(), Status> {
    let request = GetUserRequest {
        organization: organization.to_owned(),
        key: Some(Key::Email("canary@pd.example".to_owned())),
    };
    caller.directory().get_user(request).await.map(drop)
}

async fn events(operator: &App, chain: &str) -> Vec<AuditEvent> {
    let events = operator.audit_events(chain).await.into_iter();
    events
        .filter(|event| event.action() == AuditAction::CallDenied)
        .collect()
}

/// Returns the denials in a chain once there are `count` of them. A call does not wait until its denial is appended.
async fn denials(operator: &App, chain: &str, count: usize) -> Vec<AuditEvent> {
    let looking = async {
        loop {
            let found = events(operator, chain).await;
            if found.len() >= count {
                return found;
            }
        }
    };
    tokio::time::timeout(LONG, looking)
        .await
        .expect("they are told")
}

fn codes(results: &[Result<(), Status>]) -> Vec<Code> {
    let code = |result: &Result<(), Status>| result.as_ref().err().map_or(Code::Ok, Status::code);
    results.iter().map(code).collect()
}

fn expect_counted(page: &str) {
    for (reason, count) in [
        ("CREDENTIAL_MISSING", 1),
        ("CREDENTIAL_INVALID", 1),
        ("CREDENTIAL_REVOKED", 1),
        ("PERMISSION_MISSING", 1),
        ("OTHER_ORGANIZATION", 2),
    ] {
        let line = format!(
            "user_import_denied_calls_total{{method=\"{METHOD}\",reason=\"{reason}\"}} {count}"
        );
        assert!(page.contains(&line), "{line} is not in\n{page}");
        let line = format!("user_import_refused_requests_total{{reason=\"{reason}\"}} {count}");
        assert!(page.contains(&line), "{line} is not in\n{page}");
    }
}

async fn denied_calls_are_counted_by_rpc_and_reason_and_logged_without_values(database: Database) {
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let (log, address) = (folder.path().join("log"), free_address());
    let options = [
        "--log-format",
        "json",
        "--metrics-listen",
        &address.to_string(),
    ];
    let server = serve(&database.url(), &options, &log);
    let app = App::attach(Arc::clone(&database), server.address).await;
    app.organization("pd").await;
    let (revoked, revoked_text) = app.create_token(token("pd", [UsersRead])).await;
    app.revoke(revoked).await;
    let (id, text) = app
        .create_token(token("pd", [Permission::UsersImport]))
        .await;
    let reader = app.holding(token("pd", [UsersRead])).await;
    let called = [
        look(&app.without_credential(), "pd").await,
        look(&app.presenting("hunter2"), "pd").await,
        look(&app.presenting(&revoked_text), "pd").await,
        look(&app.presenting(&text), "pd").await,
        look(&reader, "secret-services").await,
        look(&reader, "secret-services").await,
    ];
    let (unknown, denied) = (Code::Unauthenticated, Code::PermissionDenied);
    assert_eq!(
        codes(&called),
        [unknown, unknown, unknown, denied, denied, denied]
    );
    expect_counted(&get(address));
    server.stop();
    let log = fs::read_to_string(&log).unwrap();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told: Vec<_> = lines
        .filter(|l| l["fields"]["message"] == "a call was denied")
        .collect();
    assert_eq!(told.len(), called.len(), "{log}");
    for line in &told {
        assert_eq!(line["fields"]["method"], METHOD, "{line}");
        assert_eq!(line["fields"]["address"], "127.0.0.1", "{line}");
        assert!(line["span"]["request_id"].is_string(), "{line}");
    }
    assert_eq!(told[0]["fields"]["credential"], "none");
    assert_eq!(told[3]["fields"]["credential"], format!("token {id}"));
    for secret in ["canary", "hunter2", "secret-services", &text, &revoked_text] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
    }
}

async fn a_denied_caller_is_recorded_in_the_chain_of_the_credentials_organisation(
    database: Database,
) {
    let app = App::start(database).await;
    app.organization("sheriff").await;
    let operator = app.holding(token("*", Permission::ALL)).await;
    let (id, text) = app.create_token(token("pd", [UsersRead])).await;
    let caller = app.presenting(&text);
    let imported = caller.import(roster().people(["ada"])).await;
    assert_eq!(imported.code(), Code::PermissionDenied);
    assert!(look(&caller, "sheriff").await.is_err());
    // This denial is not in the audit trail: its caller is unknown, and anybody could cause any number of such denials.
    assert!(look(&app, "pd").await.is_err());
    let mut told = denials(&operator, "pd", 2).await;
    // Each event is appended beside the answer, so that their order may differ.
    told.sort_by(|a, b| a.subject.cmp(&b.subject).reverse());
    let [import, look] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(import.principal, format!("token {id} (test)"));
    assert!(import.address.starts_with("127.0.0.1:"), "{import:?}");
    assert_eq!(import.outcome(), AuditOutcome::Refused);
    assert_eq!(import.subject, "userimport.v1.ImportService/ImportUsers");
    assert_eq!(import.details["reason"], "PERMISSION_MISSING");
    assert_eq!(import.details["permission"], "users.import");
    assert_eq!(look.subject, "userimport.v1.DirectoryService/GetUser");
    assert_eq!(look.details["reason"], "OTHER_ORGANIZATION");
    assert!(!format!("{told:?}").contains("sheriff"), "{told:?}");
    assert_eq!(events(&operator, "sheriff").await, []);
    // The denials of a principal that is for every organisation are in the server's own chain.
    let clerk = app.holding(token("*", [Permission::UsersImport])).await;
    let request = GetOrganizationRequest {
        organization: "sheriff".to_owned(),
    };
    assert!(clerk.directory().get_organization(request).await.is_err());
    let told = denials(&operator, "*", 1).await;
    assert_eq!(told[0].details["permission"], "users.read");
}

async fn the_same_denial_again_is_no_further_event(database: Database) {
    let app = App::start(database).await;
    let operator = app.holding(token("*", Permission::ALL)).await;
    let caller = app.holding(token("pd", [Permission::UsersImport])).await;
    for _ in 0..20 {
        assert!(look(&caller, "pd").await.is_err());
    }
    assert!(look(&caller, "sheriff").await.is_err());
    let mut directory = caller.directory();
    let listed = directory.list_users(ListUsersRequest {
        organization: "pd".to_owned(),
        ..ListUsersRequest::default()
    });
    assert!(listed.await.is_err());
    // Each call is a task of its own. The later ones call another RPC.
    assert_eq!(denials(&operator, "pd", 2).await.len(), 2);
}
