//! Workbooks, `.xlsx` and `.ods`, are read like the CSV file of the same cells (semantics §10).

use proptest::collection::vec;
use proptest::prelude::*;
use rust_xlsxwriter::Workbook;
use tonic::Code;
use user_import::{
    config::Settings,
    input::{InputLimits, WorkbookLimits},
    proto::{
        CsvFormat, ImportFinish, ImportStart, IssueCode, Mapping, RowOutcome, RowResult,
        WorkbookFormat, append_import_request::Content, import_users_request::Message,
    },
};

use user_import_testing::{
    App, Database, ImportResponses, for_all, on_both_databases, roster, start_of,
    workbook::{ods, ods_rows, shared_strings, xlsx, xlsx_rows},
};

on_both_databases![
    a_workbook_gives_the_results_of_its_csv,
    any_cells_give_the_results_of_their_csv,
    any_split_into_chunks_or_parts_gives_the_same_results,
    numbers_days_and_errors_are_read_as_they_would_be_written,
    a_row_has_the_number_of_the_sheets_row,
    the_named_sheet_is_read_and_reported,
    a_workbook_is_mapped_as_a_csv_file_is,
    two_kinds_of_input_are_refused,
    a_sheet_of_no_workbook_is_refused,
    csv_sent_as_a_workbook_and_a_workbook_sent_as_csv_say_what_to_do,
    a_workbook_that_cannot_be_read_is_refused_and_nothing_is_written,
    what_finish_states_is_compared_with_the_workbook,
    the_limits_of_workbooks_hold,
    the_sheet_is_one_of_the_options_that_an_id_is_bound_to,
    an_export_that_was_saved_as_a_workbook_imports_unchanged,
];

const HEADER: [&str; 8] = [
    "EXTERNAL_ID",
    "EMAIL",
    "BADGE_NUMBER",
    "FIRST_NAME",
    "LAST_NAME",
    "STATUS",
    "USERNAME",
    "ROLE",
];

type Table = Vec<Vec<String>>;

/// The cells of a CSV file.
fn table(csv: impl AsRef<[u8]>) -> Table {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(csv.as_ref());
    let records = reader.records().map(|record| record.unwrap());
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

/// Returns these cells as a spreadsheet program writes them: as `.xlsx`, `.ods` and CSV.
fn written(rows: &Table) -> ([Vec<u8>; 2], Vec<u8>) {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let mut csv = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    for (line, row) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(row) {
            sheet.write_string(line, column, cell).unwrap();
        }
        let mut row = row.clone();
        row.resize(width, String::new());
        csv.write_record(&row).unwrap();
    }
    let workbooks = [
        workbook.save_to_buffer().unwrap(),
        ods(&[("Roster", ods_rows(rows))]).zip(),
    ];
    (workbooks, csv.into_inner().unwrap())
}

/// Starts an import whose generated external IDs are the same each time.
fn numbered() -> ImportStart {
    ImportStart {
        import_id: "018f4e9e-5c7b-7000-8000-000000000001".to_owned(),
        include_values: true,
        validate_only: true,
        ..start_of("pd")
    }
}

/// Returns the answers of an import about its rows and users.
fn comparable(imported: &ImportResponses) -> String {
    let without_ids = |result: &RowResult| RowResult {
        user_id: String::new(),
        ..result.clone()
    };
    let results: Vec<_> = imported.results.iter().map(without_ids).collect();
    let summary = imported.summary.as_ref().map(|summary| {
        let counts = (
            summary.rows,
            summary.created,
            summary.updated,
            summary.rejected,
        );
        (
            counts,
            &summary.plan_digest,
            &summary.refusals,
            &summary.warnings,
        )
    });
    format!("{results:#?} {summary:#?}")
}

async fn a_workbook_gives_the_results_of_its_csv(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let people = roster().people(["ada", "cy"]).row("dee", []).csv();
    let mut rows = table(&people);
    rows.push(vec!["---".to_owned(); 3]);
    rows.push(Vec::new());
    rows.push(rows[0].clone());
    rows.push(vec!["x".to_owned(), "not an email".to_owned()]);
    let (workbooks, csv) = written(&rows);
    let of_csv = app.import_with(numbered(), csv.clone()).await;
    assert_eq!(of_csv.summary().created, 2, "{of_csv}");
    for workbook in &workbooks {
        let of_workbook = app.import_workbook(numbered(), workbook.clone()).await;
        assert_eq!(comparable(&of_workbook), comparable(&of_csv));
        let in_parts = app
            .import_workbook_in_parts(numbered(), workbook, [700])
            .await;
        assert_eq!(comparable(&in_parts), comparable(&of_csv));
    }
    let applied = app
        .import_workbook(start_of("pd"), workbooks[0].clone())
        .await;
    assert_eq!(applied.summary().created, 2, "{applied}");
    let again = app.import(csv).await;
    assert_eq!(again.summary().unchanged, 3, "{again}");
}

/// Texts that a spreadsheet, XML or CSV could misread.
fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-c\"',;=é&<>_ .0-9-]{0,8}",
        prop::sample::select(vec![
            "Active",
            "inactive",
            "Officer",
            "0042",
            "=\"7\"",
            "#N/A",
            "NULL",
            "TRUE",
            "2024-01-05",
            "1.5E+10",
            "'0101",
            "_x000D_",
            "a@pd.example",
            "b@pd.example",
            "Total: 3",
            "\u{A0}",
            "---",
        ])
        .prop_map(str::to_owned),
    ]
}

async fn any_cells_give_the_results_of_their_csv(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let rows = vec(vec(any_cell(), 0..=8), 0..8);
    for_all(24, rows, async |rows| {
        let header = HEADER.map(str::to_owned).to_vec();
        let rows: Table = [header].into_iter().chain(rows).collect();
        let (workbooks, csv) = written(&rows);
        let of_csv = app.import_with(numbered(), csv).await;
        for workbook in workbooks {
            let of_workbook = app.import_workbook(numbered(), workbook).await;
            assert_eq!(of_workbook.code(), of_csv.code(), "{of_workbook}");
            assert_eq!(comparable(&of_workbook), comparable(&of_csv));
        }
    });
}

async fn any_split_into_chunks_or_parts_gives_the_same_results(database: Database) {
    let app = App::start(database).await;
    let (workbooks, _) = written(&table(roster().people(["ada", "bob"]).csv()));
    for workbook in workbooks {
        let whole = app.import_workbook(numbered(), workbook.clone()).await;
        assert_eq!(whole.summary().created, 2, "{whole}");
        let chunks = workbook.chunks(97);
        let messages = [Message::Start(numbered())]
            .into_iter()
            .chain(chunks.map(|chunk| Message::WorkbookChunk(chunk.to_vec().into())))
            .chain([Message::Finish(ImportFinish::default())]);
        let split = app.send(messages).await;
        assert_eq!(comparable(&split), comparable(&whole));
        let parts = app
            .import_workbook_in_parts(numbered(), &workbook, [1, 300, 7])
            .await;
        assert_eq!(comparable(&parts), comparable(&whole));
    }
}

async fn numbers_days_and_errors_are_read_as_they_would_be_written(database: Database) {
    let app = App::start(database).await;
    let header = [
        "EMAIL",
        "BADGE_NUMBER",
        "FIRST_NAME",
        "LAST_NAME",
        "STATUS",
        "USERNAME",
        "ROLE",
        "PHONE",
    ];
    let text = |column: &str, text: &str| {
        format!("<c r=\"{column}2\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
    };
    let row = format!(
        "<row r=\"2\">{}<c r=\"B2\" s=\"3\"><v>429</v></c>{}<c r=\"D2\" s=\"1\"><v>45296</v></c>{}{}{}<c r=\"H2\"><v>1.5551234567E10</v></c></row>\
         <row r=\"3\">{}<c r=\"B3\" t=\"e\"><v>#N/A</v></c></row>",
        text("A", "ann@pd.example"),
        text("C", "Ann"),
        text("E", "Active"),
        text("F", "ann"),
        text("G", "Officer"),
        text("A", "bea@pd.example").replace("A2", "A3"),
    );
    let sheet = xlsx_rows([header]) + &row;
    let imported = app
        .import_workbook(start_of("pd"), xlsx(&[("S", sheet)]).zip())
        .await;
    let users = app.users().await;
    assert_eq!(users.len(), 1, "{imported}");
    assert_eq!(users[0].badge_number, "0429");
    assert_eq!(users[0].last_name, "2024-01-05");
    assert_eq!(users[0].phone, "+15551234567");
    let issues = &imported.row(2).issues;
    let quoted = issues
        .iter()
        .any(|issue| issue.code() == IssueCode::PlaceholderValue && issue.value == "#N/A");
    assert!(quoted, "{imported}");
}

async fn a_row_has_the_number_of_the_sheets_row(database: Database) {
    let app = App::start(database).await;
    let mut rows = table(roster().people(["ada", "bob"]).csv());
    rows.insert(2, Vec::new());
    rows.insert(0, vec!["Harbor PD".to_owned()]);
    rows.insert(1, Vec::new());
    let (workbooks, _) = written(&rows);
    for workbook in workbooks {
        let imported = app.import_workbook(numbered(), workbook).await;
        let lines = [1, 2].map(|row| imported.row(row).line);
        assert_eq!(lines, [4, 6], "{imported}");
    }
}

async fn the_named_sheet_is_read_and_reported(database: Database) {
    let app = App::start(database).await;
    let sheet = |name: &str| table(roster().people([name]).csv());
    let sheets = [
        ("Night", xlsx_rows(sheet("ada"))),
        ("Day", xlsx_rows(sheet("bob"))),
    ];
    let workbook = xlsx(&sheets).zip();
    let of = |sheet: &str| ImportStart {
        workbook: Some(WorkbookFormat {
            sheet: sheet.to_owned(),
        }),
        ..numbered()
    };
    for (asked, read, email) in [("", "Night", "ada"), ("DAY", "Day", "bob")] {
        let imported = app.import_workbook(of(asked), workbook.clone()).await;
        let started = &imported.started[0];
        assert_eq!(started.sheet, read, "{imported}");
        assert_eq!((&*started.charset, &*started.delimiter), ("", ""));
        assert!(started.columns.contains(&"EMAIL".to_owned()));
        let created = format!("{:?}", imported.row(1).changes);
        assert!(created.contains(email), "{created}");
    }
    let refused = app.import_workbook(of("Evening"), workbook).await;
    let told = refused.refusal();
    assert!(told.starts_with("InvalidArgument"), "{told}");
    assert!(
        told.contains("no sheet \"Evening\"; it has \"Night\", \"Day\"."),
        "{told}"
    );
}

async fn a_workbook_is_mapped_as_a_csv_file_is(database: Database) {
    let app = App::start(database).await;
    let rows: Table = [
        "All units",
        "No,Mail,Shield,Member,Duty,Login,Function,Shirt",
        "# on leave",
        "1,ann@pd.example,0042,\"Lee, Ann\",A,alee,Officer,M",
        "2,bo@pd.example,0043,\"Ray, Bo\",A,bray,Oficer,L",
        "Total: 2",
    ]
    .iter()
    .flat_map(table)
    .collect();
    let pair = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
    let columns = [
        ("No", "EXTERNAL_ID"),
        ("Mail", "EMAIL"),
        ("Shield", "BADGE_NUMBER"),
        ("Duty", "STATUS"),
        ("Login", "USERNAME"),
        ("Function", "ROLE"),
    ];
    let templates = [
        (
            "FIRST_NAME",
            "{{ row[\"Member\"] | split(\",\") | last | trim }}",
        ),
        ("LAST_NAME", "{{ row[\"Member\"] | split(\",\") | first }}"),
    ];
    let start = ImportStart {
        csv: Some(CsvFormat {
            ignore_unknown_columns: true,
            ..CsvFormat::default()
        }),
        mapping: Some(Mapping {
            columns: columns.map(pair).into(),
            templates: templates.map(pair).into(),
            values: vec![user_import::proto::ValueMapping {
                column: "STATUS".to_owned(),
                cell: "a".to_owned(),
                value: "Active".to_owned(),
            }],
            skip_leading_lines: 1,
            ignored_line_prefixes: vec!["#".to_owned(), "Total:".to_owned()],
            ..Mapping::default()
        }),
        ..numbered()
    };
    let (workbooks, csv) = written(&rows);
    let of_csv = app.import_with(start.clone(), csv).await;
    assert_eq!(of_csv.summary().created, 1, "{of_csv}");
    for workbook in workbooks {
        let of_workbook = app.import_workbook(start.clone(), workbook).await;
        assert_eq!(comparable(&of_workbook), comparable(&of_csv));
        let issue = &of_workbook.row(2).issues[0];
        assert_eq!(issue.file_column, "Function");
    }
}

async fn two_kinds_of_input_are_refused(database: Database) {
    let app = App::start(database).await;
    let people = roster().people(["ada"]);
    let (workbooks, csv) = written(&table(people.csv()));
    let workbook = || Message::WorkbookChunk(workbooks[0].clone().into());
    let csv = || Message::CsvChunk(csv.clone().into());
    let rows = || {
        Message::Rows(user_import::proto::UserRows {
            rows: people.typed(),
        })
    };
    for pair in [
        [workbook(), csv()],
        [csv(), workbook()],
        [workbook(), rows()],
        [rows(), workbook()],
    ] {
        let messages = [Message::Start(start_of("pd"))].into_iter().chain(pair);
        let refused = app.send(messages).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(refused.refusal().contains("BOTH_KINDS"), "{refused}");
    }
    let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    let part = |content| app.append_to("pd", &id, 0, content);
    let content = Content::WorkbookChunk(workbooks[0].clone().into());
    assert_eq!(
        part(content.clone()).await.unwrap(),
        workbooks[0].len() as u64
    );
    assert_eq!(part(content).await.unwrap(), workbooks[0].len() as u64);
    let other = Content::CsvChunk("EMAIL\n".into());
    let refused = app
        .append_to("pd", &id, workbooks[0].len() as u64, other)
        .await
        .unwrap_err();
    assert!(refused.message().contains("workbook_chunk"), "{refused}");
    assert!(app.users().await.is_empty());
}

async fn a_sheet_of_no_workbook_is_refused(database: Database) {
    let app = App::start(database).await;
    let start = || ImportStart {
        workbook: Some(WorkbookFormat {
            sheet: "Roster".to_owned(),
        }),
        ..start_of("pd")
    };
    let people = roster().people(["ada"]);
    let told = app.refuse(start(), people.csv()).await;
    assert!(told.contains("SHEET_OF_NO_WORKBOOK"), "{told}");
    let told = app.import_rows_with(start(), people.typed()).await;
    assert!(told.refusal().contains("SHEET_OF_NO_WORKBOOK"), "{told}");
}

async fn csv_sent_as_a_workbook_and_a_workbook_sent_as_csv_say_what_to_do(database: Database) {
    let app = App::start(database).await;
    let (workbooks, csv) = written(&table(roster().people(["ada"]).csv()));
    for workbook in workbooks {
        let told = app.refuse(start_of("pd"), workbook).await;
        assert!(told.contains("NO_HEADER"), "{told}");
        assert!(
            told.contains("the workbook itself can be imported"),
            "{told}"
        );
    }
    let told = app.refuse_workbook(start_of("pd"), csv).await;
    assert!(
        told.contains("NOT_A_WORKBOOK") && told.contains("send it as CSV, in csv_chunk"),
        "{told}"
    );
}

async fn a_workbook_that_cannot_be_read_is_refused_and_nothing_is_written(database: Database) {
    let app = App::start(database).await;
    let rows = || xlsx_rows(table(roster().people(["ada"]).csv()));
    let sound = xlsx(&[("Roster", rows())]);
    let mut locked: Vec<u8> = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    locked.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    let mut old = locked[..8].to_vec();
    old.extend("Workbook".encode_utf16().flat_map(u16::to_le_bytes));
    let cut = sound.zip();
    let macros = sound.clone().with(
        "xl/_rels/workbook.xml.rels",
        "<R><Relationship Id=\"rId1\" Type=\"x/xlMacrosheet\" Target=\"macrosheets/sheet1.xml\"/></R>",
    );
    for (workbook, code, advice) in [
        (locked, "WORKBOOK_PROTECTED", "without"),
        (old, "WORKBOOK_FORMAT", "save it as .xlsx or .ods"),
        (
            cut[..cut.len() / 2].to_vec(),
            "WORKBOOK_BROKEN",
            "save it again",
        ),
        (macros.zip(), "NO_SHEET", "only macros"),
        (
            xlsx(&[("Notes", xlsx_rows([["Read me"]])), ("Roster", rows())]).zip(),
            "NO_HEADER",
            "name that: \"Roster\"",
        ),
        (
            sound
                .clone()
                .with("xl/worksheets/sheet1.xml", "<worksheet><sheetData>")
                .zip(),
            "WORKBOOK_BROKEN",
            "save it again",
        ),
        (Vec::new(), "NOT_A_WORKBOOK", "the file is empty"),
    ] {
        let told = app.refuse_workbook(start_of("pd"), workbook).await;
        assert!(
            told.starts_with("InvalidArgument") && told.contains(code) && told.contains(advice),
            "{code}: {told}"
        );
    }
}

async fn what_finish_states_is_compared_with_the_workbook(database: Database) {
    let app = App::start(database).await;
    let (workbooks, _) = written(&table(roster().people(["ada"]).csv()));
    let send = async |finish: ImportFinish| {
        let chunk = Message::WorkbookChunk(workbooks[0].clone().into());
        app.send([Message::Start(numbered()), chunk, Message::Finish(finish)])
            .await
    };
    for (finish, code) in [
        (
            ImportFinish {
                row_count: Some(2),
                ..ImportFinish::default()
            },
            "ROW_COUNT_DIFFERS",
        ),
        (
            ImportFinish {
                byte_count: Some(1),
                ..ImportFinish::default()
            },
            "BYTE_COUNT_DIFFERS",
        ),
        (
            ImportFinish {
                sha256: Some(vec![7; 32]),
                ..ImportFinish::default()
            },
            "SHA256_DIFFERS",
        ),
    ] {
        let told = send(finish).await.refusal();
        assert!(
            told.starts_with("FailedPrecondition") && told.contains(code),
            "{told}"
        );
    }
    let whole = ImportFinish {
        row_count: Some(1),
        byte_count: Some(workbooks[0].len() as u64),
        ..ImportFinish::default()
    };
    let imported = send(whole).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn the_limits_of_workbooks_hold(database: Database) {
    let names: Vec<String> = (0..3).map(|number| format!("u{number}")).collect();
    let rows = table(roster().people(names.iter().map(String::as_str)).csv());
    let (workbooks, csv) = written(&rows);
    let largest = workbooks.iter().map(Vec::len).max().unwrap() as u64;
    let settings = |max_rows, max_bytes| Settings {
        limits: InputLimits {
            workbook: WorkbookLimits {
                max_rows,
                max_bytes,
                ..WorkbookLimits::default()
            },
            ..InputLimits::default()
        },
        ..Settings::default()
    };
    let app = App::start_with(database, settings(2, largest)).await;
    for workbook in &workbooks {
        let told = app.refuse_workbook(start_of("pd"), workbook.clone()).await;
        assert!(
            told.starts_with("ResourceExhausted") && told.contains("TOO_MANY_ROWS"),
            "{told}"
        );
    }
    // A CSV file may have more rows than a sheet may.
    let of_csv = app.import_with(numbered(), csv).await;
    assert_eq!(of_csv.summary().created, 3, "{of_csv}");

    let app = App::start_with(database, settings(3, largest)).await;
    for workbook in &workbooks {
        let imported = app.import_workbook(numbered(), workbook.clone()).await;
        assert_eq!(imported.summary().created, 3, "{imported}");
    }
    let app = App::start_with(database, settings(3, 1_000)).await;
    let told = app
        .refuse_workbook(start_of("pd"), workbooks[0].clone())
        .await;
    assert!(
        told.starts_with("ResourceExhausted") && told.contains("TOO_MANY_BYTES"),
        "{told}"
    );
    let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    let part = Content::WorkbookChunk(workbooks[0].clone().into());
    let refused = app.append_to("pd", &id, 0, part).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");

    let blanks = format!("{}<row><c s=\"1\"/></row>", " ".repeat(400_000)).repeat(50);
    let bomb = xlsx(&[("Roster", xlsx_rows(&rows) + &blanks)])
        .with("xl/sharedStrings.xml", shared_strings(&["x"]))
        .zip();
    let app = App::start_with(database, Settings::default()).await;
    let imported = app.refuse_workbook(start_of("pd"), bomb).await;
    assert!(
        imported.starts_with("ResourceExhausted") && imported.contains("COMPRESSED_TOO_MUCH"),
        "{imported}"
    );
}

async fn the_sheet_is_one_of_the_options_that_an_id_is_bound_to(database: Database) {
    let app = App::start(database).await;
    let sheet = |name: &str| xlsx_rows(table(roster().people([name]).csv()));
    let workbook = xlsx(&[("Night", sheet("ada")), ("Day", sheet("bob"))]).zip();
    let of = |sheet: Option<&str>| ImportStart {
        workbook: sheet.map(|sheet| WorkbookFormat {
            sheet: sheet.to_owned(),
        }),
        validate_only: false,
        ..numbered()
    };
    let first = app.import_workbook(of(None), workbook.clone()).await;
    assert_eq!(first.summary().created, 1, "{first}");
    // An empty name of a sheet counts as absent, so this is the same import.
    let again = app.import_workbook(of(Some("")), workbook.clone()).await;
    assert_eq!(again.row(1).outcome(), RowOutcome::Created, "{again}");
    let other = app.import_workbook(of(Some("Day")), workbook).await;
    assert_eq!(other.code(), Code::AlreadyExists, "{other}");
    assert_eq!(app.users().await.len(), 1);
}

async fn an_export_that_was_saved_as_a_workbook_imports_unchanged(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let (workbooks, _) = written(&table(app.export().await));
    for workbook in workbooks {
        let imported = app.import_workbook(start_of("pd"), workbook).await;
        assert_eq!(imported.summary().unchanged, 3, "{imported}");
    }
}
