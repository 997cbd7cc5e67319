//! Guards refuse an import because of rejected rows, and all of them report at once (semantics §7).

use insta::assert_snapshot;
use tonic::Code;
use user_import::{
    domain::Column::Email,
    proto::{DeactivateMissing, ImportStart},
};

use user_import_testing::{App, Database, Roster, on_both_databases, roster, start_of};

on_both_databases![
    more_rejections_than_allowed_refuse_the_import,
    all_or_nothing_is_refused_by_one_rejection,
    all_or_nothing_writes_everything,
    every_guard_that_is_hit_is_named,
];

/// ada's row stands. The other rows, if any, are rejected.
fn with_rejections(count: usize) -> Roster {
    (0..count).fold(roster().people(["ada"]), |roster, n| {
        roster.row(&format!("bad-{n}"), [(Email, "nowhere")])
    })
}

async fn more_rejections_than_allowed_refuse_the_import(database: Database) {
    let app = App::start(database).await;
    for (rejected, allowed, validate_only, code) in [
        (1, 0, true, Code::FailedPrecondition),
        (1, 0, false, Code::FailedPrecondition),
        (3, 2, false, Code::FailedPrecondition),
        (2, 2, true, Code::Ok),
        (0, 0, true, Code::Ok),
    ] {
        let start = ImportStart {
            max_rejected_rows: Some(allowed),
            validate_only,
            ..start_of("pd")
        };
        let imported = app.import_with(start, with_rejections(rejected)).await;
        assert_eq!(
            imported.code(),
            code,
            "{rejected} of {allowed}:\n{imported}"
        );
        assert_eq!(imported.results.len(), rejected + 1, "{imported}");
        assert!(app.users().await.is_empty());
    }
}

async fn all_or_nothing_is_refused_by_one_rejection(database: Database) {
    let app = App::start(database).await;
    for validate_only in [true, false] {
        let start = ImportStart {
            all_or_nothing: true,
            validate_only,
            ..start_of("pd")
        };
        assert_snapshot!(app.import_with(start, with_rejections(1)).await, @r"
        1 CREATED ada
        2 REJECTED bad-0 [INVALID_EMAIL]
        REFUSED: 2 rows, 1 created, 1 rejected
        refused: ROWS_REJECTED all_or_nothing
        FailedPrecondition: 1 row is rejected, and all_or_nothing applies all rows or none. Correct them, or import without all_or_nothing.
        ");
        assert!(app.users().await.is_empty());
    }
}

async fn all_or_nothing_writes_everything(database: Database) {
    let app = App::start(database).await;
    app.people(["bob"]).await;
    let start = ImportStart {
        all_or_nothing: true,
        ..start_of("pd")
    };
    let all = roster()
        .people(["ada", "bob"])
        .row("cy", [(Email, "c@pd.example")]);
    assert_snapshot!(app.import_with(start, all).await, @r"
    1 CREATED ada
    2 UNCHANGED bob
    3 CREATED cy
    COMPLETED: 3 rows, 2 created, 1 unchanged
    ");
    assert_eq!(app.users().await.len(), 3);
}

fn dry() -> ImportStart {
    ImportStart {
        validate_only: true,
        ..start_of("pd")
    }
}

async fn every_guard_that_is_hit_is_named(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let start = ImportStart {
        all_or_nothing: true,
        max_rejected_rows: Some(0),
        expected_plan_digest: vec![7; 32],
        max_deactivations: Some(0),
        deactivate_missing: Some(DeactivateMissing::default()),
        ..dry()
    };
    let imported = app.import_with(start, with_rejections(1)).await;
    let codes: Vec<_> = imported
        .summary()
        .refusals
        .iter()
        .map(|r| &*r.code)
        .collect();
    assert_eq!(
        codes,
        [
            "TOO_MANY_REJECTED_ROWS",
            "ROWS_REJECTED",
            "PLAN_DIFFERS",
            "TOO_MANY_DEACTIVATIONS"
        ],
        "{imported}"
    );
}
