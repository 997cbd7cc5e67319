//! One busy organisation does not starve the others: the number of simultaneous calls about one organisation is
//! limited, and so is the number of exports.

use std::sync::Arc;

use futures_util::future::{join_all, select_all};
use tonic::{Code, Status, Streaming, transport::Channel};
use tonic_types::StatusExt;
use user_import::{
    config::Settings,
    domain::Column::{FirstName, LastName},
    limits::{ConcurrencyBounds, ServerLimits},
    proto::{
        ExportUsersRequest, ExportUsersResponse, GetOrganizationRequest, ListUsersRequest,
        WatchImportRequest, WatchImportResponse, import_users_request::Message,
        import_users_response::Message as Reply,
    },
};

use crate::{observed::get, program::serve};
use user_import_testing::{
    App, Database, ImportCall, PATIENCE, free_address, on_both_databases, roster, start_of,
};

on_both_databases![
    watches_up_to_the_limit_are_answered_and_one_more_is_asked_to_wait,
    exports_up_to_the_limit_are_sent_and_one_more_is_asked_to_wait,
    a_flood_of_one_organisations_calls_leaves_the_database_to_the_others;
    small_calls_of_one_organisation_never_have_all_connections_for_small_calls,
];

async fn app(database: Database, server: ServerLimits) -> App {
    let settings = Settings {
        server,
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    app.organization("sheriff").await;
    app
}

async fn look(app: &App, organization: &str) -> Result<(), Status> {
    let request = GetOrganizationRequest {
        organization: organization.to_owned(),
    };
    app.directory().get_organization(request).await.map(drop)
}

fn assert_busy(status: &Status, limit: &str) {
    let details = status.get_error_details();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert_eq!(
        details.quota_failure().unwrap().violations[0].subject,
        limit
    );
    let retry = details.retry_info().and_then(|info| info.retry_delay);
    assert!(retry.is_some_and(|delay| delay.as_secs() >= 1));
}

/// Begins an upload, and returns the call and the import's ID.
async fn upload(app: &App) -> (ImportCall, String) {
    let mut call = app.call().await;
    call.send(Message::Start(start_of("pd"))).await;
    let csv = roster().people(["ada"]).csv();
    call.send(Message::CsvChunk(csv.into())).await;
    loop {
        if let Some(Reply::Started(started)) = call.read().await.unwrap() {
            return (call, started.import_id);
        }
    }
}

async fn watch(app: &App, import: &str) -> Result<Streaming<WatchImportResponse>, Status> {
    let request = WatchImportRequest {
        organization: "pd".to_owned(),
        import_id: import.to_owned(),
        ..WatchImportRequest::default()
    };
    Ok(app.imports().watch_import(request).await?.into_inner())
}

/// Repeats a call until it succeeds.
async fn until_answered<T>(mut ask: impl AsyncFnMut() -> Result<T, Status>) -> T {
    let asking = async {
        loop {
            if let Ok(answer) = ask().await {
                return answer;
            }
        }
    };
    let answered = tokio::time::timeout(PATIENCE, asking).await;
    answered.expect("there is room again")
}

async fn watches_up_to_the_limit_are_answered_and_one_more_is_asked_to_wait(database: Database) {
    let app = app(
        database,
        ServerLimits {
            watches: ConcurrencyBounds { server: 2, key: 1 },
            ..ServerLimits::default()
        },
    )
    .await;
    // Uploads have places of their own.
    let (call, import) = upload(&app).await;
    let first = watch(&app, &import).await.unwrap();
    let second = watch(&app, &import).await.unwrap_err();
    assert_busy(&second, "watches_per_organization");
    look(&app, "pd").await.unwrap();
    drop(first);
    let again = until_answered(async || watch(&app, &import).await).await;
    drop((again, call));
}

/// Returns a client that accepts little data before the test reads it.
async fn slow_reader(app: &App) -> App {
    let channel = Channel::from_shared(format!("http://{}", app.address())).unwrap();
    let channel = channel.initial_stream_window_size(65_535).connect().await;
    app.through(channel.unwrap()).as_local()
}

async fn export(app: &App, organization: &str) -> Result<Streaming<ExportUsersResponse>, Status> {
    let request = ExportUsersRequest {
        organization: organization.to_owned(),
        ..ExportUsersRequest::default()
    };
    Ok(app.directory().export_users(request).await?.into_inner())
}

async fn exports_up_to_the_limit_are_sent_and_one_more_is_asked_to_wait(database: Database) {
    let app = app(
        database,
        ServerLimits {
            exports: ConcurrencyBounds { server: 3, key: 2 },
            ..ServerLimits::default()
        },
    )
    .await;
    app.organization("academy").await;
    let long = "x".repeat(128);
    let people = (0..3_000).fold(roster(), |people, number| {
        let names = [(FirstName, &*long), (LastName, &*long)];
        people.row(&format!("u{number}"), names)
    });
    for organization in ["pd", "sheriff"] {
        let imported = app.import_with(start_of(organization), people.csv()).await;
        assert_eq!(imported.summary().created, 3_000);
    }
    let slow = slow_reader(&app).await;
    let (first, second) = (
        export(&slow, "pd").await.unwrap(),
        export(&slow, "pd").await.unwrap(),
    );
    let third = export(&app, "pd").await.unwrap_err();
    assert_busy(&third, "exports_per_organization");
    let other = export(&slow, "sheriff").await.unwrap();
    assert_busy(&export(&app, "academy").await.unwrap_err(), "exports");
    // Other calls have places of their own.
    look(&app, "pd").await.unwrap();
    drop(first);
    until_answered(async || export(&app, "pd").await).await;
    drop((second, other));
}

/// There are many more calls than connections to the database, and the refused ones are counted.
async fn a_flood_of_one_organisations_calls_leaves_the_database_to_the_others(database: Database) {
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let options = [
        "--max-calls-per-organization",
        "20",
        "--metrics-listen",
        &address.to_string(),
    ];
    let server = serve(&database.url(), &options, &folder.path().join("log"));
    let app = App::attach(Arc::clone(&database), server.address).await;
    app.organization("pd").await;
    app.organization("sheriff").await;
    let names: Vec<_> = (0..1_000).map(|n| format!("u{n}")).collect();
    app.people(names.iter().map(String::as_str)).await;
    let mut clients = Vec::new();
    for _ in 0..6 {
        clients.push(app.another_client().await);
    }
    let flood = clients.iter().flat_map(|client| {
        (0..50).map(|_| async {
            let request = ListUsersRequest {
                organization: "pd".to_owned(),
                page_size: 1_000,
                ..ListUsersRequest::default()
            };
            let listed = client.directory().list_users(request).await;
            listed.map_or_else(|status| status.code(), |_| Code::Ok)
        })
    });
    let flooding = join_all(flood);
    let others = async {
        for _ in 0..20 {
            look(&app, "sheriff")
                .await
                .expect("another organisation is served");
        }
    };
    let (flooded, ()) = tokio::join!(flooding, others);
    let refused = flooded
        .iter()
        .filter(|code| **code == Code::ResourceExhausted)
        .count();
    let answered = flooded.iter().filter(|code| **code == Code::Ok).count();
    assert_eq!(refused + answered, 300, "{flooded:?}");
    assert!(
        refused > 0 && answered >= 20,
        "{refused} refused, {answered} answered"
    );
    let line = format!("user_import_refused_requests_total{{reason=\"TOO_MANY_CALLS\"}} {refused}");
    let page = get(address);
    assert!(page.contains(&line), "{line} is not in\n{page}");
}

/// A lock on a user blocks every call that protects the user. There are more such calls than connections for them.
async fn small_calls_of_one_organisation_never_have_all_connections_for_small_calls() {
    let app = app(Database::Postgres, ServerLimits::default()).await;
    app.people(["ada"]).await;
    let user_id = app.user("ada").await.id;
    let lock = "SELECT 1 FROM users WHERE external_id = 'ada' FOR UPDATE";
    let locked = app.database().begin(lock).await;
    let waiting = (0..20).map(|_| {
        let (app, user_id) = (app.clone_connection(), user_id.clone());
        Box::pin(async move { app.set_protected(&user_id, true).await.map(drop) })
    });
    let mut first = select_all(waiting);
    let others = async {
        app.database().until_somebody_waits().await;
        for _ in 0..20 {
            look(&app, "sheriff").await.unwrap();
        }
    };
    tokio::select! {
        biased;
        (ended, ..) = &mut first => panic!("nothing ends before the lock does: {ended:?}"),
        () = others => {}
    }
    locked.commit("").await;
    first.await.0.unwrap();
}
