//! People and keys that are twice in the file (semantics §5): copies have the same outcome as the row that they equal,
//! rows that contradict each other are all rejected, and a key stays with the user who has it already.

use std::{collections::BTreeMap, fmt::Write as _};

use insta::assert_snapshot;
use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    sample::{Index, select},
};
use user_import::{
    domain::Column::{
        self, BadgeNumber, Email, EvidenceGroupExtId, ExternalId, FirstName, LastName, Location,
        Role, Status, SupervisorEmail, Username,
    },
    proto::RowResult,
};

use user_import_testing::{
    App, Database, ImportResponses, Roster, any_people, deactivating_missing, for_all,
    on_both_databases, roster, roster_of, start_of,
};

on_both_databases![
    two_contradicting_lines_for_one_person_are_both_rejected,
    copies_are_unchanged_with_a_warning,
    copies_share_a_rejection,
    copies_without_an_external_id_make_one_user,
    one_person_in_two_rows_without_an_external_id_is_rejected_twice,
    a_key_in_several_rows_stays_with_the_user_who_has_it,
    a_key_in_several_rows_is_nobodys_if_no_user_keeps_it,
    what_is_said_of_rows_that_are_in_the_file_twice,
    nobody_is_deactivated_for_being_in_the_file_twice,
    any_order_of_the_rows_gives_the_same_directory_outcomes_and_codes,
];

/// Imports the roster as typed rows in a dry run, and as CSV. Both must have the same answer.
async fn import(app: &App, rows: Roster) -> ImportResponses {
    let dry = app.preview(start_of("pd"), &rows).await;
    let imported = app.import(rows).await;
    assert_eq!(dry.results.len(), imported.results.len());
    for result in &imported.results {
        assert_eq!(dry.row(result.row).outcome(), result.outcome());
        assert_eq!(dry.messages(result.row), imported.messages(result.row));
    }
    imported
}

async fn two_contradicting_lines_for_one_person_are_both_rejected(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let before = app.users().await;
    for contradiction in [
        (Status, "Inactive"),
        (LastName, "Other"),
        (EvidenceGroupExtId, "G-1"),
        (BadgeNumber, "B-77"),
        (Email, "Ada@pd.example"),
    ] {
        for first in [true, false] {
            let rows = match first {
                true => roster().row("ada", [contradiction]).row("ada", []),
                false => roster().row("ada", []).row("ada", [contradiction]),
            };
            let imported = import(&app, rows.row("bob", [])).await;
            let text = imported.to_string();
            assert_eq!(
                text,
                "1 REJECTED ada [DUPLICATE_IN_FILE row 2]\n\
                 2 REJECTED ada [DUPLICATE_IN_FILE row 1]\n\
                 3 UNCHANGED bob\n\
                 COMPLETED: 3 rows, 1 unchanged, 2 rejected\n",
                "{contradiction:?}"
            );
            assert_eq!(app.users().await, before);
        }
    }
}

async fn copies_are_unchanged_with_a_warning(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let copied = roster()
        .row("ada", [(BadgeNumber, "B-7")])
        .row("new", [(SupervisorEmail, "ada@pd.example")])
        .row("bob", [])
        // Normalisation, letter case in names that are only looked up, and LOCATION make no difference.
        .row(
            "ada",
            [
                (BadgeNumber, " B-7\u{A0}"),
                (Role, "OFFICER"),
                (Status, "ACTIVE"),
            ],
        )
        .row(
            "new",
            [(SupervisorEmail, "ADA@pd.example"), (Location, "Annex")],
        )
        .row("bob", [(FirstName, "bob\t")])
        .row("ada", [(BadgeNumber, "B-7")]);
    assert_snapshot!(import(&app, copied).await, @r"
    1 UPDATED ada: BADGE_NUMBER
    2 CREATED new
    3 UNCHANGED bob
    4 UNCHANGED ada [warning: DUPLICATE_IN_FILE row 1]
    5 UNCHANGED new [warning: DUPLICATE_IN_FILE row 2]
    6 UNCHANGED bob [warning: DUPLICATE_IN_FILE row 3]
    7 UNCHANGED ada [warning: DUPLICATE_IN_FILE row 1]
    COMPLETED: 7 rows, 1 created, 1 updated, 5 unchanged
    warning: LOCATION_IGNORED row 5
    ");
    assert_eq!(app.user("ada").await.badge_number, "B-7");
    assert_eq!(app.users().await.len(), 3);
}

async fn copies_share_a_rejection(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let copied = roster()
        .row("new", [(BadgeNumber, "B-ada")])
        .row("new", [(BadgeNumber, "B-ada")])
        .row("lost", [(SupervisorEmail, "nobody@elsewhere.example")])
        .row("lost", [(SupervisorEmail, "nobody@elsewhere.example")])
        .row("bad", [(Email, "nowhere")])
        .row("bad", [(Email, "nowhere")])
        .row("bob", [])
        .row("bob", [(Status, "Inactive")])
        .row("bob", []);
    assert_snapshot!(import(&app, copied).await, @r"
    1 REJECTED new [BADGE_NUMBER_TAKEN user ada]
    2 REJECTED new [BADGE_NUMBER_TAKEN user ada, warning: DUPLICATE_IN_FILE row 1]
    3 REJECTED lost [SUPERVISOR_NOT_FOUND]
    4 REJECTED lost [SUPERVISOR_NOT_FOUND, warning: DUPLICATE_IN_FILE row 3]
    5 REJECTED bad [INVALID_EMAIL]
    6 REJECTED bad [INVALID_EMAIL]
    7 REJECTED bob [DUPLICATE_IN_FILE row 8]
    8 REJECTED bob [DUPLICATE_IN_FILE row 7]
    9 REJECTED bob [DUPLICATE_IN_FILE row 8, warning: DUPLICATE_IN_FILE row 7]
    COMPLETED: 9 rows, 9 rejected
    ");
}

async fn copies_without_an_external_id_make_one_user(database: Database) {
    let app = App::start(database).await;
    let copied = roster()
        .row("new", [(ExternalId, "")])
        .row("new", [(ExternalId, "")])
        .row("other", [(ExternalId, "")])
        .row("new", [(ExternalId, "")]);
    let imported = import(&app, copied).await;
    let summary = imported.summary();
    assert_eq!((summary.created, summary.unchanged), (2, 2), "{imported}");
    let ids: Vec<&str> = imported.results.iter().map(|r| &*r.external_id).collect();
    assert!(!ids[0].is_empty() && ids[0] == ids[1] && ids[1] == ids[3]);
    assert_ne!(ids[0], ids[2]);
    assert_eq!(app.users().await.len(), 2);
}

async fn one_person_in_two_rows_without_an_external_id_is_rejected_twice(database: Database) {
    let app = App::start(database).await;
    let nameless = |differing: Vec<(Column, &'static str)>| {
        roster()
            .row("ada", [(ExternalId, "")])
            .row("ada", [(ExternalId, "")].into_iter().chain(differing))
    };
    let same_badge = vec![(Email, "a@pd.example"), (Username, "a")];
    for (rows, shared) in [
        (nameless(vec![(Status, "Inactive")]), 3),
        (nameless(vec![(LastName, "Other")]), 3),
        (nameless(vec![(BadgeNumber, "7"), (Username, "a")]), 1),
        (nameless(same_badge), 1),
    ] {
        let imported = import(&app, rows).await;
        assert_eq!(imported.summary().rejected, 2, "{imported}");
        for (row, other) in [(1, 2), (2, 1)] {
            let issues = &imported.row(row).issues;
            assert_eq!(issues.len(), shared, "{imported}");
            for issue in issues {
                assert_eq!(issue.code().as_str_name(), "ISSUE_CODE_DUPLICATE_IN_FILE");
                assert_eq!(issue.related_row, other);
                assert!(
                    issue.message.contains("keep the row that is right"),
                    "{}",
                    issue.message
                );
            }
        }
    }
    assert!(app.users().await.is_empty());
}

async fn a_key_in_several_rows_stays_with_the_user_who_has_it(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    for (key, value) in [
        (Email, "ADA@pd.example"),
        (BadgeNumber, "B-ada"),
        (Username, "Ada"),
    ] {
        let rows = roster()
            .row("new", [(key, value)])
            .people(["ada"])
            .row("other", [(key, value)]);
        let imported = import(&app, rows).await;
        assert_eq!(
            imported.to_string(),
            "1 REJECTED new [DUPLICATE_IN_FILE row 2]\n\
             2 UNCHANGED ada\n\
             3 REJECTED other [DUPLICATE_IN_FILE row 2]\n\
             COMPLETED: 3 rows, 1 unchanged, 2 rejected\n",
            "{key:?}"
        );
    }
}

async fn a_key_in_several_rows_is_nobodys_if_no_user_keeps_it(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    for (key, value) in [
        (Email, "shared@pd.example"),
        (BadgeNumber, "B-shared"),
        (Username, "shared"),
    ] {
        let rows = roster()
            .row("one", [(key, value)])
            .row("ada", [(key, value)])
            .row("three", [(key, value)]);
        let imported = import(&app, rows).await;
        assert_eq!(
            imported.to_string(),
            "1 REJECTED one [DUPLICATE_IN_FILE row 2]\n\
             2 REJECTED ada [DUPLICATE_IN_FILE row 1]\n\
             3 REJECTED three [DUPLICATE_IN_FILE row 1]\n\
             COMPLETED: 3 rows, 3 rejected\n",
            "{key:?}"
        );
    }
    // A key that its user gives up belongs to no user, either.
    let given_up = roster()
        .row("one", [(Email, "ada@pd.example")])
        .row("two", [(Email, "ada@pd.example")])
        .row("ada", [(Email, "ada2@pd.example")]);
    let imported = import(&app, given_up).await;
    let summary = imported.summary();
    assert_eq!((summary.updated, summary.rejected), (1, 2), "{imported}");
}

async fn what_is_said_of_rows_that_are_in_the_file_twice(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let rows = roster()
        .row("ada", [])
        .row("twin", [])
        .row("twin", [(LastName, "Other")])
        .row("new", [(Email, "ada@pd.example")])
        .row("one", [(Username, "u")])
        .row("two", [(Username, "U")])
        .row("ada", []);
    let imported = import(&app, rows).await;
    let said = imported.results.iter().flat_map(|result| {
        let issues = result.issues.iter();
        issues.map(|issue| format!("{} {} | {}\n", result.row, issue.column, issue.message))
    });
    assert_snapshot!(said.collect::<String>(), @r#"
    2 EXTERNAL_ID | EXTERNAL_ID "twin" is in row 3 too, with other values; keep the row that is right, and delete the other.
    3 EXTERNAL_ID | EXTERNAL_ID "twin" is in row 2 too, with other values; keep the row that is right, and delete the other.
    4 EMAIL | EMAIL "ada@pd.example" is in row 1 too, whose user has it already; if both rows are about that user, delete this one; otherwise give it another email.
    5 USERNAME | USERNAME "u" is in row 6 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another username.
    6 USERNAME | USERNAME "U" is in row 5 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another username.
    7 EXTERNAL_ID | This row equals row 1 in all values and was judged as that row; delete one of the two.
    "#);
}

async fn nobody_is_deactivated_for_being_in_the_file_twice(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let start = deactivating_missing(start_of("pd"));
    let rows = roster()
        .row("ada", [(Status, "Inactive")])
        .row("ada", [])
        .row("bob", [(Username, "cy")])
        .row("cy", [(Username, "bob"), (LastName, "One")])
        .row("cy", [(Username, "bob"), (LastName, "Two")]);
    let imported = app.import_with(start, rows).await;
    assert_eq!(imported.deactivations.len(), 0, "{imported}");
    assert_eq!(
        app.user("ada").await.status().as_str_name(),
        "USER_STATUS_ACTIVE"
    );
}

/// Rows of people. Some people have two rows, with the same values or with another value in one column.
fn with_twins() -> impl Strategy<Value = (Vec<Vec<(Column, String)>>, Vec<usize>)> {
    let other = select(vec![
        (Column::Phone, ""),
        (Status, "Inactive"),
        (LastName, "Twin"),
        (Email, "ada0@pd.example"),
        (Username, "shared"),
        (ExternalId, ""),
    ]);
    let twins = vec((any::<Index>(), any::<bool>(), other), 0..5);
    (any_people(), twins).prop_flat_map(|(mut people, twins)| {
        for (of, is_copy, (column, value)) in twins {
            let mut twin = of.get(&people).clone();
            if !is_copy {
                twin.push((column, value.to_owned()));
            }
            people.push(twin);
        }
        let order: Vec<usize> = (0..people.len()).collect();
        let order = proptest::strategy::Just(order).prop_shuffle();
        (proptest::strategy::Just(people), order)
    })
}

/// Returns the findings about each row, by the row's place in the first order. The values of row `r` are `texts[r]`.
/// The findings are sorted, because the order decides which of two copies is the first.
fn findings_by_row(imported: &ImportResponses, texts: &[String]) -> Vec<String> {
    let told = |result: &RowResult| {
        let mut issues: Vec<_> = result
            .issues
            .iter()
            .map(|issue| {
                (
                    issue.severity,
                    issue.code().as_str_name(),
                    issue.column.clone(),
                )
            })
            .collect();
        issues.sort_unstable();
        let mut text = texts[result.row as usize - 1].clone();
        write!(text, " {:?} {issues:?}", result.outcome()).expect("text grows");
        text
    };
    let mut told: Vec<String> = imported.results.iter().map(told).collect();
    told.sort_unstable();
    told
}

/// Returns the users, without the values that differ between organisations.
async fn users(app: &App, organization: &str) -> Vec<String> {
    let users = app.users_of(organization).await;
    let text = |user: user_import::proto::User| {
        let id = match user.external_id.len() {
            36 => "generated",
            _ => &user.external_id,
        };
        format!(
            "{id} {} {} {} {} {} {:?} {}",
            user.email,
            user.badge_number,
            user.first_name,
            user.last_name,
            user.username,
            user.status(),
            user.supervisor_email
        )
    };
    let mut users: Vec<String> = users.into_iter().map(text).collect();
    users.sort_unstable();
    users
}

async fn any_order_of_the_rows_gives_the_same_directory_outcomes_and_codes(database: Database) {
    let app = App::start(database).await;
    app.organization("other").await;
    let before = roster()
        .row("ada", [(Email, "ada0@pd.example")])
        .row("bob", [(Username, "shared"), (ExternalId, "1")]);
    for_all(16, with_twins(), async |(people, order)| {
        app.tamper("DELETE FROM users").await;
        for organization in ["pd", "other"] {
            app.import_with(start_of(organization), &before).await;
        }
        // The last value that a column gets counts, and columns that are not stored do not.
        let text = |values: &Vec<(Column, String)>| {
            let values: BTreeMap<_, _> = values.iter().cloned().collect();
            let stored = values.iter().filter(|(column, _)| **column != Location);
            format!("{:?}", stored.collect::<Vec<_>>())
        };
        let texts: Vec<String> = people.iter().map(text).collect();
        let shuffled: Vec<_> = order.iter().map(|&row| people[row].clone()).collect();
        let texts_shuffled: Vec<String> = order.iter().map(|&row| texts[row].clone()).collect();
        let one = app.import_with(start_of("pd"), roster_of(&people)).await;
        let other = start_of("other");
        let other = app.import_with(other, roster_of(&shuffled)).await;
        assert_eq!(
            findings_by_row(&one, &texts),
            findings_by_row(&other, &texts_shuffled)
        );
        assert_eq!(users(&app, "pd").await, users(&app, "other").await);
    });
}
