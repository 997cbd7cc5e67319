//! Imports that a guard refuses and that are held for review (semantics §12): kept, reviewed, approved, discarded or
//! expired; on one server and on two; sent as a stream, a push, an upload in parts or a workbook.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use user_import::{
    config::Settings,
    domain::{
        Column::{LastName, Status as StatusColumn},
        Permission,
    },
    proto::{AuditAction, ImportStart, ImportState, ResultFilter, UserStatus},
};

use crate::retries::{ID, OTHER_ID, named};
use user_import_testing::{
    App, Database, ImportResponses, PATIENCE, Roster, every_missing_user, on_both_databases,
    roster, start_of, token,
    workbook::{xlsx, xlsx_rows},
};

on_both_databases![
    an_import_that_a_guard_refuses_is_held,
    a_review_is_a_dry_run_with_values_and_changes_nothing,
    an_approved_import_applies_what_was_reviewed,
    however_it_was_sent_it_is_held_and_approved,
    a_directory_changed_in_between_is_reviewed_again,
    users_are_deactivated_only_with_the_word,
    a_newer_import_does_not_end_a_held_one,
    every_guard_holds_and_a_stated_digest_does_not,
    a_retry_gets_the_same_answer_and_other_input_is_refused,
    a_discarded_import_is_gone_and_its_id_is_free,
    a_held_import_expires,
    imports_are_listed_by_state,
    only_who_may_approve_reviews_and_approves,
    four_eyes_are_two_credentials,
    the_rights_of_the_approver_decide,
    two_approvals_at_once_apply_it_once,
    an_approval_by_another_server_applies_it,
    an_interrupted_approval_goes_on,
    an_approved_import_answers_again_from_its_record,
    each_turn_is_in_the_audit_trail,
    what_is_not_held_cannot_be_reviewed,
    without_hold_nothing_is_kept,
    no_more_are_held_than_the_server_allows,
];

/// Names of `count` people.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("u{number:03}")).collect()
}

/// Twenty people. Each roster of this file makes some user Inactive.
async fn department(database: Database) -> App {
    with_people(App::start(database).await).await
}

async fn with_people(app: App) -> App {
    let imported = app.import(people(20, 0)).await;
    assert_eq!(imported.summary().created, 20, "{imported}");
    app
}

/// `count` people. The first ones are Inactive.
fn people(count: usize, inactive: usize) -> Roster {
    let rows = names(count).into_iter().enumerate();
    rows.fold(roster(), |roster, (at, name)| match at < inactive {
        true => roster.row(&name, [(StatusColumn, "Inactive"), (LastName, "Gone")]),
        false => roster.row(&name, []),
    })
}

/// A roster of the department that the guard of mass deactivation refuses.
fn leaving() -> Roster {
    people(20, 12)
}

fn holding(import_id: &str) -> ImportStart {
    ImportStart {
        hold: true,
        ..named(import_id)
    }
}

fn reason(status: &Status) -> Option<String> {
    Some(status.get_details_error_info()?.reason)
}

#[track_caller]
fn expect_held(imported: &ImportResponses, code: &str) {
    assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
    assert_eq!(
        reason(&imported.status).as_deref(),
        Some("IMPORT_HELD"),
        "{imported}"
    );
    let summary = imported.summary();
    assert_eq!(summary.state(), ImportState::Held, "{imported}");
    assert!(
        summary.refusals.iter().any(|refusal| refusal.code == code),
        "{imported}"
    );
    let failure = imported.status.get_details_precondition_failure();
    let violations = failure.expect("the guards are in the details").violations;
    assert!(
        violations.iter().any(|violation| violation.r#type == code),
        "{imported}"
    );
}

#[track_caller]
fn refused_with(imported: &ImportResponses, code: &str) {
    assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
    let failure = imported.status.get_details_precondition_failure();
    let violations = failure.expect("a reason").violations;
    assert_eq!(violations[0].r#type, code, "{imported}");
}

/// Returns how many users are Inactive.
async fn inactive(app: &App) -> usize {
    let users = app.users().await;
    let gone = users
        .iter()
        .filter(|user| user.status() == UserStatus::Inactive);
    gone.count()
}

async fn an_import_that_a_guard_refuses_is_held(database: Database) {
    let app = department(database).await;
    let before = app.users().await;
    let held = app.import_with(holding(ID), leaving()).await;
    expect_held(&held, "MASS_DEACTIVATION");
    assert_eq!(held.results.len(), 20, "{held}");
    assert_eq!(held.summary().updated, 12, "{held}");
    let info = held.status.get_details_error_info().unwrap();
    assert_eq!(info.metadata["import_id"], ID);
    assert_eq!(app.users().await, before);
    let record = app.import_record(ID).await.unwrap();
    assert_eq!(record.state(), ImportState::Held);
    assert_eq!((record.updated, record.rows), (12, 20));
    assert_eq!(record.plan_digest, held.summary().plan_digest);
    assert_eq!(record.refusals, held.summary().refusals);
    let until = record.held_until.expect("a time").seconds;
    let days = (until - OffsetDateTime::now_utc().unix_timestamp()) / (24 * 60 * 60);
    assert!((6..=7).contains(&days), "{days}");
}

async fn a_review_is_a_dry_run_with_values_and_changes_nothing(database: Database) {
    let app = department(database).await;
    let held = app.import_with(holding(ID), leaving()).await;
    let record = app.import_record(ID).await.unwrap();
    let before = app.users().await;
    for _ in 0..2 {
        let review = app.review(ID).await;
        assert_eq!(review.code(), Code::Ok, "{review}");
        let summary = review.summary();
        assert_eq!(summary.state(), ImportState::Held);
        assert!(summary.validate_only);
        assert_eq!(summary.refusals[0].code, "MASS_DEACTIVATION", "{review}");
        assert_eq!(summary.plan_digest, held.summary().plan_digest);
        assert_eq!(summary.consequences, held.summary().consequences);
        assert_eq!(review.results.len(), 20, "{review}");
        let change = &review.row(1).changes[0];
        assert!(
            change.before.is_some() && change.after.is_some(),
            "{change:?}"
        );
        assert_eq!(app.users().await, before);
        assert_eq!(app.import_record(ID).await.unwrap(), record);
    }
}

async fn an_approved_import_applies_what_was_reviewed(database: Database) {
    let app = department(database).await;
    app.import_with(holding(ID), leaving()).await;
    let review = app.review(ID).await;
    let done = app.approve(ID, &review.summary().plan_digest).await;
    assert_eq!(done.code(), Code::Ok, "{done}");
    assert_eq!(done.summary().state(), ImportState::Completed, "{done}");
    assert_eq!(
        (done.summary().updated, done.results.len()),
        (12, 20),
        "{done}"
    );
    assert_eq!(done.summary().consequences, review.summary().consequences);
    assert_eq!(inactive(&app).await, 12);
    let record = app.import_record(ID).await.unwrap();
    assert_eq!(record.state(), ImportState::Completed);
    assert_eq!((record.held_until, record.refusals.len()), (None, 0));
    // If the sender tries again, the answer comes from the record, as for any import.
    let again = app.import_with(holding(ID), leaving()).await;
    assert_eq!(again.code(), Code::Ok, "{again}");
    assert_eq!(again.summary().updated, 12);
    let kept = "SELECT (SELECT count(*) FROM held_imports) + (SELECT count(*) FROM held_parts)";
    assert_eq!(app.database().number(kept).await, 0);
}

async fn however_it_was_sent_it_is_held_and_approved(database: Database) {
    for way in ["stream", "rows", "push", "parts", "workbook"] {
        let app = department(database).await;
        let csv = leaving().csv();
        let held = match way {
            "stream" => app.import_with(holding(ID), csv.clone()).await,
            "rows" => app.import_rows_with(holding(ID), leaving().typed()).await,
            "push" => app.push(holding(ID), leaving().typed()).await,
            "parts" => {
                app.import_in_parts(holding(ID), csv.as_bytes(), [100, 7])
                    .await
            }
            _ => {
                let lines = csv.lines().map(|line| line.split(','));
                let workbook = xlsx(&[("S", xlsx_rows(lines))]).zip();
                app.import_workbook(holding(ID), workbook).await
            }
        };
        expect_held(&held, "MASS_DEACTIVATION");
        let review = app.review(ID).await;
        assert_eq!(
            review.summary().plan_digest,
            held.summary().plan_digest,
            "{way}"
        );
        let done = app.approve(ID, &review.summary().plan_digest).await;
        assert_eq!(
            done.summary().state(),
            ImportState::Completed,
            "{way}: {done}"
        );
        assert_eq!(inactive(&app).await, 12, "{way}");
        let watched = app.watch(ID, 0, ResultFilter::All).await;
        assert_eq!(
            watched.summary().state(),
            ImportState::Completed,
            "{way}: {watched}"
        );
        assert_eq!(watched.results.len(), 20, "{way}");
    }
}

async fn a_directory_changed_in_between_is_reviewed_again(database: Database) {
    let app = department(database).await;
    app.import_with(holding(ID), leaving()).await;
    let review = app.review(ID).await;
    let other = roster().row("u001", [(LastName, "Roe")]);
    assert_eq!(app.import(other).await.code(), Code::Ok);
    let before = app.users().await;
    let stale = app.approve(ID, &review.summary().plan_digest).await;
    refused_with(&stale, "PLAN_DIFFERS");
    assert_eq!(stale.summary().state(), ImportState::Held, "{stale}");
    assert_eq!(app.users().await, before);
    assert_eq!(
        app.import_record(ID).await.unwrap().state(),
        ImportState::Held
    );
    let review = app.review(ID).await;
    let done = app.approve(ID, &review.summary().plan_digest).await;
    assert_eq!(done.summary().state(), ImportState::Completed, "{done}");
    assert_eq!(app.user("u001").await.last_name, "Gone");
}

async fn users_are_deactivated_only_with_the_word(database: Database) {
    let app = department(database).await;
    let start = ImportStart {
        deactivate_missing: Some(every_missing_user()),
        ..holding(ID)
    };
    let held = app.import_with(start, people(8, 0)).await;
    expect_held(&held, "MASS_DEACTIVATION");
    assert_eq!(held.deactivations.len(), 12, "{held}");
    let review = app.review(ID).await;
    assert_eq!(review.deactivations, held.deactivations);
    let digest = review.summary().plan_digest.clone();
    for word in ["", "confirm"] {
        let refused = ImportResponses::approved(app.approving(ID, &digest, word).await).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert_eq!(refused.summary().refusals[0].code, "CONFIRMATION_REQUIRED");
        assert_eq!(inactive(&app).await, 0);
    }
    let done = app.approve(ID, &digest).await;
    assert_eq!(done.deactivations.len(), 12, "{done}");
    assert_eq!(inactive(&app).await, 12);
}

async fn a_newer_import_does_not_end_a_held_one(database: Database) {
    let app = department(database).await;
    let held = app.import_with(holding(ID), leaving()).await;
    let newer = roster().row("new", []);
    assert_eq!(
        app.import_with(named(OTHER_ID), newer).await.code(),
        Code::Ok
    );
    let done = app.approve(ID, &held.summary().plan_digest).await;
    assert_eq!(done.summary().state(), ImportState::Completed, "{done}");
}

async fn every_guard_holds_and_a_stated_digest_does_not(database: Database) {
    let app = department(database).await;
    let bad = || {
        roster()
            .row("u001", [(LastName, "Roe")])
            .row("u002", [(LastName, "")])
    };
    let with = |change: fn(&mut ImportStart)| {
        let mut start = ImportStart {
            hold: true,
            ..start_of("pd")
        };
        change(&mut start);
        start
    };
    let held = app
        .import_with(with(|start| start.all_or_nothing = true), bad())
        .await;
    expect_held(&held, "ROWS_REJECTED");
    // It is approved without a change: the rejected row is not written.
    let done = app
        .approve(held.import_id(), &held.summary().plan_digest)
        .await;
    assert_eq!(
        (done.summary().updated, done.summary().rejected),
        (1, 1),
        "{done}"
    );
    let held = app
        .import_with(with(|start| start.max_rejected_rows = Some(0)), bad())
        .await;
    expect_held(&held, "TOO_MANY_REJECTED_ROWS");
    let held = app
        .import_with(
            with(|start| start.max_deactivations = Some(0)),
            people(3, 1),
        )
        .await;
    expect_held(&held, "TOO_MANY_DEACTIVATIONS");
    let other = |start: &mut ImportStart| {
        start.max_deactivations = Some(0);
        start.expected_plan_digest = vec![7; 32];
    };
    let refused = app.import_with(with(other), people(3, 1)).await;
    refused_with(&refused, "PLAN_DIFFERS");
    assert_eq!(refused.summary().state(), ImportState::Refused);
    // A file that cannot be read is refused and not held, and so is a dry run.
    let refused = app
        .import_with(with(|_| {}), "EMAIL\nada@pd.example\n")
        .await;
    assert_eq!(refused.summary().state(), ImportState::Refused);
    let dry = app
        .import_with(with(|start| start.validate_only = true), leaving())
        .await;
    assert_eq!(dry.summary().state(), ImportState::Refused);
    assert_eq!(app.imports_in(ImportState::Held, 0).await.len(), 2);
}

async fn a_retry_gets_the_same_answer_and_other_input_is_refused(database: Database) {
    let app = department(database).await;
    let held = app.import_with(holding(ID), leaving()).await;
    let record = app.import_record(ID).await.unwrap();
    let again = app.import_with(holding(ID), leaving()).await;
    expect_held(&again, "MASS_DEACTIVATION");
    assert_eq!(again.status.message(), held.status.message());
    assert_eq!(again.summary().refusals, held.summary().refusals);
    let pushed = app
        .import_in_parts(holding(ID), leaving().csv().as_bytes(), [])
        .await;
    expect_held(&pushed, "MASS_DEACTIVATION");
    assert_eq!(app.import_record(ID).await.unwrap(), record);
    let other = app.import_with(holding(ID), people(20, 13)).await;
    assert_eq!(other.code(), Code::AlreadyExists, "{other}");
    assert_eq!(reason(&other.status).as_deref(), Some("IMPORT_ID_BOUND"));
    let options = app.import_with(named(ID), leaving()).await;
    assert_eq!(options.code(), Code::AlreadyExists, "{options}");
    assert_eq!(app.import_record(ID).await.unwrap(), record);
}

async fn a_discarded_import_is_gone_and_its_id_is_free(database: Database) {
    let app = department(database).await;
    let held = app.import_with(holding(ID), leaving()).await;
    app.cancel(ID).await.unwrap();
    let record = app.import_record(ID).await.unwrap();
    assert_eq!(record.state(), ImportState::Cancelled);
    assert_eq!(record.held_until, None);
    // Nothing of the plan has been written.
    let counts = [
        record.created,
        record.updated,
        record.unchanged,
        record.deactivated,
    ];
    assert_eq!(counts, [0; 4], "{record:?}");
    refused_with(&app.review(ID).await, "NOT_HELD");
    let late = app.approve(ID, &held.summary().plan_digest).await;
    refused_with(&late, "NOT_HELD");
    assert_eq!(inactive(&app).await, 0);
    assert_eq!(
        app.database()
            .number("SELECT count(*) FROM held_parts")
            .await,
        0
    );
    assert_eq!(
        app.cancel(ID).await.unwrap_err().code(),
        Code::FailedPrecondition
    );
    let fewer = app.import_with(named(ID), people(20, 2)).await;
    assert_eq!(fewer.summary().state(), ImportState::Completed, "{fewer}");
}

async fn a_held_import_expires(database: Database) {
    let settings = Settings {
        held: Duration::from_millis(1),
        cleaning_interval: Duration::from_millis(50),
        ..Settings::default()
    };
    let app = with_people(App::start_with(database, settings).await).await;
    let held = app.import_with(holding(ID), leaving()).await;
    expect_held(&held, "MASS_DEACTIVATION");
    let expired = async {
        while app.import_record(ID).await.unwrap().state() == ImportState::Held {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, expired).await.expect("it expires");
    assert_eq!(
        app.import_record(ID).await.unwrap().state(),
        ImportState::Refused
    );
    let late = app.approve(ID, &held.summary().plan_digest).await;
    refused_with(&late, "NOT_HELD");
    assert_eq!(
        app.database()
            .number("SELECT count(*) FROM held_parts")
            .await,
        0
    );
    assert_eq!(inactive(&app).await, 0);
}

async fn imports_are_listed_by_state(database: Database) {
    let app = department(database).await;
    for number in 0..3 {
        let start = ImportStart {
            hold: true,
            source: number.to_string(),
            ..start_of("pd")
        };
        app.import_with(start, leaving()).await;
        app.import(roster().people(["u001"])).await;
    }
    let held = app.imports_in(ImportState::Held, 2).await;
    let sources: Vec<_> = held.iter().map(|import| &*import.source).collect();
    assert_eq!(sources, ["2", "1", "0"]);
    assert_eq!(app.imports_in(ImportState::Completed, 1).await.len(), 4);
    assert_eq!(app.imports_in(ImportState::Refused, 0).await.len(), 0);
    assert_eq!(app.imports_in(ImportState::Unspecified, 3).await.len(), 7);
    assert_eq!(app.imports_in(ImportState::Interrupted, 3).await.len(), 0);
}

/// The permissions to import and to deactivate.
const SENDER: [Permission; 2] = [Permission::UsersImport, Permission::UsersDeactivate];

async fn only_who_may_approve_reviews_and_approves(database: Database) {
    let app = department(database).await;
    let sender = app.holding(token("pd", SENDER)).await;
    let held = sender.import_with(holding(ID), leaving()).await;
    expect_held(&held, "MASS_DEACTIVATION");
    let digest = held.summary().plan_digest.clone();
    for imported in [sender.review(ID).await, sender.approve(ID, &digest).await] {
        assert_eq!(imported.code(), Code::PermissionDenied, "{imported}");
    }
    let approver = SENDER.into_iter().chain([Permission::UsersApprove]);
    let approver = app.holding(token("pd", approver)).await;
    let review = approver.review(ID).await;
    assert_eq!(review.code(), Code::Ok, "{review}");
    // A caller needs `users.read` to see the values of users.
    assert_eq!(review.row(1).changes[0].before, None, "{review}");
    let stranger = app.holding(token("other", Permission::ALL)).await;
    for imported in [
        stranger.review(ID).await,
        stranger.approve(ID, &digest).await,
    ] {
        assert_eq!(imported.code(), Code::PermissionDenied, "{imported}");
    }
    // The approving caller needs the permissions that the import needs.
    let only = app.holding(token("pd", [Permission::UsersApprove])).await;
    let refused = only.approve(ID, &digest).await;
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    let done = approver.approve(ID, &digest).await;
    assert_eq!(done.summary().state(), ImportState::Completed, "{done}");
    let reader = app.holding(token("pd", [Permission::UsersRead])).await;
    assert_eq!(inactive(&reader).await, 12);
}

async fn four_eyes_are_two_credentials(database: Database) {
    let settings = Settings {
        four_eyes: true,
        ..Settings::default()
    };
    let app = with_people(App::start_with(database, settings).await).await;
    let one = app.holding(token("pd", Permission::ALL)).await;
    let held = one.import_with(holding(ID), leaving()).await;
    let digest = held.summary().plan_digest.clone();
    assert_eq!(one.review(ID).await.code(), Code::Ok);
    let own = one.approve(ID, &digest).await;
    assert_eq!(own.code(), Code::PermissionDenied, "{own}");
    assert_eq!(reason(&own.status).as_deref(), Some("SAME_CREDENTIAL"));
    assert_eq!(
        one.import_record(ID).await.unwrap().state(),
        ImportState::Held
    );
    let other = app.holding(token("pd", Permission::ALL)).await;
    let done = other.approve(ID, &digest).await;
    assert_eq!(done.summary().state(), ImportState::Completed, "{done}");
    // The import still belongs to its sender.
    let record = one.import_record(ID).await.unwrap();
    let sent = one.import_with(named(OTHER_ID), people(1, 0)).await;
    assert_eq!(sent.code(), Code::Ok);
    assert_eq!(
        record.principal,
        one.import_record(OTHER_ID).await.unwrap().principal
    );
}

async fn the_rights_of_the_approver_decide(database: Database) {
    let app = department(database).await;
    let sender = app.holding(token("pd", SENDER)).await;
    let held = sender.import_with(holding(ID), leaving()).await;
    let weak = [Permission::UsersImport, Permission::UsersApprove];
    let weak = app.holding(token("pd", weak)).await;
    // A caller who may not deactivate gets another plan, in which these rows are rejected.
    let other = weak.approve(ID, &held.summary().plan_digest).await;
    refused_with(&other, "PLAN_DIFFERS");
    let review = weak.review(ID).await;
    assert_eq!(review.summary().rejected, 12, "{review}");
    let done = weak.approve(ID, &review.summary().plan_digest).await;
    assert_eq!(done.summary().rejected, 12, "{done}");
    let reader = app.holding(token("pd", [Permission::UsersRead])).await;
    assert_eq!(inactive(&reader).await, 0);
}

async fn two_approvals_at_once_apply_it_once(database: Database) {
    let app = department(database).await;
    let held = app.import_with(holding(ID), leaving()).await;
    let second = app.another_server().await;
    let digest = held.summary().plan_digest.clone();
    let (one, other, third) = tokio::join!(
        app.approve(ID, &digest),
        second.approve(ID, &digest),
        app.approve(ID, &digest)
    );
    for done in [one, other, third] {
        assert_eq!(done.code(), Code::Ok, "{done}");
        assert_eq!(done.summary().updated, 12, "{done}");
        assert_eq!(done.results.len(), 20, "{done}");
    }
    let begun = events(&app, AuditAction::ImportApproved).await;
    assert_eq!(begun.len(), 1);
    assert_eq!(inactive(&app).await, 12);
}

async fn an_approval_by_another_server_applies_it(database: Database) {
    let app = department(database).await;
    let held = app.import_with(holding(ID), leaving()).await;
    let second = app.another_server().await;
    let review = second.review(ID).await;
    assert_eq!(review.summary().plan_digest, held.summary().plan_digest);
    let done = second.approve(ID, &review.summary().plan_digest).await;
    assert_eq!(done.summary().state(), ImportState::Completed, "{done}");
    assert_eq!(
        app.import_record(ID).await.unwrap().state(),
        ImportState::Completed
    );
}

async fn an_interrupted_approval_goes_on(database: Database) {
    let settings = Settings {
        transaction_rows: 1,
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    assert_eq!(app.import(people(300, 0)).await.summary().created, 300);
    let held = app.import_with(holding(ID), people(300, 290)).await;
    expect_held(&held, "MASS_DEACTIVATION");
    let digest = held.summary().plan_digest.clone();
    let answers = app.approving(ID, &digest, "Confirm").await.unwrap();
    let applying = async {
        loop {
            let record = app.import_record(ID).await.unwrap();
            if record.state() == ImportState::Applying && record.updated > 0 {
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, applying).await.expect("it begins");
    let (app, ended) = tokio::join!(
        Box::pin(app.restart()),
        ImportResponses::approved(Ok(answers))
    );
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
    let record = app.import_record(ID).await.unwrap();
    assert_eq!(record.state(), ImportState::Interrupted);
    assert!((1..290).contains(&record.updated), "{}", record.updated);
    refused_with(&app.review(ID).await, "NOT_HELD");
    let done = app.approve(ID, &digest).await;
    assert_eq!(done.code(), Code::Ok, "{done}");
    assert_eq!(
        (done.summary().updated, done.results.len()),
        (290, 300),
        "{done}"
    );
    assert_eq!(done.summary().consequences, held.summary().consequences);
    assert_eq!(inactive(&app).await, 290);
}

async fn an_approved_import_answers_again_from_its_record(database: Database) {
    let app = department(database).await;
    let held = app.import_with(holding(ID), leaving()).await;
    let digest = held.summary().plan_digest.clone();
    assert_eq!(app.approve(ID, &digest).await.code(), Code::Ok);
    let again = app.approve(ID, &digest).await;
    assert_eq!(again.code(), Code::Ok, "{again}");
    assert_eq!(
        (again.summary().updated, again.results.len()),
        (12, 20),
        "{again}"
    );
    refused_with(&app.approve(ID, &[7; 32]).await, "NOT_HELD");
}

/// Returns the audit events of this kind, each with its subject and details.
async fn events(app: &App, action: AuditAction) -> Vec<(String, Vec<(String, String)>)> {
    let events = app.audit_events("pd").await.into_iter();
    events
        .filter(|event| event.action() == action)
        .map(|event| (event.subject, event.details.into_iter().collect()))
        .collect()
}

async fn each_turn_is_in_the_audit_trail(database: Database) {
    let app = department(database).await;
    let held = app.import_with(holding(ID), leaving()).await;
    let digest = held.summary().plan_digest.clone();
    app.import_with(holding(OTHER_ID), leaving()).await;
    app.cancel(OTHER_ID).await.unwrap();
    refused_with(&app.approve(ID, &[7; 32]).await, "PLAN_DIFFERS");
    app.review(ID).await;
    app.approve(ID, &digest).await;
    let subjects = async |action| {
        let events = events(&app, action).await;
        events
            .into_iter()
            .map(|(subject, _)| subject)
            .collect::<Vec<_>>()
    };
    assert_eq!(subjects(AuditAction::ImportHeld).await, [ID, OTHER_ID]);
    assert_eq!(subjects(AuditAction::ImportDiscarded).await, [OTHER_ID]);
    assert_eq!(subjects(AuditAction::ImportRefused).await, [ID]);
    assert_eq!(subjects(AuditAction::ImportPreviewed).await, [ID]);
    let approved = events(&app, AuditAction::ImportApproved).await;
    let (subject, details) = &approved[0];
    assert_eq!((approved.len(), &**subject), (1, ID));
    let has = |name: &str, value: &str| details.contains(&(name.to_owned(), value.to_owned()));
    assert!(has("plan_digest", &hex::encode(&digest)), "{details:?}");
    assert_eq!(
        subjects(AuditAction::ImportBegun)
            .await
            .last()
            .map(String::as_str),
        Some(ID)
    );
}

async fn what_is_not_held_cannot_be_reviewed(database: Database) {
    let app = department(database).await;
    app.import_with(named(ID), people(20, 1)).await;
    refused_with(&app.review(ID).await, "NOT_HELD");
    refused_with(&app.approve(ID, &[7; 32]).await, "NOT_HELD");
    assert_eq!(app.review(OTHER_ID).await.code(), Code::NotFound);
    assert_eq!(app.review("x").await.code(), Code::InvalidArgument);
    let no_digest = app.approve(ID, &[]).await;
    assert_eq!(no_digest.code(), Code::InvalidArgument, "{no_digest}");
}

async fn without_hold_nothing_is_kept(database: Database) {
    let app = department(database).await;
    let refused = app.import_with(named(ID), leaving()).await;
    assert_eq!(refused.summary().state(), ImportState::Refused, "{refused}");
    assert_eq!(reason(&refused.status), None);
    // An import that no guard refuses is applied at once.
    let done = app.import_with(holding(OTHER_ID), people(20, 1)).await;
    assert_eq!(done.summary().state(), ImportState::Completed, "{done}");
    let kept = "SELECT (SELECT count(*) FROM held_imports) + (SELECT count(*) FROM held_parts)";
    assert_eq!(app.database().number(kept).await, 0);
}

async fn no_more_are_held_than_the_server_allows(database: Database) {
    let settings = Settings {
        max_held: 1,
        ..Settings::default()
    };
    let app = with_people(App::start_with(database, settings).await).await;
    let held = app.import_with(holding(ID), leaving()).await;
    expect_held(&held, "MASS_DEACTIVATION");
    let refused = app.import_with(holding(OTHER_ID), leaving()).await;
    assert_eq!(refused.summary().state(), ImportState::Refused, "{refused}");
    let codes: Vec<_> = refused
        .summary()
        .refusals
        .iter()
        .map(|refusal| &*refusal.code)
        .collect();
    assert_eq!(codes, ["MASS_DEACTIVATION", "TOO_MANY_HELD"]);
    app.cancel(ID).await.unwrap();
    expect_held(
        &app.import_with(holding(OTHER_ID), leaving()).await,
        "MASS_DEACTIVATION",
    );
}
