//! The order in which users are listed, pages that fit together, and the number of users.

use tonic::Code;
use tonic_types::StatusExt;
use user_import::{
    domain::Column::{
        BadgeNumber, Email, ExternalId, FirstName, LastName, Status as StatusColumn, Username,
    },
    proto::{ListUsersRequest, ListUsersResponse, UserOrder, UserStatus},
};

use user_import_testing::{App, Database, Roster, on_both_databases, roster};

on_both_databases![
    every_order_is_listed_forwards_and_backwards_in_pages,
    an_order_holds_for_what_filters_select,
    protected_users_are_found,
    users_are_counted_on_the_first_page_if_asked,
    an_order_that_does_not_exist_is_refused,
    a_large_organisation_is_listed_by_keys_alone,
];

const ORDERS: [(UserOrder, &str); 7] = [
    (UserOrder::Unspecified, "A B C D"),
    (UserOrder::ExternalId, "A B C D"),
    (UserOrder::Email, "B D A C"),
    (UserOrder::BadgeNumber, "D C B A"),
    (UserOrder::Username, "C A D B"),
    (UserOrder::LastName, "B D A C"),
    (UserOrder::Status, "B D A C"),
];

/// Makes four people. Each column puts them in another order. Two have the same name.
async fn station(database: Database) -> App {
    let app = App::start(database).await;
    let person = |roster: Roster, [id, email, badge, first, last, status, user]: [&str; 7]| {
        roster.row(
            id,
            [
                (ExternalId, id),
                (Email, email),
                (BadgeNumber, badge),
                (FirstName, first),
                (LastName, last),
                (StatusColumn, status),
                (Username, user),
            ],
        )
    };
    let people = [
        ["A", "kim@pd.example", "9", "Kim", "Li Wei", "Inactive", "b"],
        ["B", "Ada@pd.example", "10", "ana", "LI", "Active", "Y"],
        ["C", "zoe@pd.example", "1", "Kim", "li wei", "Inactive", "A"],
        ["D", "bob@pd.example", "0", "Ana", "li", "Active", "x"],
    ];
    let station = people.into_iter().fold(roster(), person);
    assert_eq!(app.import(station).await.summary().created, 4);
    app
}

fn by(order: UserOrder, descending: bool) -> ListUsersRequest {
    ListUsersRequest {
        organization: "pd".to_owned(),
        order_by: order.into(),
        descending,
        ..ListUsersRequest::default()
    }
}

async fn page(app: &App, request: ListUsersRequest) -> ListUsersResponse {
    let page = app.directory().list_users(request).await;
    page.expect("users are listed").into_inner()
}

/// External IDs of all users, read in pages.
async fn listed(app: &App, mut request: ListUsersRequest, page_size: i32) -> String {
    let mut found = Vec::new();
    request.page_size = page_size;
    loop {
        let page = page(app, request.clone()).await;
        found.extend(page.users.into_iter().map(|user| user.external_id));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return found.join(" ");
        }
    }
}

fn reversed(expected: &str) -> String {
    let words: Vec<&str> = expected.rsplit(' ').collect();
    words.join(" ")
}

async fn every_order_is_listed_forwards_and_backwards_in_pages(database: Database) {
    let app = station(database).await;
    for (order, expected) in ORDERS {
        for page_size in [1, 2, 3, 4, 50] {
            let forwards = listed(&app, by(order, false), page_size).await;
            assert_eq!(forwards, expected, "{order:?} {page_size}");
            let backwards = listed(&app, by(order, true), page_size).await;
            assert_eq!(backwards, reversed(expected), "{order:?} {page_size}");
        }
    }
}

async fn an_order_holds_for_what_filters_select(database: Database) {
    let app = station(database).await;
    for (order, expected) in [
        (UserOrder::ExternalId, "A C"),
        (UserOrder::Email, "A C"),
        (UserOrder::BadgeNumber, "C A"),
        (UserOrder::Username, "C A"),
        (UserOrder::LastName, "A C"),
        (UserOrder::Status, "A C"),
    ] {
        for filtered in [
            ListUsersRequest {
                status: UserStatus::Inactive.into(),
                ..by(order, false)
            },
            ListUsersRequest {
                text: "WEI".to_owned(),
                ..by(order, false)
            },
        ] {
            for page_size in [1, 2, 50] {
                let backwards = ListUsersRequest {
                    descending: true,
                    ..filtered.clone()
                };
                assert_eq!(
                    listed(&app, filtered.clone(), page_size).await,
                    expected,
                    "{order:?}"
                );
                assert_eq!(listed(&app, backwards, page_size).await, reversed(expected));
            }
        }
    }
}

async fn protected_users_are_found(database: Database) {
    let app = station(database).await;
    app.protect("B").await;
    for (protected, expected) in [(Some(true), "B"), (Some(false), "A C D"), (None, "A B C D")] {
        let request = ListUsersRequest {
            protected,
            ..by(UserOrder::ExternalId, false)
        };
        assert_eq!(listed(&app, request, 2).await, expected);
    }
}

async fn users_are_counted_on_the_first_page_if_asked(database: Database) {
    let app = station(database).await;
    let everybody = ListUsersRequest {
        page_size: 1,
        count_total: true,
        ..by(UserOrder::Email, false)
    };
    let inactive = ListUsersRequest {
        status: UserStatus::Inactive.into(),
        ..everybody.clone()
    };
    let by_name = ListUsersRequest {
        order_by: UserOrder::LastName.into(),
        ..everybody.clone()
    };
    let nobody = ListUsersRequest {
        text: "nobody".to_owned(),
        ..everybody.clone()
    };
    for (request, total) in [(everybody, 4), (inactive, 2), (by_name, 4), (nobody, 0)] {
        let first = page(&app, request.clone()).await;
        assert_eq!(first.total_size, Some(total));
        let unasked = ListUsersRequest {
            count_total: false,
            ..request.clone()
        };
        assert_eq!(page(&app, unasked).await.total_size, None);
        if total > 1 {
            let second = ListUsersRequest {
                page_token: first.next_page_token,
                ..request
            };
            assert_eq!(page(&app, second).await.total_size, None);
        }
    }
}

async fn an_order_that_does_not_exist_is_refused(database: Database) {
    let app = App::start(database).await;
    let request = ListUsersRequest {
        order_by: 99,
        ..by(UserOrder::ExternalId, false)
    };
    let refused = app.directory().list_users(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
}

/// One call looks at a limited number of users, whatever the size of the organisation is.
async fn a_large_organisation_is_listed_by_keys_alone(database: Database) {
    let app = App::start(database).await;
    let names: Vec<String> = (0..20_000).map(|number| format!("u{number:05}")).collect();
    app.people(names.iter().map(String::as_str)).await;
    for order in [UserOrder::LastName, UserOrder::Status] {
        let refused = app.directory().list_users(by(order, false)).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        let details = refused.get_error_details();
        let violations = &details.quota_failure().unwrap().violations;
        assert!(
            violations[0].description.contains("too many users"),
            "{violations:?}"
        );
    }
    let last = ListUsersRequest {
        page_size: 2,
        count_total: true,
        ..by(UserOrder::Email, true)
    };
    let found = page(&app, last).await;
    let ids: Vec<_> = found.users.iter().map(|user| &*user.external_id).collect();
    assert_eq!(
        (ids, found.total_size),
        (vec!["u19999", "u19998"], Some(20_000))
    );
    // A search from the other end also stops after that many users, and continues after them.
    let first = ListUsersRequest {
        text: "u00000".to_owned(),
        count_total: true,
        ..by(UserOrder::Username, true)
    };
    let stopped = page(&app, first.clone()).await;
    assert!(stopped.search_incomplete);
    assert_eq!((stopped.users.len(), stopped.total_size), (1, None));
    let page_token = stopped.next_page_token;
    let rest = page(
        &app,
        ListUsersRequest {
            page_token,
            ..first
        },
    )
    .await;
    assert!(rest.users.is_empty() && rest.next_page_token.is_empty());
}
