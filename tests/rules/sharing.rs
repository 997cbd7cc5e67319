//! Imports that are sent again, and servers that share a database (semantics §8).

use tonic::Code;
use user_import::proto::ImportStart;

use crate::support::{App, Database, on_both_databases, roster, start_of};

on_both_databases![
    the_same_import_again_answers_with_its_record,
    an_import_id_with_other_input_is_refused,
    two_servers_share_one_directory,
    users_outlive_the_server,
];

fn named(import_id: &str) -> ImportStart {
    ImportStart {
        import_id: import_id.to_owned(),
        ..start_of("pd")
    }
}

const IMPORT_ID: &str = "018f4e9e-5c7b-7000-8000-000000000001";

async fn the_same_import_again_answers_with_its_record(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada", "bob"]).csv();
    let first = app.import_with(named(IMPORT_ID), csv.clone()).await;
    assert_eq!(first.import_id(), IMPORT_ID);

    let again = app.import_with(named(IMPORT_ID), csv).await;
    assert_eq!(again.to_string(), first.to_string());
    assert!(again.started.iter().all(|started| started.resumed));
}

async fn an_import_id_with_other_input_is_refused(database: Database) {
    let app = App::start(database).await;
    app.import_with(named(IMPORT_ID), roster().people(["ada"]))
        .await;
    let other = roster().people(["bob"]);
    let imported = app.import_with(named(IMPORT_ID), other).await;
    assert_eq!(imported.code(), Code::AlreadyExists, "{imported}");
    assert_eq!(app.users().await.len(), 1);
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
