//! Supervisors (semantics §5): they are looked up in the state after the whole import, and never form a circle.

use insta::assert_snapshot;
use user_import::{
    domain::Column::{Email, Phone, Status, SupervisorEmail},
    proto::ImportStart,
};

use user_import_testing::{App, Database, every_missing_user, on_both_databases, roster, start_of};

on_both_databases![
    a_supervisor_may_be_renamed_by_the_same_file,
    the_email_that_a_supervisor_gives_up_finds_nobody,
    a_supervisor_who_does_not_exist_is_suggested,
    nobody_supervises_oneself,
    rows_that_close_a_circle_are_rejected,
    a_circle_may_pass_through_users_outside_the_file,
    on_a_circle_only_new_supervisors_are_at_fault,
    a_chain_may_be_turned_round,
    a_row_whose_supervisor_is_rejected_is_rejected_in_turn,
    an_inactive_supervisor_is_a_warning,
    a_supervisor_who_is_missing_from_the_file_is_inactive_then,
];

/// ada supervises bob, who supervises cy.
async fn chain(app: &App) {
    let chain = roster()
        .row("ada", [(SupervisorEmail, "")])
        .row("bob", [(SupervisorEmail, "ada@pd.example")])
        .row("cy", [(SupervisorEmail, "bob@pd.example")]);
    assert_eq!(app.import(chain).await.summary().created, 3);
}

async fn a_supervisor_may_be_renamed_by_the_same_file(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let renamed = roster()
        .row("bob", [(SupervisorEmail, "Countess@pd.example")])
        .row("ada", [(Email, "countess@pd.example")]);
    assert_snapshot!(app.import(renamed).await, @r"
    1 UPDATED bob: SUPERVISOR_EMAIL
    2 UPDATED ada: EMAIL
    COMPLETED: 2 rows, 2 updated
    ");
    assert_eq!(
        app.user("bob").await.supervisor_email,
        "countess@pd.example"
    );
}

async fn the_email_that_a_supervisor_gives_up_finds_nobody(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let outdated = roster()
        .row("bob", [(SupervisorEmail, "ada@pd.example")])
        .row("ada", [(Email, "countess@pd.example")]);
    assert_snapshot!(app.import(outdated).await, @r"
    1 REJECTED bob [SUPERVISOR_NOT_FOUND row 2]
    2 UPDATED ada: EMAIL
    COMPLETED: 2 rows, 1 updated, 1 rejected
    ");
}

async fn a_supervisor_who_does_not_exist_is_suggested(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let mistyped = roster().row("bob", [(SupervisorEmail, "aad@pd.example")]);
    let imported = app.import(mistyped).await;
    let issue = &imported.row(1).issues[0];
    assert_eq!(issue.suggestion, "ada@pd.example", "{imported}");
    assert_eq!(issue.column, "SUPERVISOR_EMAIL");
    assert_eq!(issue.value, "aad@pd.example");
}

async fn nobody_supervises_oneself(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let selves = roster()
        .row("ada", [(SupervisorEmail, "ADA@pd.example")])
        .row("new", [(SupervisorEmail, "new@pd.example")]);
    assert_snapshot!(app.import(selves).await, @r"
    1 UNCHANGED ada [warning: SUPERVISOR_IS_SELF]
    2 CREATED new [warning: SUPERVISOR_IS_SELF]
    COMPLETED: 2 rows, 1 created, 1 unchanged
    ");
}

async fn rows_that_close_a_circle_are_rejected(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let circle = roster()
        .row("ada", [(SupervisorEmail, "bob@pd.example")])
        .row("bob", [(SupervisorEmail, "cy@pd.example")])
        .row("cy", [(SupervisorEmail, "ada@pd.example")])
        .row("dan", [(SupervisorEmail, "cy@pd.example")])
        .row("eve", [(SupervisorEmail, "ada@pd.example")]);
    // eve keeps her supervisor. dan's row needs cy, and no row creates cy.
    assert_snapshot!(app.import(circle).await, @r"
    1 REJECTED ada [SUPERVISOR_CYCLE, SUPERVISOR_NOT_FOUND]
    2 REJECTED bob [SUPERVISOR_CYCLE, SUPERVISOR_NOT_FOUND]
    3 REJECTED cy [SUPERVISOR_CYCLE]
    4 REJECTED dan [SUPERVISOR_NOT_FOUND, DEPENDS_ON_REJECTED_ROW row 3]
    5 CREATED eve
    COMPLETED: 5 rows, 1 created, 4 rejected
    ");
}

async fn a_circle_may_pass_through_users_outside_the_file(database: Database) {
    let app = App::start(database).await;
    chain(&app).await;
    let closing = roster().row("ada", [(SupervisorEmail, "cy@pd.example")]);
    let imported = app.import(closing).await;
    assert_snapshot!(imported, @r"
    1 REJECTED ada [SUPERVISOR_CYCLE]
    COMPLETED: 1 rows, 1 rejected
    ");
}

async fn on_a_circle_only_new_supervisors_are_at_fault(database: Database) {
    let app = App::start(database).await;
    chain(&app).await;
    let closing = roster()
        .row("bob", [(SupervisorEmail, "ada@pd.example")])
        .row("ada", [(SupervisorEmail, "cy@pd.example")])
        .row(
            "cy",
            [(SupervisorEmail, "bob@pd.example"), (Phone, "+12025550123")],
        );
    assert_snapshot!(app.import(closing).await, @r"
    1 UNCHANGED bob
    2 REJECTED ada [SUPERVISOR_CYCLE]
    3 UPDATED cy: PHONE
    COMPLETED: 3 rows, 1 updated, 1 unchanged, 1 rejected
    ");
}

async fn a_chain_may_be_turned_round(database: Database) {
    let app = App::start(database).await;
    chain(&app).await;
    let turned = roster()
        .row("ada", [(SupervisorEmail, "bob@pd.example")])
        .row("bob", [(SupervisorEmail, "cy@pd.example")])
        .row("cy", [(SupervisorEmail, "")]);
    assert_snapshot!(app.import(turned).await, @r"
    1 UPDATED ada: SUPERVISOR_EMAIL
    2 UPDATED bob: SUPERVISOR_EMAIL
    3 UPDATED cy: SUPERVISOR_EMAIL
    COMPLETED: 3 rows, 3 updated
    ");
    let users = app.users().await;
    let above: Vec<_> = users.iter().map(|user| &*user.supervisor_email).collect();
    assert_eq!(above, ["bob@pd.example", "cy@pd.example", ""]);
}

async fn a_row_whose_supervisor_is_rejected_is_rejected_in_turn(database: Database) {
    let app = App::start(database).await;
    let counted_on = roster()
        .row("cy", [(SupervisorEmail, "bob@pd.example")])
        .row("bob", [(SupervisorEmail, "ada@pd.example")])
        .row("ada", [(SupervisorEmail, ""), (Status, "Retired")]);
    assert_snapshot!(app.import(counted_on).await, @r"
    1 REJECTED cy [SUPERVISOR_NOT_FOUND, DEPENDS_ON_REJECTED_ROW row 2]
    2 REJECTED bob [SUPERVISOR_NOT_FOUND, DEPENDS_ON_REJECTED_ROW row 3]
    3 REJECTED ada [INVALID_STATUS]
    COMPLETED: 3 rows, 3 rejected
    ");
}

async fn an_inactive_supervisor_is_a_warning(database: Database) {
    let app = App::start(database).await;
    let inactive = roster()
        .row("bob", [(SupervisorEmail, "ada@pd.example")])
        .row("ada", [(Status, "Inactive")]);
    assert_snapshot!(app.import(inactive).await, @r"
    1 CREATED bob [warning: SUPERVISOR_INACTIVE]
    2 CREATED ada
    COMPLETED: 2 rows, 2 created
    ");
}

async fn a_supervisor_who_is_missing_from_the_file_is_inactive_then(database: Database) {
    let app = App::start(database).await;
    chain(&app).await;
    let start = ImportStart {
        deactivate_missing: Some(every_missing_user()),
        max_deactivations: Some(1),
        ..start_of("pd")
    };
    let without_bob = roster()
        .row("ada", [(SupervisorEmail, "")])
        .row("cy", [(SupervisorEmail, "bob@pd.example")]);
    assert_snapshot!(app.import_with(start, without_bob).await, @r"
    1 UNCHANGED ada
    2 UNCHANGED cy [warning: SUPERVISOR_INACTIVE]
    deactivated: bob
    COMPLETED: 2 rows, 2 unchanged, 1 deactivated
    ");
}
