//! An apply that states the digest of a dry run applies exactly the plan of that dry run, or nothing (semantics §7).

use tonic::Code;
use user_import::{
    domain::Column::{BadgeNumber, Email, ExternalId, FirstName, LastName, Status},
    proto::{DeactivateMissing, ImportStart, ResultFilter},
};

use user_import_testing::{
    App, Database, ImportResponses, Roster, on_both_databases, roster, start_of,
};

on_both_databases![
    the_plan_of_the_dry_run_is_applied,
    another_file_is_another_plan,
    a_changed_user_is_another_plan,
    an_unrelated_change_is_the_same_plan,
    the_digest_knows_no_options_and_no_generated_ids,
    whom_an_import_deactivates_is_part_of_the_plan,
    the_same_plan_of_another_organisation_has_another_digest,
    any_order_of_the_rows_is_the_same_plan,
    the_same_change_of_another_user_is_another_plan,
];

fn dry() -> ImportStart {
    ImportStart {
        validate_only: true,
        ..start_of("pd")
    }
}

async fn digest(app: &App, start: ImportStart, roster: impl Into<Vec<u8>>) -> Vec<u8> {
    let digest = app
        .import_with(start, roster)
        .await
        .summary()
        .plan_digest
        .clone();
    assert_eq!(digest.len(), 32);
    digest
}

async fn apply(app: &App, expected_plan_digest: Vec<u8>, roster: Roster) -> ImportResponses {
    let start = ImportStart {
        expected_plan_digest,
        ..start_of("pd")
    };
    app.import_with(start, roster).await
}

/// Changes ada, creates bob, and has a rejected row.
fn planned() -> Roster {
    roster()
        .row("ada", [(FirstName, "Augusta")])
        .people(["bob"])
        .row("cy", [(Email, "nowhere")])
}

async fn the_plan_of_the_dry_run_is_applied(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let seen = digest(&app, dry(), planned()).await;
    let imported = apply(&app, seen, planned()).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(app.users().await.len(), 2);
}

async fn another_file_is_another_plan(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let seen = digest(&app, dry(), planned()).await;
    let other = planned().row("ada2", [(LastName, "Other")]);
    let imported = apply(&app, seen, other).await;
    assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
    assert_eq!(imported.summary().refusals[0].code, "PLAN_DIFFERS");
    assert_eq!(app.users().await.len(), 1);
}

async fn a_changed_user_is_another_plan(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let seen = digest(&app, dry(), planned()).await;
    // The row gives the same new name as before, but the value that it replaces is another one.
    app.import(roster().row("ada", [(FirstName, "Byron")]))
        .await;
    let imported = apply(&app, seen, planned()).await;
    assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
    assert_eq!(app.user("ada").await.first_name, "Byron");
}

async fn an_unrelated_change_is_the_same_plan(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "zoe"]).await;
    let seen = digest(&app, dry(), planned()).await;
    app.import(roster().row("zoe", [(FirstName, "Zoë")])).await;
    app.people(["somebody-else"]).await;
    let imported = apply(&app, seen, planned()).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
}

async fn the_digest_knows_no_options_and_no_generated_ids(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    let nameless = planned().row("dan", [(ExternalId, "")]);
    let plain = digest(&app, dry(), &nameless).await;
    for start in [
        ImportStart {
            max_rejected_rows: Some(9),
            ..dry()
        },
        ImportStart {
            max_deactivations: Some(9),
            ..dry()
        },
        ImportStart {
            include_values: true,
            ..dry()
        },
        ImportStart {
            source: "CAD".to_owned(),
            ..dry()
        },
        ImportStart {
            result_filter: ResultFilter::Rejections.into(),
            ..dry()
        },
        ImportStart {
            import_id: "018f4e9e-5c7b-7000-8000-000000000002".to_owned(),
            ..dry()
        },
        // It is refused, because a row is rejected. Its plan is the same.
        ImportStart {
            all_or_nothing: true,
            ..dry()
        },
    ] {
        let message = format!("{start:?}");
        assert_eq!(digest(&app, start, &nameless).await, plain, "{message}");
    }
    assert_ne!(digest(&app, dry(), planned()).await, plain);
}

async fn whom_an_import_deactivates_is_part_of_the_plan(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let missing = ImportStart {
        deactivate_missing: Some(DeactivateMissing::default()),
        ..dry()
    };
    let ada = roster().people(["ada"]);
    let without = digest(&app, dry(), &ada).await;
    let with_bob = digest(&app, missing.clone(), &ada).await;
    assert_ne!(with_bob, without);
    app.protect("bob").await;
    assert_eq!(digest(&app, missing, &ada).await, without);
}

async fn any_order_of_the_rows_is_the_same_plan(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy", "dan"]).await;
    // Two users swap their badge numbers, one is unchanged, one new user is listed twice, and two rows are rejected.
    let swapped = [
        ("ada", "B-bob"),
        ("bob", "B-ada"),
        ("cy", "B-cy"),
        ("eve", "B-eve"),
        ("eve", "B-eve"),
    ];
    let faulty = [("dan", "B-ada"), ("fay", "B-fay")];
    let rows = |order: Vec<(&str, &str)>| {
        order.into_iter().fold(roster(), |roster, (name, badge)| {
            let email = format!("{name}@pd.example");
            let email = if name == "fay" { "nowhere" } else { &*email };
            roster.row(name, [(BadgeNumber, badge), (Email, email)])
        })
    };
    let all: Vec<_> = swapped.into_iter().chain(faulty).collect();
    let seen = digest(&app, dry(), rows(all.clone())).await;
    for turn in 1..all.len() {
        let mut other = all.clone();
        other.rotate_left(turn);
        assert_eq!(
            digest(&app, dry(), rows(other.clone())).await,
            seen,
            "{turn}"
        );
        other.reverse();
        assert_eq!(digest(&app, dry(), rows(other)).await, seen, "{turn}");
    }
    let less = rows(all[..6].to_vec());
    assert_ne!(digest(&app, dry(), less).await, seen);
    let backwards = rows(all.into_iter().rev().collect());
    let imported = apply(&app, seen, backwards).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
}

async fn the_same_change_of_another_user_is_another_plan(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    for (column, value) in [
        (Status, "Inactive"),
        (LastName, "Other"),
        (Email, "nowhere"),
    ] {
        let of = |name| roster().row(name, [(column, value)]);
        let [ada, bob] = [of("ada"), of("bob")];
        assert_ne!(
            digest(&app, dry(), ada).await,
            digest(&app, dry(), bob).await,
            "{column}"
        );
    }
}

/// Without a key, a person who knows how the digest is made could guess stored values and check each guess.
async fn the_same_plan_of_another_organisation_has_another_digest(database: Database) {
    let app = App::start(database).await;
    app.organization("sheriff").await;
    let there = ImportStart {
        organization: "sheriff".to_owned(),
        ..dry()
    };
    let here = digest(&app, dry(), planned()).await;
    assert_ne!(digest(&app, there.clone(), planned()).await, here);
    // Another server makes the same digest.
    let again = app.another_server().await;
    assert_eq!(digest(&again, dry(), planned()).await, here);
}
