//! A million rows that have only faults, compressed (at the scale 50).

use std::fmt::Write;

use tonic::codec::CompressionEncoding;
use user_import::proto::{
    ImportFinish, ImportUsersRequest, import_users_request::Message,
    import_users_response::Message as Answer,
};

use super::{
    attacked_server::{AttackedServer, dry_run},
    scale,
};
use user_import_testing::{Database, on_both_databases};

on_both_databases![rows_of_nothing_but_faults_cost_no_more_memory_than_sound_ones];

const ROWS: usize = 20_000;
const HEADER: &str =
    "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,RANK,PHONE\n";

fn sound(rows: usize) -> String {
    let mut csv = HEADER.to_owned();
    for n in 0..rows {
        let phone = 2_025_550_000 + n % 10_000;
        writeln!(
            csv,
            "E{n},e{n}@pd.example,B{n},Ada,Example,Active,u{n},Officer,Captain,+1{phone}"
        )
        .unwrap();
    }
    csv
}

/// Returns rows with nine faults each, in few bytes. Rows that were all the same would be refused for their compression.
fn faulty(rows: usize) -> String {
    let mut csv = HEADER.to_owned();
    for n in 0..rows {
        writeln!(csv, ",@{n},,,,?,a b,?,?,?").unwrap();
    }
    csv
}

/// Returns the memory that the server holds at the peak of a dry run, in KiB.
async fn held(database: Database, csv: String, rows: usize) -> u64 {
    let attacked_server = AttackedServer::start(database, &[]).await;
    let before = attacked_server.server.peak();
    let chunks = csv.into_bytes();
    let chunks: Vec<_> = chunks.chunks(1 << 20).map(<[u8]>::to_vec).collect();
    let chunks = chunks
        .into_iter()
        .map(|chunk| Message::CsvChunk(chunk.into()));
    let messages = std::iter::once(Message::Start(dry_run("pd")))
        .chain(chunks)
        .chain([Message::Finish(ImportFinish::default())]);
    let requests: Vec<_> = messages
        .map(|message| ImportUsersRequest {
            message: Some(message),
        })
        .collect();
    let mut client = attacked_server
        .operator
        .imports()
        .send_compressed(CompressionEncoding::Gzip);
    let answers = client.import_users(tokio_stream::iter(requests)).await;
    let mut answers = answers.expect("it is admitted").into_inner();
    let mut told = 0;
    while let Some(answer) = answers.message().await.expect("it is judged") {
        if let Some(Answer::Results(results)) = answer.message {
            told += results.results.len();
        }
    }
    assert_eq!(told, rows);
    let more = attacked_server.server.peak_above(before);
    attacked_server.expect_unharmed().await;
    more
}

async fn rows_of_nothing_but_faults_cost_no_more_memory_than_sound_ones(database: Database) {
    let rows = ROWS * scale();
    let usual = Box::pin(held(database, sound(rows), rows)).await;
    let attacked = Box::pin(held(database, faulty(rows), rows)).await;
    // The tenth is room for differences between runs.
    assert!(
        attacked <= usual + usual / 10,
        "{} MiB, and {} MiB for sound rows",
        attacked / 1024,
        usual / 1024
    );
}
