//! Faults that refuse a whole file (semantics §2, File faults): each has a sentence, a status and a detail, and no user
//! is written.

use std::iter::repeat_n;

use insta::assert_snapshot;
use tonic::Code;
use user_import::{
    config::Settings,
    domain::Column::{Location, Rank},
    input::InputLimits,
    proto::{CsvFormat, ImportFinish, ImportStart, UserRows, import_users_request::Message},
};

use user_import_testing::{App, Database, on_both_databases, roster, start_of};

on_both_databases![
    a_quote_never_closed_refuses_the_rows_before_it_too,
    a_record_over_64_kib_refuses_the_file,
    a_file_without_rows_is_refused,
    a_row_beyond_the_limit_refuses_the_import,
    a_byte_beyond_the_limit_refuses_the_import,
    typed_rows_have_the_same_faults_and_limits,
    a_message_over_4_mib_is_a_limit_exceeded,
    bad_csv_options_are_reported_together,
    a_fault_in_the_first_line_reaches_a_client_that_sends_megabytes,
];

async fn a_quote_never_closed_refuses_the_rows_before_it_too(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada", "bob", "cy"]).csv();
    let open = csv.replace("B-bob", "\"B-bob");
    assert_snapshot!(app.refuse(start_of("pd"), open).await, @r"
    InvalidArgument
    UNCLOSED_QUOTE line 3: A quote in the record that starts on line 3 is never closed; close it, or double a quote that belongs to a value.
    ");
    let open_in_the_header = csv.replace("EMAIL", "\"EMAIL");
    assert_snapshot!(app.refuse(start_of("pd"), open_in_the_header).await, @r"
    InvalidArgument
    UNCLOSED_QUOTE line 1: A quote in the record that starts on line 1 is never closed; close it, or double a quote that belongs to a value.
    ");
}

async fn a_record_over_64_kib_refuses_the_file(database: Database) {
    let app = App::start(database).await;
    let many = repeat_n(" ", 70_000).collect::<String>();
    let csv = roster().people(["ada"]).row("bob", [(Rank, &*many)]);
    assert_snapshot!(app.refuse(start_of("pd"), csv).await, @r"
    InvalidArgument
    RECORD_TOO_LONG line 3: The record that starts on line 3 is longer than 64 KiB; a quote opened there may not be closed.
    ");
    let csv = roster().people(["ada", "bob"]).csv();
    let swallowed = csv.replace("B-ada", "\"B-ada") + &"x,y\n".repeat(20_000);
    assert_snapshot!(app.refuse(start_of("pd"), swallowed).await, @r"
    InvalidArgument
    RECORD_TOO_LONG line 2: The record that starts on line 2 is longer than 64 KiB; a quote opened there may not be closed.
    ");
}

async fn a_file_without_rows_is_refused(database: Database) {
    let app = App::start(database).await;
    let header = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE";
    for csv in [header.to_owned(), format!("{header}\r\n\r\n , ,,\n")] {
        assert_snapshot!(app.refuse(start_of("pd"), csv).await, @r"
        InvalidArgument
        NO_ROWS: There are no rows to import; add at least one.
        ");
    }
    assert_snapshot!(app.refuse(start_of("pd"), "").await, @r"
    InvalidArgument
    NO_HEADER: No header found: the file is empty.
    ");
}

fn limited(max_rows: u32, max_bytes: u64) -> Settings {
    Settings {
        limits: InputLimits {
            max_rows,
            max_bytes,
            ..InputLimits::default()
        },
        ..Settings::default()
    }
}

async fn a_row_beyond_the_limit_refuses_the_import(database: Database) {
    let app = App::start_with(database, limited(2, 10_000)).await;
    let three = roster().people(["ada", "bob", "cy"]);
    assert_snapshot!(app.refuse(start_of("pd"), three).await, @"
    ResourceExhausted
    TOO_MANY_ROWS row 3: More than 2 rows, the limit for one import, from row 3 on; send fewer rows, or have the limit raised.
    ");
    let two = roster().people(["ada", "bob"]).csv() + "\n\n,,,\n";
    assert_eq!(app.import(two).await.summary().created, 2);
}

async fn a_byte_beyond_the_limit_refuses_the_import(database: Database) {
    let csv = roster().people(["ada", "bob"]).csv();
    let app = App::start_with(database, limited(100, csv.len() as u64)).await;
    assert_snapshot!(app.refuse(start_of("pd"), format!("{csv}\n")).await, @"
    ResourceExhausted
    TOO_MANY_BYTES row 3: More than 185 bytes, the limit for one import, from row 3 on; send fewer rows, or have the limit raised.
    ");
    assert_eq!(app.import(csv).await.summary().created, 2);
}

async fn typed_rows_have_the_same_faults_and_limits(database: Database) {
    let app = App::start_with(database, limited(2, 70_000)).await;
    let many = repeat_n("x", 65_537).collect::<String>();
    let three = roster().people(["ada", "bob", "cy"]);
    let long = roster().people(["ada"]).row("bob", [(Location, &*many)]);
    let two_long = roster().row("ada", [(Location, &many[..40_000])]);
    let two_long = two_long.row("bob", [(Location, &many[..40_000])]);
    let mut told = String::new();
    for rows in [three, long, two_long, roster()] {
        let imported = app.import_rows(rows.typed()).await;
        told += &imported.refusal();
    }
    assert_snapshot!(told, @"
    ResourceExhausted
    TOO_MANY_ROWS row 3: More than 2 rows, the limit for one import, from row 3 on; send fewer rows, or have the limit raised.
    InvalidArgument
    RECORD_TOO_LONG row 2: The values of row 2 are longer than 64 KiB together; shorten them.
    ResourceExhausted
    TOO_MANY_BYTES row 2: More than 70000 bytes, the limit for one import, from row 2 on; send fewer rows, or have the limit raised.
    InvalidArgument
    NO_HEADER: No header found: the file is empty.
    ");
    let none = [
        Message::Start(start_of("pd")),
        Message::Rows(UserRows::default()),
        Message::Finish(ImportFinish::default()),
    ];
    assert_snapshot!(app.send(none).await.refusal(), @r"
    InvalidArgument
    NO_ROWS: There are no rows to import; add at least one.
    ");
    assert!(app.users().await.is_empty());
}

async fn a_message_over_4_mib_is_a_limit_exceeded(database: Database) {
    let app = App::start(database).await;
    let chunk = roster().people(["ada"]).csv() + &"\n".repeat(5 * 1024 * 1024);
    let messages = [
        Message::Start(start_of("pd")),
        Message::CsvChunk(chunk.into()),
        Message::Finish(ImportFinish::default()),
    ];
    assert_snapshot!(app.send(messages).await.refusal(), @r"
    ResourceExhausted
    MESSAGE_TOO_LARGE message: A message is over 4 MiB or 50000 rows; send smaller chunks.
    ");
    assert!(app.users().await.is_empty());
}

async fn bad_csv_options_are_reported_together(database: Database) {
    let app = App::start(database).await;
    let start = ImportStart {
        csv: Some(CsvFormat {
            charset: "utf-9".to_owned(),
            delimiter: ":".to_owned(),
            ..CsvFormat::default()
        }),
        ..start_of("pd")
    };
    let imported = app.import_with(start, roster().people(["ada"])).await;
    assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
    let told = imported.violations().into_iter();
    let told: Vec<_> = told
        .map(|(field, words)| format!("{field}: {words}"))
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
    csv.charset: Unknown charset "utf-9"; use a label such as utf-8, windows-1252, iso-8859-15, macintosh, utf-16le or shift_jis.
    csv.delimiter: Delimiter ":" is not supported; use a comma, a semicolon, a tab or |.
    "#);
    let stated_in_the_file = format!("sep=:\n{}", roster().people(["ada"]).csv());
    assert_snapshot!(app.refuse(start_of("pd"), stated_in_the_file).await, @r#"
    InvalidArgument
    BAD_DELIMITER line 1: Delimiter ":" in the first line is not supported; use a comma, a semicolon, a tab or |.
    "#);
}

async fn a_fault_in_the_first_line_reaches_a_client_that_sends_megabytes(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().replacen("EMAIL", "EMIAL", 1);
    let csv = csv + &"a line of a file that nobody reads any more\n".repeat(400_000);
    let told = app.refuse(start_of("pd"), csv).await;
    assert!(told.contains("did you mean EMAIL?"), "{told}");
}
