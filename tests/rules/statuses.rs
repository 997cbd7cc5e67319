//! The status of an import that does not end well (api.md, Status codes): a code, details for programs, and if the
//! import had begun, a summary before the status.

use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use user_import::{
    config::Settings,
    domain::Column::Email,
    input::InputLimits,
    proto::{
        CsvFormat, DeactivateMissing, ImportFinish, ImportStart, ImportState, UserRows,
        import_users_request::Message,
    },
};

use user_import_testing::{App, Database, ImportResponses, on_both_databases, roster, start_of};

on_both_databases![
    what_is_not_well_formed_is_a_bad_request,
    every_fault_is_named_at_once,
    what_does_not_hold_is_a_precondition_failure,
    a_limit_exceeded_is_a_quota_failure,
    an_oversized_message_is_a_quota_failure,
    an_unknown_organisation_is_named,
    a_refused_import_sends_its_summary_first,
    a_status_stays_below_four_kib,
    a_rejected_row_is_no_error,
];

fn fields(status: &Status) -> Vec<String> {
    let request = status.get_details_bad_request();
    let violations = request.map(|request| request.field_violations);
    violations
        .into_iter()
        .flatten()
        .map(|violation| violation.field)
        .collect()
}

fn preconditions(status: &Status) -> Vec<(String, String)> {
    let failure = status.get_details_precondition_failure();
    let violations = failure.map(|failure| failure.violations);
    violations
        .into_iter()
        .flatten()
        .map(|v| (v.r#type, v.subject))
        .collect()
}

fn quotas(status: &Status) -> Vec<String> {
    let failure = status.get_details_quota_failure();
    let violations = failure.map(|failure| failure.violations);
    violations
        .into_iter()
        .flatten()
        .map(|violation| violation.subject)
        .collect()
}

fn format(charset: &str, delimiter: &str) -> CsvFormat {
    CsvFormat {
        charset: charset.to_owned(),
        delimiter: delimiter.to_owned(),
        ..CsvFormat::default()
    }
}

async fn what_is_not_well_formed_is_a_bad_request(database: Database) {
    let app = App::start(database).await;
    for (field, start) in [
        (
            "import_id",
            ImportStart {
                import_id: "7".to_owned(),
                ..start_of("pd")
            },
        ),
        (
            "source",
            ImportStart {
                source: "x".repeat(256),
                ..start_of("pd")
            },
        ),
        (
            "result_filter",
            ImportStart {
                result_filter: 9,
                ..start_of("pd")
            },
        ),
        (
            "expected_plan_digest",
            ImportStart {
                expected_plan_digest: vec![1; 31],
                ..start_of("pd")
            },
        ),
        (
            "deactivate_missing.confirmation",
            ImportStart {
                deactivate_missing: Some(DeactivateMissing::default()),
                ..start_of("pd")
            },
        ),
        (
            "csv.charset",
            ImportStart {
                csv: Some(format("klingon", "")),
                ..start_of("pd")
            },
        ),
        (
            "csv.delimiter",
            ImportStart {
                csv: Some(format("", "::")),
                ..start_of("pd")
            },
        ),
    ] {
        let imported = app.import_with(start, roster().people(["ada"])).await;
        assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
        assert_eq!(fields(&imported.status), [field], "{imported}");
    }
}

async fn every_fault_is_named_at_once(database: Database) {
    let app = App::start(database).await;
    let many = ImportStart {
        import_id: "7".to_owned(),
        source: "x".repeat(256),
        ..start_of("pd")
    };
    let imported = app.import_with(many, roster().people(["ada"])).await;
    assert_eq!(
        fields(&imported.status),
        ["import_id", "source"],
        "{imported}"
    );
    let header = app.import("EMIAL,ROLE,ROLE\na,b,c\n").await;
    assert_eq!(header.code(), Code::InvalidArgument, "{header}");
    assert!(fields(&header.status).len() > 2, "{header}");
    assert!(app.users().await.is_empty());
}

async fn what_does_not_hold_is_a_precondition_failure(database: Database) {
    let app = App::start(database).await;
    let start = ImportStart {
        all_or_nothing: true,
        max_rejected_rows: Some(0),
        ..start_of("pd")
    };
    let rejected = roster().row("ada", [(Email, "nowhere")]);
    let imported = app.import_with(start, rejected).await;
    let expected = [
        ("TOO_MANY_REJECTED_ROWS", "max_rejected_rows"),
        ("ROWS_REJECTED", "all_or_nothing"),
    ];
    let expected = expected.map(|(kind, subject)| (kind.to_owned(), subject.to_owned()));
    assert_eq!(preconditions(&imported.status), expected, "{imported}");

    let start = Message::Start(start_of("pd"));
    let cut = app
        .send([
            start,
            Message::CsvChunk(roster().people(["ada"]).csv().into()),
        ])
        .await;
    assert_eq!(cut.code(), Code::FailedPrecondition, "{cut}");
    assert_eq!(
        preconditions(&cut.status),
        [("INCOMPLETE".to_owned(), "finish".to_owned())]
    );
}

async fn a_limit_exceeded_is_a_quota_failure(database: Database) {
    let settings = Settings {
        limits: InputLimits {
            max_rows: 2,
            max_bytes: 1_000,
            ..InputLimits::default()
        },
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let rows = roster().people(["ada", "bob", "cy"]);
    let wide = roster().row("ada", [(Email, &*"x".repeat(1_001))]);
    for (limit, roster) in [("rows", rows), ("bytes", wide)] {
        let from_csv = app.import(&roster).await;
        let from_rows = app.import_rows(roster.typed()).await;
        for imported in [from_csv, from_rows] {
            assert_eq!(
                imported.code(),
                Code::ResourceExhausted,
                "{limit}:\n{imported}"
            );
            assert_eq!(quotas(&imported.status).len(), 1, "{limit}:\n{imported}");
            assert_eq!(imported.summary().state(), ImportState::Refused, "{limit}");
        }
    }
    assert!(app.users().await.is_empty());
    assert_eq!(
        app.import(roster().people(["ada", "bob"])).await.code(),
        Code::Ok
    );
}

async fn an_oversized_message_is_a_quota_failure(database: Database) {
    let app = App::start(database).await;
    let start = || Message::Start(start_of("pd"));
    let finish = Message::Finish(ImportFinish::default());
    // A message with exactly 4 MiB of content is accepted. The fault is then in the file: one line is too long.
    for (bytes, quota) in [(4 << 20, "record"), ((4 << 20) + 10_000, "message")] {
        let chunk = Message::CsvChunk(vec![b'x'; bytes].into());
        let imported = app.send([start(), chunk, finish.clone()]).await;
        assert_ne!(imported.code(), Code::Ok);
        assert_ne!(imported.code(), Code::OutOfRange, "{imported}");
        if quota == "message" {
            assert_eq!(imported.code(), Code::ResourceExhausted, "{imported}");
            assert_eq!(quotas(&imported.status), [quota], "{imported}");
        }
        assert_eq!(
            imported.summary().state(),
            ImportState::Refused,
            "{imported}"
        );
    }
}

async fn an_unknown_organisation_is_named(database: Database) {
    let app = App::start(database).await;
    for unknown in ["", "nobody", "PD", "pd\0"] {
        let imported = app
            .import_with(start_of(unknown), roster().people(["ada"]))
            .await;
        assert_eq!(imported.code(), Code::NotFound, "{imported}");
        let resource = imported.status.get_details_resource_info();
        let resource = resource.map(|r| (r.resource_type, r.resource_name));
        assert_eq!(
            resource,
            Some(("organization".to_owned(), unknown.to_owned()))
        );
        assert!(imported.started.is_empty() && imported.summary.is_none());
    }
}

fn is_refused(imported: &ImportResponses) {
    let summary = imported.summary();
    assert_eq!(summary.state(), ImportState::Refused, "{imported}");
    assert_eq!(summary.import_id, imported.import_id());
    assert!(!summary.refusals.is_empty() && summary.finished_at.is_some());
    assert_ne!(imported.code(), Code::Ok, "{imported}");
}

async fn a_refused_import_sends_its_summary_first(database: Database) {
    let app = App::start(database).await;
    let start = || Message::Start(start_of("pd"));
    let rows = || {
        Message::Rows(UserRows {
            rows: roster().people(["ada"]).typed(),
        })
    };
    let finish = |row_count| {
        Message::Finish(ImportFinish {
            row_count,
            ..ImportFinish::default()
        })
    };
    for messages in [
        vec![start()],
        vec![start(), start()],
        vec![start(), finish(None)],
        vec![start(), rows()],
        vec![start(), rows(), finish(Some(2))],
        vec![
            start(),
            Message::CsvChunk("nonsense\n1\n".into()),
            finish(None),
        ],
        vec![
            start(),
            Message::CsvChunk(vec![].into()),
            rows(),
            finish(None),
        ],
    ] {
        is_refused(&app.send(messages).await);
    }
}

async fn a_status_stays_below_four_kib(database: Database) {
    let app = App::start(database).await;
    let columns: Vec<_> = (0..60)
        .map(|n| format!("\"{}{n}\"", "列名".repeat(60)))
        .collect();
    let imported = app.import(format!("EMAIL,{}\n", columns.join(","))).await;
    assert_eq!(imported.code(), Code::InvalidArgument);
    let message: usize = imported.status.message().bytes().map(encoded_len).sum();
    let bytes = message + imported.status.details().len().div_ceil(3) * 4;
    assert!(bytes <= 4_096, "{bytes} bytes");
}

/// Returns how many bytes this byte of a status message has in a trailer. A byte that is not plain ASCII is escaped.
fn encoded_len(byte: u8) -> usize {
    if matches!(byte, b' '..=b'~') && byte != b'%' {
        1
    } else {
        3
    }
}

async fn a_rejected_row_is_no_error(database: Database) {
    let app = App::start(database).await;
    let imported = app.import(roster().row("ada", [(Email, "nowhere")])).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(imported.summary().state(), ImportState::Completed);
}
