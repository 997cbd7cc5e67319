//! The forms that a CSV file may have (semantics §2, CSV dialect): files of spreadsheets and dispatch systems are read
//! as their authors mean them, and every result says which line of the file its row is on.

use insta::assert_snapshot;
use tonic::Code;
use user_import::proto::{CsvFormat, ImportStart};

use user_import_testing::{App, Database, ImportResponses, on_both_databases, roster, start_of};

on_both_databases![
    every_dialect_reads_as_the_same_rows,
    a_charset_is_declared_or_marked_and_said,
    a_stated_delimiter_wins_over_a_sep_line,
    a_file_in_utf_16_imports,
    a_result_says_where_its_row_stands,
    a_record_may_lack_optional_columns_at_its_end,
    a_last_record_without_a_line_end_must_be_whole,
    a_quoted_line_break_is_read_as_a_space,
];

const HEADER: &str = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE";
const ADA: &str = "ada,ada@pd.example,B-ada,\"Ada, \"\"the\"\" first\",Byron,Active,ada,Officer";
const ZOE: &str = "zoe,zoe@pd.example,007,Zoë,O'Neil,Active,zoe,Officer";

/// The header, ADA and ZOE, each on a line that ends with `end`.
fn file(end: &str) -> String {
    [HEADER, ADA, ZOE]
        .map(|line| line.to_owned() + end)
        .concat()
}

/// The same with another delimiter, which no value contains.
fn delimited(delimiter: &str) -> String {
    let plain = file("\n").replace("\"Ada, \"\"the\"\" first\"", "\u{1}");
    let plain = plain.replace(',', delimiter);
    plain.replace('\u{1}', "\"Ada, \"\"the\"\" first\"")
}

/// The same with all values in quotes and blanks around the quotes.
fn spaced() -> String {
    let text = file("\n");
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).from_reader(text.as_bytes());
    let quoted = |value: &str| format!(" \"{}\"\u{A0} ", value.replace('"', "\"\""));
    let line = |record: csv::StringRecord| record.iter().map(quoted).collect::<Vec<_>>().join(",");
    let records = reader.into_records().map(|record| record.unwrap());
    records.map(|record| line(record) + "\r\n").collect()
}

fn in_charset(charset: &str) -> CsvFormat {
    CsvFormat {
        charset: charset.to_owned(),
        ..CsvFormat::default()
    }
}

fn separated(delimiter: &str) -> CsvFormat {
    CsvFormat {
        delimiter: delimiter.to_owned(),
        ..CsvFormat::default()
    }
}

fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let marked = format!("\u{FEFF}{text}");
    marked.encode_utf16().flat_map(bytes).collect()
}

fn windows_1252() -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(&file("\r\n")).0.into()
}

async fn dry_run(app: &App, csv: CsvFormat, bytes: impl Into<Vec<u8>>) -> ImportResponses {
    let start = ImportStart {
        validate_only: true,
        csv: Some(csv),
        ..start_of("pd")
    };
    app.import_with(start, bytes).await
}

async fn every_dialect_reads_as_the_same_rows(database: Database) {
    let app = App::start(database).await;
    assert_eq!(app.import(file("\n")).await.summary().created, 2);
    let quoted = file("\n").replace(
        "zoe,zoe@pd.example,007",
        "\"zoe\",\"zoe@pd.example\",\"007\"",
    );
    for (dialect, text) in [
        ("CRLF", file("\r\n")),
        ("CR", file("\r")),
        ("mixed", format!("{HEADER}\r{ADA}\r\n{ZOE}\n")),
        ("no last line end", file("\n").trim_end().to_owned()),
        ("byte order mark", format!("\u{FEFF}{}", file("\n"))),
        (
            "blank lines",
            format!("\n \r\n\t\n{}\n\n", file("\r\n\r\n")),
        ),
        (
            "lines of delimiters",
            file("\n,,,,,,,\n").replace('\n', "\r\n"),
        ),
        (
            "lines of blank fields",
            file("\n\"\",\" \",\u{A0},\u{200B}\n"),
        ),
        ("semicolons", delimited(";")),
        ("tabs", delimited("\t")),
        ("bars", delimited("|")),
        ("sep line", format!("sep=;\r\n{}", delimited(";"))),
        (
            "sep line behind a mark",
            format!("\u{FEFF}\"sep=|\"\n{}", delimited("|")),
        ),
        (
            "sep line padded",
            format!("SEP=\t\t\t\n{}", delimited("\t")),
        ),
        ("sep line alone in CR", format!("sep=,\r{}", file("\r"))),
        ("empty columns at the end", file(",,\n")),
        (
            "empty columns in all records, but not in the header",
            format!("{HEADER}\n{ADA},,\n{ZOE},,\n"),
        ),
        ("quotes where none are needed", quoted),
        ("blanks around quotes", spaced()),
        (
            "padding",
            file("\n").replace("007", " \u{A0}007\u{200B}\u{200F} "),
        ),
    ] {
        let imported = dry_run(&app, CsvFormat::default(), text.clone()).await;
        assert_eq!(
            imported.summary().unchanged,
            2,
            "{dialect}: {text:?}\n{imported}"
        );
        assert_eq!(imported.summary().rows, 2, "{dialect}:\n{imported}");
    }
}

async fn a_charset_is_declared_or_marked_and_said(database: Database) {
    let app = App::start(database).await;
    assert_eq!(app.import(file("\n")).await.summary().created, 2);
    let little = utf_16(&file("\r\n"), u16::to_le_bytes);
    for (declared, bytes, said) in [
        ("", file("\n").into_bytes(), "UTF-8"),
        ("UTF8", file("\n").into_bytes(), "UTF-8"),
        ("windows-1252", windows_1252(), "windows-1252"),
        ("Latin1", windows_1252(), "windows-1252"),
        ("", little.clone(), "UTF-16LE"),
        ("windows-1252", little.clone(), "UTF-16LE"),
        ("utf-16le", little[2..].to_vec(), "UTF-16LE"),
        ("", utf_16(&file("\n"), u16::to_be_bytes), "UTF-16BE"),
        (
            "windows-1252",
            format!("\u{FEFF}{}", file("\n")).into_bytes(),
            "UTF-8",
        ),
    ] {
        let imported = dry_run(&app, in_charset(declared), bytes).await;
        assert_eq!(
            imported.summary().unchanged,
            2,
            "{declared} {said}:\n{imported}"
        );
        assert_eq!(imported.started[0].charset, said, "{declared}");
    }
}

async fn a_stated_delimiter_wins_over_a_sep_line(database: Database) {
    let app = App::start(database).await;
    assert_eq!(app.import(file("\n")).await.summary().created, 2);
    for (stated, text, said) in [
        ("", delimited("\t"), "\t"),
        ("", format!("sep=\n{}", delimited("|")), "|"),
        (";", delimited(";"), ";"),
        (";", format!("sep=,\n{}", delimited(";")), ";"),
        ("tab", format!("sep=:\n{}", delimited("\t")), "\t"),
    ] {
        let imported = dry_run(&app, separated(stated), text).await;
        assert_eq!(
            imported.summary().unchanged,
            2,
            "{stated} {said}:\n{imported}"
        );
        assert_eq!(imported.started[0].delimiter, said);
    }
    let other = dry_run(&app, separated(";"), file("\n")).await;
    assert_eq!(other.code(), Code::InvalidArgument, "{other}");
}

async fn a_file_in_utf_16_imports(database: Database) {
    let app = App::start(database).await;
    let people = roster().row(
        "ada",
        [(user_import::domain::Column::FirstName, "三郎 😀 Zoë")],
    );
    let imported = app.import(utf_16(&people.csv(), u16::to_be_bytes)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    assert_eq!(app.user("ada").await.first_name, "三郎 😀 Zoë");
}

async fn a_result_says_where_its_row_stands(database: Database) {
    let app = App::start(database).await;
    let lines = |imported: ImportResponses| {
        let at =
            |r: &user_import::proto::RowResult| format!("{}@{} {}", r.row, r.line, r.external_id);
        imported
            .results
            .iter()
            .map(at)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let person = |name: &str| {
        format!("{name},{name}@pd.example,B-{name},X,\"two\nlines\",Active,{name},Officer")
    };
    let [ada, bob, cy] = ["ada", "bob", "cy"].map(person);
    let text = format!("sep=,\n\n{HEADER}\n{ada}\n\n,,\n{bob}\n{cy}\n");
    for end in ["\n", "\r\n", "\r"] {
        let text = text.replace('\n', end);
        let imported = dry_run(&app, CsvFormat::default(), text).await;
        assert_eq!(lines(imported), "1@4 ada, 2@8 bob, 3@10 cy", "{end:?}");
    }
    let mixed = format!("{HEADER}\r\n{ada}\r{bob}\n\r{cy}");
    let imported = dry_run(&app, CsvFormat::default(), mixed).await;
    assert_eq!(lines(imported), "1@2 ada, 2@4 bob, 3@7 cy");
}

async fn a_record_may_lack_optional_columns_at_its_end(database: Database) {
    let app = App::start(database).await;
    let text = format!(
        "{HEADER},RANK,PHONE\n\
         ada,ada@pd.example,B-ada,Ada,Byron,Active,ada,Officer\n\
         bob,bob@pd.example,B-bob,Bob,Byron,Active,bob,Officer,Captain\n\
         cy,cy@pd.example,B-cy,Cy,Byron,Active,cy\n\
         dan,dan@pd.example,B-dan,Dan,Byron,Active,dan,Officer,Captain,,x\n"
    );
    let imported = app.import(text).await;
    assert_snapshot!(imported, @r"
    1 CREATED ada
    2 CREATED bob
    3 REJECTED  [FIELD_COUNT]
    4 REJECTED  [FIELD_COUNT]
    COMPLETED: 4 rows, 2 created, 2 rejected
    ");
    assert_eq!(app.user("bob").await.rank, "Captain");
    let told = [imported.messages(3), imported.messages(4)]
        .concat()
        .join("\n");
    assert_snapshot!(told, @r"
    The row has 7 fields, but the header has 10; add what is missing.
    The row has 11 fields, but the header has 10; put double quotes around a value that holds the delimiter.
    ");
}

async fn a_last_record_without_a_line_end_must_be_whole(database: Database) {
    let app = App::start(database).await;
    let short = format!("{HEADER},RANK,PHONE\n{ADA},Captain");
    assert_snapshot!(app.reject(short).await, @r"
    1 REJECTED  [FIELD_COUNT]
    COMPLETED: 1 rows, 1 rejected
    ");
    let whole = format!("{HEADER},RANK,PHONE\n{ADA},Captain,");
    assert_eq!(app.import(whole).await.summary().created, 1);
}

async fn a_quoted_line_break_is_read_as_a_space(database: Database) {
    let app = App::start(database).await;
    let text = format!(
        "{HEADER}\n{}\n",
        ZOE.replace("O'Neil", "\"O'Neil\r\n\t de\rla\"")
    );
    assert_eq!(app.import(text).await.summary().created, 1);
    assert_eq!(app.user("zoe").await.last_name, "O'Neil  de la");
}
