//! Messages that are too large, as they are sent or after decompression or decoding; and both compressions in both
//! directions.

use tokio_stream::iter;
use tonic::{Code, codec::CompressionEncoding};
use tonic_types::StatusExt;
use user_import::{
    limits::ServerLimits,
    proto::{
        AppendImportRequest, CreateOrganizationRequest, ImportFinish, ImportStart,
        ImportUsersRequest, UserRow, UserRows, append_import_request::Content,
        import_service_client::ImportServiceClient, import_users_request::Message,
    },
};

use crate::http_client::{OpenCall, grpc, refusal, send as send_http, status};
use user_import_testing::{
    App, BearerChannel, Database, ImportResponses, on_both_databases, roster, rpcs::NOBODY,
    start_of,
};

on_both_databases![
    an_oversized_message_is_a_quota_failure_outside_streams_too,
    a_message_has_only_so_many_rows,
    a_decompression_bomb_is_refused,
    many_small_bombs_are_refused_together,
    both_compressions_are_spoken_both_ways,
    what_is_no_message_is_an_invalid_argument,
    a_text_that_is_not_utf8_is_refused_by_the_name_of_its_field,
    a_length_over_the_limit_is_refused_before_the_message_comes,
];

const ENCODINGS: [CompressionEncoding; 2] = [CompressionEncoding::Gzip, CompressionEncoding::Zstd];

async fn send(
    mut client: ImportServiceClient<BearerChannel>,
    input: impl IntoIterator<Item = Message>,
) -> ImportResponses {
    let messages = [Message::Start(start_of("pd"))]
        .into_iter()
        .chain(input)
        .chain([Message::Finish(ImportFinish::default())]);
    let requests: Vec<_> = messages
        .map(|message| ImportUsersRequest {
            message: Some(message),
        })
        .collect();
    let answers = client.import_users(iter(requests)).await;
    ImportResponses::collect(answers.map(tonic::Response::into_inner)).await
}

fn compressing(app: &App, encoding: CompressionEncoding) -> ImportServiceClient<BearerChannel> {
    app.imports()
        .send_compressed(encoding)
        .accept_compressed(encoding)
}

fn quota(imported: &ImportResponses) -> String {
    assert_eq!(imported.code(), Code::ResourceExhausted, "{imported}");
    imported.violations()[0].0.clone()
}

async fn an_oversized_message_is_a_quota_failure_outside_streams_too(database: Database) {
    let app = App::start(database).await;
    let named = |bytes: usize| CreateOrganizationRequest {
        organization: "big".to_owned(),
        display_name: "x".repeat(bytes),
    };
    let mut directory = app.directory();
    let fits = directory.create_organization(named(4 << 20)).await;
    assert_eq!(fits.unwrap_err().code(), Code::InvalidArgument);
    let status = directory
        .create_organization(named((4 << 20) + 2_000))
        .await;
    let status = status.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    let details = status.get_details_quota_failure().unwrap();
    assert_eq!(details.violations[0].subject, "message");
}

/// An empty row takes two bytes on the wire and hundreds in memory.
async fn a_message_has_only_so_many_rows(database: Database) {
    let app = App::start(database).await;
    let rows = |count: usize| {
        let rows = vec![UserRow::default(); count];
        Message::Rows(UserRows { rows })
    };
    let most = ServerLimits::MESSAGE_ROWS;
    let refused = send(app.imports(), [rows(most + 1)]).await;
    assert_eq!(quota(&refused), "message");
    let judged = send(app.imports(), [rows(most)]).await;
    assert_eq!(judged.summary().rejected as usize, most);
}

async fn a_decompression_bomb_is_refused(database: Database) {
    let app = App::start(database).await;
    for encoding in ENCODINGS {
        let bomb = Message::CsvChunk(vec![b'x'; 64 << 20].into());
        let refused = send(compressing(&app, encoding), [bomb]).await;
        assert_eq!(quota(&refused), "message", "{encoding}");
    }
    app.people(["ada"]).await;
}

async fn many_small_bombs_are_refused_together(database: Database) {
    let app = App::start(database).await;
    let header = roster().people([]).csv();
    let blank = "\n".repeat(1 << 20);
    let file = |megabytes: usize| {
        let header = Message::CsvChunk(header.clone().into());
        let blank = Message::CsvChunk(blank.clone().into());
        [header]
            .into_iter()
            .chain(std::iter::repeat_n(blank, megabytes))
    };
    for encoding in ENCODINGS {
        let refused = send(compressing(&app, encoding), file(4)).await;
        assert_eq!(quota(&refused), "compression_ratio", "{encoding}");
    }
    // Unencoded, the same file has no rows, and that is its only fault.
    let plain = send(app.imports(), file(4)).await;
    assert_eq!(plain.code(), Code::InvalidArgument, "{plain}");
}

async fn both_compressions_are_spoken_both_ways(database: Database) {
    let app = App::start(database).await;
    for encoding in ENCODINGS {
        let names: Vec<_> = (0..500).map(|n| format!("{encoding}-{n}")).collect();
        let csv = roster().people(names.iter().map(String::as_str)).csv();
        let imported = send(compressing(&app, encoding), [Message::CsvChunk(csv.into())]).await;
        assert_eq!(imported.summary().created, 500, "{imported}");
        let answers = compressing(&app, encoding)
            .get_import_template(user_import::proto::GetImportTemplateRequest {
                organization: "pd".to_owned(),
                ..user_import::proto::GetImportTemplateRequest::default()
            })
            .await
            .unwrap();
        let spoken = answers.metadata().get("grpc-encoding").unwrap();
        assert_eq!(spoken.to_str().unwrap(), encoding.to_string());
    }
}

const UNARY: &str = "/userimport.v1.ImportService/AppendImport";
const STREAM: &str = "/userimport.v1.ImportService/ImportUsers";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

async fn what_is_no_message_is_an_invalid_argument(database: Database) {
    let app = App::start(database).await;
    let not_protobuf = &[0, 0, 0, 0, 2, 0xFF, 0xFF][..];
    let half = &[0, 0, 0, 0, 9, 1];
    let two = &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let not_gzip = &[1, 0, 0, 0, 2, 7, 7];
    for (path, bodies) in [
        (UNARY, &[not_protobuf, half, two, &[], not_gzip][..]),
        (HEALTH, &[not_protobuf, half, two, &[]]),
        (WATCH, &[not_protobuf, half, two, &[]]),
        (STREAM, &[not_protobuf, not_gzip]),
    ] {
        for body in bodies {
            let body = http_body_util::Full::new(hyper::body::Bytes::copy_from_slice(body));
            let request = grpc(app.address(), path, &[("grpc-encoding", "gzip")]);
            let answer = send_http(app.address(), request.body(body.clone()).unwrap()).await;
            assert_eq!(status(answer).await, Some(3), "{path} {body:?}");
        }
    }
}

/// The text that is made invalid in the encoded message.
const DAMAGED: &str = "Mu?oz";

/// Returns the frame of a message in which a letter of windows-1252 stands in the damaged text.
fn damaged(message: &impl prost::Message) -> Vec<u8> {
    let mut bytes = message.encode_to_vec();
    let mut places = bytes.windows(DAMAGED.len());
    if let Some(at) = places.position(|place| place == DAMAGED.as_bytes()) {
        bytes[at + 2] = 0xF1;
    }
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[0][..], &length, &bytes].concat()
}

/// Returns a row with the damaged text in one of its fields, and the field's name.
fn damaged_rows() -> Vec<(&'static str, UserRow)> {
    type Field = fn(&mut UserRow) -> &mut Option<String>;
    let fields: [(&str, Field); 5] = [
        ("external_id", |row| &mut row.external_id),
        ("email", |row| &mut row.email),
        ("last_name", |row| &mut row.last_name),
        ("supervisor_email", |row| &mut row.supervisor_email),
        ("phone", |row| &mut row.phone),
    ];
    let row = |(name, field): (&'static str, Field)| {
        let mut row = UserRow::default();
        *field(&mut row) = Some(DAMAGED.to_owned());
        (name, row)
    };
    fields.map(row).into()
}

async fn a_text_that_is_not_utf8_is_refused_by_the_name_of_its_field(database: Database) {
    let app = App::start(database).await;
    let start = |source: &str| {
        let start = ImportStart {
            source: source.to_owned(),
            ..start_of("pd")
        };
        let message = Some(Message::Start(start));
        damaged(&ImportUsersRequest { message })
    };
    let refused = async |path, field: &str, body: Vec<u8>| {
        let body = http_body_util::Full::new(hyper::body::Bytes::from(body));
        let request = grpc(app.address(), path, &[]).body(body).unwrap();
        let told = refusal(send_http(app.address(), request).await).await;
        let expected = format!("The text of {field} is not UTF-8; encode it as UTF-8.");
        let told = told.map(|(status, message)| (status, message.replace("%20", " ")));
        assert_eq!(told, Some((3, expected)), "{path}");
    };
    refused(STREAM, "source", start(DAMAGED)).await;
    for (field, row) in damaged_rows() {
        let rows = UserRows {
            rows: vec![UserRow::default(), row],
        };
        let message = Some(Message::Rows(rows.clone()));
        let streamed = [start(""), damaged(&ImportUsersRequest { message })].concat();
        refused(STREAM, field, streamed).await;
        let part = AppendImportRequest {
            organization: "pd".to_owned(),
            import_id: NOBODY.to_owned(),
            content: Some(Content::Rows(rows)),
            ..AppendImportRequest::default()
        };
        refused(UNARY, field, damaged(&part)).await;
    }
}

async fn a_length_over_the_limit_is_refused_before_the_message_comes(database: Database) {
    let app = App::start(database).await;
    for path in [UNARY, STREAM] {
        let call = OpenCall::begin(app.address(), path, &[], &[0, 1, 0, 0, 0]).await;
        assert_eq!(call.status().await, Some(8), "{path}");
    }
}
