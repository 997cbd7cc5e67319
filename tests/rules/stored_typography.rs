//! Keys of users that have typographic characters (semantics §2, Export artefacts): a file with the characters of a
//! keyboard in their place creates no second user. `damaged_values` has files that contain typographic characters
//! themselves.

use insta::assert_snapshot;
use tonic::Code;
use user_import::{
    domain::Column::{BadgeNumber, Email, ExternalId, Username},
    proto::{ImportStart, IssueCode, MatchBy},
};

use user_import_testing::{
    App, Database, deactivating_missing, dry_run, on_both_databases, roster, start_of,
};

on_both_databases![
    a_plain_key_that_a_user_has_with_typographic_characters_makes_no_second_account,
    the_message_says_whose_key_it_is_and_what_it_holds,
    a_file_can_make_the_keys_of_a_user_plain,
    what_is_stored_with_typographic_characters_stands,
];

/// A user whose keys were written by a word processor.
async fn department(database: Database) -> App {
    let app = App::start(database).await;
    let ada = [
        (ExternalId, "E\u{2011}1001"),
        (Email, "ada@pd.example"),
        (BadgeNumber, "K\u{2013}9"),
        (Username, "mary\u{2010}jane.o\u{2019}brien"),
    ];
    let imported = app.import(roster().row("ada", ada).people(["bob"])).await;
    assert_eq!(imported.summary().created, 2, "{imported}");
    app
}

async fn a_plain_key_that_a_user_has_with_typographic_characters_makes_no_second_account(
    database: Database,
) {
    let app = department(database).await;
    app.tamper("UPDATE users SET badge_number = '01\u{A0}02' WHERE external_id = 'bob'")
        .await;
    app.tamper("UPDATE users SET username = 'd\u{2212}j', username_key = 'd\u{2212}j' WHERE external_id = 'bob'")
        .await;
    for (column, value, id) in [
        (ExternalId, "E-1001", "E\u{2011}1001"),
        (ExternalId, "E\u{2013}1001", "E\u{2011}1001"),
        (BadgeNumber, "K-9", "E\u{2011}1001"),
        (BadgeNumber, "K\u{2014}9", "E\u{2011}1001"),
        (BadgeNumber, "K\u{2011}9", "E\u{2011}1001"),
        (BadgeNumber, "01 02", "bob"),
        (BadgeNumber, "01\u{A0}02", "bob"),
        (BadgeNumber, "01\u{202F}02", "bob"),
        (Username, "d-j", "bob"),
        (Username, "D-J", "bob"),
    ] {
        let row = roster().row("new", [(column, value)]);
        let imported = app.preview(start_of("pd"), &row).await;
        assert_eq!(
            imported.summary().rejected,
            1,
            "{column} {value}\n{imported}"
        );
        let issue = &imported.row(1).issues[0];
        assert_eq!(
            (issue.code(), &*issue.column, &*issue.related_external_id),
            (IssueCode::ExportArtifact, column.header(), id),
            "{value}"
        );
        // The user counts as listed, and the other one does not.
        let sync = dry_run(deactivating_missing(start_of("pd")));
        let synced = app.import_with(sync, row).await;
        let missing: Vec<_> = synced
            .deactivations
            .iter()
            .map(|user| &*user.external_id)
            .collect();
        let other = ["E\u{2011}1001", "bob"]
            .into_iter()
            .find(|other| *other != id);
        assert_eq!(
            (synced.code(), missing.first().copied(), missing.len()),
            (Code::Ok, other, 1),
            "{column} {value}\n{synced}"
        );
    }
}

async fn the_message_says_whose_key_it_is_and_what_it_holds(database: Database) {
    let app = department(database).await;
    app.tamper("UPDATE users SET badge_number = '01\u{A0}02' WHERE external_id = 'bob'")
        .await;
    let rows = roster()
        .row("one", [(ExternalId, "E-1001")])
        .row("two", [(BadgeNumber, "K-9")])
        .row("three", [(Username, "mary-jane.o'brien")])
        .row("four", [(BadgeNumber, "01 02")]);
    let imported = app.import(rows).await;
    let told: Vec<_> = (1..=4).flat_map(|row| imported.messages(row)).collect();
    assert_snapshot!(told.join("\n"), @r#"
    EXTERNAL_ID "E-1001" is the existing "E‑1001" with other dashes, apostrophes or spaces; if the row is about that user, write "E‑1001", or import with match_by to change the user's external ID; otherwise give the row another external ID. The existing one holds U+2011.
    BADGE_NUMBER "K-9" is "K–9" of user "E‑1001" with other dashes, apostrophes or spaces; if the row is about that user, write "E‑1001" in EXTERNAL_ID; otherwise give the row another badge number. The existing one holds U+2013.
    USERNAME "mary-jane.o'brien" is "mary‐jane.o’brien" of user "E‑1001" with other dashes, apostrophes or spaces; if the row is about that user, write "E‑1001" in EXTERNAL_ID; otherwise give the row another username. The existing one holds U+2010.
    BADGE_NUMBER "01 02" is "01[U+00A0]02" of user "bob" with other dashes, apostrophes or spaces; if the row is about that user, write "bob" in EXTERNAL_ID; otherwise give the row another badge number. The existing one holds U+00A0.
    "#);
    assert_eq!(app.users().await.len(), 2);
    // A key that differs in more than that is another key.
    let others = roster()
        .row("a", [(BadgeNumber, "K9")])
        .row("b", [(BadgeNumber, "0102")])
        .row("c", [(ExternalId, "E1001")]);
    assert_eq!(app.import(others).await.summary().created, 3);
}

async fn a_file_can_make_the_keys_of_a_user_plain(database: Database) {
    let app = department(database).await;
    let keys = [(BadgeNumber, "K-9"), (Username, "mary-jane.o'brien")];
    let ada = keys.into_iter().chain([(ExternalId, "E\u{2011}1001")]);
    let imported = app.preview(start_of("pd"), &roster().row("ada", ada)).await;
    assert_eq!(imported.summary().updated, 1, "{imported}");
    let start = ImportStart {
        match_by: MatchBy::Email.into(),
        ..start_of("pd")
    };
    let plain = keys.into_iter().chain([(ExternalId, "E-1001")]);
    let imported = app.import_with(start, roster().row("ada", plain)).await;
    assert_eq!(imported.summary().updated, 1, "{imported}");
    assert_eq!(app.user("E-1001").await.badge_number, "K-9");
}

async fn what_is_stored_with_typographic_characters_stands(database: Database) {
    let app = department(database).await;
    // Two users from an earlier version, whose badge numbers differ only in the dash.
    app.tamper("UPDATE users SET badge_number = 'K-9' WHERE external_id = 'bob'")
        .await;
    let imported = app.import(app.export().await).await;
    assert_eq!(imported.summary().unchanged, 2, "{imported}");
    let taken = app
        .import(roster().row("new", [(BadgeNumber, "K-9")]))
        .await;
    assert_eq!(
        taken.row(1).issues[0].code(),
        IssueCode::BadgeNumberTaken,
        "{taken}"
    );
}
