//! The same import is sent again: it is replayed, joined, resumed or refused. Also the content of its record
//! (semantics §8).

use std::time::Duration;

use tonic::Code;
use tonic_types::StatusExt;
use user_import::{
    config::Settings,
    domain::Column::{BadgeNumber, Email, ExternalId, FirstName, Role, Status},
    limits::{ClientDeadlines, ServerLimits},
    proto::{
        DeactivateMissing, ImportFinish, ImportStart, ImportState, Issue, IssueCode, ResultFilter,
        RowOutcome, RowResult, UserRows, UserStatus, import_users_request::Message,
    },
};

use user_import_testing::{
    App, Database, ImportResponses, Roster, catalog, on_both_databases, roster, start_of,
};

on_both_databases![
    the_same_import_again_is_answered_from_its_record,
    options_that_only_concern_the_stream_may_differ,
    other_input_or_options_under_a_bound_id_are_refused,
    typed_rows_are_the_same_input_in_messages_of_any_size,
    generated_external_ids_are_the_same_on_every_attempt,
    an_id_may_be_used_again_if_nothing_was_written_under_it,
    imports_are_listed_newest_first_in_pages,
    refused_imports_and_dry_runs_have_records_too,
    an_import_can_be_watched_from_any_result,
    an_unknown_import_is_not_found,
    both_clients_that_send_the_same_import_at_once_get_every_result,
    a_second_import_is_refused_with_the_id_of_the_running_one,
    a_cancelled_import_stops_between_transactions,
    an_interrupted_import_goes_on_where_it_was,
    an_overtaken_import_is_not_resumed,
    a_recorded_deactivation_spares_users_who_are_protected_by_then,
    the_counts_stay_after_the_results_have_expired,
    an_old_import_is_removed_if_a_setting_says_so,
    an_import_is_kept_as_long_as_one_that_began_before_it,
    rows_whose_role_is_removed_meanwhile_are_rejected;
    // On PostgreSQL only. SQLite has one writer, so the directory cannot change meanwhile.
    a_small_import_is_planned_again_if_the_directory_changes_before_it_is_written,
    all_or_nothing_writes_nothing_if_the_directory_changes_meanwhile,
];

pub const ID: &str = "018f4e9e-5c7b-7000-8000-000000000001";
pub const OTHER_ID: &str = "018f4e9e-5c7b-7000-8000-000000000002";

/// Enough rows for other events to happen while the rows are written one by one.
pub const MANY: usize = 150;

pub fn named(import_id: &str) -> ImportStart {
    ImportStart {
        import_id: import_id.to_owned(),
        ..start_of("pd")
    }
}

/// Starts a server that writes each row in a transaction of its own, and on which no import waits for another.
pub async fn start_slow(database: Database) -> App {
    let settings = Settings {
        transaction_rows: 1,
        server: impatient(),
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

/// Returns the usual limits, except that no import waits for its turn.
pub fn impatient() -> ServerLimits {
    ServerLimits {
        deadlines: ClientDeadlines {
            import_turn: Duration::ZERO,
            ..ClientDeadlines::default()
        },
        ..ServerLimits::default()
    }
}

pub fn many() -> Roster {
    let names: Vec<String> = (0..MANY).map(|number| format!("u{number:04}")).collect();
    roster().people(names.iter().map(String::as_str))
}

fn is_whole(imported: &ImportResponses) -> bool {
    let rows: Vec<u32> = imported.results.iter().map(|result| result.row).collect();
    rows == (1u32..).take(MANY).collect::<Vec<_>>()
}

/// Starts a server, begins this import, and shuts the server down in order once it has reported results.
pub async fn interrupted(database: Database, start: ImportStart, roster: &Roster) -> App {
    let app = start_slow(database).await;
    app.people(["gone"]).await;
    interrupt(app, start, roster).await
}

/// Does the same with a server that runs already.
pub async fn interrupt(app: App, start: ImportStart, roster: &Roster) -> App {
    let mut answers = app.begin(start, roster).await;
    let first = ImportResponses::first_results(&mut answers).await;
    assert!(!first.results.is_empty(), "{first}");
    let (app, ended) = tokio::join!(Box::pin(app.restart()), first.and_rest(answers));
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
    assert_eq!(ended.summary().state(), ImportState::Interrupted);
    app
}

async fn the_same_import_again_is_answered_from_its_record(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let file = roster()
        .people(["ada", "new"])
        .row("bob", [(FirstName, "Robert")])
        .row("cy", [(Email, "no address")]);
    let first = app.import_with(named(ID), &file).await;
    app.import(roster().row("bob", [(FirstName, "Bobby")]))
        .await;
    let before = app.users().await;
    let again = app.import_with(named(ID), &file).await;
    assert_eq!(again.to_string(), first.to_string());
    assert_eq!(again.results, first.results);
    assert_eq!(again.summary, first.summary);
    assert!(again.started[0].resumed);
    assert_eq!(app.users().await, before);
}

async fn options_that_only_concern_the_stream_may_differ(database: Database) {
    let app = App::start(database).await;
    let file = roster().people(["ada"]).row("bob", [(Email, "no address")]);
    app.import_with(named(ID), &file).await;
    let start = ImportStart {
        result_filter: ResultFilter::Rejections.into(),
        include_values: true,
        source: "another desk".to_owned(),
        ..named(ID)
    };
    let again = app.import_with(start, &file).await;
    assert_eq!(again.code(), Code::Ok, "{again}");
    let rows: Vec<u32> = again.results.iter().map(|result| result.row).collect();
    assert_eq!(rows, [2]);
}

async fn other_input_or_options_under_a_bound_id_are_refused(database: Database) {
    let app = App::start(database).await;
    let file = roster().people(["ada"]);
    app.import_with(named(ID), &file).await;
    let other_options = ImportStart {
        all_or_nothing: true,
        ..named(ID)
    };
    let other_input = app.import_with(named(ID), roster().people(["bob"]));
    for refused in [
        other_input.await,
        app.import_with(other_options, &file).await,
    ] {
        assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
        let info = refused.status.get_details_error_info();
        assert_eq!(info.expect("it has details").reason, "IMPORT_ID_BOUND");
        assert_eq!(refused.summary().state(), ImportState::Refused);
    }
    assert_eq!(app.users().await.len(), 1);
    let record = app.import_record(ID).await.expect("it is recorded");
    assert_eq!(record.state(), ImportState::Completed);
}

async fn typed_rows_are_the_same_input_in_messages_of_any_size(database: Database) {
    let app = App::start(database).await;
    let rows = roster().people(["ada", "bob", "cy"]).typed();
    let send = |size: usize| {
        let groups = rows.chunks(size).map(|rows| {
            Message::Rows(UserRows {
                rows: rows.to_vec(),
            })
        });
        let mut messages = vec![Message::Start(named(ID))];
        messages.extend(groups);
        messages.push(Message::Finish(ImportFinish::default()));
        app.send(messages)
    };
    let first = send(3).await;
    let again = send(1).await;
    assert_eq!(again.code(), Code::Ok, "{again}");
    assert_eq!(again.results, first.results);
}

async fn generated_external_ids_are_the_same_on_every_attempt(database: Database) {
    let app = App::start(database).await;
    let file = roster()
        .row("ada", [(ExternalId, "")])
        .row("bob", [(ExternalId, "")]);
    let dry_run = ImportStart {
        validate_only: true,
        ..named(ID)
    };
    let preview = app.import_with(dry_run, &file).await;
    let first = app.import_with(named(ID), &file).await;
    let again = app.import_with(named(ID), &file).await;
    for row in 1..=2 {
        let external_id = &first.row(row).external_id;
        assert!(!external_id.is_empty());
        assert_eq!(*external_id, preview.row(row).external_id);
        assert_eq!(*external_id, again.row(row).external_id);
    }
}

async fn an_id_may_be_used_again_if_nothing_was_written_under_it(database: Database) {
    let app = App::start(database).await;
    let dry_run = ImportStart {
        validate_only: true,
        ..named(ID)
    };
    app.import_with(dry_run, roster().people(["ada"])).await;
    let refused = ImportStart {
        all_or_nothing: true,
        ..named(ID)
    };
    let faulty = roster().row("bob", [(Email, "no address")]);
    let refused = app.import_with(refused, faulty).await;
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    let imported = app.import_with(named(ID), roster().people(["cy"])).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    let record = app.import_record(ID).await.expect("it is recorded");
    assert_eq!((record.state(), record.rows), (ImportState::Completed, 1));
}

async fn imports_are_listed_newest_first_in_pages(database: Database) {
    let app = App::start(database).await;
    let mut expected = Vec::new();
    for name in ["ada", "bob", "cy"] {
        let imported = app.import(roster().people([name])).await;
        expected.insert(0, imported.import_id().to_owned());
    }
    let (first, token) = app.import_page(2, "").await;
    let (second, end) = app.import_page(2, &token).await;
    assert_eq!((first.len(), second.len(), end.as_str()), (2, 1, ""));
    let listed: Vec<String> = first
        .into_iter()
        .chain(second)
        .map(|i| i.import_id)
        .collect();
    assert_eq!(listed, expected);
}

async fn refused_imports_and_dry_runs_have_records_too(database: Database) {
    let app = App::start(database).await;
    let start = ImportStart {
        all_or_nothing: true,
        source: "nightly".to_owned(),
        ..named(ID)
    };
    app.import_with(start, roster().row("ada", [(Email, "no address")]))
        .await;
    let refused = app.import_record(ID).await.expect("it is recorded");
    assert_eq!(refused.state(), ImportState::Refused);
    assert_eq!((refused.rejected, refused.refusals.len()), (1, 1));
    assert_eq!(
        (refused.source.as_str(), refused.organization.as_str()),
        ("nightly", "pd")
    );
    assert!(!refused.principal.is_empty() && refused.finished_at.is_some());
    let watched = app.watch(ID, 0, ResultFilter::All).await;
    assert_eq!(watched.summary().state(), ImportState::Refused);
    assert_eq!(watched.summary().refusals, refused.refusals);

    let dry_run = ImportStart {
        validate_only: true,
        ..named(OTHER_ID)
    };
    app.import_with(dry_run, roster().people(["ada"])).await;
    let dry_run = app.import_record(OTHER_ID).await.expect("it is recorded");
    assert!(dry_run.validate_only);
    assert_eq!(
        (dry_run.state(), dry_run.created),
        (ImportState::Completed, 1)
    );
    assert_eq!(app.import_page(0, "").await.0.len(), 2);
}

async fn an_import_can_be_watched_from_any_result(database: Database) {
    let app = start_slow(database).await;
    app.people(["ada"]).await;
    let file = roster()
        .people(["ada"])
        .row("bob", [(Email, "no address")])
        .people(["cy", "dan"]);
    let imported = app.import_with(named(ID), &file).await;
    let rows = async |after, filter| {
        let watched = app.watch(ID, after, filter).await;
        assert_eq!(watched.summary, imported.summary);
        watched.results.iter().map(|r| r.row).collect::<Vec<_>>()
    };
    assert_eq!(rows(0, ResultFilter::All).await, [1, 2, 3, 4]);
    assert_eq!(rows(2, ResultFilter::All).await, [3, 4]);
    assert_eq!(rows(1, ResultFilter::ChangesAndRejections).await, [3, 4]);
    assert_eq!(rows(0, ResultFilter::Rejections).await, [2]);
    assert!(rows(9, ResultFilter::All).await.is_empty());
}

async fn an_unknown_import_is_not_found(database: Database) {
    let app = App::start(database).await;
    let watched = app.watch(ID, 0, ResultFilter::All).await;
    let found = app.import_record(ID).await.expect_err("nothing has run");
    let cancelled = app.cancel(ID).await.expect_err("nothing has run");
    for status in [watched.status, found, cancelled] {
        assert_eq!(status.code(), Code::NotFound);
        let info = status.get_details_resource_info().expect("it has details");
        assert_eq!(
            (info.resource_type.as_str(), info.resource_name.as_str()),
            ("import", ID)
        );
    }
}

async fn both_clients_that_send_the_same_import_at_once_get_every_result(database: Database) {
    let app = start_slow(database).await;
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let joined = app.begin(named(ID), &many()).await;
    let (first, joined, watched) = tokio::join!(
        first.and_rest(answers),
        ImportResponses::collect(Ok(joined)),
        app.watch(ID, 0, ResultFilter::All),
    );
    for imported in [&first, &joined, &watched] {
        assert!(is_whole(imported), "{imported}");
        assert_eq!(imported.summary, first.summary);
    }
    assert!(joined.started[0].resumed);
    assert_eq!(first.summary().created as usize, MANY);
}

async fn a_second_import_is_refused_with_the_id_of_the_running_one(database: Database) {
    let app = start_slow(database).await;
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    // The second import is refused at its start already, before it sends any row.
    let second = app.call().await;
    second.send(Message::Start(start_of("pd"))).await;
    let second = second.read_to_end().await;
    assert_eq!(second.code(), Code::Aborted, "{second}");
    let details = second.status.get_error_details();
    let info = details.error_info().expect("it says why");
    assert_eq!(info.reason, "IMPORT_RUNNING");
    assert_eq!(info.metadata["import_id"], ID);
    let retry = details.retry_info().expect("it says when to retry");
    assert!(retry.retry_delay > Some(Duration::ZERO));
    assert!(is_whole(&first.and_rest(answers).await));
    app.people(["later"]).await;
}

async fn a_cancelled_import_stops_between_transactions(database: Database) {
    let app = start_slow(database).await;
    let mut answers = app.begin(named(ID), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    app.cancel(ID).await.expect("it is applying");
    let ended = first.and_rest(answers).await;
    assert_eq!(ended.code(), Code::Cancelled, "{ended}");
    let summary = ended.summary();
    assert_eq!(summary.state(), ImportState::Cancelled);
    let written = app.users().await.len();
    assert!(written < MANY, "it has ended before it was cancelled");
    assert_eq!(
        (summary.created as usize, ended.results.len()),
        (written, written)
    );

    let again = app.import_with(named(ID), &many()).await;
    assert_eq!(again.code(), Code::Cancelled);
    assert_eq!(
        (&again.results, &again.summary),
        (&ended.results, &ended.summary)
    );
    assert_eq!(app.users().await.len(), written);
    let status = app.cancel(ID).await.expect_err("it has ended");
    assert_eq!(status.code(), Code::FailedPrecondition);
}

async fn an_interrupted_import_goes_on_where_it_was(database: Database) {
    let app = interrupted(database, named(ID), &many()).await;
    let record = app.import_record(ID).await.expect("it is recorded");
    assert_eq!(record.state(), ImportState::Interrupted);
    assert!((record.created as usize) < MANY, "it was not interrupted");
    let resumed = app.import_with(named(ID), &many()).await;
    assert!(is_whole(&resumed), "{resumed}");
    assert_eq!(resumed.summary().created as usize, MANY);
    assert!(
        resumed
            .results
            .iter()
            .all(|r| r.outcome() == RowOutcome::Created)
    );
}

async fn an_overtaken_import_is_not_resumed(database: Database) {
    let app = interrupted(database, named(ID), &many()).await;
    let newer = roster().row("u0149", [(BadgeNumber, "newer")]);
    app.import_with(named(OTHER_ID), newer).await;
    let before = app.users().await;
    let stale = app.import_with(named(ID), &many()).await;
    assert_eq!(stale.code(), Code::FailedPrecondition, "{stale}");
    let violations = stale.status.get_details_precondition_failure();
    let violations = violations.expect("it has details").violations;
    assert_eq!(
        (
            violations[0].r#type.as_str(),
            violations[0].subject.as_str()
        ),
        ("OVERTAKEN", OTHER_ID)
    );
    assert_eq!(app.users().await, before);
}

async fn a_recorded_deactivation_spares_users_who_are_protected_by_then(database: Database) {
    let start = ImportStart {
        deactivate_missing: Some(DeactivateMissing {
            confirmation: "Confirm".to_owned(),
            ..DeactivateMissing::default()
        }),
        max_deactivations: Some(10),
        ..named(ID)
    };
    let app = interrupted(database, start.clone(), &many()).await;
    app.protect("gone").await;
    let resumed = app.import_with(start, &many()).await;
    assert_eq!(resumed.code(), Code::Ok, "{resumed}");
    assert_eq!(resumed.summary().deactivated, 0);
    let warning = &resumed.summary().warnings[0];
    assert_eq!(warning.related_external_id, "gone");
    assert_eq!(app.user("gone").await.status(), UserStatus::Active);
}

async fn the_counts_stay_after_the_results_have_expired(database: Database) {
    let settings = Settings {
        result_retention: Duration::ZERO,
        cleaning_interval: Duration::from_millis(20),
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let file = roster().row("ada", [(Status, "Inactive")]);
    let imported = app.import_with(named(ID), &file).await;
    while !app.watch(ID, 0, ResultFilter::All).await.results.is_empty() {
        tokio::task::yield_now().await;
    }
    let record = app.import_record(ID).await.expect("its record stays");
    assert_eq!(
        (record.state(), record.created),
        (ImportState::Completed, 1)
    );
    assert_eq!(imported.summary().created, 1);
}

async fn an_old_import_is_removed_if_a_setting_says_so(database: Database) {
    let settings = Settings {
        result_retention: Duration::ZERO,
        history: Some(Duration::ZERO),
        cleaning_interval: Duration::from_millis(20),
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    for id in [ID, OTHER_ID] {
        app.import_with(named(id), &many()).await;
    }
    for id in [ID, OTHER_ID] {
        while app.import_record(id).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(app.users().await.len(), MANY);
    let ended = "SELECT COUNT(*) FROM audit_events WHERE action = 10";
    assert_eq!(app.database().number(ended).await, 2);
    // The ID is unknown now, so that it can be used again.
    let again = app.import_with(named(ID), &many()).await;
    assert_eq!(again.summary().unchanged as usize, MANY);
}

async fn an_import_is_kept_as_long_as_one_that_began_before_it(database: Database) {
    let settings = Settings {
        result_retention: Duration::ZERO,
        cleaning_interval: Duration::from_millis(20),
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    for id in [ID, OTHER_ID] {
        app.import_with(named(id), &many()).await;
    }
    let database = app.database();
    let with_results = "SELECT COUNT(*) FROM imports WHERE NOT results_removed";
    while database.number(with_results).await > 0 {
        tokio::task::yield_now().await;
    }
    let store = user_import::store::Store::connect(&database.url())
        .await
        .unwrap();
    let later = time::OffsetDateTime::now_utc() + Duration::from_mins(1);
    let first = "WHERE started_at = (SELECT MIN(started_at) FROM imports)";
    let interrupted = format!("UPDATE imports SET finished_at = NULL {first}");
    database.execute(&interrupted).await;
    assert_eq!(store.expire_history(later).await.unwrap(), 0);
    let ended = format!("UPDATE imports SET finished_at = started_at {first}");
    database.execute(&ended).await;
    assert_eq!(store.expire_history(later).await.unwrap(), 2);
}

async fn rows_whose_role_is_removed_meanwhile_are_rejected(database: Database) {
    let app = start_slow(database).await;
    let file = many().row("last", [(Role, "Sergeant")]);
    let mut answers = app.begin(named(ID), &file).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let mut catalog = catalog();
    catalog.roles.retain(|role| role.name != "Sergeant");
    app.catalog("pd", catalog).await;
    let imported = first.and_rest(answers).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(imported.summary().created as usize, MANY);
    let last = imported.row(151);
    let codes: Vec<IssueCode> = last.issues.iter().map(Issue::code).collect();
    assert_eq!(
        codes,
        [IssueCode::UnknownRole, IssueCode::ChangedConcurrently]
    );
    let watched = app.watch(ID, 0, ResultFilter::All).await;
    assert_eq!(watched.results, imported.results);
}

/// Another client takes a badge number after a small import is planned and before it is written.
async fn a_small_import_is_planned_again_if_the_directory_changes_before_it_is_written() {
    let app = App::start(Database::Postgres).await;
    app.people(["ada"]).await;
    let other = app.database();
    let held = other
        .begin("UPDATE organizations SET revision = revision")
        .await;
    let csv = roster().people(["new", "newer"]).csv().into_bytes();
    let importing = tokio::spawn(app.sending(named(ID), csv));
    other.until_somebody_waits().await;
    held.commit("UPDATE users SET badge_number = 'B-newer'")
        .await;
    let imported = importing.await.expect("the client does not panic");
    let outcomes = imported.results.iter().map(RowResult::outcome);
    let expected = [RowOutcome::Created, RowOutcome::Rejected];
    assert!(outcomes.eq(expected), "{imported}");
    let issue = &imported.results[1].issues[0];
    assert_eq!(issue.code(), IssueCode::BadgeNumberTaken, "{imported}");
    let watched = app.watch(ID, 0, ResultFilter::All).await;
    assert_eq!(watched.results, imported.results);
}

async fn all_or_nothing_writes_nothing_if_the_directory_changes_meanwhile() {
    // A smaller import would be planned again, because it takes its lease in the same transaction that is refused.
    let others: Vec<String> = (0..20).map(|number| format!("new{number}")).collect();
    let names = ["ada", "new", "newer"];
    let roster_of_many =
        roster().people(names.into_iter().chain(others.iter().map(String::as_str)));
    // The first change takes a badge number that the import gives to a user. The second one only changes the revision.
    for change in [
        "UPDATE users SET badge_number = 'B-newer'",
        "UPDATE users SET last_name = 'Ray'; UPDATE organizations SET revision = revision + 1",
    ] {
        let app = App::start(Database::Postgres).await;
        app.people(["ada"]).await;
        let start = ImportStart {
            all_or_nothing: true,
            ..named(ID)
        };
        let other = app.database();
        // The import has taken its lease when it reads the users, and has made its plan when it locks the organisation.
        let unread = other.begin("LOCK TABLE users").await;
        let csv = roster_of_many.csv().into_bytes();
        let importing = tokio::spawn(app.sending(start, csv));
        other.until_somebody_waits_for_a_table().await;
        let unwritten = other
            .begin("UPDATE organizations SET revision = revision")
            .await;
        unread.commit("").await;
        other.until_somebody_waits_for_a_row().await;
        unwritten.commit(change).await;
        let refused = importing.await.expect("the client does not panic");
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
        assert_eq!(
            refused.summary().refusals[0].code,
            "CHANGED_CONCURRENTLY",
            "{refused}"
        );
        assert_eq!(app.users().await.len(), 1);
        let unbound = app.import_with(named(ID), roster().people(["new"])).await;
        assert_eq!(unbound.summary().created, 1, "{unbound}");
    }
}
