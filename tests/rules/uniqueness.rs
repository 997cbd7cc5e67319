//! Email, badge number and username belong to one user (semantics §5), in the state after the whole import. Every
//! consequence is named.

use insta::assert_snapshot;
use user_import::domain::Column::{
    BadgeNumber, Email, ExternalId, FirstName, Phone, Status, Username,
};

use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![
    a_value_of_a_user_outside_the_file_is_taken,
    an_inactive_user_keeps_its_values,
    a_change_of_case_alone_is_a_change,
    two_users_may_swap_emails_in_another_case,
    a_key_may_be_handed_on_down_a_line,
    a_rejection_runs_up_the_whole_chain,
    a_rejection_breaks_a_whole_rotation,
    a_value_that_is_in_several_rows_is_nobodys,
    a_row_that_failed_its_checks_claims_nothing,
    a_row_beaten_by_a_duplicate_keeps_what_its_user_holds,
    a_rejected_row_lists_whatever_else_is_wrong,
    a_created_user_without_external_id_gets_one,
];

async fn a_value_of_a_user_outside_the_file_is_taken(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let taking = roster()
        .row("bob", [(Email, "ADA@pd.example")])
        .row("cy", [(BadgeNumber, "B-ada")])
        .row("dan", [(Username, "Ada")])
        .row("eve", [(BadgeNumber, "b-ADA")]);
    let imported = app.import(taking).await;
    assert_snapshot!(imported, @r"
    1 REJECTED bob [EMAIL_TAKEN user ada]
    2 REJECTED cy [BADGE_NUMBER_TAKEN user ada]
    3 REJECTED dan [USERNAME_TAKEN user ada]
    4 CREATED eve
    COMPLETED: 4 rows, 1 created, 3 rejected
    ");
    assert_eq!(
        imported.messages(2),
        [
            r#"BADGE_NUMBER "B-ada" already belongs to user "ada"; give this row another badge number."#
        ]
    );
}

async fn an_inactive_user_keeps_its_values(database: Database) {
    let app = App::start(database).await;
    app.import(roster().row("ada", [(Status, "Inactive")]))
        .await;
    assert_snapshot!(app.import(roster().row("bob", [(Username, "ada")])).await, @r"
    1 REJECTED bob [USERNAME_TAKEN user ada]
    COMPLETED: 1 rows, 1 rejected
    ");
}

async fn a_change_of_case_alone_is_a_change(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let shouted = roster().row("ada", [(Email, "Ada@pd.example"), (Username, "ADA")]);
    assert_snapshot!(app.import(shouted).await, @r"
    1 UPDATED ada: EMAIL, USERNAME
    COMPLETED: 1 rows, 1 updated
    ");
    let user = app.user("ada").await;
    assert_eq!((&*user.email, &*user.username), ("Ada@pd.example", "ADA"));
}

async fn two_users_may_swap_emails_in_another_case(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let swapped = roster()
        .row("ada", [(Email, "BOB@pd.example"), (Username, "BOB")])
        .row("bob", [(Email, "Ada@PD.example"), (Username, "Ada")]);
    assert_snapshot!(app.import(swapped).await, @r"
    1 UPDATED ada: EMAIL, USERNAME
    2 UPDATED bob: EMAIL, USERNAME
    COMPLETED: 2 rows, 2 updated
    ");
}

async fn a_key_may_be_handed_on_down_a_line(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let handed_on = roster()
        .row("new", [(BadgeNumber, "B-ada")])
        .row("ada", [(BadgeNumber, "B-bob")])
        .row("bob", [(BadgeNumber, "B-cy")])
        .row("cy", [(BadgeNumber, "B-9")]);
    assert_eq!(app.import(handed_on).await.summary().rejected, 0);
    let badges: Vec<_> = app
        .users()
        .await
        .into_iter()
        .map(|u| u.badge_number)
        .collect();
    assert_eq!(badges, ["B-bob", "B-cy", "B-9", "B-ada"]);
}

async fn a_rejection_runs_up_the_whole_chain(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy", "dan"]).await;
    let before = app.users().await;
    let chain = roster()
        .row("new", [(BadgeNumber, "B-ada")])
        .row("ada", [(BadgeNumber, "B-bob")])
        .row("bob", [(BadgeNumber, "B-cy")])
        .row("cy", [(BadgeNumber, "B-dan")]);
    let imported = app.import(chain).await;
    assert_snapshot!(imported, @r"
    1 REJECTED new [BADGE_NUMBER_TAKEN user ada, DEPENDS_ON_REJECTED_ROW row 2]
    2 REJECTED ada [BADGE_NUMBER_TAKEN user bob, DEPENDS_ON_REJECTED_ROW row 3]
    3 REJECTED bob [BADGE_NUMBER_TAKEN user cy, DEPENDS_ON_REJECTED_ROW row 4]
    4 REJECTED cy [BADGE_NUMBER_TAKEN user dan]
    COMPLETED: 4 rows, 4 rejected
    ");
    assert_eq!(app.users().await, before);
}

async fn a_rejection_breaks_a_whole_rotation(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let broken = roster()
        .row("ada", [(Username, "bob")])
        .row("bob", [(Username, "cy"), (Phone, "12")])
        .row("cy", [(Username, "ada")]);
    assert_snapshot!(app.import(broken).await, @r"
    1 REJECTED ada [USERNAME_TAKEN user bob, DEPENDS_ON_REJECTED_ROW row 2]
    2 REJECTED bob [INVALID_PHONE, USERNAME_TAKEN user cy]
    3 REJECTED cy [USERNAME_TAKEN user ada, DEPENDS_ON_REJECTED_ROW row 1]
    COMPLETED: 3 rows, 3 rejected
    ");
}

async fn a_value_that_is_in_several_rows_is_nobodys(database: Database) {
    let app = App::start(database).await;
    let twice = roster()
        .people(["ada"])
        .row("bob", [(Email, "Ada@pd.example")])
        .row("cy", [(BadgeNumber, "B-ada")])
        .row("dan", [(Username, "ADA")])
        .row("eve", [(ExternalId, "ada")])
        .row("fay", [(ExternalId, "Ada")]);
    assert_snapshot!(app.import(twice).await, @r"
    1 REJECTED ada [DUPLICATE_IN_FILE row 5, DUPLICATE_IN_FILE row 2, DUPLICATE_IN_FILE row 3, DUPLICATE_IN_FILE row 4]
    2 REJECTED bob [DUPLICATE_IN_FILE row 1]
    3 REJECTED cy [DUPLICATE_IN_FILE row 1]
    4 REJECTED dan [DUPLICATE_IN_FILE row 1]
    5 REJECTED ada [DUPLICATE_IN_FILE row 1]
    6 CREATED Ada
    COMPLETED: 6 rows, 1 created, 5 rejected
    ");
}

async fn a_row_that_failed_its_checks_claims_nothing(database: Database) {
    let app = App::start(database).await;
    let sound_second = roster()
        .row("ada", [(Email, "no address"), (BadgeNumber, "7")])
        .row("bob", [(BadgeNumber, "7")]);
    // The badge number of row 1 is valid, but another user has it in the final state. The row's issues name that, too.
    assert_snapshot!(app.import(sound_second).await, @r"
    1 REJECTED ada [INVALID_EMAIL, BADGE_NUMBER_TAKEN row 2 user bob]
    2 CREATED bob
    COMPLETED: 2 rows, 1 created, 1 rejected
    ");
}

async fn a_row_beaten_by_a_duplicate_keeps_what_its_user_holds(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let beaten = roster()
        .row("ada", [(BadgeNumber, "B-1")])
        .row("bob", [(BadgeNumber, "B-1"), (Email, "robert@pd.example")])
        .row("new", [(Email, "bob@pd.example")]);
    assert_snapshot!(app.import(beaten).await, @r"
    1 REJECTED ada [DUPLICATE_IN_FILE row 2]
    2 REJECTED bob [DUPLICATE_IN_FILE row 1]
    3 REJECTED new [EMAIL_TAKEN user bob, DEPENDS_ON_REJECTED_ROW row 2]
    COMPLETED: 3 rows, 3 rejected
    ");
}

async fn a_rejected_row_lists_whatever_else_is_wrong(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let wrong = roster().row(
        "new",
        [
            (FirstName, ""),
            (Email, "ada@pd.example"),
            (Username, "bob"),
        ],
    );
    assert_snapshot!(app.import(wrong).await, @r"
    1 REJECTED new [REQUIRED, EMAIL_TAKEN user ada, USERNAME_TAKEN user bob]
    COMPLETED: 1 rows, 1 rejected
    ");
}

async fn a_created_user_without_external_id_gets_one(database: Database) {
    let app = App::start(database).await;
    let imported = app.import(roster().row("ada", [(ExternalId, "")])).await;
    let result = imported.row(1);
    assert!(!result.external_id.is_empty(), "{imported}");
    let user = app.user(&result.external_id).await;
    assert_eq!(
        (user.id, &*user.email),
        (result.user_id.clone(), "ada@pd.example")
    );
    // Without an external ID, the same row is another new user. By now the first one has its email.
    let again = app.import(roster().row("ada", [(ExternalId, "")])).await;
    assert_eq!(again.summary().rejected, 1, "{again}");
}
