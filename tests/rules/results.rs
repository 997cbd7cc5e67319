//! The answers of an import, and how detailed they are (api.md, `ImportStart` and `ImportUsersResponse`).

use insta::assert_snapshot;
use tonic::Code;
use user_import::{
    domain::Column::{
        EvidenceGroupExtId, FirstName, Location, Phone, Rank, Role, Status, SupervisorEmail,
    },
    proto::{ColumnChange, DeactivateMissing, ImportStart, ResultFilter, RowResult},
};

use user_import_testing::{App, Database, Roster, on_both_databases, roster, start_of};

on_both_databases![
    a_client_chooses_which_results_it_gets,
    values_before_and_after_come_where_asked_for,
    a_created_users_values_have_nothing_before,
    without_include_values_only_the_columns_are_named,
    a_source_has_at_most_255_characters,
    an_import_id_is_a_uuid,
    a_location_is_reported_once,
    ten_thousand_rows_come_in_messages_of_bounded_size,
    more_refusals_than_a_message_holds_are_cut,
];

async fn a_client_chooses_which_results_it_gets(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let one_of_each = roster()
        .people(["ada"])
        .row("bob", [(FirstName, "Robert")])
        .people(["new"])
        .row("bad", [(Status, "Retired")]);
    for (filter, rows) in [
        (ResultFilter::Unspecified, vec![1, 2, 3, 4]),
        (ResultFilter::All, vec![1, 2, 3, 4]),
        (ResultFilter::ChangesAndRejections, vec![2, 3, 4]),
        (ResultFilter::Rejections, vec![4]),
    ] {
        let dry_run = ImportStart {
            result_filter: filter.into(),
            validate_only: true,
            ..start_of("pd")
        };
        let imported = app.import_with(dry_run, &one_of_each).await;
        let got: Vec<_> = imported.results.iter().map(|result| result.row).collect();
        assert_eq!(got, rows, "{filter:?}:\n{imported}");
        assert_eq!(imported.summary().rows, 4, "{filter:?}:\n{imported}");
    }
    let start = ImportStart {
        result_filter: ResultFilter::ChangesAndRejections.into(),
        ..start_of("pd")
    };
    assert_snapshot!(app.import_with(start, one_of_each).await, @r"
    2 UPDATED bob: FIRST_NAME
    3 CREATED new
    4 REJECTED bad [INVALID_STATUS]
    COMPLETED: 4 rows, 1 created, 1 updated, 1 unchanged, 1 rejected
    ");
}

/// One person with a value in every column, and all users and entries that these values refer to.
fn full(differing: [(user_import::domain::Column, &str); 7]) -> Roster {
    roster().people(["boss", "chief"]).row("ada", differing)
}

fn captain() -> Roster {
    full([
        (FirstName, "Ada"),
        (Status, "Active"),
        (Role, "officer"),
        (SupervisorEmail, "boss@pd.example"),
        (Rank, "Captain"),
        (EvidenceGroupExtId, "G-1"),
        (Phone, "+12025550123"),
    ])
}

fn lieutenant() -> Roster {
    full([
        (FirstName, "Augusta"),
        (Status, "inactive"),
        (Role, "SERGEANT"),
        (SupervisorEmail, "chief@pd.example"),
        (Rank, "lieutenant"),
        (EvidenceGroupExtId, ""),
        (Phone, "44 20 7946 0018"),
    ])
}

fn lines(result: &RowResult) -> String {
    let line = |change: &ColumnChange| {
        let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let (before, after) = (or_none(&change.before), or_none(&change.after));
        format!("{}: {before} > {after}\n", change.column)
    };
    result.changes.iter().map(line).collect()
}

fn with_values() -> ImportStart {
    ImportStart {
        include_values: true,
        ..start_of("pd")
    }
}

async fn values_before_and_after_come_where_asked_for(database: Database) {
    let app = App::start(database).await;
    app.import(captain()).await;
    let imported = app.import_with(with_values(), lieutenant()).await;
    assert_snapshot!(lines(imported.row(3)), @r"
    FIRST_NAME: Ada > Augusta
    STATUS: Active > Inactive
    ROLE: Officer > Sergeant
    SUPERVISOR_EMAIL: boss@pd.example > chief@pd.example
    RANK: Captain > Lieutenant
    EVIDENCE_GROUP_EXT_ID: G-1 > -
    PHONE: +12025550123 > +442079460018
    ");
}

async fn a_created_users_values_have_nothing_before(database: Database) {
    let app = App::start(database).await;
    let imported = app.import_with(with_values(), captain()).await;
    assert_snapshot!(lines(imported.row(3)), @r"
    EXTERNAL_ID: - > ada
    EMAIL: - > ada@pd.example
    BADGE_NUMBER: - > B-ada
    FIRST_NAME: - > Ada
    LAST_NAME: - > Example
    STATUS: - > Active
    USERNAME: - > ada
    ROLE: - > Officer
    SUPERVISOR_EMAIL: - > boss@pd.example
    RANK: - > Captain
    EVIDENCE_GROUP_EXT_ID: - > G-1
    PHONE: - > +12025550123
    ");
}

async fn without_include_values_only_the_columns_are_named(database: Database) {
    let app = App::start(database).await;
    app.import(captain()).await;
    let imported = app.import(lieutenant()).await;
    assert_eq!(imported.row(3).changes.len(), 7, "{imported}");
    for change in &imported.row(3).changes {
        assert_eq!(
            (&change.before, &change.after),
            (&None, &None),
            "{change:?}"
        );
    }
}

async fn a_source_has_at_most_255_characters(database: Database) {
    let app = App::start(database).await;
    for (source, code) in [
        ("ö".repeat(255), Code::Ok),
        ("ö".repeat(256), Code::InvalidArgument),
        // PostgreSQL could not store such a value.
        ("a\0b".to_owned(), Code::InvalidArgument),
    ] {
        let start = ImportStart {
            source: source.clone(),
            ..start_of("pd")
        };
        let imported = app.import_with(start, roster().people(["ada"])).await;
        assert_eq!(imported.code(), code, "{source}:\n{imported}");
    }
}

async fn an_import_id_is_a_uuid(database: Database) {
    let app = App::start(database).await;
    let nil = "00000000-0000-0000-0000-000000000000";
    for bad in ["1", "no-uuid", nil, "018f4e9e-5c7b-7000-8000-00000000000g"] {
        let start = ImportStart {
            import_id: bad.to_owned(),
            ..start_of("pd")
        };
        let imported = app.import_with(start, roster().people(["ada"])).await;
        assert_eq!(imported.code(), Code::InvalidArgument, "{bad}:\n{imported}");
    }
    assert!(app.users().await.is_empty());
    let chosen = app.import(roster().people(["ada"])).await;
    assert_eq!(chosen.import_id().len(), 36);
    assert_eq!(chosen.summary().import_id, chosen.import_id());
}

async fn a_location_is_reported_once(database: Database) {
    let app = App::start(database).await;
    let located = roster()
        .people(["ada"])
        .row("bob", [(Location, "Room 1")])
        .row("cy", [(Location, "Room 2")]);
    assert_snapshot!(app.import(located).await, @r"
    1 CREATED ada
    2 CREATED bob
    3 CREATED cy
    COMPLETED: 3 rows, 3 created
    warning: LOCATION_IGNORED row 2
    ");
}

/// The type that collects an import's answers checks the size of each answer.
async fn ten_thousand_rows_come_in_messages_of_bounded_size(database: Database) {
    let app = App::start(database).await;
    let names: Vec<_> = (0..10_000).map(|n| format!("user-{n}")).collect();
    let start = ImportStart {
        validate_only: true,
        ..with_values()
    };
    let rows = roster().people(names.iter().map(String::as_str));
    let imported = app.import_with(start, rows).await;
    assert_eq!(imported.results.len(), 10_000);
}

async fn more_refusals_than_a_message_holds_are_cut(database: Database) {
    let app = App::start(database).await;
    let only_roles = (0..20_000).map(|n| format!("No such role {n}")).collect();
    let start = ImportStart {
        validate_only: true,
        deactivate_missing: Some(DeactivateMissing {
            only_roles,
            ..DeactivateMissing::default()
        }),
        ..start_of("pd")
    };
    let imported = app.import_with(start, roster().people(["ada"])).await;
    assert_eq!(imported.code(), Code::InvalidArgument);
    let refusals = &imported.summary().refusals;
    assert!(refusals.len() > 1_000, "{}", refusals.len());
    let last = refusals.last().map(|refusal| &*refusal.code);
    assert_eq!(last, Some("MORE_REFUSALS"));
}
