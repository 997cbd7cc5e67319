//! Strict quoting (semantics §2, CSV dialect): a quote in a wrong place rejects its row, and a file with such a quote
//! deactivates no user (§7).

use insta::assert_snapshot;
use tonic::Code;
use user_import::proto::{CsvFormat, ImportStart, RowOutcome, UserStatus};

use user_import_testing::{
    App, Database, ImportResponses, deactivating_missing, dry_run, on_both_databases, start_of,
};

on_both_databases![
    text_behind_a_closing_quote_rejects_the_row,
    a_backslash_before_a_quote_is_named,
    an_unpaired_quote_rejects_the_row_and_a_pair_is_ordinary,
    a_missing_closing_quote_swallows_rows_and_says_so,
    a_missing_closing_quote_deactivates_nobody,
    a_stray_quote_in_the_header_refuses_the_file_and_quotes_nobody,
    a_header_that_goes_on_with_a_row_is_refused,
    a_single_byte_deleted_or_doubled_harms_nobody_else,
];

const HEADER: &str = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,STATUS,USERNAME,ROLE,LAST_NAME";

/// A row with these first and last names, written exactly as given, with their quotes.
fn row(id: &str, first: &str, last: &str) -> String {
    format!("{id},{id}@pd.example,B-{id},{first},Active,{id},Officer,{last}\n")
}

fn deactivating() -> ImportStart {
    deactivating_missing(start_of("pd"))
}

fn ignoring_unknown(start: ImportStart) -> ImportStart {
    let csv = Some(CsvFormat {
        ignore_unknown_columns: true,
        ..CsvFormat::default()
    });
    ImportStart { csv, ..start }
}

/// Returns the messages about the first row. The row after it is valid and stands.
async fn messages(app: &App, first: &str, last: &str) -> String {
    let csv = format!(
        "{HEADER}\n{}{}",
        row("ada", first, last),
        row("bob", "Bob", "Ruiz")
    );
    let start = dry_run(start_of("pd"));
    let imported = app.import_with(start, csv).await;
    assert_eq!(imported.results.len(), 2, "{imported}");
    assert_eq!(imported.row(2).outcome(), RowOutcome::Created, "{imported}");
    match imported.row(1).outcome() {
        RowOutcome::Created => "CREATED".to_owned(),
        _ => code(&imported) + ": " + &imported.messages(1).join("\n"),
    }
}

/// Returns the code of the first row, which must have a single issue.
fn code(imported: &ImportResponses) -> String {
    let [issue] = &*imported.row(1).issues else {
        panic!("{imported}");
    };
    issue
        .code()
        .as_str_name()
        .trim_start_matches("ISSUE_CODE_")
        .to_owned()
}

async fn text_behind_a_closing_quote_rejects_the_row(database: Database) {
    let app = App::start(database).await;
    for (first, last) in [
        ("\"Dana \"Dee\"\"", "Whitlock"),
        ("\"Dana\" Dee", "\"Whitlock\""),
        ("\"Dana\"\u{A0}\"Dee\"", "Whitlock"),
        ("\"Dana \"Dee\" May\"", "\"Whitlock, Jr.\""),
        ("\"\"Dana\"", "Whitlock"),
        ("\"Dana,\"Active\"", "Whitlock"),
    ] {
        assert_snapshot!(messages(&app, first, last).await, @r#"STRAY_QUOTE: Text follows the closing quote of a value in FIRST_NAME; double each quote that belongs to a quoted value ("Dana ""Dee"""), and close the value right before the delimiter."#);
    }
    for (first, last) in [
        ("\"Dana \"\"Dee\"\"\"", "\"Whitlock, \"\"W\"\"\""),
        (" \"Dana\"", "\t\"Whitlock, Jr.\" "),
        ("\"Dana\" ", "\u{A0}\"Whitlock\"\u{A0}"),
        ("\"Dana\nDee\"", "Whitlock"),
    ] {
        assert_eq!(
            messages(&app, first, last).await,
            "CREATED",
            "{first},{last}"
        );
    }
}

async fn a_backslash_before_a_quote_is_named(database: Database) {
    let app = App::start(database).await;
    for (first, last) in [
        ("\"Dana \\\"Dee\\\"\"", "\"Whitlock\""),
        ("\"\\\"Dana\"", "\"Whitlock\""),
        ("\"Dana, \\\"Dee\\\"\"", "Whitlock"),
    ] {
        assert_snapshot!(messages(&app, first, last).await, @r#"STRAY_QUOTE: Text follows the closing quote of a value in FIRST_NAME, because a backslash does not protect a quote; double each quote that belongs to a quoted value: write "" in place of \"."#);
    }
    assert_eq!(messages(&app, "\"Dana\\\"", "Whitlock").await, "CREATED");
}

async fn an_unpaired_quote_rejects_the_row_and_a_pair_is_ordinary(database: Database) {
    let app = App::start(database).await;
    for (first, last) in [
        ("Dana\"", "Whitlock"),
        ("5\" Dana", "Whitlock"),
        ("Dana \"Dee\"\"", "\"Whitlock\""),
    ] {
        assert_snapshot!(messages(&app, first, last).await, @r"STRAY_QUOTE: A value without quotes around it has a single quote mark in it in FIRST_NAME; remove the quote mark, or put the whole value in quotes and double the quote mark inside it.");
    }
    let csv = format!("{HEADER}\n{}", row("ada", "Dana \"Dee\"", "=\"Whitlock\""));
    assert_eq!(app.import(csv).await.summary().created, 1);
    assert_eq!(app.user("ada").await.first_name, "Dana \"Dee\"");
}

async fn a_missing_closing_quote_swallows_rows_and_says_so(database: Database) {
    let app = App::start(database).await;
    let start = || ImportStart {
        validate_only: true,
        ..start_of("pd")
    };
    let quoted = |id: &str| row(id, "\"Ann\"", "\"Lee\"");
    let open = row("bob", "\"Bob\"", "\"Lee");
    let csv = [
        HEADER,
        "\n",
        &quoted("ada"),
        &open,
        &quoted("cy"),
        &quoted("dan"),
    ]
    .concat();
    let imported = app.import_with(start(), csv).await;
    assert_snapshot!(imported, @"
    1 CREATED ada
    2 REJECTED  [STRAY_QUOTE]
    3 CREATED dan
    COMPLETED: 3 rows, 2 created, 1 rejected
    ");
    assert_snapshot!(imported.messages(2).join("\n"), @"A quoted value in LAST_NAME is not closed on its line, so that 2 lines were read as one row; close the value where it ends. The rows on these lines were not read.");
    // The next quote closes the value, and the number of fields is right.
    let csv = [
        HEADER,
        "\n",
        &open,
        &row("cy", "Cy", "Lee"),
        &row("dan", "Dan", "\" "),
    ]
    .concat();
    let imported = app.import_with(start(), csv).await;
    assert_snapshot!(imported, @"
    1 REJECTED  [STRAY_QUOTE]
    COMPLETED: 1 rows, 1 rejected
    ");
    assert_eq!(imported.row(1).line, 2);
}

async fn a_missing_closing_quote_deactivates_nobody(database: Database) {
    let app = App::start(database).await;
    let people = |last: [&str; 4]| {
        let rows = ["ada", "bob", "cy", "dan"].into_iter().zip(last);
        HEADER.to_owned() + "\n" + &rows.map(|(id, last)| row(id, id, last)).collect::<String>()
    };
    app.import(people(["Lee", "Lee", "Lee", "Lee"])).await;
    for (damage, last) in [
        ("closing", ["Lee", "\"Lee", "Lee", "\"Lee\""]),
        ("opening", ["Lee", "Lee\"", "Lee", "Lee"]),
        ("doubled", ["Lee", "\"Lee\"\"", "\"Lee\"", "Lee"]),
        ("not doubled", ["Lee", "\"Lee \"L\"\"", "Lee", "Lee"]),
        ("escaped", ["Lee", "\"Lee \\\"L\\\"\"", "Lee", "Lee"]),
    ] {
        let imported = app.import_with(deactivating(), people(last)).await;
        assert_eq!(
            imported.code(),
            Code::FailedPrecondition,
            "{damage}:\n{imported}"
        );
        assert_eq!(
            imported.summary().refusals[0].code,
            "UNCERTAIN_ROWS",
            "{damage}"
        );
        assert!(
            imported.to_string().contains("STRAY_QUOTE"),
            "{damage}:\n{imported}"
        );
    }
    let unclosed = people(["Lee", "\"Lee", "Lee", "Lee"]);
    let imported = app.import_with(deactivating(), unclosed).await;
    assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
    for user in app.users().await {
        assert_eq!(user.status(), UserStatus::Active, "{user:?}");
    }
}

async fn a_stray_quote_in_the_header_refuses_the_file_and_quotes_nobody(database: Database) {
    let app = App::start(database).await;
    let names: Vec<_> = HEADER
        .split(',')
        .map(|name| format!("\"{name}\""))
        .collect();
    let quoted = |id: &str| {
        let row = row(id, "Ann", "Lee").replace(',', "\",\"");
        format!("\"{}\"\n", row.trim_end())
    };
    let header = format!("{},\"Notes\"\n", names.join(","));
    for (damage, header) in [
        ("last name not closed", header.replace("Notes\"", "Notes")),
        ("name not closed", header.replace("ROLE\"", "ROLE")),
        ("name closed twice", header.replace("ROLE\"", "ROLE\"\"")),
    ] {
        let csv = [&*header, &quoted("ada"), &quoted("bob")].concat();
        for start in [start_of("pd"), ignoring_unknown(deactivating())] {
            let told = app.refuse(start, csv.clone()).await;
            assert!(!told.contains("pd.example"), "{damage}: {told}");
            assert_snapshot!(told, @r"
            InvalidArgument
            STRAY_QUOTE line 1: The quotes of the header, on line 1, do not hold one name each; close each quoted name before the delimiter, and double a quote that belongs to a name.
            ");
        }
    }
}

async fn a_header_that_goes_on_with_a_row_is_refused(database: Database) {
    let app = App::start(database).await;
    let csv = format!(
        "{HEADER},Notes{}{}",
        row("ada", "Ann", "Lee"),
        row("bob", "Bob", "Lee")
    );
    for start in [start_of("pd"), ignoring_unknown(deactivating())] {
        assert_snapshot!(app.refuse(start, csv.clone()).await, @r"
        InvalidArgument
        HEADER_WITH_ROW line 1: The header, on line 1, holds an email address: a row seems to follow on the same line; begin the row on a line of its own.
        ");
    }
}

/// Tries every position of the damaged line. `src/plan/tests/one_byte.rs` tries whole files in many dialects.
async fn a_single_byte_deleted_or_doubled_harms_nobody_else(database: Database) {
    let app = App::start(database).await;
    let first =
        HEADER.to_owned() + "\r\n" + &row("ada", "\"Ada\"", "\"Lee, Jr.\"").replace('\n', "\r\n");
    let damaged = row("bob", "\"Bob\"", "\"Lee\"").replace('\n', "\r\n");
    let last = row("cy", "\"Cy \"\"C\"\"\"", "\"Lee\"");
    let sound = format!("{first}{damaged}{last}");
    assert_eq!(app.import(sound.clone()).await.summary().created, 3);
    for at in first.len()..first.len() + damaged.len() {
        for is_doubled in [false, true] {
            let mut file = sound.clone().into_bytes();
            match is_doubled {
                true => file.insert(at, file[at]),
                false => drop(file.remove(at)),
            }
            let start = ImportStart {
                validate_only: true,
                ..deactivating()
            };
            let imported = app.import_with(start, file).await;
            if imported.code() != Code::Ok {
                continue;
            }
            let gone = imported
                .deactivations
                .iter()
                .any(|user| user.external_id != "bob");
            let changed = imported.results.iter().any(|row| {
                row.outcome() == RowOutcome::Updated && ["ada", "cy"].contains(&&*row.external_id)
            });
            assert!(
                !gone && !changed,
                "at {at}, doubled {is_doubled}:\n{imported}"
            );
        }
    }
}
