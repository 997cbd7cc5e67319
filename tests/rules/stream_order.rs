//! The messages that a client may send, and their order (semantics §3, phase 1). Everything else is refused, and no
//! user is written.

use prost::Message as _;
use tonic::{Code, Request, client::Grpc};
use tonic_prost::ProstCodec;
use user_import::proto::{
    ImportFinish, ImportState, ImportUsersResponse, UserRow, UserRows,
    import_users_request::Message,
};

use user_import_testing::{App, Database, ImportResponses, on_both_databases, roster, start_of};

on_both_databases![
    messages_out_of_order_are_refused,
    a_stream_without_finish_is_refused,
    totals_that_differ_from_what_came_are_refused,
    an_unknown_organisation_is_refused,
    a_message_that_cannot_be_decoded_is_refused_and_has_a_summary,
];

fn start() -> Message {
    Message::Start(start_of("pd"))
}

fn chunk() -> Message {
    Message::CsvChunk(roster().people(["ada"]).csv().into())
}

fn rows() -> Message {
    Message::Rows(UserRows {
        rows: roster().people(["ada"]).typed(),
    })
}

fn finish() -> Message {
    Message::Finish(ImportFinish::default())
}

async fn messages_out_of_order_are_refused(database: Database) {
    let app = App::start(database).await;
    for (reason, messages) in [
        ("nothing at all", vec![]),
        ("input before start", vec![chunk(), start(), finish()]),
        ("start twice", vec![start(), start(), chunk(), finish()]),
        ("CSV after rows", vec![start(), rows(), chunk(), finish()]),
        ("rows after CSV", vec![start(), chunk(), rows(), finish()]),
        (
            "input after finish",
            vec![start(), chunk(), finish(), chunk()],
        ),
        ("finish twice", vec![start(), chunk(), finish(), finish()]),
        ("no input", vec![start(), finish()]),
    ] {
        let imported = app.send(messages).await;
        assert_eq!(
            imported.code(),
            Code::InvalidArgument,
            "{reason}:\n{imported}"
        );
    }
    assert!(app.users().await.is_empty());
}

async fn a_stream_without_finish_is_refused(database: Database) {
    let app = App::start(database).await;
    let imported = app.send([start(), chunk()]).await;
    assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
    assert!(app.users().await.is_empty());
}

async fn totals_that_differ_from_what_came_are_refused(database: Database) {
    let app = App::start(database).await;
    let rows_differ = ImportFinish {
        row_count: Some(2),
        ..ImportFinish::default()
    };
    let bytes_differ = ImportFinish {
        byte_count: Some(1),
        ..ImportFinish::default()
    };
    let digest_differs = ImportFinish {
        sha256: Some(vec![0; 32]),
        ..ImportFinish::default()
    };
    for finish in [rows_differ, bytes_differ, digest_differs] {
        let messages = [start(), chunk(), Message::Finish(finish.clone())];
        let imported = app.send(messages).await;
        assert_eq!(
            imported.code(),
            Code::FailedPrecondition,
            "{finish:?}:\n{imported}"
        );
    }
    assert!(app.users().await.is_empty());
}

async fn an_unknown_organisation_is_refused(database: Database) {
    let app = App::start(database).await;
    let rows = UserRows {
        rows: vec![UserRow::default()],
    };
    let start = Message::Start(start_of("nobody"));
    let imported = app.send([start, Message::Rows(rows), finish()]).await;
    assert_eq!(imported.code(), Code::NotFound, "{imported}");
}

/// A request whose parts may be any bytes.
#[derive(Clone, PartialEq, prost::Message)]
struct DamagedRequest {
    #[prost(bytes = "vec", tag = "1")]
    start: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    rows: Vec<u8>,
}

async fn a_message_that_cannot_be_decoded_is_refused_and_has_a_summary(database: Database) {
    let app = App::start(database).await;
    let start = DamagedRequest {
        start: start_of("pd").encode_to_vec(),
        ..DamagedRequest::default()
    };
    let rows = DamagedRequest {
        rows: vec![0xFF],
        ..DamagedRequest::default()
    };
    let mut client = Grpc::new(app.connection());
    client.ready().await.expect("the server listens");
    let codec = ProstCodec::<DamagedRequest, ImportUsersResponse>::default();
    let path = "/userimport.v1.ImportService/ImportUsers";
    let messages = Request::new(tokio_stream::iter([start, rows]));
    let path = path.parse().expect("it is a path");
    let answers = client.streaming(messages, path, codec).await;
    let imported = ImportResponses::collect(answers.map(tonic::Response::into_inner)).await;
    assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
    assert_eq!(imported.summary().state(), ImportState::Refused);
    assert_eq!(imported.summary().refusals[0].code, "BAD_MESSAGE");
}
