//! The limits of imports on a server and for an organisation. One more import waits its turn and is then asked to
//! retry later. An upload that has only begun does not count as an import.

use std::{sync::Arc, time::Duration};

use tonic::Code;
use tonic_types::StatusExt;
use user_import::{
    config::Settings,
    limits::{ClientDeadlines, ServerLimits},
    proto::{ImportFinish, import_users_request::Message, import_users_response::Message as Reply},
};

use crate::{observed::get, program::serve};
use user_import_testing::{
    App, Database, ImportCall, ImportResponses, PATIENCE, deactivating_missing, free_address,
    on_both_databases, roster, start_of,
};

on_both_databases![
    a_busy_organisation_leaves_room_to_the_others,
    a_busy_server_says_when_to_come_again,
    an_import_waits_its_turn,
    uploads_that_have_only_begun_keep_nobody_out,
    uploads_of_one_organisation_have_a_limit,
    an_upload_without_rows_has_no_directory,
];

/// Starts a server with this limit of imports; one more import waits for `turn`.
async fn app(
    database: Database,
    imports: usize,
    organization_imports: usize,
    turn: Duration,
) -> App {
    let server = ServerLimits {
        imports,
        organization_imports,
        deadlines: ClientDeadlines {
            import_turn: turn,
            ..ClientDeadlines::default()
        },
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

/// Begins an upload into `pd`, without input.
async fn upload(app: &App) -> ImportCall {
    let mut call = app.call().await;
    call.send(Message::Start(start_of("pd"))).await;
    let csv = roster().people(["ada"]).csv();
    call.send(Message::CsvChunk(csv.into())).await;
    until(&mut call, |reply| matches!(reply, Reply::Started(_))).await;
    call
}

async fn until(call: &mut ImportCall, wanted: impl Fn(&Reply) -> bool) {
    while !call
        .read()
        .await
        .unwrap()
        .is_some_and(|reply| wanted(&reply))
    {}
}

fn expect_busy(imported: &ImportResponses, limit: &str) {
    let details = imported.status.get_error_details();
    assert_eq!(imported.code(), Code::ResourceExhausted, "{imported}");
    let quotas = details.quota_failure().unwrap();
    assert_eq!(quotas.violations[0].subject, limit);
    let retry = details.retry_info().and_then(|info| info.retry_delay);
    assert!(retry.is_some_and(|delay| delay.as_secs() >= 1));
}

async fn a_busy_organisation_leaves_room_to_the_others(database: Database) {
    let app = app(database, 3, 2, Duration::ZERO).await;
    let (first, second) = (app.unread_dry_run().await, app.unread_dry_run().await);
    let refused = app.import(roster().people(["bob"])).await;
    expect_busy(&refused, "imports_per_organization");
    // An import that was turned away has no record. The only records are those of the two imports that run.
    let (records, _) = app.import_page(10, "").await;
    assert!(
        records.iter().all(|record| record.validate_only),
        "{records:?}"
    );
    let other = app.import_with(start_of("sheriff"), roster().people(["bob"]).csv());
    assert_eq!(other.await.summary().created, 1);
    assert_eq!(second.finish().await.code(), Code::Ok);
    assert_eq!(app.import(roster().people(["bob"])).await.code(), Code::Ok);
    drop(first);
}

async fn a_busy_server_says_when_to_come_again(database: Database) {
    let app = app(database, 2, 2, Duration::ZERO).await;
    let (first, second) = (app.unread_dry_run().await, app.unread_dry_run().await);
    let other = || app.import_with(start_of("sheriff"), roster().people(["bob"]).csv());
    expect_busy(&other().await, "imports");
    assert_eq!(first.finish().await.code(), Code::Ok);
    assert_eq!(other().await.summary().created, 1);
    drop(second);
}

async fn an_import_waits_its_turn(database: Database) {
    let app = app(database, 1, 1, PATIENCE).await;
    let first = app.unread_dry_run().await;
    let mut second = upload(&app).await;
    second.send(Message::Finish(ImportFinish::default())).await;
    second.half_close();
    // The roster is received. Then the import waits, and sends progress that says so.
    until(&mut second, |reply| matches!(reply, Reply::Progress(_))).await;
    assert_eq!(first.finish().await.code(), Code::Ok);
    assert_eq!(second.read_to_end().await.summary().created, 1);
}

/// The streams send `start`, or the beginning of a roster, and then nothing.
async fn uploads_that_have_only_begun_keep_nobody_out(database: Database) {
    let app = app(database, 2, 2, Duration::ZERO).await;
    let mut begun = Vec::new();
    for _ in 0..3 {
        let call = app.call().await;
        call.send(Message::Start(start_of("pd"))).await;
        begun.push(call);
        begun.push(upload(&app).await);
    }
    let other = app.import_with(start_of("sheriff"), roster().people(["bob"]).csv());
    assert_eq!(other.await.summary().created, 1);
    assert_eq!(
        app.import(roster().people(["bob"])).await.summary().created,
        1
    );
    let last = begun.pop().expect("some have begun");
    last.send(Message::Finish(ImportFinish::default())).await;
    assert_eq!(last.finish().await.summary().created, 1);
}

async fn uploads_of_one_organisation_have_a_limit(database: Database) {
    let app = app(database, 2, 1, Duration::ZERO).await;
    let mut begun = Vec::new();
    for _ in 0..4 {
        begun.push(upload(&app).await);
    }
    expect_busy(&app.import(roster().people(["bob"])).await, "uploads");
    let other = app.import_with(start_of("sheriff"), roster().people(["bob"]).csv());
    assert_eq!(other.await.summary().created, 1);
    drop(begun.pop());
    let again = async { while app.import(roster().people(["bob"])).await.code() != Code::Ok {} };
    tokio::time::timeout(PATIENCE, again)
        .await
        .expect("there is room again");
}

/// The metrics show whether the directory has been read.
async fn an_upload_without_rows_has_no_directory(database: Database) {
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let served = ["--metrics-listen", &address.to_string()];
    let start = || serve(&database.url(), &served, &folder.path().join("log"));
    // Another process writes the directory. A process that has written one reads it again by itself.
    let before = start();
    let app = App::attach(Arc::clone(&database), before.address).await;
    app.organization("pd").await;
    let people = roster().people(["ada"]);
    assert_eq!(app.import(people).await.summary().created, 1);
    drop((app, before));
    let server = start();
    let app = App::attach(Arc::clone(&database), server.address).await;
    let read = || {
        let page = get(address);
        let lines = page
            .lines()
            .filter(|line| line.starts_with("user_import_directory_users_total"));
        let counts = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        counts.sum::<u64>()
    };
    let before = read();
    let csv = roster().people(["ada"]).csv();
    let (header, row) = csv.split_at(csv.find('\n').expect("a header") + 1);
    let mut call = app.call().await;
    // All users are read, because those that the file does not list must be found.
    call.send(Message::Start(deactivating_missing(start_of("pd"))))
        .await;
    call.send(Message::CsvChunk(header.as_bytes().to_vec().into()))
        .await;
    until(&mut call, |reply| matches!(reply, Reply::Progress(_))).await;
    assert_eq!(read(), before, "nothing is read for a header");
    call.send(Message::CsvChunk(row.as_bytes().to_vec().into()))
        .await;
    while read() == before {
        tokio::task::yield_now().await;
    }
}
