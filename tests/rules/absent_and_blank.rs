//! Absent, blank and value are three things (semantics §2): in a CSV file, and in typed rows.

use insta::assert_snapshot;
use user_import::{
    domain::Column::{
        BadgeNumber, Email, EvidenceGroupExtId, ExternalId, FirstName, LastName, Phone, Rank, Role,
        Status, SupervisorEmail, Username,
    },
    proto::{User, UserRow},
};

use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![
    an_absent_column_leaves_a_blank_one_clears_and_a_value_sets,
    an_unset_field_leaves_and_a_blank_one_clears_in_a_typed_row_too,
    a_required_value_must_be_there_in_csv_and_in_typed_rows,
    a_blank_or_absent_external_id_makes_a_new_user,
];

/// Starts a server with two users: ada has every optional value, and bob supervises ada.
pub async fn app_with_ada(database: Database) -> App {
    let app = App::start(database).await;
    let optional = [
        (SupervisorEmail, "bob@pd.example"),
        (Rank, "Captain"),
        (EvidenceGroupExtId, "G-1"),
        (Phone, "+12025550123"),
    ];
    let imported = app
        .import(roster().people(["bob"]).row("ada", optional))
        .await;
    assert_eq!(imported.summary().created, 2, "{imported}");
    app
}

fn optional_of(user: &User) -> [&str; 4] {
    [
        &user.supervisor_email,
        &user.rank,
        &user.evidence_group_external_id,
        &user.phone,
    ]
}

async fn an_absent_column_leaves_a_blank_one_clears_and_a_value_sets(database: Database) {
    let app = app_with_ada(database).await;
    let imported = app.import(roster().people(["ada"])).await;
    assert_eq!(imported.summary().unchanged, 1, "{imported}");

    let one_by_one = [
        (SupervisorEmail, ["", "Captain", "G-1", "+12025550123"]),
        (Phone, ["", "Captain", "G-1", ""]),
        (EvidenceGroupExtId, ["", "Captain", "", ""]),
        (Rank, ["", "", "", ""]),
    ];
    for (column, left) in one_by_one {
        let imported = app.import(roster().row("ada", [(column, " \u{A0}")])).await;
        assert_eq!(
            imported.to_string().lines().next(),
            Some(&*format!("1 UPDATED ada: {column}"))
        );
        assert_eq!(optional_of(&app.user("ada").await), left, "{column}");
    }
    let imported = app
        .import(roster().row("ada", [(Rank, "Lieutenant")]))
        .await;
    assert_eq!(imported.summary().updated, 1, "{imported}");
    assert_eq!(
        optional_of(&app.user("ada").await),
        ["", "Lieutenant", "", ""]
    );
}

async fn an_unset_field_leaves_and_a_blank_one_clears_in_a_typed_row_too(database: Database) {
    let app = app_with_ada(database).await;
    let [unset] = roster()
        .people(["ada"])
        .typed()
        .try_into()
        .expect("one row");
    let mixed = UserRow {
        rank: Some(String::new()),
        phone: Some("\u{200B}".to_owned()),
        ..unset
    };
    assert_snapshot!(app.import_rows(vec![mixed]).await, @r"
    1 UPDATED ada: RANK, PHONE
    COMPLETED: 1 rows, 1 updated
    ");
    assert_eq!(
        optional_of(&app.user("ada").await),
        ["bob@pd.example", "", "G-1", ""]
    );
}

async fn a_required_value_must_be_there_in_csv_and_in_typed_rows(database: Database) {
    let app = App::start(database).await;
    for column in [
        Email,
        BadgeNumber,
        FirstName,
        LastName,
        Status,
        Username,
        Role,
    ] {
        let people = roster().row("ada", [(column, "\u{200B} \r\n")]);
        let imported = app.reject(&people).await;
        let expected = format!("{column} is blank; fill it in.");
        assert_eq!(imported.messages(1), [&expected]);
        let typed = app.import_rows(people.typed()).await;
        assert_eq!(typed.messages(1), [&expected]);
    }
    let nothing = app.import_rows(vec![UserRow::default()]).await;
    assert_snapshot!(nothing.messages(1).join("\n"), @r"
    EMAIL is blank; fill it in.
    BADGE_NUMBER is blank; fill it in.
    FIRST_NAME is blank; fill it in.
    LAST_NAME is blank; fill it in.
    STATUS is blank; fill it in.
    USERNAME is blank; fill it in.
    ROLE is blank; fill it in.
    ");
    assert!(app.users().await.is_empty());
}

async fn a_blank_or_absent_external_id_makes_a_new_user(database: Database) {
    let app = App::start(database).await;
    let csv = roster().row("ada", [(ExternalId, " ")]).csv();
    let imported = app.import(csv.clone()).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    let generated = &imported.row(1).external_id;
    assert_eq!(app.user(generated).await.username, "ada");

    let without = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE\n\
                   bob@pd.example,B-bob,Bob,Example,Active,bob,Officer\n";
    let imported = app.import(without).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    assert_ne!(imported.row(1).external_id, *generated);
    assert!(!imported.row(1).external_id.is_empty());
    let again = app.reject(csv).await.to_string();
    assert!(
        again.contains("EMAIL_TAKEN user") && again.contains(&**generated),
        "{again}"
    );
}
