//! The header (semantics §2, Header): columns in any order and spelling are found, and all faults are reported at once.

use insta::assert_snapshot;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use user_import::{
    domain::Column::Rank,
    proto::{
        CsvFormat, ImportFinish, ImportStart, ImportUsersRequest, import_users_request::Message,
        import_users_response::Message as Reply,
    },
};

use user_import_testing::{App, Database, ImportResponses, on_both_databases, roster, start_of};

on_both_databases![
    names_match_in_any_order_case_and_spacing,
    all_faults_of_a_header_are_reported_together,
    a_nearby_name_is_suggested,
    a_file_without_a_header_is_refused_and_not_quoted,
    unknown_columns_can_be_ignored_and_are_then_reported,
    missing_and_doubled_columns_refuse_even_where_unknown_ones_are_ignored,
    columns_of_our_error_report_are_always_ignored,
    all_of_many_unknown_columns_are_in_the_summary_and_as_many_as_fit_in_the_status,
    the_header_is_answered_before_the_rows_have_come,
];

const ROW: &str = "ada@pd.example,B-ada,Ada,Byron,Active,ada,Officer";

fn ignoring_unknown() -> ImportStart {
    ImportStart {
        csv: Some(CsvFormat {
            ignore_unknown_columns: true,
            ..CsvFormat::default()
        }),
        ..start_of("pd")
    }
}

async fn refuse(app: &App, csv: impl Into<Vec<u8>>) -> String {
    app.refuse(start_of("pd"), csv).await
}

async fn names_match_in_any_order_case_and_spacing(database: Database) {
    let app = App::start(database).await;
    let csv = "\u{FEFF} role ;First-Name;LAST\u{A0}NAME;\u{200B}e\u{6D}ail;Status;\"badge\nnumber\";Username;rank;External ID\n\
               Officer;Ada;Byron;ada@pd.example;Active;00421;ada;captain;ada\n";
    let imported = app.import(csv).await;
    assert_snapshot!(imported, @r"
    1 CREATED ada
    COMPLETED: 1 rows, 1 created
    ");
    let started = &imported.started[0];
    assert_snapshot!(started.columns.join(" "), @r"ROLE FIRST_NAME LAST_NAME EMAIL STATUS BADGE_NUMBER USERNAME RANK EXTERNAL_ID");
    assert!(started.ignored_columns.is_empty());
    let ada = app.user("ada").await;
    assert_eq!((&*ada.badge_number, &*ada.rank), ("00421", "Captain"));
}

async fn all_faults_of_a_header_are_reported_together(database: Database) {
    let app = App::start(database).await;
    let header = "EMIAL,BADGE_NUMBER,,first name,LAST_NAME,STATUS,Status,USERNAME,Shift";
    assert_snapshot!(refuse(&app, format!("{header}\n{ROW},,\n")).await, @r#"
    InvalidArgument
    MISSING_COLUMN EMAIL: Column EMAIL is missing from the header; add it.
    DUPLICATE_COLUMN STATUS: Column STATUS is in the header 2 times; keep one.
    MISSING_COLUMN ROLE: Column ROLE is missing from the header; add it.
    UNKNOWN_COLUMN EMIAL: Unknown column "EMIAL": did you mean EMAIL?
    UNKNOWN_COLUMN column 3: Header cell 3 is empty; name the column, or remove it.
    UNKNOWN_COLUMN Shift: Unknown column "Shift"; remove it, or set ignore_unknown_columns.
    "#);
}

async fn a_nearby_name_is_suggested(database: Database) {
    let app = App::start(database).await;
    let header = "E-Mail,Badge No.,FirstName,Last_Nam,STATUS,User Name,Role Name,Supervisor,Evidence Group,Mobile";
    assert_snapshot!(refuse(&app, format!("{header}\n{ROW},,,\n")).await, @r#"
    InvalidArgument
    MISSING_COLUMN EMAIL: Column EMAIL is missing from the header; add it.
    MISSING_COLUMN BADGE_NUMBER: Column BADGE_NUMBER is missing from the header; add it.
    MISSING_COLUMN FIRST_NAME: Column FIRST_NAME is missing from the header; add it.
    MISSING_COLUMN LAST_NAME: Column LAST_NAME is missing from the header; add it.
    MISSING_COLUMN USERNAME: Column USERNAME is missing from the header; add it.
    MISSING_COLUMN ROLE: Column ROLE is missing from the header; add it.
    UNKNOWN_COLUMN E-Mail: Unknown column "E-Mail": did you mean EMAIL?
    UNKNOWN_COLUMN Badge No.: Unknown column "Badge No.": did you mean BADGE_NUMBER?
    UNKNOWN_COLUMN FirstName: Unknown column "FirstName": did you mean FIRST_NAME?
    UNKNOWN_COLUMN Last_Nam: Unknown column "Last_Nam": did you mean LAST_NAME?
    UNKNOWN_COLUMN User Name: Unknown column "User Name": did you mean USERNAME?
    UNKNOWN_COLUMN Role Name: Unknown column "Role Name": did you mean ROLE?
    UNKNOWN_COLUMN Supervisor: Unknown column "Supervisor": did you mean SUPERVISOR_EMAIL?
    UNKNOWN_COLUMN Evidence Group: Unknown column "Evidence Group": did you mean EVIDENCE_GROUP_EXT_ID?
    UNKNOWN_COLUMN Mobile: Unknown column "Mobile"; remove it, or set ignore_unknown_columns.
    "#);
}

async fn a_file_without_a_header_is_refused_and_not_quoted(database: Database) {
    let app = App::start(database).await;
    for (input, csv) in [
        ("a row", format!("{ROW}\n{ROW}\n").into_bytes()),
        (
            "one long cell",
            b"Personnel of the Example Police Department\n".to_vec(),
        ),
        ("only our report's columns", b"IMPORT_ERRORS\nx\n".to_vec()),
    ] {
        let told = refuse(&app, csv).await;
        assert!(
            !told.contains("pd.example") && !told.contains("Personnel"),
            "{input}: {told}"
        );
        assert_snapshot!(told, @r"
        InvalidArgument
        NO_HEADER: No header found: the first line must name the columns, such as EMAIL, BADGE_NUMBER and STATUS.
        ");
    }
    assert_snapshot!(refuse(&app, "\r\n \n,,\n").await, @r"
    InvalidArgument
    NO_HEADER: No header found: the file is empty.
    ");
    assert_snapshot!(refuse(&app, b"PK\x03\x04\x14\0\x06\0[Content_Types].xml".to_vec()).await, @r"
    InvalidArgument
    NO_HEADER: No header found: this is an Excel workbook or another spreadsheet, not CSV; the workbook itself can be imported, as .xlsx or .ods (in workbook_chunk), or save it as CSV UTF-8.
    ");
    assert_snapshot!(refuse(&app, b"E\0M\0A\0I\0L\0\n\0".to_vec()).await, @"
    InvalidArgument
    NO_HEADER: No header found: this seems to be UTF-16 without a byte order mark; set the charset option to utf-16le or utf-16be.
    ");
}

async fn unknown_columns_can_be_ignored_and_are_then_reported(database: Database) {
    let app = App::start(database).await;
    let csv = format!(
        "Shift,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,,Hire Date\nB,{ROW},x,2020\n"
    );
    let told = refuse(&app, csv.clone()).await;
    assert_snapshot!(told, @r#"
    InvalidArgument
    UNKNOWN_COLUMN Shift: Unknown column "Shift"; remove it, or set ignore_unknown_columns.
    UNKNOWN_COLUMN column 9: Header cell 9 is empty; name the column, or remove it.
    UNKNOWN_COLUMN Hire Date: Unknown column "Hire Date"; remove it, or set ignore_unknown_columns.
    "#);
    let imported = app.import_with(ignoring_unknown(), csv).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    assert_eq!(
        imported.started[0].ignored_columns,
        ["Shift", "column 9", "Hire Date"]
    );
    assert_eq!(imported.started[0].columns.len(), 7);
}

async fn missing_and_doubled_columns_refuse_even_where_unknown_ones_are_ignored(
    database: Database,
) {
    let app = App::start(database).await;
    let csv = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,Roles,email\n";
    assert_snapshot!(app.refuse(ignoring_unknown(), csv).await, @r"
    InvalidArgument
    DUPLICATE_COLUMN EMAIL: Column EMAIL is in the header 2 times; keep one.
    MISSING_COLUMN ROLE: Column ROLE is missing from the header; add it.
    ");
}

async fn columns_of_our_error_report_are_always_ignored(database: Database) {
    let app = App::start(database).await;
    let report = roster().row("ada", [(Rank, "Captain")]).csv();
    let report = report.replacen(
        '\n',
        ",IMPORT_ERROR_CODES,Import Errors,import-suggestions\n",
        1,
    );
    let report = report.trim_end().to_owned() + ",REQUIRED,\"EMAIL is blank; fill it in.\",\n";
    let imported = app.import(report).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    let ignored = &imported.started[0].ignored_columns;
    assert_eq!(
        *ignored,
        ["IMPORT_ERROR_CODES", "Import Errors", "import-suggestions"]
    );
}

async fn all_of_many_unknown_columns_are_in_the_summary_and_as_many_as_fit_in_the_status(
    database: Database,
) {
    let app = App::start(database).await;
    let unknown: Vec<_> = (1..=500).map(|n| format!("Custom field {n}")).collect();
    let header = format!("{},{}\n", ROW_HEADER, unknown.join(","));
    let imported = app.import(header + ROW + "\n").await;
    let told = imported.refusal();
    let subjects: Vec<_> = imported
        .summary()
        .refusals
        .iter()
        .map(|r| r.subject.clone())
        .collect();
    assert_eq!(subjects, unknown, "{told}");
    let in_status = imported.violations().len();
    assert!((5..100).contains(&in_status), "{in_status}");
    assert!(app.users().await.is_empty());
}

const ROW_HEADER: &str = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE";

async fn the_header_is_answered_before_the_rows_have_come(database: Database) {
    let app = App::start(database).await;
    let (sender, requests) = mpsc::channel(4);
    let send = async |message| {
        let message = Some(message);
        sender
            .send(ImportUsersRequest { message })
            .await
            .expect("the server listens");
    };
    send(Message::Start(start_of("pd"))).await;
    send(Message::CsvChunk(format!("{ROW_HEADER},PHO").into())).await;
    let responses = app
        .imports()
        .import_users(ReceiverStream::new(requests))
        .await;
    let mut responses = responses.expect("headers come first").into_inner();
    send(Message::CsvChunk("NE\n".into())).await;
    let first = responses.message().await.expect("the stream goes on");
    let Some(Reply::Started(started)) = first.and_then(|first| first.message) else {
        panic!("not started");
    };
    assert_eq!(started.columns.last().map(String::as_str), Some("PHONE"));
    send(Message::CsvChunk(format!("{ROW},\n").into())).await;
    send(Message::Finish(ImportFinish::default())).await;
    drop(sender);
    let imported = ImportResponses::collect(Ok(responses)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    assert!(imported.started.is_empty(), "started comes once");
}
