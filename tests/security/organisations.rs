//! The organisation follows from the credential. No answer discloses the data of another organisation, or whether it
//! exists.

use tonic::Code;
use user_import::{
    domain::Permission,
    proto::{GetImportRequest, ImportStart, ListOrganizationsRequest},
};

use user_import_testing::{
    App, Database, on_both_databases, roster,
    rpcs::{self, answer, call, is_admitted},
    start_of, token,
};

on_both_databases![
    another_organisation_is_denied_alike_whether_it_exists_or_not,
    a_list_of_organisations_has_only_ones_own,
    two_organisations_with_the_same_ids_never_see_each_other,
    an_organisation_that_is_ones_own_and_does_not_exist_is_not_found,
];

const DENIED: &str = "PermissionDenied OTHER_ORGANIZATION: This credential is not for that \
    organisation.";

async fn another_organisation_is_denied_alike_whether_it_exists_or_not(database: Database) {
    let app = App::start(database).await;
    app.organization("sheriff").await;
    let caller = app.holding(token("pd", Permission::ALL)).await;
    for path in rpcs::all().iter().filter(|path| !rpcs::is_global(path)) {
        for other in ["sheriff", "nowhere", "PD", "pd ", "", "*", "\0"] {
            assert_eq!(
                answer(&caller, path, other).await,
                DENIED,
                "{path} {other:?}"
            );
        }
        let own = call(&caller, path, "pd").await;
        assert!(is_admitted(&own), "{path}: {own:?}");
    }
}

async fn an_organisation_that_is_ones_own_and_does_not_exist_is_not_found(database: Database) {
    let app = App::start(database).await;
    let caller = app.holding(token("nowhere", Permission::ALL)).await;
    for path in rpcs::all().iter().filter(|path| !rpcs::is_global(path)) {
        // The only thing that the caller can do with it is to create it. After that it exists.
        if rpcs::name(path) == "CreateOrganization" {
            continue;
        }
        let code = call(&caller, path, "nowhere").await.unwrap_err().code();
        assert_eq!(code, Code::NotFound, "{path}");
    }
}

async fn listed(caller: &App) -> Vec<String> {
    let mut request = ListOrganizationsRequest {
        page_size: 1,
        ..ListOrganizationsRequest::default()
    };
    let mut slugs = Vec::new();
    loop {
        let page = caller.directory().list_organizations(request.clone()).await;
        let page = page.unwrap().into_inner();
        slugs.extend(page.organizations.into_iter().map(|o| o.organization));
        if page.next_page_token.is_empty() {
            return slugs;
        }
        request.page_token = page.next_page_token;
    }
}

async fn a_list_of_organisations_has_only_ones_own(database: Database) {
    let app = App::start(database).await;
    for slug in ["a", "sheriff", "z"] {
        app.organization(slug).await;
    }
    let read = [Permission::UsersRead];
    for (organization, expected) in [
        ("*", &["a", "pd", "sheriff", "z"][..]),
        ("sheriff", &["sheriff"]),
        ("nowhere", &[]),
    ] {
        let caller = app.holding(token(organization, read)).await;
        assert_eq!(listed(&caller).await, expected, "{organization}");
    }
}

async fn two_organisations_with_the_same_ids_never_see_each_other(database: Database) {
    let app = App::start(database).await;
    app.organization("sheriff").await;
    let all = || Permission::ALL;
    let pd = app.holding(token("pd", all())).await;
    let sheriff = app.holding(token("sheriff", all())).await;
    let with_id = |organization| ImportStart {
        import_id: rpcs::NOBODY.to_owned(),
        ..start_of(organization)
    };
    let people = || roster().people(["ada", "bob"]);
    let ours = pd.import_with(with_id("pd"), people()).await;
    assert_eq!(ours.summary().created, 2, "{ours}");

    // The same import ID and the same people in another organisation are another import and other people.
    let made = sheriff.import_with(with_id("sheriff"), people()).await;
    assert_eq!(made.summary().created, 2, "{made}");
    let denied = sheriff.import_with(with_id("pd"), people()).await;
    assert_eq!(rpcs::status_line(&denied.status), DENIED);

    let users = sheriff.users_of("sheriff").await;
    let others = pd.users_of("pd").await;
    for (one, other) in users.iter().zip(&others) {
        assert_eq!(one.external_id, other.external_id);
        assert_ne!(one.id, other.id);
    }
    for (caller, own) in [(&pd, "pd"), (&sheriff, "sheriff")] {
        let request = GetImportRequest {
            organization: own.to_owned(),
            import_id: rpcs::NOBODY.to_owned(),
        };
        let import = caller.imports().get_import(request).await.unwrap();
        let import = import.into_inner().import_record.unwrap();
        assert_eq!(import.organization, own);
        assert!(
            import.principal.starts_with("token "),
            "{}",
            import.principal
        );
    }
}
