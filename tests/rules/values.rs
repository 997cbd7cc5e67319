//! The valid values of each column, and the form in which they are stored (semantics §2, Values).

use insta::assert_snapshot;
use user_import::{
    domain::Column::{
        BadgeNumber, Email, ExternalId, FirstName, LastName, Location, Phone, Status,
        SupervisorEmail, Username,
    },
    proto::{ImportStart, ListUsersRequest},
};

use user_import_testing::{App, Database, on_both_databases, roster, start_of};

on_both_databases![
    a_value_with_sql_in_it_is_a_value,
    values_are_trimmed_put_on_one_line_and_composed_before_they_are_stored,
    lengths_count_code_points_after_normalising,
    phone_numbers_are_stored_in_e164,
    a_location_is_reported_once_and_not_stored,
    a_protected_user_is_not_made_inactive_by_a_row,
];

async fn values_are_trimmed_put_on_one_line_and_composed_before_they_are_stored(
    database: Database,
) {
    let app = App::start(database).await;
    let people = roster().row(
        "ada",
        [
            (ExternalId, "\u{FEFF} 007\u{200F}"),
            (FirstName, "\u{2060}Ame\u{301}lie\u{A0}"),
            (LastName, "van\t\r\n\u{2028}der\nBerg-\u{212B}"),
            (Email, "\u{200E}Ada@PD.example\u{61C}"),
            (Username, "e\u{301}da"),
        ],
    );
    let imported = app.import(&people).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    let ada = app.user("007").await;
    let stored = [&ada.first_name, &ada.last_name, &ada.email, &ada.username];
    assert_eq!(
        stored,
        ["Amélie", "van der Berg-Å", "Ada@PD.example", "éda"]
    );
    assert_eq!(app.import(people).await.summary().unchanged, 1);
    let typed = roster().row(
        "ada",
        [
            (ExternalId, "007 \n"),
            (FirstName, "Am\u{E9}lie"),
            (LastName, "van der Berg-\u{C5}"),
            (Email, "Ada@PD.example"),
            (Username, "\u{E9}da"),
        ],
    );
    assert_eq!(app.import_rows(typed.typed()).await.summary().unchanged, 1);
}

const SQL: [&str; 6] = [
    "'; DROP TABLE users; --",
    "x' OR '1'='1",
    "\"; DELETE FROM users; /*",
    "$1, ?1, :a, %s, {}",
    "\\'; SELECT 1; --\\",
    "','[]','{\"a\":1}",
];

/// Returns the external IDs of the users that a search for `text` finds.
async fn found(app: &App, text: &str) -> Vec<String> {
    let request = ListUsersRequest {
        organization: "pd".to_owned(),
        text: text.to_owned(),
        ..ListUsersRequest::default()
    };
    let found = app.directory().list_users(request).await.unwrap();
    let users = found.into_inner().users.into_iter();
    users.map(|user| user.external_id).collect()
}

/// Imports and single calls look up, compare and store each value.
async fn a_value_with_sql_in_it_is_a_value(database: Database) {
    let app = App::start(database).await;
    app.people(["boss"]).await;
    for (number, sql) in SQL.into_iter().enumerate() {
        let email = format!("o'--{number}@pd.example");
        let username = format!("x'or'1'='1'--{number}");
        let texts = [ExternalId, BadgeNumber, FirstName, LastName].map(|column| (column, sql));
        let names = [(Email, &*email), (Username, &*username)];
        let start = ImportStart {
            source: sql.to_owned(),
            ..start_of("pd")
        };
        let people = roster()
            .row("ada", texts.into_iter().chain(names))
            .row("report", [(SupervisorEmail, &*email)]);
        let imported = app.import_with(start.clone(), &people).await;
        assert_eq!(imported.summary().rejected, 0, "{imported}");
        let record = app.import_record(imported.import_id()).await.unwrap();
        assert_eq!(record.source, sql);
        let ada = app.user(sql).await;
        let stored = [
            &*ada.external_id,
            &ada.badge_number,
            &ada.first_name,
            &ada.last_name,
        ];
        assert_eq!(stored, [sql; 4]);
        assert_eq!((&*ada.email, &*ada.username), (&*email, &*username));
        assert_eq!(found(&app, sql).await, [sql]);
        assert_eq!(app.import_with(start, people).await.summary().unchanged, 2);
    }
    // Nor is it a pattern in a search.
    for text in ["%", "_", "*", "x%1"] {
        let found = found(&app, text).await;
        assert!(
            found.iter().all(|id| id.contains(text)),
            "{text}: {found:?}"
        );
    }
    assert_eq!(app.users().await.len(), 2 + SQL.len());
}

async fn lengths_count_code_points_after_normalising(database: Database) {
    let app = App::start(database).await;
    let longest = |length: usize| format!(" {} ", "e\u{301}".repeat(length));
    let email = |bytes: usize| {
        let domain = ["d", "e", "f"].map(|label| label.repeat(60)).join(".");
        let local = "é".repeat(20);
        let rest = bytes - local.len() - 1 - domain.len() - ".example".len();
        format!("{local}@{domain}.{}.example", "g".repeat(rest - 1))
    };
    let limits = [
        (ExternalId, 255),
        (BadgeNumber, 64),
        (FirstName, 128),
        (LastName, 128),
        (Username, 128),
    ];
    for (column, limit) in limits {
        let over = longest(limit + 1);
        let imported = app.reject(roster().row("ada", [(column, &*over)])).await;
        let told = imported.messages(1).join("\n");
        let expected = format!(
            "has {} characters; shorten it to at most {limit}.",
            limit + 1
        );
        assert!(
            told.starts_with(column.header()) && told.ends_with(&expected),
            "{told}"
        );
    }
    let told = app
        .reject(roster().row("ada", [(Email, &*email(255))]))
        .await;
    assert!(
        told.messages(1)[0].ends_with("has 255 bytes; shorten it to at most 254."),
        "{told}"
    );
    let all = limits.map(|(column, limit)| (column, longest(limit)));
    let all = all.iter().map(|(column, value)| (*column, &**value));
    let fits = roster().row("ada", all.chain([(Email, &*email(254))]));
    assert_eq!(app.import(&fits).await.summary().created, 1);
    assert_eq!(app.import(fits).await.summary().unchanged, 1);
    assert_eq!(app.users().await[0].external_id, "é".repeat(255));
}

async fn phone_numbers_are_stored_in_e164(database: Database) {
    let app = App::start(database).await;
    for (written, stored, warning) in [
        ("+1 (202) 555-0143", "+12025550143", ""),
        ("12025550143", "+12025550143", ""),
        ("0044 20 7946 0018", "+442079460018", ""),
        ("+49 (0)30 901820", "+4930901820", ""),
        (
            "49 10000",
            "+4910000",
            "PHONE \"49 10000\" was read as +4910000, which is not a number in use; check its country code and digits.",
        ),
    ] {
        let imported = app.import(roster().row("ada", [(Phone, written)])).await;
        assert_eq!(imported.summary().rejected, 0, "{imported}");
        assert_eq!(imported.messages(1).join(""), warning);
        assert_eq!(app.user("ada").await.phone, stored, "{written}");
    }
}

async fn a_location_is_reported_once_and_not_stored(database: Database) {
    let app = App::start(database).await;
    let people = roster().people(["ada"]).row("bob", [(Location, "Depot 4")]);
    let people = people.row("cy", [(Location, "Depot 5")]);
    let imported = app.import(&people).await;
    assert_snapshot!(imported, @r"
    1 CREATED ada
    2 CREATED bob
    3 CREATED cy
    COMPLETED: 3 rows, 3 created
    warning: LOCATION_IGNORED row 2
    ");
    let [warning] = &imported.summary().warnings[..] else {
        panic!("not one warning:\n{imported}");
    };
    assert_snapshot!(warning.message, @r"LOCATION is reserved and not stored; 2 rows have a value, the first is row 2.");
    assert!(!app.export().await.contains("Depot"));

    let again = app.import(roster().row("ada", [(Location, "x")])).await;
    assert_eq!(again.summary().unchanged, 1, "{again}");
    assert_snapshot!(again.summary().warnings[0].message, @r"LOCATION is reserved and not stored; row 1 has a value.");
    let blank = app
        .import_rows(roster().row("ada", [(Location, "\u{A0}")]).typed())
        .await;
    assert!(blank.summary().warnings.is_empty());
}

async fn a_protected_user_is_not_made_inactive_by_a_row(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    app.protect("ada").await;
    let people = roster().row("ada", [(Status, "Inactive"), (FirstName, "Adele")]);
    let imported = app.reject(people).await;
    assert_snapshot!(imported.messages(1).join("\n"), @r#"STATUS "Inactive" would deactivate user "ada", who is protected; keep the user Active, or end the protection first."#);
    let kept = app
        .import(roster().row("ada", [(FirstName, "Adele")]))
        .await;
    assert_eq!(kept.summary().updated, 1, "{kept}");
}
