//! Who is deactivated, and when that is refused (semantics §7).

use insta::assert_snapshot;
use tonic::Code;
use user_import::{
    domain::Column::{Email, Status},
    proto::{DeactivateMissing, ImportStart, IssueCode, UserStatus},
};

use user_import_testing::{App, Database, is_distributed, on_both_databases, roster, start_of};

on_both_databases![
    whoever_is_not_listed_is_deactivated,
    a_dry_run_names_them_and_changes_nobody,
    deactivating_needs_the_word_confirm,
    a_protected_user_stays_active,
    a_row_cannot_deactivate_a_protected_user,
    a_faulty_row_never_deactivates_its_user,
    too_many_deactivations_refuse_the_import;
    // SQLite checks a reference only when it changes.
    somebody_whom_the_database_does_not_take_keeps_nobody_else_active,
];

/// Deactivates the missing users. The caller approves a sufficient number of deactivations.
fn deactivating(confirmation: &str) -> ImportStart {
    ImportStart {
        deactivate_missing: Some(DeactivateMissing {
            confirmation: confirmation.to_owned(),
            ..DeactivateMissing::default()
        }),
        max_deactivations: Some(100),
        ..start_of("pd")
    }
}

async fn whoever_is_not_listed_is_deactivated(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let ada_alone = roster().people(["ada"]);
    assert_snapshot!(app.import_with(deactivating("Confirm"), ada_alone).await, @r"
    1 UNCHANGED ada
    deactivated: bob
    COMPLETED: 1 rows, 1 unchanged, 1 deactivated
    ");
    assert_eq!(app.user("bob").await.status(), UserStatus::Inactive);
}

async fn a_dry_run_names_them_and_changes_nobody(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let dry_run = ImportStart {
        validate_only: true,
        ..deactivating("")
    };
    let before = app.users().await;
    assert_snapshot!(app.import_with(dry_run, roster().people(["ada"])).await, @r"
    1 UNCHANGED ada
    deactivated: bob
    COMPLETED: 1 rows, 1 unchanged, 1 deactivated
    ");
    assert_eq!(app.users().await, before);
}

async fn deactivating_needs_the_word_confirm(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    for confirmation in ["", "confirm", "yes"] {
        let start = deactivating(confirmation);
        let imported = app.import_with(start, roster().people(["ada"])).await;
        assert_ne!(imported.code(), Code::Ok, "{confirmation}:\n{imported}");
        assert_eq!(app.user("bob").await.status(), UserStatus::Active);
    }
}

async fn a_protected_user_stays_active(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    app.protect("bob").await;
    let ada_alone = roster().people(["ada"]);
    assert_snapshot!(app.import_with(deactivating("Confirm"), ada_alone).await, @r"
    1 UNCHANGED ada
    COMPLETED: 1 rows, 1 unchanged, 1 protected
    ");
    assert_eq!(app.user("bob").await.status(), UserStatus::Active);
}

async fn a_row_cannot_deactivate_a_protected_user(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    app.protect("ada").await;
    let imported = app
        .import(roster().row("ada", [(Status, "Inactive")]))
        .await;
    assert_eq!(imported.row(1).issues[0].code(), IssueCode::ProtectedUser);
    assert_eq!(app.user("ada").await.status(), UserStatus::Active);
}

async fn a_faulty_row_never_deactivates_its_user(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let mistyped = roster()
        .people(["ada"])
        .row("bob", [(Email, "bob at pd.example")]);
    assert_snapshot!(app.import_with(deactivating("Confirm"), mistyped).await, @r"
    1 UNCHANGED ada
    2 REJECTED bob [INVALID_EMAIL]
    COMPLETED: 2 rows, 1 unchanged, 1 rejected
    ");
    assert_eq!(app.user("bob").await.status(), UserStatus::Active);
}

async fn too_many_deactivations_refuse_the_import(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let guarded = ImportStart {
        max_deactivations: None,
        ..deactivating("Confirm")
    };
    let before = app.users().await;
    let imported = app.import_with(guarded, roster().people(["ada"])).await;
    assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
    assert_eq!(imported.deactivations.len(), 2, "{imported}");
    assert_eq!(app.users().await, before);
}

async fn somebody_whom_the_database_does_not_take_keeps_nobody_else_active() {
    if is_distributed("its foreign keys take a user whose references stay as they are") {
        return;
    }
    let app = App::start(Database::Postgres).await;
    app.people(["ada", "bob", "cyd", "dee"]).await;
    // A state that a restore without triggers can leave.
    let sql = "SET session_replication_role = replica; \
        UPDATE users SET rank_id = 99 WHERE external_id = 'cyd'";
    app.database().execute(sql).await;
    let ada_alone = roster().people(["ada"]);
    let imported = app.import_with(deactivating("Confirm"), ada_alone).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(imported.deactivations.len(), 2, "{imported}");
    let summary = imported.summary();
    assert_eq!(summary.deactivated, 2, "{imported}");
    let warned = summary.warnings.iter();
    let warned: Vec<_> = warned
        .map(|warning| &*warning.related_external_id)
        .collect();
    assert_eq!(warned, ["cyd"], "{imported}");
}
