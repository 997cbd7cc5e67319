//! The rows of a file are one set and no list (semantics §5): each is judged by the state after the whole import.

use insta::assert_snapshot;
use user_import::domain::Column::{BadgeNumber, Email, SupervisorEmail, Username};

use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![
    two_users_may_swap_badge_numbers,
    three_users_may_rotate_usernames,
    a_new_user_may_take_the_email_another_row_frees,
    a_supervisor_may_come_after_its_reports,
    users_who_need_each_other_in_a_circle_are_created_together,
    a_row_that_counted_on_a_rejected_row_is_rejected_in_turn,
];

async fn two_users_may_swap_badge_numbers(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;

    let swapped = roster()
        .row("ada", [(BadgeNumber, "B-bob")])
        .row("bob", [(BadgeNumber, "B-ada")]);
    assert_snapshot!(app.import(swapped).await, @r"
    1 UPDATED ada: BADGE_NUMBER
    2 UPDATED bob: BADGE_NUMBER
    COMPLETED: 2 rows, 2 updated
    ");
    assert_eq!(app.user("ada").await.badge_number, "B-bob");
    assert_eq!(app.user("bob").await.badge_number, "B-ada");
}

async fn three_users_may_rotate_usernames(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;

    let rotated = roster()
        .row("ada", [(Username, "bob")])
        .row("bob", [(Username, "cy")])
        .row("cy", [(Username, "ada")]);
    assert_eq!(app.import(rotated).await.summary().updated, 3);
    let users = app.users().await;
    let usernames: Vec<_> = users.iter().map(|user| user.username.as_str()).collect();
    assert_eq!(usernames, ["bob", "cy", "ada"]);
}

async fn a_new_user_may_take_the_email_another_row_frees(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;

    let taken_over = roster()
        .row("new", [(Email, "ada@pd.example")])
        .row("ada", [(Email, "ada.lovelace@pd.example")]);
    assert_snapshot!(app.import(taken_over).await, @r"
    1 CREATED new
    2 UPDATED ada: EMAIL
    COMPLETED: 2 rows, 1 created, 1 updated
    ");
}

async fn a_supervisor_may_come_after_its_reports(database: Database) {
    let app = App::start(database).await;
    let reports_first = roster()
        .row("bob", [(SupervisorEmail, "ada@pd.example")])
        .people(["ada"]);
    assert_snapshot!(app.import(reports_first).await, @r"
    1 CREATED bob
    2 CREATED ada
    COMPLETED: 2 rows, 2 created
    ");
    assert_eq!(app.user("bob").await.supervisor_email, "ada@pd.example");
}

/// Each of the three new users needs another row to be written first: a report needs its supervisor, and "bob" needs
/// the email that "old" gives up. "old" reports to one of the new users.
async fn users_who_need_each_other_in_a_circle_are_created_together(database: Database) {
    let app = App::start(database).await;
    app.people(["old"]).await;

    let circle = roster()
        .row("ada", [(SupervisorEmail, "dan@pd.example")])
        .row("dan", [(SupervisorEmail, "old@pd.example")])
        .row("bob", [(Email, "old@pd.example")])
        .row(
            "old",
            [
                (Email, "new@pd.example"),
                (SupervisorEmail, "ada@pd.example"),
            ],
        );
    let imported = app.import(circle).await;
    assert_snapshot!(imported, @r"
    1 CREATED ada
    2 CREATED dan
    3 CREATED bob
    4 UPDATED old: EMAIL, SUPERVISOR_EMAIL
    COMPLETED: 4 rows, 3 created, 1 updated
    ");
    for (user, supervisor) in [("ada", "dan"), ("dan", "old"), ("old", "ada")] {
        let email = app.user(user).await.supervisor_email;
        assert_eq!(email, format!("{supervisor}@pd.example"), "{user}");
    }
}

async fn a_row_that_counted_on_a_rejected_row_is_rejected_in_turn(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;

    let counted_on = roster()
        .row("new", [(BadgeNumber, "B-ada")])
        .row("ada", [(BadgeNumber, "B-9"), (Email, "not an address")]);
    assert_snapshot!(app.import(counted_on).await, @r"
    1 REJECTED new [BADGE_NUMBER_TAKEN user ada, DEPENDS_ON_REJECTED_ROW row 2]
    2 REJECTED ada [INVALID_EMAIL]
    COMPLETED: 2 rows, 2 rejected
    ");
}
