//! Which values are equal (semantics §2, Values): emails, usernames and names of the catalog are compared without
//! regard to case, IDs and badge numbers exactly.

use insta::assert_snapshot;
use user_import::{
    domain::Column::{
        BadgeNumber, Email, EvidenceGroupExtId, ExternalId, FirstName, Rank, Role, Status,
        SupervisorEmail, Username,
    },
    proto::UserStatus,
};

use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![
    catalog_names_and_status_match_in_any_case,
    emails_and_usernames_are_one_where_only_case_differs,
    external_ids_and_badge_numbers_differ_by_case_and_zeros,
    a_change_of_case_alone_is_a_change,
    a_supervisor_is_found_in_any_case,
];

async fn catalog_names_and_status_match_in_any_case(database: Database) {
    let app = App::start(database).await;
    let people = roster().row(
        "ada",
        [
            (Role, "oFFicer"),
            (Rank, " CAPTAIN"),
            (Status, "iNACTIVE"),
            (EvidenceGroupExtId, "G-1"),
        ],
    );
    assert_eq!(app.import(people).await.summary().created, 1);
    let ada = app.user("ada").await;
    assert_eq!((&*ada.role, &*ada.rank), ("Officer", "Captain"));
    assert_eq!(ada.status(), UserStatus::Inactive);
    let told = app
        .reject(roster().row("bob", [(EvidenceGroupExtId, "g-1")]))
        .await;
    assert_snapshot!(told.messages(1).join("\n"), @r#"EVIDENCE_GROUP_EXT_ID "g-1" is not a group of this organisation; did you mean "G-1"?"#);
}

async fn emails_and_usernames_are_one_where_only_case_differs(database: Database) {
    let app = App::start(database).await;
    let first = [
        ("a", "Weiß@pd.example", "ΣΊΣΥΦΟΣ"),
        ("b", "éric@pd.example", "ﬁn"),
    ];
    let rows = first.map(|(id, email, name)| (id, [(Email, email), (Username, name)]));
    let people = rows
        .into_iter()
        .fold(roster(), |r, (id, differing)| r.row(id, differing));
    assert_eq!(app.import(people).await.summary().created, 2);

    let taken = roster()
        .row("c", [(Email, "WEISS@PD.EXAMPLE")])
        .row("d", [(Email, "E\u{301}RIC@pd.example")])
        .row("e", [(Username, "σίσυφος")])
        .row("f", [(Username, "FIN")]);
    assert_snapshot!(app.reject(taken).await, @r"
    1 REJECTED c [EMAIL_TAKEN user a]
    2 REJECTED d [EMAIL_TAKEN user b]
    3 REJECTED e [USERNAME_TAKEN user a]
    4 REJECTED f [USERNAME_TAKEN user b]
    COMPLETED: 4 rows, 4 rejected
    ");
    let twice = roster().row("g", [(Email, "straße@pd.example")]);
    let twice = twice.row("h", [(Email, "STRASSE@pd.example")]);
    assert_snapshot!(app.import(twice).await, @r"
    1 REJECTED g [DUPLICATE_IN_FILE row 2]
    2 REJECTED h [DUPLICATE_IN_FILE row 1]
    COMPLETED: 2 rows, 2 rejected
    ");
}

async fn external_ids_and_badge_numbers_differ_by_case_and_zeros(database: Database) {
    let app = App::start(database).await;
    let keys = ["x1", "X1", "0042", "042"];
    let names = ["ada", "bob", "cy", "dan"];
    let people = keys
        .into_iter()
        .zip(names)
        .fold(roster(), |roster, (key, name)| {
            roster.row(name, [(ExternalId, key), (BadgeNumber, key)])
        });
    assert_eq!(app.import(&people).await.summary().created, 4);
    assert_eq!(app.import(people).await.summary().unchanged, 4);
    assert_eq!(app.user("042").await.badge_number, "042");
}

async fn a_change_of_case_alone_is_a_change(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let shouted = [
        (Email, "ADA@pd.example"),
        (Username, "Ada"),
        (FirstName, "ADA"),
    ];
    assert_snapshot!(app.import(roster().row("ada", shouted)).await, @r"
    1 UPDATED ada: EMAIL, FIRST_NAME, USERNAME
    COMPLETED: 1 rows, 1 updated
    ");
    let ada = app.user("ada").await;
    assert_eq!((&*ada.email, &*ada.username), ("ADA@pd.example", "Ada"));
}

async fn a_supervisor_is_found_in_any_case(database: Database) {
    let app = App::start(database).await;
    let people = roster().row("ada", [(SupervisorEmail, " JÖRG@pd.example")]);
    let people = people.row("jorg", [(Email, "jo\u{308}rg@pd.example")]);
    let imported = app.import(&people).await;
    assert_eq!(imported.summary().created, 2, "{imported}");
    assert_eq!(app.user("ada").await.supervisor_email, "jörg@pd.example");
    assert_eq!(app.import(people).await.summary().unchanged, 2);
}
