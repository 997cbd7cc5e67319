//! Connections that are of no use end by themselves, and there are only so many.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use user_import::{
    config::Settings,
    limits::{Deadlines, ServerLimits},
};

use crate::support::{App, Database, on_both_databases, roster};

on_both_databases![
    a_connection_that_never_makes_a_call_ends,
    a_connection_without_calls_ends_and_its_client_notices_nothing,
    a_connection_with_an_open_call_stays,
    connections_over_the_limit_are_closed_at_once,
];

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_mins(1);

async fn app(database: Database, address_connections: usize, deadlines: Deadlines) -> App {
    let server = ServerLimits {
        address_connections,
        deadlines,
        ..ServerLimits::default()
    };
    let settings = Settings {
        server,
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

/// Waits until the server closes the connection.
async fn closed(mut connection: TcpStream) {
    let mut answer = Vec::new();
    // A reset closes it too.
    let _ = timeout(LONG, connection.read_to_end(&mut answer))
        .await
        .expect("the server closes the connection");
}

/// Silent, half a greeting, another protocol, and a greeting without a call.
async fn a_connection_that_never_makes_a_call_ends(database: Database) {
    let deadlines = Deadlines {
        // Longer than a machine stands still: the call that is made is in time.
        first_call: 3 * SECOND,
        ..Deadlines::default()
    };
    let app = app(database, 250, deadlines).await;
    for said in [
        &b""[..],
        b"PRI * HTT",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ] {
        let mut connection = TcpStream::connect(app.address()).await.unwrap();
        connection.write_all(said).await.unwrap();
        closed(connection).await;
    }
    app.people(["ada"]).await;
}

async fn a_connection_without_calls_ends_and_its_client_notices_nothing(database: Database) {
    let deadlines = Deadlines {
        connection_idle: SECOND,
        ..Deadlines::default()
    };
    let app = app(database, 1, deadlines).await;
    app.people(["ada"]).await;
    // The only place is taken until the client's connection has ended.
    let free = async {
        loop {
            let mut connection = TcpStream::connect(app.address()).await.unwrap();
            let mut greeting = [0; 9];
            connection
                .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                .await
                .ok();
            if connection.read_exact(&mut greeting).await.is_ok() {
                return;
            }
        }
    };
    timeout(LONG, free).await.expect("the place gets free");
    let coming_back =
        async { while app.imports().get_import_template(template()).await.is_err() {} };
    timeout(LONG, coming_back)
        .await
        .expect("a client comes back");
}

fn template() -> user_import::proto::GetImportTemplateRequest {
    user_import::proto::GetImportTemplateRequest {
        organization: "pd".to_owned(),
    }
}

async fn a_connection_with_an_open_call_stays(database: Database) {
    use user_import::proto::{ImportFinish, import_users_request::Message};
    let deadlines = Deadlines {
        first_call: 3 * SECOND,
        connection_idle: SECOND / 10,
        ..Deadlines::default()
    };
    let app = app(database, 250, deadlines).await;
    let call = app.call().await;
    call.send(Message::Start(crate::support::start_of("pd")))
        .await;
    let silent = TcpStream::connect(app.address()).await.unwrap();
    // Thirty times as long as a connection without a call lasts.
    closed(silent).await;
    let csv = roster().people(["ada"]).csv();
    call.send(Message::CsvChunk(csv.into())).await;
    call.send(Message::Finish(ImportFinish::default())).await;
    assert_eq!(call.finish().await.summary().created, 1);
}

async fn connections_over_the_limit_are_closed_at_once(database: Database) {
    // One of them is the app's own.
    let app = app(database, 3, Deadlines::default()).await;
    let mut two = Vec::new();
    for _ in 0..2 {
        let mut connection = TcpStream::connect(app.address()).await.unwrap();
        connection
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        // The server's settings: it has been taken.
        let mut settings = [0; 9];
        let greeted = timeout(LONG, connection.read_exact(&mut settings)).await;
        greeted.unwrap().unwrap();
        two.push(connection);
    }
    closed(TcpStream::connect(app.address()).await.unwrap()).await;
    app.people(["ada"]).await;
}
