//! Lines that list no user (semantics §2 and §7): end marks, repeated headers, ruling lines, totals.

use insta::assert_snapshot;
use tonic::Code;

use user_import_testing::{
    App, Database, ImportResponses, deactivating_missing, dry_run, on_both_databases, start_of,
};

on_both_databases![
    an_end_mark_is_no_row,
    the_header_once_more_is_rejected_and_stops_no_sync,
    a_ruling_line_is_rejected_and_stops_no_sync,
    a_header_of_other_columns_refuses_the_file,
    totals_and_notes_are_named_and_stop_the_sync,
    totals_padded_to_the_header_are_named_once_and_stop_the_sync,
    people_with_odd_values_are_people,
    a_file_of_another_kind_is_named_and_not_quoted,
];

const HEADER: &str =
    "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,RANK";

fn row(id: &str) -> String {
    format!("{id},{id}@pd.example,B-{id},Ann,Lee,Active,{id},Officer,\r\n")
}

/// Imports ada, `line` and bob in a dry run that deactivates missing users. The users are ada, bob and cy, so cy is
/// missing.
async fn sync(app: &App, line: &str) -> ImportResponses {
    let csv = format!("{HEADER}\r\n{}{line}\r\n{}", row("ada"), row("bob"));
    app.import_with(dry_run(deactivating_missing(start_of("pd"))), csv)
        .await
}

/// Expects that `line` is no row, and that missing users are deactivated in spite of it. Returns the messages about it.
async fn ignored(app: &App, line: &str) -> String {
    let imported = sync(app, line).await;
    assert_snapshot!(imported, @"
    1 UNCHANGED ada
    2 REJECTED  [NOT_A_ROW]
    3 UNCHANGED bob
    deactivated: cy
    COMPLETED: 3 rows, 2 unchanged, 1 rejected, 1 deactivated
    ");
    imported.messages(2).join("\n")
}

async fn start(database: Database) -> App {
    let app = App::start(database).await;
    let people: String = ["ada", "bob", "cy"].map(row).concat();
    app.import(format!("{HEADER}\r\n{people}")).await;
    app
}

async fn an_end_mark_is_no_row(database: Database) {
    let app = start(database).await;
    for mark in [
        "\u{1A}",
        "\u{1A}\r\n",
        "\0\0\0",
        "\u{1A}\0\0\r\n\r\n",
        "\"\u{1A}\"",
    ] {
        let csv = format!("{HEADER}\r\n{}{}{mark}", row("ada"), row("bob"));
        let start = dry_run(deactivating_missing(start_of("pd")));
        let imported = app.import_with(start, csv).await;
        assert_snapshot!(imported, @"
        1 UNCHANGED ada
        2 UNCHANGED bob
        deactivated: cy
        COMPLETED: 2 rows, 2 unchanged, 1 deactivated
        ");
    }
    let imported = sync(&app, "\u{1A}").await;
    assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
}

async fn the_header_once_more_is_rejected_and_stops_no_sync(database: Database) {
    let app = start(database).await;
    for line in [
        HEADER.to_owned(),
        format!("\u{FEFF}{HEADER}"),
        HEADER.to_lowercase().replace('_', " "),
        format!("\"{}\"", HEADER.replace(',', "\", \"")),
        format!("{HEADER},,"),
    ] {
        assert_snapshot!(ignored(&app, &line).await, @"This line repeats the header, as in files that were joined; it is not a user. Delete the line; the other rows are read as usual.");
    }
}

async fn a_ruling_line_is_rejected_and_stops_no_sync(database: Database) {
    let app = start(database).await;
    for line in [
        "-----------,-----,------------,----------,---------,------,--------,----,----",
        "---,---,---,---,---,---,---,---,",
        "=====,=====,=====,=====,=====,=====,=====,=====,=====",
        "----------------------------------------",
        "+-------------+-------+--------------+",
        "\u{2500}\u{2500}\u{2500}\u{253C}\u{2500}\u{2500}\u{2500}",
        "----- ----- ----- -----",
        "-,--,---,-,-,-,-,-,-",
    ] {
        assert_snapshot!(ignored(&app, line).await, @"This is a line of dashes, which some tools \
            write below the header; it is not a user. Delete the line; the other rows are read as \
            usual.");
    }
}

async fn a_header_of_other_columns_refuses_the_file(database: Database) {
    let app = start(database).await;
    for header in [
        "EMAIL,EXTERNAL_ID,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,RANK",
        "EXTERNAL_ID,EMAIL,BADGE_NUMBER,LAST_NAME,FIRST_NAME,STATUS,USERNAME,ROLE,RANK",
        "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE",
        "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,RANK,PHONE",
    ] {
        let csv = format!("{HEADER}\r\n{}{header}\r\n{}", row("ada"), row("bob"));
        assert_snapshot!(app.refuse(start_of("pd"), csv).await, @r"
        InvalidArgument
        ANOTHER_HEADER line 3: Line 3 names the columns again, but other ones or in another order; import the rows below it as a file of their own.
        ");
    }
}

async fn totals_and_notes_are_named_and_stop_the_sync(database: Database) {
    let app = start(database).await;
    for (lines, said) in [
        (
            [
                "(3 rows affected)",
                "(1 row(s) affected)",
                "3 rows selected.",
            ],
            "The line has 1 of the header's 9 fields. It is the row count of a database tool, not a user; delete the line.",
        ),
        (
            ["Total: 3", "TOTAL RECORDS 3", "Grand total"],
            "The line has 1 of the header's 9 fields. It is a total, not a user; delete the line.",
        ),
        (
            ["End of report", "*** END OF FILE ***", "Page 1 of 2"],
            "The line has 1 of the header's 9 fields. It is the end of a report or a page, not a user; delete the line.",
        ),
        (
            ["Harbor Police Department", "# exported by CAD", "ada"],
            "The line has 1 of the header's 9 fields. If it is a title, a total or a note, delete the line; if it is a user, add what is missing.",
        ),
        (
            [
                "\"E-1,e@pd.example,7,Ann,\"\"Lee, Jr.\"\",Active,e,Officer,\"",
                "E-1;e@pd.example;7;Ann;Lee;Active;e;Officer;",
                "\"E-1,e@pd.example,7,Ann,Lee,Active,e,Officer\"",
            ],
            "The line has 1 of the header's 9 fields. It holds a whole row in one value, because it is quoted as a whole or has another delimiter than the header; write it as the header is written.",
        ),
        (
            ["Total,3,,", "\"Total\",\" 3\",\"\",\"\"", ",,Total:,3"],
            "The line has 4 of the header's 9 fields. It is a total, not a user; delete the line.",
        ),
    ] {
        for line in lines {
            let imported = sync(&app, line).await;
            assert_eq!(imported.messages(2), [said], "{line}");
            assert_eq!(
                imported.summary().refusals[0].code,
                "UNCERTAIN_ROWS",
                "{line}:\n{imported}"
            );
            assert!(
                imported.to_string().contains("2 REJECTED  [FIELD_COUNT]"),
                "{imported}"
            );
        }
    }
}

/// Such lines keep missing users active, like other lines with too few fields, because each may be part of a row.
async fn totals_padded_to_the_header_are_named_once_and_stop_the_sync(database: Database) {
    let app = start(database).await;
    for (lines, said) in [
        (
            [
                "(3 rows affected),,,,,,,,",
                "3 rows selected.,,,,,,,,",
                "\"3 row(s)\",,,,,,,,",
            ],
            "All but one or two cells of this line are blank. It is the row count of a database tool, not a user; delete the line.",
        ),
        (
            [
                "Total: 3,,,,,,,,",
                "Count,12,,,,,,,",
                ",,GRAND TOTAL,,,,,,\"1,203\"",
            ],
            "All but one or two cells of this line are blank. It is a total, not a user; delete the line.",
        ),
        (
            [
                "End of report,,,,,,,,",
                "Page 1 of 2,,,,,,,,",
                "*** END OF FILE ***,,,,,,,,2024-01-05",
            ],
            "All but one or two cells of this line are blank. It is the end of a report or a page, not a user; delete the line.",
        ),
    ] {
        for line in lines {
            let imported = sync(&app, line).await;
            assert_eq!(imported.messages(2), [said], "{line}");
            assert!(
                imported.to_string().contains("2 REJECTED  [NOT_A_ROW]"),
                "{imported}"
            );
            assert_eq!(imported.summary().refusals[0].code, "UNCERTAIN_ROWS");
            let csv = format!("{HEADER}\n{}{line}\n", row("ada"));
            let plain = app.import_with(dry_run(start_of("pd")), csv).await;
            assert_eq!(plain.code(), Code::Ok, "{plain}");
        }
    }
}

/// A row that only looks like a foreign line is still a row.
async fn people_with_odd_values_are_people(database: Database) {
    let app = start(database).await;
    for line in [
        "-,--,-,-,-,-,-,-,-",
        "EXTERNAL_ID,new@pd.example,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,RANK",
        "---,---,---,---,---,---,---,---,x",
        "Page,,,,,,,,",
        "ROW-17,,,,,,,,",
        "Total: 3,total@pd.example,,,,,,,",
    ] {
        let told = sync(&app, line).await.to_string();
        assert!(
            told.contains("2 REJECTED") && !told.contains("NOT_A_ROW"),
            "{told}"
        );
    }
    let imported = sync(
        &app,
        "STATUS,status@pd.example,-1-,EMAIL,ROLE,Active,rank,Officer,",
    )
    .await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

/// Kinds of files that are no rosters, as messages name them, with what each may contain.
const KINDS: [(&str, [&[u8]; 3]); 9] = [
    (
        "a web page (HTML)",
        [
            b"<!DOCTYPE html>\n<html><body>secret</body></html>",
            b"<table><tr><td>secret</td></tr></table>",
            b"\r\n <HTML>secret",
        ],
    ),
    (
        "asks to sign in",
        [
            b"<html><title>Sign in</title><form>secret</form>",
            b"<html><form><input type=\"password\"></form>secret",
            b"<!doctype html><title>Log in - secret</title>",
        ],
    ),
    (
        "XML",
        [
            b"<?xml version=\"1.0\"?>\n<users>secret</users>",
            b"<Users><User>secret</User></Users>",
            b"\xEF\xBB\xBF<secret/>",
        ],
    ),
    (
        "JSON",
        [
            b"{\"users\": [\"secret\"]}",
            b"[\n  {\"secret\": 1}\n]",
            b"[\"secret\"]",
        ],
    ),
    (
        "PDF",
        [b"%PDF-1.7\nsecret", b"%PDF-2.0 secret", b"%PDF-1.4"],
    ),
    (
        "gzip",
        [
            b"\x1F\x8B\x08\0secret",
            b"\x1F\x8B\x08\x08\0\0",
            b"\x1F\x8B\x08\0\"",
        ],
    ),
    (
        "ZIP archive",
        [
            b"PK\x03\x04\0\0secret.csv",
            b"PK\x05\x06\0\0",
            b"PK\x03\x04word/document.xml",
        ],
    ),
    (
        "Excel workbook",
        [
            b"PK\x03\x04\0[Content_Types].xml\0 xl/workbook.xml",
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1secret",
            b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        ],
    ),
    (
        "#TYPE",
        [
            b"#TYPE Selected.User\r\nsecret\r\n",
            b"\"#TYPE System.Object\"\r\n\"secret\"\r\n",
            b"\xEF\xBB\xBF#type secret\n",
        ],
    ),
];

async fn a_file_of_another_kind_is_named_and_not_quoted(database: Database) {
    let app = start(database).await;
    for (kind, files) in KINDS {
        for file in files {
            let told = app.refuse(start_of("pd"), file).await;
            let file = String::from_utf8_lossy(file);
            assert!(
                told.contains("NO_HEADER") && told.contains(kind),
                "{kind} {file}: {told}"
            );
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
