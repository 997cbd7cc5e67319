//! Clients that take too long are refused with the reason, both as writers and as readers. The others are served.

use std::time::Duration;

use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use prost::Message as _;
use tokio::time::timeout;
use tonic::Code;
use user_import::{
    config::Settings,
    domain::Column::{FirstName, LastName},
    limits::{ClientDeadlines, ServerLimits},
    proto::{
        ExportUsersRequest, ImportFinish, ImportState, ResultFilter, UserRows, WatchImportRequest,
        import_users_request::Message,
    },
};

use crate::http_client::{LONG, OpenCall, grpc, send};
use user_import_testing::{
    App, Database, ImportResponses, PATIENCE, on_both_databases, roster, start_of,
};

on_both_databases![
    an_import_that_never_begins_is_refused,
    an_upload_that_falls_silent_is_refused,
    an_upload_that_goes_on_for_ever_is_refused,
    a_reader_who_stalls_is_given_up_and_its_import_goes_on,
    an_export_that_nobody_reads_never_ends_as_if_it_were_whole,
    a_call_ends_at_its_callers_deadline,
    a_stream_whose_answers_flow_ends_at_its_callers_deadline,
    a_deadline_that_cannot_be_read_is_refused,
];

const SECOND: Duration = Duration::from_secs(1);

/// Longer than any pause of the machine, for tests in which an import also has to succeed.
const SECONDS: Duration = Duration::from_secs(5);

async fn app(database: Database, deadlines: ClientDeadlines) -> App {
    let server = ServerLimits {
        deadlines,
        ..ServerLimits::default()
    };
    let settings = Settings {
        server,
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

fn quota(imported: &ImportResponses) -> String {
    assert_eq!(imported.code(), Code::ResourceExhausted, "{imported}");
    let violations = imported.violations();
    violations[0].0.clone()
}

async fn an_import_that_never_begins_is_refused(database: Database) {
    let deadlines = ClientDeadlines {
        first_message: SECOND,
        ..ClientDeadlines::default()
    };
    let app = app(database, deadlines).await;
    let refused = app.call().await.read_to_end().await;
    assert_eq!(quota(&refused), "first_message");
    app.people(["ada"]).await;
}

async fn an_upload_that_falls_silent_is_refused(database: Database) {
    let deadlines = ClientDeadlines {
        idle: SECOND,
        ..ClientDeadlines::default()
    };
    let app = app(database, deadlines).await;
    let call = app.call().await;
    call.send(Message::Start(start_of("pd"))).await;
    let refused = call.read_to_end().await;
    assert_eq!(quota(&refused), "idle");
    assert_eq!(refused.summary().state(), ImportState::Refused);
    assert_eq!(refused.summary().refusals[0].code, "IDLE_TOO_LONG");
    app.people(["ada"]).await;
}

async fn an_upload_that_goes_on_for_ever_is_refused(database: Database) {
    let deadlines = ClientDeadlines {
        upload: SECOND,
        ..ClientDeadlines::default()
    };
    let app = app(database, deadlines).await;
    let call = app.call().await;
    call.send(Message::Start(start_of("pd"))).await;
    let csv = roster().people(["ada"]).csv();
    call.send(Message::CsvChunk(csv.into())).await;
    let refused = call.read_to_end().await;
    assert_eq!(quota(&refused), "upload_time");
    assert!(app.users().await.is_empty());
}

/// The import has more results than fit into the windows and buffers between server and client.
async fn a_reader_who_stalls_is_given_up_and_its_import_goes_on(database: Database) {
    let deadlines = ClientDeadlines {
        idle: SECONDS,
        ..ClientDeadlines::default()
    };
    let server = ServerLimits {
        organization_imports: 1,
        deadlines,
        ..ServerLimits::default()
    };
    let settings = Settings {
        server,
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let mut rows = roster().people(["ada"]).typed();
    rows[0].role = Some("Wizard".repeat(80));
    let batch: Vec<_> = std::iter::repeat_n(rows.remove(0), 2_000).collect();
    let call = app.call().await;
    call.send(Message::Start(start_of("pd"))).await;
    for _ in 0..8 {
        let rows = batch.clone();
        call.send(Message::Rows(UserRows { rows })).await;
    }
    call.send(Message::Finish(ImportFinish::default())).await;
    let completed = async {
        loop {
            let (imports, _) = app.import_page(10, "").await;
            if imports
                .iter()
                .any(|import| import.state() == ImportState::Completed)
            {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, completed).await.unwrap();
    // Its place is free only after the server has ended the export.
    let served = async {
        loop {
            let imported = app.import(roster().people(["bob"])).await;
            if imported.code() == Code::Ok {
                return imported;
            }
        }
    };
    let served = tokio::time::timeout(PATIENCE, served).await.unwrap();
    assert_eq!(served.summary().created, 1);
    let stalled = call.finish().await;
    assert_eq!(quota(&stalled), "idle");
    assert!(stalled.summary.is_none(), "{stalled}");
    let (imports, _) = app.import_page(10, "").await;
    let id = &imports[1].import_id;
    let watched = app.watch(id, 0, ResultFilter::All).await;
    assert_eq!(watched.results.len(), 16_000);
    assert_eq!(watched.summary().state(), ImportState::Completed);
}

/// The export is larger than the windows and buffers between server and client.
async fn an_export_that_nobody_reads_never_ends_as_if_it_were_whole(database: Database) {
    let deadlines = ClientDeadlines {
        idle: SECONDS,
        ..ClientDeadlines::default()
    };
    let app = app(database, deadlines).await;
    let long = "x".repeat(128);
    let people = (0..8_000).fold(roster(), |people, number| {
        let names = [(FirstName, &*long), (LastName, &*long)];
        people.row(&format!("u{number}"), names)
    });
    assert_eq!(app.import(&people).await.summary().created, 8_000);
    let request = ExportUsersRequest {
        organization: "pd".to_owned(),
        ..ExportUsersRequest::default()
    };
    let export = app.directory().export_users(request).await.unwrap();
    // Each of these steps waits for the longest time that a reader may take.
    for _ in 0..3 {
        let call = app.call().await;
        call.send(Message::Start(start_of("pd"))).await;
        assert_eq!(quota(&call.read_to_end().await), "idle");
    }
    let mut pieces = export.into_inner();
    let status = loop {
        match pieces.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended as if it were whole"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
}

const DEADLINE_EXCEEDED: Option<i32> = Some(4);
const IMPORTS: &str = "/userimport.v1.ImportService/";

/// One call is a stream with answers, and the other a request that is never complete.
async fn a_call_ends_at_its_callers_deadline(database: Database) {
    let app = App::start(database).await;
    for (rpc, beginning) in [
        ("ImportUsers", &[][..]),
        ("AppendImport", &[0, 0, 0, 0, 9, 1]),
    ] {
        let path = format!("{IMPORTS}{rpc}");
        for timeout in ["300m", "300000u", "0n"] {
            let headers = [("grpc-timeout", timeout)];
            let call = OpenCall::begin(app.address(), &path, &headers, beginning).await;
            assert_eq!(call.status().await, DEADLINE_EXCEEDED, "{rpc} {timeout}");
        }
    }
    app.people(["ada"]).await;
}

/// Returns the status that ends a stream, from the trailers of gRPC or the body of gRPC-Web. Expects that a message has
/// come before.
async fn end_of_stream(app: &App, path: &str, content_type: &str, message: &[u8]) -> String {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let framed = [&[0][..], &length, message].concat();
    // Progress is sent every second.
    let request = grpc(app.address(), path, &[("grpc-timeout", "5S")]);
    let mut request = request.body(Full::new(Bytes::from(framed))).unwrap();
    let headers = request.headers_mut();
    headers.insert("content-type", content_type.parse().unwrap());
    let body = send(app.address(), request).await.into_body();
    let whole = timeout(LONG, body.collect()).await.expect("it ends");
    let whole = whole.unwrap();
    let trailers = whole.trailers().cloned().unwrap_or_default();
    let body = whole.to_bytes();
    assert_eq!(body.first(), Some(&0), "{path} has answered");
    match trailers.get("grpc-status") {
        Some(status) => format!("grpc-status:{}", status.to_str().unwrap()),
        None => String::from_utf8_lossy(&body).replace(": ", ":"),
    }
}

/// Each stream has sent answers and would never end, over gRPC and over gRPC-Web.
async fn a_stream_whose_answers_flow_ends_at_its_callers_deadline(database: Database) {
    let app = App::start(database).await;
    let (import_id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    let watch = WatchImportRequest {
        organization: "pd".to_owned(),
        import_id,
        ..WatchImportRequest::default()
    };
    let (watch, import) = (watch.encode_to_vec(), format!("{IMPORTS}WatchImport"));
    let health = "/grpc.health.v1.Health/Watch";
    let streams = [(&*import, &*watch), (health, &[])]
        .into_iter()
        .flat_map(|(path, message)| {
            let types = ["application/grpc", "application/grpc-web+proto"];
            types.map(|content_type| end_of_stream(&app, path, content_type, message))
        });
    for told in join_all(streams).await {
        assert!(told.contains("grpc-status:4"), "{told}");
    }
    app.people(["ada"]).await;
}

async fn a_deadline_that_cannot_be_read_is_refused(database: Database) {
    let app = App::start(database).await;
    for timeout in ["1", "S", "1s", "-1S", "123456789S", "1.5S"] {
        let headers = [("grpc-timeout", timeout)];
        let path = format!("{IMPORTS}ImportUsers");
        let call = OpenCall::begin(app.address(), &path, &headers, &[]).await;
        assert_eq!(call.status().await, Some(3), "{timeout}");
    }
}
