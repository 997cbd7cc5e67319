//! Which users are listed and exported, and in what order (api.md, `ListUsers` and `ExportUsers`).

use tonic::{Code, Status};
use user_import::{
    domain::Column::{
        BadgeNumber, EvidenceGroupExtId, FirstName, LastName, Role, Status as StatusColumn,
    },
    proto::{ExportUsersRequest, ListOrganizationsRequest, ListUsersRequest, UserStatus},
};

use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![
    users_come_in_pages_by_external_id,
    a_page_token_that_is_not_ours_is_refused,
    status_role_and_group_select_users,
    a_text_is_found_in_any_case,
    an_unknown_name_in_a_filter_is_refused,
    an_export_has_the_users_that_the_filters_select,
];

fn code<T>(result: Result<T, Status>) -> Option<Code> {
    result.err().map(|status| status.code())
}

fn everybody() -> ListUsersRequest {
    ListUsersRequest {
        organization: "pd".to_owned(),
        ..ListUsersRequest::default()
    }
}

/// Returns the external IDs of the users on each page.
async fn pages(app: &App, mut request: ListUsersRequest) -> Result<Vec<Vec<String>>, Status> {
    let mut pages = Vec::new();
    loop {
        let page = app
            .directory()
            .list_users(request.clone())
            .await?
            .into_inner();
        pages.push(
            page.users
                .into_iter()
                .map(|user| user.external_id)
                .collect(),
        );
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(pages);
        }
    }
}

async fn users_come_in_pages_by_external_id(database: Database) {
    let app = App::start(database).await;
    // In the order of their bytes: capitals first, and texts that are not ASCII last.
    app.people(["b", "é", "10", "A", "9", "Z"]).await;
    let listed = pages(
        &app,
        ListUsersRequest {
            page_size: 4,
            ..everybody()
        },
    )
    .await;
    let listed = listed.expect("users can be listed");
    assert_eq!(listed, [vec!["10", "9", "A", "Z"], vec!["b", "é"]]);
    // Six users are two pages of three, without an empty third page.
    let listed = pages(
        &app,
        ListUsersRequest {
            page_size: 3,
            ..everybody()
        },
    )
    .await;
    assert_eq!(listed.map(|pages| pages.len()).ok(), Some(2));
}

async fn a_page_token_that_is_not_ours_is_refused(database: Database) {
    let app = App::start(database).await;
    for token in [
        "x",
        "p",
        "p1",
        "pzz",
        "p00",
        "pff",
        "p+1",
        &"p".repeat(9_999),
    ] {
        let request = ListUsersRequest {
            page_token: token.to_owned(),
            ..everybody()
        };
        assert_eq!(
            code(pages(&app, request).await),
            Some(Code::InvalidArgument),
            "{token}"
        );
        let request = ListOrganizationsRequest {
            page_token: token.to_owned(),
            ..ListOrganizationsRequest::default()
        };
        let listed = app.directory().list_organizations(request).await;
        assert_eq!(code(listed), Some(Code::InvalidArgument), "{token}");
    }
    let request = ListUsersRequest {
        page_size: -1,
        ..everybody()
    };
    assert_eq!(
        code(pages(&app, request).await),
        Some(Code::InvalidArgument)
    );
}

/// Makes four people who differ in everything that filters look at.
async fn station(database: Database) -> App {
    let app = App::start(database).await;
    let station = roster()
        .row("ada", [(FirstName, "Änne"), (EvidenceGroupExtId, "G-1")])
        .row("bob", [(Role, "Sergeant"), (LastName, "Groß")])
        .row("cy", [(StatusColumn, "Inactive"), (BadgeNumber, "100%_7")])
        .row("dan", [(Role, "Sergeant"), (StatusColumn, "Inactive")]);
    assert_eq!(app.import(station).await.summary().created, 4);
    app
}

fn with_status(status: UserStatus) -> ListUsersRequest {
    ListUsersRequest {
        status: status.into(),
        ..everybody()
    }
}

fn with_text(text: &str) -> ListUsersRequest {
    ListUsersRequest {
        text: text.to_owned(),
        ..everybody()
    }
}

fn with_role(role: &str) -> ListUsersRequest {
    ListUsersRequest {
        role: role.to_owned(),
        ..everybody()
    }
}

fn with_group(group: &str) -> ListUsersRequest {
    ListUsersRequest {
        group: group.to_owned(),
        ..everybody()
    }
}

/// Expects that the request selects these users, on pages of any size.
async fn selects(app: &App, request: ListUsersRequest, expected: &[&str]) {
    for page_size in [0, 1] {
        let request = ListUsersRequest {
            page_size,
            ..request.clone()
        };
        let listed = pages(app, request.clone()).await;
        let listed = listed.expect("users can be listed").concat();
        assert_eq!(listed, expected, "{request:?}");
    }
}

async fn status_role_and_group_select_users(database: Database) {
    let app = station(database).await;
    let inactive_sergeants = ListUsersRequest {
        status: UserStatus::Inactive.into(),
        ..with_role("SERGEANT")
    };
    for (request, expected) in [
        (with_status(UserStatus::Active), &["ada", "bob"][..]),
        (with_status(UserStatus::Inactive), &["cy", "dan"]),
        (with_role("sergeant"), &["bob", "dan"]),
        (with_role("Administrator"), &[]),
        (inactive_sergeants, &["dan"]),
        (with_group("G-1"), &["ada"]),
        (with_group("G-2"), &[]),
    ] {
        selects(&app, request, expected).await;
    }
}

async fn a_text_is_found_in_any_case(database: Database) {
    let app = station(database).await;
    let everybody = ["ada", "bob", "cy", "dan"];
    for (text, expected) in [
        ("ÄNNE", &["ada"][..]),
        ("a\u{308}nn", &["ada"]),
        ("GROSS", &["bob"]),
        ("groß", &["bob"]),
        ("%_", &["cy"]),
        ("_", &["cy"]),
        ("B-b", &["bob"]),
        ("PD.EXAMPLE", &everybody),
        ("   ", &everybody),
        // A text search does not look at the names of roles.
        ("officer", &[]),
    ] {
        selects(&app, with_text(text), expected).await;
    }
}

async fn an_unknown_name_in_a_filter_is_refused(database: Database) {
    let app = station(database).await;
    for request in [
        with_role("Sergent"),
        with_group("g-1"),
        ListUsersRequest {
            status: 7,
            ..everybody()
        },
        // No user has this value. The filter must not select everybody.
        with_text("\u{202e}"),
    ] {
        let status = pages(&app, request.clone())
            .await
            .expect_err("it is unknown");
        assert_eq!(status.code(), Code::InvalidArgument, "{request:?}");
        let export = ExportUsersRequest {
            organization: request.organization,
            status: request.status,
            role: request.role,
            group: request.group,
            text: request.text,
            ..ExportUsersRequest::default()
        };
        assert_eq!(
            code(app.directory().export_users(export).await),
            Some(status.code())
        );
    }
}

async fn an_export_has_the_users_that_the_filters_select(database: Database) {
    let app = station(database).await;
    let request = ExportUsersRequest {
        organization: "pd".to_owned(),
        status: UserStatus::Inactive.into(),
        role: "sergeant".to_owned(),
        text: "DAN".to_owned(),
        ..ExportUsersRequest::default()
    };
    let mut pieces = app
        .directory()
        .export_users(request)
        .await
        .expect("it begins")
        .into_inner();
    let mut csv = Vec::new();
    while let Some(piece) = pieces.message().await.expect("it goes on") {
        csv.extend(piece.csv_chunk);
    }
    insta::assert_snapshot!(String::from_utf8_lossy(&csv), @r"
    EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,SUPERVISOR_EMAIL,LOCATION,RANK,EVIDENCE_GROUP_EXT_ID,PHONE
    dan,dan@pd.example,B-dan,dan,Example,Inactive,dan,Sergeant,,,,,
    ");
}
