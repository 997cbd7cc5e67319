//! Faults that reject a single row before its values are checked (semantics §2, Record faults). The rows around it
//! stand.

use insta::assert_snapshot;
use user_import::{
    domain::Column::{self, Email, FirstName, LastName, Location, Phone, Username},
    proto::{CsvFormat, ImportStart},
};

use user_import_testing::{App, Database, on_both_databases, roster, start_of};

on_both_databases![
    a_faulty_record_rejects_its_own_row_and_no_other,
    invalid_bytes_are_named_with_their_column_and_the_charset_option,
    invalid_bytes_of_another_charset_are_named_too,
    a_forbidden_character_rejects_its_row_in_any_column,
    a_field_over_4_kib_rejects_its_row_in_any_column,
];

async fn a_faulty_record_rejects_its_own_row_and_no_other(database: Database) {
    let app = App::start(database).await;
    let long = "x".repeat(4_097);
    let people = roster()
        .people(["ada"])
        .row("wide", [])
        .row("bytes", [(FirstName, "Mu~oz")])
        .row("bell", [(LastName, "\u{7}")])
        .row("long", [(LastName, &*long)])
        .people(["bob"]);
    let csv = people.csv().replace("B-wide", "B-wide,");
    let csv: Vec<u8> = csv
        .bytes()
        .map(|b| if b == b'~' { 0xF1 } else { b })
        .collect();
    assert_snapshot!(app.import(csv).await, @r"
    1 CREATED ada
    2 REJECTED  [FIELD_COUNT]
    3 REJECTED bytes [INVALID_ENCODING]
    4 REJECTED bell [INVALID_CHARACTER]
    5 REJECTED long [TOO_LONG]
    6 CREATED bob
    COMPLETED: 6 rows, 2 created, 4 rejected
    ");
    assert_eq!(app.users().await.len(), 2);
}

async fn invalid_bytes_are_named_with_their_column_and_the_charset_option(database: Database) {
    let app = App::start(database).await;
    let csv = roster()
        .row("ada", [(FirstName, "A~a"), (LastName, "~")])
        .csv();
    let csv: Vec<u8> = csv
        .bytes()
        .map(|b| if b == b'~' { 0xF1 } else { b })
        .collect();
    let imported = app.reject(csv.clone()).await;
    assert_snapshot!(imported.messages(1).join("\n"), @r"
    FIRST_NAME holds the byte 0xF1, which is not valid UTF-8; save the file as UTF-8, or name the charset it has (such as windows-1252) in the charset option.
    LAST_NAME holds the byte 0xF1, which is not valid UTF-8; save the file as UTF-8, or name the charset it has (such as windows-1252) in the charset option.
    ");

    let declared = ImportStart {
        csv: Some(CsvFormat {
            charset: "windows-1252".to_owned(),
            ..CsvFormat::default()
        }),
        ..start_of("pd")
    };
    assert_eq!(app.import_with(declared, csv).await.summary().created, 1);
    assert_eq!(app.user("ada").await.first_name, "Aña");
}

async fn invalid_bytes_of_another_charset_are_named_too(database: Database) {
    let app = App::start(database).await;
    let csv = format!(
        "\u{FEFF}{}",
        roster().row("ada", [(FirstName, "A~a")]).csv()
    );
    let half_of_a_pair = |unit| {
        if unit == u16::from(b'~') {
            0xD83D
        } else {
            unit
        }
    };
    let units = csv.encode_utf16().map(half_of_a_pair);
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    assert_snapshot!(app.reject(bytes).await.messages(1).join("\n"), @r"FIRST_NAME holds the byte 0x3D, which is not valid UTF-16LE; save the file as UTF-8, or name the charset it has (such as windows-1252) in the charset option.");
}

async fn a_forbidden_character_rejects_its_row_in_any_column(database: Database) {
    let app = App::start(database).await;
    let forbidden = [
        "\0",
        "\u{1B}",
        "\u{7F}",
        "\u{85}x\u{9B}",
        "\u{202E}",
        "\u{2066}",
    ];
    for (column, forbidden) in Column::ALL.into_iter().zip(forbidden.iter().cycle()) {
        let value = format!("a{forbidden}b");
        let people = roster().row("ada", [(column, &*value)]);
        let imported = app.reject(&people).await;
        assert_eq!(imported.row(1).issues[0].column, column.header());
        assert_eq!(
            words(&imported),
            ["INVALID_CHARACTER"],
            "{column}:\n{imported}"
        );
        let typed = app.import_rows(people.typed()).await;
        assert_eq!(typed.to_string(), imported.to_string());
        assert_eq!(typed.messages(1), imported.messages(1));
    }
    let bell = roster().row("ada", [(Username, "a\u{7}da"), (Location, "\u{202A}here")]);
    assert_snapshot!(app.reject(bell).await.messages(1).join("\n"), @r#"
    USERNAME "a�da" holds the invisible character U+0007; remove it.
    LOCATION "�here" holds the invisible character U+202A; remove it.
    "#);
    assert!(app.users().await.is_empty());
}

async fn a_field_over_4_kib_rejects_its_row_in_any_column(database: Database) {
    let app = App::start(database).await;
    for column in Column::ALL {
        let long = "é".repeat(2_049);
        let people = roster().row("ada", [(column, &*long)]);
        let imported = app.reject(&people).await;
        assert_eq!(words(&imported), ["TOO_LONG"], "{column}:\n{imported}");
        let typed = app.import_rows(people.typed()).await;
        assert_eq!(typed.messages(1), imported.messages(1));
    }
    let blanks = " ".repeat(4_097);
    let padded = roster().row("ada", [(Email, &*blanks), (Phone, &*blanks)]);
    assert_snapshot!(app.reject(padded).await.messages(1).join("\n"), @r"
    EMAIL has 4097 bytes, and no field may have more than 4096; shorten it.
    PHONE has 4097 bytes, and no field may have more than 4096; shorten it.
    ");
    let just_fits = roster().row("ada", [(Phone, &blanks[1..])]);
    assert_eq!(app.import(just_fits).await.summary().created, 1);
}

/// Returns the codes of the first row's issues.
fn words(imported: &user_import_testing::ImportResponses) -> Vec<&'static str> {
    let issues = &imported.row(1).issues;
    let name = |issue: &user_import::proto::Issue| issue.code().as_str_name();
    let names = issues.iter().map(name);
    names
        .map(|name| name.trim_start_matches("ISSUE_CODE_"))
        .collect()
}
