//! Clients that misuse the server take little of its memory, as the system reports its peak. Other clients are served
//! meanwhile. (`floods` has the tests of compressed messages.)

use std::{fmt::Write, net::IpAddr, sync::Arc, time::Duration};

use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;
use user_import::{
    domain::{
        Column::{self, FirstName, LastName, Role},
        Permission,
    },
    proto::{
        ExportUsersRequest, FileFormat, GetImportTemplateRequest, ImportFinish, ImportStart,
        ImportUsersRequest, UserRows, WatchImportRequest, import_users_request::Message,
        import_users_response::Message as Reply,
    },
};

use crate::{
    floods::blocking,
    frames::{DATA, GOAWAY, RawConnection, SETTINGS},
    observed::get,
    program::serve,
    scene::Scene,
};
use user_import_testing::{
    App, Database, ImportCall, ImportResponses, PATIENCE,
    certificates::{CertificateAuthority, CertificateFiles},
    finish_of, free_address, on_both_databases, roster, start_of, token,
};

on_both_databases![
    readers_who_never_read_take_little_memory,
    floods_of_resets_take_little_memory,
    tiny_messages_take_little_memory_while_the_database_is_slow,
    half_open_handshakes_take_little_memory,
    unfinished_health_requests_take_little_memory,
    rows_of_nothing_but_faults_take_no_more_than_sound_ones,
    rows_that_only_the_plan_can_reject_take_little_more_than_sound_ones,
    the_memory_of_a_large_import_is_given_back_when_it_has_ended,
    an_upload_for_which_there_is_no_memory_is_refused_and_leaves_nothing,
    a_workbook_for_which_there_is_no_memory_is_refused,
    large_parts_after_tiny_ones_take_little_memory,
    a_principal_and_an_organisation_have_a_share_of_the_memory_from_all_addresses_together,
    memory_is_divided_in_two_parts_for_each_core;
    strangers_take_little_memory_while_their_calls_wait,
];

/// KiB that misuse may take: a small part of the memory for a large import.
const LITTLE: u64 = 96 * 1024;

const IMPORTS: &str = "/userimport.v1.ImportService";
const DIRECTORY: &str = "/userimport.v1.DirectoryService";

impl Scene {
    /// Expects that the server took little more memory than `before`, and that others are served.
    async fn expect_little_more(&self, before: u64) {
        let more = self.server.peak_above(before);
        assert!(more < LITTLE, "{more} KiB more");
        let other = self.app.another_client().await;
        let served = other.import(roster().people(["somebody-else"])).await;
        assert_eq!(served.code(), Code::Ok, "{served}");
    }
}

/// The readers never enlarge their windows, so that the server can send them almost nothing.
async fn readers_who_never_read_take_little_memory(database: Database) {
    let scene = Scene::start(database, &["--stream-idle-seconds", "6"]).await;
    let long = "x".repeat(128);
    let people = (0..8_000).fold(roster(), |people, number| {
        let names = [(FirstName, &*long), (LastName, &*long)];
        people.row(&format!("u{number}"), names)
    });
    let imported = scene.app.import(&people).await;
    assert_eq!(imported.summary().created, 8_000);
    let watch = WatchImportRequest {
        organization: "pd".to_owned(),
        import_id: imported.import_id().to_owned(),
        ..WatchImportRequest::default()
    };
    let export = ExportUsersRequest {
        organization: "pd".to_owned(),
        ..ExportUsersRequest::default()
    };
    let before = scene.server.peak();
    let mut readers = Vec::new();
    for _ in 0..2 {
        let mut raw = RawConnection::connect(scene.server.address).await;
        for stream in (1..100).step_by(2) {
            raw.call(stream, &format!("{IMPORTS}/WatchImport")).await;
            raw.message(stream, &watch, true).await;
        }
        for stream in (101..121).step_by(2) {
            let format = match stream % 4 {
                1 => FileFormat::Csv,
                _ => FileFormat::Xlsx,
            };
            let export = ExportUsersRequest {
                format: format.into(),
                ..export.clone()
            };
            raw.call(stream, &format!("{DIRECTORY}/ExportUsers")).await;
            raw.message(stream, &export, true).await;
        }
        for stream in (121..129).step_by(2) {
            dry_run(&mut raw, stream).await;
        }
        readers.push(raw);
    }
    let unread = r#"user_import_refused_requests_total{reason="NOT_READ"}"#;
    // These are the exports. The server ends the others at the same time, and they get the reason when they read.
    scene.until_counted(unread, 3).await;
    scene.expect_little_more(before).await;
    drop(readers);
}

/// Imports and keeps no answers. Returns the number of rejected rows.
async fn read_import(app: &App, csv: &str, validate_only: bool) -> u32 {
    let mut call = app.call().await;
    let start = ImportStart {
        validate_only,
        ..start_of("pd")
    };
    call.send(Message::Start(start)).await;
    for chunk in csv.as_bytes().chunks(256 * 1024) {
        call.send(Message::CsvChunk(chunk.to_vec().into())).await;
    }
    call.send(Message::Finish(ImportFinish::default())).await;
    call.half_close();
    let mut rejected = 0;
    while let Some(reply) = call.read().await.expect("the import is not refused") {
        if let Reply::Summary(summary) = reply {
            rejected = summary.rejected;
        }
    }
    rejected
}

/// Each row has a fault in every column, and each fault has a long message.
async fn rows_of_nothing_but_faults_take_no_more_than_sound_ones(database: Database) {
    const ROWS: u32 = 40_000;
    let names: Vec<_> = (0..ROWS).map(|n| format!("someone-{n}")).collect();
    let sound = roster().people(names.iter().map(String::as_str)).csv();
    let header: Vec<_> = Column::ALL.map(Column::header).into();
    let faulty = header.join(",")
        + &"\n1E+1,x,1E+1,,,q,a b,\u{1},\u{1},\u{1},\u{1},\u{1},x".repeat(ROWS as usize);
    let sound = taken(database, &sound, 0).await;
    let faulty = taken(database, &faulty, ROWS).await;
    // Faults that were kept as texts took eight times as much. Twice as much is allowed, because runs differ.
    assert!(
        faulty <= 2 * sound,
        "{faulty} KiB, and {sound} where all is sound"
    );
}

/// Each row has names that the catalog does not have, a supervisor that matches no user, and keys that a spreadsheet
/// may have changed. No row shares these values with another row.
async fn rows_that_only_the_plan_can_reject_take_little_more_than_sound_ones(database: Database) {
    const ROWS: u32 = 60_000;
    let header = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,SUPERVISOR_EMAIL,RANK,\
        EVIDENCE_GROUP_EXT_ID";
    let file = |row: fn(u32) -> String| {
        (0..ROWS)
            .map(row)
            .fold(header.to_owned(), |csv, row| csv + "\n" + &row)
    };
    let sound = file(|n| format!("{n},u{n}@pd.example,{n},Ann,Lee,Active,u{n},Officer,,,"));
    let rejected = file(|n| {
        format!(
            "{n}.0,u{n}@pd.example,{n}.00,Ann,Lee,Active,{n}.0,Role{n},s{n}@pd.example,Rank{n},Group{n}"
        )
    });
    let sound = taken(database, &sound, 0).await;
    let rejected = taken(database, &rejected, ROWS).await;
    // It was eight times as much in an earlier version, and is less than twice now. The limit has room, because runs
    // differ.
    assert!(
        rejected <= 3 * sound,
        "{rejected} KiB, and {sound} where all is sound"
    );
}

/// Returns the KiB that a dry run of this file takes on a new server, and expects that it rejects `rejected` rows.
async fn taken(database: Database, csv: &str, rejected: u32) -> u64 {
    let scene = Scene::start(database, &[]).await;
    let before = scene.server.peak();
    assert_eq!(read_import(&scene.app, csv, true).await, rejected);
    let taken = scene.server.peak_above(before);
    assert!(taken > 0, "an import takes some memory");
    taken
}

fn sound_csv(rows: u32) -> String {
    let mut csv =
        "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE\n".to_owned();
    for n in 0..rows {
        writeln!(csv, "u{n},u{n}@pd.example,{n},Ann,Lee,Active,u{n},Officer").unwrap();
    }
    csv
}

/// In an earlier version, three quarters of the memory were not returned to the system.
async fn the_memory_of_a_large_import_is_given_back_when_it_has_ended(database: Database) {
    let csv = sound_csv(250_000);
    let scene = Scene::start(database, &[]).await;
    let before = scene.server.resident();
    assert_eq!(read_import(&scene.app, &csv, true).await, 0);
    let taken = scene.server.peak_above(before);
    assert!(taken > LITTLE / 4, "{taken} KiB is no large import");
    let giving_back = async {
        while scene.server.resident_above(before) > taken * 3 / 5 {
            tokio::task::yield_now().await;
        }
    };
    let given_back = tokio::time::timeout(PATIENCE, giving_back).await;
    let kept = scene.server.resident_above(before);
    given_back.unwrap_or_else(|_| panic!("{kept} KiB of {taken} are kept"));
}

#[test]
fn the_pages_of_sqlite_are_given_back_with_the_memory_of_a_large_import() {
    user_import_testing::run(expect_pages_given_back());
}

/// The writer of SQLite keeps up to 32 MiB of pages, and 60,000 users are enough to fill them.
async fn expect_pages_given_back() {
    const LEFT: u64 = 24 * 1024;
    let scene = Scene::start(Database::Sqlite, &[]).await;
    let before = scene.server.resident();
    let written = read_import(&scene.app, &sound_csv(60_000), false).await;
    let checked = read_import(&scene.app, &sound_csv(250_000), true).await;
    assert_eq!((written, checked), (0, 0));
    let giving_back = async {
        while scene.server.resident_above(before) > LEFT {
            tokio::task::yield_now().await;
        }
    };
    let given_back = tokio::time::timeout(PATIENCE, giving_back).await;
    let kept = scene.server.resident_above(before);
    given_back.unwrap_or_else(|_| panic!("{kept} KiB are kept"));
}

/// The server has 16 MiB for all callers, and one caller may have half of them.
async fn an_upload_for_which_there_is_no_memory_is_refused_and_leaves_nothing(database: Database) {
    let scene = Scene::start(database, &["--max-client-memory", "16"]).await;
    let names: Vec<_> = (0..60_000).map(|n| format!("someone-{n}")).collect();
    let people = roster().people(names.iter().map(String::as_str));
    for _ in 0..2 {
        let refused = scene.app.import(&people).await;
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        let details = refused.status.get_error_details();
        let violations = &details
            .quota_failure()
            .expect("a quota is named")
            .violations;
        assert_eq!(violations[0].subject, "memory_per_address");
    }
    assert!(scene.app.users().await.is_empty());
    // Their memory is free again.
    let small = roster().people(names[..10_000].iter().map(String::as_str));
    assert_eq!(scene.app.import(&small).await.summary().created, 10_000);
}

/// Returns a client of the server from this address, which presents `token`.
async fn from(scene: &Scene, last: u8, token: &str) -> App {
    let own = IpAddr::from([127, 0, 0, last]);
    let channel = Channel::from_shared(format!("http://{}", scene.server.address)).unwrap();
    let channel = channel.local_address(Some(own)).connect().await.unwrap();
    scene.app.through(channel).presenting(token)
}

/// Begins an upload with these bytes from this address. Returns it once the server holds almost all `rows`, or the
/// refusal.
async fn upload(
    client: App,
    organization: &str,
    (csv, rows): (&str, u32),
) -> Result<ImportCall, Status> {
    let mut call = client.try_call().await?;
    call.send(Message::Start(start_of(organization))).await;
    call.send(Message::CsvChunk(csv.as_bytes().to_vec().into()))
        .await;
    let answering = async {
        loop {
            match call.read().await? {
                Some(Reply::Progress(progress)) if progress.rows_received >= rows * 9 / 10 => break,
                answer => assert!(answer.is_some(), "it goes on"),
            }
        }
        Ok(call)
    };
    let answered = tokio::time::timeout(PATIENCE, answering).await;
    answered.expect("it is held or refused")
}

/// One address, one principal and one organisation may each have half of the memory. Each upload takes a small part of
/// that, and comes from an address of its own. A CSV file takes almost no memory.
async fn a_workbook_for_which_there_is_no_memory_is_refused(database: Database) {
    let scene = Scene::start(database, &["--max-client-memory", "16"]).await;
    scene.app.people(["ada"]).await;
    let request = |format: FileFormat| ExportUsersRequest {
        organization: "pd".to_owned(),
        format: format.into(),
        ..ExportUsersRequest::default()
    };
    let template = GetImportTemplateRequest {
        organization: "pd".to_owned(),
        format: FileFormat::Xlsx.into(),
        ..GetImportTemplateRequest::default()
    };
    for _ in 0..3 {
        let refused = scene.app.try_export(request(FileFormat::Xlsx)).await;
        let mut imports = scene.app.imports();
        let no_template = imports.get_import_template(template.clone()).await;
        for refused in [refused.unwrap_err(), no_template.unwrap_err()] {
            assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
            let details = refused.get_error_details();
            let quota = details.quota_failure().expect("a quota is named");
            assert_eq!(quota.violations[0].subject, "memory_per_address");
        }
    }
    let csv = scene.app.try_export(request(FileFormat::Csv)).await;
    assert_eq!(csv.unwrap().lines().count(), 2);
}

async fn a_principal_and_an_organisation_have_a_share_of_the_memory_from_all_addresses_together(
    database: Database,
) {
    let scene = Scene::start(database, &["--max-client-memory", "16"]).await;
    scene.app.organization("sheriff").await;
    let names: Vec<_> = (0..15_000).map(|n| format!("someone-{n}")).collect();
    let csv = roster().people(names.iter().map(String::as_str)).csv();
    let roster = (&*csv, 15_000);
    let grant = || token("*", [Permission::UsersImport]);
    let (_, holder) = scene.app.create_token(grant()).await;
    let (_, other) = scene.app.create_token(grant()).await;
    let mut held = Vec::new();
    let refused = loop {
        let last = 11 + u8::try_from(held.len()).unwrap();
        match upload(from(&scene, last, &holder).await, "pd", roster).await {
            Ok(call) => held.push(call),
            Err(status) => break status,
        }
    };
    assert!(held.len() > 1, "{refused}");
    let subject = |status: Status| {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        let details = status.get_error_details();
        details.quota_failure().unwrap().violations[0]
            .subject
            .clone()
    };
    assert_eq!(subject(refused), "memory_per_principal");
    let elsewhere = upload(from(&scene, 101, &holder).await, "sheriff", roster).await;
    assert_eq!(subject(elsewhere.unwrap_err()), "memory_per_principal");
    let same = upload(from(&scene, 102, &other).await, "pd", roster).await;
    assert_eq!(subject(same.unwrap_err()), "memory_per_organization");
    let served = upload(from(&scene, 103, &other).await, "sheriff", roster).await;
    served.expect("another principal has room in another organisation");
}

/// Sends a dry run of rows that are rejected, each with a long message.
async fn dry_run(raw: &mut RawConnection, stream: u32) {
    let wizard = "Wizard".repeat(60);
    let rows = (0..2_000).fold(roster(), |rows, number| {
        rows.row(&format!("v{number}"), [(Role, &*wizard)])
    });
    let start = ImportStart {
        validate_only: true,
        ..start_of("pd")
    };
    let messages = [
        Message::Start(start),
        Message::Rows(UserRows { rows: rows.typed() }),
        Message::Finish(ImportFinish::default()),
    ];
    raw.call(stream, &format!("{IMPORTS}/ImportUsers")).await;
    let last = messages.len() - 1;
    for (number, message) in messages.into_iter().enumerate() {
        let message = ImportUsersRequest {
            message: Some(message),
        };
        raw.message(stream, &message, number == last).await;
    }
}

/// Calls are reset as soon as they are made. There would be hundreds of thousands if the server did not end the
/// connection.
async fn floods_of_resets_take_little_memory(database: Database) {
    let scene = Scene::start(database, &[]).await;
    let before = scene.server.peak();
    let mut ended = 0;
    for _ in 0..20 {
        let mut raw = RawConnection::connect(scene.server.address).await;
        raw.until(SETTINGS, 0).await.unwrap();
        // A failure to send means that the server has closed the connection.
        for number in 0..100 {
            let streams = (0..200).map(|stream| (number * 200 + stream) * 2 + 1);
            if !raw.flood(streams, &format!("{IMPORTS}/ImportUsers")).await {
                break;
            }
        }
        while let Some(frame) = raw.next().await {
            if frame.kind == GOAWAY {
                ended += 1;
                break;
            }
        }
    }
    assert!(ended > 0, "the server says when it is enough");
    scene.expect_little_more(before).await;
}

/// Sends parts of one byte, of which the server reads many at a time, and then parts of 3 MiB, which are much smaller
/// as they are stored.
async fn large_parts_after_tiny_ones_take_little_memory(database: Database) {
    let scene = Scene::start(database, &[]).await;
    let app = &scene.app;
    let start = ImportStart {
        validate_only: true,
        ..start_of("pd")
    };
    let mut csv = roster().people(["ada"]).csv().into_bytes();
    csv.resize(2_100, b'\n');
    let blank = vec![b'\n'; 3 * 1024 * 1024];
    let (id, _) = app.begin_upload(start).await.unwrap();
    for (offset, byte) in csv.iter().enumerate() {
        app.append(&id, offset as u64, [*byte]).await.unwrap();
    }
    for _ in 0..42 {
        app.append(&id, csv.len() as u64, &blank).await.unwrap();
        csv.extend_from_slice(&blank);
    }
    let before = scene.server.peak();
    let imported = app.finish_and_watch("pd", &id, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    scene.expect_little_more(before).await;
}

async fn tiny_messages_take_little_memory_while_the_database_is_slow(database: Database) {
    let scene = Scene::start(database, &[]).await;
    let names: Vec<_> = (0..20_000).map(|n| format!("u{n}")).collect();
    let csv = roster().people(names.iter().map(String::as_str)).csv();
    let before = scene.server.peak();
    let blocked = scene.app.database().begin(blocking(database)).await;
    let (all_sent, sent) = tokio::sync::oneshot::channel();
    let pieces = csv
        .as_bytes()
        .chunks(50)
        .map(<[u8]>::to_vec)
        .collect::<Vec<_>>();
    let chunks = pieces
        .into_iter()
        .map(|piece| Message::CsvChunk(piece.into()));
    let messages: Vec<_> = std::iter::once(Message::Start(start_of("pd")))
        .chain(chunks)
        .collect();
    let requests = tokio_stream::iter(messages).then(async |message| {
        tokio::task::yield_now().await;
        ImportUsersRequest {
            message: Some(message),
        }
    });
    let end = async move {
        // This fails only if the test is over.
        let _ = all_sent.send(());
        std::future::pending().await
    };
    let requests = requests.chain(futures_util::FutureExt::into_stream(end));
    let mut client = scene.app.imports();
    let importing = tokio::spawn(async move {
        let answers = client.import_users(Box::pin(requests)).await;
        ImportResponses::collect(answers.map(tonic::Response::into_inner)).await
    });
    sent.await
        .expect("everything is taken though nothing is written");
    blocked.commit("").await;
    scene.expect_little_more(before).await;
    importing.abort();
}

/// One address opens the most connections that it may have. None of them finishes its handshake.
async fn half_open_handshakes_take_little_memory(database: Database) {
    let authority = CertificateAuthority::new();
    let files = CertificateFiles::new(&authority.server());
    let (certificate, key) = (files.path("server.pem"), files.path("server.key"));
    let tls = [
        "--tls-cert",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
        "--tls-handshake-seconds",
        "2",
    ];
    let database = Arc::new(database.create().await);
    let folder = tempfile::tempdir().unwrap();
    let metrics = free_address();
    let listen = metrics.to_string();
    let options = [&["--metrics-listen", &listen][..], &tls].concat();
    let server = serve(&database.url(), &options, &folder.path().join("log"));
    let before = server.peak();
    let mut silent = Vec::new();
    for number in 0..600 {
        let connection = TcpStream::connect(server.address).await.unwrap();
        if number % 2 == 0 {
            // This is the beginning of a greeting, without its end.
            let _ = connection.try_write(&[0x16, 3, 1, 2, 0, 1, 0, 1]);
        }
        silent.push(connection);
    }
    // One address has 250 places. The older connections are closed to make room, and the newest ones have their full
    // time.
    let ended = |page: &str| -> u64 {
        let reasons = ["displaced", "tls_handshake_time"];
        let counts = reasons.map(|reason| {
            let counter = format!("user_import_connections_refused_total{{reason=\"{reason}\"}} ");
            let line = page.lines().find_map(|line| line.strip_prefix(&counter));
            line.map_or(0, |count| count.parse().unwrap())
        });
        counts.into_iter().sum()
    };
    let counting = async { while ended(&get(metrics)) < 600 {} };
    let counted = tokio::time::timeout(PATIENCE, counting).await;
    counted.unwrap_or_else(|_| panic!("{}", get(metrics)));
    let more = server.peak_above(before);
    assert!(more < LITTLE, "{more} KiB more");
}

/// Each message announces 4 MiB. Five connections have as many calls as are allowed, and no caller has a credential.
async fn unfinished_health_requests_take_little_memory(database: Database) {
    let scene = Scene::start(database, &[]).await;
    let before = scene.server.peak();
    let mut peers = Vec::new();
    for _ in 0..5 {
        let mut raw = RawConnection::connect(scene.server.address).await;
        let settings = raw.until(SETTINGS, 0).await.unwrap();
        raw.acknowledge(&settings).await;
        for stream in (1..200).step_by(2) {
            raw.call(stream, "/grpc.health.v1.Health/Check").await;
            raw.send(DATA, 0, stream, &[0, 0, 64, 0, 0]).await;
        }
        for _ in 0..20 {
            for stream in (1..200).step_by(2) {
                raw.send(DATA, 0, stream, &[7; 16_000]).await;
            }
        }
        peers.push(raw);
    }
    scene.expect_little_more(before).await;
}

/// The calls wait because the server has not started yet, as they would for a database that is away. Each sends all
/// data that the windows allow.
async fn strangers_take_little_memory_while_their_calls_wait() {
    let fresh = Arc::new(Database::Postgres.with_schema().await);
    let blocked = fresh.begin("LOCK TABLE servers IN ACCESS EXCLUSIVE MODE");
    let blocked = blocked.await;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = serve(&fresh.url(), &["--no-migrate"], &log);
    let before = server.peak();
    let mut strangers = Vec::new();
    for _ in 0..30 {
        let mut raw = RawConnection::connect(server.address).await;
        // From then on the windows have the size that the server states.
        let settings = raw.until(SETTINGS, 0).await.unwrap();
        raw.acknowledge(&settings).await;
        let sending = async {
            for stream in [1, 3, 5, 7] {
                raw.call(stream, &format!("{IMPORTS}/ImportUsers")).await;
                for _ in 0..130 {
                    raw.send(DATA, 0, stream, &[0; 16_000]).await;
                }
            }
        };
        // Data that the server does not read stays in the client.
        let _ = tokio::time::timeout(Duration::from_millis(500), sending).await;
        strangers.push(raw);
    }
    let more = server.peak_above(before);
    assert!(more < LITTLE, "{more} KiB more");
    blocked.commit("").await;
    drop(strangers);
    let app = App::attach(Arc::clone(&fresh), server.address).await;
    // The calls that waited are answered first.
    let is_busy = |status: Status| status.code() == Code::Unavailable;
    let busy = async { while app.look().await.is_err_and(is_busy) {} };
    let served = tokio::time::timeout(PATIENCE, busy).await;
    served.expect("others are served");
    app.organization("pd").await;
    app.people(["ada"]).await;
}

/// A thread cannot use memory that is free in the arena of another thread, and there are dozens of threads.
async fn memory_is_divided_in_two_parts_for_each_core(database: Database) {
    let scene = Scene::start(database, &[]).await;
    let names: Vec<_> = (0..5_000).map(|n| format!("u{n}")).collect();
    let people = roster().people(names.iter().map(String::as_str));
    let imported = scene.app.import(&people).await;
    assert_eq!(imported.summary().created, 5_000);
    let cores = std::thread::available_parallelism().unwrap().get();
    let arenas = scene.server.arenas();
    assert!(arenas < 2 * cores, "{arenas} beside the first");
}
