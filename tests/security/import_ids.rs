//! Nobody can take an import ID that another principal uses. Its results stay with that principal.

use tonic::Code;
use user_import::{
    domain::{
        Column::LastName,
        Permission::{self, UsersImport, UsersRead},
    },
    proto::{ImportStart, ImportState},
};

use user_import_testing::{
    App, Database, finish_of, on_both_databases, roster, rpcs::status_line, start_of, token,
};

on_both_databases![
    nobody_takes_the_id_of_an_upload_that_is_open,
    nobody_takes_the_id_of_an_attempt_that_ended,
    nobody_takes_the_id_of_an_import_that_is_written,
    whoever_spies_under_another_ones_id_gets_nothing,
    of_two_who_begin_at_once_one_has_the_id,
];

const ID: &str = "018f4e9e-5c7b-7000-8000-0000000000d2";
const IN_USE: &str = "AlreadyExists IMPORT_ID_IN_USE: Import ID \
    018f4e9e-5c7b-7000-8000-0000000000d2 is in use by another credential; choose another ID, or \
    send it with the credential that used it first.";

fn start() -> ImportStart {
    ImportStart {
        import_id: ID.to_owned(),
        ..start_of("pd")
    }
}

fn dry() -> ImportStart {
    ImportStart {
        validate_only: true,
        ..start()
    }
}

async fn two(app: &App) -> (App, App) {
    let one = app.holding(token("pd", [UsersImport, UsersRead])).await;
    let other = app.holding(token("pd", [UsersImport])).await;
    (one, other)
}

/// Every call that would begin something under the ID is refused.
async fn expect_in_use(other: &App, starts: &[ImportStart]) {
    for start in starts {
        let begun = other.begin_upload(start.clone()).await.unwrap_err();
        assert_eq!(status_line(&begun), IN_USE);
        let sent = other
            .import_with(start.clone(), roster().people(["eve"]))
            .await;
        assert_eq!(status_line(&sent.status), IN_USE);
        assert!(sent.results.is_empty() && sent.started.is_empty(), "{sent}");
    }
}

async fn nobody_takes_the_id_of_an_upload_that_is_open(database: Database) {
    let app = App::start(database).await;
    let (one, other) = two(&app).await;
    let csv: Vec<u8> = roster().people(["ada"]).into();
    one.begin_upload(start()).await.unwrap();
    one.append(ID, 0, &csv).await.unwrap();
    expect_in_use(&other, &[start(), dry()]).await;
    let imported = one.finish_and_watch("pd", ID, finish_of(&csv)).await;
    assert_eq!(imported.results[0].external_id, "ada", "{imported}");
}

async fn nobody_takes_the_id_of_an_attempt_that_ended(database: Database) {
    let app = App::start(database).await;
    let (one, other) = two(&app).await;
    let tried = one.import_with(dry(), roster().people(["ada"])).await;
    assert_eq!(tried.code(), Code::Ok, "{tried}");
    let before = one.import_record(ID).await.unwrap();
    expect_in_use(&other, &[start(), dry()]).await;
    assert_eq!(one.import_record(ID).await.unwrap(), before);
    let refused = one.import_with(start(), "EMAIL\n").await;
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    let before = one.import_record(ID).await.unwrap();
    assert_eq!(before.state(), ImportState::Refused);
    expect_in_use(&other, &[start(), dry()]).await;
    assert_eq!(one.import_record(ID).await.unwrap(), before);
    // Its own principal can still use it.
    let imported = one.import_with(start(), roster().people(["ada"])).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

/// A caller who cannot send the same roster learns nothing of a bound ID, and cannot put an upload in its place.
async fn nobody_takes_the_id_of_an_import_that_is_written(database: Database) {
    let app = App::start(database).await;
    let (one, other) = two(&app).await;
    let imported = one.import_with(start(), roster().people(["ada"])).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    for start in [start(), dry()] {
        let begun = other.begin_upload(start).await.unwrap_err();
        assert_eq!(status_line(&begun), IN_USE);
    }
    let sent = other.import_with(start(), roster().people(["eve"])).await;
    assert!(
        status_line(&sent.status).starts_with("AlreadyExists IMPORT_ID_BOUND"),
        "{sent}"
    );
    assert!(sent.results.is_empty(), "{sent}");
    let again = one.watch_in("pd", ID).await;
    assert_eq!(again.results, imported.results);
    // The same roster with the same options is answered from the record (semantics §8).
    let replayed = other.import_with(start(), roster().people(["ada"])).await;
    assert_eq!(replayed.results, imported.results, "{replayed}");
}

async fn whoever_spies_under_another_ones_id_gets_nothing(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let (one, spy) = two(&app).await;
    let with_values = ImportStart {
        include_values: true,
        ..start()
    };
    let csv: Vec<u8> = roster().row("ada", [(LastName, "Secret")]).into();
    one.begin_upload(with_values.clone()).await.unwrap();
    one.append(ID, 0, &csv).await.unwrap();
    expect_in_use(&spy, &[start(), dry()]).await;
    for _ in 0..2 {
        let begun = spy.begin_upload(start()).await.unwrap_err();
        assert_eq!(status_line(&begun), IN_USE);
        let denied = spy.watch_in("pd", ID).await;
        assert!(
            status_line(&denied.status).contains("PERMISSION_MISSING"),
            "{denied}"
        );
        assert!(denied.results.is_empty(), "{denied}");
        let imported = one.finish_and_watch("pd", ID, finish_of(&csv)).await;
        assert_eq!(imported.summary().updated, 1, "{imported}");
    }
}

async fn of_two_who_begin_at_once_one_has_the_id(database: Database) {
    let app = App::start(database).await;
    let one = app.holding(token("pd", Permission::ALL)).await;
    let other = app.holding(token("pd", Permission::ALL)).await;
    let (first, second) = tokio::join!(
        one.import_with(start(), roster().people(["ada"])),
        other.import_with(start(), roster().people(["bob"])),
    );
    let codes = [first.code(), second.code()];
    assert!(codes.contains(&Code::Ok), "{first}\n{second}");
    assert!(codes.contains(&Code::AlreadyExists), "{first}\n{second}");
    assert_eq!(one.users().await.len(), 1);
}
