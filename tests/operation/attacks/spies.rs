//! A caller that may import but not read, and that tries to see other callers' data.

use std::fmt::Write;

use tonic::{Code, Status};
use user_import::{
    domain::{Column::Phone, Permission},
    proto::{
        BeginImportRequest, FinishImportRequest, ImportFinish, ImportStart, WatchImportRequest,
        watch_import_response::Message as Watched,
    },
};

use super::attacked_server::AttackedServer;
use user_import_testing::{App, Database, on_both_databases, roster, rpcs, start_of};

on_both_databases![
    an_import_id_of_another_principal_opens_nothing,
    every_rpc_tells_a_stranger_the_same_of_what_is_there_and_what_is_not,
];

/// The import that the spy asks about.
const ID: &str = "018f4e9e-5c7b-7000-8000-00000000beef";

/// A value that no other caller may see.
const SECRET: &str = "+12025550177";

fn with_id(include_values: bool) -> ImportStart {
    ImportStart {
        import_id: ID.to_owned(),
        include_values,
        ..start_of("pd")
    }
}

async fn begin(caller: &App) -> Result<(), Status> {
    let request = BeginImportRequest {
        start: Some(with_id(false)),
        ..BeginImportRequest::default()
    };
    caller.imports().begin_import(request).await.map(drop)
}

/// Returns all messages of a watch, as text.
async fn watch(caller: &App) -> Result<String, Status> {
    let request = WatchImportRequest {
        organization: "pd".to_owned(),
        import_id: ID.to_owned(),
        ..WatchImportRequest::default()
    };
    let mut answers = caller.imports().watch_import(request).await?.into_inner();
    let mut told = String::new();
    while let Some(answer) = answers.message().await? {
        let is_last = matches!(answer.message, Some(Watched::Summary(_)));
        write!(told, "{answer:?}").expect("a text takes what is written");
        if is_last {
            break;
        }
    }
    Ok(told)
}

async fn an_import_id_of_another_principal_opens_nothing(database: Database) {
    let attacked_server = AttackedServer::start(database, &[]).await;
    let owner = attacked_server.caller("pd", Permission::ALL).await;
    let spy = attacked_server
        .caller("pd", [Permission::UsersImport])
        .await;
    let people = || roster().row("ada", [(Phone, SECRET)]);

    // The import exists: its ID is in use, and still belongs to its owner.
    let imported = owner.import_with(with_id(true), people()).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    let taken = begin(&spy).await.expect_err("the ID is in use");
    assert!(!format!("{taken:?}").contains(SECRET), "{taken:?}");
    let watched = watch(&spy)
        .await
        .expect_err("what others import is not told");
    assert_eq!(watched.code(), Code::PermissionDenied, "{watched}");
    let sent = spy
        .import_with(with_id(false), roster().people(["bob"]))
        .await;
    assert_ne!(sent.code(), Code::Ok, "{sent}");
    assert!(!format!("{sent:?}").contains(SECRET), "{sent:?}");
    let finish = FinishImportRequest {
        organization: "pd".to_owned(),
        import_id: ID.to_owned(),
        finish: Some(ImportFinish::default()),
    };
    spy.imports()
        .finish_import(finish)
        .await
        .expect_err("it is not the spy's");
    assert!(watch(&owner).await.is_ok_and(|told| told.contains("ada")));
    attacked_server.expect_unharmed().await;
}

async fn every_rpc_tells_a_stranger_the_same_of_what_is_there_and_what_is_not(database: Database) {
    let attacked_server = AttackedServer::start(database, &[]).await;
    let stranger = attacked_server.caller("sheriff", Permission::ALL).await;
    for path in rpcs::all().iter().filter(|path| !rpcs::is_global(path)) {
        let there = rpcs::answer(&stranger, path, "pd").await;
        let nowhere = rpcs::answer(&stranger, path, "nowhere").await;
        assert!(there.starts_with("PermissionDenied"), "{path}: {there}");
        assert_eq!(there, nowhere, "{path}");
    }
    attacked_server.expect_unharmed().await;
}
