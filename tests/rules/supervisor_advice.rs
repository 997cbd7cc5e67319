//! The messages about a supervisor who is not found (semantics §5), and the number of rows that depend on a rejected
//! row.

use insta::assert_snapshot;
use user_import::domain::Column::{
    BadgeNumber, Email, ExternalId, FirstName, LastName, Status, SupervisorEmail, Username,
};

use user_import_testing::{App, Database, ImportResponses, on_both_databases, roster, start_of};

on_both_databases![
    a_supervisor_who_is_renamed_is_suggested_by_the_new_address,
    a_cell_that_is_a_key_or_a_name_of_somebody_suggests_the_address,
    a_name_that_two_people_have_suggests_nobody,
    the_issues_of_supervisors_given_by_name_suggest_their_addresses,
    the_row_at_the_root_says_how_many_wait_for_it,
];

/// Returns the row, message and suggestion of each issue.
fn said(imported: &ImportResponses) -> String {
    let said = imported.results.iter().flat_map(|result| {
        let issues = result.issues.iter();
        issues.map(|i| format!("{} {} [{}]", result.row, i.message, i.suggestion))
    });
    said.collect::<Vec<_>>().join("\n")
}

async fn a_supervisor_who_is_renamed_is_suggested_by_the_new_address(database: Database) {
    let app = App::start(database).await;
    let before = roster()
        .people(["ada"])
        .row("bob", [(SupervisorEmail, "ada@pd.example")]);
    app.import(before).await;
    for change in [
        &[
            (Email, "ada.quill@pd.example"),
            (LastName, "Quill"),
            (Username, "aquill"),
        ][..],
        &[(Email, "ada.quill@pd.example")],
        &[
            (Email, "ada.quill@pd.example"),
            (BadgeNumber, "B-9"),
            (Status, "Inactive"),
        ],
    ] {
        let rows = roster()
            .row("ada", change.iter().copied())
            .row("bob", [(SupervisorEmail, "ada@pd.example")])
            .row("new", [(SupervisorEmail, "ADA@pd.example")]);
        let imported = app.preview(start_of("pd"), &rows).await;
        assert_snapshot!(said(&imported), @r#"
        2 SUPERVISOR_EMAIL "ada@pd.example" matches no user after this import, because row 1 changes it to "ada.quill@pd.example"; write that. [ada.quill@pd.example]
        3 SUPERVISOR_EMAIL "ADA@pd.example" matches no user after this import, because row 1 changes it to "ada.quill@pd.example"; write that. [ada.quill@pd.example]
        "#);
        assert_eq!(imported.row(2).issues[0].related_row, 1);
    }
}

async fn a_cell_that_is_a_key_or_a_name_of_somebody_suggests_the_address(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let cells = [
        "ADA",
        "B-ada",
        "x-9",
        "b-boss",
        "Dana Whitlock",
        "whitlock,  dana",
        "Whitlock Dana",
        "ada@pd.exampel",
        "mailto:ada@pd.example",
        "Whitlock, Dana <BOSS@pd.example>",
        "ada@pd.example;",
    ];
    let boss = [
        (ExternalId, "X-9"),
        (FirstName, "Dana"),
        (LastName, "Whitlock"),
    ];
    let rows = (0..)
        .zip(cells)
        .fold(roster().row("boss", boss), |rows, (at, cell)| {
            rows.row(&format!("p{at}"), [(SupervisorEmail, cell)])
        });
    let imported = app.import(&rows).await;
    assert_snapshot!(said(&imported), @r#"
    2 SUPERVISOR_EMAIL "ADA" matches no user; did you mean "ada@pd.example"? [ada@pd.example]
    3 SUPERVISOR_EMAIL "B-ada" matches no user; did you mean "ada@pd.example"? [ada@pd.example]
    4 SUPERVISOR_EMAIL "x-9" matches no user; did you mean "boss@pd.example"? [boss@pd.example]
    5 SUPERVISOR_EMAIL "b-boss" matches no user; did you mean "boss@pd.example"? [boss@pd.example]
    6 SUPERVISOR_EMAIL "Dana Whitlock" matches no user; did you mean "boss@pd.example"? [boss@pd.example]
    7 SUPERVISOR_EMAIL "whitlock,  dana" matches no user; did you mean "boss@pd.example"? [boss@pd.example]
    8 SUPERVISOR_EMAIL "Whitlock Dana" matches no user; did you mean "boss@pd.example"? [boss@pd.example]
    9 SUPERVISOR_EMAIL "ada@pd.exampel" matches no user; did you mean "ada@pd.example"? [ada@pd.example]
    10 SUPERVISOR_EMAIL "mailto:ada@pd.example" matches no user; did you mean "ada@pd.example"? [ada@pd.example]
    11 SUPERVISOR_EMAIL "Whitlock, Dana <BOSS@pd.example>" matches no user; did you mean "boss@pd.example"? [boss@pd.example]
    12 SUPERVISOR_EMAIL "ada@pd.example;" matches no user; did you mean "ada@pd.example"? [ada@pd.example]
    "#);
    assert_eq!(said(&app.import_rows(rows.typed()).await), said(&imported));
}

async fn a_name_that_two_people_have_suggests_nobody(database: Database) {
    let app = App::start(database).await;
    let name = [(FirstName, "Kim"), (LastName, "Lee")];
    let rows = roster()
        .row("one", name)
        .row("two", name)
        .row("new", [(SupervisorEmail, "Kim Lee")]);
    assert_snapshot!(said(&app.import(rows).await), @r#"3 SUPERVISOR_EMAIL "Kim Lee" matches no user; correct it, or add that user to the file. []"#);
}

async fn the_row_at_the_root_says_how_many_wait_for_it(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let rows = roster()
        .row("chief", [(Status, "?")])
        .row("b", [(SupervisorEmail, "chief@pd.example")])
        .row("c", [(SupervisorEmail, "b@pd.example")])
        .row("d", [(SupervisorEmail, "b@pd.example")])
        .row("ada", [(Email, "nowhere"), (BadgeNumber, "B-7")])
        .row("e", [(BadgeNumber, "B-ada")]);
    assert_snapshot!(said(&app.import(rows).await), @r#"
    1 STATUS "?" is neither Active nor Inactive; write one of the two. 3 other rows wait for this one. []
    2 SUPERVISOR_EMAIL "chief@pd.example" matches no user, because row 1 was rejected. []
    2 Row 1, whose user would have had the email "chief@pd.example", was rejected; correct row 1 first. []
    3 SUPERVISOR_EMAIL "b@pd.example" matches no user, because row 2 was rejected. []
    3 Row 2, whose user would have had the email "b@pd.example", was rejected; correct row 2 first. []
    4 SUPERVISOR_EMAIL "b@pd.example" matches no user, because row 2 was rejected. []
    4 Row 2, whose user would have had the email "b@pd.example", was rejected; correct row 2 first. []
    5 EMAIL "nowhere" is not an email address; write it like name@example.com. 1 other row waits for this one. []
    6 BADGE_NUMBER "B-ada" already belongs to user "ada"; give this row another badge number. []
    6 Row 5, which would have freed badge number "B-ada", was rejected; correct row 5 first. []
    "#);
}

async fn the_issues_of_supervisors_given_by_name_suggest_their_addresses(database: Database) {
    let app = App::start(database).await;
    let named = |first, last, supervisor| {
        [
            (FirstName, first),
            (LastName, last),
            (SupervisorEmail, supervisor),
        ]
    };
    let rows = roster()
        .row("chief", named("Dana", "Whitlock", "Dana Whitlock"))
        .row("captain", named("Luis", "Ortega", "Whitlock, Dana"))
        .row("officer", named("Kim", "Lee", "ortega luis"));
    let told = said(&app.import(&rows).await);
    assert_snapshot!(told, @r#"
    1 SUPERVISOR_EMAIL "Dana Whitlock" matches no user, and seems to name the row's own user; leave the cell blank if the user has no supervisor. []
    2 SUPERVISOR_EMAIL "Whitlock, Dana" matches no user; did you mean "chief@pd.example"? [chief@pd.example]
    3 SUPERVISOR_EMAIL "ortega luis" matches no user; did you mean "captain@pd.example"? [captain@pd.example]
    "#);
    // The same with supervisors who are users already.
    app.people(["chief", "captain", "officer"]).await;
    assert_eq!(said(&app.import(&rows).await), told);
    assert_eq!(said(&app.import_rows(rows.typed()).await), told);
}
