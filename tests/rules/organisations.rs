//! Organisations: created once, named by their slug, and listed in pages (api.md).

use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use user_import::proto::{
    CreateOrganizationRequest, GetOrganizationRequest, ListOrganizationsRequest, Organization,
};

use user_import_testing::{App, Database, on_both_databases};

on_both_databases![
    an_organisation_is_named_by_its_slug,
    a_slug_has_63_lower_case_letters_digits_and_hyphens_at_most,
    an_organisation_is_made_once,
    organisations_come_in_pages,
    an_unknown_organisation_is_not_found,
];

fn code<T>(result: Result<T, Status>) -> Option<Code> {
    result.err().map(|status| status.code())
}

fn slug(organization: &str) -> CreateOrganizationRequest {
    CreateOrganizationRequest {
        organization: organization.to_owned(),
        ..CreateOrganizationRequest::default()
    }
}

async fn create(app: &App, request: CreateOrganizationRequest) -> Result<Organization, Status> {
    let response = app.directory().create_organization(request).await?;
    Ok(response
        .into_inner()
        .organization
        .expect("the answer has an organisation"))
}

async fn an_organisation_is_named_by_its_slug(database: Database) {
    let app = App::start(database).await;
    let named = CreateOrganizationRequest {
        display_name: "Überlingen Police".to_owned(),
        ..slug("ueberlingen-pd")
    };
    let created = create(&app, named).await.expect("it is new");
    assert_eq!(created.display_name, "Überlingen Police");
    assert!(created.created_at.is_some());
    let request = GetOrganizationRequest {
        organization: "ueberlingen-pd".to_owned(),
    };
    let found = app.directory().get_organization(request).await;
    let found = found.expect("it is there").into_inner().organization;
    assert_eq!(found.as_ref(), Some(&created));
    let nameless = create(&app, slug("42")).await.expect("it is new");
    assert_eq!(nameless.display_name, "42");
}

async fn a_slug_has_63_lower_case_letters_digits_and_hyphens_at_most(database: Database) {
    let app = App::start(database).await;
    let (longest, longer) = ("x".repeat(63), "x".repeat(64));
    for good in ["a", "0-9", &*longest] {
        assert_eq!(code(create(&app, slug(good)).await), None, "{good}");
    }
    for bad in ["", "PD", "a b", "a_b", "é", "a\0", &*longer] {
        let status = create(&app, slug(bad)).await.expect_err(bad);
        assert_eq!(status.code(), Code::InvalidArgument, "{bad}");
        let request = status
            .get_details_bad_request()
            .expect("the details name the field");
        assert_eq!(request.field_violations[0].field, "organization");
    }
    let long = CreateOrganizationRequest {
        display_name: "ö".repeat(256),
        ..slug("long")
    };
    assert_eq!(code(create(&app, long).await), Some(Code::InvalidArgument));
}

async fn an_organisation_is_made_once(database: Database) {
    let app = App::start(database).await;
    let status = create(&app, slug("pd")).await.expect_err("it is there");
    assert_eq!(status.code(), Code::AlreadyExists);
    let resource = status
        .get_details_resource_info()
        .expect("the details name it");
    assert_eq!(
        (&*resource.resource_type, &*resource.resource_name),
        ("organization", "pd")
    );
    // The failed call leaves nothing behind, so the next call succeeds.
    assert_eq!(code(create(&app, slug("other")).await), None);
}

async fn organisations_come_in_pages(database: Database) {
    let app = App::start(database).await;
    for name in ["b", "a-", "a", "0"] {
        create(&app, slug(name)).await.expect("it is new");
    }
    let mut request = ListOrganizationsRequest {
        page_size: 2,
        ..ListOrganizationsRequest::default()
    };
    let mut pages = Vec::new();
    loop {
        let response = app.directory().list_organizations(request.clone()).await;
        let page = response.expect("there is a page").into_inner();
        pages.push(
            page.organizations
                .into_iter()
                .map(|o| o.organization)
                .collect::<Vec<_>>(),
        );
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [vec!["0", "a"], vec!["a-", "b"], vec!["pd"]]);
}

async fn an_unknown_organisation_is_not_found(database: Database) {
    let app = App::start(database).await;
    for unknown in ["", "nobody", "PD", "pd\0"] {
        let request = GetOrganizationRequest {
            organization: unknown.to_owned(),
        };
        let status = app
            .directory()
            .get_organization(request)
            .await
            .expect_err(unknown);
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        let resource = status
            .get_details_resource_info()
            .expect("the details name it");
        assert_eq!(resource.resource_type, "organization");
    }
}
