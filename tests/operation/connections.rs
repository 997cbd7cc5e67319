//! Unused connections are closed, and the number of connections is limited.

use std::{net::IpAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tonic_health::pb::HealthCheckRequest;
use user_import::{
    config::Settings,
    limits::{ClientDeadlines, ServerLimits},
};

use crate::frames::{RawConnection, SETTINGS};
use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![
    a_connection_that_never_makes_a_call_ends,
    a_connection_without_calls_ends_and_its_client_notices_nothing,
    a_connection_with_an_open_call_stays,
    over_the_limit_the_oldest_strangers_connection_makes_room,
    health_watches_keep_nobody_out,
];

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_mins(1);

async fn app(database: Database, address_connections: usize, deadlines: ClientDeadlines) -> App {
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
    // A reset is also a way to close it.
    let _ = timeout(LONG, connection.read_to_end(&mut answer))
        .await
        .expect("the server closes the connection");
}

/// The connections send nothing, half a greeting, another protocol, or a greeting without a call.
async fn a_connection_that_never_makes_a_call_ends(database: Database) {
    let deadlines = ClientDeadlines {
        // Longer than any pause of the machine, so that the call is made in time.
        first_call: 3 * SECOND,
        ..ClientDeadlines::default()
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
    let deadlines = ClientDeadlines {
        connection_idle: SECOND,
        ..ClientDeadlines::default()
    };
    let app = app(database, 1, deadlines).await;
    app.people(["ada"]).await;
    // The only place stays taken until the client's connection has ended.
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
        ..user_import::proto::GetImportTemplateRequest::default()
    }
}

async fn a_connection_with_an_open_call_stays(database: Database) {
    use user_import::proto::{ImportFinish, import_users_request::Message};
    let deadlines = ClientDeadlines {
        first_call: 3 * SECOND,
        connection_idle: SECOND / 10,
        ..ClientDeadlines::default()
    };
    let app = app(database, 250, deadlines).await;
    let call = app.call().await;
    call.send(Message::Start(user_import_testing::start_of("pd")))
        .await;
    let silent = TcpStream::connect(app.address()).await.unwrap();
    // Thirty times the time after which a connection without a call is closed.
    closed(silent).await;
    let csv = roster().people(["ada"]).csv();
    call.send(Message::CsvChunk(csv.into())).await;
    call.send(Message::Finish(ImportFinish::default())).await;
    assert_eq!(call.finish().await.summary().created, 1);
}

/// Returns a connection that the server has accepted, from an address of this machine.
async fn greeted(app: &App, from: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((IpAddr::from(from), 0).into()).unwrap();
    let mut connection = socket.connect(app.address()).await.unwrap();
    connection
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    // The server has sent its settings, so it has accepted the connection.
    let mut settings = [0; 9];
    let greeted = timeout(LONG, connection.read_exact(&mut settings)).await;
    greeted.unwrap().unwrap();
    connection
}

const HERE: [u8; 4] = [127, 0, 0, 1];

async fn over_the_limit_the_oldest_strangers_connection_makes_room(database: Database) {
    // One of the places is that of the app's own connection, which has a credential.
    let app = app(database, 3, ClientDeadlines::default()).await;
    let (first, mut second) = (greeted(&app, HERE).await, greeted(&app, HERE).await);
    let _third = greeted(&app, HERE).await;
    closed(first).await;
    // A limit is for one address, so another address has its own places.
    let _other = greeted(&app, [127, 0, 0, 2]).await;
    app.people(["ada"]).await;
    let silent = timeout(SECOND / 10, second.read_exact(&mut [0; 1_000])).await;
    assert!(silent.is_err(), "the second one stands");
}

/// Each watch has a connection of its own, from one address or from many. There are far more watches than places.
async fn health_watches_keep_nobody_out(database: Database) {
    let server = ServerLimits {
        connections: 20,
        address_connections: 12,
        ..ServerLimits::default()
    };
    let settings = Settings {
        server,
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    for from in [|_| 9, |number| number] {
        let mut watching = Vec::new();
        for number in 2..62 {
            let mut raw = RawConnection::over(greeted(&app, [127, 0, 0, from(number)]).await);
            raw.send(SETTINGS, 0, 0, &[]).await;
            raw.call(1, "/grpc.health.v1.Health/Watch").await;
            raw.message(1, &HealthCheckRequest::default(), true).await;
            watching.push(raw);
        }
        // On the existing connection, and on a new one.
        app.users().await;
        let newcomer = app.another_client().await;
        newcomer.users().await;
        drop(watching);
    }
}
