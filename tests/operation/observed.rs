//! Observation by an engineer on call: metrics over HTTP, traces that continue the caller's trace, and log lines with
//! the IDs of request and import.

use std::{
    fmt::Write as _,
    io::{Read, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use user_import::{
    domain::Column::Role,
    proto::{ImportFinish, ImportUsersRequest, import_users_request::Message},
};

use crate::{program::serve, scene::Scene};
use user_import_testing::{
    App, Database, ImportResponses, PATIENCE, on_both_databases, roster, start_of,
};

on_both_databases![
    metrics_count_imports_rows_stages_and_refusals,
    traces_are_the_callers,
    log_lines_have_the_ids_of_request_and_import,
];

/// Returns a page over HTTP.
pub fn get(address: SocketAddr) -> String {
    let mut connection = TcpStream::connect(address).expect("metrics are served");
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut page = String::new();
    connection.read_to_string(&mut page).unwrap();
    page
}

async fn metrics_count_imports_rows_stages_and_refusals(database: Database) {
    let scene = Scene::start(database, &[]).await;
    let app = &scene.app;
    let people = roster()
        .people(["ada", "bob"])
        .row("cy", [(Role, "Wizard")]);
    assert_eq!(app.import(people).await.summary().created, 2);
    assert!(app.import("nonsense\n1\n").await.code() != tonic::Code::Ok);
    let page = get(scene.metrics);
    for line in [
        r#"user_import_imports_total{state="completed",kind="apply"} 1"#,
        r#"user_import_imports_total{state="refused",kind="apply"} 1"#,
        r#"user_import_rows_total{outcome="created",kind="apply",state="completed"} 2"#,
        r#"user_import_rows_total{outcome="rejected",kind="apply",state="completed"} 1"#,
        r#"user_import_stage_duration_seconds_count{stage="receive"} 2"#,
        r#"user_import_stage_duration_seconds_count{stage="decode"} 2"#,
        r#"user_import_stage_duration_seconds_count{stage="plan"} 1"#,
        r#"user_import_stage_duration_seconds_count{stage="guard"} 1"#,
        r#"user_import_stage_duration_seconds_count{stage="apply"} 1"#,
        r#"user_import_stage_duration_seconds_count{stage="deactivate"} 1"#,
        r#"user_import_database_duration_seconds_count{operation="snapshot"} 1"#,
        r#"user_import_wait_duration_seconds_count{for="lease"} 1"#,
        r#"user_import_wait_duration_seconds_count{for="planning"} 1"#,
        r#"user_import_refused_requests_total{reason="NO_HEADER"} 1"#,
        r#"user_import_calls_total{method="/userimport.v1.ImportService/ImportUsers",code="OK"} 1"#,
        "user_import_database_up 1",
        "user_import_connections 1",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    for name in [
        "user_import_wait_duration_seconds",
        "user_import_database_duration_seconds",
    ] {
        assert!(page.contains(&format!("# TYPE {name} histogram")), "{page}");
    }
}

/// Keeps the spans that it receives.
struct SpanCollector(mpsc::UnboundedSender<Span>);

#[tonic::async_trait]
impl TraceService for SpanCollector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        for span in scopes.flat_map(|scope| scope.spans) {
            // This fails only if the test is over.
            let _ = self.0.send(span);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Starts a collector of traces, and returns its address and the spans that it receives.
pub async fn collector() -> (SocketAddr, mpsc::UnboundedReceiver<Span>) {
    let (sender, spans) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(SpanCollector(sender)))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);
    (address, spans)
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// Returns bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").expect("text grows");
    }
    text
}

async fn traces_are_the_callers(database: Database) {
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let (collector, mut spans) = collector().await;
    let endpoint = format!("http://{collector}");
    let options = ["--otlp-endpoint", &endpoint];
    let server = serve(&database.url(), &options, &folder.path().join("log"));
    let app = App::attach(Arc::clone(&database), server.address).await;
    app.organization("pd").await;
    let csv = roster().people(["ada"]).csv();
    let messages = [
        Message::Start(start_of("pd")),
        Message::CsvChunk(csv.into()),
        Message::Finish(ImportFinish::default()),
    ];
    let messages = messages.map(|message| ImportUsersRequest {
        message: Some(message),
    });
    let mut request = Request::new(tokio_stream::iter(messages));
    let context = format!("00-{TRACE}-{CALLER}-01");
    request
        .metadata_mut()
        .insert("traceparent", context.parse().unwrap());
    let answers = app.imports().import_users(request).await;
    let imported = ImportResponses::collect(answers.map(Response::into_inner)).await;
    assert_eq!(imported.summary().created, 1);
    let stopping = tokio::task::spawn_blocking(move || server.stop());
    let waiting = async {
        while let Some(span) = spans.recv().await {
            if hex(&span.trace_id) == TRACE && hex(&span.parent_span_id) == CALLER {
                return span;
            }
        }
        panic!("no more spans come");
    };
    let span = timeout(PATIENCE, waiting).await.unwrap();
    assert_eq!(span.name, "/userimport.v1.ImportService/ImportUsers");
    let ids: Vec<_> = span
        .attributes
        .iter()
        .filter(|a| a.key == "import_id")
        .collect();
    assert!(format!("{ids:?}").contains(imported.import_id()), "{ids:?}");
    stopping.await.unwrap();
}

async fn log_lines_have_the_ids_of_request_and_import(database: Database) {
    use tonic_types::StatusExt;
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = serve(&database.url(), &["--log-format", "json"], &log);
    let app = App::attach(Arc::clone(&database), server.address).await;
    app.organization("pd").await;
    let imported = app.import(roster().people(["ada"])).await;
    // An unforeseen fault: a table has lost a column.
    app.tamper("ALTER TABLE users RENAME COLUMN badge_number TO gone")
        .await;
    let failed = app.import(roster().people(["bob"])).await;
    assert_eq!(failed.code(), tonic::Code::Internal, "{failed}");
    let request_id = failed.status.get_details_error_info().unwrap().metadata["request_id"].clone();
    server.stop();
    let log = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = |message: &str| {
        lines
            .iter()
            .find(|l| l["fields"]["message"] == message)
            .unwrap()
    };
    let ended = line("import ended");
    assert_eq!(ended["fields"]["import_id"], imported.import_id());
    assert_eq!(ended["span"]["import_id"], imported.import_id());
    assert!(ended["span"]["request_id"].is_string(), "{ended}");
    let internal = line("internal error");
    assert_eq!(internal["fields"]["request_id"], request_id.as_str());
    assert_eq!(
        internal["span"]["request_id"],
        request_id.as_str(),
        "{internal}"
    );
    assert_eq!(internal["span"]["import_id"], failed.import_id());
}
