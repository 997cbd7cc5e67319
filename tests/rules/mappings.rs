//! Files of other systems, read with a mapping (semantics §10).

use tonic::Code;
use user_import::{
    domain::Column::{FirstName, Phone},
    proto::{ImportStart, IssueCode, Mapping, RowOutcome, ValueMapping},
};

use user_import_testing::{App, Database, dry_run, on_both_databases, roster, start_of};

on_both_databases![
    an_export_with_other_names_values_and_lines_is_imported_as_it_is,
    renaming_columns_alone_equals_renaming_the_header,
    an_empty_mapping_changes_nothing,
    a_message_quotes_the_files_own_column_beside_ours,
    a_template_that_fails_rejects_its_row_alone,
    a_mapping_that_cannot_be_used_is_refused_and_nothing_is_written,
    typed_rows_have_no_mapping,
    the_mapping_is_part_of_an_imports_options,
    a_mapped_upload_in_parts_gives_the_same_results,
];

/// The export of an invented dispatch system: titles, a footer, both names in one column, codes for statuses and roles.
const EXPORT: &str = "Harbor dispatch\r\nPersonnel, all units\r\n\
    Unit ID;Shield;Member;Duty;Login;Function;Radio\r\n\
    # on leave\r\n\
    H-1;0042;\"Lee, Ann\";1;ALEE;PO;NULL\r\n\
    H-2;0043;\"Rahman, Noor\";0;NRAHMAN;PO;n/a\r\n\
    Total: 2\r\n";

fn mapping() -> Mapping {
    let pair = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
    let value = |column: &str, cell: &str, value: &str| ValueMapping {
        column: column.to_owned(),
        cell: cell.to_owned(),
        value: value.to_owned(),
    };
    let columns = [
        ("Unit ID", "EXTERNAL_ID"),
        ("Shield", "BADGE_NUMBER"),
        ("Duty", "STATUS"),
        ("Login", "USERNAME"),
        ("Function", "ROLE"),
        ("Radio", "PHONE"),
    ];
    let templates = [
        (
            "FIRST_NAME",
            "{{ row[\"Member\"] | split(\",\") | last | trim }}",
        ),
        ("LAST_NAME", "{{ row[\"Member\"] | split(\",\") | first }}"),
        ("EMAIL", "{{ row.Login | lower }}@harbor.example"),
    ];
    Mapping {
        columns: columns.map(pair).into(),
        null_values: vec!["NULL".to_owned(), "N/A".to_owned()],
        values: vec![
            value("STATUS", "1", "Active"),
            value("STATUS", "0", "Inactive"),
            value("ROLE", "po", "Officer"),
        ],
        templates: templates.map(pair).into(),
        skip_leading_lines: 2,
        ignored_line_prefixes: vec!["#".to_owned(), "Total:".to_owned()],
    }
}

fn mapped() -> ImportStart {
    ImportStart {
        mapping: Some(mapping()),
        ..start_of("pd")
    }
}

async fn an_export_with_other_names_values_and_lines_is_imported_as_it_is(database: Database) {
    let app = App::start(database).await;
    let imported = app.import_with(mapped(), EXPORT).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(imported.summary().created, 2, "{imported}");
    let lines = [1, 2].map(|row| imported.row(row).line);
    assert_eq!(lines, [5, 6]);
    let [warning] = &imported.summary().warnings[..] else {
        panic!("{imported}");
    };
    assert_eq!(
        warning.message,
        "2 lines were left out, because they begin with one of ignored_line_prefixes; the first is line 4."
    );
    let user = app.user("H-2").await;
    let values = [
        &*user.email,
        &user.badge_number,
        &user.first_name,
        &user.last_name,
        &user.username,
        &user.role,
        &user.phone,
    ];
    assert_eq!(
        values,
        [
            "nrahman@harbor.example",
            "0043",
            "Noor",
            "Rahman",
            "NRAHMAN",
            "Officer",
            ""
        ]
    );
    assert_eq!(
        app.user("H-1").await.status().as_str_name(),
        "USER_STATUS_ACTIVE"
    );
    let again = app.import_with(mapped(), EXPORT).await;
    assert_eq!(again.summary().unchanged, 2, "{again}");
}

async fn renaming_columns_alone_equals_renaming_the_header(database: Database) {
    let app = App::start(database).await;
    let people = roster()
        .row("ada", [(Phone, "+1 202-555-0143")])
        .row("bea", [(FirstName, "")]);
    let csv = people.csv();
    let renamed = csv
        .replacen("EMAIL", "Work mail", 1)
        .replacen("PHONE", "Cell", 1);
    let columns = [("work-mail", "EMAIL"), ("CELL", "phone")];
    let start = ImportStart {
        mapping: Some(Mapping {
            columns: columns.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            ..Mapping::default()
        }),
        ..dry_run(start_of("pd"))
    };
    let plain = app.import_with(dry_run(start_of("pd")), csv).await;
    let mapped = app.import_with(start, renamed).await;
    assert_eq!(mapped.summary().plan_digest, plain.summary().plan_digest);
    for row in [1, 2] {
        assert_eq!(mapped.row(row), plain.row(row));
    }
}

async fn an_empty_mapping_changes_nothing(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada", "bea"]).csv();
    let start = ImportStart {
        import_id: "0192f0c1-2b1e-7c3a-9d55-0c6f2b6b3a10".to_owned(),
        ..start_of("pd")
    };
    let plain = app.import_with(start.clone(), csv.clone()).await;
    let start = ImportStart {
        mapping: Some(Mapping::default()),
        ..start
    };
    let replayed = app.import_with(start, csv).await;
    assert_eq!(replayed.code(), Code::Ok, "{replayed}");
    assert_eq!(replayed.row(2), plain.row(2));
}

async fn a_message_quotes_the_files_own_column_beside_ours(database: Database) {
    let app = App::start(database).await;
    let file = EXPORT
        .replace(";PO;NULL", ";Chief;12")
        .replace("NRAHMAN", "ALEE");
    let imported = app.import_with(mapped(), file).await;
    let issues = &imported.row(1).issues;
    let told: Vec<_> = issues
        .iter()
        .map(|issue| (issue.code(), &*issue.file_column))
        .collect();
    assert_eq!(
        told,
        [
            (IssueCode::InvalidPhone, "Radio"),
            (IssueCode::UnknownRole, "Function"),
            (IssueCode::EmailTaken, "Login"),
            (IssueCode::UsernameTaken, "Login"),
        ],
        "{imported}"
    );
    let messages = imported.messages(1);
    assert!(
        messages[0].starts_with("PHONE (\"Radio\") \"12\" "),
        "{messages:?}"
    );
    assert!(
        messages[1].starts_with("ROLE (\"Function\") \"Chief\" "),
        "{messages:?}"
    );
    // If a column has our own name, the file has no other name for it.
    let csv = roster().row("ada", [(Phone, "12")]).csv();
    let plain = app.import(csv).await;
    assert_eq!(plain.row(1).issues[0].file_column, "");
}

async fn a_template_that_fails_rejects_its_row_alone(database: Database) {
    let app = App::start(database).await;
    let mut mapping = mapping();
    let source = "{{ (row.Member | split(\",\"))[1] }}".to_owned();
    mapping.templates.insert("FIRST_NAME".to_owned(), source);
    let start = ImportStart {
        mapping: Some(mapping),
        ..start_of("pd")
    };
    let imported = app
        .import_with(start, EXPORT.replace("Lee, Ann", "Ann Lee"))
        .await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    let [first, second] = [1, 2].map(|row| imported.row(row));
    assert_eq!(second.outcome(), RowOutcome::Created);
    assert_eq!(first.outcome(), RowOutcome::Rejected);
    let [issue] = &first.issues[..] else {
        panic!("{imported}");
    };
    assert_eq!(issue.code(), IssueCode::MappingFailed);
    assert_eq!(
        (&*issue.column, &*issue.file_column),
        ("FIRST_NAME", "Member")
    );
    assert_eq!(
        issue.message,
        "FIRST_NAME (\"Member\") cannot be computed: the template needs a part that the cell does \
         not have; correct the cell, or use the filter default in the template."
    );
}

async fn a_mapping_that_cannot_be_used_is_refused_and_nothing_is_written(database: Database) {
    let app = App::start(database).await;
    for (source, told) in [
        (
            "{% for c in row.Login %}x{% endfor %}",
            "it has \"for\" after {%",
        ),
        ("{{ row.Login | md5 }}", "there is no filter \"md5\""),
        ("{{ row.Login", "cannot be used"),
        (
            "{{ row.Surname }}",
            "reads column \"Surname\", which is missing",
        ),
    ] {
        let mut mapping = mapping();
        mapping
            .templates
            .insert("LAST_NAME".to_owned(), source.to_owned());
        let start = ImportStart {
            mapping: Some(mapping),
            ..start_of("pd")
        };
        let refused = app.import_with(start, EXPORT).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(format!("{refused}").contains(told), "{source}: {refused}");
    }
    assert!(app.users().await.is_empty());
}

async fn typed_rows_have_no_mapping(database: Database) {
    let app = App::start(database).await;
    let rows = roster().people(["ada"]).typed();
    let imported = app.import_rows_with(mapped(), rows).await;
    assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
    assert!(
        format!("{imported}").contains("MAPPING_OF_ROWS"),
        "{imported}"
    );
}

async fn the_mapping_is_part_of_an_imports_options(database: Database) {
    let app = App::start(database).await;
    let start = ImportStart {
        import_id: "0192f0c1-2b1e-7c3a-9d55-0c6f2b6b3a10".to_owned(),
        ..mapped()
    };
    let imported = app.import_with(start.clone(), EXPORT).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    let replayed = app.import_with(start.clone(), EXPORT).await;
    assert_eq!(replayed.row(1), imported.row(1));
    let mut other = mapping();
    other.null_values.clear();
    let start = ImportStart {
        mapping: Some(other),
        ..start
    };
    let refused = app.import_with(start, EXPORT).await;
    assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
}

async fn a_mapped_upload_in_parts_gives_the_same_results(database: Database) {
    let app = App::start(database).await;
    let streamed = app.import_with(dry_run(mapped()), EXPORT).await;
    let parts = app
        .import_in_parts(dry_run(mapped()), EXPORT.as_bytes(), [3, 50, 7])
        .await;
    assert_eq!(parts.summary().plan_digest, streamed.summary().plan_digest);
    for row in [1, 2] {
        assert_eq!(parts.row(row), streamed.row(row));
    }
}
