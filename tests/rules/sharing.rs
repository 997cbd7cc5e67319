//! Servers that share a database, and the data that outlives them (semantics §8).

use user_import::proto::ImportStart;

use user_import_testing::{App, Database, on_both_databases, roster, start_of};

on_both_databases![
    an_import_keeps_the_id_that_its_client_chose,
    two_servers_share_one_directory,
    users_outlive_the_server,
];

async fn an_import_keeps_the_id_that_its_client_chose(database: Database) {
    let app = App::start(database).await;
    let start = ImportStart {
        import_id: "018f4e9e-5c7b-7000-8000-000000000001".to_owned(),
        ..start_of("pd")
    };
    let imported = app.import_with(start, roster().people(["ada"])).await;
    assert_eq!(imported.import_id(), "018f4e9e-5c7b-7000-8000-000000000001");
    let user = app.user("ada").await;
    assert_eq!(user.last_import_id, imported.import_id());
}

async fn two_servers_share_one_directory(database: Database) {
    let one = App::start(database).await;
    let other = one.another_server().await;
    one.people(["ada"]).await;
    other.people(["bob"]).await;
    assert_eq!(one.export().await, other.export().await);
    assert_eq!(one.users().await.len(), 2);
}

async fn users_outlive_the_server(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let app = app.restart().await;
    assert_eq!(app.user("ada").await.email, "ada@pd.example");
}
