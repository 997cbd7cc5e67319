//! The settings of an organisation for phone numbers and keys: the phone region, and the patterns for badge numbers and
//! external IDs (semantics §2).

use insta::assert_snapshot;
use tonic::Code;
use user_import::{
    domain::Column::{BadgeNumber, Email, ExternalId, LastName, Phone, Username},
    proto::{Catalog, GetCatalogRequest, IssueCode},
};

use user_import_testing::{
    App, Database, ImportResponses, Roster, catalog, deactivating_missing, dry_run,
    on_both_databases, roster, start_of,
};

on_both_databases![
    the_catalog_has_a_region_and_patterns,
    national_numbers_are_read_by_the_region,
    without_a_region_a_national_number_is_rejected_or_warned_of,
    a_new_or_changed_key_has_to_match_its_pattern,
    a_stored_key_stands_whatever_the_pattern,
    a_key_without_its_zeros_lists_its_user,
];

async fn preview(app: &App, roster: &Roster) -> ImportResponses {
    app.preview(start_of("pd"), roster).await
}

fn codes(imported: &ImportResponses) -> Vec<IssueCode> {
    imported
        .row(1)
        .issues
        .iter()
        .map(user_import::proto::Issue::code)
        .collect()
}

async fn app_with(database: Database, formats: Catalog) -> App {
    let app = App::start(database).await;
    app.catalog(
        "pd",
        Catalog {
            phone_region: formats.phone_region,
            badge_number_pattern: formats.badge_number_pattern,
            external_id_pattern: formats.external_id_pattern,
            ..catalog()
        },
    )
    .await;
    app
}

fn in_the_us() -> Catalog {
    Catalog {
        phone_region: "us".to_owned(),
        ..Catalog::default()
    }
}

fn of_four_digits() -> Catalog {
    Catalog {
        badge_number_pattern: "[0-9]{4}".to_owned(),
        external_id_pattern: "[0-9]{5}".to_owned(),
        ..Catalog::default()
    }
}

async fn stored(app: &App) -> Catalog {
    let request = GetCatalogRequest {
        organization: "pd".to_owned(),
    };
    let answer = app.directory().get_catalog(request).await.unwrap();
    answer.into_inner().catalog.unwrap()
}

async fn the_catalog_has_a_region_and_patterns(database: Database) {
    let formats = Catalog {
        phone_region: "us".to_owned(),
        ..of_four_digits()
    };
    let app = app_with(database, formats).await;
    let now = stored(&app).await;
    assert_eq!(
        [
            &*now.phone_region,
            &*now.badge_number_pattern,
            &*now.external_id_pattern
        ],
        ["US", "[0-9]{4}", "[0-9]{5}"]
    );
    // The request replaces the whole catalog.
    app.catalog("pd", catalog()).await;
    assert_eq!(stored(&app).await.phone_region, "");
}

async fn national_numbers_are_read_by_the_region(database: Database) {
    let app = app_with(database, in_the_us()).await;
    for phone in [
        "(469) 234-5678",
        "469-234-5678",
        "4692345678",
        "1 469 234 5678",
        "+1 469.234.5678",
        "=\"(469) 234-5678\"",
    ] {
        let imported = app.import(roster().row("ada", [(Phone, phone)])).await;
        assert_eq!(codes(&imported), [], "{phone}");
        assert_eq!(app.user("ada").await.phone, "+14692345678", "{phone}");
    }
    assert_eq!(app.import(app.export().await).await.summary().unchanged, 1);
    let abroad = app
        .import(roster().row("ada", [(Phone, "0046 8 123 456 78")]))
        .await;
    assert_eq!(
        (codes(&abroad), &*app.user("ada").await.phone),
        (vec![], "+46812345678")
    );
}

async fn without_a_region_a_national_number_is_rejected_or_warned_of(database: Database) {
    let app = App::start(database).await;
    for phone in ["(469) 234-5678", "(202) 555-1200", "(030) 901820"] {
        let rejected = preview(&app, &roster().row("ada", [(Phone, phone)])).await;
        assert_eq!(codes(&rejected), [IssueCode::InvalidPhone], "{phone}");
        assert_eq!(rejected.summary().rejected, 1, "{phone}");
    }
    for phone in ["469-234-5678", "469.234.5678", "4692345678"] {
        let warned = preview(&app, &roster().row("ada", [(Phone, phone)])).await;
        assert_eq!(codes(&warned), [IssueCode::PhoneRegionAssumed], "{phone}");
        assert_eq!(warned.row(1).issues[0].suggestion, "+14692345678");
        assert_eq!(warned.summary().created, 1, "{phone}");
    }
    let told = roster()
        .row("ada", [(Phone, "(469) 234-5678")])
        .row("bob", [(Phone, "469-234-5678")]);
    let told = preview(&app, &told).await;
    assert_snapshot!([told.messages(1), told.messages(2)].concat().join("\n"), @r##"
    PHONE "(469) 234-5678" begins with "(", so it has no country code. Write it with one, such as +1 469-234-5678, or set the organisation's phone region.
    PHONE "469-234-5678" was read as +4692345678, a number of Sweden; if it is one of North America, write +14692345678, or set the organisation's phone region.
    "##);
}

async fn a_new_or_changed_key_has_to_match_its_pattern(database: Database) {
    let app = app_with(database, of_four_digits()).await;
    app.import(roster().row("00001", [(BadgeNumber, "0429")]))
        .await;
    for (id, badge, suggested) in [
        ("00001", "429", "0429"),
        ("00002", "7", "0007"),
        ("00003", "K-9", ""),
        ("00004", "04290", ""),
    ] {
        let imported = preview(&app, &roster().row(id, [(BadgeNumber, badge)])).await;
        assert!(
            codes(&imported).contains(&IssueCode::InvalidFormat),
            "{badge}\n{imported}"
        );
        assert_eq!(imported.row(1).issues[0].suggestion, suggested, "{badge}");
        assert_eq!(imported.summary().rejected, 1, "{badge}");
    }
    for id in ["1", "E-1", "123456"] {
        let imported = preview(&app, &roster().row(id, [(BadgeNumber, "0001")])).await;
        assert!(codes(&imported).contains(&IssueCode::InvalidFormat), "{id}");
    }
    let generated = roster().row("bob", [(ExternalId, ""), (BadgeNumber, "0002")]);
    // Each import generates another external ID.
    assert_eq!(app.import(generated).await.summary().created, 1);
    let told = roster()
        .row("00005", [(BadgeNumber, "430")])
        .row("x", [(BadgeNumber, "0003")]);
    let told = preview(&app, &told).await;
    assert_snapshot!([told.messages(1), told.messages(2)].concat().join("\n"), @r##"
    BADGE_NUMBER "430" does not match the organisation's pattern [0-9]{4}; did you mean "0430"? If a spreadsheet has dropped zeros, format the column as text.
    EXTERNAL_ID "x" does not match the organisation's pattern [0-9]{5}; correct the external ID.
    "##);
}

async fn a_stored_key_stands_whatever_the_pattern(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let patterns = of_four_digits();
    app.catalog(
        "pd",
        Catalog {
            badge_number_pattern: patterns.badge_number_pattern,
            external_id_pattern: patterns.external_id_pattern,
            ..catalog()
        },
    )
    .await;
    let imported = app.import(app.export().await).await;
    assert_snapshot!(imported, @r"
    1 UNCHANGED ada [warning: INVALID_FORMAT, warning: INVALID_FORMAT]
    2 UNCHANGED bob [warning: INVALID_FORMAT, warning: INVALID_FORMAT]
    COMPLETED: 2 rows, 2 unchanged
    ");
    let renamed = roster().row("ada", [(LastName, "Byron")]);
    assert_eq!(app.import(renamed).await.summary().updated, 1);
    let changed = roster().row("ada", [(BadgeNumber, "B-new")]);
    assert_eq!(app.reject(changed).await.summary().rejected, 1);
}

async fn a_key_without_its_zeros_lists_its_user(database: Database) {
    let app = app_with(database, of_four_digits()).await;
    let people = roster()
        .row("00001", [(BadgeNumber, "0001")])
        .row("00002", [(BadgeNumber, "0002")]);
    app.import(people).await;
    let start = dry_run(deactivating_missing(start_of("pd")));
    let unknown = [
        (BadgeNumber, "0009"),
        (Email, "x@pd.example"),
        (Username, "x"),
    ];
    let listing = roster()
        .row("00001", [(BadgeNumber, "0001")])
        .row("2", unknown);
    let synced = app.import_with(start, listing).await;
    assert_eq!(
        (synced.code(), synced.deactivations.len()),
        (Code::Ok, 0),
        "{synced}"
    );
}
