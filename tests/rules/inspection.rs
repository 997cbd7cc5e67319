//! A look at a file before it is imported (semantics §10, Inspect).

use tonic::{Code, Status};
use tonic_types::StatusExt;
use user_import::{
    domain::Permission,
    proto::{
        Catalog, CsvFormat, ImportStart, InspectRosterRequest, InspectRosterResponse,
        InspectedValue, Mapping, NamedMapping, Role, RosterFormat, SaveMappingRequest,
        WorkbookFormat, append_import_request::Content,
    },
};

use user_import_testing::{
    App, Database, catalog, dry_run, on_both_databases, roster, start_of, token,
    workbook::{xlsx, xlsx_rows},
};

on_both_databases![
    the_proposal_for_an_export_imports_it,
    what_has_come_of_an_upload_is_inspected,
    a_workbook_is_inspected_like_csv,
    a_roster_of_our_own_needs_no_mapping,
    values_are_recognised_by_the_organisations_own_catalog,
    a_mapping_to_begin_with_is_kept,
    what_cannot_be_inspected_is_refused,
    nothing_is_stored_and_others_uploads_are_not_seen,
];

/// The export of an invented HR system.
const EXPORT: &str = "Personnel report\n\nEmployee #;Surname;Given name;E-mail;Badge no.;Active;Job title;Hired\n\
    E-1;Lee;Ann;ann.lee@pd.example;0042;Y;Officer;2019-03-04\n\
    E-2;Costa;Rui;rui.costa@pd.example;0043;N;Officer;2020-03-04\n\
    Total: 2\n";

fn of(content: impl Into<Vec<u8>>) -> InspectRosterRequest {
    InspectRosterRequest {
        organization: "pd".to_owned(),
        content: content.into(),
        ..InspectRosterRequest::default()
    }
}

async fn inspect(
    app: &App,
    request: InspectRosterRequest,
) -> Result<InspectRosterResponse, Status> {
    let answer = app.imports().inspect_roster(request).await?;
    Ok(answer.into_inner())
}

fn value(column: &str, cell: &str, count: u32, becomes: &str) -> InspectedValue {
    InspectedValue {
        column: column.to_owned(),
        cell: cell.to_owned(),
        count,
        becomes: becomes.to_owned(),
        known: !becomes.is_empty(),
        suggestion: String::new(),
    }
}

async fn the_proposal_for_an_export_imports_it(database: Database) {
    let app = App::start(database).await;
    let found = inspect(&app, of(EXPORT)).await.unwrap();
    assert_eq!(found.format(), RosterFormat::Csv);
    assert_eq!(
        (&*found.charset, &*found.delimiter, found.header_line),
        ("UTF-8", ";", 3)
    );
    let columns = found.columns.iter();
    let proposed: Vec<_> = columns
        .map(|column| (&*column.name, &*column.proposed_column))
        .collect();
    assert_eq!(
        proposed,
        [
            ("Employee #", "EXTERNAL_ID"),
            ("Surname", "LAST_NAME"),
            ("Given name", "FIRST_NAME"),
            ("E-mail", "EMAIL"),
            ("Badge no.", "BADGE_NUMBER"),
            ("Active", "STATUS"),
            ("Job title", "ROLE"),
            ("Hired", ""),
        ]
    );
    assert!(
        found
            .columns
            .iter()
            .all(|column| column.reason.ends_with('.'))
    );
    assert_eq!(found.columns[0].samples, ["E-1", "E-2"]);
    let values = [
        value("STATUS", "N", 1, "Inactive"),
        value("STATUS", "Y", 1, "Active"),
        value("ROLE", "Officer", 2, "Officer"),
    ];
    assert_eq!(found.values, values);
    assert_eq!(found.missing_columns, Vec::<String>::new());
    let start = ImportStart {
        mapping: found.mapping,
        ..start_of("pd")
    };
    let imported = app.import_with(start, EXPORT).await;
    assert_eq!(imported.summary().created, 2, "{imported}");
    let user = app.user("E-2").await;
    assert_eq!(
        (
            &*user.username,
            &*user.last_name,
            user.status().as_str_name()
        ),
        ("rui.costa", "Costa", "USER_STATUS_INACTIVE")
    );
}

async fn what_has_come_of_an_upload_is_inspected(database: Database) {
    let app = App::start(database).await;
    let (import, _) = app.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    let by_import = |import: &str| InspectRosterRequest {
        import_id: import.to_owned(),
        ..of("")
    };
    let (first, rest) = EXPORT.as_bytes().split_at(100);
    app.append(&import, 0, first).await.unwrap();
    let found = inspect(&app, by_import(&import)).await.unwrap();
    assert_eq!(found.columns.len(), 8);
    app.append(&import, 100, rest).await.unwrap();
    let whole = inspect(&app, by_import(&import)).await.unwrap();
    assert_eq!(whole, inspect(&app, of(EXPORT)).await.unwrap());

    let (typed, _) = app.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    let rows = roster().row("ada", []).typed();
    app.append_rows(&typed, 0, &rows).await.unwrap();
    let refused = inspect(&app, by_import(&typed)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    for unknown in ["018f4e9e-5c7b-7000-8000-000000000001", "x\0"] {
        let refused = inspect(&app, by_import(unknown)).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound, "{unknown}");
    }
}

/// A workbook is inspected like a CSV file of the same cells, from one message or from an upload.
async fn a_workbook_is_inspected_like_csv(database: Database) {
    let app = App::start(database).await;
    let rows = [
        "Personnel",
        "",
        "Employee #,Surname,Given name,E-mail,Badge no.,Active,Job title",
        "E-1,Lee,Ann,ann.lee@pd.example,0042,Y,Officer",
        "E-2,Costa,Rui,rui@pd.example,0043,N,Officer",
    ];
    let sheet = xlsx_rows(rows.map(|row| row.split(',')));
    let bytes = xlsx(&[("People", sheet)]).zip();
    let found = inspect(&app, of(bytes.clone())).await.unwrap();
    assert_eq!(found.format(), RosterFormat::Workbook);
    assert_eq!(
        (&found.sheets[..], found.header_line),
        (&["People".to_owned()][..], 3)
    );
    let csv = inspect(&app, of(rows.join("\n") + "\n")).await.unwrap();
    assert_eq!((&found.columns, &found.values), (&csv.columns, &csv.values));
    assert_eq!(found.mapping, csv.mapping);

    let (import, _) = app.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    let content = Content::WorkbookChunk(bytes.into());
    app.append_to("pd", &import, 0, content).await.unwrap();
    let by_import = InspectRosterRequest {
        import_id: import,
        ..of("")
    };
    assert_eq!(inspect(&app, by_import).await.unwrap(), found);

    let other_sheet = InspectRosterRequest {
        workbook: Some(WorkbookFormat {
            sheet: "Peple".to_owned(),
        }),
        ..of(xlsx(&[("People", String::new())]).zip())
    };
    let refused = inspect(&app, other_sheet).await.unwrap();
    assert!(
        refused.issues[0].message.contains("People"),
        "{:?}",
        refused.issues
    );
}

async fn a_roster_of_our_own_needs_no_mapping(database: Database) {
    let app = App::start(database).await;
    let found = inspect(&app, of(roster().row("ada", []).csv()))
        .await
        .unwrap();
    assert_eq!(found.mapping, Some(Mapping::default()));
    assert_eq!(found.missing_columns, Vec::<String>::new());
    assert_eq!(found.issues, []);
}

async fn values_are_recognised_by_the_organisations_own_catalog(database: Database) {
    let app = App::start(database).await;
    let mut changed = catalog();
    changed.roles.push(Role {
        name: "Sapper".to_owned(),
        ..Role::default()
    });
    app.catalog("pd", Catalog { ..changed }).await;
    let content = "Role,Mail\nsapper,a@b\nSaper,c@d\nsgt,e@f\n";
    let found = inspect(&app, of(content)).await.unwrap();
    let near = InspectedValue {
        suggestion: "Sapper".to_owned(),
        ..value("ROLE", "Saper", 1, "")
    };
    let values = [
        near,
        value("ROLE", "sapper", 1, "Sapper"),
        value("ROLE", "sgt", 1, "Sergeant"),
    ];
    assert_eq!(found.values, values);
}

async fn a_mapping_to_begin_with_is_kept(database: Database) {
    let app = App::start(database).await;
    let mapping = Mapping {
        columns: [("Hired".to_owned(), "PHONE".to_owned())].into(),
        ..Mapping::default()
    };
    let inline = InspectRosterRequest {
        mapping: Some(mapping.clone()),
        ..of(EXPORT)
    };
    let save = SaveMappingRequest {
        organization: "pd".to_owned(),
        mapping: Some(NamedMapping {
            name: "hr".to_owned(),
            mapping: Some(mapping),
            updated_at: None,
        }),
    };
    app.directory().save_mapping(save).await.unwrap();
    let saved = InspectRosterRequest {
        mapping_name: "hr".to_owned(),
        ..of(EXPORT)
    };
    let found = inspect(&app, saved.clone()).await.unwrap();
    assert_eq!(found.columns[7].proposed_column, "PHONE");
    assert_eq!(found, inspect(&app, inline.clone()).await.unwrap());
    let both = InspectRosterRequest {
        mapping_name: "hr".to_owned(),
        ..inline
    };
    let refused = inspect(&app, both).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let unknown = InspectRosterRequest {
        mapping_name: "cad".to_owned(),
        ..saved
    };
    let refused = inspect(&app, unknown).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}

async fn what_cannot_be_inspected_is_refused(database: Database) {
    let app = App::start(database).await;
    let with = |csv: CsvFormat| InspectRosterRequest {
        csv: Some(csv),
        ..of(EXPORT)
    };
    let charset = CsvFormat {
        charset: "klingon".to_owned(),
        delimiter: "x".to_owned(),
        ..CsvFormat::default()
    };
    let refused = inspect(&app, with(charset)).await.unwrap_err();
    let details = refused.get_error_details();
    let faults = details.bad_request().unwrap().field_violations.len();
    assert_eq!((refused.code(), faults), (Code::InvalidArgument, 2));
    let large = of(vec![b'x'; 1024 * 1024 + 1]);
    let refused = inspect(&app, large).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let refused = inspect(&app, of("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);

    // If a file is no roster, the answer says so instead of refusing it: the caller wants to know what the file is.
    for (content, told) in [
        (&b"%PDF-1.7"[..], "PDF"),
        (b"<!doctype html><html>", "HTML"),
        (b"{\"users\": []}", "JSON"),
        (b"12345\n", "first line"),
    ] {
        let found = inspect(&app, of(content)).await.unwrap();
        assert_eq!((found.header_line, &found.mapping), (0, &None));
        assert!(found.issues[0].message.contains(told), "{:?}", found.issues);
    }
}

async fn nothing_is_stored_and_others_uploads_are_not_seen(database: Database) {
    let app = App::start(database).await;
    let mine = app.holding(token("pd", [Permission::UsersImport])).await;
    let others = app.holding(token("pd", [Permission::UsersImport])).await;
    let (import, _) = mine.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    mine.append(&import, 0, EXPORT).await.unwrap();
    let request = InspectRosterRequest {
        import_id: import,
        ..of("")
    };
    assert!(inspect(&mine, request.clone()).await.is_ok());
    let refused = inspect(&others, request).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let foreign = InspectRosterRequest {
        organization: "elsewhere".to_owned(),
        ..of(EXPORT)
    };
    let refused = inspect(&mine, foreign).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}
