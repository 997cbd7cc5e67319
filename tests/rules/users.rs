//! One user: found by each key, protected and no longer protected (api.md, `GetUser` and `SetUserProtected`).

use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use user_import::proto::{GetUserRequest, User, get_user_request::Key};

use user_import_testing::{App, Database, on_both_databases};

on_both_databases![
    a_user_is_found_by_each_key,
    whoever_is_not_there_is_not_found,
    protection_can_be_set_and_ended,
];

fn code<T>(result: Result<T, Status>) -> Option<Code> {
    result.err().map(|status| status.code())
}

async fn get(app: &App, key: Option<Key>) -> Result<User, Status> {
    let request = GetUserRequest {
        organization: "pd".to_owned(),
        key,
    };
    let response = app.directory().get_user(request).await?;
    Ok(response.into_inner().user.expect("the answer has a user"))
}

async fn a_user_is_found_by_each_key(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let ada = app.user("ada").await;
    for key in [
        Key::UserId(ada.id.clone()),
        Key::UserId(ada.id.to_uppercase()),
        Key::ExternalId("ada".to_owned()),
        Key::Email("ada@pd.example".to_owned()),
        Key::Email(" ADA@pd.EXAMPLE ".to_owned()),
    ] {
        let found = get(&app, Some(key.clone())).await;
        assert_eq!(found.ok().as_ref(), Some(&ada), "{key:?}");
    }
}

async fn whoever_is_not_there_is_not_found(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let long = "x".repeat(100_000);
    for key in [
        Key::UserId("018f4e9e-5c7b-7000-8000-000000000001".to_owned()),
        Key::ExternalId("Ada".to_owned()),
        Key::ExternalId(String::new()),
        // PostgreSQL could not search for such a text.
        Key::ExternalId("ada\0".to_owned()),
        Key::Email("ada\0@pd.example".to_owned()),
        Key::Email(long),
    ] {
        let status = get(&app, Some(key)).await.expect_err("nobody has it");
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        let resource = status
            .get_details_resource_info()
            .expect("the details name it");
        assert_eq!(resource.resource_type, "user");
        assert!(status.message().len() < 2_000, "{}", status.message().len());
    }
    for key in [None, Some(Key::UserId("ada".to_owned()))] {
        assert_eq!(code(get(&app, key).await), Some(Code::InvalidArgument));
    }
}

async fn protection_can_be_set_and_ended(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let before = app.user("ada").await;
    for protected in [true, true, false] {
        let user = app.set_protected(&before.id, protected).await;
        assert_eq!(user.expect("ada is there").protected, protected);
        assert_eq!(app.user("ada").await.protected, protected);
    }
    for (user_id, expected) in [
        ("ada", Code::InvalidArgument),
        ("018f4e9e-5c7b-7000-8000-000000000001", Code::NotFound),
    ] {
        assert_eq!(code(app.set_protected(user_id, true).await), Some(expected));
    }
}
