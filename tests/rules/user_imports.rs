//! The imports that touched a user, with what each did (api.md, `ListUserImports`).

use tonic::Code;
use user_import::{
    domain::Column::{BadgeNumber, Email, LastName, Status as StatusColumn},
    proto::{
        ListUserImportsRequest, ListUserImportsResponse, UserImport,
        UserImportAction::{self, Created, Deactivated, Updated},
    },
};

use user_import_testing::{
    App, Database, deactivating_missing, dry_run, on_both_databases, roster, start_of,
};

on_both_databases![
    what_each_import_did_to_a_user_is_listed,
    imports_that_did_nothing_to_a_user_are_not_listed,
    imports_of_a_user_come_in_pages,
    an_import_whose_results_are_gone_is_named_if_it_was_the_last,
    a_user_who_is_not_there_has_no_imports,
];

async fn imports_of(app: &App, external_id: &str, page: (i32, &str)) -> ListUserImportsResponse {
    let request = ListUserImportsRequest {
        organization: "pd".to_owned(),
        user_id: app.user(external_id).await.id,
        page_size: page.0,
        page_token: page.1.to_owned(),
    };
    let listed = app.imports().list_user_imports(request).await;
    listed.expect("imports are listed").into_inner()
}

fn id(import: &UserImport) -> &str {
    &import.import_record.as_ref().unwrap().import_id
}

/// Returns what the imports did to the user: each import's ID, its action, and the columns that an update changed.
fn facts_of(import: &UserImport) -> (&str, UserImportAction, Vec<&str>) {
    let row = import.result.iter().filter(|_| import.action() == Updated);
    let row = row.flat_map(|row| &row.changes);
    (
        id(import),
        import.action(),
        row.map(|change| &*change.column).collect(),
    )
}

async fn what_each_import_did_to_a_user_is_listed(database: Database) {
    let app = App::start(database).await;
    let made = app.import(roster().people(["ada", "bob"])).await;
    let changed = roster()
        .row("ada", [(LastName, "Byron"), (BadgeNumber, "7")])
        .people(["bob"]);
    let changed = app.import(changed).await;
    let left = deactivating_missing(start_of("pd"));
    let left = app.import_with(left, roster().people(["bob"])).await;
    let listed = imports_of(&app, "ada", (0, "")).await;
    let told: Vec<_> = listed.imports.iter().map(facts_of).collect();
    let expected = [
        (left.import_id(), Deactivated, vec![]),
        (
            changed.import_id(),
            Updated,
            vec!["BADGE_NUMBER", "LAST_NAME"],
        ),
        (made.import_id(), Created, vec![]),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        (listed.next_page_token, listed.search_incomplete),
        (String::new(), false)
    );
    let row = listed.imports[1].result.as_ref().unwrap();
    assert_eq!((row.row, &*row.external_id), (1, "ada"));
    let record = listed.imports[0].import_record.as_ref().unwrap();
    assert_eq!((&*record.organization, record.deactivated), ("pd", 1));
}

async fn imports_that_did_nothing_to_a_user_are_not_listed(database: Database) {
    let app = App::start(database).await;
    let made = app.import(roster().people(["ada", "bob"])).await;
    // In these imports the user was unchanged, rejected, only planned, or not listed.
    app.import(roster().people(["ada"])).await;
    app.import(roster().row("ada", [(Email, "nobody")]).people(["cy"]))
        .await;
    let gone = roster().row("ada", [(StatusColumn, "Inactive")]);
    app.import_with(dry_run(start_of("pd")), gone).await;
    app.people(["dan"]).await;
    let listed = imports_of(&app, "ada", (0, "")).await;
    assert_eq!(
        listed.imports.iter().map(id).collect::<Vec<_>>(),
        [made.import_id()]
    );
}

async fn imports_of_a_user_come_in_pages(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    // In each pair, one of the two imports is about another user.
    let mut expected = Vec::new();
    for turn in 0..5 {
        app.people([&*format!("other-{turn}")]).await;
        let badge = format!("B-{turn}");
        let changed = app
            .import(roster().row("ada", [(BadgeNumber, &*badge)]))
            .await;
        expected.insert(0, changed.import_id().to_owned());
    }
    let (mut found, mut token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = imports_of(&app, "ada", (2, &token)).await;
        assert!(page.imports.len() <= 2 && !page.search_incomplete);
        found.extend(page.imports.iter().map(|import| id(import).to_owned()));
        pages += 1;
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!((pages, found.len()), (3, 6));
    assert_eq!(found[..5], expected[..]);
}

async fn an_import_whose_results_are_gone_is_named_if_it_was_the_last(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let last = app.import(roster().row("ada", [(BadgeNumber, "7")])).await;
    app.database().execute("DELETE FROM import_results").await;
    let listed = imports_of(&app, "ada", (0, "")).await;
    let told: Vec<_> = listed.imports.iter().map(facts_of).collect();
    assert_eq!(
        told,
        [(last.import_id(), UserImportAction::Unspecified, vec![])]
    );
    assert_eq!(listed.imports[0].result, None);
}

async fn a_user_who_is_not_there_has_no_imports(database: Database) {
    let app = App::start(database).await;
    for (user_id, code) in [
        ("ada", Code::InvalidArgument),
        ("018f4e9e-5c7b-7000-8000-000000000001", Code::NotFound),
    ] {
        let request = ListUserImportsRequest {
            organization: "pd".to_owned(),
            user_id: user_id.to_owned(),
            ..ListUserImportsRequest::default()
        };
        let refused = app.imports().list_user_imports(request).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
    }
}
