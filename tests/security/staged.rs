//! Only the caller who began an upload may add to it and finish it, and only as long as that caller may import. Callers
//! who may read users may watch its import, too. Uploads of one organisation do not affect another one.

use tonic::Code;
use user_import::{
    domain::Permission,
    proto::{ImportFinish, ImportStart, append_import_request::Content},
};

use user_import_testing::{
    App, Database, every_missing_user, finish_of, on_both_databases, roster, rpcs::status_line,
    start_of, token,
};

on_both_databases![
    an_upload_is_its_beginners_alone,
    whoever_ran_an_import_may_watch_it_without_reading_users,
    what_the_options_need_is_looked_at_at_the_beginning_and_at_the_end,
    another_organisation_s_upload_is_as_if_it_did_not_exist,
    a_credential_revoked_before_the_finish_writes_nothing,
];

const ID: &str = "018f4e9e-5c7b-7000-8000-00000000000b";

fn start() -> ImportStart {
    ImportStart {
        import_id: ID.to_owned(),
        ..start_of("pd")
    }
}

/// Otherwise another caller could add a row to a roster that is imported with the first caller's permissions.
async fn an_upload_is_its_beginners_alone(database: Database) {
    let app = App::start(database).await;
    let import = || token("pd", [Permission::UsersImport]);
    let (one, other) = (app.holding(import()).await, app.holding(import()).await);
    let csv = roster().people(["ada"]).csv().into_bytes();
    one.begin_upload(start()).await.unwrap();
    one.append(ID, 0, &csv).await.unwrap();
    let slipped = other.append(ID, csv.len() as u64, "x").await.unwrap_err();
    insta::assert_snapshot!(status_line(&slipped), @"PermissionDenied OTHER_CREDENTIAL: This upload was \
        begun with another credential. Only that credential may add to it and finish it; begin an \
        upload of your own.");
    let read = other.append(ID, 0, &csv[..1]).await.unwrap_err();
    assert_eq!(status_line(&read), status_line(&slipped));
    let finished = other.finish(ID, finish_of(&csv)).await.unwrap_err();
    assert_eq!(status_line(&finished), status_line(&slipped));
    let begun = other.begin_upload(start()).await.unwrap_err();
    assert!(
        status_line(&begun).starts_with("AlreadyExists IMPORT_ID_IN_USE"),
        "{begun}"
    );
    let imported = one.finish_and_watch("pd", ID, finish_of(&csv)).await;
    assert_eq!(imported.results[0].external_id, "ada");
}

async fn whoever_ran_an_import_may_watch_it_without_reading_users(database: Database) {
    let app = App::start(database).await;
    let import = || token("pd", [Permission::UsersImport]);
    let (one, other) = (app.holding(import()).await, app.holding(import()).await);
    let csv = roster().people(["ada"]).csv().into_bytes();
    let imported = one.import_in_parts(start(), &csv, []).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    let denied = other.watch_in("pd", ID).await;
    insta::assert_snapshot!(status_line(&denied.status), @"PermissionDenied PERMISSION_MISSING: This needs the permission users.read, which this credential does not have.");
    // An import from a stream belongs to its sender, too. An import that does not exist is denied in the same way as
    // that of another caller.
    let streamed = one.import(roster().people(["bob"])).await;
    let seen = one.watch_in("pd", streamed.import_id()).await;
    assert_eq!(seen.results, streamed.results, "{seen}");
    for (organization, id) in [
        ("pd", "018f4e9e-5c7b-7000-8000-0000000000ff"),
        ("nowhere", ID),
        ("pd", "x"),
    ] {
        let hidden = one.watch_in(organization, id).await;
        assert_eq!(
            status_line(&hidden.status),
            status_line(&denied.status),
            "{id}"
        );
    }
    let reader = app.holding(token("pd", [Permission::UsersRead])).await;
    let read = reader.watch_in("pd", ID).await;
    assert_eq!(read.results, imported.results);
}

async fn what_the_options_need_is_looked_at_at_the_beginning_and_at_the_end(database: Database) {
    let app = App::start(database).await;
    let writer = app.holding(token("pd", [Permission::UsersImport])).await;
    let values = ImportStart {
        include_values: true,
        ..start()
    };
    let missing = ImportStart {
        deactivate_missing: Some(every_missing_user()),
        ..start()
    };
    for (start, needed) in [
        (values, "users.read"),
        (missing.clone(), "users.deactivate"),
    ] {
        let denied = writer.begin_upload(start).await.unwrap_err();
        assert_eq!(denied.code(), Code::PermissionDenied);
        assert!(denied.message().contains(needed), "{denied}");
    }
    let both = [Permission::UsersImport, Permission::UsersDeactivate];
    let allowed = app.holding(token("pd", both)).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    allowed.begin_upload(missing).await.unwrap();
    allowed.append(ID, 0, &csv).await.unwrap();
    app.tamper(
        "UPDATE tokens SET permissions = 'users.import' \
         WHERE permissions = 'users.import users.deactivate'",
    )
    .await;
    let denied = allowed.finish(ID, finish_of(&csv)).await.unwrap_err();
    assert!(denied.message().contains("users.deactivate"), "{denied}");
    // The upload has not changed.
    app.tamper(
        "UPDATE tokens SET permissions = 'users.import users.deactivate users.read' \
         WHERE permissions = 'users.import'",
    )
    .await;
    let imported = allowed.finish_and_watch("pd", ID, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn another_organisation_s_upload_is_as_if_it_did_not_exist(database: Database) {
    let app = App::start(database).await;
    app.organization("sheriff").await;
    let import = [Permission::UsersImport];
    let pd = app.holding(token("pd", import)).await;
    let sheriff = app.holding(token("sheriff", import)).await;
    pd.begin_upload(start()).await.unwrap();
    pd.append(ID, 0, "EMAIL").await.unwrap();
    for organization in ["pd", "nowhere"] {
        let content = Content::CsvChunk("EMAIL".into());
        let denied = sheriff
            .append_to(organization, ID, 0, content)
            .await
            .unwrap_err();
        insta::assert_snapshot!(status_line(&denied), @"PermissionDenied OTHER_ORGANIZATION: This credential is not for that organisation.");
        let denied = sheriff
            .finish_in(organization, ID, ImportFinish::default())
            .await
            .unwrap_err();
        assert!(
            status_line(&denied).contains("OTHER_ORGANIZATION"),
            "{denied}"
        );
        let denied = sheriff
            .begin_upload(start_of(organization))
            .await
            .unwrap_err();
        assert!(
            status_line(&denied).contains("OTHER_ORGANIZATION"),
            "{denied}"
        );
    }
    // In the other organisation, the same ID is another import.
    let own = ImportStart {
        organization: "sheriff".to_owned(),
        ..start()
    };
    let content = Content::CsvChunk("EMAIL".into());
    let unknown = sheriff
        .append_to("sheriff", ID, 0, content)
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound, "{unknown}");
    assert_eq!(sheriff.begin_upload(own).await.unwrap().1, 0);
    assert_eq!(pd.begin_upload(start()).await.unwrap().1, 5);
}

async fn a_credential_revoked_before_the_finish_writes_nothing(database: Database) {
    let app = App::start(database).await;
    let (id, text) = app
        .create_token(token("pd", [Permission::UsersImport]))
        .await;
    let reader = app.holding(token("pd", [Permission::UsersRead])).await;
    let holder = app.presenting(&text);
    let csv = roster().people(["ada"]).csv().into_bytes();
    holder.begin_upload(start()).await.unwrap();
    holder.append(ID, 0, &csv).await.unwrap();
    app.revoke(id).await;
    let denied = holder.finish(ID, finish_of(&csv)).await.unwrap_err();
    assert_eq!(denied.code(), Code::Unauthenticated, "{denied}");
    assert!(reader.users().await.is_empty());
}
