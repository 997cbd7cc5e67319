//! Rows of an upload, which a client reads so that people can correct them.

use tonic::{Code, Status};
use user_import::{
    domain::{Column, Permission},
    proto::{
        CsvFormat, InspectRosterRequest, Mapping, NamedMapping, ReadRosterRowsRequest, RosterRow,
        SaveMappingRequest, UserRow, ValueMapping, WorkbookFormat, append_import_request::Content,
    },
};

use user_import_testing::{
    App, Database, deactivating_missing, dry_run, on_both_databases, roster, start_of, token,
    workbook::{xlsx, xlsx_rows},
};

on_both_databases![
    rows_are_read_as_an_import_would_judge_them,
    what_cannot_be_read_is_blank_and_what_cannot_be_divided_is_unset,
    a_mapping_applies_inline_or_by_its_name,
    rows_of_a_workbook_are_read_from_its_sheet,
    an_answer_has_as_many_rows_as_fit,
    no_rows_but_those_of_ones_own_file_are_read,
    the_first_rows_are_shown,
    a_summary_counts_the_users_who_become_inactive,
];

async fn upload(app: &App, content: Content) -> String {
    let (id, _) = app.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    app.append_to("pd", &id, 0, content).await.unwrap();
    id
}

fn csv(text: impl Into<Vec<u8>>) -> Content {
    Content::CsvChunk(text.into().into())
}

fn wanted(import_id: &str, rows: &[u32]) -> ReadRosterRowsRequest {
    ReadRosterRowsRequest {
        organization: "pd".to_owned(),
        import_id: import_id.to_owned(),
        rows: rows.to_vec(),
        ..ReadRosterRowsRequest::default()
    }
}

async fn read(app: &App, request: ReadRosterRowsRequest) -> Result<Vec<RosterRow>, Status> {
    let answer = app.imports().read_roster_rows(request).await?;
    Ok(answer.into_inner().rows)
}

/// The columns that a roster must have.
const HEADER: &str = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE";

/// A row with a value in each of those columns.
fn row_of(email: &str, first_name: &str) -> UserRow {
    let value = |text: &str| Some(text.to_owned());
    UserRow {
        email: value(email),
        badge_number: value("7"),
        first_name: value(first_name),
        last_name: value("Lee"),
        status: value("Active"),
        username: value(" u"),
        role: value(""),
        ..UserRow::default()
    }
}

async fn rows_are_read_as_an_import_would_judge_them(database: Database) {
    let app = App::start(database).await;
    let lines = "\u{feff}Email;badge number;first name;LAST_NAME;STATUS;USERNAME;ROLE\n\"a@pd.example\";7; Ann ;Lee;Active; u;\n\n\
        b@pd.example;7;\"Bo;b\";Lee;Active; u;\nnot an email;7;Cy;Lee;Active; u;";
    let id = upload(&app, csv(lines)).await;
    let rows = read(&app, wanted(&id, &[1, 2, 3])).await.unwrap();
    let expected = [
        (1, row_of("a@pd.example", " Ann ")),
        (2, row_of("b@pd.example", "Bo;b")),
        (3, row_of("not an email", "Cy")),
    ];
    let expected = expected.map(|(row, values)| RosterRow {
        row,
        values: Some(values),
    });
    assert_eq!(rows, expected);
    // Only the wanted rows are returned, and none that the file does not have.
    let some = read(&app, wanted(&id, &[2, 4, 9])).await.unwrap();
    assert_eq!(some, rows[1..2]);
}

async fn what_cannot_be_read_is_blank_and_what_cannot_be_divided_is_unset(database: Database) {
    let app = App::start(database).await;
    let mut file = format!("{HEADER}\na@pd.example,7,").into_bytes();
    file.push(0xff);
    file.extend(b",Lee,Active,u,\nb@pd.example,7,Bo,Lee,Active,u,,surplus\nc@pd.example,7,\"C\"y,Lee,Active,u,\n");
    let id = upload(&app, csv(file)).await;
    let rows = read(&app, wanted(&id, &[1, 2, 3])).await.unwrap();
    let first = rows[0].values.as_ref().unwrap();
    assert_eq!(first.first_name.as_deref(), Some(""));
    assert_eq!((&rows[1].values, &rows[2].values), (&None, &None));
}

async fn a_mapping_applies_inline_or_by_its_name(database: Database) {
    let app = App::start(database).await;
    let file = format!(
        "{}\na@pd.example,7,Ann,Lee,on leave,u,\n",
        HEADER.replace("EMAIL", "Mail").replace("STATUS", "State")
    );
    let id = upload(&app, csv(file)).await;
    let mapping = Mapping {
        columns: [("Mail", "EMAIL"), ("State", "STATUS")]
            .map(|(from, to)| (from.to_owned(), to.to_owned()))
            .into(),
        values: vec![ValueMapping {
            column: "STATUS".to_owned(),
            cell: "on leave".to_owned(),
            value: "Inactive".to_owned(),
        }],
        ..Mapping::default()
    };
    let saved = SaveMappingRequest {
        organization: "pd".to_owned(),
        mapping: Some(NamedMapping {
            name: "hr".to_owned(),
            mapping: Some(mapping.clone()),
            updated_at: None,
        }),
    };
    app.directory().save_mapping(saved).await.unwrap();
    let inline = ReadRosterRowsRequest {
        mapping: Some(mapping),
        ..wanted(&id, &[1])
    };
    let named = ReadRosterRowsRequest {
        mapping_name: "hr".to_owned(),
        ..wanted(&id, &[1])
    };
    for request in [inline.clone(), named] {
        let rows = read(&app, request).await.unwrap();
        let values = rows[0].values.as_ref().unwrap();
        assert_eq!(values.status.as_deref(), Some("Inactive"));
        assert_eq!(values.email.as_deref(), Some("a@pd.example"));
    }
    let both = ReadRosterRowsRequest {
        mapping_name: "hr".to_owned(),
        ..inline
    };
    let refused = read(&app, both).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    // Without the header the columns are unknown.
    let plain = read(&app, wanted(&id, &[1])).await.unwrap_err();
    assert_eq!(plain.code(), Code::InvalidArgument, "{plain}");
}

async fn rows_of_a_workbook_are_read_from_its_sheet(database: Database) {
    let app = App::start(database).await;
    let of = |name: &str| {
        let row = format!("x@pd.example,7,{name},Lee,Active,u,Officer");
        xlsx_rows(
            [HEADER, &*row].map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>()),
        )
    };
    let book = xlsx(&[("One", of("First")), ("Two", of("Second"))]).zip();
    let id = upload(&app, Content::WorkbookChunk(book.into())).await;
    for (sheet, first_name) in [("", "First"), ("Two", "Second")] {
        let request = ReadRosterRowsRequest {
            workbook: Some(WorkbookFormat {
                sheet: sheet.to_owned(),
            }),
            ..wanted(&id, &[1])
        };
        let rows = read(&app, request).await.unwrap();
        let values = rows[0].values.as_ref().unwrap();
        assert_eq!(values.first_name.as_deref(), Some(first_name));
    }
}

async fn an_answer_has_as_many_rows_as_fit(database: Database) {
    let app = App::start(database).await;
    let long = "x".repeat(4_000);
    let line = format!("{long},{long},{long},,,,\n");
    let id = upload(&app, csv(format!("{HEADER}\n{}", line.repeat(200)))).await;
    let mut asked: Vec<u32> = (1..=200).collect();
    let mut answers = 0;
    while !asked.is_empty() {
        let rows = read(&app, wanted(&id, &asked)).await.unwrap();
        let numbers: Vec<u32> = rows.iter().map(|row| row.row).collect();
        assert_eq!(
            numbers,
            asked[..numbers.len()],
            "in order, and at least one"
        );
        asked.drain(..numbers.len());
        answers += 1;
    }
    assert!((2..=5).contains(&answers), "{answers} answers for 2.4 MB");
}

async fn no_rows_but_those_of_ones_own_file_are_read(database: Database) {
    let app = App::start(database).await;
    app.organization("other").await;
    let mine = app.holding(token("pd", [Permission::UsersImport])).await;
    let others = app.holding(token("pd", [Permission::UsersImport])).await;
    let elsewhere = app.holding(token("other", [Permission::UsersImport])).await;
    let reader = app.holding(token("pd", [Permission::UsersRead])).await;
    let id = upload(&mine, csv(format!("{HEADER}\na@pd.example,,,,,,\n"))).await;
    assert_eq!(read(&mine, wanted(&id, &[1])).await.unwrap().len(), 1);
    for app in [&others, &elsewhere, &reader] {
        let refused = read(app, wanted(&id, &[1])).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    }
    let too_many: Vec<u32> = (1..=1_001).collect();
    for rows in [&[][..], &[2, 1], &[1, 1], &too_many] {
        let refused = read(&mine, wanted(&id, rows)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{rows:?}");
    }
    let charset = ReadRosterRowsRequest {
        csv: Some(CsvFormat {
            charset: "klingon".to_owned(),
            ..CsvFormat::default()
        }),
        ..wanted(&id, &[1])
    };
    let refused = read(&mine, charset).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    let (typed, _) = mine.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    let rows = roster().row("ada", []).typed();
    mine.append_rows(&typed, 0, &rows).await.unwrap();
    let refused = read(&mine, wanted(&typed, &[1])).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
}

async fn the_first_rows_are_shown(database: Database) {
    let app = App::start(database).await;
    let long = "y".repeat(101);
    let lines = (1..=6).map(|row| format!("{row}@pd.example,{long}"));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let request = InspectRosterRequest {
        organization: "pd".to_owned(),
        content: format!("a title\n\nMail,Name\n{lines}").into_bytes(),
        ..InspectRosterRequest::default()
    };
    let answer = app.imports().inspect_roster(request).await.unwrap();
    let first = answer.into_inner().first_rows;
    assert_eq!(first.len(), 5);
    assert_eq!(first[4].cells, ["5@pd.example", &long[..100]]);
}

async fn a_summary_counts_the_users_who_become_inactive(database: Database) {
    let app = App::start(database).await;
    app.import(roster().people(["ada", "bob", "cy"]).csv())
        .await;
    let leaving = roster()
        .row("ada", [(Column::Status, "Inactive")])
        .row("bob", []);
    let start = dry_run(deactivating_missing(start_of("pd")));
    let preview = app.import_with(start, leaving.csv()).await;
    assert_eq!(preview.summary().deactivated, 1, "{preview}");
    assert_eq!(preview.summary().going_inactive, 2, "{preview}");
    let import = app
        .import_with(deactivating_missing(start_of("pd")), leaving.csv())
        .await;
    let id = &import.summary().import_id;
    assert_eq!(app.import_record(id).await.unwrap().going_inactive, 2);
}
