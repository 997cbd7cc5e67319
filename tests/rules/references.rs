//! The database keeps the references of users valid, whichever program writes (semantics §8): no entry that a user
//! refers to is removed, and no user refers to an entry that does not exist.

use user_import::domain::Column::Phone;
use user_import_testing::{App, Database, is_distributed, on_both_databases, roster};

on_both_databases![
    what_a_user_refers_to_cannot_be_removed,
    a_user_cannot_refer_to_what_is_not_there,
    what_nobody_refers_to_can_be_removed;
    an_import_that_sets_no_reference_checks_none,
];

/// Makes ada, who has a rank and a group and reports to bob.
async fn department(database: Database) -> App {
    use user_import::domain::Column::{EvidenceGroupExtId, Rank, SupervisorEmail};
    let app = App::start(database).await;
    let people = roster().people(["bob"]).row(
        "ada",
        [
            (Rank, "Captain"),
            (EvidenceGroupExtId, "G-1"),
            (SupervisorEmail, "bob@pd.example"),
        ],
    );
    let imported = app.import(&people).await;
    assert_eq!(imported.summary().created, 2, "{imported}");
    app
}

async fn expect_refused(app: &App, sql: &str) {
    let error = app.database().try_execute(sql).await;
    let error = error.expect_err(sql).to_ascii_lowercase();
    assert!(
        error.contains("foreign key") || error.contains("refers to"),
        "{sql}: {error}"
    );
}

async fn what_a_user_refers_to_cannot_be_removed(database: Database) {
    let app = department(database).await;
    for (column, table) in [
        ("role_id", "roles"),
        ("rank_id", "ranks"),
        ("group_id", "evidence_groups"),
        ("supervisor_id", "users"),
    ] {
        let used = format!("id IN (SELECT {column} FROM users)");
        expect_refused(&app, &format!("DELETE FROM {table} WHERE {used}")).await;
        if table != "users" {
            let renumber = format!("UPDATE {table} SET id = id + 1000 WHERE {used}");
            expect_refused(&app, &renumber).await;
        }
    }
    assert_eq!(app.users().await.len(), 2);
}

/// PostgreSQL checks few users of one statement in another way than many.
async fn a_user_cannot_refer_to_what_is_not_there(database: Database) {
    let app = department(database).await;
    app.organization("sheriff").await;
    expect_no_stranger(&app).await;
    let names: Vec<_> = (0..40).map(|n| format!("u{n}")).collect();
    app.people(names.iter().map(String::as_str)).await;
    expect_no_stranger(&app).await;
}

async fn expect_no_stranger(app: &App) {
    for column in ["role_id", "rank_id", "group_id"] {
        expect_refused(app, &format!("UPDATE users SET {column} = 4711")).await;
    }
    // No user has this ID. The database makes it from the user's own ID by exchanging two parts.
    let nobody = "UPDATE users SET supervisor_id = last_import_id";
    expect_refused(app, nobody).await;
    // The entry exists, but belongs to another organisation.
    let elsewhere = "UPDATE users SET role_id = (SELECT max(r.id) FROM roles r \
        JOIN organizations o ON o.id = r.organization_id WHERE o.slug = 'sheriff') + 4711";
    expect_refused(app, elsewhere).await;
}

async fn what_nobody_refers_to_can_be_removed(database: Database) {
    let app = department(database).await;
    app.database()
        .execute("UPDATE users SET rank_id = NULL, supervisor_id = NULL; DELETE FROM ranks")
        .await;
    app.database()
        .execute("DELETE FROM users WHERE external_id = 'bob'")
        .await;
    assert_eq!(app.users().await.len(), 1);
}

/// Updates by other programs are checked, whichever columns they set.
async fn an_import_that_sets_no_reference_checks_none() {
    if is_distributed("foreign keys check the references of a distributed database") {
        return;
    }
    let app = department(Database::Postgres).await;
    let names: Vec<_> = (0..600).map(|n| format!("u{n}")).collect();
    app.people(names.iter().map(String::as_str)).await;
    let refusing = "CREATE OR REPLACE FUNCTION users_expect_references() RETURNS trigger \
        LANGUAGE plpgsql AS $$ BEGIN RAISE foreign_key_violation; END $$";
    app.database().execute(refusing).await;
    let people = names.iter().fold(roster(), |people, name| {
        people.row(name, [(Phone, "+12025550143")])
    });
    let imported = app.import(&people).await;
    assert_eq!(imported.summary().updated, 600, "{imported}");
    for set in ["phone = NULL", "rank_id = rank_id"] {
        let update = format!("UPDATE users SET {set}");
        let error = app.database().try_execute(&update).await;
        let error = error.expect_err(set);
        assert!(error.contains("foreign_key_violation"), "{error}");
    }
}
