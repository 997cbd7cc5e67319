//! Very many small messages while the database is slow, and calls that are reset as soon as they are made. The server
//! continues to read, and serves the other clients.

use std::sync::Arc;

use tokio_stream::StreamExt;
use tonic::{Code, codec::CompressionEncoding};
use user_import::proto::{
    ImportFinish, ImportUsersRequest, UserRow, UserRows, import_users_request::Message,
};

use crate::{
    frames::{ACK, PING, RawConnection, frame},
    program::serve,
};
use user_import_testing::{
    App, Database, ImportResponses, PATIENCE, on_both_databases, roster, start_of,
};

on_both_databases![
    tiny_messages_are_taken_while_the_database_is_slow,
    resets_leave_the_server_to_the_others,
    bombs_take_little_memory,
    what_a_peer_provokes_fills_no_log,
];

/// Returns a statement that blocks all writes. SQLite has one writer; on PostgreSQL the statement locks the tables.
pub const fn blocking(database: Database) -> &'static str {
    match database {
        Database::Sqlite => "UPDATE organizations SET slug = slug",
        Database::Postgres => "LOCK TABLE organizations, imports IN ACCESS EXCLUSIVE MODE",
    }
}

async fn tiny_messages_are_taken_while_the_database_is_slow(database: Database) {
    let app = App::start(database).await;
    let names: Vec<_> = (0..20_000).map(|n| format!("u{n}")).collect();
    let csv = roster().people(names.iter().map(String::as_str)).csv();
    let pieces = csv.as_bytes().chunks(50);
    let chunks = pieces.map(|piece| Message::CsvChunk(piece.to_vec().into()));
    let messages: Vec<_> = [Message::Start(start_of("pd"))]
        .into_iter()
        .chain(chunks)
        .chain([Message::Finish(ImportFinish::default())])
        .collect();
    assert!(messages.len() > 25_000);
    let blocked = app.database().begin(blocking(database)).await;
    let (all_sent, sent) = tokio::sync::oneshot::channel();
    let mut all_sent = Some(all_sent);
    let count = messages.len();
    let mut index = 0;
    // Sent one by one, so that each is a frame of its own.
    let requests = tokio_stream::iter(messages).then(move |message| {
        index += 1;
        if index == count {
            all_sent.take().map(|all_sent| all_sent.send(()));
        }
        async move {
            tokio::task::yield_now().await;
            ImportUsersRequest {
                message: Some(message),
            }
        }
    });
    let mut client = app.imports();
    let importing = tokio::spawn(async move {
        let answers = client.import_users(requests).await;
        ImportResponses::collect(answers.map(tonic::Response::into_inner)).await
    });
    sent.await
        .expect("everything is taken though nothing is written");
    blocked.commit("").await;
    let imported = importing.await.unwrap();
    assert_eq!(imported.code(), Code::Ok, "{}", imported.status);
    assert_eq!(imported.summary().created, 20_000);
}

async fn resets_leave_the_server_to_the_others(database: Database) {
    let app = App::start(database).await;
    let other = app.another_client().await;
    for _ in 0..50 {
        let calls = (0..20).map(|_| async {
            let call = app.call().await;
            call.send(Message::Start(start_of("pd"))).await;
        });
        futures_util::future::join_all(calls).await;
    }
    // The places of calls that were reset are free as soon as the server notices the reset.
    let served = async {
        loop {
            let imported = other.import(roster().people(["ada"])).await;
            if imported.code() == Code::Ok {
                return imported;
            }
        }
    };
    let served = tokio::time::timeout(PATIENCE, served).await;
    assert_eq!(served.unwrap().summary().created, 1);
}

/// Compressed messages are sent one after the other. Each has some KiB on the wire, and would have gigabytes if the
/// server did not limit them.
#[cfg(target_os = "linux")]
async fn bombs_take_little_memory(database: Database) {
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let server = serve(&database.url(), &[], &folder.path().join("log"));
    let app = App::attach(Arc::clone(&database), server.address).await;
    app.organization("pd").await;
    app.people(["ada"]).await;
    let before = server.peak();
    let empty_rows = Message::Rows(UserRows {
        rows: vec![UserRow::default(); 2_000_000],
    });
    let zeros = Message::CsvChunk(vec![0; 256 << 20].into());
    for bomb in [empty_rows, zeros] {
        let messages = [Message::Start(start_of("pd")), bomb];
        let requests = messages.map(|message| ImportUsersRequest {
            message: Some(message),
        });
        // Each is compressed only once, so that the client does not need too much memory itself.
        for _ in 0..4 {
            let mut client = app.imports().send_compressed(CompressionEncoding::Zstd);
            let requests = tokio_stream::iter(requests.clone());
            let answers = client.import_users(requests).await;
            let refused = ImportResponses::collect(answers.map(tonic::Response::into_inner)).await;
            assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        }
    }
    let more = server.peak_above(before);
    assert!(more < 64 * 1024, "{more} KiB more");
    app.people(["bob"]).await;
}

/// A client sends 200,000 answers to pings that were never sent. They do not cause a log line each, even if the log's
/// filter asks for details.
async fn what_a_peer_provokes_fills_no_log(database: Database) {
    for (filter, most_bytes) in [("info", 4_096), ("debug,h2=warn", 128 * 1024)] {
        let fresh = Arc::new(database.create().await);
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let server = serve(&fresh.url(), &["--log", filter], &log);
        let app = App::attach(Arc::clone(&fresh), server.address).await;
        app.organization("pd").await;
        let before = std::fs::metadata(&log).unwrap().len();
        let acknowledgements = frame(PING, ACK, 0, &[7; 8]).repeat(1_000);
        let mut raw = RawConnection::connect(server.address).await;
        for _ in 0..200 {
            raw.write(&acknowledgements).await;
        }
        // The server has read them all, or has closed the connection.
        raw.send(PING, 0, 0, &[1; 8]).await;
        while raw.next().await.is_some_and(|frame| frame.kind != PING) {}
        let written = std::fs::metadata(&log).unwrap().len() - before;
        assert!(written < most_bytes, "{filter}: {written} bytes");
        app.people(["ada"]).await;
    }
}
