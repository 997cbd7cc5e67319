//! As many imports as may be, on a server and for an organisation; one more is told to wait.

use tonic::Code;
use tonic_types::StatusExt;
use user_import::{
    config::Settings,
    limits::ServerLimits,
    proto::{ImportFinish, import_users_request::Message, import_users_response::Message as Reply},
};

use crate::support::{App, Call, Database, Imported, on_both_databases, roster, start_of};

on_both_databases![
    a_busy_organisation_leaves_room_to_the_others,
    a_busy_server_says_when_to_come_again,
];

async fn app(database: Database, imports: usize, organization_imports: usize) -> App {
    let server = ServerLimits {
        imports,
        organization_imports,
        ..ServerLimits::default()
    };
    let settings = Settings {
        server,
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    app.organization("sheriff").await;
    app
}

/// An upload into `pd` that is under way.
async fn upload(app: &App) -> Call {
    let mut call = app.call().await;
    call.send(Message::Start(start_of("pd"))).await;
    let csv = roster().people(["ada"]).csv();
    call.send(Message::CsvChunk(csv.into())).await;
    loop {
        if let Some(Reply::Started(_)) = call.read().await.unwrap() {
            return call;
        }
    }
}

fn expect_busy(imported: &Imported, limit: &str) {
    let details = imported.status.get_error_details();
    assert_eq!(imported.code(), Code::ResourceExhausted, "{imported}");
    let quotas = details.quota_failure().unwrap();
    assert_eq!(quotas.violations[0].subject, limit);
    let retry = details.retry_info().and_then(|info| info.retry_delay);
    assert!(retry.is_some_and(|delay| delay.as_secs() >= 1));
}

async fn a_busy_organisation_leaves_room_to_the_others(database: Database) {
    let app = app(database, 3, 2).await;
    let (first, second) = (upload(&app).await, upload(&app).await);
    let refused = app.import(roster().people(["bob"])).await;
    expect_busy(&refused, "imports_per_organization");
    let other = app.import_with(start_of("sheriff"), roster().people(["bob"]).csv());
    assert_eq!(other.await.summary().created, 1);
    second.send(Message::Finish(ImportFinish::default())).await;
    assert_eq!(second.finish().await.summary().created, 1);
    assert_eq!(app.import(roster().people(["bob"])).await.code(), Code::Ok);
    drop(first);
}

async fn a_busy_server_says_when_to_come_again(database: Database) {
    let app = app(database, 2, 2).await;
    let (first, second) = (upload(&app).await, upload(&app).await);
    let other = || app.import_with(start_of("sheriff"), roster().people(["bob"]).csv());
    expect_busy(&other().await, "imports");
    first.send(Message::Finish(ImportFinish::default())).await;
    assert_eq!(first.finish().await.summary().created, 1);
    assert_eq!(other().await.summary().created, 1);
    drop(second);
}
