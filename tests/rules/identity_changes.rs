//! The guard against a mass change of identities (semantics §7): in a roster that a spreadsheet has sorted by one
//! column alone, every external ID has the data of another person.

use insta::assert_snapshot;
use tonic::Code;
use user_import::{
    config::{MassIdentityChange, Settings},
    domain::Column::{self, BadgeNumber, Email, ExternalId, FirstName, LastName, Username},
    proto::{GetImportRequest, ImportStart, ListImportsRequest},
};

use user_import_testing::{
    App, Database, ImportResponses, Roster, on_both_databases, roster, start_of,
};

on_both_databases![
    a_roster_sorted_by_one_column_alone_is_refused,
    three_of_four_rows_are_too_many_and_two_are_not,
    eleven_of_fifty_are_too_many_and_ten_are_not,
    a_new_address_or_a_new_name_is_no_other_person,
    the_number_that_the_caller_approves_replaces_the_guard,
    the_settings_of_the_server_decide,
    the_warning_and_the_count_are_in_results_summary_and_history,
    a_row_that_is_rejected_does_not_count,
];

/// Names of `count` people.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("u{n:02}")).collect()
}

/// Returns a person who has the data of `name` and the external ID `id`.
fn put(roster: Roster, id: &str, name: &str) -> Roster {
    let last = format!("Example {name}");
    roster.row(name, [(ExternalId, id), (LastName, &last)])
}

/// Returns a roster of these people under their own IDs, except that the first `moved` IDs rotate by one.
fn rotated(names: &[String], moved: usize) -> Roster {
    let mut of: Vec<&str> = names.iter().map(String::as_str).collect();
    of[..moved].rotate_left(usize::from(moved > 0));
    let rows = names.iter().zip(of);
    rows.fold(roster(), |roster, (id, name)| put(roster, id, name))
}

async fn station(database: Database, count: usize) -> (App, Vec<String>) {
    let app = App::start(database).await;
    let names = names(count);
    let imported = app.import(rotated(&names, 0)).await;
    assert_eq!(imported.summary().created as usize, count, "{imported}");
    (app, names)
}

fn dry() -> ImportStart {
    ImportStart {
        validate_only: true,
        ..start_of("pd")
    }
}

fn approving(max: u32) -> ImportStart {
    ImportStart {
        max_identity_changes: Some(max),
        ..start_of("pd")
    }
}

fn refused_with(imported: &ImportResponses, code: &str) {
    assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
    assert_eq!(imported.summary().refusals[0].code, code, "{imported}");
}

async fn a_roster_sorted_by_one_column_alone_is_refused(database: Database) {
    let (app, names) = station(database, 12).await;
    let before = app.users().await;
    let sorted = rotated(&names, 12);
    let csv = app.import(sorted.clone()).await;
    assert_snapshot!(csv.summary().refusals[0].message, @"12 of the 12 rows that match a user would make the user another person (at least three of email, badge number, username and both names change). A spreadsheet sorted by one column alone does that. Undo the sorting or export the roster again, and import that file; if these people really are others, state max_identity_changes 12.");
    let typed = app.import_rows(sorted.typed()).await;
    let planned = app.import_with(dry(), sorted).await;
    for imported in [csv, typed, planned] {
        refused_with(&imported, "MASS_IDENTITY_CHANGE");
        assert_eq!(imported.summary().identity_changes, 12, "{imported}");
        assert_eq!(app.users().await, before);
    }
}

async fn three_of_four_rows_are_too_many_and_two_are_not(database: Database) {
    let (app, names) = station(database, 4).await;
    refused_with(
        &app.import(rotated(&names, 3)).await,
        "MASS_IDENTITY_CHANGE",
    );
    // With fewer than four rows, all of them may be right.
    let three = app.import_with(dry(), rotated(&names[..3], 3)).await;
    assert_eq!(three.code(), Code::Ok, "{three}");
    let two = app.import(rotated(&names, 2)).await;
    assert_eq!(two.code(), Code::Ok, "{two}");
    assert_eq!(app.user("u00").await.email, "u01@pd.example");
}

async fn eleven_of_fifty_are_too_many_and_ten_are_not(database: Database) {
    let (app, names) = station(database, 50).await;
    refused_with(
        &app.import(rotated(&names, 11)).await,
        "MASS_IDENTITY_CHANGE",
    );
    let ten = app.import(rotated(&names, 10)).await;
    assert_eq!((ten.code(), ten.summary().updated), (Code::Ok, 10), "{ten}");
}

/// Returns the same people with other values in these columns, made from each name.
fn changed(names: &[String], columns: &[Column], upper: bool) -> Roster {
    names.iter().fold(roster(), |roster, name| {
        let last = format!("Example {name}");
        let values = [
            (Email, format!("{name}@pd.example")),
            (BadgeNumber, format!("B-{name}")),
            (Username, name.clone()),
            (FirstName, name.clone()),
            (LastName, last),
        ];
        let values = values.map(|(column, value)| match (columns.contains(&column), upper) {
            (false, _) => (column, value),
            (true, true) => (column, value.to_uppercase()),
            (true, false) => (column, format!("new.{value}")),
        });
        roster.row(
            name,
            values.each_ref().map(|(column, value)| (*column, &**value)),
        )
    })
}

async fn a_new_address_or_a_new_name_is_no_other_person(database: Database) {
    let (app, names) = station(database, 12).await;
    for (columns, upper) in [
        (&[Email, Username][..], false),
        (&[FirstName, LastName], false),
        (&[Email, Username, LastName], false),
        (&[Email, Username, FirstName, LastName], true),
    ] {
        let imported = app
            .import_with(dry(), changed(&names, columns, upper))
            .await;
        assert_eq!(imported.code(), Code::Ok, "{columns:?}: {imported}");
        assert_eq!(imported.summary().updated, 12, "{columns:?}");
        assert_eq!(imported.summary().identity_changes, 0, "{columns:?}");
    }
    for columns in [
        &[Email, Username, BadgeNumber][..],
        &[Email, Username, FirstName, LastName],
        &[BadgeNumber, Username, FirstName, LastName],
    ] {
        let imported = app
            .import_with(dry(), changed(&names, columns, false))
            .await;
        refused_with(&imported, "MASS_IDENTITY_CHANGE");
    }
}

async fn the_number_that_the_caller_approves_replaces_the_guard(database: Database) {
    let (app, names) = station(database, 6).await;
    for (max, moved) in [(1, 2), (5, 6)] {
        let refused = app
            .import_with(approving(max), rotated(&names, moved))
            .await;
        refused_with(&refused, "TOO_MANY_IDENTITY_CHANGES");
    }
    let all = app.import_with(approving(6), rotated(&names, 6)).await;
    assert_eq!((all.code(), all.summary().updated), (Code::Ok, 6), "{all}");
    assert_eq!(app.user("u05").await.email, "u00@pd.example");
}

async fn the_settings_of_the_server_decide(database: Database) {
    let settings = Settings {
        mass_identity_change: MassIdentityChange {
            percent: 50,
            rows: 1,
            percent_always: 100,
            least_rows: 1,
        },
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let names = names(4);
    app.import(rotated(&names, 0)).await;
    refused_with(
        &app.import(rotated(&names, 3)).await,
        "MASS_IDENTITY_CHANGE",
    );
    assert_eq!(app.import(rotated(&names, 2)).await.code(), Code::Ok);
}

async fn the_warning_and_the_count_are_in_results_summary_and_history(database: Database) {
    let (app, names) = station(database, 5).await;
    let start = ImportStart {
        import_id: "0192f0c1-2b1e-7c3a-9d55-0c6f2b6b3a10".to_owned(),
        ..start_of("pd")
    };
    let imported = app.import_with(start.clone(), rotated(&names, 2)).await;
    assert_snapshot!(imported, @r"
    1 UPDATED u00: EMAIL, BADGE_NUMBER, FIRST_NAME, LAST_NAME, USERNAME [warning: IDENTITY_REPLACED]
    2 UPDATED u01: EMAIL, BADGE_NUMBER, FIRST_NAME, LAST_NAME, USERNAME [warning: IDENTITY_REPLACED]
    3 UNCHANGED u02
    4 UNCHANGED u03
    5 UNCHANGED u04
    COMPLETED: 5 rows, 2 updated, 3 unchanged
    ");
    let issue = &imported.row(1).issues[0];
    assert_eq!((&*issue.column, &*issue.value), ("EXTERNAL_ID", "u00"));
    assert_snapshot!(issue.message, @r#"This row makes user "u00" another person: EMAIL, BADGE_NUMBER, FIRST_NAME, LAST_NAME and USERNAME all change. If that is not meant, check that each value is in the row of its EXTERNAL_ID."#);
    assert_eq!(imported.summary().identity_changes, 2);
    let request = GetImportRequest {
        organization: "pd".to_owned(),
        import_id: start.import_id.clone(),
    };
    let recorded = app.imports().get_import(request).await.unwrap();
    let recorded = recorded.into_inner().import_record.unwrap();
    assert_eq!(recorded.identity_changes, 2);
    let again = app.import_with(start, rotated(&names, 2)).await;
    assert_eq!(again.summary(), imported.summary());
    refused_with(
        &app.import(rotated(&names, 5)).await,
        "MASS_IDENTITY_CHANGE",
    );
    let request = ListImportsRequest {
        organization: "pd".to_owned(),
        ..ListImportsRequest::default()
    };
    let listed = app
        .imports()
        .list_imports(request)
        .await
        .unwrap()
        .into_inner();
    let counts: Vec<u32> = listed.imports.iter().map(|i| i.identity_changes).collect();
    assert_eq!(counts[1..], [2, 0]);
    assert!(counts[0] >= 3, "{counts:?}");
}

async fn a_row_that_is_rejected_does_not_count(database: Database) {
    let (app, names) = station(database, 4).await;
    let fresh = |roster: Roster, id: &str| {
        let name = format!("new{id}");
        roster.row(&name, [(ExternalId, id)])
    };
    let rows = fresh(fresh(roster(), "u00"), "u01");
    let bad = [(ExternalId, "u02"), (Email, "nowhere")];
    let rows = put(rows.row("new", bad), "u03", "u03");
    let imported = app.import_with(approving(2), rows).await;
    let summary = imported.summary();
    assert_eq!(
        (summary.rejected, summary.identity_changes),
        (1, 2),
        "{imported}"
    );
    assert_eq!(names.len(), 4);
}
