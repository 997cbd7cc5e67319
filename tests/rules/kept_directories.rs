//! What a server knows of a directory from an earlier import is what the database has, whoever has written
//! since and by whatever means (semantics §3: one snapshot of the directory).

use tokio::time::timeout;
use user_import::{
    domain::{Column::FirstName, User},
    store::{Snapshot, Store},
};

use user_import_testing::{App, Database, PATIENCE, on_both_databases, roster, start_of};

on_both_databases![
    who_was_changed_by_hand_is_seen_so_by_the_next_import,
    who_was_removed_by_hand_is_made_again;
    // SQLite does not tell what has changed, and all is read.
    a_change_that_was_under_way_while_the_directory_was_read_is_seen_once_it_is_there,
    what_has_not_changed_is_not_read_again,
    who_is_replaced_by_somebody_else_is_noticed,
    nothing_is_kept_where_there_is_no_room_for_it,
    organisations_are_kept_apart,
    another_table_in_the_place_of_the_one_that_is_known_is_read,
    other_columns_in_the_place_of_those_that_are_known_are_read,
];

const PEOPLE: [&str; 8] = ["ada", "bob", "cyd", "dee", "eve", "fay", "gus", "hal"];

/// Reads the directory, and changes nothing.
async fn look(app: &App) {
    let mut start = start_of("pd");
    start.validate_only = true;
    let looked = app.import_with(start, roster().people(PEOPLE)).await;
    assert_eq!(looked.summary().rows, 8, "{looked}");
}

async fn department(database: Database) -> App {
    let app = App::start(database).await;
    app.people(PEOPLE).await;
    look(&app).await;
    app
}

async fn who_was_changed_by_hand_is_seen_so_by_the_next_import(database: Database) {
    let app = department(database).await;
    let sql = "UPDATE users SET first_name = 'Bo' WHERE external_id = 'bob'";
    app.database().execute(sql).await;
    let imported = app.import(roster().people(PEOPLE)).await;
    let summary = imported.summary();
    assert_eq!((summary.updated, summary.unchanged), (1, 7), "{imported}");
    // What the import itself has written is known, too.
    let again = app.import(roster().people(PEOPLE)).await;
    assert_eq!(again.summary().unchanged, 8, "{again}");
}

async fn who_was_removed_by_hand_is_made_again(database: Database) {
    let app = department(database).await;
    let sql = "DELETE FROM users WHERE external_id = 'bob'";
    app.database().execute(sql).await;
    let imported = app.import(roster().people(PEOPLE)).await;
    let summary = imported.summary();
    assert_eq!((summary.created, summary.unchanged), (1, 7), "{imported}");
}

async fn a_change_that_was_under_way_while_the_directory_was_read_is_seen_once_it_is_there() {
    let app = department(Database::Postgres).await;
    let sql = "UPDATE users SET first_name = 'Bo' WHERE external_id = 'bob'";
    let begun = app.database().begin(sql).await;
    // Others come and go meanwhile.
    let sql = "UPDATE organizations SET display_name = 'Riverton'";
    app.database().execute(sql).await;
    look(&app).await;
    begun.commit("SELECT 1").await;
    let imported = app.import(roster().people(PEOPLE)).await;
    assert_eq!(imported.summary().updated, 1, "{imported}");
}

/// A store that keeps directories, beside the server of an app with people.
async fn beside(bytes: usize) -> (App, Store, i64) {
    let app = App::start(Database::Postgres).await;
    app.people(PEOPLE).await;
    let store = app.store().await.with_directory_cache(bytes);
    let organization = store.organization("pd").await.expect("it is there").id;
    (app, store, organization)
}

async fn read(store: &Store, organization: i64) -> Snapshot {
    let snapshot = store.snapshot(organization).await;
    snapshot.expect("the directory can be read")
}

/// First names, by external ID.
fn first_names(users: &[User]) -> Vec<&str> {
    let mut users: Vec<&User> = users.iter().collect();
    users.sort_by_key(|user| user.external_id());
    users.into_iter().map(User::first_name).collect()
}

/// Reads the directory until nothing of it is read any more: transactions of others on the same server, in
/// any database, may still count as under way for a while.
async fn settled(store: &Store, organization: i64) -> Snapshot {
    let settling = async {
        loop {
            let snapshot = read(store, organization).await;
            if snapshot.read == 0 {
                return snapshot;
            }
            tokio::task::yield_now().await;
        }
    };
    let settled = timeout(PATIENCE, settling).await;
    settled.expect("what has not changed is known after a while")
}

async fn what_has_not_changed_is_not_read_again() {
    let (app, store, pd) = beside(1 << 20).await;
    assert_eq!(read(&store, pd).await.read, 8);
    assert_eq!(settled(&store, pd).await.users.len(), 8);
    let changed = roster().row("bob", [(FirstName, "Bo")]);
    assert_eq!(app.import(changed).await.summary().updated, 1);
    // As an idle server does.
    store
        .refresh_cached_directory(pd, 8)
        .await
        .expect("it can be read");
    let again = settled(&store, pd).await;
    let names = ["ada", "Bo", "cyd", "dee", "eve", "fay", "gus", "hal"];
    assert_eq!(first_names(&again.users), names);
    assert!(again.users.is_sorted_by_key(|user| user.id));
}

async fn who_is_replaced_by_somebody_else_is_noticed() {
    let (app, store, pd) = beside(1 << 20).await;
    settled(&store, pd).await;
    // As many as before.
    let sql = "DELETE FROM users WHERE external_id = 'bob'";
    app.database().execute(sql).await;
    app.people(["zoe"]).await;
    let snapshot = read(&store, pd).await;
    let names = ["ada", "cyd", "dee", "eve", "fay", "gus", "hal", "zoe"];
    assert_eq!(first_names(&snapshot.users), names);
    assert!(snapshot.read > 0);
}

async fn nothing_is_kept_where_there_is_no_room_for_it() {
    let (_app, store, pd) = beside(100).await;
    for _ in 0..2 {
        assert_eq!(read(&store, pd).await.read, 8);
        store
            .refresh_cached_directory(pd, 8)
            .await
            .expect("nothing is to be done");
    }
}

async fn organisations_are_kept_apart() {
    let (app, store, pd) = beside(1 << 20).await;
    app.organization("fire").await;
    let people = roster().people(["ada"]);
    app.import_with(start_of("fire"), people).await;
    let fire = store.organization("fire").await.expect("it is there").id;
    for _ in 0..2 {
        assert_eq!(settled(&store, pd).await.users.len(), 8);
        assert_eq!(settled(&store, fire).await.users.len(), 1);
    }
}

async fn another_table_in_the_place_of_the_one_that_is_known_is_read() {
    let (app, store, pd) = beside(1 << 20).await;
    let sql = "CREATE TABLE earlier (LIKE users INCLUDING ALL); \
        INSERT INTO earlier SELECT * FROM users";
    app.database().execute(sql).await;
    let changed = roster().row("bob", [(FirstName, "Bo")]);
    assert_eq!(app.import(changed).await.summary().updated, 1);
    let known = settled(&store, pd).await;
    assert!(first_names(&known.users).contains(&"Bo"));
    // What an operator does who takes an import back: nobody in it has been written since.
    let sql = "ALTER TABLE users RENAME TO later; ALTER TABLE earlier RENAME TO users";
    app.database().execute(sql).await;
    assert_eq!(first_names(&read(&store, pd).await.users), PEOPLE);
}

async fn other_columns_in_the_place_of_those_that_are_known_are_read() {
    let (app, store, pd) = beside(1 << 20).await;
    let known = settled(&store, pd).await;
    assert_eq!(first_names(&known.users), PEOPLE);
    let sql = "ALTER TABLE users RENAME first_name TO given; \
        ALTER TABLE users RENAME last_name TO first_name; \
        ALTER TABLE users RENAME given TO last_name";
    app.database().execute(sql).await;
    let now = read(&store, pd).await;
    assert_eq!(now.read, 8);
    assert_ne!(first_names(&now.users), PEOPLE);
}
