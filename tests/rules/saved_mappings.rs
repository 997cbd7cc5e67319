//! Mappings that an organisation saves under a name, and imports that use them by their names (semantics §10).

use tonic::{Code, Status};
use tonic_types::StatusExt;
use user_import::{
    domain::{Column::Phone, Permission},
    proto::{
        AuditAction, DeleteMappingRequest, ImportStart, ListMappingsRequest, Mapping, NamedMapping,
        SaveMappingRequest, ValueMapping,
    },
};

use user_import_testing::{
    App, Database, dry_run, finish_of, on_both_databases, roster, start_of, token,
};

on_both_databases![
    a_saved_mapping_is_listed_replaced_and_deleted,
    an_import_by_name_is_the_import_by_the_mapping_itself,
    an_upload_goes_on_with_the_mapping_that_it_began_with,
    a_name_that_nothing_is_saved_under_is_not_found,
    a_mapping_that_cannot_be_used_is_not_saved,
    an_organisation_has_a_bounded_number_of_mappings,
    mappings_of_other_organisations_are_not_seen,
    the_trail_tells_which_mapping_an_import_had,
];

/// A mapping that reads the phone from another column.
fn phones_from(column: &str) -> Mapping {
    Mapping {
        columns: [(column.to_owned(), "PHONE".to_owned())].into(),
        ..Mapping::default()
    }
}

fn named(name: &str, mapping: Mapping) -> NamedMapping {
    NamedMapping {
        name: name.to_owned(),
        mapping: Some(mapping),
        updated_at: None,
    }
}

async fn save(app: &App, mapping: NamedMapping) -> Result<NamedMapping, Status> {
    let request = SaveMappingRequest {
        organization: "pd".to_owned(),
        mapping: Some(mapping),
    };
    let answer = app.directory().save_mapping(request).await?.into_inner();
    Ok(answer.mapping.unwrap())
}

async fn saved(app: &App) -> Vec<NamedMapping> {
    let organization = "pd".to_owned();
    let request = ListMappingsRequest { organization };
    let answer = app.directory().list_mappings(request).await.unwrap();
    answer.into_inner().mappings
}

async fn delete(app: &App, name: &str) -> Result<(), Status> {
    let request = DeleteMappingRequest {
        organization: "pd".to_owned(),
        name: name.to_owned(),
    };
    app.directory().delete_mapping(request).await.map(drop)
}

fn by_name(name: &str) -> ImportStart {
    ImportStart {
        mapping_name: name.to_owned(),
        ..start_of("pd")
    }
}

/// Returns the fields that a status says are invalid.
fn wrong_fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let found = details.bad_request().unwrap().field_violations.iter();
    found.map(|violation| violation.field.clone()).collect()
}

/// A roster in which the column of phones has another name.
fn export(column: &str) -> String {
    let people = roster().row("ada", [(Phone, "+1 202-555-0143")]);
    people.csv().replacen("PHONE", column, 1)
}

async fn a_saved_mapping_is_listed_replaced_and_deleted(database: Database) {
    let app = App::start(database).await;
    assert_eq!(saved(&app).await, []);
    let stored = save(&app, named("hr", phones_from("Cell"))).await.unwrap();
    assert_eq!(stored.mapping, Some(phones_from("Cell")));
    assert!(stored.updated_at.is_some());
    save(&app, named("cad-2", phones_from("Radio")))
        .await
        .unwrap();
    save(&app, named("hr", phones_from("Mobile")))
        .await
        .unwrap();
    let found: Vec<_> = saved(&app)
        .await
        .into_iter()
        .map(|found| (found.name, found.mapping.unwrap()))
        .collect();
    let expected = [("cad-2", "Radio"), ("hr", "Mobile")];
    let expected = expected.map(|(name, column)| (name.to_owned(), phones_from(column)));
    assert_eq!(found, expected);
    delete(&app, "cad-2").await.unwrap();
    assert_eq!(saved(&app).await.len(), 1);
    let again = delete(&app, "cad-2").await.unwrap_err();
    assert_eq!(again.code(), Code::NotFound);
    assert_eq!(
        again.message(),
        "This organisation has no mapping \"cad-2\"."
    );
}

/// The plan, the results and the digest of the options are the same, so a client may send the mapping or its name.
async fn an_import_by_name_is_the_import_by_the_mapping_itself(database: Database) {
    let app = App::start(database).await;
    let mapping = Mapping {
        values: vec![ValueMapping {
            column: "ROLE".to_owned(),
            cell: "PO".to_owned(),
            value: "Officer".to_owned(),
        }],
        ..phones_from("Cell")
    };
    save(&app, named("hr", mapping.clone())).await.unwrap();
    let csv = export("Cell").replace("Officer", "po");
    let inline = ImportStart {
        mapping: Some(mapping.clone()),
        ..start_of("pd")
    };
    let planned = app.import_with(dry_run(inline.clone()), &*csv).await;
    let id = "018f4e9e-5c7b-7000-8000-000000000077".to_owned();
    let named_start = ImportStart {
        import_id: id.clone(),
        ..by_name("hr")
    };
    let imported = app.import_with(named_start.clone(), &*csv).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    assert_eq!(
        imported.summary().plan_digest,
        planned.summary().plan_digest
    );
    assert_eq!(app.user("ada").await.role, "Officer");
    let same = ImportStart {
        import_id: id,
        ..inline
    };
    let replayed = app.import_with(same, &*csv).await;
    assert_eq!(replayed.code(), Code::Ok, "{replayed}");
    assert_eq!(replayed.summary().created, 1, "{replayed}");
    // With another mapping it would be another import.
    save(&app, named("hr", phones_from("Cell"))).await.unwrap();
    let other = app.import_with(named_start, &*csv).await;
    assert_eq!(other.code(), Code::AlreadyExists, "{other}");
}

async fn an_upload_goes_on_with_the_mapping_that_it_began_with(database: Database) {
    let app = App::start(database).await;
    save(&app, named("hr", phones_from("Cell"))).await.unwrap();
    let csv = export("Cell").into_bytes();
    let (import, _) = app.begin_upload(by_name("hr")).await.unwrap();
    delete(&app, "hr").await.unwrap();
    app.append(&import, 0, &csv).await.unwrap();
    app.finish(&import, finish_of(&csv)).await.unwrap();
    let imported = app.watch_in("pd", &import).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    assert_eq!(app.user("ada").await.phone, "+12025550143");
}

async fn a_name_that_nothing_is_saved_under_is_not_found(database: Database) {
    let app = App::start(database).await;
    for name in ["hr", "H R\0", "../hr", &"x".repeat(300)] {
        let refused = app.import_with(by_name(name), export("Cell")).await;
        assert_eq!(refused.code(), Code::NotFound, "{refused}");
        let begun = app.begin_upload(by_name(name)).await.unwrap_err();
        assert_eq!(begun.code(), Code::NotFound, "{begun}");
        assert_eq!(delete(&app, name).await.unwrap_err().code(), Code::NotFound);
    }
    let both = ImportStart {
        mapping: Some(phones_from("Cell")),
        ..by_name("hr")
    };
    let refused = app.import_with(both, export("Cell")).await;
    assert_eq!(wrong_fields(&refused.status), ["mapping_name"]);
    assert!(app.users().await.is_empty());
}

async fn a_mapping_that_cannot_be_used_is_not_saved(database: Database) {
    let app = App::start(database).await;
    let bad = Mapping {
        columns: [("Cell".to_owned(), "FONE".to_owned())].into(),
        templates: [("EMAIL".to_owned(), "{{ row.".to_owned())].into(),
        ..Mapping::default()
    };
    let refused = save(&app, named("Human Resources", bad)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        wrong_fields(&refused),
        ["mapping.name", "mapping.columns", "mapping.templates"]
    );
    let nothing = NamedMapping {
        name: "hr".to_owned(),
        ..NamedMapping::default()
    };
    let refused = save(&app, nothing).await.unwrap_err();
    assert_eq!(wrong_fields(&refused), ["mapping.mapping"]);
    assert_eq!(saved(&app).await, []);
}

async fn an_organisation_has_a_bounded_number_of_mappings(database: Database) {
    let app = App::start(database).await;
    for number in 0..100 {
        let name = format!("system-{number}");
        save(&app, named(&name, phones_from("Cell"))).await.unwrap();
    }
    let full = save(&app, named("hr", phones_from("Cell"))).await;
    assert_eq!(full.unwrap_err().code(), Code::ResourceExhausted);
    // At the limit, a mapping can still be replaced, and after a deletion another one can be saved.
    save(&app, named("system-7", phones_from("Radio")))
        .await
        .unwrap();
    delete(&app, "system-8").await.unwrap();
    save(&app, named("hr", phones_from("Cell"))).await.unwrap();
    assert_eq!(saved(&app).await.len(), 100);

    let large = Mapping {
        null_values: (0..900).map(|n| format!("{n:064}")).collect(),
        ..Mapping::default()
    };
    let mut kept = 0;
    let refused = loop {
        match save(&app, named(&format!("system-{}", 10 + kept), large.clone())).await {
            Ok(_) => kept += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!((10..=17).contains(&kept), "{kept}");
}

async fn mappings_of_other_organisations_are_not_seen(database: Database) {
    let app = App::start(database).await;
    app.organization("other").await;
    save(&app, named("hr", phones_from("Cell"))).await.unwrap();
    let stranger = app.holding(token("other", Permission::ALL)).await;
    let app = app.holding(token("pd", Permission::ALL)).await;
    let theirs = ImportStart {
        mapping_name: "hr".to_owned(),
        ..start_of("other")
    };
    let refused = stranger.import_with(theirs, export("Cell")).await;
    assert_eq!(refused.code(), Code::NotFound, "{refused}");
    for refused in [
        save(&stranger, named("hr", phones_from("Radio")))
            .await
            .map(drop),
        delete(&stranger, "hr").await,
    ] {
        assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    }
    assert_eq!(saved(&app).await[0].mapping, Some(phones_from("Cell")));
}

async fn the_trail_tells_which_mapping_an_import_had(database: Database) {
    let app = App::start(database).await;
    save(&app, named("hr", phones_from("Cell"))).await.unwrap();
    app.import_with(by_name("hr"), export("Cell")).await;
    delete(&app, "hr").await.unwrap();
    let events = app.audit_events("pd").await;
    let of = |action| {
        events
            .iter()
            .find(|event| event.action() == action)
            .unwrap()
    };
    let saving = of(AuditAction::MappingSaved);
    assert_eq!(saving.subject, "hr");
    assert_eq!(saving.details["replaced"], "false");
    let option = format!("mapping={}", saving.details["sha256"]);
    assert_eq!(of(AuditAction::ImportBegun).details["options"], option);
    assert_eq!(of(AuditAction::MappingDeleted).subject, "hr");
}
